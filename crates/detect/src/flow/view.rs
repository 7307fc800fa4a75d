//! A fold as the detectors see it: conversations in groups, and whose an address is.

use logs::flow::Address;
use rustc_hash::{FxHashMap, FxHashSet};

use super::conversation::{Code, Key, PAID, Tally};
use super::fold::Fold;
use super::inventory::Inventory;
use super::table::mix;
use super::turned::Turned;

/// Whose an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// An interface of the logs or of the inventory.
    Mine,
    /// A private address that is not known to be one's own.
    Near,
    /// A public one.
    Far,
}

/// A conversation, seen at one or both of its interfaces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Talk {
    pub(crate) key: Key,
    pub(crate) tally: Tally,
    /// The other interface that saw it.
    pub(crate) also: Option<u32>,
}

/// Talks that belong together, in the order of their first records.
pub(crate) struct Group {
    pub(crate) talks: Vec<Talk>,
}

/// A conversation of a group: what `by` says, its number, its weight.
type Member = ([u64; 3], u32, u32);

/// Groups one after the other, each put together when it is its turn.
pub(crate) struct Groups<'v> {
    view: &'v View<'v>,
    members: Vec<Member>,
    /// Where the next group begins.
    at: usize,
    /// What a group must weigh.
    least: u64,
}

impl Iterator for Groups<'_> {
    type Item = Group;

    fn next(&mut self) -> Option<Group> {
        loop {
            let group = self.members.get(self.at..)?.chunk_by(|a, b| a.0 == b.0).next()?;
            self.at += group.len();
            if group.iter().map(|member| u64::from(member.2)).sum::<u64>() >= self.least {
                return Some(self.view.group(group));
            }
        }
    }
}

/// See the module.
pub(crate) struct View<'a> {
    pub(crate) fold: &'a Fold,
    pub(crate) inventory: &'a Inventory,
    mine: FxHashSet<Code>,
    /// Interfaces of which nothing tells what is their own.
    mixed: Vec<bool>,
    /// Addresses seen at those.
    mixed_any: bool,
    own_of: FxHashMap<u32, Vec<Code>>,
    /// The network that most conversations have an end in, where no interface's own address can be told and it is a public one.
    home: Option<(Address, u8)>,
    turned: Turned,
}

/// Interfaces that seem to belong to a public address, while others have private ones: an interface's own IPv4 address is never a
/// public one, so that it is somebody's who met many of one's own.
fn outsiders(fold: &Fold) -> FxHashSet<u32> {
    let one = |interface: &super::interface::Interface| {
        let named = !interface.name.is_empty() && interface.own.is_empty();
        interface.v4.one().filter(|code| named && !private(fold.address(*code)))
    };
    let suspects: FxHashMap<u32, Code> =
        (0..).zip(&fold.interfaces).filter_map(|(number, interface)| Some((number, one(interface)?))).collect();
    let mut found = FxHashSet::default();
    for (key, _) in fold.talks.iter().filter(|_| !suspects.is_empty()) {
        let Some(code) = suspects.get(&key.interface) else { continue };
        let other = if key.client == *code { key.server } else { key.client };
        if private(fold.address(other)) && !for_many(fold.address(other)) {
            found.insert(key.interface);
        }
    }
    found
}

/// Percent of the conversations that must have an end in a network for it to be taken for one's own.
const HOME_PERCENT: usize = 95;

/// The smallest public IPv4 network of 256 or 65,536 addresses that nearly all conversations have an end in, unless nearly all have a
/// private end.
fn home(fold: &Fold) -> Option<(Address, u8)> {
    let enough = |count: usize| count * 100 >= fold.talks.len() * HOME_PERCENT;
    let ends = |key: &Key| [fold.address(key.client), fold.address(key.server)];
    if enough(fold.talks.iter().filter(|(key, _)| ends(key).iter().any(|end| private(*end))).count()) {
        return None;
    }
    for bits in [24, 16] {
        let block = |address: Address| Address(address.0 >> (32 - bits) << (32 - bits));
        let mut counts: FxHashMap<Address, usize> = FxHashMap::default();
        for (key, _) in fold.talks.iter() {
            let [a, b] = ends(key).map(block);
            for end in if a == b { vec![a] } else { vec![a, b] } {
                *counts.entry(end).or_default() += 1;
            }
        }
        let most = counts.into_iter().filter(|(block, _)| block.is_v4()).max_by_key(|(block, count)| (*count, *block));
        if let Some((block, _)) = most.filter(|(block, count)| enough(*count) && !private(*block)) {
            return Some((block, bits));
        }
    }
    None
}

/// Counters that tell at little cost which groups may be large enough.
const CELLS: usize = 1 << 20;

