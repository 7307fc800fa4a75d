//! Joins the verdicts of the worlds of one template: what fails in any world fails, and says in which.

use model::{Finding, ScopeIndex, Snapshot, Text, Verdict};
use rustc_hash::FxHashMap;

/// One finding per check and resource of a template, whatever the number of its worlds.
pub(crate) fn merge(snapshot: &Snapshot, mut worlds: Vec<(ScopeIndex, Vec<Finding>)>) -> Vec<Finding> {
    if worlds.len() <= 1 {
        return worlds.pop().map(|(_, findings)| findings).unwrap_or_default();
    }
    let all = worlds.len();
    let mut merged: Vec<Joined> = Vec::new();
    let mut places = FxHashMap::default();
    for (scope, findings) in worlds {
        let world = snapshot.scope(scope).map(|s| s.world.clone()).unwrap_or_else(|| Text::from(""));
        for finding in findings {
            let key = (finding.check.clone(), finding.resource.type_name.clone(), finding.resource.id.clone());
            let at = *places.entry(key).or_insert(merged.len());
            match merged.get_mut(at) {
                Some(joined) => joined.add(finding, &world),
                None => merged.push(Joined { worlds: vec![world.clone()], finding }),
            }
        }
    }
    merged.into_iter().map(|joined| joined.done(all)).collect()
}

struct Joined {
    /// The worst finding so far.
    finding: Finding,
    /// The worlds in which it is so.
    worlds: Vec<Text>,
}

impl Joined {
    fn add(&mut self, other: Finding, world: &Text) {
        // `Verdict` is ordered worst first.
        match other.verdict.cmp(&self.finding.verdict) {
            std::cmp::Ordering::Less => {
                self.finding = other;
                self.worlds = vec![world.clone()];
            }
            std::cmp::Ordering::Equal => {
                self.worlds.push(world.clone());
                if other.severity > self.finding.severity {
                    self.finding = other;
                }
            }
            std::cmp::Ordering::Greater => {}
        }
    }

    fn done(mut self, all: usize) -> Finding {
        if self.worlds.len() < all && self.finding.verdict != Verdict::Pass {
            self.finding.worlds = self.worlds;
        }
        self.finding
    }
}
