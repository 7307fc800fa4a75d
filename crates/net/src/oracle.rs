//! A slow, obvious second implementation: one concrete packet at a time, by linear search over the plain lists, with no sets and
//! none of the engine's look-up tables. Tests compare the two.

mod balancer;
mod firewall;

pub(crate) use balancer::balanced;

use crate::addr::{Addr, Family, is_internet};
use crate::firewall::Act;
use crate::network::{BlockMode, Destination, Interface, Joined, Network, OwnerKind, Peer, State, Table, Target};
use crate::ports::CLIENT_PORTS;

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Told {
    /// It does not get there, or its answer not back.
    No,
    /// A firewall's stateful engine sees one direction only: what it makes of that is not AWS's promise.
    Odd,
    /// It gets there and its answer back.
    Yes,
}

/// A packet. For ICMP `to` is type and code; for protocols without ports both ports are 0.
#[derive(Clone, Copy, Debug)]
struct Packet {
    src: Addr,
    dst: Addr,
    protocol: u8,
    from: u16,
    to: u16,
}

/// Where a packet is.
#[derive(Clone, Debug, PartialEq)]
enum Spot {
    At(usize),
    Nat(usize),
    Internet(usize),
    EgressOnly(usize),
    /// Behind a virtual private gateway of this VPC.
    Gateway(usize),
    /// Behind this attachment of a transit gateway.
    Attachment(usize),
    /// An AWS service behind a gateway endpoint in this VPC.
    Service(usize),
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caller {
    Interface(usize, Addr),
    Internet(Addr),
    /// On-premises, behind the virtual private gateway of a VPC.
    Gateway(usize, Addr),
    /// On-premises, behind an attachment of a transit gateway.
    Attachment(usize, Addr),
}

/// A call that the stateful engine of an endpoint saw.
#[derive(Clone, Copy, Debug)]
struct Noted {
    endpoint: usize,
    src: Addr,
    dst: Addr,
}

struct Sim<'a> {
    net: &'a Network,
    reply: bool,
    /// The packet left its VPC by a way on which membership of groups is lost.
    ungrouped: bool,
    zone: String,
    hops: usize,
    /// Calls that stateful engines saw.
    noted: Vec<Noted>,
    /// Of those, the ones whose answer came by.
    answered: Vec<usize>,
    /// A stateful engine sees half of the connection.
    odd: bool,
}

