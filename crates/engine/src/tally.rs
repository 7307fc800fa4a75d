//! Counts verdicts as they come, so that a scan need not keep its passes.

use model::{Finding, Layer, LayerState, Text, TypeName, Verdict};
use rustc_hash::FxHashMap;

/// How many of each: failures, unknowns, passes.
pub(crate) type Counts = [usize; 3];

/// The state of each layer of one resource, in the order of [`Layer::ALL`].
type States = [LayerState; Layer::ALL.len()];

/// What the verdicts on all resources add up to.
#[derive(Default)]
pub(crate) struct Tally {
    types: FxHashMap<TypeName, Counts>,
    layers: FxHashMap<(TypeName, Layer), Counts>,
    resources: FxHashMap<(TypeName, Text, Option<Text>), States>,
}

impl Tally {
    /// Counts the findings of one scope. Those on one resource stand together.
    pub(crate) fn add(&mut self, findings: &[Finding]) {
        for of_resource in
            findings.chunk_by(|a, b| a.resource.id == b.resource.id && a.resource.type_name == b.resource.type_name)
        {
            let Some(Finding { resource, .. }) = of_resource.first() else { continue };
            let key = (resource.type_name.clone(), resource.id.clone(), resource.file.clone());
            let states = self.resources.entry(key).or_insert([LayerState::NoCheck; Layer::ALL.len()]);
            let types = self.types.entry(resource.type_name.clone()).or_default();
            for finding in of_resource {
                let state = match finding.verdict {
                    Verdict::Fail if finding.suppression.is_none() => LayerState::Fail,
                    Verdict::Unknown => LayerState::Unknown,
                    _ => LayerState::Pass,
                };
                if let Some(worst) = states.get_mut(finding.layer as usize) {
                    *worst = if *worst == LayerState::NoCheck { state } else { state.min(*worst) };
                }
                count(types, finding.verdict);
                let layers = self.layers.entry((resource.type_name.clone(), finding.layer)).or_default();
                count(layers, if state == LayerState::Pass { Verdict::Pass } else { finding.verdict });
            }
        }
    }

    /// The verdicts on resources of a type.
    pub(crate) fn of_type(&self, type_name: &TypeName) -> Counts {
        self.types.get(type_name).copied().unwrap_or_default()
    }

    /// The verdicts on one layer of a type's resources. What somebody accepted counts as a pass.
    pub(crate) fn of_layer(&self, type_name: &TypeName, layer: Layer) -> Counts {
        self.layers.get(&(type_name.clone(), layer)).copied().unwrap_or_default()
    }

    /// The worst state of each layer of a resource.
    pub(crate) fn of_resource(&self, type_name: &TypeName, id: &Text, file: Option<&Text>) -> States {
        let key = (type_name.clone(), id.clone(), file.cloned());
        self.resources.get(&key).copied().unwrap_or([LayerState::NoCheck; Layer::ALL.len()])
    }
}

fn count([fail, unknown, pass]: &mut Counts, verdict: Verdict) {
    *match verdict {
        Verdict::Fail => fail,
        Verdict::Unknown => unknown,
        Verdict::Pass => pass,
    } += 1;
}
