//! VPCs, subnets, groups, network ACLs and route tables of a scope.

use model::{Resource, SourceKind, Text, Value};

use super::read::{flag, is_true, ports, tags, why};
use super::{MADE_WITH_A_VPC, Reader, member, of};
use crate::addr::Cidr;
use crate::network::{
    Acl, AclEntry, Destination, Gateway, Group, GroupRule, Home, Link, Peer, PrefixList, Route, State, Subnet, Table, Target, Vpc,
};
use crate::ports::{Ports, protocol};

impl<'a> Reader<'a> {
    pub(super) fn vpc(&mut self, resource: &'a Resource, id: Text) {
        let mut vpc = Vpc { id, home: home(resource), tags: tags(resource), ..Vpc::default() };
        let own = of(&resource.props, "CidrBlock");
        match self.block(if own.is_null() { of(&resource.attrs, "CidrBlock") } else { own }) {
            Ok(Some(block)) => vpc.cidrs.push(block),
            Ok(None) => vpc.cidrs_unknown = Some(format!("the address range of {} isn't known", vpc.id).into()),
            Err(reason) => vpc.cidrs_unknown = Some(format!("the address range of {} isn't known: {reason}", vpc.id).into()),
        }
        for key in ["CidrBlocks", "Ipv6CidrBlocks"] {
            let all = of(&resource.attrs, key).as_list().unwrap_or_default().iter().filter_map(|v| Cidr::parse(v.as_str()?));
            let more: Vec<Cidr> = all.filter(|block| !vpc.cidrs.contains(block)).collect();
            vpc.cidrs.extend(more);
        }
        if self.kind.is_code() {
            self.implied(&vpc.id, is_default(resource));
        }
        vpc.interfaces_unknown = self.unread(resource, "AWS::EC2::NetworkInterface");
        vpc.gateways_unknown = self.unread(resource, "AWS::EC2::InternetGateway");
        let balancers = ["AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::ElasticLoadBalancing::LoadBalancer"];
        vpc.balancers_unknown = balancers.iter().find_map(|kind| self.unread(resource, kind));
        vpc.access_block_unknown = self.unread(resource, "AWS::EC2::VPCBlockPublicAccessOptions");
        self.net.vpcs.push(vpc);
    }

    /// What AWS makes along with a VPC, as far as the source doesn't say it: a main route table with the local route, an ACL that
    /// lets everything through, a group whose members reach each other; for the default VPC of a Region also an internet gateway
    /// and the route to it.
    fn implied(&mut self, vpc: &Text, default: bool) {
        let link = || Link::to(vpc.clone());
        let own = |name: &str| Text::from(format!("{vpc}.{name}"));
        let told = |name: &str| self.names.contains_key(&own(name));
        let [group, acl, table] = MADE_WITH_A_VPC.map(|name| (!told(name)).then(|| own(name)));
        let gateway = default.then(|| own("InternetGateway"));
        if let Some(id) = table {
            let out = gateway.clone().map(|gateway| Route {
                to: Destination::Block(Cidr::V4_ALL),
                target: Target::Internet(Link::to(gateway)),
                state: State::Up,
                propagated: false,
            });
            let routes = out.into_iter().collect();
            self.net.tables.push(Table { id, vpc: link(), main: true, routes, ..Table::default() });
        }
        if let Some(id) = gateway {
            self.net.gateways.push(Gateway { id, vpcs: vec![(vpc.clone(), State::Up)], egress_only: false });
        }
        if let Some(id) = acl {
            let assumed = default
                .then(|| format!("{vpc} is a default VPC: its gateway, main routes and ACL are taken to be as AWS makes them"));
            self.net.acls.push(Acl { assumed: assumed.map(Text::from), ..Acl::default_of(vpc, id) });
        }
        let Some(id) = group else { return };
        let unknown =
            default.then(|| format!("{vpc} is a default VPC: what its default group lets in isn't part of this source"));
        let rule =
            |peer, word: &str| GroupRule { id: format!("{id} {word}").into(), ports: Ports::full(), ports_unknown: None, peer };
        let outbound = vec![rule(Peer::Block(Cidr::V4_ALL), "egress"), rule(Peer::Block(Cidr::V6_ALL), "egress")];
        let inbound = vec![rule(Peer::Group(Link::to(id.clone())), "ingress self")];
        self.net.groups.push(Group {
            id: id.clone(),
            name: "default".into(),
            vpc: link(),
            inbound,
            outbound,
            unknown: unknown.map(Text::from),
            ..Group::default()
        });
    }

