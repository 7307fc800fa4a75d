//! The responsibility line drawn over what is there: who owns each layer of each type, and how much of it is proven.

use serde::{Deserialize, Serialize};

use crate::{Layer, Owner, ServiceClass, Text, TypeName};

/// The line over everything that was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// One row a type, in service and type order.
    pub types: Vec<TypeLine>,
    /// Layers of present types that are the customer's alone.
    pub owned: usize,
    /// Those of them that at least one check looks at.
    pub owned_checked: usize,
    /// Layers of present types that AWS performs and the customer must switch on or choose.
    pub shared: usize,
    /// Those of them that at least one check looks at.
    pub shared_checked: usize,
    /// Types that are in no row of the responsibility table.
    pub unclassified: Vec<TypeName>,
}

/// The line through one resource type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeLine {
    /// The row of the responsibility table, `Amazon S3`.
    pub service: String,
    /// How much of the stack AWS runs.
    pub class: ServiceClass,
    /// The type.
    #[serde(rename = "type")]
    pub type_name: TypeName,
    /// The 15 layers in order.
    pub layers: Vec<LayerCell>,
    /// The resources of the type, in source order.
    pub resources: Vec<ResourceLine>,
}

/// The line through one resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceLine {
    /// Its id.
    pub id: Text,
    /// Its file, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Text>,
    /// The state of the 15 layers in order.
    pub layers: Vec<LayerState>,
}

/// One layer of one type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerCell {
    /// The layer.
    pub layer: Layer,
    /// Who performs it.
    pub owner: Owner,
    /// The worst state over the type's resources.
    pub state: LayerState,
    /// How many checks look at it.
    pub checks: usize,
    /// Failures.
    pub fail: usize,
    /// Unknowns.
    pub unknown: usize,
    /// Passes.
    pub pass: usize,
}

/// How much of a layer's duty is proven. Ordered worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerState {
    /// A check fails.
    Fail,
    /// A check could not be answered.
    Unknown,
    /// The duty is yours, and nothing looks at it.
    NoCheck,
    /// Every check passes.
    Pass,
    /// AWS's half.
    Aws,
    /// The layer does not exist for this service.
    Na,
}
