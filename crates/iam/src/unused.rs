//! Which access is never used: what CloudTrail saw of a principal, and a smaller policy that denies none of those calls.
//!
//! The smaller policy is proved twice: every call that was made is replayed against it, and it is compared with what the
//! principal has now, which it must not be broader than. What CloudTrail does not log by default (data events) is kept.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::Truth;
use serde_json::{Map, Value as Json, json};

use crate::account::{Account, Attached, Principal};
use crate::authorization::Authorization;
use crate::document::{Actions, Effect, Policy, Statement};
use crate::evaluate::{Asked, Decision, evaluate};
use crate::inclusion::{Inclusion, PolicyType, no_broader_all};
use crate::request::{Caller, Context, Mode, Request};
use crate::why::Call;

/// Most distinct calls that are kept of one principal.
pub const CALLS_MAX: usize = 100_000;

/// What a trail says of the calls of one principal.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// Action and resource of each call that succeeded.
    pub made: BTreeSet<(String, String)>,
    /// Services with calls whose action is not known: nothing of theirs is taken away.
    pub unclear: BTreeSet<String>,
    /// True if [`CALLS_MAX`] was reached.
    pub cut: bool,
}

impl Calls {
    /// Adds a call; a denied one says nothing about what is needed.
    pub fn add(&mut self, call: &Call, facts: &Authorization) {
        if call.denied {
            return;
        }
        for action in &call.actions {
            let (service, name) = action.split_once(':').unwrap_or((action, ""));
            if facts.action(service, name).is_none() {
                self.unclear.insert(service.to_ascii_lowercase());
            }
            if self.made.len() >= CALLS_MAX {
                self.cut = true;
            } else {
                self.made.insert((facts.proper(action), call.resource.clone()));
            }
        }
    }
}

/// The answer for one principal.
#[derive(Clone, Debug)]
pub struct Unused {
    /// Actions that were called, in order.
    pub used: Vec<String>,
    /// Allowed patterns that no call needed, with the policy they stand in.
    pub unused: Vec<String>,
    /// The smaller policy, in place of all that is attached now. `None` if it cannot be proved.
    pub policy: Option<Json>,
    /// Calls that were replayed.
    pub replayed: usize,
    /// Calls that what was read does not explain: they are allowed elsewhere.
    pub unexplained: Vec<String>,
    /// What is not certain.
    pub reasons: Vec<String>,
}

/// Actions that CloudTrail logs only as data events, by service.
///
/// Source: CloudTrail user guide, "Logging data events".
const DATA_EVENTS: &[(&str, &[&str])] = &[
    (
        "s3",
        &[
            "GetObject",
            "GetObjectVersion",
            "PutObject",
            "DeleteObject",
            "DeleteObjectVersion",
            "ListBucket",
            "GetObjectAcl",
            "PutObjectAcl",
            "GetObjectTagging",
            "PutObjectTagging",
            "AbortMultipartUpload",
            "ListMultipartUploadParts",
            "ListBucketMultipartUploads",
            "RestoreObject",
            "GetObjectAttributes",
        ],
    ),
    ("lambda", &["InvokeFunction"]),
    (
        "dynamodb",
        &[
            "GetItem",
            "PutItem",
            "UpdateItem",
            "DeleteItem",
            "Query",
            "Scan",
            "BatchGetItem",
            "BatchWriteItem",
            "ConditionCheckItem",
            "GetRecords",
            "PartiQLSelect",
            "PartiQLInsert",
            "PartiQLUpdate",
            "PartiQLDelete",
        ],
    ),
    ("sqs", &["SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility"]),
    ("sns", &["Publish"]),
    ("kinesis", &["PutRecord", "PutRecords", "GetRecords", "GetShardIterator", "SubscribeToShard"]),
    ("logs", &["PutLogEvents"]),
    ("cloudwatch", &["PutMetricData"]),
    ("xray", &["PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"]),
    ("execute-api", &["Invoke", "ManageConnections"]),
    ("firehose", &["PutRecord", "PutRecordBatch"]),
    ("states", &["SendTaskSuccess", "SendTaskFailure", "SendTaskHeartbeat", "InvokeHTTPEndpoint"]),
    ("events", &["PutEvents"]),
    ("ssmmessages", &["CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel"]),
];

