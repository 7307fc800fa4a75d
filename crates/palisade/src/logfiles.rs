//! Log files: which there are, in which order, and their records, within bounded memory.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

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
const ENDINGS: &[&str] = &["json", "jsonl", "ndjson", "gz", "zst", "log", "csv", "txt"];

/// One input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Input {
    /// The time in a delivery's file name, `20230710T1240`, else empty: deliveries come in the order of their times.
    time: String,
    /// The path; `-` is standard input, and `s3://bucket/key` an object.
    pub(crate) path: PathBuf,
    /// The length of an object.
    object_bytes: Option<u64>,
}

impl Input {
    fn new(path: PathBuf) -> Input {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let stamp = |part: &&str| part.len() == 14 && part.ends_with('Z') && part.as_bytes().get(8) == Some(&b'T');
        Input { time: name.split('_').find(stamp).unwrap_or_default().to_owned(), path, object_bytes: None }
    }

    /// The name as outputs write it.
    pub(crate) fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// Whether it is read in pieces: standard input, or a file too long to hold.
    pub(crate) fn is_long(&self) -> bool {
        self.path == Path::new("-") || self.object_bytes.is_none() && self.bytes() > WHOLE_BYTES_MAX as u64
    }

    /// An object in a bucket.
    pub(crate) fn object(path: String, bytes: u64) -> Input {
        Input { object_bytes: Some(bytes), ..Input::new(path.into()) }
    }

    /// Its length as it is stored.
    pub(crate) fn bytes(&self) -> u64 {
        self.object_bytes.unwrap_or_else(|| std::fs::metadata(&self.path).map_or(0, |data| data.len()))
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
            for path in found.flatten() {
                if path.is_dir() {
                    passed_over += folder(&path, &mut inputs);
                } else {
                    inputs.push(Input::new(path));
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
    for entry in ignore::WalkBuilder::new(path).standard_filters(false).build().flatten() {
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
    if input.path == Path::new("-") {
        return pieces(&mut std::io::stdin().lock(), None, feed, bytes);
    }
    if let Some((bucket, key)) = input.path.to_str().and_then(buckets::parse) {
        let packed = buckets::read(bucket, key)?;
        if files.inflater.unpack(&packed, &mut files.text, WHOLE_BYTES_MAX).is_ok() {
            *bytes = files.text.len() as u64;
            feed(&files.text, true);
            return Ok(());
        }
        let size = packed.len() as u64;
        let (mut reader, is_packed) = unpacked(std::io::Cursor::new(packed))?;
        return pieces(&mut reader, is_packed.then_some(size), feed, bytes);
    }
    let mut file = File::open(&input.path)?;
    let size = file.metadata()?.len();
    if size <= WHOLE_BYTES_MAX as u64 {
        files.packed.clear();
        file.read_to_end(&mut files.packed)?;
        if files.inflater.unpack(&files.packed, &mut files.text, WHOLE_BYTES_MAX).is_ok() {
            *bytes = files.text.len() as u64;
            feed(&files.text, true);
            return Ok(());
        }
        file = File::open(&input.path)?;
    }
    let (mut reader, packed) = unpacked(file)?;
    pieces(&mut reader, packed.then_some(size), feed, bytes)
}

/// A file's unpacked text, and whether it was packed.
fn unpacked(mut file: impl Read + 'static) -> Result<(Box<dyn Read>, bool)> {
    let mut head = [0u8; 4];
    let read = file.read(&mut head)?;
    let packing = Packing::of(head.get(..read).unwrap_or_default());
    let head = std::io::Cursor::new(head).take(read as u64);
    let whole = std::io::BufReader::with_capacity(1 << 16, head.chain(file));
    Ok(match packing {
        Packing::Plain => (Box::new(whole), false),
        Packing::Gzip => (Box::new(flate2::bufread::MultiGzDecoder::new(whole)), true),
        Packing::Zstd => (Box::new(zstd::stream::read::Decoder::with_buffer(whole)?), true),
    })
}

/// How much of an input's beginning tells what it is.
const HEAD_BYTES: u64 = 4 << 10;

/// The beginning of an input's unpacked text, as far as it can be read; standard input keeps it.
pub(crate) fn head(input: &Input) -> Vec<u8> {
    let mut text = Vec::new();
    if input.path == Path::new("-") {
        text.extend_from_slice(std::io::BufRead::fill_buf(&mut std::io::stdin().lock()).unwrap_or_default());
    } else if let Ok((reader, _)) = File::open(&input.path).map_err(Into::into).and_then(unpacked) {
        // What is damaged further on is told when it is read.
        let _ = reader.take(HEAD_BYTES).read_to_end(&mut text);
    }
    text
}

/// Feeds piece by piece. `packed` is the size of a packed file.
fn pieces(from: &mut dyn Read, packed: Option<u64>, feed: &mut Feed<'_>, bytes: &mut u64) -> Result<()> {
    let mut held: Vec<u8> = Vec::with_capacity(PIECE_BYTES);
    let mut fault = Ok(());
    loop {
        let before = held.len();
        let (last, piece) = match from.take(PIECE_BYTES as u64).read_to_end(&mut held) {
            Ok(0) => (true, 0),
            Ok(read) => (false, read),
            Err(error) => {
                fault = Err(unpack_error(&error));
                (true, held.len() - before)
            }
        };
        *bytes += piece as u64;
        let bomb = packed.is_some_and(|packed| *bytes > BOMB_BYTES_MIN && *bytes / packed.max(1) > BOMB_RATIO_MAX);
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
