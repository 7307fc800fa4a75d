//! One conversation between two concrete addresses, without load balancers: the way there, both ends' groups, the way back.

use model::Truth;

use crate::addr::{Addr, Cidr};
use crate::carry::{Packet, Walk};
use crate::fault::Fault;
use crate::filter::{Filter, Side, Way};
use crate::network::{Address, Joined, Network, State};
use crate::ports::{Ports, protocol};
use crate::trace::{Check, End, Exit, PORTS, Step, Trace, code};

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// An interface, from one of its private addresses.
    Interface { at: usize, addr: Addr },
    /// Somebody on the internet.
    Internet { addr: Addr },
    /// Somebody on-premises, who comes in by this way. `learned` tells that the address stands for whatever is announced
    /// there, because the prefixes are not known.
    OnPremises { by: Exit, addr: Addr, learned: bool },
}

/// A stretch of the way between two address translations.
struct Leg {
    start: Start,
    /// The packet as it arrives at the end of the stretch.
    packet: Packet,
    end: End,
}

/// Where a stretch began, and where its reply must arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Start {
    Interface(usize),
    Internet,
    OnPremises,
}

impl Network {
    /// The interface's address record for a private address.
    pub(crate) fn address(&self, interface: usize, addr: Addr) -> Option<&Address> {
        self.interface(interface).addresses.iter().find(|a| a.private == addr)
    }

    /// Evaluates the conversation. `target` names the interface that is meant, so that its components are looked at even if
    /// the packet never gets there.
    pub(crate) fn converse(&self, source: &Source, dst: Addr, target: Option<usize>) -> Trace {
        self.converse_with(source, dst, target, &[])
    }

    /// The same, where some addresses stand for what lies behind a way out on-premises.
    pub(crate) fn converse_with(&self, source: &Source, dst: Addr, target: Option<usize>, announced: &[(Addr, Exit)]) -> Trace {
        let mut talk = Talk { walk: Walk::new(self, first_packet(self, source, dst, target)), legs: Vec::new() };
        talk.walk.announced = announced.to_vec();
        if let Source::OnPremises { by, addr, learned: true } = source {
            talk.walk.announced.push((*addr, by.clone()));
        }
        talk.go(source, dst, target);
        talk.groups(source, dst, target);
        if !self.faulty(Fault::ReplyIgnored) {
            talk.replies(source, target);
        }
        let mut trace = talk.walk.trace;
        if let Some(End::Exit(exit)) = talk.legs.last().map(|leg| &leg.end) {
            trace.leaves = Some(exit.name());
        }
        trace
    }
}

impl Network {
    /// True if both ends' groups alone show that none of the ports gets from an interface to another one. Cheaper than a
    /// conversation; false says nothing.
    pub(crate) fn hopeless(&self, source: &Source, dst: Addr, target: usize, ports: &Ports) -> bool {
        let Source::Interface { at, addr } = source else { return false };
        if !self.behind(target).is_empty() {
            return false;
        }
        let packet = first_packet(self, source, dst, Some(target));
        let side = |addr, within, member: usize| Side { addr, within, members: vec![member], grouped: Truth::True };
        let out = self.group_filter(*at, Way::Out, &side(dst, packet.dst_within, target));
        if !out.may.meets(ports) {
            return true;
        }
        // In another VPC, or behind a public address, the target may see a translated source.
        let near = self.vpc_of(*at).is_some() && self.vpc_of(*at) == self.vpc_of(target) && self.address(target, dst).is_some();
        near && !self.group_filter(target, Way::In, &side(*addr, packet.src_within, *at)).may.and(&out.may).meets(ports)
    }
}

/// What AWS's end of a VPN tunnel takes: IKE, also behind NAT, and ESP. Whether it answers an echo request isn't documented.
/// Source: Site-to-Site VPN user guide, "Firewall rules for an AWS Site-to-Site VPN customer gateway device".
fn tunnel_end() -> Filter {
    let sure = Ports::udp(500, 500).or(&Ports::udp(4500, 4500)).or(&Ports::of(50, None, None));
    let may = sure.or(&Ports::of(protocol::ICMP, None, None)).or(&Ports::of(protocol::ICMP6, None, None));
    Filter { sure, may, reasons: vec!["whether AWS's end of a tunnel answers ICMP isn't known".into()] }
}

