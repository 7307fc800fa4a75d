//! `[flow]` of `palisade.toml`: thresholds of flow log detectors, and the register of approved scans.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use detect::flow::{Alarm, Approval, Detector, Tuning, Value, check_tuning, parse_block};
use serde::Deserialize;

/// `[flow]`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct FlowSettings {
    /// Parameters of detectors: detector id to parameter to value.
    detector: BTreeMap<String, BTreeMap<String, Value>>,
    /// Parameters of detectors for some targets.
    target: Vec<Target>,
    /// Scans that somebody approved.
    approved_scan: Vec<ApprovedScan>,
    /// Files of addresses: one address, block or range a line.
    pub(crate) threat_lists: Vec<std::path::PathBuf>,
    /// Custom metric alarms.
    alarm: Vec<Alarm>,
}

/// `[[flow.target]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    target: String,
    detector: String,
    parameters: BTreeMap<String, Value>,
}

/// `[[flow.approved_scan]]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ApprovedScan {
    name: String,
    sources: Vec<String>,
    targets: Vec<String>,
    from: toml::value::Datetime,
    until: toml::value::Datetime,
    approver: String,
}

fn block(text: &str) -> Result<(logs::flow::Address, u8)> {
    parse_block(text).with_context(|| format!("`{text}` is not an address or a block of addresses"))
}

fn seconds(written: &toml::value::Datetime) -> Result<i64> {
    let told = || format!("`{written}` is not a time such as 2026-01-31T08:00:00Z");
    let text = written.to_string();
    if written.time.is_none() || written.date.is_none() {
        bail!(told());
    }
    logs::time::seconds(text.as_bytes()).with_context(told)
}

impl FlowSettings {
    /// Other parameters than the catalogue's.
    pub(crate) fn tunings(&self, detectors: &[Detector]) -> Result<Vec<Tuning>> {
        let general = self
            .detector
            .iter()
            .map(|(detector, values)| Ok(Tuning { detector: detector.clone(), target: None, values: values.clone() }));
        let narrow = self.target.iter().map(|entry| {
            Ok(Tuning { detector: entry.detector.clone(), target: Some(block(&entry.target)?), values: entry.parameters.clone() })
        });
        let tunings: Vec<Tuning> = general.chain(narrow).collect::<Result<_>>()?;
        for tuning in &tunings {
            check_tuning(tuning, detectors).map_err(|wrong| anyhow::anyhow!("[flow]: {wrong}"))?;
        }
        Ok(tunings)
    }

    /// The custom alarms.
    pub(crate) fn alarms(&self) -> Result<Vec<Alarm>> {
        for alarm in &self.alarm {
            alarm.check().map_err(|wrong| anyhow::anyhow!("[[flow.alarm]] `{}`: {wrong}", alarm.name))?;
        }
        Ok(self.alarm.clone())
    }

    /// The register of approved scans.
    pub(crate) fn approvals(&self) -> Result<Vec<Approval>> {
        let blocks = |texts: &[String]| texts.iter().map(|text| block(text)).collect::<Result<Vec<_>>>();
        let read = |scan: &ApprovedScan| {
            let told = || format!("[[flow.approved_scan]] `{}`", scan.name);
            if scan.approver.trim().is_empty() {
                bail!("{}: there is no approver", told());
            }
            let (from, until) = (seconds(&scan.from).with_context(told)?, seconds(&scan.until).with_context(told)?);
            if until <= from {
                bail!("{}: it ends before it begins", told());
            }
            Ok(Approval {
                name: scan.name.clone(),
                sources: blocks(&scan.sources).with_context(told)?,
                targets: blocks(&scan.targets).with_context(told)?,
                from,
                until,
                approver: scan.approver.clone(),
            })
        };
        self.approved_scan.iter().map(read).collect()
    }
}
