//! A rule's condition, compiled: evaluated over one event without allocation.

use aho_corasick::AhoCorasick;
use logs::cloudtrail::{Event, Leaf};
use logs::paths::{PathId, Paths};
use logs::{Kind, time};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::sigma::{Atom, Compare, Expr, Pattern, Piece, Place, Test, TimePart};

/// More plain values than this are looked up in a set.
const SET_MIN: usize = 6;

/// Texts up to this length are searched by hand, longer ones by an automaton that can't be slowed down.
const SHORT_BYTES_MAX: usize = 2048;

/// A compiled condition.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    AtLeast(usize, Vec<Node>),
    Not(Box<Node>),
    Check(Check),
}

/// A path, or every string, against values.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    path: Option<PathId>,
    tests: Vec<Matcher>,
    all: bool,
    negated: bool,
    /// Where its answer is remembered while an event is looked at; only for what is slow.
    memo: Option<u32>,
    /// Its answer follows from the one value at its path.
    by_value: bool,
}

/// A check that costs at least this much is asked only once an event, however many rules share it.
const MEMO_COST_MIN: u32 = 8;

/// How many values of a path are remembered. Names, agents and addresses repeat; what doesn't is judged each time.
const VALUES_MAX: usize = 256;

/// Longer values are judged each time.
const VALUE_BYTES_MAX: usize = 512;

/// The answers of slow checks: to the event at hand, and to values that come again and again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memo {
    stamp: u32,
    slots: Vec<Slot>,
    values: FxHashMap<PathId, Seen>,
}

#[derive(Clone, Debug, Default)]
struct Slot {
    stamp: u32,
    answer: bool,
    known: [u64; VALUES_MAX / 64],
    yes: [u64; VALUES_MAX / 64],
}

/// The values of one path that have numbers, and the number of the one at hand.
#[derive(Clone, Debug, Default)]
struct Seen {
    stamp: u32,
    now: Option<u32>,
    numbers: FxHashMap<Box<[u8]>, u32>,
}

impl Seen {
    fn number(&mut self, leaf: &Leaf<'_>) -> Option<u32> {
        if leaf.kind != Kind::String || leaf.bytes.len() > VALUE_BYTES_MAX {
            return None;
        }
        if let Some(number) = self.numbers.get(leaf.bytes) {
            return Some(*number);
        }
        let next = self.numbers.len() as u32;
        if next as usize >= VALUES_MAX {
            return None;
        }
        self.numbers.insert(leaf.bytes.into(), next);
        Some(next)
    }
}

impl Memo {
    /// Forgets the last event's answers.
    pub(crate) fn clear(&mut self, checks: usize) {
        if self.slots.len() != checks {
            self.slots = vec![Slot::default(); checks];
            self.values.clear();
            self.stamp = 0;
        }
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.slots.iter_mut().for_each(|slot| slot.stamp = 0);
            self.values.values_mut().for_each(|seen| seen.stamp = 0);
            self.stamp = 1;
        }
    }

    /// The number of the value at a path of this event, if there is just one and it has one.
    fn value(&mut self, path: PathId, event: &Event<'_>) -> Option<u32> {
        let seen = self.values.entry(path).or_default();
        if seen.stamp != self.stamp {
            seen.stamp = self.stamp;
            let mut values = event.values(path);
            seen.now = match (values.next(), values.next()) {
                (Some(leaf), None) => seen.number(&leaf),
                _ => None,
            };
        }
        seen.now
    }

    /// The answer of a slow check.
    fn ask(&mut self, check: &Check, place: u32, event: &Event<'_>) -> bool {
        let stamp = self.stamp;
        if let Some(slot) = self.slots.get(place as usize).filter(|slot| slot.stamp == stamp) {
            return slot.answer;
        }
        let value = check.path.filter(|_| check.by_value).and_then(|path| self.value(path, event));
        let Some(slot) = self.slots.get_mut(place as usize) else { return check.holds(event) };
        let bit = value.map(|number| (number as usize / 64, 1u64 << (number % 64)));
        let remembered = bit.and_then(|(word, bit)| {
            let known = slot.known.get(word).is_some_and(|held| held & bit != 0);
            known.then(|| slot.yes.get(word).is_some_and(|held| held & bit != 0))
        });
        let answer = remembered.unwrap_or_else(|| check.holds(event));
        if let (None, Some((word, bit))) = (remembered, bit)
            && let (Some(known), Some(yes)) = (slot.known.get_mut(word), slot.yes.get_mut(word))
        {
            *known |= bit;
            *yes |= if answer { bit } else { 0 };
        }
        (slot.stamp, slot.answer) = (stamp, answer);
        answer
    }
}

