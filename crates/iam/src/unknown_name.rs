//! Names that nobody knows yet: how they are written, and how a pattern compares with them.
//!
//! Before a template is deployed the name of a bucket, the own account's number and the Region are not known, but each is one
//! definite text without a wildcard. Such a name stands in ARNs and patterns between [`OPEN`] and [`CLOSE`]:
//! `arn:aws:s3:::⟨Logs⟩/*`. It is equal to itself, whatever it turns out to be; beside anything else the answer is unknown,
//! unless no name could make both the same. The law: replacing each such name by any text it may stand for never contradicts a
//! verdict that was reached without knowing it.
//!
//! Left out: names are not solved for. Where two conditions on the same name exclude each other, the answer is still unknown.

mod worlds;

use model::Truth;

pub use worlds::WORLDS_MAX;
pub(crate) use worlds::{World, own_account, worlds};

use crate::glob::{Mark, mark};

/// Stands before a name.
pub(crate) const OPEN: char = '\u{27e8}';

/// Stands behind it.
pub(crate) const CLOSE: char = '\u{27e9}';

/// The own account's number.
pub const OWN_ACCOUNT: &str = "\u{27e8}own-account\u{27e9}";

/// The own Region.
pub(crate) const OWN_REGION: &str = "\u{27e8}own-region\u{27e9}";

/// The name of the stack.
pub(crate) const OWN_STACK: &str = "\u{27e8}own-stack\u{27e9}";

/// Stands in front of a parameter that is only a part of names, so it may be a part of any.
const PART: char = '=';

/// Stands around a name that CloudFormation makes: stack, logical id, random text.
const MADE: char = '-';

/// Letters of the logical id that a made name certainly holds; a long one is cut.
const MADE_LETTERS: usize = 4;

/// Most steps (length of one side times length of the other) that one comparison takes; past it a match is possible.
const STEPS_MAX: usize = 1024 * 1024;

/// The name of a resource that somebody gives.
pub(crate) fn of_resource(id: &str) -> String {
    format!("{OPEN}{}{CLOSE}", inside(id))
}

/// The name of a resource that CloudFormation makes of the stack's name, the logical id and random text.
///
/// Source: CloudFormation template reference, "Name type".
pub(crate) fn made(id: &str) -> String {
    format!("{OPEN}{MADE}{}{MADE}{CLOSE}", inside(id))
}

/// A parameter that is a part of names.
pub(crate) fn part(parameter: &str) -> String {
    format!("{OPEN}{PART}{}{CLOSE}", inside(parameter))
}

/// Without what has a meaning in patterns or here.
pub(crate) fn inside(text: &str) -> String {
    text.replace([':', '*', '?', '$', OPEN, CLOSE], "-")
}

/// True for twelve digits and for the own account.
pub(crate) fn is_account(text: &str) -> bool {
    text == OWN_ACCOUNT || text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

/// Whether two accounts are the same one.
pub(crate) fn same_account(a: &str, b: &str) -> Truth {
    if a == b {
        return Truth::True;
    }
    let other = if a == OWN_ACCOUNT { b } else { a };
    let own = a == OWN_ACCOUNT || b == OWN_ACCOUNT;
    Truth::from(own && is_account(other) && !is_stranger(other)).and(Truth::Unknown)
}

/// The account that stands for all that no policy names is never the own one.
fn is_stranger(account: &str) -> bool {
    account == crate::symbolic::callers::STRANGE_ACCOUNT
}

/// Whether two names without wildcards are the same.
pub(crate) fn same(a: &str, b: &str) -> Truth {
    if a == b {
        Truth::True
    } else if within(a.as_bytes()) || within(b.as_bytes()) {
        truth(a.as_bytes(), b)
    } else {
        Truth::False
    }
}

/// True if the text holds such a name.
#[inline]
pub(crate) fn within(text: &[u8]) -> bool {
    const MARK: [u8; 3] = [0xe2, 0x9f, 0xa8];
    text.contains(&MARK[0]) && text.windows(MARK.len()).any(|w| *w == MARK)
}

/// Whether a text matches a pattern, either of which holds names.
#[cold]
pub(crate) fn truth(tokens: &[u8], text: &str) -> Truth {
    if let Ok(pattern) = std::str::from_utf8(tokens)
        && (pattern == OWN_ACCOUNT || text == OWN_ACCOUNT)
    {
        return same_account(pattern, text);
    }
    let (pattern, subject) = (items(tokens), items(text.as_bytes()));
    if pattern.len().saturating_mul(subject.len()) > STEPS_MAX {
        return Truth::Unknown;
    }
    let hole = tokens.iter().any(|b| mark(*b) == Mark::Hole);
    if certain(&pattern, &subject) {
        return if hole { Truth::Unknown } else { Truth::True };
    }
    Truth::from(possible(&pattern, &subject)).and(Truth::Unknown)
}

/// One step of a pattern or text.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Item {
    /// `*`, or a hole.
    Many,
    /// `?`
    One,
    /// Itself.
    Char(char),
    /// A name, by what stands between the marks.
    Name(String),
}

