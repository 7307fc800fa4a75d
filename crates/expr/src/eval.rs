//! Evaluation in three values.
//!
//! Every operator is monotone in Kleene's order: an input replaced by an unknown may turn the answer into unknown, never into
//! the other answer. Nothing fails: what has no value (a division by zero, text where a number must be) is unknown, with a
//! reason that quotes the expression.

pub(crate) mod arena;
mod call;
mod equal;
mod list;
mod load;
mod net;
mod number;
mod pattern;
mod secret;
mod text;
pub(crate) mod time;
pub(crate) mod val;

pub(crate) use self::load::link_text as load_link_text;

use std::cell::Cell;

use model::{Map, Reason, Text, Unknown, Value};

use self::arena::Arena;
use self::list::Seq;
use self::val::{Item, Items, Tri, Val, Why};
use crate::Env;
use crate::limit::{ELEMENTS_MAX, VARIABLES_MAX};
use crate::node::{Meta, Node, Op};

/// One evaluation.
pub(crate) struct Eval<'e> {
    env: &'e (dyn Env + 'e),
    arena: &'e Arena<'e>,
    source: &'e str,
    variables: [Cell<Val<'e>>; VARIABLES_MAX],
    budget: Cell<u32>,
}

impl<'e> Eval<'e> {
    pub(crate) fn new(env: &'e (dyn Env + 'e), arena: &'e Arena<'e>, source: &'e str) -> Eval<'e> {
        let variables = [const { Cell::new(Val::Null) }; VARIABLES_MAX];
        Eval { env, arena, source, variables, budget: Cell::new(ELEMENTS_MAX) }
    }

    pub(crate) fn eval(&self, node: &'e Node) -> Val<'e> {
        match &node.op {
            Op::Const(value) => self.val(value),
            Op::Time(time) => Val::Time(*time),
            Op::Dur(duration) => Val::Dur(*duration),
            Op::This => Val::Resource(self.env.this()),
            Op::Now => Val::Time(self.env.now()),
            Op::Param(name, want) => {
                let value = self.arena.values.put(self.env.param(name));
                self.read(self.val(value), *want, node)
            }
            Op::Var(slot) => self.variables.get(*slot).map_or(Val::Null, Cell::get),
            Op::Property(name, want) => self.load(self.env.property(self.env.this(), name), *want, node),
            Op::Select(target, name, want) => {
                let found = self.member(self.eval(target), name, node);
                self.read(found, *want, node)
            }
            Op::Meta(target, meta) => self.meta(self.eval(target), *meta, node),
            Op::Index(pair, want) => {
                let found = self.index(self.eval(&pair.0), self.eval(&pair.1), node);
                self.read(found, *want, node)
            }
            Op::Neg(inner) => self.negative(self.eval(inner), node),
            Op::Cond(parts) => self.conditional(parts),
            Op::Arith(operator, pair) => self.arithmetic(*operator, self.eval(&pair.0), self.eval(&pair.1), node),
            Op::List(nodes) => {
                let list = nodes.iter().map(|n| Item::sure(self.eval(n))).collect();
                Val::Items(self.arena.items.put(Items { list, rest: None }))
            }
            Op::Map(entries) => self.map(entries, node),
            Op::Loop(repeat) => self.repeat(repeat, node),
            Op::Related(target, name) => self.related(self.eval(target), name, node),
            Op::Fact(name, args) => self.fact(name, args),
            Op::Call(fun, args) => self.call(*fun, args, node),
            Op::And(_)
            | Op::Or(_)
            | Op::Not(_)
            | Op::Equal(_)
            | Op::Differ(_)
            | Op::Order(..)
            | Op::In(_)
            | Op::Matches(_)
            | Op::Has(_) => self.truth(node).val(),
        }
    }

    pub(crate) fn truth(&self, node: &'e Node) -> Tri<'e> {
        match &node.op {
            Op::And(parts) => self.every(parts, Tri::Yes),
            Op::Or(parts) => self.every(parts, Tri::No),
            Op::Not(inner) => self.truth(inner).not(),
            Op::Equal(pair) => self.equal(self.eval(&pair.0), self.eval(&pair.1), 0),
            Op::Differ(pair) => self.equal(self.eval(&pair.0), self.eval(&pair.1), 0).not(),
            Op::Order(order, pair) => self.order(*order, self.eval(&pair.0), self.eval(&pair.1), node),
            Op::In(pair) => self.contained(self.eval(&pair.0), self.eval(&pair.1), node),
            Op::Matches(matches) => self.matches(self.eval(&matches.0), &matches.1, node),
            Op::Has(inner) => self.is_null(self.eval(inner)).not(),
            _ => self.as_truth(self.eval(node), node),
        }
    }

    /// Conjunction with `neutral` yes, disjunction with `neutral` no.
    fn every(&self, parts: &'e [Node], neutral: Tri<'e>) -> Tri<'e> {
        let conjunction = matches!(neutral, Tri::Yes);
        let mut open: Option<Why<'e>> = None;
        for part in parts {
            match (self.truth(part), conjunction) {
                (Tri::No, true) => return Tri::No,
                (Tri::Yes, false) => return Tri::Yes,
                (Tri::Open(why), _) => open = Some(open.map_or(why, |o| o.with(why, self.arena))),
                _ => {}
            }
        }
        open.map_or(neutral, Tri::Open)
    }

    /// What a condition makes of a value.
    fn as_truth(&self, val: Val<'e>, node: &'e Node) -> Tri<'e> {
        match self.settle(val) {
            Val::Bool(b) => b.into(),
            Val::Str(s) if s.eq_ignore_ascii_case("true") => Tri::Yes,
            Val::Str(s) if s.eq_ignore_ascii_case("false") => Tri::No,
            Val::Unknown(why) => Tri::Open(why),
            Val::Null => Tri::Open(self.unset(node)),
            open @ (Val::Link(_) | Val::Mixed(_)) => Tri::Open(self.open(open)),
            _ => Tri::Open(self.malformed(node, "true or false")),
        }
    }