    pub(super) fn vpc_block(&mut self, resource: &'a Resource, _id: Text) {
        let vpc = self.refer(of(&resource.props, "VpcId")).id;
        let blocks = [self.block(of(&resource.props, "CidrBlock")), self.block(of(&resource.props, "Ipv6CidrBlock"))];
        if let Some(vpc) = self.net.vpcs.iter_mut().find(|v| v.id == vpc) {
            for block in blocks {
                match block {
                    Ok(block) => vpc.cidrs.extend(block),
                    Err(reason) => {
                        vpc.cidrs_unknown = Some(format!("the address range of {} isn't known: {reason}", vpc.id).into())
                    }
                }
            }
        }
    }

    pub(super) fn subnet(&mut self, resource: &'a Resource, id: Text) {
        let props = &resource.props;
        let mut vpc = self.refer(of(props, "VpcId"));
        if self.kind.is_code() && is_true(of(props, "DefaultForAz")) {
            // The Region's default VPC, if it is part of the source.
            let default = |r: &&&Resource| r.type_name.as_str() == "AWS::EC2::VPC" && is_default(r);
            vpc = self.resources.iter().find(default).map_or(vpc, |vpc| Link::to(vpc.id.clone()));
        }
        let mut cidrs = Vec::new();
        match self.block(of(props, "CidrBlock")) {
            Ok(Some(block)) => cidrs.push(block),
            Ok(None) if is_true(of(props, "Ipv6Native")) => {}
            Ok(None) | Err(_) => cidrs.push(self.stand_in_block()),
        }
        let six = of(props, "Ipv6CidrBlock");
        match self.block(six) {
            Ok(block) => cidrs.extend(block),
            Err(_) => cidrs.push(self.stand_in_block6()),
        }
        if let Some(vpc) = self.net.vpcs.iter_mut().find(|v| v.id == vpc.id) {
            let missing: Vec<Cidr> = cidrs.iter().filter(|c| !vpc.cidrs.iter().any(|v| v.covers(**c))).copied().collect();
            vpc.cidrs.extend(missing);
        }
        let zone = ["AvailabilityZone", "AvailabilityZoneId"].iter().find_map(|key| of(props, key).as_str()).unwrap_or_default();
        self.net.subnets.push(Subnet {
            id,
            vpc,
            zone: zone.into(),
            cidrs,
            public_on_launch: flag(of(props, "MapPublicIpOnLaunch")).map(|on| on.unwrap_or(false)).ok(),
            tags: tags(resource),
            ..Subnet::default()
        });
    }

    pub(super) fn prefix_list(&mut self, resource: &'a Resource, id: Text) {
        let entries = of(&resource.props, "Entries");
        let cidrs: Option<Vec<Cidr>> = match entries {
            Value::List(items) => items.iter().map(|e| self.block(member(e, "Cidr")).ok().flatten()).collect(),
            Value::Null => Some(Vec::new()),
            _ => None,
        };
        let known = cidrs.is_some();
        self.net.prefix_lists.push(PrefixList { id, name: "".into(), cidrs: cidrs.unwrap_or_default(), known });
    }

    pub(super) fn groups(&mut self) {
        self.each("AWS::EC2::SecurityGroup", |reader, resource, id| {
            let mut group = Group {
                vpc: reader.refer(of(&resource.props, "VpcId")),
                tags: tags(resource),
                id: id.clone(),
                ..Group::default()
            };
            group.name = of(&resource.props, "GroupName").as_str().unwrap_or_default().into();
            for (key, word) in [("SecurityGroupIngress", "ingress"), ("SecurityGroupEgress", "egress")] {
                match of(&resource.props, key) {
                    Value::Null => {}
                    Value::List(items) => items.iter().for_each(|item| reader.group_rule(&mut group, item, word, None)),
                    map @ Value::Map(_) => reader.group_rule(&mut group, map, word, None),
                    other => group.unknown = Some(format!("the {word} rules of {id} aren't known: {}", why(other)).into()),
                }
            }
            reader.net.groups.push(group);
        });
        for (type_name, word) in [("AWS::EC2::SecurityGroupIngress", "ingress"), ("AWS::EC2::SecurityGroupEgress", "egress")] {
            self.each(type_name, |reader, resource, id| {
                let target = reader.refer(of(&resource.props, "GroupId")).id;
                if let Some(at) = reader.net.groups.iter().position(|g| g.id == target) {
                    let mut group = reader.net.groups.remove(at);
                    let rule = Value::Map(resource.props.clone());
                    reader.group_rule(&mut group, &rule, word, Some(id));
                    reader.net.groups.insert(at, group);
                } else if let Some(reason) = strays(resource, &id, "GroupId") {
                    reader.net.groups.iter_mut().for_each(|group| group.unknown = Some(reason.clone()));
                }
            });
        }
        // CloudFormation leaves EC2's own rule in place when a template names no outbound rule; Terraform takes it away.
        if self.kind == SourceKind::CloudFormation {
            for group in self.net.groups.iter_mut().filter(|g| g.outbound.is_empty() && g.unknown.is_none()) {
                for block in [Cidr::V4_ALL, Cidr::V6_ALL] {
                    let id = format!("{} egress by default {block}", group.id).into();
                    group.outbound.push(GroupRule { id, ports: Ports::full(), ports_unknown: None, peer: Peer::Block(block) });
                }
            }
        }
    }

