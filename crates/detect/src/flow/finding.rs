//! What a detector found.

use std::collections::{BTreeMap, BTreeSet};

use logs::flow::Address;
use model::{Confidence, Severity};

use super::conversation::{BUCKET, Origin};
use super::detector::Rule;
use super::view::{Talk, View};

/// The most lines, addresses, ports or interfaces that a finding lists; counts go on.
pub const LISTED_MAX: usize = 50;

/// One thing that a detector found: who did what to whom, the lines that show it, the threshold and what was observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The detector's place in the list it was judged with.
    pub detector: usize,
    /// How bad, here.
    pub severity: Severity,
    /// How sure, here.
    pub confidence: Confidence,
    /// Who did it; `None` if there is not one address.
    pub actor: Option<Address>,
    /// Whose address the actor is: `yours`, `private`, `outside`.
    pub actor_side: &'static str,
    /// Whom it was done to, at most [`LISTED_MAX`], in order.
    pub targets: BTreeSet<Address>,
    /// How many there were.
    pub target_count: u64,
    /// Protocol and port, at most [`LISTED_MAX`], in order.
    pub ports: BTreeSet<(u8, u16)>,
    /// How many there were.
    pub port_count: u64,
    /// The interfaces whose logs show it.
    pub interfaces: BTreeSet<String>,
    /// The first record, Unix seconds.
    pub first: i64,
    /// The last record.
    pub last: i64,
    /// Records.
    pub flows: u64,
    /// Packets, both ways.
    pub packets: u64,
    /// Bytes, both ways.
    pub bytes: u64,
    /// What was counted.
    pub measure: String,
    /// How much of it there was.
    pub observed: u64,
    /// From how much on it is told.
    pub threshold: u64,
    /// Lines that show it, the earliest first, at most [`LISTED_MAX`].
    pub lines: Vec<Origin>,
    /// What was counted over time, by the start of each stretch of time, Unix seconds.
    pub chart: BTreeMap<i64, u64>,
    /// What the chart shows.
    pub chart_of: ChartOf,
    /// The register's entry that allows it.
    pub authorised: Option<String>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

/// What a finding's chart shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartOf {
    /// The unit, such as `records in 15 min`.
    pub unit: String,
    /// Whether the finding's threshold is in that unit.
    pub against_threshold: bool,
}

/// What was counted, how much there was, and from how much on it counts.
pub(crate) struct Measured {
    pub(crate) measure: String,
    pub(crate) observed: u64,
    pub(crate) threshold: u64,
}

pub(crate) fn measured(measure: impl Into<String>, observed: u64, threshold: u64) -> Measured {
    Measured { measure: measure.into(), observed, threshold }
}

