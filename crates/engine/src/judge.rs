//! One check on one resource.

use catalogue::{Check, Compiled, Logic};
use expr::{Program, Template};
use model::{Confidence, Evidence, Finding, Fingerprint, ResourceRef, Text, Truth, Unknown, Value, Verdict, secret, to_json};
use sha2::{Digest, Sha256};

use crate::config::Config;
use crate::environment::Place;
use crate::native;

/// What a check says of a resource that it is about.
#[expect(clippy::large_enum_variant, reason = "it is taken apart where it arrives, and never kept")]
pub(crate) enum Judgement {
    /// A pass that nobody asked to see.
    Passed,
    /// Anything else, in full.
    Told(Finding),
}

/// What the check says of the resource; `None` if it is not about it.
pub(crate) fn judge(check: &Check, compiled: &Compiled, place: &Place<'_>, config: &Config) -> Option<Judgement> {
    if needs_live(compiled, place) || (check.file.code_only && !place.is_code()) {
        return None;
    }
    let (applies, mut reasons) = match &compiled.applies {
        Some(applies) => applies.truth(place),
        None => (Truth::True, Vec::new()),
    };
    if applies == Truth::False {
        return None;
    }
    let (fails, why) = match &compiled.logic {
        Logic::Expression(program) => program.truth(place),
        Logic::Native(name) => native::truth(name, place),
    };
    let fails = match (applies, fails) {
        // Of code: whether or not the check is about the resource, nothing fails. Of an account, a call that was refused must
        // not bring a pass about.
        (Truth::Unknown, Truth::False) if !place.is_code() => Truth::Unknown,
        (_, Truth::False) => Truth::False,
        (applies, fails) => applies.and(fails),
    };
    reasons.extend(why);
    let verdict = Verdict::from(fails);
    if verdict == Verdict::Pass && !config.passes {
        return Some(Judgement::Passed);
    }
    let evidence = evidence(compiled, place);
    let on_default = evidence.iter().any(|e| place.default_behind(&e.path).is_some());
    let span = offending(&evidence, place);
    let confidence = if on_default { check.file.confidence.min(Confidence::Medium) } else { check.file.confidence };
    let own = config.severities.get(check.id.as_str()).copied();
    let lower = check.file.lower.as_ref().zip(compiled.lower.as_ref());
    let lower = lower.filter(|(_, (when, _))| verdict == Verdict::Fail && when.truth(place).0 == Truth::True);
    let severity = own.unwrap_or(lower.map_or(check.file.severity, |(file, _)| file.severity));
    let words = lower.map_or(&compiled.message, |(_, (_, message))| message);
    let message = message(words, place, verdict, (&evidence, &reasons));
    Some(Judgement::Told(Finding {
        check: check.id.clone(),
        verdict,
        severity,
        confidence,
        pillar: check.file.pillar,
        layer: check.file.layer,
        message,
        resource: reference(place, span),
        evidence,
        reasons: if verdict == Verdict::Unknown { distinct(reasons) } else { Vec::new() },
        worlds: Vec::new(),
        suppression: None,
        same_as: check.file.same_as.clone(),
        fingerprint: fingerprint(check, place),
    }))
}

/// A pass that is compared with other worlds and not shown: without words, evidence or fingerprint.
pub(crate) fn passed(check: &Check, place: &Place<'_>) -> Finding {
    Finding {
        check: check.id.clone(),
        verdict: Verdict::Pass,
        severity: check.file.severity,
        confidence: check.file.confidence,
        pillar: check.file.pillar,
        layer: check.file.layer,
        message: Text::default(),
        resource: reference(place, None),
        evidence: Vec::new(),
        reasons: Vec::new(),
        worlds: Vec::new(),
        suppression: None,
        same_as: check.file.same_as.clone(),
        fingerprint: Fingerprint::default(),
    }
}

/// True if the check rests on facts that templates and plans do not carry, and this is one.
fn needs_live(compiled: &Compiled, place: &Place<'_>) -> bool {
    let Logic::Expression(program) = &compiled.logic else { return false };
    let under =
        |path: &str, live: &String| path.strip_prefix(live.as_str()).is_some_and(|r| r.is_empty() || r.starts_with(['.', '[']));
    place.is_code() && program.reads().any(|path| place.kind.file.live_only.iter().any(|live| under(path, live)))
}

