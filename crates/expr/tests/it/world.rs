//! A small world to evaluate in, read from the case files' header lines.

use std::collections::BTreeMap;
use std::sync::Arc;

use expr::{Env, Fields, Related, Signature, Type, Vocabulary};
use jiff::Timestamp;
use model::{Link, Map, Reason, Resource, ScopeIndex, Text, TypeName, Unknown, Value};

/// Resources, relations and parameters. The first resource is the one that the check is about.
pub(crate) struct World {
    pub(crate) names: Vocabulary,
    pub(crate) resources: Vec<Resource>,
    pub(crate) relations: BTreeMap<String, (Vec<usize>, Option<Unknown>)>,
    pub(crate) params: BTreeMap<String, Value>,
}

impl Default for World {
    fn default() -> World {
        let mut world = World {
            names: Vocabulary {
                resource: Arc::new(Fields { name: Text::from("AWS::Test::Thing"), members: BTreeMap::new(), open: true }),
                ..Vocabulary::default()
            },
            resources: Vec::new(),
            relations: BTreeMap::new(),
            params: BTreeMap::new(),
        };
        world.add("Thing", Map::new());
        let facts = &mut world.names.facts;
        facts.insert(Text::from("fact.echo"), Signature::new(vec![Type::Any], Type::Any));
        facts.insert(Text::from("fact.denied"), Signature::new(vec![], Type::Bool));
        facts.insert(Text::from("net.open"), Signature::new(vec![Type::Int], Type::Bool));
        world
    }
}

impl World {
    pub(crate) fn add(&mut self, id: &str, props: Map) -> usize {
        let mut resource = Resource::new(id, TypeName::new("AWS::Test::Thing").unwrap(), ScopeIndex(0));
        resource.name = Some(Text::from(id.to_lowercase()));
        resource.props = props;
        self.resources.push(resource);
        self.resources.len() - 1
    }

    pub(crate) fn set_props(&mut self, props: Map) {
        self.resources[0].props = props;
    }

    /// Reads one header line: `given {..}`, `type Name kind`, `param name value`, `related name [{..}, ..] [incomplete]`,
    /// `resource Id {props} {attrs}`.
    pub(crate) fn header(&mut self, word: &str, rest: &str) {
        match word {
            "given" => self.set_props(map(rest)),
            "type" => {
                let (name, kind) = rest.split_once(' ').unwrap();
                let mut fields = (*self.names.resource).clone();
                fields.members.insert(Text::from(name), kind_of(kind.trim()));
                self.names.resource = Arc::new(fields);
            }
            "closed" => {
                let mut fields = (*self.names.resource).clone();
                fields.open = false;
                self.names.resource = Arc::new(fields);
            }
            "param" => {
                let (name, value) = rest.split_once(' ').unwrap();
                let value = value_of(&serde_json::from_str(value).unwrap());
                let of = match value {
                    Value::Int(_) => Type::Int,
                    Value::List(_) => Type::list(Type::Str),
                    _ => Type::Any,
                };
                self.names.params.insert(Text::from(name), of);
                self.params.insert(name.to_owned(), value);
            }
            "related" => {
                let (name, list) = rest.split_once(' ').unwrap();
                let (list, incomplete) = match list.strip_suffix(" incomplete") {
                    Some(list) => (list, true),
                    None => (list, false),
                };
                let Value::List(items) = value_of(&serde_json::from_str(list).unwrap()) else { panic!("not a list: {list}") };
                let indices = items
                    .into_iter()
                    .enumerate()
                    .map(|(i, props)| match props {
                        Value::Map(props) => self.add(&format!("{name}{i}"), props),
                        other => panic!("not properties: {other:?}"),
                    })
                    .collect();
                let gap = incomplete.then(|| Unknown { reason: Reason::AccessDenied, what: Text::from(name), present: false });
                self.names.relations.insert(Text::from(name), Type::any_resource());
                self.relations.insert(name.to_owned(), (indices, gap));
            }
            "resource" => {
                let (id, rest) = rest.split_once(' ').unwrap();
                let mut both = serde_json::Deserializer::from_str(rest).into_iter::<serde_json::Value>();
                let mut next = || map(&both.next().unwrap().unwrap().to_string());
                let index = self.add(id, next());
                self.resources[index].attrs = next();
            }
            other => panic!("no such header: {other}"),
        }
    }
}

