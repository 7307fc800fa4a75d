//! Findings in the forms that others read: CSV rows under the columns of detections, and OCSF Detection Findings (2004).

use logs::time;
use serde_json::{Value, json};

use super::{incident, message, port_text};
use crate::flow::detector::Detector;
use crate::flow::finding::Finding;
use crate::output::{OCSF_VERSION, csv_cell, ocsf_confidence, ocsf_product, ocsf_severity};

fn words<T: ToString>(list: impl IntoIterator<Item = T>) -> String {
    list.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(" ")
}

/// A finding as one row under [`crate::output::csv_header`], without its line end.
pub fn csv_row(finding: &Finding, detectors: &[Detector]) -> String {
    let Some(detector) = detectors.get(finding.detector) else { return String::new() };
    let cells = [
        time::text(finding.first),
        time::text(finding.last),
        finding.severity.name().to_owned(),
        finding.confidence.name().to_owned(),
        detector.id.clone(),
        detector.title.clone(),
        detector.technique.join(" "),
        finding.actor_text(),
        "address".to_owned(),
        finding.flows.to_string(),
        words(finding.ports.iter().map(port_text)),
        words(&finding.targets),
        String::new(),
        String::new(),
        words(&finding.interfaces),
        incident(finding),
    ];
    cells.iter().map(|cell| csv_cell(cell)).collect::<Vec<_>>().join(",")
}

/// A finding as a Detection Finding, class 2004.
pub fn ocsf(finding: &Finding, detectors: &[Detector]) -> Value {
    let Some(detector) = detectors.get(finding.detector) else { return Value::Null };
    let (severity_id, severity) = ocsf_severity(finding.severity);
    let (confidence_id, confidence) = ocsf_confidence(finding.confidence);
    let attacks: Vec<Value> = detector.technique.iter().map(|id| json!({"technique": {"uid": id}, "version": "17"})).collect();
    let resources: Vec<Value> =
        finding.interfaces.iter().map(|name| json!({"uid": name, "type": "AWS::EC2::NetworkInterface"})).collect();
    let evidences: Vec<Value> = finding
        .targets
        .iter()
        .map(|target| json!({"src_endpoint": {"ip": finding.actor.map(|a| a.to_string())}, "dst_endpoint": {"ip": target.to_string()}}))
        .collect();
    json!({
        "class_uid": 2004, "class_name": "Detection Finding", "category_uid": 2, "category_name": "Findings",
        "activity_id": 1, "activity_name": "Create", "type_uid": 200_401, "type_name": "Detection Finding: Create",
        "time": finding.last * 1000, "start_time": finding.first * 1000, "end_time": finding.last * 1000,
        "count": finding.flows, "severity_id": severity_id, "severity": severity,
        "confidence_id": confidence_id, "confidence": confidence, "status_id": 1, "status": "New",
        "message": message(finding, detector),
        "metadata": {"version": OCSF_VERSION, "product": ocsf_product(), "profiles": ["cloud"]},
        "finding_info": {
            "uid": format!("{}-{}-{}", incident(finding), detector.id, finding.first),
            "title": detector.title, "desc": detector.why,
            "analytic": {"uid": detector.id, "name": detector.title, "type_id": 1, "type": "Rule"},
            "attacks": attacks, "first_seen_time": finding.first * 1000, "last_seen_time": finding.last * 1000,
        },
        "cloud": {"provider": "AWS"},
        "evidences": evidences,
        "resources": resources,
    })
}
