//! All pairs of interfaces at once.
//!
//! Interfaces are sorted by address, so a block is a range of positions and a set of sources a dense bit set. What routes and
//! network ACLs let through depends only on the two zones (subnet, and the smallest block that a rule or route names): it is found
//! once for each pair of zones, by one walk between two members. What is left for a destination are its own groups' rules, one
//! intersection of bit sets for each range of ports that they tell apart, and the senders' outbound rules, turned round.

use rustc_hash::FxHashMap;

use crate::addr::{Addr, Cidr, Family};
use crate::carry::{Packet, Walk};
use crate::lpm::Lpm;
use crate::network::{GroupRule, Network, OwnerKind, Peer};
use crate::ports::Spans;
use crate::trace::End;

/// A set of positions within a window of 64-bit words; outside of the window it holds nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bits {
    first: usize,
    words: Vec<u64>,
}

/// A window: the first word and the one behind the last.
type Window = (usize, usize);

impl Bits {
    fn none((first, end): Window) -> Bits {
        Bits { first, words: vec![0; end.saturating_sub(first)] }
    }

    /// The part of another set that lies in the window.
    fn part(other: &Bits, window: Window) -> Bits {
        let mut bits = Bits::none(window);
        bits.or(other);
        bits
    }

    fn window(&self) -> Window {
        (self.first, self.first + self.words.len())
    }

    fn set(&mut self, at: usize) {
        if let Some(word) = (at / 64).checked_sub(self.first).and_then(|n| self.words.get_mut(n)) {
            *word |= 1 << (at % 64);
        }
    }

    fn has(&self, at: usize) -> bool {
        (at / 64).checked_sub(self.first).and_then(|n| self.words.get(n)).is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    /// Sets `from..to`, as far as it lies in the window.
    fn range(&mut self, from: usize, to: usize) {
        let (first, end) = self.window();
        let (from, to) = (from.max(first * 64), to.min(end * 64));
        if from >= to {
            return;
        }
        let (low, high) = (from / 64 - first, (to - 1) / 64 - first);
        let (head, tail) = (u64::MAX << (from % 64), u64::MAX >> (63 - (to - 1) % 64));
        for (n, word) in self.words.iter_mut().enumerate().take(high + 1).skip(low) {
            let left = if n == low { head } else { u64::MAX };
            let right = if n == high { tail } else { u64::MAX };
            *word |= left & right;
        }
    }

    fn or(&mut self, other: &Bits) {
        let (skip_mine, skip_theirs) = (other.first.saturating_sub(self.first), self.first.saturating_sub(other.first));
        self.words.iter_mut().skip(skip_mine).zip(other.words.iter().skip(skip_theirs)).for_each(|(a, b)| *a |= b);
    }

    /// Keeps what both have; the other one has this one's window.
    fn and(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= b);
    }

    fn count(&self) -> u64 {
        self.words.iter().map(|w| u64::from(w.count_ones())).sum()
    }

    fn is_empty(&self) -> bool {
        self.words.iter().all(|w| *w == 0)
    }

    /// The smallest window that holds all of the set.
    fn extent(&self) -> Window {
        let low = self.words.iter().position(|w| *w != 0).unwrap_or(0);
        let high = self.words.iter().rposition(|w| *w != 0).map_or(low, |n| n + 1);
        (self.first + low, self.first + high)
    }
}

/// The sources of one range of ports, as interfaces of the network.
pub struct Sources<'a> {
    pairs: &'a Pairs<'a>,
    bits: &'a Bits,
}

impl Sources<'_> {
    /// True if the interface is one of them.
    pub fn contains(&self, interface: usize) -> bool {
        self.pairs.position.get(interface).copied().flatten().is_some_and(|at| self.bits.has(at))
    }

    /// How many they are.
    pub fn count(&self) -> u64 {
        self.bits.count()
    }
}

/// What some outbound rules let out, and who has one of them: rules that say the same are one.
struct Outbound<'p> {
    tcp: &'p Spans,
    senders: Senders,
}

/// Positions, as a sorted list where they are few and as bits where a list would be longer.
enum Senders {
    Few(Vec<u32>),
    Many(Bits),
}

/// Outbound rules of senders that are not free, and where to find those for a block and for a group.
struct Sending<'p> {
    rules: Vec<Outbound<'p>>,
    blocks: Lpm,
    groups: FxHashMap<&'p str, Vec<u32>>,
}

impl<'p> Sending<'p> {
    fn add(&mut self, net: &Network, peer: &'p Peer, n: u32) {
        match peer {
            Peer::Block(block) => self.blocks.add(*block, n),
            Peer::List(link) => {
                let list = link.at.map(|l| net.prefix_list(l)).filter(|l| l.known);
                list.into_iter().flat_map(|l| &l.cidrs).for_each(|b| self.blocks.add(*b, n));
            }
            Peer::Group(link) => self.groups.entry(link.id.as_ref()).or_default().push(n),
            Peer::Unknown(_) => {}
        }
    }
}

