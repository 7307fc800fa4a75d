//! Networks from snapshots: live scopes of several accounts are one, a firewall of a template decides as a deployed one does.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use model::{Resource, ScopeIndex, Snapshot, SourceKind, TypeName, Value, from_json};
use net::{Place, Ports, Verdict};
use serde_json::{Value as Json, json};

/// Adds resources, as `{id: [type, properties]}`; `{"$ref": "X.Attr"}` is a link, `{"$unknown": "X"}` a parameter, or for `aws_x`
/// what a plan does not know yet.
fn add(snapshot: &mut Snapshot, scope: ScopeIndex, resources: &Json) {
    for (id, entry) in resources.as_object().unwrap() {
        let kind = TypeName::new(entry.get(0).unwrap().as_str().unwrap()).unwrap();
        let mut resource = Resource::new(id.as_str(), kind, scope);
        if let Value::Map(props) = linked(from_json(entry.get(1).unwrap())) {
            resource.props = props;
        }
        snapshot.resources.push(resource);
    }
}

fn linked(value: Value) -> Value {
    let member = |map: &model::Map, key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
    match value {
        Value::Map(map) => match (member(&map, "$ref"), member(&map, "$unknown")) {
            (Some(text), _) => {
                let (target, attr) = text.split_once('.').unwrap_or((&text, ""));
                Value::link(target, attr)
            }
            (_, Some(text)) => {
                let planned = text.starts_with("aws_");
                let reason = if planned { model::Reason::AfterApply } else { model::Reason::NoDefaultParameter };
                Value::unknown_present(reason, text.as_str())
            }
            _ => Value::Map(map.into_iter().map(|(key, value)| (key, linked(value))).collect()),
        },
        Value::List(items) => Value::List(items.into_iter().map(linked).collect()),
        other => other,
    }
}

fn ask(network: &net::Network, from: &str, to: &str, ports: &str) -> net::Answer {
    let place = |text: &str| Place::parse(network, text).unwrap();
    net::reach(network, &place(from), &place(to), &Ports::parse(ports).unwrap())
}

/// A VPC with one subnet, one open group and one instance, all named by a letter.
fn account(letter: &str, second: u8, routes: &Json) -> Json {
    let name = |kind: &str| format!("{kind}-{letter}");
    let block = |len: u8| format!("10.{second}.0.0/{len}");
    let open = json!([{ "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" }]);
    let entry = |egress: bool| json!({ "RuleNumber": 100, "Protocol": -1, "Egress": egress, "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" });
    let associated = json!([{ "SubnetId": name("subnet"), "Main": true }]);
    json!({
        name("vpc"): ["AWS::EC2::VPC", { "CidrBlock": block(16) }],
        name("subnet"): ["AWS::EC2::Subnet", { "VpcId": name("vpc"), "CidrBlock": block(24), "AvailabilityZone": "eu-west-1a" }],
        name("acl"): ["AWS::EC2::NetworkAcl", { "VpcId": name("vpc"), "IsDefault": true, "Entries": [entry(false), entry(true)], "Associations": [{ "SubnetId": name("subnet") }] }],
        name("rtb"): ["AWS::EC2::RouteTable", { "VpcId": name("vpc"), "Routes": routes, "Associations": associated }],
        name("sg"): ["AWS::EC2::SecurityGroup", { "VpcId": name("vpc"), "SecurityGroupIngress": open, "SecurityGroupEgress": open }],
        name("eni"): ["AWS::EC2::NetworkInterface", { "SubnetId": name("subnet"), "PrivateIpAddress": format!("10.{second}.0.10"), "GroupSet": [name("sg")], "InstanceId": name("i") }],
    })
}

#[test]
fn live_scopes_of_several_accounts_are_one_network() {
    let mut snapshot = Snapshot::default();
    let over = |to: &str| json!([{ "DestinationCidrBlock": to, "VpcPeeringConnectionId": "pcx-1", "State": "active" }]);
    let first = snapshot.add_scope("111122223333", SourceKind::Live);
    add(&mut snapshot, first, &account("a", 0, &over("10.1.0.0/16")));
    let peering = json!({ "pcx-1": ["AWS::EC2::VPCPeeringConnection", { "VpcId": "vpc-a", "PeerVpcId": "vpc-b" }] });
    add(&mut snapshot, first, &peering);
    let second = snapshot.add_scope("444455556666", SourceKind::Live);
    add(&mut snapshot, second, &account("b", 1, &over("10.0.0.0/16")));
    // The same range as the first account's: it stays apart.
    add(&mut snapshot, second, &account("c", 0, &json!([])));
    let networks = net::from_snapshot(&snapshot);
    let [(scopes, network)] = networks.as_slice() else { panic!("{} networks", networks.len()) };
    assert_eq!(scopes.as_slice(), [first, second]);
    for (from, to, want) in [
        ("i-a", "i-b", Verdict::Reachable),
        ("i-b", "i-a", Verdict::Reachable),
        ("i-c", "i-b", Verdict::Blocked),
        ("i-a", "i-c", Verdict::Blocked),
    ] {
        let answer = ask(network, from, to, "tcp/22");
        assert_eq!(answer.answer, want, "{from} -> {to}: {answer:#?}");
    }
    let code = snapshot.add_scope("stack.yaml", SourceKind::CloudFormation);
    add(&mut snapshot, code, &account("d", 3, &json!([])));
    assert_eq!(net::from_snapshot(&snapshot).len(), 2, "a template is a network of its own");
}

