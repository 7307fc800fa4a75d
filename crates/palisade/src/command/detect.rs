//! `palisade detect`: rules over CloudTrail logs, detectors over flow logs.

pub(crate) mod flows;

mod given;
mod inventory;
mod reading;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Args;
use detect::{Detection, Engine, Matcher, Options, RuleSet};
use model::Severity;

use self::given::{rules, suppressions};
use self::inventory::Inventory;
use self::reading::{Progress, Worker, together, widen};
use crate::buckets;
use crate::cli::{InputArgs, LiveArgs};
use crate::exit::Exit;
use crate::input::Knowledge;
use crate::live::Wanted;
use crate::logfiles::{self, Files, Input, Outcome};
use crate::output;
use crate::places::Places;

/// How many files are read before their hits are put in order.
const BATCH: usize = 32;

/// How many hits of a long input are gathered before they are put in order.
const HITS_MAX: usize = 10_000;

/// How often a followed folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How many complaints about inputs are told one by one.
const COMPLAINTS_MAX: usize = 50;

/// The name and version of the form of `--format json`.
const DOCUMENT_SCHEMA: &str = "palisade/detections/1";

const FORMATS: &[&str] = &["terminal", "json", "jsonl", "csv", "ocsf", "navigator", "html", "parquet"];

/// The flags of `palisade detect`.
#[derive(Debug, Args)]
pub(crate) struct DetectArgs {
    /// Log files, folders or patterns; `-` reads standard input, `s3://bucket/prefix` a bucket.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// A file or folder of Sigma rules to run as well.
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
    /// Leave the built-in detections out.
    #[arg(long)]
    no_builtin: bool,
    /// A value for a rule's `%NAME%`; may be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    placeholder: Vec<String>,
    /// The form of the output, and the file to write it to if not to standard output: terminal, json, jsonl, csv, ocsf, navigator, html; parquet=FOLDER.
    #[arg(long, short, value_name = "FORMAT[=FILE]", default_value = "terminal")]
    format: Vec<String>,
    /// One line for each rule and event, nothing grouped, dropped or suppressed: for comparing engines.
    #[arg(long)]
    per_event: bool,
    /// The mildest severity to tell of: info, low, medium, high, critical.
    #[arg(long, value_name = "SEVERITY", default_value = "info")]
    min_severity: String,
    /// The mildest severity that makes the exit code 1, or never.
    #[arg(long, value_name = "SEVERITY", default_value = "never")]
    fail_on: String,
    /// Exit with 3 if a record or a file could not be read.
    #[arg(long)]
    strict: bool,
    /// A TOML file of `[[suppress]]` entries with owner, reason and expiry.
    #[arg(long, value_name = "FILE")]
    suppress: Vec<PathBuf>,
    /// A file that keeps what correlations and first-seen rules remember between runs.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Only files delivered on or after this day, by their names: 2026-01-31.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Only files delivered on or before this day.
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// Go on with files that come later.
    #[arg(long)]
    follow: bool,
    /// With `--follow`: stop after so many seconds without a new file.
    #[arg(long, value_name = "SECONDS", requires = "follow")]
    until_idle: Option<u64>,
    /// Join what the account of the current credentials is like now, as `--snapshot` does.
    #[arg(long, conflicts_with = "snapshot")]
    live: bool,
    /// A MaxMind file (City, Country, ASN) that tells where an address is and whose; may be given several times.
    #[arg(long, value_name = "FILE")]
    geoip: Vec<PathBuf>,
    #[command(flatten)]
    sign_in: SignIn,
    #[command(flatten)]
    flows: flows::FlowArgs,
}

/// How to sign in where a bucket or an account is read.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SignIn {
    /// The profile of the AWS configuration files to sign in with.
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// The Region to ask; with `--live`, to read. May be given several times.
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
}

impl SignIn {
    /// The same as settings of the client.
    pub(crate) fn config(&self) -> Result<aws::Config> {
        let regions = self.region.iter().map(|name| model::Region::new(name)).collect::<Result<Vec<_>, _>>();
        let regions = regions.map_err(|e| anyhow::anyhow!("{e}\n  help: --region eu-central-1"))?;
        let environment = aws::Environment::of_process();
        Ok(aws::Config { environment, profile: self.profile.clone(), regions, ..aws::Config::default() })
    }
}

