//! One thing in an account or template.

use crate::{AccountId, Map, Path, Region, ScopeIndex, Span, SpanTable, Text, TypeName, Value};

/// One thing in an account or template.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// What findings call it, unique within its scope and type: the logical id (CloudFormation; `Nested/Id` inside a nested
    /// stack), the address (Terraform), the ARN or else the primary identifier (live).
    pub id: Text,
    /// The CloudFormation type, or one of ours.
    pub type_name: TypeName,
    /// The scope it belongs to.
    pub scope: ScopeIndex,
    /// The account, where known.
    pub account: Option<AccountId>,
    /// The Region, where known; `None` also for global resources.
    pub region: Option<Region>,
    /// Its physical name, where known.
    pub name: Option<Text>,
    /// The properties, in the shape of the CloudFormation schema. Absent and `Null` mean the same: not set.
    pub props: Map,
    /// Read-only attributes by CloudFormation name (`Arn`, `GroupId`), where known; `Ref` gives what `Ref` would.
    pub attrs: Map,
    /// Where it was written.
    pub origin: Origin,
    /// Where each property was written.
    pub spans: SpanTable,
}

/// Where a resource comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file, as given on the command line or found below it; `None` for a live account.
    pub file: Option<Text>,
    /// The resource's own place in the file.
    pub span: Option<Span>,
    /// The Terraform module address or nested stack path; empty at the root.
    pub module: Text,
    /// The CloudFormation condition it hangs on.
    pub condition: Option<Text>,
    /// Checks that the author switched off for this resource at its own place, with the reason given.
    pub accepted: Vec<Accepted>,
}

/// A suppression written at the resource itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The check id, as written.
    pub check: Text,
    /// The reason; empty if none was given (then it does not count and is reported).
    pub reason: Text,
    /// Where it was written.
    pub span: Option<Span>,
}

impl Resource {
    /// A resource with nothing known but its identity.
    pub fn new(id: impl Into<Text>, type_name: TypeName, scope: ScopeIndex) -> Resource {
        Resource {
            id: id.into(),
            type_name,
            scope,
            account: None,
            region: None,
            name: None,
            props: Map::new(),
            attrs: Map::new(),
            origin: Origin::default(),
            spans: SpanTable::default(),
        }
    }

    /// The property at a dotted path of plain keys, `A.B`. Null if any step is missing; the `Unknown` if a step is unknown.
    pub fn prop(&self, path: &str) -> &Value {
        static NULL: Value = Value::Null;
        let mut map = &self.props;
        let mut keys = path.split('.').peekable();
        while let Some(key) = keys.next() {
            match map.get(key) {
                None => return &NULL,
                Some(value) if keys.peek().is_none() => return value,
                Some(Value::Map(inner)) => map = inner,
                Some(unknown @ Value::Unknown(_)) => return unknown,
                Some(_) => return &NULL,
            }
        }
        &NULL
    }

    /// Where `path` was written, or the nearest thing around it, or the resource itself.
    pub fn place(&self, path: &str) -> Option<Span> {
        match self.spans.get(Path::parse(path)) {
            Some(span) => Some(span),
            None => self.spans.nearest(path).or(self.origin.span),
        }
    }
}
