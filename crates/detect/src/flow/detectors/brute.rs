//! Guessing of passwords: many short, alike flows to one service; and the one long flow after them that tells of success.

use std::collections::BTreeSet;

use crate::flow::conversation::{BUCKET, Key, Tally, different, is_loose};
use crate::flow::detector::Rule;
use crate::flow::finding::{Finding, added_up, measured, summed};
use crate::flow::judge::Setup;
use crate::flow::view::{Group, Side, Talk, View};

/// The conversations of one client with one service that guess, and from when on enough had been seen.
struct Guesses<'g> {
    talks: Vec<&'g Talk>,
    flows: u64,
    threshold: u64,
}

/// Many short alike flows to a service where one signs in, or to any service by shape; few at a time, but many in a day, to a
/// service of remote administration.
pub(crate) fn force(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    let mut quick: BTreeSet<[u64; 3]> = BTreeSet::new();
    for group in candidates(view, rule) {
        if let Some(guesses) = guesses(view, rule, &group) {
            let minutes = rule.number("window_minutes");
            let what = measured(format!("short alike flows in {minutes} min"), guesses.flows, guesses.threshold);
            quick.extend(group.talks.first().map(|talk| [talk.key.client, talk.key.server, u64::from(talk.key.port)]));
            let every: Vec<&Talk> = group.talks.iter().collect();
            let chart = summed(&every, BUCKET, |talk| u64::from(talk.tally.short));
            findings.push(Finding::of(view, rule, &guesses.talks, what).charted("short flows in 15 min", chart));
        }
    }
    let ports = rule.ports("slow_ports");
    let groups = view.heavy_groups(rule.least("slow_flows"), |key, tally| {
        let id = [key.client, key.server, u64::from(key.port)];
        let counts = guessable(key, tally) && ports.contains(&key.port) && !quick.contains(&id);
        counts.then_some((id, tally.short))
    });
    findings.extend(groups.filter_map(|group| slow(view, rule, &group)));
    findings
}

/// A day's guesses of one client at one service, if there are enough of them and each is as small as a guess.
fn slow(view: &View<'_>, rule: &Rule<'_>, group: &Group) -> Option<Finding> {
    let key = group.talks.first()?.key;
    if view.side(key.client) == Side::Mine {
        return None;
    }
    let threshold = rule.number_for("slow_flows", view.address(key.server));
    for (at, talk) in group.talks.iter().enumerate() {
        let within = |other: &&Talk| other.tally.last.saturating_sub(talk.tally.first) <= DAY;
        let talks: Vec<&Talk> = group.talks.iter().skip(at).take_while(within).collect();
        let sum = |of: fn(&Tally) -> u64| talks.iter().map(|talk| of(&talk.tally)).sum::<u64>();
        let flows = sum(|t| u64::from(t.short));
        let mean = sum(|t| t.short_bytes) / flows.max(1);
        let packets = sum(|t| u64::from(t.forth.packets)) / sum(|t| u64::from(t.forth.flows)).max(1);
        let ports = different(talks.iter().fold(0, |bits, talk| bits | talk.tally.ports));
        if flows >= threshold
            && packets >= rule.number("packets_min")
            && mean <= rule.number("slow_bytes_max")
            && ports * 2 >= flows.min(40)
            && spread_percent(&talks) <= rule.number("spread_percent_slow")
        {
            let chart = added_up(summed(&talks, BUCKET, |talk| u64::from(talk.tally.short)));
            let what = measured("short alike flows in a day", flows, threshold);
            return Some(Finding::of(view, rule, &talks, what).charted("short flows so far", chart));
        }
    }
    None
}

const DAY: u32 = 86_400;

/// Whether a conversation may be of attempts to sign in: TCP that was answered with payload, or prompt by prompt.
fn guessable(key: &Key, tally: &Tally) -> bool {
    key.protocol == 6 && !key.twin && (tally.paid() || tally.connected())
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
        // Thresholds are reached within a window of at most two neighbouring quarters of an hour.
        (guessable(key, tally) && u64::from(tally.forth.flows) * 2 >= least).then_some([
            key.client,
            key.server,
            u64::from(key.port),
        ])
    });
    groups.map(|group| whole(view, group)).collect()
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
            let key = Key { bucket, interface: *interface, ..key };
            if !talks.iter().any(|talk| talk.key.bucket == bucket)
                && let Some(tally) = view.talk(&key)
            {
                talks.push(Talk { key, tally: *tally, also: None });
            }
        }
    }
    talks.sort_unstable_by_key(|talk| (talk.tally.first, talk.tally.origin()));
    Group { talks }
}

/// The client's packets and bytes from which on a flow is as large as an encrypted sign-in: the agreement on keys alone takes more
/// than 1,000 bytes (RFC 4253, RFC 8446).
const SIGN_IN: (u64, u64) = (10, 1000);

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
    let surely = inside && view.surely_mine(key.client);
    // Where nothing tells whose a private client is, it may be an attacker's: but services that are known are used like this.
    let guessed = inside && !surely && is_loose(key.port);
    if !usual && ((inside && !guessed) || rule.ports("crowded_ports").contains(&key.port)) {
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
        let bytes = sum(|t| t.short_bytes) / flows.max(1);
        // An encrypted sign-in takes more than a health check.
        let heavy = is_loose(key.port) && packets >= SIGN_IN.0 && bytes >= SIGN_IN.1;
        let pace = if heavy && !inside { "odd_port_sign_ins_per_minute" } else { "odd_port_flows_per_minute" };
        let quick = usual || flows >= minutes * limit(pace);
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
