//! Which calls a document answers: by its top-level keys; where several calls share a key by the file's name, or else by
//! which call's answers have the members that its items have.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::collect::{Expr, Mapping, Member, Root, Segment};
use serde_json::{Map as JsonMap, Value as Json};

use crate::collect::{GetPlan, Plan, TypePlan};
use crate::facts::{Facts, Service, Shape, ShapeIndex};

/// Lists that some tools wrap around answers which do not name their parent, each element with the parent's id (the form of
/// Batfish's AWS snapshots).
const WRAPPED: &[&str] = &[
    "LoadBalancerListeners",
    "LoadBalancerAttributes",
    "LoadBalancerTargetHealth",
    "TransitGatewayStaticRoutes",
    "TransitGatewayPropagations",
];

/// The answers inside a document that wraps them.
pub(super) fn unwrapped(object: &JsonMap<String, Json>) -> Vec<&JsonMap<String, Json>> {
    let lists = WRAPPED.iter().filter_map(|key| object.get(*key)?.as_array());
    lists.flatten().filter_map(Json::as_object).collect()
}

/// A path as calls are looked for in it: `Describe_DB-Instances` and `describe-db-instances` are the same.
pub(super) fn plain(path: &str) -> String {
    path.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

/// True if the path names the call.
pub(super) fn names(path: &str, call: &str) -> bool {
    path.contains(&call.to_ascii_lowercase())
}

/// The types whose listings this is.
pub(super) fn listings<'a>(plan: &'a Plan, path: &str, object: &JsonMap<String, Json>) -> Vec<&'a TypePlan> {
    let mut by_key: BTreeMap<&str, BTreeMap<(&str, &str), Vec<&TypePlan>>> = BTreeMap::new();
    for kind in plan.types() {
        let Some(step) = kind.last_call() else { continue };
        let call = (step.service.as_str(), step.call.as_deref().unwrap_or_default());
        let key = match first_key(&step.items) {
            Some(key) if object.contains_key(key) => key,
            None if is_whole(&step.items) && has_shape_of(call, object) => WHOLE,
            _ => continue,
        };
        by_key.entry(key).or_default().entry(call).or_default().push(kind);
    }
    let mut out = Vec::new();
    for (key, mut by_call) in by_key {
        let call = match by_call.len() {
            1 => by_call.keys().next().copied().filter(|call| names(path, call.1) || suits(object.get(key), key, *call)),
            _ => by_name(path, by_call.keys().copied()).or_else(|| by_shape(object.get(key), key, by_call.keys().copied())),
        };
        out.extend(call.and_then(|call| by_call.remove(&call)).into_iter().flatten());
    }
    out
}

/// Stands for the key of an answer that is the one item itself (`describe-hub`).
const WHOLE: &str = ".";

fn is_whole(items: &Expr) -> bool {
    matches!(items, Expr::Path(_, segments) if segments.is_empty())
}

/// True if a document is not empty and has no key that the call's answer cannot have.
fn has_shape_of((service, call): (&str, &str), object: &JsonMap<String, Json>) -> bool {
    let output = Facts::get().service(service).and_then(|s| s.object(s.operations.get(call)?.output));
    output.is_some_and(|o| !object.is_empty() && object.keys().all(|k| o.members.contains_key(k.as_str())))
}

/// The call that a path names, with its service where two services have calls of that name.
fn by_name<'a>(path: &str, calls: impl Iterator<Item = (&'a str, &'a str)>) -> Option<(&'a str, &'a str)> {
    let said: Vec<_> = calls.filter(|(_, call)| names(path, call)).collect();
    // `ecr-public` also holds `ecr`: of the services that the path names, the longest name counts.
    let with_service = said.iter().filter(|(service, _)| path.contains(&plain(service))).max_by_key(|(s, _)| s.len());
    match (with_service, said.as_slice()) {
        (Some(call), _) => Some(*call),
        (None, [call]) => Some(*call),
        _ => None,
    }
}

/// How many of the first items' members are looked at.
const ITEMS_MAX: usize = 20;

