//! Floods: more than a threshold and more than usual into or out of an interface, and many half-open conversations.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use crate::flow::conversation::{BUCKET, Code, SYN, Tally, bare_bytes};
use crate::flow::detector::Rule;
use crate::flow::finding::{Finding, measured, summed};
use crate::flow::judge::Setup;
use crate::flow::rate::Volume;
use crate::flow::view::{Talk, View};

/// How a volume is measured: its name, the parameter, and what is taken of a minute.
type Measure = (&'static str, &'static str, fn(&Volume) -> u64);

const MEASURES: [Measure; 3] = [
    ("packets a second", "packets_per_second", |volume| volume.packets / 60),
    ("bits a second", "bits_per_second", |volume| volume.bytes / 60 * 8),
    ("flows a second", "flows_per_second", |volume| volume.flows / 60),
];

/// A minute of an address of one's own, and whether the volume went out.
type Minutes = BTreeMap<(Code, bool), BTreeMap<u32, Volume>>;

/// What an address's minutes show: how it was measured, the largest, its threshold, and the minutes over it.
struct Hit<'m> {
    measure: &'m Measure,
    observed: u64,
    threshold: u64,
    peaks: Vec<u32>,
}

/// Minutes over a threshold and over a multiple of the hour before.
pub(crate) fn volume(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let minutes = minutes(view, rule);
    let hit = |(place, minutes): (&(Code, bool), &BTreeMap<u32, Volume>)| {
        MEASURES.iter().find_map(|measure| peak(rule, view, place.0, minutes, measure)).map(|hit| (*place, hit))
    };
    let hits: BTreeMap<(Code, bool), Hit<'_>> = minutes.iter().filter_map(hit).collect();
    let mut busy = busiest(view, &hits);
    let mut findings = vec![];
    for ((address, out), Hit { measure: (name, _, of), observed, threshold, peaks }) in hits {
        let way = if out { "out" } else { "in" };
        let talks = busy.remove(&(address, out)).unwrap_or_default();
        if *name != "flows a second" && transfers(&talks, out, address) {
            continue;
        }
        let most: Vec<&Talk> = talks.iter().collect();
        let mut finding = Finding::of(view, rule, &most, measured(format!("{name} {way}"), observed, threshold));
        finding.targets = if out { finding.targets } else { BTreeSet::from([view.address(address)]) };
        finding.target_count = finding.targets.len() as u64;
        if out {
            finding.actor = Some(view.address(address));
            finding.actor_side = "yours";
        }
        finding.first = peaks.first().map_or(finding.first, |minute| i64::from(*minute) * 60);
        finding.last = peaks.last().map_or(finding.last, |minute| i64::from(*minute) * 60 + 59);
        let every = minutes.get(&(address, out)).into_iter().flatten();
        let chart = every.map(|(minute, volume)| (i64::from(*minute) * 60, of(volume))).collect();
        findings.push(finding.charted(format!("{name} {way}"), chart));
    }
    findings
}

/// The minutes of addresses of one's own that have a minute over a threshold.
fn minutes(view: &View<'_>, rule: &Rule<'_>) -> Minutes {
    let limits = MEASURES.map(|(_, parameter, of)| (rule.least(parameter), of));
    let over = |volume: &Volume| limits.iter().any(|(least, of)| of(volume) >= *least);
    let sides = |rate: &'_ crate::flow::rate::Rate| rate.sides.iter().flatten().copied().collect::<Vec<_>>();
    let loud: BTreeSet<Code> = view
        .fold
        .rates
        .iter()
        .map(|(_, rate)| rate)
        .flat_map(sides)
        .filter(|side| over(&side.into) || over(&side.out))
        .map(|side| side.address)
        .collect();
    let mut found = Minutes::new();
    for ((interface, minute), rate) in view.fold.rates.iter().filter(|_| !loud.is_empty()) {
        let own = |side: &&crate::flow::rate::Side| loud.contains(&side.address) && view.own(*interface).contains(&side.address);
        for side in rate.sides.iter().flatten().filter(own) {
            for (out, volume) in [(false, side.into), (true, side.out)] {
                if volume.flows > 0 || volume.packets > 0 {
                    let held = found.entry((side.address, out)).or_default().entry(*minute).or_default();
                    // One address at several interfaces (a moved address): what is more counts.
                    *held = if volume.packets > held.packets { volume } else { *held };
                }
            }
        }
    }
    found
}

/// The largest minute over both limits, its threshold, and all minutes over them.
fn peak<'m>(
    rule: &Rule<'_>,
    view: &View<'_>,
    address: Code,
    minutes: &BTreeMap<u32, Volume>,
    measure: &'m Measure,
) -> Option<Hit<'m>> {
    let (_, parameter, of) = measure;
    let threshold = rule.number_for(parameter, view.address(address));
    let times = rule.number("times_usual");
    let over: Vec<(u32, u64)> =
        minutes.iter().map(|(minute, volume)| (*minute, of(volume))).filter(|(_, n)| *n >= threshold).collect();
    let unusual = |(minute, observed): &(u32, u64)| {
        let before = minutes.range(minute.saturating_sub(60)..*minute).filter(|(_, volume)| of(volume) < threshold);
        let sum: u64 = before.map(|(_, volume)| of(volume)).sum();
        *observed >= (sum / 60).saturating_mul(times)
    };
    let over: Vec<(u32, u64)> = over.into_iter().filter(unusual).collect();
    let observed = over.iter().map(|(_, observed)| *observed).max()?;
    Some(Hit { measure, observed, threshold, peaks: over.into_iter().map(|(minute, _)| minute).collect() })
}

