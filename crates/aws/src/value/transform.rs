//! The closed set of value changes.

use base64::Engine;
use catalogue::collect::Transform;
use model::{Map, Reason, Text, Value, from_json};

use super::{DEPTH_MAX, look};
use crate::wire::json_text;

/// The most rows of a table.
const ROWS_MAX: usize = 1_000_000;

/// Changes a value. Null stays null and unknown stays unknown, except where the transform is about just that.
pub(super) fn apply(transform: &Transform, value: Value) -> Value {
    match (transform, &value) {
        (_, Value::Unknown(_)) => return value,
        (Transform::Set, _) => return Value::Bool(!value.is_null()),
        (Transform::Any, _) => return Value::Bool(!is_empty(&value)),
        (Transform::Default(other), Value::Null) => return from_json(other),
        (_, Value::Null) => return Value::Null,
        _ => {}
    }
    match transform {
        Transform::Path(segments) => look(&value, segments),
        Transform::Json | Transform::Base64 | Transform::Csv => read(transform, value),
        Transform::Bool => to_bool(value),
        Transform::Not => match to_bool(value) {
            Value::Bool(b) => Value::Bool(!b),
            other => other,
        },
        Transform::Int => value.as_int().map_or_else(|| odd("a number", &value), Value::Int),
        Transform::Text => match &value {
            Value::Int(n) => Value::from(n.to_string()),
            Value::Dec(d) => Value::from(d.to_string()),
            Value::Bool(b) => Value::from(b.to_string()),
            _ => value,
        },
        Transform::Pascal => pascal(value, 0),
        Transform::Tags => tags(value),
        Transform::Unwrap => unwrap(value, 0),
        Transform::Pairs => pairs(value),
        Transform::Object => named(value),
        Transform::Count => match &value {
            Value::List(items) => Value::Int(items.len() as i64),
            Value::Map(map) => Value::Int(map.len() as i64),
            _ => Value::Int(1),
        },
        Transform::List => match value {
            list @ Value::List(_) => list,
            one => Value::List(vec![one]),
        },
        Transform::Some => {
            if is_empty(&value) {
                Value::Null
            } else {
                value
            }
        }
        Transform::Has(wanted) => match &value {
            Value::List(items) => Value::Bool(items.iter().any(|i| i.as_str() == Some(wanted))),
            _ => odd("a list", &value),
        },
        Transform::Where(key, wanted) => filter(value, |item| has_member(item, key, wanted)),
        Transform::Without(key, unwanted) => filter(value, |item| !has_member(item, key, unwanted)),
        Transform::Default(_) | Transform::Any | Transform::Set => value,
        text => each_text(value, &|t| change(text, t)),
    }
}

/// Changes of one text; a list of texts is changed item by item.
fn change(transform: &Transform, text: &str) -> Value {
    match transform {
        Transform::Upper => Value::from(text.to_uppercase()),
        Transform::Lower => Value::from(text.to_lowercase()),
        Transform::Is(any) => Value::Bool(any.iter().any(|a| a == text)),
        Transform::Enum(pairs) => {
            let found = pairs.iter().find(|(from, _)| from == text);
            Value::text(found.map_or(text, |(_, to)| to.as_str()))
        }
        Transform::After(mark) => Value::text(text.rsplit_once(mark.as_str()).map_or(text, |(_, after)| after)),
        Transform::Before(mark) => Value::text(text.split_once(mark.as_str()).map_or(text, |(before, _)| before)),
        Transform::Split(mark) => Value::List(text.split(mark.as_str()).map(Value::text).collect()),
        Transform::Null(any) if any.iter().any(|a| a == text) => Value::Null,
        _ => Value::text(text),
    }
}

fn each_text(value: Value, change: &dyn Fn(&str) -> Value) -> Value {
    match &value {
        Value::Str(text) => change(text),
        Value::Int(n) => change(&n.to_string()),
        Value::Bool(b) => change(if *b { "true" } else { "false" }),
        Value::List(items) => Value::List(items.iter().map(|i| each_text(i.clone(), change)).collect()),
        _ => value,
    }
}

/// The items of a list that are kept.
fn filter(value: Value, keep: impl Fn(&Value) -> bool) -> Value {
    match value {
        Value::List(items) => Value::List(items.into_iter().filter(keep).collect()),
        other => odd("a list", &other),
    }
}

/// True if the item's member, as text, is this.
fn has_member(item: &Value, key: &str, text: &str) -> bool {
    item.get(key).is_some_and(|v| each_text(v.clone(), &|t| Value::Bool(t == text)) == Value::Bool(true))
}

