//! Facts and checks to findings: a pure function of a snapshot, a catalogue, a configuration and the time.
//!
//! Absent on purpose: I/O, the clock, and words (those are the catalogue's). Findings come out in a fixed order whatever the
//! order of the input's files or the number of threads.

mod accept;
mod cases;
mod config;
mod coverage;
mod environment;
mod facts;
mod judge;
mod keys;
mod line;
mod native;
mod neighbours;
mod scan;
mod tally;
mod worlds;

pub use accept::{AcceptRule, Baseline};
pub use cases::{CaseFailure, run_cases};
pub use config::{Config, Filter};
pub use scan::{Judged, Scan, scan};
