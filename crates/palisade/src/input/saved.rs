//! Files that are no infrastructure as code: snapshot files, and saved answers of the AWS CLI.

mod places;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use aws::{Answers, Plan};
use model::{Gap, GapReason, Snapshot, Span, TypeName};
use serde_json::Value as Json;
use syntax::{Kind, Node, Typed};

use super::age;

/// The most bytes of one saved answer.
const ANSWER_BYTES_MAX: u64 = 512 << 20;

/// How much of a broken file is looked at for what it was.
const HINT_BYTES: usize = 4096;

/// What `list-users`, `list-roles`, `list-groups` and `list-policies` give: names without what they may do.
const IAM_LISTS: &[&str] = &["Users", "Roles", "Groups", "Policies"];

/// Saved answers that belong together: those of one folder, or those that were named one by one.
#[derive(Debug)]
pub(crate) struct Folder {
    /// The position of the folder among the paths that were named; none for files that were named one by one.
    folder: Option<usize>,
    /// What was named.
    pub(crate) name: String,
    /// The answers.
    pub(crate) files: Vec<File>,
}

/// One file of answers.
#[derive(Debug)]
pub(crate) struct File {
    /// Its path, as it was given or found.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) content: Content,
}

/// What a file of answers holds.
#[derive(Debug)]
pub(crate) enum Content {
    /// Answers.
    Documents(Vec<Json>),
    /// What the AWS CLI said in place of an answer.
    Failure(String),
}

/// All that was found among files that are no code.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    /// What snapshot files hold, and what could not be read.
    pub(crate) snapshot: Snapshot,
    /// The answers.
    pub(crate) folders: Vec<Folder>,
}

impl Folder {
    /// The resources that the answers tell of, by the catalogue's mappings.
    pub(crate) fn snapshot(&self, plan: &Plan) -> Snapshot {
        let mut answers = Answers::new(plan);
        for file in &self.files {
            match &file.content {
                // What only the network's own reader knows says nothing here.
                Content::Documents(documents) => documents.iter().for_each(|d| {
                    answers.add(&file.path, d);
                }),
                Content::Failure(text) => {
                    answers.add_failure(&file.path, text);
                }
            }
        }
        let mut snapshot = answers.finish(&self.name);
        places::fill_in(&mut snapshot.resources);
        snapshot
    }
}

/// Reads files that are no code. `named` is what the user named, which the files lie below.
pub(crate) fn read(others: Vec<iac::Other>, named: &[PathBuf], plan: &Plan) -> Saved {
    let mut saved = Saved::default();
    let known = Answers::new(plan);
    let mut doubtful = Vec::new();
    for other in others {
        let root = named.get(other.root).filter(|p| p.is_dir());
        let (folder, name) = (root.map(|_| other.root), root.unwrap_or(&other.path));
        match look(&other.path, &known, plan) {
            Look::Snapshot(snapshot) => saved.snapshot.append(*snapshot),
            Look::Broken(gaps) => saved.snapshot.gaps.extend(gaps),
            Look::Answer(content) => saved.add(folder, name, &other.path, content),
            Look::Other(gaps) => doubtful.push((other, gaps)),
        }
    }
    // What is no answer matters if somebody named it, or it lies among answers.
    let among = saved.among();
    for (other, gaps) in doubtful {
        match other.gap {
            Some(gap) => saved.snapshot.gaps.extend(if gaps.is_empty() { vec![gap] } else { gaps }),
            None if other.path.parent().is_some_and(|p| among.contains(p)) => saved.snapshot.gaps.extend(gaps),
            None => {}
        }
    }
    saved
}

impl Saved {
    /// `folder` is the position of the folder that was named; none for a file that was.
    fn add(&mut self, folder: Option<usize>, name: &Path, path: &Path, content: Content) {
        let file = File { path: path.to_string_lossy().replace('\\', "/"), content };
        match self.folders.iter_mut().find(|f| f.folder == folder) {
            Some(found) => found.files.push(file),
            None => self.folders.push(Folder { folder, name: name.to_string_lossy().into_owned(), files: vec![file] }),
        }
    }

