//! Scans that hide: over a day or a week from one source, or within a quarter of an hour from many.

use std::collections::{BTreeMap, BTreeSet};

use super::scan::{attempts, began};
use crate::flow::conversation::{Code, has_ports};
use crate::flow::detector::Rule;
use crate::flow::finding::{Finding, Measured, measured};
use crate::flow::judge::Setup;
use crate::flow::view::{Group, Side, Talk, View, for_many};
use crate::flow::window::peak;

/// Days over which a slow scan is looked for, the shorter first.
const DAYS: [u64; 2] = [1, 7];

/// Few failures at a time, many over a day or a week.
pub(crate) fn slow(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let mut by_scanner: BTreeMap<(Code, u8), (Measured, Vec<Talk>)> = BTreeMap::new();
    let ports = view.heavy_groups(rule.least("failed_ports"), |key, tally| {
        let counts = has_ports(key.protocol) && !key.twin && tally.forth.flows > 0;
        counts.then(|| ([key.client, key.server, 0], u32::from(tally.failed())))
    });
    for group in ports {
        let item = |talk: &Talk| u64::from(talk.key.protocol) << 16 | u64::from(talk.key.port);
        take(view, rule, (group, 0, "ports of a host"), item, &mut by_scanner);
    }
    let hosts = view.heavy_groups(rule.least("failed_hosts"), |key, tally| {
        let id = [key.client, u64::from(key.protocol) << 16 | u64::from(key.port), 1];
        (tally.forth.flows > 0).then(|| (id, u32::from(tally.failed())))
    });
    for mut group in hosts {
        group.talks.retain(|talk| began(view, talk) == Some(true) && view.opposite(&talk.key).is_none_or(|_| !talk.key.twin));
        take(view, rule, (group, 1, "hosts on one port"), |talk| talk.key.server, &mut by_scanner);
    }
    by_scanner.into_values().map(|(what, talks)| Finding::of(view, rule, &talks.iter().collect::<Vec<_>>(), what)).collect()
}

fn take(
    view: &View<'_>,
    rule: &Rule<'_>,
    (group, kind, words): (Group, u8, &str),
    item: impl Fn(&Talk) -> u64,
    found: &mut BTreeMap<(Code, u8), (Measured, Vec<Talk>)>,
) {
    let Some((client, server)) = group.talks.first().map(|talk| (talk.key.client, talk.key.server)) else { return };
    if for_many(view.address(server)) {
        return;
    }
    let target = view.address(server);
    let inside = kind == 1 && view.side(client) == Side::Mine;
    let threshold = match (kind, inside) {
        (0, _) => rule.number_for("failed_ports", target),
        (_, false) => rule.number("failed_hosts"),
        (_, true) => rule.number("failed_hosts_inside"),
    };
    let mut attempts = attempts(group.talks.iter().map(|talk| (item(talk), talk)));
    if peak(&mut attempts, 900).failed >= threshold {
        return; // Not slow: the other detectors tell of it.
    }
    let hit = DAYS.iter().map(|days| (*days, peak(&mut attempts, days * 86_400).failed)).find(|(_, failed)| *failed >= threshold);
    let Some((days, failed)) = hit else { return };
    let held = found.entry((client, kind)).or_insert_with(|| (measured("", 0, threshold), vec![]));
    if failed > held.0.observed {
        held.0 = measured(format!("failed {words} in {days} d"), failed, threshold);
    }
    held.1.extend(group.talks);
}

/// Sources are counted by the network: 256 IPv4 addresses, or an IPv6 /48.
fn network(view: &View<'_>, client: Code) -> u128 {
    let address = view.address(client);
    if address.is_v4() { address.0 >> 8 } else { address.0 >> 80 }
}

/// Many sources that each try few ports of one host.
pub(crate) fn distributed(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let least = rule.least("pairs").max(2);
    let groups = view.heavy_groups(least, |key, tally| {
        (has_ports(key.protocol) && !key.twin && tally.failed()).then_some(([key.server, 0, 0], 1))
    });
    let mut findings = vec![];
    for group in groups {
        let Some(server) = group.talks.first().map(|talk| talk.key.server) else { continue };
        let target = view.address(server);
        let mut buckets: BTreeMap<u32, BTreeMap<u128, BTreeSet<u16>>> = BTreeMap::new();
        for talk in group.talks.iter().filter(|talk| view.side(talk.key.client) != Side::Mine) {
            let sources = buckets.entry(talk.key.bucket).or_default();
            sources.entry(network(view, talk.key.client)).or_default().insert(talk.key.port);
        }
        let cap = rule.number("ports_of_one_source");
        let pairs = |sources: &BTreeMap<u128, BTreeSet<u16>>| sources.values().map(|p| (p.len() as u64).min(cap)).sum::<u64>();
        let usual = median(&buckets.iter().map(|(bucket, sources)| (*bucket, pairs(sources))).collect());
        let threshold = rule.number_for("pairs", target).max(usual.saturating_mul(rule.number("times_usual")));
        let worst = buckets.iter().filter(|(_, sources)| {
            let ports: BTreeSet<&u16> = sources.values().flatten().collect();
            pairs(sources) >= threshold
                && sources.len() as u64 >= rule.number("sources")
                && ports.len() as u64 >= rule.number("ports")
        });
        let Some((bucket, sources)) = worst.max_by_key(|(_, sources)| pairs(sources)) else { continue };
        let talks: Vec<&Talk> = group.talks.iter().filter(|talk| talk.key.bucket == *bucket).collect();
        let what = measured("pairs of a source network and a failed port in 15 min", pairs(sources), threshold);
        let mut finding = Finding::of(view, rule, &talks, what);
        finding.notes.push(format!("{} source networks; usual for this host: {usual} pairs", sources.len()));
        findings.push(finding);
    }
    findings
}

/// The median over all buckets from the first to the last, empty ones included.
fn median(counts: &BTreeMap<u32, u64>) -> u64 {
    let span = match (counts.first_key_value(), counts.last_key_value()) {
        (Some((first, _)), Some((last, _))) => (last - first + 1) as usize,
        _ => return 0,
    };
    if span == 1 {
        return 0;
    }
    let mut sorted: Vec<u64> = counts.values().copied().collect();
    sorted.sort_unstable();
    let empty = span - sorted.len();
    (span / 2).checked_sub(empty).and_then(|at| sorted.get(at)).copied().unwrap_or(0)
}
