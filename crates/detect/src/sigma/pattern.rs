//! Sigma's strings: `*` and `?` are wildcards, a backslash takes their meaning away.

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This text.
    Text(String),
    /// Any text, also none.
    Any,
    /// One character.
    One,
}

/// Text with wildcards. Two texts never stand side by side, nor do two `Any`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern {
    /// The pieces in order.
    pub pieces: Vec<Piece>,
}

impl Pattern {
    /// Reads Sigma's notation: `\*` and `\?` are the characters, `\\` is one backslash, any other backslash is itself.
    pub fn parse(text: &str) -> Pattern {
        let mut pattern = Pattern::default();
        let mut letters = text.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\\' => match letters.peek() {
                    Some(&special @ ('*' | '?' | '\\')) => {
                        letters.next();
                        pattern.letter(special);
                    }
                    _ => pattern.letter('\\'),
                },
                '*' => pattern.push(Piece::Any),
                '?' => pattern.push(Piece::One),
                _ => pattern.letter(letter),
            }
        }
        pattern
    }

    /// Text without wildcards.
    pub fn plain(text: &str) -> Pattern {
        let mut pattern = Pattern::default();
        pattern.push(Piece::Text(text.to_owned()));
        pattern
    }

    /// The text, if there is no wildcard in it.
    pub fn as_plain(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Anything may stand before it.
    pub fn open_start(mut self) -> Pattern {
        if self.pieces.first() != Some(&Piece::Any) {
            self.pieces.insert(0, Piece::Any);
        }
        self
    }

    /// Anything may follow it.
    pub fn open_end(mut self) -> Pattern {
        self.push(Piece::Any);
        self
    }

    fn letter(&mut self, letter: char) {
        match self.pieces.last_mut() {
            Some(Piece::Text(text)) => text.push(letter),
            _ => self.pieces.push(Piece::Text(letter.to_string())),
        }
    }

    fn push(&mut self, piece: Piece) {
        match piece {
            Piece::Any if self.pieces.last() == Some(&Piece::Any) => {}
            Piece::Text(text) if text.is_empty() => {}
            Piece::Text(text) => text.chars().for_each(|letter| self.letter(letter)),
            piece => self.pieces.push(piece),
        }
    }

    /// The same as a regular expression for the whole text.
    pub fn regex(&self, cased: bool) -> Result<regex::bytes::Regex, String> {
        let mut source = String::from(r"\A");
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => source.push_str(&regex::escape(text)),
                Piece::Any => source.push_str(".*"),
                Piece::One => source.push('.'),
            }
        }
        source.push_str(r"\z");
        build(&source, !cased, false, true)
    }
}

/// A regular expression within [`super::REGEX_BYTES_MAX`]; the error says what is wrong in one line. The flags become part of
/// its text, so that equal texts are equal expressions.
pub(super) fn build(source: &str, ignore_case: bool, multi_line: bool, dot_all: bool) -> Result<regex::bytes::Regex, String> {
    let flags: String = [('i', ignore_case), ('m', multi_line), ('s', dot_all)].iter().filter(|f| f.1).map(|f| f.0).collect();
    let flagged = if flags.is_empty() { source.to_owned() } else { format!("(?{flags}){source}") };
    let mut builder = regex::bytes::RegexBuilder::new(&flagged);
    builder.size_limit(super::REGEX_BYTES_MAX).dfa_size_limit(super::REGEX_BYTES_MAX).nest_limit(100);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => format!("regular expression compiles to more than {limit} bytes"),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            format!("regular expression `{source}`: {}", last.trim_start_matches("error: "))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_and_escapes_read_as_the_specification_says() {
        let text = |t: &str| Piece::Text(t.to_owned());
        for (source, want) in [
            ("plain", vec![text("plain")]),
            ("a*b?c", vec![text("a"), Piece::Any, text("b"), Piece::One, text("c")]),
            (r"a\*b\?c", vec![text("a*b?c")]),
            (r"C:\Windows\x", vec![text(r"C:\Windows\x")]),
            (r"a\\b", vec![text(r"a\b")]),
            (r"a\\*", vec![text(r"a\"), Piece::Any]),
            (r"a\\\*", vec![text(r"a\*")]),
            ("**", vec![Piece::Any]),
            ("", vec![]),
        ] {
            assert_eq!(Pattern::parse(source).pieces, want, "{source}");
        }
    }
}
