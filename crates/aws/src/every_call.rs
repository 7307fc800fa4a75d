//! Every operation that the catalogue makes, answered and then failed in every way, one after the other: nothing that was read
//! becomes another value, only unknown, and a gap names the operation.
//!
//! What the fault makes of the verdicts is tested in `palisade`'s `tests/live.rs`, for the operations that moto has.

mod made_up;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::{Region, Resource, Value};
use serde_json::Value as Json;

use crate::canned::{Asked, Reply, Server, serve};
use crate::collect::{Collected, Plan, Watch, collect};
use crate::environment::Environment;
use crate::settings::{Config, Limits};
use made_up::{Call, asked_for, reply, samples};

/// Operations whose answers here give no reason to make them.
const NOT_MADE: &[(&str, &str)] = &[
    // The listing says where the bucket is.
    ("s3", "GetBucketLocation"),
];

/// An account in which every call has an answer, but the one that fails.
struct Account {
    calls: Arc<Vec<Call>>,
    samples: Arc<BTreeMap<Call, Json>>,
}

impl Account {
    fn server(&self, failing: Option<(Call, Reply)>, made: Arc<Mutex<BTreeSet<Call>>>) -> Server {
        let (calls, samples) = (Arc::clone(&self.calls), Arc::clone(&self.samples));
        serve(move |asked: &Asked, _| match asked.operation().as_str() {
            "GetCallerIdentity" => Reply::ok(
                "<R><GetCallerIdentityResult><Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/a</Arn></GetCallerIdentityResult></R>",
            ),
            "DescribeRegions" => Reply::ok("<R><regionInfo><item><regionName>eu-west-1</regionName></item></regionInfo></R>"),
            _ => {
                let Some(call) = asked_for(asked, &calls) else {
                    return Reply::of(400, format!("{{\"__type\":\"NobodyKnows\",\"message\":\"{}\"}}", asked.path));
                };
                made.lock().unwrap().insert(call.clone());
                match &failing {
                    Some((failing, fault)) if failing == call => fault.clone(),
                    _ => reply(call, samples.get(call)),
                }
            }
        })
    }
}

