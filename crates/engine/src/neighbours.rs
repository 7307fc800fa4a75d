//! Which resources are neighbours of which, by the relations that the catalogue declares.
//!
//! A relation goes by one side's property (`theirs`: the bucket policy's `Bucket` names the bucket; `ours`: the instance's
//! `SubnetId` names the subnet), or by the place alone: the account's settings are neighbours of all that it holds. The property may hold a link, a name, an identifier or an ARN. An index is built once per
//! scope and relation, when the first check asks for it.

use std::cell::RefCell;
use std::rc::Rc;

use catalogue::{Catalogue, Relation};
use model::{GapReason, Reason, Resource, ResourceIndex, Snapshot, Text, TypeName, Unknown, Value};
use rustc_hash::FxHashMap;

/// The neighbours of one resource by one relation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours {
    /// Those that are known.
    pub(crate) found: Vec<ResourceIndex>,
    /// Why there may be more.
    pub(crate) incomplete: Option<Unknown>,
}

type Table = FxHashMap<ResourceIndex, Neighbours>;

/// What resources of a type are called. In different accounts and Regions of one scope several may have the same name.
#[derive(Default)]
struct Names {
    first: FxHashMap<Text, ResourceIndex>,
    more: FxHashMap<Text, Vec<ResourceIndex>>,
}

impl Names {
    fn add(&mut self, name: Text, index: ResourceIndex) {
        let first = *self.first.entry(name.clone()).or_insert(index);
        if first != index {
            self.more.entry(name).or_default().push(index);
        }
    }

    /// The resource that `from` means by a name: of several the one in its own account and Region.
    fn find(&self, name: &str, from: &Resource, snapshot: &Snapshot) -> Option<ResourceIndex> {
        let first = *self.first.get(name)?;
        let Some(more) = self.more.get(name) else { return Some(first) };
        let near = |index: &ResourceIndex| snapshot.resource(*index).is_some_and(|other| together(from, other));
        std::iter::once(&first).chain(more).copied().find(near)
    }
}

/// True if two resources lie in one account and Region, as far as that is known; what is global lies in every Region.
fn together(one: &Resource, other: &Resource) -> bool {
    let account = one.account.is_none() || other.account.is_none() || one.account == other.account;
    account && (one.region.is_none() || other.region.is_none() || one.region == other.region)
}

/// The resources of one scope, findable by type and by what others call them.
pub(crate) struct Neighbourhood<'a> {
    snapshot: &'a Snapshot,
    catalogue: &'a Catalogue,
    /// Whether the scope is a live account.
    live: bool,
    by_type: FxHashMap<&'a TypeName, Vec<ResourceIndex>>,
    by_id: FxHashMap<&'a str, ResourceIndex>,
    /// By resource, for those whose id another one of the scope has too.
    twins: FxHashMap<*const Resource, ResourceIndex>,
    names: RefCell<FxHashMap<TypeName, Rc<Names>>>,
    tables: RefCell<FxHashMap<(TypeName, Text), Rc<Table>>>,
}

impl<'a> Neighbourhood<'a> {
    /// Indexes the resources of `scope`, which lie at `members`.
    pub(crate) fn new(snapshot: &'a Snapshot, catalogue: &'a Catalogue, members: &[ResourceIndex]) -> Self {
        let mut by_type: FxHashMap<&TypeName, Vec<ResourceIndex>> = FxHashMap::default();
        let mut by_id = FxHashMap::default();
        let mut twins = FxHashMap::default();
        for index in members {
            let Some(resource) = snapshot.resource(*index) else { continue };
            by_type.entry(&resource.type_name).or_default().push(*index);
            if *by_id.entry(&*resource.id).or_insert(*index) != *index {
                twins.insert(std::ptr::from_ref(resource), *index);
            }
        }
        let scope = members.first().and_then(|i| snapshot.scope(snapshot.resource(*i)?.scope));
        let live = scope.is_none_or(|s| !s.kind.is_code());
        Neighbourhood { snapshot, catalogue, live, by_type, by_id, twins, names: RefCell::default(), tables: RefCell::default() }
    }

    /// The resource behind a link.
    pub(crate) fn target(&self, id: &str) -> Option<ResourceIndex> {
        self.by_id.get(id).copied()
    }

    /// The resources of a type.
    pub(crate) fn of_type(&self, type_name: &TypeName) -> &[ResourceIndex] {
        self.by_type.get(type_name).map_or(&[], Vec::as_slice)
    }

    fn index_of(&self, resource: &Resource) -> Option<ResourceIndex> {
        self.twins.get(&std::ptr::from_ref(resource)).copied().or_else(|| self.target(&resource.id))
    }

