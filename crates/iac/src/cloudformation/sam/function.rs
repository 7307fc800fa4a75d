//! `AWS::Serverless::Function`: the function, its role, version, alias and URL. Its events are in `event`.

use model::{GapReason, Path, Value};
use serde_json::{Value as Json, json};

use super::made::{Made, list, map, tags_with, text};
use super::part::Part;
use super::role::{self, Role};
use super::{Expansion, Source, deployment, event, invoke, written};

/// Properties that the function has under the same name.
const SAME: &[&str] = &[
    "FunctionName",
    "Handler",
    "Runtime",
    "Description",
    "MemorySize",
    "Timeout",
    "VpcConfig",
    "Role",
    "Environment",
    "KmsKeyArn",
    "ReservedConcurrentExecutions",
    "Layers",
    "FileSystemConfigs",
    "ImageConfig",
    "PackageType",
    "Architectures",
    "SnapStart",
    "EphemeralStorage",
    "CodeSigningConfigArn",
    "RuntimeManagementConfig",
    "LoggingConfig",
    "TenancyConfig",
    "RecursiveLoop",
    "DurableConfig",
    "FunctionScalingConfig",
    "PublishToLatestPublished",
];

/// Properties that become something else.
const OWN: &[&str] = &[
    "CodeUri",
    "ImageUri",
    "InlineCode",
    "SourceKMSKeyArn",
    "DeadLetterQueue",
    "AssumeRolePolicyDocument",
    "Policies",
    "RolePath",
    "PermissionsBoundary",
    "Events",
    "Tags",
    "PropagateTags",
    "Tracing",
    "DeploymentPreference",
    "EventInvokeConfig",
    "AutoPublishAlias",
    "AutoPublishAliasAllProperties",
    "AutoPublishCodeSha256",
    "VersionDescription",
    "VersionDeletionPolicy",
    "ProvisionedConcurrencyConfig",
    "FunctionUrlConfig",
    "CapacityProviderConfig",
];

/// What events call: the function, or its alias.
pub(crate) struct Target {
    /// The logical id of the one that is called.
    pub(crate) id: String,
    pub(crate) arn: Value,
    /// What `FunctionName` is set to in other resources.
    pub(crate) name: Value,
}

/// Makes what a function becomes.
pub(crate) fn expand(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    cx.unknown_properties(source, &[SAME, OWN]);
    let before = cx.made.len();
    let alias = published(cx, source);
    let function = Target { id: source.id.clone(), arn: cx.attribute(&source.id, "Arn"), name: cx.refer(&source.id) };
    if source.get("FunctionUrlConfig").says() {
        url(cx, source, alias.as_deref());
    }
    let target = match alias {
        Some(id) => Target { arn: cx.refer(&id), name: cx.refer(&id), id },
        None => function,
    };
    let mut role = Role::default();
    collect_policies(cx, source, &mut role);
    invoke::expand(cx, source, &target, &mut role);
    role::add_policies(cx, source, &format!("{}Role", source.id), &mut role);
    let events = source.get("Events");
    if events.is_set() && events.value.as_map().is_none() {
        cx.gap(source, Some(events), GapReason::Unsupported, "its events are not known");
    }
    event::expand_all(cx, source, &target, &mut role);
    let may_have_its_own = match source.get("Role").value {
        Value::Null => true,
        Value::Unknown(why) => !why.present,
        _ => false,
    };
    if may_have_its_own {
        execution_role(cx, source, role);
    }
    deployment::prefer(cx, source);
    propagate_tags(cx, source, before);
}

