//! The organisation around accounts: its service and resource control policies, and where in it an account is.
//!
//! Source: Organizations user guide, "SCP evaluation", "RCP evaluation" and "How inheritance works": every level from the root
//! down to the account counts; the management account is left alone.

use std::sync::Arc;

use model::{Resource, ScopeIndex, Snapshot, Text, Value};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value as Json;

use super::Account;
use crate::arn::Parts;
use crate::document::Policy;
use crate::evaluate::Level;

/// Most levels between the root and an account; Organizations itself has five of units.
const DEPTH_MAX: usize = 16;

/// What control policies bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Control {
    /// SCPs: what the principals of an account can do.
    Principals,
    /// RCPs: what can be done to the resources of an account.
    Resources,
}

impl Control {
    fn from_type(name: &str) -> Option<Control> {
        match name {
            "SERVICE_CONTROL_POLICY" => Some(Control::Principals),
            "RESOURCE_CONTROL_POLICY" => Some(Control::Resources),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
struct Attached {
    control: Control,
    policy: Arc<Policy>,
    targets: Vec<Target>,
}

#[derive(Clone, Debug)]
struct Target {
    node: Text,
    /// 0 for the root, 1 for units, 2 for accounts.
    rank: u8,
}

/// Control policies and the tree of roots, units and accounts.
#[derive(Clone, Debug, Default)]
pub struct Organisation {
    policies: Vec<Attached>,
    parents: FxHashMap<Text, Text>,
    management: Option<Text>,
    /// Ready-made levels, for whatever account.
    levels: FxHashMap<Control, Vec<Level>>,
}

impl Organisation {
    /// Reads levels as cases have them, `[{"node", "policies"}..]`, which are of the kind `unsaid`, or answers of Organizations
    /// put together: `{"Policies": [{"Content", "Type"?, "Targets": [{"TargetId", "Type"}]}], "Parents": {CHILD: PARENT}?,
    /// "ManagementAccountId"?}`. Without parents the targets are taken for the account's own path.
    pub fn from_json(document: &Json, unsaid: Control) -> Result<Organisation, String> {
        let mut out = Organisation::default();
        let Some(policies) = document.get("Policies").and_then(Json::as_array) else {
            out.levels.insert(unsaid, crate::case::levels(Some(document))?);
            return Ok(out);
        };
        for (i, policy) in policies.iter().enumerate() {
            let text = |name: &str| policy.get(name).or_else(|| policy.pointer(&format!("/PolicySummary/{name}")));
            let control = match text("Type").and_then(Json::as_str) {
                None => unsaid,
                Some(name) => match Control::from_type(name) {
                    Some(control) => control,
                    None => continue,
                },
            };
            let content = text("Content").ok_or_else(|| format!("`Policies[{i}]` has no `Content`"))?;
            let read = match content {
                Json::String(text) => Policy::from_json(text),
                other => Policy::from_value(&model::from_json(other)),
            };
            let mut targets = Vec::new();
            for (k, target) in policy.get("Targets").and_then(Json::as_array).into_iter().flatten().enumerate() {
                let node = target.get("TargetId").and_then(Json::as_str);
                let node = node.ok_or_else(|| format!("`Policies[{i}].Targets[{k}]` has no `TargetId`"))?;
                let rank = match target.get("Type").and_then(Json::as_str) {
                    Some("ROOT") => 0,
                    Some("ACCOUNT") => 2,
                    Some(_) => 1,
                    None => rank(node),
                };
                targets.push(Target { node: node.into(), rank });
            }
            out.management = out.management.take().or_else(|| manager(text("Arn").and_then(Json::as_str)));
            out.policies.push(Attached { control, policy: Arc::new(read), targets });
        }
        match document.get("Parents") {
            None => {}
            Some(Json::Object(parents)) => {
                for (child, parent) in parents {
                    let parent = parent.as_str().ok_or_else(|| format!("the parent of `{child}` is not a string"))?;
                    out.parents.insert(child.as_str().into(), parent.into());
                }
            }
            Some(_) => return Err("`Parents` is an object of child and parent".to_owned()),
        }
        let named = ["/ManagementAccountId", "/MasterAccountId", "/Organization/MasterAccountId"];
        let management = named.iter().find_map(|path| document.pointer(path)).and_then(Json::as_str);
        out.management = management.map(Text::from).or(out.management);
        Ok(out)
    }

    /// Reads what a template, a plan or a live account says of its organisation.
    pub fn from_snapshot(snapshot: &Snapshot) -> Organisation {
        let mut out = Organisation::default();
        let kind = |r: &Resource| r.type_name.as_str().strip_prefix("AWS::Organizations::").map(str::to_owned);
        let mine: Vec<(String, &Resource)> = snapshot.resources.iter().filter_map(|r| Some((kind(r)?, r))).collect();
        let ids: FxHashMap<(ScopeIndex, &str), Text> =
            mine.iter().map(|(kind, r)| ((r.scope, &*r.id), node_of(kind, r))).collect();
        let node = |value: &Value, scope: ScopeIndex| -> Option<Text> {
            match value {
                Value::Str(text) => Some(text.clone()),
                Value::Link(link) => ids.get(&(scope, &*link.target)).cloned(),
                _ => None,
            }
        };
        for (kind, resource) in &mine {
            let nodes = |property: &str| -> Vec<Text> {
                let value = resource.prop(property);
                let items = value.as_list().unwrap_or(std::slice::from_ref(value));
                items.iter().filter_map(|item| node(item, resource.scope)).collect()
            };
            match kind.as_str() {
                "Policy" => {
                    let Some(control) = resource.prop("Type").as_str().and_then(Control::from_type) else { continue };
                    let policy = Arc::new(Policy::from_value(resource.prop("Content")));
                    let targets = nodes("TargetIds").into_iter().map(|node| Target { rank: rank(&node), node }).collect();
                    let arn = resource.attrs.get("Arn").and_then(Value::as_str);
                    out.management = out.management.take().or_else(|| manager(arn));
                    out.policies.push(Attached { control, policy, targets });
                }
                "OrganizationalUnit" => {
                    out.parents.extend(nodes("ParentId").into_iter().map(|parent| (node_of(kind, resource), parent)));
                }
                "Account" => {
                    out.parents.extend(nodes("ParentIds").into_iter().map(|parent| (node_of(kind, resource), parent)));
                }
                _ => {}
            }
        }
        out
    }

    /// True if nothing is known of any control policy.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty() && self.levels.is_empty()
    }

    /// The levels over an account, the root first; why they are not known.
    pub fn levels(&self, control: Control, account: Option<&str>) -> Result<Vec<Level>, String> {
        if let Some(levels) = self.levels.get(&control) {
            return Ok(levels.clone());
        }
        let mine: Vec<&Attached> = self.policies.iter().filter(|p| p.control == control).collect();
        if mine.is_empty() || account.is_some() && account == self.management.as_deref() {
            return Ok(Vec::new());
        }
        let path = if self.parents.is_empty() { whole(&mine, account) } else { self.path(account)? };
        let level = |node: Text| {
            let here = mine.iter().filter(|p| p.targets.iter().any(|t| t.node == node));
            let policies: Vec<Arc<Policy>> = here.map(|p| p.policy.clone()).collect();
            (!policies.is_empty()).then(|| Level { node: node.to_string(), policies })
        };
        Ok(path.into_iter().filter_map(level).collect())
    }

    /// From the root down to the account.
    fn path(&self, account: Option<&str>) -> Result<Vec<Text>, String> {
        let unplaced = || "the place of the account in the organisation is not known".to_owned();
        let account: Text = account.ok_or_else(unplaced)?.into();
        let mut path = vec![account.clone()];
        let mut seen: FxHashSet<Text> = FxHashSet::from_iter([account.clone()]);
        let mut at = self.parents.get(&account).ok_or_else(unplaced)?;
        loop {
            if !seen.insert(at.clone()) || path.len() > DEPTH_MAX {
                return Err(format!("the units above `{account}` go round in a circle, or are more than {DEPTH_MAX}"));
            }
            path.push(at.clone());
            match self.parents.get(at) {
                Some(parent) => at = parent,
                None if rank(at) == 0 || self.is_root(at) => break,
                None => return Err(format!("the parent of `{at}` in the organisation is not known")),
            }
        }
        path.reverse();
        Ok(path)
    }

    fn is_root(&self, node: &Text) -> bool {
        self.policies.iter().flat_map(|p| &p.targets).any(|t| t.rank == 0 && t.node == *node)
    }
}

/// All targets, as one path; other accounts are left out.
fn whole(policies: &[&Attached], account: Option<&str>) -> Vec<Text> {
    let mut all: Vec<(u8, Text)> = policies
        .iter()
        .flat_map(|p| &p.targets)
        .filter(|t| t.rank < 2 || account.is_none_or(|own| own == &*t.node))
        .map(|t| (t.rank, t.node.clone()))
        .collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(|(_, node)| node).collect()
}

/// By the form of an id: `r-1`, `ou-1`, twelve digits.
fn rank(node: &str) -> u8 {
    if node.starts_with("r-") {
        0
    } else if crate::unknown_name::is_account(node) {
        2
    } else {
        1
    }
}

/// What a root, unit or account is called in the tree: its id, or else the resource's.
fn node_of(kind: &str, resource: &Resource) -> Text {
    let property = if kind == "Account" { "AccountId" } else { "Id" };
    let own = resource.prop(property).as_str().or_else(|| resource.attrs.get(property).and_then(Value::as_str));
    own.map_or_else(|| resource.id.clone(), Text::from)
}

/// The management account, which is the one in the ARN of whatever the organisation has.
fn manager(arn: Option<&str>) -> Option<Text> {
    let account = Parts::new(arn?).field(4);
    let own = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    own.then(|| account.into())
}

impl Account {
    /// Puts the control policies of an organisation over the account, in place of those of the kind that it had. What cannot be
    /// placed is a reason.
    pub fn under(&mut self, organisation: &Organisation) {
        let mut accounts: Vec<Text> = self.principals.iter().filter_map(|p| p.caller.account().cloned()).collect();
        accounts.retain(|account| Some(account) != self.id.as_ref() && **account != *super::OWN_ACCOUNT);
        accounts.sort_unstable();
        accounts.dedup();
        for control in [Control::Principals, Control::Resources] {
            match organisation.levels(control, self.id.as_deref()) {
                Ok(levels) if levels.is_empty() => {}
                Ok(levels) => match control {
                    Control::Principals => self.scp = levels,
                    Control::Resources => self.rcp = levels,
                },
                Err(reason) => self.reasons.push(format!("control policies are left out: {reason}")),
            }
            for account in &accounts {
                let over = self.others.entry(account.clone()).or_default();
                match organisation.levels(control, Some(account)) {
                    Ok(levels) if levels.is_empty() => {}
                    Ok(levels) => match control {
                        Control::Principals => over.scp = levels,
                        Control::Resources => over.rcp = levels,
                    },
                    Err(reason) => self.reasons.push(format!("control policies are left out: {account}: {reason}")),
                }
            }
        }
        self.reasons.dedup();
    }
}

impl Policy {
    /// The policy with what resource control policies deny.
    pub(crate) fn under(&self, levels: &[Level]) -> Policy {
        let mut policy = self.clone();
        for other in levels.iter().flat_map(|level| &level.policies) {
            policy.unreadable = policy.unreadable.take().or_else(|| other.unreadable.clone());
            let denies = |s: &&crate::Statement| s.effect == crate::Effect::Deny || s.effect_unreadable;
            policy.statements.extend(other.statements.iter().filter(denies).map(|statement| {
                let mut statement = statement.clone();
                // What cannot be read may only deny here.
                (statement.effect, statement.effect_unreadable) = (crate::Effect::Deny, false);
                if statement.principal.is_none() {
                    let everyone = vec![crate::document::PrincipalPattern::Everyone];
                    statement.principal = Some(crate::document::Principals { negated: false, patterns: everyone });
                }
                statement
            }));
        }
        policy
    }
}

#[cfg(test)]
mod tests;
