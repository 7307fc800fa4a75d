//! `palisade trail`: what happened, who did it, what the logs cover, and whether they were changed.

mod verify;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use detect::trail::{Coverage, Covered, Query, Summary, delivered};
use detect::{Known, Sighting, Standard};
use logs::paths::Paths;
use logs::time;
use serde_json::json;

use crate::command::detect::{SignIn, inputs, note};
use crate::exit::Exit;
use crate::logfiles::{Files, Outcome};
use crate::output;
use crate::places::Places;

/// The most events that a timeline sorts; past it, it says so.
const EVENTS_MAX: usize = 200_000;

/// The flags of `palisade trail`.
#[derive(Debug, Args)]
pub(crate) struct TrailArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List events in the order of their times.
    Timeline {
        #[command(flatten)]
        from: Source,
        /// Only of this principal; `*` stands for anything.
        #[arg(long, value_name = "ARN")]
        actor: Option<String>,
        /// Only what names this resource.
        #[arg(long, value_name = "NAME")]
        resource: Option<String>,
        /// Only from this address or range.
        #[arg(long, value_name = "ADDRESS")]
        ip: Option<String>,
        /// Leave out what only reads.
        #[arg(long)]
        writes: bool,
        /// Also write the events as OCSF in Parquet below this folder, as Security Lake lays it out.
        #[arg(long, value_name = "FOLDER")]
        parquet: Option<PathBuf>,
        /// The form of the output.
        #[arg(long, short, default_value = "terminal")]
        format: Form,
    },
    /// Answer a question: `who=*admin* did=Delete* from=203.0.113.0/24 error=none`.
    Query {
        /// FIELD=VALUE or FIELD!=VALUE; `*` stands for anything, `|` parts alternatives, `none` is an absent field.
        question: String,
        #[command(flatten)]
        from: Source,
        /// Also write the events as OCSF in Parquet below this folder, as Security Lake lays it out.
        #[arg(long, value_name = "FOLDER")]
        parquet: Option<PathBuf>,
        /// The form of the output.
        #[arg(long, short, default_value = "terminal")]
        format: Form,
    },
    /// Sum up what each principal did: since when, from where, with which calls and keys.
    Summary {
        #[command(flatten)]
        from: Source,
        /// What to sum up by.
        #[arg(long, default_value = "actor")]
        by: By,
        /// Only events that fit this question.
        #[arg(long, value_name = "QUESTION")]
        query: Option<String>,
        /// The form of the output.
        #[arg(long, short, default_value = "terminal")]
        format: Form,
    },
    /// Show which hours of which regions hold events, and the silences.
    Coverage {
        #[command(flatten)]
        from: Source,
        /// How many silent hours make a gap.
        #[arg(long, value_name = "HOURS", default_value_t = 6)]
        gap: i64,
        /// The form of the output.
        #[arg(long, short, default_value = "terminal")]
        format: Form,
    },
    /// Prove by CloudTrail's digest files that no log file was changed or removed. Works without a network if the public keys are given.
    Verify {
        /// A folder that holds the bucket's files, digests included; or the bucket itself, as `s3://bucket/prefix`: there the newest
        /// digest's signature is known, too.
        place: PathBuf,
        /// What `aws cloudtrail list-public-keys` answered.
        #[arg(long, value_name = "FILE")]
        public_keys: Vec<PathBuf>,
        /// Ask CloudTrail for the public keys of the digests' Regions and times.
        #[arg(long)]
        fetch_keys: bool,
        #[command(flatten)]
        sign_in: SignIn,
        /// The form of the output.
        #[arg(long, short, default_value = "terminal")]
        format: Form,
    },
}

/// Where the events come from.
#[derive(Debug, Args)]
struct Source {
    /// Log files, folders or patterns; `-` reads standard input, `s3://bucket/prefix` a bucket.
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Only files delivered on or after this day, by their names: 2026-01-31.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Only files delivered on or before this day.
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// A MaxMind file (City, Country, ASN) that tells where an address is and whose; may be given several times.
    #[arg(long, value_name = "FILE")]
    geoip: Vec<PathBuf>,
    #[command(flatten)]
    sign_in: SignIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// For a person.
    Terminal,
    /// One JSON value a line.
    Jsonl,
    /// OCSF 1.5 API Activity and Authentication, one a line.
    Ocsf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    /// The principal.
    Actor,
    /// The access key.
    Key,
    /// The address.
    Ip,
    /// The resource.
    Resource,
}