fn first_packet(net: &Network, source: &Source, dst: Addr, target: Option<usize>) -> Packet {
    let (src, src_within) = match source {
        Source::Interface { at, addr } => (*addr, net.address(*at, *addr).and_then(|a| a.within)),
        Source::Internet { addr } | Source::OnPremises { addr, .. } => (*addr, None),
    };
    let address = target.and_then(|at| net.interface(at).addresses.iter().find(|a| a.private == dst || a.public == Some(dst)));
    let dst_within =
        address.and_then(|a| if a.private == dst { a.within } else { a.public_loose.then(|| Cidr::all(dst.family)) });
    Packet { src, dst, src_within, dst_within }
}

struct Talk<'a> {
    walk: Walk<'a>,
    legs: Vec<Leg>,
}

impl Talk<'_> {
    fn go(&mut self, source: &Source, dst: Addr, target: Option<usize>) {
        let net = self.walk.net;
        let (start, end) = match source {
            Source::Interface { at, .. } => {
                self.walk.push(Step::pass("network-interface", net.interface(*at).id.clone(), ""));
                (Start::Interface(*at), self.leave(*at))
            }
            Source::Internet { .. } => {
                let end = match net.at_public(dst) {
                    Some(at) => self.walk.enter_from_internet(at),
                    None if target.is_none() => self.nobody(dst),
                    None => {
                        let gateway = target.and_then(|at| net.vpc_of(at)).and_then(|vpc| net.vpc(vpc).igw);
                        let id = gateway.map(|at| net.gateway(at).id.clone()).unwrap_or_default();
                        let step = Step::pass("internet-gateway", id, "");
                        self.walk.lost(match target.and_then(|at| net.interface(at).public_unknown.clone()) {
                            Some(reason) => step.unknown(reason),
                            None => {
                                let fix = "a public address on the target";
                                step.stop(code::IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS).fix(fix)
                            }
                        })
                    }
                };
                (Start::Internet, end)
            }
            Source::OnPremises { by, .. } => (Start::OnPremises, self.arrive(by)),
        };
        self.legs.push(Leg { start, packet: self.walk.packet, end });
        self.relay();
    }

    /// An address of the internet that no interface of the snapshot has.
    fn nobody(&mut self, dst: Addr) -> End {
        let tunnel = self.walk.net.vpns.iter().find(|vpn| vpn.outside.contains(&dst));
        let Some(vpn) = tunnel else {
            let step = Step::pass("internet", dst.to_string(), "").stop(code::NO_POSSIBLE_DESTINATION);
            return self.walk.lost(step.fix(format!("an interface with the address {dst}")));
        };
        let step = Step::pass("vpn-connection", vpn.id.clone(), format!("AWS's end of a tunnel, {dst}"));
        self.walk.lost(step.filter(tunnel_end(), code::PROTOCOL_RESTRICTION).fix("IKE (udp/500, udp/4500) or ESP"))
    }

    /// From a NAT gateway on, under its own address, as often as the way leads through one.
    fn relay(&mut self) {
        let net = self.walk.net;
        let mut passed = Vec::new();
        loop {
            let Some(End::Nat(at)) = self.legs.last().map(|leg| leg.end.clone()) else { return };
            let nat = net.nat(at);
            if passed.contains(&at) {
                self.walk.push(Step::pass("nat-gateway", nat.id.clone(), "routing loop").stop(code::NO_ROUTE_TO_DESTINATION));
                return;
            }
            passed.push(at);
            let Some(interface) = nat.interface.at else {
                let reason = format!("the address of NAT gateway {} isn't in the snapshot", nat.id);
                self.walk.push(Step::pass("nat-gateway", nat.id.clone(), "").unknown(reason));
                return;
            };
            let Some(address) =
                net.interface(interface).addresses.iter().find(|a| a.private.family == self.walk.packet.dst.family)
            else {
                return;
            };
            self.walk.packet.src = address.private;
            self.walk.packet.src_within = address.within;
            let end = self.leave(interface);
            self.legs.push(Leg { start: Start::Interface(interface), packet: self.walk.packet, end });
        }
    }

    fn leave(&mut self, interface: usize) -> End {
        let net = self.walk.net;
        match net.interface(interface).subnet.at {
            Some(subnet) => self.walk.route_from(subnet),
            None => {
                let id = net.interface(interface).subnet.id.clone();
                self.walk.lost(Step::pass("subnet", id.clone(), "").unknown(format!("subnet {id} isn't in the snapshot")))
            }
        }
    }

    /// In from outside by the way that `by` leads out.
    fn arrive(&mut self, by: &Exit) -> End {
        let net = self.walk.net;
        match by {
            Exit::VpnGateway { vpc } => {
                self.walk.grouped = Truth::False;
                let gateway = net.vpc(*vpc).vgw.and_then(|at| net.vpn_gateways.get(at)).map(|g| g.id.clone()).unwrap_or_default();
                self.walk.push(Step::pass("vpn-gateway", gateway.clone(), ""));
                let behind = || net.vpns.iter().filter(|v| v.gateway == gateway);
                if behind().next().is_some() && behind().all(|v| matches!(v.state, State::Down(_))) {
                    let step = Step::pass("vpn-gateway", gateway.clone(), "").stop(code::BAD_STATE_VPN);
                    return self.walk.lost(step.fix("a working VPN connection"));
                }
                if !net.vpc(*vpc).cidrs.iter().any(|c| c.contains(self.walk.packet.dst)) {
                    let step = Step::pass("vpn-gateway", gateway, "").stop(code::NO_ROUTE_TO_DESTINATION);
                    return self.walk.lost(step.fix("an address of the attached VPC"));
                }
                self.walk.enter(*vpc, &gateway)
            }
            Exit::Attachment { at } => {
                self.walk.grouped = Truth::False;
                let attachment = net.attachment(*at);
                self.walk.push(Step::pass("transit-gateway-attachment", attachment.id.clone(), ""));
                if let Joined::Vpn(link) = &attachment.joined
                    && let Some(State::Down(_)) = link.at.and_then(|at| net.vpns.get(at)).map(|vpn| &vpn.state)
                    && !net.faulty(Fault::VpnStateIgnored)
                {
                    let step = Step::pass("vpn-connection", link.id.clone(), "").stop(code::TGW_BAD_STATE_VPN);
                    return self.walk.lost(step.fix("a working VPN connection"));
                }
                self.walk.transit(*at)
            }
            Exit::Internet { vpc } | Exit::EgressOnly { vpc } | Exit::Service { vpc } => self.walk.deliver(*vpc, None),
        }
    }

    /// Both ends' security groups, by what each sees of the other.
    fn groups(&mut self, source: &Source, dst: Addr, target: Option<usize>) {
        let net = self.walk.net;
        let arrived = match self.legs.last().map(|leg| &leg.end) {
            Some(End::Interface(at)) => Some(*at),
            _ => None,
        };
        let strayed = arrived.is_some() && target.is_some() && arrived != target;
        let callee = if strayed { None } else { arrived.or(target) };
        let grouped = if arrived.is_some() { self.walk.grouped } else { self.assumed(source, callee) };
        if let Source::Interface { at, .. } = source {
            let packet = first_packet(net, source, dst, callee);
            let members = callee.into_iter().collect();
            let side = Side { addr: dst, within: packet.dst_within, members, grouped };
            self.group(*at, Way::Out, side);
        }
        if let Some(callee) = callee {
            let members = match source {
                Source::Interface { at, .. } => vec![*at],
                Source::Internet { .. } | Source::OnPremises { .. } => Vec::new(),
            };
            let packet = self.walk.packet;
            let side = Side { addr: packet.src, within: packet.src_within, members, grouped };
            self.group(callee, Way::In, side);
        }
        if strayed {
            let step = Step::pass("network-interface", arrived.map(|at| net.interface(at).id.clone()).unwrap_or_default(), "");
            self.walk.push(step.stop(code::NO_POSSIBLE_DESTINATION).fix("the address is reached at another interface"));
        }
    }

    /// Whether group references would work if the way were open: inside one VPC they do.
    fn assumed(&self, source: &Source, callee: Option<usize>) -> Truth {
        match (source, callee) {
            (Source::Interface { at, .. }, Some(callee)) => (self.walk.net.vpc_of(*at) == self.walk.net.vpc_of(callee)).into(),
            _ => Truth::False,
        }
    }

    fn group(&mut self, interface: usize, way: Way, side: Side) {
        let net = self.walk.net;
        let filter = net.group_filter(interface, way, &side);
        let of = net.interface(interface);
        if of.ungrouped {
            return;
        }
        let ids: Vec<&str> = of.groups.iter().map(|g| g.id.as_ref()).collect();
        let (direction, word) = if way == Way::In { ("inbound", "from") } else { ("outbound", "to") };
        let fix = format!(
            "an {direction} rule for {PORTS} {word} {} on {}",
            side.addr,
            ids.first().unwrap_or(&"a group of the interface")
        );
        let step = Step::pass("security-group", ids.join(","), "").filter(filter, code::ENI_SG_RULES_MISMATCH);
        self.walk.push(step.check(Check::Groups { interface, way, side }).fix(fix));
    }

    /// The reply of each stretch must come back to where the stretch began.
    fn replies(&mut self, source: &Source, target: Option<usize>) {
        let legs = std::mem::take(&mut self.legs);
        for leg in &legs {
            self.walk.turn(leg.packet.back());
            self.walk.zone = "".into();
            let end = match &leg.end {
                End::Interface(at) => self.leave(*at),
                End::Nat(at) => match self.walk.net.nat(*at).subnet.at {
                    Some(subnet) => self.walk.route_from(subnet),
                    None => End::Lost,
                },
                End::Exit(exit) => self.outside(exit, &leg.start),
                End::Lost => match target.filter(|_| leg.start == Start::Internet || legs.len() == 1) {
                    Some(at) => self.reply_from(at, source),
                    None => continue,
                },
            };
            self.home(leg, &end);
        }
        self.walk.close_inspection();
        self.legs = legs;
    }

    /// The reply of a target that the packet did not reach: looked at all the same, to name all that is in the way.
    fn reply_from(&mut self, target: usize, source: &Source) -> End {
        let net = self.walk.net;
        let family = self.walk.packet.dst.family;
        let Some(address) = net.interface(target).addresses.iter().find(|a| a.private.family == family) else { return End::Lost };
        let asked = match source {
            Source::Interface { addr, .. } | Source::Internet { addr } | Source::OnPremises { addr, .. } => *addr,
        };
        self.walk.packet = Packet { src: address.private, dst: asked, src_within: address.within, dst_within: None };
        self.leave(target)
    }

    fn outside(&mut self, exit: &Exit, start: &Start) -> End {
        let Start::Interface(at) = start else { return End::Lost };
        match exit {
            Exit::Internet { .. } => self.walk.enter_from_internet(*at),
            other => self.arrive(other),
        }
    }

    /// Compares where the reply came to with where it had to come.
    fn home(&mut self, leg: &Leg, end: &End) {
        let net = self.walk.net;
        let fine = match (&leg.start, end) {
            (_, End::Lost) => return,
            (Start::Interface(a), End::Interface(b)) => a == b,
            (Start::Internet, End::Exit(Exit::Internet { .. })) => true,
            (Start::Internet, End::Exit(Exit::EgressOnly { .. })) => net.faulty(Fault::EgressOnlyInbound),
            (Start::OnPremises, End::Exit(Exit::VpnGateway { .. } | Exit::Attachment { .. })) => true,
            _ => false,
        };
        if !fine {
            let by =
                self.walk.trace.steps.iter().rev().find(|s| s.component == "route-table").map(|s| (s.id.clone(), s.rule.clone()));
            let (id, rule) = by.unwrap_or_default();
            let step = Step::pass("route-table", id, rule).stop(code::CANNOT_ROUTE);
            self.walk.push(step.fix("a route that takes the reply back the way the traffic came"));
        }
    }
}
