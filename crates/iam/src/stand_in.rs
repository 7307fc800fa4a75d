//! Names for what has none yet: a reference to a resource of the same template or plan, in the `Resource` of a policy, in a
//! principal or in a condition on who or what a request comes from, names exactly one thing. It gets an ARN or a name: the
//! physical name where it is known, or else one of [`crate::unknown_name`], the same one wherever the same resource is meant.
//!
//! The pseudo parameters are the own account, the partition `aws` and one Region. A parameter or an import that is (a part of)
//! the name of a resource of the scope has no wildcard in it either, so it stands for itself. Left out, and so still unknown:
//! other parameters and imports, values that only the deployment knows, and references to what is not in the scope.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use model::{Link, Map, Reason, Resource, ResourceIndex, ScopeIndex, Snapshot, SourceKind, Text, Value};
use rustc_hash::FxHashMap;

use crate::document::Policy;
use crate::unknown_name::{self, OWN_ACCOUNT, OWN_REGION, OWN_STACK};

/// How resources of a type are named.
struct Form {
    kind: &'static str,
    /// The property with the name.
    property: &'static str,
    service: &'static str,
    /// Whether the ARN says Region and account.
    place: Place,
    /// What stands before the name.
    before: &'static str,
    /// Whether CloudFormation makes the name of the stack's, the logical id and random text if nobody gives it.
    made: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Regional,
    /// Only the account, and a path before the name.
    Iam,
    Nowhere,
}

const fn regional(kind: &'static str, property: &'static str, service: &'static str, before: &'static str, made: bool) -> Form {
    Form { kind, property, service, place: Place::Regional, before, made }
}

const fn iam(kind: &'static str, property: &'static str, before: &'static str) -> Form {
    Form { kind, property, service: "iam", place: Place::Iam, before, made: true }
}

/// AWS Service Authorization Reference, "Resource types"; CloudFormation template reference, "Name type".
const FORMS: &[Form] = &[
    regional("AWS::Backup::BackupVault", "BackupVaultName", "backup", "backup-vault:", false),
    regional("AWS::CodeArtifact::Domain", "DomainName", "codeartifact", "domain/", false),
    regional("AWS::DynamoDB::Table", "TableName", "dynamodb", "table/", true),
    regional("AWS::DynamoDB::GlobalTable", "TableName", "dynamodb", "table/", true),
    regional("AWS::ECR::Repository", "RepositoryName", "ecr", "repository/", true),
    regional("AWS::EFS::FileSystem", "FileSystemId", "elasticfilesystem", "file-system/", false),
    regional("AWS::Elasticsearch::Domain", "DomainName", "es", "domain/", true),
    regional("AWS::Events::EventBus", "Name", "events", "event-bus/", false),
    regional("AWS::Events::Rule", "Name", "events", "rule/", true),
    regional("AWS::KMS::Key", "KeyId", "kms", "key/", false),
    regional("AWS::Kinesis::Stream", "Name", "kinesis", "stream/", true),
    regional("AWS::KinesisFirehose::DeliveryStream", "DeliveryStreamName", "firehose", "deliverystream/", true),
    regional("AWS::Lambda::Function", "FunctionName", "lambda", "function:", true),
    regional("AWS::Logs::LogGroup", "LogGroupName", "logs", "log-group:", true),
    regional("AWS::OpenSearchService::Domain", "DomainName", "es", "domain/", true),
    regional("AWS::S3::AccessPoint", "Name", "s3", "accesspoint/", true),
    regional("AWS::SecretsManager::Secret", "Name", "secretsmanager", "secret:", false),
    regional("AWS::SNS::Topic", "TopicName", "sns", "", true),
    regional("AWS::SQS::Queue", "QueueName", "sqs", "", true),
    regional("AWS::StepFunctions::StateMachine", "StateMachineName", "states", "stateMachine:", false),
    Form { kind: "AWS::S3::Bucket", property: "BucketName", service: "s3", place: Place::Nowhere, before: "", made: true },
    iam("AWS::IAM::User", "UserName", "user"),
    iam("AWS::IAM::Role", "RoleName", "role"),
    iam("AWS::IAM::Group", "GroupName", "group"),
    iam("AWS::IAM::ManagedPolicy", "ManagedPolicyName", "policy"),
    iam("AWS::IAM::InstanceProfile", "InstanceProfileName", "instance-profile"),
];

/// Properties with the physical name of a resource of some other type, or of the bucket that a policy is for.
const NAMES: &[&str] = &["Bucket", "BucketName", "FunctionName", "QueueName", "RepositoryName", "TableName", "TopicName"];

fn form(kind: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.kind == kind)
}

