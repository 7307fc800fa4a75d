//! `AWS::Serverless::Connector`, and `Connectors` of other resources: permissions between two resources.

use model::{GapReason, Span, Value};
use serde_json::Value as Json;

use super::made::{list, map, text};
use super::part::Part;
use super::{Expansion, Source, facts};

/// One end of a connector.
struct End {
    id: Option<String>,
    type_name: String,
    role: Value,
    arn: Value,
    url: Value,
    resource: Value,
    name: Value,
    qualifier: Value,
}

/// Makes what a connector becomes.
pub(crate) fn expand(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    cx.unknown_properties(source, &[&["Source", "Destination", "Permissions"]]);
    let from = source.get("Source");
    let many = source.get("Destination").value.as_list().is_some();
    for (index, to) in source.get("Destination").one_or_more().into_iter().enumerate() {
        let suffix = if many { format!("Destination{index}") } else { String::new() };
        let ends = (end(cx, from, to), end(cx, to, from));
        match ends {
            (Ok(start), Ok(goal)) => connect(cx, source, &suffix, (&start, &goal, source.get("Permissions"))),
            (Err(Some(detail)), _) | (_, Err(Some(detail))) => cx.gap(source, Some(to), GapReason::Malformed, &detail),
            // One of the ends is left out by its condition.
            _ => {}
        }
    }
}

/// One end; an error without words if it does not exist in this world.
fn end(cx: &Expansion<'_, '_, '_>, part: Part<'_>, other: Part<'_>) -> Result<End, Option<String>> {
    let member = |key: &str| part.get(key).value.clone();
    let Some(id) = part.get("Id").text() else {
        let type_name = part.get("Type").text().ok_or_else(|| Some("an end of a connector needs `Id` or `Type`".to_owned()))?;
        return Ok(End {
            id: None,
            type_name: becomes(type_name).to_owned(),
            role: member("RoleName"),
            arn: member("Arn"),
            url: member("QueueUrl"),
            resource: member("ResourceId"),
            name: member("Name"),
            qualifier: member("Qualifier"),
        });
    };
    let Some(resource) = cx.find(id) else {
        return Err(if cx.node(id).is_some() { None } else { Some(format!("there is no resource `{id}`")) });
    };
    let type_name = resource.type_name.as_str().to_owned();
    let known = facts::connected(&type_name);
    let output = |key: &str| {
        known.get("Outputs").and_then(|o| o.get(key)).map_or(Value::Null, |json| fill(cx, json, &[("logicalId", &text(id))]))
    };
    let role = match known.get("Inputs").and_then(|inputs| inputs.get("Role")) {
        Some(Json::String(key)) => resource.prop(key).clone(),
        Some(_) => role_of_rule(cx, resource.prop("Targets"), other),
        None => Value::Null,
    };
    let role = cx.logical_id(&role).filter(|_| role.as_link().is_some()).map_or(Value::Null, |id| cx.refer(id));
    let qualifier = part.get("Qualifier");
    Ok(End {
        id: Some(id.to_owned()),
        role,
        arn: output("Arn"),
        url: output("Url"),
        resource: output("Id"),
        name: output("Name"),
        qualifier: if qualifier.is_set() { qualifier.value.clone() } else { output("Qualifier") },
        type_name,
    })
}

/// The role with which a rule calls the other end.
fn role_of_rule(cx: &Expansion<'_, '_, '_>, targets: &Value, other: Part<'_>) -> Value {
    let matches = |target: &&Value| {
        let arn = target.get("Arn").unwrap_or(&Value::Null);
        let by_id = other.get("Id").text().is_some_and(|id| arn.as_link().is_some() && cx.logical_id(arn) == Some(id));
        by_id || (other.get("Arn").is_set() && arn == other.get("Arn").value)
    };
    let target = targets.as_list().into_iter().flatten().find(matches);
    target.and_then(|target| target.get("RoleArn")).cloned().unwrap_or_default()
}

