//! `palisade detect` and `palisade trail`, end to end, with the real binary and a clean environment.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn run(dir: &Path, args: &[&str], stdin: &[u8]) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn record(id: usize, name: &str, minute: usize) -> String {
    format!(
        r#"{{"eventVersion":"1.10","eventID":"e{id}","eventTime":"2026-03-02T12:{minute:02}:00Z","eventName":"{name}","eventSource":"cloudtrail.amazonaws.com","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.9","recipientAccountId":"1","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::1:user/ann","accessKeyId":"AKIA1"}},"requestParameters":{{"name":"=main"}}}}"#
    )
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn detections_come_out_in_every_form() {
    let dir = tempfile::tempdir().unwrap();
    let file = format!("{{\"Records\":[{},{}]}}", record(1, "StopLogging", 1), record(2, "DescribeTrails", 2));
    fs::create_dir_all(dir.path().join("logs")).unwrap();
    fs::write(dir.path().join("logs/1_CloudTrail_eu-west-1_20260302T1205Z_x.json.gz"), gzip(&file)).unwrap();
    let (code, out, err) = run(dir.path(), &["detect", "logs", "-f", "jsonl", "--fail-on", "high"], b"");
    let line: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, line["schema"].as_str(), line["rule"].as_str()),
        (1, Some("palisade/detection/1"), Some("cloudtrail-logging-stopped"))
    );
    assert_eq!((line["events"][0].as_str(), line["source"]["record"].as_u64()), (Some("e1"), Some(1)));
    assert!(err.contains("2 records in 1 files read, 0 not read; 1 detections"), "{err}");
    for (form, want) in [
        ("terminal", "CloudTrail logging stopped"),
        ("csv", "\"'=main\""),
        ("ocsf", "\"class_uid\":2004"),
        ("navigator", "T1562.008"),
        ("html", "<b>CloudTrail logging stopped</b>"),
    ] {
        let (code, out, _) = run(dir.path(), &["detect", "logs/*.gz", "-f", form], b"");
        assert!(code == 0 && out.contains(want), "{form}: {out}");
    }
    let (_, out, _) = run(dir.path(), &["detect", "logs", "--from", "2026-03-03", "-f", "jsonl"], b"");
    assert_eq!(out, "");
    let (_, out, _) = run(dir.path(), &["detect", "-", "-f", "jsonl"], file.as_bytes());
    assert!(out.contains("cloudtrail-logging-stopped"), "{out}");
}

#[test]
fn threads_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for file in 0..70 {
        let names = ["StopLogging", "DeleteTrail", "DescribeTrails"];
        let records: Vec<String> = (0..9).map(|n| record(file * 9 + n, names[(file + n) % 3], (file * 7 + n) % 60)).collect();
        fs::write(dir.path().join(format!("{file}.json.gz")), gzip(&format!("{{\"Records\":[{}]}}", records.join(",")))).unwrap();
    }
    let with = |threads: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        command.current_dir(dir.path()).env("RAYON_NUM_THREADS", threads).args(["detect", ".", "-f", "jsonl"]).args(more);
        command.output().unwrap().stdout
    };
    for more in [&[][..], &["--per-event"]] {
        let one = with("1", more);
        assert!(one.len() > 300);
        assert!(one == with("3", more) && one == with("8", more));
    }
}

