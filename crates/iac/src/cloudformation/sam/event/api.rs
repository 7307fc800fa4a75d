//! Events of APIs: `Api` and `HttpApi`. They write methods into the API's definition.

use std::rc::Rc;

use model::{GapReason, Map, Value};

use super::super::api::{Api, Settings};
use super::super::body::{self, INTEGRATION};
use super::super::made::{list, map, text};
use super::super::part::Part;
use super::super::{Expansion, Source, resource_policy};
use super::{Call, Event};

/// The logical id of the API that an event belongs to; `None` for other events, and where it is not known.
pub(crate) fn rest_api_of(cx: &Expansion<'_, '_, '_>, event: &Event<'_>) -> Option<String> {
    let (key, implicit) = match event.kind {
        "Api" => ("RestApiId", "ServerlessRestApi"),
        "HttpApi" => ("ApiId", "ServerlessHttpApi"),
        _ => return None,
    };
    match event.props.get(key).value {
        Value::Null => Some(implicit.to_owned()),
        value => cx.logical_id(value).map(str::to_owned),
    }
}

/// What ends the logical id of a permission for an API: the name of its stage if it is written out.
pub(crate) fn stage_suffix(cx: &Expansion<'_, '_, '_>, id: Option<&str>) -> String {
    let Some(id) = id else { return "AllStages".to_owned() };
    if id == "ServerlessRestApi" && cx.node(id).is_none() {
        return "Prod".to_owned();
    }
    let name = cx.node(id).and_then(|n| n.get("Properties")?.get("StageName"));
    name.filter(|n| n.tag.is_none()).and_then(|n| n.as_str()).map_or_else(|| "Stage".to_owned(), str::to_owned)
}

/// `Api`.
pub(crate) fn rest(cx: &mut Expansion<'_, '_, '_>, call: &Call<'_>) {
    let props = call.event.props;
    let (Some(path), Some(method)) = (props.get("Path").text(), props.get("Method").text()) else {
        return call.gap(cx, GapReason::Malformed, "an event of an API needs `Path` and `Method`");
    };
    let id = rest_api_of(cx, call.event);
    let api_ref = match props.get("RestApiId").value {
        Value::Null => cx.refer("ServerlessRestApi"),
        given => given.clone(),
    };
    let suffix = stage_suffix(cx, id.as_deref());
    let mut permission = call.permission(cx, "apigateway.amazonaws.com", &suffix);
    permission.set("SourceArn", method_arn(cx, &api_ref, method, trimmed(path)));
    cx.add(permission);
    let source = id.as_deref().and_then(|id| cx.apis.remove(id).map(|api| (id.to_owned(), api)));
    let Some((id, mut api)) = source else {
        let known = id.as_deref().is_some_and(|id| cx.node(id).is_some());
        if !known {
            call.gap(cx, GapReason::Malformed, "`RestApiId` must refer to an API of the same template");
        }
        return;
    };
    write(cx, call, &mut api, (&id, path, method, &suffix));
    cx.apis.insert(id, api);
}

/// Writes the method into the definition, if the definition is SAM's to write.
fn write(cx: &Expansion<'_, '_, '_>, call: &Call<'_>, api: &mut Api, (id, path, method, suffix): (&str, &str, &str, &str)) {
    let props = call.event.props;
    let settings = settings_of(cx, id);
    let auth = props.get("Auth");
    let merge = settings.get("MergeDefinitions").value.as_bool() == Some(true);
    if api.managed || merge {
        let mut own = None;
        let doc = match &mut api.body {
            Some(doc) if !merge => doc,
            Some(_) => own.insert(body::skeleton(("swagger", "2.0"), cx.pseudo("AWS::StackName"))),
            None => return,
        };
        if body::integrated(doc, path, method).is_some() {
            return call.gap(cx, GapReason::Malformed, &format!("`{method} {path}` is defined more than once"));
        }
        integrate(cx, call, doc, (path, method, &settings));
        let place = Place { path, method, stage: suffix };
        if auth.says() {
            authorize(cx, doc, auth, settings.get("Auth"), &place);
        }
        details(cx, call, doc, (path, method, settings.get("Models")));
        if let Some(own) = own
            && let Some(doc) = &mut api.body
        {
            merge_into(doc, own, path, method);
        }
        api.wrote(path, method, call.event.part);
    }
    if auth.get("OverrideApiAuth").says()
        && let Some(doc) = &mut api.body
    {
        let place = Place { path, method, stage: suffix };
        authorize(cx, doc, auth, settings.get("Auth"), &place);
    }
}

