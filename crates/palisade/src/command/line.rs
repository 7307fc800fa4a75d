//! `palisade line`

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use anyhow::{Result, bail};
use engine::Config;
use jiff::Timestamp;
use model::{Layer, LayerState, Line, Owner, Snapshot, TypeName};
use report::printable;
use serde_json::json;

use crate::cli::{InputArgs, LineAction, LineArgs, LineFormat};
use crate::exit::Exit;
use crate::input::{self, Knowledge};
use crate::live::Wanted;
use crate::output;

/// Draws the line, or the change of duties.
pub(crate) fn run(args: &LineArgs, knowledge: &Knowledge) -> Result<Exit> {
    if let Some(LineAction::Plan { new, old, format }) = &args.action {
        return plan(new, old.as_ref(), *format, knowledge);
    }
    let paths: Vec<PathBuf> = args.paths.iter().chain(&args.input.input).cloned().collect();
    let snapshot = input::read(&paths, &input::or_live(&paths, &args.input), knowledge, Wanted::Everything)?;
    let mut line = draw(&snapshot, knowledge);
    if let Some(wanted) = &args.arn {
        let ids = ids_of(&snapshot, wanted, knowledge);
        for of_type in &mut line.types {
            of_type.resources.retain(|r| ids.contains(&(of_type.type_name.clone(), r.id.to_string())));
        }
        line.types.retain(|t| !t.resources.is_empty());
        if line.types.is_empty() {
            bail!("no resource is called `{wanted}`");
        }
    }
    match args.format {
        LineFormat::Json => {
            let document = json!({ "schema": "palisade/line/1", "layers": Layer::ALL, "line": line });
            output::print(&(serde_json::to_string_pretty(&document)? + "\n"))?;
        }
        LineFormat::Terminal => output::print(&text(&line, args.resources || args.arn.is_some()))?,
    }
    Ok(Exit::Clean)
}

fn draw(snapshot: &Snapshot, knowledge: &Knowledge) -> Line {
    let config = Config { inline_suppressions: true, ..Config::default() };
    engine::scan(snapshot, &knowledge.catalogue, &config, Timestamp::now()).line
}

fn ids_of(snapshot: &Snapshot, wanted: &str, knowledge: &Knowledge) -> Vec<(TypeName, String)> {
    let called = |r: &&model::Resource| {
        let arn = knowledge.catalogue.kind(&r.type_name).and_then(|k| k.arn_of(r));
        *r.id == *wanted || r.name.as_deref() == Some(wanted) || arn.as_deref() == Some(wanted)
    };
    snapshot.resources.iter().filter(called).map(|r| (r.type_name.clone(), r.id.to_string())).collect()
}

/// How a state is written: a letter, so that colour is not the only carrier.
fn mark(state: LayerState) -> (char, Style) {
    let colour = |c: AnsiColor| Style::new().fg_color(Some(c.into()));
    match state {
        LayerState::Fail => ('F', colour(AnsiColor::Red).bold()),
        LayerState::Unknown => ('?', colour(AnsiColor::Magenta)),
        LayerState::NoCheck => ('-', colour(AnsiColor::Yellow)),
        LayerState::Pass => ('P', colour(AnsiColor::Green)),
        LayerState::Aws => ('A', Style::new().dimmed()),
        LayerState::Na => (' ', Style::new()),
    }
}

fn text(line: &Line, resources: bool) -> String {
    let mut out = String::new();
    let bold = Style::new().bold();
    let dim = Style::new().dimmed();
    for (n, layer) in Layer::ALL.iter().enumerate() {
        let _ = writeln!(out, "{}{:>2} {}", "   ".repeat(0), n + 1, layer.name());
    }
    out.push('\n');
    let numbers: String = (1..=Layer::ALL.len()).map(|n| format!("{n:>3}")).collect();
    let _ = writeln!(out, "{:<46}{numbers}", "");
    for of_service in line.types.chunk_by(|a, b| a.service == b.service) {
        let Some(first) = of_service.first() else { continue };
        let _ = writeln!(out, "{bold}{}{bold:#} {dim}{}{dim:#}", first.service, first.class.name());
        for of_type in of_service {
            let states = of_type.layers.iter().map(|c| (c.state, c.owner == Owner::Shared));
            let name = format!("  {} ({})", of_type.type_name, of_type.resources.len());
            let _ = writeln!(out, "{name:<46}{}", cells(states));
            for resource in of_type.resources.iter().filter(|_| resources) {
                let name = format!("    {}", printable(&resource.id));
                let _ = writeln!(out, "{name:<46}{}", cells(resource.layers.iter().map(|s| (*s, false))));
            }
        }
    }
    let _ = writeln!(out, "\nF fails   ? unknown   - yours, no check   P passes   A AWS's half   lower case: shared with AWS");
    let _ = writeln!(out, "{bold}yours{bold:#}: {} of {} layers have a check", line.owned_checked, line.owned);
    let _ = writeln!(out, "{bold}shared{bold:#}: {} of {} layers have a check", line.shared_checked, line.shared);
    for type_name in &line.unclassified {
        let _ = writeln!(out, "not in the responsibility table: {type_name}");
    }
    out
}

