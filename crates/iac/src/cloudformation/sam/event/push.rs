//! Events of services that call the function themselves.

use model::{GapReason, Map, Path, Resource, Text, Value};

use super::super::Expansion;
use super::super::made::{list, map, tag_of, text};
use super::super::role::Role;
use super::{Call, stream};

/// `S3`: the bucket's own notification, and the permission for it.
pub(crate) fn s3(cx: &mut Expansion<'_, '_, '_>, call: &Call<'_>) {
    let props = call.event.props;
    let mut permission = call.permission(cx, "s3.amazonaws.com", "");
    permission.set("SourceAccount", cx.pseudo("AWS::AccountId"));
    let conditional = permission.resource.origin.condition.is_some();
    let tag = tag_of(
        &format!("sam:ConditionalDependsOn:{}Permission", call.event.full),
        Value::Link(Box::new(model::Link { target: permission.resource.id.clone(), attr: Text::from("") })),
    );
    cx.add(permission);
    let events = props.get("Events").one_or_more();
    if !cx.afford(props.get("Filter").value, events.len()) {
        return;
    }
    let Some(bucket) = named(cx, call, "Bucket", "AWS::S3::Bucket") else { return };
    if conditional {
        extend(bucket.props.entry("Tags"), [tag]);
    }
    let entry = |event: &Value| {
        map([("Function", call.target.arn.clone()), ("Filter", props.get("Filter").value.clone()), ("Event", event.clone())])
    };
    let rows: Vec<Value> = events.into_iter().map(|event| entry(event.value)).collect();
    let notifications = bucket.props.entry("NotificationConfiguration");
    if notifications.is_null() {
        *notifications = Value::Map(Map::new());
    }
    if let Value::Map(notifications) = notifications {
        extend(notifications.entry("LambdaConfigurations"), rows);
    }
    wrote(bucket, Path::ROOT.key("NotificationConfiguration").key("LambdaConfigurations"), call);
}

/// Adds what is not there yet.
fn extend(to: &mut Value, rows: impl IntoIterator<Item = Value>) {
    if to.is_null() {
        *to = Value::List(Vec::new());
    }
    if let Value::List(items) = to {
        for row in rows {
            if !items.contains(&row) {
                items.push(row);
            }
        }
    }
}

fn wrote(resource: &mut Resource, path: Path, call: &Call<'_>) {
    if let Some(span) = call.event.part.span() {
        resource.spans.insert(path, span);
        resource.spans.finish();
    }
}

/// The resource of the template that a property of the event refers to.
fn named<'x>(cx: &'x mut Expansion<'_, '_, '_>, call: &Call<'_>, key: &str, type_name: &str) -> Option<&'x mut Resource> {
    let part = call.event.props.get(key);
    let id = cx.logical_id(part.value).map(str::to_owned);
    let there = id.as_deref().and_then(|id| cx.find(id)).is_some_and(|r| r.type_name.as_str() == type_name);
    if !there {
        // With the other resource left out by a condition there is nothing to write into.
        let elsewhere = id.as_deref().is_some_and(|id| cx.node(id).is_some());
        if !elsewhere {
            let detail = format!("`{key}` must refer to a resource of the same template");
            cx.gap(call.source, Some(part), GapReason::Malformed, &detail);
        }
        return None;
    }
    cx.find_mut(&id?)
}

/// `Cognito`: the pool's own configuration, and the permission for it.
pub(crate) fn cognito(cx: &mut Expansion<'_, '_, '_>, call: &Call<'_>) {
    let props = call.event.props;
    let prefix = format!("{}CognitoPermission", call.target.id);
    let mut permission = call.permission_named(cx, "cognito-idp.amazonaws.com", &prefix, "");
    if let Some(pool) = cx.logical_id(props.get("UserPool").value) {
        permission.set("SourceArn", cx.attribute(pool, "Arn"));
    }
    cx.add(permission);
    let Some(pool) = named(cx, call, "UserPool", "AWS::Cognito::UserPool") else { return };
    let config = pool.props.entry("LambdaConfig");
    if config.is_null() {
        *config = Value::Map(Map::new());
    }
    let mut paths = Vec::new();
    if let Value::Map(config) = config {
        for trigger in props.get("Trigger").one_or_more() {
            if let Some(name) = trigger.text() {
                config.insert(name, call.target.arn.clone());
                paths.push(Path::ROOT.key("LambdaConfig").key(name));
            }
        }
    }
    for path in paths {
        wrote(pool, path, call);
    }
}

