//! Correlations: which rules feed which, and the windows of events they look at.
//!
//! A window slides with the events' own times. A group without any value of its `group-by` fields isn't counted: it
//! would throw together what has nothing in common.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use logs::paths::Paths;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::matcher::Hit;
use crate::ruleset::RuleNo;
use crate::sighting::Text;
use crate::sigma::{Body, Bound, Correlation, CorrelationKind, Problem, Rule, RuleExpr};

/// The most events one group's window holds; the oldest go first, and it is counted.
pub const WINDOW_EVENTS_MAX: usize = 10_000;

/// The most events held over all windows; the groups quiet for longest go first, and it is counted.
pub const HELD_EVENTS_MAX: usize = 200_000;

/// The most events that a correlation hands on when it comes true.
pub const FIRED_EVENTS_MAX: usize = 100;

/// The most groups kept over all correlations; the one quiet for longest goes first, and it is counted.
pub const GROUPS_MAX: usize = 100_000;

/// The longest chain of correlations.
pub const CHAIN_MAX: usize = 8;

/// Which correlations there are and what feeds them.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    compiled: BTreeMap<RuleNo, Compiled>,
    feeds: FxHashMap<RuleNo, Vec<(RuleNo, usize)>>,
    quiet: FxHashSet<RuleNo>,
}

#[derive(Debug)]
struct Compiled {
    correlation: Correlation,
    /// The place of each rule number among the correlation's references.
    members: Vec<Vec<RuleNo>>,
}

impl Plan {
    /// Finds the rules that each correlation names.
    pub(crate) fn new(rules: &[Rule]) -> (Plan, Vec<Problem>) {
        let (mut plan, mut problems) = (Plan::default(), vec![]);
        for (no, rule) in rules.iter().enumerate() {
            let Body::Correlation(correlation) = &rule.body else { continue };
            let mut members = vec![];
            for reference in &correlation.rules {
                let found: Vec<RuleNo> =
                    (0..).zip(rules).filter(|(n, r)| *n != no as RuleNo && r.is_called(reference)).map(|(n, _)| n).collect();
                if found.is_empty() {
                    let message = format!("the correlation names `{reference}`, which is no loaded rule's id or name");
                    problems.push(Problem { file: rule.file.clone(), line: rule.line, message });
                }
                members.push(found);
            }
            if members.iter().any(Vec::is_empty) {
                continue;
            }
            for (place, found) in members.iter().enumerate() {
                for member in found {
                    plan.feeds.entry(*member).or_default().push((no as RuleNo, place));
                    if !correlation.generate {
                        plan.quiet.insert(*member);
                    }
                }
            }
            plan.compiled.insert(no as RuleNo, Compiled { correlation: correlation.clone(), members });
        }
        (plan, problems)
    }

    /// Whether a rule only feeds correlations and doesn't alert by itself.
    pub(crate) fn is_quiet(&self, no: RuleNo) -> bool {
        self.quiet.contains(&no)
    }

    /// The correlations a rule feeds.
    pub(crate) fn is_fed_by(&self, no: RuleNo) -> bool {
        self.feeds.contains_key(&no)
    }

    /// Every field that the correlations above a rule want of its events.
    pub(crate) fn fields_of(&self, no: RuleNo) -> Vec<String> {
        let mut fields = vec![];
        let mut open = vec![(no, 0)];
        while let Some((no, depth)) = open.pop() {
            for (above, place) in self.feeds.get(&no).into_iter().flatten() {
                let Some(compiled) = self.compiled.get(above) else { continue };
                let correlation = &compiled.correlation;
                for field in correlation.group_by.iter().chain(&correlation.fields) {
                    fields.push(compiled.field(field, *place).to_owned());
                }
                if depth < CHAIN_MAX {
                    open.push((*above, depth + 1));
                }
            }
        }
        fields
    }
}

