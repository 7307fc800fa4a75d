//! A value inside of a serverless resource, with the place where it was written.

use model::{Path, Span, SpanTable, Value};

static NULL: Value = Value::Null;

/// A value inside of a serverless resource. One that is not there is null.
#[derive(Clone, Copy)]
pub(crate) struct Part<'r> {
    pub(crate) value: &'r Value,
    spans: &'r SpanTable,
    path: Path,
    /// Where the nearest thing around it was written.
    span: Option<Span>,
}

impl<'r> Part<'r> {
    /// All properties of a resource that was written at `span`.
    pub(crate) fn new(value: &'r Value, spans: &'r SpanTable, span: Option<Span>) -> Part<'r> {
        Part { value, spans, path: Path::ROOT, span }
    }

    /// The member `key`. What an unknown mapping holds is unknown too.
    pub(crate) fn get(self, key: &str) -> Part<'r> {
        let value = match self.value {
            unknown @ Value::Unknown(_) => unknown,
            value => value.get(key).unwrap_or(&NULL),
        };
        self.inner(value, self.path.key(key))
    }

    /// The items of a list, in order; none if it is no list.
    pub(crate) fn items(self) -> impl Iterator<Item = Part<'r>> {
        let items = self.value.as_list().unwrap_or_default();
        items.iter().enumerate().map(move |(index, value)| self.inner(value, self.path.item(index)))
    }

    /// The items of a list; something else that is set stands for a list of one.
    pub(crate) fn one_or_more(self) -> Vec<Part<'r>> {
        match self.value {
            Value::Null => Vec::new(),
            Value::List(_) => self.items().collect(),
            _ => vec![self],
        }
    }

    /// The members of a mapping, by key; none if it is no mapping.
    pub(crate) fn entries(self) -> impl Iterator<Item = (&'r str, Part<'r>)> {
        let members = self.value.as_map().into_iter().flat_map(|map| map.iter());
        members.map(move |(key, value)| (&**key, self.inner(value, self.path.key(key))))
    }

    fn inner(self, value: &'r Value, path: Path) -> Part<'r> {
        Part { value, path, span: self.spans.get(path).or(self.span), ..self }
    }

    /// Where it, or the nearest thing around it, was written.
    pub(crate) fn span(self) -> Option<Span> {
        self.span
    }

    /// The text, if it is text.
    pub(crate) fn text(self) -> Option<&'r str> {
        self.value.as_str()
    }

    /// True unless it is null.
    pub(crate) fn is_set(self) -> bool {
        !self.value.is_null()
    }

    /// True for what says something: not null, false, zero, or empty. What is not known may say something.
    pub(crate) fn says(self) -> bool {
        says(self.value)
    }

    /// The value, unless it is null or says nothing.
    pub(crate) fn said(self) -> Value {
        if self.says() { self.value.clone() } else { Value::Null }
    }

    /// Notes in `out` that this value and all in it stand at `to`.
    pub(crate) fn copy_spans(self, to: Path, out: &mut SpanTable) {
        if let Some(span) = self.spans.get(self.path).or(self.span) {
            out.insert(to, span);
        }
        copy(self.value, self.spans, (self.path, to), out);
    }
}

/// True for what says something: not null, false, zero, or empty.
pub(crate) fn says(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) | Value::Int(0) => false,
        Value::Str(text) => !text.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
        _ => true,
    }
}

/// The number of values in a value, itself among them.
pub(crate) fn count(value: &Value) -> usize {
    match value {
        Value::List(items) | Value::Mixed(items) => items.iter().map(count).fold(1, usize::saturating_add),
        Value::Map(map) => map.iter().map(|(_, inner)| count(inner)).fold(1, usize::saturating_add),
        _ => 1,
    }
}

fn copy(value: &Value, spans: &SpanTable, (from, to): (Path, Path), out: &mut SpanTable) {
    let mut step = |value: &Value, from: Path, to: Path| {
        if let Some(span) = spans.get(from) {
            out.insert(to, span);
        }
        copy(value, spans, (from, to), out);
    };
    match value {
        Value::Map(map) => map.iter().for_each(|(key, value)| step(value, from.key(key), to.key(key))),
        Value::List(items) => items.iter().enumerate().for_each(|(at, v)| step(v, from.item(at), to.item(at))),
        _ => {}
    }
}
