//! Who may do what on AWS, with proof.
//!
//! Policies are compiled once ([`Policy`]); [`evaluate()`] decides one request over all kinds of policies together.
//!
//! Absent on purpose: I/O, fetching of policies, and findings; the checks of the catalogue make those out of the answers
//! given here.

mod arn;
pub mod case;
mod condition;
mod document;
mod evaluate;
mod exposure;
pub mod facts;
mod glob;
mod inclusion;
mod operator;
mod request;
pub mod s3;
mod symbolic;

pub use document::{Effect, POLICY_BYTES_MAX, Policy, Problem, STATEMENTS_MAX, Statement};
pub use evaluate::{Decision, Judgement, Level, Part, Policies, evaluate, policy_allows};
pub use exposure::{Exposure, OUTSIDERS_MAX, Openness, exposure, exposure_of};
pub use glob::PATTERN_BYTES_MAX;
pub use inclusion::{Inclusion, PolicyType, no_broader, no_broader_all, request_json};
pub use operator::{Compare, Operator, Quantifier};
pub use request::{Caller, Context, Entry, Identity, Mode, REQUEST_TEXT_BYTES_MAX, Request};
pub use symbolic::search::{NODES_MAX, UNDECIDED_MAX};
pub use symbolic::{ENTRIES_MAX, REPRESENTATIVES_MAX, STATES_MAX};
