//! More than usual: bytes out of an address, refused flows of an interface.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::conversation::{BUCKET, Code};
use crate::flow::detector::Rule;
use crate::flow::finding::{Finding, measured};
use crate::flow::judge::Setup;
use crate::flow::view::{Side, Talk, View};

/// Quarters of an hour in an hour.
const QUARTERS: u32 = (3600 / BUCKET) as u32;

/// Hours in a week.
const WEEK: u32 = 168;

/// Bytes that left for the outside, by address of one's own, hour and destination.
type Out = BTreeMap<Code, BTreeMap<u32, BTreeMap<Code, (u64, Vec<Talk>)>>>;

fn out(view: &View<'_>, floor: u64) -> Out {
    let mut found = Out::new();
    // Of both interfaces that see a flow only one belongs to a flow to the outside.
    for (_, (key, tally)) in view.talks() {
        let ends = [(key.client, key.server, tally.forth.bytes), (key.server, key.client, tally.back.bytes)];
        for (own, other, bytes) in ends.into_iter().filter(|(_, _, bytes)| *bytes > 0) {
            if view.side(other) == Side::Far && view.side(own) == Side::Mine {
                let hour = found.entry(own).or_default().entry(key.bucket / QUARTERS).or_default();
                let held = hour.entry(other).or_default();
                held.0 = held.0.saturating_add(bytes);
                if bytes >= floor / 100 {
                    held.1.push(Talk { key: *key, tally: *tally, also: None });
                }
            }
        }
    }
    found
}

/// More bytes out in an hour than in any such hour of the last two weeks (the 99th percentile of so few is the largest), and more
/// than a floor.
pub(crate) fn exfiltration(view: &View<'_>, rule: &Rule<'_>, setup: &Setup<'_>) -> Vec<Finding> {
    let floor = rule.least("bytes_per_hour");
    let days = rule.number("history_days") as u32;
    let mut findings = vec![];
    let long = view.fold.span.is_some_and(|(first, last)| last - first >= i64::from(days) * 86_400);
    if !long && setup.past.is_empty() {
        return findings; // Nothing tells what is usual.
    }
    for (own, hours) in out(view, floor) {
        let totals: BTreeMap<u32, u64> =
            hours.iter().map(|(hour, to)| (*hour, to.values().map(|(bytes, _)| *bytes).fold(0, u64::saturating_add))).collect();
        let past = setup.past.hours(view.address(own));
        let began = past.keys().chain(totals.keys()).min().copied().unwrap_or(0);
        let mut seen: BTreeSet<Code> = BTreeSet::new();
        for (hour, to) in &hours {
            let total = totals.get(hour).copied().unwrap_or(0);
            let fresh = |code: &Code| !seen.contains(code) && !setup.past.knows(view.address(own), view.address(*code));
            let known = hour - began >= days * 24;
            let alike = |then: &u32| *then < *hour && hour - then <= days * 24 && (hour - then + 1) % WEEK <= 2;
            let usual = past.iter().chain(&totals).filter(|(then, _)| alike(then)).map(|(_, bytes)| *bytes).max().unwrap_or(0);
            let threshold = rule.number("bytes_per_hour").max(usual.saturating_add(1));
            if known && total >= threshold {
                let main = to.iter().max_by_key(|(_, (bytes, _))| *bytes).map(|(code, _)| *code);
                let talks: Vec<&Talk> = to.values().flat_map(|(_, talks)| talks).collect();
                let mut finding = Finding::of(view, rule, &talks, measured("bytes out in an hour", total, threshold));
                let before = past.iter().chain(&totals).filter(|(then, _)| **then <= *hour && *hour - **then <= days * 24);
                let chart = before.map(|(then, bytes)| (i64::from(*then) * 3600, *bytes)).collect();
                finding = finding.charted("bytes out by the hour", chart);
                finding.actor = Some(view.address(own));
                finding.actor_side = "yours";
                finding.notes.push(format!("the most in such an hour of the {days} days before: {usual} bytes"));
                if let Some(code) = main.filter(fresh) {
                    finding.severity = model::Severity::High;
                    finding.notes.push(format!("most of it to {}, which was never called before", view.address(code)));
                }
                findings.push(finding);
            }
            seen.extend(to.keys());
        }
    }
    findings
}

