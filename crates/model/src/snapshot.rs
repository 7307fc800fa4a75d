//! All that was read in one go.

use rustc_hash::FxHashMap;

use crate::{Gap, Resource, Text, TypeName};

/// The position of a resource in [`Snapshot::resources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceIndex(pub u32);

/// The position of a scope in [`Snapshot::scopes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeIndex(pub u32);

/// What kind of input a scope was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// A CloudFormation (or SAM, or CDK output) template.
    CloudFormation,
    /// A Terraform plan.
    TerraformPlan,
    /// A Terraform state.
    TerraformState,
    /// Live APIs, a snapshot of them, or saved CLI answers.
    Live,
}

impl SourceKind {
    /// True for what is not deployed (yet): facts that only a live account has are then "not collected".
    pub fn is_code(self) -> bool {
        !matches!(self, SourceKind::Live)
    }
}

/// The space in which links and relations are looked up: one template (with its nested stacks) in one world, one plan, or
/// all of a live collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The file or account it stands for.
    pub name: Text,
    /// What it was read from.
    pub kind: SourceKind,
    /// The choice of parameter values under which this is what the template becomes, `Env=prod, Size=small`; empty if the
    /// template becomes the same under every choice.
    pub world: Text,
    /// The first scope of the same template: its worlds are judged together. For a template with one world, itself.
    pub group: ScopeIndex,
}

impl Scope {
    /// The name, with the choice of parameter values where there is one: `shop.yaml (Env=prod)`.
    pub fn title(&self) -> String {
        if self.world.is_empty() { self.name.to_string() } else { format!("{} ({})", self.name, self.world) }
    }
}

/// All that was read in one go. Resources of one scope are contiguous and in source order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The scopes.
    pub scopes: Vec<Scope>,
    /// The resources.
    pub resources: Vec<Resource>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

impl Snapshot {
    /// Adds a scope that is its own group.
    pub fn add_scope(&mut self, name: impl Into<Text>, kind: SourceKind) -> ScopeIndex {
        let index = ScopeIndex(self.scopes.len() as u32);
        self.scopes.push(Scope { name: name.into(), kind, world: Text::from(""), group: index });
        index
    }

    /// Adds a scope for another world of the template that `group` stands for.
    pub fn add_world(&mut self, group: ScopeIndex, world: impl Into<Text>) -> ScopeIndex {
        let index = ScopeIndex(self.scopes.len() as u32);
        if let Some(first) = self.scopes.get(group.0 as usize).cloned() {
            self.scopes.push(Scope { world: world.into(), group, ..first });
        }
        index
    }

    /// The scope at `index`.
    pub fn scope(&self, index: ScopeIndex) -> Option<&Scope> {
        self.scopes.get(index.0 as usize)
    }

    /// The resource at `index`.
    pub fn resource(&self, index: ResourceIndex) -> Option<&Resource> {
        self.resources.get(index.0 as usize)
    }

    /// Every resource with its index.
    pub fn iter(&self) -> impl Iterator<Item = (ResourceIndex, &Resource)> {
        self.resources.iter().enumerate().map(|(i, r)| (ResourceIndex(i as u32), r))
    }

    /// Every resource of a type, with its index.
    pub fn of_type<'a>(&'a self, type_name: &'a TypeName) -> impl Iterator<Item = (ResourceIndex, &'a Resource)> {
        self.iter().filter(move |(_, r)| r.type_name == *type_name)
    }

    /// An index from (scope, id) to the resource, for following links. Of two with the same id the first counts.
    pub fn by_id(&self) -> FxHashMap<(ScopeIndex, &str), ResourceIndex> {
        let mut map = FxHashMap::default();
        for (index, resource) in self.iter() {
            map.entry((resource.scope, &*resource.id)).or_insert(index);
        }
        map
    }

    /// Appends all of `other`, which was read by itself, behind what is here.
    pub fn append(&mut self, other: Snapshot) {
        let shift = self.scopes.len() as u32;
        self.scopes.extend(other.scopes.into_iter().map(|mut scope| {
            scope.group.0 += shift;
            scope
        }));
        self.resources.extend(other.resources.into_iter().map(|mut resource| {
            resource.scope.0 += shift;
            resource
        }));
        self.gaps.extend(other.gaps);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn append_keeps_scopes_apart() {
        let kind = TypeName::new("AWS::S3::Bucket").unwrap();
        let one = |name: &str| {
            let mut snapshot = Snapshot::default();
            let scope = snapshot.add_scope(name, SourceKind::CloudFormation);
            let world = snapshot.add_world(scope, "Env=prod");
            snapshot.resources.push(Resource::new("Bucket", kind.clone(), scope));
            snapshot.resources.push(Resource::new("Bucket", kind.clone(), world));
            snapshot
        };
        let mut all = one("a.yaml");
        all.append(one("b.yaml"));
        assert_eq!(all.by_id().len(), 4);
        assert_eq!(all.scopes[3].group, ScopeIndex(2));
        assert_eq!(&*all.scope(all.resources[3].scope).unwrap().name, "b.yaml");
    }
}
