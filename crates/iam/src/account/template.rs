//! From a snapshot: what a template, a plan or a live collection says of users, roles, groups, policies and resources.

use std::sync::Arc;

use model::{Resource, ResourceIndex, ScopeIndex, Snapshot, Text, Value};
use rustc_hash::FxHashMap;

use super::{Account, Attached, Managed, OWN_ACCOUNT, Principal};
use crate::arn::Parts;
use crate::document::Policy;
use crate::request::Caller;
use crate::stand_in::{Readings, StandIns};

impl Account {
    /// Reads one scope of a snapshot.
    pub fn from_snapshot(snapshot: &Snapshot, scope: ScopeIndex) -> Account {
        Account::in_scope(&StandIns::new(snapshot), scope)
    }

    /// The same, with the stand-ins of the snapshot at hand: they take a look at every resource, whatever the scope.
    pub fn in_scope(stand_ins: &StandIns<'_>, scope: ScopeIndex) -> Account {
        Account::with(stand_ins, scope, &Readings::default())
    }

    /// The same, with what was read of the scope's documents so far.
    pub(crate) fn with(stand_ins: &StandIns<'_>, scope: ScopeIndex, readings: &Readings) -> Account {
        let account = own_account(&stand_ins.members(scope));
        Account::read_scope(stand_ins, scope, &|value| readings.policy(stand_ins, value, scope, account.as_deref()))
    }

    /// The same, with links and unknown values in policies standing for fixed texts, so that two versions of a template can
    /// be compared: the same link means the same thing in both.
    pub fn from_snapshot_by_name(snapshot: &Snapshot, scope: ScopeIndex) -> Account {
        Account::read_scope(&StandIns::new(snapshot), scope, &|value| Arc::new(Policy::from_value(&fixed(value))))
    }

    fn read_scope(stand_ins: &StandIns<'_>, scope: ScopeIndex, read: &dyn Fn(&Value) -> Arc<Policy>) -> Account {
        let mine = stand_ins.members(scope);
        let number = own_account(&mine);
        let names = Names { stand_ins, account: number.clone().unwrap_or_else(|| OWN_ACCOUNT.into()), read };
        let managed = names.managed(&mine);
        let mut account = Account { id: number, ..Account::default() };
        let mut groups: FxHashMap<Text, (Text, Vec<Attached>)> = FxHashMap::default();
        for (index, resource) in &mine {
            let kind = match resource.type_name.as_str() {
                "AWS::IAM::User" => "user",
                "AWS::IAM::Role" => "role",
                "AWS::IAM::Group" => {
                    groups.insert(resource.id.clone(), (names.arn(resource), names.own(resource, &managed)));
                    continue;
                }
                _ => continue,
            };
            let arn = names.arn(resource);
            let boundary = match resource.prop("PermissionsBoundary") {
                Value::Null => None,
                value => Some(names.attach(value, &managed)),
            };
            account.principals.push(Principal {
                caller: Caller::parse(&arn),
                arn,
                label: resource.id.clone(),
                resource: Some(*index),
                policies: names.own(resource, &managed),
                boundary,
                trust: (kind == "role").then(|| read(resource.prop("AssumeRolePolicyDocument"))),
                groups: Vec::new(),
            });
        }
        let ids: FxHashMap<Text, usize> = account.principals.iter().enumerate().map(|(i, p)| (p.label.clone(), i)).collect();
        for (_, resource) in &mine {
            names.separate(resource, &mut account, &ids, &mut groups);
        }
        for (_, resource) in &mine {
            names.memberships(resource, &mut account, &ids, &groups);
        }
        account.resources = names.guarded(&mine);
        account.finish()
    }
}

/// The account that the resources of a scope say they are in.
fn own_account(members: &[(ResourceIndex, &Resource)]) -> Option<Text> {
    members.iter().find_map(|(_, r)| r.account.as_ref()).map(|a| a.text().clone())
}

pub(super) struct Names<'a> {
    pub(super) account: Text,
    pub(super) read: &'a dyn Fn(&Value) -> Arc<Policy>,
    pub(super) stand_ins: &'a StandIns<'a>,
}