fn items(tokens: &[u8]) -> Vec<Item> {
    let mut out = Vec::new();
    let mut text: Vec<u8> = Vec::new();
    for byte in tokens {
        let item = match mark(*byte) {
            Mark::Byte(b) => {
                text.push(b);
                continue;
            }
            Mark::One => Item::One,
            Mark::Many | Mark::Hole => Item::Many,
        };
        literal(&text, &mut out);
        text.clear();
        out.push(item);
    }
    literal(&text, &mut out);
    out
}

fn literal(text: &[u8], out: &mut Vec<Item>) {
    let text = String::from_utf8_lossy(text);
    let mut rest: &str = &text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        if c == OPEN
            && let Some((name, behind)) = after.split_once(CLOSE)
        {
            out.push(Item::Name(name.to_owned()));
            rest = behind;
        } else {
            out.push(Item::Char(c));
            rest = after;
        }
    }
}

/// Whether the text matches whatever the names are: a name is taken in whole, by itself or by a star.
fn certain(pattern: &[Item], text: &[Item]) -> bool {
    meet(pattern, text, &|a, b| match (a, b) {
        (Item::One, Item::Char(_)) => true,
        (Item::One, _) => false,
        _ => a == b,
    })
}

/// Whether some choice of names makes the text match. More is thought possible than is: each name is tried by itself.
fn possible(pattern: &[Item], text: &[Item]) -> bool {
    let same = pattern.iter().zip(text).take_while(|(a, b)| a == b && !matches!(a, Item::Many | Item::One)).count();
    let (before, pattern, text) = (pattern.get(..same), pattern.get(same..), text.get(same..));
    let (before, pattern, text) = (before.unwrap_or_default(), pattern.unwrap_or_default(), text.unwrap_or_default());
    let ends = |item: Option<&Item>| matches!(item, None | Some(Item::Char('/' | ':')));
    if let (Some(Item::Name(a)), Some(Item::Name(b))) = (pattern.first(), text.first())
        && ends(before.last())
        && ends(pattern.get(1))
        && ends(text.get(1))
        && is_own_name(a)
        && is_own_name(b)
    {
        return false;
    }
    let (pattern, text) = (widened(pattern), widened(text));
    meet(&pattern, &text, &|a, b| match (a, b) {
        (Item::One, _) | (_, Item::One) => true,
        (Item::Char(a), Item::Char(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    })
}

/// Two resources of one template have two names; a part of a name may be a part of both.
fn is_own_name(name: &str) -> bool {
    !name.starts_with([PART]) && !name.starts_with("own-")
}

/// With every name as the pattern of what it may be.
fn widened(items: &[Item]) -> Vec<Item> {
    let mut out = Vec::new();
    for item in items {
        let Item::Name(name) = item else {
            out.push(item.clone());
            continue;
        };
        let made = name.strip_prefix(MADE).and_then(|n| n.strip_suffix(MADE));
        match (made, name.as_str()) {
            (Some(id), _) => {
                let letters = id.chars().take(MADE_LETTERS).map(Item::Char);
                out.extend([Item::One, Item::Many, Item::Char('-')]);
                out.extend(letters);
                out.extend([Item::Many, Item::Char('-'), Item::One, Item::Many]);
            }
            (None, "own-account") => out.extend(std::iter::repeat_n(Item::One, 12)),
            (None, _) => out.extend([Item::One, Item::Many]),
        }
    }
    out
}

/// Whether the two have a text in common, if `step` says which single steps have.
fn meet(a: &[Item], b: &[Item], step: &dyn Fn(&Item, &Item) -> bool) -> bool {
    // `row[j]`: what of `a` was read so far and the first `j` steps of `b` have a text in common.
    let mut row = vec![false; b.len() + 1];
    let close = |row: &mut Vec<bool>, stay: bool| {
        let mut before = false;
        for (j, slot) in row.iter_mut().enumerate() {
            let skips = j > 0 && b.get(j - 1) == Some(&Item::Many);
            *slot |= before && (stay || skips);
            before = *slot;
        }
    };
    if let Some(first) = row.first_mut() {
        *first = true;
    }
    close(&mut row, false);
    for item in a {
        if *item == Item::Many {
            close(&mut row, true);
            continue;
        }
        let mut next = vec![false; b.len() + 1];
        for (j, other) in b.iter().enumerate() {
            if !row.get(j).copied().unwrap_or(false) {
                continue;
            }
            let to = match other {
                Item::Many => j,
                other if step(item, other) => j + 1,
                _ => continue,
            };
            if let Some(slot) = next.get_mut(to) {
                *slot = true;
            }
        }
        row = next;
        close(&mut row, false);
    }
    row.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests;
