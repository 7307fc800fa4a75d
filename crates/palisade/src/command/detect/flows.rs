//! The flow log half of `palisade detect`: which inputs are flow logs, reading them on all threads, judging, telling.

mod inventory;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use clap::Args;
use detect::flow::{Alarm, Approval, Detector, Finding, FlowState, Fold, Inventory, Origin, Past, Reach, Setup, Threats, Tuning};
use detect::output::Watched;
use logs::flow::{Columns, Counts, Field, Item, Layout, PARQUET_BYTES_MAX, Reader, Reject, read_columns};
use model::Severity;
use rayon::prelude::*;

use super::note;
use crate::cli::InputArgs;
use crate::command::net::{self, Networks};
use crate::input::Knowledge;
use crate::logfiles::{self, Files, Input};
use crate::output;

/// A log may hold times this many seconds ahead of the clock.
const AHEAD: i64 = 86_400;

/// What goes on while a folder is followed is told again when it has grown to this many times what was told.
const TOLD_AGAIN_TIMES: u64 = 2;

/// The flags that are for flow logs.
#[derive(Debug, Default, Args)]
pub(crate) struct FlowArgs {
    /// The format of flow logs that have no header: '${version} ${srcaddr} ...'.
    #[arg(long, value_name = "FORMAT")]
    flow_format: Option<String>,
    /// Say which flow log detectors these logs can serve, and which field or input would enable the others.
    #[arg(long)]
    pub(super) capabilities: bool,
    /// A snapshot, template, plan or folder of saved answers: what a detection names, what is open and who is an administrator;
    /// whose addresses are whose in flow logs, and what can reach what.
    #[arg(long, value_name = "PATH", visible_alias = "input")]
    pub(super) snapshot: Vec<PathBuf>,
    /// A file of addresses, blocks or ranges that flow logs are searched for, one a line.
    #[arg(long, value_name = "FILE")]
    threat_list: Vec<PathBuf>,
    /// A file that keeps what is known of flow logs between runs; of several, all are put together and the first is written.
    #[arg(long, value_name = "FILE")]
    flow_state: Vec<PathBuf>,
    /// Say when each custom alarm would have fired in these flow logs, and nothing else.
    #[arg(long)]
    pub(super) backtest: bool,
}

/// Flow logs read so far.
pub(super) struct Flows {
    detectors: Vec<Detector>,
    tunings: Vec<Tuning>,
    approvals: Vec<Approval>,
    inventory: Inventory,
    networks: Networks,
    threats: Threats,
    alarms: Vec<Alarm>,
    layout: Option<Layout>,
    latest: i64,
    /// What was known before, but for the fold, which goes on.
    before: FlowState,
    keep: Option<PathBuf>,
    fold: Fold,
    /// What this run told, as in [`FlowState::told`].
    told: BTreeMap<String, u64>,
    /// How many questions the network's settings were asked when it was last judged.
    asked: AtomicU64,
    /// How many inputs had been read when it was last judged.
    judged: usize,
    pub(super) read: usize,
    pub(super) names: Vec<String>,
    pub(super) counts: Counts,
}

/// The network's settings are asked no more questions than this; how many more there were is told.
const QUESTIONS_MAX: u64 = 5_000;

/// What one input gave.
struct Read {
    fold: Fold,
    fields: Vec<Field>,
    unknown: Vec<String>,
    counts: Counts,
    rejects: Vec<Reject>,
    fault: Option<String>,
}

/// What a log must say for it to show that a rule was not needed.
const TOLD_BY: &[Field] = &[Field::SrcAddr, Field::DstAddr, Field::SrcPort, Field::DstPort, Field::Protocol, Field::Action];