/// A range of TCP ports, both ends included, and who reaches the destination by it.
pub type Range<'a> = (u16, u16, Sources<'a>);

/// What is found once for all destinations. See the module.
pub struct Pairs<'a> {
    net: &'a Network,
    /// Interface by position, and back.
    order: Vec<(Addr, usize)>,
    position: Vec<Option<usize>>,
    /// Zone of each position, and one member of each zone.
    zone: Vec<u32>,
    members: Vec<usize>,
    /// Positions by zone.
    of_zone: Vec<Bits>,
    /// Positions of the members of each group.
    in_group: Vec<Vec<u32>>,
    /// Senders whose outbound rules let every TCP port out to every address.
    free: Bits,
}

/// What gets from all zones into one: sources by what they may send; and those whose groups still count.
struct Gate {
    classes: Vec<(Spans, Bits)>,
    grouped: Bits,
    /// Where there is anything at all.
    window: Window,
}

impl<'a> Pairs<'a> {
    /// Prepares all pairs of one family; each interface counts with its first address of the family. What isn't known counts as
    /// closed.
    pub fn new(net: &'a Network, family: Family) -> Pairs<'a> {
        let mut order: Vec<(Addr, usize)> = Vec::new();
        for (at, interface) in net.interfaces.iter().enumerate() {
            let placed = interface.subnet.at.is_some();
            order.extend(interface.addresses.iter().map(|a| a.private).find(|a| a.family == family && placed).map(|a| (a, at)));
        }
        order.sort_unstable();
        let mut position = vec![None; net.interfaces.len()];
        let mut in_group = vec![Vec::new(); net.groups.len()];
        let mut free = Bits::none((0, order.len().div_ceil(64)));
        for (at, (_, interface)) in order.iter().enumerate() {
            if let Some(slot) = position.get_mut(*interface) {
                *slot = Some(at);
            }
            let interface = net.interface(*interface);
            if interface.ungrouped {
                free.set(at);
            }
            for group in interface.groups.iter().filter_map(|g| g.at) {
                if let Some(list) = in_group.get_mut(group) {
                    list.push(at as u32);
                }
                if net.group(group).outbound.iter().any(|r| anything(r, family)) {
                    free.set(at);
                }
            }
        }
        let mut pairs =
            Pairs { net, order, position, zone: Vec::new(), members: Vec::new(), of_zone: Vec::new(), in_group, free };
        pairs.find_zones(family);
        pairs
    }

    fn whole(&self) -> Window {
        (0, self.order.len().div_ceil(64))
    }

    fn find_zones(&mut self, family: Family) {
        let mut edges = Lpm::default();
        let lines = self.net.acls.iter().flat_map(|a| a.inbound.iter().chain(&a.outbound)).filter_map(|e| e.cidr);
        let routes = self.net.tables.iter().flat_map(|t| t.lpm.blocks());
        let transit = self.net.transit_tables.iter().flat_map(|t| t.lpm.blocks());
        let firewalls = self.net.firewall_blocks();
        let mut blocks: Vec<Cidr> = lines.chain(routes).chain(transit).chain(firewalls).filter(|b| b.family == family).collect();
        blocks.sort_unstable();
        blocks.dedup();
        blocks.into_iter().for_each(|b| edges.add(b, 0));
        let mut zones: FxHashMap<(Option<usize>, Option<Cidr>), u32> = FxHashMap::default();
        for at in 0..self.order.len() {
            let Some((addr, interface)) = self.order.get(at).copied() else { continue };
            let key = (self.net.interface(interface).subnet.at, edges.find(addr).map(|(block, _)| block));
            let next = zones.len() as u32;
            let zone = *zones.entry(key).or_insert(next);
            if zone == next {
                self.members.push(at);
                self.of_zone.push(Bits::none(self.whole()));
            }
            self.zone.push(zone);
            if let Some(bits) = self.of_zone.get_mut(zone as usize) {
                bits.set(at);
            }
        }
    }

    /// What routes and ACLs carry from every zone into one.
    fn gate(&self, to: usize) -> Gate {
        let mut gate = Gate { classes: Vec::new(), grouped: Bits::none(self.whole()), window: (0, 0) };
        let Some((dst, target)) = self.members.get(to).and_then(|at| self.order.get(*at)).copied() else { return gate };
        for (from, member) in self.members.iter().enumerate() {
            let (Some((src, source)), Some(bits)) = (self.order.get(*member).copied(), self.of_zone.get(from)) else { continue };
            let (ports, grouped) = self.carried(src, source, dst, target);
            if ports.is_empty() {
                continue;
            }
            if grouped {
                gate.grouped.or(bits);
            }
            match gate.classes.iter_mut().find(|(p, _)| *p == ports) {
                Some((_, all)) => all.or(bits),
                None => gate.classes.push((ports, bits.clone())),
            }
        }
        let mut all = Bits::none(self.whole());
        gate.classes.iter().for_each(|(_, bits)| all.or(bits));
        gate.window = all.extent();
        gate.grouped = Bits::part(&gate.grouped, gate.window);
        gate.classes.iter_mut().for_each(|(_, bits)| *bits = Bits::part(bits, gate.window));
        gate
    }

    fn carried(&self, src: Addr, source: usize, dst: Addr, target: usize) -> (Spans, bool) {
        let closed = (Spans::default(), false);
        let subnet = |at: usize| self.net.interface(at).subnet.at;
        let (Some(from), Some(to)) = (subnet(source), subnet(target)) else { return closed };
        let mut walk = Walk::new(self.net, Packet { src, dst, src_within: None, dst_within: None });
        if walk.route_from(from) != End::Interface(target) {
            return closed;
        }
        let grouped = walk.grouped == model::Truth::True;
        walk.turn(walk.packet.back());
        walk.zone = "".into();
        if walk.route_from(to) != End::Interface(source) {
            return closed;
        }
        walk.close_inspection();
        (walk.trace.sure().tcp, grouped)
    }

    /// Calls `visit` for every destination with its ranges of TCP ports and who reaches each. Ranges that nobody reaches are left
    /// out.
    pub fn each_tcp(&self, visit: &mut dyn FnMut(usize, &[Range<'_>])) {
        let outbound = self.outbound();
        let mut gates: Vec<Option<Gate>> = (0..self.members.len()).map(|_| None).collect();
        for (at, (addr, interface)) in self.order.iter().enumerate() {
            let zone = self.zone.get(at).map_or(0, |z| *z as usize);
            if self.net.interface(*interface).owner.kind == OwnerKind::Nat {
                visit(*interface, &[]);
                continue;
            }
            let Some(slot) = gates.get_mut(zone) else { continue };
            let gate = slot.get_or_insert_with(|| self.gate(zone));
            let found = self.destination(*addr, *interface, gate, &outbound);
            let spans: Vec<_> = found.iter().map(|(low, high, bits)| (*low, *high, Sources { pairs: self, bits })).collect();
            visit(*interface, &spans);
        }
    }

    /// The number of ordered pairs that some TCP port joins.
    pub fn count_tcp(&self) -> u64 {
        let mut count = 0;
        self.each_tcp(&mut |_, spans| {
            let mut any = Bits::none(self.whole());
            spans.iter().for_each(|(_, _, sources)| any.or(sources.bits));
            count += any.count();
        });
        count
    }

    fn outbound(&self) -> Sending<'_> {
        let mut all = Sending { rules: Vec::new(), blocks: Lpm::default(), groups: FxHashMap::default() };
        let mut alike: FxHashMap<(&Spans, &Peer), usize> = FxHashMap::default();
        let mut lists: Vec<Vec<u32>> = Vec::new();
        for (group, senders) in self.net.groups.iter().zip(&self.in_group) {
            if senders.iter().all(|at| self.free.has(*at as usize)) {
                continue;
            }
            for rule in group.outbound.iter().filter(|r| r.ports_unknown.is_none() && !r.ports.tcp.is_empty()) {
                let n = *alike.entry((&rule.ports.tcp, &rule.peer)).or_insert_with(|| {
                    lists.push(Vec::new());
                    lists.len() - 1
                });
                if let Some(list) = lists.get_mut(n) {
                    list.extend(senders);
                }
            }
        }
        let mut alike: Vec<_> = alike.into_iter().collect();
        alike.sort_unstable_by_key(|(_, n)| *n);
        for (((tcp, peer), n), list) in alike.into_iter().zip(lists) {
            all.add(self.net, peer, n as u32);
            all.rules.push(Outbound { tcp, senders: self.senders(list) });
        }
        all
    }

    fn senders(&self, mut list: Vec<u32>) -> Senders {
        list.sort_unstable();
        list.dedup();
        if list.len() < self.whole().1 {
            return Senders::Few(list);
        }
        let mut bits = Bits::none(self.whole());
        list.into_iter().for_each(|at| bits.set(at as usize));
        Senders::Many(bits)
    }

    fn destination(&self, addr: Addr, interface: usize, gate: &Gate, outbound: &Sending<'_>) -> Vec<(u16, u16, Bits)> {
        let to = self.net.interface(interface);
        let groups: Vec<usize> = to.groups.iter().filter_map(|g| g.at).collect();
        let rules: Vec<&GroupRule> =
            groups.iter().flat_map(|g| &self.net.group(*g).inbound).filter(|r| r.ports_unknown.is_none()).collect();
        let mut sending: Vec<(&Outbound<'_>, bool)> = Vec::new();
        let pick = |n: &u32| outbound.rules.get(*n as usize);
        sending.extend(outbound.blocks.each(addr).flat_map(|(_, list)| list).filter_map(pick).map(|o| (o, false)));
        let named = to.groups.iter().filter_map(|g| outbound.groups.get(g.id.as_ref())).flatten();
        sending.extend(named.filter_map(pick).map(|o| (o, true)));
        let mut edges: Vec<u32> = vec![0, 65536];
        let spans =
            rules.iter().map(|r| &r.ports.tcp).chain(sending.iter().map(|(o, _)| o.tcp)).chain(gate.classes.iter().map(|c| &c.0));
        edges.extend(spans.flat_map(|s| s.iter().flat_map(|(low, high)| [u32::from(low), u32::from(high) + 1])));
        edges.sort_unstable();
        edges.dedup();
        let mut found: Vec<(u16, u16, Bits)> = Vec::new();
        for pair in edges.windows(2) {
            let [low, next] = pair else { continue };
            let (low, high) = (*low as u16, (*next - 1) as u16);
            let bits = self.sources(low, to.ungrouped, &rules, &sending, gate);
            match found.last_mut() {
                Some(last) if last.2 == bits && u32::from(last.1) + 1 == u32::from(low) => last.1 = high,
                _ if bits.is_empty() => {}
                _ => found.push((low, high, bits)),
            }
        }
        found
    }

    fn sources(&self, port: u16, open: bool, rules: &[&GroupRule], sending: &[(&Outbound<'_>, bool)], gate: &Gate) -> Bits {
        let mut plain = Bits::none(gate.window);
        let mut members = Bits::none(gate.window);
        if open {
            plain.range(0, self.order.len());
        }
        for rule in rules.iter().filter(|r| r.ports.tcp.contains(port)) {
            match &rule.peer {
                Peer::Block(block) => self.add_block(&mut plain, *block),
                Peer::List(link) => {
                    let list = link.at.map(|l| self.net.prefix_list(l)).filter(|l| l.known);
                    list.into_iter().flat_map(|l| &l.cidrs).for_each(|b| self.add_block(&mut plain, *b));
                }
                Peer::Group(link) => self.add_group(&mut members, link.at),
                Peer::Unknown(_) => {}
            }
        }
        members.and(&gate.grouped);
        plain.or(&members);
        if plain.is_empty() {
            return plain;
        }
        let mut carried = Bits::none(gate.window);
        gate.classes.iter().filter(|(spans, _)| spans.contains(port)).for_each(|(_, bits)| carried.or(bits));
        plain.and(&carried);
        let mut senders = Bits::part(&self.free, gate.window);
        for (out, by_group) in sending.iter().filter(|(o, _)| o.tcp.contains(port)) {
            let mut some = Bits::none(gate.window);
            match &out.senders {
                Senders::Few(list) => inside(list, gate.window).iter().for_each(|at| some.set(*at as usize)),
                Senders::Many(bits) => some.or(bits),
            }
            if *by_group {
                some.and(&gate.grouped);
            }
            senders.or(&some);
        }
        plain.and(&senders);
        plain
    }

    fn add_block(&self, bits: &mut Bits, block: Cidr) {
        let low = Addr { family: block.family, bits: block.low };
        let high = Addr { family: block.family, bits: block.high() };
        let from = self.order.partition_point(|(addr, _)| *addr < low);
        let to = self.order.partition_point(|(addr, _)| *addr <= high);
        bits.range(from, to);
    }

    fn add_group(&self, bits: &mut Bits, group: Option<usize>) {
        let list = group.and_then(|g| self.in_group.get(g));
        let window = bits.window();
        list.into_iter().flat_map(|l| inside(l, window)).for_each(|at| bits.set(*at as usize));
    }
}

/// The part of a sorted list of positions that lies in a window.
fn inside(list: &[u32], (first, end): Window) -> &[u32] {
    let low = list.partition_point(|at| (*at as usize) < first * 64);
    let high = list.partition_point(|at| (*at as usize) < end * 64);
    list.get(low..high).unwrap_or_default()
}

/// A rule that lets every TCP port through to every address of a family.
fn anything(rule: &GroupRule, family: Family) -> bool {
    rule.ports_unknown.is_none() && rule.ports.tcp.is_full() && rule.peer == Peer::Block(Cidr::all(family))
}
