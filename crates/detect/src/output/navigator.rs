//! An ATT&CK Navigator layer: which techniques the rules know, and which were seen.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::detection::Detection;
use crate::ruleset::RuleSet;

/// A layer of format 4.5: the score of a technique is how many detections show it; 0 means that a rule would.
pub fn navigator(detections: &[Detection], rules: &RuleSet) -> Value {
    let mut scores: BTreeMap<String, (u64, Vec<&str>)> = BTreeMap::new();
    for rule in rules.rules() {
        for technique in rule.techniques() {
            scores.entry(technique).or_default().1.push(&rule.title);
        }
    }
    for detection in detections {
        for technique in rules.rule(detection.rule).map(|rule| rule.techniques()).unwrap_or_default() {
            scores.entry(technique).or_default().0 += 1;
        }
    }
    let most = scores.values().map(|(score, _)| *score).max().unwrap_or(0).max(1);
    let techniques: Vec<Value> = scores
        .iter()
        .map(|(id, (score, titles))| json!({"techniqueID": id, "score": score, "comment": titles.join("; "), "enabled": true}))
        .collect();
    json!({
        "name": "Palisade: CloudTrail",
        "versions": {"attack": "17", "navigator": "5.1.0", "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": "Score: how many detections show the technique. 0: a rule looks for it and found nothing.",
        "filters": {"platforms": ["IaaS", "Identity Provider", "SaaS"]},
        "gradient": {"colors": ["#dce9f5", "#f5a623", "#d0021b"], "minValue": 0, "maxValue": most},
        "techniques": techniques,
    })
}
