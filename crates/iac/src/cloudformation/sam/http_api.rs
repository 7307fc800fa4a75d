//! `AWS::Serverless::HttpApi`: the HTTP API with its definition and stage.

use model::{GapReason, Map, Value};

use super::body::{self, mapping};
use super::made::{Made, list, map, text};
use super::{Expansion, Source, authorizer, domain, written};

const KNOWN: &[&str] = &[
    "Name",
    "StageName",
    "Tags",
    "PropagateTags",
    "DefinitionBody",
    "DefinitionUri",
    "StageVariables",
    "CorsConfiguration",
    "AccessLogSettings",
    "DefaultRouteSettings",
    "Auth",
    "RouteSettings",
    "Domain",
    "FailOnWarnings",
    "Description",
    "DisableExecuteApiEndpoint",
];

const CREATED_BY: &str = "httpapi:createdBy";

/// Makes what an HTTP API becomes.
pub(crate) fn expand(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    cx.unknown_properties(source, &[KNOWN]);
    let mut api = cx.apis.remove(&source.id).unwrap_or_default();
    let routes = std::mem::take(&mut api.routes);
    // SAM tags its stage and domain where it can write into the definition.
    let writable = api.body.as_ref().is_some_and(body::is_valid);
    match &mut api.body {
        Some(doc) if writable => write(cx, source, doc),
        _ => {
            for key in ["CorsConfiguration", "Auth"] {
                if source.get(key).says() {
                    let detail = format!("`{key}` needs a definition that can be written into");
                    cx.gap(source, Some(source.get(key)), GapReason::Unsupported, &detail);
                }
            }
        }
    }
    let mut made = cx.make(source, &source.id, "AWS::ApiGatewayV2::Api");
    made.copy_said("FailOnWarnings", source.get("FailOnWarnings"));
    if source.get("FailOnWarnings").says()
        && let Some(paths) = api.body.as_mut().and_then(body::paths)
        && let Some(default) = paths.remove("$default")
    {
        paths.insert("/$default", default);
    }
    let inline = api.body.is_some();
    api.finish(source, &mut made);
    cx.add(made);
    permissions(cx, source);
    let tags = if inline { tags(source, writable) } else { Value::Null };
    if source.get("Domain").is_set() {
        let created = tags.clone();
        domain::of_http(cx, source, source.get("Domain"), if created.is_null() { created_by(CREATED_BY) } else { created });
    }
    let setting = Stage { default: "$default", default_id: "ApiGatewayDefaultStage", tags, routes };
    stage(cx, source, setting);
}

fn created_by(key: &str) -> Value {
    map([(key, text("SAM"))])
}

/// The tags of the stage: a mapping, SAM's own among them.
fn tags(source: &Source, writable: bool) -> Value {
    let mut tags = source.get("Tags").value.as_map().cloned().unwrap_or_default();
    if writable {
        tags.insert(CREATED_BY, text("SAM"));
    }
    if tags.is_empty() { Value::Null } else { Value::Map(tags) }
}

/// Writes the settings into the definition.
fn write(cx: &Expansion<'_, '_, '_>, source: &Source, doc: &mut Map) {
    cors(source, doc);
    auth(cx, source, doc);
    if let Value::Map(tags) = tags(source, true) {
        add_tags(doc, &tags);
    }
    let disabled = source.get("DisableExecuteApiEndpoint");
    if disabled.is_set() {
        let servers = doc.entry("servers");
        if servers.is_null() {
            *servers = list([Value::Map(Map::new())]);
        }
        if let Value::List(servers) = servers {
            for server in servers {
                if let Value::Map(server) = server
                    && let Some(configuration) = mapping(server, "x-amazon-apigateway-endpoint-configuration")
                {
                    configuration.insert("disableExecuteApiEndpoint", disabled.value.clone());
                }
            }
        }
    }
    if let Some(info) = mapping(doc, "info") {
        let default = info.get("title") == Some(&cx.pseudo("AWS::StackName"));
        if source.get("Name").says() && default {
            info.insert("title", source.get("Name").value.clone());
        }
        if source.get("Description").says() && info.get("description").is_none() {
            info.insert("description", source.get("Description").value.clone());
        }
    }
}

fn add_tags(doc: &mut Map, tags: &Map) {
    const VALUE: &str = "x-amazon-apigateway-tag-value";
    let listed = doc.entry("tags");
    if listed.is_null() {
        *listed = list([]);
    }
    let Value::List(listed) = listed else { return };
    for (name, value) in tags.iter() {
        let there = listed.iter_mut().find_map(|tag| match tag {
            Value::Map(tag) if tag.get("name").and_then(Value::as_str) == Some(name) => Some(tag),
            _ => None,
        });
        match there {
            Some(tag) => {
                tag.insert(VALUE, value.clone());
            }
            None => listed.push(map([("name", text(name)), (VALUE, value.clone())])),
        }
    }
}

