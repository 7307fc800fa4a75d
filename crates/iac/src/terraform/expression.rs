//! Values of Terraform expressions as they are written, where a plan says only "known after apply".
//!
//! A plan lists what an expression refers to, not what it does with it: of `jsonencode({ Resource = aws_sqs_queue.q.arn, .. })`
//! nothing is left. The configuration beside the plan tells the rest. What is evaluated is what policies and composed texts are
//! made of: literals, templates, heredocs, lists, objects, references, and the few functions that only put things together.
//! Everything else is an unknown in its place, so that the parts beside it stay known.
//! Source: the HCL native syntax specification and Terraform's pages on expressions and functions.
//!
//! Absent on purpose: arithmetic, conditions, `for`, files, and evaluation without a plan.

use model::{Map, Reason, Text, Value};

use super::json;

/// Expressions in expressions deeper than this are unknown.
const DEPTH_MAX: usize = 64;
/// Values that one expression may make.
const VALUES_MAX: usize = 20_000;

/// What a reference such as `aws_sqs_queue.q.arn`, `local.name` or `each.key` means where the expression stands; the second
/// argument is how many locals led here.
pub(crate) type Refer<'r> = dyn Fn(&str, usize) -> Value + 'r;

/// The value of an expression. `jsonencode` and JSON text give the document itself, with links and unknowns inside.
pub(crate) fn value(text: &str, locals: usize, refer: &Refer<'_>) -> Value {
    let mut reader = Reader { text, at: 0, left: VALUES_MAX, locals, refer };
    let value = reader.expression(0);
    reader.blanks();
    if reader.at < text.len() { unknown() } else { value }
}

