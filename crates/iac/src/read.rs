//! Files to one snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use model::{Gap, GapReason, Snapshot, contain};
use rayon::prelude::*;

use crate::Limits;
use crate::canonical::canonical;
use crate::cloudformation::{self, Loaded, Parameters};
use crate::fold::{FOLDS, fold_into};
use crate::recognise::{Kind, recognise};
use crate::sources::Finder;
use crate::terraform::{self, Mapping};
use crate::walk::{self, Found, Job, failed, shown};

/// How files are read.
#[derive(Clone, Debug)]
pub struct Options {
    /// Values for the parameters of templates; what a CDK manifest says of account and Region comes behind them.
    pub parameters: Parameters,
    /// How much is read.
    pub limits: Limits,
    /// What Terraform's resources are in the model's terms; made when the first plan or state asks for it.
    pub mapping: Arc<LazyLock<Mapping, MakeMapping>>,
}

/// Makes a mapping; usually [`Mapping::of`] the catalogue.
pub type MakeMapping = Box<dyn FnOnce() -> Mapping + Send + Sync>;

impl Default for Options {
    fn default() -> Options {
        Options {
            parameters: Parameters::default(),
            limits: Limits::default(),
            mapping: Arc::new(LazyLock::new(Box::new(Mapping::default))),
        }
    }
}

/// What was read, and what is left for others to read.
#[derive(Debug)]
pub struct Reading<T> {
    /// What each file of infrastructure as code came to.
    pub files: Vec<T>,
    /// What could not be read, if it is not a file's own.
    pub gaps: Vec<Gap>,
    /// Files that are no code.
    pub others: Vec<Other>,
}

/// A file that is no infrastructure as code, as far as its first look tells.
#[derive(Debug)]
pub struct Other {
    /// The file.
    pub path: PathBuf,
    /// The position of the path that was named, below which it lies.
    pub root: usize,
    /// What to tell if nobody else can read it; nothing for a file that lay in a folder.
    pub gap: Option<Gap>,
}

/// What one file came to.
struct Outcome<T> {
    /// What it holds; for a file that is no code, what to tell if nobody else can read it.
    read: Result<T, Option<Gap>>,
    /// The templates it nests, by real path.
    nested: BTreeSet<PathBuf>,
    /// The folders of the configuration that a plan was placed in.
    placed: BTreeSet<PathBuf>,
}

/// Reads files and folders. In folders, what is of no known kind is passed over; a file that is named must be of one, or
/// it is a gap. Hidden folders and `node_modules` are skipped, links that loop are followed once.
///
/// Files are read in parallel on rayon's current pool; what comes out is in the order of the paths and names, whatever the
/// number of threads. A template that another one nests is read with that one and not by itself.
pub fn read_paths(paths: &[PathBuf], options: &Options) -> Snapshot {
    let Reading { files, gaps, others } = read(paths, options, &|file| file);
    let mut snapshot = Snapshot { gaps, ..Snapshot::default() };
    files.into_iter().for_each(|file| snapshot.append(file));
    snapshot.gaps.extend(others.into_iter().filter_map(|o| o.gap));
    snapshot
}

/// The same, each file apart and put through `each` as soon as it is read, on the thread that read it: what `each` does not
/// keep of a file is forgotten before the next one. It is also given files of which it turns out that another one nests them.
pub fn read<T: Send>(paths: &[PathBuf], options: &Options, each: &(impl Fn(Snapshot) -> T + Sync)) -> Reading<T> {
    let Found { jobs, mut gaps, terraform } = walk::find(paths, &options.limits);
    let folders: BTreeSet<PathBuf> = terraform.keys().cloned().collect();
    let outcomes: Vec<Outcome<T>> = jobs.par_iter().map(|job| guarded(job, options, &folders, each)).collect();
    gaps.extend(unplanned(terraform, &outcomes));
    let kept = kept(&jobs, &outcomes);
    let (mut files, mut others) = (Vec::new(), Vec::new());
    for ((job, outcome), keep) in jobs.into_iter().zip(outcomes).zip(kept) {
        match outcome.read {
            Ok(file) if keep => files.push(file),
            Ok(_) => {}
            Err(gap) => others.push(Other { path: job.path, root: job.root, gap }),
        }
    }
    Reading { files, gaps, others }
}

