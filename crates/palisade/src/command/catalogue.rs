//! `palisade catalogue`

use std::fmt::Write;
use std::path::Path;

use anstyle::Style;
use anyhow::{Result, bail};
use catalogue::{Catalogue, Check};
use serde_json::{Value, json};

use crate::cli::{CatalogueAction, CatalogueArgs, LineFormat};
use crate::command::explain::write_pages;
use crate::command::scan::filter;
use crate::exit::Exit;
use crate::input::{Knowledge, catalogue_files};
use crate::output;

/// Lists or checks.
pub(crate) fn run(args: &CatalogueArgs, knowledge: &Knowledge) -> Result<Exit> {
    match &args.action {
        CatalogueAction::List { filter: wanted, format } => {
            let ids = filter(wanted, knowledge)?.select(&knowledge.catalogue);
            let checks: Vec<&Check> = knowledge.catalogue.checks().filter(|c| ids.contains(&c.id)).collect();
            match format {
                LineFormat::Json => output::print(&list_json(&checks, &knowledge.catalogue))?,
                LineFormat::Terminal => output::print(&list(&checks))?,
            }
            Ok(Exit::Clean)
        }
        CatalogueAction::Pages { dir } => write_pages(dir, &knowledge.catalogue),
        CatalogueAction::Check { dir } => check(dir),
    }
}

fn list(checks: &[&Check]) -> String {
    let dim = Style::new().dimmed();
    let mut out = String::new();
    for of_type in checks.chunk_by(|a, b| a.type_name == b.type_name) {
        let Some(first) = of_type.first() else { continue };
        let _ = writeln!(out, "{}", first.type_name);
        for check in of_type {
            let _ = writeln!(out, "  {:<9} {}  {dim}{}{dim:#}", check.file.severity.name(), check.id, check.file.title);
        }
    }
    let _ = writeln!(out, "{} checks", checks.len());
    out
}

/// Everything that the catalogue says of its checks, types, objectives and frameworks: `palisade/catalogue/1`.
fn list_json(checks: &[&Check], catalogue: &Catalogue) -> String {
    let checks: Vec<Value> = checks.iter().map(|check| record(check, catalogue)).collect();
    let types: Vec<Value> = catalogue
        .kinds()
        .map(|kind| json!({ "type": kind.type_name, "title": kind.file.title, "checks": catalogue.checks_of(&kind.type_name).count() }))
        .collect();
    let document = json!({
        "schema": "palisade/catalogue/1",
        "checks": checks,
        "types": types,
        "objectives": catalogue.objectives(),
        "frameworks": catalogue.frameworks(),
    });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// A check as its file says, with what follows from where it stands.
pub(crate) fn record(check: &Check, catalogue: &Catalogue) -> Value {
    let mut written = serde_json::to_value(&check.file).unwrap_or_default();
    if let Value::Object(members) = &mut written {
        members.insert("id".to_owned(), json!(check.id));
        members.insert("type".to_owned(), json!(check.type_name));
        members.insert("service".to_owned(), json!(check.folder.split('/').nth(1)));
        members.insert("owner".to_owned(), json!(catalogue.owner(&check.type_name, check.file.layer)));
    }
    written
}

/// Reads a folder as a catalogue laid over the built-in one, and runs its cases.
fn check(dir: &Path) -> Result<Exit> {
    let files = catalogue_files(dir)?;
    let mut loaded = catalogue::load(&files);
    let mut wrong: Vec<String> = loaded.problems.iter().map(ToString::to_string).collect();
    // A user's folder may lean on what is built in: objectives, services, types and their samples.
    let mine = std::mem::take(&mut loaded.pack);
    let mut pack = catalogue::built_in_pack();
    let (ids, folders): (Vec<_>, Vec<_>) = mine.checks.iter().map(|c| (c.id.clone(), c.folder.clone())).unzip();
    pack.overlay(mine);
    loaded.pack = pack;
    for (path, text) in catalogue::built_in_samples() {
        loaded.samples.entry(path).or_insert(text);
    }
    let concerns = |path: &str| files.iter().any(|f| f.path == path) || folders.iter().any(|f| path.starts_with(f.as_str()));
    let own = |p: &&catalogue::Problem| {
        ids.iter().any(|id| p.path.contains(id.as_str())) || (concerns(&p.path) && !p.message.contains("cases"))
    };
    wrong.extend(catalogue::lint(&loaded, &files).iter().filter(own).map(ToString::to_string));
    let mut ran = 0;
    if let Ok(whole) = Catalogue::new(loaded.pack.clone()) {
        let (failures, count) = engine::run_cases(&loaded, &whole);
        ran = count;
        wrong.extend(failures.iter().map(ToString::to_string));
    }
    if wrong.is_empty() {
        output::print(&format!("{} checks, {ran} cases: all fine\n", ids.len()))?;
        return Ok(Exit::Clean);
    }
    let problems = if wrong.len() == 1 { "problem" } else { "problems" };
    bail!("{} {problems} in `{}`\n{}", wrong.len(), dir.display(), wrong.join("\n"))
}