/// The type that a serverless type becomes.
fn becomes(type_name: &str) -> &str {
    match type_name {
        "AWS::Serverless::Function" => "AWS::Lambda::Function",
        "AWS::Serverless::StateMachine" => "AWS::StepFunctions::StateMachine",
        "AWS::Serverless::Api" => "AWS::ApiGateway::RestApi",
        "AWS::Serverless::HttpApi" => "AWS::ApiGatewayV2::Api",
        "AWS::Serverless::SimpleTable" => "AWS::DynamoDB::Table",
        other => other,
    }
}

/// A profile's JSON with `%{Name}` filled in.
fn fill(cx: &Expansion<'_, '_, '_>, json: &Json, values: &[(&str, &Value)]) -> Value {
    match json {
        Json::Object(members) => {
            if let (1, Some(Json::String(name))) = (members.len(), members.get("Ref")) {
                return named(cx, &fill_text(cx, name, values));
            }
            if let (1, Some(Json::Array(parts))) = (members.len(), members.get("Fn::GetAtt")) {
                let part = |at: usize| parts.get(at).map_or(Value::Null, |json| fill(cx, json, values));
                return cx.attribute(part(0).as_str().unwrap_or_default(), part(1).as_str().unwrap_or_default());
            }
            Value::Map(members.iter().map(|(key, inner)| (key.as_str().into(), fill(cx, inner, values))).collect())
        }
        Json::Array(items) => Value::List(items.iter().map(|item| fill(cx, item, values)).collect()),
        Json::String(pattern) => fill_text(cx, pattern, values),
        other => model::from_json(other),
    }
}

fn named(cx: &Expansion<'_, '_, '_>, name: &Value) -> Value {
    match name.as_str() {
        Some(pseudo) if pseudo.starts_with("AWS::") => cx.pseudo(pseudo),
        Some(id) => cx.refer(id),
        None => name.clone(),
    }
}

fn fill_text(cx: &Expansion<'_, '_, '_>, pattern: &str, values: &[(&str, &Value)]) -> Value {
    if let Some((_, value)) = values.iter().find(|(name, _)| pattern == format!("%{{{name}}}")) {
        return (*value).clone();
    }
    if !pattern.contains("%{") && !pattern.contains("${") {
        return text(pattern);
    }
    cx.compose(&pattern.replace("%{", "${"), values)
}

fn connect(cx: &mut Expansion<'_, '_, '_>, source: &Source, suffix: &str, (from, to, permissions): (&End, &End, Part<'_>)) {
    let (Some(profile), at) = (facts::connector(&from.type_name, &to.type_name), Some(source.get("Destination"))) else {
        let detail = format!("there is no connector from `{}` to `{}`", from.type_name, to.type_name);
        return cx.gap(source, Some(source.get("Destination")), GapReason::Unsupported, &detail);
    };
    let properties = profile.get("Properties").unwrap_or(&Json::Null);
    let values = [
        ("Source.Arn", &from.arn),
        ("Destination.Arn", &to.arn),
        ("Source.ResourceId", &from.resource),
        ("Destination.ResourceId", &to.resource),
        ("Source.Name", &from.name),
        ("Destination.Name", &to.name),
        ("Source.Qualifier", &from.qualifier),
        ("Destination.Qualifier", &to.qualifier),
    ];
    let wanted: Vec<&str> = permissions.items().filter_map(Part::text).collect();
    let all = properties.get("AccessCategories").and_then(Json::as_object);
    let granted: Vec<(&str, &Json)> =
        all.into_iter().flatten().filter(|(name, _)| wanted.contains(&name.as_str())).map(|(n, j)| (n.as_str(), j)).collect();
    if granted.is_empty() || wanted.iter().any(|name| !granted.iter().any(|(known, _)| known == name)) {
        cx.gap(source, Some(permissions), GapReason::Malformed, "this connector knows none, or not all, of its `Permissions`");
    }
    let at_source = properties.get("SourcePolicy").and_then(Json::as_bool) == Some(true);
    let end = if at_source { from } else { to };
    let made = match profile.get("Type").and_then(Json::as_str).unwrap_or_default() {
        "AWS_IAM_ROLE_MANAGED_POLICY" => ("Policy", "AWS::IAM::ManagedPolicy", ("Roles", &end.role)),
        "AWS_SQS_QUEUE_POLICY" => ("QueuePolicy", "AWS::SQS::QueuePolicy", ("Queues", &end.url)),
        "AWS_SNS_TOPIC_POLICY" => ("TopicPolicy", "AWS::SNS::TopicPolicy", ("Topics", &end.arn)),
        _ => return lambda(cx, source, suffix, (&end.arn, &granted, &values)),
    };
    let (name, type_name, (key, on)) = made;
    if on.is_null() {
        let detail =
            format!("what its permissions are put on is not known (`{}`)", end.id.as_deref().unwrap_or("an end without `Id`"));
        return cx.gap(source, at, GapReason::Unsupported, &detail);
    }
    let statements = granted.iter().filter_map(|(_, access)| access.get("Statement")?.as_array()).flatten();
    let statements = Value::List(statements.map(|json| fill(cx, json, &values)).collect());
    let mut made = cx.make(source, &format!("{}{name}{suffix}", source.id), type_name);
    made.set("PolicyDocument", map([("Version", text("2012-10-17")), ("Statement", statements)]));
    made.set(key, list([on.clone()]));
    cx.add(made);
}

