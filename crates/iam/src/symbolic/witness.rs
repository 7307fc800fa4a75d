//! Representative texts: for a set of patterns, one text for every way in which a text can match some and not others.

use std::cell::Cell;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::glob::{Mark, Tokens, glob_match, mark};

/// Most states of the product automaton that are looked at for one set of patterns.
pub const STATES_MAX: usize = 20_000;

/// Most steps of work on representatives in one search: words of automaton states worked out, and texts matched against
/// patterns. It bounds the time where there are many patterns.
pub const STEPS_MAX: usize = 8_000_000;

/// The work that is left.
#[derive(Debug)]
pub(crate) struct Budget {
    left: Cell<usize>,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { left: Cell::new(STEPS_MAX) }
    }
}

impl Budget {
    /// Takes some; an error if not so much is left.
    pub(crate) fn spend(&self, steps: usize) -> Result<(), Capped> {
        let left = self.left.get().checked_sub(steps).ok_or(Capped)?;
        self.left.set(left);
        Ok(())
    }
}

/// The search was cut off at a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capped;

/// Texts that between them show every realisable combination of matching and not matching. `prefer` is taken where any text
/// of its combination would do.
pub(crate) fn texts(patterns: &[Tokens], prefer: &[&str], budget: &Budget) -> Result<Vec<String>, Capped> {
    let mut literals: Vec<&str> = Vec::new();
    let mut globs: Vec<&Tokens> = Vec::new();
    for pattern in patterns {
        match std::str::from_utf8(pattern) {
            Ok(text) => literals.push(text),
            Err(_) if pattern.iter().all(|b| mark(*b) == Mark::Many) => {}
            Err(_) => globs.push(pattern),
        }
    }
    literals.sort_unstable();
    literals.dedup();
    globs.sort_unstable();
    globs.dedup();
    let fresh = fresh_char(patterns);
    let mut free = match affixes(&globs, fresh) {
        Some(free) => free,
        None => {
            let free = product(&globs, &[], fresh, budget)?;
            if free.iter().any(|t| literals.contains(&t.as_str())) { product(&globs, &literals, fresh, budget)? } else { free }
        }
    };
    budget.spend(free.len() * (globs.len() + literals.len()))?;
    let vector = |text: &str| -> Vec<bool> { globs.iter().map(|g| glob_match(g, text)).collect() };
    for word in prefer.iter().filter(|w| !literals.contains(w)) {
        let wanted = vector(word);
        if let Some(slot) = free.iter_mut().find(|t| !prefer.contains(&t.as_str()) && vector(t) == wanted) {
            *slot = (*word).to_owned();
        }
    }
    let mut all: Vec<String> = free;
    all.retain(|t| !literals.contains(&t.as_str()));
    all.extend(literals.iter().map(|t| (*t).to_owned()));
    Ok(all)
}

/// A character that occurs in none of the patterns.
fn fresh_char(patterns: &[Tokens]) -> char {
    let used: FxHashSet<u8> = patterns.iter().flatten().copied().collect();
    let ascii = "x0zqjkvwy123456789abcdefghilmnoprstu~_".bytes().find(|b| !used.contains(b));
    ascii.map_or('\u{2603}', char::from)
}

/// The texts for globs that each are a literal with one star at its end or at its start; `None` for other globs.
fn affixes(globs: &[&Tokens], fresh: char) -> Option<Vec<String>> {
    let mut prefixes = vec![""];
    let mut suffixes = vec![""];
    for glob in globs {
        let (first, last) = (glob.first()?, glob.last()?);
        if mark(*last) == Mark::Many {
            prefixes.push(std::str::from_utf8(glob.get(..glob.len() - 1)?).ok()?);
        } else if mark(*first) == Mark::Many {
            suffixes.push(std::str::from_utf8(glob.get(1..)?).ok()?);
        } else {
            return None;
        }
    }
    let mut all = Vec::with_capacity(prefixes.len() * suffixes.len());
    for prefix in &prefixes {
        for suffix in &suffixes {
            all.push(format!("{prefix}{fresh}{suffix}"));
        }
    }
    Some(all)
}

/// One step of a pattern, in characters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// `*`, or a hole.
    Many,
    /// `?`
    One,
    /// Itself.
    Char(char),
}

/// A pattern's steps.
pub(crate) fn steps(tokens: &[u8]) -> Vec<Step> {
    let mut out = Vec::new();
    let mut text: Vec<u8> = Vec::new();
    let flush = |text: &mut Vec<u8>, out: &mut Vec<Step>| {
        out.extend(String::from_utf8_lossy(text).chars().map(Step::Char));
        text.clear();
    };
    for byte in tokens {
        match mark(*byte) {
            Mark::Byte(b) => text.push(b),
            Mark::One => {
                flush(&mut text, &mut out);
                out.push(Step::One);
            }
            Mark::Many | Mark::Hole => {
                flush(&mut text, &mut out);
                out.push(Step::Many);
            }
        }
    }
    flush(&mut text, &mut out);
    out
}

/// All patterns run side by side, a bit for each position of each; a state is the set of positions that they may be at. Behind
/// the last step of a pattern stands one more position, at which it has matched.
struct Product {
    /// Where each pattern has matched.
    ends: Vec<usize>,
    words: usize,
    /// Positions that a text may begin at.
    begins: State,
    /// Positions of stars, and of question marks.
    many: State,
    one: State,
    /// Positions of each character.
    chars: FxHashMap<char, State>,
}

type State = Box<[u64]>;

