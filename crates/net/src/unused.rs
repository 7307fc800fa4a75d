//! Rules that change nothing: redundant group rules, ACL lines in another one's shadow, groups that nothing uses.

use serde::{Deserialize, Serialize};

use crate::network::{AclEntry, GroupRule, Network, Peer};
use crate::ports::Ports;

/// More rules than this in one group or ACL are not compared with one another.
pub(crate) const RULES_COMPARED_MAX: usize = 2_000;

/// A rule that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unused {
    /// The group or ACL.
    pub id: String,
    /// The rule; empty if all of it is unused.
    pub rule: String,
    /// `redundant`, `shadowed` or `unattached`.
    pub why: String,
    /// The rule that makes it so; empty if there is not just one.
    pub by: String,
}

/// All rules that change nothing, in the network's order.
pub fn unused(net: &Network) -> Vec<Unused> {
    let mut rows = Vec::new();
    let row =
        |id: &str, rule: &str, why: &str, by: &str| Unused { id: id.into(), rule: rule.into(), why: why.into(), by: by.into() };
    for group in &net.groups {
        for rules in [&group.inbound, &group.outbound] {
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
        let attached = net.interfaces.iter().any(|i| i.groups.iter().any(|g| g.id == group.id));
        let named = |r: &GroupRule| matches!(&r.peer, Peer::Group(link) if link.id == group.id);
        let referred = net.groups.iter().filter(|g| g.id != group.id).any(|g| g.inbound.iter().chain(&g.outbound).any(named));
        if !attached && !referred && net.interfaces_unknown.is_none() && group.name.as_ref() != "default" {
            rows.push(row(&group.id, "", "unattached", ""));
        }
    }
    for acl in &net.acls {
        for lines in [&acl.inbound, &acl.outbound] {
            for (at, line) in lines.iter().enumerate().take(RULES_COMPARED_MAX) {
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