type Granted<'g> = (&'g Value, &'g [(&'g str, &'g Json)], &'g [(&'g str, &'g Value)]);

fn lambda(cx: &mut Expansion<'_, '_, '_>, source: &Source, suffix: &str, (function, granted, values): Granted<'_>) {
    for (name, access) in granted {
        let mut made = cx.make(source, &format!("{}{name}LambdaPermission{suffix}", source.id), "AWS::Lambda::Permission");
        made.set("FunctionName", function.clone());
        for key in ["Action", "Principal", "SourceArn", "SourceAccount"] {
            made.set(key, access.get(key).map_or(Value::Null, |json| fill(cx, json, values)));
        }
        cx.add(made);
    }
}

/// The connectors written at other resources.
pub(crate) fn embedded(cx: &Expansion<'_, '_, '_>, owner: &model::Resource, order: usize) -> Vec<Source> {
    let Some(id) = owner.id.strip_prefix(cx.evaluator.prefix) else { return Vec::new() };
    let Some(entries) = cx.node(id).and_then(|n| n.get("Connectors")).and_then(|n| n.as_map()) else { return Vec::new() };
    let mut all = Vec::new();
    for entry in entries {
        let properties = entry.node.get("Properties").and_then(|node| cx.evaluator.quiet(node));
        let Some(Value::Map(mut props)) = properties else {
            let detail = "its properties cannot be read";
            cx.evaluator.malformed(&format!("connector `{}` of `{id}`", entry.key), detail, entry.span());
            continue;
        };
        let mut from = props.remove("SourceReference").unwrap_or_default();
        if from.is_null() {
            from = map([]);
        }
        if let Value::Map(from) = &mut from {
            from.insert("Id", text(id));
        }
        props.insert("Source", from);
        all.push(source(cx, owner, order, (&format!("{id}{}", entry.key), Value::Map(props), entry.span())));
    }
    all
}

/// A connector that is not a resource of the template.
pub(crate) fn source(
    cx: &Expansion<'_, '_, '_>,
    owner: &model::Resource,
    order: usize,
    (id, props, span): (&str, Value, Span),
) -> Source {
    let mut resource = owner.clone();
    resource.id = cx.full(id);
    resource.props = model::Map::new();
    resource.spans = model::SpanTable::default();
    resource.origin.span = Some(span);
    let kind = "Connector".to_owned();
    Source { id: id.to_owned(), kind, order, resource, props, spans: model::SpanTable::default(), written: Json::Null }
}