    /// The folders in which answers lie.
    fn among(&self) -> BTreeSet<PathBuf> {
        let files = self.folders.iter().flat_map(|f| &f.files);
        files.filter_map(|f| Some(Path::new(&f.path).parent()?.to_owned())).collect()
    }
}

/// What a look at a file gave.
enum Look {
    /// A snapshot file.
    Snapshot(Box<Snapshot>),
    /// A file of ours or an answer that cannot be read.
    Broken(Vec<Gap>),
    /// A saved answer.
    Answer(Content),
    /// Neither; what to tell if it lies among answers.
    Other(Vec<Gap>),
}

fn look(path: &Path, known: &Answers<'_>, plan: &Plan) -> Look {
    let file = path.to_string_lossy().replace('\\', "/");
    let gap = |what: &str, reason, detail: String| Gap::new(what, reason, detail).in_file(&*file, None);
    let bytes = match load(path) {
        Ok(bytes) => bytes,
        Err(detail) => return Look::Other(vec![gap("file", GapReason::Limit, detail)]),
    };
    if store::is_snapshot(&bytes) {
        return match store::decode(&bytes, store::FileLimits::default()) {
            Ok((mut snapshot, meta)) => {
                age::mark(&mut snapshot, &meta.asked, plan);
                Look::Snapshot(Box::new(snapshot))
            }
            Err(error) => Look::Broken(vec![gap("snapshot", reason_of(&error), error.to_string()).help(error.help())]),
        };
    }
    let Some(text) = iac::text_of(&bytes) else { return Look::Other(Vec::new()) };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.is_empty() {
        let detail = "it is empty: the call that should have filled it failed";
        return broken(gap("saved answer", GapReason::Malformed, detail.to_owned()), known.hinted(&file, ""));
    }
    if text.get(..HINT_BYTES.min(text.len())).unwrap_or(text).contains("An error occurred (") {
        return Look::Answer(Content::Failure(text.to_owned()));
    }
    let read = match text.starts_with(['{', '[']) {
        true => documents(text),
        false => match yaml(text) {
            Some(document) if known.knows(&file, &document) => Ok(vec![document]),
            _ => return Look::Other(Vec::new()),
        },
    };
    match read {
        Ok(documents) if documents.iter().any(|d| known.knows(&file, d) || net::is_answer(d)) => {
            Look::Answer(Content::Documents(documents))
        }
        Ok(documents) => {
            let detail = "its top-level keys are those of no call that the catalogue makes".to_owned();
            let mut told = gap("saved answer", GapReason::Unsupported, detail).note();
            if documents.iter().any(|d| IAM_LISTS.iter().any(|key| d.get(key).is_some())) {
                told = told.help("save `aws iam get-account-authorization-details`: it holds them all, with their policies");
            }
            Look::Other(vec![told])
        }
        Err(error) => {
            let mut told = gap("saved answer", GapReason::Malformed, format!("not JSON: {}", error.message));
            told.span = Some(error.place);
            let head: String = text.chars().take(HINT_BYTES).collect();
            broken(told.help("save the answer again"), known.hinted(&file, &head))
        }
    }
}

/// The gap of a file that cannot be read, once for each type that it was about.
fn broken(gap: Gap, types: BTreeSet<TypeName>) -> Look {
    if types.is_empty() {
        return Look::Other(vec![gap]);
    }
    Look::Broken(types.into_iter().map(|t| Gap { type_name: Some(t), ..gap.clone() }).collect())
}

