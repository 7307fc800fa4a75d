//! The `condition` of a rule: `selection and not 1 of filter_*`.

use super::{CONDITION_BYTES_MAX, CONDITION_DEPTH_MAX};

/// A condition over names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// A search identifier.
    Name(String),
    /// All of them.
    And(Vec<Condition>),
    /// One of them.
    Or(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// So many of the identifiers that fit a pattern; `None` is all, the pattern `them` is every one without a leading `_`.
    Of(Option<usize>, String),
}

/// Reads a condition.
///
/// # Errors
/// One line that says what is wrong.
pub fn parse(text: &str) -> Result<Condition, String> {
    if text.len() > CONDITION_BYTES_MAX {
        return Err(format!("condition is longer than {CONDITION_BYTES_MAX} bytes"));
    }
    if text.contains('|') {
        return Err("aggregations with `|` are obsolete: write a correlation rule instead".to_owned());
    }
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { tokens, at: 0 };
    let condition = parser.or(0)?;
    match parser.peek() {
        None => Ok(condition),
        Some(token) => Err(format!("unexpected `{token}` in the condition")),
    }
}

struct Parser<'a> {
    tokens: Vec<&'a str>,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).copied()
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|token| token.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn or(&mut self, depth: usize) -> Result<Condition, String> {
        let mut parts = vec![self.and(depth)?];
        while self.take_word("or") {
            parts.push(self.and(depth)?);
        }
        Ok(one_or(parts, Condition::Or))
    }

    fn and(&mut self, depth: usize) -> Result<Condition, String> {
        let mut parts = vec![self.not(depth)?];
        while self.take_word("and") {
            parts.push(self.not(depth)?);
        }
        Ok(one_or(parts, Condition::And))
    }

    fn not(&mut self, depth: usize) -> Result<Condition, String> {
        if depth > CONDITION_DEPTH_MAX {
            return Err(format!("condition nests deeper than {CONDITION_DEPTH_MAX}"));
        }
        if self.take_word("not") {
            return Ok(Condition::Not(Box::new(self.not(depth + 1)?)));
        }
        if self.take_word("(") {
            let inner = self.or(depth + 1)?;
            return if self.take_word(")") { Ok(inner) } else { Err("a `(` in the condition isn't closed".to_owned()) };
        }
        self.operand()
    }

    fn operand(&mut self) -> Result<Condition, String> {
        let Some(token) = self.peek() else { return Err("the condition ends where a name is expected".to_owned()) };
        self.at += 1;
        let followed_by_of = self.peek().is_some_and(|next| next.eq_ignore_ascii_case("of"));
        let quantity = match token.to_ascii_lowercase().as_str() {
            "all" => Some(None),
            "any" => Some(Some(1)),
            number => number.parse().ok().map(Some),
        };
        match quantity {
            Some(count) if followed_by_of => {
                self.at += 1;
                let pattern = self.peek().ok_or("the condition ends after `of`")?;
                self.at += 1;
                Ok(Condition::Of(count, pattern.to_owned()))
            }
            _ if [")", "and", "or", "of"].iter().any(|word| token.eq_ignore_ascii_case(word)) => {
                Err(format!("unexpected `{token}` in the condition"))
            }
            _ => Ok(Condition::Name(token.to_owned())),
        }
    }
}

fn one_or(mut parts: Vec<Condition>, many: fn(Vec<Condition>) -> Condition) -> Condition {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            many(parts)
        }
        None => many(parts),
    }
}

/// Whether a search identifier fits a pattern with `*`; `them` fits every one. Those with a leading `_` are only meant
/// by a pattern that has it too.
pub(super) fn fits(name: &str, pattern: &str) -> bool {
    if name.starts_with('_') && !pattern.starts_with('_') {
        return false;
    }
    if pattern.eq_ignore_ascii_case("them") {
        return true;
    }
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|head| name.strip_prefix(head)) else { return false };
    let mut last = None;
    for part in parts {
        if let Some(middle) = last.replace(part) {
            match rest.split_once(middle) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    }
    last.map_or(rest.is_empty(), |tail| rest.ends_with(tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: &str) -> Condition {
        Condition::Name(n.to_owned())
    }

    #[test]
    fn conditions_bind_as_the_specification_says() {
        use Condition::{And, Not, Of, Or};
        for (text, want) in [
            ("a", name("a")),
            ("a and b or c", Or(vec![And(vec![name("a"), name("b")]), name("c")])),
            ("a or b AND c", Or(vec![name("a"), And(vec![name("b"), name("c")])])),
            ("not a and b", And(vec![Not(Box::new(name("a"))), name("b")])),
            ("not (a or b)", Not(Box::new(Or(vec![name("a"), name("b")])))),
            ("1 of sel_*", Of(Some(1), "sel_*".into())),
            ("any of them", Of(Some(1), "them".into())),
            ("all of them and not 2 of f*", And(vec![Of(None, "them".into()), Not(Box::new(Of(Some(2), "f*".into())))])),
            ("(((a)))", name("a")),
        ] {
            assert_eq!(parse(text), Ok(want), "{text}");
        }
    }

    #[test]
    fn broken_conditions_are_refused() {
        for text in ["", "a and", "(a", "a)", "a b", "of them", "1 of", "a | count() > 5", "not", "and a"] {
            assert!(parse(text).is_err(), "{text}");
        }
        let nested = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
        assert!(parse(&nested(CONDITION_DEPTH_MAX)).is_ok());
        assert!(parse(&nested(CONDITION_DEPTH_MAX + 2)).is_err());
        assert!(parse(&"a ".repeat(CONDITION_BYTES_MAX)).is_err());
    }

    #[test]
    fn identifiers_fit_patterns() {
        for (n, pattern, want) in [
            ("sel_a", "sel_*", true),
            ("sel", "sel*", true),
            ("xsel", "sel*", false),
            ("sel_a_x", "sel_*_x", true),
            ("sel_a_y", "sel_*_x", false),
            ("_hidden", "them", false),
            ("shown", "them", true),
            ("a", "a", true),
            ("ab", "a", false),
            ("anything", "*", true),
            ("a1b2c", "a*b*c", true),
            ("a1c2b", "a*b*c", false),
        ] {
            assert_eq!(fits(n, pattern), want, "{n} {pattern}");
        }
    }
}
