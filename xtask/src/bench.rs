//! `cargo xtask bench`: our figures beside a peer's or a physical limit's, taken in one run.
//!
//! A section is a module that gives rows. Figures are CPU seconds (user and system) and peak memory of whole processes, as the
//! operating system accounts them; where two are compared they take turns, and the medians are told. Nothing here passes or
//! fails: the machines that run it are not quiet. Peers are installed into `target/bench-tools`, pinned.

mod flows;
mod iam;
mod live;
mod net;
mod scan;
mod templates;
mod trail;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::test::{cargo, spawn, target_folder};
use crate::{python, root};

/// Measures and tells.
type Section = fn(&Bench) -> Result<Vec<Row>, String>;

/// The sections by name, in the order of the page.
const SECTIONS: &[(&str, Section)] = &[
    ("scan", scan::rows),
    ("net", net::rows),
    ("iam", iam::rows),
    ("trail", trail::rows),
    ("flows", flows::rows),
    ("live", live::rows),
];

/// How often a pair of commands takes turns.
const ROUNDS: usize = 5;

/// Measures the sections that are named, or all, prints their tables, and with `--write` puts them into `docs/benchmarks.md`.
pub(crate) fn run(args: &[&str]) -> Result<(), String> {
    let write = args.contains(&"--write");
    let names: Vec<&str> = args.iter().filter(|a| **a != "--write").copied().collect();
    if let Some(unknown) = names.iter().find(|n| !SECTIONS.iter().any(|(name, _)| name == *n)) {
        let known: Vec<&str> = SECTIONS.iter().map(|(name, _)| *name).collect();
        return Err(format!("no section `{unknown}`\n  help: {}", known.join(", ")));
    }
    let bench = Bench::prepare()?;
    for (name, section) in SECTIONS.iter().filter(|(name, _)| names.is_empty() || names.contains(name)) {
        eprintln!("xtask: measuring {name}");
        let table = table(&section(&bench)?);
        eprintln!("{table}");
        if write {
            record(name, &table)?;
        }
    }
    Ok(())
}

/// A line of a table.
pub(crate) struct Row {
    /// What is measured, on what.
    pub(crate) what: String,
    /// Our figure, with its unit.
    pub(crate) ours: String,
    /// Whose figure stands beside it, and the figure; empty where there is none.
    pub(crate) beside: String,
    /// The ratio, in words that say which way it goes; empty where there is none.
    pub(crate) ratio: String,
}

/// What one process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// User and system time, in seconds.
    pub(crate) cpu_seconds: f64,
    /// The most memory it held, in megabytes of 2^20 bytes. What starts it takes about 9 MB, so less cannot be told.
    pub(crate) memory_mb: f64,
}

/// The built product, and folders for peers and data.
pub(crate) struct Bench {
    palisade: PathBuf,
    tools: PathBuf,
    scratch: PathBuf,
}

impl Bench {
    fn prepare() -> Result<Bench, String> {
        spawn(cargo(&["build", "--release", "--package", "palisade"]))?;
        let target = target_folder();
        let bench = Bench {
            palisade: target.join("release/palisade"),
            tools: target.join("bench-tools"),
            scratch: target.join("bench-data"),
        };
        for folder in [&bench.tools, &bench.scratch] {
            std::fs::create_dir_all(folder).map_err(|e| format!("cannot make `{}`: {e}", folder.display()))?;
        }
        Ok(bench)
    }