#[test]
fn a_firewall_of_a_template_decides() {
    let route = |table: &str, to: &str, key: &str, value: Json| json!(["AWS::EC2::Route", { "RouteTableId": { "$ref": table }, "DestinationCidrBlock": to, key: value }]);
    let endpoint = json!({ "$unknown": "Firewall.EndpointIds" });
    let subnet = |block: &str| json!(["AWS::EC2::Subnet", { "VpcId": { "$ref": "Vpc" }, "CidrBlock": block, "AvailabilityZone": "eu-west-1a", "MapPublicIpOnLaunch": true }]);
    let table = json!(["AWS::EC2::RouteTable", { "VpcId": { "$ref": "Vpc" } }]);
    let joined = |subnet: &str, table: &str| json!(["AWS::EC2::SubnetRouteTableAssociation", { "SubnetId": { "$ref": subnet }, "RouteTableId": { "$ref": table } }]);
    let rules = json!({ "RulesSource": { "RulesString": "pass tcp any any -> $HOME_NET 443 (sid:1;)\ndrop tcp any any -> any any (sid:2;)" } });
    let policy = json!({
        "StatelessDefaultActions": ["aws:forward_to_sfe"], "StatelessFragmentDefaultActions": ["aws:drop"],
        "StatefulRuleGroupReferences": [{ "ResourceArn": { "$ref": "Rules" } }],
    });
    let mut snapshot = Snapshot::default();
    let scope = snapshot.add_scope("edge.yaml", SourceKind::CloudFormation);
    let template = json!({
        "Vpc": ["AWS::EC2::VPC", { "CidrBlock": "10.0.0.0/16" }],
        "Web": subnet("10.0.1.0/24"), "Edge": subnet("10.0.9.0/24"),
        "Gateway": ["AWS::EC2::InternetGateway", {}],
        "Attached": ["AWS::EC2::VPCGatewayAttachment", { "VpcId": { "$ref": "Vpc" }, "InternetGatewayId": { "$ref": "Gateway" } }],
        "WebTable": table, "EdgeTable": table, "IngressTable": table,
        "WebJoined": joined("Web", "WebTable"), "EdgeJoined": joined("Edge", "EdgeTable"),
        "Ingress": ["AWS::EC2::GatewayRouteTableAssociation", { "GatewayId": { "$ref": "Gateway" }, "RouteTableId": { "$ref": "IngressTable" } }],
        "WebOut": route("WebTable", "0.0.0.0/0", "VpcEndpointId", endpoint.clone()),
        "EdgeOut": route("EdgeTable", "0.0.0.0/0", "GatewayId", json!({ "$ref": "Gateway" })),
        "WebIn": route("IngressTable", "10.0.1.0/24", "VpcEndpointId", endpoint),
        "Rules": ["AWS::NetworkFirewall::RuleGroup", { "RuleGroupName": "web", "Type": "STATEFUL", "Capacity": 10, "RuleGroup": rules }],
        "Policy": ["AWS::NetworkFirewall::FirewallPolicy", { "FirewallPolicyName": "edge", "FirewallPolicy": policy }],
        "Firewall": ["AWS::NetworkFirewall::Firewall", { "FirewallName": "edge", "FirewallPolicyArn": { "$ref": "Policy" }, "VpcId": { "$ref": "Vpc" }, "SubnetMappings": [{ "SubnetId": { "$ref": "Edge" } }] }],
        "Group": ["AWS::EC2::SecurityGroup", { "VpcId": { "$ref": "Vpc" }, "SecurityGroupIngress": [{ "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" }] }],
        "Server": ["AWS::EC2::Instance", { "SubnetId": { "$ref": "Web" }, "SecurityGroupIds": [{ "$ref": "Group" }] }],
    });
    add(&mut snapshot, scope, &template);
    let networks = net::from_snapshot(&snapshot);
    let (_, network) = networks.first().unwrap();
    let open = ask(network, "internet", "Server", "tcp/443");
    assert_eq!(open.answer, Verdict::Reachable, "{open:#?}");
    let rule =
        |answer: &net::Answer| answer.path.iter().find(|hop| hop.component == "network-firewall").map(|hop| hop.rule.clone());
    assert_eq!(rule(&open).as_deref(), Some("web sid 1"));
    let shut = ask(network, "internet", "Server", "tcp/22");
    assert_eq!(shut.answer, Verdict::Blocked, "{shut:#?}");
    let blockers: Vec<(&str, &str)> = shut.blockers.iter().map(|b| (b.code.as_str(), b.rule.as_str())).collect();
    assert_eq!(blockers, [("FIREWALL_RULES_RESTRICTION", "web sid 2")]);
}

