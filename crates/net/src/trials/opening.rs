//! Every "blocked by X" opens at X when X is opened as the answer says.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{account, addr, cidr};
use crate::addr::{Addr, Cidr};
use crate::answer::{Answer, Blocker};
use crate::network::{
    Acl, AclEntry, Destination, GroupRule, Link, Network, Peer, PublicAccessBlock, Route, State, Target, TransitRoute,
};
use crate::ports::Ports;
use crate::{Place, Verdict, code};

const OUTSIDE: &str = "8.8.8.8";

/// An account in which, every second time, groups and ACLs are open, so that the other components show.
fn opened(seed: u64) -> Network {
    let mut raw = account(seed);
    if seed.is_multiple_of(2) {
        let any = GroupRule { id: "any".into(), ports: Ports::full(), ports_unknown: None, peer: Peer::Block(Cidr::V4_ALL) };
        raw.groups.iter_mut().for_each(|g| (g.inbound, g.outbound) = (vec![any.clone()], vec![any.clone()]));
        let open = Acl::default_of(&"".into(), "".into());
        raw.acls.iter_mut().for_each(|a| (a.inbound, a.outbound) = (open.inbound.clone(), open.outbound.clone()));
    }
    raw
}

/// Interface to interface, interface to the internet, the internet to each public address.
fn questions(net: &Network) -> Vec<(Place, Place)> {
    let private = |at: usize| Place::Address(net.interfaces[at].addresses[0].private);
    let all = 0..net.interfaces.len();
    let outside = || Place::Address(addr(OUTSIDE));
    let pairs = all.clone().flat_map(|a| all.clone().filter(move |b| *b != a).map(move |b| (private(a), private(b))));
    let out = all.clone().map(|a| (private(a), outside()));
    let within = all.clone().map(|b| (outside(), Place::Interfaces(vec![b])));
    pairs.chain(out).chain(within).collect()
}

/// The address that a fix is about: its first word that is one.
fn wanted(blocker: &Blocker) -> Option<Addr> {
    blocker.opens.split([' ', ',', ':']).find_map(Addr::parse)
}

/// Makes the change that the blocker names. False if it isn't one that this account can make.
fn open(raw: &mut Network, blocker: &Blocker) -> bool {
    let is = |id: &str| blocker.id.split(',').any(|one| one == id);
    match (blocker.component.as_str(), blocker.code.as_str()) {
        ("network-acl", _) => raw.acls.iter_mut().filter(|acl| is(&acl.id)).for_each(|acl| {
            let cidr = Some(Cidr::V4_ALL);
            let line = AclEntry { number: 1, allow: true, cidr, ports: Ports::full(), unknown: None };
            acl.inbound.push(line.clone());
            acl.outbound.push(line);
        }),
        ("security-group", _) => raw.groups.iter_mut().filter(|g| is(&g.id)).for_each(|g| {
            let peer = Peer::Block(Cidr::V4_ALL);
            let rule = GroupRule { id: "open".into(), ports: Ports::full(), ports_unknown: None, peer };
            g.inbound.push(rule.clone());
            g.outbound.push(rule);
        }),
        ("network-firewall", _) => {
            for policy in &mut raw.firewall_policies {
                policy.stateless.clear();
                policy.stateless_rest = Some(crate::firewall::Act::Pass);
            }
        }
        ("vpc-peering-connection", code::BAD_STATE) => raw.peerings.iter_mut().for_each(|p| p.state = State::Up),
        ("vpc-block-public-access", _) => {
            raw.access_blocks.clear();
            raw.access_blocks.push(PublicAccessBlock::default());
        }
        ("internet-gateway", code::BAD_STATE_ATTACHMENT) => {
            raw.gateways.iter_mut().flat_map(|g| &mut g.vpcs).for_each(|(_, state)| *state = State::Up);
        }
        ("internet-gateway", code::IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS) => {
            let Some(private) = wanted(blocker) else { return false };
            let all = raw.interfaces.iter_mut().flat_map(|i| &mut i.addresses);
            all.filter(|a| a.private == private).for_each(|a| a.public = Some(addr("3.9.9.9")));
        }
        ("vpn-gateway", code::BAD_STATE_ATTACHMENT) => {
            raw.vpn_gateways.iter_mut().flat_map(|g| &mut g.vpcs).for_each(|(_, state)| *state = State::Up);
        }
        ("vpn-gateway" | "vpn-connection", code::BAD_STATE_VPN | code::TGW_BAD_STATE_VPN) => {
            raw.vpns.iter_mut().for_each(|v| v.state = State::Up);
        }
        ("transit-gateway-attachment", code::TGW_ROUTE_AZ_RESTRICTION) => {
            raw.subnets.iter_mut().for_each(|s| s.zone = "z1".into());
        }
        ("nat-gateway", code::BAD_STATE) => raw.nats.iter_mut().for_each(|n| n.state = State::Up),
        ("route-table", code::BAD_STATE_ROUTE) => {
            raw.tables.iter_mut().flat_map(|t| &mut t.routes).for_each(|r| r.state = State::Up);
        }
        ("route-table", code::NO_ROUTE_TO_DESTINATION) => return route(raw, blocker),
        ("transit-gateway-route-table", code::TGW_RTB_BAD_STATE_ROUTE) => {
            raw.transit_tables.iter_mut().flat_map(|t| &mut t.routes).for_each(|r| r.state = State::Up);
        }
        ("transit-gateway-route-table", code::TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT) => return transit_route(raw, blocker),
        _ => return false,
    }
    true
}

