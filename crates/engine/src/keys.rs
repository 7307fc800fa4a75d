//! The KMS keys that AWS manages for its services. A service's answer names such a key by its ARN, like a key of the account's own;
//! only the key's alias (`alias/aws/rds`) tells them apart.

use model::{Arn, Gap, Reason, Resource, ScopeIndex, Snapshot, Text, Value};
use rustc_hash::FxHashSet;

/// What the aliases of AWS's own keys start with.
const AWS_ALIAS: &str = "alias/aws/";
/// The type of the resources that tell which keys these are.
const ALIAS: &str = "AWS::KMS::Alias";

/// The keys of one scope. A template has none: only in an account there are aliases to look up.
#[derive(Default)]
pub(crate) struct ManagedKeys {
    ids: FxHashSet<Text>,
    /// Why there may be more.
    gaps: Vec<Gap>,
}

impl ManagedKeys {
    pub(crate) fn new(snapshot: &Snapshot, scope: ScopeIndex) -> ManagedKeys {
        if snapshot.scope(scope).is_none_or(|s| s.kind.is_code()) {
            return ManagedKeys::default();
        }
        let aliases = snapshot.resources.iter().filter(|r| r.scope == scope && r.type_name.as_str() == ALIAS);
        let own = |alias: &&Resource| alias.prop("AliasName").as_str().is_some_and(|name| name.starts_with(AWS_ALIAS));
        let id = |alias: &Resource| alias.prop("TargetKeyId").as_str().map(Text::from);
        let about = |gap: &&Gap| gap.matters && gap.type_name.as_ref().is_some_and(|t| t.as_str() == ALIAS);
        ManagedKeys {
            ids: aliases.filter(own).filter_map(id).collect(),
            gaps: snapshot.gaps.iter().filter(about).cloned().collect(),
        }
    }

    /// Whether AWS manages the key that a property of `resource` names: by alias, id or ARN.
    pub(crate) fn manages(&self, key: &Value, resource: &Resource) -> Value {
        match key {
            Value::Str(name) => self.manages_named(name, resource),
            Value::Mixed(pieces) => {
                let known = |part: &str| pieces.iter().any(|piece| piece.as_str().is_some_and(|text| text.contains(part)));
                match (known(AWS_ALIAS), known(":key/")) {
                    (true, _) => Value::Bool(true),
                    (false, true) => Value::Bool(false),
                    (false, false) => Value::unknown_present(Reason::AfterApply, "which key it is"),
                }
            }
            // A key of the same template is one of the account's own.
            _ => Value::Bool(false),
        }
    }

    fn manages_named(&self, name: &str, resource: &Resource) -> Value {
        let id = name.rsplit('/').next().unwrap_or(name);
        if name.contains(AWS_ALIAS) || self.ids.contains(id) {
            return Value::Bool(true);
        }
        let arn = Arn::new(name).ok();
        let here = |gap: &&Gap| {
            let account = resource.account.as_ref().map(model::AccountId::as_str);
            let region = arn.as_ref().map(Arn::region).or(resource.region.as_ref().map(model::Region::as_str));
            same(gap.account.as_ref().map(model::AccountId::as_str), account)
                && same(gap.region.as_ref().map(model::Region::as_str), region)
        };
        // Another account's key is none that AWS manages for this one.
        let own = same(arn.as_ref().map(Arn::account), resource.account.as_ref().map(model::AccountId::as_str));
        match self.gaps.iter().find(here) {
            Some(gap) if own && !name.contains("alias/") => Value::unknown_present(Reason::NotCollected, gap.what.as_str()),
            _ => Value::Bool(false),
        }
    }
}

/// True if two places are the same, as far as both are known.
fn same(one: Option<&str>, other: Option<&str>) -> bool {
    one.is_none() || other.is_none() || one == other
}

#[cfg(test)]
mod tests {
    use model::{AccountId, GapReason, Region, SourceKind, TypeName};

    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/0aa1bbcc-1111-2222-3333-444455556666";

    fn resource(kind: &str, scope: ScopeIndex) -> Resource {
        let mut resource = Resource::new("x", TypeName::new(kind).unwrap(), scope);
        resource.account = AccountId::new("123456789012").ok();
        resource.region = Region::new("eu-west-1").ok();
        resource
    }

    fn snapshot(kind: SourceKind, alias: &str) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope("it", kind);
        let mut found = resource(ALIAS, scope);
        found.props.insert("AliasName", Value::text(alias));
        found.props.insert("TargetKeyId", Value::text("0aa1bbcc-1111-2222-3333-444455556666"));
        snapshot.resources.push(found);
        snapshot
    }

    fn manages(snapshot: &Snapshot, key: &str) -> Option<bool> {
        let database = resource("AWS::RDS::DBInstance", ScopeIndex(0));
        ManagedKeys::new(snapshot, ScopeIndex(0)).manages(&Value::text(key), &database).as_bool()
    }

    #[test]
    fn a_key_is_what_its_alias_says() {
        let aws = snapshot(SourceKind::Live, "alias/aws/rds");
        assert_eq!(manages(&aws, KEY), Some(true));
        assert_eq!(manages(&aws, "0aa1bbcc-1111-2222-3333-444455556666"), Some(true));
        assert_eq!(manages(&aws, "alias/aws/rds"), Some(true));
        assert_eq!(manages(&aws, "alias/shop"), Some(false));
        assert_eq!(manages(&aws, &KEY.replace("0aa1", "1bb2")), Some(false));
        assert_eq!(manages(&snapshot(SourceKind::Live, "alias/shop"), KEY), Some(false));
        assert_eq!(manages(&snapshot(SourceKind::CloudFormation, "alias/aws/rds"), KEY), Some(false), "no account to look in");
    }

    #[test]
    fn without_the_aliases_of_its_place_it_is_not_known() {
        let mut unread = snapshot(SourceKind::Live, "alias/shop");
        let mut gap = Gap::new("kms:ListAliases", GapReason::Denied, "denied");
        gap.type_name = TypeName::new(ALIAS).ok();
        gap.region = Region::new("eu-west-1").ok();
        unread.gaps.push(gap);
        assert_eq!(manages(&unread, KEY), None);
        assert_eq!(manages(&unread, &KEY.replace("123456789012", "210987654321")), Some(false), "another account's");
        assert_eq!(manages(&unread, &KEY.replace("eu-west-1", "eu-west-2")), Some(false), "its Region was read");
        assert_eq!(manages(&unread, "alias/aws/rds"), Some(true));
    }
}
