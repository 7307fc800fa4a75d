//! State on disk: snapshot files.
//!
//! A snapshot file holds everything that was collected, compressed, with a checksum, and with what is secret in it reduced to
//! what checks need. The format is described in `docs/reference/snapshot.md`.
//!
//! Absent on purpose: knowing AWS, judging, and any way to read a reduced secret back.

mod error;
mod reduce;
mod snapshot;

pub use error::StoreError;
pub use reduce::{SecretPaths, reduce_text};
pub use snapshot::{FileLimits, Meta, SNAPSHOT_VERSION, decode, encode, is_snapshot, read, write};
