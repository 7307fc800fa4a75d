//! The values of an instance as Terraform shapes them, with what is absent, linked and unknown told apart.

use model::{Map, Reason, Text, Value, secret};

use super::input::{Instance, Sensitive};
use super::json::{self, Node};
use super::mapping::Mapping;
use super::policy;
use super::resolve::{Context, Piece, Resolver};

/// How deep one policy document may refer to another.
const POLICIES_DEPTH_MAX: usize = 8;

/// Attribute names whose values are secret in a state file that does not mark them.
const SECRET_NAMES: &[&str] =
    &["password", "master_password", "secret_string", "secret_binary", "secret", "private_key", "auth_token", "user_password"];

/// Attributes whose text is composed more often than it is a reference.
const COMPOSED: &[&str] =
    &["name", "name_prefix", "description", "comment", "user_data", "user_data_base64", "tags", "tags_all", "definition"];

/// What the configuration says of the value at hand.
#[derive(Clone, Copy)]
enum Written<'e> {
    /// Nothing: the provider decides.
    Nothing,
    /// It cannot be told: a dynamic block, or no configuration for this resource.
    Hidden,
    /// This expression or block.
    At(&'e Node<'e>),
    /// One of several unknown leaves (number, of how many) of an expression; `flat` if they are the items of a list of its own.
    Part { expression: &'e Node<'e>, number: usize, of: usize, flat: bool },
}

/// Builds the values of instances.
pub(crate) struct Builder<'n> {
    pub(crate) resolver: &'n Resolver<'n>,
    pub(crate) mapping: &'n Mapping,
}

/// The place that is being built.
struct Place<'p> {
    context: Context<'p>,
    /// The nearest attribute name.
    name: &'p str,
    depth: usize,
    /// True if what is not known yet is left out of the values.
    omitted: bool,
}

impl<'n> Builder<'n> {
    /// All values of a managed instance.
    pub(crate) fn managed(&self, instance: &'n Instance<'n>) -> Map {
        let block = format!("{}.{}", instance.type_name, instance.name);
        self.instance(instance, &block, 0)
    }

    fn instance(&self, instance: &'n Instance<'n>, block: &str, depth: usize) -> Map {
        let path = super::address::module_path(&instance.module);
        let config = self.resolver.input.config.resource(&path, block);
        let context = Context {
            module: &instance.module,
            key: instance.key.as_ref(),
            for_each: config.and_then(|c| c.get("for_each_expression")),
        };
        let place = Place { context, name: "", depth, omitted: instance.omitted };
        let written = match config {
            Some(config) => config.get("expressions").map_or(Written::Nothing, Written::At),
            None => Written::Hidden,
        };
        let tree = match &instance.sensitive {
            Sensitive::Tree(tree) => *tree,
            Sensitive::Names(_) => None,
        };
        let mut map = match self.value(&place, Some(instance.values), instance.unknown, tree, written) {
            Value::Map(map) => map,
            _ => Map::new(),
        };
        if let Sensitive::Names(names) = &instance.sensitive {
            for (name, value) in map.iter_mut() {
                if names.contains(&&**name) || SECRET_NAMES.contains(&&**name) {
                    mask(value, "sensitive value");
                }
            }
        }
        written_user_data(&mut map, config);
        map
    }

