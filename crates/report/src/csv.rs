//! One row a finding (RFC 4180), safe to open in a spreadsheet: a cell that would be a formula starts with an apostrophe, and
//! control characters and bidirectional overrides are replaced.

use std::io;

use crate::{Report, printable};

const COLUMNS: &[&str] = &[
    "check",
    "title",
    "verdict",
    "severity",
    "confidence",
    "resource_id",
    "resource_type",
    "account",
    "region",
    "name",
    "file",
    "line",
    "message",
    "layer",
    "pillar",
    "suppressed_by",
    "suppression_reason",
    "suppression_expires",
    "fingerprint",
    "same_as",
];

/// Writes the findings as CSV with a header row.
pub fn csv(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    write!(out, "{}\r\n", COLUMNS.join(","))?;
    for finding in report.shown() {
        let resource = &finding.resource;
        let check = report.catalogue.check(finding.check.as_str());
        let same_as: Vec<String> = finding.same_as.iter().map(|(list, ids)| format!("{list}:{}", ids.join("+"))).collect();
        let suppression = finding.suppression.as_ref();
        let fingerprint = finding.fingerprint.to_string();
        let line = resource.span.map_or(String::new(), |s| s.line.to_string());
        let cells: [&str; 20] = [
            finding.check.as_str(),
            check.map_or("", |c| &c.file.title),
            finding.verdict.name(),
            finding.severity.name(),
            finding.confidence.name(),
            &resource.id,
            resource.type_name.as_str(),
            resource.account.as_ref().map_or("", |a| a.as_str()),
            resource.region.as_ref().map_or("", |r| r.as_str()),
            resource.name.as_deref().unwrap_or_default(),
            resource.file.as_deref().unwrap_or_default(),
            &line,
            &finding.message,
            finding.layer.name(),
            finding.pillar.name(),
            suppression.map_or("", |s| &s.by),
            suppression.map_or("", |s| &s.reason),
            suppression.and_then(|s| s.expires.as_deref()).unwrap_or_default(),
            &fingerprint,
            &same_as.join(" "),
        ];
        let row: Vec<String> = cells.iter().map(|c| cell(c)).collect();
        write!(out, "{}\r\n", row.join(","))?;
    }
    Ok(())
}

/// A cell that no spreadsheet runs (OWASP, "CSV injection") and no reader splits.
pub fn cell(text: &str) -> String {
    let text = printable(text);
    let formula = text.trim_start().starts_with(['=', '+', '-', '@']);
    let text = if formula { format!("'{text}") } else { text.into_owned() };
    if text.contains(['"', ',', '\'']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::cell;

    #[test]
    fn formulas_are_text() {
        assert_eq!(cell("=cmd|' /C calc'!A0"), "\"'=cmd|' /C calc'!A0\"");
        assert_eq!(cell("@x"), "\"'@x\"");
        assert_eq!(cell("a \"b\", c"), "\"a \"\"b\"\", c\"");
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("\t=1"), "\"' =1\"");
        assert_eq!(cell("a\u{202e}b"), "a\u{fffd}b");
    }
}
