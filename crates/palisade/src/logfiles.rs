//! Log files: which there are, in which order, and their records, within bounded memory.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use logs::cloudtrail::{Counts, Item, Reader, Reject};
use logs::inflate::{Inflater, Packing};
use logs::paths::Paths;

use crate::buckets;

/// Files up to this size, packed and unpacked, are read whole; larger ones in pieces.
const WHOLE_BYTES_MAX: usize = 24 << 20;

/// The size of a piece.
const PIECE_BYTES: usize = 4 << 20;

/// A packed file may unpack to this many times its size once it is past [`BOMB_BYTES_MIN`]; real logs stay under 60.
const BOMB_RATIO_MAX: u64 = 250;

/// Files that unpack to less than this are never bombs.
const BOMB_BYTES_MIN: u64 = 256 << 20;

/// The endings that are read in folders; a file named on the command line is always read.
const ENDINGS: &[&str] = &["json", "jsonl", "ndjson", "gz", "zst", "log", "csv", "txt", "parquet"];

/// One input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Input {
    /// The time in a delivery's file name, `20230710T1240`, else empty: deliveries come in the order of their times.
    time: String,
    /// The path; `-` is standard input, and `s3://bucket/key` an object.
    pub(crate) path: PathBuf,
    /// The length of an object.
    object_bytes: Option<u64>,
    /// Why it can't even be looked at: a folder that may not be listed, a link that leads in a circle.
    fault: Option<String>,
}

impl Input {
    fn new(path: PathBuf) -> Input {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stamp = |part: &&str| part.len() == 14 && part.ends_with('Z') && part.as_bytes().get(8) == Some(&b'T');
        Input { time: name.split('_').find(stamp).unwrap_or_default().to_owned(), path, object_bytes: None, fault: None }
    }

    /// What could not be looked at. It is told when it is its turn to be read.
    fn unreadable(path: PathBuf, fault: String) -> Input {
        Input { fault: Some(fault), ..Input::new(path) }
    }

    /// Whether it is read once, as it comes: standard input, or a pipe.
    fn is_stream(&self) -> bool {
        let special = || std::fs::metadata(&self.path).is_ok_and(|data| !data.is_file() && !data.is_dir());
        self.object_bytes.is_none() && (self.path == Path::new("-") || special())
    }

    /// The name as outputs write it.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Whether it is read in pieces: a stream, or a file too long to hold.
    pub(crate) fn is_long(&self) -> bool {
        self.is_stream() || self.object_bytes.is_none() && self.bytes() > WHOLE_BYTES_MAX as u64
    }

    /// An object in a bucket.
    pub(crate) fn object(path: String, bytes: u64) -> Input {
        Input { object_bytes: Some(bytes), ..Input::new(path.into()) }
    }

    /// Its length as it is stored.
    pub(crate) fn bytes(&self) -> u64 {
        self.object_bytes.unwrap_or_else(|| std::fs::metadata(&self.path).map_or(0, |data| data.len()))
    }

    /// Whether the name alone says that it is a flow log: an object's layout in a bucket that AWS delivers to.
    pub(crate) fn is_flow_log_by_name(&self) -> bool {
        let service =
            |part: std::path::Component<'_>| matches!(part.as_os_str().to_str(), Some("vpcflowlogs" | "aws-service=vpcflowlogs"));
        self.object_bytes.is_some() && self.path.components().any(service)
    }

    /// Whether the name alone says that it is of a trail.
    pub(crate) fn is_trail_by_name(&self) -> bool {
        self.object_bytes.is_some() && self.path.components().any(|part| part.as_os_str() == "CloudTrail")
    }

    /// The day in the file name, `20230710`.
    pub(crate) fn day(&self) -> Option<&str> {
        self.time.get(..8)
    }
}

