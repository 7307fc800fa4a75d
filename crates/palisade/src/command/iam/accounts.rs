//! Questions about the principals of an account.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use iam::case::decision_name;
use iam::{Access, Account, Control, Decision, Inclusion, Openness, Organisation, Owner, why};
use model::ScopeIndex;
use serde_json::{Value as Json, json};

use super::documents::{exit_of as exit_of_openness, request_words, show, text_of};
use super::{Above, Form, Where};
use crate::cli::InputArgs;
use crate::exit::Exit;
use crate::input::{self, Knowledge};
use crate::live::Wanted;
use crate::output;

pub(super) type Learn<'a> = &'a dyn Fn() -> Result<Knowledge>;

/// The accounts in everything that was named: saved `get-account-authorization-details` answers, and one for each template,
/// plan or state.
pub(super) fn accounts(places: &InputArgs, learn: Learn<'_>) -> Result<Vec<(String, Account)>> {
    let mut all = Vec::new();
    let mut others: Vec<PathBuf> = Vec::new();
    for path in &places.input {
        let details = if path.is_file() || path == Path::new("-") {
            let text = text_of(path)?;
            let hint = ["UserDetailList", "RoleDetailList", "GroupDetailList"].iter().any(|k| text.contains(k));
            hint.then(|| serde_json::from_str::<Json>(&text).ok()).flatten()
        } else {
            None
        };
        match details.as_ref().and_then(Account::from_authorization_details) {
            Some(account) => all.push((path.display().to_string(), account)),
            None => others.push(path.clone()),
        }
    }
    if !others.is_empty() || places.live.asked() {
        let snapshot = input::read(&others, places, &learn()?, Wanted::Access)?;
        let organisation = Organisation::from_snapshot(&snapshot);
        for (i, scope) in snapshot.scopes.iter().enumerate() {
            let mut account = Account::from_snapshot(&snapshot, ScopeIndex(i as u32));
            account.under(&organisation);
            if !account.principals.is_empty() || !account.resources.is_empty() {
                let world = if scope.world.is_empty() { String::new() } else { format!(" ({})", scope.world) };
                all.push((format!("{}{world}", scope.name), account));
            }
        }
    }
    if all.is_empty() {
        bail!(
            "no principals to ask about\n  help: --input FILE, an answer of `aws iam get-account-authorization-details`, a template or a plan"
        );
    }
    Ok(all)
}

/// The same, under the control policies that were named.
pub(super) fn under(input: &InputArgs, above: &Above, learn: Learn<'_>) -> Result<Vec<(String, Account)>> {
    let mut all = accounts(input, learn)?;
    for organisation in organisations(above)? {
        for (_, account) in &mut all {
            account.under(&organisation);
        }
    }
    let mut told: Vec<&String> = Vec::new();
    for reason in all.iter().flat_map(|(_, account)| &account.reasons) {
        if !told.contains(&reason) {
            output::tell(&format!("palisade: {}", report::printable(reason)));
            told.push(reason);
        }
    }
    Ok(all)
}

/// What the files about control policies hold.
pub(super) fn organisations(above: &Above) -> Result<Vec<Organisation>> {
    let mut all = Vec::new();
    for (file, control, what) in [(&above.scp, Control::Principals, "service"), (&above.rcp, Control::Resources, "resource")] {
        let Some(file) = file else { continue };
        let wrong = || format!("`{}` holds no {what} control policies", file.display());
        let document: Json = serde_json::from_str(&text_of(file)?).with_context(wrong)?;
        all.push(Organisation::from_json(&document, control).map_err(anyhow::Error::msg).with_context(wrong)?);
    }
    Ok(all)
}

/// The account that has the principal, and the principal's name.
fn holding<'a>(all: &'a [(String, Account)], principal: &str) -> Result<(&'a Account, &'a iam::account::Principal)> {
    match all.iter().find_map(|(_, account)| Some((account, account.find(principal)?))) {
        Some(found) => Ok(found),
        None => bail!("no principal `{principal}` in what was read"),
    }
}

fn access_json(access: &Access<'_>) -> Json {
    json!({
        "principal": &*access.principal.arn, "decision": decision_name(access.decision), "blocked_by": access.blocked_by,
        "statements": access.proof.statements, "conditions": access.proof.conditions, "reasons": access.proof.reasons,
    })
}

