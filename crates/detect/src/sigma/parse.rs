//! Rule files into rules; a mistake costs its document only.

use model::{Confidence, Severity};
use serde_json::{Map, Value};

use super::condition::{self, Condition, fits};
use super::correlation::{correlation, scalar, strings, timespan};
use super::selection::{Wrong, selection};
use super::{Body, Expr, Extra, LogSource, NewTerms, Placeholders, Problem, RULE_FILE_BYTES_MAX, Rule};

const DAY: i64 = 86_400;

/// Reads a rule file without placeholders; see [`parse_with`].
pub fn parse(file: &str, text: &str) -> (Vec<Rule>, Vec<Problem>) {
    parse_with(file, text, &Placeholders::new())
}

/// Reads a rule file: its rules, and its mistakes with their lines.
pub fn parse_with(file: &str, text: &str, placeholders: &Placeholders) -> (Vec<Rule>, Vec<Problem>) {
    let (mut rules, mut problems) = (vec![], vec![]);
    if text.len() > RULE_FILE_BYTES_MAX {
        let message = format!("the rule file is longer than {RULE_FILE_BYTES_MAX} bytes");
        problems.push(Problem { file: file.to_owned(), line: 1, message });
        return (rules, problems);
    }
    let mut shared = Shared::default();
    for document in documents(text) {
        match read(file, &document, &mut shared, placeholders) {
            Ok(Some(rule)) => rules.push(rule),
            Ok(None) => {}
            Err((line, message)) => problems.push(Problem { file: file.to_owned(), line, message }),
        }
    }
    (rules, problems)
}

struct Document<'a> {
    text: &'a str,
    line: usize,
}

fn documents(text: &str) -> Vec<Document<'_>> {
    let mut found = vec![];
    let (mut start, mut first, mut at) = (0, 1, 0);
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let end = at + line.len();
        let marker = line.trim_end();
        if marker == "---" || marker == "..." || marker.starts_with("--- #") {
            found.push(Document { text: text.get(start..at).unwrap_or_default(), line: first });
            start = end;
            first = number + 2;
        }
        at = end;
    }
    found.push(Document { text: text.get(start..).unwrap_or_default(), line: first });
    let content = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    found.retain(|document| document.text.lines().any(content));
    found
}

impl Document<'_> {
    /// The line that holds `needle`, else the first.
    fn line_of(&self, needle: &str) -> usize {
        let needle = needle.lines().next().unwrap_or_default().trim();
        let found = self.text.lines().position(|line| !needle.is_empty() && line.contains(needle));
        self.line + found.unwrap_or_else(|| self.text.lines().position(|line| !line.trim().is_empty()).unwrap_or(0))
    }
}

type Failed = (usize, String);

/// What documents of a file take from those before them.
#[derive(Default)]
struct Shared {
    /// Of `action: global`: holds for every document until `action: reset`.
    global: Map<String, Value>,
    /// The last document, which `action: repeat` starts from.
    last: Map<String, Value>,
}

/// Puts `over` into `under`, map by map; where both say something, `over` does.
fn lay(under: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Object(held)), Value::Object(more)) => lay(held, more),
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}

fn read(file: &str, document: &Document<'_>, shared: &mut Shared, placeholders: &Placeholders) -> Result<Option<Rule>, Failed> {
    let value: Value = serde_saphyr::from_str_with_options(document.text, options()).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line() as usize).max(1);
        (document.line + line - 1, one_line(&error.to_string()))
    })?;
    let Value::Object(mut map) = value else {
        return Err((document.line_of(""), "a rule is a map of fields".to_owned()));
    };
    let action = map.shift_remove("action");
    match action.as_ref().and_then(Value::as_str) {
        Some("global") => {
            shared.global = map;
            return Ok(None);
        }
        Some("reset") => {
            shared.global.clear();
            return Ok(None);
        }
        Some("repeat") => {
            let mut repeated = shared.last.clone();
            lay(&mut repeated, &map);
            map = repeated;
        }
        _ => {}
    }
    shared.last.clone_from(&map);
    if !shared.global.is_empty() {
        let mut merged = shared.global.clone();
        lay(&mut merged, &map);
        map = merged;
    }
    let at = |wrong: Wrong| (document.line_of(&wrong.needle), wrong.message);
    let body = body(&map, placeholders).map_err(at)?;
    let extra = extra(&map).map_err(at)?;
    let level = match map.get("level").and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref() {
        None => Severity::Medium,
        Some("informational") => Severity::Info,
        Some(name) => Severity::from_name(name).ok_or_else(|| (document.line_of("level:"), format!("unknown level `{name}`")))?,
    };
    let text = |key: &str| map.get(key).and_then(scalar);
    let stem = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = stem.strip_suffix(".yml").or_else(|| stem.strip_suffix(".yaml")).unwrap_or(stem);
    Ok(Some(Rule {
        file: file.to_owned(),
        line: document.line_of("title:"),
        id: text("id").or_else(|| text("name")).unwrap_or_else(|| stem.to_owned()),
        name: text("name"),
        title: text("title").unwrap_or_else(|| stem.to_owned()),
        description: text("description").unwrap_or_default().trim().to_owned(),
        level,
        tags: strings(map.get("tags")),
        false_positives: strings(map.get("falsepositives")),
        references: strings(map.get("references")),
        source: source(map.get("logsource")),
        extra,
        body,
    }))
}

