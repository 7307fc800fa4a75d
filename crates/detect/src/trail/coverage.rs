//! What the logs cover: events by account, region and hour, and the hours in between that hold none.

use std::collections::BTreeMap;

use crate::sighting::Sighting;

const HOUR: i64 = 3600;

/// The most (account, region, hour) cells.
const CELLS_MAX: usize = 2_000_000;

/// Events by account and region and hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    cells: BTreeMap<(String, String), BTreeMap<i64, u64>>,
    count: usize,
}

/// Hours without an event between hours with events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The first silent hour, in seconds since 1970.
    pub from: i64,
    /// The first hour with events again.
    pub to: i64,
}

impl Coverage {
    /// Takes an event in.
    pub fn add(&mut self, event: &Sighting) {
        if event.time <= 0 || self.count >= CELLS_MAX {
            return;
        }
        let hours = self.cells.entry((event.account.to_string(), event.region.to_string())).or_default();
        let before = hours.len();
        *hours.entry(event.time.div_euclid(HOUR) * HOUR).or_default() += 1;
        self.count += hours.len() - before;
    }

    /// Per account and region: the first hour, the last hour, hours with events, events.
    pub fn regions(&self) -> Vec<(&str, &str, i64, i64, usize, u64)> {
        self.cells
            .iter()
            .map(|((account, region), hours)| {
                let first = hours.keys().next().copied().unwrap_or(0);
                let last = hours.keys().next_back().copied().unwrap_or(0);
                (account.as_str(), region.as_str(), first, last, hours.len(), hours.values().sum())
            })
            .collect()
    }

    /// Silences of at least `hours` hours. A region that is used at all and falls silent may have lost its trail.
    pub fn gaps(&self, hours: i64) -> Vec<Gap> {
        let mut gaps = vec![];
        for ((account, region), seen) in &self.cells {
            let times: Vec<i64> = seen.keys().copied().collect();
            for (before, after) in times.iter().zip(times.iter().skip(1)) {
                let from = before + HOUR;
                if after - from >= hours * HOUR {
                    gaps.push(Gap { account: account.clone(), region: region.clone(), from, to: *after });
                }
            }
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silences_are_found_between_events() {
        let mut coverage = Coverage::default();
        for hour in [0, 1, 5, 6] {
            coverage.add(&Sighting {
                time: 1_700_000_000 + hour * HOUR,
                account: "1".into(),
                region: "r".into(),
                ..Sighting::default()
            });
        }
        let gaps = coverage.gaps(3);
        assert_eq!(gaps.len(), 1);
        assert_eq!((gaps[0].to - gaps[0].from) / HOUR, 3);
        assert_eq!(coverage.gaps(4), []);
        assert_eq!(coverage.regions()[0].4, 4);
    }
}
