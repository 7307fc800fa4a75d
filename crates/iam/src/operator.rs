//! Condition operators, their values, and how one value is compared with another.
//!
//! Source: IAM user guide, "IAM JSON policy elements: Condition operators".

use std::net::IpAddr;

use ipnet::IpNet;
use model::Truth;

use crate::arn::{self, ArnPattern, Short};
use crate::glob::{Matcher, Syntax, Variables};
use crate::unknown_name;

/// How a condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Compare {
    /// `StringEquals`
    StringEquals,
    /// `StringEqualsIgnoreCase`
    StringEqualsIgnoreCase,
    /// `StringLike`
    StringLike,
    /// `NumericEquals`
    NumericEquals,
    /// `NumericLessThan`
    NumericLessThan,
    /// `NumericLessThanEquals`
    NumericLessThanEquals,
    /// `NumericGreaterThan`
    NumericGreaterThan,
    /// `NumericGreaterThanEquals`
    NumericGreaterThanEquals,
    /// `DateEquals`
    DateEquals,
    /// `DateLessThan`
    DateLessThan,
    /// `DateLessThanEquals`
    DateLessThanEquals,
    /// `DateGreaterThan`
    DateGreaterThan,
    /// `DateGreaterThanEquals`
    DateGreaterThanEquals,
    /// `Bool`
    Bool,
    /// `BinaryEquals`
    BinaryEquals,
    /// `IpAddress`
    IpAddress,
    /// `ArnEquals` and `ArnLike`, which are the same.
    ArnLike,
    /// `Null`
    Null,
}

/// Whether a condition looks at all values of a multi-valued key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantifier {
    /// No set operator: the key has one value.
    One,
    /// `ForAllValues:`
    All,
    /// `ForAnyValue:`
    Any,
}

/// A condition operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Operator {
    /// The comparison, without negation.
    pub compare: Compare,
    /// `...Not...`
    pub negated: bool,
    /// The set operator.
    pub quantifier: Quantifier,
    /// `...IfExists`
    pub if_exists: bool,
}

const NAMES: &[(&str, Compare, bool)] = &[
    ("stringequals", Compare::StringEquals, false),
    ("stringnotequals", Compare::StringEquals, true),
    ("stringequalsignorecase", Compare::StringEqualsIgnoreCase, false),
    ("stringnotequalsignorecase", Compare::StringEqualsIgnoreCase, true),
    ("stringlike", Compare::StringLike, false),
    ("stringnotlike", Compare::StringLike, true),
    ("numericequals", Compare::NumericEquals, false),
    ("numericnotequals", Compare::NumericEquals, true),
    ("numericlessthan", Compare::NumericLessThan, false),
    ("numericlessthanequals", Compare::NumericLessThanEquals, false),
    ("numericgreaterthan", Compare::NumericGreaterThan, false),
    ("numericgreaterthanequals", Compare::NumericGreaterThanEquals, false),
    ("dateequals", Compare::DateEquals, false),
    ("datenotequals", Compare::DateEquals, true),
    ("datelessthan", Compare::DateLessThan, false),
    ("datelessthanequals", Compare::DateLessThanEquals, false),
    ("dategreaterthan", Compare::DateGreaterThan, false),
    ("dategreaterthanequals", Compare::DateGreaterThanEquals, false),
    ("bool", Compare::Bool, false),
    ("binaryequals", Compare::BinaryEquals, false),
    ("ipaddress", Compare::IpAddress, false),
    ("notipaddress", Compare::IpAddress, true),
    ("arnequals", Compare::ArnLike, false),
    ("arnnotequals", Compare::ArnLike, true),
    ("arnlike", Compare::ArnLike, false),
    ("arnnotlike", Compare::ArnLike, true),
    ("null", Compare::Null, false),
];

impl Operator {
    /// Reads an operator's name, in any case. `None` if there is no such operator.
    pub fn parse(name: &str) -> Option<Operator> {
        let lower = name.to_ascii_lowercase();
        let (quantifier, rest) = match lower.split_once(':') {
            Some(("forallvalues", rest)) => (Quantifier::All, rest),
            Some(("foranyvalue", rest)) => (Quantifier::Any, rest),
            Some(_) => return None,
            None => (Quantifier::One, lower.as_str()),
        };
        let (base, if_exists) = match rest.strip_suffix("ifexists") {
            // `NullIfExists` is no operator of AWS's; what it says is what `Null` says.
            Some("null") => ("null", false),
            None => (rest, false),
            Some(base) => (base, true),
        };
        let (_, compare, negated) = NAMES.iter().find(|(n, ..)| *n == base)?;
        Some(Operator { compare: *compare, negated: *negated, quantifier, if_exists })
    }
}

