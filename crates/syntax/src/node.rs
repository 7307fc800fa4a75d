//! The tree.

use model::{Span, Text};

use crate::Diagnostic;

/// A parsed text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The outermost value. An empty YAML document is a null.
    pub root: Node,
    /// What a reader should know although the text could be read: a key that is written twice.
    pub warnings: Vec<Diagnostic>,
    /// Where a second YAML document starts, if there is one; it is not read.
    pub more: Option<Span>,
}

/// One value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// From the first character (of the first key, in a YAML mapping) to behind the last.
    pub span: Span,
    /// A YAML tag as written: `!Ref`, `!Sub`; standard tags (`!!str`) are applied and not kept.
    pub tag: Option<Text>,
    /// The value.
    pub kind: Kind,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Text, a number, a truth value or null.
    Scalar(Scalar),
    /// A list.
    Seq(Box<[Node]>),
    /// A mapping, in the order of the text. Of two entries with the same key the later one counts.
    Map(Box<[Entry]>),
}

/// Text, a number, a truth value or null.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar {
    /// What was written, without quotes and with escapes resolved.
    pub text: Text,
    /// What it means.
    pub typed: Typed,
}

/// What a scalar means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`; in YAML also `yes`, `no`, `on`, `off`, as YAML 1.1 says.
    Bool(bool),
    /// A number, whole or not. In YAML only one that is written the way a program would print it: `010`, `1_000`, `0x1F` and
    /// `1.10` are text.
    Number,
    /// Text.
    Str,
}

/// One entry of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key as written.
    pub key: Text,
    /// Where the key stands.
    pub key_span: Span,
    /// The value.
    pub node: Node,
}

impl Entry {
    /// From the key to the end of the value.
    pub fn span(&self) -> Span {
        Span { line: self.key_span.line, column: self.key_span.column, ..self.node.span }
    }
}

impl Node {
    /// The scalar's text, whatever it means.
    pub fn text(&self) -> Option<&Text> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The scalar, if it is one.
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text, if it means text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(Scalar { text, typed: Typed::Str }) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.kind {
            Kind::Scalar(Scalar { typed: Typed::Bool(b), .. }) => Some(*b),
            _ => None,
        }
    }

    /// The whole number, if it is one that fits 64 bits.
    pub fn as_i64(&self) -> Option<i64> {
        match &self.kind {
            Kind::Scalar(Scalar { text, typed: Typed::Number }) => text.parse().ok(),
            _ => None,
        }
    }

    /// The number, if it is one that is finite in 64 bits.
    pub fn as_f64(&self) -> Option<f64> {
        match &self.kind {
            Kind::Scalar(Scalar { text, typed: Typed::Number }) => text.parse().ok().filter(|d: &f64| d.is_finite()),
            _ => None,
        }
    }

    /// True for null.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(Scalar { typed: Typed::Null, .. }))
    }

    /// The items, if it is a list.
    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.kind {
            Kind::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entry `key` that counts; `None` if there is none or this is no mapping.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_map()?.iter().rev().find(|e| &*e.key == key)
    }

    /// The value of `key`; `None` if there is none or this is no mapping.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.node)
    }

    /// What it is, to stand in a message: `a list`.
    pub fn words(&self) -> &'static str {
        match &self.kind {
            Kind::Seq(_) => "a list",
            Kind::Map(_) => "a mapping",
            Kind::Scalar(scalar) => match scalar.typed {
                Typed::Null => "null",
                Typed::Bool(_) => "a truth value",
                Typed::Number => "a number",
                Typed::Str => "text",
            },
        }
    }
}
