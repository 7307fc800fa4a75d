//! Resources with policies of their own, as a snapshot says them.

use std::sync::Arc;

use model::{Map, Resource, ResourceIndex, Text, Truth, Value};

use super::template::{Names, shown};
use super::{Guarded, OWN_ACCOUNT, Principal};
use crate::exposure::{Exposure, Openness, Owner};
use crate::s3::{self, BlockPublicAccess};
use crate::unknown_name::OWN_REGION;

/// Where whole policies stand: type, property with the policy, property with the resources it belongs to (empty for the resource
/// itself), form of their ARN.
const GUARDS: &[(&str, &str, &str, &str)] = &[
    ("AWS::ApiGateway::RestApi", "Policy", "", "{}"),
    ("AWS::Backup::BackupVault", "AccessPolicy", "", "{}"),
    ("AWS::CodeArtifact::Domain", "PermissionsPolicyDocument", "", "{}"),
    ("AWS::DynamoDB::Table", "ResourcePolicy.PolicyDocument", "", "{}"),
    ("AWS::ECR::Repository", "RepositoryPolicyText", "", "{}"),
    ("AWS::EFS::FileSystem", "FileSystemPolicy", "", "{}"),
    ("AWS::Elasticsearch::Domain", "AccessPolicies", "", "{}"),
    ("AWS::Events::EventBus", "Policy", "", "{}"),
    ("AWS::KMS::Key", "KeyPolicy", "", "{}"),
    ("AWS::Kinesis::ResourcePolicy", "ResourcePolicy", "ResourceArn", "{}"),
    ("AWS::Logs::ResourcePolicy", "PolicyDocument", "", "{}"),
    ("AWS::OpenSearchService::Domain", "AccessPolicies", "", "{}"),
    ("AWS::S3::AccessPoint", "Policy", "", "{}"),
    ("AWS::S3::BucketPolicy", "PolicyDocument", "Bucket", "arn:aws:s3:::{}"),
    ("AWS::SNS::TopicInlinePolicy", "PolicyDocument", "TopicArn", "{}"),
    ("AWS::SNS::TopicPolicy", "PolicyDocument", "Topics", "{}"),
    ("AWS::SQS::QueueInlinePolicy", "PolicyDocument", "Queue", "{}"),
    ("AWS::SQS::QueuePolicy", "PolicyDocument", "Queues", "{}"),
    ("AWS::SecretsManager::ResourcePolicy", "ResourcePolicy", "SecretId", "{}"),
];

/// Statements that are resources of their own: type, property with the resource it belongs to, form of that one's ARN.
const GRANTS: &[(&str, &str, &str)] = &[
    ("AWS::Lambda::Permission", "FunctionName", "arn:aws:lambda:{region}:{account}:function:{}"),
    ("AWS::Events::EventBusPolicy", "EventBusName", "arn:aws:events:{region}:{account}:event-bus/{}"),
];

/// Types that keep the public out of what has a policy, with the property that does.
pub const BLOCKERS: &[(&str, &str)] = &[
    ("AWS::S3::Bucket", "PublicAccessBlockConfiguration"),
    ("Palisade::S3::AccountPublicAccess", "PublicAccessBlockConfiguration"),
];

/// True for a type whose resources hold policies of their own, rather than of another resource.
pub fn is_own_policy(type_name: &str) -> bool {
    type_name == "AWS::IAM::Role" || GUARDS.iter().any(|(name, _, owner, _)| *name == type_name && owner.is_empty())
}

/// True for types of which each resource is a statement of another one's policy.
pub fn is_grant(type_name: &str) -> bool {
    GRANTS.iter().any(|(name, ..)| *name == type_name)
}

impl Principal {
    /// How open its trust policy is, for a role.
    pub fn trust_exposure(&self, owner: Owner<'_>) -> Option<Exposure> {
        let trust = self.trust.as_ref()?;
        Some(crate::exposure(trust, Owner { resource: Some(&self.arn), ..owner }))
    }
}

