//! Calls: loops, functions, relations and facts.

use std::str::FromStr;

use model::Text;
use regex::RegexBuilder;

use super::{Checker, Origin, Typed, typed};
use crate::function::{FUNCTIONS, Fun, Function, Kind, SPECIAL, find};
use crate::limit::{REGEX_BYTES_MAX, VARIABLES_MAX};
use crate::node::{Loop, LoopKind, Node, Op, Want};
use crate::problem::nearest;
use crate::syntax::{Expr, Form, Ident};
use crate::types::NameKind;
use crate::{Signature, Type};

impl Checker<'_> {
    pub(super) fn call(&mut self, expr: &Expr, target: Option<&Expr>, name: &Ident, args: &[Expr]) -> Typed {
        if let (Some(target), Some(kind)) = (target, loop_kind(&name.text)) {
            return self.repeat(expr, kind, target, name, args);
        }
        if let Some(fact) = self.fact_name(target, name)
            && let Some(signature) = self.names.fact(&fact)
        {
            return self.fact(expr, fact, &signature, args);
        }
        let all: Vec<&Expr> = target.into_iter().chain(args).collect();
        match name.text.as_str() {
            "has" => self.has(expr, &all),
            "related" => self.related(expr, target, name, args),
            "matches" => self.matches(expr, name, &all),
            "duration" | "timestamp" if self.names.property(&name.text).is_none() => self.moment(expr, name, &all),
            text => match find(text) {
                Some(function) => self.function(expr, function, name, &all),
                None => self.unknown_call(expr, target, name),
            },
        }
    }

    /// The dotted name, if the call can be one of a fact: `iam.public(...)`.
    fn fact_name(&self, target: Option<&Expr>, name: &Ident) -> Option<String> {
        let Some(target) = target else { return Some(name.text.clone()) };
        let mut path = vec![name.text.as_str()];
        let mut at = target;
        loop {
            match &at.kind {
                Form::Select(inner, name) => {
                    path.push(&name.text);
                    at = inner;
                }
                Form::Name(root) => {
                    let taken = self.variables.iter().any(|v| v.name == *root);
                    path.push(root);
                    path.reverse();
                    return (!taken).then(|| path.join("."));
                }
                _ => return None,
            }
        }
    }

    fn fact(&mut self, expr: &Expr, name: String, signature: &Signature, args: &[Expr]) -> Typed {
        let most = signature.args.len();
        if args.len() < signature.required || args.len() > most {
            self.count(expr, &name, signature.required, most, args.len());
        }
        let nodes = args
            .iter()
            .enumerate()
            .map(|(i, arg)| match signature.args.get(i) {
                Some(wanted) => self.wanted(arg, wanted).node,
                None => self.expr(arg).node,
            })
            .collect();
        self.reads.facts.insert(name.clone());
        typed(expr, Op::Fact(Text::from(name), nodes), signature.result.clone())
    }

    fn count(&mut self, expr: &Expr, name: &str, least: usize, most: usize, found: usize) {
        let wanted = if least == most { format!("{least}") } else { format!("{least} to {most}") };
        let message = format!("`{name}` takes {wanted} argument{}, found {found}", if most == 1 { "" } else { "s" });
        self.problem((expr.at, expr.end), message, None);
    }

    fn unknown_call(&mut self, expr: &Expr, target: Option<&Expr>, name: &Ident) -> Typed {
        let facts = self.names.list(NameKind::Fact);
        let dotted = self.fact_name(target, name).unwrap_or_else(|| name.text.clone());
        let namespace = dotted.rsplit_once('.').map(|(space, _)| format!("{space}."));
        let is_fact = namespace.is_some_and(|space| facts.iter().any(|f| f.starts_with(&space)));
        let (message, near) = if is_fact {
            (format!("no fact `{dotted}`"), nearest(&dotted, facts.iter().map(String::as_str)))
        } else {
            let functions = FUNCTIONS.iter().map(|f| f.name).chain(SPECIAL.iter().copied());
            let near = nearest(&name.text, functions.chain(facts.iter().map(String::as_str)));
            (format!("no function `{}`", name.text), near)
        };
        let help = near.map(|near| format!("did you mean `{near}`?"));
        self.problem((name.at, name.end), message, help);
        if !is_fact && let Some(target) = target {
            self.expr(target);
        }
        self.wrong(expr)
    }

    fn has(&mut self, expr: &Expr, args: &[&Expr]) -> Typed {
        let [arg] = args else {
            self.count(expr, "has", 1, 1, args.len());
            return self.wrong(expr);
        };
        if !matches!(arg.kind, Form::Select(..) | Form::Name(_) | Form::Index(..)) {
            self.problem((arg.at, arg.end), "`has` takes a property: `has(x.Name)`".to_owned(), None);
        }
        let arg = self.expr(arg);
        typed(expr, Op::Has(Box::new(arg.node)), Type::Bool)
    }

    fn related(&mut self, expr: &Expr, target: Option<&Expr>, name: &Ident, args: &[Expr]) -> Typed {
        let [Expr { kind: Form::Str(relation), at, end, .. }] = args else {
            let message = "`related` takes the name of a relation, in quotes".to_owned();
            self.problem((name.at, name.end), message, None);
            return self.wrong(expr);
        };
        let (node, element) = match target {
            Some(Expr { kind: Form::Name(own), .. }) if own == "self" => (None, self.names.relation(relation)),
            None => (None, self.names.relation(relation)),
            Some(target) => {
                let target = self.expr(target);
                let element = match &target.of {
                    Type::Resource(fields) => self.names.relation_of(&fields.name, relation),
                    _ => None,
                };
                (Some(target.node), element)
            }
        };
        let Some(element) = element else {
            let known = self.names.list(NameKind::Relation);
            let near = nearest(relation, known.iter().map(String::as_str));
            let help = near.map(|near| format!("did you mean `related(\"{near}\")`?"));
            self.problem((*at, *end), format!("no relation `{relation}`"), help);
            return self.wrong(expr);
        };
        let node = node.unwrap_or(Node { at: expr.at, end: expr.end, op: Op::This });
        self.reads.relations.insert(relation.clone());
        let origin = Origin::Path(Some(relation.clone()), String::new());
        let op = Op::Related(Box::new(node), Text::from(relation.as_str()));
        Typed { origin, ..typed(expr, op, Type::list(element)) }
    }

    fn matches(&mut self, expr: &Expr, name: &Ident, args: &[&Expr]) -> Typed {
        let [text, Expr { kind: Form::Str(pattern), at, end, .. }] = args else {
            let message = "`matches` takes a text and a pattern in quotes".to_owned();
            self.problem((name.at, name.end), message, Some("`x.matches(r\"^a.*z$\")`".to_owned()));
            return self.wrong(expr);
        };
        let text = self.wanted(text, &Type::Str);
        match RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build() {
            Ok(regex) => typed(expr, Op::Matches(Box::new((text.node, regex))), Type::Bool),
            Err(regex::Error::CompiledTooBig(_)) => {
                let message = format!("this pattern needs more than {REGEX_BYTES_MAX} bytes");
                self.problem((*at, *end), message, None);
                self.wrong(expr)
            }
            Err(error) => {
                let words = error.to_string();
                let last = words.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                self.problem((*at, *end), format!("not a regular expression: {last}"), None);
                self.wrong(expr)
            }
        }
    }

    /// `duration("90d")` and `timestamp("...")` of literals are made here, so that a mistake in them is found here.
    fn moment(&mut self, expr: &Expr, name: &Ident, args: &[&Expr]) -> Typed {
        if let [Expr { kind: Form::Str(text), at, end, .. }] = args {
            let made = if name.text == "duration" {
                crate::eval::time::duration(text).map(|d| (Op::Dur(d), Type::Duration))
            } else {
                crate::eval::time::timestamp(text).map(|t| (Op::Time(t), Type::Timestamp))
            };
            return match made {
                Some((op, of)) => typed(expr, op, of),
                None if name.text == "duration" => {
                    let help = "parts are d, h, m, s, ms: `90d`, `1h30m`".to_owned();
                    self.problem((*at, *end), "not a duration".to_owned(), Some(help));
                    self.wrong(expr)
                }
                None => {
                    let help = "`2026-01-31T00:00:00Z` or `2026-01-31`".to_owned();
                    self.problem((*at, *end), "not a time".to_owned(), Some(help));
                    self.wrong(expr)
                }
            };
        }
        match find(&name.text) {
            Some(function) => self.function(expr, function, name, args),
            None => self.wrong(expr),
        }
    }

    fn function(&mut self, expr: &Expr, function: &Function, name: &Ident, args: &[&Expr]) -> Typed {
        let most = function.args.len();
        if args.len() < function.required || args.len() > most {
            self.count(expr, function.name, function.required, most, args.len());
            for arg in args {
                self.expr(arg);
            }
            return self.wrong(expr);
        }
        let mut nodes = Vec::with_capacity(args.len());
        let mut types = Vec::with_capacity(args.len());
        for (arg, kind) in args.iter().zip(function.args) {
            let typed = self.argument(arg, *kind, function, name);
            let by_value = matches!(function.fun, Fun::Min | Fun::Max | Fun::Sum | Fun::Distinct);
            types.push(typed.of.clone());
            nodes.push(if by_value { self.with_elements_read(typed) } else { typed.node });
        }
        let of = result(function.result, &types);
        typed(expr, Op::Call(function.fun, nodes.into_boxed_slice()), of)
    }

    fn argument(&mut self, arg: &Expr, kind: Kind, function: &Function, name: &Ident) -> Typed {
        let typed = self.expr(arg);
        let fits = match kind {
            Kind::Number => matches!(typed.of, Type::Int | Type::Dec | Type::Any | Type::Null),
            Kind::List => matches!(typed.of, Type::List(_) | Type::Any | Type::Null),
            Kind::Map => matches!(typed.of, Type::Map(_) | Type::Object(_) | Type::Any | Type::Null),
            kind => typed.of.fits(&result(kind, &[])),
        };
        if !fits {
            let help = match (function.fun, &typed.of) {
                (Fun::Contains, Type::List(_)) => Some("whether a list holds an element is written `x in list`".to_owned()),
                _ => None,
            };
            let message = format!("`{}` takes {} here, found {}", name.text, words(kind), typed.of);
            self.problem((arg.at, arg.end), message, help);
        }
        typed
    }

    /// A list whose elements are read as their declared type, as loops do by themselves.
    pub(super) fn with_elements_read(&self, list: Typed) -> Node {
        let want = match &list.of {
            Type::List(element) => Want::of(element),
            _ => Want::Any,
        };
        let slot = self.variables.len();
        if matches!(want, Want::Any | Want::List) || matches!(list.node.op, Op::Const(_)) || slot >= VARIABLES_MAX {
            return list.node;
        }
        let (at, end) = (list.node.at, list.node.end);
        let body = Some(Node { at, end, op: Op::Var(slot) });
        let kind = LoopKind::Map;
        Node { at, end, op: Op::Loop(Box::new(Loop { kind, range: list.node, slot, want, test: None, body, cost: 1 })) }
    }

    fn repeat(&mut self, expr: &Expr, kind: LoopKind, range: &Expr, name: &Ident, args: &[Expr]) -> Typed {
        let range = self.expr(range);
        let (variable, test, body) = match (kind, args) {
            (LoopKind::Map, [variable, body]) => (variable, None, Some(body)),
            (LoopKind::Map, [variable, test, body]) => (variable, Some(test), Some(body)),
            (LoopKind::Exists | LoopKind::All | LoopKind::ExistsOne | LoopKind::Filter, [variable, test]) => {
                (variable, Some(test), None)
            }
            _ => {
                let help = format!("`list.{}(x, ...)`", name.text);
                self.problem((name.at, name.end), format!("`{}` takes a name and an expression", name.text), Some(help));
                return self.wrong(expr);
            }
        };
        let Form::Name(bound) = &variable.kind else {
            self.problem((variable.at, variable.end), "expected a name for the elements".to_owned(), None);
            return self.wrong(expr);
        };
        let (element, origin) = match &range.of {
            Type::List(element) => ((**element).clone(), range.origin.step("[]")),
            Type::Map(_) | Type::Object(_) => (Type::Str, Origin::Elsewhere),
            Type::Any | Type::Null => (Type::Any, range.origin.step("[]")),
            other => {
                let message = format!("`{}` goes over a list or map, found {other}", name.text);
                self.problem((name.at, name.end), message, None);
                return self.wrong(expr);
            }
        };
        let origin = match origin {
            Origin::Path(Some(relation), path) => Origin::Path(Some(relation), path.trim_start_matches("[]").to_owned()),
            origin => origin,
        };
        let bound = Ident { at: variable.at, end: variable.end, text: bound.clone() };
        let slot = self.variables.len();
        if !self.enter(&bound, element.clone(), origin) {
            return self.wrong(expr);
        }
        let test = test.map(|test| self.wanted(test, &Type::Bool).node);
        let body = body.map(|body| self.expr(body));
        self.variables.pop();
        let of = match kind {
            LoopKind::Exists | LoopKind::All | LoopKind::ExistsOne => Type::Bool,
            LoopKind::Filter => Type::list(element.clone()),
            LoopKind::Map => Type::list(body.as_ref().map_or(Type::Any, |b| b.of.clone())),
        };
        let body = body.map(|b| b.node);
        let cost = 1 + (test.as_ref().map_or(0, Node::size) + body.as_ref().map_or(0, Node::size)) / 16;
        let want = Want::of(&element);
        let op = Op::Loop(Box::new(Loop { kind, range: range.node, slot, want, test, body, cost }));
        typed(expr, op, of)
    }
}

