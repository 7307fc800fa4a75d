//! Load balancers: a call to a node, then a call of the node, or the client's own call passed on.

use crate::addr::Addr;
use crate::network::{Balancer, BalancerKind, Network, TargetGroup};

use super::{Caller, Packet, Sim, Spot, Told, group_allows, talks};

/// Whether the caller gets to a target by way of a balancer with a listener whose targets are sent this protocol and port.
pub(crate) fn balanced(net: &Network, caller: Caller, target: usize, protocol: u8, port: u16) -> Told {
    let mut best = Told::No;
    for balancer in &net.balancers {
        for listener in &balancer.listeners {
            for group in net.target_groups.iter().filter(|g| listener.groups.contains(&g.id)) {
                let number = if group.protocol.as_ref() == "UDP" { 17 } else { 6 };
                if (number, group.port.unwrap()) != (protocol, port) {
                    continue;
                }
                for node in balancer.interfaces.iter().map(|i| net.interfaces.iter().position(|x| x.id == i.id).unwrap()) {
                    if matches!(caller, Caller::Interface(at, _) if at == node) {
                        continue;
                    }
                    for to in group.targets.iter().filter_map(|t| meant(net, group, &t.id)).filter(|(at, _)| *at == target) {
                        best = best.max(by_node(net, caller, balancer, node, to, (group, listener.port)));
                    }
                }
            }
        }
    }
    best
}

fn meant(net: &Network, group: &TargetGroup, id: &str) -> Option<(usize, Addr)> {
    net.interfaces.iter().enumerate().find_map(|(at, interface)| {
        let addr = interface.addresses[0].private;
        let mine = if group.kind.as_ref() == "ip" { addr.to_string() == id } else { interface.owner.id.as_ref() == id };
        mine.then_some((at, addr))
    })
}

fn by_node(
    net: &Network,
    caller: Caller,
    balancer: &Balancer,
    node: usize,
    (target, to): (usize, Addr),
    (group, listener): (&TargetGroup, u16),
) -> Told {
    let zone = |at: usize| net.subnets.iter().find(|s| s.id == net.interfaces[at].subnet.id).unwrap().zone.clone();
    if !balancer.cross_zone && zone(node) != zone(target) {
        return Told::No;
    }
    let number = if group.protocol.as_ref() == "UDP" { 17 } else { 6 };
    let own = net.interfaces[node].addresses[0].clone();
    let family = match caller {
        Caller::Interface(_, addr) | Caller::Internet(addr) | Caller::Gateway(_, addr) | Caller::Attachment(_, addr) => {
            addr.family
        }
    };
    if own.private.family != family {
        return Told::No;
    }
    let fronts = [Some(own.private).filter(|_| !matches!(caller, Caller::Internet(_))), own.public];
    let front = fronts.into_iter().flatten().map(|dst| talks(net, caller, dst, number, listener)).max().unwrap_or(Told::No);
    let keeps =
        balancer.kind == BalancerKind::Network && group.preserve_client.unwrap_or(group.kind.as_ref() != "ip" || number == 17);
    let second = match (keeps, caller) {
        (true, Caller::Internet(client)) => kept(net, node, target, to, (client, None), (number, group.port.unwrap())),
        (true, Caller::Interface(at, client)) => kept(net, node, target, to, (client, Some(at)), (number, group.port.unwrap())),
        _ => talks(net, Caller::Interface(node, own.private), to, number, group.port.unwrap()),
    };
    front.min(second)
}

/// The node sends the client's packet on as it is; the answer comes back through it.
fn kept(net: &Network, node: usize, target: usize, to: Addr, (client, from): (Addr, Option<usize>), port: (u8, u16)) -> Told {
    let vpc = |at: usize| net.subnets.iter().find(|s| s.id == net.interfaces[at].subnet.id).unwrap().vpc.id.clone();
    let near = from.filter(|at| vpc(*at) == vpc(target));
    let members = [Some(node), near].into_iter().flatten();
    let inward = members.into_iter().any(|member| group_allows(net, target, true, client, Some(member), port));
    if !inward || !group_allows(net, node, false, to, Some(target), port) {
        return Told::No;
    }
    let home = |at: usize| net.subnets.iter().position(|s| s.id == net.interfaces[at].subnet.id).unwrap();
    let crosses = home(node) != home(target);
    let open = |number: u16| {
        let mut sim = Sim::new(net, false);
        let mut packet = Packet { src: client, dst: to, protocol: port.0, from: number, to: port.1 };
        let there = sim.leave(node, &mut packet) == Some(Spot::At(target));
        let back = Packet { src: to, dst: client, protocol: port.0, from: port.1, to: number };
        let acls = !crosses || (sim.acl(home(target), false, &back) && sim.acl(home(node), true, &back));
        there && acls
    };
    let edges = super::client_ports(net, port.0);
    if edges.into_iter().any(open) { Told::Yes } else { Told::No }
}
