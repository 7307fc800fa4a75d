//! An API's definition, Swagger 2 or OpenAPI 3, as events and settings write into it.
//!
//! Source: API Gateway's extensions to OpenAPI, and SAM's own translation.

use model::{Map, Text, Value};

use super::made::{list, map, members_of, text};
use super::part::says;

pub(crate) const INTEGRATION: &str = "x-amazon-apigateway-integration";
pub(crate) const ANY: &str = "x-amazon-apigateway-any-method";
const METHODS: &[&str] = &["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// Members of a path that are no methods.
const NO_METHODS: &[&str] = &["summary", "description", "parameters"];

/// A definition without paths.
pub(crate) fn skeleton(version: (&str, &str), title: Value) -> Map {
    let info = map([("version", text("1.0")), ("title", title)]);
    members_of([(version.0, text(version.1)), ("info", info), ("paths", Value::Map(Map::new()))])
}

/// True for a definition that can be written into: Swagger 2, or OpenAPI 3.
pub(crate) fn is_valid(doc: &Map) -> bool {
    let paths = doc.get("paths").is_some_and(|paths| paths.as_map().is_some());
    paths && (doc.get("swagger").is_some_and(says) || is_version_3(doc.get("openapi")))
}

/// True for `3.0`, `3.0.1` and the like.
pub(crate) fn is_version_3(version: Option<&Value>) -> bool {
    let Some(version) = version.and_then(super::super::text::shown) else { return false };
    let mut parts = version.split('.');
    let digit = |part: &str| part.len() == 1 && part.bytes().all(|b| b.is_ascii_digit());
    parts.next() == Some("3") && (1..=2).contains(&version.matches('.').count()) && parts.all(digit)
}

/// A method's name as definitions have it.
pub(crate) fn normal(method: &str) -> String {
    let lower = method.to_ascii_lowercase();
    if lower == "any" { ANY.to_owned() } else { lower }
}

/// The paths, a mapping by path.
pub(crate) fn paths(doc: &mut Map) -> Option<&mut Map> {
    match doc.get_mut("paths") {
        Some(Value::Map(paths)) => Some(paths),
        _ => None,
    }
}

/// The names of the paths.
pub(crate) fn path_names(doc: &Map) -> Vec<Text> {
    doc.get("paths").and_then(Value::as_map).into_iter().flat_map(|paths| paths.keys().cloned()).collect()
}

/// The member `key`, made an empty mapping if it is not there; `None` if it is something else.
pub(crate) fn mapping<'m>(of: &'m mut Map, key: &str) -> Option<&'m mut Map> {
    let member = of.entry(key);
    if member.is_null() {
        *member = Value::Map(Map::new());
    }
    match member {
        Value::Map(inner) => Some(inner),
        _ => None,
    }
}

/// A method, made if it is not there; `None` if the path is no mapping.
pub(crate) fn method<'m>(doc: &'m mut Map, path: &str, name: &str) -> Option<&'m mut Map> {
    mapping(mapping(paths(doc)?, path)?, &normal(name))
}

/// A method that has an integration.
pub(crate) fn integrated<'m>(doc: &'m mut Map, path: &str, name: &str) -> Option<&'m mut Map> {
    let Value::Map(item) = paths(doc)?.get_mut(path)? else { return None };
    let Value::Map(method) = item.get_mut(&normal(name))? else { return None };
    method.get(INTEGRATION).is_some_and(says).then_some(method)
}

/// Each method of a path that has an integration, by name.
pub(crate) fn integrated_methods<'m>(doc: &'m mut Map, path: &str) -> Vec<(Text, &'m mut Map)> {
    let Some(Value::Map(item)) = paths(doc).and_then(|paths| paths.get_mut(path)) else { return Vec::new() };
    item.iter_mut()
        .filter(|(name, _)| !NO_METHODS.contains(&&***name))
        .filter_map(|(name, method)| match method {
            Value::Map(method) if method.get(INTEGRATION).is_some_and(says) => Some((name.clone(), method)),
            _ => None,
        })
        .collect()
}

/// Puts an integration into a method. False if the path cannot be written into.
pub(crate) fn integrate(doc: &mut Map, path: &str, name: &str, integration: Value, responses: Value) -> bool {
    let Some(method) = method(doc, path, name) else { return false };
    method.insert(INTEGRATION, integration);
    if method.get("responses").is_none() {
        method.insert("responses", responses);
    }
    true
}

/// The requirements of a method: its `security`.
pub(crate) fn requirements(method: &Map) -> Vec<Value> {
    method.get("security").and_then(Value::as_list).map(<[Value]>::to_vec).unwrap_or_default()
}

/// One requirement.
pub(crate) fn requirement(name: &str, scopes: Value) -> Value {
    let scopes = if scopes.is_null() { list([]) } else { scopes };
    Value::Map([(Text::from(name), scopes)].into_iter().collect())
}

/// Adds a security definition unless one has its name.
pub(crate) fn define_security(doc: &mut Map, name: &str, definition: Value) {
    if let Some(all) = mapping(doc, "securityDefinitions")
        && !all.contains_key(name)
    {
        all.insert(name, definition);
    }
}

/// The security definition of requests that are signed.
pub(crate) fn signed() -> Value {
    map([
        ("type", text("apiKey")),
        ("name", text("Authorization")),
        ("in", text("header")),
        ("x-amazon-apigateway-authtype", text("awsSigv4")),
    ])
}

