//! `AWS::Serverless::Api`: the REST API with its definition, deployment and stage.

use std::rc::Rc;

use model::{GapReason, Map, Path, Reason, SpanTable, Value};

use super::body::{self, Cors, mapping};
use super::made::{Made, list, map, tags, text};
use super::part::{Part, says};
use super::{Expansion, Source, authorizer, domain, event, function, resource_policy, usage_plan, written};

const KNOWN: &[&str] = &[
    "Name",
    "StageName",
    "Tags",
    "PropagateTags",
    "DefinitionBody",
    "DefinitionUri",
    "MergeDefinitions",
    "CacheClusterEnabled",
    "CacheClusterSize",
    "Variables",
    "EndpointConfiguration",
    "MethodSettings",
    "BinaryMediaTypes",
    "MinimumCompressionSize",
    "Cors",
    "Auth",
    "GatewayResponses",
    "AccessLogSetting",
    "CanarySetting",
    "TracingEnabled",
    "OpenApiVersion",
    "Models",
    "Domain",
    "FailOnWarnings",
    "Description",
    "Mode",
    "DisableExecuteApiEndpoint",
    "ApiKeySourceType",
    "AlwaysDeploy",
    "Policy",
    "SecurityPolicy",
    "EndpointAccessMode",
];

/// The properties of an API that events belong to, global ones included.
#[derive(Default)]
pub(crate) struct Settings {
    props: Value,
    spans: SpanTable,
}

impl Settings {
    pub(crate) fn get(&self, key: &str) -> Part<'_> {
        Part::new(&self.props, &self.spans, None).get(key)
    }
}

/// An API that events write into.
#[derive(Default)]
pub(crate) struct Api {
    /// Its definition, if it is a mapping.
    pub(crate) body: Option<Map>,
    /// True if the definition is made from events alone.
    pub(crate) managed: bool,
    /// Where methods of the definition were written.
    pub(crate) spans: Vec<(Path, model::Span)>,
    /// Settings of routes that events ask for (HTTP APIs).
    pub(crate) routes: Map,
    /// The function that the default route calls (HTTP APIs).
    pub(crate) default_function: Option<String>,
}

impl Api {
    /// Notes where a method was written.
    pub(crate) fn wrote(&mut self, path: &str, method: &str, part: Part<'_>) {
        if let Some(span) = part.span() {
            let at = Path::ROOT.key("Body").key("paths").key(path).key(&body::normal(method));
            self.spans.push((at, span));
        }
    }

    /// Puts the definition into the resource that was made for the API.
    pub(crate) fn finish(self, source: &Source, made: &mut Made) {
        let definition = source.get("DefinitionBody");
        match self.body {
            Some(body) => {
                for (path, span) in self.spans {
                    made.wrote(path, Some(span));
                }
                if definition.is_set() {
                    definition.copy_spans(Path::ROOT.key("Body"), &mut made.resource.spans);
                }
                made.set("Body", Value::Map(body));
            }
            None if source.get("DefinitionUri").says() => {
                let from = source.get("DefinitionUri");
                made.derive("BodyS3Location", function::location(from, ["Bucket", "Key", "Version"]), from);
            }
            None => made.copy("Body", definition),
        }
    }
}

impl Expansion<'_, '_, '_> {
    /// Finds the definitions that events write into, with an empty method for each of the events.
    pub(crate) fn gather_apis(&mut self, sources: &[Source]) {
        for source in sources.iter().filter(|s| matches!(&*s.kind, "Api" | "HttpApi")) {
            let mut api = Api::default();
            match source.get("DefinitionBody") {
                definition if definition.says() => api.body = definition.value.as_map().cloned(),
                _ if source.get("DefinitionUri").says() => {}
                _ => {
                    api.managed = true;
                    let version = if source.kind == "Api" { ("swagger", "2.0") } else { ("openapi", "3.0.1") };
                    api.body = Some(body::skeleton(version, self.pseudo("AWS::StackName")));
                }
            }
            let version = source.get("OpenApiVersion");
            if let (true, true, Some(doc)) = (source.kind == "Api", api.managed, &mut api.body)
                && body::is_version_3(Some(version.value))
            {
                doc.remove("swagger");
                doc.insert("openapi", super::super::text::shown(version.value).map_or(Value::Null, Value::Str));
            }
            self.apis.insert(source.id.clone(), api);
            let settings = Settings { props: source.props.clone(), spans: source.spans.clone() };
            self.settings.insert(source.id.clone(), Rc::new(settings));
        }
        for source in sources.iter().filter(|s| matches!(&*s.kind, "Function" | "StateMachine")) {
            for event in event::events(self, source) {
                let Some(id) = event::rest_api_of(self, &event) else { continue };
                let Some(api) = self.apis.get_mut(&id).filter(|api| api.managed) else { continue };
                if let (Some(path), Some(method)) = (event.props.get("Path").text(), event.props.get("Method").text())
                    && let Some(doc) = &mut api.body
                {
                    body::method(doc, path, method);
                }
            }
        }
    }
}

