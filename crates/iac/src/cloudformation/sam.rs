//! SAM's serverless resources as what they become: functions with their roles, versions, permissions and event sources,
//! APIs with their stages, and the rest, under the logical ids that SAM gives them.
//!
//! It works on evaluated resources, so that conditions, parameters and loops are behind it; a link, and what is known only
//! at deploy time, goes through as it is. Each resource made points at the place that it comes from. What SAM would refuse,
//! and what is not known here, is a gap, and the rest is made. Source: the AWS SAM specification, and SAM's own translation
//! (PyPI's `aws-sam-translator`), against which `tests/serverless.rs` compares.
//!
//! Absent on purpose: validating properties, and the description and the hash in the id of an API's deployment, which SAM
//! takes from the order of keys in memory.

mod api;
mod authorizer;
mod body;
mod capacity;
mod connector;
mod deployment;
mod domain;
mod event;
mod facts;
mod function;
mod graphql;
mod http_api;
mod implicit;
mod invoke;
mod made;
mod part;
mod references;
mod resource_policy;
mod role;
mod simple;
mod state_machine;
mod usage_plan;
mod web_function;
mod websocket;
mod written;

use std::collections::BTreeMap;
use std::rc::Rc;

use model::{Gap, GapReason, Link, Reason, Resource, Span, SpanTable, Text, TypeName, Value};
use serde_json::Value as Json;
use syntax::Node;

use super::evaluate::Evaluator;
use super::globals::Globals;
use super::template::{Named, substitute};
use super::text::Pieces;
use deployment::Preference;
use made::Made;
use part::Part;
pub(crate) use references::References;

const PREFIX: &str = "AWS::Serverless::";

/// Bytes of composed text that count as much as one value.
const BYTES_A_VALUE: usize = 64;

/// A serverless resource of the template.
pub(crate) struct Source {
    /// The logical id.
    id: String,
    /// The last part of its type.
    kind: String,
    order: usize,
    /// The resource without its properties.
    resource: Resource,
    props: Value,
    spans: SpanTable,
    /// The properties as written, global ones included.
    written: Json,
}

impl Source {
    fn props(&self) -> Part<'_> {
        Part::new(&self.props, &self.spans, self.resource.origin.span)
    }

    fn get(&self, key: &str) -> Part<'_> {
        self.props().get(key)
    }
}

/// The expansion of one template in one world.
pub(crate) struct Expansion<'e, 't, 's> {
    evaluator: &'e Evaluator<'t, 's>,
    globals: Option<&'e Globals>,
    /// Every resource so far, those of the template that are not serverless first.
    made: Vec<Made>,
    /// Where in `made` a resource is, by its id.
    places: BTreeMap<Text, usize>,
    references: References,
    preferences: Vec<Preference>,
    apis: BTreeMap<String, api::Api>,
    /// The properties of the APIs, and where they were written.
    settings: BTreeMap<String, Rc<api::Settings>>,
    plan: usage_plan::Shared,
}

/// Expands the serverless resources among `resources`, which are already evaluated and have SAM's `Globals` in them.
pub(crate) fn expand(
    evaluator: &Evaluator<'_, '_>,
    globals: Option<&Globals>,
    resources: Vec<Resource>,
) -> (Vec<Resource>, References) {
    let mut expansion = Expansion {
        evaluator,
        globals,
        made: Vec::new(),
        places: BTreeMap::new(),
        references: References::default(),
        preferences: Vec::new(),
        apis: BTreeMap::new(),
        settings: BTreeMap::new(),
        plan: usage_plan::Shared::default(),
    };
    let mut sources = Vec::new();
    for (order, resource) in resources.into_iter().enumerate() {
        sources.extend(connector::embedded(&expansion, &resource, order));
        match expansion.source(order, resource) {
            Ok(source) => sources.push(source),
            Err(resource) => expansion.add(Made { resource: *resource, order }),
        }
    }
    implicit::add(&expansion, &mut sources);
    expansion.gather_apis(&sources);
    sources.sort_by_key(|source| rank(&source.kind));
    for source in &sources {
        let before = expansion.made.len();
        expansion.one(source);
        let made = expansion.made.get(before..).unwrap_or_default();
        expansion.references.note(source, made, expansion.evaluator.prefix);
    }
    deployment::add(&mut expansion);
    expansion.check_references();
    expansion.finish()
}

/// SAM's order: events write into APIs, and connectors look at what the others have become.
fn rank(kind: &str) -> u8 {
    match kind {
        "Function" => 0,
        "WebFunction" => 1,
        "StateMachine" => 2,
        "Api" | "HttpApi" | "WebSocketApi" => 3,
        "Connector" => 5,
        _ => 4,
    }
}

/// True for what SAM makes once for several resources.
fn is_shared(id: &str) -> bool {
    id.starts_with("Serverless") || id.starts_with("CodeDeploy") || id.starts_with("ApiGateway") || id.starts_with("RecordSet")
}

