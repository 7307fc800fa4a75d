//! Scans: many ports of one host, one port of many hosts, and both by an interface of one's own.
//!
//! Counting failures is blind where everything answers, so that many ports count whatever comes back; and where many hosts are
//! normal (web, DNS, mail) only failures and addresses that were never given out count.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::flow::conversation::{Code, Tally, has_ports};
use crate::flow::detector::Rule;
use crate::flow::finding::{Finding, Measured, by_quarter, measured};
use crate::flow::judge::Setup;
use crate::flow::view::{Group, Side, Talk, View, for_many};
use crate::flow::window::{Attempt, Outcome, peak};

/// Ports that UDP traceroute counts up from hop to hop.
pub(super) const TRACEROUTE: std::ops::RangeInclusive<u16> = 33_434..=33_534;

/// Services that agree on further ports with their clients: FTP, RPC, RTSP, SIP, PPTP.
const CARRIERS: &[u16] = &[21, 111, 135, 554, 1723, 5060, 5061];

/// Whether a scanner on this side is the detector's business.
type Whose = fn(Side) -> bool;

fn others(side: Side) -> bool {
    side != Side::Mine
}

fn mine(side: Side) -> bool {
    side == Side::Mine
}

/// One source, many ports of one host.
pub(crate) fn vertical(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    joined(view, rule, ports(view, rule, others))
}

/// One source, one port of many hosts.
pub(crate) fn horizontal(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    joined(view, rule, hosts(view, rule, others))
}

/// Either by an interface of one's own.
pub(crate) fn outbound(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let mut hits = ports(view, rule, mine);
    hits.extend(hosts(view, rule, mine));
    joined(view, rule, hits)
}

/// A scan of one host or of one port: who, what was counted, and the conversations.
struct Hit {
    client: Code,
    measured: Measured,
    talks: Vec<Talk>,
    /// What is counted of a conversation.
    item: fn(&Talk) -> u64,
    /// Whether what was answered does not count.
    failures_only: bool,
}

/// One finding for each scanner and thing counted: the largest of what was counted, all that it touched.
fn joined(view: &View<'_>, rule: &Rule<'_>, hits: Vec<Hit>) -> Vec<Finding> {
    let mut by_scanner: BTreeMap<(Code, String), Vec<Hit>> = BTreeMap::new();
    for hit in hits {
        by_scanner.entry((hit.client, hit.measured.measure.clone())).or_default().push(hit);
    }
    let mut findings = vec![];
    for (_, mut hits) in by_scanner {
        hits.sort_by_key(|hit| std::cmp::Reverse(hit.measured.observed));
        let talks: Vec<&Talk> = hits.iter().flat_map(|hit| &hit.talks).collect();
        let Some(most) = hits.first() else { continue };
        // The chart shows the host or the port that had the most.
        let most_talks: Vec<&Talk> = most.talks.iter().collect();
        let counts = |talk: &Talk| !most.failures_only || !talk.tally.paid();
        let chart = by_quarter(&most_talks, |talk| counts(talk).then(|| (most.item)(talk)));
        let measure = &most.measured.measure;
        let what = measured(measure.clone(), most.measured.observed, most.measured.threshold);
        findings.push(Finding::of(view, rule, &talks, what).charted(measure.trim_end_matches(','), chart));
    }
    findings
}

fn outcome(talks: &[&Talk]) -> Outcome {
    if talks.iter().any(|talk| talk.tally.paid()) {
        Outcome::Paid
    } else if talks.iter().any(|talk| talk.tally.failed()) {
        Outcome::Failed
    } else {
        Outcome::Neither
    }
}

/// The attempts at items, each item with the outcome of all attempts at it.
pub(super) fn attempts<'t>(talks: impl Iterator<Item = (u64, &'t Talk)>) -> Vec<Attempt> {
    let mut by_item: FxHashMap<u64, Vec<&Talk>> = FxHashMap::default();
    for (item, talk) in talks {
        by_item.entry(item).or_default().push(talk);
    }
    let mut attempts = vec![];
    for (item, talks) in by_item {
        let outcome = outcome(&talks);
        for talk in talks {
            attempts.push(Attempt { at: talk.tally.first, item, outcome });
            if talk.tally.last != talk.tally.first {
                attempts.push(Attempt { at: talk.tally.last, item, outcome });
            }
        }
    }
    attempts
}

