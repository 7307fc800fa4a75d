//! What both parsers do with the values they meet: put them into the tree, within the limits.

use model::{Span, Text};

use crate::texts::Texts;
use crate::{Diagnostic, Entry, Kind, Limits, Node, Scalar, Typed};

/// A list or mapping that is still open.
struct Frame {
    start: Span,
    tag: Option<Text>,
    map: bool,
    /// Where its items start on the stack of nodes or entries.
    base: usize,
    key: Option<(Text, Span)>,
    /// Levels below this one so far.
    height: usize,
}

/// Takes values in the order of the text. Items wait on one stack for all levels, so that a finished list is exactly one
/// allocation.
pub(crate) struct Builder<'l> {
    pub(crate) limits: &'l Limits,
    pub(crate) texts: Texts,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) nodes_seen: usize,
    frames: Vec<Frame>,
    nodes: Vec<Node>,
    entries: Vec<Entry>,
    root: Option<Node>,
}

/// What the parser that meets a value has to know of where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Outside of everything.
    Root,
    /// In a list.
    Item,
    /// In a mapping, before a key.
    Key,
    /// In a mapping, behind a key.
    Value,
}

impl<'l> Builder<'l> {
    pub(crate) fn new(limits: &'l Limits) -> Builder<'l> {
        Builder {
            limits,
            texts: Texts::new(),
            warnings: Vec::new(),
            nodes_seen: 0,
            frames: Vec::new(),
            nodes: Vec::new(),
            entries: Vec::new(),
            root: None,
        }
    }

    pub(crate) fn place(&self) -> Place {
        match self.frames.last() {
            None => Place::Root,
            Some(Frame { map: false, .. }) => Place::Item,
            Some(Frame { key: None, .. }) => Place::Key,
            Some(_) => Place::Value,
        }
    }

    /// Opens a list or a mapping.
    pub(crate) fn open(&mut self, map: bool, start: Span, tag: Option<Text>) -> Result<(), Diagnostic> {
        self.deeper(1, start)?;
        let base = if map { self.entries.len() } else { self.nodes.len() };
        self.frames.push(Frame { start, tag, map, base, key: None, height: 0 });
        Ok(())
    }

    /// Refuses `levels` more than there are open.
    pub(crate) fn deeper(&self, levels: usize, at: Span) -> Result<(), Diagnostic> {
        let max = self.limits.depth_max.min(Limits::DEPTH_CAP);
        if self.frames.len() + levels > max {
            return Err(Diagnostic::limit(format!("nested deeper than {max} levels"), "depth_max", at));
        }
        Ok(())
    }

    pub(crate) fn key(&mut self, text: Text, span: Span) {
        if let Some(frame) = self.frames.last_mut() {
            frame.key = Some((text, span));
        }
    }

    /// Puts a finished value where it belongs. `height` is the number of levels in it, 0 for a scalar.
    pub(crate) fn value(&mut self, node: Node, height: usize) -> Result<(), Diagnostic> {
        self.nodes_seen += 1;
        if self.nodes_seen > self.limits.nodes_max {
            let message = format!("more than {} values", self.limits.nodes_max);
            return Err(Diagnostic::limit(message, "nodes_max", node.span));
        }
        match self.frames.last_mut() {
            None => self.root = Some(node),
            Some(frame) => {
                frame.height = frame.height.max(height);
                match frame.key.take() {
                    Some((key, key_span)) => self.entries.push(Entry { key, key_span, node }),
                    None => self.nodes.push(node),
                }
            }
        }
        Ok(())
    }

    /// Closes the innermost list or mapping and gives it back with the number of its levels; `None` if none is open.
    /// `end` is where it ends; without it, where its last item ends.
    pub(crate) fn close(&mut self, end: Option<Span>) -> Option<(Node, usize)> {
        let frame = self.frames.pop()?;
        let (kind, last) = if frame.map {
            let entries: Box<[Entry]> = self.entries.drain(frame.base..).collect();
            let last = entries.last().map(|e| e.node.span);
            (Kind::Map(entries), last)
        } else {
            let nodes: Box<[Node]> = self.nodes.drain(frame.base..).collect();
            let last = nodes.last().map(|n| n.span);
            (Kind::Seq(nodes), last)
        };
        let end = end.or(last).unwrap_or(frame.start);
        let span = Span { line: frame.start.line, column: frame.start.column, ..end };
        if let Kind::Map(entries) = &kind {
            self.warn_of_repeats(entries);
        }
        Some((Node { span, tag: frame.tag, kind }, frame.height + 1))
    }

    /// The outermost value, once there is one.
    pub(crate) fn take_root(&mut self) -> Option<Node> {
        self.root.take()
    }

    /// A scalar node.
    pub(crate) fn scalar(&mut self, text: &str, typed: Typed, span: Span, tag: Option<Text>) -> Node {
        Node { span, tag, kind: Kind::Scalar(Scalar { text: self.texts.share(text), typed }) }
    }

    /// At most one warning for each repeated key, 20 in a text.
    fn warn_of_repeats(&mut self, entries: &[Entry]) {
        const WARNINGS_MAX: usize = 20;
        const FEW: usize = 12;
        let mut repeat = |entry: &Entry| {
            if self.warnings.len() < WARNINGS_MAX {
                let message = format!("key `{}` is written twice in one mapping; the later one counts", short(&entry.key));
                self.warnings.push(Diagnostic::malformed(message, entry.key_span));
            }
        };
        if entries.len() <= FEW {
            for (at, entry) in entries.iter().enumerate() {
                if entries.iter().take(at).any(|e| e.key == entry.key) {
                    repeat(entry);
                }
            }
        } else {
            let mut order: Vec<&Entry> = entries.iter().collect();
            order.sort_by(|a, b| a.key.cmp(&b.key));
            for pair in order.windows(2) {
                if let [a, b] = pair
                    && a.key == b.key
                {
                    repeat(b);
                }
            }
        }
    }
}

/// Text of the user's for a message.
pub(crate) fn short(text: &str) -> String {
    text.chars().take(80).collect()
}