    /// Our binary with these arguments.
    pub(crate) fn palisade(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.palisade);
        command.args(args).current_dir(&self.scratch);
        command
    }

    /// A program of a Python package, in an environment of its own.
    pub(crate) fn python_tool(&self, name: &str, packages: &[&str], program: &str) -> Result<Command, String> {
        Ok(Command::new(python::environment(&self.tools.join(name), packages)?.join(program)))
    }

    /// The same for a package with hundreds of others below it: pip takes many minutes to choose among their versions, uv
    /// seconds.
    pub(crate) fn resolved_tool(&self, package: &str, program: &str) -> Result<Command, String> {
        let programs = python::environment(&self.tools.join(program), &["uv==0.13.9"])?;
        let mut install = Command::new(programs.join("uv"));
        install.args(["pip", "install", "--quiet", package, "--python"]).arg(programs.join("python"));
        spawn(install)?;
        Ok(Command::new(programs.join(program)))
    }

    /// The folder that a package of npm is installed in.
    pub(crate) fn npm_package(&self, name: &str, package: &str) -> Result<PathBuf, String> {
        let folder = self.tools.join(name);
        std::fs::create_dir_all(&folder).map_err(|e| format!("cannot make `{}`: {e}", folder.display()))?;
        let mut install = Command::new("npm");
        install.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).arg(package);
        spawn(install)?;
        Ok(folder)
    }

    /// A program of a package on crates.io, built once.
    pub(crate) fn cargo_tool(&self, package: &str, version: &str) -> Result<Command, String> {
        let program = self.tools.join("bin").join(package);
        let stamp = self.tools.join(format!("{package}-{version}"));
        if !stamp.exists() {
            let mut install = cargo(&["install", "--quiet", "--force", package, "--version", version, "--root"]);
            install.arg(&self.tools);
            spawn(install)?;
            std::fs::write(&stamp, "").map_err(|e| format!("cannot write `{}`: {e}", stamp.display()))?;
        }
        Ok(Command::new(program))
    }

    /// An empty folder for a section's data.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.scratch.join(name);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|e| format!("cannot make `{}`: {e}", folder.display()))?;
        Ok(folder)
    }

    /// Runs one of our examples, built for release, and gives what it printed.
    pub(crate) fn example(&self, package: &str, example: &str, args: &[&str]) -> Result<String, String> {
        let mut run = cargo(&["run", "--quiet", "--release", "--package", package, "--example", example, "--"]);
        let output = run.args(args).output().map_err(|e| format!("cannot run {example}: {e}"))?;
        if !output.status.success() {
            return Err(format!("{example} failed: {}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Runs a command a few times, and gives the medians.
pub(crate) fn measure(command: &Command) -> Result<Usage, String> {
    let runs = (0..ROUNDS).map(|_| once(command)).collect::<Result<Vec<_>, _>>()?;
    Ok(medians(&runs))
}

/// Runs two commands in turns, after one uncounted turn, and gives the medians of each.
pub(crate) fn pair(ours: &Command, theirs: &Command, rounds: usize) -> Result<(Usage, Usage), String> {
    let mut runs = (Vec::new(), Vec::new());
    for round in 0..=rounds {
        let turn = (once(ours)?, once(theirs)?);
        if round > 0 {
            runs.0.push(turn.0);
            runs.1.push(turn.1);
        }
    }
    Ok((medians(&runs.0), medians(&runs.1)))
}

/// How many times as much of the second there is, to two figures: `57 times`.
pub(crate) fn times(ours: f64, theirs: f64) -> String {
    let ratio = theirs / ours.max(f64::MIN_POSITIVE);
    if ratio >= 10.0 { format!("{ratio:.0} times") } else { format!("{ratio:.2} times") }
}

fn medians(runs: &[Usage]) -> Usage {
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    Usage {
        cpu_seconds: median(runs.iter().map(|r| r.cpu_seconds).collect()),
        memory_mb: median(runs.iter().map(|r| r.memory_mb).collect()),
    }
}

/// Exit codes of a run that did its work: done, and done with findings.
const DONE: [i32; 2] = [0, 1];

/// Asks the operating system what one run took. Python's `resource` speaks to `wait4` for us. A run that did not do its work is
/// no measurement.
pub(crate) fn once(command: &Command) -> Result<Usage, String> {
    // `python3` may be a script that ran other programs before it became Python: what they took is not the command's.
    const ACCOUNT: &str = "import resource, subprocess, sys
before = resource.getrusage(resource.RUSAGE_CHILDREN)
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime, used.ru_maxrss, done.returncode)
sys.stderr.write(done.stderr.decode(errors='replace')[-2000:])";
    let mut outer = Command::new("python3");
    outer.args(["-c", ACCOUNT]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        outer.current_dir(folder);
    }
    let output = outer.stdin(Stdio::null()).output().map_err(|e| format!("cannot run python3: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = text.split_whitespace().filter_map(|f| f.parse().ok()).collect();
    let said = String::from_utf8_lossy(&output.stderr);
    match figures.as_slice() {
        [cpu_seconds, kilobytes, code] if DONE.iter().any(|done| f64::from(*done) == *code) => {
            Ok(Usage { cpu_seconds: *cpu_seconds, memory_mb: kilobytes / 1024.0 })
        }
        [.., code] => Err(format!("{command:?} ended with {code}: {said}")),
        _ => Err(format!("cannot measure {command:?}: {said}")),
    }
}

/// Rows as a Markdown table.
fn table(rows: &[Row]) -> String {
    let mut table = String::from("| what | Palisade | beside | ratio |\n|---|---|---|---|\n");
    for row in rows {
        let _ = writeln!(table, "| {} | {} | {} | {} |", row.what, row.ours, row.beside, row.ratio);
    }
    table
}

/// Puts a section's table between its marks in the page.
fn record(section: &str, table: &str) -> Result<(), String> {
    let page = root().join("docs/benchmarks.md");
    let text = std::fs::read_to_string(&page).map_err(|e| format!("cannot read `{}`: {e}", page.display()))?;
    let replaced = between(&text, section, table).ok_or_else(|| {
        format!("`{}` has no place for it\n  help: add <!-- bench {section} --> and <!-- end {section} -->", page.display())
    })?;
    write_file(&page, &replaced)
}

fn between(text: &str, section: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(&format!("<!-- bench {section} -->\n"))?;
    let (_, after) = rest.split_once(&format!("<!-- end {section} -->"))?;
    Some(format!("{before}<!-- bench {section} -->\n{table}<!-- end {section} -->{after}"))
}

/// Writes a file of a section's data.
pub(crate) fn write_file(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("cannot write `{}`: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{SECTIONS, between, once, times};
    use crate::root;

    #[test]
    fn a_table_takes_the_place_of_the_last_one() {
        let page = "a\n<!-- bench scan -->\nold\n<!-- end scan -->\nb";
        assert_eq!(between(page, "scan", "new\n").unwrap(), "a\n<!-- bench scan -->\nnew\n<!-- end scan -->\nb");
        assert_eq!(between(page, "net", "new\n"), None);
    }

    #[test]
    fn every_section_has_a_place_on_the_page() {
        let page = std::fs::read_to_string(root().join("docs/benchmarks.md")).unwrap();
        for (name, _) in SECTIONS {
            assert!(between(&page, name, "").is_some(), "docs/benchmarks.md has no marks for `{name}`");
        }
    }

    #[test]
    fn a_run_that_fails_is_no_measurement() {
        let run = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            once(&command)
        };
        assert!(run("exit 0").is_ok() && run("exit 1").is_ok());
        assert!(run("echo no such log >&2; exit 2").unwrap_err().ends_with("ended with 2: no such log\n"));
        assert!(once(&Command::new("/no/such/program")).is_err());
    }

    #[test]
    fn ratios_keep_two_figures() {
        assert_eq!(times(0.5, 30.0), "60 times");
        assert_eq!(times(2.0, 3.0), "1.50 times");
    }
}
