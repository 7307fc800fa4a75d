//! Which files are read: those named, and those below the folders named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use model::{Gap, GapReason};

use crate::sources::is_configuration;
use crate::{Limits, cdk};

/// A file to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) path: PathBuf,
    /// True if somebody named it: it is a gap then if it is of no known kind.
    pub(crate) named: bool,
    /// The position of the path that was named, below which it lies.
    pub(crate) root: usize,
    /// Values that its surroundings give, such as the account in a CDK manifest.
    pub(crate) given: Vec<(String, String)>,
}

/// Folders that hold other people's files or a tool's own.
const SKIPPED: &[&str] = &["node_modules", "__pycache__"];

/// Levels of folders.
const DEPTH_MAX: usize = 64;

/// What a walk comes to.
#[derive(Debug)]
pub(crate) struct Found {
    /// Files to read, in the order of the paths and then by name. No file twice.
    pub(crate) jobs: Vec<Job>,
    /// What could not be looked into.
    pub(crate) gaps: Vec<Gap>,
    /// Folders with Terraform configuration: the named path that they lie below, and how many files.
    pub(crate) terraform: BTreeMap<PathBuf, (PathBuf, usize)>,
}

/// The files below `paths`.
pub(crate) fn find(paths: &[PathBuf], limits: &Limits) -> Found {
    let found = Found { jobs: Vec::new(), gaps: Vec::new(), terraform: BTreeMap::new() };
    let mut walk = Walk { found, folders: BTreeSet::new(), files: BTreeSet::new(), root: 0, below: Path::new(""), limits };
    for (root, path) in paths.iter().enumerate() {
        (walk.root, walk.below) = (root, path);
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_dir() => walk.folder(path, 0),
            Ok(_) if path.file_name().is_some_and(|n| n == "manifest.json") && cdk::is_manifest(path) => {
                walk.cdk(path.parent().unwrap_or(Path::new(".")));
            }
            Ok(_) => walk.file(path, true),
            Err(error) => walk.found.gaps.push(failed(path, &error)),
        }
    }
    walk.found
}

struct Walk<'l> {
    found: Found,
    /// Real paths of the folders entered: a loop of links ends here.
    folders: BTreeSet<PathBuf>,
    files: BTreeSet<PathBuf>,
    /// The path that the walk is below, and its position.
    below: &'l Path,
    root: usize,
    limits: &'l Limits,
}

impl Walk<'_> {
    fn folder(&mut self, path: &Path, depth: usize) {
        let fresh = match path.canonicalize() {
            Ok(real) => self.folders.insert(real),
            Err(error) => return self.found.gaps.push(failed(path, &error)),
        };
        if !fresh {
            return;
        }
        if depth > DEPTH_MAX {
            let detail = format!("folders are nested deeper than {DEPTH_MAX} levels");
            return self.found.gaps.push(Gap::new("folder", GapReason::Limit, detail).in_file(shown(path), None));
        }
        if cdk::is_manifest(&path.join("manifest.json")) {
            return self.cdk(path);
        }
        let mut names = Vec::new();
        match std::fs::read_dir(path) {
            Ok(entries) => {
                for entry in entries {
                    match entry {
                        Ok(entry) => names.push(entry.file_name()),
                        Err(error) => self.found.gaps.push(failed(path, &error)),
                    }
                }
            }
            Err(error) => return self.found.gaps.push(failed(path, &error)),
        }
        names.sort();
        for name in names {
            let text = name.to_string_lossy();
            if text.starts_with('.') || SKIPPED.contains(&&*text) {
                continue;
            }
            let inner = path.join(&name);
            match std::fs::metadata(&inner) {
                Ok(meta) if meta.is_dir() => self.folder(&inner, depth + 1),
                Ok(meta) if meta.is_file() => self.file(&inner, false),
                // Sockets, pipes and devices.
                Ok(_) => {}
                Err(error) if candidate(&inner) => self.found.gaps.push(failed(&inner, &error)),
                Err(error) => self.found.gaps.push(failed(&inner, &error).note()),
            }
        }
    }

    fn file(&mut self, path: &Path, named: bool) {
        if is_configuration(path) {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            self.found.terraform.entry(folder.to_owned()).or_insert_with(|| (self.below.to_owned(), 0)).1 += 1;
            return;
        }
        if !named && !candidate(path) {
            return;
        }
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if !self.files.insert(real) {
            return;
        }
        let max = self.limits.files_max;
        if self.found.jobs.len() >= max {
            if self.found.jobs.len() == max && !self.found.gaps.iter().any(|g| g.what == "folder walk") {
                let detail = format!("more than {max} files");
                self.found.gaps.push(Gap::new("folder walk", GapReason::Limit, detail).help("the limit is `files_max`"));
            }
            return;
        }
        self.found.jobs.push(Job { path: path.to_owned(), named, root: self.root, given: Vec::new() });
    }

    /// A `cdk.out` folder: the templates that its manifest lists, and nothing else of it.
    fn cdk(&mut self, folder: &Path) {
        let (stacks, gaps) = cdk::stacks(folder, &self.limits.text);
        self.found.gaps.extend(gaps);
        for stack in stacks {
            let before = self.found.jobs.len();
            self.file(&stack.template, true);
            if let Some(job) = self.found.jobs.get_mut(before) {
                job.given = stack.given;
            }
        }
    }
}

/// True for names that templates, plans and states have.
fn candidate(path: &Path) -> bool {
    const EXTENSIONS: &[&str] = &["yaml", "yml", "json", "template", "tfstate", "tfplan", "cfn", "sam", "snapshot"];
    path.extension().and_then(|e| e.to_str()).is_some_and(|e| EXTENSIONS.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// A path as findings show it.
pub(crate) fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The gap that a failed look at a path leaves.
pub(crate) fn failed(path: &Path, error: &std::io::Error) -> Gap {
    let reason = match error.kind() {
        std::io::ErrorKind::PermissionDenied => GapReason::Denied,
        std::io::ErrorKind::NotFound => GapReason::Missing,
        _ => GapReason::Failed,
    };
    let broken = path.symlink_metadata().is_ok_and(|m| m.is_symlink());
    let what = if broken { "broken link" } else { "file" };
    Gap::new(what, reason, error.to_string().to_lowercase()).in_file(shown(path), None)
}
