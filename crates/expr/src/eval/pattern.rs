//! CloudWatch Logs filter patterns against one JSON event (CloudWatch Logs User Guide, "Filter pattern syntax").
//!
//! Patterns of terms are looked for in the event's text, patterns in braces are evaluated on its members. Patterns in square
//! brackets are for lines of words and match no JSON event. A member that is not there fulfils only `NOT EXISTS`.

use serde_json::Value as Json;

/// The longest pattern (its limit in AWS is 1,024 characters), and how deep its parentheses nest.
const PATTERN_CHARS_MAX: usize = 4_096;
const DEPTH_MAX: usize = 32;

/// Whether the pattern matches the event; `None` if the pattern cannot be read.
pub(super) fn catches(pattern: &str, event: &str) -> Option<bool> {
    let pattern = pattern.trim();
    if pattern.len() > PATTERN_CHARS_MAX {
        return None;
    }
    if pattern.starts_with('[') {
        return Some(false);
    }
    if !pattern.starts_with('{') {
        return terms(pattern, event);
    }
    let event: Json = serde_json::from_str(event).ok()?;
    let mut reader = Reader { rest: pattern.strip_prefix('{')?.strip_suffix('}')?, event: &event };
    let found = reader.either(0)?;
    reader.rest.trim().is_empty().then_some(found)
}

/// Words and quoted texts that must all be there; `-` before one that must not, `?` before some of which one must.
fn terms(pattern: &str, event: &str) -> Option<bool> {
    let (mut all, mut some, mut any_optional) = (true, false, false);
    let mut rest = pattern;
    while !rest.is_empty() {
        let (mark, after) = match rest.strip_prefix(['-', '?']) {
            Some(after) => (rest.chars().next(), after),
            None => (None, rest),
        };
        let (term, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        let found = event.contains(term);
        match mark {
            Some('-') => all &= !found,
            Some(_) => (some, any_optional) = (some | found, true),
            None => all &= found,
        }
        rest = after.trim_start();
    }
    Some(all && (some || !any_optional))
}

struct Reader<'t> {
    rest: &'t str,
    event: &'t Json,
}

impl<'t> Reader<'t> {
    fn eat(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        let found = rest.strip_prefix(token);
        self.rest = found.unwrap_or(rest);
        found.is_some()
    }

    /// A word in any case, with no word character behind it.
    fn eat_word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start();
        let fits = rest.get(..word.len()).is_some_and(|w| w.eq_ignore_ascii_case(word));
        let after = rest.get(word.len()..).unwrap_or_default();
        if fits && !after.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            self.rest = after;
            return true;
        }
        false
    }

    fn either(&mut self, depth: usize) -> Option<bool> {
        let mut found = self.both(depth)?;
        while self.eat("||") {
            found |= self.both(depth)?;
        }
        Some(found)
    }

    fn both(&mut self, depth: usize) -> Option<bool> {
        let mut found = self.one(depth)?;
        while self.eat("&&") {
            found &= self.one(depth)?;
        }
        Some(found)
    }

    fn one(&mut self, depth: usize) -> Option<bool> {
        if self.eat("(") {
            let found = (depth < DEPTH_MAX).then(|| self.either(depth + 1))??;
            return self.eat(")").then_some(found);
        }
        let values = self.selected()?;
        if self.eat_word("NOT") {
            return self.eat_word("EXISTS").then_some(values.is_empty());
        }
        if self.eat_word("EXISTS") {
            return Some(!values.is_empty());
        }
        if self.eat_word("IS") {
            let negated = self.eat_word("NOT");
            let wanted = [("NULL", Json::Null), ("TRUE", Json::Bool(true)), ("FALSE", Json::Bool(false))];
            let (_, wanted) = wanted.into_iter().find(|(word, _)| self.eat_word(word))?;
            return Some(values.iter().any(|v| (**v == wanted) != negated));
        }
        let operator = ["!=", "<=", ">=", "=", "<", ">"].into_iter().find(|o| self.eat(o))?;
        let operand = self.operand()?;
        let mut found = false;
        for value in values {
            found |= operand.holds(operator, value)?;
        }
        Some(found)
    }

    /// The values at `$.a.b[0]`, `$['a']`, `$.a[*].b`.
    fn selected(&mut self) -> Option<Vec<&'t Json>> {
        if !self.eat("$") {
            return None;
        }
        let mut at = vec![self.event];
        loop {
            if let Some(rest) = self.rest.strip_prefix('.') {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || "_-:@".contains(c))).unwrap_or(rest.len());
                let (name, after) = (rest.get(..end)?, rest.get(end..)?);
                at = match (name, after.strip_prefix('*')) {
                    ("", Some(after)) => {
                        self.rest = after;
                        at.into_iter().filter_map(Json::as_object).flat_map(|o| o.values()).collect()
                    }
                    ("", None) => return None,
                    _ => {
                        self.rest = after;
                        at.into_iter().filter_map(|v| v.get(name)).collect()
                    }
                };
            } else if let Some(rest) = self.rest.strip_prefix('[') {
                let (inside, after) = rest.split_once(']')?;
                self.rest = after;
                let inside = inside.trim();
                at = match inside.trim_matches(['\'', '"']) {
                    "*" if inside == "*" => at.into_iter().filter_map(Json::as_array).flatten().collect(),
                    name if name != inside => at.into_iter().filter_map(|v| v.get(name)).collect(),
                    number => {
                        let index: usize = number.parse().ok()?;
                        at.into_iter().filter_map(|v| v.get(index)).collect()
                    }
                };
            } else {
                return Some(at);
            }
        }
    }

    fn operand(&mut self) -> Option<Operand> {
        let rest = self.rest.trim_start();
        if let Some(quoted) = rest.strip_prefix('"') {
            let (text, after) = quoted.split_once('"')?;
            self.rest = after;
            return Some(Operand::Text(text.to_owned()));
        }
        if let Some(quoted) = rest.strip_prefix('%') {
            let (text, after) = quoted.split_once('%')?;
            self.rest = after;
            return Some(Operand::Regex(regex::Regex::new(text).ok()?));
        }
        let end = rest.find(|c: char| c.is_whitespace() || ")&|".contains(c)).unwrap_or(rest.len());
        let (text, after) = (rest.get(..end)?, rest.get(end..)?);
        self.rest = after;
        if text.is_empty() {
            return None;
        }
        Some(text.parse().map_or_else(|_| Operand::Text(text.to_owned()), Operand::Number))
    }
}

