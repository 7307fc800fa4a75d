//! What can go wrong with a file of ours.

use std::fmt;

/// What can go wrong with a snapshot file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The file could not be read or written.
    Io {
        /// The file.
        path: String,
        /// The system's words.
        message: String,
    },
    /// It does not begin as a snapshot does.
    NotASnapshot,
    /// It was written by a newer version.
    TooNew {
        /// Its format version.
        version: u32,
    },
    /// It was written by a version that did not say what it asked for.
    TooOld {
        /// Its format version.
        version: u32,
    },
    /// It ends too early.
    Truncated {
        /// How many bytes it says it has.
        wanted: u64,
        /// How many there are.
        found: u64,
    },
    /// Its content is not what was written: it was damaged or changed.
    Changed,
    /// It decompresses to more than the limit.
    TooLong {
        /// The limit in bytes.
        limit: u64,
    },
    /// Its content is not what the format promises.
    Malformed {
        /// The line of the decompressed content, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
}

impl StoreError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            StoreError::Io { .. } => "check the path and its permissions",
            StoreError::NotASnapshot => "make one with `palisade snapshot -o FILE`",
            StoreError::TooNew { .. } => "update palisade",
            StoreError::TooOld { .. } => "make a new snapshot",
            StoreError::Truncated { .. } => "copy the file again, or make a new snapshot",
            StoreError::Changed => "do not trust it: copy the file again, or make a new snapshot",
            StoreError::TooLong { .. } => "make snapshots of fewer accounts",
            StoreError::Malformed { .. } => "make a new snapshot",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StoreError::Io { path, message } => write!(f, "`{path}`: {message}"),
            StoreError::NotASnapshot => f.write_str("not a snapshot file"),
            StoreError::TooNew { version } => {
                write!(f, "the snapshot has format {version}, and this version reads up to {}", crate::SNAPSHOT_VERSION)
            }
            StoreError::TooOld { version } => {
                write!(f, "the snapshot has format {version}, which does not say what was asked for, and is not read any more")
            }
            StoreError::Truncated { wanted, found } => write!(f, "the snapshot is cut short: {found} of {wanted} bytes"),
            StoreError::Changed => f.write_str("the snapshot's checksum is wrong: it was damaged or changed"),
            StoreError::TooLong { limit } => write!(f, "the snapshot decompresses to more than {limit} bytes"),
            StoreError::Malformed { line, message } => write!(f, "the snapshot's line {line} cannot be read: {message}"),
        }
    }
}

impl std::error::Error for StoreError {}
