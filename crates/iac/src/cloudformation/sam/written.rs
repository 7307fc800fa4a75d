//! Properties as they are written, in JSON with the long forms of functions: what the logical ids that SAM makes are
//! derived from. Source: the logical ids that SAM's own translation of the same template has.

use model::{Text, Value};
use serde_json::{Map, Value as Json, json};
use sha1::{Digest, Sha1};
use syntax::{Kind, Node, Scalar, Typed};

use super::super::globals::REPLACED;

/// Hexadecimal digits of a hash in a logical id.
const DIGITS: usize = 10;

/// Levels that are followed; what is deeper is null.
const DEPTH_MAX: usize = 100;

/// A node as JSON, with short forms of functions written out.
pub(crate) fn json_of(node: &Node) -> Json {
    json_at(node, 0)
}

fn json_at(node: &Node, depth: usize) -> Json {
    if depth > DEPTH_MAX {
        return Json::Null;
    }
    let plain = match &node.kind {
        Kind::Scalar(scalar) => scalar_of(scalar),
        Kind::Seq(items) => items.iter().map(|n| json_at(n, depth + 1)).collect(),
        Kind::Map(entries) => {
            Json::Object(entries.iter().map(|e| (e.key.to_string(), json_at(&e.node, depth + 1))).collect::<Map<_, _>>())
        }
    };
    let Some(name) = node.tag.as_deref().and_then(|tag| tag.strip_prefix('!')) else { return plain };
    match (name, &plain) {
        ("Ref" | "Condition", _) => json!({ name: plain }),
        ("GetAtt", Json::String(text)) => match text.split_once('.') {
            Some((id, attr)) => json!({ "Fn::GetAtt": [id, attr] }),
            None => json!({ "Fn::GetAtt": [text] }),
        },
        _ => json!({ format!("Fn::{name}"): plain }),
    }
}

fn scalar_of(scalar: &Scalar) -> Json {
    match scalar.typed {
        Typed::Null => Json::Null,
        Typed::Bool(b) => Json::Bool(b),
        Typed::Number => serde_json::from_str(&scalar.text).unwrap_or_else(|_| Json::from(&*scalar.text)),
        Typed::Str => Json::from(&*scalar.text),
    }
}

/// Joins global and own properties: own ones win, mappings are merged, lists are joined.
pub(crate) fn merged(global: Json, own: Json) -> Json {
    match (global, own) {
        (Json::Object(mut global), Json::Object(own)) if !is_function(&global) && !is_function(&own) => {
            for (key, value) in own {
                let value = match global.remove(&key) {
                    Some(outer) if !REPLACED.contains(&&*key) => merged(outer, value),
                    _ => value,
                };
                global.insert(key, value);
            }
            Json::Object(global)
        }
        (Json::Array(mut global), Json::Array(own)) => {
            global.extend(own);
            Json::Array(global)
        }
        (_, own) => own,
    }
}

fn is_function(map: &Map<String, Json>) -> bool {
    map.len() == 1 && map.keys().all(|key| key == "Ref" || key == "Condition" || key.starts_with("Fn::"))
}

/// The value with references to parameters of known text replaced, also in the text of `Fn::Sub`.
pub(crate) fn resolved(value: &Json, parameter: &dyn Fn(&str) -> Option<Value>) -> Json {
    match value {
        Json::Object(map) => {
            if let (1, Some(Json::String(name))) = (map.len(), map.get("Ref")) {
                return parameter(name).map_or_else(|| value.clone(), |v| model::to_json(&v));
            }
            let member = |(key, inner): (&String, &Json)| match (key.as_str(), inner) {
                ("Fn::Sub", Json::String(text)) => (key.clone(), Json::from(substituted(text, parameter))),
                _ => (key.clone(), resolved(inner, parameter)),
            };
            Json::Object(map.iter().map(member).collect())
        }
        Json::Array(items) => items.iter().map(|v| resolved(v, parameter)).collect(),
        other => other.clone(),
    }
}

fn substituted(text: &str, parameter: &dyn Fn(&str) -> Option<Value>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((hole, behind)) = after.split_once('}') else {
            out.push_str("${");
            rest = after;
            continue;
        };
        match parameter(hole).as_ref().and_then(super::super::text::shown) {
            Some(value) => out.push_str(&value),
            None => {
                out.push_str("${");
                out.push_str(hole);
                out.push('}');
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// `prefix` and the hash of a value: of text as it is, of anything else as JSON with sorted keys. Nothing is added for what
/// says nothing.
pub(crate) fn hashed(prefix: &str, value: &Json) -> String {
    let text = match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => {
            let mut out = String::new();
            dump(other, &mut out);
            out
        }
    };
    if text.is_empty() || text == "{}" || text == "[]" {
        return prefix.to_owned();
    }
    format!("{prefix}{}", digits(&text, DIGITS))
}

/// The first hexadecimal digits of the SHA-1 of a text.
pub(crate) fn digits(text: &str, count: usize) -> String {
    let hash = Sha1::digest(text.as_bytes());
    let all: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    all.chars().take(count).collect()
}

/// JSON with sorted keys, without spaces, in ASCII.
fn dump(value: &Json, out: &mut String) {
    match value {
        Json::Object(map) => {
            let mut members: Vec<(&String, &Json)> = map.iter().collect();
            members.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (at, (key, inner)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                quote(key, out);
                out.push(':');
                dump(inner, out);
            }
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                dump(item, out);
            }
            out.push(']');
        }
        Json::String(text) => quote(text, out),
        other => out.push_str(&other.to_string()),
    }
}

fn quote(text: &str, out: &mut String) {
    for c in Json::from(text).to_string().chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
}

/// True for text of letters and digits only, at least one.
pub(crate) fn is_alphanumeric(text: &str) -> bool {
    !text.is_empty() && text.chars().all(char::is_alphanumeric)
}

/// The loop variables replaced in every text.
pub(crate) fn with_locals(value: Json, replace: &dyn Fn(&str) -> Option<Text>) -> Json {
    match value {
        Json::String(text) => replace(&text).map_or(Json::String(text), |t| Json::from(&*t)),
        Json::Array(items) => items.into_iter().map(|v| with_locals(v, replace)).collect(),
        Json::Object(map) => Json::Object(map.into_iter().map(|(k, v)| (k, with_locals(v, replace))).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_sam() {
        assert_eq!(
            hashed("FVersion", &json!({ "S3Key": "k", "S3Bucket": "b" })),
            hashed("FVersion", &json!({ "S3Bucket": "b", "S3Key": "k" }))
        );
        assert_eq!(hashed("A", &json!("api.example.com")), format!("A{}", digits("api.example.com", 10)));
        assert_eq!(hashed("A", &json!("")), "A");
        let mut out = String::new();
        dump(&json!({ "b": ["é\n", 1.5, true, null], "a": {} }), &mut out);
        assert_eq!(out, r#"{"a":{},"b":["\u00e9\n",1.5,true,null]}"#);
        assert_eq!(digits("abc", 10), "a9993e3647");
    }
}
