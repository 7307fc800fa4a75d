//! Counts verdicts as they come, so that a scan need keep neither its passes nor the resources that it judged.

use std::collections::BTreeMap;

use model::{Finding, Layer, LayerState, ResourceIndex, ResourceRef, Snapshot, Text, TypeName, Verdict};
use rustc_hash::{FxHashMap, FxHashSet};

/// How many of each: failures, unknowns, passes.
pub(crate) type Counts = [u32; 3];

/// The state of each layer of one resource, in the order of [`Layer::ALL`].
pub(crate) type States = [LayerState; Layer::ALL.len()];

/// What the verdicts on all resources add up to, by type.
pub(crate) type Tally = BTreeMap<TypeName, Box<TypeTally>>;

/// What the verdicts on the resources of one type add up to.
#[derive(Debug, Default)]
pub(crate) struct TypeTally {
    /// How many there are. Worlds of one template count once.
    pub(crate) resources: usize,
    /// The verdicts on them.
    pub(crate) verdicts: Counts,
    /// The verdicts on each layer. What somebody accepted counts as a pass.
    pub(crate) layers: [Counts; Layer::ALL.len()],
    /// Each of them in source order, once however many worlds it is in.
    pub(crate) seen: Vec<Seen>,
}

/// One resource.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) id: Text,
    pub(crate) file: Option<Text>,
    /// The worst state of each layer.
    pub(crate) states: States,
}

/// Counts the verdicts on the resources of one snapshot.
pub(crate) struct Counting<'a> {
    snapshot: &'a Snapshot,
    tally: Tally,
    /// Where each resource stands among those of its type: by type, id and file.
    places: FxHashMap<(&'a TypeName, &'a Text, Option<&'a Text>), usize>,
}

impl<'a> Counting<'a> {
    /// No verdict so far.
    pub(crate) fn new(snapshot: &'a Snapshot) -> Counting<'a> {
        let mut counting = Counting { snapshot, tally: Tally::new(), places: FxHashMap::default() };
        let mut counted = FxHashSet::default();
        for resource in &snapshot.resources {
            let row = counting.tally.entry(resource.type_name.clone()).or_default();
            let group = snapshot.scope(resource.scope).map(|s| s.group);
            row.resources += usize::from(counted.insert((group, &resource.type_name, &resource.id)));
            let (id, file) = (&resource.id, resource.origin.file.as_ref());
            counting.places.entry((&resource.type_name, id, file)).or_insert_with(|| {
                row.seen.push(Seen { id: id.clone(), file: file.cloned(), states: [LayerState::NoCheck; Layer::ALL.len()] });
                row.seen.len() - 1
            });
        }
        counting
    }

    /// Counts the findings of one scope. Those on one resource stand together.
    pub(crate) fn add(&mut self, findings: &[Finding]) {
        let same = |a: &ResourceRef, b: &ResourceRef| a.id == b.id && a.type_name == b.type_name;
        for of_resource in findings.chunk_by(|a, b| same(&a.resource, &b.resource)) {
            let Some(Finding { resource, .. }) = of_resource.first() else { continue };
            let Some(row) = self.tally.get_mut(&resource.type_name) else { continue };
            let place = self.places.get(&(&resource.type_name, &resource.id, resource.file.as_ref()));
            let mut seen = place.and_then(|at| row.seen.get_mut(*at));
            for finding in of_resource {
                let state = match finding.verdict {
                    Verdict::Fail if finding.suppression.is_none() => LayerState::Fail,
                    Verdict::Unknown => LayerState::Unknown,
                    _ => LayerState::Pass,
                };
                let layer = finding.layer as usize;
                if let Some(worst) = seen.as_mut().and_then(|s| s.states.get_mut(layer)) {
                    *worst = worse(*worst, state);
                }
                count(&mut row.verdicts, finding.verdict);
                if let Some(counts) = row.layers.get_mut(layer) {
                    count(counts, if state == LayerState::Pass { Verdict::Pass } else { finding.verdict });
                }
            }
        }
    }

    /// Counts passes that are no findings.
    pub(crate) fn add_passes(&mut self, passes: &[(ResourceIndex, Layer)]) {
        for of_resource in passes.chunk_by(|a, b| a.0 == b.0) {
            let Some(resource) = of_resource.first().and_then(|(index, _)| self.snapshot.resource(*index)) else { continue };
            let Some(row) = self.tally.get_mut(&resource.type_name) else { continue };
            let place = self.places.get(&(&resource.type_name, &resource.id, resource.origin.file.as_ref()));
            let mut seen = place.and_then(|at| row.seen.get_mut(*at));
            for (_, layer) in of_resource {
                let layer = *layer as usize;
                if let Some(worst) = seen.as_mut().and_then(|s| s.states.get_mut(layer)) {
                    *worst = worse(*worst, LayerState::Pass);
                }
                count(&mut row.verdicts, Verdict::Pass);
                if let Some(counts) = row.layers.get_mut(layer) {
                    count(counts, Verdict::Pass);
                }
            }
        }
    }

    pub(crate) fn done(self) -> Tally {
        self.tally
    }
}

/// What the verdicts on several snapshots add up to. A file that was read with several counts its resources each time, and
/// shows each once.
pub(crate) fn join(parts: Vec<Tally>) -> Tally {
    let mut all = Tally::new();
    let mut places: FxHashMap<(TypeName, Text, Option<Text>), usize> = FxHashMap::default();
    for (type_name, part) in parts.into_iter().flatten() {
        let row = all.entry(type_name.clone()).or_default();
        row.resources += part.resources;
        let counts = std::iter::once((&mut row.verdicts, part.verdicts)).chain(row.layers.iter_mut().zip(part.layers));
        for (sum, more) in counts {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
        }
        for seen in part.seen {
            let at = *places.entry((type_name.clone(), seen.id.clone(), seen.file.clone())).or_insert(row.seen.len());
            match row.seen.get_mut(at) {
                Some(known) => known.states.iter_mut().zip(seen.states).for_each(|(a, b)| *a = worse(*a, b)),
                None => row.seen.push(seen),
            }
        }
    }
    all
}

fn worse(a: LayerState, b: LayerState) -> LayerState {
    match (a, b) {
        (LayerState::NoCheck, other) | (other, LayerState::NoCheck) => other,
        (a, b) => a.min(b),
    }
}

fn count([fail, unknown, pass]: &mut Counts, verdict: Verdict) {
    *match verdict {
        Verdict::Fail => fail,
        Verdict::Unknown => unknown,
        Verdict::Pass => pass,
    } += 1;
}
