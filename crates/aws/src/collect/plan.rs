//! What to collect: the catalogue's `collect.toml` files, read and put together so that no listing is asked for twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use catalogue::collect::{CollectFile, CollectScope, Expr, Get, Member, Segment, Step};
use catalogue::format::{TypeFile, TypeFolder};
use model::{Text, TypeName};
use serde_json::{Map as JsonMap, Value as Json};

use crate::error::AwsError;
use crate::facts::Facts;

/// What to collect.
#[derive(Clone, Debug)]
pub struct Plan {
    groups: Vec<Arc<Group>>,
    types: Vec<Arc<TypePlan>>,
}

/// Types that begin with the same call.
#[derive(Debug)]
pub(crate) struct Group {
    /// `ec2:DescribeInstances`, with its input if it has one; the type for what is not listed.
    pub(crate) key: String,
    pub(crate) scope: CollectScope,
    pub(crate) root: Branch,
}

/// A call that lists things, with what is looked at in its answer.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) step: StepPlan,
    pub(crate) branches: Vec<Branch>,
}

/// One kind of items of an answer, with all that hangs on each of them. The root of a group has one item: nothing.
#[derive(Debug, Default)]
pub(crate) struct Branch {
    /// The step that says which items; none at the root.
    pub(crate) step: Option<StepPlan>,
    pub(crate) listings: Vec<Listing>,
    /// The types whose items these are, each with the positions of its calls in `gets`.
    pub(crate) types: Vec<(Arc<TypePlan>, Vec<usize>)>,
    /// The calls made for each item, for all types.
    pub(crate) gets: Vec<GetPlan>,
}

/// A type and how its items become resources.
#[derive(Clone, Debug)]
pub(crate) struct TypePlan {
    pub(crate) type_name: TypeName,
    pub(crate) identifier: Vec<String>,
    pub(crate) name_prop: Option<String>,
    pub(crate) arn: Option<Expr>,
    pub(crate) steps: Vec<StepPlan>,
    pub(crate) gets: Vec<GetPlan>,
    pub(crate) members: Vec<Member>,
    /// The first keys of all properties that the catalogue knows.
    pub(crate) properties: BTreeSet<String>,
    pub(crate) untold: Vec<String>,
    pub(crate) attrs: Vec<(String, Expr)>,
    pub(crate) tags: Option<Expr>,
    pub(crate) region: Option<Expr>,
    pub(crate) name: Option<Expr>,
    pub(crate) keep: Vec<(Expr, Json)>,
    pub(crate) scope: CollectScope,
}

