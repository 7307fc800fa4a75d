//! `ResourcePolicy` of a REST API: who may call it, from where.

use model::{Map, Text, Value};

use super::Expansion;
use super::body::{self, mapping};
use super::made::{list, map, text};
use super::part::{Part, says};

const POLICY: &str = "x-amazon-apigateway-policy";

/// Adds what the policy says of one path to the definition.
pub(crate) fn add(cx: &Expansion<'_, '_, '_>, doc: &mut Map, policy: Part<'_>, path: &str, stage: &Value) {
    let resources = methods(cx, doc, path, stage);
    for (key, effect) in [("AwsAccountWhitelist", "Allow"), ("AwsAccountBlacklist", "Deny")] {
        let accounts = policy.get(key);
        if accounts.says() {
            let principals = Value::List(accounts.one_or_more().iter().map(|a| a.value.clone()).collect());
            let principal = map([("AWS", principals)]);
            push(doc, statement(effect, &resources, principal, Value::Null), Repeat::Kept);
        }
    }
    for (key, operator) in [("IpRangeWhitelist", "NotIpAddress"), ("IpRangeBlacklist", "IpAddress")] {
        let ranges = policy.get(key);
        if ranges.says() {
            let all = Value::List(ranges.one_or_more().iter().map(|r| r.value.clone()).collect());
            guard(doc, &resources, map([(operator, map([("aws:SourceIp", all)]))]));
        }
    }
    for (list, operator) in [("Blacklist", "StringEquals"), ("Whitelist", "StringNotEquals")] {
        let condition = sources(policy, list);
        if !condition.is_empty() {
            guard(doc, &resources, map([(operator, Value::Map(condition))]));
        }
    }
    mapping(doc, POLICY);
}

/// The VPCs and endpoints that one of the lists names.
fn sources(policy: Part<'_>, list: &str) -> Map {
    let mut condition = Map::new();
    let mut extend = |key: &str, values: Vec<Value>| {
        if !values.is_empty() {
            let member = condition.entry(key);
            let mut all = member.as_list().map(<[Value]>::to_vec).unwrap_or_default();
            all.extend(values);
            *member = Value::List(all);
        }
    };
    let named = policy.get(&format!("SourceVpc{list}"));
    let starting = |prefix: &str| -> Vec<Value> {
        named.items().filter(|v| v.text().is_some_and(|t| t.starts_with(prefix))).map(|v| v.value.clone()).collect()
    };
    extend("aws:SourceVpc", starting("vpc-"));
    extend("aws:SourceVpce", starting("vpce-"));
    for (key, from) in [("aws:SourceVpc", "IntrinsicVpc"), ("aws:SourceVpce", "IntrinsicVpce")] {
        extend(key, policy.get(&format!("{from}{list}")).items().map(|v| v.value.clone()).collect());
    }
    condition
}

/// Adds the statements that are written out.
pub(crate) fn add_custom(doc: &mut Map, statements: Part<'_>) {
    if !statements.is_set() {
        return;
    }
    let there = doc.get(POLICY).and_then(|policy| policy.get("Statement")).is_some();
    let Some(policy) = mapping(doc, POLICY) else { return };
    policy.insert("Version", text("2012-10-17"));
    if there {
        for statement in statements.one_or_more() {
            push(doc, statement.value.clone(), Repeat::Dropped);
        }
    } else {
        policy.insert("Statement", statements.value.clone());
    }
}

/// Allows everybody, and denies those that the condition holds for.
fn guard(doc: &mut Map, resources: &Value, condition: Value) {
    let allow = statement("Allow", resources, text("*"), Value::Null);
    let deny = statement("Deny", resources, text("*"), condition);
    if doc.get(POLICY).and_then(|policy| policy.get("Statement")).is_none()
        && let Some(policy) = mapping(doc, POLICY)
    {
        policy.insert("Statement", list([]));
    }
    push(doc, allow, Repeat::Dropped);
    push(doc, deny, Repeat::Dropped);
}

fn statement(effect: &str, resources: &Value, principal: Value, condition: Value) -> Value {
    map([
        ("Effect", text(effect)),
        ("Action", text("execute-api:Invoke")),
        ("Resource", resources.clone()),
        ("Principal", principal),
        ("Condition", condition),
    ])
}

/// Whether a statement is added that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    Kept,
    Dropped,
}

fn push(doc: &mut Map, statement: Value, repeat: Repeat) {
    let Some(policy) = mapping(doc, POLICY) else { return };
    policy.insert("Version", text("2012-10-17"));
    let member = policy.entry("Statement");
    match member {
        // A single statement stands for itself.
        Value::Null => *member = statement,
        Value::List(items) => {
            if repeat == Repeat::Kept || !items.contains(&statement) {
                items.push(statement);
            }
        }
        one => {
            let first = std::mem::take(one);
            let repeated = repeat == Repeat::Dropped && first == statement;
            *one = if repeated { list([first]) } else { list([first, statement]) };
        }
    }
}

/// The ARNs of a path's methods.
fn methods(cx: &Expansion<'_, '_, '_>, doc: &Map, path: &str, stage: &Value) -> Value {
    let item = doc.get("paths").and_then(|paths| paths.get(path)).and_then(Value::as_map);
    let one = |name: &Text| {
        let method = if **name == *body::ANY || &**name == "any" { "*".to_owned() } else { name.to_uppercase() };
        cx.compose(&format!("execute-api:/${{Stage}}/{method}{}", body::wild(path)), &[("Stage", stage)])
    };
    let all: Vec<Value> = item.into_iter().flat_map(|item| item.keys().map(one)).filter(says).collect();
    Value::List(all)
}
