//! Events that become a rule of EventBridge: `Schedule`, `EventBridgeRule` and its older name `CloudWatchEvent`.

use model::{GapReason, Value};

use super::super::made::{list, map, text};
use super::super::{Expansion, Source};
use super::Event;

/// The longest id of a target.
const TARGET_ID_MAX: usize = 64;

/// What a rule calls.
pub(crate) struct Goal {
    pub(crate) arn: Value,
    /// The role to call it with; null for none.
    pub(crate) role: Value,
    /// What the target's id ends with.
    pub(crate) suffix: &'static str,
}

/// Makes the rule, and the dead-letter queue that it may have.
pub(crate) fn rule(cx: &mut Expansion<'_, '_, '_>, source: &Source, event: &Event<'_>, goal: Goal) {
    let props = event.props;
    let mut made = cx.make_at(source, &event.full, "AWS::Events::Rule", event.part);
    if event.kind == "Schedule" {
        made.copy("ScheduleExpression", props.get("Schedule"));
        made.copy("Name", props.get("Name"));
        made.copy("Description", props.get("Description"));
    } else {
        made.copy("EventBusName", props.get("EventBusName"));
        made.copy("EventPattern", props.get("Pattern"));
        made.copy("Name", props.get("RuleName"));
    }
    let enabled = props.get("Enabled");
    match (props.get("State"), enabled.value) {
        (state, Value::Null) => made.copy_said("State", state),
        (state, _) if state.says() => {
            cx.gap(source, Some(state), GapReason::Malformed, "an event has either `State` or `Enabled`");
            made.copy("State", state);
        }
        // SAM takes a function for true, whatever it gives.
        (_, value) => match value.as_bool().filter(|on| *on || !is_function(source, event)) {
            None if is_function(source, event) => made.derive("State", text("ENABLED"), enabled),
            Some(on) => made.derive("State", text(if on { "ENABLED" } else { "DISABLED" }), enabled),
            None => made.derive("State", value.clone(), enabled),
        },
    }
    let dead_letters = dead_letters(cx, source, event);
    let id = match props.get("Target").get("Id") {
        id if id.is_set() => id.value.clone(),
        _ => text(target_id(&event.full, goal.suffix)),
    };
    let transformer = if event.kind == "Schedule" { Value::Null } else { props.get("InputTransformer").value.clone() };
    let path = if event.kind == "Schedule" { Value::Null } else { props.get("InputPath").value.clone() };
    let target = map([
        ("Arn", goal.arn),
        ("Id", id),
        ("RoleArn", goal.role),
        ("Input", props.get("Input").value.clone()),
        ("InputPath", path),
        ("DeadLetterConfig", dead_letters.map_or(Value::Null, |arn| map([("Arn", arn)]))),
        ("RetryPolicy", props.get("RetryPolicy").value.clone()),
        ("InputTransformer", transformer),
    ]);
    made.set("Targets", list([target]));
    cx.add(made);
}

/// True if `Enabled` is written as a function.
fn is_function(source: &Source, event: &Event<'_>) -> bool {
    let path = ["Events", event.id, "Properties", "Enabled"];
    let written = path.iter().try_fold(&source.written, |at, key| at.get(*key));
    written.is_some_and(serde_json::Value::is_object)
}

fn target_id(id: &str, suffix: &str) -> String {
    let kept = TARGET_ID_MAX.saturating_sub(suffix.len());
    format!("{}{suffix}", id.chars().take(kept).collect::<String>())
}

/// The ARN of the queue for what cannot be delivered, and the queue itself if it is made.
fn dead_letters(cx: &mut Expansion<'_, '_, '_>, source: &Source, event: &Event<'_>) -> Option<Value> {
    let config = event.props.get("DeadLetterConfig");
    if !config.is_set() {
        return None;
    }
    if config.get("Arn").is_set() {
        return Some(config.get("Arn").value.clone());
    }
    if config.get("Type").text() != Some("SQS") {
        cx.gap(source, Some(config), GapReason::Malformed, "`DeadLetterConfig` needs an `Arn`, or the `Type` `SQS`");
    }
    let id = config.get("QueueLogicalId").text().map_or_else(|| format!("{}Queue", event.full), str::to_owned);
    let queue = cx.make_at(source, &id, "AWS::SQS::Queue", config);
    cx.add(queue);
    let statement = map([
        ("Action", text("sqs:SendMessage")),
        ("Effect", text("Allow")),
        ("Principal", map([("Service", text("events.amazonaws.com"))])),
        ("Resource", cx.attribute(&id, "Arn")),
        ("Condition", map([("ArnEquals", map([("aws:SourceArn", cx.attribute(&event.full, "Arn"))]))])),
    ]);
    let mut policy = cx.make_at(source, &format!("{}QueuePolicy", event.full), "AWS::SQS::QueuePolicy", config);
    policy.set("PolicyDocument", map([("Version", text("2012-10-17")), ("Statement", list([statement]))]));
    policy.set("Queues", list([cx.refer(&id)]));
    cx.add(policy);
    Some(cx.attribute(&id, "Arn"))
}
