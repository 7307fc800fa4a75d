//! VPCs and what lies in them.

use model::Text;
use serde_json::Value;

use super::read::{cidr, flag, int, list, or_empty, port, protocol_number, rule_ports, state, text};
use super::{Staging, tags};
use crate::addr::{Addr, Cidr};
use crate::network::{
    Acl, AclEntry, Address, BlockMode, Destination, Endpoint, Exclusion, Gateway, Group, GroupRule, Interface, Link, Nat, Owner,
    OwnerKind, Peer, Peering, PrefixList, PublicAccessBlock, Route, State, Subnet, Table, Target, Vpc, Vpn, VpnGateway,
};
use crate::ports::{Ports, protocol};

/// Association states in which a block belongs to its VPC or subnet.
fn associated(item: &Value, key: &str) -> bool {
    let word = item.get(key).and_then(|s| text(s, "State"));
    word.is_none_or(|w| matches!(w.as_ref(), "associated" | "associating"))
}

impl Staging {
    /// A required id; a gap if it is missing.
    fn id(&mut self, item: &Value, key: &str) -> Option<Text> {
        let id = text(item, key);
        if id.is_none() {
            self.malformed(key, "an element has no such id");
        }
        id
    }

    fn block(&mut self, item: &Value, key: &str, of: &str) -> Option<Cidr> {
        match cidr(item, key) {
            Ok(block) => block,
            Err(bad) => {
                self.malformed(&format!("{key} of {of}"), &format!("`{bad}` is not a CIDR block"));
                None
            }
        }
    }

    /// The blocks of a VPC or subnet, both families, and whether one of them made no sense.
    fn blocks(&mut self, item: &Value, id: &str) -> (Vec<Cidr>, bool) {
        let gaps = self.net.gaps.len();
        let mut all: Vec<Cidr> = self.block(item, "CidrBlock", id).into_iter().collect();
        for entry in list(item, "CidrBlockAssociationSet").iter().filter(|e| associated(e, "CidrBlockState")) {
            all.extend(self.block(entry, "CidrBlock", id));
        }
        for entry in list(item, "Ipv6CidrBlockAssociationSet").iter().filter(|e| associated(e, "Ipv6CidrBlockState")) {
            all.extend(self.block(entry, "Ipv6CidrBlock", id));
        }
        all.sort_unstable();
        all.dedup();
        (all, self.net.gaps.len() > gaps)
    }

    pub(super) fn vpc(&mut self, item: &Value) {
        let Some(id) = self.id(item, "VpcId") else { return };
        let (cidrs, bad) = self.blocks(item, &id);
        let mut home = self.home.clone();
        self.vpc_folders.insert(id.clone(), home.clone());
        if let Some(owner) = text(item, "OwnerId").filter(|_| home.account.is_empty()) {
            home.account = owner;
        }
        let cidrs_unknown = (bad || cidrs.is_empty()).then(|| format!("the address range of {id} isn't known").into());
        self.net.vpcs.push(Vpc { id, home, cidrs, cidrs_unknown, tags: tags(item), ..Vpc::default() });
    }

    pub(super) fn subnet(&mut self, item: &Value) {
        let Some(id) = self.id(item, "SubnetId") else { return };
        let (cidrs, _) = self.blocks(item, &id);
        self.net.subnets.push(Subnet {
            vpc: Link::to(or_empty(item, "VpcId")),
            zone: text(item, "AvailabilityZone").or_else(|| text(item, "AvailabilityZoneId")).unwrap_or_default(),
            cidrs,
            public_on_launch: flag(item, "MapPublicIpOnLaunch"),
            tags: tags(item),
            id,
            ..Subnet::default()
        });
    }

    pub(super) fn security_group(&mut self, item: &Value) {
        let Some(id) = self.id(item, "GroupId") else { return };
        let mut group = Group {
            name: or_empty(item, "GroupName"),
            vpc: Link::to(or_empty(item, "VpcId")),
            tags: tags(item),
            id: id.clone(),
            ..Group::default()
        };
        for (key, word) in [("IpPermissions", "ingress"), ("IpPermissionsEgress", "egress")] {
            for permission in list(item, key) {
                let rules = self.permission(permission, &id, word);
                if word == "ingress" { group.inbound.extend(rules) } else { group.outbound.extend(rules) }
            }
        }
        self.net.groups.push(group);
    }