fn side_name(view: &View<'_>, code: u64) -> &'static str {
    match view.side(code) {
        super::view::Side::Mine => "yours",
        super::view::Side::Near => "private",
        super::view::Side::Far => "outside",
    }
}

impl Finding {
    /// A finding about these conversations, which their client began.
    pub(crate) fn of(view: &View<'_>, rule: &Rule<'_>, talks: &[&Talk], measured: Measured) -> Finding {
        let mut finding = Finding::blank(rule, measured);
        let mut clients = BTreeSet::new();
        let (mut targets, mut ports) = (BTreeSet::new(), BTreeSet::new());
        for Talk { key, tally, also } in talks {
            clients.insert(key.client);
            targets.insert(view.address(key.server));
            ports.insert((key.protocol, key.port));
            for interface in std::iter::once(key.interface).chain(*also) {
                let name = view.interface(interface);
                if finding.interfaces.len() < LISTED_MAX && !name.is_empty() {
                    finding.interfaces.insert(name.to_owned());
                }
            }
            finding.first = finding.first.min(i64::from(tally.first));
            finding.last = finding.last.max(i64::from(tally.last));
            let flows = u64::from(tally.forth.flows) + u64::from(tally.back.flows);
            finding.flows += flows;
            finding.packets += u64::from(tally.forth.packets) + u64::from(tally.back.packets);
            finding.bytes = finding.bytes.saturating_add(tally.forth.bytes).saturating_add(tally.back.bytes);
            *finding.chart.entry(i64::from(key.bucket) * BUCKET).or_default() += flows;
        }
        if let (Some(client), 1) = (clients.first(), clients.len()) {
            finding.actor = Some(view.address(*client));
            finding.actor_side = side_name(view, *client);
        }
        finding.target_count = targets.len() as u64;
        finding.port_count = ports.len() as u64;
        finding.targets = targets.into_iter().take(LISTED_MAX).collect();
        finding.ports = ports.into_iter().take(LISTED_MAX).collect();
        let mut origins: Vec<(u32, Origin)> = talks.iter().map(|talk| (talk.tally.first, talk.tally.origin())).collect();
        origins.sort_unstable();
        finding.lines = origins.into_iter().take(LISTED_MAX).map(|(_, origin)| origin).collect();
        finding
    }

    /// A finding about nothing yet.
    pub(crate) fn blank(rule: &Rule<'_>, measured: Measured) -> Finding {
        Finding {
            detector: rule.number,
            severity: rule.detector.severity,
            confidence: rule.detector.confidence,
            actor: None,
            actor_side: "",
            targets: BTreeSet::new(),
            target_count: 0,
            ports: BTreeSet::new(),
            port_count: 0,
            interfaces: BTreeSet::new(),
            first: i64::MAX,
            last: 0,
            flows: 0,
            packets: 0,
            bytes: 0,
            measure: measured.measure,
            observed: measured.observed,
            threshold: measured.threshold,
            lines: vec![],
            chart: BTreeMap::new(),
            chart_of: ChartOf { unit: "records in 15 min".to_owned(), against_threshold: false },
            authorised: None,
            notes: vec![],
        }
    }

    /// With a chart of something else than records, in the unit of the threshold.
    pub(crate) fn charted(mut self, unit: impl Into<String>, chart: BTreeMap<i64, u64>) -> Finding {
        self.chart = chart;
        self.chart_of = ChartOf { unit: unit.into(), against_threshold: true };
        self
    }

    /// The actor as text.
    pub fn actor_text(&self) -> String {
        self.actor.map_or_else(|| "several".to_owned(), |actor| actor.to_string())
    }
}

/// How many different items there are in each quarter of an hour.
pub(crate) fn by_quarter<'t>(talks: &[&'t Talk], item: impl Fn(&'t Talk) -> Option<u64>) -> BTreeMap<i64, u64> {
    let mut found: BTreeMap<i64, BTreeSet<u64>> = BTreeMap::new();
    for talk in talks {
        if let Some(item) = item(talk) {
            found.entry(i64::from(talk.key.bucket) * BUCKET).or_default().insert(item);
        }
    }
    found.into_iter().map(|(at, items)| (at, items.len() as u64)).collect()
}

/// How much of something there is in each stretch of so many seconds.
pub(crate) fn summed<'t>(talks: &[&'t Talk], seconds: i64, of: impl Fn(&'t Talk) -> u64) -> BTreeMap<i64, u64> {
    let mut found: BTreeMap<i64, u64> = BTreeMap::new();
    for talk in talks {
        let at = (i64::from(talk.key.bucket) * BUCKET).div_euclid(seconds) * seconds;
        *found.entry(at).or_default() += of(talk);
    }
    found
}

/// How many different items there were by the end of each quarter of an hour.
pub(crate) fn so_far<'t>(talks: &[&'t Talk], item: impl Fn(&'t Talk) -> Option<u64>) -> BTreeMap<i64, u64> {
    let mut order: Vec<&&Talk> = talks.iter().collect();
    order.sort_unstable_by_key(|talk| talk.key.bucket);
    let (mut items, mut found) = (BTreeSet::new(), BTreeMap::new());
    for talk in order {
        items.extend(item(talk));
        found.insert(i64::from(talk.key.bucket) * BUCKET, items.len() as u64);
    }
    found
}

/// Each value with all before it.
pub(crate) fn added_up(chart: BTreeMap<i64, u64>) -> BTreeMap<i64, u64> {
    let mut sum = 0u64;
    let add = |(at, value): (i64, u64)| {
        sum = sum.saturating_add(value);
        (at, sum)
    };
    chart.into_iter().map(add).collect()
}
