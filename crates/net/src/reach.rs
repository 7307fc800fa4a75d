//! `reach A B PROTO/PORT`: one answer with its proof.
//!
//! An end may stand for many: the answer is reachable if one pair is, unknown if none is but one may be, else blocked; what is
//! told of a blocked question is the pair with the fewest components in the way.

use model::Text;
use rustc_hash::FxHashMap;

use crate::addr::{Addr, AddrSet, Cidr, Family, internet};
use crate::answer::{Answer, Blocker, Hop, Verdict};
use crate::balance::Client;
use crate::direct::Source;
use crate::ends::{Place, inside, public};
use crate::exposure::cut;
use crate::filter::Way;
use crate::network::{BalancerKind, Network, Peer};
use crate::ports::Ports;
use crate::trace::{Check, Exit, PORTS, Step, Trace, code};

/// More pairs of concrete addresses than this are not looked at in full for one question; those that the groups of both ends rule
/// out do not count.
pub const PAIRS_MAX: usize = 200_000;
/// More pairs than this are not looked at at all.
pub const PAIRS_RULED_OUT_MAX: usize = 20_000_000;
/// So many pairs are looked at in full whatever their groups say, to find the one with the fewest components in the way.
const PAIRS_IN_FULL: usize = 1_000;

/// One way of getting from A to B: one conversation, or two with a balancer in between. Each with the ports that it must let
/// through.
struct Candidate {
    talks: Vec<(Trace, Ports)>,
    /// The address that stood for the internet, if the caller is anybody there.
    stranger: Option<Addr>,
}

impl Candidate {
    fn verdict(&self) -> Verdict {
        if self.talks.iter().all(|(trace, ports)| trace.sure().meets(ports)) {
            Verdict::Reachable
        } else if self.talks.iter().all(|(trace, ports)| trace.may().meets(ports)) {
            Verdict::Unknown
        } else {
            Verdict::Blocked
        }
    }

    fn blockers(&self) -> usize {
        self.talks.iter().map(|(trace, ports)| stops(trace, ports).len()).sum()
    }
}

/// The steps of a conversation that let none of the ports through; if no single one does, those that let only some through.
fn stops<'t>(trace: &'t Trace, ports: &Ports) -> Vec<&'t Step> {
    if trace.may().meets(ports) {
        return Vec::new();
    }
    let closed: Vec<&Step> = trace.steps.iter().filter(|s| s.passes().is_some_and(|p| !p.meets(ports))).collect();
    if !closed.is_empty() {
        return closed;
    }
    trace.steps.iter().filter(|s| s.filter.as_ref().is_some_and(|f| !f.may.covers(ports))).collect()
}

/// Answers the question.
pub fn reach(net: &Network, from: &Place, to: &Place, ports: &Ports) -> Answer {
    let limits = Limits { pairs: PAIRS_MAX, ruled_out: PAIRS_RULED_OUT_MAX, in_full: PAIRS_IN_FULL };
    reach_within(net, (from, to), ports, limits)
}

/// How many pairs are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) pairs: usize,
    pub(crate) ruled_out: usize,
    pub(crate) in_full: usize,
}

pub(crate) fn reach_within(net: &Network, (from, to): (&Place, &Place), ports: &Ports, limits: Limits) -> Answer {
    let mut search = Search {
        net,
        announced: Vec::new(),
        ports,
        best: None,
        pairs: 0,
        limits,
        ruled_out: 0,
        named: FxHashMap::default(),
        missing: Vec::new(),
    };
    if let Place::OnPremises(only) = to {
        search.announced = announced(net, only.as_deref());
    }
    search.run(from, to);
    let mut answer = Answer::unknown(&place_text(net, from), &place_text(net, to), ports);
    answer.answer = Verdict::Blocked;
    answer.reasons.clone_from(&search.missing);
    match &search.best {
        None if answer.reasons.is_empty() => {
            answer.blockers.push(nothing_there(&answer.from, &answer.to));
        }
        None => answer.answer = Verdict::Unknown,
        Some((verdict, best)) => {
            answer.answer = *verdict;
            fill(net, &mut answer, best);
        }
    }
    if answer.answer == Verdict::Blocked && !search.missing.is_empty() {
        answer.answer = Verdict::Unknown;
    }
    if answer.answer == Verdict::Reachable {
        answer.reasons.clear();
    }
    answer
}

