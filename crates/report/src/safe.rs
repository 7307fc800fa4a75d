//! Text from the input, made harmless.

use std::borrow::Cow;

/// The text without control characters, bidirectional overrides and invisible characters: each becomes `U+FFFD`, a line break
/// a space. Safe to print on a terminal (no escape sequence survives, Unicode TR 36 "bidirectional text spoofing").
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| !is_hidden(c)) {
        return Cow::Borrowed(text);
    }
    let clean = |c: char| match c {
        '\n' | '\r' | '\t' => ' ',
        c if is_hidden(c) => '\u{FFFD}',
        c => c,
    };
    Cow::Owned(text.chars().map(clean).collect())
}

fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_do_not_survive() {
        assert_eq!(printable("a\u{1b}[31mb"), "a\u{FFFD}[31mb");
        assert_eq!(printable("a\nb\u{202E}c"), "a b\u{FFFD}c");
        assert!(matches!(printable("größe"), Cow::Borrowed(_)));
    }
}