impl<'a> Sim<'a> {
    fn new(net: &'a Network, reply: bool) -> Sim<'a> {
        let (noted, answered) = (Vec::new(), Vec::new());
        Sim { net, reply, ungrouped: false, zone: String::new(), hops: 0, noted, answered, odd: false }
    }
}

/// Whether the call gets there and its answer back, for at least one port that the client may use.
pub(crate) fn talks(net: &Network, caller: Caller, dst: Addr, protocol: u8, port: u16) -> Told {
    let clients = client_ports(net, protocol);
    clients.into_iter().map(|client| conversation(net, caller, dst, protocol, port, client)).max().unwrap_or(Told::No)
}

/// The ports that a client may call from at which some rule's range begins or ends, and one off.
fn client_ports(net: &Network, protocol: u8) -> Vec<u16> {
    let mut clients = vec![CLIENT_PORTS.0, CLIENT_PORTS.1];
    for entry in net.acls.iter().flat_map(|a| a.inbound.iter().chain(&a.outbound)) {
        for (low, high) in entry.ports.tcp.iter().chain(entry.ports.udp.iter()) {
            clients.extend([low.saturating_sub(1), low, high, high.saturating_add(1)]);
        }
    }
    clients.retain(|p| (CLIENT_PORTS.0..=CLIENT_PORTS.1).contains(p));
    clients.sort_unstable();
    clients.dedup();
    if !matches!(protocol, 6 | 17) {
        clients.truncate(1);
    }
    clients
}

fn conversation(net: &Network, caller: Caller, dst: Addr, protocol: u8, port: u16, client: u16) -> Told {
    let src = match caller {
        Caller::Interface(_, addr) | Caller::Internet(addr) | Caller::Gateway(_, addr) | Caller::Attachment(_, addr) => addr,
    };
    let mut sim = Sim::new(net, false);
    let mut packet = Packet { src, dst, protocol, from: client, to: port };
    let first = match caller {
        Caller::Interface(at, _) => sim.leave(at, &mut packet),
        Caller::Internet(_) => by_public(net, dst).and_then(|at| sim.arrive(at, &mut packet)),
        Caller::Gateway(vpc, _) => sim.in_by_gateway(vpc, &mut packet),
        Caller::Attachment(at, _) => sim.in_by_attachment(at, &mut packet),
    };
    let Some(mut spot) = first else { return Told::No };
    let origin = if let Caller::Interface(at, _) = caller { Some(at) } else { None };
    let begin = match caller {
        Caller::Interface(at, _) => Spot::At(at),
        Caller::Internet(_) => Spot::Internet(0),
        Caller::Gateway(..) | Caller::Attachment(..) => Spot::Gateway(0),
    };
    let mut legs = vec![(begin, packet, spot.clone())];
    while let Spot::Nat(at) = spot {
        if legs.len() > 8 {
            return Told::No;
        }
        let eni = net.interfaces.iter().position(|i| i.id == net.nats[at].interface.id).unwrap();
        packet.src = net.interfaces[eni].addresses[0].private;
        let Some(next) = sim.leave(eni, &mut packet) else { return Told::No };
        spot = next;
        legs.push((Spot::At(eni), packet, spot.clone()));
    }
    let grouped = !sim.ungrouped;
    if let Caller::Interface(at, _) = caller {
        let callee = if let Spot::At(b) = spot { Some(b) } else { None };
        if !group_allows(net, at, false, dst, callee.filter(|_| grouped), (protocol, port)) {
            return Told::No;
        }
    }
    if let Spot::At(callee) = spot {
        let member = origin.filter(|_| grouped);
        if !group_allows(net, callee, true, packet.src, member, (protocol, port)) {
            return Told::No;
        }
    }
    let mut back = Sim::new(net, true);
    back.noted = sim.noted;
    // ICMP other than an echo request asks for no answer, so that a stateful engine misses none.
    let silent = matches!((protocol, port >> 8), (1 | 58, kind) if kind != 8 && kind != 128);
    if !legs.into_iter().all(|(start, packet, end)| answered(&mut back, start, packet, end)) {
        return Told::No;
    }
    let unheard = !silent && (0..back.noted.len()).any(|call| !back.answered.contains(&call));
    if back.odd || unheard { Told::Odd } else { Told::Yes }
}

/// The reply of one stretch. ICMP other than an echo request asks for none.
fn answered(sim: &mut Sim<'_>, start: Spot, sent: Packet, end: Spot) -> bool {
    let net = sim.net;
    let (from, to) = match (sent.protocol, sent.to >> 8) {
        (1, 8) => (0, 0),
        (58, 128) => (0, 129 << 8),
        (1 | 58, _) => return true,
        _ => (sent.to, sent.from),
    };
    let mut packet = Packet { src: sent.dst, dst: sent.src, protocol: sent.protocol, from, to };
    sim.zone = String::new();
    sim.hops = 0;
    let back = match end {
        Spot::At(at) => sim.leave(at, &mut packet),
        Spot::Nat(at) => {
            let subnet = net.subnets.iter().position(|s| s.id == net.nats[at].subnet.id).unwrap();
            sim.route(subnet, &mut packet)
        }
        Spot::Internet(_) => {
            if let Spot::At(at) = start {
                sim.arrive(at, &mut packet)
            } else {
                None
            }
        }
        Spot::EgressOnly(vpc) | Spot::Service(vpc) => sim.deliver(vpc, None, &packet),
        Spot::Gateway(vpc) => sim.in_by_gateway(vpc, &mut packet),
        Spot::Attachment(at) => sim.in_by_attachment(at, &mut packet),
    };
    match (start, back) {
        (Spot::At(a), Some(Spot::At(b))) => a == b,
        (Spot::Internet(_), Some(Spot::Internet(_))) => true,
        (Spot::Gateway(_), Some(Spot::Gateway(_) | Spot::Attachment(_))) => true,
        _ => false,
    }
}

fn by_public(net: &Network, addr: Addr) -> Option<usize> {
    net.interfaces.iter().position(|i| i.addresses.iter().any(|a| a.public == Some(addr)))
}

fn by_private(net: &Network, vpc: usize, addr: Addr) -> Option<usize> {
    let inside = |i: &Interface| net.subnets.iter().any(|s| s.id == i.subnet.id && s.vpc.id == net.vpcs[vpc].id);
    net.interfaces.iter().position(|i| inside(i) && i.addresses.iter().any(|a| a.private == addr))
}

fn vpc_named(net: &Network, id: &str) -> Option<usize> {
    net.vpcs.iter().position(|v| v.id.as_ref() == id)
}

/// Any rule of any group: allow only.
fn group_allows(net: &Network, at: usize, inbound: bool, peer: Addr, member: Option<usize>, port: (u8, u16)) -> bool {
    let interface = &net.interfaces[at];
    if interface.ungrouped {
        return true;
    }
    for group in interface.groups.iter().filter_map(|link| net.groups.iter().find(|g| g.id == link.id)) {
        for rule in if inbound { &group.inbound } else { &group.outbound } {
            let named = match &rule.peer {
                Peer::Block(block) => block.contains(peer),
                Peer::Group(id) => member.is_some_and(|m| net.interfaces[m].groups.iter().any(|g| g.id == id.id)),
                Peer::List(_) | Peer::Unknown(_) => false,
            };
            if named && rule.ports.contains(port.0, port.1) {
                return true;
            }
        }
    }
    false
}

impl<'a> Sim<'a> {
    /// The lowest number that matches decides; no match denies.
    fn acl(&self, subnet: usize, inbound: bool, packet: &Packet) -> bool {
        let subnet = &self.net.subnets[subnet];
        let own = self.net.acls.iter().find(|a| a.subnets.contains(&subnet.id));
        let acl = own.or_else(|| self.net.acls.iter().find(|a| a.default && a.vpc.id == subnet.vpc.id)).unwrap();
        let mut lines: Vec<_> = if inbound { acl.inbound.iter().collect() } else { acl.outbound.iter().collect() };
        lines.sort_by_key(|line| line.number);
        let peer = if inbound { packet.src } else { packet.dst };
        for line in lines {
            if line.cidr.unwrap().contains(peer) && line.ports.contains(packet.protocol, packet.to) {
                return line.allow;
            }
        }
        false
    }

