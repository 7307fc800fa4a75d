//! The principals of an account with everything that is attached to them, and the resources that have policies.

mod answers;
mod guarded;
mod organisation;
mod template;

pub use organisation::{Control, Organisation};

pub use guarded::{BLOCKERS, is_grant, is_own_policy};

use std::sync::Arc;

use model::{ResourceIndex, Text};
use rustc_hash::FxHashMap;

use crate::document::Policy;
use crate::evaluate::{Level, Policies};
use crate::managed;
use crate::request::{Caller, Context, Mode, Request};
use crate::s3::{BlockPublicAccess, Switches};

pub use crate::unknown_name::OWN_ACCOUNT;

/// A user or a role.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Its ARN; made up from its name where it has none yet.
    pub arn: Text,
    /// What people call it: the ARN, or the logical id in a template.
    pub label: Text,
    /// The resource it was read from, if from a snapshot.
    pub resource: Option<ResourceIndex>,
    /// Who it is in a request.
    pub caller: Caller,
    /// Inline, managed and groups' policies, each with its name.
    pub policies: Vec<Attached>,
    /// The permissions boundary.
    pub boundary: Option<Attached>,
    /// The trust policy, for roles.
    pub trust: Option<Arc<Policy>>,
    /// The groups it is in, by ARN.
    pub groups: Vec<Text>,
}

/// A policy that is attached somewhere.
#[derive(Clone, Debug)]
pub struct Attached {
    /// `inline NAME`, a managed policy's ARN, `group G: ...`.
    pub name: Text,
    /// The ARN, for managed policies.
    pub arn: Option<Text>,
    /// The document.
    pub policy: Arc<Policy>,
}

/// A resource that has a policy of its own.
#[derive(Clone, Debug)]
pub struct Guarded {
    /// Its ARN.
    pub arn: Text,
    /// What people call it.
    pub label: Text,
    /// Its policy.
    pub policy: Arc<Policy>,
    /// What Block Public Access blocks of it: all off for what is no bucket.
    pub public_access: BlockPublicAccess,
}

/// Service and resource control policies over one account.
#[derive(Clone, Debug, Default)]
struct Over {
    scp: Vec<Level>,
    rcp: Vec<Level>,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// The account's number, where known.
    pub id: Option<Text>,
    /// Users and roles, in input order.
    pub principals: Vec<Principal>,
    /// Resources with policies.
    pub resources: Vec<Guarded>,
    /// Service control policies, a level each.
    pub scp: Vec<Level>,
    /// Resource control policies, a level each.
    pub rcp: Vec<Level>,
    /// The same for the other accounts, where principals of a whole organisation were read.
    others: FxHashMap<Text, Over>,
    /// What could not be read.
    pub reasons: Vec<String>,
    by_arn: FxHashMap<Text, usize>,
}

impl Account {
    /// Puts an index over the principals.
    fn finish(mut self) -> Account {
        self.by_arn.clear();
        for (i, principal) in self.principals.iter().enumerate() {
            self.by_arn.entry(principal.arn.clone()).or_insert(i);
        }
        self
    }

    /// The principal with this ARN, label or name; a session's ARN finds its role.
    pub fn find(&self, name: &str) -> Option<&Principal> {
        let at = self.by_arn.get(name).copied().or_else(|| {
            let caller = Caller::parse(name);
            let same = |p: &&Principal| match (&caller, p.caller.identity()) {
                (Caller::Session { identity, .. }, Some(own)) => {
                    matches!(p.caller, Caller::Role(_)) && identity.account == own.account && identity.name == own.name
                }
                (_, Some(own)) => *p.label == *name || *own.name == *name,
                _ => false,
            };
            self.principals.iter().position(|p| same(&p))
        })?;
        self.principals.get(at)
    }

    /// The own account's number, made up if it is not known.
    pub fn number(&self) -> &str {
        self.id.as_deref().unwrap_or(OWN_ACCOUNT)
    }

    /// The policy of a resource: a role's trust policy, or what was read of the resource.
    pub fn resource_policy(&self, arn: &str) -> Option<Arc<Policy>> {
        if let Some(role) = self.by_arn.get(arn).and_then(|i| self.principals.get(*i)) {
            return role.trust.clone();
        }
        self.guarded(arn).map(|r| r.policy.clone())
    }

    /// The resource with a policy that has an ARN, or the bucket of the object that has it.
    fn guarded(&self, arn: &str) -> Option<&Guarded> {
        let bucket = arn.split('/').next().unwrap_or(arn);
        self.resources.iter().find(|r| *r.arn == *arn || *r.arn == *bucket && arn.starts_with("arn:aws:s3:::"))
    }

    /// All policies for a request by a principal on a resource. Trust policies count only for assuming the role.
    pub fn policies(&self, principal: &Principal, action: &str, resource: &str) -> Policies {
        let assumes = action.len() > 4 && action.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("sts:"));
        let of_role = resource.contains(":role/");
        Policies {
            identity: principal.policies.iter().map(|a| a.policy.clone()).collect(),
            boundary: principal.boundary.iter().map(|a| a.policy.clone()).collect(),
            resource: if of_role && !assumes { None } else { self.resource_policy(resource) },
            scp: self.over(self.account_of(principal)).0.to_vec(),
            rcp: self.over(self.owner(principal, resource)).1.to_vec(),
            s3: Switches { bucket: self.guarded(resource).map(|r| r.public_access).unwrap_or_default(), ..Switches::default() },
            ..Policies::default()
        }
    }

    /// A request by a principal of this account; keys that nobody mentions are unknown.
    pub fn request(&self, principal: &Principal, action: &str, resource: &str) -> Request {
        let context = Context::new(Mode::Discovery);
        Request::new(principal.caller.clone(), action, resource, Some(self.owner(principal, resource)), context)
    }

    /// The account that owns a resource: the ARN's, or else the principal's.
    pub fn owner<'a>(&'a self, principal: &'a Principal, resource: &'a str) -> &'a str {
        let own = crate::arn::Parts::new(resource).field(4);
        if crate::unknown_name::is_account(own) { own } else { self.account_of(principal) }
    }

    /// The account of a principal.
    pub fn account_of<'a>(&'a self, principal: &'a Principal) -> &'a str {
        principal.caller.account().map_or(self.number(), |account| account)
    }

    /// The service and the resource control policies over an account; none for one of which nothing was read.
    fn over(&self, account: &str) -> (&[Level], &[Level]) {
        if account == self.number() {
            return (&self.scp, &self.rcp);
        }
        self.others.get(account).map_or((&[], &[]), |over| (&over.scp, &over.rcp))
    }
}

/// Managed policies by ARN: those that were read, and those of AWS that are known.
struct Managed {
    read: FxHashMap<Text, Arc<Policy>>,
}

impl Managed {
    fn attach(&self, arn: &str, label: String) -> Attached {
        let policy = match self.read.get(arn) {
            Some(policy) => policy.clone(),
            None => managed::policy(arn)
                .unwrap_or_else(|| Arc::new(Policy::unreadable(format!("the document of `{arn}` was not read")))),
        };
        Attached { name: label.into(), arn: Some(arn.into()), policy }
    }
}
