//! Functions that name something: `Ref`, `Fn::GetAtt`, `Fn::FindInMap`, `Fn::ImportValue`, and parameters.

use model::{Map, Reason, Span, Text, Unknown, Value};
use syntax::{Kind, Node};

use super::evaluate::{Evaluator, Place, agree, number};
use super::function::Arg;
use super::template::Declared;
use super::text::shown;
use super::transform::SERVERLESS;
use super::world::Choice;

impl<'t> Evaluator<'t, '_> {
    /// `Ref`; `None` for `AWS::NoValue`.
    pub(crate) fn reference(&self, arg: Arg<'t>) -> Option<Value> {
        match arg.text() {
            Some(name) => self.named(&self.name(name), arg.node.span),
            None => match self.arg(arg) {
                Some(Value::Str(name)) => self.named(&name, arg.node.span),
                Some(Value::Unknown(why)) => Some(Value::Unknown(why)),
                _ => Some(self.malformed("`Ref`", "takes the name of a parameter or resource", arg.node.span)),
            },
        }
    }

    /// What `Ref` gives for a name.
    pub(crate) fn named(&self, name: &Text, span: Span) -> Option<Value> {
        if let Some(value) = self.values.get(&**name) {
            return Some(value.clone());
        }
        if self.template.resource_names.contains_key(name) {
            return Some(self.link(name, ""));
        }
        if let Some((_, value)) = self.locals.borrow().iter().rev().find(|(variable, _)| variable == name) {
            return Some(Value::Str(value.clone()));
        }
        match &**name {
            "AWS::NoValue" => None,
            pseudo if pseudo.starts_with("AWS::") => Some(self.pseudo(pseudo)),
            _ => Some(self.dangling(name, "", span)),
        }
    }

    fn pseudo(&self, name: &str) -> Value {
        match self.choices.get(name) {
            Some(Choice::One(text)) => Value::Str(text.clone()),
            _ => self.session.parameters.pseudo(name).unwrap_or_else(|| Value::unknown_present(Reason::NoDefaultParameter, name)),
        }
    }

    /// A name that is neither a parameter nor a resource: a macro may still make it.
    fn dangling(&self, name: &Text, attr: &str, span: Span) -> Value {
        let mut macros = self.template.transforms.iter().filter(|(t, _)| &**t != "AWS::LanguageExtensions").peekable();
        if macros.peek().is_some() {
            if macros.all(|(t, _)| &**t == SERVERLESS) {
                self.awaited.borrow_mut().push((name.clone(), Text::from(attr), span));
            }
            return self.link(name, attr);
        }
        self.malformed(&format!("reference to `{name}`"), "there is no such parameter or resource", span)
    }

    fn link(&self, name: &str, attr: &str) -> Value {
        if self.prefix.is_empty() { Value::link(name, attr) } else { Value::link(format!("{}{name}", self.prefix), attr) }
    }

    /// `Fn::GetAtt`, as `A.B` or `[A, B]`.
    pub(crate) fn attribute(&self, arg: Arg<'t>) -> Value {
        let wrong = || self.malformed("`Fn::GetAtt`", "takes a resource's name and an attribute", arg.node.span);
        if let Some(text) = arg.text() {
            return match self.name(text).split_once('.') {
                Some((name, attr)) => self.attribute_of(&Text::from(name), attr, arg.node.span),
                None => wrong(),
            };
        }
        let Some([name, attr]) = arg.list() else { return wrong() };
        match (self.quiet(name), self.quiet(attr)) {
            (Some(Value::Str(name)), Some(Value::Str(attr))) => self.attribute_of(&name, &attr, arg.node.span),
            (Some(Value::Unknown(why)), _) | (_, Some(Value::Unknown(why))) => Value::Unknown(why),
            _ => wrong(),
        }
    }

    /// An attribute of a resource; what a nested stack puts out, if the stack could be read.
    pub(crate) fn attribute_of(&self, name: &Text, attr: &str, span: Span) -> Value {
        let Some(at) = self.template.resource_names.get(name) else { return self.dangling(name, attr, span) };
        if let Some(output) = attr.strip_prefix("Outputs.")
            && let Some(named) = self.template.resources.get(*at)
            && let Some(stack) = self.stack(named)
        {
            return match stack.outputs.get(output) {
                Some(value) => value.clone(),
                None => self.malformed(&format!("`{name}.{attr}`"), "the nested stack puts out no such value", span),
            };
        }
        self.link(name, attr)
    }

    /// `Fn::FindInMap`. With an unknown key, what all keys agree on.
    pub(crate) fn find_in_map(&self, arg: Arg<'t>) -> Value {
        let wrong = |detail: &str| self.malformed("`Fn::FindInMap`", detail, arg.node.span);
        let (map, first, second, default) = match arg.list() {
            Some([map, first, second]) => (map, first, second, None),
            Some([map, first, second, options]) => (map, first, second, options.get("DefaultValue")),
            _ => return wrong("takes a mapping's name and two keys"),
        };
        let map = match self.quiet(map) {
            Some(Value::Str(name)) => match self.template.mappings.get(&*name) {
                Some(map) => *map,
                None => return wrong(&format!("there is no mapping `{name}`")),
            },
            Some(Value::Unknown(why)) => return Value::Unknown(why),
            _ => return wrong("takes a mapping's name and two keys"),
        };
        let mut found = Found { values: Vec::new(), missing: false, why: None };
        let (first, second) = (self.keys(first), self.keys(second));
        found.why = first.why.clone().or(second.why.clone());
        for inner in matching(map, &first) {
            match inner {
                Some(inner) => {
                    for node in matching(inner, &second) {
                        self.found(node, &mut found);
                    }
                }
                None => found.missing = true,
            }
        }
        if found.missing
            && let Some(default) = default
        {
            found.values.extend(self.quiet(default));
        }
        let mut values = found.values.into_iter();
        match (values.next(), found.why) {
            (Some(value), None) => value,
            (Some(value), Some(why)) => values.try_fold(value, |all, v| agree(Some(all), Some(v), &why)).unwrap_or_default(),
            (None, Some(why)) => Value::Unknown(Box::new(why)),
            // In a world whose Region or stage the mapping does not know, the template cannot be deployed.
            (None, None) if !self.choices.is_empty() => Value::unknown(Reason::Malformed, "Fn::FindInMap"),
            (None, None) => wrong("the mapping has no such keys"),
        }
    }

    fn found(&self, node: Option<&'t Node>, found: &mut Found) {
        match node {
            Some(node) => found.values.extend(self.quiet(node)),
            None => found.missing = true,
        }
    }

    /// The keys that a node may stand for.
    fn keys(&self, node: &'t Node) -> Keys {
        match self.quiet(node) {
            Some(Value::Unknown(why)) => {
                let name = super::function::application(node).and_then(|(_, arg)| arg.text());
                let some = match name.and_then(|n| self.choices.get(&**n)) {
                    Some(Choice::Some(texts)) => Some(texts.clone()),
                    _ => name
                        .and_then(|n| self.template.parameters.get(&**n))
                        .filter(|d| !d.allowed.is_empty())
                        .map(|d| d.allowed.clone()),
                };
                Keys { some, why: Some(*why) }
            }
            Some(value) => match shown(&value) {
                Some(text) => Keys { some: Some(vec![text]), why: None },
                None => Keys { some: None, why: super::condition::undecided(&value) },
            },
            None => Keys { some: Some(Vec::new()), why: None },
        }
    }

    /// `Fn::ImportValue`.
    pub(crate) fn import(&self, arg: Arg<'t>) -> Value {
        let name = self.arg(arg).map_or_else(String::new, |v| match shown(&v) {
            Some(text) => text.to_string(),
            None => model::to_json(&v).as_str().unwrap_or("an export").to_owned(),
        });
        Value::unknown_present(Reason::ImportValue, name)
    }

    /// `Fn::GetStackOutput`: an output of a stack of another Region or account.
    pub(crate) fn stack_output(&self, arg: Arg<'t>) -> Value {
        let name = |key: &str| arg.node.get(key).and_then(|n| self.quiet(n)).and_then(|v| shown(&v));
        match (name("StackName"), name("OutputName")) {
            (Some(stack), Some(output)) => Value::unknown_present(Reason::ImportValue, format!("{stack}.{output}")),
            _ => Value::unknown_present(Reason::ImportValue, "an output of another stack"),
        }
    }

    /// What `Ref` gives for a declared parameter.
    pub(crate) fn parameter(&self, name: &'t str, declared: &Declared<'t>, passed: Option<&Map>) -> Value {
        let given = match passed {
            Some(map) => map.get(name).cloned(),
            None => self.session.parameters.get(name).map(Value::text),
        };
        let value = match (given, self.choices.get(name)) {
            (Some(value), _) => value,
            (None, Some(Choice::One(text))) => Value::Str(text.clone()),
            (None, Some(_)) => Value::unknown_present(Reason::NoDefaultParameter, name),
            (None, None) => match declared.default.map(|n| &n.kind) {
                Some(Kind::Scalar(scalar)) => Value::Str(scalar.text.clone()),
                Some(_) => declared.default.and_then(|n| self.value(n, Place::nowhere())).unwrap_or_default(),
                None => Value::unknown_present(Reason::NoDefaultParameter, name),
            },
        };
        typed(value, declared.kind)
    }
}

