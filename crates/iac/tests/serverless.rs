//! SAM's expansion against SAM's own (PyPI's `aws-sam-translator`): the same logical ids, types and properties, on templates
//! that use every construct (`tests/serverless/*.yaml`) and on generated ones. What SAM gives is read back as a plain
//! template, so that both sides have their intrinsic functions evaluated by the same code.
//!
//! Deviations that are meant, and made equal here before comparing:
//! - the hash in the id and description of an API's deployment (SAM takes it from the order of keys in memory);
//! - lists that are made of mappings (tags, the methods that a resource policy names), which SAM has in the order of the
//!   template and we in the order of keys;
//! - conditions that SAM makes up where a choice between two roles or queues is not decided yet: here it is;
//! - the tags of a bucket whose events a function takes: SAM puts those of the last such function in their place;
//! - whole numbers that SAM turns into fractions (`50.0`).
//!
//! Needs `PALISADE_TEST_PYTHON`, which `cargo xtask test` sets; without it there is nothing to compare with.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

#[path = "serverless/generated.rs"]
#[expect(clippy::indexing_slicing, reason = "the templates are built in place")]
mod generated;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use iac::Limits;
use iac::cloudformation::{Parameters, read};
use model::{GapReason, Snapshot};
use serde_json::{Value as Json, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serverless")
}

/// What SAM makes of each text; `None` where there is no Python for it.
fn translated(texts: &[String]) -> Option<Vec<Json>> {
    let python = PathBuf::from(std::env::var_os("PALISADE_TEST_PYTHON")?);
    let mut command = Command::new(python);
    command.arg(folder().join("translate.py")).arg("-").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = serde_json::to_vec(texts).unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "the translation failed");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn understood(text: &str) -> Snapshot {
    let mut parameters = Parameters::default();
    for (name, value) in [("AWS::Region", "us-east-1"), ("Owner", "me"), ("Pool", "pool")] {
        parameters.set(name, value);
    }
    read(text, "t.yaml", &parameters, &Limits::default(), &|_, _| None)
}

/// The hash of a deployment taken out of its id.
fn id_of(id: &str) -> String {
    match id.split_once("Deployment") {
        Some((api, hash)) if hash.len() == 10 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => format!("{api}Deployment#"),
        _ => id.to_owned(),
    }
}

/// Ids of deployments and lists of tags made equal.
fn normal(value: Json) -> Json {
    match value {
        Json::Object(map) => map
            .into_iter()
            .map(|(key, value)| match (key.as_str(), value) {
                ("$link", Json::String(link)) => (key, id_of(&link).into()),
                ("Tags" | "ExplicitTags" | "tags" | "Resource", Json::Array(items)) => {
                    let mut items: Vec<Json> = items.into_iter().map(normal).collect();
                    items.sort_by_key(Json::to_string);
                    (key, items.into())
                }
                (_, value) => (key, normal(value)),
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Json::Array(items) => items.into_iter().map(normal).collect(),
        Json::Number(n) => match n.as_f64() {
            Some(whole) if whole.fract() == 0.0 && whole.abs() < 1e15 => json!(whole as i64),
            _ => Json::Number(n),
        },
        other => other,
    }
}

fn resources(snapshot: &Snapshot) -> BTreeMap<String, Json> {
    let one = |r: &model::Resource| {
        let mut props: serde_json::Map<String, Json> = r.props.iter().map(|(k, v)| (k.to_string(), model::to_json(v))).collect();
        if r.type_name.as_str() == "AWS::ApiGateway::Deployment" {
            props.remove("Description");
        }
        if r.type_name.as_str() == "AWS::S3::Bucket" {
            props.remove("Tags");
        }
        let condition = r.origin.condition.as_deref().filter(|name| !name.starts_with("NOT"));
        let whole = json!({ "type": r.type_name.as_str(), "condition": condition, "props": props });
        (id_of(&r.id), normal(whole))
    };
    snapshot.resources.iter().map(one).collect()
}

/// Every difference, in words.
fn differences(name: &str, source: &str, theirs: &Json) -> Vec<String> {
    if let Some(error) = theirs.get("error").filter(|_| theirs.get("Resources").is_none()) {
        return vec![format!("{name}: SAM refuses it: {error}")];
    }
    let ours = understood(source);
    let mut all: Vec<String> = ours
        .gaps
        .iter()
        .filter(|g| g.matters && g.reason != GapReason::Missing)
        .map(|g| format!("{name}: gap at {:?}: {}: {}", g.span.map(|s| s.line), g.what, g.detail))
        .collect();
    let (ours, theirs) = (resources(&ours), resources(&understood(&theirs.to_string())));
    for (id, resource) in theirs.iter().filter(|(id, _)| !ours.contains_key(*id)) {
        all.push(format!("{name}: we lack {id} ({})", type_of(resource)));
    }
    for (id, own) in &ours {
        match theirs.get(id) {
            None => all.push(format!("{name}: SAM has no {id} ({})", type_of(own))),
            Some(other) => diff(&format!("{name}: {id}"), own, other, &mut all),
        }
    }
    all
}

fn type_of(resource: &Json) -> &str {
    resource.get("type").and_then(Json::as_str).unwrap_or_default()
}

fn diff(at: &str, ours: &Json, theirs: &Json, all: &mut Vec<String>) {
    match (ours, theirs) {
        (Json::Object(ours), Json::Object(theirs)) => {
            for key in ours.keys().chain(theirs.keys().filter(|k| !ours.contains_key(*k))) {
                let null = Json::Null;
                diff(&format!("{at}.{key}"), ours.get(key).unwrap_or(&null), theirs.get(key).unwrap_or(&null), all);
            }
        }
        (Json::Array(ours), Json::Array(theirs)) if ours.len() == theirs.len() => {
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                diff(&format!("{at}[{index}]"), ours, theirs, all);
            }
        }
        _ if ours == theirs => {}
        _ => all.push(format!("{at}: ours {ours}, SAM's {theirs}")),
    }
}

#[test]
fn templates_become_what_sam_makes_of_them() {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    paths.sort();
    let texts: Vec<String> = paths.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let Some(theirs) = translated(&texts) else { return };
    let mut all = Vec::new();
    for ((path, text), theirs) in paths.iter().zip(&texts).zip(&theirs) {
        all.extend(differences(&path.file_name().unwrap().to_string_lossy(), text, theirs));
    }
    assert!(all.is_empty(), "{} differences\n{}", all.len(), all.join("\n"));
}

#[test]
fn generated_templates_become_what_sam_makes_of_them() {
    const TEMPLATES: u64 = 100;
    let texts: Vec<String> = (0..TEMPLATES).map(|seed| generated::template(seed).to_string()).collect();
    let Some(theirs) = translated(&texts) else { return };
    let mut all = Vec::new();
    for (seed, (text, theirs)) in texts.iter().zip(&theirs).enumerate() {
        all.extend(differences(&format!("seed {seed}"), text, theirs));
    }
    assert!(all.is_empty(), "{} differences\n{}", all.len(), all.join("\n"));
}
