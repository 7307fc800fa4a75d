//! `docs/reference/cli.md` is what the binary says of itself.

use std::path::Path;
use std::process::Command;

#[test]
fn the_reference_is_fresh() {
    let output = Command::new(env!("CARGO_BIN_EXE_palisade")).arg("reference").output().unwrap();
    assert!(output.status.success());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let fresh = String::from_utf8(output.stdout).unwrap();
    assert!(written == fresh, "docs/reference/cli.md is old: cargo xtask gen");
}
