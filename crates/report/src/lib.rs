//! Findings as people and programs read them. A report shows what was judged; it cannot judge again.
//!
//! Every format is a pure function from a [`Report`] to text; those that may be long are written as they are made. Text from the input is never trusted: each format escapes what
//! its reader would interpret (terminal escapes, HTML, spreadsheet formulas), and secrets were masked before it came here.
//!
//! Absent on purpose: writing files, and stdout.

mod asff;
mod csv;
mod gaps;
mod html;
mod json;
mod junit;
mod markdown;
mod ocsf;
mod report;
mod safe;
mod sarif;
mod source;
mod standard;
mod terminal;

pub use asff::asff;
pub use csv::{cell, csv};
pub use gaps::unread;
pub use html::html;
pub use json::{json, json_lines};
pub use junit::junit;
pub use markdown::markdown;
pub use ocsf::ocsf;
pub use report::{Counts, Meta, Report, Sources};
pub use safe::printable;
pub use sarif::sarif;
pub use terminal::terminal;
