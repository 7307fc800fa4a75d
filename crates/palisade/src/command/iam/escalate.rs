//! `palisade iam escalate`

use std::fmt::Write;

use anyhow::Result;
use iam::Account;
use iam::escalation::{self, Drawing};
use model::Truth;
use serde_json::{Value as Json, json};

use super::reading::{Learn, principals};
use super::{Above, Form, GraphForm};
use crate::cli::InputArgs;
use crate::exit::Exit;
use crate::output;

/// Who can become admin, by which steps: in words, for programs, or drawn.
pub(super) fn run(format: GraphForm, input: &InputArgs, above: &Above, learn: Learn<'_>) -> Result<Exit> {
    let accounts = principals(input, above, learn)?;
    let (mut words, mut rows, mut reasons) = (String::new(), Vec::new(), Vec::new());
    let mut drawing = Drawing::default();
    for (name, account) in &accounts.all {
        let graph = escalation::graph(account);
        drawing.add(account, &graph);
        reasons.extend(account.reasons.iter().chain(&graph.reasons).cloned());
        let _ = writeln!(words, "{name}");
        for (i, principal) in account.principals.iter().enumerate() {
            match graph.admin.get(i) {
                Some(Truth::True) => {
                    let _ = writeln!(words, "  {} is admin", principal.label);
                    rows.push(json!({ "principal": &*principal.arn, "admin": true, "steps": [] }));
                    continue;
                }
                Some(Truth::Unknown) => {
                    let _ = writeln!(words, "  {} may be admin", principal.label);
                }
                _ => {}
            }
            if let Some(path) = graph.path(i) {
                rows.push(chain(account, &path, &mut words));
            }
        }
    }
    let reachable = rows.iter().any(|r| r.get("admin") == Some(&Json::Bool(false)));
    let document = json!({ "schema": "palisade/iam.escalate/1", "principals": rows, "reasons": reasons });
    match format {
        GraphForm::Text => accounts.show(Form::Text, document, &words)?,
        GraphForm::Json => accounts.show(Form::Json, document, &words)?,
        GraphForm::Dot => output::print(&drawing.dot())?,
        GraphForm::Svg => output::print(&drawing.svg())?,
    }
    Ok(accounts.exit(if reachable { Exit::Findings } else { Exit::Clean }))
}

fn chain(account: &Account, path: &escalation::Path<'_>, words: &mut String) -> Json {
    let label = |at: usize| account.principals.get(at).map_or("?", |p| &p.label);
    let mut steps = Vec::new();
    for (n, step) in path.steps.iter().enumerate() {
        let to = if step.to == step.from { "admin" } else { label(step.to) };
        let how: Vec<String> = step.requests.iter().map(|(a, r)| format!("{a} on {r}")).collect();
        let indent = if n == 0 { "  " } else { "    then " };
        let _ = writeln!(words, "{indent}{} -> {to} by {} ({})", label(step.from), step.way, how.join(", "));
        for condition in &step.conditions {
            let _ = writeln!(words, "      if {}", report::printable(condition));
        }
        steps.push(json!({
            "from": label(step.from), "to": to, "way": step.way, "conditions": step.conditions,
            "requests": step.requests.iter().map(|(a, r)| json!({ "action": a, "resource": r })).collect::<Vec<_>>(),
        }));
    }
    let first = path.steps.first().map_or("?", |s| label(s.from));
    let arn = account.find(first).map_or(first, |p| &p.arn);
    json!({ "principal": arn, "admin": false, "certain": path.certain, "steps": steps })
}
