//! The native rules, one file for each family.

pub(crate) mod brute;
pub(crate) mod flood;
pub(crate) mod scan;