#[test]
fn bad_files_cost_themselves_only_and_one_line_each() {
    let dir = tempfile::tempdir().unwrap();
    let good = format!("{{\"Records\":[{}]}}", record(1, "StopLogging", 1));
    let packed = gzip(&(0..400).map(|n| record(n, "DescribeTrails", n % 60)).collect::<Vec<_>>().join("\n"));
    let deep = format!("{{\"eventName\":\"x\",\"y\":{}", "[".repeat(10_000));
    let files: [(&str, &[u8]); 6] = [
        ("a.json", good.as_bytes()),
        ("cut.json.gz", &packed[..packed.len() / 2]),
        ("deep.json", deep.as_bytes()),
        ("text.log", b"hello\n"),
        ("utf8.json", b"{\"eventName\":\"\xff\"}"),
        ("broken.gz", b"\x1f\x8bnot gzip at all"),
    ];
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let (code, out, err) = run(dir.path(), &["detect", ".", "-f", "jsonl", "--strict"], b"");
    assert_eq!((code, out.lines().count()), (3, 1), "{err}");
    for want in [
        "cut.json.gz`: the packed file ends early",
        "deep.json`: 1 record not read: nested deeper",
        "text.log`: 1 record not read: not valid JSON",
        "utf8.json`: 1 record not read: not valid UTF-8",
        "broken.gz`",
    ] {
        assert_eq!(err.matches(want).count(), 1, "{want}: {err}");
    }
}

#[test]
fn rules_of_ones_own_run_and_their_mistakes_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let rule = "title: t\nid: mine\ndetection:\n  s: {eventName|startswith: Stop}\n  condition: s\n---\ntitle: bad\ndetection:\n  s: {x|wrong: 1}\n  condition: s\n";
    fs::write(dir.path().join("rules.yml"), rule).unwrap();
    fs::write(dir.path().join("log.json"), [record(1, "StopLogging", 1), record(1, "StopLogging", 1)].join("\n")).unwrap();
    let args = ["detect", "log.json", "--rules", "rules.yml", "--no-builtin", "-f", "jsonl"];
    let (_, out, err) = run(dir.path(), &args, b"");
    assert!(err.contains("rules.yml:9: unknown modifier `wrong`: this rule is left out"), "{err}");
    assert!(out.lines().count() == 1 && out.contains("\"count\":1") && err.contains("1 delivered again"), "{out}{err}");
    let (_, out, _) = run(dir.path(), &[&args[..], &["--per-event"]].concat(), b"");
    assert_eq!(out.lines().filter(|line| line.contains("palisade/detection/1") && line.contains(r#""count":1"#)).count(), 2);
    let suppress = "[[suppress]]\nrule = \"mine\"\nactor = \"*ann\"\nowner = \"o\"\nreason = \"r\"\nexpires = \"2999-01-01\"\n";
    fs::write(dir.path().join("s.toml"), suppress).unwrap();
    let (_, out, err) = run(dir.path(), &[&args[..], &["--suppress", "s.toml"]].concat(), b"");
    assert!(out.is_empty() && err.contains("1 suppressed"), "{err}");
    fs::write(dir.path().join("s.toml"), suppress.replace("owner = \"o\"", "owner = \"\"")).unwrap();
    assert_eq!(run(dir.path(), &[&args[..], &["--suppress", "s.toml"]].concat(), b"").0, 2);
}

#[test]
fn what_is_remembered_lasts_from_run_to_run() {
    let dir = tempfile::tempdir().unwrap();
    let rule = "title: b\nid: b\nname: b\ndetection:\n  s: {eventName: X}\n  condition: s\n---\ntitle: c\nid: c\ncorrelation:\n  type: event_count\n  rules: [b]\n  group-by: [userIdentity.arn]\n  timespan: 10m\n  condition: {gte: 3}\n";
    fs::write(dir.path().join("r.yml"), rule).unwrap();
    let args = ["detect", "-", "--rules", "r.yml", "--no-builtin", "--state", "state.json", "-f", "jsonl"];
    let lines = |list: &[usize]| list.iter().map(|n| record(*n, "X", *n)).collect::<Vec<_>>().join("\n");
    let (_, out, _) = run(dir.path(), &args, lines(&[1, 2]).as_bytes());
    assert_eq!(out, "");
    let (_, out, _) = run(dir.path(), &args, lines(&[3]).as_bytes());
    assert!(out.contains("\"count\":3"), "{out}");
    fs::write(dir.path().join("state.json"), "{\"schema\":\"other\"}").unwrap();
    let (code, _, err) = run(dir.path(), &args, b"");
    assert!(code == 2 && err.contains("schema"), "{err}");
}

#[test]
fn a_followed_folder_is_read_as_it_grows() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.json"), record(1, "StopLogging", 1)).unwrap();
    let later = dir.path().join("b.json");
    let writer = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(600));
        fs::write(later, record(2, "DeleteTrail", 2)).unwrap();
    });
    let (_, out, _) = run(dir.path(), &["detect", ".", "--follow", "--until-idle", "3", "-f", "jsonl"], b"");
    writer.join().unwrap();
    assert!(out.contains("cloudtrail-logging-stopped") && out.contains("cloudtrail-trail-deleted"), "{out}");
}