/// Gives the tags of `source` to what it has become, if it says so.
pub(crate) fn propagate_tags(cx: &mut Expansion<'_, '_, '_>, source: &Source, from: usize) {
    if source.get("PropagateTags").value.as_bool() != Some(true) || !source.get("Tags").says() {
        return;
    }
    let made = cx.made.len().saturating_sub(from);
    if !cx.afford(source.get("Tags").value, made) {
        return;
    }
    for made in cx.made.iter_mut().skip(from) {
        if TAGGED.contains(&made.resource.type_name.as_str()) {
            made.derive("Tags", Value::List(super::made::tags(source.get("Tags"))), source.get("Tags"));
            made.resource.spans.finish();
        }
    }
}

/// Types among what SAM makes that can have tags as it knows them.
const TAGGED: &[&str] = &[
    "AWS::ApiGateway::ApiKey",
    "AWS::ApiGateway::DomainName",
    "AWS::ApiGateway::DomainNameAccessAssociation",
    "AWS::ApiGateway::DomainNameV2",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::ApiGateway::UsagePlan",
    "AWS::IAM::Role",
    "AWS::IoT::TopicRule",
    "AWS::Lambda::Function",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
];

/// The function itself, and its version and alias if it publishes one: the alias's logical id.
fn published(cx: &mut Expansion<'_, '_, '_>, source: &Source) -> Option<String> {
    let mut made = cx.make(source, &source.id, "AWS::Lambda::Function");
    made.copy_all(source.props(), SAME);
    code(cx, source, &mut made);
    if source.get("Role").value.is_null() {
        made.set("Role", cx.attribute(&format!("{}Role", source.id), "Arn"));
    }
    made.derive("Tags", tags_with("lambda:createdBy", source.get("Tags")), source.get("Tags"));
    if traced(source) {
        made.derive("TracingConfig", map([("Mode", source.get("Tracing").value.clone())]), source.get("Tracing"));
    }
    let queue = source.get("DeadLetterQueue");
    if queue.says() {
        made.derive("DeadLetterConfig", map([("TargetArn", queue.get("TargetArn").value.clone())]), queue);
    }
    capacity(source, &mut made);
    let alias = source.get("AutoPublishAlias");
    let sha = source.get("AutoPublishCodeSha256").text().map(str::to_owned);
    if let (true, Some(sha)) = (alias.says(), &sha) {
        let description = source.get("Description");
        let value = match description.says() {
            true => cx.compose("${Description} ${Sha}", &[("Description", description.value), ("Sha", &text(sha))]),
            false => text(sha),
        };
        made.derive("Description", value, source.get("AutoPublishCodeSha256"));
    }
    let published = alias.says().then(|| publish(cx, source, &made, alias, sha.as_deref()));
    cx.add(made);
    let (version, alias) = published?;
    cx.add(version);
    let id = alias.resource.id.strip_prefix(cx.evaluator.prefix).unwrap_or(&alias.resource.id).to_owned();
    cx.add(alias);
    Some(id)
}

fn capacity(source: &Source, made: &mut Made) {
    let config = source.get("CapacityProviderConfig");
    if config.says() {
        let inner = map([
            ("CapacityProviderArn", config.get("Arn").value.clone()),
            ("PerExecutionEnvironmentMaxConcurrency", config.get("PerExecutionEnvironmentMaxConcurrency").value.clone()),
            ("ExecutionEnvironmentMemoryGiBPerVCpu", config.get("ExecutionEnvironmentMemoryGiBPerVCpu").value.clone()),
        ]);
        made.derive("CapacityProviderConfig", map([("LambdaManagedInstancesCapacityProviderConfig", inner)]), config);
    }
}

/// True if requests are traced, or may be.
fn traced(source: &Source) -> bool {
    source.get("Tracing").says() && source.get("Tracing").text() != Some("Disabled")
}

