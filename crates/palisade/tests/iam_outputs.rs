//! `palisade iam`: the machine output of every question against its schema, and questions about all policies of an input.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

fn run(dir: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.arg("iam").args(args).current_dir(dir).env_clear().stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn document(statement: Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [statement] })
}

fn allow(action: &str) -> Value {
    document(json!({ "Effect": "Allow", "Action": action, "Resource": "*" }))
}

fn trust(principal: Value) -> Value {
    document(json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }))
}

/// An account with an open role, a user who can become admin, a misspelt action and a condition; and single policies.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, json: &Value| fs::write(dir.path().join(name), json.to_string()).unwrap();
    let role = |name: &str, trust: Value, policy: Value| {
        json!({ "Arn": format!("arn:aws:iam::111122223333:role/{name}"), "RoleName": name, "AssumeRolePolicyDocument": trust,
            "RolePolicyList": [{ "PolicyName": "p", "PolicyDocument": policy }] })
    };
    let when = json!({ "Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "*", "Condition": { "Bool": { "aws:SecureTransport": "true" } } });
    let user = |name: &str, policy: Value| {
        json!({ "Arn": format!("arn:aws:iam::111122223333:user/{name}"), "UserName": name,
            "UserPolicyList": [{ "PolicyName": "p", "PolicyDocument": policy }] })
    };
    write(
        "details.json",
        &json!({
            "UserDetailList": [user("eve", allow("iam:CreateAccessKey")), user("boss", allow("*"))],
            "RoleDetailList": [
                role("partner", trust(json!({ "AWS": "arn:aws:iam::999999999999:root" })), document(when)),
                role("own", trust(json!({ "Service": "ec2.amazonaws.com" })), allow("s3:GetObject")),
            ],
        }),
    );
    write("narrow.json", &allow("s3:GetObject"));
    write("wide.json", &allow("s3:*"));
    write("misspelt.json", &allow("s3:GetObjekt"));
    write(
        "open.json",
        &document(json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" })),
    );
    let stack = |action: &str| {
        let policies = json!([{ "PolicyName": "p", "PolicyDocument": allow(action) }]);
        json!({ "Resources": { "Job": { "Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": trust(json!({ "Service": "ec2.amazonaws.com" })), "Policies": policies } } } })
    };
    write("old.json", &stack("s3:GetObject"));
    write("new.json", &stack("s3:*"));
    let event = json!({ "eventVersion": "1.08", "eventTime": "2026-05-01T00:00:00Z", "eventSource": "ec2.amazonaws.com",
        "eventName": "RunInstances", "awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.7", "userAgent": "cli", "eventID": "e",
        "errorCode": "Client.UnauthorizedOperation", "userIdentity": { "type": "IAMUser", "userName": "eve",
        "arn": "arn:aws:iam::111122223333:user/eve", "accountId": "111122223333" } });
    write("event.json", &json!({ "Records": [event] }));
    dir
}

#[test]
fn every_answer_is_as_its_schema_says() {
    let Some(python) = std::env::var_os("PALISADE_TEST_PYTHON").map(PathBuf::from) else { return };
    let dir = folder();
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = here.join("../../docs/reference/schema/iam.schema.json");
    let eve = "arn:aws:iam::111122223333:user/eve";
    let questions: &[&[&str]] = &[
        &["can", eve, "s3:GetObject", "*", "--input", "details.json"],
        &["who-can", "s3:GetObject", "arn:aws:s3:::b/k", "--input", "details.json"],
        &["principal-can", "partner", "--input", "details.json"],
        &["public", "open.json"],
        &["public", "--input", "details.json"],
        &["no-broader", "--reference", "narrow.json", "--candidate", "wide.json"],
        &["no-broader", "--reference", "wide.json", "--candidate", "narrow.json"],
        &["diff", "narrow.json", "wide.json"],
        &["diff", "old.json", "new.json"],
        &["escalate", "--input", "details.json"],
        &["unused", "--trail", "event.json", "--input", "details.json"],
        &["why", "event.json", "--input", "details.json"],
        &["lint", "misspelt.json", "details.json"],
    ];
    for question in questions {
        let (_, out, err) = run(dir.path(), &[question, &["--format", "json"][..]].concat());
        let report = dir.path().join("report");
        fs::write(&report, &out).unwrap();
        let mut command = Command::new(&python);
        command.arg(here.join("tests/outputs/validate.py")).arg("json").arg(&report).arg(&schema);
        let said = command.output().unwrap();
        let told = String::from_utf8_lossy(&said.stdout) + String::from_utf8_lossy(&said.stderr);
        assert!(said.status.success(), "{question:?}: {told}\n{out}{err}");
    }
}

#[test]
fn every_policy_of_an_input_is_judged() {
    let dir = folder();
    for question in [&["public", "details.json"][..], &["public", "--input", "details.json"]] {
        let (code, out, err) = run(dir.path(), question);
        assert_eq!(code, Some(1), "{err}");
        assert!(out.contains("role/partner: cross_account") && out.contains("role/own: no"), "{out}");
    }
    assert_eq!(run(dir.path(), &["public", "new.json"]).0, Some(0));
    for question in [&["lint", "details.json"][..], &["lint", "--input", "details.json"]] {
        let (code, out, err) = run(dir.path(), question);
        assert_eq!(code, Some(1), "{err}");
        assert!(out.contains("role/partner: inline p: Statement[0].Action") && !out.contains("role/own"), "{out}");
    }
}

#[test]
fn what_holds_no_policy_is_refused() {
    let dir = folder();
    for question in [
        &["no-broader", "--reference", "details.json", "--candidate", "wide.json"][..],
        &["diff", "details.json", "wide.json"],
        &["lint"],
        &["public"],
    ] {
        let (code, out, err) = run(dir.path(), question);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{question:?} {err}");
    }
}

#[test]
fn what_could_not_be_read_is_told_and_never_clean() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    fs::create_dir(dir.path().join("mix")).unwrap();
    fs::copy(folder().path().join("old.json"), dir.path().join("mix/good.json")).unwrap();
    write("mix/bad.yaml", "Resources:\n  R: {Type: AWS::IAM::Role\n");
    for question in [
        &["who-can", "iam:CreateUser", "*", "--input", "mix"][..],
        &["principal-can", "Job", "--input", "mix"],
        &["public", "mix"],
        &["lint", "mix"],
        &["escalate", "--input", "mix"],
        &["diff", "mix", "mix"],
    ] {
        let (code, out, err) = run(dir.path(), &[question, &["--format", "json"][..]].concat());
        assert_eq!(code, Some(3), "{question:?}: {out}{err}");
        assert!(err.contains("mix/bad.yaml:3:1"), "{question:?}: {err}");
        let answer: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(answer.pointer("/gaps/0/file"), Some(&json!("mix/bad.yaml")), "{question:?}: {out}");
    }
}