/// The property with the name of a resource, null if none is written.
fn written_name(resource: &Resource) -> &Value {
    let of_type = form(resource.type_name.as_str()).map(|form| resource.prop(form.property));
    let any = || NAMES.iter().map(|property| resource.prop(property)).find(|v| !v.is_null());
    of_type.or_else(any).unwrap_or(&Value::Null)
}

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
    /// Parameters and imports that name something, with what they are the whole name of.
    naming: FxHashMap<(ScopeIndex, &'a str), Option<&'a Resource>>,
    ids: FxHashMap<(ScopeIndex, &'a str), ResourceIndex>,
    /// The resources of each scope, in source order.
    members: FxHashMap<ScopeIndex, Vec<ResourceIndex>>,
}

impl<'a> StandIns<'a> {
    /// For the resources of a snapshot.
    pub fn new(snapshot: &'a Snapshot) -> StandIns<'a> {
        let mut naming: FxHashMap<(ScopeIndex, &str), Option<&Resource>> = FxHashMap::default();
        let mut members: FxHashMap<ScopeIndex, Vec<ResourceIndex>> = FxHashMap::default();
        for (index, resource) in snapshot.iter() {
            members.entry(resource.scope).or_default().push(index);
            let value = written_name(resource);
            let parts = if let Value::Mixed(parts) = value { parts.as_slice() } else { std::slice::from_ref(value) };
            for what in parts.iter().filter_map(given) {
                let whole = (parts.len() == 1 && form(resource.type_name.as_str()).is_some()).then_some(resource);
                let slot = naming.entry((resource.scope, what)).or_default();
                *slot = slot.or(whole);
            }
        }
        StandIns { snapshot, naming, ids: snapshot.by_id(), members }
    }

    /// The resources of a scope, in source order.
    pub(crate) fn members(&self, scope: ScopeIndex) -> Vec<(ResourceIndex, &'a Resource)> {
        let indices = self.members.get(&scope).into_iter().flatten();
        indices.filter_map(|index| Some((*index, self.snapshot.resource(*index)?))).collect()
    }

    /// The policy document of a resource in `scope`, with stand-ins in its `Resource`, `NotResource`, `Condition` and
    /// principal elements. `account` is the own account, where known.
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
        let with =
            |(key, value): (&Text, &Value)| (key.clone(), if &**key == "Statement" { statements.clone() } else { value.clone() });
        Cow::Owned(Value::Map(map.iter().map(with).collect::<Map>()))
    }

    /// The ARN of a resource of the snapshot, known or made up.
    pub fn arn_of(&self, resource: &Resource, account: Option<&str>) -> String {
        Inside { all: self, scope: resource.scope, account: account.unwrap_or(OWN_ACCOUNT) }.arn_of(resource)
    }

    /// The ARN of what a link in `scope` means, known or made up; nothing if there is no such resource.
    pub fn arn(&self, link: &Link, scope: ScopeIndex, account: Option<&str>) -> Option<String> {
        Inside { all: self, scope, account: account.unwrap_or(OWN_ACCOUNT) }.arn(link)
    }
}

/// The policies in the documents of one scope, each read once however many ask.
#[derive(Debug, Default)]
pub struct Readings {
    /// By the identity of the document, which is kept so that no other one takes its place.
    known: RefCell<FxHashMap<usize, Reading>>,
}

#[derive(Debug)]
struct Reading {
    _document: Map,
    account: Option<Text>,
    policy: Arc<Policy>,
}

impl Readings {
    /// The policy in a document of a resource in `scope`, with stand-ins. `account` is the own account, where known.
    pub fn policy(&self, all: &StandIns<'_>, document: &Value, scope: ScopeIndex, account: Option<&str>) -> Arc<Policy> {
        let read = || Arc::new(Policy::from_value(&all.document(document, scope, account)));
        let Value::Map(map) = document else { return read() };
        if let Some(known) = self.known.borrow().get(&map.identity()) {
            return if known.account.as_deref() == account { Arc::clone(&known.policy) } else { read() };
        }
        let policy = read();
        let reading = Reading { _document: map.clone(), account: account.map(Text::from), policy: Arc::clone(&policy) };
        self.known.borrow_mut().insert(map.identity(), reading);
        policy
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
        let with = |(key, value): (&Text, &Value)| {
            let value = match (&**key, value) {
                ("Resource" | "NotResource", item) => each(item, &|i| self.pattern(i, true)),
                ("Principal" | "NotPrincipal", Value::Map(kinds)) => {
                    let kind = |(kind, names): (&Text, &Value)| {
                        let names = if &**kind == "AWS" { each(names, &|name| self.principal(name)) } else { names.clone() };
                        (kind.clone(), names)
                    };
                    Value::Map(kinds.iter().map(kind).collect())
                }
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
        let with = |(key, values): (&Text, &Value)| {
            let lower = key.to_ascii_lowercase();
            let values = match values {
                other if !KEYS.contains(&&*lower) => other.clone(),
                other => each(other, &|value| self.pattern(value, lower.ends_with("arn"))),
            };
            (key.clone(), values)
        };
        Value::Map(keys.iter().map(with).collect())
    }

    /// A principal: a user, a role or an account. What else is referred to is left as it is.
    fn principal(&self, value: &Value) -> Value {
        let link = match value {
            Value::Mixed(parts) => parts.iter().find_map(Value::as_link),
            other => other.as_link(),
        };
        let settled = match link {
            None if matches!(value, Value::Unknown(_)) => self.pattern(value, false),
            None => self.pattern(value, true),
            Some(link) if self.target(link).is_some_and(|r| r.type_name.as_str().starts_with("AWS::IAM::")) => {
                self.pattern(value, true)
            }
            Some(_) => return value.clone(),
        };
        if settled.as_str().is_some() { settled } else { value.clone() }
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
                Value::Unknown(unknown) => self.pseudo(&unknown.what).or_else(|| self.given(part, out.last())),
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
            "AWS::StackName" => Some(OWN_STACK.to_owned()),
            _ => None,
        }
    }

    /// A parameter or an import that names something of this scope. As a whole name it stands only where its own kind of
    /// thing is named.
    fn given(&self, value: &Value, before: Option<&Value>) -> Option<String> {
        let what = given(value)?;
        let Some(named) = self.all.naming.get(&(self.scope, what))? else { return Some(unknown_name::part(what)) };
        let before = before.and_then(Value::as_str).unwrap_or_default();
        let service = form(named.type_name.as_str()).map_or("", |form| form.service);
        let fits = !before.starts_with("arn:") || before.split(':').nth(2) == Some(service);
        fits.then(|| unknown_name::of_resource(&named.id))
    }

    fn target(&self, link: &Link) -> Option<&Resource> {
        self.all.snapshot.resource(*self.all.ids.get(&(self.scope, &*link.target))?)
    }

    fn named(&self, link: &Link) -> Option<String> {
        let target = self.target(link)?;
        let known = link.attr.is_empty() || link.attr.ends_with("Name") || link.attr.ends_with("Id");
        Some(if known { self.name(target) } else { unknown_name::of_resource(&format!("{}.{}", target.id, link.attr)) })
    }

    fn arn(&self, link: &Link) -> Option<String> {
        self.target(link).map(|resource| self.arn_of(resource))
    }

    fn arn_of(&self, resource: &Resource) -> String {
        let own = resource.attrs.get("Arn").and_then(Value::as_str).or(Some(&*resource.id).filter(|id| id.starts_with("arn:")));
        if let Some(arn) = own {
            return arn.to_owned();
        }
        let kind = resource.type_name.as_str();
        let form = form(kind);
        let service = kind.split("::").nth(1).unwrap_or_default().to_ascii_lowercase();
        let (service, before) = form.map_or((&*service, ""), |form| (form.service, form.before));
        let (account, name) = (self.account, self.name(resource));
        match form.map_or(Place::Regional, |form| form.place) {
            Place::Iam => {
                let path = match resource.prop("Path") {
                    Value::Null => "/".to_owned(),
                    Value::Str(path) => path.to_string(),
                    _ => unknown_name::part(&format!("{}.Path", resource.id)),
                };
                format!("arn:aws:iam::{account}:{before}{path}{name}")
            }
            Place::Regional => format!("arn:aws:{service}:{OWN_REGION}:{account}:{before}{name}"),
            Place::Nowhere => format!("arn:aws:{service}:::{before}{name}"),
        }
    }

    /// The physical name, known or made up: a name in parts is put together as in a policy, so that both are the same. One that
    /// is made of another resource's is not followed, for they may go round in a circle.
    fn name(&self, resource: &Resource) -> String {
        let written = written_name(resource);
        if let Some(name) = resource.name.as_deref() {
            return unknown_name::inside(name);
        }
        let together = || {
            let value = if let Value::Mixed(_) = written { written.clone() } else { Value::Mixed(vec![written.clone()]) };
            let mut linked = false;
            value.each_link(&mut |_| linked = true);
            if linked { None } else { self.pattern(&value, false).as_str().map(|name| name.replace([':', '*', '?', '$'], "-")) }
        };
        let named = if written.is_null() { None } else { together() };
        named.unwrap_or_else(|| {
            let makes = form(resource.type_name.as_str()).is_some_and(|form| form.made) && written.is_null();
            let scope = self.all.snapshot.scopes.get(resource.scope.0 as usize);
            let cloudformation = scope.is_some_and(|scope| scope.kind == SourceKind::CloudFormation);
            if makes && cloudformation { unknown_name::made(&resource.id) } else { unknown_name::of_resource(&resource.id) }
        })
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

#[cfg(test)]
mod tests;
