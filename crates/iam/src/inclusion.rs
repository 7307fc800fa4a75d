//! Is one policy no broader than another?

use model::Truth;
use serde_json::{Value as Json, json};

use crate::document::{Effect, Policy};
use crate::evaluate::{Asked, Kind};
use crate::request::Request;
use crate::symbolic::search::{Goal, search, variables};

/// What a policy is attached to, which decides how its principals are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyType {
    /// Identity policies, boundaries and session policies.
    Identity,
    /// Resource policies and role trust policies.
    Resource,
    /// Service control policies.
    Scp,
    /// Resource control and endpoint policies.
    Rcp,
}

impl PolicyType {
    /// Reads `identity`, `resource`, `scp`, `rcp`, `boundary`, `session`, `trust`, `vpc-endpoint`.
    pub fn from_name(name: &str) -> Option<PolicyType> {
        Some(match name.to_ascii_lowercase().as_str() {
            "identity" | "boundary" | "session" => PolicyType::Identity,
            "resource" | "trust" => PolicyType::Resource,
            "scp" => PolicyType::Scp,
            "rcp" | "vpc-endpoint" | "vpc_endpoint" => PolicyType::Rcp,
            _ => return None,
        })
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            PolicyType::Identity => Kind::Identity,
            PolicyType::Scp => Kind::Scp,
            PolicyType::Resource => Kind::Resource,
            PolicyType::Rcp => Kind::Rcp,
        }
    }
}

/// Whether a candidate grants nothing that a reference does not grant.
#[derive(Clone, Debug, PartialEq)]
pub enum Inclusion {
    /// It grants nothing more.
    Yes,
    /// It allows this request, which the reference does not.
    No {
        /// A concrete request; the ordinary evaluation replays it.
        request: Box<Request>,
        /// The candidate's statements that allow it, by label.
        statements: Vec<String>,
    },
    /// It cannot be told.
    Unknown(Vec<String>),
}

/// Compares a candidate with a reference.
pub fn no_broader(reference: &Policy, candidate: &Policy, policy_type: PolicyType) -> Inclusion {
    no_broader_all(&[reference], &[candidate], policy_type)
}

/// Compares two sets of policies, each taken together.
pub fn no_broader_all(reference: &[&Policy], candidate: &[&Policy], policy_type: PolicyType) -> Inclusion {
    let kind = policy_type.kind();
    let open: Vec<Policy> = reference.iter().map(|p| p.with_open_placeholders()).collect();
    let reference: &[&Policy] = &open.iter().collect::<Vec<_>>();
    let goal = Goal { candidate, reference, kind, caller: &|_| true, entry: &|_, _| true, action: &|_, _| true, open: false };
    let mut found = search(&goal);
    if let Some(request) = found.request {
        let statements = allowing(&request, candidate, kind);
        return Inclusion::No { request: Box::new(request), statements };
    }
    let foreign = foreign_variables(reference, candidate);
    if !foreign.is_empty() {
        let open = search(&Goal { open: true, ..goal });
        if open.request.is_some() || !open.reasons.is_empty() {
            found.reasons.extend(foreign);
        }
    }
    if found.reasons.is_empty() { Inclusion::Yes } else { Inclusion::Unknown(found.reasons) }
}

/// The statements that allow a request, by label; with the policy's position if there are several.
pub(crate) fn allowing(request: &Request, policies: &[&Policy], kind: Kind) -> Vec<String> {
    let mut all = Vec::new();
    for (i, policy) in policies.iter().enumerate() {
        for statement in policy.statements.iter().filter(|s| s.effect == Effect::Allow) {
            if Asked::new(request).applies(statement, kind).any() == Truth::True {
                all.push(if policies.len() > 1 { format!("[{i}].{}", statement.label()) } else { statement.label() });
            }
        }
    }
    all
}

/// Patterns with variables that only one side has. A variable's values are tried by representatives only, which is enough
/// where both sides have the very same patterns, and nowhere else.
fn foreign_variables(reference: &[&Policy], candidate: &[&Policy]) -> Vec<String> {
    let templates = |policies: &[&Policy]| -> Vec<String> {
        let mut all = Vec::new();
        for statement in policies.iter().flat_map(|p| &p.statements).filter(|s| !variables(s).is_empty()) {
            let resources = statement.resources.iter().flat_map(|r| r.patterns.iter().map(|(_, t)| t));
            let texts = resources.chain(statement.conditions.iter().flat_map(|c| &c.texts));
            all.extend(texts.filter(|t| t.contains("${")).map(|t| t.to_string()));
        }
        all.sort_unstable();
        all.dedup();
        all
    };
    let (ours, theirs) = (templates(reference), templates(candidate));
    let foreign = ours.iter().filter(|t| !theirs.contains(t)).chain(theirs.iter().filter(|t| !ours.contains(t)));
    foreign.map(|t| format!("`{t}` depends on a policy variable")).collect()
}

impl Inclusion {
    /// `{"schema": "palisade/iam.no-broader/1", "answer": .., "request": ..?, "statements": ..?, "reasons": ..?}`
    pub fn to_json(&self) -> Json {
        let schema = "palisade/iam.no-broader/1";
        match self {
            Inclusion::Yes => json!({ "schema": schema, "answer": "yes" }),
            Inclusion::No { request, statements } => json!({
                "schema": schema, "answer": "no", "request": request_json(request), "statements": statements,
            }),
            Inclusion::Unknown(reasons) => json!({ "schema": schema, "answer": "unknown", "reasons": reasons }),
        }
    }
}

/// The action in its proper case, where it is known.
pub(crate) fn proper(request: &Request) -> String {
    crate::authorization::Authorization::built_in().proper(&request.action)
}

/// A request in the case form.
pub fn request_json(request: &Request) -> Json {
    let principal = match &request.caller {
        crate::Caller::Anonymous => json!({ "type": "Anonymous" }),
        crate::Caller::Provider(name) => json!({ "type": "Federated", "name": &**name }),
        crate::Caller::Service(name) => json!({ "type": "Service", "name": &**name }),
        other => json!(other.text()),
    };
    let mut out = json!({ "principal": principal, "action": proper(request), "resource": &**request.resource() });
    if let (Some(account), Json::Object(map)) = (&request.resource_account, &mut out) {
        map.insert("resource_account".into(), json!(&**account));
    }
    if let Json::Object(map) = &mut out {
        map.insert("context".into(), json!(request.context_json()));
    }
    out
}
