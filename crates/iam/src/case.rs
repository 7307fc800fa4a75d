//! One evaluation case as JSON, one answer as JSON: for tests and for other programs.
//!
//! The form: `{"request": {"principal", "action", "resource", "resource_account", "context", "wildcard_only_action"},
//! "policies": {"identity", "resource", "session", "boundary", "scp", "rcp", "vpc_endpoint"}, "s3", "mode"}`.

use std::sync::Arc;

use model::Text;
use serde_json::{Map as JsonMap, Value as Json, json};
use smallvec::SmallVec;

use crate::arn::Parts;
use crate::document::{Effect, Policy};
use crate::evaluate::{self, Decision, Kind, Level, Part, Policies, evaluate};
use crate::request::{Caller, Context, Entry, Mode, REQUEST_TEXT_BYTES_MAX, Request};
use crate::s3::{self, BlockPublicAccess, Switches};

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
    /// Whether the resource is a pattern that stands for many.
    pub pattern: bool,
}

/// Reads a case.
pub fn read(case: &Json, validate: Validate) -> Result<Case, String> {
    let request = case.get("request").ok_or("`request` is missing")?;
    let mode = match case.get("mode").and_then(Json::as_str) {
        None => Mode::Strict,
        Some(mode) if mode.eq_ignore_ascii_case("strict") => Mode::Strict,
        Some(mode) if mode.eq_ignore_ascii_case("discovery") => Mode::Discovery,
        Some(other) => return Err(format!("`mode` is `strict` or `discovery`, not `{other}`")),
    };
    let text = |name: &str| -> Result<&str, String> {
        match request.get(name) {
            Some(Json::String(s)) if s.len() > REQUEST_TEXT_BYTES_MAX => {
                Err(format!("`request.{name}` is longer than {REQUEST_TEXT_BYTES_MAX} bytes"))
            }
            Some(Json::String(s)) => Ok(s),
            Some(_) => Err(format!("`request.{name}` is not a string")),
            None => Err(format!("`request.{name}` is missing")),
        }
    };
    let caller = read_caller(request.get("principal").unwrap_or(&Json::Null))?;
    let (action, mut resource) = (text("action")?, request.get("resource").map_or(Ok("*"), |_| text("resource"))?);
    let wildcard_only = request.get("wildcard_only_action").and_then(Json::as_bool);
    if wildcard_only == Some(true) {
        resource = "*";
    }
    let account = match request.get("resource_account") {
        None | Some(Json::Null) => None,
        Some(Json::String(s)) => Some(s.as_str()),
        Some(_) => return Err("`request.resource_account` is not a string".into()),
    };
    let context = read_context(request.get("context"), mode)?;
    let mut policies = read_policies(case.get("policies").unwrap_or(&Json::Null))?;
    policies.s3 = read_switches(case);
    if validate == Validate::Yes {
        check(&policies)?;
    }
    let mut request = Request::new(caller, action, resource, account, context);
    s3::drop_bucket_tags(&mut request, &policies.s3);
    let pattern = wildcard_only != Some(true) && resource.contains(['*', '?']) && resource != "*"
        || wildcard_only == Some(false) && resource == "*";
    Ok(Case { request, policies, pattern })
}

fn read_caller(principal: &Json) -> Result<Caller, String> {
    let name = match principal {
        Json::String(text) => return Ok(Caller::parse(text)),
        Json::Null => return Ok(Caller::Anonymous),
        Json::Object(map) => map,
        _ => return Err("`request.principal` is a string or an object".into()),
    };
    let kind = name.get("type").or(name.get("Type")).and_then(Json::as_str).unwrap_or_default();
    let value = ["arn", "value", "name", "id", "AWS", "Service", "Federated", "service"]
        .iter()
        .find_map(|k| name.get(*k).and_then(Json::as_str))
        .unwrap_or_default();
    Ok(match kind.to_ascii_lowercase().as_str() {
        "anonymous" => Caller::Anonymous,
        "service" | "awsservice" => Caller::Service(value.into()),
        "federated" | "oidc" | "saml" | "webidentity" => Caller::Provider(value.into()),
        _ if value.is_empty() => return Err("`request.principal` names nobody".into()),
        _ if name.contains_key("Service") => Caller::Service(value.into()),
        _ if name.contains_key("Federated") => Caller::Provider(value.into()),
        _ => Caller::parse(value),
    })
}