    fn leave(&mut self, at: usize, packet: &mut Packet) -> Option<Spot> {
        let subnet = self.net.subnets.iter().position(|s| s.id == self.net.interfaces[at].subnet.id)?;
        self.route(subnet, packet)
    }

    /// From the router of a subnet.
    fn route(&mut self, at: usize, packet: &mut Packet) -> Option<Spot> {
        let net = self.net;
        self.hops += 1;
        if self.hops > 100 {
            return None;
        }
        let subnet = &net.subnets[at];
        let vpc = vpc_named(net, &subnet.vpc.id)?;
        if self.zone.is_empty() {
            self.zone = subnet.zone.to_string();
        }
        if subnet.cidrs.iter().any(|c| c.contains(packet.dst)) {
            return self.deliver(vpc, Some(at), packet);
        }
        if !self.acl(at, false, packet) {
            return None;
        }
        let own = net.tables.iter().find(|t| t.subnets.contains(&subnet.id));
        let table = own.or_else(|| net.tables.iter().find(|t| t.main && t.vpc.id == subnet.vpc.id))?;
        match self.lookup(table, vpc, packet.dst)? {
            (Target::Local, _) => self.deliver(vpc, Some(at), packet),
            (Target::Internet(link), true) => self.internet(vpc, &link.id, packet),
            (Target::EgressOnly(link), true) => self.egress_only(vpc, &link.id, packet),
            (Target::Nat(link), true) => self.nat(&link.id, at, packet),
            (Target::Peering(link), true) => self.peering(vpc, &link.id, packet),
            (Target::Transit(link), true) => self.transit(vpc, at, &link.id, packet),
            (Target::VpnGateway(link), true) => self.out_by_gateway(vpc, &link.id, at, packet),
            (Target::Endpoint(link), true) => self.endpoint(vpc, Some(at), &link.id, packet),
            _ => None,
        }
    }

