//! What security data lakes want of every finding: which published standard asks for it, and which partition it is in.

use model::{Finding, SameAs};

/// The published standards among the lists of [`SameAs`], with their names; the other lists are ids of other tools.
const STANDARDS: &[(&str, &str)] =
    &[("cis", "CIS AWS Foundations Benchmark"), ("fsbp", "AWS Foundational Security Best Practices")];

/// Names of the standards that ask for the same thing; `Palisade` alone if none does, for readers that demand one.
pub(crate) fn standards(same_as: &SameAs) -> Vec<&'static str> {
    let named: Vec<&str> = STANDARDS.iter().filter(|(list, _)| same_as.contains_key(*list)).map(|(_, name)| *name).collect();
    if named.is_empty() { vec!["Palisade"] } else { named }
}

/// The requirements of those standards, `fsbp S3.8`, in a stable order.
pub(crate) fn requirements(same_as: &SameAs) -> Vec<String> {
    let ids = |list: &'static str| same_as.get(list).into_iter().flatten().map(move |id| format!("{list} {id}"));
    STANDARDS.iter().flat_map(|(list, _)| ids(list)).collect()
}

/// The partition of the finding's Region, where that is known: `aws`, `aws-cn`, `aws-us-gov`.
pub(crate) fn partition(finding: &Finding) -> Option<&'static str> {
    finding.resource.region.as_ref().map(|region| region.partition().name())
}

/// Why the verdict is unknown, in one line.
pub(crate) fn reasons(finding: &Finding) -> Option<String> {
    let missing: Vec<&str> = finding.reasons.iter().map(|unknown| &*unknown.what).collect();
    (!missing.is_empty()).then(|| format!("not known: {}", missing.join(", ")))
}
