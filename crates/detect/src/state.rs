//! What is remembered from one run to the next.
//!
//! Rules and fields are kept by name, so that the rules may change in between; what no longer exists is dropped.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::detection::Detection;
use crate::engine::Engine;
use crate::lineage::Lineage;
use crate::matcher::Hit;
use crate::ruleset::{RuleNo, RuleSet};
use crate::sighting::Sighting;
use crate::terms::Terms;

/// The first field of a state file.
pub const STATE_SCHEMA: &str = "palisade/detect-state/1";

/// The longest state file that is read.
pub const STATE_BYTES_MAX: usize = 1 << 30;

/// Why a state file can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateError {
    /// It is longer than [`STATE_BYTES_MAX`].
    TooLong,
    /// It isn't a state file, or of another version.
    Schema(String),
    /// It is damaged.
    Damaged(String),
}

impl std::fmt::Display for StateError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StateError::TooLong => write!(f, "longer than {STATE_BYTES_MAX} bytes"),
            StateError::Schema(found) => write!(f, "its schema is `{found}`, not `{STATE_SCHEMA}`"),
            StateError::Damaged(why) => write!(f, "damaged: {why}"),
        }
    }
}

/// A map in the order of its keys: no hash order reaches a file.
pub(crate) fn sorted<K, V, S>(map: &FxHashMap<K, V>, serializer: S) -> Result<S::Ok, S::Error>
where
    K: Ord + Serialize,
    V: Serialize,
    S: serde::Serializer,
{
    map.iter().collect::<BTreeMap<&K, &V>>().serialize(serializer)
}

#[derive(Serialize, Deserialize)]
struct Stored {
    schema: String,
    newest: i64,
    passed: i64,
    terms: Terms,
    lineage: Lineage,
    seen: Vec<u64>,
    windows: Vec<StoredHit>,
    pending: Vec<StoredHit>,
    open: Vec<(String, String, Detection)>,
    incidents: Vec<(String, String, i64)>,
}

#[derive(Serialize, Deserialize)]
struct StoredHit {
    rule: String,
    event: Sighting,
    values: Vec<(String, String)>,
}

fn store(rules: &RuleSet, hit: &Hit) -> Option<StoredHit> {
    let values = hit.values.iter().map(|(path, value)| (rules.paths().name(*path).to_owned(), value.to_string()));
    Some(StoredHit { rule: rules.rule(hit.rule)?.id.clone(), event: (*hit.event).clone(), values: values.collect() })
}

fn revive(rules: &RuleSet, numbers: &FxHashMap<&str, RuleNo>, stored: StoredHit) -> Option<Hit> {
    let rule = *numbers.get(stored.rule.as_str())?;
    let values = stored.values.into_iter().filter_map(|(path, value)| Some((rules.paths().find(&path)?, value.into())));
    Some(Hit { rule, event: Arc::new(stored.event), values: values.collect() })
}

impl Engine<'_> {
    /// Everything remembered, as bytes for a file.
    pub fn save(&self) -> Vec<u8> {
        let rules = self.rules;
        let limit = self.limit();
        let (passed, windows) = match &self.present {
            Some((passed, windows)) => (*passed, windows.iter().collect()),
            None => (self.passed, self.correlator.held()),
        };
        let mut seen: Vec<u64> = self.seen.iter().copied().collect();
        seen.sort_unstable();
        let mut incidents: Vec<(String, String, i64)> =
            self.incidents.iter().map(|(actor, (id, last))| (actor.clone(), id.clone(), *last)).collect();
        incidents.sort();
        let open = self
            .open
            .iter()
            .filter_map(|((rule, actor), detection)| Some((rules.rule(*rule)?.id.clone(), actor.clone(), detection.clone())));
        let stored = Stored {
            schema: STATE_SCHEMA.to_owned(),
            newest: self.newest.min(limit),
            passed,
            terms: self.terms.until(limit),
            lineage: self.lineage.clone(),
            seen,
            windows: windows.into_iter().filter_map(|hit| store(rules, hit)).collect(),
            pending: self.pending.iter().filter_map(|hit| store(rules, hit)).collect(),
            open: open.collect(),
            incidents,
        };
        serde_json::to_vec(&stored).unwrap_or_default()
    }

    /// Takes up what an earlier run remembered. Do this first.
    ///
    /// # Errors
    /// If the bytes are no state file of this version; then nothing is taken up.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        #[derive(Deserialize)]
        struct Head {
            schema: String,
        }
        if bytes.len() > STATE_BYTES_MAX {
            return Err(StateError::TooLong);
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|error| StateError::Damaged(error.to_string()))?;
        if head.schema != STATE_SCHEMA {
            return Err(StateError::Schema(head.schema));
        }
        let stored: Stored = serde_json::from_slice(bytes).map_err(|error| StateError::Damaged(error.to_string()))?;
        let rules = self.rules;
        let numbers: FxHashMap<&str, RuleNo> = (0..).zip(rules.rules()).map(|(no, rule)| (rule.id.as_str(), no)).collect();
        self.newest = stored.newest;
        self.passed = stored.passed;
        self.terms = stored.terms;
        self.lineage = stored.lineage;
        self.seen = stored.seen.into_iter().collect();
        let mut fired = vec![];
        for hit in stored.windows.into_iter().filter_map(|hit| revive(rules, &numbers, hit)) {
            self.correlator.feed(rules.plan(), rules.paths(), &hit, &mut fired);
            fired.clear();
        }
        self.pending = stored.pending.into_iter().filter_map(|hit| revive(rules, &numbers, hit)).collect();
        for (rule, actor, mut detection) in stored.open {
            if let Some(no) = numbers.get(rule.as_str()) {
                detection.rule = *no;
                self.open.insert((*no, actor), detection);
            }
        }
        self.incidents = stored.incidents.into_iter().map(|(actor, id, last)| (actor, (id, last))).collect();
        Ok(())
    }
}
