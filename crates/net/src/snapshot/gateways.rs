//! Gateways, peering, transit gateways and VPNs of a scope.

use model::{Resource, Text, Value};

use super::read::{flag, why};
use super::{Public, Reader, member, of};
use crate::addr::Addr;
use crate::network::{
    Attachment, BlockMode, Destination, Endpoint, Exclusion, Gateway, Home, Interface, Joined, Link, Nat, Owner, OwnerKind,
    Peering, PrefixList, PublicAccessBlock, Route, State, Target, Transit, TransitRoute, TransitTable, Vpn, VpnGateway,
};

fn on(value: &Value, default: bool) -> bool {
    flag(value).ok().flatten().unwrap_or(default)
}

impl<'a> Reader<'a> {
    pub(super) fn gateways(&mut self) {
        self.each("AWS::EC2::InternetGateway", |reader, resource, id| {
            let all =
                ["Attachments", "VpcAttachments"].iter().flat_map(|key| of(&resource.props, key).as_list().unwrap_or_default());
            let vpcs = all.filter_map(|a| member(a, "VpcId").as_str()).map(|vpc| (Text::from(vpc), State::Up)).collect();
            reader.net.gateways.push(Gateway { id, vpcs, egress_only: false });
        });
        self.each("AWS::EC2::EgressOnlyInternetGateway", |reader, resource, id| {
            let vpc = reader.refer(of(&resource.props, "VpcId")).id;
            reader.net.gateways.push(Gateway { id, vpcs: vec![(vpc, State::Up)], egress_only: true });
        });
        self.each("AWS::EC2::VPNGateway", |reader, resource, id| {
            let attached = of(&resource.props, "Attachments").as_list().unwrap_or_default().iter();
            let attached = attached.filter(|a| matches!(member(a, "State").as_str(), None | Some("attached" | "attaching")));
            let vpcs = attached.filter_map(|a| member(a, "VpcId").as_str()).map(|vpc| (Text::from(vpc), State::Up)).collect();
            reader.net.vpn_gateways.push(VpnGateway { id, vpcs });
        });
        self.each("AWS::EC2::VPCGatewayAttachment", |reader, resource, _| reader.gateway_attachment(resource));
        self.each("AWS::EC2::VPCPeeringConnection", |reader, resource, id| {
            let props = &resource.props;
            let (region, own) = (of(props, "PeerRegion"), resource.region.as_ref().map(|r| r.as_str()));
            reader.net.peerings.push(Peering {
                id,
                sides: [reader.refer(of(props, "VpcId")), reader.refer(of(props, "PeerVpcId"))],
                same_region: region.is_null() || region.as_str() == own,
                state: match of(&resource.attrs, "State").as_str() {
                    None | Some("active") => State::Up,
                    Some(word) => State::Down(word.into()),
                },
                ..Peering::default()
            });
        });
        self.each("AWS::EC2::FlowLog", |reader, resource, id| {
            let target = reader.refer(of(&resource.props, "ResourceId")).id;
            reader.net.flow_logs.push((target, id));
        });
        self.vpns();
        self.transits();
        self.public_access();
    }

    fn gateway_attachment(&mut self, resource: &Resource) {
        let vpc = self.refer(of(&resource.props, "VpcId")).id;
        let internet = self.refer(of(&resource.props, "InternetGatewayId")).id;
        let vpn = self.refer(of(&resource.props, "VpnGatewayId")).id;
        if !internet.is_empty() {
            match self.net.gateways.iter_mut().find(|g| g.id == internet) {
                Some(gateway) => gateway.vpcs.push((vpc.clone(), State::Up)),
                None => {
                    self.net.gateways.push(Gateway { id: internet, vpcs: vec![(vpc.clone(), State::Up)], egress_only: false })
                }
            }
        }
        if let Some(gateway) = self.net.vpn_gateways.iter_mut().find(|g| g.id == vpn) {
            gateway.vpcs.push((vpc, State::Up));
        }
    }

