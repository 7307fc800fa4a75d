//! What checks ask of one policy document, read once however many ask.

use std::cell::OnceCell;
use std::sync::Arc;

use model::{Text, Truth, Value};

use super::Fact;
use crate::account::OWN_ACCOUNT;
use crate::anywhere::{POWERS, Power, allows, anywhere};
use crate::document::Policy;
use crate::evaluate::{Policies, evaluate};
use crate::exposure::{DEPENDS_ON_NAMES, Exposure, Openness, Owner, exposures, trusted_account, unreadable};

/// One policy document and what is known of it so far.
#[derive(Debug)]
pub struct DocumentFacts {
    /// None if there is no document: it lets nobody in and allows nothing.
    policy: Option<Arc<Policy>>,
    /// The same with what resource control policies deny.
    guarded: Option<Arc<Policy>>,
    account: Option<Text>,
    /// The ARN of what it belongs to, where known.
    resource: Option<Text>,
    /// In every world of the names in it that nobody knows yet.
    exposures: OnceCell<Vec<Exposure>>,
    admin: OnceCell<Fact>,
    powers: [OnceCell<Fact>; POWERS],
}

impl DocumentFacts {
    /// Reads a document. `owner` is the account of what it is attached to, where known, and what is above it.
    pub fn new<'a>(document: &Value, owner: impl Into<Owner<'a>>) -> DocumentFacts {
        DocumentFacts::of((!document.is_null()).then(|| Arc::new(Policy::from_value(document))), owner)
    }

    /// Of one that was read; none if there is no document.
    pub fn of<'a>(policy: Option<Arc<Policy>>, owner: impl Into<Owner<'a>>) -> DocumentFacts {
        let owner = owner.into();
        let guarded = match &policy {
            Some(policy) if !owner.rcp.is_empty() => Some(Arc::new(policy.under(owner.rcp))),
            same => same.clone(),
        };
        DocumentFacts {
            policy,
            guarded,
            account: owner.account.map(Text::from),
            resource: owner.resource.map(Text::from),
            exposures: OnceCell::new(),
            admin: OnceCell::new(),
            powers: Default::default(),
        }
    }

    /// Whom it lets in as a resource policy in every world of its names; none if there is no document.
    fn exposures(&self) -> &[Exposure] {
        let owner = || Owner { resource: self.resource.as_deref(), ..Owner::from(self.account.as_deref()) };
        let look = || self.guarded.as_ref().map(|policy| exposures(policy, owner())).unwrap_or_default();
        self.exposures.get_or_init(look)
    }

    /// Whether it lets everybody in as a resource policy. One that only holds callers to a network or a secret value is not
    /// public; see [`DocumentFacts::public_if`].
    pub fn public(&self) -> Fact {
        self.open(|found| found == "public")
    }

    /// The statement and the request that prove that it lets everybody in; empty if it does not.
    pub fn public_proof(&self) -> String {
        let proof = || self.exposures().first().map(Exposure::words).unwrap_or_default();
        if self.public().truth == Truth::True { proof() } else { String::new() }
    }

    /// Whether it lets everybody in who comes from some network or knows some value, but not simply everybody.
    pub fn public_if(&self) -> Fact {
        self.open(|found| found == "public_if")
    }

    /// Whether it lets other accounts or organisations in, or everybody. Unknown if it names accounts and the own one is not
    /// known.
    pub fn cross_account(&self) -> Fact {
        let mut fact = self.open(|found| matches!(found, "cross_account" | "public" | "public_if"));
        let named = |e: &Exposure| matches!(e, Exposure { openness: Openness::CrossAccount(_), owner_unknown: true, .. });
        if self.exposures().iter().any(named) {
            fact.truth = Truth::Unknown;
            fact.reasons.push("the account of the resource is not known".to_owned());
        }
        fact
    }

    /// Whether it lets a service in whatever account the service acts for (the confused deputy).
    pub fn confused_deputy(&self) -> Fact {
        joined(self.exposures().iter().map(|found| match found {
            found if !found.deputies.is_empty() => Fact {
                truth: Truth::True,
                reasons: Vec::new(),
                proof: format!("no condition on the source holds {}", found.deputies.join(", ")),
            },
            Exposure { openness: Openness::Unknown(reasons), .. } => {
                Fact { truth: Truth::Unknown, reasons: reasons.clone(), proof: String::new() }
            }
            _ => Fact::plain(Truth::False),
        }))
    }

    /// Whether it lets a service in whatever account this one service acts for.
    pub fn deputy(&self, service: &str) -> Fact {
        let Some(policy) = &self.guarded else { return Fact::plain(Truth::False) };
        if self.exposures().first().is_some_and(|found| found.deputies.iter().any(|deputy| deputy == service)) {
            return Fact { proof: format!("no condition on the source holds {service}"), ..Fact::plain(Truth::True) };
        }
        let reasons: Vec<String> =
            unreadable(policy).into_iter().chain(policy.unreadable.as_deref().map(str::to_owned)).collect();
        if reasons.is_empty() { Fact::plain(Truth::False) } else { Fact { reasons, ..Fact::plain(Truth::Unknown) } }
    }

    /// Whether it lets in all users and roles of an account that it names.
    pub fn trusts_account(&self) -> Fact {
        let Some(policy) = &self.policy else { return Fact::plain(Truth::False) };
        match trusted_account(policy) {
            Ok(Some((account, statements))) => {
                Fact { proof: format!("{} lets in whoever is in {account}", statements.join(", ")), ..Fact::plain(Truth::True) }
            }
            Ok(None) if policy.unreadable.is_none() => Fact::plain(Truth::False),
            Ok(None) => Fact::unknown(policy.unreadable.as_deref().unwrap_or_default()),
            Err(reasons) => Fact { reasons, ..Fact::plain(Truth::Unknown) },
        }
    }

    /// Whether it allows an action on every one of a set of resources, written as `*` or as an ARN with stars in it, and under
    /// no condition; the proof names the statement.
    pub fn allows(&self, action: &str, resources: &str) -> Fact {
        self.policy.as_ref().map_or_else(|| Fact::plain(Truth::False), |policy| allows(policy, action, resources))
    }

    /// Whether it allows an action of a kind on every resource and under no condition; the proof names the action.
    pub fn anywhere(&self, power: Power) -> Fact {
        let Some(policy) = &self.policy else { return Fact::plain(Truth::False) };
        let known = self.powers.get(power as usize);
        known.map_or_else(|| anywhere(policy, power), |slot| slot.get_or_init(|| anywhere(policy, power)).clone())
    }

    /// Whether it allows by itself every action on every resource.
    pub fn admin(&self) -> Fact {
        let Some(policy) = &self.policy else { return Fact::plain(Truth::False) };
        self.admin.get_or_init(|| admin(policy)).clone()
    }

    fn open(&self, wanted: impl Fn(&str) -> bool) -> Fact {
        joined(self.exposures().iter().map(|found| match &found.openness {
            Openness::Unknown(reasons) => Fact { truth: Truth::Unknown, reasons: reasons.clone(), proof: String::new() },
            openness => Fact::plain(Truth::from(wanted(openness.name()))),
        }))
    }
}

