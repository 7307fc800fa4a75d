//! Who can become admin, by which steps.
//!
//! A step is an assumed role, or one of the known ways to turn permissions into another principal's. Each step is judged on
//! effective access: boundaries, denials, SCPs and trust policies count. The list of ways is `data/escalation.json`.

use std::collections::VecDeque;
use std::sync::OnceLock;

use model::Truth;
use serde::Deserialize;

use crate::account::{Account, OWN_ACCOUNT, Principal};
use crate::document::Effect;
use crate::evaluate::{Policies, evaluate};
use crate::request::{Caller, Context, Mode, Request};

/// Most principals that are looked at.
pub const PRINCIPALS_MAX: usize = 20_000;

/// Most steps that are recorded.
pub const STEPS_MAX: usize = 200_000;

/// One known way.
#[derive(Clone, Debug, Deserialize)]
pub struct Way {
    /// `lambda-001`.
    pub id: String,
    /// How it works: `self-escalation`, `principal-access`, `new-passrole`, `existing-passrole`.
    pub kind: String,
    /// All of these are needed.
    pub permissions: Vec<String>,
    /// The way that this one is a variant of.
    pub variant_of: Option<String>,
}

/// Every known way.
pub fn ways() -> &'static [Way] {
    static WAYS: OnceLock<Vec<Way>> = OnceLock::new();
    WAYS.get_or_init(|| serde_json::from_str(include_str!("../data/escalation.json")).unwrap_or_default())
}

/// One step from one principal to another, or to admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Who takes it, by position in [`Account::principals`].
    pub from: usize,
    /// Who is reached; the principal itself if it gives itself every permission.
    pub to: usize,
    /// The way's id.
    pub way: String,
    /// Action and resource of every request it takes, all replayed.
    pub requests: Vec<(String, String)>,
    /// Empty if the step is certain; or else what it hangs on.
    pub conditions: Vec<String>,
}

/// The graph of all steps.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Whether each principal is admin already.
    pub admin: Vec<Truth>,
    /// The steps.
    pub steps: Vec<Step>,
    /// Limits that were reached.
    pub reasons: Vec<String>,
}

/// A chain of steps from a principal to an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Positions in [`Graph::steps`], in order.
    pub steps: Vec<usize>,
    /// True if every step is certain.
    pub certain: bool,
}

/// Whether policies give everything: any action on any resource, IAM's own included.
pub fn is_admin(account: &Account, principal: &Principal) -> Truth {
    let number = account.number();
    let probes = [
        ("other:other", "arn:aws:other:::other".to_owned()),
        ("iam:putrolepolicy", format!("arn:aws:iam::{number}:role/other")),
        ("iam:createaccesskey", format!("arn:aws:iam::{number}:user/other")),
        ("s3:deletebucket", "arn:aws:s3:::other".to_owned()),
    ];
    let mut all = Truth::True;
    for (action, resource) in &probes {
        let policies = account.policies(principal, action, resource);
        all = all.and(evaluate(&account.request(principal, action, resource), &policies).allowed);
        if all == Truth::False {
            break;
        }
    }
    all
}

/// Builds the graph.
pub fn graph(account: &Account) -> Graph {
    let mut graph = Graph::default();
    let principals: Vec<&Principal> = account.principals.iter().take(PRINCIPALS_MAX).collect();
    if principals.len() < account.principals.len() {
        graph.reasons.push(format!("only the first {PRINCIPALS_MAX} principals were looked at"));
    }
    graph.admin = principals.iter().map(|p| is_admin(account, p)).collect();
    let trusted: Vec<Vec<&'static str>> = principals.iter().map(|p| trusted_services(p)).collect();
    for (from, principal) in principals.iter().enumerate() {
        if graph.admin.get(from) == Some(&Truth::True) {
            continue;
        }
        let seat = Seat { account, principals: &principals, trusted: &trusted, principal, from };
        let mut found = Vec::new();
        seat.assume(&mut found);
        seat.take_over(&mut found);
        seat.pass_roles(&mut found);
        seat.raise(&mut found);
        if graph.steps.len() + found.len() > STEPS_MAX {
            graph.reasons.push(format!("more than {STEPS_MAX} steps"));
            break;
        }
        graph.steps.extend(found);
    }
    graph
}

