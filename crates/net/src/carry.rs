//! Carrying a packet from place to place: subnets, route tables, gateways, peering, transit gateways.
//!
//! Addresses are concrete, ports are sets: one walk answers for all protocols and ports at once. Every component that the packet
//! meets is recorded, also behind one that stops it, as far as the way goes on.

use model::Truth;

use crate::addr::{Addr, Cidr, Family, is_internet};
use crate::fault::Fault;
use crate::filter::{Filter, Way};
use crate::firewall::Inspected;
use crate::network::{BlockMode, Link, Network, OwnerKind, Route, State, Table, Target};
use crate::ports::{Ports, protocol};
use crate::trace::{Check, End, Exit, PORTS, Step, Trace, code};

/// A way with more components than this goes round in circles.
pub(crate) const HOPS_MAX: usize = 64;

/// A packet under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet {
    pub(crate) src: Addr,
    pub(crate) dst: Addr,
    /// The source is a stand-in within this block.
    pub(crate) src_within: Option<Cidr>,
    /// The destination is a stand-in within this block.
    pub(crate) dst_within: Option<Cidr>,
}

impl Packet {
    pub(crate) fn back(self) -> Packet {
        Packet { src: self.dst, dst: self.src, src_within: self.dst_within, dst_within: self.src_within }
    }
}

/// A walk: the packet, what it met, and whether it is a reply.
pub(crate) struct Walk<'a> {
    pub(crate) net: &'a Network,
    pub(crate) trace: Trace,
    pub(crate) packet: Packet,
    pub(crate) reply: bool,
    /// Whether group references still work behind all that was passed.
    pub(crate) grouped: Truth,
    /// The Availability Zone that the packet came from.
    pub(crate) zone: model::Text,
    /// Addresses that stand for whatever lies behind a way out on-premises: routes to them are learned there.
    pub(crate) announced: Vec<(Addr, Exit)>,
    /// What the stateful engines of firewalls saw on the way.
    inspected: Vec<Inspected>,
    hops: usize,
}

