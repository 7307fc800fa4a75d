//! SARIF 2.1.0 (OASIS) as GitHub code scanning takes it: `security-severity`, stable fingerprints, suppressions, and a
//! location for every result. Findings of a live account point at a logical location.

use std::collections::BTreeMap;

use catalogue::Check;
use model::{Finding, Severity, Verdict};
use serde_json::{Value, json};

use crate::Report;

/// GitHub takes at most this many results of a run; the rest is counted in the run's notifications.
const RESULTS_MAX: usize = 25_000;

/// The report as SARIF.
pub fn sarif(report: &Report<'_>) -> String {
    let shown: Vec<&Finding> = report.outcome.findings.iter().filter(|f| f.verdict != Verdict::Pass).collect();
    let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &shown {
        rules.insert(finding.check.as_str(), 0);
    }
    rules.values_mut().enumerate().for_each(|(n, index)| *index = n);
    let results: Vec<Value> = shown.iter().take(RESULTS_MAX).map(|f| result(f, &rules)).collect();
    let document = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "palisade",
                "semanticVersion": report.meta.version,
                "informationUri": "https://github.com/palisade-security/palisade",
                "rules": rules.keys().map(|id| rule(id, report.catalogue.check(id))).collect::<Vec<_>>(),
            } },
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications(report, shown.len()),
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// What could not be read, and what did not fit.
fn notifications(report: &Report<'_>, results: usize) -> Vec<Value> {
    let mut notes: Vec<Value> = report
        .outcome
        .gaps
        .iter()
        .filter(|g| g.matters)
        .map(|gap| {
            let mut note = json!({ "level": "warning", "message": { "text": format!("{}: {}", gap.what, gap.detail) } });
            if let (Some(file), Value::Object(note)) = (&gap.file, &mut note) {
                let line = gap.span.map_or(1, |s| s.line.max(1));
                let location = json!([{ "physicalLocation": { "artifactLocation": { "uri": uri(file) }, "region": { "startLine": line } } }]);
                note.insert("locations".to_owned(), location);
            }
            note
        })
        .collect();
    if results > RESULTS_MAX {
        let text = format!("{} more findings do not fit; the JSON report has them", results - RESULTS_MAX);
        notes.push(json!({ "level": "warning", "message": { "text": text } }));
    }
    notes
}

fn rule(id: &str, check: Option<&Check>) -> Value {
    let Some(check) = check else { return json!({ "id": id }) };
    let file = &check.file;
    let mut help = format!("{}\n\n{}\n", file.why.trim(), file.fix.text.trim());
    for (name, text) in
        [("AWS CLI", &file.fix.cli), ("CloudFormation", &file.fix.cloudformation), ("Terraform", &file.fix.terraform)]
    {
        if let Some(text) = text {
            help.push_str(&format!("\n{name}:\n\n```\n{}\n```\n", text.trim_matches('\n')));
        }
    }
    json!({
        "id": id,
        "name": id,
        "shortDescription": { "text": file.title },
        "fullDescription": { "text": file.why.trim() },
        "help": { "text": help, "markdown": help },
        "helpUri": file.refs.first(),
        "defaultConfiguration": { "level": level(file.severity) },
        "properties": {
            "tags": tags(file),
            "precision": match file.confidence {
                model::Confidence::High => "very-high",
                model::Confidence::Medium => "medium",
                model::Confidence::Low => "low",
            },
            "security-severity": score(file.severity),
            "problem.severity": level(file.severity),
        },
    })
}

fn result(finding: &Finding, rules: &BTreeMap<&str, usize>) -> Value {
    let resource = &finding.resource;
    let logical = json!([{ "name": &*resource.id, "fullyQualifiedName": format!("{}/{}", resource.type_name, resource.id), "kind": "resource" }]);
    let mut location = json!({ "logicalLocations": logical });
    if let (Some(file), Value::Object(location)) = (&resource.file, &mut location) {
        let mut physical = json!({ "artifactLocation": { "uri": uri(file) } });
        if let (Some(span), Value::Object(physical)) = (resource.span, &mut physical) {
            let region = json!({ "startLine": span.line.max(1), "startColumn": span.column.max(1),
                "endLine": span.end_line.max(span.line).max(1), "endColumn": span.end_column.max(1) });
            physical.insert("region".to_owned(), region);
        }
        location.insert("physicalLocation".to_owned(), physical);
    }
    let unknown = finding.verdict == Verdict::Unknown;
    let mut result = json!({
        "ruleId": finding.check,
        "ruleIndex": rules.get(finding.check.as_str()),
        "kind": if unknown { "open" } else { "fail" },
        "level": if unknown { "none" } else { level(finding.severity) },
        "message": { "text": format!("{}: {}", resource.id, finding.message) },
        "locations": [location],
        "partialFingerprints": { "palisade/v1": finding.fingerprint },
    });
    if let (Some(suppression), Value::Object(result)) = (&finding.suppression, &mut result) {
        let kind = if suppression.by == "inline" { "inSource" } else { "external" };
        result.insert("suppressions".to_owned(), json!([{ "kind": kind, "justification": suppression.reason }]));
    }
    result
}

/// The first one is what makes code scanning show a severity; each may stand there once.
fn tags(file: &catalogue::format::CheckFile) -> Vec<&'static str> {
    let mut tags = vec!["security", file.pillar.name(), file.layer.name()];
    tags.dedup();
    tags
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// GitHub's bands: over 9.0 critical, 7.0 to 8.9 high, 4.0 to 6.9 medium, 0.1 to 3.9 low.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "3.0",
        Severity::Info => "0.1",
    }
}

/// A relative URI reference (RFC 3986): what may not stand in one is percent-encoded.
fn uri(file: &str) -> String {
    let file = file.replace('\\', "/");
    let file = file.strip_prefix("./").unwrap_or(&file);
    let mut out = String::with_capacity(file.len());
    for byte in file.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/@+,=".contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn uris_are_encoded() {
        assert_eq!(super::uri("./a b/ü.yaml"), "a%20b/%C3%BC.yaml");
    }
}