    /// The most specific route; for one block static before propagated. The flag tells that it works.
    fn lookup(&self, table: &Table, vpc: usize, dst: Addr) -> Option<(Target, bool)> {
        let mut best: Option<(u8, bool, Target, bool)> = None;
        for route in &table.routes {
            let blocks = match &route.to {
                Destination::Block(block) => vec![*block],
                Destination::List(list) => self.net.prefix_lists.iter().find(|l| l.id == list.id).unwrap().cidrs.clone(),
            };
            for block in blocks {
                let better = |b: &(u8, bool, Target, bool)| block.len > b.0 || (block.len == b.0 && b.1 && !route.propagated);
                if block.contains(dst) && best.as_ref().is_none_or(better) {
                    best = Some((block.len, route.propagated, route.target.clone(), matches!(route.state, State::Up)));
                }
            }
        }
        for block in self.net.vpcs[vpc].cidrs.iter().filter(|c| c.contains(dst)) {
            if best.as_ref().is_none_or(|b| block.len > b.0) {
                best = Some((block.len, false, Target::Local, true));
            }
        }
        best.map(|(_, _, target, up)| (target, up))
    }

    fn deliver(&self, vpc: usize, from: Option<usize>, packet: &Packet) -> Option<Spot> {
        let net = self.net;
        let at = by_private(net, vpc, packet.dst)?;
        let home = net.subnets.iter().position(|s| s.id == net.interfaces[at].subnet.id)?;
        if from != Some(home) && !self.acl(home, true, packet) {
            return None;
        }
        let nat = net.nats.iter().any(|n| n.interface.id == net.interfaces[at].id);
        if nat && !self.reply { None } else { Some(Spot::At(at)) }
    }

    fn attached(&self, vpc: usize, id: &str) -> bool {
        let gateway = self.net.gateways.iter().find(|g| g.id.as_ref() == id);
        gateway.is_some_and(|g| g.vpcs.iter().any(|(v, state)| *v == self.net.vpcs[vpc].id && *state == State::Up))
    }

    fn blocked(&self, vpc: usize, outward: bool, relay: bool) -> bool {
        let mode = self.net.access_blocks.first().map(|b| b.mode).unwrap_or_default();
        let excluded = self.net.exclusions.iter().any(|x| x.resource == self.net.vpcs[vpc].id && (outward || !x.egress_only));
        match mode {
            _ if excluded || self.reply => false,
            BlockMode::Off => false,
            BlockMode::Bidirectional => true,
            BlockMode::Ingress => !(outward && relay),
        }
    }

    fn internet(&mut self, vpc: usize, id: &str, packet: &mut Packet) -> Option<Spot> {
        let net = self.net;
        if !self.attached(vpc, id) || !is_internet(packet.dst) {
            return None;
        }
        let sender = by_private(net, vpc, packet.src)?;
        let relay = net.nats.iter().any(|n| n.interface.id == net.interfaces[sender].id);
        if self.blocked(vpc, true, relay) {
            return None;
        }
        packet.src = net.interfaces[sender].addresses.iter().find(|a| a.private == packet.src)?.public?;
        self.ungrouped = true;
        match by_public(net, packet.dst) {
            Some(at) => self.arrive(at, packet),
            None => Some(Spot::Internet(vpc)),
        }
    }