fn nothing_there(from: &str, to: &str) -> Blocker {
    Blocker {
        component: "snapshot".to_owned(),
        id: format!("{from} {to}"),
        rule: String::new(),
        code: code::NO_SOURCE_OR_DESTINATION.to_owned(),
        direction: "forward".to_owned(),
        opens: "an interface, and addresses of one family, at both ends".to_owned(),
    }
}

struct Search<'a> {
    net: &'a Network,
    /// Addresses that stand for what lies on-premises, where that is the callee.
    announced: Vec<(Addr, Exit)>,
    ports: &'a Ports,
    best: Option<(Verdict, Candidate)>,
    pairs: usize,
    limits: Limits,
    ruled_out: usize,
    /// Whether an interface's groups name one of the ports, by direction.
    named: FxHashMap<(usize, Way), bool>,
    missing: Vec<String>,
}

/// What one end of a pair is.
#[derive(Clone, Debug)]
enum Caller {
    One(Source),
    /// Sources on the internet within these addresses.
    Outside(Family, AddrSet),
}

impl Search<'_> {
    fn run(&mut self, from: &Place, to: &Place) {
        for place in [from, to] {
            if let Place::Missing(id) = place {
                self.missing.push(format!("no interface of {id} is in the snapshot"));
            }
        }
        for caller in self.callers(from) {
            for (dst, target) in self.callees(&caller, to) {
                if self.done() {
                    return;
                }
                self.pair(&caller, dst, target);
            }
        }
    }

    fn done(&mut self) -> bool {
        if self.pairs >= self.limits.pairs {
            self.missing = vec![format!("more than {} pairs of addresses (`pairs_max`)", self.limits.pairs)];
            return true;
        }
        if self.ruled_out >= self.limits.ruled_out {
            self.missing = vec![format!("more than {} pairs of addresses (`pairs_ruled_out_max`)", self.limits.ruled_out)];
            return true;
        }
        matches!(self.best, Some((Verdict::Reachable, _)))
    }

    fn callers(&mut self, from: &Place) -> Vec<Caller> {
        let net = self.net;
        let interface = |at: usize| {
            let all = net.interface(at).addresses.iter();
            all.map(move |a| Caller::One(Source::Interface { at, addr: a.private })).collect::<Vec<_>>()
        };
        match from {
            Place::Missing(_) => Vec::new(),
            Place::Internet => Family::ALL.iter().map(|f| Caller::Outside(*f, internet(*f))).collect(),
            Place::OnPremises(only) => {
                let entries = Place::entries(net, only.as_deref());
                if entries.is_empty() {
                    self.missing.push("no VPN or Direct Connect attachment is in the snapshot".to_owned());
                }
                entries.into_iter().flat_map(|by| on_premises(net, &by)).map(Caller::One).collect()
            }
            Place::Interfaces(all) => all.iter().flat_map(|at| interface(*at)).collect(),
            Place::Address(addr) => self.callers_in(addr.block()),
            Place::Block(block) => self.callers_in(*block),
        }
    }

    fn callers_in(&self, block: Cidr) -> Vec<Caller> {
        let net = self.net;
        let mut callers = Vec::new();
        for (at, addr) in inside(net, block, PAIRS_MAX) {
            let private = net
                .interface(at)
                .addresses
                .iter()
                .find(|a| a.private == addr || a.public == Some(addr))
                .map_or(addr, |a| a.private);
            callers.push(Caller::One(Source::Interface { at, addr: private }));
        }
        if callers.is_empty() || block.len < block.family.bits() {
            let known = known_on_premises(net, block);
            if known.is_empty() && !public(block) {
                let entries = Place::entries(net, None).into_iter();
                callers.extend(entries.map(|by| Caller::One(Source::OnPremises { by, addr: block.nth(0), learned: true })));
            } else if public(block) && !known.iter().any(|(_, at)| at.covers(block)) {
                callers.push(Caller::Outside(block.family, internet(block.family).and(&AddrSet::of(block))));
            }
            let inside = |at: Cidr| if at.covers(block) { block.nth(0) } else { at.nth(1) };
            let one = |(by, at): (Exit, Cidr)| Caller::One(Source::OnPremises { by, addr: inside(at), learned: false });
            callers.extend(known.into_iter().map(one));
        }
        callers
    }

    /// The addresses that a caller would call, with the interface that is meant.
    fn callees(&mut self, caller: &Caller, to: &Place) -> Vec<(Addr, Option<usize>)> {
        let net = self.net;
        let family = match caller {
            Caller::One(source) => source.family(),
            Caller::Outside(family, _) => *family,
        };
        let mut all: Vec<(Addr, Option<usize>)> = match to {
            Place::Missing(_) => Vec::new(),
            Place::Interfaces(list) => list.iter().flat_map(|at| called(net, caller, *at)).collect(),
            Place::Address(addr) => vec![(*addr, meant(net, caller, *addr))],
            Place::Block(block) => {
                let mut some: Vec<_> = inside(net, *block, PAIRS_MAX).into_iter().map(|(at, addr)| (addr, Some(at))).collect();
                if public(*block) || some.is_empty() {
                    some.extend(self.outside_of(caller, AddrSet::of(*block), block.family));
                }
                some
            }
            Place::Internet => Family::ALL.iter().flat_map(|f| self.outside_of(caller, internet(*f), *f)).collect(),
            Place::OnPremises(only) => {
                let entries = Place::entries(net, only.as_deref());
                let prefixes = entries.iter().flat_map(|by| on_premises(net, by)).map(|s| (s.addr(), None));
                prefixes.collect()
            }
        };
        all.retain(|(addr, _)| addr.family == family);
        all
    }

    /// Addresses that stand for all of a set, as far as the caller's own rules and routes can tell them apart.
    fn outside_of(&self, caller: &Caller, set: AddrSet, family: Family) -> Vec<(Addr, Option<usize>)> {
        let Caller::One(Source::Interface { at, .. }) = caller else {
            return set.spans().first().map(|(low, _)| (Addr { family, bits: *low }, None)).into_iter().collect();
        };
        // The widest pieces first: they speak for most of the set.
        let mut pieces = cut(&set, &self.cuts(*at, family));
        pieces.sort_by_key(|(low, high)| (std::cmp::Reverse(high - low), *low));
        let strangers = pieces.into_iter().filter_map(|(low, high)| self.net.stranger(family, low, high));
        strangers.map(|addr| (addr, None)).collect()
    }

    /// Blocks at whose edges the answer for an interface may change.
    fn cuts(&self, at: usize, family: Family) -> Vec<Cidr> {
        let net = self.net;
        let interface = net.interface(at);
        let mut blocks = Vec::new();
        for group in interface.groups.iter().filter_map(|g| g.at).map(|g| net.group(g)) {
            for rule in group.inbound.iter().chain(&group.outbound) {
                match &rule.peer {
                    Peer::Block(block) => blocks.push(*block),
                    Peer::List(link) => blocks.extend(link.at.map(|l| net.prefix_list(l).cidrs.as_slice()).unwrap_or_default()),
                    Peer::Group(_) | Peer::Unknown(_) => {}
                }
            }
        }
        if let Some(subnet) = interface.subnet.at.map(|s| net.subnet(s)) {
            blocks.extend(
                subnet
                    .acl
                    .at
                    .into_iter()
                    .flat_map(|a| net.acl(a).inbound.iter().chain(&net.acl(a).outbound))
                    .filter_map(|e| e.cidr),
            );
            blocks.extend(subnet.table.at.into_iter().flat_map(|t| net.table(t).lpm.blocks()));
        }
        blocks.extend(net.inspection_blocks(interface.vpc.at));
        blocks.retain(|b| b.family == family);
        blocks
    }

    fn pair(&mut self, caller: &Caller, dst: Addr, target: Option<usize>) {
        let sources: Vec<Source> = match caller {
            Caller::One(source) => vec![source.clone()],
            Caller::Outside(family, set) => {
                let blocks = target.map(|at| self.cuts(at, *family)).unwrap_or_default();
                let pieces = cut(set, &blocks).into_iter();
                let strangers = pieces.filter_map(|(low, high)| self.net.stranger(*family, low, high));
                strangers.map(|addr| Source::Internet { addr }).collect()
            }
        };
        for source in sources {
            if self.done() {
                return;
            }
            if self.pairs >= self.limits.in_full && target.is_some_and(|at| self.hopeless(&source, dst, at)) {
                self.ruled_out += 1;
                continue;
            }
            self.pairs += 1;
            self.direct(&source, dst, target);
            if let Some(target) = target {
                self.balanced(&source, target);
                self.note_hidden(&source, target);
            }
        }
    }

    /// True if the groups of both ends rule the pair out: by the ports they name at all, which is found once for each end, else
    /// by the rules that match.
    fn hopeless(&mut self, source: &Source, dst: Addr, target: usize) -> bool {
        let (net, ports) = (self.net, self.ports);
        let Source::Interface { at, .. } = source else { return false };
        let mut names = |end: usize, way: Way| *self.named.entry((end, way)).or_insert_with(|| net.names_ports(end, way, ports));
        let named = names(*at, Way::Out) && names(target, Way::In);
        (!named && net.behind(target).is_empty()) || net.hopeless(source, dst, target, ports)
    }

    fn direct(&mut self, source: &Source, dst: Addr, target: Option<usize>) {
        let mut trace = self.net.converse_with(source, dst, target, &self.announced);
        if let Some(balancer) = target.and_then(|at| self.net.balancer_of(at)) {
            let b = self.net.balancer(balancer);
            let code =
                if b.kind == BalancerKind::Classic { code::ELB_LISTENERS_MISMATCH } else { code::ELBV2_LISTENERS_MISMATCH };
            let step = Step::pass("load-balancer", b.id.clone(), "").filter(self.net.accepts(b), code);
            trace.steps.push(step.fix("a listener for the port"));
        }
        self.offer(Candidate { talks: vec![(trace, self.ports.clone())], stranger: stranger(source) });
    }

    /// By way of balancers that have the target behind them.
    fn balanced(&mut self, source: &Source, target: usize) {
        let net = self.net;
        for behind in net.behind(target) {
            let wanted = behind.ports.and(self.ports);
            let balancer = net.balancer(behind.balancer);
            let Some(listener) = balancer.listeners.get(behind.listener).filter(|_| !wanted.is_empty()) else { continue };
            for node in balancer.interfaces.iter().filter_map(|i| i.at).filter(|node| Some(*node) != source.interface()) {
                let caller = Caller::One(source.clone());
                for (dst, _) in called(net, &caller, node).into_iter().filter(|(dst, _)| dst.family == source.family()) {
                    let mut front = net.converse(source, dst, Some(node));
                    front.steps.extend(net.balancer_steps(behind, node, target));
                    let client = Client { addr: source.addr(), interface: source.interface() };
                    let second = net.second_flow(behind, node, target, &client);
                    let talks = vec![(front, listener.ports.clone()), (second, wanted.clone())];
                    self.offer(Candidate { talks, stranger: stranger(source) });
                }
            }
        }
    }

    /// A balancer of which not everything was read may have the target behind it.
    fn note_hidden(&mut self, source: &Source, target: usize) {
        let reason = self.net.perhaps_behind(target, self.ports, matches!(source, Source::Internet { .. }));
        if let Some(reason) = reason.filter(|reason| !self.missing.iter().any(|m| **m == **reason)) {
            self.missing.push(reason.to_string());
        }
    }

    fn offer(&mut self, candidate: Candidate) {
        let verdict = candidate.verdict();
        let rank = |v: Verdict| match v {
            Verdict::Reachable => 0,
            Verdict::Unknown => 1,
            Verdict::Blocked => 2,
        };
        let better = match &self.best {
            None => true,
            Some((best, _)) if rank(verdict) != rank(*best) => rank(verdict) < rank(*best),
            Some((Verdict::Blocked, best)) => candidate.blockers() < best.blockers(),
            Some(_) => false,
        };
        if better {
            self.best = Some((verdict, candidate));
        }
    }
}

