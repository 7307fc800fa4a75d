//! Answers made up from the shapes of the API facts, so that every operation has one, and written as its protocol writes them.
//! What the catalogue's samples say (`sample/api`) is laid over what is made up.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map as JsonMap, Value as Json, json};

use crate::canned::{Asked, Reply};
use crate::facts::{Facts, MemberShape, ObjectShape, Operation, Protocol, Service, Shape, ShapeIndex};

/// How deep an answer is made up.
const DEPTH_MAX: usize = 7;

/// A service and an operation.
pub(super) type Call = (String, String);

/// The saved answers of the catalogue, by call; of several the one with most in it counts, and what the others list.
pub(super) fn samples(calls: &[Call]) -> BTreeMap<Call, Json> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/aws");
    let below = |path: &Path| -> Vec<std::path::PathBuf> {
        let mut found: Vec<_> = std::fs::read_dir(path).into_iter().flatten().flatten().map(|e| e.path()).collect();
        found.sort();
        found
    };
    let mut out: BTreeMap<Call, Json> = BTreeMap::new();
    for kind in below(&root).iter().flat_map(|service| below(service)) {
        let Ok(collect) = std::fs::read_to_string(kind.join("collect.toml")) else { continue };
        let own = calls.iter().filter(|(service, call)| {
            collect.contains(&format!("call = \"{call}\"")) && collect.contains(&format!("service = \"{service}\""))
        });
        let own: Vec<&Call> = own.collect();
        for file in below(&kind.join("sample/api")) {
            let name = file.file_name().unwrap().to_string_lossy().replace(['-', '_'], "").to_lowercase();
            let longest = own.iter().filter(|(_, call)| name.contains(&call.to_lowercase())).max_by_key(|(_, call)| call.len());
            let Some(call) = longest else { continue };
            let text = std::fs::read_to_string(&file).unwrap();
            let sample: Json = serde_json::from_str(&text).unwrap();
            let joined = match out.remove(*call) {
                Some(before) => join(before, sample),
                None => sample,
            };
            out.insert((*call).clone(), joined);
        }
    }
    out
}

/// The longer of two answers, with what the other one lists besides.
fn join(one: Json, other: Json) -> Json {
    let length = |json: &Json| json.to_string().len();
    let (mut whole, more) = if length(&one) < length(&other) { (other, one) } else { (one, other) };
    for (key, value) in more.as_object().into_iter().flatten() {
        if let (Some(Json::Array(items)), Json::Array(more)) = (whole.get_mut(key), value) {
            let besides: Vec<Json> = more.iter().filter(|item| !items.iter().any(|known| same(known, item))).cloned().collect();
            items.extend(besides);
        }
    }
    whole
}

/// Whether two items go by the same names.
fn same(one: &Json, other: &Json) -> bool {
    let names = |(key, value): &(&String, &Json)| {
        value.is_string() && ["name", "id", "arn", "identifier"].iter().any(|end| key.to_lowercase().ends_with(end))
    };
    match (one.as_object(), other.as_object()) {
        (Some(one), Some(other)) => {
            let mut both = one.iter().filter(names).filter(|(key, _)| other.contains_key(*key)).peekable();
            both.peek().is_some() && both.all(|(key, value)| other.get(key) == Some(value))
        }
        _ => one == other,
    }
}

/// The operation that a request is for, of these.
pub(super) fn asked_for<'a>(asked: &Asked, calls: &'a [Call]) -> Option<&'a Call> {
    let signed = asked.header("authorization").split('/').nth(3).unwrap_or_default().to_owned();
    let form = |name: &str| asked.body.split('&').find_map(|p| p.strip_prefix(name)?.strip_prefix('='));
    let is = |(service, call): &&Call| {
        let (facts, operation) = facts(service, call);
        let same = match facts.protocol {
            Protocol::Query | Protocol::Ec2 => {
                form("Action") == Some(call.as_str()) && form("Version") == Some(facts.api_version.as_str())
            }
            Protocol::Json => {
                asked.header("x-amz-target") == format!("{}.{call}", facts.target_prefix.as_deref().unwrap_or_default())
            }
            Protocol::RestJson | Protocol::RestXml => fits(operation, asked),
        };
        facts.signing_name == signed && same
    };
    let found: Vec<&Call> = calls.iter().filter(is).collect();
    // Of `/{Bucket}` and `/{Bucket}?versioning` the one that says more counts.
    let said = |call: &&Call| facts(&call.0, &call.1).1.uri.split(['?', '&', '/']).filter(|p| !p.starts_with('{')).count();
    let most = found.iter().map(said).max();
    found.into_iter().rfind(|call| Some(said(call)) == most)
}