/// Turns conditions into programs; equal slow checks share a place in the memo.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    /// The wanted paths so far.
    pub(crate) paths: Paths,
    memos: FxHashMap<String, u32>,
}

impl Compiler {
    /// How many places the memo needs.
    pub(crate) fn memos(&self) -> usize {
        self.memos.len()
    }
}

#[derive(Clone, Debug)]
enum Matcher {
    Exact { text: Box<[u8]>, cased: bool },
    Set(FxHashSet<Box<[u8]>>),
    Start { text: Box<[u8]>, cased: bool },
    End { text: Box<[u8]>, cased: bool },
    Inside { text: Box<[u8]>, cased: bool, long: Box<AhoCorasick> },
    Many(Box<AhoCorasick>),
    Regex(regex::bytes::Regex),
    Anything,
    Number(Compare, f64),
    TimePart(TimePart, Compare, f64),
    Cidr(ipnet::IpNet),
    Bool(bool),
    Null,
    Exists(bool),
    FieldRef { path: PathId, place: Place, cased: bool },
}

impl Compiler {
    /// Compiles a condition.
    pub(crate) fn compile(&mut self, expr: &Expr) -> Result<Node, String> {
        Ok(match expr {
            Expr::And(parts) => Node::And(self.each(parts)?),
            Expr::Or(parts) => Node::Or(self.each(parts)?),
            Expr::AtLeast(count, parts) => Node::AtLeast(*count, self.each(parts)?),
            Expr::Not(inner) => Node::Not(Box::new(self.compile(inner)?)),
            Expr::Atom(atom) => Node::Check(self.check(atom)?),
        })
    }

    fn each(&mut self, parts: &[Expr]) -> Result<Vec<Node>, String> {
        let mut nodes = parts.iter().map(|part| self.compile(part)).collect::<Result<Vec<Node>, String>>()?;
        nodes.sort_by_key(Node::cost);
        Ok(nodes)
    }

    fn check(&mut self, atom: &Atom) -> Result<Check, String> {
        let path = match &atom.field {
            Some(field) => Some(self.paths.add(field)),
            None => {
                self.paths.add_every_string();
                None
            }
        };
        let tests = tests(atom, &mut self.paths)?;
        let by_value = !tests.iter().any(|test| matches!(test, Matcher::FieldRef { .. }));
        let mut check = Check { path, tests, all: atom.all, negated: atom.negated, memo: None, by_value };
        if check.cost() >= MEMO_COST_MIN {
            let next = self.memos.len() as u32;
            check.memo = Some(*self.memos.entry(format!("{atom:?}")).or_insert(next));
        }
        Ok(check)
    }
}

/// The values of an atom; many plain ones become one.
fn tests(atom: &Atom, paths: &mut Paths) -> Result<Vec<Matcher>, String> {
    let mut tests = vec![];
    let (mut exact, mut inside) = (vec![], vec![]);
    for test in &atom.tests {
        match matcher(test, paths)? {
            Matcher::Exact { text, cased: false } if !atom.all => exact.push(text),
            Matcher::Inside { text, cased: false, .. } if !atom.all => inside.push(text),
            other => tests.push(other),
        }
    }
    if exact.len() >= SET_MIN {
        tests.push(Matcher::Set(exact.iter().map(|text| text.to_ascii_lowercase().into()).collect()));
    } else {
        tests.extend(exact.into_iter().map(|text| Matcher::Exact { text, cased: false }));
    }
    if inside.len() > 1 {
        tests.push(Matcher::Many(Box::new(automaton(&inside, false)?)));
    } else {
        for text in inside {
            tests.push(inside_of(text, false)?);
        }
    }
    Ok(tests)
}

