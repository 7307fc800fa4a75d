//! From the answer of `aws iam get-account-authorization-details`.

use std::sync::Arc;

use model::Text;
use rustc_hash::FxHashMap;
use serde_json::Value as Json;

use super::{Account, Attached, Managed, Principal};
use crate::arn::Parts;
use crate::document::Policy;
use crate::request::Caller;

impl Account {
    /// Reads the answer. `None` if this is another kind of document.
    pub fn from_authorization_details(json: &Json) -> Option<Account> {
        let known = ["UserDetailList", "RoleDetailList", "GroupDetailList"];
        if !known.iter().any(|k| json.get(*k).is_some()) {
            return None;
        }
        let mut account = Account::default();
        if json.get("IsTruncated").and_then(Json::as_bool) == Some(true) {
            account.reasons.push("the answer of get-account-authorization-details is cut off".to_owned());
        }
        let mut managed = Managed { read: FxHashMap::default() };
        for policy in list(json, "Policies") {
            let Some(arn) = text(policy, "Arn") else { continue };
            if let Some(document) = default_version(policy) {
                managed.read.insert(arn.into(), Arc::new(document_of(document)));
            }
        }
        let groups: FxHashMap<&str, &Json> =
            list(json, "GroupDetailList").filter_map(|g| Some((text(g, "GroupName")?, g))).collect();
        for user in list(json, "UserDetailList") {
            let mut principal = principal(user, "UserPolicyList", &managed)?;
            for name in user.get("GroupList").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
                match groups.get(name) {
                    Some(group) => {
                        principal.groups.extend(text(group, "Arn").map(Text::from));
                        let prefix = format!("group {name}: ");
                        principal.policies.extend(attached(group, "GroupPolicyList", &managed, &prefix));
                    }
                    None => account.reasons.push(format!("the group `{name}` was not read")),
                }
            }
            account.principals.push(principal);
        }
        for role in list(json, "RoleDetailList") {
            let mut principal = principal(role, "RolePolicyList", &managed)?;
            principal.trust = role.get("AssumeRolePolicyDocument").map(|d| Arc::new(document_of(d)));
            account.principals.push(principal);
        }
        account.id = account.principals.iter().find_map(|p| p.caller.account().cloned());
        Some(account.finish())
    }
}

fn list<'a>(json: &'a Json, name: &str) -> impl Iterator<Item = &'a Json> {
    json.get(name).and_then(Json::as_array).into_iter().flatten()
}

fn text<'a>(json: &'a Json, name: &str) -> Option<&'a str> {
    json.get(name).and_then(Json::as_str)
}

fn default_version(policy: &Json) -> Option<&Json> {
    let versions = policy.get("PolicyVersionList")?.as_array()?;
    let is_default = |v: &&Json| v.get("IsDefaultVersion").and_then(Json::as_bool) == Some(true);
    versions.iter().find(is_default).or(versions.first())?.get("Document")
}

/// A document as an object, as text, or percent-encoded.
fn document_of(json: &Json) -> Policy {
    match json {
        Json::String(text) if text.starts_with('%') => Policy::from_json(&crate::source::decoded(text)),
        Json::String(text) => Policy::from_json(text),
        other => Policy::from_value(&model::from_json(other)),
    }
}

fn principal(json: &Json, inline: &str, managed: &Managed) -> Option<Principal> {
    let arn: Text = text(json, "Arn").filter(|a| Parts::new(a).fields.is_some())?.into();
    let boundary = json.get("PermissionsBoundary").and_then(|b| text(b, "PermissionsBoundaryArn"));
    Some(Principal {
        caller: Caller::parse(&arn),
        label: arn.clone(),
        arn,
        resource: None,
        policies: attached(json, inline, managed, "").collect(),
        boundary: boundary.map(|arn| managed.attach(arn, arn.to_owned())),
        trust: None,
        groups: Vec::new(),
    })
}

fn attached<'a>(json: &'a Json, inline: &'a str, managed: &'a Managed, prefix: &'a str) -> impl Iterator<Item = Attached> + 'a {
    let own = list(json, inline).map(move |p| Attached {
        name: format!("{prefix}inline {}", text(p, "PolicyName").unwrap_or("?")).into(),
        arn: None,
        policy: Arc::new(p.get("PolicyDocument").map_or_else(|| Policy::unreadable("no document"), document_of)),
    });
    let others = list(json, "AttachedManagedPolicies")
        .filter_map(|p| text(p, "PolicyArn"))
        .map(move |arn| managed.attach(arn, format!("{prefix}{arn}")));
    own.chain(others)
}
