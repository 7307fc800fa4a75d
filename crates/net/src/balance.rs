//! Load balancers: which targets lie behind which listeners, and the second flow from a balancer's node to a target.
//!
//! Sources: the Elastic Load Balancing guides' pages on target groups (client address preservation, cross-zone load balancing)
//! and on security groups for each kind of balancer.

use model::{Text, Truth};

use crate::addr::{Addr, Family};
use crate::carry::{Packet, Walk};
use crate::direct::Source;
use crate::fault::Fault;
use crate::filter::{Filter, Side, Way};
use crate::network::{Balancer, BalancerKind, BalancerTarget, Link, Network, State, TargetGroup};
use crate::ports::Ports;
use crate::trace::{Check, End, PORTS, Step, Trace, code};

/// A target's place behind a balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    pub(crate) balancer: usize,
    pub(crate) listener: usize,
    /// What the target is sent: its port, by TCP or UDP.
    pub(crate) ports: Ports,
    /// The address of the target that is used, where the group names one.
    pub(crate) addr: Option<Addr>,
    /// The target group; `None` for a Classic Load Balancer.
    pub(crate) group: Option<usize>,
}

impl Network {
    /// Fills the table from target interfaces to their places behind balancers.
    pub(crate) fn index_balancers(&mut self) {
        let mut found: Vec<(usize, Behind)> = Vec::new();
        for (at, balancer) in self.balancers.iter().enumerate() {
            for (listener, l) in balancer.listeners.iter().enumerate() {
                let groups = l.groups.iter().filter_map(|id| self.target_groups.iter().position(|g| g.id == *id));
                for group in groups {
                    let Some(g) = self.target_groups.get(group) else { continue };
                    for target in &g.targets {
                        self.places(g, target).into_iter().for_each(|(interface, addr)| {
                            let own = Some(l.port).filter(|_| l.unknown.is_none());
                            let ports = target_ports(&g.protocol, target.port.or(g.port).or(own));
                            found.push((interface, Behind { balancer: at, listener, ports, addr, group: Some(group) }));
                        });
                    }
                }
                for instance in &balancer.instances {
                    let port = l.instance_port.or(Some(l.port).filter(|_| l.unknown.is_none()));
                    let ports = target_ports(&"TCP".into(), port);
                    if let Some(interface) = self.interfaces_of(instance).first() {
                        found.push((*interface, Behind { balancer: at, listener, ports, addr: None, group: None }));
                    }
                }
            }
        }
        for (interface, behind) in found {
            self.index.behind.entry(interface).or_default().push(behind);
        }
        let unread = |(at, b): (usize, &Balancer)| self.unread_targets(b, |_| true).map(|_| at);
        self.index.unread_balancers = self.balancers.iter().enumerate().filter_map(unread).collect();
    }

    /// The interfaces that a target means.
    fn places(&self, group: &TargetGroup, target: &BalancerTarget) -> Vec<(usize, Option<Addr>)> {
        match group.kind.as_ref() {
            "ip" => {
                let addr = Addr::parse(&target.id);
                let at = addr.zip(group.vpc.at).and_then(|(addr, vpc)| self.at_private(vpc, addr));
                at.into_iter().map(|at| (at, addr)).collect()
            }
            "alb" => match self.balancers.iter().find(|b| b.id == target.id) {
                Some(balancer) => balancer.interfaces.iter().filter_map(|i| Some((i.at?, None))).collect(),
                None => Vec::new(),
            },
            "lambda" => Vec::new(),
            _ => self.interfaces_of(&target.id).first().map(|at| (*at, None)).into_iter().collect(),
        }
    }

    /// Where an interface is a target.
    pub(crate) fn behind(&self, interface: usize) -> &[Behind] {
        self.index.behind.get(&interface).map(Vec::as_slice).unwrap_or_default()
    }

