//! Detection over a bucket, against a real server that answers as S3 does (PyPI's `moto`). Needs `PALISADE_TEST_PYTHON`, which
//! `cargo xtask test` sets; without it there is nothing to talk to and nothing is tested.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where its own set-up is wrong")]

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
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

/// Two days of two Regions, a digest, and another account's key that is not a log.
const SEED: &str = r#"
import boto3, gzip, json, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
s3.create_bucket(Bucket="trail-logs")
def put(region, day, number):
    record = {"eventVersion": "1.10", "eventName": "StopLogging", "eventSource": "cloudtrail.amazonaws.com", "awsRegion": region,
              "eventTime": f"2023-07-{day}T10:00:0{number}Z", "eventID": f"{region}-{day}-{number}", "requestParameters": {"name": "t"},
              "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/mallory", "accountId": "111122223333"}}
    key = f"pre fix/AWSLogs/111122223333/CloudTrail/{region}/2023/07/{day}/111122223333_CloudTrail_{region}_202307{day}T1000Z_{number}.json.gz"
    s3.put_object(Bucket="trail-logs", Key=key, Body=gzip.compress(json.dumps({"Records": [record]}).encode()), ContentEncoding="gzip")
for region in ("us-east-1", "eu-west-1"):
    for day in ("10", "11"):
        for number in (1, 2):
            put(region, day, number)
s3.put_object(Bucket="trail-logs", Key="pre fix/AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2023/07/10/d.json.gz", Body=b"not a log")
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

fn palisade(url: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.env_clear().env("AWS_ENDPOINT_URL", url).env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
    command.env("AWS_REGION", "us-east-1").args(arguments).output().unwrap()
}

#[test]
fn a_bucket_is_read_by_days() {
    let Some(moto) = moto() else { return };
    let events = |arguments: &[&str]| {
        let mut every = vec!["detect", "--per-event", "--format", "jsonl"];
        every.extend(arguments);
        let output = palisade(&moto.url, &every);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
        let text = String::from_utf8(output.stdout).unwrap();
        (text.lines().filter(|line| line.contains("cloudtrail-logging-stopped")).count(), text, told)
    };
    let root = "s3://trail-logs/pre fix/";
    assert_eq!(events(&[root]).0, 8);
    let (count, text, _) = events(&[root, "--from", "2023-07-11", "--to", "2023-07-11"]);
    assert_eq!((count, text.contains("2023/07/10")), (4, false));
    let region = "s3://trail-logs/pre fix/AWSLogs/111122223333/CloudTrail/eu-west-1/";
    assert_eq!(events(&[region, "--from", "2023-07-10", "--to", "2023-07-11"]).0, 4);
    assert_eq!(events(&[root, "--from", "2022-01-01", "--to", "2022-01-02"]).0, 0);
    let missing = palisade(&moto.url, &["detect", "s3://no-such-bucket/"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("cannot list `s3://no-such-bucket/`"));
}
