//! Flow logs to measure on, and what judging them costs.
//!
//! `cargo run --release -p palisade-detect --example flowlogs -- write LINES FILE` writes the gzip log of a network that behaves;
//! `... -- judge FILE` reads, folds and judges one, and prints the CPU seconds of each step and the memory.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for measuring")]

use std::io::{Read, Write};

use detect::flow::{Detector, Fold, Inventory, Origin, Past, Setup, Threats, judge, parse_detector, synthetic};
use logs::flow::{Item, Reader};

fn write(lines: u64, path: &str) {
    let file = std::fs::File::create(path).unwrap();
    let mut out = flate2::write::GzEncoder::new(std::io::BufWriter::new(file), flate2::Compression::new(6));
    let header =
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n";
    out.write_all(header.as_bytes()).unwrap();
    synthetic::sea(240, lines, &mut |line| {
        out.write_all(line.as_bytes()).unwrap();
        out.write_all(b"\n").unwrap();
    });
    out.finish().unwrap().flush().unwrap();
}

/// CPU seconds so far, and the most memory in MB, from `/proc`.
fn spent() -> (f64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks: Vec<f64> =
        stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2).map(|n| n.parse().unwrap()).collect();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).and_then(|line| line.split_whitespace().nth(1)).unwrap();
    (ticks.iter().sum::<f64>() / 100.0, peak.parse::<u64>().unwrap() / 1024)
}

/// Hands the text of a gzip file on in pieces.
fn pieces(path: &str, feed: &mut dyn FnMut(&[u8], bool) -> usize) {
    let file = std::io::BufReader::with_capacity(1 << 16, std::fs::File::open(path).unwrap());
    let mut text = flate2::bufread::MultiGzDecoder::new(file);
    let mut held = vec![];
    loop {
        let read = text.by_ref().take(4 << 20).read_to_end(&mut held).unwrap();
        let used = feed(&held, read == 0);
        held.drain(..used);
        if read == 0 {
            return;
        }
    }
}

fn detectors() -> Vec<Detector> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/detections/flowlogs");
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().to_str().unwrap().to_owned());
    let mut files: Vec<String> = paths.filter(|path| !path.ends_with(".cases.toml")).collect();
    files.sort();
    files.iter().map(|path| parse_detector(path, &std::fs::read_to_string(path).unwrap()).unwrap()).collect()
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let path = match words.as_slice() {
        ["write", lines, path] => return write(lines.parse().unwrap(), path),
        ["judge", path] => *path,
        _ => return println!("write LINES FILE | judge FILE"),
    };
    let mut last = spent().0;
    let mut step = |name: &str, count: u64| {
        let (now, peak) = spent();
        println!("{name:<24} {:>6.2} CPU s  {peak:>5} MB at most  ({count})", now - last);
        last = now;
    };
    let mut bytes = 0;
    pieces(path, &mut |text, _| {
        bytes += text.len() as u64;
        text.len()
    });
    step("unpack", bytes);
    let mut reader = Reader::new(None, i64::MAX);
    pieces(path, &mut |text, end| reader.feed(text, end, &mut |_| ()));
    step("unpack and read", reader.counts().records);
    let mut fold = Fold::default();
    let mut taker = fold.taker();
    let mut reader = Reader::new(None, i64::MAX);
    pieces(path, &mut |text, end| {
        reader.feed(text, end, &mut |item| {
            if let Item::Record(record, byte) = item {
                taker.see(record, Origin { input: 0, byte });
            }
        })
    });
    drop(taker);
    fold.has_fields(reader.fields().0);
    step("unpack, read and fold", fold.records());
    let (detectors, inventory, threats, past) = (detectors(), Inventory::default(), Threats::default(), Past::default());
    let setup = Setup {
        detectors: &detectors,
        tunings: &[],
        inventory: &inventory,
        approvals: &[],
        threats: &threats,
        past: &past,
        alarms: false,
        reach: None,
    };
    step("judge", judge(&fold, &setup).len() as u64);
}
