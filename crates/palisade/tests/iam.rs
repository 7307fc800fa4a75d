//! `palisade iam`, end to end, with the real binary and a clean environment.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where its own set-up is wrong")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(args).current_dir(dir).env_clear().stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or_else(|| panic!("{args:?} ended by a signal"));
    (code, text(output.stdout), text(output.stderr))
}

fn allow(action: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }] })
}

fn user(name: &str, action: &str) -> Value {
    json!({ "Arn": format!("arn:aws:iam::111122223333:user/{name}"), "UserName": name,
        "UserPolicyList": [{ "PolicyName": "p", "PolicyDocument": allow(action) }] })
}

fn details(dir: &Path) {
    let users = [user("boss", "*"), user("eve", "iam:CreateAccessKey"), user("bob", "ec2:*")];
    fs::write(dir.join("details.json"), json!({ "UserDetailList": users }).to_string()).unwrap();
}

#[test]
fn cases_in_the_names_of_other_tools() {
    let dir = tempfile::tempdir().unwrap();
    let lines = [
        json!({ "request": { "principal": "arn:aws:iam::111122223333:user/ann", "action": "s3:GetObject",
            "resource": { "resource": "arn:aws:s3:::b/k", "accountId": "111122223333" }, "contextVariables": { "aws:username": "ann" } },
            "identityPolicies": [{ "name": "a", "policy": allow("s3:*") }], "serviceControlPolicies": [], "mode": "Strict" })
        .to_string(),
        json!({ "request": { "principal": 7, "action": "s3:GetObject" } }).to_string(),
    ];
    fs::write(dir.path().join("cases.jsonl"), lines.join("\n")).unwrap();
    let (code, out, err) = run(dir.path(), &["iam", "eval", "--case", "cases.jsonl"]);
    let answers: Vec<Value> = out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(answers.len(), 2, "{out}{err}");
    assert_eq!(answers[0]["decision"], "Allowed", "{code} {out}");
    assert!(answers[1]["error"].as_str().is_some(), "{out}");
}

#[test]
fn escalation_in_words_and_drawn() {
    let dir = tempfile::tempdir().unwrap();
    details(dir.path());
    let of = |format: &str| run(dir.path(), &["iam", "escalate", "--input", "details.json", "--format", format]);
    let (code, words, err) = of("text");
    assert_eq!(code, 1, "{err}");
    assert!(words.contains("user/boss is admin") && words.contains("user/eve ->") && !words.contains("user/bob ->"), "{words}");
    let (_, document, _) = of("json");
    let document: Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["schema"], "palisade/iam.escalate/1");
    assert!(of("dot").1.starts_with("digraph"));
    let scp = json!([{ "node": "r-1", "policies": [{ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "*", "Resource": "*" }, { "Effect": "Deny", "Action": "iam:*", "Resource": "*" }] }] }]);
    fs::write(dir.path().join("scp.json"), scp.to_string()).unwrap();
    let (code, words, err) = run(dir.path(), &["iam", "escalate", "--input", "details.json", "--scp", "scp.json"]);
    assert_eq!(code, 0, "{words}{err}");
    let svg = of("svg").1;
    assert!(svg.starts_with("<svg") && svg.contains("iam-002") && svg.trim_end().ends_with("</svg>"), "{svg}");
}

#[test]
fn the_page_draws_who_can_become_administrator() {
    let dir = tempfile::tempdir().unwrap();
    let template = json!({ "Resources": {
        "Boss": { "Type": "AWS::IAM::User", "Properties": { "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"] } },
        "Eve": { "Type": "AWS::IAM::User", "Properties": { "Policies": [{ "PolicyName": "p", "PolicyDocument": allow("iam:CreateAccessKey") }] } },
    } });
    fs::write(dir.path().join("t.json"), template.to_string()).unwrap();
    let (_, page, err) = run(dir.path(), &["scan", "t.json", "--format", "html"]);
    assert!(page.contains("Who can become administrator") && page.contains("<svg") && page.contains("iam-002"), "{err}");
    let (_, findings, _) = run(dir.path(), &["scan", "t.json", "--format", "json"]);
    assert!(findings.contains("iam-user-escalates"), "{findings}");
}

