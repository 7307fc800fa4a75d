//! Questions about policy documents in files.

use std::fmt::Write;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use iam::case::{Case, Validate};
use iam::{Control, Inclusion, Openness, Owner, PolicyType};
use serde_json::{Value as Json, json};

use super::{Above, Form, PolicyForm, TypeName};
use crate::exit::Exit;
use crate::output;

/// The text of a file, or of standard input.
pub(super) fn text_of(path: &Path) -> Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

impl TypeName {
    pub(super) fn kind(self) -> PolicyType {
        match self {
            TypeName::Identity | TypeName::Boundary | TypeName::Session => PolicyType::Identity,
            TypeName::Resource | TypeName::Trust => PolicyType::Resource,
            TypeName::Scp => PolicyType::Scp,
            TypeName::Rcp | TypeName::VpcEndpoint => PolicyType::Rcp,
        }
    }
}

/// `iam eval`
pub(super) fn eval(path: &Path, validate: Validate) -> Result<Exit> {
    let text = text_of(path)?;
    let mut out = String::new();
    let mut answer = |case: &Json| {
        if let Json::String(error) = case {
            let _ = writeln!(out, "{}", json!({ "error": error }));
            return;
        }
        let answer = match iam::case::read(case, validate) {
            Ok(case) => Case::answer(&case),
            Err(error) => json!({ "error": error }),
        };
        let _ = writeln!(out, "{answer}");
    };
    let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    if serde_json::from_str::<serde::de::IgnoredAny>(first).is_ok() {
        for line in text.lines().filter(|l| !l.trim().is_empty()) {
            match serde_json::from_str::<Json>(line) {
                Ok(Json::Array(cases)) => cases.iter().for_each(&mut answer),
                Ok(case) => answer(&case),
                Err(error) => answer(&Json::String(format!("not JSON: {error}"))),
            }
        }
    } else {
        for document in serde_json::Deserializer::from_str(&text).into_iter::<Json>() {
            match document.with_context(|| format!("`{}` is not JSON", path.display()))? {
                Json::Array(cases) => cases.iter().for_each(&mut answer),
                case => answer(&case),
            }
        }
    }
    output::print(&out)?;
    Ok(Exit::Clean)
}

/// `iam no-broader`
pub(super) fn no_broader(reference: &Path, candidate: &Path, form: PolicyForm) -> Result<Exit> {
    let (reference, text) = (policy_text(reference)?, policy_text(candidate)?);
    let answer = iam::no_broader(&iam::policy_in(&reference), &iam::policy_in(&text), form.policy_type.kind());
    let words = match &answer {
        Inclusion::Yes => "yes: the candidate allows nothing that the reference does not allow\n".to_owned(),
        Inclusion::No { request, statements } => {
            let request = iam::request_json(request);
            let marks = excerpts(&text, statements);
            format!("no: the candidate allows what the reference does not\n  {}\n{marks}", request_words(&request))
        }
        Inclusion::Unknown(reasons) => format!("unknown: {}\n", reasons.join("; ")),
    };
    show(form.format, &answer.to_json(), &words)?;
    Ok(match answer {
        Inclusion::Yes => Exit::Clean,
        Inclusion::No { .. } => Exit::Findings,
        Inclusion::Unknown(_) => Exit::Incomplete,
    })
}

/// `principal may action on resource with key = value`
pub(super) fn request_words(request: &Json) -> String {
    let word = |name: &str| match request.get(name) {
        Some(Json::String(text)) => text.clone(),
        Some(other) => other.get("name").or(other.get("type")).and_then(Json::as_str).unwrap_or_default().to_owned(),
        None => String::new(),
    };
    let mut out = format!("{} may {} on {}", word("principal"), word("action"), word("resource"));
    let context = request.get("context").and_then(Json::as_object);
    for (key, value) in context.into_iter().flatten().filter(|(k, _)| !k.starts_with("aws:principal")) {
        let _ = write!(out, ", {key} = {value}");
    }
    out
}

/// The statements in the text that holds them, with their lines.
fn excerpts(text: &str, statements: &[String]) -> String {
    let mut out = String::new();
    let Some(places) = iam::places(text) else { return out };
    let lines: Vec<&str> = text.lines().collect();
    for label in statements {
        let _ = writeln!(out, "  {label}");
        let path = label.split(' ').next().unwrap_or_default();
        let single = path.trim_end_matches("[0]");
        let span = places.get(model::Path::parse(path)).or_else(|| places.get(model::Path::parse(single)));
        let Some(span) = span else { continue };
        let wanted = lines.get(span.line.saturating_sub(1) as usize..(span.end_line as usize).min(lines.len()));
        for (line, number) in wanted.unwrap_or_default().iter().take(20).zip(span.line..) {
            let shown: String = line.chars().take(160).collect();
            let _ = writeln!(out, "  {number:>5} | {}", report::printable(&shown));
        }
    }
    out
}

/// Whether text is a policy, or an answer of the AWS CLI that holds one, well-formed or not; else it is a template, a plan, or an
/// answer about many principals.
fn is_policy(text: &str) -> bool {
    match serde_json::from_str::<Json>(text) {
        Ok(json) => json.get("Statement").is_some() || !iam::policy_in(text).statements.is_empty(),
        Err(_) => text.trim_start().starts_with(['{', '%']) && text.contains("Statement") && !text.contains("\"Resources\""),
    }
}