fn run(plan: &Plan, server: &Server) -> Collected {
    let vars = [("AWS_ENDPOINT_URL", server.url.as_str()), ("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "s")];
    let limits = Limits {
        tries_max: 1,
        throttled_tries_max: 1,
        wait_min: Duration::from_millis(1),
        calls_per_second: 1e6,
        ..Limits::default()
    };
    let config = Config {
        environment: Environment::of(&vars),
        regions: vec![Region::new("eu-west-1").unwrap()],
        limits,
        ..Config::default()
    };
    collect(plan, &config, None, Watch { progress: &|_| {}, keep: None }).unwrap()
}

/// Ways in which an answer can be none; of those that are alike each call gets one.
fn faults(n: usize) -> [Reply; 5] {
    let either = |one: Reply, other: Reply| if n.is_multiple_of(2) { one } else { other };
    [
        either(
            Reply::of(403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"),
            Reply::of(400, "{\"__type\":\"AccessDeniedException\",\"message\":\"no\"}"),
        ),
        Reply::of(500, "oops"),
        Reply::of(400, "{\"__type\":\"ThrottlingException\"}"),
        either(Reply { cut: 9, ..Reply::ok("{") }, Reply::ok("")),
        either(Reply::ok("<html><body>Sign in</body></html>"), Reply::ok("\"?\"")),
    ]
}

#[test]
fn no_failing_call_makes_a_value() {
    let catalogue = catalogue::built_in();
    let plan = Plan::new(catalogue.folders()).unwrap();
    let calls: Vec<Call> = plan.calls().into_iter().map(|(s, c)| (s.to_owned(), c.to_owned())).collect();
    let account = Account { samples: Arc::new(samples(&calls)), calls: Arc::new(calls.clone()) };
    let made = Arc::new(Mutex::new(BTreeSet::new()));
    let whole = run(&plan, &account.server(None, Arc::clone(&made)));
    let made = made.lock().unwrap().clone();
    let not_made = |(s, c): &&Call| NOT_MADE.contains(&(s.as_str(), c.as_str()));
    let missing: Vec<&Call> = calls.iter().filter(|c| !made.contains(*c) && !not_made(c)).collect();
    assert!(missing.is_empty(), "never made: {missing:?}");
    assert_eq!(whole.snapshot.gaps, [], "an answer of the right shape is a gap");
    let malformed = |r: &&Resource| r.props.iter().any(|(_, v)| v.has_unknown());
    let odd: Vec<_> = whole.snapshot.resources.iter().filter(malformed).map(|r| (&r.type_name, &r.props)).collect();
    assert!(odd.len() <= 40, "{odd:?}");
    let absent: Vec<_> = plan.type_names().filter(|t| !whole.snapshot.resources.iter().any(|r| r.type_name == **t)).collect();
    assert!(absent.is_empty(), "no resource of {absent:?}");

    let workers = 4;
    let problems: Vec<String> = std::thread::scope(|scope| {
        let of_worker = |first: usize| {
            let calls = calls.iter().enumerate().filter(|(_, c)| !not_made(c)).skip(first).step_by(workers);
            calls.flat_map(|(n, call)| every_fault(&plan, &account, call, faults(n / workers))).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..workers).map(|first| scope.spawn(move || of_worker(first))).collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
}

/// Fails one call in every way, with the types that need it.
fn every_fault(plan: &Plan, account: &Account, call: &Call, faults: [Reply; 5]) -> Vec<String> {
    let plan = plan.only(&plan.types_that_call(&call.1));
    let nobody = || Arc::new(Mutex::new(BTreeSet::new()));
    let whole = run(&plan, &account.server(None, nobody()));
    let mut problems = Vec::new();
    for fault in faults {
        let what = format!("{}:{} {} {:?}", call.0, call.1, fault.status, fault.body);
        let got = run(&plan, &account.server(Some((call.clone(), fault)), nobody()));
        problems.extend(differences(&whole, &got).into_iter().map(|p| format!("{what}: {p}")));
        let named = got.snapshot.gaps.iter().any(|g| g.matters && g.what == format!("{}:{}", call.0, call.1));
        if got.snapshot != whole.snapshot && !named {
            problems.push(format!("{what}: no gap names it: {:?}", got.snapshot.gaps));
        }
        if got.snapshot == whole.snapshot {
            problems.push(format!("{what}: makes no difference"));
        }
    }
    problems
}

/// What the failure made other than unknown.
fn differences(whole: &Collected, got: &Collected) -> Vec<String> {
    let same = |a: &Resource, b: &Resource| a.type_name == b.type_name && a.id == b.id;
    let mut out = Vec::new();
    for before in &whole.snapshot.resources {
        let Some(after) = got.snapshot.resources.iter().find(|r| same(r, before)) else {
            if !got.snapshot.gaps.iter().any(|g| g.matters && g.type_name.as_ref() == Some(&before.type_name)) {
                out.push(format!("{} {} is gone and no gap says so", before.type_name, before.id));
            }
            continue;
        };
        for (key, value) in before.props.iter() {
            let now = after.props.get(key).unwrap_or(&Value::Null);
            if now != value && !now.has_unknown() {
                out.push(format!("{} of {} {} was {value:?} and is now {now:?}", key, before.type_name, before.id));
            }
        }
        for (key, value) in after.props.iter().filter(|(k, v)| !before.props.contains_key(k) && !v.has_unknown() && !v.is_null())
        {
            out.push(format!("{key} of {} {} is {value:?} out of nothing", before.type_name, before.id));
        }
    }
    for extra in &got.snapshot.resources {
        let known = whole.snapshot.resources.iter().any(|r| same(r, extra));
        if !known && !extra.props.iter().any(|(_, v)| v.has_unknown()) {
            out.push(format!("{} {} came out of nothing", extra.type_name, extra.id));
        }
    }
    out
}
