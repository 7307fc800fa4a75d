//! The decision: all policies that concern a request, taken together.
//!
//! Source: IAM user guide, "Policy evaluation logic" with its pages on requests within one account and across accounts,
//! permissions boundaries, session policies, SCPs and RCPs; KMS developer guide, "Key policies".
//!
//! There is one semantics: statements are evaluated against a [`World`], which is either one concrete request or a partly
//! chosen one during the symbolic search.

use std::sync::Arc;

use model::Truth;

use crate::document::{Actions, Clause, Effect, Policy, Principals, Resources, Statement};
use crate::request::{Caller, Grant, Request};
use crate::s3;

/// Something that says how the parts of a statement compare with a request.
pub(crate) trait World {
    fn actions(&self, actions: &Actions) -> Truth;
    fn resources(&self, resources: &Resources) -> Truth;
    fn principals(&self, principals: &Principals) -> Grant;
    fn clause(&self, clause: &Clause) -> Truth;
}

/// What the statements of a policy say of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) allow: Grant,
    pub(crate) deny: Truth,
}

impl Layer {
    pub(crate) const SILENT: Layer = Layer { allow: Grant::NONE, deny: Truth::False };

    fn or(self, other: Layer) -> Layer {
        Layer { allow: self.allow.or(other.allow), deny: self.deny.or(other.deny) }
    }
}

/// Whether statements say whom they are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Attached to the caller: identity, boundary, session, SCP.
    Attached,
    /// Attached to the resource: the principal element decides.
    Resource,
    /// RCP and endpoint policies: a missing principal element means everyone.
    Gate,
}

/// How a statement takes the request in, its effect aside.
pub(crate) fn applies(world: &impl World, statement: &Statement, kind: Kind) -> Grant {
    let mut truth = if statement.unreadable.is_some() { Truth::Unknown } else { Truth::True };
    truth = truth.and(world.actions(&statement.actions));
    if truth == Truth::False && !statement.effect_unreadable {
        return Grant::NONE;
    }
    match &statement.resources {
        Some(resources) => truth = truth.and(world.resources(resources)),
        None if kind == Kind::Attached => truth = truth.and(Truth::Unknown),
        None => {}
    }
    if truth == Truth::False {
        return Grant::NONE;
    }
    let grant = match (kind, &statement.principal) {
        (Kind::Attached, _) | (Kind::Gate, None) => Grant::DIRECT,
        (_, Some(principals)) => world.principals(principals),
        (Kind::Resource, None) => Grant { direct: Truth::Unknown, ..Grant::NONE },
    };
    if grant == Grant::NONE {
        return Grant::NONE;
    }
    for clause in &statement.conditions {
        truth = truth.and(world.clause(clause));
        if truth == Truth::False {
            return Grant::NONE;
        }
    }
    grant.and(truth)
}

/// What a policy says of the request.
pub(crate) fn layer(world: &impl World, policy: &Policy, kind: Kind) -> Layer {
    let mut out = Layer::SILENT;
    if policy.unreadable.is_some() {
        out = Layer { allow: Grant { direct: Truth::Unknown, ..Grant::NONE }, deny: Truth::Unknown };
    }
    for statement in &policy.statements {
        let grant = applies(world, statement, kind);
        if grant == Grant::NONE {
            continue;
        }
        if statement.effect == Effect::Allow || statement.effect_unreadable {
            out.allow = out.allow.or(grant);
        }
        if statement.effect == Effect::Deny || statement.effect_unreadable {
            out.deny = out.deny.or(grant.any());
        }
    }
    out
}

/// Whether one policy by itself allows a request: some statement allows it and none denies it.
pub fn policy_allows(policy: &Policy, request: &Request, policy_type: crate::PolicyType) -> Truth {
    let layer = layer(request, policy, policy_type.kind());
    layer.allow.any().and(!layer.deny)
}

fn layers(world: &impl World, policies: &[Arc<Policy>], kind: Kind) -> Layer {
    policies.iter().fold(Layer::SILENT, |all, policy| all.or(layer(world, policy, kind)))
}

/// The policies of one organisational level.
#[derive(Clone, Debug, Default)]
pub struct Level {
    /// The root, unit or account they are attached to.
    pub node: String,
    /// The policies there; with none, nothing is allowed (SCP) or everything is (RCP, whose full-access policy is implicit).
    pub policies: Vec<Arc<Policy>>,
}

