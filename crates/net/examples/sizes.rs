//! Measures exposure, one question and all pairs on synthetic accounts: `cargo run --release -p palisade-net --example sizes`.
//! Prints one line for each size: interfaces, groups, milliseconds, pairs found, peak memory in MB (Linux).

use std::time::Instant;

use net::pairs::Pairs;
use net::synthetic::{Size, account};
use net::{Exposure, Family, Place, Ports};

fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[expect(clippy::print_stdout, reason = "a measuring tool talks on standard output")]
fn main() {
    let largest = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10_000);
    for interfaces in [1_000, 10_000, 100_000].into_iter().filter(|n| *n <= largest) {
        let start = Instant::now();
        let net = account(Size { interfaces, groups: interfaces / 2 }, 7);
        let built = start.elapsed();
        let start = Instant::now();
        let rows = Exposure::all(&net).len();
        let exposed = start.elapsed();
        let ask = |text: &str| Place::parse(&net, text).unwrap_or(Place::Internet);
        let ends = [ask("internet"), ask("eni-0"), ask("eni-300")];
        let start = Instant::now();
        let rounds = 100;
        for _ in 0..rounds {
            net::reach(&net, &ends[0], &ends[1], &Ports::tcp(22, 22));
            net::reach(&net, &ends[1], &ends[2], &Ports::tcp(443, 443));
        }
        let asked = start.elapsed() / (2 * rounds);
        let start = Instant::now();
        let pairs = Pairs::new(&net, Family::V4).count_tcp();
        let paired = start.elapsed();
        println!(
            "{interfaces} interfaces, {} groups: build {built:.1?}, exposure {exposed:.1?} ({rows} rows), one question {asked:.1?}, all pairs {paired:.1?} ({pairs}), peak {} MB",
            interfaces / 2,
            peak_mb()
        );
    }
}
