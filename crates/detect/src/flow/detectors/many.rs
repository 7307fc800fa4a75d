//! Scans that hide behind many sources: each tries few ports of one host, all of them together many.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::flow::conversation::{BUCKET, Code, has_ports};
use crate::flow::detector::Rule;
use crate::flow::finding::{Finding, Measured, by_quarter, measured};
use crate::flow::judge::Setup;
use crate::flow::view::{Group, Side, Talk, View};

/// Sources are neighbours in a network of 256 IPv4 addresses, or an IPv6 /48.
fn network(view: &View<'_>, client: Code) -> u128 {
    let address = view.address(client);
    if address.is_v4() { address.0 >> 8 } else { address.0 >> 80 }
}

/// A failed attempt: when, its source, the source's network, the port.
type Attempt = (u32, Code, u128, u16);

/// Many sources that each try few ports of one host.
pub(crate) fn distributed(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let least = (rule.least("pairs").min(rule.least("network_ports")) / view.scale()).max(2);
    let groups = view.heavy_groups(least, |key, tally| {
        (has_ports(key.protocol) && !key.twin && tally.failed()).then_some(([key.server, 0, 0], 1))
    });
    groups.filter_map(|group| of_host(view, rule, group)).collect()
}

fn of_host(view: &View<'_>, rule: &Rule<'_>, group: Group) -> Option<Finding> {
    let target = view.address(group.talks.first()?.key.server);
    let talks: Vec<&Talk> = group.talks.iter().filter(|talk| view.side(talk.key.client) != Side::Mine).collect();
    let mut attempts: Vec<Attempt> = vec![];
    for Talk { key, tally, .. } in &talks {
        attempts.push((tally.first, key.client, network(view, key.client), key.port));
        if tally.last != tally.first {
            attempts.push((tally.last, key.client, network(view, key.client), key.port));
        }
    }
    attempts.sort_unstable();
    let limits = Limits {
        pairs: rule.number_for("pairs", target),
        sources: rule.number("sources"),
        ports: rule.number("ports"),
        ports_of_one: rule.number("ports_of_one_source"),
        network_ports: rule.number_for("network_ports", target),
        network_sources: rule.number("network_sources"),
    };
    let (what, until) = everybody(view, rule, &attempts, &limits).or_else(|| of_network(&attempts, &limits))?;
    let from = until.saturating_sub(BUCKET as u32);
    let talks: Vec<&Talk> = talks.into_iter().filter(|talk| talk.tally.last >= from && talk.tally.first <= until).collect();
    let pair = |talk: &Talk| talk.key.client << 16 ^ u64::from(talk.key.port) ^ u64::from(talk.key.protocol) << 56;
    let one = what.measure.contains("one network");
    let chart = by_quarter(&talks, |talk| Some(if one { u64::from(talk.key.port) } else { pair(talk) }));
    let unit = if one { "failed ports in 15 min" } else { "pairs of a source and a failed port in 15 min" };
    Some(Finding::of(view, rule, &talks, what).charted(unit, chart))
}

struct Limits {
    pairs: u64,
    sources: u64,
    ports: u64,
    /// Pairs of one source that count at most.
    ports_of_one: u64,
    network_ports: u64,
    network_sources: u64,
}

/// How often things are held by a window.
struct Held<K>(FxHashMap<K, u32>);

impl<K: std::hash::Hash + Eq + Copy> Held<K> {
    /// Takes one in; whether it is the first of its kind.
    fn take(&mut self, key: K) -> bool {
        let count = self.0.entry(key).or_default();
        *count += 1;
        *count == 1
    }

    /// Lets one go; whether it was the last of its kind.
    fn drop(&mut self, key: K) -> bool {
        let Some(count) = self.0.get_mut(&key) else { return false };
        *count -= 1;
        let last = *count == 0;
        if last {
            self.0.remove(&key);
        }
        last
    }

    fn new() -> Held<K> {
        Held(FxHashMap::default())
    }
}

