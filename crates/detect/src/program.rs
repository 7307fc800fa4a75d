//! The conditions of all rules, compiled into one graph: what rules share is asked once an event.

mod check;
mod values;

pub(crate) use check::folded;

use logs::cloudtrail::Event;
use logs::paths::{PathId, Paths};
use rustc_hash::FxHashMap;

use self::check::Check;
use self::values::Values;
use crate::sigma::Expr;

/// A node's place in its [`Program`].
pub(crate) type NodeNo = u32;

/// A check that costs at least this much is remembered by value: names, agents and addresses come again and again.
const SLOW_COST_MIN: u32 = 8;

#[derive(Clone, Debug)]
enum Node {
    And(Box<[NodeNo]>),
    Or(Box<[NodeNo]>),
    AtLeast(usize, Box<[NodeNo]>),
    Not(NodeNo),
    Check(Box<Check>),
    /// A slow check, the path that decides it, and its place among that path's slow checks.
    Slow(Box<Check>, PathId, u32),
}

/// What makes two nodes the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    And(Vec<NodeNo>),
    Or(Vec<NodeNo>),
    AtLeast(usize, Vec<NodeNo>),
    Not(NodeNo),
    Check(String),
}

/// The graph.
#[derive(Debug, Default)]
pub(crate) struct Program {
    nodes: Vec<Node>,
    /// Asked by more than one other: the answer is kept for the event.
    shared: Vec<bool>,
    /// How many slow checks each path has.
    slow: FxHashMap<PathId, u32>,
}

/// The answers for the event at hand, and those of slow checks for values that come again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memo {
    stamp: u32,
    /// The stamp times two, and one more for yes.
    answers: Vec<u32>,
    values: Vec<Option<Box<Values>>>,
}

impl Memo {
    /// Forgets the last event's answers.
    pub(crate) fn clear(&mut self, program: &Program, paths: &Paths) {
        if self.answers.len() != program.nodes.len() {
            *self = Memo { stamp: 0, answers: vec![0; program.nodes.len()], values: vec![None; paths.len()] };
        }
        self.stamp += 1;
        if self.stamp > u32::MAX / 2 {
            self.answers.fill(0);
            self.values.iter_mut().flatten().for_each(|values| values.forget_event());
            self.stamp = 1;
        }
    }
}

/// Builds a [`Program`]. Equal conditions become one node.
#[derive(Debug, Default)]
pub(crate) struct Compiler {
    /// The wanted paths so far.
    pub(crate) paths: Paths,
    program: Program,
    known: FxHashMap<Key, NodeNo>,
    costs: Vec<u32>,
}

impl Compiler {
    /// Adds a rule's condition.
    pub(crate) fn compile(&mut self, expr: &Expr) -> Result<NodeNo, String> {
        Ok(match expr {
            Expr::And(parts) => {
                let parts = self.each(parts)?;
                self.and(parts)
            }
            Expr::Or(parts) => {
                let parts = self.each(parts)?;
                match parts.as_slice() {
                    [only] => *only,
                    _ => self.node(Key::Or(parts.clone()), |_| Node::Or(parts.into())),
                }
            }
            Expr::AtLeast(count, parts) => {
                let parts = self.each(parts)?;
                self.node(Key::AtLeast(*count, parts.clone()), |_| Node::AtLeast(*count, parts.into()))
            }
            Expr::Not(inner) => {
                let inner = self.compile(inner)?;
                self.node(Key::Not(inner), |_| Node::Not(inner))
            }
            Expr::Atom(atom) => {
                let check = Box::new(Check::new(atom, &mut self.paths)?);
                self.node(Key::Check(format!("{atom:?}")), |slow| match check.decided_by() {
                    Some(path) if check.cost() >= SLOW_COST_MIN => {
                        let count = slow.entry(path).or_default();
                        *count += 1;
                        Node::Slow(check, path, *count - 1)
                    }
                    _ => Node::Check(check),
                })
            }
        })
    }

    /// All of them, in any order; an `And` among them counts with its parts.
    fn and(&mut self, parts: Vec<NodeNo>) -> NodeNo {
        let mut flat = vec![];
        for part in parts {
            match self.program.nodes.get(part as usize) {
                Some(Node::And(inner)) => flat.extend(inner.iter().copied()),
                _ => flat.push(part),
            }
        }
        self.sort(&mut flat);
        match flat.as_slice() {
            [only] => *only,
            _ => self.node(Key::And(flat.clone()), |_| Node::And(flat.into())),
        }
    }

    fn each(&mut self, parts: &[Expr]) -> Result<Vec<NodeNo>, String> {
        let mut nodes = parts.iter().map(|part| self.compile(part)).collect::<Result<Vec<NodeNo>, String>>()?;
        self.sort(&mut nodes);
        Ok(nodes)
    }

    /// What is quick goes first, since it often settles the matter.
    fn sort(&self, nodes: &mut [NodeNo]) {
        nodes.sort_by_key(|node| (self.costs.get(*node as usize).copied(), *node));
    }

