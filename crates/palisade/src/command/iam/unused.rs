//! `palisade iam unused`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use iam::authorization::Authorization;
use iam::unused::{Calls, Unused, unused};
use iam::why;
use logs::paths::Paths;
use serde_json::{Value as Json, json};

use super::Where;
use super::documents::show;
use super::reading::{Learn, principals};
use crate::exit::Exit;
use crate::logfiles::{self, Files};
use crate::output;

/// What the trail says: the calls by the principal's ARN, and of which services there are data events.
#[derive(Default)]
struct Seen {
    calls: BTreeMap<String, Calls>,
    logged: BTreeSet<String>,
    events: usize,
    /// What could not be read, with file and place.
    gaps: Vec<String>,
}

/// A record of CSV has paths for names: `userIdentity.arn`. The same as objects in objects.
fn nested(record: Json) -> Json {
    let Json::Object(members) = record else { return record };
    if !members.keys().any(|key| key.contains('.')) {
        return Json::Object(members);
    }
    let mut out = serde_json::Map::new();
    for (key, value) in members {
        put(&mut out, &key, value, DEPTH_MAX);
    }
    Json::Object(out)
}

/// Most levels that a dotted name is taken apart into; CloudTrail's own records have five.
const DEPTH_MAX: usize = 8;

fn put(at: &mut serde_json::Map<String, Json>, path: &str, value: Json, depth: usize) {
    match path.split_once('.').filter(|_| depth > 0) {
        None => drop(at.insert(path.to_owned(), value)),
        Some((first, rest)) => {
            if let Json::Object(inner) = at.entry(first).or_insert_with(|| json!({})) {
                put(inner, rest, value, depth - 1);
            }
        }
    }
}

fn read(trail: &[PathBuf], facts: &Authorization) -> Result<Seen> {
    let (inputs, _) = logfiles::expand(trail)?;
    let paths = Paths::new();
    let mut files = Files::default();
    let mut seen = Seen::default();
    for input in &inputs {
        let (mut unnamed, mut first) = (0_usize, 0);
        let outcome = files.read(input, &paths, &mut |event| {
            let record = serde_json::from_slice::<Json>(event.bytes()).ok().map(nested);
            let Some(call) = record.as_ref().and_then(why::call_of) else {
                first = if unnamed == 0 { event.ordinal() } else { first };
                unnamed += 1;
                return;
            };
            seen.events += 1;
            seen.logged.extend(call.data_event.clone());
            seen.calls.entry(call.principal.clone()).or_default().add(&call, facts);
        });
        let mut gaps = outcome.complaints(&input.name());
        if unnamed > 0 {
            gaps.push(format!(
                "`{}`: who called what is not told, and left out, in records: {unnamed} (first: record {first})",
                input.name()
            ));
        }
        for line in gaps {
            crate::command::detect::note(&line);
            seen.gaps.push(line);
        }
    }
    Ok(seen)
}

/// Who does not use what, with a smaller policy for each.
pub(super) fn run(trail: &[PathBuf], principal: Option<&str>, places: &Where, learn: Learn<'_>) -> Result<Exit> {
    let facts = Authorization::built_in();
    let accounts = principals(&places.input, &places.above, learn)?;
    let mut seen = read(trail, facts)?;
    seen.gaps.extend(output::unread(&accounts.gaps));
    if seen.events == 0 {
        bail!("no CloudTrail event in what --trail names");
    }
    let (mut words, mut rows, mut exit) = (String::new(), Vec::new(), Exit::Clean);
    let mut found = false;
    for (_, account) in &accounts.all {
        for who in &account.principals {
            if principal.is_some_and(|p| account.find(p).is_none_or(|own| own.arn != who.arn)) {
                continue;
            }
            found = true;
            let mut calls = Calls::default();
            for (_, more) in seen.calls.iter().filter(|(arn, _)| account.find(arn).is_some_and(|own| own.arn == who.arn)) {
                calls.made.extend(more.made.iter().cloned());
                calls.unclear.extend(more.unclear.iter().cloned());
                calls.cut |= more.cut;
            }
            let answer = unused(account, who, &calls, &seen.logged, facts);
            if !answer.unused.is_empty() {
                exit = Exit::Findings;
            }
            tell(&who.arn, &answer, &mut words);
            rows.push(json!({
                "principal": &*who.arn, "used": answer.used, "unused": answer.unused, "policy": answer.policy,
                "replayed": answer.replayed, "unexplained": answer.unexplained, "reasons": answer.reasons,
            }));
        }
    }
    if let (Some(name), false) = (principal, found) {
        bail!("no principal `{name}` in what was read");
    }
    let logged: Vec<&String> = seen.logged.iter().collect();
    let document = json!({
        "schema": "palisade/iam.unused/1", "events": seen.events, "data_events": logged, "principals": rows, "gaps": seen.gaps,
    });
    show(places.format, &document, &words)?;
    Ok(exit)
}

fn tell(arn: &str, answer: &Unused, words: &mut String) {
    let _ = writeln!(words, "{arn}: {} actions used, {} grants never", answer.used.len(), answer.unused.len());
    for grant in &answer.unused {
        let _ = writeln!(words, "  never {}", report::printable(grant));
    }
    for call in &answer.unexplained {
        let _ = writeln!(words, "  allowed elsewhere: {}", report::printable(call));
    }
    for reason in &answer.reasons {
        let _ = writeln!(words, "  unknown: {}", report::printable(reason));
    }
    if let Some(policy) = &answer.policy {
        let text = serde_json::to_string_pretty(policy).unwrap_or_default();
        let _ = writeln!(words, "  enough for the {} calls that were made:", answer.replayed);
        for line in text.lines() {
            let _ = writeln!(words, "    {line}");
        }
    }
}
