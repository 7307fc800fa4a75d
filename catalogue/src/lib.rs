//! What Palisade knows about AWS: resource types, checks with their words and fixes, objectives, frameworks, and who owns
//! which layer of the responsibility line.
//!
//! The knowledge lies in the folders beside this crate's `src/`, one small file a fact; adding one edits no other file.
//! `build.rs` gathers, parses and checks them, and packs them into the binary. A user's own folder of the same layout is laid
//! over the built-in one at run time.
//!
//! Absent on purpose: judging a resource (that is `engine`), and reading files (the caller hands over texts).

mod built_in;
mod catalogue;
mod check;
pub mod collect;
mod facts;
pub mod format;
mod kind;
mod lint;
mod load;
mod pack;
mod responsibility;
mod schema;
pub mod terraform;

pub use built_in::{built_in, built_in_pack, built_in_samples};
pub use catalogue::Catalogue;
pub use check::{Check, CheckProblem, Compiled, Logic};
pub use facts::{Arg, FACTS, Fact, Gives};
pub use kind::{Filled, Kind, Relation, ServiceDefault};
pub use lint::lint;
pub use load::{Cases, Loaded, Problem, SourceFile, load};
pub use pack::{CheckEntry, Pack, PackError, Samples};
