//! Flow logs through all detectors, beside DuckDB adding up the bytes by source of the same file, and beside the unpacking alone.

use std::process::Command;

use super::{Bench, Row, pair, times};

const DUCKDB: &str = "duckdb==2.0.1";

/// How many lines there are, what 240 hosts write in 17 hours.
const LINES: u64 = 10_000_000;

/// The variable that asks for fewer lines, to try the section out.
const FEWER: &str = "PALISADE_BENCH_FLOW_LINES";

pub(super) fn rows(bench: &Bench) -> Result<Vec<Row>, String> {
    let lines = match std::env::var(FEWER) {
        Ok(fewer) => fewer.parse().map_err(|e| format!("{FEWER}=`{fewer}`: {e}"))?,
        Err(_) => LINES,
    };
    let log = bench.folder("flows")?.join("flows.log.gz").display().to_string();
    bench.example("palisade-detect", "flowlogs", &["write", &lines.to_string(), &log])?;
    let (mut detect, mut ask) = (bench.palisade(&["detect", &log, "--format", "jsonl"]), duckdb(bench, &log)?);
    answers(&mut detect)?;
    answers(&mut ask)?;
    let (ours, theirs) = pair(&detect, &ask, 3)?;
    let what = format!("{lines} lines of flow logs (.gz) through all detectors");
    let mut rows = vec![
        Row {
            what: what.clone(),
            ours: format!("{:.2} CPU s", ours.cpu_seconds),
            beside: format!("DuckDB, bytes by source: {:.2} CPU s", theirs.cpu_seconds),
            ratio: format!("{} the time", times(ours.cpu_seconds, theirs.cpu_seconds)),
        },
        Row {
            what,
            ours: format!("{:.0} MB", ours.memory_mb),
            beside: format!("DuckDB: {:.0} MB", theirs.memory_mb),
            ratio: format!("{} the memory", times(ours.memory_mb, theirs.memory_mb)),
        },
    ];
    let inside = bench.example("palisade-detect", "flowlogs", &["judge", &log])?;
    rows.extend(inside.lines().map(|line| Row {
        what: "one thread, inside the process".to_owned(),
        ours: line.split_whitespace().collect::<Vec<_>>().join(" "),
        beside: String::new(),
        ratio: String::new(),
    }));
    Ok(rows)
}

/// Sees that a command does its work, since what fails at once would look quick.
fn answers(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| format!("cannot run {command:?}: {e}"))?;
    if output.status.success() { Ok(()) } else { Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))) }
}

/// The simplest question of all that one asks of flow logs.
fn duckdb(bench: &Bench, log: &str) -> Result<Command, String> {
    const ASK: &str = "import duckdb, sys
log = duckdb.read_csv(sys.argv[1], sep=' ', header=True, compression='gzip')
print(len(duckdb.sql('SELECT srcaddr, count(*), sum(bytes) FROM log GROUP BY srcaddr').fetchall()))";
    let mut python = bench.python_tool("duckdb", &[DUCKDB], "python")?;
    python.args(["-c", ASK, log]);
    Ok(python)
}
