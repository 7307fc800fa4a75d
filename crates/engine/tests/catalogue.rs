//! The built-in catalogue, read from its folder: every file is fine, and every check's cases give what they say.

use std::collections::BTreeSet;
use std::path::Path;

use catalogue::{Catalogue, SourceFile};

fn gather(root: &Path, path: &Path, files: &mut Vec<SourceFile>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            gather(root, &entry.path(), files);
        }
    } else if let Ok(text) = std::fs::read_to_string(path) {
        let path = path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
        files.push(SourceFile { path, text });
    }
}

fn files() -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    let mut files = Vec::new();
    for place in ["aws", "frameworks", "objectives.toml", "responsibility.csv"] {
        gather(&root, &root.join(place), &mut files);
    }
    files
}

#[test]
fn cases() {
    let files = files();
    let loaded = catalogue::load(&files);
    let problems: Vec<String> =
        loaded.problems.iter().chain(&catalogue::lint(&loaded, &files)).map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let catalogue = Catalogue::new(loaded.pack.clone()).unwrap();
    let (failures, ran) = engine::run_cases(&loaded, &catalogue);
    let failures: Vec<String> = failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{} of {ran} cases failed\n{}", failures.len(), failures.join("\n"));
    assert!(ran >= 3 * loaded.pack.checks.len());
}

/// What a check says that it is the same as, and what the benchmark's file says that decides it, are one list told twice.
#[test]
fn checks_and_cis_benchmarks_name_each_other() {
    let pack = catalogue::load(&files()).pack;
    let mut by_check = BTreeSet::new();
    for check in &pack.checks {
        for id in check.file.same_as.get("cis").into_iter().flatten() {
            by_check.insert((id.clone(), check.id.to_string()));
        }
    }
    let mut by_benchmark = BTreeSet::new();
    for (_, file) in pack.frameworks.iter().filter(|(name, _)| name.starts_with("cis-")) {
        for requirement in &file.requirements {
            let id = format!("{}/{}", file.version, requirement.id);
            by_benchmark.extend(requirement.checks.iter().map(|check| (id.clone(), check.clone())));
        }
    }
    assert!(by_check.len() > 100);
    assert_eq!(by_check.symmetric_difference(&by_benchmark).collect::<Vec<_>>(), Vec::<&(String, String)>::new());
}