    fn group_rule(&mut self, group: &mut Group, item: &Value, word: &str, id: Option<Text>) {
        if !matches!(item, Value::Map(_)) {
            if !item.is_null() {
                group.unknown = Some(format!("a rule of {} isn't known: {}", group.id, why(item)).into());
            }
            return;
        }
        let mut problem = None;
        let ports = ports(item, &mut problem);
        let ports_unknown = problem.map(|p| format!("the ports of a rule of {} aren't known: {p}", group.id).into());
        let mut peers = Vec::new();
        for key in ["CidrIp", "CidrIpv6"] {
            match self.block(member(item, key)) {
                Ok(block) => peers.extend(block.map(Peer::Block)),
                Err(reason) => {
                    peers.push(Peer::Unknown(format!("the {key} of a rule of {} isn't known: {reason}", group.id).into()))
                }
            }
        }
        let other = if word == "ingress" { "SourceSecurityGroupId" } else { "DestinationSecurityGroupId" };
        let list = if word == "ingress" { "SourcePrefixListId" } else { "DestinationPrefixListId" };
        for (key, make) in [(other, Peer::Group as fn(Link) -> Peer), (list, Peer::List as fn(Link) -> Peer)] {
            match member(item, key) {
                Value::Null => {}
                value @ (Value::Str(_) | Value::Link(_)) => peers.push(make(self.refer(value))),
                value => {
                    peers.push(Peer::Unknown(format!("the {key} of a rule of {} isn't known: {}", group.id, why(value)).into()))
                }
            }
        }
        if let Some(name) = member(item, "SourceSecurityGroupName").as_str() {
            let named = self.net.groups.iter().find(|g| g.name.as_ref() == name).map(|g| g.id.clone());
            peers.push(Peer::Group(Link::to(named.unwrap_or_else(|| self.canonical(&name.into())))));
        }
        for peer in peers {
            let id = id.clone().unwrap_or_else(|| crate::answers::rule_id(&group.id, word, &ports, &peer));
            let rule = GroupRule { id, ports: ports.clone(), ports_unknown: ports_unknown.clone(), peer };
            if word == "ingress" { group.inbound.push(rule) } else { group.outbound.push(rule) }
        }
    }

    pub(super) fn acls(&mut self) {
        self.each("AWS::EC2::NetworkAcl", |reader, resource, id| {
            let default = is_default(resource);
            let mut acl = Acl { vpc: reader.vpc_link(resource), default, id, ..Acl::default() };
            for key in ["Entries", "NetworkAclEntries"] {
                for line in of(&resource.props, key).as_list().unwrap_or_default() {
                    reader.acl_line(&mut acl, line);
                }
            }
            acl.subnets = subnets_of(resource);
            reader.net.acls.push(acl);
        });
        self.each("AWS::EC2::NetworkAclEntry", |reader, resource, id| {
            let target = reader.refer(of(&resource.props, "NetworkAclId")).id;
            if let Some(at) = reader.net.acls.iter().position(|a| a.id == target) {
                let mut acl = reader.net.acls.remove(at);
                reader.acl_line(&mut acl, &Value::Map(resource.props.clone()));
                reader.net.acls.insert(at, acl);
            } else if let Some(reason) = strays(resource, &id, "NetworkAclId") {
                reader.net.acls.iter_mut().for_each(|acl| acl.unknown = Some(reason.clone()));
            }
        });
        self.each("AWS::EC2::SubnetNetworkAclAssociation", |reader, resource, id| {
            let (subnet, acl) =
                (reader.refer(of(&resource.props, "SubnetId")), reader.refer(of(&resource.props, "NetworkAclId")));
            if let Some(subnet) = reader.net.subnets.iter_mut().find(|s| s.id == subnet.id) {
                subnet.acl = acl;
            } else if let Some(reason) = strays(resource, &id, "SubnetId") {
                let free = reader.net.subnets.iter_mut().filter(|s| s.acl.id.is_empty());
                free.for_each(|subnet| subnet.acl = Link::to(reason.clone()));
            }
        });
    }

