//! Suppressions written at the resource itself.
//!
//! In `Metadata`, for JSON as for YAML:
//! ```yaml
//! Metadata:
//!   Palisade:
//!     accept:
//!       - check: s3-bucket-unversioned
//!         reason: a cache that can be filled again
//! ```
//! or in a comment on a line of the resource or right above one: `# palisade:accept s3-bucket-unversioned a cache`.

use model::{Accepted, Span, Text};
use syntax::Node;

const MARK: &str = "palisade:accept";

/// A suppression in a comment and the line it speaks of.
pub(crate) struct Comment {
    pub(crate) line: u32,
    pub(crate) accepted: Accepted,
}

/// The suppressions in a YAML text's comments. A comment on a line of its own speaks of the next line that has more.
pub(crate) fn comments(text: &str) -> Vec<Comment> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    let mut all = Vec::new();
    let mut waiting: Vec<Accepted> = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let number = at as u32 + 1;
        let trimmed = line.trim_start();
        let alone = trimmed.starts_with('#');
        let found = accepted(line, number);
        if alone {
            waiting.extend(found);
        } else if !trimmed.is_empty() {
            let here = waiting.drain(..).chain(found);
            all.extend(here.map(|accepted| Comment { line: number, accepted }));
        }
    }
    all
}

/// What the comment of one line accepts.
fn accepted(line: &str, number: u32) -> Option<Accepted> {
    let (before, after) = line.split_once(MARK)?;
    let before = before.trim_end().strip_suffix('#')?;
    if !(before.is_empty() || before.ends_with([' ', '\t', '#'])) {
        return None;
    }
    let mut words = after.trim_start_matches([':', ' ', '\t', '=']).splitn(2, [' ', '\t', ',']);
    let check = words.next().unwrap_or_default().trim_end_matches(':');
    if check.is_empty() {
        return None;
    }
    let reason = words.next().unwrap_or_default().trim().trim_start_matches(['-', ':', ' ']);
    let column = before.chars().count() as u32 + 1;
    let span = Span { line: number, column, end_line: number, end_column: line.chars().count() as u32 + 1 };
    Some(Accepted { check: Text::from(check), reason: Text::from(reason), span: Some(span) })
}

/// What is accepted for the resource at `span`.
pub(crate) fn of_resource(node: &Node, span: Span, comments: &[Comment]) -> Vec<Accepted> {
    let mut all = Vec::new();
    if let Some(listed) = node.get("Metadata").and_then(|n| n.get("Palisade")).and_then(|n| n.get("accept")) {
        match listed.as_seq() {
            Some(items) => all.extend(items.iter().filter_map(entry)),
            None => all.extend(entry(listed)),
        }
    }
    let within = |c: &&Comment| (span.line..=span.end_line).contains(&c.line);
    all.extend(comments.iter().filter(within).map(|c| c.accepted.clone()));
    all
}

fn entry(node: &Node) -> Option<Accepted> {
    let text = |key: &str| node.get(key).and_then(Node::text).cloned();
    let check = text("check").or_else(|| node.text().cloned())?;
    Some(Accepted { check, reason: text("reason").unwrap_or_default(), span: Some(node.span) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_speak_of_a_line() {
        let text = "A: # palisade:accept one: fine here\n  # palisade:accept two\n\n  # other\n  B: 1\n  C: \"x#palisade:accept no\"\n#palisade:accept three - why\nD:\n";
        let all: Vec<(u32, String, String)> =
            comments(text).iter().map(|c| (c.line, c.accepted.check.to_string(), c.accepted.reason.to_string())).collect();
        let want = [(1, "one", "fine here"), (5, "two", ""), (8, "three", "why")];
        assert_eq!(all, want.map(|(n, a, b)| (n, a.to_owned(), b.to_owned())));
        assert_eq!(comments(text)[0].accepted.span.map(|s| s.column), Some(4));
    }
}
