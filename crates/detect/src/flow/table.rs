//! A table of conversations that does not move what it holds when it grows.

use super::conversation::{Key, Tally};
use super::fold::BATCH;

/// Entries of a slab.
const SLAB: usize = 512;

/// Conversations by key, in the order in which they were first put in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    /// Hash and number of the entry + 1; 0 is free. A power of two long.
    slots: Vec<(u32, u32)>,
    slabs: Vec<Vec<(Key, Tally)>>,
    len: usize,
}

/// Spreads a key over 64 bits.
pub(crate) fn hash(key: &Key) -> u64 {
    let mut state = key.client ^ 0x243f_6a88_85a3_08d3;
    let small = u64::from(key.port) | u64::from(key.protocol) << 16 | u64::from(key.twin) << 24;
    for word in [key.server, u64::from(key.interface) << 32 | u64::from(key.bucket), small] {
        state = mix(state, word);
    }
    state
}

/// One step of a multiply-and-fold hash.
pub(crate) fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    (product as u64) ^ ((product >> 64) as u64).rotate_left(23)
}

impl Table {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Every conversation.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &(Key, Tally)> {
        self.slabs.iter().flatten()
    }

    /// The entry of this number.
    pub(crate) fn entry(&self, number: u32) -> Option<&(Key, Tally)> {
        self.slabs.get(number as usize / SLAB)?.get(number as usize % SLAB)
    }

    /// What is known of a conversation.
    pub(crate) fn get(&self, key: &Key) -> Option<&Tally> {
        self.find(key).map(|(_, tally)| tally)
    }

    /// The number of a conversation, and what is known of it.
    pub(crate) fn find(&self, key: &Key) -> Option<(u32, &Tally)> {
        let hash = hash(key);
        let mask = self.slots.len().checked_sub(1)?;
        let mut at = (hash >> 32) as usize & mask;
        loop {
            let (tag, number) = *self.slots.get(at)?;
            if number == 0 {
                return None;
            }
            if tag == hash as u32
                && let Some((held, tally)) = self.entry(number - 1)
                && held == key
            {
                return Some((number - 1, tally));
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds to some conversations: where each stands is fetched before the first is changed, so that the memory answers to all at
    /// once.
    pub(crate) fn add_all(&mut self, batch: &[(Key, Tally)]) {
        let mut hashes = [0u64; BATCH];
        let mask = self.slots.len().wrapping_sub(1);
        for (hashed, (key, _)) in hashes.iter_mut().zip(batch) {
            *hashed = hash(key);
        }
        let mut numbers = [0u32; BATCH];
        for (number, hash) in numbers.iter_mut().zip(&hashes) {
            *number = self.slots.get((hash >> 32) as usize & mask).map_or(0, |slot| slot.1);
        }
        let mut flows = 0u32;
        for number in numbers.iter().filter(|number| **number > 0) {
            flows = flows.wrapping_add(self.entry(*number - 1).map_or(0, |(_, tally)| tally.forth.flows));
        }
        std::hint::black_box(flows);
        for ((key, tally), hash) in batch.iter().zip(hashes) {
            self.add_hashed(key, tally, hash);
        }
    }

    /// Adds to a conversation.
    pub(crate) fn add(&mut self, key: &Key, tally: &Tally) {
        self.add_hashed(key, tally, hash(key));
    }

    fn add_hashed(&mut self, key: &Key, tally: &Tally, hash: u64) {
        if self.len * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = (hash >> 32) as usize & mask;
        while let Some((tag, number)) = self.slots.get(at).copied() {
            if number == 0 {
                if let Some(slot) = self.slots.get_mut(at) {
                    *slot = (hash as u32, self.len as u32 + 1);
                }
                return self.push(*key, *tally);
            }
            if tag == hash as u32
                && let Some((held, sum)) =
                    self.slabs.get_mut((number - 1) as usize / SLAB).and_then(|slab| slab.get_mut((number - 1) as usize % SLAB))
                && held == key
            {
                return sum.add(tally);
            }
            at = (at + 1) & mask;
        }
    }

    fn push(&mut self, key: Key, tally: Tally) {
        if self.len.is_multiple_of(SLAB) {
            self.slabs.push(Vec::with_capacity(SLAB));
        }
        if let Some(slab) = self.slabs.last_mut() {
            slab.push((key, tally));
        }
        self.len += 1;
    }

    fn grow(&mut self) {
        self.slots = vec![(0, 0); (self.slots.len() * 2).max(1024)];
        let mask = self.slots.len() - 1;
        for (number, (key, _)) in self.slabs.iter().flatten().enumerate() {
            let hash = hash(key);
            let mut at = (hash >> 32) as usize & mask;
            while self.slots.get(at).is_some_and(|slot| slot.1 != 0) {
                at = (at + 1) & mask;
            }
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = (hash as u32, number as u32 + 1);
            }
        }
    }

    /// Keeps only what `keep` says.
    pub(crate) fn retain(&mut self, keep: impl Fn(&Key) -> bool) {
        let old = std::mem::take(self);
        for (key, tally) in old.slabs.into_iter().flatten().filter(|(key, _)| keep(key)) {
            self.add(&key, &tally);
        }
    }
}
