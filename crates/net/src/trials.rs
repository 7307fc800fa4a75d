//! The engine against the oracle on random accounts; laws that every answer obeys; planted faults that must be noticed.

use model::Text;

use crate::addr::{Addr, Cidr, Family};
use crate::direct::Source;
use crate::exposure::Exposure;
use crate::fault::Fault;
use crate::network::{
    Acl, AclEntry, Address, Attachment, BlockMode, Destination, Exclusion, Gateway, Group, GroupRule, Home, Interface, Joined,
    Link, Nat, Network, Owner, OwnerKind, Peer, Peering, PublicAccessBlock, Route, State, Subnet, Table, Target, Transit,
    TransitRoute, TransitTable, Vpc,
};
use crate::oracle::{Caller, talks};
use crate::ports::Ports;

/// SplitMix64: small, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())].clone()
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.roll(n) == 0
    }
}

fn cidr(text: &str) -> Cidr {
    Cidr::parse(text).unwrap()
}

fn addr(text: &str) -> Addr {
    Addr::parse(text).unwrap()
}

fn id(kind: &str, n: usize) -> Text {
    format!("{kind}-{n}").into()
}

const BLOCKS: &[&str] = &[
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.0.0.0/16",
    "10.0.1.0/24",
    "10.0.1.10/32",
    "10.1.0.0/16",
    "10.1.1.0/25",
    "8.0.0.0/7",
    "8.8.8.8/32",
    "3.0.0.0/8",
    "3.3.0.1/32",
    "::/0",
];

fn ports(dice: &mut Dice) -> Ports {
    match dice.roll(8) {
        0 | 1 => Ports::full(),
        2 => Ports::tcp(22, 22),
        3 => Ports::tcp(1000, 2000),
        4 => Ports::udp(53, 53),
        5 => Ports::of(1, Some(8), None),
        6 => Ports::tcp(1024, 65535),
        _ => Ports::tcp(0, 65535),
    }
}

fn group(dice: &mut Dice, n: usize, vpc: &Text, groups: usize) -> Group {
    let mut rules = |word: &str, open: bool| -> Vec<GroupRule> {
        let count = dice.roll(3) + usize::from(open);
        (0..count)
            .map(|r| {
                let peer = match dice.roll(3) {
                    0 => Peer::Group(Link::to(id("sg", dice.roll(groups)))),
                    _ => Peer::Block(cidr(dice.pick(BLOCKS))),
                };
                GroupRule { id: format!("{word}{r}").into(), ports: ports(dice), ports_unknown: None, peer }
            })
            .collect()
    };
    let inbound = rules("in", true);
    let mut outbound = rules("out", false);
    if outbound.len() < 2 {
        outbound.push(GroupRule { id: "all".into(), ports: Ports::full(), ports_unknown: None, peer: Peer::Block(Cidr::V4_ALL) });
    }
    Group { id: id("sg", n), vpc: Link::to(vpc.clone()), inbound, outbound, ..Group::default() }
}

fn acl(dice: &mut Dice, n: usize, vpc: &Text, default: bool, subnets: Vec<Text>) -> Acl {
    let mut lines = || -> Vec<AclEntry> {
        let mut all: Vec<AclEntry> = (0..dice.roll(3))
            .map(|at| AclEntry {
                number: 10 + at as i64,
                allow: dice.one_in(2),
                cidr: Some(cidr(dice.pick(BLOCKS))),
                ports: ports(dice),
                unknown: None,
            })
            .collect();
        if !dice.one_in(6) {
            all.push(AclEntry { number: 100, allow: true, cidr: Some(Cidr::V4_ALL), ports: Ports::full(), unknown: None });
        }
        all.push(AclEntry { number: 101, allow: true, cidr: Some(Cidr::V6_ALL), ports: Ports::full(), unknown: None });
        all
    };
    let (inbound, outbound) = (lines(), lines());
    Acl { id: id("acl", n), vpc: Link::to(vpc.clone()), default, inbound, outbound, subnets, ..Acl::default() }
}

