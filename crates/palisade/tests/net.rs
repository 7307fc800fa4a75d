//! `palisade net`, end to end, with the real binary and a clean environment.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops where its own set-up is wrong")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.arg("net").args(args).current_dir(dir).env_clear().stdin(Stdio::null());
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or_else(|| panic!("{args:?} ended by a signal"));
    (code, text(output.stdout), text(output.stderr))
}

fn json(dir: &Path, args: &[&str]) -> (i32, Value) {
    let (code, out, err) = run(dir, &[args, &["--format", "json"]].concat());
    (code, serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e}\n{out}{err}")))
}

/// One of the accounts that the analysis is tested with, as files below `aws_configs/`.
fn account(name: &str) -> tempfile::TempDir {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../net/fixtures/{name}.json"));
    let fixture: Value = serde_json::from_str(&fs::read_to_string(fixture).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let write = |path: PathBuf, document: &Value| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, document.to_string()).unwrap();
    };
    let root = dir.path().join("aws_configs");
    match fixture["files"].as_object() {
        Some(files) => files.iter().for_each(|(path, document)| write(root.join(path), document)),
        None => {
            for (key, list) in fixture["answers"].as_object().unwrap() {
                write(root.join(format!("eu-west-1/{key}.json")), &serde_json::json!({ key: list }));
            }
        }
    }
    dir
}

fn plan() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop/terraform/plan.json")
}

#[test]
fn a_question_answers_by_its_exit_code_and_with_its_proof() {
    let dir = account("accounts-shared-transit");
    let (code, answer) = json(dir.path(), &["reach", "i-bat", "10.2.1.183", "tcp/22", "--input", "."]);
    assert_eq!((code, &answer["schema"], &answer["answer"]), (0, &"palisade/net.reach/1".into(), &"reachable".into()));
    let hops: Vec<&str> = answer["path"].as_array().unwrap().iter().filter_map(|hop| hop["id"].as_str()).collect();
    assert!(hops.contains(&"tgw-rtb-1") && hops.contains(&"sg-fish"), "{hops:?}");
    assert_eq!(answer["assumptions"].as_array().unwrap().len(), 2, "no ACLs were recorded: {answer}");
    let (code, answer) = json(dir.path(), &["reach", "i-bat", "i-fish", "tcp/80", "--input", "."]);
    assert_eq!((code, &answer["answer"]), (1, &"blocked".into()));
    let blocker = &answer["blockers"][0];
    assert_eq!((&blocker["code"], &blocker["id"]), (&"ENI_SG_RULES_MISMATCH".into(), &"sg-fish".into()));
    assert_eq!(blocker["opens"], "an inbound rule for tcp/80 from 10.1.1.100 on sg-fish");
    let (code, answer) = json(dir.path(), &["reach", "i-bat", "8.8.8.8", "tcp/443", "--input", "."]);
    assert_eq!(code, 3);
    assert!(answer["reasons"][0].as_str().unwrap().contains("igw-gone"), "{answer}");
    assert_eq!(run(dir.path(), &["reach", "i-bat", "10.2.1.300", "tcp/22", "--input", "."]).0, 2, "a bad question is an error");
}

#[test]
fn folders_of_several_inputs_are_one_network() {
    let dir = account("accounts-shared-transit");
    let inputs = ["--input", "aws_configs/accounts/prod", "--input", "aws_configs/accounts/222"];
    let (code, _, err) = run(dir.path(), &[&["reach", "i-bat", "i-fish", "tcp/22"][..], &inputs].concat());
    assert_eq!(code, 0, "{err}");
}

#[test]
fn exposure_tells_endpoints_of_aws_beside_what_packets_reach() {
    let (code, exposure) = json(Path::new("."), &["exposure", plan().to_str().unwrap()]);
    assert_eq!(code, 0);
    let network = &exposure["networks"][0];
    let first = network["exposure"].as_array().unwrap().iter().find(|row| row["ports"] == "tcp/443").unwrap();
    assert!(first["path"].as_str().unwrap().starts_with("internet -> aws_internet_gateway.shop -> "), "{first}");
    assert_eq!(network["endpoints"][0]["id"], "aws_db_instance.shop");
}

#[test]
fn rules_hold_or_not_on_a_plan() {
    let dir = tempfile::tempdir().unwrap();
    let plan = plan();
    let plan = plan.to_str().unwrap();
    let rules = |text: &str| fs::write(dir.path().join("rules.txt"), text).unwrap();
    rules("deny internet -> aws_lb.shop tcp/22   # never\nallow internet -> aws_lb.shop tcp/443\n");
    assert_eq!(run(dir.path(), &["assert", "rules.txt", "--input", plan]).0, 0);
    rules("# what must not be\ndeny internet -> aws_lb.shop tcp/443\ndeny internet -> aws_gone.x any\n");
    let (code, out, _) = run(dir.path(), &["assert", "rules.txt", "--input", plan]);
    assert_eq!(code, 1);
    assert!(out.contains("fail  rules.txt:2") && out.contains("unknown  rules.txt:3"), "{out}");
    assert!(out.contains("no interface of aws_gone.x is in the snapshot"), "{out}");
    let (_, junit, _) = run(dir.path(), &["assert", "rules.txt", "--input", plan, "--format", "junit"]);
    assert!(junit.contains("failures=\"1\" errors=\"1\"") && junit.contains("fail at line 2"), "{junit}");
    let (_, sarif, _) = run(dir.path(), &["assert", "rules.txt", "--input", plan, "--format", "sarif"]);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    assert_eq!(sarif.pointer("/runs/0/results/0/locations/0/physicalLocation/region/startLine").unwrap(), 2);
    rules("deny internet -> aws_gone.x any\n");
    assert_eq!(run(dir.path(), &["assert", "rules.txt", "--input", plan]).0, 3, "nothing is held that isn't known");
    rules("deny internet aws_lb.shop any\n  allow a -> 10.0.0.0/33 any\n");
    let (code, _, err) = run(dir.path(), &["assert", "rules.txt", "--input", plan]);
    assert_eq!(code, 2);
    assert!(err.contains("rules.txt:1:6") && err.contains("rules.txt:2:14"), "{err}");
}

#[test]
fn a_change_that_opens_something_is_told_by_its_rule() {
    let (old, new) = (tempfile::tempdir().unwrap(), account("sg-stateful"));
    let folder = new.path().join("aws_configs/eu-west-1");
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let mut text = fs::read_to_string(&path).unwrap();
        if path.ends_with("SecurityGroups.json") {
            let mut groups: Value = serde_json::from_str(&text).unwrap();
            for group in groups["SecurityGroups"].as_array_mut().unwrap() {
                group["IpPermissions"] = Value::Array(Vec::new());
            }
            text = groups.to_string();
        }
        fs::write(old.path().join(path.file_name().unwrap()), text).unwrap();
    }
    let (old, new) = (old.path().to_str().unwrap(), folder.to_str().unwrap());
    let (code, diff) = json(Path::new("."), &["diff", old, new]);
    assert_eq!((code, &diff["changes"][0]["change"]), (1, &"opened".into()), "{diff}");
    assert_eq!(run(Path::new("."), &["diff", new, old]).0, 0, "closing is fine");
}
