//! One evaluation case as JSON, one answer as JSON: for tests and for other programs.
//!
//! The form: `{"request": {"principal", "action", "resource", "resource_account", "context", "wildcard_only_action",
//! "derive_context"}, "policies": {"identity", "resource", "session", "boundary", "scp", "rcp", "vpc_endpoint"}, "s3", "mode"}`.
//! The context is what is given there; with `derive_context` the keys that follow from the principal and the resource are
//! added.

mod read;

use model::Text;
use serde_json::{Map as JsonMap, Value as Json, json};

use crate::arn::{Parts, Short};
use crate::document::{Effect, Policy};
use crate::evaluate::{Asked, Decision, Kind, Level, Part, Policies, evaluate};
use crate::request::{Breadth, Entry, Request};

pub(crate) use read::levels;
pub use read::read;

/// Largest case, in bytes.
pub const CASE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Most patterns a request for a resource pattern is split into.
pub const PATTERNS_MAX: usize = 256;

/// Whether policies are looked at before they are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Validate {
    /// Evaluate what is there.
    #[default]
    No,
    /// A problem in a policy is an error.
    Yes,
}

/// Answers one case. What cannot be read gives `{"error": ..}`.
pub fn eval_case(text: &str, validate: Validate) -> Json {
    if text.len() > CASE_BYTES_MAX {
        return json!({ "error": format!("the case is larger than {CASE_BYTES_MAX} bytes") });
    }
    match serde_json::from_str::<Json>(text) {
        Ok(case) => match read(&case, validate) {
            Ok(case) => case.answer(),
            Err(error) => json!({ "error": error }),
        },
        Err(error) => json!({ "error": format!("not JSON: {error}") }),
    }
}

/// A case, read and compiled: evaluating it again costs no parsing.
#[derive(Clone, Debug)]
pub struct Case {
    /// The request.
    pub request: Request,
    /// The policies.
    pub policies: Policies,
}

fn check(policies: &Policies) -> Result<(), String> {
    let mut all: Vec<(String, &Policy)> = Vec::new();
    each_policy(policies, &mut |part, i, policy| all.push((name(policies, part, Some(i)), policy)));
    for (part, policy) in all {
        if let Some(problem) = policy.problems.first() {
            let at = if problem.path.is_empty() { String::new() } else { format!(" at `{}`", problem.path) };
            return Err(format!("{part}{at}: {}", problem.message));
        }
    }
    Ok(())
}

/// Calls `visit` with every policy, its part, and its position in that part.
pub(crate) fn each_policy<'a>(policies: &'a Policies, visit: &mut dyn FnMut(Part, usize, &'a Policy)) {
    policies.identity.iter().enumerate().for_each(|(i, p)| visit(Part::Identity, i, p));
    policies.resource.iter().for_each(|p| visit(Part::Resource, 0, p));
    policies.boundary.iter().enumerate().for_each(|(i, p)| visit(Part::Boundary, i, p));
    policies.session.iter().for_each(|p| visit(Part::Session, 0, p));
    for (i, level) in policies.scp.iter().enumerate() {
        level.policies.iter().enumerate().for_each(|(k, p)| visit(Part::Scp(i), k, p));
    }
    for (i, level) in policies.rcp.iter().enumerate() {
        level.policies.iter().enumerate().for_each(|(k, p)| visit(Part::Rcp(i), k, p));
    }
    policies.vpc_endpoint.iter().enumerate().for_each(|(i, p)| visit(Part::VpcEndpoint, i, p));
}

/// `scp:r-1`, and `scp:r-1[0]` for a document in it.
pub(crate) fn name(policies: &Policies, part: Part, document: Option<usize>) -> String {
    let node = |levels: &[Level], i: usize| levels.get(i).map_or_else(String::new, |l| l.node.clone());
    let base = match part {
        Part::Identity => "identity".to_owned(),
        Part::Resource => return "resource".to_owned(),
        Part::Boundary => "boundary".to_owned(),
        Part::Session => return "session".to_owned(),
        Part::Scp(i) => format!("scp:{}", node(&policies.scp, i)),
        Part::Rcp(i) => format!("rcp:{}", node(&policies.rcp, i)),
        Part::VpcEndpoint => "vpc_endpoint".to_owned(),
        Part::BlockPublicAccess => return "s3_block_public_access".to_owned(),
        Part::ManagedByAws => return "managed_by_aws".to_owned(),
    };
    match document {
        Some(i) => format!("{base}[{i}]"),
        None => base,
    }
}

/// The name of a decision, as the case form writes it.
pub fn decision_name(decision: Decision) -> &'static str {
    match decision {
        Decision::Allowed => "Allowed",
        Decision::ImplicitlyDenied => "ImplicitlyDenied",
        Decision::ExplicitlyDenied => "ExplicitlyDenied",
        Decision::Unknown => "Unknown",
    }
}

