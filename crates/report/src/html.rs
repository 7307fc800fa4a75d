//! One HTML file that needs nothing else: no network, no fonts, no images. Every text of the input is escaped by the template
//! engine, and a content security policy lets only the two blocks run that this module wrote (CSP level 2, hash sources).

mod way;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::{Environment, Value, context};
use model::{Finding, Layer, LayerCell, LayerState, Owner, Severity, TypeLine, Verdict};
use sha2::{Digest, Sha256};

use crate::{Report, printable};

const TEMPLATE: &str = include_str!("html/report.html");
const STYLE: &str = include_str!("html/report.css");
const SCRIPT: &str = include_str!("html/report.js");

/// How many lines of source a finding shows.
const LINES_MAX: u32 = 8;
/// How many findings of one check the page holds; the JSON report has them all.
const FINDINGS_MAX: usize = 500;

/// The report as a page.
pub fn html(report: &Report<'_>) -> String {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    let page = environment.add_template("report", TEMPLATE).and_then(|()| environment.get_template("report"));
    let rendered = page.and_then(|page| page.render(facts(report)));
    rendered.unwrap_or_else(|error| format!("<!doctype html><title>Palisade</title><p>the page could not be made: {error}"))
}

fn facts(report: &Report<'_>) -> Value {
    let line = &report.outcome.line;
    let counts = report.counts();
    let mut numbers: Vec<Value> =
        Severity::ALL.iter().rev().map(|s| context! { name => s.name(), number => counts.fails(*s) }).collect();
    numbers.push(context! { name => "unknown", number => counts.unknown });
    numbers.push(context! { name => "pass", number => counts.pass });
    numbers.push(context! { name => "accepted", number => counts.suppressed });
    let services: Vec<Value> = line
        .types
        .chunk_by(|a, b| a.service == b.service)
        .filter_map(|of| {
            let first = of.first()?;
            Some(context! { name => &first.service, class => first.class.name(), types => of.iter().map(type_row).collect::<Vec<_>>() })
        })
        .collect();
    let mut service_names: Vec<String> = report.shown().map(|f| service_of(f).to_owned()).collect();
    service_names.sort_unstable();
    service_names.dedup();
    context! {
        title => report.meta.inputs.join(", "),
        meta => context! { time => &report.meta.time, version => &report.meta.version, resources => report.meta.resources, passes => report.meta.passes },
        style => STYLE, script => SCRIPT, style_hash => hash(STYLE), script_hash => hash(SCRIPT),
        counts => numbers,
        line => context! { owned => line.owned, owned_checked => line.owned_checked, shared => line.shared, shared_checked => line.shared_checked },
        layers => Layer::ALL.iter().map(|l| l.name()).collect::<Vec<_>>(),
        severities => Severity::ALL.iter().rev().map(|s| s.name()).collect::<Vec<_>>(),
        services, service_names,
        checks => checks(report),
        drawings => report.drawings.iter().map(|(title, svg)| context! { title, svg => Value::from_safe_string(svg.clone()) }).collect::<Vec<_>>(),
        gaps => report.outcome.gaps.iter().filter(|g| g.matters).map(|gap| {
            let place = match (&gap.file, gap.span) {
                (Some(file), Some(span)) => format!("{}:{}:{}", printable(file), span.line, span.column),
                (Some(file), None) => printable(file).into_owned(),
                _ => String::new(),
            };
            context! { place, what => printable(&gap.what), detail => printable(&gap.detail), help => gap.help.as_deref().map(printable) }
        }).collect::<Vec<_>>(),
    }
}

/// A CSP hash source: `sha256-...`.
fn hash(block: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(block.as_bytes())))
}

/// `S3` of `AWS::S3::Bucket`.
fn service_of(finding: &Finding) -> &str {
    finding.resource.type_name.service().rsplit("::").next().unwrap_or_default()
}

fn type_row(kind: &TypeLine) -> Value {
    let cells: Vec<Value> = kind.layers.iter().map(cell).collect();
    context! { name => kind.type_name.as_str(), resources => kind.resources.len(), cells }
}

