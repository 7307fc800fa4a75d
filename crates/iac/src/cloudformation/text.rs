//! Functions over text and lists. Text of which pieces are not known keeps the pieces that are.

use base64::Engine;
use model::{Reason, Text, Value};
use syntax::{Kind, Node};

use super::condition::undecided;
use super::evaluate::Evaluator;
use super::function::{Arg, long_form};

/// Text put together from values.
#[derive(Default)]
pub(crate) struct Pieces {
    done: Vec<Value>,
    text: String,
}

impl Pieces {
    pub(crate) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a value as CloudFormation prints it. False for what cannot be printed.
    pub(crate) fn push(&mut self, value: Value) -> bool {
        match value {
            Value::Null => {}
            Value::Str(text) => self.text.push_str(&text),
            Value::Bool(_) | Value::Int(_) | Value::Dec(_) => self.text.push_str(&shown(&value).unwrap_or_default()),
            Value::Mixed(pieces) => {
                for piece in pieces {
                    self.push(piece);
                }
            }
            Value::Link(_) | Value::Unknown(_) => {
                self.flush();
                self.done.push(value);
            }
            Value::List(_) | Value::Map(_) => return false,
        }
        true
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.done.push(Value::Str(Text::from(std::mem::take(&mut self.text))));
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// The text; a single piece stands for itself.
    pub(crate) fn finish(mut self) -> Value {
        if self.done.is_empty() {
            return Value::Str(Text::from(self.text));
        }
        self.flush();
        match self.done.len() {
            1 => self.done.pop().unwrap_or_default(),
            _ => Value::Mixed(self.done),
        }
    }
}

/// A scalar's text.
pub(crate) fn shown(value: &Value) -> Option<Text> {
    match value {
        Value::Str(text) => Some(text.clone()),
        Value::Bool(b) => Some(b.to_string().into()),
        Value::Int(n) => Some(n.to_string().into()),
        Value::Dec(d) => Some(d.to_string().into()),
        _ => None,
    }
}

/// Text with `{{resolve:...}}` in it, which only the deploying service can look up.
pub(crate) fn dynamic(text: &str) -> Value {
    let mut pieces = Pieces::default();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{resolve:") {
        let Some((reference, behind)) = after.split_once("}}") else { break };
        pieces.push_str(before);
        pieces.push(Value::unknown_present(Reason::DynamicReference, reference));
        rest = behind;
    }
    pieces.push_str(rest);
    pieces.finish()
}

/// Not known, because of what is not known in `value`.
fn unknown_as(value: &Value, what: &str) -> Value {
    match undecided(value) {
        Some(why) => Value::Unknown(Box::new(model::Unknown { present: true, ..why })),
        None => Value::unknown_present(Reason::Unsupported, what),
    }
}

impl<'t> Evaluator<'t, '_> {
    /// `Fn::Sub`, as text or as `[text, variables]`.
    pub(crate) fn sub(&self, arg: Arg<'t>) -> Value {
        let wrong = || self.malformed("`Fn::Sub`", "takes text, and a mapping of variables", arg.node.span);
        let (node, variables): (&'t Node, Option<&'t Node>) = match arg.list() {
            Some([text]) => (text, None),
            Some([text, variables]) => (text, Some(variables)),
            Some(_) => return wrong(),
            None => (arg.node, None),
        };
        let Some(text) = node.text().filter(|_| arg.tagged || node.tag.is_none()) else {
            let value = if std::ptr::eq(node, arg.node) { self.arg(arg) } else { self.quiet(node) };
            return value.filter(|v| undecided(v).is_some()).unwrap_or_else(wrong);
        };
        if !text.contains("${") && !text.contains("{{resolve:") {
            return Value::Str(self.name(text));
        }
        let text = self.name(text);
        let mut pieces = Pieces::default();
        let mut rest = &*text;
        while let Some((before, after)) = rest.split_once("${") {
            pieces.push_str(before);
            let Some((hole, behind)) = after.split_once('}') else {
                pieces.push_str("${");
                rest = after;
                continue;
            };
            rest = behind;
            if let Some(literal) = hole.strip_prefix('!') {
                pieces.push_str("${");
                pieces.push_str(literal);
                pieces.push_str("}");
                continue;
            }
            let before = pieces.len();
            let value = self.hole(hole.trim(), variables, node);
            if !value.is_none_or(|v| pieces.push(v)) {
                pieces.push(self.malformed("`Fn::Sub`", format!("`{hole}` is not text"), node.span));
            }
            if !self.session.spend(pieces.len().saturating_sub(before), &self.template.file) {
                return Value::unknown_present(Reason::Unsupported, "more values than are read");
            }
        }
        pieces.push_str(rest);
        match pieces.finish() {
            Value::Str(text) if text.contains("{{resolve:") => dynamic(&text),
            value => value,
        }
    }