#[test]
fn listed_interfaces_of_a_live_account_are_their_owners() {
    let arn = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/app/shop/1";
    let mut snapshot = Snapshot::default();
    let scope = snapshot.add_scope("111122223333", SourceKind::Live);
    add(
        &mut snapshot,
        scope,
        &account("a", 0, &json!([{ "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-a", "State": "active" }])),
    );
    let listed = |description: &str, last: u8, public: Json| {
        let addresses = json!([{ "PrivateIpAddress": format!("10.0.0.{last}"), "PublicIp": public, "Primary": true }]);
        json!(["AWS::EC2::NetworkInterface", { "SubnetId": "subnet-a", "PrivateIpAddress": format!("10.0.0.{last}"), "PrivateIpAddresses": addresses,
            "GroupSet": ["sg-a"], "Description": description }])
    };
    let more = json!({
        "igw-a": ["AWS::EC2::InternetGateway", { "InternetGatewayId": "igw-a", "Attachments": [{ "VpcId": "vpc-a", "State": "available" }] }],
        "att-a": ["AWS::EC2::VPCGatewayAttachment", { "VpcId": "vpc-a", "InternetGatewayId": "igw-a" }],
        "subnet-b": ["AWS::EC2::Subnet", { "VpcId": "vpc-a", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "eu-west-1b" }],
        arn: ["AWS::ElasticLoadBalancingV2::LoadBalancer", { "LoadBalancerArn": arn, "Name": "shop", "Scheme": "internet-facing", "Type": "application",
            "Subnets": ["subnet-a", "subnet-b"], "SecurityGroups": ["sg-a"] }],
        "listener": ["AWS::ElasticLoadBalancingV2::Listener", { "LoadBalancerArn": arn, "Port": 443, "Protocol": "HTTPS", "DefaultActions": [] }],
        "group": ["AWS::RDS::DBSubnetGroup", { "DBSubnetGroupName": "group", "SubnetIds": ["subnet-a", "subnet-b"] }],
        "orders": ["AWS::RDS::DBInstance", { "DBInstanceIdentifier": "orders", "DBSubnetGroupName": "group", "PubliclyAccessible": true, "VPCSecurityGroups": ["sg-a"] }],
        "eni-lb": listed("ELB app/shop/1", 20, "192.0.2.20".into()),
        "eni-lb2": listed("ELB app/shop/1", 21, "192.0.2.21".into()),
        "eni-db": listed("RDSNetworkInterface", 30, "192.0.2.30".into()),
        "eni-else": listed("somebody's", 40, Json::Null),
    });
    add(&mut snapshot, scope, &more);
    let networks = net::from_snapshot(&snapshot);
    let [(_, network)] = networks.as_slice() else { panic!("{} networks", networks.len()) };
    let mut owners: Vec<(&str, &str)> = network.interfaces.iter().map(|i| (&*i.id, &*i.owner.id)).collect();
    owners.sort_unstable();
    let db = network.interfaces.iter().find(|i| &*i.id == "eni-db").unwrap();
    assert_eq!(
        owners,
        [("eni-a", "i-a"), ("eni-db", &*db.owner.id), ("eni-else", ""), ("eni-lb", arn), ("eni-lb2", arn)],
        "no stand-in is left"
    );
    assert!(db.owner.id.contains("orders"), "{:?}", db.owner);
    assert_eq!(db.addresses.iter().map(|a| a.public.unwrap().to_string()).collect::<Vec<_>>(), ["192.0.2.30"]);
    let nodes: Vec<&str> = network.balancers[0].interfaces.iter().map(|link| &*link.id).collect();
    assert_eq!(nodes, ["eni-lb", "eni-lb2"]);
    assert_eq!(ask(network, "internet", "shop", "tcp/443").answer, Verdict::Reachable);
    let ssh = ask(network, "internet", "shop", "tcp/22");
    assert_eq!(ssh.answer, Verdict::Blocked, "{ssh:#?}");
    assert_eq!(ssh.blockers.iter().map(|b| b.code.as_str()).collect::<Vec<_>>(), ["ELBV2_LISTENERS_MISMATCH"]);
}

