//! Rules that change nothing: redundant group rules, ACL lines in another one's shadow, groups that nothing uses.

use model::Text;
use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use crate::network::{AclEntry, GroupRule, Network, Peer};
use crate::ports::Ports;

/// More rules than this in one direction of a group or ACL are not compared with one another; a row says so.
pub(crate) const RULES_COMPARED_MAX: usize = 2_000;

/// The number of the line that AWS puts behind all others, which denies the rest: `*` in the console; IPv6 has the next one.
const ACL_LAST_NUMBER: i64 = 32_767;

/// A rule that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unused {
    /// The group or ACL.
    pub id: String,
    /// The rule; empty if all of it is unused.
    pub rule: String,
    /// `redundant`, `shadowed`, `unattached`, or `not compared` for the rules beyond the limit (`rules_compared_max`).
    pub why: String,
    /// The rule that makes it so; empty if there is not just one.
    pub by: String,
}

/// All rules that change nothing, in the network's order.
pub fn unused(net: &Network) -> Vec<Unused> {
    let mut rows = Vec::new();
    let row =
        |id: &str, rule: &str, why: &str, by: &str| Unused { id: id.into(), rule: rule.into(), why: why.into(), by: by.into() };
    let over = |id: &str, count: usize| {
        let beyond = count.checked_sub(RULES_COMPARED_MAX).filter(|n| *n > 0)?;
        Some(row(id, &format!("the last {beyond} rules"), "not compared", &format!("rules_compared_max is {RULES_COMPARED_MAX}")))
    };
    let complete = net.interfaces_unknown.is_none() && net.vpcs.iter().all(|v| v.interfaces_unknown.is_none());
    let attached: FxHashSet<&Text> = net.interfaces.iter().flat_map(|i| i.groups.iter().map(|g| &g.id)).collect();
    let mut referred: FxHashSet<&Text> = FxHashSet::default();
    for group in &net.groups {
        let peers = group.inbound.iter().chain(&group.outbound).map(|rule| &rule.peer);
        let others = peers.filter_map(|peer| if let Peer::Group(link) = peer { Some(&link.id) } else { None });
        referred.extend(others.filter(|id| **id != group.id));
    }
    for group in &net.groups {
        for rules in [&group.inbound, &group.outbound] {
            rows.extend(over(&group.id, rules.len()));
            for (at, rule) in rules.iter().enumerate().take(RULES_COMPARED_MAX) {
                let covering = rules.iter().take(RULES_COMPARED_MAX).enumerate();
                // Of two equal rules the later one is redundant, not both.
                let by = covering
                    .filter(|(n, _)| *n != at)
                    .find(|(n, other)| covers(other, rule) && (*n < at || !covers(rule, other)));
                if let Some((_, by)) = by {
                    rows.push(row(&group.id, &rule.id, "redundant", &by.id));
                }
            }
        }
        let used = attached.contains(&group.id) || referred.contains(&group.id);
        if !used && complete && group.name.as_ref() != "default" {
            rows.push(row(&group.id, "", "unattached", ""));
        }
    }
    for acl in &net.acls {
        for lines in [&acl.inbound, &acl.outbound] {
            rows.extend(over(&acl.id, lines.len()));
            // AWS adds the last line itself.
            let own = |(_, line): &(usize, &AclEntry)| line.number < ACL_LAST_NUMBER;
            for (at, line) in lines.iter().enumerate().filter(own).take(RULES_COMPARED_MAX) {
                let earlier = lines.get(..at).unwrap_or_default();
                if let Some(by) = shadow(earlier, line) {
                    rows.push(row(&acl.id, &line.number.to_string(), "shadowed", &by));
                }
            }
        }
    }
    rows
}

fn covers(wide: &GroupRule, narrow: &GroupRule) -> bool {
    let peers = match (&wide.peer, &narrow.peer) {
        (Peer::Block(a), Peer::Block(b)) => a.covers(*b),
        (Peer::Unknown(_), _) | (_, Peer::Unknown(_)) => false,
        (a, b) => a == b,
    };
    peers && wide.ports_unknown.is_none() && narrow.ports_unknown.is_none() && wide.ports.covers(&narrow.ports)
}

/// The earlier lines that leave nothing for this one: together they must take all its ports for all its block.
fn shadow(earlier: &[AclEntry], line: &AclEntry) -> Option<String> {
    let block = line.cidr?;
    if line.unknown.is_some() {
        return None;
    }
    let mut left = line.ports.clone();
    let mut by = Vec::new();
    for other in earlier.iter().filter(|e| e.unknown.is_none() && e.cidr.is_some_and(|c| c.covers(block))) {
        if left.meets(&other.ports) {
            left = left.minus(&other.ports);
            by.push(other.number.to_string());
        }
        if left == Ports::none() {
            return Some(by.join(", "));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::addr::Cidr;
    use crate::network::Group;

    use super::*;

    #[test]
    fn the_limit_of_what_is_compared() {
        let rule = |n: usize| GroupRule {
            id: format!("r{n}").into(),
            ports: Ports::tcp(n as u16, n as u16),
            ports_unknown: None,
            peer: Peer::Block(Cidr::V4_ALL),
        };
        let net = |n: usize| {
            let group =
                Group { id: "sg".into(), name: "default".into(), inbound: (0..n).map(rule).collect(), ..Group::default() };
            Network { groups: vec![group], ..Network::default() }.finish()
        };
        assert_eq!(unused(&net(RULES_COMPARED_MAX)).len(), 0);
        let rows = unused(&net(RULES_COMPARED_MAX + 1));
        assert_eq!((rows.len(), rows[0].why.as_str()), (1, "not compared"));
    }
}
