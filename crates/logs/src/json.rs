//! JSON as bytes: where a value ends, what it is, and what its escapes mean. No tree, no allocation.

/// What kind of value a slice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string; the slice is what stands between the quotes, escapes resolved.
    String,
    /// A number as written.
    Number,
    /// `true`.
    True,
    /// `false`.
    False,
    /// `null`.
    Null,
    /// An object, braces included, escapes not resolved.
    Object,
    /// An empty array. The elements of others stand for themselves.
    EmptyArray,
}

/// Why a value could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The bytes end inside it.
    End,
    /// It isn't JSON.
    Syntax,
    /// It nests deeper than the limit.
    Deep,
}

/// Past so many bytes a string is long, and searched by what starts slower and runs faster.
const SHORT_BYTES: usize = 64;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

/// The first byte at or after `at` that isn't white space, and its place.
#[inline]
pub(crate) fn token(bytes: &[u8], mut at: usize) -> Result<(u8, usize), Fault> {
    loop {
        match bytes.get(at) {
            Some(b' ' | b'\n' | b'\r' | b'\t') => at += 1,
            Some(&byte) => return Ok((byte, at)),
            None => return Err(Fault::End),
        }
    }
}

/// The place of the closing quote of a string whose content starts at `at`, and whether an escape occurs in it.
#[inline]
pub(crate) fn string_end(bytes: &[u8], mut at: usize) -> Result<(usize, bool), Fault> {
    let mut escaped = false;
    loop {
        let short = at + SHORT_BYTES;
        while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let word = u64::from_le_bytes(*chunk);
            let hits = zero_bytes(word ^ (LOW * b'"' as u64)) | zero_bytes(word ^ (LOW * b'\\' as u64));
            if hits != 0 {
                at += (hits.trailing_zeros() / 8) as usize;
                break;
            }
            at += 8;
            if at >= short {
                at += memchr::memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()).ok_or(Fault::End)?;
                break;
            }
        }
        match bytes.get(at) {
            Some(b'"') => return Ok((at, escaped)),
            Some(b'\\') => {
                escaped = true;
                at += 2;
            }
            Some(_) => at += 1,
            None => return Err(Fault::End),
        }
    }
}

/// The place after a number, `true`, `false` or `null` that starts at `at`.
#[inline]
pub(crate) fn scalar_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        if matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t') {
            break;
        }
        at += 1;
    }
    at
}

/// The kind of the scalar `text`.
pub(crate) fn scalar_kind(text: &[u8]) -> Result<Kind, Fault> {
    match text {
        b"true" => Ok(Kind::True),
        b"false" => Ok(Kind::False),
        b"null" => Ok(Kind::Null),
        [b'-' | b'0'..=b'9', rest @ ..] if rest.iter().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) => {
            Ok(Kind::Number)
        }
        _ => Err(Fault::Syntax),
    }
}

/// The place after the value that starts at `at` (no white space before it). Brackets are only counted: what is skipped
/// is not judged. `depth` is how deep the value already lies.
pub(crate) fn skip(bytes: &[u8], at: usize, depth: usize, depth_max: usize) -> Result<usize, Fault> {
    match bytes.get(at) {
        Some(b'"') => string_end(bytes, at + 1).map(|(end, _)| end + 1),
        Some(b'{' | b'[') => skip_nested(bytes, at, depth, depth_max),
        Some(_) => {
            let end = scalar_end(bytes, at);
            let text = bytes.get(at..end).unwrap_or_default();
            if end == bytes.len() {
                return Err(Fault::End);
            }
            scalar_kind(text).map(|_| end)
        }
        None => Err(Fault::End),
    }
}

