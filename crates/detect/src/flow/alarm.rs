//! Custom metric alarms: a sum, rate, distinct count or top value of a field, by keys, with a filter, over windows.
//!
//! An alarm's cells are sums and sets, as everything in a [`super::Fold`]; when it fires is worked out at the end from the whole
//! series, so that a back-test and a run agree.

use std::collections::{BTreeMap, BTreeSet};

use logs::flow::{Action, Address, Record};
use model::Severity;
use serde::{Deserialize, Serialize};

use super::conversation::Origin;
use super::detector::parse_block;
use super::table::mix;

/// The most cells (keys times windows) of one alarm; those that come after are not counted.
pub const CELLS_MAX: usize = 200_000;

/// Distinct values are counted exactly up to this many; beyond it within about 3 % (the smallest hashes are kept).
pub const DISTINCT_EXACT_MAX: usize = 1024;

/// The most windows of a series.
const WINDOWS_MAX: i64 = 100_000;

/// What is worked out of a window's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// The sum of a number.
    Sum,
    /// The sum a second.
    Rate,
    /// How many different values.
    Distinct,
    /// The largest number of flows with one value.
    Top,
}

/// A custom alarm, as the settings say it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// What it is called.
    pub name: String,
    /// What is worked out.
    pub measure: Measure,
    /// Of which field: `flows`, `packets`, `bytes` for sums and rates; any other for distinct and top.
    pub field: String,
    /// Keys: each combination of values is a series of its own.
    #[serde(default)]
    pub by: Vec<String>,
    /// Field to values that a record must have; addresses may be blocks, `!` before the field's name denies.
    #[serde(default)]
    pub filter: BTreeMap<String, Vec<String>>,
    /// Seconds of a window.
    pub window_seconds: u64,
    /// From how much on a window breaches.
    pub threshold: Option<u64>,
    /// Or: from how many times the mean of the windows before.
    pub ratio: Option<f64>,
    /// How many windows before make the baseline.
    #[serde(default = "twelve")]
    pub baseline_windows: u64,
    /// So many of `of` windows must breach.
    #[serde(default = "one")]
    pub breaches: u64,
    /// See `breaches`.
    #[serde(default = "one")]
    pub of: u64,
    /// It stays until a window is below this; the threshold if not given.
    pub clear: Option<u64>,
    /// How bad.
    pub severity: Option<Severity>,
}

fn one() -> u64 {
    1
}

fn twelve() -> u64 {
    12
}

const NUMBERS: &[&str] = &["flows", "packets", "bytes"];
const WORDS: &[&str] =
    &["srcaddr", "dstaddr", "srcport", "dstport", "protocol", "action", "interface-id", "account-id", "vpc-id", "tcp-flags"];

impl Alarm {
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        let sums = matches!(self.measure, Measure::Sum | Measure::Rate);
        let fields = if sums { NUMBERS } else { WORDS };
        if !fields.contains(&self.field.as_str()) {
            return Err(format!("`field` is one of {}", fields.join(", ")));
        }
        let filtered = self.filter.keys().map(|name| name.trim_start_matches('!'));
        if let Some(name) = self.by.iter().map(String::as_str).chain(filtered).find(|name| !WORDS.contains(name)) {
            return Err(format!("`{name}` is not one of {}", WORDS.join(", ")));
        }
        match (self.threshold, self.ratio) {
            (None, None) => return Err("there is neither a `threshold` nor a `ratio`".to_owned()),
            (Some(_), Some(_)) => return Err("there are both a `threshold` and a `ratio`".to_owned()),
            (_, Some(ratio)) if ratio <= 1.0 => return Err("`ratio` is more than 1".to_owned()),
            _ => {}
        }
        if !(60..=86_400).contains(&self.window_seconds) {
            return Err("`window_seconds` is 60 to 86400".to_owned());
        }
        if self.breaches == 0 || self.breaches > self.of || self.of > 1000 {
            return Err("`breaches` is 1 to `of`, and `of` at most 1000".to_owned());
        }
        Ok(())
    }

    fn fits(&self, record: &Record<'_>) -> bool {
        self.filter.iter().all(|(name, wanted)| {
            let (name, denied) = name.strip_prefix('!').map_or((name.as_str(), false), |name| (name, true));
            wanted.iter().any(|value| is(record, name, value)) != denied
        })
    }
}

