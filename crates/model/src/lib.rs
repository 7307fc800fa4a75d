//! What Palisade knows: resources with their properties, what could not be read, and what was found.
//!
//! Every source (CloudFormation, Terraform, saved AWS answers, the live APIs) ends in one [`Snapshot`]; every analysis
//! starts from one; every rule ends in a [`Finding`]. A resource is typed by its CloudFormation type name and its
//! properties have the shape of the published CloudFormation schema.
//!
//! Absent on purpose: I/O, the clock, threads, and any knowledge of a particular AWS service.

mod answer;
mod contain;
mod finding;
mod gap;
mod id;
mod json;
mod layer;
mod line;
mod resource;
pub mod secret;
mod snapshot;
mod span;
mod value;

pub use answer::{Truth, Verdict};
pub use contain::{contain, is_contained};
pub use finding::{Confidence, Coverage, Evidence, Finding, Fingerprint, Outcome, ResourceRef, SameAs, Severity, Suppression};
pub use gap::{Gap, GapReason};
pub use id::{AccountId, Arn, CheckId, IdError, Partition, Region, TypeName};
pub use json::{from_json, to_json};
pub use layer::{Layer, Owner, Pillar, ServiceClass};
pub use line::{LayerCell, LayerState, Line, ResourceLine, TypeLine};
pub use resource::{Accepted, Origin, Resource};
pub use snapshot::{ResourceIndex, Scope, ScopeIndex, Snapshot, SourceKind};
pub use span::{Path, Span, SpanTable};
pub use value::{Link, Map, Reason, Text, Unknown, Value};