/// A date or number, exact enough to compare: nanoseconds, or billionths.
type Scaled = i128;

/// The policy's side of a comparison. An entry that cannot be read matches nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operand {
    /// Text, for the string operators and `BinaryEquals`.
    Text(Matcher),
    /// A number or date.
    Scaled(Option<Scaled>),
    /// `true` or `false`, for `Bool` and `Null`.
    Bool(Option<bool>),
    /// Text with policy variables that has to become `true` or `false`.
    BoolText(Matcher),
    /// A network.
    Net(Option<IpNet>),
    /// An ARN pattern.
    Arn(ArnPattern),
    /// Not known yet.
    Hole,
}

impl Operand {
    /// Compiles a policy value for a comparison.
    pub(crate) fn new(compare: Compare, text: &str, variables: bool) -> Operand {
        match compare {
            Compare::StringEquals => Operand::Text(Matcher::parse(text, Syntax { wildcards: false, variables })),
            Compare::StringEqualsIgnoreCase => {
                Operand::Text(Matcher::parse(text, Syntax { wildcards: false, variables }).lower())
            }
            Compare::StringLike => Operand::Text(Matcher::parse(text, Syntax { wildcards: true, variables })),
            Compare::BinaryEquals => Operand::Text(Matcher::Exact(text.into())),
            Compare::ArnLike => Operand::Arn(ArnPattern::parse(text, variables)),
            Compare::Bool if variables && text.contains("${") => {
                Operand::BoolText(Matcher::parse(text, Syntax { wildcards: false, variables }))
            }
            Compare::Bool | Compare::Null => Operand::Bool(boolean(text)),
            Compare::IpAddress => Operand::Net(network(text)),
            _ if compare.is_date() => Operand::Scaled(date(text)),
            _ => Operand::Scaled(number(text)),
        }
    }

    /// True if the policy's value cannot be read for this operator.
    pub(crate) fn is_malformed(&self) -> bool {
        match self {
            Operand::Scaled(None) | Operand::Bool(None) | Operand::Net(None) => true,
            Operand::Arn(pattern) => pattern.is_malformed(),
            _ => false,
        }
    }
}

impl Compare {
    pub(crate) fn is_date(self) -> bool {
        matches!(
            self,
            Compare::DateEquals
                | Compare::DateLessThan
                | Compare::DateLessThanEquals
                | Compare::DateGreaterThan
                | Compare::DateGreaterThanEquals
        )
    }

    /// Whether a request's value compares as asked with the policy's value, negation aside. `None` if the two cannot be
    /// compared, because one of them is not of the operator's type.
    pub(crate) fn holds(self, value: &str, operand: &Operand, variables: &dyn Variables) -> Option<Truth> {
        Some(match operand {
            Operand::Hole => Truth::Unknown,
            Operand::Text(matcher) if self == Compare::StringEqualsIgnoreCase => ignore_case(matcher, value, variables),
            Operand::Text(matcher) => matcher.matches(value, variables),
            Operand::Arn(pattern) => {
                let arn = arn::Parts::new(value);
                let readable = matches!(pattern, ArnPattern::Fields(_) if arn.fields.is_some());
                if !readable && !matches!(pattern, ArnPattern::Any | ArnPattern::Whole(_)) {
                    return None;
                }
                pattern.matches(&arn, Short::Never, variables)
            }
            Operand::Bool(want) => Truth::from(boolean(value)? == (*want)?),
            Operand::BoolText(matcher) => ignore_case(matcher, boolean(value).map(|_| value)?, variables),
            Operand::Net(net) => {
                let address = value.trim().parse::<IpAddr>().ok()?;
                Truth::from(net.as_ref()?.contains(&address))
            }
            Operand::Scaled(limit) => {
                let read = if self.is_date() { date(value) } else { number(value) };
                Truth::from(self.ordered(read?, (*limit)?))
            }
        })
    }

    fn ordered(self, value: Scaled, limit: Scaled) -> bool {
        match self {
            Compare::NumericLessThan | Compare::DateLessThan => value < limit,
            Compare::NumericLessThanEquals | Compare::DateLessThanEquals => value <= limit,
            Compare::NumericGreaterThan | Compare::DateGreaterThan => value > limit,
            Compare::NumericGreaterThanEquals | Compare::DateGreaterThanEquals => value >= limit,
            _ => value == limit,
        }
    }
}