/// What a principal has and does not use. `logged` are the services of which the trail has data events.
pub fn unused(
    account: &Account,
    principal: &Principal,
    calls: &Calls,
    logged: &BTreeSet<String>,
    facts: &Authorization,
) -> Unused {
    let used: BTreeSet<&str> = calls.made.iter().map(|(action, _)| action.as_str()).collect();
    let mut out = Unused {
        used: used.iter().map(|a| (*a).to_owned()).collect(),
        unused: Vec::new(),
        policy: None,
        replayed: 0,
        unexplained: Vec::new(),
        reasons: Vec::new(),
    };
    if calls.cut {
        out.reasons.push(format!("only {CALLS_MAX} distinct calls were kept"));
    }
    let keeper = Keeper { used: &used, unclear: &calls.unclear, logged, facts };
    let mut statements: Vec<Json> = Vec::new();
    for attached in &principal.policies {
        if let Some(why) = &attached.policy.unreadable {
            out.reasons.push(format!("{}: {why}", attached.name));
        }
        for statement in &attached.policy.statements {
            if let Some(why) = &statement.unreadable {
                out.reasons.push(format!("{}.{}: {why}", attached.name, statement.label()));
            }
            let kept = if statement.effect == Effect::Allow { keeper.kept(attached, statement, &mut out.unused) } else { None };
            match (statement.effect, kept) {
                (Effect::Allow, Some(actions)) if actions.is_empty() => {}
                (_, actions) => statements.push(written(statement, actions)),
            }
        }
    }
    if !out.reasons.is_empty() {
        return out;
    }
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    let policy = Policy::from_json(&document.to_string());
    prove(account, principal, calls, &policy, &mut out);
    if out.reasons.is_empty() {
        out.policy = Some(document);
    }
    out
}

struct Keeper<'a> {
    used: &'a BTreeSet<&'a str>,
    unclear: &'a BTreeSet<String>,
    logged: &'a BTreeSet<String>,
    facts: &'a Authorization,
}

impl Keeper<'_> {
    /// The actions of a statement that stay. `None` keeps it as it is.
    fn kept(&self, attached: &Attached, statement: &Statement, unused: &mut Vec<String>) -> Option<Vec<String>> {
        let mut kept: BTreeSet<String> =
            self.used.iter().filter(|a| takes(&statement.actions, a)).map(|a| (*a).to_owned()).collect();
        for (service, names) in DATA_EVENTS.iter().filter(|(service, _)| !self.logged.contains(*service)) {
            let full = names.iter().map(|name| format!("{service}:{name}"));
            kept.extend(full.filter(|action| takes(&statement.actions, action) && self.known(action)));
        }
        if statement.actions.negated {
            // Of what nobody can list, a part cannot be kept.
            return if self.unclear.is_empty() { Some(kept.into_iter().collect()) } else { None };
        }
        for pattern in &statement.actions.patterns {
            let one = Actions { negated: false, patterns: vec![pattern.clone()] };
            let unclear = self.unclear.iter().any(|s| pattern.service.matches(s, &Context::default()) != Truth::False);
            if unclear {
                kept.insert(pattern.text.to_string());
            } else if !kept.iter().any(|action| takes(&one, action)) {
                unused.push(format!("{}.{}: {}", attached.name, statement.label(), pattern.text));
            }
        }
        Some(kept.into_iter().collect())
    }

    fn known(&self, action: &str) -> bool {
        action.split_once(':').is_some_and(|(service, name)| self.facts.action(service, name).is_some())
    }
}

fn takes(actions: &Actions, action: &str) -> bool {
    let request = Request::bare(Caller::Anonymous, action, "*", None, Context::new(Mode::Discovery));
    Asked::new(&request).actions(actions) != Truth::False
}

/// Replays the calls and compares the smaller policy with what there is.
fn prove(account: &Account, principal: &Principal, calls: &Calls, policy: &Policy, out: &mut Unused) {
    let smaller = Arc::new(policy.clone());
    for (action, resource) in &calls.made {
        let request = account.request(principal, action, resource);
        let before = account.policies(principal, action, resource);
        let mut after = before.clone();
        after.identity = vec![smaller.clone()];
        let (was, is) = (evaluate(&request, &before).decision(), evaluate(&request, &after).decision());
        out.replayed += 1;
        match (was, is) {
            (Decision::ImplicitlyDenied | Decision::ExplicitlyDenied, _) => {
                out.unexplained.push(format!("{action} on {resource}"));
            }
            (was, is) if was == is || is == Decision::Allowed => {}
            _ => out.reasons.push(format!("{action} on {resource} was made, and would not be certain to be allowed")),
        }
    }
    let now: Vec<&Policy> = principal.policies.iter().map(|a| &*a.policy).collect();
    match no_broader_all(&now, &[policy], PolicyType::Identity) {
        Inclusion::Yes => {}
        Inclusion::No { .. } => out.reasons.push("the smaller policy would allow more than there is".to_owned()),
        Inclusion::Unknown(reasons) => out.reasons.extend(reasons),
    }
}

