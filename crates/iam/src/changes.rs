//! What access a new version of a template adds, and what it takes away.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::account::{Account, Principal};
use crate::document::Policy;
use crate::inclusion::{Inclusion, PolicyType, no_broader_all};

/// One thing whose access changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The principal or resource, by label.
    pub subject: String,
    /// `permissions`, `boundary`, `trust` or `resource policy`.
    pub part: &'static str,
    /// `No` carries a request that is newly allowed.
    pub added: Inclusion,
    /// `No` carries a request that is no longer allowed.
    pub removed: Inclusion,
}

/// Compares two accounts, subject by subject; what is the same in both is left out.
pub fn changes(old: &Account, new: &Account) -> Vec<Change> {
    let mut all = Vec::new();
    let labels: BTreeSet<&str> = old.principals.iter().chain(&new.principals).map(|p| &*p.label).collect();
    for label in labels {
        let find = |account: &'_ Account| account.principals.iter().position(|p| *p.label == *label);
        let before = find(old).and_then(|i| old.principals.get(i));
        let after = find(new).and_then(|i| new.principals.get(i));
        let own = |p: Option<&Principal>| -> Vec<Arc<Policy>> {
            p.into_iter().flat_map(|p| p.policies.iter().map(|a| a.policy.clone())).collect()
        };
        let trust = |p: Option<&Principal>| -> Vec<Arc<Policy>> { p.and_then(|p| p.trust.clone()).into_iter().collect() };
        // Without a boundary everything is within bounds.
        let boundary = |p: Option<&Principal>| -> Vec<Arc<Policy>> {
            p.map(|p| p.boundary.as_ref().map_or_else(everything, |b| b.policy.clone())).into_iter().collect()
        };
        compare(label, "permissions", (own(before), own(after)), PolicyType::Identity, &mut all);
        compare(label, "trust", (trust(before), trust(after)), PolicyType::Resource, &mut all);
        if before.is_some() && after.is_some() {
            compare(label, "boundary", (boundary(before), boundary(after)), PolicyType::Identity, &mut all);
        }
    }
    let guarded: BTreeSet<&str> = old.resources.iter().chain(&new.resources).map(|r| &*r.label).collect();
    for label in guarded {
        let policies = |account: &Account| -> Vec<Arc<Policy>> {
            account.resources.iter().filter(|r| *r.label == *label).map(|r| r.policy.clone()).collect()
        };
        compare(label, "resource policy", (policies(old), policies(new)), PolicyType::Resource, &mut all);
    }
    all
}

fn everything() -> Arc<Policy> {
    Arc::new(Policy::from_json(r#"{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#))
}

type Versions = (Vec<Arc<Policy>>, Vec<Arc<Policy>>);

fn compare(subject: &str, part: &'static str, (before, after): Versions, kind: PolicyType, all: &mut Vec<Change>) {
    if before == after {
        return;
    }
    let refs = |policies: &'_ [Arc<Policy>]| -> Vec<Policy> { policies.iter().map(|p| Policy::clone(p)).collect() };
    let (before, after) = (refs(&before), refs(&after));
    let (old, new): (Vec<&Policy>, Vec<&Policy>) = (before.iter().collect(), after.iter().collect());
    let (added, removed) = (no_broader_all(&old, &new, kind), no_broader_all(&new, &old, kind));
    if added != Inclusion::Yes || removed != Inclusion::Yes {
        all.push(Change { subject: subject.to_owned(), part, added, removed });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{Link, Resource, ScopeIndex, Snapshot, SourceKind, Text, TypeName, Value};

    fn template(action: &str, trusted: &str) -> Account {
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope("t.yaml", SourceKind::CloudFormation);
        let mut role = Resource::new("Role", TypeName::new("AWS::IAM::Role").unwrap(), scope);
        let json = serde_json::json!({
            "AssumeRolePolicyDocument": { "Statement": [{ "Effect": "Allow", "Principal": { "Service": trusted }, "Action": "sts:AssumeRole" }] },
            "Policies": [{ "PolicyName": "p", "PolicyDocument": { "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "here" }] } }],
        });
        if let Value::Map(map) = link(&model::from_json(&json)) {
            role.props = map;
        }
        snapshot.resources.push(role);
        Account::from_snapshot_by_name(&snapshot, ScopeIndex(0))
    }

    /// `"here"` stands for a link in these tests.
    fn link(value: &Value) -> Value {
        match value {
            Value::Str(text) if &**text == "here" => {
                Value::Link(Box::new(Link { target: Text::from("Bucket"), attr: Text::from("Arn") }))
            }
            Value::List(items) => Value::List(items.iter().map(link).collect()),
            Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), link(v))).collect()),
            other => other.clone(),
        }
    }

    #[test]
    fn only_what_changes() {
        let old = template("s3:GetObject", "ec2.amazonaws.com");
        assert_eq!(changes(&old, &old.clone()), []);
        let wider = changes(&old, &template("s3:Get*", "ec2.amazonaws.com"));
        let [change] = wider.as_slice() else { panic!("{wider:?}") };
        assert_eq!((change.subject.as_str(), change.part), ("Role", "permissions"));
        assert!(matches!(change.added, Inclusion::No { .. }));
        assert_eq!(change.removed, Inclusion::Yes);
        let trusting = changes(&old, &template("s3:GetObject", "lambda.amazonaws.com"));
        assert_eq!(trusting.iter().map(|c| c.part).collect::<Vec<_>>(), ["trust"]);
        let gone = changes(&old, &Account::default());
        assert_eq!(gone.len(), 2);
        assert!(gone.iter().all(|c| c.added == Inclusion::Yes));
    }
}
