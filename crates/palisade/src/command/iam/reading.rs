//! What questions about accounts are answered from, and what of it could not be read.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use iam::{Account, Control, Organisation};
use model::{Gap, ScopeIndex, TypeName};
use serde_json::{Value as Json, json};

use super::documents::{show, text_of, text_of_any};
use super::{Above, Form};
use crate::cli::InputArgs;
use crate::exit::Exit;
use crate::input::{self, Knowledge};
use crate::live::{self, Wanted};
use crate::output;

pub(super) type Learn<'a> = &'a dyn Fn() -> Result<Knowledge>;

/// Accounts, and how completely they were read.
#[derive(Default)]
pub(super) struct Accounts {
    /// One for each saved `get-account-authorization-details` answer, template, plan, state and live account that has principals
    /// or policies, with the name of what it was read from.
    pub(super) all: Vec<(String, Account)>,
    /// What could not be read, as far as it matters.
    pub(super) gaps: Vec<Gap>,
    /// Whether anything was read at all, with principals and policies or without.
    pub(super) any: bool,
}

/// Reads everything that was named, and says what could not be read.
pub(super) fn read(places: &InputArgs, learn: Learn<'_>) -> Result<Accounts> {
    let mut out = Accounts::default();
    let mut others: Vec<PathBuf> = Vec::new();
    for path in &places.input {
        match details(path)? {
            Some(account) => out.all.push((path.display().to_string(), account)),
            None => others.push(path.clone()),
        }
    }
    out.any = !out.all.is_empty();
    if !others.is_empty() || places.live.asked() {
        let knowledge = learn()?;
        let snapshot = input::read(&others, places, &knowledge, Wanted::Access)?;
        let organisation = Organisation::from_snapshot(&snapshot);
        out.any |= !snapshot.scopes.is_empty();
        for (i, scope) in snapshot.scopes.iter().enumerate() {
            let mut account = Account::from_snapshot(&snapshot, ScopeIndex(i as u32));
            account.under(&organisation);
            if !account.principals.is_empty() || !account.resources.is_empty() {
                out.all.push((scope.title(), account));
            }
        }
        out.gaps.extend(concerning(snapshot.gaps, &knowledge));
    }
    Ok(out)
}

/// What of all that could not be read matters to who may do what.
pub(super) fn concerning(gaps: Vec<Gap>, knowledge: &Knowledge) -> impl Iterator<Item = Gap> {
    let access = |kind: &TypeName| live::decides_access(&knowledge.catalogue, kind);
    gaps.into_iter().filter(move |gap| gap.matters && gap.type_name.as_ref().is_none_or(access))
}

/// The account of a saved `get-account-authorization-details` answer; `None` for any other file.
fn details(path: &Path) -> Result<Option<Account>> {
    let text = match path == Path::new("-") {
        true => text_of(path)?,
        false if path.is_file() => text_of_any(path)?,
        false => return Ok(None),
    };
    let hint = ["UserDetailList", "RoleDetailList", "GroupDetailList"].iter().any(|key| text.contains(key));
    let answer = hint.then(|| serde_json::from_str::<Json>(&text).ok()).flatten();
    Ok(answer.as_ref().and_then(Account::from_authorization_details))
}

/// What a question about principals is answered from: everything that was named, under the control policies that were named.
/// There is at least one account.
pub(super) fn principals(input: &InputArgs, above: &Above, learn: Learn<'_>) -> Result<Accounts> {
    let mut accounts = read(input, learn)?;
    accounts.tell();
    if accounts.all.is_empty() {
        bail!(
            "no principals to ask about\n  help: --input FILE, an answer of `aws iam get-account-authorization-details`, a template or a plan"
        );
    }
    accounts.under(above)?;
    Ok(accounts)
}

impl Accounts {
    /// Adds what was read elsewhere.
    pub(super) fn append(&mut self, more: Accounts) {
        self.all.extend(more.all);
        self.gaps.extend(more.gaps);
        self.any |= more.any;
    }

    /// Says what could not be read.
    pub(super) fn tell(&self) {
        output::tell_gaps(&self.gaps);
    }

    /// Puts the accounts under the control policies that were named, and says why some of their answers stay open.
    pub(super) fn under(&mut self, above: &Above) -> Result<()> {
        for organisation in organisations(above)? {
            for (_, account) in &mut self.all {
                account.under(&organisation);
            }
        }
        let mut told: Vec<&String> = Vec::new();
        for reason in self.all.iter().flat_map(|(_, account)| &account.reasons) {
            if !told.contains(&reason) {
                output::tell(&report::printable(reason));
                told.push(reason);
            }
        }
        Ok(())
    }

    /// Prints an answer, with what could not be read.
    pub(super) fn show(&self, form: Form, mut document: Json, words: &str) -> Result<()> {
        if let Some(map) = document.as_object_mut() {
            map.insert("gaps".into(), json!(self.gaps));
        }
        show(form, &document, words)
    }

    /// The outcome of an answer about everything that was named: clean only if all of it was read.
    pub(super) fn exit(&self, exit: Exit) -> Exit {
        if exit == Exit::Clean && !self.gaps.is_empty() { Exit::Incomplete } else { exit }
    }
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
