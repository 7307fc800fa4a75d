//! One pass over one record: follows the tree of wanted paths, skips the rest.

use super::DEPTH_MAX;
use super::event::{Found, LAST, Place};
use crate::json::{Fault, Kind, scalar_end, scalar_kind, skip, string_end, token, unescape};
use crate::paths::{Node, PathId, Paths};

/// A node that is in no tree: nothing below it is wanted but strings.
const NOWHERE: Node = Node::MAX;

pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    paths: &'a Paths,
    found: &'a mut Found,
    every_string: bool,
}

/// Scans the object at the start of `bytes`; returns where it ends.
pub(super) fn record(bytes: &[u8], paths: &Paths, found: &mut Found) -> Result<usize, Fault> {
    found.clear(paths);
    let mut scan = Scan { bytes, paths, found, every_string: paths.every_string() };
    scan.object(1, 0, 1)
}

impl Scan<'_> {
    /// After `{`; returns the place after `}`.
    fn object(&mut self, mut at: usize, node: Node, depth: usize) -> Result<usize, Fault> {
        if depth > DEPTH_MAX {
            return Err(Fault::Deep);
        }
        let (mut byte, place) = token(self.bytes, at)?;
        at = place;
        if byte == b'}' {
            return Ok(at + 1);
        }
        loop {
            if byte != b'"' {
                return Err(Fault::Syntax);
            }
            let (end, escaped) = string_end(self.bytes, at + 1)?;
            let key = self.bytes.get(at + 1..end).unwrap_or_default();
            let child = self.child(node, key, escaped);
            let (colon, place) = token(self.bytes, end + 1)?;
            if colon != b':' {
                return Err(Fault::Syntax);
            }
            let (first, place) = token(self.bytes, place + 1)?;
            at = match child {
                Some(child) => self.value(first, place, child, depth)?,
                None if self.every_string => self.value(first, place, NOWHERE, depth)?,
                None => skip(self.bytes, place, depth, DEPTH_MAX)?,
            };
            let (after, place) = token(self.bytes, at)?;
            match after {
                b',' => (byte, at) = token(self.bytes, place + 1)?,
                b'}' => return Ok(place + 1),
                _ => return Err(Fault::Syntax),
            }
        }
    }

    #[inline]
    fn child(&self, node: Node, key: &[u8], escaped: bool) -> Option<Node> {
        if escaped {
            let mut plain = Vec::new();
            unescape(key, &mut plain);
            return self.paths.child(node, &plain);
        }
        match self.paths.child(node, key) {
            None if node == 0 && key.contains(&b'.') => {
                key.split(|b| *b == b'.').try_fold(node, |node, part| self.paths.child(node, part))
            }
            found => found,
        }
    }

    fn value(&mut self, first: u8, at: usize, node: Node, depth: usize) -> Result<usize, Fault> {
        let path = self.paths.path(node);
        match first {
            b'"' => self.string(at + 1, path),
            b'{' => {
                let end = if self.paths.has_children(node) || self.every_string {
                    self.object(at + 1, node, depth + 1)?
                } else {
                    skip(self.bytes, at, depth, DEPTH_MAX)?
                };
                self.emit(path, Kind::Object, at, end);
                Ok(end)
            }
            b'[' => self.array(at, node, depth + 1),
            _ => {
                let end = scalar_end(self.bytes, at);
                if end == self.bytes.len() {
                    return Err(Fault::End);
                }
                let kind = scalar_kind(self.bytes.get(at..end).unwrap_or_default())?;
                self.emit(path, kind, at, end);
                Ok(end)
            }
        }
    }

    fn array(&mut self, start: usize, node: Node, depth: usize) -> Result<usize, Fault> {
        if depth > DEPTH_MAX {
            return Err(Fault::Deep);
        }
        let (mut first, mut at) = token(self.bytes, start + 1)?;
        if first == b']' {
            self.emit(self.paths.path(node), Kind::EmptyArray, start, at + 1);
            return Ok(at + 1);
        }
        loop {
            at = self.value(first, at, node, depth)?;
            let (after, place) = token(self.bytes, at)?;
            match after {
                b',' => (first, at) = token(self.bytes, place + 1)?,
                b']' => return Ok(place + 1),
                _ => return Err(Fault::Syntax),
            }
        }
    }

    fn string(&mut self, start: usize, path: Option<PathId>) -> Result<usize, Fault> {
        let (end, escaped) = string_end(self.bytes, start)?;
        if path.is_none() && !self.every_string {
            return Ok(end + 1);
        }
        let mut place = Place { kind: Kind::String, resolved: false, start: start as u32, end: end as u32, next: LAST };
        if escaped {
            place.resolved = true;
            place.start = self.found.arena.len() as u32;
            unescape(self.bytes.get(start..end).unwrap_or_default(), &mut self.found.arena);
            place.end = self.found.arena.len() as u32;
        }
        if let Some(path) = path {
            self.found.push(path, place);
        }
        if self.every_string {
            self.found.push(self.paths.len() as PathId, place);
        }
        Ok(end + 1)
    }

    #[inline]
    fn emit(&mut self, path: Option<PathId>, kind: Kind, start: usize, end: usize) {
        if let Some(path) = path {
            self.found.push(path, Place { kind, resolved: false, start: start as u32, end: end as u32, next: LAST });
        }
    }
}
