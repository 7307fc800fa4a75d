//! iam-rs on cases of one policy each: `peer CASES`. Says the evaluations of a CPU second, then what each case came to. Built by
//! `cargo xtask bench iam` in a folder of its own.

use std::hint::black_box;
use std::time::{Duration, Instant};

use iam_rs::{Arn, Context, ContextValue, Decision, IAMPolicy, IAMRequest, PolicyEvaluator, Principal, PrincipalId};
use serde_json::Value;

fn main() {
    let text = std::fs::read_to_string(std::env::args().nth(1).unwrap()).unwrap();
    let cases: Vec<(PolicyEvaluator, IAMRequest)> = text.lines().map(|line| case(&serde_json::from_str(line).unwrap())).collect();
    let (started, before, mut rounds) = (Instant::now(), cpu(), 0);
    while started.elapsed() < Duration::from_secs(1) {
        for (policy, request) in &cases {
            let _ = black_box(policy.evaluate(request));
        }
        rounds += 1;
    }
    println!("{:.0}", (rounds * cases.len()) as f64 / (cpu() - before).as_secs_f64());
    let letter = |(policy, request): &(PolicyEvaluator, IAMRequest)| match policy.evaluate(request).map(|r| r.decision) {
        Ok(Decision::Allow) => 'A',
        Ok(Decision::Deny) => 'D',
        Ok(Decision::NotApplicable) => 'I',
        Err(_) => '!',
    };
    println!("{}", cases.iter().map(letter).collect::<String>());
}

fn case(case: &Value) -> (PolicyEvaluator, IAMRequest) {
    let text = |name: &str| case["request"][name].as_str().unwrap_or_default().to_owned();
    let mut context = Context::new();
    for (key, value) in case["request"]["context"].as_object().into_iter().flatten() {
        let value = match value.as_str() {
            Some("true") => ContextValue::Boolean(true),
            Some("false") => ContextValue::Boolean(false),
            text => ContextValue::String(text.unwrap_or_default().to_owned()),
        };
        context.insert(key.clone(), value);
    }
    let policy: IAMPolicy = serde_json::from_value(case["policies"]["identity"][0].clone()).unwrap();
    let principal = Principal::Aws(PrincipalId::String(text("principal")));
    let request = IAMRequest::new_with_context(principal, text("action"), Arn::parse(&text("resource")).unwrap(), context);
    (PolicyEvaluator::with_policies(vec![policy]), request)
}

/// The CPU time of this thread.
fn cpu() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(told.split_whitespace().next().unwrap().parse().unwrap())
}