fn stranger(source: &Source) -> Option<Addr> {
    match source {
        Source::Internet { addr } => Some(*addr),
        Source::Interface { .. } | Source::OnPremises { .. } => None,
    }
}

impl Source {
    pub(crate) fn addr(&self) -> Addr {
        match self {
            Source::Interface { addr, .. } | Source::Internet { addr } | Source::OnPremises { addr, .. } => *addr,
        }
    }

    pub(crate) fn family(&self) -> Family {
        self.addr().family
    }

    pub(crate) fn interface(&self) -> Option<usize> {
        match self {
            Source::Interface { at, .. } => Some(*at),
            Source::Internet { .. } | Source::OnPremises { .. } => None,
        }
    }
}

/// Callers on-premises that come in by one way: one for each prefix known to be there, else addresses that stand for them.
fn on_premises(net: &Network, by: &Exit) -> Vec<Source> {
    let mut blocks = prefixes(net, by);
    let learned = blocks.is_empty();
    if learned {
        blocks.extend(["172.31.255.1", "10.255.255.1", "192.168.255.1"].iter().filter_map(|a| Cidr::parse(a)));
    }
    blocks.into_iter().map(|block| Source::OnPremises { by: by.clone(), addr: block.nth(1), learned }).collect()
}

/// Addresses that stand for what is announced by the ways out on-premises whose prefixes are not known.
fn announced(net: &Network, only: Option<&str>) -> Vec<(Addr, Exit)> {
    let all = Place::entries(net, only).into_iter().flat_map(|by| on_premises(net, &by));
    all.filter_map(|s| if let Source::OnPremises { by, addr, learned: true } = s { Some((addr, by)) } else { None }).collect()
}

