//! Calls home: at a steady interval, or again and again without an answer; and addresses on the user's threat lists.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::conversation::{BUCKET, Code, Key, Tally, different};
use crate::flow::detector::Rule;
use crate::flow::finding::{Finding, added_up, measured, summed};
use crate::flow::judge::Setup;
use crate::flow::view::{Group, Side, Talk, View, for_many};

/// Starts at a steady interval.
pub(crate) fn beacon(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let quiet = rule.ports("quiet_ports");
    let by = |key: &Key, tally: &Tally| {
        let counts = !key.twin && tally.forth.flows > 0 && !quiet.contains(&key.port);
        let id = [key.client, key.server, u64::from(key.protocol) << 16 | u64::from(key.port)];
        counts.then(|| (id, tally.minutes.count_ones()))
    };
    let outwards = |key: &Key| {
        view.side(key.client) == Side::Mine && view.side(key.server) == Side::Far && !for_many(view.address(key.server))
    };
    let groups = view.heavy_groups_of(rule.number("starts"), by, outwards);
    let mut callers: BTreeMap<Code, BTreeSet<Code>> = BTreeMap::new();
    let mut hits = vec![];
    for group in groups {
        let Some(key) = group.talks.first().map(|talk| talk.key) else { continue };
        callers.entry(key.server).or_default().insert(key.client);
        if let Some((starts, interval)) = steady(rule, &group) {
            hits.push((key, group, starts, interval));
        }
    }
    let mut findings = vec![];
    for (key, group, starts, interval) in hits {
        let many = callers.get(&key.server).map_or(0, |clients| clients.len() as u64);
        if many > rule.number("callers_max") {
            continue; // What many of one's hosts call is an agent's service.
        }
        let talks: Vec<&Talk> = group.talks.iter().collect();
        let what = measured("starts at a steady interval", starts, rule.number("starts"));
        let chart = added_up(summed(&talks, BUCKET, |talk| u64::from(talk.tally.minutes.count_ones())));
        let mut finding = Finding::of(view, rule, &talks, what).charted("starts so far", chart);
        finding.notes.push(format!("about every {interval} min"));
        findings.push(finding);
    }
    findings
}

/// The number of starts and their interval in minutes, if they come steadily and look alike.
fn steady(rule: &Rule<'_>, group: &Group) -> Option<(u64, u64)> {
    let mut minutes = BTreeSet::new();
    let (mut flows, mut ports) = (0u64, 0u64);
    for Talk { key, tally, .. } in &group.talks {
        minutes.extend((0..15).filter(|bit| tally.minutes >> bit & 1 == 1).map(|bit| u64::from(key.bucket) * 15 + bit));
        flows += u64::from(tally.forth.flows);
        ports |= tally.ports;
    }
    let starts = minutes.len() as u64;
    let many = flows > starts * rule.number("flows_per_start_max");
    if starts < rule.number("starts") || (many && !even(group)) {
        return None;
    }
    if different(ports) * 2 < starts.min(40) {
        return None; // One long connection that is told window by window.
    }
    let minutes: Vec<u64> = minutes.into_iter().collect();
    let mut gaps: Vec<u64> = minutes.iter().zip(minutes.iter().skip(1)).map(|(a, b)| b - a).collect();
    gaps.sort_unstable();
    let interval = gaps.get(gaps.len() / 2).copied()?;
    let slack = (interval * rule.number("jitter_percent") / 100).max(1);
    let within = gaps.iter().filter(|gap| gap.abs_diff(interval) <= slack).count() as u64;
    let talks: Vec<&Talk> = group.talks.iter().collect();
    let alike = super::brute::spread_percent(&talks) <= rule.number("spread_percent");
    (within * 100 >= gaps.len() as u64 * rule.number("steady_percent") && alike).then_some((starts, interval))
}

/// So many quarters of an hour, without the first and the last, tell whether calls come evenly.
const QUARTERS_MIN: usize = 8;

