//! `palisade scan`, end to end, with the real binary and a clean environment.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where its own set-up is wrong")]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// A bucket that fails a handful of checks.
const GOOD: &str = r#"AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Files:
    Type: AWS::S3::Bucket
    Properties:
      PublicAccessBlockConfiguration: { BlockPublicAcls: false }
"#;

/// A check that fails on [`GOOD`].
const CHECK: &str = "s3-bucket-public-access-not-blocked";

fn command(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.arg("scan").args(args).current_dir(dir).env_clear().stdin(Stdio::null());
    // Without paths the live account is asked: there must be none.
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let output = command(dir, args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or_else(|| panic!("{args:?} ended by a signal"));
    (code, text(output.stdout), text(output.stderr))
}

/// The JSON report, and the exit code.
fn json(dir: &Path, args: &[&str]) -> (i32, Value) {
    let (code, out, err) = run(dir, &[args, &["-f", "json"]].concat());
    (code, serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e}\n{out}{err}")))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder with the one good template.
fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("good.yaml"), GOOD).unwrap();
    dir
}

fn strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// Checks and their state that a report holds of one file.
fn of_file<'a>(report: &'a Value, file: &str) -> Vec<(&'a str, &'a str, bool)> {
    let findings = report["findings"].as_array().unwrap().iter();
    let findings = findings.filter(|f| f.pointer("/resource/file").is_some_and(|of| of == file));
    findings.map(|f| (f["check"].as_str().unwrap(), f["verdict"].as_str().unwrap(), f["suppression"].is_object())).collect()
}

#[test]
fn the_shop_gives_the_same_bytes_whatever_the_threads() {
    let mut texts = Vec::new();
    for threads in ["1", "4", "4"] {
        let output =
            command(&root(), &["examples/shop", "-f", "json", "--all"]).env("RAYON_NUM_THREADS", threads).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        texts.push(text.lines().filter(|l| !l.starts_with("  \"time\"")).collect::<Vec<_>>().join("\n"));
    }
    assert!(texts.iter().all(|t| *t == texts[0]));
    let report: Value = serde_json::from_str(&texts[0]).unwrap();
    assert_eq!(report["schema"], "palisade/scan/1");
    for verdict in ["fail", "unknown", "pass"] {
        let counted = report["summary"][verdict].as_u64().unwrap();
        let shown = report["findings"].as_array().unwrap().iter();
        let shown = shown.filter(|f| f["verdict"] == verdict && (verdict == "pass" || f["suppression"].is_null())).count();
        assert!(counted > 0 && counted == shown as u64, "{verdict}: {counted} counted, {shown} shown");
    }
}

/// A page is drawn over all files together; without one, each file of code is judged as it is read, and forgotten.
#[test]
fn files_judged_one_by_one_give_what_they_give_together() {
    let dir = tempfile::tempdir().unwrap();
    let inner = "Resources: { Inner: { Type: AWS::CloudFormation::Stack, Properties: { TemplateURL: ./inner.yaml } } }";
    fs::write(dir.path().join("inner.yaml"), GOOD).unwrap();
    fs::write(dir.path().join("outer.yaml"), inner).unwrap();
    let guardrail = r#"{ "Resources": { "Rule": { "Type": "AWS::Organizations::Policy", "Properties": { "Name": "r",
        "Type": "SERVICE_CONTROL_POLICY", "Content": { "Version": "2012-10-17", "Statement": [] } } } } }"#;
    fs::write(dir.path().join("guardrail.json"), guardrail).unwrap();
    let of_dir = dir.path().to_str().unwrap();
    let report = |more: &[String]| {
        let (_, out, err) = run(&root(), &[&["examples/shop", of_dir, "--all", "-f", "json"], &*strs(more)].concat());
        let mut report: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}\n{err}"));
        report.as_object_mut().unwrap().remove("time");
        report
    };
    let apart = report(&[]);
    assert!(!of_file(&apart, &format!("{of_dir}/inner.yaml")).is_empty(), "the nested template's bucket is judged");
    assert_eq!(apart, report(&["-f".to_owned(), format!("html={}", dir.path().join("page.html").display())]));
}

