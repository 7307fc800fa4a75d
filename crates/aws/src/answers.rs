//! A folder of saved AWS CLI answers, mapped by the same `collect.toml` files into the same resources as a live account.
//!
//! A document is recognised by the top-level keys of its JSON (`Reservations`, `SecurityGroups`, `UserDetailList`), and by its
//! name (`describe-instances.json`) where a key could mean several calls. Account and Region come from the folders above it, or
//! from owners and ARNs inside. What a call tells about one item is joined to that item; what no file tells is "not collected".

mod place;
mod recognise;
mod told;

use std::collections::BTreeSet;

use catalogue::collect::CollectScope;
use model::{AccountId, Gap, GapReason, Reason, Region, Resource, Snapshot, SourceKind, Text, TypeName, Value, from_json};
use serde_json::{Map as JsonMap, Value as Json};

use crate::collect::{Answer, GapPlace, Gaps, Plan, TypePlan, map_item, note};
use crate::error::{CallError, classify};
use crate::value::{Named, Scope, eval, holds, may_hold};
use place::Place;
use told::{Matched, Told};

/// Reads saved answers one by one.
pub struct Answers<'a> {
    plan: &'a Plan,
    found: Vec<Found<'a>>,
    singles: Vec<Single<'a>>,
    told: Vec<Told>,
    /// The types that a file lists (be it none of them), and where.
    listed: BTreeSet<(TypeName, Place)>,
    /// Answers that say that there is more than they hold.
    cut: Vec<Gap>,
}

/// An item of a listing.
struct Found<'a> {
    kind: &'a TypePlan,
    item: Value,
    named: Named,
    place: Place,
    file: Text,
}

/// What one call tells of a type of which there is one.
struct Single<'a> {
    kind: &'a TypePlan,
    /// Which of its calls.
    get: usize,
    answer: Value,
    place: Place,
    file: Text,
}