/// The ways in from on-premises behind which part of a block is known to lie, each with the prefix there.
fn known_on_premises(net: &Network, block: Cidr) -> Vec<(Exit, Cidr)> {
    let all = Place::entries(net, None).into_iter().map(|by| (prefixes(net, &by), by));
    all.flat_map(|(blocks, by)| blocks.into_iter().filter(move |b| b.meets(block)).map(move |b| (by.clone(), b))).collect()
}

/// The prefixes that are known to lie behind a way out on-premises.
fn prefixes(net: &Network, by: &Exit) -> Vec<Cidr> {
    let gateway = match by {
        Exit::VpnGateway { vpc } => net.vpc(*vpc).vgw.and_then(|at| net.vpn_gateways.get(at)).map(|g| g.id.clone()),
        Exit::Attachment { at } => match &net.attachment(*at).joined {
            crate::network::Joined::Vpn(link) => Some(link.id.clone()),
            _ => None,
        },
        _ => None,
    };
    let mine = |v: &&crate::network::Vpn| Some(&v.gateway) == gateway.as_ref() || Some(&v.id) == gateway.as_ref();
    let mut blocks: Vec<Cidr> = net.vpns.iter().filter(mine).flat_map(|v| v.prefixes.iter().copied()).collect();
    let learned = net.tables.iter().flat_map(|t| &t.routes).filter(|r| r.propagated && Some(r.target.id()) == gateway.as_deref());
    blocks.extend(learned.filter_map(|r| if let crate::network::Destination::Block(b) = r.to { Some(b) } else { None }));
    // A default route says nothing about what lies there.
    blocks.retain(|block| block.len > 0);
    blocks.sort_unstable();
    blocks.dedup();
    blocks
}