#[test]
fn references_to_resources_of_the_template_are_no_riddle() {
    let (_, report) = json(&root(), &["examples/shop/cloudformation", "--all"]);
    let findings = report["findings"].as_array().unwrap();
    for (check, resource) in [
        ("s3-bucket-policy-public", "UploadsPolicy"),
        ("s3-bucket-public", "Uploads"),
        ("sns-topic-policy-public", "AnnouncementsPolicy"),
    ] {
        let verdict = findings.iter().find(|f| f["check"] == check && f["resource"]["id"] == resource).map(|f| &f["verdict"]);
        assert_eq!(verdict, Some(&Value::from("fail")), "{check} for {resource}");
    }
}

#[test]
fn no_form_tells_a_secret() {
    let forms = ["terminal", "json", "jsonl", "sarif", "csv", "junit", "markdown", "html", "ocsf", "asff"];
    let dir = tempfile::tempdir().unwrap();
    let file = |form: &str| dir.path().join(form);
    let mut args = vec!["examples/shop".to_owned(), "--all".to_owned(), "--full".to_owned()];
    for form in forms {
        args.extend(["--format".to_owned(), format!("{form}={}", file(form).display())]);
    }
    let (code, out, err) = run(&root(), &strs(&args));
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    for form in forms {
        let text = fs::read_to_string(file(form)).unwrap();
        assert!(text.contains("s3-bucket"), "{form} is empty");
        for secret in ["sk_live_4eC39", "tr0ub4dor"] {
            assert!(!text.contains(secret), "{form} tells {secret}");
        }
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), forms.len(), "a partial file was left");
}

#[test]
fn exit_codes() {
    let dir = folder();
    fs::write(dir.path().join("cut.yaml"), "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties: {BucketName: 'x\n")
        .unwrap();
    fs::write(dir.path().join("unknown-key.toml"), "fail_under = 'low'\n").unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["good.yaml"], 1, ""),
        (&["good.yaml", "--fail-on", "high"], 1, ""),
        (&["good.yaml", "--fail-on", "critical"], 0, ""),
        (&["good.yaml", "--fail-on", "never"], 0, ""),
        (&["good.yaml", "--fail-on", "never", "--strict"], 0, ""),
        (&["cut.yaml", "good.yaml", "--fail-on", "never"], 0, ""),
        (&["cut.yaml", "good.yaml", "--fail-on", "never", "--strict"], 3, ""),
        (&["cut.yaml", "good.yaml", "--strict"], 1, ""),
        (&["absent.yaml", "good.yaml", "--fail-on", "never", "--strict"], 3, ""),
        (&["absent.yaml"], 2, "cannot read `absent.yaml`"),
        (&[], 2, "no credentials found"),
        (&["good.yaml", "--fail-on", "dire"], 2, "`dire` is not a severity"),
        (&["good.yaml", "--no-such-flag"], 2, "--no-such-flag"),
        (&["good.yaml", "--check", "no-such-check"], 2, "`no-such-check` matches no check"),
        (&["good.yaml", "--layer", "roof"], 2, "`roof` is not a layer"),
        (&["good.yaml", "-f", "pdf"], 2, "`pdf` is not a format"),
        (&["good.yaml", "-f", "json", "-f", "csv"], 2, "only one format"),
        (&["good.yaml", "--baseline", "absent.json"], 2, "cannot read `absent.json`"),
        (&["good.yaml", "--baseline", "good.yaml"], 2, "`good.yaml` is not JSON"),
        (&["good.yaml", "--config", "unknown-key.toml"], 2, "fail_under"),
    ];
    for (args, code, said) in cases {
        let (got, out, err) = run(dir.path(), args);
        assert!(got == *code && err.contains(said), "{args:?}: {got}, not {code}\n{out}{err}");
        assert_eq!(got == 2, !err.is_empty(), "{args:?}: {err}");
    }
}

