//! CloudFormation templates, YAML or JSON, to resources as they will be deployed.
//!
//! Every intrinsic function is evaluated as far as the template and the given parameters allow; what is known only at deploy
//! time is a link to a resource or an unknown with its reason. Where parameters without value decide conditions, the
//! template is evaluated in each world that differs. Nested stacks whose templates lie beside the one that names them are
//! read with it.
//!
//! Absent on purpose: reading files (the caller hands over a function that finds a nested template), validating a template
//! against the resource schemas, and running macros.

pub(crate) mod accept;
mod condition;
mod evaluate;
mod function;
mod globals;
mod include;
mod nested;
mod parameters;
mod reference;
mod resource;
mod rule;
mod sam;
mod session;
mod template;
mod text;
mod transform;
mod world;

use model::{Gap, GapReason, Snapshot, SourceKind, Text};
use syntax::{Diagnostic, Document, Limits as TextLimits, parse_json, parse_yaml};

use crate::Limits;
use evaluate::Evaluator;
use session::Session;
use template::Template;

pub use parameters::Parameters;
pub use session::{Load, Loaded};

/// Reads a template. `file` is its name in findings; `load` finds the templates it nests.
///
/// A template with several worlds gives a scope for each; one that is the same in all gives one. What is not as it should
/// be is a gap, and the rest is read.
pub fn read(text: &str, file: &str, parameters: &Parameters, limits: &Limits, load: &Load<'_>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    match parse_text(text, &limits.text) {
        Ok(document) => read_document(&document, text, &mut snapshot, &Session::new(parameters, limits, load), file),
        Err(diagnostic) => snapshot.gaps.push(crate::gap_of(&diagnostic, "template", file)),
    }
    snapshot
}

fn read_document(document: &Document, text: &str, snapshot: &mut Snapshot, session: &Session<'_>, file: &str) {
    let name = Text::from(file);
    let note = |what: &str, reason, detail: String, span| Gap::new(what, reason, detail).in_file(name.clone(), Some(span)).note();
    for warning in &document.warnings {
        session.gap(note("template", GapReason::Malformed, warning.message.clone(), warning.span));
    }
    if let Some(span) = document.more {
        let detail = "only the first document of the file is read".to_owned();
        session.gap(note("second YAML document", GapReason::Unsupported, detail, span));
    }
    if document.root.get("Resources").is_none() {
        let gap = Gap::new("template", GapReason::Malformed, "has no `Resources`");
        session.gap(gap.in_file(name.clone(), Some(document.root.span)));
    }
    let whole = include::included(document, &name, session);
    let template = Template::new(whole.as_ref().unwrap_or(document), name.clone(), session);
    let comments = accept::comments(text);
    let worlds = world::worlds(session, &template);
    let mut group = None;
    for world in &worlds {
        let scope = match group {
            None => snapshot.add_scope(name.clone(), SourceKind::CloudFormation),
            Some(group) => snapshot.add_world(group, &*world.label),
        };
        if group.is_none()
            && let Some(first) = snapshot.scopes.last_mut()
        {
            first.world = Text::from(&*world.label);
        }
        group.get_or_insert(scope);
        let evaluator = Evaluator::new(session, &template, world, None, "");
        let (resources, _) = resource::all(&evaluator, &comments);
        snapshot.resources.extend(resources.into_iter().map(|mut resource| {
            resource.scope = scope;
            resource
        }));
    }
    snapshot.gaps.extend(session.take_gaps());
}

/// Parses a template: what starts like JSON is tried as JSON first, and as YAML if it is none, as AWS does.
pub(crate) fn parse_text(text: &str, limits: &TextLimits) -> Result<Document, Diagnostic> {
    if !text.trim_start_matches('\u{feff}').trim_start().starts_with(['{', '[']) {
        return parse_yaml(text, limits);
    }
    parse_json(text, limits).or_else(|error| parse_yaml(text, limits).map_err(|_| error))
}

#[cfg(test)]
mod tests;