/// All sources together, in the quarter of an hour that has the most pairs of a source and a failed port.
fn everybody(view: &View<'_>, rule: &Rule<'_>, attempts: &[Attempt], limits: &Limits) -> Option<(Measured, u32)> {
    let (mut pairs, mut ports, mut sources) = (Held::new(), Held::new(), Held::<Code>::new());
    let (mut counted, mut oldest) = (0u64, 0usize);
    let mut best: Option<(u64, u64, u32)> = None;
    for (at, source, _, port) in attempts {
        while let Some((_, source, _, port)) = attempts.get(oldest).filter(|old| i64::from(at - old.0) > BUCKET) {
            ports.drop(*port);
            if pairs.drop((*source, *port)) {
                counted -= u64::from(u64::from(sources.0.get(source).copied().unwrap_or(0)) <= limits.ports_of_one);
                sources.drop(*source);
            }
            oldest += 1;
        }
        ports.take(*port);
        if pairs.take((*source, *port)) {
            sources.take(*source);
            counted += u64::from(u64::from(sources.0.get(source).copied().unwrap_or(0)) <= limits.ports_of_one);
        }
        // Past the limit of conversations some sources stand for all.
        let (scaled, of) = (counted * view.scale(), sources.0.len() as u64 * view.scale());
        let wide = of >= limits.sources && ports.0.len() as u64 >= limits.ports;
        if wide && scaled >= limits.pairs && best.is_none_or(|best| scaled > best.0) {
            best = Some((scaled, of, *at));
        }
    }
    let (most, sources, at) = best?;
    let usual = usual(view, attempts, limits.ports_of_one, at) * view.scale();
    let threshold = limits.pairs.max(usual.saturating_mul(rule.number("times_usual")));
    let what = format!("pairs of a source and a failed port in 15 min, of {sources} sources where {usual} pairs are usual,");
    (most >= threshold).then(|| (measured(what, most, threshold), at))
}

/// The median of the pairs over all quarters of an hour of the log but those around the one that ends at this moment; 0 if there are
/// too few to say.
fn usual(view: &View<'_>, attempts: &[Attempt], ports_of_one: u64, at: u32) -> u64 {
    let quarter = |at: u32| i64::from(at) / BUCKET;
    let (first, last) = view.fold.span.map_or((0, 0), |(first, last)| (first / BUCKET, last / BUCKET));
    let around = |bucket: i64| (bucket - quarter(at)).abs() <= 1;
    let mut found: BTreeMap<i64, BTreeMap<Code, std::collections::BTreeSet<u16>>> = BTreeMap::new();
    for (at, source, _, port) in attempts.iter().filter(|attempt| !around(quarter(attempt.0))) {
        found.entry(quarter(*at)).or_default().entry(*source).or_default().insert(*port);
    }
    let all = (first..=last).filter(|bucket| !around(*bucket)).count();
    if all < USUAL_QUARTERS_MIN {
        return 0;
    }
    let pairs = |sources: &BTreeMap<Code, std::collections::BTreeSet<u16>>| {
        sources.values().map(|ports| (ports.len() as u64).min(ports_of_one)).sum::<u64>()
    };
    let mut counts: Vec<u64> = found.values().map(pairs).collect();
    counts.sort_unstable();
    let empty = all.saturating_sub(counts.len());
    (all / 2).checked_sub(empty).and_then(|place| counts.get(place)).copied().unwrap_or(0)
}

/// From so many other quarters of an hour on it can be said what is usual.
const USUAL_QUARTERS_MIN: usize = 3;

/// One network whose addresses share the ports among them.
fn of_network(attempts: &[Attempt], limits: &Limits) -> Option<(Measured, u32)> {
    let mut networks: BTreeMap<u128, Vec<Attempt>> = BTreeMap::new();
    for attempt in attempts {
        networks.entry(attempt.2).or_default().push(*attempt);
    }
    let mut best: Option<(u64, u64, u32)> = None;
    for attempts in networks.values() {
        let (mut ports, mut sources, mut oldest) = (Held::new(), Held::new(), 0usize);
        for (at, source, _, port) in attempts {
            while let Some((_, source, _, port)) = attempts.get(oldest).filter(|old| i64::from(at - old.0) > BUCKET) {
                ports.drop(*port);
                sources.drop(*source);
                oldest += 1;
            }
            ports.take(*port);
            sources.take(*source);
            let (many, of) = (ports.0.len() as u64, sources.0.len() as u64);
            if many >= limits.network_ports && of >= limits.network_sources && best.is_none_or(|best| many > best.0) {
                best = Some((many, of, *at));
            }
        }
    }
    let (most, sources, at) = best?;
    let what = format!("failed ports in 15 min, by {sources} sources of one network,");
    Some((measured(what, most, limits.network_ports), at))
}
