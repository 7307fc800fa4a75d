//! Access: evaluations beside `@cloud-copilot/iam-simulate` and `iam-rs`, an account beside `cloudsplaining`, and what stands
//! alone: inclusion and the graph of a big account.

#![expect(clippy::indexing_slicing, reason = "JSON objects of our own making, and lists that are written out")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value as Json, json};

use super::{Bench, Row, pair, times, write_file};
use crate::test::{cargo, spawn};

const SIMULATE: &str = "@cloud-copilot/iam-simulate@0.1.173";
const IAM_RS: &str = "=0.8.0";
const CLOUDSPLAINING: &str = "cloudsplaining==0.9.1";

/// How many requests are put to policies of all kinds. iam-simulate takes about a millisecond for one.
const CASES: usize = 4_000;

/// The account that cloudsplaining reads: roles, and policies of the account's own, two for each role.
const ROLES: usize = 1_000;

const ACCOUNT: &str = "111122223333";

pub(super) fn rows(bench: &Bench) -> Result<Vec<Row>, String> {
    let folder = bench.folder("iam")?;
    let mut rows = all_kinds(bench, &folder)?;
    rows.extend(one_policy(bench, &folder)?);
    rows.extend(account(bench, &folder)?);
    rows.extend(alone()?);
    Ok(rows)
}

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// An action with the resource it is asked for.
const TARGETS: &[(&str, &str)] = &[
    ("s3:GetObject", "arn:aws:s3:::files/a/b.txt"),
    ("s3:PutObject", "arn:aws:s3:::files/a/b.txt"),
    ("s3:ListBucket", "arn:aws:s3:::files"),
    ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:jobs"),
    ("dynamodb:GetItem", "arn:aws:dynamodb:eu-west-1:111122223333:table/Orders"),
    ("lambda:InvokeFunction", "arn:aws:lambda:eu-west-1:111122223333:function:send"),
];

/// A condition that holds in some of the requests, and the context that they have.
const CONDITIONS: &[(&str, &str, &str)] = &[
    ("StringEquals", "aws:PrincipalOrgID", "o-1234567890"),
    ("StringNotEquals", "aws:SourceVpce", "vpce-1"),
    ("StringLike", "aws:PrincipalTag/team", "re*"),
    ("Bool", "aws:SecureTransport", "true"),
    ("IpAddress", "aws:SourceIp", "203.0.113.0/24"),
    ("NumericLessThan", "aws:MultiFactorAuthAge", "3600"),
    ("DateGreaterThan", "aws:CurrentTime", "2024-01-01T00:00:00Z"),
    ("Null", "aws:SourceVpc", "true"),
];

const CONTEXTS: &[(&str, &[&str])] = &[
    ("aws:PrincipalOrgID", &["o-1234567890", "o-0987654321"]),
    ("aws:SourceVpce", &["vpce-1", "vpce-2"]),
    ("aws:PrincipalTag/team", &["red", "blue"]),
    ("aws:SecureTransport", &["true", "false"]),
    ("aws:SourceIp", &["203.0.113.7", "198.51.100.1"]),
    ("aws:MultiFactorAuthAge", &["100", "9000"]),
    ("aws:CurrentTime", &["2024-06-01T12:00:00Z", "2020-01-01T00:00:00Z"]),
    ("aws:SourceVpc", &["vpc-1"]),
];

fn context(dice: &mut Dice) -> Json {
    let mut context = serde_json::Map::new();
    for (key, values) in CONTEXTS {
        if dice.below(2) == 0 {
            context.insert((*key).to_owned(), json!(dice.one(values)));
        }
    }
    Json::Object(context)
}

fn everything() -> Json {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] })
}

