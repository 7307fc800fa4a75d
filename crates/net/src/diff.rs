//! What two networks reach that the other does not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::direct::Source;
use crate::exposure::Exposure;
use crate::network::{Network, OwnerKind};
use crate::ports::Ports;

/// More interface pairs than this are not compared; what the internet reaches is compared always.
pub const COMPARED_PAIRS_MAX: usize = 40_000;

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Change {
    /// `opened` or `closed`.
    pub change: String,
    /// The rule that lets it through, in the network in which it does; empty where no rule is to be named.
    pub rule: String,
    /// Who calls: `internet` or an interface's owner.
    pub from: String,
    /// Who is called.
    pub to: String,
    /// Protocols and ports that are open in one network and not in the other.
    pub ports: String,
}

/// What is open between two ends, and by which rule.
type Open = BTreeMap<(String, String), (Ports, String)>;

fn name(net: &Network, at: usize) -> String {
    let interface = net.interface(at);
    if interface.owner.id.is_empty() { interface.id.to_string() } else { interface.owner.id.to_string() }
}

fn open(net: &Network, pairs: bool) -> Open {
    let mut open = Open::new();
    let mut add = |from: String, to: String, ports: Ports, rule: String| {
        let entry = open.entry((from, to)).or_insert_with(|| (Ports::none(), rule));
        entry.0 = entry.0.or(&ports);
    };
    for row in Exposure::all(net).into_iter().filter(|r| r.unknown.is_empty()) {
        add("internet".to_owned(), name(net, row.interface), row.ports.clone(), row.rule.to_string());
    }
    if pairs {
        let speaks = |at: &usize| !matches!(net.interface(*at).owner.kind, OwnerKind::Nat | OwnerKind::Transit);
        for a in (0..net.interfaces.len()).filter(speaks) {
            for b in (0..net.interfaces.len()).filter(speaks).filter(|b| *b != a) {
                let ends = (net.interface(a).addresses.first(), net.interface(b).addresses.first());
                let (Some(from), Some(to)) = ends else { continue };
                if from.private.family != to.private.family {
                    continue;
                }
                let source = Source::Interface { at: a, addr: from.private };
                let ports = net.converse(&source, to.private, Some(b)).sure();
                if !ports.is_empty() {
                    add(name(net, a), name(net, b), ports, String::new());
                }
            }
        }
    }
    open
}

/// The differences, by the rule that makes them, and whether pairs of interfaces were compared too.
pub fn diff(old: &Network, new: &Network) -> (Vec<Change>, bool) {
    let size = |net: &Network| net.interfaces.len().saturating_mul(net.interfaces.len());
    let pairs = size(old) <= COMPARED_PAIRS_MAX && size(new) <= COMPARED_PAIRS_MAX;
    let (old, new) = (open(old, pairs), open(new, pairs));
    let mut changes = Vec::new();
    for (word, here, there) in [("opened", &new, &old), ("closed", &old, &new)] {
        for ((from, to), (ports, rule)) in here {
            let before = there.get(&(from.clone(), to.clone())).map(|(p, _)| p.clone()).unwrap_or_default();
            let more = ports.minus(&before);
            if !more.is_empty() {
                let (from, to, rule) = (from.clone(), to.clone(), rule.clone());
                changes.push(Change { change: word.to_owned(), rule, from, to, ports: more.to_string() });
            }
        }
    }
    changes.sort();
    (changes, pairs)
}
