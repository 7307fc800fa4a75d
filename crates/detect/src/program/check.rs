//! One field of an event against the values of a rule.

use aho_corasick::AhoCorasick;
use logs::cloudtrail::{Event, Leaf};
use logs::paths::{PathId, Paths};
use logs::{Kind, time};
use rustc_hash::FxHashSet;

use crate::sigma::{Atom, Compare, Pattern, Piece, Place, Test, TimePart};

/// More plain values than this are looked up in a set.
const SET_MIN: usize = 6;

/// Texts up to this length are searched by hand, longer ones by an automaton that can't be slowed down.
const SHORT_BYTES_MAX: usize = 2048;

/// A path, or every string, against values.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    path: Option<PathId>,
    tests: Vec<Matcher>,
    all: bool,
    negated: bool,
    /// Its answer follows from the values at its path alone.
    by_value: bool,
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

impl Check {
    /// Wants the path, and every string for keywords.
    pub(crate) fn new(atom: &Atom, paths: &mut Paths) -> Result<Check, String> {
        let path = match &atom.field {
            Some(field) => Some(paths.add(field)),
            None => {
                paths.add_every_string();
                None
            }
        };
        let tests = tests(atom, paths)?;
        let by_value = !tests.iter().any(|test| matches!(test, Matcher::FieldRef { .. }));
        Ok(Check { path, tests, all: atom.all, negated: atom.negated, by_value })
    }

    /// The path whose values alone decide, if there is one.
    pub(crate) fn decided_by(&self) -> Option<PathId> {
        self.path.filter(|_| self.by_value)
    }

    /// Whether it holds for each event that has one of the values that [`Check::needs`] names.
    pub(crate) fn is_membership(&self, path: PathId) -> bool {
        let plain = |test: &Matcher| matches!(test, Matcher::Exact { cased: false, .. } | Matcher::Set(_));
        self.path == Some(path) && !self.negated && (!self.all || self.tests.len() == 1) && self.tests.iter().all(plain)
    }

    /// Roughly how long it takes.
    pub(crate) fn cost(&self) -> u32 {
        let each = if self.path.is_none() { 100 } else { 1 };
        self.tests.iter().map(|test| test.cost() * each).sum()
    }

    /// The path of a check that [`Check::needs`] has values for.
    pub(crate) fn path(&self) -> Option<PathId> {
        self.path
    }

    /// The values, lower case, of which the path must have one for it to hold; nothing if there is no such list.
    pub(crate) fn needs(&self, path: PathId) -> Option<Vec<Box<[u8]>>> {
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

    /// Whether it holds.
    pub(crate) fn holds(&self, event: &Event<'_>) -> bool {
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
            Matcher::Exact { .. } | Matcher::Start { .. } | Matcher::End { .. } => 1,
            // Quick, but true of nearly every event: what settles the matter goes first.
            Matcher::Null | Matcher::Exists(_) | Matcher::Bool(_) | Matcher::Anything => 2,
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
