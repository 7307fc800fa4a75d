//! Answers of calls that are made for one item each (`get-bucket-policy`), and finding the item that each is about: by the
//! input that a wrapping list gives, by the file's path, or by what the answer says itself.

use std::collections::{BTreeMap, BTreeSet};

use catalogue::collect::Expr;
use model::{Value, from_json};
use serde_json::{Map as JsonMap, Value as Json};

use super::Found;
use super::place::Place;
use super::recognise::{names, tells};
use crate::collect::{Answer, GetPlan, Input, Plan, inputs};
use crate::error::CallError;
use crate::value::{Named, Scope};

/// How deep in an answer an item's name is looked for.
const DEPTH_MAX: usize = 3;

/// The shortest name that is looked for in paths.
const NAME_BYTES_MIN: usize = 2;

/// What is known about one item.
pub(super) struct Told {
    /// `s3:GetBucketPolicy`
    pub(super) call: (String, String),
    place: Place,
    /// The path without its account and Region, for names.
    path: String,
    /// The inputs that a wrapper gives.
    given: Option<JsonMap<String, Json>>,
    keys: BTreeSet<String>,
    texts: BTreeSet<String>,
    answer: Result<Value, CallError>,
}

/// The calls made for each item of any type: service, operation, and how.
fn calls(plan: &Plan) -> impl Iterator<Item = &GetPlan> {
    plan.types().iter().filter(|t| !t.steps.is_empty()).flat_map(|t| &t.gets)
}

/// True if a document is the answer of a call: it has a member that the call gives, and its name says the call, or the element
/// that it was wrapped in has the call's inputs.
fn is_about(get: &GetPlan, plain: &str, object: &JsonMap<String, Json>, wrapped: bool) -> bool {
    if wrapped {
        return tells(get, object) && variable(get).all(|(key, _)| object.contains_key(key));
    }
    names(plain, &get.call) && (object.is_empty() || tells(get, object))
}

/// True if [`told`] would find something.
pub(super) fn tells_something(plan: &Plan, plain: &str, object: &JsonMap<String, Json>, wrapped: bool) -> bool {
    calls(plan).any(|get| is_about(get, plain, object, wrapped))
}

/// What a document tells of single items. `wrapper` holds the element that it was wrapped in.
pub(super) fn told(
    plan: &Plan,
    (path, plain): (&str, &str),
    object: &JsonMap<String, Json>,
    place: &Place,
    wrapped: bool,
) -> Vec<Told> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for get in calls(plan).filter(|g| is_about(g, plain, object, wrapped)) {
        if !seen.insert((&get.service, &get.call)) {
            continue;
        }
        let mut answer = from_json(&Json::Object(object.clone()));
        crate::wire::decode_documents(&mut answer);
        out.push(Told {
            call: (get.service.clone(), get.call.clone()),
            place: place.clone(),
            path: path.to_owned(),
            given: wrapped.then(|| object.clone()),
            keys: object.keys().cloned().collect(),
            texts: texts(object),
            answer: Ok(answer),
        });
    }
    out
}

/// What a file tells that holds the CLI's error in place of an answer.
pub(super) fn failed(plan: &Plan, path: &str, place: &Place, error: &CallError) -> Vec<Told> {
    let mut seen = BTreeSet::new();
    let fits = |g: &&GetPlan| g.call == error.call && seen.insert((g.service.clone(), g.call.clone()));
    let one = |get: &GetPlan| Told {
        call: (get.service.clone(), get.call.clone()),
        place: place.clone(),
        path: path.to_owned(),
        given: None,
        keys: BTreeSet::new(),
        texts: BTreeSet::new(),
        answer: Err(CallError { call: format!("{}:{}", get.service, get.call), ..error.clone() }),
    };
    calls(plan).filter(fits).map(one).collect()
}

fn texts(object: &JsonMap<String, Json>) -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    let mut todo: Vec<(&Json, usize)> = object.values().map(|v| (v, 1)).collect();
    while let Some((value, depth)) = todo.pop() {
        match value {
            Json::String(text) => {
                out.insert(text.clone());
            }
            Json::Object(members) if depth < DEPTH_MAX => todo.extend(members.values().map(|v| (v, depth + 1))),
            _ => {}
        }
    }
    out
}

