//! The catalogue inside the binary.

use std::collections::BTreeMap;

use crate::catalogue::Catalogue;
use crate::pack::{Pack, Samples};

static BUILT_IN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalogue.bin"));
static SAMPLES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/samples.bin"));

/// The pack in the binary, to lay a user's own over.
#[expect(clippy::expect_used, reason = "the build wrote these bytes, and a test reads them")]
pub fn built_in_pack() -> Pack {
    Pack::decode(BUILT_IN).expect("the build wrote it")
}

/// The good samples of the types in the binary, by path; they lie apart, because only cases need them.
#[expect(clippy::expect_used, reason = "the build wrote these bytes, and a test reads them")]
pub fn built_in_samples() -> BTreeMap<String, String> {
    Samples::decode(SAMPLES).expect("the build wrote it").0
}

/// The catalogue in the binary.
#[expect(clippy::expect_used, reason = "the build checked it, and a test reads it")]
pub fn built_in() -> Catalogue {
    Catalogue::new(built_in_pack()).expect("the build checked it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_types_are_at_hand() {
        let samples = built_in_samples();
        assert!(samples.contains_key("aws/s3/bucket/sample/resource.json"));
        assert!(samples.keys().all(|path| path.ends_with("/sample/resource.json")));
    }

    #[test]
    fn every_expression_compiles() {
        let catalogue = built_in();
        assert!(catalogue.checks().count() > 0);
        for check in catalogue.checks() {
            assert!(catalogue.compiled(check).is_ok(), "{}", check.id);
        }
    }
}