    fn value<'p>(
        &self,
        place: &Place<'p>,
        value: Option<&Node<'_>>,
        unknown: Option<&Node<'_>>,
        sensitive: Option<&Node<'_>>,
        written: Written<'p>,
    ) -> Value {
        if sensitive.is_some_and(Node::is_true) {
            return self.sensitive(place, value, unknown, written);
        }
        if unknown.is_some_and(Node::is_true) {
            return self.unknown(place, Shape::of(sensitive), written);
        }
        match (value, unknown) {
            (Some(Node::Map(_)), _) | (None | Some(Node::Null), Some(Node::Map(_))) => {
                self.map(place, [value, unknown, sensitive], written)
            }
            (Some(Node::List(items)), _) => self.list(place, items, [unknown, sensitive], written),
            (None | Some(Node::Null), Some(Node::List(items))) if items.iter().any(Node::is_true) => {
                self.list(place, &vec![Node::Null; items.len()], [unknown, sensitive], written)
            }
            // Old-style providers plan text that is not known yet as empty.
            (Some(Node::Str(s)), _) if s.is_empty() => match written {
                Written::At(e) if e.get("references").is_some() => match self.unknown(place, Shape::Scalar, written) {
                    Value::Unknown(_) => Value::text(""),
                    linked => linked,
                },
                _ => Value::text(""),
            },
            (Some(node), _) => json::to_value(node),
            (None, _) => Value::Null,
        }
    }

    /// A value that must not be shown. Of a password it is said whether the configuration spells it out, as nothing else is
    /// asked of it.
    fn sensitive(&self, place: &Place<'_>, value: Option<&Node<'_>>, unknown: Option<&Node<'_>>, written: Written<'_>) -> Value {
        if unknown.is_some_and(Node::is_true) {
            let absent = matches!(written, Written::Nothing);
            return if absent { Value::Null } else { Value::unknown(Reason::AfterApply, "sensitive value") };
        }
        let mut value = value.map_or(Value::Null, json::to_value);
        let secret = value.as_str().filter(|_| SECRET_NAMES.contains(&place.name));
        match (written, secret) {
            (Written::At(e), Some(text)) if self.is_literal(place, e, text) => value = Value::text(secret::HIDDEN),
            (Written::At(e), Some(_)) if e.get("references").is_some() => {
                value = Value::unknown_present(Reason::DynamicReference, "sensitive value");
            }
            _ => mask(&mut value, "sensitive value"),
        }
        value
    }

    /// True if the configuration holds the text itself, in the argument or as the default of a variable that gives it.
    fn is_literal(&self, place: &Place<'_>, expression: &Node<'_>, text: &str) -> bool {
        if expression.get("constant_value").is_some() {
            return true;
        }
        let Some([Node::Str(reference)]) = expression.get("references").map(Node::list) else { return false };
        let Some(name) = reference.strip_prefix("var.") else { return false };
        let module = self.resolver.input.config.module(&super::address::module_path(place.context.module));
        let default = module.and_then(|m| m.at(&["variables", name, "default"])).and_then(Node::str);
        default == Some(text) && !text.is_empty()
    }

    fn map<'p>(&self, place: &Place<'p>, nodes: [Option<&Node<'_>>; 3], written: Written<'p>) -> Value {
        let [value, unknown, sensitive] = nodes;
        let mut keys: Vec<&str> = value.map(Node::map).unwrap_or_default().iter().map(|(k, _)| &**k).collect();
        keys.extend(unknown.map(Node::map).unwrap_or_default().iter().map(|(k, _)| &**k));
        if let (true, Written::At(block @ Node::Map(_))) = (place.omitted, written)
            && !is_expression(block)
        {
            keys.extend(block.map().iter().map(|(k, _)| &**k));
        }
        keys.sort_unstable();
        keys.dedup();
        let leaves = unknown.map_or(0, count_true);
        let mut number = 0;
        let mut map = Vec::with_capacity(keys.len());
        for key in keys {
            let inner_unknown = unknown.and_then(|u| u.get(key));
            let inner = match written {
                Written::At(e) if is_expression(e) => Written::Part { expression: e, number, of: leaves, flat: false },
                Written::At(e) => e.get(key).map_or(Written::Nothing, Written::At),
                Written::Part { expression, number: at, of, .. } => {
                    Written::Part { expression, number: at + number, of, flat: false }
                }
                Written::Nothing => Written::Nothing,
                Written::Hidden => Written::Hidden,
            };
            number += inner_unknown.map_or(0, count_true);
            let name = if place.name.starts_with("tags") { place.name } else { key };
            let inner_place = Place { name, ..*place };
            let (inner_value, inner_sensitive) = (value.and_then(|v| v.get(key)), sensitive.and_then(|s| s.get(key)));
            let built = if place.omitted && inner_value.is_none() {
                self.unknown(&inner_place, Shape::of(inner_sensitive), inner)
            } else {
                self.value(&inner_place, inner_value, inner_unknown, inner_sensitive, inner)
            };
            map.push((Text::from(key), built));
        }
        Value::Map(map.into_iter().collect())
    }

    fn list<'p>(&self, place: &Place<'p>, items: &[Node<'_>], nodes: [Option<&Node<'_>>; 2], written: Written<'p>) -> Value {
        let [unknown, sensitive] = nodes;
        let unknowns = unknown.map(Node::list).unwrap_or_default();
        let leaves = unknown.map_or(0, count_true);
        let flat = unknowns.iter().all(|u| matches!(u, Node::Bool(_)));
        let mut number = 0;
        let mut built = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let inner = match written {
                Written::At(e) if is_expression(e) => Written::Part { expression: e, number, of: leaves, flat },
                Written::At(Node::List(blocks)) => block_of(blocks, at, items.len(), item),
                Written::At(block) => Written::At(block),
                Written::Part { expression, number: at, of, .. } => {
                    Written::Part { expression, number: at + number, of, flat: false }
                }
                // The value has items that the configuration does not show: a dynamic block.
                Written::Nothing | Written::Hidden => Written::Hidden,
            };
            number += unknowns.get(at).map_or(0, count_true);
            let sensitive = sensitive.and_then(|s| s.list().get(at));
            built.push(self.value(place, Some(item), unknowns.get(at), sensitive, inner));
        }
        Value::List(built)
    }

    /// A leaf, list or map of which Terraform says "known after apply".
    fn unknown(&self, place: &Place<'_>, shape: Shape, written: Written<'_>) -> Value {
        let (references, name) = match written {
            Written::Nothing => return Value::Null,
            Written::Hidden => return Value::unknown(Reason::AfterApply, place.name),
            Written::At(e) if !is_expression(e) => return Value::unknown(Reason::AfterApply, place.name),
            Written::At(e) => {
                if let Some(constant) = e.get("constant_value") {
                    return json::to_value(constant);
                }
                (self.resolver.expression(place.context, e), place.name)
            }
            Written::Part { expression, number, of, flat } => {
                let mut all = self.resolver.expression(place.context, expression);
                if all.len() > 1 && of > 1 {
                    if !(flat && all.len() == of) {
                        return Value::unknown(Reason::AfterApply, place.name);
                    }
                    all = all.into_iter().skip(number).take(1).collect();
                } else if let [pieces] = all.as_mut_slice()
                    && of > 1
                    && pieces.len() == of
                    && flat
                {
                    *pieces = pieces.iter().skip(number).take(1).cloned().collect();
                }
                (all, place.name)
            }
        };
        self.combine(place, shape, references.into_iter().flatten().collect(), name)
    }

    /// What one reference in an expression of an instance means: a value that the plan knows, or a link.
    pub(crate) fn reference(&self, instance: &'n Instance<'n>, head: &str) -> Value {
        let path = super::address::module_path(&instance.module);
        let config = self.resolver.input.config.resource(&path, &format!("{}.{}", instance.type_name, instance.name));
        let for_each = config.and_then(|c| c.get("for_each_expression"));
        let context = Context { module: &instance.module, key: instance.key.as_ref(), for_each };
        let references = Node::List(vec![Node::Str(head.into())]);
        let expression = Node::Map(vec![("references".into(), references)]);
        let pieces: Vec<Piece> = self.resolver.expression(context, &expression).into_iter().flatten().collect();
        if let [Piece::Resource(at, attr)] = pieces.as_slice()
            && let Some(target) = self.resolver.input.managed.get(*at)
            && !matches!(&target.sensitive, Sensitive::Tree(Some(tree)) if tree.get(attr).is_some_and(Node::is_true))
            && let Some(known) = target.values.get(attr).filter(|v| matches!(v, Node::Str(_) | Node::Int(_) | Node::Bool(_)))
        {
            return json::to_value(known);
        }
        let place = Place { context, name: "", depth: 0, omitted: false };
        self.combine(&place, Shape::Scalar, pieces, head)
    }

    fn combine(&self, place: &Place<'_>, shape: Shape, pieces: Vec<Piece>, name: &str) -> Value {
        let what = |pieces: &[Piece]| self.words(pieces, name);
        if pieces.is_empty() || shape == Shape::Map {
            return Value::unknown(Reason::AfterApply, what(&pieces));
        }
        let mut values: Vec<Value> = Vec::with_capacity(pieces.len());
        for piece in &pieces {
            let value = match piece {
                Piece::Resource(at, attr) => self.link(*at, attr, name),
                Piece::Data(at, attr) => self.data(*at, attr, place.depth),
                Piece::Known | Piece::Opaque(_) => Value::unknown(Reason::AfterApply, what(std::slice::from_ref(piece))),
            };
            if !values.contains(&value) {
                values.push(value);
            }
        }
        match (shape, values.as_mut_slice()) {
            (Shape::List, _) => Value::List(values),
            (_, [Value::Link(_)]) if composed(name) => Value::unknown(Reason::AfterApply, what(&pieces)),
            (_, [one]) => std::mem::take(one),
            _ => Value::unknown(Reason::AfterApply, what(&pieces)),
        }
    }

    fn words(&self, pieces: &[Piece], name: &str) -> String {
        let mut words: Vec<String> = Vec::new();
        for piece in pieces.iter().take(4) {
            let word = match piece {
                Piece::Resource(at, attr) => self.resolver.input.managed.get(*at).map(|i| dotted(&i.address, attr)),
                Piece::Data(at, attr) => self.resolver.input.data.get(*at).map(|i| dotted(&i.address, attr)),
                Piece::Opaque(what) => Some(what.clone()),
                Piece::Known => None,
            };
            words.extend(word.filter(|w| !words.contains(w)));
        }
        if words.is_empty() { name.to_owned() } else { words.join(", ") }
    }

    fn link(&self, at: usize, attr: &str, name: &str) -> Value {
        let Some(target) = self.resolver.input.managed.get(at) else { return Value::Null };
        let guess = if name.ends_with("arn") || name.ends_with("arns") { "arn" } else { "id" };
        let attr = if attr.is_empty() { guess } else { attr };
        Value::link(&target.address, self.mapping.attribute(target.type_name, attr))
    }

    /// What a data source gives. Only policy documents can be worked out before they are read.
    fn data(&self, at: usize, attr: &str, depth: usize) -> Value {
        let input = self.resolver.input;
        let Some(data) = input.data.get(at) else { return Value::Null };
        let shown = || Value::unknown(Reason::AfterApply, dotted(&data.address, attr));
        if depth >= POLICIES_DEPTH_MAX {
            return shown();
        }
        if let Some(known) = data.values.get(attr).filter(|v| !v.is_null()) {
            return json::to_value(known);
        }
        if data.type_name != "aws_iam_policy_document" || !matches!(attr, "json" | "minified_json" | "") {
            return shown();
        }
        let block = format!("data.{}.{}", data.type_name, data.name);
        policy::document(&self.instance(data, &block, depth + 1))
    }
}