/// One bad input: what it is called, what it holds, and a word of the gap it leaves.
struct Bad {
    name: &'static str,
    bytes: Vec<u8>,
    gap: &'static str,
}

const CYCLE: &str = "Conditions:
  A: !Not [!Condition B]
  B: !Not [!Condition A]
Resources:
  Q:
    Type: AWS::SQS::Queue
    Condition: A
";

fn bad_inputs() -> Vec<Bad> {
    let mut bomb = String::from("AWSTemplateFormatVersion: '2010-09-09'\nMetadata:\n  a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let before = n - 1;
        bomb.push_str(&format!("  a{n}: &a{n} [{}]\n", vec![format!("*a{before}"); 9].join(", ")));
    }
    bomb.push_str("Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties: { Tags: *a11 }\n");
    let head = "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties: ";
    let deep_yaml = format!("{head}{}{}\n", "[".repeat(10_000), "]".repeat(10_000));
    let deep_json = format!(
        "{{\"Resources\":{{\"A\":{{\"Type\":\"AWS::S3::Bucket\",\"Properties\":{}1{}}}}}}}",
        "{\"a\":".repeat(10_000),
        "}".repeat(10_000)
    );
    let bad = |name, bytes: &str, gap| Bad { name, bytes: bytes.as_bytes().to_vec(), gap };
    vec![
        Bad { name: "binary.yaml", bytes: b"\x7fELF\x00\x01\xff\xfe".to_vec(), gap: "not text" },
        bad("cut.yaml", &format!("{head}{{ BucketName: 'x\n"), "end of stream"),
        bad("cut.json", "{\"Resources\": {\"A\": {\"Type\": \"AWS::S3::Bucket\"", ""),
        bad("type.yaml", "Resources:\n  A:\n    Type: { a: b }\n  B:\n    Type: AWS::S3::Bucket\n", "`Type`"),
        bad("bomb.yaml", &bomb, "aliases"),
        bad("deep.yaml", &deep_yaml, "deeper"),
        bad("deep.json", &deep_json, "deeper"),
        bad("empty.yaml", "", "empty"),
        bad("text.yaml", "just text\n", "neither a template"),
        bad("list.yaml", "Resources: [1, 2]\n", "must be a mapping"),
        bad("cycle.yaml", CYCLE, "depends on itself"),
        bad(
            "version.json",
            "{\"format_version\": \"9.0\", \"terraform_version\": \"9.9\", \"resource_changes\": []}",
            "`9.0` is not known",
        ),
        bad(
            "kinds.json",
            "{\"format_version\": \"1.2\", \"terraform_version\": \"1.11\", \"resource_changes\": {\"a\": 1}}",
            "not a list",
        ),
    ]
}

#[test]
fn a_bad_input_is_one_gap_and_the_rest_is_judged() {
    let alone = folder();
    let (_, want) = json(alone.path(), &["good.yaml"]);
    let want = of_file(&want, "good.yaml");
    assert!(!want.is_empty());
    for Bad { name, bytes, gap } in bad_inputs() {
        let dir = folder();
        fs::write(dir.path().join(name), bytes).unwrap();
        let args = [name, "good.yaml", "--strict", "--fail-on", "never"];
        let (code, report) = json(dir.path(), &args);
        assert_eq!(code, 3, "{name}: {}", report["gaps"]);
        assert_eq!(of_file(&report, "good.yaml"), want, "{name}");
        let gaps = report["gaps"].as_array().unwrap();
        let told = |g: &&Value| g["matters"] == true && g["file"] == name && g["detail"].as_str().unwrap().contains(gap);
        assert_eq!(gaps.iter().filter(told).count(), 1, "{name}: {gaps:?}");
        assert_eq!(gaps.len(), 1, "{name}: {gaps:?}");
    }
}

