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

/// Whether a path has the name or the id in an ARN, or a Classic Load Balancer's name, for a piece: `web` in
/// `describe-target-health_web.json`.
fn names_in(path: &str, id: &str) -> bool {
    let stem = path.strip_suffix(".json").or_else(|| path.strip_suffix(".yaml")).or_else(|| path.strip_suffix(".yml"));
    let mut pieces = stem.unwrap_or(path).split(['/', '\\', '_']);
    let own: Vec<&str> = id.rsplit('/').take(2).collect();
    pieces.any(|piece| own.contains(&piece))
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

    /// Answers about one balancer or target group belong to the one whose name or id the path has.
    pub(super) fn join_named_by_path(&mut self) {
        let groups: Vec<Text> = self.net.target_groups.iter().map(|g| g.id.clone()).collect();
        let balancers: Vec<Text> = self.net.balancers.iter().map(|b| b.id.clone()).collect();
        for (label, key, answer) in std::mem::take(&mut self.of_balancers) {
            let named = |ids: &[Text]| ids.iter().find(|id| names_in(&label, id)).cloned();
            let group = named(&groups);
            let balancer = named(&balancers).filter(|_| key == "Attributes" && group.is_none());
            let part = |field: &str, id: Text| {
                let mut answer = answer.clone();
                if let Some(object) = answer.as_object_mut() {
                    object.insert(field.to_owned(), Value::from(&*id));
                }
                answer
            };
            match (key.as_str(), group, balancer) {
                ("Attributes", Some(id), _) => self.target_group_attributes(&part("TargetGroupArn", id)),
                ("Attributes", None, Some(id)) => self.balancer_attributes(&part("LoadBalancerArn", id)),
                ("TargetHealthDescriptions", Some(id), _) => self.target_health(&part("TargetGroupArn", id)),
                ("Attributes", ..) => self.parentless(&label, &key, "LoadBalancerAttributes"),
                _ => self.parentless(&label, &key, "LoadBalancerTargetHealth"),
            }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::network::Network;

    const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0123456789abcdef";
    const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:loadbalancer/net/front/fedcba9876543210";

    fn read(more: Vec<(&str, Value)>) -> Network {
        let listener = BALANCER.replace(":loadbalancer/", ":listener/") + "/0a";
        let base = json!({
            "LoadBalancers": [{ "LoadBalancerArn": BALANCER, "LoadBalancerName": "front", "Type": "network" }],
            "Listeners": [{ "ListenerArn": listener, "LoadBalancerArn": BALANCER, "Port": 80, "Protocol": "TCP" }],
            "TargetGroups": [{ "TargetGroupArn": GROUP, "TargetGroupName": "web", "TargetType": "instance" }],
        });
        let more = more.into_iter().map(|(label, document)| (label.to_owned(), document));
        crate::from_aws_answers(std::iter::once(("base.json".to_owned(), base)).chain(more))
    }

    #[test]
    fn answers_about_one_item_belong_to_what_their_path_names() {
        let health = json!({ "TargetHealthDescriptions": [{ "Target": { "Id": "i-1", "Port": 8080 } }] });
        for label in ["describe-target-health_web.json", "target-health/web.json", "a/health_0123456789abcdef.yaml"] {
            let network = read(vec![(label, health.clone())]);
            let group = &network.target_groups[0];
            assert_eq!((group.targets.len(), &group.targets_unknown), (1, &None), "{label}");
        }
        let astray = read(vec![("describe-target-health.json", health)]);
        assert!(astray.target_groups[0].targets_unknown.is_some());
        assert!(astray.gaps.iter().any(|gap| gap.file.as_deref() == Some("describe-target-health.json")), "{:?}", astray.gaps);
        let cross = json!({ "Attributes": [{ "Key": "load_balancing.cross_zone.enabled", "Value": "true" }] });
        assert!(read(vec![("describe-load-balancer-attributes_front.json", cross)]).balancers[0].cross_zone);
        let kept = json!({ "Attributes": [{ "Key": "preserve_client_ip.enabled", "Value": "false" }] });
        assert_eq!(read(vec![("attributes_web.json", kept)]).target_groups[0].preserve_client, Some(false));
    }

    #[test]
    fn a_rule_says_by_its_arn_which_listener_it_is_of() {
        let rule = BALANCER.replace(":loadbalancer/", ":listener-rule/") + "/0a/0b";
        let network = read(vec![(
            "rules.json",
            json!({ "Rules": [{ "RuleArn": rule, "Actions": [{ "Type": "forward", "TargetGroupArn": GROUP }] }] }),
        )]);
        assert_eq!(network.balancers[0].listeners[0].groups, [GROUP.into()]);
    }
}