fn unknown() -> Value {
    Value::unknown(Reason::AfterApply, "part of an expression")
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    left: usize,
    locals: usize,
    refer: &'t Refer<'t>,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) {
        self.at += self.peek().map_or(0, char::len_utf8);
    }

    fn eat(&mut self, what: &str) -> bool {
        let found = self.rest().starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    /// Skips white space and comments, line breaks too.
    fn blanks(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            let skipped = if trimmed.starts_with('#') || trimmed.starts_with("//") {
                trimmed.find('\n').unwrap_or(trimmed.len())
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map_or(trimmed.len(), |end| end + 2)
            } else {
                return;
            };
            self.at += skipped;
        }
    }

    fn spaces(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
    }

    fn word(&mut self) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// One expression. An operator behind it makes it unknown as a whole.
    fn expression(&mut self, depth: usize) -> Value {
        self.blanks();
        if depth >= DEPTH_MAX || self.left == 0 {
            self.skip();
            return unknown();
        }
        self.left -= 1;
        let value = self.term(depth);
        self.spaces();
        match self.peek() {
            None | Some(',' | ']' | ')' | '}' | '\n' | '#' | ':') => value,
            // An object's `key = value`; `==` is an operator.
            Some('=') if !self.rest().starts_with("==") => value,
            Some('/') if self.rest().starts_with("//") || self.rest().starts_with("/*") => value,
            _ => {
                self.skip();
                unknown()
            }
        }
    }

    fn term(&mut self, depth: usize) -> Value {
        match self.peek() {
            Some('"') => self.quoted(depth),
            Some('<') if self.rest().starts_with("<<") => self.heredoc(depth),
            Some('[') => self.list(depth),
            Some('{') => self.object(depth),
            Some('(') => {
                self.bump();
                let inner = self.expression(depth + 1);
                self.blanks();
                if self.eat(")") { inner } else { unknown() }
            }
            Some(c) if c.is_ascii_digit() => self.number(),
            Some(c) if c.is_alphabetic() || c == '_' => self.named(depth),
            _ => unknown(),
        }
    }

    fn number(&mut self) -> Value {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        self.at += end;
        json::parse(rest.get(..end).unwrap_or_default(), |_, _| false).map_or_else(|_| unknown(), |node| json::to_value(&node))
    }

    /// A word: `true`, a function call or a reference with all of its steps.
    fn named(&mut self, depth: usize) -> Value {
        let from = self.at;
        let word = self.word();
        match word {
            "true" => return Value::Bool(true),
            "false" => return Value::Bool(false),
            "null" => return Value::Null,
            _ => {}
        }
        if self.eat("(") {
            return self.call(word, depth);
        }
        let mut plain = true;
        loop {
            match self.peek() {
                Some('.') => {
                    self.bump();
                    if !self.eat("*") && self.word().is_empty() {
                        return unknown();
                    }
                }
                Some('[') => {
                    let open = self.at;
                    self.bump();
                    self.balanced(']');
                    let inner = self.text.get(open + 1..self.at.saturating_sub(1)).unwrap_or_default().trim();
                    let literal = inner == "*"
                        || inner.chars().all(|c| c.is_ascii_digit())
                        || inner.starts_with('"') && !inner.contains("${");
                    // Of `x[each.key]` the instance with the same key is meant.
                    plain &= literal || matches!(inner, "each.key" | "count.index");
                }
                _ => break,
            }
        }
        let head = self.text.get(from..self.at).unwrap_or_default();
        if plain { (self.refer)(head, self.locals) } else { unknown() }
    }

    fn call(&mut self, name: &str, depth: usize) -> Value {
        let mut arguments = Vec::new();
        loop {
            self.blanks();
            if self.eat(")") {
                break;
            }
            if self.peek().is_none() {
                return unknown();
            }
            let before = self.at;
            arguments.push(self.expression(depth + 1));
            self.blanks();
            if !self.eat(",") && !self.rest().starts_with(')') {
                self.balanced(')');
                return unknown();
            }
            if self.at == before {
                return unknown();
            }
        }
        combine(name, arguments)
    }

    fn list(&mut self, depth: usize) -> Value {
        self.bump();
        let mut items = Vec::new();
        loop {
            self.blanks();
            if self.eat("]") {
                return Value::List(items);
            }
            if self.peek().is_none() || self.starts_for() {
                self.balanced(']');
                return unknown();
            }
            let before = self.at;
            items.push(self.expression(depth + 1));
            self.blanks();
            if !self.eat(",") && !self.rest().starts_with(']') || self.at == before {
                self.balanced(']');
                return unknown();
            }
        }
    }

    fn object(&mut self, depth: usize) -> Value {
        self.bump();
        let mut map = Map::new();
        loop {
            self.blanks();
            if self.eat("}") {
                return Value::Map(map);
            }
            if self.peek().is_none() || self.starts_for() {
                self.balanced('}');
                return unknown();
            }
            let key = match self.peek() {
                Some('"' | '(') => match self.expression(depth + 1) {
                    Value::Str(key) => key,
                    _ => {
                        self.balanced('}');
                        return unknown();
                    }
                },
                _ => Text::from(self.word()),
            };
            self.blanks();
            if key.is_empty() || !(self.eat("=") || self.eat(":")) {
                self.balanced('}');
                return unknown();
            }
            let value = self.expression(depth + 1);
            map.insert(&*key, value);
            self.blanks();
            self.eat(",");
        }
    }

    /// True at `for x in ..`, which a list or an object may be made by.
    fn starts_for(&self) -> bool {
        self.rest().strip_prefix("for").is_some_and(|rest| rest.starts_with([' ', '\t', '\n']))
    }

    /// Text in quotes with `${..}` in it.
    fn quoted(&mut self, depth: usize) -> Value {
        self.bump();
        let mut pieces = Pieces::default();
        loop {
            let rest = self.rest();
            let Some(c) = rest.chars().next() else { return unknown() };
            match c {
                '"' => {
                    self.bump();
                    return pieces.value();
                }
                '\n' => return unknown(),
                '\\' => {
                    self.bump();
                    match self.peek() {
                        Some('n') => pieces.push('\n'),
                        Some('t') => pieces.push('\t'),
                        Some('r') => pieces.push('\r'),
                        Some(c @ ('"' | '\\')) => pieces.push(c),
                        _ => {
                            pieces.add(unknown());
                            continue;
                        }
                    }
                    self.bump();
                }
                '$' | '%' => self.template(&mut pieces, depth),
                c => {
                    pieces.push(c);
                    self.bump();
                }
            }
        }
    }

    /// At `$` or `%`: a reference in text, a doubled one that stands for itself, or just the character.
    fn template(&mut self, pieces: &mut Pieces, depth: usize) {
        if self.eat("$${") {
            pieces.text.push_str("${");
        } else if self.eat("%%{") {
            pieces.text.push_str("%{");
        } else if self.eat("${") {
            self.eat("~");
            let value = self.expression(depth + 1);
            self.blanks();
            self.eat("~");
            if self.eat("}") {
                pieces.add(value);
            } else {
                self.balanced('}');
                pieces.add(unknown());
            }
        } else if self.eat("%{") {
            self.balanced('}');
            pieces.add(unknown());
        } else if let Some(c) = self.peek() {
            pieces.push(c);
            self.bump();
        }
    }

    /// `<<END` or `<<-END` up to the line that is `END`. JSON text gives the document.
    fn heredoc(&mut self, depth: usize) -> Value {
        self.at += 2;
        self.eat("-");
        let end = self.word();
        let Some(body_at) = self.rest().find('\n').map(|n| self.at + n + 1) else { return unknown() };
        let mut line_at = body_at;
        let stop = loop {
            let Some(rest) = self.text.get(line_at..).filter(|rest| !rest.is_empty()) else { return unknown() };
            let line = rest.lines().next().unwrap_or_default();
            if line.trim() == end {
                break line_at;
            }
            line_at += rest.find('\n').map_or(rest.len(), |n| n + 1);
        };
        let body = self.text.get(body_at..stop).unwrap_or_default();
        let mut inner = Reader { text: body, at: 0, left: self.left, locals: self.locals, refer: self.refer };
        let mut pieces = Pieces::default();
        while let Some(c) = inner.peek() {
            if c == '$' || c == '%' {
                inner.template(&mut pieces, depth + 1);
            } else {
                pieces.push(c);
                inner.bump();
            }
        }
        self.left = inner.left;
        self.at = stop + self.text.get(stop..).and_then(|rest| rest.find('\n')).unwrap_or(self.text.len() - stop);
        document(pieces)
    }

    /// Skips to behind the closing bracket, or quote, of what is open here.
    fn balanced(&mut self, closing: char) {
        let mut stack = vec![closing];
        while let (Some(c), Some(&inside)) = (self.peek(), stack.last()) {
            if inside == '"' && !(self.eat("$${") || self.eat("%%{")) && (self.eat("${") || self.eat("%{")) {
                stack.push('}');
                continue;
            }
            self.bump();
            match (inside, c) {
                ('"', '\\') => self.bump(),
                (inside, c) if c == inside => drop(stack.pop()),
                ('"', _) => {}
                (_, '"') => stack.push('"'),
                (_, '(') => stack.push(')'),
                (_, '[') => stack.push(']'),
                (_, '{') => stack.push('}'),
                _ => {}
            }
        }
    }

    /// Skips the rest of an expression: up to a comma, a line break or a bracket that is not its own.
    fn skip(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                ',' | '\n' | ')' | ']' | '}' => return,
                '"' | '(' | '[' | '{' => {
                    self.bump();
                    self.balanced(match c {
                        '(' => ')',
                        '[' => ']',
                        '{' => '}',
                        quote => quote,
                    });
                }
                _ => self.bump(),
            }
        }
    }
}

