//! YAML as AWS reads it: libyaml's grammar, YAML 1.1, with places.
//!
//! What differs from YAML 1.1 on purpose: a number that would not be printed the way it was written stays text (account
//! ids with leading zeros, `0777`, `1_000`, versions such as `1.10`), and dates and base-60 numbers stay text.
//! Source of the rest: the CloudFormation user guide's page on template formats; merge keys and aliases, which the service
//! itself refuses but its command line resolves, are resolved within a budget.

mod source;

use std::collections::BTreeMap;

use libyaml_safer::{Event, EventData, Mark, Parser, ScalarStyle};
use model::{Span, Text, contain};

use crate::builder::{Builder, Place, short};
use crate::{Diagnostic, Document, Entry, Kind, Limits, Node, Scalar, Typed};
use source::{Chunks, Lines};

/// Reads the first YAML document of a text. A byte order mark before it is skipped; a missing last line break is no fault.
///
/// # Errors
/// The first thing that is not YAML, an alias without anchor, a key that is not text, the first limit that is passed, or the
/// place before which the YAML library came to an unexpected end: it does for a tag before a comma, `[!, a]`.
pub fn parse_yaml(text: &str, limits: &Limits) -> Result<Document, Diagnostic> {
    if text.len() > limits.bytes_max {
        let message = format!("the text has {} bytes; at most {} are read", text.len(), limits.bytes_max);
        return Err(Diagnostic::limit(message, "bytes_max", Span { line: 1, column: 1, end_line: 1, end_column: 1 }));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut events = Parser::new();
    events.set_input(Chunks::new(text));
    let mut reader =
        Reader { text, lines: None, tree: Builder::new(limits), anchors: BTreeMap::new(), open: Vec::new(), copied: 0 };
    let mut more = None;
    let mut done = false;
    let mut last = Span { line: 1, column: 1, end_line: 1, end_column: 1 };
    loop {
        let Some(event) = contain(|| events.parse()) else {
            return Err(Diagnostic::malformed("the YAML library cannot read what comes here", last));
        };
        let event = event.map_err(|e| explain(&e, text))?;
        last = span(event.start_mark, event.end_mark);
        match &event.data {
            EventData::StreamEnd => break,
            EventData::DocumentStart { .. } if done => {
                more = Some(span(event.start_mark, event.end_mark));
                break;
            }
            EventData::DocumentEnd { .. } => done = true,
            _ => {}
        }
        reader.event(event)?;
    }
    let root = reader.tree.take_root().unwrap_or_else(|| nothing(Span { line: 1, column: 1, end_line: 1, end_column: 1 }));
    Ok(Document { root, warnings: reader.tree.warnings, more })
}

struct Anchored {
    node: Node,
    height: usize,
    count: usize,
}

/// A list or mapping that is still open.
struct Open {
    anchor: Option<String>,
    seen_before: usize,
    /// Flow style has an end of its own; block style ends with its last item.
    flow: bool,
}

struct Reader<'t, 'l> {
    text: &'t str,
    lines: Option<Lines>,
    tree: Builder<'l>,
    anchors: BTreeMap<String, Anchored>,
    open: Vec<Open>,
    copied: usize,
}

impl Reader<'_, '_> {
    fn event(&mut self, event: Event) -> Result<(), Diagnostic> {
        let at = span(event.start_mark, event.end_mark);
        match event.data {
            EventData::Scalar { anchor, tag, value, style, .. } => self.scalar(anchor, tag.as_deref(), &value, style, at),
            EventData::Alias { anchor } => self.alias(&anchor, at),
            EventData::SequenceStart { anchor, tag, style, .. } => {
                self.start(false, style == libyaml_safer::SequenceStyle::Flow, anchor, tag.as_deref(), at)
            }
            EventData::MappingStart { anchor, tag, style, .. } => {
                self.start(true, style == libyaml_safer::MappingStyle::Flow, anchor, tag.as_deref(), at)
            }
            EventData::SequenceEnd | EventData::MappingEnd => self.end(at),
            _ => Ok(()),
        }
    }

    fn start(&mut self, map: bool, flow: bool, anchor: Option<String>, tag: Option<&str>, at: Span) -> Result<(), Diagnostic> {
        if self.tree.place() == Place::Key {
            return Err(Diagnostic::malformed("a mapping's key must be text", at));
        }
        let tag = tag.filter(|t| local(t)).map(|t| self.tree.texts.share(t));
        self.tree.open(map, at, tag)?;
        self.open.push(Open { anchor, seen_before: self.tree.nodes_seen, flow });
        Ok(())
    }

    fn end(&mut self, at: Span) -> Result<(), Diagnostic> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let Some((mut node, height)) = self.tree.close(open.flow.then_some(at)) else { return Ok(()) };
        merge(&mut node);
        if let Some(name) = open.anchor {
            let count = self.tree.nodes_seen - open.seen_before + 1;
            self.copy(count, node.span)?;
            self.anchors.insert(name, Anchored { node: node.clone(), height, count });
        }
        self.tree.value(node, height)
    }

    fn scalar(
        &mut self,
        anchor: Option<String>,
        tag: Option<&str>,
        value: &str,
        style: ScalarStyle,
        mut at: Span,
    ) -> Result<(), Diagnostic> {
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            at = self.lines.get_or_insert_with(|| Lines::new(self.text)).trim(self.text, at);
        }
        let typed = match tag {
            Some(libyaml_safer::STR_TAG | "!") => Typed::Str,
            Some(tag) if local(tag) => Typed::Str,
            None if style != ScalarStyle::Plain => Typed::Str,
            _ => plain(value),
        };
        let tag = tag.filter(|t| local(t)).map(|t| self.tree.texts.share(t));
        let node = self.tree.scalar(value, typed, at, tag);
        if let Some(name) = anchor {
            self.copy(1, at)?;
            self.anchors.insert(name, Anchored { node: node.clone(), height: 0, count: 1 });
        }
        self.place(node, 0)
    }

    fn place(&mut self, node: Node, height: usize) -> Result<(), Diagnostic> {
        if self.tree.place() != Place::Key {
            return self.tree.value(node, height);
        }
        match node.kind {
            Kind::Scalar(Scalar { text, .. }) => {
                self.tree.key(text, node.span);
                Ok(())
            }
            _ => Err(Diagnostic::malformed("a mapping's key must be text", node.span)),
        }
    }

    fn alias(&mut self, name: &str, at: Span) -> Result<(), Diagnostic> {
        let Some(anchored) = self.anchors.get(name) else {
            let own = self.open.iter().any(|o| o.anchor.as_deref() == Some(name));
            let message = match own {
                true => format!("alias `{}` stands inside of what it stands for", short(name)),
                false => format!("alias `{}` has no anchor before it", short(name)),
            };
            return Err(Diagnostic::malformed(message, at));
        };
        let (count, height) = (anchored.count, anchored.height);
        self.tree.deeper(height, at)?;
        self.copy(count, at)?;
        self.tree.nodes_seen += count - 1;
        let Some(mut node) = self.anchors.get(name).map(|a| a.node.clone()) else { return Ok(()) };
        if self.tree.place() == Place::Key {
            node.span = at;
        }
        self.place(node, height)
    }

    fn copy(&mut self, count: usize, at: Span) -> Result<(), Diagnostic> {
        self.copied += count;
        let max = self.tree.limits.alias_nodes_max;
        if self.copied > max {
            return Err(Diagnostic::limit(format!("anchors and aliases copy more than {max} values"), "alias_nodes_max", at));
        }
        Ok(())
    }
}

