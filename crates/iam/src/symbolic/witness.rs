//! Representative texts: for a set of patterns, one text for every way in which a text can match some and not others.

use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;

use crate::glob::{Mark, Tokens, glob_match, mark};

/// Most states of the product automaton that are looked at for one set of patterns.
pub const STATES_MAX: usize = 20_000;

/// The search was cut off at a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Capped;

/// Texts that between them show every realisable combination of matching and not matching. `prefer` is taken where any text
/// of its combination would do.
pub(crate) fn texts(patterns: &[Tokens], prefer: &[&str]) -> Result<Vec<String>, Capped> {
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
            let free = product(&globs, &[], fresh)?;
            if free.iter().any(|t| literals.contains(&t.as_str())) { product(&globs, &literals, fresh)? } else { free }
        }
    };
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

/// All patterns run side by side; a state is the set of positions that each may be at.
struct Product {
    patterns: Vec<Vec<Step>>,
    offsets: Vec<usize>,
    words: usize,
}

type State = Box<[u64]>;

impl Product {
    fn new(patterns: Vec<Vec<Step>>) -> Product {
        let mut offsets = Vec::with_capacity(patterns.len());
        let mut bits = 0;
        for pattern in &patterns {
            offsets.push(bits);
            bits += pattern.len() + 1;
        }
        Product { patterns, offsets, words: bits.div_ceil(64) }
    }

    fn set(state: &mut State, bit: usize) {
        if let Some(word) = state.get_mut(bit / 64) {
            *word |= 1 << (bit % 64);
        }
    }

    fn has(state: &State, bit: usize) -> bool {
        state.get(bit / 64).is_some_and(|word| word & (1 << (bit % 64)) != 0)
    }

    /// Adds what is reached without reading: past stars.
    fn close(&self, state: &mut State) {
        for (pattern, offset) in self.patterns.iter().zip(&self.offsets) {
            for (i, step) in pattern.iter().enumerate() {
                if *step == Step::Many && Product::has(state, offset + i) {
                    Product::set(state, offset + i + 1);
                }
            }
        }
    }

    fn start(&self) -> State {
        let mut state: State = vec![0; self.words].into();
        for offset in &self.offsets {
            Product::set(&mut state, *offset);
        }
        self.close(&mut state);
        state
    }

    fn read(&self, state: &State, c: char) -> State {
        let mut next: State = vec![0; self.words].into();
        for (pattern, offset) in self.patterns.iter().zip(&self.offsets) {
            for (i, step) in pattern.iter().enumerate() {
                if Product::has(state, offset + i) {
                    match step {
                        Step::Many => Product::set(&mut next, offset + i),
                        Step::One => Product::set(&mut next, offset + i + 1),
                        Step::Char(own) if *own == c => Product::set(&mut next, offset + i + 1),
                        Step::Char(_) => {}
                    }
                }
            }
        }
        self.close(&mut next);
        next
    }

    fn accepts(&self, state: &State) -> Vec<bool> {
        self.patterns.iter().zip(&self.offsets).map(|(p, o)| Product::has(state, o + p.len())).collect()
    }
}

/// Breadth-first over the product automaton: the shortest text of each combination. Combinations in which a literal matches
/// are left out.
fn product(globs: &[&Tokens], literals: &[&str], fresh: char) -> Result<Vec<String>, Capped> {
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
    let machine = Product::new(patterns);
    let mut nodes: Vec<(State, usize, char)> = vec![(machine.start(), 0, fresh)];
    let mut seen: FxHashSet<State> = nodes.iter().map(|n| n.0.clone()).collect();
    let mut found: FxHashMap<Vec<bool>, usize> = FxHashMap::default();
    let mut at = 0;
    while let Some((state, ..)) = nodes.get(at) {
        let state = state.clone();
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
            let shown: FxHashSet<Vec<bool>> = texts(&patterns, &[]).unwrap().iter().map(|t| vector(t)).collect();
            for text in every_text(&['a', 'b', 'x'], 6) {
                prop_assert!(shown.contains(&vector(&text)), "{text:?} of {raw:?}");
            }
        }
    }

    #[test]
    fn preferred_words_are_taken() {
        let got = texts(&[tokens("111122223333"), tokens("*")], &["999999999999"]).unwrap();
        assert_eq!(got, ["999999999999", "111122223333"]);
    }
}