    /// One `IpPermission`: one rule for each peer it names.
    fn permission(&mut self, item: &Value, group: &str, word: &str) -> Vec<GroupRule> {
        let protocol = text(item, "IpProtocol").unwrap_or_else(|| "-1".into());
        let ports = rule_ports(&protocol, int(item, "FromPort"), int(item, "ToPort"));
        let (ports, ports_unknown) = self.readable(ports, &format!("{word} rule of {group}"));
        let mut peers = Vec::new();
        for (key, field) in [("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6")] {
            for range in list(item, key) {
                peers.push(match cidr(range, field) {
                    Ok(Some(block)) => Peer::Block(block),
                    bad => {
                        let bad = bad.err().unwrap_or_default();
                        self.malformed(&format!("{word} rule of {group}"), &format!("`{bad}` is not a CIDR block"));
                        Peer::Unknown(format!("a rule of {group} names `{bad}`, which is no CIDR block").into())
                    }
                });
            }
        }
        peers.extend(list(item, "PrefixListIds").iter().map(|p| Peer::List(Link::to(or_empty(p, "PrefixListId")))));
        peers.extend(list(item, "UserIdGroupPairs").iter().map(|p| match text(p, "GroupId") {
            Some(id) => Peer::Group(Link::to(id)),
            None => Peer::Unknown(format!("a rule of {group} names a group by name only").into()),
        }));
        let rule = |peer| GroupRule {
            id: rule_id(group, word, &ports, &peer),
            ports: ports.clone(),
            ports_unknown: ports_unknown.clone(),
            peer,
        };
        peers.into_iter().map(rule).collect()
    }

    /// Ports, or everything with a reason and a gap if they make no sense.
    fn readable(&mut self, ports: Result<Ports, String>, what: &str) -> (Ports, Option<Text>) {
        match ports {
            Ok(ports) => (ports, None),
            Err(problem) => {
                self.malformed(what, &problem);
                (Ports::full(), Some(format!("{what}: {problem}").into()))
            }
        }
    }

    pub(super) fn security_group_rule(&mut self, item: &Value) {
        let (Some(id), Some(group)) = (self.id(item, "SecurityGroupRuleId"), self.id(item, "GroupId")) else { return };
        let protocol = text(item, "IpProtocol").unwrap_or_else(|| "-1".into());
        let ports = rule_ports(&protocol, int(item, "FromPort"), int(item, "ToPort"));
        let (ports, ports_unknown) = self.readable(ports, &format!("rule {id}"));
        let peer = if let Some(text) = text(item, "CidrIpv4").or_else(|| text(item, "CidrIpv6")) {
            Cidr::parse(&text).map_or_else(|| Peer::Unknown(format!("rule {id} names `{text}`").into()), Peer::Block)
        } else if let Some(list) = text(item, "PrefixListId") {
            Peer::List(Link::to(list))
        } else if let Some(other) = item.get("ReferencedGroupInfo").and_then(|r| text(r, "GroupId")) {
            Peer::Group(Link::to(other))
        } else {
            Peer::Unknown(format!("rule {id} names no peer").into())
        };
        let egress = flag(item, "IsEgress").unwrap_or(false);
        self.group_rules.entry(group).or_default().push((egress, GroupRule { id, ports, ports_unknown, peer }));
    }

    pub(super) fn acl(&mut self, item: &Value) {
        let Some(id) = self.id(item, "NetworkAclId") else { return };
        let mut acl = Acl {
            vpc: Link::to(or_empty(item, "VpcId")),
            default: flag(item, "IsDefault").unwrap_or(false),
            subnets: list(item, "Associations").iter().filter_map(|a| text(a, "SubnetId")).collect(),
            id: id.clone(),
            ..Acl::default()
        };
        for line in list(item, "Entries") {
            let entry = self.acl_entry(line, &id);
            if flag(line, "Egress").unwrap_or(false) { acl.outbound.push(entry) } else { acl.inbound.push(entry) }
        }
        self.net.acls.push(acl);
    }

