//! `cargo xtask test` and `ci`: install what the tests need beside Rust, then run them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{python, root};

/// The Python packages that tests talk to, pinned. They live in a virtual environment of their own.
const PYTHON_PACKAGES: &[&str] =
    &["moto[server,all]==5.2.5", "aws-sam-translator==1.115.0", "cfn-lint==1.58.0", "py-ocsf-models==0.10.0", "duckdb==2.0.1"];

/// Where Debian's Chromium is.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Installs the tools and runs every test of the workspace.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let python = python_tools()?;
    let mut cargo = cargo(&["test", "--workspace", "--no-fail-fast"]);
    cargo.args(args).env("PALISADE_TEST_PYTHON", python).env("PALISADE_TEST_CHROMIUM", chromium()?);
    spawn(cargo)
}

/// What must hold of the tree as a whole.
pub(crate) fn tidy() -> Result<(), String> {
    spawn(cargo(&["test", "--quiet", "--package", "xtask"]))
}

/// Everything that must hold before a change lands.
pub(crate) fn ci() -> Result<(), String> {
    spawn(cargo(&["fmt", "--all", "--check"]))?;
    spawn(cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    match cargo(&["deny", "--version"]).output() {
        Ok(output) if output.status.success() => spawn(cargo(&["deny", "check"]))?,
        _ => eprintln!("xtask: cargo-deny is not installed (cargo install cargo-deny); its checks are left out"),
    }
    run(&[])
}

/// A Chromium: the one that `PALISADE_TEST_CHROMIUM` names, or Debian's, installed on the first call.
fn chromium() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("PALISADE_TEST_CHROMIUM") {
        return Ok(named.into());
    }
    if !Path::new(CHROMIUM).exists() {
        for step in [&["update", "--quiet"][..], &["install", "--quiet", "--yes", "--no-install-recommends", "chromium"]] {
            let mut apt = Command::new("apt-get");
            apt.args(step).env("DEBIAN_FRONTEND", "noninteractive").stdout(std::process::Stdio::null());
            spawn(apt)
                .map_err(|e| format!("{e}\n  help: as root, apt-get install chromium; or name one by PALISADE_TEST_CHROMIUM"))?;
        }
    }
    Ok(CHROMIUM.into())
}

/// The virtual environment's Python, made and filled on the first call.
fn python_tools() -> Result<PathBuf, String> {
    Ok(python::environment(&target_folder().join("test-tools"), PYTHON_PACKAGES)?.join("python"))
}

/// Where Cargo puts what it builds.
pub(crate) fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Cargo, in the repository's root.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(args).current_dir(Path::new(&root()));
    command
}

/// Runs a command, and says which one failed.
pub(crate) fn spawn(mut command: Command) -> Result<(), String> {
    let status = command.status().map_err(|e| format!("cannot run {command:?}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}")) }
}
