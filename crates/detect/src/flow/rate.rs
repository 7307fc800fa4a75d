//! How much went into and out of an interface, minute by minute.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::conversation::Code;

/// What went one way in a minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) flows: u64,
}

impl Volume {
    fn add(&mut self, other: &Volume) {
        self.packets = self.packets.saturating_add(other.packets);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.flows = self.flows.saturating_add(other.flows);
    }
}

/// One address that all records of the minute had, and what went into and out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Side {
    pub(crate) address: Code,
    pub(crate) into: Volume,
    pub(crate) out: Volume,
}

/// A minute of an interface. Which address is the interface's own is known only at the end, so that both sides of the first
/// record are counted; an address that a record lacks is not the interface's own and is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rate {
    pub(crate) sides: [Option<Side>; 2],
}

impl Rate {
    pub(crate) fn of(source: Code, destination: Code, volume: Volume) -> Rate {
        let sender = Side { address: source, into: Volume::default(), out: volume };
        let receiver = Side { address: destination, into: volume, out: Volume::default() };
        if source == destination {
            return Rate { sides: [Some(Side { into: volume, ..sender }), None] };
        }
        Rate { sides: if source < destination { [Some(sender), Some(receiver)] } else { [Some(receiver), Some(sender)] } }
    }

    /// Counts a volume between two addresses, as [`Rate::of`] and [`Rate::add`] do.
    pub(crate) fn see(&mut self, source: Code, destination: Code, volume: &Volume) {
        for slot in &mut self.sides {
            let Some(side) = slot else { continue };
            let (sent, got) = (side.address == source, side.address == destination);
            if sent {
                side.out.add(volume);
            }
            if got {
                side.into.add(volume);
            }
            if !sent && !got {
                *slot = None;
            }
        }
        if self.sides[0].is_none() {
            self.sides.swap(0, 1);
        }
    }

    pub(crate) fn add(&mut self, other: &Rate) {
        for slot in &mut self.sides {
            let Some(side) = slot else { continue };
            match other.sides.iter().flatten().find(|theirs| theirs.address == side.address) {
                Some(theirs) => {
                    side.into.add(&theirs.into);
                    side.out.add(&theirs.out);
                }
                None => *slot = None,
            }
        }
        if self.sides[0].is_none() {
            self.sides.swap(0, 1);
        }
    }
}

/// Minutes by interface and minute since 1970.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rates {
    places: FxHashMap<(u32, u32), u32>,
    list: Vec<((u32, u32), Rate)>,
    /// The place of the last minute that was asked for: records of a minute come together.
    last: usize,
}

impl Rates {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &((u32, u32), Rate)> {
        self.list.iter()
    }

    /// The minute, if it is held.
    pub(crate) fn get_mut(&mut self, key: (u32, u32)) -> Option<&mut Rate> {
        if self.list.get(self.last).is_none_or(|(held, _)| *held != key) {
            self.last = *self.places.get(&key)? as usize;
        }
        self.list.get_mut(self.last).map(|(_, rate)| rate)
    }

    /// Puts a minute in that is not held.
    pub(crate) fn insert(&mut self, key: (u32, u32), rate: Rate) {
        self.last = self.list.len();
        self.places.insert(key, self.last as u32);
        self.list.push((key, rate));
    }

    /// Keeps only the minutes from this one on.
    pub(crate) fn keep_from(&mut self, minute: u32) {
        let list = std::mem::take(&mut self.list);
        *self = Rates::default();
        for (key, rate) in list.into_iter().filter(|((_, at), _)| *at >= minute) {
            self.insert(key, rate);
        }
    }
}
