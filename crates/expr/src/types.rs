//! What is known of values before they are seen, and the names that a check may use.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use model::Text;

/// What is known of a value before it is seen. Any value may also be null or unknown.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// Nothing is known: every operation is allowed and decided at evaluation.
    Any,
    /// The literal `null`.
    Null,
    /// A truth value; `"true"` and `"false"` are taken for one.
    Bool,
    /// A whole number; also taken quoted.
    Int,
    /// Any number; also taken quoted.
    Dec,
    /// Text; numbers and truth values are taken for their text.
    Str,
    /// A point in time; RFC 3339 text or seconds since 1970 are taken for one.
    Timestamp,
    /// A length of time; text such as `90d` is taken for one.
    Duration,
    /// A list; any single value is taken for a list of one, as CloudFormation does in policies.
    List(Box<Type>),
    /// A map from text.
    Map(Box<Type>),
    /// A map with declared members; text that holds a JSON object is taken for one.
    Object(Arc<Fields>),
    /// A resource: members are its properties, beside `id`, `type`, `name`, `account`, `region`, `tags`.
    Resource(Arc<Fields>),
}

impl Type {
    /// A list of `element`.
    pub fn list(element: Type) -> Type {
        Type::List(Box::new(element))
    }

    /// A map from text to `value`.
    pub fn map(value: Type) -> Type {
        Type::Map(Box::new(value))
    }

    /// A resource of which no properties are declared: each may be read, with type `Any`.
    pub fn any_resource() -> Type {
        Type::Resource(Arc::new(Fields { name: Text::from("resource"), members: BTreeMap::new(), open: true }))
    }

    /// An IAM policy document (IAM user guide, "Grammar of the IAM JSON policy language"), with the fields that take one
    /// value or a list declared as lists.
    pub fn policy_document() -> Type {
        let texts = || Type::list(Type::Str);
        let statement = Fields::new("policy statement")
            .with("Sid", Type::Str)
            .with("Effect", Type::Str)
            .with("Action", texts())
            .with("NotAction", texts())
            .with("Resource", texts())
            .with("NotResource", texts())
            .with("Principal", Type::Any)
            .with("NotPrincipal", Type::Any)
            .with("Condition", Type::map(Type::map(texts())));
        let statements = Type::list(Type::Object(Arc::new(statement)));
        let document =
            Fields::new("policy document").with("Version", Type::Str).with("Id", Type::Str).with("Statement", statements);
        Type::Object(Arc::new(document))
    }

    /// The narrowest type that both fit.
    pub(crate) fn join(self, other: Type) -> Type {
        match (self, other) {
            (Type::Null, t) | (t, Type::Null) => t,
            (Type::Int, Type::Dec) | (Type::Dec, Type::Int) => Type::Dec,
            (Type::List(a), Type::List(b)) => Type::list(a.join(*b)),
            (Type::Map(a), Type::Map(b)) => Type::map(a.join(*b)),
            (a, b) if a == b => a,
            _ => Type::Any,
        }
    }

    /// Whether a value of this type can be what `wanted` asks for.
    pub(crate) fn fits(&self, wanted: &Type) -> bool {
        match (self, wanted) {
            (Type::Any | Type::Null, _) | (_, Type::Any | Type::Null) => true,
            (Type::Int, Type::Dec) => true,
            (Type::List(a), Type::List(b)) => a.fits(b),
            (Type::Map(a), Type::Map(b)) => a.fits(b),
            (Type::Map(_), Type::Object(_)) | (Type::Object(_), Type::Map(_)) => true,
            (Type::Object(_), Type::Object(_)) | (Type::Resource(_), Type::Resource(_)) => true,
            (a, b) => a == b,
        }
    }
}

impl fmt::Display for Type {
    /// As messages call it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any => f.write_str("anything"),
            Type::Null => f.write_str("null"),
            Type::Bool => f.write_str("true or false"),
            Type::Int => f.write_str("a whole number"),
            Type::Dec => f.write_str("a number"),
            Type::Str => f.write_str("text"),
            Type::Timestamp => f.write_str("a time"),
            Type::Duration => f.write_str("a duration"),
            Type::List(element) => match &**element {
                Type::Any => f.write_str("a list"),
                element => write!(f, "a list of {element}"),
            },
            Type::Map(_) | Type::Object(_) => f.write_str("a map"),
            Type::Resource(_) => f.write_str("a resource"),
        }
    }
}

