//! From a fold to findings: each detector that has what it needs, in order.

use logs::flow::{Address, Field};

use super::detector::{Detector, Rule, Tuning};
use super::detectors::{brute, calls, exposure, flood, many, metric, scan, slow, spoof, usual};
use super::finding::Finding;
use super::fold::Fold;
use super::inventory::Inventory;
use super::past::Past;
use super::threats::Threats;
use super::view::View;

/// A native rule.
pub(crate) type Native = fn(&View<'_>, &Rule<'_>, &Setup<'_>) -> Vec<Finding>;

const NATIVES: &[(&str, Native)] = &[
    ("vertical-scan", scan::vertical),
    ("horizontal-scan", scan::horizontal),
    ("outbound-scan", scan::outbound),
    ("brute-force", brute::force),
    ("success-after-brute-force", brute::success),
    ("volumetric-flood", flood::volume),
    ("half-open-flood", flood::half_open),
    ("distributed-scan", many::distributed),
    ("slow-scan", slow::slow),
    ("reflection", spoof::reflected),
    ("spoofing-out", spoof::leaving),
    ("spoofing-in", spoof::arriving),
    ("exfiltration", usual::exfiltration),
    ("beacon", calls::beacon),
    ("refused-calls", calls::refused),
    ("threat-list", calls::listed),
    ("reject-rate", usual::rejects),
    ("own-rejects", usual::own_rejects),
    ("clear-text", exposure::clear_text),
    ("mirrored-traffic", exposure::mirrored),
    ("unusual-protocol", exposure::unusual_protocol),
    ("administration", exposure::administration),
    ("new-service", usual::new_service),
    ("against-settings", exposure::against_settings),
    ("metric-alarm", metric::fired),
];

pub(crate) fn native(name: &str) -> Option<Native> {
    NATIVES.iter().find(|(known, _)| *known == name).map(|(_, native)| *native)
}

/// What the network's settings say of a flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It can be.
    Open,
    /// It cannot be, because of this.
    Blocked(String),
    /// It can't be told.
    Unknown,
}

/// Puts a flow to the network's settings: source, destination, protocol, destination port.
pub type AskNetwork<'a> = &'a dyn Fn(Address, Address, u8, u16) -> Reach;

/// A scan that somebody approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// What it is called.
    pub name: String,
    /// From where.
    pub sources: Vec<(Address, u8)>,
    /// Of what.
    pub targets: Vec<(Address, u8)>,
    /// From when on, Unix seconds.
    pub from: i64,
    /// Until when.
    pub until: i64,
    /// Who approved it.
    pub approver: String,
}

/// What the detectors are judged with.
pub struct Setup<'a> {
    /// The detectors.
    pub detectors: &'a [Detector],
    /// Other parameters than the files'.
    pub tunings: &'a [Tuning],
    /// Whose addresses are whose.
    pub inventory: &'a Inventory,
    /// Approved scans.
    pub approvals: &'a [Approval],
    /// Threat lists.
    pub threats: &'a Threats,
    /// What is remembered of earlier runs.
    pub past: &'a Past,
    /// Whether there are custom alarms.
    pub alarms: bool,
    /// The network's settings, where they are known.
    pub reach: Option<AskNetwork<'a>>,
}

/// Whether a detector can judge, and what it lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// The detector's place in the list.
    pub detector: usize,
    /// Fields it needs that no input has.
    pub fields: Vec<Field>,
    /// Inputs it needs that were not given.
    pub inputs: Vec<String>,
    /// Fields and inputs that would make it better, and how.
    pub better: Vec<(String, String)>,
}

impl Capability {
    /// Whether it can judge.
    pub fn serves(&self) -> bool {
        self.fields.is_empty() && self.inputs.is_empty()
    }
}

impl Setup<'_> {
    fn has_input(&self, name: &str) -> bool {
        match name {
            "inventory" => !self.inventory.is_empty(),
            "network" => self.reach.is_some(),
            "state" => !self.past.is_empty(),
            "alarms" => self.alarms,
            "threat-list" => !self.threats.is_empty(),
            _ => false,
        }
    }

    /// What each detector can do with a log that has these fields.
    pub fn capabilities(&self, has: impl Fn(Field) -> bool) -> Vec<Capability> {
        let of = |(number, detector): (usize, &Detector)| Capability {
            detector: number,
            fields: detector.needs.iter().copied().filter(|field| !has(*field)).collect(),
            inputs: detector.needs_input.iter().filter(|input| !self.has_input(input)).cloned().collect(),
            better: detector
                .improves
                .iter()
                .filter(|(name, _)| !Field::from_name(name).map_or_else(|| self.has_input(name), &has))
                .map(|(name, how)| (name.clone(), how.clone()))
                .collect(),
        };
        self.detectors.iter().enumerate().map(of).collect()
    }
}

/// All findings, worst first.
pub fn judge(fold: &Fold, setup: &Setup<'_>) -> Vec<Finding> {
    let view = View::new(fold, setup.inventory);
    let mut findings = vec![];
    for capability in setup.capabilities(|field| fold.fields.contains(&field)).iter().filter(|c| c.serves()) {
        if let Some(detector) = setup.detectors.get(capability.detector) {
            let rule = Rule::new(capability.detector, detector, setup.tunings);
            findings.extend((detector.native)(&view, &rule, setup));
        }
    }
    for finding in &mut findings {
        authorise(finding, &view, setup);
    }
    findings.sort_by(|a, b| {
        let order = |f: &Finding| (std::cmp::Reverse(f.severity), f.first, f.detector, f.actor);
        order(a).cmp(&order(b)).then_with(|| (&a.targets, &a.measure).cmp(&(&b.targets, &b.measure)))
    });
    findings
}

/// Labels a scan that the register allows; one of one's own outside of it says where it differs.
fn authorise(finding: &mut Finding, view: &View<'_>, setup: &Setup<'_>) {
    let Some(actor) = finding.actor else { return };
    let within = |blocks: &[(Address, u8)], address: Address| blocks.iter().any(|(block, bits)| address.within(*block, *bits));
    for approval in setup.approvals.iter().filter(|approval| within(&approval.sources, actor)) {
        let stray = finding.targets.iter().find(|target| !within(&approval.targets, **target));
        let by = format!("`{}`, approved by {}", approval.name, approval.approver);
        if finding.first < approval.from || finding.last > approval.until {
            finding.notes.push(format!("outside the time of {by}"));
        } else if let Some(stray) = stray {
            finding.notes.push(format!("{stray} is not a target of {by}"));
        } else {
            finding.authorised = Some(by.clone());
        }
        let foreign = finding.targets.iter().find(|target| setup.inventory.owner(**target).is_none() && !view.known(**target));
        if let Some(foreign) = foreign {
            finding.notes.push(format!("{foreign} is not known to be yours: {by} can't allow scanning it"));
            finding.authorised = None;
        }
    }
}