#[test]
fn what_hangs_on_a_name_that_is_not_known_yet() {
    let dir = tempfile::tempdir().unwrap();
    let statement = |effect: &str, resource: Value| json!({ "Effect": effect, "Principal": "*", "Action": "s3:GetObject", "Resource": resource });
    let of_bucket = json!({ "Fn::Sub": "${Logs.Arn}/*" });
    let template = |denied: Value| {
        json!({ "Resources": {
            "Logs": { "Type": "AWS::S3::Bucket" },
            "Open": { "Type": "AWS::S3::BucketPolicy", "Properties": { "Bucket": { "Ref": "Logs" }, "PolicyDocument": {
                "Version": "2012-10-17", "Statement": [statement("Allow", of_bucket.clone()), statement("Deny", denied)] } } },
            "Trust": { "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Principal": { "AWS": { "Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root" } }, "Action": "sts:AssumeRole" }] } } },
        } })
    };
    for (denied, verdict, openness) in [
        (json!("arn:aws:s3:::shop-logs-1x2y3z/*"), "unknown", "Open: unknown (it depends on a name that is not known yet)"),
        (json!("arn:aws:s3:::elsewhere/*"), "fail", "Open: public"),
        (of_bucket.clone(), "", "Open: no"),
    ] {
        fs::write(dir.path().join("t.json"), template(denied).to_string()).unwrap();
        let (_, out, err) = run(dir.path(), &["scan", "t.json", "--format", "json"]);
        let report: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {err}"));
        let of = |check: &str| {
            let findings = report["findings"].as_array().unwrap();
            findings.iter().find(|f| f["check"] == check).map_or(String::new(), |f| f["verdict"].as_str().unwrap().to_owned())
        };
        assert_eq!(of("s3-bucket-policy-public"), verdict);
        assert_eq!(of("iam-role-trust-account"), "fail");
        let (_, words, _) = run(dir.path(), &["iam", "public", "t.json"]);
        assert!(words.contains(openness), "{words}");
    }
}

/// A root, a unit in it with the account, and a policy of one kind on the unit.
fn organisation(kind: &str, content: Value) -> Value {
    json!({
        "Policies": [{ "Type": kind, "Content": content, "Targets": [{ "TargetId": "ou-1", "Type": "ORGANIZATIONAL_UNIT" }] }],
        "Parents": { "111122223333": "ou-1", "ou-1": "r-1" },
    })
}

#[test]
fn every_question_looks_at_the_organisation_above() {
    let dir = tempfile::tempdir().unwrap();
    details(dir.path());
    let deny = |action: &str| json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*" }] });
    let write = |name: &str, document: Value| fs::write(dir.path().join(name), document.to_string()).unwrap();
    write(
        "scp.json",
        organisation(
            "SERVICE_CONTROL_POLICY",
            json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "*", "Resource": "*" }, { "Effect": "Deny", "Action": ["iam:*", "ec2:*"], "Resource": "*" }] }),
        ),
    );
    write("rcp.json", organisation("RESOURCE_CONTROL_POLICY", deny("s3:*")));
    let ask = |args: &[&str]| run(dir.path(), &[&["iam"], args, &["--input", "details.json"]].concat());
    let can = ["can", "eve", "iam:CreateAccessKey", "arn:aws:iam::111122223333:user/boss"];
    assert_eq!(ask(&can).0, 0);
    let (code, words, _) = ask(&[&can[..], &["--scp", "scp.json"]].concat());
    assert!(code == 1 && words.contains("denied explicitly by scp:ou-1"), "{words}");
    let (code, words, _) = ask(&["can", "boss", "s3:GetObject", "arn:aws:s3:::b/k", "--rcp", "rcp.json"]);
    assert!(code == 1 && words.contains("denied explicitly by rcp:ou-1"), "{words}");
    let (_, words, _) = ask(&["who-can", "ec2:RunInstances", "*", "--scp", "scp.json"]);
    assert_eq!(words, "nobody\n");
    let (code, words, _) = ask(&["escalate", "--scp", "scp.json"]);
    assert!(code == 0 && !words.contains("eve ->") && !words.contains("is admin"), "{words}");
    let (_, words, _) = ask(&["principal-can", "bob", "--scp", "scp.json"]);
    assert!(!words.contains("ec2:RunInstances"), "{words}");

    write(
        "open.json",
        json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" }] }),
    );
    let public = |more: &[&str]| run(dir.path(), &[&["iam", "public", "open.json", "--account", "111122223333"], more].concat());
    assert_eq!(public(&[]).0, 1);
    let (code, words, err) = public(&["--rcp", "rcp.json"]);
    assert!(code == 0 && words.starts_with("no:"), "{words}{err}");
    let (code, _, err) = public(&["--rcp", "open.json"]);
    assert!(code == 2 && err.contains("`open.json` holds no resource control policies"), "{err}");

    // The account is not in the tree: its control policies are left out, and that is told.
    let mut elsewhere = organisation("SERVICE_CONTROL_POLICY", deny("*"));
    elsewhere["Parents"] = json!({ "ou-1": "r-1" });
    write("elsewhere.json", elsewhere);
    let (code, _, err) = ask(&[&can[..], &["--scp", "elsewhere.json"]].concat());
    assert!(code == 0 && err.contains("the place of the account in the organisation is not known"), "{err}");
}

