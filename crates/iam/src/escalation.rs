//! Who can become admin, by which steps.
//!
//! A step is an assumed role, or one of the known ways to turn permissions into another principal's. Each step is judged on
//! effective access: boundaries, denials, SCPs and trust policies count. The list of ways is `data/escalation.json`.

mod drawing;
mod samples;

use std::cell::OnceCell;
use std::collections::{BTreeSet, VecDeque};
use std::sync::OnceLock;

use model::Truth;
use serde::Deserialize;

use crate::account::{Account, OWN_ACCOUNT, Principal};
use crate::document::{ActionPattern, Effect, Statement};
use crate::evaluate::{Policies, evaluate};
use crate::request::{Caller, Context, Mode, Request};
use crate::unknown_name;

pub use drawing::{DRAWN_MAX, Drawing};
pub use samples::SAMPLES_MAX;

/// Most principals that are looked at.
pub const PRINCIPALS_MAX: usize = 20_000;

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

/// Who is admin, and the first step of everybody else's shortest way there.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Whether each principal is admin already.
    pub admin: Vec<Truth>,
    /// The first step of each principal's shortest chain to an admin. A chain of certain steps goes before a shorter one
    /// that hangs on something.
    pub next: Vec<Option<Step>>,
    /// Limits that were reached.
    pub reasons: Vec<String>,
}

/// A chain of steps from a principal to an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path<'a> {
    /// The steps in order.
    pub steps: Vec<&'a Step>,
    /// True if every step is certain.
    pub certain: bool,
}

/// Whether policies give everything: any action on any resource, IAM's own included.
pub fn is_admin(account: &Account, principal: &Principal) -> Truth {
    let number = account.account_of(principal);
    let probes = [
        ("other:other", "arn:aws:other:::other".to_owned()),
        ("iam:putrolepolicy", format!("arn:aws:iam::{number}:role/other")),
        ("iam:createaccesskey", format!("arn:aws:iam::{number}:user/other")),
        ("s3:deletebucket", "arn:aws:s3:::other".to_owned()),
    ];
    if !Speaking::new(principal).of("other:other") {
        return Truth::False;
    }
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

/// Finds everybody's shortest way to admin: breadth-first, backwards from the admins, certain steps first.
pub fn graph(account: &Account) -> Graph {
    let mut graph = Graph::default();
    let principals: Vec<&Principal> = account.principals.iter().take(PRINCIPALS_MAX).collect();
    if principals.len() < account.principals.len() {
        graph.reasons.push(format!("only the first {PRINCIPALS_MAX} principals were looked at"));
    }
    graph.admin = principals.iter().map(|p| is_admin(account, p)).collect();
    graph.next = vec![None; principals.len()];
    let trusted = vec![OnceCell::new(); principals.len()];
    let all = All { account, principals: &principals, trusted: &trusted };
    let is_admin = |at: usize| graph.admin.get(at) == Some(&Truth::True);
    let seats: Vec<Option<Seat<'_>>> =
        (0..principals.len()).map(|i| if is_admin(i) { None } else { Seat::new(&all, i) }).collect();
    let admins: VecDeque<usize> = (0..principals.len()).filter(|i| is_admin(*i)).collect();
    let mut waiting: Vec<Option<Step>> = vec![None; principals.len()];
    let mut queue = admins;
    for (from, seat) in seats.iter().enumerate().filter_map(|(i, s)| Some((i, s.as_ref()?))) {
        if let Some(step) = seat.raise() {
            if step.conditions.is_empty() {
                queue.push_back(from);
                put(&mut graph.next, from, step);
            } else {
                put(&mut waiting, from, step);
            }
        }
    }
    loop {
        while let Some(to) = queue.pop_front() {
            for (from, seat) in seats.iter().enumerate().filter_map(|(i, s)| Some((i, s.as_ref()?))) {
                if from == to || graph.next.get(from).is_some_and(Option::is_some) {
                    continue;
                }
                match seat.reach(to) {
                    Some(step) if step.conditions.is_empty() => {
                        queue.push_back(from);
                        put(&mut graph.next, from, step);
                    }
                    Some(step) if waiting.get(from).is_some_and(Option::is_none) => put(&mut waiting, from, step),
                    _ => {}
                }
            }
        }
        // Only now the steps that hang on something; what they reach may be reached by certain steps in turn.
        for (from, slot) in waiting.iter_mut().enumerate() {
            if let Some(step) = slot.take()
                && graph.next.get(from).is_some_and(Option::is_none)
            {
                queue.push_back(from);
                put(&mut graph.next, from, step);
            }
        }
        if queue.is_empty() {
            return graph;
        }
    }
}

fn put(slots: &mut [Option<Step>], at: usize, step: Step) {
    if let Some(slot) = slots.get_mut(at) {
        *slot = Some(step);
    }
}

impl Graph {
    /// The shortest chain from a principal to an admin.
    pub fn path(&self, from: usize) -> Option<Path<'_>> {
        let mut steps = Vec::new();
        let mut at = from;
        while let Some(Some(step)) = self.next.get(at) {
            steps.push(step);
            if step.to == at || steps.len() > self.next.len() {
                break;
            }
            at = step.to;
        }
        let certain = steps.iter().all(|s| s.conditions.is_empty());
        (!steps.is_empty()).then_some(Path { steps, certain })
    }
}

