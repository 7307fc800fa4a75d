//! Nested stacks whose templates lie beside the one that names them.

use std::rc::Rc;

use model::{Gap, GapReason, Map, Resource, Text, Value};
use syntax::Node;

use super::evaluate::{Evaluator, Place};
use super::include;
use super::session::Loaded;
use super::template::{Named, Template};
use super::world::World;

/// What a nested stack comes to.
pub(crate) struct Stack {
    /// Its resources, with ids below the stack's.
    pub(crate) resources: Vec<Resource>,
    /// What it puts out, by name.
    pub(crate) outputs: Map,
}

/// Where a resource type says which template it nests.
fn location(type_name: &str) -> Option<&'static str> {
    match type_name {
        "AWS::CloudFormation::Stack" => Some("TemplateURL"),
        "AWS::Serverless::Application" => Some("Location"),
        _ => None,
    }
}

impl<'t> Evaluator<'t, '_> {
    /// The nested stack that a resource is, if it is one and its template can be read.
    pub(crate) fn stack(&self, named: &Named<'t>) -> Option<Rc<Stack>> {
        let key = location(named.node.get("Type")?.as_str()?)?;
        if let Some(known) = self.nested.borrow().get(&named.name) {
            return known.clone();
        }
        // While it is being read it counts as not readable, so that a stack that feeds itself comes to an end.
        self.nested.borrow_mut().insert(named.name.clone(), None);
        let stack = self.load_stack(named, key).map(Rc::new);
        self.nested.borrow_mut().insert(named.name.clone(), stack.clone());
        stack
    }

    fn load_stack(&self, named: &Named<'t>, key: &str) -> Option<Stack> {
        let properties = named.node.get("Properties")?;
        let gap = |reason: GapReason, detail: String| {
            let gap = Gap::new(format!("nested stack `{}`", named.name), reason, detail);
            self.session.gap(gap.in_file(self.template.file.clone(), Some(named.span)));
        };
        let outer = self.locals.replace(named.locals.clone());
        let url = properties.get(key).and_then(|n| self.value(n, Place::nowhere()));
        let parameters = properties.get("Parameters").and_then(|n| self.value(n, Place::nowhere()));
        self.locals.replace(outer);
        // The CDK uploads the template; where it lies locally is in the metadata.
        let asset = named.node.get("Metadata").and_then(|n| n.get("aws:asset:path")).and_then(Node::as_str);
        let Some(place) = asset.or_else(|| url.as_ref().and_then(Value::as_str)) else {
            gap(GapReason::NotCollected, "where its template lies is known only at deploy time".to_owned());
            return None;
        };
        let Some(Loaded { file, text }) = (self.session.load)(&self.template.file, place) else {
            gap(GapReason::Missing, format!("its template `{place}` is not beside this one"));
            return None;
        };
        let levels = self.prefix.matches('/').count();
        if levels >= 8 || !self.session.nest() {
            gap(GapReason::Limit, format!("more than 8 levels or {} nested stacks", self.session.limits.nested_max));
            return None;
        }
        let given = match parameters {
            Some(Value::Map(map)) => map,
            _ => Map::new(),
        };
        let prefix = format!("{}{}/", self.prefix, named.name);
        match super::parse_text(&text, &self.session.limits.text) {
            Ok(document) => {
                let comments = super::accept::comments(&text);
                let file = Text::from(file);
                let document = include::included(&document, &file, self.session).unwrap_or(document);
                let template = Template::new(&document, file, self.session);
                let evaluator = Evaluator::new(self.session, &template, &World::default(), Some(&given), &prefix);
                let (resources, references) = super::resource::all(&evaluator, &comments);
                let mut outputs = evaluator.outputs();
                references.apply(&mut outputs);
                Some(Stack { resources, outputs })
            }
            Err(diagnostic) => {
                self.session.gap(crate::gap_of(&diagnostic, &format!("nested stack `{}`", named.name), &file));
                None
            }
        }
    }

    /// What the template puts out, by name.
    fn outputs(&self) -> Map {
        let mut outputs = Vec::new();
        for named in self.template.outputs.values() {
            let outer = self.locals.replace(named.locals.clone());
            if let Some(value) = named.node.get("Value").and_then(|n| self.quiet(n)) {
                outputs.push((named.name.clone(), value));
            }
            self.locals.replace(outer);
        }
        outputs.into_iter().collect()
    }
}
