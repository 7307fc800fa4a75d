//! First-seen terms: what was there before.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};
use serde::{Deserialize, Serialize};

use crate::matcher::Hit;
use crate::ruleset::{RuleNo, RuleSet};
use crate::sigma::NewTerms;

/// The most combinations remembered; the oldest go first, and it is counted.
pub const TERMS_MAX: usize = 2_000_000;

/// When each combination was last seen.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Terms {
    #[serde(serialize_with = "crate::state::sorted")]
    last: FxHashMap<u64, i64>,
    earliest: Option<i64>,
    #[serde(skip)]
    pub(crate) evicted: u64,
}

impl Terms {
    /// The log reaches back to this time.
    pub(crate) fn saw(&mut self, time: i64) {
        if time > 0 {
            self.earliest = Some(self.earliest.map_or(time, |held| held.min(time)));
        }
    }

    /// Remembers the combination; says whether it is new, and the log long enough to say so.
    pub(crate) fn is_new(&mut self, rule: RuleNo, terms: &NewTerms, hit: &Hit, rules: &RuleSet) -> bool {
        let mut hasher = FxHasher::default();
        rules.rule(rule).map(|rule| &rule.id).hash(&mut hasher);
        for field in &terms.fields {
            rules.paths().find(field).and_then(|path| hit.value(path)).hash(&mut hasher);
        }
        if self.last.len() >= TERMS_MAX {
            self.make_room();
        }
        let time = hit.event.time;
        let before = self.last.insert(hasher.finish(), time);
        let learnt = self.earliest.is_some_and(|earliest| time - earliest >= terms.learn);
        learnt && before.is_none_or(|before| time - before > terms.history)
    }

    /// The same, with nothing seen later than `limit`.
    pub(crate) fn until(&self, limit: i64) -> Terms {
        let mut kept = self.clone();
        kept.last.values_mut().for_each(|time| *time = (*time).min(limit));
        kept
    }

    fn make_room(&mut self) {
        let mut ages: Vec<i64> = self.last.values().copied().collect();
        let tenth = ages.len() / 10;
        let (_, limit, _) = ages.select_nth_unstable(tenth);
        let limit = *limit;
        let before = self.last.len();
        self.last.retain(|_, time| *time > limit);
        self.evicted += (before - self.last.len()) as u64;
    }
}
