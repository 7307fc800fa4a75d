//! Evaluates the catalogue's expressions and mappings over answers.
//!
//! Null stays null and unknown stays unknown through every step; a text that is not what a transform needs becomes unknown,
//! never null.

mod transform;

use std::collections::BTreeMap;

use catalogue::collect::{Expr, Mapping, Member, Root, Segment};
use model::{Map, Value, from_json};

use transform::apply;
pub(crate) use transform::tags;

/// How deep values may nest before an evaluation gives up on them.
const DEPTH_MAX: usize = 100;

/// Named items and answers.
pub(crate) type Named = BTreeMap<String, Value>;

/// What an expression can look at.
#[derive(Clone)]
pub(crate) struct Scope<'a> {
    /// The item, then the elements of each `each` inside it; innermost last.
    here: Vec<&'a Value>,
    named: Option<&'a Named>,
}

impl<'a> Scope<'a> {
    /// Only this value.
    pub(crate) fn of(value: &'a Value) -> Scope<'a> {
        Scope { here: vec![value], named: None }
    }

    /// This value, and named ones.
    pub(crate) fn named(value: &'a Value, named: &'a Named) -> Scope<'a> {
        Scope { here: vec![value], named: Some(named) }
    }

    fn inside(&self, value: &'a Value) -> Scope<'a> {
        let mut inner = self.clone();
        inner.here.push(value);
        inner
    }

    fn root(&self, root: &Root) -> &'a Value {
        static NULL: Value = Value::Null;
        let found = match root {
            Root::Here => self.here.last().copied(),
            Root::Out(levels) => self.here.len().checked_sub(levels + 1).and_then(|at| self.here.get(at).copied()),
            Root::Named(name) => self.named.and_then(|n| n.get(name)),
        };
        found.unwrap_or(&NULL)
    }
}

/// The value of an expression.
pub(crate) fn eval(expr: &Expr, scope: &Scope<'_>) -> Value {
    match expr {
        Expr::Path(root, segments) => look(scope.root(root), segments),
        Expr::Text(text) => Value::text(text),
        Expr::Template(pieces) => template(pieces, scope),
        Expr::Pipe(inner, transform) => apply(transform, eval(inner, scope)),
        Expr::Either(all) => {
            let mut last = Value::Null;
            for one in all {
                last = eval(one, scope);
                if !last.is_null() {
                    break;
                }
            }
            last
        }
    }
}

/// Follows a path. `[]` gives a list; what is missing in one of its items is left out.
pub(crate) fn look(value: &Value, segments: &[Segment]) -> Value {
    let Some((first, rest)) = segments.split_first() else { return value.clone() };
    match (first, value) {
        (_, Value::Unknown(_)) => value.clone(),
        (Segment::Key(key), Value::Map(map)) => map.get(key).map_or(Value::Null, |v| look(v, rest)),
        (Segment::All, Value::List(items)) => {
            let mut out = Vec::with_capacity(items.len());
            for item in items {
                match look(item, rest) {
                    Value::Null => {}
                    Value::List(inner) if rest.contains(&Segment::All) => out.extend(inner),
                    found => out.push(found),
                }
            }
            Value::List(out)
        }
        (Segment::At(at), Value::List(items)) => {
            let at = if *at < 0 { items.len().checked_sub(at.unsigned_abs() as usize) } else { usize::try_from(*at).ok() };
            at.and_then(|at| items.get(at)).map_or(Value::Null, |v| look(v, rest))
        }
        _ => Value::Null,
    }
}

fn template(pieces: &[Expr], scope: &Scope<'_>) -> Value {
    let mut out = String::new();
    for piece in pieces {
        match eval(piece, scope) {
            Value::Str(text) => out.push_str(&text),
            Value::Int(n) => out.push_str(&n.to_string()),
            Value::Bool(b) => out.push_str(if b { "true" } else { "false" }),
            unknown @ Value::Unknown(_) => return unknown,
            _ => return Value::Null,
        }
    }
    Value::from(out)
}

