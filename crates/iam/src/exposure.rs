//! Is a resource policy open to the world, or to other accounts?
//!
//! A stranger is anybody who is in no account, organisation or network that the policy names. Only what a stranger cannot
//! forge holds them off: their account, organisation, network and the source that AWS vouches for. A referer or user agent
//! holds nobody off.

use std::collections::BTreeSet;
use std::net::IpAddr;

use model::{Text, Truth};
use serde_json::{Value as Json, json};

use crate::account::OWN_ACCOUNT;
use crate::arn::Parts;
use crate::document::{Effect, Policy, PrincipalPattern, Statement};
use crate::evaluate::{Kind, Level, policy_allows};
use crate::inclusion::{PolicyType, allowing, request_json};
use crate::operator::{Compare, Operand};
use crate::request::{Caller, Entry, Request};
use crate::symbolic::callers::{SOMEBODY, STRANGE_ACCOUNT};
use crate::symbolic::search::{Found, Goal, MADE_UP, search};
use crate::unknown_name::{self, is_account};

/// Most accounts, organisations and services that one policy is asked about.
pub const OUTSIDERS_MAX: usize = 200;

/// How open a policy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Openness {
    /// Open to everybody.
    Public,
    /// Open to everybody who meets these conditions: a network, a VPC, a secret value.
    PublicIf(Vec<String>),
    /// Open to these accounts and organisations.
    CrossAccount(Vec<String>),
    /// Closed to all but the own account and the services it names.
    No,
    /// It cannot be told.
    Unknown(Vec<String>),
}

/// How open a policy is, with proof.
#[derive(Clone, Debug, PartialEq)]
pub struct Exposure {
    /// The answer.
    pub openness: Openness,
    /// A request by an outsider that the policy allows; the ordinary evaluation replays it.
    pub request: Option<Request>,
    /// The statements that allow it.
    pub statements: Vec<String>,
    /// Services that may act for any account, because no condition on the source holds them (confused deputy).
    pub deputies: Vec<String>,
    /// True if the owner's account is not known, so a named account may be the own one.
    pub owner_unknown: bool,
}

/// Keys that AWS fills in and no caller can choose.
const VOUCHED: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourcevpcarn",
    "aws:userid",
    "aws:username",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "kms:calleraccount",
    "kms:viaservice",
    "lambda:eventsourcetoken",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "sts:externalid",
];

/// Keys that say from which network a request comes.
const NETWORK: &[&str] = &[
    "aws:sourceip",
    "aws:vpcsourceip",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourcevpcarn",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
];

/// Keys that say for which resource or account a service acts.
const SOURCE: &[&str] = &[
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourceowner",
    "s3:dataaccesspointaccount",
];

/// What a policy names.
struct Names {
    owner: Option<Text>,
    accounts: BTreeSet<Text>,
    organisations: BTreeSet<Text>,
    services: BTreeSet<Text>,
    /// (key, exact value) for vouched keys.
    values: BTreeSet<(Box<str>, Text)>,
    narrow: Vec<ipnet::IpNet>,
}

/// Whose a resource is, and what the organisation denies everybody there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner<'a> {
    /// The account, where known.
    pub account: Option<&'a str>,
    /// The resource control policies over it.
    pub rcp: &'a [Level],
    /// The ARN of what the policy belongs to, where known: a request on a resource that the policy doesn't name is then on it.
    pub resource: Option<&'a str>,
}

impl<'a> From<Option<&'a str>> for Owner<'a> {
    fn from(account: Option<&'a str>) -> Owner<'a> {
        Owner { account, ..Owner::default() }
    }
}

/// How open a resource policy is. Where it depends on what a name that nobody knows yet turns out to be, the answer is unknown.
pub fn exposure<'a>(policy: &Policy, owner: impl Into<Owner<'a>>) -> Exposure {
    let owner = owner.into();
    let mut all = exposures(policy, owner).into_iter();
    let Some(first) = all.next() else { return exposure_of(policy, owner.account, &|_, _| true) };
    match all.find(|other| other.openness != first.openness) {
        None => first,
        Some(other) => {
            let mut reasons = vec![DEPENDS_ON_NAMES.to_owned()];
            for openness in [first.openness, other.openness] {
                if let Openness::Unknown(why) = openness {
                    reasons.extend(why);
                }
            }
            Exposure { openness: Openness::Unknown(reasons), request: None, statements: Vec::new(), ..other }
        }
    }
}

