//! Names for what has none yet: a reference to a resource of the same template or plan, in the `Resource` of a policy or in a
//! condition on who or what a request comes from, names exactly one thing. It gets an ARN or a name made of the resource's own name or else its id, the same one wherever the same
//! resource is meant, never with a wildcard in it, so that the policy can be weighed before it is deployed.
//!
//! The pseudo parameters are the own account, the partition `aws` and one Region. A parameter or an import that is (a part of)
//! the name of a resource of the scope has no wildcard in it either, so it stands for itself. Left out, and so still unknown:
//! other parameters and imports, values that only the deployment knows, and references to what is not in the scope.

use std::borrow::Cow;

use model::{Link, Map, Reason, Resource, ResourceIndex, ScopeIndex, Snapshot, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::account::OWN_ACCOUNT;

/// The Region of a template that does not say one.
const OWN_REGION: &str = "own-region";

/// Type, service, whether the ARN says Region and account, and what stands before the name. AWS Service Authorization
/// Reference, "Resource types".
const FORMS: &[(&str, &str, bool, &str)] = &[
    ("AWS::DynamoDB::Table", "dynamodb", true, "table/"),
    ("AWS::DynamoDB::GlobalTable", "dynamodb", true, "table/"),
    ("AWS::ECR::Repository", "ecr", true, "repository/"),
    ("AWS::Events::EventBus", "events", true, "event-bus/"),
    ("AWS::Events::Rule", "events", true, "rule/"),
    ("AWS::KMS::Key", "kms", true, "key/"),
    ("AWS::Kinesis::Stream", "kinesis", true, "stream/"),
    ("AWS::KinesisFirehose::DeliveryStream", "firehose", true, "deliverystream/"),
    ("AWS::Lambda::Function", "lambda", true, "function:"),
    ("AWS::Logs::LogGroup", "logs", true, "log-group:"),
    ("AWS::S3::Bucket", "s3", false, ""),
    ("AWS::SecretsManager::Secret", "secretsmanager", true, "secret:"),
    ("AWS::StepFunctions::StateMachine", "states", true, "stateMachine:"),
];

/// Global resources with a path: type, what stands before the path, the property with the name.
const IAM: &[(&str, &str, &str)] = &[
    ("AWS::IAM::User", "user", "UserName"),
    ("AWS::IAM::Role", "role", "RoleName"),
    ("AWS::IAM::Group", "group", "GroupName"),
    ("AWS::IAM::ManagedPolicy", "policy", "ManagedPolicyName"),
    ("AWS::IAM::InstanceProfile", "instance-profile", "InstanceProfileName"),
];

/// Properties with the physical name of a resource, or of the bucket that a policy is for.
const NAMES: &[&str] = &["Bucket", "BucketName", "FunctionName", "QueueName", "RepositoryName", "TableName", "TopicName"];

/// Condition keys, in lower case, whose values name one account, network or resource.
const KEYS: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:resourceaccount",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "kms:calleraccount",
];

