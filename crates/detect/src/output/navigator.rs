//! An ATT&CK Navigator layer: which techniques the rules and detectors know, and which were seen.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::detection::Detection;
use crate::flow::Detector;
use crate::ruleset::RuleSet;

/// A flow log detector that could judge, and how often it found something that no approval allows.
#[derive(Clone, Copy)]
pub struct Watched<'d> {
    /// The detector.
    pub detector: &'d Detector,
    /// Its findings.
    pub found: u64,
}

/// Where the techniques of CloudTrail rules happen.
const CLOUD: &[&str] = &["IaaS", "Identity Provider", "SaaS"];

/// Where those of flow log detectors happen besides: hosts, networks, and before anything is reached.
const NETWORK: &[&str] = &["Linux", "Network Devices", "PRE", "Windows"];

/// A layer of format 4.5: the score of a technique is how many detections show it; 0 means that a rule or a detector would.
pub fn navigator(detections: &[Detection], rules: &RuleSet, flows: &[Watched<'_>]) -> Value {
    let mut scores: BTreeMap<String, (u64, Vec<&str>)> = BTreeMap::new();
    for watched in flows {
        for technique in &watched.detector.technique {
            let (score, titles) = scores.entry(technique.clone()).or_default();
            *score += watched.found;
            titles.push(&watched.detector.title);
        }
    }
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
    let (name, platforms) = match flows {
        [] => ("Palisade: CloudTrail", CLOUD.to_vec()),
        _ => ("Palisade: CloudTrail and flow logs", [CLOUD, NETWORK].concat()),
    };
    json!({
        "name": name,
        "versions": {"attack": "17", "navigator": "5.1.0", "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": "Score: how many detections show the technique. 0: it is looked for and was not found.",
        "filters": {"platforms": platforms},
        "gradient": {"colors": ["#dce9f5", "#f5a623", "#d0021b"], "minValue": 0, "maxValue": most},
        "techniques": techniques,
    })
}