/// A text in the making.
#[derive(Default)]
struct Pieces {
    done: Vec<Value>,
    text: String,
}

impl Pieces {
    fn push(&mut self, c: char) {
        self.text.push(c);
    }

    fn add(&mut self, value: Value) {
        match value {
            Value::Str(text) => self.text.push_str(&text),
            Value::Int(n) => self.text.push_str(&n.to_string()),
            Value::Bool(b) => self.text.push_str(&b.to_string()),
            Value::Mixed(pieces) => pieces.into_iter().for_each(|piece| self.add(piece)),
            hole => {
                self.flush();
                self.done.push(if matches!(hole, Value::Link(_) | Value::Unknown(_)) { hole } else { unknown() });
            }
        }
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.done.push(Value::text(std::mem::take(&mut self.text)));
        }
    }

    fn value(mut self) -> Value {
        self.flush();
        match self.done.as_mut_slice() {
            [] => Value::text(""),
            [one] => std::mem::take(one),
            _ => Value::Mixed(self.done),
        }
    }
}

/// What a function makes of its arguments. Of sets and lists the difference does not matter to a policy.
fn combine(name: &str, mut arguments: Vec<Value>) -> Value {
    let one = arguments.len() == 1;
    match name {
        "jsonencode" | "jsondecode" | "tolist" | "toset" | "sensitive" | "nonsensitive" | "distinct" | "compact" | "tostring"
            if one =>
        {
            arguments.pop().unwrap_or_default()
        }
        "concat" | "setunion" | "flatten" => {
            let mut all = Vec::new();
            let mut queue: Vec<Value> = arguments.into_iter().rev().collect();
            while let Some(value) = queue.pop() {
                match value {
                    Value::List(items) if name != "flatten" => all.extend(items),
                    Value::List(items) => queue.extend(items.into_iter().rev()),
                    Value::Null => {}
                    other => all.push(other),
                }
            }
            Value::List(all)
        }
        "merge" => {
            let mut merged = Map::new();
            for argument in arguments {
                match argument {
                    Value::Map(map) => map.iter().for_each(|(key, value)| drop(merged.insert(&**key, value.clone()))),
                    Value::Null => {}
                    _ => return unknown(),
                }
            }
            Value::Map(merged)
        }
        _ => unknown(),
    }
}

