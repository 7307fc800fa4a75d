//! Attacks as their tools make them and days without any, as AWS writes them (versions 2 and 5, windows of 1 and 10 minutes) and
//! as logs converted from other sources have them: every attack is told, and nothing on a quiet day.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops where its own set-up is wrong")]

#[path = "traffic/attacks.rs"]
mod attacks;
#[path = "traffic/network.rs"]
mod network;
#[path = "traffic/quiet.rs"]
mod quiet;

use std::path::Path;

use detect::flow::{Detector, Finding, Fold, Inventory, Origin, Past, Setup, Threats, judge, parse_detector};
use logs::flow::{Item, Reader};
use model::Severity;
use network::{FORMS, Form, Talk};

fn detectors() -> Vec<Detector> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/detections/flowlogs");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().to_str().unwrap().to_owned());
    let mut files: Vec<String> = paths.filter(|path| !path.ends_with(".cases.toml")).collect();
    files.sort();
    files.iter().map(|path| parse_detector(path, &std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

fn fold_of(lines: &[String]) -> Fold {
    let mut fold = Fold::default();
    let mut reader = Reader::new(None, i64::MAX);
    reader.feed(lines.join("\n").as_bytes(), true, &mut |item| match item {
        Item::Record(record, byte) => fold.see(record, Origin { input: 0, byte }),
        Item::Reject(reject) => panic!("{:?} in line {}", reject.reason, reject.line),
    });
    fold.has_fields(reader.fields().0);
    fold
}

fn found(detectors: &[Detector], fold: &Fold) -> Vec<Finding> {
    let (inventory, threats, past) = (Inventory::default(), Threats::default(), Past::default());
    let setup = Setup {
        detectors,
        tunings: &[],
        inventory: &inventory,
        approvals: &[],
        threats: &threats,
        past: &past,
        alarms: false,
        reach: None,
    };
    judge(fold, &setup)
}

fn private(address: &str) -> bool {
    address.starts_with("10.")
}

/// Rule, severity and words of each finding.
type Told = Vec<(String, Severity, String)>;

fn told(detectors: &[Detector], talks: &[Talk], form: Form) -> Told {
    told_of(detectors, &fold_of(&network::log(talks, form, private)))
}

fn told_of(detectors: &[Detector], fold: &Fold) -> Told {
    let findings = found(detectors, fold);
    let told =
        |f: &Finding| (detectors[f.detector].id.clone(), f.severity, format!("{} {} {}", f.actor_text(), f.observed, f.measure));
    findings.iter().map(told).collect()
}

#[test]
fn attacks_are_told_in_every_form() {
    let detectors = detectors();
    let mut missed = vec![];
    for attack in attacks::all() {
        for form in FORMS {
            let told = told(&detectors, &attack.talks, form);
            if !told.iter().any(|(id, _, _)| attack.rules.contains(&id.as_str())) {
                missed.push(format!("{} as {form:?}: {told:?}", attack.name));
            }
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn quiet_days_are_quiet_in_every_form() {
    let detectors = detectors();
    let mut loud = vec![];
    for quiet in quiet::all() {
        for form in FORMS {
            let mut told = told(&detectors, &quiet.talks, form);
            told.retain(|(_, severity, _)| *severity >= Severity::Medium);
            if !told.is_empty() {
                loud.push(format!("{} as {form:?}: {told:?}", quiet.name));
            }
        }
    }
    assert!(loud.is_empty(), "{loud:#?}");
}

/// A network whose hosts have public addresses, as universities have, at one exporter: nothing says whose an address is but that
/// nearly all traffic has an end in one network.
#[test]
fn a_network_with_public_addresses_is_taken_for_ones_own() {
    let detectors = detectors();
    let campus = |address: &str| address.replace("10.0.0.", "147.32.84.").replace("198.51.100.7", "203.0.113.77");
    let moved = |talks: Vec<Talk>| -> Vec<Talk> {
        let end = |(address, port): (String, u16)| (campus(&address), port);
        talks.into_iter().map(|talk| Talk { client: end(talk.client), server: end(talk.server), ..talk }).collect()
    };
    let desks: Vec<Talk> = quiet::all().into_iter().filter(|q| q.name == "five desks").flat_map(|q| moved(q.talks)).collect();
    let desks = fold_of(&network::log(&desks, Form::Converted, private));
    let quiet = told_of(&detectors, &desks);
    assert!(quiet.iter().all(|(_, severity, _)| *severity < Severity::Medium), "{quiet:?}");
    let mut missed = vec![];
    for attack in attacks::all() {
        let mut both = fold_of(&network::log(&moved(attack.talks), Form::Converted, private));
        both.merge(&desks, 1);
        let told = told_of(&detectors, &both);
        if !told.iter().any(|(id, _, _)| attack.rules.contains(&id.as_str())) {
            missed.push(format!("{}: {told:?}", attack.name));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
