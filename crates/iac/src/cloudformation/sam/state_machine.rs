//! `AWS::Serverless::StateMachine`: the state machine, its role, version, alias and events.

use model::{GapReason, Map, Value};

use super::made::{Made, list, tags_with, text};
use super::part::Part;
use super::role::{self, Role, allow};
use super::{Expansion, Source, event, function};

const KNOWN: &[&str] = &[
    "Definition",
    "DefinitionUri",
    "Logging",
    "Role",
    "RolePath",
    "DefinitionSubstitutions",
    "Events",
    "Name",
    "Type",
    "Tags",
    "PropagateTags",
    "Policies",
    "Tracing",
    "PermissionsBoundary",
    "AutoPublishAlias",
    "DeploymentPreference",
    "UseAliasAsEventTarget",
];

const CREATED_BY: &str = "stateMachine:createdBy";

/// Makes what a state machine becomes.
pub(crate) fn expand(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    cx.unknown_properties(source, &[KNOWN]);
    let before = cx.made.len();
    let mut made = cx.make(source, &source.id, "AWS::StepFunctions::StateMachine");
    definition(cx, source, &mut made);
    let renamed = [
        ("Name", "StateMachineName"),
        ("Type", "StateMachineType"),
        ("Logging", "LoggingConfiguration"),
        ("Tracing", "TracingConfiguration"),
    ];
    for (from, to) in renamed {
        made.copy(to, source.get(from));
    }
    made.derive("Tags", tags_with(CREATED_BY, source.get("Tags")), source.get("Tags"));
    let role = source.get("Role");
    match role.says() {
        true => made.copy("RoleArn", role),
        false => made.set("RoleArn", cx.attribute(&format!("{}Role", source.id), "Arn")),
    }
    cx.add(made);
    if !role.says() {
        execution_role(cx, source);
    } else if source.get("Policies").says() {
        cx.gap(source, Some(role), GapReason::Malformed, "has `Role` and `Policies`; only one of them can be");
    }
    let alias = publish(cx, source);
    let by_alias = source.get("UseAliasAsEventTarget").value.as_bool() == Some(true);
    let target = alias.filter(|_| by_alias).unwrap_or_else(|| source.id.clone());
    for event in event::events(cx, source) {
        one_event(cx, source, &event, &target);
    }
    function::propagate_tags(cx, source, before);
}

fn execution_role(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    let id = format!("{}Role", source.id);
    let mut role = Role::default();
    role::add_policies(cx, source, &id, &mut role);
    if source.get("Tracing").get("Enabled").value.as_bool() == Some(true) {
        role.attach(cx.managed_policy(function::tracing_policy(cx)));
    }
    let mut made = cx.make(source, &id, "AWS::IAM::Role");
    made.set("AssumeRolePolicyDocument", role::trust("states.amazonaws.com"));
    role.finish(&mut made);
    made.copy("Path", source.get("RolePath"));
    made.copy("PermissionsBoundary", source.get("PermissionsBoundary"));
    made.derive("Tags", tags_with(CREATED_BY, source.get("Tags")), source.get("Tags"));
    cx.add(made);
}

/// The version and the alias, if the state machine publishes one: the alias's logical id.
fn publish(cx: &mut Expansion<'_, '_, '_>, source: &Source) -> Option<String> {
    let alias = source.get("AutoPublishAlias");
    if !alias.says() {
        return None;
    }
    let version = format!("{}Version", source.id);
    let mut made = cx.make_at(source, &version, "AWS::StepFunctions::StateMachineVersion", alias);
    made.set("StateMachineArn", cx.refer(&source.id));
    made.set("StateMachineRevisionId", cx.attribute(&source.id, "StateMachineRevisionId"));
    cx.add(made);
    let id = format!("{}Alias{}", source.id, alias.text().unwrap_or_default());
    let mut preference = match source.get("DeploymentPreference").value.as_map() {
        Some(preference) => preference.clone(),
        None => [("Type".into(), text("ALL_AT_ONCE"))].into_iter().collect(),
    };
    preference.insert("StateMachineVersionArn", cx.refer(&version));
    let mut made = cx.make_at(source, &id, "AWS::StepFunctions::StateMachineAlias", alias);
    made.copy("Name", alias);
    made.derive("DeploymentPreference", Value::Map(preference), source.get("DeploymentPreference"));
    cx.add(made);
    Some(id)
}