/// The conversations of each hit's address in its quarters of an hour that were the busiest in its direction.
fn busiest(view: &View<'_>, hits: &BTreeMap<(Code, bool), Hit<'_>>) -> BTreeMap<(Code, bool), Vec<Talk>> {
    let mut quarters: FxHashMap<Code, Vec<(bool, BTreeSet<u32>)>> = FxHashMap::default();
    for ((address, out), hit) in hits {
        let buckets = hit.peaks.iter().map(|minute| minute / 15).collect();
        quarters.entry(*address).or_default().push((*out, buckets));
    }
    let mut busy: BTreeMap<(Code, bool), Vec<Talk>> = BTreeMap::new();
    for (_, (key, tally)) in view.talks().filter(|_| !quarters.is_empty()) {
        let other = (key.client != key.server).then_some(key.server);
        for end in std::iter::once(key.client).chain(other) {
            for (out, _) in quarters.get(&end).into_iter().flatten().filter(|(_, buckets)| buckets.contains(&key.bucket)) {
                busy.entry((end, *out)).or_default().push(Talk { key: *key, tally: *tally, also: None });
            }
        }
    }
    for ((address, out), talks) in &mut busy {
        talks.sort_unstable_by_key(|talk| (std::cmp::Reverse(way(talk, *address, *out).0), talk.tally.origin()));
        talks.truncate(LOOKED_AT);
    }
    busy
}

/// How many conversations tell what a flood is made of.
const LOOKED_AT: usize = 1000;

/// Packets that went the flood's way, and the other way.
fn way(talk: &Talk, address: Code, out: bool) -> (u64, u64) {
    let forth_is_flood = (talk.key.client == address) == out;
    let Tally { forth, back, .. } = &talk.tally;
    let (with, against) = if forth_is_flood { (forth, back) } else { (back, forth) };
    (u64::from(with.packets), u64::from(against.packets))
}

/// Most of it is acknowledged TCP: a transfer, however large, not a flood.
fn transfers(talks: &[Talk], out: bool, address: Code) -> bool {
    let (mut all, mut acknowledged) = (0, 0);
    for talk in talks {
        let (with, against) = way(talk, address, out);
        let mean = (talk.tally.forth.bytes + talk.tally.back.bytes) / (with + against).max(1);
        all += with;
        acknowledged += if talk.key.protocol == 6 && against * 100 >= with && mean >= 100 { with } else { 0 };
    }
    acknowledged * 2 >= all
}

/// Many small unanswered flows to one service.
pub(crate) fn half_open(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let (flows_min, sources_min) = (rule.least("flows"), rule.number("sources"));
    let groups = view.heavy_groups(flows_min / view.scale(), |key, tally| {
        let counts = key.protocol == 6 && !key.twin && small(key.server, tally);
        counts.then(|| ([key.server, u64::from(key.port), u64::from(key.bucket)], tally.forth.flows))
    });
    let mut hits: BTreeMap<(Code, u16), (u64, u64, Vec<Talk>)> = BTreeMap::new();
    for group in groups {
        let Some(key) = group.talks.first().map(|talk| talk.key) else { continue };
        let flows = group.talks.iter().map(|talk| u64::from(talk.tally.forth.flows)).sum::<u64>() * view.scale();
        let sources = group.talks.iter().map(|talk| talk.key.client).collect::<BTreeSet<_>>().len() as u64 * view.scale();
        let alone = rule.number_for("flows_of_one_source", view.address(key.server));
        let threshold = if sources >= sources_min { rule.number_for("flows", view.address(key.server)) } else { alone };
        if flows >= threshold.max(flows_min) {
            let hit = hits.entry((key.server, key.port)).or_default();
            *hit = (hit.0.max(flows), threshold, std::mem::take(&mut hit.2));
            hit.2.extend(group.talks);
        }
    }
    let mut findings = vec![];
    for (_, (flows, threshold, talks)) in hits {
        let sources: BTreeSet<Code> = talks.iter().map(|talk| talk.key.client).collect();
        let every: Vec<&Talk> = talks.iter().collect();
        let what = measured(format!("small unanswered flows in {} min", BUCKET / 60), flows, threshold);
        let chart = summed(&every, BUCKET, |talk| u64::from(talk.tally.forth.flows) * view.scale());
        let mut finding = Finding::of(view, rule, &every, what).charted("small unanswered flows in 15 min", chart);
        finding.notes.push(format!("{} sources", sources.len() as u64 * view.scale()));
        if talks.iter().any(|talk| talk.tally.has(SYN)) {
            finding.confidence = model::Confidence::High;
            finding.notes.push("the flows had the SYN flag and no other".to_owned());
        }
        findings.push(finding);
    }
    findings
}

/// One to three bare packets a flow and no payload back, and not refused: what is refused costs the target nothing.
fn small(server: Code, tally: &Tally) -> bool {
    let (flows, packets) = (u64::from(tally.forth.flows), u64::from(tally.forth.packets));
    let bare = tally.forth.bytes <= packets * bare_bytes(server >> 63 == 1);
    flows > 0 && packets <= flows * 3 && bare && !tally.paid() && tally.forth.rejected < tally.forth.flows
}