    fn acl_entry(&mut self, line: &Value, acl: &str) -> AclEntry {
        let number = int(line, "RuleNumber").unwrap_or(i64::MAX);
        let what = format!("rule {number} of {acl}");
        let (ports, ports_unknown) = self.readable(acl_ports(line), &what);
        let block = self.block(line, "CidrBlock", &what).or_else(|| self.block(line, "Ipv6CidrBlock", &what));
        let allow = match text(line, "RuleAction").as_deref() {
            Some("allow") => Some(true),
            Some("deny") => Some(false),
            _ => None,
        };
        let nothing = (block.is_none() || allow.is_none()).then(|| format!("{what} has no block or no action").into());
        AclEntry { number, allow: allow.unwrap_or(false), cidr: block, ports, unknown: ports_unknown.or(nothing) }
    }

    pub(super) fn route_table(&mut self, item: &Value) {
        let Some(id) = self.id(item, "RouteTableId") else { return };
        let mut table = Table { vpc: Link::to(or_empty(item, "VpcId")), id: id.clone(), ..Table::default() };
        for association in list(item, "Associations").iter().filter(|a| associated(a, "AssociationState")) {
            table.main |= flag(association, "Main").unwrap_or(false);
            table.subnets.extend(text(association, "SubnetId"));
            table.gateways.extend(text(association, "GatewayId"));
        }
        table.propagating = list(item, "PropagatingVgws").iter().filter_map(|g| text(g, "GatewayId")).collect();
        for item in list(item, "Routes") {
            match self.route(item, &id) {
                Some(route) => table.routes.push(route),
                None => table.unknown = Some(format!("a route of {id} could not be read").into()),
            }
        }
        self.net.tables.push(table);
    }

    fn route(&mut self, item: &Value, table: &str) -> Option<Route> {
        let what = format!("route of {table}");
        let block =
            self.block(item, "DestinationCidrBlock", &what).or_else(|| self.block(item, "DestinationIpv6CidrBlock", &what));
        let to = match (block, text(item, "DestinationPrefixListId")) {
            (Some(block), _) => Destination::Block(block),
            (None, Some(list)) => Destination::List(Link::to(list)),
            (None, None) => return None,
        };
        let target = target(item);
        let state = state(text(item, "State"), &["active"]);
        let propagated = text(item, "Origin").as_deref() == Some("EnableVgwRoutePropagation");
        Some(Route { to, target, state, propagated })
    }

    pub(super) fn interface(&mut self, item: &Value) {
        let Some(id) = self.id(item, "NetworkInterfaceId") else { return };
        let owner = owner(item);
        let interface = Interface {
            subnet: Link::to(or_empty(item, "SubnetId")),
            vpc: Link::to(or_empty(item, "VpcId")),
            addresses: self.addresses(item, &id),
            groups: list(item, "Groups").iter().filter_map(|g| text(g, "GroupId")).map(Link::to).collect(),
            source_dest_check: flag(item, "SourceDestCheck"),
            ungrouped: list(item, "Groups").is_empty(),
            tags: tags(item),
            owner,
            id,
            ..Interface::default()
        };
        self.net.interfaces.push(interface);
    }

