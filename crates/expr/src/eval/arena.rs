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

const CHUNKS: usize = 8;
const FIRST_CHUNK: usize = 16;
const GROWTH: usize = 8;

type Chunk<T> = OnceCell<Box<[OnceCell<T>]>>;

/// An append-only store that hands out shared borrows. Nothing is allocated before the first `put`.
pub(crate) struct Slots<T> {
    chunks: [Chunk<T>; CHUNKS],
    len: Cell<usize>,
}

impl<T> Default for Slots<T> {
    fn default() -> Slots<T> {
        Slots { chunks: [const { OnceCell::new() }; CHUNKS], len: Cell::new(0) }
    }
}

impl<T> Slots<T> {
    /// Keeps `value` as long as the arena.
    pub(crate) fn put(&self, value: T) -> &T {
        let mut offset = self.len.get();
        self.len.set(offset + 1);
        let mut size = FIRST_CHUNK;
        let mut chunks = self.chunks.iter();
        let chunk = loop {
            match chunks.next() {
                Some(chunk) if offset < size => break chunk,
                Some(_) => {
                    offset -= size;
                    size *= GROWTH;
                }
                #[expect(clippy::panic, reason = "the element budget ends an evaluation long before 38 million values")]
                None => panic!("evaluation arena exhausted"),
            }
        };
        let slots = chunk.get_or_init(|| std::iter::repeat_with(OnceCell::new).take(size).collect());
        #[expect(clippy::indexing_slicing, reason = "`offset < size`, which is the chunk's length")]
        slots[offset].get_or_init(|| value)
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
