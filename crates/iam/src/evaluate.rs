//! The decision: all policies that concern a request, taken together.
//!
//! Source: IAM user guide, "Policy evaluation logic" with its pages on requests within one account and across accounts,
//! permissions boundaries, session policies, SCPs and RCPs; KMS developer guide, "Key policies".
//!
//! There is one semantics: the symbolic search ends in concrete requests, which are replayed here.

use std::sync::Arc;

use model::Truth;

use crate::arn::{Parts, Short, Stars};
use crate::document::{Actions, Effect, Policy, Principals, Resources, Statement};
use crate::request::{Breadth, Caller, Grant, Mode, Request};
use crate::unknown_name::same_account;
use crate::{rules, s3};

/// A request while it is evaluated.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    request: &'a Request,
    arn: Parts<'a>,
    /// Whether the caller has a boundary, which makes every denial with `NotPrincipal` hit it.
    bounded: bool,
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

/// What a policy is attached to, which says how its statements are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Identity, boundary, session: attached to the caller.
    Identity,
    /// SCP: attached to the caller's account.
    Scp,
    /// Attached to the resource: the principal element decides.
    Resource,
    /// RCP: a missing principal element means everyone.
    Rcp,
    /// VPC endpoint policy: a missing principal element means everyone.
    Endpoint,
}

impl Kind {
    /// Whether it is attached to the caller's side, where statements name no principals.
    pub(crate) fn attached(self) -> bool {
        matches!(self, Kind::Identity | Kind::Scp)
    }

    /// Which resource patterns with fewer than six fields count.
    pub(crate) fn short(self) -> Short {
        match self {
            Kind::Identity => Short::Counts,
            Kind::Resource | Kind::Endpoint => Short::With(Stars::Inside),
            Kind::Scp => Short::With(Stars::Last),
            Kind::Rcp => Short::Never,
        }
    }
}

