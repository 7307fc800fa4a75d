//! What checks see of a resource: its properties with what AWS fills in, its neighbours, facts, settings and the time.

use std::collections::BTreeMap;

use catalogue::{Catalogue, Check, Filled, Kind};
use expr::{Env, Related};
use jiff::Timestamp;
use model::{Link, Map, Reason, Resource, ResourceIndex, ScopeIndex, Snapshot, Text, Unknown, Value, from_json};
use rustc_hash::FxHashMap;

use crate::config::Config;
use crate::facts::{Facts, ScopeFacts};
use crate::neighbours::Neighbourhood;

/// Everything around the resources of one scope, made once for all its checks.
pub(crate) struct Surroundings<'a> {
    snapshot: &'a Snapshot,
    catalogue: &'a Catalogue,
    is_code: bool,
    neighbourhood: Neighbourhood<'a>,
    filled: FxHashMap<*const Resource, Filled<'a>>,
    facts: ScopeFacts<'a>,
}

impl<'a> Surroundings<'a> {
    pub(crate) fn new(facts: &'a Facts<'a>, catalogue: &'a Catalogue, scope: ScopeIndex, members: &[ResourceIndex]) -> Self {
        let snapshot = facts.snapshot;
        let mut filled = FxHashMap::default();
        for resource in members.iter().filter_map(|i| snapshot.resource(*i)) {
            let kind = catalogue.kind(&resource.type_name);
            if let Some(found) = kind.and_then(|kind| kind.with_defaults(&resource.props)) {
                filled.insert(std::ptr::from_ref(resource), found);
            }
        }
        Surroundings {
            snapshot,
            catalogue,
            is_code: snapshot.scope(scope).is_none_or(|s| s.kind.is_code()),
            neighbourhood: Neighbourhood::new(snapshot, catalogue, members),
            filled,
            facts: ScopeFacts::new(facts, scope),
        }
    }

    /// The view of one check on one resource.
    pub(crate) fn place<'s>(
        &'s self,
        index: ResourceIndex,
        resource: &'s Resource,
        kind: &'s Kind,
        check: &'s Check,
        config: &'s Config,
        now: Timestamp,
    ) -> Place<'s> {
        let settings = config.params.get(check.id.as_str());
        Place { around: self, index, resource, kind, defaults: &check.file.params, settings, now }
    }

    fn props<'s>(&'s self, of: &'s Resource) -> &'s Map {
        self.filled.get(&std::ptr::from_ref(of)).map_or(&of.props, |f| &f.props)
    }
}

/// One resource as one check sees it.
pub(crate) struct Place<'a> {
    around: &'a Surroundings<'a>,
    index: ResourceIndex,
    /// The resource.
    pub(crate) resource: &'a Resource,
    /// Its type.
    pub(crate) kind: &'a Kind,
    defaults: &'a BTreeMap<String, serde_json::Value>,
    settings: Option<&'a BTreeMap<String, serde_json::Value>>,
    now: Timestamp,
}

impl Place<'_> {
    /// True if the resource comes from a template or plan rather than an account.
    pub(crate) fn is_code(&self) -> bool {
        self.around.is_code
    }

    /// The date of the service default that `path` rests on, if it rests on one.
    pub(crate) fn default_behind(&self, path: &str) -> Option<&str> {
        let filled = self.around.filled.get(&std::ptr::from_ref(self.resource))?;
        let keys: Vec<&str> = path.split('.').map(|k| k.split('[').next().unwrap_or(k)).collect();
        let covers = |default: &[Text]| default.iter().zip(&keys).all(|(a, b)| **a == **b);
        filled.used.iter().find(|d| d.dated && covers(&d.path)).map(|d| d.since.as_str())
    }
}

impl Env for Place<'_> {
    fn this(&self) -> &Resource {
        self.resource
    }

    fn property<'r>(&'r self, of: &'r Resource, name: &str) -> &'r Value {
        static NULL: Value = Value::Null;
        self.around.props(of).get(name).unwrap_or(&NULL)
    }

    fn related<'r>(&'r self, of: &'r Resource, name: &str) -> Related<'r> {
        let kind = self.around.catalogue.kind(&of.type_name);
        let Some(relation) = kind.and_then(|k| k.relations.get(name)) else {
            let what = Text::from(format!("relation `{name}` of {}", of.type_name));
            return Related {
                items: Vec::new(),
                incomplete: Some(Unknown { reason: Reason::Unsupported, what, present: false }),
            };
        };
        let found = self.around.neighbourhood.neighbours(of, name, relation);
        let items = found.found.iter().filter_map(|i| self.around.snapshot.resource(*i)).collect();
        Related { items, incomplete: found.incomplete }
    }

    fn resolve<'r>(&'r self, link: &Link) -> Option<&'r Resource> {
        self.around.snapshot.resource(self.around.neighbourhood.target(&link.target)?)
    }

    fn fact(&self, name: &str, args: &[Value]) -> Value {
        self.around.facts.answer(name, self.index, self.resource, args)
    }

    fn param(&self, name: &str) -> Value {
        let set = self.settings.and_then(|s| s.get(name)).or_else(|| self.defaults.get(name));
        set.map_or(Value::Null, from_json)
    }

    fn now(&self) -> Timestamp {
        self.now
    }
}
