//! Load balancers.

use model::Text;
use rustc_hash::FxHashMap;
use serde_json::Value;

use super::read::{flag, list, or_empty, port, state, text};
use super::{Staging, tags};
use crate::network::{Balancer, BalancerKind, BalancerTarget, Interface, Link, Listener, Owner, OwnerKind, State, TargetGroup};
use crate::ports::Ports;

/// What a listener of this protocol takes.
pub(crate) fn listener_ports(protocol: &str, port: u16) -> Ports {
    match protocol.to_ascii_uppercase().as_str() {
        "UDP" | "QUIC" => Ports::udp(port, port),
        "TCP_UDP" | "TCP_QUIC" => Ports::udp(port, port).or(&Ports::tcp(port, port)),
        _ => Ports::tcp(port, port),
    }
}

fn attributes(item: &Value) -> FxHashMap<String, String> {
    let pair = |a: &Value| Some((text(a, "Key")?.to_string(), or_empty(a, "Value").to_string()));
    list(item, "Attributes").iter().filter_map(pair).collect()
}

/// Target groups that actions forward to.
fn forwards(actions: &[Value]) -> Vec<Text> {
    let mut arns = Vec::new();
    for action in actions {
        arns.extend(text(action, "TargetGroupArn"));
        let groups = action.get("ForwardConfig").map(|f| list(f, "TargetGroups")).unwrap_or_default();
        arns.extend(groups.iter().filter_map(|g| text(g, "TargetGroupArn")));
    }
    arns.sort();
    arns.dedup();
    arns
}

impl Staging {
    pub(super) fn balancer(&mut self, item: &Value) {
        if text(item, "LoadBalancerArn").is_none() && item.get("ListenerDescriptions").is_some() {
            return self.classic(item);
        }
        let Some(id) = text(item, "LoadBalancerArn") else {
            return self.malformed("LoadBalancerArn", "an element has no such ARN");
        };
        let kind = match or_empty(item, "Type").as_ref() {
            "network" => BalancerKind::Network,
            "gateway" => BalancerKind::Gateway,
            _ => BalancerKind::Application,
        };
        let strings = |key: &str| -> Vec<Link> { list(item, key).iter().filter_map(|s| s.as_str()).map(Link::to).collect() };
        self.net.balancers.push(Balancer {
            name: or_empty(item, "LoadBalancerName"),
            dns: or_empty(item, "DNSName"),
            kind,
            internet_facing: text(item, "Scheme").as_deref() == Some("internet-facing"),
            vpc: Link::to(or_empty(item, "VpcId")),
            subnets: list(item, "AvailabilityZones").iter().filter_map(|z| text(z, "SubnetId")).map(Link::to).collect(),
            groups: strings("SecurityGroups"),
            cross_zone: kind == BalancerKind::Application,
            state: state(item.get("State").and_then(|s| text(s, "Code")), &["active", "active_impaired", "provisioning"]),
            tags: tags(item),
            id,
            ..Balancer::default()
        });
    }

    fn classic(&mut self, item: &Value) {
        let name = or_empty(item, "LoadBalancerName");
        let strings = |key: &str| -> Vec<Link> { list(item, key).iter().filter_map(|s| s.as_str()).map(Link::to).collect() };
        let mut listeners = Vec::new();
        for listener in list(item, "ListenerDescriptions").iter().filter_map(|d| d.get("Listener")) {
            let Some(number) = port(listener, "LoadBalancerPort") else { continue };
            listeners.push(Listener {
                id: format!("{}:{number}", or_empty(listener, "Protocol")).into(),
                ports: Ports::tcp(number, number),
                port: number,
                instance_port: port(listener, "InstancePort"),
                ..Listener::default()
            });
        }
        self.net.balancers.push(Balancer {
            id: name.clone(),
            name,
            dns: or_empty(item, "DNSName"),
            kind: BalancerKind::Classic,
            internet_facing: text(item, "Scheme").as_deref() == Some("internet-facing"),
            vpc: Link::to(or_empty(item, "VPCId")),
            subnets: strings("Subnets"),
            groups: strings("SecurityGroups"),
            listeners,
            instances: list(item, "Instances").iter().filter_map(|i| text(i, "InstanceId")).collect(),
            ..Balancer::default()
        });
    }

    pub(super) fn listener(&mut self, item: &Value) {
        // The wrapped form may also hold one element for each balancer.
        if item.get("Listeners").is_some() {
            return list(item, "Listeners").iter().for_each(|l| self.listener(l));
        }
        let (Some(balancer), Some(number)) = (text(item, "LoadBalancerArn"), port(item, "Port")) else {
            if text(item, "LoadBalancerArn").is_none() {
                self.malformed("Listeners", "a listener names no load balancer");
            }
            return;
        };
        let protocol = text(item, "Protocol").unwrap_or_else(|| "TCP".into());
        let listener = Listener {
            id: text(item, "ListenerArn").unwrap_or_else(|| format!("{protocol}:{number}").into()),
            ports: listener_ports(&protocol, number),
            port: number,
            groups: forwards(list(item, "DefaultActions")),
            ..Listener::default()
        };
        self.listeners.push((balancer, listener));
    }

    pub(super) fn listener_rules(&mut self, item: &Value) {
        let listener = text(item, "ListenerArn").unwrap_or_default();
        let groups = list(item, "Rules").iter().flat_map(|rule| forwards(list(rule, "Actions"))).collect();
        self.rules.push((listener, groups));
    }

    /// One rule of `describe-rules`. The rule's ARN names its listener: `...:listener-rule/app/NAME/ID/LISTENER/RULE`.
    pub(super) fn listener_rule(&mut self, rule: &Value) {
        let arn = text(rule, "RuleArn").unwrap_or_default();
        if let Some((listener, _)) = arn.replacen(":listener-rule/", ":listener/", 1).rsplit_once('/') {
            self.rules.push((listener.into(), forwards(list(rule, "Actions"))));
        }
    }

