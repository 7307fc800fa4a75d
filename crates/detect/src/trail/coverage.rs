//! What the logs cover: events by account, region and hour, the hours in between that hold none, and how long after an event its
//! file was delivered.

use std::collections::BTreeMap;

use logs::time;

use crate::sighting::Sighting;

const HOUR: i64 = 3600;

/// Delays are told apart up to so many minutes.
const DELAY_MINUTES_MAX: i64 = 7 * 24 * 60;

/// The most (account, region, hour) cells.
const CELLS_MAX: usize = 2_000_000;

/// Events by account and region and hour.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    cells: BTreeMap<(String, String), Cell>,
    count: usize,
}

/// Events of a region, by the hour they happened in and by the minutes until their file was delivered.
#[derive(Clone, Debug, Default, PartialEq)]
struct Cell {
    hours: BTreeMap<i64, u64>,
    delays: BTreeMap<i64, u64>,
}

/// What the logs hold of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Covered<'a> {
    /// The account.
    pub account: &'a str,
    /// The region.
    pub region: &'a str,
    /// The first hour with events, in seconds since 1970.
    pub first: i64,
    /// The last one.
    pub last: i64,
    /// How many hours hold events.
    pub hours: usize,
    /// How many events there are.
    pub events: u64,
    /// How late they were delivered, if the files' names tell.
    pub delay: Option<Delay>,
}

/// Minutes from an event to the delivery of its file. AWS aims at five on average and promises nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delay {
    /// The median.
    pub median: i64,
    /// The 95th percentile.
    pub most: i64,
    /// The longest; what took more than a week counts as a week.
    pub longest: i64,
}

/// When a file was delivered, in seconds since 1970, by the name CloudTrail gives it:
/// `111122223333_CloudTrail_eu-west-1_20260302T1205Z_x.json.gz`.
pub fn delivered(name: &str) -> Option<i64> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let (_, rest) = file.split_once("_CloudTrail_")?;
    let stamp = rest.split('_').nth(1)?;
    let part = |from: usize, to: usize| stamp.get(from..to).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let (year, month, day, hour, minute) = (part(0, 4)?, part(4, 6)?, part(6, 8)?, part(9, 11)?, part(11, 13)?);
    let plain = stamp.len() == 14 && stamp.get(8..9) == Some("T") && stamp.ends_with('Z');
    time::seconds(format!("{year}-{month}-{day}T{hour}:{minute}:00Z").as_bytes()).filter(|_| plain)
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
    /// Takes an event in, and when its file was delivered (seconds since 1970), if that is known.
    pub fn add(&mut self, event: &Sighting, delivered: Option<i64>) {
        if event.time <= 0 || self.count >= CELLS_MAX {
            return;
        }
        let cell = self.cells.entry((event.account.to_string(), event.region.to_string())).or_default();
        let before = cell.hours.len();
        *cell.hours.entry(event.time.div_euclid(HOUR) * HOUR).or_default() += 1;
        self.count += cell.hours.len() - before;
        if let Some(delivered) = delivered {
            let minutes = (delivered - event.time).div_euclid(60).clamp(0, DELAY_MINUTES_MAX);
            *cell.delays.entry(minutes).or_default() += 1;
        }
    }

    /// What the logs hold, per account and region.
    pub fn regions<'a>(&'a self) -> Vec<Covered<'a>> {
        let covered = |((account, region), cell): (&'a (String, String), &Cell)| Covered {
            account,
            region,
            first: cell.hours.keys().next().copied().unwrap_or(0),
            last: cell.hours.keys().next_back().copied().unwrap_or(0),
            hours: cell.hours.len(),
            events: cell.hours.values().sum(),
            delay: cell.delay(),
        };
        self.cells.iter().map(covered).collect()
    }

    /// Silences of at least `hours` hours. A region that is used at all and falls silent may have lost its trail.
    pub fn gaps(&self, hours: i64) -> Vec<Gap> {
        let mut gaps = vec![];
        for ((account, region), cell) in &self.cells {
            let times: Vec<i64> = cell.hours.keys().copied().collect();
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

impl Cell {
    fn delay(&self) -> Option<Delay> {
        let count: u64 = self.delays.values().sum();
        let at = |share: u64| {
            let mut rank = (count * share).div_ceil(100).max(1);
            let reached = |(minutes, events): (&i64, &u64)| {
                let here = rank <= *events;
                rank = rank.saturating_sub(*events);
                here.then_some(*minutes)
            };
            self.delays.iter().find_map(reached)
        };
        Some(Delay { median: at(50)?, most: at(95)?, longest: at(100)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silences_are_found_between_events() {
        let mut coverage = Coverage::default();
        for hour in [0, 1, 5, 6] {
            coverage.add(
                &Sighting { time: 1_700_000_000 + hour * HOUR, account: "1".into(), region: "r".into(), ..Sighting::default() },
                None,
            );
        }
        let gaps = coverage.gaps(3);
        assert_eq!(gaps.len(), 1);
        assert_eq!((gaps[0].to - gaps[0].from) / HOUR, 3);
        assert_eq!(coverage.gaps(4), []);
        assert_eq!((coverage.regions()[0].hours, coverage.regions()[0].delay), (4, None));
    }

    #[test]
    fn delays_are_told_by_the_files_names() {
        let time = delivered("a/AWSLogs/1_CloudTrail_eu-west-1_20260302T1205Z_x.json.gz");
        assert_eq!(time.map(time::text).as_deref(), Some("2026-03-02T12:05:00Z"));
        for other in
            ["log.json", "1_CloudTrail_eu-west-1_20260302_x.json.gz", "1_CloudTrail_eu-west-1_2026030é1205Z_x", "1_CloudTrail_x"]
        {
            assert_eq!(delivered(other), None, "{other}");
        }
        let mut coverage = Coverage::default();
        for minutes in 1..=100 {
            let event = Sighting { time: time.unwrap_or(0) - minutes * 60, ..Sighting::default() };
            coverage.add(&event, time);
        }
        coverage.add(&Sighting { time: time.unwrap_or(0) + 90, ..Sighting::default() }, time);
        let delay = coverage.regions()[0].delay;
        assert_eq!(delay, Some(Delay { median: 50, most: 95, longest: 100 }));
    }
}