pub(super) fn facts(service: &str, call: &str) -> (&'static Service, &'static Operation) {
    let service = Facts::get().service(service).unwrap();
    (service, service.operations.get(call).unwrap_or_else(|| panic!("{call}")))
}

fn fits(operation: &Operation, asked: &Asked) -> bool {
    let split = |uri: &str| {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        (path.to_owned(), query.to_owned())
    };
    let ((path, fixed), (asked_path, query)) = (split(&operation.uri), split(&asked.path));
    let keys: Vec<&str> = query.split('&').map(|p| p.split('=').next().unwrap_or_default()).collect();
    let has = |pair: &str| keys.contains(&pair.split('=').next().unwrap_or_default());
    let greedy = path.contains("+}");
    let (want, have): (Vec<&str>, Vec<&str>) = (path.split('/').collect(), asked_path.split('/').collect());
    let same = |(w, h): (&&str, &&str)| w == h || (w.starts_with('{') && !h.is_empty());
    operation.method == asked.method
        && fixed.split('&').filter(|p| !p.is_empty()).all(has)
        && (want.len() == have.len() || greedy)
        && want.iter().zip(&have).all(same)
}

/// The answer of an operation.
pub(super) fn reply(call: &Call, sample: Option<&Json>) -> Reply {
    let (service, operation) = facts(&call.0, &call.1);
    let Some(output) = operation.output else { return Reply::ok("") };
    let mut answer = made_up(service, output, "x", 0).unwrap_or(json!({}));
    if let Some(sample) = sample {
        lay(&mut answer, sample);
    }
    let object = service.object(Some(output)).unwrap();
    let (body, shape) = match object.payload.as_deref().and_then(|name| Some((name, object.members.get(name)?))) {
        Some((name, member)) => (answer.get(name).cloned().unwrap_or(json!({})), member.shape),
        None => (answer.clone(), output),
    };
    let text = match (service.protocol, service.shape(shape)) {
        (Protocol::RestJson | Protocol::RestXml, Shape::Text | Shape::Blob) => body.as_str().unwrap_or_default().to_owned(),
        (Protocol::Json | Protocol::RestJson, _) => wire_json(service, shape, &body).to_string(),
        _ if call.1 == "GetBucketLocation" => "<LocationConstraint>eu-west-1</LocationConstraint>".to_owned(),
        _ => {
            let inner = wire_xml(service, shape, &body);
            let wrapper = operation.wrapper.as_deref();
            wrapper.map_or_else(|| format!("<R>{inner}</R>"), |w| format!("<R><{w}>{inner}</{w}></R>"))
        }
    };
    Reply::ok(text)
}

/// True for members that say that there are more pages.
fn pages(name: &str) -> bool {
    let name = name.to_lowercase();
    matches!(name.as_str(), "position" | "lastevaluatedtablename")
        || name.contains("token")
        || name.contains("marker")
        || name.contains("truncated")
        || name.starts_with("hasmore")
}

fn made_up(service: &Service, shape: ShapeIndex, name: &str, depth: usize) -> Option<Json> {
    if depth > DEPTH_MAX {
        return None;
    }
    Some(match service.shape(shape) {
        Shape::Text if name.to_lowercase().ends_with("arn") => json!(format!("arn:aws:made-up:eu-west-1:123456789012:{name}")),
        Shape::Text => json!(name.to_lowercase()),
        Shape::Int => json!(1),
        Shape::Float => json!(1.5),
        Shape::Bool => json!(true),
        Shape::Blob => json!("eA=="),
        Shape::Time => json!("2026-05-01T00:00:00Z"),
        Shape::Document => json!({}),
        Shape::List(list) => Json::Array(made_up(service, list.member, name, depth + 1).into_iter().collect()),
        Shape::Map(map) => {
            let value = made_up(service, map.value, name, depth + 1)?;
            json!({ "key": value })
        }
        Shape::Object(object) => {
            let members = object.members.iter().filter(|(name, _)| !pages(name));
            let members = members.filter_map(|(name, m)| Some((name.to_string(), made_up(service, m.shape, name, depth + 1)?)));
            Json::Object(members.collect::<JsonMap<String, Json>>())
        }
    })
}

