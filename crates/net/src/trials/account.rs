//! Random accounts with everything that can join VPCs and stand in the way.

use model::Text;

use crate::addr::{Addr, Cidr, Family};
use crate::firewall::{
    Act, Ends, Firewall, FirewallGroup, FirewallPolicy, Judgement, Match, Part, Rest, StatefulRule, StatelessRule,
};
use crate::network::{
    Acl, AclEntry, Address, Attachment, BlockMode, Destination, Endpoint, Exclusion, Gateway, Group, GroupRule, Home, Interface,
    Joined, Link, Nat, Network, Owner, OwnerKind, Peer, Peering, PrefixList, PublicAccessBlock, Route, State, Subnet, Table,
    Target, Transit, TransitRoute, TransitTable, Vpc, Vpn, VpnGateway,
};
use crate::ports::{Ports, Spans};

/// SplitMix64: small, and the same everywhere.
pub(super) struct Dice(pub(super) u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())].clone()
    }

    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.roll(n) == 0
    }
}

pub(super) fn cidr(text: &str) -> Cidr {
    Cidr::parse(text).unwrap()
}

pub(super) fn addr(text: &str) -> Addr {
    Addr::parse(text).unwrap()
}

pub(super) fn id(kind: &str, n: usize) -> Text {
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

pub(super) fn ports(dice: &mut Dice) -> Ports {
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

pub(super) fn group(dice: &mut Dice, n: usize, vpc: &Text, groups: usize) -> Group {
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
pub(super) fn account(seed: u64) -> Network {
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
    inspection(&mut dice, &mut net, vpcs);
    services(&mut dice, &mut net, vpcs);
    premises(&mut dice, &mut net, vpcs);
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

/// Sends what leaves the first subnet of some VPCs through a firewall in a subnet of its own, and what comes in for it, too; not
/// always both.
fn inspection(dice: &mut Dice, net: &mut Network, vpcs: usize) {
    for v in 0..vpcs {
        if dice.one_in(2) {
            continue;
        }
        let vpc = id("vpc", v);
        let first = net.subnets.iter().find(|s| s.vpc.id == vpc).unwrap().cidrs.clone();
        let home = id(&format!("subnet-{v}"), 9);
        let cidrs = vec![Cidr { low: first[0].low + 0x800, ..first[0] }, Cidr { low: first[1].low + (8 << 64), ..first[1] }];
        let zone = "z1".into();
        net.subnets.push(Subnet { id: home.clone(), vpc: Link::to(vpc.clone()), zone, cidrs, ..Subnet::default() });
        let route = |to: &str, target: Target| {
            let to = Destination::Block(cidr(to));
            Route { to, target, state: State::Up, propagated: false }
        };
        let out = ["0.0.0.0/0", "::/0"].map(|to| route(to, Target::Internet(Link::to(id("igw", v))))).to_vec();
        let mut own = Table { id: id(&format!("rtb-{v}"), 9), vpc: Link::to(vpc.clone()), routes: out, ..Table::default() };
        own.subnets.push(home.clone());
        net.tables.push(own);
        let endpoint = id("vpce-fw", v);
        let through = || Target::Endpoint(Link::to(endpoint.clone()));
        if !dice.one_in(5) {
            let table = net.tables.iter_mut().find(|t| t.id == id(&format!("rtb-{v}"), 1)).unwrap();
            table.routes.retain(|r| r.to != Destination::Block(Cidr::V4_ALL));
            table.routes.push(route("0.0.0.0/0", through()));
        }
        if !dice.one_in(5) {
            let mut edge = Table { id: id(&format!("rtb-{v}"), 8), vpc: Link::to(vpc.clone()), ..Table::default() };
            edge.gateways.push(id("igw", v));
            let state = if dice.one_in(6) { State::Down("blackhole".into()) } else { State::Up };
            let to = Destination::Block(first[0]);
            edge.routes.push(Route { to, target: through(), state, propagated: false });
            net.tables.push(edge);
        }
        net.endpoints.push(Endpoint {
            id: endpoint.clone(),
            vpc: Link::to(vpc.clone()),
            kind: "GatewayLoadBalancer".into(),
            subnets: vec![Link::to(home.clone())],
            ..Endpoint::default()
        });
        firewall(dice, net, v, (home, endpoint));
    }
}

fn ends(dice: &mut Dice) -> Ends {
    let one = |dice: &mut Dice| match dice.roll(4) {
        0 => Part::Home,
        _ => Part::Block(cidr(dice.pick(&["0.0.0.0/0", "10.0.0.0/8", "10.0.1.0/24", "8.8.8.8/32", "8.0.0.0/7"]))),
    };
    match dice.roll(8) {
        0..=4 => Ends::default(),
        5 => Ends { parts: vec![(true, one(dice))] },
        6 => Ends { parts: vec![(false, one(dice)), (false, one(dice)), (true, one(dice))] },
        _ => Ends { parts: vec![(false, one(dice))] },
    }
}

fn matching(dice: &mut Dice, stateless: bool) -> Match {
    let service = |dice: &mut Dice| match dice.roll(5) {
        0 => Spans::one(22, 22),
        1 => Spans::one(20, 999),
        _ => Spans::full(),
    };
    let clients = |dice: &mut Dice| if dice.one_in(4) { Spans::one(1024, 65535) } else { Spans::full() };
    let (mut from, mut to) = (clients(dice), service(dice));
    if stateless && dice.one_in(2) {
        (from, to) = (service(dice), clients(dice));
    }
    let protocols = match dice.roll(4) {
        0 => Ports::tcp(0, u16::MAX),
        1 => Ports::udp(0, u16::MAX).or(&Ports::of(1, None, None)),
        _ => Ports::full(),
    };
    Match { sources: ends(dice), destinations: ends(dice), source_ports: from, destination_ports: to, protocols, partly: None }
}

fn firewall(dice: &mut Dice, net: &mut Network, v: usize, place: (Text, Text)) {
    let rest = dice.pick(&[Act::Pass, Act::Drop, Act::Inspect, Act::Inspect, Act::Inspect]);
    let mut policy = FirewallPolicy { id: id("policy", v), stateless_rest: Some(rest), ..FirewallPolicy::default() };
    policy.strict = dice.one_in(2);
    policy.stateful_rest = if dice.one_in(2) { Rest::Drop } else { Rest::Pass };
    for g in 0..2 {
        let rules = |dice: &mut Dice| {
            let act = dice.pick(&[Act::Pass, Act::Drop, Act::Inspect]);
            StatelessRule { priority: dice.roll(9) as i64, of: matching(dice, true), act }
        };
        let mut stateless: Vec<StatelessRule> = (0..dice.roll(3)).map(|_| rules(dice)).collect();
        stateless.sort_by_key(|rule| rule.priority);
        let judge = |dice: &mut Dice, at: usize| {
            let judgement = dice.pick(&[Judgement::Pass, Judgement::Pass, Judgement::Drop, Judgement::Alert]);
            // A drop rule that names the way back is left open by the engine on purpose; one for both ways is not.
            let both_ways = judgement == Judgement::Drop || dice.one_in(3);
            StatefulRule { id: format!("rule {at}").into(), of: matching(dice, false), both_ways, judgement }
        };
        let stateful = (0..dice.roll(5)).map(|at| judge(dice, at)).collect();
        let home = dice.one_in(4).then(|| vec![cidr("10.0.0.0/8")]);
        for (kind, list) in [("less", &mut policy.stateless), ("full", &mut policy.stateful)] {
            list.push((g, Link::to(id(&format!("{kind}-{v}"), g as usize))));
        }
        let group = |kind: &str| FirewallGroup {
            id: id(&format!("{kind}-{v}"), g as usize),
            home: home.clone(),
            ..FirewallGroup::default()
        };
        net.firewall_groups.push(FirewallGroup { stateless, ..group("less") });
        net.firewall_groups.push(FirewallGroup { stateful, ..group("full") });
    }
    net.firewalls.push(Firewall {
        id: id("fw", v),
        name: id("fw", v),
        vpc: Link::to(id("vpc", v)),
        policy: Link::to(policy.id.clone()),
        endpoints: vec![place],
        state: State::Up,
    });
    net.firewall_policies.push(policy);
}

/// Gateway endpoints in some VPCs.
fn services(dice: &mut Dice, net: &mut Network, vpcs: usize) {
    let cidrs = vec![cidr("8.8.8.0/24"), cidr("9.9.9.0/24")];
    net.prefix_lists.push(PrefixList { id: "pl-0".into(), cidrs, known: true, ..PrefixList::default() });
    for v in 0..vpcs {
        if !dice.one_in(3) {
            continue;
        }
        let (endpoint, vpc) = (id("vpce-s3", v), Link::to(id("vpc", v)));
        net.endpoints.push(Endpoint { id: endpoint.clone(), vpc, kind: "Gateway".into(), ..Endpoint::default() });
        let table = id(&format!("rtb-{v}"), dice.roll(2));
        let table = net.tables.iter_mut().find(|t| t.id == table).unwrap();
        let (to, target) = (Destination::List(Link::to("pl-0")), Target::Endpoint(Link::to(endpoint)));
        table.routes.push(Route { to, target, state: State::Up, propagated: false });
    }
}

/// VPN connections at virtual private gateways and at the transit gateway, and a Direct Connect gateway.
fn premises(dice: &mut Dice, net: &mut Network, vpcs: usize) {
    let state = |dice: &mut Dice, word: &str| if dice.one_in(5) { State::Down(word.into()) } else { State::Up };
    for v in 0..vpcs {
        if dice.one_in(2) {
            continue;
        }
        let attached = state(dice, "detached");
        net.vpn_gateways.push(VpnGateway { id: id("vgw", v), vpcs: vec![(id("vpc", v), attached)] });
        net.vpns.push(Vpn {
            id: id("vpn", v),
            gateway: id("vgw", v),
            prefixes: vec![cidr("172.16.0.0/16")],
            state: state(dice, "deleted"),
            ..Vpn::default()
        });
        for t in 0..2 {
            let propagated = dice.one_in(2);
            let to = Destination::Block(cidr(if propagated { "172.16.0.0/16" } else { "172.16.0.0/13" }));
            let table = net.tables.iter_mut().find(|x| x.id == id(&format!("rtb-{v}"), t)).unwrap();
            let target = Target::VpnGateway(Link::to(id("vgw", v)));
            table.routes.push(Route { to, target, state: State::Up, propagated });
        }
    }
    let prefixes = vec![cidr("172.24.0.0/16")];
    let vpn = state(dice, "deleted");
    net.vpns.push(Vpn { id: "vpn-t".into(), transit: "tgw-0".into(), prefixes, state: vpn, ..Vpn::default() });
    for (name, joined) in [("at-vpn", Joined::Vpn(Link::to("vpn-t"))), ("at-dx", Joined::DirectConnect("dxgw-0".into()))] {
        let (transit, table) = (Link::to("tgw-0"), Link::to(id("rt", dice.roll(2))));
        net.attachments.push(Attachment { id: name.into(), transit, joined, table, ..Attachment::default() });
    }
    for table in &mut net.transit_tables {
        if !dice.one_in(3) {
            table.propagations.push("at-vpn".into());
        }
        let attachments = vec!["at-dx".into()];
        table.routes.push(TransitRoute { to: cidr("172.25.0.0/16"), attachments, state: State::Up, propagated: false });
    }
    for table in net.tables.iter_mut().filter(|t| t.gateways.is_empty()) {
        let (to, target) = (Destination::Block(cidr("172.24.0.0/13")), Target::Transit(Link::to("tgw-0")));
        table.routes.push(Route { to, target, state: State::Up, propagated: false });
    }
}