/// The same with the resource itself in the request, where the policy allows that too.
fn about(mut exposure: Exposure, policy: &Policy, arn: &str) -> Exposure {
    let made_up = |request: &&Request| request.resource().ends_with(MADE_UP);
    if let Some(request) = exposure.request.as_ref().filter(made_up) {
        let account = request.resource_account.as_deref();
        let own = Request::bare(request.caller.clone(), &request.action, arn, account, request.context.clone());
        if policy_allows(policy, &own, PolicyType::Resource) == Truth::True {
            exposure.request = Some(own);
        }
    }
    exposure
}

/// Why an answer that depends on names is not known.
pub(crate) const DEPENDS_ON_NAMES: &str = "it depends on a name that is not known yet";

/// How open a policy is in every world of the names in it that nobody knows yet; one answer if there are none.
pub(crate) fn exposures(policy: &Policy, owner: Owner<'_>) -> Vec<Exposure> {
    let together = if owner.rcp.is_empty() { None } else { Some(policy.under(owner.rcp)) };
    let (policy, owner, resource) = (together.as_ref().unwrap_or(policy), owner.account, owner.resource);
    let any = |_: &str, _: &str| true;
    let mut all = vec![exposure_of(policy, owner, &any)];
    match unknown_name::worlds(&[policy]) {
        Ok(worlds) => all.extend(worlds.iter().map(|world| {
            let owner = owner.or(unknown_name::own_account(world));
            exposure_of(&policy.in_world(world), owner, &any)
        })),
        Err(_) => {
            let why = vec!["its names can turn out in too many ways".to_owned()];
            let first = all.first().cloned();
            all.extend(first.map(|first| Exposure {
                openness: Openness::Unknown(why),
                request: None,
                statements: Vec::new(),
                ..first
            }));
        }
    }
    match resource {
        Some(arn) => all.into_iter().map(|exposure| about(exposure, policy, arn)).collect(),
        None => all,
    }
}

/// The same for some actions only: `only` gets the service and the name, in lower case. Names that nobody knows yet are taken
/// for different from every other text.
fn exposure_of(policy: &Policy, owner: Option<&str>, only: &dyn Fn(&str, &str) -> bool) -> Exposure {
    let (policy, foreign) = without_named(policy);
    let policy = &policy;
    let names = names(policy, owner);
    let policies = [policy];
    let run = |caller: &dyn Fn(&Caller) -> bool, entry: &dyn Fn(&str, &Entry) -> bool| -> Found {
        let goal = Goal { candidate: &policies, reference: &[], kind: Kind::Resource, caller, entry, action: only, open: false };
        search(&goal)
    };
    let stranger = |caller: &Caller| match caller {
        Caller::Anonymous => true,
        other => other.account().is_some_and(|a| &**a == STRANGE_ACCOUNT),
    };
    let mut out = Exposure {
        openness: Openness::No,
        request: None,
        statements: Vec::new(),
        deputies: deputies(&names, &run),
        owner_unknown: owner.is_none(),
    };
    let mut reasons = unreadable(policy);
    let take = |found: Found, reasons: &mut Vec<String>| -> Option<Request> {
        reasons.extend(found.reasons);
        found.request
    };
    let strangers = may_take_in_strangers(policy);
    if strangers && let Some(request) = take(run(&stranger, &|key, entry| names.forgeable(key, entry)), &mut reasons) {
        return out.with(Openness::Public, request, policy);
    }
    let certain = reasons.is_empty();
    let network = |key: &str, entry: &Entry| {
        NETWORK.contains(&key) || key == "sts:externalid" || key == "lambda:eventsourcetoken" || names.forgeable(key, entry)
    };
    if strangers
        && certain
        && let Some(request) = take(run(&stranger, &network), &mut reasons)
    {
        let conditions = conditions(policy, &request);
        return out.with(Openness::PublicIf(conditions), request, policy);
    }
    let mut outsiders = Vec::new();
    let mut proof = None;
    let own = |account: &&Text| ***account == *OWN_ACCOUNT || Some(*account) == names.owner.as_ref();
    for account in names.accounts.iter().filter(|account| !own(account)).take(OUTSIDERS_MAX) {
        let found = run(&|c| c.account() == Some(account), &|key, entry| names.of_account(account, key, entry));
        let request = take(found, &mut reasons).or_else(|| by_service(account, &names, &run));
        if let Some(request) = request {
            outsiders.push(account.to_string());
            proof = proof.or(Some(request));
        }
    }
    for organisation in names.organisations.iter().filter(|_| strangers).take(OUTSIDERS_MAX) {
        let member = |key: &str, entry: &Entry| match key {
            "aws:principalorgid" | "aws:principalorgpaths" => names.holds(entry, organisation),
            _ => NETWORK.contains(&key) || names.forgeable(key, entry),
        };
        if let Some(request) = take(run(&stranger, &member), &mut reasons) {
            outsiders.push(organisation.to_string());
            proof = proof.or(Some(request));
        }
    }
    reasons.extend(foreign);
    if !certain {
        reasons.sort_unstable();
        reasons.dedup();
        out.openness = Openness::Unknown(reasons);
        return out;
    }
    match proof {
        Some(request) => out.with(Openness::CrossAccount(outsiders), request, policy),
        None if reasons.is_empty() => out,
        None => {
            out.openness = Openness::Unknown(reasons);
            out
        }
    }
}