/// The security definition of requests with an API key.
pub(crate) fn keyed() -> Value {
    map([("type", text("apiKey")), ("name", text("x-api-key")), ("in", text("header"))])
}

/// What a browser may do across origins.
pub(crate) struct Cors {
    pub(crate) origin: Value,
    pub(crate) headers: Value,
    pub(crate) methods: Value,
    pub(crate) max_age: Value,
    pub(crate) credentials: bool,
}

/// Adds an `OPTIONS` method that answers for each path without one.
pub(crate) fn add_cors(doc: &mut Map, cors: &Cors) {
    let mut done: Vec<String> = Vec::new();
    for path in path_names(doc) {
        let plain = if &*path == "/" { "/" } else { path.trim_end_matches('/') }.to_owned();
        if done.contains(&plain) {
            continue;
        }
        done.push(plain);
        let Some(Value::Map(item)) = paths(doc).and_then(|paths| paths.get_mut(&path)) else { continue };
        if !item.contains_key("options") {
            let methods = if says(&cors.methods) { cors.methods.clone() } else { allowed_methods(item) };
            item.insert("options", preflight(cors, methods));
        }
    }
}

fn allowed_methods(item: &Map) -> Value {
    let mut all: Vec<String> = match item.contains_key(ANY) {
        true => METHODS.iter().map(|m| (*m).to_owned()).collect(),
        false => item.keys().map(|m| m.to_uppercase()).chain(["OPTIONS".to_owned()]).collect(),
    };
    all.sort();
    all.dedup();
    text(format!("'{}'", all.join(",")))
}

fn preflight(cors: &Cors, methods: Value) -> Value {
    let mut parameters = Map::new();
    let mut headers = Map::new();
    let mut add = |name: &str, value: Value, kind: &str| {
        parameters.insert(format!("method.response.header.Access-Control-{name}"), value);
        headers.insert(format!("Access-Control-{name}"), map([("type", text(kind))]));
    };
    add("Allow-Origin", cors.origin.clone(), "string");
    if says(&cors.headers) {
        add("Allow-Headers", cors.headers.clone(), "string");
    }
    add("Allow-Methods", methods, "string");
    if !cors.max_age.is_null() {
        add("Max-Age", cors.max_age.clone(), "integer");
    }
    if cors.credentials {
        add("Allow-Credentials", text("'true'"), "string");
    }
    let json = "application/json";
    let default = map([
        ("statusCode", text("200")),
        ("responseParameters", Value::Map(parameters)),
        ("responseTemplates", map([(json, text("{}\n"))])),
    ]);
    let integration = map([
        ("type", text("mock")),
        ("requestTemplates", map([(json, text("{\n  \"statusCode\" : 200\n}\n"))])),
        ("responses", map([("default", default)])),
    ]);
    let response = map([("description", text("Default response for CORS method")), ("headers", Value::Map(headers))]);
    map([
        ("summary", text("CORS support")),
        ("consumes", list([text(json)])),
        ("produces", list([text(json)])),
        (INTEGRATION, integration),
        ("responses", map([("200", response)])),
    ])
}

/// Puts what Swagger 2 and OpenAPI 3 keep in different places where the version asked for has it.
pub(crate) fn settle(doc: &mut Map, version: Option<&Value>) {
    if doc.get("swagger").is_some_and(|v| !v.is_null()) {
        return;
    }
    let version = match version {
        None => doc.get("openapi").cloned(),
        Some(version) => Some(version.clone()),
    };
    if !is_version_3(version.as_ref()) {
        return;
    }
    for (from, to) in [("securityDefinitions", "securitySchemes"), ("definitions", "schemas")] {
        if doc.get(from).is_some_and(says) {
            let moved = doc.remove(from).unwrap_or_default();
            if let Some(components) = mapping(doc, "components") {
                components.insert(to, moved);
            }
        }
    }
    for path in path_names(doc) {
        let Some(Value::Map(item)) = paths(doc).and_then(|paths| paths.get_mut(&path)) else { continue };
        let Some(Value::Map(options)) = item.get_mut("options") else { continue };
        options.remove("produces");
        options.remove("consumes");
        let headers = options.get_mut("responses").and_then(|r| inner(r, "200")).and_then(|r| inner(r, "headers"));
        if let Some(Value::Map(headers)) = headers {
            headers.iter_mut().for_each(|(_, header)| *header = map([("schema", std::mem::take(header))]));
        }
    }
}

fn inner<'v>(value: &'v mut Value, key: &str) -> Option<&'v mut Value> {
    match value {
        Value::Map(map) => map.get_mut(key),
        _ => None,
    }
}

/// A path with its parameters as wildcards, as in the ARN of a method.
pub(crate) fn wild(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, behind)) if is_parameter(name) => {
                out.push('*');
                rest = behind;
            }
            _ => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

fn is_parameter(name: &str) -> bool {
    let name = name.strip_suffix('+').unwrap_or(name);
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_paths() {
        for (version, want) in [("3.0.1", true), ("3.0", true), ("3", false), ("2.0", false), ("3.0.1.1", false), ("3.10", false)]
        {
            assert_eq!(is_version_3(Some(&text(version))), want, "{version}");
        }
        for (path, want) in [("/a/{b}/c", "/a/*/c"), ("/{proxy+}", "/*"), ("/{a b}", "/{a b}"), ("/{", "/{")] {
            assert_eq!(wild(path), want);
        }
    }
}
