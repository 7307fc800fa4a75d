//! What the internet reaches: for each interface the exact sources, protocols and ports, and the rule that lets them in.
//!
//! The sources that get as far as a subnet's interfaces, and whose replies get back, depend only on the subnet: they are found
//! once for each subnet, by cutting the internet's addresses at every edge of a rule on the way and walking once for each piece.
//! What remains for an interface is one intersection for each rule of its groups.

use std::sync::Arc;

use model::Text;
use rustc_hash::FxHashMap;

use crate::addr::{Addr, AddrSet, Cidr, Family, internet};
use crate::balance::{Behind, Client};
use crate::carry::{Packet, Walk};
use crate::filter::Filter;
use crate::network::{Destination, GroupRule, Network, OwnerKind, Peer};
use crate::ports::Ports;
use crate::trace::{End, Exit, Step};

/// More pieces of the internet than this, cut by the rules on the way to one subnet, are not looked at one by one.
pub const PIECES_MAX: usize = 200_000;

/// Something that the internet reaches, or may reach.
#[derive(Clone, Debug)]
pub struct Exposed {
    /// The interface.
    pub interface: usize,
    /// The public address, where one is known; for a target behind a balancer none.
    pub public: Option<Addr>,
    /// The family of the sources.
    pub family: Family,
    /// Which addresses of the internet reach it.
    pub sources: Arc<AddrSet>,
    /// By which protocols and ports, as the interface sees them.
    pub ports: Ports,
    /// The security group whose rule lets them in; empty where no group applies.
    pub group: Text,
    /// The rule.
    pub rule: Text,
    /// The balancer in front, with the listener's ports.
    pub via: Option<(usize, Ports)>,
    /// Why this is not certain; empty if it is.
    pub unknown: Vec<Text>,
}

/// What gets from a set of sources to the interfaces of a subnet and back, groups aside.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) sources: Arc<AddrSet>,
    pub(crate) filter: Filter,
}

/// What tells interfaces apart on the way: subnet, family, having a public address, and the address itself where a gateway's own
/// table is asked.
type Class = (usize, Family, bool, Option<Addr>);

/// What is found once and used for many interfaces.
#[derive(Default)]
pub struct Exposure {
    parts: FxHashMap<Class, Arc<Vec<Part>>>,
    meets: FxHashMap<(Cidr, usize), Arc<AddrSet>>,
}

impl Exposure {
    /// Everything the internet reaches or may reach, by interface in the network's order, direct ways first.
    pub fn all(net: &Network) -> Vec<Exposed> {
        let mut exposure = Exposure::default();
        let mut rows = Vec::new();
        for at in 0..net.interfaces.len() {
            rows.extend(exposure.of(net, at));
        }
        rows
    }

    /// All ways from the internet to one interface.
    pub fn of(&mut self, net: &Network, at: usize) -> Vec<Exposed> {
        let mut rows = self.direct(net, at);
        self.behind(net, at, &mut rows, 0);
        rows
    }

    /// Ways that lead to the interface's own public addresses.
    pub fn direct(&mut self, net: &Network, at: usize) -> Vec<Exposed> {
        let interface = net.interface(at);
        let mut rows = Vec::new();
        if matches!(interface.owner.kind, OwnerKind::Nat | OwnerKind::Transit) {
            return rows;
        }
        for address in &interface.addresses {
            if address.public.is_none() && interface.public_unknown.is_none() {
                continue;
            }
            let parts = self.parts(net, at, address.private, address.public);
            self.by_groups(net, at, address.public, &parts, &mut rows);
        }
        if let Some(balancer) = net.balancer_of(at) {
            let accepts = net.accepts(net.balancer(balancer));
            rows.retain_mut(|row| {
                let sure = row.unknown.is_empty() && accepts.reasons.is_empty();
                row.ports = row.ports.and(if sure { &accepts.sure } else { &accepts.may });
                row.unknown.extend(accepts.reasons.iter().cloned());
                !row.ports.is_empty()
            });
        }
        rows
    }

