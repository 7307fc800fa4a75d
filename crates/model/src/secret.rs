//! Recognising secrets in text, so that checks can find them and outputs never carry them.
//!
//! One list serves both ends: what a check reports as a secret is what every output masks. Only forms with a fixed, published
//! shape are listed; guessing by entropy is left out on purpose (it cannot be both quiet and complete).
//! Shapes: AWS IAM reference "unique ID prefixes", RFC 7468 (PEM), RFC 7519 (JWT), and the issuers' own documentation.

/// A secret in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: &'static str,
    /// Its bytes in the text.
    pub range: std::ops::Range<usize>,
}

/// A prefix, the characters that follow it, and how many of them there must be.
struct Shape {
    kind: &'static str,
    prefix: &'static str,
    tail: fn(u8) -> bool,
    tail_min: usize,
    tail_max: usize,
}

fn upper_or_digit(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

fn word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b == b'-'
}

const SHAPES: &[Shape] = &[
    Shape { kind: "aws-access-key-id", prefix: "AKIA", tail: upper_or_digit, tail_min: 16, tail_max: 16 },
    Shape { kind: "aws-access-key-id", prefix: "ASIA", tail: upper_or_digit, tail_min: 16, tail_max: 16 },
    Shape { kind: "github-token", prefix: "ghp_", tail: word, tail_min: 36, tail_max: 255 },
    Shape { kind: "github-token", prefix: "gho_", tail: word, tail_min: 36, tail_max: 255 },
    Shape { kind: "github-token", prefix: "ghs_", tail: word, tail_min: 36, tail_max: 255 },
    Shape { kind: "github-token", prefix: "github_pat_", tail: word, tail_min: 59, tail_max: 255 },
    Shape { kind: "gitlab-token", prefix: "glpat-", tail: word, tail_min: 20, tail_max: 255 },
    Shape { kind: "slack-token", prefix: "xoxb-", tail: word, tail_min: 20, tail_max: 255 },
    Shape { kind: "slack-token", prefix: "xoxp-", tail: word, tail_min: 20, tail_max: 255 },
    Shape { kind: "stripe-key", prefix: "sk_live_", tail: word, tail_min: 20, tail_max: 255 },
    Shape { kind: "google-api-key", prefix: "AIza", tail: word, tail_min: 35, tail_max: 35 },
    Shape { kind: "npm-token", prefix: "npm_", tail: word, tail_min: 36, tail_max: 36 },
];

/// What keys and tokens without a row in [`SHAPES`] start with, or their name does. Lower-case.
const MARKS: &[&str] = &["-----begin ", "eyj", "aws_secret", "secretaccesskey", "secret_access_key"];

/// The first, second and third characters of everything that is looked for, as bit sets over ASCII in either case.
const STARTS: [u128; 3] = starts();

const fn starts() -> [u128; 3] {
    let (mut first, mut second, mut third) = (0, 0, 0);
    let mut shapes = SHAPES;
    let mut marks = MARKS;
    loop {
        let needle = if let [shape, rest @ ..] = shapes {
            shapes = rest;
            shape.prefix
        } else if let [mark, rest @ ..] = marks {
            marks = rest;
            mark
        } else {
            return [first, second, third];
        };
        if let [a, b, c, ..] = needle.as_bytes() {
            first |= 1 << a.to_ascii_lowercase() | 1 << a.to_ascii_uppercase();
            second |= 1 << b.to_ascii_lowercase() | 1 << b.to_ascii_uppercase();
            third |= 1 << c.to_ascii_lowercase() | 1 << c.to_ascii_uppercase();
        }
    }
}

/// False for nearly every text without a key or token, never for one with: every text of every output passes here.
fn may_hold(text: &str) -> bool {
    let [first, second, third] = STARTS;
    let within = |set: u128, byte: u8| set >> (byte & 0x7f) & 1 == 1;
    let needles = || SHAPES.iter().map(|shape| shape.prefix).chain(MARKS.iter().copied());
    text.as_bytes().windows(3).any(|window| match window {
        [a, b, c] if within(first, *a) && within(second, *b) && within(third, *c) => {
            needles().any(|needle| needle.as_bytes().get(..3).is_some_and(|start| start.eq_ignore_ascii_case(window)))
        }
        _ => false,
    })
}

