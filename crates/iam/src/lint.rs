//! Is a policy well-formed, and does it mean something?

use model::Truth;

use crate::arn::ArnPattern;
use crate::authorization::{self, Authorization};
use crate::document::{Effect, Policy, Problem, Statement};
use crate::glob::Matcher;
use crate::inclusion::PolicyType;
use crate::request::Context;

/// Most problems that are told of one policy.
pub const PROBLEMS_MAX: usize = 1_000;

/// Everything wrong with a policy: its shape, actions, resources and keys that nobody knows, elements that do not belong.
pub fn lint(policy: &Policy, policy_type: PolicyType, facts: &Authorization) -> Vec<Problem> {
    let mut all = policy.problems.clone();
    for statement in &policy.statements {
        if all.len() >= PROBLEMS_MAX {
            break;
        }
        let path = format!("Statement[{}]", statement.index);
        elements(statement, policy_type, &path, &mut all);
        actions(statement, facts, &path, &mut all);
        keys(statement, facts, &path, &mut all);
        idle(policy, statement, &path, &mut all);
    }
    all.truncate(PROBLEMS_MAX);
    all
}

fn problem(all: &mut Vec<Problem>, path: String, message: String, help: Option<&str>) {
    all.push(Problem { path, message, help: help.map(str::to_owned) });
}

/// Elements that the kind of policy wants or refuses.
fn elements(statement: &Statement, policy_type: PolicyType, path: &str, all: &mut Vec<Problem>) {
    match (policy_type, statement.principal.is_some()) {
        (PolicyType::Identity | PolicyType::Scp, true) => {
            let help = Some("only policies of resources name principals");
            problem(all, format!("{path}.Principal"), "a principal has no place here".to_owned(), help);
        }
        (PolicyType::Resource, false) => {
            problem(all, path.to_owned(), "a resource policy names its principals".to_owned(), Some("add `Principal`"));
        }
        _ => {}
    }
    if policy_type == PolicyType::Identity && statement.resources.is_none() {
        problem(all, path.to_owned(), "neither `Resource` nor `NotResource`".to_owned(), Some("add `Resource`"));
    }
    let negated = |p: &crate::document::Principals| p.negated;
    if statement.effect == Effect::Allow && statement.principal.as_ref().is_some_and(negated) {
        let help = Some("name those who are let in, or deny with `NotPrincipal`");
        problem(all, format!("{path}.NotPrincipal"), "lets in everybody but the named".to_owned(), help);
    }
}

fn actions(statement: &Statement, facts: &Authorization, path: &str, all: &mut Vec<Problem>) {
    let element = if statement.actions.negated { "NotAction" } else { "Action" };
    let nothing = Context::default();
    for (i, pattern) in statement.actions.patterns.iter().enumerate() {
        let Some(service) = pattern.service.exact() else { continue };
        let at = || format!("{path}.{element}[{i}]");
        if !facts.has_service(service) {
            problem(all, at(), format!("no service is called `{service}`"), None);
            continue;
        }
        match &pattern.name {
            Matcher::Exact(name) => match facts.action(service, name) {
                None => problem(all, at(), format!("`{}` is no known action", pattern.text), None),
                Some(action) => resources(statement, &action, facts, (service, path), all),
            },
            Matcher::Any => {}
            glob => {
                let some = facts.actions(service).any(|a| glob.matches(&a.name.to_ascii_lowercase(), &nothing) != Truth::False);
                if !some {
                    problem(all, at(), format!("`{}` matches no known action", pattern.text), None);
                }
            }
        }
    }
}

/// An allowed action that takes none of the resources of its statement.
fn resources(
    statement: &Statement,
    action: &authorization::Action<'_>,
    facts: &Authorization,
    (service, path): (&str, &str),
    all: &mut Vec<Problem>,
) {
    let Some(resources) = statement.resources.as_ref().filter(|r| !r.negated && statement.effect == Effect::Allow) else {
        return;
    };
    let open = resources.patterns.iter().any(|(p, _)| !matches!(p, ArnPattern::Fields(_) | ArnPattern::Malformed(_)));
    if open || resources.patterns.is_empty() {
        return;
    }
    let takes = |(pattern, _): &(ArnPattern, model::Text)| {
        action.resources.iter().any(|kind| {
            let known = facts.resource(service, kind).and_then(|arn| arn.split(':').nth(2));
            let field = pattern.field(2);
            known.is_none_or(|k| field.is_none_or(|f| f.matches(k, &Context::default()) != Truth::False))
        })
    };
    if action.resources.is_empty() {
        let what = format!("`{service}:{}` takes no resource, so only `*` grants it", action.name);
        problem(all, format!("{path}.Resource"), what, Some("give it a statement of its own with `\"Resource\": \"*\"`"));
    } else if !resources.patterns.iter().any(takes) {
        let what = format!("`{service}:{}` takes none of these resources", action.name);
        problem(all, format!("{path}.Resource"), what, None);
    }
}