fn code(cx: &Expansion<'_, '_, '_>, source: &Source, made: &mut Made) {
    let by_image = !source.get("CodeUri").is_set() && !source.get("InlineCode").is_set() && source.get("ImageUri").is_set();
    let image = source.get("PackageType").text() == Some("Image") || by_image;
    let key = match image {
        true => "ImageUri",
        false if source.get("InlineCode").is_set() => "InlineCode",
        false => "CodeUri",
    };
    let part = source.get(key);
    let mut code = match (key, part.value) {
        (_, Value::Null) if image => {
            map([("ImageUri", Value::unknown_present(model::Reason::NotCollected, "the image that is built"))])
        }
        (_, Value::Null) => {
            cx.gap(source, None, GapReason::Malformed, "has neither `CodeUri` nor `InlineCode`");
            return;
        }
        ("ImageUri", value) => map([("ImageUri", value.clone())]),
        ("InlineCode", value) => map([("ZipFile", value.clone())]),
        _ => location(part, ["S3Bucket", "S3Key", "S3ObjectVersion"]),
    };
    if let (false, Value::Map(code)) = (image, &mut code) {
        let storage = part.get("StorageMode");
        if storage.is_set() && part.value.as_map().is_some() {
            code.insert("S3ObjectStorageMode", storage.value.clone());
        }
        if source.get("SourceKMSKeyArn").says() {
            code.insert("SourceKMSKeyArn", source.get("SourceKMSKeyArn").value.clone());
        }
    }
    made.derive("Code", code, part);
}

/// Where something lies in S3, under the names `[bucket, key, version]`. What lies on the local disk is uploaded when the
/// template is packaged.
pub(crate) fn location(part: Part<'_>, [bucket, key, version]: [&str; 3]) -> Value {
    if let Value::Map(_) = part.value {
        let member = |key: &str| part.get(key).value.clone();
        return map([(bucket, member("Bucket")), (key, member("Key")), (version, member("Version"))]);
    }
    let unknown = |what: &str| Value::unknown_present(model::Reason::NotCollected, what);
    let parsed = part.text().and_then(s3_uri);
    match parsed {
        Some((b, k, v)) => map([(bucket, text(b)), (key, text(k)), (version, v.map_or(Value::Null, text))]),
        None => {
            let what = part.text().map_or_else(|| "where the code lies".to_owned(), |path| format!("where `{path}` is uploaded"));
            map([(bucket, unknown(&what)), (key, unknown(&what))])
        }
    }
}

/// `s3://bucket/key?versionId=v`.
fn s3_uri(uri: &str) -> Option<(&str, &str, Option<&str>)> {
    let (bucket, rest) = uri.strip_prefix("s3://")?.split_once('/')?;
    let (key, query) = rest.split_once('?').unwrap_or((rest, ""));
    let version = query.split('&').find_map(|pair| pair.strip_prefix("versionId="));
    (!bucket.is_empty()).then_some((bucket, key.trim_start_matches('/'), version))
}

/// The version and the alias that point at the function.
fn publish(cx: &Expansion<'_, '_, '_>, source: &Source, function: &Made, alias: Part<'_>, sha: Option<&str>) -> (Made, Made) {
    let prefix = format!("{}Version", source.id);
    let version_id = match sha {
        Some(sha) => format!("{prefix}{}", sha.chars().take(10).collect::<String>()),
        None => written::hashed(&prefix, &fingerprint(cx, source, function)),
    };
    let mut version = cx.make_at(source, &version_id, "AWS::Lambda::Version", alias);
    version.set("FunctionName", cx.refer(&source.id));
    version.copy("Description", source.get("VersionDescription"));
    if source.get("CapacityProviderConfig").is_set() {
        version.copy("FunctionScalingConfig", source.get("FunctionScalingConfig"));
    }
    // Without a value for the name the end of the logical id is open.
    let name = alias.text().unwrap_or_default().replace('-', "D").replace('_', "U");
    let id = format!("{}Alias{name}", source.id);
    let mut made = cx.make_at(source, &id, "AWS::Lambda::Alias", alias);
    made.copy("Name", alias);
    made.set("FunctionName", cx.refer(&source.id));
    made.set("FunctionVersion", cx.attribute(&version_id, "Version"));
    made.copy_said("ProvisionedConcurrencyConfig", source.get("ProvisionedConcurrencyConfig"));
    (version, made)
}