/// What stands in the place of a value that is not shown.
pub const HIDDEN: &str = "[hidden]";

/// Every secret in `text`, in order, none overlapping.
pub fn find(text: &str) -> Vec<Found> {
    let mut found = if may_hold(text) { named(text) } else { Vec::new() };
    url_passwords(text, &mut found);
    found.sort_by_key(|f| (f.range.start, std::cmp::Reverse(f.range.end)));
    let mut end = 0;
    found.retain(|f| {
        let keep = f.range.start >= end;
        if keep {
            end = f.range.end;
        }
        keep
    });
    found
}

/// Every secret that [`may_hold`] looks for, in any order.
fn named(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    for shape in SHAPES {
        for (at, _) in text.match_indices(shape.prefix) {
            let bytes = text.as_bytes();
            let starts_a_word = at == 0 || !bytes.get(at - 1).is_some_and(|b| word(*b));
            let tail = bytes.get(at + shape.prefix.len()..).unwrap_or_default();
            let length = tail.iter().take(shape.tail_max + 1).take_while(|b| (shape.tail)(**b)).count();
            if starts_a_word && (shape.tail_min..=shape.tail_max).contains(&length) {
                found.push(Found { kind: shape.kind, range: at..at + shape.prefix.len() + length });
            }
        }
    }
    private_keys(text, &mut found);
    json_web_tokens(text, &mut found);
    aws_secret_keys(text, &mut found);
    found
}

/// The text with every secret replaced by `[kind]`.
pub fn mask(text: &str) -> std::borrow::Cow<'_, str> {
    let found = find(text);
    if found.is_empty() {
        return text.into();
    }
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for secret in &found {
        masked.push_str(text.get(at..secret.range.start).unwrap_or_default());
        masked.push('[');
        masked.push_str(secret.kind);
        masked.push(']');
        at = secret.range.end;
    }
    masked.push_str(text.get(at..).unwrap_or_default());
    masked.into()
}

