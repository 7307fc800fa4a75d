//! JSON as RFC 8259 has it, with places.

use model::{Span, Text};

use crate::builder::{Builder, Place, short};
use crate::{Diagnostic, Document, Limits, Node, Typed};

/// Reads one JSON value. A byte order mark before it is skipped.
///
/// Numbers keep their text, whatever their size. Of two members with the same name both are kept, the later one counts,
/// and there is a warning.
///
/// # Errors
/// The first thing that is not JSON, or the first limit that is passed.
pub fn parse_json(text: &str, limits: &Limits) -> Result<Document, Diagnostic> {
    let at = Span { line: 1, column: 1, end_line: 1, end_column: 1 };
    if text.len() > limits.bytes_max {
        let message = format!("the text has {} bytes; at most {} are read", text.len(), limits.bytes_max);
        return Err(Diagnostic::limit(message, "bytes_max", at));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        line_start: 0,
        continuation: 0,
        scratch: String::new(),
        tree: Builder::new(limits),
    };
    let root = parser.document()?;
    Ok(Document { root, warnings: parser.tree.warnings, more: None })
}

struct Parser<'t, 'l> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    line: u32,
    /// Where the line starts, in bytes.
    line_start: usize,
    /// Bytes of this line that are not the first of their character.
    continuation: usize,
    scratch: String,
    tree: Builder<'l>,
}

impl Parser<'_, '_> {
    fn document(&mut self) -> Result<Node, Diagnostic> {
        loop {
            self.value()?;
            // A value is complete: close what ends here, until another one must follow or nothing is open.
            loop {
                self.space();
                match (self.tree.place(), self.peek()) {
                    (Place::Root, None) => return self.root(),
                    (Place::Root, Some(_)) => return Err(self.expected("the end of the text")),
                    (Place::Item, Some(b',')) => {
                        self.at += 1;
                        break;
                    }
                    (Place::Key, Some(b',')) => {
                        self.at += 1;
                        self.key()?;
                        break;
                    }
                    (Place::Item, Some(b']')) | (Place::Key, Some(b'}')) => self.close()?,
                    (Place::Item, _) => return Err(self.expected("`,` or `]`")),
                    (Place::Key | Place::Value, _) => return Err(self.expected("`,` or `}`")),
                }
            }
        }
    }

    fn root(&mut self) -> Result<Node, Diagnostic> {
        let here = self.here(self.at);
        self.tree.take_root().ok_or_else(|| Diagnostic::malformed("expected a value", here))
    }

    /// One scalar or empty list or mapping; or the opening of lists and mappings down to the first scalar.
    fn value(&mut self) -> Result<(), Diagnostic> {
        loop {
            self.space();
            let start = self.here(self.at);
            match self.peek() {
                Some(b'{') => {
                    self.tree.open(true, start, None)?;
                    self.at += 1;
                    self.space();
                    if self.peek() == Some(b'}') {
                        return self.close();
                    }
                    self.key()?;
                }
                Some(b'[') => {
                    self.tree.open(false, start, None)?;
                    self.at += 1;
                    self.space();
                    if self.peek() == Some(b']') {
                        return self.close();
                    }
                }
                Some(b'"') => {
                    let (text, span) = self.string()?;
                    let kind = crate::Kind::Scalar(crate::Scalar { text, typed: Typed::Str });
                    return self.tree.value(Node { span, tag: None, kind }, 0);
                }
                Some(b'-' | b'0'..=b'9') => return self.number(start),
                Some(b'a'..=b'z' | b'A'..=b'Z') => return self.word(start),
                _ => return Err(self.expected("a value")),
            }
        }
    }

    fn close(&mut self) -> Result<(), Diagnostic> {
        self.at += 1;
        let end = self.here(self.at);
        match self.tree.close(Some(end)) {
            Some((node, height)) => self.tree.value(node, height),
            None => Err(self.expected("a value")),
        }
    }

    fn key(&mut self) -> Result<(), Diagnostic> {
        self.space();
        if self.peek() != Some(b'"') {
            return Err(self.expected("a member name in double quotes"));
        }
        let (text, span) = self.string()?;
        self.space();
        if self.peek() != Some(b':') {
            return Err(self.expected("`:`"));
        }
        self.at += 1;
        self.tree.key(text, span);
        Ok(())
    }

