//! Flow logs: what the traffic means.
//!
//! A [`Fold`] takes records in, in any order and any pieces, and keeps sums of them: conversations by the quarter of an hour,
//! volumes by the minute, which address is whose. [`judge`] runs the detectors over it. A detector is a file of the catalogue
//! (words, parameters, what it needs) over a native rule of `detectors/`.
//!
//! Success and failure of a flow: it succeeded if a reply carried payload, more than 60 bytes a packet (80 for IPv6); it failed
//! if it was refused or if a few small packets brought no such reply; a stream that is only acknowledged is neither.
//!
//! Absent on purpose: files, threads, the clock, and printing.

mod alarm;
mod conversation;
mod detector;
mod detectors;
mod finding;
mod fold;
mod interface;
mod inventory;
mod judge;
pub mod output;
mod past;
mod rate;
mod state;
pub mod synthetic;
mod table;
mod threats;
mod turned;
mod view;
mod window;

pub use alarm::{Alarm, CELLS_MAX, DISTINCT_EXACT_MAX, Firing, Measure};
pub use conversation::Origin;
pub use detector::{Detector, INPUTS, Parameter, Tuning, Value, check_tuning, parse_block, parse_detector};
pub use finding::{ChartOf, Finding, LISTED_MAX};
pub use fold::{CONVERSATIONS_MAX, Fold, INTERFACES_MAX, MINUTES_MAX, STRANGERS_MAX, Taker};
pub use inventory::Inventory;
pub use judge::{Approval, AskNetwork, Capability, Reach, Setup, judge};
pub use past::{Past, REMEMBERED_MAX};
pub use state::{FLOW_STATE_BYTES_MAX, FLOW_STATE_SCHEMA, FlowState, STATE_CONVERSATIONS_MAX, mark};
pub use threats::{THREATS_MAX, Threats};