impl Graph {
    /// The shortest chain from a principal to an admin; a certain one goes before a shorter one that hangs on something.
    pub fn path(&self, from: usize) -> Option<Path> {
        self.search(from, true).or_else(|| self.search(from, false))
    }

    fn search(&self, from: usize, certain: bool) -> Option<Path> {
        let mut out: Vec<Vec<usize>> = vec![Vec::new(); self.admin.len()];
        for (i, step) in self.steps.iter().enumerate() {
            if (!certain || step.conditions.is_empty())
                && let Some(list) = out.get_mut(step.from)
            {
                list.push(i);
            }
        }
        let mut came: Vec<Option<usize>> = vec![None; self.admin.len()];
        let mut queue = VecDeque::from([from]);
        while let Some(at) = queue.pop_front() {
            for i in out.get(at).into_iter().flatten() {
                let Some(step) = self.steps.get(*i) else { continue };
                if step.to == at || self.admin.get(step.to) == Some(&Truth::True) {
                    let mut steps = vec![*i];
                    let mut back = at;
                    while back != from
                        && let Some(Some(i)) = came.get(back)
                        && let Some(step) = self.steps.get(*i)
                    {
                        steps.push(*i);
                        back = step.from;
                    }
                    steps.reverse();
                    return Some(Path { steps, certain });
                }
                if step.to != from
                    && let Some(slot @ None) = came.get_mut(step.to)
                {
                    *slot = Some(*i);
                    queue.push_back(step.to);
                }
            }
        }
        None
    }
}

/// One principal, looking around.
struct Seat<'a> {
    account: &'a Account,
    principals: &'a [&'a Principal],
    trusted: &'a [Vec<&'static str>],
    principal: &'a Principal,
    from: usize,
}

/// Requests that are all allowed, and what they hang on.
type Granted = (Vec<(String, String)>, Vec<String>);