/// The properties of the API that an event belongs to.
fn settings_of(cx: &Expansion<'_, '_, '_>, id: &str) -> Rc<Settings> {
    cx.settings.get(id).cloned().unwrap_or_default()
}

/// A path as an event has it, without the slash at its end.
fn trimmed(path: &str) -> &str {
    path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path)
}

fn method_arn(cx: &Expansion<'_, '_, '_>, api: &Value, method: &str, path: &str) -> Value {
    let method = if method.eq_ignore_ascii_case("any") { "*".to_owned() } else { method.to_uppercase() };
    let arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/${Stage}/";
    cx.compose(&format!("{arn}{method}{}", body::wild(path)), &[("Api", api), ("Stage", &text("*"))])
}

/// The URI under which API Gateway calls a function.
fn uri(cx: &Expansion<'_, '_, '_>, call: &Call<'_>, streams: bool) -> Value {
    let (version, end) = match streams {
        true => ("2021-11-15", "response-streaming-invocations"),
        false => ("2015-03-31", "invocations"),
    };
    let arn = format!("arn:${{AWS::Partition}}:apigateway:${{AWS::Region}}:lambda:path/{version}/functions/${{Function}}/{end}");
    cx.compose(&arn, &[("Function", &call.target.arn)])
}

fn integrate(cx: &Expansion<'_, '_, '_>, call: &Call<'_>, doc: &mut Map, (path, method, settings): (&str, &str, &Settings)) {
    let props = call.event.props;
    let streams = props.get("ResponseTransferMode").text() == Some("RESPONSE_STREAM");
    let (own, api) = (props.get("Auth"), settings.get("Auth"));
    let signed = own.get("Authorizer").text() == Some("AWS_IAM")
        || (api.get("DefaultAuthorizer").text() == Some("AWS_IAM") && !own.says());
    let credentials = if signed { credentials(cx, own, api) } else { Value::Null };
    let integration = map([
        ("type", text("aws_proxy")),
        ("httpMethod", text("POST")),
        ("uri", uri(cx, call, streams)),
        ("responseTransferMode", if streams { text("STREAM") } else { Value::Null }),
        ("credentials", credentials),
    ]);
    if !body::integrate(doc, path, method, integration, Value::Map(Map::new())) {
        call.gap(cx, GapReason::Malformed, &format!("the definition's path `{path}` is no mapping"));
    }
}

/// As whom the function is called; null for as the API itself.
fn credentials(cx: &Expansion<'_, '_, '_>, own: Part<'_>, api: Part<'_>) -> Value {
    let role = |auth: Part<'_>| match auth.get("InvokeRole") {
        role if role.says() => role.value.clone(),
        role if role.is_set() => text("NONE"),
        _ => Value::Null,
    };
    let role = match role(own) {
        Value::Null => role(api),
        role => role,
    };
    match role.as_str() {
        Some("NONE") => Value::Null,
        None if !role.is_null() => role,
        Some(role) if role != "CALLER_CREDENTIALS" => text(role),
        _ => cx.compose("arn:${AWS::Partition}:iam::*:user/*", &[]),
    }
}

/// Which method of which stage is meant.
pub(crate) struct Place<'p> {
    pub(crate) path: &'p str,
    pub(crate) method: &'p str,
    pub(crate) stage: &'p str,
}

/// Writes what `Auth` of an event asks for: the authorizer, the key, and the resource policy.
pub(crate) fn authorize(cx: &Expansion<'_, '_, '_>, doc: &mut Map, auth: Part<'_>, of_api: Part<'_>, at: &Place<'_>) {
    let add = |doc: &mut Map, requirement: Value| {
        let Some(method) = body::integrated(doc, at.path, at.method) else { return };
        let mut all = body::requirements(method);
        all.push(requirement);
        let signed = all.first().is_some_and(|first| first.get("AWS_IAM").is_some());
        method.insert("security", Value::List(all));
        if signed {
            body::define_security(doc, "AWS_IAM", body::signed());
        }
    };
    if let Some(name) = auth.get("Authorizer").text() {
        let authorizer = of_api.get("Authorizers").get(name);
        let scopes = match auth.get("AuthorizationScopes") {
            own if own.is_set() => own,
            _ => authorizer.get("AuthorizationScopes"),
        };
        let known = name != "NONE" && authorizer.is_set() && cx.afford(scopes.value, 1);
        add(doc, body::requirement(name, if known { scopes.value.clone() } else { Value::Null }));
    }
    let key = auth.get("ApiKeyRequired");
    if key.is_set() {
        let name = if key.says() { "api_key" } else { "api_key_false" };
        if key.says() {
            body::define_security(doc, "api_key", body::keyed());
        }
        add(doc, body::requirement(name, list([])));
    }
    let policy = auth.get("ResourcePolicy");
    if policy.says() && cx.afford(policy.value, 1) {
        resource_policy::add(cx, doc, policy, at.path, &text(at.stage));
        resource_policy::add_custom(doc, policy.get("CustomStatements"));
    }
}

