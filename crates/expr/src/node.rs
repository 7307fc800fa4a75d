//! The checked form of an expression: names resolved, literals folded, loosely typed properties marked with what they are read as.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use model::{Text, Value};
use regex::Regex;

use crate::Type;
use crate::function::Fun;

#[derive(Debug)]
pub(crate) struct Node {
    /// Its place in the source, for reasons that name it.
    pub(crate) at: u16,
    pub(crate) end: u16,
    pub(crate) op: Op,
}

#[derive(Debug)]
pub(crate) enum Op {
    Const(Value),
    Time(Timestamp),
    Dur(SignedDuration),
    This,
    Now,
    Param(Text, Want),
    Var(usize),
    Property(Text, Want),
    Select(Box<Node>, Text, Want),
    Meta(Box<Node>, Meta),
    Index(Box<(Node, Node)>, Want),
    And(Box<[Node]>),
    Or(Box<[Node]>),
    Not(Box<Node>),
    Neg(Box<Node>),
    Cond(Box<[Node; 3]>),
    Equal(Box<(Node, Node)>),
    Differ(Box<(Node, Node)>),
    Order(Order, Box<(Node, Node)>),
    In(Box<(Node, Node)>),
    Arith(Arith, Box<(Node, Node)>),
    List(Box<[Node]>),
    Map(Box<[(Node, Node)]>),
    Loop(Box<Loop>),
    Related(Box<Node>, Text),
    Fact(Text, Box<[Node]>),
    Call(Fun, Box<[Node]>),
    Matches(Box<(Node, Regex)>),
    Has(Box<Node>),
}

/// `range.exists(x, test)` and its kin.
#[derive(Debug)]
pub(crate) struct Loop {
    pub(crate) kind: LoopKind,
    pub(crate) range: Node,
    /// The place of the loop variable.
    pub(crate) slot: usize,
    /// What an element is read as.
    pub(crate) want: Want,
    pub(crate) test: Option<Node>,
    pub(crate) body: Option<Node>,
    /// What one round costs, in elements.
    pub(crate) cost: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoopKind {
    Exists,
    All,
    ExistsOne,
    Filter,
    Map,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arith {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
}

/// What is known of a resource beside its properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meta {
    Id,
    Type,
    Name,
    Account,
    Region,
    Tags,
}

impl Meta {
    pub(crate) const NAMES: [(&'static str, Meta); 6] = [
        ("id", Meta::Id),
        ("type", Meta::Type),
        ("name", Meta::Name),
        ("account", Meta::Account),
        ("region", Meta::Region),
        ("tags", Meta::Tags),
    ];

    pub(crate) fn from_name(name: &str) -> Option<Meta> {
        Meta::NAMES.iter().find(|(n, _)| *n == name).map(|(_, meta)| *meta)
    }

    pub(crate) fn of(self) -> Type {
        match self {
            Meta::Tags => Type::map(Type::Str),
            _ => Type::Str,
        }
    }
}

/// What a value out of a resource is read as, since AWS's formats are loose about scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Any,
    Bool,
    Int,
    Dec,
    Str,
    Time,
    Dur,
    List,
}

impl Want {
    pub(crate) fn of(declared: &Type) -> Want {
        match declared {
            Type::Bool => Want::Bool,
            Type::Int => Want::Int,
            Type::Dec => Want::Dec,
            Type::Str => Want::Str,
            Type::Timestamp => Want::Time,
            Type::Duration => Want::Dur,
            Type::List(_) => Want::List,
            Type::Any | Type::Null | Type::Map(_) | Type::Object(_) | Type::Resource(_) => Want::Any,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Want::Any => "a value",
            Want::Bool => "true or false",
            Want::Int => "a whole number",
            Want::Dec => "a number",
            Want::Str => "text",
            Want::Time => "a time",
            Want::Dur => "a duration",
            Want::List => "a list",
        }
    }
}

impl fmt::Display for Arith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Arith::Add => "+",
            Arith::Sub => "-",
            Arith::Mul => "*",
            Arith::Div => "/",
            Arith::Rem => "%",
        })
    }
}

impl Node {
    /// Number of nodes in this tree.
    pub(crate) fn size(&self) -> u32 {
        let all = |nodes: &[Node]| nodes.iter().map(Node::size).sum::<u32>();
        1 + match &self.op {
            Op::Const(_) | Op::Time(_) | Op::Dur(_) | Op::This | Op::Now | Op::Param(..) | Op::Var(_) | Op::Property(..) => 0,
            Op::Select(n, ..) | Op::Meta(n, _) | Op::Not(n) | Op::Neg(n) | Op::Related(n, _) | Op::Has(n) => n.size(),
            Op::Equal(p) | Op::Differ(p) | Op::Order(_, p) | Op::In(p) | Op::Arith(_, p) | Op::Index(p, _) => {
                p.0.size() + p.1.size()
            }
            Op::And(n) | Op::Or(n) | Op::List(n) | Op::Fact(_, n) | Op::Call(_, n) => all(n),
            Op::Cond(n) => all(n.as_slice()),
            Op::Map(entries) => entries.iter().map(|(k, v)| k.size() + v.size()).sum(),
            Op::Matches(m) => m.0.size(),
            Op::Loop(l) => l.range.size() + l.test.as_ref().map_or(0, Node::size) + l.body.as_ref().map_or(0, Node::size),
        }
    }
}
