//! Requests by shape.

use base64::Engine;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map as JsonMap, Value as Json};

use super::special::route53_id;
use crate::facts::{Location, ObjectShape, Operation, Protocol, Service, Shape, ShapeIndex};

/// What RFC 3986 calls unreserved stays as it is.
pub(crate) const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A request without its host.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Parts {
    pub(crate) method: String,
    /// With a slash in front, percent-encoded.
    pub(crate) path: String,
    /// Without the question mark, percent-encoded; may be empty.
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// What the operation wants in front of the host, `123456789012.`; empty if nothing.
    pub(crate) host_prefix: String,
    /// The bucket of an S3 request.
    pub(crate) bucket: Option<String>,
}

/// Writes a request. The error says in words what is wrong with the input.
pub(crate) fn build(
    name: &str,
    service: &Service,
    operation: (&str, &Operation),
    input: &JsonMap<String, Json>,
) -> Result<Parts, String> {
    let (operation_name, facts) = operation;
    static NOTHING: ObjectShape = ObjectShape { members: std::collections::BTreeMap::new(), payload: None };
    let shape = service.object(facts.input).unwrap_or(&NOTHING);
    if let Some(key) = input.keys().find(|k| !shape.members.contains_key(k.as_str())) {
        return Err(format!("`{operation_name}` has no input `{key}`"));
    }
    if let Some((key, _)) = shape.members.iter().find(|(k, m)| m.required && input.get(&***k).is_none_or(Json::is_null)) {
        return Err(format!("`{operation_name}` needs the input `{key}`"));
    }
    let mut parts = Parts { method: facts.method.clone(), path: "/".to_owned(), ..Parts::default() };
    match service.protocol {
        Protocol::Query | Protocol::Ec2 => {
            let mut form =
                vec![("Action".to_owned(), operation_name.to_owned()), ("Version".to_owned(), service.api_version.clone())];
            let writer = Form { service, ec2: service.protocol == Protocol::Ec2 };
            writer.object(&mut form, "", shape, input);
            parts.body = pairs(&form).into_bytes();
            parts.headers.push(("content-type".into(), "application/x-www-form-urlencoded; charset=utf-8".into()));
        }
        Protocol::Json => {
            let version = service.json_version.as_deref().unwrap_or("1.1");
            let prefix = service.target_prefix.as_deref().unwrap_or_default();
            parts.headers.push(("content-type".into(), format!("application/x-amz-json-{version}")));
            parts.headers.push(("x-amz-target".into(), format!("{prefix}.{operation_name}")));
            parts.body = json_object(service, shape, input, false).to_string().into_bytes();
        }
        Protocol::RestJson | Protocol::RestXml => rest(name, service, facts, shape, input, &mut parts)?,
    }
    if let Some(prefix) = &facts.host_prefix {
        parts.host_prefix = fill(prefix, |label| input.get(label).map(plain));
    }
    if name == "s3" {
        parts.bucket = input.get("Bucket").map(plain);
    }
    Ok(parts)
}

fn rest(
    name: &str,
    service: &Service,
    facts: &Operation,
    shape: &ObjectShape,
    input: &JsonMap<String, Json>,
    parts: &mut Parts,
) -> Result<(), String> {
    let (path, fixed) = facts.uri.split_once('?').unwrap_or((&facts.uri, ""));
    let mut query: Vec<(String, String)> = Vec::new();
    for pair in fixed.split('&').filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        query.push((key.to_owned(), value.to_owned()));
    }
    for (member, facts) in &shape.members {
        let Some(value) = input.get(&**member).filter(|v| !v.is_null()) else { continue };
        let wire = facts.name.as_deref().unwrap_or(member);
        match (facts.location, value) {
            (Some(Location::Querystring), Json::Array(items)) => query.extend(items.iter().map(|i| (wire.to_owned(), plain(i)))),
            (Some(Location::Querystring), Json::Object(map)) => query.extend(map.iter().map(|(k, v)| (k.clone(), plain(v)))),
            (Some(Location::Querystring), _) => query.push((wire.to_owned(), plain(value))),
            (Some(Location::Header), _) => parts.headers.push((wire.to_ascii_lowercase(), plain(value))),
            _ => {}
        }
    }
    parts.query = pairs(&query);
    let label = |label: &str| {
        let (label, greedy) = label.strip_suffix('+').map_or((label, false), |l| (l, true));
        let member =
            shape.members.iter().find(|(n, m)| m.location == Some(Location::Uri) && m.name.as_deref().unwrap_or(n) == label);
        let text = plain(input.get(&**member?.0)?);
        let text = if name == "route53" { route53_id(&text) } else { &text };
        Some(if greedy {
            text.split('/').map(|s| utf8_percent_encode(s, ENCODED).to_string()).collect::<Vec<_>>().join("/")
        } else {
            utf8_percent_encode(text, ENCODED).to_string()
        })
    };
    parts.path = fill(path, label);
    let in_body = |m: &crate::facts::MemberShape| m.location.is_none();
    let body = shape.members.iter().any(|(_, m)| in_body(m));
    if service.protocol == Protocol::RestXml {
        let given = shape.members.iter().any(|(n, m)| in_body(m) && input.get(&**n).is_some_and(|v| !v.is_null()));
        return if given { Err("this client writes no XML".to_owned()) } else { Ok(()) };
    }
    if body && parts.method != "GET" && parts.method != "HEAD" {
        parts.headers.push(("content-type".into(), "application/json".into()));
        parts.body = json_object(service, shape, input, true).to_string().into_bytes();
    }
    Ok(())
}