/// What a new version is told by: the code, the environment and the memory; with `AutoPublishAliasAllProperties` everything
/// but the role.
fn fingerprint(cx: &Expansion<'_, '_, '_>, source: &Source, function: &Made) -> Json {
    let written = |key: &str| source.written.get(key).cloned().unwrap_or_default();
    let code = written_code(cx, source, function);
    if source.get("AutoPublishAliasAllProperties").value.as_bool() == Some(true) {
        return all_written(source, code);
    }
    let mut all = code;
    if let Json::Object(environment) = written("Environment") {
        all.extend(environment);
    }
    let memory = written("MemorySize");
    if !matches!(memory, Json::Null) && memory != json!(0) {
        all.insert("MemorySize".to_owned(), memory);
    }
    let snap_start = written("SnapStart");
    if snap_start.get("ApplyOn").is_some_and(|on| on.as_str() != Some("None")) {
        all.insert("SnapStart".to_owned(), snap_start);
    }
    Json::Object(all)
}

/// Where the code lies, as it is written.
fn written_code(cx: &Expansion<'_, '_, '_>, source: &Source, function: &Made) -> serde_json::Map<String, Json> {
    let resolved = |key: &str| cx.resolved(source.written.get(key).unwrap_or(&Json::Null));
    let code = function.resource.props.get("Code").and_then(Value::as_map);
    let member = |(key, value): (&model::Text, &Value)| {
        let plain = match (&**key, value) {
            ("ZipFile", _) => resolved("InlineCode"),
            ("ImageUri", _) => resolved("ImageUri"),
            (_, Value::Link(_) | Value::Unknown(_) | Value::Mixed(_)) => {
                let member = ["Bucket", "Key", "Version"].into_iter().find(|k| key.ends_with(k)).unwrap_or_default();
                resolved("CodeUri").get(member).cloned().unwrap_or_default()
            }
            (_, value) => model::to_json(value),
        };
        (key.to_string(), plain)
    };
    code.into_iter().flat_map(|code| code.iter()).map(member).collect()
}

/// The function's properties as they are written.
fn all_written(source: &Source, code: serde_json::Map<String, Json>) -> Json {
    let mut all: serde_json::Map<String, Json> = SAME
        .iter()
        .filter(|key| **key != "FunctionScalingConfig" || source.get(key).says())
        .filter_map(|key| Some(((*key).to_owned(), source.written.get(*key)?.clone())))
        .collect();
    all.insert("Code".to_owned(), code.into());
    let tag = |(key, value): (&String, &Json)| json!({ "Key": key, "Value": value });
    let own = source.written.get("Tags").and_then(Json::as_object).into_iter().flatten().map(tag);
    let tags = std::iter::once(json!({ "Key": "lambda:createdBy", "Value": "SAM" })).chain(own).collect();
    all.insert("Tags".to_owned(), tags);
    if traced(source) {
        all.insert("TracingConfig".to_owned(), json!({ "Mode": source.written.get("Tracing") }));
    }
    if let Some(arn) = source.written.get("DeadLetterQueue").and_then(|queue| queue.get("TargetArn")) {
        all.insert("DeadLetterConfig".to_owned(), json!({ "TargetArn": arn }));
    }
    Json::Object(all)
}

