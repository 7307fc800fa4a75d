//! Load balancers over random accounts: the engine's answer for a target against a call to a node and a call of the node.

use super::account::{Dice, account, addr, id};
use super::{BALANCED, OUTSIDE, overlapping};
use crate::addr::{Addr, Cidr};
use crate::network::{
    Acl, Address, Balancer, BalancerKind, BalancerTarget, GroupRule, Interface, Link, Listener, Network, Owner, OwnerKind, Peer,
    TargetGroup,
};
use crate::oracle::{Caller, Told, balanced, talks};
use crate::{Place, Ports, Verdict, reach};

/// Ports of listeners and of targets.
const ASKED: &[(u8, u16)] = &[(6, 80), (6, 22), (17, 53)];

fn with_balancers(seed: u64) -> Network {
    let mut dice = Dice(seed ^ 0x5bd1);
    let mut net = account(seed);
    if dice.one_in(2) {
        let any = GroupRule { id: "any".into(), ports: Ports::full(), ports_unknown: None, peer: Peer::Block(Cidr::V4_ALL) };
        net.groups.iter_mut().skip(1).for_each(|g| (g.inbound, g.outbound) = (vec![any.clone()], vec![any.clone()]));
        let open = Acl::default_of(&"".into(), "".into());
        net.acls.iter_mut().for_each(|a| (a.inbound, a.outbound) = (open.inbound.clone(), open.outbound.clone()));
    }
    for (n, interface) in net.interfaces.iter_mut().filter(|i| i.owner.id.is_empty()).enumerate() {
        interface.owner = Owner { kind: OwnerKind::Instance, service: "ec2".into(), id: id("i", n) };
    }
    let near = |net: &Network| -> Vec<usize> {
        let inside = |i: &Interface| i.owner.kind == OwnerKind::Instance && i.subnet.id.starts_with("subnet-0-");
        (0..net.interfaces.len()).filter(|at| inside(&net.interfaces[*at])).collect()
    };
    for b in 0..2 {
        let kind = if b == 0 { BalancerKind::Application } else { BalancerKind::Network };
        let mut balancer =
            Balancer { id: id("lb", b), name: id("lb", b), kind, cross_zone: dice.one_in(2), ..Balancer::default() };
        for s in 0..2u128 {
            let subnet = net.subnets[s as usize].clone();
            let public = (!dice.one_in(3)).then(|| Addr { bits: 0x0308_0000 + 16 * b as u128 + s, ..addr("3.8.0.0") });
            let private = subnet.cidrs[0].nth(150 + b as u128);
            let eni = id(&format!("eni-lb-{b}"), s as usize);
            balancer.interfaces.push(Link::to(eni.clone()));
            net.interfaces.push(Interface {
                id: eni,
                owner: Owner { kind: OwnerKind::Balancer, service: "elb".into(), id: balancer.id.clone() },
                subnet: Link::to(subnet.id),
                addresses: vec![Address { private, public, within: None, public_loose: false }],
                groups: vec![Link::to(id("sg", dice.roll(4)))],
                ungrouped: b == 1 && dice.one_in(2),
                ..Interface::default()
            });
        }
        let udp = b == 1 && dice.one_in(2);
        let (protocol, port) = if udp { ("UDP", 53) } else { (if b == 0 { "HTTP" } else { "TCP" }, 22) };
        let ip = dice.one_in(2);
        let targets = near(&net).into_iter().filter(|_| !dice.one_in(3)).map(|at| {
            let interface = &net.interfaces[at];
            let id = if ip { interface.addresses[0].private.to_string().into() } else { interface.owner.id.clone() };
            BalancerTarget { id, port: None }
        });
        let targets = targets.collect();
        net.target_groups.push(TargetGroup {
            id: id("tg", b),
            kind: if ip { "ip" } else { "instance" }.into(),
            protocol: protocol.into(),
            port: Some(port),
            vpc: Link::to("vpc-0"),
            targets,
            preserve_client: if dice.one_in(2) { None } else { Some(dice.one_in(2)) },
            ..TargetGroup::default()
        });
        let (ports, port) = if udp { (Ports::udp(53, 53), 53) } else { (Ports::tcp(80, 80), 80) };
        let groups = vec![id("tg", b)];
        balancer.listeners.push(Listener { id: id("listener", b), ports, port, groups, ..Listener::default() });
        net.balancers.push(balancer);
    }
    net
}