/// Lays a sample over what is made up: each element of a list over the one that was made up.
fn lay(under: &mut Json, over: &Json) {
    match (under, over) {
        (Json::Object(under), Json::Object(over)) => {
            under.remove("key");
            for (key, value) in over.iter().filter(|(key, _)| !pages(key)) {
                lay(under.entry(key.clone()).or_insert(Json::Null), value);
            }
        }
        // Where the sample has none, there still is one.
        (Json::Array(_), Json::Array(over)) if over.is_empty() => {}
        (Json::Array(under), Json::Array(over)) => {
            let first = under.first().cloned().unwrap_or(Json::Null);
            *under = over
                .iter()
                .map(|item| {
                    let mut whole = first.clone();
                    lay(&mut whole, item);
                    whole
                })
                .collect();
        }
        (under, over) => *under = over.clone(),
    }
}

fn wire_json(service: &Service, shape: ShapeIndex, value: &Json) -> Json {
    match (service.shape(shape), value) {
        (Shape::Object(object), Json::Object(members)) => {
            let one = |(name, value): (&String, &Json)| {
                let member = object.members.get(name.as_str()).unwrap_or_else(|| panic!("no member {name}"));
                (member.name.clone().unwrap_or_else(|| name.clone()), wire_json(service, member.shape, value))
            };
            Json::Object(members.iter().filter(|(_, v)| !v.is_null()).map(one).collect())
        }
        (Shape::List(list), Json::Array(items)) => items.iter().map(|i| wire_json(service, list.member, i)).collect(),
        (Shape::Map(map), Json::Object(members)) => {
            Json::Object(members.iter().map(|(k, v)| (k.clone(), wire_json(service, map.value, v))).collect())
        }
        (Shape::Text, Json::Object(_)) => json!(value.to_string()),
        _ => value.clone(),
    }
}

/// What stands inside the element of a value.
fn wire_xml(service: &Service, shape: ShapeIndex, value: &Json) -> String {
    match (service.shape(shape), value) {
        (Shape::Object(object), Json::Object(members)) => {
            members.iter().filter(|(_, v)| !v.is_null()).map(|(name, value)| member_xml(service, object, name, value)).collect()
        }
        (Shape::List(list), Json::Array(items)) => {
            let name = list.name.as_deref().unwrap_or("member");
            items.iter().map(|i| format!("<{name}>{}</{name}>", wire_xml(service, list.member, i))).collect()
        }
        (Shape::Map(map), Json::Object(members)) => entries(service, map, members, "entry"),
        (_, Json::String(text)) => text.replace('&', "&amp;").replace('<', "&lt;"),
        // IAM gives its documents percent-encoded.
        (Shape::Text, Json::Object(_)) => {
            percent_encoding::utf8_percent_encode(&value.to_string(), percent_encoding::NON_ALPHANUMERIC).to_string()
        }
        _ => value.to_string(),
    }
}

fn entries(service: &Service, map: &crate::facts::MapShape, members: &JsonMap<String, Json>, name: &str) -> String {
    let (key, value) = (map.key_name.as_deref().unwrap_or("key"), map.value_name.as_deref().unwrap_or("value"));
    let mut out = String::new();
    for (k, v) in members {
        let inner = wire_xml(service, map.value, v);
        let _ = write!(out, "<{name}><{key}>{k}</{key}><{value}>{inner}</{value}></{name}>");
    }
    out
}

fn member_xml(service: &Service, object: &ObjectShape, name: &str, value: &Json) -> String {
    let member: &MemberShape = object.members.get(name).unwrap_or_else(|| panic!("no member {name}"));
    if member.location.is_some() || member.attribute {
        return String::new();
    }
    let wire = member.name.as_deref().unwrap_or(name);
    match (service.shape(member.shape), value) {
        (Shape::List(list), Json::Array(items)) if list.flattened || member.flattened => {
            let wire = list.name.as_deref().filter(|_| member.name.is_none()).unwrap_or(wire);
            items.iter().map(|i| format!("<{wire}>{}</{wire}>", wire_xml(service, list.member, i))).collect()
        }
        (Shape::Map(map), Json::Object(members)) if map.flattened || member.flattened => entries(service, map, members, wire),
        _ => format!("<{wire}>{}</{wire}>", wire_xml(service, member.shape, value)),
    }
}
