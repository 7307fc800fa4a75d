//! `AWS::Serverless::WebSocketApi`: the WebSocket API with its routes, integrations and stage.

use model::{GapReason, Map, Value};

use super::made::{map, text};
use super::part::Part;
use super::{Expansion, Source, authorizer, domain, http_api};

const SAME: &[&str] = &[
    "ApiKeySelectionExpression",
    "Description",
    "DisableExecuteApiEndpoint",
    "DisableSchemaValidation",
    "IpAddressType",
    "RouteSelectionExpression",
];

const OTHER: &[&str] = &[
    "AccessLogSettings",
    "Auth",
    "DefaultRouteSettings",
    "Domain",
    "FailOnWarnings",
    "Name",
    "PropagateTags",
    "Routes",
    "RouteSettings",
    "StageName",
    "StageVariables",
    "Tags",
];

const CREATED_BY: &str = "websocketapi:createdBy";

/// Makes what a WebSocket API becomes.
pub(crate) fn expand(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    cx.unknown_properties(source, &[SAME, OTHER]);
    let mut made = cx.make(source, &source.id, "AWS::ApiGatewayV2::Api");
    made.copy_all(source.props(), SAME);
    match source.get("Name") {
        name if name.is_set() => made.copy("Name", name),
        _ => made.set("Name", text(&source.id)),
    }
    let mut tags = source.get("Tags").value.as_map().cloned().unwrap_or_default();
    tags.insert(CREATED_BY, text("SAM"));
    made.derive("Tags", Value::Map(tags.clone()), source.get("Tags"));
    made.set("ProtocolType", text("WEBSOCKET"));
    cx.add(made);
    let propagated = source.get("PropagateTags").value.as_bool() == Some(true);
    let own = if propagated { Value::Map(tags) } else { map([(CREATED_BY, text("SAM"))]) };
    if source.get("Domain").is_set() {
        domain::of_http(cx, source, source.get("Domain"), own.clone());
    }
    for (key, route) in source.get("Routes").entries() {
        one_route(cx, source, key, route);
    }
    if !source.get("Routes").says() {
        cx.gap(source, None, GapReason::Malformed, "has no `Routes`");
    }
    http_api::stage(
        cx,
        source,
        http_api::Stage { default: "default", default_id: "DefaultStage", tags: own, routes: Map::new() },
    );
    connect_authorizer(cx, source);
}

/// A route's name as part of logical ids.
fn capitalised(key: &str) -> String {
    let mut chars = key.trim_start_matches('$').chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars.flat_map(char::to_lowercase)).collect())
}

fn one_route(cx: &mut Expansion<'_, '_, '_>, source: &Source, key: &str, route: Part<'_>) {
    let base = format!("{}{}", source.id, capitalised(key));
    let mut made = cx.make_at(source, &format!("{base}Route"), "AWS::ApiGatewayV2::Route", route);
    made.set("RouteKey", text(key));
    made.set("ApiId", cx.refer(&source.id));
    made.copy_all(
        route,
        &["ApiKeyRequired", "ModelSelectionExpression", "OperationName", "RequestModels", "RouteResponseSelectionExpression"],
    );
    made.copy_said("RequestParameters", route.get("RequestParameters"));
    made.set("Target", cx.compose(&format!("integrations/${{{base}Integration}}"), &[]));
    let auth = source.get("Auth");
    if let ("$connect", Some(kind)) = (key, auth.get("AuthType").text()) {
        made.derive("AuthorizationType", text(kind), auth);
        if kind == "CUSTOM" {
            made.set("AuthorizerId", cx.refer(&format!("{}ConnectAuthorizer", source.id)));
        }
    }
    cx.add(made);
    let called = route.get("FunctionArn");
    if !called.is_set() {
        return cx.gap(source, Some(route), GapReason::Malformed, "a route needs a `FunctionArn`");
    }
    let mut made = cx.make_at(source, &format!("{base}Integration"), "AWS::ApiGatewayV2::Integration", route);
    made.set("ApiId", cx.refer(&source.id));
    made.set("IntegrationType", text("AWS_PROXY"));
    let uri = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function}/invocations";
    made.derive("IntegrationUri", cx.compose(uri, &[("Function", called.value)]), called);
    made.copy("TimeoutInMillis", route.get("IntegrationTimeout"));
    cx.add(made);
    let mut made = cx.make_at(source, &format!("{base}Permission"), "AWS::Lambda::Permission", route);
    made.set("Action", text("lambda:InvokeFunction"));
    made.copy("FunctionName", called);
    made.set("Principal", text("apigateway.amazonaws.com"));
    let api = cx.attribute(&source.id, "ApiId");
    let default = text("default");
    let stage = if source.get("StageName").is_set() { source.get("StageName").value } else { &default };
    let arn = format!("arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/${{Stage}}/{key}");
    made.set("SourceArn", cx.compose(&arn, &[("Api", &api), ("Stage", stage)]));
    cx.add(made);
}

/// The authorizer of connections, and the permission to call it.
fn connect_authorizer(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    let auth = source.get("Auth");
    if auth.get("AuthType").text() != Some("CUSTOM") || !source.get("Routes").get("$connect").is_set() {
        return;
    }
    let id = format!("{}ConnectAuthorizer", source.id);
    let called = auth.get("AuthArn");
    let mut made = cx.make_at(source, &id, "AWS::ApiGatewayV2::Authorizer", auth);
    made.set("ApiId", cx.refer(&source.id));
    made.copy("AuthorizerCredentialsArn", auth.get("InvokeRole"));
    made.set("AuthorizerType", text("REQUEST"));
    let uri = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function}/invocations";
    made.derive("AuthorizerUri", cx.compose(uri, &[("Function", called.value)]), called);
    made.copy("IdentitySource", auth.get("IdentitySource"));
    match auth.get("Name") {
        name if name.says() => made.copy("Name", name),
        _ => made.set("Name", text(&id)),
    }
    cx.add(made);
    if !auth.get("InvokeRole").says() && called.says() {
        authorizer::permission(cx, source, &format!("{}AuthorizerPermission", source.id), called);
    }
}
