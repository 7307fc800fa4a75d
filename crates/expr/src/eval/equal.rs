//! Equality and membership.

use std::cmp::Ordering;

use model::{Link, Map, Value};

use super::list::Seq;
use super::text::{AWS_ALIAS, Shape};
use super::val::{PartMap, Tri, Val};
use super::{Eval, time};
use crate::limit::VALUE_DEPTH_MAX;
use crate::node::Node;

impl<'e> Eval<'e> {
    /// Whether two values are equal. Scalars compare as AWS reads them: `"true" == true`, `"22" == 22`. Values of different
    /// shapes are different.
    pub(super) fn equal(&self, a: Val<'e>, b: Val<'e>, depth: u32) -> Tri<'e> {
        if depth > VALUE_DEPTH_MAX {
            return Tri::Open(self.limit(format!("limit of {VALUE_DEPTH_MAX} levels in one value")));
        }
        match (a, b) {
            (Val::Null, other) | (other, Val::Null) => self.is_null(other),
            (Val::Unknown(_), _) | (_, Val::Unknown(_)) => self.equal_unknown(a, b),
            (Val::Link(x), Val::Link(y)) if x == y => Tri::Yes,
            (Val::Link(link), other) | (other, Val::Link(link)) => self.equal_link(link, other, depth),
            (Val::Mixed(pieces), other) | (other, Val::Mixed(pieces)) => self.equal_mixed(pieces, other),
            (Val::Str(x), Val::Str(y)) => (x == y).into(),
            (Val::Bool(x), Val::Bool(y)) => (x == y).into(),
            (Val::Int(x), Val::Int(y)) => (x == y).into(),
            (Val::Int(n), Val::Dec(d)) | (Val::Dec(d), Val::Int(n)) => (order_mixed(n, d) == Some(Ordering::Equal)).into(),
            (Val::Dec(x), Val::Dec(y)) => (x == y).into(),
            (Val::Bool(x), Val::Str(y)) | (Val::Str(y), Val::Bool(x)) => {
                y.eq_ignore_ascii_case(if x { "true" } else { "false" }).into()
            }
            (Val::Int(x), Val::Str(y)) | (Val::Str(y), Val::Int(x)) => (y.parse() == Ok(x)).into(),
            (Val::Dec(x), Val::Str(y)) | (Val::Str(y), Val::Dec(x)) => (y.parse() == Ok(x)).into(),
            (Val::Time(x), Val::Time(y)) => (x == y).into(),
            (Val::Time(x), Val::Str(y)) | (Val::Str(y), Val::Time(x)) => (time::timestamp(y) == Some(x)).into(),
            (Val::Dur(x), Val::Dur(y)) => (x == y).into(),
            (Val::Dur(x), Val::Str(y)) | (Val::Str(y), Val::Dur(x)) => (time::duration(y) == Some(x)).into(),
            (Val::Resource(x), Val::Resource(y)) => (x.id == y.id && x.scope == y.scope && x.type_name == y.type_name).into(),
            (Val::List(_) | Val::Items(_), Val::List(_) | Val::Items(_)) => self.equal_lists(a, b, depth),
            (Val::Map(_) | Val::PartMap(_), Val::Map(_) | Val::PartMap(_)) => self.equal_maps(a, b, depth),
            _ => Tri::No,
        }
    }

    fn equal_unknown(&self, a: Val<'e>, b: Val<'e>) -> Tri<'e> {
        if let (Some((a_least, a_most)), Some((b_least, b_most))) = (bounds(a), bounds(b)) {
            if a_most < b_least || b_most < a_least {
                return Tri::No;
            }
            if a_least == a_most && b_least == b_most {
                return Tri::Yes;
            }
        }
        Tri::Open(match (a, b) {
            (Val::Unknown(a), Val::Unknown(b)) => a.with(b, self.arena),
            (Val::Unknown(why), _) | (_, Val::Unknown(why)) => why,
            (a, _) => self.open(a),
        })
    }

    fn equal_link(&self, link: &'e Link, other: Val<'e>, depth: u32) -> Tri<'e> {
        let settled = self.settle(Val::Link(link));
        if !matches!(settled, Val::Link(_)) {
            return self.equal(settled, other, depth + 1);
        }
        let why = self.open(settled);
        match other {
            Val::Link(_) => match self.settle(other) {
                Val::Link(_) => Tri::Open(why.with(self.open(other), self.arena)),
                known => self.equal(settled, known, depth + 1),
            },
            Val::Str(text) if never_gives(link, text) => Tri::No,
            Val::Resource(resource) => match self.env.resolve(link) {
                Some(found) => (link.attr.is_empty() && std::ptr::eq(found, resource)).into(),
                None => Tri::Open(why),
            },
            Val::Mixed(pieces) if !Shape::of_link(link).may_equal(&Shape::of(pieces)) => Tri::No,
            Val::Mixed(_) => Tri::Open(why.with(self.open(other), self.arena)),
            _ => Tri::Open(why),
        }
    }

    fn equal_mixed(&self, pieces: &'e [Value], other: Val<'e>) -> Tri<'e> {
        let why = self.open(Val::Mixed(pieces));
        let shape = Shape::of(pieces);
        match other {
            Val::Str(text) => {
                if shape.may_be(text) {
                    Tri::Open(why)
                } else {
                    Tri::No
                }
            }
            Val::Mixed(others) => {
                let known = |p: &Value| !p.has_unknown();
                if pieces == others && pieces.iter().all(known) {
                    Tri::Yes
                } else if shape.may_equal(&Shape::of(others)) {
                    Tri::Open(why.with(self.open(other), self.arena))
                } else {
                    Tri::No
                }
            }
            Val::List(_) | Val::Items(_) | Val::Map(_) | Val::PartMap(_) | Val::Resource(_) => Tri::No,
            _ => Tri::Open(why),
        }
    }

    fn equal_lists(&self, a: Val<'e>, b: Val<'e>, depth: u32) -> Tri<'e> {
        let (a, b) = (Seq::of_list(a), Seq::of_list(b));
        let mut answer = Tri::Yes;
        for why in [a.uncertain(self), b.uncertain(self)].into_iter().flatten() {
            answer = answer.and(Tri::Open(why), self.arena);
        }
        if let Tri::Open(why) = answer {
            let (a, b) = (a.count(self), b.count(self));
            return if a.1 < b.0 || b.1 < a.0 { Tri::No } else { Tri::Open(why) };
        }
        if a.len() != b.len() {
            return Tri::No;
        }
        if let Err(why) = self.charge(a.len()) {
            return Tri::Open(why);
        }
        for i in 0..a.len() {
            let (Some(x), Some(y)) = (a.get(self, i), b.get(self, i)) else { break };
            answer = answer.and(self.equal(x.val, y.val, depth + 1), self.arena);
            if let Tri::No = answer {
                break;
            }
        }
        answer
    }

    fn equal_maps(&self, a: Val<'e>, b: Val<'e>, depth: u32) -> Tri<'e> {
        let ((a, a_rest), (b, b_rest)) = (parts(a), parts(b));
        if let Err(why) = self.charge(a.len() + b.len()) {
            return Tri::Open(why);
        }
        let mut answer = Tri::Yes;
        let keys = a.keys().chain(b.keys().filter(|k| !a.contains_key(k)));
        for key in keys {
            let pair = match (a.get(key), b.get(key), a_rest, b_rest) {
                (Some(x), Some(y), _, _) => self.equal(self.val(x), self.val(y), depth + 1),
                (Some(_), None, _, Some(rest)) | (None, Some(_), Some(rest), _) => Tri::Open(rest.rest),
                (Some(x), None, _, None) | (None, Some(x), None, _) => self.is_null(self.val(x)),
                (None, None, _, _) => Tri::Yes,
            };
            answer = answer.and(pair, self.arena);
        }
        for rest in [a_rest, b_rest].into_iter().flatten() {
            answer = answer.and(Tri::Open(rest.rest), self.arena);
        }
        answer
    }

    /// `needle in hay`.
    pub(super) fn contained(&self, needle: Val<'e>, hay: Val<'e>, node: &'e Node) -> Tri<'e> {
        if let Val::Map(_) | Val::PartMap(_) | Val::Resource(_) = hay {
            return match (needle, self.text(needle, node)) {
                (Val::Null, _) => Tri::No,
                (_, Ok(key)) => self.has_key(hay, key, node),
                (_, Err(why)) => Tri::Open(why),
            };
        }
        let seq = match self.seq(hay, node) {
            Ok(seq) => seq,
            Err(why) => return Tri::Open(why),
        };
        let mut answer = Tri::No;
        for i in 0..seq.len() {
            if let Err(why) = self.charge(1) {
                return answer.or(Tri::Open(why), self.arena);
            }
            let Some(item) = seq.get(self, i) else { break };
            let there = item.maybe.map_or(Tri::Yes, Tri::Open);
            let same = self.equal(needle, item.val, 0).and(there, self.arena);
            answer = answer.or(same, self.arena);
            if let Tri::Yes = answer {
                return answer;
            }
        }
        match seq.rest() {
            Some(rest) => answer.or(Tri::Open(rest), self.arena),
            None => answer,
        }
    }
}

