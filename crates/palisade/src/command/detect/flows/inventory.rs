//! What a network's settings tell flow log detectors: whose addresses are whose, and whether a flow can be.

use detect::flow::{Inventory, Reach};
use logs::flow::Address;
use net::network::OwnerKind;
use net::{Addr, Family, Network, Place, Ports, Verdict};

fn address(addr: Addr) -> Address {
    if addr.family == Family::V4 { Address::v4(addr.bits as u32) } else { Address(addr.bits) }
}

fn addr(address: Address) -> Addr {
    Addr::from(address.ip())
}

/// Everything that the networks tell.
pub(super) fn of(networks: &[(String, Network)]) -> Inventory {
    let mut inventory = Inventory::default();
    let mut complete = true;
    for (_, network) in networks {
        complete &= network.interfaces_unknown.is_none() && network.vpcs.iter().all(|vpc| vpc.interfaces_unknown.is_none());
        for interface in &network.interfaces {
            let owner = if interface.owner.id.is_empty() { &interface.id } else { &interface.owner.id };
            let forwards =
                matches!(interface.owner.kind, OwnerKind::Balancer | OwnerKind::Nat | OwnerKind::Endpoint | OwnerKind::Transit)
                    || interface.source_dest_check == Some(false);
            if forwards {
                inventory.forwarders.insert(interface.id.to_string());
            }
            for held in interface.addresses.iter().filter(|held| held.within.is_none()) {
                inventory.owners.insert(address(held.private), owner.to_string());
                if let Some(public) = held.public.filter(|_| !held.public_loose) {
                    inventory.owners.insert(address(public), owner.to_string());
                    inventory.public.insert(address(public));
                }
            }
        }
        for cidr in network.subnets.iter().flat_map(|subnet| &subnet.cidrs).filter(|cidr| cidr.family == Family::V4) {
            inventory.subnets.push((address(Addr { family: cidr.family, bits: cidr.low }), cidr.len));
        }
    }
    if !complete {
        inventory.subnets.clear();
    }
    inventory
}

/// Whether the settings let a flow through, by the network that has its target.
pub(super) fn ask(networks: &[(String, Network)], [from, to]: [Address; 2], protocol: u8, port: u16) -> Reach {
    let (from, to) = (addr(from), addr(to));
    let holds = |network: &Network| {
        network.interfaces.iter().any(|i| i.addresses.iter().any(|held| held.private == to || held.public == Some(to)))
    };
    let Some((_, network)) = networks.iter().find(|(_, network)| holds(network)) else { return Reach::Unknown };
    let ports = Ports::of(protocol, Some(port), Some(port));
    let answer = net::reach(network, &Place::Address(from), &Place::Address(to), &ports);
    match answer.answer {
        Verdict::Reachable => Reach::Open,
        Verdict::Unknown => Reach::Unknown,
        Verdict::Blocked => Reach::Blocked(
            answer.blockers.iter().map(|b| format!("{} {} ({})", b.component, b.id, b.code)).collect::<Vec<_>>().join(", "),
        ),
    }
}