    /// The neighbours of `resource` by `name`, a relation of its type.
    pub(crate) fn neighbours(&self, resource: &Resource, name: &str, relation: &Relation) -> Neighbours {
        match (&relation.ours, &relation.theirs) {
            (Some(path), None) => self.forward(resource, path, &relation.other),
            (None, None) => self.around(resource, &relation.other),
            _ => {
                let key = (resource.type_name.clone(), Text::from(name));
                let known = self.tables.borrow().get(&key).cloned();
                let table = known.unwrap_or_else(|| {
                    let table = Rc::new(self.backward(&resource.type_name, relation));
                    self.tables.borrow_mut().insert(key, Rc::clone(&table));
                    table
                });
                let index = self.index_of(resource);
                let mut found = index.and_then(|i| table.get(&i)).cloned().unwrap_or_default();
                if found.incomplete.is_none() {
                    found.incomplete = table.get(&EVERYONE).and_then(|n| n.incomplete.clone());
                }
                found
            }
        }
    }

    /// All resources of type `other` in our account and Region.
    fn around(&self, resource: &Resource, other: &TypeName) -> Neighbours {
        let near = |index: &ResourceIndex| self.snapshot.resource(*index).is_some_and(|theirs| together(resource, theirs));
        let found = self.of_type(other).iter().copied().filter(near).collect();
        Neighbours { found, incomplete: self.unread(other) }
    }

    /// Follows our property to resources of type `other`.
    fn forward(&self, resource: &Resource, path: &str, other: &TypeName) -> Neighbours {
        let mut found = Neighbours::default();
        let names = self.names_of(other);
        each_value(&resource.props, path, &mut |value| match value {
            Value::Link(link) => match self.by_id.get(&*link.target) {
                Some(index) if self.snapshot.resource(*index).is_some_and(|r| r.type_name == *other) => found.found.push(*index),
                _ => {}
            },
            Value::Str(text) => match names.find(text, resource, self.snapshot) {
                Some(index) => found.found.push(index),
                None => found.incomplete = Some(unknown(Reason::NotCollected, format!("{other} `{text}`"))),
            },
            Value::Null => {}
            Value::Unknown(u) => found.incomplete = Some((**u).clone()),
            Value::Mixed(_) => found.incomplete = Some(unknown(Reason::NotCollected, format!("the {other} that {path} names"))),
            _ => found.incomplete = Some(unknown(Reason::Malformed, format!("the {other} that {path} names"))),
        });
        found.found.sort_unstable();
        found.found.dedup();
        found
    }

    /// Finds the resources of the relation's type that name one of ours, or that have a value which ours have too.
    fn backward(&self, our_type: &TypeName, relation: &Relation) -> Table {
        let mut table = Table::default();
        let Some(path) = &relation.theirs else { return table };
        let names = match &relation.ours {
            Some(shared) => self.values_of(our_type, shared, &mut table),
            None => self.names_of(our_type),
        };
        for index in self.of_type(&relation.other) {
            let Some(theirs) = self.snapshot.resource(*index) else { continue };
            each_value(&theirs.props, path, &mut |value| {
                if let (Some(_), Value::Str(text)) = (&relation.ours, value) {
                    return self.shared(&names, text, theirs, *index, &mut table);
                }
                let ours = match value {
                    Value::Link(link) => self.by_id.get(&*link.target).copied(),
                    Value::Str(text) => names.find(text, theirs, self.snapshot),
                    Value::Unknown(u) => {
                        table.entry(EVERYONE).or_default().incomplete = Some((**u).clone());
                        None
                    }
                    Value::Mixed(_) => {
                        let what = format!("which {our_type} `{}` belongs to", theirs.id);
                        table.entry(EVERYONE).or_default().incomplete = Some(unknown(Reason::NotCollected, what));
                        None
                    }
                    Value::Null => None,
                    _ => {
                        let what = format!("which {our_type} `{}` belongs to", theirs.id);
                        table.entry(EVERYONE).or_default().incomplete = Some(unknown(Reason::Malformed, what));
                        None
                    }
                };
                if let Some(ours) = ours {
                    let row = table.entry(ours).or_default();
                    if row.found.last() != Some(index) {
                        row.found.push(*index);
                    }
                }
            });
        }
        if let Some(reason) = self.unread(&relation.other) {
            table.entry(EVERYONE).or_default().incomplete = Some(reason);
        }
        table
    }

    /// Adds `theirs` to every one of ours that has the value and lies in the same place.
    fn shared(&self, names: &Names, text: &str, theirs: &Resource, index: ResourceIndex, table: &mut Table) {
        let more = names.more.get(text).into_iter().flatten();
        for ours in names.first.get(text).into_iter().chain(more) {
            if self.snapshot.resource(*ours).is_some_and(|o| together(o, theirs)) {
                let row = table.entry(*ours).or_default();
                if row.found.last() != Some(&index) {
                    row.found.push(index);
                }
            }
        }
    }