    fn vpns(&mut self) {
        self.each("AWS::EC2::VPNConnection", |reader, resource, id| {
            let props = &resource.props;
            reader.net.vpns.push(Vpn {
                id,
                gateway: reader.refer(of(props, "VpnGatewayId")).id,
                transit: reader.refer(of(props, "TransitGatewayId")).id,
                prefixes: Vec::new(),
                dynamic: !on(of(props, "StaticRoutesOnly"), false),
                outside: Vec::new(),
                state: State::Up,
            });
        });
        self.each("AWS::EC2::VPNConnectionRoute", |reader, resource, _| {
            let vpn = reader.refer(of(&resource.props, "VpnConnectionId")).id;
            let block = reader.block(of(&resource.props, "DestinationCidrBlock"));
            if let Some(vpn) = reader.net.vpns.iter_mut().find(|v| v.id == vpn) {
                match block {
                    Ok(block) => vpn.prefixes.extend(block),
                    Err(_) => vpn.dynamic = true,
                }
            }
        });
    }

    /// Static prefixes of VPN connections come into the tables that the gateway propagates to.
    pub(super) fn propagate(&mut self) {
        self.each("AWS::EC2::VPNGatewayRoutePropagation", |reader, resource, _| {
            let gateway = reader.refer(of(&resource.props, "VpnGatewayId"));
            let tables = reader.refer_all(of(&resource.props, "RouteTableIds"));
            let behind: Vec<&Vpn> = reader.net.vpns.iter().filter(|v| v.gateway == gateway.id).collect();
            let blocks: Vec<_> = behind.iter().flat_map(|v| v.prefixes.iter().copied()).collect();
            let dynamic = behind.iter().any(|v| v.dynamic);
            for table in reader.net.tables.iter_mut().filter(|t| tables.iter().any(|l| l.id == t.id)) {
                table.propagating.push(gateway.id.clone());
                for block in &blocks {
                    let (to, target) = (Destination::Block(*block), Target::VpnGateway(gateway.clone()));
                    table.routes.push(Route { to, target, state: State::Up, propagated: true });
                }
                if dynamic {
                    table.unknown = Some(format!("{} learns routes that aren't known", gateway.id).into());
                }
            }
        });
    }

    fn transits(&mut self) {
        self.each("AWS::EC2::TransitGateway", |reader, resource, id| {
            let props = &resource.props;
            let default = format!("{id}.DefaultRouteTable");
            let associates = reader.kind.is_code() && on(of(props, "DefaultRouteTableAssociation"), true);
            let references = on(of(props, "SecurityGroupReferencingSupport"), false);
            let default_table: Text = if associates { default.into() } else { "".into() };
            if associates {
                let transit = Link::to(id.clone());
                reader.net.transit_tables.push(TransitTable { id: default_table.clone(), transit, ..TransitTable::default() });
            }
            let attachments_unknown = reader.unread(resource, "AWS::EC2::TransitGatewayAttachment");
            reader.net.transits.push(Transit {
                id,
                group_references: references,
                default_table,
                attachments_unknown,
                ..Transit::default()
            });
        });
        self.each("AWS::EC2::TransitGatewayRouteTable", |reader, resource, id| {
            let transit = reader.refer(of(&resource.props, "TransitGatewayId"));
            let parts = ["AWS::EC2::TransitGatewayRoute", "AWS::EC2::TransitGatewayRouteTablePropagation"];
            let unknown = parts.iter().find_map(|part| reader.unread(resource, part));
            reader.net.transit_tables.push(TransitTable { id, transit, unknown, ..TransitTable::default() });
        });
        for kind in ["AWS::EC2::TransitGatewayAttachment", "AWS::EC2::TransitGatewayVpcAttachment"] {
            self.each(kind, |reader, resource, id| {
                let props = &resource.props;
                let options = of(props, "Options");
                let attachment = Attachment {
                    transit: reader.refer(of(props, "TransitGatewayId")),
                    joined: Joined::Vpc(reader.refer(of(props, "VpcId"))),
                    subnets: reader.refer_all(of(props, "SubnetIds")),
                    subnets_known: !matches!(of(props, "SubnetIds"), Value::Unknown(_)),
                    appliance: on(member(options, "ApplianceModeSupport"), false),
                    group_references: on(member(options, "SecurityGroupReferencingSupport"), false),
                    table_unknown: reader.unread(resource, "AWS::EC2::TransitGatewayRouteTableAssociation"),
                    id: id.clone(),
                    ..Attachment::default()
                };
                let spreads = on(of(props, "TransitGatewayDefaultRouteTablePropagation"), true);
                let default = format!("{}.DefaultRouteTable", attachment.transit.id);
                if let Some(table) = reader.net.transit_tables.iter_mut().find(|t| *t.id == *default && spreads) {
                    table.propagations.push(id);
                }
                reader.net.attachments.push(attachment);
            });
        }
        self.each("Palisade::EC2::TransitGatewayAttachment", |reader, resource, id| {
            let words = |key: &str| Text::from(of(&resource.props, key).as_str().unwrap_or_default());
            let other = words("ResourceId");
            let joined = match words("ResourceType").as_ref() {
                "vpn" => Joined::Vpn(Link::to(other)),
                "direct-connect-gateway" => Joined::DirectConnect(other),
                "peering" => Joined::Peering(other),
                _ => Joined::Other,
            };
            let transit = reader.refer(of(&resource.props, "TransitGatewayId"));
            let table_unknown = reader.unread(resource, "AWS::EC2::TransitGatewayRouteTableAssociation");
            reader.net.attachments.push(Attachment { id, transit, joined, table_unknown, ..Attachment::default() });
        });
        self.transit_tables();
    }

