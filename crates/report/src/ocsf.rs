//! OCSF 1.5 Compliance Finding (class 2003) with the cloud profile, one event to a line: the form that Amazon Data Firehose,
//! Athena's and Glue's JSON readers and most collectors take. (Security Lake itself keeps Parquet, made from these lines.)
//!
//! The compliance status carries the verdict: Pass, Fail, and Warning for what could not be told. The finding's own status is
//! New, Suppressed for what was accepted, Resolved for passes. What matters and could not be read is an event too.
//!
//! Absent on purpose: the times of a finding over several runs. A report knows its own run alone.

use catalogue::Check;
use jiff::Timestamp;
use model::{Confidence, Finding, Gap, Severity, Verdict};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::Report;
use crate::standard::{partition, reasons, requirements, standards};

const VERSION: &str = "1.5.0";

/// The report as OCSF events, one JSON object to a line.
pub fn ocsf(report: &Report<'_>) -> String {
    let time = report.meta.time.parse::<Timestamp>().map_or(0, Timestamp::as_millisecond);
    let findings = report.shown().map(|f| event(report, f, time));
    let gaps = report.outcome.gaps.iter().filter(|g| g.matters).map(|g| unread(report, g, time));
    let mut lines = String::new();
    for event in findings.chain(gaps) {
        lines.push_str(&event.to_string());
        lines.push('\n');
    }
    lines
}

/// What every event of the class holds.
fn frame(report: &Report<'_>, time: i64, severity: Severity) -> Map<String, Value> {
    let mut event = Map::new();
    let mut put = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    put("activity_id", 1.into());
    put("activity_name", "Create".into());
    put("category_uid", 2.into());
    put("category_name", "Findings".into());
    put("class_uid", 2003.into());
    put("class_name", "Compliance Finding".into());
    put("type_uid", 200_301.into());
    put("type_name", "Compliance Finding: Create".into());
    put("time", time.into());
    let (id, name) = severity_of(severity);
    put("severity_id", id.into());
    put("severity", name.into());
    put(
        "metadata",
        json!({
            "version": VERSION,
            "product": { "name": "Palisade", "vendor_name": "Palisade", "version": report.meta.version },
            "profiles": ["cloud"],
        }),
    );
    event
}

fn event(report: &Report<'_>, finding: &Finding, time: i64) -> Value {
    let check = report.catalogue.check(finding.check.as_str());
    let title = check.map_or(finding.check.as_str(), |c| c.file.title.as_str());
    let mut event = frame(report, time, finding.severity);
    let mut put = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    let (status_id, status) = match (finding.verdict, &finding.suppression) {
        (Verdict::Pass, _) => (4, "Resolved"),
        (_, Some(_)) => (3, "Suppressed"),
        (_, None) => (1, "New"),
    };
    put("status_id", status_id.into());
    put("status", status.into());
    if let Some(suppression) = &finding.suppression {
        put("comment", suppression.reason.as_str().into());
    }
    let (confidence_id, confidence) = match finding.confidence {
        Confidence::Low => (1, "Low"),
        Confidence::Medium => (2, "Medium"),
        Confidence::High => (3, "High"),
    };
    put("confidence_id", confidence_id.into());
    put("confidence", confidence.into());
    put("message", (*finding.message).into());
    put(
        "finding_info",
        json!({
            "uid": format!("palisade-{}", finding.fingerprint),
            "title": title,
            "desc": check.map_or(&*finding.message, |c| c.file.why.trim()),
            "created_time": time,
            "analytic": { "uid": finding.check, "name": title, "type_id": 1, "type": "Rule" },
        }),
    );
    put("compliance", compliance(finding));
    put("resources", json!([resource(finding)]));
    put(
        "cloud",
        cloud(finding.resource.account.as_ref().map(|a| a.as_str()), finding.resource.region.as_ref().map(|r| r.as_str())),
    );
    if let Some(check) = check {
        put("remediation", remediation(check));
    }
    put("unmapped", unmapped(finding));
    Value::Object(event)
}

