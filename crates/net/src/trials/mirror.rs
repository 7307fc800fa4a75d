//! The mirror law: an account whose every IPv4 address is turned into an IPv6 one answers for ICMPv6 and the rest as it did for
//! ICMP and the rest.

use super::account::account;
use super::overlapping;
use crate::addr::{Addr, Cidr, Family, is_internet};
use crate::direct::Source;
use crate::firewall::{Ends, Part};
use crate::network::{AclEntry, Destination, GroupRule, Network, Peer, Target};
use crate::ports::Ports;

/// Private addresses become unique local ones, public ones global ones.
fn mirrored(addr: Addr) -> Addr {
    let prefix: u128 = if is_internet(addr) { 0x2001_4860 << 96 } else { 0xfd00 << 112 };
    Addr { family: Family::V6, bits: prefix | addr.bits }
}

fn block(of: Cidr) -> Option<Cidr> {
    match of.family {
        Family::V6 => None,
        Family::V4 if of.len == 0 => Some(Cidr::V6_ALL),
        Family::V4 => Some(Cidr { family: Family::V6, low: mirrored(of.nth(0)).bits, len: of.len + 96 }),
    }
}

fn blocks(all: &mut Vec<Cidr>) {
    *all = all.iter().filter_map(|of| block(*of)).collect();
}

/// An echo request's type, or every type; other ICMP does not occur in these rules.
fn ports(of: &mut Ports) {
    if !of.icmp.is_full() && !of.icmp.is_empty() {
        of.icmp = Ports::none().icmp;
        of.icmp6 = Ports::of(58, Some(128), None).icmp6;
    } else {
        of.icmp6 = of.icmp.clone();
    }
}

fn rules(all: &mut Vec<GroupRule>) {
    all.retain_mut(|rule| {
        ports(&mut rule.ports);
        match &mut rule.peer {
            Peer::Block(of) => block(*of).map(|new| *of = new).is_some(),
            _ => true,
        }
    });
}

fn lines(all: &mut Vec<AclEntry>) {
    all.retain_mut(|line| {
        ports(&mut line.ports);
        block(line.cidr.unwrap()).map(|new| line.cidr = Some(new)).is_some()
    });
}

fn ends(of: &mut Ends) {
    for (_, part) in &mut of.parts {
        if let Part::Block(cidr) = part {
            *cidr = block(*cidr).unwrap();
        }
    }
}

/// IPv4 alone, without what has no likeness in IPv6: NAT, and public addresses that are not the interface's own.
fn plain(seed: u64) -> Network {
    let mut net = account(seed);
    let four = |c: &Cidr| c.family == Family::V4;
    net.vpcs.iter_mut().for_each(|v| v.cidrs.retain(four));
    net.subnets.iter_mut().for_each(|s| s.cidrs.retain(four));
    for interface in &mut net.interfaces {
        interface.addresses.truncate(1);
        interface.addresses[0].public = None;
    }
    for table in &mut net.tables {
        table.routes.retain(|r| !matches!(r.target, Target::Nat(_)) && !matches!(r.to, Destination::Block(c) if !four(&c)));
    }
    for acl in &mut net.acls {
        [&mut acl.inbound, &mut acl.outbound].into_iter().for_each(|all| all.retain(|l| l.cidr.is_some_and(|c| four(&c))));
    }
    for group in &mut net.groups {
        [&mut group.inbound, &mut group.outbound].into_iter().for_each(|all| {
            all.retain(|r| !matches!(r.peer, Peer::Block(c) if !four(&c)));
        });
    }
    net
}

fn mirror(mut net: Network) -> Network {
    net.vpcs.iter_mut().for_each(|v| blocks(&mut v.cidrs));
    net.subnets.iter_mut().for_each(|s| blocks(&mut s.cidrs));
    net.vpns.iter_mut().for_each(|v| blocks(&mut v.prefixes));
    net.prefix_lists.iter_mut().for_each(|l| blocks(&mut l.cidrs));
    for address in net.interfaces.iter_mut().flat_map(|i| &mut i.addresses) {
        address.private = mirrored(address.private);
    }
    for route in net.tables.iter_mut().flat_map(|t| &mut t.routes) {
        if let Destination::Block(of) = &mut route.to {
            *of = block(*of).unwrap();
        }
    }
    for route in net.transit_tables.iter_mut().flat_map(|t| &mut t.routes) {
        route.to = block(route.to).unwrap();
    }
    for acl in &mut net.acls {
        lines(&mut acl.inbound);
        lines(&mut acl.outbound);
    }
    for group in &mut net.groups {
        rules(&mut group.inbound);
        rules(&mut group.outbound);
    }
    for group in &mut net.firewall_groups {
        group.home.iter_mut().for_each(blocks);
        let less = group.stateless.iter_mut().map(|r| &mut r.of);
        for of in less.chain(group.stateful.iter_mut().map(|r| &mut r.of)) {
            ends(&mut of.sources);
            ends(&mut of.destinations);
            ports(&mut of.protocols);
        }
    }
    net
}

#[test]
fn six_answers_as_four_does() {
    let mut open = 0;
    for seed in 800..840 {
        let raw = plain(seed);
        if overlapping(&raw) {
            continue;
        }
        let (four, six) = (raw.clone().finish(), mirror(raw).finish());
        let goals = ["8.8.8.8", "172.16.0.9", "172.17.0.9", "172.24.0.9"].map(|a| (Addr::parse(a).unwrap(), None));
        for a in 0..four.interfaces.len() {
            let from = four.interfaces[a].addresses[0].private;
            let others =
                (0..four.interfaces.len()).filter(|b| *b != a).map(|b| (four.interfaces[b].addresses[0].private, Some(b)));
            for (dst, target) in others.chain(goals) {
                let ask = |net: &Network, from, dst| {
                    let trace = net.converse(&Source::Interface { at: a, addr: from }, dst, target);
                    (trace.sure(), trace.may())
                };
                let (this, that) = (ask(&four, from, dst), ask(&six, mirrored(from), mirrored(dst)));
                for (this, that) in [(&this.0, &that.0), (&this.1, &that.1)] {
                    assert_eq!(
                        (&this.tcp, &this.udp, this.other),
                        (&that.tcp, &that.udp, that.other),
                        "seed {seed}: {a} -> {dst}"
                    );
                    for (icmp, icmp6) in [(8 << 8, 128 << 8), (3 << 8, 1 << 8)] {
                        assert_eq!(this.contains(1, icmp), that.contains(58, icmp6), "seed {seed}: {a} -> {dst} icmp");
                    }
                }
                open += usize::from(!this.0.is_empty());
            }
        }
    }
    assert!(open > 100, "the accounts must show something: {open}");
}