/// One answer of those that hold in different worlds; no world at all is a "no".
fn joined(answers: impl Iterator<Item = Fact>) -> Fact {
    let together = answers.reduce(|one, other| match (one.truth, other.truth) {
        (a, b) if a == b => one,
        (Truth::Unknown, _) => one,
        (_, Truth::Unknown) => other,
        _ => Fact::unknown(DEPENDS_ON_NAMES),
    });
    together.unwrap_or_else(|| Fact::plain(Truth::False))
}

fn admin(policy: &Arc<Policy>) -> Fact {
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
    use super::*;

    fn document(principal: &str) -> Value {
        Value::text(format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{principal},"Action":"sqs:SendMessage","Resource":"*"}}]}}"#
        ))
    }

    #[test]
    fn three_answers() {
        let own = Some("111122223333");
        let everyone = DocumentFacts::new(&document(r#""*""#), own);
        assert_eq!(everyone.public().truth, Truth::True);
        assert!(everyone.public_proof().starts_with("Statement[0] lets "), "{}", everyone.public_proof());
        assert_eq!(DocumentFacts::new(&Value::Null, own).public().truth, Truth::False);
        assert_eq!(DocumentFacts::new(&Value::text("{"), own).public().truth, Truth::Unknown);
        let named = document(r#"{"AWS":"444455556666"}"#);
        assert_eq!(DocumentFacts::new(&named, own).public().truth, Truth::False);
        assert_eq!(DocumentFacts::new(&named, own).cross_account().truth, Truth::True);
        assert_eq!(DocumentFacts::new(&named, None).cross_account().truth, Truth::Unknown);
        assert_eq!(DocumentFacts::new(&document(r#""*""#), None).cross_account().truth, Truth::True);
        let service = document(r#"{"Service":"sns.amazonaws.com"}"#);
        let service = DocumentFacts::new(&service, own);
        assert_eq!(service.confused_deputy().truth, Truth::True);
        assert_eq!(service.deputy("sns.amazonaws.com").truth, Truth::True);
        assert_eq!(service.deputy("sqs.amazonaws.com").truth, Truth::False);
        assert_eq!(DocumentFacts::new(&Value::text("{"), own).deputy("sqs.amazonaws.com").truth, Truth::Unknown);
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
            assert_eq!(
                DocumentFacts::new(&trust(principal, condition), None).trusts_account().truth,
                want,
                "{principal}{condition}"
            );
        }
        assert_eq!(DocumentFacts::new(&Value::text("{"), None).trusts_account().truth, Truth::Unknown);
    }

    #[test]
    fn a_document_that_allows_everything() {
        let allow =
            |action: &str| Value::text(format!(r#"{{"Statement":[{{"Effect":"Allow","Action":"{action}","Resource":"*"}}]}}"#));
        assert_eq!(DocumentFacts::new(&allow("*"), None).admin().truth, Truth::True);
        assert_eq!(DocumentFacts::new(&allow("s3:*"), None).admin().truth, Truth::False);
    }
}
