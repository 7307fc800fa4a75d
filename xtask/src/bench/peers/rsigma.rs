//! rsigma's evaluator over events, one a line: `peer RULES EVENTS`. Built by `cargo xtask bench trail` in a folder of its own.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use rsigma_eval::Engine;
use rsigma_eval::event::JsonEvent;
use rsigma_parser::parse_sigma_yaml;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (rules, events) = (arguments.next().unwrap(), arguments.next().unwrap());
    let mut files: Vec<PathBuf> = std::fs::read_dir(Path::new(&rules)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let (mut engine, mut loaded) = (Engine::new(), 0);
    for file in files {
        let Ok(collection) = parse_sigma_yaml(&std::fs::read_to_string(file).unwrap()) else { continue };
        loaded += collection.rules.iter().filter(|rule| engine.add_rule(rule).is_ok()).count();
    }
    let (mut seen, mut matches) = (0u64, 0u64);
    for line in std::io::BufReader::with_capacity(1 << 20, std::fs::File::open(events).unwrap()).lines() {
        let value: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        matches += engine.evaluate(&JsonEvent::borrow(&value)).len() as u64;
        seen += 1;
    }
    println!("{loaded} rules, {seen} events, {matches} matches");
}
