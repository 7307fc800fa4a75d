//! The only place that writes: standard output, and files that the user named.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use detect::output::LakeFile;
use model::Gap;

use crate::cli::Color;

/// Says once and for all when to use colour.
pub(crate) fn set_colour(when: Color) {
    match when {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
}

/// Writes text to standard output; styles are kept only where they show.
pub(crate) fn print(text: &str) -> Result<()> {
    let mut out = anstream::AutoStream::auto(io::stdout().lock());
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Writes to standard output what is for programs and may be long, piece by piece.
pub(crate) fn print_with(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<()> {
    let mut out = io::BufWriter::with_capacity(PIECE_BYTES, io::stdout().lock());
    write(&mut out)?;
    out.flush()?;
    Ok(())
}

/// How much is written at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Says something beside the data: to standard error.
#[expect(clippy::print_stderr, reason = "talk goes to standard error")]
pub(crate) fn tell(text: &str) {
    eprintln!("palisade: {text}");
}

/// Most reasons for gaps that are told where they are not the answer.
const REASONS_TOLD: usize = 20;

/// What could not be read, as far as it matters: each reason with its way out.
pub(crate) fn unread<'g>(gaps: impl IntoIterator<Item = &'g Gap>) -> Vec<String> {
    let mut told: Vec<String> = report::unread(gaps).iter().map(|gap| format!("could not be read: {gap}")).collect();
    let more = told.len().saturating_sub(REASONS_TOLD);
    told.truncate(REASONS_TOLD);
    if more > 0 {
        told.push(format!("could not be read for {more} more reasons: --format json has them in `gaps`"));
    }
    told
}

/// Says beside the data what could not be read.
pub(crate) fn tell_gaps<'g>(gaps: impl IntoIterator<Item = &'g Gap>) {
    unread(gaps).iter().for_each(|line| tell(line));
}

/// Writes a file, whole or not at all.
pub(crate) fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    write_with(path, |out| out.write_all(contents.as_ref()))
}

/// The same for what is long, piece by piece.
pub(crate) fn write_with(path: &Path, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<()> {
    let partial = PathBuf::from(format!("{}.partial", path.display()));
    let told = || format!("cannot write `{}`", path.display());
    let written = std::fs::File::create(&partial).and_then(|file| {
        let mut out = io::BufWriter::with_capacity(PIECE_BYTES, file);
        write(&mut out)?;
        out.flush()
    });
    written.inspect_err(|_| drop(std::fs::remove_file(&partial))).with_context(told)?;
    std::fs::rename(&partial, path).inspect_err(|_| drop(std::fs::remove_file(&partial))).with_context(told)
}

/// Writes the files of a data lake below a folder.
pub(crate) fn lake(folder: &Path, files: &[LakeFile]) -> Result<()> {
    for file in files {
        let path = folder.join(&file.path);
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent).with_context(|| format!("cannot make `{}`", parent.display()))?;
        write(&path, &file.bytes)?;
    }
    Ok(())
}

/// A form, and where it goes: `sarif=out.sarif`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The form's name.
    pub(crate) format: String,
    /// The file; standard output if not given.
    pub(crate) file: Option<PathBuf>,
}

/// Reads `--format` values. At most one goes to standard output.
pub(crate) fn targets(written: &[String], known: &[&str]) -> Result<Vec<Target>> {
    let mut targets = Vec::new();
    for text in written {
        let (format, file) = match text.split_once('=') {
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text.as_str(), None),
        };
        if !known.contains(&format) {
            bail!("`{format}` is not a format\n  help: {}", known.join(", "));
        }
        targets.push(Target { format: format.to_owned(), file });
    }
    if targets.iter().filter(|t| t.file.is_none()).count() > 1 {
        bail!("only one format can go to standard output\n  help: give the others a file, --format sarif=palisade.sarif");
    }
    Ok(targets)
}
