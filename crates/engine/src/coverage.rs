//! How the resources of each type fared.

use std::collections::BTreeSet;

use catalogue::Catalogue;
use model::{CheckId, Coverage};

use crate::tally::Tally;

/// One row for every type that was seen, in type order.
pub(crate) fn rows(tally: &Tally, catalogue: &Catalogue, selected: &BTreeSet<CheckId>) -> Vec<Coverage> {
    let mut rows = Vec::with_capacity(tally.len());
    for (type_name, of_type) in tally {
        let [fail, unknown, pass] = of_type.verdicts.map(|n| n as usize);
        let checks = catalogue.checks_of(type_name).filter(|c| selected.contains(&c.id)).count();
        rows.push(Coverage { type_name: type_name.clone(), resources: of_type.resources, checks, fail, unknown, pass });
    }
    rows
}
