//! Lists: loops over them, and the functions that make lists of lists.
//!
//! An element may be uncertain (an unknown that may turn out unset, one that a filter could not decide on), and there may be
//! more elements than are known. What is decided regardless is answered.

use model::{Map, Text, Value};

use super::Eval;
use super::arena::Arena;
use super::val::{Item, Items, Tri, Val, Why};
use crate::node::{Loop, LoopKind, Node, Want};

/// The elements of a list, however it is kept.
#[derive(Clone, Copy)]
pub(super) enum Seq<'e> {
    Values(&'e [Value]),
    Items(&'e Items<'e>),
}

impl<'e> Seq<'e> {
    /// The elements of what is a list already.
    pub(super) fn of_list(val: Val<'e>) -> Seq<'e> {
        match val {
            Val::List(values) => Seq::Values(values),
            Val::Items(items) => Seq::Items(items),
            _ => Seq::Values(&[]),
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Seq::Values(values) => values.len(),
            Seq::Items(items) => items.list.len(),
        }
    }

    pub(super) fn get(&self, eval: &Eval<'e>, i: usize) -> Option<Item<'e>> {
        match self {
            Seq::Values(values) => {
                let val = eval.val(values.get(i)?);
                let maybe = match val {
                    Val::Unknown(why) if !why.present() => Some(why),
                    _ => None,
                };
                Some(Item { val, maybe })
            }
            Seq::Items(items) => items.list.get(i).copied(),
        }
    }

    pub(super) fn rest(&self) -> Option<Why<'e>> {
        match self {
            Seq::Values(_) => None,
            Seq::Items(items) => items.rest,
        }
    }

    /// Why it is not certain which elements there are.
    pub(super) fn uncertain(&self, eval: &Eval<'e>) -> Option<Why<'e>> {
        (0..self.len()).find_map(|i| self.get(eval, i)?.maybe).or(self.rest())
    }

    /// How many elements there are at least and at most.
    pub(super) fn count(&self, eval: &Eval<'e>) -> (i64, i64) {
        let sure = (0..self.len()).filter_map(|i| self.get(eval, i)).filter(|item| item.maybe.is_none()).count();
        let most = if self.rest().is_some() { i64::MAX } else { self.len() as i64 };
        (sure as i64, most)
    }
}

impl<'e> Items<'e> {
    /// Why it is not certain which elements there are.
    pub(super) fn uncertain(&self) -> Option<Why<'e>> {
        self.list.iter().find_map(|item| item.maybe).or(self.rest)
    }

    pub(super) fn add_rest(&mut self, rest: Option<Why<'e>>, arena: &'e Arena<'e>) {
        self.rest = match (self.rest, rest) {
            (Some(a), Some(b)) => Some(a.with(b, arena)),
            (a, b) => a.or(b),
        };
    }
}

impl<'e> Eval<'e> {
    /// The elements of a list; of a map its keys, of null nothing, of a single value that value.
    pub(super) fn seq(&self, val: Val<'e>, node: &'e Node) -> Result<Seq<'e>, Why<'e>> {
        match val {
            Val::List(_) | Val::Items(_) | Val::Null => Ok(Seq::of_list(val)),
            Val::Unknown(why) => Err(why.set(true, self.arena)),
            Val::Map(map) => self.looked_over(self.keys(map, None)),
            Val::PartMap(part) => self.looked_over(self.keys(&part.map, Some(part.rest))),
            single => match self.read(single, Want::List, node) {
                Val::Unknown(why) => Err(why),
                list => Ok(Seq::of_list(list)),
            },
        }
    }

    /// Pays for a look at every element that does nothing with it.
    pub(super) fn looked_over(&self, seq: Seq<'e>) -> Result<Seq<'e>, Why<'e>> {
        self.charge(seq.len() / 64)?;
        Ok(seq)
    }