impl Compiled {
    /// What `field` is called in events of the rule at `place`.
    fn field<'a>(&'a self, field: &'a str, place: usize) -> &'a str {
        let reference = self.correlation.rules.get(place);
        let alias = self.correlation.aliases.get(field).zip(reference).and_then(|(names, rule)| names.get(rule));
        alias.map_or(field, String::as_str)
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    time: i64,
    place: usize,
    values: Box<[Text]>,
    /// `None` where it is only counted: it isn't among the newest, which are all that is ever handed on.
    hit: Option<Hit>,
}

#[derive(Debug, Default)]
struct Window {
    entries: VecDeque<Entry>,
    /// How many entries each value and each place has.
    values: FxHashMap<Text, u32>,
    places: Vec<u32>,
    touched: u64,
    /// It came true with the last event and still is: what it holds has been handed on.
    firing: bool,
}

impl Window {
    /// Puts an event in at its time, and says where.
    fn put(&mut self, entry: Entry) -> usize {
        for value in &entry.values {
            *self.values.entry(Arc::clone(value)).or_default() += 1;
        }
        if self.places.len() <= entry.place {
            self.places.resize(entry.place + 1, 0);
        }
        if let Some(count) = self.places.get_mut(entry.place) {
            *count += 1;
        }
        let at = self.entries.partition_point(|held| held.time <= entry.time);
        self.entries.insert(at, entry);
        at
    }

    /// Forgets the hit that is no longer among the newest [`FIRED_EVENTS_MAX`] since one was put in at `at`: that one itself, or
    /// the one that it pushed out.
    fn forget(&mut self, at: usize) {
        let Some(last) = self.entries.len().checked_sub(FIRED_EVENTS_MAX + 1) else { return };
        if let Some(entry) = self.entries.get_mut(at.min(last)) {
            entry.hit = None;
        }
    }

    fn drop_oldest(&mut self) {
        let Some(entry) = self.entries.pop_front() else { return };
        for value in &entry.values {
            if let Some(count) = self.values.get_mut(value) {
                *count -= 1;
                if *count == 0 {
                    self.values.remove(value);
                }
            }
        }
        if let Some(count) = self.places.get_mut(entry.place) {
            *count -= 1;
        }
    }
}

/// A correlation that came true.
#[derive(Clone, Debug)]
pub(crate) struct Fired {
    pub(crate) rule: RuleNo,
    /// The event that completed it.
    pub(crate) trigger: Hit,
    /// The events of the window that were not handed on before, oldest first, the newest [`FIRED_EVENTS_MAX`] of them.
    pub(crate) hits: Vec<Hit>,
}

/// The windows of all correlations.
#[derive(Debug, Default)]
pub(crate) struct Correlator {
    windows: FxHashMap<(RuleNo, Box<str>), Window>,
    clock: u64,
    held: usize,
    /// Nothing is kept for a next run.
    forgets: bool,
    /// Events and groups that had to go.
    pub(crate) evicted: u64,
}

impl Correlator {
    /// Without any window yet. One that forgets cannot tell what it [held](Correlator::held).
    pub(crate) fn new(forgets: bool) -> Correlator {
        Correlator { forgets, ..Correlator::default() }
    }

    /// Feeds a hit to the correlations above its rule, and what comes true to those above them.
    pub(crate) fn feed(&mut self, plan: &Plan, paths: &Paths, hit: &Hit, fired: &mut Vec<Fired>) {
        let mut open = vec![(hit.clone(), 0usize)];
        while let Some((hit, depth)) = open.pop() {
            for (no, place) in plan.feeds.get(&hit.rule).into_iter().flatten() {
                let Some(compiled) = plan.compiled.get(no) else { continue };
                if let Some(done) = self.one(*no, compiled, *place, paths, &hit) {
                    if depth < CHAIN_MAX && plan.is_fed_by(*no) {
                        open.push((Hit { rule: *no, ..hit.clone() }, depth + 1));
                    }
                    fired.push(done);
                }
            }
        }
    }

