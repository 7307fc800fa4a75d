//! What users read of the binary in `docs/reference/` is what the binary says.

use std::path::Path;
use std::process::Command;

#[test]
fn the_pages_are_fresh() {
    for (page, command) in [("cli.md", "reference"), ("collector-policy.json", "permissions")] {
        let output = Command::new(env!("CARGO_BIN_EXE_palisade")).arg(command).output().unwrap();
        assert!(output.status.success(), "{command}");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(page);
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        let fresh = String::from_utf8(output.stdout).unwrap();
        assert!(written == fresh, "docs/reference/{page} is old: cargo xtask gen");
    }
}