/// Whether calls that are too many for single minutes come evenly: their number in a quarter of an hour differs by less than half of
/// what calls at random would (the variance of those is their mean).
fn even(group: &Group) -> bool {
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    for talk in &group.talks {
        *counts.entry(talk.key.bucket).or_default() += u64::from(talk.tally.forth.flows);
    }
    let (Some((first, _)), Some((last, _))) = (counts.first_key_value(), counts.last_key_value()) else { return false };
    let inner: Vec<f64> = (first + 1..*last).map(|bucket| counts.get(&bucket).copied().unwrap_or(0) as f64).collect();
    let mean = inner.iter().sum::<f64>() / inner.len().max(1) as f64;
    let variance = inner.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / inner.len().max(1) as f64;
    inner.len() >= QUARTERS_MIN && variance * 4.0 <= mean
}

/// The largest sum over an hour of quarters, and the quarters that make it.
fn hour(by_bucket: &BTreeMap<u32, u64>) -> (u64, u32) {
    let sum = |from: u32| by_bucket.range(from..from.saturating_add((3600 / BUCKET) as u32)).map(|(_, n)| n).sum::<u64>();
    by_bucket.keys().map(|from| (sum(*from), *from)).max().unwrap_or_default()
}

/// Again and again without an answer.
pub(crate) fn refused(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let groups = view.heavy_groups(rule.least("failures"), |key, tally| {
        let probed = key.protocol == 6 && tally.resets_probes(key.client >> 63 == 1);
        let counts = !key.twin && tally.failed() && !probed && (key.protocol == 6 || tally.forth.rejected > 0);
        counts.then_some(([key.client, key.server, 0], tally.forth.flows))
    });
    let mut findings = vec![];
    for group in groups {
        let Some(key) = group.talks.first().map(|talk| talk.key) else { continue };
        if view.side(key.client) != Side::Mine || view.side(key.server) == Side::Mine || for_many(view.address(key.server)) {
            continue;
        }
        let mut by_bucket: BTreeMap<u32, u64> = BTreeMap::new();
        for talk in &group.talks {
            *by_bucket.entry(talk.key.bucket).or_default() += u64::from(talk.tally.forth.flows);
        }
        let (failures, _) = hour(&by_bucket);
        let threshold = rule.number_for("failures", view.address(key.server));
        if failures > threshold {
            let talks: Vec<&Talk> = group.talks.iter().collect();
            let chart = summed(&talks, 3600, |talk| u64::from(talk.tally.forth.flows));
            let what = measured("failures in an hour to one address", failures, threshold);
            findings.push(Finding::of(view, rule, &talks, what).charted("failures by the hour", chart));
        }
    }
    findings
}

/// Traffic with an address on a list.
pub(crate) fn listed(view: &View<'_>, rule: &Rule<'_>, setup: &Setup<'_>) -> Vec<Finding> {
    let on = |code: Code| setup.threats.find(view.address(code));
    let groups = view.groups(|key, _| {
        if view.side(key.server) == Side::Far && on(key.server).is_some() {
            Some([key.server, 0, 0])
        } else if view.side(key.client) == Side::Far && on(key.client).is_some() {
            Some([key.client, 1, 0])
        } else {
            None
        }
    });
    let mut findings = vec![];
    for group in groups {
        let talks: Vec<&Talk> = group.talks.iter().collect();
        let paid = talks.iter().any(|talk| talk.tally.paid());
        let Some(key) = talks.first().map(|talk| talk.key) else { continue };
        let called = on(key.server);
        let flows = talks.iter().map(|talk| u64::from(talk.tally.forth.flows.max(talk.tally.back.flows))).sum();
        let mut finding = Finding::of(view, rule, &talks, measured("flows with a listed address", flows, 1));
        finding.severity = match (paid, called.is_some()) {
            (true, true) => model::Severity::High,
            (true, false) | (false, true) => model::Severity::Medium,
            (false, false) => model::Severity::Low,
        };
        finding.notes.extend(called.or_else(|| on(key.client)).map(|list| format!("listed in {list}")));
        findings.push(finding);
    }
    findings
}
