//! What the inventory adds to a detection: whether what it names is known, and whether it is open or an administrator now.
//!
//! What is so of a resource is what the catalogue's grave checks of access and exposure say, so it rests on the same reasoning as
//! a scan. Whether a grant *made* somebody an administrator is asked twice: of the inventory as it is, and without the grant.
//!
//! Absent on purpose: anything about a resource that the log doesn't name.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use catalogue::Catalogue;
use detect::{Answer, Class, Detection, FACTS_MAX, Fact};
use engine::{Config, Filter};
use iam::facts::AccountFacts;
use iam::{Organisation, Readings, StandIns};
use model::{Finding, Layer, Resource, ResourceIndex, Severity, Snapshot, Truth, TypeName, Value, Verdict};

/// The most grants that are asked about; what comes later is said to be unknown.
const GRANTS_MAX: usize = 50;

/// The layers whose checks say who reaches a thing, and what a principal may do.
const LAYERS: [Layer; 3] = [Layer::EndpointExposure, Layer::IdentityAccess, Layer::NetTrafficProtection];

/// Parts of the names of calls that change who may reach or do something. Other calls change nothing about what a fact says, so
/// that the fact is told and the severity stays.
const CHANGES_ACCESS: &[&str] = &[
    "Policy",
    "Acl",
    "PublicAccess",
    "Permission",
    "Attribute",
    "Ingress",
    "Share",
    "Grant",
    "UserToGroup",
    "Url",
    "Trust",
    "AssociateAddress",
    "Website",
    "Publicly",
];

type Key = (TypeName, String);

/// The inventory, ready to be asked.
pub(super) struct Inventory {
    snapshot: Snapshot,
    /// What decides about access, by itself: quick to ask again with a change.
    access: Snapshot,
    names: BTreeMap<String, Vec<ResourceIndex>>,
    findings: BTreeMap<Key, Vec<(String, Finding)>>,
    grants: usize,
}

impl Inventory {
    /// Judges a snapshot once and puts an index over its names.
    pub(super) fn new(snapshot: Snapshot, catalogue: &Catalogue, now: i64) -> Result<Inventory> {
        let grave = BTreeSet::from([Severity::High, Severity::Critical]);
        let filter = Filter { severities: grave, layers: BTreeSet::from(LAYERS), ..Filter::default() };
        let config = Config { filter, inline_suppressions: true, ..Config::default() };
        let outcome = engine::scan(&snapshot, catalogue, &config, jiff::Timestamp::from_second(now)?);
        let mut findings: BTreeMap<Key, Vec<(String, Finding)>> = BTreeMap::new();
        for finding in outcome.findings {
            let title = catalogue.check(finding.check.as_str()).map(|check| check.file.title.clone()).unwrap_or_default();
            let key = (finding.resource.type_name.clone(), finding.resource.id.to_string());
            findings.entry(key).or_default().push((title, finding));
        }
        let mut names: BTreeMap<String, Vec<ResourceIndex>> = BTreeMap::new();
        for (index, resource) in snapshot.iter() {
            let identifier = catalogue.kind(&resource.type_name).map(|kind| kind.file.identifier.as_slice()).unwrap_or_default();
            let own: BTreeSet<&str> = [Some(&*resource.id), resource.name.as_deref(), text(resource.attrs.get("Arn"))]
                .into_iter()
                .chain(identifier.iter().map(|property| resource.prop(property).as_str()))
                .flatten()
                .filter(|name| !name.is_empty())
                .collect();
            own.into_iter().for_each(|name| names.entry(name.to_owned()).or_default().push(index));
        }
        let concerns = |resource: &&Resource| {
            let name = resource.type_name.as_str();
            ["AWS::IAM::", "AWS::Organizations::", "Palisade::"].iter().any(|start| name.starts_with(start))
        };
        let access = Snapshot {
            scopes: snapshot.scopes.clone(),
            resources: snapshot.resources.iter().filter(concerns).cloned().collect(),
            gaps: snapshot.gaps.clone(),
        };
        Ok(Inventory { snapshot, access, names, findings, grants: 0 })
    }