impl Seat<'_> {
    /// Whether any statement speaks of an action at all.
    fn mentions(&self, action: &str) -> bool {
        let request = Request::new(Caller::Anonymous, action, "*", None, Context::new(Mode::Discovery));
        self.principal.policies.iter().any(|attached| {
            attached.policy.unreadable.is_some()
                || attached.policy.statements.iter().any(|s| {
                    (s.effect == Effect::Allow || s.effect_unreadable)
                        && crate::evaluate::World::actions(&request, &s.actions) != Truth::False
                })
        })
    }

    fn allowed(&self, action: &str, resource: &str, keys: &[(&str, &str)]) -> (Truth, Vec<String>) {
        let mut request = self.account.request(self.principal, action, resource);
        for (key, value) in keys {
            request.context.set_text(key, *value);
        }
        let policies: Policies = self.account.policies(self.principal, action, resource);
        let judgement = evaluate(&request, &policies);
        match judgement.allowed {
            Truth::Unknown => {
                let proof = crate::case::proof(&request, &policies, judgement.decision());
                let mut why = if proof.conditions.is_empty() { proof.reasons } else { proof.conditions };
                why.truncate(5);
                (Truth::Unknown, why)
            }
            known => (known, Vec::new()),
        }
    }

    /// Adds a request to what is granted; false if it is not allowed.
    fn needs(&self, granted: &mut Granted, action: &str, resource: &str, keys: &[(&str, &str)]) -> bool {
        let (truth, conditions) = self.allowed(action, resource, keys);
        granted.0.push((action.to_owned(), resource.to_owned()));
        granted.1.extend(conditions);
        truth != Truth::False
    }

    fn step(&self, to: usize, way: &str, granted: Granted, found: &mut Vec<Step>) {
        let (requests, mut conditions) = granted;
        conditions.sort_unstable();
        conditions.dedup();
        found.push(Step { from: self.from, to, way: way.to_owned(), requests, conditions });
    }

    /// Assumes roles.
    fn assume(&self, found: &mut Vec<Step>) {
        for (to, role) in self.principals.iter().enumerate() {
            let Some(trust) = &role.trust else { continue };
            if to == self.from || !self.could_be_trusted(trust) {
                continue;
            }
            let mut granted = Granted::default();
            if self.needs(&mut granted, "sts:AssumeRole", &role.arn, &[]) {
                self.step(to, "sts-001", granted, found);
            }
        }
    }

    /// Whether a trust policy takes this principal in at all: a cheap look before the whole evaluation.
    fn could_be_trusted(&self, trust: &crate::Policy) -> bool {
        trust.unreadable.is_some()
            || trust.statements.iter().any(|s| {
                s.principal
                    .as_ref()
                    .is_none_or(|p| crate::evaluate::principals_grant(p, &self.principal.caller).any() != Truth::False)
                    && s.effect == Effect::Allow
                    || s.unreadable.is_some()
            })
    }

    /// Takes over users by their credentials and roles by their trust policy.
    fn take_over(&self, found: &mut Vec<Step>) {
        let users: &[(&str, &[&str])] = &[
            ("iam-002", &["iam:CreateAccessKey"]),
            ("iam-004", &["iam:CreateLoginProfile"]),
            ("iam-006", &["iam:UpdateLoginProfile"]),
        ];
        for (way, actions) in users {
            self.over(Some(false), way, actions, found);
        }
        if self.mentions("iam:UpdateAssumeRolePolicy") {
            self.over(Some(true), "iam-012", &["iam:UpdateAssumeRolePolicy"], found);
        }
    }

    fn over(&self, roles: Option<bool>, way: &str, actions: &[&str], found: &mut Vec<Step>) {
        if !actions.iter().all(|a| self.mentions(a)) {
            return;
        }
        for (to, other) in self.principals.iter().enumerate() {
            if to == self.from || roles.is_some_and(|r| other.trust.is_some() != r) {
                continue;
            }
            let mut granted = Granted::default();
            if actions.iter().all(|a| self.needs(&mut granted, a, &other.arn, &[])) {
                self.step(to, way, granted, found);
            }
        }
    }

    /// Hands a role to a service that runs the caller's code, or uses one that runs already.
    fn pass_roles(&self, found: &mut Vec<Step>) {
        for way in ways().iter().filter(|w| w.variant_of.is_none() && w.kind.ends_with("-passrole")) {
            if !way.permissions.iter().all(|p| self.mentions(p)) {
                continue;
            }
            let service = service_of(way);
            let others: Vec<&String> = way.permissions.iter().filter(|p| *p != "iam:PassRole").collect();
            let passes = way.permissions.len() > others.len();
            let mut base = Granted::default();
            let number = self.account.number();
            let fine = others.iter().all(|p| {
                let name = p.split(':').next().unwrap_or_default();
                self.needs(&mut base, p, &format!("arn:aws:{name}:us-east-1:{number}:other"), &[])
            });
            if !fine {
                continue;
            }
            for (to, role) in self.principals.iter().enumerate() {
                let trusts = self.trusted.get(to).is_some_and(|t| t.contains(&service));
                if to == self.from || !trusts {
                    continue;
                }
                let mut granted = base.clone();
                if passes && !self.needs(&mut granted, "iam:PassRole", &role.arn, &[("iam:PassedToService", service)]) {
                    continue;
                }
                if !passes {
                    granted.1.push(format!("something of {service} has to run with this role"));
                }
                self.step(to, &way.id, granted, found);
            }
        }
    }

    /// Gives itself more permissions.
    fn raise(&self, found: &mut Vec<Step>) {
        let own = &*self.principal.arn;
        let role = matches!(self.principal.caller, Caller::Role(_));
        let direct: &[(&str, &str, bool)] = &[
            ("iam-005", "iam:PutRolePolicy", true),
            ("iam-009", "iam:AttachRolePolicy", true),
            ("iam-007", "iam:PutUserPolicy", false),
            ("iam-008", "iam:AttachUserPolicy", false),
        ];
        for (way, action, of_role) in direct {
            if *of_role == role {
                self.by(way, action, [own], found);
            }
        }
        let groups = || self.principal.groups.iter().map(|g| &**g);
        self.by("iam-010", "iam:AttachGroupPolicy", groups(), found);
        self.by("iam-011", "iam:PutGroupPolicy", groups(), found);
        let managed =
            || self.principal.policies.iter().filter_map(|a| a.arn.as_deref()).filter(|a| !a.contains(":iam::aws:policy/"));
        self.by("iam-001", "iam:CreatePolicyVersion", managed(), found);
        let before = found.len();
        self.by("iam-022", "iam:SetDefaultPolicyVersion", managed(), found);
        for step in found.iter_mut().skip(before) {
            step.conditions.push("an earlier version of the policy has to grant more".to_owned());
        }
        self.others_as_self(found);
    }

    /// Changes a role that it can also assume, or a user whose keys it can make.
    fn others_as_self(&self, found: &mut Vec<Step>) {
        for (way, action) in [("iam-014", "iam:AttachRolePolicy"), ("iam-017", "iam:PutRolePolicy")] {
            if !self.mentions(action) || !self.mentions("sts:AssumeRole") {
                continue;
            }
            for role in self.principals.iter().filter(|p| p.trust.as_deref().is_some_and(|t| self.could_be_trusted(t))) {
                let mut granted = Granted::default();
                let both = [action, "sts:AssumeRole"].iter().all(|a| self.needs(&mut granted, a, &role.arn, &[]));
                if both {
                    self.step(self.from, way, granted, found);
                    break;
                }
            }
        }
        for (way, action) in [("iam-015", "iam:AttachUserPolicy"), ("iam-018", "iam:PutUserPolicy")] {
            if !self.mentions(action) || !self.mentions("iam:CreateAccessKey") {
                continue;
            }
            for user in self.principals.iter().filter(|p| p.trust.is_none()) {
                let mut granted = Granted::default();
                let both = [action, "iam:CreateAccessKey"].iter().all(|a| self.needs(&mut granted, a, &user.arn, &[]));
                if both {
                    self.step(self.from, way, granted, found);
                    break;
                }
            }
        }
    }

    /// The first of the resources on which an action is allowed makes a step to itself.
    fn by<'r>(&self, way: &str, action: &str, on: impl IntoIterator<Item = &'r str>, found: &mut Vec<Step>) {
        if !self.mentions(action) {
            return;
        }
        for resource in on {
            let mut granted = Granted::default();
            if self.needs(&mut granted, action, resource, &[]) {
                self.step(self.from, way, granted, found);
                return;
            }
        }
    }
}

