//! Per principal, access key, address or resource: since when, from where, with what, how often.

use std::collections::BTreeMap;

use logs::time;
use serde_json::{Value, json};

use crate::sighting::Sighting;

/// The most principals, and the most values of one kind that are kept of each; past it `more` counts.
pub const KEYS_MAX: usize = 50_000;

const VALUES_MAX: usize = 200;

/// What one principal (or key, address, resource) did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Principal {
    /// The first event.
    pub first: i64,
    /// The last event.
    pub last: i64,
    /// How many events.
    pub events: u64,
    /// How many were refused or failed.
    pub errors: u64,
    /// Calls and how often.
    pub calls: BTreeMap<String, u64>,
    /// Regions and how often.
    pub regions: BTreeMap<String, u64>,
    /// Addresses and how often.
    pub addresses: BTreeMap<String, u64>,
    /// Access keys and how often.
    pub keys: BTreeMap<String, u64>,
    /// User agents and how often.
    pub agents: BTreeMap<String, u64>,
    /// Who, when the summary isn't by principal.
    pub actors: BTreeMap<String, u64>,
}

/// Summaries by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// By principal, key, address or resource.
    pub entries: BTreeMap<String, Principal>,
    /// Events of principals past [`KEYS_MAX`].
    pub more: u64,
}

fn count(map: &mut BTreeMap<String, u64>, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Some(count) = map.get_mut(text) {
        *count += 1;
    } else if map.len() < VALUES_MAX {
        map.insert(text.to_owned(), 1);
    }
}

impl Summary {
    /// Takes an event in under `key`.
    pub fn add(&mut self, key: &str, event: &Sighting) {
        if self.entries.len() >= KEYS_MAX && !self.entries.contains_key(key) {
            self.more += 1;
            return;
        }
        let entry = self.entries.entry(key.to_owned()).or_insert_with(|| Principal {
            first: event.time,
            last: event.time,
            ..Principal::default()
        });
        entry.first = entry.first.min(event.time);
        entry.last = entry.last.max(event.time);
        entry.events += 1;
        entry.errors += u64::from(event.error.is_some());
        count(&mut entry.calls, &format!("{}:{}", event.source.split('.').next().unwrap_or_default(), event.name));
        count(&mut entry.regions, &event.region);
        count(&mut entry.addresses, &event.address);
        count(&mut entry.keys, event.actor.access_key.as_deref().unwrap_or_default());
        count(&mut entry.agents, &event.agent);
        count(&mut entry.actors, &event.actor.id);
    }

    /// One JSON value for each entry, the busiest first.
    pub fn lines(&self) -> Vec<Value> {
        let mut order: Vec<(&String, &Principal)> = self.entries.iter().collect();
        order.sort_by_key(|(name, entry)| (std::cmp::Reverse(entry.events), (*name).clone()));
        let line = |(name, entry): (&String, &Principal)| {
            json!({
                "schema": "palisade/trail-summary/1", "key": name, "first_seen": time::text(entry.first), "last_seen": time::text(entry.last),
                "events": entry.events, "errors": entry.errors, "calls": entry.calls, "regions": entry.regions,
                "addresses": entry.addresses, "keys": entry.keys, "agents": entry.agents, "actors": entry.actors,
            })
        };
        order.into_iter().map(line).collect()
    }
}
