//! Real rules and real logs: SigmaHQ's AWS rules over the trace of an attack emulation.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use detect::{RuleSet, compile};
use logs::cloudtrail::{Counts, Event, Item, Reader};
use logs::inflate::Inflater;

fn files(folder: &str, ending: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_str().unwrap().ends_with(ending));
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

fn sigmahq() -> RuleSet {
    let files = files("sigma/rules/cloud/aws/cloudtrail", ".yml");
    assert_eq!(files.len(), 57);
    let texts: Vec<(String, String)> = files
        .into_iter()
        .map(|(path, bytes)| (path.file_name().unwrap().to_str().unwrap().to_owned(), String::from_utf8(bytes).unwrap()))
        .collect();
    let (set, problems) = compile(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    assert_eq!(problems, []);
    assert!(set.rules().len() >= 57);
    set
}

fn each_event(set: &RuleSet, files: &[(PathBuf, Vec<u8>)], see: &mut dyn FnMut(&Path, &Event<'_>)) -> Counts {
    let (mut counts, mut inflater, mut text) = (Counts::default(), Inflater::new(), Vec::new());
    for (path, bytes) in files {
        inflater.unpack(bytes, &mut text, 1 << 30).unwrap();
        counts.add(&Reader::new(set.paths()).read(&text, &mut |item| {
            if let Item::Event(event) = item {
                see(path, &event);
            }
        }));
    }
    counts
}

#[test]
fn sigmahq_rules_run_as_they_are() {
    let set = sigmahq();
    let (mut found, mut scratch) = (BTreeMap::<String, u32>::new(), detect::Scratch::default());
    let counts = each_event(&set, &files("cloudtrail/invictus", ".gz"), &mut |_, event| {
        for no in set.matches(event, &mut scratch) {
            *found.entry(set.rule(*no).unwrap().title.clone()).or_default() += 1;
        }
    });
    assert_eq!((counts.parsed, counts.rejected()), (2900, 0));
    // A successful call has no errorCode: `errorCode: null` must match the absent field.
    assert_eq!(found.get("AWS VPC Flow Logs Deleted"), Some(&1));
}