#[test]
fn a_file_of_another_kind_is_not_a_clean_one() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    for (name, text, wrong) in [
        ("empty.json", "{}", "there are no statements"),
        ("list.json", "[]", "a policy is a JSON object"),
        ("words.txt", "hello", "not JSON"),
        ("small.json", "{\"statement\": []}", "unknown element `statement`"),
    ] {
        write(name, text);
        let (code, out, err) = run(dir.path(), &["lint", name]);
        assert!(code == Some(1) && out.contains(wrong), "{name}: {code:?} {out}{err}");
        let (code, out, err) = run(dir.path(), &["public", name]);
        assert!(code == Some(2) && err.contains(name), "{name}: {code:?} {out}{err}");
    }
    write("bucket.yaml", "Resources:\n  B: {Type: AWS::S3::Bucket}\n");
    for question in ["lint", "public"] {
        assert_eq!(run(dir.path(), &[question, "bucket.yaml"]).0, Some(0), "{question}: a template without policies");
    }
}

/// Resources whose policies, permissions and blocks say who is let in.
const GUARDED: &str = r#"Resources:
  Open: {Type: AWS::S3::Bucket}
  Held:
    Type: AWS::S3::Bucket
    Properties: {PublicAccessBlockConfiguration: {RestrictPublicBuckets: true}}
  OpenPolicy: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Open, PolicyDocument: {Statement: [{Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: !Sub "${Open.Arn}/*"}]}}}
  HeldPolicy: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Held, PolicyDocument: {Statement: [{Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: !Sub "${Held.Arn}/*"}]}}}
  Files: {Type: AWS::EFS::FileSystem, Properties: {FileSystemPolicy: {Statement: [{Effect: Allow, Principal: {AWS: "999999999999"}, Action: "elasticfilesystem:ClientMount", Resource: "*"}]}}}
  Anybody: {Type: AWS::Lambda::Permission, Properties: {FunctionName: f, Action: "lambda:InvokeFunction", Principal: "*"}}
  Bucket: {Type: AWS::Lambda::Permission, Properties: {FunctionName: g, Action: "lambda:InvokeFunction", Principal: s3.amazonaws.com, SourceAccount: "111122223333"}}
  Partner: {Type: AWS::Lambda::Permission, Properties: {FunctionName: g, Action: "lambda:InvokeFunction", Principal: "999999999999"}}
  Bus: {Type: AWS::Events::EventBusPolicy, Properties: {StatementId: s, Principal: "*", Action: "events:PutEvents", Condition: {Type: StringEquals, Key: "aws:PrincipalOrgID", Value: o-abcdefghij}}}
