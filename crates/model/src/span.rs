//! Places in source files, and where each property of a resource was written.

use serde::{Deserialize, Serialize};

/// A stretch of a text file. Lines and columns count from 1; a column counts characters; the end is exclusive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First line.
    pub line: u32,
    /// First column.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column after the last character.
    pub end_column: u32,
}

/// The hash of a property path (`BucketEncryption.Rules[0].Key`), built one step at a time without allocating.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(u64);

impl Path {
    /// The properties of the resource themselves.
    pub const ROOT: Path = Path(0xcbf2_9ce4_8422_2325);

    /// The member `key` of this path.
    pub fn key(self, key: &str) -> Path {
        let mut hash = self.step(b'.');
        for byte in key.bytes() {
            hash = hash.step(byte);
        }
        hash
    }

    /// The item `index` (from 0) of this path.
    pub fn item(self, index: usize) -> Path {
        let mut hash = self.step(b'[');
        for byte in (index as u64).to_le_bytes() {
            hash = hash.step(byte);
        }
        hash
    }

    /// Reads `A.B[0].C`. Text that is not of this form gives a path that no table holds.
    pub fn parse(path: &str) -> Path {
        Path::prefixes(path).last().copied().unwrap_or(Path::ROOT)
    }

    /// The path and every path above it, outermost (the root) first.
    fn prefixes(path: &str) -> Vec<Path> {
        let mut all = vec![Path::ROOT];
        let mut at = Path::ROOT;
        for part in path.split('.').filter(|p| !p.is_empty()) {
            let mut pieces = part.split('[');
            if let Some(key) = pieces.next().filter(|k| !k.is_empty()) {
                at = at.key(key);
                all.push(at);
            }
            for index in pieces {
                at = match index.trim_end_matches(']').parse() {
                    Ok(index) => at.item(index),
                    Err(_) => at.key("[?]"),
                };
                all.push(at);
            }
        }
        all
    }

    fn step(self, byte: u8) -> Path {
        Path((self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    }
}

/// Where the properties of one resource were written. 24 bytes a property.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanTable {
    rows: Vec<(Path, Span)>,
    sorted: bool,
}

impl SpanTable {
    /// Says where `path` was written. Of two calls for the same path the first counts.
    pub fn insert(&mut self, path: Path, span: Span) {
        self.rows.push((path, span));
        self.sorted = false;
    }

    /// Puts the table in order; `get` is a binary search from then on.
    pub fn finish(&mut self) {
        self.rows.sort_by_key(|(path, _)| *path);
        self.rows.dedup_by_key(|(path, _)| *path);
        self.rows.shrink_to_fit();
        self.sorted = true;
    }

    /// Where exactly `path` was written.
    pub fn get(&self, path: Path) -> Option<Span> {
        if self.sorted {
            let at = self.rows.binary_search_by_key(&path, |(p, _)| *p).ok()?;
            self.rows.get(at).map(|(_, span)| *span)
        } else {
            self.rows.iter().find(|(p, _)| *p == path).map(|(_, span)| *span)
        }
    }

    /// Where `path` was written, or else the nearest thing around it (the place where it would have to be added).
    pub fn nearest(&self, path: &str) -> Option<Span> {
        Path::prefixes(path).into_iter().rev().find_map(|p| self.get(p))
    }

    /// True if nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32) -> Span {
        Span { line, column: 1, end_line: line, end_column: 9 }
    }

    #[test]
    fn finds_the_nearest_place() {
        let mut table = SpanTable::default();
        table.insert(Path::ROOT, at(1));
        table.insert(Path::ROOT.key("A"), at(2));
        table.insert(Path::ROOT.key("A").key("B").item(1), at(3));
        for _ in 0..2 {
            assert_eq!(table.nearest("A.B[1]"), Some(at(3)));
            assert_eq!(table.nearest("A.B[0].C"), Some(at(2)));
            assert_eq!(table.nearest("Z"), Some(at(1)));
            assert_eq!(table.get(Path::parse("A")), Some(at(2)));
            table.finish();
        }
    }
}