/// What the run has come to.
struct Run<'r> {
    args: &'r DetectArgs,
    rules: &'r RuleSet,
    engine: Engine<'r>,
    workers: Vec<Worker<'r>>,
    targets: Vec<output::Target>,
    minimum: Severity,
    names: Vec<String>,
    told: Vec<Detection>,
    worst: Option<Severity>,
    totals: Outcome,
    complaints: usize,
    csv_begun: bool,
    texts: Vec<String>,
    flows: flows::Flows,
    flows_told: Vec<detect::flow::Finding>,
    inventory: Option<Inventory>,
    places: Places,
}

/// The inventory to join, if one is asked for.
fn inventory(args: &DetectArgs, knowledge: &Knowledge, now: i64) -> Result<Option<Inventory>> {
    if args.flows.snapshot.is_empty() && !args.live {
        return Ok(None);
    }
    let live = LiveArgs {
        live: args.live,
        profile: args.sign_in.profile.clone(),
        region: args.sign_in.region.clone(),
        ..LiveArgs::default()
    };
    let live = if args.live { live } else { LiveArgs::default() };
    let input = InputArgs { live, ..InputArgs::default() };
    let snapshot = crate::input::read(&args.flows.snapshot, &input, knowledge, Wanted::Everything)?;
    Ok(Some(Inventory::new(snapshot, &knowledge.catalogue, now)?))
}

/// Detects.
pub(crate) fn run(args: &DetectArgs, knowledge: &Knowledge) -> Result<Exit> {
    buckets::sign_in(args.sign_in.config()?);
    let rules = rules(args, knowledge)?;
    let minimum = severity(&args.min_severity)?;
    let fail_on = if args.fail_on == "never" { None } else { Some(severity(&args.fail_on)?) };
    let targets = output::targets(&args.format, FORMATS)?;
    if targets.iter().any(|target| target.format == "parquet" && target.file.is_none()) {
        bail!("`parquet` needs a folder\n  help: --format parquet=FOLDER");
    }
    let options = Options {
        suppressions: suppressions(&args.suppress)?,
        now: now(),
        per_event: args.per_event,
        forgets: args.state.is_none(),
    };
    for old in options.suppressions.iter().filter(|suppression| suppression.is_expired(options.now)) {
        note(&format!("the suppression of {} (`{}`) expired on {}: it no longer holds", old.owner, old.reason, old.expires));
    }
    let texts = vec![String::new(); targets.len()];
    let mut run = Run {
        args,
        rules: &rules,
        engine: Engine::new(&rules, options),
        workers: (0..rayon::current_num_threads())
            .map(|_| Worker { rules: &rules, files: Files::default(), matcher: Matcher::new(&rules, 0) })
            .collect(),
        targets,
        minimum,
        names: vec![],
        told: vec![],
        worst: None,
        totals: Outcome::default(),
        complaints: 0,
        csv_begun: false,
        texts,
        flows: flows::Flows::new(&args.flows, knowledge, now())?,
        flows_told: vec![],
        inventory: inventory(args, knowledge, now())?,
        places: Places::open(&args.geoip)?,
    };
    run.load_state()?;
    run.everything()?;
    if args.flows.capabilities || args.flows.backtest {
        let text = if args.flows.capabilities { run.flows.capabilities() } else { run.flows.backtest() };
        output::print(&text)?;
        return Ok(Exit::Clean);
    }
    run.finish()?;
    let unread = run.totals.counts.rejected() + run.flows.counts.rejected();
    let incomplete = args.strict && (unread > 0 || run.totals.fault.is_some());
    Ok(match (run.worst, fail_on) {
        (Some(worst), Some(fail_on)) if worst >= fail_on => Exit::Findings,
        _ if incomplete => Exit::Incomplete,
        _ => Exit::Clean,
    })
}

fn severity(name: &str) -> Result<Severity> {
    Severity::from_name(name).with_context(|| format!("`{name}` is not a severity\n  help: info, low, medium, high, critical"))
}

