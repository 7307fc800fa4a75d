//! `AWS::Include` as a transform of a whole template, where the file lies beside it.
//!
//! What the file holds is put into the sections of the template; a section or name that the template has itself stays. Its
//! places are that of the transform, because findings name one file. Source: the page of the `AWS::Include` transform.

use model::{Span, Text};
use syntax::{Document, Entry, Kind, Node};

use super::session::Session;

/// Files that one template may include as a whole.
const FILES_MAX: usize = 20;

/// The template with its included files in it; `None` if it includes none that can be read. What cannot be included stays
/// among the transforms, where it is told.
pub(crate) fn included(document: &Document, file: &Text, session: &Session<'_>) -> Option<Document> {
    let transform = document.root.get("Transform")?;
    let listed = match &transform.kind {
        Kind::Seq(items) => items,
        _ => std::slice::from_ref(transform),
    };
    let mut whole = document.clone();
    let mut left: Vec<Node> = Vec::new();
    for item in listed {
        match text_of(item, file, session).filter(|_| listed.len() - left.len() <= FILES_MAX) {
            Some(included) => merge(&mut whole.root, included.root, item.span),
            None => left.push(item.clone()),
        }
    }
    if left.len() == listed.len() {
        return None;
    }
    if let Kind::Map(entries) = &mut whole.root.kind {
        for entry in entries.iter_mut().filter(|e| &*e.key == "Transform") {
            entry.node.kind = Kind::Seq(std::mem::take(&mut left).into());
        }
    }
    Some(whole)
}

/// The file that a transform names by a literal path beside the template.
fn text_of(item: &Node, file: &Text, session: &Session<'_>) -> Option<Document> {
    if item.get("Name").and_then(Node::as_str) != Some("AWS::Include") {
        return None;
    }
    let location = item.get("Parameters")?.get("Location").filter(|n| n.tag.is_none())?.as_str()?;
    let loaded = (session.load)(file, location).filter(|_| session.nest())?;
    match super::parse_text(&loaded.text, &session.limits.text) {
        Ok(document) if document.root.as_map().is_some() => Some(document),
        Ok(_) => None,
        Err(diagnostic) => {
            session.gap(crate::gap_of(&diagnostic, "included file", &loaded.file));
            None
        }
    }
}

fn merge(root: &mut Node, included: Node, place: Span) {
    let (Kind::Map(sections), Kind::Map(more)) = (&mut root.kind, included.kind) else { return };
    let mut all = std::mem::take(sections).into_vec();
    for mut section in more {
        section.key_span = place;
        set_place(&mut section.node, place);
        match all.iter_mut().find(|own| own.key == section.key) {
            None => all.push(section),
            Some(Entry { node: Node { kind: Kind::Map(own), .. }, .. }) => {
                let Kind::Map(entries) = section.node.kind else { continue };
                let mut names = std::mem::take(own).into_vec();
                for entry in entries {
                    if names.iter().all(|name| name.key != entry.key) {
                        names.push(entry);
                    }
                }
                *own = names.into();
            }
            Some(_) => {}
        }
    }
    *sections = all.into();
}

/// The parser bounds the nesting.
fn set_place(node: &mut Node, place: Span) {
    node.span = place;
    match &mut node.kind {
        Kind::Seq(items) => items.iter_mut().for_each(|item| set_place(item, place)),
        Kind::Map(entries) => entries.iter_mut().for_each(|entry| {
            entry.key_span = place;
            set_place(&mut entry.node, place);
        }),
        Kind::Scalar(_) => {}
    }
}
