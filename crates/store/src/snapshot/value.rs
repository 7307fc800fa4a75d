//! Values as JSON without loss. What JSON cannot say stands in an object with one member whose name begins with `$`.

use model::{Map, Text, Unknown, Value};
use serde_json::{Value as Json, json};

/// How deep values may nest.
const DEPTH_MAX: usize = 120;

pub(super) fn to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) => json!(n),
        Value::Dec(d) => json!({ "$dec": d.to_string() }),
        Value::Str(text) => Json::from(&**text),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => map_to_json(map),
        Value::Link(link) => json!({ "$link": [&*link.target, &*link.attr] }),
        Value::Mixed(pieces) => json!({ "$mixed": pieces.iter().map(to_json).collect::<Vec<_>>() }),
        Value::Unknown(u) => json!({ "$unknown": { "reason": u.reason, "what": &*u.what, "present": u.present } }),
    }
}

pub(super) fn map_to_json(map: &Map) -> Json {
    let object: serde_json::Map<String, Json> = map.iter().map(|(k, v)| (k.to_string(), to_json(v))).collect();
    let ambiguous = object.len() == 1 && object.keys().all(|k| k.starts_with('$'));
    if ambiguous { json!({ "$map": object }) } else { Json::Object(object) }
}

pub(super) fn of_json(json: &Json, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err(format!("a value nests deeper than {DEPTH_MAX}"));
    }
    Ok(match json {
        Json::Object(object) => match object.iter().next() {
            Some((key, inner)) if object.len() == 1 && key.starts_with('$') => special(key, inner, depth)?,
            _ => Value::Map(map(object, depth)?),
        },
        Json::Array(items) => Value::List(items.iter().map(|i| of_json(i, depth + 1)).collect::<Result<_, _>>()?),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Dec(n.as_f64().unwrap_or(f64::NAN)), Value::Int),
        plain => model::from_json(plain),
    })
}

pub(super) fn map(object: &serde_json::Map<String, Json>, depth: usize) -> Result<Map, String> {
    object.iter().map(|(k, v)| Ok((Text::from(k.as_str()), of_json(v, depth + 1)?))).collect()
}

fn special(key: &str, inner: &Json, depth: usize) -> Result<Value, String> {
    let odd = || format!("`{key}` holds something else than it should");
    Ok(match (key, inner) {
        ("$dec", Json::String(text)) => Value::Dec(text.parse().map_err(|_| odd())?),
        ("$map", Json::Object(object)) => Value::Map(map(object, depth)?),
        ("$mixed", Json::Array(items)) => Value::Mixed(items.iter().map(|i| of_json(i, depth + 1)).collect::<Result<_, _>>()?),
        ("$link", Json::Array(parts)) => match parts.as_slice() {
            [Json::String(target), Json::String(attr)] => Value::link(target, attr),
            _ => return Err(odd()),
        },
        ("$unknown", Json::Object(object)) => {
            let of = |name: &str| object.get(name).cloned().unwrap_or_default();
            Value::Unknown(Box::new(Unknown {
                reason: serde_json::from_value(of("reason")).map_err(|e| e.to_string())?,
                what: Text::from(of("what").as_str().ok_or_else(odd)?),
                present: of("present").as_bool().ok_or_else(odd)?,
            }))
        }
        _ => return Err(format!("there is no `{key}`")),
    })
}