impl Env for World {
    fn this(&self) -> &Resource {
        &self.resources[0]
    }

    fn related<'r>(&'r self, _of: &'r Resource, name: &str) -> Related<'r> {
        let (indices, incomplete) = &self.relations[name];
        Related { items: indices.iter().map(|i| &self.resources[*i]).collect(), incomplete: incomplete.clone() }
    }

    fn resolve<'r>(&'r self, link: &Link) -> Option<&'r Resource> {
        self.resources.iter().find(|r| r.id == link.target)
    }

    fn fact(&self, name: &str, args: &[Value]) -> Value {
        match name {
            "fact.echo" => args[0].clone(),
            "net.open" => Value::Bool(args[0] == Value::Int(22)),
            _ => Value::unknown(Reason::AccessDenied, name),
        }
    }

    fn param(&self, name: &str) -> Value {
        self.params[name].clone()
    }

    fn now(&self) -> Timestamp {
        "2026-06-30T12:00:00Z".parse().unwrap()
    }
}

/// A type in words: `int`, `list<str>`, `map<any>`, `policy`, `{A:int,B:list<str>}`.
fn kind_of(kind: &str) -> Type {
    if let Some(inner) = kind.strip_prefix("list<").and_then(|k| k.strip_suffix('>')) {
        return Type::list(kind_of(inner));
    }
    if let Some(inner) = kind.strip_prefix("map<").and_then(|k| k.strip_suffix('>')) {
        return Type::map(kind_of(inner));
    }
    if let Some(inner) = kind.strip_prefix('{').and_then(|k| k.strip_suffix('}')) {
        let fields = inner.split(',').fold(Fields::new("object"), |fields, member| {
            let (name, kind) = member.split_once(':').unwrap();
            fields.with(name.trim(), kind_of(kind.trim()))
        });
        return Type::Object(Arc::new(fields));
    }
    match kind {
        "any" => Type::Any,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "dec" => Type::Dec,
        "str" => Type::Str,
        "time" => Type::Timestamp,
        "duration" => Type::Duration,
        "policy" => Type::policy_document(),
        other => panic!("no such type: {other}"),
    }
}

fn map(json: &str) -> Map {
    match value_of(&serde_json::from_str(json).unwrap_or_else(|e| panic!("{json}: {e}"))) {
        Value::Map(map) => map,
        other => panic!("not a map: {other:?}"),
    }
}

/// JSON with markers: `{"$unknown": "what"}`, `{"$present": "what"}`, `{"$link": "Id.Attr"}`, `{"$mixed": [..]}`,
/// `{"$dynamic": "what"}`.
pub(crate) fn value_of(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    let Json::Object(object) = json else {
        return match json {
            Json::Array(items) => Value::List(items.iter().map(value_of).collect()),
            plain => model::from_json(plain),
        };
    };
    let marker = object.iter().next().filter(|(key, _)| key.starts_with('$') && object.len() == 1);
    match marker.map(|(key, value)| (key.as_str(), value)) {
        Some(("$unknown", what)) => Value::unknown(Reason::NotCollected, what.as_str().unwrap()),
        Some(("$present", what)) => Value::unknown_present(Reason::NotCollected, what.as_str().unwrap()),
        Some(("$dynamic", what)) => Value::unknown_present(Reason::DynamicReference, what.as_str().unwrap()),
        Some(("$link", text)) => {
            let text = text.as_str().unwrap();
            let (target, attr) = text.split_once('.').unwrap_or((text, ""));
            Value::link(target, attr)
        }
        Some(("$mixed", pieces)) => Value::Mixed(pieces.as_array().unwrap().iter().map(value_of).collect()),
        Some((other, _)) => panic!("no such marker: {other}"),
        None => Value::Map(object.iter().map(|(k, v)| (Text::from(k.as_str()), value_of(v))).collect()),
    }
}