impl<'a> Asked<'a> {
    pub(crate) fn new(request: &'a Request) -> Asked<'a> {
        Asked { request, arn: request.parts(), bounded: false }
    }

    /// The same with what a denial has to know of the other policies.
    pub(crate) fn among(request: &'a Request, policies: &Policies) -> Asked<'a> {
        Asked { bounded: !policies.boundary.is_empty(), ..Asked::new(request) }
    }

    /// How a statement takes the request in, its effect aside.
    pub(crate) fn applies(&self, statement: &Statement, kind: Kind) -> Grant {
        let mut truth = if statement.unreadable.is_some() { Truth::Unknown } else { Truth::True };
        truth = truth.and(self.actions(&statement.actions));
        if truth == Truth::False && !statement.effect_unreadable {
            return Grant::NONE;
        }
        match &statement.resources {
            Some(resources) => truth = truth.and(self.resources(resources, statement.effect, kind)),
            None if kind.attached() => truth = truth.and(Truth::Unknown),
            None => {}
        }
        if truth == Truth::False {
            return Grant::NONE;
        }
        let grant = match (kind, &statement.principal) {
            (Kind::Identity | Kind::Scp, _) | (Kind::Rcp | Kind::Endpoint, None) => Grant::DIRECT,
            (_, Some(principals)) => self.principals(principals, statement.effect),
            // A statement of a resource policy that names nobody is for nobody.
            (Kind::Resource, None) => Grant::NONE,
        };
        if grant == Grant::NONE {
            return Grant::NONE;
        }
        for clause in &statement.conditions {
            truth = truth.and(clause.holds(&self.request.context));
            if truth == Truth::False {
                return Grant::NONE;
            }
        }
        grant.and(truth)
    }

    pub(crate) fn actions(&self, actions: &Actions) -> Truth {
        let mut any = Truth::False;
        for pattern in &actions.patterns {
            any = any.or(self.request.action_matches(pattern));
            if any == Truth::True {
                break;
            }
        }
        if actions.negated { !any } else { any }
    }

    /// Where the request is for a whole set of resources, an allowance counts if it covers any of them, a denial only if it
    /// covers all.
    fn resources(&self, resources: &Resources, effect: Effect, kind: Kind) -> Truth {
        let (short, context) = (kind.short(), &self.request.context);
        let touching = (effect == Effect::Allow) != resources.negated;
        let mut any = Truth::False;
        for (pattern, _) in &resources.patterns {
            any = any.or(match self.request.breadth {
                Breadth::One => pattern.matches(&self.arn, short, context),
                Breadth::Set if touching => pattern.overlaps(&self.arn, short, context),
                Breadth::Set => pattern.covers(&self.arn, short, context),
            });
            if any == Truth::True {
                break;
            }
        }
        if resources.negated { !any } else { any }
    }

    fn principals(&self, principals: &Principals, effect: Effect) -> Grant {
        if self.bounded && principals.negated && effect == Effect::Deny {
            return Grant::DIRECT;
        }
        principals_grant(principals, &self.request.caller, self.request.context.mode())
    }
}

/// What a policy says of the request.
pub(crate) fn layer(asked: &Asked<'_>, policy: &Policy, kind: Kind) -> Layer {
    let mut out = Layer::SILENT;
    if policy.unreadable.is_some() {
        out = Layer { allow: Grant { direct: Truth::Unknown, ..Grant::NONE }, deny: Truth::Unknown };
    }
    for statement in &policy.statements {
        let grant = asked.applies(statement, kind);
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
    let layer = layer(&Asked::new(request), policy, policy_type.kind());
    layer.allow.any().and(!layer.deny)
}

fn layers(asked: &Asked<'_>, policies: &[Arc<Policy>], kind: Kind) -> Layer {
    policies.iter().fold(Layer::SILENT, |all, policy| all.or(layer(asked, policy, kind)))
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
    /// The permissions boundary; several documents count as one.
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
    /// The permissions boundary.
    Boundary,
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
    /// AWS's own rule that what it manages cannot be changed.
    ManagedByAws,
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

/// How `Principal` or `NotPrincipal` takes a caller in.
pub(crate) fn principals_grant(principals: &Principals, caller: &Caller, mode: Mode) -> Grant {
    let mut grant = Grant::NONE;
    for pattern in &principals.patterns {
        grant = grant.or(pattern.matches(caller, mode));
        if grant.direct == Truth::True {
            break;
        }
    }
    if principals.negated { Grant { direct: !grant.any(), ..Grant::NONE } } else { grant }
}

/// Decides a request.
pub fn evaluate(request: &Request, policies: &Policies) -> Judgement {
    let same_account = match (request.caller.account(), &request.resource_account) {
        (Some(a), Some(b)) => same_account(a, b),
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
    if rules::always_allowed(request) {
        return Judgement { allowed: Truth::True, denied: Truth::False, blocked_by: Vec::new() };
    }
    let asked = Asked::among(request, policies);
    let mut tally = Tally { denied: Truth::False, deniers: Vec::new(), missing: Vec::new() };
    let mut allowed = organisation(&asked, policies, &mut tally);
    if !policies.vpc_endpoint.is_empty() {
        let endpoint = layers(&asked, &policies.vpc_endpoint, Kind::Endpoint);
        allowed = allowed.and(tally.gate(Part::VpcEndpoint, endpoint));
    }
    let resource = match &policies.resource {
        Some(policy) => layer(&asked, policy, Kind::Resource),
        None => Layer::SILENT,
    };
    tally.denies(Part::Resource, resource);
    allowed = allowed.and(match request.caller {
        Caller::Anonymous | Caller::Service(_) | Caller::Provider(_) => alone(&mut tally, resource),
        _ => together(&asked, policies, same_account, resource, &mut tally),
    });
    if rules::cannot_change(request) {
        allowed = Truth::False;
        tally.missing.push(Part::ManagedByAws);
    }
    let barred = s3::barred(request, policies, same_account).and(allowed).and(!tally.denied);
    if barred != Truth::False {
        tally.denied = tally.denied.or(barred);
        tally.deniers.push(Part::BlockPublicAccess);
    }
    let allowed = allowed.and(!tally.denied);
    Judgement { allowed, denied: tally.denied, blocked_by: tally.blocked_by(allowed) }
}

/// SCPs and RCPs: every level must allow. They do not touch service-linked roles; SCPs touch only AWS principals.
fn organisation(asked: &Asked<'_>, policies: &Policies, tally: &mut Tally) -> Truth {
    let mut allowed = Truth::True;
    if policies.scp.is_empty() && policies.rcp.is_empty() || asked.request.caller.is_service_linked() {
        return allowed;
    }
    if asked.request.caller.identity().is_some() {
        for (i, level) in policies.scp.iter().enumerate() {
            let layer = layers(asked, &level.policies, Kind::Scp);
            allowed = allowed.and(tally.gate(Part::Scp(i), layer));
        }
    }
    for (i, level) in policies.rcp.iter().enumerate() {
        let layer = layers(asked, &level.policies, Kind::Rcp);
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
fn together(asked: &Asked<'_>, policies: &Policies, same_account: bool, resource: Layer, tally: &mut Tally) -> Truth {
    let root = matches!(asked.request.caller, Caller::Root(_));
    let identity = layers(asked, &policies.identity, Kind::Identity);
    let before = tally.missing.len();
    let identity = if root {
        tally.denies(Part::Identity, identity);
        Truth::True
    } else {
        tally.gate(Part::Identity, identity)
    };
    let mut limits = Truth::True;
    if !root && !policies.boundary.is_empty() {
        limits = tally.gate(Part::Boundary, layers(asked, &policies.boundary, Kind::Identity));
    }
    if let Some(policy) = &policies.session {
        limits = limits.and(tally.gate(Part::Session, layer(asked, policy, Kind::Identity)));
    }
    let Grant { direct, via_role, via_account } = resource.allow;
    let own = identity.and(limits);
    let must_trust = resource_must_trust(asked, policies);
    let allows = if same_account {
        let named = direct.or(via_role.and(limits));
        if must_trust { named.or(via_account.and(own)) } else { named.or(own) }
    } else {
        resource.allow.any().and(own)
    };
    if allows == Truth::True {
        tally.missing.truncate(before);
    } else if (!same_account || must_trust) && resource.allow.any() != Truth::True {
        tally.missing.push(Part::Resource);
    }
    allows
}

/// KMS keys, roles to be assumed and whatever else STS guards with a policy: that policy must let the account in.
fn resource_must_trust(asked: &Asked<'_>, policies: &Policies) -> bool {
    match &*asked.request.service {
        "kms" => asked.arn.field(2) == "kms" && asked.arn.field(5).starts_with("key/"),
        "sts" => policies.resource.is_some() || asked.arn.field(2) == "iam" && asked.arn.field(5).starts_with("role/"),
        _ => false,
    }
}
