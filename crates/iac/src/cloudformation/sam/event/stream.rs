//! Events that Lambda polls for: queues, streams, brokers and change feeds. Each becomes an event source mapping, and the
//! function's role gets what reading needs.

use model::{GapReason, Value};

use super::super::Expansion;
use super::super::made::{list, map, text};
use super::super::part::Part;
use super::super::role::{self, Role, allow};
use super::Call;

/// What lets a function read a queue.
pub(crate) const QUEUE_POLICY: &str = "service-role/AWSLambdaSQSQueueExecutionRole";

/// One kind: the property that names the source, and the managed policy that lets read it.
struct Kind {
    name: &'static str,
    source: Option<&'static str>,
    policy: Option<&'static str>,
}

const KINDS: &[Kind] = &[
    Kind { name: "SQS", source: Some("Queue"), policy: Some(QUEUE_POLICY) },
    Kind { name: "Kinesis", source: Some("Stream"), policy: Some("service-role/AWSLambdaKinesisExecutionRole") },
    Kind { name: "DynamoDB", source: Some("Stream"), policy: Some("service-role/AWSLambdaDynamoDBExecutionRole") },
    Kind { name: "MSK", source: Some("Stream"), policy: Some("service-role/AWSLambdaMSKExecutionRole") },
    Kind { name: "MQ", source: Some("Broker"), policy: None },
    Kind { name: "SelfManagedKafka", source: None, policy: None },
    Kind { name: "DocumentDB", source: Some("Cluster"), policy: None },
];

/// Properties that the mapping has under the same name.
const SAME: &[&str] = &[
    "StartingPosition",
    "StartingPositionTimestamp",
    "BatchSize",
    "Enabled",
    "MaximumBatchingWindowInSeconds",
    "MaximumRetryAttempts",
    "BisectBatchOnFunctionError",
    "MaximumRecordAgeInSeconds",
    "ParallelizationFactor",
    "Topics",
    "Queues",
    "SourceAccessConfigurations",
    "TumblingWindowInSeconds",
    "FunctionResponseTypes",
    "FilterCriteria",
    "KmsKeyArn",
    "ScalingConfig",
    "ProvisionedPollerConfig",
    "MetricsConfig",
    "LoggingConfig",
];

/// True for the kinds of events that are here.
pub(crate) fn knows(kind: &str) -> bool {
    KINDS.iter().any(|k| k.name == kind)
}

/// Makes the mapping, and adds to the role what it needs.
pub(crate) fn expand(cx: &mut Expansion<'_, '_, '_>, call: &Call<'_>, role: &mut Role) {
    let Some(kind) = KINDS.iter().find(|k| k.name == call.event.kind) else { return };
    let props = call.event.props;
    let mut made = call.make(cx, &call.event.full, "AWS::Lambda::EventSourceMapping");
    made.set("FunctionName", call.target.name.clone());
    if let Some(key) = kind.source {
        made.copy("EventSourceArn", props.get(key));
        if !props.get(key).is_set() {
            call.gap(cx, GapReason::Malformed, &format!("the event has no `{key}`"));
        }
    }
    made.copy_all(props, SAME);
    if props.get("KafkaBootstrapServers").says() {
        let servers = map([("KafkaBootstrapServers", props.get("KafkaBootstrapServers").value.clone())]);
        made.derive("SelfManagedEventSource", map([("Endpoints", servers)]), props.get("KafkaBootstrapServers"));
    }
    let group = map([
        ("ConsumerGroupId", props.get("ConsumerGroupId").said()),
        ("SchemaRegistryConfig", props.get("SchemaRegistryConfig").said()),
    ]);
    if group.as_map().is_some_and(|group| !group.is_empty()) {
        match kind.name {
            "MSK" => made.set("AmazonManagedKafkaEventSourceConfig", group),
            "SelfManagedKafka" => made.set("SelfManagedKafkaEventSourceConfig", group),
            _ => call.gap(cx, GapReason::Malformed, "only Kafka has consumer groups and schema registries"),
        }
    }
    if kind.name == "DocumentDB" {
        let config = map([
            ("DatabaseName", props.get("DatabaseName").value.clone()),
            ("CollectionName", props.get("CollectionName").said()),
            ("FullDocument", props.get("FullDocument").said()),
        ]);
        made.derive("DocumentDBEventSourceConfig", config, props);
    }
    let destination = destination(cx, call, &mut made);
    cx.add(made);
    if let Some(policy) = kind.policy {
        role.attach(cx.managed_policy(policy));
    }
    if let Some(policy) = own_policy(cx, call, kind.name) {
        role.embed(policy, call.event.part);
    }
    if let Some(policy) = destination {
        role.embed(policy, call.event.part);
    }
}

/// Where failed records go: the property without `Type`, and the policy that sending needs.
fn destination(cx: &Expansion<'_, '_, '_>, call: &Call<'_>, made: &mut super::Made) -> Option<Value> {
    let config = call.event.props.get("DestinationConfig");
    if !config.says() {
        return None;
    }
    let mut value = config.value.clone();
    let failure = config.get("OnFailure");
    if let Value::Map(config) = &mut value
        && let Some(Value::Map(failure)) = config.get_mut("OnFailure")
    {
        failure.remove("Type");
    }
    made.derive("DestinationConfig", value, config);
    let kind = failure.get("Type").text()?;
    match kind {
        "SQS" | "SNS" | "S3" => role::send_policy(cx, kind, &call.event.full, failure.get("Destination").value),
        "Kafka" => None,
        _ => {
            call.gap(cx, GapReason::Malformed, "the type of a destination is `SQS`, `SNS`, `S3` or `Kafka`");
            None
        }
    }
}