/// The text of a file that holds a policy.
fn policy_text(path: &Path) -> Result<String> {
    let text = text_of(path)?;
    if !is_policy(&text) {
        let help = "a document with a `Statement`, or an answer of the AWS CLI that holds one";
        bail!("`{}` holds no policy\n  help: {help}", path.display());
    }
    Ok(text)
}

/// The text of a file that holds a policy; `None` if it is a folder or something else.
pub(super) fn policy_at(path: &Path) -> Result<Option<String>> {
    match path == Path::new("-") {
        true => policy_text(path).map(Some),
        false => Ok(Some(text_of_any(path)?).filter(|text| is_policy(text))),
    }
}

/// `iam diff` on two policies; `None` if they are something else.
pub(super) fn diff(old: &Path, new: &Path, form: PolicyForm) -> Result<Option<Exit>> {
    let (old_text, text) = match (policy_at(old)?, policy_at(new)?) {
        (None, None) => return Ok(None),
        (Some(old), Some(new)) => (old, new),
        (None, _) => bail!("`{}` holds no policy, and `{}` does", old.display(), new.display()),
        (_, None) => bail!("`{}` holds no policy, and `{}` does", new.display(), old.display()),
    };
    let (before, after) = (iam::policy_in(&old_text), iam::policy_in(&text));
    let kind = form.policy_type.kind();
    let (added, removed) = (iam::no_broader(&before, &after, kind), iam::no_broader(&after, &before, kind));
    let side = |answer: &Inclusion, verb: &str| match answer {
        Inclusion::Yes => format!("{verb} no access"),
        Inclusion::No { request, .. } => format!("{verb} access: {}", request_words(&iam::request_json(request))),
        Inclusion::Unknown(reasons) => format!("may have {verb} access: {}", reasons.join("; ")),
    };
    let words = format!("{}; {}\n", side(&added, "added"), side(&removed, "removed"));
    let part = |answer: &Inclusion| {
        let mut json = answer.to_json();
        if let Some(map) = json.as_object_mut() {
            map.remove("schema");
            let changed = match answer {
                Inclusion::Yes => "no",
                Inclusion::No { .. } => "yes",
                Inclusion::Unknown(_) => "unknown",
            };
            map.insert("answer".into(), changed.into());
        }
        json
    };
    let document = json!({ "schema": "palisade/iam.diff/1", "added": part(&added), "removed": part(&removed) });
    show(form.format, &document, &words)?;
    Ok(Some(match added {
        Inclusion::Yes => Exit::Clean,
        Inclusion::No { .. } => Exit::Findings,
        Inclusion::Unknown(_) => Exit::Incomplete,
    }))
}

/// The text of a file; none of a folder, or of a file that is no text, such as a snapshot.
pub(super) fn text_of_any(path: &Path) -> Result<String> {
    if path.is_dir() {
        return Ok(String::new());
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(String::from_utf8(bytes).unwrap_or_default())
}

/// `iam public` on one policy; `None` if the file is something else.
pub(super) fn public(path: &Path, account: Option<&str>, above: &Above, form: Form) -> Result<Option<Exit>> {
    let Some(text) = policy_at(path)? else { return Ok(None) };
    let mut rcp = Vec::new();
    for organisation in super::reading::organisations(above)? {
        rcp.extend(organisation.levels(Control::Resources, account).map_err(anyhow::Error::msg)?);
    }
    let exposure = iam::exposure(&iam::policy_in(&text), Owner { account, rcp: &rcp, resource: None });
    let mut words = match &exposure.openness {
        Openness::Public => "public: everybody is let in\n".to_owned(),
        Openness::PublicIf(conditions) => format!("public if {}\n", conditions.join(" and ")),
        Openness::CrossAccount(accounts) => format!("cross-account: open to {}\n", accounts.join(", ")),
        Openness::No => "no: nobody outside the account is let in\n".to_owned(),
        Openness::Unknown(reasons) => format!("unknown: {}\n", reasons.join("; ")),
    };
    if let Some(request) = &exposure.request {
        let _ = writeln!(words, "  {}", request_words(&iam::request_json(request)));
        words.push_str(&excerpts(&text, &exposure.statements));
    }
    if !exposure.deputies.is_empty() {
        let _ = writeln!(words, "  whatever account they act for: {}", exposure.deputies.join(", "));
    }
    show(form, &exposure.to_json(), &words)?;
    Ok(Some(exit_of(&exposure.openness)))
}

/// 0 for closed, 3 for unknown, 1 for the rest.
pub(super) fn exit_of(openness: &Openness) -> Exit {
    match openness {
        Openness::No => Exit::Clean,
        Openness::Unknown(_) => Exit::Incomplete,
        _ => Exit::Findings,
    }
}

/// Prints an answer in the form that was asked for.
pub(super) fn show(form: Form, document: &Json, words: &str) -> Result<()> {
    match form {
        Form::Json => output::print(&format!("{document}\n")),
        Form::Text => output::print(words),
    }
}
