//! The `[properties]` of a type file: flattened paths to a tree of types.

use std::collections::BTreeMap;
use std::sync::Arc;

use expr::{Fields, Type};

#[derive(Debug, Default)]
struct Node {
    leaf: Option<Type>,
    members: BTreeMap<String, Node>,
    items: Option<Box<Node>>,
}

/// The tree behind flattened paths. The error names the path that does not fit.
pub(crate) fn fields(type_name: &str, properties: &BTreeMap<String, String>) -> Result<Arc<Fields>, String> {
    let mut root = Node::default();
    for (path, written) in properties {
        let leaf = leaf(written).ok_or_else(|| {
            format!("`{path}`: `{written}` is not a type\n  help: string, int, number, bool, json, policy, timestamp, tags, list<..>, map<..>")
        })?;
        let mut node = &mut root;
        for step in steps(path) {
            node = match step {
                Step::Key("") => return Err(format!("`{path}` has an empty step")),
                Step::Key(key) => node.members.entry(key.to_owned()).or_default(),
                Step::Item => node.items.get_or_insert_default(),
            };
        }
        node.leaf = Some(leaf);
    }
    let mut all = Fields::new(type_name);
    for (name, node) in &root.members {
        all = all.with(name.as_str(), node.to_type(name)?);
    }
    Ok(Arc::new(all))
}

/// True if `path` (keys only) is a declared path or stands above one.
pub(crate) fn knows(properties: &BTreeMap<String, String>, path: &str) -> bool {
    properties.keys().any(|known| {
        let rest = known.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with('['))
    })
}

enum Step<'a> {
    Key(&'a str),
    Item,
}

fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split('.').flat_map(|part| {
        let key = part.trim_end_matches("[]");
        let items = (part.len() - key.len()) / 2;
        std::iter::once(Step::Key(key)).chain(std::iter::repeat_with(|| Step::Item).take(items))
    })
}

fn leaf(written: &str) -> Option<Type> {
    let inner = |outer: &str| written.strip_prefix(outer).and_then(|r| r.strip_prefix('<')).and_then(|r| r.strip_suffix('>'));
    Some(match written {
        "string" => Type::Str,
        "int" => Type::Int,
        "number" => Type::Dec,
        "bool" => Type::Bool,
        "json" => Type::Any,
        "policy" => Type::policy_document(),
        "timestamp" => Type::Timestamp,
        "tags" => Type::list(Type::Object(Arc::new(Fields::new("tag").with("Key", Type::Str).with("Value", Type::Str)))),
        _ => match (inner("list"), inner("map")) {
            (Some(item), _) => Type::list(leaf(item)?),
            (_, Some(value)) => Type::map(leaf(value)?),
            _ => return None,
        },
    })
}

impl Node {
    fn to_type(&self, name: &str) -> Result<Type, String> {
        match (&self.leaf, &self.items, self.members.is_empty()) {
            (Some(leaf), None, true) => Ok(leaf.clone()),
            (None, Some(item), true) => Ok(Type::list(item.to_type(name)?)),
            (None, None, false) => {
                let mut fields = Fields::new(name);
                for (name, node) in &self.members {
                    fields = fields.with(name.as_str(), node.to_type(name)?);
                }
                Ok(Type::Object(Arc::new(fields)))
            }
            _ => Err(format!("`{name}` is declared both as a whole and by its parts")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
        rows.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
    }

    #[test]
    fn paths_become_a_tree() {
        let fields =
            super::fields("T::T", &declared(&[("A.B[].C", "int"), ("A.D", "map<string>"), ("E[]", "string"), ("Tags", "tags")]))
                .unwrap();
        let Some(Type::Object(a)) = fields.member("A") else { panic!("A is an object") };
        assert!(matches!(a.member("B"), Some(Type::List(item)) if matches!(*item, Type::Object(_))));
        assert!(matches!(a.member("D"), Some(Type::Map(_))));
        assert!(matches!(fields.member("E"), Some(Type::List(item)) if *item == Type::Str));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        assert!(fields("T::T", &declared(&[("A", "strin")])).unwrap_err().contains("`strin`"));
        assert!(fields("T::T", &declared(&[("A", "string"), ("A.B", "int")])).unwrap_err().contains("`A`"));
        assert!(knows(&declared(&[("A.B[].C", "int")]), "A.B"));
        assert!(!knows(&declared(&[("A.Bx", "int")]), "A.B"));
    }
}
