//! Names and types: a syntax tree becomes a checked program, or a list of everything that is wrong with it.

mod call;

use model::{Map, Text, Value};

use crate::limit::VARIABLES_MAX;
use crate::node::{Arith, Meta, Node, Op, Order, Want};
use crate::problem::nearest;
use crate::program::{Program, Reads};
use crate::syntax::{Binary, Expr, Form, Ident};
use crate::types::NameKind;
use crate::{Names, Problem, Type};

/// Where a value comes from, so that what is read can be told.
#[derive(Clone, Debug, PartialEq)]
enum Origin {
    /// The resource itself (a relation's name if it is a related one) and the path within it.
    Path(Option<String>, String),
    Elsewhere,
}

/// A checked expression.
struct Typed {
    node: Node,
    of: Type,
    origin: Origin,
}

struct Variable {
    name: String,
    of: Type,
    origin: Origin,
}

pub(crate) struct Checker<'n> {
    source: &'n str,
    names: &'n dyn Names,
    variables: Vec<Variable>,
    problems: Vec<Problem>,
    reads: Reads,
}

impl<'n> Checker<'n> {
    pub(crate) fn new(source: &'n str, names: &'n dyn Names) -> Checker<'n> {
        Checker { source, names, variables: Vec::new(), problems: Vec::new(), reads: Reads::default() }
    }

    pub(crate) fn finish(mut self, expr: &Expr) -> Result<Program, Vec<Problem>> {
        let typed = self.expr(expr);
        if self.problems.is_empty() {
            Ok(Program { root: typed.node, source: Text::from(self.source), result: typed.of, reads: self.reads })
        } else {
            self.problems.sort_by_key(|p| p.offset);
            Err(self.problems)
        }
    }

    fn problem(&mut self, at: (u16, u16), message: String, help: Option<String>) {
        let mut problem = Problem::new(self.source, at.0 as usize, at.1 as usize, message);
        problem.help = help;
        self.problems.push(problem);
    }

    /// Stands for an expression that is wrong: fits everywhere, so that one mistake gives one problem.
    fn wrong(&self, expr: &Expr) -> Typed {
        typed(expr, Op::Const(Value::Null), Type::Any)
    }

    /// Checks an expression and notes what it reads.
    fn expr(&mut self, expr: &Expr) -> Typed {
        let typed = self.quiet(expr);
        if let (Origin::Path(relation, path), Form::Name(_) | Form::Select(..) | Form::Index(..)) = (&typed.origin, &expr.kind)
            && !path.is_empty()
        {
            match relation {
                None => self.reads.properties.insert(path.clone()),
                Some(relation) => self.reads.related_properties.insert((relation.clone(), path.clone())),
            };
        }
        typed
    }

    /// Checks an expression that must fit `wanted`.
    fn wanted(&mut self, expr: &Expr, wanted: &Type) -> Typed {
        let typed = self.expr(expr);
        if !typed.of.fits(wanted) || (typed.of == Type::Null && *wanted == Type::Bool) {
            let help = match (wanted, &typed.of) {
                (Type::Bool, Type::Null) => None,
                (Type::Bool, _) => Some("compare it, or ask whether it is set: `... != null`".to_owned()),
                (Type::Timestamp, Type::Str) => Some("write `timestamp(...)`".to_owned()),
                (Type::Duration, Type::Str | Type::Int) => Some("write `duration(\"90d\")`".to_owned()),
                _ => None,
            };
            self.problem((expr.at, expr.end), format!("expected {wanted}, found {}", typed.of), help);
        }
        typed
    }

    /// Checks an expression without noting what it reads: the inner part of a longer path.
    fn quiet(&mut self, expr: &Expr) -> Typed {
        match &expr.kind {
            Form::Null => typed(expr, Op::Const(Value::Null), Type::Null),
            Form::Bool(b) => typed(expr, Op::Const(Value::Bool(*b)), Type::Bool),
            Form::Int(n) => typed(expr, Op::Const(Value::Int(*n)), Type::Int),
            Form::Dec(n) => typed(expr, Op::Const(Value::Dec(*n)), Type::Dec),
            Form::Str(s) => typed(expr, Op::Const(Value::text(s)), Type::Str),
            Form::Name(name) => self.name(expr, name),
            Form::Select(target, name) => self.select(expr, target, name),
            Form::Index(target, index) => self.index(expr, target, index),
            Form::Call(target, name, args) => self.call(expr, target.as_deref(), name, args),
            Form::List(items) => self.list(expr, items),
            Form::Map(entries) => self.map(expr, entries),
            Form::Not(inner) => {
                let inner = self.wanted(inner, &Type::Bool);
                typed(expr, Op::Not(Box::new(inner.node)), Type::Bool)
            }
            Form::Neg(inner) => {
                let inner = self.expr(inner);
                if !matches!(inner.of, Type::Int | Type::Dec | Type::Duration | Type::Any) {
                    self.problem((expr.at, expr.end), format!("`-` takes a number, found {}", inner.of), None);
                }
                let of = inner.of;
                typed(expr, Op::Neg(Box::new(inner.node)), of)
            }
            Form::And(parts) => {
                let nodes = parts.iter().map(|p| self.wanted(p, &Type::Bool).node).collect();
                typed(expr, Op::And(nodes), Type::Bool)
            }
            Form::Or(parts) => {
                let nodes = parts.iter().map(|p| self.wanted(p, &Type::Bool).node).collect();
                typed(expr, Op::Or(nodes), Type::Bool)
            }
            Form::Cond(parts) => {
                let [test, yes, no] = parts.as_ref();
                let test = self.wanted(test, &Type::Bool);
                let yes = self.expr(yes);
                let no = self.expr(no);
                typed(expr, Op::Cond(Box::new([test.node, yes.node, no.node])), yes.of.join(no.of))
            }
            Form::Binary(operator, left, right) => self.binary(expr, *operator, left, right),
        }
    }

    fn name(&mut self, expr: &Expr, name: &str) -> Typed {
        if let Some((slot, variable)) = self.variables.iter().enumerate().rev().find(|(_, v)| v.name == name) {
            let (of, origin) = (variable.of.clone(), variable.origin.clone());
            return Typed { origin, ..typed(expr, Op::Var(slot), of) };
        }
        match name {
            "self" => {
                let origin = Origin::Path(None, String::new());
                return Typed { origin, ..typed(expr, Op::This, Type::any_resource()) };
            }
            "now" => return typed(expr, Op::Now, Type::Timestamp),
            "param" => {
                let help = Some("one of them is written `param.name`".to_owned());
                self.problem((expr.at, expr.end), "`param` holds the parameters".to_owned(), help);
                return self.wrong(expr);
            }
            _ => {}
        }
        self.property(expr, (expr.at, expr.end), name)
    }

    fn property(&mut self, expr: &Expr, at: (u16, u16), name: &str) -> Typed {
        let Some(of) = self.names.property(name) else {
            self.unknown_property(at, name);
            return self.wrong(expr);
        };
        let op = Op::Property(Text::from(name), Want::of(&of));
        Typed { origin: Origin::Path(None, name.to_owned()), ..typed(expr, op, of) }
    }

    fn unknown_property(&mut self, at: (u16, u16), name: &str) {
        let known = self.names.list(NameKind::Property);
        let variables = self.variables.iter().map(|v| v.name.as_str());
        let near = nearest(name, known.iter().map(String::as_str).chain(variables).chain(["self", "now", "param"]));
        let meta = Meta::from_name(name).map(|_| format!("the resource's own {name} is written `self.{name}`"));
        let help = near.map(|near| format!("did you mean `{near}`?")).or(meta);
        let message = format!("no property `{name}` on {}", self.names.resource());
        self.problem(at, message, help);
    }

    fn select(&mut self, expr: &Expr, target: &Expr, name: &Ident) -> Typed {
        if let Form::Name(root) = &target.kind
            && !self.variables.iter().any(|v| v.name == *root)
        {
            match root.as_str() {
                "param" => return self.param(expr, name),
                "self" => {
                    return match Meta::from_name(&name.text) {
                        Some(meta) => typed(expr, Op::Meta(Box::new(self.quiet(target).node), meta), meta.of()),
                        None => self.property(expr, (name.at, name.end), &name.text),
                    };
                }
                _ => {}
            }
        }
        let target = self.quiet(target);
        self.member(expr, target, name)
    }

    fn param(&mut self, expr: &Expr, name: &Ident) -> Typed {
        let Some(of) = self.names.param(&name.text) else {
            let known = self.names.list(NameKind::Param);
            let near = nearest(&name.text, known.iter().map(String::as_str));
            let help = near.map(|near| format!("did you mean `param.{near}`?"));
            self.problem((name.at, name.end), format!("no parameter `{}`", name.text), help);
            return self.wrong(expr);
        };
        self.reads.params.insert(name.text.clone());
        typed(expr, Op::Param(Text::from(name.text.as_str()), Want::of(&of)), of)
    }

    /// `target.name`, the target checked.
    fn member(&mut self, expr: &Expr, target: Typed, name: &Ident) -> Typed {
        if let (Type::Resource(_), Some(meta)) = (&target.of, Meta::from_name(&name.text)) {
            return typed(expr, Op::Meta(Box::new(target.node), meta), meta.of());
        }
        let of = match &target.of {
            Type::Any | Type::Null => Type::Any,
            Type::Map(value) => (**value).clone(),
            Type::Object(fields) | Type::Resource(fields) => match fields.member(&name.text) {
                Some(of) => of,
                None => {
                    let near = nearest(&name.text, fields.members.keys().map(|k| &**k));
                    let help = near.map(|near| format!("did you mean `{near}`?"));
                    let message = format!("no property `{}` on {}", name.text, fields.name);
                    self.problem((name.at, name.end), message, help);
                    return self.wrong(expr);
                }
            },
            Type::List(_) => {
                let help = "look into it with `exists(x, ...)`, `all(x, ...)`, `filter(x, ...)` or `[0]`".to_owned();
                self.problem((name.at, name.end), format!("a list has no member `{}`", name.text), Some(help));
                return self.wrong(expr);
            }
            other => {
                let message = format!("{other} has no member `{}`", name.text);
                self.problem((name.at, name.end), message, None);
                return self.wrong(expr);
            }
        };
        let origin = target.origin.step(&format!(".{}", name.text));
        let op = Op::Select(Box::new(target.node), Text::from(name.text.as_str()), Want::of(&of));
        Typed { origin, ..typed(expr, op, of) }
    }

    fn index(&mut self, expr: &Expr, target: &Expr, index: &Expr) -> Typed {
        let target = self.quiet(target);
        if let (Form::Str(key), Type::Object(_) | Type::Resource(_)) = (&index.kind, &target.of) {
            let name = Ident { at: index.at, end: index.end, text: key.clone() };
            return self.member(expr, target, &name);
        }
        let (wanted, of) = match &target.of {
            Type::List(element) => (Type::Int, (**element).clone()),
            Type::Map(value) => (Type::Str, (**value).clone()),
            Type::Object(_) | Type::Resource(_) => (Type::Str, Type::Any),
            Type::Any | Type::Null => (Type::Any, Type::Any),
            other => {
                let message = format!("{other} has no elements");
                self.problem((expr.at, expr.end), message, None);
                return self.wrong(expr);
            }
        };
        let step = match &index.kind {
            Form::Str(key) => format!(".{key}"),
            Form::Int(n) => format!("[{n}]"),
            _ => "[]".to_owned(),
        };
        let origin = target.origin.step(&step);
        let problems = self.problems.len();
        let index = self.wanted(index, &wanted);
        if self.problems.len() > problems {
            return self.wrong(expr);
        }
        let op = Op::Index(Box::new((target.node, index.node)), Want::of(&of));
        Typed { origin, ..typed(expr, op, of) }
    }

    fn list(&mut self, expr: &Expr, items: &[Expr]) -> Typed {
        let items: Vec<Typed> = items.iter().map(|item| self.expr(item)).collect();
        let element = items.iter().map(|item| item.of.clone()).reduce(Type::join).unwrap_or(Type::Any);
        let constants: Option<Vec<Value>> = items.iter().map(|item| constant(&item.node)).collect();
        let op = match constants {
            Some(constants) => Op::Const(Value::List(constants)),
            None => Op::List(items.into_iter().map(|item| item.node).collect()),
        };
        typed(expr, op, Type::list(element))
    }

    fn map(&mut self, expr: &Expr, entries: &[(Expr, Expr)]) -> Typed {
        let entries: Vec<(Typed, Typed)> =
            entries.iter().map(|(key, value)| (self.wanted(key, &Type::Str), self.expr(value))).collect();
        let value = entries.iter().map(|(_, value)| value.of.clone()).reduce(Type::join).unwrap_or(Type::Any);
        let constants: Option<Map> = entries
            .iter()
            .map(|(key, value)| match (constant(&key.node), constant(&value.node)) {
                (Some(Value::Str(key)), Some(value)) => Some((key, value)),
                _ => None,
            })
            .collect();
        let op = match constants {
            Some(map) => Op::Const(Value::Map(map)),
            None => Op::Map(entries.into_iter().map(|(key, value)| (key.node, value.node)).collect()),
        };
        typed(expr, op, Type::map(value))
    }

    fn binary(&mut self, expr: &Expr, operator: Binary, left: &Expr, right: &Expr) -> Typed {
        let l = self.expr(left);
        let r = self.expr(right);
        match operator {
            Binary::In => return self.contained(expr, l, r),
            Binary::Add => return self.arithmetic(expr, Arith::Add, l, r),
            Binary::Sub => return self.arithmetic(expr, Arith::Sub, l, r),
            Binary::Mul => return self.arithmetic(expr, Arith::Mul, l, r),
            Binary::Div => return self.arithmetic(expr, Arith::Div, l, r),
            Binary::Rem => return self.arithmetic(expr, Arith::Rem, l, r),
            _ => self.check_comparison(expr, operator, &l.of, &r.of),
        }
        let pair = Box::new((l.node, r.node));
        let op = match operator {
            Binary::Differ => Op::Differ(pair),
            Binary::Less => Op::Order(Order::Less, pair),
            Binary::LessEqual => Op::Order(Order::LessEqual, pair),
            Binary::Greater => Op::Order(Order::Greater, pair),
            Binary::GreaterEqual => Op::Order(Order::GreaterEqual, pair),
            _ => Op::Equal(pair),
        };
        typed(expr, op, Type::Bool)
    }

    fn check_comparison(&mut self, expr: &Expr, operator: Binary, l: &Type, r: &Type) {
        let equality = matches!(operator, Binary::Equal | Binary::Differ);
        if !comparable(l, r) {
            let help = match (l, r) {
                (Type::Timestamp, Type::Str) | (Type::Str, Type::Timestamp) => Some("write `timestamp(\"...\")`".to_owned()),
                (Type::Duration, Type::Str) | (Type::Str, Type::Duration) => Some("write `duration(\"90d\")`".to_owned()),
                (Type::List(_), _) => Some("`x in list` asks whether an element is there".to_owned()),
                _ => None,
            };
            self.problem((expr.at, expr.end), format!("{l} is compared with {r}"), help);
        } else if let (false, Some(which)) = (equality, [l, r].into_iter().find(|of| unordered(of))) {
            self.problem((expr.at, expr.end), format!("{which} has no order"), None);
        }
    }

    fn contained(&mut self, expr: &Expr, l: Typed, r: Typed) -> Typed {
        let element = match &r.of {
            Type::List(element) => (**element).clone(),
            Type::Map(_) | Type::Object(_) => Type::Str,
            Type::Any => Type::Any,
            other => {
                let help = (*other == Type::Str).then(|| "a part of a text is found with `x.contains(\"...\")`".to_owned());
                self.problem((expr.at, expr.end), format!("`in` looks into a list or map, found {other}"), help);
                Type::Any
            }
        };
        if !comparable(&l.of, &element) {
            self.problem((expr.at, expr.end), format!("{} is looked for among {element}", l.of), None);
        }
        let hay = self.with_elements_read(r);
        typed(expr, Op::In(Box::new((l.node, hay))), Type::Bool)
    }

    fn arithmetic(&mut self, expr: &Expr, operator: Arith, l: Typed, r: Typed) -> Typed {
        use Type::{Any, Dec, Duration, Int, List, Str, Timestamp};
        let of = match (operator, &l.of, &r.of) {
            (_, Any, Any) => Some(Any),
            (Arith::Add, Any, other) | (Arith::Add, other, Any) if matches!(other, Str | List(_)) => Some(other.clone()),
            (Arith::Add | Arith::Sub, Any, _) | (Arith::Add | Arith::Sub, _, Any) => Some(Any),
            (_, Any, Int | Dec) | (_, Int | Dec, Any) => Some(Any),
            (_, Int, Int) => Some(Int),
            (Arith::Rem, _, _) => None,
            (_, Int | Dec, Int | Dec) => Some(Dec),
            (Arith::Add, Str, Str) => Some(Str),
            (Arith::Add, List(_), List(_)) => Some(l.of.clone().join(r.of.clone())),
            (Arith::Add, Timestamp, Duration) | (Arith::Add, Duration, Timestamp) | (Arith::Sub, Timestamp, Duration) => {
                Some(Timestamp)
            }
            (Arith::Sub, Timestamp, Timestamp) | (Arith::Add | Arith::Sub, Duration, Duration) => Some(Duration),
            _ => None,
        };
        if of.is_none() {
            self.problem((expr.at, expr.end), format!("`{operator}` does not take {} and {}", l.of, r.of), None);
        }
        typed(expr, Op::Arith(operator, Box::new((l.node, r.node))), of.unwrap_or(Any))
    }

    /// Brings a loop variable into scope; false if there are too many.
    fn enter(&mut self, name: &Ident, of: Type, origin: Origin) -> bool {
        if self.variables.len() >= VARIABLES_MAX {
            let message = format!("more than {VARIABLES_MAX} loops inside one another");
            self.problem((name.at, name.end), message, None);
            return false;
        }
        self.variables.push(Variable { name: name.text.clone(), of, origin });
        true
    }
}

impl Origin {
    fn step(&self, step: &str) -> Origin {
        match self {
            Origin::Path(relation, path) => {
                let path = format!("{path}{step}");
                Origin::Path(relation.clone(), path.trim_start_matches('.').to_owned())
            }
            Origin::Elsewhere => Origin::Elsewhere,
        }
    }
}

fn typed(expr: &Expr, op: Op, of: Type) -> Typed {
    Typed { node: Node { at: expr.at, end: expr.end, op }, of, origin: Origin::Elsewhere }
}

fn constant(node: &Node) -> Option<Value> {
    match &node.op {
        Op::Const(value) => Some(value.clone()),
        _ => None,
    }
}

fn comparable(a: &Type, b: &Type) -> bool {
    let numbers = matches!(a, Type::Int | Type::Dec) && matches!(b, Type::Int | Type::Dec);
    numbers || a.fits(b) || b.fits(a)
}

fn unordered(of: &Type) -> bool {
    matches!(of, Type::Null | Type::List(_) | Type::Map(_) | Type::Object(_) | Type::Resource(_))
}
