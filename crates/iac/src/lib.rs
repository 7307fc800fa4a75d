//! Infrastructure as code to the model: CloudFormation templates (with SAM and CDK output), Terraform plans and states.
//!
//! Every source ends in one [`model::Snapshot`] with CloudFormation's type and property names, and with the place where
//! each value was written.
//!
//! Absent on purpose: deploying anything, fetching anything, and judging what is read.

pub mod cloudformation;
mod diagnostic;
mod limits;

pub(crate) use diagnostic::gap_of;
pub use limits::Limits;