/// An input: values with expressions in the place of texts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    Expr(Expr),
    Fixed(Json),
    List(Vec<Input>),
    Object(Vec<(String, Input)>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepPlan {
    pub(crate) service: String,
    /// None: the items stand in the item of the step before.
    pub(crate) call: Option<String>,
    pub(crate) with: Vec<(String, Input)>,
    pub(crate) items: Expr,
    pub(crate) alias: Option<String>,
    pub(crate) batch: Option<u32>,
    pub(crate) absent: Vec<String>,
    pub(crate) keep: Vec<(Expr, Json)>,
}

#[derive(Clone, Debug)]
pub(crate) struct GetPlan {
    pub(crate) service: String,
    pub(crate) call: String,
    pub(crate) with: Vec<(String, Input)>,
    pub(crate) alias: Option<String>,
    pub(crate) absent: Vec<String>,
    pub(crate) when: Vec<(Expr, Json)>,
    pub(crate) required: bool,
    pub(crate) members: Vec<Member>,
    /// What holds where the answer is one of `absent`.
    pub(crate) otherwise: Vec<Member>,
    pub(crate) tags: Option<Expr>,
    /// True if its input or condition looks at another call's answer.
    pub(crate) depends: bool,
    /// False if nobody wants to know what it tells.
    pub(crate) wanted: bool,
}

impl Plan {
    /// Reads the `collect.toml` of every type that has one. The error lists every file that cannot be used.
    pub fn new<'a>(types: impl IntoIterator<Item = &'a TypeFolder>) -> Result<Plan, AwsError> {
        Plan::of(types, &|_| Vec::new())
    }

    /// The same for types that are not built in: each call and its inputs must be in the API facts, which are then all read.
    pub fn checked<'a>(types: impl IntoIterator<Item = &'a TypeFolder>) -> Result<Plan, AwsError> {
        Plan::of(types, &unknown_calls)
    }

    fn of<'a>(
        types: impl IntoIterator<Item = &'a TypeFolder>,
        check: &dyn Fn(&CollectFile) -> Vec<String>,
    ) -> Result<Plan, AwsError> {
        let mut plan = Plan { groups: Vec::new(), types: Vec::new() };
        let mut problems = Vec::new();
        for folder in types {
            let Some(file) = &folder.collect else { continue };
            match read(&folder.file, file, check(file)) {
                Ok(read) => plan.types.push(Arc::new(read)),
                Err(found) => problems.extend(found.into_iter().map(|p| format!("{}/collect.toml: {p}", folder.folder))),
            }
        }
        if !problems.is_empty() {
            return Err(AwsError::Plan(problems.join("\n")));
        }
        plan.groups = groups(&plan.types);
        Ok(plan)
    }

    /// Only these types.
    pub fn only(&self, wanted: &BTreeSet<TypeName>) -> Plan {
        let types: Vec<_> = self.types.iter().filter(|t| wanted.contains(&t.type_name)).map(Arc::clone).collect();
        Plan { groups: groups(&types), types }
    }

    /// Only these types, and of the calls made for each of their items only those that tell one of the properties (`Tags`, or
    /// the first key of a path). What the calls left out would tell is unknown.
    pub fn narrowed(&self, wanted: &BTreeMap<TypeName, BTreeSet<String>>) -> Plan {
        let narrow = |kind: &Arc<TypePlan>| {
            let props = wanted.get(&kind.type_name)?;
            let mut kind = TypePlan::clone(kind);
            let tells: Vec<bool> = kind.gets.iter().map(|get| kind.needs(get, props)).collect();
            kind.gets.iter_mut().zip(tells).for_each(|(get, tells)| get.wanted = tells);
            Some(Arc::new(kind))
        };
        let types: Vec<_> = self.types.iter().filter_map(narrow).collect();
        Plan { groups: groups(&types), types }
    }

    /// The types that are collected.
    pub fn type_names(&self) -> impl Iterator<Item = &TypeName> {
        self.types.iter().map(|t| &t.type_name)
    }

    /// By type the properties that its calls tell of a resource, be it that they are not set. Of what a snapshot was not made to
    /// tell, nothing is known.
    pub fn tells(&self) -> BTreeMap<TypeName, BTreeSet<Text>> {
        self.types.iter().map(|kind| (kind.type_name.clone(), kind.tells())).collect()
    }

    /// The types for which an operation (`DescribeVolumes`) is called, of whichever API.
    pub fn types_that_call(&self, operation: &str) -> BTreeSet<TypeName> {
        let calls = |t: &TypePlan| {
            t.steps.iter().any(|s| s.call.as_deref() == Some(operation)) || t.gets.iter().any(|g| g.call == operation)
        };
        self.types.iter().filter(|t| calls(t)).map(|t| t.type_name.clone()).collect()
    }

    pub(crate) fn groups(&self) -> &[Arc<Group>] {
        &self.groups
    }

    pub(crate) fn types(&self) -> &[Arc<TypePlan>] {
        &self.types
    }

    /// Every API and operation that may be called, in order, without repetition.
    pub(crate) fn calls(&self) -> BTreeSet<(&str, &str)> {
        let steps = self.types.iter().flat_map(|t| t.steps.iter().filter_map(|s| Some((s.service.as_str(), s.call.as_deref()?))));
        let gets = self.types.iter().flat_map(|t| t.gets.iter().filter(|g| g.wanted));
        let gets = gets.map(|g| (g.service.as_str(), g.call.as_str()));
        steps.chain(gets).collect()
    }
}

fn groups(types: &[Arc<TypePlan>]) -> Vec<Arc<Group>> {
    let mut groups: Vec<Group> = Vec::new();
    for kind in types {
        let key = key(kind);
        let at = groups.iter().position(|g| g.key == key && g.scope == kind.scope).unwrap_or_else(|| {
            groups.push(Group { key, scope: kind.scope, root: Branch::default() });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            group.root.add(kind, 0);
        }
    }
    groups.into_iter().map(Arc::new).collect()
}

impl TypePlan {
    /// True if a call has to be made for these properties: it tells one of them, or the resource's identity, or something that
    /// other calls or conditions look at.
    fn needs(&self, get: &GetPlan, props: &BTreeSet<String>) -> bool {
        let named = |member: &Member| {
            props.contains(&*member.name)
                || self.identifier.iter().any(|i| **i == *member.name)
                || self.name_prop.as_deref() == Some(&*member.name)
                || self.arn.as_ref().is_some_and(|arn| mentions(arn, &member.name))
        };
        let tags = get.tags.is_some() && props.contains("Tags");
        get.required || get.alias.is_some() || tags || get.members.iter().any(named)
    }

    fn tells(&self) -> BTreeSet<Text> {
        let members = self.members.iter().chain(self.gets.iter().flat_map(|g| g.members.iter().chain(&g.otherwise)));
        let tags = self.tags.is_some() || self.gets.iter().any(|g| g.tags.is_some());
        let untold = self.untold.iter().map(|name| Text::from(name.as_str()));
        members.map(|m| m.name.clone()).chain(untold).chain(tags.then(|| "Tags".into())).collect()
    }

    /// The step that makes the last call.
    pub(crate) fn last_call(&self) -> Option<&StepPlan> {
        self.steps.iter().rfind(|s| s.call.is_some())
    }
}

impl StepPlan {
    /// `ec2:DescribeInstances`
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.service, self.call.as_deref().unwrap_or_default())
    }

    fn same_call(&self, other: &StepPlan) -> bool {
        let call = |s: &'_ StepPlan| (s.service.clone(), s.call.clone(), s.batch);
        call(self) == call(other) && self.with == other.with && self.absent == other.absent
    }
}

