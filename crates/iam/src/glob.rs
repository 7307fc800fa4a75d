//! Text patterns as policies write them: literals, `*`, `?`, policy variables, and holes for what is not known.

use model::Truth;
use smallvec::SmallVec;

use crate::request::{Context, Mode};
use crate::unknown_name;

/// Longest pattern that is compiled, in bytes; a longer one matches "unknown". IAM's own limit for a policy is 10,240.
pub const PATTERN_BYTES_MAX: usize = 16 * 1024;

/// The marks inside [`Tokens`]: bytes that UTF-8 never uses, so any text can stand beside them.
pub(crate) const MANY: u8 = 0xff;
pub(crate) const ONE: u8 = 0xfe;
const HOLE: u8 = 0xfd;

/// UTF-8 text in which three byte values that UTF-8 never uses stand for `*`, `?` and a hole.
pub(crate) type Tokens = SmallVec<[u8; 32]>;

/// One piece of a policy string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Literal text with marks.
    Text(Tokens),
    /// `${key}` or `${key, 'default'}`.
    Variable { key: Box<str>, default: Option<Box<str>> },
    /// Something that is not known yet: a link, a parameter.
    Hole,
}

/// Which characters of a policy string are special.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Syntax {
    /// `*` and `?` are wildcards.
    pub(crate) wildcards: bool,
    /// `${...}` is a variable (policy version 2012-10-17 only).
    pub(crate) variables: bool,
}

/// Reads a policy string into pieces. `None` if a variable is not closed, which AWS treats as text.
pub(crate) fn pieces(text: &str, syntax: Syntax) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut literal = Tokens::new();
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| matches!(b, b'*' | b'?' | b'$')) {
        let (plain, special) = rest.split_at(at);
        literal.extend_from_slice(plain.as_bytes());
        if syntax.variables
            && let Some((inside, after)) = special.strip_prefix("${").and_then(|r| r.split_once('}'))
        {
            rest = after;
            match inside {
                "*" | "?" | "$" => literal.extend_from_slice(inside.as_bytes()),
                _ => {
                    if !literal.is_empty() {
                        out.push(Piece::Text(std::mem::take(&mut literal)));
                    }
                    out.push(variable(inside));
                }
            }
            continue;
        }
        let (mark, after) = special.split_at(1);
        literal.extend_from_slice(match mark {
            "*" if syntax.wildcards => &[MANY],
            "?" if syntax.wildcards => &[ONE],
            other => other.as_bytes(),
        });
        rest = after;
    }
    literal.extend_from_slice(rest.as_bytes());
    if !literal.is_empty() {
        out.push(Piece::Text(literal));
    }
    out
}

fn variable(inside: &str) -> Piece {
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, default)) => {
            let default = default.trim();
            let bare = default.strip_prefix('\'').and_then(|d| d.strip_suffix('\'')).unwrap_or(default);
            (key, Some(Box::from(bare)))
        }
    };
    Piece::Variable { key: key.trim().to_ascii_lowercase().into(), default }
}

/// How many colons there are in their literal text.
pub(crate) fn colons(pieces: &[Piece]) -> usize {
    let text = pieces.iter().filter_map(|p| if let Piece::Text(text) = p { Some(text) } else { None });
    text.flatten().filter(|b| **b == b':').count()
}

/// Splits pieces at the colons of their literal text, into at most `max` parts; the last keeps its colons.
pub(crate) fn split_colons(pieces: Vec<Piece>, max: usize) -> Vec<Vec<Piece>> {
    let mut parts: Vec<Vec<Piece>> = vec![Vec::new()];
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                let mut rest: &[u8] = &text;
                while parts.len() < max
                    && let Some(at) = rest.iter().position(|b| *b == b':')
                {
                    let (head, tail) = rest.split_at(at);
                    push_text(&mut parts, head);
                    parts.push(Vec::new());
                    rest = tail.get(1..).unwrap_or_default();
                }
                push_text(&mut parts, rest);
            }
            other => {
                if let Some(last) = parts.last_mut() {
                    last.push(other);
                }
            }
        }
    }
    parts
}

fn push_text(parts: &mut [Vec<Piece>], text: &[u8]) {
    if !text.is_empty()
        && let Some(last) = parts.last_mut()
    {
        last.push(Piece::Text(Tokens::from_slice(text)));
    }
}

/// What policy variables stand for in a request.
pub(crate) trait Variables {
    /// The single value of a (lower-case) key.
    fn variable(&self, key: &str) -> Variable<'_>;

    /// True if names that nobody knows yet are different from every text that is not the same name; see
    /// [`crate::unknown_name::worlds`].
    fn apart(&self) -> bool {
        false
    }
}

