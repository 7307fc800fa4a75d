//! The catalogue inside the binary.

use crate::catalogue::Catalogue;
use crate::pack::Pack;

static BUILT_IN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/catalogue.bin"));

/// The pack in the binary, to lay a user's own over.
#[expect(clippy::expect_used, reason = "the build wrote these bytes, and a test reads them")]
pub fn built_in_pack() -> Pack {
    Pack::decode(BUILT_IN).expect("the build wrote it")
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
    fn every_expression_compiles() {
        let catalogue = built_in();
        assert!(catalogue.checks().count() > 0);
        for check in catalogue.checks() {
            assert!(catalogue.compiled(check).is_ok(), "{}", check.id);
        }
    }
}
