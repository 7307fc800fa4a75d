//! How the resources of each type fared.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Catalogue;
use model::{CheckId, Coverage, Snapshot, TypeName};
use rustc_hash::FxHashSet;

use crate::tally::Tally;

/// One row for every type that was seen, in type order. Worlds of one template count once.
pub(crate) fn count(snapshot: &Snapshot, catalogue: &Catalogue, selected: &BTreeSet<CheckId>, tally: &Tally) -> Vec<Coverage> {
    let mut rows: BTreeMap<&TypeName, Coverage> = BTreeMap::new();
    let mut seen = FxHashSet::default();
    for resource in &snapshot.resources {
        let group = snapshot.scope(resource.scope).map(|s| s.group);
        if !seen.insert((group, &resource.type_name, &resource.id)) {
            continue;
        }
        let type_name = &resource.type_name;
        let row = rows.entry(type_name).or_insert_with(|| {
            let [fail, unknown, pass] = tally.of_type(type_name);
            let checks = catalogue.checks_of(type_name).filter(|c| selected.contains(&c.id)).count();
            Coverage { type_name: type_name.clone(), resources: 0, checks, fail, unknown, pass }
        });
        row.resources += 1;
    }
    rows.into_values().collect()
}
