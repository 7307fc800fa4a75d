//! The most that a sliding window holds.

use rustc_hash::FxHashMap;

/// How an attempt at an item (a port, a host) ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    Failed,
    Paid,
    Neither,
}

/// An attempt: when, at which item, and how attempts at that item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Attempt {
    pub(crate) at: u32,
    pub(crate) item: u64,
    pub(crate) outcome: Outcome,
}

/// The most different items that one window of the length held, by how they ended; and the largest surplus of failed over paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Peak {
    pub(crate) failed: u64,
    pub(crate) all: u64,
    pub(crate) surplus: u64,
}

/// Attempts in the order of their times, all within `seconds` of one another at any moment.
pub(crate) fn peak(attempts: &mut [Attempt], seconds: u64) -> Peak {
    attempts.sort_unstable();
    let mut held: FxHashMap<u64, u32> = FxHashMap::default();
    let (mut failed, mut paid, mut oldest) = (0u64, 0u64, 0usize);
    let mut peak = Peak::default();
    for attempt in attempts.iter() {
        while let Some(old) = attempts.get(oldest).filter(|old| u64::from(attempt.at - old.at) > seconds) {
            if let Some(count) = held.get_mut(&old.item) {
                *count -= 1;
                if *count == 0 {
                    held.remove(&old.item);
                    failed -= u64::from(old.outcome == Outcome::Failed);
                    paid -= u64::from(old.outcome == Outcome::Paid);
                }
            }
            oldest += 1;
        }
        let count = held.entry(attempt.item).or_default();
        *count += 1;
        if *count == 1 {
            failed += u64::from(attempt.outcome == Outcome::Failed);
            paid += u64::from(attempt.outcome == Outcome::Paid);
        }
        peak.failed = peak.failed.max(failed);
        peak.all = peak.all.max(held.len() as u64);
        peak.surplus = peak.surplus.max(failed.saturating_sub(paid));
    }
    peak
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_counts_items_once_and_forgets() {
        let attempt = |at, item, outcome| Attempt { at, item, outcome };
        let mut attempts: Vec<Attempt> = (0..10).map(|n| attempt(n * 100, u64::from(n), Outcome::Failed)).collect();
        attempts.push(attempt(50, 0, Outcome::Failed));
        attempts.push(attempt(60, 99, Outcome::Paid));
        assert_eq!(peak(&mut attempts, 900), Peak { failed: 10, all: 11, surplus: 9 });
        assert_eq!(peak(&mut attempts, 899), Peak { failed: 10, all: 11, surplus: 9 });
        assert_eq!(peak(&mut attempts, 200), Peak { failed: 3, all: 4, surplus: 3 });
        assert_eq!(peak(&mut [], 900), Peak::default());
    }
}
