//! What is kept between runs: a bounded fold of the last days, and the memory of what is usual.
//!
//! Conversations of the last day are kept as they are, failed ones and the windows of custom alarms for a week. A run that goes on from the state of another judges
//! both together: two halves of a day, one after the other, come to what the day comes to.

use std::collections::BTreeMap;

use logs::flow::{Address, Field};
use serde::{Deserialize, Serialize};

use super::conversation::{BUCKET, Key, Tally};
use super::finding::Finding;
use super::fold::{Fold, kept};
use super::interface::Interface;
use super::past::Past;
use super::rate::Rate;
use super::table::Table;

/// The state's schema.
pub const FLOW_STATE_SCHEMA: &str = "palisade/flow-state/1";

/// The most conversations that a state holds; beyond it one client in two is kept, and so on.
pub const STATE_CONVERSATIONS_MAX: usize = 200_000;

/// The largest state that is read.
pub const FLOW_STATE_BYTES_MAX: usize = 512 << 20;

/// Everything that is kept between runs.
#[derive(Clone, Debug, Default)]
pub struct FlowState {
    /// Names of the inputs that the kept records came from.
    pub names: Vec<String>,
    /// What is kept of the records.
    pub fold: Fold,
    /// What is usual.
    pub past: Past,
    /// What was told already: a finding's mark and what was observed.
    pub told: BTreeMap<String, u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    names: Vec<String>,
    interfaces: Vec<Interface>,
    talks: Vec<(Key, Tally)>,
    rates: Vec<((u32, u32), Rate)>,
    v6: Vec<(u64, String)>,
    fields: Vec<String>,
    thinned: u32,
    records: u64,
    span: Option<(i64, i64)>,
    hours: Vec<(String, BTreeMap<u32, u64>)>,
    calls: Vec<(String, String)>,
    services: Vec<(String, u8, u16)>,
    told: BTreeMap<String, u64>,
    #[serde(default)]
    alarms: Vec<super::alarm::Kept>,
}

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text.as_bytes()).ok_or_else(|| format!("`{text}` is not an address"))
}

impl FlowState {
    /// Drops what is too old or too much.
    fn prune(&mut self) {
        let newest = self.fold.span.map_or(0, |(_, last)| last);
        let since = |days: i64| (newest - days * 86_400).max(0) / BUCKET;
        let (day, week) = (since(1) as u32, since(7) as u32);
        let mut talks = Table::default();
        for (key, tally) in self.fold.talks.iter() {
            if key.bucket >= day || (key.bucket >= week && tally.failed()) {
                talks.add(key, tally);
            }
        }
        while talks.len() > STATE_CONVERSATIONS_MAX && self.fold.thinned < 32 {
            self.fold.thinned += 1;
            let thinned = self.fold.thinned;
            talks.retain(|key| kept(key.client, thinned));
        }
        self.fold.talks = talks;
        let minute = (newest / 60 - 120).max(0) as u32;
        self.fold.rates.keep_from(minute);
    }

    /// As the bytes of a file. The same state gives the same bytes.
    pub fn save(mut self) -> Result<Vec<u8>, String> {
        self.prune();
        let fold = &self.fold;
        let mut talks: Vec<(Key, Tally)> = fold.talks.iter().copied().collect();
        talks.sort_unstable_by_key(|(key, _)| *key);
        let mut rates: Vec<((u32, u32), Rate)> = fold.rates.iter().copied().collect();
        rates.sort_unstable_by_key(|(key, _)| *key);
        let mut v6: Vec<(u64, String)> = fold.v6.iter().map(|(code, address)| (*code, address.to_string())).collect();
        v6.sort_unstable();
        let past = &self.past;
        let file = File {
            schema: FLOW_STATE_SCHEMA.to_owned(),
            names: self.names,
            interfaces: fold.interfaces.clone(),
            talks,
            rates,
            v6,
            fields: fold.fields.iter().map(|field| field.name().to_owned()).collect(),
            thinned: fold.thinned,
            records: fold.records,
            span: fold.span,
            hours: past.hours.iter().map(|(own, hours)| (own.to_string(), hours.clone())).collect(),
            calls: past.calls.iter().map(|(own, other)| (own.to_string(), other.to_string())).collect(),
            services: past.services.iter().map(|(own, protocol, port)| (own.to_string(), *protocol, *port)).collect(),
            told: self.told,
            alarms: fold.metrics.iter().map(|metric| metric.keep(fold.span.map_or(0, |(_, last)| last))).collect(),
        };
        serde_json::to_vec(&file).map_err(|error| error.to_string())
    }

