//! What a check says of a resource.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{AccountId, CheckId, Layer, Pillar, Region, Span, Text, TypeName, Unknown, Verdict};

/// How bad it is if it is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Hardening.
    Low,
    /// A weakness that needs another one.
    Medium,
    /// A weakness by itself.
    High,
    /// An open door.
    Critical,
}

impl Severity {
    /// Every severity, mildest first.
    pub const ALL: &'static [Severity] = &[Severity::Info, Severity::Low, Severity::Medium, Severity::High, Severity::Critical];

    /// The name as files and outputs write it.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// The one with this name.
    pub fn from_name(name: &str) -> Option<Severity> {
        Severity::ALL.iter().copied().find(|s| s.name() == name)
    }
}

/// How sure the answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A pattern that often, not always, means it.
    Low,
    /// Rests on a convention or on a service default that can be changed elsewhere.
    Medium,
    /// Follows from the facts.
    High,
}

impl Confidence {
    /// The name as files and outputs write it.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// The same thing elsewhere, by id: `prowler` -> `s3_bucket_object_versioning`, `fsbp` -> `S3.14`. All findings of a check
/// share one.
pub type SameAs = Arc<BTreeMap<String, Vec<String>>>;

/// What a check says of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The check.
    pub check: CheckId,
    /// Its answer.
    pub verdict: Verdict,
    /// How bad a failure is.
    pub severity: Severity,
    /// How sure the answer is.
    pub confidence: Confidence,
    /// What the check is about.
    pub pillar: Pillar,
    /// The layer of the responsibility line.
    pub layer: Layer,
    /// The resource.
    pub resource: ResourceRef,
    /// One line: what is so. Never holds a secret.
    pub message: Text,
    /// The facts that decided it.
    pub evidence: Vec<Evidence>,
    /// For an unknown: what is missing. Never empty then.
    pub reasons: Vec<Unknown>,
    /// The worlds in which it is so, if not in all: `Env=prod`.
    pub worlds: Vec<Text>,
    /// Whether somebody accepted it.
    pub suppression: Option<Box<Suppression>>,
    /// The same thing elsewhere, by id.
    pub same_as: SameAs,
    /// A stable identity over runs: it does not change when lines move.
    pub fingerprint: Fingerprint,
}

/// What identifies a finding; written as 16 hex digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub u64);

impl Fingerprint {
    /// The one that is written so; nothing for what is no fingerprint.
    pub fn from_hex(text: &str) -> Option<Fingerprint> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        u64::from_str_radix(text, 16).ok().filter(|_| digits).map(Fingerprint)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Which resource a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceRef {
    /// As [`crate::Resource::id`].
    pub id: Text,
    /// The type.
    pub type_name: TypeName,
    /// The account, where known.
    pub account: Option<AccountId>,
    /// The Region, where known.
    pub region: Option<Region>,
    /// The physical name, where known.
    pub name: Option<Text>,
    /// The file it is written in.
    pub file: Option<Text>,
    /// The offending place, or the resource's own.
    pub span: Option<Span>,
}

/// One fact that decided a verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The property path or fact.
    pub path: Text,
    /// Its value as JSON, secrets masked.
    pub value: serde_json::Value,
    /// Where it was written.
    pub span: Option<Span>,
}

/// Somebody accepted a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Where it was written: `inline`, `palisade.toml`, `baseline`.
    pub by: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day it holds, `2027-01-31`.
    pub expires: Option<String>,
}

/// How the resources of one type fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// The resource type.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// How many resources of it were seen.
    pub resources: usize,
    /// How many checks of the catalogue ran on it; 0 says that nothing is known of this type.
    pub checks: usize,
    /// Answers: failures.
    pub fail: usize,
    /// Unknowns.
    pub unknown: usize,
    /// Passes.
    pub pass: usize,
}

/// All that a scan says: what the reports are made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Every finding, in a stable order: worst first, then by check, file, place, resource. Passes only if they were asked for;
    /// `coverage` counts them in any case.
    pub findings: Vec<Finding>,
    /// What could not be read, in a stable order.
    pub gaps: Vec<crate::Gap>,
    /// Per resource type, in type order, every type that was seen.
    pub coverage: Vec<Coverage>,
    /// The responsibility line over what was seen.
    pub line: crate::Line,
}