/// A random account, not finished yet: two or three VPCs, everything that can join them.
fn account(seed: u64) -> Network {
    let mut dice = Dice(seed);
    let mut net = Network::default();
    let vpcs = 2 + dice.roll(2);
    let overlap = dice.one_in(5);
    for v in 0..vpcs {
        let n = if overlap { v.min(1) } else { v };
        let vpc = id("vpc", v);
        let range = cidr(&format!("10.{n}.0.0/16"));
        let six = cidr(&format!("2600:1f00:{v}::/48"));
        net.vpcs.push(Vpc { id: vpc.clone(), cidrs: vec![range, six], ..Vpc::default() });
        for s in 1..=2 {
            let subnet = id(&format!("subnet-{v}"), s);
            let block = cidr(&format!("10.{n}.{s}.0/24"));
            let block6 = cidr(&format!("2600:1f00:{v}:{s}::/64"));
            let zone = if dice.one_in(3) { "z2" } else { "z1" };
            net.subnets.push(Subnet {
                id: subnet,
                vpc: Link::to(vpc.clone()),
                zone: zone.into(),
                cidrs: vec![block, block6],
                ..Subnet::default()
            });
        }
        let attached = if dice.one_in(5) { State::Down("detaching".into()) } else { State::Up };
        net.gateways.push(Gateway { id: id("igw", v), vpcs: vec![(vpc.clone(), attached)], egress_only: false });
        net.gateways.push(Gateway { id: id("eigw", v), vpcs: vec![(vpc.clone(), State::Up)], egress_only: true });
        let own = if dice.one_in(2) { vec![id(&format!("subnet-{v}"), 1)] } else { Vec::new() };
        net.acls.push(acl(&mut dice, v * 2, &vpc, true, Vec::new()));
        net.acls.push(acl(&mut dice, v * 2 + 1, &vpc, false, own));
    }
    for g in 0..4 {
        let group = group(&mut dice, g, &id("vpc", 0), 4);
        net.groups.push(group);
    }
    joins(&mut dice, &mut net, vpcs);
    tables(&mut dice, &mut net, vpcs);
    interfaces(&mut dice, &mut net, vpcs);
    if dice.one_in(4) {
        let mode = if dice.one_in(2) { BlockMode::Ingress } else { BlockMode::Bidirectional };
        net.access_blocks.push(PublicAccessBlock { home: Home::default(), mode });
        if dice.one_in(3) {
            net.exclusions.push(Exclusion { id: "x".into(), resource: id("vpc", 0), egress_only: dice.one_in(2) });
        }
    }
    net
}