fn is(record: &Record<'_>, name: &str, value: &str) -> bool {
    let within = |address: Address| parse_block(value).is_some_and(|(block, bits)| address.within(block, bits));
    match name {
        "srcaddr" => within(record.source),
        "dstaddr" => within(record.destination),
        _ => word(record, name) == value,
    }
}

fn word(record: &Record<'_>, name: &str) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes.get(..128).unwrap_or(bytes)).into_owned();
    match name {
        "srcaddr" => record.source.to_string(),
        "dstaddr" => record.destination.to_string(),
        "srcport" => record.source_port.to_string(),
        "dstport" => record.destination_port.to_string(),
        "protocol" => record.protocol.to_string(),
        "action" => if record.action == Action::Reject { "REJECT" } else { "ACCEPT" }.to_owned(),
        "interface-id" => text(record.interface),
        "account-id" => text(record.account),
        "vpc-id" => text(record.vpc),
        _ => record.tcp_flags.map(|flags| flags.to_string()).unwrap_or_default(),
    }
}

/// What is kept of a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cell {
    sum: u64,
    /// The smallest hashes of the values, with how often each came.
    values: BTreeMap<u64, u64>,
    origin: Option<Origin>,
}

/// An alarm with its cells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Metric {
    pub(crate) alarm: Alarm,
    cells: BTreeMap<(String, i64), Cell>,
}

/// Days that a state keeps the cells of an alarm.
const KEPT_DAYS: i64 = 7;

/// A cell as a state keeps it: key, window, sum, values, and the first record's place.
type KeptCell = (String, i64, u64, Vec<(u64, u64)>, Option<(u32, u64)>);

/// An alarm with its cells as a state keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    alarm: Alarm,
    cells: Vec<KeptCell>,
}

impl Metric {
    /// What a state keeps: the cells of the last week.
    pub(crate) fn keep(&self, newest: i64) -> Kept {
        let oldest = (newest - KEPT_DAYS * 86_400).div_euclid(self.alarm.window_seconds.max(1) as i64);
        let cell = |((key, window), cell): (&(String, i64), &Cell)| {
            let values = cell.values.iter().map(|(hash, count)| (*hash, *count)).collect();
            (key.clone(), *window, cell.sum, values, cell.origin.map(|origin| (origin.input, origin.byte)))
        };
        let cells = self.cells.iter().filter(|((_, window), _)| *window >= oldest).map(cell).collect();
        Kept { alarm: self.alarm.clone(), cells }
    }

    /// What a state kept, read again.
    pub(crate) fn of(kept: Kept) -> Metric {
        let mut metric = Metric::new(kept.alarm);
        for (key, window, sum, values, origin) in kept.cells {
            let origin = origin.map(|(input, byte)| Origin { input, byte });
            metric.add((key, window), &Cell { sum, values: values.into_iter().collect(), origin });
        }
        metric
    }

    pub(crate) fn new(alarm: Alarm) -> Metric {
        Metric { alarm, cells: BTreeMap::new() }
    }

    pub(crate) fn see(&mut self, record: &Record<'_>, origin: Origin) {
        if !self.alarm.fits(record) {
            return;
        }
        let key = self.alarm.by.iter().map(|name| word(record, name)).collect::<Vec<_>>().join(" ");
        let mut cell = Cell { origin: Some(origin), ..Cell::default() };
        match self.alarm.field.as_str() {
            "flows" => cell.sum = 1,
            "packets" => cell.sum = record.packets,
            "bytes" => cell.sum = record.bytes,
            name => {
                let hash = word(record, name).bytes().fold(0x616c_6172, |state, byte| mix(state, u64::from(byte)));
                cell.values.insert(hash, 1);
            }
        }
        self.add((key, record.start.div_euclid(self.alarm.window_seconds as i64)), &cell);
    }