    /// Reads what [`FlowState::save`] wrote. The error is one line.
    pub fn load(bytes: &[u8]) -> Result<FlowState, String> {
        if bytes.len() > FLOW_STATE_BYTES_MAX {
            return Err(format!("larger than {} MiB", FLOW_STATE_BYTES_MAX >> 20));
        }
        let file: File = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if file.schema != FLOW_STATE_SCHEMA {
            return Err(format!("its schema is `{}`, not `{FLOW_STATE_SCHEMA}`", file.schema));
        }
        let mut fold = Fold::of_interfaces(file.interfaces);
        for (key, tally) in &file.talks {
            fold.talks.add(key, tally);
        }
        file.rates.into_iter().for_each(|(key, rate)| fold.rates.insert(key, rate));
        for (code, text) in &file.v6 {
            fold.v6.insert(*code, address(text)?);
        }
        fold.fields.extend(file.fields.iter().filter_map(|name| Field::from_name(name)));
        (fold.thinned, fold.records, fold.span) = (file.thinned.min(32), file.records, file.span);
        fold.metrics = file.alarms.into_iter().map(super::alarm::Metric::of).collect();
        let mut past = Past::default();
        for (own, hours) in file.hours {
            past.hours.insert(address(&own)?, hours);
        }
        for (own, other) in &file.calls {
            past.calls.insert((address(own)?, address(other)?));
        }
        for (own, protocol, port) in &file.services {
            past.services.insert((address(own)?, *protocol, *port));
        }
        Ok(FlowState { names: file.names, fold, past, told: file.told })
    }
}

/// What a finding is known by from run to run. `id` is the detector's.
pub fn mark(finding: &Finding, id: &str) -> String {
    let target = finding.targets.first().map(ToString::to_string).unwrap_or_default();
    format!("{id} {} {target} {} {}", finding.actor_text(), finding.measure, finding.first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::synthetic;

    /// A state of so many conversations, each of a client of its own.
    fn state(conversations: usize) -> FlowState {
        let mut fold = Fold::of_interfaces(vec![Interface::named(b"eni-a")]);
        let line = format!("2 1 eni-a 10.0.0.1 10.0.0.2 40000 443 6 9 900 {0} {0} ACCEPT OK", synthetic::START);
        logs::flow::Reader::new(None, i64::MAX).feed(line.as_bytes(), true, &mut |item| {
            if let logs::flow::Item::Record(record, byte) = item {
                fold.see(record, super::super::Origin { input: 0, byte });
            }
        });
        let (key, tally) = fold.talks.iter().next().copied().unwrap();
        for client in 1..conversations as u64 {
            fold.talks.add(&Key { client: key.client + client, ..key }, &tally);
        }
        FlowState { fold, ..FlowState::default() }
    }

    #[test]
    fn a_state_keeps_as_many_conversations_as_it_may() {
        let mut at = state(STATE_CONVERSATIONS_MAX);
        at.prune();
        assert_eq!((at.fold.talks.len(), at.fold.thinned), (STATE_CONVERSATIONS_MAX, 0));
        let mut past = state(STATE_CONVERSATIONS_MAX + 1);
        past.prune();
        assert_eq!(past.fold.thinned, 1);
        assert!((1..=STATE_CONVERSATIONS_MAX).contains(&past.fold.talks.len()), "{}", past.fold.talks.len());
        assert!(past.fold.gaps().iter().any(|gap| gap.contains("one client in 2")), "{:?}", past.fold.gaps());
    }

    #[test]
    fn a_state_past_the_largest_is_not_read() {
        // Zeroed memory is only handed out, not touched: the first byte is no JSON.
        let mut bytes = vec![0; FLOW_STATE_BYTES_MAX];
        let wrong = |bytes: &[u8]| FlowState::load(bytes).unwrap_err();
        assert!(!wrong(&bytes).contains("larger"), "{}", wrong(&bytes));
        bytes = vec![0; FLOW_STATE_BYTES_MAX + 1];
        assert_eq!(wrong(&bytes), "larger than 512 MiB");
    }
}
