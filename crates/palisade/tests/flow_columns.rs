//! Flow logs in Parquet as other tools write them (PyPI's `duckdb`), read by the real binary as text is. Needs
//! `PALISADE_TEST_PYTHON`, which `cargo xtask test` sets; without it there is nothing to write with and nothing is tested.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use std::path::Path;
use std::process::Command;

/// Writes a folder as AWS lays it out for Hive, an hour a file, each packed in another way, and the same as text.
const WRITE: &str = r#"
import duckdb, os
T = 1767225600
duckdb.sql(f"""create table t as select 2::int as version, '111122223333' as account_id, 'eni-a' as interface_id,
  '198.51.100.7' as srcaddr, '10.0.0.5' as dstaddr, 40000::int as srcport, (20 + n)::int as dstport, 6::int as protocol,
  1::bigint as packets, 44::bigint as bytes, ({T} + n * 60)::bigint as start, ({T} + n * 60)::bigint as "end",
  'REJECT' as action, 'OK' as log_status, n from range(120) r(n)""")
for hour, codec in enumerate(["gzip", "snappy"]):
    folder = f"hive/AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2026/month=01/day=01/hour=0{hour}"
    os.makedirs(folder)
    duckdb.sql(f"copy (select * exclude n from t where n // 60 = {hour} order by n) to '{folder}/111122223333_vpcflowlogs_eu-west-1_fl-1_20260101T0{hour}00Z_x.log.parquet' (format parquet, codec '{codec}')")
os.makedirs("odd")
duckdb.sql("""copy (select account_id, interface_id, srcaddr, dstaddr, srcport::varchar as srcport, dstport::double as dstport,
  protocol::utinyint as protocol, packets::ubigint as packets, bytes::double as bytes, make_timestamp(start * 1000000) as start,
  action, log_status, n::varchar as mine from t order by n) to 'odd/a.parquet' (format parquet, codec 'zstd', row_group_size 2048)""")
os.makedirs("text")
rows = duckdb.sql("select * exclude n from t order by n").fetchall()
open("text/a.log", "w").write("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
  + "".join(" ".join(str(v) for v in row) + "\n" for row in rows))
os.makedirs("bad")
duckdb.sql("copy (select 1 as a, 'x' as b) to 'bad/other.parquet' (format parquet)")
whole = open("odd/a.parquet", "rb").read()
open("bad/cut.parquet", "wb").write(whole[: len(whole) // 2])
duckdb.sql("copy (select srcaddr, dstaddr, -1 as packets, start from t) to 'bad/minus.parquet' (format parquet)")
"#;

fn detect(dir: &Path, path: &str) -> (String, String) {
    let mut palisade = Command::new(env!("CARGO_BIN_EXE_palisade"));
    palisade.current_dir(dir).env_clear().args(["detect", path, "-f", "jsonl"]);
    let output = palisade.output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

fn without_places(out: &str) -> Vec<serde_json::Value> {
    let strip = |line: &str| {
        let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
        for key in ["lines", "events", "source"] {
            value.as_object_mut().unwrap().remove(key);
        }
        value
    };
    out.lines().map(strip).collect()
}

#[test]
fn columns_are_judged_as_lines_are() {
    let Some(python) = std::env::var_os("PALISADE_TEST_PYTHON") else { return };
    let dir = tempfile::tempdir().unwrap();
    let written = Command::new(python).current_dir(dir.path()).args(["-c", WRITE]).status().unwrap();
    assert!(written.success(), "the files could not be written");
    let (text, told) = detect(dir.path(), "text");
    assert!(text.contains("slow-scan") || text.contains("ports-of-host-scanned"), "{text}{told}");
    let (hive, told) = detect(dir.path(), "hive");
    assert!(told.contains("120 flow records in 2 files read, 0 lines not read"), "{told}");
    assert_eq!(without_places(&hive), without_places(&text));
    let (odd, told) = detect(dir.path(), "odd");
    assert!(told.contains("120 flow records in 1 files read") && told.contains("passed over: mine"), "{told}");
    assert_eq!(without_places(&odd), without_places(&text));
    let (none, told) = detect(dir.path(), "bad");
    assert_eq!(none, "");
    for want in [
        "other.parquet`: a Parquet file without a column `srcaddr` is no flow log",
        "cut.parquet`: the Parquet file is damaged",
        "minus.parquet`: 120 lines not read: not a number (first: line 1, byte 0)",
    ] {
        assert!(told.contains(want), "{want}: {told}");
    }
}