/// Timeout, request model and parameters.
fn details(cx: &Expansion<'_, '_, '_>, call: &Call<'_>, doc: &mut Map, (path, name, models): (&str, &str, Part<'_>)) {
    let props = call.event.props;
    let timeout = props.get("TimeoutInMillis");
    if timeout.says()
        && let Some(Value::Map(integration)) = body::integrated(doc, path, name).and_then(|m| m.get_mut(INTEGRATION))
    {
        integration.insert("timeoutInMillis", timeout.value.clone());
    }
    let request = props.get("RequestModel");
    if let Some(model) = request.get("Model").text() {
        if !models.get(model).says() {
            call.gap(cx, GapReason::Malformed, &format!("the API has no model `{model}`"));
        }
        request_model(doc, (path, name), (model, request));
    }
    let parameters = props.get("RequestParameters");
    if parameters.says() {
        request_parameters(doc, (path, name), parameters);
    }
}

fn request_model(doc: &mut Map, (path, name): (&str, &str), (model, request): (&str, Part<'_>)) {
    let lower = model.to_lowercase();
    let swagger = doc.get("swagger").is_some_and(|v| !v.is_null());
    let required = request.get("Required").value.clone();
    if let Some(method) = body::integrated(doc, path, name) {
        if swagger {
            let parameter = map([
                ("in", text("body")),
                ("name", text(&lower)),
                ("schema", map([("$ref", text(format!("#/definitions/{lower}")))])),
                ("required", required),
            ]);
            add_parameter(method, parameter);
        } else {
            let schema = map([("$ref", text(format!("#/components/schemas/{lower}")))]);
            let content = map([("application/json", map([("schema", schema)]))]);
            method.insert("requestBody", map([("content", content), ("required", required)]));
        }
    }
    let (of_body, of_parameters) = (request.get("ValidateBody"), request.get("ValidateParameters"));
    if of_body.is_set() || of_parameters.is_set() {
        let validator = match (of_body.says(), of_parameters.says()) {
            (true, true) => "body-and-params",
            (true, false) => "body-only",
            (false, true) => "params-only",
            (false, false) => "no-validation",
        };
        if let Some(all) = body::mapping(doc, "x-amazon-apigateway-request-validators")
            && !all.contains_key(validator)
        {
            let definition =
                [("validateRequestBody", of_body.says().into()), ("validateRequestParameters", of_parameters.says().into())];
            all.insert(validator, map(definition));
        }
        if let Some(method) = body::integrated(doc, path, name) {
            method.insert("x-amazon-apigateway-request-validator", text(validator));
        }
    }
}

fn add_parameter(method: &mut Map, parameter: Value) {
    let parameters = method.entry("parameters");
    if parameters.is_null() {
        *parameters = list([]);
    }
    if let Value::List(items) = parameters {
        items.push(parameter);
    }
}

fn request_parameters(doc: &mut Map, (path, name): (&str, &str), parameters: Part<'_>) {
    let Some(method) = body::integrated(doc, path, name) else { return };
    for part in parameters.items() {
        let (full, settings) = match (part.text(), part.entries().next()) {
            (Some(full), _) => (full, None),
            (None, Some((full, settings))) => (full, Some(settings)),
            _ => continue,
        };
        let setting =
            |key: &str| settings.map(|s| s.get(key).value.clone()).filter(|v| !v.is_null()).unwrap_or(Value::Bool(false));
        let Some((location, short)) = full.strip_prefix("method.request.").and_then(|rest| rest.split_once('.')) else {
            continue;
        };
        let location = if location == "querystring" { "query" } else { location };
        let parameter =
            map([("in", text(location)), ("name", text(short)), ("required", setting("Required")), ("type", text("string"))]);
        add_parameter(method, parameter);
        if super::super::part::says(&setting("Caching"))
            && let Some(Value::Map(integration)) = method.get_mut(INTEGRATION)
        {
            let keys = integration.entry("cacheKeyParameters");
            let mut all = keys.as_list().map(<[Value]>::to_vec).unwrap_or_default();
            all.push(text(full));
            *keys = Value::List(all);
        }
    }
}

/// `MergeDefinitions`: what the event makes wins over what is written.
fn merge_into(doc: &mut Map, mut own: Map, path: &str, method: &str) {
    let made = body::integrated(&mut own, path, method).map(std::mem::take).unwrap_or_default();
    let lower = method.to_lowercase();
    if let Some(paths) = body::mapping(doc, "paths")
        && let Some(item) = body::mapping(paths, path)
        && let Some(written) = body::mapping(item, &lower)
    {
        for (key, value) in made {
            written.insert(key, value);
        }
    }
}

/// `HttpApi`.
pub(crate) fn http(cx: &mut Expansion<'_, '_, '_>, call: &Call<'_>) {
    let (path, method) = route_of(call.event);
    let id = rest_api_of(cx, call.event);
    let api_ref = match call.event.props.get("ApiId").value {
        Value::Null => cx.refer("ServerlessHttpApi"),
        given => given.clone(),
    };
    let found = id.as_deref().and_then(|id| cx.apis.remove(id).map(|api| (id.to_owned(), api)));
    let by_default = found.as_ref().is_some_and(|(_, api)| api.default_function.as_deref() == Some(&*call.target.id));
    if path == DEFAULT || !by_default {
        let mut permission = call.permission(cx, "apigateway.amazonaws.com", "");
        permission.set("SourceArn", route_arn(cx, &api_ref, &path, &method));
        cx.add(permission);
    }
    let Some((id, mut api)) = found else {
        if id.as_deref().is_none_or(|id| cx.node(id).is_none()) {
            call.gap(cx, GapReason::Malformed, "`ApiId` must refer to an API of the same template");
        }
        return;
    };
    write_route(cx, call, &mut api, (&id, &path, &method));
    cx.apis.insert(id, api);
}

/// The path of the route that takes what no other takes.
pub(crate) const DEFAULT: &str = "$default";

/// The path and method of an event; the default route if it has neither.
fn route_of(event: &Event<'_>) -> (String, String) {
    match (event.props.get("Path").text(), event.props.get("Method").text()) {
        (None, None) => (DEFAULT.to_owned(), body::ANY.to_owned()),
        (path, method) => (path.unwrap_or_default().to_owned(), method.unwrap_or("any").to_owned()),
    }
}

fn route_arn(cx: &Expansion<'_, '_, '_>, api: &Value, path: &str, method: &str) -> Value {
    let any = method.eq_ignore_ascii_case("any") || method.eq_ignore_ascii_case(body::ANY);
    let shown = if any { "*".to_owned() } else { method.to_uppercase() };
    let path = if path == DEFAULT { String::new() } else { body::wild(trimmed(path)) };
    let route = match any && path == "/$default" {
        true => path,
        false => format!("/{shown}{path}"),
    };
    let arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/${Stage}";
    cx.compose(&format!("{arn}{route}"), &[("Api", api), ("Stage", &text("*"))])
}

fn write_route(cx: &Expansion<'_, '_, '_>, call: &Call<'_>, api: &mut Api, (id, path, method): (&str, &str, &str)) {
    let props = call.event.props;
    let settings = settings_of(cx, id);
    let routes = props.get("RouteSettings");
    if routes.says() {
        let route = if method == body::ANY { path.to_owned() } else { format!("{} {path}", method.to_uppercase()) };
        let mut of_api = settings.get("RouteSettings").get(&route).value.as_map().cloned().unwrap_or_default();
        for (key, part) in routes.entries() {
            of_api.insert(key, part.value.clone());
        }
        api.routes.insert(route, Value::Map(of_api));
    }
    let managed = api.managed;
    let Some(doc) = &mut api.body else { return };
    if body::integrated(doc, path, method).is_some() {
        if managed {
            call.gap(cx, GapReason::Malformed, &format!("`{method} {path}` is defined more than once"));
        }
    } else {
        let integration = map([
            ("type", text("aws_proxy")),
            ("httpMethod", text("POST")),
            ("payloadFormatVersion", text("2.0")),
            ("uri", uri(cx, call, false)),
        ]);
        if !body::integrate(doc, path, method, integration, Value::Map(Map::new())) {
            return call.gap(cx, GapReason::Malformed, &format!("the definition's path `{path}` is no mapping"));
        }
        if path == DEFAULT && body::normal(method) == body::ANY {
            if let Some(method) = body::integrated(doc, path, method) {
                method.insert("isDefaultRoute", true.into());
            }
            if call.target.id == call.source.id {
                api.default_function = Some(call.target.id.clone());
            }
        }
    }
    let Some(doc) = &mut api.body else { return };
    route_details(cx, call, doc, (path, method), settings.get("Auth"));
    api.wrote(path, method, call.event.part);
}

fn route_details(cx: &Expansion<'_, '_, '_>, call: &Call<'_>, doc: &mut Map, (path, name): (&str, &str), of_api: Part<'_>) {
    let props = call.event.props;
    let Some(method) = body::integrated(doc, path, name) else { return };
    let auth = props.get("Auth");
    if auth.says() {
        let own = auth.get("Authorizer");
        match own.text().or(of_api.get("DefaultAuthorizer").text()) {
            Some(name) => {
                let authorizer = of_api.get("Authorizers").get(name);
                let scopes = match auth.get("AuthorizationScopes") {
                    own if own.says() => own,
                    _ => authorizer.get("AuthorizationScopes"),
                };
                let scoped = !matches!(name, "NONE" | "AWS_IAM") && cx.afford(scopes.value, 1);
                let mut all = body::requirements(method);
                all.push(body::requirement(name, if scoped { scopes.said() } else { Value::Null }));
                method.insert("security", Value::List(all));
            }
            None => call.gap(cx, GapReason::Malformed, "`Auth` names no authorizer, and the API has no default one"),
        }
    }
    for name in parameters_of(path) {
        path_parameter(method, name);
    }
    for (key, into) in [("TimeoutInMillis", "timeoutInMillis"), ("PayloadFormatVersion", "payloadFormatVersion")] {
        if let (true, Some(Value::Map(integration))) = (props.get(key).says(), method.get_mut(INTEGRATION)) {
            integration.insert(into, props.get(key).value.clone());
        }
    }
}

/// The names in braces.
fn parameters_of(path: &str) -> impl Iterator<Item = &str> {
    path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

fn path_parameter(method: &mut Map, name: &str) {
    let there = method.get_mut("parameters").and_then(|parameters| match parameters {
        Value::List(items) => items.iter_mut().find_map(|item| match item {
            Value::Map(item) if item.get("name").and_then(Value::as_str) == Some(name) => Some(item),
            _ => None,
        }),
        _ => None,
    });
    match there {
        Some(parameter) => {
            parameter.insert("in", text("path"));
            parameter.insert("required", true.into());
        }
        None => add_parameter(method, map([("name", text(name)), ("in", text("path")), ("required", true.into())])),
    }
}

/// The method of a state machine's event, which starts an execution.
pub(crate) fn start_execution(
    cx: &mut Expansion<'_, '_, '_>,
    source: &Source,
    event: &Event<'_>,
    (role, machine): (Value, Value),
) {
    let props = event.props;
    let gap = |cx: &Expansion<'_, '_, '_>, detail: &str| cx.gap(source, Some(event.part), GapReason::Malformed, detail);
    let (Some(path), Some(method)) = (props.get("Path").text(), props.get("Method").text()) else {
        return gap(cx, "an event of an API needs `Path` and `Method`");
    };
    let id = rest_api_of(cx, event);
    let suffix = stage_suffix(cx, id.as_deref());
    let Some((id, mut api)) = id.and_then(|id| cx.apis.remove(&id).map(|api| (id, api))) else {
        return gap(cx, "`RestApiId` must refer to an API of the same template");
    };
    if let (true, Some(doc)) = (api.managed, &mut api.body) {
        if body::integrated(doc, path, method).is_some() {
            gap(cx, &format!("`{method} {path}` is defined more than once"));
        }
        let template = match props.get("UnescapeMappingTemplate").value.as_bool() {
            Some(true) => {
                r#"{"input": "$util.escapeJavaScript($input.json('$')).replaceAll("\\'","'")", "stateMachineArn": "${Machine}"}"#
            }
            _ => r#"{"input": "$util.escapeJavaScript($input.json('$'))", "stateMachineArn": "${Machine}"}"#,
        };
        let status = |code: &str| map([("statusCode", text(code))]);
        let integration = map([
            ("type", text("aws")),
            ("httpMethod", text("POST")),
            ("uri", cx.compose("arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/StartExecution", &[])),
            ("responses", map([("200", status("200")), ("400", status("400"))])),
            ("credentials", role),
            ("requestTemplates", map([("application/json", cx.compose(template, &[("Machine", &machine)]))])),
        ]);
        let described = |words: &str| map([("description", text(words))]);
        let responses = map([("200", described("OK")), ("400", described("Bad Request"))]);
        body::integrate(doc, path, method, integration, responses);
        let settings = settings_of(cx, &id);
        if props.get("Auth").says() {
            authorize(cx, doc, props.get("Auth"), settings.get("Auth"), &Place { path, method, stage: &suffix });
        }
        api.wrote(path, method, event.part);
    }
    cx.apis.insert(id, api);
}
