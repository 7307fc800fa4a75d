//! Markdown for a pull request or wiki: a table of what counts, then the findings by check.

use std::fmt::Write;

use model::{Finding, Severity, Verdict};

use crate::{Report, printable};

/// How many findings of one check are listed.
const NAMED_MAX: usize = 50;

/// The report as Markdown (CommonMark with GitHub's tables).
pub fn markdown(report: &Report<'_>) -> String {
    let counts = report.counts();
    let mut out = String::from(
        "# Palisade\n\n| critical | high | medium | low | info | unknown | pass | accepted |\n|---|---|---|---|---|---|---|---|\n|",
    );
    for severity in Severity::ALL.iter().rev() {
        let _ = write!(out, " {} |", counts.fails(*severity));
    }
    let _ = writeln!(out, " {} | {} | {} |\n", counts.unknown, counts.pass, counts.suppressed);
    let line = &report.outcome.line;
    let _ = writeln!(out, "{} of {} layers that are yours have a check.\n", line.owned_checked, line.owned);
    let open = |verdict: Verdict| -> Vec<&Finding> {
        report.outcome.findings.iter().filter(|f| f.verdict == verdict && f.suppression.is_none()).collect()
    };
    section(&mut out, report, "Failures", &open(Verdict::Fail));
    section(&mut out, report, "Unknown", &open(Verdict::Unknown));
    let gaps: Vec<_> = report.outcome.gaps.iter().filter(|g| g.matters).collect();
    if !gaps.is_empty() {
        out.push_str("## Not read\n\n");
        for gap in gaps {
            let file = gap.file.as_deref().map_or(String::new(), |f| format!("{}: ", code(f)));
            let _ = writeln!(out, "- {file}{}: {}", escape(&gap.what), escape(&gap.detail));
        }
    }
    out
}

fn section(out: &mut String, report: &Report<'_>, title: &str, findings: &[&Finding]) {
    if findings.is_empty() {
        return;
    }
    let _ = writeln!(out, "## {title}\n");
    for of_check in findings.chunk_by(|a, b| a.check == b.check) {
        let Some(first) = of_check.first() else { continue };
        let check = report.catalogue.check(first.check.as_str());
        let title = check.map_or("", |c| c.file.title.as_str());
        let _ = writeln!(out, "### {} `{}` {}\n", first.severity.name(), first.check, escape(title));
        for finding in of_check.iter().take(NAMED_MAX) {
            let resource = &finding.resource;
            let place = match (&resource.file, resource.span) {
                (Some(file), Some(span)) => format!(" ({}:{})", code(file), span.line),
                (Some(file), None) => format!(" ({})", code(file)),
                _ => String::new(),
            };
            let _ = writeln!(out, "- {}{place}: {}", code(&resource.id), escape(&finding.message));
        }
        if of_check.len() > NAMED_MAX {
            let _ = writeln!(out, "- and {} more", of_check.len() - NAMED_MAX);
        }
        if let Some(check) = check {
            let _ = writeln!(out, "\nFix: {}\n", escape(check.file.fix.text.trim()));
        }
    }
}

/// Text that is no markup, whatever it holds.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '|' | '!' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '@' => out.push_str("&#64;"),
            c => out.push(c),
        }
    }
    out
}

/// A code span, with a fence longer than any run of backticks inside (CommonMark 6.1).
fn code(text: &str) -> String {
    let text = printable(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(escape("<img src=x> @all [a](b)"), "&lt;img src=x&gt; &#64;all \\[a\\]\\(b\\)");
        assert_eq!(code("a`b"), "`` a`b ``");
    }
}
