//! `cargo xtask gen`: files that are derived and kept.
//!
//! What users read of the binary is small and made by the binary itself; a test holds each to it. Facts about AWS come from
//! other projects' packages and are made anew when somebody asks for a newer version.

mod aws_facts;
mod iam_facts;
mod sam_facts;

use crate::root;
use crate::test::cargo;

/// Pages and the commands that print them.
const PAGES: &[(&str, &[&str])] =
    &[("docs/reference/cli.md", &["reference"]), ("docs/reference/collector-policy.json", &["permissions"])];

/// Makes the pages, or the facts that are named.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    match args {
        [] => PAGES.iter().try_for_each(|(page, command)| write(page, command)),
        ["aws-facts", rest @ ..] => aws_facts::run(rest).map_err(|e| e.to_string()),
        ["iam-facts", rest @ ..] => iam_facts::run(rest).map_err(|e| e.to_string()),
        ["sam-facts", rest @ ..] => sam_facts::run(rest).map_err(|e| e.to_string()),
        [unknown, ..] => Err(format!("nothing is called `{unknown}`\n  help: aws-facts, iam-facts, sam-facts")),
    }
}

fn write(page: &str, command: &[&str]) -> Result<(), String> {
    let mut run = cargo(&["run", "--quiet", "--package", "palisade", "--"]);
    let output = run.args(command).output().map_err(|e| format!("cannot run {command:?}: {e}"))?;
    if !output.status.success() {
        return Err(format!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    std::fs::write(root().join(page), output.stdout).map_err(|e| format!("cannot write `{page}`: {e}"))
}