/// Everybody, for those who look around.
struct All<'a> {
    account: &'a Account,
    principals: &'a [&'a Principal],
    /// The services that each principal's trust policy lets in, worked out when somebody could pass it to one.
    trusted: &'a [OnceCell<Vec<&'static str>>],
}

impl All<'_> {
    fn trusts(&self, at: usize, service: &str) -> bool {
        let Some((known, principal)) = self.trusted.get(at).zip(self.principals.get(at)) else { return false };
        known.get_or_init(|| trusted_services(principal)).contains(&service)
    }
}

/// A way for which a principal has all but the role.
struct Ready {
    way: &'static Way,
    service: &'static str,
    passes: bool,
    granted: Granted,
}

/// One principal, looking around.
struct Seat<'a> {
    all: &'a All<'a>,
    principal: &'a Principal,
    from: usize,
    /// What its policies say of any way but assuming a role.
    speaking: Speaking<'a>,
    /// Ways over users' credentials and over roles' trust policies that some statement speaks of.
    over: Vec<(&'static str, &'static str, bool)>,
    ready: Vec<Ready>,
}

/// What of a principal's policies may allow something.
struct Speaking<'a> {
    /// True if there is a policy that cannot be read: it may say anything.
    unreadable: bool,
    statements: Vec<&'a Statement>,
}

