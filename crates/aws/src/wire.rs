//! Requests and answers as the protocols write them: query, ec2, json, rest-json, rest-xml.
//!
//! Absent on purpose: bodies in XML (no read operation in use needs one) and streams.

mod error;
mod json;
mod request;
mod special;
mod xml;

pub(crate) use error::api_error;
pub(crate) use request::{ENCODED, Parts, build};
pub(crate) use special::{decode_documents, json_text};

use model::{Map, Text, Value};

use crate::facts::{Location, Operation, Protocol, Service, Shape};

/// How deep answers may nest.
pub(crate) const DEPTH_MAX: usize = 64;

/// The headers and body of an answer.
pub(crate) struct Raw {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Raw {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str())
    }
}

/// Reads a successful answer. The error says in words what is wrong with it.
pub(crate) fn decode(name: &str, service: &Service, operation: (&str, &Operation), raw: &Raw) -> Result<Value, String> {
    let (operation_name, facts) = operation;
    let text = || std::str::from_utf8(&raw.body).map_err(|_| "the answer is not UTF-8".to_owned());
    let object = service.object(facts.output);
    let payload = object.and_then(|o| Some((o.payload.as_deref()?, o.members.get(o.payload.as_deref()?)?)));
    // An operation that has something to say writes at least an empty object or element.
    let says = object.is_some_and(|o| o.members.values().any(|m| m.location.is_none()));
    if says && raw.body.trim_ascii().is_empty() {
        return Err("the answer is empty".to_owned());
    }
    let mut out = match (service.protocol, payload) {
        (Protocol::RestJson | Protocol::RestXml, Some((member, shape)))
            if matches!(service.shape(shape.shape), Shape::Text | Shape::Blob) =>
        {
            special::raw_document(operation_name, text()?)?;
            [(Text::from(member), Value::text(text()?))].into_iter().collect()
        }
        (Protocol::RestJson, Some((member, shape))) => {
            let value = json::decode(service, shape.shape, &parse_json(text()?)?, 0)?;
            [(Text::from(member), value)].into_iter().collect()
        }
        (Protocol::RestXml, Some((member, shape))) if !raw.body.is_empty() => {
            let value = xml::decode(text()?, |root| xml::value(service, shape.shape, root, 0))?;
            [(Text::from(member), value)].into_iter().collect()
        }
        (Protocol::Json | Protocol::RestJson, _) => match facts.output {
            Some(shape) => as_map(json::decode(service, shape, &parse_json(text()?)?, 0)?),
            None => Map::new(),
        },
        (_, _) if operation_name == "GetBucketLocation" && name == "s3" => special::bucket_location(text()?)?,
        (_, _) => match facts.output {
            Some(shape) if !raw.body.is_empty() => {
                let wrapper = facts.wrapper.as_deref();
                as_map(xml::decode(text()?, |root| xml::wrapped(service, shape, root, wrapper))?)
            }
            _ => Map::new(),
        },
    };
    if matches!(service.protocol, Protocol::RestJson | Protocol::RestXml) {
        from_head(service, object, raw, &mut out);
    }
    let mut out = Value::Map(out);
    special::normalise(name, &mut out);
    Ok(out)
}

fn parse_json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|e| format!("the answer is not JSON: {e}"))
}

fn as_map(value: Value) -> Map {
    match value {
        Value::Map(map) => map,
        _ => Map::new(),
    }
}

/// Members that stand in the head of the answer.
fn from_head(service: &Service, object: Option<&crate::facts::ObjectShape>, raw: &Raw, out: &mut Map) {
    for (member, shape) in object.into_iter().flat_map(|o| &o.members) {
        let name = shape.name.as_deref().unwrap_or(member).to_ascii_lowercase();
        let value = match shape.location {
            Some(Location::StatusCode) => Value::Int(i64::from(raw.status)),
            Some(Location::Header) => match raw.header(&name) {
                Some(text) => scalar(service.shape(shape.shape), text),
                None => continue,
            },
            Some(Location::Headers) => {
                let found =
                    raw.headers.iter().filter_map(|(k, v)| Some((Text::from(k.strip_prefix(name.as_str())?), Value::text(v))));
                Value::Map(found.collect())
            }
            _ => continue,
        };
        out.insert(member.clone(), value);
    }
}

/// A scalar written as text. Times get one form, ISO 8601 in UTC; what is not of its shape stays text.
pub(crate) fn scalar(shape: &Shape, text: &str) -> Value {
    match shape {
        Shape::Int => text.trim().parse().map_or_else(|_| Value::text(text), Value::Int),
        Shape::Float => text.trim().parse().map_or_else(|_| Value::text(text), Value::Dec),
        Shape::Bool => match text.trim() {
            "true" | "True" | "1" => Value::Bool(true),
            "false" | "False" | "0" => Value::Bool(false),
            _ => Value::text(text),
        },
        Shape::Time => Value::text(time(text)),
        _ => Value::text(text),
    }
}

/// A time in any of the forms in which APIs write it (ISO 8601, RFC 7231, seconds since 1970), as `2026-11-22T03:00:00Z`.
pub(crate) fn time(text: &str) -> String {
    let text = text.trim();
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return at.to_string();
    }
    if let Ok(seconds) = text.parse::<f64>() {
        return epoch(seconds).unwrap_or_else(|| text.to_owned());
    }
    match jiff::fmt::rfc2822::parse(text) {
        Ok(at) => at.timestamp().to_string(),
        Err(_) => text.to_owned(),
    }
}

/// Seconds since 1970 as ISO 8601, to the millisecond.
pub(crate) fn epoch(seconds: f64) -> Option<String> {
    let millis = (seconds * 1000.0).round();
    if !millis.is_finite() || millis.abs() > 9.0e15 {
        return None;
    }
    jiff::Timestamp::from_millisecond(millis as i64).ok().map(|at| at.to_string())
}

#[cfg(test)]
mod tests;
