//! Representative callers.

use model::Text;

use super::witness::{Budget, Capped};
use crate::arn::{ArnPattern, Short};
use crate::document::{Clause, PrincipalPattern, Statement};
use crate::glob::Variables;
use crate::operator::Operand;
use crate::request::Caller;
use crate::unknown_name::is_account;

/// The account that stands for every account that no policy names.
pub(crate) const STRANGE_ACCOUNT: &str = "999999999999";

/// The name that stands for every user and role that no policy names.
pub(crate) const SOMEBODY: &str = "other";

/// Keys whose value follows from the caller.
pub(crate) const DERIVED: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principalservicename",
    "aws:principaltype",
    "aws:username",
];

/// One caller for every way in which the statements can tell callers apart.
pub(crate) fn callers(statements: &[&Statement], variables: &dyn Variables, budget: &Budget) -> Result<Vec<Caller>, Capped> {
    let mut accounts: Vec<Text> = vec![STRANGE_ACCOUNT.into()];
    let mut names: Vec<Text> = vec![SOMEBODY.into()];
    let mut all =
        vec![Caller::Anonymous, Caller::Service("other.amazonaws.com".into()), Caller::Provider("other.example".into())];
    let mut patterns: Vec<ArnPattern> = Vec::new();
    for statement in statements {
        for principal in statement.principal.iter().flat_map(|p| &p.patterns) {
            match principal {
                PrincipalPattern::Account(account) => accounts.push(account.clone()),
                PrincipalPattern::Arn(arn) => {
                    let caller = Caller::parse(arn);
                    if let Caller::Role(role) = &caller {
                        let session = format!("arn:aws:sts::{}:assumed-role/{}/session", role.account, role.name);
                        all.push(Caller::parse(&session));
                    }
                    accounts.extend(caller.account().cloned());
                    all.push(caller);
                }
                PrincipalPattern::Service(name) if &**name != "*" => all.push(Caller::Service(name.clone())),
                PrincipalPattern::Federated(name) if &**name != "*" => all.push(Caller::Provider(name.clone())),
                PrincipalPattern::Placeholder { text, .. } => {
                    let strange: Vec<&str> =
                        text.split(':').map(|f| if f.starts_with('<') { STRANGE_ACCOUNT } else { f }).collect();
                    all.push(Caller::parse(&strange.join(":")));
                }
                _ => {}
            }
        }
        for clause in &statement.conditions {
            from_clause(clause, &mut patterns, &mut accounts, &mut names, &mut all);
        }
    }
    accounts.retain(|a| is_account(a));
    accounts.sort_unstable();
    accounts.dedup();
    names.sort_unstable();
    names.dedup();
    if !patterns.is_empty() {
        from_patterns(patterns, &accounts, (variables, budget), &mut all)?;
    }
    for account in &accounts {
        all.push(Caller::parse(&format!("arn:aws:iam::{account}:root")));
        all.push(Caller::parse(&format!("arn:aws:iam::{account}:role/{SOMEBODY}")));
        all.extend(names.iter().map(|name| Caller::parse(&format!("arn:aws:iam::{account}:user/{name}"))));
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

fn from_clause(
    clause: &Clause,
    patterns: &mut Vec<ArnPattern>,
    accounts: &mut Vec<Text>,
    names: &mut Vec<Text>,
    all: &mut Vec<Caller>,
) {
    match &*clause.key {
        "aws:principalarn" => {
            for (operand, text) in clause.operands.iter().zip(&clause.texts) {
                match operand {
                    Operand::Arn(pattern) => patterns.push(pattern.clone()),
                    _ => patterns.push(ArnPattern::parse(text, false)),
                }
            }
        }
        "aws:principalaccount" => accounts.extend(clause.texts.iter().cloned()),
        "aws:username" => names.extend(clause.texts.iter().map(|t| Text::from(t.replace(['*', '?'], "x")))),
        "aws:principalservicename" => all.extend(clause.texts.iter().map(|t| Caller::Service(t.clone()))),
        _ => {}
    }
}

/// Callers whose ARNs show every combination of the patterns, by kind of caller and by account.
fn from_patterns(
    mut patterns: Vec<ArnPattern>,
    accounts: &[Text],
    (variables, budget): (&dyn Variables, &Budget),
    all: &mut Vec<Caller>,
) -> Result<(), Capped> {
    let kinds = ["arn:aws:iam::*:user/*", "arn:aws:iam::*:role/*", "arn:aws:iam::*:root", "arn:aws:sts::*:federated-user/*"];
    patterns.extend(kinds.iter().map(|k| ArnPattern::parse(k, false)));
    patterns.extend(accounts.iter().map(|a| ArnPattern::parse(&format!("arn:aws:iam::{a}:*"), false)));
    let refs: Vec<&ArnPattern> = patterns.iter().collect();
    for arn in super::arns(&refs, Short::Never, &["arn", "aws", "iam", "", STRANGE_ACCOUNT, SOMEBODY], variables, budget)? {
        let caller = Caller::parse(&arn);
        let real = caller.account().is_some_and(|a| is_account(a)) && !matches!(caller, Caller::Other(_));
        let named = caller.identity().is_some_and(|i| !i.name.is_empty());
        if real && named && arn.starts_with("arn:aws") {
            all.push(caller);
        }
    }
    Ok(())
}