/// The members of an object or resource.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    /// What messages call it: `AWS::S3::Bucket`, `policy statement`.
    pub name: Text,
    /// The declared members.
    pub members: BTreeMap<Text, Type>,
    /// Whether members that are not declared may be read too, with type `Any`.
    pub open: bool,
}

impl Fields {
    /// No members yet.
    pub fn new(name: impl Into<Text>) -> Fields {
        Fields { name: name.into(), members: BTreeMap::new(), open: false }
    }

    /// The same with one more member.
    pub fn with(mut self, name: impl Into<Text>, of: Type) -> Fields {
        self.members.insert(name.into(), of);
        self
    }

    /// The type of a member; `Any` for those of an open object that are not declared.
    pub fn member(&self, name: &str) -> Option<Type> {
        match self.members.get(name) {
            Some(found) => Some(found.clone()),
            None if self.open => Some(Type::Any),
            None => None,
        }
    }
}

/// What a fact takes and gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    /// The arguments' types.
    pub args: Vec<Type>,
    /// How many of them must be given.
    pub required: usize,
    /// What it gives.
    pub result: Type,
}

impl Signature {
    /// A fact all of whose arguments must be given.
    pub fn new(args: Vec<Type>, result: Type) -> Signature {
        Signature { required: args.len(), args, result }
    }
}

/// A kind of name, for listing what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// Properties of the resource.
    Property,
    /// Relations of the resource.
    Relation,
    /// Facts from the analyses.
    Fact,
    /// Configuration parameters.
    Param,
}

/// The names that a check may use.
pub trait Names {
    /// The type of a property of the resource that the check is about.
    fn property(&self, name: &str) -> Option<Type>;

    /// The element type of `related(name)`, usually [`Type::Resource`].
    fn relation(&self, name: &str) -> Option<Type>;

    /// What `x.related(name)` holds, where `x` is a resource whose fields bear the name `of`.
    fn relation_of(&self, of: &str, name: &str) -> Option<Type> {
        let _ = (of, name);
        None
    }

    /// A fact, by its dotted name: `iam.public`.
    fn fact(&self, name: &str) -> Option<Signature>;

    /// The type of `param.name`.
    fn param(&self, name: &str) -> Option<Type>;

    /// What the resource is called in messages: its type name.
    fn resource(&self) -> String;

    /// Every name of a kind, in a stable order, for suggestions.
    fn list(&self, kind: NameKind) -> Vec<String>;
}

/// The names that a check may use, as plain tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vocabulary {
    /// The resource's properties.
    pub resource: Arc<Fields>,
    /// Relation to element type.
    pub relations: BTreeMap<Text, Type>,
    /// Dotted fact name to signature.
    pub facts: BTreeMap<Text, Signature>,
    /// Parameter to type.
    pub params: BTreeMap<Text, Type>,
}

impl Names for Vocabulary {
    fn property(&self, name: &str) -> Option<Type> {
        self.resource.member(name)
    }

    fn relation(&self, name: &str) -> Option<Type> {
        self.relations.get(name).cloned()
    }

    fn fact(&self, name: &str) -> Option<Signature> {
        self.facts.get(name).cloned()
    }

    fn param(&self, name: &str) -> Option<Type> {
        self.params.get(name).cloned()
    }

    fn resource(&self) -> String {
        self.resource.name.to_string()
    }

    fn list(&self, kind: NameKind) -> Vec<String> {
        match kind {
            NameKind::Property => self.resource.members.keys().map(|k| k.to_string()).collect(),
            NameKind::Relation => self.relations.keys().map(|k| k.to_string()).collect(),
            NameKind::Fact => self.facts.keys().map(|k| k.to_string()).collect(),
            NameKind::Param => self.params.keys().map(|k| k.to_string()).collect(),
        }
    }
}