/// The provider of a database turns backups off where nothing is written; one made from a snapshot keeps what that had.
#[test]
fn what_the_provider_sends_where_nothing_is_written() {
    let dir = folder();
    let one = |name: &str, more: &str| {
        format!(
            r#"{{"address": "aws_db_instance.{name}", "mode": "managed", "type": "aws_db_instance", "name": "{name}",
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "change": {{"actions": ["create"], "after": {{"identifier": "{name}", "engine": "mysql"{more}}}}}}}"#
        )
    };
    let all = [
        one("new", ""),
        one("kept", r#", "backup_retention_period": 7"#),
        one("copied", r#", "snapshot_identifier": "shop-before""#),
    ];
    let plan = format!(r#"{{"format_version": "1.2", "terraform_version": "1.11.0", "resource_changes": [{}]}}"#, all.join(","));
    fs::write(dir.path().join("plan.json"), plan).unwrap();
    let args = ["plan.json", "--check", "rds-instance-no-backup", "--fail-on", "never", "--all"];
    let (_, report) = json(dir.path(), &args);
    let verdict = |name: &str| {
        let id = format!("aws_db_instance.{name}");
        let of = |f: &&Value| f["resource"]["id"] == id.as_str();
        report["findings"].as_array().unwrap().iter().find(of).map_or("none", |f| f["verdict"].as_str().unwrap()).to_owned()
    };
    assert_eq!(["new", "kept", "copied"].map(verdict), ["fail", "pass", "unknown"]);
}

#[test]
fn a_plan_of_another_provider_is_noted() {
    let dir = folder();
    let change = r#"{"address": "azurerm_x.y", "mode": "managed", "type": "azurerm_x", "name": "y",
        "provider_name": "registry.terraform.io/hashicorp/azurerm", "change": {"actions": ["create"], "after": {}}}"#;
    let plan = format!(r#"{{"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": [{change}]}}"#);
    fs::write(dir.path().join("plan.json"), plan).unwrap();
    let (code, report) = json(dir.path(), &["plan.json", "good.yaml", "--strict", "--fail-on", "never"]);
    assert_eq!((code, report["gaps"][0]["matters"].as_bool()), (0, Some(false)), "{}", report["gaps"]);
    assert!(report["gaps"][0]["detail"].as_str().unwrap().starts_with("1 resources of providers other than `aws`"));
}

#[test]
fn references_in_a_circle_end() {
    let dir = tempfile::tempdir().unwrap();
    let queue = |other: &str| {
        format!(
            "{{Type: AWS::SQS::Queue, Properties: {{QueueName: !GetAtt {other}.QueueName, KmsMasterKeyId: !GetAtt {other}.Arn}}}}"
        )
    };
    fs::write(dir.path().join("t.yaml"), format!("Resources:\n  P: {}\n  Q: {}\n", queue("Q"), queue("P"))).unwrap();
    let (_, report) = json(dir.path(), &["t.yaml"]);
    assert_eq!(report["summary"]["resources"], 2, "{}", report["gaps"]);
}

#[test]
fn a_key_written_twice_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let text = "Resources:\n  A:\n    Type: AWS::S3::Bucket\n  A:\n    Type: AWS::SQS::Queue\n";
    fs::write(dir.path().join("twice.yaml"), text).unwrap();
    let (_, report) = json(dir.path(), &["twice.yaml"]);
    assert!(report["gaps"][0]["detail"].as_str().unwrap().contains("`A` is written twice"), "{}", report["gaps"]);
    assert_eq!(report["coverage"].as_array().unwrap().len(), 1);
    assert_eq!(report["coverage"][0]["type"], "AWS::SQS::Queue");
}

#[test]
fn a_folder_with_nothing_to_read_is_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("notes.txt"), "nothing").unwrap();
    let (code, report) = json(dir.path(), &[".", "--strict"]);
    assert_eq!((code, report["summary"]["resources"].as_u64()), (3, Some(0)));
    assert_eq!(report["gaps"][0]["what"], ".", "{}", report["gaps"]);
    assert_eq!(json(dir.path(), &["."]).0, 0);
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_or_round_end() {
    use std::os::unix::fs::symlink;

    let dir = folder();
    symlink("absent.yaml", dir.path().join("broken.yaml")).unwrap();
    let (code, report) = json(dir.path(), &["broken.yaml", "good.yaml", "--strict", "--fail-on", "never"]);
    assert_eq!((code, report["gaps"][0]["reason"].as_str()), (3, Some("missing")), "{}", report["gaps"]);
    assert!(!of_file(&report, "good.yaml").is_empty());

    let dir = folder();
    fs::create_dir(dir.path().join("below")).unwrap();
    symlink("..", dir.path().join("below/up")).unwrap();
    symlink("itself", dir.path().join("itself")).unwrap();
    let (_, report) = json(dir.path(), &["."]);
    assert_eq!(report["summary"]["resources"], 1, "{}", report["gaps"]);
}