/// The flows that flow logs show to have been let through. What can't be read is told; none if too little could be kept or the logs
/// don't say enough.
///
/// With `days`, only those of so many days before the last record are; logs that reach less far back are told.
pub(crate) fn seen(paths: &[PathBuf], days: Option<u32>, knowledge: &Knowledge) -> Result<Vec<::net::Seen>> {
    let mut flows = Flows::new(&FlowArgs::default(), knowledge, super::now())?;
    let (inputs, _) = super::inputs(paths, &None, &None)?;
    let (inputs, others) = flows.part(inputs);
    if !others.is_empty() {
        note(&format!("{} files are no flow logs and were passed over", others.len()));
    }
    flows.read(&inputs)?.iter().for_each(|complaint| note(complaint));
    flows.fold.gaps().iter().for_each(|gap| note(gap));
    let lacking: Vec<&str> = TOLD_BY.iter().filter(|field| !flows.fold.has_field(**field)).map(|field| field.name()).collect();
    if !lacking.is_empty() || !flows.fold.is_whole() {
        let why =
            if lacking.is_empty() { "not all could be kept".to_owned() } else { format!("they lack `{}`", lacking.join("`, `")) };
        note(&format!("these flow logs can't show which rules were not needed: {why}"));
        return Ok(vec![]);
    }
    let (first, last) = flows.fold.span().unwrap_or_default();
    let since = days.map_or(0, |days| last - i64::from(days) * 86_400);
    if first > since && days.is_some() {
        let known = (last - first) / 86_400;
        note(&format!(
            "these flow logs reach back {known} whole days, not {}: a rule may have been needed before",
            days.unwrap_or(0)
        ));
    }
    let through = flows.fold.let_through(since);
    let addr = |address: logs::flow::Address| ::net::Addr::from(address.ip());
    Ok(through
        .into_iter()
        .map(|(from, to, protocol, port)| ::net::Seen { from: addr(from), to: addr(to), protocol, port })
        .collect())
}

/// The states of earlier runs, put together.
fn states(paths: &[PathBuf], alarms: &[Alarm]) -> Result<FlowState> {
    let mut all = FlowState { fold: Fold::with_alarms(alarms), ..FlowState::default() };
    for path in paths.iter().filter(|path| path.exists()) {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let state = FlowState::load(&bytes)
            .map_err(|e| anyhow::anyhow!("state file `{}`: {e}\n  help: delete it to begin anew", path.display()))?;
        all.fold.merge(&state.fold, all.names.len() as u32);
        all.names.extend(state.names);
        all.past.merge(&state.past);
        all.told.extend(state.told);
    }
    Ok(all)
}

