//! The answers of slow checks, remembered by the value they were asked about.

use logs::Kind;
use logs::cloudtrail::{Leaf, Values as Leaves};

/// How many values of a path are remembered; a new one takes the place of an old one.
const VALUES_MAX: usize = 256;

/// Longer values are judged each time.
const VALUE_BYTES_MAX: usize = 512;

/// The values of one path and the answers to its slow checks.
#[derive(Clone, Debug)]
pub(super) struct Values {
    words: usize,
    stamp: u32,
    now: Option<usize>,
    held: Vec<Value>,
}

#[derive(Clone, Debug, Default)]
struct Value {
    bytes: Vec<u8>,
    used: bool,
    /// For each check a bit: whether its answer is known; then, whether it is yes.
    bits: Box<[u64]>,
}

fn slot(bytes: &[u8]) -> usize {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let word = |chunk: Option<&[u8; 8]>| chunk.map_or(0, |chunk| u64::from_le_bytes(*chunk));
    let middle = bytes.get(bytes.len() / 2..).and_then(|rest| rest.first_chunk());
    let short = if bytes.len() < 8 { bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)) } else { 0 };
    let mixed = (word(bytes.first_chunk()) ^ short).wrapping_mul(MIX)
        ^ word(bytes.last_chunk()).rotate_left(23).wrapping_mul(MIX)
        ^ word(middle).rotate_left(41)
        ^ bytes.len() as u64;
    (mixed.wrapping_mul(MIX) >> 56) as usize % VALUES_MAX
}

impl Values {
    /// Room for the answers of so many checks.
    pub(super) fn new(checks: u32) -> Values {
        let words = (checks as usize).div_ceil(64);
        let empty = Value { bits: vec![0; words * 2].into(), ..Value::default() };
        Values { words, stamp: 0, now: None, held: vec![empty; VALUES_MAX] }
    }

    /// Forgets which value the event at hand has.
    pub(super) fn forget_event(&mut self) {
        self.stamp = 0;
    }

    /// The answer of the check at `place`; `judge` finds it where it isn't known.
    pub(super) fn ask(&mut self, stamp: u32, place: u32, mut leaves: Leaves<'_>, judge: impl FnOnce() -> bool) -> bool {
        if self.stamp != stamp {
            self.stamp = stamp;
            self.now = match (leaves.next(), leaves.next()) {
                (Some(leaf), None) => self.find(&leaf),
                _ => None,
            };
        }
        let (word, bit) = (place as usize / 64, 1u64 << (place % 64));
        let Some(value) = self.now.and_then(|now| self.held.get_mut(now)) else { return judge() };
        if value.bits.get(word).is_some_and(|known| known & bit != 0) {
            return value.bits.get(self.words + word).is_some_and(|yes| yes & bit != 0);
        }
        let answer = judge();
        if let Some(known) = value.bits.get_mut(word) {
            *known |= bit;
        }
        if let Some(yes) = value.bits.get_mut(self.words + word) {
            *yes = if answer { *yes | bit } else { *yes & !bit };
        }
        answer
    }

    /// Where the value is held.
    fn find(&mut self, leaf: &Leaf<'_>) -> Option<usize> {
        if leaf.kind != Kind::String || leaf.bytes.len() > VALUE_BYTES_MAX {
            return None;
        }
        let at = slot(leaf.bytes);
        let value = self.held.get_mut(at)?;
        if !value.used || value.bytes != leaf.bytes {
            value.used = true;
            value.bytes.clear();
            value.bytes.extend_from_slice(leaf.bytes);
            value.bits.fill(0);
        }
        Some(at)
    }
}
