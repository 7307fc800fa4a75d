//! The mapping of all types, ready to apply.

use std::sync::{Arc, OnceLock};

use catalogue::Catalogue;
use catalogue::terraform::{Merge, PROPERTIES, TerraformSection};
use model::TypeName;
use rustc_hash::FxHashMap;

use super::tree::{Tree, pascal};

/// What is known of one resource type.
#[derive(Clone, Debug)]
pub struct TypeSource<'t> {
    /// The CloudFormation type.
    pub name: &'t TypeName,
    /// Property paths (`A.B[].C`, `A{}` for free keys) with their type as `type.toml` writes it, or an empty text.
    pub properties: Vec<(&'t str, &'t str)>,
    /// Its `[terraform]` section.
    pub section: &'t TerraformSection,
}

/// How Terraform's resource types become CloudFormation types.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mapping {
    pub(crate) types: Vec<MappedType>,
    by_resource: FxHashMap<String, usize>,
    by_name: FxHashMap<TypeName, usize>,
    /// Terraform type to the types (and the numbers of their `merge` entries) that it is a part of.
    merges: FxHashMap<String, Vec<(usize, usize)>>,
}

/// One type, ready to apply.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MappedType {
    pub(crate) name: TypeName,
    properties: Arc<Properties>,
    pub(crate) section: TerraformSection,
}

impl MappedType {
    /// Its properties; `None` if nothing is known of them.
    pub(crate) fn tree(&self) -> Option<&Tree> {
        self.properties.tree.get_or_init(|| self.properties.read()).as_ref()
    }
}

/// What is known of the properties of a type, and the tree of them once a resource of the type has come by.
#[derive(Debug, PartialEq)]
struct Properties {
    /// Path and kind, as [`TypeSource::properties`].
    known: Vec<(Box<str>, Box<str>)>,
    /// Lines of [`PROPERTIES`].
    published: &'static str,
    tree: OnceLock<Option<Tree>>,
}

impl Properties {
    fn read(&self) -> Option<Tree> {
        let mut tree = Tree::default();
        for (path, kind) in &self.known {
            tree.add(path, kind);
        }
        for line in self.published.lines() {
            let Some((path, members)) = line.split_once(": ") else { continue };
            for member in members.split(' ') {
                tree.add_published(&if path == "." { member.to_owned() } else { format!("{path}.{member}") });
            }
        }
        (!tree.is_leaf()).then_some(tree)
    }
}

impl Mapping {
    /// The mapping of every type of a catalogue that has a `[terraform]` section.
    pub fn of(catalogue: &Catalogue) -> Mapping {
        Mapping::new(catalogue.kinds().filter_map(|kind| {
            let properties = kind.file.properties.iter().map(|(path, kind)| (path.as_str(), kind.as_str())).collect();
            Some(TypeSource { name: &kind.type_name, properties, section: kind.file.terraform.as_ref()? })
        }))
    }

    /// Takes what is known of each type; published property names are added to it. Of two types that claim the same Terraform
    /// type the first keeps it.
    pub fn new<'t>(types: impl IntoIterator<Item = TypeSource<'t>>) -> Mapping {
        let published = published();
        let mut mapping = Mapping::default();
        for source in types {
            let at = mapping.types.len();
            for resource in &source.section.resources {
                mapping.by_resource.entry(resource.clone()).or_insert(at);
            }
            for (number, merge) in source.section.merge.iter().enumerate() {
                mapping.merges.entry(merge.resource.clone()).or_default().push((at, number));
            }
            mapping.by_name.entry(source.name.clone()).or_insert(at);
            let known = source.properties.iter().map(|(path, kind)| ((*path).into(), (*kind).into())).collect();
            let published = published.get(source.name.as_str()).copied().unwrap_or_default();
            let properties = Arc::new(Properties { known, published, tree: OnceLock::new() });
            let mapped = MappedType { name: source.name.clone(), properties, section: source.section.clone() };
            mapping.types.push(mapped.clone());
            for (resource, wrap) in &source.section.wrap_for {
                if mapping.by_resource.get(resource) == Some(&at) {
                    mapping.by_resource.insert(resource.clone(), mapping.types.len());
                }
                let section = TerraformSection { wrap: Some(wrap.clone()), ..mapped.section.clone() };
                mapping.types.push(MappedType { section, ..mapped.clone() });
            }
        }
        mapping
    }

    /// The type that a Terraform type is, with its number.
    pub(crate) fn of_resource(&self, resource: &str) -> Option<(usize, &MappedType)> {
        let at = *self.by_resource.get(resource)?;
        Some((at, self.types.get(at)?))
    }

    pub(crate) fn of_name(&self, name: &TypeName) -> Option<&MappedType> {
        self.types.get(*self.by_name.get(name)?)
    }

    /// What a Terraform type is a part of: the types' numbers and the entries.
    pub(crate) fn merges_of(&self, resource: &str) -> impl Iterator<Item = (usize, &MappedType, &Merge)> {
        self.merges.get(resource).into_iter().flatten().filter_map(|(at, number)| {
            let mapped = self.types.get(*at)?;
            Some((*at, mapped, mapped.section.merge.get(*number)?))
        })
    }

    /// CloudFormation's name of an attribute that a reference means: empty for what `Ref` gives.
    pub(crate) fn attribute(&self, resource: &str, attribute: &str) -> String {
        let Some((_, mapped)) = self.of_resource(resource) else {
            let on = self.merges_of(resource).any(|(_, _, merge)| merge.on == attribute);
            return if on || attribute == "id" { String::new() } else { pascal(attribute) };
        };
        let section = &mapped.section;
        if let Some(name) = section.attrs.get(attribute) {
            return name.clone();
        }
        if attribute == "id"
            || Some(attribute) == section.reference.as_deref()
            || attribute == section.name_attribute() && section.reference.is_none()
        {
            return String::new();
        }
        pascal(attribute)
    }
}

/// The published property names by type.
fn published() -> FxHashMap<&'static str, &'static str> {
    PROPERTIES.split("## ").skip(1).filter_map(|block| block.split_once('\n')).collect()
}
