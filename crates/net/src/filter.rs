//! Security groups and network ACLs: what they let through between two given addresses.
//!
//! Sources: the VPC user guide's pages "Security group rules" and "Network ACL basics".

use model::{Text, Truth};

use crate::addr::{Addr, Cidr};
use crate::fault::Fault;
use crate::network::{AclEntry, GroupRule, Link, Network, Peer};
use crate::ports::Ports;

/// What gets through for sure, what may get through, and why the two differ. `sure` is always inside `may`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter {
    pub(crate) sure: Ports,
    pub(crate) may: Ports,
    pub(crate) reasons: Vec<Text>,
}

impl Filter {
    pub(crate) fn open() -> Filter {
        Filter { sure: Ports::full(), may: Ports::full(), reasons: Vec::new() }
    }

    pub(crate) fn closed() -> Filter {
        Filter::default()
    }

    pub(crate) fn only(ports: Ports) -> Filter {
        Filter { sure: ports.clone(), may: ports, reasons: Vec::new() }
    }

    pub(crate) fn unknown(reason: impl Into<Text>) -> Filter {
        Filter { sure: Ports::none(), may: Ports::full(), reasons: vec![reason.into()] }
    }

    fn because(&mut self, reason: Text) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }
}

/// Inbound or outbound, as seen from the interface or subnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Way {
    In,
    Out,
}

/// The other side of a packet, as a rule sees it.
#[derive(Clone, Debug)]
pub(crate) struct Side {
    /// Its address.
    pub(crate) addr: Addr,
    /// The address is a stand-in for some address of this block.
    pub(crate) within: Option<Cidr>,
    /// The interfaces whose groups count as the peer's.
    pub(crate) members: Vec<usize>,
    /// Whether group membership survives the way the packet took.
    pub(crate) grouped: Truth,
}

/// Whether a block holds an address that may be a stand-in.
pub(crate) fn holds(block: Cidr, addr: Addr, within: Option<Cidr>) -> Truth {
    match within {
        None => block.contains(addr).into(),
        Some(range) if block.covers(range) => Truth::True,
        Some(range) if block.meets(range) => Truth::Unknown,
        Some(_) => Truth::False,
    }
}

impl Network {
    /// What the groups of an interface let in or out to the other side: the union over all rules of all groups.
    pub(crate) fn group_filter(&self, interface: usize, way: Way, side: &Side) -> Filter {
        let interface = self.interface(interface);
        if interface.ungrouped || (self.faulty(Fault::EgressIgnored) && way == Way::Out) {
            return Filter::open();
        }
        let mut filter = Filter::closed();
        if let Some(reason) = &interface.groups_unknown {
            filter.may = Ports::full();
            filter.because(reason.clone());
        }
        let take = if self.faulty(Fault::FirstGroupOnly) { 1 } else { usize::MAX };
        for link in interface.groups.iter().take(take) {
            let Some(group) = link.at.map(|at| self.group(at)) else {
                if !self.faulty(Fault::DanglingBlocks) {
                    filter.may = Ports::full();
                    filter.because(format!("security group {} isn't in the snapshot", link.id).into());
                }
                continue;
            };
            if let Some(reason) = &group.unknown {
                filter.may = Ports::full();
                filter.because(reason.clone());
            }
            let rules = if way == Way::In { &group.inbound } else { &group.outbound };
            rules.iter().for_each(|rule| self.apply_group_rule(&mut filter, rule, side));
        }
        filter
    }

    /// Whether some rule of the interface's groups names one of these ports, whoever the other side is.
    pub(crate) fn names_ports(&self, interface: usize, way: Way, ports: &Ports) -> bool {
        let interface = self.interface(interface);
        let known = interface.groups.iter().map(|link| link.at.map(|at| self.group(at)).filter(|group| group.unknown.is_none()));
        interface.ungrouped
            || interface.groups_unknown.is_some()
            || known.into_iter().any(|group| {
                group.is_none_or(|group| {
                    let rules = if way == Way::In { &group.inbound } else { &group.outbound };
                    rules.iter().any(|rule| rule.ports.meets(ports))
                })
            })
    }

    fn apply_group_rule(&self, filter: &mut Filter, rule: &GroupRule, side: &Side) {
        let matches = self.peer_matches(&rule.peer, side);
        if matches == Truth::False {
            return;
        }
        filter.may = filter.may.or(&rule.ports);
        if matches == Truth::True && rule.ports_unknown.is_none() {
            filter.sure = filter.sure.or(&rule.ports);
            return;
        }
        if let Some(reason) = &rule.ports_unknown {
            filter.because(reason.clone());
        }
        if matches == Truth::Unknown {
            filter.because(self.peer_unknown(&rule.peer, side));
        }
    }

    /// Whether the other side is one that the rule names.
    pub(crate) fn peer_matches(&self, peer: &Peer, side: &Side) -> Truth {
        match peer {
            Peer::Block(block) => holds(*block, side.addr, side.within),
            Peer::List(link) => match link.at.map(|at| self.prefix_list(at)).filter(|list| list.known) {
                Some(list) => list.cidrs.iter().fold(Truth::False, |any, c| any.or(holds(*c, side.addr, side.within))),
                None if self.faulty(Fault::DanglingBlocks) => Truth::False,
                None => Truth::Unknown,
            },
            Peer::Group(link) => self.is_member(link, side),
            Peer::Unknown(_) => Truth::Unknown,
        }
    }

