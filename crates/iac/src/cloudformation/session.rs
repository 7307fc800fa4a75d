//! What one reading of a template shares with the readings of its nested stacks: limits, what is left of them, and gaps.

use std::cell::{Cell, RefCell};

use model::{Gap, GapReason, Reason, Span, Text, Value};

use super::Parameters;
use crate::Limits;

/// Levels of values within values, nested stacks included, that are evaluated by recursion.
const DEPTH_MAX: u32 = 220;

/// A template found beside another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Its name, to stand in findings.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// Finds the template that another one names: (file of the one that names it, what it says) -> the template, if it lies
/// beside it.
pub type Load<'l> = dyn Fn(&str, &str) -> Option<Loaded> + 'l;

pub(crate) struct Session<'s> {
    pub(crate) parameters: &'s Parameters,
    pub(crate) limits: &'s Limits,
    pub(crate) load: &'s Load<'s>,
    work: Cell<u64>,
    depth: Cell<u32>,
    nested: Cell<usize>,
    gaps: RefCell<Vec<Gap>>,
}

impl<'s> Session<'s> {
    pub(crate) fn new(parameters: &'s Parameters, limits: &'s Limits, load: &'s Load<'s>) -> Session<'s> {
        Session {
            parameters,
            limits,
            load,
            work: Cell::new(0),
            depth: Cell::new(0),
            nested: Cell::new(0),
            gaps: RefCell::new(Vec::new()),
        }
    }

    /// Counts one value of `bytes` composed bytes. False once the limit is passed; the first time leaves a gap.
    pub(crate) fn spend(&self, bytes: usize, file: &Text) -> bool {
        let before = self.work.get();
        let after = before + 1 + bytes as u64 / 64;
        let max = self.limits.work_max;
        if after <= max {
            self.work.set(after);
            return true;
        }
        if before <= max {
            self.work.set(max + 1);
            let detail = format!("the template comes to more than {max} values");
            self.gap(Gap::new("template", GapReason::Limit, detail).help("the limit is `work_max`").in_file(file.clone(), None));
        }
        false
    }

    /// One level deeper; `None` if that is too deep.
    pub(crate) fn descend(&self) -> Option<Descent<'_>> {
        let depth = self.depth.get();
        if depth >= DEPTH_MAX {
            return None;
        }
        self.depth.set(depth + 1);
        Some(Descent { depth: &self.depth })
    }

    /// Counts one nested stack. False once there are too many.
    pub(crate) fn nest(&self) -> bool {
        self.nested.set(self.nested.get() + 1);
        self.nested.get() <= self.limits.nested_max
    }

    pub(crate) fn gap(&self, gap: Gap) {
        self.gaps.borrow_mut().push(gap);
    }

    /// A part of the template that is not as it should be: a gap, and the value that stands for it.
    pub(crate) fn malformed(&self, what: &str, detail: impl Into<String>, file: &Text, span: Span) -> Value {
        self.gap(Gap::new(what, GapReason::Malformed, detail).in_file(file.clone(), Some(span)));
        Value::unknown(Reason::Malformed, what)
    }

    /// Every gap once, by file and place.
    pub(crate) fn take_gaps(&self) -> Vec<Gap> {
        let mut gaps = self.gaps.take();
        gaps.sort_by(|a, b| (&a.file, a.span, a).cmp(&(&b.file, b.span, b)));
        gaps.dedup();
        gaps
    }
}

/// One level of evaluation; leaving it goes back up.
pub(crate) struct Descent<'s> {
    depth: &'s Cell<u32>,
}

impl Drop for Descent<'_> {
    fn drop(&mut self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }
}
