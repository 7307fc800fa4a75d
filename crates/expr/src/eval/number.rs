//! Order and arithmetic.

use std::cmp::Ordering;

use super::equal::{bounds, order_mixed};
use super::val::{Item, Items, Tri, Val, Why};
use super::{Eval, time};
use crate::limit::TEXT_BYTES_MAX;
use crate::node::{Arith, Node, Order};
use model::Value;

impl<'e> Eval<'e> {
    /// `a < b` and its kin. Null has no order: the answer is unknown, because either guess would be wrong somewhere.
    pub(super) fn order(&self, order: Order, a: Val<'e>, b: Val<'e>, node: &'e Node) -> Tri<'e> {
        match self.compare(a, b, node) {
            Ok(found) => holds(order, found).into(),
            Err(why) => {
                if let (Some(a), Some(b)) = (bounds(a), bounds(b)) {
                    let (yes, no) = match order {
                        Order::Less => (a.1 < b.0, a.0 >= b.1),
                        Order::LessEqual => (a.1 <= b.0, a.0 > b.1),
                        Order::Greater => (a.0 > b.1, a.1 <= b.0),
                        Order::GreaterEqual => (a.0 >= b.1, a.1 < b.0),
                    };
                    if yes || no {
                        return yes.into();
                    }
                }
                Tri::Open(why)
            }
        }
    }

    /// The order of two values, or why there is none.
    pub(super) fn compare(&self, a: Val<'e>, b: Val<'e>, node: &'e Node) -> Result<Ordering, Why<'e>> {
        let (a, b) = (self.settle(a), self.settle(b));
        let found = match (a, b) {
            (Val::Int(x), Val::Int(y)) => Some(x.cmp(&y)),
            (Val::Int(n), Val::Dec(d)) => order_mixed(n, d),
            (Val::Dec(d), Val::Int(n)) => order_mixed(n, d).map(Ordering::reverse),
            (Val::Dec(x), Val::Dec(y)) => x.partial_cmp(&y),
            (Val::Str(x), Val::Str(y)) => Some(x.cmp(y)),
            (Val::Bool(x), Val::Bool(y)) => Some(x.cmp(&y)),
            (Val::Time(x), Val::Time(y)) => Some(x.cmp(&y)),
            (Val::Time(x), Val::Str(y)) => time::timestamp(y).map(|y| x.cmp(&y)),
            (Val::Str(x), Val::Time(y)) => time::timestamp(x).map(|x| x.cmp(&y)),
            (Val::Dur(x), Val::Dur(y)) => Some(x.cmp(&y)),
            (Val::Dur(x), Val::Str(y)) => time::duration(y).map(|y| x.cmp(&y)),
            (Val::Str(x), Val::Dur(y)) => time::duration(x).map(|x| x.cmp(&y)),
            (Val::Int(_) | Val::Dec(_), Val::Str(y)) => return self.compare(a, self.number(y, node)?, node),
            (Val::Str(x), Val::Int(_) | Val::Dec(_)) => return self.compare(self.number(x, node)?, b, node),
            _ => return Err(self.blame(a, b, node)),
        };
        found.ok_or_else(|| self.malformed(node, "comparable"))
    }

    fn number(&self, text: &str, node: &'e Node) -> Result<Val<'e>, Why<'e>> {
        match (text.parse(), text.parse::<f64>()) {
            (Ok(n), _) => Ok(Val::Int(n)),
            (_, Ok(d)) if d.is_finite() => Ok(Val::Dec(d)),
            _ => Err(self.malformed(node, "a number")),
        }
    }

    /// Why an operation on these two has no result.
    fn blame(&self, a: Val<'e>, b: Val<'e>, node: &'e Node) -> Why<'e> {
        let open = [a, b].into_iter().filter(|v| matches!(v, Val::Unknown(_) | Val::Link(_) | Val::Mixed(_)));
        match open.map(|v| self.open(v)).reduce(|x, y| x.with(y, self.arena)) {
            Some(why) => why.set(false, self.arena),
            None if matches!(a, Val::Null) || matches!(b, Val::Null) => self.unset(node),
            None => self.malformed(node, "of the right kind"),
        }
    }

    pub(super) fn negative(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        match self.settle(val) {
            Val::Int(n) => n.checked_neg().map_or_else(|| self.undefined(node, "the number is too large"), Val::Int),
            Val::Dec(d) => Val::Dec(-d),
            Val::Dur(d) => Val::Dur(-d),
            other => self.misfit(other, node, "a number"),
        }
    }

    pub(super) fn arithmetic(&self, operator: Arith, a: Val<'e>, b: Val<'e>, node: &'e Node) -> Val<'e> {
        let (a, b) = (self.settle(a), self.settle(b));
        match (operator, a, b) {
            (_, Val::Int(x), Val::Int(y)) => self.whole_arithmetic(operator, x, y, node),
            (_, Val::Int(x), Val::Dec(y)) => self.decimal_arithmetic(operator, x as f64, y, node),
            (_, Val::Dec(x), Val::Int(y)) => self.decimal_arithmetic(operator, x, y as f64, node),
            (_, Val::Dec(x), Val::Dec(y)) => self.decimal_arithmetic(operator, x, y, node),
            (Arith::Add, Val::Str(_) | Val::Link(_) | Val::Mixed(_), Val::Str(_) | Val::Link(_) | Val::Mixed(_)) => {
                self.concat_texts(a, b, node)
            }
            (Arith::Add, Val::List(_) | Val::Items(_), Val::List(_) | Val::Items(_) | Val::Null)
            | (Arith::Add, Val::Null, Val::List(_) | Val::Items(_)) => self.concat_lists(a, b, node),
            (Arith::Add, Val::Time(t), Val::Dur(d)) | (Arith::Add, Val::Dur(d), Val::Time(t)) => {
                t.checked_add(d).map_or_else(|_| self.undefined(node, "the time is out of range"), Val::Time)
            }
            (Arith::Sub, Val::Time(t), Val::Dur(d)) => {
                t.checked_sub(d).map_or_else(|_| self.undefined(node, "the time is out of range"), Val::Time)
            }
            (Arith::Sub, Val::Time(x), Val::Time(y)) => Val::Dur(x.duration_since(y)),
            (Arith::Add, Val::Dur(x), Val::Dur(y)) => {
                x.checked_add(y).map_or_else(|| self.undefined(node, "the duration is out of range"), Val::Dur)
            }
            (Arith::Sub, Val::Dur(x), Val::Dur(y)) => {
                x.checked_sub(y).map_or_else(|| self.undefined(node, "the duration is out of range"), Val::Dur)
            }
            _ => Val::Unknown(self.blame(a, b, node)),
        }
    }

    fn whole_arithmetic(&self, operator: Arith, x: i64, y: i64, node: &'e Node) -> Val<'e> {
        let made = match operator {
            Arith::Add => x.checked_add(y),
            Arith::Sub => x.checked_sub(y),
            Arith::Mul => x.checked_mul(y),
            Arith::Div | Arith::Rem if y == 0 => return self.undefined(node, "division by zero"),
            Arith::Div => x.checked_div(y),
            Arith::Rem => x.checked_rem(y),
        };
        made.map_or_else(|| self.undefined(node, "the number is too large"), Val::Int)
    }

    fn decimal_arithmetic(&self, operator: Arith, x: f64, y: f64, node: &'e Node) -> Val<'e> {
        let made = match operator {
            Arith::Add => x + y,
            Arith::Sub => x - y,
            Arith::Mul => x * y,
            Arith::Div if y == 0.0 => return self.undefined(node, "division by zero"),
            Arith::Div => x / y,
            Arith::Rem => return Val::Unknown(self.malformed(node, "a whole number")),
        };
        if made.is_finite() { Val::Dec(made) } else { self.undefined(node, "the number is too large") }
    }

    fn concat_texts(&self, a: Val<'e>, b: Val<'e>, node: &'e Node) -> Val<'e> {
        if let (Val::Str(x), Val::Str(y)) = (a, b) {
            return match self.charge_text(x.len() + y.len()) {
                Ok(()) => self.made_text(format!("{x}{y}")),
                Err(why) => Val::Unknown(why),
            };
        }
        let pieces: Vec<Value> = [a, b]
            .into_iter()
            .flat_map(|val| match val {
                Val::Mixed(pieces) => pieces.to_vec(),
                other => vec![self.to_value(other)],
            })
            .collect();
        match self.charge(pieces.len()) {
            Ok(()) => self.val(self.arena.values.put(Value::Mixed(pieces))),
            Err(_) => Val::Unknown(self.blame(a, b, node)),
        }
    }

    fn concat_lists(&self, a: Val<'e>, b: Val<'e>, node: &'e Node) -> Val<'e> {
        let mut all = Items::default();
        for val in [a, b] {
            let seq = match self.seq(val, node) {
                Ok(seq) => seq,
                Err(why) => return Val::Unknown(why),
            };
            if let Err(why) = self.charge(seq.len()) {
                return Val::Unknown(why);
            }
            all.list.extend((0..seq.len()).filter_map(|i| seq.get(self, i)));
            all.add_rest(seq.rest(), self.arena);
        }
        Val::Items(self.arena.items.put(all))
    }

    /// Pays for text that is made or searched.
    pub(super) fn charge_text(&self, bytes: usize) -> Result<(), Why<'e>> {
        if bytes > TEXT_BYTES_MAX {
            return Err(self.limit(format!("limit of {TEXT_BYTES_MAX} bytes of text in one evaluation")));
        }
        self.charge(bytes / 64)
    }

    /// The least or greatest element; null of an empty list.
    pub(super) fn extreme(&self, list: Val<'e>, wanted: Ordering, node: &'e Node) -> Val<'e> {
        self.fold(list, node, |best, item| match best {
            Val::Null => Ok(item),
            best if self.compare(item, best, node)? == wanted => Ok(item),
            best => Ok(best),
        })
    }

    pub(super) fn sum(&self, list: Val<'e>, node: &'e Node) -> Val<'e> {
        let start = Val::Int(0);
        self.fold_from(start, list, node, |sum, item| Ok(self.arithmetic(Arith::Add, sum, item, node)))
    }

    fn fold(&self, list: Val<'e>, node: &'e Node, step: impl Fn(Val<'e>, Val<'e>) -> Result<Val<'e>, Why<'e>>) -> Val<'e> {
        self.fold_from(Val::Null, list, node, step)
    }

    fn fold_from(
        &self,
        start: Val<'e>,
        list: Val<'e>,
        node: &'e Node,
        step: impl Fn(Val<'e>, Val<'e>) -> Result<Val<'e>, Why<'e>>,
    ) -> Val<'e> {
        let fold = || -> Result<Val<'e>, Why<'e>> {
            let seq = self.seq(list, node)?;
            if let Some(why) = seq.uncertain(self) {
                return Err(why);
            }
            self.charge(seq.len())?;
            let mut made = start;
            for i in 0..seq.len() {
                let Some(Item { val, .. }) = seq.get(self, i) else { break };
                match val {
                    Val::Unknown(why) => return Err(why),
                    Val::Null => {}
                    val => made = step(made, val)?,
                }
            }
            Ok(made)
        };
        fold().unwrap_or_else(|why| Val::Unknown(why.set(false, self.arena)))
    }
}

fn holds(order: Order, found: Ordering) -> bool {
    match order {
        Order::Less => found.is_lt(),
        Order::LessEqual => found.is_le(),
        Order::Greater => found.is_gt(),
        Order::GreaterEqual => found.is_ge(),
    }
}
