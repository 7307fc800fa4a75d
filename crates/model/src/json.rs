//! Values to and from JSON.

use crate::{Map, Text, Value};

/// The value as JSON. A link reads `{"$link": "Bucket.Arn"}`, an unknown `{"$unknown": "parameter without a value: Key"}`, mixed
/// text a string with `${...}` holes.
pub fn to_json(value: &Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) => Json::from(*n),
        Value::Dec(d) => Json::from(*d),
        Value::Str(s) => Json::from(&**s),
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => map.iter().map(|(k, v)| (k.to_string(), to_json(v))).collect::<serde_json::Map<_, _>>().into(),
        Value::Link(link) => serde_json::json!({ "$link": dotted(link) }),
        Value::Mixed(pieces) => Json::from(pieces.iter().map(piece).collect::<String>()),
        Value::Unknown(unknown) => serde_json::json!({ "$unknown": format!("{}: {}", unknown.reason.words(), unknown.what) }),
    }
}

fn dotted(link: &crate::Link) -> String {
    if link.attr.is_empty() { link.target.to_string() } else { format!("{}.{}", link.target, link.attr) }
}

fn piece(value: &Value) -> String {
    match value {
        Value::Str(s) => s.to_string(),
        Value::Link(link) => format!("${{{}}}", dotted(link)),
        Value::Unknown(unknown) => format!("${{{}}}", unknown.what),
        other => to_json(other).to_string(),
    }
}

/// JSON as a value. It has no links or unknowns: JSON cannot say them.
pub fn from_json(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => match n.as_i64() {
            Some(n) => Value::Int(n),
            None => Value::Dec(n.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(s) => Value::text(s),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect()),
        Json::Object(map) => Value::Map(map.iter().map(|(k, v)| (Text::from(k.as_str()), from_json(v))).collect::<Map>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reason;

    #[test]
    fn what_json_cannot_say_is_marked() {
        let arn = Value::Mixed(vec![Value::text("arn:aws:s3:::"), Value::link("Logs", ""), Value::text("/*")]);
        assert_eq!(to_json(&arn), serde_json::json!("arn:aws:s3:::${Logs}/*"));
        let unknown = Value::unknown_present(Reason::NoDefaultParameter, "Key");
        assert_eq!(to_json(&unknown), serde_json::json!({ "$unknown": "parameter without a value: Key" }));
    }

    #[test]
    fn plain_json_comes_back_the_same() {
        let json = serde_json::json!({ "a": [1, 2.5, "x", null, true], "b": {} });
        assert_eq!(to_json(&from_json(&json)), json);
    }
}
