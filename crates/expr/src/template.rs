//! Messages with holes: `versioning is {VersioningConfiguration.Status | never set}`.
//!
//! A hole holds an expression and, behind `|`, the words to use if it is null. `{{` and `}}` are plain braces.

use std::borrow::Cow;
use std::collections::BTreeSet;

use model::{Text, Value};

use crate::eval::{Eval, arena::Arena, load_link_text};
use crate::limit::HOLE_CHARS_MAX;
use crate::parse::{check_length, parse_hole};
use crate::{Env, Names, Problem, Program};

/// A compiled message.
#[derive(Debug)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Words(Text),
    Hole { program: Program, if_null: Option<Text> },
}

/// Compiles a message.
///
/// # Errors
/// Every problem in its holes, and braces that do not pair. Places are those in `source`.
pub fn compile_template(source: &str, names: &dyn Names) -> Result<Template, Vec<Problem>> {
    check_length(source).map_err(|problem| vec![problem])?;
    let mut parts = Vec::new();
    let mut problems = Vec::new();
    let mut words = String::new();
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let plain = rest.find(['{', '}']).unwrap_or(rest.len());
        words.push_str(rest.get(..plain).unwrap_or_default());
        at += plain;
        let rest = source.get(at..).unwrap_or_default();
        if rest.starts_with("{{") || rest.starts_with("}}") {
            words.extend(rest.chars().next());
            at += 2;
        } else if rest.starts_with('}') {
            let problem = Problem::new(source, at, at + 1, "this `}` closes nothing");
            return Err(vec![problem.help("a plain brace is written `}}`")]);
        } else if rest.starts_with('{') {
            let (expr, if_null, end) = hole(source, at).map_err(|problem| vec![problem])?;
            match crate::check::Checker::new(source, names).finish(&expr) {
                Ok(program) => {
                    if !words.is_empty() {
                        parts.push(Part::Words(Text::from(std::mem::take(&mut words))));
                    }
                    parts.push(Part::Hole { program, if_null });
                }
                Err(more) => problems.extend(more),
            }
            at = end;
        }
    }
    if !words.is_empty() {
        let words = if parts.is_empty() { shown(&words) } else { Text::from(words) };
        parts.push(Part::Words(words));
    }
    if problems.is_empty() { Ok(Template { parts }) } else { Err(problems) }
}

/// The hole at `at`: its expression, the words if null, and the offset behind it.
fn hole(source: &str, at: usize) -> Result<(crate::syntax::Expr, Option<Text>, usize), Problem> {
    let (expr, stop, end) = parse_hole(source, at + 1)?;
    if stop == "}" {
        return Ok((expr, None, end));
    }
    let rest = source.get(end..).unwrap_or_default();
    match rest.split_once('}') {
        Some((words, _)) => Ok((expr, Some(Text::from(words.trim())), end + words.len() + 1)),
        None => Err(Problem::new(source, at, source.len(), "this hole has no closing `}`")),
    }
}

impl Template {
    /// The property paths that its holes read from the resource itself, sorted.
    pub fn reads(&self) -> Vec<&str> {
        let holes = self.parts.iter().filter_map(|part| match part {
            Part::Hole { program, .. } => Some(program),
            Part::Words(_) => None,
        });
        let paths: BTreeSet<&str> = holes.flat_map(Program::reads).collect();
        paths.into_iter().collect()
    }

    /// The message for one resource: one line, secrets masked, each hole at most [`HOLE_CHARS_MAX`] characters, an unknown
    /// written `unknown (reason)`.
    pub fn render(&self, env: &dyn Env) -> Text {
        if let [Part::Words(words)] = self.parts.as_slice() {
            return words.clone();
        }
        let mut line = String::new();
        for part in &self.parts {
            match part {
                Part::Words(words) => line.push_str(words),
                Part::Hole { program, if_null } => line.push_str(&filled(program, if_null.as_deref(), env)),
            }
        }
        shown(&line)
    }
}

/// One line, secrets masked.
fn shown(line: &str) -> Text {
    let line = if line.contains(char::is_control) { line.replace(char::is_control, " ").into() } else { Cow::Borrowed(line) };
    Text::from(&*model::secret::mask(&line))
}

fn filled(program: &Program, if_null: Option<&str>, env: &dyn Env) -> String {
    let arena = Arena::default();
    let eval = Eval::new(env, &arena, &program.source);
    let value = eval.to_value(eval.eval(&program.root));
    let mut text = String::new();
    match (&value, if_null) {
        (Value::Null, Some(words)) => text.push_str(words),
        (Value::List(items), Some(words)) if items.is_empty() => text.push_str(words),
        (value, _) => write_value(&mut text, value),
    }
    let masked = model::secret::mask(&text);
    match masked.char_indices().nth(HOLE_CHARS_MAX) {
        None => masked.into_owned(),
        Some(_) => masked.chars().take(HOLE_CHARS_MAX - 3).chain("...".chars()).collect(),
    }
}

fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("not set"),
        Value::Bool(b) => text.push_str(if *b { "true" } else { "false" }),
        Value::Int(n) => text.push_str(&n.to_string()),
        Value::Dec(d) => text.push_str(&d.to_string()),
        Value::Str(s) => text.push_str(s),
        Value::Link(link) => text.push_str(&load_link_text(link)),
        Value::Unknown(unknown) => text.push_str(&format!("unknown ({}: {})", unknown.reason.words(), unknown.what)),
        Value::Mixed(pieces) => {
            for piece in pieces {
                match piece {
                    Value::Str(s) => text.push_str(s),
                    Value::Link(link) => text.push_str(&format!("${{{}}}", load_link_text(link))),
                    Value::Unknown(unknown) => text.push_str(&format!("${{{}}}", unknown.what)),
                    other => write_value(text, other),
                }
            }
        }
        Value::List(items) => {
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push_str(", ");
                }
                write_value(text, item);
            }
        }
        Value::Map(_) => text.push_str(&model::to_json(value).to_string()),
    }
}
