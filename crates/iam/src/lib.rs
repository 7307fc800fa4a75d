//! Who may do what on AWS, with proof.
//!
//! Policies are compiled once ([`Policy`]); [`evaluate()`] decides one request over all kinds of policies together.
//!
//! Absent on purpose: I/O, fetching of policies, and findings; the checks of the catalogue make those out of the answers
//! given here.

mod access;
pub mod account;
mod anywhere;
mod arn;
pub mod authorization;
pub mod case;
mod changes;
mod condition;
mod document;
pub mod escalation;
mod evaluate;
mod exposure;
pub mod facts;
mod glob;
mod inclusion;
mod lint;
pub mod managed;
mod operator;
mod overlap;
mod request;
mod rules;
pub mod s3;
mod source;
mod stand_in;
mod symbolic;
pub mod unknown_name;
pub mod unused;
pub mod why;

pub use access::{Access, REACH_ROWS_MAX, Reach, can, principal_can, who_can};
pub use account::{Account, Control, Organisation};
pub use anywhere::Power;
pub use changes::{Change, changes};
pub use document::{Effect, POLICY_BYTES_MAX, Policy, Problem, STATEMENTS_MAX, Statement};
pub use evaluate::{Decision, Judgement, Level, Part, Policies, evaluate, policy_allows};
pub use exposure::{Exposure, OUTSIDERS_MAX, Openness, Owner, exposure};
pub use glob::PATTERN_BYTES_MAX;
pub use inclusion::{Inclusion, PolicyType, no_broader, no_broader_all, request_json};
pub use lint::{PROBLEMS_MAX, lint};
pub use operator::{Compare, Operator, Quantifier};
pub use overlap::OVERLAP_STEPS_MAX;
pub use request::{Breadth, Caller, Context, Entry, Identity, Mode, REQUEST_TEXT_BYTES_MAX, Request};
pub use source::{places, policy_in};
pub use stand_in::{Readings, StandIns};
pub use symbolic::search::{JUDGED_MAX, NODES_MAX, UNDECIDED_MAX};
pub use symbolic::{ENTRIES_MAX, REPRESENTATIVES_MAX, STATES_MAX, STEPS_MAX};
