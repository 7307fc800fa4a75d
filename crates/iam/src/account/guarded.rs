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

/// Properties of a statement that is a resource of its own, with the conditions that they stand for.
const CONDITIONS: &[(&str, &str, &str)] = &[
    ("SourceArn", "ArnLike", "aws:SourceArn"),
    ("SourceAccount", "StringEquals", "aws:SourceAccount"),
    ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
    ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
    ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
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
        let one = |item: &Value| {
            let arn = self.owner_arn(item, resource, form);
            let public_access = match resource.type_name.as_str() {
                "AWS::S3::BucketPolicy" => self.blocked(&arn, resource, mine),
                "AWS::S3::AccessPoint" => switches(resource),
                _ => BlockPublicAccess::default(),
            };
            Guarded { arn, label: resource.id.clone(), policy: Arc::clone(&policy), public_access }
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

    /// What is blocked for a bucket, by its own word and its account's. Of a live account both have to be read; a template or plan is
    /// taken at its word.
    fn blocked(&self, arn: &str, beside: &Resource, mine: &[(ResourceIndex, &Resource)]) -> BlockPublicAccess {
        let code = self.stand_ins.snapshot.scope(beside.scope).is_some_and(|scope| scope.kind.is_code());
        let unread = if code { BlockPublicAccess::default() } else { BlockPublicAccess::all(Truth::Unknown) };
        let of = |kind: &str, wanted: &dyn Fn(&Resource) -> bool| {
            let found = mine.iter().find(|(_, r)| r.type_name.as_str() == kind && wanted(r));
            found.map_or(unread, |(_, resource)| switches(resource))
        };
        let bucket = of("AWS::S3::Bucket", &|r| self.stand_ins.arn_of(r, Some(&self.account)) == arn);
        bucket.or(of("Palisade::S3::AccountPublicAccess", &|_| true))
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
            Value::Null => statement(resource, &arn),
            whole => whole.clone(),
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
    let clauses = |operator: &str| -> Map {
        let own = CONDITIONS
            .iter()
            .filter(|condition| condition.1 == operator)
            .map(|(property, _, key)| (*key, resource.prop(property)));
        own.filter(|(_, value)| !value.is_null()).map(|(key, value)| (Text::from(key), value.clone())).collect()
    };
    let operators = ["StringEquals", "ArnLike"].map(|operator| (Text::from(operator), Value::Map(clauses(operator))));
    let condition = match resource.prop("Condition") {
        Value::Null => Value::Map(operators.into_iter().filter(|(_, clauses)| *clauses != Value::Map(Map::default())).collect()),
        // One condition of an event bus; anything else cannot be read, and stays so.
        own => match (own.get("Type").and_then(Value::as_str), own.get("Key").and_then(Value::as_str), own.get("Value")) {
            (Some(operator), Some(key), Some(value)) => map([(operator, map([(key, value.clone())]))]),
            _ => own.clone(),
        },
    };
    map([
        ("Effect", Value::text("Allow")),
        ("Principal", principal),
        ("Action", resource.prop("Action").clone()),
        ("Resource", Value::Str(arn.clone())),
        ("Condition", condition),
    ])
}

fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members.into_iter().map(|(key, value)| (Text::from(key), value)).collect::<Map>())
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

#[cfg(test)]
mod tests {
    use model::{ScopeIndex, Snapshot, SourceKind, TypeName, from_json};
    use serde_json::json;

    use super::*;
    use crate::account::Account;

    /// How open a public policy of a bucket is beside these blocks, of the bucket and of the account, where they were read.
    fn openness(kind: SourceKind, bucket: Option<bool>, account: Option<bool>) -> &'static str {
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope("s", kind);
        let mut add = |id: &str, kind: &str, props: serde_json::Value| {
            let mut resource = Resource::new(id, TypeName::new(kind).unwrap(), scope);
            if let Value::Map(props) = from_json(&props) {
                resource.props = props;
            }
            snapshot.resources.push(resource);
        };
        let block = |on: bool| json!({ "BucketName": "b", "PublicAccessBlockConfiguration": { "RestrictPublicBuckets": on } });
        let statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" });
        add("p", "AWS::S3::BucketPolicy", json!({ "Bucket": "b", "PolicyDocument": { "Statement": [statement] } }));
        bucket.into_iter().for_each(|on| add("b", "AWS::S3::Bucket", block(on)));
        account.into_iter().for_each(|on| add("a", "Palisade::S3::AccountPublicAccess", block(on)));
        let account = Account::from_snapshot(&snapshot, ScopeIndex(0));
        account.resources[0].exposure(Owner::from(Some("111122223333"))).openness.name()
    }

    #[test]
    fn of_a_live_account_both_blocks_are_read_before_a_bucket_is_public() {
        let live = |bucket, account| openness(SourceKind::Live, bucket, account);
        assert_eq!(live(Some(false), Some(false)), "public");
        assert_eq!((live(Some(true), None), live(None, Some(true))), ("no", "no"), "one of them is enough");
        assert_eq!((live(None, Some(false)), live(Some(false), None), live(None, None)), ("unknown", "unknown", "unknown"));
        let template = |bucket, account| openness(SourceKind::CloudFormation, bucket, account);
        assert_eq!((template(Some(false), None), template(None, None)), ("public", "public"), "it is taken at its word");
        assert_eq!((template(Some(true), None), template(Some(false), Some(true))), ("no", "no"));
    }
}