fn cors(source: &Source, doc: &mut Map) {
    let part = source.get("CorsConfiguration");
    if !part.says() {
        return;
    }
    let configuration = match part.value {
        Value::Bool(_) => map([("allowOrigins", list([text("*")]))]),
        Value::Map(_) => {
            let said = |key: &str| part.get(key).said();
            map([
                ("allowOrigins", said("AllowOrigins")),
                ("allowHeaders", said("AllowHeaders")),
                ("allowMethods", said("AllowMethods")),
                ("exposeHeaders", said("ExposeHeaders")),
                ("maxAge", part.get("MaxAge").value.clone()),
                (
                    "allowCredentials",
                    if part.get("AllowCredentials").value.as_bool() == Some(true) { true.into() } else { Value::Null },
                ),
            ])
        }
        unknown => unknown.clone(),
    };
    let there = doc.entry("x-amazon-apigateway-cors");
    match (there, configuration) {
        (Value::Map(there), Value::Map(configuration)) => {
            for (key, value) in configuration {
                there.insert(key, value);
            }
        }
        (there, configuration) => *there = configuration,
    }
}

fn auth(cx: &Expansion<'_, '_, '_>, source: &Source, doc: &mut Map) {
    let auth = source.get("Auth");
    if !auth.says() {
        return;
    }
    let mut schemes = Vec::new();
    if auth.get("EnableIamAuthorizer").value.as_bool() == Some(true) {
        schemes.push(("AWS_IAM", body::signed()));
    }
    for (name, part) in auth.get("Authorizers").entries() {
        schemes.push((name, authorizer::of_http(cx, source, part)));
    }
    let known: Vec<&str> = schemes.iter().map(|(name, _)| *name).collect();
    let default = auth.get("DefaultAuthorizer").text();
    if let Some(default) = default.filter(|default| !known.contains(default)) {
        let detail = format!("the default authorizer `{default}` is not among the `Authorizers`");
        cx.gap(source, Some(auth), GapReason::Malformed, &detail);
    }
    if !schemes.is_empty()
        && let Some(components) = mapping(doc, "components")
        && let Some(all) = mapping(components, "securitySchemes")
    {
        for (name, scheme) in schemes {
            all.insert(name, scheme);
        }
    }
    if let Some(default) = default
        && cx.afford(auth.get("Authorizers").get(default).value, body::path_names(doc).len())
    {
        let scopes = auth.get("Authorizers").get(default).get("AuthorizationScopes").value.clone();
        for path in body::path_names(doc) {
            for (name, method) in body::integrated_methods(doc, &path) {
                if &*name != "options" && body::requirements(method).is_empty() {
                    method.insert("security", list([body::requirement(default, scopes.clone())]));
                }
            }
        }
    }
}

fn permissions(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    for (name, part) in source.get("Auth").get("Authorizers").entries() {
        let function = part.get("FunctionArn");
        if function.says() && part.get("EnableFunctionDefaultPermissions").says() {
            authorizer::permission(cx, source, &format!("{}{name}AuthorizerPermission", source.id), function);
        }
    }
}

/// How the stage of an API of the second version is called and tagged.
pub(crate) struct Stage {
    pub(crate) default: &'static str,
    /// What ends the logical id of the default stage.
    pub(crate) default_id: &'static str,
    pub(crate) tags: Value,
    /// Settings of routes that events ask for.
    pub(crate) routes: Map,
}

/// Makes the stage of an HTTP API or of a WebSocket API.
pub(crate) fn stage(cx: &mut Expansion<'_, '_, '_>, source: &Source, setting: Stage) {
    let written = source.written.get("StageName");
    let name = match written {
        None => setting.default,
        Some(name) => name.as_str().unwrap_or_default(),
    };
    let id = match name {
        name if name == setting.default => format!("{}{}", source.id, setting.default_id),
        name if written::is_alphanumeric(name) => format!("{}{name}Stage", source.id),
        name if source.kind == "WebSocketApi" => format!("{}{name}Stage", source.id),
        name => written::hashed(&format!("{}Stage", source.id), &name.into()),
    };
    let mut made = cx.make(source, &id, "AWS::ApiGatewayV2::Stage");
    made.set("ApiId", cx.refer(&source.id));
    match source.get("StageName") {
        name if name.says() => made.copy("StageName", name),
        _ => made.set("StageName", text(setting.default)),
    }
    made.copy_all(source.props(), &["StageVariables", "AccessLogSettings", "DefaultRouteSettings", "RouteSettings"]);
    add_routes(&mut made, setting.routes);
    made.set("Tags", setting.tags);
    made.set("AutoDeploy", true);
    cx.add(made);
}

fn add_routes(made: &mut Made, routes: Map) {
    if routes.is_empty() {
        return;
    }
    let settings = made.resource.props.entry("RouteSettings");
    if settings.is_null() {
        *settings = Value::Map(Map::new());
    }
    if let Value::Map(settings) = settings {
        for (route, value) in routes {
            settings.insert(route, value);
        }
    }
}
