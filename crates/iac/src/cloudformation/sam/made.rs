//! What a serverless resource becomes, put together property by property.

use model::{Map, Path, Resource, Span, Text, Value};

use super::part::Part;

/// A resource that another one becomes.
pub(crate) struct Made {
    pub(crate) resource: Resource,
    /// The place of the resource that it comes from among those of the template.
    pub(crate) order: usize,
}

impl Made {
    /// Sets a property; null leaves it unset.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        let value = value.into();
        if !value.is_null() {
            self.resource.props.insert(key, value);
        }
    }

    /// Sets a property to what was derived from `from`.
    pub(crate) fn derive(&mut self, key: &str, value: impl Into<Value>, from: Part<'_>) {
        self.set(key, value);
        self.wrote(Path::ROOT.key(key), from.span());
    }

    /// Sets a property to the same value.
    pub(crate) fn copy(&mut self, key: &str, from: Part<'_>) {
        if from.is_set() {
            self.resource.props.insert(key, from.value.clone());
            from.copy_spans(Path::ROOT.key(key), &mut self.resource.spans);
        }
    }

    /// Sets a property to the same value if it says something.
    pub(crate) fn copy_said(&mut self, key: &str, from: Part<'_>) {
        if from.says() {
            self.copy(key, from);
        }
    }

    /// Sets properties to the values that `from` has under the same names.
    pub(crate) fn copy_all(&mut self, from: Part<'_>, keys: &[&str]) {
        for key in keys {
            self.copy(key, from.get(key));
        }
    }

    /// Says where something was written.
    pub(crate) fn wrote(&mut self, path: Path, span: Option<Span>) {
        if let Some(span) = span {
            self.resource.spans.insert(path, span);
        }
    }
}

/// A mapping; members that are null are left out.
pub(crate) fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(members_of(members))
}

/// The members of a mapping; those that are null are left out.
pub(crate) fn members_of<const N: usize>(members: [(&str, Value); N]) -> Map {
    members.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (Text::from(key), value)).collect()
}

/// A list.
pub(crate) fn list<const N: usize>(items: [Value; N]) -> Value {
    Value::List(items.into())
}

/// Text.
pub(crate) fn text(text: impl AsRef<str>) -> Value {
    Value::text(text)
}

/// A mapping of tags as a list of them, in the order of their keys.
pub(crate) fn tags(from: Part<'_>) -> Vec<Value> {
    from.entries().map(|(key, tag)| tag_of(key, if tag.is_set() { tag.value.clone() } else { text("") })).collect()
}

/// One tag of a list.
pub(crate) fn tag_of(key: &str, value: Value) -> Value {
    map([("Key", text(key)), ("Value", value)])
}

/// A list of tags that begins with the one SAM sets; unknown tags leave the list unknown.
pub(crate) fn tags_with(key: &str, from: Part<'_>) -> Value {
    if let Value::Unknown(_) = from.value {
        return from.value.clone();
    }
    let mut all = vec![tag_of(key, text("SAM"))];
    all.extend(tags(from));
    Value::List(all)
}