#[test]
fn a_reader_that_leaves_is_no_failure() {
    let mut child = command(&root(), &["examples/shop", "-f", "json", "--all", "--fail-on", "never"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut byte = [0];
    out.read_exact(&mut byte).unwrap();
    drop(out);
    let output = child.wait_with_output().unwrap();
    assert_eq!((byte, output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (*b"{", Some(0), ""));
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let dir = folder();
    for target in ["html=good.yaml/report.html", "sarif=absent/report.sarif"] {
        let (code, _, err) = run(dir.path(), &["good.yaml", "--format", target]);
        let file = target.split_once('=').unwrap().1;
        assert!(code == 2 && err.contains(&format!("cannot write `{file}`")), "{code}: {err}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_baseline_leaves_only_what_is_new() {
    let dir = folder();
    let (code, ..) = run(dir.path(), &["good.yaml", "--write-baseline", "base.json"]);
    assert_eq!(code, 1);
    fs::rename(dir.path().join("good.yaml"), dir.path().join("moved.yaml")).unwrap();
    let commented = GOOD.replacen("Resources:", "# one more line\nResources:", 1);
    fs::write(dir.path().join("good.yaml"), &commented).unwrap();
    fs::remove_file(dir.path().join("moved.yaml")).unwrap();
    let (code, report) = json(dir.path(), &["good.yaml", "--baseline", "base.json"]);
    assert_eq!((code, report["summary"]["fail"].as_u64()), (0, Some(0)), "{}", report["summary"]);
    fs::write(dir.path().join("good.yaml"), format!("{commented}  More:\n    Type: AWS::S3::Bucket\n")).unwrap();
    let (code, report) = json(dir.path(), &["good.yaml", "--baseline", "base.json"]);
    let findings = report["findings"].as_array().unwrap();
    let new = findings.iter().filter(|f| f["suppression"].is_null());
    assert!(code == 1 && new.clone().count() > 0);
    assert!(new.clone().all(|f| f["resource"]["id"] == "More"));
}

#[test]
fn what_a_template_accepts_is_accepted_unless_told_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let text = GOOD.replacen("    Properties:", &format!("    # palisade:accept {CHECK} a museum piece\n    Properties:"), 1);
    fs::write(dir.path().join("good.yaml"), text).unwrap();
    let args = ["good.yaml", "--check", CHECK];
    let (code, report) = json(dir.path(), &args);
    assert_eq!((code, of_file(&report, "good.yaml")), (0, vec![(CHECK, "fail", true)]));
    assert_eq!(report["findings"][0]["suppression"]["reason"], "a museum piece");
    let (code, report) = json(dir.path(), &[&args[..], &["--no-inline-suppressions"]].concat());
    assert_eq!((code, of_file(&report, "good.yaml")), (1, vec![(CHECK, "fail", false)]));
}

#[test]
fn what_a_team_accepts_fails_again_after_its_day() {
    let dir = folder();
    for (expires, code) in [("9999-12-31", 0), ("2020-01-31", 1)] {
        let accept = format!("[[accept]]\ncheck = '{CHECK}'\nowner = 'ann'\nreason = 'a museum piece'\nexpires = {expires}\n");
        fs::write(dir.path().join("palisade.toml"), accept).unwrap();
        let (got, report) = json(dir.path(), &["good.yaml", "--check", CHECK]);
        assert_eq!((got, of_file(&report, "good.yaml")), (code, vec![(CHECK, "fail", code == 0)]), "{expires}");
    }
}