fn automaton(texts: &[Box<[u8]>], cased: bool) -> Result<AhoCorasick, String> {
    AhoCorasick::builder().ascii_case_insensitive(!cased).build(texts).map_err(|error| error.to_string())
}

fn inside_of(text: Box<[u8]>, cased: bool) -> Result<Matcher, String> {
    let long = Box::new(automaton(std::slice::from_ref(&text), cased)?);
    Ok(Matcher::Inside { text, cased, long })
}

fn matcher(test: &Test, paths: &mut Paths) -> Result<Matcher, String> {
    Ok(match test {
        Test::Text { pattern, cased } => text_matcher(pattern, *cased)?,
        Test::Regex(regex) => Matcher::Regex(regex.clone()),
        Test::Number(compare, number) => Matcher::Number(*compare, *number),
        Test::TimePart(part, compare, number) => Matcher::TimePart(*part, *compare, *number),
        Test::Cidr(network) => Matcher::Cidr(*network),
        Test::Bool(expected) => Matcher::Bool(*expected),
        Test::Null => Matcher::Null,
        Test::Exists(expected) => Matcher::Exists(*expected),
        Test::FieldRef { field, place, cased } => Matcher::FieldRef { path: paths.add(field), place: *place, cased: *cased },
    })
}

fn text_matcher(pattern: &Pattern, cased: bool) -> Result<Matcher, String> {
    let folds = |text: &str| cased || text.is_ascii();
    let bytes = |text: &str| -> Box<[u8]> { text.as_bytes().into() };
    Ok(match pattern.pieces.as_slice() {
        [] => Matcher::Exact { text: Box::default(), cased },
        [Piece::Any] => Matcher::Anything,
        [Piece::Text(text)] if folds(text) => Matcher::Exact { text: bytes(text), cased },
        [Piece::Text(text), Piece::Any] if folds(text) => Matcher::Start { text: bytes(text), cased },
        [Piece::Any, Piece::Text(text)] if folds(text) => Matcher::End { text: bytes(text), cased },
        [Piece::Any, Piece::Text(text), Piece::Any] if folds(text) => inside_of(bytes(text), cased)?,
        _ => Matcher::Regex(pattern.regex(cased)?),
    })
}

impl Node {
    /// Roughly how long it takes to evaluate: what is quick goes first, since it often settles the matter.
    fn cost(&self) -> u32 {
        match self {
            Node::And(parts) | Node::Or(parts) | Node::AtLeast(_, parts) => parts.iter().map(Node::cost).sum(),
            Node::Not(inner) => inner.cost(),
            Node::Check(check) => check.cost(),
        }
    }

    /// Whether the condition holds.
    pub(crate) fn holds(&self, event: &Event<'_>, memo: &mut Memo) -> bool {
        match self {
            Node::And(parts) => parts.iter().all(|part| part.holds(event, memo)),
            Node::Or(parts) => parts.iter().any(|part| part.holds(event, memo)),
            Node::AtLeast(count, parts) => parts.iter().filter(|part| part.holds(event, memo)).take(*count).count() >= *count,
            Node::Not(inner) => !inner.holds(event, memo),
            Node::Check(check) => match check.memo {
                Some(place) => memo.ask(check, place, event),
                None => check.holds(event),
            },
        }
    }