    pub(super) fn target_group(&mut self, item: &Value) {
        let Some(id) = text(item, "TargetGroupArn") else {
            return self.malformed("TargetGroupArn", "an element has no such ARN");
        };
        self.net.target_groups.push(TargetGroup {
            kind: text(item, "TargetType").unwrap_or_else(|| "instance".into()),
            protocol: or_empty(item, "Protocol"),
            port: port(item, "Port"),
            vpc: Link::to(or_empty(item, "VpcId")),
            balancers: list(item, "LoadBalancerArns").iter().filter_map(|s| s.as_str()).map(Text::from).collect(),
            id,
            ..TargetGroup::default()
        });
    }

    pub(super) fn target_health(&mut self, item: &Value) {
        let Some(id) = text(item, "TargetGroupArn") else {
            return self.malformed("LoadBalancerTargetHealth", "an element has no TargetGroupArn");
        };
        let target = |d: &Value| {
            let target = d.get("Target")?;
            Some(BalancerTarget { id: text(target, "Id")?, port: port(target, "Port") })
        };
        let targets = list(item, "TargetHealthDescriptions").iter().filter_map(target).collect();
        self.health.insert(id, targets);
    }

    pub(super) fn balancer_attributes(&mut self, item: &Value) {
        if let Some(id) = text(item, "LoadBalancerArn").or_else(|| text(item, "LoadBalancerName")) {
            let mut all = attributes(item);
            let cross = item.get("CrossZoneLoadBalancing").and_then(|c| flag(c, "Enabled"));
            if let Some(on) = cross {
                all.insert("load_balancing.cross_zone.enabled".to_owned(), on.to_string());
            }
            self.balancer_attributes.insert(id, all);
        }
    }

    pub(super) fn target_group_attributes(&mut self, item: &Value) {
        if let Some(id) = text(item, "TargetGroupArn") {
            self.group_attributes.insert(id, attributes(item));
        }
    }

    pub(super) fn join_balancers(&mut self) {
        for group in &mut self.net.target_groups {
            match self.health.remove(&group.id) {
                Some(targets) => group.targets = targets,
                None => group.targets_unknown = Some(format!("the targets of {} aren't in the snapshot", group.id).into()),
            }
            let kept = self.group_attributes.get(&group.id).and_then(|a| a.get("preserve_client_ip.enabled"));
            group.preserve_client = kept.map(|v| v == "true");
        }
        let mut rules: FxHashMap<Text, Vec<Text>> = FxHashMap::default();
        for (listener, groups) in std::mem::take(&mut self.rules) {
            rules.entry(listener).or_default().extend(groups);
        }
        let mut listeners: FxHashMap<Text, Vec<Listener>> = FxHashMap::default();
        for (balancer, mut listener) in std::mem::take(&mut self.listeners) {
            listener.groups.extend(rules.get(&listener.id).into_iter().flatten().cloned());
            listeners.entry(balancer).or_default().push(listener);
        }
        let any = |keys: [&str; 2]| keys.iter().any(|key| self.seen.contains(*key));
        let seen = any(["Listeners", "LoadBalancerListeners"]);
        let ruled = any(["ListenerRules", "LoadBalancerListenerRules"]);
        for balancer in &mut self.net.balancers {
            balancer.listeners.extend(listeners.remove(&balancer.id).into_iter().flatten());
            if !seen && balancer.kind != BalancerKind::Classic {
                balancer.listeners_unknown = Some(format!("the listeners of {} aren't in the snapshot", balancer.name).into());
            }
            if !ruled && balancer.kind == BalancerKind::Application && !balancer.listeners.is_empty() {
                let reason = format!("the rules of {}'s listeners aren't in the snapshot", balancer.name);
                balancer.forwards_unknown = Some(reason.into());
            }
            let cross = self.balancer_attributes.get(&balancer.id).and_then(|a| a.get("load_balancing.cross_zone.enabled"));
            if let Some(cross) = cross {
                balancer.cross_zone = cross == "true";
            }
            // The interface's description names its balancer: `ELB app/name/id`, `ELB name` for a Classic one.
            let tail = balancer.id.rsplit_once(":loadbalancer/").map_or(balancer.id.as_ref(), |(_, tail)| tail);
            for interface in
                self.net.interfaces.iter_mut().filter(|i| i.owner.kind == OwnerKind::Balancer && i.owner.id.as_ref() == tail)
            {
                interface.owner.id = balancer.id.clone();
                interface.tags.extend(balancer.tags.clone());
                balancer.interfaces.push(Link::to(interface.id.clone()));
            }
        }
        self.stand_in_nodes();
    }

    /// A balancer of which no interface is listed has one in each of its subnets all the same.
    fn stand_in_nodes(&mut self) {
        let mut balancers = std::mem::take(&mut self.net.balancers);
        let bare = |b: &&mut Balancer| b.interfaces.is_empty() && b.kind != BalancerKind::Gateway && b.state == State::Up;
        for balancer in balancers.iter_mut().filter(bare) {
            let like = Interface {
                owner: Owner { kind: OwnerKind::Balancer, service: "elb".into(), id: balancer.id.clone() },
                groups: balancer.groups.clone(),
                ungrouped: balancer.groups.is_empty() && balancer.kind == BalancerKind::Network,
                tags: balancer.tags.clone(),
                ..Interface::default()
            };
            let nodes = balancer.subnets.iter().filter_map(|subnet| self.stand_in(&subnet.id, &like, balancer.internet_facing));
            balancer.interfaces = nodes.map(Link::to).collect();
        }
        self.net.balancers = balancers;
    }
}
