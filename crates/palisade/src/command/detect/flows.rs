//! The flow log half of `palisade detect`: which inputs are flow logs, reading them on all threads, judging, telling.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use clap::Args;
use detect::flow::{Approval, Detector, Finding, Fold, Inventory, Origin, Setup, Tuning};
use logs::flow::{Counts, Field, Item, Layout, Reader, Reject};
use model::Severity;
use rayon::prelude::*;

use super::note;
use crate::input::Knowledge;
use crate::logfiles::{self, Files, Input};

/// Records are put together apart this many at a time, in a table that fits the processor's cache.
const RECORDS_APART: u64 = 50_000;

/// A log may hold times this many seconds ahead of the clock.
const AHEAD: i64 = 86_400;

/// The flags that are for flow logs.
#[derive(Debug, Args)]
pub(crate) struct FlowArgs {
    /// The format of flow logs that have no header: '${version} ${srcaddr} ...'.
    #[arg(long, value_name = "FORMAT")]
    flow_format: Option<String>,
    /// Say which flow log detectors these logs can serve, and which field or input would enable the others.
    #[arg(long)]
    pub(super) capabilities: bool,
}

/// Flow logs read so far.
pub(super) struct Flows {
    detectors: Vec<Detector>,
    tunings: Vec<Tuning>,
    approvals: Vec<Approval>,
    inventory: Inventory,
    layout: Option<Layout>,
    latest: i64,
    fold: Fold,
    pub(super) names: Vec<String>,
    pub(super) counts: Counts,
}

/// What one input gave.
struct Read {
    fold: Fold,
    fields: Vec<Field>,
    unknown: Vec<String>,
    counts: Counts,
    rejects: Vec<Reject>,
    fault: Option<String>,
}

impl Flows {
    /// Nothing read yet.
    pub(super) fn new(args: &FlowArgs, knowledge: &Knowledge, now: i64) -> Result<Flows> {
        let files = knowledge.catalogue.detections().iter().filter(|(path, _)| path.contains("/flowlogs/"));
        let detectors: Vec<Detector> = files
            .map(|(path, text)| detect::flow::parse_detector(path, text).map_err(anyhow::Error::msg))
            .collect::<Result<_>>()?;
        let layout = match &args.flow_format {
            Some(format) => Some(Layout::parse(format).with_context(|| format!("--flow-format `{format}`"))?),
            None => None,
        };
        Ok(Flows {
            tunings: knowledge.settings.flow.tunings(&detectors)?,
            approvals: knowledge.settings.flow.approvals()?,
            detectors,
            inventory: Inventory::default(),
            layout,
            latest: now + AHEAD,
            fold: Fold::default(),
            names: vec![],
            counts: Counts::default(),
        })
    }

    /// The inputs that are flow logs, and the others. With a format given, whatever does not begin like JSON is one.
    pub(super) fn part(&self, inputs: Vec<Input>) -> (Vec<Input>, Vec<Input>) {
        let is_flow = |input: &Input| {
            let head = logfiles::head(input);
            let json = matches!(head.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['));
            logs::flow::looks_like(&head) || (self.layout.is_some() && !json && !head.is_empty())
        };
        inputs.into_iter().partition(is_flow)
    }

    /// Reads inputs on all threads. The same whatever their number.
    pub(super) fn read(&mut self, inputs: &[Input]) -> Result<Vec<String>> {
        let mut complaints = vec![];
        for batch in inputs.chunks(rayon::current_num_threads().max(1)) {
            let found: Vec<Read> = batch.par_iter().map(|input| self.one(input)).collect();
            for (input, read) in batch.iter().zip(found) {
                let number = self.names.len() as u32;
                self.names.push(input.name());
                complaints.extend(read.complaints(&input.name()));
                self.fold.merge(&read.fold, number);
                self.fold.has_fields(&read.fields);
                self.counts.add(&read.counts);
            }
        }
        Ok(complaints)
    }

    fn one(&self, input: &Input) -> Read {
        let mut reader = Reader::new(self.layout.clone(), self.latest);
        let (mut fold, mut part) = (Fold::default(), Fold::default());
        let mut rejects: Vec<Reject> = vec![];
        let mut sink = |item: Item<'_>| match item {
            Item::Record(record, byte) => {
                part.see(record, Origin { input: 0, byte });
                if part.records() >= RECORDS_APART {
                    fold.merge(&part, 0);
                    part.clear();
                }
            }
            Item::Reject(reject) if rejects.iter().all(|held| held.reason != reject.reason) => rejects.push(reject),
            Item::Reject(_) => {}
        };
        let (_, fault) = Files::default().unpack(input, &mut |text, last| reader.feed(text, last, &mut sink));
        fold.merge(&part, 0);
        let (fields, unknown) = reader.fields();
        Read {
            fold,
            fields: fields.to_vec(),
            unknown: unknown.to_vec(),
            counts: reader.counts().clone(),
            rejects,
            fault: fault.err().map(|error| format!("{error:#}")),
        }
    }

    fn setup(&self) -> Setup<'_> {
        Setup { detectors: &self.detectors, tunings: &self.tunings, inventory: &self.inventory, approvals: &self.approvals }
    }

