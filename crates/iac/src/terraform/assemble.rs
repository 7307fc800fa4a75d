//! From instances to resources: what belongs to another resource is put into it, what makes a second one makes it.

use catalogue::terraform::{Emit, Merge};
use model::{AccountId, Arn, Map, Reason, Resource, ScopeIndex, Text, TypeName, Value};
use rustc_hash::{FxHashMap, FxHashSet};

use super::build::Builder;
use super::input::{Input, Instance};
use super::mapping::{MappedType, Mapping};
use super::path::{clear, set};
use super::places::{self, Sources, Written};
use super::shape::{Exceptions, Shaper, Target, append, is_empty, same, value};

/// How many parts a chain of references between parts may have (`bucket = aws_s3_bucket_versioning.v.bucket`).
const CHAIN_MAX: usize = 8;

/// Everything that assembling needs.
pub(crate) struct Assembly<'n> {
    input: &'n Input<'n>,
    mapping: &'n Mapping,
    sources: Sources,
    raws: Vec<Map>,
    by_address: FxHashMap<&'n str, usize>,
    /// (type, text of its id, ARN or name) to the instances.
    by_text: FxHashMap<(usize, Text), Vec<usize>>,
    /// (Terraform type, address or text) for what the resources of some types refer to.
    mentions: FxHashSet<(&'n str, Text)>,
}

