//! How fast: evaluations a second on compiled cases, inclusion on AWS's managed policies, the graph of a big account.
#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use iam::case::{self, Case};
use iam::{Account, Inclusion, Policy, PolicyType, evaluate, no_broader};
use serde_json::{Value as Json, json};

/// The CPU time of this thread, where the kernel tells it; or else the time since `started`.
fn cpu(started: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split_whitespace().next().and_then(|n| n.parse().ok());
    nanoseconds.map_or_else(|| started.elapsed(), Duration::from_nanos)
}

fn rate(name: &str, per_round: usize, mut round: impl FnMut()) {
    let started = Instant::now();
    let before = cpu(started);
    let mut rounds = 0;
    while cpu(started) - before < Duration::from_secs(1) {
        for _ in 0..1_000 {
            round();
        }
        rounds += 1_000;
    }
    let rate = (rounds * per_round) as f64 / (cpu(started) - before).as_secs_f64();
    println!("{name}: {rate:.0} a CPU second");
}

fn cases(text: &str) -> Vec<Case> {
    let read = |line: &str| case::read(&serde_json::from_str::<Json>(line).unwrap_or_default(), case::Validate::No).ok();
    text.lines().filter_map(read).collect()
}

fn main() {
    let single = cases(include_str!("../tests/cases/patterns.jsonl"));
    rate("single-policy evaluations", single.len(), || {
        for case in &single {
            black_box(evaluate(&case.request, &case.policies));
        }
    });
    let allow = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
    let own = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"] },
        { "Effect": "Deny", "Action": "s3:Delete*", "Resource": "*", "Condition": { "Bool": { "aws:SecureTransport": "false" } } }] });
    let resource = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": "111122223333" }, "Action": "s3:*", "Resource": "arn:aws:s3:::b/*" }] });
    let rcp = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
          "Condition": { "StringNotEqualsIfExists": { "aws:PrincipalOrgID": "o-1" } } }] });
    let all = json!({
        "request": { "principal": "arn:aws:sts::111122223333:assumed-role/App/me", "action": "s3:GetObject",
            "resource": "arn:aws:s3:::b/k", "resource_account": "111122223333",
            "context": { "aws:SecureTransport": "true", "aws:PrincipalOrgID": "o-1" } },
        "policies": { "identity": [own], "resource": resource, "session": allow, "boundary": [allow],
            "scp": [{ "node": "r", "policies": [allow] }, { "node": "ou", "policies": [allow, own] }],
            "rcp": [{ "node": "r", "policies": [rcp] }], "vpc_endpoint": [allow] },
    });
    let all: Vec<Case> = case::read(&all, case::Validate::No).into_iter().collect();
    rate("evaluations over all kinds of policies", 1, || {
        for case in &all {
            black_box(evaluate(&case.request, &case.policies));
        }
    });
    inclusion();
    account();
}

fn inclusion() {
    let policies: Vec<(&str, std::sync::Arc<Policy>)> = iam::managed::names()
        .into_iter()
        .filter_map(|name| Some((name, iam::managed::policy(&format!("arn:aws:iam::aws:policy/{name}"))?)))
        .collect();
    let mut times: Vec<(Duration, &str)> = Vec::new();
    let (mut unknown, mut wrong) = (0, 0);
    for (name, policy) in &policies {
        let started = Instant::now();
        match no_broader(policy, policy, PolicyType::Identity) {
            Inclusion::Yes => {}
            Inclusion::No { .. } => wrong += 1,
            Inclusion::Unknown(_) => unknown += 1,
        }
        times.push((started.elapsed(), name));
    }
    for pair in policies.windows(2) {
        if let [a, b] = pair {
            let started = Instant::now();
            unknown += usize::from(matches!(no_broader(&a.1, &b.1, PolicyType::Identity), Inclusion::Unknown(_)));
            times.push((started.elapsed(), b.0));
        }
    }
    times.sort_unstable();
    let at = |part: f64| times.get((times.len() as f64 * part) as usize).map_or(Duration::ZERO, |t| t.0);
    let slowest = times.last().map(|(time, name)| format!("{time:?} ({name})")).unwrap_or_default();
    println!(
        "inclusion of {} pairs of AWS's managed policies: p50 {:?}, p99 {:?}, slowest {slowest}",
        times.len(),
        at(0.5),
        at(0.99)
    );
    println!("pairs of which inclusion is unknown: {unknown}; policies told to be broader than themselves: {wrong}");
}

fn account() {
    let role = |i: usize| {
        let trusted = format!("arn:aws:iam::111122223333:role/r{}", (i + 1) % 1000);
        let services = if i.is_multiple_of(3) { "lambda.amazonaws.com" } else { "ec2.amazonaws.com" };
        json!({
            "Arn": format!("arn:aws:iam::111122223333:role/r{i}"), "RoleName": format!("r{i}"),
            "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Principal": { "AWS": trusted, "Service": services }, "Action": "sts:AssumeRole" }] },
            "RolePolicyList": [
                { "PolicyName": "a", "PolicyDocument": { "Version": "2012-10-17", "Statement": [
                    { "Effect": "Allow", "Action": ["s3:*", "lambda:*", "sts:AssumeRole"], "Resource": "*" }] } },
                { "PolicyName": "b", "PolicyDocument": { "Version": "2012-10-17", "Statement": [
                    { "Effect": "Allow", "Action": if i % 100 == 7 { "*" } else { "iam:PassRole" }, "Resource": "*" }] } }],
        })
    };
    let details = json!({ "RoleDetailList": (0..1000).map(role).collect::<Vec<_>>() });
    let started = Instant::now();
    let account = Account::from_authorization_details(&details).unwrap_or_default();
    let read = started.elapsed();
    let graph = iam::escalation::graph(&account);
    let paths = (0..account.principals.len()).filter(|i| graph.path(*i).is_some()).count();
    println!("assume-and-escalate graph of 1,000 roles: read in {read:?}, {paths} chains after {:?}", started.elapsed());
}
