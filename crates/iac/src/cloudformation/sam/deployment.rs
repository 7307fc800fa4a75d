//! `DeploymentPreference`: CodeDeploy's application, role and deployment groups.

use model::{GapReason, Value};

use super::made::{Made, list, map, tags, text};
use super::part::Part;
use super::{Expansion, Source, role};

const APPLICATION: &str = "ServerlessDeploymentApplication";
const ROLE: &str = "CodeDeployServiceRole";

/// Deployment types that CodeDeploy has a configuration for.
const PREDEFINED: &[&str] = &[
    "Canary10Percent5Minutes",
    "Canary10Percent10Minutes",
    "Canary10Percent15Minutes",
    "Canary10Percent30Minutes",
    "Linear10PercentEvery1Minute",
    "Linear10PercentEvery2Minutes",
    "Linear10PercentEvery3Minutes",
    "Linear10PercentEvery10Minutes",
    "AllAtOnce",
];

/// How one function is deployed.
pub(crate) struct Preference {
    group: Made,
    /// The application and the role, should this be the first that needs them.
    application: Made,
    role: Option<Made>,
    tags: Vec<Value>,
}

/// Notes how a function is to be deployed.
pub(crate) fn prefer(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    let preference = source.get("DeploymentPreference");
    let enabled = preference.get("Enabled");
    if !preference.says() || enabled.value.as_bool() == Some(false) {
        return;
    }
    if !source.get("AutoPublishAlias").says() {
        return cx.gap(source, Some(preference), GapReason::Malformed, "`DeploymentPreference` needs `AutoPublishAlias`");
    }
    let kind = preference.get("Type");
    if !kind.is_set() {
        return cx.gap(source, Some(preference), GapReason::Malformed, "`DeploymentPreference` needs a `Type`");
    }
    let propagated = source.get("PropagateTags").value.as_bool() == Some(true);
    let tags = if propagated { tags(source.get("Tags")) } else { Vec::new() };
    let conditional = preference.get("PassthroughCondition").value.as_bool() == Some(true);
    let make = |id: &str, type_name: &str| {
        let mut made = cx.make_at(source, id, type_name, preference);
        if !conditional {
            made.resource.origin.condition = None;
        }
        made
    };
    let mut group = make(&format!("{}DeploymentGroup", source.id), "AWS::CodeDeploy::DeploymentGroup");
    fill_group(cx, &mut group, preference);
    if !tags.is_empty() {
        group.derive("Tags", Value::List(tags.clone()), source.get("Tags"));
    }
    let application = make(APPLICATION, "AWS::CodeDeploy::Application");
    let role = (!preference.get("Role").says()).then(|| make(ROLE, "AWS::IAM::Role"));
    cx.preferences.push(Preference { group, application, role, tags });
}

fn fill_group(cx: &Expansion<'_, '_, '_>, group: &mut Made, preference: Part<'_>) {
    let alarms = preference.get("Alarms");
    match alarms.value {
        Value::List(items) if items.is_empty() => {}
        Value::List(items) => {
            let named = items.iter().map(|alarm| map([("Name", alarm.clone())])).collect();
            group.derive("AlarmConfiguration", map([("Enabled", true.into()), ("Alarms", Value::List(named))]), alarms);
        }
        other => group.derive("AlarmConfiguration", other.clone(), alarms),
    }
    group.set("ApplicationName", cx.refer(APPLICATION));
    let events = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"].map(text);
    group.set("AutoRollbackConfiguration", map([("Enabled", true.into()), ("Events", list(events))]));
    let kind = preference.get("Type");
    let config = match kind.text() {
        Some(name) if PREDEFINED.contains(&name) => text(format!("CodeDeployDefault.Lambda{name}")),
        _ => kind.value.clone(),
    };
    group.derive("DeploymentConfigName", config, kind);
    let style = [("DeploymentType", text("BLUE_GREEN")), ("DeploymentOption", text("WITH_TRAFFIC_CONTROL"))];
    group.set("DeploymentStyle", map(style));
    match preference.get("Role") {
        given if given.says() => group.copy("ServiceRoleArn", given),
        _ => group.set("ServiceRoleArn", cx.attribute(ROLE, "Arn")),
    }
    group.copy_said("TriggerConfigurations", preference.get("TriggerConfigurations"));
}

/// Adds what the deployment preferences need: one application and one role for all, a group for each.
pub(crate) fn add(cx: &mut Expansion<'_, '_, '_>) {
    let preferences = std::mem::take(&mut cx.preferences);
    let mut tags: Vec<Value> = Vec::new();
    for tag in preferences.iter().flat_map(|p| &p.tags) {
        tags.retain(|earlier| earlier.get("Key") != tag.get("Key"));
        tags.push(tag.clone());
    }
    let unconditional = preferences.iter().any(|p| p.group.resource.origin.condition.is_none());
    let mut first = true;
    let mut needs_role = true;
    for Preference { group, mut application, role, .. } in preferences {
        if std::mem::take(&mut first) {
            application.set("ComputePlatform", text("Lambda"));
            shared(&mut application, &tags, unconditional);
            cx.add(application);
        }
        if let (true, Some(mut made)) = (needs_role, role) {
            needs_role = false;
            made.set("AssumeRolePolicyDocument", role::trust("codedeploy.amazonaws.com"));
            let limited = matches!(&*cx.partition(), "aws-iso" | "aws-iso-b");
            let name = if limited { "AWSCodeDeployRoleForLambdaLimited" } else { "AWSCodeDeployRoleForLambda" };
            made.set("ManagedPolicyArns", list([cx.managed_policy(&format!("service-role/{name}"))]));
            shared(&mut made, &tags, unconditional);
            cx.add(made);
        }
        cx.add(group);
    }
}

fn shared(made: &mut Made, tags: &[Value], unconditional: bool) {
    if !tags.is_empty() {
        made.set("Tags", Value::List(tags.to_vec()));
    }
    if unconditional {
        made.resource.origin.condition = None;
    }
}