    fn by_groups(&mut self, net: &Network, at: usize, public: Option<Addr>, parts: &[Part], rows: &mut Vec<Exposed>) {
        let interface = net.interface(at);
        let family = public.map_or(Family::V4, |p| p.family);
        let row = |sources: Arc<AddrSet>, ports: Ports, group: &Text, rule: &Text, unknown: Vec<Text>| Exposed {
            interface: at,
            public,
            family,
            sources,
            ports,
            group: group.clone(),
            rule: rule.clone(),
            via: None,
            unknown,
        };
        let none = Text::default();
        for part in parts {
            if part.filter.may.is_empty() {
                continue;
            }
            let unsettled = part.filter.may.minus(&part.filter.sure);
            if interface.ungrouped {
                for (ports, unknown) in [(part.filter.sure.clone(), Vec::new()), (unsettled, part.filter.reasons.clone())] {
                    if !ports.is_empty() {
                        rows.push(row(part.sources.clone(), ports, &none, &none, unknown));
                    }
                }
                continue;
            }
            let mut unsure: Vec<Text> = interface.groups_unknown.iter().cloned().collect();
            for link in &interface.groups {
                let Some(group) = link.at.map(|at| net.group(at)) else {
                    unsure.push(format!("security group {} isn't in the snapshot", link.id).into());
                    continue;
                };
                unsure.extend(group.unknown.clone());
                for rule in &group.inbound {
                    let Some((sources, reason)) = self.rule_sources(net, rule, part, family) else { continue };
                    let own: Vec<Text> = reason.into_iter().chain(rule.ports_unknown.clone()).collect();
                    let mut unknown = part.filter.reasons.clone();
                    unknown.extend(own.iter().cloned());
                    let (sure, may) = match own.is_empty() {
                        true => (rule.ports.and(&part.filter.sure), rule.ports.and(&unsettled)),
                        false => (Ports::none(), rule.ports.and(&part.filter.may)),
                    };
                    for (ports, unknown) in [(sure, Vec::new()), (may, unknown)] {
                        if !ports.is_empty() {
                            rows.push(row(sources.clone(), ports, &group.id, &rule.id, unknown));
                        }
                    }
                }
            }
            if !unsure.is_empty() {
                rows.push(row(part.sources.clone(), part.filter.may.clone(), &none, &none, unsure));
            }
        }
    }

    /// The sources of a part that a rule lets in; with a reason if that isn't certain.
    fn rule_sources(
        &mut self,
        net: &Network,
        rule: &GroupRule,
        part: &Part,
        family: Family,
    ) -> Option<(Arc<AddrSet>, Option<Text>)> {
        let blocks: &[Cidr] = match &rule.peer {
            Peer::Group(_) => return None,
            Peer::Unknown(reason) => return Some((part.sources.clone(), Some(reason.clone()))),
            Peer::Block(block) => std::slice::from_ref(block),
            Peer::List(link) => match link.at.map(|at| net.prefix_list(at)).filter(|list| list.known) {
                Some(list) => &list.cidrs,
                None => {
                    return Some((part.sources.clone(), Some(format!("prefix list {} isn't in the snapshot", link.id).into())));
                }
            },
        };
        if let [one] = blocks {
            if one.family != family {
                return None;
            }
            if one.len == 0 {
                return Some((part.sources.clone(), None));
            }
            let key = (*one, Arc::as_ptr(&part.sources) as usize);
            let met = self.meets.entry(key).or_insert_with(|| Arc::new(part.sources.and(&AddrSet::of(*one)))).clone();
            return (!met.is_empty()).then_some((met, None));
        }
        let set = AddrSet::new(blocks.iter().filter(|b| b.family == family).map(|b| (b.low, b.high())));
        let met = part.sources.and(&set);
        (!met.is_empty()).then(|| (Arc::new(met), None))
    }

    /// What gets to the interfaces of a subnet and back.
    fn parts(&mut self, net: &Network, at: usize, private: Addr, public: Option<Addr>) -> Arc<Vec<Part>> {
        let interface = net.interface(at);
        let family = public.map_or(private.family, |p| p.family);
        let edge = interface.vpc.at.is_some_and(|vpc| tells_apart(net, vpc));
        let key = (interface.subnet.at.unwrap_or(usize::MAX), family, public.is_some(), edge.then_some(private));
        if let Some(parts) = self.parts.get(&key) {
            return parts.clone();
        }
        let parts = Arc::new(find_parts(net, at, public.unwrap_or(private), family));
        self.parts.insert(key, parts.clone());
        parts
    }

