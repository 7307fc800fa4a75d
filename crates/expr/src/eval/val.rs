//! Values in flight: borrowed, copied freely.

use jiff::{SignedDuration, Timestamp};
use model::{Link, Map, Resource, Unknown, Value};

use super::arena::Arena;
use crate::limit::REASONS_MAX;

/// A value in flight.
#[derive(Clone, Copy)]
pub(crate) enum Val<'e> {
    Null,
    Bool(bool),
    Int(i64),
    Dec(f64),
    Str(&'e str),
    Time(Timestamp),
    Dur(SignedDuration),
    List(&'e [Value]),
    Items(&'e Items<'e>),
    Map(&'e Map),
    PartMap(&'e PartMap<'e>),
    Link(&'e Link),
    Mixed(&'e [Value]),
    Resource(&'e Resource),
    Unknown(Why<'e>),
}

/// A list made during evaluation, of which not every element need be certain.
#[derive(Default)]
pub(crate) struct Items<'e> {
    pub(crate) list: Vec<Item<'e>>,
    /// Set if there may be more elements, anywhere.
    pub(crate) rest: Option<Why<'e>>,
}

/// An element of a list.
#[derive(Clone, Copy)]
pub(crate) struct Item<'e> {
    pub(crate) val: Val<'e>,
    /// Set if it may not be in the list at all.
    pub(crate) maybe: Option<Why<'e>>,
}

/// A map to which there may be more members than are known.
pub(crate) struct PartMap<'e> {
    pub(crate) map: Map,
    pub(crate) rest: Why<'e>,
}

/// Why a value is unknown, and what is known of it nevertheless.
#[derive(Clone, Copy)]
pub(crate) enum Why<'e> {
    One(&'e Unknown),
    Many(&'e Causes<'e>),
}

#[derive(Default)]
pub(crate) struct Causes<'e> {
    pub(crate) list: Vec<&'e Unknown>,
    /// Certainly not null.
    pub(crate) present: bool,
    /// A whole number between these, both included.
    pub(crate) bounds: Option<(i64, i64)>,
}

/// A truth in flight.
#[derive(Clone, Copy)]
pub(crate) enum Tri<'e> {
    No,
    Yes,
    Open(Why<'e>),
}

impl<'e> Item<'e> {
    pub(crate) fn sure(val: Val<'e>) -> Item<'e> {
        Item { val, maybe: None }
    }
}

impl<'e> Why<'e> {
    pub(crate) fn list(&self) -> &[&'e Unknown] {
        match self {
            Why::One(one) => std::slice::from_ref(one),
            Why::Many(causes) => &causes.list,
        }
    }

    /// Whether the value is certainly not null.
    pub(crate) fn present(&self) -> bool {
        match self {
            Why::One(one) => one.present,
            Why::Many(causes) => causes.present,
        }
    }

    pub(crate) fn bounds(&self) -> Option<(i64, i64)> {
        match self {
            Why::One(_) => None,
            Why::Many(causes) => causes.bounds,
        }
    }

    pub(crate) fn owned(&self) -> Vec<Unknown> {
        self.list().iter().map(|u| (*u).clone()).collect()
    }

    /// The causes of both, none twice.
    pub(crate) fn with(self, other: Why<'e>, arena: &'e Arena<'e>) -> Why<'e> {
        let (mine, others) = (self.list(), other.list());
        if others.iter().all(|o| mine.contains(o)) && self.bounds().is_none() {
            return self;
        }
        let mut list = mine.to_vec();
        for cause in others {
            if list.len() < REASONS_MAX && !list.contains(cause) {
                list.push(cause);
            }
        }
        Why::Many(arena.causes.put(Causes { list, present: false, bounds: None }))
    }

    /// The same causes for a value that is (or is not) certainly set.
    pub(crate) fn set(self, present: bool, arena: &'e Arena<'e>) -> Why<'e> {
        if self.present() == present && self.bounds().is_none() {
            return self;
        }
        Why::Many(arena.causes.put(Causes { list: self.list().to_vec(), present, bounds: None }))
    }

    /// The same causes for a whole number within bounds.
    pub(crate) fn within(self, least: i64, most: i64, arena: &'e Arena<'e>) -> Why<'e> {
        Why::Many(arena.causes.put(Causes { list: self.list().to_vec(), present: true, bounds: Some((least, most)) }))
    }
}

impl<'e> Tri<'e> {
    pub(crate) fn not(self) -> Tri<'e> {
        match self {
            Tri::No => Tri::Yes,
            Tri::Yes => Tri::No,
            open => open,
        }
    }

    pub(crate) fn and(self, other: Tri<'e>, arena: &'e Arena<'e>) -> Tri<'e> {
        match (self, other) {
            (Tri::No, _) | (_, Tri::No) => Tri::No,
            (Tri::Yes, t) | (t, Tri::Yes) => t,
            (Tri::Open(a), Tri::Open(b)) => Tri::Open(a.with(b, arena)),
        }
    }

    pub(crate) fn or(self, other: Tri<'e>, arena: &'e Arena<'e>) -> Tri<'e> {
        self.not().and(other.not(), arena).not()
    }

    pub(crate) fn val(self) -> Val<'e> {
        match self {
            Tri::No => Val::Bool(false),
            Tri::Yes => Val::Bool(true),
            Tri::Open(why) => Val::Unknown(why),
        }
    }
}

impl From<bool> for Tri<'_> {
    fn from(b: bool) -> Self {
        if b { Tri::Yes } else { Tri::No }
    }
}