/// Refused flows by the hour against the usual, and a list of what your own hosts refuse one another.
pub(crate) fn rejects(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    for group in view.groups(|key, tally| (tally.forth.rejected > 0).then_some([key.server, 0, 0])) {
        let Some(server) = group.talks.first().map(|talk| talk.key.server) else { continue };
        let mut hours: BTreeMap<u32, u64> = BTreeMap::new();
        for talk in &group.talks {
            *hours.entry(talk.key.bucket / QUARTERS).or_default() += u64::from(talk.tally.forth.rejected);
        }
        let span = view.fold.span.map_or(0, |(first, last)| (last - first) / 3600);
        if span < rule.number("history_hours") as i64 {
            continue;
        }
        let usual = {
            let mut all: Vec<u64> = hours.values().copied().collect();
            all.resize(all.len().max(span as usize), 0);
            all.sort_unstable();
            all.get(all.len() / 2).copied().unwrap_or(0)
        };
        let threshold = rule.number_for("rejects_per_hour", view.address(server)).max(usual * rule.number("times_usual"));
        let Some((hour, most)) = hours.iter().max_by_key(|(hour, count)| (**count, std::cmp::Reverse(**hour))) else { continue };
        if *most >= threshold {
            let talks: Vec<&Talk> = group.talks.iter().filter(|talk| talk.key.bucket / QUARTERS == *hour).collect();
            let mut finding = Finding::of(view, rule, &talks, measured("refused flows in an hour", *most, threshold));
            let chart = hours.iter().map(|(hour, count)| (i64::from(*hour) * 3600, *count)).collect();
            finding = finding.charted("refused flows by the hour", chart);
            finding.notes.push(format!("usual for this address: {usual}"));
            findings.push(finding);
        }
    }
    findings
}

/// Flows between hosts of your own that were refused: most likely a setting that is wrong.
pub(crate) fn own_rejects(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    let groups = view.groups(|key, tally| {
        let refused = tally.forth.rejected > 0 && !tally.paid();
        (refused && view.side(key.client) == Side::Mine && view.side(key.server) == Side::Mine).then_some([
            key.client,
            key.server,
            u64::from(key.protocol) << 16 | u64::from(key.port),
        ])
    });
    for group in groups {
        let talks: Vec<&Talk> = group.talks.iter().collect();
        let refused = talks.iter().map(|talk| u64::from(talk.tally.forth.rejected)).sum();
        if refused >= rule.number("rejects") {
            findings.push(Finding::of(
                view,
                rule,
                &talks,
                measured("refused flows between hosts of yours", refused, rule.number("rejects")),
            ));
        }
    }
    findings
}

/// A service of yours that had never been seen to answer before.
pub(crate) fn new_service(view: &View<'_>, rule: &Rule<'_>, setup: &Setup<'_>) -> Vec<Finding> {
    let groups = view.groups(|key, tally| {
        let answers = tally.paid() && !key.twin && view.side(key.server) == Side::Mine && key.port < 32_768;
        answers.then_some([key.server, u64::from(key.protocol) << 16 | u64::from(key.port), 0])
    });
    let mut findings = vec![];
    for group in groups {
        let talks: Vec<&Talk> = group.talks.iter().collect();
        let Some(key) = talks.first().map(|talk| talk.key) else { continue };
        if setup.past.serves(view.address(key.server), key.protocol, key.port) {
            continue;
        }
        let clients: BTreeSet<Code> = talks.iter().map(|talk| talk.key.client).collect();
        if clients.len() as u64 >= rule.number("clients") {
            findings.push(Finding::of(
                view,
                rule,
                &talks,
                measured("clients of a new service", clients.len() as u64, rule.number("clients")),
            ));
        }
    }
    findings
}
