//! A check's page as Markdown, for a site or a wiki, and the index of all of them.

use std::fmt::Write;

use catalogue::{Catalogue, Check};

/// The page of one check.
pub(super) fn page(check: &Check, catalogue: &Catalogue) -> String {
    let file = &check.file;
    let mut out = format!("# `{}`\n\n**{}**\n\n{}\n\n", check.id, file.title, file.why.trim());
    let _ = writeln!(out, "| | |\n|---|---|");
    let mut row = |name: &str, text: &str| {
        let _ = writeln!(out, "| {name} | {} |", text.replace('|', "\\|").replace('\n', " "));
    };
    row("type", &format!("`{}`", check.type_name));
    row("severity", file.severity.name());
    let owner = catalogue.owner(&check.type_name, file.layer).map_or_else(String::new, |o| format!(", owned by {}", o.name()));
    row("layer", &format!("{}{owner}", file.layer.name()));
    for id in &file.objective {
        row("objective", catalogue.objectives().get(id).map_or(id, |o| &o.title));
    }
    if let Some(applies) = &file.applies_when {
        row("applies when", &format!("`{}`", applies.trim()));
    }
    if let Some(fails) = &file.fail_when {
        row("fails when", &format!("`{}`", fails.trim()));
    }
    for (name, value) in &file.params {
        row("setting", &format!("`params.{}.{name} = {value}`", check.id));
    }
    for (list, ids) in file.same_as.iter() {
        row("same as", &format!("{list} {}", ids.join(", ")));
    }
    let _ = writeln!(out, "\n## Fix\n\n{}", file.fix.text.trim());
    let forms = [
        ("AWS CLI", "sh", &file.fix.cli),
        ("CloudFormation", "yaml", &file.fix.cloudformation),
        ("Terraform", "hcl", &file.fix.terraform),
    ];
    for (name, language, text) in forms {
        if let Some(text) = text {
            let _ = writeln!(out, "\n{name}:\n\n```{language}\n{}\n```", text.trim_matches('\n'));
        }
    }
    let _ = writeln!(out, "\n## See\n");
    for link in &file.refs {
        let _ = writeln!(out, "- <{link}>");
    }
    out
}

/// All checks by type, each with its severity and a link to its page.
pub(super) fn index(catalogue: &Catalogue) -> String {
    let checks: Vec<&Check> = catalogue.checks().collect();
    let mut out = format!("# Checks\n\n{} checks. `palisade explain ID` prints a page.\n", checks.len());
    for of_type in checks.chunk_by(|a, b| a.type_name == b.type_name) {
        let Some(first) = of_type.first() else { continue };
        let _ = writeln!(out, "\n## {}\n\n| check | severity | |\n|---|---|---|", first.type_name);
        for check in of_type {
            let file = &check.file;
            let _ = writeln!(out, "| [{0}]({0}.md) | {1} | {2} |", check.id, file.severity.name(), file.title);
        }
    }
    out
}