impl<'a> Speaking<'a> {
    fn new(principal: &'a Principal) -> Speaking<'a> {
        let policies = || principal.policies.iter().map(|attached| &*attached.policy);
        let allowing = |s: &&Statement| s.effect == Effect::Allow || s.effect_unreadable;
        Speaking {
            unreadable: policies().any(|policy| policy.unreadable.is_some()),
            statements: policies().flat_map(|policy| &policy.statements).filter(allowing).collect(),
        }
    }

    /// Only what may allow something of a service that a way goes by: most policies do not.
    fn of_ways(principal: &'a Principal) -> Speaking<'a> {
        static SERVICES: OnceLock<BTreeSet<&str>> = OnceLock::new();
        let services = SERVICES.get_or_init(|| {
            let permissions = ways().iter().flat_map(|way| &way.permissions);
            permissions.filter_map(|p| Some(p.split_once(':')?.0)).collect()
        });
        let nothing = Context::new(Mode::Discovery);
        let named = |p: &ActionPattern| match p.service.exact() {
            Some(service) if !unknown_name::within(service.as_bytes()) => services.contains(service),
            _ => services.iter().any(|service| p.service.matches(service, &nothing) != Truth::False),
        };
        let mut speaking = Speaking::new(principal);
        speaking.statements.retain(|s| s.actions.negated || s.actions.patterns.iter().any(named));
        speaking
    }

    fn nothing(&self) -> bool {
        !self.unreadable && self.statements.is_empty()
    }

    /// Whether it may allow an action, in whatever case, on anything.
    fn of(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        let Some((service, name)) = action.split_once(':') else { return false };
        self.unreadable || self.statements.iter().any(|s| s.actions.take_in(service, name) != Truth::False)
    }
}

/// Requests that are all allowed, and what they hang on.
type Granted = (Vec<(String, String)>, Vec<String>);

/// Ways to become somebody else by changing them: way, action, and whether it is done to roles.
const OVER: &[(&str, &str, bool)] = &[
    ("iam-002", "iam:CreateAccessKey", false),
    ("iam-004", "iam:CreateLoginProfile", false),
    ("iam-006", "iam:UpdateLoginProfile", false),
    ("iam-012", "iam:UpdateAssumeRolePolicy", true),
];

/// Ways to give somebody more whom one can then be: way, the change, the way to be them, and whether it is done to roles.
const OTHERS: &[(&str, &str, &str, bool)] = &[
    ("iam-014", "iam:AttachRolePolicy", "sts:AssumeRole", true),
    ("iam-017", "iam:PutRolePolicy", "sts:AssumeRole", true),
    ("iam-019", "iam:AttachRolePolicy", "iam:UpdateAssumeRolePolicy", true),
    ("iam-021", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", true),
    ("iam-015", "iam:AttachUserPolicy", "iam:CreateAccessKey", false),
    ("iam-018", "iam:PutUserPolicy", "iam:CreateAccessKey", false),
];

impl<'a> Seat<'a> {
    fn new(all: &'a All<'a>, from: usize) -> Option<Seat<'a>> {
        let principal = *all.principals.get(from)?;
        let mut seat = Seat { all, principal, from, speaking: Speaking::of_ways(principal), over: Vec::new(), ready: Vec::new() };
        if seat.speaking.nothing() {
            return Some(seat);
        }
        seat.over = OVER.iter().copied().filter(|(_, action, _)| seat.speaking.of(action)).collect();
        seat.ready = seat.prepare();
        Some(seat)
    }

    /// Adds a request to what is granted; false if it is not allowed.
    fn needs(&self, granted: &mut Granted, action: &str, resource: &str, keys: &[(&str, &str)]) -> bool {
        let account = self.all.account;
        let mut request = account.request(self.principal, action, resource);
        for (key, value) in keys {
            request.context.set_text(key, *value);
        }
        let policies: Policies = account.policies(self.principal, action, resource);
        let judgement = evaluate(&request, &policies);
        if judgement.allowed == Truth::False {
            return false;
        }
        granted.0.push((action.to_owned(), resource.to_owned()));
        if judgement.allowed == Truth::Unknown {
            let proof = crate::case::proof(&request, &policies, judgement.decision());
            let why = if proof.conditions.is_empty() { proof.reasons } else { proof.conditions };
            granted.1.extend(why.into_iter().take(5));
        }
        true
    }

    /// The same on some resource or other: one that nobody names, or one that a statement on the action is about.
    fn needs_some(&self, granted: &mut Granted, action: &str) -> bool {
        let mut possible: Option<Granted> = None;
        let account = self.all.account.account_of(self.principal);
        for resource in samples::samples(self.principal, account, action) {
            let mut more = Granted::default();
            if self.needs(&mut more, action, &resource, &[]) {
                let certain = more.1.is_empty();
                if possible.is_none() || certain {
                    possible = Some(more);
                }
                if certain {
                    break;
                }
            }
        }
        let Some((requests, conditions)) = possible else { return false };
        granted.0.extend(requests);
        granted.1.extend(conditions);
        true
    }

    fn step(&self, to: usize, way: &str, granted: Granted) -> Step {
        let (requests, mut conditions) = granted;
        conditions.sort_unstable();
        conditions.dedup();
        Step { from: self.from, to, way: way.to_owned(), requests, conditions }
    }

    /// The ways over a service for which everything but the role is there.
    fn prepare(&self) -> Vec<Ready> {
        let mut all = Vec::new();
        for way in ways().iter().filter(|w| w.variant_of.is_none() && w.kind.ends_with("-passrole")) {
            if !way.permissions.iter().all(|p| self.speaking.of(p)) {
                continue;
            }
            let others: Vec<&String> = way.permissions.iter().filter(|p| *p != "iam:PassRole").collect();
            let mut granted = Granted::default();
            let fine = others.iter().all(|p| self.needs_some(&mut granted, p));
            if fine {
                let passes = way.permissions.len() > others.len();
                all.push(Ready { way, service: service_of(way), passes, granted });
            }
        }
        all
    }

    /// The best step to somebody: a certain one if there is any.
    fn reach(&self, to: usize) -> Option<Step> {
        let other = *self.all.principals.get(to)?;
        let mut best: Option<Step> = None;
        let mut offer = |step: Step| -> bool {
            let certain = step.conditions.is_empty();
            if best.is_none() || certain {
                best = Some(step);
            }
            certain
        };
        if other.trust.as_deref().is_some_and(|trust| self.could_be_trusted(trust)) {
            let mut granted = Granted::default();
            if self.needs(&mut granted, "sts:AssumeRole", &other.arn, &[]) && offer(self.step(to, "sts-001", granted)) {
                return best;
            }
        }
        for (way, action, of_role) in &self.over {
            let mut granted = Granted::default();
            let fits = other.trust.is_some() == *of_role;
            if fits && self.needs(&mut granted, action, &other.arn, &[]) && offer(self.step(to, way, granted)) {
                return best;
            }
        }
        for ready in &self.ready {
            if !self.all.trusts(to, ready.service) {
                continue;
            }
            let mut granted = ready.granted.clone();
            let keys = [("iam:PassedToService", ready.service)];
            if ready.passes && !self.needs(&mut granted, "iam:PassRole", &other.arn, &keys) {
                continue;
            }
            if !ready.passes {
                granted.1.push(format!("something of {} has to run with this role", ready.service));
            }
            if offer(self.step(to, &ready.way.id, granted)) {
                return best;
            }
        }
        best
    }

    /// Whether a trust policy takes this principal in at all: a cheap look before the whole evaluation.
    fn could_be_trusted(&self, trust: &crate::Policy) -> bool {
        let takes_in = |s: &crate::Statement| {
            let named = |p| crate::evaluate::principals_grant(p, &self.principal.caller, Mode::Discovery).any() != Truth::False;
            s.unreadable.is_some() || s.effect == Effect::Allow && s.principal.as_ref().is_none_or(named)
        };
        trust.unreadable.is_some() || trust.statements.iter().any(takes_in)
    }

    /// The best way to give itself every permission.
    fn raise(&self) -> Option<Step> {
        if self.speaking.nothing() {
            return None;
        }
        let own = &*self.principal.arn;
        let role = matches!(self.principal.caller, Caller::Role(_));
        let managed: Vec<&str> = self
            .principal
            .policies
            .iter()
            .filter_map(|a| a.arn.as_deref())
            .filter(|a| !a.contains(":iam::aws:policy/"))
            .collect();
        let groups: Vec<&str> = self.principal.groups.iter().map(|g| &**g).collect();
        let nobody: &[&str] = &[];
        let (as_role, as_user) = if role { (&[own][..], nobody) } else { (nobody, &[own][..]) };
        let earlier = "an earlier version of the policy has to grant more";
        let direct: [(&str, &str, &[&str], Option<&str>); 8] = [
            ("iam-005", "iam:PutRolePolicy", as_role, None),
            ("iam-009", "iam:AttachRolePolicy", as_role, None),
            ("iam-007", "iam:PutUserPolicy", as_user, None),
            ("iam-008", "iam:AttachUserPolicy", as_user, None),
            ("iam-010", "iam:AttachGroupPolicy", &groups, None),
            ("iam-011", "iam:PutGroupPolicy", &groups, None),
            ("iam-001", "iam:CreatePolicyVersion", &managed, None),
            ("iam-022", "iam:SetDefaultPolicyVersion", &managed, Some(earlier)),
        ];
        let mut best: Option<Step> = None;
        for (way, action, on, hangs_on) in direct {
            if !self.speaking.of(action) {
                continue;
            }
            for resource in on {
                let mut granted = Granted::default();
                if self.needs(&mut granted, action, resource, &[]) {
                    granted.1.extend(hangs_on.map(str::to_owned));
                    let step = self.step(self.from, way, granted);
                    if step.conditions.is_empty() {
                        return Some(step);
                    }
                    best = best.or(Some(step));
                }
            }
        }
        self.raise_others(best)
    }

    /// Gives somebody more whom it can then be.
    fn raise_others(&self, mut best: Option<Step>) -> Option<Step> {
        for (way, change, being, of_role) in OTHERS {
            if !self.speaking.of(change) || !self.speaking.of(being) {
                continue;
            }
            for other in self.all.principals.iter().filter(|p| p.trust.is_some() == *of_role) {
                let trusted = || other.trust.as_deref().is_some_and(|t| self.could_be_trusted(t));
                if *being == "sts:AssumeRole" && !trusted() {
                    continue;
                }
                let mut granted = Granted::default();
                if [change, being].iter().all(|a| self.needs(&mut granted, a, &other.arn, &[])) {
                    let step = self.step(self.from, way, granted);
                    if step.conditions.is_empty() {
                        return Some(step);
                    }
                    best = best.or(Some(step));
                }
            }
        }
        best
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