/// The value of a policy variable.
pub(crate) enum Variable<'a> {
    /// It has this value.
    Is(&'a str),
    /// It has none; the default counts, or else nothing matches.
    Absent,
    /// Not known.
    Unknown,
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Matcher {
    /// `*`
    Any,
    /// No special character.
    Exact(Box<str>),
    /// Literal text and one `*` at the end.
    Prefix(Box<str>),
    /// Any mixture of literals and marks.
    Glob(Tokens),
    /// The same with a name in it that nobody knows yet.
    Named(Tokens),
    /// With variables: compiled anew for each request.
    Template(Box<[Piece]>),
    /// Past [`PATTERN_BYTES_MAX`].
    TooLong,
}

impl Matcher {
    pub(crate) fn new(pieces: Vec<Piece>) -> Matcher {
        if pieces.iter().any(|p| matches!(p, Piece::Variable { .. })) {
            return Matcher::Template(pieces.into());
        }
        let mut tokens = Tokens::new();
        for piece in &pieces {
            match piece {
                Piece::Text(text) => tokens.extend_from_slice(text),
                _ => tokens.push(HOLE),
            }
        }
        Matcher::from_tokens(tokens)
    }

    pub(crate) fn parse(text: &str, syntax: Syntax) -> Matcher {
        Matcher::new(pieces(text, syntax))
    }

    fn from_tokens(mut tokens: Tokens) -> Matcher {
        if tokens.len() > PATTERN_BYTES_MAX {
            return Matcher::TooLong;
        }
        tokens.dedup_by(|later, kept| *later == MANY && *kept == MANY);
        if *tokens == [MANY] {
            return Matcher::Any;
        }
        if unknown_name::within(&tokens) {
            return Matcher::Named(tokens);
        }
        if let Ok(text) = std::str::from_utf8(&tokens) {
            return Matcher::Exact(text.into());
        }
        if let Some((&MANY, head)) = tokens.split_last()
            && let Ok(text) = std::str::from_utf8(head)
        {
            return Matcher::Prefix(text.into());
        }
        Matcher::Glob(tokens)
    }

    /// Whether the whole of `text` matches.
    #[inline]
    pub(crate) fn matches(&self, text: &str, variables: &dyn Variables) -> Truth {
        match self {
            Matcher::Any => Truth::True,
            Matcher::Exact(exact) if **exact == *text => Truth::True,
            Matcher::Prefix(prefix) if text.as_bytes().starts_with(prefix.as_bytes()) => Truth::True,
            Matcher::Exact(_) | Matcher::Prefix(_) if !unknown_name::within(text.as_bytes()) => Truth::False,
            Matcher::TooLong => Truth::Unknown,
            Matcher::Glob(tokens) if !unknown_name::within(text.as_bytes()) => glob_truth(tokens, text),
            _ => self.matches_named(text, variables),
        }
    }

    /// The same for a text in which every name is known, as that of an action is.
    #[inline]
    pub(crate) fn matches_plain(&self, text: &str) -> Truth {
        match self {
            Matcher::Any => Truth::True,
            Matcher::Exact(exact) => Truth::from(**exact == *text),
            Matcher::Prefix(prefix) => Truth::from(text.as_bytes().starts_with(prefix.as_bytes())),
            Matcher::Glob(tokens) => glob_truth(tokens, text),
            Matcher::TooLong => Truth::Unknown,
            Matcher::Named(_) | Matcher::Template(_) => self.matches_named(text, &Context::new(Mode::Discovery)),
        }
    }

    /// The same where the pattern or the text may hold names that nobody knows yet, or variables.
    fn matches_named(&self, text: &str, variables: &dyn Variables) -> Truth {
        match self.resolved(variables) {
            None => Truth::False,
            Some(tokens) if variables.apart() => glob_truth(&tokens, text),
            Some(tokens) if unknown_name::within(&tokens) || unknown_name::within(text.as_bytes()) => {
                unknown_name::truth(&tokens, text)
            }
            Some(tokens) => glob_truth(&tokens, text),
        }
    }

    /// The tokens with variables resolved; `None` if a variable has no value.
    pub(crate) fn resolved(&self, variables: &dyn Variables) -> Option<Tokens> {
        Some(match self {
            Matcher::Any => Tokens::from_slice(&[MANY]),
            Matcher::Exact(text) => Tokens::from_slice(text.as_bytes()),
            Matcher::Prefix(text) => {
                let mut tokens = Tokens::from_slice(text.as_bytes());
                tokens.push(MANY);
                tokens
            }
            Matcher::Glob(tokens) | Matcher::Named(tokens) => tokens.clone(),
            Matcher::Template(pieces) => resolve(pieces, variables)?,
            Matcher::TooLong => Tokens::from_slice(&[HOLE]),
        })
    }

    /// True if there is no wildcard, variable or hole.
    pub(crate) fn is_exact(&self) -> bool {
        self.exact().is_some()
    }

    /// The literal text of an exact pattern.
    pub(crate) fn exact(&self) -> Option<&str> {
        match self {
            Matcher::Exact(text) => Some(text),
            Matcher::Named(tokens) => std::str::from_utf8(tokens).ok(),
            _ => None,
        }
    }

    /// True if it depends on something that is not known.
    pub(crate) fn has_hole(&self) -> bool {
        match self {
            Matcher::Glob(tokens) | Matcher::Named(tokens) => tokens.contains(&HOLE),
            Matcher::Template(pieces) => pieces.contains(&Piece::Hole),
            Matcher::TooLong => true,
            _ => false,
        }
    }

    /// The variables in it, lower case.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &str> {
        let pieces: &[Piece] = match self {
            Matcher::Template(pieces) => pieces,
            _ => &[],
        };
        pieces.iter().filter_map(|p| match p {
            Piece::Variable { key, .. } => Some(&**key),
            _ => None,
        })
    }

    /// True if the last thing in it is `*`.
    pub(crate) fn ends_open(&self) -> bool {
        match self {
            Matcher::Any | Matcher::Prefix(_) => true,
            Matcher::Glob(tokens) | Matcher::Named(tokens) => tokens.last() == Some(&MANY),
            Matcher::Template(pieces) => matches!(pieces.last(), Some(Piece::Text(t)) if t.last() == Some(&MANY)),
            Matcher::Exact(_) | Matcher::TooLong => false,
        }
    }

    /// True if there is a `*` anywhere.
    pub(crate) fn has_star(&self) -> bool {
        match self {
            Matcher::Any | Matcher::Prefix(_) => true,
            Matcher::Glob(tokens) | Matcher::Named(tokens) => tokens.contains(&MANY),
            Matcher::Template(pieces) => pieces.iter().any(|p| matches!(p, Piece::Text(t) if t.contains(&MANY))),
            Matcher::Exact(_) | Matcher::TooLong => false,
        }
    }

    /// Puts what names are in their place.
    pub(crate) fn replace(&mut self, world: &unknown_name::World) {
        let put = |tokens: &Tokens| -> Tokens {
            let mut tokens: Vec<u8> = tokens.to_vec();
            for (name, is) in world {
                tokens = replace(&tokens, name.as_bytes(), is.as_bytes());
            }
            tokens.into()
        };
        match self {
            Matcher::Named(tokens) => *self = Matcher::from_tokens(put(tokens)),
            Matcher::Template(pieces) => {
                for piece in pieces.iter_mut() {
                    if let Piece::Text(text) = piece {
                        *text = put(text);
                    }
                }
            }
            _ => {}
        }
    }

    /// The same in ASCII lower case.
    pub(crate) fn lower(self) -> Matcher {
        match self {
            Matcher::Exact(text) => Matcher::Exact(text.to_ascii_lowercase().into()),
            Matcher::Prefix(text) => Matcher::Prefix(text.to_ascii_lowercase().into()),
            Matcher::Glob(mut tokens) => {
                tokens.make_ascii_lowercase();
                Matcher::Glob(tokens)
            }
            Matcher::Named(mut tokens) => {
                tokens.make_ascii_lowercase();
                Matcher::Named(tokens)
            }
            Matcher::Template(mut pieces) => {
                for piece in pieces.iter_mut() {
                    if let Piece::Text(text) = piece {
                        text.make_ascii_lowercase();
                    }
                }
                Matcher::Template(pieces)
            }
            other => other,
        }
    }
}