    fn keys(&self, map: &'e Map, rest: Option<Why<'e>>) -> Seq<'e> {
        let list = map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| {
                let maybe = match self.is_null(self.val(value)) {
                    Tri::Open(why) => Some(why),
                    _ => None,
                };
                Item { val: Val::Str(key), maybe }
            })
            .collect();
        Seq::Items(self.arena.items.put(Items { list, rest }))
    }

    /// `list.exists(x, ...)` and its kin.
    pub(super) fn repeat(&self, repeat: &'e Loop, node: &'e Node) -> Val<'e> {
        let seq = match self.seq(self.eval(&repeat.range), &repeat.range) {
            Ok(seq) => seq,
            Err(why) => return Val::Unknown(why),
        };
        match repeat.kind {
            LoopKind::Exists => self.any(repeat, seq, Tri::Yes).val(),
            LoopKind::All => self.any(repeat, seq, Tri::No).not().val(),
            LoopKind::ExistsOne => self.exactly_one(repeat, seq).val(),
            LoopKind::Filter | LoopKind::Map => self.collect(repeat, seq, node),
        }
    }

    /// One round: whether the element is there and passes the test.
    fn round(&self, repeat: &'e Loop, seq: Seq<'e>, i: usize) -> Result<(Item<'e>, Tri<'e>), Why<'e>> {
        self.charge(repeat.cost as usize)?;
        let mut item = seq.get(self, i).unwrap_or(Item::sure(Val::Null));
        item.val = self.read(item.val, repeat.want, &repeat.range);
        if let Some(variable) = self.variables.get(repeat.slot) {
            variable.set(item.val);
        }
        let test = repeat.test.as_ref().map_or(Tri::Yes, |test| self.truth(test));
        Ok((item, test))
    }

    /// Whether there is an element whose test gives `wanted`.
    fn any(&self, repeat: &'e Loop, seq: Seq<'e>, wanted: Tri<'e>) -> Tri<'e> {
        let positive = matches!(wanted, Tri::Yes);
        let mut answer = seq.rest().map_or(Tri::No, Tri::Open);
        for i in 0..seq.len() {
            let (item, test) = match self.round(repeat, seq, i) {
                Ok(round) => round,
                Err(why) => return Tri::Open(why),
            };
            let test = if positive { test } else { test.not() };
            let there = item.maybe.map_or(Tri::Yes, Tri::Open);
            answer = answer.or(test.and(there, self.arena), self.arena);
            if let Tri::Yes = answer {
                break;
            }
        }
        answer
    }

    fn exactly_one(&self, repeat: &'e Loop, seq: Seq<'e>) -> Tri<'e> {
        let mut sure = 0;
        let mut open = seq.rest().map_or(Tri::No, Tri::Open);
        for i in 0..seq.len() {
            let (item, test) = match self.round(repeat, seq, i) {
                Ok(round) => round,
                Err(why) => return Tri::Open(why),
            };
            match test.and(item.maybe.map_or(Tri::Yes, Tri::Open), self.arena) {
                Tri::Yes => sure += 1,
                Tri::No => {}
                unsure => open = open.or(unsure, self.arena),
            }
            if sure > 1 {
                return Tri::No;
            }
        }
        match open {
            Tri::Open(_) => open,
            _ => (sure == 1).into(),
        }
    }

    /// `filter` and `map`.
    fn collect(&self, repeat: &'e Loop, seq: Seq<'e>, node: &'e Node) -> Val<'e> {
        let mut made = Items { list: Vec::with_capacity(seq.len().min(64)), rest: seq.rest() };
        for i in 0..seq.len() {
            let (item, test) = match self.round(repeat, seq, i) {
                Ok(round) => round,
                Err(why) => return Val::Unknown(why),
            };
            let maybe = match test.and(item.maybe.map_or(Tri::Yes, Tri::Open), self.arena) {
                Tri::No => continue,
                Tri::Yes => None,
                Tri::Open(why) => Some(why),
            };
            let val = repeat.body.as_ref().map_or(item.val, |body| self.eval(body));
            made.list.push(Item { val, maybe });
        }
        let _ = node;
        Val::Items(self.arena.items.put(made))
    }

    /// `size(x)`: of a list or map its members, of text its characters, of null 0.
    pub(super) fn size(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        let (least, most, why) = match self.settle(val) {
            Val::Null => return Val::Int(0),
            Val::Str(text) => {
                return match self.charge_text(text.len()) {
                    Ok(()) => Val::Int(text.chars().count() as i64),
                    Err(why) => Val::Unknown(why),
                };
            }
            Val::Unknown(why) => (0, i64::MAX, why),
            Val::Mixed(pieces) => {
                let known = pieces.iter().filter_map(Value::as_str).map(|s| s.chars().count() as i64).sum();
                (known, i64::MAX, self.open(val))
            }
            Val::Link(_) => (0, i64::MAX, self.open(val)),
            list @ (Val::List(_) | Val::Items(_) | Val::Map(_) | Val::PartMap(_)) => {
                let seq = match self.seq(list, node).and_then(|seq| self.looked_over(seq)) {
                    Ok(seq) => seq,
                    Err(why) => return Val::Unknown(why.within(0, i64::MAX, self.arena)),
                };
                let (least, most) = seq.count(self);
                match seq.uncertain(self) {
                    None => return Val::Int(least),
                    Some(why) => (least, most, why),
                }
            }
            _ => (0, i64::MAX, self.malformed(node, "a list, map or text")),
        };
        Val::Unknown(why.within(least, most, self.arena))
    }

    /// The elements of the elements.
    pub(super) fn flatten(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        let outer = match self.seq(val, node) {
            Ok(seq) => seq,
            Err(why) => return Val::Unknown(why),
        };
        let mut made = Items { list: Vec::new(), rest: outer.rest() };
        for i in 0..outer.len() {
            let Some(item) = outer.get(self, i) else { break };
            let inner = match item.val {
                Val::Map(_) | Val::PartMap(_) => self.read(item.val, Want::List, node),
                other => other,
            };
            let seq = match self.seq(inner, node) {
                Ok(seq) => seq,
                Err(why) => {
                    made.add_rest(Some(why), self.arena);
                    continue;
                }
            };
            if let Err(why) = self.charge(seq.len() + 1) {
                return Val::Unknown(why);
            }
            for mut element in (0..seq.len()).filter_map(|j| seq.get(self, j)) {
                element.maybe = match (element.maybe, item.maybe) {
                    (Some(a), Some(b)) => Some(a.with(b, self.arena)),
                    (a, b) => a.or(b),
                };
                made.list.push(element);
            }
            made.add_rest(seq.rest(), self.arena);
        }
        Val::Items(self.arena.items.put(made))
    }

    /// Each element once, at its first place.
    pub(super) fn distinct(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        let seq = match self.seq(val, node) {
            Ok(seq) => seq,
            Err(why) => return Val::Unknown(why),
        };
        let mut made = Items { list: Vec::new(), rest: seq.rest() };
        'elements: for i in 0..seq.len() {
            if let Err(why) = self.charge(made.list.len() + 1) {
                return Val::Unknown(why);
            }
            let Some(mut item) = seq.get(self, i) else { break };
            for earlier in &mut made.list {
                match self.equal(item.val, earlier.val, 0) {
                    Tri::Yes => {
                        if item.maybe.is_none() {
                            earlier.maybe = None;
                        }
                        continue 'elements;
                    }
                    Tri::Open(why) => item.maybe = Some(item.maybe.map_or(why, |m| m.with(why, self.arena))),
                    Tri::No => {}
                }
            }
            made.list.push(item);
        }
        Val::Items(self.arena.items.put(made))
    }

    /// `keys(map)`.
    pub(super) fn key_list(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        match val {
            Val::Map(_) | Val::PartMap(_) | Val::Null => match self.seq(val, node) {
                Ok(Seq::Items(items)) => Val::Items(items),
                Ok(Seq::Values(values)) => Val::List(values),
                Err(why) => Val::Unknown(why),
            },
            other => self.misfit(other, node, "a map"),
        }
    }

    /// `values(map)`.
    pub(super) fn value_list(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        let (map, rest) = match val {
            Val::Map(map) => (map, None),
            Val::PartMap(part) => (&part.map, Some(part.rest)),
            Val::Null => return Val::List(&[]),
            other => return self.misfit(other, node, "a map"),
        };
        let list = map
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(_, value)| {
                let val = self.val(value);
                match self.is_null(val) {
                    Tri::Open(why) => Item { val, maybe: Some(why) },
                    _ => Item::sure(val),
                }
            })
            .collect();
        Val::Items(self.arena.items.put(Items { list, rest }))
    }

    /// `list(x)`: a list as it is, null as no elements, anything else as one.
    pub(super) fn to_list(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        match val {
            Val::Null => Val::List(&[]),
            Val::Unknown(why) => Val::Unknown(why.set(true, self.arena)),
            other => self.read(other, Want::List, node),
        }
    }

    /// `list.join(separator)`.
    pub(super) fn join(&self, list: Val<'e>, separator: &str, node: &'e Node) -> Result<Val<'e>, Why<'e>> {
        let seq = self.seq(list, node)?;
        if let Some(why) = seq.uncertain(self) {
            return Err(why.set(true, self.arena));
        }
        let mut made = String::new();
        for i in 0..seq.len() {
            let Some(item) = seq.get(self, i) else { break };
            let text = self.text(item.val, node)?;
            self.charge_text(text.len() + made.len())?;
            if i > 0 {
                made.push_str(separator);
            }
            made.push_str(text);
        }
        Ok(self.val(self.arena.values.put(Value::Str(Text::from(made)))))
    }
}