/// A route for the address that the fix names: to the internet gateway, or over the transit gateway.
fn route(raw: &mut Network, blocker: &Blocker) -> bool {
    let Some(goal) = wanted(blocker) else { return false };
    let Some(table) = raw.tables.iter_mut().find(|t| *t.id == *blocker.id) else { return false };
    let target = if goal == addr(OUTSIDE) {
        let own = raw.gateways.iter().find(|g| !g.egress_only && g.vpcs.iter().any(|(vpc, _)| *vpc == table.vpc.id));
        Target::Internet(Link::to(own.unwrap().id.clone()))
    } else {
        Target::Transit(Link::to("tgw-0"))
    };
    table.routes.push(Route { to: Destination::Block(Cidr::all(goal.family)), target, state: State::Up, propagated: false });
    true
}

/// A route in the transit gateway's table to the attachment of the VPC that has the address.
fn transit_route(raw: &mut Network, blocker: &Blocker) -> bool {
    let Some(goal) = wanted(blocker) else { return false };
    let Some(vpc) = raw.vpcs.iter().position(|v| v.cidrs.iter().any(|c| c.contains(goal))) else { return false };
    let Some(table) = raw.transit_tables.iter_mut().find(|t| *t.id == *blocker.id) else { return false };
    let to = cidr(&format!("{goal}/32"));
    table.routes.retain(|route| route.to != to);
    let attachments = vec![super::account::id("at", vpc)];
    table.routes.push(TransitRoute { to, attachments, state: State::Up, propagated: false });
    true
}

/// Where the way ends at a component, what lies behind it shows only once it is opened.
fn ends_there(blocker: &Blocker) -> bool {
    matches!(
        blocker.code.as_str(),
        code::NO_ROUTE_TO_DESTINATION
            | code::TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT
            | code::IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS
            | code::BAD_STATE_VPN
            | code::TGW_BAD_STATE_VPN
    )
}

/// A stateful firewall sees one direction only: what it makes of that is not AWS's promise.
fn half_seen(answer: &Answer) -> bool {
    let told = |r: &String| r.contains("do not come back through the endpoint") || r.contains("sees one direction");
    answer.answer == Verdict::Unknown && answer.reasons.iter().all(told)
}

#[test]
fn opening_the_only_blocker_opens_the_way() {
    let mut kinds: BTreeMap<(String, String), usize> = BTreeMap::new();
    for seed in 500..560 {
        let raw = opened(seed);
        let net = raw.clone().finish();
        let asked = Ports::tcp(22, 22);
        for (from, to) in questions(&net) {
            let answer = crate::reach(&net, &from, &to, &asked);
            let [blocker] = answer.blockers.as_slice() else { continue };
            let mut wider = raw.clone();
            if !open(&mut wider, blocker) {
                continue;
            }
            let now = crate::reach(&wider.finish(), &from, &to, &asked);
            let same = |b: &&Blocker| (&b.component, &b.id, &b.code) == (&blocker.component, &blocker.id, &blocker.code);
            let fine = match ends_there(blocker) {
                true => !now.blockers.iter().any(|b| same(&b)),
                false => now.answer == Verdict::Reachable || half_seen(&now),
            };
            assert!(fine, "seed {seed} {from:?} -> {to:?}: {answer:#?} {now:#?}");
            *kinds.entry((blocker.component.clone(), blocker.code.clone())).or_default() += 1;
        }
    }
    let met: BTreeSet<&str> = kinds.keys().map(|(_, code)| code.as_str()).collect();
    assert!(kinds.values().sum::<usize>() > 200 && met.len() > 10, "{kinds:#?}");
}