fn evidence(compiled: &Compiled, place: &Place<'_>) -> Vec<Evidence> {
    let mut shown = Vec::with_capacity(compiled.evidence.len());
    for (path, program) in &compiled.evidence {
        let value = program.eval(place).value;
        let value = if is_secret(program, place) { hide(&value) } else { mask(to_json(&value)) };
        shown.push(Evidence { path: path.clone(), value, span: place.resource.spans.nearest(path) });
    }
    shown
}

/// True if the expression reads a path that the type file calls secret.
fn is_secret(program: &Program, place: &Place<'_>) -> bool {
    let plain = |path: &str| path.replace("[]", "");
    let touches = |read: &str, secret: &String| {
        let (read, secret) = (plain(read), plain(secret));
        read.starts_with(&secret) || secret.starts_with(&format!("{read}."))
    };
    program.reads().any(|read| place.kind.file.secret.iter().any(|s| touches(read, s)))
}

fn hide(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(b) => serde_json::Value::Bool(*b),
        Value::Link(_) | Value::Unknown(_) => to_json(value),
        _ => serde_json::Value::from(secret::HIDDEN),
    }
}

/// Masks secrets in every text, and cuts long ones.
fn mask(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as Json;
    match value {
        Json::String(text) => Json::String(short(&secret::mask(&text))),
        Json::Array(items) => {
            let more = items.len().saturating_sub(ITEMS_MAX);
            let mut items: Vec<Json> = items.into_iter().take(ITEMS_MAX).map(mask).collect();
            if more > 0 {
                items.push(Json::from(format!("... and {more} more")));
            }
            Json::Array(items)
        }
        Json::Object(members) => members.into_iter().map(|(k, v)| (secret::mask(&k).into_owned(), mask(v))).collect(),
        other => other,
    }
}

/// How many items of a list evidence shows.
const ITEMS_MAX: usize = 20;
/// How many characters of a text evidence shows.
const TEXT_CHARS_MAX: usize = 500;

fn short(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The first place that evidence names and the author wrote, else the resource's own.
fn offending(evidence: &[Evidence], place: &Place<'_>) -> Option<model::Span> {
    let own = place.resource.origin.span;
    let root = place.resource.spans.nearest("");
    evidence.iter().filter_map(|e| e.span).find(|s| Some(*s) != own && Some(*s) != root).or(own)
}

fn message(words: &Template, place: &Place<'_>, verdict: Verdict, (evidence, reasons): (&[Evidence], &[Unknown])) -> Text {
    let message = match verdict {
        Verdict::Fail => words.render(place),
        Verdict::Unknown => {
            let why: Vec<String> = reasons.iter().take(3).map(|u| format!("{} ({})", u.what, u.reason.words())).collect();
            Text::from(format!("cannot tell: {}", why.join(", ")))
        }
        // The message tells of the defect; what was found instead is the evidence.
        Verdict::Pass => {
            let shown: Vec<String> = evidence.iter().take(3).map(|e| format!("{} is {}", e.path, e.value)).collect();
            Text::from(shown.join(", "))
        }
    };
    match evidence.iter().find_map(|e| place.default_behind(&e.path)) {
        Some(since) => Text::from(format!("{message} (service default as of {since})")),
        None => message,
    }
}

fn reference(place: &Place<'_>, span: Option<model::Span>) -> ResourceRef {
    let resource = place.resource;
    let name = resource.name.clone().or_else(|| {
        let path = place.kind.file.name.as_deref()?;
        resource.prop(path).as_str().map(Text::from)
    });
    ResourceRef {
        id: resource.id.clone(),
        type_name: resource.type_name.clone(),
        account: resource.account.clone(),
        region: resource.region.clone(),
        name,
        file: resource.origin.file.clone(),
        span,
    }
}

fn distinct(mut reasons: Vec<Unknown>) -> Vec<Unknown> {
    let mut seen = std::collections::BTreeSet::new();
    reasons.retain(|r| seen.insert(r.clone()));
    reasons
}

/// The first eight bytes of SHA-256 over what identifies the finding, without its place in the file.
fn fingerprint(check: &Check, place: &Place<'_>) -> Fingerprint {
    let resource = place.resource;
    let mut hash = Sha256::new();
    let account = resource.account.as_ref().map_or("", model::AccountId::as_str);
    let region = resource.region.as_ref().map_or("", model::Region::as_str);
    let file = resource.origin.file.as_deref().unwrap_or_default();
    for part in [check.id.as_str(), resource.type_name.as_str(), &resource.id, account, region, file] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    Fingerprint(hash.finalize().iter().take(8).fold(0u64, |all, byte| all << 8 | u64::from(*byte)))
}
