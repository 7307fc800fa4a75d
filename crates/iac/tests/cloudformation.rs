//! One trial per template in `tests/cloudformation/`: what it comes to must be what the `.json` beside it says. Parameters
//! are in `NAME.parameters.json`; templates that others nest are in `nested/`. `UPDATE=1` writes what it comes to.

use std::path::{Path, PathBuf};

use iac::Limits;
use iac::cloudformation::{Loaded, Parameters, read};
use libtest_mimic::{Arguments, Failed, Trial};
use model::{Resource, Snapshot};
use serde_json::{Map, Value as Json, json};

fn main() -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cloudformation");
    let mut cases: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        cases.push(entry?.path());
    }
    cases.retain(|path| path.extension().is_some_and(|e| e == "yaml" || e == "template"));
    cases.sort();
    let trials = cases
        .into_iter()
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Trial::test(name, move || case(&path))
        })
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn case(path: &Path) -> Result<(), Failed> {
    let limits = Limits::default();
    let text = std::fs::read_to_string(path)?;
    let parameters = match std::fs::read_to_string(path.with_extension("parameters.json")) {
        Ok(text) => Parameters::parse(&text, &limits.text).map_err(|e| e.to_string())?,
        Err(_) => Parameters::default(),
    };
    let folder = path.parent().ok_or("a folder")?;
    let load = |_: &str, place: &str| {
        let text = std::fs::read_to_string(folder.join(place)).ok()?;
        Some(Loaded { file: place.to_owned(), text })
    };
    let name = path.file_name().ok_or("a name")?.to_string_lossy().into_owned();
    let got = show(&read(&text, &name, &parameters, &limits, &load));
    let golden = path.with_extension("json");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&golden, format!("{got:#}\n"))?;
    }
    let want: Json = serde_json::from_str(&std::fs::read_to_string(&golden)?)?;
    if got == want { Ok(()) } else { Err(format!("{name} comes to\n{got:#}").into()) }
}

/// World by world: resources by id. With one world and nothing else to tell, the properties alone.
fn show(snapshot: &Snapshot) -> Json {
    let mut out = Map::new();
    for (at, scope) in snapshot.scopes.iter().enumerate() {
        let resources: Map<String, Json> =
            snapshot.resources.iter().filter(|r| r.scope.0 as usize == at).map(|r| (r.id.to_string(), resource(r))).collect();
        out.insert(if scope.world.is_empty() { "resources".to_owned() } else { scope.world.to_string() }, resources.into());
    }
    let gaps: Vec<Json> = snapshot
        .gaps
        .iter()
        .map(|g| {
            let place = g.span.map_or(String::new(), |s| format!("{}:{}", s.line, s.column));
            let file = g.file.as_deref().unwrap_or_default();
            let weight = if g.matters { "gap" } else { "note" };
            json!(format!("{weight} {file}:{place} {}: {}", g.what, g.detail))
        })
        .collect();
    if !gaps.is_empty() {
        out.insert("gaps".to_owned(), gaps.into());
    }
    out.into()
}

fn resource(r: &Resource) -> Json {
    let mut out = Map::new();
    out.insert("type".to_owned(), r.type_name.as_str().into());
    if let Some(name) = &r.name {
        out.insert("name".to_owned(), (&**name).into());
    }
    if let Some(condition) = &r.origin.condition {
        out.insert("condition".to_owned(), (&**condition).into());
    }
    if !r.origin.module.is_empty() {
        out.insert("module".to_owned(), (&*r.origin.module).into());
    }
    if !r.origin.accepted.is_empty() {
        let all: Vec<Json> = r.origin.accepted.iter().map(|a| json!(format!("{}: {}", a.check, a.reason))).collect();
        out.insert("accepted".to_owned(), all.into());
    }
    for (key, value) in r.props.iter() {
        out.insert(key.to_string(), model::to_json(value));
    }
    out.into()
}
