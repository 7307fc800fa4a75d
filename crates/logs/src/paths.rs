//! The dotted paths somebody wants out of a record, as a table that is asked once a key.

/// A path's number, in the order of [`Paths::add`].
pub type PathId = u32;

/// A place in the tree of wanted paths.
pub(crate) type Node = u32;

/// No path ends here.
const NONE: u32 = u32::MAX;

/// Which values to hand out: a tree of dotted paths. Arrays on the way are looked through: `a.b` names the `b` of each
/// element of `a`.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    names: Vec<String>,
    nodes: Vec<NodeInfo>,
    slots: Vec<Slot>,
    every_string: bool,
}

#[derive(Clone, Debug)]
struct NodeInfo {
    path: u32,
    children: u32,
    /// The key that leads here.
    key: Box<[u8]>,
}

/// An edge of the tree, in half a cache line. One that leads to the root is free: no edge does.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    ends: Ends,
    node: Node,
    child: Node,
}

/// The length of a key and its two ends. Of a key of up to 16 bytes that is all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Ends {
    head: u64,
    tail: u64,
    len: u64,
}

impl Ends {
    #[inline]
    fn of(key: &[u8]) -> Ends {
        let (head, tail) = match (key.first_chunk::<8>(), key.last_chunk::<8>()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match (key.first_chunk::<4>(), key.last_chunk::<4>()) {
                (Some(head), Some(tail)) => (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into()),
                _ => (key.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
            },
        };
        Ends { head, tail, len: key.len() as u64 }
    }

    #[inline]
    fn is_all(self) -> bool {
        self.len <= 16
    }

    #[inline]
    fn hash(self, node: Node) -> u64 {
        const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
        let seed = (u64::from(node) << 32 | self.len).wrapping_mul(MIX);
        let mixed = (self.head ^ self.tail.rotate_left(29) ^ seed).wrapping_mul(MIX);
        mixed ^ mixed >> 32
    }
}

impl Paths {
    /// The table for no path at all.
    pub fn new() -> Paths {
        Paths {
            nodes: vec![NodeInfo { path: NONE, children: 0, key: Box::default() }],
            slots: vec![Slot::default(); 64],
            ..Paths::default()
        }
    }

    /// Wants `path`; the same path has the same number.
    pub fn add(&mut self, path: &str) -> PathId {
        if self.nodes.is_empty() {
            *self = Paths::new();
        }
        let mut node = 0;
        for key in path.split('.') {
            node = match self.child(node, key.as_bytes()) {
                Some(child) => child,
                None => self.grow(node, key.as_bytes()),
            };
        }
        let next = self.names.len() as PathId;
        match self.nodes.get_mut(node as usize) {
            Some(info) if info.path == NONE => info.path = next,
            Some(info) => return info.path,
            None => return NONE,
        }
        self.names.push(path.to_owned());
        next
    }

    /// Wants every string value as well, wherever it stands; see [`crate::cloudtrail::Event::strings`].
    pub fn add_every_string(&mut self) {
        self.every_string = true;
    }

    /// Whether every string value is wanted.
    pub fn every_string(&self) -> bool {
        self.every_string
    }

    /// How many paths there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The text of a path.
    pub fn name(&self, path: PathId) -> &str {
        self.names.get(path as usize).map_or("", String::as_str)
    }

    /// The number of `path`, if it is wanted.
    pub fn find(&self, path: &str) -> Option<PathId> {
        let mut node = 0;
        for key in path.split('.') {
            node = self.child(node, key.as_bytes())?;
        }
        self.path(node)
    }

    pub(crate) fn path(&self, node: Node) -> Option<PathId> {
        self.nodes.get(node as usize).map(|info| info.path).filter(|path| *path != NONE)
    }

    pub(crate) fn has_children(&self, node: Node) -> bool {
        self.nodes.get(node as usize).is_some_and(|info| info.children > 0)
    }

    #[inline]
    pub(crate) fn child(&self, node: Node, key: &[u8]) -> Option<Node> {
        let mask = self.slots.len().wrapping_sub(1);
        let ends = Ends::of(key);
        let mut at = ends.hash(node) as usize & mask;
        loop {
            let slot = self.slots.get(at)?;
            if slot.child == 0 {
                return None;
            }
            if slot.node == node && slot.ends == ends && (ends.is_all() || self.key(slot.child) == Some(key)) {
                return Some(slot.child);
            }
            at = (at + 1) & mask;
        }
    }

    fn key(&self, node: Node) -> Option<&[u8]> {
        self.nodes.get(node as usize).map(|info| &*info.key)
    }

    fn grow(&mut self, node: Node, key: &[u8]) -> Node {
        if self.nodes.len() * 4 > self.slots.len() {
            let old = std::mem::take(&mut self.slots);
            self.slots = vec![Slot::default(); old.len().max(32) * 2];
            old.into_iter().filter(|slot| slot.child != 0).for_each(|slot| self.put(slot));
        }
        let child = self.nodes.len() as Node;
        self.nodes.push(NodeInfo { path: NONE, children: 0, key: key.into() });
        if let Some(info) = self.nodes.get_mut(node as usize) {
            info.children += 1;
        }
        self.put(Slot { ends: Ends::of(key), node, child });
        child
    }

    fn put(&mut self, slot: Slot) {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = slot.ends.hash(slot.node) as usize & mask;
        while self.slots.get(at).is_some_and(|held| held.child != 0) {
            at = (at + 1) & mask;
        }
        if let Some(free) = self.slots.get_mut(at) {
            *free = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_number_and_is_found_again() {
        let mut paths = Paths::new();
        let names: Vec<String> = (0..500).map(|n| format!("requestParameters.k{n}.x{}", n % 7)).collect();
        let ids: Vec<PathId> = names.iter().map(|name| paths.add(name)).collect();
        assert_eq!(paths.len(), 500);
        for (name, id) in names.iter().zip(&ids) {
            assert_eq!(paths.add(name), *id);
            assert_eq!(paths.find(name), Some(*id));
            assert_eq!(paths.name(*id), name);
        }
        // Keys of every length that differ in one byte.
        let mut paths = Paths::new();
        for len in 0..40 {
            let key = "k".repeat(len);
            let id = paths.add(&format!("x.{key}"));
            for at in 0..len {
                let other = format!("x.{}j{}", "k".repeat(at), "k".repeat(len - at - 1));
                assert_eq!((paths.find(&other), paths.find(&format!("x.{key}"))), (None, Some(id)), "{other}");
            }
        }
        let mut paths = Paths::new();
        for name in &names {
            paths.add(name);
        }
        assert_eq!(paths.find("requestParameters"), None);
        assert_eq!(paths.find("requestParameters.k1"), None);
    }
}
