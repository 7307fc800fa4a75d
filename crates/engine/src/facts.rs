//! Answers the facts that checks ask of the analyses. The names and types are the catalogue's; the answers are made here.

use model::{Reason, Resource, ResourceIndex, ScopeIndex, Snapshot, Truth, Value};

/// What the analyses say of one scope.
pub(crate) struct Facts<'a> {
    _snapshot: std::marker::PhantomData<&'a Snapshot>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(_snapshot: &'a Snapshot, _scope: ScopeIndex, _members: &[ResourceIndex]) -> Facts<'a> {
        Facts { _snapshot: std::marker::PhantomData }
    }

    /// The answer to `name` for `resource`: a truth value, or unknown.
    pub(crate) fn answer(&self, name: &str, resource: &Resource, args: &[Value]) -> Value {
        let account = resource.account.as_ref().map(model::AccountId::as_str);
        let document = args.first().unwrap_or(&Value::Null);
        let fact = match name {
            "iam.public" => iam::facts::public(document, account),
            "iam.cross_account" => iam::facts::cross_account(document, account),
            _ => return Value::unknown_present(Reason::Unsupported, format!("the fact {name}")),
        };
        match fact.truth {
            Truth::True => Value::Bool(true),
            Truth::False => Value::Bool(false),
            Truth::Unknown => Value::unknown_present(Reason::Unsupported, fact.reasons.join("; ")),
        }
    }
}