    /// What the detectors find in all that was read, and told at or above a severity.
    pub(super) fn findings(&self, minimum: Severity) -> Vec<Finding> {
        let mut findings = detect::flow::judge(&self.fold, &self.setup());
        findings.retain(|finding| finding.severity >= minimum);
        findings
    }

    /// Findings as text of a form.
    pub(super) fn write(&self, findings: &[Finding], format: &str) -> String {
        match format {
            "jsonl" => {
                let line = |finding| format!("{}\n", detect::flow::output::line(finding, &self.detectors, &self.names));
                findings.iter().map(line).collect()
            }
            "terminal" => detect::flow::output::text(findings, &self.detectors, &self.names),
            _ => String::new(),
        }
    }

    /// Which detectors the logs can serve, as text.
    pub(super) fn capabilities(&self) -> String {
        let mut out = String::new();
        let mut lacking = vec![];
        for capability in self.setup().capabilities(|field| self.fold.has_field(field)) {
            let Some(detector) = self.detectors.get(capability.detector) else { continue };
            if capability.serves() {
                out.push_str(&format!("serves  {}  {}\n", detector.id, detector.title));
            } else {
                lacking.push((detector, capability.clone()));
            }
            for (name, how) in &capability.better {
                out.push_str(&format!("        better with `{name}`: {how}\n"));
            }
        }
        for (detector, capability) in lacking {
            let fields = capability.fields.iter().map(|field| format!("the field `{}`", field.name()));
            let needs: Vec<String> = fields.chain(capability.inputs.iter().map(|input| format!("input `{input}`"))).collect();
            out.push_str(&format!("cannot  {}  {}: needs {}\n", detector.id, detector.title, needs.join(", ")));
        }
        out
    }

    /// Says how much was read and found, and what could not be judged.
    pub(super) fn summary(&self, found: &[Finding]) {
        self.gaps().iter().for_each(|gap| note(gap));
        let counts = &self.counts;
        let mut parts = vec![format!(
            "{} flow records in {} files read, {} lines not read",
            counts.records,
            self.names.len(),
            counts.rejected()
        )];
        parts.push(format!("{} windows without data", counts.no_data));
        parts.push(format!("{} findings", found.len()));
        note(&parts.join("; "));
    }

    /// What could not be judged, one line each.
    fn gaps(&self) -> Vec<String> {
        let mut gaps = vec![];
        let blind: BTreeSet<&'static str> = self
            .setup()
            .capabilities(|field| self.fold.has_field(field))
            .iter()
            .flat_map(|capability| &capability.fields)
            .map(|field| field.name())
            .collect();
        if !blind.is_empty() {
            let names: Vec<&str> = blind.into_iter().collect();
            gaps.push(format!(
                "these flow logs lack `{}`: some detectors cannot judge; `--capabilities` says which",
                names.join("`, `")
            ));
        }
        if self.counts.skip_data > 0 {
            gaps.push(format!("AWS dropped flow records of {} windows (SKIPDATA)", self.counts.skip_data));
        }
        gaps.extend(self.fold.gaps());
        gaps
    }
}

impl Read {
    fn complaints(&self, name: &str) -> Vec<String> {
        let mut lines: Vec<String> = self.fault.iter().map(|fault| format!("`{name}`: {fault}")).collect();
        for (reason, count) in &self.counts.rejects {
            let first = self.rejects.iter().find(|reject| reject.reason == *reason);
            let place = first.map(|r| format!(" (first: line {}, byte {})", r.line, r.byte)).unwrap_or_default();
            let many = if *count == 1 { "1 line".to_owned() } else { format!("{count} lines") };
            lines.push(format!("`{name}`: {many} not read: {}{place}", reason.text()));
        }
        if !self.unknown.is_empty() {
            lines.push(format!("`{name}`: fields not known here are passed over: {}", self.unknown.join(", ")));
        }
        lines
    }
}
