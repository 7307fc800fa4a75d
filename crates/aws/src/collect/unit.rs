//! One unit: walks a group's tree of listings, makes each item's calls, and maps items to resources.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use model::{Gap, Map, Region, Resource, ScopeIndex, Text, Value};
use serde_json::{Map as JsonMap, Value as Json};

use super::Unit;
use super::account::{Account, builtins, to_input};
use super::alike::Alike;
use super::asked::Asked;
use super::gaps::{Gaps, Place, unknown};
use super::plan::{Branch, GetPlan, Group, Input, Listing, TypePlan};
use crate::client::Call;
use crate::error::{CallError, ErrorKind};
use crate::settings::Limits;
use crate::value::{Named, Scope, build, eval, holds, list, may_hold};

/// How many items of a listing are worked on at once.
const ITEMS_AT_ONCE: usize = 16;

/// What a unit gave.
#[derive(Default)]
pub(super) struct Given {
    pub(super) resources: Vec<Resource>,
    pub(super) gaps: Vec<Gap>,
    pub(super) stopped: bool,
    /// True if a call failed in a way that another time need not: no connection, throttled, credentials expired.
    pub(super) again: bool,
}

/// Where and for whom a unit is collected.
pub(crate) struct Target<'a> {
    pub(super) unit: &'a Unit,
    pub(super) account: &'a Account,
    pub(super) region: &'a Region,
    asked: &'a Asked,
    limits: &'a Limits,
    items: AtomicUsize,
    alike: Mutex<Alike>,
}

/// What part of a tree gave.
#[derive(Default)]
struct Part {
    resources: Vec<Resource>,
    failures: Vec<(CallError, Vec<model::TypeName>)>,
}

impl Part {
    fn join(&mut self, other: Part) {
        self.resources.extend(other.resources);
        self.failures.extend(other.failures);
    }
}

pub(super) async fn collect(unit: &Unit, group: &Group, account: &Account, asked: &Asked, limits: &Limits) -> Given {
    let region = unit.region.as_ref().unwrap_or(&account.home);
    let target = Target { unit, account, region, asked, limits, items: AtomicUsize::new(0), alike: Mutex::default() };
    let named = builtins(account.partition, &account.id, region);
    let part = target.item(&group.root, &Value::Null, &named).await;
    let mut gaps = Gaps::default();
    let mut given = Given { resources: part.resources, ..Given::default() };
    for (error, types) in &part.failures {
        given.stopped |= error.kind == ErrorKind::Cancelled;
        given.again |= matches!(error.kind, ErrorKind::Credentials | ErrorKind::Throttled | ErrorKind::Failed);
        for kind in types {
            let place = Place { account: Some(&unit.account), region: unit.region.as_ref(), type_name: Some(kind) };
            gaps.add(error, place);
        }
    }
    given.gaps = gaps.finish();
    given
}

/// Runs futures at once, a limited number at a time, and gives their results in order.
async fn at_once<T: Send>(futures: Vec<BoxFuture<'_, T>>) -> Vec<T> {
    stream::iter(futures).buffered(ITEMS_AT_ONCE).collect().await
}

