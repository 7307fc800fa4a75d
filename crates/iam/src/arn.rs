//! ARN patterns, compared field by field: `*` and `?` in the first five fields never cross a colon.
//!
//! A pattern that covers a whole set of requests at once (`arn:aws:s3:::b/*` as the resource that is asked for) is compared in
//! two ways: [`ArnPattern::covers`] says whether the policy's pattern takes in all of it, [`ArnPattern::overlaps`] whether it
//! takes in any of it.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Resource" and "ARN condition operators".

use model::Truth;

use crate::glob::{self, Matcher, Syntax, Variables};
use crate::overlap::overlap;

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
    /// Fewer than six fields; filled up with `*` where such a pattern counts at all.
    Short(Box<[Matcher; 6]>, Stars),
    /// Has fewer fields because some of it is not known.
    Whole(Matcher),
    /// Neither an ARN nor `*`: matches only the very same text.
    Malformed(Matcher),
}

/// The stars of a pattern with fewer than six fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stars {
    /// There is none.
    None,
    /// Somewhere, but not at the end.
    Inside,
    /// The last character is one.
    Last,
}

/// Which patterns with fewer than six fields count; the others match nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// All of them.
    Counts,
    /// Those with at least these stars.
    With(Stars),
    /// None of them.
    Never,
}

impl Short {
    fn takes(self, stars: Stars) -> bool {
        match self {
            Short::Counts => true,
            Short::With(least) => stars >= least,
            Short::Never => false,
        }
    }
}

impl ArnPattern {
    pub(crate) fn parse(text: &str, variables: bool) -> ArnPattern {
        ArnPattern::new(glob::pieces(text, Syntax { wildcards: true, variables }))
    }

    /// A resource of a policy statement: no variables before the fifth colon.
    pub(crate) fn resource(pieces: Vec<glob::Piece>) -> ArnPattern {
        let pattern = ArnPattern::new(pieces.clone());
        let early = |fields: &[Matcher; 6]| fields.iter().take(5).any(|m| m.variables().next().is_some());
        match &pattern {
            ArnPattern::Fields(fields) | ArnPattern::Short(fields, _) if early(fields) => {
                ArnPattern::Malformed(Matcher::new(pieces))
            }
            _ => pattern,
        }
    }

    pub(crate) fn new(pieces: Vec<glob::Piece>) -> ArnPattern {
        let fields = |pieces| glob::split_colons(pieces, 6).into_iter().map(Matcher::new);
        if glob::colons(&pieces) >= 5 {
            let mut fields = fields(pieces);
            return ArnPattern::Fields(Box::new(std::array::from_fn(|_| fields.next().unwrap_or(Matcher::Any))));
        }
        let whole = Matcher::new(pieces.clone());
        if whole == Matcher::Any {
            return ArnPattern::Any;
        }
        if whole.has_hole() || whole.variables().next().is_some() {
            return ArnPattern::Whole(whole);
        }
        let mut fields = fields(pieces).peekable();
        if fields.peek().and_then(Matcher::exact) != Some("arn") && !whole.ends_open() {
            return ArnPattern::Malformed(whole);
        }
        let stars = match (whole.ends_open(), whole.has_star()) {
            (true, _) => Stars::Last,
            (false, true) => Stars::Inside,
            (false, false) => Stars::None,
        };
        ArnPattern::Short(Box::new(std::array::from_fn(|_| fields.next().unwrap_or(Matcher::Any))), stars)
    }

    /// True if AWS would not take it for an ARN pattern.
    pub(crate) fn is_malformed(&self) -> bool {
        matches!(self, ArnPattern::Malformed(_) | ArnPattern::Short(_, Stars::None | Stars::Inside))
    }

    /// Its six fields, if it has them or they count as there.
    pub(crate) fn fields(&self, short: Short) -> Option<&[Matcher; 6]> {
        match self {
            ArnPattern::Fields(fields) => Some(fields),
            ArnPattern::Short(fields, stars) if short.takes(*stars) => Some(fields),
            _ => None,
        }
    }

    /// Whether an ARN matches. Text that is no ARN matches `*` and itself.
    #[inline]
    pub(crate) fn matches(&self, arn: &Parts<'_>, short: Short, variables: &dyn Variables) -> Truth {
        match self {
            ArnPattern::Any => Truth::True,
            ArnPattern::Whole(whole) => whole.matches(arn.text, variables),
            ArnPattern::Malformed(whole) => Truth::from(whole.exact() == Some(arn.text)),
            ArnPattern::Fields(_) | ArnPattern::Short(..) => match (self.fields(short), arn.fields) {
                (Some(matchers), Some(fields)) => all(matchers, fields, |m, f| m.matches(f, variables)),
                _ => Truth::False,
            },
        }
    }