fn cells(states: impl Iterator<Item = (LayerState, bool)>) -> String {
    states
        .map(|(state, shared)| {
            let (letter, style) = mark(state);
            let letter = if shared { letter.to_ascii_lowercase() } else { letter };
            format!("  {style}{letter}{style:#}")
        })
        .collect()
}

/// By service and type: how many resources there are, and which layers of theirs are the customer's.
type Duties = BTreeMap<(String, String), (usize, Vec<(Layer, Owner)>)>;

fn duties(line: &Line) -> Duties {
    let mut duties = BTreeMap::new();
    for of_type in &line.types {
        let mine =
            of_type.layers.iter().filter(|c| matches!(c.owner, Owner::Customer | Owner::Shared)).map(|c| (c.layer, c.owner));
        duties.insert((of_type.service.clone(), of_type.type_name.to_string()), (of_type.resources.len(), mine.collect()));
    }
    duties
}

/// What changes between two inputs: types that come, go, grow or shrink, and the duties that come or go with them.
fn plan(new: &PathBuf, old: Option<&PathBuf>, format: LineFormat, knowledge: &Knowledge) -> Result<Exit> {
    let args = InputArgs::default();
    let read = |path: &PathBuf| input::read(std::slice::from_ref(path), &args, knowledge, Wanted::Everything);
    let after = duties(&draw(&read(new)?, knowledge));
    let before = match old {
        Some(old) => duties(&draw(&read(old)?, knowledge)),
        None => BTreeMap::new(),
    };
    let mut added = Vec::new();
    let mut removed = Vec::new();
    for ((service, type_name), (count, layers)) in &after {
        if !before.contains_key(&(service.clone(), type_name.clone())) {
            added.push(json!({ "service": service, "type": type_name, "resources": count, "duties": duty_names(layers) }));
        }
    }
    for ((service, type_name), (count, layers)) in &before {
        if !after.contains_key(&(service.clone(), type_name.clone())) {
            removed.push(json!({ "service": service, "type": type_name, "resources": count, "duties": duty_names(layers) }));
        }
    }
    let document = json!({ "schema": "palisade/line.plan/1", "added": added, "removed": removed });
    match format {
        LineFormat::Json => output::print(&(serde_json::to_string_pretty(&document)? + "\n"))?,
        LineFormat::Terminal => {
            let mut out = String::new();
            for (sign, rows) in [("+", &added), ("-", &removed)] {
                for row in rows {
                    let duties = row["duties"].as_array().map_or(0, Vec::len);
                    let _ = writeln!(out, "{sign} {} {} ({}): {duties} duties", row["service"], row["type"], row["resources"]);
                    for duty in row["duties"].as_array().into_iter().flatten() {
                        let _ = writeln!(
                            out,
                            "    {sign} {} ({})",
                            duty["layer"].as_str().unwrap_or_default(),
                            duty["owner"].as_str().unwrap_or_default()
                        );
                    }
                }
            }
            let count =
                |rows: &[serde_json::Value]| rows.iter().filter_map(|r| r["duties"].as_array()).map(Vec::len).sum::<usize>();
            let _ = writeln!(out, "adds {} duties, removes {}", count(&added), count(&removed));
            output::print(&out)?;
        }
    }
    Ok(Exit::Clean)
}

fn duty_names(layers: &[(Layer, Owner)]) -> Vec<serde_json::Value> {
    layers.iter().map(|(layer, owner)| json!({ "layer": layer, "owner": owner })).collect()
}