/// The function's URL, and who may call it.
fn url(cx: &mut Expansion<'_, '_, '_>, source: &Source, alias: Option<&str>) {
    let config = source.get("FunctionUrlConfig");
    let function = cx.refer(alias.unwrap_or(&source.id));
    let mut made = cx.make_at(source, &format!("{}Url", source.id), "AWS::Lambda::Url", config);
    made.copy_said("Cors", config.get("Cors"));
    made.copy_all(config, &["AuthType", "InvokeMode"]);
    made.set("TargetFunctionArn", function.clone());
    cx.add(made);
    let auth = config.get("AuthType");
    // SAM makes the permissions only where the type is written out.
    let written = source.written.get("FunctionUrlConfig").and_then(|config| config.get("AuthType"));
    if auth.text() != Some("NONE") || written.is_some_and(Json::is_object) {
        if !auth.is_set() {
            cx.gap(source, Some(config), GapReason::Malformed, "`FunctionUrlConfig` has no `AuthType`");
        }
        return;
    }
    let id = format!("{}UrlPublicPermissions", source.id);
    let mut made = cx.make_at(source, &id, "AWS::Lambda::Permission", auth);
    made.set("Action", text("lambda:InvokeFunctionUrl"));
    made.set("FunctionName", function.clone());
    made.derive("Principal", text("*"), auth);
    made.copy("FunctionUrlAuthType", auth);
    cx.add(made);
    let id = format!("{}URLInvokeAllowPublicAccess", source.id);
    let mut made = cx.make_at(source, &id, "AWS::Lambda::Permission", auth);
    made.set("Action", text("lambda:InvokeFunction"));
    made.set("FunctionName", function);
    made.derive("Principal", text("*"), auth);
    made.set("InvokedViaFunctionUrl", true);
    cx.add(made);
}

/// The policies that do not come from events.
fn collect_policies(cx: &Expansion<'_, '_, '_>, source: &Source, role: &mut Role) {
    let basic = match source.get("DurableConfig").says() {
        true => "service-role/AWSLambdaBasicDurableExecutionRolePolicy",
        false => "service-role/AWSLambdaBasicExecutionRole",
    };
    role.attach(cx.managed_policy(basic));
    if traced(source) {
        role.attach(cx.managed_policy(tracing_policy(cx)));
    }
    if source.get("VpcConfig").says() {
        role.attach(cx.managed_policy("service-role/AWSLambdaVPCAccessExecutionRole"));
    }
    let queue = source.get("DeadLetterQueue");
    if queue.says() {
        let action = match queue.get("Type").text() {
            Some("SQS") => text("sqs:SendMessage"),
            Some("SNS") => text("sns:Publish"),
            _ => {
                cx.gap(source, Some(queue), GapReason::Malformed, "the type of a dead-letter queue is `SQS` or `SNS`");
                Value::unknown_present(model::Reason::Malformed, "DeadLetterQueue.Type")
            }
        };
        let statement = role::allow(action, queue.get("TargetArn").value.clone());
        let document = map([("Version", text("2012-10-17")), ("Statement", list([statement]))]);
        role.push(map([("PolicyName", text("DeadLetterQueuePolicy")), ("PolicyDocument", document)]), queue);
    }
}

/// The managed policy that lets a role send traces.
pub(crate) fn tracing_policy(cx: &Expansion<'_, '_, '_>) -> &'static str {
    if cx.partition() == "aws" { "AWSXrayWriteOnlyAccess" } else { "AWSXRayDaemonWriteAccess" }
}

fn execution_role(cx: &mut Expansion<'_, '_, '_>, source: &Source, role: Role) {
    let id = format!("{}Role", source.id);
    let mut made = cx.make(source, &id, "AWS::IAM::Role");
    match source.get("AssumeRolePolicyDocument") {
        document if document.is_set() => made.copy("AssumeRolePolicyDocument", document),
        _ => made.set("AssumeRolePolicyDocument", role::trust("lambda.amazonaws.com")),
    }
    role.finish(&mut made);
    made.wrote(Path::ROOT.key("ManagedPolicyArns"), source.get("Policies").span());
    made.copy("Path", source.get("RolePath"));
    made.copy("PermissionsBoundary", source.get("PermissionsBoundary"));
    made.derive("Tags", tags_with("lambda:createdBy", source.get("Tags")), source.get("Tags"));
    cx.add(made);
}
