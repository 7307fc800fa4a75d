//! What crosses the line to the outside and better did not: clear text, mirrored traffic, unusual protocols, administration.

use crate::flow::conversation::{BUCKET, Key, Tally};
use crate::flow::detector::Rule;
use crate::flow::finding::{Finding, added_up, measured, summed};
use crate::flow::judge::{Reach, Setup};
use crate::flow::view::{Side, Talk, View, for_many};

/// One side is yours, the other is outside.
fn crosses(view: &View<'_>, key: &Key) -> bool {
    let sides = (view.side(key.client), view.side(key.server));
    matches!(sides, (Side::Mine, Side::Far) | (Side::Far, Side::Mine))
}

/// The end of a conversation that is yours.
fn own(view: &View<'_>, key: &Key) -> u64 {
    if view.side(key.server) == Side::Mine { key.server } else { key.client }
}

fn flows(talks: &[&Talk]) -> u64 {
    talks.iter().map(|talk| u64::from(talk.tally.forth.flows.max(talk.tally.back.flows))).sum()
}

/// Services without encryption.
pub(crate) fn clear_text(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let ports = rule.ports("clear_text_ports");
    grouped(view, rule, "flows in clear text", |key, tally| {
        (tally.paid() && !key.twin && ports.contains(&key.port) && crosses(view, key))
            .then(|| [own(view, key), u64::from(key.port), 0])
    })
}

/// Copies of traffic sent to somebody unknown.
pub(crate) fn mirrored(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let tunnels = rule.ports("mirror_ports");
    grouped(view, rule, "flows of encapsulated traffic", |key, tally| {
        let tunnel = key.protocol == 17 && tunnels.contains(&key.port);
        let unknown = view.side(key.server) != Side::Mine;
        (tunnel && unknown && tally.forth.flows > 0 && view.side(key.client) == Side::Mine).then_some([key.client, key.server, 0])
    })
}

/// Protocols that hardly anybody uses, across the line.
pub(crate) fn unusual_protocol(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let usual = rule.ports("usual_protocols");
    grouped(view, rule, "flows of an unusual protocol", |key, tally| {
        let accepted = tally.forth.flows > tally.forth.rejected;
        let odd = !usual.contains(&u16::from(key.protocol)) && accepted && crosses(view, key);
        (odd && !for_many(view.address(key.server))).then(|| [own(view, key), u64::from(key.protocol), 0])
    })
}

/// Administration from the internet that was answered.
pub(crate) fn administration(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let ports = rule.ports("administration_ports");
    grouped(view, rule, "answered flows to a port of administration", |key, tally| {
        let answered = tally.paid() && !key.twin && ports.contains(&key.port);
        (answered && view.side(key.client) == Side::Far && view.side(key.server) == Side::Mine).then_some([
            key.server,
            u64::from(key.port),
            0,
        ])
    })
}

/// One finding for each group of at least so many flows as the parameter `flows` says.
fn grouped(view: &View<'_>, rule: &Rule<'_>, what: &str, by: impl Fn(&Key, &Tally) -> Option<[u64; 3]>) -> Vec<Finding> {
    let mut findings = vec![];
    for group in view.groups(by) {
        let talks: Vec<&Talk> = group.talks.iter().collect();
        let Some(target) = talks.first().map(|talk| view.address(talk.key.server)) else { continue };
        let (observed, threshold) = (flows(&talks), rule.number_for("flows", target));
        if observed >= threshold {
            let count = |talk: &Talk| u64::from(talk.tally.forth.flows.max(talk.tally.back.flows));
            let chart = added_up(summed(&talks, BUCKET, count));
            findings.push(Finding::of(view, rule, &talks, measured(what, observed, threshold)).charted("flows so far", chart));
        }
    }
    findings
}

/// Accepted traffic that the network's settings do not allow.
pub(crate) fn against_settings(view: &View<'_>, rule: &Rule<'_>, setup: &Setup<'_>) -> Vec<Finding> {
    let Some(reach) = setup.reach else { return vec![] };
    let groups = view.groups(|key, tally| {
        let answered = tally.paid() && !key.twin && tally.forth.rejected == 0;
        let known = view.inventory.owner(view.address(key.server)).is_some();
        (answered && known).then_some([key.client, key.server, u64::from(key.protocol) << 16 | u64::from(key.port)])
    });
    let mut findings = vec![];
    for group in groups {
        let talks: Vec<&Talk> = group.talks.iter().collect();
        let Some(key) = talks.first().map(|talk| talk.key) else { continue };
        let answer = reach(view.address(key.client), view.address(key.server), key.protocol, key.port);
        if let Reach::Blocked(by) = answer {
            let mut finding =
                Finding::of(view, rule, &talks, measured("answered flows that the settings block", flows(&talks), 1));
            finding.notes.push(format!("blocked by {by}: the snapshot is older than the traffic, or its reading is wrong"));
            findings.push(finding);
        }
    }
    findings
}