/// Bytes with every occurrence of some replaced.
fn replace(bytes: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        match rest.strip_prefix(what).filter(|_| !what.is_empty()) {
            Some(behind) => {
                out.extend_from_slice(with);
                rest = behind;
            }
            None => {
                out.push(*first);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    out
}

fn resolve(pieces: &[Piece], variables: &dyn Variables) -> Option<Tokens> {
    let mut tokens = Tokens::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => tokens.extend_from_slice(text),
            Piece::Hole => tokens.push(HOLE),
            Piece::Variable { key, default } => match (variables.variable(key), default) {
                (Variable::Is(value), _) => tokens.extend_from_slice(value.as_bytes()),
                (Variable::Absent, Some(default)) => tokens.extend_from_slice(default.as_bytes()),
                (Variable::Absent, None) => return None,
                (Variable::Unknown, _) => tokens.push(HOLE),
            },
        }
    }
    Some(tokens)
}

/// Like [`glob_match`], with a hole standing for any unknown text: a mismatch is certain, a match is not.
pub(crate) fn glob_truth(tokens: &[u8], text: &str) -> Truth {
    match (glob_match(tokens, text), tokens.contains(&HOLE)) {
        (false, _) => Truth::False,
        (true, true) => Truth::Unknown,
        (true, false) => Truth::True,
    }
}