fn one_event(cx: &mut Expansion<'_, '_, '_>, source: &Source, event: &event::Event<'_>, target: &str) {
    let arn = cx.refer(target);
    match event.kind {
        "ScheduleV2" => event::schedule(cx, source, event, (event::ScheduledKind::StateMachine, arn)),
        "Schedule" | "CloudWatchEvent" | "EventBridgeRule" => {
            let given = event.props.get("RoleArn");
            let role = match given.is_set() && event.kind == "Schedule" {
                true => given.value.clone(),
                false => starting_role(cx, source, event, ("events.amazonaws.com", &arn)),
            };
            event::rule(cx, source, event, event::Goal { arn, role, suffix: "StepFunctionsTarget" });
        }
        "Api" => {
            let role = starting_role(cx, source, event, ("apigateway.amazonaws.com", &arn));
            event::start_execution(cx, source, event, (role, arn));
        }
        kind => {
            let detail = format!("what the event type `{kind}` becomes is not known");
            cx.gap(source, Some(event.part), GapReason::Unsupported, &detail);
        }
    }
}

/// The role that a service starts executions with: its ARN.
fn starting_role(
    cx: &mut Expansion<'_, '_, '_>,
    source: &Source,
    event: &event::Event<'_>,
    (service, machine): (&str, &Value),
) -> Value {
    let id = format!("{}Role", event.full);
    let statement = allow(text("states:StartExecution"), machine.clone());
    let mut made = cx.make_at(source, &id, "AWS::IAM::Role", event.part);
    made.set("AssumeRolePolicyDocument", role::trust(service));
    made.set("Policies", list([role::policy(format!("{id}StartExecutionPolicy"), [statement])]));
    made.copy_said("PermissionsBoundary", source.get("PermissionsBoundary"));
    cx.add(made);
    cx.attribute(&id, "Arn")
}

fn definition(cx: &Expansion<'_, '_, '_>, source: &Source, made: &mut Made) {
    let mut substitutions = source.get("DefinitionSubstitutions").value.clone();
    let definition = source.get("Definition");
    if definition.says() {
        let mut found = Found { count: 0, values: Map::new() };
        let fixed = found.replace(definition.value);
        let mut out = String::new();
        print(&fixed, 0, &mut out);
        made.derive("DefinitionString", text(out), definition);
        if !found.values.is_empty() {
            let mut all = substitutions.as_map().cloned().unwrap_or_default();
            all_into(&mut all, found.values);
            substitutions = Value::Map(all);
        }
    } else if source.get("DefinitionUri").says() {
        let part: Part<'_> = source.get("DefinitionUri");
        made.derive("DefinitionS3Location", function::location(part, ["Bucket", "Key", "Version"]), part);
    } else {
        cx.gap(source, None, GapReason::Malformed, "has neither `Definition` nor `DefinitionUri`");
    }
    if super::part::says(&substitutions) {
        made.derive("DefinitionSubstitutions", substitutions, source.get("DefinitionSubstitutions"));
    }
}

fn all_into(all: &mut Map, more: Map) {
    for (key, value) in more {
        all.insert(key, value);
    }
}

/// What in a definition is known only at deploy time, and is substituted then.
struct Found {
    count: usize,
    values: Map,
}

impl Found {
    fn replace(&mut self, value: &Value) -> Value {
        match value {
            Value::Map(map) => Value::Map(map.iter().map(|(key, inner)| (key.clone(), self.replace(inner))).collect()),
            Value::List(items) => Value::List(items.iter().map(|item| self.replace(item)).collect()),
            Value::Link(_) | Value::Mixed(_) | Value::Unknown(_) => {
                self.count += 1;
                let name = format!("definition_substitution_{}", self.count);
                let hole = text(format!("${{{name}}}"));
                self.values.insert(name, value.clone());
                hole
            }
            plain => plain.clone(),
        }
    }
}

/// JSON with four spaces a level.
fn print(value: &Value, level: usize, out: &mut String) {
    let line = |level: usize, out: &mut String| {
        out.push('\n');
        out.push_str(&" ".repeat(4 * level));
    };
    match value {
        Value::Map(map) if !map.is_empty() => {
            out.push('{');
            for (at, (key, inner)) in map.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(level + 1, out);
                out.push_str(&serde_json::Value::from(&**key).to_string());
                out.push_str(": ");
                print(inner, level + 1, out);
            }
            line(level, out);
            out.push('}');
        }
        Value::List(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(level + 1, out);
                print(item, level + 1, out);
            }
            line(level, out);
            out.push(']');
        }
        other => out.push_str(&model::to_json(other).to_string()),
    }
}