fn odd(wanted: &str, found: &Value) -> Value {
    let shown: String = model::to_json(found).to_string().chars().take(60).collect();
    Value::unknown_present(Reason::Malformed, format!("{wanted}, not {shown}"))
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Str(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

fn read(transform: &Transform, value: Value) -> Value {
    let Value::Str(text) = &value else { return value };
    if text.trim().is_empty() {
        return Value::Null;
    }
    let decoded = || {
        let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim()).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    };
    match transform {
        Transform::Json => json_text(text).unwrap_or_else(|| odd("JSON text", &value)),
        Transform::Base64 => decoded().map_or_else(|| odd("base64", &value), Value::from),
        _ => csv(text),
    }
}

fn to_bool(value: Value) -> Value {
    let truth = match &value {
        Value::Bool(b) => Some(*b),
        Value::Int(n) => Some(*n != 0),
        Value::Str(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "enabled" | "on" | "active" | "yes" | "1" | "enabling" => Some(true),
            "false" | "disabled" | "off" | "inactive" | "no" | "0" | "disabling" | "suspended" | "" => Some(false),
            _ => None,
        },
        _ => None,
    };
    truth.map_or_else(|| odd("a truth value", &value), Value::Bool)
}

/// Member names with a capital first letter. Names that are data (`awslogs-group`, `/path`) are left alone.
pub(super) fn pascal(value: Value, depth: usize) -> Value {
    if depth > DEPTH_MAX {
        return value;
    }
    match value {
        Value::Map(map) => Value::Map(map.into_iter().map(|(k, v)| (capital(&k), pascal(v, depth + 1))).collect()),
        Value::List(items) => Value::List(items.into_iter().map(|i| pascal(i, depth + 1)).collect()),
        other => other,
    }
}

fn capital(name: &Text) -> Text {
    let mut chars = name.chars();
    match chars.next() {
        Some(first) if first.is_ascii_lowercase() && name.chars().all(|c| c.is_ascii_alphanumeric()) => {
            Text::from(first.to_ascii_uppercase().to_string() + chars.as_str())
        }
        _ => name.clone(),
    }
}

/// `{Quantity, Items}` as the list; where it has more members, without the quantity.
fn unwrap(value: Value, depth: usize) -> Value {
    if depth > DEPTH_MAX {
        return value;
    }
    match value {
        Value::Map(mut map) if map.contains_key("Quantity") => {
            map.remove("Quantity");
            if map.keys().all(|k| &**k == "Items") {
                return map.remove("Items").map_or_else(|| Value::List(Vec::new()), |items| unwrap(items, depth + 1));
            }
            Value::Map(map.into_iter().map(|(k, v)| (k, unwrap(v, depth + 1))).collect())
        }
        Value::Map(map) => Value::Map(map.into_iter().map(|(k, v)| (k, unwrap(v, depth + 1))).collect()),
        Value::List(items) => Value::List(items.into_iter().map(|i| unwrap(i, depth + 1)).collect()),
        other => other,
    }
}

fn pair(key: &Text, value: Value) -> Value {
    static NAMES: std::sync::LazyLock<(Text, Text)> = std::sync::LazyLock::new(|| ("Key".into(), "Value".into()));
    Value::Map([(NAMES.0.clone(), Value::Str(key.clone())), (NAMES.1.clone(), value)].into_iter().collect())
}

fn pairs(value: Value) -> Value {
    match value {
        Value::Map(map) => Value::List(map.into_iter().map(|(k, v)| pair(&k, v)).collect()),
        other => other,
    }
}

/// `[{Key, Value}]` from a map, or from a list whose items call their parts `Key`/`key`/`TagKey` and so on. Sorted by key.
pub(crate) fn tags(value: Value) -> Value {
    let mut found: Vec<(Text, Value)> = match value {
        Value::Null | Value::Unknown(_) => return value,
        Value::Map(map) => map.into_iter().collect(),
        Value::List(items) => {
            let of = |item: &Value, names: &[&str]| names.iter().find_map(|n| item.get(n).cloned());
            let one = |item: &Value| {
                let Value::Str(key) = of(item, &["Key", "key", "TagKey", "tagKey"])? else { return None };
                Some((key, of(item, &["Value", "value", "TagValue", "tagValue"]).unwrap_or_default()))
            };
            items.iter().filter_map(one).collect()
        }
        other => return odd("tags", &other),
    };
    found.sort_by(|a, b| a.0.cmp(&b.0));
    if found.is_empty() {
        return Value::Null;
    }
    let mut list = Vec::with_capacity(found.len());
    list.extend(found.into_iter().map(|(k, v)| pair(&k, if v.is_null() { Value::text("") } else { v })));
    Value::List(list)
}

fn named(value: Value) -> Value {
    let Value::List(items) = &value else { return value };
    let of = |item: &Value, names: &[&str]| names.iter().find_map(|n| item.get(n).cloned());
    let one = |item: &Value| {
        let key = of(item, &["Key", "key", "Name", "name", "ParameterName"])?;
        Some((Text::from(key.as_str()?), of(item, &["Value", "value", "ParameterValue"]).unwrap_or_default()))
    };
    Value::Map(items.iter().filter_map(one).collect::<Map>())
}

/// A table with a head line. Fields may stand in double quotes; `N/A`, `no_information` and `not_supported` are null (the
/// words of IAM's credential report).
fn csv(text: &str) -> Value {
    let mut lines = text.lines().filter(|l| !l.trim().is_empty());
    let head: Vec<String> = fields(lines.next().unwrap_or_default());
    let row = |line: &str| {
        let cells = fields(line);
        let cell = |(name, cell): (&String, &String)| match cell.as_str() {
            "" | "N/A" | "no_information" | "not_supported" => None,
            text => Some((Text::from(name.as_str()), Value::text(text))),
        };
        Value::Map(head.iter().zip(&cells).filter_map(cell).collect())
    };
    Value::List(lines.take(ROWS_MAX).map(row).collect())
}

fn fields(line: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                out.last_mut().into_iter().for_each(|f| f.push('"'));
            }
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(String::new()),
            c => out.last_mut().into_iter().for_each(|f| f.push(c)),
        }
    }
    out
}