    fn hole(&self, name: &str, variables: Option<&'t Node>, at: &Node) -> Option<Value> {
        if let Some(node) = variables.and_then(|v| v.get(name)) {
            return self.quiet(node);
        }
        match name.split_once('.') {
            Some((resource, attr)) if !self.values.contains_key(name) => {
                Some(self.attribute_of(&Text::from(resource), attr, at.span))
            }
            _ => self.named(&Text::from(name), at.span),
        }
    }

    /// `Fn::Join`.
    pub(crate) fn join(&self, arg: Arg<'t>) -> Value {
        let Some([delimiter, items]) = arg.list() else {
            return self.malformed("`Fn::Join`", "takes a delimiter and a list", arg.node.span);
        };
        let Some(Value::Str(delimiter)) = self.quiet(delimiter) else {
            return self.malformed("`Fn::Join`", "the delimiter must be text", arg.node.span);
        };
        let items = match self.quiet(items) {
            Some(Value::List(items)) => items,
            Some(other) if undecided(&other).is_some() => return unknown_as(&other, "Fn::Join"),
            Some(other) => vec![other],
            None => Vec::new(),
        };
        let mut pieces = Pieces::default();
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                pieces.push_str(&delimiter);
            }
            if !pieces.push(item) {
                pieces.push(self.malformed("`Fn::Join`", "an item is not text", arg.node.span));
            }
            if !self.session.spend(delimiter.len(), &self.template.file) {
                return Value::unknown_present(Reason::Unsupported, "more values than are read");
            }
        }
        self.session.spend(pieces.len(), &self.template.file);
        match pieces.finish() {
            Value::Str(text) if text.contains("{{resolve:") => dynamic(&text),
            value => value,
        }
    }

    /// `Fn::Select`; `None` if the item is `AWS::NoValue`.
    pub(crate) fn select(&self, arg: Arg<'t>) -> Option<Value> {
        let wrong = |detail: &str| Some(self.malformed("`Fn::Select`", detail, arg.node.span));
        let Some([index, items]) = arg.list() else { return wrong("takes an index and a list") };
        let index = match self.quiet(index)? {
            value if undecided(&value).is_some() => return Some(unknown_as(&value, "Fn::Select")),
            value => match value.as_int().and_then(|n| usize::try_from(n).ok()) {
                Some(index) => index,
                None => return wrong("the index must be a whole number"),
            },
        };
        match self.quiet(items) {
            Some(Value::List(items)) => {
                let vanishing = items.iter().take(index + 1).find(|v| matches!(v, Value::Unknown(why) if !why.present));
                match (vanishing, items.get(index)) {
                    (Some(unknown), _) => Some(unknown_as(unknown, "Fn::Select")),
                    (None, Some(item)) => Some(item.clone()),
                    (None, None) => wrong("the list has no such item"),
                }
            }
            Some(other) if undecided(&other).is_some() => Some(unknown_as(&other, "Fn::Select")),
            _ => wrong("takes an index and a list"),
        }
    }

    /// `Fn::Split`.
    pub(crate) fn split(&self, arg: Arg<'t>) -> Value {
        let wrong = || self.malformed("`Fn::Split`", "takes a delimiter and text", arg.node.span);
        let Some([delimiter, text]) = arg.list() else { return wrong() };
        match (self.quiet(delimiter), self.quiet(text)) {
            (Some(Value::Str(delimiter)), Some(Value::Str(text))) if !delimiter.is_empty() => {
                self.session.spend(text.len(), &self.template.file);
                Value::List(text.split(&*delimiter).map(Value::text).collect())
            }
            (Some(Value::Str(_)), Some(other)) if undecided(&other).is_some() => unknown_as(&other, "Fn::Split"),
            // A parameter that is a number is text as well.
            (Some(Value::Str(delimiter)), Some(other)) if !delimiter.is_empty() => match shown(&other) {
                Some(text) => Value::List(text.split(&*delimiter).map(Value::text).collect()),
                None => wrong(),
            },
            _ => wrong(),
        }
    }

    /// `Fn::Base64`. Text of which pieces are unknown stays as it is, in pieces: its known parts can still be read.
    pub(crate) fn base64(&self, arg: Arg<'t>) -> Value {
        match self.arg(arg) {
            Some(Value::Str(text)) => {
                self.session.spend(text.len(), &self.template.file);
                Value::from(base64::engine::general_purpose::STANDARD.encode(&*text))
            }
            Some(value @ (Value::Mixed(_) | Value::Unknown(_))) => value,
            Some(value) if undecided(&value).is_some() => unknown_as(&value, "Fn::Base64"),
            Some(value) => match shown(&value) {
                Some(text) => Value::from(base64::engine::general_purpose::STANDARD.encode(&*text)),
                None => self.malformed("`Fn::Base64`", "takes text", arg.node.span),
            },
            None => self.malformed("`Fn::Base64`", "takes text", arg.node.span),
        }
    }

    /// `Fn::Length`.
    pub(crate) fn length(&self, arg: Arg<'t>) -> Value {
        match self.arg(arg) {
            Some(Value::List(items)) => match items.iter().find(|v| matches!(v, Value::Unknown(why) if !why.present)) {
                Some(unknown) => unknown_as(unknown, "Fn::Length"),
                None => Value::Int(items.len() as i64),
            },
            Some(other) if undecided(&other).is_some() => unknown_as(&other, "Fn::Length"),
            _ => self.malformed("`Fn::Length`", "takes a list", arg.node.span),
        }
    }

    /// `Fn::ToJsonString`: members in the order of the template.
    pub(crate) fn json_text(&self, arg: Arg<'t>) -> Value {
        let mut pieces = Pieces::default();
        self.json_node(arg.node, arg.tagged, &mut pieces);
        self.session.spend(pieces.len(), &self.template.file);
        pieces.finish()
    }

    fn json_node(&self, node: &'t Node, tagged: bool, out: &mut Pieces) {
        let written = (tagged || node.tag.is_none()) && long_form(node).is_none();
        match &node.kind {
            Kind::Map(entries) if written && !entries.iter().any(|e| e.key.starts_with("Fn::")) => {
                out.push_str("{");
                for (at, entry) in entries.iter().enumerate() {
                    if at > 0 {
                        out.push_str(",");
                    }
                    out.push_str(&serde_json::Value::from(&*self.name(&entry.key)).to_string());
                    out.push_str(":");
                    self.json_node(&entry.node, false, out);
                }
                out.push_str("}");
            }
            Kind::Seq(items) if written => {
                out.push_str("[");
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push_str(",");
                    }
                    self.json_node(item, false, out);
                }
                out.push_str("]");
            }
            _ => {
                let value = self.arg(Arg { node, tagged });
                write_json(&value.unwrap_or_default(), out);
            }
        }
    }

    /// `Fn::Cidr`. Source: the function's page; the size of a block is `32 - bits` (IPv4) or `128 - bits` (IPv6).
    pub(crate) fn cidr(&self, arg: Arg<'t>) -> Value {
        let wrong = |detail: &str| self.malformed("`Fn::Cidr`", detail, arg.node.span);
        let (block, count, bits) = match arg.list() {
            Some([block, count]) => (block, count, None),
            Some([block, count, bits]) => (block, count, Some(bits)),
            _ => return wrong("takes a block, a count and the bits of an address"),
        };
        let number = |node: &'t Node| self.quiet(node).and_then(|v| v.as_int());
        let (Some(count), Some(bits)) = (number(count), bits.map_or(Some(8), number)) else {
            return Value::unknown_present(Reason::Unsupported, "Fn::Cidr");
        };
        if !(1..=256).contains(&count) {
            return wrong("the count must be between 1 and 256");
        }
        match self.quiet(block) {
            Some(Value::Str(block)) => match blocks(&block, count as usize, bits) {
                Some(blocks) => Value::List(blocks),
                None => wrong("the blocks do not fit"),
            },
            Some(other) if undecided(&other).is_some() => {
                Value::List((0..count).map(|_| unknown_as(&other, "Fn::Cidr")).collect())
            }
            _ => wrong("takes a block, a count and the bits of an address"),
        }
    }
}

