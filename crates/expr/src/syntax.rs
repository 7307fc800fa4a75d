//! The syntax tree, each node with its place in the source.

/// An expression. Its places fit 16 bits because sources are capped.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expr {
    pub(crate) at: u16,
    pub(crate) end: u16,
    /// Height of the tree: 1 for a leaf.
    pub(crate) depth: u16,
    pub(crate) kind: Form,
}

/// A name with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ident {
    pub(crate) at: u16,
    pub(crate) end: u16,
    pub(crate) text: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    Null,
    Bool(bool),
    Int(i64),
    Dec(f64),
    Str(String),
    Name(String),
    Select(Box<Expr>, Ident),
    Index(Box<Expr>, Box<Expr>),
    /// `f(a)` or `target.f(a)`.
    Call(Option<Box<Expr>>, Ident, Vec<Expr>),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Not(Box<Expr>),
    Neg(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Cond(Box<[Expr; 3]>),
    Binary(Binary, Box<Expr>, Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Equal,
    Differ,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

impl Form {
    /// Height of the tree below.
    pub(crate) fn depth(&self) -> u16 {
        fn most<'x>(all: impl IntoIterator<Item = &'x Expr>) -> u16 {
            all.into_iter().map(|e| e.depth).max().unwrap_or(0)
        }
        match self {
            Form::Null | Form::Bool(_) | Form::Int(_) | Form::Dec(_) | Form::Str(_) | Form::Name(_) => 0,
            Form::Select(e, _) | Form::Not(e) | Form::Neg(e) => e.depth,
            Form::Index(a, b) | Form::Binary(_, a, b) => a.depth.max(b.depth),
            Form::Call(target, _, args) => most(args).max(target.as_ref().map_or(0, |t| t.depth)),
            Form::List(items) | Form::And(items) | Form::Or(items) => most(items),
            Form::Map(entries) => entries.iter().map(|(k, v)| k.depth.max(v.depth)).max().unwrap_or(0),
            Form::Cond(parts) => most(parts.iter()),
        }
    }
}
