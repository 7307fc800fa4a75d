//! Text: predicates that also decide on half-known text where the known pieces do, and what makes new text.

use model::{Link, Value};
use regex::Regex;

use super::Eval;
use super::val::{Tri, Val, Why};
use crate::node::Node;

/// How the aliases of AWS's own keys start. Nobody else may use it (KMS API reference, CreateAlias), so a reference to a resource
/// never gives one.
pub(super) const AWS_ALIAS: &str = "alias/aws/";

/// What is known of a mixed text: how it starts, what it holds in between, how it ends.
pub(super) struct Shape {
    prefix: String,
    middle: Vec<String>,
    suffix: String,
    /// Whether anything is open at all.
    open: bool,
}

impl Shape {
    pub(super) fn of(pieces: &[Value]) -> Shape {
        let mut runs = vec![String::new()];
        let mut open = false;
        for piece in pieces {
            match piece {
                Value::Str(text) => {
                    if let Some(run) = runs.last_mut() {
                        run.push_str(text);
                    }
                }
                _ => {
                    open = true;
                    runs.push(String::new());
                }
            }
        }
        let suffix = if open { runs.pop().unwrap_or_default() } else { String::new() };
        let mut runs = runs.into_iter();
        let prefix = runs.next().unwrap_or_default();
        Shape { prefix, middle: runs.filter(|r| !r.is_empty()).collect(), suffix, open }
    }

    /// What is known of the text that a link gives: an ARN starts as one.
    pub(super) fn of_link(link: &Link) -> Shape {
        let prefix = if link.attr.ends_with("Arn") { "arn:" } else { "" };
        Shape { prefix: prefix.to_owned(), middle: Vec::new(), suffix: String::new(), open: true }
    }

    /// Whether the text may turn out to be this one.
    pub(super) fn may_be(&self, text: &str) -> bool {
        if !self.open {
            return self.prefix == text;
        }
        let Some(rest) = text.strip_prefix(self.prefix.as_str()) else { return false };
        let Some(mut rest) = rest.strip_suffix(self.suffix.as_str()) else { return false };
        for run in &self.middle {
            match rest.split_once(run.as_str()) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        true
    }

    /// Whether two mixed texts may turn out the same.
    pub(super) fn may_equal(&self, other: &Shape) -> bool {
        match (self.open, other.open) {
            (false, _) => other.may_be(&self.prefix),
            (_, false) => self.may_be(&other.prefix),
            _ => {
                let (a, b) = (&self.prefix, &other.prefix);
                let (c, d) = (&self.suffix, &other.suffix);
                (a.starts_with(b.as_str()) || b.starts_with(a.as_str())) && (c.ends_with(d.as_str()) || d.ends_with(c.as_str()))
            }
        }
    }

    /// Whether it starts with `part`; `None` if that hangs on what is open.
    fn starts_with(&self, part: &str) -> Option<bool> {
        if self.prefix.starts_with(part) {
            Some(true)
        } else if !self.open || !part.starts_with(self.prefix.as_str()) {
            Some(false)
        } else {
            None
        }
    }

    fn ends_with(&self, part: &str) -> Option<bool> {
        let known = if self.open { &self.suffix } else { &self.prefix };
        if known.ends_with(part) {
            Some(true)
        } else if !self.open || !part.ends_with(known.as_str()) {
            Some(false)
        } else {
            None
        }
    }

    fn contains(&self, part: &str) -> Option<bool> {
        let known = self.middle.iter().chain([&self.prefix, &self.suffix]).any(|run| run.contains(part));
        match (known, self.open) {
            (true, _) => Some(true),
            (false, false) => Some(false),
            (false, true) => None,
        }
    }
}

/// A question about a text that another text answers.
#[derive(Clone, Copy)]
pub(super) enum Part {
    Start,
    End,
    Anywhere,
}

impl<'e> Eval<'e> {
    /// `startsWith`, `endsWith`, `contains`. False of null.
    pub(super) fn has_part(&self, text: Val<'e>, part: Val<'e>, place: Part, node: &'e Node) -> Tri<'e> {
        let text = self.settle(text);
        if let Val::Null = text {
            return Tri::No;
        }
        let part = match self.text(part, node) {
            Ok(part) => part,
            Err(why) => return Tri::Open(why),
        };
        let shape = match text {
            Val::Link(_) if part.starts_with(AWS_ALIAS) => return Tri::No,
            Val::Mixed(pieces) => Some(Shape::of(pieces)),
            Val::Link(link) => Some(Shape::of_link(link)),
            _ => None,
        };
        if let Some(shape) = shape {
            let answer = match place {
                Part::Start => shape.starts_with(part),
                Part::End => shape.ends_with(part),
                Part::Anywhere => shape.contains(part),
            };
            return answer.map_or_else(|| Tri::Open(self.open(text)), Tri::from);
        }
        let answer = |text: &str| match place {
            Part::Start => text.starts_with(part),
            Part::End => text.ends_with(part),
            Part::Anywhere => text.contains(part),
        };
        self.ask(text, node, answer)
    }

    /// A question about a text that must be known for it. False of null.
    pub(super) fn ask(&self, text: Val<'e>, node: &'e Node, answer: impl Fn(&str) -> bool) -> Tri<'e> {
        if let Val::Null = text {
            return Tri::No;
        }
        let text = match self.text(text, node) {
            Ok(text) => text,
            Err(why) => return Tri::Open(why),
        };
        match self.charge_text(text.len()) {
            Ok(()) => answer(text).into(),
            Err(why) => Tri::Open(why),
        }
    }

