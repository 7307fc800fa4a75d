//! CSV that a spreadsheet can't be tricked with.

use logs::time;

use crate::detection::Detection;
use crate::ruleset::RuleSet;

const COLUMNS: [&str; 16] = [
    "first_seen",
    "last_seen",
    "severity",
    "confidence",
    "rule",
    "title",
    "technique",
    "actor",
    "class",
    "count",
    "calls",
    "addresses",
    "regions",
    "accounts",
    "resources",
    "incident",
];

/// The header, without its line end.
pub fn csv_header() -> String {
    COLUMNS.join(",")
}

/// A detection as one row, without its line end.
pub fn csv_row(detection: &Detection, rules: &RuleSet) -> String {
    let Some(rule) = rules.rule(detection.rule) else { return String::new() };
    let list = |set: &std::collections::BTreeSet<String>| set.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let cells = [
        time::text(detection.first),
        time::text(detection.last),
        detection.severity(rules).name().to_owned(),
        detection.confidence(rules).name().to_owned(),
        rule.id.clone(),
        rule.title.clone(),
        rule.techniques().join(" "),
        detection.actor.key().to_owned(),
        detection.actor.class.name().to_owned(),
        detection.count.to_string(),
        list(&detection.calls),
        list(&detection.addresses),
        list(&detection.regions),
        list(&detection.accounts),
        list(&detection.resources),
        detection.incident.clone(),
    ];
    cells.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(",")
}

/// RFC 4180 quoting; a cell that a spreadsheet would take for a formula gets an apostrophe in front (OWASP: CSV
/// injection).
pub(crate) fn csv_cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if formula || text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::csv_cell;

    #[test]
    fn cells_are_quoted_and_defused() {
        for (text, want) in [
            ("plain", "plain"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=1+1", "\"'=1+1\""),
            ("@cmd", "\"'@cmd\""),
            ("-x", "\"'-x\""),
        ] {
            assert_eq!(csv_cell(text), want);
        }
    }
}