    fn acl_line(&mut self, acl: &mut Acl, line: &Value) {
        let number = member(line, "RuleNumber").as_int();
        let egress = flag(member(line, "Egress"));
        let allow = member(line, "RuleAction").as_str().map(|s| s.eq_ignore_ascii_case("allow"));
        let block = match self.block(member(line, "CidrBlock")) {
            Ok(None) => self.block(member(line, "Ipv6CidrBlock")),
            other => other,
        };
        let ports = acl_ports(line);
        let (Some(number), Ok(egress), Some(allow)) = (number, egress, allow) else {
            acl.unknown = Some(format!("a line of {} isn't known", acl.id).into());
            return;
        };
        let problem = ports.as_ref().err().or(block.as_ref().err()).cloned();
        let none = block.as_ref().is_ok_and(Option::is_none).then(|| Text::from("it names no block"));
        let entry = AclEntry {
            number,
            allow,
            cidr: block.ok().flatten(),
            ports: ports.unwrap_or_else(|_| Ports::full()),
            unknown: problem.or(none).map(|p| format!("line {number} of {} isn't known: {p}", acl.id).into()),
        };
        if egress.unwrap_or(false) { acl.outbound.push(entry) } else { acl.inbound.push(entry) }
    }

    pub(super) fn tables(&mut self) {
        self.each("AWS::EC2::RouteTable", |reader, resource, id| {
            let main = is_true(of(&resource.props, "IsMain"));
            let (vpc, unknown) = (reader.vpc_link(resource), reader.unread(resource, "AWS::EC2::Route"));
            let mut table = Table { vpc, main, unknown, id, ..Table::default() };
            for association in of(&resource.props, "Associations").as_list().unwrap_or_default() {
                table.main |= is_true(member(association, "Main"));
                table.subnets.extend(member(association, "SubnetId").as_str().map(Text::from));
                table.gateways.extend(member(association, "GatewayId").as_str().map(Text::from));
            }
            for route in of(&resource.props, "Routes").as_list().unwrap_or_default() {
                reader.route(&mut table, route);
            }
            reader.net.tables.push(table);
        });
        self.each("AWS::EC2::Route", |reader, resource, id| {
            let target = reader.refer(of(&resource.props, "RouteTableId")).id;
            if let Some(at) = reader.net.tables.iter().position(|t| t.id == target) {
                let mut table = reader.net.tables.remove(at);
                reader.route(&mut table, &Value::Map(resource.props.clone()));
                reader.net.tables.insert(at, table);
            } else if let Some(reason) = strays(resource, &id, "RouteTableId") {
                reader.net.tables.iter_mut().for_each(|table| table.unknown = Some(reason.clone()));
            }
        });
        self.each("AWS::EC2::SubnetRouteTableAssociation", |reader, resource, id| {
            let (subnet, table) =
                (reader.refer(of(&resource.props, "SubnetId")), reader.refer(of(&resource.props, "RouteTableId")));
            let main = [&resource.props, &resource.attrs].iter().any(|map| is_true(of(map, "Main")));
            // The association of a gateway with its edge table has no subnet.
            let gateway = reader.refer(of(&resource.props, "GatewayId"));
            let vpc = reader.refer(of(&resource.props, "VpcId")).id;
            let tables = &mut reader.net.tables;
            if let Some(table) = tables.iter_mut().find(|t| t.id == table.id) {
                table.main |= main;
                table.gateways.extend(Some(gateway.id).filter(|id| !id.is_empty()));
            } else if let Some(old) = tables.iter_mut().find(|t| main && t.main && t.vpc.id == vpc) {
                old.unknown = Some(format!("the main route table of {vpc}, {}, isn't part of this source", table.id).into());
            }
            if let Some(subnet) = reader.net.subnets.iter_mut().find(|s| s.id == subnet.id) {
                subnet.table = table;
            } else if let Some(reason) = strays(resource, &id, "SubnetId") {
                let free = reader.net.subnets.iter_mut().filter(|s| s.table.id.is_empty());
                free.for_each(|subnet| subnet.table = Link::to(reason.clone()));
            }
        });
        self.each("AWS::EC2::GatewayRouteTableAssociation", |reader, resource, _| {
            let (gateway, table) =
                (reader.refer(of(&resource.props, "GatewayId")), reader.refer(of(&resource.props, "RouteTableId")));
            if let Some(table) = reader.net.tables.iter_mut().find(|t| t.id == table.id) {
                table.gateways.push(gateway.id);
            }
        });
        self.propagate();
        self.supersede_mains();
    }