fn access_words(access: &Access<'_>) -> String {
    let mut out = match access.decision {
        Decision::Allowed => "allowed".to_owned(),
        Decision::ExplicitlyDenied => format!("denied explicitly by {}", access.blocked_by.join(", ")),
        Decision::ImplicitlyDenied => format!("denied: nothing allows it in {}", access.blocked_by.join(", ")),
        Decision::Unknown if access.proof.conditions.is_empty() => "unknown".to_owned(),
        Decision::Unknown => "depends on conditions".to_owned(),
    };
    out.push('\n');
    for (head, list) in
        [("  by", &access.proof.statements), ("  if", &access.proof.conditions), ("  because", &access.proof.reasons)]
    {
        if head == "  because" && !access.proof.conditions.is_empty() {
            continue;
        }
        for item in list {
            let _ = writeln!(out, "{head} {}", report::printable(item));
        }
    }
    out
}

fn exit_of(decision: Decision) -> Exit {
    match decision {
        Decision::Allowed => Exit::Clean,
        Decision::Unknown => Exit::Incomplete,
        Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => Exit::Findings,
    }
}

/// `iam can`
pub(super) fn can(principal: &str, request: (&str, &str), keys: &[String], places: &Where, learn: Learn<'_>) -> Result<Exit> {
    let all = under(&places.input, &places.above, learn)?;
    let (account, found) = holding(&all, principal)?;
    let pair = |text: &String| -> Result<(String, String)> {
        let (key, value) = text.split_once('=').with_context(|| format!("`{text}` is not KEY=VALUE"))?;
        Ok((key.to_owned(), value.to_owned()))
    };
    let context = keys.iter().map(pair).collect::<Result<Vec<_>>>()?;
    let access = iam::can(account, found, request.0, request.1, &context);
    let mut document = access_json(&access);
    if let Some(map) = document.as_object_mut() {
        map.insert("schema".into(), "palisade/iam.can/1".into());
    }
    show(places.format, &document, &access_words(&access))?;
    Ok(exit_of(access.decision))
}

/// `iam who-can`
pub(super) fn who_can(action: &str, resource: &str, places: &Where, learn: Learn<'_>) -> Result<Exit> {
    let all = under(&places.input, &places.above, learn)?;
    let found: Vec<Access<'_>> = all.iter().flat_map(|(_, account)| iam::who_can(account, action, resource)).collect();
    let mut words = String::new();
    for access in &found {
        let _ = write!(words, "{}: {}", access.principal.arn, access_words(access));
    }
    if found.is_empty() {
        words.push_str("nobody\n");
    }
    let rows: Vec<Json> = found.iter().map(access_json).collect();
    let document = json!({ "schema": "palisade/iam.who-can/1", "action": action, "resource": resource, "principals": rows });
    show(places.format, &document, &words)?;
    Ok(Exit::Clean)
}

/// `iam principal-can`
pub(super) fn principal_can(principal: &str, places: &Where, learn: Learn<'_>) -> Result<Exit> {
    let all = under(&places.input, &places.above, learn)?;
    let (account, found) = holding(&all, principal)?;
    let rows = iam::principal_can(account, found);
    let mut words = String::new();
    let mut list = Vec::new();
    for row in &rows {
        let _ = writeln!(words, "{} on {}", row.action, row.resource);
        for (head, items) in [("if", &row.conditions), ("except", &row.except)] {
            for item in items {
                let _ = writeln!(words, "  {head} {}", report::printable(item));
            }
        }
        list.push(json!({
            "action": row.action, "resource": row.resource, "decision": decision_name(row.decision),
            "conditions": row.conditions, "except": row.except,
        }));
    }
    let document = json!({ "schema": "palisade/iam.principal-can/1", "principal": &*found.arn, "access": list });
    show(places.format, &document, if words.is_empty() { "nothing\n" } else { &words })?;
    Ok(Exit::Clean)
}

/// `iam why`
pub(super) fn why(event: &Path, places: &Where, learn: Learn<'_>) -> Result<Exit> {
    let text = text_of(event)?;
    let json: Json = serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", event.display()))?;
    let first = json.pointer("/Records/0").unwrap_or(&json);
    let Some(call) = why::call_of(first) else { bail!("`{}` is no CloudTrail event", event.display()) };
    let all = if places.input.input.is_empty() && !places.input.live.asked() {
        Vec::new()
    } else {
        under(&places.input, &places.above, learn)?
    };
    let access = all.iter().find_map(|(_, account)| why::replay(account, &call));
    let mut words = format!("{} asked for {} on {}\n", call.principal, call.action(), call.resource);
    if let Some(part) = why::blamed(&call.message) {
        let _ = writeln!(words, "AWS names the {part} policies: {}", report::printable(&call.message));
    }
    match &access {
        Some(access) => words.push_str(&access_words(access)),
        None if all.is_empty() => words.push_str("give --input to see the statement\n"),
        None => words.push_str("its principal is not in what was read\n"),
    }
    let least = why::least_policy(&call);
    let denied = access.as_ref().is_some_and(|a| a.decision == Decision::ExplicitlyDenied);
    if !denied {
        let _ = writeln!(words, "least policy that allows it: {least}");
    }
    let document = json!({
        "schema": "palisade/iam.why/1", "principal": call.principal, "action": call.action(), "resource": call.resource,
        "blamed": why::blamed(&call.message), "access": access.as_ref().map(access_json),
        "least_policy": if denied { Json::Null } else { least },
    });
    show(places.format, &document, &words)?;
    Ok(access.map_or(Exit::Incomplete, |a| exit_of(a.decision)))
}

