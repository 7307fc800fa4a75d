//! From hits to detections: in the order of the events' own times, with memory.
//!
//! Hits of all inputs are put in one order (time, event id, rule), so that the outcome doesn't depend on threads or on
//! how the input was cut. Duplicate deliveries count once. A detection is one rule and one actor, as long as no pause
//! is longer than [`PAUSE`]; detections of one actor make an incident.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet, FxHasher};

use crate::correlate::{Correlator, Fired};
use crate::detection::{Detection, incident_id};
use crate::lineage::Lineage;
use crate::matcher::Hit;
use crate::ruleset::{RuleNo, RuleSet};
use crate::sighting::{Link, Sighting};
use crate::suppress::Suppression;
use crate::terms::Terms;

/// A pause longer than this ends a detection, in seconds.
pub const PAUSE: i64 = 3600;

/// A pause longer than this ends an incident, in seconds.
pub const INCIDENT_PAUSE: i64 = 6 * 3600;

/// How late an event may come and still be put in order, in seconds. CloudTrail delivers within about 5 minutes.
pub const WATERMARK: i64 = 900;

/// The most hits held back to be put in order; past it the oldest half is let through.
pub const HELD_HITS_MAX: usize = 50_000;

/// The most (rule, event) pairs remembered to drop duplicate deliveries.
pub const SEEN_MAX: usize = 450_000;

/// What the engine is told.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What people accepted.
    pub suppressions: Vec<Suppression>,
    /// Today, in seconds since 1970: decides which suppressions have expired.
    pub now: i64,
    /// One line for each rule and event instead of detections: nothing grouped, suppressed or dropped.
    pub per_event: bool,
    /// Nothing is to be kept for a next run: windows then hold of most of their events only what they count.
    pub forgets: bool,
}

/// What happened besides detections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Hits that came again.
    pub duplicates: u64,
    /// Hits that came after their time had been passed.
    pub late: u64,
    /// Detections that a suppression took away.
    pub suppressed: u64,
    /// Correlation events, terms and sessions that had to go to stay within bounds.
    pub evicted: u64,
}

/// One rule and one event, for [`Options::per_event`].
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// The rule.
    pub rule: RuleNo,
    /// The event; for a correlation the one that completed it.
    pub event: Arc<Sighting>,
}

/// Detections with memory.
#[derive(Debug)]
pub struct Engine<'r> {
    pub(crate) rules: &'r RuleSet,
    pub(crate) options: Options,
    pub(crate) pending: Vec<Hit>,
    links: Vec<Link>,
    pub(crate) newest: i64,
    pub(crate) passed: i64,
    /// How far it had come, and what the windows held, before the first event that claims to be of the time after now.
    pub(crate) present: Option<(i64, Vec<Hit>)>,
    pub(crate) correlator: Correlator,
    pub(crate) terms: Terms,
    pub(crate) lineage: Lineage,
    pub(crate) seen: FxHashSet<u64>,
    pub(crate) open: BTreeMap<(RuleNo, String), Detection>,
    pub(crate) incidents: FxHashMap<String, (String, i64)>,
    closed: Vec<Detection>,
    matches: Vec<Match>,
    stats: Stats,
}