    /// The resources of a type by their values at a path. One whose value is not known has incomplete neighbours.
    fn values_of(&self, type_name: &TypeName, path: &str, table: &mut Table) -> Rc<Names> {
        let mut names = Names::default();
        for index in self.of_type(type_name) {
            let Some(resource) = self.snapshot.resource(*index) else { continue };
            each_value(&resource.props, path, &mut |value| match value {
                Value::Str(text) => names.add(text.clone(), *index),
                Value::Null => {}
                open => {
                    let why = if let Value::Unknown(why) = open {
                        (**why).clone()
                    } else {
                        unknown(Reason::NotCollected, path.to_owned())
                    };
                    table.entry(*index).or_default().incomplete = Some(why);
                }
            });
        }
        Rc::new(names)
    }

    /// Why not all resources of a type may be here: a gap names the type.
    pub(crate) fn unread(&self, type_name: &TypeName) -> Option<Unknown> {
        // A gap without a file is one of a live account, and says nothing about a template beside it.
        let mut gaps = self.snapshot.gaps.iter().filter(|g| g.matters && (self.live || g.file.is_some()));
        let gap = gaps.find(|g| g.type_name.as_ref() == Some(type_name))?;
        let reason = match gap.reason {
            GapReason::Denied => Reason::AccessDenied,
            GapReason::Malformed => Reason::Malformed,
            GapReason::NotCollected | GapReason::Missing | GapReason::Failed => Reason::NotCollected,
            GapReason::Unsupported | GapReason::Limit => Reason::Unsupported,
        };
        Some(unknown(reason, gap.what.clone()))
    }

    /// All that resources of a type are called: identifier, name, ARN.
    fn names_of(&self, type_name: &TypeName) -> Rc<Names> {
        if let Some(known) = self.names.borrow().get(type_name) {
            return Rc::clone(known);
        }
        let mut names = Names::default();
        let kind = self.catalogue.kind(type_name);
        for index in self.of_type(type_name) {
            let Some(resource) = self.snapshot.resource(*index) else { continue };
            let mut add = |text: Text| names.add(text, *index);
            resource.name.iter().cloned().for_each(&mut add);
            add(resource.id.clone());
            resource.attrs.iter().for_each(|(_, v)| {
                if let Value::Str(s) = v {
                    add(s.clone())
                }
            });
            if let Some(kind) = kind {
                for path in kind.file.identifier.iter().chain(&kind.file.name) {
                    if let Value::Str(s) = resource.prop(path) {
                        add(s.clone());
                    }
                }
                if let Some(arn) = kind.arn_of(resource) {
                    add(Text::from(arn));
                }
            }
        }
        let names = Rc::new(names);
        self.names.borrow_mut().insert(type_name.clone(), Rc::clone(&names));
        names
    }
}

/// Stands for every resource of the type in a relation's table.
const EVERYONE: ResourceIndex = ResourceIndex(u32::MAX);

fn unknown(reason: Reason, what: String) -> Unknown {
    Unknown { reason, what: Text::from(what), present: false }
}

/// What is visited instead of members of something that has none.
static MISSHAPEN: Value = Value::List(Vec::new());

/// Calls `visit` with every value at `path` (`A.B[].C`); an unknown on the way is visited instead of what it hides, and a list instead
/// of what should have members and has not.
pub(crate) fn each_value<'v>(props: &'v model::Map, path: &str, visit: &mut dyn FnMut(&'v Value)) {
    let (head, rest) = split(path);
    let Some(value) = props.get(head) else { return };
    descend(value, rest, visit);
}

fn split(path: &str) -> (&str, &str) {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    (path.get(..end).unwrap_or_default(), path.get(end..).unwrap_or_default())
}

fn descend<'v>(value: &'v Value, rest: &str, visit: &mut dyn FnMut(&'v Value)) {
    if let Value::Unknown(_) = value {
        return visit(value);
    }
    if let Some(rest) = rest.strip_prefix("[]") {
        match value {
            Value::List(items) => items.iter().for_each(|v| descend(v, rest, visit)),
            Value::Null => {}
            // A scalar where a list belongs is a list of one.
            one => descend(one, rest, visit),
        }
    } else if let Some(rest) = rest.strip_prefix('.') {
        let (head, rest) = split(rest);
        match value {
            Value::Map(map) => map.get(head).into_iter().for_each(|inner| descend(inner, rest, visit)),
            Value::Null => {}
            _ => visit(&MISSHAPEN),
        }
    } else {
        match value {
            Value::List(items) => items.iter().for_each(visit),
            one => visit(one),
        }
    }
}