/// Makes what a REST API becomes.
pub(crate) fn expand(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    cx.unknown_properties(source, &[KNOWN]);
    let before = cx.made.len();
    let mut api = cx.apis.remove(&source.id).unwrap_or_default();
    let writable = api.body.as_ref().is_some_and(body::is_valid);
    for key in ["Cors", "Auth", "GatewayResponses", "Models"] {
        if source.get(key).says() && !writable {
            let detail = format!("`{key}` needs a definition that can be written into");
            cx.gap(source, Some(source.get(key)), GapReason::Unsupported, &detail);
        }
    }
    if let Some(doc) = &mut api.body {
        if writable {
            cors(cx, source, doc);
            auth(cx, source, doc);
            gateway_responses(source, doc);
        }
        if source.get("BinaryMediaTypes").says() {
            doc.insert("x-amazon-apigateway-binary-media-types", unescaped(source.get("BinaryMediaTypes").value));
        }
        if writable {
            models(source, doc);
        }
        endpoint(source, doc);
        body::settle(doc, version(source));
    }
    let mut made = cx.make(source, &source.id, "AWS::ApiGateway::RestApi");
    made.copy("BinaryMediaTypes", source.get("BinaryMediaTypes"));
    made.copy("MinimumCompressionSize", source.get("MinimumCompressionSize"));
    endpoint_configuration(cx, source, &mut made);
    for key in
        ["FailOnWarnings", "Name", "Description", "Mode", "ApiKeySourceType", "Policy", "SecurityPolicy", "EndpointAccessMode"]
    {
        made.copy_said(key, source.get(key));
    }
    api.finish(source, &mut made);
    let hash = fingerprint(&made);
    cx.add(made);
    let domain = source.get("Domain");
    if domain.is_set() {
        domain::of_rest(cx, source, domain);
    }
    let deployment = format!("{}Deployment{}", source.id, hash.chars().take(10).collect::<String>());
    deploy(cx, source, &deployment, &hash);
    let stage_id = stage(cx, source, &deployment);
    permissions(cx, source);
    usage_plan::expand(cx, source, &stage_id);
    function::propagate_tags(cx, source, before);
}

/// The version of OpenAPI that is asked for.
fn version(source: &Source) -> Option<&Value> {
    Some(source.get("OpenApiVersion").value).filter(|v| !v.is_null())
}

fn fingerprint(made: &Made) -> String {
    let body = made.resource.prop("Body");
    let content = if body.is_null() { made.resource.prop("BodyS3Location") } else { body };
    written::digits(&model::to_json(content).to_string(), 40)
}

fn cors(cx: &Expansion<'_, '_, '_>, source: &Source, doc: &mut Map) {
    let part = source.get("Cors");
    if !part.says() || !cx.afford(part.value, body::path_names(doc).len()) {
        return;
    }
    let setting = match part.value {
        Value::Map(_) => {
            let origin = part.get("AllowOrigin");
            Cors {
                origin: if origin.is_set() { origin.value.clone() } else { text("'*'") },
                headers: part.get("AllowHeaders").value.clone(),
                methods: part.get("AllowMethods").value.clone(),
                max_age: part.get("MaxAge").value.clone(),
                credentials: part.get("AllowCredentials").value.as_bool() == Some(true),
            }
        }
        origin => {
            Cors { origin: origin.clone(), headers: Value::Null, methods: Value::Null, max_age: Value::Null, credentials: false }
        }
    };
    body::add_cors(doc, &setting);
}

