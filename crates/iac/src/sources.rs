//! Finds the Terraform configuration that a plan or state was made from.
//!
//! The folder of the plan counts if it holds `.tf` files; else, of all folders with such files that were named or lie below
//! the named ones, the one that declares most of the plan's blocks. From there the modules are followed: local paths, and what
//! `terraform init` noted in `.terraform/modules/modules.json`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use model::{Accepted, Text};

use crate::cloudformation::accept;
use crate::terraform::{BlockName, Sources, hcl};
use crate::walk::shown;

/// One file of configuration, in bytes.
const FILE_BYTES_MAX: u64 = 4 << 20;
/// Files in one folder.
const FILES_MAX: usize = 2_000;
/// Folders of modules below one plan.
const MODULES_MAX: usize = 1_000;
/// Modules in modules.
const DEPTH_MAX: usize = 32;

/// Places the blocks of one plan or state, and remembers which folders they came from.
pub(crate) struct Finder<'f> {
    /// The plan or state.
    plan: &'f Path,
    /// All folders with configuration that were seen.
    folders: &'f BTreeSet<PathBuf>,
    used: RefCell<BTreeSet<PathBuf>>,
}

impl<'f> Finder<'f> {
    pub(crate) fn new(plan: &'f Path, folders: &'f BTreeSet<PathBuf>) -> Finder<'f> {
        Finder { plan, folders, used: RefCell::default() }
    }

    /// The folders that the places came from.
    pub(crate) fn into_used(self) -> BTreeSet<PathBuf> {
        self.used.into_inner()
    }

    /// The blocks that are wanted, as far as they are found.
    pub(crate) fn locate(&self, wanted: &BTreeSet<BlockName>) -> Sources {
        let beside = self.plan.parent().map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p });
        let beside = beside.filter(|folder| !files(folder).is_empty());
        let Some(root) = beside.map(Path::to_owned).or_else(|| self.likeliest(wanted)) else { return Sources::default() };
        let mut sources = Sources::default();
        let noted = noted_modules(&root);
        let mut left = MODULES_MAX;
        let mut queue = vec![(String::new(), root, 0)];
        while let Some((module, folder, depth)) = queue.pop() {
            self.used.borrow_mut().insert(folder.clone());
            for (name, source) in read(&folder, &module, &mut sources) {
                let inner = if module.is_empty() { name } else { format!("{module}.{name}") };
                let place = noted.get(&inner).cloned().or_else(|| local(&folder, &source));
                let needed =
                    wanted.iter().any(|b| b.module.strip_prefix(&inner).is_some_and(|r| r.is_empty() || r.starts_with('.')));
                if let Some(place) = place.filter(|_| needed && left > 0 && depth < DEPTH_MAX) {
                    left -= 1;
                    queue.push((inner, place, depth + 1));
                }
            }
        }
        sources
    }

    /// The folder that declares most of the blocks at the root; of equal ones the first.
    fn likeliest(&self, wanted: &BTreeSet<BlockName>) -> Option<PathBuf> {
        let mut best: Option<(usize, &PathBuf)> = None;
        for folder in self.folders {
            let mut sources = Sources::default();
            let calls = read(folder, "", &mut sources);
            let own = sources.blocks.keys().filter(|name| wanted.contains(name)).count();
            let called = |name: &str| wanted.iter().any(|b| b.module.split('.').next() == Some(name));
            let count = own + calls.keys().filter(|name| called(name)).count();
            if count > best.map_or(0, |(most, _)| most) {
                best = Some((count, folder));
            }
        }
        best.map(|(_, folder)| folder.clone())
    }
}

/// Adds the blocks of a folder's files as those of a module; gives the modules that it calls, with what their `source` says.
fn read(folder: &Path, module: &str, sources: &mut Sources) -> BTreeMap<String, String> {
    let mut calls = BTreeMap::new();
    for path in files(folder) {
        let small = std::fs::metadata(&path).is_ok_and(|m| m.len() <= FILE_BYTES_MAX);
        let Some(text) = small.then(|| std::fs::read_to_string(&path).ok()).flatten() else { continue };
        let blocks = hcl::blocks(&text);
        let accepted: Vec<(u32, Accepted)> = accept::comments(&text).into_iter().map(|c| (c.line, c.accepted)).collect();
        sources.add(module, &Text::from(shown(&path)), &blocks, &accepted);
        for block in blocks.iter().filter(|b| b.kind == "module") {
            if let ([name], Some(source)) = (block.labels.as_slice(), block.source) {
                calls.entry((*name).to_owned()).or_insert_with(|| source.to_owned());
            }
        }
    }
    calls
}

/// The `.tf` files in a folder, by name.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
    let plain =
        |path: PathBuf| if folder == Path::new(".") { path.strip_prefix(".").map(Path::to_owned).unwrap_or(path) } else { path };
    let mut files: Vec<PathBuf> = entries.filter(|p| is_configuration(p) && p.is_file()).map(plain).collect();
    files.sort();
    files.truncate(FILES_MAX);
    files
}

/// True for names of Terraform's own language.
pub(crate) fn is_configuration(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "tf" || e == "tofu")
}

