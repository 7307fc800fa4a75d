//! Exceptions: who accepted what, why, and until when. An expired one fails again.

use std::collections::BTreeSet;

use jiff::civil::Date;
use model::{Finding, Fingerprint, Resource, Suppression};

use crate::config::glob;

/// An `[[accept]]` of `palisade.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptRule {
    /// Check ids; `*` stands for any characters.
    pub checks: Vec<String>,
    /// Resource ids, names or ARNs; `*` stands for any characters; empty for all.
    pub resources: Vec<String>,
    /// Files; `*` stands for any characters; empty for all.
    pub files: Vec<String>,
    /// Accounts; empty for all.
    pub accounts: Vec<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day it holds.
    pub expires: Option<Date>,
}

/// The fingerprints of what was there before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Fingerprints of findings.
    pub fingerprints: BTreeSet<Fingerprint>,
}

impl AcceptRule {
    /// True if the rule is about this finding, whether it has expired or not.
    pub fn covers(&self, finding: &Finding) -> bool {
        let resource = &finding.resource;
        let any = |patterns: &[String], texts: &[Option<&str>]| {
            patterns.is_empty() || patterns.iter().any(|p| texts.iter().flatten().any(|t| glob(p, t)))
        };
        self.checks.iter().any(|p| glob(p, finding.check.as_str()))
            && any(&self.resources, &[Some(&resource.id), resource.name.as_deref()])
            && any(&self.files, &[resource.file.as_deref()])
            && any(&self.accounts, &[resource.account.as_ref().map(model::AccountId::as_str)])
    }

    fn suppression(&self) -> Suppression {
        Suppression {
            by: "palisade.toml".to_owned(),
            owner: self.owner.clone(),
            reason: self.reason.clone(),
            expires: self.expires.map(|d| d.to_string()),
        }
    }
}

/// Why a finding does not count, if somebody accepted it and the acceptance holds today.
pub(crate) fn suppression(finding: &Finding, resource: &Resource, config: &crate::Config, today: Date) -> Option<Suppression> {
    if config.inline_suppressions {
        let here = resource.origin.accepted.iter().find(|a| &*a.check == finding.check.as_str() && !a.reason.trim().is_empty());
        if let Some(accepted) = here {
            let reason = model::secret::mask(&accepted.reason).into_owned();
            return Some(Suppression { by: "inline".to_owned(), owner: None, reason, expires: None });
        }
    }
    let rule = config.accept.iter().find(|r| r.covers(finding) && r.expires.is_none_or(|last| today <= last));
    if let Some(rule) = rule {
        return Some(rule.suppression());
    }
    let known = config.baseline.as_ref().is_some_and(|b| b.fingerprints.contains(&finding.fingerprint));
    known.then(|| Suppression { by: "baseline".to_owned(), owner: None, reason: "in the baseline".to_owned(), expires: None })
}