impl Branch {
    /// The types that come of it.
    pub(crate) fn type_names(&self) -> Vec<TypeName> {
        let mut out = Vec::new();
        let mut todo = vec![self];
        while let Some(branch) = todo.pop() {
            out.extend(branch.types.iter().map(|(t, _)| t.type_name.clone()));
            todo.extend(branch.listings.iter().flat_map(|l| &l.branches));
        }
        out.sort();
        out
    }

    /// The calls without input that a group begins with: API and operation.
    pub(crate) fn plain_calls(&self) -> impl Iterator<Item = (&str, &str)> {
        let listings = self.listings.iter().map(|l| &l.step).filter(|s| s.with.is_empty());
        let gets = self.gets.iter().filter(|g| g.wanted && g.with.is_empty());
        let listings = listings.filter_map(|s| Some((s.service.as_str(), s.call.as_deref()?)));
        listings.chain(gets.map(|g| (g.service.as_str(), g.call.as_str())))
    }

    fn add(&mut self, kind: &Arc<TypePlan>, depth: usize) {
        let Some(step) = kind.steps.get(depth) else {
            let positions = kind.gets.iter().map(|get| self.position(get)).collect();
            self.types.push((Arc::clone(kind), positions));
            return;
        };
        let at = self.listings.iter().position(|l| l.step.same_call(step)).unwrap_or_else(|| {
            self.listings.push(Listing { step: step.clone(), branches: Vec::new() });
            self.listings.len() - 1
        });
        let Some(listing) = self.listings.get_mut(at) else { return };
        let at = listing.branches.iter().position(|b| b.step.as_ref() == Some(step)).unwrap_or_else(|| {
            listing.branches.push(Branch { step: Some(step.clone()), ..Branch::default() });
            listing.branches.len() - 1
        });
        if let Some(branch) = listing.branches.get_mut(at) {
            branch.add(kind, depth + 1);
        }
    }

    /// The position of a call, shared with other types that make the same one.
    fn position(&mut self, get: &GetPlan) -> usize {
        let same = |g: &GetPlan| {
            g.service == get.service && g.call == get.call && g.with == get.with && g.when == get.when && g.alias == get.alias
        };
        let at = self.gets.iter().position(same).unwrap_or_else(|| {
            self.gets.push(GetPlan { wanted: false, ..get.clone() });
            self.gets.len() - 1
        });
        if let Some(shared) = self.gets.get_mut(at) {
            shared.wanted |= get.wanted;
        }
        at
    }
}

impl Listing {
    /// The types that come of it.
    pub(crate) fn type_names(&self) -> Vec<TypeName> {
        self.branches.iter().flat_map(Branch::type_names).collect()
    }
}

/// True if an expression looks at this member.
fn mentions(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Path(_, segments) => segments.first().is_some_and(|s| matches!(s, Segment::Key(key) if key == name)),
        Expr::Template(all) | Expr::Either(all) => all.iter().any(|one| mentions(one, name)),
        Expr::Pipe(inner, _) => mentions(inner, name),
        Expr::Text(_) => false,
    }
}

fn key(kind: &TypePlan) -> String {
    match kind.steps.first() {
        None => kind.type_name.to_string(),
        Some(step) if step.with.is_empty() => step.name(),
        Some(step) => format!("{} {}", step.name(), shown(&step.with)),
    }
}

fn shown(with: &[(String, Input)]) -> String {
    let one = |input: &Input| match input {
        Input::Expr(Expr::Text(text)) => text.clone(),
        Input::Fixed(json) => json.to_string(),
        other => format!("{other:?}"),
    };
    with.iter().map(|(k, v)| format!("{k}={}", one(v))).collect::<Vec<_>>().join(",")
}

fn read(kind: &TypeFile, file: &CollectFile, mut problems: Vec<String>) -> Result<TypePlan, Vec<String>> {
    problems.extend(file.problems());
    let type_name = TypeName::new(&kind.type_name).map_err(|e| vec![e.to_string()])?;
    if !problems.is_empty() {
        return Err(problems);
    }
    build(kind, type_name, file).map_err(|e| vec![e.to_string()])
}