fn joins(dice: &mut Dice, net: &mut Network, vpcs: usize) {
    for v in 1..vpcs {
        let state = if dice.one_in(6) { State::Down("expired".into()) } else { State::Up };
        let sides = [Link::to(id("vpc", v - 1)), Link::to(id("vpc", v))];
        net.peerings.push(Peering { id: id("pcx", v), sides, same_region: !dice.one_in(3), state, ..Peering::default() });
    }
    net.transits.push(Transit { id: "tgw-0".into(), group_references: dice.one_in(2), ..Transit::default() });
    for v in 0..vpcs {
        let joined = Joined::Vpc(Link::to(id("vpc", v)));
        let subnets = vec![Link::to(id(&format!("subnet-{v}"), 2))];
        let table = Link::to(id("rt", dice.roll(2)));
        let references = !dice.one_in(3);
        let transit = Link::to("tgw-0");
        let id = id("at", v);
        net.attachments.push(Attachment {
            id,
            transit,
            joined,
            table,
            subnets,
            subnets_known: true,
            group_references: references,
            ..Attachment::default()
        });
    }
    for t in 0..2 {
        let mut table = TransitTable { id: id("rt", t), transit: Link::to("tgw-0"), ..TransitTable::default() };
        table.propagations = (0..vpcs).filter(|_| !dice.one_in(3)).map(|v| id("at", v)).collect();
        for _ in 0..dice.roll(3) {
            let to = cidr(dice.pick(&["10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "0.0.0.0/0"]));
            let down = dice.one_in(3);
            let state = if down { State::Down("blackhole".into()) } else { State::Up };
            if table.routes.iter().all(|r: &TransitRoute| r.to != to) {
                table.routes.push(TransitRoute { to, attachments: vec![id("at", dice.roll(vpcs))], state, propagated: false });
            }
        }
        net.transit_tables.push(table);
    }
}

fn tables(dice: &mut Dice, net: &mut Network, vpcs: usize) {
    for v in 0..vpcs {
        for (t, main) in [(0, true), (1, false)] {
            let mut table = Table { id: id(&format!("rtb-{v}"), t), vpc: Link::to(id("vpc", v)), main, ..Table::default() };
            if !main {
                table.subnets.push(id(&format!("subnet-{v}"), 1));
            }
            for to in ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/16", "8.8.0.0/16", "::/0"] {
                if dice.one_in(4) || cidr(to) == net.vpcs[v].cidrs[0] {
                    continue;
                }
                for propagated in [false, true] {
                    if propagated && !dice.one_in(4) {
                        continue;
                    }
                    let target = match (to, dice.roll(4)) {
                        ("::/0", 0) => Target::EgressOnly(Link::to(id("eigw", v))),
                        ("::/0", _) => Target::Internet(Link::to(id("igw", v))),
                        ("0.0.0.0/0" | "8.8.0.0/16", 0) => Target::Nat(Link::to(id("nat", v))),
                        ("0.0.0.0/0" | "8.8.0.0/16", 1) => Target::Transit(Link::to("tgw-0")),
                        ("0.0.0.0/0" | "8.8.0.0/16", _) => Target::Internet(Link::to(id("igw", v))),
                        (_, 0) => Target::Peering(Link::to(id("pcx", v.max(1)))),
                        (_, 1) => Target::Peering(Link::to(id("pcx", (v + 1).min(vpcs - 1)))),
                        _ => Target::Transit(Link::to("tgw-0")),
                    };
                    let state = if dice.one_in(6) { State::Down("blackhole".into()) } else { State::Up };
                    table.routes.push(Route { to: Destination::Block(cidr(to)), target, state, propagated });
                }
            }
            net.tables.push(table);
        }
    }
}

fn interfaces(dice: &mut Dice, net: &mut Network, vpcs: usize) {
    let mut public = 0u128;
    for at in 0..net.subnets.len() {
        let subnet = net.subnets[at].clone();
        for n in 0..2u128 {
            public += 1;
            let seen = (!dice.one_in(3)).then(|| Addr { family: Family::V4, bits: 0x0303_0000 + public });
            let mut addresses =
                vec![Address { private: subnet.cidrs[0].nth(10 + n), public: seen, within: None, public_loose: false }];
            if dice.one_in(2) {
                let six = subnet.cidrs[1].nth(10 + n);
                addresses.push(Address { private: six, public: Some(six), within: None, public_loose: false });
            }
            let mut groups = vec![Link::to(id("sg", dice.roll(4)))];
            if dice.one_in(2) {
                groups.push(Link::to(id("sg", dice.roll(4))));
            }
            let id = id("eni", net.interfaces.len());
            net.interfaces.push(Interface { id, subnet: Link::to(subnet.id.clone()), addresses, groups, ..Interface::default() });
        }
    }
    for v in 0..vpcs {
        let subnet = net.subnets.iter().find(|s| s.vpc.id == id("vpc", v)).unwrap().clone();
        public += 1;
        let seen = Some(Addr { family: Family::V4, bits: 0x0303_0000 + public });
        let addresses = vec![Address { private: subnet.cidrs[0].nth(200), public: seen, within: None, public_loose: false }];
        let owner = Owner { kind: OwnerKind::Nat, service: "ec2".into(), id: id("nat", v) };
        let eni = id("eni-nat", v);
        net.interfaces.push(Interface {
            id: eni.clone(),
            owner,
            subnet: Link::to(subnet.id.clone()),
            addresses,
            ungrouped: true,
            ..Interface::default()
        });
        let state = if dice.one_in(6) { State::Down("failed".into()) } else { State::Up };
        net.nats.push(Nat {
            id: id("nat", v),
            subnet: Link::to(subnet.id.clone()),
            interface: Link::to(eni),
            private: false,
            state,
        });
    }
}

/// Packets at the edges of the rules in use, and one off.
const PACKETS: &[(u8, u16)] = &[
    (6, 21),
    (6, 22),
    (6, 23),
    (6, 999),
    (6, 1000),
    (6, 2000),
    (6, 2001),
    (6, 1023),
    (6, 1024),
    (6, 65535),
    (17, 53),
    (17, 54),
    (1, 8 << 8),
    (1, 3 << 8),
    (50, 0),
];

const OUTSIDE: &[&str] = &["8.8.8.7", "8.8.8.8", "8.8.8.9", "7.255.255.255", "9.255.255.255", "3.3.0.255", "2001:4860::1"];

/// One question: as the engine and as the oracle take it.
struct Call {
    source: Source,
    caller: Caller,
    dst: Addr,
    target: Option<usize>,
}

/// Every question about one account, with the oracle's answer for each packet.
fn questions(truth: &Network) -> Vec<(Call, Vec<bool>)> {
    let mut calls: Vec<Call> = Vec::new();
    for a in 0..truth.interfaces.len() {
        for from in &truth.interfaces[a].addresses {
            let mut goals: Vec<(Addr, Option<usize>)> = OUTSIDE.iter().map(|o| (addr(o), None)).collect();
            for (b, other) in truth.interfaces.iter().enumerate().filter(|(b, _)| *b != a) {
                goals.extend(other.addresses.iter().flat_map(|x| [Some(x.private), x.public]).flatten().map(|x| (x, Some(b))));
            }
            for (dst, target) in goals.into_iter().filter(|(dst, _)| dst.family == from.private.family) {
                let source = Source::Interface { at: a, addr: from.private };
                calls.push(Call { source, caller: Caller::Interface(a, from.private), dst, target });
            }
        }
        for outside in OUTSIDE.iter().map(|o| addr(o)) {
            for dst in truth.interfaces[a].addresses.iter().filter_map(|x| x.public).filter(|p| p.family == outside.family) {
                calls.push(Call {
                    source: Source::Internet { addr: outside },
                    caller: Caller::Internet(outside),
                    dst,
                    target: Some(a),
                });
            }
        }
    }
    let answer =
        |call: &Call| PACKETS.iter().map(|(protocol, port)| talks(truth, call.caller, call.dst, *protocol, *port)).collect();
    calls.into_iter().map(|call| (answer(&call), call)).map(|(answers, call)| (call, answers)).collect()
}

/// The first difference between the oracle's answers and the engine's.
fn compare(truth: &[(Call, Vec<bool>)], engine: &Network) -> Option<String> {
    for (call, answers) in truth {
        let trace = engine.converse(&call.source, call.dst, call.target);
        let (sure, may) = (trace.sure(), trace.may());
        for ((protocol, port), want) in PACKETS.iter().zip(answers) {
            let got = (sure.contains(*protocol, *port), may.contains(*protocol, *port));
            if got != (*want, *want) {
                return Some(format!(
                    "{:?} -> {} {protocol}/{port}: oracle {want}, engine {got:?}\n{trace:#?}",
                    call.caller, call.dst
                ));
            }
        }
    }
    None
}

fn overlapping(net: &Network) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    net.interfaces.iter().flat_map(|i| &i.addresses).any(|a| !seen.insert(a.private))
}

#[test]
fn the_engine_agrees_with_the_oracle() {
    for seed in 0..24 {
        let raw = account(seed);
        if overlapping(&raw) {
            continue;
        }
        let net = raw.finish();
        if let Some(difference) = compare(&questions(&net), &net) {
            panic!("seed {seed}: {difference}");
        }
    }
}

#[test]
fn exposure_agrees_with_the_oracle() {
    for seed in 100..160 {
        let net = account(seed).finish();
        let rows = Exposure::all(&net);
        for (at, interface) in net.interfaces.iter().enumerate() {
            for dst in interface.addresses.iter().filter_map(|a| a.public) {
                for outside in OUTSIDE.iter().map(|o| addr(o)).filter(|o| o.family == dst.family) {
                    for (protocol, port) in PACKETS {
                        let want = talks(&net, Caller::Internet(outside), dst, *protocol, *port);
                        let covers =
                            |r: &&crate::Exposed| r.interface == at && r.public == Some(dst) && r.sources.contains(outside.bits);
                        let got = rows.iter().filter(covers).any(|r| r.ports.contains(*protocol, *port));
                        assert_eq!(got, want, "seed {seed}: {outside} -> {} {dst} {protocol}/{port}", interface.id);
                    }
                }
            }
        }
    }
}

#[test]
fn planted_faults_are_noticed() {
    let accounts: Vec<Network> = (0..60).map(account).filter(|raw| !overlapping(raw)).collect();
    let mut missed: Vec<Fault> = Fault::ALL.iter().copied().filter(|f| *f != Fault::DanglingBlocks).collect();
    for raw in accounts {
        let truth = questions(&raw.clone().finish());
        missed.retain(|fault| {
            let faulty = Network { fault: Some(*fault), ..raw.clone() };
            compare(&truth, &faulty.finish()).is_none()
        });
        if missed.is_empty() {
            break;
        }
    }
    assert!(missed.is_empty(), "{missed:?}");
}

#[test]
fn a_dangling_reference_taken_for_a_block_is_noticed() {
    let mut raw = account(0);
    raw.interfaces.iter_mut().for_each(|i| i.groups = vec![Link::to("sg-gone")]);
    let mut faulty = raw.clone();
    faulty.fault = Some(Fault::DanglingBlocks);
    let may = |net: Network| {
        let side = crate::filter::Side { addr: addr("8.8.8.8"), within: None, members: Vec::new(), grouped: model::Truth::False };
        net.finish().group_filter(0, crate::filter::Way::In, &side).may.is_full()
    };
    assert!(may(raw) && !may(faulty));
}

/// What every pair of an account reaches: the total of what is open, one by one.
fn opened(net: &Network) -> Vec<Ports> {
    let mut all = Vec::new();
    for a in 0..net.interfaces.len() {
        for b in 0..net.interfaces.len() {
            let (from, to) = (net.interfaces[a].addresses[0].private, net.interfaces[b].addresses[0].private);
            all.push(net.converse(&Source::Interface { at: a, addr: from }, to, Some(b)).sure());
        }
    }
    all
}

fn grows(less: &[Ports], more: &[Ports]) -> bool {
    less.iter().zip(more).all(|(less, more)| more.covers(less))
}

#[test]
fn adding_an_allow_or_taking_a_deny_away_never_closes_anything() {
    for seed in 200..230 {
        let raw = account(seed);
        let before = opened(&raw.clone().finish());
        let mut wider = raw.clone();
        let rule =
            GroupRule { id: "new".into(), ports: Ports::tcp(80, 90), ports_unknown: None, peer: Peer::Block(cidr("10.0.0.0/8")) };
        wider.groups.iter_mut().for_each(|g| g.inbound.push(rule.clone()));
        assert!(grows(&before, &opened(&wider.finish())), "seed {seed}: an allow closed something");
        let mut milder = raw.clone();
        milder.acls.iter_mut().for_each(|a| a.inbound.retain(|e| e.allow));
        assert!(grows(&before, &opened(&milder.finish())), "seed {seed}: a deny less closed something");
    }
}

#[test]
fn splitting_rules_changes_nothing() {
    let halves = |block: Cidr| {
        let len = block.len + 1;
        let high = block.low | (1u128 << (block.family.bits() - len));
        [Cidr { len, ..block }, Cidr { len, low: high, ..block }]
    };
    for seed in 300..330 {
        let raw = account(seed);
        let before = opened(&raw.clone().finish());
        let mut split = raw;
        for group in &mut split.groups {
            for rules in [&mut group.inbound, &mut group.outbound] {
                let mut all = Vec::new();
                for rule in rules.drain(..) {
                    let low = rule.ports.and(&Ports::tcp(0, 1500));
                    let parts = [rule.ports.minus(&low), low];
                    let peers = match &rule.peer {
                        Peer::Block(block) if block.len < block.family.bits() => halves(*block).map(Peer::Block).to_vec(),
                        other => vec![other.clone()],
                    };
                    for (ports, peer) in parts.iter().flat_map(|p| peers.iter().map(move |q| (p, q))) {
                        all.push(GroupRule { ports: ports.clone(), peer: peer.clone(), ..rule.clone() });
                    }
                }
                *rules = all;
            }
        }
        assert_eq!(before, opened(&split.finish()), "seed {seed}");
    }
}

#[test]
fn all_pairs_agree_with_one_question_at_a_time() {
    for seed in 400..430 {
        let net = account(seed).finish();
        let pairs = crate::pairs::Pairs::new(&net, Family::V4);
        pairs.each_tcp(&mut |to, spans| {
            for from in 0..net.interfaces.len() {
                let ends = [from, to].map(|at| net.interfaces[at].addresses[0].private);
                if from == to || net.interfaces[from].vpc == net.interfaces[to].vpc && ends[0] == ends[1] {
                    continue;
                }
                let want = net.converse(&Source::Interface { at: from, addr: ends[0] }, ends[1], Some(to)).sure().tcp;
                for port in [0, 21, 22, 23, 999, 1000, 1023, 1024, 2000, 2001, 65535] {
                    let got = spans.iter().any(|(low, high, sources)| *low <= port && port <= *high && sources.contains(from));
                    assert_eq!(got, want.contains(port), "seed {seed}: {from} -> {to} tcp/{port}");
                }
            }
        });
    }
}

#[test]
fn many_ends_answer_as_their_pairs_do() {
    for seed in 600..640 {
        let net = account(seed).finish();
        let half = net.interfaces.len() / 2;
        let (left, right): (Vec<usize>, Vec<usize>) = (0..net.interfaces.len()).partition(|at| *at < half);
        for asked in [Ports::tcp(22, 22), Ports::udp(53, 53), Ports::tcp(1001, 1001)] {
            let place = |list: &[usize]| crate::Place::Interfaces(list.to_vec());
            let one = |a: usize, b: usize| crate::reach(&net, &place(&[a]), &place(&[b]), &asked).answer;
            let pairs = left.iter().flat_map(|a| right.iter().map(|b| (*a, *b)));
            let any = pairs.into_iter().any(|(a, b)| one(a, b) == crate::Verdict::Reachable);
            let limits = crate::reach::Limits { pairs: 1_000_000, ruled_out: 1_000_000, in_full: 0 };
            let all = crate::reach::reach_within(&net, (&place(&left), &place(&right)), &asked, limits);
            assert_eq!(all.answer == crate::Verdict::Reachable, any, "seed {seed} {asked}: {all:#?}");
        }
    }
}

#[test]
fn opening_the_only_blocker_opens_the_way() {
    let mut opened = 0;
    for seed in 500..540 {
        let raw = account(seed);
        let net = raw.clone().finish();
        let asked = Ports::tcp(22, 22);
        for a in 0..net.interfaces.len() {
            for b in (0..net.interfaces.len()).filter(|b| *b != a) {
                let ends = [a, b].map(|at| crate::Place::Address(net.interfaces[at].addresses[0].private));
                let answer = crate::reach(&net, &ends[0], &ends[1], &asked);
                let [blocker] = answer.blockers.as_slice() else { continue };
                let mut wider = raw.clone();
                match blocker.component.as_str() {
                    "network-acl" => wider.acls.iter_mut().filter(|acl| *acl.id == *blocker.id).for_each(|acl| {
                        let line =
                            AclEntry { number: 1, allow: true, cidr: Some(Cidr::V4_ALL), ports: Ports::full(), unknown: None };
                        acl.inbound.push(line.clone());
                        acl.outbound.push(line);
                    }),
                    "security-group" => {
                        wider.groups.iter_mut().filter(|g| blocker.id.split(',').any(|id| *g.id == *id)).for_each(|g| {
                            let peer = Peer::Block(Cidr::V4_ALL);
                            let rule = GroupRule { id: "open".into(), ports: Ports::full(), ports_unknown: None, peer };
                            g.inbound.push(rule.clone());
                            g.outbound.push(rule);
                        })
                    }
                    _ => continue,
                }
                let now = crate::reach(&wider.finish(), &ends[0], &ends[1], &asked);
                assert_eq!(now.answer, crate::Verdict::Reachable, "seed {seed} {a} -> {b}: {answer:#?} {now:#?}");
                opened += 1;
            }
        }
    }
    assert!(opened > 50, "{opened}");
}
