//! JSON answers by shape.

use model::{Map, Text, Value, from_json};
use serde_json::Value as Json;

use super::{DEPTH_MAX, epoch, time};
use crate::facts::{Service, Shape, ShapeIndex};

/// The value of a shape. What is of another shape than promised is an error: it could mean anything.
pub(super) fn decode(service: &Service, shape: ShapeIndex, json: &Json, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err(format!("the answer nests deeper than {DEPTH_MAX}"));
    }
    let wrong = |wanted: &str| Err(format!("the answer holds {} where {wanted} belongs", kind(json)));
    Ok(match (service.shape(shape), json) {
        (_, Json::Null) => Value::Null,
        (Shape::Object(object), Json::Object(members)) => {
            let mut out: Vec<(Text, Value)> = Vec::with_capacity(members.len());
            for (name, member) in &object.members {
                let Some(found) = members.get(member.name.as_deref().unwrap_or(name)) else { continue };
                let value = match (member.json_text, found) {
                    (true, Json::String(text)) => {
                        serde_json::from_str(text).map_or_else(|_| Value::text(text), |j| from_json(&j))
                    }
                    _ => decode(service, member.shape, found, depth + 1)?,
                };
                if !value.is_null() {
                    out.push((name.clone(), value));
                }
            }
            Value::Map(out.into_iter().collect())
        }
        (Shape::Object(_), _) => return wrong("an object"),
        (Shape::List(list), Json::Array(items)) => {
            Value::List(items.iter().map(|i| decode(service, list.member, i, depth + 1)).collect::<Result<_, _>>()?)
        }
        (Shape::List(_), _) => return wrong("a list"),
        (Shape::Map(map), Json::Object(members)) => {
            let mut out = Vec::with_capacity(members.len());
            for (key, value) in members {
                out.push((Text::from(key.as_str()), decode(service, map.value, value, depth + 1)?));
            }
            Value::Map(out.into_iter().collect::<Map>())
        }
        (Shape::Map(_), _) => return wrong("an object"),
        (Shape::Time, Json::Number(n)) => n.as_f64().and_then(epoch).map_or_else(|| from_json(json), Value::from),
        (Shape::Time, Json::String(text)) => Value::from(time(text)),
        (Shape::Text | Shape::Blob, Json::Number(_) | Json::Bool(_)) => Value::from(json.to_string()),
        (Shape::Text | Shape::Blob, Json::Array(_) | Json::Object(_)) => return wrong("text"),
        (Shape::Bool, Json::Bool(b)) => Value::Bool(*b),
        (shape @ (Shape::Bool | Shape::Int | Shape::Float), Json::String(text)) => super::scalar(shape, text),
        (Shape::Int | Shape::Float | Shape::Bool, Json::Array(_) | Json::Object(_)) => return wrong("a number or truth value"),
        _ => from_json(json),
    })
}

fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a truth value",
        Json::Number(_) => "a number",
        Json::String(_) => "text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