/// What is known of a whole number.
pub(super) fn bounds(val: Val<'_>) -> Option<(i64, i64)> {
    match val {
        Val::Int(n) => Some((n, n)),
        Val::Unknown(why) => why.bounds(),
        _ => None,
    }
}

/// Compares exactly, also where a float has gaps between whole numbers.
pub(super) fn order_mixed(n: i64, d: f64) -> Option<Ordering> {
    if d.is_nan() {
        return None;
    }
    if d >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    if d < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    let whole = d.trunc() as i64;
    Some(n.cmp(&whole).then(if d.fract() > 0.0 {
        Ordering::Less
    } else if d.fract() < 0.0 {
        Ordering::Greater
    } else {
        Ordering::Equal
    }))
}

/// A link gives an identifier of something that is yours: not the empty text, not a bare wildcard, not one of the names that AWS
/// keeps for what it made itself, and an ARN starts as one.
fn never_gives(link: &Link, text: &str) -> bool {
    !text.chars().any(char::is_alphanumeric) || text.starts_with(AWS_ALIAS) || !Shape::of_link(link).may_be(text)
}

fn parts<'e>(val: Val<'e>) -> (&'e Map, Option<&'e PartMap<'e>>) {
    match val {
        Val::Map(map) => (map, None),
        Val::PartMap(part) => (&part.map, Some(part)),
        _ => (super::load::empty_map(), None),
    }
}
