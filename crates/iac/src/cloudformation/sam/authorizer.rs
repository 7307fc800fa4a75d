//! Authorizers of APIs as security definitions.

use model::{GapReason, Value};

use super::made::{list, map, text};
use super::part::Part;
use super::{Expansion, Source};

const EXTENSION: &str = "x-amazon-apigateway-authorizer";

/// The URI under which API Gateway calls a function that authorizes.
fn uri(cx: &Expansion<'_, '_, '_>, function: &Value) -> Value {
    let arn = "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function}/invocations";
    cx.compose(arn, &[("Function", function)])
}

/// The definition of an authorizer of a REST API.
pub(crate) fn of_rest(cx: &Expansion<'_, '_, '_>, authorizer: Part<'_>) -> Value {
    let identity = authorizer.get("Identity");
    let header = match identity.get("Header") {
        header if header.says() => header.value.clone(),
        _ => text("Authorization"),
    };
    let validation = identity.get("ValidationExpression").said();
    let definition = |name: Value, kind: &str, extension: Value| {
        map([
            ("type", text("apiKey")),
            ("name", name),
            ("in", text("header")),
            ("x-amazon-apigateway-authtype", text(kind)),
            (EXTENSION, extension),
        ])
    };
    let pool = authorizer.get("UserPoolArn");
    if pool.says() {
        let arns = if pool.value.as_list().is_some() { pool.value.clone() } else { list([pool.value.clone()]) };
        let extension =
            map([("type", text("cognito_user_pools")), ("providerARNs", arns), ("identityValidationExpression", validation)]);
        return definition(header, "cognito_user_pools", extension);
    }
    let request = authorizer.get("FunctionPayloadType").text() == Some("REQUEST");
    let sources = [
        ("Headers", "method.request.header."),
        ("QueryStrings", "method.request.querystring."),
        ("StageVariables", "stageVariables."),
        ("Context", "context."),
    ];
    let listed = sources.iter().flat_map(|(key, prefix)| names(identity.get(key), prefix)).collect::<Vec<_>>().join(", ");
    let extension = map([
        ("type", text(if request { "request" } else { "token" })),
        ("authorizerUri", uri(cx, authorizer.get("FunctionArn").value)),
        ("authorizerResultTtlInSeconds", identity.get("ReauthorizeEvery").value.clone()),
        ("authorizerCredentials", invoke_role(authorizer)),
        ("identitySource", if request && !listed.is_empty() { text(listed) } else { Value::Null }),
        ("identityValidationExpression", if request { Value::Null } else { validation }),
    ]);
    definition(if request { text("Unused") } else { header }, "custom", extension)
}

fn names<'p>(part: Part<'p>, prefix: &'p str) -> impl Iterator<Item = String> + 'p {
    part.items().filter_map(move |name| Some(format!("{prefix}{}", name.text()?)))
}

fn invoke_role(authorizer: Part<'_>) -> Value {
    let role = authorizer.get("FunctionInvokeRole");
    if role.text() == Some("NONE") { Value::Null } else { role.said() }
}

/// The definition of an authorizer of an HTTP API.
pub(crate) fn of_http(cx: &Expansion<'_, '_, '_>, source: &Source, authorizer: Part<'_>) -> Value {
    let jwt = authorizer.get("JwtConfiguration");
    if jwt.says() {
        let lower = jwt.entries().map(|(key, part)| (key.to_lowercase().into(), part.value.clone()));
        let configuration = if jwt.value.as_map().is_some() { Value::Map(lower.collect()) } else { jwt.value.clone() };
        let extension = map([
            ("jwtConfiguration", configuration),
            ("identitySource", authorizer.get("IdentitySource").value.clone()),
            ("type", text("jwt")),
        ]);
        return map([("type", text("oauth2")), (EXTENSION, extension)]);
    }
    if !authorizer.get("FunctionArn").says() {
        let detail = "an authorizer needs `JwtConfiguration` or `FunctionArn`";
        cx.gap(source, Some(authorizer), GapReason::Malformed, detail);
    }
    let identity = authorizer.get("Identity");
    let sources = [
        ("Headers", "$request.header."),
        ("QueryStrings", "$request.querystring."),
        ("StageVariables", "$stageVariables."),
        ("Context", "$context."),
    ];
    let listed: Vec<Value> = sources.iter().flat_map(|(key, prefix)| names(identity.get(key), prefix)).map(Value::from).collect();
    let extension = map([
        ("type", text("request")),
        ("authorizerUri", uri(cx, authorizer.get("FunctionArn").value)),
        ("authorizerCredentials", invoke_role(authorizer)),
        ("authorizerResultTtlInSeconds", identity.get("ReauthorizeEvery").value.clone()),
        ("identitySource", if identity.says() { Value::List(listed) } else { Value::Null }),
        ("authorizerPayloadFormatVersion", authorizer.get("AuthorizerPayloadFormatVersion").value.clone()),
        ("enableSimpleResponses", authorizer.get("EnableSimpleResponses").said()),
    ]);
    map([("type", text("apiKey")), ("name", text("Unused")), ("in", text("header")), (EXTENSION, extension)])
}

/// The permission for an API to call a function that authorizes.
pub(crate) fn permission(cx: &mut Expansion<'_, '_, '_>, source: &Source, id: &str, function: Part<'_>) {
    let api = cx.refer(&source.id);
    let arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/authorizers/*";
    let mut made = cx.make_at(source, id, "AWS::Lambda::Permission", function);
    made.set("Action", text("lambda:InvokeFunction"));
    made.copy("FunctionName", function);
    made.set("Principal", text("apigateway.amazonaws.com"));
    made.set("SourceArn", cx.compose(arn, &[("Api", &api)]));
    cx.add(made);
}