/// The clock, for suppressions that expire.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

#[expect(clippy::print_stderr, reason = "talk goes to standard error")]
pub(crate) fn note(text: &str) {
    eprintln!("palisade: {text}");
}

fn day(text: &Option<String>) -> Result<Option<String>> {
    let Some(text) = text else { return Ok(None) };
    let date: jiff::civil::Date = text.parse().with_context(|| format!("`{text}` is not a day such as 2026-01-31"))?;
    Ok(Some(date.strftime("%Y%m%d").to_string()))
}

/// The inputs named on the command line, within the days asked for.
pub(crate) fn inputs(paths: &[PathBuf], from: &Option<String>, to: &Option<String>) -> Result<(Vec<Input>, usize)> {
    let (from, to) = (day(from)?, day(to)?);
    let (objects, paths): (Vec<&PathBuf>, Vec<&PathBuf>) =
        paths.iter().partition(|path| path.to_str().and_then(buckets::parse).is_some());
    let paths: Vec<PathBuf> = paths.into_iter().cloned().collect();
    let (mut inputs, passed_over) = logfiles::expand(&paths)?;
    for path in objects {
        let found = buckets::list(&path.to_string_lossy(), from.as_deref(), to.as_deref())?;
        inputs.extend(found.into_iter().map(|(path, bytes)| Input::object(path, bytes)));
    }
    inputs.sort();
    inputs.retain(|input| {
        let Some(day) = input.day() else { return true };
        from.as_deref().is_none_or(|from| day >= from) && to.as_deref().is_none_or(|to| day <= to)
    });
    Ok((inputs, passed_over))
}

