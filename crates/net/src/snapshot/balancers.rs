//! Load balancers of a scope.

use model::{Resource, Text, Value};

use super::read::{flag, is_true, tags, why};
use super::{Public, Reader, member, of};
use crate::network::{Balancer, BalancerKind, BalancerTarget, Interface, Link, Listener, Owner, OwnerKind, TargetGroup};
use crate::ports::Ports;

fn port(value: &Value) -> Option<u16> {
    value.as_int().and_then(|n| u16::try_from(n).ok())
}

impl<'a> Reader<'a> {
    pub(super) fn balancers(&mut self) {
        self.each("AWS::ElasticLoadBalancingV2::LoadBalancer", Reader::balancer);
        self.each("AWS::ElasticLoadBalancing::LoadBalancer", Reader::classic);
        self.each("AWS::ElasticLoadBalancingV2::TargetGroup", Reader::target_group);
        self.each("AWS::ElasticLoadBalancingV2::Listener", |reader, resource, id| {
            let balancer = reader.refer(of(&resource.props, "LoadBalancerArn")).id;
            let groups = reader.forwards(of(&resource.props, "DefaultActions"));
            let protocol = of(&resource.props, "Protocol").as_str().unwrap_or("TCP").to_owned();
            let Some(at) = reader.net.balancers.iter().position(|b| b.id == balancer) else { return };
            let number = port(of(&resource.props, "Port"));
            let Some(balancer) = reader.net.balancers.get_mut(at) else { return };
            let listener = Listener { id, groups, ..Listener::default() };
            match number {
                Some(number) => {
                    let ports = crate::answers::listener_ports(&protocol, number);
                    balancer.listeners.push(Listener { ports, port: number, ..listener });
                }
                None => {
                    let why = why(of(&resource.props, "Port"));
                    let reason: Text = format!("the port of listener {} isn't known: {why}", listener.id).into();
                    balancer.listeners_unknown = Some(reason.clone());
                    balancer.listeners.push(Listener { ports: Ports::full(), unknown: Some(reason), ..listener });
                }
            }
        });
        self.each("AWS::ElasticLoadBalancingV2::ListenerRule", |reader, resource, _| {
            let listener = reader.refer(of(&resource.props, "ListenerArn")).id;
            let groups = reader.forwards(of(&resource.props, "Actions"));
            for found in reader.net.balancers.iter_mut().flat_map(|b| &mut b.listeners).filter(|l| l.id == listener) {
                found.groups.extend(groups.iter().cloned());
            }
        });
        self.each("AWS::AutoScaling::AutoScalingGroup", |reader, resource, id| {
            reader.register(&id, of(&resource.props, "TargetGroupARNs"), &Value::Null);
            let names = reader.refer_all(of(&resource.props, "LoadBalancerNames"));
            for balancer in reader.net.balancers.iter_mut().filter(|b| names.iter().any(|n| n.id == b.id || n.id == b.name)) {
                balancer.instances.push(id.clone());
            }
        });
        self.each("AWS::ECS::Service", |reader, resource, id| {
            for entry in of(&resource.props, "LoadBalancers").as_list().unwrap_or_default() {
                reader.register(&id, member(entry, "TargetGroupArn"), member(entry, "ContainerPort"));
            }
        });
    }

    /// Something that registers itself as a target.
    fn register(&mut self, id: &Text, groups: &Value, number: &Value) {
        let links = self.refer_all(groups);
        for group in self.net.target_groups.iter_mut().filter(|g| links.iter().any(|l| l.id == g.id)) {
            group.targets.push(BalancerTarget { id: id.clone(), port: port(number) });
        }
    }

    fn forwards(&self, actions: &Value) -> Vec<Text> {
        let mut ids = Vec::new();
        for action in actions.as_list().unwrap_or_default() {
            let direct = member(action, "TargetGroupArn");
            if !direct.is_null() {
                ids.push(self.refer(direct).id);
            }
            for group in member(member(action, "ForwardConfig"), "TargetGroups").as_list().unwrap_or_default() {
                ids.push(self.refer(member(group, "TargetGroupArn")).id);
            }
        }
        ids.sort();
        ids.dedup();
        ids
    }

    fn balancer(&mut self, resource: &'a Resource, id: Text) {
        let props = &resource.props;
        let kind = match of(props, "Type").as_str() {
            Some("network") => BalancerKind::Network,
            Some("gateway") => BalancerKind::Gateway,
            _ => BalancerKind::Application,
        };
        let mut subnets = self.refer_all(of(props, "Subnets"));
        for mapping in of(props, "SubnetMappings").as_list().unwrap_or_default() {
            subnets.push(self.refer(member(mapping, "SubnetId")));
        }
        let groups = self.refer_all(of(props, "SecurityGroups"));
        let attribute = |key: &str| {
            let all = of(props, "LoadBalancerAttributes").as_list().unwrap_or_default();
            let found = all.iter().find(|a| member(a, "Key").as_str() == Some(key));
            found.and_then(|a| flag(member(a, "Value")).ok().flatten())
        };
        let cross = attribute("load_balancing.cross_zone.enabled").unwrap_or(kind == BalancerKind::Application);
        let (facing, public) = scheme(of(props, "Scheme"), kind == BalancerKind::Gateway);
        let ungrouped = groups.is_empty() && kind != BalancerKind::Application;
        let balancer = Balancer {
            name: of(props, "Name").as_str().map_or_else(|| id.clone(), Text::from),
            kind,
            internet_facing: facing,
            cross_zone: cross,
            tags: tags(resource),
            listeners_unknown: self.unread(resource, "AWS::ElasticLoadBalancingV2::Listener"),
            forwards_unknown: self.unread(resource, "AWS::ElasticLoadBalancingV2::ListenerRule"),
            id,
            ..Balancer::default()
        };
        self.nodes(balancer, subnets, groups, &public, ungrouped);
    }

