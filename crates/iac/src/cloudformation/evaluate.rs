//! Nodes to values, in one world.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use model::{Gap, GapReason, Map, Path, Reason, Span, SpanTable, Text, Unknown, Value};
use syntax::{Entry, Kind, Node, Scalar, Typed};

use super::condition::Answer;
use super::function::{Arg, Function, application, long_form};
use super::nested::Stack;
use super::session::Session;
use super::template::{Locals, Template, inner_collection, inner_loop, substitute};
use super::world::{Choice, World};

/// Evaluates the nodes of one template in one world.
pub(crate) struct Evaluator<'t, 's> {
    pub(crate) session: &'s Session<'s>,
    pub(crate) template: &'t Template<'t>,
    /// What `Ref` gives for each declared parameter.
    pub(crate) values: BTreeMap<&'t str, Value>,
    pub(crate) choices: BTreeMap<&'t str, Choice>,
    pub(crate) conditions: RefCell<BTreeMap<Text, Option<Answer>>>,
    pub(crate) nested: RefCell<BTreeMap<Text, Option<Rc<Stack>>>>,
    pub(crate) locals: RefCell<Locals>,
    /// References to what only SAM's expansion may make: name, attribute, place.
    pub(crate) awaited: RefCell<Vec<(Text, Text, Span)>>,
    /// Before the id of every resource: empty, or `Nested/`.
    pub(crate) prefix: &'s str,
}

/// Where values are told to be written; nowhere, for the insides of functions.
pub(crate) struct Place<'a> {
    table: Option<&'a mut SpanTable>,
    path: Path,
}

impl<'a> Place<'a> {
    pub(crate) fn new(table: &'a mut SpanTable) -> Place<'a> {
        Place { table: Some(table), path: Path::ROOT }
    }

    pub(crate) fn nowhere() -> Place<'static> {
        Place { table: None, path: Path::ROOT }
    }

    fn key(&mut self, key: &str) -> Place<'_> {
        let path = if self.table.is_some() { self.path.key(key) } else { Path::ROOT };
        Place { table: self.table.as_deref_mut(), path }
    }

    fn item(&mut self, index: usize) -> Place<'_> {
        let path = if self.table.is_some() { self.path.item(index) } else { Path::ROOT };
        Place { table: self.table.as_deref_mut(), path }
    }

    /// Says that the member or item at `path` was written at `span`; only once it is known to be there.
    fn wrote(&mut self, path: Path, span: Span) {
        if let Some(table) = &mut self.table {
            table.insert(path, span);
        }
    }
}

impl<'t, 's> Evaluator<'t, 's> {
    /// `given` are the values a parent stack passes.
    pub(crate) fn new(
        session: &'s Session<'s>,
        template: &'t Template<'t>,
        world: &World<'t>,
        given: Option<&Map>,
        prefix: &'s str,
    ) -> Evaluator<'t, 's> {
        let mut evaluator = Evaluator {
            session,
            template,
            values: BTreeMap::new(),
            choices: world.choices.clone(),
            conditions: RefCell::new(world.conditions.iter().map(|(k, a)| (k.clone(), Some(a.clone()))).collect()),
            nested: RefCell::new(BTreeMap::new()),
            locals: RefCell::new(Locals::new()),
            awaited: RefCell::new(Vec::new()),
            prefix,
        };
        for (name, declared) in &template.parameters {
            let value = evaluator.parameter(name, declared, given);
            evaluator.values.insert(name, value);
        }
        evaluator
    }

    /// The value of a node; `None` for `AWS::NoValue`.
    pub(crate) fn value(&self, node: &'t Node, place: Place<'_>) -> Option<Value> {
        if !self.session.spend(0, &self.template.file) {
            return Some(Value::unknown(Reason::Unsupported, "more values than are read"));
        }
        let Some(_level) = self.session.descend() else {
            return Some(self.malformed("template", "values are nested too deep", node.span));
        };
        match &node.tag {
            None => self.bare(node, place),
            Some(_) => match application(node) {
                Some((function, arg)) => self.call(function, arg, place),
                None => self.bare(node, place),
            },
        }
    }

    /// The value inside of a function.
    pub(crate) fn quiet(&self, node: &'t Node) -> Option<Value> {
        self.value(node, Place::nowhere())
    }

    /// The value of a function's argument.
    pub(crate) fn arg(&self, arg: Arg<'t>) -> Option<Value> {
        if arg.tagged { self.bare(arg.node, Place::nowhere()) } else { self.quiet(arg.node) }
    }

    /// The value of a node, its tag left out of account.
    fn bare(&self, node: &'t Node, place: Place<'_>) -> Option<Value> {
        match &node.kind {
            Kind::Scalar(scalar) => Some(self.scalar(scalar)),
            Kind::Seq(items) => Some(Value::List(self.list(items, place))),
            Kind::Map(entries) => match long_form(node) {
                Some((function, arg)) => self.call(function, arg, place),
                None => Some(Value::Map(self.map(entries, place))),
            },
        }
    }