    fn one(&mut self, no: RuleNo, compiled: &Compiled, place: usize, paths: &Paths, hit: &Hit) -> Option<Fired> {
        let correlation = &compiled.correlation;
        let value = |field: &str| paths.find(compiled.field(field, place)).and_then(|path| hit.value(path));
        let group: Vec<Option<&str>> = correlation.group_by.iter().map(|field| value(field)).collect();
        if !group.is_empty() && group.iter().all(Option::is_none) {
            return None;
        }
        let key = group.iter().map(|part| part.unwrap_or("\u{0}")).collect::<Vec<&str>>().join("\u{1}");
        let values: Box<[Text]> = match correlation.fields.as_slice() {
            [field] => {
                let path = paths.find(compiled.field(field, place));
                hit.values.iter().filter(|(at, _)| Some(*at) == path).map(|(_, value)| Arc::clone(value)).collect()
            }
            fields => join(fields.iter().map(|field| value(field))).into_iter().collect(),
        };
        if !correlation.fields.is_empty() && values.is_empty() {
            return None;
        }
        self.clock += 1;
        self.make_room(no, &key);
        let window = self.windows.entry((no, key.into())).or_default();
        window.touched = self.clock;
        let at = window.put(Entry { time: hit.event.time, place, values, hit: Some(hit.clone()) });
        if self.forgets {
            window.forget(at);
        }
        let before = window.entries.len();
        let newest = window.entries.back().map_or(0, |entry| entry.time);
        while window.entries.front().is_some_and(|entry| newest - entry.time > correlation.timespan) {
            window.drop_oldest();
        }
        if window.entries.len() > WINDOW_EVENTS_MAX {
            window.drop_oldest();
            self.evicted += 1;
        }
        self.held = self.held + 1 - (before - window.entries.len());
        let holds = compiled.holds(window);
        let was_firing = std::mem::replace(&mut window.firing, holds);
        if !window.firing {
            return None;
        }
        let handed_on = if was_firing { 1 } else { FIRED_EVENTS_MAX };
        let skipped = window.entries.len().saturating_sub(handed_on);
        let mut hits: Vec<Hit> = window.entries.iter().skip(skipped).filter_map(|entry| entry.hit.clone()).collect();
        if was_firing {
            hits = vec![hit.clone()];
        }
        Some(Fired { rule: no, trigger: hit.clone(), hits })
    }

    fn make_room(&mut self, no: RuleNo, key: &str) {
        let full = self.windows.len() >= GROUPS_MAX && !self.windows.contains_key(&(no, key.into()));
        if !full && self.held < HELD_EVENTS_MAX {
            return;
        }
        let mut ages: Vec<u64> = self.windows.values().map(|window| window.touched).collect();
        let tenth = ages.len() / 10;
        let (_, limit, _) = ages.select_nth_unstable(tenth);
        let limit = *limit;
        let before = self.windows.len();
        self.windows.retain(|_, window| window.touched > limit);
        self.evicted += (before - self.windows.len()) as u64;
        self.held = self.windows.values().map(|window| window.entries.len()).sum();
    }

    /// The hits still in windows, for the state file; oldest first and in a stable order.
    pub(crate) fn held(&self) -> Vec<&Hit> {
        let mut hits: Vec<&Hit> =
            self.windows.values().flat_map(|window| window.entries.iter().filter_map(|e| e.hit.as_ref())).collect();
        hits.sort_by(|a, b| (a.event.time, &a.event.id, a.rule).cmp(&(b.event.time, &b.event.id, b.rule)));
        hits.dedup_by(|a, b| a.rule == b.rule && a.event.id == b.event.id);
        hits
    }
}

/// Several fields count as one value; it lacks only if all lack. (Of a single field, each element of an array counts.)
fn join<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Option<Text> {
    let values: Vec<Option<&str>> = values.collect();
    values.iter().any(Option::is_some).then(|| values.iter().map(|v| v.unwrap_or("")).collect::<Vec<_>>().join("\u{1}").into())
}

impl Compiled {
    fn holds(&self, window: &Window) -> bool {
        let correlation = &self.correlation;
        let entries = &window.entries;
        let met = |figure: f64| correlation.bounds.iter().all(|Bound { compare, value }| compare.holds(figure, *value));
        match correlation.kind {
            CorrelationKind::EventCount => met(entries.len() as f64),
            CorrelationKind::ValueCount => met(window.values.len() as f64),
            CorrelationKind::Temporal => self.temporal(window),
            CorrelationKind::TemporalOrdered => self.temporal(window) && self.ordered(entries),
            _ => {
                let mut numbers: Vec<f64> =
                    entries.iter().flat_map(|entry| &entry.values).filter_map(|value| value.trim().parse().ok()).collect();
                numbers.sort_by(f64::total_cmp);
                self.figure(&numbers).is_some_and(met)
            }
        }
    }