impl Product {
    fn new(patterns: &[Vec<Step>]) -> Product {
        let words = patterns.iter().map(|p| p.len() + 1).sum::<usize>().div_ceil(64);
        let none = || -> State { vec![0; words].into() };
        let mut product =
            Product { ends: Vec::new(), words, begins: none(), many: none(), one: none(), chars: FxHashMap::default() };
        let mut bit = 0;
        for pattern in patterns {
            set(&mut product.begins, bit);
            for step in pattern {
                match step {
                    Step::Many => set(&mut product.many, bit),
                    Step::One => set(&mut product.one, bit),
                    Step::Char(c) => set(product.chars.entry(*c).or_insert_with(none), bit),
                }
                bit += 1;
            }
            product.ends.push(bit);
            bit += 1;
        }
        product
    }

    /// Adds what is reached without reading: past stars.
    fn close(&self, state: &mut State) {
        loop {
            let mut carry = 0;
            let mut grown = false;
            for (word, many) in state.iter_mut().zip(&self.many) {
                let stars = *word & many;
                let next = *word | stars << 1 | carry;
                carry = stars >> 63;
                grown |= next != *word;
                *word = next;
            }
            if !grown {
                return;
            }
        }
    }

    fn start(&self) -> State {
        let mut state = self.begins.clone();
        self.close(&mut state);
        state
    }

    fn read(&self, state: &State, c: char) -> State {
        let mut next: State = vec![0; self.words].into();
        let own = self.chars.get(&c);
        let mut carry = 0;
        for (i, slot) in next.iter_mut().enumerate() {
            let word = |from: &State| from.get(i).copied().unwrap_or(0);
            let steps = word(state) & (word(&self.one) | own.map_or(0, word));
            *slot = steps << 1 | carry | word(state) & word(&self.many);
            carry = steps >> 63;
        }
        self.close(&mut next);
        next
    }

    fn accepts(&self, state: &State) -> Vec<bool> {
        self.ends.iter().map(|bit| state.get(bit / 64).is_some_and(|word| word & (1 << (bit % 64)) != 0)).collect()
    }
}

fn set(state: &mut State, bit: usize) {
    if let Some(word) = state.get_mut(bit / 64) {
        *word |= 1 << (bit % 64);
    }
}

/// Breadth-first over the product automaton: the shortest text of each combination. Combinations in which a literal matches
/// are left out.
fn product(globs: &[&Tokens], literals: &[&str], fresh: char, budget: &Budget) -> Result<Vec<String>, Capped> {
    let mut patterns: Vec<Vec<Step>> = globs.iter().map(|g| steps(g)).collect();
    patterns.extend(literals.iter().map(|l| l.chars().map(Step::Char).collect()));
    let mut alphabet: Vec<char> = globs
        .iter()
        .flat_map(|g| steps(g))
        .filter_map(|s| match s {
            Step::Char(c) => Some(c),
            _ => None,
        })
        .collect();
    alphabet.push(fresh);
    alphabet.sort_unstable();
    alphabet.dedup();
    let machine = Product::new(&patterns);
    let mut nodes: Vec<(State, usize, char)> = vec![(machine.start(), 0, fresh)];
    let mut seen: FxHashSet<State> = nodes.iter().map(|n| n.0.clone()).collect();
    let mut found: FxHashMap<Vec<bool>, usize> = FxHashMap::default();
    let mut at = 0;
    while let Some((state, ..)) = nodes.get(at) {
        let state = state.clone();
        budget.spend(machine.words * alphabet.len())?;
        let accepts = machine.accepts(&state);
        if !accepts.iter().skip(globs.len()).any(|a| *a) {
            found.entry(accepts).or_insert(at);
        }
        for c in &alphabet {
            let next = machine.read(&state, *c);
            if seen.insert(next.clone()) {
                if nodes.len() >= STATES_MAX {
                    return Err(Capped);
                }
                nodes.push((next, at, *c));
            }
        }
        at += 1;
    }
    let mut ends: Vec<usize> = found.into_values().collect();
    ends.sort_unstable();
    Ok(ends.into_iter().map(|end| spell(&nodes, end)).collect())
}

fn spell(nodes: &[(State, usize, char)], end: usize) -> String {
    let mut text = Vec::new();
    let mut at = end;
    while at != 0
        && let Some((_, parent, c)) = nodes.get(at)
    {
        text.push(*c);
        at = *parent;
    }
    text.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(pattern: &str) -> Tokens {
        pattern
            .bytes()
            .map(|b| match b {
                b'*' => 0xff,
                b'?' => 0xfe,
                other => other,
            })
            .collect()
    }

    fn every_text(alphabet: &[char], length: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..length {
            last = last.iter().flat_map(|t| alphabet.iter().map(move |c| format!("{t}{c}"))).collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    proptest! {
        #[test]
        fn every_combination_has_a_text(raw in prop::collection::vec("[ab*?]{0,4}", 1..4)) {
            let patterns: Vec<Tokens> = raw.iter().map(|p| tokens(p)).collect();
            let vector = |t: &str| -> Vec<bool> { patterns.iter().map(|p| glob_match(p, t)).collect() };
            let shown: FxHashSet<Vec<bool>> = texts(&patterns, &[], &Budget::default()).unwrap().iter().map(|t| vector(t)).collect();
            for text in every_text(&['a', 'b', 'x'], 6) {
                prop_assert!(shown.contains(&vector(&text)), "{text:?} of {raw:?}");
            }
        }
    }

    #[test]
    fn preferred_words_are_taken() {
        let got = texts(&[tokens("111122223333"), tokens("*")], &["999999999999"], &Budget::default()).unwrap();
        assert_eq!(got, ["999999999999", "111122223333"]);
    }
}
