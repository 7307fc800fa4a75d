//! The APIs that SAM makes for events that name none.

use std::collections::BTreeSet;

use model::{Map, Resource, ScopeIndex, SpanTable, Text, TypeName, Value};
use serde_json::Value as Json;

use super::part::Part;
use super::{Expansion, Source, event};

/// One of the two.
struct Implicit {
    event: &'static str,
    key: &'static str,
    id: &'static str,
    kind: &'static str,
}

const REST: Implicit = Implicit { event: "Api", key: "RestApiId", id: "ServerlessRestApi", kind: "Api" };
const HTTP: Implicit = Implicit { event: "HttpApi", key: "ApiId", id: "ServerlessHttpApi", kind: "HttpApi" };

/// Adds the APIs that events ask for without naming them.
pub(crate) fn add(cx: &Expansion<'_, '_, '_>, sources: &mut Vec<Source>) {
    for implicit in [&REST, &HTTP] {
        if let Some(api) = make(cx, implicit, sources) {
            sources.retain(|source| source.id != implicit.id);
            sources.push(api);
        }
    }
}

fn make(cx: &Expansion<'_, '_, '_>, implicit: &Implicit, sources: &[Source]) -> Option<Source> {
    let mut resource: Option<Resource> = None;
    let mut order = 0;
    let mut tags = Map::new();
    let mut conditions: BTreeSet<Option<Text>> = BTreeSet::new();
    for source in sources.iter().filter(|s| matches!(&*s.kind, "Function" | "StateMachine")) {
        let asked = |event: &event::Event<'_>| {
            let props = event.props.says() || event.kind == "HttpApi";
            event.kind == implicit.event && props && !event.props.get(implicit.key).is_set()
        };
        let Some(event) = event::events(cx, source).into_iter().find(asked) else { continue };
        conditions.insert(source.resource.origin.condition.clone());
        if source.get("PropagateTags").value.as_bool() == Some(true) {
            // Global tags count only where the resource has none of its own.
            let own = cx.node(&source.id).and_then(|n| n.get("Properties")?.get("Tags")?.as_map());
            for (key, tag) in source.get("Tags").entries() {
                if own.is_none_or(|own| own.iter().any(|entry| &*entry.key == key)) {
                    tags.insert(key, tag.value.clone());
                }
            }
        }
        match &mut resource {
            Some(resource) => resource.origin.accepted.extend(source.resource.origin.accepted.clone()),
            None => {
                order = source.order;
                resource = Some(first(cx, implicit, source, event.part)?);
            }
        }
    }
    let mut resource = resource?;
    let mut all = conditions.into_iter();
    resource.origin.condition = match (all.next(), all.next()) {
        (Some(only), None) => only,
        _ => None,
    };
    if implicit.kind == "Api" {
        resource.props.insert("StageName", Value::text("Prod"));
    }
    if !tags.is_empty() {
        resource.props.insert("Tags", Value::Map(tags));
        resource.props.insert("PropagateTags", true.into());
    }
    let named = cx.evaluator.template.globals.and_then(|g| g.get(implicit.kind)).map(super::written::json_of);
    let mut written = named.unwrap_or_else(|| Json::Object(serde_json::Map::new()));
    if let (Json::Object(written), "Api") = (&mut written, implicit.kind) {
        written.insert("StageName".to_owned(), "Prod".into());
    }
    if let Some(globals) = cx.globals {
        globals.apply(None, &mut resource);
    }
    let props = Value::Map(std::mem::take(&mut resource.props));
    let spans = std::mem::take(&mut resource.spans);
    Some(Source { id: implicit.id.to_owned(), kind: implicit.kind.to_owned(), order, resource, props, spans, written })
}

/// The API's resource: it points at the first event that asks for it.
fn first(cx: &Expansion<'_, '_, '_>, implicit: &Implicit, source: &Source, event: Part<'_>) -> Option<Resource> {
    let type_name = TypeName::new(&format!("{}{}", super::PREFIX, implicit.kind)).ok()?;
    let mut resource = Resource::new(cx.full(implicit.id), type_name, ScopeIndex(0));
    resource.account = source.resource.account.clone();
    resource.region = source.resource.region.clone();
    resource.origin = source.resource.origin.clone();
    resource.origin.span = event.span();
    resource.spans = SpanTable::default();
    Some(resource)
}