impl Target<'_> {
    /// All that hangs on one item: its resources, and the listings that start from it (batches excepted).
    fn item<'a>(&'a self, branch: &'a Branch, item: &'a Value, named: &'a Named) -> BoxFuture<'a, Part> {
        Box::pin(async move {
            let mut own = named.clone();
            if let Some(alias) = branch.step.as_ref().and_then(|s| s.alias.as_ref()) {
                own.insert(alias.clone(), item.clone());
            }
            let mut part = Part::default();
            if !branch.types.is_empty() {
                part.join(self.resources(branch, item, &own).await);
            }
            for listing in branch.listings.iter().filter(|l| l.step.batch.is_none()) {
                part.join(self.listing(listing, item.clone(), &own).await);
            }
            part
        })
    }

    /// Makes a listing's call for one item (a batch is one item: a list) and goes on with the items of its pages.
    fn listing<'a>(&'a self, listing: &'a Listing, over: Value, named: &'a Named) -> BoxFuture<'a, Part> {
        Box::pin(async move {
            let mut part = Part::default();
            let step = &listing.step;
            match self.pages(listing, over, named, &mut part).await {
                Err(error) if error.kind == ErrorKind::NotOffered || error.is_one_of(&step.absent) => {}
                Err(error) => part.failures.push((error, listing.type_names())),
                Ok(()) => {}
            }
            part
        })
    }

    async fn pages(&self, listing: &Listing, over: Value, named: &Named, part: &mut Part) -> Result<(), CallError> {
        let step = &listing.step;
        let Some(operation) = &step.call else {
            for branch in &listing.branches {
                self.answer(branch, &over, named, part).await?;
            }
            return Ok(());
        };
        let input = inputs(&step.with, &Scope::named(&over, named)).map_err(|missing| {
            CallError::new(ErrorKind::Failed, &step.name(), "", &format!("its input `{missing}` is not known"))
        })?;
        let call = Call { service: &step.service, operation, region: self.region, input: &input };
        if self.asked.keeps(call) {
            let answer = self.asked.call_all(self.account, call).await?;
            for branch in &listing.branches {
                self.answer(branch, &answer, named, part).await?;
            }
            return Ok(());
        }
        let mut pages = self.account.client.pages(call);
        while let Some(answer) = pages.next().await? {
            for branch in &listing.branches {
                self.answer(branch, &answer, named, part).await?;
            }
        }
        Ok(())
    }

    /// Goes on with the items of one answer that a branch is about.
    async fn answer(&self, branch: &Branch, answer: &Value, named: &Named, part: &mut Part) -> Result<(), CallError> {
        let Some(step) = &branch.step else { return Ok(()) };
        let fail = |kind, message: String| CallError::new(kind, &step.name(), "", &message);
        let found = match list(eval(&step.items, &Scope::named(answer, named))) {
            Ok(items) => items,
            Err(Value::Null) => Vec::new(),
            Err(unknown) => {
                let shown = model::to_json(&unknown);
                return Err(fail(ErrorKind::Malformed, format!("its items cannot be read: {shown}")));
            }
        };
        let before = self.items.fetch_add(found.len(), Ordering::Relaxed);
        if before + found.len() > self.limits.items_max {
            return Err(fail(ErrorKind::Limit, format!("more than {} items", self.limits.items_max)));
        }
        let items: Vec<Value> = found.into_iter().filter(|i| holds(&step.keep, &Scope::named(i, named))).collect();
        for listing in &branch.listings {
            let Some(size) = listing.step.batch else { continue };
            let chunks = items.chunks(size.max(1) as usize);
            let calls = chunks.map(|c| self.listing(listing, Value::List(c.to_vec()), named)).collect();
            at_once(calls).await.into_iter().for_each(|more| part.join(more));
        }
        if !branch.types.is_empty() || branch.listings.iter().any(|l| l.step.batch.is_none()) {
            let each = items.iter().map(|item| self.item(branch, item, named)).collect();
            at_once(each).await.into_iter().for_each(|more| part.join(more));
        }
        Ok(())
    }

    /// The resources of one item, after its calls.
    async fn resources(&self, node: &Branch, item: &Value, named: &Named) -> Part {
        let mut part = Part::default();
        let region = node.types.iter().find_map(|(t, _)| own_region(t, item, named)).unwrap_or_else(|| self.region.clone());
        let mut named = named.clone();
        let independent: Vec<BoxFuture<'_, Answer>> = node
            .gets
            .iter()
            .map(|get| -> BoxFuture<'_, Answer> {
                if get.depends { Box::pin(async { Answer::Skipped }) } else { Box::pin(self.get(get, item, &named, &region)) }
            })
            .collect();
        let mut answers = at_once(independent).await;
        for (get, answer) in node.gets.iter().zip(&answers) {
            note(get, answer, &mut named);
        }
        // Calls that look at other calls' answers go one after the other, in the file's order.
        for (get, slot) in node.gets.iter().zip(&mut answers).filter(|(g, _)| g.depends) {
            *slot = self.get(get, item, &named, &region).await;
            note(get, slot, &mut named);
        }
        for (kind, positions) in &node.types {
            let gets: Vec<(&GetPlan, &Answer)> =
                kind.gets.iter().zip(positions).filter_map(|(g, at)| Some((g, answers.get(*at)?))).collect();
            for (get, answer) in &gets {
                if let Answer::Failed(error) = answer
                    && error.kind != ErrorKind::NotOffered
                    && !error.is_one_of(&get.absent)
                {
                    part.failures.push((error.clone(), vec![kind.type_name.clone()]));
                }
            }
            if let Some(mut resource) = map_item(kind, item, &named, &gets) {
                resource.account = Some(self.unit.account.clone());
                resource.region = own_region(kind, item, &named).or_else(|| self.unit.region.clone());
                self.alike.lock().unwrap_or_else(PoisonError::into_inner).share(&mut resource);
                part.resources.push(resource);
            }
        }
        part
    }

    async fn get(&self, get: &GetPlan, item: &Value, named: &Named, region: &Region) -> Answer {
        if !get.wanted {
            return Answer::NotAsked;
        }
        let scope = Scope::named(item, named);
        // A condition that a failed call leaves open is no reason not to ask.
        if !may_hold(&get.when, &scope) {
            return Answer::Skipped;
        }
        let name = || format!("{}:{}", get.service, get.call);
        let input = match inputs(&get.with, &scope) {
            Ok(input) => input,
            Err(missing) => {
                let message = format!("its input `{missing}` is not known");
                return Answer::Failed(CallError::new(ErrorKind::Failed, &name(), "", &message));
            }
        };
        let call = Call { service: &get.service, operation: &get.call, region, input: &input };
        match self.asked.call_all(self.account, call).await {
            Ok(answer) => Answer::Given(answer),
            Err(error) => Answer::Failed(error),
        }
    }
}

