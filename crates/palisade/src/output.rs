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

/// Most gaps that are told one by one where they are not the answer.
pub(crate) const GAPS_TOLD: usize = 20;

/// Most characters of a gap's own words that are told in a line.
const GAP_CHARS: usize = 160;

/// Says beside the data what could not be read, as far as it matters.
pub(crate) fn tell_gaps<'a>(gaps: impl Iterator<Item = &'a Gap>) {
    let mut lines: Vec<String> = gaps.filter(|gap| gap.matters).map(unread).collect();
    lines.dedup();
    lines.iter().take(GAPS_TOLD).for_each(|line| tell(line));
    if let Some(more) = lines.len().checked_sub(GAPS_TOLD).filter(|more| *more > 0) {
        tell(&format!("and {more} more could not be read"));
    }
}

/// What could not be read, where and why, in one line.
pub(crate) fn unread(gap: &Gap) -> String {
    let at = gap.span.map(|span| format!(":{}:{}", span.line, span.column)).unwrap_or_default();
    let file = gap.file.as_deref().map(|file| format!(" in {file}{at}"));
    let account = gap.account.as_ref().map(|account| format!(" of {account}"));
    let region = gap.region.as_ref().map(|region| format!(" in {region}"));
    let place = [file, account, region].into_iter().flatten().collect::<String>();
    let mut detail: String = gap.detail.chars().take(GAP_CHARS).collect();
    if detail.len() < gap.detail.len() {
        detail.push_str("...");
    }
    report::printable(&format!("could not be read: {}{place}: {detail}", gap.what)).into_owned()
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
