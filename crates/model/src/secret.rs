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

/// Every secret in `text`, in order, none overlapping.
pub fn find(text: &str) -> Vec<Found> {
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

fn private_keys(text: &str, found: &mut Vec<Found>) {
    for (at, _) in text.match_indices("-----BEGIN ") {
        let rest = text.get(at..).unwrap_or_default();
        let header = rest.lines().next().unwrap_or_default();
        if !header.contains("PRIVATE KEY-----") {
            continue;
        }
        let end = rest.find("-----END ").and_then(|e| rest.get(e + 9..).and_then(|r| r.find("-----")).map(|f| e + 9 + f + 5));
        found.push(Found { kind: "private-key", range: at..at + end.unwrap_or(rest.len()) });
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
        fn total_and_idempotent(text in "\\PC{0,200}") {
            let once = mask(&text).into_owned();
            proptest::prop_assert_eq!(mask(&once), once.as_str());
        }
    }
}
