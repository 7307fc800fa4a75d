//! Measures building, exposure, one question and all pairs on synthetic accounts of 1,000, 10,000 and 100,000 interfaces, up to
//! the size given: `cargo run --release -p palisade-net --example sizes -- 100000`.
//!
//! Prints one line for each size, figures separated by blanks: interfaces, groups, rules, milliseconds to build, milliseconds for
//! exposure, what is exposed, microseconds for one question, milliseconds for all pairs on every TCP port, pairs that are joined,
//! peak memory in MB so far. Times are what the thread spent on a processor where Linux tells it, else passed time.

use std::time::{Duration, Instant};

use net::pairs::Pairs;
use net::synthetic::{Size, account};
use net::{Exposure, Family, Place, Ports};

const SIZES: [usize; 3] = [1_000, 10_000, LARGEST];
const LARGEST: usize = 100_000;

fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// What the thread has spent on a processor.
fn spent(since: Instant) -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// Does the work, and gives milliseconds with what it gives.
fn timed<T>(since: Instant, work: impl FnOnce() -> T) -> (f64, T) {
    let before = spent(since);
    let done = work();
    ((spent(since) - before).as_secs_f64() * 1e3, done)
}

#[expect(clippy::print_stdout, reason = "a measuring tool talks on standard output")]
fn main() {
    let largest = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let since = Instant::now();
    for interfaces in SIZES.into_iter().filter(|n| *n <= largest) {
        let groups = interfaces / 2;
        let (built, net) = timed(since, || account(Size { interfaces, groups }, 7));
        let times = (LARGEST / interfaces).min(20) as u32;
        let (exposed, rows) = timed(since, || (0..times).map(|_| Exposure::all(&net).len()).max().unwrap_or(0));
        let exposed = exposed / f64::from(times);
        let ask = |text: &str| Place::parse(&net, text).unwrap_or(Place::Internet);
        let ends = [ask("internet"), ask("eni-0"), ask("eni-300")];
        let rounds = 200;
        let (asked, ()) = timed(since, || {
            for _ in 0..rounds / 2 {
                net::reach(&net, &ends[0], &ends[1], &Ports::tcp(22, 22));
                net::reach(&net, &ends[1], &ends[2], &Ports::tcp(443, 443));
            }
        });
        let asked = asked * 1e3 / f64::from(rounds);
        let (paired, pairs) = timed(since, || Pairs::new(&net, Family::V4).count_tcp());
        let rules: usize = net.groups.iter().map(|g| g.inbound.len() + g.outbound.len()).sum();
        let peak = peak_mb();
        println!("{interfaces} {groups} {rules} {built:.1} {exposed:.1} {rows} {asked:.1} {paired:.1} {pairs} {peak}");
    }
}
