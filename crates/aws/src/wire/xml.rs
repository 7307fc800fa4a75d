//! XML answers by shape. Which element is a list, a number or a truth value only the shape can tell.

use model::{Map, Text, Value};
use roxmltree::{Document, Node, ParsingOptions};

use super::{DEPTH_MAX, scalar};
use crate::facts::{ListShape, MapShape, MemberShape, ObjectShape, Service, Shape, ShapeIndex};

/// The most elements and texts of one answer.
const NODES_MAX: u32 = 5_000_000;

/// Parses the text and reads its root.
pub(super) fn decode<T>(text: &str, read: impl FnOnce(Node<'_, '_>) -> Result<T, String>) -> Result<T, String> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|e| format!("the answer is not XML: {e}"))?;
    let root = document.root_element();
    if root.tag_name().name().eq_ignore_ascii_case("html") {
        return Err("the answer is a web page".to_owned());
    }
    read(root)
}

/// The output object inside the root, or inside the element that wraps it.
pub(super) fn wrapped(service: &Service, shape: ShapeIndex, root: Node<'_, '_>, wrapper: Option<&str>) -> Result<Value, String> {
    match wrapper {
        None => value(service, shape, root, 0),
        Some(name) => match children(root).find(|c| c.tag_name().name() == name) {
            Some(inner) => value(service, shape, inner, 0),
            None => Err(format!("the answer has no `{name}`")),
        },
    }
}

/// The value of a shape.
pub(super) fn value(service: &Service, shape: ShapeIndex, node: Node<'_, '_>, depth: usize) -> Result<Value, String> {
    if depth > DEPTH_MAX {
        return Err(format!("the answer nests deeper than {DEPTH_MAX}"));
    }
    match service.shape(shape) {
        Shape::Object(shape) => object(service, shape, node, depth),
        Shape::List(shape) => {
            let name = shape.name.as_deref();
            list(service, shape, children(node).filter(|c| name.is_none_or(|n| c.tag_name().name() == n)), depth)
        }
        Shape::Map(shape) => map(service, shape, children(node), depth),
        shape => Ok(scalar(shape, node.text().unwrap_or_default())),
    }
}

fn object(service: &Service, shape: &ObjectShape, node: Node<'_, '_>, depth: usize) -> Result<Value, String> {
    let mut out: Vec<(Text, Value)> = Vec::new();
    for (name, member) in &shape.members {
        if let Some(value) = member_value(service, name, member, node, depth)? {
            out.push((name.clone(), value));
        }
    }
    Ok(Value::Map(out.into_iter().collect()))
}

fn member_value(
    service: &Service,
    name: &str,
    member: &MemberShape,
    node: Node<'_, '_>,
    depth: usize,
) -> Result<Option<Value>, String> {
    if member.location.is_some() {
        return Ok(None);
    }
    let wire = member.name.as_deref().unwrap_or(name);
    if member.attribute {
        let local = wire.rsplit(':').next().unwrap_or(wire);
        let found = node.attributes().find(|a| a.name() == local);
        return Ok(found.map(|a| scalar(service.shape(member.shape), a.value())));
    }
    match service.shape(member.shape) {
        Shape::List(shape) if shape.flattened || member.flattened => {
            let wire = shape.name.as_deref().filter(|_| member.name.is_none()).unwrap_or(wire);
            let mut found = named(node, wire).peekable();
            if found.peek().is_none() {
                return Ok(None);
            }
            list(service, shape, found, depth + 1).map(Some)
        }
        Shape::Map(shape) if shape.flattened || member.flattened => {
            let mut found = named(node, wire).peekable();
            if found.peek().is_none() {
                return Ok(None);
            }
            map(service, shape, found, depth + 1).map(Some)
        }
        _ => match named(node, wire).next() {
            Some(found) => value(service, member.shape, found, depth + 1).map(Some),
            None => Ok(None),
        },
    }
}

fn list<'a, 'b: 'a>(
    service: &Service,
    shape: &ListShape,
    items: impl Iterator<Item = Node<'a, 'b>>,
    depth: usize,
) -> Result<Value, String> {
    items.map(|item| value(service, shape.member, item, depth + 1)).collect::<Result<_, _>>().map(Value::List)
}

fn map<'a, 'b: 'a>(
    service: &Service,
    shape: &MapShape,
    entries: impl Iterator<Item = Node<'a, 'b>>,
    depth: usize,
) -> Result<Value, String> {
    let mut out = Map::new();
    for entry in entries {
        let of = |name: &str| named(entry, name).next();
        let Some(key) = of(shape.key_name.as_deref().unwrap_or("key")) else { continue };
        let found = match of(shape.value_name.as_deref().unwrap_or("value")) {
            Some(node) => value(service, shape.value, node, depth + 1)?,
            None => Value::Null,
        };
        out.insert(key.text().unwrap_or_default(), found);
    }
    Ok(Value::Map(out))
}

pub(super) fn children<'a, 'b: 'a>(node: Node<'a, 'b>) -> impl Iterator<Item = Node<'a, 'b>> {
    node.children().filter(Node::is_element)
}

fn named<'a, 'b: 'a>(node: Node<'a, 'b>, name: &str) -> impl Iterator<Item = Node<'a, 'b>> {
    children(node).filter(move |c| c.tag_name().name() == name)
}
