//! What is told: one rule, one actor, from when to when.

use std::collections::{BTreeMap, BTreeSet};

use model::{Confidence, Severity};
use serde::{Deserialize, Serialize};

use crate::matcher::Hit;
use crate::ruleset::{RuleNo, RuleSet};
use crate::sighting::{Actor, clip};

/// The most event ids a detection lists; `count` goes on.
pub const EVENTS_MAX: usize = 100;

/// The most resources, addresses, regions or calls a detection lists.
pub const LIST_MAX: usize = 50;

/// The most facts that the inventory adds to a detection.
pub const FACTS_MAX: usize = 12;

/// An answer of the inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It is so.
    Yes,
    /// It can't be told.
    Unknown,
    /// It is not so.
    No,
}

/// What the inventory says of something that a detection names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fact {
    /// Whether it is so.
    pub answer: Answer,
    /// The name as the log has it.
    pub about: String,
    /// In words.
    pub text: String,
    /// The check that says so, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
}

/// One rule and one actor, for as long as it lasts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// The rule.
    pub rule: RuleNo,
    /// Who.
    pub actor: Actor,
    /// The first event, seconds since 1970.
    pub first: i64,
    /// The last event.
    pub last: i64,
    /// How many events.
    pub count: u64,
    /// How many of them were refused by AWS.
    pub failed: u64,
    /// Event ids, oldest first, at most [`EVENTS_MAX`].
    pub events: Vec<String>,
    /// What it was done to.
    pub resources: BTreeSet<String>,
    /// From which addresses.
    pub addresses: BTreeSet<String>,
    /// In which regions.
    pub regions: BTreeSet<String>,
    /// In which accounts.
    pub accounts: BTreeSet<String>,
    /// With which calls: `iam:CreateUser`.
    pub calls: BTreeSet<String>,
    /// With which user agents.
    pub agents: BTreeSet<String>,
    /// The input of the first event.
    pub input: u32,
    /// Its record there, from 1.
    pub record: u64,
    /// Which incident it belongs to.
    pub incident: String,
    /// How many events changed something: neither refused nor only reading.
    #[serde(default)]
    pub changed: u64,
    /// What the inventory says of what it names.
    #[serde(default)]
    pub context: Vec<Fact>,
    /// Where its addresses are and whose, if a file told; by address.
    #[serde(default)]
    pub places: BTreeMap<String, String>,
    /// Whether the inventory makes it graver and surer than the rule says.
    #[serde(default)]
    pub raised: bool,
}

fn put(set: &mut BTreeSet<String>, text: &str) {
    if !text.is_empty() && set.len() < LIST_MAX && !set.contains(text) {
        set.insert(clip(text).to_owned());
    }
}

impl Detection {
    /// One that starts with this hit's actor.
    pub(crate) fn new(rule: RuleNo, hit: &Hit) -> Detection {
        Detection {
            rule,
            actor: (*hit.event.actor).clone(),
            first: hit.event.time,
            last: hit.event.time,
            count: 0,
            failed: 0,
            events: vec![],
            resources: BTreeSet::new(),
            addresses: BTreeSet::new(),
            regions: BTreeSet::new(),
            accounts: BTreeSet::new(),
            calls: BTreeSet::new(),
            agents: BTreeSet::new(),
            input: hit.event.input,
            record: hit.event.record,
            incident: String::new(),
            changed: 0,
            context: vec![],
            places: BTreeMap::new(),
            raised: false,
        }
    }

    /// Says that the inventory makes it graver and surer than the rule: one severity up, to high at least, and one confidence.
    pub fn raise(&mut self) {
        self.raised = true;
    }

    /// How grave it is.
    pub fn severity(&self, rules: &RuleSet) -> Severity {
        let level = rules.rule(self.rule).map_or(Severity::Info, |rule| rule.level);
        match level {
            Severity::High if self.raised => Severity::Critical,
            Severity::Info | Severity::Low | Severity::Medium if self.raised => Severity::High,
            level => level,
        }
    }

    /// How sure it is.
    pub fn confidence(&self, rules: &RuleSet) -> Confidence {
        let own = rules.rule(self.rule).and_then(|rule| rule.extra.confidence).unwrap_or(Confidence::Medium);
        match own {
            Confidence::Low if self.raised => Confidence::Medium,
            Confidence::Medium if self.raised => Confidence::High,
            own => own,
        }
    }

    pub(crate) fn add<'a>(&mut self, hit: &'a Hit, resources: impl Iterator<Item = &'a str>) {
        let event = &hit.event;
        if event.time < self.first {
            (self.first, self.input, self.record) = (event.time, event.input, event.record);
        }
        self.last = self.last.max(event.time);
        self.count += 1;
        self.failed += u64::from(event.error.is_some());
        self.changed += u64::from(event.error.is_none() && !event.read_only);
        if self.events.len() < EVENTS_MAX && self.events.iter().all(|held| **held != *event.id) {
            self.events.push(event.id.to_string());
        }
        resources.chain(event.resources.iter().map(|text| &**text)).for_each(|text| put(&mut self.resources, text));
        put(&mut self.addresses, &event.address);
        put(&mut self.regions, &event.region);
        put(&mut self.accounts, &event.account);
        put(&mut self.agents, &event.agent);
        put(&mut self.calls, &format!("{}:{}", event.source.split('.').next().unwrap_or_default(), event.name));
    }
}

impl Actor {
    /// What its detections are grouped by: the first principal of its chain, where known.
    pub fn key(&self) -> &str {
        self.origin.as_deref().unwrap_or(&self.id)
    }
}

/// A stable id: who and when it began (FNV-1a, 64 bits).
pub(crate) fn incident_id(detection: &Detection) -> String {
    let text = format!("{}\u{0}{}", detection.actor.key(), detection.first);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("incident-{hash:016x}")
}