/// The addresses of an interface that a caller would use.
fn called(net: &Network, caller: &Caller, at: usize) -> Vec<(Addr, Option<usize>)> {
    let mut all = Vec::new();
    for address in &net.interface(at).addresses {
        match caller {
            Caller::Outside(..) | Caller::One(Source::Internet { .. }) => {
                all.push((address.public.unwrap_or(address.private), Some(at)))
            }
            Caller::One(Source::OnPremises { .. }) => all.push((address.private, Some(at))),
            Caller::One(Source::Interface { .. }) => {
                all.push((address.private, Some(at)));
                all.extend(address.public.filter(|p| *p != address.private).map(|p| (p, Some(at))));
            }
        }
    }
    all
}

/// The interface that an address most likely means, to look at its components even if it isn't reached.
fn meant(net: &Network, caller: &Caller, addr: Addr) -> Option<usize> {
    if let Some(at) = net.at_public(addr) {
        return Some(at);
    }
    if let Caller::One(Source::Interface { at, .. }) = caller
        && let Some(found) = net.vpc_of(*at).and_then(|vpc| net.at_private(vpc, addr))
    {
        return Some(found);
    }
    let mut all = (0..net.vpcs.len()).filter_map(|vpc| net.at_private(vpc, addr));
    let first = all.next();
    if all.next().is_some() { None } else { first }
}

