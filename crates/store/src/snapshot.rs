//! The snapshot file: a line of text, then one zstd frame of JSON lines.

mod line;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use model::{Snapshot, Text, TypeName};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::reduce::SecretPaths;
use line::Line;

/// The newest format version, which is also the one written.
pub const SNAPSHOT_VERSION: u32 = 2;

/// The oldest format version that is read. Those before do not say what their collection asked for.
const OLDEST_VERSION: u32 = 2;

/// What every snapshot file begins with.
const MAGIC: &str = "palisade-snapshot ";

/// The longest first line.
const HEAD_BYTES_MAX: usize = 200;

/// What is known about a snapshot beside its content.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Meta {
    /// When it was made, RFC 3339.
    pub created: String,
    /// What made it: `palisade 0.1.0`.
    pub tool: String,
    /// True if the collection was stopped before its end.
    #[serde(default)]
    pub stopped: bool,
    /// The pieces of the collection that were ended, in the collector's own form; for taking a stopped one up again.
    #[serde(default)]
    pub done: Vec<serde_json::Value>,
    /// What the collection asked for: the types, and of each the properties that its answers tell. What stands in neither the
    /// resources nor here was never looked at.
    #[serde(default)]
    pub asked: BTreeMap<TypeName, BTreeSet<Text>>,
}

/// The limits of reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileLimits {
    /// The most bytes that the content may decompress to.
    pub content_bytes_max: u64,
}

impl Default for FileLimits {
    fn default() -> FileLimits {
        FileLimits { content_bytes_max: 8 << 30 }
    }
}

/// True if the bytes begin as a snapshot file does.
pub fn is_snapshot(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC.as_bytes())
}

/// The bytes of a snapshot file. Secrets are reduced; source places (spans) are left out: live resources have none.
pub fn encode(snapshot: &Snapshot, meta: &Meta, secret: &SecretPaths) -> Result<Vec<u8>, StoreError> {
    let fail = |message: String| StoreError::Malformed { line: 0, message };
    let mut packed = zstd::Encoder::new(Vec::new(), 6).map_err(|e| fail(e.to_string()))?;
    for line in line::lines(snapshot, meta, secret) {
        serde_json::to_writer(&mut packed, &line).map_err(|e| fail(e.to_string()))?;
        packed.write_all(b"\n").map_err(|e| fail(e.to_string()))?;
    }
    let packed = packed.finish().map_err(|e| fail(e.to_string()))?;
    let head = format!("{MAGIC}{SNAPSHOT_VERSION} sha256={} bytes={}\n", hex(&Sha256::digest(&packed)), packed.len());
    Ok([head.into_bytes(), packed].concat())
}

/// Reads what [`encode`] wrote.
pub fn decode(bytes: &[u8], limits: FileLimits) -> Result<(Snapshot, Meta), StoreError> {
    let (sum, packed) = head(bytes)?;
    if hex(&Sha256::digest(packed)) != sum {
        return Err(StoreError::Changed);
    }
    let malformed = |line: usize, message: String| StoreError::Malformed { line, message };
    let decoder = zstd::Decoder::new(packed).map_err(|e| malformed(0, e.to_string()))?;
    let mut reader = BufReader::new(decoder.take(limits.content_bytes_max.saturating_add(1)));
    let (mut reading, mut text) = (line::Reading::default(), String::new());
    let (mut number, mut total) = (0, 0u64);
    loop {
        text.clear();
        let length = reader.read_line(&mut text).map_err(|e| malformed(number + 1, e.to_string()))?;
        total += length as u64;
        if total > limits.content_bytes_max {
            return Err(StoreError::TooLong { limit: limits.content_bytes_max });
        }
        if length == 0 {
            return reading.finish().map_err(|m| malformed(number, m));
        }
        number += 1;
        let line: Line = serde_json::from_str(&text).map_err(|e| malformed(number, e.to_string()))?;
        reading.add(line).map_err(|m| malformed(number, m))?;
    }
}

/// The checksum that the first line gives, and what follows it.
fn head(bytes: &[u8]) -> Result<(String, &[u8]), StoreError> {
    if !is_snapshot(bytes) {
        return Err(StoreError::NotASnapshot);
    }
    let end = bytes.iter().take(HEAD_BYTES_MAX).position(|b| *b == b'\n');
    let cut = |found: usize| StoreError::Truncated { wanted: bytes.len() as u64 + 1, found: found as u64 };
    let Some(end) = end else {
        return Err(if bytes.len() < HEAD_BYTES_MAX { cut(bytes.len()) } else { StoreError::NotASnapshot });
    };
    let line = bytes.get(..end).and_then(|l| std::str::from_utf8(l).ok()).ok_or(StoreError::NotASnapshot)?;
    let mut words = line.split(' ').skip(1);
    let version: u32 = words.next().and_then(|v| v.parse().ok()).ok_or(StoreError::NotASnapshot)?;
    if version == 0 {
        return Err(StoreError::NotASnapshot);
    }
    if version < OLDEST_VERSION {
        return Err(StoreError::TooOld { version });
    }
    if version > SNAPSHOT_VERSION {
        return Err(StoreError::TooNew { version });
    }
    let sum = words.next().and_then(|w| w.strip_prefix("sha256=")).ok_or(StoreError::NotASnapshot)?;
    let length: u64 = words.next().and_then(|w| w.strip_prefix("bytes=")?.parse().ok()).ok_or(StoreError::NotASnapshot)?;
    let packed = bytes.get(end + 1..).unwrap_or_default();
    match (packed.len() as u64).cmp(&length) {
        std::cmp::Ordering::Less => Err(StoreError::Truncated { wanted: length, found: packed.len() as u64 }),
        std::cmp::Ordering::Greater => Err(StoreError::Changed),
        std::cmp::Ordering::Equal => Ok((sum.to_owned(), packed)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Writes a snapshot file. An earlier file of the name stays until the new one is whole and on the disk, so that a killed
/// program or a lost machine leaves one of the two.
pub fn write(path: &Path, snapshot: &Snapshot, meta: &Meta, secret: &SecretPaths) -> Result<(), StoreError> {
    let bytes = encode(snapshot, meta, secret)?;
    let fail = |e: std::io::Error| StoreError::Io { path: path.display().to_string(), message: e.to_string() };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let whole = |bytes: &[u8]| {
        let mut file = std::fs::File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    whole(&bytes).map_err(fail)?;
    std::fs::rename(&part, path).map_err(fail)
}

/// Reads a snapshot file.
pub fn read(path: &Path, limits: FileLimits) -> Result<(Snapshot, Meta), StoreError> {
    let fail = |e: std::io::Error| StoreError::Io { path: path.display().to_string(), message: e.to_string() };
    decode(&std::fs::read(path).map_err(fail)?, limits)
}

#[cfg(test)]
mod tests;
