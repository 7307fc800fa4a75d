//! A value of another shape than its type declares is as good as unknown: where a check can't tell what an unknown value there
//! means, it can't tell what the misshapen one means either, and must not pass.

use catalogue::Catalogue;
use engine::Config;
use model::{Map, Reason, Resource, Snapshot, SourceKind, Text, TypeName, Value, Verdict, from_json};
use serde_json::json;

/// Values of shapes that a declared shape is not. Numbers and truth values may be written as text, and a list of one thing as the
/// thing.
fn misshapen(declared: &str, listed: bool) -> Vec<Value> {
    let all = match declared {
        "string" | "int" | "double" | "bool" => vec![json!({ "Ghost": [1] }), json!([["Ghost"]]), json!({})],
        // Text may hold any JSON, and tags may be written in several ways.
        other if other.contains("json") || other == "tags" => return Vec::new(),
        _ => vec![],
    };
    let whole = if listed { vec![json!({ "Ghost": [1] })] } else { vec![json!([[1], { "Ghost": 1 }])] };
    all.iter().chain(&whole).map(from_json).collect()
}

/// Puts a value at `A.B[].C` of `props`, making what is missing on the way.
fn put(props: &mut Map, path: &str, value: &Value) {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let (key, listed) = first.strip_suffix("[]").map_or((first, false), |key| (key, true));
    let key = Text::from(key);
    if rest.is_empty() {
        let value = if listed { Value::List(vec![value.clone()]) } else { value.clone() };
        props.insert(key, value);
        return;
    }
    let old = props.get(&key).cloned().unwrap_or(Value::Null);
    let inner = |old: &Value| {
        let mut inner = if let Value::Map(map) = old { map.clone() } else { Map::default() };
        put(&mut inner, rest, value);
        Value::Map(inner)
    };
    let new = match (&old, listed) {
        (Value::List(items), true) if !items.is_empty() => Value::List(items.iter().map(inner).collect()),
        (_, true) => Value::List(vec![inner(&Value::Null)]),
        (other, false) => inner(other),
    };
    props.insert(key, new);
}

fn verdicts(catalogue: &Catalogue, kind: &TypeName, props: Map) -> Vec<(String, Verdict)> {
    let mut snapshot = Snapshot::default();
    let scope = snapshot.add_scope("it", SourceKind::CloudFormation);
    let mut resource = Resource::new("It", kind.clone(), scope);
    resource.props = props;
    snapshot.resources.push(resource);
    let config = Config { passes: true, ..Config::default() };
    let outcome = engine::scan(&snapshot, catalogue, &config, jiff::Timestamp::UNIX_EPOCH);
    outcome.findings.into_iter().map(|f| (f.check.to_string(), f.verdict)).collect()
}

#[test]
fn what_has_the_wrong_shape_passes_no_check_that_an_unknown_leaves_open() {
    let catalogue = catalogue::built_in();
    let samples = catalogue::built_in_samples();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for kind in catalogue.kinds() {
        let sample = samples.get(&format!("{}/sample/resource.json", kind.folder)).map(String::as_str).unwrap_or("{}");
        let sample: serde_json::Value = serde_json::from_str(sample).unwrap_or_default();
        let Value::Map(good) = from_json(&sample) else { continue };
        for (path, declared) in &kind.file.properties {
            let with = |value: &Value| {
                let mut props = good.clone();
                put(&mut props, path, value);
                verdicts(&catalogue, &kind.type_name, props)
            };
            let open = with(&Value::unknown_present(Reason::Malformed, "it"));
            let declared = declared.to_string();
            for value in misshapen(&declared, path.ends_with("[]")) {
                tried += 1;
                let judged = with(&value);
                for (check, verdict) in &open {
                    let passes = judged.iter().any(|(other, now)| other == check && *now == Verdict::Pass);
                    if *verdict == Verdict::Unknown && passes {
                        wrong.push(format!("{check}: {path} ({declared}) = {value:?}"));
                    }
                }
            }
        }
    }
    assert!(tried > 2_000, "{tried} tried");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}