    fn is_null(&self, val: Val<'e>) -> Tri<'e> {
        match val {
            Val::Null => Tri::Yes,
            Val::Unknown(why) if !why.present() => Tri::Open(why),
            _ => Tri::No,
        }
    }

    fn conditional(&self, parts: &'e [Node; 3]) -> Val<'e> {
        let [test, yes, no] = parts;
        match self.truth(test) {
            Tri::Yes => self.eval(yes),
            Tri::No => self.eval(no),
            Tri::Open(why) => {
                let (yes, no) = (self.eval(yes), self.eval(no));
                if let Tri::Yes = self.equal(yes, no, 0) {
                    return yes;
                }
                let why = [yes, no].into_iter().fold(why, |why, branch| match branch {
                    Val::Unknown(more) => why.with(more, self.arena),
                    _ => why,
                });
                let set = [yes, no].into_iter().all(|branch| matches!(self.is_null(branch), Tri::No));
                Val::Unknown(why.set(set, self.arena))
            }
        }
    }

    fn map(&self, entries: &'e [(Node, Node)], node: &'e Node) -> Val<'e> {
        let mut map = Map::new();
        for (key, value) in entries {
            let key = match self.text(self.eval(key), node) {
                Ok(key) => key,
                Err(why) => return Val::Unknown(why),
            };
            map.insert(Text::from(key), self.to_value(self.eval(value)));
        }
        self.val(self.arena.values.put(Value::Map(map)))
    }

    fn related(&self, target: Val<'e>, name: &'e str, node: &'e Node) -> Val<'e> {
        let resource = match target {
            Val::Resource(resource) => resource,
            Val::Null => return Val::Null,
            other => return self.misfit(other, node, "a resource"),
        };
        let found = self.env.related(resource, name);
        let rest = found.incomplete.map(|unknown| Why::One(self.arena.unknowns.put(unknown)));
        let list = found.items.into_iter().map(|r| Item::sure(Val::Resource(r))).collect();
        Val::Items(self.arena.items.put(Items { list, rest }))
    }

    fn fact(&self, name: &'e str, args: &'e [Node]) -> Val<'e> {
        let mut values = Vec::with_capacity(args.len());
        let mut open: Option<Why<'e>> = None;
        for arg in args {
            let val = self.eval(arg);
            let val = match val {
                Val::Items(items) if items.uncertain().is_some() => items.uncertain().map_or(val, Val::Unknown),
                val => val,
            };
            match val {
                Val::Unknown(why) => open = Some(open.map_or(why, |o| o.with(why, self.arena))),
                val => {
                    let elements = Seq::of_list(val).len();
                    match self.charge(elements) {
                        Ok(()) => values.push(self.to_value(val)),
                        Err(why) => open = Some(why),
                    }
                }
            }
        }
        match open {
            Some(why) => Val::Unknown(why.set(false, self.arena)),
            None => self.val(self.arena.values.put(self.env.fact(name, &values))),
        }
    }

    fn meta(&self, target: Val<'e>, meta: Meta, node: &'e Node) -> Val<'e> {
        let resource = match target {
            Val::Resource(resource) => resource,
            Val::Null => return Val::Null,
            other => return self.misfit(other, node, "a resource"),
        };
        let text = match meta {
            Meta::Id => Some(&*resource.id),
            Meta::Type => Some(resource.type_name.as_str()),
            Meta::Name => resource.name.as_deref(),
            Meta::Account => resource.account.as_ref().map(|a| a.as_str()),
            Meta::Region => resource.region.as_ref().map(|r| r.as_str()),
            Meta::Tags => return self.tags(resource, node),
        };
        match (text, meta) {
            (Some(text), _) => Val::Str(text),
            (None, Meta::Account) => self.not_collected("the resource's account", true),
            (None, Meta::Region) => self.not_collected("the resource's region", false),
            (None, _) => self.not_collected("the resource's name", true),
        }
    }