    /// Ways by balancers that have the interface as a target.
    fn behind(&mut self, net: &Network, at: usize, rows: &mut Vec<Exposed>, depth: usize) {
        for behind in net.behind(at) {
            let balancer = net.balancer(behind.balancer);
            let Some(listener) = balancer.listeners.get(behind.listener) else { continue };
            for node in balancer.interfaces.iter().filter_map(|i| i.at) {
                let mut fronts = self.direct(net, node);
                if depth < 2 {
                    self.behind(net, node, &mut fronts, depth + 1);
                }
                for front in fronts {
                    let taken = front.ports.and(&listener.ports);
                    if !taken.is_empty() {
                        second(net, behind, node, at, &front, &taken, rows);
                    }
                }
            }
        }
    }
}

/// The rows for a target behind a node that the internet reaches.
fn second(net: &Network, behind: &Behind, node: usize, at: usize, front: &Exposed, taken: &Ports, rows: &mut Vec<Exposed>) {
    let mut blocked = false;
    let mut reasons = front.unknown.clone();
    for step in net.balancer_steps(behind, node, at) {
        blocked |= step.filter.as_ref().is_some_and(|f| f.may.is_empty());
    }
    if blocked {
        return;
    }
    let pieces = match net.preserves(behind) {
        true => cut(&front.sources, &target_cuts(net, node, at, front.family)),
        false => vec![(front.sources.spans().first().map_or(0, |s| s.0), 0)],
    };
    let mut sets: Vec<(bool, Vec<(u128, u128)>)> = vec![(true, Vec::new()), (false, Vec::new())];
    for (low, high) in pieces {
        let stranger = net.stranger(front.family, low, high.max(low)).unwrap_or(Addr { family: front.family, bits: low });
        let client = Client { addr: stranger, interface: None };
        let trace = net.second_flow(behind, node, at, &client);
        let (sure, may) = (trace.sure().meets(&behind.ports), trace.may().meets(&behind.ports));
        if may && !sure {
            reasons.extend(trace.steps.iter().filter_map(|s| s.filter.as_ref()).flat_map(|f| f.reasons.iter().cloned()));
        }
        if let Some((_, spans)) = sets.iter_mut().find(|(s, _)| may && *s == sure) {
            spans.push((low, high));
        }
    }
    reasons.sort();
    reasons.dedup();
    for (sure, spans) in sets {
        let sources = match net.preserves(behind) {
            _ if spans.is_empty() => continue,
            true => Arc::new(AddrSet::new(spans)),
            false => front.sources.clone(),
        };
        let unknown = if sure { front.unknown.clone() } else { reasons.clone() };
        rows.push(Exposed {
            interface: at,
            public: None,
            sources,
            ports: behind.ports.clone(),
            via: Some((behind.balancer, taken.clone())),
            unknown,
            ..front.clone()
        });
    }
}

/// Whether something on the way may treat interfaces of one subnet differently: a gateway's own table, or what inspects traffic and
/// the ACL of its subnet.
fn tells_apart(net: &Network, vpc: usize) -> bool {
    let inspects = |e: &crate::network::Endpoint| e.vpc.at == Some(vpc) && e.kind.eq_ignore_ascii_case("GatewayLoadBalancer");
    net.endpoints.iter().any(inspects) || net.tables.iter().any(|t| t.vpc.at == Some(vpc) && !t.gateways.is_empty())
}

/// Cuts the internet at every edge of a rule on the way and walks once for each piece.
fn find_parts(net: &Network, at: usize, dst: Addr, family: Family) -> Vec<Part> {
    let whole = internet(family);
    let mut blocks = Vec::new();
    if let Some(subnet) = net.interface(at).subnet.at.map(|s| net.subnet(s)) {
        if let Some(acl) = subnet.acl.at.map(|a| net.acl(a)) {
            blocks.extend(acl.inbound.iter().chain(&acl.outbound).filter_map(|e| e.cidr));
        }
        if let Some(table) = subnet.table.at.map(|t| net.table(t)) {
            blocks.extend(table.lpm.blocks());
            if table.unknown.is_some() {
                blocks.extend(table.routes.iter().filter_map(|r| if let Destination::Block(b) = r.to { Some(b) } else { None }));
            }
        }
        blocks.extend(subnet.cidrs.iter().copied());
        blocks.extend(subnet.vpc.at.map(|v| net.vpc(v).cidrs.as_slice()).unwrap_or_default());
        blocks.extend(net.inspection_blocks(subnet.vpc.at));
    }
    blocks.retain(|b| b.family == family);
    let pieces = cut(&whole, &blocks);
    if pieces.len() > PIECES_MAX {
        let reason = format!("more than {PIECES_MAX} pieces of address space (`pieces_max`) on the way");
        return vec![Part { sources: Arc::new(whole), filter: Filter::unknown(reason) }];
    }
    let mut by_filter: Vec<(Filter, Vec<(u128, u128)>)> = Vec::new();
    for (low, high) in pieces {
        let stranger = net.stranger(family, low, high).unwrap_or(Addr { family, bits: low });
        let filter = walk_in(net, at, stranger, dst);
        match by_filter.iter_mut().find(|(f, _)| *f == filter) {
            Some((_, spans)) => spans.push((low, high)),
            None => by_filter.push((filter, vec![(low, high)])),
        }
    }
    by_filter.into_iter().map(|(filter, spans)| Part { sources: Arc::new(AddrSet::new(spans)), filter }).collect()
}

