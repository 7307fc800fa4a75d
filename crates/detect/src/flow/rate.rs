//! How much went into and out of an interface, minute by minute.

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