/// Every policy that concerns a request.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// The caller's own and its groups', inline and managed.
    pub identity: Vec<Arc<Policy>>,
    /// The resource's.
    pub resource: Option<Arc<Policy>>,
    /// Permissions boundaries; each must allow.
    pub boundary: Vec<Arc<Policy>>,
    /// The session's.
    pub session: Option<Arc<Policy>>,
    /// Service control policies of the caller's account, a level each.
    pub scp: Vec<Level>,
    /// Resource control policies of the resource's account, a level each.
    pub rcp: Vec<Level>,
    /// The policies of the VPC endpoint that the request passes, if it passes one.
    pub vpc_endpoint: Vec<Arc<Policy>>,
    /// S3's switches for the bucket.
    pub s3: s3::Switches,
}

/// The answer for a concrete request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Allowed.
    Allowed,
    /// Nothing allows it, or one of the layers that must allow it does not.
    ImplicitlyDenied,
    /// A deny statement applies.
    ExplicitlyDenied,
    /// It depends on something that is not known.
    Unknown,
}

/// What takes part in a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// Identity policies.
    Identity,
    /// The resource policy.
    Resource,
    /// The boundary at this position.
    Boundary(usize),
    /// The session policy.
    Session,
    /// The SCPs of the level at this position.
    Scp(usize),
    /// The RCPs of the level at this position.
    Rcp(usize),
    /// The endpoint policies.
    VpcEndpoint,
    /// S3's Block Public Access.
    BlockPublicAccess,
}

/// How a decision came about. Truths are kept, so that a partial request has a partial answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it is allowed.
    pub allowed: Truth,
    /// Whether a deny statement applies.
    pub denied: Truth,
    /// What stands in the way, or may stand in the way.
    pub blocked_by: Vec<Part>,
}

impl Judgement {
    /// The decision.
    pub fn decision(&self) -> Decision {
        match (self.denied, self.allowed) {
            (Truth::True, _) => Decision::ExplicitlyDenied,
            (Truth::False, Truth::True) => Decision::Allowed,
            (Truth::False, Truth::False) => Decision::ImplicitlyDenied,
            _ => Decision::Unknown,
        }
    }
}

impl World for Request {
    #[inline]
    fn actions(&self, actions: &Actions) -> Truth {
        let mut any = Truth::False;
        for pattern in &actions.patterns {
            any = any.or(self.action_matches(pattern));
            if any == Truth::True {
                break;
            }
        }
        if actions.negated { !any } else { any }
    }

    #[inline]
    fn resources(&self, resources: &Resources) -> Truth {
        let arn = self.parts();
        let mut any = Truth::False;
        for (pattern, _) in &resources.patterns {
            any = any.or(pattern.matches(&arn, &self.context));
            if any == Truth::True {
                break;
            }
        }
        if resources.negated { !any } else { any }
    }

    #[inline]
    fn principals(&self, principals: &Principals) -> Grant {
        principals_grant(principals, &self.caller)
    }

    #[inline]
    fn clause(&self, clause: &Clause) -> Truth {
        clause.holds(&self.context)
    }
}

/// How `Principal` or `NotPrincipal` takes a caller in.
pub(crate) fn principals_grant(principals: &Principals, caller: &Caller) -> Grant {
    let mut grant = Grant::NONE;
    for pattern in &principals.patterns {
        grant = grant.or(pattern.matches(caller));
        if grant.direct == Truth::True {
            break;
        }
    }
    if principals.negated { Grant { direct: !grant.any(), ..Grant::NONE } } else { grant }
}

/// Decides a request.
pub fn evaluate(request: &Request, policies: &Policies) -> Judgement {
    let same_account = match (request.caller.account(), &request.resource_account) {
        (Some(a), Some(b)) => Truth::from(a == b),
        (None, _) => Truth::False,
        (Some(_), None) => Truth::Unknown,
    };
    match same_account {
        Truth::True => decide(request, policies, true),
        Truth::False => decide(request, policies, false),
        Truth::Unknown => {
            let (same, other) = (decide(request, policies, true), decide(request, policies, false));
            if (same.allowed, same.denied) == (other.allowed, other.denied) { other } else { mixed(same, other) }
        }
    }
}

fn mixed(a: Judgement, b: Judgement) -> Judgement {
    let agree = |x: Truth, y: Truth| if x == y { x } else { Truth::Unknown };
    let mut blocked_by = a.blocked_by;
    blocked_by.extend(b.blocked_by);
    blocked_by.sort_unstable();
    blocked_by.dedup();
    Judgement { allowed: agree(a.allowed, b.allowed), denied: agree(a.denied, b.denied), blocked_by }
}

/// The truths that a decision is made of.
struct Tally {
    denied: Truth,
    /// Where a deny statement applies, or may apply.
    deniers: Vec<Part>,
    /// What should allow and does not, or may not.
    missing: Vec<Part>,
}

impl Tally {
    /// Counts a layer's denials and says whether it allows.
    fn gate(&mut self, part: Part, layer: Layer) -> Truth {
        let allows = layer.allow.any();
        self.denies(part, layer);
        if allows != Truth::True {
            self.missing.push(part);
        }
        allows
    }

