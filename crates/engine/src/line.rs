//! Draws the responsibility line over what was seen.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Catalogue;
use model::{CheckId, Layer, LayerCell, LayerState, Line, Owner, ResourceLine, TypeLine};

use crate::tally::{Seen, Tally};

/// The line over the resources and verdicts that were counted.
pub(crate) fn draw(tally: Tally, catalogue: &Catalogue, selected: &BTreeSet<CheckId>) -> Line {
    let mut line = Line::default();
    for (type_name, of_type) in tally {
        let Some(row) = catalogue.responsibility(&type_name) else {
            line.unclassified.push(type_name);
            continue;
        };
        let mut checks: BTreeMap<Layer, usize> = BTreeMap::new();
        for check in catalogue.checks_of(&type_name).filter(|c| selected.contains(&c.id)) {
            *checks.entry(check.file.layer).or_default() += 1;
        }
        let shown = |seen: Seen| {
            let layers = Layer::ALL.iter().zip(seen.states).map(|(layer, state)| at_rest(row.owner(*layer)).unwrap_or(state));
            ResourceLine { id: seen.id, file: seen.file, layers: layers.collect() }
        };
        let resources: Vec<ResourceLine> = of_type.seen.into_iter().map(shown).collect();
        let cells = Layer::ALL.iter().zip(of_type.layers).enumerate().map(|(at, (layer, counts))| {
            let owner = row.owner(*layer);
            let seen = resources.iter().filter_map(|r| r.layers.get(at)).min().copied();
            let [fail, unknown, pass] = counts.map(|n| n as usize);
            let state = at_rest(owner).or(seen).unwrap_or(LayerState::NoCheck);
            LayerCell { layer: *layer, owner, state, checks: checks.get(layer).copied().unwrap_or(0), fail, unknown, pass }
        });
        let layers: Vec<LayerCell> = cells.collect();
        count(&mut line, &layers);
        line.types.push(TypeLine { service: row.service.clone(), class: row.class, type_name, layers, resources });
    }
    line.types.sort_by(|a, b| (&a.service, &a.type_name).cmp(&(&b.service, &b.type_name)));
    line
}

/// The state of a layer that no check of yours can change.
fn at_rest(owner: Owner) -> Option<LayerState> {
    match owner {
        Owner::Aws => Some(LayerState::Aws),
        Owner::Na => Some(LayerState::Na),
        Owner::Shared | Owner::Customer => None,
    }
}

fn count(line: &mut Line, cells: &[LayerCell]) {
    for cell in cells {
        let checked = usize::from(cell.checks > 0);
        match cell.owner {
            Owner::Customer => {
                line.owned += 1;
                line.owned_checked += checked;
            }
            Owner::Shared => {
                line.shared += 1;
                line.shared_checked += checked;
            }
            Owner::Aws | Owner::Na => {}
        }
    }
}
