//! How the resources of each type fared.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Catalogue;
use model::{CheckId, Coverage, Finding, Snapshot, TypeName, Verdict};

/// One row for every type that was seen, in type order. Worlds of one template count once.
pub(crate) fn count(
    snapshot: &Snapshot,
    catalogue: &Catalogue,
    selected: &BTreeSet<CheckId>,
    findings: &[Finding],
) -> Vec<Coverage> {
    let mut rows: BTreeMap<&TypeName, Coverage> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for resource in &snapshot.resources {
        let group = snapshot.scope(resource.scope).map(|s| s.group);
        if !seen.insert((group, &resource.type_name, &resource.id)) {
            continue;
        }
        let type_name = &resource.type_name;
        let row = rows.entry(type_name).or_insert_with(|| Coverage {
            type_name: type_name.clone(),
            resources: 0,
            checks: catalogue.checks_of(type_name).filter(|c| selected.contains(&c.id)).count(),
            fail: 0,
            unknown: 0,
            pass: 0,
        });
        row.resources += 1;
    }
    for finding in findings {
        let Some(row) = rows.get_mut(&finding.resource.type_name) else { continue };
        match finding.verdict {
            Verdict::Fail => row.fail += 1,
            Verdict::Unknown => row.unknown += 1,
            Verdict::Pass => row.pass += 1,
        }
    }
    rows.into_values().collect()
}
