//! Infrastructure as code to the model: CloudFormation templates (with SAM and CDK output), Terraform plans and states.
//!
//! Every source ends in one [`model::Snapshot`] with CloudFormation's type and property names, and with the place where
//! each value was written.
//!
//! Absent on purpose: deploying anything, fetching anything, and judging what is read.

mod canonical;
mod cdk;
pub mod cloudformation;
mod diagnostic;
mod fold;
mod limits;
mod read;
mod recognise;
mod sources;
pub mod terraform;
mod walk;

pub(crate) use diagnostic::gap_of;
pub use fold::{FOLDS, Fold, Row, fold_into};
pub use limits::Limits;
pub use read::{MakeMapping, Options, Other, Reading, read, read_paths, text_of};
pub use recognise::{Kind, Why, recognise};
