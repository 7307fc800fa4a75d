//! What checks ask: one question each, answered in three values, with reasons and proof in words.

use model::{Resource, ResourceIndex, ScopeIndex, Truth, Value};
use rustc_hash::FxHashMap;

use crate::StandIns;
use crate::account::{Account, OWN_ACCOUNT};
use crate::document::Policy;
use crate::escalation::{self, Graph};
use crate::evaluate::{Policies, evaluate};
use crate::exposure::{Exposure, Openness, exposure, exposures, is_deputy, trusted_account};

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

/// Whether a resource policy lets everybody in. A missing policy (`Null`) lets nobody in. A policy that only holds callers to
/// a network or a secret value is not public; see [`public_if`].
pub fn public(document: &Value, account: Option<&str>) -> Fact {
    of_document(document, account, |found| found == "public")
}

/// Whether a resource policy lets everybody in who comes from some network or knows some value, but not simply everybody.
pub fn public_if(document: &Value, account: Option<&str>) -> Fact {
    of_document(document, account, |found| found == "public_if")
}

/// Whether a resource policy lets other accounts or organisations in, or everybody. Unknown if it names accounts and the own
/// one is not known.
pub fn cross_account(document: &Value, account: Option<&str>) -> Fact {
    let mut fact = of_document(document, account, |found| matches!(found, "cross_account" | "public" | "public_if"));
    let named = |e: &Exposure| matches!(e, Exposure { openness: Openness::CrossAccount(_), owner_unknown: true, .. });
    if worlds(document, account).iter().any(named) {
        fact.truth = Truth::Unknown;
        fact.reasons.push("the account of the resource is not known".to_owned());
    }
    fact
}

/// Whether a resource policy lets a service in whatever account the service acts for (the confused deputy).
pub fn confused_deputy(document: &Value, account: Option<&str>) -> Fact {
    joined(worlds(document, account).into_iter().map(|found| match found {
        found if !found.deputies.is_empty() => Fact {
            truth: Truth::True,
            reasons: Vec::new(),
            proof: format!("no condition on the source holds {}", found.deputies.join(", ")),
        },
        Exposure { openness: Openness::Unknown(reasons), .. } => Fact { truth: Truth::Unknown, reasons, proof: String::new() },
        _ => Fact::plain(Truth::False),
    }))
}

/// Whether a resource policy lets a service in whatever account this one service acts for.
pub fn deputy(document: &Value, service: &str, account: Option<&str>) -> Fact {
    if document.is_null() {
        return Fact::plain(Truth::False);
    }
    match is_deputy(&Policy::from_value(document), service, account) {
        Ok(true) => Fact { proof: format!("no condition on the source holds {service}"), ..Fact::plain(Truth::True) },
        Ok(false) => Fact::plain(Truth::False),
        Err(reasons) => Fact { reasons, ..Fact::plain(Truth::Unknown) },
    }
}

/// Whether a policy lets in all users and roles of an account that it names.
pub fn trusts_account(document: &Value) -> Fact {
    if document.is_null() {
        return Fact::plain(Truth::False);
    }
    let policy = Policy::from_value(document);
    match trusted_account(&policy) {
        Ok(Some((account, statements))) => {
            Fact { proof: format!("{} lets in whoever is in {account}", statements.join(", ")), ..Fact::plain(Truth::True) }
        }
        Ok(None) if policy.unreadable.is_none() => Fact::plain(Truth::False),
        Ok(None) => Fact::unknown(policy.unreadable.as_deref().unwrap_or_default()),
        Err(reasons) => Fact { reasons, ..Fact::plain(Truth::Unknown) },
    }
}

/// One answer of those that hold in different worlds; no world at all is a "no".
fn joined(answers: impl Iterator<Item = Fact>) -> Fact {
    let together = answers.reduce(|one, other| match (one.truth, other.truth) {
        (a, b) if a == b => one,
        (Truth::Unknown, _) => one,
        (_, Truth::Unknown) => other,
        _ => Fact::unknown(crate::exposure::DEPENDS_ON_NAMES),
    });
    together.unwrap_or_else(|| Fact::plain(Truth::False))
}

/// The exposure of a document in every world of its names; none if there is no document.
fn worlds(document: &Value, account: Option<&str>) -> Vec<Exposure> {
    if document.is_null() { Vec::new() } else { exposures(&Policy::from_value(document), account) }
}

/// The exposure of a document; `None` if there is no document.
pub fn look(document: &Value, account: Option<&str>) -> Option<Exposure> {
    if document.is_null() {
        return None;
    }
    Some(exposure(&Policy::from_value(document), account))
}