fn read_context(context: Option<&Json>, mode: Mode) -> Result<Context, String> {
    let mut out = Context::new(mode);
    let entries = match context {
        None | Some(Json::Null) => return Ok(out),
        Some(Json::Object(entries)) => entries,
        Some(_) => return Err("`request.context` is not an object".into()),
    };
    for (key, value) in entries {
        let scalar = |v: &Json| -> Result<Text, String> {
            Ok(match v {
                Json::String(s) => s.as_str().into(),
                Json::Bool(b) => b.to_string().into(),
                Json::Number(n) => n.to_string().into(),
                _ => return Err(format!("`request.context` holds no plain value for `{key}`")),
            })
        };
        let entry = match value {
            Json::Null => Entry::Absent,
            Json::Array(items) => Entry::Values(items.iter().map(scalar).collect::<Result<_, _>>()?),
            one => Entry::Values(SmallVec::from_iter([scalar(one)?])),
        };
        out.set(key, entry);
    }
    Ok(out)
}

fn read_policies(policies: &Json) -> Result<Policies, String> {
    let known = ["identity", "resource", "session", "boundary", "boundaries", "scp", "rcp", "vpc_endpoint", "s3"];
    let empty = JsonMap::new();
    let map = match policies {
        Json::Null => &empty,
        Json::Object(map) => map,
        _ => return Err("`policies` is not an object".into()),
    };
    let of_s3 = |key: &str| squeezed(key).contains("publicaccess") || squeezed(key).contains("abac");
    if let Some(other) = map.keys().find(|k| !known.contains(&k.as_str()) && !of_s3(k)) {
        return Err(format!("`policies` has no member `{other}`"));
    }
    let many = |name: &str| documents(map.get(name));
    let one = |name: &str| documents(map.get(name)).map(merge);
    let mut boundary = many("boundary")?;
    boundary.extend(many("boundaries")?);
    Ok(Policies {
        identity: many("identity")?,
        resource: one("resource")?,
        boundary,
        session: one("session")?,
        scp: levels(map.get("scp"))?,
        rcp: levels(map.get("rcp"))?,
        vpc_endpoint: many("vpc_endpoint")?,
        s3: Switches::default(),
    })
}

/// Several documents in a place for one count as one with all the statements.
fn merge(mut all: Vec<Arc<Policy>>) -> Option<Arc<Policy>> {
    let rest = if all.is_empty() { return None } else { all.split_off(1) };
    let mut first = all.pop()?;
    for policy in &rest {
        let first = Arc::make_mut(&mut first);
        first.statements.extend(policy.statements.iter().cloned());
        first.problems.extend(policy.problems.iter().cloned());
        first.unreadable = first.unreadable.take().or(policy.unreadable.clone());
    }
    Some(first)
}

fn documents(value: Option<&Json>) -> Result<Vec<Arc<Policy>>, String> {
    Ok(match value {
        None | Some(Json::Null) => Vec::new(),
        Some(Json::Array(items)) => items.iter().map(|d| document(d).map(Arc::new)).collect::<Result<_, _>>()?,
        Some(one) => vec![Arc::new(document(one)?)],
    })
}

/// A document itself, its text, or an object that holds it as `policy` or `document`.
fn document(value: &Json) -> Result<Policy, String> {
    match value {
        Json::String(text) => Ok(Policy::from_json(text)),
        Json::Object(map) if !map.contains_key("Statement") => {
            let inner = ["policy", "document", "Document", "PolicyDocument"].iter().find_map(|k| map.get(*k));
            match inner {
                Some(inner) => document(inner),
                None => Ok(Policy::from_value(&model::from_json(value))),
            }
        }
        Json::Object(_) => Ok(Policy::from_value(&model::from_json(value))),
        _ => Err("a policy is an object or a string".into()),
    }
}

fn levels(value: Option<&Json>) -> Result<Vec<Level>, String> {
    let items = match value {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Array(items)) => items,
        Some(_) => return Err("levels are a list of {\"node\", \"policies\"}".into()),
    };
    let level = |(i, item): (usize, &Json)| -> Result<Level, String> {
        let node = ["node", "orgIdentifier", "id"].iter().find_map(|k| item.get(*k).and_then(Json::as_str));
        let policies = match item.get("policies") {
            Some(policies) => documents(Some(policies))?,
            None => vec![Arc::new(document(item)?)],
        };
        Ok(Level { node: node.map_or_else(|| i.to_string(), str::to_owned), policies })
    };
    items.iter().enumerate().map(level).collect()
}

