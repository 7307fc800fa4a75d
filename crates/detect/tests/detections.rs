//! The built-in detections: each fires on its cases that fire, and on no other; each emulated technique is caught.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where its own set-up is wrong")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use detect::{Detection, Engine, Matcher, Options, RuleSet, compile};
use logs::cloudtrail::{Item, Reader};
use logs::inflate::Inflater;
use model::Severity;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn files(path: &Path, ending: &str) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.to_str().unwrap().ends_with(ending)).collect();
    found.sort();
    found.iter().map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())).collect()
}

fn texts() -> Vec<(String, String)> {
    let found = files(&folder("../../catalogue/detections/cloudtrail"), ".yml");
    found.into_iter().map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap())).collect()
}

fn every_rule() -> RuleSet {
    let texts = texts();
    let (set, problems) = compile(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    assert_eq!(problems, []);
    set
}

fn run(set: &RuleSet, inputs: &[Vec<u8>]) -> Vec<Detection> {
    let mut engine = Engine::new(set, Options::default());
    let mut inflater = Inflater::new();
    let mut text = Vec::new();
    for (number, bytes) in inputs.iter().enumerate() {
        inflater.unpack(bytes, &mut text, 1 << 30).unwrap();
        let mut matcher = Matcher::new(set, number as u32);
        let mut span: Option<(i64, i64)> = None;
        Reader::new(set.paths()).read(&text, &mut |item| match item {
            Item::Event(event) => {
                let time = detect::seconds(&event, set.standard());
                span = Some(span.map_or((time, time), |(a, b)| (a.min(time), b.max(time))));
                matcher.see(&event);
            }
            Item::Reject(reject) => panic!("{reject:?}"),
        });
        engine.add(matcher.hits, matcher.links, span);
    }
    engine.finish();
    engine.take()
}

#[test]
fn each_case_is_judged_as_it_says() {
    let mut wrong = vec![];
    let cases: BTreeMap<String, Vec<u8>> =
        files(&folder("../../catalogue/detections/cloudtrail"), ".cases.jsonl").into_iter().collect();
    let texts = texts();
    assert!(texts.len() >= 120 && texts.len() == cases.len(), "{} rules, {} case files", texts.len(), cases.len());
    for (name, text) in &texts {
        let id = name.strip_suffix(".yml").unwrap();
        let (set, problems) = compile([(name.as_str(), text.as_str())]);
        assert_eq!(problems, [], "{name}");
        let lines = std::str::from_utf8(&cases[&format!("{id}.cases.jsonl")]).unwrap().lines();
        let (mut fires, mut quiet) = (0, 0);
        for line in lines {
            let case: serde_json::Value = serde_json::from_str(line).unwrap();
            let expected = case["fires"].as_bool().unwrap();
            let found = run(&set, &[case["events"].to_string().into_bytes()]);
            let fired = found.iter().any(|detection| set.rule(detection.rule).unwrap().id == id);
            if fired != expected {
                wrong.push(format!("{id}: {} should {}fire", case["case"], if expected { "" } else { "not " }));
            }
            *(if expected { &mut fires } else { &mut quiet }) += 1;
        }
        assert!(fires > 0 && quiet > 0, "{id} needs a case that fires and one that doesn't");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_rule_says_what_a_reader_needs() {
    let set = every_rule();
    for rule in set.rules().iter().filter(|rule| !rule.description.is_empty()) {
        let id = &rule.id;
        assert!(!rule.techniques().is_empty() && !rule.tactics().is_empty(), "{id}: technique and tactic");
        assert!(rule.extra.confidence.is_some() && !rule.extra.next.is_empty() && !rule.extra.runbook.is_empty(), "{id}");
        assert!(rule.file == format!("{id}.yml"), "{id}: the file's name is the rule's");
        let text = format!("{} {}", rule.title, rule.description).to_lowercase();
        assert!(!text.contains("stratus"), "{id}: never the emulator's own marks");
    }
}

/// GuardDuty's finding types of IAM and S3 by its user guide, and those of EC2 that a call can lead to.
const GUARDDUTY: &[&str] = &[
    "CredentialAccess:IAMUser/AnomalousBehavior",
    "DefenseEvasion:IAMUser/AnomalousBehavior",
    "Discovery:IAMUser/AnomalousBehavior",
    "Exfiltration:IAMUser/AnomalousBehavior",
    "Impact:IAMUser/AnomalousBehavior",
    "InitialAccess:IAMUser/AnomalousBehavior",
    "PenTest:IAMUser/KaliLinux",
    "PenTest:IAMUser/ParrotLinux",
    "PenTest:IAMUser/PentooLinux",
    "Persistence:IAMUser/AnomalousBehavior",
    "Policy:IAMUser/RootCredentialUsage",
    "PrivilegeEscalation:IAMUser/AnomalousBehavior",
    "Stealth:IAMUser/CloudTrailLoggingDisabled",
    "Stealth:IAMUser/PasswordPolicyChange",
    "UnauthorizedAccess:IAMUser/ConsoleLoginSuccess.B",
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.InsideAWS",
    "UnauthorizedAccess:IAMUser/InstanceCredentialExfiltration.OutsideAWS",
    "Discovery:S3/AnomalousBehavior",
    "Exfiltration:S3/AnomalousBehavior",
    "Impact:S3/AnomalousBehavior.Delete",
    "Impact:S3/AnomalousBehavior.Permission",
    "Impact:S3/AnomalousBehavior.Write",
    "Policy:S3/AccountBlockPublicAccessDisabled",
    "Policy:S3/BucketAnonymousAccessGranted",
    "Policy:S3/BucketBlockPublicAccessDisabled",
    "Policy:S3/BucketPublicAccessGranted",
    "Stealth:S3/ServerAccessLoggingDisabled",
    "Impact:EC2/BitcoinDomainRequest.Reputation",
    "Recon:EC2/PortProbeUnprotectedPort",
];

#[test]
fn guardduty_types_exist() {
    let set = every_rule();
    let named = set.rules().iter().flat_map(|rule| rule.extra.guardduty.iter().map(move |name| (&rule.id, name)));
    let unknown: Vec<_> = named.filter(|(_, name)| !GUARDDUTY.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

fn worst(set: &RuleSet, found: &[Detection]) -> Option<Severity> {
    found.iter().map(|detection| set.rule(detection.rule).unwrap().level).max()
}

#[test]
fn each_emulated_technique_is_caught() {
    let set = every_rule();
    let (mut high, mut missed) = (0, vec![]);
    for (name, bytes) in files(&folder("tests/data/cloudtrail/stratus"), ".json") {
        let found = run(&set, &[bytes]);
        match worst(&set, &found) {
            Some(Severity::High | Severity::Critical) => high += 1,
            Some(Severity::Medium) => println!("medium: {name}"),
            other => missed.push((name, other)),
        }
    }
    assert_eq!(missed, []);
    assert!(high >= 17, "{high} of 18 at high");
}

/// The noise on a day of attack emulation with its set-up and clean-up by Terraform: written down so that it can't grow
/// unseen.
#[test]
fn the_noise_on_the_emulation_day_is_counted() {
    let set = every_rule();
    let inputs: Vec<Vec<u8>> =
        files(&folder("tests/data/cloudtrail/invictus"), ".gz").into_iter().map(|(_, bytes)| bytes).collect();
    let found = run(&set, &inputs);
    let mut levels: BTreeMap<Severity, usize> = BTreeMap::new();
    for detection in &found {
        let rule = set.rule(detection.rule).unwrap();
        *levels.entry(rule.level).or_default() += 1;
        println!("{} {} x{} {}", rule.level.name(), rule.id, detection.count, detection.actor.key());
    }
    println!("{levels:?}");
    assert!(found.len() <= 60, "{} detections", found.len());
}
