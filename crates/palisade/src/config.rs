//! `palisade.toml`: what a team agreed on. Unknown keys are refused.

mod flow;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use engine::AcceptRule;
use model::Severity;
use serde::Deserialize;

/// The file's name, looked for in the working directory.
pub(crate) const FILE_NAME: &str = "palisade.toml";

/// `palisade.toml`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// The mildest severity that fails the run: `info`, `low`, `medium`, `high`, `critical` or `never`.
    pub(crate) fail_on: Option<String>,
    /// Whether gaps that matter fail the run too.
    pub(crate) strict: Option<bool>,
    /// Folders of catalogue files to lay over the built-in ones.
    pub(crate) catalogue: Vec<PathBuf>,
    /// Values of template parameters.
    pub(crate) parameters: BTreeMap<String, String>,
    /// Settings of checks: check id to name to value.
    pub(crate) params: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    /// Severities that differ from the catalogue's.
    pub(crate) severity: BTreeMap<String, Severity>,
    /// What was accepted.
    pub(crate) accept: Vec<Accept>,
    /// Flow logs: thresholds, approved scans.
    pub(crate) flow: flow::FlowSettings,
}

/// `[[accept]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Accept {
    check: OneOrMany,
    #[serde(default)]
    resource: OneOrMany,
    #[serde(default)]
    file: OneOrMany,
    #[serde(default)]
    account: OneOrMany,
    owner: Option<String>,
    reason: String,
    expires: Option<toml::value::Datetime>,
}

/// A string or a list of strings.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Default for OneOrMany {
    fn default() -> Self {
        OneOrMany::Many(Vec::new())
    }
}

impl OneOrMany {
    fn into_vec(self) -> Vec<String> {
        match self {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }
}

impl Settings {
    /// Reads `path`, or `palisade.toml` of the working directory if there is one and no path is given.
    pub(crate) fn read(path: Option<&Path>) -> Result<Settings> {
        let path = match path {
            Some(path) => path,
            None if Path::new(FILE_NAME).exists() => Path::new(FILE_NAME),
            None => return Ok(Settings::default()),
        };
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let settings: Settings = toml::from_str(&text).map_err(|e| anyhow::anyhow!("`{}`: {e}", path.display()))?;
        for (n, accept) in settings.accept.iter().enumerate() {
            if accept.reason.trim().is_empty() {
                bail!("`{}`: [[accept]] number {} has no reason", path.display(), n + 1);
            }
        }
        Ok(settings)
    }

    /// The `[[accept]]` entries as rules.
    pub(crate) fn accept_rules(&self) -> Result<Vec<AcceptRule>> {
        self.accept.iter().cloned().map(rule).collect()
    }
}

fn rule(accept: Accept) -> Result<AcceptRule> {
    let expires = match accept.expires {
        None => None,
        Some(written) => {
            let date = written.date.with_context(|| format!("`expires = {written}` has no date"))?;
            Some(jiff::civil::Date::new(date.year as i16, date.month as i8, date.day as i8)?)
        }
    };
    Ok(AcceptRule {
        checks: accept.check.into_vec(),
        resources: accept.resource.into_vec(),
        files: accept.file.into_vec(),
        accounts: accept.account.into_vec(),
        owner: accept.owner,
        reason: accept.reason,
        expires,
    })
}