/// The text with each `{label}` replaced.
fn fill(text: &str, label: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(&label(name).unwrap_or_default());
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn pairs(pairs: &[(String, String)]) -> String {
    let encode = |s: &str| utf8_percent_encode(s, ENCODED).to_string();
    pairs.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect::<Vec<_>>().join("&")
}

/// A scalar as text.
fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn json_object(service: &Service, shape: &ObjectShape, input: &JsonMap<String, Json>, rest: bool) -> Json {
    let mut out = JsonMap::new();
    for (name, member) in &shape.members {
        if rest && member.location.is_some() {
            continue;
        }
        if let Some(value) = input.get(&**name).filter(|v| !v.is_null()) {
            out.insert(member.name.clone().unwrap_or_else(|| name.to_string()), json_value(service, member.shape, value));
        }
    }
    Json::Object(out)
}

fn json_value(service: &Service, shape: ShapeIndex, value: &Json) -> Json {
    match (service.shape(shape), value) {
        (Shape::Object(object), Json::Object(map)) => json_object(service, object, map, false),
        (Shape::List(list), Json::Array(items)) => items.iter().map(|i| json_value(service, list.member, i)).collect(),
        _ => value.clone(),
    }
}

/// The body of the query protocols: one flat list of names and values.
struct Form<'a> {
    service: &'a Service,
    ec2: bool,
}

impl Form<'_> {
    fn object(&self, out: &mut Vec<(String, String)>, prefix: &str, shape: &ObjectShape, input: &JsonMap<String, Json>) {
        for (name, member) in &shape.members {
            let Some(value) = input.get(&**name).filter(|v| !v.is_null()) else { continue };
            let own = match (&member.query_name, &member.name) {
                (Some(query), _) => query.clone(),
                (None, Some(location)) if self.ec2 => capital(location),
                (None, None) if self.ec2 => capital(name),
                (None, Some(location)) => location.clone(),
                (None, None) => name.to_string(),
            };
            let path = if prefix.is_empty() { own } else { format!("{prefix}.{own}") };
            self.value(out, &path, member.shape, value, member.flattened);
        }
    }

    fn value(&self, out: &mut Vec<(String, String)>, path: &str, shape: ShapeIndex, value: &Json, flattened: bool) {
        match (self.service.shape(shape), value) {
            (Shape::Object(object), Json::Object(map)) => self.object(out, path, object, map),
            (Shape::List(list), Json::Array(items)) => {
                let path = if self.ec2 || flattened || list.flattened {
                    match (&list.name, path.rsplit_once('.')) {
                        (Some(name), Some((head, _))) if !self.ec2 => format!("{head}.{name}"),
                        (Some(name), None) if !self.ec2 => name.clone(),
                        _ => path.to_owned(),
                    }
                } else {
                    format!("{path}.{}", list.name.as_deref().unwrap_or("member"))
                };
                for (n, item) in items.iter().enumerate() {
                    self.value(out, &format!("{path}.{}", n + 1), list.member, item, false);
                }
            }
            (Shape::Map(map), Json::Object(entries)) => {
                let entry = if flattened || map.flattened { path.to_owned() } else { format!("{path}.entry") };
                for (n, (key, item)) in entries.iter().enumerate() {
                    let place = format!("{entry}.{}", n + 1);
                    out.push((format!("{place}.{}", map.key_name.as_deref().unwrap_or("key")), key.clone()));
                    self.value(out, &format!("{place}.{}", map.value_name.as_deref().unwrap_or("value")), map.value, item, false);
                }
            }
            (Shape::Blob, Json::String(text)) => {
                out.push((path.to_owned(), base64::engine::general_purpose::STANDARD.encode(text)));
            }
            _ => out.push((path.to_owned(), plain(value))),
        }
    }
}

/// The text with a capital first letter.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}