impl<'a> Answers<'a> {
    /// Nothing read yet.
    pub fn new(plan: &'a Plan) -> Answers<'a> {
        Answers { plan, found: Vec::new(), singles: Vec::new(), told: Vec::new(), listed: BTreeSet::new(), cut: Vec::new() }
    }

    /// True if [`Answers::add`] would read the document.
    pub fn knows(&self, path: &str, document: &Json) -> bool {
        let Some(object) = document.as_object() else { return false };
        let plain = recognise::plain(path);
        let of_object = |object, wrapped| {
            !recognise::listings(self.plan, &plain, object).is_empty()
                || !recognise::singles(self.plan, &plain, object).is_empty()
                || told::tells_something(self.plan, &plain, object, wrapped)
        };
        of_object(object, false) || recognise::unwrapped(object).into_iter().any(|inner| of_object(inner, true))
    }

    /// The types that a file which cannot be read was about: by the call in its name, or the keys in its text.
    pub fn hinted(&self, path: &str, text: &str) -> BTreeSet<TypeName> {
        let plain = recognise::plain(path);
        let about = |kind: &&std::sync::Arc<TypePlan>| {
            kind.last_call().is_some_and(|step| {
                let call = step.call.as_deref().is_some_and(|call| recognise::names(&plain, call));
                call || recognise::first_key(&step.items).is_some_and(|key| text.contains(&format!("\"{key}\"")))
            })
        };
        self.plan.types().iter().filter(about).map(|t| t.type_name.clone()).collect()
    }

    /// Reads one document; `path` is the file's, with `/`. False if it is no answer of a call that the catalogue makes.
    pub fn add(&mut self, path: &str, document: &Json) -> bool {
        let Some(object) = document.as_object() else { return false };
        let place = Place::of(path, document);
        let mut known = self.object(path, object, &place, false);
        for inner in recognise::unwrapped(object) {
            known = true;
            self.object(path, inner, &place, true);
        }
        known
    }

    /// Reads a file that holds what the AWS CLI said in place of an answer: `An error occurred (AccessDenied) when calling the
    /// GetBucketPolicy operation: Access Denied`. False if the text says no such thing.
    pub fn add_failure(&mut self, path: &str, text: &str) -> bool {
        let Some(error) = cli_error(text) else { return false };
        let place = Place::of(path, &Json::Null);
        self.told.extend(told::failed(self.plan, path, &place, &error));
        true
    }

    fn object(&mut self, path: &str, object: &JsonMap<String, Json>, place: &Place, wrapped: bool) -> bool {
        let plain = recognise::plain(path);
        let kinds = recognise::listings(self.plan, &plain, object);
        let singles = recognise::singles(self.plan, &plain, object);
        let told = told::told(self.plan, (path, &plain), object, place, wrapped);
        let known = !(kinds.is_empty() && singles.is_empty() && told.is_empty());
        self.told.extend(told);
        if kinds.is_empty() && singles.is_empty() {
            return known;
        }
        let mut answer = from_json(&Json::Object(object.clone()));
        crate::wire::decode_documents(&mut answer);
        let file = Text::from(path);
        for kind in kinds {
            self.listed.insert((kind.type_name.clone(), place.clone()));
            self.cut.extend(cut_off(kind, &answer, place, &file));
            for (item, named) in items(kind, &answer, place.named()) {
                self.found.push(Found { kind, item, named, place: place.clone(), file: file.clone() });
            }
        }
        for (kind, get) in singles {
            self.listed.insert((kind.type_name.clone(), place.clone()));
            self.singles.push(Single { kind, get, answer: answer.clone(), place: place.clone(), file: file.clone() });
        }
        known
    }

    /// All that was read, in a stable order. Of a resource that stands in two files the first counts, and the second for what
    /// the first leaves open.
    pub fn finish(mut self, name: &str) -> Snapshot {
        let matched = Matched::new(std::mem::take(&mut self.told), &self.found);
        let mut gaps = Gaps::default();
        let mut resources = Vec::new();
        for (at, found) in self.found.iter().enumerate() {
            let answers = (0..found.kind.gets.len()).map(|get| matched.answer(at, get)).collect();
            resources.extend(self.resource(found, answers, &mut gaps));
        }
        for (kind, place) in self.singles.iter().map(|s| (s.kind, &s.place)) {
            let of_this = |s: &&Single<'_>| s.kind.type_name == kind.type_name && s.place == *place;
            let of_this: Vec<&Single<'_>> = self.singles.iter().filter(of_this).collect();
            let answers = (0..kind.gets.len()).map(|get| match of_this.iter().find(|s| s.get == get) {
                Some(single) => Answer::Given(single.answer.clone()),
                None => Answer::NotAsked,
            });
            let Some(first) = of_this.first() else { continue };
            let (item, named, file) = (Value::Null, place.named(), first.file.clone());
            let found = Found { kind, item, named, place: place.clone(), file };
            resources.extend(self.resource(&found, answers.collect(), &mut gaps));
        }
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope(name, SourceKind::Live);
        resources.iter_mut().for_each(|r| r.scope = scope);
        resources.sort_by(|a, b| (&a.account, &a.type_name, &a.region, &a.id).cmp(&(&b.account, &b.type_name, &b.region, &b.id)));
        resources.dedup_by(|later, first| {
            let same = (&first.account, &first.type_name, &first.region, &first.id)
                == (&later.account, &later.type_name, &later.region, &later.id);
            if same {
                fill(first, later);
            }
            same
        });
        snapshot.resources = resources;
        snapshot.gaps = gaps.finish();
        snapshot.gaps.extend(self.unlisted());
        snapshot.gaps.append(&mut self.cut);
        snapshot.gaps.sort();
        snapshot
    }

    /// The resource that an item and its calls' answers become, and gaps for the calls that no file answers.
    fn resource(&self, found: &Found<'_>, answers: Vec<Answer>, gaps: &mut Gaps) -> Option<Resource> {
        let (kind, mut named) = (found.kind, found.named.clone());
        let mut pairs = Vec::new();
        for (get, mut answer) in kind.gets.iter().zip(answers) {
            if !may_hold(&get.when, &Scope::named(&found.item, &named)) {
                answer = Answer::Skipped;
            }
            note(get, &answer, &mut named);
            pairs.push((get, answer));
        }
        let by_reference: Vec<_> = pairs.iter().map(|(get, answer)| (*get, answer)).collect();
        let mut resource = map_item(kind, &found.item, &named, &by_reference)?;
        let arn = model::Arn::new(&resource.id).ok();
        let of_arn = |text: Option<&str>| text.and_then(|t| AccountId::new(t).ok());
        resource.account = found.place.account.clone().or_else(|| of_arn(arn.as_ref().map(model::Arn::account)));
        resource.region = match kind.scope {
            CollectScope::Account => {
                let own = |e| Region::new(eval(e, &Scope::named(&found.item, &named)).as_str()?).ok();
                kind.region.as_ref().and_then(own)
            }
            CollectScope::Region => found.place.region.clone().or_else(|| Region::new(arn.as_ref()?.region()).ok()),
        };
        resource.origin.file = Some(found.file.clone());
        let (account, region) = (resource.account.as_ref(), resource.region.as_ref());
        let at = GapPlace { account, region, type_name: Some(&kind.type_name) };
        for (get, answer) in &pairs {
            match answer {
                Answer::NotAsked => gaps.add_gap(not_saved(&get.service, &get.call, at)),
                Answer::Failed(error) if !error.is_one_of(&get.absent) => gaps.add(error, at),
                _ => {}
            }
        }
        Some(resource)
    }

    /// A gap for each type that no file lists, and for each place where other types are listed but not this one.
    fn unlisted(&self) -> Vec<Gap> {
        let mut out = Vec::new();
        for kind in self.plan.types() {
            let first = kind.last_call().map(|s| (s.service.as_str(), s.call.as_deref().unwrap_or_default()));
            let only = || kind.gets.first().map(|g| (g.service.as_str(), g.call.as_str()));
            let Some((service, call)) = first.or_else(only) else { continue };
            let here: BTreeSet<&Place> = self.listed.iter().filter(|(t, _)| *t == kind.type_name).map(|(_, p)| p).collect();
            if here.is_empty() {
                out.push(not_saved(service, call, GapPlace { account: None, region: None, type_name: Some(&kind.type_name) }));
                continue;
            }
            let same_scope = |t: &TypeName| self.plan.types().iter().any(|k| k.type_name == *t && k.scope == kind.scope);
            let elsewhere: BTreeSet<&Place> = self
                .listed
                .iter()
                .filter(|(t, p)| !here.contains(p) && same_scope(t) && p.account.is_some())
                .filter(|(_, p)| p.region.is_some() || kind.scope == CollectScope::Account)
                .map(|(_, p)| p)
                .collect();
            for place in elsewhere {
                let covered =
                    |p: &&Place| p.account == place.account && (kind.scope == CollectScope::Account || p.region.is_none());
                if !here.iter().any(covered) {
                    let region = place.region.as_ref().filter(|_| kind.scope == CollectScope::Region);
                    let at = GapPlace { account: place.account.as_ref(), region, type_name: Some(&kind.type_name) };
                    out.push(not_saved(service, call, at));
                }
            }
        }
        out.sort();
        out.dedup();
        out
    }
}

/// The gap of an answer that is one page of several.
fn cut_off(kind: &TypePlan, answer: &Value, place: &Place, file: &Text) -> Option<Gap> {
    let step = kind.last_call()?;
    let call = step.call.as_deref()?;
    if !crate::client::has_more(&step.service, call, answer) {
        return None;
    }
    let what = format!("{}:{call}", step.service);
    let gap = Gap::new(what, GapReason::NotCollected, "the answer is one page of several: it ends with a token for the next");
    let mut gap =
        gap.help("save it again without `--max-items` and `--no-paginate`, or the other pages beside it").in_file(&**file, None);
    gap.account = place.account.clone();
    gap.region = place.region.clone().filter(|_| kind.scope == CollectScope::Region);
    gap.type_name = Some(kind.type_name.clone());
    Some(gap)
}

/// The gap of a call that no file answers.
fn not_saved(service: &str, call: &str, at: GapPlace<'_>) -> Gap {
    let gap = Gap::new(format!("{service}:{call}"), GapReason::NotCollected, "no file holds its answer");
    let mut gap = gap.help("save that answer too, or scan the live account");
    gap.account = at.account.cloned();
    gap.region = at.region.cloned();
    gap.type_name = at.type_name.cloned();
    gap
}

/// The error in the words of the AWS CLI.
fn cli_error(text: &str) -> Option<CallError> {
    let rest = text.split_once("An error occurred (")?.1;
    let (code, rest) = rest.split_once(") when calling the ")?;
    let (call, message) = rest.split_once(" operation")?;
    let call = call.split_whitespace().next()?;
    let message = message.trim_start_matches(|c: char| c == ':' || c.is_whitespace());
    Some(CallError::new(classify(code, 400), call, code, message.lines().next().unwrap_or_default()))
}

/// Takes over what another file tells of the same resource: what was not collected here.
fn fill(first: &mut Resource, later: &Resource) {
    let open = |v: &Value| matches!(v, Value::Unknown(why) if why.reason == Reason::NotCollected);
    let keys: Vec<Text> = first.props.iter().filter(|(_, v)| open(v)).map(|(k, _)| k.clone()).collect();
    for key in keys {
        match later.props.get(&key) {
            Some(value) => first.props.insert(key, value.clone()),
            None => first.props.remove(&key),
        };
    }
}

/// The items of the last call's answer, and of the steps without a call behind it, each with what it can refer to by name.
fn items(kind: &TypePlan, answer: &Value, named: Named) -> Vec<(Value, Named)> {
    let mut found = vec![(answer.clone(), named)];
    let last = kind.steps.iter().rposition(|s| s.call.is_some()).unwrap_or(0);
    for step in kind.steps.iter().skip(last) {
        let mut next = Vec::new();
        for (whole, named) in found {
            let Ok(items) = crate::value::list(eval(&step.items, &Scope::named(&whole, &named))) else { continue };
            for item in items.into_iter().filter(|i| holds(&step.keep, &Scope::named(i, &named))) {
                let mut named = named.clone();
                if let Some(alias) = &step.alias {
                    named.insert(alias.clone(), item.clone());
                }
                next.push((item, named));
            }
        }
        found = next;
    }
    found
}

#[cfg(test)]
mod tests;
