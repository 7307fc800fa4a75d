//! What log events mean: Sigma rules compiled and matched, correlations, first-seen terms, role chains, incidents.
//!
//! [`compile`] turns rule files into a [`RuleSet`]; a [`Matcher`] per thread and input turns events into [`Hit`]s; one
//! [`Engine`] puts all hits in the order of their times and turns them into [`Detection`]s. Same input, same outcome,
//! on any number of threads.
//!
//! [`flow`] is the same for flow logs.
//!
//! Absent on purpose: files, threads, the clock, and printing. Nothing here knows a particular rule.

mod correlate;
mod detection;
mod engine;
pub mod flow;
mod lineage;
mod matcher;
pub mod output;
mod program;
mod ruleset;
mod sighting;
pub mod sigma;
mod state;
mod suppress;
mod terms;
pub mod trail;

pub use correlate::{CHAIN_MAX, FIRED_EVENTS_MAX, GROUPS_MAX, HELD_EVENTS_MAX, WINDOW_EVENTS_MAX};
pub use detection::{Answer, Detection, EVENTS_MAX, FACTS_MAX, Fact, LIST_MAX};
pub use engine::{Engine, HELD_HITS_MAX, INCIDENT_PAUSE, Match, Options, PAUSE, SEEN_MAX, Stats, WATERMARK};
pub use lineage::SESSIONS_MAX;
pub use matcher::{Hit, Matcher};
pub use ruleset::{RuleNo, RuleSet, Scratch, compile, compile_with};
pub use sighting::{Actor, Class, Known, Link, RESOURCES_MAX, Sighting, Standard, TEXT_BYTES_MAX, Text, actor, link, seconds};
pub use state::{STATE_BYTES_MAX, STATE_SCHEMA, StateError};
pub use suppress::Suppression;
pub use terms::TERMS_MAX;
