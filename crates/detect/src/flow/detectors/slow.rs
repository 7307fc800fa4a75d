//! Scans that hide behind time: few attempts of one source at a time, many over a day or a week.

use std::collections::BTreeMap;

use super::scan::{TRACEROUTE, attempts, began};
use crate::flow::conversation::{Code, has_ports};
use crate::flow::detector::Rule;
use crate::flow::finding::{Finding, Measured, measured, so_far};
use crate::flow::judge::Setup;
use crate::flow::view::{Group, Side, Talk, View, for_many};
use crate::flow::window::peak;

/// Days over which a slow scan is looked for, the shorter first.
const DAYS: [u64; 2] = [1, 7];

/// Few failures at a time, many over a day or a week.
pub(crate) fn slow(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let mut by_scanner: BTreeMap<(Code, u8), (Measured, Vec<Talk>)> = BTreeMap::new();
    let ports = view.heavy_groups(rule.least("failed_ports"), |key, tally| {
        let traced = key.protocol == 17 && TRACEROUTE.contains(&key.port);
        let counts = has_ports(key.protocol) && !key.twin && tally.forth.flows > 0 && !traced;
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
    let finding = |((_, kind), (what, talks)): ((Code, u8), (Measured, Vec<Talk>))| {
        let talks: Vec<&Talk> = talks.iter().collect();
        let item = |talk: &Talk| {
            let port = u64::from(talk.key.protocol) << 16 | u64::from(talk.key.port);
            talk.tally.failed().then_some(if kind == 0 { port } else { talk.key.server })
        };
        Finding::of(view, rule, &talks, what)
            .charted(if kind == 0 { "failed ports so far" } else { "failed hosts so far" }, so_far(&talks, item))
    };
    by_scanner.into_iter().map(finding).collect()
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