fn cell(cell: &LayerCell) -> Value {
    let (state, mark) = match cell.state {
        LayerState::Fail => ("fail", "✕"),
        LayerState::Unknown => ("unknown", "?"),
        LayerState::NoCheck => ("no-check", "–"),
        LayerState::Pass => ("pass", "✓"),
        LayerState::Aws => ("aws", "A"),
        LayerState::Na => ("na", ""),
    };
    let layer = cell.layer.name();
    let words = match cell.state {
        LayerState::Aws => format!("{layer}: AWS's half"),
        LayerState::Na => format!("{layer}: does not exist here"),
        LayerState::NoCheck => format!("{layer}: {}, no check", cell.owner.name()),
        _ => format!("{layer}: {}, {} fail, {} unknown, {} pass", cell.owner.name(), cell.fail, cell.unknown, cell.pass),
    };
    let filter = matches!(cell.state, LayerState::Fail | LayerState::Unknown);
    context! { state, mark, layer, words, filter, shared => cell.owner == Owner::Shared }
}

fn checks(report: &Report<'_>) -> Vec<Value> {
    let shown: Vec<&Finding> = report.shown().collect();
    let groups = shown.chunk_by(|a, b| a.check == b.check && a.verdict == b.verdict);
    groups.filter_map(|of| Some(check(report, of.first()?, of))).collect()
}

fn check(report: &Report<'_>, first: &Finding, findings: &[&Finding]) -> Value {
    let known = report.catalogue.check(first.check.as_str()).map(|c| &c.file);
    let ways: Vec<Value> = known
        .into_iter()
        .flat_map(|c| [("AWS CLI", &c.fix.cli), ("CloudFormation", &c.fix.cloudformation), ("Terraform", &c.fix.terraform)])
        .filter_map(|(name, text)| Some(context! { name, text => text.as_ref()?.trim_matches('\n') }))
        .collect();
    let same_as: Vec<String> = first.same_as.iter().map(|(list, ids)| format!("{list} {}", ids.join(", "))).collect();
    let badge = if first.verdict == Verdict::Fail { first.severity.name() } else { first.verdict.name() };
    context! {
        id => first.check.as_str(), severity => first.severity.name(), verdict => first.verdict.name(), badge,
        layer => first.layer.name(), confidence => first.confidence.name(), service => service_of(first),
        type => first.resource.type_name.as_str(),
        title => known.map_or("", |c| &c.title), why => known.map_or("", |c| c.why.trim()),
        fix => known.map_or("", |c| c.fix.text.trim()), refs => known.map(|c| &c.refs), ways, same_as => same_as.join(" · "),
        findings => findings.iter().take(FINDINGS_MAX).map(|f| finding(report, f)).collect::<Vec<_>>(),
    }
}

fn finding(report: &Report<'_>, finding: &Finding) -> Value {
    let resource = &finding.resource;
    let place = match (&resource.file, resource.span) {
        (Some(file), Some(span)) => format!("{}:{}:{}", printable(file), span.line, span.column),
        (Some(file), None) => printable(file).into_owned(),
        (None, _) => {
            let region = resource.region.as_ref().map_or("global", |r| r.as_str());
            format!("{} {region}", resource.account.as_ref().map_or("", |a| a.as_str()))
        }
    };
    let name = resource.name.as_ref().filter(|n| **n != resource.id).map(|n| printable(n).into_owned());
    let search = format!("{} {} {} {place} {}", resource.id, name.as_deref().unwrap_or_default(), finding.check, finding.message);
    let evidence = finding.evidence.iter().map(|e| context! { path => &e.path, value => printable(&e.value.to_string()) });
    let suppression = finding.suppression.as_ref().map(|s| match &s.expires {
        Some(day) => format!("{} ({}, until {day})", printable(&s.reason), s.by),
        None => format!("{} ({})", printable(&s.reason), s.by),
    });
    context! {
        id => printable(&resource.id), name, place, message => printable(&finding.message),
        way => way::way(&finding.message),
        worlds => printable(&finding.worlds.join(" or ")), suppression,
        source => if finding.verdict == Verdict::Pass { None } else { source(report, finding) },
        evidence => evidence.collect::<Vec<_>>(), search => printable(&search).to_lowercase(),
    }
}

/// The offending lines with one line around them.
fn source(report: &Report<'_>, finding: &Finding) -> Option<Vec<Value>> {
    let span = finding.resource.span?;
    let first = span.line.saturating_sub(1).max(1);
    let last = span.end_line.max(span.line).min(span.line + LINES_MAX - 1);
    let text = crate::source::lines(report, finding, first, last)?;
    let rows = text.lines().zip(first..).map(|(text, number)| {
        let marked = (span.line..=span.end_line.max(span.line)).contains(&number);
        context! { number, text => printable(text), marked }
    });
    Some(rows.collect())
}