    fn egress_only(&mut self, vpc: usize, id: &str, packet: &mut Packet) -> Option<Spot> {
        if !self.attached(vpc, id) || packet.dst.family == Family::V4 || !is_internet(packet.dst) || self.blocked(vpc, true, true)
        {
            return None;
        }
        self.ungrouped = true;
        match by_public(self.net, packet.dst) {
            Some(at) if !self.reply => self.arrive(at, packet),
            _ => Some(Spot::EgressOnly(vpc)),
        }
    }

    /// From the internet to an interface.
    fn arrive(&mut self, at: usize, packet: &mut Packet) -> Option<Spot> {
        let net = self.net;
        let subnet = net.subnets.iter().find(|s| s.id == net.interfaces[at].subnet.id)?;
        let vpc = vpc_named(net, &subnet.vpc.id)?;
        let gateway = net.gateways.iter().any(|g| !g.egress_only && self.attached(vpc, &g.id));
        let relay = net.interfaces[at].owner.kind == OwnerKind::Nat;
        self.ungrouped = true;
        if !gateway || !is_internet(packet.src) || self.blocked(vpc, false, relay) {
            return None;
        }
        packet.dst = net.interfaces[at].addresses.iter().find(|a| a.public == Some(packet.dst))?.private;
        let gateway = net.gateways.iter().find(|g| !g.egress_only && self.attached(vpc, &g.id))?;
        self.by_edge(vpc, &gateway.id, packet)
    }

    /// By the gateway's own table, if it has one: through an endpoint first.
    fn by_edge(&mut self, vpc: usize, gateway: &str, packet: &mut Packet) -> Option<Spot> {
        let net = self.net;
        let mine = |t: &&Table| t.vpc.id == net.vpcs[vpc].id && t.gateways.iter().any(|g| g.as_ref() == gateway);
        match net.tables.iter().find(mine).and_then(|table| self.lookup(table, vpc, packet.dst)) {
            None | Some((Target::Local, _)) => self.deliver(vpc, None, packet),
            Some((Target::Endpoint(link), true)) => self.endpoint(vpc, None, &link.id, packet),
            Some(_) => None,
        }
    }

    fn vpn_gateway(&self, vpc: usize) -> Option<&'a crate::network::VpnGateway> {
        let attached =
            |g: &&crate::network::VpnGateway| g.vpcs.iter().any(|(v, state)| *v == self.net.vpcs[vpc].id && *state == State::Up);
        self.net.vpn_gateways.iter().find(attached)
    }

    /// Only for the VPC's own addresses.
    fn in_by_gateway(&mut self, vpc: usize, packet: &mut Packet) -> Option<Spot> {
        self.ungrouped = true;
        let gateway = self.vpn_gateway(vpc)?;
        let own = self.net.vpcs[vpc].cidrs.iter().any(|c| c.contains(packet.dst));
        let up = self.net.vpns.iter().any(|v| v.gateway == gateway.id && v.state == State::Up);
        if own && up { self.by_edge(vpc, &gateway.id, packet) } else { None }
    }

    /// A VPN connection that works must have the destination behind it, unless the route was learned from it.
    fn out_by_gateway(&mut self, vpc: usize, id: &str, from: usize, packet: &Packet) -> Option<Spot> {
        let net = self.net;
        let gateway = self.vpn_gateway(vpc).filter(|g| g.id.as_ref() == id)?;
        let mut up = net.vpns.iter().filter(|v| v.gateway == gateway.id && v.state == State::Up).peekable();
        up.peek()?;
        let subnet = &net.subnets[from];
        let own = net.tables.iter().find(|t| t.subnets.contains(&subnet.id));
        let table = own.or_else(|| net.tables.iter().find(|t| t.main && t.vpc.id == subnet.vpc.id))?;
        let longest = table.routes.iter().filter(|r| matches!(r.to, Destination::Block(b) if b.contains(packet.dst)));
        let length =
            |r: &&crate::network::Route| if let Destination::Block(b) = r.to { (b.len, !r.propagated) } else { (0, false) };
        let learned = longest.max_by_key(length).is_some_and(|r| r.propagated);
        let behind = up.any(|v| v.prefixes.iter().any(|c| c.contains(packet.dst)));
        self.ungrouped = true;
        (self.reply || learned || behind).then_some(Spot::Gateway(vpc))
    }