    /// The values, lower case, of which the field must have one for the condition to hold; nothing if there is no such
    /// list. What lets a rule wait for the few events that can concern it.
    pub(crate) fn needs(&self, path: PathId) -> Option<Vec<Box<[u8]>>> {
        match self {
            Node::And(parts) => parts.iter().filter_map(|part| part.needs(path)).min_by_key(Vec::len),
            Node::Or(parts) | Node::AtLeast(1.., parts) => {
                let mut every = vec![];
                for part in parts {
                    every.extend(part.needs(path)?);
                }
                every.sort();
                every.dedup();
                Some(every)
            }
            Node::AtLeast(..) | Node::Not(_) => None,
            Node::Check(check) => check.needs(path),
        }
    }
}

impl Check {
    fn cost(&self) -> u32 {
        let each = if self.path.is_none() { 100 } else { 1 };
        self.tests.iter().map(|test| test.cost() * each).sum()
    }

    fn needs(&self, path: PathId) -> Option<Vec<Box<[u8]>>> {
        if self.path != Some(path) || self.negated {
            return None;
        }
        let mut every: Vec<Box<[u8]>> = vec![];
        for test in &self.tests {
            match test {
                Matcher::Exact { text, .. } => every.push(text.to_ascii_lowercase().into()),
                Matcher::Set(texts) => every.extend(texts.iter().cloned()),
                _ => return None,
            }
        }
        every.sort();
        every.dedup();
        Some(every)
    }

    #[inline]
    fn holds(&self, event: &Event<'_>) -> bool {
        let one = |test: &Matcher| self.one(test, event);
        if self.negated {
            let present = self.path.is_none_or(|path| event.first(path).is_some());
            return present && !self.tests.iter().any(one);
        }
        if self.all { self.tests.iter().all(one) } else { self.tests.iter().any(one) }
    }

    #[inline]
    fn one(&self, test: &Matcher, event: &Event<'_>) -> bool {
        let mut values = match self.path {
            Some(path) => event.values(path),
            None => event.strings(),
        };
        match test {
            Matcher::Null => {
                let first = values.next();
                first.is_none_or(|leaf| leaf.kind == Kind::Null) || values.any(|leaf| leaf.kind == Kind::Null)
            }
            Matcher::Exists(expected) => values.next().is_some() == *expected,
            Matcher::FieldRef { path, place, cased } => values.any(|left| {
                let same_kind = |right: &Leaf<'_>| right.kind == left.kind || (textual(&left) && textual(right));
                event.values(*path).filter(same_kind).any(|right| stands(left.bytes, right.bytes, *place, *cased))
            }),
            test => values.any(|leaf| test.matches(&leaf)),
        }
    }
}

fn textual(leaf: &Leaf<'_>) -> bool {
    matches!(leaf.kind, Kind::String | Kind::Number | Kind::True | Kind::False)
}

fn same(left: &[u8], right: &[u8], cased: bool) -> bool {
    if cased { left == right } else { left.eq_ignore_ascii_case(right) }
}

fn stands(text: &[u8], part: &[u8], place: Place, cased: bool) -> bool {
    match place {
        Place::Whole => same(text, part, cased),
        Place::Start => text.get(..part.len()).is_some_and(|head| same(head, part, cased)),
        Place::End => {
            text.len().checked_sub(part.len()).and_then(|at| text.get(at..)).is_some_and(|tail| same(tail, part, cased))
        }
        Place::Inside => inside(text, part, cased),
    }
}

/// A search by hand, for short texts.
fn inside(text: &[u8], part: &[u8], cased: bool) -> bool {
    if cased {
        return memchr::memmem::find(text, part).is_some();
    }
    let Some(&first) = part.first() else { return true };
    let Some(last) = text.len().checked_sub(part.len()) else { return false };
    let starts = text.get(..=last).unwrap_or_default();
    memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), starts)
        .any(|at| text.get(at..at + part.len()).is_some_and(|window| window.eq_ignore_ascii_case(part)))
}

