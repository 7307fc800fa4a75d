//! Questions about the principals of an account.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use iam::case::decision_name;
use iam::{Access, Account, Decision, Inclusion, Openness, Owner, why};
use model::ScopeIndex;
use serde_json::{Value as Json, json};

use super::documents::{exit_of as exit_of_openness, request_words, text_of};
use super::reading::{self, Accounts, Learn, principals};
use super::{Form, Where};
use crate::cli::InputArgs;
use crate::exit::Exit;
use crate::input;
use crate::live::Wanted;

/// The account that has the principal, and the principal's name.
fn holding<'a>(accounts: &'a Accounts, principal: &str) -> Result<(&'a Account, &'a iam::account::Principal)> {
    match accounts.all.iter().find_map(|(_, account)| Some((account, account.find(principal)?))) {
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
    let accounts = principals(&places.input, &places.above, learn)?;
    let (account, found) = holding(&accounts, principal)?;
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
    accounts.show(places.format, document, &access_words(&access))?;
    Ok(exit_of(access.decision))
}

/// `iam who-can`
pub(super) fn who_can(action: &str, resource: &str, places: &Where, learn: Learn<'_>) -> Result<Exit> {
    let accounts = principals(&places.input, &places.above, learn)?;
    let mut words = String::new();
    let mut found: Vec<Access<'_>> = Vec::new();
    for (source, account) in &accounts.all {
        let first = found.len();
        found.extend(iam::who_can(account, action, resource));
        if accounts.all.len() > 1 && found.len() > first {
            let _ = writeln!(words, "{source}");
        }
        for access in found.iter().skip(first) {
            let _ = write!(words, "{}: {}", access.principal.arn, access_words(access));
        }
    }
    if found.is_empty() {
        words.push_str("nobody\n");
    }
    let rows: Vec<Json> = found.iter().map(access_json).collect();
    let document = json!({ "schema": "palisade/iam.who-can/1", "action": action, "resource": resource, "principals": rows });
    accounts.show(places.format, document, &words)?;
    Ok(accounts.exit(Exit::Clean))
}

/// `iam principal-can`
pub(super) fn principal_can(principal: &str, places: &Where, learn: Learn<'_>) -> Result<Exit> {
    let accounts = principals(&places.input, &places.above, learn)?;
    let (account, found) = holding(&accounts, principal)?;
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
    accounts.show(places.format, document, if words.is_empty() { "nothing\n" } else { &words })?;
    Ok(accounts.exit(Exit::Clean))
}

/// `iam why`
pub(super) fn why(event: &Path, places: &Where, learn: Learn<'_>) -> Result<Exit> {
    let text = text_of(event)?;
    let json: Json = serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", event.display()))?;
    let first = json.pointer("/Records/0").unwrap_or(&json);
    let Some(call) = why::call_of(first) else { bail!("`{}` is no CloudTrail event", event.display()) };
    let accounts = if places.input.input.is_empty() && !places.input.live.asked() {
        Accounts::default()
    } else {
        principals(&places.input, &places.above, learn)?
    };
    let access = accounts.all.iter().find_map(|(_, account)| why::replay(account, &call));
    let mut words = format!("{} asked for {} on {}\n", call.principal, call.action(), call.resource);
    if let Some(part) = why::blamed(&call.message) {
        let _ = writeln!(words, "AWS names the {part} policies: {}", report::printable(&call.message));
    }
    match &access {
        Some(access) => words.push_str(&access_words(access)),
        None if accounts.all.is_empty() => words.push_str("give --input to see the statement\n"),
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
    accounts.show(places.format, document, &words)?;
    Ok(access.map_or(Exit::Incomplete, |a| exit_of(a.decision)))
}

/// `iam diff` on templates, plans and folders.
pub(super) fn diff(old: &Path, new: &Path, form: Form, learn: Learn<'_>) -> Result<Exit> {
    let knowledge = learn()?;
    let mut both = Accounts::default();
    let mut read = |path: &Path| -> Result<Vec<Account>> {
        let snapshot = input::read(&[path.to_path_buf()], &InputArgs::default(), &knowledge, Wanted::Access)?;
        both.gaps.extend(reading::concerning(snapshot.gaps.clone(), &knowledge));
        Ok((0..snapshot.scopes.len()).map(|i| Account::from_snapshot_by_name(&snapshot, ScopeIndex(i as u32))).collect())
    };
    let (before, after) = (read(old)?, read(new)?);
    both.tell();
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
    both.show(form, json!({ "schema": "palisade/iam.diff/1", "changes": rows }), &words)?;
    Ok(both.exit(exit))
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
    let mut accounts = reading::read(&places.input, learn)?;
    accounts.tell();
    if !accounts.any {
        let named = places.input.input.iter().map(|path| format!("`{}`", path.display())).collect::<Vec<_>>();
        let help = "a policy, an answer of the AWS CLI, a template, a plan or a snapshot; or --live";
        bail!("no policies in {}\n  help: {help}", if named.is_empty() { "what was named".to_owned() } else { named.join(", ") });
    }
    accounts.under(&places.above)?;
    let (mut words, mut rows, mut exit) = (String::new(), Vec::new(), Exit::Clean);
    for (source, account) in &accounts.all {
        if accounts.all.len() > 1 {
            let _ = writeln!(words, "{source}");
        }
        let owner = Owner { account: owner.or(account.id.as_deref()), rcp: &account.rcp, resource: None };
        let trusts = account.principals.iter().filter_map(|p| Some((&p.label, p.trust_exposure(owner)?)));
        let resources = account.resources.iter().map(|r| (&r.label, r.exposure(owner)));
        for (label, exposure) in resources.chain(trusts) {
            exit = match (exit_of_openness(&exposure.openness), exit) {
                (Exit::Findings, _) | (_, Exit::Findings) => Exit::Findings,
                (Exit::Incomplete, _) | (_, Exit::Incomplete) => Exit::Incomplete,
                _ => Exit::Clean,
            };
            let proof = match &exposure.openness {
                Openness::Unknown(reasons) => format!("({})", reasons.join("; ")),
                _ => exposure.words(),
            };
            let line = format!("{label}: {} {}", exposure.openness.name(), report::printable(&proof));
            let _ = writeln!(words, "{}", line.trim_end());
            let mut row = exposure.to_json();
            if let Some(map) = row.as_object_mut() {
                map.remove("schema");
                map.insert("resource".into(), json!(&**label));
                map.insert("source".into(), json!(source));
            }
            rows.push(row);
        }
    }
    if rows.is_empty() {
        words.push_str("no resource or trust policies\n");
    }
    accounts.show(places.format, json!({ "schema": "palisade/iam.public/1", "resources": rows }), &words)?;
    Ok(accounts.exit(exit))
}
