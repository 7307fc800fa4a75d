//! Where the blocks and arguments of Terraform configuration stand.
//!
//! A scanner, not a parser: it finds blocks, arguments and their places, and skips over expressions whatever they hold. So a
//! text with errors still gives the blocks before them. Source: the HCL native syntax specification (comments, quoted
//! templates, heredocs, blocks).
//!
//! Absent on purpose: the values of expressions, but for `source` of a module. Plans hold the values; `expression` evaluates the texts
//! of which they do not.

use model::Span;

/// Blocks in blocks deeper than this are passed over.
const DEPTH_MAX: usize = 32;
/// Brackets and templates in one expression deeper than this end the scan.
const NESTING_MAX: usize = 256;

/// A block at the top of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block<'t> {
    /// `resource`, `data`, `module`, ...
    pub(crate) kind: &'t str,
    pub(crate) labels: Vec<&'t str>,
    /// Its first line up to the brace.
    pub(crate) head: Span,
    /// Its last line.
    pub(crate) end_line: u32,
    /// Arguments and inner blocks by their path (`versioning.enabled`), in order. `dynamic "x" { content {..} }` counts as `x`.
    pub(crate) parts: Vec<(String, Span)>,
    /// Expressions whose text says more than a plan does, by the same paths: documents, composed texts, and all of `locals`.
    pub(crate) texts: Vec<(String, &'t str)>,
    /// What `source` says, if it is plain text.
    pub(crate) source: Option<&'t str>,
}

/// The blocks of a text, in order; those behind something that cannot be scanned are missing.
pub(crate) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut scanner = Scanner { text, at: 0, line: 1, line_at: 0 };
    let mut all = Vec::new();
    loop {
        scanner.blanks();
        let Some(byte) = scanner.peek() else { return all };
        if !is_word(byte) {
            scanner.bump();
            continue;
        }
        let start = scanner.place();
        let kind = scanner.word();
        let labels = scanner.labels();
        match scanner.peek() {
            Some(b'{') => {
                let head = scanner.span_from(start);
                scanner.bump();
                let mut block =
                    Block { kind, labels, head, end_line: head.line, parts: Vec::new(), texts: Vec::new(), source: None };
                let whole = scanner.body("", 0, &mut block);
                block.end_line = scanner.line;
                all.push(block);
                if whole.is_none() {
                    return all;
                }
            }
            Some(b'=') => {
                scanner.bump();
                if scanner.expression().is_none() {
                    return all;
                }
            }
            _ => {}
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    /// Where the line starts.
    line_at: usize,
}

/// What an expression is inside of.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    /// Brackets of any kind, closed by this byte.
    Brackets(u8),
    /// Text in quotes.
    Quotes,
    /// `${..}` or `%{..}` in text.
    Template,
}

impl<'t> Scanner<'t> {
    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    fn peek(&self) -> Option<u8> {
        self.byte(0)
    }

    fn bump(&mut self) {
        if self.peek() == Some(b'\n') {
            self.line += 1;
            self.line_at = self.at + 1;
        }
        self.at += 1;
    }

    fn slice(&self, from: usize, to: usize) -> &'t str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Line and column of here.
    fn place(&self) -> (u32, u32) {
        (self.line, self.slice(self.line_at, self.at).chars().count() as u32 + 1)
    }

    fn span_from(&self, start: (u32, u32)) -> Span {
        let (end_line, end_column) = self.place();
        Span { line: start.0, column: start.1, end_line, end_column }
    }

    /// Skips white space and comments, line breaks too.
    fn blanks(&mut self) {
        while let Some(byte) = self.peek() {
            if byte.is_ascii_whitespace() {
                self.bump();
            } else if !self.comment() {
                return;
            }
        }
    }