/// The folder of a module that is given by a local path.
fn local(folder: &Path, source: &str) -> Option<PathBuf> {
    if !(source.starts_with("./") || source.starts_with("../")) {
        return None;
    }
    let mut place = folder.to_owned();
    for part in Path::new(source).components() {
        match part {
            Component::Normal(name) => place.push(name),
            // Only what the folder was given by can be taken back.
            Component::ParentDir => match place.components().next_back() {
                Some(Component::Normal(_)) => drop(place.pop()),
                _ => place.push(".."),
            },
            _ => {}
        }
    }
    place.is_dir().then_some(place)
}

/// Where `terraform init` put the modules, by their path (`net.subnets`).
fn noted_modules(root: &Path) -> BTreeMap<String, PathBuf> {
    let path = root.join(".terraform/modules/modules.json");
    let small = std::fs::metadata(&path).is_ok_and(|m| m.len() <= FILE_BYTES_MAX);
    let Some(text) = small.then(|| std::fs::read_to_string(&path).ok()).flatten() else { return BTreeMap::new() };
    let Ok(noted) = serde_json::from_str::<serde_json::Value>(&text) else { return BTreeMap::new() };
    let entries = noted.get("Modules").and_then(|m| m.as_array()).into_iter().flatten();
    let place = |entry: &serde_json::Value| {
        let (key, dir) = (entry.get("Key")?.as_str()?, entry.get("Dir")?.as_str()?);
        let inside = !key.is_empty() && Path::new(dir).is_relative();
        inside.then(|| (key.to_owned(), root.join(dir))).filter(|(_, folder)| folder.is_dir())
    };
    entries.filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let temp = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = temp.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        temp
    }

    fn block(module: &str, kind: &str, name: &str) -> BlockName {
        BlockName { module: module.into(), kind: kind.into(), name: name.into() }
    }

    /// `file:line` of each wanted block.
    fn found(temp: &tempfile::TempDir, plan: &str, wanted: &[BlockName]) -> Vec<String> {
        let folders: BTreeSet<PathBuf> = ["a", "b", "live/prod"].iter().map(|f| temp.path().join(f)).collect();
        let plan = temp.path().join(plan);
        let sources = Finder::new(&plan, &folders).locate(&wanted.iter().cloned().collect());
        let root = format!("{}/", temp.path().display());
        let line = |name: &BlockName| sources.blocks.get(name).map(|w| format!("{}:{}", w.file.replace(&root, ""), w.span.line));
        wanted.iter().map(|name| line(name).unwrap_or_default()).collect()
    }

    #[test]
    fn modules_are_followed_by_path_and_by_note() {
        let temp = folder(&[
            ("live/prod/main.tf", "module \"net\" { source = \"../../modules/net\" }\nmodule \"vpc\" { source = \"x/y/aws\" }\n"),
            ("live/prod/more.tf", "\nresource \"aws_s3_bucket\" \"b\" {}"),
            ("modules/net/main.tf", "module \"sub\" { source = \"./sub\" }\nresource \"aws_vpc\" \"v\" {}\n"),
            ("modules/net/sub/s.tf", "\n\nresource \"aws_subnet\" \"s\" {}\n"),
            ("live/prod/.terraform/modules/modules.json", r#"{"Modules":[{"Key":"","Dir":"."},{"Key":"vpc","Dir":"fetched"}]}"#),
            ("live/prod/fetched/v.tf", "resource \"aws_vpc\" \"this\" {}\n"),
            ("a/main.tf", "resource \"aws_s3_bucket\" \"other\" {}\n"),
        ]);
        let wanted = [
            block("", "aws_s3_bucket", "b"),
            block("net", "aws_vpc", "v"),
            block("net.sub", "aws_subnet", "s"),
            block("vpc", "aws_vpc", "this"),
            block("", "aws_s3_bucket", "gone"),
        ];
        let want = ["live/prod/more.tf:2", "modules/net/main.tf:2", "modules/net/sub/s.tf:3", "live/prod/fetched/v.tf:1", ""];
        assert_eq!(found(&temp, "live/prod/plan.json", &wanted), want);
        assert_eq!(found(&temp, "elsewhere.json", &wanted), want);
        assert_eq!(found(&temp, "elsewhere.json", &[block("", "aws_sqs_queue", "q")]), [""]);
    }

    #[test]
    fn modules_that_call_themselves_end() {
        let temp = folder(&[("a/main.tf", "module \"m\" { source = \"./.\" }\nresource \"aws_vpc\" \"v\" {}\n")]);
        let deep = vec!["m"; 100].join(".");
        assert_eq!(
            found(&temp, "a/plan.json", &[block(&deep, "aws_vpc", "v"), block("m.m", "aws_vpc", "v")]),
            ["", "a/main.tf:2"]
        );
    }

    #[test]
    fn only_local_paths_are_followed() {
        let temp = folder(&[("a/x/m.tf", ""), ("b/m.tf", "")]);
        let a = temp.path().join("a");
        assert_eq!(local(&a, "./x"), Some(a.join("x")));
        assert_eq!(local(&a, "../b"), Some(temp.path().join("b")));
        for source in ["/etc", "x", "git::https://x/y", "./gone"] {
            assert_eq!(local(&a, source), None, "{source}");
        }
        assert_eq!(local(Path::new("."), "../zz/does/not/exist"), None);
    }
}
