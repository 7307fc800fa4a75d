//! Whether a pattern of a policy and a pattern of a request have any text in common.

use model::Truth;

use crate::glob::{Mark, Matcher, Variables, mark};
use crate::symbolic::witness::{Step, steps};

/// Most steps (length of one pattern times length of the other) that a comparison takes; past it the answer is unknown.
pub const OVERLAP_STEPS_MAX: usize = 4 * 1024 * 1024;

/// Whether some text is matched by both. In `set` only `*` is special.
pub(crate) fn overlap(matcher: &Matcher, set: &str, variables: &dyn Variables) -> Truth {
    if !set.contains('*') {
        return matcher.matches(set, variables);
    }
    let Some(tokens) = matcher.resolved(variables) else { return Truth::False };
    if tokens.len().saturating_mul(set.len()) > OVERLAP_STEPS_MAX {
        return Truth::Unknown;
    }
    let hole = tokens.iter().any(|b| mark(*b) == Mark::Hole);
    match (meet(&steps(&tokens), &set.chars().collect::<Vec<_>>()), hole) {
        (false, _) => Truth::False,
        (true, true) => Truth::Unknown,
        (true, false) => Truth::True,
    }
}

/// Row by row over the set: `row[i]` says whether the first `i` steps and what was read of the set have a text in common.
fn meet(steps: &[Step], set: &[char]) -> bool {
    let mut row = vec![false; steps.len() + 1];
    if let Some(first) = row.first_mut() {
        *first = true;
    }
    skip_stars(steps, &mut row);
    for c in set {
        let mut next = vec![false; steps.len() + 1];
        if *c == '*' {
            // The set's star swallows whatever the steps ask for.
            let mut any = false;
            for (slot, was) in next.iter_mut().zip(&row) {
                any |= *was;
                *slot = any;
            }
        } else {
            for (i, step) in steps.iter().enumerate() {
                if !row.get(i).copied().unwrap_or(false) {
                    continue;
                }
                let to = match step {
                    Step::Many => i,
                    Step::One => i + 1,
                    Step::Char(own) if own == c => i + 1,
                    Step::Char(_) => continue,
                };
                if let Some(slot) = next.get_mut(to) {
                    *slot = true;
                }
            }
        }
        row = next;
        skip_stars(steps, &mut row);
    }
    row.last().copied().unwrap_or(false)
}

/// A star may also stand for nothing.
fn skip_stars(steps: &[Step], row: &mut [bool]) {
    for (i, step) in steps.iter().enumerate() {
        if *step == Step::Many
            && row.get(i).copied().unwrap_or(false)
            && let Some(slot) = row.get_mut(i + 1)
        {
            *slot = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glob::Syntax;
    use crate::request::Context;
    use proptest::prelude::*;

    fn both(pattern: &str, set: &str) -> Truth {
        overlap(&Matcher::parse(pattern, Syntax { wildcards: true, variables: true }), set, &Context::default())
    }

    #[test]
    fn a_limit_on_the_steps() {
        let side = 2048;
        let long = "a".repeat(side - 1) + "*";
        assert_eq!(both(&long, &long), Truth::True);
        assert_eq!(both(&format!("a{long}"), &long), Truth::Unknown);
    }

    fn texts() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..7 {
            last = last.iter().flat_map(|t| ["a", "b"].map(|c| format!("{t}{c}"))).collect();
            all.extend(last.iter().cloned());
        }
        all
    }

    proptest! {
        #[test]
        fn agrees_with_trying_every_text(pattern in "[ab*?]{0,4}", set in "[ab*]{0,4}") {
            let like = |p: &str, t: &str| {
                Matcher::parse(p, Syntax { wildcards: true, variables: false }).matches(t, &Context::default()) == Truth::True
            };
            let want = texts().iter().any(|t| like(&pattern, t) && like(&set, t));
            prop_assert_eq!(both(&pattern, &set), Truth::from(want), "{} {}", pattern, set);
        }
    }
}