/// The stand-ins of a snapshot.
#[derive(Debug)]
pub struct StandIns<'a> {
    pub(crate) snapshot: &'a Snapshot,
    /// Parameters and imports that name something.
    naming: FxHashSet<(ScopeIndex, &'a str)>,
    ids: FxHashMap<(ScopeIndex, &'a str), ResourceIndex>,
}

impl<'a> StandIns<'a> {
    /// For the resources of a snapshot.
    pub fn new(snapshot: &'a Snapshot) -> StandIns<'a> {
        let mut naming = FxHashSet::default();
        for resource in &snapshot.resources {
            for value in NAMES.iter().map(|property| resource.prop(property)) {
                let parts = if let Value::Mixed(parts) = value { parts.as_slice() } else { std::slice::from_ref(value) };
                naming.extend(parts.iter().filter_map(given).map(|what| (resource.scope, what)));
            }
        }
        StandIns { snapshot, naming, ids: snapshot.by_id() }
    }

    /// The policy document of a resource in `scope`, with stand-ins in its `Resource`, `NotResource` and `Condition`
    /// elements. `account` is the own account, where known.
    pub fn document<'d>(&self, document: &'d Value, scope: ScopeIndex, account: Option<&str>) -> Cow<'d, Value> {
        let Value::Map(map) = document else { return Cow::Borrowed(document) };
        if !has_parts(document) {
            return Cow::Borrowed(document);
        }
        let inside = Inside { all: self, scope, account: account.unwrap_or(OWN_ACCOUNT) };
        let statements = match map.get("Statement") {
            Some(Value::List(items)) => Value::List(items.iter().map(|item| inside.statement(item)).collect()),
            Some(item @ Value::Map(_)) => inside.statement(item),
            _ => return Cow::Borrowed(document),
        };
        let with = |(key, value): (&model::Text, &Value)| {
            (key.clone(), if &**key == "Statement" { statements.clone() } else { value.clone() })
        };
        Cow::Owned(Value::Map(map.iter().map(with).collect::<Map>()))
    }

    /// The ARN of what a link in `scope` means, known or made up; nothing if there is no such resource.
    pub fn arn(&self, link: &Link, scope: ScopeIndex, account: Option<&str>) -> Option<String> {
        Inside { all: self, scope, account: account.unwrap_or(OWN_ACCOUNT) }.arn(link)
    }
}

/// One scope and its account.
struct Inside<'a> {
    all: &'a StandIns<'a>,
    scope: ScopeIndex,
    account: &'a str,
}

