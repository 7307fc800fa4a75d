//! Sigma 2.1 rules as values: what a rule file says, checked, with the line of every mistake.
//!
//! Sources: the Sigma rules, modifiers, filters and correlation specifications of
//! <https://github.com/SigmaHQ/sigma-specification>. The obsolete `| count()` aggregations are refused with a hint.

mod condition;
mod correlation;
mod parse;
mod pattern;
mod selection;

pub use condition::parse as parse_condition;
pub use correlation::{Bound, Correlation, CorrelationKind, RuleExpr};
pub use parse::{parse, parse_with};
pub use pattern::{Pattern, Piece};

use std::collections::BTreeMap;

use model::{Confidence, Severity};

/// The longest rule file.
pub const RULE_FILE_BYTES_MAX: usize = 1 << 20;

/// The deepest nesting of a condition.
pub const CONDITION_DEPTH_MAX: usize = 64;

/// The longest condition.
pub const CONDITION_BYTES_MAX: usize = 16 << 10;

/// The largest compiled regular expression.
pub const REGEX_BYTES_MAX: usize = 4 << 20;

/// A mistake in a rule file. The other rules still run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, lower case, no full stop.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

/// Values for `%placeholders%`.
pub type Placeholders = BTreeMap<String, Vec<String>>;

/// One document of a rule file.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The file it stands in.
    pub file: String,
    /// Its first line.
    pub line: usize,
    /// `id`, else `name`, else the file's name without its ending.
    pub id: String,
    /// `name`, if given.
    pub name: Option<String>,
    /// `title`.
    pub title: String,
    /// `description`.
    pub description: String,
    /// `level`; medium if none is given.
    pub level: Severity,
    /// `tags`.
    pub tags: Vec<String>,
    /// `falsepositives`.
    pub false_positives: Vec<String>,
    /// `references`.
    pub references: Vec<String>,
    /// `logsource`.
    pub source: LogSource,
    /// What Palisade knows beyond Sigma.
    pub extra: Extra,
    /// What it looks for.
    pub body: Body,
}

impl Rule {
    /// ATT&CK technique ids in the tags: `T1562.008`.
    pub fn techniques(&self) -> Vec<String> {
        let ids = self.tags.iter().filter_map(|tag| tag.strip_prefix("attack."));
        ids.filter(|id| id.starts_with('t') && id.as_bytes().get(1).is_some_and(u8::is_ascii_digit))
            .map(str::to_uppercase)
            .collect()
    }

    /// ATT&CK tactics in the tags: `defense-evasion`.
    pub fn tactics(&self) -> Vec<String> {
        let names = self.tags.iter().filter_map(|tag| tag.strip_prefix("attack."));
        let tactic = |name: &&str| !name.chars().any(|c| c.is_ascii_digit());
        names.filter(tactic).map(|name| name.replace('_', "-")).collect()
    }

    /// Whether `reference` (of a correlation or filter) means this rule.
    pub fn is_called(&self, reference: &str) -> bool {
        self.id == reference || self.name.as_deref() == Some(reference)
    }
}

/// Words in the `service` of rules for AWS logs that aren't CloudTrail.
const OTHER_LOGS: &[&str] = &[
    "flow",
    "guardduty",
    "access_log",
    "accesslog",
    "access-log",
    "route53_query",
    "resolver",
    "dns",
    "waf",
    "elb",
    "alb",
    "cloudfront",
    "audit",
    "inspector",
    "macie",
];

/// Which logs a rule is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSource {
    /// `product`.
    pub product: Option<String>,
    /// `service`.
    pub service: Option<String>,
    /// `category`.
    pub category: Option<String>,
}

