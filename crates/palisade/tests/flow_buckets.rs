//! Flow logs in a bucket, against a real server that answers as S3 does (PyPI's `moto`). Needs `PALISADE_TEST_PYTHON`, which
//! `cargo xtask test` sets; without it there is nothing to talk to and nothing is tested.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where its own set-up is wrong")]

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Moto {
    child: Child,
    url: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A scan of 10 ports on each of two days in AWS's layout and in Hive's, and 20 ports of another host under a name that says nothing.
const SEED: &str = r#"
import boto3, gzip, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
s3.create_bucket(Bucket="flows")
def scan(host, first, count, start):
    head = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n"
    line = "2 111122223333 eni-a 198.51.100.7 {} 40000 {} 6 1 44 {} {} REJECT OK\n"
    return gzip.compress((head + "".join(line.format(host, first + n, start + n, start + n) for n in range(count))).encode())
for day in (10, 11):
    start = 1767225600 + (day - 1) * 86400
    name = f"111122223333_vpcflowlogs_eu-west-1_fl-1_202601{day}T0005Z_x.log.gz"
    s3.put_object(Bucket="flows", Key=f"plain/AWSLogs/111122223333/vpcflowlogs/eu-west-1/2026/01/{day}/{name}", Body=scan("10.0.0.5", day * 10, 10, start))
    s3.put_object(Bucket="flows", Key=f"hive/AWSLogs/aws-account-id=111122223333/aws-service=vpcflowlogs/aws-region=eu-west-1/year=2026/month=01/day={day}/hour=00/{name}",
                  Body=scan("10.0.0.5", day * 10, 10, start))
s3.put_object(Bucket="flows", Key="other/a.log.gz", Body=scan("10.0.0.9", 20, 20, 1767225600))
"#;

fn moto() -> Option<Moto> {
    let python = std::env::var_os("PALISADE_TEST_PYTHON")?;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new(&python);
    server.args(["-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", &port.to_string()]);
    let child = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let moto = Moto { child, url: format!("http://127.0.0.1:{port}") };
    for _ in 0..600 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            let seeded = Command::new(&python).args(["-c", SEED, &moto.url]).status().unwrap();
            assert!(seeded.success(), "the seed failed");
            return Some(moto);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("moto does not answer");
}

#[test]
fn flow_logs_in_a_bucket_are_read_by_days() {
    let Some(moto) = moto() else { return };
    let detect = |arguments: &[&str]| {
        let mut palisade = Command::new(env!("CARGO_BIN_EXE_palisade"));
        palisade.env_clear().env("AWS_ENDPOINT_URL", &moto.url).env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
        let output = palisade.env("AWS_REGION", "us-east-1").args(["detect", "-f", "jsonl"]).args(arguments).output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        (String::from_utf8(output.stdout).unwrap(), told)
    };
    for layout in ["s3://flows/plain/", "s3://flows/hive/"] {
        let (all, told) = detect(&[layout]);
        assert!(told.contains("20 flow records in 2 files read"), "{told}");
        assert!(all.contains("slow-scan") && all.contains("s3://flows/"), "{all}");
        let (day, told) = detect(&[layout, "--from", "2026-01-11", "--to", "2026-01-11"]);
        assert!(told.contains("10 flow records in 1 files read"), "{told}");
        assert!(!day.contains("slow-scan"), "{day}");
    }
    let (other, told) = detect(&["s3://flows/other/"]);
    assert!(other.contains("ports-of-host-scanned") && told.contains("20 flow records in 1 files read"), "{other}{told}");
}
