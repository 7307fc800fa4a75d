//! Small readers of resources.

use model::{Gap, Resource, Text, TypeName, Value};

use crate::network::Tags;
use crate::ports::Ports;

/// Services whose resources have network interfaces or make up the network.
const SERVICES: &[&str] = &[
    "AWS::EC2",
    "AWS::ElasticLoadBalancing",
    "AWS::ElasticLoadBalancingV2",
    "AWS::AutoScaling",
    "AWS::RDS",
    "AWS::Lambda",
    "AWS::Redshift",
    "AWS::ElastiCache",
    "AWS::OpenSearchService",
    "AWS::Elasticsearch",
    "AWS::EFS",
    "AWS::EKS",
    "AWS::ECS",
    "AWS::DMS",
    "AWS::MSK",
    "AWS::AmazonMQ",
    "AWS::Neptune",
    "AWS::DocDB",
    "AWS::DAX",
    "AWS::MemoryDB",
    "AWS::NetworkFirewall",
];

/// True if a resource of this type may matter to a network.
pub fn concerns(type_name: &TypeName) -> bool {
    SERVICES.contains(&type_name.service()) || type_name.as_str() == "Palisade::EC2::TransitGatewayAttachment"
}

/// True if something that could not be read may matter to a network.
pub fn concerns_gap(gap: &Gap) -> bool {
    gap.type_name.as_ref().is_none_or(concerns)
}

/// Attributes under which a live resource keeps its id, most telling first.
const IDS: &[&str] = &[
    "VpcId",
    "SubnetId",
    "GroupId",
    "RouteTableId",
    "InternetGatewayId",
    "NatGatewayId",
    "NetworkAclId",
    "VpcEndpointId",
    "VPNGatewayId",
    "VpnConnectionId",
    "VPNConnectionId",
    "TransitGatewayRouteTableId",
    "PrefixListId",
    "InstanceId",
    "Id",
    "LoadBalancerArn",
    "TargetGroupArn",
    "ListenerArn",
    "AllocationId",
];

/// The id of a deployed resource: `Ref`, or its own id attribute, or the end of its ARN.
pub(crate) fn physical_id(resource: &Resource) -> Text {
    if let Some(id) = resource.attrs.get("Ref").and_then(Value::as_str) {
        return id.into();
    }
    let kind = resource.type_name.as_str();
    let arn_is_id = kind.starts_with("AWS::ElasticLoadBalancingV2");
    if arn_is_id || !resource.id.starts_with("arn:") {
        if arn_is_id || resource.id.contains('-') {
            return resource.id.clone();
        }
        let own = IDS.iter().find_map(|key| resource.attrs.get(key).and_then(Value::as_str));
        return own.map_or_else(|| resource.id.clone(), Text::from);
    }
    resource.id.rsplit(['/', ':']).next().unwrap_or(&resource.id).into()
}

/// Other names by which something may refer to a resource.
pub(super) fn names(resource: &Resource) -> Vec<Text> {
    let mut names = vec![resource.id.clone()];
    names.extend(resource.name.clone());
    if let Some(tail) = resource.id.rsplit(['/', ':']).next() {
        names.push(tail.into());
    }
    let own = ["Ref", "Arn", "LoadBalancerArn", "TargetGroupArn", "ListenerArn", "GroupId", "Id"];
    names.extend(own.iter().filter_map(|key| resource.attrs.get(key).and_then(Value::as_str)).map(Text::from));
    let given =
        ["DBSubnetGroupName", "DBInstanceIdentifier", "DBClusterIdentifier", "ClusterSubnetGroupName", "CacheSubnetGroupName"];
    names.extend(given.iter().filter_map(|key| resource.props.get(key).and_then(Value::as_str)).map(Text::from));
    names
}

/// Why a value isn't known.
pub(super) fn why(value: &Value) -> Text {
    match value {
        Value::Unknown(unknown) => format!("{}: {}", unknown.reason.words(), unknown.what).into(),
        Value::Link(link) => format!("{}.{} exists only after deploy", link.target, link.attr).into(),
        Value::Mixed(_) => "a composed value that isn't known before deploy".into(),
        _ => "a value of an unexpected kind".into(),
    }
}

/// Tags of a resource.
pub(super) fn tags(resource: &Resource) -> Tags {
    let pair = |tag: &Value| Some((Text::from(tag.get("Key")?.as_str()?), Text::from(tag.get("Value")?.as_str()?)));
    match resource.props.get("Tags") {
        Some(Value::List(items)) => items.iter().filter_map(pair).collect(),
        Some(Value::Map(map)) => map.iter().filter_map(|(k, v)| Some((k.clone(), Text::from(v.as_str()?)))).collect(),
        _ => Tags::new(),
    }
}

/// Protocol and ports of a rule as CloudFormation writes it; with a reason if they are not known: then the most they can be.
pub(super) fn ports(rule: &Value, problem: &mut Option<Text>) -> Ports {
    let protocol = match rule.get("IpProtocol") {
        None | Some(Value::Null) => "-1".to_owned(),
        Some(Value::Int(n)) => n.to_string(),
        Some(Value::Str(s)) => s.to_string(),
        Some(other) => {
            *problem = Some(why(other));
            return Ports::full();
        }
    };
    let mut number = |key: &str| match rule.get(key) {
        None | Some(Value::Null) => None,
        Some(value) => match value.as_int() {
            Some(n) => Some(n),
            None => {
                *problem = Some(why(value));
                None
            }
        },
    };
    let (from, to) = (number("FromPort"), number("ToPort"));
    let (from, to) = if problem.is_some() { (None, None) } else { (from, to) };
    match crate::answers::rule_ports(&protocol, from, to) {
        Ok(ports) => ports,
        Err(words) => {
            *problem = Some(words.into());
            Ports::full()
        }
    }
}

/// A truth value that is known, and true.
pub(super) fn is_true(value: &Value) -> bool {
    flag(value) == Ok(Some(true))
}

/// A truth value that may be unset or unknown.
pub(super) fn flag(value: &Value) -> Result<Option<bool>, Text> {
    match value {
        Value::Null => Ok(None),
        other => match other.as_bool() {
            Some(b) => Ok(Some(b)),
            None => match other.as_str().map(str::to_ascii_lowercase).as_deref() {
                // The last one is how MSK says that its brokers have public addresses.
                Some("enable" | "enabled" | "service_provided_eips") => Ok(Some(true)),
                Some("disable" | "disabled") => Ok(Some(false)),
                _ => Err(why(other)),
            },
        },
    }
}