    fn temporal(&self, window: &Window) -> bool {
        let seen: Vec<bool> =
            (0..self.members.len()).map(|place| window.places.get(place).is_some_and(|count| *count > 0)).collect();
        if let Some(expr) = &self.correlation.expr {
            return self.rules_hold(expr, &seen);
        }
        if self.correlation.bounds.is_empty() {
            return seen.iter().all(|flag| *flag);
        }
        let count = seen.iter().filter(|flag| **flag).count() as f64;
        self.correlation.bounds.iter().all(|bound| bound.compare.holds(count, bound.value))
    }

    fn rules_hold(&self, expr: &RuleExpr, seen: &[bool]) -> bool {
        match expr {
            RuleExpr::Rule(name) => {
                let place = self.correlation.rules.iter().position(|rule| rule == name);
                place.and_then(|place| seen.get(place)).copied().unwrap_or(false)
            }
            RuleExpr::And(parts) => parts.iter().all(|part| self.rules_hold(part, seen)),
            RuleExpr::Or(parts) => parts.iter().any(|part| self.rules_hold(part, seen)),
            RuleExpr::Not(inner) => !self.rules_hold(inner, seen),
        }
    }

    /// CloudTrail's times are whole seconds: events of one second are in any order.
    fn ordered(&self, entries: &VecDeque<Entry>) -> bool {
        let mut since = i64::MIN;
        for place in 0..self.members.len() {
            let next = entries.iter().filter(|entry| entry.place == place && entry.time >= since).map(|entry| entry.time).min();
            match next {
                Some(time) => since = time,
                None => return self.correlation.expr.is_some(),
            }
        }
        true
    }

    /// The figure of sorted numbers.
    fn figure(&self, numbers: &[f64]) -> Option<f64> {
        let sum: f64 = numbers.iter().sum();
        let count = numbers.len() as f64;
        match self.correlation.kind {
            CorrelationKind::ValueSum => Some(sum),
            CorrelationKind::ValueAvg if !numbers.is_empty() => Some(sum / count),
            CorrelationKind::ValuePercentile => percentile(numbers, self.correlation.percentile),
            CorrelationKind::ValueMedian => percentile(numbers, 50.0),
            _ => None,
        }
    }
}

/// Linear interpolation between the closest ranks of sorted numbers.
fn percentile(numbers: &[f64], percent: f64) -> Option<f64> {
    let rank = percent / 100.0 * numbers.len().checked_sub(1)? as f64;
    let (low, high) = (rank.floor(), rank.ceil());
    let (low_value, high_value) = (numbers.get(low as usize)?, numbers.get(high as usize)?);
    Some(low_value + (high_value - low_value) * (rank - low))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sighting::Sighting;

    #[test]
    fn a_window_that_forgets_keeps_the_newest_hits_only() {
        let hit = |time: i64| Hit { rule: 0, event: Arc::new(Sighting { time, ..Sighting::default() }), values: Arc::from([]) };
        let mut window = Window::default();
        // Every third event comes late.
        for n in 0..500_i64 {
            let time = if n % 3 == 0 { n / 2 } else { n };
            let at = window.put(Entry { time, place: 0, values: Box::new([]), hit: Some(hit(time)) });
            window.forget(at);
            let kept: Vec<bool> = window.entries.iter().map(|entry| entry.hit.is_some()).collect();
            let newest = kept.len().saturating_sub(FIRED_EVENTS_MAX);
            assert!(kept.iter().enumerate().all(|(at, kept)| *kept == (at >= newest)), "event {n}: {kept:?}");
        }
        assert_eq!((window.entries.len(), window.places.as_slice()), (500, [500].as_slice()), "all of them count");
    }
}