/// Keys that none of the statement's actions has.
fn keys(statement: &Statement, facts: &Authorization, path: &str, all: &mut Vec<Problem>) {
    for clause in &statement.conditions {
        let Some((prefix, _)) = clause.key.split_once(':') else {
            let at = format!("{path}.Condition.{}.{}", clause.operator_text, clause.key_text);
            problem(all, at, format!("`{}` is no condition key", clause.key_text), Some("write `service:Key` or `aws:Key`"));
            continue;
        };
        let known = match prefix {
            "aws" => facts.global_key(&clause.key).is_some() || is_tag(&clause.key),
            prefix if !facts.has_service(prefix) => true,
            prefix => facts.keys(prefix).any(|(k, _)| authorization::same_key(&k.to_ascii_lowercase(), &clause.key)),
        };
        if !known {
            let at = format!("{path}.Condition.{}.{}", clause.operator_text, clause.key_text);
            problem(all, at, format!("`{}` is no known condition key", clause.key_text), None);
        }
    }
}

fn is_tag(key: &str) -> bool {
    ["aws:requesttag/", "aws:resourcetag/", "aws:principaltag/", "aws:tagkeys"].iter().any(|p| key.starts_with(p))
}

/// A statement that another one of the same effect makes superfluous, word for word.
fn idle(policy: &Policy, statement: &Statement, path: &str, all: &mut Vec<Problem>) {
    if policy.statements.len() > 500 {
        return;
    }
    let same = policy.statements.iter().take(statement.index).find(|earlier| {
        earlier.effect == statement.effect
            && earlier.actions == statement.actions
            && earlier.resources == statement.resources
            && earlier.principal == statement.principal
            && earlier.conditions == statement.conditions
            && earlier.unreadable.is_none()
    });
    if let Some(earlier) = same {
        problem(all, path.to_owned(), format!("says the same as {}", earlier.label()), Some("remove it"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(statement: &str, kind: PolicyType) -> Vec<String> {
        let policy = Policy::from_json(&format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#));
        lint(&policy, kind, Authorization::built_in()).into_iter().map(|p| format!("{}: {}", p.path, p.message)).collect()
    }

    #[test]
    fn what_nobody_knows_or_needs() {
        let cases = [
            (r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*""#, ""),
            (r#""Action":"s3:GetObjekt","Resource":"*""#, "Statement[0].Action[0]: `s3:GetObjekt` is no known action"),
            (r#""Action":"s33:*","Resource":"*""#, "Statement[0].Action[0]: no service is called `s33`"),
            (r#""Action":"s3:Fetch*","Resource":"*""#, "Statement[0].Action[0]: `s3:Fetch*` matches no known action"),
            (
                r#""Action":"ec2:DescribeInstances","Resource":"arn:aws:ec2:*:*:instance/*""#,
                "Statement[0].Resource: `ec2:DescribeInstances` takes no resource, so only `*` grants it",
            ),
            (
                r#""Action":"s3:GetObject","Resource":"arn:aws:sqs:*:*:q""#,
                "Statement[0].Resource: `s3:GetObject` takes none of these resources",
            ),
            (
                r#""Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:NoSuch":"x"}}"#,
                "Statement[0].Condition.StringEquals.aws:NoSuch: `aws:NoSuch` is no known condition key",
            ),
            (
                r#""Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/a":"x","s3:ExistingObjectTag/a":"y"}}"#,
                "",
            ),
            (
                r#""Action":"s3:GetObject","Resource":"*","Principal":"*""#,
                "Statement[0].Principal: a principal has no place here",
            ),
            (r#""Action":"s3:GetObject""#, "Statement[0]: neither `Resource` nor `NotResource`"),
        ];
        for (members, want) in cases {
            let got = messages(&format!(r#"{{"Effect":"Allow",{members}}}"#), PolicyType::Identity);
            assert_eq!(got.join("\n"), want, "{members}");
        }
        let twice = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
        assert_eq!(messages(twice, PolicyType::Identity), ["Statement[1]: says the same as Statement[0]"]);
    }
}
