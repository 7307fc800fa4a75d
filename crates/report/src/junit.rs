//! JUnit XML as CI servers read it: a suite a check, a case a resource; unknown is an error, accepted is skipped.

use std::fmt::Write;

use model::{Finding, Verdict};

use crate::Report;

/// The report as JUnit XML.
pub fn junit(report: &Report<'_>) -> String {
    let mut findings: Vec<&Finding> = report.outcome.findings.iter().collect();
    findings.sort_by(|a, b| a.check.cmp(&b.check));
    let count = |wanted: fn(&Finding) -> bool, of: &[&Finding]| of.iter().filter(|f| wanted(f)).count();
    let fails = |f: &Finding| f.verdict == Verdict::Fail && f.suppression.is_none();
    let errors = |f: &Finding| f.verdict == Verdict::Unknown && f.suppression.is_none();
    let skips = |f: &Finding| f.verdict != Verdict::Pass && f.suppression.is_some();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let (tests, failed, erred) = (findings.len(), count(fails, &findings), count(errors, &findings));
    let _ = writeln!(out, "<testsuites name=\"palisade\" tests=\"{tests}\" failures=\"{failed}\" errors=\"{erred}\">");
    for suite in findings.chunk_by(|a, b| a.check == b.check) {
        let Some(first) = suite.first() else { continue };
        let (tests, failed, erred, skipped) = (suite.len(), count(fails, suite), count(errors, suite), count(skips, suite));
        let name = &first.check;
        let _ = writeln!(
            out,
            "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"{erred}\" skipped=\"{skipped}\">"
        );
        for finding in suite {
            case(&mut out, report, finding);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn case(out: &mut String, report: &Report<'_>, finding: &Finding) {
    let resource = &finding.resource;
    let (name, class) = (escape(&resource.id), escape(resource.type_name.as_str()));
    let mut place = String::new();
    if let Some(file) = &resource.file {
        let _ = write!(place, " file=\"{}\"", escape(file));
    }
    if let Some(span) = resource.span {
        let _ = write!(place, " line=\"{}\"", span.line);
    }
    let _ = write!(out, "    <testcase name=\"{name}\" classname=\"{class}\"{place}");
    let message = escape(&finding.message);
    match (&finding.suppression, finding.verdict) {
        (_, Verdict::Pass) => {
            out.push_str("/>\n");
            return;
        }
        (Some(suppression), _) => {
            let _ = write!(out, "><skipped message=\"accepted: {}\"/>", escape(&suppression.reason));
        }
        (None, Verdict::Fail) => {
            let fix = report.catalogue.check(finding.check.as_str()).map_or("", |c| c.file.fix.text.as_str());
            let _ = write!(out, "><failure type=\"{}\" message=\"{message}\">{}</failure>", finding.severity.name(), escape(fix));
        }
        (None, Verdict::Unknown) => {
            let _ = write!(out, "><error type=\"unknown\" message=\"{message}\"/>");
        }
    }
    out.push_str("</testcase>\n");
}

/// XML 1.0 text: what XML cannot carry becomes `U+FFFD`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => out.push('\u{FFFD}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn hostile_names_stay_text() {
        assert_eq!(super::escape("<a b=\"&\u{1b}\">"), "&lt;a b=&quot;&amp;\u{FFFD}&quot;&gt;");
    }
}