/// The service that a way makes run with a role.
fn service_of(way: &Way) -> &'static str {
    let prefix = way.id.split('-').next().unwrap_or_default();
    SERVICES.iter().find(|(name, _)| *name == prefix).map_or("lambda.amazonaws.com", |(_, service)| service)
}

const SERVICES: &[(&str, &str)] = &[
    ("apprunner", "tasks.apprunner.amazonaws.com"),
    ("bedrock", "bedrock-agentcore.amazonaws.com"),
    ("cloudformation", "cloudformation.amazonaws.com"),
    ("codebuild", "codebuild.amazonaws.com"),
    ("datapipeline", "datapipeline.amazonaws.com"),
    ("ec2", "ec2.amazonaws.com"),
    ("ec2instanceconnect", "ec2.amazonaws.com"),
    ("ecs", "ecs-tasks.amazonaws.com"),
    ("glue", "glue.amazonaws.com"),
    ("lambda", "lambda.amazonaws.com"),
    ("sagemaker", "sagemaker.amazonaws.com"),
    ("ssm", "ec2.amazonaws.com"),
];

/// The services of the list that a role's trust policy lets assume it.
fn trusted_services(principal: &Principal) -> Vec<&'static str> {
    let Some(trust) = &principal.trust else { return Vec::new() };
    let trusts = |service: &str| {
        let account = principal.caller.account().map_or(OWN_ACCOUNT, |a| a);
        let mut context = Context::new(Mode::Discovery);
        context.set_text("aws:sourceaccount", account);
        let request = Request::new(Caller::Service(service.into()), "sts:AssumeRole", &principal.arn, None, context);
        let policies = Policies { resource: Some(trust.clone()), ..Policies::default() };
        evaluate(&request, &policies).allowed != Truth::False
    };
    let mut all: Vec<&'static str> = SERVICES.iter().map(|(_, service)| *service).filter(|s| trusts(s)).collect();
    all.dedup();
    all
}

#[cfg(test)]
mod tests;
