//! `data.aws_iam_policy_document`, worked out from its arguments when parts of them are known only after apply.
//!
//! Rules: the data source's page in the AWS provider's documentation (defaults, `source_policy_documents` first, then the
//! statements, then `override_policy_documents` by `Sid`), and the IAM JSON policy grammar.

use model::{Map, Reason, Text, Value};

/// Documents larger than this are not merged.
const STATEMENTS_MAX: usize = 10_000;

/// The document as an object, with links and unknowns where parts are not known.
pub(crate) fn document(arguments: &Map) -> Value {
    let mut statements: Vec<Value> = Vec::new();
    for source in documents(arguments, ["source_json", "source_policy_documents"]) {
        statements.extend(statements_of(source));
    }
    match arguments.get("statement") {
        Some(Value::List(blocks)) => statements.extend(blocks.iter().map(statement)),
        Some(unknown @ Value::Unknown(_)) => statements.push(unknown.clone()),
        _ => {}
    }
    for source in documents(arguments, ["override_json", "override_policy_documents"]) {
        for overriding in statements_of(source) {
            let sid = overriding.get("Sid").and_then(Value::as_str).filter(|s| !s.is_empty());
            match sid.and_then(|sid| statements.iter().position(|s| s.get("Sid").and_then(Value::as_str) == Some(sid))) {
                Some(at) => statements.splice(at..=at, [overriding]).for_each(drop),
                None => statements.push(overriding),
            }
        }
    }
    statements.truncate(STATEMENTS_MAX);
    let mut out = Map::new();
    let version = arguments.get("version").filter(|v| !unset(v));
    out.insert("Version", version.cloned().unwrap_or_else(|| Value::text("2012-10-17")));
    if let Some(id) = arguments.get("policy_id").filter(|v| !unset(v)) {
        out.insert("Id", id.clone());
    }
    out.insert("Statement", Value::List(statements));
    Value::Map(out)
}

/// JSON text as a value; `None` if it is not JSON.
pub(crate) fn parse(text: &str) -> Option<Value> {
    super::json::parse(text, |_, _| false).ok().map(|node| super::json::to_value(&node))
}

fn unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Str(s) => s.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}

/// The documents that are handed in, as values: JSON text, or worked out already.
fn documents<'a>(arguments: &'a Map, names: [&str; 2]) -> Vec<&'a Value> {
    let mut all = Vec::new();
    for value in names.iter().filter_map(|name| arguments.get(name)) {
        match value {
            Value::List(items) => all.extend(items.iter().filter(|v| !unset(v))),
            value if unset(value) => {}
            value => all.push(value),
        }
    }
    all
}

fn statements_of(document: &Value) -> Vec<Value> {
    let parsed = match document {
        Value::Str(text) => parse(text),
        Value::Map(_) => Some(document.clone()),
        _ => None,
    };
    match parsed.as_ref().and_then(|d| d.get("Statement")) {
        Some(Value::List(items)) => items.clone(),
        Some(one @ Value::Map(_)) => vec![one.clone()],
        _ => vec![Value::unknown(Reason::AfterApply, "policy document")],
    }
}

fn statement(block: &Value) -> Value {
    let Value::Map(block) = block else { return block.clone() };
    let mut out = Map::new();
    if let Some(sid) = block.get("sid").filter(|v| !unset(v)) {
        out.insert("Sid", sid.clone());
    }
    let effect = block.get("effect").filter(|v| !unset(v));
    out.insert("Effect", effect.cloned().unwrap_or_else(|| Value::text("Allow")));
    for (name, key) in
        [("actions", "Action"), ("not_actions", "NotAction"), ("resources", "Resource"), ("not_resources", "NotResource")]
    {
        if let Some(value) = block.get(name).filter(|v| !unset(v)) {
            out.insert(key, one_or_many(value, name.ends_with("resources")));
        }
    }
    for (name, key) in [("principals", "Principal"), ("not_principals", "NotPrincipal")] {
        match block.get(name) {
            Some(Value::List(blocks)) if !blocks.is_empty() => {
                out.insert(key, principals(blocks));
            }
            Some(unknown @ Value::Unknown(_)) => {
                out.insert(key, unknown.clone());
            }
            _ => {}
        }
    }
    match block.get("condition") {
        Some(Value::List(blocks)) if !blocks.is_empty() => {
            out.insert("Condition", conditions(blocks));
        }
        Some(unknown @ Value::Unknown(_)) => {
            out.insert("Condition", unknown.clone());
        }
        _ => {}
    }
    Value::Map(out)
}

/// Terraform types whose ARNs have nothing below them.
const WHOLE: &[&str] = &[
    "aws_ecr_repository",
    "aws_efs_file_system",
    "aws_kinesis_stream",
    "aws_kms_key",
    "aws_secretsmanager_secret",
    "aws_sns_topic",
    "aws_sqs_queue",
];

