//! Any text as an expression and as a message, evaluated on any JSON properties, once as they are and once with some unknown:
//! nothing panics, nothing hangs, and less knowledge never gives the other answer.
//!
//! The first line is the source, the rest the properties.
#![no_main]

use std::sync::Arc;

use expr::{Env, Fields, Related, Signature, Type, Vocabulary, compile, compile_template};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use model::{Link, Map, Reason, Resource, ScopeIndex, Text, Truth, TypeName, Value};

struct World(Resource);

impl World {
    fn new(props: Map) -> World {
        let mut resource = Resource::new("Thing", TypeName::new("AWS::Test::Thing").unwrap(), ScopeIndex(0));
        resource.props = props;
        World(resource)
    }
}

impl Env for World {
    fn this(&self) -> &Resource {
        &self.0
    }

    fn related<'r>(&'r self, of: &'r Resource, _name: &str) -> Related<'r> {
        Related { items: vec![of], incomplete: None }
    }

    fn resolve<'r>(&'r self, link: &Link) -> Option<&'r Resource> {
        (*link.target == *self.0.id).then_some(&self.0)
    }

    fn fact(&self, _name: &str, args: &[Value]) -> Value {
        args.first().cloned().unwrap_or_default()
    }

    fn param(&self, _name: &str) -> Value {
        Value::Int(90)
    }

    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
}

fn names() -> Vocabulary {
    let fields = Fields { name: Text::from("AWS::Test::Thing"), open: true, ..Fields::default() };
    let fields = fields.with("I", Type::Int).with("S", Type::Str).with("L", Type::list(Type::Str)).with("P", Type::policy_document());
    let mut names = Vocabulary { resource: Arc::new(fields), ..Vocabulary::default() };
    names.relations.insert(Text::from("x"), Type::any_resource());
    names.facts.insert(Text::from("fact.x"), Signature::new(vec![Type::Any], Type::Any));
    names.params.insert(Text::from("x"), Type::Int);
    names
}

/// Every text that starts with `u` becomes unknown.
fn blurred(value: &Value) -> Value {
    match value {
        Value::Str(text) if text.starts_with('u') => Value::unknown(Reason::NotCollected, "u"),
        Value::List(items) => Value::List(items.iter().map(blurred).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), blurred(v))).collect()),
        plain => plain.clone(),
    }
}

fuzz_target!(|data: &str| {
    let (source, json) = data.split_once('\n').unwrap_or((data, "{}"));
    let props = serde_json::from_str(json).map(|json| model::from_json(&json)).unwrap_or_default();
    let (Value::Map(sharp), Value::Map(dull)) = (props.clone(), blurred(&props)) else { return };
    let (sharp, dull) = (World::new(sharp), World::new(dull));
    let names = names();
    if let Ok(template) = compile_template(source, &names) {
        template.render(&dull);
    }
    let Ok(program) = compile(source, &names) else { return };
    program.eval(&dull);
    let ((known, _), (open, reasons)) = (program.truth(&sharp), program.truth(&dull));
    assert!(open == Truth::Unknown || open == known, "{known:?} became {open:?}");
    assert_eq!(open == Truth::Unknown, !reasons.is_empty());
});