fn ports(view: &View<'_>, rule: &Rule<'_>, whose: Whose) -> Vec<Hit> {
    let fewest = rule.least("failed_ports").min(rule.least("net_failures")).max(1);
    let least = rule.least("any_ports").max(2);
    // So that the fewest failures that count weigh as much as the fewest ports that count whatever they answer.
    let failure = u32::try_from(least.div_ceil(fewest)).unwrap_or(u32::MAX);
    let groups = view.heavy_groups(least, |key, tally| {
        let counts = has_ports(key.protocol) && tally.forth.flows > 0;
        let traced = key.protocol == 17 && TRACEROUTE.contains(&key.port);
        (counts && !traced).then(|| ([key.client, key.server, 0], if tally.failed() { failure } else { 1 }))
    });
    groups.filter_map(|group| ports_of_host(view, rule, whose, group)).collect()
}

fn ports_of_host(view: &View<'_>, rule: &Rule<'_>, whose: Whose, group: Group) -> Option<Hit> {
    let (client, server) = group.talks.first().map(|talk| (talk.key.client, talk.key.server))?;
    let target = view.address(server);
    if !whose(view.side(client)) || for_many(target) {
        return None;
    }
    let limit = |name: &str| rule.number_for(name, target);
    let carried = group.talks.iter().any(|talk| talk.tally.paid() && CARRIERS.contains(&talk.key.port));
    let minutes = limit("window_minutes");
    let item = service;
    let counted = |talk: &&Talk| !(carried && talk.key.port >= 1024 && !talk.tally.failed());
    let mut attempts = attempts(group.talks.iter().filter(counted).map(|talk| (item(talk), talk)));
    let peak = peak(&mut attempts, minutes * 60);
    let measured = [
        ("failed ports of a host", peak.failed, limit("failed_ports")),
        ("ports of a host", peak.all, limit("any_ports")),
        ("ports of a host that failed, less those that answered,", peak.surplus, limit("net_failures")),
    ]
    .into_iter()
    .find(|(_, observed, threshold)| observed >= threshold)
    .map(|(what, observed, threshold)| measured(format!("{what} in {minutes} min"), observed, threshold))?;
    let failures_only = measured.measure.contains("failed");
    Some(Hit { client, measured, talks: group.talks, item, failures_only })
}

fn service(talk: &Talk) -> u64 {
    u64::from(talk.key.protocol) << 16 | u64::from(talk.key.port)
}

fn hosts(view: &View<'_>, rule: &Rule<'_>, whose: Whose) -> Vec<Hit> {
    let dark = if view.inventory.subnets.is_empty() { u64::MAX } else { rule.least("dark_hosts") };
    let least = rule.least("hosts").min(rule.least("failed_hosts")).min(dark).max(1);
    let crowded = rule.ports("crowded_ports");
    let groups = view.heavy_groups(least, |key, tally| {
        let counts = tally.failed() || !(has_ports(key.protocol) && crowded.contains(&key.port));
        let id = [key.client, u64::from(key.protocol) << 16 | u64::from(key.port), 0];
        (tally.forth.flows > 0).then(|| (id, u32::from(counts)))
    });
    groups.filter_map(|group| hosts_of_port(view, rule, whose, group)).collect()
}

/// Whether the source of a twin conversation began it, as far as can be told: nothing came back, or later.
pub(super) fn began(view: &View<'_>, talk: &Talk) -> Option<bool> {
    match view.opposite(&talk.key) {
        _ if !talk.key.twin => Some(true),
        None => Some(true),
        Some(back) if back.forth.packets == 0 => Some(true),
        Some(back) if back.first > talk.tally.first => Some(true),
        Some(back) if back.first < talk.tally.first => Some(false),
        Some(_) => None,
    }
}