/// A list of one as its item, as Terraform writes it. A link inside of a resource pattern may be a part of it only: the plan
/// does not tell `bucket.arn` from `"${bucket.arn}/*"`. Where an ARN has nothing below it, it is the whole.
fn one_or_many(value: &Value, pattern: bool) -> Value {
    let whole = |target: &str| target.split('.').any(|step| WHOLE.contains(&step));
    let item = |v: &Value| match v {
        Value::Link(link) if pattern && !whole(&link.target) => {
            Value::Mixed(vec![v.clone(), Value::unknown(Reason::AfterApply, "rest of the pattern")])
        }
        v => v.clone(),
    };
    match value {
        Value::List(items) => match items.as_slice() {
            [one] => item(one),
            all => Value::List(all.iter().map(item).collect()),
        },
        one => item(one),
    }
}

fn principals(blocks: &[Value]) -> Value {
    let mut out = Map::new();
    for block in blocks {
        let Some(kind) = block.get("type").and_then(Value::as_str) else {
            return Value::unknown(Reason::AfterApply, "type of principal");
        };
        let identifiers = block.get("identifiers").cloned().unwrap_or_default();
        if kind == "*" {
            return Value::text("*");
        }
        extend(out.entry(kind), identifiers);
    }
    for (_, value) in out.iter_mut() {
        *value = one_or_many(value, false);
    }
    Value::Map(out)
}

fn conditions(blocks: &[Value]) -> Value {
    let mut out = Map::new();
    for block in blocks {
        let (test, variable) = (block.get("test").and_then(Value::as_str), block.get("variable").and_then(Value::as_str));
        let (Some(test), Some(variable)) = (test, variable) else {
            return Value::unknown(Reason::AfterApply, "condition");
        };
        let inner = out.entry(test);
        if inner.is_null() {
            *inner = Value::Map(Map::new());
        }
        if let Value::Map(inner) = inner {
            extend(inner.entry(variable), block.get("values").cloned().unwrap_or_default());
        }
    }
    for (_, inner) in out.iter_mut() {
        if let Value::Map(inner) = inner {
            inner.iter_mut().for_each(|(_, value)| *value = one_or_many(value, false));
        }
    }
    Value::Map(out)
}

/// Adds to a list. What cannot be listed makes the whole unknown.
fn extend(slot: &mut Value, more: Value) {
    let mut all = match std::mem::take(slot) {
        Value::Null => Vec::new(),
        Value::List(items) => items,
        other => vec![other],
    };
    match more {
        Value::List(items) => all.extend(items),
        Value::Null => {}
        other => all.push(other),
    }
    *slot = Value::List(all);
}

/// The text of a policy as the object that it says; other text stays.
pub(crate) fn from_text(text: &Text) -> Value {
    parse(text).filter(|v| matches!(v, Value::Map(_) | Value::List(_))).unwrap_or_else(|| Value::Str(text.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{from_json, to_json};
    use serde_json::json;

    #[test]
    fn documents() {
        let cases = [
            (
                json!({ "statement": [{ "actions": ["s3:*"], "resources": ["*"], "principals": [{ "type": "AWS", "identifiers": ["*"] }] }] }),
                json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": { "AWS": "*" } }] }),
            ),
            (
                json!({ "version": "2008-10-17", "policy_id": "x", "statement": [{ "sid": "a", "effect": "Deny", "not_actions": ["s3:*", "ec2:*"],
                    "principals": [{ "type": "*", "identifiers": ["*"] }],
                    "condition": [{ "test": "Bool", "variable": "aws:SecureTransport", "values": ["false"] },
                                  { "test": "Bool", "variable": "aws:ViaAWSService", "values": ["true", "false"] }] }] }),
                json!({ "Version": "2008-10-17", "Id": "x", "Statement": [{ "Sid": "a", "Effect": "Deny", "NotAction": ["s3:*", "ec2:*"], "Principal": "*",
                    "Condition": { "Bool": { "aws:SecureTransport": "false", "aws:ViaAWSService": ["true", "false"] } } }] }),
            ),
            (
                json!({ "source_policy_documents": ["{\"Statement\":{\"Sid\":\"a\",\"Effect\":\"Allow\"}}"],
                    "override_policy_documents": ["{\"Statement\":[{\"Sid\":\"a\",\"Effect\":\"Deny\"},{\"Effect\":\"Deny\"}]}"] }),
                json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "a", "Effect": "Deny" }, { "Effect": "Deny" }] }),
            ),
            (
                json!({ "source_policy_documents": ["not json"] }),
                json!({ "Version": "2012-10-17", "Statement": [{ "$unknown": "known only after apply: policy document" }] }),
            ),
        ];
        for (arguments, expected) in cases {
            let Value::Map(arguments) = from_json(&arguments) else { panic!() };
            assert_eq!(to_json(&document(&arguments)), expected);
        }
    }
}
