//! Every field of every sample event, with a value of the wrong kind in its place: nothing panics, nothing is lost, and every
//! form of output can still be written.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use std::path::Path;

use detect::{Engine, Matcher, Options, RuleSet, compile, output};
use logs::cloudtrail::{Item, Reader};
use serde_json::{Value, json};

const FOLDER: &str = "../../catalogue/detections/cloudtrail";

fn files(ending: &str) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_str().unwrap().ends_with(ending));
    paths.sort();
    paths.iter().map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap())).collect()
}

/// JSON pointers to every value of a record but the whole.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut each = |name: String, value: &Value| {
        let place = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        places(value, &place, found);
        found.push(place);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| each(name.clone(), value)),
        Value::Array(list) => list.iter().enumerate().for_each(|(number, value)| each(number.to_string(), value)),
        _ => {}
    }
}

fn wrong_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-9_223_372_036_854_775_808i64),
        json!(1e300),
        json!(""),
        json!("\u{0}\u{202e}\"\\<script>=1+1\u{1f600}"),
        json!("9".repeat(3000)),
        json!("9999-12-31T23:59:60+99:99"),
        json!([]),
        json!([[[]], null, {"arn": [1]}]),
        json!({}),
        json!({"type": {"arn": 1}, "items": [{"items": []}]}),
    ]
}

/// Every form of output, for its own sake.
fn written(engine: &mut Engine<'_>, set: &RuleSet) -> usize {
    engine.finish();
    let found = engine.take();
    let names = ["input".to_owned()];
    let mut length = output::html(&found, set).len() + output::text(&found, set).len();
    length += output::navigator(&found, set, &[]).to_string().len();
    for detection in &found {
        length += output::line(detection, set, &names).to_string().len();
        length += output::ocsf_finding(detection, set).to_string().len() + output::csv_row(detection, set).len();
    }
    length
}

#[test]
fn a_value_of_the_wrong_kind_costs_nothing_else() {
    let texts = files(".yml");
    let (set, problems) = compile(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    assert_eq!(problems, []);
    let (mut matcher, mut reader) = (Matcher::new(&set, 0), Reader::new(set.paths()));
    let (mut made, mut parsed, mut rejected, mut length) = (0u64, 0, 0, 0);
    for (_, cases) in files(".cases.jsonl") {
        let Some(case) = cases.lines().find(|line| line.contains(r#""fires":true"#)) else { continue };
        let case: Value = serde_json::from_str(case).unwrap();
        let Some(record) = case.pointer("/events/0") else { continue };
        let mut all = vec![];
        places(record, "", &mut all);
        let mut lines = String::new();
        for place in &all {
            // Each place with three of them, another three each time.
            for value in wrong_values().into_iter().skip(made as usize % 4).step_by(4) {
                let mut changed = record.clone();
                *changed.pointer_mut(place).unwrap() = value;
                lines.push_str(&changed.to_string());
                lines.push('\n');
                made += 1;
            }
        }
        matcher.turn_to(0);
        let counts = reader.read(lines.as_bytes(), &mut |item| match item {
            Item::Event(event) => {
                let standard = set.standard();
                length +=
                    detect::output::ocsf_activity(&detect::Known::default().sighting(&event, standard, 0)).to_string().len();
                matcher.see(&event);
            }
            Item::Reject(reject) => panic!("{reject:?}"),
        });
        parsed += counts.parsed;
        rejected += counts.rejected();
        let mut engine = Engine::new(&set, Options::default());
        engine.add(std::mem::take(&mut matcher.hits), std::mem::take(&mut matcher.links), None);
        length += written(&mut engine, &set);
    }
    assert!(made > 12_000 && length > 0, "{made}");
    assert_eq!((parsed, rejected), (made, 0));
}