#[test]
fn a_trail_can_be_questioned() {
    let dir = tempfile::tempdir().unwrap();
    let log = [record(1, "StopLogging", 30), record(2, "GetTrail", 1)].join("\n");
    fs::write(dir.path().join("log.json"), log).unwrap();
    let (_, out, _) = run(dir.path(), &["trail", "timeline", "log.json"], b"");
    let order: Vec<bool> = out.lines().map(|line| line.contains("GetTrail")).collect();
    assert_eq!(order, [true, false]);
    let (_, out, err) = run(dir.path(), &["trail", "query", "did=Stop* from=203.0.113.0/24", "log.json", "-f", "jsonl"], b"");
    assert!(out.contains("\"id\":\"e1\"") && err.contains("1 of 2 records fit"), "{out}{err}");
    let (_, out, _) = run(dir.path(), &["trail", "summary", "log.json"], b"");
    assert!(out.contains("arn:aws:iam::1:user/ann") && out.contains("2 events"), "{out}");
    let (_, out, _) = run(dir.path(), &["trail", "coverage", "log.json"], b"");
    assert!(out.contains("2 events in 1 hours") && !out.contains("delivered"), "{out}");
    let named = "1_CloudTrail_eu-west-1_20260302T1235Z_x.json";
    fs::copy(dir.path().join("log.json"), dir.path().join(named)).unwrap();
    let (_, out, _) = run(dir.path(), &["trail", "coverage", named], b"");
    assert!(out.contains("delivered 5 minutes after the event at the median, 34 at the 95th"), "{out}");
    let (_, out, _) = run(dir.path(), &["trail", "coverage", named, "-f", "jsonl"], b"");
    assert!(out.contains(r#""delivery_minutes":{"median":5,"most":34,"longest":34}"#), "{out}");
    assert_eq!(run(dir.path(), &["trail", "query", "whom=x", "log.json"], b"").0, 2);
}

#[test]
fn a_changed_or_removed_log_file_is_found() {
    use sha2::{Digest, Sha256};
    let dir = tempfile::tempdir().unwrap();
    let log = record(1, "StopLogging", 1);
    let hash: String = Sha256::digest(log.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let digest = format!(
        r#"{{"awsAccountId":"1","digestStartTime":"2026-03-02T12:00:00Z","digestEndTime":"2026-03-02T13:00:00Z","digestS3Bucket":"b","digestS3Object":"p/1_CloudTrail-Digest_x.json.gz","digestPublicKeyFingerprint":"k","previousDigestS3Object":null,"logFiles":[{{"s3Bucket":"b","s3Object":"p/log.json.gz","hashValue":"{hash}"}}]}}"#
    );
    fs::write(dir.path().join("1_CloudTrail-Digest_x.json.gz"), gzip(&digest)).unwrap();
    for (content, want, code) in [(Some(log.as_str()), "unknown", 3), (Some("changed"), "changed", 1), (None, "missing", 1)] {
        let path = dir.path().join("log.json.gz");
        match content {
            Some(content) => fs::write(&path, gzip(content)).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let (got, out, err) = run(dir.path(), &["trail", "verify", "."], b"");
        assert!(got == code && out.contains(want), "{want}: {got} {out}{err}");
    }
}
