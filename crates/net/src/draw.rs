//! Answers as text: one line with arrows, or a page.

use std::fmt::Write;

use crate::answer::{Answer, Verdict};

/// The way as one line: `eni-1 -> rtb-1 (0.0.0.0/0 -> igw-1) -> igw-1 -> internet`.
pub fn line(answer: &Answer) -> String {
    let mut parts: Vec<String> = Vec::new();
    if answer.from == "internet" || answer.from == "on-premises" {
        parts.push(answer.from.clone());
    }
    for hop in &answer.path {
        parts.push(if hop.rule.is_empty() { hop.id.clone() } else { format!("{} ({})", hop.id, hop.rule) });
    }
    parts.extend(answer.leaves.clone());
    parts.join(" -> ")
}

/// The whole answer for a terminal, plain text.
pub fn page(answer: &Answer) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}: {} -> {} {}", answer.answer.name(), answer.from, answer.to, answer.ports);
    if answer.answer == Verdict::Reachable && answer.open != answer.ports {
        let _ = writeln!(out, "  open: {}", answer.open);
    }
    if !answer.blockers.is_empty() {
        let _ = writeln!(out, "  in the way:");
    }
    for blocker in &answer.blockers {
        let rule = if blocker.rule.is_empty() { String::new() } else { format!(" ({})", blocker.rule) };
        let reply = if blocker.direction == "reply" { " on the reply's way" } else { "" };
        let _ = writeln!(out, "    x {} {}{rule}: {}{reply}", blocker.component, blocker.id, blocker.code);
        if !blocker.opens.is_empty() {
            let _ = writeln!(out, "      opens with: {}", blocker.opens);
        }
    }
    if answer.answer != Verdict::Blocked {
        for (title, hops) in [("way", &answer.path), ("reply", &answer.reply)] {
            if !hops.is_empty() {
                let _ = writeln!(out, "  {title}:");
            }
            for hop in hops {
                let rule = if hop.rule.is_empty() { String::new() } else { format!("  by {}", hop.rule) };
                let _ = writeln!(out, "    -> {} {}{rule}", hop.component, hop.id);
            }
        }
    }
    if let Some(leaves) = &answer.leaves {
        let _ = writeln!(out, "  leaves: {leaves}");
    }
    for assumption in &answer.assumptions {
        let _ = writeln!(out, "  assumed: {assumption}");
    }
    for reason in &answer.reasons {
        let _ = writeln!(out, "  not known: {reason}");
    }
    out
}

/// The way as an SVG picture: one box for each component, blockers marked by a cross and a thick border, not by colour alone.
pub fn svg(answer: &Answer) -> String {
    let mut boxes: Vec<(String, String, bool)> = vec![("from".to_owned(), answer.from.clone(), false)];
    for hop in &answer.path {
        boxes.push((
            hop.component.clone(),
            if hop.rule.is_empty() { hop.id.clone() } else { format!("{} ({})", hop.id, hop.rule) },
            false,
        ));
    }
    for blocker in &answer.blockers {
        boxes.push((format!("\u{2717} {}", blocker.code), format!("{} {}", blocker.component, blocker.id), true));
    }
    boxes.push((answer.answer.name().to_owned(), answer.leaves.clone().unwrap_or_else(|| answer.to.clone()), false));
    let (width, step) = (520, 64);
    let height = boxes.len() * step + 16;
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">"
    );
    for (at, (title, text, blocks)) in boxes.iter().enumerate() {
        let y = at * step + 8;
        if at > 0 {
            let (from, to) = (y.saturating_sub(20), y);
            let _ = writeln!(out, "  <path d=\"M260 {from} V{to} m-4 -6 l4 6 l4 -6\" fill=\"none\" stroke=\"#555\"/>");
        }
        let stroke = if *blocks { "stroke=\"#a00\" stroke-width=\"3\"" } else { "stroke=\"#555\"" };
        let _ = writeln!(out, "  <rect x=\"10\" y=\"{y}\" width=\"500\" height=\"44\" rx=\"6\" fill=\"#fff\" {stroke}/>");
        let _ = writeln!(out, "  <text x=\"20\" y=\"{}\" font-weight=\"bold\">{}</text>", y + 18, escape(title));
        let _ = writeln!(out, "  <text x=\"20\" y=\"{}\">{}</text>", y + 35, escape(text));
    }
    out.push_str("</svg>\n");
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
