//! What checks ask: one question each, answered in three values, with reasons and proof in words.

use model::{Truth, Value};

use crate::document::Policy;
use crate::exposure::{Exposure, Openness, exposure};

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
    let named =
        matches!(look(document, account), Some(Exposure { openness: Openness::CrossAccount(_), owner_unknown: true, .. }));
    if named {
        fact.truth = Truth::Unknown;
        fact.reasons.push("the account of the resource is not known".to_owned());
    }
    fact
}

/// Whether a resource policy lets a service in whatever account the service acts for (the confused deputy).
pub fn confused_deputy(document: &Value, account: Option<&str>) -> Fact {
    match look(document, account) {
        None => Fact::plain(Truth::False),
        Some(found) if !found.deputies.is_empty() => Fact {
            truth: Truth::True,
            reasons: Vec::new(),
            proof: format!("no condition on the source holds {}", found.deputies.join(", ")),
        },
        Some(Exposure { openness: Openness::Unknown(reasons), .. }) => {
            Fact { truth: Truth::Unknown, reasons, proof: String::new() }
        }
        Some(_) => Fact::plain(Truth::False),
    }
}

/// The exposure of a document; `None` if there is no document.
pub fn look(document: &Value, account: Option<&str>) -> Option<Exposure> {
    if document.is_null() {
        return None;
    }
    Some(exposure(&Policy::from_value(document), account))
}

fn of_document(document: &Value, account: Option<&str>, wanted: impl Fn(&str) -> bool) -> Fact {
    let Some(found) = look(document, account) else { return Fact::plain(Truth::False) };
    let proof = found.words();
    match found.openness {
        Openness::Unknown(reasons) => Fact { truth: Truth::Unknown, reasons, proof: String::new() },
        openness if wanted(openness.name()) => Fact { truth: Truth::True, reasons: Vec::new(), proof },
        _ => Fact::plain(Truth::False),
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
        let mut words = format!("{} lets {who} do {} on {}", self.statements.join(", "), request.action, request.resource);
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
        assert_eq!(confused_deputy(&document(r#"{"Service":"sns.amazonaws.com"}"#), own).truth, Truth::True);
    }
}
