//! What checks ask: one question each, answered in three values, with reasons and proof in words.

mod document;

use model::{Resource, ResourceIndex, ScopeIndex, Truth};
use rustc_hash::FxHashMap;

use crate::account::{Account, Organisation};
use crate::escalation::{self, Graph};
use crate::{Readings, StandIns};

pub use document::DocumentFacts;

/// An answer that a check can use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The answer.
    pub truth: Truth,
    /// Why it is not known; empty if it is.
    pub reasons: Vec<String>,
    /// What proves a "yes": the statements and a concrete request, in one line. Empty if there is nothing to show.
    pub proof: String,
}

impl Fact {
    /// An answer without reasons or proof.
    pub fn plain(truth: Truth) -> Fact {
        Fact { truth, reasons: Vec::new(), proof: String::new() }
    }

    /// Not known, for this reason.
    pub fn unknown(reason: impl Into<String>) -> Fact {
        Fact { truth: Truth::Unknown, reasons: vec![reason.into()], proof: String::new() }
    }
}

/// What checks ask about users and roles. Made once for each scope of a snapshot.
#[derive(Clone, Debug)]
pub struct AccountFacts {
    account: Account,
    graph: Graph,
    positions: FxHashMap<ResourceIndex, usize>,
}

impl AccountFacts {
    /// Reads a scope and works out who can become whom.
    pub fn new(stand_ins: &StandIns<'_>, organisation: &Organisation, scope: ScopeIndex, readings: &Readings) -> AccountFacts {
        let mut account = Account::with(stand_ins, scope, readings);
        account.under(organisation);
        let graph = escalation::graph(&account);
        let positions = account.principals.iter().enumerate().filter_map(|(i, p)| Some((p.resource?, i))).collect();
        AccountFacts { account, graph, positions }
    }

    /// The principals and what is attached to them.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The user or role that a resource is, or that a row of a report names by its ARN.
    fn position(&self, index: ResourceIndex, resource: &Resource) -> Option<usize> {
        self.positions.get(&index).copied().or_else(|| {
            let arn = resource.prop("UserArn").as_str()?;
            self.account.principals.iter().position(|p| *p.arn == *arn)
        })
    }

    /// Whether a user or role has every permission, effectively.
    pub fn admin(&self, index: ResourceIndex, resource: &Resource) -> Fact {
        let Some(at) = self.position(index, resource) else { return Fact::unknown("no user or role") };
        match self.graph.admin.get(at).copied().unwrap_or(Truth::Unknown) {
            Truth::True => Fact { proof: "may do everything".to_owned(), ..Fact::plain(Truth::True) },
            Truth::False => Fact::plain(Truth::False),
            Truth::Unknown => Fact { reasons: self.reasons(at), ..Fact::plain(Truth::Unknown) },
        }
    }

