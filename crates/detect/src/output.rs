//! Detections as text: JSON Lines, CSV, OCSF, an ATT&CK Navigator layer, a timeline, a page; and as Parquet.
//!
//! Absent on purpose: writing. Every function gives text, bytes or a JSON value back.

mod csv;
mod html;
mod navigator;
mod ocsf;
mod parquet;
mod text;

pub(crate) use csv::csv_cell;
pub use csv::{csv_header, csv_row};
pub(crate) use html::escaped;
pub use html::html;
pub use navigator::{Watched, navigator};
pub use ocsf::{OCSF_VERSION, ocsf_activity, ocsf_finding};
pub(crate) use ocsf::{confidence as ocsf_confidence, product as ocsf_product, severity as ocsf_severity};
pub use parquet::{FILE_EVENTS_MAX, LakeFile, lake};
pub use text::text;

use std::sync::Arc;

use logs::time;
use serde_json::{Map, Value, json};

use crate::detection::Detection;
use crate::engine::Match;
use crate::matcher::Hit;
use crate::ruleset::RuleSet;

/// The schema of a [`line`].
pub const SCHEMA: &str = "palisade/detection/1";

/// A detection as one JSON line, without its line end. `inputs` are the names of the inputs by number.
pub fn line(detection: &Detection, rules: &RuleSet, inputs: &[String]) -> Value {
    let Some(rule) = rules.rule(detection.rule) else { return Value::Null };
    let file = inputs.get(detection.input as usize);
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| {
        map.insert(key.to_owned(), value);
    };
    put("schema", json!(SCHEMA));
    put("rule", json!(rule.id));
    put("title", json!(rule.title));
    put("severity", json!(detection.severity(rules).name()));
    put("confidence", json!(detection.confidence(rules).name()));
    put("technique", json!(rule.techniques()));
    put("tactic", json!(rule.tactics()));
    put("actor", json!(detection.actor));
    put("first_seen", json!(time::text(detection.first)));
    put("last_seen", json!(time::text(detection.last)));
    put("count", json!(detection.count));
    put("failed", json!(detection.failed));
    put("events", json!(detection.events));
    put("resources", json!(detection.resources));
    put("calls", json!(detection.calls));
    put("addresses", json!(detection.addresses));
    put("regions", json!(detection.regions));
    put("accounts", json!(detection.accounts));
    put("agents", json!(detection.agents));
    if !detection.context.is_empty() {
        put("context", json!(detection.context));
        put("raised", json!(detection.raised));
    }
    if !detection.places.is_empty() {
        put("places", json!(detection.places));
    }
    put("incident", json!(detection.incident));
    put("guardduty", json!(rule.extra.guardduty));
    put("next", json!(rule.extra.next));
    put("source", json!({"file": file, "record": detection.record}));
    Value::Object(map)
}

/// One rule and one event as one JSON line, for comparing engines: a [`line`] of this event alone, and `event`, its id.
pub fn match_line(found: &Match, rules: &RuleSet, inputs: &[String]) -> Value {
    let hit = Hit { rule: found.rule, event: Arc::clone(&found.event), values: Arc::default() };
    let mut detection = Detection::new(found.rule, &hit);
    detection.add(&hit, std::iter::empty());
    let mut value = line(&detection, rules, inputs);
    if let Some(map) = value.as_object_mut() {
        map.shift_remove("incident");
        map.insert("event".to_owned(), json!(found.event.id));
    }
    value
}
