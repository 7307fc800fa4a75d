//! OCSF: Detection Finding (2004), Authentication (3002) and API Activity (6003), <https://schema.ocsf.io>.

use model::{Confidence, Severity};
use serde_json::{Value, json};

use crate::detection::{Answer, Detection, Fact};
use crate::ruleset::RuleSet;
use crate::sighting::Sighting;

/// The OCSF version the events are written in.
pub const OCSF_VERSION: &str = "1.5.0";

pub(crate) fn severity(severity: Severity) -> (u8, &'static str) {
    match severity {
        Severity::Info => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

pub(crate) fn confidence(confidence: Confidence) -> (u8, &'static str) {
    match confidence {
        Confidence::Low => (1, "Low"),
        Confidence::Medium => (2, "Medium"),
        Confidence::High => (3, "High"),
    }
}

pub(crate) fn product() -> Value {
    json!({"name": "Palisade", "vendor_name": "Palisade"})
}

/// A detection as a Detection Finding, class 2004.
pub fn ocsf_finding(detection: &Detection, rules: &RuleSet) -> Value {
    let Some(rule) = rules.rule(detection.rule) else { return Value::Null };
    let (severity_id, severity) = severity(detection.severity(rules));
    let (confidence_id, confidence) = confidence(detection.confidence(rules));
    let attacks: Vec<Value> = rule.techniques().iter().map(|id| json!({"technique": {"uid": id}, "version": "17"})).collect();
    let resources: Vec<Value> = detection.resources.iter().map(|name| json!({"uid": name})).collect();
    let uid = format!("{}-{}-{}", detection.incident, rule.id, detection.first);
    let answer = |fact: &Fact| match fact.answer {
        Answer::Yes => "yes",
        Answer::No => "no",
        Answer::Unknown => "unknown",
    };
    let place = |(address, place): (&String, &String)| json!({"name": "address", "value": address, "type": "geoip", "data": {"text": place}});
    let enrichments: Vec<Value> = detection
        .context
        .iter()
        .map(|fact| json!({"name": "resource", "value": fact.about, "type": "inventory", "data": {"answer": answer(fact), "text": fact.text}}))
        .chain(detection.places.iter().map(place))
        .collect();
    let mut finding = json!({
        "class_uid": 2004, "class_name": "Detection Finding", "category_uid": 2, "category_name": "Findings",
        "activity_id": 1, "activity_name": "Create", "type_uid": 200_401, "type_name": "Detection Finding: Create",
        "time": detection.last * 1000, "start_time": detection.first * 1000, "end_time": detection.last * 1000,
        "count": detection.count, "severity_id": severity_id, "severity": severity,
        "confidence_id": confidence_id, "confidence": confidence, "status_id": 1, "status": "New",
        "message": rule.title,
        "metadata": {"version": OCSF_VERSION, "product": product(), "profiles": ["cloud"]},
        "finding_info": {
            "uid": uid, "title": rule.title, "desc": rule.description,
            "analytic": {"uid": rule.id, "name": rule.title, "type_id": 1, "type": "Rule"},
            "attacks": attacks, "first_seen_time": detection.first * 1000, "last_seen_time": detection.last * 1000,
            "related_events": detection.events.iter().map(|id| json!({"uid": id})).collect::<Vec<_>>(),
        },
        "cloud": {
            "provider": "AWS", "region": detection.regions.first(),
            "account": {"uid": detection.accounts.first(), "type_id": 10, "type": "AWS Account"},
        },
        "evidences": [{"actor": {"user": {"uid": detection.actor.id, "type": detection.actor.class.name()}}}],
        "resources": resources,
    });
    if let Some(map) = finding.as_object_mut().filter(|_| !enrichments.is_empty()) {
        map.insert("enrichments".to_owned(), Value::Array(enrichments));
    }
    finding
}

/// A record as API Activity, class 6003, or for sign-ins as Authentication, class 3002.
pub fn ocsf_activity(event: &Sighting) -> Value {
    let sign_in = &*event.source == "signin.amazonaws.com";
    let (class, name, category, category_name) = if sign_in {
        (3002, "Authentication", 3, "Identity & Access Management")
    } else {
        (6003, "API Activity", 6, "Application Activity")
    };
    let (activity, activity_name) = if sign_in { (1, "Logon") } else { verb(&event.name) };
    let (status_id, status) = if event.error.is_some() { (2, "Failure") } else { (1, "Success") };
    let resources: Vec<Value> = event.resources.iter().map(|arn| json!({"uid": arn})).collect();
    let mut made = json!({
        "class_uid": class, "class_name": name, "category_uid": category, "category_name": category_name,
        "activity_id": activity, "activity_name": activity_name, "type_uid": class * 100 + activity,
        "type_name": format!("{name}: {activity_name}"), "time": event.time * 1000, "severity_id": 1, "severity": "Informational",
        "status_id": status_id, "status": status,
        "metadata": {"version": OCSF_VERSION, "uid": event.id, "profiles": ["cloud"], "product": {"name": "CloudTrail", "vendor_name": "AWS"}},
        "api": {"operation": event.name, "service": {"name": event.source}, "response": {"error": event.error}},
        "actor": {"user": {
            "uid": event.actor.id, "type": event.actor.class.name(), "credential_uid": event.actor.access_key,
            "account": {"uid": event.actor.account, "type_id": 10, "type": "AWS Account"},
        }},
        "cloud": {"provider": "AWS", "region": event.region, "account": {"uid": event.account, "type_id": 10, "type": "AWS Account"}},
        "src_endpoint": endpoint(&event.address),
        "http_request": {"user_agent": event.agent},
        "resources": resources,
    });
    if sign_in && let Some(map) = made.as_object_mut() {
        map.insert("user".to_owned(), json!({"uid": event.actor.id, "type": event.actor.class.name()}));
    }
    made
}

fn endpoint(address: &str) -> Value {
    if address.parse::<std::net::IpAddr>().is_ok() { json!({"ip": address}) } else { json!({"domain": address}) }
}

fn verb(name: &str) -> (i32, &'static str) {
    let starts = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
    if starts(&["Create", "Run", "Allocate", "Import", "Register", "Request"]) {
        (1, "Create")
    } else if starts(&["Get", "List", "Describe", "Head", "Lookup", "Search", "Batch", "Query", "Scan", "Select"]) {
        (2, "Read")
    } else if starts(&[
        "Update", "Put", "Modify", "Attach", "Detach", "Add", "Remove", "Set", "Enable", "Disable", "Start", "Stop",
    ]) {
        (3, "Update")
    } else if starts(&["Delete", "Terminate", "Deregister", "Release"]) {
        (4, "Delete")
    } else {
        (99, "Other")
    }
}