/// An account whose users and roles a policy all lets in, by naming the account, with the statements. `None` if there is none;
/// reasons if it cannot be told.
pub(crate) fn trusted_account(policy: &Policy) -> Result<Option<(Text, Vec<String>)>, Vec<String>> {
    let (mut policy, _) = without_named(policy);
    let mut accounts: BTreeSet<Text> = BTreeSet::new();
    let mut named: BTreeSet<Text> = BTreeSet::new();
    for statement in policy.statements.iter_mut().filter(|s| s.effect == Effect::Allow) {
        for principals in statement.principal.iter_mut().filter(|p| !p.negated) {
            principals.patterns.retain(|p| *p != PrincipalPattern::Everyone);
            for pattern in &principals.patterns {
                match pattern {
                    PrincipalPattern::Account(account) => drop(accounts.insert(account.clone())),
                    PrincipalPattern::Arn(arn) => drop(named.insert(arn.clone())),
                    _ => {}
                }
            }
        }
    }
    let mut reasons = unreadable(&policy);
    for account in accounts.iter().take(OUTSIDERS_MAX) {
        let anyone = |caller: &Caller| {
            let some = matches!(caller, Caller::User(_) | Caller::Role(_));
            some && caller.account() == Some(account)
                && caller.identity().is_some_and(|i| &*i.name == SOMEBODY && !named.contains(&i.arn))
        };
        let any_action = |_: &str, _: &str| true;
        let goal = Goal {
            candidate: &[&policy],
            reference: &[],
            kind: Kind::Resource,
            caller: &anyone,
            entry: &|_, _| true,
            action: &any_action,
            open: false,
        };
        let found = search(&goal);
        if let Some(request) = found.request {
            return Ok(Some((account.clone(), allowing(&request, &[&policy], Kind::Resource))));
        }
        reasons.extend(found.reasons);
    }
    if reasons.is_empty() { Ok(None) } else { Err(reasons) }
}

/// Whether a statement may allow somebody whom it does not name: the cheap look before the search.
fn may_take_in_strangers(policy: &Policy) -> bool {
    use PrincipalPattern::{Account, Arn, Federated, Service};
    let named = |p: &PrincipalPattern| matches!(p, Account(_) | Arn(_) | Federated(_) | Service(_));
    let holds_all = |s: &Statement| s.principal.as_ref().is_none_or(|p| !p.negated && p.patterns.iter().all(named));
    let may_allow = |s: &&Statement| s.effect == Effect::Allow || s.effect_unreadable;
    policy.unreadable.is_some() || policy.statements.iter().filter(may_allow).any(|s| !holds_all(s) || s.unreadable.is_some())
}

/// Why statements could not be read: such a statement may let anybody in.
pub(crate) fn unreadable(policy: &Policy) -> Vec<String> {
    let unread = policy.statements.iter().filter(|s| s.effect_unreadable);
    unread.filter_map(|s| Some(format!("Statement[{}]: {}", s.index, s.unreadable.as_ref()?))).collect()
}

