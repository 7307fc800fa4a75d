//! Where things stand in a policy's text, and where policies stand in saved answers.

use model::{Path, SpanTable};
use serde_json::Value as Json;
use syntax::{Kind, Limits, Node};

use crate::document::{POLICY_BYTES_MAX, Policy};

/// Where each part of JSON text stands, by path (`Statement[0].Action`); `None` if it cannot be read.
pub fn places(text: &str) -> Option<SpanTable> {
    if text.len() > POLICY_BYTES_MAX {
        return None;
    }
    let document = syntax::parse_json(text, &Limits::default()).ok()?;
    let mut table = SpanTable::default();
    let mut open: Vec<(&Node, Path)> = vec![(&document.root, Path::ROOT)];
    while let Some((node, path)) = open.pop() {
        table.insert(path, node.span);
        match &node.kind {
            Kind::Scalar(_) => {}
            Kind::Seq(items) => open.extend(items.iter().enumerate().map(|(i, item)| (item, path.item(i)))),
            Kind::Map(entries) => open.extend(entries.iter().map(|entry| (&entry.node, path.key(&entry.key)))),
        }
    }
    table.finish();
    Some(table)
}

/// The members of saved answers that hold a policy document, as an object or as text.
const HOMES: &[&str] = &[
    "PolicyVersion",
    "Document",
    "PolicyDocument",
    "AssumeRolePolicyDocument",
    "Policy",
    "policyText",
    "ResourcePolicy",
    "policy",
    "document",
];

/// The policy in JSON text: the text itself, or the document that an answer of the AWS CLI holds
/// (`get-policy-version`, `get-bucket-policy`, `get-key-policy`, ...).
pub fn policy_in(text: &str) -> Policy {
    if text.len() > POLICY_BYTES_MAX {
        return Policy::from_json(text);
    }
    match serde_json::from_str::<Json>(text) {
        Ok(json) => policy_of(&json, 4),
        Err(_) => Policy::from_json(text),
    }
}

fn policy_of(json: &Json, depth: usize) -> Policy {
    let home = match json {
        Json::Object(map) if !map.contains_key("Statement") && depth > 0 => {
            HOMES.iter().find_map(|h| map.get(*h)).or_else(|| map.get("Attributes").and_then(|a| a.get("Policy")))
        }
        _ => None,
    };
    match (home, json) {
        (Some(inner), _) => policy_of(inner, depth - 1),
        (None, Json::String(text)) if text.starts_with('%') => Policy::from_json(&decoded(text)),
        (None, Json::String(text)) => Policy::from_json(text),
        _ => Policy::from_value(&model::from_json(json)),
    }
}

/// Percent-encoded text, as the IAM API gives documents.
pub(crate) fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
        match byte {
            b'%' => match (digit(bytes.next()), digit(bytes.next())) {
                (Some(high), Some(low)) => out.push((high * 16 + low) as u8),
                _ => out.push(b'%'),
            },
            other => out.push(other),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_document_and_the_place() {
        let plain = r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#;
        let encoded = plain.replace('{', "%7B").replace('"', "%22");
        for text in [
            plain.to_owned(),
            format!(r#"{{"PolicyVersion":{{"Document":{plain}}}}}"#),
            format!(r#"{{"Policy":{}}}"#, Json::from(plain)),
            format!(r#"{{"Policy":"{encoded}"}}"#),
        ] {
            assert_eq!(policy_in(&text).statements.len(), 1, "{text}");
        }
        let places = places("{\n \"Statement\": [\n  {\"Effect\": \"Allow\"}\n ]\n}").unwrap();
        assert_eq!(places.nearest("Statement[0].Action").unwrap().line, 3);
    }
}