impl<'t> Expansion<'_, 't, '_> {
    /// The serverless resource that this is, if it is one.
    fn source(&self, order: usize, mut resource: Resource) -> Result<Source, Box<Resource>> {
        let id = resource.id.strip_prefix(self.evaluator.prefix).filter(|id| !id.contains('/')).map(str::to_owned);
        let kind = resource.type_name.as_str().strip_prefix(PREFIX).map(str::to_owned);
        let (Some(id), Some(kind)) = (id, kind) else { return Err(Box::new(resource)) };
        let at = self.evaluator.template.resource_names.get(&*id);
        let named = at.and_then(|at| self.evaluator.template.resources.get(*at));
        let written = named.map_or(Json::Null, |named| self.written(named, &kind));
        let props = Value::Map(std::mem::take(&mut resource.props));
        let spans = std::mem::take(&mut resource.spans);
        Ok(Source { id, kind, order, resource, props, spans, written })
    }

    fn written(&self, named: &Named<'_>, kind: &str) -> Json {
        let own = named.node.get("Properties").map_or_else(|| Json::Object(Default::default()), written::json_of);
        let own = written::with_locals(own, &|text| substitute(text, &named.locals));
        match self.evaluator.template.globals.and_then(|g| g.get(kind)) {
            Some(globals) if named.node.get("IgnoreGlobals").is_none() => written::merged(written::json_of(globals), own),
            _ => own,
        }
    }

    fn one(&mut self, source: &Source) {
        match source.kind.as_str() {
            "Function" => function::expand(self, source),
            "WebFunction" => web_function::expand(self, source),
            "StateMachine" => state_machine::expand(self, source),
            "Api" => api::expand(self, source),
            "HttpApi" => http_api::expand(self, source),
            "WebSocketApi" => websocket::expand(self, source),
            "SimpleTable" => simple::table(self, source),
            "LayerVersion" => simple::layer(self, source),
            "Application" => simple::application(self, source),
            "Connector" => connector::expand(self, source),
            "GraphQLApi" => graphql::expand(self, source),
            "CapacityProvider" => capacity::provider(self, source),
            "NetworkConnector" => capacity::network_connector(self, source),
            "MicrovmImage" => capacity::image(self, source),
            _ => {
                self.gap(source, None, GapReason::Unsupported, "what this type becomes is not known");
                let mut made = self.make(source, &source.id, source.resource.type_name.as_str());
                made.copy_all(source.props(), &source.props().entries().map(|(key, _)| key).collect::<Vec<_>>());
                self.add(made);
            }
        }
    }

    /// A resource that `source` becomes, without properties.
    fn make(&self, source: &Source, id: &str, type_name: &str) -> Made {
        let mut resource = source.resource.clone();
        resource.id = self.full(id);
        if let Ok(type_name) = TypeName::new(type_name) {
            resource.type_name = type_name;
        }
        resource.name = None;
        Made { resource, order: source.order }
    }

    /// The same, of something inside of `source`.
    fn make_at(&self, source: &Source, id: &str, type_name: &str, from: Part<'_>) -> Made {
        let mut made = self.make(source, id, type_name);
        made.resource.origin.span = from.span().or(made.resource.origin.span);
        made
    }

    /// Adds a resource. Of two with one id and type the later one counts; with different types the second is a gap.
    fn add(&mut self, mut made: Made) {
        if made.resource.name.is_none() {
            made.resource.name = super::resource::physical_name(&made.resource.type_name, &made.resource.props);
        }
        made.resource.spans.finish();
        let id = made.resource.id.clone();
        let at = self.places.get(&id).copied();
        match at.and_then(|at| self.made.get_mut(at)) {
            Some(earlier) if earlier.resource.type_name == made.resource.type_name => *earlier = made,
            Some(_) => {
                let gap = Gap::new(format!("resource `{id}`"), GapReason::Malformed, "SAM makes a resource of the same name");
                let origin = &made.resource.origin;
                self.evaluator.session.gap(gap.in_file(origin.file.clone().unwrap_or_default(), origin.span));
            }
            None => {
                self.places.insert(id, self.made.len());
                self.made.push(made);
            }
        }
    }

    /// A resource by its logical id.
    fn find(&self, id: &str) -> Option<&Resource> {
        let at = self.places.get(&self.full(id))?;
        self.made.get(*at).map(|made| &made.resource)
    }

    fn find_mut(&mut self, id: &str) -> Option<&mut Resource> {
        let at = self.places.get(&self.full(id))?;
        self.made.get_mut(*at).map(|made| &mut made.resource)
    }

    /// A gap for each reference to a resource that neither the template nor SAM makes.
    fn check_references(&self) {
        // What a resource that is left out in this world would have become is not known.
        let template = self.evaluator.template;
        let absent: Vec<&Text> = template.resource_names.keys().filter(|id| !self.stands(id)).collect();
        for (name, attr, span) in self.evaluator.awaited.take() {
            let link = Link { target: self.full(&name), attr };
            let made = self.places.contains_key(&link.target) || self.references.knows(&link);
            let excused = absent.iter().any(|id| name.starts_with(&***id)) || (!absent.is_empty() && is_shared(&name));
            // The hash in the id of a deployment is not SAM's.
            if !made && !excused && !name.contains("Deployment") {
                let what = format!("reference to `{name}`");
                self.evaluator.malformed(&what, "there is no such parameter or resource, and SAM makes none", span);
            }
        }
    }

