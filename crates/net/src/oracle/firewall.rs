//! Network Firewall, one packet or one connection at a time.

use crate::addr::{Addr, Cidr};
use crate::firewall::{Act, Ends, Firewall, FirewallGroup, Judgement, Match, Part, Rest};
use crate::network::Network;

use super::Packet;

/// Stateless rules, the lowest priority first; else the default action.
pub(super) fn packet(net: &Network, firewall: &Firewall, packet: &Packet) -> Act {
    let policy = net.firewall_policies.iter().find(|p| p.id == firewall.policy.id).unwrap();
    let mut groups = policy.stateless.clone();
    groups.sort_by_key(|(priority, _)| *priority);
    for (_, link) in groups {
        let group = net.firewall_groups.iter().find(|g| g.id == link.id).unwrap();
        let mut rules = group.stateless.clone();
        rules.sort_by_key(|rule| rule.priority);
        for rule in rules {
            if fits(net, firewall, group, &rule.of, packet) {
                return rule.act;
            }
        }
    }
    policy.stateless_rest.unwrap()
}

/// Stateful rules: by action the first pass, else any drop, else through; in strict order the first of either, else the default.
pub(super) fn connection(net: &Network, firewall: &Firewall, packet: &Packet) -> bool {
    let policy = net.firewall_policies.iter().find(|p| p.id == firewall.policy.id).unwrap();
    let mut matching = Vec::new();
    let mut groups = policy.stateful.clone();
    groups.sort_by_key(|(priority, _)| *priority);
    for (_, link) in groups {
        let group = net.firewall_groups.iter().find(|g| g.id == link.id).unwrap();
        for rule in &group.stateful {
            let back = Packet { src: packet.dst, dst: packet.src, protocol: packet.protocol, from: packet.to, to: packet.from };
            let either = rule.both_ways && fits(net, firewall, group, &rule.of, &back);
            if either || fits(net, firewall, group, &rule.of, packet) {
                matching.push(rule.judgement);
            }
        }
    }
    let decisive = matching.iter().find(|j| **j != Judgement::Alert);
    match policy.strict {
        false => matching.contains(&Judgement::Pass) || !matching.contains(&Judgement::Drop),
        true => decisive.map_or(policy.stateful_rest == Rest::Pass, |j| *j == Judgement::Pass),
    }
}

fn fits(net: &Network, firewall: &Firewall, group: &FirewallGroup, of: &Match, packet: &Packet) -> bool {
    let vpc = net.vpcs.iter().find(|v| v.id == firewall.vpc.id).unwrap();
    let home = group.home.as_ref().unwrap_or(&vpc.cidrs);
    let ported = matches!(packet.protocol, 6 | 17);
    let ports = !ported || (of.source_ports.contains(packet.from) && of.destination_ports.contains(packet.to));
    let number = of.protocols.contains(packet.protocol, packet.to);
    ports && number && named(&of.sources, home, packet.src) && named(&of.destinations, home, packet.dst)
}

fn named(ends: &Ends, home: &[Cidr], addr: Addr) -> bool {
    let inside = |part: &Part| match part {
        Part::Block(block) => block.contains(addr),
        Part::Home => home.iter().any(|block| block.contains(addr)),
        Part::List(_) | Part::Unknown(_) => false,
    };
    let wanted: Vec<&Part> = ends.parts.iter().filter(|(not, _)| !not).map(|(_, part)| part).collect();
    let excluded = ends.parts.iter().any(|(not, part)| *not && inside(part));
    !excluded && (wanted.is_empty() || wanted.into_iter().any(inside))
}
