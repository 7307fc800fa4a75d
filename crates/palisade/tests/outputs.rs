//! Every machine form of a report against its published description, and the page in a real browser, on the example and on
//! names that mean harm. `cargo xtask test` sets `PALISADE_TEST_PYTHON` and `PALISADE_TEST_CHROMIUM`; without them there is
//! nothing to hold against, and only what needs neither is tested.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where its own set-up is wrong")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Names that a terminal, a page, a spreadsheet or a shell would act on.
const HOSTILE: &str = r#"Resources:
  A:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: "</script><img src=x onerror=\"document.title='pwned'\">"
  B:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: "=cmd|'/c calc'!A1"
      Tags: [{ Key: "\e]0;pwned\a", Value: "\e[31mred" }]
  "C\e[2J<b>":
    Type: AWS::SQS::Queue
    Properties:
      QueueName: "\u202Epdf.exe | `id` & <svg/onload=document.title='pwned'>"
"#;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn palisade(folder: &Path, args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_palisade")).args(args).current_dir(folder).env_clear().output().unwrap();
    let code = output.status.code().unwrap();
    assert!(code < 2, "{args:?} ended with {code}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A folder with the hostile template, and the arguments that scan it together with the example.
fn inputs() -> (tempfile::TempDir, [String; 3]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hostile.yaml"), HOSTILE).unwrap();
    let shop = root().join("examples/shop").display().to_string();
    (folder, ["scan".to_owned(), "hostile.yaml".to_owned(), shop])
}

/// Writes `text` and holds it against the description of its form.
fn validate(python: &Path, form: &str, text: &str, schema: Option<&Path>) {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    std::fs::write(&report, text).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs/validate.py");
    let output = Command::new(python).arg(script).arg(form).arg(&report).args(schema).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{form}: {said}");
}

#[test]
fn reports_are_what_their_forms_ask_for() {
    let Some(python) = std::env::var_os("PALISADE_TEST_PYTHON").map(PathBuf::from) else { return };
    let (folder, scan) = inputs();
    let scan: Vec<&str> = scan.iter().map(String::as_str).collect();
    let sarif = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/outputs/sarif-2.1.0.schema.json");
    let scanned = root().join("docs/reference/schema/scan.schema.json");
    let forms =
        [("json", Some(&scanned)), ("sarif", Some(&sarif)), ("ocsf", None), ("asff", None), ("junit", None), ("csv", None)];
    for (form, schema) in forms {
        let report = palisade(folder.path(), &[scan.as_slice(), &["--all", "--format", form]].concat());
        validate(&python, form, &report, schema.map(PathBuf::as_path));
    }
}

#[test]
fn other_json_is_what_its_schema_says() {
    let Some(python) = std::env::var_os("PALISADE_TEST_PYTHON").map(PathBuf::from) else { return };
    let (folder, scan) = inputs();
    let schema = |name: &str| root().join(format!("docs/reference/schema/{name}.schema.json"));
    let example = scan[2].as_str();
    let outputs = [
        ("line", vec!["line", example, "--format", "json"]),
        ("line", vec!["line", example, "--resources", "--format", "json"]),
        ("catalogue", vec!["catalogue", "list", "--format", "json"]),
        ("explain", vec!["explain", "S3.8", "--format", "json"]),
    ];
    for (name, args) in outputs {
        validate(&python, "json", &palisade(folder.path(), &args), Some(&schema(name)));
    }
    palisade(folder.path(), &["scan", "hostile.yaml", "--write-baseline", "baseline.json"]);
    let baseline = std::fs::read_to_string(folder.path().join("baseline.json")).unwrap();
    validate(&python, "json", &baseline, Some(&schema("baseline")));
}

/// An account that the analysis is tested with, as files of saved answers.
fn account(folder: &Path, name: &str) -> String {
    let fixture = root().join(format!("crates/net/fixtures/{name}.json"));
    let fixture: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(fixture).unwrap()).unwrap();
    let dir = folder.join(name);
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("all.json"), fixture.get("answers").unwrap().to_string()).unwrap();
    name.to_owned()
}

