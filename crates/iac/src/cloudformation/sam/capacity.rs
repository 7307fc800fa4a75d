//! Serverless resources around functions' machines: capacity providers, network connectors and images of micro-VMs.

use model::Value;

use super::made::{Made, list, map, tag_of, tags, text};
use super::part::Part;
use super::role::{self, allow};
use super::{Expansion, Source, function};

/// SAM's own tag behind those of the resource.
fn tagged(from: Part<'_>) -> Value {
    let mut all = tags(from);
    all.push(tag_of("lambda:createdBy", text("SAM")));
    Value::List(all)
}

/// A role of the resource's own, for a service: its ARN.
fn own_role(
    cx: &mut Expansion<'_, '_, '_>,
    source: &Source,
    suffix: &str,
    fill: impl FnOnce(&Expansion<'_, '_, '_>, &mut Made),
) -> Value {
    let id = format!("{}{suffix}", source.id);
    let mut made = cx.make(source, &id, "AWS::IAM::Role");
    made.set("AssumeRolePolicyDocument", role::trust("lambda.amazonaws.com"));
    made.set("Tags", list([tag_of("lambda:createdBy", text("SAM"))]));
    fill(cx, &mut made);
    combine_tags(source, &mut made);
    cx.add(made);
    cx.attribute(&id, "Arn")
}

/// `PropagateTags`: the resource's tags behind those that are there.
fn combine_tags(source: &Source, made: &mut Made) {
    if source.get("PropagateTags").value.as_bool() != Some(true) {
        return;
    }
    if let Some(Value::List(there)) = made.resource.props.get_mut("Tags") {
        for tag in tags(source.get("Tags")) {
            there.retain(|other| other.get("Key") != tag.get("Key"));
            there.push(tag);
        }
    }
}

fn operator(cx: &mut Expansion<'_, '_, '_>, source: &Source, policy: &str) -> Value {
    match source.get("OperatorRole") {
        given if given.says() => given.value.clone(),
        _ => own_role(cx, source, "OperatorRole", |cx, made| made.set("ManagedPolicyArns", list([cx.managed_policy(policy)]))),
    }
}

/// `AWS::Serverless::CapacityProvider`.
pub(crate) fn provider(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    let known = [
        "CapacityProviderName",
        "VpcConfig",
        "OperatorRole",
        "Tags",
        "PropagateTags",
        "InstanceRequirements",
        "ScalingConfig",
        "KmsKeyArn",
        "LoggingConfig",
        "ManagedResourceTags",
    ];
    cx.unknown_properties(source, &[&known]);
    let role = operator(cx, source, "AWSLambdaManagedEC2ResourceOperator");
    let mut made = cx.make(source, &source.id, "AWS::Lambda::CapacityProvider");
    made.copy_said("CapacityProviderName", source.get("CapacityProviderName"));
    made.copy_said("VpcConfig", source.get("VpcConfig"));
    made.derive("PermissionsConfig", map([("CapacityProviderOperatorRoleArn", role)]), source.get("OperatorRole"));
    made.derive("Tags", tagged(source.get("Tags")), source.get("Tags"));
    let machines = source.get("InstanceRequirements");
    if machines.says() {
        let value = map([
            ("Architectures", machines.get("Architectures").value.clone()),
            ("AllowedInstanceTypes", machines.get("AllowedTypes").value.clone()),
            ("ExcludedInstanceTypes", machines.get("ExcludedTypes").value.clone()),
        ]);
        made.derive("InstanceRequirements", value, machines);
    }
    let scaling = source.get("ScalingConfig");
    if scaling.says() {
        let usage = scaling.get("AverageCPUUtilization");
        let policy = map([
            ("PredefinedMetricType", text("LambdaCapacityProviderAverageCPUUtilization")),
            ("TargetValue", usage.value.clone()),
        ]);
        let value = map([
            ("MaxVCpuCount", scaling.get("MaxVCpuCount").value.clone()),
            ("ScalingMode", text(if usage.is_set() { "Manual" } else { "Auto" })),
            ("ScalingPolicies", if usage.is_set() { list([policy]) } else { Value::Null }),
        ]);
        made.derive("CapacityProviderScalingConfig", value, scaling);
    }
    made.copy_said("KmsKeyArn", source.get("KmsKeyArn"));
    let logging = source.get("LoggingConfig");
    if logging.says() {
        made.derive("TelemetryConfig", map([("LoggingConfig", logging.value.clone())]), logging);
    }
    let managed = source.get("ManagedResourceTags");
    if managed.get("Tags").is_set() {
        let value = map([("Mode", text("Explicit")), ("ExplicitTags", Value::List(tags(managed.get("Tags"))))]);
        made.derive("PropagateTags", value, managed);
    }
    combine_tags(source, &mut made);
    cx.add(made);
}

/// `AWS::Serverless::NetworkConnector`.
pub(crate) fn network_connector(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    cx.unknown_properties(source, &[&["Name", "VpcConfig", "ComputeTypes", "OperatorRole", "Tags", "PropagateTags"]]);
    let role = operator(cx, source, "AWSLambdaNetworkConnectorOperatorPolicy");
    let mut made = cx.make(source, &source.id, "AWS::Lambda::NetworkConnector");
    made.copy_said("Name", source.get("Name"));
    let mut network = source.get("VpcConfig").value.as_map().cloned().unwrap_or_default();
    let types = source.get("ComputeTypes");
    let types = if types.says() { types.value.clone() } else { list([text("MicroVm")]) };
    network.insert("AssociatedComputeResourceTypes", types);
    made.derive("Configuration", map([("VpcEgressConfiguration", Value::Map(network))]), source.get("VpcConfig"));
    made.set("OperatorRole", role);
    made.derive("Tags", tagged(source.get("Tags")), source.get("Tags"));
    combine_tags(source, &mut made);
    cx.add(made);
}

/// `AWS::Serverless::MicrovmImage`.
pub(crate) fn image(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    let lists = ["EgressNetworkConnectors", "CpuConfigurations", "Resources", "AdditionalOsCapabilities"];
    let same = ["Name", "BaseImageArn", "BaseImageVersion"];
    let other = ["CodeUri", "BuildRoleArn", "Description", "Tags", "Logging", "Hooks", "EnvironmentVariables", "PropagateTags"];
    cx.unknown_properties(source, &[&lists, &same, &other]);
    let role = match source.get("BuildRoleArn") {
        given if given.says() => given.value.clone(),
        _ => build_role(cx, source),
    };
    let mut made = cx.make(source, &source.id, "AWS::Lambda::MicrovmImage");
    made.copy_all(source.props(), &same);
    made.derive("CodeArtifact", map([("Uri", source.get("CodeUri").value.clone())]), source.get("CodeUri"));
    made.set("BuildRoleArn", role);
    let or = |key: &str, default: Value| if source.get(key).says() { source.get(key).value.clone() } else { default };
    made.derive("Description", or("Description", text("")), source.get("Description"));
    made.derive("Logging", or("Logging", map([])), source.get("Logging"));
    made.derive("Hooks", or("Hooks", map([])), source.get("Hooks"));
    for key in lists {
        made.derive(key, or(key, list([])), source.get(key));
    }
    let variables = source.get("EnvironmentVariables").entries().map(|(key, part)| tag_of(key, part.value.clone()));
    made.derive("EnvironmentVariables", Value::List(variables.collect()), source.get("EnvironmentVariables"));
    made.derive("Tags", tagged(source.get("Tags")), source.get("Tags"));
    combine_tags(source, &mut made);
    cx.add(made);
}

fn build_role(cx: &mut Expansion<'_, '_, '_>, source: &Source) -> Value {
    let location = function::location(source.get("CodeUri"), ["Bucket", "Key", "Version"]);
    own_role(cx, source, "BuildRole", |cx, made| {
        let bucket = location.get("Bucket").cloned().unwrap_or_default();
        let objects = cx.compose("arn:${AWS::Partition}:s3:::${Bucket}/*", &[("Bucket", &bucket)]);
        let logs = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"].map(text);
        let statements = list([allow(list([text("s3:GetObject")]), objects), allow(list(logs), text("*"))]);
        let document = map([("Version", text("2012-10-17")), ("Statement", statements)]);
        made.set("Policies", list([map([("PolicyName", text("MicrovmImageBuildPolicy")), ("PolicyDocument", document)])]));
    })
}