    fn transit_tables(&mut self) {
        self.each("AWS::EC2::TransitGatewayRouteTableAssociation", |reader, resource, _| {
            let (table, attachment) = reader.table_and_attachment(resource);
            if let Some(attachment) = reader.net.attachments.iter_mut().find(|a| a.id == attachment) {
                attachment.table = Link::to(table);
            }
        });
        self.each("AWS::EC2::TransitGatewayRouteTablePropagation", |reader, resource, _| {
            let (table, attachment) = reader.table_and_attachment(resource);
            if let Some(table) = reader.net.transit_tables.iter_mut().find(|t| t.id == table) {
                table.propagations.push(attachment);
            }
        });
        self.each("AWS::EC2::TransitGatewayRoute", |reader, resource, _| {
            let (table, attachment) = reader.table_and_attachment(resource);
            let block = reader.block(of(&resource.props, "DestinationCidrBlock"));
            let blackhole = on(of(&resource.props, "Blackhole"), false);
            let Some(table) = reader.net.transit_tables.iter_mut().find(|t| t.id == table) else { return };
            match block {
                Ok(Some(to)) => {
                    let attachments = if attachment.is_empty() { Vec::new() } else { vec![attachment] };
                    let state = if blackhole { State::Down("blackhole".into()) } else { State::Up };
                    table.routes.push(TransitRoute { to, attachments, state, propagated: false });
                }
                Ok(None) => {}
                Err(reason) => table.unknown = Some(format!("a route of {} isn't known: {reason}", table.id).into()),
            }
        });
    }

    fn table_and_attachment(&self, resource: &Resource) -> (Text, Text) {
        let id = |key: &str| self.refer(of(&resource.props, key)).id;
        (id("TransitGatewayRouteTableId"), id("TransitGatewayAttachmentId"))
    }

    fn public_access(&mut self) {
        self.each("AWS::EC2::VPCBlockPublicAccessOptions", |reader, resource, _| {
            let mode = match of(&resource.props, "InternetGatewayBlockMode").as_str() {
                Some("block-bidirectional") => BlockMode::Bidirectional,
                Some("block-ingress") => BlockMode::Ingress,
                _ => BlockMode::Off,
            };
            let home = Home {
                account: resource.account.as_ref().map(|a| a.text().clone()).unwrap_or_default(),
                region: resource.region.as_ref().map(|r| r.text().clone()).unwrap_or_default(),
            };
            reader.net.access_blocks.push(PublicAccessBlock { home, mode });
        });
        self.each("AWS::EC2::VPCBlockPublicAccessExclusion", |reader, resource, id| {
            let (vpc, subnet) = (reader.refer(of(&resource.props, "VpcId")).id, reader.refer(of(&resource.props, "SubnetId")).id);
            let egress_only = of(&resource.props, "InternetGatewayExclusionMode").as_str() == Some("allow-egress");
            reader.net.exclusions.push(Exclusion { id, resource: if subnet.is_empty() { vpc } else { subnet }, egress_only });
        });
    }

