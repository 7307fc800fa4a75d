//! A template's sections, found but not yet evaluated.

use std::collections::BTreeMap;

use model::{Gap, GapReason, Span, Text};
use syntax::{Document, Entry, Kind, Node, Typed};

use super::function::{Function, application};
use super::session::Session;
use super::transform::SERVERLESS;

/// Values that the loop variables around something have.
pub(crate) type Locals = Vec<(Text, Text)>;

/// One declared parameter.
pub(crate) struct Declared<'t> {
    pub(crate) kind: &'t str,
    pub(crate) default: Option<&'t Node>,
    /// The values it may have, if the template says so.
    pub(crate) allowed: Vec<Text>,
    /// True if the empty text is a possible value.
    pub(crate) may_be_empty: bool,
}

/// Something that has a name in a section, and the loop variables it stands under.
pub(crate) struct Named<'t> {
    pub(crate) name: Text,
    pub(crate) node: &'t Node,
    /// From the name to the end.
    pub(crate) span: Span,
    pub(crate) locals: Locals,
}

/// A template's sections.
pub(crate) struct Template<'t> {
    pub(crate) file: Text,
    pub(crate) parameters: BTreeMap<&'t str, Declared<'t>>,
    pub(crate) mappings: BTreeMap<&'t str, &'t Node>,
    pub(crate) conditions: BTreeMap<Text, Named<'t>>,
    pub(crate) resources: Vec<Named<'t>>,
    pub(crate) resource_names: BTreeMap<Text, usize>,
    pub(crate) outputs: BTreeMap<Text, Named<'t>>,
    /// What the parameters are held to.
    pub(crate) rules: Vec<&'t Node>,
    pub(crate) transforms: Vec<(Text, Span)>,
    /// SAM's `Globals`, if SAM is among the transforms.
    pub(crate) globals: Option<&'t Node>,
}

impl<'t> Template<'t> {
    /// Finds the sections. What is not as it should be is a gap; the rest is still found.
    pub(crate) fn new(document: &'t Document, file: Text, session: &Session<'_>) -> Template<'t> {
        let root = &document.root;
        let mut template = Template {
            file,
            parameters: BTreeMap::new(),
            mappings: BTreeMap::new(),
            conditions: BTreeMap::new(),
            resources: Vec::new(),
            resource_names: BTreeMap::new(),
            outputs: BTreeMap::new(),
            rules: Vec::new(),
            transforms: transforms(root),
            globals: None,
        };
        if template.transforms.iter().any(|(name, _)| &**name == SERVERLESS) {
            template.globals = root.get("Globals");
        }
        let mut loops = Loops { session, file: template.file.clone(), items: 0 };
        for entry in section(root, "Parameters", &mut loops) {
            template.parameters.insert(&entry.key, declared(&entry.node));
        }
        for entry in section(root, "Mappings", &mut loops) {
            template.mappings.insert(&entry.key, &entry.node);
        }
        template.rules = section(root, "Rules", &mut loops).iter().map(|entry| &entry.node).collect();
        for named in loops.section(root, "Conditions", &template) {
            template.conditions.insert(named.name.clone(), named);
        }
        for named in loops.section(root, "Resources", &template) {
            match template.resource_names.get(&named.name).and_then(|at| template.resources.get_mut(*at)) {
                // The later of two with the same name counts.
                Some(earlier) => *earlier = named,
                None => {
                    template.resource_names.insert(named.name.clone(), template.resources.len());
                    template.resources.push(named);
                }
            }
        }
        for named in loops.section(root, "Outputs", &template) {
            template.outputs.insert(named.name.clone(), named);
        }
        template
    }
}

/// The entries of a section; a gap if it is no mapping.
fn section<'t>(root: &'t Node, name: &str, loops: &mut Loops<'_, '_>) -> &'t [Entry] {
    match root.entry(name).map(|e| (e, &e.node.kind)) {
        Some((_, Kind::Map(entries))) => entries,
        None => &[],
        Some((entry, _)) if entry.node.is_null() && name != "Resources" => &[],
        Some((entry, _)) => {
            loops.gap(&format!("`{name}`"), format!("must be a mapping, is {}", entry.node.words()), entry.span());
            &[]
        }
    }
}

fn transforms(root: &Node) -> Vec<(Text, Span)> {
    let name = |node: &Node| {
        let text = node.text().or_else(|| node.get("Name").and_then(Node::text))?;
        Some((text.clone(), node.span))
    };
    match root.get("Transform").map(|n| (n, &n.kind)) {
        Some((_, Kind::Seq(items))) => items.iter().filter_map(name).collect(),
        Some((node, _)) => name(node).into_iter().collect(),
        None => Vec::new(),
    }
}

fn declared(node: &Node) -> Declared<'_> {
    let kind = node.get("Type").and_then(Node::as_str).unwrap_or("String");
    let allowed = node.get("AllowedValues").and_then(Node::as_seq).unwrap_or_default();
    let minimum = node.get("MinLength").and_then(|n| n.text()?.parse::<u64>().ok()).unwrap_or(0);
    Declared {
        kind,
        default: node.get("Default").filter(|n| !n.is_null()),
        allowed: allowed.iter().filter_map(|n| n.text().cloned()).collect(),
        may_be_empty: minimum == 0 && !kind.starts_with("AWS::") && kind != "Number",
    }
}

/// Unrolls `Fn::ForEach`.
struct Loops<'g, 's> {
    session: &'g Session<'s>,
    file: Text,
    items: usize,
}

