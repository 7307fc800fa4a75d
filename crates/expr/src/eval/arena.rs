//! Where an evaluation keeps what it makes, so that all values in flight are plain borrows.

use std::cell::{Cell, OnceCell};

use model::{Unknown, Value};

use super::val::{Causes, Items, PartMap};

/// Everything made during one evaluation; freed at its end.
#[derive(Default)]
pub(crate) struct Arena<'e> {
    pub(crate) values: Slots<Value>,
    pub(crate) unknowns: Slots<Unknown>,
    pub(crate) causes: Slots<Causes<'e>>,
    pub(crate) items: Slots<Items<'e>>,
    pub(crate) maps: Slots<PartMap<'e>>,
}

/// Slots in the first chunk, and how many times larger each further one is.
const FIRST_CHUNK: usize = 8;
const GROWTH: usize = 8;

/// An append-only store that hands out shared borrows. Nothing is allocated before the first `put`, and an empty store is two
/// words, because most evaluations make nothing.
pub(crate) struct Slots<T> {
    first: OnceCell<Box<Chunk<T>>>,
    len: Cell<usize>,
}

struct Chunk<T> {
    slots: Box<[OnceCell<T>]>,
    next: OnceCell<Box<Chunk<T>>>,
}

impl<T> Chunk<T> {
    fn new(size: usize) -> Box<Chunk<T>> {
        let slots = std::iter::repeat_with(OnceCell::new).take(size).collect();
        Box::new(Chunk { slots, next: OnceCell::new() })
    }
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots { first: OnceCell::new(), len: Cell::new(0) }
    }
}

impl<T> Slots<T> {
    /// Keeps `value` as long as the arena.
    pub(crate) fn put(&self, value: T) -> &T {
        let mut offset = self.len.get();
        self.len.set(offset + 1);
        let mut chunk = self.first.get_or_init(|| Chunk::new(FIRST_CHUNK));
        while offset >= chunk.slots.len() {
            offset -= chunk.slots.len();
            chunk = chunk.next.get_or_init(|| Chunk::new(chunk.slots.len() * GROWTH));
        }
        #[expect(clippy::indexing_slicing, reason = "the loop ends with `offset` inside this chunk")]
        chunk.slots[offset].get_or_init(|| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_borrows_stay_valid() {
        let slots = Slots::default();
        let all: Vec<&usize> = (0..5_000).map(|n| slots.put(n)).collect();
        assert!(all.iter().enumerate().all(|(i, n)| i == **n));
    }
}