    /// Skips a comment, if here is one; the line break after it stays.
    fn comment(&mut self) -> bool {
        match (self.peek(), self.byte(1)) {
            (Some(b'#'), _) | (Some(b'/'), Some(b'/')) => {
                while self.peek().is_some_and(|b| b != b'\n') {
                    self.bump();
                }
                true
            }
            (Some(b'/'), Some(b'*')) => {
                while self.peek().is_some() && !(self.peek() == Some(b'*') && self.byte(1) == Some(b'/')) {
                    self.bump();
                }
                self.bump();
                self.bump();
                true
            }
            _ => false,
        }
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.bump();
        }
    }

    fn word(&mut self) -> &'t str {
        let from = self.at;
        while self.peek().is_some_and(|b| is_word(b) || b == b'-') {
            self.bump();
        }
        self.slice(from, self.at)
    }

    /// The labels of a block, quoted or not; what follows them is not a blank.
    fn labels(&mut self) -> Vec<&'t str> {
        let mut labels = Vec::new();
        loop {
            self.spaces();
            match self.peek() {
                Some(b'"') => {
                    let from = self.at + 1;
                    self.bump();
                    while self.peek().is_some_and(|b| b != b'"' && b != b'\n') {
                        self.bump();
                    }
                    labels.push(self.slice(from, self.at));
                    self.bump();
                }
                Some(byte) if is_word(byte) => labels.push(self.word()),
                _ => return labels,
            }
        }
    }

    /// What is between the braces of a block, and the closing one. `None` if the text ends first.
    fn body(&mut self, path: &str, depth: usize, block: &mut Block<'t>) -> Option<()> {
        loop {
            self.blanks();
            match self.peek()? {
                b'}' => {
                    self.bump();
                    return Some(());
                }
                byte if is_word(byte) => self.part(path, depth, block)?,
                _ => self.bump(),
            }
        }
    }

    /// An argument or a block inside of a block.
    fn part(&mut self, path: &str, depth: usize, block: &mut Block<'t>) -> Option<()> {
        let start = self.place();
        let name = self.word();
        let labels = self.labels();
        let inner = match (name, labels.as_slice()) {
            ("content", []) if depth > 0 => path.to_owned(),
            ("dynamic", [label]) => join(path, label),
            _ => join(path, name),
        };
        match self.peek()? {
            b'=' if self.byte(1) != Some(b'=') => {
                self.bump();
                self.spaces();
                let from = self.at;
                self.expression()?;
                let value = self.slice(from, self.at).trim_end();
                if inner == "source" {
                    let plain = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
                    block.source = plain.filter(|v| !v.contains(['"', '$', '%', '\\']));
                }
                if block.kind == "locals" || is_composed(value) {
                    block.texts.push((inner.clone(), value));
                }
                let mut span = self.span_from(start);
                if span.end_line > span.line {
                    span = Span { end_line: span.line, end_column: start.1 + name.chars().count() as u32, ..span };
                }
                block.parts.push((inner, span));
            }
            b'{' => {
                let head = self.span_from(start);
                self.bump();
                if inner != path {
                    block.parts.push((inner.clone(), head));
                }
                if depth + 1 >= DEPTH_MAX {
                    self.nested(Inside::Brackets(b'}'))?;
                } else {
                    self.body(&inner, depth + 1, block)?;
                }
            }
            _ => {}
        }
        Some(())
    }

    /// Skips an expression up to the end of its line, or to the brace that ends the block around it.
    fn expression(&mut self) -> Option<()> {
        loop {
            match self.peek() {
                None | Some(b'\n' | b'}') => return Some(()),
                Some(b'(') => self.open(Inside::Brackets(b')'))?,
                Some(b'[') => self.open(Inside::Brackets(b']'))?,
                Some(b'{') => self.open(Inside::Brackets(b'}'))?,
                Some(b'"') => self.open(Inside::Quotes)?,
                Some(b'<') if self.byte(1) == Some(b'<') => {
                    if !self.heredoc()? {
                        self.bump();
                    }
                }
                Some(_) if self.comment() => {}
                Some(_) => self.bump(),
            }
        }
    }

    fn open(&mut self, inside: Inside) -> Option<()> {
        self.bump();
        self.nested(inside)
    }

    /// Skips to behind the end of what has been opened. `None` if the text ends first.
    fn nested(&mut self, first: Inside) -> Option<()> {
        let mut stack = vec![first];
        while let Some(inside) = stack.last().copied() {
            if stack.len() > NESTING_MAX {
                return None;
            }
            let byte = self.peek()?;
            if inside == Inside::Quotes {
                match (byte, self.byte(1)) {
                    (b'\\', _) => self.bump(),
                    (b'"', _) => drop(stack.pop()),
                    (b'$' | b'%', Some(b'{')) => {
                        self.bump();
                        stack.push(Inside::Template);
                    }
                    _ => {}
                }
                self.bump();
                continue;
            }
            let closing = if let Inside::Brackets(closing) = inside { closing } else { b'}' };
            match byte {
                b if b == closing => drop(stack.pop()),
                b'(' => stack.push(Inside::Brackets(b')')),
                b'[' => stack.push(Inside::Brackets(b']')),
                b'{' => stack.push(Inside::Brackets(b'}')),
                b'"' => stack.push(Inside::Quotes),
                b'<' if self.byte(1) == Some(b'<') && self.heredoc()? => continue,
                _ if self.comment() => continue,
                _ => {}
            }
            self.bump();
        }
        Some(())
    }

    /// Skips `<<END` up to its last line. `Some(false)` if it is not one.
    fn heredoc(&mut self) -> Option<bool> {
        let (at, line, line_at) = (self.at, self.line, self.line_at);
        self.bump();
        self.bump();
        if self.peek() == Some(b'-') {
            self.bump();
        }
        let word = self.word();
        if word.is_empty() || !matches!(self.peek(), Some(b'\n' | b'\r')) {
            (self.at, self.line, self.line_at) = (at, line, line_at);
            return Some(false);
        }
        loop {
            while self.peek()? != b'\n' {
                self.bump();
            }
            self.bump();
            let end = self.text.get(self.at..)?.find('\n').map_or(self.text.len(), |n| self.at + n);
            if self.slice(self.at, end).trim() == word {
                self.at = end;
                return Some(true);
            }
        }
    }
}

