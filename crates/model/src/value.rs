//! Property values, with the two things plain JSON lacks: a reference to another resource, and "we don't know".

use std::sync::Arc;

/// Shared immutable text. Cloning is a counter increment.
pub type Text = Arc<str>;

/// The value of a property.
///
/// `Null` means AWS says (or the template means) that it isn't set. `Unknown` means that we could not know. They are never
/// exchanged for one another.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Not set.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Dec(f64),
    /// Text.
    Str(Text),
    /// An ordered list.
    List(Vec<Value>),
    /// Named members, in key order.
    Map(Map),
    /// A reference to (an attribute of) another resource of the same scope; its concrete value exists only after deploy.
    Link(Box<Link>),
    /// Text of which some pieces are known (`Str`) and others are `Link` or `Unknown`: `arn:aws:s3:::${Bucket}/*`.
    Mixed(Vec<Value>),
    /// Not known, with the reason.
    Unknown(Box<Unknown>),
}

/// A reference from one resource to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Link {
    /// The `id` of the target resource, looked up within the scope of the resource that holds the link.
    pub target: Text,
    /// The attribute that is meant, by its CloudFormation name (`Arn`, `GroupId`); empty for what `Ref` gives.
    pub attr: Text,
}

/// Something that could not be known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Unknown {
    /// Why.
    pub reason: Reason,
    /// What would have to be known: a parameter's name, an export, an API operation, a permission.
    pub what: Text,
    /// True when the value is certainly set to something (a template parameter always is), so that `x == null` can be
    /// answered although `x` cannot.
    pub present: bool,
}

/// Why a value is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The API refused the caller.
    AccessDenied,
    /// The call that would tell failed, was cut off or answered nonsense.
    Failed,
    /// Nothing asked for it: this source does not carry the fact.
    NotCollected,
    /// Terraform says "known after apply".
    AfterApply,
    /// A template parameter without default, and no value was given.
    NoDefaultParameter,
    /// An export of another stack (`Fn::ImportValue`).
    ImportValue,
    /// A dynamic reference (`{{resolve:ssm:...}}`) or another value that only the deploying service can look up.
    DynamicReference,
    /// The construct is not (yet) understood, or a limit was reached.
    Unsupported,
    /// The input is malformed at this place.
    Malformed,
}

impl Reason {
    /// True where the value names nothing that is made along with the source: what a parameter, an export of another stack or a
    /// look-up gives was there before.
    pub fn is_elsewhere(self) -> bool {
        matches!(self, Reason::NoDefaultParameter | Reason::ImportValue | Reason::DynamicReference)
    }

    /// The reason in words, to stand after a colon.
    pub fn words(self) -> &'static str {
        match self {
            Reason::AccessDenied => "access denied",
            Reason::Failed => "call failed",
            Reason::NotCollected => "not collected",
            Reason::AfterApply => "known only after apply",
            Reason::NoDefaultParameter => "parameter without a value",
            Reason::ImportValue => "exported by another stack",
            Reason::DynamicReference => "resolved only at deploy time",
            Reason::Unsupported => "not supported",
            Reason::Malformed => "malformed",
        }
    }
}

impl Value {
    /// Text.
    pub fn text(s: impl AsRef<str>) -> Value {
        Value::Str(Text::from(s.as_ref()))
    }

    /// An unknown that might also be unset.
    pub fn unknown(reason: Reason, what: impl AsRef<str>) -> Value {
        Value::Unknown(Box::new(Unknown { reason, what: Text::from(what.as_ref()), present: false }))
    }

    /// An unknown that is certainly set to something.
    pub fn unknown_present(reason: Reason, what: impl AsRef<str>) -> Value {
        Value::Unknown(Box::new(Unknown { reason, what: Text::from(what.as_ref()), present: true }))
    }

    /// A reference to another resource's attribute (`attr` empty: what `Ref` gives).
    pub fn link(target: impl AsRef<str>, attr: impl AsRef<str>) -> Value {
        Value::Link(Box::new(Link { target: Text::from(target.as_ref()), attr: Text::from(attr.as_ref()) }))
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The truth value, if it is one. CloudFormation also takes `"true"` and `"false"`.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            Value::Str(s) if s.eq_ignore_ascii_case("true") => Some(true),
            Value::Str(s) if s.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    /// The whole number, if it is one. CloudFormation also takes it quoted.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            Value::Dec(d) if d.fract() == 0.0 && d.abs() < 9.0e15 => Some(*d as i64),
            Value::Str(s) => s.parse().ok(),
            _ => None,
        }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if it is a map.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The reference, if it is one.
    pub fn as_link(&self) -> Option<&Link> {
        match self {
            Value::Link(link) => Some(link),
            _ => None,
        }
    }

    /// The member `key`; `None` if this is not a map or has no such member.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    /// True for `Null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// True if this value, or any value inside it, is `Unknown`.
    pub fn has_unknown(&self) -> bool {
        match self {
            Value::Unknown(_) => true,
            Value::List(items) | Value::Mixed(items) => items.iter().any(Value::has_unknown),
            Value::Map(map) => map.iter().any(|(_, v)| v.has_unknown()),
            _ => false,
        }
    }

    /// Calls `visit` for every `Link` in this value, however deep.
    pub fn each_link<'a>(&'a self, visit: &mut dyn FnMut(&'a Link)) {
        match self {
            Value::Link(link) => visit(link),
            Value::List(items) | Value::Mixed(items) => items.iter().for_each(|v| v.each_link(visit)),
            Value::Map(map) => map.iter().for_each(|(_, v)| v.each_link(visit)),
            _ => {}
        }
    }
}

