//! What may be written inside a resource or as one of its own, brought into the resource.
//!
//! A rule of a security group, an inline policy and an attached policy can be resources of their own. They are kept, and
//! what they say also goes to where it would have been written otherwise, so that a check looks in one place. Every source
//! that speaks CloudFormation's names can use the same table.

use std::collections::BTreeMap;

use model::{Link, Path, Resource, ScopeIndex, Snapshot, Span, Text, Value};

/// One kind of resource that belongs into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fold {
    /// The type of the separate resource.
    pub from: &'static str,
    /// Its properties that name where it belongs: a link, a name, or a list of them. The first that is set counts.
    pub on: &'static [&'static str],
    /// The type of the resource it belongs into.
    pub to: &'static str,
    /// The list there.
    pub into: &'static str,
    /// What is added to the list.
    pub row: Row,
}

/// What a separate resource adds to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// Its properties but those that say where it belongs.
    Rest,
    /// These of its properties.
    Only(&'static [&'static str]),
    /// The value of this property.
    Property(&'static str),
    /// A link to it.
    Itself,
}

const POLICY: Row = Row::Only(&["PolicyName", "PolicyDocument"]);

const fn fold(from: &'static str, on: &'static [&'static str], to: &'static str, into: &'static str, row: Row) -> Fold {
    Fold { from, on, to, into, row }
}

/// The separate resources of CloudFormation that say what could stand in another resource.
pub const FOLDS: &[Fold] = &[
    fold(
        "AWS::EC2::SecurityGroupIngress",
        &["GroupId", "GroupName"],
        "AWS::EC2::SecurityGroup",
        "SecurityGroupIngress",
        Row::Rest,
    ),
    fold("AWS::EC2::SecurityGroupEgress", &["GroupId"], "AWS::EC2::SecurityGroup", "SecurityGroupEgress", Row::Rest),
    fold("AWS::IAM::Policy", &["Roles"], "AWS::IAM::Role", "Policies", POLICY),
    fold("AWS::IAM::Policy", &["Users"], "AWS::IAM::User", "Policies", POLICY),
    fold("AWS::IAM::Policy", &["Groups"], "AWS::IAM::Group", "Policies", POLICY),
    fold("AWS::IAM::RolePolicy", &["RoleName"], "AWS::IAM::Role", "Policies", POLICY),
    fold("AWS::IAM::UserPolicy", &["UserName"], "AWS::IAM::User", "Policies", POLICY),
    fold("AWS::IAM::GroupPolicy", &["GroupName"], "AWS::IAM::Group", "Policies", POLICY),
    fold("AWS::IAM::ManagedPolicy", &["Roles"], "AWS::IAM::Role", "ManagedPolicyArns", Row::Itself),
    fold("AWS::IAM::ManagedPolicy", &["Users"], "AWS::IAM::User", "ManagedPolicyArns", Row::Itself),
    fold("AWS::IAM::ManagedPolicy", &["Groups"], "AWS::IAM::Group", "ManagedPolicyArns", Row::Itself),
    fold("AWS::IAM::UserToGroupAddition", &["Users"], "AWS::IAM::User", "Groups", Row::Property("GroupName")),
];

/// Where a resource is found: by its id, or by its type and name.
struct Targets<'r> {
    ids: BTreeMap<(ScopeIndex, &'r str), usize>,
    names: BTreeMap<(ScopeIndex, &'r str, &'r str), usize>,
}

/// One thing to add.
struct Addition {
    target: usize,
    into: &'static str,
    row: Value,
    span: Option<Span>,
    members: Vec<(Text, Span)>,
}

/// Brings every separate resource of the table into the one it belongs to, where that one is in the same scope. A list that
/// is not known stays as it is.
pub fn fold_into(snapshot: &mut Snapshot, folds: &[Fold]) {
    if !snapshot.resources.iter().any(|r| folds.iter().any(|f| f.from == r.type_name.as_str())) {
        return;
    }
    let additions = additions(&snapshot.resources, folds);
    let mut touched: Vec<usize> = Vec::new();
    for addition in additions {
        if let Some(target) = snapshot.resources.get_mut(addition.target) {
            touched.push(addition.target);
            add(target, addition);
        }
    }
    touched.sort_unstable();
    touched.dedup();
    for at in touched {
        if let Some(target) = snapshot.resources.get_mut(at) {
            target.spans.finish();
        }
    }
}

fn additions(resources: &[Resource], folds: &[Fold]) -> Vec<Addition> {
    let mut targets = Targets { ids: BTreeMap::new(), names: BTreeMap::new() };
    for (at, resource) in resources.iter().enumerate() {
        let kind = resource.type_name.as_str();
        if folds.iter().any(|f| f.to == kind) {
            targets.ids.entry((resource.scope, &resource.id)).or_insert(at);
            if let Some(name) = &resource.name {
                targets.names.entry((resource.scope, kind, name)).or_insert(at);
            }
        }
    }
    let mut all = Vec::new();
    for resource in resources {
        for fold in folds.iter().filter(|f| f.from == resource.type_name.as_str()) {
            let Some(on) = fold.on.iter().map(|key| resource.prop(key)).find(|v| !v.is_null()) else { continue };
            for one in on.as_list().unwrap_or(std::slice::from_ref(on)) {
                if let Some(target) = find(&targets, resources, one, resource.scope, fold.to) {
                    all.extend(addition(resource, fold, target));
                }
            }
        }
    }
    all
}

fn find(targets: &Targets<'_>, resources: &[Resource], on: &Value, scope: ScopeIndex, to: &str) -> Option<usize> {
    let at = match on {
        Value::Link(link) => targets.ids.get(&(scope, &link.target)),
        Value::Str(name) => targets.names.get(&(scope, to, name)),
        _ => None,
    };
    at.copied().filter(|at| resources.get(*at).is_some_and(|r| r.type_name.as_str() == to))
}

fn addition(resource: &Resource, fold: &Fold, target: usize) -> Option<Addition> {
    let of = |keep: &dyn Fn(&str) -> bool| {
        let kept = resource.props.iter().filter(|(key, _)| keep(key)).map(|(key, value)| (key.clone(), value.clone()));
        Value::Map(kept.collect())
    };
    let row = match fold.row {
        Row::Rest => of(&|key| !fold.on.contains(&key)),
        Row::Only(keys) => of(&|key| keys.contains(&key)),
        Row::Property(key) => resource.prop(key).clone(),
        Row::Itself => Value::Link(Box::new(Link { target: resource.id.clone(), attr: Text::from("") })),
    };
    if row.is_null() {
        return None;
    }
    let members = match &row {
        Value::Map(map) => map.keys().filter_map(|key| Some((key.clone(), resource.spans.get(Path::ROOT.key(key))?))).collect(),
        _ => Vec::new(),
    };
    Some(Addition { target, into: fold.into, row, span: resource.origin.span, members })
}

fn add(target: &mut Resource, addition: Addition) {
    let list = target.props.entry(addition.into);
    if list.is_null() {
        *list = Value::List(Vec::new());
    }
    let Value::List(items) = list else { return };
    if items.contains(&addition.row) {
        return;
    }
    let path = Path::ROOT.key(addition.into).item(items.len());
    items.push(addition.row);
    if let Some(span) = addition.span {
        target.spans.insert(path, span);
    }
    for (key, span) in addition.members {
        target.spans.insert(path.key(&key), span);
    }
}

#[cfg(test)]
mod tests;