impl Names<'_> {
    fn arn(&self, resource: &Resource) -> Text {
        self.stand_ins.arn_of(resource, Some(&self.account)).into()
    }

    fn managed(&self, mine: &[(ResourceIndex, &Resource)]) -> Managed {
        let mut read = FxHashMap::default();
        for (_, resource) in mine.iter().filter(|(_, r)| r.type_name.as_str() == "AWS::IAM::ManagedPolicy") {
            let policy = (self.read)(resource.prop("PolicyDocument"));
            for key in [resource.id.clone(), self.arn(resource)] {
                read.insert(key, policy.clone());
            }
            if let Some(arn) = resource.attrs.get("PolicyArn").and_then(Value::as_str) {
                read.insert(arn.into(), policy.clone());
            }
        }
        Managed { read }
    }

    /// A managed policy by ARN or link. A mixed text is tried with the commercial partition.
    fn attach(&self, value: &Value, managed: &Managed) -> Attached {
        let shown = shown(value);
        match value {
            Value::Str(arn) => managed.attach(arn, arn.to_string()),
            Value::Link(link) => managed.attach(&link.target, link.target.to_string()),
            _ => {
                let arn = shown.replace("${AWS::Partition}", "aws").replace("${AWS::AccountId}", &self.account);
                managed.attach(&arn, arn.clone())
            }
        }
    }

    /// What is written at the principal or group itself.
    fn own(&self, resource: &Resource, managed: &Managed) -> Vec<Attached> {
        let mut all: Vec<Attached> = Vec::new();
        match resource.prop("Policies") {
            Value::List(items) => all.extend(items.iter().map(|item| Attached {
                name: format!("inline {}", item.get("PolicyName").map_or_else(|| "?".to_owned(), shown)).into(),
                arn: None,
                policy: (self.read)(item.get("PolicyDocument").unwrap_or(item)),
            })),
            Value::Null => {}
            other => all.push(unreadable("inline policies", other)),
        }
        match resource.prop("ManagedPolicyArns") {
            Value::List(items) => all.extend(items.iter().map(|item| self.attach(item, managed))),
            Value::Null => {}
            other => all.push(unreadable("managed policies", other)),
        }
        all
    }

    /// Policies that are resources of their own and say to whom they belong.
    fn separate(
        &self,
        resource: &Resource,
        account: &mut Account,
        ids: &FxHashMap<Text, usize>,
        groups: &mut FxHashMap<Text, (Text, Vec<Attached>)>,
    ) {
        let lists: &[&str] = match resource.type_name.as_str() {
            "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" => &["Users", "Roles", "Groups"],
            "AWS::IAM::UserPolicy" => &["UserName"],
            "AWS::IAM::RolePolicy" => &["RoleName"],
            "AWS::IAM::GroupPolicy" => &["GroupName"],
            _ => return,
        };
        let managed = resource.type_name.as_str() == "AWS::IAM::ManagedPolicy";
        let attached = Attached {
            name: resource.id.clone(),
            arn: managed.then(|| self.arn(resource)),
            policy: (self.read)(resource.prop("PolicyDocument")),
        };
        for name in lists {
            let value = resource.prop(name);
            let items = value.as_list().unwrap_or(std::slice::from_ref(value));
            for item in items.iter().filter(|i| !i.is_null()) {
                if let Some(key) = self.target(item, account, ids)
                    && let Some(principal) = account.principals.get_mut(key)
                {
                    principal.policies.push(attached.clone());
                } else if let Some((_, policies)) = group_of(item, groups) {
                    policies.push(attached.clone());
                }
            }
        }
    }

    /// The principal that a link or a name means.
    fn target(&self, value: &Value, account: &Account, ids: &FxHashMap<Text, usize>) -> Option<usize> {
        match value {
            Value::Link(link) => ids.get(&link.target).copied(),
            Value::Str(name) => {
                account.principals.iter().position(|p| p.caller.identity().is_some_and(|i| i.name == *name || *p.label == **name))
            }
            _ => None,
        }
    }

    fn memberships(
        &self,
        resource: &Resource,
        account: &mut Account,
        ids: &FxHashMap<Text, usize>,
        groups: &FxHashMap<Text, (Text, Vec<Attached>)>,
    ) {
        let (users, names) = match resource.type_name.as_str() {
            "AWS::IAM::User" => (vec![Value::link(&resource.id, "")], resource.prop("Groups")),
            "AWS::IAM::UserToGroupAddition" => {
                (resource.prop("Users").as_list().unwrap_or_default().to_vec(), resource.prop("GroupName"))
            }
            _ => return,
        };
        let wanted = names.as_list().unwrap_or(std::slice::from_ref(names));
        for user in users {
            let Some(at) = self.target(&user, account, ids) else { continue };
            let Some(principal) = account.principals.get_mut(at) else { continue };
            for name in wanted.iter().filter(|n| !n.is_null()) {
                let mut groups = groups.clone();
                match group_of(name, &mut groups) {
                    Some((arn, policies)) => {
                        principal.groups.push(arn.clone());
                        principal.policies.append(policies);
                    }
                    None => principal.policies.push(unreadable("group", name)),
                }
            }
        }
    }
}

/// The value with every link and unknown as text of its own: `<Bucket.Arn>`; one that stands for an ARN as an ARN.
fn fixed(value: &Value) -> Value {
    match value {
        Value::Link(_) | Value::Unknown(_) | Value::Mixed(_) => {
            let text = shown(value).replace("${", "<").replace('}', ">");
            let whole = text.starts_with('<') && (text.contains("Arn>") || text.contains(">/"));
            Value::text(if whole { format!("arn:aws:::000000000000:{text}") } else { text })
        }
        Value::List(items) => Value::List(items.iter().map(fixed).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), fixed(v))).collect()),
        other => other.clone(),
    }
}

fn group_of<'a>(value: &Value, groups: &'a mut FxHashMap<Text, (Text, Vec<Attached>)>) -> Option<&'a mut (Text, Vec<Attached>)> {
    match value {
        Value::Link(link) => groups.get_mut(&link.target),
        Value::Str(name) => groups
            .iter_mut()
            .find(|(id, (arn, _))| ***id == **name || Parts::new(arn).field(5).rsplit('/').next() == Some(name))
            .map(|(_, group)| group),
        _ => None,
    }
}

fn unreadable(what: &str, value: &Value) -> Attached {
    let policy = Arc::new(Policy::unreadable(format!("{what}: `{}` is not known", shown(value))));
    Attached { name: what.into(), arn: None, policy }
}

pub(super) fn shown(value: &Value) -> String {
    match model::to_json(&Value::Mixed(vec![value.clone()])) {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}