fn loop_kind(name: &str) -> Option<LoopKind> {
    LoopKind::from_str(name).ok()
}

impl FromStr for LoopKind {
    type Err = ();

    fn from_str(name: &str) -> Result<LoopKind, ()> {
        match name {
            "exists" => Ok(LoopKind::Exists),
            "all" => Ok(LoopKind::All),
            "exists_one" => Ok(LoopKind::ExistsOne),
            "filter" => Ok(LoopKind::Filter),
            "map" => Ok(LoopKind::Map),
            _ => Err(()),
        }
    }
}

/// The type that a kind stands for, given the arguments' types.
fn result(kind: Kind, args: &[Type]) -> Type {
    let first = args.first().cloned().unwrap_or(Type::Any);
    let element = |of: &Type| match of {
        Type::List(element) => (**element).clone(),
        _ => Type::Any,
    };
    match kind {
        Kind::Any => Type::Any,
        Kind::Bool => Type::Bool,
        Kind::Int => Type::Int,
        Kind::Number => Type::Dec,
        Kind::Str => Type::Str,
        Kind::Time => Type::Timestamp,
        Kind::Dur => Type::Duration,
        Kind::List => Type::list(Type::Any),
        Kind::StrList => Type::list(Type::Str),
        Kind::Map => Type::map(Type::Any),
        Kind::Resource => Type::any_resource(),
        Kind::First => first,
        Kind::Joined => args.iter().cloned().reduce(Type::join).unwrap_or(Type::Any),
        Kind::Element => element(&first),
        Kind::Flat => match element(&first) {
            list @ Type::List(_) => list,
            other => Type::list(other),
        },
        Kind::Listed => match first {
            list @ Type::List(_) => list,
            other => Type::list(other),
        },
        Kind::MapValues => match first {
            Type::Map(value) => Type::List(value),
            _ => Type::list(Type::Any),
        },
    }
}

fn words(kind: Kind) -> String {
    match kind {
        Kind::Number => "a number".to_owned(),
        Kind::List | Kind::StrList => "a list".to_owned(),
        Kind::Map => "a map".to_owned(),
        kind => result(kind, &[]).to_string(),
    }
}
