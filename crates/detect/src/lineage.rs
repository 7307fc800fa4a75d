//! Role sessions back to the first principal of the chain.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::sighting::{Actor, Link};

/// The most sessions remembered; the oldest go first, and it is counted.
pub const SESSIONS_MAX: usize = 200_000;

/// Which principal each session comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lineage {
    #[serde(serialize_with = "crate::state::sorted")]
    origins: FxHashMap<String, (String, i64)>,
    #[serde(skip)]
    pub(crate) evicted: u64,
}

impl Lineage {
    /// Remembers a link. Sessions that a service took for itself say nothing about who is behind them.
    pub(crate) fn learn(&mut self, link: Link) {
        if link.caller.ends_with(".amazonaws.com") || link.caller == "unknown" {
            return;
        }
        let known = link.caller_key.as_ref().and_then(|key| self.origins.get(key)).or_else(|| self.origins.get(&link.caller));
        let origin = known.map_or(link.caller, |(origin, _)| origin.clone());
        if self.origins.len() + 2 > SESSIONS_MAX {
            self.make_room();
        }
        for handle in [link.key, link.session].into_iter().flatten() {
            if handle != origin {
                self.origins.insert(handle, (origin.clone(), link.time));
            }
        }
    }

    fn make_room(&mut self) {
        let mut ages: Vec<i64> = self.origins.values().map(|(_, time)| *time).collect();
        let tenth = ages.len() / 10;
        let (_, limit, _) = ages.select_nth_unstable(tenth);
        let limit = *limit;
        let before = self.origins.len();
        self.origins.retain(|_, (_, time)| *time > limit);
        self.evicted += (before - self.origins.len()) as u64;
    }

    /// The first principal behind an actor, if it isn't the actor itself.
    pub(crate) fn origin(&self, actor: &Actor) -> Option<String> {
        let by_key = actor.access_key.as_ref().and_then(|key| self.origins.get(key));
        by_key.or_else(|| self.origins.get(&actor.id)).map(|(origin, _)| origin.clone()).filter(|origin| *origin != actor.id)
    }
}
