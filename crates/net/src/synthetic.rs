//! Synthetic accounts of any size, the same for the same seed: for benchmarks and for trying things out.

use crate::addr::{Addr, Cidr, Family};
use crate::network::{
    Acl, AclEntry, Address, Destination, Gateway, Group, GroupRule, Interface, Link, Network, Peer, Route, State, Subnet, Table,
    Target, Vpc,
};
use crate::ports::Ports;

/// How large an account is to be.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Interfaces, 250 to a subnet, 50 subnets to a VPC.
    pub interfaces: usize,
    /// Security groups, about eight rules each; one to three to an interface.
    pub groups: usize,
}

/// A mixing function (SplitMix64) in place of a random number generator: no state but a counter.
fn mix(seed: u64, n: u64) -> u64 {
    let mut z = seed.wrapping_add(n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// An account of VPCs that are joined to nothing but the internet; every other subnet is public.
pub fn account(size: Size, seed: u64) -> Network {
    let mut net = Network::default();
    let subnets = size.interfaces.div_ceil(250).max(1);
    for s in 0..subnets {
        if s.is_multiple_of(50) {
            vpc(&mut net, s / 50);
        }
        subnet(&mut net, s);
    }
    for g in 0..size.groups {
        group(&mut net, g, size.groups, seed);
    }
    for i in 0..size.interfaces {
        interface(&mut net, i, size.groups, seed);
    }
    net.finish()
}

fn vpc(net: &mut Network, v: usize) {
    let id = format!("vpc-{v}");
    let low = (10u128 << 24) + ((v as u128 & 0xff) << 16);
    net.vpcs.push(Vpc { id: id.as_str().into(), cidrs: vec![Cidr { family: Family::V4, low, len: 16 }], ..Vpc::default() });
    net.gateways.push(Gateway { id: format!("igw-{v}").into(), vpcs: vec![(id.as_str().into(), State::Up)], egress_only: false });
    let line = || vec![AclEntry { number: 100, allow: true, cidr: Some(Cidr::V4_ALL), ports: Ports::full(), unknown: None }];
    let link = Link::to(id.as_str());
    net.acls.push(Acl {
        id: format!("acl-{v}").into(),
        vpc: link.clone(),
        default: true,
        inbound: line(),
        outbound: line(),
        ..Acl::default()
    });
    let mut open = line();
    open.insert(
        0,
        AclEntry { number: 90, allow: false, cidr: Cidr::parse("198.51.100.0/24"), ports: Ports::tcp(22, 22), unknown: None },
    );
    net.acls.push(Acl {
        id: format!("acl-open-{v}").into(),
        vpc: link.clone(),
        inbound: open,
        outbound: line(),
        ..Acl::default()
    });
    net.tables.push(Table { id: format!("rtb-main-{v}").into(), vpc: link.clone(), main: true, ..Table::default() });
    let target = Target::Internet(Link::to(format!("igw-{v}")));
    let route = Route { to: Destination::Block(Cidr::V4_ALL), target, state: State::Up, propagated: false };
    net.tables.push(Table { id: format!("rtb-open-{v}").into(), vpc: link, routes: vec![route], ..Table::default() });
}

fn subnet(net: &mut Network, s: usize) {
    let (v, n) = (s / 50, s % 50);
    let low = (10u128 << 24) + ((v as u128 & 0xff) << 16) + ((n as u128) << 8);
    let id: model::Text = format!("subnet-{s}").into();
    if s.is_multiple_of(2) {
        if let Some(table) = net.tables.last_mut() {
            table.subnets.push(id.clone());
        }
        if let Some(acl) = net.acls.last_mut() {
            acl.subnets.push(id.clone());
        }
    }
    let cidrs = vec![Cidr { family: Family::V4, low, len: 24 }];
    net.subnets.push(Subnet { id, vpc: Link::to(format!("vpc-{v}")), zone: "a".into(), cidrs, ..Subnet::default() });
}

fn group(net: &mut Network, g: usize, groups: usize, seed: u64) {
    let mut group = Group { id: format!("sg-{g}").into(), ..Group::default() };
    for r in 0..8u64 {
        let dice = mix(seed, g as u64 * 64 + r);
        let ports = match dice % 5 {
            0 => Ports::tcp(443, 443),
            1 => Ports::tcp(22, 22),
            2 => Ports::tcp(5432, 5432),
            3 => Ports::tcp(8000 + (dice >> 8) as u16 % 1000, 9000),
            _ => Ports::udp(53, 53),
        };
        let peer = match (dice >> 20) % 5 {
            0 | 1 => Peer::Group(Link::to(format!("sg-{}", (dice >> 32) as usize % groups))),
            2 => Peer::Block(Cidr { family: Family::V4, low: (10u128 << 24) + (u128::from((dice >> 32) % 50) << 8), len: 24 }),
            3 => Peer::Block(Cidr { family: Family::V4, low: 10u128 << 24, len: 8 }),
            _ if (dice >> 40).is_multiple_of(8) => Peer::Block(Cidr::V4_ALL),
            _ => {
                Peer::Block(Cidr { family: Family::V4, low: (203u128 << 24) + (u128::from((dice >> 32) & 0xffff) << 8), len: 24 })
            }
        };
        group.inbound.push(GroupRule { id: format!("sgr-{g}-{r}").into(), ports, ports_unknown: None, peer });
    }
    let outbound =
        |ports| GroupRule { id: format!("sgr-{g}-out").into(), ports, ports_unknown: None, peer: Peer::Block(Cidr::V4_ALL) };
    group.outbound.push(outbound(if mix(seed, !(g as u64)).is_multiple_of(8) { Ports::tcp(443, 443) } else { Ports::full() }));
    net.groups.push(group);
}

fn interface(net: &mut Network, i: usize, groups: usize, seed: u64) {
    let (s, n) = (i / 250, i % 250);
    let low = (10u128 << 24) + (((s / 50) as u128 & 0xff) << 16) + (((s % 50) as u128) << 8) + n as u128 + 4;
    let private = Addr { family: Family::V4, bits: low };
    let public =
        (s.is_multiple_of(2) && n.is_multiple_of(2)).then_some(Addr { family: Family::V4, bits: (54u128 << 24) + i as u128 });
    let dice = mix(seed, 1 << 40 | i as u64);
    let own = (0..=dice % 3).map(|k| Link::to(format!("sg-{}", mix(dice, k) as usize % groups.max(1)))).collect();
    let addresses = vec![Address { private, public, within: None, public_loose: false }];
    let subnet = Link::to(format!("subnet-{s}"));
    net.interfaces.push(Interface { id: format!("eni-{i}").into(), subnet, addresses, groups: own, ..Interface::default() });
}