/// True for expressions that put a text together.
fn is_composed(value: &str) -> bool {
    value.starts_with("jsonencode(") || value.starts_with("<<") || value.starts_with('"') && value.contains("${")
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = r#"# a comment { with = "quotes
terraform { required_version = ">= 1.0" }
locals {
  a = "${var.b["x"]}}"   /* } */
}
resource "aws_s3_bucket" "logs" {
  bucket = "shop-${var.env}-logs"
  tags = {
    owner = "x" // }
  }
  versioning {
    enabled = true
  }
  dynamic "logging" {
    for_each = [1]
    content { target_bucket = "t" }
  }
  policy = <<-EOT
    } resource "aws_s3_bucket" "fake" {
  EOT
}
module "net" {
  source = "./net"
  one    = a < b ? c << 2 : d
}
resource aws_sqs_queue plain {}
"#;

    #[test]
    fn finds_blocks_and_their_parts() {
        let all = blocks(TEXT);
        let names: Vec<_> = all.iter().map(|b| (b.kind, b.labels.join("."), b.head.line, b.end_line)).collect();
        let want = [
            ("terraform", "", 2, 2),
            ("locals", "", 3, 5),
            ("resource", "aws_s3_bucket.logs", 6, 21),
            ("module", "net", 22, 25),
            ("resource", "aws_sqs_queue.plain", 26, 26),
        ];
        assert_eq!(names, want.map(|(kind, name, from, to)| (kind, name.to_owned(), from, to)));
        let parts: Vec<_> = all[2].parts.iter().map(|(name, span)| (name.as_str(), span.line, span.column)).collect();
        let want = [
            ("bucket", 7, 3),
            ("tags", 8, 3),
            ("versioning", 11, 3),
            ("versioning.enabled", 12, 5),
            ("logging", 14, 3),
            ("logging.for_each", 15, 5),
            ("logging.target_bucket", 16, 15),
            ("policy", 18, 3),
        ];
        assert_eq!(parts, want);
        assert_eq!(all[3].source, Some("./net"));
        assert_eq!((all[2].head.column, all[2].head.end_column), (1, 33));
    }

    #[test]
    fn what_does_not_end_keeps_what_was_before() {
        for rest in
            ["resource \"a\" \"b\" {\n x = [", "resource \"a\" \"b\" { x = \"${", "a = <<E\n", "b = [", "/*", "resource \"a"]
        {
            let text = format!("resource \"aws_vpc\" \"v\" {{}}\n{rest}");
            assert_eq!(blocks(&text)[0].labels, ["aws_vpc", "v"], "{rest}");
        }
        let deep = |n: usize| format!("a = {}{}\nresource \"x\" \"y\" {{}}\n", "[".repeat(n), "]".repeat(n));
        assert_eq!(blocks(&deep(NESTING_MAX)).len(), 1);
        assert_eq!(blocks(&deep(NESTING_MAX + 1)).len(), 0);
        let blocks_deep = |n: usize| format!("a {{\n{}{}}}\nresource \"x\" \"y\" {{}}\n", "b {\n".repeat(n), "}\n".repeat(n));
        assert_eq!(blocks(&blocks_deep(DEPTH_MAX + 100)).len(), 2);
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "[a-z\"{}()\\[\\]=<$%#/*\\\\\n -]{0,200}") {
            for block in blocks(&text) {
                prop_assert!(block.end_line >= block.head.line);
            }
        }
    }
}
