//! What an unknown value refers to, by the references that the configuration lists.
//!
//! A plan says of an expression only what it refers to, not what it does with it. An unknown value with one reference to a
//! resource is taken to be that reference: everything else in the expression is known, so the unknown comes from there.

use std::cell::Cell;

use model::Text;
use rustc_hash::{FxHashMap, FxHashSet};

use super::address::{self, Key, Step};
use super::input::Input;
use super::json::Node;

/// Steps that resolving one expression may take, through modules, variables and splats.
const STEPS_MAX: u32 = 5_000;

/// Steps that all expressions of a plan may take together.
const STEPS_TOTAL_MAX: u64 = 50_000_000;

/// Modules and variables that one reference may lead through.
const DEPTH_MAX: usize = 64;

/// What a reference leads to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    /// A managed resource, by position in the input, and the attribute as Terraform calls it; empty if not said.
    Resource(usize, Text),
    /// A data source, by position.
    Data(usize, Text),
    /// Something that is known, so that the unknown does not come from it.
    Known,
    /// Something that cannot be followed.
    Opaque(String),
}

/// Where an expression stands: its module, and what `each` and `count` mean there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'c> {
    /// Module address with keys.
    pub(crate) module: &'c str,
    /// The key of the resource or call that holds the expression.
    pub(crate) key: Option<&'c Key>,
    /// Its `for_each`.
    pub(crate) for_each: Option<&'c Node<'c>>,
}

/// Finds instances by block.
pub(crate) struct Resolver<'n> {
    pub(crate) input: &'n Input<'n>,
    managed: FxHashMap<&'n str, FxHashMap<(&'n str, &'n str), Vec<usize>>>,
    data: FxHashMap<&'n str, FxHashMap<(&'n str, &'n str), Vec<usize>>>,
    /// Every module instance, by the address of its parent and its name.
    modules: FxHashMap<(String, String), Vec<Option<Key>>>,
    total: Cell<u64>,
}

/// What one expression may still cost, and where it came from.
struct Walk<'w> {
    left: &'w Cell<u32>,
    depth: usize,
    /// True if `each` or `count` occurs beside the reference, so that a reference to all instances means the one with our key.
    same_key: bool,
}