    fn vpc_link(&self, resource: &Resource) -> Link {
        vpc_of(resource).map_or_else(|| self.refer(of(&resource.props, "VpcId")), |id| Link::to(self.canonical(id)))
    }

    /// The main table that AWS makes with a VPC stays so only until another one is made it.
    fn supersede_mains(&mut self) {
        let named = |id: &Text| self.resources.iter().zip(&self.ids).any(|(_, own)| own == id);
        let chosen: Vec<Text> = self.net.tables.iter().filter(|t| t.main && named(&t.id)).map(|t| t.vpc.id.clone()).collect();
        let mains = self.net.tables.iter_mut().filter(|t| t.main && t.id.ends_with(".MainRouteTable"));
        mains.filter(|t| chosen.contains(&t.vpc.id)).for_each(|t| t.main = false);
    }

    fn route(&mut self, table: &mut Table, route: &Value) {
        let block = match self.block(member(route, "DestinationCidrBlock")) {
            Ok(None) => self.block(member(route, "DestinationIpv6CidrBlock")),
            other => other,
        };
        let list = member(route, "DestinationPrefixListId");
        let to = match block {
            Ok(Some(block)) => Destination::Block(block),
            Ok(None) if !list.is_null() => Destination::List(self.refer(list)),
            Ok(None) => return,
            Err(reason) => {
                table.unknown = Some(format!("a route of {} isn't known: {reason}", table.id).into());
                return;
            }
        };
        let state = match member(route, "State").as_str() {
            Some("blackhole") => State::Down("blackhole".into()),
            _ => State::Up,
        };
        let propagated = member(route, "Origin").as_str() == Some("EnableVgwRoutePropagation");
        let target = match self.target(route) {
            // AWS tells an endpoint as a gateway.
            Target::Endpoint(_) => {
                let own = member(route, "VpcEndpointId");
                let named = if own.is_null() { member(route, "GatewayId") } else { own };
                Target::Endpoint(self.endpoint_of(named, &self.subnets_with(table)))
            }
            other => other,
        };
        table.routes.push(Route { to, target, state, propagated });
    }

    /// The subnets that a table is associated with.
    fn subnets_with(&self, table: &Table) -> Vec<Text> {
        let mut all = table.subnets.clone();
        for resource in self.resources.iter().filter(|r| r.type_name.as_str() == "AWS::EC2::SubnetRouteTableAssociation") {
            if self.refer(of(&resource.props, "RouteTableId")).id == table.id {
                all.push(self.refer(of(&resource.props, "SubnetId")).id);
            }
        }
        all
    }

    fn target(&self, route: &Value) -> Target {
        type Make = fn(Link) -> Target;
        const KEYS: &[(&str, Make)] = &[
            ("NatGatewayId", Target::Nat),
            ("VpcPeeringConnectionId", Target::Peering),
            ("TransitGatewayId", Target::Transit),
            ("EgressOnlyInternetGatewayId", Target::EgressOnly),
            ("NetworkInterfaceId", Target::Interface),
            ("InstanceId", Target::Interface),
            ("VpcEndpointId", Target::Endpoint),
        ];
        for (key, make) in KEYS {
            let value = member(route, key);
            if !value.is_null() && value.as_str() != Some("") {
                return make(self.refer(value));
            }
        }
        let gateway = member(route, "GatewayId");
        let link = self.refer(gateway);
        match self.resource(gateway).map(|r| r.type_name.as_str()) {
            Some("AWS::EC2::InternetGateway") => Target::Internet(link),
            Some("AWS::EC2::VPNGateway") => Target::VpnGateway(link),
            Some("AWS::EC2::VPCEndpoint") => Target::Endpoint(link),
            _ => match crate::answers::gateway_target(link.id.clone()) {
                Target::Other(id) if !gateway.is_null() => Target::Internet(Link::to(id)),
                target => target,
            },
        }
    }
}

