//! A check, ready for use.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use expr::{NameKind, Names, Program, Signature, Template, Type};
use model::{CheckId, Text, TypeName};

use crate::facts;
use crate::format::CheckFile;
use crate::kind::Kind;

/// A check, ready for use. Its expressions are compiled when it is first asked for.
#[derive(Debug)]
pub struct Check {
    /// Its id.
    pub id: CheckId,
    /// The type it judges.
    pub type_name: TypeName,
    /// The folder it lies in, `aws/s3/bucket`.
    pub folder: String,
    /// What its file says.
    pub file: CheckFile,
    compiled: OnceLock<Result<Compiled, Vec<CheckProblem>>>,
}

/// A check's expressions.
#[derive(Debug)]
pub struct Compiled {
    /// Which resources it is about.
    pub applies: Option<Program>,
    /// When it fails.
    pub logic: Logic,
    /// What is shown: the expression as written, and compiled.
    pub evidence: Vec<(Text, Program)>,
    /// The message.
    pub message: Template,
    /// When a failure is less grave, and the message then.
    pub lower: Option<(Program, Template)>,
}

impl Compiled {
    /// Every expression of the check, those in its message aside.
    pub fn programs(&self) -> Vec<&Program> {
        let logic = if let Logic::Expression(program) = &self.logic { Some(program) } else { None };
        self.applies.iter().chain(logic).chain(self.evidence.iter().map(|(_, program)| program)).collect()
    }
}

/// What decides.
#[derive(Debug)]
pub enum Logic {
    /// An expression.
    Expression(Program),
    /// A Rust function of `engine`, by name.
    Native(String),
}

/// What is wrong in a key of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckProblem {
    /// The key: `fail_when`, `message`, ...
    pub key: &'static str,
    /// The expression.
    pub source: String,
    /// Where in the expression, in bytes.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Check {
    pub(crate) fn new(id: CheckId, folder: String, type_name: TypeName, file: CheckFile) -> Check {
        Check { id, type_name, folder, file, compiled: OnceLock::new() }
    }

    /// The compiled expressions. Problems are those of a user's catalogue: the built-in one is compiled at build time.
    pub(crate) fn compiled(&self, kinds: &BTreeMap<TypeName, Arc<Kind>>) -> Result<&Compiled, &[CheckProblem]> {
        self.compiled.get_or_init(|| compile(self, kinds)).as_ref().map_err(Vec::as_slice)
    }
}

fn compile(check: &Check, kinds: &BTreeMap<TypeName, Arc<Kind>>) -> Result<Compiled, Vec<CheckProblem>> {
    let mut problems = Vec::new();
    let scope = Scope { kind: kinds.get(&check.type_name).map(|k| &**k), kinds, params: &check.file.params };
    let mut program = |key: &'static str, source: &str| {
        let compiled = match key {
            "evidence" => expr::compile(source, &scope),
            _ => expr::compile_predicate(source, &scope),
        };
        compiled.map_err(|found| problems.extend(found.into_iter().map(|p| CheckProblem::new(key, source, p)))).ok()
    };
    let applies = check.file.applies_when.as_deref().map(|s| program("applies_when", s));
    let logic = match (&check.file.fail_when, &check.file.native) {
        (Some(source), None) => program("fail_when", source).map(Logic::Expression),
        (None, Some(name)) => Some(Logic::Native(name.clone())),
        _ => None,
    };
    let lowers = check.file.lower.as_ref().map(|lower| program("lower.when", &lower.when));
    let evidence: Vec<_> =
        check.file.evidence.iter().filter_map(|s| Some((Text::from(s.as_str()), program("evidence", s)?))).collect();
    let mut template = |key: &'static str, source: &str| {
        let compiled = expr::compile_template(source, &scope);
        compiled.map_err(|found| problems.extend(found.into_iter().map(|p| CheckProblem::new(key, source, p)))).ok()
    };
    let message = template("message", &check.file.message);
    let lower = check.file.lower.as_ref().and_then(|lower| template("lower.message", &lower.message));
    if logic.is_none() && problems.is_empty() {
        let message = "a check has either `fail_when` or `native`".to_owned();
        problems.push(CheckProblem { key: "fail_when", source: String::new(), offset: 0, message, help: None });
    }
    match (applies, logic, message) {
        (applies, Some(logic), Some(message)) if problems.is_empty() => {
            Ok(Compiled { applies: applies.flatten(), logic, evidence, message, lower: lowers.flatten().zip(lower) })
        }
        _ => Err(problems),
    }
}

impl CheckProblem {
    fn new(key: &'static str, source: &str, problem: expr::Problem) -> CheckProblem {
        CheckProblem { key, source: source.to_owned(), offset: problem.offset, message: problem.message, help: problem.help }
    }
}

/// What an expression of a check may name.
struct Scope<'a> {
    kind: Option<&'a Kind>,
    kinds: &'a BTreeMap<TypeName, Arc<Kind>>,
    params: &'a BTreeMap<String, serde_json::Value>,
}

impl Scope<'_> {
    /// The element type of a relation of `kind`.
    fn neighbours(&self, kind: &Kind, name: &str) -> Option<Type> {
        let relation = kind.relations.get(name)?;
        Some(self.kinds.get(&relation.other).map_or_else(Type::any_resource, |k| Type::Resource(Arc::clone(&k.fields))))
    }
}

impl Names for Scope<'_> {
    fn property(&self, name: &str) -> Option<Type> {
        self.kind?.property(name)
    }

    fn relation(&self, name: &str) -> Option<Type> {
        self.neighbours(self.kind?, name)
    }

    fn relation_of(&self, of: &str, name: &str) -> Option<Type> {
        self.neighbours(self.kinds.get(&TypeName::new(of).ok()?)?, name)
    }

    fn fact(&self, name: &str) -> Option<Signature> {
        facts::signature(name)
    }

    fn param(&self, name: &str) -> Option<Type> {
        Some(match self.params.get(name)? {
            serde_json::Value::Bool(_) => Type::Bool,
            serde_json::Value::Number(n) if n.is_i64() => Type::Int,
            serde_json::Value::Number(_) => Type::Dec,
            serde_json::Value::String(_) => Type::Str,
            serde_json::Value::Array(items) if items.iter().all(serde_json::Value::is_string) => Type::list(Type::Str),
            serde_json::Value::Array(_) => Type::list(Type::Any),
            _ => Type::Any,
        })
    }

    fn resource(&self) -> String {
        self.kind.map_or_else(String::new, |k| k.type_name.to_string())
    }

    fn list(&self, kind: NameKind) -> Vec<String> {
        match kind {
            NameKind::Property => self.kind.into_iter().flat_map(|k| k.fields.members.keys()).map(ToString::to_string).collect(),
            NameKind::Relation => self.kind.into_iter().flat_map(|k| k.relations.keys()).cloned().collect(),
            NameKind::Fact => facts::FACTS.iter().map(|f| f.name.to_owned()).collect(),
            NameKind::Param => self.params.keys().cloned().collect(),
        }
    }
}