fn number(leaf: &Leaf<'_>) -> Option<f64> {
    match leaf.kind {
        Kind::Number | Kind::String => leaf.text().parse().ok(),
        _ => None,
    }
}

impl Matcher {
    fn cost(&self) -> u32 {
        match self {
            Matcher::Null | Matcher::Exists(_) | Matcher::Bool(_) | Matcher::Anything => 1,
            Matcher::Exact { .. } | Matcher::Start { .. } | Matcher::End { .. } => 2,
            Matcher::Set(_) | Matcher::Number(..) => 4,
            Matcher::Cidr(_) | Matcher::TimePart(..) | Matcher::FieldRef { .. } => 8,
            Matcher::Inside { .. } => 10,
            Matcher::Many(_) => 20,
            Matcher::Regex(_) => 30,
        }
    }

    #[inline]
    fn matches(&self, leaf: &Leaf<'_>) -> bool {
        let text = leaf.bytes;
        match self {
            Matcher::Number(compare, wanted) => return number(leaf).is_some_and(|number| compare.holds(number, *wanted)),
            Matcher::Bool(expected) => return truth(leaf) == Some(*expected),
            _ if !textual(leaf) => return false,
            _ => {}
        }
        match self {
            Matcher::Exact { text: wanted, cased } => same(text, wanted, *cased),
            Matcher::Set(wanted) => folded(text, |text| wanted.contains(text)),
            Matcher::Start { text: wanted, cased } => stands(text, wanted, Place::Start, *cased),
            Matcher::End { text: wanted, cased } => stands(text, wanted, Place::End, *cased),
            Matcher::Inside { text: wanted, cased, long } => {
                if text.len() <= SHORT_BYTES_MAX {
                    inside(text, wanted, *cased)
                } else {
                    long.is_match(text)
                }
            }
            Matcher::Many(automaton) => automaton.is_match(text),
            Matcher::Regex(regex) => regex.is_match(text),
            Matcher::Anything => true,
            Matcher::TimePart(part, compare, wanted) => part_of(leaf, *part).is_some_and(|n| compare.holds(n, *wanted)),
            Matcher::Cidr(network) => leaf.text().parse::<std::net::IpAddr>().is_ok_and(|address| network.contains(&address)),
            _ => false,
        }
    }
}

fn truth(leaf: &Leaf<'_>) -> Option<bool> {
    match leaf.kind {
        Kind::True => Some(true),
        Kind::False => Some(false),
        Kind::String => {
            let is = |words: [&[u8]; 3]| words.iter().any(|word| leaf.bytes.eq_ignore_ascii_case(word));
            if is([b"true", b"1", b"yes"]) {
                Some(true)
            } else if is([b"false", b"0", b"no"]) {
                Some(false)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// Of a time as text, or of a number of seconds or milliseconds since 1970; digits in a string are no time.
fn part_of(leaf: &Leaf<'_>, part: TimePart) -> Option<f64> {
    let seconds = match leaf.kind {
        Kind::String if !leaf.bytes.contains(&b':') => return None,
        Kind::String | Kind::Number => time::seconds(leaf.bytes)?,
        _ => return None,
    };
    let (year, month, day) = time::date(seconds);
    Some(match part {
        TimePart::Minute => seconds.rem_euclid(3600) / 60,
        TimePart::Hour => seconds.rem_euclid(86_400) / 3600,
        TimePart::Day => day,
        TimePart::Week => time::week(seconds),
        TimePart::Month => month,
        TimePart::Year => year,
    } as f64)
}

/// Calls `with` with the text in lower case; no allocation up to 256 bytes.
#[inline]
pub(crate) fn folded<T>(text: &[u8], with: impl FnOnce(&[u8]) -> T) -> T {
    let mut short = [0u8; 256];
    match short.get_mut(..text.len()) {
        Some(copy) => {
            copy.copy_from_slice(text);
            copy.make_ascii_lowercase();
            with(copy)
        }
        None => with(&text.to_ascii_lowercase()),
    }
}