/// What one of an item's calls gave.
pub(crate) enum Answer {
    /// Not made: its condition does not hold.
    Skipped,
    /// An answer.
    Given(Value),
    /// None.
    Failed(CallError),
    /// This source does not carry it, or nobody wants to know.
    NotAsked,
}

pub(crate) fn note(get: &GetPlan, answer: &Answer, named: &mut Named) {
    let Some(alias) = &get.alias else { return };
    let value = match answer {
        Answer::Given(value) => value.clone(),
        Answer::Failed(error) if !error.is_one_of(&get.absent) => unknown(error),
        Answer::NotAsked => not_asked(get),
        Answer::Failed(_) | Answer::Skipped => Value::Null,
    };
    named.insert(alias.clone(), value);
}

/// What a call would tell that nobody made.
fn not_asked(get: &GetPlan) -> Value {
    Value::unknown(model::Reason::NotCollected, format!("{}:{}", get.service, get.call))
}

fn own_region(kind: &TypePlan, item: &Value, named: &Named) -> Option<Region> {
    let text = eval(kind.region.as_ref()?, &Scope::named(item, named));
    Region::new(text.as_str()?).ok()
}

/// The input of a call; the error names the part that could not be found.
pub(crate) fn inputs(with: &[(String, Input)], scope: &Scope<'_>) -> Result<JsonMap<String, Json>, String> {
    with.iter().map(|(key, value)| Ok((key.clone(), input(value, scope).ok_or_else(|| key.clone())?))).collect()
}

fn input(value: &Input, scope: &Scope<'_>) -> Option<Json> {
    match value {
        Input::Fixed(json) => Some(json.clone()),
        Input::List(items) => items.iter().map(|i| input(i, scope)).collect::<Option<Vec<_>>>().map(Json::Array),
        Input::Object(map) => {
            let members = map.iter().map(|(k, v)| Some((k.clone(), input(v, scope)?)));
            members.collect::<Option<JsonMap<_, _>>>().map(Json::Object)
        }
        Input::Expr(expr) => match eval(expr, scope) {
            Value::Null | Value::Unknown(_) => None,
            value => Some(to_input(&value)),
        },
    }
}