impl<'g> Loops<'g, '_> {
    fn section<'t>(&mut self, root: &'t Node, name: &str, template: &Template<'t>) -> Vec<Named<'t>> {
        let mut all = Vec::new();
        let entries = section(root, name, self);
        self.unroll(entries, &Vec::new(), template, &mut all);
        all
    }

    fn unroll<'t>(&mut self, entries: &'t [Entry], locals: &Locals, template: &Template<'t>, all: &mut Vec<Named<'t>>) {
        for entry in entries {
            if entry.key.starts_with("Fn::ForEach::") {
                self.each(entry, locals, template, all);
            } else {
                let name = substitute(&entry.key, locals).unwrap_or_else(|| entry.key.clone());
                all.push(Named { name, node: &entry.node, span: entry.span(), locals: locals.clone() });
            }
        }
    }

    fn each<'t>(&mut self, entry: &'t Entry, locals: &Locals, template: &Template<'t>, all: &mut Vec<Named<'t>>) {
        let what = format!("`{}`", entry.key);
        let Some((variable, collection, body)) = parts(&entry.node) else {
            return self.gap(&what, "must be a list of a name, a collection and a mapping".to_owned(), entry.span());
        };
        let Some(items) = self.collection(collection, locals, template) else {
            return self.gap(&what, "its collection is not known".to_owned(), collection.span);
        };
        for item in items {
            self.items += 1;
            let max = self.session.limits.loop_items_max;
            if self.items > max {
                if self.items == max + 1 {
                    let detail = format!("the loops come to more than {max} items");
                    let gap = Gap::new(&what, GapReason::Limit, detail).help("the limit is `loop_items_max`");
                    self.session.gap(gap.in_file(self.file.clone(), Some(entry.span())));
                }
                return;
            }
            let mut inner = locals.clone();
            inner.push((variable.clone(), item));
            self.unroll(body, &inner, template, all);
        }
    }

    /// The items of a loop: written out, a list parameter's value, or found in a mapping. Text is a list of one.
    fn collection(&self, node: &Node, locals: &Locals, template: &Template<'_>) -> Option<Vec<Text>> {
        let split = |text: &str| text.split(',').map(|s| Text::from(s.trim())).collect();
        if let (None, Some(text)) = (&node.tag, node.text()) {
            return Some(vec![substitute(text, locals).unwrap_or_else(|| text.clone())]);
        }
        if let (None, Some(items)) = (&node.tag, node.as_seq()) {
            let all: Option<Vec<Vec<Text>>> = items.iter().map(|n| self.collection(n, locals, template)).collect();
            return all.map(|lists| lists.concat());
        }
        let (function, arg) = application(node)?;
        if function == Function::FindInMap {
            let [map, first, second, ..] = arg.list()? else { return None };
            let key = |node: &Node| self.collection(node, locals, template)?.into_iter().next();
            let map = template.mappings.get(&*key(map)?)?;
            let found = lookup(lookup(map, key(first))?, key(second))?;
            return self.collection(found, locals, template);
        }
        let name = arg.text().filter(|_| function == Function::Ref)?;
        if let Some((_, value)) = locals.iter().rev().find(|(variable, _)| variable == name) {
            return Some(vec![value.clone()]);
        }
        let declared = template.parameters.get(&**name)?;
        match (self.session.parameters.get(name), declared.default) {
            (Some(given), _) => Some(split(given)),
            (None, Some(default)) => default.text().map(|t| split(t)),
            (None, None) => None,
        }
    }

    fn gap(&self, what: &str, detail: String, span: Span) {
        self.session.gap(Gap::new(what, GapReason::Malformed, detail).in_file(self.file.clone(), Some(span)));
    }
}

/// What a mapping has under a key; with a key that is not known, what it has if that is only one thing.
fn lookup(map: &Node, key: Option<Text>) -> Option<&Node> {
    match (key, map.as_map()?) {
        (Some(key), _) => map.get(&key),
        (None, [only]) => Some(&only.node),
        _ => None,
    }
}

/// The three parts of a loop.
fn parts(node: &Node) -> Option<(&Text, &Node, &[Entry])> {
    match node.as_seq()? {
        [variable, collection, body] => Some((variable.text()?, collection, body.as_map()?)),
        _ => None,
    }
}

/// A loop written among the entries of a mapping inside a resource: its collection.
pub(crate) fn inner_collection(entry: &Entry) -> Option<&Node> {
    parts(&entry.node).map(|(_, collection, _)| collection)
}

/// The same loop, unrolled for these items: (key, entry, variables).
pub(crate) fn inner_loop<'t>(entry: &'t Entry, items: &[Text], locals: &Locals) -> Option<Vec<(Text, &'t Entry, Locals)>> {
    let (variable, _, body) = parts(&entry.node)?;
    let mut all = Vec::new();
    for item in items {
        let mut inner = locals.clone();
        inner.push((variable.clone(), item.clone()));
        for entry in body {
            all.push((substitute(&entry.key, &inner).unwrap_or_else(|| entry.key.clone()), entry, inner.clone()));
        }
    }
    Some(all)
}

/// The text with `${Variable}` and `&{Variable}` replaced; `None` if there is nothing to replace.
pub(crate) fn substitute(text: &str, locals: &Locals) -> Option<Text> {
    if locals.is_empty() || !text.contains('{') {
        return None;
    }
    let mut out = text.to_owned();
    for (name, value) in locals {
        for mark in ['$', '&'] {
            let hole = format!("{mark}{{{name}}}");
            if out.contains(&hole) {
                out = out.replace(&hole, value);
            }
        }
    }
    (out != text).then(|| Text::from(out))
}

/// True for a scalar that says nothing.
pub(crate) fn is_blank(node: &Node) -> bool {
    node.as_scalar().is_some_and(|s| s.typed == Typed::Null)
}
