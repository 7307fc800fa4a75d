//! The expressions of `collect.toml`: a path into an answer, and what to do with what is found.
//!
//! ```text
//! Name                         the member of the item
//! Reservations[].Instances[]   every item of the lists, in one list
//! Attributes.Policy | json     the text read as JSON
//! $cluster.arn                 a named item or answer
//! ^.IpProtocol                 a member of the element around this one
//! .                            the item itself
//! 'text'                       literally
//! arn:{partition}:s3:::{Name}  text with holes; null if a hole is null
//! A || B                       the first that is not null
//! ```

use std::fmt;

/// The most characters of an expression.
pub const EXPR_CHARS_MAX: usize = 1_000;

/// An expression that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExprError {
    /// The expression.
    pub text: String,
    /// What is wrong with it.
    pub message: String,
}

impl fmt::Display for ExprError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.text, self.message)
    }
}

impl std::error::Error for ExprError {}

/// A read expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A path from a starting point.
    Path(Root, Vec<Segment>),
    /// Text as it stands.
    Text(String),
    /// Text with holes: literal pieces are [`Expr::Text`].
    Template(Vec<Expr>),
    /// The value, changed.
    Pipe(Box<Expr>, Transform),
    /// The first that is not null.
    Either(Vec<Expr>),
}

/// Where a path starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Root {
    /// At the item, or at the element of the nearest `each`.
    Here,
    /// At the element this many levels further out.
    Out(usize),
    /// At a named item or answer; `partition`, `region` and `account` are always there.
    Named(String),
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The member of this name.
    Key(String),
    /// Every item of the list.
    All,
    /// The item at this position; from the end if negative.
    At(i64),
}

/// What can be done with a value. Null stays null unless said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub enum Transform {
    /// A path into the value: `| .Statement`.
    Path(Vec<Segment>),
    /// `json`: JSON text, percent-encoded or not, as a value.
    Json,
    /// `base64`: the text it encodes.
    Base64,
    /// `csv`: a table with a head line, as a list of objects.
    Csv,
    /// `bool`: `true`, `Enabled`, `ENABLED`, `on`, `active`, `yes` and `1` are true; `false`, `Disabled` and the like are false.
    Bool,
    /// `not`: the other truth value.
    Not,
    /// `int`: a whole number written as text.
    Int,
    /// `text`: a number or truth value as text.
    Text,
    /// `upper`
    Upper,
    /// `lower`
    Lower,
    /// `pascal`: member names with a capital first letter, at every depth.
    Pascal,
    /// `tags`: any of the forms in which APIs give tags, as `[{Key, Value}]`.
    Tags,
    /// `pairs`: an object as `[{Key, Value}]`.
    Pairs,
    /// `object`: `[{Key, Value}]` (or `Name`/`Value`, either case) as an object.
    Object,
    /// `count`: how many.
    Count,
    /// `any`: true if it is set and not empty; null is false.
    Any,
    /// `set`: true if it is set, even to something empty; null is false.
    Set,
    /// `unwrap`: CloudFront's `{Quantity, Items}` as plain lists, at every depth.
    Unwrap,
    /// `list`: the value as the one item of a list; a list stays.
    List,
    /// `some`: null if it is empty (text, list or object).
    Some,
    /// `is A,B`: whether the text is one of these.
    Is(Vec<String>),
    /// `has A`: whether the list holds this text.
    Has(String),
    /// `enum A=B,C=D`: B for A; other text stays.
    Enum(Vec<(String, String)>),
    /// `default X`: X (text, number or truth value) if null.
    Default(serde_json::Value),
    /// `after X`: what follows the last X in the text; the whole text if there is none.
    After(String),
    /// `before X`: what precedes the first X.
    Before(String),
    /// `split X`: the pieces.
    Split(String),
    /// `where A=B`: the items of the list whose member A, as text, is B.
    Where(String, String),
    /// `without A=B`: all others.
    Without(String, String),
    /// `null A,B`: null if the text is one of these.
    Null(Vec<String>),
}

