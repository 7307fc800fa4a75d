//! Conditions, in three values.

use model::{Reason, Span, Text, Unknown, Value};
use syntax::Node;

use super::evaluate::{Evaluator, Place};
use super::function::{Arg, Function, application};
use super::world::Choice;

/// A condition's value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Answer {
    True,
    False,
    /// Not known, because this is not.
    Unknown(Box<Unknown>),
}

impl Answer {
    fn unknown(reason: Reason, what: &str) -> Answer {
        Answer::Unknown(Box::new(Unknown { reason, what: Text::from(what), present: true }))
    }

    fn not(self) -> Answer {
        match self {
            Answer::True => Answer::False,
            Answer::False => Answer::True,
            unknown => unknown,
        }
    }
}

impl From<bool> for Answer {
    fn from(b: bool) -> Answer {
        if b { Answer::True } else { Answer::False }
    }
}

impl<'t> Evaluator<'t, '_> {
    /// The value of a condition by name.
    pub(crate) fn condition(&self, name: &Text, span: Span) -> Answer {
        let name = self.name(name);
        match self.conditions.borrow().get(&name) {
            Some(Some(answer)) => return answer.clone(),
            Some(None) => {
                self.malformed(&format!("condition `{name}`"), "depends on itself", span);
                return Answer::unknown(Reason::Malformed, &name);
            }
            None => {}
        }
        let Some(named) = self.template.conditions.get(&name) else {
            self.malformed(&format!("condition `{name}`"), "is not in `Conditions`", span);
            return Answer::unknown(Reason::Malformed, &name);
        };
        self.conditions.borrow_mut().insert(name.clone(), None);
        let outer = self.locals.replace(named.locals.clone());
        let answer = self.truth(named.node);
        self.locals.replace(outer);
        self.conditions.borrow_mut().insert(name, Some(answer.clone()));
        answer
    }

    /// The truth of a node that stands where a condition must.
    pub(crate) fn truth(&self, node: &'t Node) -> Answer {
        let Some(_level) = self.session.descend() else {
            self.malformed("condition", "conditions are nested too deep", node.span);
            return Answer::unknown(Reason::Unsupported, "condition");
        };
        if let Some((function, arg)) = application(node) {
            return self.truth_of(function, arg);
        }
        if let Some([entry]) = node.as_map()
            && &*entry.key == "Condition"
        {
            return self.truth_of(Function::Condition, Arg { node: &entry.node, tagged: false });
        }
        self.as_truth(self.value(node, Place::nowhere()), node.span)
    }

    pub(crate) fn truth_of(&self, function: Function, arg: Arg<'t>) -> Answer {
        match function {
            Function::Condition => match arg.text() {
                Some(name) => self.condition(name, arg.node.span),
                None => self.not_a_condition(arg.node.span),
            },
            Function::Not => match arg.list() {
                Some([one]) => self.truth(one).not(),
                _ => self.not_a_condition(arg.node.span),
            },
            Function::And | Function::Or => {
                let decides = if function == Function::And { Answer::False } else { Answer::True };
                let Some(items) = arg.list() else { return self.not_a_condition(arg.node.span) };
                let mut result = decides.clone().not();
                for item in items {
                    match self.truth(item) {
                        answer if answer == decides => return decides,
                        unknown @ Answer::Unknown(_) => result = unknown,
                        _ => {}
                    }
                }
                result
            }
            Function::Equals => match arg.list() {
                Some([a, b]) => self.equals(a, b),
                _ => self.not_a_condition(arg.node.span),
            },
            _ => self.as_truth(
                match function {
                    Function::Ref => self.reference(arg),
                    Function::FindInMap => Some(self.find_in_map(arg)),
                    Function::Select => self.select(arg),
                    _ => Some(self.not_a_value(arg)),
                },
                arg.node.span,
            ),
        }
    }

    fn not_a_value(&self, arg: Arg<'t>) -> Value {
        self.malformed("condition", "this function does not give a truth value", arg.node.span)
    }

    fn not_a_condition(&self, span: Span) -> Answer {
        self.malformed("condition", "is not a condition", span);
        Answer::unknown(Reason::Malformed, "condition")
    }

    fn as_truth(&self, value: Option<Value>, span: Span) -> Answer {
        match value {
            Some(Value::Unknown(why)) => Answer::Unknown(why),
            Some(value) => match value.as_bool() {
                Some(b) => b.into(),
                None => self.not_a_condition(span),
            },
            None => self.not_a_condition(span),
        }
    }

    /// `Fn::Equals`: CloudFormation compares what would be printed.
    pub(crate) fn equals(&self, a: &'t Node, b: &'t Node) -> Answer {
        if self.excluded(a, b) || self.excluded(b, a) {
            return Answer::False;
        }
        let (a, b) = (self.quiet(a).unwrap_or_default(), self.quiet(b).unwrap_or_default());
        if let Some(why) = undecided(&a).or_else(|| undecided(&b)) {
            return Answer::Unknown(Box::new(why));
        }
        match (printed(&a), printed(&b)) {
            (Some(a), Some(b)) => (a == b).into(),
            _ => (a == b).into(),
        }
    }

    /// True if `a` is a parameter that, in this world, has none of the texts it is compared with, and `b` is one of them.
    fn excluded(&self, a: &'t Node, b: &'t Node) -> bool {
        let Some((Function::Ref, arg)) = application(a) else { return false };
        let (Some(name), Some(literal), None) = (arg.text(), b.text(), &b.tag) else { return false };
        matches!(self.choices.get(&**name), Some(Choice::Other(literals)) if literals.contains(literal))
    }
}

/// A scalar as CloudFormation prints it.
fn printed(value: &Value) -> Option<std::borrow::Cow<'_, str>> {
    match value {
        Value::Str(text) => Some((&**text).into()),
        Value::Bool(b) => Some(b.to_string().into()),
        Value::Int(n) => Some(n.to_string().into()),
        Value::Dec(d) => Some(d.to_string().into()),
        _ => None,
    }
}

/// What in a value is not known before deploy.
pub(crate) fn undecided(value: &Value) -> Option<Unknown> {
    match value {
        Value::Unknown(why) => Some((**why).clone()),
        Value::Link(link) => {
            let what = if link.attr.is_empty() { link.target.clone() } else { format!("{}.{}", link.target, link.attr).into() };
            Some(Unknown { reason: Reason::DynamicReference, what, present: true })
        }
        Value::List(items) | Value::Mixed(items) => items.iter().find_map(undecided),
        Value::Map(map) => map.iter().find_map(|(_, v)| undecided(v)),
        _ => None,
    }
}