/// `IoTRule`.
pub(crate) fn iot(cx: &mut Expansion<'_, '_, '_>, call: &Call<'_>) {
    let props = call.event.props;
    let name = cx.refer(&call.event.full);
    let arn = "arn:${AWS::Partition}:iot:${AWS::Region}:${AWS::AccountId}:rule/${RuleName}";
    let mut permission = call.permission(cx, "iot.amazonaws.com", "");
    permission.set("SourceArn", cx.compose(arn, &[("RuleName", &name)]));
    permission.set("SourceAccount", cx.pseudo("AWS::AccountId"));
    cx.add(permission);
    let action = map([("Lambda", map([("FunctionArn", call.target.arn.clone())]))]);
    let payload = map([
        ("Sql", props.get("Sql").value.clone()),
        ("RuleDisabled", false.into()),
        ("Actions", list([action])),
        ("AwsIotSqlVersion", props.get("AwsIotSqlVersion").said()),
    ]);
    let mut rule = call.make(cx, &call.event.full, "AWS::IoT::TopicRule");
    rule.derive("TopicRulePayload", payload, props);
    cx.add(rule);
}

/// `AlexaSkill`.
pub(crate) fn alexa(cx: &mut Expansion<'_, '_, '_>, call: &Call<'_>) {
    let mut permission = call.permission(cx, "alexa-appkit.amazon.com", "");
    permission.copy("EventSourceToken", call.event.props.get("SkillId"));
    cx.add(permission);
}

/// `CloudWatchLogs`.
pub(crate) fn logs(cx: &mut Expansion<'_, '_, '_>, call: &Call<'_>) {
    let props = call.event.props;
    let group = props.get("LogGroupName").value;
    let arn = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Group}:*";
    let mut permission = call.permission(cx, "logs.amazonaws.com", "");
    permission.set("SourceArn", cx.compose(arn, &[("Group", group)]));
    cx.add(permission);
    let mut filter = call.make(cx, &call.event.full, "AWS::Logs::SubscriptionFilter");
    filter.copy_all(props, &["LogGroupName", "FilterPattern"]);
    filter.set("DestinationArn", call.target.arn.clone());
    cx.add(filter);
}

/// `SNS`, directly or through a queue.
pub(crate) fn sns(cx: &mut Expansion<'_, '_, '_>, call: &Call<'_>, role: &mut Role) {
    let props = call.event.props;
    let through = props.get("SqsSubscription");
    if !through.says() {
        subscription(cx, call, "lambda", call.target.arn.clone());
        let mut permission = call.permission(cx, "sns.amazonaws.com", "");
        permission.copy("SourceArn", props.get("Topic"));
        return cx.add(permission);
    }
    let (arn, url) = match through.value {
        Value::Map(_) => (through.get("QueueArn").value.clone(), through.get("QueueUrl").value.clone()),
        _ => {
            let id = format!("{}Queue", call.event.full);
            let mut queue = call.make(cx, &id, "AWS::SQS::Queue");
            let topic = cx.logical_id(props.get("Topic").value).and_then(|id| cx.find(id));
            if topic.is_some_and(|topic| topic.prop("FifoTopic").as_bool() == Some(true)) {
                queue.set("FifoQueue", true);
            }
            cx.add(queue);
            (cx.attribute(&id, "Arn"), cx.refer(&id))
        }
    };
    if arn.is_null() || url.is_null() {
        call.gap(cx, GapReason::Malformed, "`SqsSubscription` needs `QueueArn` and `QueueUrl`");
    }
    let id = through.get("QueuePolicyLogicalId").text().map_or_else(|| format!("{}QueuePolicy", call.event.full), str::to_owned);
    let statement = map([
        ("Action", text("sqs:SendMessage")),
        ("Effect", text("Allow")),
        ("Principal", text("*")),
        ("Resource", arn.clone()),
        ("Condition", map([("ArnEquals", map([("aws:SourceArn", props.get("Topic").value.clone())]))])),
    ]);
    let mut policy = call.make(cx, &id, "AWS::SQS::QueuePolicy");
    policy.set("PolicyDocument", map([("Version", text("2012-10-17")), ("Statement", list([statement]))]));
    policy.set("Queues", list([url]));
    cx.add(policy);
    subscription(cx, call, "sqs", arn.clone());
    let mut mapping = call.make(cx, &format!("{}EventSourceMapping", call.event.full), "AWS::Lambda::EventSourceMapping");
    mapping.set("FunctionName", call.target.name.clone());
    mapping.set("EventSourceArn", arn);
    let batch = through.get("BatchSize").said();
    mapping.set("BatchSize", if batch.is_null() { Value::Int(10) } else { batch });
    mapping.set("Enabled", true);
    cx.add(mapping);
    role.attach(cx.managed_policy(stream::QUEUE_POLICY));
}

fn subscription(cx: &mut Expansion<'_, '_, '_>, call: &Call<'_>, protocol: &str, endpoint: Value) {
    let props = call.event.props;
    let mut made = call.make(cx, &call.event.full, "AWS::SNS::Subscription");
    made.set("Protocol", text(protocol));
    made.set("Endpoint", endpoint);
    made.copy("TopicArn", props.get("Topic"));
    made.copy_all(props, &["Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"]);
    cx.add(made);
}
