//! What is remembered from run to run beside conversations: how much left by the hour, whom one's hosts called, what they served.
//!
//! All of it are sums, maxima and sets: the memories of two halves of a log, put together, are the memory of the log.

use std::collections::{BTreeMap, BTreeSet};

use logs::flow::Address;

use super::conversation::{BUCKET, Code, Key, Tally};
use super::fold::Fold;
use super::inventory::Inventory;
use super::view::{Side, View};

/// Hours that are remembered: five weeks.
const HOURS_MAX: usize = 840;

/// The most addresses of one's own, and the most pairs and services, that are remembered: the smallest.
pub const REMEMBERED_MAX: usize = 500_000;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Bytes that left for the outside, by address and hour since 1970.
    pub(crate) hours: BTreeMap<Address, BTreeMap<u32, u64>>,
    /// Who called whom outside.
    pub(crate) calls: BTreeSet<(Address, Address)>,
    /// Which services answered: address, protocol, port.
    pub(crate) services: BTreeSet<(Address, u8, u16)>,
}

fn trim<T: Ord>(set: &mut BTreeSet<T>) {
    while set.len() > REMEMBERED_MAX {
        set.pop_last();
    }
}

impl Past {
    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.hours.is_empty() && self.calls.is_empty() && self.services.is_empty()
    }

    pub(crate) fn hours(&self, own: Address) -> BTreeMap<u32, u64> {
        self.hours.get(&own).cloned().unwrap_or_default()
    }

    pub(crate) fn knows(&self, own: Address, other: Address) -> bool {
        self.calls.contains(&(own, other))
    }

    pub(crate) fn serves(&self, own: Address, protocol: u8, port: u16) -> bool {
        self.services.contains(&(own, protocol, port))
    }

    /// What a fold adds to the memory.
    pub fn of(fold: &Fold, inventory: &Inventory) -> Past {
        let view = View::new(fold, inventory);
        let mut past = Past::default();
        let mut add = |own: Code, other: Code, bucket: u32, bytes: u64| {
            if bytes > 0 && view.side(own) == Side::Mine && view.side(other) == Side::Far {
                let own = view.address(own);
                let hour = past.hours.entry(own).or_default().entry(bucket / (3600 / BUCKET) as u32).or_default();
                *hour = hour.saturating_add(bytes);
                past.calls.insert((own, view.address(other)));
            }
        };
        for (_, (key, tally)) in view.talks() {
            add(key.client, key.server, key.bucket, tally.forth.bytes);
            add(key.server, key.client, key.bucket, tally.back.bytes);
        }
        let serves = |key: &Key, tally: &Tally| tally.paid() && !key.twin && view.side(key.server) == Side::Mine;
        for (_, (key, _)) in view.talks().filter(|(_, (key, tally))| serves(key, tally)) {
            past.services.insert((view.address(key.server), key.protocol, key.port));
        }
        past.bound();
        past
    }

    /// Adds another memory. An hour that both know counts once, with the larger sum.
    pub fn merge(&mut self, other: &Past) {
        for (own, hours) in &other.hours {
            let held = self.hours.entry(*own).or_default();
            for (hour, bytes) in hours {
                let sum = held.entry(*hour).or_default();
                *sum = (*sum).max(*bytes);
            }
        }
        self.calls.extend(&other.calls);
        self.services.extend(&other.services);
        self.bound();
    }

    fn bound(&mut self) {
        let newest = self.hours.values().filter_map(|hours| hours.last_key_value()).map(|(hour, _)| *hour).max().unwrap_or(0);
        for hours in self.hours.values_mut() {
            hours.retain(|hour, _| newest - hour < HOURS_MAX as u32);
        }
        self.hours.retain(|_, hours| !hours.is_empty());
        while self.hours.len() > REMEMBERED_MAX {
            self.hours.pop_last();
        }
        trim(&mut self.calls);
        trim(&mut self.services);
    }
}
