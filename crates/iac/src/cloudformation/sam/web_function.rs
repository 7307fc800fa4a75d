//! `AWS::Serverless::WebFunction`: the function, its revision, its endpoint and its role.

use model::{GapReason, Map, Reason, Value};

use super::made::{Made, list, map, tags_with, text};
use super::{Expansion, Source, function, role};

const KNOWN: &[&str] = &[
    "FunctionName",
    "Tags",
    "ReplicaRegions",
    "AuthType",
    "Runtime",
    "CodeUri",
    "InlineCode",
    "RevisionDescription",
    "KmsKeyArn",
    "ExecutionRoleArn",
    "EnvironmentVariables",
    "EntryPoint",
    "MaxConcurrencyPerEnvironment",
    "EgressNetworkConnectorArn",
    "Timeout",
    "LoggingConfig",
    "RevisionWeights",
    "EndpointName",
    "EndpointType",
    "EndpointDescription",
    "ScalingConfig",
    "ThrottleConfig",
    "AutoDeploymentMode",
];

/// Characters of the logical id in the name that is made of it.
const NAME_MAX: usize = 55;

/// Makes what a web function becomes.
pub(crate) fn expand(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    cx.unknown_properties(source, &[KNOWN]);
    let role = match source.get("ExecutionRoleArn") {
        given if given.is_set() => given.value.clone(),
        _ => execution_role(cx, source),
    };
    let name = name(cx, source);
    let mut made = cx.make(source, &source.id, "AWS::Lambda::WebFunction");
    made.derive("FunctionName", name.clone(), source.get("FunctionName"));
    made.derive("Tags", tags_with("lambda:createdBy", source.get("Tags")), source.get("Tags"));
    cx.add(made);
    revision(cx, source, (&name, role));
    endpoint(cx, source, name);
}

/// The function's name: the one given, or one of the logical id and the stack's own id.
fn name(cx: &Expansion<'_, '_, '_>, source: &Source) -> Value {
    match source.get("FunctionName") {
        name if name.says() => name.value.clone(),
        _ => {
            let short: String = source.id.chars().take(NAME_MAX).collect();
            cx.compose(&format!("{short}-${{AWS::StackId}}"), &[])
        }
    }
}

fn execution_role(cx: &mut Expansion<'_, '_, '_>, source: &Source) -> Value {
    let id = format!("{}Role", source.id);
    let mut made = cx.make(source, &id, "AWS::IAM::Role");
    made.set("AssumeRolePolicyDocument", role::trust("lambda.amazonaws.com"));
    made.set("ManagedPolicyArns", list([cx.managed_policy("service-role/AWSLambdaBasicExecutionRole")]));
    made.derive("Tags", tags_with("lambda:createdBy", source.get("Tags")), source.get("Tags"));
    cx.add(made);
    cx.attribute(&id, "Arn")
}

fn revision(cx: &mut Expansion<'_, '_, '_>, source: &Source, (name, role): (&Value, Value)) {
    let mut made = cx.make(source, &format!("{}Revision", source.id), "AWS::Lambda::WebFunctionRevision");
    made.set("FunctionName", name.clone());
    made.copy("Description", source.get("RevisionDescription"));
    made.copy("KmsKeyArn", source.get("KmsKeyArn"));
    let code = source.get("CodeUri");
    if !code.says() {
        cx.gap(source, None, GapReason::Malformed, "has no `CodeUri`");
    }
    let location = function::location(code, ["Bucket", "Key", "VersionId"]);
    let build = map([
        ("CodeConfig", map([("S3Object", location)])),
        ("RuntimeConfig", map([("Runtime", source.get("Runtime").value.clone())])),
    ]);
    made.derive("BuildConfig", build, code);
    let logging = source.get("LoggingConfig");
    let timeout = source.get("Timeout").said();
    let service = map([
        ("ExecutionRoleArn", role),
        ("EnvironmentVariables", variables(source)),
        ("TelemetryConfig", if logging.says() { map([("LoggingConfig", logging.value.clone())]) } else { Value::Null }),
        ("MaxConcurrencyPerEnvironment", source.get("MaxConcurrencyPerEnvironment").value.clone()),
        ("EgressNetworkConnectorArn", source.get("EgressNetworkConnectorArn").value.clone()),
        ("TimeoutSeconds", if timeout.is_null() { Value::Int(30) } else { timeout }),
    ]);
    made.derive("ServiceConfig", service, source.get("EnvironmentVariables"));
    cx.add(made);
}

/// The environment; truth values and numbers become text.
fn variables(source: &Source) -> Value {
    let part = source.get("EnvironmentVariables");
    if let Value::Unknown(_) = part.value {
        return part.value.clone();
    }
    let mut all: Map = part.entries().map(|(key, part)| (key.into(), as_text(part.value))).collect();
    if source.get("EntryPoint").says() {
        all.insert("AWS_LAMBDA_NODEJS_ENTRYPOINT", source.get("EntryPoint").value.clone());
    }
    if all.is_empty() { Value::Null } else { Value::Map(all) }
}

fn as_text(value: &Value) -> Value {
    match super::super::text::shown(value) {
        Some(shown) => Value::Str(shown),
        None => value.clone(),
    }
}

fn endpoint(cx: &mut Expansion<'_, '_, '_>, source: &Source, name: Value) {
    let mut made: Made = cx.make(source, &format!("{}Endpoint", source.id), "AWS::Lambda::WebFunctionEndpoint");
    made.set("FunctionName", name);
    for (key, default) in [("EndpointName", "prod"), ("EndpointType", "HomeRegion")] {
        match source.get(key) {
            given if given.says() => made.copy(key, given),
            _ => made.set(key, text(default)),
        }
    }
    made.copy("AuthType", source.get("AuthType"));
    let weights = source.get("RevisionWeights");
    let weight = |id: Value, weight: Value| map([("RevisionId", id), ("Weight", weight)]);
    let all = match weights.says() {
        true => weights.entries().map(|(id, part)| weight(text(id), part.value.clone())).collect(),
        false => vec![weight(cx.attribute(&format!("{}Revision", source.id), "RevisionId"), Value::Int(100))],
    };
    made.derive("RevisionWeights", Value::List(all), weights);
    made.set("Regions", regions(source));
    made.copy("Description", source.get("EndpointDescription"));
    made.copy_all(source.props(), &["ScalingConfig", "ThrottleConfig"]);
    cx.add(made);
}

/// The Regions it runs in; names of groups of Regions are not resolved.
fn regions(source: &Source) -> Value {
    let part = source.get("ReplicaRegions");
    let unknown = || Value::unknown_present(Reason::Unsupported, "ReplicaRegions");
    match part.value {
        Value::Null => Value::Null,
        Value::List(items) if items.iter().all(|v| v.as_str().is_none_or(|name| name.contains('-'))) => {
            let (mut named, others): (Vec<&str>, Vec<&Value>) =
                (items.iter().filter_map(Value::as_str).collect(), items.iter().filter(|v| v.as_str().is_none()).collect());
            named.sort_unstable();
            named.dedup();
            Value::List(named.into_iter().map(text).chain(others.into_iter().cloned()).collect())
        }
        _ => unknown(),
    }
}
