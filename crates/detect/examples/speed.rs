//! Events per CPU second from gzip to hits, beside the ceiling of unpacking and scanning alone.
//!
//! `cargo run --release -p palisade-detect --example speed -- [megabytes]`: amplifies the logs in `tests/data` to that
//! many megabytes of distinct events, loads about 800 rules, and measures on one thread. With a folder after the
//! megabytes it writes the events (`logs/*.json.gz`, and one a line in `events.jsonl`) and the rules (`rules/*.yml`) there
//! instead, for others to measure.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a measurement, not a product")]

use std::io::Write;
use std::path::{Path, PathBuf};

use detect::{Engine, Matcher, Options, sigma};
use logs::cloudtrail::{Item, Reader};
use logs::inflate::Inflater;

const RECORDS_PER_FILE: usize = 500;

/// The best of so many rounds counts: what others do on the machine only ever adds.
const ROUNDS: usize = 5;

fn files(path: &Path, ending: &str) -> Vec<(String, Vec<u8>)> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.to_str().unwrap().ends_with(ending));
    found.sort();
    found.iter().map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap())).collect()
}

/// The built-in rules, SigmaHQ's, and as many variants of single-event rules as are missing: the same conditions, each for
/// a call of its own.
fn rules(root: &Path, wanted: usize) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = vec![];
    for folder in ["../../catalogue/detections/cloudtrail", "tests/data/sigma/rules/cloud/aws/cloudtrail"] {
        for (name, bytes) in files(&root.join(folder), ".yml") {
            texts.push((format!("{name}.yml"), String::from_utf8(bytes).unwrap()));
        }
    }
    let count = |texts: &[(String, String)]| texts.iter().map(|(name, text)| sigma::parse(name, text).0.len()).sum::<usize>();
    let missing = wanted.saturating_sub(count(&texts));
    let single = |(name, text): &&(String, String)| {
        let rules = sigma::parse(name, text).0;
        rules.len() == 1 && matches!(rules[0].body, sigma::Body::Events(_)) && text.contains("    eventName: ")
    };
    let singles: Vec<(String, String)> = texts.iter().filter(single).cloned().collect();
    for (number, (name, text)) in singles.iter().cycle().take(missing).enumerate() {
        let mut variant = String::new();
        for line in text.lines().filter(|line| !line.starts_with("name: ") && !line.starts_with("id: ")) {
            match line.split_once("eventName: ") {
                Some((indent, _)) if number % 2 == 0 => {
                    variant.push_str(&format!("{indent}eventName: [Variant{number}, Other{number}]"))
                }
                _ => variant.push_str(line),
            }
            variant.push('\n');
        }
        texts.push((format!("variant-{number}-{name}"), format!("{}name: variant-{number}\n", variant)));
    }
    texts
}

/// The records of the sample logs, as they were delivered.
fn records(root: &Path) -> Vec<Vec<u8>> {
    let (mut all, mut inflater, mut text) = (vec![], Inflater::new(), vec![]);
    for (_, bytes) in files(&root.join("tests/data/cloudtrail/invictus"), ".gz") {
        inflater.unpack(&bytes, &mut text, 1 << 30).unwrap();
        Reader::new(&logs::paths::Paths::new()).read(&text, &mut |item| {
            if let Item::Event(event) = item {
                all.push(event.bytes().to_vec());
            }
        });
    }
    all
}

/// Distinct events: each copy has ids of its own.
fn amplified(records: &[Vec<u8>], bytes: usize) -> (Vec<Vec<u8>>, usize, usize) {
    let (mut packed, mut events, mut total, mut copy) = (vec![], 0, 0, 0u64);
    while total < bytes {
        copy += 1;
        for chunk in records.chunks(RECORDS_PER_FILE) {
            let mut text = b"{\"Records\":[".to_vec();
            for (number, record) in chunk.iter().enumerate() {
                if number > 0 {
                    text.push(b',');
                }
                let start = text.len();
                text.extend_from_slice(record);
                if let Some(at) = find(&text, start, b"\"eventID\":\"") {
                    let id = format!("{:08x}", (copy << 16) + number as u64);
                    text.splice(at..at + 8, id.into_bytes());
                }
            }
            text.extend_from_slice(b"]}");
            events += chunk.len();
            total += text.len();
            let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
            encoder.write_all(&text).unwrap();
            packed.push(encoder.finish().unwrap());
        }
    }
    (packed, events, total)
}

fn find(text: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    text.get(from..)?.windows(needle.len()).position(|window| window == needle).map(|at| from + at + needle.len())
}