    fn denies(&mut self, part: Part, layer: Layer) {
        self.denied = self.denied.or(layer.deny);
        if layer.deny != Truth::False {
            self.deniers.push(part);
        }
    }

    fn blocked_by(self, allowed: Truth) -> Vec<Part> {
        let mut all = match (self.denied, allowed) {
            (_, Truth::True) => Vec::new(),
            (Truth::True, _) => self.deniers,
            (Truth::False, _) => self.missing,
            (Truth::Unknown, _) => self.deniers.into_iter().chain(self.missing).collect(),
        };
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn decide(request: &Request, policies: &Policies, same_account: bool) -> Judgement {
    let mut tally = Tally { denied: Truth::False, deniers: Vec::new(), missing: Vec::new() };
    let mut allowed = organisation(request, policies, &mut tally);
    if !policies.vpc_endpoint.is_empty() {
        let endpoint = layers(request, &policies.vpc_endpoint, Kind::Gate);
        allowed = allowed.and(tally.gate(Part::VpcEndpoint, endpoint));
    }
    let mut resource = match &policies.resource {
        Some(policy) => layer(request, policy, Kind::Resource),
        None => Layer::SILENT,
    };
    let barred = s3::barred(request, policies, same_account);
    resource.allow = resource.allow.and(!barred);
    tally.denies(Part::Resource, resource);
    allowed = allowed.and(match request.caller {
        Caller::Anonymous | Caller::Service(_) | Caller::Provider(_) => alone(&mut tally, resource),
        _ => together(request, policies, same_account, resource, &mut tally),
    });
    if barred != Truth::False && allowed != Truth::True {
        tally.missing.push(Part::BlockPublicAccess);
    }
    let allowed = allowed.and(!tally.denied);
    Judgement { allowed, denied: tally.denied, blocked_by: tally.blocked_by(allowed) }
}

/// SCPs and RCPs: every level must allow. They do not touch service-linked roles; SCPs touch only AWS principals.
fn organisation(request: &Request, policies: &Policies, tally: &mut Tally) -> Truth {
    let mut allowed = Truth::True;
    if request.caller.is_service_linked() {
        return allowed;
    }
    if request.caller.identity().is_some() {
        for (i, level) in policies.scp.iter().enumerate() {
            let layer = layers(request, &level.policies, Kind::Attached);
            allowed = allowed.and(tally.gate(Part::Scp(i), layer));
        }
    }
    for (i, level) in policies.rcp.iter().enumerate() {
        let layer = layers(request, &level.policies, Kind::Gate);
        tally.denies(Part::Rcp(i), layer);
    }
    allowed
}

/// Callers without policies of their own: the resource policy alone decides.
fn alone(tally: &mut Tally, resource: Layer) -> Truth {
    let allows = resource.allow.direct;
    if allows != Truth::True {
        tally.missing.push(Part::Resource);
    }
    allows
}

/// AWS principals: identity and resource policies, limited by boundary and session policy.
fn together(request: &Request, policies: &Policies, same_account: bool, resource: Layer, tally: &mut Tally) -> Truth {
    let root = matches!(request.caller, Caller::Root(_));
    let identity = layers(request, &policies.identity, Kind::Attached);
    let before = tally.missing.len();
    let identity = if root {
        tally.denies(Part::Identity, identity);
        Truth::True
    } else {
        tally.gate(Part::Identity, identity)
    };
    let mut limits = Truth::True;
    if !root {
        for (i, policy) in policies.boundary.iter().enumerate() {
            limits = limits.and(tally.gate(Part::Boundary(i), layer(request, policy, Kind::Attached)));
        }
    }
    if let Some(policy) = &policies.session {
        limits = limits.and(tally.gate(Part::Session, layer(request, policy, Kind::Attached)));
    }
    let Grant { direct, via_role, via_account } = resource.allow;
    let own = identity.and(limits);
    let allows = if same_account {
        let named = direct.or(via_role.and(limits));
        if resource_must_trust(request) { named.or(via_account.and(own)) } else { named.or(own) }
    } else {
        resource.allow.any().and(own)
    };
    if allows == Truth::True {
        tally.missing.truncate(before);
    } else if (!same_account || resource_must_trust(request)) && resource.allow.any() != Truth::True {
        tally.missing.push(Part::Resource);
    }
    allows
}

/// KMS keys and roles to be assumed: their own policy must let the account in.
fn resource_must_trust(request: &Request) -> bool {
    let arn = request.parts();
    match &*request.service {
        "kms" => arn.field(2) == "kms" && arn.field(5).starts_with("key/"),
        "sts" => arn.field(2) == "iam" && arn.field(5).starts_with("role/"),
        _ => false,
    }
}
