//! Unpacks the tables, so that the product reads them where they lie in the binary: no time, and memory only for what is asked.
#![allow(clippy::print_stdout, reason = "cargo reads stdout")]

use std::path::PathBuf;

/// What lies packed in `data`.
const PACKED: &[&str] = &["managed-policies", "service-authorization"];

fn main() -> std::io::Result<()> {
    let folder = |name| PathBuf::from(std::env::var_os(name).unwrap_or_default());
    for name in PACKED {
        let packed = folder("CARGO_MANIFEST_DIR").join("data").join(format!("{name}.zst"));
        println!("cargo::rerun-if-changed={}", packed.display());
        let text = zstd::decode_all(std::fs::File::open(packed)?)?;
        std::fs::write(folder("OUT_DIR").join(format!("{name}.txt")), text)?;
    }
    Ok(())
}