"#;

#[test]
fn every_kind_of_policy_is_asked_who_is_let_in() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("stack.yaml"), GUARDED).unwrap();
    let made = Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(["snapshot", "-o", "stack.snap", "stack.yaml"])
        .current_dir(dir.path())
        .env_clear()
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    for input in ["stack.yaml", "stack.snap"] {
        let (code, out, err) = run(dir.path(), &["public", input, "--account", "111122223333", "--format", "json"]);
        assert_eq!(code, Some(1), "{input}: {err}");
        let answer: Value = serde_json::from_str(&out).unwrap();
        let text = |row: &Value, key: &str| row.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let rows = answer.get("resources").and_then(Value::as_array).unwrap();
        let mut told: Vec<(String, String)> = rows.iter().map(|row| (text(row, "resource"), text(row, "answer"))).collect();
        told.sort();
        let wanted = [
            ("Files", "cross_account"),
            ("HeldPolicy", "no"),
            ("OpenPolicy", "public"),
            ("default", "cross_account"),
            ("f", "public"),
            ("g", "cross_account"),
        ];
        assert_eq!(told, wanted.map(|(name, answer)| (name.to_owned(), answer.to_owned())), "{input}");
        let request = rows.iter().find(|row| text(row, "resource") == "Files").unwrap();
        let about = request.pointer("/request/resource").and_then(Value::as_str).unwrap();
        assert!(about.contains("file-system"), "the request is about the resource itself: {about}");
        assert_eq!(run(dir.path(), &["lint", input]).0, Some(0), "{input}");
    }
}

#[test]
fn what_is_not_known_of_a_permission_lets_nobody_in_for_certain() {
    let dir = tempfile::tempdir().unwrap();
    let stack = r#"Parameters:
  When: {Type: String}
Resources:
  Bus: {Type: AWS::Events::EventBusPolicy, Properties: {StatementId: s, Principal: "*", Action: "events:PutEvents", Condition: !Ref When}}
  Whole: {Type: AWS::Events::EventBusPolicy, Properties: {EventBusName: other, StatementId: s, Statement: !Ref When}}
  Function: {Type: AWS::Lambda::Permission, Properties: {FunctionName: f, Action: "lambda:InvokeFunction", Principal: !Ref When}}
  Shut: {Type: AWS::S3::Bucket, Properties: {PublicAccessBlockConfiguration: !Ref When}}
  ShutPolicy: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: !Ref Shut, PolicyDocument: {Statement: [{Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: !Sub "${Shut.Arn}/*"}]}}}
"#;
    fs::write(dir.path().join("stack.yaml"), stack).unwrap();
    let (code, out, err) = run(dir.path(), &["public", "stack.yaml", "--account", "111122223333"]);
    assert_eq!(code, Some(3), "{out}{err}");
    for resource in ["default", "other", "f", "ShutPolicy"] {
        assert!(out.lines().any(|line| line.starts_with(&format!("{resource}: unknown"))), "{resource}: {out}");
    }
}
