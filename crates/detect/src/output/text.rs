//! The terminal's form: incidents, worst first, and in each what happened in order.

use std::collections::BTreeMap;

use logs::time;
use model::Severity;

use crate::detection::{Answer, Detection};
use crate::ruleset::RuleSet;

/// How many names of a list are shown.
const SHOWN: usize = 3;

/// Incidents as text, the worst first; one paragraph each.
pub fn text(detections: &[Detection], rules: &RuleSet) -> String {
    let mut out = String::new();
    for (worst, list) in &incidents(detections, rules) {
        paragraph(list, *worst, rules, &mut out);
    }
    out
}

/// The detections of each incident and their worst severity, the worst first.
pub(super) fn incidents<'d>(detections: &'d [Detection], rules: &RuleSet) -> Vec<(Severity, Vec<&'d Detection>)> {
    let mut incidents: BTreeMap<&str, Vec<&Detection>> = BTreeMap::new();
    for detection in detections {
        incidents.entry(&detection.incident).or_default().push(detection);
    }
    let worst = |list: &[&Detection]| list.iter().map(|d| d.severity(rules)).max().unwrap_or(Severity::Info);
    let mut order: Vec<(Severity, Vec<&Detection>)> = incidents.into_values().map(|list| (worst(&list), list)).collect();
    order.sort_by_key(|(worst, list)| (std::cmp::Reverse(*worst), list.first().map(|d| (d.first, d.actor.key().to_owned()))));
    order
}

/// What stands before a fact of the inventory.
pub(super) fn mark(answer: Answer) -> &'static str {
    match answer {
        Answer::Yes => "inventory:",
        Answer::No => "inventory, not so:",
        Answer::Unknown => "unknown:",
    }
}

/// No control character of a log reaches a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn some<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<String> = names.take(SHOWN).map(|name| clean(name)).collect();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}

fn paragraph(list: &[&Detection], worst: Severity, rules: &RuleSet, out: &mut String) {
    let Some(first) = list.first() else { return };
    let actor = &first.actor;
    let last = list.iter().map(|d| d.last).max().unwrap_or(first.last);
    let regions: std::collections::BTreeSet<&String> = list.iter().flat_map(|d| &d.regions).collect();
    let addresses: std::collections::BTreeSet<&String> = list.iter().flat_map(|d| &d.addresses).collect();
    let class = list.iter().map(|d| &d.actor).find(|who| who.id == actor.key()).map(|who| format!(" ({})", who.class.name()));
    let class = class.unwrap_or_default();
    out.push_str(&format!("{}  {}{class}\n", worst.name().to_uppercase(), clean(actor.key())));
    let span =
        if last == first.first { time::text(last) } else { format!("{} to {}", time::text(first.first), time::text(last)) };
    out.push_str(&format!("  {span}, {} from {}\n", some(regions.into_iter()), some(addresses.into_iter())));
    for detection in list {
        let Some(rule) = rules.rule(detection.rule) else { continue };
        let times = if detection.count > 1 { format!(" x{}", detection.count) } else { String::new() };
        let failed = match (detection.failed, detection.count) {
            (0, _) => "",
            (failed, count) if failed == count => " (refused)",
            _ => " (partly refused)",
        };
        let level = detection.severity(rules).name();
        let clock = time::text(detection.first);
        let clock = clock.get(11..19).unwrap_or_default();
        out.push_str(&format!("  {clock}  {:<8} {}{times}{failed}  [{}]\n", level, rule.title, rule.id));
        out.push_str(&format!("            {}\n", some(detection.calls.iter())));
        if !detection.resources.is_empty() {
            out.push_str(&format!("            on {}\n", some(detection.resources.iter())));
        }
        for fact in &detection.context {
            let (about, text) = (clean(&fact.about), clean(&fact.text));
            out.push_str(&format!("            {} {about}: {text}\n", mark(fact.answer)));
        }
        for (address, place) in &detection.places {
            out.push_str(&format!("            from {}: {}\n", clean(address), clean(place)));
        }
        if let Some(next) = rule.extra.next.first() {
            out.push_str(&format!("            next: {next}\n"));
        }
    }
    out.push('\n');
}