fn dotted(address: &str, attr: &str) -> String {
    if attr.is_empty() { address.to_owned() } else { format!("{address}.{attr}") }
}

/// What kind of value an unknown is, which the tree of sensitive values gives away: it has `[]` and `{}` for collections.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    Scalar,
    List,
    Map,
}

impl Shape {
    fn of(sensitive: Option<&Node<'_>>) -> Shape {
        match sensitive {
            Some(Node::List(_)) => Shape::List,
            Some(Node::Map(_)) => Shape::Map,
            _ => Shape::Scalar,
        }
    }
}

/// Free text and JSON: a reference inside of it is a part of the text.
fn composed(name: &str) -> bool {
    let document = ["policy", "document", "definitions", "_body", "json"].iter().any(|end| name.ends_with(end));
    COMPOSED.contains(&name) || document
}

/// `{"constant_value": ..}`, `{"references": [..]}` or `{}`, as opposed to a block's attributes.
fn is_expression(node: &Node<'_>) -> bool {
    let members = node.map();
    matches!(node, Node::Map(_))
        && (members.is_empty()
            || members.iter().all(|(k, v)| {
                &**k == "constant_value"
                    || &**k == "references" && v.list().iter().all(|r| r.str().is_some()) && matches!(v, Node::List(_))
            }))
}