    /// Adds what is known to a detection. What changed access and is open now is graver and surer than the log alone can say.
    pub(super) fn join(&mut self, detection: &mut Detection) {
        let mut facts = BTreeSet::new();
        let mut graver = false;
        self.actor(detection, &mut facts);
        let changes = detection.changed > 0 && detection.calls.iter().any(|call| changes_access(call));
        let mut unknown = vec![];
        for name in detection.resources.clone() {
            let found = self.find(&name, detection);
            if found.is_empty() {
                unknown.push(name);
                continue;
            }
            for index in found {
                let Some(resource) = self.snapshot.resource(index).cloned() else { continue };
                let said = self.said_of(&name, &resource);
                if said.is_empty() {
                    let text = "known, and no grave check of access or exposure fails".to_owned();
                    facts.insert(Fact { about: name.clone(), answer: Answer::No, text, check: None });
                }
                for fact in said {
                    graver |= changes && fact.answer == Answer::Yes;
                    facts.insert(fact);
                }
                if changes && matches!(resource.type_name.as_str(), "AWS::IAM::User" | "AWS::IAM::Role") {
                    let fact = self.made_admin(&name, &resource, detection);
                    graver |= fact.as_ref().is_some_and(|fact| fact.answer == Answer::Yes);
                    facts.extend(fact);
                }
            }
        }
        if !unknown.is_empty() {
            let text = "not in the inventory: whether it is open, and to whom, is not known".to_owned();
            facts.insert(Fact { about: unknown.join(", "), answer: Answer::Unknown, text, check: None });
        }
        detection.context = facts.into_iter().take(FACTS_MAX).collect();
        if graver {
            detection.raise();
        }
    }

    /// Whether the actor is known, and what may be said of it. It does not change how grave it is.
    fn actor(&self, detection: &Detection, facts: &mut BTreeSet<Fact>) {
        let actor = &detection.actor;
        if matches!(actor.class, Class::Service | Class::ServiceLinked | Class::Anonymous | Class::Root | Class::Unknown) {
            return;
        }
        let name = actor.role.as_deref().unwrap_or(&actor.id);
        let found = self.find(name, detection);
        if found.is_empty() {
            let text = "the actor is not in the inventory: what it may do is not known".to_owned();
            facts.insert(Fact { about: name.to_owned(), answer: Answer::Unknown, text, check: None });
        }
        for resource in found.into_iter().filter_map(|index| self.snapshot.resource(index)) {
            facts.extend(self.said_of(name, resource));
        }
    }

    /// The resources that a name in a log means: an ARN, an id, or a name of something of the services that were called.
    fn find(&self, name: &str, detection: &Detection) -> Vec<ResourceIndex> {
        let called: BTreeSet<&str> = detection.calls.iter().filter_map(|call| call.split(':').next()).collect();
        let parts: Vec<&str> = name.splitn(6, ':').collect();
        let (service, account, names) = match parts.as_slice() {
            ["arn", _, service, _, account, rest] => {
                let service = if *service == "sts" { "iam" } else { service };
                let middle = rest.strip_prefix("assumed-role/").and_then(|session| session.split('/').next());
                let ends =
                    [Some(name), Some(*rest), rest.rsplit('/').next(), rest.split('/').next(), rest.split(':').nth(1), middle];
                (Some(service), Some(*account).filter(|account| !account.is_empty()), ends.into_iter().flatten().collect())
            }
            _ => (None, None, vec![name]),
        };
        let mut found: Vec<ResourceIndex> =
            names.into_iter().filter_map(|name| self.names.get(name)).flatten().copied().collect();
        found.retain(|index| {
            let Some(resource) = self.snapshot.resource(*index) else { return false };
            let own = resource.type_name.as_str().split("::").nth(1).unwrap_or_default().to_ascii_lowercase();
            let same = |called: &str| !called.is_empty() && (own.starts_with(called) || called.starts_with(own.as_str()));
            let of_service = service.map_or_else(|| called.iter().any(|called| same(called)), same);
            let of_account = resource.account.as_ref().is_none_or(|own| match account {
                Some(account) => own.as_str() == account,
                None => detection.accounts.is_empty() || detection.accounts.contains(own.as_str()),
            });
            of_service && of_account
        });
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What the grave checks of access and exposure say of a resource.
    fn said_of(&self, about: &str, resource: &Resource) -> Vec<Fact> {
        let found = self.findings.get(&(resource.type_name.clone(), resource.id.to_string()));
        let fact = |(title, finding): &(String, Finding)| {
            let (answer, text) = match finding.verdict {
                Verdict::Fail if finding.suppression.is_none() => (Answer::Yes, format!("{title}: {}", finding.message)),
                Verdict::Unknown => (Answer::Unknown, format!("not known whether: {title}")),
                _ => return None,
            };
            Some(Fact { about: about.to_owned(), answer, text, check: Some(finding.check.to_string()) })
        };
        found.into_iter().flatten().filter_map(fact).collect()
    }

    /// Whether a grant that the detection names makes a user or role an administrator.
    fn made_admin(&mut self, about: &str, resource: &Resource, detection: &Detection) -> Option<Fact> {
        let given = &detection.resources;
        if !is_grant(detection) {
            return None;
        }
        let (with, without, grants) = (granted(resource, given), revoked(resource, given), names_of(resource, given));
        if grants.is_empty() {
            return None;
        }
        self.grants += 1;
        let fact = |answer, text: String| Some(Fact { about: about.to_owned(), answer, text, check: None });
        if self.grants > GRANTS_MAX {
            return fact(Answer::Unknown, format!("not worked out: past the {GRANTS_MAX}th grant"));
        }
        let grants = grants.into_iter().collect::<Vec<_>>().join(", ");
        match (self.is_admin(&with), self.is_admin(&without)) {
            (Truth::True, Truth::False) => {
                fact(Answer::Yes, format!("and this made it an administrator: without {grants} it is none"))
            }
            (Truth::True, Truth::True) => fact(Answer::Yes, format!("an administrator, also without {grants}")),
            (Truth::True, Truth::Unknown) => {
                fact(Answer::Yes, format!("an administrator; whether also without {grants} is not known"))
            }
            (Truth::False, _) => fact(Answer::No, format!("no administrator, also with {grants}")),
            (Truth::Unknown, _) => fact(Answer::Unknown, format!("not known whether it is an administrator with {grants}")),
        }
    }

    /// Whether a principal, put in the place of the one of its name, may do everything.
    fn is_admin(&self, changed: &Resource) -> Truth {
        let same = |held: &Resource| {
            held.type_name == changed.type_name
                && held.id == changed.id
                && held.scope == changed.scope
                && held.account == changed.account
        };
        let mut snapshot = self.access.clone();
        let Some(at) = snapshot.resources.iter().position(same) else { return Truth::Unknown };
        if let Some(place) = snapshot.resources.get_mut(at) {
            *place = changed.clone();
        }
        let (stand_ins, organisation) = (StandIns::new(&snapshot), Organisation::from_snapshot(&snapshot));
        AccountFacts::new(&stand_ins, &organisation, changed.scope, &Readings::default())
            .admin(ResourceIndex(at as u32), changed)
            .truth
    }
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str)
}