    fn scalar(&self, scalar: &Scalar) -> Value {
        match scalar.typed {
            Typed::Null => Value::Null,
            Typed::Bool(b) => Value::Bool(b),
            Typed::Number => number(&scalar.text),
            Typed::Str => {
                let text = substitute(&scalar.text, &self.locals.borrow()).unwrap_or_else(|| scalar.text.clone());
                if text.contains("{{resolve:") { super::text::dynamic(&text) } else { Value::Str(text) }
            }
        }
    }

    fn list(&self, items: &'t [Node], mut place: Place<'_>) -> Vec<Value> {
        let mut out = Vec::with_capacity(items.len());
        for node in items {
            let at = place.item(out.len());
            let path = at.path;
            if let Some(value) = self.value(node, at) {
                place.wrote(path, node.span);
                out.push(value);
            }
        }
        out
    }

    /// The members of a mapping.
    pub(crate) fn map(&self, entries: &'t [Entry], mut place: Place<'_>) -> Map {
        let mut out = Vec::with_capacity(entries.len());
        for entry in entries {
            if entry.key.starts_with("Fn::") {
                self.loop_or_gap(entry, &mut place, &mut out);
                continue;
            }
            let key = substitute(&entry.key, &self.locals.borrow()).unwrap_or_else(|| entry.key.clone());
            let at = place.key(&key);
            let path = at.path;
            if let Some(value) = self.value(&entry.node, at) {
                place.wrote(path, entry.span());
                out.push((key, value));
            }
        }
        out.into_iter().collect()
    }

    /// A function's name as one of several keys: a loop, or something that adds what we cannot see.
    fn loop_or_gap(&self, entry: &'t Entry, place: &mut Place<'_>, out: &mut Vec<(Text, Value)>) {
        let outer = self.locals.borrow().clone();
        if entry.key.starts_with("Fn::ForEach::")
            && let Some(items) = self.loop_items(entry)
            && let Some(unrolled) = inner_loop(entry, &items, &outer)
        {
            for (key, inner, locals) in unrolled {
                self.locals.replace(locals);
                if key.starts_with("Fn::ForEach::") {
                    self.loop_or_gap(inner, place, out);
                    continue;
                }
                let at = place.key(&key);
                let path = at.path;
                if let Some(value) = self.value(&inner.node, at) {
                    place.wrote(path, inner.node.span);
                    out.push((key, value));
                }
            }
            self.locals.replace(outer);
            return;
        }
        if entry.key.as_ref() == "Fn::Transform"
            && let Some(Value::Map(included)) = self.included(&entry.node)
        {
            out.extend(included);
            return;
        }
        let what = format!("`{}`", entry.key);
        let detail = "what it adds to this mapping is not known";
        self.session.gap(Gap::new(&what, GapReason::Unsupported, detail).in_file(self.template.file.clone(), Some(entry.span())));
        out.push((entry.key.clone(), Value::unknown(Reason::Unsupported, &*entry.key)));
    }

    /// The items of a loop inside of a resource, if all are known.
    fn loop_items(&self, entry: &'t Entry) -> Option<Vec<Text>> {
        match self.quiet(inner_collection(entry)?)? {
            Value::List(items) => items.iter().map(super::text::shown).collect(),
            _ => None,
        }
    }

    fn call(&self, function: Function, arg: Arg<'t>, place: Place<'_>) -> Option<Value> {
        let value = match function {
            Function::Ref => return self.reference(arg),
            Function::If => return self.choose(arg, place),
            Function::GetAtt => self.attribute(arg),
            Function::Sub => self.sub(arg),
            Function::Join => self.join(arg),
            Function::Select => return self.select(arg),
            Function::Split => self.split(arg),
            Function::FindInMap => self.find_in_map(arg),
            Function::ImportValue => self.import(arg),
            Function::GetStackOutput => self.stack_output(arg),
            Function::Cidr => self.cidr(arg),
            Function::Base64 => self.base64(arg),
            Function::GetAzs => Value::unknown_present(Reason::DynamicReference, "Fn::GetAZs"),
            Function::ToJsonString => self.json_text(arg),
            Function::Length => self.length(arg),
            Function::Equals | Function::And | Function::Or | Function::Not | Function::Condition => {
                match self.truth_of(function, arg) {
                    Answer::True => Value::Bool(true),
                    Answer::False => Value::Bool(false),
                    Answer::Unknown(why) => Value::Unknown(why),
                }
            }
            Function::Transform | Function::Other => self.foreign(function, arg),
        };
        Some(value)
    }

