//! Text as the YAML library takes it, and the places that the library does not give.

use std::io::{BufRead, Read};

use model::Span;

/// The library keeps what it is given as four bytes a character, so it is given little at a time.
const CHUNK_BYTES: usize = 4096;

/// A text in small pieces, each ending between two characters, with a line break at the very end: the library panics on a
/// block scalar that ends with the text.
pub(crate) struct Chunks<'t> {
    rest: &'t str,
    /// What is left of the last line break.
    tail: &'static [u8],
}

impl<'t> Chunks<'t> {
    pub(crate) fn new(text: &'t str) -> Chunks<'t> {
        let tail: &[u8] = if text.ends_with(['\n', '\r']) { b"" } else { b"\n" };
        Chunks { rest: text, tail }
    }
}

impl BufRead for Chunks<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.rest.is_empty() {
            return Ok(self.tail);
        }
        let mut end = CHUNK_BYTES.min(self.rest.len());
        while !self.rest.is_char_boundary(end) {
            end -= 1;
        }
        Ok(self.rest.get(..end).unwrap_or(self.rest).as_bytes())
    }

    fn consume(&mut self, amount: usize) {
        if self.rest.is_empty() {
            self.tail = self.tail.get(amount..).unwrap_or_default();
        } else {
            self.rest = self.rest.get(amount..).unwrap_or_default();
        }
    }
}

impl Read for Chunks<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let from = self.fill_buf()?;
        let amount = from.len().min(into.len());
        for (to, byte) in into.iter_mut().zip(from) {
            *to = *byte;
        }
        self.consume(amount);
        Ok(amount)
    }
}

/// Where each line starts, in bytes.
pub(crate) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    /// Lines end as YAML 1.1 has it: `\n`, `\r\n`, `\r`, U+0085, U+2028, U+2029.
    pub(crate) fn new(text: &str) -> Lines {
        let mut starts = vec![0];
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '\r' if chars.peek().is_some_and(|(_, next)| *next == '\n') => {}
                '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => starts.push(at + c.len_utf8()),
                _ => {}
            }
        }
        Lines { starts }
    }

    /// A block scalar ends, for the library, where the next thing starts; for a reader, with its last line of text.
    pub(crate) fn trim(&self, text: &str, at: Span) -> Span {
        let mut line = at.end_line;
        while line > at.line {
            // The line before the one the library names; both count from 1.
            let content = self.line(text, line as usize - 1);
            if !content.is_empty() {
                return Span { end_line: line - 1, end_column: content.chars().count() as u32 + 1, ..at };
            }
            line -= 1;
        }
        Span { end_line: at.line, end_column: at.column + 1, ..at }
    }

    /// Line `number`, counted from 1, without the space at its end.
    fn line<'t>(&self, text: &'t str, number: usize) -> &'t str {
        let start = self.starts.get(number.wrapping_sub(1)).copied().unwrap_or(text.len());
        let end = self.starts.get(number).copied().unwrap_or(text.len());
        text.get(start..end).unwrap_or_default().trim_end()
    }
}

/// The first character that YAML does not allow: the library tells of it without place.
pub(crate) fn reader_place(text: &str) -> Span {
    let (mut line, mut column) = (1, 1);
    for c in text.chars() {
        match c {
            '\n' => (line, column) = (line + 1, 1),
            '\t' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => column += 1,
            _ => break,
        }
    }
    Span { line, column, end_line: line, end_column: column }
}