/// `Auth`: authorizers, the default one, keys, and the resource policy.
fn auth(cx: &Expansion<'_, '_, '_>, source: &Source, doc: &mut Map) {
    let auth = source.get("Auth");
    if !auth.says() {
        return;
    }
    let default = auth.get("DefaultAuthorizer").text();
    let mut authorizers: Vec<(&str, Part<'_>)> = auth.get("Authorizers").entries().collect();
    if default == Some("AWS_IAM") {
        authorizers.retain(|(name, _)| *name != "AWS_IAM");
    }
    for (name, part) in &authorizers {
        let definition = authorizer::of_rest(cx, *part);
        if let Some(all) = mapping(doc, "securityDefinitions") {
            all.insert(*name, definition);
        }
    }
    if default == Some("AWS_IAM") {
        body::define_security(doc, "AWS_IAM", body::signed());
    }
    if let Some(default) = default {
        let known = default == "AWS_IAM" || authorizers.iter().any(|(name, _)| *name == default);
        if !known {
            let detail = format!("the default authorizer `{default}` is not among the `Authorizers`");
            cx.gap(source, Some(auth), GapReason::Malformed, &detail);
        }
        if !cx.afford(auth.get("Authorizers").get(default).value, body::path_names(doc).len()) {
            return;
        }
        let preflight = auth.get("AddDefaultAuthorizerToCorsPreflight").value.as_bool() != Some(false);
        default_authorizer(doc, default, &authorizers, preflight);
    }
    if auth.get("ApiKeyRequired").says() {
        body::define_security(doc, "api_key", body::keyed());
        let preflight = auth.get("AddApiKeyRequiredToCorsPreflight").value.as_bool() != Some(false);
        default_key(doc, preflight);
    }
    let policy = auth.get("ResourcePolicy");
    if policy.says() && cx.afford(policy.value, body::path_names(doc).len()) {
        let stage = stage_name(source);
        for path in body::path_names(doc) {
            resource_policy::add(cx, doc, policy, &path, &stage);
        }
        resource_policy::add_custom(doc, policy.get("CustomStatements"));
    }
    body::settle(doc, version(source));
}

fn names(requirement: &Value, wanted: impl Fn(&str) -> bool) -> bool {
    requirement.as_map().is_some_and(|map| map.keys().any(|key| wanted(key)))
}

fn default_authorizer(doc: &mut Map, default: &str, authorizers: &[(&str, Part<'_>)], preflight: bool) {
    let scopes = authorizers.iter().find(|(name, _)| *name == default).map(|(_, a)| a.get("AuthorizationScopes").value.clone());
    let mut signed = false;
    for path in body::path_names(doc) {
        for (name, method) in body::integrated_methods(doc, &path) {
            if &*name == "options" && !preflight {
                continue;
            }
            let existing = body::requirements(method);
            let of_authorizer = |r: &Value| names(r, |key| key == "AWS_IAM" || authorizers.iter().any(|(name, _)| *name == key));
            let (own, mut others): (Vec<Value>, Vec<Value>) = existing.into_iter().partition(of_authorizer);
            match others.iter().position(|r| names(r, |key| key == "NONE")) {
                Some(at) => {
                    others.remove(at);
                }
                None if own.is_empty() => others.push(body::requirement(default, scopes.clone().unwrap_or_default())),
                None => others.extend(own),
            }
            signed |= others.first().is_some_and(|r| names(r, |key| key == "AWS_IAM"));
            if !others.is_empty() {
                method.insert("security", Value::List(others));
            }
        }
    }
    if signed {
        body::define_security(doc, "AWS_IAM", body::signed());
    }
}

fn default_key(doc: &mut Map, preflight: bool) {
    for path in body::path_names(doc) {
        for (name, method) in body::integrated_methods(doc, &path) {
            let existing = body::requirements(method);
            let of_key = |r: &Value| names(r, |key| matches!(key, "api_key" | "api_key_false"));
            let (own, mut others): (Vec<Value>, Vec<Value>) = existing.iter().cloned().partition(of_key);
            let refused = own.iter().any(|r| names(r, |key| key == "api_key_false"));
            if !refused && (&*name != "options" || preflight) {
                others.push(body::requirement("api_key", list([])));
            }
            if others != existing {
                method.insert("security", Value::List(others));
            }
        }
    }
}

fn gateway_responses(source: &Source, doc: &mut Map) {
    for (name, response) in source.get("GatewayResponses").entries() {
        let mut parameters = Map::new();
        let kinds = [("Headers", "header."), ("Paths", "path."), ("QueryStrings", "querystring.")];
        for (key, prefix) in kinds {
            for (name, value) in response.get("ResponseParameters").get(key).entries() {
                parameters.insert(format!("gatewayresponse.{prefix}{name}"), value.value.clone());
            }
        }
        let templates = response.get("ResponseTemplates");
        let status = super::super::text::shown(response.get("StatusCode").value);
        let definition = map([
            ("responseParameters", Value::Map(parameters)),
            ("responseTemplates", if templates.says() { templates.value.clone() } else { Value::Map(Map::new()) }),
            ("statusCode", status.map_or(Value::Null, Value::Str)),
        ]);
        if let Some(all) = mapping(doc, "x-amazon-apigateway-gateway-responses") {
            all.insert(name, definition);
        }
    }
}

fn models(source: &Source, doc: &mut Map) {
    let models = source.get("Models");
    if !models.says() {
        return;
    }
    for (name, schema) in models.entries() {
        if let Some(all) = mapping(doc, "definitions") {
            all.insert(name.to_lowercase(), schema.value.clone());
        }
    }
    body::settle(doc, version(source));
}

/// `DisableExecuteApiEndpoint`.
fn endpoint(source: &Source, doc: &mut Map) {
    const CONFIGURATION: &str = "x-amazon-apigateway-endpoint-configuration";
    let disabled = source.get("DisableExecuteApiEndpoint");
    if !disabled.is_set() {
        return;
    }
    let set = |of: &mut Map| {
        if let Some(configuration) = mapping(of, CONFIGURATION) {
            configuration.insert("disableExecuteApiEndpoint", disabled.value.clone());
        }
    };
    if !body::is_version_3(doc.get("openapi")) {
        return set(doc);
    }
    let servers = doc.entry("servers");
    if servers.is_null() {
        *servers = list([Value::Map(Map::new())]);
    }
    if let Value::List(servers) = servers {
        for server in servers {
            if let Value::Map(server) = server {
                set(server);
            }
        }
    }
}

/// Media types with `~1` for a slash.
fn unescaped(value: &Value) -> Value {
    match value {
        Value::Str(text) => Value::from(text.replace("~1", "/")),
        Value::List(items) => Value::List(items.iter().map(unescaped).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.replace("~1", "/").into(), unescaped(v))).collect()),
        other => other.clone(),
    }
}

fn endpoint_configuration(cx: &Expansion<'_, '_, '_>, source: &Source, made: &mut Made) {
    let part = source.get("EndpointConfiguration");
    let regional = text("REGIONAL");
    let kind = match part.value {
        _ if part.get("Type").says() && part.value.as_map().is_some() => part.get("Type").value,
        value if says(value) => value,
        _ if matches!(&*cx.partition(), "aws") => return,
        _ => &regional,
    };
    let member = |key: &str| if part.value.as_map().is_some() { part.get(key).value.clone() } else { Value::Null };
    let endpoints = match member("VPCEndpointIds") {
        Value::Null => member("VpcEndpointIds"),
        ids => ids,
    };
    let configuration =
        map([("Types", list([kind.clone()])), ("VpcEndpointIds", endpoints), ("IpAddressType", member("IpAddressType"))]);
    made.derive("EndpointConfiguration", configuration, part);
    made.derive("Parameters", map([("endpointConfigurationTypes", kind.clone())]), part);
}

fn deploy(cx: &mut Expansion<'_, '_, '_>, source: &Source, id: &str, hash: &str) {
    let mut made = cx.make(source, id, "AWS::ApiGateway::Deployment");
    made.set("Description", text(format!("RestApi deployment id: {hash}")));
    made.set("RestApiId", cx.refer(&source.id));
    if !source.get("OpenApiVersion").says() {
        made.set("StageName", text("Stage"));
    }
    cx.add(made);
}

/// The stage's name; unknown if there is none.
fn stage_name(source: &Source) -> Value {
    match source.get("StageName").value {
        Value::Null => Value::unknown_present(Reason::Malformed, "StageName"),
        name => name.clone(),
    }
}

/// Makes the stage and gives its logical id.
fn stage(cx: &mut Expansion<'_, '_, '_>, source: &Source, deployment: &str) -> String {
    let name = source.written.get("StageName").and_then(serde_json::Value::as_str).unwrap_or_default();
    if !source.get("StageName").is_set() {
        cx.gap(source, None, GapReason::Malformed, "has no `StageName`");
    }
    let id = match written::is_alphanumeric(name) {
        true => format!("{}{name}Stage", source.id),
        false => written::hashed(&format!("{}Stage", source.id), &name.into()),
    };
    let mut made = cx.make(source, &id, "AWS::ApiGateway::Stage");
    made.set("RestApiId", cx.refer(&source.id));
    made.set("DeploymentId", cx.refer(deployment));
    made.copy_all(
        source.props(),
        &[
            "StageName",
            "CacheClusterEnabled",
            "CacheClusterSize",
            "Variables",
            "MethodSettings",
            "AccessLogSetting",
            "CanarySetting",
            "TracingEnabled",
        ],
    );
    if source.get("Tags").is_set() {
        made.derive("Tags", Value::List(tags(source.get("Tags"))), source.get("Tags"));
    }
    cx.add(made);
    id
}

fn permissions(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    for (name, part) in source.get("Auth").get("Authorizers").entries() {
        let function = part.get("FunctionArn");
        if function.says() && !part.get("DisableFunctionDefaultPermissions").says() {
            authorizer::permission(cx, source, &format!("{}{name}AuthorizerPermission", source.id), function);
        }
    }
}
