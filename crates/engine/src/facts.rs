//! Answers the facts that checks ask of the analyses. The names and types are the catalogue's; the answers are made here, each
//! analysis once and only if a check asks.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use iam::StandIns;
use iam::facts::AccountFacts;
use model::{Reason, Resource, ResourceIndex, ScopeIndex, Snapshot, Text, Truth, Value};
use net::Ports;
use net::facts::NetFacts;

/// What the analyses say of a snapshot.
pub(crate) struct Facts<'a> {
    pub(crate) snapshot: &'a Snapshot,
    stand_ins: StandIns<'a>,
    net: OnceCell<NetFacts>,
    accounts: RefCell<BTreeMap<ScopeIndex, Rc<AccountFacts>>>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Facts<'a> {
        Facts { snapshot, stand_ins: StandIns::new(snapshot), net: OnceCell::new(), accounts: RefCell::default() }
    }

    /// The answer to `name` for the resource at `index`, or unknown.
    pub(crate) fn answer(&self, name: &str, index: ResourceIndex, resource: &Resource, args: &[Value]) -> Value {
        let account = resource.account.as_ref().map(model::AccountId::as_str);
        let document = args.first().unwrap_or(&Value::Null);
        let settled = if name.starts_with("iam.") {
            self.stand_ins.document(document, resource.scope, account)
        } else {
            Cow::Borrowed(document)
        };
        let document = settled.as_ref();
        match name {
            "iam.public" => truth(iam::facts::public(document, account)),
            "iam.public_if" => truth(iam::facts::public_if(document, account)),
            "iam.cross_account" => truth(iam::facts::cross_account(document, account)),
            "iam.confused_deputy" => truth(iam::facts::confused_deputy(document, account)),
            "iam.deputy" => truth(iam::facts::deputy(document, text(args, 1), account)),
            "iam.trusts_account" => truth(iam::facts::trusts_account(document)),
            "iam.allows" => truth(iam::allows(document, text(args, 1), text(args, 2))),
            "iam.admin" => truth(iam::facts::admin_document(document)),
            "iam.administrator" => truth(self.account(resource.scope).admin(index, resource)),
            "iam.escalates" => truth(self.account(resource.scope).escalates(index, resource)),
            "iam.privileged" => truth(self.account(resource.scope).privileged(index, resource)),
            "iam.escalation" => {
                let fact = self.account(resource.scope).escalates(index, resource);
                if fact.proof.is_empty() { Value::Null } else { Value::from(fact.proof) }
            }
            "iam.public_proof" => {
                let fact = iam::facts::public(document, account);
                if fact.proof.is_empty() { Value::Null } else { Value::from(fact.proof) }
            }
            "net.exposed" => reached(&self.net().exposed_by(index, &port(document))),
            "net.open_to_world" => reached(&self.net().open_to_world(index, &port(document))),
            "net.public_subnet" => reached(&self.net().public_subnet(index)),
            "net.way" => {
                let fact = self.net().exposed_by(index, &port(document));
                if fact.path.is_empty() { Value::Null } else { Value::from(fact.path) }
            }
            "net.reached" => reached(&self.net().exposed_at_all(index)),
            "net.exposure" => {
                let fact = self.net().exposed_at_all(index);
                if fact.path.is_empty() { Value::Null } else { Value::from(fact.path) }
            }
            _ => match power(name.trim_end_matches("_proof")) {
                Some(power) => {
                    let fact = iam::anywhere(document, power);
                    if !name.ends_with("_proof") {
                        truth(fact)
                    } else if fact.proof.is_empty() {
                        Value::Null
                    } else {
                        Value::from(fact.proof)
                    }
                }
                None => Value::unknown_present(Reason::Unsupported, format!("the fact {name}")),
            },
        }
    }

    fn account(&self, scope: ScopeIndex) -> Rc<AccountFacts> {
        let made = || Rc::new(AccountFacts::new(&self.stand_ins, scope));
        self.accounts.borrow_mut().entry(scope).or_insert_with(made).clone()
    }

    fn net(&self) -> &NetFacts {
        self.net.get_or_init(|| NetFacts::new(self.snapshot))
    }
}

/// An argument that is text.
fn text(args: &[Value], at: usize) -> &str {
    args.get(at).and_then(Value::as_str).unwrap_or_default()
}

/// The power that a fact asks of a policy.
fn power(name: &str) -> Option<iam::Power> {
    Some(match name {
        "iam.gives_credentials" => iam::Power::Credentials,
        "iam.reads_data" => iam::Power::Data,
        "iam.writes_anywhere" => iam::Power::Writes,
        "iam.changes_permissions" => iam::Power::Permissions,
        "iam.ways_anywhere" => iam::Power::Escalation,
        _ => return None,
    })
}

/// TCP and UDP at one port; nothing if it is no port.
fn port(value: &Value) -> Ports {
    let port = value.as_int().and_then(|n| u16::try_from(n).ok()).unwrap_or_default();
    Ports::tcp(port, port).or(&Ports::udp(port, port))
}

fn truth(fact: iam::facts::Fact) -> Value {
    answer(fact.truth, &fact.reasons.join("; "))
}

fn reached(fact: &net::facts::Fact) -> Value {
    let reasons: Vec<&str> = fact.reasons.iter().map(|r: &Text| &**r).collect();
    answer(fact.truth, &reasons.join("; "))
}

fn answer(truth: Truth, reasons: &str) -> Value {
    match truth {
        Truth::True => Value::Bool(true),
        Truth::False => Value::Bool(false),
        Truth::Unknown => Value::unknown_present(Reason::Unsupported, reasons),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{ScopeIndex, TypeName};

    #[test]
    fn every_fact_of_the_catalogue_is_answered() {
        let snapshot = Snapshot::default();
        let facts = Facts::new(&snapshot);
        let resource = Resource::new("x", TypeName::new("AWS::EC2::Instance").unwrap(), ScopeIndex(0));
        for fact in catalogue::FACTS {
            let answer = facts.answer(fact.name, ResourceIndex(0), &resource, &[Value::Null]);
            let unanswered = matches!(&answer, Value::Unknown(u) if u.what.starts_with("the fact "));
            assert!(!unanswered, "{}", fact.name);
        }
    }
}