    /// Why an interface may be a target at these ports of a balancer though it is not known to be one, if so; for a caller on the
    /// internet only of one that is reached from there, or may stand behind one that is.
    pub(crate) fn perhaps_behind(&self, interface: usize, ports: &Ports, from_internet: bool) -> Option<Text> {
        let vpc = self.vpc_of(interface);
        if let Some(reason) = vpc.and_then(|at| self.vpc(at).balancers_unknown.clone()) {
            return Some(reason);
        }
        if self.index.unread_balancers.is_empty() {
            return None;
        }
        let near = |other: &Link| vpc.is_none() || other.at.is_none() || other.at == vpc;
        let chained = self.target_groups.iter().any(|g| g.kind.as_ref() == "alb");
        let asked = |b: &&Balancer| near(&b.vpc) && (b.internet_facing || chained || !from_internet);
        let unread = self.index.unread_balancers.iter().map(|at| self.balancer(*at));
        let others = unread.filter(|b| !b.interfaces.iter().any(|i| i.at == Some(interface)));
        others.filter(asked).find_map(|b| self.unread_targets(b, near).filter(|_| self.may_send(b, interface, ports)))
    }

    /// Whether a balancer's nodes may send to an interface at one of these ports.
    fn may_send(&self, balancer: &Balancer, to: usize, ports: &Ports) -> bool {
        let first = |at: usize| self.interface(at).addresses.first().map(|a| a.private);
        let sends = |node: usize| match (first(node), first(to)) {
            (Some(addr), Some(dst)) => self.converse(&Source::Interface { at: node, addr }, dst, Some(to)).may().meets(ports),
            _ => true,
        };
        // The targets of a Network Load Balancer may see its clients' addresses instead.
        let seen = balancer.kind == BalancerKind::Network || balancer.interfaces.is_empty();
        seen || balancer.interfaces.iter().filter_map(|i| i.at).any(sends)
    }

    /// Why not all targets of a balancer are known, if so.
    fn unread_targets(&self, balancer: &Balancer, near: impl Fn(&Link) -> bool) -> Option<Text> {
        let placed = balancer.listeners.iter().any(|l| l.unknown.is_some());
        let blind = balancer.listeners_unknown.as_ref().filter(|_| !placed).or(balancer.forwards_unknown.as_ref());
        if blind.is_some() {
            return blind.cloned();
        }
        balancer.listeners.iter().flat_map(|l| &l.groups).find_map(|id| match self.target_groups.iter().find(|g| g.id == *id) {
            Some(group) if group.kind.as_ref() == "lambda" || !near(&group.vpc) => None,
            Some(group) => group.targets_unknown.clone(),
            // A template's resources are not registered with what another one holds.
            None => self.interfaces_unknown.is_none().then(|| format!("target group {id} isn't in the snapshot").into()),
        })
    }

    /// The balancer that an interface is a node of.
    pub(crate) fn balancer_of(&self, interface: usize) -> Option<usize> {
        let id = &self.interface(interface).owner.id;
        self.balancers.iter().position(|b| b.id == *id && b.interfaces.iter().any(|i| i.at == Some(interface)))
    }

    /// What a balancer's nodes accept at all: the union of its listeners.
    pub(crate) fn accepts(&self, balancer: &Balancer) -> Filter {
        if self.faulty(Fault::ListenerIgnored) {
            return Filter::open();
        }
        if let Some(reason) = &balancer.listeners_unknown {
            return Filter::unknown(reason.clone());
        }
        match &balancer.state {
            State::Up => {}
            State::Down(_) => return Filter::closed(),
            State::Unknown(reason) => return Filter::unknown(reason.clone()),
        }
        Filter::only(balancer.listeners.iter().fold(Ports::none(), |all, l| all.or(&l.ports)))
    }

    /// Whether targets see the client's own address.
    pub(crate) fn preserves(&self, behind: &Behind) -> bool {
        let Some(group) = behind.group.map(|at| self.target_group(at)) else { return false };
        let network = self.balancer(behind.balancer).kind == BalancerKind::Network;
        let udp = matches!(group.protocol.to_ascii_uppercase().as_str(), "UDP" | "TCP_UDP");
        network && !self.faulty(Fault::ClientAddressLost) && group.preserve_client.unwrap_or(group.kind.as_ref() != "ip" || udp)
    }