/// The inputs of a call that differ from item to item.
fn variable(get: &GetPlan) -> impl Iterator<Item = (&str, &Input)> {
    get.with.iter().filter(|(_, input)| varies(input)).map(|(key, input)| (key.as_str(), input))
}

fn varies(input: &Input) -> bool {
    match input {
        Input::Fixed(_) | Input::Expr(Expr::Text(_)) => false,
        Input::Expr(_) => true,
        Input::List(items) => items.iter().any(varies),
        Input::Object(members) => members.iter().any(|(_, input)| varies(input)),
    }
}

impl Told {
    /// How well this fits a call about an item: how much of its path or content names the item; 0 if nothing does.
    fn fit(&self, get: &GetPlan, item: &Value, named: &Named) -> usize {
        let fits_get = self.answer.is_err() || self.keys.is_empty() || get_tells(get, &self.keys);
        let Ok(wanted) = inputs(&get.with, &Scope::named(item, named)) else { return 0 };
        if !fits_get {
            return 0;
        }
        let mut score = 0;
        for (key, _) in variable(get) {
            let Some(value) = wanted.get(key) else { return 0 };
            if let Some(given) = &self.given {
                match given.get(key) == Some(value) {
                    true => score += usize::MAX / 16,
                    false => return 0,
                }
                continue;
            }
            let text = value.as_str().or_else(|| value.as_array()?.first()?.as_str()).unwrap_or_default();
            let short = text.rsplit(['/', ':']).next().unwrap_or(text);
            score += match () {
                () if self.texts.contains(text) => text.len() + self.path.len(),
                () if short.len() >= NAME_BYTES_MIN && self.path.contains(short) => short.len(),
                () => return 0,
            };
        }
        score
    }
}

fn get_tells(get: &GetPlan, keys: &BTreeSet<String>) -> bool {
    let object: JsonMap<String, Json> = keys.iter().map(|k| (k.clone(), Json::Null)).collect();
    tells(get, &object)
}

/// Everything told, with the item that each is about.
pub(super) struct Matched {
    told: Vec<Told>,
    /// By call and item the position in `told`.
    by_item: BTreeMap<(usize, usize), usize>,
}

impl Matched {
    /// Finds for each the item of each type that it fits best.
    pub(super) fn new(told: Vec<Told>, found: &[Found<'_>]) -> Matched {
        let mut by_item = BTreeMap::new();
        let mut by_call: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
        for (at, one) in told.iter().enumerate() {
            by_call.entry((&one.call.0, &one.call.1)).or_default().push(at);
        }
        // (told, type, call of the type) to its best item.
        let mut best: BTreeMap<(usize, &str, usize), (usize, usize)> = BTreeMap::new();
        for (item_at, item) in found.iter().enumerate().filter(|_| !told.is_empty()) {
            for (get_at, get) in item.kind.gets.iter().enumerate().filter(|(_, g)| !g.depends) {
                for at in by_call.get(&(get.service.as_str(), get.call.as_str())).into_iter().flatten() {
                    let Some(one) = told.get(*at).filter(|t| agree(&t.place, &item.place)) else { continue };
                    let score = one.fit(get, &item.item, &item.named);
                    let entry = best.entry((*at, item.kind.type_name.as_str(), get_at)).or_default();
                    if score > entry.0 {
                        *entry = (score, item_at);
                    }
                }
            }
        }
        for ((at, _, get_at), (score, item_at)) in best {
            if score > 0 {
                by_item.entry((item_at, get_at)).or_insert(at);
            }
        }
        Matched { told, by_item }
    }

    /// The answer of an item's call.
    pub(super) fn answer(&self, item_at: usize, get_at: usize) -> Answer {
        match self.by_item.get(&(item_at, get_at)).and_then(|at| self.told.get(*at)) {
            Some(Told { answer: Ok(value), .. }) => Answer::Given(value.clone()),
            Some(Told { answer: Err(error), .. }) => Answer::Failed(error.clone()),
            None => Answer::NotAsked,
        }
    }
}

/// True if two places may be the same.
fn agree(a: &Place, b: &Place) -> bool {
    let account = a.account.is_none() || b.account.is_none() || a.account == b.account;
    account && (a.region.is_none() || b.region.is_none() || a.region == b.region)
}