    /// True if a resource of the template exists in this world, under whatever id.
    fn stands(&self, id: &str) -> bool {
        let full = self.full(id);
        self.places.contains_key(&full) || self.references.is_renamed(&full)
    }

    fn finish(mut self) -> (Vec<Resource>, References) {
        self.made.sort_by_key(|made| made.order);
        let mut resources: Vec<Resource> = self.made.into_iter().map(|made| made.resource).collect();
        if !self.references.is_empty() {
            resources.iter_mut().for_each(|resource| self.references.apply(&mut resource.props));
        }
        (resources, self.references)
    }

    /// The id in the snapshot of a logical id.
    fn full(&self, id: &str) -> Text {
        if self.evaluator.prefix.is_empty() { Text::from(id) } else { Text::from(format!("{}{id}", self.evaluator.prefix)) }
    }

    /// The logical id that a link leads to; what is written as text may be one too.
    fn logical_id<'v>(&self, value: &'v Value) -> Option<&'v str> {
        match value {
            Value::Link(link) => link.target.strip_prefix(self.evaluator.prefix),
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// What `Ref` gives for a logical id.
    fn refer(&self, id: &str) -> Value {
        Value::link(self.full(id), "")
    }

    fn attribute(&self, id: &str, attr: &str) -> Value {
        Value::link(self.full(id), attr)
    }

    fn pseudo(&self, name: &str) -> Value {
        self.evaluator.named(&Text::from(name), Span::default()).unwrap_or_default()
    }

    /// Text with `${...}` holes: `values` by name, and pseudo parameters.
    fn compose(&self, text: &str, values: &[(&str, &Value)]) -> Value {
        let mut pieces = Pieces::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            pieces.push_str(before);
            let (hole, behind) = after.split_once('}').unwrap_or((after, ""));
            let value = match values.iter().find(|(name, _)| *name == hole) {
                Some((_, value)) => (*value).clone(),
                None if hole.starts_with("AWS::") => self.pseudo(hole),
                None => match hole.split_once('.') {
                    Some((id, attr)) => self.attribute(id, attr),
                    None => self.refer(hole),
                },
            };
            if !pieces.push(value) {
                pieces.push(Value::unknown_present(Reason::Malformed, hole));
            }
            rest = behind;
        }
        pieces.push_str(rest);
        if !self.evaluator.session.spend(pieces.len(), &self.evaluator.template.file) {
            return Value::unknown_present(Reason::Unsupported, "more values than are read");
        }
        pieces.finish()
    }

    /// Counts so many copies of a value. False once the template comes to more values than are read.
    fn afford(&self, value: &Value, times: usize) -> bool {
        let bytes = part::count(value).saturating_mul(times).saturating_mul(BYTES_A_VALUE);
        self.evaluator.session.spend(bytes, &self.evaluator.template.file)
    }

    /// The ARN of one of AWS's managed policies; `path` is what stands behind `policy/`.
    fn managed_policy(&self, path: &str) -> Value {
        self.compose(&format!("arn:${{AWS::Partition}}:iam::aws:policy/{path}"), &[])
    }

    fn partition(&self) -> String {
        self.pseudo("AWS::Partition").as_str().unwrap_or("aws").to_owned()
    }

    /// A written property with references to parameters replaced.
    fn resolved(&self, written: &Json) -> Json {
        written::resolved(written, &|name| match self.evaluator.values.get(name) {
            Some(Value::Unknown(_)) => None,
            Some(value) => Some(value.clone()),
            None if matches!(name, "AWS::Region" | "AWS::Partition") => Some(self.pseudo(name)).filter(|v| v.as_str().is_some()),
            None => None,
        })
    }

    fn gap(&self, source: &Source, at: Option<Part<'_>>, reason: GapReason, detail: &str) {
        let gap = Gap::new(format!("serverless resource `{}`", source.id), reason, detail);
        let span = at.and_then(Part::span).or(source.resource.origin.span);
        self.evaluator.session.gap(gap.in_file(self.evaluator.template.file.clone(), span));
    }

    /// A gap for each property that is not among `known`.
    fn unknown_properties(&self, source: &Source, known: &[&[&str]]) {
        for (key, part) in source.props().entries() {
            if !known.iter().any(|keys| keys.contains(&key)) {
                let detail = format!("`{key}` is no property that SAM knows for it");
                self.gap(source, Some(part), GapReason::Unsupported, &detail);
            }
        }
    }

    /// The node of a resource of the template.
    fn node(&self, id: &str) -> Option<&'t Node> {
        let at = self.evaluator.template.resource_names.get(id)?;
        self.evaluator.template.resources.get(*at).map(|named| named.node)
    }
}

#[cfg(test)]
mod tests;