/// A policy with something to say of an action on a resource, perhaps.
fn policy(dice: &mut Dice, (action, resource): (&str, &str), principal: Option<&Json>, effects: &[&str]) -> Json {
    let service = action.split(':').next().unwrap_or_default();
    let some = |dice: &mut Dice| {
        let action = dice.one(&[action.to_owned(), format!("{service}:*"), format!("{service}:Get*")]).clone();
        let resource = dice.one(&[resource.to_owned(), "*".to_owned(), format!("arn:aws:{service}:*:*:*")]).clone();
        let mut statement = json!({ "Effect": dice.one(effects), "Action": action, "Resource": resource });
        if let Some(principal) = principal {
            statement["Principal"] = principal.clone();
        }
        if dice.below(2) == 0 {
            let (operator, key, value) = dice.one(CONDITIONS);
            statement["Condition"] = json!({ (*operator): { (*key): value } });
        }
        statement
    };
    let statements: Vec<Json> = (0..=dice.below(3)).map(|_| some(dice)).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// A request with policies of every kind that there may be, in the case form.
fn case(dice: &mut Dice) -> Json {
    let role = format!("arn:aws:iam::{ACCOUNT}:role/App");
    let callers =
        [format!("arn:aws:iam::{ACCOUNT}:user/ann"), role.clone(), format!("arn:aws:sts::{ACCOUNT}:assumed-role/App/me")];
    let caller = dice.one(&callers).clone();
    let target = *dice.one(TARGETS);
    let (action, resource) = target;
    let both = ["Allow", "Allow", "Allow", "Deny"];
    let mut policies = json!({ "identity": [policy(dice, target, None, &both), policy(dice, target, None, &both)] });
    if dice.below(3) == 0 {
        let whom = dice.one(&[json!({ "AWS": ACCOUNT }), json!({ "AWS": role }), json!({ "AWS": "444455556666" })]).clone();
        policies["resource"] = policy(dice, target, Some(&whom), &both);
    }
    if dice.below(4) == 0 {
        policies["boundary"] = json!([everything()]);
    }
    if dice.below(3) == 0 {
        let own = policy(dice, target, None, &["Deny"]);
        policies["scp"] =
            json!([{ "node": "r-1", "policies": [everything()] }, { "node": ACCOUNT, "policies": [everything(), own] }]);
    }
    if dice.below(4) == 0 && action.starts_with("s3:") {
        let mut deny = policy(dice, ("s3:*", resource), Some(&json!("*")), &["Deny"]);
        for statement in deny["Statement"].as_array_mut().into_iter().flatten() {
            statement["Action"] = json!("s3:*");
        }
        policies["rcp"] = json!([{ "node": "r-1", "policies": [deny] }]);
    }
    if dice.below(5) == 0 {
        let mut open = everything();
        open["Statement"][0]["Principal"] = json!("*");
        policies["vpc_endpoint"] = json!([open]);
    }
    json!({ "request": { "principal": caller, "action": action, "resource": resource, "resource_account": ACCOUNT,
        "context": context(dice) }, "policies": policies })
}

fn write_cases(path: &Path, mut make: impl FnMut(&mut Dice) -> Json) -> Result<String, String> {
    let mut dice = Dice(1);
    let text: String = (0..CASES).map(|_| make(&mut dice).to_string() + "\n").collect();
    write_file(path, &text)?;
    Ok(path.display().to_string())
}

/// How many of the answers differ, in words.
fn differences(ours: impl Iterator<Item = String>, theirs: impl Iterator<Item = String>) -> Result<String, String> {
    let (ours, theirs): (Vec<String>, Vec<String>) = (ours.collect(), theirs.collect());
    if ours.len() != theirs.len() {
        return Err(format!("{} answers of ours, {} of theirs", ours.len(), theirs.len()));
    }
    let differ = ours.iter().zip(&theirs).filter(|(a, b)| a != b).count();
    Ok(format!("{differ} of {} decisions differ", ours.len()))
}

fn said(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|e| format!("cannot run {command:?}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The same file of cases to both: inside the processes, policies read, and whole processes from JSON to a decision a line.
fn all_kinds(bench: &Bench, folder: &Path) -> Result<Vec<Row>, String> {
    let cases = write_cases(&folder.join("cases.jsonl"), case)?;
    let eval = bench.palisade(&["iam", "eval", "--case", &cases]);
    let mut simulate = simulate(bench, folder, &cases)?;
    let (ours, letters) = evaluated(&bench.example("palisade-iam", "evaluate", &[&cases])?)?;
    let output = simulate.output().map_err(|e| format!("cannot run node: {e}\n  help: install Node.js and npm"))?;
    let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let theirs: f64 = told.trim().parse().map_err(|_| format!("iam-simulate says `{told}`"))?;
    let letter = |line: &str| match line {
        "Allowed" => "A".to_owned(),
        "ExplicitlyDenied" => "D".to_owned(),
        "ImplicitlyDenied" => "I".to_owned(),
        other => other.to_owned(),
    };
    let differ = differences(letters.into_iter(), said.lines().map(letter))?;
    let row = |what: &str, ours: f64, theirs: f64| Row {
        what: format!("{CASES} requests over all kinds of policies, {what}; {differ}"),
        ours: format!("{ours:.0} a CPU second"),
        beside: format!("iam-simulate: {theirs:.0} a CPU second"),
        ratio: format!("{} the speed", times(theirs, ours)),
    };
    let inside = row("inside the process, policies read before", ours, theirs);
    let (ours, theirs) = pair(&eval, &simulate, 3)?;
    let rate = |seconds: f64| CASES as f64 / seconds.max(f64::MIN_POSITIVE);
    Ok(vec![inside, row("whole process, JSON to JSON", rate(ours.cpu_seconds), rate(theirs.cpu_seconds))])
}

/// What an evaluating program tells: the evaluations of a CPU second, and a letter for what each case came to.
fn evaluated(told: &str) -> Result<(f64, Vec<String>), String> {
    let (rate, letters) = told.trim().split_once('\n').ok_or_else(|| format!("the program says `{told}`"))?;
    Ok((rate.parse().map_err(|e| format!("`{rate}`: {e}"))?, letters.chars().map(String::from).collect()))
}

fn simulate(bench: &Bench, folder: &Path, cases: &str) -> Result<Command, String> {
    let installed = bench.npm_package("iam-simulate", SIMULATE)?;
    let script = folder.join("iam-simulate.mjs");
    write_file(&script, include_str!("peers/iam-simulate.mjs"))?;
    let mut command = Command::new("node");
    command.arg(script).arg(cases).env("PEER_FOLDER", installed);
    Ok(command)
}

/// Compiled policies, one against one request, inside the processes.
fn one_policy(bench: &Bench, folder: &Path) -> Result<Vec<Row>, String> {
    let cases = write_cases(&folder.join("single.jsonl"), |dice| {
        let target = *dice.one(TARGETS);
        let own = policy(dice, target, None, &["Allow", "Allow", "Deny"]);
        json!({ "request": { "principal": format!("arn:aws:iam::{ACCOUNT}:user/ann"), "action": target.0, "resource": target.1,
            "resource_account": ACCOUNT, "context": context(dice) }, "policies": { "identity": [own] } })
    })?;
    let ours = bench.example("palisade-iam", "evaluate", &[&cases])?;
    let program = iam_rs(bench)?;
    let theirs = said(Command::new(program).arg(&cases))?;
    let (ours, theirs) = (evaluated(&ours)?, evaluated(&theirs)?);
    let differ = differences(ours.1.into_iter(), theirs.1.into_iter())?;
    Ok(vec![Row {
        what: format!("one compiled policy against one request; {differ}"),
        ours: format!("{:.0} a CPU second", ours.0),
        beside: format!("iam-rs: {:.0} a CPU second", theirs.0),
        ratio: format!("{} the speed", times(theirs.0, ours.0)),
    }])
}

fn iam_rs(bench: &Bench) -> Result<PathBuf, String> {
    let project = bench.tools.join("iam-rs-peer");
    std::fs::create_dir_all(project.join("src")).map_err(|e| format!("cannot make `{}`: {e}", project.display()))?;
    let manifest = format!(
        "[package]\nname = \"iam-rs-peer\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
         iam-rs = \"{IAM_RS}\"\nserde_json = \"1\"\n"
    );
    write_file(&project.join("Cargo.toml"), &manifest)?;
    write_file(&project.join("src/main.rs"), include_str!("peers/iam-rs.rs"))?;
    let mut build = cargo(&["build", "--quiet", "--release", "--ignore-rust-version"]);
    build.current_dir(&project).env("CARGO_TARGET_DIR", project.join("target"));
    spawn(build)?;
    Ok(project.join("target/release/iam-rs-peer"))
}

/// What the APIs tell of an account of many roles, each with two of the account's policies.
fn details() -> Json {
    let mut dice = Dice(2);
    let policy_arn = |number: usize| format!("arn:aws:iam::{ACCOUNT}:policy/p{number}");
    let policies: Vec<Json> = (0..2 * ROLES)
        .map(|number| {
            let document = policy(&mut dice, TARGETS[number % TARGETS.len()], None, &["Allow"]);
            json!({ "PolicyName": format!("p{number}"), "PolicyId": format!("ANPAEXAMPLE{number:09}"), "Arn": policy_arn(number),
                "Path": "/", "DefaultVersionId": "v1", "AttachmentCount": 1, "PermissionsBoundaryUsageCount": 0, "IsAttachable": true,
                "CreateDate": "2024-01-01T00:00:00+00:00", "UpdateDate": "2024-01-01T00:00:00+00:00",
                "PolicyVersionList": [{ "Document": document, "VersionId": "v1", "IsDefaultVersion": true,
                    "CreateDate": "2024-01-01T00:00:00+00:00" }] })
        })
        .collect();
    let roles: Vec<Json> = (0..ROLES)
        .map(|number| {
            let attached = [2 * number, 2 * number + 1].map(|p| json!({ "PolicyName": format!("p{p}"), "PolicyArn": policy_arn(p) }));
            json!({ "Path": "/", "RoleName": format!("r{number}"), "RoleId": format!("AROAEXAMPLE{number:09}"),
                "Arn": format!("arn:aws:iam::{ACCOUNT}:role/r{number}"), "CreateDate": "2024-01-01T00:00:00+00:00",
                "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
                    "Principal": { "Service": "lambda.amazonaws.com" }, "Action": "sts:AssumeRole" }] },
                "InstanceProfileList": [], "RolePolicyList": [], "AttachedManagedPolicies": attached, "Tags": [], "RoleLastUsed": {} })
        })
        .collect();
    json!({ "UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles, "Policies": policies })
}

/// All that is wrong with who may do what in an account.
fn account(bench: &Bench, folder: &Path) -> Result<Vec<Row>, String> {
    let saved = folder.join("details.json");
    write_file(&saved, &details().to_string())?;
    let saved = saved.display().to_string();
    let report = folder.join("cloudsplaining");
    std::fs::create_dir_all(&report).map_err(|e| format!("cannot make `{}`: {e}", report.display()))?;
    let mut peer = bench.python_tool("cloudsplaining", &[CLOUDSPLAINING], "cloudsplaining")?;
    peer.args(["scan", "--skip-open-report", "--input-file", &saved, "--output"]).arg(&report);
    let (ours, theirs) = pair(&bench.palisade(&["scan", &saved, "--format", "json"]), &peer, 1)?;
    let what = format!("an account of {ROLES} roles and {} policies, scanned", 2 * ROLES);
    let row = |ours: String, beside: String, ratio: String| Row { what: what.clone(), ours, beside, ratio };
    Ok(vec![
        row(
            format!("{:.2} CPU s", ours.cpu_seconds),
            format!("cloudsplaining: {:.2} CPU s", theirs.cpu_seconds),
            format!("{} less", times(ours.cpu_seconds, theirs.cpu_seconds)),
        ),
        row(
            format!("{:.0} MB", ours.memory_mb),
            format!("cloudsplaining: {:.0} MB", theirs.memory_mb),
            format!("{} less", times(ours.memory_mb, theirs.memory_mb)),
        ),
    ])
}

/// What `cargo bench -p palisade-iam` tells of inclusion and of the graph of 1,000 roles.
fn alone() -> Result<Vec<Row>, String> {
    let told = said(&mut cargo(&["bench", "--quiet", "--package", "palisade-iam", "--bench", "speed"]))?;
    let row = |line: &str| {
        let (what, figures) = line.split_once(": ").unwrap_or((line, ""));
        Row { what: what.to_owned(), ours: figures.to_owned(), beside: String::new(), ratio: String::new() }
    };
    Ok(told.lines().filter(|line| !line.is_empty()).map(row).collect())
}