impl From<&str> for Value {
    fn from(s: &str) -> Value {
        Value::text(s)
    }
}

impl From<String> for Value {
    fn from(s: String) -> Value {
        Value::Str(Text::from(s))
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::Int(n)
    }
}

/// Named members in key order. Small and contiguous: most AWS objects have fewer than ten members. Cloning is a counter
/// increment; a clone that is changed gets members of its own.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// None if there are no members.
    entries: Option<Arc<Vec<(Text, Value)>>>,
}

impl Map {
    /// An empty map.
    pub fn new() -> Map {
        Map::default()
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// True if there are no members.
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// The member `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let at = self.find(key).ok()?;
        self.entries().get(at).map(|(_, v)| v)
    }

    /// The member `key`, to change.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let at = self.find(key).ok()?;
        self.entries_mut().get_mut(at).map(|(_, v)| v)
    }

    /// True if there is a member `key`.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }

    /// Sets the member `key` and returns what it was.
    pub fn insert(&mut self, key: impl Into<Text>, value: Value) -> Option<Value> {
        let key = key.into();
        match self.find(&key) {
            Ok(at) => self.entries_mut().get_mut(at).map(|(_, v)| std::mem::replace(v, value)),
            Err(at) => {
                self.entries_mut().insert(at, (key, value));
                None
            }
        }
    }

    /// Takes the member `key` out.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let at = self.find(key).ok()?;
        Some(self.entries_mut().remove(at).1)
    }

    /// The member `key`, set to `Null` first if it is missing.
    pub fn entry(&mut self, key: &str) -> &mut Value {
        let found = self.find(key);
        let entries = self.entries_mut();
        let at = match found {
            Ok(at) => at,
            Err(at) => {
                entries.insert(at, (Text::from(key), Value::Null));
                at
            }
        };
        #[expect(clippy::indexing_slicing, reason = "`at` was found or inserted just above")]
        &mut entries[at].1
    }

    /// Gives back the room that is kept for more members, of a map that is nobody else's.
    pub fn shrink_to_fit(&mut self) {
        if let Some(entries) = self.entries.as_mut().and_then(Arc::get_mut) {
            entries.shrink_to_fit();
        }
    }

    /// The members in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Value)> {
        self.entries().iter().map(|(k, v)| (k, v))
    }

    /// The members in key order, to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Text, &mut Value)> {
        self.entries_mut().iter_mut().map(|(k, v)| (&*k, v))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &Text> {
        self.entries().iter().map(|(k, _)| k)
    }

    /// The same number for every clone of a map that has members and was not changed since, and for no other map that is
    /// alive.
    pub fn identity(&self) -> usize {
        self.entries.as_ref().map_or(0, |entries| Arc::as_ptr(entries).addr())
    }

    fn entries(&self) -> &[(Text, Value)] {
        self.entries.as_ref().map_or(&[], |entries| entries)
    }

    fn entries_mut(&mut self) -> &mut Vec<(Text, Value)> {
        Arc::make_mut(self.entries.get_or_insert_default())
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries().binary_search_by(|(k, _)| (**k).cmp(key))
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Map) -> bool {
        self.identity() == other.identity() || self.entries() == other.entries()
    }
}

impl FromIterator<(Text, Value)> for Map {
    /// Of two members with the same key the later one stays.
    fn from_iter<I: IntoIterator<Item = (Text, Value)>>(iter: I) -> Map {
        let mut entries: Vec<(Text, Value)> = iter.into_iter().collect();
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        entries.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        entries.shrink_to_fit();
        Map { entries: (!entries.is_empty()).then(|| Arc::new(entries)) }
    }
}

impl IntoIterator for Map {
    type Item = (Text, Value);
    type IntoIter = std::vec::IntoIter<(Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.map(Arc::unwrap_or_clone).unwrap_or_default().into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_of_two_members_stays() {
        let map: Map = [("b", 1), ("a", 2), ("b", 3)].into_iter().map(|(k, v)| (Text::from(k), Value::Int(v))).collect();
        assert_eq!(map.len(), 2);
        assert_eq!(map.get("b"), Some(&Value::Int(3)));
        assert_eq!(map.keys().map(|k| k.to_string()).collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn a_clone_that_is_changed_leaves_the_first_as_it_was() {
        let first: Map = [(Text::from("a"), Value::Int(1))].into_iter().collect();
        let mut second = first.clone();
        assert_eq!((&second, second.identity()), (&first, first.identity()));
        *second.entry("a") = Value::Int(2);
        assert_eq!((first.get("a"), second.get("a")), (Some(&Value::Int(1)), Some(&Value::Int(2))));
        assert_ne!(second.identity(), first.identity());
        assert_eq!(Map::new(), second.into_iter().skip(1).collect::<Map>());
    }

    #[test]
    fn insert_keeps_key_order() {
        let mut map = Map::new();
        for key in ["c", "a", "b"] {
            assert_eq!(map.insert(key, Value::text(key)), None);
        }
        assert_eq!(map.insert("a", Value::Null), Some(Value::text("a")));
        assert_eq!(map.keys().map(|k| k.to_string()).collect::<String>(), "abc");
        assert_eq!(map.remove("b"), Some(Value::text("b")));
        assert_eq!(map.len(), 2);
    }

    #[test]
    fn unknown_is_seen_however_deep() {
        let deep = Value::List(vec![Value::Mixed(vec![Value::text("a"), Value::unknown(Reason::AfterApply, "x")])]);
        assert!(deep.has_unknown());
        assert!(!Value::List(vec![Value::link("Bucket", "Arn")]).has_unknown());
    }
}
