//! From what the user named to what the crates work on: settings, catalogue, snapshot, source texts.

mod age;
mod saved;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use anyhow::{Context, Result, bail};
use catalogue::{Catalogue, SourceFile};
use iac::cloudformation::Parameters;
use model::{Gap, GapReason, Snapshot};
use report::Sources;

pub(crate) use saved::Content;

use crate::cli::InputArgs;
use crate::config::Settings;
use crate::live::{self, Wanted};

/// Settings and catalogue.
pub(crate) struct Knowledge {
    /// What `palisade.toml` says.
    pub(crate) settings: Settings,
    /// The built-in catalogue with the user's laid over it.
    pub(crate) catalogue: Arc<Catalogue>,
    /// True if something of the user's is.
    extended: bool,
}

impl Knowledge {
    /// Reads the settings file and every catalogue folder.
    pub(crate) fn read(config: Option<&Path>, catalogues: &[PathBuf]) -> Result<Knowledge> {
        let settings = Settings::read(config)?;
        let dirs: Vec<&PathBuf> = settings.catalogue.iter().chain(catalogues).collect();
        if dirs.is_empty() {
            return Ok(Knowledge { settings, catalogue: Arc::new(catalogue::built_in()), extended: false });
        }
        let mut pack = catalogue::built_in_pack();
        for dir in dirs {
            let loaded = catalogue::load(&catalogue_files(dir)?);
            if let Some(problem) = loaded.problems.first() {
                bail!("catalogue `{}`: {problem}", dir.display());
            }
            pack.overlay(loaded.pack);
        }
        let catalogue = Catalogue::new(pack)
            .map_err(|p| anyhow::anyhow!(p.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
        Ok(Knowledge { settings, catalogue: Arc::new(catalogue), extended: true })
    }
}

impl Knowledge {
    /// How the catalogue's types are collected from a live account.
    pub(crate) fn plan(&self) -> Result<aws::Plan> {
        let types = self.catalogue.folders();
        Ok(if self.extended { aws::Plan::checked(types)? } else { aws::Plan::new(types)? })
    }
}

/// The files of a catalogue folder.
pub(crate) fn catalogue_files(dir: &Path) -> Result<Vec<SourceFile>> {
    if !dir.is_dir() {
        bail!("`{}` is not a folder", dir.display());
    }
    let mut files = Vec::new();
    for entry in ignore::WalkBuilder::new(dir).build() {
        let entry = entry.with_context(|| format!("cannot read `{}`", dir.display()))?;
        let path = entry.path();
        if !path.is_file() {
            continue;
        }
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let below = path.strip_prefix(dir).unwrap_or(path).to_string_lossy().replace('\\', "/");
        files.push(SourceFile { path: below, text });
    }
    Ok(files)
}

/// Values of template parameters: settings, then files, then flags; the later counts.
fn parameters(args: &InputArgs, settings: &Settings) -> Result<Parameters> {
    let mut values = Parameters::default();
    for (name, value) in &settings.parameters {
        values.set(name, value);
    }
    for path in &args.parameters {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let read = Parameters::parse(&text, &iac::Limits::default().text);
        let read = read.map_err(|e| anyhow::anyhow!("`{}`: {}", path.display(), e.message))?;
        for name in read.names() {
            values.set(name, read.get(name).unwrap_or_default());
        }
    }
    for pair in &args.parameter {
        let (name, value) = pair.split_once('=').with_context(|| format!("`{pair}` is not NAME=VALUE"))?;
        values.set(name, value);
    }
    Ok(values)
}

/// What was read, with the saved answers apart.
pub(crate) struct Reading {
    /// Templates, plans, states and snapshot files.
    pub(crate) snapshot: Snapshot,
    /// Saved answers of the AWS CLI, a folder each.
    pub(crate) answers: Vec<saved::Folder>,
}

/// Reads everything that the paths name: templates, plans, states, snapshot files, saved AWS CLI answers, and folders of them;
/// and the live account where the arguments ask for it, as far as it is wanted.
pub(crate) fn read(paths: &[PathBuf], args: &InputArgs, knowledge: &Knowledge, wanted: Wanted<'_>) -> Result<Snapshot> {
    let (_, snapshot) = read_each(paths, args, knowledge, wanted, &|_| None::<()>)?;
    Ok(snapshot)
}

/// The same, with each file of code put through `each` as soon as it is read. What `each` makes something of is forgotten, and
/// the rest is one snapshot.
pub(crate) fn read_each<T: Send>(
    paths: &[PathBuf],
    args: &InputArgs,
    knowledge: &Knowledge,
    wanted: Wanted<'_>,
    each: &(impl Fn(&Snapshot) -> Option<T> + Sync),
) -> Result<(Vec<T>, Snapshot)> {
    let (made, Reading { mut snapshot, answers }) = read_both(paths, args, knowledge, wanted, each)?;
    if !answers.is_empty() {
        let plan = knowledge.plan()?;
        answers.iter().for_each(|folder| snapshot.append(folder.snapshot(&plan)));
    }
    Ok((made, snapshot))
}

/// Reads everything, with the saved answers as they are.
pub(crate) fn read_apart(paths: &[PathBuf], args: &InputArgs, knowledge: &Knowledge, wanted: Wanted<'_>) -> Result<Reading> {
    let (_, reading) = read_both(paths, args, knowledge, wanted, &|_| None::<()>)?;
    Ok(reading)
}

/// Reads the files, and the live account where it is asked for.
fn read_both<T: Send>(
    paths: &[PathBuf],
    args: &InputArgs,
    knowledge: &Knowledge,
    wanted: Wanted<'_>,
    each: &(impl Fn(&Snapshot) -> Option<T> + Sync),
) -> Result<(Vec<T>, Reading)> {
    let (made, mut reading) = read_files(paths, args, knowledge, each)?;
    if args.live.asked() {
        let plan = live::wanted(&knowledge.plan()?, &knowledge.catalogue, wanted);
        reading.snapshot.append(live::collect(&args.live, &plan, &live::secret_paths(&knowledge.catalogue))?.snapshot);
    }
    Ok((made, reading))
}

/// The arguments, asking for the live account if no path and nothing else is named.
pub(crate) fn or_live(paths: &[PathBuf], args: &InputArgs) -> InputArgs {
    let mut args = args.clone();
    args.live.live |= paths.is_empty();
    args
}

fn read_files<T: Send>(
    paths: &[PathBuf],
    args: &InputArgs,
    knowledge: &Knowledge,
    each: &(impl Fn(&Snapshot) -> Option<T> + Sync),
) -> Result<(Vec<T>, Reading)> {
    let catalogue = Arc::clone(&knowledge.catalogue);
    let options = iac::Options {
        parameters: parameters(args, &knowledge.settings)?,
        mapping: Arc::new(LazyLock::new(Box::new(move || iac::terraform::Mapping::of(&catalogue)))),
        ..iac::Options::default()
    };
    if let Some(missing) = paths.first().filter(|_| paths.iter().all(|path| path.symlink_metadata().is_err())) {
        bail!("cannot read `{}`: no such file or folder", missing.display());
    }
    let make = |file: Snapshot| match each(&file) {
        Some(made) if !file.scopes.is_empty() => Ok(made),
        _ => Err(file),
    };
    let iac::Reading { files, gaps, others } = iac::read(paths, &options, &make);
    let mut made = Vec::new();
    let mut snapshot = Snapshot { gaps, ..Snapshot::default() };
    for file in files {
        match file {
            Ok(file) => made.push(file),
            Err(kept) => snapshot.append(kept),
        }
    }
    let answers = match others.is_empty() {
        true => Vec::new(),
        false => {
            let saved::Saved { snapshot: more, folders } = saved::read(others, paths, &knowledge.plan()?);
            snapshot.append(more);
            folders
        }
    };
    if made.is_empty() && snapshot.scopes.is_empty() && snapshot.gaps.is_empty() && answers.is_empty() {
        snapshot.gaps.extend(paths.iter().map(|path| nothing_in(path)));
    }
    Ok((made, Reading { snapshot, answers }))
}

/// Says that a folder holds nothing to judge: a run over nothing must not look like a clean one.
fn nothing_in(path: &Path) -> Gap {
    let gap = Gap::new(path.display().to_string(), GapReason::Missing, "nothing in it is of a kind that is read");
    gap.help("a template, a plan or state as JSON, a snapshot, or answers of the AWS CLI; `palisade scan --help` tells more")
}

/// The texts of source files, read when an excerpt is first asked for.
#[derive(Default)]
pub(crate) struct Files {
    texts: RefCell<BTreeMap<String, Option<Vec<String>>>>,
}

impl Sources for Files {
    fn lines(&self, file: &str, first: u32, last: u32) -> Option<String> {
        let mut texts = self.texts.borrow_mut();
        let read = || std::fs::read_to_string(file).ok().map(|t| t.lines().map(str::to_owned).collect());
        let lines = texts.entry(file.to_owned()).or_insert_with(read).as_ref()?;
        let wanted = lines.get(first.checked_sub(1)? as usize..(last as usize).min(lines.len()))?;
        Some(wanted.iter().map(|l| format!("{l}\n")).collect())
    }
}