    fn add(&mut self, key: (String, i64), cell: &Cell) {
        if self.cells.len() >= CELLS_MAX && !self.cells.contains_key(&key) {
            return;
        }
        let held = self.cells.entry(key).or_default();
        held.sum = held.sum.saturating_add(cell.sum);
        for (hash, count) in &cell.values {
            *held.values.entry(*hash).or_default() += count;
            if held.values.len() > DISTINCT_EXACT_MAX {
                held.values.pop_last();
            }
        }
        held.origin = held.origin.min(cell.origin).or(cell.origin);
    }

    pub(crate) fn merge(&mut self, other: &Metric, shift: u32) {
        for (key, cell) in &other.cells {
            let mut cell = cell.clone();
            cell.origin = cell.origin.map(|origin| Origin { input: origin.input.saturating_add(shift), ..origin });
            self.add(key.clone(), &cell);
        }
    }

    fn value(&self, cell: &Cell) -> u64 {
        match self.alarm.measure {
            Measure::Sum => cell.sum,
            Measure::Rate => cell.sum / self.alarm.window_seconds.max(1),
            Measure::Top => cell.values.values().copied().max().unwrap_or(0),
            Measure::Distinct => match cell.values.last_key_value() {
                Some((largest, _)) if cell.values.len() >= DISTINCT_EXACT_MAX => {
                    ((DISTINCT_EXACT_MAX - 1) as f64 / (*largest as f64 / u64::MAX as f64)) as u64
                }
                _ => cell.values.len() as u64,
            },
        }
    }

    /// When it fired, series by series in the order of their keys.
    pub(crate) fn firings(&self) -> Vec<Firing> {
        let mut firings = vec![];
        let keys: BTreeSet<&String> = self.cells.keys().map(|(key, _)| key).collect();
        let all = self.cells.keys().map(|(_, window)| *window);
        let (Some(first), Some(last)) = (all.clone().min(), all.max()) else { return firings };
        for key in keys {
            let from = (key.clone(), first.max(last - WINDOWS_MAX));
            let series: BTreeMap<i64, &Cell> =
                self.cells.range(from..=(key.clone(), last)).map(|((_, window), cell)| (*window, cell)).collect();
            self.series(key, &series, (first.max(last - WINDOWS_MAX), last), &mut firings);
        }
        firings
    }

    fn series(&self, key: &str, series: &BTreeMap<i64, &Cell>, (first, last): (i64, i64), firings: &mut Vec<Firing>) {
        let alarm = &self.alarm;
        let mut values: Vec<u64> = vec![];
        let mut breaching: Vec<bool> = vec![];
        let mut open: Option<Firing> = None;
        for window in first..=last {
            let cell = series.get(&window);
            let value = cell.map_or(0, |cell| self.value(cell));
            let before = values.iter().rev().take(alarm.baseline_windows as usize);
            let baseline = before.clone().sum::<u64>() as f64 / before.len().max(1) as f64;
            let known = values.len() as u64 >= alarm.baseline_windows.min(3);
            let threshold = match (alarm.threshold, alarm.ratio) {
                (Some(threshold), _) => threshold,
                (None, Some(ratio)) if known => ((baseline * ratio).ceil() as u64).max(1),
                _ => u64::MAX,
            };
            breaching.push(value >= threshold);
            let breaches = breaching.iter().rev().take(alarm.of as usize).filter(|breach| **breach).count() as u64;
            let start = window * alarm.window_seconds as i64;
            match &mut open {
                None if breaches >= alarm.breaches && value >= threshold => {
                    let origin = cell.and_then(|cell| cell.origin);
                    open = Some(Firing { key: key.to_owned(), from: start, until: None, value, threshold, origin });
                }
                Some(firing) if value < alarm.clear.unwrap_or(firing.threshold) => {
                    firing.until = Some(start);
                    firings.extend(open.take());
                }
                Some(firing) => firing.value = firing.value.max(value),
                None => {}
            }
            // While it fires, the baseline is that of before.
            values.push(if open.is_some() && alarm.ratio.is_some() { baseline as u64 } else { value });
        }
        firings.extend(open);
    }
}