impl Run<'_> {
    /// Reads all inputs, and with `--follow` those that come later.
    fn everything(&mut self) -> Result<()> {
        let mut seen: BTreeSet<Input> = BTreeSet::new();
        let mut quiet_since = Instant::now();
        loop {
            let (mut inputs, passed_over) = inputs(&self.args.paths, &self.args.from, &self.args.to)?;
            if passed_over > 0 && seen.is_empty() {
                note(&format!("{passed_over} files were passed over: their endings are not those of logs"));
            }
            inputs.retain(|input| !seen.contains(input));
            if !inputs.is_empty() {
                seen.extend(inputs.iter().cloned());
                let (flows, inputs) = self.flows.part(inputs);
                for line in self.flows.read(&flows)? {
                    self.complain_of(&line);
                }
                self.batches(&inputs)?;
                quiet_since = Instant::now();
            }
            if !self.args.follow {
                return Ok(());
            }
            self.engine.advance(now());
            if self.flows.is_new() {
                self.tell_flows()?;
            }
            self.tell()?;
            self.save_state()?;
            if self.args.until_idle.is_some_and(|limit| quiet_since.elapsed() >= Duration::from_secs(limit)) {
                return Ok(());
            }
            std::thread::sleep(LOOK_EVERY.min(Duration::from_secs(self.args.until_idle.unwrap_or(2).max(1))));
        }
    }

    fn batches(&mut self, inputs: &[Input]) -> Result<()> {
        let progress = Progress::new(inputs);
        for same in inputs.chunk_by(|a, b| a.is_long() == b.is_long()) {
            if same.iter().any(Input::is_long) {
                same.iter().for_each(|input| self.long(input, &progress));
                continue;
            }
            for batch in same.chunks(BATCH) {
                let first = self.names.len() as u32;
                self.names.extend(batch.iter().map(Input::name));
                let found =
                    together(&mut self.workers, first, batch, &|found, input| progress.step(found.outcome.counts.parsed, input));
                for (input, found) in batch.iter().zip(found) {
                    self.complain(&found.outcome, &input.name());
                    self.engine.add(found.hits, found.links, found.span);
                }
                if self.args.per_event {
                    self.tell()?;
                }
            }
        }
        progress.finish();
        Ok(())
    }

    /// A long input gives its hits bit by bit.
    fn long(&mut self, input: &Input, progress: &Progress) {
        let Some(worker) = self.workers.first_mut() else { return };
        worker.matcher.turn_to(self.names.len() as u32);
        self.names.push(input.name());
        let (rules, matcher, engine) = (self.rules, &mut worker.matcher, &mut self.engine);
        let (mut span, mut undated): (Option<(i64, i64)>, u64) = (None, 0);
        let mut outcome = worker.files.read(input, rules.paths(), &mut |event| {
            undated += u64::from(!widen(&mut span, detect::seconds(event, rules.standard())));
            matcher.see(event);
            if matcher.hits.len() >= HITS_MAX {
                engine.add(std::mem::take(&mut matcher.hits), std::mem::take(&mut matcher.links), span);
            }
        });
        engine.add(std::mem::take(&mut matcher.hits), std::mem::take(&mut matcher.links), span);
        outcome.undated = undated;
        progress.step(outcome.counts.parsed, input);
        self.complain(&outcome, &input.name());
    }

    fn complain(&mut self, outcome: &Outcome, name: &str) {
        for line in outcome.complaints(name) {
            self.complain_of(&line);
        }
        self.totals.counts.add(&outcome.counts);
        self.totals.bytes += outcome.bytes;
        if let Some(fault) = &outcome.fault {
            self.totals.fault.get_or_insert_with(|| fault.clone());
        }
    }

    fn complain_of(&mut self, line: &str) {
        self.complaints += 1;
        if self.complaints <= COMPLAINTS_MAX {
            note(line);
        }
    }

    /// Tells what has ended since the last time.
    fn tell(&mut self) -> Result<()> {
        for found in self.engine.take_matches() {
            let level = self.rules.rule(found.rule).map_or(Severity::Info, |rule| rule.level);
            self.worst = self.worst.max(Some(level));
            if level >= self.minimum {
                let line = format!("{}\n", detect::output::match_line(&found, self.rules, &self.names));
                (0..self.targets.len()).for_each(|n| self.push(n, &line));
            }
        }
        for mut detection in self.engine.take() {
            if let Some(inventory) = &mut self.inventory {
                inventory.join(&mut detection);
            }
            let place = |address: &String| Some((address.clone(), self.places.of(address)?));
            detection.places = detection.addresses.iter().filter_map(place).collect();
            let level = detection.severity(self.rules);
            self.worst = self.worst.max(Some(level));
            if level >= self.minimum {
                self.write(&detection);
                self.told.push(detection);
            }
        }
        for (target, text) in self.targets.iter().zip(&mut self.texts) {
            if target.file.is_none() && target.format != "json" && !text.is_empty() {
                output::print(text)?;
                text.clear();
            }
        }
        if self.args.follow && !self.keeps() {
            self.told.clear();
        }
        Ok(())
    }

    /// Whether a form needs every detection at the end.
    fn keeps(&self) -> bool {
        self.targets.iter().any(|target| matches!(target.format.as_str(), "terminal" | "navigator" | "html" | "parquet"))
    }

    fn push(&mut self, target: usize, text: &str) {
        if let Some(held) = self.texts.get_mut(target) {
            held.push_str(text);
        }
    }

    fn write(&mut self, detection: &Detection) {
        for number in 0..self.targets.len() {
            let format = self.targets.get(number).map(|target| target.format.clone()).unwrap_or_default();
            let text = match format.as_str() {
                "json" | "jsonl" => detect::output::line(detection, self.rules, &self.names).to_string(),
                "ocsf" => detect::output::ocsf_finding(detection, self.rules).to_string(),
                "csv" => {
                    let header = if self.csv_begun { String::new() } else { detect::output::csv_header() + "\n" };
                    header + &detect::output::csv_row(detection, self.rules)
                }
                _ => continue,
            };
            self.push(number, &(text + "\n"));
        }
        self.csv_begun = true;
    }

    /// Judges the flow logs read so far, and tells what was not told yet.
    fn tell_flows(&mut self) -> Result<()> {
        let found = self.flows.findings(self.minimum)?;
        self.worst = self.worst.max(found.iter().filter(|f| f.authorised.is_none()).map(|finding| finding.severity).max());
        for number in 0..self.targets.len() {
            let Some(format) = self.targets.get(number).map(|target| target.format.clone()) else { continue };
            if format == "csv" && !self.csv_begun {
                self.push(number, &(detect::output::csv_header() + "\n"));
            }
            if format != "html" {
                self.push(number, &self.flows.write(&found, &format));
            }
        }
        self.csv_begun = true;
        self.flows_told.extend(found);
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        self.engine.finish();
        self.tell()?;
        self.save_state()?;
        self.tell_flows()?;
        let found = std::mem::take(&mut self.flows_told);
        for number in 0..self.targets.len() {
            let Some(target) = self.targets.get(number).cloned() else { continue };
            if let ("parquet", Some(folder)) = (target.format.as_str(), &target.file) {
                self.lake(folder, &self.flows.write(&found, "ocsf"))?;
                continue;
            }
            let mut text = match target.format.as_str() {
                "terminal" if !self.args.per_event => detect::output::text(&self.told, self.rules),
                "html" => {
                    let page = detect::output::html(&self.told, self.rules);
                    let sections = self.flows.write(&found, "html");
                    page.replacen("</body></html>", &format!("{sections}</body></html>"), 1)
                }
                "navigator" => format!("{:#}\n", detect::output::navigator(&self.told, self.rules, &self.flows.watched(&found))),
                _ => String::new(),
            };
            let held = self.texts.get(number).map_or("", String::as_str);
            match target.format.as_str() {
                "json" => text = self.document(held),
                _ => text.insert_str(0, held),
            }
            match &target.file {
                Some(path) => output::write(path, &text)?,
                None => output::print(&text)?,
            }
        }
        if self.flows.read > 0 {
            self.flows.summary(&found);
        }
        if !self.names.is_empty() || self.flows.read == 0 {
            self.summary();
        }
        Ok(())
    }

    /// One JSON document of the lines that were found, a line each, and how much was read.
    fn document(&self, lines: &str) -> String {
        let (events, flows) = (&self.totals.counts, &self.flows.counts);
        let (read, not_read) = (events.parsed + flows.records, events.rejected() + flows.rejected());
        let records = serde_json::json!({ "read": read, "not_read": not_read });
        let head = format!("{{\"schema\": \"{DOCUMENT_SCHEMA}\", \"records\": {records}, \"detections\": [");
        let lines: Vec<&str> = lines.lines().collect();
        if lines.is_empty() { head + "]}\n" } else { format!("{head}\n{}\n]}}\n", lines.join(",\n")) }
    }

    /// Writes detections, and the OCSF lines of flow findings, as Parquet.
    fn lake(&self, folder: &Path, flows: &str) -> Result<()> {
        let mut events: Vec<_> = self.told.iter().map(|detection| detect::output::ocsf_finding(detection, self.rules)).collect();
        events.extend(flows.lines().filter_map(|line| serde_json::from_str(line).ok()));
        output::lake(folder, &detect::output::lake(&events).map_err(anyhow::Error::msg)?)
    }

    fn summary(&self) {
        if self.complaints > COMPLAINTS_MAX {
            note(&format!("and {} complaints more", self.complaints - COMPLAINTS_MAX));
        }
        let incidents: BTreeSet<&str> = self.told.iter().map(|detection| detection.incident.as_str()).collect();
        let (counts, stats) = (&self.totals.counts, self.engine.stats());
        let mut parts =
            vec![format!("{} records in {} files read, {} not read", counts.parsed, self.names.len(), counts.rejected())];
        if !self.args.per_event {
            parts.push(format!("{} detections in {} incidents", self.told.len(), incidents.len()));
        }
        for (count, what) in [
            (stats.duplicates, "delivered again"),
            (stats.late, "late"),
            (stats.suppressed, "suppressed"),
            (stats.evicted, "forgotten to stay within memory"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        note(&parts.join("; "));
    }

    fn load_state(&mut self) -> Result<()> {
        let Some(path) = self.args.state.as_ref().filter(|path| path.exists()) else { return Ok(()) };
        let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        self.engine
            .load(&bytes)
            .map_err(|e| anyhow::anyhow!("state file `{}`: {e}\n  help: delete it to begin anew", path.display()))
    }

    fn save_state(&self) -> Result<()> {
        let Some(path) = &self.args.state else { return Ok(()) };
        output::write(path, self.engine.save())
    }
}