#[test]
fn a_live_transit_gateway_and_a_vpn_join_what_they_join() {
    let mut snapshot = Snapshot::default();
    let scope = snapshot.add_scope("111122223333", SourceKind::Live);
    let over = |to: &str| json!({ "DestinationCidrBlock": to, "TransitGatewayId": "tgw-1", "State": "active" });
    let home = |origin: &str| json!({ "DestinationCidrBlock": "172.16.0.0/16", "GatewayId": "vgw-1", "State": "active", "Origin": origin });
    let service = json!({ "DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active" });
    add(&mut snapshot, scope, &account("a", 0, &json!([over("10.1.0.0/16"), home("EnableVgwRoutePropagation"), service])));
    add(&mut snapshot, scope, &account("b", 1, &json!([over("10.0.0.0/16")])));
    let attachment = |letter: &str| json!(["AWS::EC2::TransitGatewayAttachment", { "TransitGatewayId": "tgw-1", "VpcId": format!("vpc-{letter}"), "SubnetIds": [format!("subnet-{letter}")] }]);
    let association = |letter: &str| json!(["AWS::EC2::TransitGatewayRouteTableAssociation", { "TransitGatewayAttachmentId": format!("tgw-attach-{letter}"), "TransitGatewayRouteTableId": "tgw-rtb-1" }]);
    let route = |letter: &str, to: &str| {
        json!(["AWS::EC2::TransitGatewayRoute", { "TransitGatewayAttachmentId": format!("tgw-attach-{letter}"), "TransitGatewayRouteTableId": "tgw-rtb-1",
            "DestinationCidrBlock": to, "Blackhole": false }])
    };
    let joins = json!({
        "tgw-1": ["AWS::EC2::TransitGateway", {}],
        "tgw-rtb-1": ["AWS::EC2::TransitGatewayRouteTable", { "TransitGatewayId": "tgw-1" }],
        "tgw-attach-a": attachment("a"), "tgw-attach-b": attachment("b"),
        "association-a": association("a"), "association-b": association("b"),
        "route-a": route("a", "10.0.0.0/16"), "route-b": route("b", "10.1.0.0/16"),
        "tgw-attach-v": ["Palisade::EC2::TransitGatewayAttachment", { "TransitGatewayId": "tgw-1", "ResourceType": "vpn", "ResourceId": "vpn-2" }],
        "association-v": association("v"),
        "vpn-2": ["AWS::EC2::VPNConnection", { "TransitGatewayId": "tgw-1", "StaticRoutesOnly": true }],
        "static-2": ["AWS::EC2::VPNConnectionRoute", { "VpnConnectionId": "vpn-2", "DestinationCidrBlock": "172.17.0.0/16" }],
        "vgw-1": ["AWS::EC2::VPNGateway", { "Attachments": [{ "VpcId": "vpc-a", "State": "attached" }] }],
        "vpn-1": ["AWS::EC2::VPNConnection", { "VpnGatewayId": "vgw-1" }],
        "pl-1": ["AWS::EC2::PrefixList", { "Entries": [{ "Cidr": "192.0.2.0/24" }] }],
        "vpce-1": ["AWS::EC2::VPCEndpoint", { "VpcId": "vpc-a", "VpcEndpointType": "Gateway", "ServiceName": "com.amazonaws.eu-west-1.s3" }],
    });
    add(&mut snapshot, scope, &joins);
    let networks = net::from_snapshot(&snapshot);
    let [(_, network)] = networks.as_slice() else { panic!("{} networks", networks.len()) };
    for (from, to, want) in [
        ("i-a", "i-b", Verdict::Reachable),
        ("i-b", "i-a", Verdict::Reachable),
        ("i-a", "172.16.0.9", Verdict::Reachable),
        ("i-b", "172.16.0.9", Verdict::Blocked),
        ("i-a", "192.0.2.9", Verdict::Reachable),
        ("172.17.0.9", "i-b", Verdict::Blocked),
    ] {
        let answer = ask(network, from, to, "tcp/22");
        assert_eq!(answer.answer, want, "{from} -> {to}: {answer:#?}");
    }
}