/// One gap for each named path below which there is configuration that no plan or state was made from.
fn unplanned<T>(terraform: BTreeMap<PathBuf, (PathBuf, usize)>, outcomes: &[Outcome<T>]) -> Vec<Gap> {
    let planned: BTreeSet<PathBuf> = outcomes.iter().flat_map(|o| &o.placed).map(|folder| real(folder)).collect();
    let mut left: BTreeMap<PathBuf, (usize, PathBuf)> = BTreeMap::new();
    for (folder, (below, files)) in terraform {
        if !planned.contains(&real(&folder)) {
            left.entry(below).or_insert((0, folder)).0 += files;
        }
    }
    let gap = |(below, (files, folder)): (PathBuf, (usize, PathBuf))| {
        let detail = match files {
            1 => "a file of Terraform configuration has no plan beside it".to_owned(),
            _ => format!("{files} files of Terraform configuration have no plan beside them"),
        };
        let help =
            format!("in `{}`: `terraform plan -out p && terraform show -json p > plan.json`; the plan is read", shown(&folder));
        Gap::new("Terraform configuration", GapReason::Unsupported, detail).help(help).in_file(shown(&below), None)
    };
    left.into_iter().map(gap).collect()
}

/// Which files stand for themselves: those that no other one nests, and of templates that nest each other the first.
fn kept<T>(jobs: &[Job], outcomes: &[Outcome<T>]) -> Vec<bool> {
    if outcomes.iter().all(|o| o.nested.is_empty()) {
        return vec![true; jobs.len()];
    }
    let real: Vec<PathBuf> = jobs.iter().map(|j| real(&j.path)).collect();
    let mut nesting: BTreeMap<&PathBuf, usize> = BTreeMap::new();
    for path in outcomes.iter().flat_map(|o| &o.nested) {
        *nesting.entry(path).or_default() += 1;
    }
    let by_others = |path: &PathBuf, own: &Outcome<T>| {
        nesting.get(path).copied().unwrap_or_default() > usize::from(own.nested.contains(path))
    };
    let mut kept: Vec<bool> = real.iter().zip(outcomes).map(|(path, own)| !by_others(path, own)).collect();
    let mut covered: BTreeSet<&PathBuf> =
        outcomes.iter().zip(&kept).filter(|(_, keep)| **keep).flat_map(|(o, _)| &o.nested).collect();
    for ((path, outcome), keep) in real.iter().zip(outcomes).zip(&mut kept) {
        if !*keep && !covered.contains(path) {
            *keep = true;
            covered.extend(&outcome.nested);
        }
    }
    kept
}

/// Reads one file; a panic on the way is a gap that names it.
fn guarded<T>(job: &Job, options: &Options, folders: &BTreeSet<PathBuf>, each: &impl Fn(Snapshot) -> T) -> Outcome<T> {
    let nested = Mutex::new(BTreeSet::new());
    let finder = Finder::new(&job.path, folders);
    let read = contain(|| one(job, options, &nested, &finder)).unwrap_or_else(|| {
        let gap = Gap::new("file", GapReason::Failed, "reading it came to an unexpected end");
        let gap = gap.help("this is a fault of the reader: please report it with the file");
        Ok(alone(gap.in_file(shown(&job.path), None)))
    });
    let nested = nested.into_inner().unwrap_or_default();
    Outcome { read: read.map(each).map_err(|gap| gap.map(|g| *g)), nested, placed: finder.into_used() }
}

fn alone(gap: Gap) -> Snapshot {
    Snapshot { gaps: vec![gap], ..Snapshot::default() }
}

