//! VPC and transit gateway flow logs: text lines into borrowed [`Record`]s.
//!
//! Every version and every order of fields is read: a header line anywhere in the input sets the [`Layout`] of the lines after
//! it, a format string such as `${version} ${srcaddr}` sets it up front, and lines without either are read in the default format
//! of their kind. Whatever comes out of [`Reader`] is a record, a window without data, or a [`Reject`] with its reason: lines
//! in = records + windows without data + rejects + headers.
//!
//! [`read_columns`] reads the same out of Parquet.
//!
//! Absent on purpose: unpacking (see [`crate::inflate`]), and any meaning. Which side of a flow is yours, and whether it
//! succeeded, is for the reader of the records to say.

mod address;
mod columns;
mod field;
mod line;
mod plain;
mod reader;
mod record;
#[cfg(test)]
mod tests;

pub use address::Address;
pub use columns::{Columns, PARQUET_BYTES_MAX, PARQUET_ROWS_MAX, is_parquet, read_columns};
pub use field::{Field, Layout, LayoutError};
pub use reader::{Counts, Item, LINE_BYTES_MAX, Reader, Reason, Reject, looks_like};
pub use record::{Action, Direction, Record};