#[test]
fn unused_access_and_a_smaller_policy() {
    let dir = tempfile::tempdir().unwrap();
    details(dir.path());
    let event = |name: &str, denied: bool| {
        let mut event = json!({ "eventVersion": "1.08", "eventTime": "2026-05-01T00:00:00Z", "eventSource": "ec2.amazonaws.com",
            "eventName": name, "awsRegion": "eu-west-1", "sourceIPAddress": "203.0.113.7", "userAgent": "cli", "eventID": name,
            "userIdentity": { "type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/bob", "accountId": "111122223333", "userName": "bob" } });
        if denied {
            event["errorCode"] = json!("Client.UnauthorizedOperation");
        }
        event
    };
    let trail = json!({ "Records": [event("DescribeInstances", false), event("RunInstances", true)] });
    fs::write(dir.path().join("trail.json"), trail.to_string()).unwrap();
    let of = |principal: &str, format: &str| {
        let args =
            ["iam", "unused", "--trail", "trail.json", "--input", "details.json", "--principal", principal, "--format", format];
        run(dir.path(), &args)
    };
    let (code, out, err) = of("bob", "json");
    let answer: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e} {out}{err}"));
    let bob = &answer["principals"][0];
    assert_eq!((code, &answer["events"]), (0, &json!(2)), "{out}");
    assert_eq!(bob["policy"]["Statement"][0]["Action"], json!(["ec2:DescribeInstances"]), "{out}");
    let (code, words, _) = of("eve", "text");
    assert_eq!(code, 1);
    assert!(words.contains("never inline p.Statement[0]: iam:CreateAccessKey"), "{words}");
    assert_eq!(of("nobody", "text").0, 2);
}

#[test]
fn rows_of_a_trail_that_cannot_be_read_are_told() {
    let dir = tempfile::tempdir().unwrap();
    details(dir.path());
    let rows = "eventTime,eventSource,eventName,userIdentity.arn\n\
        2026-05-01 12:00:00.000,ec2.amazonaws.com,DescribeInstances,arn:aws:iam::111122223333:user/bob\n\
        2026-05-01 12:00:00.000,ec2.amazonaws.com\n\
        2026-05-01 12:00:00.000,ec2.amazonaws.com,StopInstances,\n";
    fs::write(dir.path().join("lake.csv"), rows).unwrap();
    let args = ["iam", "unused", "--trail", "lake.csv", "--input", "details.json", "--principal", "bob", "--format", "json"];
    let (_, out, err) = run(dir.path(), &args);
    let answer: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e} {out}{err}"));
    assert_eq!(answer["principals"][0]["used"], json!(["ec2:DescribeInstances"]), "{out}");
    let gaps: Vec<&str> = answer["gaps"].as_array().unwrap().iter().map(|g| g.as_str().unwrap()).collect();
    assert_eq!(gaps.len(), 2, "{gaps:?}");
    assert!(gaps[0].starts_with("`lake.csv`: 1 record not read") && gaps[0].contains("(first: record 2"), "{gaps:?}");
    assert!(
        gaps[1].starts_with("`lake.csv`: who called what is not told, and left out, in records: 1 ")
            && gaps[1].contains("first: record 3"),
        "{gaps:?}"
    );
    assert!(gaps.iter().all(|gap| err.contains(gap)), "{err}");
}
