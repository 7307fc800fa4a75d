//! Who can do what, in an account: effective access of every principal under all policies that were read.

use model::Truth;

use crate::account::{Account, Principal};
use crate::case::{self, Proof};
use crate::document::Effect;
use crate::evaluate::{Decision, Judgement, evaluate};

/// The answer for one principal.
#[derive(Clone, Debug)]
pub struct Access<'a> {
    /// Who.
    pub principal: &'a Principal,
    /// The decision; unknown if it hangs on conditions or on what was not read.
    pub decision: Decision,
    /// What stands in the way, by name.
    pub blocked_by: Vec<String>,
    /// Statements, residual conditions, and reasons.
    pub proof: Proof,
}

/// Whether a principal can do something. Context keys that nobody gives are unknown.
pub fn can<'a>(
    account: &Account,
    principal: &'a Principal,
    action: &str,
    resource: &str,
    context: &[(String, String)],
) -> Access<'a> {
    let mut request = account.request(principal, action, resource);
    for (key, value) in context {
        request.context.set_text(key, value.as_str());
    }
    let policies = account.policies(principal, action, resource);
    let judgement: Judgement = evaluate(&request, &policies);
    let decision = judgement.decision();
    let mut proof = case::proof(&request, &policies, decision);
    let title = |label: &String| -> String { named(principal, label) };
    proof.statements = proof.statements.iter().map(title).collect();
    proof.conditions = proof.conditions.iter().map(title).collect();
    if decision != Decision::Unknown {
        proof.conditions.clear();
        proof.reasons.clear();
    }
    proof.reasons.sort_unstable();
    proof.reasons.dedup();
    let blocked_by = judgement.blocked_by.iter().map(|p| case::name(&policies, *p, None)).collect();
    Access { principal, decision, blocked_by, proof }
}

/// `identity[2].Statement[0]` with the policy's own name in place of its position.
fn named(principal: &Principal, label: &str) -> String {
    let Some((at, rest)) = label.strip_prefix("identity[").and_then(|l| l.split_once(']')) else { return label.to_owned() };
    match at.parse::<usize>().ok().and_then(|at| principal.policies.get(at)) {
        Some(attached) => format!("{}{rest}", attached.name),
        None => label.to_owned(),
    }
}

/// Everybody who can, or might, do something, in input order; those who certainly cannot are left out.
pub fn who_can<'a>(account: &'a Account, action: &str, resource: &str) -> Vec<Access<'a>> {
    account
        .principals
        .iter()
        .map(|principal| can(account, principal, action, resource, &[]))
        .filter(|a| matches!(a.decision, Decision::Allowed | Decision::Unknown))
        .collect()
}

/// Actions on resources that a principal's policies speak of, each with the effective decision.
#[derive(Clone, Debug)]
pub struct Reach {
    /// The action pattern.
    pub action: String,
    /// The resource pattern.
    pub resource: String,
    /// The decision for the pattern as a whole.
    pub decision: Decision,
    /// Residual conditions.
    pub conditions: Vec<String>,
    /// Denials of a part of it, as `Deny s3:Delete* on ..`.
    pub except: Vec<String>,
}

/// Most rows that one principal's reach is split into.
pub const REACH_ROWS_MAX: usize = 20_000;

/// What a principal can do, pattern by pattern. A row whose policy text is fully taken back by a boundary or a denial is left
/// out.
pub fn principal_can(account: &Account, principal: &Principal) -> Vec<Reach> {
    let mut rows: Vec<Reach> = Vec::new();
    let statements = || principal.policies.iter().flat_map(|a| &a.policy.statements);
    let denials: Vec<&crate::Statement> = statements().filter(|s| s.effect == Effect::Deny).collect();
    for statement in statements().filter(|s| s.effect == Effect::Allow) {
        let (actions, resources) = (&statement.actions, statement.resources.as_ref());
        let texts: Vec<String> = match resources {
            Some(r) if !r.negated => r.patterns.iter().map(|(_, t)| t.to_string()).collect(),
            _ => vec!["arn:aws:other:::other".to_owned()],
        };
        let patterns: Vec<String> = match actions.negated {
            false => actions.patterns.iter().map(|p| p.text.to_string()).collect(),
            true => vec!["other:other".to_owned()],
        };
        for action in &patterns {
            for resource in &texts {
                let access = can(account, principal, if action == "*" { "*:*" } else { action }, resource, &[]);
                if rows.len() >= REACH_ROWS_MAX || !matches!(access.decision, Decision::Allowed | Decision::Unknown) {
                    continue;
                }
                let shown = |text: &String, negated: bool, list: Vec<&str>| {
                    if negated { format!("all but {}", list.join(", ")) } else { text.clone() }
                };
                let named = actions.patterns.iter().map(|p| &*p.text).collect();
                let but = resources.map(|r| r.patterns.iter().map(|(_, t)| &**t).collect()).unwrap_or_default();
                rows.push(Reach {
                    action: shown(action, actions.negated, named),
                    resource: shown(resource, resources.is_none_or(|r| r.negated), but),
                    decision: access.decision,
                    conditions: access.proof.conditions,
                    except: exceptions(&denials, action),
                });
            }
        }
    }
    rows.sort_by(|a, b| (&a.action, &a.resource).cmp(&(&b.action, &b.resource)));
    rows.dedup_by(|a, b| a.action == b.action && a.resource == b.resource);
    rows
}

/// The denials that could concern a part of an action pattern.
fn exceptions(denials: &[&crate::Statement], action: &str) -> Vec<String> {
    let service = action.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let concerns = |s: &&&crate::Statement| {
        s.actions.negated
            || service == "*"
            || s.actions.patterns.iter().any(|p| p.service.matches(&service, &crate::request::Context::default()) != Truth::False)
    };
    let words = |s: &&crate::Statement| {
        let actions: Vec<&str> = s.actions.patterns.iter().map(|p| &*p.text).take(5).collect();
        let not = if s.actions.negated { "all but " } else { "" };
        format!("{}: Deny {not}{}", s.label(), actions.join(", "))
    };
    denials.iter().filter(concerns).map(words).collect()
}
