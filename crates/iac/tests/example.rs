//! The example that ships with the repository is read without a fault of its own.

use std::path::Path;

use iac::{Options, read_paths};
use model::GapReason;

#[test]
fn the_shop_template_is_well_formed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/shop/cloudformation");
    let snapshot = read_paths(&[folder], &Options::default());
    assert!(snapshot.resources.len() > 10);
    let faults: Vec<_> = snapshot.gaps.iter().filter(|g| g.reason != GapReason::Unsupported).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}
