//! The built-in catalogue, read from its folder: every file is fine, and every check's cases give what they say.

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