/// Once that an alarm fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The values of the alarm's keys.
    pub key: String,
    /// The start of the window in which it fired, Unix seconds.
    pub from: i64,
    /// The start of the window in which it cleared.
    pub until: Option<i64>,
    /// The largest value.
    pub value: u64,
    /// The threshold when it fired.
    pub threshold: u64,
    /// The first record of the window in which it fired.
    pub origin: Option<Origin>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(text: &str) -> Alarm {
        let alarm: Alarm = toml::from_str(text).unwrap();
        alarm.check().unwrap();
        alarm
    }

    fn run(alarm: Alarm, flows_by_minute: &[u64]) -> Vec<(i64, Option<i64>, u64)> {
        let mut metric = Metric::new(alarm);
        for (minute, flows) in flows_by_minute.iter().enumerate() {
            for n in 0..*flows {
                let record =
                    Record { start: 1_767_225_600 + minute as i64 * 60, destination_port: n as u16, ..Record::default() };
                metric.see(&record, Origin { input: 0, byte: n });
            }
        }
        let minute = |at: i64| (at - 1_767_225_600) / 60;
        metric.firings().iter().map(|f| (minute(f.from), f.until.map(minute), f.value)).collect()
    }

    #[test]
    fn thresholds_m_of_n_and_hysteresis() {
        let base = "name='a'\nmeasure='sum'\nfield='flows'\nwindow_seconds=60\n";
        let of = |more: &str| alarm(&format!("{base}{more}"));
        assert_eq!(run(of("threshold=5"), &[1, 5, 9, 4, 5]), [(1, Some(3), 9), (4, None, 5)]);
        assert_eq!(run(of("threshold=5"), &[1, 4, 4]), []);
        assert_eq!(run(of("threshold=5\nbreaches=2\nof=3"), &[5, 1, 5, 1]), [(2, Some(3), 5)]);
        assert_eq!(run(of("threshold=5\nclear=3"), &[5, 4, 3, 2]), [(0, Some(3), 5)]);
        assert_eq!(run(of("ratio=3.0\nbaseline_windows=3"), &[2, 2, 2, 6, 6, 2, 2]), [(3, Some(5), 6)]);
        assert_eq!(run(of("ratio=3.0\nbaseline_windows=3"), &[2, 2, 2, 5]), []);
    }

    #[test]
    fn distinct_is_exact_for_few_and_close_for_many() {
        let of = |threshold: u64| {
            alarm(&format!("name='a'\nmeasure='distinct'\nfield='dstport'\nwindow_seconds=60\nthreshold={threshold}"))
        };
        assert_eq!(run(of(1000), &[1000]), [(0, None, 1000)]);
        let many = run(of(1), &[20_000])[0].2;
        assert!((19_000..21_000).contains(&many), "{many}");
    }

    #[test]
    fn filters_and_keys_part_the_records() {
        let text = "name='a'\nmeasure='top'\nfield='dstport'\nwindow_seconds=60\nthreshold=2\nby=['srcaddr']\n[filter]\ndstaddr=['10.0.0.0/8']\n'!action'=['REJECT']\n";
        let mut metric = Metric::new(alarm(text));
        let ten = Address::v4(0x0a00_0001);
        for (source, destination, action) in
            [(1, ten, Action::Accept), (1, ten, Action::Accept), (2, ten, Action::Reject), (3, Address::v4(9), Action::Accept)]
        {
            let record = Record { source: Address::v4(source), destination, action, start: 1_767_225_600, ..Record::default() };
            metric.see(&record, Origin { input: 0, byte: 0 });
        }
        let firings = metric.firings();
        assert_eq!(firings.iter().map(|f| (f.key.as_str(), f.value)).collect::<Vec<_>>(), [("0.0.0.1", 2)]);
        assert!(toml::from_str::<Alarm>(text).unwrap().check().is_ok());
        assert!(toml::from_str::<Alarm>(&text.replace("threshold=2", "ratio=0.5")).unwrap().check().is_err());
    }
}