    /// Whether anything in a set of ARNs matches. In the set's fields `*` stands for any text; `*` alone is every ARN.
    pub(crate) fn overlaps(&self, set: &Parts<'_>, short: Short, variables: &dyn Variables) -> Truth {
        match self {
            _ if set.text == "*" => Truth::True,
            ArnPattern::Fields(_) | ArnPattern::Short(..) => match (self.fields(short), set.fields) {
                (Some(matchers), Some(fields)) => all(matchers, fields, |m, f| overlap(m, f, variables)),
                _ => Truth::False,
            },
            ArnPattern::Whole(whole) => overlap(whole, set.text, variables),
            ArnPattern::Any | ArnPattern::Malformed(_) => self.matches(set, short, variables),
        }
    }

    /// Whether everything in a set of ARNs matches. The set's `*` may stand for nothing, so `?` does not take it in.
    pub(crate) fn covers(&self, set: &Parts<'_>, short: Short, variables: &dyn Variables) -> Truth {
        let all = self.matches(set, short, variables);
        if all == Truth::False || *self == ArnPattern::Any {
            return all;
        }
        all.and(self.matches(&Parts::new(&set.text.replace('*', "")), short, variables))
    }

    /// Its matchers, one or six.
    pub(crate) fn matchers(&self) -> &[Matcher] {
        match self {
            ArnPattern::Any => &[],
            ArnPattern::Fields(fields) | ArnPattern::Short(fields, _) => &**fields,
            ArnPattern::Whole(whole) | ArnPattern::Malformed(whole) => std::slice::from_ref(whole),
        }
    }

    /// Changes each of its matchers.
    pub(crate) fn each_matcher(&mut self, change: &mut dyn FnMut(&mut Matcher)) {
        match self {
            ArnPattern::Any => {}
            ArnPattern::Fields(fields) | ArnPattern::Short(fields, _) => fields.iter_mut().for_each(change),
            ArnPattern::Whole(whole) | ArnPattern::Malformed(whole) => change(whole),
        }
    }

    /// Field `n`, if it has fields.
    pub(crate) fn field(&self, n: usize) -> Option<&Matcher> {
        match self {
            ArnPattern::Fields(fields) | ArnPattern::Short(fields, _) => fields.get(n),
            _ => None,
        }
    }

    /// True if it names exactly one text.
    pub(crate) fn is_exact(&self) -> bool {
        !matches!(self, ArnPattern::Any) && self.matchers().iter().all(Matcher::is_exact)
    }
}

#[inline]
fn all(matchers: &[Matcher; 6], fields: [&str; 6], compare: impl Fn(&Matcher, &str) -> Truth) -> Truth {
    let mut all = Truth::True;
    for (matcher, field) in matchers.iter().zip(fields) {
        all = all.and(compare(matcher, field));
        if all == Truth::False {
            break;
        }
    }
    all
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
            let got = ArnPattern::parse(pattern, true).matches(&Parts::new(arn), Short::With(Stars::Last), &User);
            assert_eq!(got, Truth::from(want), "{pattern} against {arn}");
        }
    }

    #[test]
    fn short_patterns() {
        let (counts, starred, open) = (Short::Counts, Short::With(Stars::Inside), Short::With(Stars::Last));
        for (pattern, short, want) in [
            ("arn:aws:s3", counts, true),
            ("arn:aws:s3", starred, false),
            ("arn:*:s3", starred, true),
            ("arn:*:s3", open, false),
            ("arn:aws:s*", open, true),
            ("arn:aws:s*", Short::Never, false),
            ("arn:aws:sqs", counts, false),
        ] {
            let got = ArnPattern::parse(pattern, true).matches(&Parts::new("arn:aws:s3:::b"), short, &User);
            assert_eq!(got, Truth::from(want), "{pattern} {short:?}");
        }
    }

    #[test]
    fn sets_of_arns_that_are_covered() {
        for (pattern, set, want) in [
            ("arn:aws:s3:::b/*", "arn:aws:s3:::b/x*", true),
            ("arn:aws:s3:::b/?", "arn:aws:s3:::b/*", false),
            ("arn:aws:s3:::b/x*", "arn:aws:s3:::b/*", false),
            ("arn:aws:s3:::b/*", "*", false),
            ("*", "*", true),
        ] {
            let got = ArnPattern::parse(pattern, true).covers(&Parts::new(set), Short::Counts, &User);
            assert_eq!(got, Truth::from(want), "{pattern} and {set}");
        }
    }

    #[test]
    fn sets_of_arns() {
        for (pattern, set, want) in [
            ("arn:aws:s3:::b/x*", "arn:aws:s3:::b/*", true),
            ("arn:aws:s3:::b/x*", "arn:aws:s3:::b/*y", true),
            ("arn:aws:s3:::b/x*", "arn:aws:s3:::b/y*", false),
            ("arn:aws:s3:::b/?", "arn:aws:s3:::b/*z", true),
            ("arn:aws:sns:eu:1:t", "arn:aws:sns:*:1:t", true),
            ("arn:aws:sns:eu:1:t", "arn:aws:sns:us*:1:t", false),
            ("arn:aws:sns:eu:1:t", "*", true),
            ("*", "arn:aws:sns:*:1:t", true),
        ] {
            let got = ArnPattern::parse(pattern, true).overlaps(&Parts::new(set), Short::Counts, &User);
            assert_eq!(got, Truth::from(want), "{pattern} and {set}");
        }
    }
}
