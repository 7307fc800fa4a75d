//! The flow log detectors: each fires on its cases that fire and on no other, whatever the order and the pieces.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where its own set-up is wrong")]

use std::path::{Path, PathBuf};

use detect::flow::{
    Alarm, Detector, Finding, FlowState, Fold, Inventory, Origin, Past, Reach, Setup, Threats, judge, parse_block, parse_detector,
};
use logs::flow::{Item, Reader};
use serde::Deserialize;

/// What `{T}` stands for in a case: 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    fires: bool,
    observed: Option<u64>,
    severity: Option<model::Severity>,
    header: Option<String>,
    lines: Vec<Lines>,
    #[serde(default)]
    owners: Vec<String>,
    #[serde(default)]
    subnets: Vec<String>,
    /// Lines of a threat list.
    threats: Option<String>,
    /// What the settings block: every flow, or none.
    blocked: Option<bool>,
    /// Custom alarms.
    #[serde(default)]
    alarms: Vec<Alarm>,
    /// Lines of an earlier run.
    #[serde(default)]
    earlier: Vec<Lines>,
}

/// A line and how often it is repeated. `{base+step}` in it stands for base + step * number of the repetition, and
/// `{base+step%modulus}` for the same with the number's remainder.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    repeat: i64,
    line: String,
}

fn expand(lines: &Lines, out: &mut Vec<String>) {
    for number in 0..lines.repeat {
        let mut line = String::new();
        let mut rest = lines.line.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let (inside, after) = after.split_once('}').unwrap();
            let (base, step) = inside.split_once('+').unwrap_or((inside, "0"));
            let (step, modulus) = step.split_once('%').unwrap_or((step, "9999999999"));
            let base = if base == "T" { START } else { base.parse().unwrap() };
            let value = base + step.parse::<i64>().unwrap() * (number % modulus.parse::<i64>().unwrap());
            line.push_str(&format!("{before}{value}"));
            rest = after;
        }
        out.push(line + rest);
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/detections/flowlogs")
}

