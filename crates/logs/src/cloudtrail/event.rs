//! One record's values, borrowed from its bytes.

use crate::json::Kind;
use crate::paths::{PathId, Paths};

/// End of a chain of values.
pub(super) const LAST: u32 = u32::MAX;

/// Where a value lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) kind: Kind,
    /// In the arena of resolved strings, not in the record.
    pub(super) resolved: bool,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) next: u32,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Head {
    pub(super) stamp: u32,
    pub(super) first: u32,
    pub(super) last: u32,
}

/// The values of the record at hand; reused for the next.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) stamp: u32,
    pub(super) heads: Vec<Head>,
    pub(super) places: Vec<Place>,
    pub(super) arena: Vec<u8>,
}

impl Found {
    /// Forgets the last record. The slot after the last path chains every string.
    pub(super) fn clear(&mut self, paths: &Paths) {
        self.heads.resize(paths.len() + 1, Head::default());
        self.places.clear();
        self.arena.clear();
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.heads.fill(Head::default());
            self.stamp = 1;
        }
    }

    #[inline]
    pub(super) fn push(&mut self, path: PathId, place: Place) {
        let at = self.places.len() as u32;
        self.places.push(place);
        let Some(head) = self.heads.get_mut(path as usize) else { return };
        if head.stamp != self.stamp {
            *head = Head { stamp: self.stamp, first: at, last: at };
        } else {
            let last = std::mem::replace(&mut head.last, at);
            if let Some(before) = self.places.get_mut(last as usize) {
                before.next = at;
            }
        }
    }
}

/// A value at a wanted path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaf<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its bytes: a string's content with escapes resolved, else as written.
    pub bytes: &'a [u8],
}

impl<'a> Leaf<'a> {
    /// As text; records are checked to be UTF-8.
    pub fn text(self) -> &'a str {
        std::str::from_utf8(self.bytes).unwrap_or_default()
    }
}

/// One record, scanned.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) found: &'a Found,
    pub(super) paths: &'a Paths,
    pub(super) ordinal: u64,
}

impl<'a> Event<'a> {
    /// The record as it was delivered, braces included.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Which record of the input it is, from 1.
    pub fn ordinal(&self) -> u64 {
        self.ordinal
    }

    /// Every value at a path, in document order: several where an array lies on the way or duplicate keys occur.
    #[inline]
    pub fn values(&self, path: PathId) -> Values<'a> {
        let next = match self.found.heads.get(path as usize) {
            Some(head) if head.stamp == self.found.stamp => head.first,
            _ => LAST,
        };
        Values { bytes: self.bytes, found: self.found, next }
    }

    /// The first value at a path.
    #[inline]
    pub fn first(&self, path: PathId) -> Option<Leaf<'a>> {
        self.values(path).next()
    }

    /// The text of the first value at a path, if it is a string, a number or a bool.
    pub fn text(&self, path: PathId) -> Option<&'a str> {
        match self.first(path)? {
            Leaf { kind: Kind::Null | Kind::Object | Kind::EmptyArray, .. } => None,
            leaf => Some(leaf.text()),
        }
    }

    /// Every string in the record, if [`Paths::add_every_string`] asked for them.
    pub fn strings(&self) -> Values<'a> {
        self.values(self.paths.len() as PathId)
    }
}

/// The values at one path; see [`Event::values`].
#[derive(Clone, Debug)]
pub struct Values<'a> {
    bytes: &'a [u8],
    found: &'a Found,
    next: u32,
}

impl<'a> Iterator for Values<'a> {
    type Item = Leaf<'a>;

    #[inline]
    fn next(&mut self) -> Option<Leaf<'a>> {
        let place = self.found.places.get(self.next as usize)?;
        self.next = place.next;
        let from = if place.resolved { self.found.arena.as_slice() } else { self.bytes };
        Some(Leaf { kind: place.kind, bytes: from.get(place.start as usize..place.end as usize).unwrap_or_default() })
    }
}