/// CPU seconds of this thread so far, by the scheduler's own account.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn measure(name: &str, events: usize, bytes: usize, mut run: impl FnMut() -> u64) -> f64 {
    let mut best = f64::MAX;
    let mut result = 0;
    for _ in 0..ROUNDS {
        let start = cpu();
        result = run();
        best = best.min(cpu() - start);
    }
    let rate = events as f64 / best;
    println!("{name:<28} {rate:>10.0} events/s {:>8.0} MB/s  ({result})", bytes as f64 / best / 1e6);
    rate
}

/// What a pass over the bytes must do at least: see each string's end and each bracket.
fn strings(text: &[u8]) -> u64 {
    let (mut count, mut at) = (0, 0);
    while let Some(open) = memchr::memchr(b'"', text.get(at..).unwrap_or_default()) {
        at += open + 1;
        while let Some(close) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
            at += close + 1;
            if text.get(at - 1) == Some(&b'"') {
                break;
            }
            at += 1;
        }
        count += 1;
    }
    count
}

/// Writes events and rules for others to measure.
fn write(folder: &Path, texts: &[(String, String)], packed: &[Vec<u8>]) {
    for part in ["logs", "rules"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    for (name, text) in texts {
        std::fs::write(folder.join("rules").join(name), text).unwrap();
    }
    let mut lines = std::io::BufWriter::new(std::fs::File::create(folder.join("events.jsonl")).unwrap());
    let (mut inflater, mut text) = (Inflater::new(), vec![]);
    for (number, file) in packed.iter().enumerate() {
        std::fs::write(folder.join(format!("logs/{number:05}.json.gz")), file).unwrap();
        inflater.unpack(file, &mut text, 1 << 30).unwrap();
        Reader::new(&logs::paths::Paths::new()).read(&text, &mut |item| {
            if let Item::Event(event) = item {
                lines.write_all(event.bytes()).unwrap();
                lines.write_all(b"\n").unwrap();
            }
        });
    }
    lines.flush().unwrap();
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let megabytes: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(200);
    let texts = rules(root, 800);
    let (packed, events, bytes) = amplified(&records(root), megabytes << 20);
    if let Some(folder) = std::env::args().nth(2) {
        write(Path::new(&folder), &texts, &packed);
        println!("{events} events, {bytes} bytes, {} files of rules", texts.len());
        return;
    }
    let (set, _) = detect::compile(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    println!("{} rules {:?}, {} paths, {events} events, {bytes} bytes", set.rules().len(), set.index_sizes(), set.paths().len());
    let (mut inflater, mut text) = (Inflater::new(), vec![]);
    measure("unpack", events, bytes, || {
        packed.iter().map(|file| inflater.unpack(file, &mut text, 1 << 30).map_or(0, |()| text.len() as u64)).sum()
    });
    let ceiling = measure("unpack and see each string", events, bytes, || {
        let mut count = 0;
        for file in &packed {
            inflater.unpack(file, &mut text, 1 << 30).unwrap();
            count += strings(&text);
        }
        count
    });
    let mut reader = Reader::new(set.paths());
    measure("unpack and read", events, bytes, || {
        let mut count = 0;
        for file in &packed {
            inflater.unpack(file, &mut text, 1 << 30).unwrap();
            count += reader.read(&text, &mut |_| ()).parsed;
        }
        count
    });
    let mut matcher = Matcher::new(&set, 0);
    let full = measure("unpack, read and match", events, bytes, || {
        let mut count = 0;
        for file in &packed {
            inflater.unpack(file, &mut text, 1 << 30).unwrap();
            matcher.turn_to(0);
            reader.read(&text, &mut |item| {
                if let Item::Event(event) = item {
                    matcher.see(&event);
                }
            });
            count += matcher.hits.len() as u64;
        }
        count
    });
    measure("... to detections", events, bytes, || {
        let mut engine = Engine::new(&set, Options::default());
        for (number, file) in (0..).zip(&packed) {
            inflater.unpack(file, &mut text, 1 << 30).unwrap();
            matcher.turn_to(number);
            reader.read(&text, &mut |item| {
                if let Item::Event(event) = item {
                    matcher.see(&event);
                }
            });
            engine.add(std::mem::take(&mut matcher.hits), std::mem::take(&mut matcher.links), None);
        }
        engine.finish();
        engine.take().len() as u64
    });
    println!("{:.0} % of the ceiling", full / ceiling * 100.0);
}