/// The block that an item comes from: the one at the same place, unless its constants disagree (sets are in another order).
fn block_of<'e>(blocks: &'e [Node<'e>], at: usize, count: usize, item: &Node<'_>) -> Written<'e> {
    if blocks.len() != count {
        return Written::Hidden;
    }
    let agrees = |block: &Node<'_>| {
        block.map().iter().all(|(key, expression)| match expression.get("constant_value") {
            Some(constant @ (Node::Str(_) | Node::Bool(_) | Node::Int(_))) => {
                item.get(key).is_none_or(|v| v == constant || loosely(v, constant))
            }
            _ => true,
        })
    };
    let same = blocks.get(at).filter(|b| agrees(b));
    same.or_else(|| blocks.iter().find(|b| agrees(b))).map_or(Written::Hidden, Written::At)
}

/// Terraform converts between text, numbers and truth values.
fn loosely(a: &Node<'_>, b: &Node<'_>) -> bool {
    let text = |n: &Node<'_>| match n {
        Node::Str(s) => Some(s.to_string()),
        Node::Int(n) => Some(n.to_string()),
        Node::Bool(b) => Some(b.to_string()),
        _ => None,
    };
    text(a).is_some() && text(a) == text(b)
}

fn count_true(unknown: &Node<'_>) -> usize {
    match unknown {
        Node::Bool(true) => 1,
        Node::List(items) => items.iter().map(count_true).sum(),
        Node::Map(members) => members.iter().map(|(_, v)| count_true(v)).sum(),
        _ => 0,
    }
}

