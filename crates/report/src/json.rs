//! `palisade/scan/1`: the stable form that other programs read. `docs/reference/schema/scan.schema.json` describes it.

use std::io;

use model::{Evidence, Finding, ResourceRef, Severity};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json as object};

use crate::{Counts, Report};

/// The name and version of the form.
pub(crate) const SCHEMA: &str = "palisade/scan/1";

/// The whole report as one JSON document, a finding a line, with a newline at the end.
///
/// # Errors
/// Those of `out`.
pub fn json(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let meta = &report.meta;
    write!(out, "{{\n  \"schema\": \"{SCHEMA}\",\n  \"tool\": ")?;
    serde_json::to_writer(&mut *out, &object!({ "name": "palisade", "version": meta.version }))?;
    member(out, "time", &meta.time)?;
    member(out, "inputs", &meta.inputs)?;
    out.write_all(b",\n  \"findings\": [")?;
    let mut line = Vec::new();
    for (at, finding) in report.shown().enumerate() {
        line.clear();
        line.extend_from_slice(if at == 0 { b"\n    " } else { b",\n    " });
        serde_json::to_writer(&mut line, &Written(finding))?;
        out.write_all(&line)?;
    }
    out.write_all(b"\n  ]")?;
    member(out, "gaps", &report.outcome.gaps)?;
    member(out, "coverage", &report.outcome.coverage)?;
    member(out, "summary", &summary(report))?;
    out.write_all(b"\n}\n")
}

fn member(out: &mut dyn io::Write, name: &str, value: &impl Serialize) -> io::Result<()> {
    write!(out, ",\n  \"{name}\": ")?;
    Ok(serde_json::to_writer(out, value)?)
}

/// One line a finding, then one with the gaps and the summary.
///
/// # Errors
/// Those of `out`.
pub fn json_lines(report: &Report<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut line = Vec::new();
    for finding in report.shown() {
        line.clear();
        serde_json::to_writer(&mut line, &Written(finding))?;
        line.push(b'\n');
        out.write_all(&line)?;
    }
    let last = object!({ "schema": SCHEMA, "gaps": report.outcome.gaps, "summary": summary(report) });
    serde_json::to_writer(&mut *out, &last)?;
    out.write_all(b"\n")
}

/// A finding as the reports write it.
struct Written<'a>(&'a Finding);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let finding = self.0;
        let mut out = serializer.serialize_map(None)?;
        out.serialize_entry("check", &finding.check)?;
        out.serialize_entry("verdict", &finding.verdict)?;
        out.serialize_entry("severity", &finding.severity)?;
        out.serialize_entry("confidence", &finding.confidence)?;
        out.serialize_entry("resource", &About(&finding.resource))?;
        out.serialize_entry("message", &finding.message)?;
        out.serialize_entry("evidence", &Facts(&finding.evidence))?;
        out.serialize_entry("pillar", &finding.pillar)?;
        out.serialize_entry("layer", &finding.layer)?;
        out.serialize_entry("same_as", &finding.same_as)?;
        out.serialize_entry("fingerprint", &finding.fingerprint)?;
        if !finding.reasons.is_empty() {
            let reasons = finding.reasons.iter().map(|u| object!({ "reason": u.reason, "what": &*u.what }));
            out.serialize_entry("reasons", &reasons.collect::<Vec<_>>())?;
        }
        if !finding.worlds.is_empty() {
            out.serialize_entry("worlds", &finding.worlds)?;
        }
        if let Some(suppression) = &finding.suppression {
            out.serialize_entry("suppression", suppression)?;
        }
        out.end()
    }
}

struct About<'a>(&'a ResourceRef);

impl Serialize for About<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let resource = self.0;
        let mut out = serializer.serialize_map(Some(8))?;
        out.serialize_entry("id", &*resource.id)?;
        out.serialize_entry("type", &resource.type_name)?;
        out.serialize_entry("account", &resource.account)?;
        out.serialize_entry("region", &resource.region)?;
        out.serialize_entry("name", &resource.name)?;
        out.serialize_entry("file", &resource.file)?;
        out.serialize_entry("line", &resource.span.map(|s| s.line))?;
        out.serialize_entry("column", &resource.span.map(|s| s.column))?;
        out.end()
    }
}

/// Evidence by path; of two with one path the later counts.
struct Facts<'a>(&'a [Evidence]);

impl Serialize for Facts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let last = |at: usize, path: &str| self.0.iter().skip(at + 1).all(|later| *later.path != *path);
        let shown = self.0.iter().enumerate().filter(|(at, fact)| last(*at, &fact.path));
        serializer.collect_map(shown.map(|(_, fact)| (&*fact.path, &fact.value)))
    }
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