/// Investigates.
pub(crate) fn run(args: &TrailArgs) -> Result<Exit> {
    match &args.action {
        Action::Timeline { from, actor, resource, ip, writes, parquet, format } => {
            let mut parts: Vec<String> = vec![];
            let mut put = |field: &str, value: &Option<String>| parts.extend(value.iter().map(|v| format!("{field}=\"{v}\"")));
            put("who", actor);
            put("on", &resource.as_ref().map(|name| format!("*{name}*")));
            put("from", ip);
            if *writes {
                parts.push("readOnly!=true".to_owned());
            }
            timeline(from, &parts.join(" "), *format, parquet.as_deref())
        }
        Action::Query { question, from, parquet, format } => timeline(from, question, *format, parquet.as_deref()),
        Action::Summary { from, by, query, format } => summary(from, *by, query.as_deref().unwrap_or_default(), *format),
        Action::Coverage { from, gap, format } => coverage(from, *gap, *format),
        Action::Verify { place, public_keys, fetch_keys, sign_in, format } => {
            verify::run(place, public_keys, sign_in, *fetch_keys, *format)
        }
    }
}

/// Hands every event that fits to `see`, with the time its file was delivered where the name tells it; tells what could not be
/// read.
fn each(source: &Source, question: &str, see: &mut dyn FnMut(Sighting, Option<i64>)) -> Result<Outcome> {
    let mut paths = Paths::new();
    let standard = Standard::new(&mut paths);
    let query = Query::parse(question, &mut paths).map_err(anyhow::Error::msg)?;
    crate::buckets::sign_in(source.sign_in.config()?);
    let (inputs, _) = inputs(&source.paths, &source.from, &source.to)?;
    let (mut totals, mut files, mut known) = (Outcome::default(), Files::default(), Known::default());
    for (number, input) in inputs.iter().enumerate() {
        let arrived = delivered(&input.name());
        let outcome = files.read(input, &paths, &mut |event| {
            if query.holds(event, &standard) {
                see(known.sighting(event, &standard, number as u32), arrived);
            }
        });
        outcome.complaints(&input.name()).iter().for_each(|line| note(line));
        totals.counts.add(&outcome.counts);
        totals.fault = totals.fault.or(outcome.fault);
    }
    Ok(totals)
}

fn timeline(source: &Source, question: &str, format: Form, lake: Option<&Path>) -> Result<Exit> {
    let places = Places::open(&source.geoip)?;
    let (mut events, mut more) = (vec![], 0u64);
    let totals = each(source, question, &mut |event, _| {
        if events.len() < EVENTS_MAX {
            events.push(event);
        } else {
            more += 1;
        }
    })?;
    events.sort_by(|a, b| (a.time, &a.id, a.input, a.record).cmp(&(b.time, &b.id, b.input, b.record)));
    if let Some(folder) = lake {
        let records: Vec<_> = events.iter().map(detect::output::ocsf_activity).collect();
        output::lake(folder, &detect::output::lake(&records).map_err(anyhow::Error::msg)?)?;
    }
    let mut out = String::new();
    for event in &events {
        match format {
            Form::Terminal => terminal_line(event, &places, &mut out),
            Form::Jsonl => drop(writeln!(out, "{}", event_line(event, &places))),
            Form::Ocsf => drop(writeln!(out, "{}", detect::output::ocsf_activity(event))),
        }
    }
    output::print(&out)?;
    let cut = if more > 0 { format!("; {more} more are not shown: ask a narrower question") } else { String::new() };
    note(&format!("{} of {} records fit{cut}", events.len(), totals.counts.parsed));
    Ok(Exit::Clean)
}

/// No control character of a log reaches a terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn terminal_line(event: &Sighting, places: &Places, out: &mut String) {
    let service = event.source.split('.').next().unwrap_or_default();
    let error = event.error.as_deref().map(|code| format!("  {code}")).unwrap_or_default();
    let on = if event.resources.is_empty() { String::new() } else { format!("  on {}", event.resources.join(", ")) };
    let place = places.of(&event.address).map(|place| format!(" ({place})")).unwrap_or_default();
    let line = format!(
        "{}  {service}:{}{error}  {}  {}{place}  {}{on}",
        time::text(event.time),
        event.name,
        event.actor.id,
        event.address,
        event.region
    );
    let _ = writeln!(out, "{}", clean(&line));
}

fn event_line(event: &Sighting, places: &Places) -> serde_json::Value {
    let mut line = json!({
        "schema": "palisade/trail-event/1", "time": time::text(event.time), "id": event.id, "name": event.name, "source": event.source,
        "region": event.region, "account": event.account, "address": event.address, "agent": event.agent, "error": event.error,
        "actor": event.actor, "resources": event.resources, "record": event.record,
    });
    if let (Some(place), Some(fields)) = (places.of(&event.address), line.as_object_mut()) {
        fields.insert("place".to_owned(), place.into());
    }
    line
}

