//! A compiled expression.

use std::collections::BTreeSet;

use model::{Text, Truth, Unknown, Value};

use crate::check::Checker;
use crate::eval::{Eval, arena::Arena, val::Tri};
use crate::node::Node;
use crate::{Env, Names, Problem, Type};

/// What an expression reads. In source order sets would be unstable under reformatting, so all are sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    pub(crate) properties: BTreeSet<String>,
    pub(crate) related_properties: BTreeSet<(String, String)>,
    pub(crate) relations: BTreeSet<String>,
    pub(crate) facts: BTreeSet<String>,
    pub(crate) params: BTreeSet<String>,
}

/// A compiled expression: checked once, evaluated any number of times on any thread.
#[derive(Debug)]
pub struct Program {
    pub(crate) root: Node,
    pub(crate) source: Text,
    pub(crate) result: Type,
    pub(crate) reads: Reads,
}

/// The value of an expression.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The value; `Unknown` if it could not be known. Times are RFC 3339 text, durations text such as `90s`, resources links to
    /// them.
    pub value: Value,
    /// What would have to be known; empty for a known value. In order of evaluation, none twice, at most
    /// [`crate::limit::REASONS_MAX`].
    pub reasons: Vec<Unknown>,
}

/// Compiles an expression of any type.
///
/// # Errors
/// The first problem of syntax, or else every problem of names and types.
pub fn compile(source: &str, names: &dyn Names) -> Result<Program, Vec<Problem>> {
    let expr = crate::parse::parse(source).map_err(|problem| vec![problem])?;
    Checker::new(source, names).finish(&expr)
}

/// Compiles an expression that must be true or false: what a check states.
///
/// # Errors
/// As [`compile`]; also if the expression gives something else.
pub fn compile_predicate(source: &str, names: &dyn Names) -> Result<Program, Vec<Problem>> {
    let program = compile(source, names)?;
    match program.result {
        Type::Bool | Type::Any => Ok(program),
        ref other => {
            let problem = Problem::new(source, 0, source.len(), format!("this gives {other}, not true or false"));
            Err(vec![problem.help("compare it: `... == ...`, or ask whether it is set: `... != null`")])
        }
    }
}

impl Program {
    /// The source it was compiled from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The type of its value.
    pub fn result(&self) -> &Type {
        &self.result
    }

    /// The property paths read from the resource itself, sorted: `VersioningConfiguration.Status`, `Rules`, `Rules[].Status`
    /// (of any element).
    pub fn reads(&self) -> impl Iterator<Item = &str> {
        self.reads.properties.iter().map(String::as_str)
    }

    /// The property paths read from related resources, sorted: (relation, path).
    pub fn reads_related(&self) -> impl Iterator<Item = (&str, &str)> {
        self.reads.related_properties.iter().map(|(relation, path)| (relation.as_str(), path.as_str()))
    }

    /// The relations followed, sorted.
    pub fn relations(&self) -> impl Iterator<Item = &str> {
        self.reads.relations.iter().map(String::as_str)
    }

    /// The facts asked for, sorted.
    pub fn facts(&self) -> impl Iterator<Item = &str> {
        self.reads.facts.iter().map(String::as_str)
    }

    /// The configuration parameters read, sorted.
    pub fn params(&self) -> impl Iterator<Item = &str> {
        self.reads.params.iter().map(String::as_str)
    }

    /// The value for one resource.
    pub fn eval(&self, env: &dyn Env) -> Answer {
        let arena = Arena::default();
        let eval = Eval::new(env, &arena, &self.source);
        let val = eval.eval(&self.root);
        let reasons = eval.reasons(val);
        Answer { value: eval.to_value(val), reasons }
    }

    /// Whether it is true for one resource, and if that is unknown, what would have to be known: never empty then.
    pub fn truth(&self, env: &dyn Env) -> (Truth, Vec<Unknown>) {
        let arena = Arena::default();
        let eval = Eval::new(env, &arena, &self.source);
        match eval.truth(&self.root) {
            Tri::Yes => (Truth::True, Vec::new()),
            Tri::No => (Truth::False, Vec::new()),
            Tri::Open(why) => (Truth::Unknown, why.owned()),
        }
    }
}
