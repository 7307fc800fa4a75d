//! Rules in Suricata's own language: the header is read exactly, and whether keywords look into the traffic.
//! Source: Suricata user guide, "Rules format".

use super::read::{Variables, content, header_match, judgement};
use super::{Judgement, Match, StatefulRule};

/// Reads rules, one to a line; a line that ends in a backslash goes on in the next one.
pub(super) fn suricata(text: &str, variables: &Variables) -> Vec<StatefulRule> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.enumerate().map(|(at, line)| rule(line, at, variables)).collect()
}

/// One rule. What cannot be read may match anything and do anything.
fn rule(line: &str, at: usize, variables: &Variables) -> StatefulRule {
    let unread = || StatefulRule {
        id: format!("rule {}", at + 1).into(),
        of: Match { partly: Some("what could not be read".into()), ..Match::default() },
        both_ways: true,
        judgement: Judgement::Drop,
    };
    let (header, options) = line.split_once('(').unwrap_or((line, ""));
    let words = words(header);
    let [action, protocol, source, from, arrow, destination, to] = words.as_slice() else { return unread() };
    let Some(judgement) = judgement(action) else { return unread() };
    let mut of = header_match([protocol, source, from, destination, to], variables);
    let options = keywords(options.trim_end().strip_suffix(')').unwrap_or(options));
    of.partly = of.partly.or_else(|| content(options.iter().map(|(word, _)| word.as_str())));
    let sid = options.iter().find(|(word, _)| word == "sid").map(|(_, value)| value.trim());
    let id = sid.map_or_else(|| format!("rule {}", at + 1), |sid| format!("sid {sid}"));
    StatefulRule { id: id.into(), of, both_ways: arrow == "<>", judgement }
}

/// The words of a header; blanks within brackets part nothing.
fn words(header: &str) -> Vec<String> {
    let (mut depth, mut all, mut word) = (0i32, Vec::new(), String::new());
    for c in header.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        match c.is_whitespace() {
            true if depth <= 0 => {
                if !word.is_empty() {
                    all.push(std::mem::take(&mut word));
                }
            }
            true => {}
            false => word.push(c),
        }
    }
    if !word.is_empty() {
        all.push(word);
    }
    all
}

/// Keywords with their values; a semicolon within quotes or behind a backslash ends none.
fn keywords(options: &str) -> Vec<(String, String)> {
    let (mut all, mut part, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in options.chars().chain([';']) {
        if c == ';' && !quoted && !escaped {
            let taken = std::mem::take(&mut part);
            let (word, value) = taken.split_once(':').unwrap_or((&taken, ""));
            if !word.trim().is_empty() {
                all.push((word.trim().to_ascii_lowercase(), value.to_owned()));
            }
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        part.push(c);
    }
    all
}