fn ignore_case(matcher: &Matcher, value: &str, variables: &dyn Variables) -> Truth {
    match matcher.resolved(variables) {
        None => Truth::False,
        Some(mut tokens) => {
            tokens.make_ascii_lowercase();
            let named = unknown_name::within(&tokens) || unknown_name::within(value.as_bytes());
            match std::str::from_utf8(&tokens) {
                Ok(text) if text.to_lowercase() == value.to_lowercase() => Truth::True,
                _ if named && !variables.apart() => unknown_name::truth(&tokens, &value.to_ascii_lowercase()),
                Ok(_) => Truth::False,
                Err(_) => crate::glob::glob_truth(&tokens, &value.to_ascii_lowercase()),
            }
        }
    }
}

/// `true` or `false` in any case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// A decimal number in billionths; digits past the ninth decimal are cut.
pub(crate) fn number(text: &str) -> Option<Scaled> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() + part.len() == 0 || whole.len() > 20 || part.len() > 40 {
        return None;
    }
    if !whole.bytes().chain(part.bytes()).all(|b| b.is_ascii_digit()) {
        return digits.parse::<f64>().ok().filter(|f| f.is_finite() && f.abs() < 1e18).map(|f| {
            let scaled = (f * 1e9) as Scaled;
            if negative { -scaled } else { scaled }
        });
    }
    let whole: Scaled = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let padded: String = part.chars().chain(std::iter::repeat('0')).take(9).collect();
    let scaled = whole * 1_000_000_000 + padded.parse::<Scaled>().ok()?;
    Some(if negative { -scaled } else { scaled })
}

/// Numbers from here on are milliseconds since 1970; in seconds this is the year 5138.
const MILLISECONDS_FROM: Scaled = 100_000_000_000 * 1_000_000_000;

/// A date in nanoseconds since 1970: ISO 8601 with or without time, or seconds or milliseconds since 1970.
pub(crate) fn date(text: &str) -> Option<Scaled> {
    let text = text.trim();
    let leading = text.strip_prefix('-').unwrap_or(text);
    if !leading.is_empty() && leading.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return number(text).map(|n| if n >= MILLISECONDS_FROM { n / 1_000 } else { n });
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(at.as_nanosecond());
    }
    let civil = match text.parse::<jiff::civil::DateTime>() {
        Ok(civil) => civil,
        Err(_) => {
            let full = match text.len() {
                7 => format!("{text}-01"),
                _ => text.trim_end_matches('Z').to_owned(),
            };
            full.parse::<jiff::civil::DateTime>().ok()?
        }
    };
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_nanosecond())
}

/// An address or a network in CIDR notation.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let all = Operator::parse("ForAllValues:StringNotLikeIfExists").unwrap();
        assert_eq!((all.compare, all.negated, all.if_exists), (Compare::StringLike, true, true));
        assert_eq!(all.quantifier, Quantifier::All);
        assert_eq!(Operator::parse("NullIfExists"), Operator::parse("Null"));
        assert!(Operator::parse("ForSomeValues:StringLike").is_none());
        assert!(Operator::parse("StringIs").is_none());
        assert_eq!(Operator::parse("ForAnyValue:arnEquals").unwrap().compare, Compare::ArnLike);
    }

    #[test]
    fn numbers_and_dates() {
        assert_eq!(number("10"), number("10.0"));
        assert_eq!(number("-1.5"), Some(-1_500_000_000));
        assert_eq!(number("1e3"), number("1000"));
        assert_eq!(number("ten"), None);
        assert_eq!(date("1970-01-01T00:00:10Z"), date("10"));
        assert_eq!(date("2024-01-01"), date("2024-01-01T00:00:00Z"));
        assert_eq!(date("2024-01-01T01:00:00+01:00"), date("2024-01-01T00:00:00Z"));
        assert_eq!(date("2024"), date("1970-01-01T00:33:44Z"));
        assert_eq!(date("1704067200000"), date("2024-01-01"));
        assert_eq!(date("2024-05"), date("2024-05-01"));
        assert_eq!(date("soon"), None);
    }

    #[test]
    fn networks() {
        assert!(network("10.0.0.0/8").unwrap().contains(&"10.1.2.3".parse::<IpAddr>().unwrap()));
        assert_eq!(network("2001:db8::1").unwrap().prefix_len(), 128);
        assert!(network("10.0.0.0/33").is_none());
    }
}
