//! JSON into a tree that borrows its text, with the parts that are not needed left out while reading.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A JSON value. Members are in key order; of two with the same key the later one stays.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Dec(f64),
    Str(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Node<'a> {
    pub(crate) fn get(&self, key: &str) -> Option<&Node<'a>> {
        let Node::Map(members) = self else { return None };
        let at = members.binary_search_by(|(k, _)| (**k).cmp(key)).ok()?;
        members.get(at).map(|(_, v)| v)
    }

    /// The member at a chain of keys.
    pub(crate) fn at(&self, keys: &[&str]) -> Option<&Node<'a>> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    pub(crate) fn str(&self) -> Option<&str> {
        match self {
            Node::Str(s) => Some(s),
            _ => None,
        }
    }

    pub(crate) fn int(&self) -> Option<i64> {
        match self {
            Node::Int(n) => Some(*n),
            _ => None,
        }
    }

    pub(crate) fn is_true(&self) -> bool {
        matches!(self, Node::Bool(true))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Node::Null)
    }

    /// The items; none if this is not a list.
    pub(crate) fn list(&self) -> &[Node<'a>] {
        match self {
            Node::List(items) => items,
            _ => &[],
        }
    }

    /// The members; none if this is not a map.
    pub(crate) fn map(&self) -> &[(Cow<'a, str>, Node<'a>)] {
        match self {
            Node::Map(members) => members,
            _ => &[],
        }
    }

    /// The text of the member `key`; empty if there is none.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.get(key).and_then(Node::str).unwrap_or_default()
    }
}

/// Reads a text. `skip` says of a member by the number of objects around it (0: a member of the root) and its key whether to
/// leave it out. Nesting beyond 128 is an error, which is the JSON reader's own limit.
pub(crate) fn parse<'a>(text: &'a str, skip: fn(usize, &str) -> bool) -> Result<Node<'a>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let node = Seed { depth: 0, skip }.deserialize(&mut reader)?;
    reader.end()?;
    Ok(node)
}

#[derive(Clone, Copy)]
struct Seed {
    depth: usize,
    skip: fn(usize, &str) -> bool,
}

impl<'de> DeserializeSeed<'de> for Seed {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, b: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(b))
    }

    fn visit_i64<E: Error>(self, n: i64) -> Result<Node<'de>, E> {
        Ok(Node::Int(n))
    }

    fn visit_u64<E: Error>(self, n: u64) -> Result<Node<'de>, E> {
        Ok(i64::try_from(n).map_or(Node::Dec(n as f64), Node::Int))
    }

    fn visit_f64<E: Error>(self, d: f64) -> Result<Node<'de>, E> {
        Ok(Node::Dec(d))
    }

    fn visit_borrowed_str<E: Error>(self, s: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Str(Cow::Borrowed(s)))
    }

    fn visit_str<E: Error>(self, s: &str) -> Result<Node<'de>, E> {
        Ok(Node::Str(Cow::Owned(s.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        items.shrink_to_fit();
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Node<'de>)> = Vec::new();
        let inner = Seed { depth: self.depth + 1, ..self };
        while let Some(key) = map.next_key_seed(Key)? {
            if (self.skip)(self.depth, &key) {
                map.next_value::<IgnoredAny>()?;
            } else {
                members.push((key, map.next_value_seed(inner)?));
            }
        }
        // Terraform writes keys in order; then this costs one pass.
        members.sort_by(|a, b| a.0.cmp(&b.0));
        members.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        members.shrink_to_fit();
        Ok(Node::Map(members))
    }
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: Error>(self, s: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(s))
    }

    fn visit_str<E: Error>(self, s: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(s.to_owned()))
    }
}

/// The node as a value.
pub(crate) fn to_value(node: &Node<'_>) -> model::Value {
    use model::Value;
    match node {
        Node::Null => Value::Null,
        Node::Bool(b) => Value::Bool(*b),
        Node::Int(n) => Value::Int(*n),
        Node::Dec(d) => Value::Dec(*d),
        Node::Str(s) => Value::text(s),
        Node::List(items) => Value::List(items.iter().map(to_value).collect()),
        Node::Map(members) => {
            Value::Map(members.iter().map(|(k, v)| (model::Text::from(&**k), to_value(v))).collect::<model::Map>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_out_and_keeps_the_later() {
        let skip = |depth: usize, key: &str| depth == 1 && key == "before";
        let node = parse(r#"{"a":{"before":[1],"b":1,"b":2},"before":true}"#, skip).unwrap();
        assert_eq!(node.at(&["a", "b"]), Some(&Node::Int(2)));
        assert_eq!(node.at(&["a", "before"]), None);
        assert!(node.get("before").unwrap().is_true());
    }

    #[test]
    fn deep_nesting_is_an_error() {
        let deep = "[".repeat(10_000);
        assert!(parse(&deep, |_, _| false).is_err());
    }
}