fn skip_nested(bytes: &[u8], mut at: usize, depth: usize, depth_max: usize) -> Result<usize, Fault> {
    let mut open = 0usize;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                let (end, _) = string_end(bytes, at + 1)?;
                at = end;
            }
            b'{' | b'[' => {
                open += 1;
                if depth + open > depth_max {
                    return Err(Fault::Deep);
                }
            }
            b'}' | b']' => {
                open -= 1;
                if open == 0 {
                    return Ok(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    Err(Fault::End)
}

/// Appends what the string content `raw` means to `out`. A broken escape or a lone surrogate becomes U+FFFD.
pub fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        rest = escape(tail, out);
    }
    out.extend_from_slice(rest);
}

/// One escape sequence at the start of `tail`; returns what follows it.
fn escape<'a>(tail: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let simple = match tail.get(1) {
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 8,
        Some(b'f') => 12,
        Some(b'u') => return unicode(tail, out),
        Some(&other) => other,
        None => {
            out.extend_from_slice("\u{fffd}".as_bytes());
            return &[];
        }
    };
    out.push(simple);
    tail.get(2..).unwrap_or_default()
}

fn hex4(text: Option<&[u8]>) -> Option<u32> {
    text.and_then(|t| std::str::from_utf8(t).ok()).and_then(|t| u32::from_str_radix(t, 16).ok())
}

fn unicode<'a>(tail: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let first = hex4(tail.get(2..6));
    let mut used = 6;
    let mut code = first;
    if let Some(high @ 0xD800..=0xDBFF) = first {
        code = match (tail.get(6..8), hex4(tail.get(8..12))) {
            (Some(b"\\u"), Some(low @ 0xDC00..=0xDFFF)) => {
                used = 12;
                Some(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
            }
            _ => None,
        };
    }
    let letter = code.and_then(char::from_u32).unwrap_or('\u{fffd}');
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
    tail.get(used..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(raw: &str) -> String {
        let mut out = Vec::new();
        unescape(raw.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn escapes_mean_what_rfc_8259_says() {
        for (raw, want) in [
            ("plain", "plain"),
            (r#"a\"b\\c\/d"#, "a\"b\\c/d"),
            (r"\n\t\r\b\f", "\n\t\r\u{8}\u{c}"),
            (r"\u00e9\u20AC", "é€"),
            (r"\ud83d\ude00", "😀"),
            (r"\ud83d", "\u{fffd}"),
            (r"\ud83dx", "\u{fffd}x"),
            (r"\u12", "\u{fffd}"),
            ("end\\", "end\u{fffd}"),
        ] {
            assert_eq!(resolved(raw), want, "{raw}");
        }
    }

    #[test]
    fn values_end_where_they_end() {
        for (text, want) in [
            (r#""a\"b" "#, Ok(6)),
            (r#"{"a":[1,"}"]} x"#, Ok(13)),
            ("12,", Ok(2)),
            ("true}", Ok(4)),
            ("tru}", Err(Fault::Syntax)),
            ("12", Err(Fault::End)),
            (r#""abc"#, Err(Fault::End)),
            (r#""abc\"#, Err(Fault::End)),
            (r#"{"a":1"#, Err(Fault::End)),
        ] {
            assert_eq!(skip(text.as_bytes(), 0, 0, 8), want, "{text}");
        }
    }

    #[test]
    fn depth_is_bounded_at_the_limit() {
        let nested = |n: usize| format!("{}{} ", "[".repeat(n), "]".repeat(n));
        assert!(skip(nested(8).as_bytes(), 0, 0, 8).is_ok());
        assert_eq!(skip(nested(9).as_bytes(), 0, 0, 8), Err(Fault::Deep));
    }

    #[test]
    fn every_string_length_finds_its_quote() {
        for n in 0..200 {
            let text = format!("{}\"", "x".repeat(n));
            assert_eq!(string_end(text.as_bytes(), 0), Ok((n, false)));
            let escaped = format!("{}\\\"y\"", "x".repeat(n));
            assert_eq!(string_end(escaped.as_bytes(), 0), Ok((n + 3, true)));
        }
    }
}