/// What the oracle says of a call to an interface at any of its addresses, or by a balancer.
fn truth(net: &Network, callers: &[Caller], to: usize, (protocol, port): (u8, u16)) -> Told {
    let node = net.balancers.iter().find(|b| b.interfaces.iter().any(|i| i.id == net.interfaces[to].id));
    let takes = node.is_none_or(|b| b.listeners.iter().any(|l| l.ports.contains(protocol, port)));
    let mut best = Told::No;
    for caller in callers {
        let (from, outside) = match caller {
            Caller::Interface(_, from) => (*from, false),
            Caller::Internet(from) | Caller::Gateway(_, from) | Caller::Attachment(_, from) => (*from, true),
        };
        for address in &net.interfaces[to].addresses {
            let private = Some(address.private).filter(|_| !outside);
            let goals = [private, address.public].into_iter().flatten().filter(|goal| goal.family == from.family);
            for goal in goals.filter(|_| takes) {
                best = best.max(talks(net, *caller, goal, protocol, port));
            }
        }
        best = best.max(balanced(net, *caller, to, protocol, port));
    }
    best
}

/// The first difference, over all callers and targets of the first VPC.
fn compare(truth_of: &[((usize, usize, usize), Told)], engine: &Network) -> Option<String> {
    for ((from, to, asked), want) in truth_of {
        let (protocol, port) = ASKED[*asked];
        let caller = match from.checked_sub(OUTSIDE.len()) {
            None => Place::Address(addr(OUTSIDE[*from])),
            Some(at) => Place::Interfaces(vec![at]),
        };
        let answer = reach(engine, &caller, &Place::Interfaces(vec![*to]), &Ports::of(protocol, Some(port), Some(port)));
        let got = match answer.answer {
            Verdict::Reachable => Told::Yes,
            Verdict::Unknown => Told::Odd,
            Verdict::Blocked => Told::No,
        };
        if got != *want {
            return Some(format!("{caller:?} -> {to} {protocol}/{port}: oracle {want:?}\n{answer:#?}"));
        }
    }
    None
}

fn questions(net: &Network) -> Vec<((usize, usize, usize), Told)> {
    let goals = (0..net.interfaces.len()).filter(|at| net.interfaces[*at].subnet.id.starts_with("subnet-0-"));
    let goals: Vec<usize> = goals.filter(|at| net.interfaces[*at].owner.kind != OwnerKind::Nat).collect();
    let mut all = Vec::new();
    let outside = OUTSIDE.iter().map(|from| vec![Caller::Internet(addr(from))]);
    let inside = net.interfaces.iter().enumerate();
    let inside = inside.map(|(at, i)| i.addresses.iter().map(|a| Caller::Interface(at, a.private)).collect::<Vec<_>>());
    for (from, callers) in outside.chain(inside).enumerate() {
        for to in goals.iter().copied().filter(|to| from != OUTSIDE.len() + to) {
            for (asked, port) in ASKED.iter().enumerate() {
                all.push(((from, to, asked), truth(net, &callers, to, *port)));
            }
        }
    }
    all
}

#[test]
fn targets_behind_balancers_agree_with_the_oracle() {
    let (mut seen, mut by_balancer) = (0, 0);
    for seed in 700..716 {
        let raw = with_balancers(seed);
        if overlapping(&raw) {
            continue;
        }
        let net = raw.finish();
        let all = questions(&net);
        if let Some(difference) = compare(&all, &net) {
            panic!("seed {seed}: {difference}");
        }
        seen += all.iter().filter(|(_, told)| *told == Told::Yes).count();
        let outside = |at: &usize| Caller::Internet(addr(OUTSIDE[*at]));
        let reached = (0..OUTSIDE.len())
            .filter(|at| (0..net.interfaces.len()).any(|to| balanced(&net, outside(at), to, 6, 22) == Told::Yes));
        by_balancer += reached.count();
    }
    assert!(seen > 50 && by_balancer > 5, "the accounts must show something: {seen}, {by_balancer}");
}

#[test]
fn planted_faults_of_balancers_are_noticed() {
    let mut missed: Vec<_> = BALANCED.to_vec();
    for seed in 720..780 {
        let raw = with_balancers(seed);
        if overlapping(&raw) {
            continue;
        }
        let all = questions(&raw.clone().finish());
        missed.retain(|fault| compare(&all, &Network { fault: Some(*fault), ..raw.clone() }.finish()).is_none());
        if missed.is_empty() {
            return;
        }
    }
    panic!("{missed:?}");
}