    fn addresses(&mut self, item: &Value, id: &str) -> Vec<Address> {
        let public = |entry: &Value| entry.get("Association").and_then(|a| text(a, "PublicIp")).and_then(|ip| Addr::parse(&ip));
        let mut all: Vec<Address> = Vec::new();
        let mut add = |addr: &Text, public: Option<Addr>| {
            let Some(private) = Addr::parse(addr) else { return false };
            match all.iter_mut().find(|a| a.private == private) {
                Some(known) => known.public = known.public.or(public),
                None => all.push(Address { private, public, within: None, public_loose: false }),
            }
            true
        };
        let mut fine = true;
        let mut entries: Vec<&Value> = list(item, "PrivateIpAddresses").iter().collect();
        entries.sort_by_key(|entry| !flag(entry, "Primary").unwrap_or(false));
        for entry in entries {
            if let Some(addr) = text(entry, "PrivateIpAddress") {
                fine &= add(&addr, public(entry));
            }
        }
        if let Some(addr) = text(item, "PrivateIpAddress") {
            fine &= add(&addr, public(item));
        }
        for entry in list(item, "Ipv6Addresses") {
            if let Some(addr) = text(entry, "Ipv6Address") {
                fine &= add(&addr, Addr::parse(&addr).filter(|a| crate::addr::is_internet(*a)));
            }
        }
        if !fine {
            self.malformed(&format!("addresses of {id}"), "one of them is not an IP address");
        }
        all
    }

    pub(super) fn reservation(&mut self, item: &Value) {
        list(item, "Instances").iter().for_each(|instance| self.instance(instance));
    }

    pub(super) fn instance(&mut self, item: &Value) {
        let Some(id) = self.id(item, "InstanceId") else { return };
        let gone = item.get("State").and_then(|s| text(s, "Name")).is_some_and(|s| s.as_ref() == "terminated");
        self.instances.insert(id.clone(), tags(item));
        for interface in list(item, "NetworkInterfaces").iter().filter(|_| !gone) {
            let Some(eni) = text(interface, "NetworkInterfaceId") else { continue };
            let interface = Interface {
                subnet: Link::to(text(interface, "SubnetId").unwrap_or_else(|| or_empty(item, "SubnetId"))),
                vpc: Link::to(or_empty(item, "VpcId")),
                addresses: self.addresses(interface, &eni),
                groups: list(interface, "Groups").iter().filter_map(|g| text(g, "GroupId")).map(Link::to).collect(),
                source_dest_check: flag(interface, "SourceDestCheck").or_else(|| flag(item, "SourceDestCheck")),
                owner: Owner { kind: OwnerKind::Instance, service: "ec2".into(), id: id.clone() },
                id: eni,
                ..Interface::default()
            };
            self.instance_interfaces.push(interface);
        }
    }

    pub(super) fn elastic_address(&mut self, item: &Value) {
        if let (Some(interface), Some(public)) = (text(item, "NetworkInterfaceId"), text(item, "PublicIp")) {
            self.elastic.push((interface, or_empty(item, "PrivateIpAddress"), public));
        }
    }

    pub(super) fn internet_gateway(&mut self, item: &Value) {
        self.gateway(item, "InternetGatewayId", false);
    }

    pub(super) fn egress_only_gateway(&mut self, item: &Value) {
        self.gateway(item, "EgressOnlyInternetGatewayId", true);
    }

    fn gateway(&mut self, item: &Value, key: &str, egress_only: bool) {
        let Some(id) = self.id(item, key) else { return };
        let vpcs = attachments(item, "Attachments");
        self.net.gateways.push(Gateway { id, vpcs, egress_only });
    }

    pub(super) fn nat_gateway(&mut self, item: &Value) {
        let Some(id) = self.id(item, "NatGatewayId") else { return };
        let addresses = list(item, "NatGatewayAddresses");
        let interface = addresses.iter().find_map(|a| text(a, "NetworkInterfaceId"));
        for address in addresses {
            if let (Some(eni), Some(public)) = (text(address, "NetworkInterfaceId"), text(address, "PublicIp")) {
                self.elastic.push((eni, or_empty(address, "PrivateIp"), public));
            }
        }
        let made = addresses.iter().find_map(|a| Some((text(a, "NetworkInterfaceId")?, Addr::parse(&text(a, "PrivateIp")?)?)));
        if let Some((eni, private)) = made {
            let address = Address { private, public: None, within: None, public_loose: false };
            let interface = Interface {
                subnet: Link::to(or_empty(item, "SubnetId")),
                addresses: vec![address],
                ungrouped: true,
                owner: Owner { kind: OwnerKind::Nat, service: "ec2".into(), id: id.clone() },
                id: eni,
                ..Interface::default()
            };
            self.instance_interfaces.push(interface);
        }
        self.net.nats.push(Nat {
            subnet: Link::to(or_empty(item, "SubnetId")),
            interface: interface.map(Link::to).unwrap_or_default(),
            private: text(item, "ConnectivityType").as_deref() == Some("private"),
            state: state(text(item, "State"), &["available"]),
            id,
        });
    }

