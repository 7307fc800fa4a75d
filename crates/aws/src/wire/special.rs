//! What botocore does in its handlers and not in its models, as far as read operations need it.

use model::{Map, Value, from_json};
use percent_encoding::percent_decode_str;

use super::xml;

/// `GetBucketLocation`: the root element's text is the answer, and none means us-east-1.
pub(super) fn bucket_location(text: &str) -> Result<Map, String> {
    let place = xml::decode(text, |root| {
        let inner = xml::children(root).find(|c| c.tag_name().name() == "LocationConstraint");
        Ok(inner.unwrap_or(root).text().unwrap_or_default().to_owned())
    })?;
    let place = match place.as_str() {
        "" => "us-east-1",
        "EU" => "eu-west-1",
        other => other,
    };
    Ok([("LocationConstraint".into(), Value::text(place))].into_iter().collect())
}

/// `GetBucketPolicy`: the body is the policy itself, and what is no JSON object is none.
pub(super) fn raw_document(operation: &str, text: &str) -> Result<(), String> {
    if operation != "GetBucketPolicy" {
        return Ok(());
    }
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Object(_)) => Ok(()),
        _ => Err("the answer is no policy".to_owned()),
    }
}

/// IAM gives its policies as percent-encoded JSON text: they become objects, as the AWS CLI shows them.
pub(super) fn normalise(service: &str, answer: &mut Value) {
    if service == "iam" {
        decode_documents(answer);
    }
}

/// Turns every policy document that is text into an object.
pub(crate) fn decode_documents(answer: &mut Value) {
    decode_below(answer, 0);
}

fn decode_below(value: &mut Value, depth: usize) {
    if depth > super::DEPTH_MAX {
        return;
    }
    match value {
        Value::Map(map) => {
            for (key, value) in map.iter_mut() {
                match (&**key, &*value) {
                    ("PolicyDocument" | "AssumeRolePolicyDocument" | "Document", Value::Str(text)) => {
                        if let Some(document) = json_text(text) {
                            *value = document;
                        }
                    }
                    _ => decode_below(value, depth + 1),
                }
            }
        }
        Value::List(items) => items.iter_mut().for_each(|i| decode_below(i, depth + 1)),
        _ => {}
    }
}

/// JSON text, percent-encoded or not, as a value.
pub(crate) fn json_text(text: &str) -> Option<Value> {
    let trimmed = text.trim_start();
    if trimmed.starts_with('%') {
        let decoded = percent_decode_str(trimmed).decode_utf8().ok()?;
        return serde_json::from_str(&decoded).ok().map(|j| from_json(&j));
    }
    serde_json::from_str(text).ok().map(|j| from_json(&j))
}

/// Ids that Route 53 gives as `/hostedzone/Z1` and takes as `Z1`.
pub(super) fn route53_id(text: &str) -> &str {
    match text.strip_prefix('/').and_then(|t| t.split_once('/')) {
        Some((_, id)) => id,
        None => text,
    }
}