impl LogSource {
    /// Whether a filter for `self` applies to a rule for `other`: what both state must agree.
    pub fn covers(&self, other: &LogSource) -> bool {
        let agree = |a: &Option<String>, b: &Option<String>| match (a, b) {
            (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
            (Some(_), None) => false,
            (None, _) => true,
        };
        agree(&self.product, &other.product) && agree(&self.service, &other.service) && agree(&self.category, &other.category)
    }

    /// Whether CloudTrail events are what the rule is for; a rule without a source is for everything. Rule sets name the
    /// service whose calls they watch (`service: iam`) as well as the log; only what names another log is left out.
    pub fn is_cloudtrail(&self) -> bool {
        let other = |service: &String| {
            let service = service.to_ascii_lowercase();
            OTHER_LOGS.iter().any(|word| service.contains(word))
        };
        self.product.as_deref().is_none_or(|p| p.eq_ignore_ascii_case("aws")) && !self.service.as_ref().is_some_and(other)
    }
}

/// The `palisade` block of a rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Extra {
    /// How sure a match is; high if nothing is said.
    pub confidence: Option<Confidence>,
    /// GuardDuty finding types for the same thing.
    pub guardduty: Vec<String>,
    /// What to look at next.
    pub next: Vec<String>,
    /// What to do, one paragraph.
    pub runbook: String,
    /// Fields that name the resource.
    pub resources: Vec<String>,
    /// Fire only when this combination of values wasn't seen before.
    pub new_terms: Option<NewTerms>,
}

/// First-seen terms: a rule that matches fires only for a combination that the history lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTerms {
    /// The fields whose values make the combination.
    pub fields: Vec<String>,
    /// How long a combination is remembered, seconds.
    pub history: i64,
    /// How much log must have been seen before anything counts as new, seconds.
    pub learn: i64,
}

/// What a rule looks for.
#[derive(Clone, Debug)]
pub enum Body {
    /// Single events.
    Events(Expr),
    /// Events together.
    Correlation(Correlation),
    /// An extra condition on other rules.
    Filter {
        /// Their ids or names; empty means any.
        rules: Vec<String>,
        /// What must hold as well.
        expr: Expr,
    },
}

/// A condition over one event.
#[derive(Clone, Debug)]
pub enum Expr {
    /// All of them.
    And(Vec<Expr>),
    /// One of them.
    Or(Vec<Expr>),
    /// At least so many of them.
    AtLeast(usize, Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// A field, or the whole event, against values.
    Atom(Atom),
}

/// A field against values.
#[derive(Clone, Debug)]
pub struct Atom {
    /// The field's dotted path; none for keywords, which are looked for in every string.
    pub field: Option<String>,
    /// The values.
    pub tests: Vec<Test>,
    /// Whether each value must match, not just one.
    pub all: bool,
    /// `neq`: the field is there and matches none.
    pub negated: bool,
}

/// One value to test a field against.
#[derive(Clone, Debug)]
pub enum Test {
    /// Text with wildcards.
    Text {
        /// The text.
        pattern: Pattern,
        /// Whether case counts.
        cased: bool,
    },
    /// A regular expression, found anywhere.
    Regex(regex::bytes::Regex),
    /// A number.
    Number(Compare, f64),
    /// A part of a time, in UTC.
    TimePart(TimePart, Compare, f64),
    /// An address range.
    Cidr(ipnet::IpNet),
    /// `true` or `false`.
    Bool(bool),
    /// Absent, or `null`.
    Null,
    /// Present, whatever its value.
    Exists(bool),
    /// Another field's value.
    FieldRef {
        /// Its dotted path.
        field: String,
        /// Where the other value must stand in this one.
        place: Place,
        /// Whether case counts.
        cased: bool,
    },
}

/// Where a text stands in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is all of it.
    Whole,
    /// Anywhere.
    Inside,
    /// At the start.
    Start,
    /// At the end.
    End,
}

/// How numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Greater.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
}

impl Compare {
    /// Whether `left` stands so to `right`.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Compare::Eq => left == right,
            Compare::Ne => left != right,
            Compare::Gt => left > right,
            Compare::Ge => left >= right,
            Compare::Lt => left < right,
            Compare::Le => left <= right,
        }
    }

    /// The one that Sigma writes as `gt`, `gte`, `lt`, `lte`, `eq`, `neq`.
    pub fn from_name(name: &str) -> Option<Compare> {
        Some(match name {
            "eq" => Compare::Eq,
            "neq" => Compare::Ne,
            "gt" => Compare::Gt,
            "gte" => Compare::Ge,
            "lt" => Compare::Lt,
            "lte" => Compare::Le,
            _ => return None,
        })
    }
}

/// A part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimePart {
    /// 0..=59.
    Minute,
    /// 0..=23.
    Hour,
    /// Day of the month, 1..=31.
    Day,
    /// ISO 8601 week, 1..=53.
    Week,
    /// 1..=12.
    Month,
    /// The year.
    Year,
}

#[cfg(test)]
mod tests;