/// RFC 1918, RFC 6598, RFC 4193, RFC 3927, RFC 4291.
const PRIVATE: &[(Address, u8)] = &[
    (Address::v4(0x0a00_0000), 8),
    (Address::v4(0xac10_0000), 12),
    (Address::v4(0xc0a8_0000), 16),
    (Address::v4(0x6440_0000), 10),
    (Address::v4(0xa9fe_0000), 16),
    (Address(0xfc00 << 112), 7),
    (Address(0xfe80 << 112), 10),
];

pub(crate) fn private(address: Address) -> bool {
    if address.is_v4() {
        // The same as below, for the many.
        let bits = address.0 as u32;
        return match bits >> 24 {
            10 => true,
            172 => bits >> 20 == 0xac1,
            192 => bits >> 16 == 0xc0a8,
            100 => bits >> 22 == 0x191,
            169 => bits >> 16 == 0xa9fe,
            _ => false,
        };
    }
    PRIVATE.iter().any(|(block, bits)| address.within(*block, *bits))
}

/// Multicast and broadcast: many listen, nobody is probed.
pub(crate) fn for_many(address: Address) -> bool {
    address.within(Address::v4(0xe000_0000), 4) || address == Address::v4(u32::MAX) || address.within(Address(0xff00 << 112), 8)
}