/// The policy without principals of which only some is known: each is one principal, so none of them is a stranger. Also
/// why some of them may be of another account.
fn without_named(policy: &Policy) -> (Policy, Vec<String>) {
    let mut policy = policy.clone();
    let mut foreign = Vec::new();
    for statement in &mut policy.statements {
        let allows = statement.effect == Effect::Allow;
        let Some(principals) = statement.principal.as_mut().filter(|p| !p.negated) else { continue };
        principals.patterns.retain(|pattern| match pattern {
            PrincipalPattern::Named(text) => {
                if allows && text.starts_with("arn:") && !text.contains("AWS::AccountId") {
                    foreign.push(format!("the account of `{text}` is not known"));
                }
                false
            }
            PrincipalPattern::Hole(text) => !text.contains("AWS::AccountId"),
            _ => true,
        });
    }
    (policy, foreign)
}

/// A request that a service makes for a resource of this account.
fn by_service(account: &Text, names: &Names, run: &Run<'_>) -> Option<Request> {
    let entry = |key: &str, entry: &Entry| {
        names.of_account(account, key, entry) && !(SOURCE.contains(&key) && matches!(entry, Entry::Absent))
    };
    let request = run(&|c| matches!(c, Caller::Service(_)), &entry).request?;
    SOURCE.iter().any(|key| request.context.contains(key)).then_some(request)
}

type Run<'a> = dyn Fn(&dyn Fn(&Caller) -> bool, &dyn Fn(&str, &Entry) -> bool) -> Found + 'a;

/// The services that are let in whoever they act for.
fn deputies(names: &Names, run: &Run<'_>) -> Vec<String> {
    let unsourced = |key: &str, entry: &Entry| {
        if SOURCE.contains(&key) { names.forgeable(key, entry) } else { true }
    };
    let open = |service: &&Text| run(&|c| matches!(c, Caller::Service(name) if name == *service), &unsourced).request.is_some();
    names.services.iter().take(OUTSIDERS_MAX).filter(open).map(|s| s.to_string()).collect()
}

impl Exposure {
    fn with(mut self, openness: Openness, request: Request, policy: &Policy) -> Exposure {
        self.statements = allowing(&request, &[policy], Kind::Resource);
        self.openness = openness;
        self.request = Some(request);
        self
    }

    /// `{"schema": "palisade/iam.public/1", "answer": "public|public_if|cross_account|no|unknown", ..}`
    pub fn to_json(&self) -> Json {
        let mut out = json!({ "schema": "palisade/iam.public/1", "answer": self.openness.name() });
        let Json::Object(map) = &mut out else { return out };
        match &self.openness {
            Openness::PublicIf(conditions) => drop(map.insert("conditions".into(), json!(conditions))),
            Openness::CrossAccount(accounts) => drop(map.insert("accounts".into(), json!(accounts))),
            Openness::Unknown(reasons) => drop(map.insert("reasons".into(), json!(reasons))),
            Openness::Public | Openness::No => {}
        }
        if let Some(request) = &self.request {
            map.insert("request".into(), request_json(request));
            map.insert("statements".into(), json!(self.statements));
        }
        if !self.deputies.is_empty() {
            map.insert("deputies".into(), json!(self.deputies));
        }
        out
    }
}

impl Openness {
    /// `public`, `public_if`, `cross_account`, `no` or `unknown`.
    pub fn name(&self) -> &'static str {
        match self {
            Openness::Public => "public",
            Openness::PublicIf(_) => "public_if",
            Openness::CrossAccount(_) => "cross_account",
            Openness::No => "no",
            Openness::Unknown(_) => "unknown",
        }
    }
}