/// YAML 1.2: only `true` and `false` are bools, and `0123` is text: account ids and the letters y and n stay what they are.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    }
}

fn one_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("not valid YAML").trim();
    line.trim_start_matches("error: ").trim_end_matches('.').to_owned()
}

fn source(value: Option<&Value>) -> LogSource {
    let field = |key: &str| value.and_then(|v| v.get(key)).and_then(scalar);
    LogSource { product: field("product"), service: field("service"), category: field("category") }
}

fn body(map: &Map<String, Value>, placeholders: &Placeholders) -> Result<Body, Wrong> {
    match (map.get("detection"), map.get("correlation"), map.get("filter")) {
        (_, Some(Value::Object(block)), _) => correlation(block).map(Body::Correlation),
        (Some(Value::Object(block)), ..) => detection(block, placeholders).map(Body::Events),
        (_, _, Some(Value::Object(block))) => {
            let rules = strings(block.get("rules"));
            let rules = if rules.iter().any(|rule| rule == "any") { vec![] } else { rules };
            Ok(Body::Filter { rules, expr: detection(block, placeholders)? })
        }
        _ => {
            let message = "none of `detection`, `correlation` and `filter` is there as a map".to_owned();
            Err(Wrong { needle: String::new(), message })
        }
    }
}

fn detection(block: &Map<String, Value>, placeholders: &Placeholders) -> Result<Expr, Wrong> {
    let mut named = vec![];
    for (name, value) in block {
        if !matches!(name.as_str(), "condition" | "timeframe" | "rules") {
            named.push((name.as_str(), selection(name, value, placeholders)?));
        }
    }
    let conditions = strings(block.get("condition"));
    if conditions.is_empty() {
        return Err(Wrong { needle: "detection".to_owned(), message: "the detection has no `condition`".to_owned() });
    }
    let mut parts = vec![];
    for text in &conditions {
        let place = |message: String| Wrong { needle: format!("condition: {text}"), message };
        let condition = condition::parse(text).map_err(place)?;
        parts.push(resolve(&condition, &named).map_err(place)?);
    }
    Ok(match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => Expr::Or(parts.into_iter().chain(last).collect()),
    })
}

fn resolve(condition: &Condition, named: &[(&str, Expr)]) -> Result<Expr, String> {
    let each = |parts: &[Condition]| parts.iter().map(|part| resolve(part, named)).collect::<Result<Vec<_>, _>>();
    Ok(match condition {
        Condition::Name(name) => match named.iter().find(|(known, _)| known == name) {
            Some((_, expr)) => expr.clone(),
            None => return Err(format!("the condition names `{name}`, which isn't defined")),
        },
        Condition::And(parts) => Expr::And(each(parts)?),
        Condition::Or(parts) => Expr::Or(each(parts)?),
        Condition::Not(inner) => Expr::Not(Box::new(resolve(inner, named)?)),
        Condition::Of(count, pattern) => {
            let fitting: Vec<Expr> = named.iter().filter(|(name, _)| fits(name, pattern)).map(|(_, expr)| expr.clone()).collect();
            if fitting.is_empty() {
                return Err(format!("no search identifier fits `{pattern}`"));
            }
            match count {
                None => Expr::And(fitting),
                Some(1) => Expr::Or(fitting),
                Some(count) => Expr::AtLeast(*count, fitting),
            }
        }
    })
}

fn extra(map: &Map<String, Value>) -> Result<Extra, Wrong> {
    let Some(block) = map.get("palisade") else { return Ok(Extra::default()) };
    let wrong = |needle: &str, message: String| Wrong { needle: needle.to_owned(), message };
    let Value::Object(block) = block else { return Err(wrong("palisade", "`palisade` is a map".to_owned())) };
    let mut extra = Extra::default();
    for (key, value) in block {
        match key.as_str() {
            "confidence" => {
                extra.confidence = match value.as_str() {
                    Some("low") => Some(Confidence::Low),
                    Some("medium") => Some(Confidence::Medium),
                    Some("high") => Some(Confidence::High),
                    _ => return Err(wrong("confidence", "`confidence` is low, medium or high".to_owned())),
                }
            }
            "guardduty" => extra.guardduty = strings(Some(value)),
            "next" => extra.next = strings(Some(value)),
            "runbook" => extra.runbook = scalar(value).unwrap_or_default().trim().to_owned(),
            "resources" => extra.resources = strings(Some(value)),
            "new_terms" => extra.new_terms = Some(new_terms(value)?),
            other => return Err(wrong(other, format!("unknown key `{other}` in `palisade`"))),
        }
    }
    Ok(extra)
}

fn new_terms(value: &Value) -> Result<NewTerms, Wrong> {
    let wrong = |message: &str| Wrong { needle: "new_terms".to_owned(), message: message.to_owned() };
    let span = |key: &str, default: i64| match value.get(key).and_then(Value::as_str) {
        None => Ok(default),
        Some(text) => timespan(text).ok_or_else(|| wrong("a span in `new_terms` isn't a number with s, m, h or d")),
    };
    let fields = strings(value.get("fields"));
    if fields.is_empty() {
        return Err(wrong("`new_terms` needs `fields`"));
    }
    Ok(NewTerms { fields, history: span("history", 14 * DAY)?, learn: span("learn", DAY)? })
}