/// The inputs that paths, folders and patterns name, in a stable order, and how many files were passed over.
pub(crate) fn expand(paths: &[PathBuf]) -> Result<(Vec<Input>, usize)> {
    let (mut inputs, mut passed_over) = (vec![], 0);
    for path in paths {
        if path == Path::new("-") {
            inputs.push(Input::new(path.clone()));
        } else if path.is_dir() {
            passed_over += folder(path, &mut inputs);
        } else if path.exists() {
            inputs.push(Input::new(path.clone()));
        } else {
            let pattern = path.to_string_lossy();
            if !pattern.contains(['*', '?', '[']) {
                bail!("`{pattern}` is not there");
            }
            let found = glob::glob(&pattern).with_context(|| format!("`{pattern}` is not a pattern"))?;
            for path in found {
                match path {
                    Ok(path) if path.is_dir() => passed_over += folder(&path, &mut inputs),
                    Ok(path) => inputs.push(Input::new(path)),
                    Err(error) => inputs.push(Input::unreadable(error.path().to_owned(), error.error().to_string())),
                }
            }
        }
    }
    inputs.sort();
    inputs.dedup();
    Ok((inputs, passed_over))
}

fn folder(path: &Path, inputs: &mut Vec<Input>) -> usize {
    let mut passed_over = 0;
    for entry in ignore::WalkBuilder::new(path).standard_filters(false).follow_links(true).build() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                inputs.push(Input::unreadable(place(&error).unwrap_or(path).to_owned(), reason(&error)));
                continue;
            }
        };
        let path = entry.path();
        if !path.is_file() || path.components().any(|part| part.as_os_str() == "CloudTrail-Digest") {
            continue;
        }
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        if ENDINGS.contains(&ending.as_str()) {
            inputs.push(Input::new(path.to_owned()));
        } else {
            passed_over += 1;
        }
    }
    passed_over
}

/// The path that a walk stumbled over.
fn place(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::Loop { child, .. } => Some(child),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => place(err),
        _ => None,
    }
}

/// Why, without the path.
fn reason(error: &ignore::Error) -> String {
    match error {
        ignore::Error::WithPath { err, .. } | ignore::Error::WithDepth { err, .. } => reason(err),
        ignore::Error::Loop { ancestor, .. } => format!("a link that leads back to `{}`", ancestor.display()),
        other => other.to_string(),
    }
}

/// What became of an input.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Records read and not read.
    pub(crate) counts: Counts,
    /// The first record not read, for each reason.
    pub(crate) rejects: Vec<Reject>,
    /// Why the input could not be read to its end.
    pub(crate) fault: Option<String>,
    /// Unpacked bytes.
    pub(crate) bytes: u64,
    /// Records whose time could not be read.
    pub(crate) undated: u64,
}

impl Outcome {
    /// One clear line for each thing that went wrong.
    pub(crate) fn complaints(&self, name: &str) -> Vec<String> {
        let mut lines: Vec<String> = self.fault.iter().map(|fault| format!("`{name}`: {fault}")).collect();
        for (reason, count) in &self.counts.rejects {
            let first = self.rejects.iter().find(|reject| reject.reason == *reason);
            let place = first.map(|r| format!(" (first: record {}, byte {})", r.ordinal, r.byte)).unwrap_or_default();
            let records = if *count == 1 { "1 record" } else { &format!("{count} records") };
            lines.push(format!("`{name}`: {records} not read: {}{place}", reason.text()));
        }
        if self.counts.passed_over_bytes > 0 {
            let bytes = self.counts.passed_over_bytes;
            lines.push(format!("`{name}`: {bytes} bytes passed over, from broken records to where the next could be told"));
        }
        if self.undated > 0 {
            lines.push(format!("`{name}`: {} records have no time that can be read; they stand at 1970-01-01", self.undated));
        }
        lines
    }
}

/// Reads one input after another into the same memory.
#[derive(Default)]
pub(crate) struct Files {
    packed: Vec<u8>,
    text: Vec<u8>,
    inflater: Inflater,
}

