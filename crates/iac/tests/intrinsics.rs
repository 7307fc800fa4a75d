//! Intrinsic functions and loops against PyPI's `cfn-lint`: generated expressions come to the same values wherever it knows
//! one value, and loops to the same resources.
//!
//! One deviation is meant: `${!Literal}` in `Fn::Sub` comes to `${Literal}`, as the function's page says; `cfn-lint` leaves it.
//!
//! Needs `PALISADE_TEST_PYTHON`, which `cargo xtask test` sets; without it there is nothing to compare with.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use iac::Limits;
use iac::cloudformation::{Parameters, read};
use model::{Resource, Snapshot};
use serde_json::{Map, Value as Json, json};

/// What `cfn-lint` says of a template; `None` where there is no Python for it.
fn linted(template: &Json, mode: &[&str]) -> Option<Json> {
    let python = PathBuf::from(std::env::var_os("PALISADE_TEST_PYTHON")?);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/intrinsics/resolve.py");
    let mut command = Command::new(python);
    command.arg(script).args(mode).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = template.to_string();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "cfn-lint failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn understood(template: &Json) -> Snapshot {
    let mut parameters = Parameters::default();
    parameters.set("AWS::Region", "us-east-1");
    read(&template.to_string(), "t.json", &parameters, &Limits::default(), &|_, _| None)
}

/// A small generator of numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn text(&mut self, depth: u64) -> Json {
        let sides = if depth == 0 { 5 } else { 11 };
        match self.roll(sides) {
            0 => "plain".into(),
            1 => json!({ "Ref": "Word" }),
            2 => json!({ "Ref": "Count" }),
            3 => json!({ "Ref": "AWS::Region" }),
            4 => json!({ "Fn::FindInMap": ["Known", { "Ref": "Word" }, "One"] }),
            5 => json!({ "Fn::Join": [self.delimiter(), self.list(depth - 1)] }),
            6 => json!({ "Fn::Select": [self.roll(3), self.list(depth - 1)] }),
            7 => json!({ "Fn::Select": [self.roll(3).to_string(), self.list(depth - 1)] }),
            8 => json!({ "Fn::Sub": "${Word}/${!Literal}/${AWS::Region}-${Count}" }),
            9 => json!({ "Fn::Sub": ["<${Own}|${Word}>", { "Own": self.text(depth - 1) }] }),
            _ => json!({ "Fn::FindInMap": ["Known", "word", { "Fn::Select": [0, ["One"]] }] }),
        }
    }

    fn list(&mut self, depth: u64) -> Json {
        let sides = if depth == 0 { 3 } else { 5 };
        match self.roll(sides) {
            0 => json!({ "Ref": "Words" }),
            1 => json!({ "Fn::FindInMap": ["Known", "word", "Many"] }),
            2 => json!(["a", "b", "c"]),
            3 => json!({ "Fn::Split": [self.delimiter(), self.text(depth - 1)] }),
            _ => json!([self.text(depth - 1), self.text(depth - 1), self.text(depth - 1)]),
        }
    }

    fn delimiter(&mut self) -> &'static str {
        match self.roll(3) {
            0 => ",",
            1 => "-",
            _ => "/",
        }
    }
}

fn with_properties(properties: Map<String, Json>) -> Json {
    json!({
        "Parameters": {
            "Word": { "Type": "String", "Default": "word" },
            "Count": { "Type": "Number", "Default": 7 },
            "Words": { "Type": "CommaDelimitedList", "Default": "x,y-z,w" },
        },
        "Mappings": { "Known": { "word": { "One": "found", "Many": ["p", "q-r", "s"] } } },
        "Resources": { "R": { "Type": "Custom::R", "Properties": properties } },
    })
}

/// Scalars as they are printed.
fn printed(value: &Json) -> Json {
    match value {
        Json::Array(items) => items.iter().map(printed).collect(),
        Json::Number(n) => n.to_string().into(),
        Json::String(text) => text.replace("${!", "${").into(),
        other => other.clone(),
    }
}