impl Guarded {
    /// How open its policy is, as far as Block Public Access leaves it so.
    pub fn exposure(&self, owner: Owner<'_>) -> Exposure {
        let open = crate::exposure(&self.policy, Owner { resource: Some(&self.arn), ..owner });
        let closed = |openness| Exposure { openness, request: None, statements: Vec::new(), ..open.clone() };
        match self.public_access.restrict_public_buckets.and(s3::is_public(&self.policy)) {
            Truth::False => open,
            _ if open.openness == Openness::No => open,
            Truth::True => closed(Openness::No),
            Truth::Unknown => closed(Openness::Unknown(vec!["whether public access is blocked isn't known".to_owned()])),
        }
    }
}

impl Names<'_> {
    /// All resources with policies of these.
    pub(super) fn guarded(&self, mine: &[(ResourceIndex, &Resource)]) -> Vec<Guarded> {
        let mut all: Vec<Guarded> = mine.iter().flat_map(|(_, resource)| self.with_policy(resource, mine)).collect();
        let mut grants: Vec<(Text, Text, Vec<Value>)> = Vec::new();
        for (_, resource) in mine {
            let Some((arn, label, statement)) = self.grant(resource) else { continue };
            match grants.iter_mut().find(|(known, ..)| *known == arn) {
                Some((_, _, statements)) => statements.push(statement),
                None => grants.push((arn, label, vec![statement])),
            }
        }
        all.extend(grants.into_iter().map(|(arn, label, statements)| {
            let policy = (self.read)(&map([("Statement", Value::List(statements))]));
            Guarded { arn, label, policy, public_access: BlockPublicAccess::default() }
        }));
        all
    }

    fn with_policy(&self, resource: &Resource, mine: &[(ResourceIndex, &Resource)]) -> Vec<Guarded> {
        let Some((_, property, owner, form)) = GUARDS.iter().find(|guard| guard.0 == resource.type_name.as_str()) else {
            return Vec::new();
        };
        let document = resource.prop(property);
        if document.is_null() {
            return Vec::new();
        }
        let policy = (self.read)(document);
        let own = Value::link(&resource.id, "");
        let value = if owner.is_empty() { &own } else { resource.prop(owner) };
        let items = value.as_list().unwrap_or(std::slice::from_ref(value));
        let one = |item: &Value| Guarded {
            arn: self.owner_arn(item, resource, form),
            label: resource.id.clone(),
            policy: Arc::clone(&policy),
            public_access: match resource.type_name.as_str() {
                "AWS::S3::BucketPolicy" => blocked(item, mine),
                "AWS::S3::AccessPoint" => switches(resource),
                _ => BlockPublicAccess::default(),
            },
        };
        items.iter().map(one).collect()
    }

    /// The ARN of what a policy belongs to.
    fn owner_arn(&self, owner: &Value, beside: &Resource, form: &str) -> Text {
        let text = match owner {
            Value::Link(link) => {
                self.stand_ins.arn(link, beside.scope, Some(&self.account)).unwrap_or_else(|| link.target.to_string())
            }
            other => shown(other),
        };
        if text.starts_with("arn:") {
            return text.into();
        }
        let region = beside.region.as_ref().map_or(OWN_REGION, |region| region.as_str());
        let account = if self.account.is_empty() { OWN_ACCOUNT } else { &self.account };
        form.replace("{region}", region).replace("{account}", account).replace("{}", &text).into()
    }

    /// A statement that is a resource of its own: the ARN and the name of what it is about, and the statement.
    fn grant(&self, resource: &Resource) -> Option<(Text, Text, Value)> {
        let (_, owner, form) = GRANTS.iter().find(|grant| grant.0 == resource.type_name.as_str())?;
        let owner = match resource.prop(owner) {
            Value::Null => &Value::text("default"),
            value => value,
        };
        let arn = self.owner_arn(owner, resource, form);
        let label = match owner {
            Value::Link(link) => link.target.clone(),
            other => shown(other).into(),
        };
        let statement = match resource.prop("Statement") {
            whole @ Value::Map(_) => whole.clone(),
            _ => statement(resource, &arn),
        };
        Some((arn, label, statement))
    }
}