    /// `text.matches(pattern)`: whether the pattern is found anywhere.
    pub(super) fn matches(&self, text: Val<'e>, regex: &'e Regex, node: &'e Node) -> Tri<'e> {
        self.ask(text, node, |text| regex.is_match(text))
    }

    /// Text made of text; null of null.
    pub(super) fn remake(&self, text: Val<'e>, node: &'e Node, make: impl Fn(&str) -> String) -> Val<'e> {
        if let Val::Null = text {
            return Val::Null;
        }
        let made = self.text(text, node).and_then(|text| {
            self.charge_text(text.len())?;
            Ok(make(text))
        });
        match made {
            Ok(made) => self.made_text(made),
            Err(why) => Val::Unknown(why),
        }
    }

    pub(super) fn replace(&self, text: &str, from: &str, to: &str) -> Result<Val<'e>, Why<'e>> {
        let found = text.matches(from).count();
        self.charge_text(text.len().saturating_add(found.saturating_mul(to.len())))?;
        Ok(self.made_text(text.replace(from, to)))
    }

    pub(super) fn split(&self, text: &str, separator: &str) -> Result<Val<'e>, Why<'e>> {
        let parts: Vec<&str> = if separator.is_empty() {
            text.char_indices().map(|(at, c)| text.get(at..at + c.len_utf8()).unwrap_or_default()).collect()
        } else {
            text.split(separator).collect()
        };
        self.charge(parts.len() + text.len() / 64)?;
        let list = Value::List(parts.into_iter().map(Value::text).collect());
        Ok(self.val(self.arena.values.put(list)))
    }
}

/// Whether `text` has the form of `pattern`, in which `*` stands for any text and `?` for one character.
pub(super) fn glob(text: &str, pattern: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    let (mut t, mut p) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(q) if *q == '?' || q == c => {
                t += 1;
                p += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

/// Standard or URL-safe base64 as text; `None` if it is neither or not UTF-8. RFC 4648.
pub(super) fn base64(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut bits: u32 = 0;
    let mut held = 0;
    let mut digits = 0usize;
    let body = text.trim().trim_end_matches('=');
    for b in body.bytes().filter(|b| !b.is_ascii_whitespace()) {
        let digit = match b {
            b'A'..=b'Z' => b - b'A',
            b'a'..=b'z' => b - b'a' + 26,
            b'0'..=b'9' => b - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        digits += 1;
        bits = (bits << 6 | u32::from(digit)) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    if digits % 4 == 1 { None } else { String::from_utf8(bytes).ok() }
}

/// Whether version `a` comes before version `b`: dotted parts compare as numbers where both are, else as text; a missing part
/// counts as 0.
pub(super) fn version_lt(a: &str, b: &str) -> bool {
    let split = |c: char| matches!(c, '.' | '-' | '_' | '+');
    let (mut x, mut y) = (a.trim_start_matches('v').split(split), b.trim_start_matches('v').split(split));
    loop {
        let (part, other) = match (x.next(), y.next()) {
            (None, None) => return false,
            (part, other) => (part.unwrap_or("0"), other.unwrap_or("0")),
        };
        let order = match (part.parse::<u64>(), other.parse::<u64>()) {
            (Ok(m), Ok(n)) => m.cmp(&n),
            _ => part.cmp(other),
        };
        if order.is_ne() {
            return order.is_lt();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        for (a, b, before) in [
            ("1.2", "1.10", true),
            ("1.10", "1.2", false),
            ("1.2", "1.2.0", false),
            ("5.7.mysql_aurora.2.7", "5.7.mysql_aurora.2.11", true),
            ("v1.28", "1.29", true),
            ("8.0", "5.7", false),
        ] {
            assert_eq!(version_lt(a, b), before, "{a} {b}");
        }
    }

    #[test]
    fn globs() {
        for (text, pattern, fits) in [
            ("s3:GetObject", "s3:*", true),
            ("s3:GetObject", "s3:Get*ect", true),
            ("s3:GetObject", "s3:?et*", true),
            ("s3:GetObject", "*", true),
            ("", "*", true),
            ("", "?", false),
            ("ab", "a", false),
            ("aXbXc", "a*b*d", false),
        ] {
            assert_eq!(glob(text, pattern), fits, "{text} {pattern}");
        }
    }

    #[test]
    fn base64_of_text() {
        assert_eq!(base64("aGVsbG8=").as_deref(), Some("hello"));
        assert_eq!(base64("aGVsbG8").as_deref(), Some("hello"));
        assert_eq!(base64("aGVsb\nG8="), Some("hello".to_owned()));
        assert_eq!(base64("a"), None);
        assert_eq!(base64("#!/bin/sh"), None);
        assert_eq!(base64("/////w=="), None);
    }

    #[test]
    fn what_half_known_text_may_be() {
        let unknown = Value::unknown(model::Reason::AfterApply, "x");
        let shape = Shape::of(&[Value::text("arn:"), unknown.clone(), Value::text(":role/"), unknown, Value::text("!")]);
        assert!(shape.may_be("arn:aws:role/x!"));
        assert!(!shape.may_be("arn:role!"));
        assert!(!shape.may_be("arn:!"));
        assert!(!shape.may_be("arn!"));
        assert_eq!(shape.starts_with("arn"), Some(true));
        assert_eq!(shape.starts_with("arn:aws"), None);
        assert_eq!(shape.starts_with("http"), Some(false));
        assert_eq!(shape.ends_with("x!"), None);
        assert_eq!(shape.contains("role"), Some(true));
        assert_eq!(shape.contains("z"), None);
    }
}