    pub(super) fn peering(&mut self, item: &Value) {
        let Some(id) = self.id(item, "VpcPeeringConnectionId") else { return };
        let side = |key: &str| item.get(key).cloned().unwrap_or_default();
        let (a, b) = (side("RequesterVpcInfo"), side("AccepterVpcInfo"));
        let blocks = |side: &Value| -> Vec<Cidr> {
            let sets = list(side, "CidrBlockSet").iter().chain(std::iter::once(side));
            let v4 = sets.filter_map(|c| text(c, "CidrBlock"));
            let v6 = list(side, "Ipv6CidrBlockSet").iter().filter_map(|c| text(c, "Ipv6CidrBlock"));
            v4.chain(v6).filter_map(|c| Cidr::parse(&c)).collect()
        };
        let regions = (text(&a, "Region"), text(&b, "Region"));
        self.net.peerings.push(Peering {
            id,
            sides: [Link::to(or_empty(&a, "VpcId")), Link::to(or_empty(&b, "VpcId"))],
            cidrs: [blocks(&a), blocks(&b)],
            same_region: regions.0.is_none() || regions.1.is_none() || regions.0 == regions.1,
            state: state(item.get("Status").and_then(|s| text(s, "Code")), &["active"]),
        });
    }

    pub(super) fn prefix_list(&mut self, item: &Value) {
        let Some(id) = self.id(item, "PrefixListId") else { return };
        let cidrs = item.get("Cidrs").and_then(Value::as_array);
        self.net.prefix_lists.push(PrefixList {
            name: or_empty(item, "PrefixListName"),
            cidrs: cidrs.into_iter().flatten().filter_map(|c| Cidr::parse(c.as_str()?)).collect(),
            known: cidrs.is_some(),
            id,
        });
    }

    pub(super) fn endpoint(&mut self, item: &Value) {
        let Some(id) = self.id(item, "VpcEndpointId") else { return };
        let ids = |key: &str| -> Vec<Link> { list(item, key).iter().filter_map(|s| s.as_str()).map(Link::to).collect() };
        let word = text(item, "State").map(|s| Text::from(s.to_ascii_lowercase()));
        self.net.endpoints.push(Endpoint {
            vpc: Link::to(or_empty(item, "VpcId")),
            service: or_empty(item, "ServiceName"),
            kind: text(item, "VpcEndpointType").unwrap_or_else(|| "Gateway".into()),
            subnets: ids("SubnetIds"),
            interfaces: ids("NetworkInterfaceIds"),
            state: state(word, &["available"]),
            firewall: tags(item).get("Firewall").cloned(),
            id,
        });
    }

    pub(super) fn vpn_gateway(&mut self, item: &Value) {
        let Some(id) = self.id(item, "VpnGatewayId") else { return };
        self.net.vpn_gateways.push(VpnGateway { vpcs: attachments(item, "VpcAttachments"), id });
    }

    pub(super) fn vpn_connection(&mut self, item: &Value) {
        let Some(id) = self.id(item, "VpnConnectionId") else { return };
        let options = item.get("Options").cloned().unwrap_or_default();
        let static_only = flag(&options, "StaticRoutesOnly").unwrap_or(false);
        let tunnels = list(item, "VgwTelemetry").iter().chain(list(&options, "TunnelOptions"));
        self.net.vpns.push(Vpn {
            gateway: or_empty(item, "VpnGatewayId"),
            transit: or_empty(item, "TransitGatewayId"),
            prefixes: list(item, "Routes").iter().filter_map(|r| Cidr::parse(&text(r, "DestinationCidrBlock")?)).collect(),
            dynamic: !static_only,
            outside: tunnels.filter_map(|t| Addr::parse(&text(t, "OutsideIpAddress")?)).collect(),
            state: state(text(item, "State"), &["available", "pending"]),
            id,
        });
    }