    fn is_member(&self, link: &Link, side: &Side) -> Truth {
        if self.faulty(Fault::GroupReferenceIgnored) {
            return Truth::False;
        }
        if self.faulty(Fault::GroupReferenceMatchesAll) {
            return side.grouped;
        }
        let member = side.members.iter().fold(Truth::False, |any, at| {
            let interface = self.interface(*at);
            let named = interface.groups.iter().any(|group| group.id == link.id);
            let unsure = interface.groups_unknown.is_some();
            any.or(if named {
                Truth::True
            } else if unsure {
                Truth::Unknown
            } else {
                Truth::False
            })
        });
        if self.faulty(Fault::GroupReferencePublic) { member } else { member.and(side.grouped) }
    }

    fn peer_unknown(&self, peer: &Peer, side: &Side) -> Text {
        match peer {
            Peer::Block(block) => format!("the address is chosen at deploy time: whether it is in {block} isn't known").into(),
            Peer::List(link) => format!("prefix list {} isn't in the snapshot", link.id).into(),
            Peer::Group(link) => match side.members.iter().find_map(|at| self.interface(*at).groups_unknown.clone()) {
                Some(reason) => reason,
                None => format!("whether references to group {} work along this path isn't known", link.id).into(),
            },
            Peer::Unknown(reason) => reason.clone(),
        }
    }

    /// The rule of an interface's groups that lets this protocol and port through: `(group id, rule id)`.
    pub(crate) fn group_rule(&self, interface: usize, way: Way, side: &Side, port: (u8, u16)) -> Option<(Text, Text)> {
        let mut perhaps = None;
        for link in &self.interface(interface).groups {
            let Some(group) = link.at.map(|at| self.group(at)) else { continue };
            for rule in if way == Way::In { &group.inbound } else { &group.outbound } {
                if !rule.ports.contains(port.0, port.1) {
                    continue;
                }
                match self.peer_matches(&rule.peer, side) {
                    Truth::True if rule.ports_unknown.is_none() => return Some((group.id.clone(), rule.id.clone())),
                    Truth::False => {}
                    _ => perhaps = perhaps.or_else(|| Some((group.id.clone(), rule.id.clone()))),
                }
            }
        }
        perhaps
    }

    /// What a subnet's ACL lets in or out to the other side: the lowest number that matches decides, and what no line matches
    /// is denied.
    pub(crate) fn acl_filter(&self, subnet: usize, way: Way, addr: Addr, within: Option<Cidr>) -> Filter {
        if self.faulty(Fault::AclIgnored) {
            return Filter::open();
        }
        let subnet = self.subnet(subnet);
        let Some(acl) = subnet.acl.at.map(|at| self.acl(at)) else {
            if self.faulty(Fault::DanglingBlocks) {
                return Filter::closed();
            }
            return Filter::unknown(match subnet.acl.is_none() {
                true => format!("the network ACL of {} isn't in the snapshot", subnet.id),
                false => format!("network ACL {} isn't in the snapshot", subnet.acl.id),
            });
        };
        if let Some(reason) = &acl.unknown {
            return Filter::unknown(reason.clone());
        }
        let entries = if way == Way::In { &acl.inbound } else { &acl.outbound };
        self.first_match(entries, addr, within)
    }

    fn first_match(&self, entries: &[AclEntry], addr: Addr, within: Option<Cidr>) -> Filter {
        let mut filter = Filter::closed();
        let (mut left_sure, mut left_may) = (Ports::full(), Ports::full());
        for entry in entries {
            let matches = match (entry.cidr, &entry.unknown) {
                (Some(cidr), None) => holds(cidr, addr, within),
                (Some(cidr), Some(_)) if holds(cidr, addr, within) == Truth::False => Truth::False,
                _ => Truth::Unknown,
            };
            if matches == Truth::Unknown {
                let reason = entry.unknown.clone();
                filter.because(reason.unwrap_or_else(|| {
                    "an address is chosen at deploy time, and a network ACL line names part of its range".into()
                }));
            }
            match (entry.allow, matches) {
                (_, Truth::False) => continue,
                (true, Truth::True) => {
                    filter.sure = filter.sure.or(&left_sure.and(&entry.ports));
                    filter.may = filter.may.or(&left_may.and(&entry.ports));
                }
                (true, Truth::Unknown) => filter.may = filter.may.or(&left_may.and(&entry.ports)),
                (false, Truth::True) if self.faulty(Fault::AclOrderIgnored) => continue,
                (false, Truth::True) => {}
                (false, Truth::Unknown) => left_sure = left_sure.minus(&entry.ports),
            }
            if matches == Truth::True {
                left_sure = left_sure.minus(&entry.ports);
                left_may = left_may.minus(&entry.ports);
            }
            if left_may.is_empty() {
                break;
            }
        }
        filter
    }

    /// The number of the ACL line that decides for this protocol and port, `*` for the one behind all others.
    pub(crate) fn acl_rule(&self, subnet: usize, way: Way, addr: Addr, port: (u8, u16)) -> Text {
        let Some(acl) = self.subnet(subnet).acl.at.map(|at| self.acl(at)) else { return "".into() };
        let entries = if way == Way::In { &acl.inbound } else { &acl.outbound };
        let decides = |e: &&AclEntry| e.cidr.is_none_or(|c| c.contains(addr)) && e.ports.contains(port.0, port.1);
        entries.iter().find(decides).map_or_else(|| "*".into(), |e| e.number.to_string().into())
    }
}
