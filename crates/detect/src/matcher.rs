//! One thread's work: events in, hits out. No state from one event to the next.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use logs::cloudtrail::Event;
use logs::paths::PathId;
use rustc_hash::{FxHashSet, FxHasher};

use crate::ruleset::{RuleNo, RuleSet, Scratch};
use crate::sighting::{Known, Link, Sighting, Text, link};

/// A rule that matched an event.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The rule.
    pub rule: RuleNo,
    /// The event.
    pub event: Arc<Sighting>,
    /// Values of the fields that the rule's correlations, terms and resources ask for; shared by all that hold the hit.
    pub values: Arc<[(PathId, Text)]>,
}

impl Hit {
    /// The first value of a captured field.
    pub fn value(&self, path: PathId) -> Option<&str> {
        self.values.iter().find(|(at, _)| *at == path).map(|(_, value)| &**value)
    }
}

/// The most values captured of one field.
const VALUES_MAX: usize = 20;

/// Matches events of one input after another against a rule set.
#[derive(Clone, Debug)]
pub struct Matcher<'r> {
    rules: &'r RuleSet,
    scratch: Scratch,
    input: u32,
    terms: FxHashSet<u64>,
    known: Known,
    values: Vec<(PathId, Text)>,
    nothing: Arc<[(PathId, Text)]>,
    /// What matched so far; take it when an input is done.
    pub hits: Vec<Hit>,
    /// The sessions that were handed out.
    pub links: Vec<Link>,
}

impl<'r> Matcher<'r> {
    /// A matcher for the input with this number.
    pub fn new(rules: &'r RuleSet, input: u32) -> Matcher<'r> {
        Matcher {
            rules,
            scratch: Scratch::default(),
            input,
            terms: FxHashSet::default(),
            known: Known::default(),
            values: vec![],
            nothing: Arc::from([]),
            hits: vec![],
            links: vec![],
        }
    }

    /// Goes on with another input; what matched so far should be taken first.
    pub fn turn_to(&mut self, input: u32) {
        self.input = input;
        self.terms.clear();
        self.hits.clear();
        self.links.clear();
    }

    /// Looks at one event.
    pub fn see(&mut self, event: &Event<'_>) {
        let standard = self.rules.standard();
        if event.first(standard.issued_key).is_some() || event.first(standard.federated_arn).is_some() {
            self.links.extend(link(event, standard));
        }
        let mut sighting = None;
        for rule in self.rules.matches(event, &mut self.scratch) {
            if self.rules.term_paths(*rule).is_some_and(|paths| !self.terms.insert(term(*rule, event, paths))) {
                continue;
            }
            self.values.clear();
            for path in self.rules.captures(*rule) {
                for leaf in event.values(*path).take(VALUES_MAX) {
                    self.values.push((*path, self.known.text(leaf.text())));
                }
            }
            let values = if self.values.is_empty() { Arc::clone(&self.nothing) } else { Arc::from(self.values.as_slice()) };
            let event = sighting.get_or_insert_with(|| Arc::new(self.known.sighting(event, standard, self.input)));
            self.hits.push(Hit { rule: *rule, event: Arc::clone(event), values });
        }
    }
}

/// The combination of values a first-seen rule looks at, as a hash. Within one input only its first event counts.
fn term(rule: RuleNo, event: &Event<'_>, paths: &[PathId]) -> u64 {
    let mut hasher = FxHasher::default();
    rule.hash(&mut hasher);
    for path in paths {
        event.text(*path).unwrap_or_default().hash(&mut hasher);
    }
    hasher.finish()
}
