//! Writes a gzip flow log of a network that behaves, to measure on.
//!
//! `cargo run --release -p palisade-detect --example flowlogs -- LINES FILE`

#![expect(clippy::unwrap_used, reason = "a tool for measuring")]

use std::io::Write;

fn main() {
    let mut args = std::env::args().skip(1);
    let lines = args.next().unwrap().parse().unwrap();
    let file = std::fs::File::create(args.next().unwrap()).unwrap();
    let mut out = flate2::write::GzEncoder::new(std::io::BufWriter::new(file), flate2::Compression::new(6));
    out.write_all(
        b"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n",
    )
    .unwrap();
    detect::flow::synthetic::sea(240, lines, &mut |line| {
        out.write_all(line.as_bytes()).unwrap();
        out.write_all(b"\n").unwrap();
    });
    out.finish().unwrap().flush().unwrap();
}