impl Network {
    /// The first address of an interval that is not a public address of one of these interfaces.
    pub(crate) fn stranger(&self, family: Family, low: u128, high: u128) -> Option<Addr> {
        (low..=high).map(|bits| Addr { family, bits }).find(|addr| self.at_public(*addr).is_none())
    }
}

/// The pieces of a set between all edges of the blocks.
pub(crate) fn cut(set: &AddrSet, blocks: &[Cidr]) -> Vec<(u128, u128)> {
    let mut edges: Vec<u128> = blocks.iter().flat_map(|b| [Some(b.low), b.high().checked_add(1)]).flatten().collect();
    edges.sort_unstable();
    edges.dedup();
    let mut pieces = Vec::new();
    for &(low, high) in set.spans() {
        let mut at = low;
        let first = edges.partition_point(|e| *e <= low);
        for &edge in edges.get(first..).unwrap_or_default().iter().take_while(|e| **e <= high) {
            pieces.push((at, edge - 1));
            at = edge;
        }
        pieces.push((at, high));
    }
    pieces
}

/// Everything that the conversation of one source with the interface meets, groups aside.
fn walk_in(net: &Network, at: usize, src: Addr, dst: Addr) -> Filter {
    let packet = Packet { src, dst, src_within: None, dst_within: None };
    let mut walk = Walk::new(net, packet);
    walk.enter_from_internet(at);
    walk.turn(walk.packet.back());
    let end = match net.interface(at).subnet.at {
        Some(subnet) if !net.faulty(crate::fault::Fault::ReplyIgnored) => walk.route_from(subnet),
        _ => End::Exit(Exit::Internet { vpc: 0 }),
    };
    let home = match end {
        End::Exit(Exit::Internet { .. }) | End::Lost => true,
        End::Exit(Exit::EgressOnly { .. }) => net.faulty(crate::fault::Fault::EgressOnlyInbound),
        // The source is an address of these accounts: it belongs to the answer for that interface, not to the internet's.
        End::Interface(_) => true,
        _ => false,
    };
    if !home {
        walk.push(Step::pass("route-table", "", "").stop(crate::trace::code::CANNOT_ROUTE));
    }
    walk.close_inspection();
    let trace = walk.trace;
    let (sure, may) = (trace.sure(), trace.may());
    let mut reasons: Vec<Text> = Vec::new();
    if sure != may {
        for reason in trace.steps.iter().filter_map(|s| s.filter.as_ref()).flat_map(|f| &f.reasons) {
            if !reasons.contains(reason) {
                reasons.push(reason.clone());
            }
        }
    }
    Filter { sure, may, reasons }
}

/// Blocks at which a target that sees client addresses makes a difference.
fn target_cuts(net: &Network, node: usize, at: usize, family: Family) -> Vec<Cidr> {
    let mut blocks = Vec::new();
    for interface in [node, at] {
        let interface = net.interface(interface);
        if let Some(acl) = interface.subnet.at.and_then(|s| net.subnet(s).acl.at).map(|a| net.acl(a)) {
            blocks.extend(acl.inbound.iter().chain(&acl.outbound).filter_map(|e| e.cidr));
        }
        for group in interface.groups.iter().filter_map(|g| g.at).map(|g| net.group(g)) {
            for rule in &group.inbound {
                match &rule.peer {
                    Peer::Block(block) => blocks.push(*block),
                    Peer::List(link) => blocks.extend(link.at.map(|l| net.prefix_list(l).cidrs.as_slice()).unwrap_or_default()),
                    Peer::Group(_) | Peer::Unknown(_) => {}
                }
            }
        }
    }
    blocks.retain(|b| b.family == family);
    blocks
}