fn fill(net: &Network, answer: &mut Answer, best: &Candidate) {
    for (trace, ports) in &best.talks {
        let through = if answer.answer == Verdict::Reachable { trace.sure() } else { trace.may() };
        let through = through.and(ports);
        let port = through.first().or_else(|| ports.first()).unwrap_or((6, 0));
        if answer.answer == Verdict::Reachable {
            answer.open = through.to_string();
        }
        for step in &trace.steps {
            let passes = step.passes().is_none_or(|ports| ports.contains(port.0, port.1));
            if let Some(assumed) = assumed(net, step).filter(|a| !answer.assumptions.contains(a)) {
                answer.assumptions.push(assumed);
            }
            if passes {
                let hops = if step.reply { &mut answer.reply } else { &mut answer.path };
                hops.push(hop(net, step, port));
            }
        }
        answer.blockers.extend(stops(trace, ports).into_iter().map(|step| blocker(net, step, (port, ports), best.stranger)));
        if answer.answer == Verdict::Unknown {
            let filters = trace.steps.iter().filter_map(|s| s.filter.as_ref());
            let unsure = filters.filter(|f| !f.reasons.is_empty()).flat_map(|f| &f.reasons);
            for reason in unsure {
                if !answer.reasons.iter().any(|r| **r == **reason) {
                    answer.reasons.push(reason.to_string());
                }
            }
        }
        answer.leaves = trace.leaves.map(str::to_owned).or(answer.leaves.take());
    }
    if answer.answer != Verdict::Blocked {
        answer.blockers.clear();
    }
}

/// What is assumed at a step because it isn't in the snapshot: about its ACL, or about what is blocked at its internet gateway.
fn assumed(net: &Network, step: &Step) -> Option<String> {
    if step.component == "internet-gateway" {
        let vpc = net.vpcs.iter().find(|v| v.igw.is_some_and(|at| net.gateway(at).id == step.id));
        let reason = vpc.and_then(|v| v.access_block_unknown.as_ref());
        return reason.map(|reason| format!("VPC Block Public Access is taken to be off: {reason}"));
    }
    let Check::Acl { subnet, .. } = step.check else { return None };
    net.acl(net.subnet(subnet).acl.at?).assumed.as_ref().map(ToString::to_string)
}