/// A PEM block with a private key; one without an end reaches to the end of the text.
fn private_keys(text: &str, found: &mut Vec<Found>) {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    let mut at = 0;
    while let Some(begin) = text.get(at..).and_then(|rest| rest.find(BEGIN)).map(|offset| at + offset) {
        at = begin + BEGIN.len();
        // The longest label of RFC 7468's registry has 29 characters.
        let label = text.as_bytes().get(at..).unwrap_or_default();
        let label = label.iter().take(64).take_while(|b| **b != b'-' && **b != b'\n').count();
        if !text.get(at..at + label + 5).is_some_and(|l| l.ends_with("PRIVATE KEY-----")) {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let end = rest.find(END).map(|e| e + END.len()).and_then(|e| rest.get(e..)?.find("-----").map(|f| at + e + f + 5));
        at = end.unwrap_or(text.len());
        found.push(Found { kind: "private-key", range: begin..at });
    }
}

fn json_web_tokens(text: &str, found: &mut Vec<Found>) {
    for (at, _) in text.match_indices("eyJ") {
        let bytes = text.as_bytes();
        if at > 0 && bytes.get(at - 1).is_some_and(|b| word(*b) || *b == b'.') {
            continue;
        }
        let length = bytes.get(at..).unwrap_or_default().iter().take_while(|b| word(**b) || **b == b'.').count();
        let parts: Vec<&str> = text.get(at..at + length).unwrap_or_default().split('.').collect();
        if let [_, payload, signature] = parts.as_slice()
            && payload.starts_with("eyJ")
            && signature.len() >= 20
        {
            found.push(Found { kind: "json-web-token", range: at..at + length });
        }
    }
}

/// Forty characters of base64 behind a name that says what they are.
fn aws_secret_keys(text: &str, found: &mut Vec<Found>) {
    let lower = text.to_ascii_lowercase();
    for name in ["aws_secret_access_key", "aws_secret_key", "secretaccesskey", "secret_access_key"] {
        for (at, _) in lower.match_indices(name) {
            let after = at + name.len();
            let bytes = text.as_bytes().get(after..).unwrap_or_default();
            let gap = bytes.iter().take(8).take_while(|b| matches!(b, b' ' | b'"' | b'\'' | b':' | b'=' | b'\t')).count();
            let is_key = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+' | b'=');
            let length = bytes.get(gap..).unwrap_or_default().iter().take(41).take_while(|b| is_key(b)).count();
            if gap > 0 && length == 40 {
                found.push(Found { kind: "aws-secret-access-key", range: after + gap..after + gap + 40 });
            }
        }
    }
}

/// The password in `scheme://user:password@host`.
fn url_passwords(text: &str, found: &mut Vec<Found>) {
    for (at, _) in text.match_indices("://") {
        let start = at + 3;
        let rest = text.get(start..).unwrap_or_default();
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '?' | '#')).unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        let Some((login, _)) = authority.rsplit_once('@') else { continue };
        let Some((user, password)) = login.split_once(':') else { continue };
        if password.len() >= 3 && !password.contains("${") && !password.starts_with('$') && !password.starts_with("{{") {
            let from = start + user.len() + 1;
            found.push(Found { kind: "url-password", range: from..from + password.len() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_what_it_finds() {
        let key = format!("AKIA{}", "IOSFODNN7EXAMPLE");
        assert_eq!(mask(&format!("key={key};")), "key=[aws-access-key-id];");
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        assert_eq!(mask(&format!("AWS_SECRET_ACCESS_KEY=\"{secret}\"")), "AWS_SECRET_ACCESS_KEY=\"[aws-secret-access-key]\"");
        assert_eq!(mask("postgres://app:hunter22@db:5432/x"), "postgres://app:[url-password]@db:5432/x");
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----";
        assert_eq!(mask(&format!("a {pem} b")), "a [private-key] b");
    }

    #[test]
    fn private_keys_end_where_they_end() {
        let pem = |label: &str| format!("-----BEGIN {label}-----\nabc\n-----END {label}-----");
        let all = ["RSA PRIVATE KEY", "CERTIFICATE", "ENCRYPTED PRIVATE KEY", "PUBLIC KEY", "PRIVATE KEY"].map(pem).join("\n");
        assert_eq!(find(&all).len(), 3);
        assert_eq!(mask(&pem("CERTIFICATE")), pem("CERTIFICATE"));
        assert_eq!(mask("-----BEGIN PRIVATE KEY-----\nabc"), "[private-key]");
        assert_eq!(mask("-----BEGIN PRIVATE KEY-----\nabc-----END PRIVATE"), "[private-key]");
        assert_eq!(find(&"-----BEGIN ".repeat(100_000)), []);
        assert_eq!(find(&"-----BEGIN PRIVATE KEY-----".repeat(50_000)).len(), 1);
    }

    #[test]
    fn leaves_the_rest_alone() {
        for text in [
            "AKIA is a prefix",
            "https://host:8080/path",
            "postgres://app:${Password}@db/x",
            "XAKIAIOSFODNN7EXAMPLE",
            "eyJ.eyJ.x",
        ] {
            assert_eq!(find(text), [], "{text}");
            assert_eq!(mask(text), text);
        }
    }

    proptest::proptest! {
        #[test]
        fn the_quick_look_misses_nothing(
            parts in proptest::collection::vec((0..SHAPES.len() + MARKS.len(), "[A-Z]{0,40}", proptest::bool::ANY), 0..4)
        ) {
            let needles: Vec<&str> = SHAPES.iter().map(|s| s.prefix).chain(MARKS.iter().copied()).collect();
            let text: String = parts
                .iter()
                .map(|(i, tail, upper)| {
                    let needle = needles[*i];
                    format!(" {}{tail}", if *upper { needle.to_uppercase() } else { needle.to_owned() })
                })
                .collect();
            proptest::prop_assert!(may_hold(&text) || named(&text).is_empty());
            proptest::prop_assert_eq!(may_hold(&text), !parts.is_empty());
        }

        #[test]
        fn total_and_idempotent(text in "\\PC{0,200}") {
            let once = mask(&text).into_owned();
            proptest::prop_assert_eq!(mask(&once), once.as_str());
        }
    }
}
