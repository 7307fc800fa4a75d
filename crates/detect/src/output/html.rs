//! A page of incidents for people: one file, without scripts and without anything from elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use logs::time;
use model::Severity;

use super::text::{incidents, mark};
use crate::detection::{Detection, Fact};
use crate::ruleset::RuleSet;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1c2024;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:0}section{border:1px solid #d5d9dd;border-radius:.5rem;padding:1rem;margin:1rem 0}\
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-top:1px solid #e8eaed}\
.level{font-weight:600;text-transform:uppercase;font-size:.8rem}.critical,.high{color:#b3261e}.medium{color:#8a5300}.low,.info{color:#44546a}\
code{overflow-wrap:anywhere}details{margin:.3rem 0}.quiet{color:#5b6670}\
@media(prefers-color-scheme:dark){body{color:#e3e6e8;background:#16191c}section,td,th{border-color:#3a4148}\
.critical,.high{color:#ff8a80}.medium{color:#ffc46b}.low,.info,.quiet{color:#a9b4be}}";

/// How many names of a list are shown.
const SHOWN: usize = 20;

/// Incidents as an HTML page, the worst first.
pub fn html(detections: &[Detection], rules: &RuleSet) -> String {
    let incidents = incidents(detections, rules);
    let mut counts: BTreeMap<Severity, usize> = BTreeMap::new();
    for detection in detections {
        *counts.entry(detection.severity(rules)).or_default() += 1;
    }
    let by_level: Vec<String> = counts.iter().rev().map(|(level, count)| format!("{count} {}", level.name())).collect();
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\n\
         <title>Detections</title><style>{STYLE}</style></head><body>\n<h1>Detections</h1>\n\
         <p>{} detections in {} incidents{}{}.</p>\n",
        detections.len(),
        incidents.len(),
        if by_level.is_empty() { "" } else { ": " },
        by_level.join(", "),
    );
    for (worst, list) in &incidents {
        section(*worst, list, rules, &mut out);
    }
    out.push_str("</body></html>\n");
    out
}

/// No mark-up of a log or a rule reaches the page.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other if other.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}

fn codes<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<&String> = names.into_iter().collect();
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| format!("<code>{}</code>", escaped(name))).collect();
    let more = names.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}

fn section(worst: Severity, list: &[&Detection], rules: &RuleSet, out: &mut String) {
    let Some(first) = list.first() else { return };
    let last = list.iter().map(|detection| detection.last).max().unwrap_or(first.last);
    let all = |of: fn(&Detection) -> &BTreeSet<String>| list.iter().flat_map(|d| of(d)).collect::<BTreeSet<&String>>();
    let (addresses, regions, accounts) = (all(|d| &d.addresses), all(|d| &d.regions), all(|d| &d.accounts));
    out.push_str(&format!(
        "<section id=\"{}\"><h2><span class=\"level {}\">{}</span> <code>{}</code></h2>\n<p>{} to {}; from {}; in {}; account {}</p>\n\
         <table><tr><th>when</th><th>severity</th><th>what</th></tr>\n",
        escaped(&first.incident),
        worst.name(),
        worst.name(),
        escaped(first.actor.key()),
        time::text(first.first),
        time::text(last),
        codes(addresses),
        codes(regions),
        codes(accounts),
    ));
    list.iter().for_each(|detection| row(detection, rules, out));
    out.push_str("</table></section>\n");
}

/// What the inventory says, and where addresses are.
fn context(detection: &Detection) -> String {
    let line = |fact: &Fact| format!("<br>{} <code>{}</code>: {}", mark(fact.answer), escaped(&fact.about), escaped(&fact.text));
    let place = |(address, place): (&String, &String)| format!("<br>from <code>{}</code>: {}", escaped(address), escaped(place));
    detection.context.iter().map(line).chain(detection.places.iter().map(place)).collect()
}

fn row(detection: &Detection, rules: &RuleSet, out: &mut String) {
    let Some(rule) = rules.rule(detection.rule) else { return };
    let times = if detection.count > 1 { format!(" &times;{}", detection.count) } else { String::new() };
    let refused = if detection.failed > 0 { format!(", {} refused", detection.failed) } else { String::new() };
    let line = |what: &str, text: String| if text.is_empty() { text } else { format!("<br>{what} {text}") };
    let next: String = rule.extra.next.iter().map(|next| format!("<li>{}</li>", escaped(next))).collect();
    out.push_str(&format!(
        "<tr><td>{}</td><td><span class=\"level {}\">{}</span><br><span class=\"quiet\">{} confidence</span></td><td><b>{}</b>{times}{refused}{}{}\n\
         <details><summary>what to do <span class=\"quiet\">{}</span></summary><p>{}</p><p>{}</p><ul>{next}</ul>\n<p class=\"quiet\">{}{}</p></details></td></tr>\n",
        time::text(detection.first),
        detection.severity(rules).name(),
        detection.severity(rules).name(),
        detection.confidence(rules).name(),
        escaped(&rule.title),
        line("by", codes(&detection.calls)),
        line("on", codes(&detection.resources)) + &context(detection),
        escaped(&rule.id),
        escaped(&rule.description),
        escaped(&rule.extra.runbook),
        escaped(&rule.techniques().join(", ")),
        line("events", codes(&detection.events)),
    ));
}
