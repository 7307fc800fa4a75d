//! Reachability on synthetic accounts: how exposure, one question and all pairs grow with the number of interfaces, and how much
//! dearer all pairs would be one question at a time.

use super::{Bench, Row, times};

/// The largest account, in interfaces.
const LARGEST: &str = "100000";

/// One line of the example's output.
struct Size {
    interfaces: f64,
    groups: f64,
    rules: f64,
    built_ms: f64,
    exposed_ms: f64,
    asked_us: f64,
    paired_ms: f64,
    memory_mb: f64,
}

pub(super) fn rows(bench: &Bench) -> Result<Vec<Row>, String> {
    let told = bench.example("palisade-net", "sizes", &[LARGEST])?;
    let sizes = told.lines().map(size).collect::<Result<Vec<_>, _>>()?;
    let mut rows = Vec::new();
    let mut before: Option<&Size> = None;
    for size in &sizes {
        let what = |doing: &str| format!("{} interfaces, {} groups, {} rules: {doing}", size.interfaces, size.groups, size.rules);
        let mut grown = |doing: &str, figure: fn(&Size) -> f64, unit: &str| {
            let beside = before.map(|b| format!("{:.1} {unit} for {}", figure(b), b.interfaces)).unwrap_or_default();
            let ratio = before.map(|b| format!("{} for ten times as many", times(figure(b), figure(size)))).unwrap_or_default();
            rows.push(Row { what: what(doing), ours: format!("{:.1} {unit}", figure(size)), beside, ratio });
        };
        grown("build", |s| s.built_ms, "ms");
        grown("all that the internet reaches", |s| s.exposed_ms, "ms");
        grown("one question", |s| s.asked_us, "µs");
        grown("all ordered pairs on every TCP port", |s| s.paired_ms, "ms");
        let singly_s = size.asked_us * size.interfaces * size.interfaces / 1e6;
        rows.push(Row {
            what: what("the same, with peak memory"),
            ours: format!("{:.2} s, {:.0} MB", size.paired_ms / 1e3, size.memory_mb),
            beside: format!("{singly_s:.0} s one question at a time, on one port"),
            ratio: format!("{} as fast", times(size.paired_ms / 1e3, singly_s)),
        });
        before = Some(size);
    }
    Ok(rows)
}

fn size(line: &str) -> Result<Size, String> {
    let figures: Vec<f64> = line.split_whitespace().filter_map(|f| f.parse().ok()).collect();
    match figures.as_slice() {
        [interfaces, groups, rules, built_ms, exposed_ms, _, asked_us, paired_ms, _, memory_mb] => Ok(Size {
            interfaces: *interfaces,
            groups: *groups,
            rules: *rules,
            built_ms: *built_ms,
            exposed_ms: *exposed_ms,
            asked_us: *asked_us,
            paired_ms: *paired_ms,
            memory_mb: *memory_mb,
        }),
        _ => Err(format!("the example printed `{line}`")),
    }
}
