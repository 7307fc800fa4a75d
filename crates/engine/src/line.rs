//! Draws the responsibility line over what was seen.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::Catalogue;
use model::{CheckId, Layer, LayerCell, LayerState, Line, Owner, Resource, ResourceLine, Snapshot, Text, TypeLine, TypeName};
use rustc_hash::FxHashSet;

use crate::tally::Tally;

/// The line over `snapshot`, with the verdicts that were counted.
pub(crate) fn draw(snapshot: &Snapshot, catalogue: &Catalogue, selected: &BTreeSet<CheckId>, tally: &Tally) -> Line {
    let mut line = Line::default();
    for (type_name, resources) in by_type(snapshot) {
        let Some(row) = catalogue.responsibility(type_name) else {
            line.unclassified.push(type_name.clone());
            continue;
        };
        let mut checks: BTreeMap<Layer, usize> = BTreeMap::new();
        for check in catalogue.checks_of(type_name).filter(|c| selected.contains(&c.id)) {
            *checks.entry(check.file.layer).or_default() += 1;
        }
        let resources: Vec<ResourceLine> = resources
            .into_iter()
            .map(|(id, file)| {
                let states = tally.of_resource(type_name, id, file);
                let layers = Layer::ALL.iter().zip(states).map(|(layer, state)| at_rest(row.owner(*layer)).unwrap_or(state));
                ResourceLine { id: id.clone(), file: file.cloned(), layers: layers.collect() }
            })
            .collect();
        let cells = Layer::ALL.iter().enumerate().map(|(at, layer)| {
            let owner = row.owner(*layer);
            let seen = resources.iter().filter_map(|r| r.layers.get(at)).min().copied();
            let [fail, unknown, pass] = tally.of_layer(type_name, *layer);
            let state = at_rest(owner).or(seen).unwrap_or(LayerState::NoCheck);
            LayerCell { layer: *layer, owner, state, checks: checks.get(layer).copied().unwrap_or(0), fail, unknown, pass }
        });
        let layers: Vec<LayerCell> = cells.collect();
        count(&mut line, &layers);
        line.types.push(TypeLine {
            service: row.service.clone(),
            class: row.class,
            type_name: type_name.clone(),
            layers,
            resources,
        });
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

/// The resources of each type in source order, each once however many worlds it is in.
fn by_type(snapshot: &Snapshot) -> BTreeMap<&TypeName, Vec<(&Text, Option<&Text>)>> {
    let mut types: BTreeMap<&TypeName, Vec<(&Text, Option<&Text>)>> = BTreeMap::new();
    let mut seen = FxHashSet::default();
    for resource in &snapshot.resources {
        let Resource { id, type_name, origin, .. } = resource;
        if seen.insert((type_name, id, origin.file.as_ref())) {
            types.entry(type_name).or_default().push((id, origin.file.as_ref()));
        }
    }
    types
}
