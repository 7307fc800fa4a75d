//! Interfaces that a live account lists, and the owners that describe themselves: a balancer, a NAT gateway, an endpoint or a
//! service has a stand-in for each of its interfaces until the listed ones are known to be its.

use rustc_hash::{FxHashMap, FxHashSet};

use model::Text;

use super::Reader;
use crate::network::{Interface, Link, Owner, OwnerKind};

impl Reader<'_> {
    /// Puts each listed interface in the place of its owner's stand-in. An owner with a listed one needs no other stand-in.
    pub(super) fn merge_listed(&mut self) {
        if self.kind.is_code() || self.listed.is_empty() {
            return;
        }
        let stands_in = |i: &Interface| !self.listed.contains(&i.id) && !matches!(i.owner.kind, OwnerKind::Instance);
        let mut waiting: FxHashMap<&Text, Vec<usize>> = FxHashMap::default();
        for (at, interface) in self.net.interfaces.iter().enumerate().filter(|(_, i)| stands_in(i)) {
            waiting.entry(&interface.subnet.id).or_default().push(at);
        }
        let mut places: Vec<(usize, usize)> = Vec::new();
        for (at, listed) in self.net.interfaces.iter().enumerate().filter(|(_, i)| self.listed.contains(&i.id)) {
            let near = waiting.get(&listed.subnet.id).into_iter().flatten();
            let mut found = near.filter_map(|at| Some((*at, self.net.interfaces.get(*at)?))).filter(|(_, s)| may_be(listed, s));
            let Some((first, stand_in)) = found.next() else { continue };
            // Of several owners it is not known which has it; then all keep their stand-ins.
            if found.all(|(_, other)| other.owner == stand_in.owner) {
                places.push((at, first));
            }
        }
        let mut names: FxHashMap<Text, Vec<Link>> = FxHashMap::default();
        let mut owners: FxHashSet<(OwnerKind, Text)> = FxHashSet::default();
        for (at, stand_in) in places {
            let Some(of) = self.net.interfaces.get(stand_in).cloned() else { continue };
            let Some(listed) = self.net.interfaces.get_mut(at) else { continue };
            names.entry(of.id).or_default().push(Link::to(listed.id.clone()));
            owners.insert((of.owner.kind, of.owner.id.clone()));
            listed.owner = of.owner;
            listed.tags.extend(of.tags);
        }
        let listed = &self.listed;
        let replaced = |owner: &Owner| owners.contains(&(owner.kind, owner.id.clone()));
        self.net.interfaces.retain(|i| listed.contains(&i.id) || !replaced(&i.owner));
        let there: FxHashSet<&Text> = self.net.interfaces.iter().map(|i| &i.id).collect();
        let instead = |link: &Link| -> Vec<Link> {
            let kept = || there.contains(&link.id).then(|| link.clone()).into_iter().collect();
            names.get(&link.id).cloned().unwrap_or_else(kept)
        };
        for nat in &mut self.net.nats {
            nat.interface = instead(&nat.interface).into_iter().next().unwrap_or_default();
        }
        for endpoint in &mut self.net.endpoints {
            endpoint.interfaces = endpoint.interfaces.iter().flat_map(instead).collect();
        }
        for balancer in &mut self.net.balancers {
            balancer.interfaces = balancer.interfaces.iter().flat_map(instead).collect();
        }
    }
}

/// Whether a listed interface can be the one that another stands for, which lies in the same subnet.
fn may_be(listed: &Interface, stand_in: &Interface) -> bool {
    let (a, b) = (&listed.owner, &stand_in.owner);
    if a.kind != b.kind || a.service != b.service {
        return false;
    }
    // A task's interface names its attachment, not the service that the task is of.
    if !a.id.is_empty() && a.service.as_ref() != "ecs" {
        // A balancer's description has the end of its ARN: `app/name/id`.
        return a.id == b.id || (a.kind == OwnerKind::Balancer && b.id.ends_with(&format!(":loadbalancer/{}", a.id)));
    }
    let ids = |interface: &Interface| -> Vec<Text> {
        let mut all: Vec<Text> = interface.groups.iter().map(|g| g.id.clone()).collect();
        all.sort_unstable();
        all
    };
    ids(listed) == ids(stand_in)
}