/// What speaks for an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The statements that decide it: the denying ones if it is denied, or else the allowing ones.
    pub statements: Vec<String>,
    /// Conditions whose outcome is not known.
    pub conditions: Vec<String>,
    /// Why something is not known.
    pub reasons: Vec<String>,
}

/// Which statements speak for a decision about a request.
pub fn proof(request: &Request, policies: &Policies, decision: Decision) -> Proof {
    let mut out = Proof::default();
    let asked = Asked::among(request, policies);
    each_policy(policies, &mut |part, i, policy| {
        let kind = match part {
            Part::Resource => Kind::Resource,
            Part::Scp(_) => Kind::Scp,
            Part::Rcp(_) => Kind::Rcp,
            Part::VpcEndpoint => Kind::Endpoint,
            _ => Kind::Identity,
        };
        let home = name(policies, part, Some(i));
        if let Some(why) = &policy.unreadable {
            out.reasons.push(format!("{home}: {why}"));
        }
        for statement in &policy.statements {
            let truth = asked.applies(statement, kind).any();
            let label = || format!("{home}.{}", statement.label());
            let wanted = match decision {
                Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => Effect::Deny,
                _ => Effect::Allow,
            };
            match truth {
                model::Truth::False => {}
                model::Truth::True if statement.effect == wanted => out.statements.push(label()),
                model::Truth::True => {}
                model::Truth::Unknown => {
                    open_questions(request, policy, statement, &label(), &mut out);
                    if decision == Decision::Unknown {
                        out.statements.push(label());
                    }
                }
            }
        }
    });
    out.conditions.dedup();
    out
}

fn open_questions(request: &Request, policy: &Policy, statement: &crate::Statement, label: &str, out: &mut Proof) {
    if let Some(why) = &statement.unreadable {
        out.reasons.push(format!("{label}: {why}"));
    }
    let mut found = statement.unreadable.is_some() || policy.unreadable.is_some();
    for clause in statement.conditions.iter().filter(|c| c.holds(&request.context) == model::Truth::Unknown) {
        found = true;
        out.conditions.push(format!("{}: {}", label, clause.words()));
        if matches!(request.context.get(&clause.key), Entry::Unknown) {
            out.reasons.push(format!("`{}` is not known", clause.key_text));
        } else {
            out.reasons.push(format!("{label}: a value in `{}` is not known", clause.words()));
        }
    }
    if !found {
        out.reasons.push(format!("{label}: a part of the action, resource or principal is not known"));
    }
}

impl Case {
    /// The answer in the case form.
    pub fn answer(&self) -> Json {
        let mut answer = answer_one(&self.request, &self.policies);
        if self.request.breadth == Breadth::Set {
            let parts: Vec<Json> = self.parts();
            if let Json::Object(map) = &mut answer {
                map.insert("patterns".into(), parts.into());
            }
        }
        answer
    }

    /// A request for a resource pattern, answered for each pattern in the policies that lies within it.
    fn parts(&self) -> Vec<Json> {
        let mut patterns: Vec<Text> = Vec::new();
        let wanted = crate::arn::ArnPattern::parse(self.request.resource(), false);
        each_policy(&self.policies, &mut |_, _, policy| {
            for resources in policy.statements.iter().filter_map(|s| s.resources.as_ref()) {
                for (_, text) in &resources.patterns {
                    let inside = wanted.matches(&Parts::new(text), Short::Counts, &self.request.context) == model::Truth::True;
                    if inside && !patterns.contains(text) && patterns.len() < PATTERNS_MAX {
                        patterns.push(text.clone());
                    }
                }
            }
        });
        if !patterns.contains(self.request.resource()) {
            patterns.insert(0, self.request.resource().clone());
        }
        patterns.sort_unstable();
        patterns
            .iter()
            .map(|pattern| {
                let mut request = self.request.clone();
                request.set_resource(pattern);
                let mut answer = answer_one(&request, &self.policies);
                if let Json::Object(map) = &mut answer {
                    map.insert("resource".into(), json!(&**pattern));
                }
                answer
            })
            .collect()
    }
}

fn answer_one(request: &Request, policies: &Policies) -> Json {
    let judgement = evaluate(request, policies);
    let decision = judgement.decision();
    let proof = proof(request, policies, decision);
    let blocked: Vec<String> = judgement.blocked_by.iter().map(|p| name(policies, *p, None)).collect();
    let mut out = JsonMap::new();
    out.insert("decision".into(), decision_name(decision).into());
    out.insert("blocked_by".into(), blocked.into());
    if decision == Decision::Unknown {
        out.insert("conditions".into(), proof.conditions.into());
    }
    out.insert("statements".into(), proof.statements.into());
    let mut reasons = if decision == Decision::Unknown { proof.reasons } else { Vec::new() };
    if decision == Decision::Unknown && reasons.is_empty() {
        reasons.push("the resource's account is not known".into());
    }
    reasons.sort_unstable();
    reasons.dedup();
    out.insert("reasons".into(), reasons.into());
    Json::Object(out)
}