/// The bytes of a file; a snapshot file may be longer than an answer.
fn load(path: &Path) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let open = || -> std::io::Result<(u64, Vec<u8>)> {
        let mut file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        let mut bytes = vec![0; 64];
        let read = file.read(&mut bytes)?;
        bytes.truncate(read);
        if length <= ANSWER_BYTES_MAX || store::is_snapshot(&bytes) {
            file.read_to_end(&mut bytes)?;
        }
        Ok((length, bytes))
    };
    match open() {
        Ok((length, bytes)) if (bytes.len() as u64) < length => {
            Err(format!("the file has {length} bytes; at most {ANSWER_BYTES_MAX} are read"))
        }
        Ok((_, bytes)) => Ok(bytes),
        Err(error) => Err(error.to_string().to_lowercase()),
    }
}

fn reason_of(error: &store::StoreError) -> GapReason {
    match error {
        store::StoreError::Io { .. } => GapReason::Failed,
        store::StoreError::TooNew { .. } | store::StoreError::TooOld { .. } => GapReason::Unsupported,
        store::StoreError::TooLong { .. } => GapReason::Limit,
        _ => GapReason::Malformed,
    }
}

/// The answer in text that the AWS CLI wrote with `--output yaml`; `None` for what is no such thing.
fn yaml(text: &str) -> Option<Json> {
    let first = text.lines().find(|line| !line.starts_with(['#', '-']) && !line.is_empty())?;
    let key = first.split_once(':')?.0;
    if key.is_empty() || !key.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    let limits = iac::Limits::default().text;
    let document = syntax::parse_yaml(text, &limits).ok()?;
    Some(to_json(&document.root))
}

/// A tree as JSON; the parser has limited its depth.
fn to_json(node: &Node) -> Json {
    match &node.kind {
        Kind::Map(entries) => Json::Object(entries.iter().map(|e| (e.key.to_string(), to_json(&e.node))).collect()),
        Kind::Seq(items) => items.iter().map(to_json).collect(),
        Kind::Scalar(scalar) => match scalar.typed {
            Typed::Null => Json::Null,
            Typed::Bool(is) => Json::Bool(is),
            Typed::Number => serde_json::from_str(&scalar.text).unwrap_or_else(|_| Json::String(scalar.text.to_string())),
            Typed::Str => Json::String(scalar.text.to_string()),
        },
    }
}

/// Text that is no JSON, and where that shows.
struct NotJson {
    message: String,
    place: Span,
}

/// The documents of a file: one, several behind each other, or a list of them.
fn documents(text: &str) -> Result<Vec<Json>, NotJson> {
    let read = |text: &str| serde_json::Deserializer::from_str(text).into_iter::<Json>().collect::<Result<Vec<_>, _>>();
    // Some recorders leave commas before closing brackets behind.
    let found = read(text).or_else(|error| net::read_answer(text).map(|one| vec![one]).map_err(|_| error));
    let found = found.map_err(|error| {
        let (line, column) = (error.line() as u32, (error.column() as u32).max(1));
        let words = error.to_string();
        let message = words.split(" at line ").next().unwrap_or_default().to_owned();
        NotJson { message, place: Span { line, column, end_line: line, end_column: column + 1 } }
    })?;
    let flat = found.into_iter().flat_map(|d| match d {
        Json::Array(items) if items.iter().all(Json::is_object) => items,
        other => vec![other],
    });
    Ok(flat.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_or_many_documents_to_a_file() {
        let count = |text: &str| documents(text).map(|d| d.len()).map_err(|e| (e.place.line, e.place.column, e.message));
        assert_eq!(count("{\"Vpcs\": []}"), Ok(1));
        assert_eq!(count("{\"Vpcs\": []}\n{\"Subnets\": []}\n"), Ok(2));
        assert_eq!(count("[{\"Vpcs\": []}, {\"Subnets\": []}]"), Ok(2));
        assert_eq!(count("{\"Vpcs\": [{\"VpcId\": \"x\",},]}"), Ok(1));
        assert_eq!(count("{\"Vpcs\": [\n  {\"VpcId\": }]}"), Err((2, 13, "expected value".to_owned())));
    }
}