fn changes_access(call: &str) -> bool {
    CHANGES_ACCESS.iter().any(|word| call.contains(word))
}

/// Calls that give a principal something.
const GRANTS: &[&str] =
    &["iam:AttachUserPolicy", "iam:AttachRolePolicy", "iam:PutUserPolicy", "iam:PutRolePolicy", "iam:AddUserToGroup"];

/// Whether all of a detection's calls gave something, and it can be told who got what: a detection names all that an actor did in
/// an hour, several principals and several policies without saying which belong together.
fn is_grant(detection: &Detection) -> bool {
    let policies = detection.resources.iter().filter(|name| name.contains(":policy/")).count();
    let others = detection.resources.len() - policies;
    detection.failed == 0 && detection.calls.iter().all(|call| GRANTS.contains(&call.as_str())) && (policies <= 1 || others <= 1)
}

/// Lists of a principal, and what in an element is its name.
const GRANTED_BY: [(&str, Option<&str>); 3] = [("ManagedPolicyArns", None), ("Policies", Some("PolicyName")), ("Groups", None)];

fn name_of<'v>(element: &'v Value, inner: Option<&str>) -> Option<&'v str> {
    match inner {
        Some(key) => text(element.get(key)),
        None => element.as_str(),
    }
}

/// What a principal has of what was given, or lacks of the managed policies among it.
fn names_of(resource: &Resource, given: &BTreeSet<String>) -> BTreeSet<String> {
    let held = GRANTED_BY.iter().flat_map(|(list, inner)| {
        let elements = resource.prop(list).as_list().unwrap_or_default().iter();
        elements.filter_map(|element| name_of(element, *inner)).map(str::to_owned).collect::<Vec<_>>()
    });
    let policies = given.iter().filter(|name| name.contains(":policy/")).cloned();
    held.filter(|name| given.contains(name)).chain(policies).collect()
}

/// The principal with the managed policies that were given, as far as the inventory was made before.
fn granted(resource: &Resource, given: &BTreeSet<String>) -> Resource {
    let mut with = resource.clone();
    let policies = with.props.entry("ManagedPolicyArns");
    let mut held = policies.as_list().map(<[Value]>::to_vec).unwrap_or_default();
    for arn in given.iter().filter(|name| name.contains(":policy/")) {
        if !held.iter().any(|value| value.as_str() == Some(arn)) {
            held.push(Value::text(arn));
        }
    }
    if !policies.has_unknown() {
        *policies = Value::List(held);
    }
    with
}

/// The principal without what was given.
fn revoked(resource: &Resource, given: &BTreeSet<String>) -> Resource {
    let mut without = resource.clone();
    for (list, inner) in GRANTED_BY {
        let Some(elements) = without.props.get(list).and_then(Value::as_list) else { continue };
        let left = elements.iter().filter(|element| name_of(element, inner).is_none_or(|name| !given.contains(name)));
        let left = left.cloned().collect();
        without.props.insert(list, Value::List(left));
    }
    without
}
