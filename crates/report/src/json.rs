//! `palisade/scan/1`: the stable form that other programs read. `docs/reference/schema/scan.schema.json` describes it.

use model::{Finding, Severity};
use serde_json::{Map, Value, json as object};

use crate::{Counts, Report};

/// The name and version of the form.
pub(crate) const SCHEMA: &str = "palisade/scan/1";

/// The whole report as one JSON document, indented, with a newline at the end.
pub fn json(report: &Report<'_>) -> String {
    let findings: Vec<Value> = report.shown().map(finding_json).collect();
    let document = object!({
        "schema": SCHEMA,
        "tool": { "name": "palisade", "version": report.meta.version },
        "time": report.meta.time,
        "inputs": report.meta.inputs,
        "findings": findings,
        "gaps": report.outcome.gaps,
        "coverage": report.outcome.coverage,
        "summary": summary(report),
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// One line a finding, then one with the gaps and the summary.
pub fn json_lines(report: &Report<'_>) -> String {
    let mut lines = String::new();
    let last = object!({ "schema": SCHEMA, "gaps": report.outcome.gaps, "summary": summary(report) });
    for line in report.shown().map(finding_json).chain([last]) {
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    lines
}

/// One finding.
pub fn finding_json(finding: &Finding) -> Value {
    let resource = &finding.resource;
    let mut evidence = Map::new();
    for fact in &finding.evidence {
        evidence.insert(fact.path.clone(), fact.value.clone());
    }
    let mut written = object!({
        "check": finding.check,
        "verdict": finding.verdict,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "resource": {
            "id": &*resource.id,
            "type": resource.type_name,
            "account": resource.account,
            "region": resource.region,
            "name": resource.name.as_deref(),
            "file": resource.file.as_deref(),
            "line": resource.span.map(|s| s.line),
            "column": resource.span.map(|s| s.column),
        },
        "message": finding.message,
        "evidence": evidence,
        "pillar": finding.pillar,
        "layer": finding.layer,
        "same_as": finding.same_as,
        "fingerprint": finding.fingerprint,
    });
    if let Value::Object(written) = &mut written {
        if !finding.reasons.is_empty() {
            let reasons = finding.reasons.iter().map(|u| object!({ "reason": u.reason, "what": &*u.what }));
            written.insert("reasons".to_owned(), reasons.collect());
        }
        if !finding.worlds.is_empty() {
            written.insert("worlds".to_owned(), finding.worlds.iter().map(|w| Value::from(&**w)).collect());
        }
        if let Some(suppression) = &finding.suppression {
            written.insert("suppression".to_owned(), object!(suppression));
        }
    }
    written
}

fn summary(report: &Report<'_>) -> Value {
    let counts: Counts = report.counts();
    let by_severity: Map<String, Value> =
        Severity::ALL.iter().rev().map(|s| (s.name().to_owned(), counts.fails(*s).into())).collect();
    let line = &report.outcome.line;
    object!({
        "resources": report.meta.resources,
        "fail": counts.failed(),
        "unknown": counts.unknown,
        "pass": counts.pass,
        "suppressed": counts.suppressed,
        "gaps": report.outcome.gaps.iter().filter(|g| g.matters).count(),
        "fail_by_severity": by_severity,
        "layers": {
            "customer": line.owned, "customer_checked": line.owned_checked,
            "shared": line.shared, "shared_checked": line.shared_checked,
        },
    })
}