fn names(policy: &Policy, owner: Option<&str>) -> Names {
    let mut names = Names {
        owner: owner.map(Text::from),
        accounts: BTreeSet::new(),
        organisations: BTreeSet::new(),
        services: BTreeSet::new(),
        values: BTreeSet::new(),
        narrow: Vec::new(),
    };
    for statement in &policy.statements {
        for principal in statement.principal.iter().flat_map(|p| &p.patterns) {
            match principal {
                PrincipalPattern::Account(account) => drop(names.accounts.insert(account.clone())),
                PrincipalPattern::Arn(arn) => {
                    let account = Parts::new(arn).field(4);
                    if is_account(account) {
                        names.accounts.insert(account.into());
                    }
                }
                PrincipalPattern::Service(name) if statement.effect == Effect::Allow => {
                    names.services.insert(name.clone());
                }
                _ => {}
            }
        }
        for clause in &statement.conditions {
            for (operand, text) in clause.operands.iter().zip(&clause.texts) {
                if let Operand::Net(Some(net)) = operand
                    && clause.operator.compare == Compare::IpAddress
                    && is_narrow(net)
                {
                    names.narrow.push(*net);
                }
                if !VOUCHED.contains(&&*clause.key) {
                    continue;
                }
                let account = Parts::new(text).field(4);
                for named in [account, text].into_iter().filter(|t| is_account(t)) {
                    names.accounts.insert(named.into());
                }
                match operand {
                    Operand::Text(matcher) if matcher.is_exact() => {
                        names.values.insert((clause.key.clone(), text.clone()));
                    }
                    Operand::Arn(pattern) if pattern.is_exact() => {
                        names.values.insert((clause.key.clone(), text.clone()));
                    }
                    _ => {}
                }
                if text.starts_with("o-") && text.len() > 2 {
                    names.organisations.insert(text.split('/').next().unwrap_or_default().into());
                }
            }
        }
    }
    names
}

/// Whether a network is too small to stand for the Internet: S3's own limits.
fn is_narrow(net: &ipnet::IpNet) -> bool {
    match net {
        ipnet::IpNet::V4(v4) => v4.prefix_len() >= 8,
        ipnet::IpNet::V6(v6) => v6.prefix_len() >= 32,
    }
}

impl Names {
    /// Whether a stranger can come with this entry.
    fn forgeable(&self, key: &str, entry: &Entry) -> bool {
        let (Entry::Values(values) | Entry::Many(values)) = entry else { return true };
        if key == "aws:resourceaccount" {
            return values.iter().all(|v| self.owner.as_ref().is_none_or(|o| o == v));
        }
        if matches!(key, "aws:sourceip" | "aws:vpcsourceip") {
            return values.iter().all(|v| match v.parse::<IpAddr>() {
                Ok(ip) => !self.narrow.iter().any(|net| net.contains(&ip)),
                Err(_) => false,
            });
        }
        if !VOUCHED.contains(&key) {
            return true;
        }
        values.iter().all(|value| {
            let account = Parts::new(value).field(4);
            let named = self.accounts.contains(account) || self.accounts.contains(value) || self.organisations.contains(value);
            let organisation = value.split('/').next().is_some_and(|o| self.organisations.contains(o));
            !named && !organisation && !self.values.contains(&(Box::from(key), value.clone()))
        })
    }

    /// Whether somebody of this account can come with this entry.
    fn of_account(&self, account: &Text, key: &str, entry: &Entry) -> bool {
        let (Entry::Values(values) | Entry::Many(values)) = entry else { return true };
        match key {
            "aws:resourceaccount" => values.iter().all(|v| self.owner.as_ref().is_none_or(|o| o == v)),
            "aws:sourceaccount" | "aws:sourceowner" | "kms:calleraccount" | "s3:dataaccesspointaccount" => {
                values.iter().all(|v| v == account)
            }
            "aws:sourcearn" | "s3:dataaccesspointarn" => values.iter().all(|v| {
                let own = Parts::new(v).field(4);
                own.is_empty() || own == &**account
            }),
            _ => true,
        }
    }

    fn holds(&self, entry: &Entry, organisation: &Text) -> bool {
        match entry {
            Entry::Values(values) | Entry::Many(values) => values.iter().all(|v| v.split('/').next() == Some(&**organisation)),
            _ => true,
        }
    }
}

/// The conditions of the statements that let a request in.
fn conditions(policy: &Policy, request: &Request) -> Vec<String> {
    let allowing = allowing(request, &[policy], Kind::Resource);
    let mut all: Vec<String> =
        policy.statements.iter().filter(|s| allowing.contains(&s.label())).flat_map(|s| s.condition_words()).collect();
    all.dedup();
    all
}

#[cfg(test)]
mod tests;