impl Files {
    /// Reads one input and hands its records to `see`.
    pub(crate) fn read(&mut self, input: &Input, paths: &Paths, see: &mut dyn FnMut(&logs::cloudtrail::Event<'_>)) -> Outcome {
        let mut outcome = Outcome::default();
        if let Err(error) = read_into(self, input, paths, &mut outcome, see) {
            outcome.fault = Some(format!("{error:#}"));
        }
        outcome
    }

    /// Hands the unpacked text of an input to `feed`, whole or in pieces. Gives the number of unpacked bytes, and why the input
    /// could not be read to its end.
    pub(crate) fn unpack(&mut self, input: &Input, feed: &mut Feed<'_>) -> (u64, Result<()>) {
        let mut bytes = 0;
        let fault = unpack_into(self, input, feed, &mut bytes);
        (bytes, fault)
    }
}

fn read_into(
    files: &mut Files,
    input: &Input,
    paths: &Paths,
    outcome: &mut Outcome,
    see: &mut dyn FnMut(&logs::cloudtrail::Event<'_>),
) -> Result<()> {
    let mut reader = Reader::new(paths);
    let rejects = &mut outcome.rejects;
    let mut sink = |item: Item<'_>| match item {
        Item::Event(event) => see(&event),
        Item::Reject(reject) if rejects.iter().all(|held| held.reason != reject.reason) => rejects.push(reject),
        Item::Reject(_) => {}
    };
    let (bytes, fault) = files.unpack(input, &mut |text, last| reader.feed(text, last, &mut sink));
    outcome.bytes = bytes;
    outcome.counts = reader.finish();
    fault
}

/// Takes the next piece of text, told whether it is the last, and says how much of it is done with.
pub(crate) type Feed<'a> = dyn FnMut(&[u8], bool) -> usize + 'a;

fn unpack_into(files: &mut Files, input: &Input, feed: &mut Feed<'_>, bytes: &mut u64) -> Result<()> {
    if let Some(fault) = &input.fault {
        bail!("{fault}");
    }
    if input.is_stream() {
        return pieces(unpacked(stream(&input.path)?)?, feed, bytes);
    }
    if let Some((bucket, key)) = input.path.to_str().and_then(buckets::parse) {
        files.packed = buckets::read(bucket, key)?;
        return match files.at_once() {
            true => whole(files, feed, bytes),
            false => pieces(unpacked(std::io::Cursor::new(std::mem::take(&mut files.packed)))?, feed, bytes),
        };
    }
    let mut file = File::open(&input.path)?;
    if file.metadata()?.len() <= WHOLE_BYTES_MAX as u64 {
        files.packed.clear();
        (&mut file).take(WHOLE_BYTES_MAX as u64 + 1).read_to_end(&mut files.packed)?;
        if files.at_once() {
            return whole(files, feed, bytes);
        }
        file = File::open(&input.path)?;
    }
    pieces(unpacked(file)?, feed, bytes)
}

impl Files {
    /// Unpacks what was read if it fits; what does not, or is not sound, is for [`pieces`].
    fn at_once(&mut self) -> bool {
        logs::inflate::may_fit(&self.packed, WHOLE_BYTES_MAX)
            && self.inflater.unpack(&self.packed, &mut self.text, WHOLE_BYTES_MAX).is_ok()
    }
}

fn whole(files: &Files, feed: &mut Feed<'_>, bytes: &mut u64) -> Result<()> {
    *bytes = files.text.len() as u64;
    feed(&files.text, true);
    Ok(())
}

/// An open stream; its beginning can be looked at without being lost.
type Stream = BufReader<Box<dyn Read + Send>>;

/// The streams whose beginnings were looked at, until they are read.
static STREAMS: Mutex<BTreeMap<PathBuf, Stream>> = Mutex::new(BTreeMap::new());

fn stream(path: &Path) -> std::io::Result<Stream> {
    if let Some(open) = STREAMS.lock().unwrap_or_else(PoisonError::into_inner).remove(path) {
        return Ok(open);
    }
    let from: Box<dyn Read + Send> =
        if path == Path::new("-") { Box::new(std::io::stdin()) } else { Box::new(File::open(path)?) };
    Ok(BufReader::with_capacity(1 << 16, from))
}

/// Counts what goes through.
struct Counted<R> {
    from: R,
    bytes: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(into)?;
        self.bytes.set(self.bytes.get() + read as u64);
        Ok(read)
    }
}

/// A file's text as it is unpacked.
struct Unpacked {
    text: Box<dyn Read>,
    /// For a packed file, how many packed bytes were taken so far.
    packed: Option<Rc<Cell<u64>>>,
}

