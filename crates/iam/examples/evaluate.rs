//! `evaluate CASES`: the cases of a file, one a line, evaluated again and again for a CPU second; then what each came to. For
//! `cargo xtask bench iam`.
#![expect(clippy::print_stdout, reason = "a benchmark tells its figures")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use iam::case::{self, Case, Validate};
use iam::{Decision, evaluate};

fn main() -> Result<(), String> {
    let path = std::env::args().nth(1).ok_or("usage: evaluate CASES")?;
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{path}: {e}"))?;
    let read = |line: &str| {
        let json = serde_json::from_str(line).map_err(|e| format!("{path}: {e}"))?;
        case::read(&json, Validate::No)
    };
    let cases = text.lines().map(read).collect::<Result<Vec<Case>, String>>()?;
    let (started, before, mut rounds) = (Instant::now(), cpu(), 0);
    while started.elapsed() < Duration::from_secs(1) {
        for case in &cases {
            black_box(evaluate(&case.request, &case.policies));
        }
        rounds += 1;
    }
    let seconds = (cpu() - before).as_secs_f64().max(f64::MIN_POSITIVE);
    println!("{:.0}", (rounds * cases.len()) as f64 / seconds);
    let letters: String = cases
        .iter()
        .map(|case| match evaluate(&case.request, &case.policies).decision() {
            Decision::Allowed => 'A',
            Decision::ExplicitlyDenied => 'D',
            Decision::ImplicitlyDenied => 'I',
            Decision::Unknown => '?',
        })
        .collect();
    println!("{letters}");
    Ok(())
}

/// The CPU time of this thread.
fn cpu() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(told.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or_default())
}