    fn in_by_attachment(&mut self, at: usize, packet: &mut Packet) -> Option<Spot> {
        self.ungrouped = true;
        let attachment = &self.net.attachments[at];
        let down = |v: &crate::network::Vpn| matches!(&attachment.joined, Joined::Vpn(l) if l.id == v.id) && v.state != State::Up;
        if self.net.vpns.iter().any(down) {
            return None;
        }
        let id = attachment.transit.id.clone();
        self.across(&id, at, packet)
    }

    /// A gateway endpoint takes TCP and echo requests; behind one of a firewall its rules decide, and the way goes on from the
    /// endpoint's own subnet.
    fn endpoint(&mut self, vpc: usize, from: Option<usize>, id: &str, packet: &mut Packet) -> Option<Spot> {
        let net = self.net;
        let at = net.endpoints.iter().position(|e| e.id.as_ref() == id)?;
        if net.endpoints[at].kind.as_ref() == "Gateway" {
            let takes = matches!((packet.protocol, packet.to >> 8), (6, _) | (1, 8) | (58, 128));
            self.ungrouped = true;
            return takes.then_some(Spot::Service(vpc));
        }
        let home = net.subnets.iter().position(|s| s.id == net.endpoints[at].subnets[0].id)?;
        self.hops += 1;
        if self.hops > 100 || (from != Some(home) && !self.acl(home, true, packet)) {
            return None;
        }
        let firewall = net.firewalls.iter().find(|f| f.endpoints.iter().any(|(_, e)| e.as_ref() == id))?;
        let act = firewall::packet(net, firewall, packet);
        let call = Noted { endpoint: at, src: packet.src, dst: packet.dst };
        match (act, self.reply) {
            (Act::Drop, _) => return None,
            (Act::Pass, false) => {}
            (Act::Inspect, false) => {
                if !firewall::connection(net, firewall, packet) {
                    return None;
                }
                self.noted.push(call);
            }
            (act, true) => {
                let mine = |n: &Noted| n.endpoint == at && n.src == packet.dst && n.dst == packet.src;
                let known = self.noted.iter().rposition(mine);
                self.odd |= known.is_some() != (act == Act::Inspect);
                self.answered.extend(known);
            }
        }
        self.route(home, packet)
    }

    fn nat(&mut self, id: &str, from: usize, packet: &Packet) -> Option<Spot> {
        let net = self.net;
        let at = net.nats.iter().position(|n| n.id.as_ref() == id)?;
        let home = net.subnets.iter().position(|s| s.id == net.nats[at].subnet.id)?;
        let works = net.nats[at].state == State::Up && packet.dst.family == Family::V4 && matches!(packet.protocol, 1 | 6 | 17);
        self.ungrouped = true;
        if !works || (home != from && !self.acl(home, true, packet)) { None } else { Some(Spot::Nat(at)) }
    }

    fn peering(&mut self, vpc: usize, id: &str, packet: &Packet) -> Option<Spot> {
        let net = self.net;
        let peering = net.peerings.iter().find(|p| p.id.as_ref() == id && p.state == State::Up)?;
        let here = &net.vpcs[vpc];
        let far = if peering.sides[0].id == here.id { &peering.sides[1] } else { &peering.sides[0] };
        let there = vpc_named(net, &far.id)?;
        let inside = |v: usize, addr: Addr| net.vpcs[v].cidrs.iter().any(|c| c.contains(addr));
        if !inside(vpc, packet.src) || !inside(there, packet.dst) {
            return None;
        }
        self.ungrouped |= !peering.same_region;
        self.deliver(there, None, packet)
    }