impl Inside<'_> {
    fn statement(&self, statement: &Value) -> Value {
        let Value::Map(map) = statement else { return statement.clone() };
        let with = |(key, value): (&model::Text, &Value)| {
            let value = match (&**key, value) {
                ("Resource" | "NotResource", item) => each(item, &|i| self.pattern(i, true)),
                ("Condition", Value::Map(block)) => {
                    Value::Map(block.iter().map(|(operator, keys)| (operator.clone(), self.keys(keys))).collect())
                }
                (_, other) => other.clone(),
            };
            (key.clone(), value)
        };
        Value::Map(map.iter().map(with).collect())
    }

    /// What one operator asks of condition keys.
    fn keys(&self, keys: &Value) -> Value {
        let Value::Map(keys) = keys else { return keys.clone() };
        let with = |(key, values): (&model::Text, &Value)| {
            let lower = key.to_ascii_lowercase();
            let values = match values {
                other if !KEYS.contains(&&*lower) => other.clone(),
                other => each(other, &|value| self.pattern(value, lower.ends_with("arn"))),
            };
            (key.clone(), values)
        };
        Value::Map(keys.iter().map(with).collect())
    }

    /// One pattern. A reference at its start is an ARN if `arns` are meant; anywhere else it is a name.
    fn pattern(&self, value: &Value, arns: bool) -> Value {
        let parts = match value {
            Value::Mixed(parts) => parts.as_slice(),
            Value::Link(_) => std::slice::from_ref(value),
            Value::Unknown(_) if !arns => std::slice::from_ref(value),
            _ => return value.clone(),
        };
        let mut out: Vec<Value> = Vec::with_capacity(parts.len());
        for (i, part) in parts.iter().enumerate() {
            let text = match part {
                Value::Str(text) => Some(text.to_string()),
                Value::Int(n) => Some(n.to_string()),
                Value::Link(link) if arns && i == 0 && is_arn(link) => self.arn(link),
                Value::Link(link) if (!arns || i > 0) && !link.attr.ends_with("Arn") => self.named(link),
                Value::Unknown(unknown) => self.pseudo(&unknown.what).or_else(|| self.given(part)),
                _ => None,
            };
            match (text, out.last_mut()) {
                (Some(text), Some(Value::Str(before))) => *before = format!("{before}{text}").into(),
                (Some(text), _) => out.push(Value::text(text)),
                (None, _) => out.push(part.clone()),
            }
        }
        match <[Value; 1]>::try_from(out) {
            Ok([only]) => only,
            Err(parts) => Value::Mixed(parts),
        }
    }

    fn pseudo(&self, name: &str) -> Option<String> {
        match name {
            "AWS::AccountId" => Some(self.account.to_owned()),
            "AWS::Partition" => Some("aws".to_owned()),
            "AWS::Region" => Some(OWN_REGION.to_owned()),
            "AWS::StackName" => Some("own-stack".to_owned()),
            _ => None,
        }
    }

    /// A parameter or an import that names something of this scope.
    fn given(&self, value: &Value) -> Option<String> {
        given(value).filter(|what| self.all.naming.contains(&(self.scope, what))).map(plain)
    }

    fn target(&self, link: &Link) -> Option<&Resource> {
        self.all.snapshot.resource(*self.all.ids.get(&(self.scope, &*link.target))?)
    }

    fn named(&self, link: &Link) -> Option<String> {
        let known = link.attr.is_empty() || link.attr.ends_with("Name") || link.attr.ends_with("Id");
        let name = self.name(self.target(link)?);
        Some(if known { name } else { format!("{name}.{}", plain(&link.attr)) })
    }

    fn arn(&self, link: &Link) -> Option<String> {
        let resource = self.target(link)?;
        let own = resource.attrs.get("Arn").and_then(Value::as_str).or(Some(&*resource.id).filter(|id| id.starts_with("arn:")));
        if let Some(arn) = own {
            return Some(arn.to_owned());
        }
        let kind = resource.type_name.as_str();
        if let Some((_, kind, property)) = IAM.iter().find(|form| form.0 == kind) {
            let name = resource.prop(property).as_str().map_or_else(|| self.name(resource), str::to_owned);
            let path = resource.prop("Path").as_str().unwrap_or("/");
            return Some(format!("arn:aws:iam::{}:{kind}{path}{name}", self.account));
        }
        let form = FORMS.iter().find(|form| form.0 == kind);
        let service = kind.split("::").nth(1).unwrap_or_default().to_ascii_lowercase();
        let (service, regional, before) = form.map_or((&*service, true, ""), |form| (form.1, form.2, form.3));
        let place = if regional { format!("{OWN_REGION}:{}", self.account) } else { ":".to_owned() };
        Some(format!("arn:aws:{service}:{place}:{before}{}", self.name(resource)))
    }

    /// The physical name, known or made up: a name in parts is put together as in a policy, so that both are the same. One that
    /// is made of another resource's is not followed, for they may go round in a circle.
    fn name(&self, resource: &Resource) -> String {
        let written = || {
            let value = NAMES.iter().map(|property| resource.prop(property)).find(|v| !v.is_null())?;
            let value = if let Value::Mixed(_) = value { value.clone() } else { Value::Mixed(vec![value.clone()]) };
            let mut linked = false;
            value.each_link(&mut |_| linked = true);
            if linked { None } else { self.pattern(&value, false).as_str().map(plain) }
        };
        resource.name.as_deref().map(plain).or_else(written).unwrap_or_else(|| plain(&resource.id))
    }
}

/// A value, or each item of a list.
fn each(value: &Value, change: &dyn Fn(&Value) -> Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.iter().map(change).collect()),
        other => change(other),
    }
}

/// Whether any part of a value is known only in part.
fn has_parts(value: &Value) -> bool {
    match value {
        Value::Link(_) | Value::Mixed(_) | Value::Unknown(_) => true,
        Value::List(items) => items.iter().any(has_parts),
        Value::Map(map) => map.iter().any(|(_, v)| has_parts(v)),
        _ => false,
    }
}

/// Whether a reference at the start of a resource pattern is an ARN: what `Ref` gives there is, or the policy is refused.
fn is_arn(link: &Link) -> bool {
    link.attr.is_empty() || link.attr.ends_with("Arn")
}

/// What a value is called that whoever deploys the template gives.
fn given(value: &Value) -> Option<&str> {
    match value {
        Value::Unknown(u) if matches!(u.reason, Reason::NoDefaultParameter | Reason::ImportValue) => Some(&u.what),
        _ => None,
    }
}

/// Without what has a meaning in patterns.
fn plain(text: &str) -> String {
    text.replace([':', '*', '?', '$'], "-")
}

#[cfg(test)]
mod tests;