impl<'n> Resolver<'n> {
    pub(crate) fn new(input: &'n Input<'n>) -> Resolver<'n> {
        let mut resolver = Resolver {
            input,
            managed: FxHashMap::default(),
            data: FxHashMap::default(),
            modules: FxHashMap::default(),
            total: Cell::new(STEPS_TOTAL_MAX),
        };
        let mut seen = FxHashSet::default();
        for (table, instances) in [(&mut resolver.managed, &input.managed), (&mut resolver.data, &input.data)] {
            for (at, instance) in instances.iter().enumerate() {
                table.entry(&*instance.module).or_default().entry((instance.type_name, instance.name)).or_default().push(at);
                let mut module = instance.module.to_string();
                while seen.insert(module.clone()) {
                    let Some((parent, name, key)) = address::parent(&module) else { break };
                    resolver.modules.entry((parent.clone(), name.to_owned())).or_default().push(key);
                    module = parent;
                }
            }
        }
        resolver
    }

    /// True if the limit on all steps together was reached.
    pub(crate) fn exhausted(&self) -> bool {
        self.total.get() == 0
    }

    /// What the references of an expression lead to; one list per reference.
    pub(crate) fn expression(&self, context: Context<'_>, expression: &Node<'_>) -> Vec<Vec<Piece>> {
        let left = Cell::new(STEPS_MAX);
        let walk = Walk { left: &left, depth: 0, same_key: false };
        self.references(context, expression, &walk)
    }

    fn references(&self, context: Context<'_>, expression: &Node<'_>, walk: &Walk<'_>) -> Vec<Vec<Piece>> {
        let listed = expression.get("references").map(Node::list).unwrap_or_default();
        let heads = address::heads(listed.iter().filter_map(Node::str));
        let same_key = walk.same_key || heads.iter().any(|h| h.starts_with("each.") || *h == "count.index");
        let walk = Walk { left: walk.left, depth: walk.depth + 1, same_key };
        let mut all = Vec::new();
        for head in heads {
            let pieces = self.reference(context, head, &walk);
            if pieces != [Piece::Known] {
                all.push(pieces);
            }
        }
        all
    }

    fn reference(&self, context: Context<'_>, head: &str, walk: &Walk<'_>) -> Vec<Piece> {
        let (left, total) = (walk.left.get(), self.total.get());
        if left == 0 || total == 0 || walk.depth > DEPTH_MAX {
            return opaque(head);
        }
        walk.left.set(left - 1);
        self.total.set(total - 1);
        let steps = address::steps(head);
        match steps.as_slice() {
            [Step::Name("each"), Step::Name("value"), rest @ ..] => self.each_value(context, head, rest, walk),
            [Step::Name("each" | "count" | "path" | "terraform"), ..] => vec![Piece::Known],
            [Step::Name("var"), Step::Name(name), rest @ ..] => self.variable(context, name, rest, walk),
            [Step::Name("module"), Step::Name(name), rest @ ..] => self.output(context, name, rest, walk),
            [Step::Name("data"), rest @ ..] => self.instances(Found::Data, context, rest, walk).unwrap_or_else(|| opaque(head)),
            [Step::Name("local" | "self"), ..] => opaque(head),
            all => self.instances(Found::Managed, context, all, walk).unwrap_or_else(|| opaque(head)),
        }
    }

    /// `each.value`: what `for_each` leads to, of it the instance with our key.
    fn each_value(&self, context: Context<'_>, head: &str, rest: &[Step<'_>], walk: &Walk<'_>) -> Vec<Piece> {
        let Some(for_each) = context.for_each else { return opaque(head) };
        let walk = Walk { left: walk.left, depth: walk.depth + 1, same_key: true };
        let found = self.references(Context { for_each: None, ..context }, for_each, &walk);
        match found.as_slice() {
            [pieces] if pieces.len() == 1 => self.follow(pieces.clone(), rest),
            _ => opaque(head),
        }
    }

    /// A variable: known in the root module, elsewhere what the call passes.
    fn variable(&self, context: Context<'_>, name: &str, rest: &[Step<'_>], walk: &Walk<'_>) -> Vec<Piece> {
        let Some((parent, call, key)) = address::parent(context.module) else { return vec![Piece::Known] };
        let path = address::module_path(&parent);
        let Some(call) = self.input.config.module(&path).and_then(|m| m.at(&["module_calls", call])) else {
            return opaque(&format!("var.{name}"));
        };
        let Some(expression) = call.at(&["expressions", name]) else { return vec![Piece::Known] };
        if expression.get("constant_value").is_some() {
            return vec![Piece::Known];
        }
        let outer = Context { module: &parent, key: key.as_ref(), for_each: call.get("for_each_expression") };
        let walk = Walk { left: walk.left, depth: walk.depth + 1, same_key: false };
        let found = self.references(outer, expression, &walk);
        if found.is_empty() && expression.get("references").is_none() {
            return opaque(&format!("var.{name}"));
        }
        let pieces: Vec<Piece> = found.into_iter().flatten().collect();
        if pieces.is_empty() { vec![Piece::Known] } else { self.follow(pieces, rest) }
    }

    /// An output of a module, in every instance of it that is meant.
    fn output(&self, context: Context<'_>, name: &str, rest: &[Step<'_>], walk: &Walk<'_>) -> Vec<Piece> {
        let (wanted, rest) = match rest {
            [Step::Index(key), rest @ ..] => (Some(key), rest),
            rest => (None, rest),
        };
        let [Step::Name(output), rest @ ..] = rest else { return opaque(&format!("module.{name}")) };
        let shown = || opaque(&format!("module.{name}.{output}"));
        let Some(keys) = self.modules.get(&(context.module.to_owned(), name.to_owned())) else { return shown() };
        let ours = context.key.filter(|key| walk.same_key && keys.iter().any(|k| k.as_ref() == Some(*key)));
        let mut pieces = Vec::new();
        for key in keys.iter().filter(|key| wanted.or(ours).is_none_or(|w| key.as_ref() == Some(w))) {
            let module = address::join(context.module, &address::call(name, key.as_ref()));
            let path = address::module_path(&module);
            let expression = self.input.config.module(&path).and_then(|m| m.at(&["outputs", output, "expression"]));
            let Some(expression) = expression else { return shown() };
            let inner = Context { module: &module, key: None, for_each: None };
            let walk = Walk { left: walk.left, depth: walk.depth + 1, same_key: false };
            let found = self.references(inner, expression, &walk);
            pieces.extend(found.into_iter().flatten());
            if walk.left.get() == 0 {
                return shown();
            }
        }
        if pieces.is_empty() { shown() } else { self.follow(pieces, rest) }
    }

    /// The instances of a block: the one with the written index, or with our own key where `each` or `count` is used, or all.
    fn instances(&self, piece: Found, context: Context<'_>, steps: &[Step<'_>], walk: &Walk<'_>) -> Option<Vec<Piece>> {
        let [Step::Name(kind), Step::Name(name), rest @ ..] = steps else { return None };
        let (table, instances) = match piece {
            Found::Managed => (&self.managed, &self.input.managed),
            Found::Data => (&self.data, &self.input.data),
        };
        let block = table.get(context.module)?.get(&(*kind, *name))?;
        let key_of = |at: &usize| instances.get(*at).and_then(|i| i.key.as_ref());
        let (wanted, rest) = match rest {
            [Step::Index(key), rest @ ..] => (Some(key), rest),
            rest => (None, rest),
        };
        let chosen: Vec<usize> = match (wanted, context.key.filter(|_| walk.same_key)) {
            (Some(key), _) => block.iter().copied().filter(|at| key_of(at) == Some(key)).collect(),
            // `element()` starts over at the end of the list.
            (None, Some(Key::Int(n))) if block.len() > 1 => {
                usize::try_from(*n).ok()?.checked_rem(block.len()).and_then(|n| block.get(n)).copied().into_iter().collect()
            }
            (None, Some(key)) if block.iter().any(|at| key_of(at) == Some(key)) => {
                block.iter().copied().filter(|at| key_of(at) == Some(key)).collect()
            }
            _ => block.clone(),
        };
        let attr = Text::from(attribute(rest));
        let cost = u32::try_from(chosen.len()).unwrap_or(u32::MAX);
        walk.left.set(walk.left.get().saturating_sub(cost));
        self.total.set(self.total.get().saturating_sub(u64::from(cost)));
        let wrap = |at| match piece {
            Found::Managed => Piece::Resource(at, attr.clone()),
            Found::Data => Piece::Data(at, attr.clone()),
        };
        (!chosen.is_empty()).then(|| chosen.into_iter().map(wrap).collect())
    }

    /// Applies an index and an attribute that are written behind a variable, an output or `each.value`.
    fn follow(&self, mut pieces: Vec<Piece>, rest: &[Step<'_>]) -> Vec<Piece> {
        if let [Step::Index(key), ..] = rest
            && pieces.len() > 1
        {
            pieces.retain(|piece| match piece {
                Piece::Resource(at, _) => self.input.managed.get(*at).is_some_and(|i| i.key.as_ref() == Some(key)),
                _ => true,
            });
        }
        let written = attribute(rest);
        for piece in &mut pieces {
            if let Piece::Resource(_, attr) | Piece::Data(_, attr) = piece
                && attr.is_empty()
            {
                *attr = Text::from(written);
            }
        }
        pieces
    }
}

/// Which table to look in.
#[derive(Clone, Copy)]
enum Found {
    Managed,
    Data,
}

/// The first attribute name, if any.
fn attribute<'s>(rest: &[Step<'s>]) -> &'s str {
    rest.iter()
        .find_map(|step| match step {
            Step::Name("*") | Step::Index(_) => None,
            Step::Name(name) => Some(*name),
        })
        .unwrap_or_default()
}

fn opaque(what: &str) -> Vec<Piece> {
    vec![Piece::Opaque(what.chars().take(200).collect())]
}
