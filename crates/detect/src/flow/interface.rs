//! What the records of an interface say about it: above all, which address is its own.

use std::collections::BTreeSet;

use logs::flow::{Direction, Record};

use serde::{Deserialize, Serialize};

use super::conversation::Code;
use super::table::mix;

/// The most addresses with a known direction that are kept of an interface: the smallest.
const OWN_MAX: usize = 256;

/// The addresses that every record of an interface had on one side or the other. Its own is always among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shared {
    /// No record yet.
    #[default]
    Any,
    /// These two, the smaller first, or one twice.
    These(Code, Code),
    /// There is none: the interface has several addresses, or its name stands for several interfaces.
    Nobody,
}

impl Shared {
    fn of(a: Code, b: Code) -> Shared {
        Shared::These(a.min(b), a.max(b))
    }

    fn and(self, other: Shared) -> Shared {
        match (self, other) {
            (Shared::Any, other) => other,
            (own, Shared::Any) => own,
            (Shared::These(a, b), Shared::These(c, d)) => match (a == c || a == d, b == c || b == d) {
                (true, true) => Shared::These(a, b),
                (true, false) => Shared::These(a, a),
                (false, true) => Shared::These(b, b),
                (false, false) => Shared::Nobody,
            },
            _ => Shared::Nobody,
        }
    }

    /// The one address, if there is just one.
    pub(crate) fn one(self) -> Option<Code> {
        match self {
            Shared::These(a, b) if a == b => Some(a),
            _ => None,
        }
    }
}

/// An interface, or a transit gateway attachment.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) account: String,
    pub(crate) vpc: String,
    pub(crate) instance: String,
    pub(crate) v4: Shared,
    pub(crate) v6: Shared,
    /// Addresses that the direction of a record says are its own.
    pub(crate) own: BTreeSet<Code>,
    /// The hash of the last record's account, VPC and instance: the same words need not be looked at again.
    #[serde(skip)]
    words: u64,
}

/// A hash of some words, none of which is far from the record at hand.
fn hashed(words: [&[u8]; 3]) -> u64 {
    let mut state = 1;
    for word in words {
        let mut chunks = word.chunks_exact(8);
        for chunk in &mut chunks {
            state = mix(state, chunk.try_into().map_or(0, u64::from_le_bytes));
        }
        state = mix(state, chunks.remainder().iter().fold(word.len() as u64, |bits, byte| bits << 8 | u64::from(*byte)));
    }
    state
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..128).unwrap_or(bytes)).into_owned()
}

/// Of two words the one that is there; of two that are there the smaller.
fn settle(own: &mut String, other: &str) {
    if own.is_empty() || (!other.is_empty() && other < own.as_str()) {
        own.replace_range(.., other);
    }
}

impl Interface {
    pub(crate) fn named(name: &[u8]) -> Interface {
        Interface { name: text(name), ..Interface::default() }
    }

    pub(crate) fn see(&mut self, record: &Record<'_>, source: Code, destination: Code) {
        let side = if record.source.is_v4() { &mut self.v4 } else { &mut self.v6 };
        let now = Shared::of(source, destination);
        if *side != now && side.one().is_none_or(|one| one != source && one != destination) {
            *side = side.and(now);
        }
        match record.direction {
            Direction::Unsaid => {}
            Direction::Ingress => self.keep(destination),
            Direction::Egress => self.keep(source),
        }
        let words = hashed([record.account, record.vpc, record.instance]);
        if std::mem::replace(&mut self.words, words) == words {
            return;
        }
        for (own, word) in
            [(&mut self.account, record.account), (&mut self.vpc, record.vpc), (&mut self.instance, record.instance)]
        {
            if own.as_bytes() != word && !word.is_empty() {
                settle(own, &text(word));
            }
        }
    }

    fn keep(&mut self, code: Code) {
        if self.own.insert(code) && self.own.len() > OWN_MAX {
            self.own.pop_last();
        }
    }

    pub(crate) fn add(&mut self, other: &Interface) {
        self.v4 = self.v4.and(other.v4);
        self.v6 = self.v6.and(other.v6);
        other.own.iter().for_each(|code| self.keep(*code));
        settle(&mut self.account, &other.account);
        settle(&mut self.vpc, &other.vpc);
        settle(&mut self.instance, &other.instance);
    }

    /// Its own addresses, as far as the records tell.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = Code> + '_ {
        let shared = [self.v4.one(), self.v6.one()].into_iter().flatten().filter(|_| self.own.is_empty());
        self.own.iter().copied().chain(shared)
    }

    /// Nothing tells which of the addresses are its own.
    pub(crate) fn mixed(&self) -> bool {
        self.own.is_empty() && (self.v4 == Shared::Nobody || self.v6 == Shared::Nobody)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_record_has_is_its_own_in_any_order() {
        let pairs = [(1, 9), (9, 2), (9, 3), (1, 9)];
        let of = |list: &[(Code, Code)]| list.iter().fold(Shared::Any, |sum, (a, b)| sum.and(Shared::of(*a, *b)));
        assert_eq!(of(&pairs).one(), Some(9));
        for cut in 0..pairs.len() {
            assert_eq!(of(&pairs[cut..]).and(of(&pairs[..cut])), of(&pairs));
        }
        assert_eq!(of(&[(1, 2), (2, 1)]), Shared::These(1, 2));
        assert_eq!(of(&[(1, 2), (3, 4), (1, 2)]), Shared::Nobody);
    }
}