    /// Whether a user or role that is not admin can become one by steps that hang on nothing. Steps that hang on conditions
    /// make the answer unknown.
    pub fn escalates(&self, index: ResourceIndex, resource: &Resource) -> Fact {
        let Some(at) = self.position(index, resource) else { return Fact::unknown("no user or role") };
        if self.graph.admin.get(at) == Some(&Truth::True) {
            return Fact::plain(Truth::False);
        }
        let Some(path) = self.graph.path(at) else {
            let reasons = self.graph.reasons.clone();
            return if reasons.is_empty() { Fact::plain(Truth::False) } else { Fact { reasons, ..Fact::plain(Truth::Unknown) } };
        };
        let steps = &path.steps;
        let words: Vec<String> = steps
            .iter()
            .map(|step| {
                let requests: Vec<String> = step.requests.iter().map(|(a, r)| format!("{a} on {r}")).collect();
                format!("{} ({})", step.way, requests.join(", "))
            })
            .collect();
        let proof = words.join(", then ");
        if path.certain {
            return Fact { truth: Truth::True, reasons: Vec::new(), proof };
        }
        let mut reasons: Vec<String> = steps.iter().flat_map(|s| s.conditions.iter().cloned()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        Fact { truth: Truth::Unknown, reasons, proof }
    }

    /// Whether a user or role is admin or can become one.
    pub fn privileged(&self, index: ResourceIndex, resource: &Resource) -> Fact {
        let (admin, escalates) = (self.admin(index, resource), self.escalates(index, resource));
        match admin.truth.or(escalates.truth) {
            Truth::True if admin.truth == Truth::True => admin,
            Truth::True => escalates,
            Truth::False => Fact::plain(Truth::False),
            Truth::Unknown => {
                let reasons = admin.reasons.into_iter().chain(escalates.reasons).collect();
                Fact { truth: Truth::Unknown, reasons, proof: String::new() }
            }
        }
    }

    /// Why it cannot be told what a principal may do.
    fn reasons(&self, at: usize) -> Vec<String> {
        let Some(principal) = self.account.principals.get(at) else { return Vec::new() };
        let attached = principal.policies.iter().chain(&principal.boundary);
        let mut all: Vec<String> = attached
            .flat_map(|a| a.policy.unreadable.iter().chain(a.policy.statements.iter().filter_map(|s| s.unreadable.as_ref())))
            .map(|r| r.to_string())
            .collect();
        if all.is_empty() {
            all.push("it hangs on conditions".to_owned());
        }
        all.sort_unstable();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use model::{Snapshot, Value};

    use super::*;

    #[test]
    fn who_is_admin_in_a_template() {
        use model::{Resource, SourceKind, Text, TypeName};
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope("t.yaml", SourceKind::CloudFormation);
        let mut add = |id: &str, kind: &str, props: serde_json::Value| {
            let mut resource = Resource::new(id, TypeName::new(kind).unwrap(), scope);
            if let Value::Map(map) = model::from_json(&props) {
                resource.props = map;
            }
            snapshot.resources.push(resource);
            ResourceIndex(snapshot.resources.len() as u32 - 1)
        };
        let allow = |action: &str| serde_json::json!({ "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }] });
        let boss = add(
            "Boss",
            "AWS::IAM::User",
            serde_json::json!({ "ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"] }),
        );
        let eve = add("Eve", "AWS::IAM::User", serde_json::json!({ "Groups": ["Ops"] }));
        let bob = add(
            "Bob",
            "AWS::IAM::User",
            serde_json::json!({ "Policies": [{ "PolicyName": "p", "PolicyDocument": allow("s3:*") }] }),
        );
        add("Ops", "AWS::IAM::Group", serde_json::json!({}));
        add("Keys", "AWS::IAM::Policy", serde_json::json!({ "PolicyDocument": allow("iam:CreateAccessKey"), "Groups": ["Ops"] }));
        let odd = add("Odd", "AWS::IAM::User", serde_json::json!({}));
        if let Some(odd) = snapshot.resources.get_mut(odd.0 as usize) {
            odd.props.insert(Text::from("Policies"), Value::unknown(model::Reason::AfterApply, "policies"));
        }
        let facts = AccountFacts::new(&StandIns::new(&snapshot), &Organisation::default(), scope, &Readings::default());
        let of = |index: ResourceIndex| (index, snapshot.resource(index).unwrap());
        let admin = |i| facts.admin(of(i).0, of(i).1);
        let escalates = |i| facts.escalates(of(i).0, of(i).1);
        assert_eq!(admin(boss).truth, Truth::True);
        assert_eq!(escalates(boss).truth, Truth::False);
        assert_eq!(escalates(eve).truth, Truth::True);
        assert!(escalates(eve).proof.starts_with("iam-002"), "{}", escalates(eve).proof);
        assert_eq!(facts.privileged(of(bob).0, of(bob).1).truth, Truth::False);
        assert_eq!(admin(odd).truth, Truth::Unknown);
        assert!(!admin(odd).reasons.is_empty());
    }
}