/// S3's switches, beside the request, in it, among the policies or under `settings`, by themselves or under `s3`:
/// `{"s3": {"block_public_access": {"account": {..}, "bucket": {..}}, "bucket_abac": true}}`. Names may be written in snake,
/// camel or Pascal case.
fn read_switches(case: &Json) -> Switches {
    let mut out = Switches::default();
    let mut homes: Vec<&Json> = vec![case];
    for name in ["request", "policies", "settings", "additionalsettings", "options"] {
        homes.extend(member(case, name));
    }
    let inner: Vec<&Json> = homes.iter().filter_map(|home| member(home, "s3")).collect();
    homes.extend(inner);
    for (key, value) in homes.into_iter().filter_map(Json::as_object).flatten() {
        let key = squeezed(key);
        if key.contains("abac") {
            out.bucket_abac = match value {
                Json::Bool(on) => Some(*on),
                Json::String(s) => Some(s.eq_ignore_ascii_case("enabled") || s.eq_ignore_ascii_case("true")),
                _ => None,
            };
        }
        if !key.contains("publicaccess") {
            continue;
        }
        let (account, bucket) = (member(value, "account"), member(value, "bucket"));
        if account.is_some() || bucket.is_some() {
            out.account = account.map_or(out.account, block_public_access);
            out.bucket = bucket.map_or(out.bucket, block_public_access);
        } else if key.contains("account") {
            out.account = block_public_access(value);
        } else {
            out.bucket = block_public_access(value);
        }
    }
    out
}

fn block_public_access(value: &Json) -> BlockPublicAccess {
    if let Json::Bool(all) = value {
        let all = model::Truth::from(*all);
        return BlockPublicAccess {
            block_public_acls: all,
            ignore_public_acls: all,
            block_public_policy: all,
            restrict_public_buckets: all,
        };
    }
    let on = |name: &str| member(value, name).and_then(Json::as_bool).unwrap_or(false).into();
    BlockPublicAccess {
        block_public_acls: on("blockpublicacls"),
        ignore_public_acls: on("ignorepublicacls"),
        block_public_policy: on("blockpublicpolicy"),
        restrict_public_buckets: on("restrictpublicbuckets"),
    }
}

fn member<'a>(value: &'a Json, name: &str) -> Option<&'a Json> {
    value.as_object()?.iter().find(|(key, _)| squeezed(key) == name).map(|(_, v)| v)
}

/// A name in lower case without underscores.
fn squeezed(name: &str) -> String {
    name.chars().filter(|c| *c != '_').map(|c| c.to_ascii_lowercase()).collect()
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
    policies.boundary.iter().enumerate().for_each(|(i, p)| visit(Part::Boundary(i), 0, p));
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
        Part::Boundary(i) => return format!("boundary[{i}]"),
        Part::Session => return "session".to_owned(),
        Part::Scp(i) => format!("scp:{}", node(&policies.scp, i)),
        Part::Rcp(i) => format!("rcp:{}", node(&policies.rcp, i)),
        Part::VpcEndpoint => "vpc_endpoint".to_owned(),
        Part::BlockPublicAccess => return "s3_block_public_access".to_owned(),
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
    each_policy(policies, &mut |part, i, policy| {
        let kind = match part {
            Part::Resource => Kind::Resource,
            Part::Rcp(_) | Part::VpcEndpoint => Kind::Gate,
            _ => Kind::Attached,
        };
        let home = name(policies, part, Some(i));
        if let Some(why) = &policy.unreadable {
            out.reasons.push(format!("{home}: {why}"));
        }
        for statement in &policy.statements {
            let truth = evaluate::applies(request, statement, kind).any();
            let label = format!("{home}.{}", statement.label());
            let wanted = match decision {
                Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => Effect::Deny,
                _ => Effect::Allow,
            };
            match truth {
                model::Truth::False => {}
                model::Truth::True if statement.effect == wanted => out.statements.push(label),
                model::Truth::True => {}
                model::Truth::Unknown => {
                    open_questions(request, policy, statement, &label, &mut out);
                    if decision == Decision::Unknown {
                        out.statements.push(label);
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
        if self.pattern {
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
                    let inside = wanted.matches(&Parts::new(text), &self.request.context) == model::Truth::True;
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
