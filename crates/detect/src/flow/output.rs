//! Findings as text: JSON Lines in the schema of detections, and a terminal's paragraphs.

mod forms;
mod html;

pub use forms::{csv_row, ocsf};
pub use html::sections;

use logs::time;
use serde_json::{Map, Value, json};

use super::detector::Detector;
use super::finding::Finding;
use crate::output::SCHEMA;

/// How many names of a list a terminal shows.
const SHOWN: usize = 4;

/// A finding as one JSON line, without its line end. `inputs` are the names of the inputs by number.
pub fn line(finding: &Finding, detectors: &[Detector], inputs: &[String]) -> Value {
    let Some(detector) = detectors.get(finding.detector) else { return Value::Null };
    let file = |input: u32| inputs.get(input as usize);
    let lines: Vec<Value> = finding.lines.iter().map(|o| json!({"file": file(o.input), "offset": o.byte})).collect();
    let resources: Vec<String> =
        finding.interfaces.iter().cloned().chain(finding.targets.iter().map(ToString::to_string)).collect();
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| {
        map.insert(key.to_owned(), value);
    };
    put("schema", json!(SCHEMA));
    put("rule", json!(detector.id));
    put("title", json!(detector.title));
    put("severity", json!(finding.severity.name()));
    put("confidence", json!(finding.confidence.name()));
    put("technique", json!(detector.technique));
    put("tactic", json!(detector.tactic));
    put("actor", json!({"id": finding.actor_text(), "class": "address", "side": finding.actor_side}));
    put("first_seen", json!(time::text(finding.first)));
    put("last_seen", json!(time::text(finding.last)));
    put("count", json!(finding.flows));
    put(
        "events",
        json!(finding.lines.iter().map(|o| format!("{}@{}", file(o.input).map_or("", |f| f), o.byte)).collect::<Vec<_>>()),
    );
    put("resources", json!(resources));
    put("message", json!(message(finding, detector)));
    put("measure", json!(finding.measure));
    put("observed", json!(finding.observed));
    put("threshold", json!(finding.threshold));
    put(
        "targets",
        json!({"count": finding.target_count, "addresses": finding.targets.iter().map(ToString::to_string).collect::<Vec<_>>()}),
    );
    put("ports", json!({"count": finding.port_count, "list": finding.ports.iter().map(port_text).collect::<Vec<_>>()}));
    put("packets", json!(finding.packets));
    put("bytes", json!(finding.bytes));
    put("authorised", json!(finding.authorised));
    put("notes", json!(finding.notes));
    put("lines", json!(lines));
    put("chart", json!(finding.chart.iter().map(|(at, n)| json!([time::text(*at), n])).collect::<Vec<_>>()));
    put("chart_of", json!({"unit": finding.chart_of.unit, "against_threshold": finding.chart_of.against_threshold}));
    put("incident", json!(incident(finding)));
    put("guardduty", json!(detector.guardduty));
    put("next", json!(detector.next));
    let first = finding.lines.first();
    put("source", json!({"file": first.and_then(|o| file(o.input)), "offset": first.map(|o| o.byte)}));
    Value::Object(map)
}

/// Findings of one actor on one day belong together (FNV-1a, 64 bits).
fn incident(finding: &Finding) -> String {
    let text = format!("{}\u{0}{}", finding.actor_text(), finding.first.div_euclid(86_400));
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("incident-{hash:016x}")
}

/// `tcp/22`, `icmp`.
pub(crate) fn port_text((protocol, port): &(u8, u16)) -> String {
    match protocol {
        1 => "icmp".to_owned(),
        6 => format!("tcp/{port}"),
        17 => format!("udp/{port}"),
        58 => "icmpv6".to_owned(),
        132 => format!("sctp/{port}"),
        other => format!("protocol {other}"),
    }
}

fn some(names: Vec<String>, count: u64) -> String {
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = count.saturating_sub(shown.len() as u64);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}

/// What was seen, in words.
pub fn message(finding: &Finding, detector: &Detector) -> String {
    let targets = some(finding.targets.iter().map(ToString::to_string).collect(), finding.target_count);
    let ports = some(finding.ports.iter().map(port_text).collect(), finding.port_count);
    detector
        .message
        .replace("{actor}", &finding.actor_text())
        .replace("{targets}", &targets)
        .replace("{target_count}", &finding.target_count.to_string())
        .replace("{ports}", &ports)
        .replace("{port_count}", &finding.port_count.to_string())
        .replace("{observed}", &finding.observed.to_string())
        .replace("{threshold}", &finding.threshold.to_string())
        .replace("{measure}", &finding.measure)
}

/// Findings as paragraphs, in their order.
pub fn text(findings: &[Finding], detectors: &[Detector], inputs: &[String]) -> String {
    let mut out = String::new();
    for finding in findings {
        let Some(detector) = detectors.get(finding.detector) else { continue };
        let label = finding.authorised.as_ref().map(|by| format!("  authorised by {by}")).unwrap_or_default();
        out.push_str(&format!("{}  {}  [{}]{label}\n", finding.severity.name().to_uppercase(), detector.title, detector.id));
        out.push_str(&format!("  {} to {}\n", time::text(finding.first), time::text(finding.last)));
        out.push_str(&format!("  {}\n", message(finding, detector)));
        out.push_str(&format!("  {} {} (told from {} on)\n", finding.observed, finding.measure, finding.threshold));
        if !finding.interfaces.is_empty() {
            let names: Vec<String> = finding.interfaces.iter().map(|name| clean(name)).collect();
            let count = names.len() as u64;
            out.push_str(&format!("  seen at {}\n", some(names, count)));
        }
        finding.notes.iter().for_each(|note| out.push_str(&format!("  {note}\n")));
        if let Some(first) = finding.lines.first() {
            let name = inputs.get(first.input as usize).map_or("", String::as_str);
            out.push_str(&format!(
                "  lines: {} at byte {}, {} in all listed in jsonl\n",
                clean(name),
                first.byte,
                finding.lines.len()
            ));
        }
        if let Some(next) = detector.next.first() {
            out.push_str(&format!("  next: {next}\n"));
        }
        out.push('\n');
    }
    out
}

/// No control character of a log reaches a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