/// The properties that a table gives; those that are null are left out.
pub(crate) fn build(members: &[Member], scope: &Scope<'_>) -> Map {
    let one = |member: &Member| {
        let value = mapping(&member.value, scope);
        (!value.is_null()).then(|| (member.name.clone(), value))
    };
    members.iter().filter_map(one).collect()
}

fn mapping(value: &Mapping, scope: &Scope<'_>) -> Value {
    match value {
        Mapping::Expr(expr) => eval(expr, scope),
        Mapping::Fixed(json) => from_json(json),
        Mapping::Same(name) => same(scope.root(&Root::Here), name),
        Mapping::Object { from, members } => {
            let inner = from.as_ref().map(|f| eval(f, scope));
            match inner {
                Some(Value::Null) => Value::Null,
                Some(unknown @ Value::Unknown(_)) => unknown,
                Some(found) => object(build(members, &scope.inside(&found))),
                None => object(build(members, scope)),
            }
        }
        Mapping::Each { each, of, members } => match list(eval(each, scope)) {
            Ok(items) => Value::List(items.iter().flat_map(|item| elements(item, of.as_ref(), members, scope)).collect()),
            Err(other) => other,
        },
        Mapping::Chain(parts) => chain(parts, scope),
    }
}

/// The elements that one item of an `each` gives.
fn elements(item: &Value, of: Option<&Expr>, members: &[Member], scope: &Scope<'_>) -> Vec<Value> {
    let outer = scope.inside(item);
    let one = |scope: &Scope<'_>, item: &Value| {
        if members.is_empty() { item.clone() } else { Value::Map(build(members, scope)) }
    };
    match of {
        None => vec![one(&outer, item)],
        Some(of) => match list(eval(of, &outer)) {
            Ok(inner) => inner.iter().map(|i| one(&outer.inside(i), i)).collect(),
            Err(Value::Null) => Vec::new(),
            Err(unknown) => vec![unknown],
        },
    }
}

fn chain(parts: &[Mapping], scope: &Scope<'_>) -> Value {
    let mut out = Vec::new();
    let mut found = false;
    for part in parts {
        match mapping(part, scope) {
            Value::List(items) => {
                found = true;
                out.extend(items);
            }
            Value::Null => {}
            unknown @ Value::Unknown(_) => return unknown,
            other => {
                found = true;
                out.push(other);
            }
        }
    }
    if found { Value::List(out) } else { Value::Null }
}

/// The items of a list; one value is a list of one. Null and unknown are the error.
pub(crate) fn list(value: Value) -> Result<Vec<Value>, Value> {
    match value {
        Value::List(items) => Ok(items),
        Value::Null | Value::Unknown(_) => Err(value),
        one => Ok(vec![one]),
    }
}

/// An object without members counts as not set.
fn object(map: Map) -> Value {
    if map.is_empty() { Value::Null } else { Value::Map(map) }
}

/// The member of this name, or of this name with a small first letter (then its members get capital ones, too).
fn same(value: &Value, name: &str) -> Value {
    match value {
        Value::Unknown(_) => value.clone(),
        Value::Map(map) => map.get(name).cloned().unwrap_or_else(|| {
            let mut chars = name.chars();
            let small = chars.next().map(|c| c.to_ascii_lowercase().to_string() + chars.as_str()).unwrap_or_default();
            map.get(&small).cloned().map_or(Value::Null, |v| transform::pascal(v, 0))
        }),
        _ => Value::Null,
    }
}

/// The same, but an expression that is not known counts as having the value.
pub(crate) fn may_hold(conditions: &[(Expr, serde_json::Value)], scope: &Scope<'_>) -> bool {
    conditions.iter().all(|one| matches!(eval(&one.0, scope), Value::Unknown(_)) || holds(std::slice::from_ref(one), scope))
}

/// True if every expression has the value that stands beside it (a list: one of them; text compares as text).
pub(crate) fn holds(conditions: &[(Expr, serde_json::Value)], scope: &Scope<'_>) -> bool {
    conditions.iter().all(|(expr, wanted)| {
        let found = model::to_json(&eval(expr, scope));
        match wanted {
            serde_json::Value::Array(any) => any.contains(&found),
            one => *one == found,
        }
    })
}

#[cfg(test)]
mod tests;