fn threats<'p>(paths: impl Iterator<Item = &'p PathBuf>) -> Result<Threats> {
    let mut threats = Threats::default();
    for path in paths {
        let text = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        let wrong = threats.add(&path.display().to_string(), &String::from_utf8_lossy(&text));
        if let Some(line) = wrong.first() {
            note(&format!("`{}`: {} lines are no addresses (first: line {line})", path.display(), wrong.len()));
        }
    }
    Ok(threats)
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
        let alarms = knowledge.settings.flow.alarms()?;
        let networks = match args.snapshot.as_slice() {
            [] => Networks::new(),
            paths => net::load_any(paths, &InputArgs::default(), knowledge)?,
        };
        let mut before = states(&args.flow_state, &alarms)?;
        let mut fold = Fold::with_alarms(&alarms);
        fold.merge(&std::mem::take(&mut before.fold), 0);
        Ok(Flows {
            names: std::mem::take(&mut before.names),
            threats: threats(knowledge.settings.flow.threat_lists.iter().chain(&args.threat_list))?,
            before,
            keep: args.flow_state.first().cloned(),
            alarms,
            inventory: inventory::of(&networks),
            networks,
            tunings: knowledge.settings.flow.tunings(&detectors)?,
            approvals: knowledge.settings.flow.approvals()?,
            detectors,
            layout,
            latest: now + AHEAD,
            fold,
            told: BTreeMap::new(),
            asked: AtomicU64::new(0),
            judged: 0,
            read: 0,
            counts: Counts::default(),
        })
    }

    /// The inputs that are flow logs, and the others. With a format given, whatever does not begin like JSON is one.
    pub(super) fn part(&self, inputs: Vec<Input>) -> (Vec<Input>, Vec<Input>) {
        let is_flow = |input: &Input| {
            if input.is_flow_log_by_name() || input.is_trail_by_name() {
                return input.is_flow_log_by_name();
            }
            let head = logfiles::head(input);
            let json = matches!(head.iter().find(|byte| !byte.is_ascii_whitespace()), Some(b'{' | b'['));
            logs::flow::is_parquet(&head) || logs::flow::looks_like(&head) || (self.layout.is_some() && !json && !head.is_empty())
        };
        inputs.into_iter().partition(is_flow)
    }

    /// Reads inputs on all threads. The same whatever their number.
    pub(super) fn read(&mut self, inputs: &[Input]) -> Result<Vec<String>> {
        if !inputs.is_empty() {
            keep_quiet_of_parquet();
        }
        let mut complaints = vec![];
        for batch in inputs.chunks(rayon::current_num_threads().max(1)) {
            let found: Vec<Read> = batch.par_iter().map(|input| self.one(input)).collect();
            for (input, read) in batch.iter().zip(found) {
                let number = self.names.len() as u32;
                self.names.push(input.name());
                self.read += 1;
                complaints.extend(read.complaints(&input.name()));
                self.fold.absorb(read.fold, number);
                self.fold.has_fields(&read.fields);
                self.counts.add(&read.counts);
            }
        }
        Ok(complaints)
    }

    fn one(&self, input: &Input) -> Read {
        let mut reader = Reader::new(self.layout.clone(), self.latest);
        let mut fold = Fold::with_alarms(&self.alarms);
        let mut rejects: Vec<Reject> = vec![];
        let mut taker = fold.taker();
        let mut sink = |item: Item<'_>| match item {
            Item::Record(record, byte) => taker.see(record, Origin { input: 0, byte }),
            Item::Reject(reject) if rejects.iter().all(|held| held.reason != reject.reason) => rejects.push(reject),
            Item::Reject(_) => {}
        };
        if logs::flow::is_parquet(&logfiles::head(input)) {
            let columns = match logfiles::stored(input, PARQUET_BYTES_MAX) {
                Ok(bytes) => read_columns(bytes, self.latest, &mut sink),
                Err(error) => Columns { fault: Some(format!("{error:#}")), ..Columns::default() },
            };
            let Columns { counts, fields, unknown, fault } = columns;
            drop(taker);
            return Read { fold, fields, unknown, counts, rejects, fault };
        }
        let (_, fault) = Files::default().unpack(input, &mut |text, last| reader.feed(text, last, &mut sink));
        drop(taker);
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

    fn with_setup<T>(&self, then: impl FnOnce(&Setup<'_>) -> T) -> T {
        let ask = |from, to, protocol, port| {
            if self.asked.fetch_add(1, Ordering::Relaxed) >= QUESTIONS_MAX {
                return Reach::Unknown;
            }
            inventory::ask(&self.networks, [from, to], protocol, port)
        };
        then(&Setup {
            detectors: &self.detectors,
            tunings: &self.tunings,
            inventory: &self.inventory,
            approvals: &self.approvals,
            threats: &self.threats,
            past: &self.before.past,
            alarms: !self.alarms.is_empty(),
            reach: if self.networks.is_empty() { None } else { Some(&ask) },
        })
    }

    /// Whether anything was read since it was last judged.
    pub(super) fn is_new(&self) -> bool {
        self.read > self.judged
    }

    /// What the detectors find in all that was read and was not told by an earlier run, at or above a severity. The state is kept.
    pub(super) fn findings(&mut self, minimum: Severity) -> Result<Vec<Finding>> {
        self.judged = self.read;
        self.asked.store(0, Ordering::Relaxed);
        let mut findings = self.with_setup(|setup| detect::flow::judge(&self.fold, setup));
        findings.retain(|finding| finding.severity >= minimum);
        let mark = |finding: &Finding| {
            let id = self.detectors.get(finding.detector).map_or("", |detector| detector.id.as_str());
            detect::flow::mark(finding, id)
        };
        findings.retain(|finding| {
            let mark = mark(finding);
            let grown = |told: &u64| finding.observed / TOLD_AGAIN_TIMES >= (*told).max(1);
            self.before.told.get(&mark).is_none_or(|told| *told < finding.observed) && self.told.get(&mark).is_none_or(grown)
        });
        self.told.extend(findings.iter().map(|finding| (mark(finding), finding.observed)));
        if let Some(path) = &self.keep {
            let mut state = FlowState { names: self.names.clone(), fold: self.fold.clone(), ..self.before.clone() };
            state.past.merge(&Past::of(&self.fold, &self.inventory));
            state.told.extend(self.told.clone());
            let bytes = state.save().map_err(|wrong| anyhow::anyhow!("cannot keep the state of flow logs: {wrong}"))?;
            output::write(path, &bytes)?;
        }
        Ok(findings)
    }

    /// When each custom alarm would have fired, as text.
    pub(super) fn backtest(&self) -> String {
        let time = logs::time::text;
        let mut out = String::new();
        for (name, firings) in self.fold.firings() {
            out.push_str(&format!("{name}: {} times\n", firings.len()));
            for firing in firings {
                let until = firing.until.map_or_else(|| "the end".to_owned(), time);
                let key = if firing.key.is_empty() { String::new() } else { format!("  {}", firing.key) };
                let (value, threshold) = (firing.value, firing.threshold);
                out.push_str(&format!("  {} to {until}{key}  up to {value}, from {threshold} on\n", time(firing.from)));
            }
        }
        out
    }

    /// Findings as text of a form.
    pub(super) fn write(&self, findings: &[Finding], format: &str) -> String {
        match format {
            "json" | "jsonl" => {
                let line = |finding| format!("{}\n", detect::flow::output::line(finding, &self.detectors, &self.names));
                findings.iter().map(line).collect()
            }
            "csv" => findings.iter().map(|finding| detect::flow::output::csv_row(finding, &self.detectors) + "\n").collect(),
            "ocsf" => {
                findings.iter().map(|finding| format!("{}\n", detect::flow::output::ocsf(finding, &self.detectors))).collect()
            }
            "html" => detect::flow::output::sections(findings, &self.detectors, &self.names),
            "terminal" => detect::flow::output::text(findings, &self.detectors, &self.names),
            _ => String::new(),
        }
    }

    /// The detectors that could judge what was read, and how often each found something that is not allowed.
    pub(super) fn watched(&self, found: &[Finding]) -> Vec<Watched<'_>> {
        if self.read == 0 {
            return vec![];
        }
        let capabilities = self.with_setup(|setup| setup.capabilities(|field| self.fold.has_field(field)));
        let watched = |number: usize| {
            let count = found.iter().filter(|finding| finding.detector == number && finding.authorised.is_none()).count();
            self.detectors.get(number).map(|detector| Watched { detector, found: count as u64 })
        };
        capabilities.iter().filter(|capability| capability.serves()).filter_map(|c| watched(c.detector)).collect()
    }

    /// Which detectors the logs can serve, as text.
    pub(super) fn capabilities(&self) -> String {
        let mut out = String::new();
        let mut lacking = vec![];
        for capability in self.with_setup(|setup| setup.capabilities(|field| self.fold.has_field(field))) {
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
        let mut parts =
            vec![format!("{} flow records in {} files read, {} lines not read", counts.records, self.read, counts.rejected())];
        parts.push(format!("{} windows without data", counts.no_data));
        parts.push(format!("{} findings", found.len()));
        note(&parts.join("; "));
    }

    /// What could not be judged, one line each.
    fn gaps(&self) -> Vec<String> {
        let mut gaps = vec![];
        let blind: BTreeSet<&'static str> = self
            .with_setup(|setup| setup.capabilities(|field| self.fold.has_field(field)))
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
        if let more @ 1.. = self.asked.load(Ordering::Relaxed).saturating_sub(QUESTIONS_MAX) {
            gaps.push(format!(
                "{more} kinds of answered traffic were not compared with the network's settings: {QUESTIONS_MAX} were"
            ));
        }
        gaps
    }
}

/// A panic of the library that decodes Parquet is caught and told as the file's fault: it need not be told a second time.
fn keep_quiet_of_parquet() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|place| place.file().contains("/parquet-")) {
                before(panic);
            }
        }));
    });
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
