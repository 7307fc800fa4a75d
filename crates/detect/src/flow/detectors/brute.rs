//! Guessing of passwords: many short, alike flows to one service; and the one long flow after them that tells of success.

use crate::flow::conversation::Tally;
use crate::flow::detector::Rule;
use crate::flow::finding::{Finding, measured};
use crate::flow::judge::Setup;
use crate::flow::view::{Group, Side, Talk, View};

/// The conversations of one client with one service that guess, and from when on enough had been seen.
struct Guesses<'g> {
    talks: Vec<&'g Talk>,
    flows: u64,
    threshold: u64,
}

/// Many short alike flows to a service where one signs in, or to any service by shape.
pub(crate) fn force(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    for group in candidates(view, rule) {
        if let Some(guesses) = guesses(view, rule, &group) {
            let minutes = rule.number("window_minutes");
            let what = measured(format!("short alike flows in {minutes} min"), guesses.flows, guesses.threshold);
            findings.push(Finding::of(view, rule, &guesses.talks, what));
        }
    }
    findings
}

/// After the guessing one flow that is many times as large as the guesses are on average.
pub(crate) fn success(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    for group in candidates(view, rule) {
        let Some(guesses) = guesses(view, rule, &group) else { continue };
        let (Some(first), Some(last)) = (guesses.talks.first(), guesses.talks.last()) else { continue };
        let sum = |of: fn(&Tally) -> u64| guesses.talks.iter().map(|talk| of(&talk.tally)).sum::<u64>();
        let mean = (sum(|t| t.short_bytes) / sum(|t| u64::from(t.short)).max(1)).max(1);
        let until = last.tally.last.saturating_add(rule.number("after_minutes") as u32 * 60);
        let started = first.tally.first;
        let most = |talk: &Talk| u64::from(talk.tally.forth.most);
        let large = |talk: &&Talk| {
            most(talk) / mean >= rule.number("times_usual") && talk.tally.most_at > started && talk.tally.first <= until
        };
        let Some(hit) = group.talks.iter().filter(large).max_by_key(|talk| most(talk)) else { continue };
        let most = most(hit);
        let mut talks = guesses.talks.clone();
        if !talks.iter().any(|talk| talk.key == hit.key) {
            talks.push(hit);
        }
        let what = measured("times the mean size of the short flows", most / mean, rule.number("times_usual"));
        let mut finding = Finding::of(view, rule, &talks, what);
        finding.notes.push(format!(
            "{most} bytes at {}, after {} guesses",
            logs::time::text(i64::from(hit.tally.most_at)),
            guesses.flows
        ));
        findings.push(finding);
    }
    findings
}

fn candidates(view: &View<'_>, rule: &Rule<'_>) -> Vec<Group> {
    let least = rule.least("flows").max(2);
    let groups = view.groups(|key, tally| {
        let tcp = key.protocol == 6 && !key.twin;
        // Thresholds are reached within a window of at most two neighbouring quarters of an hour.
        (tcp && tally.paid() && u64::from(tally.forth.flows) * 2 >= least).then_some([
            key.client,
            key.server,
            u64::from(key.port),
        ])
    });
    groups.into_iter().map(|group| whole(view, group)).collect()
}

/// All conversations of the client with the service, also those with few flows.
fn whole(view: &View<'_>, group: Group) -> Group {
    let Some((key, first, last)) = group.talks.first().zip(group.talks.last()).map(|(a, b)| (a.key, a.key.bucket, b.key.bucket))
    else {
        return group;
    };
    let mut talks = group.talks;
    let interfaces: Vec<u32> = talks.iter().map(|talk| talk.key.interface).collect();
    for bucket in first.saturating_sub(1)..=last.saturating_add(4) {
        for interface in &interfaces {
            let key = crate::flow::conversation::Key { bucket, interface: *interface, ..key };
            if !talks.iter().any(|talk| talk.key.bucket == bucket)
                && let Some(tally) = view.fold.talks.get(&key)
            {
                talks.push(Talk { key, tally: *tally, also: None });
            }
        }
    }
    talks.sort_unstable_by_key(|talk| (talk.tally.first, talk.tally.origin()));
    Group { talks }
}

/// Percent by which the client's short flows differ in size: the standard deviation over the mean.
pub(super) fn spread_percent(talks: &[&Talk]) -> u64 {
    let sum = |of: fn(&Tally) -> u64| talks.iter().map(|talk| of(&talk.tally)).fold(0, u64::saturating_add) as f64;
    let flows = sum(|t| u64::from(t.short)).max(1.0);
    let mean = sum(|t| t.short_bytes) / flows;
    let variance = (sum(|t| t.short_squares) / flows - mean * mean).max(0.0);
    (variance.sqrt() / mean.max(1.0) * 100.0) as u64
}

fn guesses<'g>(view: &View<'_>, rule: &Rule<'_>, group: &'g Group) -> Option<Guesses<'g>> {
    let key = group.talks.first()?.key;
    let target = view.address(key.server);
    let limit = |name: &str| rule.number_for(name, target);
    let threshold = limit("flows");
    let inside = view.side(key.client) == Side::Mine;
    let usual = rule.ports("authentication_ports").contains(&key.port);
    if !usual && (inside || rule.ports("crowded_ports").contains(&key.port)) {
        return None;
    }
    let most_spread = limit(match (usual, inside) {
        (true, true) => "spread_percent_inside",
        (true, false) => "spread_percent",
        (false, _) => "spread_percent_odd_port",
    });
    let window = limit("window_minutes") * 60;
    let mut best: Option<Guesses<'g>> = None;
    for (at, talk) in group.talks.iter().enumerate() {
        let within = |other: &&Talk| u64::from(other.tally.last.saturating_sub(talk.tally.first)) <= window;
        let talks: Vec<&Talk> = group.talks.iter().skip(at).take_while(within).collect();
        let talks = if talks.is_empty() { vec![talk] } else { talks };
        let sum = |of: fn(&Tally) -> u64| talks.iter().map(|talk| of(&talk.tally)).sum::<u64>();
        let flows = sum(|t| u64::from(t.short));
        let packets = sum(|t| u64::from(t.forth.packets)) / sum(|t| u64::from(t.forth.flows)).max(1);
        let minutes = sum(|t| u64::from(t.minutes.count_ones())).max(1);
        let ports = talks.iter().map(|talk| talk.tally.client_ports()).max().unwrap_or(0);
        let quick = usual || flows / minutes >= limit("odd_port_flows_per_minute");
        let different = ports * 2 >= flows.min(40);
        if flows >= threshold
            && packets >= limit("packets_min")
            && quick
            && different
            && spread_percent(&talks) <= most_spread
            && best.as_ref().is_none_or(|best| flows > best.flows)
        {
            best = Some(Guesses { talks, flows, threshold });
        }
    }
    best
}