    /// A string; `at` is on its opening quote.
    fn string(&mut self) -> Result<(Text, Span), Diagnostic> {
        let open = self.here(self.at);
        self.at += 1;
        let start = self.at;
        self.plain_run();
        if self.peek() == Some(b'"') {
            let text = self.tree.texts.share(self.text.get(start..self.at).unwrap_or_default());
            self.at += 1;
            return Ok((text, self.from(open)));
        }
        let mut text = std::mem::take(&mut self.scratch);
        text.clear();
        text.push_str(self.text.get(start..self.at).unwrap_or_default());
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape(&mut text)?,
                Some(_) => return Err(self.malformed("control character in a string; write it as an escape such as `\\n`")),
                None => return Err(Diagnostic::malformed("this string has no closing quote", open)),
            }
            let start = self.at;
            self.plain_run();
            text.push_str(self.text.get(start..self.at).unwrap_or_default());
        }
        self.at += 1;
        let shared = self.tree.texts.share(&text);
        self.scratch = text;
        Ok((shared, self.from(open)))
    }

    /// Skips characters that stand for themselves in a string.
    fn plain_run(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let mut continuation = 0;
        let mut length = 0;
        for byte in rest {
            match byte {
                b'"' | b'\\' | 0..=0x1f => break,
                0x80..=0xbf => continuation += 1,
                _ => {}
            }
            length += 1;
        }
        self.at += length;
        self.continuation += continuation;
    }

    fn escape(&mut self, text: &mut String) -> Result<(), Diagnostic> {
        let c = match self.bytes.get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(text),
            _ => return Err(self.malformed("unknown escape in a string")),
        };
        self.at += 2;
        text.push(c);
        Ok(())
    }

    fn unicode(&mut self, text: &mut String) -> Result<(), Diagnostic> {
        let first = self.hex(self.at + 2);
        let (code, length) = match first {
            Some(high @ 0xd800..=0xdbff) => {
                let marked = self.bytes.get(self.at + 6..self.at + 8) == Some(b"\\u");
                match self.hex(self.at + 8) {
                    Some(low @ 0xdc00..=0xdfff) if marked => (Some(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00)), 12),
                    _ => (None, 0),
                }
            }
            other => (other, 6),
        };
        match code.and_then(char::from_u32) {
            Some(c) => {
                text.push(c);
                self.at += length;
                Ok(())
            }
            None => Err(self.malformed("`\\u` escape that is not a character")),
        }
    }

    fn hex(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        u32::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self, start: Span) -> Result<(), Diagnostic> {
        let from = self.at;
        let mut at = self.at + usize::from(self.peek() == Some(b'-'));
        let whole = self.digits(at);
        let mut fine = whole > 0 && (whole == 1 || self.bytes.get(at) != Some(&b'0'));
        at += whole;
        if self.bytes.get(at) == Some(&b'.') {
            let part = self.digits(at + 1);
            fine &= part > 0;
            at += 1 + part;
        }
        if matches!(self.bytes.get(at), Some(b'e' | b'E')) {
            at += 1 + usize::from(matches!(self.bytes.get(at + 1), Some(b'+' | b'-')));
            let part = self.digits(at);
            fine &= part > 0;
            at += part;
        }
        if !fine {
            return Err(self.malformed("malformed number"));
        }
        self.at = at;
        let span = self.from(start);
        let node = self.tree.scalar(self.text.get(from..at).unwrap_or_default(), Typed::Number, span, None);
        self.tree.value(node, 0)
    }

    fn digits(&self, at: usize) -> usize {
        self.bytes.get(at..).unwrap_or_default().iter().take_while(|b| b.is_ascii_digit()).count()
    }

    fn word(&mut self, start: Span) -> Result<(), Diagnostic> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        let word = self.text.get(self.at..self.at + length).unwrap_or_default();
        let typed = match word {
            "true" => Typed::Bool(true),
            "false" => Typed::Bool(false),
            "null" => Typed::Null,
            _ => return Err(self.malformed(format!("expected a value, found `{}`", short(word)))),
        };
        self.at += length;
        let span = self.from(start);
        let node = self.tree.scalar(word, typed, span, None);
        self.tree.value(node, 0)
    }

    fn space(&mut self) {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => {
                    self.at += 1;
                    self.line += 1;
                    self.line_start = self.at;
                    self.continuation = 0;
                }
                _ => return,
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The empty span at a byte of the current line.
    fn here(&self, at: usize) -> Span {
        let column = (at - self.line_start - self.continuation) as u32 + 1;
        Span { line: self.line, column, end_line: self.line, end_column: column }
    }

    /// From `start` to the current byte.
    fn from(&self, start: Span) -> Span {
        Span { line: start.line, column: start.column, ..self.here(self.at) }
    }

    fn expected(&self, what: &str) -> Diagnostic {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            None => self.malformed(format!("expected {what}, found the end of the text")),
            Some(c) => self.malformed(format!("expected {what}, found `{}`", c.escape_debug())),
        }
    }

    fn malformed(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::malformed(message, self.here(self.at))
    }
}

#[cfg(test)]
mod tests;