impl<'a> View<'a> {
    pub(crate) fn new(fold: &'a Fold, inventory: &'a Inventory) -> View<'a> {
        let mut mine: FxHashSet<Code> = FxHashSet::default();
        let mut own_of: FxHashMap<u32, Vec<Code>> = FxHashMap::default();
        let outsiders = outsiders(fold);
        for (number, interface) in fold.interfaces.iter().enumerate() {
            let named = !interface.name.is_empty() && !outsiders.contains(&(number as u32));
            let own: Vec<Code> = interface.addresses().filter(|_| named || !interface.own.is_empty()).collect();
            mine.extend(own.iter().copied());
            own_of.insert(number as u32, own);
        }
        // An interface with a single peer: the private one of the two, if only one is.
        for (number, interface) in fold.interfaces.iter().enumerate().filter(|(_, i)| i.own.is_empty() && !i.name.is_empty()) {
            for side in [interface.v4, interface.v6] {
                let super::interface::Shared::These(a, b) = side else { continue };
                let inside = |code: Code| private(fold.address(code));
                let own = match (a == b, inside(a), inside(b)) {
                    (false, true, false) => a,
                    (false, false, true) => b,
                    _ => continue,
                };
                mine.insert(own);
                own_of.entry(number as u32).or_default().push(own);
            }
        }
        let nobody = |(number, i): (u32, &super::interface::Interface)| {
            i.mixed() || (i.name.is_empty() && i.own.is_empty()) || outsiders.contains(&number)
        };
        let mixed: Vec<bool> = (0..).zip(&fold.interfaces).map(nobody).collect();
        let mixed_any = mixed.iter().any(|mixed| *mixed);
        let unknown = mixed_any && mixed.iter().all(|mixed| *mixed) && inventory.is_empty();
        let home = if unknown { home(fold) } else { None };
        View { fold, inventory, mine, mixed, mixed_any, own_of, home, turned: Turned::of(fold) }
    }

    /// Every conversation, with its number.
    pub(crate) fn talks(&self) -> impl Iterator<Item = (u32, &(Key, Tally))> {
        let held = (0..).zip(self.fold.talks.iter()).filter(|(number, _)| !self.turned.gone.contains(number));
        held.chain((self.fold.talks.len() as u32..).zip(&self.turned.talks))
    }

    fn entry(&self, number: u32) -> Option<&(Key, Tally)> {
        match (number as usize).checked_sub(self.fold.talks.len()) {
            Some(place) => self.turned.talks.get(place),
            None => self.fold.talks.entry(number),
        }
    }

    /// What is known of a conversation.
    pub(crate) fn talk(&self, key: &Key) -> Option<&Tally> {
        self.turned.get(key).or_else(|| self.fold.talks.get(key))
    }

    /// Whether the address is known to be one's own, not only taken for it because it is a private one.
    pub(crate) fn surely_mine(&self, code: Code) -> bool {
        self.mine.contains(&code) || self.inventory.owner(self.fold.address(code)).is_some()
    }

    pub(crate) fn address(&self, code: Code) -> Address {
        self.fold.address(code)
    }

    /// Whose an address is. Where an interface's own address can't be told, private addresses count as one's own.
    pub(crate) fn side(&self, code: Code) -> Side {
        let address = self.fold.address(code);
        if self.surely_mine(code) || self.home.is_some_and(|(block, bits)| address.within(block, bits)) {
            Side::Mine
        } else if !private(address) {
            Side::Far
        } else if self.mixed_any && self.mixed.iter().all(|mixed| *mixed) {
            Side::Mine
        } else {
            Side::Near
        }
    }

    /// Whether the logs show the address to be one of one's own, or it is a private one.
    pub(crate) fn known(&self, address: Address) -> bool {
        private(address) || self.mine.iter().any(|code| self.fold.address(*code) == address)
    }

    /// The interface's own addresses, as far as known.
    pub(crate) fn own(&self, interface: u32) -> &[Code] {
        self.own_of.get(&interface).map(Vec::as_slice).unwrap_or_default()
    }

    /// The name of an interface.
    pub(crate) fn interface(&self, number: u32) -> &str {
        self.fold.interfaces.get(number as usize).map_or("", |interface| &interface.name)
    }

    /// Conversations by what `by` says of them, in the order of what it says.
    pub(crate) fn groups(&self, by: impl Fn(&Key, &Tally) -> Option<[u64; 3]>) -> Groups<'_> {
        self.heavy_groups(1, |key, tally| by(key, tally).map(|id| (id, 1)))
    }

    /// The same, only groups whose conversations weigh at least `least` together. Small counters by hash find at little cost which
    /// groups may be; what does not weigh counts as a member all the same.
    pub(crate) fn heavy_groups(&self, least: u64, by: impl Fn(&Key, &Tally) -> Option<([u64; 3], u32)>) -> Groups<'_> {
        self.heavy_groups_of(least, by, |_| true)
    }

    /// The same of conversations that `of` is true of, which is asked only where the group may be heavy enough. Whether it is so must
    /// be the same for all of a group.
    pub(crate) fn heavy_groups_of(
        &self,
        least: u64,
        by: impl Fn(&Key, &Tally) -> Option<([u64; 3], u32)>,
        of: impl Fn(&Key) -> bool,
    ) -> Groups<'_> {
        let cell = |id: &[u64; 3]| mix(mix(id[0], id[1]), id[2]) as usize & (CELLS - 1);
        let mut cells = if least > 1 { vec![0u32; CELLS] } else { vec![] };
        if least > 1 {
            for (id, weight) in self.talks().filter_map(|(_, (key, tally))| by(key, tally)).filter(|(_, weight)| *weight > 0) {
                if let Some(sum) = cells.get_mut(cell(&id)) {
                    *sum = sum.saturating_add(weight);
                }
            }
        }
        if least > 1 && !cells.iter().any(|sum| u64::from(*sum) >= least) {
            return Groups { view: self, members: vec![], at: 0, least };
        }
        let heavy = |id: &[u64; 3]| least <= 1 || cells.get(cell(id)).is_some_and(|sum| u64::from(*sum) >= least);
        let mut members: Vec<Member> = vec![];
        for (number, (key, tally)) in self.talks() {
            if let Some((id, weight)) = by(key, tally).filter(|(id, _)| heavy(id) && of(key)) {
                members.push((id, number, weight));
            }
        }
        members.sort_unstable();
        Groups { view: self, members, at: 0, least }
    }

    fn group(&self, members: &[Member]) -> Group {
        let mut talks: Vec<Talk> = members
            .iter()
            .filter_map(|(_, number, _)| self.entry(*number))
            .map(|(key, tally)| Talk { key: *key, tally: *tally, also: None })
            .collect();
        let place = |talk: &Talk| Key { interface: 0, ..talk.key };
        let weight = |talk: &Talk| (talk.tally.forth.flows, talk.tally.back.flows, talk.tally.origin());
        talks.sort_unstable_by_key(|talk| (place(talk), std::cmp::Reverse(weight(talk))));
        talks.dedup_by(|next, held| {
            let same = place(next) == place(held);
            if same {
                held.also = held.also.or(Some(next.key.interface));
                held.tally.marks |= next.tally.marks & PAID;
            }
            same
        });
        talks.sort_unstable_by_key(|talk| (talk.tally.first, talk.tally.origin()));
        Group { talks }
    }

    /// The other way of a twin conversation.
    pub(crate) fn opposite(&self, key: &Key) -> Option<&Tally> {
        self.fold.talks.get(&Key { client: key.server, server: key.client, ..*key })
    }

    /// How many conversations one that was kept stands for.
    pub(crate) fn scale(&self) -> u64 {
        1 << self.fold.thinned.min(32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_way_to_private_addresses_is_the_table() {
        for (block, bits) in PRIVATE.iter().filter(|(block, _)| block.is_v4()) {
            let size = 1u128 << (32 - bits);
            for at in [block.0 - 1, block.0, block.0 + size - 1, block.0 + size] {
                let address = Address(at);
                let listed = PRIVATE.iter().any(|(block, bits)| address.within(*block, *bits));
                assert_eq!(private(address), listed, "{address}");
            }
        }
    }
}
