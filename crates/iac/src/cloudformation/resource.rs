//! The resources of a template in one world.

use model::{AccountId, Gap, GapReason, Map, Origin, Region, Resource, ScopeIndex, Span, SpanTable, Text, TypeName, Value};
use syntax::{Kind, Node};

use super::accept::{self, Comment};
use super::condition::Answer;
use super::evaluate::{Evaluator, Place};
use super::globals::Globals;
use super::sam::References;
use super::template::{Named, is_blank};

/// Every resource that exists, or may exist, in source order; those of a nested stack behind it.
pub(crate) fn all(evaluator: &Evaluator<'_, '_>, comments: &[Comment]) -> (Vec<Resource>, References) {
    let mut resources = Vec::with_capacity(evaluator.template.resources.len());
    let globals = Globals::new(evaluator);
    for named in &evaluator.template.resources {
        let outer = evaluator.locals.replace(named.locals.clone());
        let resource = one(evaluator, named, comments);
        evaluator.locals.replace(outer);
        let Some(mut resource) = resource else { continue };
        if let Some(globals) = &globals {
            globals.apply(Some(named.node), &mut resource);
        }
        resources.push(resource);
        if let Some(stack) = evaluator.stack(named) {
            resources.extend(stack.resources.iter().cloned());
        }
    }
    super::transform::apply(evaluator, globals.as_ref(), resources)
}

/// One resource; `None` if it does not exist in this world, or is not one (then there is a gap).
fn one<'t>(evaluator: &Evaluator<'t, '_>, named: &Named<'t>, comments: &[Comment]) -> Option<Resource> {
    let node = named.node;
    let what = || format!("resource `{}`", named.name);
    let wrong = |detail: String, span: Span| {
        evaluator.malformed(&what(), detail, span);
    };
    if !matches!(node.kind, Kind::Map(_)) {
        wrong(format!("must be a mapping, is {}", node.words()), named.span);
        return None;
    }
    let condition = node.get("Condition");
    if let Some(condition) = condition {
        match evaluator.written(condition) {
            Some(name) => {
                if evaluator.condition(&name, condition.span) == Answer::False {
                    return None;
                }
            }
            None => wrong("`Condition` must be a condition's name".to_owned(), condition.span),
        }
    }
    let type_name = match node.entry("Type").map(|e| (e, evaluator.written(&e.node))) {
        Some((entry, Some(text))) => match TypeName::new(&text) {
            Ok(name) => name,
            Err(error) => {
                wrong(error.to_string(), entry.span());
                return None;
            }
        },
        Some((entry, None)) => {
            wrong("`Type` must be written out as text".to_owned(), entry.span());
            return None;
        }
        None => {
            wrong("has no `Type`".to_owned(), named.span);
            return None;
        }
    };
    let mut spans = SpanTable::default();
    let props = match node.get("Properties") {
        None => Map::new(),
        Some(node) if is_blank(node) => Map::new(),
        Some(node) => match evaluator.value(node, Place::new(&mut spans)) {
            Some(Value::Map(map)) => map,
            None => Map::new(),
            Some(_) => {
                let detail = format!("its properties cannot be read: {}", node.words());
                let mut gap = Gap::new(what(), GapReason::Malformed, detail);
                gap.type_name = Some(type_name);
                evaluator.session.gap(gap.in_file(evaluator.template.file.clone(), Some(named.span)));
                return None;
            }
        },
    };
    spans.finish();
    if type_name.as_str().ends_with("::MODULE") {
        let gap =
            Gap::new(what(), GapReason::Unsupported, format!("what the module `{type_name}` holds is known only at deploy time"));
        evaluator.session.gap(gap.in_file(evaluator.template.file.clone(), Some(named.span)));
    }
    let id = if evaluator.prefix.is_empty() { named.name.clone() } else { format!("{}{}", evaluator.prefix, named.name).into() };
    let given = evaluator.session.parameters;
    let mut resource = Resource::new(id, type_name, ScopeIndex(0));
    resource.account = given.get("AWS::AccountId").and_then(|a| AccountId::new(a).ok());
    resource.region = given.get("AWS::Region").and_then(|r| Region::new(r).ok());
    resource.name = physical_name(&resource.type_name, &props).or_else(|| cdk_path(node));
    resource.props = props;
    resource.spans = spans;
    resource.origin = Origin {
        file: Some(evaluator.template.file.clone()),
        span: Some(named.span),
        module: evaluator.prefix.trim_end_matches('/').into(),
        condition: condition.and_then(|n| evaluator.written(n)),
        accepted: accept::of_resource(node, named.span, comments),
    };
    Some(resource)
}

/// The name that AWS will know it by, where the template says it. The property is called after the type in most services.
pub(crate) fn physical_name(type_name: &TypeName, props: &Map) -> Option<Text> {
    let (_, kind) = type_name.as_str().rsplit_once("::")?;
    let own = props.iter().find(|(key, _)| {
        key.strip_prefix(kind).is_some_and(|rest| matches!(rest, "Name" | "Identifier"))
            || matches!((kind, &***key), ("SecurityGroup", "GroupName"))
    });
    let value = own.map(|(_, v)| v).or_else(|| props.get("Name"))?;
    match value {
        Value::Str(text) => Some(text.clone()),
        _ => None,
    }
}

fn cdk_path(node: &Node) -> Option<Text> {
    node.get("Metadata")?.get("aws:cdk:path")?.text().cloned()
}
