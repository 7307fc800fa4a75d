//! Plans of our own configurations against the resources that they should give. `BLESS=1 cargo test` writes what they give.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may")]

use std::path::{Path, PathBuf};

use catalogue::terraform::TerraformSection;
use iac::terraform::{Limits, Mapping, Sources, TypeSource, read};
use model::{Snapshot, TypeName, Value, to_json};
use serde_json::{Value as Json, json};

#[derive(serde::Deserialize)]
struct MappingFile {
    r#type: String,
    terraform: TerraformSection,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/terraform")
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Files or folders in a folder, in order.
fn entries(path: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

fn mapping() -> Mapping {
    let files: Vec<(TypeName, TerraformSection)> = entries(&folder().join("mappings"))
        .iter()
        .map(|path| {
            let file: MappingFile = toml::from_str(&text(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            assert_eq!(file.terraform.problems(), Vec::<String>::new(), "{}", path.display());
            (TypeName::new(&file.r#type).unwrap(), file.terraform)
        })
        .collect();
    Mapping::new(files.iter().map(|(name, section)| TypeSource { name, properties: Vec::new(), section }))
}

/// The snapshot as JSON: resources by id, then gaps.
fn shown(snapshot: &Snapshot) -> Json {
    let mut resources = serde_json::Map::new();
    for resource in &snapshot.resources {
        let mut shown = json!({ "type": resource.type_name.as_str(), "props": to_json(&Value::Map(resource.props.clone())) });
        if !resource.attrs.is_empty() {
            shown["attrs"] = to_json(&Value::Map(resource.attrs.clone()));
        }
        assert!(resources.insert(resource.id.to_string(), shown).is_none(), "{} occurs twice", resource.id);
    }
    let gaps: Vec<String> = snapshot.gaps.iter().map(|g| format!("{}: {} ({:?})", g.what, g.detail, g.reason)).collect();
    json!({ "resources": resources, "gaps": gaps })
}

#[test]
fn plans_give_what_is_expected() {
    let mapping = mapping();
    for case in entries(&folder().join("cases")).iter().filter(|p| p.is_dir()) {
        let snapshot = read(&text(&case.join("plan.json")), "plan.json", &mapping, &Limits::default(), &|_| Sources::default());
        let found = serde_json::to_string_pretty(&shown(&snapshot)).unwrap() + "\n";
        let path = case.join("expected.json");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &found).unwrap();
        }
        assert!(found == text(&path), "{} gives something else; look at the difference after `BLESS=1`", case.display());
    }
}

/// Whether what a plan knows is what the state says: what only the state knows does not count, and a link is what it names.
fn agrees(plan: &Value, state: &Value, all: &Snapshot) -> bool {
    match (plan, state) {
        (Value::Link(link), Value::Str(_)) => {
            let attr = if link.attr.is_empty() { "Ref" } else { &link.attr };
            all.resources.iter().any(|r| r.id == link.target && r.attrs.get(attr) == Some(state))
        }
        (Value::Unknown(_), _) => true,
        (Value::Map(plan), Value::Map(state)) => {
            plan.iter().all(|(key, value)| agrees(value, state.get(key).unwrap_or(&Value::Null), all))
        }
        (Value::List(plan), Value::List(state)) => {
            plan.len() == state.len() && plan.iter().zip(state).all(|(a, b)| agrees(a, b, all))
        }
        (plan, state) => plan == state,
    }
}

#[test]
fn plan_and_state_give_the_same() {
    let mapping = mapping();
    let case = folder().join("cases/applied");
    let scan = |name: &str| read(&text(&case.join(name)), name, &mapping, &Limits::default(), &|_| Sources::default());
    let (plan, shown_state, file) = (scan("plan.json"), scan("state.json"), scan("terraform.tfstate"));
    assert_eq!(shown(&shown_state), shown(&file));
    let mut compared = 0;
    for planned in &plan.resources {
        let applied = file.resources.iter().find(|r| r.id == planned.id && r.type_name == planned.type_name);
        let applied = applied.unwrap_or_else(|| panic!("{} is not in the state", planned.id));
        for (name, value) in planned.props.iter() {
            let other = applied.props.get(name).unwrap_or(&Value::Null);
            assert!(
                agrees(value, other, &file),
                "{}.{name}: {} in the plan, {} in the state",
                planned.id,
                to_json(value),
                to_json(other)
            );
            compared += 1;
        }
        assert!(applied.attrs.contains_key("Ref"), "{} has no identity", planned.id);
    }
    assert_eq!(plan.resources.len(), file.resources.len());
    assert!(compared > 40, "{compared}");
}