/// Why a part may belong to anything of this source: what it belongs to isn't known, and need not be a thing that was there before.
fn strays(part: &Resource, id: &Text, owner: &str) -> Option<Text> {
    let value = of(&part.props, owner);
    let made_along = match value {
        Value::Unknown(unknown) => !unknown.reason.is_elsewhere(),
        other => matches!(other, Value::Mixed(_)),
    };
    made_along.then(|| format!("what {id} belongs to isn't known: {}", why(value)).into())
}

fn subnets_of(resource: &Resource) -> Vec<Text> {
    let all = of(&resource.props, "Associations").as_list().unwrap_or_default();
    all.iter().filter_map(|a| member(a, "SubnetId").as_str()).map(Text::from).collect()
}

/// The VPC that something belongs to: by its own word, or, before deploy, by what it takes over from the VPC.
fn vpc_of(resource: &Resource) -> Option<&Text> {
    let told = |key: &&str| match of(&resource.props, key) {
        Value::Str(id) if **key == *"VpcId" => Some(id),
        Value::Link(link) => Some(&link.target),
        _ => None,
    };
    ["VpcId", "DefaultNetworkAclId", "DefaultRouteTableId"].iter().find_map(told)
}

/// For what takes over something that AWS makes along with a VPC: the VPC and the name of the VPC's attribute.
pub(super) fn made_with_a_vpc(resource: &Resource) -> Option<(&Text, &'static str)> {
    let is_main = is_true(of(&resource.props, "IsMain"));
    let [group, acl, table] = MADE_WITH_A_VPC;
    let name = match resource.type_name.as_str() {
        "AWS::EC2::SecurityGroup" if of(&resource.props, "GroupName").as_str() == Some("default") => group,
        "AWS::EC2::NetworkAcl" if is_default(resource) => acl,
        "AWS::EC2::RouteTable" if is_main => table,
        _ => return None,
    };
    Some((vpc_of(resource)?, name))
}

/// The default one of its kind.
fn is_default(resource: &Resource) -> bool {
    [&resource.props, &resource.attrs].iter().any(|map| is_true(of(map, "IsDefault")))
}

fn home(resource: &Resource) -> Home {
    Home {
        account: resource.account.as_ref().map(|a| a.text().clone()).unwrap_or_default(),
        region: resource.region.as_ref().map(|r| r.text().clone()).unwrap_or_default(),
    }
}

fn acl_ports(line: &Value) -> Result<Ports, Text> {
    let number = match member(line, "Protocol") {
        Value::Null => -1,
        Value::Str(name) => match name.to_ascii_lowercase().as_str() {
            "all" => -1,
            "tcp" => 6,
            "udp" => 17,
            "icmp" => 1,
            "icmpv6" => 58,
            other => other.parse::<i64>().map_err(|_| Text::from(format!("`{name}` is not a protocol")))?,
        },
        value => value.as_int().ok_or_else(|| why(value))?,
    };
    if number < 0 {
        return Ok(Ports::full());
    }
    let number = u8::try_from(number).map_err(|_| Text::from(format!("`{number}` is not a protocol")))?;
    let icmp = matches!(number, protocol::ICMP | protocol::ICMP6);
    let (map, low, high) = if icmp { ("Icmp", "Type", "Code") } else { ("PortRange", "From", "To") };
    let range = member(line, map);
    let bound = |key: &str| -> Result<Option<u16>, Text> {
        match member(range, key) {
            Value::Null => Ok(None),
            value => match value.as_int() {
                Some(n) if icmp && n < 0 => Ok(None),
                Some(n) => u16::try_from(n).map(Some).map_err(|_| Text::from(format!("`{n}` is not a port"))),
                None => Err(why(value)),
            },
        }
    };
    if let Value::Unknown(_) = range {
        return Err(why(range));
    }
    match (bound(low)?, bound(high)?) {
        (Some(a), Some(b)) if !icmp && a > b => Err(format!("the port range {a}-{b} is reversed").into()),
        (a, b) => Ok(Ports::of(number, a, b)),
    }
}