    /// Adds a balancer with one node in each of its subnets.
    fn nodes(&mut self, mut balancer: Balancer, subnets: Vec<Link>, groups: Vec<Link>, public: &Public, ungrouped: bool) {
        let owner = Owner { kind: OwnerKind::Balancer, service: "elb".into(), id: balancer.id.clone() };
        for subnet in &subnets {
            let eni: Text = format!("{}.{}", balancer.id, subnet.id).into();
            let (mut addresses, public_unknown) = self.place(subnet, None, public, &eni);
            addresses.retain(|a| a.private.family == crate::addr::Family::V4);
            let mut interface = Interface {
                id: eni.clone(),
                owner: owner.clone(),
                subnet: subnet.clone(),
                addresses,
                public_unknown,
                ungrouped,
                tags: balancer.tags.clone(),
                ..Interface::default()
            };
            if !ungrouped {
                self.grouped(&mut interface, &groups);
            }
            self.net.interfaces.push(interface);
            balancer.interfaces.push(Link::to(eni));
        }
        let vpc = self.net.subnets.iter().find(|s| subnets.iter().any(|l| l.id == s.id)).map(|s| s.vpc.clone());
        balancer.vpc = vpc.unwrap_or_default();
        balancer.subnets = subnets;
        balancer.groups = groups;
        self.net.balancers.push(balancer);
    }

    fn classic(&mut self, resource: &'a Resource, id: Text) {
        let props = &resource.props;
        let mut balancer = Balancer {
            name: of(props, "LoadBalancerName").as_str().map_or_else(|| id.clone(), Text::from),
            kind: BalancerKind::Classic,
            cross_zone: is_true(of(props, "CrossZone")),
            instances: self.refer_all(of(props, "Instances")).into_iter().map(|l| l.id).collect(),
            tags: tags(resource),
            id,
            ..Balancer::default()
        };
        for listener in of(props, "Listeners").as_list().unwrap_or_default() {
            match port(member(listener, "LoadBalancerPort")) {
                Some(number) => balancer.listeners.push(Listener {
                    id: format!("{}:{number}", member(listener, "Protocol").as_str().unwrap_or("TCP")).into(),
                    ports: Ports::tcp(number, number),
                    port: number,
                    instance_port: port(member(listener, "InstancePort")),
                    ..Listener::default()
                }),
                None => {
                    let reason: Text = format!("a listener's port of {} isn't known", balancer.id).into();
                    let instance_port = port(member(listener, "InstancePort"));
                    balancer.listeners_unknown = Some(reason.clone());
                    let unknown = Some(reason);
                    balancer.listeners.push(Listener { ports: Ports::full(), instance_port, unknown, ..Listener::default() });
                }
            }
        }
        let (facing, public) = scheme(of(props, "Scheme"), false);
        balancer.internet_facing = facing;
        let (subnets, groups) = (self.refer_all(of(props, "Subnets")), self.refer_all(of(props, "SecurityGroups")));
        self.nodes(balancer, subnets, groups, &public, false);
    }

    fn target_group(&mut self, resource: &'a Resource, id: Text) {
        let props = &resource.props;
        let target = |v: &Value| BalancerTarget { id: self.refer(member(v, "Id")).id, port: port(member(v, "Port")) };
        let targets = of(props, "Targets").as_list().unwrap_or_default().iter().map(target).collect();
        let targets_unknown = match of(props, "Targets") {
            Value::Unknown(_) | Value::Mixed(_) => Some(format!("the targets of {id} aren't known").into()),
            _ => self.unread(resource, "AWS::ElasticLoadBalancingV2::TargetGroup"),
        };
        let attributes = of(props, "TargetGroupAttributes").as_list().unwrap_or_default();
        let kept = attributes.iter().find(|a| member(a, "Key").as_str() == Some("preserve_client_ip.enabled"));
        self.net.target_groups.push(TargetGroup {
            kind: of(props, "TargetType").as_str().unwrap_or("instance").into(),
            protocol: of(props, "Protocol").as_str().unwrap_or_default().into(),
            port: port(of(props, "Port")),
            vpc: self.refer(of(props, "VpcId")),
            targets,
            targets_unknown,
            preserve_client: kept.and_then(|a| flag(member(a, "Value")).ok().flatten()),
            id,
            ..TargetGroup::default()
        });
    }
}

/// The scheme: internet-facing unless it says otherwise.
fn scheme(value: &Value, internal: bool) -> (bool, Public) {
    match value {
        Value::Null if !internal => (true, Public::Yes),
        Value::Str(s) if s.as_ref() == "internet-facing" => (true, Public::Yes),
        Value::Null | Value::Str(_) => (false, Public::No),
        other => (true, Public::Unknown(format!("the scheme isn't known: {}", why(other)).into())),
    }
}