/// `iam diff` on templates, plans and folders.
pub(super) fn diff(old: &Path, new: &Path, form: Form, learn: Learn<'_>) -> Result<Exit> {
    let knowledge = learn()?;
    let read = |path: &Path| -> Result<Vec<Account>> {
        let snapshot = input::read(&[path.to_path_buf()], &InputArgs::default(), &knowledge, Wanted::Access)?;
        Ok((0..snapshot.scopes.len()).map(|i| Account::from_snapshot_by_name(&snapshot, ScopeIndex(i as u32))).collect())
    };
    let (before, after) = (read(old)?, read(new)?);
    let empty = Account::default();
    let (mut words, mut rows, mut exit) = (String::new(), Vec::new(), Exit::Clean);
    for i in 0..before.len().max(after.len()) {
        for change in iam::changes(before.get(i).unwrap_or(&empty), after.get(i).unwrap_or(&empty)) {
            for (answer, verb) in [(&change.added, "adds"), (&change.removed, "removes")] {
                let what = match answer {
                    Inclusion::Yes => continue,
                    Inclusion::No { request, .. } => {
                        format!("{verb} access: {}", request_words(&iam::request_json(request)))
                    }
                    Inclusion::Unknown(reasons) => format!("may have changed: {}", reasons.join("; ")),
                };
                let _ = writeln!(words, "{} ({}) {}", change.subject, change.part, report::printable(&what));
            }
            exit = match (&change.added, exit) {
                (Inclusion::No { .. }, _) | (_, Exit::Findings) => Exit::Findings,
                (Inclusion::Unknown(_), _) | (_, Exit::Incomplete) => Exit::Incomplete,
                (Inclusion::Yes, Exit::Clean) => Exit::Clean,
            };
            rows.push(json!({
                "subject": change.subject, "part": change.part, "added": side(&change.added), "removed": side(&change.removed),
            }));
        }
    }
    if words.is_empty() {
        words.push_str("no access is added or removed\n");
    }
    show(form, &json!({ "schema": "palisade/iam.diff/1", "changes": rows }), &words)?;
    Ok(exit)
}

/// `no`, `yes` with a request, or `unknown` with reasons.
fn side(answer: &Inclusion) -> Json {
    match answer {
        Inclusion::Yes => json!({ "answer": "no" }),
        Inclusion::No { request, statements } => {
            json!({ "answer": "yes", "request": iam::request_json(request), "statements": statements })
        }
        Inclusion::Unknown(reasons) => json!({ "answer": "unknown", "reasons": reasons }),
    }
}

/// `iam public` on every resource and trust policy of accounts, templates and plans.
pub(super) fn public(places: &Where, owner: Option<&str>, learn: Learn<'_>) -> Result<Exit> {
    let all = under(&places.input, &places.above, learn)?;
    let (mut words, mut rows, mut exit) = (String::new(), Vec::new(), Exit::Clean);
    for (_, account) in &all {
        let trusts = account.principals.iter().filter_map(|p| Some((&p.label, p.trust.as_ref()?)));
        for (label, policy) in account.resources.iter().map(|r| (&r.label, &r.policy)).chain(trusts) {
            let owner = Owner { account: owner.or(account.id.as_deref()), rcp: &account.rcp };
            let exposure = iam::exposure(policy, owner);
            exit = match (exit_of_openness(&exposure.openness), exit) {
                (Exit::Findings, _) | (_, Exit::Findings) => Exit::Findings,
                (Exit::Incomplete, _) | (_, Exit::Incomplete) => Exit::Incomplete,
                _ => Exit::Clean,
            };
            let proof = match &exposure.openness {
                Openness::Unknown(reasons) => format!("({})", reasons.join("; ")),
                _ => exposure.words(),
            };
            let _ = writeln!(words, "{label}: {} {}", exposure.openness.name(), report::printable(&proof));
            let mut row = exposure.to_json();
            if let Some(map) = row.as_object_mut() {
                map.remove("schema");
                map.insert("resource".into(), json!(&**label));
            }
            rows.push(row);
        }
    }
    if rows.is_empty() {
        words.push_str("no resource or trust policies\n");
    }
    show(places.format, &json!({ "schema": "palisade/iam.public/1", "resources": rows }), &words)?;
    Ok(exit)
}