/// JSON text with holes as the document that it says; other text stays as it is.
fn document(pieces: Pieces) -> Value {
    let whole = pieces.value();
    let parts = match whole {
        Value::Str(text) => return super::policy::from_text(&text),
        Value::Mixed(parts) => parts,
        other => return other,
    };
    // A hole becomes a mark that no text has: JSON needs it inside of quotes, which is where references stand in it.
    let mark = |at: usize| format!("\u{E000}{at}\u{E001}");
    let text: String = parts
        .iter()
        .enumerate()
        .map(|(at, part)| part.as_str().map_or_else(|| mark(at), |text| text.replace(['\u{E000}', '\u{E001}'], "\u{FFFD}")))
        .collect();
    match super::policy::parse(&text) {
        Some(value @ (Value::Map(_) | Value::List(_))) => restore(value, &parts),
        _ => Value::Mixed(parts),
    }
}

/// Puts the holes back into the texts that have their marks.
fn restore(value: Value, parts: &[Value]) -> Value {
    match value {
        Value::List(items) => Value::List(items.into_iter().map(|item| restore(item, parts)).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(key, value)| (key.clone(), restore(value.clone(), parts))).collect()),
        Value::Str(text) if text.contains('\u{E000}') => {
            let mut pieces = Pieces::default();
            let mut rest: &str = &text;
            while let Some((before, after)) = rest.split_once('\u{E000}') {
                pieces.text.push_str(before);
                let Some((number, behind)) = after.split_once('\u{E001}') else { break };
                pieces.add(number.parse::<usize>().ok().and_then(|at| parts.get(at)).cloned().unwrap_or_else(unknown));
                rest = behind;
            }
            pieces.text.push_str(rest);
            pieces.value()
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::to_json;
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};

    fn refer(head: &str, _: usize) -> Value {
        match head {
            "var.stage" => Value::text("prod"),
            "each.key" => Value::text("a"),
            other => match other.strip_suffix(".arn") {
                Some(target) => Value::link(target, "Arn"),
                None => Value::unknown(Reason::AfterApply, other),
            },
        }
    }

    fn shown(text: &str) -> Json {
        to_json(&value(text, 0, &refer))
    }

    #[test]
    fn what_policies_are_made_of() {
        let hole = json!({ "$unknown": "known only after apply: part of an expression" });
        let link = |t: &str| json!({ "$link": format!("{t}.Arn") });
        for (text, expected) in [
            ("\"a-${var.stage}\"", json!("a-prod")),
            ("\"$${x} %%{y} $5\"", json!("${x} %{y} $5")),
            (r#""tab\tquote\"""#, json!("tab\tquote\"")),
            ("jsonencode({ A = [1, true, null], \"B\" : \"x\" })", json!({ "A": [1, true, null], "B": "x" })),
            (
                "jsonencode({\n  # why\n  Statement = [{\n    Action = [\"s3:Get*\"] // x\n    Resource = \"${aws_s3_bucket.b.arn}/*\"\n  }]\n})",
                json!({ "Statement": [{ "Action": ["s3:Get*"], "Resource": "${aws_s3_bucket.b.Arn}/*" }] }),
            ),
            (
                "concat([aws_a.a.arn], [\"x\"], var.more)",
                json!([link("aws_a.a"), "x", { "$unknown": "known only after apply: var.more" }]),
            ),
            ("merge({ a = 1 }, { a = 2, b = 3 })", json!({ "a": 2, "b": 3 })),
            (
                "[aws_a.b[\"x\"].arn, aws_a.c[0].arn, aws_a.d[each.key].arn]",
                json!([link("aws_a.b[\"x\"]"), link("aws_a.c[0]"), link("aws_a.d[each.key]")]),
            ),
            ("{ a = true ? 1 : 2, b = [for x in y : x], c = f(x), d = 1 }", json!({ "a": hole, "b": hole, "c": hole, "d": 1 })),
            ("{ a = x == \"}\" ? \"${\"}\"}\" : 1\n b = 2 }", json!({ "a": hole, "b": 2 })),
            ("aws_a.b[local.i].arn", hole.clone()),
            ("\"${aws_a.b.arn}", hole.clone()),
            ("{ a = ", hole.clone()),
            ("[1, 2", hole.clone()),
            ("", hole.clone()),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn heredocs_with_json_are_documents() {
        let text = "<<-EOF\n  {\"Statement\": [{\"Resource\": [\"${aws_s3_bucket.b.arn}/*\", \"x\"], \"Sid\": \"${var.stage}\"}]}\n  EOF\n";
        assert_eq!(shown(text), json!({ "Statement": [{ "Resource": ["${aws_s3_bucket.b.Arn}/*", "x"], "Sid": "prod" }] }));
        assert_eq!(shown("<<EOF\n#!/bin/sh\necho ${aws_a.b.arn}\nEOF\n"), json!("#!/bin/sh\necho ${aws_a.b.Arn}\n"));
        assert_eq!(shown("<<EOF\nnever ends"), json!({ "$unknown": "known only after apply: part of an expression" }));
    }

    #[test]
    fn limits() {
        let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        assert!(!value(&deep(DEPTH_MAX - 1), 0, &refer).has_unknown());
        assert!(value(&deep(DEPTH_MAX), 0, &refer).has_unknown());
        assert!(value(&deep(100_000), 0, &refer).has_unknown());
        let wide = |n: usize| format!("[{}]", "1,".repeat(n));
        assert!(!value(&wide(VALUES_MAX - 1), 0, &refer).has_unknown());
        assert!(value(&wide(VALUES_MAX), 0, &refer).has_unknown());
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[a-c\"{}()\\[\\]=<$%#/*\\\\\n,.: -]{0,120}") {
            let _ = value(&text, 0, &refer);
        }
    }
}
