//! Log bytes into borrowed events.
//!
//! [`cloudtrail`] reads CloudTrail in every form it is delivered in; one pass over the bytes hands out only the values
//! at the paths somebody asked for. [`flow`] reads VPC and transit gateway flow logs. [`inflate`] turns gzip and zstd into those bytes, within a bound.
//!
//! Absent on purpose: files, sockets, the clock, threads, and a document tree. What could not be read comes out as a
//! [`cloudtrail::Reject`] with its reason, so that records in = events + rejects, always.

pub mod cloudtrail;
pub mod flow;
pub mod inflate;
mod json;
pub mod paths;
pub mod time;

pub use json::{Kind, unescape};