    fn node(&mut self, key: Key, make: impl FnOnce(&mut FxHashMap<PathId, u32>) -> Node) -> NodeNo {
        if let Some(known) = self.known.get(&key) {
            if let Some(shared) = self.program.shared.get_mut(*known as usize) {
                *shared = true;
            }
            return *known;
        }
        let number = self.program.nodes.len() as NodeNo;
        let node = make(&mut self.program.slow);
        let cost = |node: &NodeNo| self.costs.get(*node as usize).copied().unwrap_or_default();
        let total = match &node {
            Node::And(parts) | Node::Or(parts) | Node::AtLeast(_, parts) => parts.iter().map(cost).sum(),
            Node::Not(inner) => cost(inner),
            Node::Check(check) | Node::Slow(check, ..) => check.cost(),
        };
        self.costs.push(total);
        self.program.nodes.push(node);
        self.program.shared.push(false);
        self.known.insert(key, number);
        number
    }

    /// What is left to ask of a rule once one of its needed values at `path` is known to be there.
    pub(crate) fn given(&mut self, node: NodeNo, path: PathId) -> NodeNo {
        let Some(Node::And(parts)) = self.program.nodes.get(node as usize) else { return node };
        let is_membership = |part: &NodeNo| match self.program.nodes.get(*part as usize) {
            Some(Node::Check(check)) => check.is_membership(path),
            _ => false,
        };
        let Some(first) = parts.iter().position(is_membership) else { return node };
        if parts.iter().filter(|part| is_membership(part)).count() > 1 {
            return node;
        }
        let left: Vec<NodeNo> = parts.iter().enumerate().filter(|(at, _)| *at != first).map(|(_, part)| *part).collect();
        self.and(left)
    }

    /// The graph so far.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// The wanted paths and the graph.
    pub(crate) fn done(self) -> (Paths, Program) {
        (self.paths, self.program)
    }
}

impl Program {
    /// Whether the condition holds.
    pub(crate) fn holds(&self, number: NodeNo, event: &Event<'_>, memo: &mut Memo) -> bool {
        let at = number as usize;
        if self.shared.get(at) != Some(&true) {
            return self.ask(number, event, memo);
        }
        if let Some(answer) = memo.answers.get(at).filter(|answer| **answer >> 1 == memo.stamp) {
            return answer & 1 == 1;
        }
        let holds = self.ask(number, event, memo);
        if let Some(answer) = memo.answers.get_mut(at) {
            *answer = memo.stamp << 1 | u32::from(holds);
        }
        holds
    }

    fn ask(&self, number: NodeNo, event: &Event<'_>, memo: &mut Memo) -> bool {
        match self.nodes.get(number as usize) {
            Some(Node::And(parts)) => parts.iter().all(|part| self.holds(*part, event, memo)),
            Some(Node::Or(parts)) => parts.iter().any(|part| self.holds(*part, event, memo)),
            Some(Node::AtLeast(count, parts)) => {
                parts.iter().filter(|part| self.holds(**part, event, memo)).take(*count).count() >= *count
            }
            Some(Node::Not(inner)) => !self.holds(*inner, event, memo),
            Some(Node::Check(check)) => check.holds(event),
            Some(Node::Slow(check, path, place)) => {
                let Some(held) = memo.values.get_mut(*path as usize) else { return check.holds(event) };
                let checks = self.slow.get(path).copied().unwrap_or_default();
                let values = held.get_or_insert_with(|| Box::new(Values::new(checks)));
                values.ask(memo.stamp, *place, event.values(*path), || check.holds(event))
            }
            None => false,
        }
    }

    /// The values, lower case, of which the path must have one for the condition to hold; nothing if there is no such
    /// list. What lets a rule wait for the few events that can concern it.
    pub(crate) fn needs(&self, number: NodeNo, path: PathId) -> Option<Vec<Box<[u8]>>> {
        match self.nodes.get(number as usize)? {
            Node::And(parts) => parts.iter().filter_map(|part| self.needs(*part, path)).min_by_key(Vec::len),
            Node::Or(parts) | Node::AtLeast(1.., parts) => {
                let mut every = vec![];
                for part in parts {
                    every.extend(self.needs(*part, path)?);
                }
                every.sort();
                every.dedup();
                Some(every)
            }
            Node::AtLeast(..) | Node::Not(_) => None,
            Node::Check(check) | Node::Slow(check, ..) => check.needs(path),
        }
    }

    /// The paths that checks of this condition look at.
    pub(crate) fn paths_of(&self, number: NodeNo, found: &mut Vec<PathId>) {
        match self.nodes.get(number as usize) {
            Some(Node::And(parts) | Node::Or(parts) | Node::AtLeast(_, parts)) => {
                parts.iter().for_each(|part| self.paths_of(*part, found));
            }
            Some(Node::Check(check) | Node::Slow(check, ..)) => found.extend(check.path()),
            Some(Node::Not(_)) | None => {}
        }
    }
}