fn unpacked(mut file: impl Read + 'static) -> Result<Unpacked> {
    let mut head = vec![];
    (&mut file).take(4).read_to_end(&mut head)?;
    let packing = Packing::of(&head);
    let bytes = Rc::new(Cell::new(0));
    let whole = Counted { from: std::io::Cursor::new(head).chain(file), bytes: Rc::clone(&bytes) };
    let whole = BufReader::with_capacity(1 << 16, whole);
    let text: Box<dyn Read> = match packing {
        Packing::Plain => return Ok(Unpacked { text: Box::new(whole), packed: None }),
        Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(whole)),
        Packing::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(whole)?),
    };
    Ok(Unpacked { text, packed: Some(bytes) })
}

/// An input as it is stored, if it is no longer than so many bytes.
pub(crate) fn stored(input: &Input, bytes_max: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![];
    if let Some(fault) = &input.fault {
        bail!("{fault}");
    }
    if let Some((bucket, key)) = input.path.to_str().and_then(buckets::parse) {
        bytes = buckets::read(bucket, key)?;
    } else if input.is_stream() {
        stream(&input.path)?.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    } else {
        File::open(&input.path)?.take(bytes_max as u64 + 1).read_to_end(&mut bytes)?;
    }
    if bytes.len() > bytes_max {
        bail!("larger than {} MiB: split it", bytes_max >> 20);
    }
    Ok(bytes)
}

/// How much of an input's beginning tells what it is.
const HEAD_BYTES: u64 = 4 << 10;

/// The beginning of an input's unpacked text, as far as it can be read; a stream keeps it.
pub(crate) fn head(input: &Input) -> Vec<u8> {
    let mut text = Vec::new();
    // What is damaged further on, or can't be opened, is told when it is read.
    if input.is_stream() {
        let Ok(mut open) = stream(&input.path) else { return text };
        let start = std::io::Cursor::new(open.fill_buf().unwrap_or_default().to_vec());
        STREAMS.lock().unwrap_or_else(PoisonError::into_inner).insert(input.path.clone(), open);
        let _ = unpacked(start).map(|start| start.text.take(HEAD_BYTES).read_to_end(&mut text));
    } else if let Some((bucket, key)) = input.path.to_str().and_then(buckets::parse) {
        let start = buckets::read(bucket, key).and_then(|packed| unpacked(std::io::Cursor::new(packed)));
        let _ = start.map(|start| start.text.take(HEAD_BYTES).read_to_end(&mut text));
    } else if let Ok(start) = File::open(&input.path).map_err(Into::into).and_then(unpacked) {
        let _ = start.text.take(HEAD_BYTES).read_to_end(&mut text);
    }
    text
}

/// Feeds piece by piece.
fn pieces(mut from: Unpacked, feed: &mut Feed<'_>, bytes: &mut u64) -> Result<()> {
    let mut held: Vec<u8> = Vec::with_capacity(PIECE_BYTES);
    let mut fault = Ok(());
    loop {
        let before = held.len();
        let (last, piece) = match (&mut from.text).take(PIECE_BYTES as u64).read_to_end(&mut held) {
            Ok(0) => (true, 0),
            Ok(read) => (false, read),
            Err(error) if from.packed.is_none() => {
                fault = Err(anyhow::Error::new(error).context("cannot be read to its end"));
                (true, held.len() - before)
            }
            Err(error) => {
                fault = Err(unpack_error(&error));
                (true, held.len() - before)
            }
        };
        *bytes += piece as u64;
        let packed = from.packed.as_ref().map(|packed| packed.get().max(1));
        let bomb = packed.is_some_and(|packed| *bytes > BOMB_BYTES_MIN && *bytes / packed > BOMB_RATIO_MAX);
        if bomb {
            fault = Err(anyhow::anyhow!("unpacks to more than {BOMB_RATIO_MAX} times its size; read up to byte {bytes}"));
        }
        let last = last || bomb;
        let used = feed(&held, last);
        held.drain(..used);
        if last {
            return fault;
        }
    }
}

fn unpack_error(error: &std::io::Error) -> anyhow::Error {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => anyhow::anyhow!("the packed file ends early; what came before is read"),
        _ => anyhow::anyhow!("the packed file is damaged; what came before is read ({error})"),
    }
}
