//! Correlation rules: events together.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Compare;
use super::condition::{self, Condition};
use super::selection::Wrong;

/// The longest time span: what is kept in memory must end somewhere.
pub(super) const TIMESPAN_SECONDS_MAX: i64 = 90 * 86_400;

/// Events together.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlation {
    /// What is looked at.
    pub kind: CorrelationKind,
    /// Ids or names of the rules whose events count.
    pub rules: Vec<String>,
    /// Fields, or aliases, whose values keep groups apart.
    pub group_by: Vec<String>,
    /// Seconds.
    pub timespan: i64,
    /// All of which the figure must meet; empty for temporal kinds without a count.
    pub bounds: Vec<Bound>,
    /// The fields of the value kinds.
    pub fields: Vec<String>,
    /// For `value_percentile`: 0..=100.
    pub percentile: f64,
    /// For temporal kinds: which rules must have matched, if not all.
    pub expr: Option<RuleExpr>,
    /// Alias to rule reference to field.
    pub aliases: BTreeMap<String, BTreeMap<String, String>>,
    /// Whether the rules it names alert by themselves too.
    pub generate: bool,
}

/// What a correlation looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorrelationKind {
    /// How many events.
    EventCount,
    /// How many different values of a field.
    ValueCount,
    /// Every rule, in any order.
    Temporal,
    /// Every rule, in the order given.
    TemporalOrdered,
    /// The sum of a field.
    ValueSum,
    /// The mean of a field.
    ValueAvg,
    /// A percentile of a field.
    ValuePercentile,
    /// The median of a field.
    ValueMedian,
}

/// A bound on a figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// How.
    pub compare: Compare,
    /// Against what.
    pub value: f64,
}

/// A condition over rule references.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleExpr {
    /// This rule has matched.
    Rule(String),
    /// All.
    And(Vec<RuleExpr>),
    /// One.
    Or(Vec<RuleExpr>),
    /// Not.
    Not(Box<RuleExpr>),
}

fn wrong<T>(needle: &str, message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong { needle: needle.to_owned(), message: message.into() })
}

pub(super) fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(list)) => list.iter().filter_map(scalar).collect(),
        Some(one) => scalar(one).into_iter().collect(),
        None => vec![],
    }
}

pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// `90m` in seconds.
pub(super) fn timespan(text: &str) -> Option<i64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text.get(digits.len()..)? {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        "M" => 30 * 86_400,
        _ => return None,
    };
    digits.parse::<i64>().ok()?.checked_mul(unit).filter(|seconds| *seconds > 0)
}

pub(super) fn correlation(map: &Map<String, Value>) -> Result<Correlation, Wrong> {
    use CorrelationKind::*;
    let kind = match map.get("type").and_then(Value::as_str) {
        Some("event_count") => EventCount,
        Some("value_count") => ValueCount,
        Some("temporal") => Temporal,
        Some("temporal_ordered" | "ordered_temporal") => TemporalOrdered,
        Some("value_sum") => ValueSum,
        Some("value_avg") => ValueAvg,
        Some("value_percentile") => ValuePercentile,
        Some("value_median") => ValueMedian,
        Some(other) => return wrong(other, format!("unknown correlation type `{other}`")),
        None => return wrong("correlation", "a correlation needs a `type`"),
    };
    let rules = strings(map.get("rules"));
    if rules.is_empty() {
        return wrong("correlation", "a correlation needs `rules`");
    }
    let span = map.get("timespan").or_else(|| map.get("timeframe")).and_then(Value::as_str).unwrap_or_default();
    let Some(seconds) = timespan(span) else {
        return wrong("timespan", format!("timespan `{span}` isn't a number with s, m, h or d"));
    };
    if seconds > TIMESPAN_SECONDS_MAX {
        return wrong("timespan", "a timespan can be 90 days at most");
    }
    let mut made = Correlation {
        kind,
        rules,
        group_by: strings(map.get("group-by")),
        timespan: seconds,
        bounds: vec![],
        fields: vec![],
        percentile: 50.0,
        expr: None,
        aliases: aliases(map.get("aliases")),
        generate: map.get("generate").and_then(Value::as_bool).unwrap_or(false),
    };
    condition_of(map.get("condition"), &mut made)?;
    Ok(made)
}

fn condition_of(value: Option<&Value>, made: &mut Correlation) -> Result<(), Wrong> {
    let temporal = matches!(made.kind, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered);
    match value {
        Some(Value::Object(map)) => {
            for (key, value) in map {
                match (key.as_str(), value.as_f64(), Compare::from_name(key)) {
                    ("field", ..) => made.fields = strings(Some(value)),
                    ("percentile", Some(number), _) => made.percentile = number.clamp(0.0, 100.0),
                    (_, Some(number), Some(compare)) => made.bounds.push(Bound { compare, value: number }),
                    _ => return wrong(key, format!("`{key}` doesn't belong in a correlation's condition")),
                }
            }
        }
        Some(Value::String(text)) if temporal => {
            let parsed = condition::parse(text).map_err(|message| Wrong { needle: text.clone(), message })?;
            made.expr = Some(rule_expr(&parsed, &made.rules)?);
        }
        None if temporal => {}
        _ => return wrong("correlation", "a correlation needs a `condition`"),
    }
    let counts = !temporal && made.kind != CorrelationKind::EventCount;
    if counts && made.fields.is_empty() {
        return wrong("condition", "this correlation type needs `field` in its condition");
    }
    if !temporal && made.bounds.is_empty() {
        return wrong("condition", "the condition has none of gt, gte, lt, lte, eq");
    }
    Ok(())
}

fn rule_expr(condition: &Condition, rules: &[String]) -> Result<RuleExpr, Wrong> {
    let each = |parts: &[Condition]| parts.iter().map(|part| rule_expr(part, rules)).collect::<Result<Vec<_>, _>>();
    Ok(match condition {
        Condition::Name(name) if rules.contains(name) => RuleExpr::Rule(name.clone()),
        Condition::Name(name) => return wrong(name, format!("`{name}` isn't one of the correlation's rules")),
        Condition::And(parts) => RuleExpr::And(each(parts)?),
        Condition::Or(parts) => RuleExpr::Or(each(parts)?),
        Condition::Not(inner) => RuleExpr::Not(Box::new(rule_expr(inner, rules)?)),
        Condition::Of(count, pattern) => {
            let fits = rules.iter().filter(|rule| condition::fits(rule, pattern)).cloned().map(RuleExpr::Rule).collect();
            if count.is_none() { RuleExpr::And(fits) } else { RuleExpr::Or(fits) }
        }
    })
}

fn aliases(value: Option<&Value>) -> BTreeMap<String, BTreeMap<String, String>> {
    let Some(Value::Object(map)) = value else { return BTreeMap::new() };
    let fields = |value: &Value| match value {
        Value::Object(map) => map.iter().filter_map(|(rule, field)| Some((rule.clone(), scalar(field)?))).collect(),
        _ => BTreeMap::new(),
    };
    map.iter().map(|(alias, value)| (alias.clone(), fields(value))).collect()
}
