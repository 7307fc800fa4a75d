//! Reasoning about all requests at once.
//!
//! A request has few dimensions that a set of statements can see: the action, the caller, the resource and the condition
//! keys that are named. For each one there are finitely many ways to satisfy some patterns and not others, and a
//! representative for each. [`search`] walks through the representatives, one dimension after the other, and gives up a
//! branch as soon as what is chosen decides it. Whatever it finds is a concrete request, which the ordinary evaluation
//! replays.

pub(crate) mod callers;
pub(crate) mod search;
pub(crate) mod values;
pub(crate) mod witness;

use rustc_hash::FxHashSet;

use crate::arn::{ArnPattern, Short};
use crate::glob::{Matcher, Tokens, Variables, glob_match};
use witness::{Budget, Capped};

pub use values::ENTRIES_MAX;
pub use witness::{STATES_MAX, STEPS_MAX};

/// Most representatives of one dimension.
pub const REPRESENTATIVES_MAX: usize = 50_000;

/// A text for each field, and the positions of the patterns that match all of them.
pub(crate) type Shown = (Vec<String>, Vec<u32>);

/// Texts of several fields that show every combination of patterns matching in all fields, each with the positions of the
/// patterns that match.
pub(crate) fn fields(
    patterns: &[&[Matcher]],
    prefer: &[&str],
    variables: &dyn Variables,
    budget: &Budget,
) -> Result<Vec<Shown>, Capped> {
    let width = prefer.len();
    let mut seen: FxHashSet<(usize, Vec<u32>)> = FxHashSet::default();
    let mut done = Vec::new();
    let everyone: Vec<u32> = (0..patterns.len() as u32).collect();
    let mut open: Vec<(Vec<String>, Vec<u32>)> = vec![(Vec::new(), everyone)];
    while let Some((chosen, alive)) = open.pop() {
        let depth = chosen.len();
        if depth == width {
            done.push((chosen, alive));
            continue;
        }
        let here: Vec<(u32, Tokens)> = alive
            .iter()
            .filter_map(|i| {
                let matcher = patterns.get(*i as usize)?.get(depth)?;
                Some((*i, matcher.resolved(variables)?))
            })
            .collect();
        let tokens: Vec<Tokens> = here.iter().map(|(_, t)| t.clone()).collect();
        let texts = witness::texts(&tokens, prefer.get(depth..=depth).unwrap_or_default(), budget)?;
        budget.spend(texts.len() * here.len())?;
        for text in texts.into_iter().rev() {
            let rest: Vec<u32> = here.iter().filter(|(_, t)| glob_match(t, &text)).map(|(i, _)| *i).collect();
            if seen.insert((depth, rest.clone())) {
                let mut chosen = chosen.clone();
                chosen.push(text);
                open.push((chosen, rest));
            }
        }
        if open.len() + done.len() > REPRESENTATIVES_MAX {
            return Err(Capped);
        }
    }
    Ok(done)
}

/// ARNs (and the texts of patterns that are none) that show every combination of the patterns.
pub(crate) fn arns(
    patterns: &[&ArnPattern],
    short: Short,
    prefer: &[&str; 6],
    variables: &dyn Variables,
    budget: &Budget,
) -> Result<Vec<String>, Capped> {
    let six: Vec<&[Matcher]> = patterns.iter().filter_map(|p| p.fields(short)).map(|f| f.as_slice()).collect();
    let mut all: Vec<String> = fields(&six, prefer, variables, budget)?.into_iter().map(|(f, _)| f.join(":")).collect();
    for pattern in patterns {
        if let ArnPattern::Malformed(text) = pattern {
            all.extend(text.exact().map(str::to_owned));
        }
        if let ArnPattern::Whole(whole) = pattern
            && !whole.has_hole()
        {
            let tokens = whole.resolved(variables);
            all.extend(tokens.and_then(|t| String::from_utf8(t.to_vec()).ok()));
        }
    }
    Ok(all)
}