enum Operand {
    Text(String),
    Number(f64),
    Regex(regex::Regex),
}

impl Operand {
    /// `None` for an order between texts, which there is not.
    fn holds(&self, operator: &str, value: &Json) -> Option<bool> {
        let text = match value {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            Json::Bool(flag) => flag.to_string(),
            _ => return Some(false),
        };
        let equal = match self {
            Operand::Number(wanted) => match (operator, text.parse::<f64>()) {
                ("=" | "!=", Ok(number)) => number == *wanted,
                ("<", Ok(number)) => return Some(number < *wanted),
                (">", Ok(number)) => return Some(number > *wanted),
                ("<=", Ok(number)) => return Some(number <= *wanted),
                (">=", Ok(number)) => return Some(number >= *wanted),
                _ => false,
            },
            Operand::Text(pattern) => super::text::glob(&text, pattern),
            Operand::Regex(regex) => regex.is_match(&text),
        };
        match operator {
            "=" => Some(equal),
            "!=" => Some(!equal),
            _ if matches!(self, Operand::Number(_)) => Some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_as_the_guide_explains_them() {
        let event = r#"{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],
            "objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"cluster.name":"c","ok":true,"latency":0.5}"#;
        for (pattern, wanted) in [
            ("{ $.eventType = \"UpdateTrail\" }", Some(true)),
            ("{$.eventType=UpdateTrail}", Some(true)),
            ("{ $.eventType = \"Update*\" }", Some(true)),
            ("{ $.eventType != \"Update*\" }", Some(false)),
            ("{ $.sourceIPAddress != 123.123.* }", Some(true)),
            ("{ $.arrayKey[0] = \"value\" }", Some(true)),
            ("{ $.arrayKey[*] = \"another value\" }", Some(true)),
            ("{ $.objectList[1].id = 2 }", Some(true)),
            ("{ $.SomeObject IS NULL }", Some(true)),
            ("{ $.SomeOtherObject NOT EXISTS }", Some(true)),
            ("{ $.ok IS TRUE }", Some(true)),
            ("{ $['cluster.name'] = \"c\" }", Some(true)),
            ("{ $.latency >= 0.5 && ($.ok IS FALSE || $.objectList[0].id < 2) }", Some(true)),
            ("{ $.ok IS FALSE || $.latency = 1 && $.ok IS TRUE }", Some(false)),
            ("{ $.missing != \"x\" }", Some(false)),
            ("{ $.eventType = %^Upd[a-z]+Trail$% }", Some(true)),
            ("[ip, user, status = 404]", Some(false)),
            ("\"UpdateTrail\" -\"DeleteTrail\"", Some(true)),
            ("?CreateTrail ?UpdateTrail", Some(true)),
            ("UpdateTrail DeleteTrail", Some(false)),
            ("", Some(true)),
            ("{ $.eventType = \"UpdateTrail\"", None),
            ("{ eventType = 1 }", None),
            ("{ $.eventType > \"a\" }", None),
            ("{ ($.eventType = a }", None),
        ] {
            assert_eq!(catches(pattern, event), wanted, "{pattern}");
        }
        let deep = format!("{{ {}$.ok IS TRUE{} }}", "(".repeat(DEPTH_MAX), ")".repeat(DEPTH_MAX));
        assert_eq!(catches(&deep, event), Some(true));
        let deeper = format!("{{ {}$.ok IS TRUE{} }}", "(".repeat(DEPTH_MAX + 1), ")".repeat(DEPTH_MAX + 1));
        assert_eq!(catches(&deeper, event), None);
        assert_eq!(catches(&"a ".repeat(PATTERN_CHARS_MAX / 2), "a"), Some(true));
        assert_eq!(catches(&"a ".repeat(PATTERN_CHARS_MAX), "a"), None);
    }
}