impl Expr {
    /// Reads an expression.
    pub fn parse(text: &str) -> Result<Expr, ExprError> {
        let fail = |message: String| ExprError { text: text.chars().take(100).collect(), message };
        if text.chars().count() > EXPR_CHARS_MAX {
            return Err(fail(format!("longer than {EXPR_CHARS_MAX} characters")));
        }
        let mut either: Vec<Expr> =
            text.split(" || ").map(|one| pipeline(one.trim())).collect::<Result<_, String>>().map_err(fail)?;
        Ok(if either.len() == 1 { either.remove(0) } else { Expr::Either(either) })
    }
}

fn pipeline(text: &str) -> Result<Expr, String> {
    let mut parts = text.split(" | ");
    let mut expr = term(parts.next().unwrap_or_default().trim())?;
    for part in parts {
        expr = Expr::Pipe(Box::new(expr), transform(part.trim())?);
    }
    Ok(expr)
}

fn term(text: &str) -> Result<Expr, String> {
    if let Some(literal) = text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
        return Ok(Expr::Text(literal.to_owned()));
    }
    if text.contains('{') {
        return template(text);
    }
    path(text)
}

fn template(text: &str) -> Result<Expr, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (hole, tail) = after.split_once('}').ok_or("a `{` without its `}`")?;
        if !before.is_empty() {
            pieces.push(Expr::Text(before.to_owned()));
        }
        pieces.push(match hole {
            "partition" | "region" | "account" => Expr::Path(Root::Named(hole.to_owned()), Vec::new()),
            _ => path(hole)?,
        });
        rest = tail;
    }
    if !rest.is_empty() {
        pieces.push(Expr::Text(rest.to_owned()));
    }
    Ok(Expr::Template(pieces))
}

fn path(text: &str) -> Result<Expr, String> {
    if text == "." {
        return Ok(Expr::Path(Root::Here, Vec::new()));
    }
    if let Some(rest) = text.strip_prefix('$') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if name.is_empty() {
            return Err("a `$` without a name".to_owned());
        }
        return Ok(Expr::Path(Root::Named(name.to_owned()), segments(rest)?));
    }
    let out = text.len() - text.trim_start_matches('^').len();
    if out > 0 {
        return Ok(Expr::Path(Root::Out(out), segments(text.trim_start_matches('^'))?));
    }
    if text.is_empty() {
        return Err("nothing to look up".to_owned());
    }
    Ok(Expr::Path(Root::Here, segments(text)?))
}

fn segments(text: &str) -> Result<Vec<Segment>, String> {
    let mut out = Vec::new();
    for part in text.split('.').skip(usize::from(text.starts_with('.') || text.is_empty())) {
        let mut pieces = part.split('[');
        let key = pieces.next().unwrap_or_default();
        let fine = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '/' | '@');
        if !key.chars().all(fine) || (key.is_empty() && !part.starts_with('[')) {
            return Err(format!("`{key}` is not a member's name"));
        }
        if !key.is_empty() {
            out.push(Segment::Key(key.to_owned()));
        }
        for piece in pieces {
            let index = piece.strip_suffix(']').ok_or("a `[` without its `]`")?;
            out.push(match index {
                "" => Segment::All,
                number => Segment::At(number.parse().map_err(|_| format!("`{number}` is not a position"))?),
            });
        }
    }
    Ok(out)
}

