//! `ScheduleV2`: a schedule of EventBridge Scheduler and its role.

use model::Value;

use super::super::made::{map, text};
use super::super::role::{self, allow};
use super::super::{Expansion, Source};
use super::Event;

/// What is called.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Function,
    StateMachine,
}

/// Makes the schedule, the role it needs, and the dead-letter queue that it may have.
pub(crate) fn schedule(cx: &mut Expansion<'_, '_, '_>, source: &Source, event: &Event<'_>, (kind, arn): (Kind, Value)) {
    let props = event.props;
    let mut made = cx.make_at(source, &event.full, "AWS::Scheduler::Schedule", event.part);
    made.copy_all(
        props,
        &["ScheduleExpression", "Description", "StartDate", "EndDate", "ScheduleExpressionTimezone", "GroupName", "KmsKeyArn"],
    );
    made.copy_said("State", props.get("State"));
    if props.get("OmitName").value.as_bool() != Some(true) {
        match props.get("Name") {
            name if name.says() => made.copy("Name", name),
            _ => made.set("Name", text(&event.full)),
        }
    }
    match props.get("FlexibleTimeWindow") {
        window if window.says() => made.copy("FlexibleTimeWindow", window),
        _ => made.set("FlexibleTimeWindow", map([("Mode", text("OFF"))])),
    }
    let config = props.get("DeadLetterConfig");
    let dead_letters = match config.get("Arn") {
        _ if !config.is_set() => Value::Null,
        arn if arn.is_set() => arn.value.clone(),
        _ => {
            let id = config.get("QueueLogicalId").text().map_or_else(|| format!("{}Queue", event.full), str::to_owned);
            let queue = cx.make_at(source, &id, "AWS::SQS::Queue", config);
            cx.add(queue);
            cx.attribute(&id, "Arn")
        }
    };
    let role = match props.get("RoleArn") {
        role if role.says() => role.value.clone(),
        _ => execution_role(cx, source, event, (kind, &arn, &dead_letters)),
    };
    let queue = if dead_letters.is_null() { Value::Null } else { map([("Arn", dead_letters)]) };
    let target = map([
        ("Arn", arn),
        ("RoleArn", role),
        ("Input", props.get("Input").value.clone()),
        ("DeadLetterConfig", queue),
        ("RetryPolicy", props.get("RetryPolicy").value.clone()),
    ]);
    made.set("Target", target);
    cx.add(made);
}

fn execution_role(
    cx: &mut Expansion<'_, '_, '_>,
    source: &Source,
    event: &Event<'_>,
    (kind, arn, dead_letters): (Kind, &Value, &Value),
) -> Value {
    let id = format!("{}Role", event.full);
    let (suffix, action) = match kind {
        Kind::Function => ("LambdaPolicy", "lambda:InvokeFunction"),
        Kind::StateMachine => ("StartExecutionPolicy", "states:StartExecution"),
    };
    let mut policies = vec![role::policy(format!("{}{suffix}", event.full), [allow(text(action), arn.clone())])];
    if !dead_letters.is_null() {
        policies.extend(role::send_policy(cx, "SQS", &event.full, dead_letters));
    }
    let mut made = cx.make_at(source, &id, "AWS::IAM::Role", event.part);
    made.set("AssumeRolePolicyDocument", role::trust("scheduler.amazonaws.com"));
    made.set("Policies", Value::List(policies));
    made.copy_said("PermissionsBoundary", event.props.get("PermissionsBoundary"));
    cx.add(made);
    cx.attribute(&id, "Arn")
}
