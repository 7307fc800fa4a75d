//! What the user gives: rules, values for their placeholders, suppressions.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use detect::sigma::Placeholders;
use detect::{RuleSet, Suppression};
use serde::Deserialize;

use super::{DetectArgs, note};
use crate::input::Knowledge;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suppressions {
    #[serde(default)]
    suppress: Vec<Suppression>,
}

/// The built-in detections and the user's rules, compiled; mistakes are told, the other rules run.
pub(super) fn rules(args: &DetectArgs, knowledge: &Knowledge) -> Result<RuleSet> {
    let mut files: Vec<(String, String)> = vec![];
    if !args.no_builtin {
        let built_in = knowledge.catalogue.detections().iter();
        files.extend(
            built_in
                .filter(|(path, _)| path.contains("/cloudtrail/") && path.ends_with(".yml"))
                .map(|(p, t)| (p.clone(), t.clone())),
        );
    }
    for place in &args.rules {
        rule_files(place, &mut files)?;
    }
    let mut placeholders = Placeholders::new();
    for pair in &args.placeholder {
        let (name, value) = pair.split_once('=').with_context(|| format!("`{pair}` is not NAME=VALUE"))?;
        placeholders.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    let (rules, problems) = detect::compile_with(files.iter().map(|(p, t)| (p.as_str(), t.as_str())), &placeholders);
    for problem in &problems {
        note(&format!("{problem}: this rule is left out"));
    }
    if rules.not_for_cloudtrail() > 0 {
        note(&format!("{} rules are for other logs than CloudTrail and are left out", rules.not_for_cloudtrail()));
    }
    if rules.rules().is_empty() {
        bail!("there is no rule to run\n  help: leave `--no-builtin` out, or name rules with `--rules DIR`");
    }
    Ok(rules)
}

fn rule_files(place: &Path, files: &mut Vec<(String, String)>) -> Result<()> {
    if !place.exists() {
        bail!("`{}` is not there", place.display());
    }
    let before = files.len();
    for entry in ignore::WalkBuilder::new(place).standard_filters(false).sort_by_file_path(Path::cmp).build() {
        let entry = entry.with_context(|| format!("cannot read `{}`", place.display()))?;
        let path = entry.path();
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if path.is_file() && (path == place || matches!(ending.as_str(), "yml" | "yaml")) {
            let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
            files.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    if files.len() == before {
        bail!("`{}` holds no .yml file", place.display());
    }
    Ok(())
}

/// What people accepted, with owner, reason and expiry.
pub(super) fn suppressions(paths: &[PathBuf]) -> Result<Vec<Suppression>> {
    let mut every = vec![];
    for path in paths {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let read: Suppressions = toml::from_str(&text).map_err(|e| anyhow::anyhow!("`{}`: {e}", path.display()))?;
        for (number, suppression) in read.suppress.iter().enumerate() {
            if let Err(wrong) = suppression.check() {
                bail!("`{}`: [[suppress]] number {}: {wrong}", path.display(), number + 1);
            }
        }
        every.extend(read.suppress);
    }
    Ok(every)
}