fn detectors() -> Vec<Detector> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| !path.to_str().unwrap().ends_with(".cases.toml"));
    paths.sort();
    paths.iter().map(|path| parse_detector(path.to_str().unwrap(), &std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

fn cases(id: &str) -> Vec<Case> {
    let path = folder().join(format!("{id}.cases.toml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{id} has no cases"));
    toml::from_str::<Cases>(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())).case
}

/// The fold of some lines that are all in one input, which are read by their header or as version 2.
fn fold_of(case: &Case, lines: &[String], first: u64) -> Fold {
    let mut fold = Fold::with_alarms(&case.alarms);
    let header = case.header.as_deref();
    let mut reader = Reader::new(None, START * 2);
    let text = header.into_iter().chain(lines.iter().map(String::as_str)).collect::<Vec<_>>().join("\n");
    let mut number = first;
    reader.feed(text.as_bytes(), true, &mut |item| match item {
        Item::Record(record, _) => {
            fold.see(record, Origin { input: 0, byte: number });
            number += 1;
        }
        Item::Reject(reject) => panic!("{:?}: {:?}", reject.reason, lines.get(reject.line as usize - 1)),
    });
    fold.has_fields(reader.fields().0);
    fold
}

fn found(detectors: &[Detector], case: &Case, fold: &Fold) -> Vec<Finding> {
    let mut inventory = Inventory::default();
    for owner in &case.owners {
        inventory.owners.insert(owner.parse::<std::net::IpAddr>().unwrap().into(), format!("i-{owner}"));
    }
    inventory.subnets = case.subnets.iter().map(|text| parse_block(text).unwrap()).collect();
    let mut threats = Threats::default();
    if let Some(text) = &case.threats {
        assert!(threats.add("list", text).is_empty());
    }
    let mut earlier = vec![];
    case.earlier.iter().for_each(|each| expand(each, &mut earlier));
    let past = Past::of(&fold_of(case, &earlier, 0), &inventory);
    let blocked = case.blocked.unwrap_or(false);
    let ask = |_, _, _, _| if blocked { Reach::Blocked("sg-1".to_owned()) } else { Reach::Open };
    let alarms = !case.alarms.is_empty();
    let reach = case.blocked.map(|_| &ask as detect::flow::AskNetwork<'_>);
    let inventory = &inventory;
    judge(fold, &Setup { detectors, tunings: &[], inventory, approvals: &[], threats: &threats, past: &past, alarms, reach })
}

#[test]
fn each_case_is_judged_as_it_says_in_any_order_and_any_pieces() {
    let detectors = detectors();
    let mut wrong = vec![];
    for detector in &detectors {
        let (mut fires, mut quiet) = (0, 0);
        for case in cases(&detector.id) {
            let mut lines = vec![];
            case.lines.iter().for_each(|each| expand(each, &mut lines));
            let findings = found(&detectors, &case, &fold_of(&case, &lines, 0));
            let ours: Vec<&Finding> = findings.iter().filter(|f| detectors[f.detector].id == detector.id).collect();
            let right = ours.is_empty() != case.fires
                && case.observed.is_none_or(|n| ours.iter().any(|f| f.observed == n))
                && case.severity.is_none_or(|severity| ours.iter().all(|f| f.severity == severity));
            if !right {
                wrong.push(format!("{}: {}: {:?}", detector.id, case.name, ours.iter().map(|f| f.observed).collect::<Vec<_>>()));
            }
            *(if case.fires { &mut fires } else { &mut quiet }) += 1;
            for cut in [1, lines.len() / 3, lines.len() / 2] {
                let (one, two) = lines.split_at(cut.min(lines.len()));
                let mut late = fold_of(&case, two, one.len() as u64);
                late.merge(&fold_of(&case, one, 0), 0);
                assert_eq!(found(&detectors, &case, &late), findings, "{}: {}: cut at {cut}", detector.id, case.name);
            }
        }
        assert!(fires > 0 && quiet > 0, "{} needs a case that fires and one that doesn't", detector.id);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A state keeps all of a day and what failed within a week: a run that goes on from one finds what one run over both finds.
#[test]
fn halves_of_a_day_one_after_the_other_are_the_day() {
    let detectors = detectors();
    for detector in &detectors {
        for case in cases(&detector.id).into_iter().filter(|case| case.alarms.is_empty() && case.header.is_none()) {
            let mut lines = vec![];
            case.lines.iter().for_each(|each| expand(each, &mut lines));
            let start = |line: &String| line.split(' ').nth(10).unwrap().parse::<i64>().unwrap();
            lines.sort_by_key(start);
            if start(lines.last().unwrap()) - start(&lines[0]) > 86_400 {
                continue;
            }
            let day = found(&detectors, &case, &fold_of(&case, &lines, 0));
            let (one, two) = lines.split_at(lines.len() / 2);
            let morning = FlowState { fold: fold_of(&case, one, 0), ..FlowState::default() };
            let bytes = morning.save().unwrap();
            let mut state = FlowState::load(&bytes).unwrap();
            assert_eq!(state.clone().save().unwrap(), bytes);
            state.fold.merge(&fold_of(&case, two, one.len() as u64), 0);
            let both = found(&detectors, &case, &state.fold);
            assert!(both == day, "{}: {}: {both:#?} {day:#?}", detector.id, case.name);
        }
    }
    assert!(FlowState::load(b"{\"schema\":\"other\"}").is_err());
}

/// Two and a half hours and more of a network that behaves, a backup among them.
fn sea() -> Vec<String> {
    let mut lines = vec![];
    detect::flow::synthetic::sea(6, 45_000, &mut |line| lines.push(line.to_owned()));
    lines
}

#[test]
fn attacks_in_a_sea_are_found_as_without_it_and_the_sea_is_quiet() {
    let detectors = detectors();
    let empty: Case = toml::from_str("name = ''\nfires = false\nlines = []").unwrap();
    let sea = fold_of(&empty, &sea(), 0);
    let loud: Vec<String> = found(&detectors, &empty, &sea).iter().map(|f| detectors[f.detector].id.clone()).collect();
    assert_eq!(loud, Vec::<String>::new(), "the sea alone must be quiet");
    for detector in &detectors {
        let plain = |case: &Case| case.header.is_none() && case.alarms.is_empty() && case.owners.is_empty();
        for case in cases(&detector.id).into_iter().filter(plain) {
            let mut lines = vec![];
            case.lines.iter().for_each(|each| expand(each, &mut lines));
            let mut all = fold_of(&case, &lines, 0);
            let ours = |fold: &Fold| -> Vec<(String, u64)> {
                let findings = found(&detectors, &case, fold);
                findings
                    .iter()
                    .filter(|f| f.actor_text() != "10.20.1.10")
                    .map(|f| (detectors[f.detector].id.clone(), f.observed))
                    .collect()
            };
            let alone = ours(&all);
            all.merge(&sea, 1);
            let has = |found: &[(String, u64)]| found.iter().any(|(id, _)| *id == detector.id);
            let by_the_span = ["reject-rate", "new-service"].iter().any(|name| case_file(&detector.id).contains(name));
            assert!(by_the_span || has(&ours(&all)) == has(&alone), "{}: {}", detector.id, case.name);
        }
    }
}

/// The text of a detector's file.
fn case_file(id: &str) -> String {
    std::fs::read_to_string(folder().join(format!("{id}.toml"))).unwrap()
}

#[test]
fn each_detector_says_what_a_reader_needs() {
    for detector in detectors() {
        let id = &detector.id;
        for (name, text) in
            [("title", &detector.title), ("message", &detector.message), ("why", &detector.why), ("runbook", &detector.runbook)]
        {
            assert!(!text.is_empty(), "{id}: {name}");
        }
        assert!(!detector.title.ends_with('.') && !detector.next.is_empty() && !detector.technique.is_empty(), "{id}");
        assert!(detector.technique.iter().all(|t| t.starts_with('T') && t.len() >= 5), "{id}");
        assert!(detector.parameters.values().all(|parameter| !parameter.means.is_empty()), "{id}");
    }
}
