//! ARN patterns, compared field by field: `*` and `?` in the first five fields never cross a colon.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Resource" and "ARN condition operators".

use model::Truth;

use crate::glob::{self, Matcher, Syntax, Variables};

/// The six fields of a text that may be an ARN, borrowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub(crate) text: &'a str,
    /// `None` if there are fewer than five colons.
    pub(crate) fields: Option<[&'a str; 6]>,
}

impl<'a> Parts<'a> {
    pub(crate) fn new(text: &'a str) -> Parts<'a> {
        let mut split = text.splitn(6, ':');
        let mut next = || split.next();
        let fields = match (next(), next(), next(), next(), next(), next()) {
            (Some(a), Some(b), Some(c), Some(d), Some(e), Some(f)) => Some([a, b, c, d, e, f]),
            _ => None,
        };
        Parts { text, fields }
    }

    /// Field `n`, or empty text.
    pub(crate) fn field(&self, n: usize) -> &'a str {
        self.fields.and_then(|f| f.get(n).copied()).unwrap_or_default()
    }
}

/// A pattern for ARNs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ArnPattern {
    /// `*`
    Any,
    /// Six fields.
    Fields(Box<[Matcher; 6]>),
    /// Has fewer fields because some of it is not known.
    Whole(Matcher),
    /// Neither an ARN nor `*`: matches only the very same text.
    Malformed(Matcher),
}

impl ArnPattern {
    pub(crate) fn parse(text: &str, variables: bool) -> ArnPattern {
        ArnPattern::new(glob::pieces(text, Syntax { wildcards: true, variables }))
    }

    /// A pattern with fewer than six fields covers the rest if it ends in `*`.
    pub(crate) fn new(pieces: Vec<glob::Piece>) -> ArnPattern {
        let whole = Matcher::new(pieces.clone());
        if whole == Matcher::Any {
            return ArnPattern::Any;
        }
        let mut fields: Vec<Matcher> = glob::split_colons(pieces, 6).into_iter().map(Matcher::new).collect();
        if fields.len() < 6 {
            if whole.has_hole() || whole.variables().next().is_some() {
                return ArnPattern::Whole(whole);
            }
            if !whole.ends_open() {
                return ArnPattern::Malformed(whole);
            }
            fields.resize(6, Matcher::Any);
        }
        match <[Matcher; 6]>::try_from(fields) {
            Ok(fields) => ArnPattern::Fields(Box::new(fields)),
            Err(_) => ArnPattern::Malformed(whole),
        }
    }

    pub(crate) fn is_malformed(&self) -> bool {
        matches!(self, ArnPattern::Malformed(_))
    }

    /// Whether an ARN matches. Text that is no ARN matches `*` and itself.
    #[inline]
    pub(crate) fn matches(&self, arn: &Parts<'_>, variables: &dyn Variables) -> Truth {
        match self {
            ArnPattern::Any => Truth::True,
            ArnPattern::Whole(whole) => whole.matches(arn.text, variables),
            ArnPattern::Malformed(whole) => Truth::from(whole.exact() == Some(arn.text)),
            ArnPattern::Fields(matchers) => {
                let Some(fields) = arn.fields else { return Truth::False };
                let mut all = Truth::True;
                for (matcher, field) in matchers.iter().zip(fields) {
                    all = all.and(matcher.matches(field, variables));
                    if all == Truth::False {
                        break;
                    }
                }
                all
            }
        }
    }

    /// Its matchers, one or six.
    pub(crate) fn matchers(&self) -> &[Matcher] {
        match self {
            ArnPattern::Any => &[],
            ArnPattern::Fields(fields) => &**fields,
            ArnPattern::Whole(whole) | ArnPattern::Malformed(whole) => std::slice::from_ref(whole),
        }
    }

    /// Field `n`, if it has fields.
    pub(crate) fn field(&self, n: usize) -> Option<&Matcher> {
        match self {
            ArnPattern::Fields(fields) => fields.get(n),
            _ => None,
        }
    }

    /// True if it names exactly one text.
    pub(crate) fn is_exact(&self) -> bool {
        !matches!(self, ArnPattern::Any) && self.matchers().iter().all(Matcher::is_exact)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glob::Variable;

    struct User;
    impl Variables for User {
        fn variable(&self, key: &str) -> Variable<'_> {
            if key == "aws:userid" { Variable::Is("AROA:me") } else { Variable::Absent }
        }
    }

    #[test]
    fn field_by_field() {
        let cases = [
            ("*", "anything", true),
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/k:v", true),
            ("arn:*", "arn:aws:s3:::b", true),
            ("arn:aws:s3*", "arn:aws:s3:::b", true),
            ("arn:aws:s3", "arn:aws:s3:::b", false),
            ("arn:aws:iam:*:role/x", "arn:aws:iam::1:role/x", false),
            ("arn:aws:*:*:1:role/x", "arn:aws:iam::1:role/x", true),
            ("arn:aws:sns:*:1:t", "arn:aws:sns:eu:2:1:t", false),
            ("arn:aws:sns:e?:1:t", "arn:aws:sns:eu:1:t", true),
            ("arn:aws:s3:::home/${aws:userid}", "arn:aws:s3:::home/AROA:me", true),
            ("arn:aws:s3:::*", "*", false),
        ];
        for (pattern, arn, want) in cases {
            let got = ArnPattern::parse(pattern, true).matches(&Parts::new(arn), &User);
            assert_eq!(got, Truth::from(want), "{pattern} against {arn}");
        }
    }
}