    /// The balancer's own steps: it must have a listener for the port, with a target in reach of the node.
    pub(crate) fn balancer_steps(&self, behind: &Behind, node: usize, target: usize) -> Vec<Step> {
        let balancer = self.balancer(behind.balancer);
        let rule = balancer.listeners.get(behind.listener).map(|l| l.id.clone()).unwrap_or_default();
        let front = Step::pass("load-balancer", balancer.id.clone(), rule);
        let mut steps = vec![match balancer.listeners.get(behind.listener).and_then(|l| l.unknown.clone()) {
            Some(reason) => front.unknown(reason),
            None => front,
        }];
        if let Some(group) = behind.group {
            steps.push(Step::pass("target-group", self.target_group(group).id.clone(), ""));
        }
        let zone = |at: usize| self.interface(at).subnet.at.map(|s| self.subnet(s).zone.clone()).unwrap_or_default();
        if !balancer.cross_zone && !self.faulty(Fault::CrossZoneIgnored) && zone(node) != zone(target) {
            let code =
                if balancer.kind == BalancerKind::Classic { code::ELB_NOT_CROSSZONE } else { code::ELBV2_NO_TARGETS_IN_AZ };
            let step = Step::pass("load-balancer", balancer.id.clone(), "cross-zone load balancing is off").stop(code);
            steps.push(step.fix("switch cross-zone load balancing on, or a target in this Availability Zone"));
        }
        steps
    }

    /// The flow from a balancer's node to a target. `client` is what the target sees when client addresses are kept.
    pub(crate) fn second_flow(&self, behind: &Behind, node: usize, target: usize, client: &Client) -> Trace {
        let v4 = |at: usize| self.interface(at).addresses.iter().find(|a| a.private.family == Family::V4).map(|a| a.private);
        let addr = behind.addr.or_else(|| v4(target));
        let (Some(from), Some(to)) = (v4(node), addr) else {
            let mut trace = Trace::default();
            trace.steps.push(
                Step::pass("load-balancer", self.balancer(behind.balancer).id.clone(), "").unknown("an address isn't known"),
            );
            return trace;
        };
        if self.preserves(behind) && client.addr.family == to.family {
            return self.preserved_flow(node, target, to, client);
        }
        self.converse(&Source::Interface { at: node, addr: from }, to, Some(target))
    }

    /// The node passes the packet on under the client's address; the reply finds its way back through the node by itself.
    fn preserved_flow(&self, node: usize, target: usize, to: Addr, client: &Client) -> Trace {
        let packet = Packet { src: client.addr, dst: to, src_within: None, dst_within: None };
        let mut walk = Walk::new(self, packet);
        walk.push(Step::pass("network-interface", self.interface(node).id.clone(), "client address kept"));
        let (home, goal) = (self.interface(node).subnet.at, self.interface(target).subnet.at);
        if let Some(home) = home
            && !matches!(walk.route_from(home), End::Lost | End::Interface(_))
        {
            let step = Step::pass("network-interface", self.interface(target).id.clone(), "");
            walk.push(step.stop(code::NO_POSSIBLE_DESTINATION).fix(format!("a route to {to} that stays inside")));
        }
        let mut members = vec![node];
        members.extend(client.interface.filter(|at| self.vpc_of(*at) == self.vpc_of(target)));
        let sides = [
            (node, Way::Out, Side { addr: to, within: None, members: vec![target], grouped: Truth::True }),
            (target, Way::In, Side { addr: client.addr, within: None, members, grouped: Truth::True }),
        ];
        for (interface, way, side) in sides {
            if !self.interface(interface).ungrouped {
                let ids: Vec<&str> = self.interface(interface).groups.iter().map(|g| g.id.as_ref()).collect();
                let (word, peer) = if way == Way::In { ("inbound", "from") } else { ("outbound", "to") };
                let fix = format!("an {word} rule for {PORTS} {peer} {} on {}", side.addr, ids.first().unwrap_or(&"its group"));
                let step = Step::pass("security-group", ids.join(","), "");
                let filter = self.group_filter(interface, way, &side);
                walk.push(
                    step.filter(filter, code::ENI_SG_RULES_MISMATCH).check(Check::Groups { interface, way, side }).fix(fix),
                );
            }
        }
        walk.turn(packet.back());
        if let (Some(home), Some(goal)) = (home, goal)
            && home != goal
        {
            walk.acl(goal, Way::Out);
            walk.acl(home, Way::In);
        }
        walk.trace
    }
}

/// Who called the balancer, as a target that sees the client would.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client {
    pub(crate) addr: Addr,
    pub(crate) interface: Option<usize>,
}

/// What a target is sent: anything it can be, for a port that isn't known.
fn target_ports(protocol: &Text, port: Option<u16>) -> Ports {
    port.map_or_else(Ports::full, |port| crate::answers::listener_ports(protocol, port))
}
