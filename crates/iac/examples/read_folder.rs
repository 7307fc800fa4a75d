//! How long reading takes: `cargo run --release -p palisade-iac --example read_folder PHASE FOLDER`, where the phase is `none`,
//! `parse`, `read` (parse and evaluate; these on one thread) or `folder` (all of it, on all threads).

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use iac::cloudformation::{Parameters, read};
use iac::{Limits, Options, read_paths};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(phase), Some(folder)) = (arguments.next(), arguments.next().map(PathBuf::from)) else {
        return Err(std::io::Error::other("usage: read_folder PHASE FOLDER"));
    };
    let phase = phase.to_string_lossy().into_owned();
    let texts = texts(&folder)?;
    let bytes: usize = texts.iter().map(String::len).sum();
    let limits = Limits::default();
    let started = Instant::now();
    let what = match &*phase {
        "none" => String::new(),
        "parse" => format!("{} parsed", texts.iter().filter(|t| parse(t, &limits)).count()),
        "read" => {
            let read = |t: &String| read(t, "t", &Parameters::default(), &limits, &|_, _| None).resources.len();
            format!("{} resources", texts.iter().map(read).sum::<usize>())
        }
        _ => {
            drop(texts);
            let snapshot = read_paths(std::slice::from_ref(&folder), &Options::default());
            let counts = (snapshot.scopes.len(), snapshot.resources.len(), snapshot.gaps.len());
            format!("scopes, resources, gaps: {counts:?}")
        }
    };
    let took = started.elapsed();
    writeln!(std::io::stdout(), "{phase}: {bytes} bytes, {what}, {took:.0?}")
}

fn parse(text: &str, limits: &Limits) -> bool {
    match text.trim_start().starts_with('{') {
        true => syntax::parse_json(text, &limits.text).is_ok(),
        false => syntax::parse_yaml(text, &limits.text).is_ok(),
    }
}

fn texts(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(texts(&path)?);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            all.push(text);
        }
    }
    Ok(all)
}
