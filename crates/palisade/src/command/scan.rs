//! `palisade scan`

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use anyhow::{Context, Result, bail};
use engine::{Baseline, Config, Filter, Scan};
use iam::escalation::{self, Drawing};
use iam::{Account, Organisation, StandIns};
use jiff::Timestamp;
use model::{Fingerprint, Layer, ScopeIndex, Severity, Snapshot, Verdict};
use report::{Meta, Report};

use crate::cli::{FilterArgs, ScanArgs};
use crate::exit::Exit;
use crate::input::{self, Files, Knowledge};
use crate::live::Wanted;
use crate::output;

/// Writes a report in one form.
type Write = fn(&Report<'_>, &mut dyn io::Write) -> io::Result<()>;

/// The forms of a report, by name.
const FORMATS: &[(&str, Write)] = &[
    ("terminal", |report, out| out.write_all(report::terminal(report).as_bytes())),
    ("json", |report, out| report::json(report, out)),
    ("jsonl", |report, out| report::json_lines(report, out)),
    ("sarif", |report, out| out.write_all(report::sarif(report).as_bytes())),
    ("csv", |report, out| report::csv(report, out)),
    ("junit", |report, out| out.write_all(report::junit(report).as_bytes())),
    ("markdown", |report, out| out.write_all(report::markdown(report).as_bytes())),
    ("html", |report, out| out.write_all(report::html(report).as_bytes())),
    ("ocsf", |report, out| out.write_all(report::ocsf(report).as_bytes())),
    ("asff", |report, out| out.write_all(report::asff(report).as_bytes())),
];

/// Who can become administrator, drawn; nothing if nobody can.
fn drawings(snapshot: &Snapshot) -> Vec<(String, String)> {
    let mut drawing = Drawing::default();
    let (stand_ins, organisation) = (StandIns::new(snapshot), Organisation::from_snapshot(snapshot));
    for scope in 0..snapshot.scopes.len() {
        let mut account = Account::in_scope(&stand_ins, ScopeIndex(scope as u32));
        account.under(&organisation);
        drawing.add(&account, &escalation::graph(&account));
    }
    if drawing.is_empty() { Vec::new() } else { vec![("Who can become administrator".to_owned(), drawing.svg())] }
}

/// Judges what the arguments name, and reports.
pub(crate) fn run(args: &ScanArgs, knowledge: &Knowledge) -> Result<Exit> {
    let names: Vec<&str> = FORMATS.iter().map(|(name, _)| *name).collect();
    let targets = output::targets(&args.format, &names)?;
    let threshold = threshold(args.fail_on.as_deref().or(knowledge.settings.fail_on.as_deref()))?;
    let mut config = config(args, knowledge)?;
    // A JUnit report has a case for each test, passed ones too.
    config.passes |= targets.iter().any(|t| t.format == "junit");
    let paths: Vec<_> = args.paths.iter().chain(&args.input.input).cloned().collect();
    let input = input::or_live(&paths, &args.input);
    let page = targets.iter().any(|t| t.format == "html");
    let now = Timestamp::now();
    let scan = Scan::new(&knowledge.catalogue, &config, now);
    // A page draws what is in all files together.
    let each = |file: &Snapshot| (!page && scan.stands_alone(file)).then(|| scan.judge(file));
    let (mut judged, rest) = input::read_each(&paths, &input, knowledge, Wanted::Checks(&config.filter), &each)?;
    judged.push(scan.judge(&rest));
    let drawings = if page { drawings(&rest) } else { Vec::new() };
    drop(rest);
    let outcome = scan.outcome(judged);
    let resources = outcome.coverage.iter().map(|c| c.resources).sum();
    let meta = Meta {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        time: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        inputs: paths.iter().map(|p| p.display().to_string()).collect(),
        resources,
        passes: args.all,
        full: args.full,
    };
    let sources = Files::default();
    let report = Report { outcome: &outcome, catalogue: &knowledge.catalogue, sources: &sources, meta, drawings };
    for target in targets {
        let Some((_, write)) = FORMATS.iter().find(|(name, _)| *name == target.format) else { continue };
        match &target.file {
            Some(file) => output::write_with(file, |out| write(&report, out))?,
            None if target.format == "terminal" => output::print(&report::terminal(&report))?,
            None => output::print_with(|out| write(&report, out))?,
        }
    }
    if let Some(file) = &args.write_baseline {
        output::write(file, baseline_text(&outcome))?;
    }
    let fails =
        |f: &model::Finding| f.verdict == Verdict::Fail && f.suppression.is_none() && threshold.is_some_and(|t| f.severity >= t);
    let strict = args.strict || knowledge.settings.strict.unwrap_or(false);
    Ok(if outcome.findings.iter().any(fails) {
        Exit::Findings
    } else if strict && outcome.gaps.iter().any(|g| g.matters) {
        Exit::Incomplete
    } else {
        Exit::Clean
    })
}

/// The mildest severity that fails the run; `None` for never.
fn threshold(written: Option<&str>) -> Result<Option<Severity>> {
    match written {
        None => Ok(Some(Severity::Low)),
        Some("never") => Ok(None),
        Some(name) => match Severity::from_name(name) {
            Some(severity) => Ok(Some(severity)),
            None => bail!("`{name}` is not a severity\n  help: info, low, medium, high, critical, never"),
        },
    }
}

fn config(args: &ScanArgs, knowledge: &Knowledge) -> Result<Config> {
    let settings = &knowledge.settings;
    for id in settings.params.keys().chain(settings.severity.keys()) {
        if knowledge.catalogue.check(id).is_none() {
            bail!("`{}` names `{id}`, which is not a check", crate::config::FILE_NAME);
        }
    }
    Ok(Config {
        filter: filter(&args.filter, knowledge)?,
        params: settings.params.clone(),
        severities: settings.severity.clone(),
        accept: settings.accept_rules()?,
        baseline: args.baseline.as_deref().map(baseline).transpose()?,
        inline_suppressions: !args.no_inline_suppressions,
        passes: args.all,
    })
}

/// The filter that the arguments describe. A name that nothing bears is an error: a silent empty result looks clean.
pub(crate) fn filter(args: &FilterArgs, knowledge: &Knowledge) -> Result<Filter> {
    let filter = Filter {
        checks: args.check.clone(),
        services: args.service.clone(),
        severities: named(&args.severity, "severity", Severity::from_name)?,
        layers: named(&args.layer, "layer", Layer::from_name)?,
        pillars: BTreeSet::new(),
        frameworks: args.framework.clone(),
    };
    for (flag, values) in [("check", &args.check), ("service", &args.service), ("framework", &args.framework)] {
        for value in values {
            let mut one = Filter::default();
            match flag {
                "check" => one.checks.push(value.clone()),
                "service" => one.services.push(value.clone()),
                _ => one.frameworks.push(value.clone()),
            }
            if one.select(&knowledge.catalogue).is_empty() {
                bail!("--{flag} `{value}` matches no check\n  help: palisade catalogue list");
            }
        }
    }
    Ok(filter)
}

fn named<T: Ord>(written: &[String], what: &str, parse: fn(&str) -> Option<T>) -> Result<BTreeSet<T>> {
    written.iter().map(|name| parse(name).with_context(|| format!("`{name}` is not a {what}"))).collect()
}

/// Reads the fingerprints of a baseline file or an earlier JSON report.
fn baseline(path: &Path) -> Result<Baseline> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let json: serde_json::Value = serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", path.display()))?;
    let findings = json.get("findings").and_then(|f| f.as_array());
    let findings = findings.with_context(|| format!("`{}` is neither a baseline nor a JSON report", path.display()))?;
    let open = findings.iter().filter(|f| f.get("verdict").is_none_or(|v| v != "pass"));
    Ok(Baseline { fingerprints: open.filter_map(|f| f.get("fingerprint")?.as_str().and_then(Fingerprint::from_hex)).collect() })
}

fn baseline_text(outcome: &model::Outcome) -> String {
    let findings: Vec<_> = outcome
        .findings
        .iter()
        .filter(|f| f.verdict != Verdict::Pass)
        .map(|f| serde_json::json!({ "fingerprint": f.fingerprint, "check": f.check, "resource": &*f.resource.id, "file": f.resource.file.as_deref() }))
        .collect();
    let document = serde_json::json!({ "schema": "palisade/baseline/1", "findings": findings });
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}