/// What a file of code holds; the error is for a file that is none: what to tell if nobody else can read it.
fn one(
    job: &Job,
    options: &Options,
    nested: &Mutex<BTreeSet<PathBuf>>,
    finder: &Finder<'_>,
) -> Result<Snapshot, Option<Box<Gap>>> {
    let file = shown(&job.path);
    let bytes = match load(&job.path, options.limits.text.bytes_max) {
        Ok(bytes) => bytes,
        Err(gap) if gap.reason == GapReason::Limit => return Err(Some(gap)),
        Err(gap) => return Ok(alone(*gap)),
    };
    let text = text_of(&bytes);
    let kind = match &text {
        Some(text) => recognise(&job.path, text.as_bytes()),
        None => recognise(&job.path, &bytes),
    };
    let unread = |what: &str, why: &str| Gap::new(what, GapReason::Unsupported, why).in_file(&*file, None);
    let not_read = |what: &str, why: &str| alone(unread(what, why));
    let mut snapshot = match (kind, text) {
        (Kind::CloudFormation, Some(text)) => template(&text, job, options, nested),
        (Kind::CloudFormation, None) => not_read("template", "it is not UTF-8 text"),
        (Kind::TerraformPlan | Kind::TerraformState, Some(text)) => {
            let limits = terraform::Limits { text_bytes_max: options.limits.text.bytes_max, ..terraform::Limits::default() };
            terraform::read(&text, &file, &options.mapping, &limits, &|wanted| finder.locate(wanted))
        }
        (Kind::TerraformPlan | Kind::TerraformState, None) => not_read("Terraform file", "it is not UTF-8 text"),
        (Kind::CdkOut, _) if !job.named => return Ok(Snapshot::default()),
        (Kind::Other(_) | Kind::AwsCliAnswer, _) if !job.named => return Err(None),
        (Kind::CdkOut, _) => not_read("cloud assembly", "name the folder that it lies in"),
        (Kind::AwsCliAnswer, _) => return Err(Some(Box::new(unread("AWS CLI answer", "it cannot be read")))),
        (Kind::Other(why), _) => return Err(Some(Box::new(unread("file", why.words())))),
    };
    canonical(&mut snapshot);
    fold_into(&mut snapshot, FOLDS);
    Ok(snapshot)
}

fn template(text: &str, job: &Job, options: &Options, nested: &Mutex<BTreeSet<PathBuf>>) -> Snapshot {
    let find = |from: &str, place: &str| {
        let path = beside(Path::new(from), place)?;
        let bytes = load(&path, options.limits.text.bytes_max).ok()?;
        let text = text_of(&bytes)?.into_owned();
        if let Ok(mut nested) = nested.lock() {
            nested.insert(real(&path));
        }
        Some(Loaded { file: shown(&path), text })
    };
    let limits = &options.limits;
    if job.given.iter().all(|(name, _)| options.parameters.get(name).is_some()) {
        return cloudformation::read(text, &shown(&job.path), &options.parameters, limits, &find);
    }
    let mut parameters = options.parameters.clone();
    for (name, value) in &job.given {
        if parameters.get(name).is_none() {
            parameters.set(name, value);
        }
    }
    cloudformation::read(text, &shown(&job.path), &parameters, limits, &find)
}

/// The file that a template names, if it is a relative path to one that is there.
fn beside(from: &Path, place: &str) -> Option<PathBuf> {
    let place = place.strip_prefix("file://").unwrap_or(place);
    if place.contains("://") || Path::new(place).is_absolute() {
        return None;
    }
    let path = from.parent().unwrap_or(Path::new("")).join(place.strip_prefix("./").unwrap_or(place));
    path.is_file().then_some(path)
}

/// All bytes of a file that is not too large; a gap of reason `Limit` if it is.
fn load(path: &Path, bytes_max: usize) -> Result<Vec<u8>, Box<Gap>> {
    let meta = std::fs::metadata(path).map_err(|e| Box::new(failed(path, &e)))?;
    if meta.len() > bytes_max as u64 {
        let detail = format!("the file has {} bytes; at most {bytes_max} are read", meta.len());
        let gap = Gap::new("file", GapReason::Limit, detail).help("the limit is `bytes_max`");
        return Err(Box::new(gap.in_file(shown(path), None)));
    }
    std::fs::read(path).map_err(|e| Box::new(failed(path, &e)))
}

/// The text of a file: UTF-8, or UTF-16 with a byte order mark.
pub fn text_of(bytes: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    let wide = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.chunks_exact(2).filter_map(|c| c.try_into().ok().map(unit)).collect();
        String::from_utf16(&units).ok().map(std::borrow::Cow::Owned)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => std::str::from_utf8(bytes).ok().map(std::borrow::Cow::Borrowed),
    }
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests;
