//! CloudTrail records, in every form they are delivered in.
//!
//! Forms: the `{"Records": [..]}` file that a trail writes to S3; JSON Lines; LookupEvents answers, whose
//! `CloudTrailEvent` is a record as a string; EventBridge events (`detail`); CloudWatch Logs lines, exports,
//! FilterLogEvents answers and subscription envelopes; CloudTrail Lake results, as GetQueryResults rows or as CSV; and
//! arrays of any of those. The form is found from the bytes, and each value of a file on its own, so that mixed files
//! read. Record contents: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>.
//!
//! Absent on purpose: what an event means. A record is only scanned for the values at the wanted paths.

mod csv;
mod delivery;
mod event;
mod scan;

pub use delivery::{Item, Reader};
pub use event::{Event, Leaf, Values};

use std::collections::BTreeMap;

/// The longest record: CloudTrail's own limit is 1 MB, see the record contents page.
pub const RECORD_BYTES_MAX: usize = 8 << 20;

/// The deepest nesting inside a record; real ones stay under 20.
pub const DEPTH_MAX: usize = 100;

/// Why a record wasn't read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The bytes end inside a record.
    Truncated,
    /// Not JSON.
    Syntax,
    /// Nested deeper than [`DEPTH_MAX`].
    TooDeep,
    /// Longer than [`RECORD_BYTES_MAX`].
    TooLong,
    /// Bytes that aren't UTF-8.
    InvalidUtf8,
    /// A value that isn't an object where a record should be.
    NotAnObject,
    /// JSON, but neither a CloudTrail record nor a wrapper that holds one.
    NotCloudTrail,
}

impl Reason {
    /// In words, lower case, for a message.
    pub fn text(self) -> &'static str {
        match self {
            Reason::Truncated => "the file ends inside a record",
            Reason::Syntax => "not valid JSON",
            Reason::TooDeep => "nested deeper than 100 levels",
            Reason::TooLong => "longer than 8 MiB",
            Reason::InvalidUtf8 => "not valid UTF-8",
            Reason::NotAnObject => "not an object",
            Reason::NotCloudTrail => "not a CloudTrail record",
        }
    }
}

/// A record that wasn't read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject {
    /// Why.
    pub reason: Reason,
    /// Which record of the input, from 1.
    pub ordinal: u64,
    /// Where it starts in the (unpacked) input.
    pub byte: u64,
}

/// What became of an input: records in = `parsed` + `rejected()`, and how many records the passed over bytes held nobody can say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes from a record that is broken in such a way that its end can't be told, or from an overlong line, to where reading
    /// went on.
    pub passed_over_bytes: u64,
    /// Records handed out as events.
    pub parsed: u64,
    /// Records not read, by reason.
    pub rejects: BTreeMap<Reason, u64>,
}

impl Counts {
    /// How many records were not read.
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }

    /// Takes another input's counts in.
    pub fn add(&mut self, other: &Counts) {
        self.parsed += other.parsed;
        self.passed_over_bytes += other.passed_over_bytes;
        for (reason, count) in &other.rejects {
            *self.rejects.entry(*reason).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests;
