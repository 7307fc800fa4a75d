//! Sources that cannot be: packets with somebody else's address, and floods reflected off others.

use std::collections::{BTreeMap, BTreeSet};

use logs::flow::Address;
use model::{Confidence, Severity};

use crate::flow::conversation::Code;
use crate::flow::detector::Rule;
use crate::flow::finding::{Finding, LISTED_MAX, measured, so_far};
use crate::flow::fold::Stranger;
use crate::flow::judge::Setup;
use crate::flow::view::{Side, Talk, View, for_many, private};

/// Packets that leave an interface of yours with a source that is not the interface's. A NAT instance, a router or a firewall does
/// the same by design: only where an inventory knows the interface, and says that it forwards nothing, is it told at full severity.
pub(crate) fn leaving(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let mut by_interface: BTreeMap<(&str, bool), Vec<(Code, &Stranger)>> = BTreeMap::new();
    for ((interface, code), stranger) in &view.fold.strangers {
        let name = view.interface(*interface);
        let forwards = view.inventory.forwarders.contains(name);
        if !forwards && view.side(*code) != Side::Mine && !private(view.address(*code)) {
            let checked = view.own(*interface).iter().any(|own| view.inventory.owner(view.address(*own)).is_some());
            by_interface.entry((name, checked)).or_default().push((*code, stranger));
        }
    }
    let mut findings = vec![];
    for ((name, checked), mut strangers) in by_interface {
        strangers.sort_unstable_by_key(|(code, stranger)| (stranger.first, stranger.origin, *code));
        let packets: u64 = strangers.iter().map(|(_, stranger)| stranger.packets).fold(0, u64::saturating_add);
        if packets < rule.number("packets") {
            continue;
        }
        let mut finding =
            Finding::blank(rule, measured("packets with a source that is not the interface's", packets, rule.number("packets")));
        finding.interfaces.insert(name.to_owned());
        finding.first = strangers.iter().map(|(_, s)| s.first).min().unwrap_or(0);
        finding.last = strangers.iter().map(|(_, s)| s.last).max().unwrap_or(0);
        finding.flows = strangers.iter().map(|(_, s)| s.flows).sum();
        finding.packets = packets;
        finding.lines = strangers.iter().take(LISTED_MAX).map(|(_, s)| s.origin).collect();
        finding.notes.push(format!("{} different sources", strangers.len()));
        finding.notes.extend(strangers.first().map(|(code, _)| format!("for example {}", view.address(*code))));
        if !checked {
            finding.severity = finding.severity.min(Severity::Medium);
            finding.confidence = Confidence::Low;
            finding
                .notes
                .push("a NAT instance or a firewall looks the same: give the network's settings to tell them apart".to_owned());
        }
        findings.push(finding);
    }
    findings
}

/// Sources that nobody can have, or that are your own and were never given out; one address at two interfaces of a VPC.
pub(crate) fn arriving(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let bogons = rule.blocks("bogons");
    let narrow = |(block, bits): &(Address, u8)| (block.0 as u32, u32::MAX.checked_shl(32 - u32::from(*bits)).unwrap_or(0));
    let bogons_v4: Vec<(u32, u32)> = bogons.iter().filter(|(block, _)| block.is_v4()).map(narrow).collect();
    let impossible = |code: Code| {
        let bogus = match u32::try_from(code) {
            Ok(address) => bogons_v4.iter().any(|(block, mask)| address & mask == *block),
            Err(_) => bogons.iter().any(|(block, bits)| view.address(code).within(*block, *bits)),
        };
        bogus || (!view.inventory.subnets.is_empty() && view.inventory.dark(view.address(code)))
    };
    let groups = view.groups(|key, tally| {
        let counts = tally.forth.flows > 0 && (key.client == key.server || impossible(key.client));
        counts.then_some([key.client, 0, 0])
    });
    let mut findings = vec![];
    for group in groups {
        let talks: Vec<&Talk> = group.talks.iter().filter(|talk| !for_many(view.address(talk.key.server))).collect();
        let packets = talks.iter().map(|talk| u64::from(talk.tally.forth.packets)).sum();
        if packets >= rule.number("packets").max(1) {
            let what = measured("packets from an impossible source", packets, rule.number("packets"));
            findings.push(Finding::of(view, rule, &talks, what));
        }
    }
    findings.extend(twice(view, rule));
    findings
}

/// One address that two interfaces of one VPC send from.
fn twice(view: &View<'_>, rule: &Rule<'_>) -> Vec<Finding> {
    let mut places: BTreeMap<(&str, Code), BTreeSet<&str>> = BTreeMap::new();
    for (number, interface) in view.fold.interfaces.iter().enumerate().filter(|(_, i)| !i.vpc.is_empty() && !i.name.is_empty()) {
        for code in view.own(number as u32) {
            places.entry((&interface.vpc, *code)).or_default().insert(&interface.name);
        }
    }
    let mut findings = vec![];
    for ((vpc, code), names) in places.into_iter().filter(|(_, names)| names.len() > 1) {
        let mut finding = Finding::blank(rule, measured(format!("interfaces of {vpc} with one address"), names.len() as u64, 2));
        finding.actor = Some(view.address(code));
        finding.actor_side = "yours";
        (finding.first, finding.last) = view.fold.span.unwrap_or_default();
        finding.interfaces = names.into_iter().map(str::to_owned).collect();
        finding.confidence = Confidence::Low;
        finding.notes.push("an address that was moved looks the same".to_owned());
        findings.push(finding);
    }
    findings
}

/// Large answers from many servers to questions that nobody asked.
pub(crate) fn reflected(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let ports = rule.ports("amplifier_ports");
    let mean = rule.number("bytes_per_packet");
    let groups = view.groups(|key, tally| {
        let unasked = key.protocol == 17 && tally.back.flows > 0 && tally.forth.flows == 0;
        let large = tally.back.bytes > mean * u64::from(tally.back.packets);
        (unasked && large && ports.contains(&key.port)).then_some([key.client, 0, 0])
    });
    let mut findings = vec![];
    for group in groups {
        let talks: Vec<&Talk> = group.talks.iter().collect();
        let Some(victim) = talks.first().map(|talk| talk.key.client) else { continue };
        let sources: BTreeSet<Code> = talks.iter().map(|talk| talk.key.server).collect();
        let bytes: u64 = talks.iter().map(|talk| talk.tally.back.bytes).fold(0, u64::saturating_add);
        let threshold = rule.number_for("sources", view.address(victim));
        if (sources.len() as u64) < threshold || bytes < rule.number("bytes") {
            continue;
        }
        let what = measured("servers that answer without being asked", sources.len() as u64, threshold);
        let chart = so_far(&talks, |talk| Some(talk.key.server));
        let mut finding = Finding::of(view, rule, &talks, what).charted("servers so far", chart);
        finding.actor = None;
        finding.actor_side = "";
        finding.targets = BTreeSet::from([view.address(victim)]);
        finding.target_count = 1;
        findings.push(finding);
    }
    findings
}
