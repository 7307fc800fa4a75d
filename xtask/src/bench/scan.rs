//! Templates and plans through all checks, beside Checkov, rustmaninoff and the YAML parse.

use std::process::Command;

use super::{Bench, Row, Usage, measure, pair, templates, times};
use crate::root;

const CHECKOV: &str = "checkov==3.3.30";
const RUSTMANINOFF: &str = "0.4.0";
/// Checkov takes a second for ten templates; this many keep the section within a few minutes.
const TEMPLATES_BESIDE_CHECKOV: usize = 200;
const TEMPLATES: usize = 1_000;

pub(super) fn rows(bench: &Bench) -> Result<Vec<Row>, String> {
    let few = bench.folder("templates-few")?;
    templates::generate(&few, TEMPLATES_BESIDE_CHECKOV)?;
    let many = bench.folder("templates")?;
    templates::generate(&many, TEMPLATES)?;
    let plan = root().join("examples/shop/terraform/plan.json");
    let (few, many, plan) = (few.display().to_string(), many.display().to_string(), plan.display().to_string());
    let mut rows = Vec::new();

    let mut checkov = checkov(bench)?;
    checkov.args(["--framework", "cloudformation", "-d", &few]);
    let (ours, theirs) = pair(&scan(bench, &few), &checkov, 1)?;
    rows.extend(beside(&format!("{TEMPLATES_BESIDE_CHECKOV} templates"), ours, "Checkov", theirs));

    let mut checkov = self::checkov(bench)?;
    checkov.args(["--framework", "terraform_plan", "-f", &plan]);
    let (ours, theirs) = pair(&scan(bench, &plan), &checkov, 1)?;
    rows.extend(beside("the example's Terraform plan", ours, "Checkov", theirs));

    let mut rustmaninoff = bench.cargo_tool("rustmaninoff", RUSTMANINOFF)?;
    rustmaninoff.args(["scan", &many, "--framework", "cloudformation", "--output", "json"]);
    let (ours, theirs) = pair(&scan(bench, &many), &rustmaninoff, 3)?;
    rows.extend(beside(&format!("{TEMPLATES} templates"), ours, "rustmaninoff", theirs));

    rows.push(Row {
        what: format!("{TEMPLATES} templates, the YAML parse alone"),
        ours: bench.example("palisade-iac", "read_folder", &["parse", &many])?.trim().to_owned(),
        beside: format!("the whole scan: {:.2} CPU s", ours.cpu_seconds),
        ratio: String::new(),
    });
    rows.push(Row {
        what: "100,000 resources through all checks, one thread".to_owned(),
        ours: bench.example("palisade-engine", "sizes", &["100000"])?.trim().to_owned(),
        beside: String::new(),
        ratio: String::new(),
    });
    let start = measure(&bench.palisade(&["explain", "S3.8"]))?;
    rows.push(Row {
        what: "start with the built-in catalogue".to_owned(),
        ours: format!("{:.0} CPU ms, {:.0} MB", start.cpu_seconds * 1_000.0, start.memory_mb),
        beside: String::new(),
        ratio: String::new(),
    });
    Ok(rows)
}

fn scan(bench: &Bench, path: &str) -> Command {
    bench.palisade(&["scan", path, "--format", "json"])
}

fn checkov(bench: &Bench) -> Result<Command, String> {
    let mut checkov = bench.python_tool("checkov", &[CHECKOV], "checkov")?;
    checkov.args(["--skip-download", "--quiet", "--compact", "--output", "json"]);
    Ok(checkov)
}

/// A row for the time and one for the memory.
fn beside(what: &str, ours: Usage, name: &str, theirs: Usage) -> [Row; 2] {
    let time = Row {
        what: what.to_owned(),
        ours: format!("{:.2} CPU s", ours.cpu_seconds),
        beside: format!("{name}: {:.2} CPU s", theirs.cpu_seconds),
        ratio: format!("{} the time", times(ours.cpu_seconds, theirs.cpu_seconds)),
    };
    let memory = Row {
        what: what.to_owned(),
        ours: format!("{:.0} MB", ours.memory_mb),
        beside: format!("{name}: {:.0} MB", theirs.memory_mb),
        ratio: format!("{} the memory", times(ours.memory_mb, theirs.memory_mb)),
    };
    [time, memory]
}