/// The call whose answers alone have all members of the items.
fn by_shape<'a>(items: Option<&Json>, key: &str, calls: impl Iterator<Item = (&'a str, &'a str)>) -> Option<(&'a str, &'a str)> {
    let found = members_of(items?.as_array()?);
    let fits = |call: &(&str, &str)| {
        members(key, *call).is_some_and(|members| !found.is_empty() && found.iter().all(|k| members.contains(*k)))
    };
    let fitting: Vec<_> = calls.filter(fits).collect();
    if let [one] = fitting.as_slice() { Some(*one) } else { None }
}

/// False if the items under a key are plainly not those of the call: other calls, of services that nobody asks for, have answers
/// with the same key. Some members that the facts do not know (yet) are no reason.
fn suits(items: Option<&Json>, key: &str, call: (&str, &str)) -> bool {
    let (Some(Json::Array(items)), Some(members)) = (items, members(key, call)) else { return true };
    let found = members_of(items);
    let known = found.iter().filter(|k| members.contains(**k)).count();
    items.is_empty() || known * 2 > found.len()
}

fn members_of(items: &[Json]) -> BTreeSet<&str> {
    items.iter().take(ITEMS_MAX).filter_map(Json::as_object).flat_map(|o| o.keys()).map(String::as_str).collect()
}

/// The members of the items that the call gives under a key, if they have any.
fn members(key: &str, (service, call): (&str, &str)) -> Option<BTreeSet<&'static str>> {
    let service = Facts::get().service(service)?;
    let output = service.object(service.operations.get(call)?.output)?;
    item_members(service, output.members.get(key)?.shape)
}

fn item_members(service: &Service, shape: ShapeIndex) -> Option<BTreeSet<&str>> {
    let Shape::List(list) = service.shape(shape) else { return None };
    let Shape::Object(object) = service.shape(list.member) else { return None };
    Some(object.members.keys().map(|k| &**k).collect())
}

/// The types of which there is one, and which of their calls this answers. An answer that several calls give is told apart
/// by the file's name; if that does not say, it is left out.
pub(super) fn singles<'a>(plan: &'a Plan, path: &str, object: &JsonMap<String, Json>) -> Vec<(&'a TypePlan, usize)> {
    let mut out = Vec::new();
    for kind in plan.types().iter().filter(|t| t.steps.is_empty()) {
        let found: Vec<usize> = kind.gets.iter().enumerate().filter(|(_, g)| tells(g, object)).map(|(at, _)| at).collect();
        let named = |at: &&usize| kind.gets.get(**at).is_some_and(|g| names(path, &g.call));
        let said: Vec<usize> = found.iter().filter(named).copied().collect();
        if let ([one], _) | (_, [one]) = (found.as_slice(), said.as_slice()) {
            out.push((&**kind, *one));
        }
    }
    out
}

/// True if the document has a member that the call's properties or tags come from.
pub(super) fn tells(get: &GetPlan, object: &JsonMap<String, Json>) -> bool {
    let tag_key = get.tags.as_ref().and_then(first_key);
    let of_member = |member: &Member| comes_from(&member.value, object);
    get.members.iter().any(of_member) || tag_key.is_some_and(|key| object.contains_key(key))
}

/// True if the document has a top-level key that the value comes from.
fn comes_from(value: &Mapping, object: &JsonMap<String, Json>) -> bool {
    let has = |expr: &Expr| first_key(expr).is_some_and(|key| object.contains_key(key));
    match value {
        Mapping::Expr(expr) | Mapping::Each { each: expr, .. } => has(expr),
        Mapping::Same(name) => object.contains_key(name),
        Mapping::Object { from: Some(expr), .. } if first_key(expr).is_some() => has(expr),
        Mapping::Object { members, .. } => members.iter().any(|m| comes_from(&m.value, object)),
        Mapping::Chain(parts) => parts.iter().any(|part| comes_from(part, object)),
        Mapping::Fixed(_) => false,
    }
}

pub(super) fn first_key(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Path(Root::Here, segments) => match segments.first()? {
            Segment::Key(key) => Some(key),
            _ => None,
        },
        Expr::Pipe(inner, _) => first_key(inner),
        Expr::Either(all) => all.first().and_then(first_key),
        _ => None,
    }
}
