//! The report for a person at a terminal: worst first, grouped by check, each with its place in the source and the way out.
//!
//! Written with ANSI styles; the caller strips them where no terminal shows them. Colour is never the only carrier.

use std::fmt::Write;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, renderer::DecorStyle};
use anstyle::{AnsiColor, Style};
use catalogue::Check;
use model::{Finding, Gap, LayerCell, LayerState, Owner, Severity, Span, Verdict};

use crate::gaps::unread;
use crate::{Counts, Report, printable};

/// How many findings of one check are shown with their source before the rest is only named.
const EXCERPTS_MAX: usize = 3;
/// How many findings of one check are named before the rest is counted.
const NAMED_MAX: usize = 10;
/// How many lines of source an excerpt has at most.
const LINES_MAX: u32 = 3;

/// The whole report.
pub fn terminal(report: &Report<'_>) -> String {
    let mut out = String::new();
    for severity in Severity::ALL.iter().rev() {
        let of_severity: Vec<&Finding> =
            counted(report).filter(|f| f.verdict == Verdict::Fail && f.severity == *severity).collect();
        section(&mut out, report, &of_severity, &severity.name().to_uppercase(), style(*severity));
    }
    let unknown: Vec<&Finding> = counted(report).filter(|f| f.verdict == Verdict::Unknown).collect();
    unknowns(&mut out, report, &unknown);
    if report.meta.passes {
        passes(&mut out, report);
    }
    gaps(&mut out, &report.outcome.gaps);
    closing(&mut out, report);
    out
}

fn counted<'r>(report: &'r Report<'_>) -> impl Iterator<Item = &'r Finding> {
    report.outcome.findings.iter().filter(|f| f.suppression.is_none())
}

/// The findings of one severity, by check.
fn section(out: &mut String, report: &Report<'_>, findings: &[&Finding], title: &str, style: Style) {
    if findings.is_empty() {
        return;
    }
    let _ = writeln!(out, "{style}{title}{style:#}");
    for of_check in findings.chunk_by(|a, b| a.check == b.check) {
        let Some(first) = of_check.first() else { continue };
        let check = report.catalogue.check(first.check.as_str());
        let bold = Style::new().bold();
        let heading = check.map_or("", |c| c.file.title.as_str());
        let _ = writeln!(out, "\n  {style}{}{style:#}  {bold}{heading}{bold:#}  {}", first.check, times(of_check.len()));
        let (with_source, named) = if report.meta.full { (usize::MAX, usize::MAX) } else { (EXCERPTS_MAX, NAMED_MAX) };
        for (n, finding) in of_check.iter().take(named).enumerate() {
            one(out, report, finding, n < with_source);
        }
        if of_check.len() > named {
            let _ = writeln!(out, "    ... and {} more (--full shows all)", of_check.len() - named);
        }
        if let Some(check) = check {
            way_out(out, check);
        }
    }
    out.push('\n');
}

fn times(n: usize) -> String {
    if n == 1 { String::new() } else { format!("({n})") }
}

fn one(out: &mut String, report: &Report<'_>, finding: &Finding, with_source: bool) {
    let resource = &finding.resource;
    let dim = Style::new().dimmed();
    let name = match &resource.name {
        Some(name) if *name != resource.id => format!(" {dim}{}{dim:#}", printable(name)),
        _ => String::new(),
    };
    let worlds = if finding.worlds.is_empty() {
        String::new()
    } else {
        format!(" {dim}when {}{dim:#}", printable(&finding.worlds.join(" or ")))
    };
    let _ = writeln!(out, "    {}{name}: {}{worlds}", printable(&resource.id), printable(&finding.message));
    match excerpt(report, finding).filter(|_| with_source) {
        Some(text) => {
            for line in text.lines() {
                let _ = writeln!(out, "    {line}");
            }
        }
        None => {
            let _ = writeln!(out, "      {dim}{}{dim:#}", place(finding));
        }
    }
}

fn place(finding: &Finding) -> String {
    let resource = &finding.resource;
    match (&resource.file, resource.span) {
        (Some(file), Some(span)) => format!("{}:{}:{}", printable(file), span.line, span.column),
        (Some(file), None) => printable(file).into_owned(),
        (None, _) => {
            let account = resource.account.as_ref().map_or("", |a| a.as_str());
            let region = resource.region.as_ref().map_or("global", |r| r.as_str());
            format!("{account} {region}")
        }
    }
}

/// The offending lines, marked.
fn excerpt(report: &Report<'_>, finding: &Finding) -> Option<String> {
    let (file, span) = (finding.resource.file.as_deref()?, finding.resource.span?);
    let last = span.end_line.max(span.line).min(span.line + LINES_MAX - 1);
    let text = crate::source::lines(report, finding, span.line, last)?;
    let text: String = text.lines().map(|l| printable(l).into_owned() + "\n").collect();
    let range = range(&text, span, last);
    let file = printable(file).into_owned();
    let snippet = Snippet::source(text)
        .line_start(span.line as usize)
        .path(file)
        .fold(false)
        .annotation(AnnotationKind::Primary.span(range));
    let group = annotate_snippets::Group::with_level(Level::ERROR).element(snippet);
    Some(Renderer::styled().decor_style(DecorStyle::Ascii).render(&[group]).trim_end().to_owned())
}