impl<'r> Engine<'r> {
    /// An engine without memory.
    pub fn new(rules: &'r RuleSet, options: Options) -> Engine<'r> {
        let correlator = Correlator::new(options.forgets);
        Engine {
            rules,
            options,
            pending: vec![],
            links: vec![],
            newest: i64::MIN,
            passed: i64::MIN,
            present: None,
            correlator,
            terms: Terms::default(),
            lineage: Lineage::default(),
            seen: FxHashSet::default(),
            open: BTreeMap::new(),
            incidents: FxHashMap::default(),
            closed: vec![],
            matches: vec![],
            stats: Stats::default(),
        }
    }

    /// Takes what one input gave. `span` is the time of its first and last event.
    pub fn add(&mut self, hits: Vec<Hit>, links: Vec<Link>, span: Option<(i64, i64)>) {
        if let Some((first, last)) = span {
            self.terms.saw(first);
            self.newest = self.newest.max(last);
        }
        self.pending.extend(hits);
        self.links.extend(links);
        if self.pending.len() > HELD_HITS_MAX {
            self.sort();
            let half = self.pending.len() / 2;
            let later = self.pending.split_off(half);
            let earlier = std::mem::replace(&mut self.pending, later);
            self.run(earlier);
        }
    }

    /// Lets everything through that is older than the newest event by more than [`WATERMARK`]; for input that goes on. What claims
    /// to be of the time after `now` doesn't hurry the rest.
    pub fn advance(&mut self, now: i64) {
        self.sort();
        let limit = self.newest.min(now).saturating_sub(WATERMARK);
        let at = self.pending.partition_point(|hit| hit.event.time <= limit);
        let later = self.pending.split_off(at);
        let earlier = std::mem::replace(&mut self.pending, later);
        self.run(earlier);
        self.close(limit.saturating_sub(PAUSE));
    }

    /// Lets everything through and ends every detection. What claims to be of the time after now comes last and is not
    /// remembered: a clock that runs ahead would push the events of its window out until that time has come.
    pub fn finish(&mut self) {
        self.sort();
        let mut hits = std::mem::take(&mut self.pending);
        let at = hits.partition_point(|hit| hit.event.time <= self.limit());
        let ahead = hits.split_off(at);
        self.run(hits);
        if !ahead.is_empty() {
            let windows = self.correlator.held().into_iter().cloned().collect();
            self.present = Some((self.passed, windows));
            self.run(ahead);
        }
        self.close(i64::MAX);
    }

    /// The latest time that can be: clocks differ a little.
    pub(crate) fn limit(&self) -> i64 {
        if self.options.now > 0 { self.options.now.saturating_add(WATERMARK) } else { i64::MAX }
    }

    /// The detections ended since the last call, oldest first.
    pub fn take(&mut self) -> Vec<Detection> {
        let mut done = std::mem::take(&mut self.closed);
        done.sort_by(|a, b| (a.first, a.rule, &a.actor.id, &a.events).cmp(&(b.first, b.rule, &b.actor.id, &b.events)));
        for detection in &mut done {
            self.place(detection);
        }
        done
    }

    /// The matches since the last call, for [`Options::per_event`].
    pub fn take_matches(&mut self) -> Vec<Match> {
        std::mem::take(&mut self.matches)
    }

    /// What happened besides.
    pub fn stats(&self) -> Stats {
        let evicted = self.correlator.evicted + self.terms.evicted + self.lineage.evicted;
        Stats { evicted, ..self.stats }
    }

    fn sort(&mut self) {
        let key = |hit: &Hit| (hit.event.time, hit.rule, hit.event.input, hit.event.record);
        self.pending.sort_by(|a, b| {
            (a.event.time, &a.event.id, a.rule).cmp(&(b.event.time, &b.event.id, b.rule)).then_with(|| key(a).cmp(&key(b)))
        });
        self.links.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
    }

    fn run(&mut self, hits: Vec<Hit>) {
        let mut links = std::mem::take(&mut self.links).into_iter().peekable();
        for hit in hits {
            while let Some(link) = links.next_if(|link| link.time <= hit.event.time) {
                self.lineage.learn(link);
            }
            if hit.event.time < self.passed {
                self.stats.late += 1;
            }
            self.passed = self.passed.max(hit.event.time);
            self.one(hit);
        }
        self.links = links.collect();
    }

    fn one(&mut self, mut hit: Hit) {
        if !hit.event.id.is_empty() && !self.options.per_event {
            if self.seen.len() >= SEEN_MAX {
                self.seen.clear();
            }
            let mut hasher = FxHasher::default();
            (self.rules.rule(hit.rule).map(|rule| &rule.id), &hit.event.id).hash(&mut hasher);
            if !self.seen.insert(hasher.finish()) {
                self.stats.duplicates += 1;
                return;
            }
        }
        if let Some(origin) = self.lineage.origin(&hit.event.actor) {
            let mut event = (*hit.event).clone();
            Arc::make_mut(&mut event.actor).origin = Some(origin);
            hit.event = Arc::new(event);
        }
        let rules = self.rules;
        if let Some(rule) = rules.rule(hit.rule)
            && let Some(terms) = &rule.extra.new_terms
            && !self.terms.is_new(hit.rule, terms, &hit, rules)
        {
            return;
        }
        if self.options.per_event {
            self.matches.push(Match { rule: hit.rule, event: Arc::clone(&hit.event) });
        } else if !rules.plan().is_quiet(hit.rule) {
            self.report(hit.rule, &hit, std::slice::from_ref(&hit));
        }
        let mut fired = vec![];
        self.correlator.feed(rules.plan(), rules.paths(), &hit, &mut fired);
        for Fired { rule, trigger, hits } in fired {
            if self.options.per_event {
                self.matches.push(Match { rule, event: Arc::clone(&trigger.event) });
            } else if !rules.plan().is_quiet(rule) {
                self.report(rule, &trigger, &hits);
            }
        }
    }

    /// Adds hits to the detection of this rule and actor.
    fn report(&mut self, no: RuleNo, trigger: &Hit, hits: &[Hit]) {
        let Some(rule) = self.rules.rule(no) else { return };
        let now = self.options.now;
        if self.options.suppressions.iter().any(|suppression| suppression.covers(rule, trigger, now)) {
            self.stats.suppressed += 1;
            return;
        }
        let key = (no, trigger.event.actor.key().to_owned());
        if self.open.get(&key).is_some_and(|open| trigger.event.time - open.last > PAUSE)
            && let Some(done) = self.open.remove(&key)
        {
            self.closed.push(done);
        }
        let detection = self.open.entry(key).or_insert_with(|| Detection::new(no, trigger));
        for hit in hits {
            let named = rule.extra.resources.iter().filter_map(|field| self.rules.paths().find(field));
            let paths: BTreeSet<u32> = named.collect();
            let resources = hit.values.iter().filter(|(path, _)| paths.contains(path)).map(|(_, value)| &**value);
            detection.add(hit, resources);
        }
    }

    fn close(&mut self, limit: i64) {
        let done: Vec<_> = self.open.iter().filter(|(_, open)| open.last <= limit).map(|(key, _)| key.clone()).collect();
        self.closed.extend(done.iter().filter_map(|key| self.open.remove(key)));
    }

    /// Finds or opens the incident of a detection.
    fn place(&mut self, detection: &mut Detection) {
        let key = detection.actor.key().to_owned();
        let entry = self.incidents.entry(key);
        let (id, last) = entry.or_insert_with(|| (incident_id(detection), detection.last));
        if detection.first - *last > INCIDENT_PAUSE {
            *id = incident_id(detection);
        }
        *last = (*last).max(detection.last);
        detection.incident.clone_from(id);
    }
}
