//! CloudTrail through about 800 rules, beside rsigma's evaluator and the unpacking and scanning alone.

use std::path::Path;
use std::process::Command;

use super::{Bench, Row, measure, pair, times, write_file};
use crate::test::{cargo, spawn};

/// The version of rsigma's crates.
const RSIGMA: &str = "=0.23.0";

/// How much log there is, in megabytes, packed about 12 to 1. rsigma takes some seconds for it.
const MEGABYTES: &str = "100";

/// For the memory: ten times as much.
const MEGABYTES_MANY: &str = "1000";

pub(super) fn rows(bench: &Bench) -> Result<Vec<Row>, String> {
    let folder = bench.folder("trail")?;
    let events = amplify(bench, &folder, MEGABYTES)?;
    let rsigma = rsigma(bench, &folder)?;
    let (ours, theirs) = pair(&detect(bench, &folder), &rsigma, 3)?;
    let rate = |seconds: f64| events / seconds.max(f64::MIN_POSITIVE);
    let mut rows = vec![Row {
        what: format!("{events} events (.json.gz) through 800 rules to verdicts"),
        ours: format!("{:.0} events a CPU second", rate(ours.cpu_seconds)),
        beside: format!("rsigma (from plain JSON): {:.0} events a CPU second", rate(theirs.cpu_seconds)),
        ratio: format!("{} the speed", times(rate(theirs.cpu_seconds), rate(ours.cpu_seconds))),
    }];
    let inside = bench.example("palisade-detect", "speed", &[MEGABYTES])?;
    rows.extend(inside.lines().filter(|line| line.contains("events/s") || line.contains("ceiling")).map(|line| Row {
        what: "one thread, inside the process".to_owned(),
        ours: line.split_whitespace().collect::<Vec<_>>().join(" "),
        beside: String::new(),
        ratio: String::new(),
    }));
    let many = bench.folder("trail-many")?;
    let events_many = amplify(bench, &many, MEGABYTES_MANY)?;
    let usage = measure(&detect(bench, &many))?;
    rows.push(Row {
        what: format!("{events_many} events, the whole process"),
        ours: format!("{:.2} CPU s, {:.0} MB", usage.cpu_seconds, usage.memory_mb),
        beside: format!("a tenth of them: {:.2} CPU s, {:.0} MB", ours.cpu_seconds, ours.memory_mb),
        ratio: format!("{} the time", times(ours.cpu_seconds, usage.cpu_seconds)),
    });
    Ok(rows)
}

/// Writes events and rules; says how many events.
fn amplify(bench: &Bench, folder: &Path, megabytes: &str) -> Result<f64, String> {
    let told = bench.example("palisade-detect", "speed", &[megabytes, &folder.display().to_string()])?;
    let count = told.split_whitespace().next().and_then(|count| count.parse().ok());
    count.ok_or_else(|| format!("the example says `{told}`"))
}

fn detect(bench: &Bench, folder: &Path) -> Command {
    let (logs, rules) = (folder.join("logs").display().to_string(), folder.join("rules").display().to_string());
    bench.palisade(&["detect", &logs, "--rules", &rules, "--no-builtin", "--format", "jsonl"])
}

/// rsigma's evaluator in a program of a few lines, built once.
fn rsigma(bench: &Bench, folder: &Path) -> Result<Command, String> {
    let project = bench.tools.join("rsigma-peer");
    let program = project.join("target/release/rsigma-peer");
    if !program.exists() {
        std::fs::create_dir_all(project.join("src")).map_err(|e| format!("cannot make `{}`: {e}", project.display()))?;
        let manifest = format!(
            "[package]\nname = \"rsigma-peer\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
             rsigma-eval = \"{RSIGMA}\"\nrsigma-parser = \"{RSIGMA}\"\nserde_json = \"1\"\n"
        );
        write_file(&project.join("Cargo.toml"), &manifest)?;
        write_file(&project.join("src/main.rs"), include_str!("peers/rsigma.rs"))?;
        let mut build = cargo(&["build", "--quiet", "--release", "--ignore-rust-version"]);
        build.current_dir(&project).env("CARGO_TARGET_DIR", project.join("target"));
        spawn(build)?;
    }
    let mut command = Command::new(program);
    command.arg(folder.join("rules")).arg(folder.join("events.jsonl"));
    Ok(command)
}