/// The bytes of `span` in a text that starts at its first line; one line at most is marked.
fn range(text: &str, span: Span, last: u32) -> std::ops::Range<usize> {
    let line = text.lines().next().unwrap_or_default();
    let byte = |column: u32| line.char_indices().nth(column.saturating_sub(1) as usize).map_or(line.len(), |(at, _)| at);
    let start = byte(span.column);
    let end = if span.end_line == span.line && last == span.line { byte(span.end_column) } else { line.trim_end().len() };
    start..end.max(start)
}

fn way_out(out: &mut String, check: &Check) {
    let dim = Style::new().dimmed();
    let _ = writeln!(out, "    {dim}fix{dim:#}  {}", check.file.fix.text.trim());
    let _ = writeln!(out, "    {dim}more{dim:#} palisade explain {}", check.id);
}

fn unknowns(out: &mut String, report: &Report<'_>, findings: &[&Finding]) {
    if findings.is_empty() {
        return;
    }
    let style = Style::new().bold().fg_color(Some(AnsiColor::Magenta.into()));
    let _ = writeln!(out, "{style}UNKNOWN{style:#}  what decides it could not be read\n");
    for of_check in findings.chunk_by(|a, b| a.check == b.check) {
        let Some(first) = of_check.first() else { continue };
        let heading = report.catalogue.check(first.check.as_str()).map_or("", |c| c.file.title.as_str());
        let _ = writeln!(out, "  {style}{}{style:#}  {heading}  {}", first.check, times(of_check.len()));
        let named = if report.meta.full { usize::MAX } else { EXCERPTS_MAX };
        for finding in of_check.iter().take(named) {
            let _ = writeln!(out, "    {}: {}", printable(&finding.resource.id), printable(&finding.message));
        }
        if of_check.len() > named {
            let _ = writeln!(out, "    ... and {} more", of_check.len() - named);
        }
    }
    out.push('\n');
}

fn passes(out: &mut String, report: &Report<'_>) {
    let style = Style::new().bold().fg_color(Some(AnsiColor::Green.into()));
    let _ = writeln!(out, "{style}PASS{style:#}\n");
    for finding in report.outcome.findings.iter().filter(|f| f.verdict == Verdict::Pass) {
        let _ = writeln!(out, "  {}  {}", finding.check, printable(&finding.resource.id));
    }
    out.push('\n');
}

fn gaps(out: &mut String, gaps: &[Gap]) {
    let unread = unread(gaps);
    if unread.is_empty() {
        return;
    }
    let style = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
    let _ = writeln!(out, "{style}NOT READ{style:#}");
    for line in unread.iter().flat_map(|told| told.lines()) {
        let _ = writeln!(out, "  {line}");
    }
    out.push('\n');
}

fn closing(out: &mut String, report: &Report<'_>) {
    let counts: Counts = report.counts();
    let mut parts: Vec<String> = Vec::new();
    for severity in Severity::ALL.iter().rev().filter(|s| counts.fails(**s) > 0) {
        let style = style(*severity);
        parts.push(format!("{style}{} {}{style:#}", counts.fails(*severity), severity.name()));
    }
    if counts.failed() == 0 {
        parts.push("nothing fails".to_owned());
    }
    parts.push(format!("{} unknown", counts.unknown));
    parts.push(format!("{} pass", counts.pass));
    if counts.suppressed > 0 {
        parts.push(format!("{} accepted", counts.suppressed));
    }
    let bold = Style::new().bold();
    let _ = writeln!(out, "{bold}{} resources{bold:#}: {}", report.meta.resources, parts.join(" · "));
    let line = &report.outcome.line;
    if line.owned > 0 {
        let owned = |cell: &&LayerCell| cell.owner == Owner::Customer;
        let failing = line.types.iter().flat_map(|t| &t.layers).filter(owned).filter(|c| c.state == LayerState::Fail).count();
        let _ = writeln!(
            out,
            "{bold}your side of the line{bold:#}: {} of {} layers that are yours have a check, {failing} fail (palisade line)",
            line.owned_checked, line.owned
        );
    }
}

fn style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Critical | Severity::High => AnsiColor::Red,
        Severity::Medium => AnsiColor::Yellow,
        Severity::Low => AnsiColor::Cyan,
        Severity::Info => AnsiColor::Blue,
    };
    let style = Style::new().bold().fg_color(Some(colour.into()));
    if severity == Severity::Critical { style.invert() } else { style }
}