/// Which parts go into which instance.
#[derive(Default)]
struct Joins<'n> {
    /// By the instance that receives: the parts with their entries, in order.
    into: FxHashMap<usize, Vec<(usize, &'n Merge)>>,
    /// Parts that were put somewhere, with the first place.
    placed: FxHashMap<usize, usize>,
    /// Parts of which it is not known where they belong, with the type and entry.
    astray: Vec<(usize, usize, &'n Merge)>,
}

impl<'n> Assembly<'n> {
    pub(crate) fn new(input: &'n Input<'n>, mapping: &'n Mapping, builder: &Builder<'n>, sources: Sources) -> Assembly<'n> {
        let mut raws: Vec<Map> = input.managed.iter().map(|instance| builder.managed(instance)).collect();
        for (instance, raw) in input.managed.iter().zip(&mut raws) {
            builder.read_written(instance, &sources, raw);
        }
        link_spelled(input, mapping, &mut raws);
        let mut assembly = Assembly {
            input,
            mapping,
            sources,
            raws,
            by_address: FxHashMap::default(),
            by_text: FxHashMap::default(),
            mentions: FxHashSet::default(),
        };
        let watched: FxHashSet<&str> =
            mapping.types.iter().flat_map(|t| &t.section.emit).filter_map(|e| e.unless.as_deref()).collect();
        for (at, instance) in input.managed.iter().enumerate() {
            assembly.by_address.entry(&instance.address).or_insert(at);
            let Some(raw) = assembly.raws.get(at) else { continue };
            if watched.contains(instance.type_name) {
                let named = raw.iter().filter_map(|(_, value)| match value {
                    Value::Str(text) => Some(text.clone()),
                    Value::Link(link) => Some(link.target.clone()),
                    _ => None,
                });
                assembly.mentions.extend(named.map(|name| (instance.type_name, name)));
            }
            let Some((number, mapped)) = mapping.of_resource(instance.type_name) else { continue };
            for name in ["id", "arn", mapped.section.name_attribute()] {
                if let Some(Value::Str(text)) = raw.get(name).filter(|v| !is_empty(v)) {
                    assembly.by_text.entry((number, text.clone())).or_default().push(at);
                }
            }
        }
        assembly
    }

    /// The resources in input order; what is emitted stands behind what it came from.
    pub(crate) fn resources(&self, scope: ScopeIndex, file: &Text) -> Vec<Resource> {
        let joins = self.joins();
        let mut all = Vec::with_capacity(self.raws.len());
        for (at, (instance, raw)) in self.input.managed.iter().zip(&self.raws).enumerate() {
            let shaper = Shaper { address: &instance.address };
            let Some((number, mapped)) = self.mapping.of_resource(instance.type_name) else {
                if !joins.placed.contains_key(&at)
                    && let Ok(name) = TypeName::new(&format!("Terraform::AWS::{}", instance.type_name))
                {
                    let mut resource = self.resource(at, name, shaper.unmapped(raw), scope, file);
                    self.place(&mut resource, at, &[]);
                    all.push(resource);
                }
                continue;
            };
            let mut props = shaper.resource(mapped, instance.type_name, raw);
            let parts = joins.into.get(&at).map(Vec::as_slice).unwrap_or_default();
            for (_, merge) in parts.iter().filter(|(_, merge)| merge.replaces()) {
                clear(&mut props, merge.path());
            }
            for (part, merge) in parts {
                self.put(&mut props, (mapped, &instance.address), *part, merge);
            }
            for (_, _, merge) in joins.astray.iter().filter(|(_, base, _)| *base == number) {
                self.mark(&mut props, at, merge, &joins);
            }
            let mut resource = self.resource(at, mapped.name.clone(), props, scope, file);
            self.place(&mut resource, at, parts);
            all.push(resource);
            for emit in &mapped.section.emit {
                self.emit(at, emit, &mut all, (scope, file));
            }
        }
        self.relink(&mut all, &joins);
        all
    }

    fn resource(&self, at: usize, type_name: TypeName, props: Map, scope: ScopeIndex, file: &Text) -> Resource {
        let mut resource = Resource::new("", type_name, scope);
        resource.props = props;
        resource.origin.file = Some(file.clone());
        let (Some(instance), Some(raw)) = (self.input.managed.get(at), self.raws.get(at)) else { return resource };
        resource.id = instance.address.clone();
        resource.origin.module = instance.module.clone();
        let config = self.input.config.resource(&super::address::module_path(&instance.module), &block(instance));
        resource.region = raw.get("region").and_then(Value::as_str).and_then(|r| model::Region::new(r).ok());
        resource.region = resource.region.or_else(|| self.input.config.region(config));
        resource.account = self.input.account(config);
        let section = self.mapping.of_resource(instance.type_name).map(|(_, mapped)| &mapped.section);
        let text = |name: &str| raw.get(name).and_then(Value::as_str).filter(|s| !s.is_empty());
        resource.name = text(section.map_or("name", |s| s.name_attribute())).map(Text::from);
        // Some resources have the ARN of what they belong to.
        let own_arn = section.is_none_or(|s| !s.map.contains_key("arn"));
        if let Some(arn) = text("arn").filter(|_| own_arn).and_then(|arn| Arn::new(arn).ok()) {
            resource.account = AccountId::new(arn.account()).ok().or(resource.account);
            resource.region = resource.region.or_else(|| model::Region::new(arn.region()).ok());
            resource.attrs.insert("Arn", Value::text(arn.as_str()));
        }
        let reference = section.and_then(|s| s.reference.as_deref()).unwrap_or("id");
        if let Some(id) = text(reference) {
            resource.attrs.insert("Ref", Value::text(id));
        }
        resource
    }

    /// Says where a resource and the parts that were put into it were written.
    fn place(&self, resource: &mut Resource, at: usize, parts: &[(usize, &Merge)]) {
        let Some(own) = self.written(at) else { return };
        let parts: Vec<(&str, &Written)> =
            parts.iter().filter_map(|(part, merge)| Some((merge.path(), self.written(*part)?))).collect();
        let mapped = self.input.managed.get(at).and_then(|i| self.mapping.of_resource(i.type_name));
        let emitted = mapped.is_none_or(|(_, mapped)| mapped.name != resource.type_name);
        places::place(resource, own, &parts, mapped.map(|(_, mapped)| mapped).filter(|_| !emitted));
    }

    fn written(&self, at: usize) -> Option<&Written> {
        self.sources.blocks.get(&self.input.managed.get(at)?.block_name())
    }

    fn joins(&self) -> Joins<'n> {
        let mut joins = Joins::default();
        for (part, (instance, raw)) in self.input.managed.iter().zip(&self.raws).enumerate() {
            for (number, _, merge) in self.mapping.merges_of(instance.type_name) {
                let holds = merge.when.iter().all(|(attribute, scalar)| raw.get(attribute).is_some_and(|v| same(scalar, v)));
                if !holds {
                    continue;
                }
                let owners = match raw.get(&merge.on) {
                    Some(Value::List(items)) => items.as_slice(),
                    Some(one) => std::slice::from_ref(one),
                    None => &[],
                };
                for owner in owners.iter().filter(|o| !is_empty(o)) {
                    match self.owner(owner, number, (raw, merge)) {
                        Owner::At(base) => {
                            let parts = joins.into.entry(base).or_default();
                            if !parts.iter().any(|(p, m)| *p == part && std::ptr::eq(*m, merge)) {
                                parts.push((part, merge));
                            }
                            joins.placed.entry(part).or_insert(base);
                        }
                        Owner::Elsewhere => {}
                        Owner::Unclear => joins.astray.push((part, number, merge)),
                    }
                }
            }
        }
        joins
    }

    /// The first instance with a text of which the part says nothing else.
    fn named(&self, text: &Text, number: usize, part: (&Map, &Merge)) -> Owner {
        let (raw, merge) = part;
        let agrees = |at: &&usize| {
            let owner = self.raws.get(**at);
            merge.same.iter().all(|name| match (raw.get(name), owner.and_then(|o| o.get(name))) {
                (Some(ours), Some(theirs)) => is_empty(ours) || is_empty(theirs) || ours == theirs,
                _ => true,
            })
        };
        let found = self.by_text.get(&(number, text.clone())).and_then(|all| all.iter().find(agrees));
        found.map_or(Owner::Elsewhere, |at| Owner::At(*at))
    }

    /// The instance of a type that a value means.
    fn owner(&self, value: &Value, number: usize, part: (&Map, &Merge)) -> Owner {
        match value {
            Value::Str(text) => self.named(text, number, part),
            Value::Link(link) => {
                let mut target = link.target.clone();
                for _ in 0..CHAIN_MAX {
                    let Some(at) = self.by_address.get(&*target).copied() else { return Owner::Elsewhere };
                    let Some(instance) = self.input.managed.get(at) else { return Owner::Elsewhere };
                    if self.mapping.of_resource(instance.type_name).is_some_and(|(n, _)| n == number) {
                        return Owner::At(at);
                    }
                    let Some((_, _, merge)) = self.mapping.merges_of(instance.type_name).find(|(n, _, _)| *n == number) else {
                        return Owner::Elsewhere;
                    };
                    match self.raws.get(at).and_then(|raw| raw.get(&merge.on)) {
                        Some(Value::Link(next)) => target = next.target.clone(),
                        Some(Value::Str(text)) => return self.named(text, number, part),
                        _ => return Owner::Unclear,
                    }
                }
                Owner::Unclear
            }
            Value::Unknown(_) | Value::Mixed(_) => Owner::Unclear,
            _ => Owner::Elsewhere,
        }
    }

    /// Puts a part into the properties of its owner.
    fn put(&self, props: &mut Map, owner: (&MappedType, &str), part: usize, merge: &Merge) {
        let Some(raw) = self.raws.get(part) else { return };
        let (mapped, address) = owner;
        let shaper = Shaper { address };
        let path = merge.path();
        let tree = mapped.tree().and_then(|t| t.at(path.trim_end_matches("[]")));
        if let Some(name) = &merge.value {
            if let Some(item) = raw.get(name).filter(|v| !is_empty(v)) {
                match item {
                    Value::List(_) => set(props, path, item.clone()),
                    one => append(props, path, one.clone()),
                }
            }
            return;
        }
        let whole = Value::Map(raw.clone());
        let source = merge.from.as_ref().map_or(Some(&whole), |from| raw.get(from));
        let items = match source {
            Some(unknown @ Value::Unknown(_)) => return set(props, path, unknown.clone()),
            Some(Value::List(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let mut ignore = merge.ignore.clone();
        ignore.extend([merge.on.clone(), "id".to_owned(), "arn".to_owned(), "tags_all".to_owned()]);
        ignore.extend(merge.same.iter().cloned());
        ignore.retain(|name| !merge.map.contains_key(name) && (merge.from.is_none() || merge.ignore.contains(name)));
        let exceptions = Exceptions { map: &merge.map, ignore: &ignore };
        for item in items {
            let Value::Map(item) = item else {
                set(props, path, item.clone());
                continue;
            };
            if merge.append.is_some() {
                let mut rows = Vec::new();
                shaper.rows_of(item, exceptions, &merge.rows, tree, &mut rows);
                set(props, path, Value::List(rows));
                continue;
            }
            let mut out = Map::new();
            let root = (path == ".").then_some(mapped);
            shaper.object(item, exceptions, Target { tree, root }, &mut out);
            for (key, value) in out {
                if path == "." { set(props, &key, value) } else { set(props, &format!("{path}.{key}"), value) }
            }
            // The first item is the object.
            break;
        }
    }

    /// A part that belongs to some resource of this type, nobody knows which: what it would set is not known here, unless
    /// another part of the same kind sets it.
    fn mark(&self, props: &mut Map, at: usize, merge: &Merge, joins: &Joins<'_>) {
        let has_own = joins.into.get(&at).into_iter().flatten().any(|(_, m)| m.resource == merge.resource);
        let unknown = Value::unknown(Reason::AfterApply, format!("`{}` of a `{}`", merge.on, merge.resource));
        match (&merge.at, &merge.append) {
            (Some(path), _) if !has_own && path != "." => {
                let top = path.split('.').next().unwrap_or(path).trim_end_matches("[]");
                if !props.contains_key(top) {
                    set(props, top, unknown);
                }
            }
            // The same unknown is listed once.
            (_, Some(path)) => append(props, path, unknown),
            _ => {}
        }
    }

    /// Adds the resources that come out of an instance.
    fn emit(&self, at: usize, emit: &Emit, all: &mut Vec<Resource>, place: (ScopeIndex, &Text)) {
        let (Some(instance), Some(raw)) = (self.input.managed.get(at), self.raws.get(at)) else { return };
        let Ok(type_name) = TypeName::new(&emit.type_name) else { return };
        let source = raw.get(&emit.from).filter(|v| !is_empty(v));
        // What the configuration itself says there is not what a separate resource was read back as.
        let module = super::address::module_path(&instance.module);
        let config = self.input.config.resource(&module, &block(instance)).and_then(|c| c.get("expressions"));
        let own = config.is_some_and(|e| e.get(&emit.from).is_some());
        if !own && emit.unless.as_ref().is_some_and(|resource| self.is_mentioned(resource, instance, raw)) {
            return;
        }
        let items = match source {
            Some(Value::List(items)) => items.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => &[],
        };
        let tree = self.mapping.of_name(&type_name).and_then(MappedType::tree);
        let shaper = Shaper { address: &instance.address };
        for (number, item) in items.iter().enumerate() {
            let mut props = Map::new();
            emit.set.iter().for_each(|(path, scalar)| set(&mut props, path, value(scalar)));
            match (item, &emit.to) {
                (item, Some(to)) => set(&mut props, to, shaper.fit(item, tree.and_then(|t| t.at(to)), &emit.from)),
                (Value::Map(item), None) => {
                    shaper.object(item, Exceptions { map: &emit.map, ignore: &[] }, Target { tree, root: None }, &mut props);
                }
                _ => {}
            }
            if let Some(link) = &emit.link {
                set(&mut props, link, Value::link(&instance.address, ""));
            }
            let mut resource = self.resource(at, type_name.clone(), props, place.0, place.1);
            let index = if matches!(source, Some(Value::List(_))) { format!("[{number}]") } else { String::new() };
            resource.id = Text::from(format!("{}/{}{index}", instance.address, emit.from));
            resource.attrs = Map::new();
            resource.name = None;
            self.place(&mut resource, at, &[]);
            all.push(resource);
        }
    }

    /// True if a resource of this Terraform type refers to the instance.
    fn is_mentioned(&self, resource: &str, instance: &Instance<'_>, raw: &Map) -> bool {
        let names = ["id", "arn"].into_iter().filter_map(|name| raw.get(name).and_then(Value::as_str));
        names.chain([&*instance.address]).any(|name| self.mentions.contains(&(resource, Text::from(name))))
    }

    /// Links to parts become links to what they are part of.
    fn relink(&self, all: &mut [Resource], joins: &Joins<'_>) {
        let mut parts: FxHashMap<Text, Text> = FxHashMap::default();
        for (part, base) in &joins.placed {
            if let (Some(part), Some(base)) = (self.input.managed.get(*part), self.input.managed.get(*base))
                && self.mapping.of_resource(part.type_name).is_none()
            {
                parts.insert(part.address.clone(), base.address.clone());
            }
        }
        if parts.is_empty() {
            return;
        }
        for (key, value) in all.iter_mut().flat_map(|resource| resource.props.iter_mut()) {
            walk(value, key, &mut |value| {
                if let Value::Link(link) = value
                    && let Some(base) = parts.get(&link.target)
                {
                    link.target = base.clone();
                }
            });
        }
    }
}

/// ARNs and ids that a state spells out become links to the resources that have them.
fn link_spelled(input: &Input<'_>, mapping: &Mapping, raws: &mut [Map]) {
    let mut spelled: FxHashMap<Text, (Text, Text)> = FxHashMap::default();
    for (instance, raw) in input.managed.iter().zip(raws.iter()) {
        let own = mapping.of_resource(instance.type_name).is_none_or(|(_, mapped)| !mapped.section.map.contains_key("arn"));
        for name in if own { ["id", "arn"].as_slice() } else { ["id"].as_slice() } {
            if let Some(Value::Str(text)) = raw.get(name).filter(|v| v.as_str().is_some_and(is_distinct)) {
                let attr = Text::from(mapping.attribute(instance.type_name, name));
                spelled.entry(text.clone()).or_insert_with(|| (instance.address.clone(), attr));
            }
        }
    }
    if spelled.is_empty() {
        return;
    }
    for (instance, raw) in input.managed.iter().zip(raws) {
        for (key, value) in raw.iter_mut().filter(|(key, _)| &***key != "id") {
            walk(value, key, &mut |value| {
                let Value::Str(text) = value else { return };
                // A group of another account has its owner before it.
                let bare = text.split_once('/').filter(|(owner, _)| AccountId::new(owner).is_ok()).map_or(&**text, |(_, id)| id);
                if let Some((target, attr)) = spelled.get(bare).filter(|(target, _)| *target != instance.address) {
                    *value = Value::link(target, attr);
                }
            });
        }
    }
}

/// Where a part belongs.
enum Owner {
    At(usize),
    /// To something that is not in this plan, or to another type.
    Elsewhere,
    /// It cannot be told.
    Unclear,
}

fn block(instance: &Instance<'_>) -> String {
    format!("{}.{}", instance.type_name, instance.name)
}

/// True for text that can only be that one resource: an ARN, or an id such as `sg-0a1b2c3d`.
fn is_distinct(text: &str) -> bool {
    let id = || {
        let (kind, hex) = text.rsplit_once('-')?;
        let fine = hex.len() >= 8
            && hex.bytes().all(|b| b.is_ascii_hexdigit())
            && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        (fine && !kind.is_empty()).then_some(())
    };
    text.starts_with("arn:") || id().is_some()
}

/// Visits every leaf but those of documents and tags.
fn walk(value: &mut Value, key: &str, visit: &mut dyn FnMut(&mut Value)) {
    if ["Document", "Policy", "Tags", "document", "policy", "tags", "tags_all"].iter().any(|end| key.ends_with(end)) {
        return;
    }
    match value {
        Value::List(items) | Value::Mixed(items) => items.iter_mut().for_each(|v| walk(v, "", visit)),
        Value::Map(map) => map.iter_mut().for_each(|(k, v)| walk(v, k, visit)),
        leaf => visit(leaf),
    }
}
