//! The live account, end to end: the real binary on a real moto server over HTTP, seeded with good and bad twins; and then with
//! each operation in turn failing. Needs `PALISADE_TEST_PYTHON`, which `cargo xtask test` sets.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops where its own set-up is wrong")]

#[path = "../../aws/tests/moto/server.rs"]
#[expect(dead_code, reason = "shared with the tests of collection, which use more of it")]
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use catalogue::Catalogue;
use model::{Finding, Outcome, Region, Verdict};
use serde_json::Value;
use server::canned::{Asked, Reply};
use server::{Moto, kind_of, moto};

const REGION: &str = "eu-west-1";

fn command(dir: &Path, url: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(args).current_dir(dir).env_clear().env("AWS_MAX_ATTEMPTS", "1").env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret").env("AWS_ENDPOINT_URL", url);
    command
}

fn run(dir: &Path, url: &str, args: &[&str]) -> (i32, String, String) {
    let output = command(dir, url, args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or_else(|| panic!("{args:?} ended by a signal"));
    (code, text(output.stdout), text(output.stderr))
}

fn report(dir: &Path, url: &str, args: &[&str]) -> Value {
    let (_, out, err) = run(dir, url, &[&["scan", "-f", "json", "--all"], args].concat());
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e}\n{out}{err}"))
}

/// Check, type and resource to verdict.
type Verdicts = BTreeMap<(String, String, String), String>;

