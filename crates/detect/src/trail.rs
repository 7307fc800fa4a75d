//! Investigating a trail: events that fit a question, principals summed up, gaps, and the proof that no file was changed.
//!
//! Absent on purpose: reading files and checking RSA signatures, which need a crypto library; [`verify`] is given one.

mod coverage;
mod digest;
mod query;
mod summary;

pub use coverage::{Coverage, Covered, Delay, Gap, delivered};
pub use digest::{Digest, DigestError, Finding as DigestFinding, Verdict, read_digest, verify};
pub use query::{Query, QueryError};
pub use summary::{KEYS_MAX, Principal, Summary};