/// A tag of the document's own: `!Ref`.
fn local(tag: &str) -> bool {
    tag.len() > 1 && tag.starts_with('!')
}

fn nothing(span: Span) -> Node {
    Node { span, tag: None, kind: Kind::Scalar(Scalar { text: Text::from(""), typed: Typed::Null }) }
}

/// Puts the entries of `<<: *defaults` (or a list of such) in place of it. The mapping's own entries win, then the earlier
/// ones of a list. Source: the merge key type of YAML 1.1.
fn merge(node: &mut Node) {
    let Kind::Map(entries) = &mut node.kind else { return };
    if !entries.iter().any(|e| &*e.key == "<<" && mergeable(&e.node)) {
        return;
    }
    let mut own = Vec::new();
    let mut merged: Vec<Box<[Entry]>> = Vec::new();
    for entry in std::mem::take(entries) {
        if &*entry.key != "<<" || !mergeable(&entry.node) {
            own.push(entry);
            continue;
        }
        match entry.node.kind {
            Kind::Map(inner) => merged.push(inner),
            Kind::Seq(items) => merged.extend(items.into_iter().filter_map(|n| match n.kind {
                Kind::Map(inner) => Some(inner),
                _ => None,
            })),
            Kind::Scalar(_) => {}
        }
    }
    // Of two equal keys the later one counts, so what wins goes last.
    *entries = merged.into_iter().rev().flatten().chain(own).collect();
}

fn mergeable(node: &Node) -> bool {
    match &node.kind {
        Kind::Map(_) => node.tag.is_none(),
        Kind::Seq(items) => node.tag.is_none() && items.iter().all(|n| n.as_map().is_some()),
        Kind::Scalar(_) => false,
    }
}

/// What a scalar without quotes means.
fn plain(text: &str) -> Typed {
    match text.bytes().next() {
        None => Typed::Null,
        Some(b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'y' | b'Y' | b'o' | b'O') => match text {
            "~" | "null" | "Null" | "NULL" => Typed::Null,
            "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Typed::Bool(true),
            "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Typed::Bool(false),
            _ => Typed::Str,
        },
        Some(b'0'..=b'9' | b'-') if number(text) => Typed::Number,
        Some(_) => Typed::Str,
    }
}

/// True for a number that would be printed as it is written.
fn number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = match digits.split_once('.') {
        Some((whole, part)) => (whole, Some(part)),
        None => (digits, None),
    };
    let digital = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digital(whole) || (whole.len() > 1 && whole.starts_with('0')) {
        return false;
    }
    match part {
        None => text.parse::<i64>().is_ok(),
        Some("0") => whole.len() < 16,
        Some(part) => digital(part) && text.len() < 20 && text.parse::<f64>().is_ok_and(|d| d.to_string() == text),
    }
}

fn span(start: Mark, end: Mark) -> Span {
    Span {
        line: start.line as u32 + 1,
        column: start.column as u32 + 1,
        end_line: end.line as u32 + 1,
        end_column: end.column as u32 + 1,
    }
}

/// The library's words for what is wrong, with the place.
fn explain(error: &libyaml_safer::Error, text: &str) -> Diagnostic {
    let mut message = error.problem().to_owned();
    let span = match error.problem_mark() {
        Some(mark) => span(mark, mark),
        None => source::reader_place(text),
    };
    if let (Some(context), Some(mark)) = (error.context(), error.context_mark()) {
        message = format!("{message} {context} that starts on line {}", mark.line + 1);
    }
    Diagnostic::malformed(message, span)
}

#[cfg(test)]
mod tests;
