//! Gathers, checks and packs the catalogue, so that the product starts without parsing TOML.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    clippy::print_stdout,
    reason = "the crate's own modules, used in part; cargo reads stdout"
)]

mod catalogue;
mod check;
mod collect;
mod facts;
mod format;
mod kind;
mod lint;
mod load;
mod pack;
mod responsibility;
mod schema;
mod terraform;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use load::SourceFile;

fn main() -> ExitCode {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut files = Vec::new();
    for place in ["aws", "frameworks", "detections", "objectives.toml", "responsibility.csv"] {
        println!("cargo::rerun-if-changed={place}");
        gather(&root, &root.join(place), &mut files);
    }
    println!("cargo::rerun-if-changed=src");
    let mut loaded = load::load(&files);
    let mut problems = std::mem::take(&mut loaded.problems);
    problems.extend(lint::lint(&loaded, &files));
    for problem in &problems {
        println!("cargo::error=catalogue/{}", problem.to_string().replace('\n', " "));
    }
    if !problems.is_empty() {
        return ExitCode::FAILURE;
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap_or_default());
    loaded.samples.retain(|path, _| path.ends_with("/sample/resource.json"));
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(out.join(name), bytes).map_err(|e| e.to_string());
    let packed = loaded.pack.encode().map_err(|e| e.to_string()).and_then(|bytes| write("catalogue.bin", bytes));
    let samples = pack::Samples(loaded.samples).encode().map_err(|e| e.to_string());
    match packed.and(samples.and_then(|bytes| write("samples.bin", bytes))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={error}");
            ExitCode::FAILURE
        }
    }
}

fn gather(root: &Path, path: &Path, files: &mut Vec<SourceFile>) {
    if path.is_dir() {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.for_each(|entry| gather(root, &entry.path(), files));
    } else if let (Ok(text), Ok(below)) = (std::fs::read_to_string(path), path.strip_prefix(root)) {
        let below = below.to_string_lossy().replace('\\', "/");
        files.push(SourceFile { path: below, text });
    }
}
