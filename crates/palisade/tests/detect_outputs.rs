//! What `palisade detect` and `palisade trail` write, held against the published descriptions; and the inventory in it.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops where its own set-up is wrong")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A bucket open to everybody and one that is closed, an administrator and a reader.
const TEMPLATE: &str = r#"Resources:
  Published:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: published
      PublicAccessBlockConfiguration: { BlockPublicPolicy: false, RestrictPublicBuckets: false, BlockPublicAcls: false, IgnorePublicAcls: false }
  PublishedPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Published
      PolicyDocument: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::published/*" }] }
  Closed:
    Type: AWS::S3::Bucket
    Properties: { BucketName: closed }
  Deploy:
    Type: AWS::IAM::Role
    Properties:
      RoleName: deploy
      AssumeRolePolicyDocument: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Service: ec2.amazonaws.com }, Action: "sts:AssumeRole" }] }
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]
  Reader:
    Type: AWS::IAM::Role
    Properties:
      RoleName: reader
      AssumeRolePolicyDocument: { Version: "2012-10-17", Statement: [{ Effect: Allow, Principal: { Service: ec2.amazonaws.com }, Action: "sts:AssumeRole" }] }
  Ann:
    Type: AWS::IAM::User
    Properties: { UserName: ann }
"#;

fn record(id: usize, user: &str, service: &str, call: &str, parameters: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.10","eventID":"e{id}","eventTime":"2026-03-02T12:00:{:02}Z","eventName":"{call}","eventSource":"{service}.amazonaws.com","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.9","userAgent":"aws-cli","recipientAccountId":"111122223333","readOnly":false,"userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/{user}","accountId":"111122223333","accessKeyId":"AKIA{user}"}},"requestParameters":{parameters}}}"#,
        id % 60
    ) + "\n"
}

fn log() -> String {
    let policy = |bucket: &str| {
        format!(
            r#"{{"bucketName":"{bucket}","bucketPolicy":{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"*"}}]}}}}"#
        )
    };
    let attach = |role: &str, arn: &str| format!(r#"{{"roleName":"{role}","policyArn":"arn:aws:iam::aws:policy/{arn}"}}"#);
    [
        record(1, "ann", "s3", "PutBucketPolicy", &policy("published")),
        record(2, "bob", "s3", "PutBucketPolicy", &policy("elsewhere")),
        record(3, "cid", "iam", "AttachRolePolicy", &attach("deploy", "AdministratorAccess")),
        record(4, "dan", "iam", "AttachRolePolicy", &attach("reader", "AmazonS3ReadOnlyAccess")),
        record(5, "eve", "iam", "AttachRolePolicy", &attach("reader", "AdministratorAccess")),
        record(6, "fay", "iam", "AttachRolePolicy", &attach("deploy", "AmazonS3ReadOnlyAccess")),
        record(8, "hal", "s3", "PutBucketPolicy", &policy("closed")),
        record(9, "ian", "iam", "AttachRolePolicy", &attach("deploy", "AdministratorAccess")),
        record(10, "ian", "iam", "AttachRolePolicy", &attach("reader", "AmazonS3ReadOnlyAccess")),
        record(7, "gus", "cloudtrail", "StopLogging", r#"{"name":"=cmd|'/c calc'!A1"}"#),
    ]
    .concat()
}

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("stack.yaml"), TEMPLATE).unwrap();
    fs::write(dir.path().join("log.json"), log()).unwrap();
    dir
}

fn palisade(dir: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_palisade")).args(args).current_dir(dir).env_clear().output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1 | 3)), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Severity, and (answer, text) of each fact, of the detection of a rule by a user.
fn told(lines: &str, rule: &str, user: &str) -> (String, bool, Vec<(String, String)>) {
    let mut found = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let one = found.find(|d| d["rule"] == rule && d["actor"]["id"].as_str().unwrap().ends_with(user));
    let one = one.unwrap_or_else(|| panic!("{rule} by {user}: {lines}"));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let facts = one["context"].as_array().cloned().unwrap_or_default();
    let facts = facts.iter().map(|fact| (text(&fact["answer"]), format!("{}: {}", text(&fact["about"]), text(&fact["text"]))));
    (text(&one["severity"]), one["raised"] == true, facts.collect())
}

#[test]
fn the_inventory_says_what_became_of_it() {
    let dir = folder();
    let alone = palisade(dir.path(), &["detect", "log.json", "-f", "jsonl"]);
    assert_eq!(told(&alone, "bucket-policy-public", "ann"), ("high".into(), false, vec![]));
    let lines = palisade(dir.path(), &["detect", "log.json", "--snapshot", "stack.yaml", "-f", "jsonl"]);
    let has = |facts: &[(String, String)], answer: &str, words: &str| {
        assert!(facts.iter().any(|(a, text)| a == answer && text.contains(words)), "{answer} {words}: {facts:?}");
    };
    let (severity, raised, facts) = told(&lines, "bucket-policy-public", "ann");
    assert_eq!((severity.as_str(), raised), ("critical", true), "{facts:?}");
    has(&facts, "yes", "published: S3 bucket is open to the internet");
    let (severity, raised, facts) = told(&lines, "bucket-policy-public", "bob");
    assert_eq!((severity.as_str(), raised), ("high", false), "{facts:?}");
    has(&facts, "unknown", "elsewhere: not in the inventory");
    has(&facts, "unknown", "user/bob: the actor is not in the inventory");
    // What AWS blocks by itself the log can't show.
    let (severity, raised, facts) = told(&lines, "bucket-policy-public", "hal");
    assert_eq!((severity.as_str(), raised), ("high", false), "{facts:?}");
    has(&facts, "no", "closed: known, and no grave check of access or exposure fails");
    let (severity, raised, facts) = told(&lines, "iam-policy-changed", "cid");
    assert_eq!((severity.as_str(), raised), ("high", true), "{facts:?}");
    has(
        &facts,
        "yes",
        "deploy: and this made it an administrator: without arn:aws:iam::aws:policy/AdministratorAccess it is none",
    );
    let (severity, raised, facts) = told(&lines, "iam-policy-changed", "dan");
    assert_eq!((severity.as_str(), raised), ("info", false), "{facts:?}");
    has(&facts, "no", "reader: no administrator, also with arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess");
    // The inventory is older than the grant.
    let (severity, _, facts) = told(&lines, "iam-policy-changed", "eve");
    assert_eq!(severity, "high");
    has(&facts, "yes", "reader: and this made it an administrator");
    let (_, _, facts) = told(&lines, "iam-policy-changed", "fay");
    has(&facts, "yes", "deploy: an administrator, also without arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess");
    // Who got what of two policies can't be told, so nothing is said to be made of them.
    let (_, _, facts) = told(&lines, "iam-policy-changed", "ian");
    assert!(!facts.iter().any(|(_, text)| text.contains("made it an administrator")), "{facts:?}");
    for (form, want) in [("terminal", "inventory: published"), ("html", "inventory: <code>published"), ("ocsf", "enrichments")] {
        let text = palisade(dir.path(), &["detect", "log.json", "--snapshot", "stack.yaml", "-f", form]);
        assert!(text.contains(want), "{form}: {text}");
    }
}

/// Writes `text` and holds it against the description of its form.
fn validate(python: &Path, form: &str, text: &str, schema: &str) {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    fs::write(&report, text).unwrap();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = here.join(format!("../../docs/reference/schema/{schema}.schema.json"));
    let output = Command::new(python).arg(here.join("tests/outputs/validate.py")).arg(form).arg(&report).arg(schema).output();
    let output = output.unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{form}: {said}\n{text}");
}

#[test]
fn a_data_lake_can_be_read_by_others() {
    let Some(python) = std::env::var_os("PALISADE_TEST_PYTHON").map(PathBuf::from) else { return };
    let dir = folder();
    let text = palisade(dir.path(), &["detect", "log.json", "--snapshot", "stack.yaml", "-f", "jsonl", "-f", "parquet=lake"]);
    palisade(dir.path(), &["trail", "timeline", "log.json", "--parquet", "lake"]);
    let findings: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|d| {
            serde_json::json!({"finding_info.analytic.uid": d["rule"], "count": d["count"], "time": 1_772_452_800_000i64 + seconds(&d) * 1000,
                "evidences.0.actor.user.uid": d["actor"]["id"], "resources.0.uid": d["resources"][0], "region": "eu-west-1",
                "finding_info.related_events.0.uid": d["events"][0], "metadata.profiles.0": "cloud", "eventDay": 20_260_302,
                "enrichments.0.value": d["context"][0]["about"]})
        })
        .collect();
    let events: Vec<Value> = (1..=10)
        .map(|n| serde_json::json!({"metadata.uid": format!("e{n}"), "src_endpoint.ip": "203.0.113.9", "class_uid": 6003, "accountId": 111_122_223_333i64}))
        .collect();
    assert!(findings.len() > 8);
    let wanted = serde_json::json!({"detection_finding": findings, "api_activity": events});
    fs::write(dir.path().join("wanted.json"), wanted.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs/validate.py");
    let output = Command::new(python).arg(script).args(["lake", "lake", "wanted.json"]).current_dir(dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// The second of the minute in which a detection ended.
fn seconds(detection: &Value) -> i64 {
    detection["last_seen"].as_str().unwrap().get(17..19).unwrap().parse().unwrap()
}

#[test]
fn a_lake_needs_a_folder() {
    let dir = folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    let output = command.args(["detect", "log.json", "-f", "parquet"]).current_dir(dir.path()).env_clear().output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("--format parquet=FOLDER"));
}

#[test]
fn lines_are_what_their_schema_says() {
    let Some(python) = std::env::var_os("PALISADE_TEST_PYTHON").map(PathBuf::from) else { return };
    let dir = folder();
    let digest = r#"{"awsAccountId":"1","digestStartTime":"2026-03-02T12:00:00Z","digestEndTime":"2026-03-02T13:00:00Z","digestS3Bucket":"b","digestS3Object":"p/1_CloudTrail-Digest_x.json","digestPublicKeyFingerprint":"k","previousDigestS3Object":null,"logFiles":[{"s3Bucket":"b","s3Object":"p/gone.json.gz","hashValue":"00"}]}"#;
    fs::create_dir(dir.path().join("digests")).unwrap();
    fs::write(dir.path().join("digests/1_CloudTrail-Digest_x.json"), digest).unwrap();
    let outputs: [(&str, &[&str]); 9] = [
        ("detection", &["detect", "log.json"]),
        ("detection", &["detect", "log.json", "--snapshot", "stack.yaml"]),
        ("detection", &["detect", "log.json", "--per-event"]),
        ("trail", &["trail", "timeline", "log.json"]),
        ("trail", &["trail", "query", "did=Put*", "log.json"]),
        ("trail", &["trail", "summary", "log.json"]),
        ("trail", &["trail", "summary", "log.json", "--by", "ip"]),
        ("trail", &["trail", "coverage", "log.json"]),
        ("trail", &["trail", "verify", "digests"]),
    ];
    for (schema, args) in outputs {
        validate(&python, "jsonl", &palisade(dir.path(), &[args, &["-f", "jsonl"]].concat()), schema);
    }
    validate(&python, "csv", &palisade(dir.path(), &["detect", "log.json", "-f", "csv"]), "detection");
}

/// Ports of a host scanned, SSH tried again and again, and a lot sent out: refused and let through; and a line that is none.
fn flows() -> String {
    let head =
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n";
    let line = |from: &str, to: &str, port: usize, bytes: usize, at: usize, action: &str| {
        format!("2 111122223333 eni-a {from} {to} 40000 {port} 6 10 {bytes} {at} {at} {action} OK\n")
    };
    let start = 1_767_225_600;
    let scanned = (0..60).map(|n| line("198.51.100.7", "10.0.0.5", 20 + n, 44, start + n, "REJECT"));
    let tried = (0..400).map(|n| line("203.0.113.9", "10.0.0.5", 22, 900, start + n, "ACCEPT"));
    let sent = (0..60).map(|n| line("10.0.0.5", "203.0.113.80", 443, 900_000_000, start + 60 * n, "ACCEPT"));
    head.to_owned() + &scanned.chain(tried).chain(sent).collect::<String>() + "2 cut\n"
}

#[test]
fn one_document_holds_what_the_lines_say() {
    let Some(python) = std::env::var_os("PALISADE_TEST_PYTHON").map(PathBuf::from) else { return };
    let dir = folder();
    fs::write(dir.path().join("flows.log"), flows()).unwrap();
    let cases: [(&[&str], (usize, usize)); 4] = [
        (&["log.json"], (10, 0)),
        (&["flows.log"], (520, 1)),
        (&["log.json", "flows.log"], (530, 1)),
        (&["log.json", "--per-event"], (10, 0)),
    ];
    for (inputs, (read, not_read)) in cases {
        let run = |form: &str| palisade(dir.path(), &[&["detect"], inputs, &["-f", form]].concat());
        let (lines, document) = (run("jsonl"), run("json"));
        validate(&python, "jsonl", &lines, "detection");
        validate(&python, "json", &document, "detections");
        let document: Value = serde_json::from_str(&document).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(!lines.is_empty(), "{inputs:?}");
        assert_eq!(document["detections"], Value::Array(lines), "{inputs:?}");
        assert_eq!(document["records"], serde_json::json!({ "read": read, "not_read": not_read }), "{inputs:?}");
    }
    fs::write(dir.path().join("quiet.json"), r#"{"Records": []}"#).unwrap();
    let quiet = palisade(dir.path(), &["detect", "quiet.json", "-f", "json"]);
    validate(&python, "json", &quiet, "detections");
}
