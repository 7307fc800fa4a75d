//! From files to a catalogue. No I/O: the caller hands over paths and texts.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{CheckId, TypeName};
use serde::de::DeserializeOwned;

use crate::collect::CollectFile;
use crate::format::{CasesFile, CheckFile, FrameworkFile, ObjectivesFile, Responsibility, ServiceFile, TypeFile, TypeFolder};
use crate::pack::{CheckEntry, Pack};
use crate::responsibility;

/// A catalogue file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its path below the catalogue's folder, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// What is wrong in a catalogue file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file.
    pub path: String,
    /// The line, from 1; 0 if the whole file is meant.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// A check's cases with the file they stand in.
pub type Cases = BTreeMap<CheckId, (String, CasesFile)>;

/// Everything that a folder of catalogue files says.
#[derive(Debug, Default)]
pub struct Loaded {
    /// What the product needs at run time.
    pub pack: Pack,
    /// The checks' cases.
    pub cases: Cases,
    /// `sample/resource.json` and its neighbours by path.
    pub samples: BTreeMap<String, String>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Sorts the files into a catalogue by where they lie. What cannot be read is a problem; the rest is loaded.
pub fn load(files: &[SourceFile]) -> Loaded {
    let mut files: Vec<&SourceFile> = files.iter().collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let mut loaded = Loaded::default();
    let mut collect = BTreeMap::new();
    for file in &files {
        let parts: Vec<&str> = file.path.split('/').collect();
        match parts.as_slice() {
            ["objectives.toml"] => {
                if let Some(read) = parse::<ObjectivesFile>(file, &mut loaded.problems) {
                    loaded.pack.objectives = read.objectives;
                }
            }
            ["responsibility.csv"] => match responsibility::read(&file.text) {
                Ok(rows) => loaded.pack.responsibilities = rows,
                Err((line, message)) => loaded.problems.push(problem(&file.path, line, message)),
            },
            ["frameworks", name] if name.ends_with(".toml") => {
                if let Some(read) = parse::<FrameworkFile>(file, &mut loaded.problems) {
                    loaded.pack.frameworks.insert(name.trim_end_matches(".toml").to_owned(), read);
                }
            }
            ["aws", service, "service.toml"] => {
                if let Some(read) = parse::<ServiceFile>(file, &mut loaded.problems) {
                    loaded.pack.services.insert((*service).to_owned(), read);
                }
            }
            ["aws", _, _, "type.toml"] => type_file(file, &mut loaded),
            ["aws", _, _, "collect.toml"] => {
                if let Some(read) = parse::<CollectFile>(file, &mut loaded.problems) {
                    loaded.problems.extend(read.problems().into_iter().map(|m| problem(&file.path, 0, m)));
                    collect.insert(file.path.trim_end_matches("/collect.toml").to_owned(), read);
                }
            }
            ["aws", _, _, "checks", name] if name.ends_with(".cases.toml") => cases_file(file, name, &mut loaded),
            ["aws", _, _, "checks", name] if name.ends_with(".toml") => check_file(file, name, &mut loaded),
            ["aws", _, _, "sample", ..] => {
                loaded.samples.insert(file.path.clone(), file.text.clone());
            }
            ["detections", _, ..] if file.path.ends_with(".cases.jsonl") || file.path.ends_with(".cases.toml") => {}
            ["detections", _, ..] => {
                loaded.pack.detections.insert(file.path.clone(), file.text.clone());
            }
            _ if file.path.ends_with(".toml") && parts.first() == Some(&"aws") => {
                let message = "no catalogue file belongs here".to_owned();
                let help =
                    Some("the layout is aws/<service>/<type>/{type.toml, collect.toml, checks/*.toml, sample/*}".to_owned());
                loaded.problems.push(Problem { help, ..problem(&file.path, 0, message) });
            }
            _ => {}
        }
    }
    for (folder, file) in collect {
        match loaded.pack.types.iter_mut().find(|t| t.folder == folder) {
            Some(found) => found.collect = Some(file),
            None => {
                let message = "there is no readable type.toml beside it".to_owned();
                loaded.problems.push(problem(&format!("{folder}/collect.toml"), 0, message));
            }
        }
    }
    loaded
}

fn type_file(file: &SourceFile, loaded: &mut Loaded) {
    let Some(read) = parse::<TypeFile>(file, &mut loaded.problems) else { return };
    if let Err(error) = TypeName::new(&read.type_name) {
        loaded.problems.push(problem(&file.path, 1, error.to_string()));
        return;
    }
    for message in read.terraform.iter().flat_map(|t| t.problems()) {
        loaded.problems.push(problem(&file.path, 0, format!("[terraform]: {message}")));
    }
    let folder = file.path.trim_end_matches("/type.toml").to_owned();
    loaded.pack.types.push(TypeFolder { folder, file: Arc::new(read), collect: None });
}

fn check_file(file: &SourceFile, name: &str, loaded: &mut Loaded) {
    let id = match CheckId::new(name.trim_end_matches(".toml")) {
        Ok(id) => id,
        Err(error) => return loaded.problems.push(problem(&file.path, 0, error.to_string())),
    };
    let Some(read) = parse::<CheckFile>(file, &mut loaded.problems) else { return };
    let folder = file.path.split("/checks/").next().unwrap_or_default().to_owned();
    loaded.pack.checks.push(CheckEntry { id, folder, file: read });
}

fn cases_file(file: &SourceFile, name: &str, loaded: &mut Loaded) {
    let Ok(id) = CheckId::new(name.trim_end_matches(".cases.toml")) else {
        return loaded.problems.push(problem(&file.path, 0, "its name is not that of a check".to_owned()));
    };
    if let Some(read) = parse::<CasesFile>(file, &mut loaded.problems) {
        loaded.cases.insert(id, (file.path.clone(), read));
    }
}

fn parse<T: DeserializeOwned>(file: &SourceFile, problems: &mut Vec<Problem>) -> Option<T> {
    match toml::from_str(&file.text) {
        Ok(read) => Some(read),
        Err(error) => {
            let (line, column) = place(&file.text, error.span().map_or(0, |s| s.start));
            let message = error.message().replace('\n', ", ");
            let help = meant(&message);
            problems.push(Problem { path: file.path.clone(), line, column, message, help });
            None
        }
    }
}

/// What was probably meant, where a message of the TOML reader names what it found and what it expected, all in backticks.
fn meant(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let found = quoted.next()?;
    expr::nearest(found, quoted).map(|near| format!("did you mean `{near}`?"))
}

/// The line and column, from 1, of a byte offset.
pub(crate) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
    (line, column)
}

pub(crate) fn problem(path: &str, line: usize, message: String) -> Problem {
    Problem { path: path.to_owned(), line, column: usize::from(line > 0), message, help: None }
}

impl Loaded {
    /// The rows for one service of `responsibility.csv`.
    pub fn responsibility(&self, service: &str) -> Option<&Responsibility> {
        self.pack.responsibilities.iter().find(|r| r.service == service)
    }
}