fn transform(text: &str) -> Result<Transform, String> {
    if text.starts_with('.') {
        return segments(text).map(Transform::Path);
    }
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    let words = || rest.split(',').map(|w| w.trim().to_owned()).collect::<Vec<_>>();
    let pair = |word: &str| match word.split_once('=') {
        Some((a, b)) => Ok((a.trim().to_owned(), b.trim().to_owned())),
        None => Err(format!("`{word}` is not of the form A=B")),
    };
    let plain = match name {
        "json" => Some(Transform::Json),
        "base64" => Some(Transform::Base64),
        "csv" => Some(Transform::Csv),
        "bool" => Some(Transform::Bool),
        "not" => Some(Transform::Not),
        "int" => Some(Transform::Int),
        "text" => Some(Transform::Text),
        "upper" => Some(Transform::Upper),
        "lower" => Some(Transform::Lower),
        "pascal" => Some(Transform::Pascal),
        "tags" => Some(Transform::Tags),
        "pairs" => Some(Transform::Pairs),
        "object" => Some(Transform::Object),
        "count" => Some(Transform::Count),
        "any" => Some(Transform::Any),
        "set" => Some(Transform::Set),
        "unwrap" => Some(Transform::Unwrap),
        "list" => Some(Transform::List),
        "some" => Some(Transform::Some),
        _ => None,
    };
    match (plain, rest.is_empty()) {
        (Some(plain), true) => return Ok(plain),
        (Some(_), false) => return Err(format!("`{name}` takes nothing behind it")),
        (None, true) => return Err(format!("there is no `{name}`, or it needs something behind it")),
        (None, false) => {}
    }
    Ok(match name {
        "is" => Transform::Is(words()),
        "has" => Transform::Has(rest.to_owned()),
        "null" => Transform::Null(words()),
        "enum" => Transform::Enum(words().iter().map(|w| pair(w)).collect::<Result<_, _>>()?),
        "where" => pair(rest).map(|(a, b)| Transform::Where(a, b))?,
        "without" => pair(rest).map(|(a, b)| Transform::Without(a, b))?,
        "default" => Transform::Default(serde_json::from_str(rest).unwrap_or_else(|_| rest.into())),
        "after" => Transform::After(rest.to_owned()),
        "before" => Transform::Before(rest.to_owned()),
        "split" => Transform::Split(rest.to_owned()),
        _ => return Err(format!("there is no `{name}`")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let key = |k: &str| Segment::Key(k.to_owned());
        assert_eq!(
            Expr::parse("A.B[].C[-1]"),
            Ok(Expr::Path(Root::Here, vec![key("A"), key("B"), Segment::All, key("C"), Segment::At(-1)]))
        );
        assert_eq!(Expr::parse("$c.arn"), Ok(Expr::Path(Root::Named("c".into()), vec![key("arn")])));
        assert_eq!(Expr::parse("^^.P"), Ok(Expr::Path(Root::Out(2), vec![key("P")])));
        assert_eq!(Expr::parse("."), Ok(Expr::Path(Root::Here, vec![])));
        assert_eq!(Expr::parse("$x"), Ok(Expr::Path(Root::Named("x".into()), vec![])));
    }

    #[test]
    fn pipes_and_alternatives() {
        let expr = Expr::parse("A | json | .B || 'no'").unwrap();
        let Expr::Either(both) = expr else { panic!() };
        assert_eq!(both.len(), 2);
        assert_eq!(both[1], Expr::Text("no".into()));
        assert!(matches!(&both[0], Expr::Pipe(_, Transform::Path(p)) if p.len() == 1));
        assert!(matches!(
            Expr::parse("a | default false"),
            Ok(Expr::Pipe(_, Transform::Default(serde_json::Value::Bool(false))))
        ));
    }

    #[test]
    fn what_is_refused() {
        for text in ["", "a b", "A[", "A[x]", "a | nosuch", "a | json x", "a | enum A", "{a", "$", "A..B", "a | default", "a |"] {
            assert!(Expr::parse(text).is_err(), "{text}");
        }
        assert!(Expr::parse(&"a".repeat(EXPR_CHARS_MAX)).is_ok());
        assert!(Expr::parse(&"a".repeat(EXPR_CHARS_MAX + 1)).is_err());
    }
}