#[test]
fn answers_about_networks_are_what_their_schemas_say() {
    let Some(python) = std::env::var_os("PALISADE_TEST_PYTHON").map(PathBuf::from) else { return };
    let (folder, scan) = inputs();
    let schema = |name: &str| root().join(format!("docs/reference/schema/net.{name}.schema.json"));
    std::fs::write(folder.path().join("rules.txt"), "deny internet -> i-web tcp/443\nallow internet -> i-web tcp/22\n").unwrap();
    let shop = scan[2].as_str();
    for name in ["balancer-application", "firewall-stateless"] {
        let account = account(folder.path(), name);
        let input = ["--input", &account];
        let outputs = [
            ("exposure", vec!["exposure", &account]),
            ("exposure", vec!["exposure", shop]),
            ("zones", vec!["zones", &account]),
            ("egress", vec!["egress", &account]),
            ("subnets", vec!["subnets", &account]),
            ("unused", vec!["unused", &account]),
            ("diff", vec!["diff", &account, &account]),
            ("reach", [&["reach", "internet", "i-web", "tcp/443"], &input[..]].concat()),
            ("reach", [&["reach", "i-web", "internet", "tcp/443"], &input[..]].concat()),
            ("reach", [&["reach", "i-gone", "i-web", "tcp/443"], &input[..]].concat()),
            ("bastion", [&["bastion", "tag:role=bastion"], &input[..]].concat()),
            ("assert", [&["assert", "rules.txt"], &input[..]].concat()),
        ];
        for (kind, args) in outputs {
            let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
            let output = command
                .arg("net")
                .args(&args)
                .args(["--format", "json"])
                .current_dir(folder.path())
                .env_clear()
                .output()
                .unwrap();
            let (text, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
            assert_ne!(output.status.code(), Some(2), "{name} {args:?}: {said}");
            validate(&python, "json", &text, Some(&schema(kind)));
        }
    }
    for args in
        [vec!["exposure", "firewall-stateless"], vec!["reach", "internet", "i-web", "tcp/1", "--input", "firewall-stateless"]]
    {
        for (form, holds) in [("svg", "<svg"), ("html", "<!doctype html>"), ("dot", "digraph")] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
            let output =
                command.arg("net").args(&args).args(["--format", form]).current_dir(folder.path()).env_clear().output().unwrap();
            assert!(String::from_utf8(output.stdout).unwrap().starts_with(holds), "{args:?} {form}");
        }
    }
    let mut refused = Command::new(env!("CARGO_BIN_EXE_palisade"));
    refused.args(["net", "zones", "firewall-stateless", "--format", "svg"]);
    assert_eq!(refused.current_dir(folder.path()).env_clear().output().unwrap().status.code(), Some(2));
}

#[test]
fn a_terminal_and_markdown_never_see_control_characters_of_the_input() {
    let (folder, scan) = inputs();
    let scan: Vec<&str> = scan.iter().map(String::as_str).collect();
    for form in ["terminal", "markdown", "csv", "junit"] {
        let report = palisade(folder.path(), &[scan.as_slice(), &["--all", "--full", "--format", form]].concat());
        let report = report.replace("\r\n", "\n"); // the end of a line of CSV (RFC 4180)
        let strange = |c: &char| (c.is_control() && *c != '\n') || ('\u{202A}'..='\u{202E}').contains(c);
        assert_eq!(report.chars().find(strange), None, "{form}");
    }
}

#[test]
fn the_page_shows_hostile_names_as_text_and_filters_findings() {
    let Some(chromium) = std::env::var_os("PALISADE_TEST_CHROMIUM").map(PathBuf::from) else { return };
    let (folder, scan) = inputs();
    let scan: Vec<&str> = scan.iter().map(String::as_str).collect();
    palisade(folder.path(), &[scan.as_slice(), &["--format", "html=report.html"]].concat());
    let page = folder.path().join("report.html");
    let shown = dump(&chromium, &page);
    assert!(!shown.contains("<title>pwned"), "a name ran as a script");
    assert!(shown.contains("&lt;img src=x onerror="), "the name is not shown as text");
    // The script writes how many findings it shows: it ran, under the page's own security policy.
    let count = shown.split_once("aria-live=\"polite\">").and_then(|(_, rest)| rest.split_once(" findings")).unwrap().0;
    assert!(count.parse::<u32>().unwrap() > 10, "{count}");
}

/// The page's document after its scripts have run.
fn dump(chromium: &Path, page: &Path) -> String {
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Command::new(chromium);
    browser.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]);
    browser.args(["--disable-component-update", "--disable-sync", "--dump-dom"]);
    browser.arg(format!("--user-data-dir={}", profile.path().display())).arg(format!("file://{}", page.display()));
    let output = browser.output().unwrap_or_else(|e| panic!("cannot run {}: {e}", chromium.display()));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
