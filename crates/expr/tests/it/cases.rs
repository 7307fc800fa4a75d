//! Runs `tests/data/*.cases`.
//!
//! A line is `expression => expected`, where expected is JSON, `unknown` (with `: text` that every reason's text together must
//! hold), or `problem: text` that the first problem must hold, written with its place. A line starting with a header word sets
//! the world for the lines after it; a blank line forgets it.

use expr::{compile, compile_template};
use model::Value;

use crate::world::{World, value_of};

fn run(text: &str) -> Vec<String> {
    let mut world = World::default();
    let mut wrong = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            world = World::default();
        } else if line.starts_with('#') {
        } else if let Some((expression, expected)) = line.rsplit_once(" => ") {
            if let Err(found) = case(&world, expression.trim(), expected.trim()) {
                wrong.push(format!("line {}: {line}\n    found {found}", number + 1));
            }
        } else if let Some((template, expected)) = line.rsplit_once(" ==> ") {
            match compile_template(template, &world.names) {
                Ok(template) if *template.render(&world) == *expected => {}
                Ok(template) => wrong.push(format!("line {}: {line}\n    found {}", number + 1, template.render(&world))),
                Err(problems) => wrong.push(format!("line {}: {line}\n    found {problems:?}", number + 1)),
            }
        } else {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            world.header(word, rest.trim());
        }
    }
    wrong
}

fn case(world: &World, expression: &str, expected: &str) -> Result<(), String> {
    let program = match compile(expression, &world.names) {
        Ok(program) => program,
        Err(problems) => {
            let all: Vec<String> = problems.iter().map(|p| p.to_string()).collect();
            return match expected.strip_prefix("problem: ") {
                Some(wanted) if all[0].contains(wanted) => Ok(()),
                _ => Err(all.join("\n    ")),
            };
        }
    };
    if expected.starts_with("problem") {
        return Err("no problem".to_owned());
    }
    let answer = program.eval(world);
    if let Some(reason) = expected.strip_prefix("unknown") {
        let reasons: Vec<String> = answer.reasons.iter().map(|r| format!("{}: {}", r.reason.words(), r.what)).collect();
        let reasons = reasons.join("; ");
        let wanted = reason.trim_start_matches(':').trim();
        return match answer.value {
            Value::Unknown(_) if !reasons.is_empty() && reasons.contains(wanted) => Ok(()),
            value => Err(format!("{value:?} because {reasons}")),
        };
    }
    let wanted = value_of(&serde_json::from_str(expected).map_err(|e| format!("{e} in the expected value"))?);
    if answer.value == wanted && answer.reasons.is_empty() {
        Ok(())
    } else {
        Err(format!("{:?} because {:?}", answer.value, answer.reasons))
    }
}

macro_rules! tables {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let wrong = run(include_str!(concat!("../data/", stringify!($name), ".cases")));
                assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
            }
        )*
    };
}

tables!(cel, three_valued, loose, functions, checks, problems, templates);

/// The reference's own examples, in its fenced blocks marked `cases`.
#[test]
fn reference() {
    let text = include_str!("../../../../docs/reference/check-language.md");
    let blocks: Vec<&str> = text.split("```cases\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(blocks.len() >= 5, "{} blocks", blocks.len());
    let wrong = run(&blocks.join("\n"));
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
