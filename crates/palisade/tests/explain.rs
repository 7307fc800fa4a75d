//! `palisade explain` and `palisade catalogue pages`, with the real binary.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops where its own set-up is wrong")]

use std::process::Command;

fn run(args: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_palisade")).args(args).env_clear().output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

/// Every check as `palisade catalogue list` gives it.
fn checks() -> Vec<serde_json::Value> {
    let (_, text) = run(&["catalogue", "list", "--format", "json"]);
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    list["checks"].as_array().unwrap().clone()
}

#[test]
fn a_check_is_found_by_its_id_elsewhere_in_every_form() {
    let (code, json) = run(&["explain", "s3.8", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["schema"]), (0, &"palisade/explain/1".into()));
    for check in json["checks"].as_array().unwrap() {
        assert!(checks().contains(check), "explain and the list say different things");
        let (title, id) = (check["title"].as_str().unwrap(), check["id"].as_str().unwrap());
        for form in ["terminal", "markdown"] {
            let (code, page) = run(&["explain", id, "--format", form]);
            assert_eq!(code, 0);
            assert!(page.contains(title) && page.contains(check["fix"]["text"].as_str().unwrap()), "{page}");
        }
    }
    assert_eq!(run(&["explain", "no-such-check"]).0, 2);
}

#[test]
fn every_check_gets_a_page_and_a_line_in_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    assert_eq!(run(&["catalogue", "pages", pages.to_str().unwrap()]).0, 0);
    let index = std::fs::read_to_string(pages.join("index.md")).unwrap();
    let checks = checks();
    for check in &checks {
        let id = check["id"].as_str().unwrap();
        let page = std::fs::read_to_string(pages.join(format!("{id}.md"))).unwrap();
        assert!(page.contains(check["title"].as_str().unwrap()), "{page}");
        assert_eq!(index.matches(&format!("({id}.md)")).count(), 1);
    }
    assert_eq!(std::fs::read_dir(&pages).unwrap().count(), checks.len() + 1);
}
