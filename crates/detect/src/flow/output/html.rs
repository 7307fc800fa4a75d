//! Findings as parts of a page for people, each with a drawing of what was counted over time against the threshold.

use logs::time;

use super::{message, port_text};
use crate::flow::detector::Detector;
use crate::flow::finding::Finding;
use crate::output::escaped;

/// How many lines of a log are shown.
const LINES_SHOWN: usize = 10;

/// Width and height of a drawing, and the room at its left, top and bottom for words.
const SIZE: (f64, f64) = (640.0, 120.0);
const ROOM: (f64, f64, f64) = (56.0, 14.0, 18.0);

/// The most bars of a drawing: stretches of time are put together, the largest of each counts.
const BARS_MAX: i64 = 160;

/// Findings as sections of a page, in their order.
pub fn sections(findings: &[Finding], detectors: &[Detector], inputs: &[String]) -> String {
    let mut out = String::new();
    if !findings.is_empty() {
        out.push_str(&format!("<h1>Flow logs</h1>\n<p>{} findings.</p>\n", findings.len()));
    }
    for finding in findings {
        if let Some(detector) = detectors.get(finding.detector) {
            section(finding, detector, inputs, &mut out);
        }
    }
    out
}

fn section(finding: &Finding, detector: &Detector, inputs: &[String], out: &mut String) {
    let level = finding.severity.name();
    let allowed = finding.authorised.as_ref().map(|by| format!("<p><b>authorised by {}</b></p>\n", escaped(by)));
    out.push_str(&format!(
        "<section><h2><span class=\"level {level}\">{level}</span> {}</h2>\n<p>{} to {}; <code>{}</code>, \
         <span class=\"quiet\">{} confidence</span></p>\n{}<p>{}</p>\n{}\n<p>{} {} (told from {} on)</p>\n",
        escaped(&detector.title),
        time::text(finding.first),
        time::text(finding.last),
        escaped(&detector.id),
        finding.confidence.name(),
        allowed.unwrap_or_default(),
        escaped(&message(finding, detector)),
        drawing(finding),
        finding.observed,
        escaped(&finding.measure),
        finding.threshold,
    ));
    let row = |name: &str, count: u64, words: Vec<String>| {
        let codes: Vec<String> = words.iter().map(|word| format!("<code>{}</code>", escaped(word))).collect();
        if codes.is_empty() {
            String::new()
        } else {
            format!("<tr><th>{name} ({count})</th><td>{}</td></tr>\n", codes.join(", "))
        }
    };
    out.push_str("<table>\n");
    out.push_str(&row("targets", finding.target_count, finding.targets.iter().map(ToString::to_string).collect()));
    out.push_str(&row("ports", finding.port_count, finding.ports.iter().map(port_text).collect()));
    out.push_str(&row("seen at", finding.interfaces.len() as u64, finding.interfaces.iter().cloned().collect()));
    let place = |origin: &crate::flow::Origin| {
        format!("{}@{}", inputs.get(origin.input as usize).map_or("", String::as_str), origin.byte)
    };
    out.push_str(&row("lines", finding.lines.len() as u64, finding.lines.iter().take(LINES_SHOWN).map(place).collect()));
    out.push_str("</table>\n");
    finding.notes.iter().for_each(|note| out.push_str(&format!("<p>{}</p>\n", escaped(note))));
    let next: String = detector.next.iter().map(|next| format!("<li>{}</li>", escaped(next))).collect();
    out.push_str(&format!(
        "<details><summary>what to do</summary><p>{}</p><p>{}</p><ul>{next}</ul>\n<p class=\"quiet\">{}</p></details></section>\n",
        escaped(&detector.why),
        escaped(&detector.runbook),
        escaped(&[detector.technique.join(", "), detector.guardduty.join(", ")].join("; ")),
    ));
}

/// Bars over time, and a line at the threshold where it is in their unit. A table of the same numbers is in `jsonl`.
fn drawing(finding: &Finding) -> String {
    let (Some((from, _)), Some((until, _))) = (finding.chart.first_key_value(), finding.chart.last_key_value()) else {
        return String::new();
    };
    let gaps = finding.chart.keys().zip(finding.chart.keys().skip(1)).map(|(a, b)| b - a);
    let step = gaps.min().unwrap_or(900).max((until - from) / BARS_MAX).max(1);
    let bars = (until - from) / step + 1;
    let mut values = vec![0u64; bars.clamp(1, BARS_MAX + 1) as usize];
    for (at, value) in &finding.chart {
        if let Some(bar) = values.get_mut(((at - from) / step) as usize) {
            *bar = (*bar).max(*value);
        }
    }
    let line = finding.chart_of.against_threshold.then_some(finding.threshold).filter(|threshold| *threshold < u64::MAX);
    let most = values.iter().copied().max().unwrap_or(0).max(line.unwrap_or(0)).max(1);
    let (left, top, bottom) = ROOM;
    let (wide, high) = (SIZE.0 - left, SIZE.1 - top - bottom);
    let y = |value: u64| top + high * (1.0 - value as f64 / most as f64);
    let width = wide / values.len() as f64;
    let mut drawn = String::new();
    for (place, value) in values.iter().enumerate().filter(|(_, value)| **value > 0) {
        let x = left + place as f64 * width;
        let over = line.is_some_and(|line| *value >= line);
        drawn.push_str(&format!(
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"currentColor\" fill-opacity=\"{}\"><title>{}: {value}</title></rect>",
            y(*value),
            (width * 0.9).clamp(0.5, 24.0),
            top + high - y(*value),
            if over { "0.9" } else { "0.45" },
            time::text(from + place as i64 * step),
        ));
    }
    let words = |x: f64, y: f64, anchor: &str, text: &str| {
        format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>", escaped(text))
    };
    let mut labels = words(left - 4.0, y(most) + 4.0, "end", &short(most));
    labels.push_str(&words(left, SIZE.1 - 4.0, "start", &time::text(*from)));
    labels.push_str(&words(SIZE.0, SIZE.1 - 4.0, "end", &time::text(*until)));
    if let Some(line) = line {
        let at = y(line);
        drawn.push_str(&format!(
            "<line x1=\"{left}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"currentColor\" stroke-dasharray=\"4 3\"/>",
            SIZE.0
        ));
        if line != most {
            labels.push_str(&words(left - 4.0, at + 4.0, "end", &short(line)));
        }
    }
    let spoken = match line {
        Some(line) => format!("{}, at most {}; threshold {line}", finding.chart_of.unit, values.iter().max().unwrap_or(&0)),
        None => format!("{}, at most {}", finding.chart_of.unit, values.iter().max().unwrap_or(&0)),
    };
    format!(
        "<figure style=\"margin:.5rem 0\"><svg role=\"img\" aria-label=\"{0}\" viewBox=\"0 0 {1} {2}\" \
         style=\"width:100%;max-width:{1}px;font-size:10px;fill:currentColor\">{drawn}{labels}</svg>\
         <figcaption class=\"quiet\">{0}</figcaption></figure>",
        escaped(&spoken),
        SIZE.0,
        SIZE.1,
    )
}

/// `1.2 M`.
fn short(value: u64) -> String {
    let of = |unit: u64, name: &str| format!("{:.1} {name}", value as f64 / unit as f64);
    match value {
        0..10_000 => value.to_string(),
        10_000..1_000_000 => of(1_000, "k"),
        1_000_000..1_000_000_000 => of(1_000_000, "M"),
        _ => of(1_000_000_000, "G"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!([9_999, 12_345, 4_200_000, 7_000_000_000].map(short), ["9999", "12.3 k", "4.2 M", "7.0 G"]);
    }
}