/// The first `count` blocks with `bits` address bits inside of `block`.
fn blocks(block: &str, count: usize, bits: i64) -> Option<Vec<Value>> {
    let net: ipnet::IpNet = block.parse().ok()?;
    let width = i64::from(net.max_prefix_len());
    let prefix = u8::try_from(width - bits).ok()?;
    let all: Vec<Value> = net.subnets(prefix).ok()?.take(count).map(|n| Value::from(n.to_string())).collect();
    (all.len() == count).then_some(all)
}

/// JSON text without spaces, in key order, holes where a value is not known.
fn write_json(value: &Value, out: &mut Pieces) {
    match value {
        Value::List(items) => {
            out.push_str("[");
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push_str(",");
                }
                write_json(item, out);
            }
            out.push_str("]");
        }
        Value::Map(map) => {
            out.push_str("{");
            for (at, (key, item)) in map.iter().enumerate() {
                if at > 0 {
                    out.push_str(",");
                }
                out.push_str(&serde_json::Value::from(&**key).to_string());
                out.push_str(":");
                write_json(item, out);
            }
            out.push_str("}");
        }
        Value::Link(_) => {
            out.push_str("\"");
            out.push(value.clone());
            out.push_str("\"");
        }
        Value::Mixed(pieces) => {
            out.push_str("\"");
            for piece in pieces {
                match piece {
                    Value::Str(text) => {
                        let quoted = serde_json::Value::from(&**text).to_string();
                        out.push_str(quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default());
                    }
                    other => {
                        out.push(other.clone());
                    }
                }
            }
            out.push_str("\"");
        }
        Value::Unknown(_) => {
            out.push(value.clone());
        }
        plain => out.push_str(&model::to_json(plain).to_string()),
    }
}