fn rule(net: &Network, step: &Step, port: (u8, u16)) -> (Text, Text) {
    match &step.check {
        Check::Plain => (step.id.clone(), step.rule.clone()),
        Check::Groups { interface, way, side } => match net.group_rule(*interface, *way, side, port) {
            Some((group, rule)) => (group, rule),
            None => (step.id.clone(), "".into()),
        },
        Check::Acl { subnet, way, addr } => {
            let port = if step.reply { (port.0, reply_port(step, port)) } else { port };
            (step.id.clone(), net.acl_rule(*subnet, *way, *addr, port))
        }
        Check::Firewall { endpoint, packet } => (step.id.clone(), net.firewall_rule(*endpoint, *packet, step.reply, port)),
    }
}

/// A client port that the reply's filter lets through, else the first one.
fn reply_port(step: &Step, port: (u8, u16)) -> u16 {
    let clients = Ports::tcp(1024, 65535).or(&Ports::udp(1024, 65535));
    let open = step.filter.as_ref().map(|f| f.may.and(&clients)).unwrap_or_default();
    let spans = if port.0 == crate::ports::protocol::UDP { &open.udp } else { &open.tcp };
    match port.0 {
        crate::ports::protocol::ICMP => 0,
        crate::ports::protocol::ICMP6 => 129 << 8,
        _ => spans.iter().next().map_or(1024, |(low, _)| low),
    }
}

fn hop(net: &Network, step: &Step, port: (u8, u16)) -> Hop {
    let (id, rule) = rule(net, step, port);
    Hop { component: step.component.to_owned(), id: id.to_string(), rule: rule.to_string() }
}

fn blocker(net: &Network, step: &Step, (port, ports): ((u8, u16), &Ports), stranger: Option<Addr>) -> Blocker {
    let (id, rule) = rule(net, step, port);
    let ports = if step.reply && !matches!(step.check, Check::Firewall { .. }) { ports.answers() } else { ports.clone() };
    let opens = step.fix.replace(PORTS, &ports.to_string());
    Blocker {
        component: step.component.to_owned(),
        id: id.to_string(),
        rule: rule.to_string(),
        code: step.code.to_owned(),
        direction: if step.reply { "reply" } else { "forward" }.to_owned(),
        opens: match stranger {
            Some(addr) => opens.replace(&addr.to_string(), &Cidr::all(addr.family).to_string()),
            None => opens,
        },
    }
}

fn place_text(net: &Network, place: &Place) -> String {
    match place {
        Place::Internet => "internet".to_owned(),
        Place::OnPremises(None) => "on-premises".to_owned(),
        Place::OnPremises(Some(id)) | Place::Missing(id) => id.clone(),
        Place::Address(addr) => addr.to_string(),
        Place::Block(block) => block.to_string(),
        Place::Interfaces(all) => {
            let mut names: Vec<&str> = all
                .iter()
                .map(|at| {
                    let interface = net.interface(*at);
                    if interface.owner.id.is_empty() { interface.id.as_ref() } else { interface.owner.id.as_ref() }
                })
                .collect();
            names.dedup();
            match names.len() {
                0..=3 => names.join(", "),
                n => format!("{} and {} more", names.first().unwrap_or(&""), n - 1),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::{Size, account};

    #[test]
    fn past_the_limit_of_pairs_the_answer_is_unknown() {
        let net = account(Size { interfaces: 3, groups: 1 }, 1);
        let place = |text: &str| Place::parse(&net, text).unwrap();
        let ends = (&place("subnet-0"), &place("eni-0"));
        let ask = |limits| reach_within(&net, ends, &Ports::tcp(1, 1), limits).answer;
        let full = |pairs| Limits { pairs, ruled_out: 1, in_full: usize::MAX };
        assert_eq!((ask(full(6)), ask(full(1))), (Verdict::Blocked, Verdict::Unknown));
        let quick = |ruled_out| Limits { pairs: 6, ruled_out, in_full: 1 };
        assert_eq!((ask(quick(6)), ask(quick(1))), (Verdict::Blocked, Verdict::Unknown));
    }
}