/// The resource that an item and its calls' answers become; `None` if a required call says that there is none.
pub(crate) fn map_item(kind: &TypePlan, item: &Value, named: &Named, gets: &[(&GetPlan, &Answer)]) -> Option<Resource> {
    let scope = Scope::named(item, named);
    if !may_hold(&kind.keep, &scope) {
        return None;
    }
    let mut props = build(&kind.members, &scope);
    let mut tags = kind.tags.as_ref().map(|t| eval(t, &scope));
    let mut failed: Vec<(&GetPlan, Value)> = Vec::new();
    for (get, answer) in gets {
        match answer {
            Answer::Given(value) => {
                let inner = Scope::named(value, named);
                merge(&mut props, build(&get.members, &inner), 0);
                if let Some(expr) = &get.tags {
                    tags = Some(eval(expr, &inner));
                }
            }
            Answer::Skipped => {}
            Answer::Failed(error) if error.is_one_of(&get.absent) || error.kind == ErrorKind::NotOffered => {
                if get.required {
                    return None;
                }
                merge(&mut props, build(&get.otherwise, &scope), 0);
            }
            Answer::Failed(error) => failed.push((get, unknown(error))),
            Answer::NotAsked => failed.push((get, not_asked(get))),
        }
    }
    // Whether there is such a resource at all is not known then, nor what is not set in it.
    let doubtful = failed.iter().find(|(get, _)| get.required || !holds(&kind.keep, &scope)).map(|(_, why)| why.clone());
    let untold = Value::unknown(model::Reason::NotCollected, "no call tells it");
    for name in &kind.untold {
        props.insert(name.as_str(), untold.clone());
    }
    for name in kind.properties.iter().filter(|p| *p != "Tags") {
        if let Some(why) = &doubtful
            && props.get(name.as_str()).is_none_or(Value::is_null)
        {
            props.insert(name.as_str(), why.clone());
        }
    }
    for (get, why) in failed {
        for member in &get.members {
            unread(&mut props, &member.name, &member.value, &why);
        }
        if get.tags.is_some() && tags.is_none() {
            tags = Some(why.clone());
        }
    }
    if let Some(tags) = tags {
        let tags = crate::value::tags(tags);
        if !tags.is_null() {
            props.insert("Tags", tags);
        }
    }
    Some(finish(kind, item, named, props))
}

/// Identity: the ARN where there is one, else the identifier, else the type's name (for what there is one of).
fn finish(kind: &TypePlan, item: &Value, named: &Named, props: Map) -> Resource {
    let scope = Scope::named(item, named);
    let mut attrs: Map =
        kind.attrs.iter().map(|(k, e)| (Text::from(k.as_str()), eval(e, &scope))).filter(|(_, v)| !v.is_null()).collect();
    let whole = Value::Map(props);
    if !attrs.contains_key("Arn")
        && let Some(arn) = &kind.arn
    {
        let arn = eval(arn, &Scope::named(&whole, named));
        if arn.as_str().is_some() {
            attrs.insert("Arn", arn);
        }
    }
    let of = |name: &String| match whole.get(name).or_else(|| attrs.get(name))? {
        Value::Str(text) => Some(text.clone()),
        Value::Int(n) => Some(Text::from(n.to_string())),
        _ => None,
    };
    let parts: Vec<Text> = kind.identifier.iter().filter_map(of).collect();
    let reference = match parts.as_slice() {
        [] => None,
        [one] if kind.identifier.len() == 1 => Some(one.clone()),
        all if all.len() == kind.identifier.len() => Some(Text::from(all.join("|"))),
        _ => None,
    };
    let text = |value: Value| if let Value::Str(text) = value { Some(text) } else { None };
    let named_by = kind.name.as_ref().and_then(|e| text(eval(e, &scope)));
    let name = named_by.or_else(|| kind.name_prop.as_ref().and_then(of)).or_else(|| reference.clone());
    if let Some(reference) = &reference
        && !attrs.contains_key("Ref")
    {
        attrs.insert("Ref", Value::Str(reference.clone()));
    }
    let arn = attrs.get("Arn").cloned().and_then(text);
    let id = arn.or(reference).or_else(|| name.clone()).unwrap_or_else(|| kind.type_name.text().clone());
    let mut resource = Resource::new(id, kind.type_name.clone(), ScopeIndex(0));
    resource.name = name;
    resource.attrs = attrs;
    if let Value::Map(props) = whole {
        resource.props = props;
    }
    // There may be very many resources, and no member comes after this.
    resource.attrs.shrink_to_fit();
    resource.props.shrink_to_fit();
    resource
}

/// Adds members; objects that both have are joined.
fn merge(into: &mut Map, from: Map, depth: usize) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Map(ours)), Value::Map(theirs)) if depth < 16 => merge(ours, theirs, depth + 1),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Marks what a failed call would have told. An object that other calls told of keeps what they told.
fn unread(props: &mut Map, name: &str, mapping: &catalogue::collect::Mapping, why: &Value) {
    use catalogue::collect::Mapping;
    match (props.get_mut(name), mapping) {
        (Some(Value::Map(known)), Mapping::Object { members, .. }) => {
            for member in members {
                unread(known, &member.name, &member.value, why);
            }
        }
        (Some(Value::Null) | None, _) => {
            props.insert(name, why.clone());
        }
        // Told by another call.
        (Some(_), _) => {}
    }
}
