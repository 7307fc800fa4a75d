//! The native rules, one file for each family.

pub(crate) mod brute;
pub(crate) mod calls;
pub(crate) mod exposure;
pub(crate) mod flood;
pub(crate) mod many;
pub(crate) mod metric;
pub(crate) mod scan;
pub(crate) mod slow;
pub(crate) mod spoof;
pub(crate) mod usual;