fn verdicts(report: &Value) -> Verdicts {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let row = |f: &Value| ((text(&f["check"]), text(&f["resource"]["type"]), text(&f["resource"]["id"])), text(&f["verdict"]));
    report["findings"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn the_account_of_the_current_credentials() {
    let Some(moto) = moto() else { return };
    let dir = tempfile::tempdir().unwrap();
    let watching = moto.between(|_| None);
    let whole = report(dir.path(), &watching.url, &["--region", REGION]);
    twins(&verdicts(&whole));
    asked_once(dir.path(), &watching.asked());
    same_from_a_snapshot(dir.path(), &watching.url, &verdicts(&whole));
    same_for_one_check(dir.path(), &watching.url, &verdicts(&whole));
    other_commands(dir.path(), &watching.url);
    faults_of_the_binary(dir.path(), &moto, &verdicts(&whole));
    every_fault(&moto);
}

/// What is set up well passes, its twin fails.
fn twins(found: &Verdicts) {
    let of = |check: &str, name: &str| {
        let is = |(c, _, id): &&(String, String, String)| c == check && id.trim_end_matches(":*").ends_with(name);
        let keys: Vec<_> = found.keys().filter(is).collect();
        keys.first().map(|k| found[*k].as_str()).unwrap_or("none")
    };
    let pairs = [
        ("s3-bucket-unversioned", "good-bucket", "bad-bucket"),
        ("s3-bucket-public-access-not-blocked", "good-bucket", "bad-bucket"),
        ("sns-topic-unencrypted", "good-topic", "bad-topic"),
        ("dynamodb-table-no-point-in-time", "good-table", "bad-table"),
        ("rds-instance-unencrypted", "good-db", "bad-db"),
        ("log-group-kept-forever", "good-logs", "bad-logs"),
        ("iot-policy-everything", "good-policy", "bad-policy"),
        ("apigateway-method-open", "|POST", "|GET"),
    ];
    for (check, good, bad) in pairs {
        assert_eq!((of(check, good), of(check, bad)), ("pass", "fail"), "{check}");
    }
    let failing = [
        ("s3-bucket-policy-public", "bad-bucket"),
        ("iam-user-admin", "user/ann"),
        ("ebs-snapshot-public", ""),
        ("ec2-security-group-ssh-open", ""),
        ("timestream-influx-public", ""),
        ("lambda-layer-public", ":tools:1#all"),
        ("kms-key-pending-deletion", ""),
        ("account-no-support-role", ""),
    ];
    for (check, name) in failing {
        let fails =
            |((c, _, id), verdict): (&(String, String, String), &String)| c == check && id.ends_with(name) && verdict == "fail";
        assert!(found.iter().any(fails), "{check}");
    }
}

/// Hardly a call is made twice (a listing may also be a setting of its Region), none three times, and the printed policy allows
/// every one.
fn asked_once(dir: &Path, asked: &[Asked]) {
    let mut times: BTreeMap<(String, &str, &str), usize> = BTreeMap::new();
    for one in asked {
        *times.entry((kind_of(one), &one.path, &one.body)).or_default() += 1;
    }
    let again: Vec<_> = times.iter().filter(|(_, n)| **n > 1).collect();
    assert!(again.len() <= 8 && again.iter().all(|(_, n)| **n == 2), "{again:?}");
    let (code, out, err) = run(dir, "", &["permissions"]);
    assert_eq!(code, 0, "{err}");
    let policy: Value = serde_json::from_str(&out).unwrap();
    let actions: BTreeSet<&str> = policy["Statement"][0]["Action"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for one in asked {
        let operation = one.operation();
        let service = one.header("authorization").split('/').nth(3).unwrap_or_default();
        let same_name = ["ec2", "iam", "sns", "sqs", "kms", "dynamodb", "rds", "logs", "cloudtrail"].contains(&service);
        if same_name && !operation.contains(' ') {
            assert!(actions.contains(format!("{service}:{operation}").as_str()), "{service}:{operation} is not in the policy");
        }
    }
    let (_, out, _) = run(dir, "", &["permissions", "--check", "s3-bucket-unversioned", "-f", "cloudformation"]);
    assert!(out.contains("s3:GetBucketVersioning") && !out.contains("s3:GetBucketCORS"), "{out}");
    let (_, out, _) = run(dir, "", &["permissions", "--check", "s3-bucket-unversioned", "-f", "terraform"]);
    assert!(out.contains("resource \"aws_iam_policy\""), "{out}");
}

fn same_from_a_snapshot(dir: &Path, url: &str, whole: &Verdicts) {
    let (code, out, err) = run(dir, url, &["snapshot", "-o", "a.snapshot", "--region", REGION]);
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    assert_eq!(&verdicts(&report(dir, "", &["a.snapshot"])), whole);
    let bytes = std::fs::read(dir.join("a.snapshot")).unwrap();
    let start = bytes.iter().position(|b| *b == b'\n').unwrap() + 1;
    let text = String::from_utf8(zstd::decode_all(&bytes[start..]).unwrap()).unwrap();
    assert!(text.contains("AWS::Lambda::Function") && !text.contains("hunter2"), "a secret is readable in the snapshot");
    // What was collected to its end is not asked again.
    let (code, _, err) = run(dir, url, &["snapshot", "-o", "b.snapshot", "--region", REGION, "--resume", "a.snapshot"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(&verdicts(&report(dir, "", &["b.snapshot"])), whole);
}

/// A check by itself asks for less and answers the same.
fn same_for_one_check(dir: &Path, url: &str, whole: &Verdicts) {
    for check in ["s3-bucket-unversioned", "s3-bucket-public", "ec2-instance-ssh-exposed", "vpc-no-flow-log", "iam-user-admin"] {
        let wanted: Verdicts = whole.iter().filter(|((c, ..), _)| c == check).map(|(k, v)| (k.clone(), v.clone())).collect();
        assert!(!wanted.is_empty(), "{check}");
        assert_eq!(verdicts(&report(dir, url, &["--region", REGION, "--check", check])), wanted, "{check}");
    }
}

fn other_commands(dir: &Path, url: &str) {
    let (code, out, err) = run(dir, url, &["iam", "can", "ann", "s3:DeleteBucket", "*", "--region", REGION]);
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = run(dir, url, &["net", "subnets", "--region", REGION, "-f", "json"]);
    assert!(code == 0 && out.contains("\"public\""), "{out}{err}");
    let (code, out, err) = run(dir, url, &["line", "--region", REGION]);
    assert!(code == 0 && out.contains("AWS::S3::Bucket"), "{out}{err}");
    // A log is joined to the account as to a snapshot of it.
    let event = serde_json::json!({ "Records": [{
        "eventVersion": "1.09", "eventID": "e-1", "eventTime": "2026-02-11T09:30:00Z", "eventSource": "iam.amazonaws.com",
        "eventName": "CreateAccessKey", "awsRegion": "us-east-1", "recipientAccountId": "123456789012",
        "sourceIPAddress": "203.0.113.9", "requestParameters": { "userName": "ann" },
        "userIdentity": { "type": "IAMUser", "userName": "ann", "arn": "arn:aws:iam::123456789012:user/ann", "accountId": "123456789012" },
    }] });
    std::fs::write(dir.join("log.json"), event.to_string()).unwrap();
    let ask = |from: &[&str]| run(dir, url, &[&["detect", "log.json", "-f", "jsonl"], from].concat());
    let (code, live, err) = ask(&["--live", "--region", REGION]);
    let (_, saved, _) = ask(&["--snapshot", "a.snapshot"]);
    assert!(code == 0 && live.contains("iam-user-admin"), "{code} {live}{err}");
    assert_eq!(live, saved);
}

fn denied() -> Reply {
    Reply::of(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>")
}

/// Ways in which an answer can be none.
fn others() -> [Reply; 5] {
    [
        Reply::of(500, "oops"),
        Reply::of(400, "{\"__type\":\"ThrottlingException\"}"),
        Reply { cut: 9, ..Reply::ok("{") },
        Reply::ok("<html><body>Sign in</body></html>"),
        Reply::ok("\"?\""),
    ]
}

/// No verdict becomes pass or fail by a failure: it stays or becomes unknown, or its resource is not there.
fn only_unknown(before: &Verdicts, after: &Verdicts, what: &str) -> usize {
    let mut changed = 0;
    for (key, verdict) in after {
        let was = before.get(key);
        assert!(verdict == "unknown" || was == Some(verdict), "{what}: {key:?} was {was:?} and is now {verdict}");
        changed += usize::from(was != Some(verdict));
    }
    changed + before.keys().filter(|k| !after.contains_key(k)).count()
}

fn faults_of_the_binary(dir: &Path, moto: &Moto, whole: &Verdicts) {
    let kinds = [
        ("s3 GET 1  versioning", "s3:GetBucketVersioning"),
        ("sns GetTopicAttributes", "sns:GetTopicAttributes"),
        ("ec2 DescribeSecurityGroups", "ec2:DescribeSecurityGroups"),
        ("iam GetAccountAuthorizationDetails", "iam:GetAccountAuthorizationDetails"),
        ("kms GetKeyRotationStatus", "kms:GetKeyRotationStatus"),
    ];
    let faults = others();
    for (n, (kind, call)) in kinds.into_iter().enumerate() {
        for fault in [denied(), faults[n].clone()] {
            let reply = fault.clone();
            let server = moto.between(move |asked| (kind_of(asked) == kind).then(|| reply.clone()));
            let got = report(dir, &server.url, &["--region", REGION]);
            let what = format!("{kind}: {} {}", fault.status, fault.body);
            let changed = only_unknown(whole, &verdicts(&got), &what);
            let named = got["gaps"].as_array().unwrap().iter().any(|g| g["what"] == call && g["matters"] == true);
            assert!(
                changed > 0 && named,
                "{what}: {changed} changed, named: {named}: {:?}",
                server.asked().iter().map(kind_of).collect::<BTreeSet<_>>()
            );
        }
    }
}

/// Collects and judges inside the test: there are many operations.
fn judged(catalogue: &Catalogue, plan: &aws::Plan, url: &str) -> Outcome {
    let vars = [("AWS_ENDPOINT_URL", url), ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let limits = aws::Limits {
        tries_max: 1,
        throttled_tries_max: 1,
        wait_min: Duration::from_millis(1),
        calls_per_second: 1e6,
        ..aws::Limits::default()
    };
    let config = aws::Config {
        environment: aws::Environment::of(&vars),
        regions: vec![Region::new(REGION).unwrap()],
        limits,
        ..aws::Config::default()
    };
    let collected = aws::collect(plan, &config, None, aws::Watch { progress: &|_| {}, keep: None }).unwrap();
    let now = "2026-11-01T00:00:00Z".parse().unwrap();
    engine::scan(&collected.snapshot, catalogue, &engine::Config::default(), now)
}

fn of_outcome(outcome: &Outcome) -> Verdicts {
    let word = |v: Verdict| match v {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Unknown => "unknown",
    };
    let row = |f: &Finding| {
        let key = (f.check.to_string(), f.resource.type_name.to_string(), f.resource.id.to_string());
        (key, word(f.verdict).to_owned())
    };
    outcome.findings.iter().map(row).collect()
}

/// Each operation in turn fails in one way; the ways take turns.
fn every_fault(moto: &Moto) {
    let catalogue = catalogue::built_in();
    let plan = aws::Plan::new(catalogue.folders()).unwrap();
    let watching = moto.between(|_| None);
    let whole = of_outcome(&judged(&catalogue, &plan, &watching.url));
    let kinds: BTreeSet<String> = watching.asked().iter().map(kind_of).filter(|k| !k.starts_with("sts ")).collect();
    let kinds: Vec<String> = kinds.into_iter().filter(|k| k != "ec2 DescribeRegions").collect();
    assert!(kinds.len() > 80, "{}", kinds.len());
    let faults: Vec<Reply> = std::iter::once(denied()).chain(others()).collect();
    let fault = |n: usize| {
        let (kind, fault) = (&kinds[n], &faults[n % faults.len()]);
        let (wanted, reply) = (kind.clone(), fault.clone());
        let server = moto.between(move |asked| (kind_of(asked) == wanted).then(|| reply.clone()));
        let got = judged(&catalogue, &plan, &server.url);
        let what = format!("{kind}: {} {}", fault.status, fault.body);
        let after = of_outcome(&got);
        let wrong =
            |(key, verdict): &(&(String, String, String), &String)| *verdict != "unknown" && whole.get(*key) != Some(*verdict);
        let mut problems: Vec<String> = after
            .iter()
            .filter(wrong)
            .map(|(key, verdict)| format!("{what}: {key:?} was {:?} and is now {verdict}", whole.get(key)))
            .collect();
        // A REST path does not say its operation.
        let operation = kind.split(' ').nth(1).filter(|w| w.len() > 6).unwrap_or_default();
        if after != whole && !got.gaps.iter().any(|g| g.matters && g.what.ends_with(operation)) {
            problems.push(format!("{what}: no gap names it"));
        }
        problems
    };
    let workers = 4;
    let problems: Vec<String> = std::thread::scope(|scope| {
        let of_worker = |first: usize| (first..kinds.len()).step_by(workers).flat_map(fault).collect::<Vec<_>>();
        let threads: Vec<_> = (0..workers).map(|first| scope.spawn(move || of_worker(first))).collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