/// Whether a policy by itself allows every action on every resource.
pub fn admin_document(document: &Value) -> Fact {
    if document.is_null() {
        return Fact::plain(Truth::False);
    }
    let policy = std::sync::Arc::new(Policy::from_value(document));
    let caller = crate::Caller::parse(&format!("arn:aws:iam::{OWN_ACCOUNT}:user/other"));
    let policies = Policies { identity: vec![policy.clone()], ..Policies::default() };
    let mut all = Truth::True;
    for (action, resource) in
        [("other:other", "arn:aws:other:::other"), ("iam:PutUserPolicy", &format!("arn:aws:iam::{OWN_ACCOUNT}:user/x"))]
    {
        let context = crate::Context::new(crate::Mode::Discovery);
        let request = crate::Request::new(caller.clone(), action, resource, Some(OWN_ACCOUNT), context);
        all = all.and(evaluate(&request, &policies).allowed);
    }
    match all {
        Truth::Unknown => {
            let mut reasons: Vec<String> = policy.unreadable.iter().map(|r| r.to_string()).collect();
            reasons.extend(policy.statements.iter().filter_map(|s| s.unreadable.as_ref()).map(|r| r.to_string()));
            if reasons.is_empty() {
                reasons.push("it hangs on a condition or on a value that is not known".to_owned());
            }
            Fact { truth: all, reasons, proof: String::new() }
        }
        Truth::True => Fact { proof: "allows every action on every resource".to_owned(), ..Fact::plain(all) },
        Truth::False => Fact::plain(all),
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
    pub fn new(stand_ins: &StandIns<'_>, scope: ScopeIndex) -> AccountFacts {
        let account = Account::in_scope(stand_ins, scope);
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

fn of_document(document: &Value, account: Option<&str>, wanted: impl Fn(&str) -> bool) -> Fact {
    joined(worlds(document, account).into_iter().map(|found| {
        let proof = found.words();
        match found.openness {
            Openness::Unknown(reasons) => Fact { truth: Truth::Unknown, reasons, proof: String::new() },
            openness if wanted(openness.name()) => Fact { truth: Truth::True, reasons: Vec::new(), proof },
            _ => Fact::plain(Truth::False),
        }
    }))
}

impl Exposure {
    /// `Statement[0] (Open) lets anonymous do s3:getobject on arn:aws:s3:::b/x if ..`; empty if nobody is let in.
    pub fn words(&self) -> String {
        let Some(request) = &self.request else { return String::new() };
        let who = match &request.caller {
            crate::Caller::Anonymous => "anybody",
            other => other.text(),
        };
        let mut words = format!(
            "{} lets {who} do {} on {}",
            self.statements.join(", "),
            crate::inclusion::proper(request),
            request.resource()
        );
        match &self.openness {
            Openness::PublicIf(conditions) => words.push_str(&format!(" if {}", conditions.join(" and "))),
            Openness::CrossAccount(accounts) => words.push_str(&format!(" (let in: {})", accounts.join(", "))),
            _ => {}
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use model::Snapshot;

    use super::*;

    fn document(principal: &str) -> Value {
        Value::text(format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sqs:SendMessage","Resource":"*"}}]}}"#
        ))
    }

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
        let facts = AccountFacts::new(&StandIns::new(&snapshot), scope);
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
        assert_eq!(admin_document(&model::from_json(&allow("*"))).truth, Truth::True);
        assert_eq!(admin_document(&model::from_json(&allow("s3:*"))).truth, Truth::False);
    }

    #[test]
    fn three_answers() {
        let own = Some("111122223333");
        let everyone = public(&document(r#""*""#), own);
        assert_eq!(everyone.truth, Truth::True);
        assert!(everyone.proof.starts_with("Statement[0] lets "), "{}", everyone.proof);
        assert_eq!(public(&Value::Null, own).truth, Truth::False);
        assert_eq!(public(&Value::text("{"), own).truth, Truth::Unknown);
        let named = document(r#"{"AWS":"444455556666"}"#);
        assert_eq!(public(&named, own).truth, Truth::False);
        assert_eq!(cross_account(&named, own).truth, Truth::True);
        assert_eq!(cross_account(&named, None).truth, Truth::Unknown);
        assert_eq!(cross_account(&document(r#""*""#), None).truth, Truth::True);
        let service = document(r#"{"Service":"sns.amazonaws.com"}"#);
        assert_eq!(confused_deputy(&service, own).truth, Truth::True);
        assert_eq!(deputy(&service, "sns.amazonaws.com", own).truth, Truth::True);
        assert_eq!(deputy(&service, "sqs.amazonaws.com", own).truth, Truth::False);
        assert_eq!(deputy(&Value::text("{"), "sqs.amazonaws.com", own).truth, Truth::Unknown);
    }

    #[test]
    fn who_trusts_a_whole_account() {
        let trust = |principal: &str, condition: &str| {
            Value::text(format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sts:AssumeRole"{condition}}}]}}"#
            ))
        };
        for (principal, condition, want) in [
            (r#"{"AWS":"arn:aws:iam::111122223333:root"}"#, "", Truth::True),
            (r#"{"AWS":["111122223333"]}"#, "", Truth::True),
            (r#"{"AWS":"arn:aws:iam::⟨own-account⟩:root"}"#, "", Truth::True),
            (
                r#"{"AWS":"arn:aws:iam::111122223333:root"}"#,
                r#","Condition":{"StringEquals":{"sts:ExternalId":"x"}}"#,
                Truth::True,
            ),
            (
                r#"{"AWS":"arn:aws:iam::111122223333:root"}"#,
                r#","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/ci"}}"#,
                Truth::False,
            ),
            (r#"{"AWS":"arn:aws:iam::111122223333:role/ci"}"#, "", Truth::False),
            (r#""*""#, "", Truth::False),
            (r#"{"Service":"ec2.amazonaws.com"}"#, "", Truth::False),
        ] {
            assert_eq!(trusts_account(&trust(principal, condition)).truth, want, "{principal}{condition}");
        }
        assert_eq!(trusts_account(&Value::text("{")).truth, Truth::Unknown);
    }
}