    /// Elastic addresses: by an association of their own, by the address's own word, or by a live address's attributes.
    pub(super) fn elastic_addresses(&mut self) {
        self.each("AWS::EC2::EIP", |reader, resource, _| {
            let address = ["PublicIp", "Ref"].iter().find_map(|key| Addr::parse(of(&resource.attrs, key).as_str()?));
            for key in ["InstanceId", "NetworkInterfaceId"] {
                let holder = ["props", "attrs"].iter().map(|m| if *m == "props" { &resource.props } else { &resource.attrs });
                for value in holder.map(|map| of(map, key)).filter(|v| !v.is_null()) {
                    reader.elastic.insert(reader.refer(value).id, address);
                }
            }
        });
        self.each("AWS::EC2::EIPAssociation", |reader, resource, _| {
            for key in ["InstanceId", "NetworkInterfaceId"] {
                let value = of(&resource.props, key);
                if !value.is_null() {
                    reader.elastic.entry(reader.refer(value).id).or_insert(None);
                }
            }
        });
        self.each("AWS::EC2::NatGateway", |reader, resource, id| {
            let private = of(&resource.props, "ConnectivityType").as_str() == Some("private");
            let subnet = reader.refer(of(&resource.props, "SubnetId"));
            let public = if private { Public::No } else { Public::Yes };
            let given = Addr::parse(of(&resource.props, "PrivateIpAddress").as_str().unwrap_or_default());
            let eni: Text = format!("{id}.interface").into();
            let (mut addresses, _) = reader.place(&subnet, given, &public, &eni);
            addresses.retain(|a| a.private.family == crate::addr::Family::V4);
            let owner = Owner { kind: OwnerKind::Nat, service: "ec2".into(), id: id.clone() };
            let interface =
                Interface { id: eni.clone(), owner, subnet: subnet.clone(), addresses, ungrouped: true, ..Interface::default() };
            reader.net.interfaces.push(interface);
            let state = match of(&resource.attrs, "State").as_str() {
                None | Some("available" | "pending") => State::Up,
                Some(word) => State::Down(word.into()),
            };
            reader.net.nats.push(Nat { id, subnet, interface: Link::to(eni), private, state });
        });
        self.each("AWS::EC2::VPCEndpoint", Reader::endpoint);
    }

    fn endpoint(&mut self, resource: &'a Resource, id: Text) {
        let props = &resource.props;
        let kind = match of(props, "VpcEndpointType") {
            Value::Null => "Gateway".into(),
            value => Text::from(value.as_str().unwrap_or("Interface")),
        };
        let subnets = self.refer_all(of(props, "SubnetIds"));
        let mut interfaces = Vec::new();
        if kind.as_ref() != "Gateway" {
            let groups = self.refer_all(of(props, "SecurityGroupIds"));
            let owner = Owner { kind: OwnerKind::Endpoint, service: "vpce".into(), id: id.clone() };
            for subnet in &subnets {
                let eni: Text = format!("{id}.{}", subnet.id).into();
                self.interface(eni.clone(), owner.clone(), subnet, &groups, &Public::No);
                interfaces.push(Link::to(eni));
            }
        }
        let service = match of(props, "ServiceName") {
            value @ (Value::Str(_) | Value::Null) => Text::from(value.as_str().unwrap_or_default()),
            value => why(value),
        };
        let vpc = self.refer(of(props, "VpcId"));
        let firewall = self.inspector(of(props, "ServiceName"));
        if self.kind.is_code() && kind.as_ref() == "Gateway" {
            self.endpoint_routes(props, &id, &service);
        }
        self.net.endpoints.push(Endpoint { id, vpc, service, kind, subnets, interfaces, state: State::Up, firewall });
    }

    /// The routes that AWS adds to the tables of a gateway endpoint. Code does not tell which addresses the service has: none of
    /// those that stand for the internet.
    fn endpoint_routes(&mut self, props: &model::Map, id: &Text, service: &Text) {
        let list = Link::to(format!("pl of {service}"));
        if self.net.prefix_lists.iter().all(|known| known.id != list.id) {
            let (id, name) = (list.id.clone(), service.clone());
            self.net.prefix_lists.push(PrefixList { id, name, known: true, ..PrefixList::default() });
        }
        let tables = self.refer_all(of(props, "RouteTableIds"));
        for table in self.net.tables.iter_mut().filter(|t| tables.iter().any(|link| link.id == t.id)) {
            let (to, target) = (Destination::List(list.clone()), Target::Endpoint(Link::to(id.clone())));
            table.routes.push(Route { to, target, state: State::Up, propagated: false });
        }
    }
}