impl<'a> Walk<'a> {
    pub(crate) fn new(net: &'a Network, packet: Packet) -> Walk<'a> {
        let (trace, announced) = (Trace::default(), Vec::new());
        let zone = "".into();
        Walk { net, trace, packet, reply: false, grouped: Truth::True, zone, announced, inspected: Vec::new(), hops: 0 }
    }

    /// Turns around: what follows is the reply's way.
    pub(crate) fn turn(&mut self, packet: Packet) {
        self.packet = packet;
        self.reply = true;
        self.hops = 0;
    }

    pub(crate) fn push(&mut self, mut step: Step) {
        step.reply = self.reply;
        self.trace.steps.push(step);
    }

    pub(crate) fn lost(&mut self, step: Step) -> End {
        self.push(step);
        End::Lost
    }

    /// The ACL of a subnet that the packet enters or leaves.
    pub(crate) fn acl(&mut self, subnet: usize, way: Way) {
        let (addr, within) = match way {
            Way::In => (self.packet.src, self.packet.src_within),
            Way::Out => (self.packet.dst, self.packet.dst_within),
        };
        if self.reply && self.net.faulty(Fault::ReplyPortsIgnored) {
            return;
        }
        let filter = self.net.acl_filter(subnet, way, addr, within);
        let id = self.net.subnet(subnet).acl.id.clone();
        let direction = if way == Way::In { "inbound" } else { "outbound" };
        let peer = if way == Way::In { "from" } else { "to" };
        let fix = format!("an {direction} allow line for {PORTS} {peer} {addr}, before any deny");
        let check = Check::Acl { subnet, way, addr };
        self.push(Step::pass("network-acl", id, "").filter(filter, code::SUBNET_ACL_RESTRICTION).check(check).fix(fix));
    }

    /// Goes on from the router of a subnet until the packet is delivered, leaves or is lost. `fresh` tells that the packet was
    /// sent by something inside the subnet, so that leaving it crosses the ACL; a delivery inside it crosses none.
    pub(crate) fn route_from(&mut self, subnet: usize) -> End {
        let vpc = self.net.subnet(subnet).vpc.at;
        let Some(vpc) = vpc else {
            let (id, of) = (self.net.subnet(subnet).vpc.id.clone(), self.net.subnet(subnet).id.clone());
            return self.lost(Step::pass("vpc", id.clone(), "").unknown(missing_vpc(&id, &of)));
        };
        if self.zone.is_empty() {
            self.zone = self.net.subnet(subnet).zone.clone();
        }
        if self.net.subnet(subnet).cidrs.iter().any(|c| c.contains(self.packet.dst)) {
            if self.net.faulty(Fault::AclInsideSubnet) {
                self.acl(subnet, Way::Out);
            }
            return self.deliver(vpc, Some(subnet));
        }
        self.acl(subnet, Way::Out);
        self.route(vpc, subnet)
    }

    fn route(&mut self, vpc: usize, subnet: usize) -> End {
        self.hops += 1;
        if self.hops > HOPS_MAX {
            return self.lost(
                Step::pass("subnet", self.net.subnet(subnet).id.clone(), "routing loop").stop(code::NO_ROUTE_TO_DESTINATION),
            );
        }
        let net = self.net;
        let Some(table) = net.subnet(subnet).table.at.map(|at| net.table(at)) else {
            let s = net.subnet(subnet);
            let reason = match s.table.is_none() {
                true => format!("the route table of {} isn't in the snapshot", s.id),
                false => format!("route table {} isn't in the snapshot", s.table.id),
            };
            return self.lost(Step::pass("route-table", s.table.id.clone(), "").unknown(reason));
        };
        match self.pick(table) {
            Some(route) if matches!(route.target, Target::Local) => self.follow(vpc, subnet, table, route),
            _ if self.learned(vpc, table) => self.follow_learned(vpc, table),
            Some(route) => self.follow(vpc, subnet, table, route),
            None => self.no_route(table, vpc),
        }
    }

    /// Whether the destination stands for something that the VPC's virtual private gateway announces to this table.
    fn learned(&self, vpc: usize, table: &Table) -> bool {
        let gateway = self.net.vpc(vpc).vgw.and_then(|at| self.net.vpn_gateways.get(at));
        gateway.is_some_and(|g| table.propagating.contains(&g.id))
            && self.announced.iter().any(|(addr, exit)| *addr == self.packet.dst && *exit == Exit::VpnGateway { vpc })
    }

    fn follow_learned(&mut self, vpc: usize, table: &Table) -> End {
        let gateway = self.net.vpc(vpc).vgw.and_then(|at| self.net.vpn_gateways.get(at)).map(|g| g.id.clone());
        let link = gateway.map(Link::to).unwrap_or_default();
        self.push(Step::pass("route-table", table.id.clone(), format!("learned -> {}", link.id)));
        self.out_by_vpn_gateway(vpc, &Link { at: self.net.vpc(vpc).vgw, ..link }, true)
    }

    /// The route that applies: the longest block; of several for one block a static one before a propagated one.
    fn pick(&self, table: &'a Table) -> Option<&'a Route> {
        let find = |routes: &[u32]| {
            let all = || routes.iter().filter_map(|at| table.routes.get(*at as usize));
            let wins = self.net.faulty(Fault::PropagatedWins);
            all().find(|r| r.propagated == wins).or_else(|| all().next())
        };
        match self.net.faulty(Fault::ShortestPrefix) {
            true => table.lpm.each(self.packet.dst).last().and_then(|(_, routes)| find(routes)),
            false => table.lpm.find(self.packet.dst).and_then(|(_, routes)| find(routes)),
        }
    }

    fn no_route(&mut self, table: &Table, vpc: usize) -> End {
        let step = Step::pass("route-table", table.id.clone(), "");
        if let Some(reason) = table.unknown.clone().or_else(|| self.net.vpc(vpc).cidrs_unknown.clone()) {
            return self.lost(step.unknown(reason));
        }
        let fix = format!("a route for {}", self.packet.dst);
        self.lost(step.stop(code::NO_ROUTE_TO_DESTINATION).fix(fix))
    }

    /// Records a route by its state; false if the way ends here. What lies behind a route that does not work is looked at as well,
    /// where its target is still there.
    fn takes(&mut self, table: &Table, route: &Route) -> bool {
        let rule = format!("{} -> {}", destination(route), route.target.id());
        let step = Step::pass("route-table", table.id.clone(), rule);
        match &route.state {
            State::Down(_) if !self.net.faulty(Fault::BlackholeIgnored) => {
                self.push(step.stop(code::BAD_STATE_ROUTE).fix("a working target for this route"));
                route.target.link().is_some_and(|link| link.at.is_some())
            }
            State::Up | State::Down(_) => {
                self.push(step);
                true
            }
            State::Unknown(reason) => {
                self.push(step.unknown(reason.clone()));
                false
            }
        }
    }

    fn follow(&mut self, vpc: usize, subnet: usize, table: &'a Table, route: &'a Route) -> End {
        if !self.takes(table, route) {
            return End::Lost;
        }
        match &route.target {
            Target::Local => self.deliver(vpc, Some(subnet)),
            Target::Internet(gateway) => self.out_by_internet_gateway(vpc, gateway, subnet),
            Target::EgressOnly(gateway) => self.out_by_egress_only(vpc, gateway, subnet),
            Target::Nat(nat) => self.meet_nat(nat, subnet),
            Target::Peering(peering) => self.over_peering(vpc, peering),
            Target::Transit(transit) => self.meet_transit(vpc, subnet, transit),
            Target::VpnGateway(gateway) => self.out_by_vpn_gateway(vpc, gateway, route.propagated),
            Target::Endpoint(endpoint) => self.meet_endpoint(vpc, subnet, endpoint),
            Target::Interface(interface) => self.appliance(interface, Some(subnet)),
            Target::Other(id) => {
                let reason = format!("what lies behind {id} isn't understood");
                self.lost(Step::pass("gateway", id.clone(), "").unknown(reason))
            }
        }
    }

    /// The interface of the VPC that has the destination address. `from` is the subnet it comes from, if any: entering
    /// another one crosses its ACL.
    pub(crate) fn deliver(&mut self, vpc: usize, from: Option<usize>) -> End {
        let net = self.net;
        let Some(at) = net.at_private(vpc, self.packet.dst) else {
            let step = Step::pass("vpc", net.vpc(vpc).id.clone(), "");
            let home =
                net.subnets.iter().position(|s| s.vpc.at == Some(vpc) && s.cidrs.iter().any(|c| c.contains(self.packet.dst)));
            if let Some(home) = home.filter(|home| from != Some(*home)) {
                self.acl(home, Way::In);
            }
            return match net.vpc(vpc).interfaces_unknown.as_ref().or(net.interfaces_unknown.as_ref()) {
                Some(reason) => self.lost(step.unknown(reason.clone())),
                None => self.lost(
                    step.stop(code::NO_POSSIBLE_DESTINATION).fix(format!("an interface with the address {}", self.packet.dst)),
                ),
            };
        };
        let interface = net.interface(at);
        match interface.subnet.at {
            Some(subnet) if from != Some(subnet) => self.acl(subnet, Way::In),
            Some(subnet) if net.faulty(Fault::AclInsideSubnet) => self.acl(subnet, Way::In),
            Some(_) => {}
            None => {
                let id = interface.subnet.id.clone();
                self.push(Step::pass("subnet", id.clone(), "").unknown(format!("subnet {id} isn't in the snapshot")));
            }
        }
        let relay = interface.owner.kind == OwnerKind::Nat && !self.reply && !net.faulty(Fault::NatInbound);
        if relay {
            let step = Step::pass("nat-gateway", interface.owner.id.clone(), "").stop(code::NO_POSSIBLE_DESTINATION);
            return self.lost(step.fix("an address of an interface: a NAT gateway only carries what was begun inside"));
        }
        self.push(Step::pass("network-interface", interface.id.clone(), ""));
        End::Interface(at)
    }

    /// What VPC Block Public Access makes of traffic at a gateway. `outward` says that the VPC's side began it, `relay` that a
    /// NAT or egress-only gateway carries it.
    fn public_block(&mut self, vpc: usize, subnet: Option<usize>, outward: bool, relay: bool) -> bool {
        let net = self.net;
        let home = &net.vpc(vpc).home;
        let here = |b: &&crate::network::PublicAccessBlock| {
            b.home == *home || (b.home.account.is_empty() && b.home.region == home.region)
        };
        let mode = net.access_blocks.iter().find(here).map(|b| b.mode).unwrap_or_default();
        if mode == BlockMode::Off
            || net.faulty(Fault::BlockIgnored)
            || (mode == BlockMode::Ingress && outward && (relay || net.faulty(Fault::BlockIngressLetsOut)))
        {
            return false;
        }
        let names = |id: &str| net.vpc(vpc).id.as_ref() == id || subnet.is_some_and(|s| net.subnet(s).id.as_ref() == id);
        if !net.faulty(Fault::ExclusionIgnored)
            && net.exclusions.iter().any(|x| names(&x.resource) && (!x.egress_only || outward))
        {
            return false;
        }
        let mode = if mode == BlockMode::Ingress { "block-ingress" } else { "block-bidirectional" };
        let step =
            Step::pass("vpc-block-public-access", net.vpc(vpc).id.clone(), mode).fix("an exclusion for this VPC or subnet");
        self.push(step.stop(code::VPC_BLOCK_PUBLIC_ACCESS_ENABLED));
        true
    }

    fn out_by_internet_gateway(&mut self, vpc: usize, gateway: &Link, subnet: usize) -> End {
        let net = self.net;
        let Some(gateway) = self.attached(vpc, gateway) else { return End::Lost };
        if !is_internet(self.packet.dst) {
            let step = Step::pass("internet-gateway", gateway, "");
            return self.lost(
                step.stop(code::IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS).fix("a route to where this private address is"),
            );
        }
        let sender = net.at_private(vpc, self.packet.src).map(|at| net.interface(at));
        let relay = sender.is_some_and(|i| i.owner.kind == OwnerKind::Nat);
        if !self.reply {
            self.public_block(vpc, sender.and_then(|i| i.subnet.at).or(Some(subnet)), true, relay);
        }
        let address = sender.and_then(|i| i.addresses.iter().find(|a| a.private == self.packet.src));
        let needless = address.map(|a| a.private).filter(|_| net.faulty(Fault::NoPublicAddressNeeded));
        let Some(public) = address.and_then(|a| a.public).or(needless) else {
            let step = Step::pass("internet-gateway", gateway, "");
            return match sender.and_then(|i| i.public_unknown.clone()) {
                Some(reason) => self.lost(step.unknown(reason)),
                None => self.lost(
                    step.stop(code::IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS)
                        .fix(format!("a public address for {}", self.packet.src)),
                ),
            };
        };
        let rule = if public == self.packet.src { String::new() } else { format!("{} as {public}", self.packet.src) };
        self.push(Step::pass("internet-gateway", gateway, rule));
        self.packet.src = public;
        self.packet.src_within = address.filter(|a| a.public_loose).map(|_| Cidr::all(public.family));
        self.grouped = Truth::False;
        match net.at_public(self.packet.dst) {
            Some(at) => self.enter_from_internet(at),
            None => End::Exit(Exit::Internet { vpc }),
        }
    }

    /// The id of a gateway, unless it isn't known whether it is attached to the VPC; records what stands against it.
    fn attached(&mut self, vpc: usize, link: &Link) -> Option<model::Text> {
        let net = self.net;
        let Some(gateway) = link.at.map(|at| net.gateway(at)) else {
            let reason = format!("gateway {} isn't in the snapshot", link.id);
            if net.faulty(Fault::DanglingBlocks) {
                self.push(Step::pass("internet-gateway", link.id.clone(), "").stop(code::BAD_STATE_ATTACHMENT));
            } else {
                self.push(Step::pass("internet-gateway", link.id.clone(), "").unknown(reason));
            }
            return None;
        };
        let state = gateway.vpcs.iter().find(|(id, _)| *id == net.vpc(vpc).id).map(|(_, state)| state);
        match state {
            Some(State::Up) => Some(gateway.id.clone()),
            _ if net.faulty(Fault::DetachedGateway) => Some(gateway.id.clone()),
            Some(State::Unknown(reason)) => {
                self.push(Step::pass("internet-gateway", gateway.id.clone(), "").unknown(reason.clone()));
                None
            }
            Some(State::Down(_)) | None => {
                let step = Step::pass("internet-gateway", gateway.id.clone(), "").stop(code::BAD_STATE_ATTACHMENT);
                self.push(step.fix(format!("attach it to {}", net.vpc(vpc).id)));
                Some(gateway.id.clone())
            }
        }
    }

    fn out_by_egress_only(&mut self, vpc: usize, gateway: &Link, subnet: usize) -> End {
        let Some(gateway) = self.attached(vpc, gateway) else { return End::Lost };
        let step = Step::pass("egress-only-internet-gateway", gateway, "");
        if self.packet.dst.family == Family::V4 || !is_internet(self.packet.dst) {
            return self.lost(step.stop(code::PROTOCOL_RESTRICTION).fix("an IPv6 destination on the internet"));
        }
        let grouped = self.grouped;
        if !self.reply {
            let sender = self.net.at_private(vpc, self.packet.src).and_then(|at| self.net.interface(at).subnet.at);
            self.public_block(vpc, sender.or(Some(subnet)), true, true);
        }
        self.push(step);
        self.grouped = grouped.and(Truth::False);
        match self.net.at_public(self.packet.dst) {
            Some(at) if !self.reply => self.enter_from_internet(at),
            _ => End::Exit(Exit::EgressOnly { vpc }),
        }
    }

    /// The packet comes from the internet for an interface with a public address: its address is translated, the internet
    /// gateway's own route table is asked, and the subnet's ACL is crossed.
    pub(crate) fn enter_from_internet(&mut self, at: usize) -> End {
        let net = self.net;
        let interface = net.interface(at);
        let Some(vpc) = interface.vpc.at else {
            let (id, of) = (interface.vpc.id.clone(), &interface.id);
            return self.lost(Step::pass("vpc", id.clone(), "").unknown(missing_vpc(&id, of)));
        };
        self.grouped = Truth::False;
        let Some(gateway) = net.vpc(vpc).igw.map(|at| net.gateway(at).id.clone()) else {
            let step = Step::pass("vpc", net.vpc(vpc).id.clone(), "");
            return match &net.vpc(vpc).gateways_unknown {
                Some(reason) => self.lost(step.unknown(reason.clone())),
                None => self.lost(step.stop(code::BAD_STATE_ATTACHMENT).fix("attach an internet gateway")),
            };
        };
        if !is_internet(self.packet.src) {
            let step = Step::pass("internet-gateway", gateway, "");
            return self.lost(step.stop(code::IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS));
        }
        let address = interface.addresses.iter().find(|a| a.public == Some(self.packet.dst));
        if let Some(address) = address {
            let rule = if address.private == self.packet.dst {
                String::new()
            } else {
                format!("{} is {}", self.packet.dst, address.private)
            };
            self.push(Step::pass("internet-gateway", gateway.clone(), rule));
            self.packet.dst = address.private;
            self.packet.dst_within = address.within;
        }
        if !self.reply {
            let relay = interface.owner.kind == OwnerKind::Nat;
            self.public_block(vpc, interface.subnet.at, false, relay);
        }
        self.enter(vpc, &gateway)
    }

    /// Into a VPC by one of its gateways: the gateway's own (edge) table may send it through an appliance first.
    pub(crate) fn enter(&mut self, vpc: usize, gateway: &str) -> End {
        let edge = self.net.tables.iter().find(|t| t.vpc.at == Some(vpc) && t.gateways.iter().any(|g| g.as_ref() == gateway));
        let edge = edge.filter(|_| !self.net.faulty(Fault::EdgeTableIgnored));
        if let Some(table) = edge
            && let Some(route) = self.pick(table)
            && !matches!(route.target, Target::Local)
        {
            if !self.takes(table, route) {
                return End::Lost;
            }
            return match &route.target {
                Target::Endpoint(endpoint) => self.through_endpoint(endpoint, None),
                Target::Interface(interface) => self.appliance(interface, None),
                other => {
                    let reason = format!("an edge route to {} isn't understood", other.id());
                    self.lost(Step::pass("route-table", table.id.clone(), "").unknown(reason))
                }
            };
        }
        self.deliver(vpc, None)
    }

    fn meet_nat(&mut self, link: &Link, subnet: usize) -> End {
        let net = self.net;
        let Some(at) = link.at else {
            let step = Step::pass("nat-gateway", link.id.clone(), "");
            return self.lost(step.unknown(format!("NAT gateway {} isn't in the snapshot", link.id)));
        };
        let nat = net.nat(at);
        let step = Step::pass("nat-gateway", nat.id.clone(), "");
        if self.packet.dst.family == Family::V6 {
            return self.lost(step.unknown("translation from IPv6 to IPv4 by a NAT gateway isn't modelled"));
        }
        match &nat.state {
            State::Up => {}
            State::Down(_) => self.push(step.clone().stop(code::BAD_STATE).fix("a working NAT gateway")),
            State::Unknown(reason) => return self.lost(step.unknown(reason.clone())),
        }
        let Some(home) = nat.subnet.at else {
            return self.lost(step.unknown(format!("subnet {} isn't in the snapshot", nat.subnet.id)));
        };
        if home != subnet {
            self.acl(home, Way::In);
        }
        let takes = Ports { other: [0; 4], icmp6: Default::default(), ..Ports::full() };
        self.push(step.filter(Filter::only(takes), code::PROTOCOL_RESTRICTION).fix("TCP, UDP or ICMP"));
        self.grouped = Truth::False;
        End::Nat(at)
    }

    fn over_peering(&mut self, vpc: usize, link: &Link) -> End {
        let net = self.net;
        let Some(peering) = link.at.map(|at| net.peering(at)) else {
            let step = Step::pass("vpc-peering-connection", link.id.clone(), "");
            return self.lost(step.unknown(format!("peering connection {} isn't in the snapshot", link.id)));
        };
        let step = Step::pass("vpc-peering-connection", peering.id.clone(), "");
        match &peering.state {
            State::Up => {}
            State::Down(_) => self.push(step.clone().stop(code::BAD_STATE).fix("accept the peering connection")),
            State::Unknown(reason) => return self.lost(step.unknown(reason.clone())),
        }
        let [a, b] = &peering.sides;
        let far = if a.at == Some(vpc) { b } else { a };
        let inside = |vpc: usize, addr: Addr| net.vpc(vpc).cidrs.iter().any(|c| c.contains(addr));
        let Some(to) = far.at else {
            return self.lost(step.unknown(format!("VPC {} on the other side isn't in the snapshot", far.id)));
        };
        let transitive = net.faulty(Fault::PeeringTransitive);
        if (!inside(vpc, self.packet.src) && !transitive) || !inside(to, self.packet.dst) {
            if let (true, Some(onward)) = (transitive, net.subnets.iter().position(|s| s.vpc.at == Some(to))) {
                self.push(step);
                return self.route(to, onward);
            }
            let fix = "an address of the two VPCs themselves: peering carries nothing further";
            return self.lost(step.stop(code::PCX_REQUIRES_ADDRESS_IN_VPC_CIDR).fix(fix));
        }
        self.push(step);
        self.grouped = self.grouped.and(peering.same_region.into());
        self.deliver(to, None)
    }

    fn out_by_vpn_gateway(&mut self, vpc: usize, link: &Link, propagated: bool) -> End {
        let net = self.net;
        let step = Step::pass("vpn-gateway", link.id.clone(), "");
        let Some(gateway) = link.at.and_then(|at| net.vpn_gateways.get(at)) else {
            return self.lost(step.unknown(format!("virtual private gateway {} isn't in the snapshot", link.id)));
        };
        let state = gateway.vpcs.iter().find(|(id, _)| *id == net.vpc(vpc).id).map(|(_, state)| state);
        match state {
            Some(State::Up) => {}
            Some(State::Unknown(reason)) => return self.lost(step.unknown(reason.clone())),
            Some(State::Down(_)) | None => {
                self.push(step.clone().stop(code::BAD_STATE_ATTACHMENT).fix(format!("attach it to {}", net.vpc(vpc).id)));
            }
        }
        self.grouped = Truth::False;
        let all = || net.vpns.iter().filter(|v| v.gateway == gateway.id);
        if all().next().is_some() && all().all(|v| matches!(v.state, State::Down(_))) {
            return self.lost(step.stop(code::BAD_STATE_VPN).fix("a working VPN connection"));
        }
        let mut behind = all().filter(|v| !matches!(v.state, State::Down(_))).peekable();
        let none = behind.peek().is_none();
        let dynamic = behind.clone().any(|v| v.dynamic);
        let known = propagated
            || net.faulty(Fault::VpnPrefixIgnored)
            || behind.any(|v| v.prefixes.iter().any(|c| c.contains(self.packet.dst)));
        if known || self.reply {
            self.push(step);
        } else if none || dynamic {
            let reason = format!("whether {} lies behind {} isn't known: its prefixes are learned", self.packet.dst, gateway.id);
            self.push(step.unknown(reason));
        } else {
            let fix = format!("a static route for {} on the VPN connection", self.packet.dst);
            return self.lost(step.stop(code::NO_ROUTE_TO_DESTINATION).fix(fix));
        }
        End::Exit(Exit::VpnGateway { vpc })
    }

    fn meet_endpoint(&mut self, vpc: usize, subnet: usize, link: &Link) -> End {
        let net = self.net;
        let Some(endpoint) = link.at.map(|at| net.endpoint(at)) else {
            let step = Step::pass("vpc-endpoint", link.id.clone(), "");
            return self.lost(step.unknown(format!("endpoint {} isn't in the snapshot", link.id)));
        };
        if !endpoint.kind.eq_ignore_ascii_case("Gateway") {
            return self.through_endpoint(link, Some(subnet));
        }
        let step = Step::pass("vpc-endpoint", endpoint.id.clone(), endpoint.service.clone());
        match &endpoint.state {
            State::Up => {}
            State::Down(_) => self.push(step.clone().stop(code::BAD_STATE).fix("a working endpoint")),
            State::Unknown(reason) => return self.lost(step.unknown(reason.clone())),
        }
        let takes =
            Ports::tcp(0, 65535).or(&Ports::of(protocol::ICMP, Some(8), None)).or(&Ports::of(protocol::ICMP6, Some(128), None));
        let takes = if net.faulty(Fault::EndpointProtocolIgnored) { Ports::full() } else { takes };
        self.push(step.filter(Filter::only(takes), code::VPCE_GATEWAY_PROTOCOL_RESTRICTION).fix("TCP"));
        self.grouped = Truth::False;
        End::Exit(Exit::Service { vpc })
    }

    /// Through a gateway load balancer endpoint or Network Firewall endpoint: something inspects the packet and, if it
    /// likes it, hands it back to the endpoint's own subnet.
    fn through_endpoint(&mut self, link: &Link, from: Option<usize>) -> End {
        let net = self.net;
        let Some((at, endpoint)) = link.at.map(|at| (at, net.endpoint(at))) else {
            let step = Step::pass("vpc-endpoint", link.id.clone(), "");
            return self.lost(step.unknown(format!("endpoint {} isn't in the snapshot", link.id)));
        };
        let step = Step::pass("vpc-endpoint", endpoint.id.clone(), "inspected");
        let Some(home) = endpoint.subnets.iter().find_map(|s| s.at) else {
            return self.lost(step.unknown(format!("the subnet of endpoint {} isn't in the snapshot", endpoint.id)));
        };
        self.hops += 1;
        if from != Some(home) {
            self.acl(home, Way::In);
        }
        match &endpoint.state {
            State::Up => {}
            State::Down(_) => self.push(step.clone().stop(code::BAD_STATE).fix("a working endpoint")),
            State::Unknown(reason) => return self.lost(step.unknown(reason.clone())),
        }
        match net.firewall_of(at) {
            Some(firewall) => {
                self.push(step);
                let id = firewall.name.clone();
                self.firewall(at, id);
            }
            None => {
                let by = endpoint.firewall.clone().unwrap_or_else(|| endpoint.service.clone());
                self.push(step.unknown(format!("inspected by {} ({by}), whose rules decide", endpoint.id)));
            }
        }
        if self.hops > HOPS_MAX {
            return self
                .lost(Step::pass("vpc-endpoint", endpoint.id.clone(), "routing loop").stop(code::NO_ROUTE_TO_DESTINATION));
        }
        self.route_from(home)
    }

    /// What the firewall behind an endpoint makes of the packet.
    fn firewall(&mut self, endpoint: usize, name: model::Text) {
        let net = self.net;
        if net.faulty(Fault::FirewallIgnored) {
            return;
        }
        let packet = self.packet;
        let filter = if self.reply {
            net.firewall_reply(endpoint, packet, &mut self.inspected)
        } else {
            let (filter, inspected) = net.firewall_call(endpoint, packet);
            self.inspected.extend(inspected);
            filter
        };
        let fix = format!("a rule of {name} that passes {PORTS} from {} to {}", packet.src, packet.dst);
        let step = Step::pass("network-firewall", name, "").filter(filter, code::FIREWALL_RULES_RESTRICTION);
        self.push(step.check(Check::Firewall { endpoint, packet }).fix(fix));
    }

    /// To be called when the answer is back: a stateful engine that saw only the call would not let the connection go on.
    pub(crate) fn close_inspection(&mut self) {
        for inspected in std::mem::take(&mut self.inspected) {
            let Some((endpoint, filter)) = inspected.unanswered(self.net) else { continue };
            let id = self.net.endpoint(endpoint).id.clone();
            let check = Check::Firewall { endpoint, packet: self.packet };
            self.push(Step::pass("vpc-endpoint", id, "").filter(filter, "").check(check));
        }
    }

    fn appliance(&mut self, link: &Link, from: Option<usize>) -> End {
        let net = self.net;
        let Some(at) = link.at else {
            let step = Step::pass("network-interface", link.id.clone(), "");
            return self.lost(step.unknown(format!("network interface {} isn't in the snapshot", link.id)));
        };
        let interface = net.interface(at);
        if let Some(home) = interface.subnet.at.filter(|home| from != Some(*home)) {
            self.acl(home, Way::In);
        }
        let step = Step::pass("network-interface", interface.id.clone(), "");
        if interface.source_dest_check == Some(true) {
            return self.lost(step.stop(code::ENI_SOURCE_DEST_CHECK_RESTRICTION).fix("switch its source/destination check off"));
        }
        let reason = format!("{} forwards this traffic as it sees fit", interface.id);
        self.lost(step.unknown(reason))
    }
}

fn missing_vpc(id: &str, of: &str) -> String {
    if id.is_empty() { format!("the VPC of {of} isn't known") } else { format!("VPC {id} isn't in the snapshot") }
}

/// The words for a route's destination.
pub(crate) fn destination(route: &Route) -> String {
    match &route.to {
        crate::network::Destination::Block(block) => block.to_string(),
        crate::network::Destination::List(list) => list.id.to_string(),
    }
}
