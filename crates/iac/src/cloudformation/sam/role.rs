//! The role that a function or state machine runs as, from its `Policies`.

use model::{GapReason, Path, SpanTable, Value};
use serde_json::Value as Json;

use super::made::{Made, list, map, text};
use super::part::Part;
use super::{Expansion, Source, facts};

/// A role in the making.
#[derive(Default)]
pub(crate) struct Role {
    pub(crate) managed: Vec<Value>,
    pub(crate) policies: Vec<Value>,
    spans: SpanTable,
}

impl Role {
    /// Adds a managed policy unless it is there.
    pub(crate) fn attach(&mut self, policy: Value) {
        if !self.managed.contains(&policy) {
            self.managed.push(policy);
        }
    }

    /// Adds an inline policy unless there is one with the same document.
    pub(crate) fn embed(&mut self, policy: Value, from: Part<'_>) {
        let same = |other: &Value| other.get("PolicyDocument") == policy.get("PolicyDocument");
        if !self.policies.iter().any(same) {
            self.push(policy, from);
        }
    }

    /// Adds an inline policy.
    pub(crate) fn push(&mut self, policy: Value, from: Part<'_>) {
        if let Some(span) = from.span() {
            self.spans.insert(Path::ROOT.key("Policies").item(self.policies.len()), span);
        }
        self.policies.push(policy);
    }

    /// Puts the policies into the role's resource.
    pub(crate) fn finish(self, made: &mut Made) {
        made.set("ManagedPolicyArns", Value::List(self.managed));
        if !self.policies.is_empty() {
            let holder = map([("Policies", Value::List(self.policies))]);
            made.copy("Policies", Part::new(&holder, &self.spans, None).get("Policies"));
        }
    }
}

/// The policies of `source` (its property `Policies`), added to `role`. `role_id` is the logical id of the role.
pub(crate) fn add_policies(cx: &Expansion<'_, '_, '_>, source: &Source, role_id: &str, role: &mut Role) {
    for (index, part) in source.get("Policies").one_or_more().into_iter().enumerate() {
        let name = format!("{role_id}Policy{index}");
        match part.value {
            Value::Null => {}
            Value::Str(policy) => role.attach(managed(cx, policy)),
            Value::Link(_) | Value::Mixed(_) => role.attach(part.value.clone()),
            Value::Unknown(why) => {
                role.attach(part.value.clone());
                // A choice that is not known may be of either kind.
                if !why.present {
                    role.push(part.value.clone(), part);
                }
            }
            Value::Map(members) if members.contains_key("Statement") => {
                let at = Path::ROOT.key("Policies").item(role.policies.len());
                part.copy_spans(at.key("PolicyDocument"), &mut role.spans);
                role.push(map([("PolicyName", text(name)), ("PolicyDocument", part.value.clone())]), part);
            }
            Value::Map(_) => match template(cx, source, part) {
                Some(document) => role.push(map([("PolicyName", text(name)), ("PolicyDocument", document)]), part),
                None => {
                    cx.gap(source, Some(part), GapReason::Malformed, "this is neither a policy nor one of SAM's policy templates")
                }
            },
            _ => cx.gap(source, Some(part), GapReason::Malformed, "this is no policy"),
        }
    }
}

/// What a text among the policies means: an ARN, or the name of a managed policy of AWS.
fn managed(cx: &Expansion<'_, '_, '_>, policy: &str) -> Value {
    match facts::managed_policy(policy) {
        Some(path) if !policy.starts_with("arn:") => cx.managed_policy(path),
        _ => text(policy),
    }
}

/// The document of `{TemplateName: {Parameter: value}}`.
fn template(cx: &Expansion<'_, '_, '_>, source: &Source, part: Part<'_>) -> Option<Value> {
    let mut entries = part.entries();
    let (Some((name, values)), None) = (entries.next(), entries.next()) else { return None };
    let (parameters, document) = facts::policy_template(name)?;
    for parameter in parameters {
        if !values.get(parameter).is_set() {
            let detail = format!("the policy template `{name}` needs a value for `{parameter}`");
            cx.gap(source, Some(part), GapReason::Malformed, &detail);
        }
    }
    Some(fill(cx, document, values))
}

/// A policy template's document with its parameters filled in. It uses `Ref`, and `Fn::Sub` with and without variables.
fn fill(cx: &Expansion<'_, '_, '_>, document: &Json, values: Part<'_>) -> Value {
    match document {
        Json::Object(members) => match members.iter().next() {
            Some((key, inner)) if members.len() == 1 && key == "Ref" => {
                let name = inner.as_str().unwrap_or_default();
                if name.starts_with("AWS::") { cx.pseudo(name) } else { values.get(name).value.clone() }
            }
            Some((key, inner)) if members.len() == 1 && key == "Fn::Sub" => match inner {
                Json::String(pattern) => cx.compose(pattern, &[]),
                _ => {
                    let pattern = inner.get(0).and_then(Json::as_str).unwrap_or_default();
                    let variables = inner.get(1).and_then(Json::as_object).into_iter().flatten();
                    let filled: Vec<(&str, Value)> = variables.map(|(name, v)| (name.as_str(), fill(cx, v, values))).collect();
                    let borrowed: Vec<(&str, &Value)> = filled.iter().map(|(name, value)| (*name, value)).collect();
                    cx.compose(pattern, &borrowed)
                }
            },
            _ => Value::Map(members.iter().map(|(key, inner)| (key.as_str().into(), fill(cx, inner, values))).collect()),
        },
        Json::Array(items) => Value::List(items.iter().map(|item| fill(cx, item, values)).collect()),
        other => model::from_json(other),
    }
}

/// A trust policy that lets a service assume the role.
pub(crate) fn trust(service: &str) -> Value {
    let statement = map([
        ("Action", list([text("sts:AssumeRole")])),
        ("Effect", text("Allow")),
        ("Principal", map([("Service", list([text(service)]))])),
    ]);
    map([("Version", text("2012-10-17")), ("Statement", list([statement]))])
}

/// `{PolicyName, PolicyDocument}` with statements.
pub(crate) fn policy<const N: usize>(name: String, statements: [Value; N]) -> Value {
    map([("PolicyName", text(name)), ("PolicyDocument", map([("Statement", list(statements))]))])
}

/// A statement that allows something.
pub(crate) fn allow(action: Value, resource: Value) -> Value {
    map([("Action", action), ("Effect", text("Allow")), ("Resource", resource)])
}

/// The inline policy that lets a role send to a destination of a type; `None` for a type that needs none.
pub(crate) fn send_policy(cx: &Expansion<'_, '_, '_>, kind: &str, id: &str, to: &Value) -> Option<Value> {
    let one = |action: &str, suffix: &str| Some(policy(format!("{id}{suffix}"), [allow(text(action), to.clone())]));
    match kind {
        "SQS" => one("sqs:SendMessage", "SQSPolicy"),
        "SNS" => one("sns:publish", "SNSPolicy"),
        "EventBridge" => one("events:PutEvents", "EventBridgePolicy"),
        "Lambda" => one("lambda:InvokeFunction", "LambdaPolicy"),
        "S3Bucket" | "S3" => {
            let all = cx.compose("${Bucket}/*", &[("Bucket", to)]);
            let statements = [allow(text("s3:PutObject"), all), allow(text("s3:ListBucket"), to.clone())];
            Some(policy(format!("{id}S3Policy"), statements))
        }
        _ => None,
    }
}
