//! What must hold of a catalogue beyond its files being readable. The build fails on it; `palisade catalogue check DIR` says
//! it of a user's own.

use std::collections::{BTreeMap, BTreeSet};

use model::CheckId;

use crate::catalogue::Catalogue;
use crate::check::CheckProblem;
use crate::format::CheckFile;
use crate::load::{Loaded, Problem, SourceFile, place, problem};
use crate::pack::CheckEntry;

/// Lists that ids of `same_as` may come from.
const LISTS: &[&str] =
    &["cfn_nag", "checkov", "cis", "config", "fsbp", "guardduty", "prowler", "trivy", "trusted_advisor", "well_architected"];

/// Everything that does not hold, in file order.
pub fn lint(loaded: &Loaded, files: &[SourceFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for service in loaded.pack.services.iter().filter(|(_, s)| loaded.responsibility(&s.responsibility).is_none()) {
        let message = format!("`{}` is not a service of responsibility.csv", service.1.responsibility);
        problems.push(problem(&format!("aws/{}/service.toml", service.0), 0, message));
    }
    for kind in &loaded.pack.types {
        let path = format!("{}/type.toml", kind.folder);
        if kind.file.title.is_empty() {
            problems.push(problem(&path, 0, "`title` is empty".to_owned()));
        }
        if let Some(row) = kind.file.responsibility.as_deref().filter(|r| loaded.responsibility(r).is_none()) {
            problems.push(problem(&path, 0, format!("`{row}` is not a service of responsibility.csv")));
        }
    }
    let texts: Texts<'_> = files.iter().map(|f| (f.path.as_str(), f.text.as_str())).collect();
    for check in &loaded.pack.checks {
        words(check, loaded, &texts, &mut problems);
        cases(check, loaded, &texts, &mut problems);
    }
    for (id, (path, _)) in &loaded.cases {
        if !loaded.pack.checks.iter().any(|c| c.id == *id) {
            problems.push(problem(path, 0, "there is no readable check of this name beside it".to_owned()));
        }
    }
    frameworks(loaded, &mut problems);
    match Catalogue::new(loaded.pack.clone()) {
        Ok(catalogue) => expressions(&catalogue, &texts, &mut problems),
        Err(found) => problems.extend(found),
    }
    problems.sort();
    problems
}

/// Path to text of the files.
type Texts<'a> = BTreeMap<&'a str, &'a str>;

/// Where a line of the file begins with `key`; 0 if none does.
fn line_of(texts: &Texts<'_>, path: &str, key: &str) -> usize {
    let text = texts.get(path).copied().unwrap_or_default();
    text.lines().position(|l| l.trim_start().starts_with(key)).map_or(0, |at| at + 1)
}

fn words(check: &CheckEntry, loaded: &Loaded, texts: &Texts<'_>, problems: &mut Vec<Problem>) {
    let path = format!("{}/checks/{}.toml", check.folder, check.id);
    let mut wrong = |key: &str, message: String| problems.push(problem(&path, line_of(texts, &path, key), message));
    let CheckFile { title, objective, evidence, message, why, fix, refs, same_as, .. } = &check.file;
    let lower = check.file.lower.as_ref();
    if lower.is_some_and(|lower| lower.severity >= check.file.severity) {
        wrong("lower.severity", "`lower.severity` is not lower than `severity`".to_owned());
    }
    let lower = lower.map_or(why, |lower| &lower.message);
    for (key, text) in [("title", title), ("message", message), ("lower.message", lower), ("why", why), ("fix.text", &fix.text)] {
        if text.trim().is_empty() {
            wrong(key, format!("`{key}` is empty"));
        }
    }
    if title.ends_with('.') || title.chars().count() > 100 {
        wrong("title", "`title` is one line of at most 100 characters without a full stop".to_owned());
    }
    if !(1..=3).contains(&objective.len()) {
        wrong("objective", "`objective` names one to three objectives".to_owned());
    }
    if evidence.is_empty() {
        wrong("evidence", "`evidence` is empty: a verdict shows what it rests on".to_owned());
    }
    if refs.is_empty() || refs.iter().any(|r| !r.starts_with("https://")) {
        wrong("refs", "`refs` names at least one https page".to_owned());
    }
    for list in same_as.keys().filter(|list| !LISTS.contains(&list.as_str())) {
        wrong("same_as", format!("`same_as.{list}` is not one of {}", LISTS.join(", ")));
    }
    for (list, _) in same_as.iter().filter(|(_, ids)| ids.is_empty()) {
        wrong("same_as", format!("`same_as.{list}` names nothing"));
    }
    for id in objective.iter().filter(|id| !loaded.pack.objectives.contains_key(*id)) {
        let message = format!("`{id}` is not an objective of objectives.toml");
        let help =
            expr::nearest(id, loaded.pack.objectives.keys().map(String::as_str)).map(|near| format!("did you mean `{near}`?"));
        problems.push(Problem { help, ..problem(&path, line_of(texts, &path, "objective"), message) });
    }
}

fn cases(check: &CheckEntry, loaded: &Loaded, texts: &Texts<'_>, problems: &mut Vec<Problem>) {
    let path = format!("{}/checks/{}.cases.toml", check.folder, check.id);
    let Some((_, file)) = loaded.cases.get(&check.id) else {
        return problems.push(problem(&path, 0, "a check without readable cases is not a check".to_owned()));
    };
    let given: BTreeSet<&str> = file.cases.iter().map(|c| c.verdict.as_str()).collect();
    for wanted in ["fail", "pass", "unknown"] {
        if !given.contains(wanted) {
            problems.push(problem(&path, 0, format!("there is no case with verdict `{wanted}`")));
        }
    }
    for other in given.iter().filter(|v| !["fail", "pass", "unknown", "none"].contains(v)) {
        let line = line_of(texts, &path, &format!("verdict = \"{other}\""));
        problems.push(problem(&path, line, format!("`{other}` is not a verdict (fail, pass, unknown, none)")));
    }
}

fn frameworks(loaded: &Loaded, problems: &mut Vec<Problem>) {
    let ids: BTreeSet<&str> = loaded.pack.checks.iter().map(|c| c.id.as_str()).collect();
    for (name, framework) in &loaded.pack.frameworks {
        let path = format!("frameworks/{name}.toml");
        let mut seen = BTreeSet::new();
        for requirement in &framework.requirements {
            if !seen.insert(&requirement.id) {
                problems.push(problem(&path, 0, format!("requirement `{}` is there twice", requirement.id)));
            }
            for id in requirement.checks.iter().filter(|id| !ids.contains(id.as_str())) {
                problems.push(problem(&path, 0, format!("requirement `{}`: `{id}` is not a check", requirement.id)));
            }
            for id in requirement.objectives.iter().filter(|id| !loaded.pack.objectives.contains_key(*id)) {
                problems.push(problem(&path, 0, format!("requirement `{}`: `{id}` is not an objective", requirement.id)));
            }
        }
    }
}

/// Compiles every expression, and says where in the file the wrong ones stand.
fn expressions(catalogue: &Catalogue, texts: &Texts<'_>, problems: &mut Vec<Problem>) {
    for check in catalogue.checks() {
        let Err(found) = catalogue.compiled(check) else { continue };
        let path = file_of(&check.folder, &check.id);
        problems.extend(found.iter().map(|p| at(&path, texts, p)));
    }
}

fn file_of(folder: &str, id: &CheckId) -> String {
    format!("{folder}/checks/{id}.toml")
}

/// Where a wrong expression stands: its own place, or its key's line if it is written with escapes.
fn at(path: &str, texts: &Texts<'_>, problem: &CheckProblem) -> Problem {
    let text = texts.get(path).copied().unwrap_or_default();
    let start = text.find(&problem.source).filter(|_| !problem.source.is_empty());
    let (line, column) = match start {
        Some(start) => place(text, start + problem.offset),
        None => match line_of(texts, path, problem.key) {
            0 => (0, 0),
            line => (line, 1),
        },
    };
    let message = format!("{}: {}", problem.key, problem.message);
    Problem { path: path.to_owned(), line, column, message, help: problem.help.clone() }
}
