//! A slow, obvious second implementation: one concrete packet at a time, by linear search over the plain lists, with no sets and
//! none of the engine's look-up tables. Tests compare the two.

use crate::addr::{Addr, Family, is_internet};
use crate::network::{BlockMode, Destination, Interface, Joined, Network, OwnerKind, Peer, State, Table, Target};
use crate::ports::CLIENT_PORTS;

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
}

/// Who calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caller {
    Interface(usize, Addr),
    Internet(Addr),
}

struct Sim<'a> {
    net: &'a Network,
    reply: bool,
    /// The packet left its VPC by a way on which membership of groups is lost.
    ungrouped: bool,
    zone: String,
    hops: usize,
}

/// Whether the call gets there and its answer back, for at least one port that the client may use.
pub(crate) fn talks(net: &Network, caller: Caller, dst: Addr, protocol: u8, port: u16) -> bool {
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
    clients.into_iter().any(|client| conversation(net, caller, dst, protocol, port, client))
}

fn conversation(net: &Network, caller: Caller, dst: Addr, protocol: u8, port: u16, client: u16) -> bool {
    let src = match caller {
        Caller::Interface(_, addr) | Caller::Internet(addr) => addr,
    };
    let mut sim = Sim { net, reply: false, ungrouped: false, zone: String::new(), hops: 0 };
    let mut packet = Packet { src, dst, protocol, from: client, to: port };
    let first = match caller {
        Caller::Interface(at, _) => sim.leave(at, &mut packet),
        Caller::Internet(_) => match by_public(net, dst) {
            Some(at) => sim.arrive(at, &mut packet),
            None => return false,
        },
    };
    let Some(mut spot) = first else { return false };
    let origin = if let Caller::Interface(at, _) = caller { Some(at) } else { None };
    let mut legs = vec![(origin, packet, spot.clone())];
    while let Spot::Nat(at) = spot {
        if legs.len() > 8 {
            return false;
        }
        let eni = net.interfaces.iter().position(|i| i.id == net.nats[at].interface.id).unwrap();
        packet.src = net.interfaces[eni].addresses[0].private;
        let Some(next) = sim.leave(eni, &mut packet) else { return false };
        spot = next;
        legs.push((Some(eni), packet, spot.clone()));
    }
    let grouped = !sim.ungrouped;
    if let Caller::Interface(at, _) = caller {
        let callee = if let Spot::At(b) = spot { Some(b) } else { None };
        if !group_allows(net, at, false, dst, callee.filter(|_| grouped), (protocol, port)) {
            return false;
        }
    }
    if let Spot::At(callee) = spot {
        let member = origin.filter(|_| grouped);
        if !group_allows(net, callee, true, packet.src, member, (protocol, port)) {
            return false;
        }
    }
    legs.into_iter().all(|(start, packet, end)| answered(net, start, packet, end))
}

/// The reply of one stretch. ICMP other than an echo request asks for none.
fn answered(net: &Network, start: Option<usize>, sent: Packet, end: Spot) -> bool {
    let (from, to) = match (sent.protocol, sent.to >> 8) {
        (1, 8) => (0, 0),
        (58, 128) => (0, 129 << 8),
        (1 | 58, _) => return true,
        _ => (sent.to, sent.from),
    };
    let mut packet = Packet { src: sent.dst, dst: sent.src, protocol: sent.protocol, from, to };
    let mut sim = Sim { net, reply: true, ungrouped: false, zone: String::new(), hops: 0 };
    let back = match end {
        Spot::At(at) => sim.leave(at, &mut packet),
        Spot::Nat(at) => {
            let subnet = net.subnets.iter().position(|s| s.id == net.nats[at].subnet.id).unwrap();
            sim.route(subnet, &mut packet)
        }
        Spot::Internet(_) => start.and_then(|at| sim.arrive(at, &mut packet)),
        Spot::EgressOnly(vpc) => sim.deliver(vpc, None, &packet),
    };
    match (start, back) {
        (Some(a), Some(Spot::At(b))) => a == b,
        (None, Some(Spot::Internet(_))) => true,
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

impl Sim<'_> {
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
            _ => None,
        }
    }

    /// The most specific route; for one block static before propagated. The flag tells that it works.
    fn lookup(&self, table: &Table, vpc: usize, dst: Addr) -> Option<(Target, bool)> {
        let mut best: Option<(u8, bool, Target, bool)> = None;
        for route in &table.routes {
            let Destination::Block(block) = route.to else { continue };
            let better = |b: &(u8, bool, Target, bool)| block.len > b.0 || (block.len == b.0 && b.1 && !route.propagated);
            if block.contains(dst) && best.as_ref().is_none_or(better) {
                best = Some((block.len, route.propagated, route.target.clone(), matches!(route.state, State::Up)));
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
        self.deliver(vpc, None, packet)
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
        let table = net.transit_tables.iter().find(|t| t.id == mine.table.id)?;
        let mut best: Option<(u8, bool, Option<String>)> = None;
        let listed = table.routes.iter().filter(|r| !r.propagated).map(|r| {
            let up = matches!(r.state, State::Up);
            (r.to, false, r.attachments.first().filter(|_| up).map(ToString::to_string))
        });
        let learned = table.propagations.iter().flat_map(|a| {
            let attachment = net.attachments.iter().find(|x| x.id == *a).unwrap();
            let vpc = (0..net.vpcs.len()).find(|v| joins(&attachment.joined, *v));
            vpc.map(|v| net.vpcs[v].cidrs.clone()).unwrap_or_default().into_iter().map(|c| (c, true, Some(a.to_string())))
        });
        for (block, propagated, to) in listed.chain(learned) {
            let better = |b: &(u8, bool, Option<String>)| block.len > b.0 || (block.len == b.0 && b.1 && !propagated);
            if block.contains(packet.dst) && best.as_ref().is_none_or(better) {
                best = Some((block.len, propagated, to));
            }
        }
        let to = best?.2?;
        let next = net.attachments.iter().find(|a| a.id.as_ref() == to && a.state == State::Up)?;
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