    /// `Fn::If`. With an unknown condition, what both branches agree on.
    fn choose(&self, arg: Arg<'t>, mut place: Place<'_>) -> Option<Value> {
        let Some([condition, yes, no]) = arg.list() else {
            return Some(self.malformed("`Fn::If`", "takes a condition and two values", arg.node.span));
        };
        let answer = match condition.text() {
            Some(name) if condition.tag.is_none() => self.condition(name, condition.span),
            _ => self.truth(condition),
        };
        match answer {
            Answer::True => self.value(yes, Place { table: place.table.take(), path: place.path }),
            Answer::False => self.value(no, Place { table: place.table.take(), path: place.path }),
            Answer::Unknown(why) => {
                let (yes, no) = (self.quiet(yes), self.quiet(no));
                agree(yes, no, &why)
            }
        }
    }

    /// What `AWS::Include` puts in the place of an `Fn::Transform`, if the file lies beside the template.
    fn included(&self, node: &'t Node) -> Option<Value> {
        if node.get("Name").and_then(Node::as_str) != Some("AWS::Include") {
            return None;
        }
        let Value::Str(place) = self.quiet(node.get("Parameters")?.get("Location")?)? else { return None };
        let _level = self.session.descend()?;
        let loaded = (self.session.load)(&self.template.file, &place).filter(|_| self.session.nest())?;
        match super::parse_text(&loaded.text, &self.session.limits.text) {
            Ok(document) => {
                let evaluator: &Evaluator<'_, '_> = self;
                evaluator.quiet(&document.root)
            }
            Err(diagnostic) => {
                self.session.gap(crate::gap_of(&diagnostic, "included file", &loaded.file));
                Some(Value::unknown(Reason::Malformed, "AWS::Include"))
            }
        }
    }

    fn foreign(&self, function: Function, arg: Arg<'t>) -> Value {
        if let (Function::Transform, Some(value)) = (function, self.included(arg.node)) {
            return value;
        }
        let what = match function {
            Function::Transform => {
                let name = arg.node.get("Name").and_then(Node::text).map_or("a macro", |t| t);
                format!("`Fn::Transform` of `{name}`")
            }
            _ => match &arg.node.tag {
                Some(tag) if arg.tagged => format!("tag `{tag}`"),
                _ => "unknown function".to_owned(),
            },
        };
        let gap = Gap::new(&what, GapReason::Unsupported, "what it gives is not known before deploy");
        self.session.gap(gap.in_file(self.template.file.clone(), Some(arg.node.span)));
        Value::unknown(Reason::Unsupported, what)
    }

    pub(crate) fn malformed(&self, what: &str, detail: impl Into<String>, span: Span) -> Value {
        self.session.malformed(what, detail, &self.template.file, span)
    }

    /// The text of a scalar that is written out, loop variables replaced.
    pub(crate) fn written(&self, node: &Node) -> Option<Text> {
        node.text().filter(|_| node.tag.is_none()).map(|text| self.name(text))
    }

    /// A name inside of the template, loop variables replaced.
    pub(crate) fn name(&self, text: &Text) -> Text {
        substitute(text, &self.locals.borrow()).unwrap_or_else(|| text.clone())
    }
}

/// A number; its text, where 64 bits would not keep it.
pub(crate) fn number(text: &Text) -> Value {
    if let Ok(whole) = text.parse() {
        return Value::Int(whole);
    }
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return Value::Str(text.clone());
    }
    match text.parse::<f64>() {
        Ok(d) if d.is_finite() => Value::Dec(d),
        _ => Value::Str(text.clone()),
    }
}

/// What holds whichever of two values it is; unknown, because of `why`, where they differ.
pub(crate) fn agree(a: Option<Value>, b: Option<Value>, why: &Unknown) -> Option<Value> {
    let unknown = |present: bool| Value::Unknown(Box::new(Unknown { present, ..why.clone() }));
    match (a, b) {
        (None, None) => None,
        (None, Some(_)) | (Some(_), None) => Some(unknown(false)),
        (Some(a), Some(b)) if a == b => Some(a),
        (Some(Value::Map(a)), Some(Value::Map(mut b))) => {
            let mut out = Vec::with_capacity(a.len() + b.len());
            for (key, value) in a {
                let other = b.remove(&key);
                out.extend(agree(Some(value), other, why).map(|v| (key, v)));
            }
            out.extend(b.into_iter().map(|(key, _)| (key, unknown(false))));
            Some(Value::Map(out.into_iter().collect()))
        }
        (Some(Value::List(a)), Some(Value::List(b))) if a.len() == b.len() => {
            Some(Value::List(a.into_iter().zip(b).filter_map(|(a, b)| agree(Some(a), Some(b), why)).collect()))
        }
        (Some(a), Some(b)) => Some(unknown(is_set(&a) && is_set(&b))),
    }
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Unknown(unknown) => unknown.present,
        _ => true,
    }
}
