//! Answers the facts that checks ask of the analyses. The names and types are the catalogue's; the answers are made here, each
//! analysis once and only if a check asks.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::OnceLock;

use iam::facts::{AccountFacts, DocumentFacts};
use iam::{Control, Level, Organisation, Owner, Readings, StandIns};
use model::{Reason, Resource, ResourceIndex, ScopeIndex, Snapshot, Text, Truth, Value};
use net::Ports;
use net::facts::NetFacts;

use crate::keys::ManagedKeys;

/// What the analyses say of a snapshot.
pub(crate) struct Facts<'a> {
    pub(crate) snapshot: &'a Snapshot,
    stand_ins: StandIns<'a>,
    organisation: OnceLock<Organisation>,
    net: OnceLock<NetFacts>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Facts<'a> {
        Facts { snapshot, stand_ins: StandIns::new(snapshot), organisation: OnceLock::new(), net: OnceLock::new() }
    }

    fn net(&self) -> &NetFacts {
        self.net.get_or_init(|| NetFacts::new(self.snapshot))
    }

    fn organisation(&self) -> &Organisation {
        self.organisation.get_or_init(|| Organisation::from_snapshot(self.snapshot))
    }

    /// The resource control policies over an account; none where its place is not known.
    fn rcp(&self, account: Option<&str>) -> Vec<Level> {
        self.organisation().levels(Control::Resources, account).unwrap_or_default()
    }
}

/// What they say of one scope.
pub(crate) struct ScopeFacts<'a> {
    all: &'a Facts<'a>,
    scope: ScopeIndex,
    readings: Readings,
    account: OnceCell<AccountFacts>,
    keys: OnceCell<ManagedKeys>,
    documents: RefCell<Documents>,
}

/// The policy documents of the resource that was asked about last: its checks ask about the same few.
#[derive(Default)]
struct Documents {
    of: Option<ResourceIndex>,
    read: Vec<(Value, Rc<DocumentFacts>)>,
}

impl<'a> ScopeFacts<'a> {
    pub(crate) fn new(all: &'a Facts<'a>, scope: ScopeIndex) -> ScopeFacts<'a> {
        ScopeFacts {
            all,
            scope,
            readings: Readings::default(),
            account: OnceCell::new(),
            keys: OnceCell::new(),
            documents: RefCell::default(),
        }
    }

    /// The answer to `name` for the resource at `index`, or unknown.
    pub(crate) fn answer(&self, name: &str, index: ResourceIndex, resource: &Resource, args: &[Value]) -> Value {
        let first = args.first().unwrap_or(&Value::Null);
        match name {
            "iam.administrator" => truth(self.account().admin(index, resource)),
            "iam.escalates" => truth(self.account().escalates(index, resource)),
            "iam.privileged" => truth(self.account().privileged(index, resource)),
            "iam.escalation" => proof(self.account().escalates(index, resource).proof),
            "kms.managed_by_aws" => self.keys().manages(first, resource),
            "net.exposed" => reached(&self.net().exposed_by(index, &port(first))),
            "net.open_to_world" => reached(&self.net().open_to_world(index, &port(first))),
            "net.public_subnet" => reached(&self.net().public_subnet(index)),
            "net.way" => proof(self.net().exposed_by(index, &port(first)).path),
            "net.reached" => reached(&self.net().exposed_at_all(index)),
            "net.exposure" => proof(self.net().exposed_at_all(index).path),
            _ => self.of_document(name, &self.document(index, resource, first), args),
        }
    }

    fn of_document(&self, name: &str, document: &DocumentFacts, args: &[Value]) -> Value {
        match name {
            "iam.public" => truth(document.public()),
            "iam.public_if" => truth(document.public_if()),
            "iam.public_proof" => proof(document.public_proof()),
            "iam.cross_account" => truth(document.cross_account()),
            "iam.confused_deputy" => truth(document.confused_deputy()),
            "iam.deputy" => truth(document.deputy(text(args, 1))),
            "iam.trusts_account" => truth(document.trusts_account()),
            "iam.allows" => truth(document.allows(text(args, 1), text(args, 2))),
            "iam.admin" => truth(document.admin()),
            _ => match power(name.trim_end_matches("_proof")) {
                Some(power) if name.ends_with("_proof") => proof(document.anywhere(power).proof),
                Some(power) => truth(document.anywhere(power)),
                None => Value::unknown_present(Reason::Unsupported, format!("the fact {name}")),
            },
        }
    }

    fn document(&self, index: ResourceIndex, resource: &Resource, document: &Value) -> Rc<DocumentFacts> {
        let mut documents = self.documents.borrow_mut();
        if documents.of != Some(index) {
            *documents = Documents { of: Some(index), read: Vec::new() };
        }
        if let Some((_, known)) = documents.read.iter().find(|(read, _)| read == document) {
            return Rc::clone(known);
        }
        let account = resource.account.as_ref().map(model::AccountId::as_str);
        let read = || self.readings.policy(&self.all.stand_ins, document, self.scope, account);
        let policy = (!document.is_null()).then(read);
        let own = iam::account::is_own_policy(resource.type_name.as_str());
        let arn = own.then(|| self.all.stand_ins.arn_of(resource, account));
        let owner = Owner { account, rcp: &self.all.rcp(account), resource: arn.as_deref() };
        let facts = Rc::new(DocumentFacts::of(policy, owner));
        documents.read.push((document.clone(), Rc::clone(&facts)));
        facts
    }

    fn account(&self) -> &AccountFacts {
        self.account.get_or_init(|| AccountFacts::new(&self.all.stand_ins, self.all.organisation(), self.scope, &self.readings))
    }

    fn keys(&self) -> &ManagedKeys {
        self.keys.get_or_init(|| ManagedKeys::new(self.all.snapshot, self.scope))
    }

    fn net(&self) -> &NetFacts {
        self.all.net()
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
        "iam.anything_anywhere" => iam::Power::Anything,
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

/// The proof in words, or null if there is none.
fn proof(words: String) -> Value {
    if words.is_empty() { Value::Null } else { Value::from(words) }
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
    use model::TypeName;

    #[test]
    fn every_fact_of_the_catalogue_is_answered() {
        let snapshot = Snapshot::default();
        let facts = Facts::new(&snapshot);
        let resource = Resource::new("x", TypeName::new("AWS::EC2::Instance").unwrap(), ScopeIndex(0));
        for fact in catalogue::FACTS {
            let answer = ScopeFacts::new(&facts, ScopeIndex(0)).answer(fact.name, ResourceIndex(0), &resource, &[Value::Null]);
            let unanswered = matches!(&answer, Value::Unknown(u) if u.what.starts_with("the fact "));
            assert!(!unanswered, "{}", fact.name);
        }
    }
}
