//! What a scan is asked to do.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::{Catalogue, Check};
use model::{CheckId, Layer, Pillar, Severity};

use crate::accept::{AcceptRule, Baseline};

/// What a scan is asked to do.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Which checks run.
    pub filter: Filter,
    /// Settings of checks that differ from their defaults: check id to name to value.
    pub params: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    /// Severities that differ from the catalogue's: check id to severity.
    pub severities: BTreeMap<String, Severity>,
    /// What was accepted.
    pub accept: Vec<AcceptRule>,
    /// What was there before.
    pub baseline: Option<Baseline>,
    /// False to take no notice of suppressions written in templates.
    pub inline_suppressions: bool,
    /// Whether passes are among the findings, with their evidence; they are counted in any case.
    pub passes: bool,
}

/// Which checks run. Empty parts let everything through; the parts are and-ed, the members of a part or-ed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Check ids, also former ones, also with `*`.
    pub checks: Vec<String>,
    /// Folders of services, `s3`.
    pub services: Vec<String>,
    /// Severities.
    pub severities: BTreeSet<Severity>,
    /// Layers.
    pub layers: BTreeSet<Layer>,
    /// Pillars.
    pub pillars: BTreeSet<Pillar>,
    /// Frameworks: file names below `frameworks/`, or lists of `same_as`.
    pub frameworks: Vec<String>,
}

impl Filter {
    /// The ids of the checks that run.
    pub fn select(&self, catalogue: &Catalogue) -> BTreeSet<CheckId> {
        catalogue.checks().filter(|c| self.wants(catalogue, c)).map(|c| c.id.clone()).collect()
    }

    /// Whether findings of this severity were asked for.
    pub(crate) fn grave_enough(&self, severity: Severity) -> bool {
        self.severities.is_empty() || self.severities.contains(&severity)
    }

    fn wants(&self, catalogue: &Catalogue, check: &Check) -> bool {
        let service = check.folder.split('/').nth(1).unwrap_or_default();
        let named = |pattern: &String| glob(pattern, check.id.as_str()) || check.file.aliases.iter().any(|a| glob(pattern, a));
        (self.checks.is_empty() || self.checks.iter().any(named))
            && (self.services.is_empty() || self.services.iter().any(|s| s == service))
            && (self.grave_enough(check.file.severity)
                || check.file.lower.as_ref().is_some_and(|l| self.grave_enough(l.severity)))
            && (self.layers.is_empty() || self.layers.contains(&check.file.layer))
            && (self.pillars.is_empty() || self.pillars.contains(&check.file.pillar))
            && (self.frameworks.is_empty() || self.frameworks.iter().any(|f| in_framework(catalogue, check, f)))
    }
}

/// A check belongs to a framework that pins it, that asks for one of its objectives, or whose list names it.
fn in_framework(catalogue: &Catalogue, check: &Check, framework: &str) -> bool {
    if check.file.same_as.contains_key(framework) {
        return true;
    }
    catalogue.frameworks().get(framework).is_some_and(|f| {
        f.requirements.iter().any(|r| {
            r.checks.iter().any(|id| id == check.id.as_str())
                || (r.checks.is_empty() && r.objectives.iter().any(|o| check.file.objective.contains(o)))
        })
    })
}

/// True if `text` matches `pattern`, in which `*` stands for any characters. Linear in the text for each `*`.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    let mut rest = rest;
    for part in middle {
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("s3-*", "s3-bucket-public", true),
            ("*", "", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b", "a", false),
            ("ab", "abc", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
