//! Answers the facts that checks ask of the analyses. The names and types are the catalogue's; the answers are made here.

use model::{Reason, Resource, ResourceIndex, ScopeIndex, Snapshot, Value};

/// What the analyses say of one scope.
pub(crate) struct Facts<'a> {
    _snapshot: std::marker::PhantomData<&'a Snapshot>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(_snapshot: &'a Snapshot, _scope: ScopeIndex, _members: &[ResourceIndex]) -> Facts<'a> {
        Facts { _snapshot: std::marker::PhantomData }
    }

    /// The answer to `name` for `resource`: a truth value, or unknown.
    pub(crate) fn answer(&self, name: &str, _resource: &Resource, _args: &[Value]) -> Value {
        Value::unknown_present(Reason::Unsupported, format!("the fact {name}"))
    }
}