/// The calls of a file that are not in the API facts, or not with these inputs.
fn unknown_calls(file: &CollectFile) -> Vec<String> {
    let steps = file.list.iter().filter_map(|s| Some((&s.service, s.call.as_ref()?, &s.with)));
    let calls = steps.chain(file.get.iter().map(|g| (&g.service, &g.call, &g.with)));
    calls.flat_map(|(service, call, with)| unknown(service.as_ref().unwrap_or(&file.service), call, with)).collect()
}

fn unknown(service: &str, call: &str, with: &JsonMap<String, Json>) -> Vec<String> {
    let Some(facts) = Facts::get().service(service) else { return vec![format!("there are no API facts on `{service}`")] };
    let Some(operation) = facts.operations.get(call) else {
        return vec![format!("there is no read operation `{service}:{call}` in the API facts")];
    };
    let inputs = facts.object(operation.input);
    let given = |key: &&String| !inputs.is_some_and(|o| o.members.contains_key(key.as_str()));
    let mut out: Vec<String> = with.keys().filter(given).map(|k| format!("`{service}:{call}` has no input `{k}`")).collect();
    for (name, member) in inputs.into_iter().flat_map(|o| &o.members) {
        if member.required && !with.contains_key(&**name) {
            out.push(format!("`{service}:{call}` needs the input `{name}`"));
        }
    }
    out
}

fn build(kind: &TypeFile, type_name: TypeName, file: &CollectFile) -> Result<TypePlan, catalogue::collect::ExprError> {
    let optional = |text: &Option<String>| text.as_deref().map(Expr::parse).transpose();
    let named = |text: &str| file.get.iter().filter_map(|g| g.alias.as_ref()).any(|alias| text.contains(&format!("${alias}")));
    let step = |s: &Step| -> Result<StepPlan, catalogue::collect::ExprError> {
        Ok(StepPlan {
            service: s.service.clone().unwrap_or_else(|| file.service.clone()),
            call: s.call.clone(),
            with: input_map(&s.with)?,
            items: Expr::parse(&s.items)?,
            alias: s.alias.clone(),
            batch: s.batch,
            absent: s.absent.clone(),
            keep: conditions(&s.keep)?,
        })
    };
    let get = |g: &Get| -> Result<GetPlan, catalogue::collect::ExprError> {
        let texts = Json::Object(g.with.clone()).to_string() + &Json::Object(g.when.clone()).to_string();
        Ok(GetPlan {
            service: g.service.clone().unwrap_or_else(|| file.service.clone()),
            call: g.call.clone(),
            with: input_map(&g.with)?,
            alias: g.alias.clone(),
            absent: g.absent.clone(),
            when: conditions(&g.when)?,
            required: g.required,
            members: Member::parse_all(&g.props, &g.copy)?,
            otherwise: Member::parse_all(&g.otherwise, &[])?,
            tags: optional(&g.tags)?,
            depends: named(&texts),
            wanted: true,
        })
    };
    Ok(TypePlan {
        type_name,
        identifier: kind.identifier.clone(),
        name_prop: kind.name.clone(),
        arn: optional(&kind.arn)?,
        steps: file.list.iter().map(step).collect::<Result<_, _>>()?,
        gets: file.get.iter().map(get).collect::<Result<_, _>>()?,
        members: Member::parse_all(&file.props, &file.copy)?,
        properties: kind.properties.keys().filter_map(|p| Some(p.split(['.', '[']).next()?.to_owned())).collect(),
        untold: file.untold.clone(),
        attrs: file.attrs.iter().map(|(k, v)| Ok((k.clone(), Expr::parse(v)?))).collect::<Result<_, _>>()?,
        tags: optional(&file.tags)?,
        region: optional(&file.region)?,
        name: optional(&file.name)?,
        keep: conditions(&file.keep)?,
        scope: file.scope,
    })
}

fn conditions(table: &JsonMap<String, Json>) -> Result<Vec<(Expr, Json)>, catalogue::collect::ExprError> {
    table.iter().map(|(k, v)| Ok((Expr::parse(k)?, v.clone()))).collect()
}

fn input_map(table: &JsonMap<String, Json>) -> Result<Vec<(String, Input)>, catalogue::collect::ExprError> {
    table.iter().map(|(k, v)| Ok((k.clone(), input(v)?))).collect()
}

fn input(value: &Json) -> Result<Input, catalogue::collect::ExprError> {
    Ok(match value {
        Json::String(text) => Input::Expr(Expr::parse(text)?),
        Json::Array(items) => Input::List(items.iter().map(input).collect::<Result<_, _>>()?),
        Json::Object(table) => Input::Object(input_map(table)?),
        fixed => Input::Fixed(fixed.clone()),
    })
}