    fn transit(&mut self, vpc: usize, from: usize, id: &str, packet: &mut Packet) -> Option<Spot> {
        let net = self.net;
        let joins = |j: &Joined, v: usize| matches!(j, Joined::Vpc(link) if link.id == net.vpcs[v].id);
        let mine =
            net.attachments.iter().find(|a| a.transit.id.as_ref() == id && joins(&a.joined, vpc) && a.state == State::Up)?;
        let zone = |s: &crate::network::Subnet| mine.subnets.iter().any(|l| l.id == s.id) && s.zone == net.subnets[from].zone;
        let home = net.subnets.iter().position(zone)?;
        if home != from && !self.acl(home, true, packet) {
            return None;
        }
        let at = net.attachments.iter().position(|a| a.id == mine.id)?;
        self.across(id, at, packet)
    }

    /// From an attachment on, by its table.
    fn across(&mut self, id: &str, from: usize, packet: &mut Packet) -> Option<Spot> {
        let net = self.net;
        let mine = &net.attachments[from];
        let joins = |j: &Joined, v: usize| matches!(j, Joined::Vpc(link) if link.id == net.vpcs[v].id);
        let table = net.transit_tables.iter().find(|t| t.id == mine.table.id)?;
        let mut best: Option<(u8, bool, Option<String>)> = None;
        let listed = table.routes.iter().filter(|r| !r.propagated).map(|r| {
            let up = matches!(r.state, State::Up);
            (r.to, false, r.attachments.first().filter(|_| up).map(ToString::to_string))
        });
        let learned = table.propagations.iter().flat_map(|a| {
            let attachment = net.attachments.iter().find(|x| x.id == *a).unwrap();
            let vpc = (0..net.vpcs.len()).find(|v| joins(&attachment.joined, *v));
            let vpn = net.vpns.iter().find(|v| matches!(&attachment.joined, Joined::Vpn(link) if link.id == v.id));
            let blocks = vpc.map(|v| net.vpcs[v].cidrs.clone()).or(vpn.map(|v| v.prefixes.clone())).unwrap_or_default();
            blocks.into_iter().map(|c| (c, true, Some(a.to_string())))
        });
        for (block, propagated, to) in listed.chain(learned) {
            let better = |b: &(u8, bool, Option<String>)| block.len > b.0 || (block.len == b.0 && b.1 && !propagated);
            if block.contains(packet.dst) && best.as_ref().is_none_or(better) {
                best = Some((block.len, propagated, to));
            }
        }
        let to = best?.2?;
        let place = net.attachments.iter().position(|a| a.id.as_ref() == to && a.state == State::Up)?;
        let next = &net.attachments[place];
        match &next.joined {
            Joined::Vpn(link) => {
                let up = net.vpns.iter().any(|v| v.id == link.id && v.state == State::Up);
                self.ungrouped = true;
                return up.then_some(Spot::Attachment(place));
            }
            Joined::DirectConnect(_) => {
                self.ungrouped = true;
                return Some(Spot::Attachment(place));
            }
            _ => {}
        }
        let gateway = net.transits.iter().find(|t| t.id.as_ref() == id)?;
        self.ungrouped |= !(gateway.group_references && mine.group_references && next.group_references);
        let mut inside = net.subnets.iter().enumerate().filter(|(_, s)| next.subnets.iter().any(|l| l.id == s.id));
        let same = inside.clone().find(|(_, s)| s.zone.as_ref() == self.zone);
        let (entry, subnet) = same.or_else(|| inside.next())?;
        if subnet.cidrs.iter().any(|c| c.contains(packet.dst)) && !self.acl(entry, true, packet) {
            return None;
        }
        self.route(entry, packet)
    }
}