struct Found {
    values: Vec<Value>,
    missing: bool,
    why: Option<Unknown>,
}

/// The keys of a mapping that may be meant; without `some`, all.
struct Keys {
    some: Option<Vec<Text>>,
    why: Option<Unknown>,
}

fn matching<'n>(map: &'n Node, keys: &Keys) -> Vec<Option<&'n Node>> {
    match &keys.some {
        Some(keys) => keys.iter().map(|key| map.get(key)).collect(),
        None => map.as_map().unwrap_or_default().iter().map(|e| Some(&e.node)).collect(),
    }
}

/// A parameter's text as its type has it.
fn typed(value: Value, kind: &str) -> Value {
    let Value::Str(text) = value else { return value };
    if kind.starts_with("AWS::SSM::Parameter::Value") {
        return Value::unknown_present(Reason::DynamicReference, format!("ssm parameter `{text}`"));
    }
    if kind == "CommaDelimitedList" || kind.starts_with("List<") {
        let numbers = kind == "List<Number>";
        let item = |s: &str| if numbers { number(&Text::from(s.trim())) } else { Value::text(s.trim()) };
        return Value::List(if text.is_empty() { Vec::new() } else { text.split(',').map(item).collect() });
    }
    match kind {
        "Number" => number(&text),
        _ if text.contains("{{resolve:") => super::text::dynamic(&text),
        _ => Value::Str(text),
    }
}
