//! What a report is made of.

use catalogue::Catalogue;
use model::{Finding, Outcome, Severity, Verdict};

/// What a report is made of.
pub struct Report<'a> {
    /// What was judged.
    pub outcome: &'a Outcome,
    /// Words, fixes, titles.
    pub catalogue: &'a Catalogue,
    /// The texts of the files that findings point into.
    pub sources: &'a dyn Sources,
    /// About the run.
    pub meta: Meta,
    /// Drawings for the page: a title and an SVG element each, made by this product out of escaped texts.
    pub drawings: Vec<(String, String)>,
}

/// About the run.
#[derive(Clone, Debug, Default)]
pub struct Meta {
    /// The product's version.
    pub version: String,
    /// When it ran, RFC 3339.
    pub time: String,
    /// What was read, as given on the command line.
    pub inputs: Vec<String>,
    /// How many resources were seen.
    pub resources: usize,
    /// Whether passes are shown too.
    pub passes: bool,
    /// Whether every finding of a check is shown in full on a terminal.
    pub full: bool,
}

/// The texts of the files that findings point into.
pub trait Sources {
    /// The lines `first..=last` (from 1) of a file; `None` if it is not (or no longer) readable.
    fn lines(&self, file: &str, first: u32, last: u32) -> Option<String>;
}

/// How many findings of each kind count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Failures by severity, mildest first.
    pub fail: [usize; 5],
    /// Unknowns.
    pub unknown: usize,
    /// Passes.
    pub pass: usize,
    /// Failures that somebody accepted.
    pub suppressed: usize,
}

impl Counts {
    /// Counts findings that are no passes.
    fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Counts {
        let mut counts = Counts::default();
        for finding in findings {
            match finding.verdict {
                Verdict::Pass => {}
                _ if finding.suppression.is_some() => counts.suppressed += 1,
                Verdict::Unknown => counts.unknown += 1,
                Verdict::Fail => {
                    if let Some(count) = counts.fail.get_mut(finding.severity as usize) {
                        *count += 1;
                    }
                }
            }
        }
        counts
    }

    /// Failures of one severity.
    pub fn fails(&self, severity: Severity) -> usize {
        self.fail.get(severity as usize).copied().unwrap_or(0)
    }

    /// All failures.
    pub fn failed(&self) -> usize {
        self.fail.iter().sum()
    }
}

impl Report<'_> {
    /// The findings to show: passes only if asked for.
    pub fn shown(&self) -> impl Iterator<Item = &Finding> {
        self.outcome.findings.iter().filter(|f| self.meta.passes || f.verdict != Verdict::Pass)
    }

    /// How many findings of each kind count, passes included.
    pub fn counts(&self) -> Counts {
        let pass = self.outcome.coverage.iter().map(|c| c.pass).sum();
        Counts { pass, ..Counts::of(&self.outcome.findings) }
    }
}