/// A statement as JSON again, with these actions or its own.
fn written(statement: &Statement, actions: Option<Vec<String>>) -> Json {
    let mut out = Map::new();
    if let Some(sid) = &statement.sid {
        out.insert("Sid".into(), json!(&**sid));
    }
    out.insert("Effect".into(), json!(if statement.effect == Effect::Allow { "Allow" } else { "Deny" }));
    match actions {
        Some(actions) => drop(out.insert("Action".into(), json!(actions))),
        None => {
            let own: Vec<&str> = statement.actions.patterns.iter().map(|p| &*p.text).collect();
            out.insert(if statement.actions.negated { "NotAction" } else { "Action" }.into(), json!(own));
        }
    }
    if let Some(resources) = &statement.resources {
        let own: Vec<&str> = resources.patterns.iter().map(|(_, text)| &**text).collect();
        out.insert(if resources.negated { "NotResource" } else { "Resource" }.into(), json!(own));
    }
    let mut conditions: Map<String, Json> = Map::new();
    for clause in &statement.conditions {
        let values: Vec<&str> = clause.texts.iter().map(|t| &**t).collect();
        if let Some(keys) = conditions.entry(clause.operator_text.to_string()).or_insert_with(|| json!({})).as_object_mut() {
            keys.insert(clause.key_text.to_string(), json!(values));
        }
    }
    if !conditions.is_empty() {
        out.insert("Condition".into(), conditions.into());
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(statements: Json) -> Account {
        Account::from_authorization_details(&json!({ "RoleDetailList": [{
            "Arn": "arn:aws:iam::111122223333:role/App", "RoleName": "App",
            "RolePolicyList": [{ "PolicyName": "p", "PolicyDocument": { "Version": "2012-10-17", "Statement": statements } }] }] }))
        .unwrap()
    }

    fn answer(statements: Json, calls: &[(&str, &str)], logged: &[&str]) -> Unused {
        let account = account(statements);
        let facts = Authorization::built_in();
        let mut seen = Calls::default();
        for (action, resource) in calls {
            let call = Call {
                principal: "arn:aws:sts::111122223333:assumed-role/App/me".to_owned(),
                actions: vec![(*action).to_owned()],
                resource: (*resource).to_owned(),
                ..Call::default()
            };
            seen.add(&call, facts);
        }
        let logged = logged.iter().map(|s| (*s).to_owned()).collect();
        unused(&account, account.principals.first().unwrap(), &seen, &logged, facts)
    }

    #[test]
    fn keeps_what_was_called_and_no_more() {
        let statements = json!([
            { "Effect": "Allow", "Action": ["ec2:*", "iam:PassRole"], "Resource": "*" },
            { "Effect": "Allow", "Action": "sqs:*", "Resource": "arn:aws:sqs:eu-west-1:111122223333:q" },
            { "Effect": "Deny", "Action": "ec2:Terminate*", "Resource": "*" },
        ]);
        let found = answer(statements.clone(), &[("ec2:describeinstances", "*")], &["sqs"]);
        let policy = found.policy.unwrap();
        assert_eq!(policy["Statement"][0]["Action"], json!(["ec2:DescribeInstances"]));
        assert_eq!(policy["Statement"][1]["Effect"], "Deny");
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 2);
        assert_eq!((found.replayed, found.unexplained.len()), (1, 0));
        assert_eq!(found.unused.len(), 2, "{:?}", found.unused);
        // Without data events of SQS nobody knows whether messages were sent.
        let found = answer(statements, &[], &[]);
        let text = found.policy.unwrap().to_string();
        assert!(text.contains("sqs:SendMessage") && !text.contains("ec2:Describe"), "{text}");
    }

    #[test]
    fn what_is_not_known_is_not_taken_away() {
        let found = answer(
            json!([{ "Effect": "Allow", "Action": ["ec2:*", "sqs:*"], "Resource": "*" }]),
            &[("ec2:NoSuchThing", "*")],
            &["sqs"],
        );
        assert_eq!(found.policy.unwrap()["Statement"][0]["Action"], json!(["ec2:*", "ec2:NoSuchThing"]));
        let found = answer(json!([{ "Effect": "Allow", "Action": { "x": 1 }, "Resource": "*" }]), &[], &[]);
        assert!(found.policy.is_none() && !found.reasons.is_empty());
    }

    #[test]
    fn calls_allowed_elsewhere_are_told() {
        let found = answer(json!([{ "Effect": "Allow", "Action": "ec2:*", "Resource": "*" }]), &[("iam:GetUser", "*")], &[]);
        assert_eq!(found.unexplained, ["iam:GetUser on *"]);
        assert!(found.policy.is_some());
    }
}