#[test]
fn expressions_come_to_the_same_values() {
    const EXPRESSIONS: u64 = 600;
    let mut dice = Dice(1);
    let mut properties = Map::new();
    for at in 0..EXPRESSIONS {
        let expression = if dice.roll(4) == 0 { dice.list(3) } else { dice.text(3) };
        properties.insert(format!("E{at}"), expression);
    }
    let template = with_properties(properties.clone());
    let Some(theirs) = linted(&template, &[]) else { return };
    let snapshot = understood(&template);
    let ours = snapshot.resources.first().unwrap();
    let mut compared = 0;
    let mut all = Vec::new();
    for (key, expression) in &properties {
        // What it resolves to nothing, or to several values, it does not claim to know.
        let [value] = theirs.get(key).and_then(Json::as_array).unwrap().as_slice() else { continue };
        let own = model::to_json(ours.prop(key));
        compared += 1;
        if printed(&own) != printed(value) && !value.to_string().contains("Fn::") && !value.to_string().contains("Ref") {
            all.push(format!("{expression}: ours {own}, cfn-lint's {value}"));
        }
    }
    assert!(all.is_empty(), "{} of {compared} differ\n{}", all.len(), all.join("\n"));
    assert!(compared > EXPRESSIONS / 2, "only {compared} were compared");
}

fn ids(snapshot: &Snapshot) -> Vec<(String, Json)> {
    let one = |r: &Resource| {
        let props: Map<String, Json> = r.props.iter().map(|(k, v)| (k.to_string(), printed(&model::to_json(v)))).collect();
        (r.id.to_string(), json!({ "type": r.type_name.as_str(), "props": props }))
    };
    let mut all: Vec<(String, Json)> = snapshot.resources.iter().map(one).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn loops_come_to_the_same_resources() {
    let template = json!({
        "Transform": "AWS::LanguageExtensions",
        "Parameters": {
            "Words": { "Type": "CommaDelimitedList", "Default": "x,y,z" },
            "Stage": { "Type": "String", "Default": "prod" },
        },
        "Mappings": { "By": { "prod": { "Names": ["One", "Two"] } } },
        "Resources": {
            "Fn::ForEach::Topics": ["T", ["A", "B"], { "Topic${T}": {
                "Type": "AWS::SNS::Topic",
                "Properties": { "DisplayName": { "Fn::Sub": "${T}-${Stage}" }, "TopicName": { "Ref": "T" } },
            } }],
            "Fn::ForEach::Queues": ["Q", { "Ref": "Words" }, { "Queue${Q}": {
                "Type": "AWS::SQS::Queue",
                "Properties": { "QueueName": { "Fn::Join": ["-", ["q", { "Ref": "Q" }]] } },
            } }],
            "Fn::ForEach::Outer": ["O", { "Fn::FindInMap": ["By", "prod", "Names"] }, {
                "Fn::ForEach::Inner": ["I", ["a", "b"], { "Bucket${O}${I}": {
                    "Type": "AWS::S3::Bucket",
                    "Properties": { "BucketName": { "Fn::Sub": "${O}-${I}" } },
                } }],
            }],
            "Plain": { "Type": "AWS::S3::Bucket", "Properties": { "Fn::ForEach::Props": ["P", { "Ref": "Words" }, { "Key${P}": { "Ref": "P" }, "Fn::ForEach::Deep": ["D", ["1", "2"], { "Deep${P}${D}": { "Fn::Sub": "${P}/${D}" } }] }] } },
        },
    });
    let Some(theirs) = linted(&template, &["loops"]) else { return };
    assert_eq!(theirs.get("problems"), Some(&json!([])));
    let unrolled = theirs.get("template").unwrap();
    assert_eq!(ids(&understood(&template)), ids(&understood(unrolled)));
}