    pub(super) fn flow_log(&mut self, item: &Value) {
        if let (Some(resource), Some(id)) = (text(item, "ResourceId"), text(item, "FlowLogId")) {
            self.net.flow_logs.push((resource, id));
        }
    }

    pub(super) fn block_public_access(&mut self, item: &Value) {
        let mode = match text(item, "InternetGatewayBlockMode").as_deref() {
            Some("block-bidirectional") => BlockMode::Bidirectional,
            Some("block-ingress") => BlockMode::Ingress,
            _ => BlockMode::Off,
        };
        let mut home = self.home.clone();
        if let Some(account) = text(item, "AwsAccountId") {
            home.account = account;
        }
        if let Some(region) = text(item, "AwsRegion") {
            home.region = region;
        }
        self.net.access_blocks.push(PublicAccessBlock { home, mode });
    }

    pub(super) fn exclusion(&mut self, item: &Value) {
        let word = text(item, "State").unwrap_or_default();
        if !matches!(word.as_ref(), "" | "create-complete" | "update-complete" | "update-in-progress") {
            return;
        }
        let arn = or_empty(item, "ResourceArn");
        self.net.exclusions.push(Exclusion {
            id: or_empty(item, "ExclusionId"),
            resource: arn.rsplit('/').next().unwrap_or_default().into(),
            egress_only: text(item, "InternetGatewayExclusionMode").as_deref() == Some("allow-egress"),
        });
    }
}

/// A rule's id where AWS gives none: its group, direction and words.
pub(crate) fn rule_id(group: &str, word: &str, ports: &Ports, peer: &Peer) -> Text {
    let peer = match peer {
        Peer::Block(block) => block.to_string(),
        Peer::List(link) | Peer::Group(link) => link.id.to_string(),
        Peer::Unknown(_) => "?".to_owned(),
    };
    format!("{group} {word} {ports} {peer}").into()
}

fn attachments(item: &Value, key: &str) -> Vec<(Text, State)> {
    let up = ["available", "attached", "attaching"];
    list(item, key).iter().filter_map(|a| Some((text(a, "VpcId")?, state(text(a, "State"), &up)))).collect()
}

fn target(item: &Value) -> Target {
    let get = |key: &str| text(item, key).map(Link::to);
    if let Some(link) = get("NatGatewayId") {
        return Target::Nat(link);
    }
    if let Some(link) = get("VpcPeeringConnectionId") {
        return Target::Peering(link);
    }
    if let Some(link) = get("TransitGatewayId") {
        return Target::Transit(link);
    }
    if let Some(link) = get("EgressOnlyInternetGatewayId") {
        return Target::EgressOnly(link);
    }
    if let Some(link) = get("NetworkInterfaceId") {
        return Target::Interface(link);
    }
    let other = ["GatewayId", "VpcEndpointId", "InstanceId", "CarrierGatewayId", "LocalGatewayId", "CoreNetworkArn"];
    let id = other.iter().find_map(|key| text(item, key)).unwrap_or_default();
    gateway_target(id)
}

/// The target that a gateway id means, by its prefix.
pub(crate) fn gateway_target(id: Text) -> Target {
    let kind = id.split('-').next().unwrap_or_default().to_owned();
    match kind.as_str() {
        "local" => Target::Local,
        "igw" => Target::Internet(Link::to(id)),
        "eigw" => Target::EgressOnly(Link::to(id)),
        "vgw" => Target::VpnGateway(Link::to(id)),
        "vpce" => Target::Endpoint(Link::to(id)),
        "nat" => Target::Nat(Link::to(id)),
        "pcx" => Target::Peering(Link::to(id)),
        "tgw" => Target::Transit(Link::to(id)),
        "eni" => Target::Interface(Link::to(id)),
        _ => Target::Other(id),
    }
}