fn secret(uri: &Value) -> Value {
    allow(list([text("secretsmanager:GetSecretValue")]), uri.clone())
}

/// The inline policy that reading needs.
fn own_policy(cx: &Expansion<'_, '_, '_>, call: &Call<'_>, kind: &str) -> Option<Value> {
    let props = call.event.props;
    let access = |wanted: &[&str]| -> Vec<Part<'_>> {
        let all = props.get("SourceAccessConfigurations").items();
        all.filter(|a| a.get("Type").text().is_some_and(|t| wanted.contains(&t))).map(|a| a.get("URI")).collect()
    };
    let mut statements = Vec::new();
    let (name, version) = match kind {
        "MSK" => {
            statements.extend(registry(cx, props.get("SchemaRegistryConfig")));
            statements
                .extend(access(&["CLIENT_CERTIFICATE_TLS_AUTH"]).iter().filter(|uri| uri.says()).map(|uri| secret(uri.value)));
            ("MSKExecutionRolePolicy".to_owned(), Value::Null)
        }
        "MQ" => {
            statements.extend(access(&["BASIC_AUTH"]).first().map(|uri| secret(uri.value)));
            statements.push(allow(list([text("mq:DescribeBroker")]), props.get("Broker").value.clone()));
            statements.extend(key(cx, props).map(|arn| allow(text("kms:Decrypt"), arn)));
            let dynamic = props.get("DynamicPolicyName").value.as_bool() == Some(true);
            let name = if dynamic { format!("{}AMQPolicy", call.event.full) } else { "SamAutoGeneratedAMQPolicy".to_owned() };
            (name, Value::Null)
        }
        "SelfManagedKafka" => {
            let logins =
                ["SASL_SCRAM_256_AUTH", "SASL_SCRAM_512_AUTH", "BASIC_AUTH", "CLIENT_CERTIFICATE_TLS_AUTH", "OAUTHBEARER_AUTH"];
            statements.extend(access(&logins).first().map(|uri| secret(uri.value)));
            statements.extend(access(&["SERVER_ROOT_CA_CERTIFICATE"]).last().map(|uri| secret(uri.value)));
            if !access(&["VPC_SUBNET"]).is_empty() && !access(&["VPC_SECURITY_GROUP"]).is_empty() {
                statements.push(network());
            }
            statements.extend(key(cx, props).map(|arn| allow(list([text("kms:Decrypt")]), arn)));
            statements.extend(registry(cx, props.get("SchemaRegistryConfig")));
            ("SelfManagedKafkaExecutionRolePolicy".to_owned(), text("2012-10-17"))
        }
        "DocumentDB" => {
            statements.extend(access(&["BASIC_AUTH"]).first().map(|uri| secret(uri.value)));
            let arn = |kind: &str| {
                cx.compose(&format!("arn:${{AWS::Partition}}:rds:${{AWS::Region}}:${{AWS::AccountId}}:{kind}:*"), &[])
            };
            statements.push(allow(list([text("rds:DescribeDBClusterParameters")]), arn("cluster-pg")));
            statements.push(allow(list([text("rds:DescribeDBSubnetGroups")]), arn("subgrp")));
            statements.push(allow(list([text("rds:DescribeDBClusters")]), props.get("Cluster").value.clone()));
            statements.push(network());
            statements.extend(key(cx, props).map(|arn| allow(list([text("kms:Decrypt")]), arn)));
            ("SamAutoGeneratedDocumentDBPolicy".to_owned(), Value::Null)
        }
        _ => return None,
    };
    if statements.is_empty() {
        return None;
    }
    let document = map([("Version", version), ("Statement", Value::List(statements))]);
    Some(map([("PolicyName", text(name)), ("PolicyDocument", document)]))
}

fn key(cx: &Expansion<'_, '_, '_>, props: Part<'_>) -> Option<Value> {
    let id = props.get("SecretsManagerKmsKeyId");
    let arn = "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/${Key}";
    id.says().then(|| cx.compose(arn, &[("Key", id.value)]))
}

fn network() -> Value {
    let actions = [
        "ec2:CreateNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeVpcs",
        "ec2:DescribeSubnets",
        "ec2:DescribeSecurityGroups",
    ];
    allow(list(actions.map(text)), text("*"))
}

/// What reading a schema registry needs.
fn registry(cx: &Expansion<'_, '_, '_>, config: Part<'_>) -> Vec<Value> {
    let mut statements: Vec<Value> = config
        .get("AccessConfigs")
        .items()
        .map(|a| a.get("URI"))
        .filter(|uri| uri.is_set())
        .map(|uri| secret(uri.value))
        .collect();
    let uri = config.get("SchemaRegistryURI");
    // The name is what stands behind `registry/`, in text or behind what is known only later.
    let end = match uri.value {
        Value::Str(arn) => Some(&**arn),
        Value::Mixed(pieces) => pieces.last().and_then(Value::as_str),
        _ => None,
    };
    if let Some((_, name)) = end.and_then(|end| end.split_once(":registry/")) {
        statements.push(allow(list([text("glue:GetRegistry")]), uri.value.clone()));
        let name = name.split(':').next().unwrap_or_default();
        let arn = format!("arn:${{AWS::Partition}}:glue:${{AWS::Region}}:${{AWS::AccountId}}:schema/{name}/*");
        statements.push(allow(list([text("glue:GetSchemaVersion")]), list([cx.compose(&arn, &[])])));
    }
    statements
}
