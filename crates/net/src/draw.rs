//! Answers as text (one line with arrows, or a page) and as pictures (SVG, or a graph for Graphviz).

use std::fmt::Write;

use crate::answer::{Answer, Verdict};
use crate::exposure::Exposed;
use crate::facts::path_parts;
use crate::network::Network;

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

/// More ways than this are not drawn; the picture says how many are left out.
pub const DRAWN_WAYS_MAX: usize = 200;

/// A component in a picture: what it is, which it is, and whether it blocks.
struct Mark {
    title: String,
    text: String,
    blocks: bool,
}

/// The components of an answer: the way, everything in the way, the end.
fn marks(answer: &Answer) -> Vec<Mark> {
    let mark = |title: &str, text: &str| Mark { title: title.to_owned(), text: text.to_owned(), blocks: false };
    let mut all = vec![mark("from", &answer.from)];
    for hop in &answer.path {
        let rule = if hop.rule.is_empty() { hop.id.clone() } else { format!("{} ({})", hop.id, hop.rule) };
        all.push(mark(&hop.component, &rule));
    }
    for blocker in &answer.blockers {
        let (title, text) = (format!("\u{2717} {}", blocker.code), format!("{} {}", blocker.component, blocker.id));
        all.push(Mark { title, text, blocks: true });
    }
    all.push(mark(answer.answer.name(), answer.leaves.as_ref().unwrap_or(&answer.to)));
    all
}

/// The way as an SVG picture: one box for each component, blockers marked by a cross and a thick border, not by colour alone.
pub fn svg(answer: &Answer) -> String {
    columns(&[marks(answer)], "")
}

/// The way as a graph for Graphviz.
pub fn dot(answer: &Answer) -> String {
    let all = marks(answer);
    let mut out = String::from("digraph way {\n  node [shape=box];\n");
    for (at, mark) in all.iter().enumerate() {
        let style = if mark.blocks { ", style=bold" } else { "" };
        let _ = writeln!(out, "  n{at} [label={}{style}];", quoted(&format!("{}\n{}", mark.title, mark.text)));
    }
    for at in 1..all.len() {
        let _ = writeln!(out, "  n{} -> n{at};", at - 1);
    }
    out.push_str("}\n");
    out
}

/// What the internet reaches, as an SVG picture: one column of boxes for each way.
pub fn exposure_svg(net: &Network, rows: &[Exposed]) -> String {
    let mark = |row: &Exposed| -> Vec<Mark> {
        let parts = path_parts(net, row).into_iter();
        let mut all: Vec<Mark> = parts.map(|text| Mark { title: String::new(), text, blocks: false }).collect();
        if !row.unknown.is_empty() {
            let text = row.unknown.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            all.push(Mark { title: "? not certain".to_owned(), text, blocks: true });
        }
        all
    };
    let drawn: Vec<Vec<Mark>> = rows.iter().take(DRAWN_WAYS_MAX).map(mark).collect();
    let left = rows.len().saturating_sub(DRAWN_WAYS_MAX);
    let note = match (rows.is_empty(), left) {
        (true, _) => "the internet reaches nothing".to_owned(),
        (false, 0) => String::new(),
        (false, left) => format!("{left} more ways are not drawn (`drawn_ways_max`)"),
    };
    columns(&drawn, &note)
}

/// What the internet reaches, as a graph for Graphviz: ways that share their first components share them here.
pub fn exposure_dot(net: &Network, rows: &[Exposed]) -> String {
    let mut edges = std::collections::BTreeSet::new();
    for row in rows {
        let parts = path_parts(net, row);
        let style = if row.unknown.is_empty() { "" } else { " [style=dashed]" };
        for pair in parts.windows(2) {
            if let [from, to] = pair {
                edges.insert(format!("  {} -> {}{style};", quoted(from), quoted(to)));
            }
        }
    }
    let edges: Vec<String> = edges.into_iter().collect();
    format!("digraph exposure {{\n  node [shape=box];\n{}\n}}\n", edges.join("\n"))
}