fn acl_ports(line: &Value) -> Result<Ports, String> {
    let word = text(line, "Protocol").or_else(|| int(line, "Protocol").map(|n| n.to_string().into()));
    let Some(number) = protocol_number(&word.unwrap_or_else(|| "-1".into()))? else { return Ok(Ports::full()) };
    let range = line.get("PortRange");
    let bound = |key: &str| range.and_then(|r| port(r, key));
    match number {
        protocol::ICMP | protocol::ICMP6 => {
            let codes = line.get("IcmpTypeCode").or_else(|| line.get("Icmp"));
            let part = |key: &str| codes.and_then(|c| int(c, key)).filter(|n| *n >= 0).and_then(|n| u16::try_from(n).ok());
            Ok(Ports::of(number, part("Type"), part("Code")))
        }
        _ => match (bound("From"), bound("To")) {
            (Some(low), Some(high)) if low > high => Err(format!("the port range {low}-{high} is reversed")),
            (low, high) => Ok(Ports::of(number, low, high)),
        },
    }
}

/// Whose interface it is, by its attachment, type and description.
fn owner(item: &Value) -> Owner {
    let new = |kind: OwnerKind, service: &str, id: &str| Owner { kind, service: service.into(), id: id.into() };
    if let Some(id) = item.get("Attachment").and_then(|a| text(a, "InstanceId")) {
        return new(OwnerKind::Instance, "ec2", &id);
    }
    let description = or_empty(item, "Description");
    let kind = or_empty(item, "InterfaceType");
    owner_by_words(&description, &kind)
}

/// Descriptions that AWS services give to interfaces they make: the words before the owner's id, and what they mean.
const DESCRIPTIONS: &[(&str, OwnerKind, &str)] = &[
    ("ELB ", OwnerKind::Balancer, "elb"),
    ("Interface for NAT Gateway ", OwnerKind::Nat, "ec2"),
    ("VPC Endpoint Interface ", OwnerKind::Endpoint, "vpce"),
    ("Network Interface for Transit Gateway Attachment ", OwnerKind::Transit, "tgw"),
    ("AWS Lambda VPC ENI-", OwnerKind::Service, "lambda"),
    ("RDSNetworkInterface", OwnerKind::Service, "rds"),
    ("Amazon EKS ", OwnerKind::Service, "eks"),
    ("arn:aws:ecs:", OwnerKind::Service, "ecs"),
    ("ElastiCache ", OwnerKind::Service, "elasticache"),
    ("ElastiCache", OwnerKind::Service, "elasticache"),
    ("RedshiftNetworkInterface", OwnerKind::Service, "redshift"),
    ("EFS mount target for ", OwnerKind::Service, "efs"),
    ("ES ", OwnerKind::Service, "opensearch"),
    ("DMSNetworkInterface", OwnerKind::Service, "dms"),
    ("AWS created network interface for directory ", OwnerKind::Service, "directory"),
];

/// Whose interface it is, by the description and the type that its maker gave it.
pub(crate) fn owner_by_words(description: &str, kind: &str) -> Owner {
    for (words, owner, service) in DESCRIPTIONS {
        if let Some(rest) = description.strip_prefix(words) {
            let id = match *service {
                "lambda" => rest.rsplitn(6, '-').last().unwrap_or(rest),
                "ecs" => description,
                "efs" => rest.split(' ').next().unwrap_or(rest),
                _ => rest.trim(),
            };
            return Owner { kind: *owner, service: (*service).into(), id: id.into() };
        }
    }
    let (owner, service) = match kind {
        "nat_gateway" => (OwnerKind::Nat, "ec2"),
        "network_load_balancer" | "gateway_load_balancer" | "load_balancer" => (OwnerKind::Balancer, "elb"),
        "vpc_endpoint" | "gateway_load_balancer_endpoint" => (OwnerKind::Endpoint, "vpce"),
        "transit_gateway" => (OwnerKind::Transit, "tgw"),
        "lambda" => (OwnerKind::Service, "lambda"),
        "efs" => (OwnerKind::Service, "efs"),
        _ => (OwnerKind::Interface, "ec2"),
    };
    Owner { kind: owner, service: service.into(), id: "".into() }
}
