//! YAML and JSON text to a tree whose every node knows its place.
//!
//! [`parse_json`] and [`parse_yaml`] give the same [`Document`]: templates, Terraform plans and IAM policies are all read
//! from it. A scalar keeps the text that was written beside what it means, so `0777`, `2012-10-17` and an account id with
//! leading zeros are never lost to a number. Everything an outsider controls is bounded by [`Limits`]; what is over a limit
//! or malformed is one [`Diagnostic`] with line and column.
//!
//! Absent on purpose: files, panics crossing a file's boundary (the reader of files contains them), writing, and any
//! knowledge of CloudFormation. Tags such as `!Ref` are kept as they are written.

mod builder;
mod diagnostic;
mod json;
mod node;
mod texts;
mod yaml;

pub use diagnostic::{Cause, Diagnostic, Limits};
pub use json::parse_json;
pub use node::{Document, Entry, Kind, Node, Scalar, Typed};
pub use yaml::parse_yaml;