/// Whether the whole of `text` matches the tokens; a hole counts as `*`. Time is at most the product of both lengths:
/// only the last `*` is ever tried again, which is enough because an earlier one could only match more.
pub(crate) fn glob_match(tokens: &[u8], text: &str) -> bool {
    let text = text.as_bytes();
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (tokens.get(p), text.get(t)) {
            (None, None) => return true,
            (Some(&(MANY | HOLE)), _) => {
                p += 1;
                retry = Some((p, t));
                continue;
            }
            (Some(&ONE), Some(&b)) => {
                p += 1;
                t += char_len(b);
                continue;
            }
            (Some(a), Some(b)) if a == b => {
                p += 1;
                t += 1;
                continue;
            }
            _ => {}
        }
        match retry {
            Some((star, from)) => match text.get(from) {
                Some(&b) => {
                    let next = from + char_len(b);
                    retry = Some((star, next));
                    (p, t) = (star, next);
                }
                None => return false,
            },
            None => return false,
        }
    }
}

fn char_len(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

/// What a token byte means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// `*`
    Many,
    /// `?`
    One,
    /// Unknown text.
    Hole,
    /// A byte of literal text.
    Byte(u8),
}

/// Reads a token byte.
pub(crate) fn mark(byte: u8) -> Mark {
    match byte {
        MANY => Mark::Many,
        ONE => Mark::One,
        HOLE => Mark::Hole,
        other => Mark::Byte(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct None_;
    impl Variables for None_ {
        fn variable(&self, key: &str) -> Variable<'_> {
            match key {
                "aws:username" => Variable::Is("a*b"),
                "aws:unknown" => Variable::Unknown,
                _ => Variable::Absent,
            }
        }
    }

    fn like(pattern: &str, text: &str) -> Truth {
        Matcher::parse(pattern, Syntax { wildcards: true, variables: true }).matches(text, &None_)
    }

    #[test]
    fn marks_variables_and_holes() {
        assert_eq!(like("a${*}b", "a*b"), Truth::True);
        assert_eq!(like("a${*}b", "axb"), Truth::False);
        assert_eq!(like("${?}${$}", "?$"), Truth::True);
        assert_eq!(like("home/${aws:username}/*", "home/a*b/x"), Truth::True);
        assert_eq!(like("home/${aws:username}/*", "home/axb/x"), Truth::False);
        assert_eq!(like("${aws:none}", ""), Truth::False);
        assert_eq!(like("${AWS:none, 'dft'}x", "dftx"), Truth::True);
        assert_eq!(like("a/${aws:unknown}", "a/b"), Truth::Unknown);
        assert_eq!(like("a/${aws:unknown}", "b/b"), Truth::False);
        assert_eq!(like("${unclosed", "${unclosed"), Truth::True);
        assert_eq!(like("?", "é"), Truth::True);
        assert_eq!(like("*é?", "aéb"), Truth::True);
    }

    #[test]
    fn a_pattern_past_the_limit_is_unknown() {
        assert_eq!(like(&"a".repeat(PATTERN_BYTES_MAX), "b"), Truth::False);
        assert_eq!(like(&"a".repeat(PATTERN_BYTES_MAX + 1), "b"), Truth::Unknown);
    }

    #[test]
    fn hostile_stars_end_soon() {
        let pattern = "*a".repeat(4000) + "b";
        assert_eq!(like(&pattern, &"a".repeat(8000)), Truth::False);
    }

    fn naive(p: &[char], t: &[char]) -> bool {
        match (p.split_first(), t.split_first()) {
            (None, None) => true,
            (Some(('*', rest)), _) => naive(rest, t) || t.split_first().is_some_and(|(_, tail)| naive(p, tail)),
            (Some(('?', rest)), Some((_, tail))) => naive(rest, tail),
            (Some((a, rest)), Some((b, tail))) if a == b => naive(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_naive_matcher(p in "[abé*?]{0,7}", t in "[abé]{0,7}") {
            let (pc, tc): (Vec<char>, Vec<char>) = (p.chars().collect(), t.chars().collect());
            prop_assert_eq!(like(&p, &t), Truth::from(naive(&pc, &tc)));
        }
    }
}
