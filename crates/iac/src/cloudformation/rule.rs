//! The `Rules` section: which choices of parameter values CloudFormation refuses before it makes anything.
//!
//! A choice is refused if the condition of a rule holds, or it has none, and one of its assertions does not. What is not known
//! refuses nothing. Source: the CloudFormation user guide's page on rules, and that on rule-specific functions.
//!
//! Absent on purpose: `Fn::ValueOf` and its like, which ask the account about parameters; they are not known.

use model::{Reason, Text, Unknown};
use syntax::Node;

use super::condition::Answer;
use super::evaluate::Evaluator;

/// True unless a rule certainly refuses the choice of values that the evaluator stands for.
pub(crate) fn allowed<'t>(evaluator: &Evaluator<'t, '_>, rules: &[&'t Node]) -> bool {
    rules.iter().all(|rule| {
        let applies = rule.get("RuleCondition").is_none_or(|condition| truth(evaluator, condition) == Answer::True);
        let assertions = rule.get("Assertions").and_then(Node::as_seq).unwrap_or_default();
        let broken = |a: &'t Node| a.get("Assert").is_some_and(|assert| truth(evaluator, assert) == Answer::False);
        !applies || !assertions.iter().any(broken)
    })
}

fn unknown() -> Answer {
    Answer::Unknown(Box::new(Unknown { reason: Reason::Unsupported, what: Text::from("rule"), present: true }))
}

/// The truth of a rule's expression.
fn truth<'t>(evaluator: &Evaluator<'t, '_>, node: &'t Node) -> Answer {
    let Some(_level) = evaluator.session.descend() else { return unknown() };
    let (name, arg) = match (&node.tag, node.as_map()) {
        (Some(tag), _) => (tag.trim_start_matches('!'), node),
        (None, Some([entry])) => (entry.key.strip_prefix("Fn::").unwrap_or_default(), &entry.node),
        _ => return unknown(),
    };
    let Some(items) = arg.as_seq() else { return unknown() };
    match (name, items) {
        ("And", items) => all(items.iter().map(|item| truth(evaluator, item))),
        ("Or", items) => any(items.iter().map(|item| truth(evaluator, item))),
        ("Not", [one]) => not(truth(evaluator, one)),
        ("Equals", [a, b]) => evaluator.equals(a, b),
        ("Contains", [list, value]) => match (&list.tag, list.as_seq()) {
            (None, Some(list)) => any(list.iter().map(|item| evaluator.equals(item, value))),
            _ => unknown(),
        },
        _ => unknown(),
    }
}

fn not(answer: Answer) -> Answer {
    match answer {
        Answer::True => Answer::False,
        Answer::False => Answer::True,
        unknown => unknown,
    }
}

fn any(answers: impl Iterator<Item = Answer>) -> Answer {
    answers.fold(Answer::False, |so_far, answer| match (so_far, answer) {
        (Answer::True, _) | (_, Answer::True) => Answer::True,
        (Answer::False, answer) => answer,
        (unknown, _) => unknown,
    })
}

fn all(answers: impl Iterator<Item = Answer>) -> Answer {
    not(any(answers.map(not)))
}