/// Replaces everything readable; what is unset or empty stays.
fn mask(value: &mut Value, what: &str) {
    match value {
        Value::Null | Value::Unknown(_) => {}
        Value::Str(s) if s.is_empty() => {}
        Value::List(items) | Value::Mixed(items) => items.iter_mut().for_each(|v| mask(v, what)),
        Value::Map(map) => map.iter_mut().for_each(|(_, v)| mask(v, what)),
        Value::Bool(_) | Value::Int(_) | Value::Dec(_) | Value::Str(_) | Value::Link(_) => {
            *value = Value::unknown_present(Reason::Unsupported, what);
        }
    }
}

/// The provider keeps only a hash of user data; the configuration may hold the text.
fn written_user_data(map: &mut Map, config: Option<&Node<'_>>) {
    let Some(value) = map.get_mut("user_data") else { return };
    let hashed = value.as_str().is_some_and(|s| s.len() == 40 && s.bytes().all(|b| b.is_ascii_hexdigit()));
    if hashed {
        let constant = config.and_then(|c| c.at(&["expressions", "user_data", "constant_value"])).and_then(Node::str);
        *value = match constant {
            Some(text) => Value::text(text),
            None => Value::unknown_present(Reason::NotCollected, "user data, of which the provider keeps only a hash"),
        };
    }
}