#[test]
fn where_a_public_address_is_not_known_nothing_is_blocked_for_want_of_one() {
    let ask = |rules: Json| {
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope("stack.yaml", SourceKind::CloudFormation);
        let template = json!({
            "Group": ["AWS::EC2::SecurityGroup", { "VpcId": "vpc-1", "SecurityGroupIngress": rules }],
            "Server": ["AWS::EC2::Instance", { "SubnetId": { "$unknown": "Subnet" }, "SecurityGroupIds": [{ "$ref": "Group" }] }],
        });
        add(&mut snapshot, scope, &template);
        let networks = net::from_snapshot(&snapshot);
        let answer = ask(&networks.first().unwrap().1, "internet", "Server", "tcp/22");
        (answer.answer, answer.reasons.concat())
    };
    let (answer, reasons) = ask(json!([{ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0" }]));
    assert_eq!(answer, Verdict::Unknown, "{reasons}");
    assert!(reasons.contains("gives public addresses isn't known"), "{reasons}");
    let closed = json!([{ "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "CidrIp": "0.0.0.0/0" }]);
    assert_eq!(ask(closed).0, Verdict::Blocked, "the group stands in the way all the same");
}

/// A denied call, as a collection leaves it.
fn denied(snapshot: &mut Snapshot, call: &str, type_name: &str) {
    let mut gap = model::Gap::new(call, model::GapReason::Denied, "AccessDenied");
    gap.type_name = Some(TypeName::new(type_name).unwrap());
    snapshot.gaps.push(gap);
}

#[test]
fn public_access_that_may_be_blocked_is_told_as_an_assumption() {
    let mut snapshot = Snapshot::default();
    let scope = snapshot.add_scope("111122223333", SourceKind::Live);
    add(&mut snapshot, scope, &account("a", 0, &json!([{ "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1" }])));
    let open = json!({
        "eip": ["AWS::EC2::EIP", { "NetworkInterfaceId": "eni-a" }],
        "igw-1": ["AWS::EC2::InternetGateway", { "Attachments": [{ "VpcId": "vpc-a" }] }],
    });
    add(&mut snapshot, scope, &open);
    let told = |snapshot: &Snapshot| {
        let answer = ask(&net::from_snapshot(snapshot)[0].1, "internet", "i-a", "tcp/80");
        (answer.answer, answer.assumptions)
    };
    assert_eq!(told(&snapshot), (Verdict::Reachable, Vec::new()));
    denied(&mut snapshot, "Call", "AWS::EC2::VPCBlockPublicAccessOptions");
    let assumed = "VPC Block Public Access is taken to be off: Call could not be read: AccessDenied".to_owned();
    assert_eq!(told(&snapshot), (Verdict::Reachable, vec![assumed]));
}

#[test]
fn what_could_not_be_read_blocks_nothing() {
    let local = json!([{ "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local" }]);
    let out = |target: &str, id: &str| json!([{ "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local" }, { "DestinationCidrBlock": "0.0.0.0/0", target: id }]);
    let tgw = json!({ "tgw-1": ["AWS::EC2::TransitGateway", {}] });
    let table = json!({
        "tgw-1": ["AWS::EC2::TransitGateway", {}],
        "tgw-rtb-1": ["AWS::EC2::TransitGatewayRouteTable", { "TransitGatewayId": "tgw-1" }],
        "tgw-attach-1": ["AWS::EC2::TransitGatewayVpcAttachment", { "TransitGatewayId": "tgw-1", "VpcId": "vpc-a", "SubnetIds": ["subnet-a"] }],
    });
    let joined = json!({ "join": ["AWS::EC2::TransitGatewayRouteTableAssociation", { "TransitGatewayRouteTableId": "tgw-rtb-1", "TransitGatewayAttachmentId": "tgw-attach-1" }] });
    let front = json!({
        "igw-1": ["AWS::EC2::InternetGateway", { "Attachments": [{ "VpcId": "vpc-a", "State": "available" }] }],
        "sg-lb": ["AWS::EC2::SecurityGroup", { "VpcId": "vpc-a", "SecurityGroupIngress": [{ "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" }], "SecurityGroupEgress": [{ "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" }] }],
        "lb-1": ["AWS::ElasticLoadBalancingV2::LoadBalancer", { "Type": "application", "Scheme": "internet-facing", "Subnets": ["subnet-a"], "SecurityGroups": ["sg-lb"] }],
    });
    let behind = json!({
        "listener-1": ["AWS::ElasticLoadBalancingV2::Listener", { "LoadBalancerArn": "lb-1", "Port": 80, "Protocol": "HTTP", "DefaultActions": [{ "TargetGroupArn": "tg-1" }] }],
        "tg-1": ["AWS::ElasticLoadBalancingV2::TargetGroup", { "VpcId": "vpc-a", "Port": 80, "Protocol": "HTTP", "TargetType": "instance", "Targets": [] }],
    });
    let public = json!({ "eip": ["AWS::EC2::EIP", { "NetworkInterfaceId": "eni-a" }] });
    let transit = out("TransitGatewayId", "tgw-1");
    let gateway = out("GatewayId", "igw-1");
    /// What could not be read, the routes, what else is there, and the question.
    type Case<'a> = (&'a str, &'a Json, &'a [&'a Json], [&'a str; 2]);
    let cases: &[Case<'_>] = &[
        ("AWS::EC2::InternetGateway", &gateway, &[&public], ["internet", "i-a"]),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", &gateway, &[&front], ["internet", "i-a"]),
        ("AWS::ElasticLoadBalancing::LoadBalancer", &gateway, &[&front], ["internet", "i-a"]),
        ("AWS::EC2::NetworkInterface", &local, &[], ["i-a", "10.0.0.99"]),
        ("AWS::EC2::TransitGatewayAttachment", &transit, &[&tgw], ["i-a", "192.0.2.1"]),
        ("AWS::EC2::TransitGatewayRouteTableAssociation", &transit, &[&table], ["i-a", "192.0.2.1"]),
        ("AWS::EC2::TransitGatewayRoute", &transit, &[&table, &joined], ["i-a", "192.0.2.1"]),
        ("AWS::EC2::TransitGatewayRouteTablePropagation", &transit, &[&table, &joined], ["i-a", "192.0.2.1"]),
        ("AWS::EC2::Route", &local, &[], ["i-a", "192.0.2.1"]),
        ("AWS::ElasticLoadBalancingV2::Listener", &gateway, &[&front], ["internet", "i-a"]),
        ("AWS::ElasticLoadBalancingV2::ListenerRule", &gateway, &[&front, &behind], ["internet", "i-a"]),
        ("AWS::ElasticLoadBalancingV2::TargetGroup", &gateway, &[&front, &behind], ["internet", "i-a"]),
    ];
    for (type_name, routes, more, [from, to]) in cases {
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope("111122223333", SourceKind::Live);
        add(&mut snapshot, scope, &account("a", 0, routes));
        more.iter().for_each(|resources| add(&mut snapshot, scope, resources));
        let whole = &net::from_snapshot(&snapshot)[0].1;
        assert_eq!(ask(whole, from, to, "tcp/80").answer, Verdict::Blocked, "{type_name}, all read");
        denied(&mut snapshot, "Call", type_name);
        let network = &net::from_snapshot(&snapshot)[0].1;
        let answer = ask(network, from, to, "tcp/80");
        assert_eq!(answer.answer, Verdict::Unknown, "{type_name}: {answer:#?}");
        assert!(answer.reasons.iter().any(|reason| reason.contains("AccessDenied")), "{type_name}: {:?}", answer.reasons);
        assert!(network.gaps.iter().any(|gap| gap.what == "Call"), "{type_name}: the network tells the gap");
    }
}

/// The properties of a part that say what it belongs to, with what else it says.
const STRAYS: &[(&str, &str, &str)] = &[
    ("AWS::EC2::Route", "RouteTableId", r#"{ "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": { "$ref": "Gateway" } }"#),
    ("AWS::EC2::SubnetRouteTableAssociation", "SubnetId", r#"{ "RouteTableId": { "$ref": "OutTable" } }"#),
    (
        "AWS::EC2::NetworkAclEntry",
        "NetworkAclId",
        r#"{ "RuleNumber": 1, "Protocol": -1, "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" }"#,
    ),
    ("AWS::EC2::SubnetNetworkAclAssociation", "SubnetId", r#"{ "NetworkAclId": { "$ref": "OpenAcl" } }"#),
    ("AWS::EC2::SecurityGroupIngress", "GroupId", r#"{ "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" }"#),
];

#[test]
fn a_part_of_something_that_is_not_known_yet_may_belong_to_anything() {
    let all = json!([{ "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" }]);
    for (at, (type_name, owner, rest)) in STRAYS.iter().enumerate() {
        // Each world lacks only what the part would add.
        let (mut associated, mut routed) = (true, true);
        match *type_name {
            "AWS::EC2::Route" => routed = false,
            "AWS::EC2::SubnetRouteTableAssociation" => associated = false,
            _ => {}
        }
        let acl_blocks = type_name.contains("NetworkAcl");
        let mut template = json!({
            "Vpc": ["AWS::EC2::VPC", { "CidrBlock": "10.0.0.0/16" }],
            "Subnet": ["AWS::EC2::Subnet", { "VpcId": { "$ref": "Vpc" }, "CidrBlock": "10.0.1.0/24", "MapPublicIpOnLaunch": true }],
            "Gateway": ["AWS::EC2::InternetGateway", {}],
            "Attached": ["AWS::EC2::VPCGatewayAttachment", { "VpcId": { "$ref": "Vpc" }, "InternetGatewayId": { "$ref": "Gateway" } }],
            "OutTable": ["AWS::EC2::RouteTable", { "VpcId": { "$ref": "Vpc" } }],
            "OpenAcl": ["AWS::EC2::NetworkAcl", { "VpcId": { "$ref": "Vpc" }, "Entries": [
                { "RuleNumber": 100, "Protocol": -1, "Egress": false, "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" },
                { "RuleNumber": 100, "Protocol": -1, "Egress": true, "RuleAction": "allow", "CidrBlock": "0.0.0.0/0" }] }],
            "Group": ["AWS::EC2::SecurityGroup", { "VpcId": { "$ref": "Vpc" }, "SecurityGroupEgress": all,
                "SecurityGroupIngress": if type_name.ends_with("Ingress") { json!([]) } else { all.clone() } }],
            "Server": ["AWS::EC2::Instance", { "SubnetId": { "$ref": "Subnet" }, "SecurityGroupIds": [{ "$ref": "Group" }] }],
        });
        let world = template.as_object_mut().unwrap();
        if associated {
            let join = json!({ "SubnetId": { "$ref": "Subnet" }, "RouteTableId": { "$ref": "OutTable" } });
            world.insert("Joined".to_owned(), json!(["AWS::EC2::SubnetRouteTableAssociation", join]));
        }
        if routed {
            let route = json!({ "RouteTableId": { "$ref": "OutTable" }, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": { "$ref": "Gateway" } });
            world.insert("Out".to_owned(), json!(["AWS::EC2::Route", route]));
        }
        if acl_blocks {
            let closed = json!(["AWS::EC2::NetworkAcl", { "VpcId": { "$ref": "Vpc" }, "IsDefault": true, "Entries": [] }]);
            world.insert("ClosedAcl".to_owned(), closed);
            if type_name.ends_with("Entry") {
                let join = json!({ "SubnetId": { "$ref": "Subnet" }, "NetworkAclId": { "$ref": "ClosedAcl" } });
                world.insert("Guarded".to_owned(), json!(["AWS::EC2::SubnetNetworkAclAssociation", join]));
            }
        }
        let answer = |value: Option<&str>| {
            let mut snapshot = Snapshot::default();
            let scope = snapshot.add_scope("plan.json", SourceKind::TerraformPlan);
            add(&mut snapshot, scope, &template);
            if let Some(value) = value {
                let mut part: Json = serde_json::from_str(rest).unwrap();
                part[*owner] = json!({ "$unknown": value });
                add(&mut snapshot, scope, &json!({ "Stray": [type_name, part] }));
            }
            ask(&net::from_snapshot(&snapshot)[0].1, "internet", "Server", "tcp/22").answer
        };
        assert_eq!(answer(None), Verdict::Blocked, "{at} {type_name}");
        assert_eq!(answer(Some("aws_thing.there.id")), Verdict::Unknown, "{at} {type_name}");
        assert_eq!(answer(Some("var.there_before")), Verdict::Blocked, "{at} {type_name}");
    }
}

#[test]
fn an_association_with_what_is_not_here_is_one_all_the_same() {
    for (type_name, owner) in
        [("AWS::EC2::SubnetRouteTableAssociation", "RouteTableId"), ("AWS::EC2::SubnetNetworkAclAssociation", "NetworkAclId")]
    {
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope("stack.yaml", SourceKind::CloudFormation);
        let template = json!({
            "Vpc": ["AWS::EC2::VPC", { "CidrBlock": "10.0.0.0/16" }],
            "Subnet": ["AWS::EC2::Subnet", { "VpcId": { "$ref": "Vpc" }, "CidrBlock": "10.0.1.0/24", "MapPublicIpOnLaunch": true }],
            "Gateway": ["AWS::EC2::InternetGateway", {}],
            "Attached": ["AWS::EC2::VPCGatewayAttachment", { "VpcId": { "$ref": "Vpc" }, "InternetGatewayId": { "$ref": "Gateway" } }],
            "Table": ["AWS::EC2::RouteTable", { "VpcId": { "$ref": "Vpc" } }],
            "Out": ["AWS::EC2::Route", { "RouteTableId": { "$ref": "Table" }, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": { "$ref": "Gateway" } }],
            "Chosen": ["AWS::EC2::SubnetRouteTableAssociation", { "SubnetId": { "$ref": "Subnet" }, "RouteTableId": { "$ref": "Table" } }],
            "Joined": [type_name, { "SubnetId": { "$ref": "Subnet" }, owner: { "$unknown": "TheirOwn" } }],
            "Group": ["AWS::EC2::SecurityGroup", { "VpcId": { "$ref": "Vpc" }, "SecurityGroupIngress": [{ "IpProtocol": "-1", "CidrIp": "0.0.0.0/0" }] }],
            "Server": ["AWS::EC2::Instance", { "SubnetId": { "$ref": "Subnet" }, "SecurityGroupIds": [{ "$ref": "Group" }] }],
        });
        add(&mut snapshot, scope, &template);
        let answer = ask(&net::from_snapshot(&snapshot)[0].1, "internet", "Server", "tcp/22");
        assert_eq!(answer.answer, Verdict::Unknown, "{type_name}: {answer:#?}");
        assert!(answer.reasons.iter().any(|reason| reason.contains("TheirOwn")), "{type_name}: {:?}", answer.reasons);
    }
}

#[test]
fn the_route_of_a_gateway_endpoint_is_a_way_out_before_deploy_too() {
    let mut snapshot = Snapshot::default();
    let scope = snapshot.add_scope("stack.yaml", SourceKind::CloudFormation);
    let template = json!({
        "Vpc": ["AWS::EC2::VPC", { "CidrBlock": "10.0.0.0/16" }],
        "Subnet": ["AWS::EC2::Subnet", { "VpcId": { "$ref": "Vpc" }, "CidrBlock": "10.0.1.0/24" }],
        "Table": ["AWS::EC2::RouteTable", { "VpcId": { "$ref": "Vpc" } }],
        "Joined": ["AWS::EC2::SubnetRouteTableAssociation", { "SubnetId": { "$ref": "Subnet" }, "RouteTableId": { "$ref": "Table" } }],
        "Files": ["AWS::EC2::VPCEndpoint", { "VpcId": { "$ref": "Vpc" }, "ServiceName": "com.amazonaws.eu-west-1.s3", "RouteTableIds": [{ "$ref": "Table" }] }],
    });
    add(&mut snapshot, scope, &template);
    let networks = net::from_snapshot(&snapshot);
    let out = net::survey::egress(&networks[0].1);
    let rows: Vec<_> = out.iter().map(|row| (row.destination.as_str(), row.by.as_str())).collect();
    assert_eq!(rows, [("pl of com.amazonaws.eu-west-1.s3", "Files")]);
    assert_eq!(ask(&networks[0].1, "10.0.1.9", "internet", "tcp/443").answer, Verdict::Blocked);
}

#[test]
fn services_are_reached_where_a_template_puts_them() {
    let of = |subnets: &str, groups: &str| json!({ subnets: [{ "$ref": "Subnet" }], groups: [{ "$ref": "Group" }] });
    let inside = |path: &str| json!({ path: of("SubnetIds", "SecurityGroupIds") });
    let by_group = json!({ "SubnetGroupName": { "$ref": "Subnets" }, "SecurityGroupIds": [{ "$ref": "Group" }] });
    let notebook = json!({ "SubnetId": { "$ref": "Subnet" }, "SecurityGroupIds": [{ "$ref": "Group" }] });
    for (type_name, props) in [
        ("AWS::RedshiftServerless::Workgroup", of("SubnetIds", "SecurityGroupIds")),
        ("AWS::DAX::Cluster", by_group.clone()),
        ("AWS::MemoryDB::Cluster", by_group),
        ("AWS::RDS::DBProxy", of("VpcSubnetIds", "VpcSecurityGroupIds")),
        ("AWS::ElastiCache::ServerlessCache", of("SubnetIds", "SecurityGroupIds")),
        ("AWS::FSx::FileSystem", of("SubnetIds", "SecurityGroupIds")),
        ("AWS::MWAA::Environment", inside("NetworkConfiguration")),
        ("AWS::SageMaker::NotebookInstance", notebook),
        ("AWS::Transfer::Server", inside("EndpointDetails")),
    ] {
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope("stack.yaml", SourceKind::CloudFormation);
        let service = type_name.split("::").nth(1).unwrap();
        let template = json!({
            "Vpc": ["AWS::EC2::VPC", { "CidrBlock": "10.0.0.0/16" }],
            "Subnet": ["AWS::EC2::Subnet", { "VpcId": { "$ref": "Vpc" }, "CidrBlock": "10.0.1.0/24" }],
            "Subnets": [format!("AWS::{service}::SubnetGroup"), { "SubnetIds": [{ "$ref": "Subnet" }] }],
            "Clients": ["AWS::EC2::SecurityGroup", { "VpcId": { "$ref": "Vpc" } }],
            "Group": ["AWS::EC2::SecurityGroup", { "VpcId": { "$ref": "Vpc" }, "SecurityGroupIngress":
                [{ "IpProtocol": "tcp", "FromPort": 8111, "ToPort": 8111, "SourceSecurityGroupId": { "$ref": "Clients" } }] }],
            "Client": ["AWS::EC2::Instance", { "SubnetId": { "$ref": "Subnet" }, "SecurityGroupIds": [{ "$ref": "Clients" }] }],
            "Service": [type_name, props],
        });
        add(&mut snapshot, scope, &template);
        let networks = net::from_snapshot(&snapshot);
        for (port, want) in [("tcp/8111", Verdict::Reachable), ("tcp/8112", Verdict::Blocked)] {
            let answer = ask(&networks[0].1, "Client", "Service", port);
            assert_eq!(answer.answer, want, "{type_name} {port}: {answer:#?}");
        }
    }
}

#[test]
fn a_live_firewall_is_behind_the_endpoint_that_its_state_names() {
    let mut snapshot = Snapshot::default();
    let scope = snapshot.add_scope("111122223333", SourceKind::Live);
    let through =
        json!([{ "DestinationCidrBlock": "0.0.0.0/0", "VpcEndpointId": "vpce-1", "GatewayId": "vpce-1", "State": "active" }]);
    add(&mut snapshot, scope, &account("a", 0, &through));
    let firewall = json!({
        "vpce-1": ["AWS::EC2::VPCEndpoint", { "VpcId": "vpc-a", "VpcEndpointType": "GatewayLoadBalancer", "ServiceName": "com.amazonaws.vpce.eu-west-1.vpce-svc-1", "SubnetIds": ["subnet-a"] }],
        "arn:aws:network-firewall:eu-west-1:111122223333:firewall/edge": ["AWS::NetworkFirewall::Firewall", {
            "FirewallName": "edge", "FirewallPolicyArn": "arn:aws:network-firewall:eu-west-1:111122223333:firewall-policy/edge",
            "VpcId": "vpc-a", "SubnetMappings": [{ "SubnetId": "subnet-a" }] }],
    });
    add(&mut snapshot, scope, &firewall);
    let states = json!([{ "Key": "eu-west-1a", "Value": { "Attachment": { "SubnetId": "subnet-a", "EndpointId": "vpce-1" } } }]);
    snapshot.resources.last_mut().unwrap().attrs.insert("SyncStates", from_json(&states));
    let networks = net::from_snapshot(&snapshot);
    let endpoint = &networks[0].1.endpoints[..];
    assert_eq!(endpoint.len(), 1, "no second one is made up");
    assert_eq!(endpoint[0].firewall.as_deref(), Some("edge"));
}
