//! `palisade explain`: the page of a check, made of its catalogue file.

mod markdown;

use std::fmt::Write;
use std::path::Path;

use anstyle::Style;
use anyhow::{Context, Result, bail};
use catalogue::{Catalogue, Check};

use crate::cli::{ExplainArgs, PageFormat};
use crate::command::catalogue::record;
use crate::exit::Exit;
use crate::input::Knowledge;
use crate::output;

/// Prints the pages of the checks that the argument names.
pub(crate) fn run(args: &ExplainArgs, knowledge: &Knowledge) -> Result<Exit> {
    let catalogue = &knowledge.catalogue;
    let found: Vec<&Check> = match catalogue.check(&args.check) {
        Some(check) => vec![check],
        None => catalogue
            .checks()
            .filter(|c| c.file.same_as.values().flatten().any(|id| id.eq_ignore_ascii_case(&args.check)))
            .collect(),
    };
    if found.is_empty() {
        let ids: Vec<String> = catalogue.checks().map(|c| c.id.to_string()).collect();
        let near =
            nearest(&args.check, &ids).map_or_else(|| "palisade catalogue list".to_owned(), |id| format!("did you mean `{id}`?"));
        bail!("there is no check `{}`\n  help: {near}", args.check);
    }
    let text = match args.format {
        PageFormat::Terminal => found.iter().map(|check| page(check, catalogue)).collect::<Vec<_>>().join("\n"),
        PageFormat::Markdown => found.iter().map(|check| markdown::page(check, catalogue)).collect::<Vec<_>>().join("\n"),
        PageFormat::Json => {
            let checks: Vec<_> = found.iter().map(|check| record(check, catalogue)).collect();
            let document = serde_json::json!({ "schema": "palisade/explain/1", "checks": checks });
            serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
        }
    };
    output::print(&text)?;
    Ok(Exit::Clean)
}

/// Writes the page of every check to `dir`, as `CHECK.md`, and `index.md`.
pub(crate) fn write_pages(dir: &Path, catalogue: &Catalogue) -> Result<Exit> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot make `{}`", dir.display()))?;
    for check in catalogue.checks() {
        output::write(&dir.join(format!("{}.md", check.id)), markdown::page(check, catalogue))?;
    }
    output::write(&dir.join("index.md"), markdown::index(catalogue))?;
    Ok(Exit::Clean)
}

fn nearest<'a>(name: &str, ids: &'a [String]) -> Option<&'a str> {
    let close = |id: &String| similar::TextDiff::from_chars(name, id.as_str()).ratio();
    let best = ids.iter().max_by(|a, b| close(a).total_cmp(&close(b)))?;
    (close(best) > 0.6).then_some(best.as_str())
}

fn page(check: &Check, catalogue: &Catalogue) -> String {
    let bold = Style::new().bold();
    let dim = Style::new().dimmed();
    let file = &check.file;
    let mut out = String::new();
    let _ = writeln!(out, "{bold}{}{bold:#}\n{}\n", check.id, file.title);
    let _ = writeln!(out, "{}\n", file.why.trim());
    let mut row = |name: &str, text: &str| {
        let _ = writeln!(out, "{dim}{name:<12}{dim:#} {text}");
    };
    row("type", check.type_name.as_str());
    row("severity", file.severity.name());
    row("layer", file.layer.name());
    if let Some(owner) = catalogue.owner(&check.type_name, file.layer) {
        row("owner", owner.name());
    }
    for id in &file.objective {
        row("objective", catalogue.objectives().get(id).map_or(id, |o| &o.title));
    }
    if let Some(applies) = &file.applies_when {
        row("applies when", applies.trim());
    }
    if let Some(fails) = &file.fail_when {
        row("fails when", fails.trim());
    }
    for (name, value) in &file.params {
        row("setting", &format!("params.{}.{name} = {value}", check.id));
    }
    for (list, ids) in file.same_as.iter() {
        row("same as", &format!("{list} {}", ids.join(", ")));
    }
    let _ = writeln!(out, "\n{bold}Fix{bold:#}\n{}", file.fix.text.trim());
    for (name, text) in
        [("AWS CLI", &file.fix.cli), ("CloudFormation", &file.fix.cloudformation), ("Terraform", &file.fix.terraform)]
    {
        if let Some(text) = text {
            let _ = writeln!(out, "\n{dim}{name}{dim:#}");
            for line in text.trim_matches('\n').lines() {
                let _ = writeln!(out, "  {line}");
            }
        }
    }
    let _ = writeln!(out, "\n{bold}See{bold:#}");
    for page in &file.refs {
        let _ = writeln!(out, "{page}");
    }
    out
}