fn summary(source: &Source, by: By, question: &str, format: Form) -> Result<Exit> {
    let places = Places::open(&source.geoip)?;
    let mut summary = Summary::default();
    each(source, question, &mut |event, _| match by {
        By::Actor => summary.add(&event.actor.id, &event),
        By::Key => summary.add(event.actor.access_key.as_deref().unwrap_or("none"), &event),
        By::Ip => summary.add(&event.address, &event),
        By::Resource => event.resources.iter().for_each(|resource| summary.add(resource, &event)),
    })?;
    let mut out = String::new();
    for mut line in summary.lines() {
        let of = |address: &String| Some((address.clone(), places.of(address)?.into()));
        let found: serde_json::Map<String, serde_json::Value> =
            line.get("addresses").and_then(|v| v.as_object()).into_iter().flat_map(|map| map.keys().filter_map(of)).collect();
        if let (false, Some(fields)) = (found.is_empty(), line.as_object_mut()) {
            fields.insert("places".to_owned(), found.into());
        }
        if format == Form::Terminal {
            summary_text(&line, &mut out);
        } else {
            let _ = writeln!(out, "{line}");
        }
    }
    output::print(&out)?;
    if summary.more > 0 {
        note(&format!("{} events belong to more keys than are summed up", summary.more));
    }
    Ok(Exit::Clean)
}

fn summary_text(line: &serde_json::Value, out: &mut String) {
    let text = |key: &str| line.get(key).map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).unwrap_or_default();
    let _ = writeln!(out, "{}", clean(&text("key")));
    let _ = writeln!(
        out,
        "  {} to {}, {} events, {} refused or failed",
        text("first_seen"),
        text("last_seen"),
        text("events"),
        text("errors")
    );
    for (label, key) in [
        ("calls", "calls"),
        ("regions", "regions"),
        ("from", "addresses"),
        ("keys", "keys"),
        ("with", "agents"),
        ("by", "actors"),
    ] {
        let Some(map) = line.get(key).and_then(|v| v.as_object()) else { continue };
        let mut counts: Vec<(u64, &String)> = map.iter().map(|(name, count)| (count.as_u64().unwrap_or(0), name)).collect();
        counts.sort_by_key(|(count, name)| (std::cmp::Reverse(*count), (*name).clone()));
        let place = |name: &str| line.get("places").and_then(|places| places.get(name)).and_then(|place| place.as_str());
        let place =
            |name: &str| place(name).filter(|_| key == "addresses").map(|place| format!(" ({place})")).unwrap_or_default();
        let shown: Vec<String> =
            counts.iter().take(6).map(|(count, name)| clean(&format!("{name}{} x{count}", place(name)))).collect();
        let more = counts.len().saturating_sub(6);
        let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
        if !shown.is_empty() {
            let _ = writeln!(out, "  {label:<8} {}{rest}", shown.join(", "));
        }
    }
}

fn coverage(source: &Source, gap: i64, format: Form) -> Result<Exit> {
    let mut coverage = Coverage::default();
    each(source, "", &mut |event, arrived| coverage.add(&event, arrived))?;
    let gaps = coverage.gaps(gap.max(1));
    let mut out = String::new();
    for Covered { account, region, first, last, hours, events, delay } in coverage.regions() {
        let silent: Vec<_> = gaps.iter().filter(|gap| gap.account == account && gap.region == region).collect();
        if format != Form::Terminal {
            let gaps: Vec<_> = silent.iter().map(|g| json!({"from": time::text(g.from), "to": time::text(g.to)})).collect();
            let line = json!({
                "schema": "palisade/trail-coverage/1", "account": account, "region": region, "first_hour": time::text(first),
                "last_hour": time::text(last), "hours": hours, "events": events, "gaps": gaps,
                "delivery_minutes": delay.map(|d| json!({"median": d.median, "most": d.most, "longest": d.longest})),
            });
            let _ = writeln!(out, "{line}");
            continue;
        }
        let span = format!("{} to {}", time::text(first), time::text(last));
        let _ = writeln!(out, "{}  {span}: {events} events in {hours} hours", clean(&format!("{account} {region}")));
        if let Some(delay) = delay {
            let _ = writeln!(
                out,
                "  delivered {} minutes after the event at the median, {} at the 95th percentile, {} at the longest",
                delay.median, delay.most, delay.longest
            );
        }
        for gap in silent {
            let _ = writeln!(out, "  silent from {} to {}", time::text(gap.from), time::text(gap.to));
        }
    }
    output::print(&out)?;
    Ok(if gaps.is_empty() { Exit::Clean } else { Exit::Findings })
}
