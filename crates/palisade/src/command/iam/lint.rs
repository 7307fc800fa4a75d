//! `palisade iam lint`: what is wrong with policies, where.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use iam::authorization::Authorization;
use iam::{Policy, PolicyType, Problem};
use model::GapReason;
use serde_json::{Value as Json, json};

use super::documents::{policy_at, text_of_any};
use super::reading::{self, Accounts, Learn};
use super::{Form, TypeName};
use crate::cli::{InputArgs, LiveArgs};
use crate::exit::Exit;

/// What was found so far.
struct Findings<'a> {
    facts: &'a Authorization,
    kind: Option<TypeName>,
    words: String,
    rows: Vec<Json>,
}

/// Lints the policies in files, and every policy of the templates, plans and accounts that are named.
pub(super) fn run(
    files: &[PathBuf],
    input: &InputArgs,
    kind: Option<TypeName>,
    facts: Option<&Path>,
    form: Form,
    learn: Learn<'_>,
) -> Result<Exit> {
    let own = facts.map(table).transpose()?;
    let facts = own.as_ref().unwrap_or_else(|| Authorization::built_in());
    let mut found = Findings { facts, kind, words: String::new(), rows: Vec::new() };
    let mut accounts = Accounts::default();
    for path in files {
        match policy_at(path)? {
            Some(text) => found.document(path, &text),
            None => {
                let files = InputArgs { input: vec![path.clone()], live: LiveArgs::default(), ..input.clone() };
                let read = reading::read(&files, learn)?;
                // What is of no other kind either was meant to be a policy.
                let broken = read.gaps.iter().any(|gap| gap.reason == GapReason::Malformed);
                match !read.any && !broken && path.is_file() {
                    true => found.document(path, &text_of_any(path)?),
                    false => accounts.append(read),
                }
            }
        }
    }
    if !input.input.is_empty() || input.live.asked() {
        accounts.append(reading::read(input, learn)?);
    }
    accounts.tell();
    for (name, account) in &accounts.all {
        found.account(name, account);
    }
    let exit = if found.rows.is_empty() { Exit::Clean } else { Exit::Findings };
    if exit == Exit::Clean {
        found.words.push_str("nothing wrong\n");
    }
    accounts.show(form, json!({ "schema": "palisade/iam.lint/1", "problems": found.rows }), &found.words)?;
    Ok(accounts.exit(exit))
}

fn table(path: &Path) -> Result<Authorization> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Authorization::read(&bytes).map_err(|e| anyhow::anyhow!("`{}`: {e}", path.display()))
}

impl Findings<'_> {
    fn problems(&self, policy: &Policy, by_shape: PolicyType) -> Vec<Problem> {
        iam::lint(policy, self.kind.map_or(by_shape, TypeName::kind), self.facts)
    }

    fn document(&mut self, path: &Path, text: &str) {
        let policy = iam::policy_in(text);
        let places = iam::places(text);
        let named = policy.statements.iter().any(iam::Statement::has_principal);
        let by_shape = if named { PolicyType::Resource } else { PolicyType::Identity };
        let file = path.display().to_string();
        for problem in self.problems(&policy, by_shape) {
            let single = problem.path.replacen("Statement.", "Statement[0].", 1);
            let span = places.as_ref().and_then(|p| p.nearest(&problem.path).or_else(|| p.nearest(&single)));
            let at = span.map(|s| format!(":{}:{}", s.line, s.column)).unwrap_or_default();
            let place = json!({ "file": file, "line": span.map(|s| s.line), "column": span.map(|s| s.column) });
            self.add(&format!("{file}{at}"), place, &problem);
        }
    }

    /// Every policy that is attached in an account, once; those that AWS manages are not the account's to mend.
    fn account(&mut self, name: &str, account: &iam::Account) {
        let mut seen: Vec<*const Policy> = Vec::new();
        let resources = account.resources.iter().map(|r| (&r.label, "policy", &r.policy, PolicyType::Resource));
        let trusts = account.principals.iter().filter_map(|p| Some((&p.label, "trust", p.trust.as_ref()?, PolicyType::Resource)));
        let attached = account.principals.iter().flat_map(|p| {
            let own = p.policies.iter().chain(&p.boundary);
            let own = own.filter(|a| a.arn.as_deref().is_none_or(|arn| !arn.contains(":iam::aws:policy/")));
            own.map(|a| (&p.label, &*a.name, &a.policy, PolicyType::Identity))
        });
        for (subject, part, policy, kind) in resources.chain(trusts).chain(attached) {
            if seen.contains(&std::sync::Arc::as_ptr(policy)) {
                continue;
            }
            seen.push(std::sync::Arc::as_ptr(policy));
            for problem in self.problems(policy, kind) {
                let place = json!({ "file": name, "subject": &**subject, "policy": part });
                self.add(&format!("{name}: {subject}: {part}"), place, &problem);
            }
        }
    }

    fn add(&mut self, at: &str, mut row: Json, problem: &Problem) {
        let path = if problem.path.is_empty() { String::new() } else { format!(" {}:", problem.path) };
        let _ = writeln!(self.words, "{at}:{path} {}", report::printable(&problem.message));
        if let Some(help) = &problem.help {
            let _ = writeln!(self.words, "  help: {help}");
        }
        if let Some(map) = row.as_object_mut() {
            map.insert("path".into(), json!(problem.path));
            map.insert("message".into(), json!(problem.message));
            map.insert("help".into(), json!(problem.help));
        }
        self.rows.push(row);
    }
}