/// The statement that a permission of a function or of an event bus stands for. Sources: Lambda API reference, "AddPermission";
/// EventBridge API reference, "PutPermission".
fn statement(resource: &Resource, arn: &Text) -> Value {
    let principal = resource.prop("Principal");
    let principal = match principal {
        Value::Str(name) if &**name == "*" => principal.clone(),
        Value::Str(name) if name.contains('.') && !name.starts_with("arn:") => map([("Service", principal.clone())]),
        _ => map([("AWS", principal.clone())]),
    };
    let keys = [
        ("SourceArn", "ArnLike", "aws:SourceArn"),
        ("SourceAccount", "StringEquals", "aws:SourceAccount"),
        ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
        ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
        ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
    ];
    let mut equals: Vec<(Text, Value)> = Vec::new();
    let mut like: Vec<(Text, Value)> = Vec::new();
    for (property, operator, key) in keys {
        let value = resource.prop(property);
        if !value.is_null() {
            let clauses = if operator == "ArnLike" { &mut like } else { &mut equals };
            clauses.push((key.into(), value.clone()));
        }
    }
    let mut conditions: Vec<(Text, Value)> = Vec::new();
    for (operator, clauses) in [("StringEquals", equals), ("ArnLike", like)] {
        if !clauses.is_empty() {
            conditions.push((operator.into(), Value::Map(clauses.into_iter().collect())));
        }
    }
    let own = resource.prop("Condition");
    if let (Some(operator), Some(key), Some(value)) = (own.get("Type"), own.get("Key"), own.get("Value")) {
        conditions.push((shown(operator).into(), Value::Map([(Text::from(shown(key)), value.clone())].into_iter().collect())));
    }
    map([
        ("Effect", Value::text("Allow")),
        ("Principal", principal),
        ("Action", resource.prop("Action").clone()),
        ("Resource", Value::Str(arn.clone())),
        ("Condition", Value::Map(conditions.into_iter().collect())),
    ])
}

fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members.into_iter().map(|(key, value)| (Text::from(key), value)).collect::<Map>())
}

/// What is blocked for a bucket: by its own word and its account's.
fn blocked(bucket: &Value, mine: &[(ResourceIndex, &Resource)]) -> BlockPublicAccess {
    let named = |resource: &Resource| match bucket {
        Value::Link(link) => resource.id == link.target,
        Value::Str(name) => resource.id == *name || resource.name.as_ref() == Some(name),
        _ => false,
    };
    let first = |kind: &str, wanted: &dyn Fn(&Resource) -> bool| {
        let found = mine.iter().find(|(_, r)| r.type_name.as_str() == kind && wanted(r));
        found.map(|(_, resource)| switches(resource)).unwrap_or_default()
    };
    let (own, all) = (first("AWS::S3::Bucket", &named), first("Palisade::S3::AccountPublicAccess", &|_| true));
    BlockPublicAccess {
        block_public_acls: own.block_public_acls.or(all.block_public_acls),
        ignore_public_acls: own.ignore_public_acls.or(all.ignore_public_acls),
        block_public_policy: own.block_public_policy.or(all.block_public_policy),
        restrict_public_buckets: own.restrict_public_buckets.or(all.restrict_public_buckets),
    }
}

/// The four switches as a resource has them; one that is not set is off.
fn switches(resource: &Resource) -> BlockPublicAccess {
    let on = |name: &str| match resource.prop("PublicAccessBlockConfiguration") {
        Value::Unknown(_) => Truth::Unknown,
        all => match all.get(name) {
            None | Some(Value::Null) => Truth::False,
            Some(value) => value.as_bool().map_or(Truth::Unknown, Truth::from),
        },
    };
    BlockPublicAccess {
        block_public_acls: on("BlockPublicAcls"),
        ignore_public_acls: on("IgnorePublicAcls"),
        block_public_policy: on("BlockPublicPolicy"),
        restrict_public_buckets: on("RestrictPublicBuckets"),
    }
}