    fn not_collected(&self, what: &str, present: bool) -> Val<'e> {
        Val::Unknown(self.why(Reason::NotCollected, what, present))
    }

    /// A new reason.
    fn why(&self, reason: Reason, what: &str, present: bool) -> Why<'e> {
        Why::One(self.arena.unknowns.put(Unknown { reason, what: Text::from(what), present }))
    }

    /// The expression's text for a reason, shortened to 80 characters.
    fn quote(&self, node: &'e Node) -> String {
        let text = self.source.get(node.at as usize..node.end as usize).unwrap_or_default();
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        match text.char_indices().nth(80) {
            Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
            None => text,
        }
    }

    /// An operation met null where it needs a value.
    fn unset(&self, node: &'e Node) -> Why<'e> {
        self.why(Reason::Unsupported, &format!("`{}` needs a value that is set", self.quote(node)), false)
    }

    /// An operation met a value of another shape than `wanted`.
    fn malformed(&self, node: &'e Node, wanted: &str) -> Why<'e> {
        self.why(Reason::Malformed, &format!("`{}` meets something that is not {wanted}", self.quote(node)), true)
    }

    /// An operation has no result: overflow, division by zero.
    fn undefined(&self, node: &'e Node, what: &str) -> Val<'e> {
        Val::Unknown(self.why(Reason::Unsupported, &format!("`{}`: {what}", self.quote(node)), true))
    }

    fn limit(&self, what: String) -> Why<'e> {
        self.why(Reason::Unsupported, &what, false)
    }

    /// The answer where a value of the shape `wanted` was needed and `val` isn't one.
    fn misfit(&self, val: Val<'e>, node: &'e Node, wanted: &str) -> Val<'e> {
        Val::Unknown(match val {
            Val::Unknown(why) => why.set(false, self.arena),
            Val::Null => self.unset(node),
            Val::Link(_) | Val::Mixed(_) => self.open(val).set(false, self.arena),
            _ => self.malformed(node, wanted),
        })
    }

    /// Pays for `elements`; the reason if the budget is spent.
    fn charge(&self, elements: usize) -> Result<(), Why<'e>> {
        let elements = u32::try_from(elements).unwrap_or(u32::MAX);
        match self.budget.get().checked_sub(elements) {
            Some(left) => {
                self.budget.set(left);
                Ok(())
            }
            None => {
                self.budget.set(0);
                Err(self.limit(format!("limit of {ELEMENTS_MAX} list elements in one evaluation")))
            }
        }
    }

    /// What would have to be known; nothing for a known value.
    pub(crate) fn reasons(&self, val: Val<'e>) -> Vec<Unknown> {
        match val {
            Val::Unknown(why) => why.owned(),
            Val::Items(items) => items.uncertain().map(|why| why.owned()).unwrap_or_default(),
            Val::PartMap(part) => part.rest.owned(),
            _ => Vec::new(),
        }
    }
}