fn compliance(finding: &Finding) -> Value {
    let (status_id, status) = match finding.verdict {
        Verdict::Pass => (1, "Pass"),
        Verdict::Unknown => (2, "Warning"),
        Verdict::Fail => (3, "Fail"),
    };
    let mut compliance = json!({
        "control": finding.check,
        "standards": standards(&finding.same_as),
        "requirements": requirements(&finding.same_as),
        "status": status,
        "status_id": status_id,
    });
    if let (Some(reasons), Value::Object(compliance)) = (reasons(finding), &mut compliance) {
        compliance.insert("status_details".to_owned(), json!([reasons]));
    }
    compliance
}

fn resource(finding: &Finding) -> Value {
    let of = &finding.resource;
    let mut data = Map::new();
    if let Some(file) = &of.file {
        data.insert("file".to_owned(), (&**file).into());
    }
    if let Some(span) = of.span {
        data.insert("line".to_owned(), span.line.into());
        data.insert("column".to_owned(), span.column.into());
    }
    let mut resource = json!({ "uid": &*of.id, "name": of.name.as_deref().unwrap_or(&of.id), "type": of.type_name });
    if let Value::Object(resource) = &mut resource {
        if let Some(region) = &of.region {
            resource.insert("region".to_owned(), region.as_str().into());
        }
        if let Some(partition) = partition(finding) {
            resource.insert("cloud_partition".to_owned(), partition.into());
        }
        if !data.is_empty() {
            resource.insert("data".to_owned(), Value::Object(data));
        }
    }
    resource
}

fn cloud(account: Option<&str>, region: Option<&str>) -> Value {
    let mut cloud = Map::new();
    cloud.insert("provider".to_owned(), "AWS".into());
    if let Some(account) = account {
        cloud.insert("account".to_owned(), json!({ "uid": account, "type_id": 10, "type": "AWS Account" }));
    }
    if let Some(region) = region {
        cloud.insert("region".to_owned(), region.into());
    }
    Value::Object(cloud)
}

fn remediation(check: &Check) -> Value {
    json!({ "desc": check.file.fix.text.trim(), "references": check.file.refs })
}

/// What the class has no place for.
fn unmapped(finding: &Finding) -> Value {
    let evidence: Map<String, Value> = finding.evidence.iter().map(|e| (e.path.to_string(), e.value.clone())).collect();
    let mut unmapped = json!({
        "evidence": evidence, "pillar": finding.pillar, "layer": finding.layer, "same_as": finding.same_as,
        "worlds": finding.worlds.iter().map(|w| &**w).collect::<Vec<_>>(),
    });
    if let (Some(suppression), Value::Object(unmapped)) = (&finding.suppression, &mut unmapped) {
        unmapped.insert("suppression".to_owned(), json!(suppression));
    }
    unmapped
}

/// The event of something that matters and could not be read: nobody can say what is in there.
fn unread(report: &Report<'_>, gap: &Gap, time: i64) -> Value {
    let file = gap.file.as_deref().unwrap_or_default();
    let uid = gap_uid(gap);
    let mut event = frame(report, time, Severity::Info);
    let mut put = |name: &str, value: Value| drop(event.insert(name.to_owned(), value));
    put("status_id", 1.into());
    put("status", "New".into());
    put("message", format!("{}: {}", gap.what, gap.detail).into());
    put("finding_info", json!({ "uid": uid, "title": "Not read", "desc": gap.detail, "created_time": time }));
    let compliance = json!({ "control": "palisade-gap", "standards": ["Palisade"], "status": "Warning", "status_id": 2 });
    put("compliance", compliance);
    put("resources", json!([{ "uid": gap.what, "name": gap.what, "type": gap.type_name, "data": { "file": file } }]));
    put("cloud", cloud(gap.account.as_ref().map(|a| a.as_str()), gap.region.as_ref().map(|r| r.as_str())));
    if let Some(help) = &gap.help {
        put("remediation", json!({ "desc": help }));
    }
    put("unmapped", json!({ "gap": gap }));
    Value::Object(event)
}

/// A stable name of a gap: it does not change when lines move.
pub(crate) fn gap_uid(gap: &Gap) -> String {
    let account = gap.account.as_ref().map_or("", |a| a.as_str());
    let region = gap.region.as_ref().map_or("", |r| r.as_str());
    let named = [gap.what.as_str(), gap.file.as_deref().unwrap_or_default(), &gap.detail, account, region].join("\0");
    let digest = Sha256::digest(named.as_bytes());
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("palisade-gap-{hex}")
}

/// `severity_id` and its caption.
fn severity_of(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}
