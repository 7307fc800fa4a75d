//! What must hold of the tree as a whole, as ordinary tests: `cargo xtask tidy` runs them.

/// Which of our crates each may build on. The longest chain is model, expr, catalogue, engine, palisade.
#[cfg(test)]
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("syntax", &["model"]),
    ("expr", &["model"]),
    ("iam", &["model", "syntax"]),
    ("net", &["model"]),
    ("logs", &["model"]),
    ("detect", &["model", "logs"]),
    ("catalogue", &["model", "expr"]),
    ("engine", &["model", "expr", "catalogue", "iam", "net"]),
    ("aws", &["model", "catalogue"]),
    ("iac", &["model", "catalogue", "syntax"]),
    ("store", &["model"]),
    ("report", &["model", "catalogue"]),
    (
        "palisade",
        &["model", "syntax", "expr", "iam", "net", "logs", "detect", "catalogue", "engine", "aws", "iac", "store", "report"],
    ),
    ("xtask", &["model", "catalogue"]),
];

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::{Path, PathBuf};

    use super::MAY_IMPORT;
    use crate::root;

    /// The most lines of a file before its tests.
    const LINES_MAX: usize = 800;

    fn manifests() -> BTreeMap<String, toml::Table> {
        let mut found = BTreeMap::new();
        let crates = std::fs::read_dir(root().join("crates")).unwrap().map(|e| e.unwrap().path());
        for folder in crates.chain([root().join("catalogue"), root().join("xtask")]) {
            let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            found.insert(name, text.parse().unwrap());
        }
        found
    }

    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.starts_with('.') || name == "target" {
                continue;
            }
            if path.is_dir() {
                files(&path, found);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }

    fn all_files() -> Vec<PathBuf> {
        let mut found = Vec::new();
        files(&root(), &mut found);
        found.sort();
        found
    }

    #[test]
    fn crates_import_only_what_the_table_allows() {
        let manifests = manifests();
        assert_eq!(manifests.len(), MAY_IMPORT.len(), "a crate is missing in the table");
        for (name, manifest) in &manifests {
            let (_, allowed) =
                MAY_IMPORT.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("`{name}` is not in the table"));
            for section in ["dependencies", "build-dependencies"] {
                let deps = manifest.get(section).and_then(|d| d.as_table()).into_iter().flat_map(|t| t.keys());
                for dep in deps.filter(|d| MAY_IMPORT.iter().any(|(n, _)| n == d)) {
                    assert!(allowed.contains(&dep.as_str()), "`{name}` may not build on `{dep}`");
                }
            }
        }
    }

    #[test]
    fn files_fit_a_room() {
        for path in all_files().iter().filter(|p| p.extension().is_some_and(|e| e == "rs")) {
            let text = std::fs::read_to_string(path).unwrap();
            let lines = text.lines().take_while(|l| !l.starts_with("#[cfg(test)]")).count();
            assert!(lines <= LINES_MAX, "{} has {lines} lines before its tests", path.display());
        }
    }

    #[test]
    fn rooms_have_real_names() {
        for path in all_files() {
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let vague = ["util", "utils", "helper", "helpers", "common", "misc", "manager"].contains(&stem.as_str());
            assert!(!vague && !path.ends_with("mod.rs"), "{}", path.display());
        }
    }

    #[test]
    fn nothing_points_out_of_the_repository() {
        let outside = [["..", "shared"].join("/"), ["", "work", ""].join("/")];
        for path in all_files() {
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            for words in &outside {
                assert!(!text.contains(words.as_str()), "{} names `{words}`", path.display());
            }
        }
    }

    #[test]
    fn every_dependency_has_a_reason() {
        let text = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        let table = text.split("[workspace.dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
        for line in table.lines().filter(|l| l.contains('=') && !l.contains("path = ")) {
            assert!(line.contains('#'), "no reason: {line}");
        }
        let manifest: toml::Table = text.parse().unwrap();
        let declared = manifest["workspace"]["dependencies"].as_table().unwrap();
        for (name, manifest) in manifests() {
            for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
                for dep in manifest.get(section).and_then(|d| d.as_table()).into_iter().flat_map(|t| t.keys()) {
                    assert!(declared.contains_key(dep), "`{name}` takes `{dep}` past the workspace");
                }
            }
        }
    }

    #[test]
    fn no_check_is_named_in_code() {
        let ids: BTreeSet<String> = all_files()
            .iter()
            .filter(|p| p.parent().is_some_and(|f| f.ends_with("checks")) && p.extension().is_some_and(|e| e == "toml"))
            .filter_map(|p| Some(p.file_name()?.to_str()?.strip_suffix(".toml")?.to_owned()))
            .filter(|id| !id.ends_with(".cases"))
            .collect();
        assert!(!ids.is_empty());
        for path in all_files()
            .iter()
            .filter(|p| p.extension().is_some_and(|e| e == "rs") && p.components().any(|c| c.as_os_str() == "src"))
        {
            let text = std::fs::read_to_string(path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let code: String = code.lines().filter(|l| !l.trim_start().starts_with("//")).collect();
            let named = code.split('"').find(|words| ids.contains(*words));
            assert!(named.is_none(), "{} names `{named:?}`", path.display());
        }
    }
}