fn hosts_of_port(view: &View<'_>, rule: &Rule<'_>, whose: Whose, mut group: Group) -> Option<Hit> {
    let (client, port, protocol) = group.talks.first().map(|talk| (talk.key.client, talk.key.port, talk.key.protocol))?;
    if !whose(view.side(client)) {
        return None;
    }
    group.talks.retain(|talk| !for_many(view.address(talk.key.server)));
    // Of talks that either side may have begun in the same second, those of a source that others did not answer count.
    let unanswered: BTreeSet<Code> =
        group.talks.iter().filter(|talk| began(view, talk) == Some(true)).map(|talk| talk.key.server).collect();
    let bold = unanswered.len() as u64 >= UNANSWERED_MIN;
    let mut quarters: BTreeMap<Code, BTreeSet<u32>> = BTreeMap::new();
    for talk in &group.talks {
        quarters.entry(talk.key.server).or_default().insert(talk.key.bucket);
    }
    let once = |talk: &Talk| {
        let few = |tally: &Tally| u64::from(tally.forth.packets) <= SWEEP_PACKETS_MAX;
        let rare = quarters.get(&talk.key.server).is_some_and(|quarters| quarters.len() <= SWEEP_QUARTERS_MAX);
        rare && !has_ports(protocol) && few(&talk.tally) && view.opposite(&talk.key).is_none_or(few)
    };
    group.talks.retain(|talk| began(view, talk).unwrap_or(bold || once(talk)));
    let crowded = has_ports(protocol) && rule.ports("crowded_ports").contains(&port);
    let minutes = rule.number("window_minutes");
    let answered = |talk: &Talk| talk.key.twin && view.opposite(&talk.key).is_some_and(|back| back.forth.packets > 0);
    let all = attempts(group.talks.iter().filter(|talk| !answered(talk)).map(|talk| (talk.key.server, talk)));
    let twins = group.talks.iter().filter(|talk| answered(talk));
    let twins = twins.map(|talk| Attempt { at: talk.tally.first, item: talk.key.server, outcome: Outcome::Paid });
    let mut every: Vec<Attempt> = all.into_iter().chain(twins).collect();
    let peak_all = peak(&mut every, minutes * 60);
    let mut dark: Vec<Attempt> = every.iter().copied().filter(|a| view.inventory.dark(view.address(a.item))).collect();
    let peak_dark = peak(&mut dark, minutes * 60);
    let what = if protocol == 1 || protocol == 58 { "ICMP".to_owned() } else { format!("port {port}") };
    let (kind, observed) = if crowded { ("hosts that failed", peak_all.failed) } else { ("hosts", peak_all.all) };
    let mut near: Vec<Attempt> = every.iter().copied().filter(|a| view.side(a.item) != Side::Far).collect();
    let peak_near = peak(&mut near, minutes * 60);
    let measured = [
        (format!("{kind} on {what} in {minutes} min"), observed, rule.number("hosts")),
        (format!("inside addresses that failed on {what} in {minutes} min"), peak_near.failed, rule.number("failed_hosts")),
        (format!("addresses never given out, on {what} in {minutes} min"), peak_dark.all, rule.number("dark_hosts")),
    ]
    .into_iter()
    .find(|(_, observed, threshold)| observed >= threshold)
    .map(|(what, observed, threshold)| measured(what, observed, threshold))?;
    let failures_only = measured.measure.contains("failed");
    Some(Hit { client, measured, talks: group.talks, item: |talk| talk.key.server, failures_only })
}

/// A sweep sends no more packets than this to a host, and no longer than this; who watches a host, or checks that the internet is
/// there, sends more or comes again.
const SWEEP_PACKETS_MAX: u64 = 2;
const SWEEP_QUARTERS_MAX: usize = 2;

/// So many hosts must have been silent before answered ones count that may themselves have asked.
const UNANSWERED_MIN: u64 = 3;