fn quoted(text: &str) -> String {
    let safe: String = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    format!("\"{}\"", safe.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// Columns of boxes joined by arrows. Text that is too long for its box is cut, and whole in its title.
fn columns(all: &[Vec<Mark>], note: &str) -> String {
    const WIDTH: usize = 520;
    const STEP: usize = 64;
    const LETTERS: usize = 76;
    let deepest = all.iter().map(Vec::len).max().unwrap_or(0);
    let (width, height) = (WIDTH * all.len().max(1), deepest * STEP + 16 + if note.is_empty() { 0 } else { 24 });
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">"
    );
    for (column, marks) in all.iter().enumerate() {
        let x = column * WIDTH + 10;
        for (at, mark) in marks.iter().enumerate() {
            let y = at * STEP + 8;
            if at > 0 {
                let (from, middle) = (y.saturating_sub(20), x + 250);
                let _ = writeln!(out, "  <path d=\"M{middle} {from} V{y} m-4 -6 l4 6 l4 -6\" fill=\"none\" stroke=\"#555\"/>");
            }
            let stroke = if mark.blocks { "stroke=\"#a00\" stroke-width=\"3\"" } else { "stroke=\"#555\"" };
            let _ = writeln!(out, "  <g><title>{}</title>", escape(&format!("{} {}", mark.title, mark.text)));
            let _ = writeln!(out, "  <rect x=\"{x}\" y=\"{y}\" width=\"500\" height=\"44\" rx=\"6\" fill=\"#fff\" {stroke}/>");
            let cut = |text: &str| match text.chars().count() > LETTERS {
                true => text.chars().take(LETTERS - 1).chain(['\u{2026}']).collect(),
                false => text.to_owned(),
            };
            let lines = [(18, true, &mark.title), (35, false, &mark.text)];
            for (down, bold, text) in lines.into_iter().filter(|(_, _, text)| !text.is_empty()) {
                let weight = if bold { " font-weight=\"bold\"" } else { "" };
                let _ = writeln!(out, "  <text x=\"{}\" y=\"{}\"{weight}>{}</text>", x + 10, y + down, escape(&cut(text)));
            }
            out.push_str("  </g>\n");
        }
    }
    if !note.is_empty() {
        let _ = writeln!(out, "  <text x=\"10\" y=\"{}\">{}</text>", height - 8, escape(note));
    }
    out.push_str("</svg>\n");
    out
}

/// A page with a picture. It needs nothing from elsewhere.
pub fn html(title: &str, words: &str, picture: &str) -> String {
    let (title, words) = (escape(title), escape(words));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n\
         <style>body {{ font-family: sans-serif; margin: 2em; }} pre {{ white-space: pre-wrap; }} svg {{ display: block; }}</style>\n\
         </head>\n<body>\n<h1>{title}</h1>\n{picture}<pre>{words}</pre>\n</body>\n</html>\n"
    )
}

fn escape(text: &str) -> String {
    // No control character is allowed in XML, but for tabs and the ends of lines.
    let text: String = text.chars().filter(|c| matches!(c, '\n' | '\t') || !c.is_control()).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exposure::Exposure;
    use crate::ports::Ports;
    use crate::synthetic::{Size, account};
    use crate::{Place, reach};

    #[test]
    fn pictures_show_every_component_and_hostile_names_as_text() {
        let mut net = account(Size { interfaces: 40, groups: 6 }, 1);
        net.gateways.iter_mut().for_each(|g| g.id = "<igw>&\"\u{7}".into());
        let rows = Exposure::all(&net);
        assert!(!rows.is_empty());
        let (svg, dot) = (exposure_svg(&net, &rows), exposure_dot(&net, &rows));
        assert!(svg.matches("<rect").count() >= 3 * rows.len().min(DRAWN_WAYS_MAX), "{svg}");
        for picture in [&svg, &html("<t>", "<w>", &svg)] {
            assert!(picture.contains("&lt;igw&gt;&amp;&quot;") && !picture.contains("<igw>") && !picture.contains('\u{7}'));
        }
        assert!(dot.contains("<igw>&\\\"") && !dot.contains('\u{7}'), "{dot}");
        assert!(exposure_svg(&net, &[]).contains("reaches nothing"));
        let many: Vec<_> = std::iter::repeat_with(|| rows[0].clone()).take(DRAWN_WAYS_MAX + 1).collect();
        assert!(exposure_svg(&net, &many).contains("1 more ways") && !exposure_svg(&net, &many[1..]).contains("more ways"));
        let end = |text: &str| Place::parse(&net, text).unwrap();
        let answer = reach(&net, &end("internet"), &end("eni-0"), &Ports::tcp(1, 1));
        assert_eq!(dot_count(&super::dot(&answer)), answer.path.len() + answer.blockers.len() + 2);
    }

    fn dot_count(dot: &str) -> usize {
        dot.matches("[label=").count()
    }
}
