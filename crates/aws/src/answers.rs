//! A folder of saved AWS CLI answers, mapped by the same `collect.toml` files into the same resources as a live account.
//!
//! A file is recognised by the top-level keys of its JSON (`Reservations`, `SecurityGroups`, `UserDetailList`), and by its name
//! (`describe-instances.json`) where a key could mean several calls. Account and Region come from the folders above it, or from
//! ARNs inside. What only a call per item tells is "not collected".

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use catalogue::collect::{CollectScope, Expr, Mapping, Member, Segment};
use model::{
    AccountId, Gap, GapReason, Partition, Reason, Region, Resource, Snapshot, SourceKind, Text, TypeName, Value, from_json,
};

use crate::collect::Answer;
use crate::collect::{GetPlan, Plan, TypePlan, map_item};
use crate::value::{Named, Scope, eval, holds};

/// The most bytes of one file.
pub const ANSWER_BYTES_MAX: usize = 256 << 20;

/// A file that is not a saved answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswersError {
    /// It is not JSON.
    NotJson(String),
    /// It is longer than the limit.
    TooLong,
    /// Its top-level keys are those of no call that the catalogue makes.
    NotRecognised,
}

impl fmt::Display for AnswersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AnswersError::NotJson(message) => write!(f, "not JSON: {message}"),
            AnswersError::TooLong => write!(f, "longer than {ANSWER_BYTES_MAX} bytes"),
            AnswersError::NotRecognised => f.write_str("not the answer of a call that the catalogue knows"),
        }
    }
}

impl std::error::Error for AnswersError {}

/// Reads saved answers one by one.
pub struct Answers<'a> {
    plan: &'a Plan,
    resources: Vec<Resource>,
    gaps: Vec<Gap>,
    /// The calls that a file stood for.
    told: BTreeSet<About>,
}

/// A call, and what it was about.
type About = (String, Option<TypeName>, Option<AccountId>, Option<Region>);

fn about(gap: &Gap) -> About {
    (gap.what.clone(), gap.type_name.clone(), gap.account.clone(), gap.region.clone())
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

impl<'a> Answers<'a> {
    /// Nothing read yet.
    pub fn new(plan: &'a Plan) -> Answers<'a> {
        Answers { plan, resources: Vec::new(), gaps: Vec::new(), told: BTreeSet::new() }
    }

    /// Reads one file; `path` is its place below the folder, with `/`. Gives how many resources it holds.
    pub fn add(&mut self, path: &str, bytes: &[u8]) -> Result<usize, AnswersError> {
        if bytes.len() > ANSWER_BYTES_MAX {
            return Err(AnswersError::TooLong);
        }
        let json: serde_json::Value = serde_json::from_slice(bytes).map_err(|e| AnswersError::NotJson(e.to_string()))?;
        let kinds = self.recognise(path, &json);
        let singles = self.singles(path, &json);
        if kinds.is_empty() && singles.is_empty() {
            return Err(AnswersError::NotRecognised);
        }
        let place = Place::of(path);
        let answer = decode_policies(from_json(&json));
        let before = self.resources.len();
        for kind in kinds {
            let found = resources(kind, &answer, &place);
            if !found.is_empty() {
                self.not_told(kind, None, path, &place);
                self.resources.extend(found);
            }
        }
        for (kind, at) in singles {
            let given = Answer::Given(answer.clone());
            let one = |(n, g)| (g, if n == at { &given } else { &Answer::NotAsked });
            let gets: Vec<_> = kind.gets.iter().enumerate().map(one).collect();
            let Some(mut resource) = map_item(kind, &Value::Null, &place.named(), &gets) else { continue };
            (resource.account, resource.region) = (place.account.clone(), place.region.clone());
            self.not_told(kind, Some(at), path, &place);
            self.resources.push(resource);
        }
        Ok(self.resources.len() - before)
    }

    /// Notes what calls this file does not stand for.
    fn not_told(&mut self, kind: &TypePlan, told: Option<usize>, path: &str, place: &Place) {
        for (at, get) in kind.gets.iter().enumerate() {
            let call = format!("{}:{}", get.service, get.call);
            let detail = format!("`{path}` does not say it");
            let mut gap = Gap::new(call, GapReason::NotCollected, detail);
            gap.help = Some("scan the live account, or a snapshot of it".to_owned());
            gap.type_name = Some(kind.type_name.clone());
            gap.account = place.account.clone();
            gap.region = place.region.clone();
            if told == Some(at) {
                self.told.insert(about(&gap));
            } else {
                self.gaps.push(gap);
            }
        }
    }

    /// All that was read, in a stable order. Of a resource that stands in two files the first counts.
    pub fn finish(mut self, name: &str) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope(name, SourceKind::Live);
        self.resources.iter_mut().for_each(|r| r.scope = scope);
        self.resources
            .sort_by(|a, b| (&a.account, &a.type_name, &a.region, &a.id).cmp(&(&b.account, &b.type_name, &b.region, &b.id)));
        self.resources.dedup_by(|later, first| {
            let same = (&first.account, &first.type_name, &first.region, &first.id)
                == (&later.account, &later.type_name, &later.region, &later.id);
            if same {
                fill(first, later);
            }
            same
        });
        let told = std::mem::take(&mut self.told);
        self.gaps.retain(|g| !told.contains(&about(g)));
        self.gaps.sort();
        self.gaps
            .dedup_by(|b, a| (&a.what, &a.type_name, &a.account, &a.region) == (&b.what, &b.type_name, &b.account, &b.region));
        snapshot.resources = self.resources;
        snapshot.gaps = self.gaps;
        snapshot
    }

    /// The types of which there is one, and which of their calls this answers. An answer that several calls give is told
    /// apart by the file's name; if that does not say, it is left out.
    fn singles(&self, path: &str, json: &serde_json::Value) -> Vec<(&'a TypePlan, usize)> {
        let Some(object) = json.as_object() else { return Vec::new() };
        let name = path.to_ascii_lowercase();
        let mut out = Vec::new();
        for kind in self.plan.types().iter().filter(|t| t.steps.is_empty()) {
            let fits = |g: &GetPlan| g.members.iter().any(|m| member_key(m).is_some_and(|k| object.contains_key(k)));
            let found: Vec<usize> = kind.gets.iter().enumerate().filter(|(_, g)| fits(g)).map(|(at, _)| at).collect();
            let named = |at: &&usize| kind.gets.get(**at).is_some_and(|g| name.contains(&kebab(&g.call)));
            let said: Vec<usize> = found.iter().filter(named).copied().collect();
            if let ([one], _) | (_, [one]) = (found.as_slice(), said.as_slice()) {
                out.push((&**kind, *one));
            }
        }
        out
    }

    /// The types whose listing this is: the file's name decides where several calls share the key.
    fn recognise(&self, path: &str, json: &serde_json::Value) -> Vec<&'a TypePlan> {
        let Some(object) = json.as_object() else { return Vec::new() };
        let mut by_call: BTreeMap<(&str, &str), Vec<&TypePlan>> = BTreeMap::new();
        for kind in self.plan.types() {
            let Some(step) = kind.last_call() else { continue };
            if first_key(&step.items).is_some_and(|key| object.contains_key(key)) {
                by_call.entry((&step.service, step.call.as_deref().unwrap_or_default())).or_default().push(kind);
            }
        }
        if by_call.len() > 1 {
            // `ecr-public` also holds `ecr`: of the services whose call the name says, the longest name counts.
            let name = path.to_ascii_lowercase();
            let said = by_call.iter().filter(|((_, call), _)| name.contains(&kebab(call)));
            let (with_service, without): (Vec<_>, Vec<_>) = said.partition(|((service, _), _)| name.contains(service));
            let best = with_service.into_iter().max_by_key(|((service, _), _)| service.len());
            return match (best, without.as_slice()) {
                (Some((_, kinds)), _) => kinds.clone(),
                (None, [(_, kinds)]) => (*kinds).clone(),
                _ => Vec::new(),
            };
        }
        by_call.into_values().next().unwrap_or_default()
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

/// The top-level key of the answer that a property comes from.
fn member_key(member: &Member) -> Option<&str> {
    match &member.value {
        Mapping::Expr(expr) | Mapping::Each { each: expr, .. } | Mapping::Object { from: Some(expr), .. } => first_key(expr),
        Mapping::Same(name) => Some(name),
        Mapping::Object { from: None, members } => members.iter().find_map(member_key),
        Mapping::Chain(_) | Mapping::Fixed(_) => None,
    }
}

fn first_key(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Path(_, segments) => match segments.first()? {
            Segment::Key(key) => Some(key),
            _ => None,
        },
        Expr::Pipe(inner, _) => first_key(inner),
        _ => None,
    }
}

/// `DescribeDBInstances` as the CLI names it: `describe-db-instances`.
fn kebab(call: &str) -> String {
    let mut out = String::new();
    let chars: Vec<char> = call.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|b| chars.get(b));
        let after_small = before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let before_small =
            before.is_some_and(|b| b.is_ascii_uppercase()) && chars.get(at + 1).is_some_and(char::is_ascii_lowercase);
        // The plural `s` of an abbreviation (`DBs`) is no word of its own.
        let plural = chars.get(at + 1) == Some(&'s') && chars.get(at + 2).is_none_or(|n| n.is_ascii_uppercase());
        if c.is_ascii_uppercase() && (after_small || (before_small && !plural)) {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Account and Region by the folders of a path.
#[derive(Default)]
struct Place {
    account: Option<AccountId>,
    region: Option<Region>,
}

impl Place {
    fn of(path: &str) -> Place {
        let parts = || path.split(['/', '_']).map(|p| p.trim_end_matches(".json"));
        let is_region = |text: &&str| {
            let mut pieces = text.split('-');
            pieces.clone().count() >= 3
                && pieces.next().is_some_and(|p| (2..=4).contains(&p.len()))
                && pieces.next_back().is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
        };
        Place {
            account: parts().find_map(|p| AccountId::new(p).ok()),
            region: parts().find(is_region).and_then(|p| Region::new(p).ok()),
        }
    }
}

impl Place {
    /// What templates can name.
    fn named(&self) -> Named {
        let partition = self.region.as_ref().map_or(Partition::Aws, Region::partition);
        let known = [
            Some(("partition", partition.name())),
            self.region.as_ref().map(|r| ("region", r.as_str())),
            self.account.as_ref().map(|a| ("account", a.as_str())),
        ];
        known.into_iter().flatten().map(|(k, v)| (k.to_owned(), Value::text(v))).collect()
    }
}

fn resources(kind: &TypePlan, answer: &Value, place: &Place) -> Vec<Resource> {
    let named = place.named();
    let mut out = Vec::new();
    for (item, named) in items(kind, answer, named) {
        let item = &item;
        let gets: Vec<_> = kind.gets.iter().map(|g| (g, &Answer::NotAsked)).collect();
        let Some(mut resource) = map_item(kind, item, &named, &gets) else { continue };
        let arn = model::Arn::new(&resource.id).ok();
        let of_arn = |text: Option<&str>| text.and_then(|t| AccountId::new(t).ok());
        resource.account = place.account.clone().or_else(|| of_arn(arn.as_ref().map(model::Arn::account)));
        resource.region = match kind.scope {
            CollectScope::Account => kind.region.as_ref().and_then(|e| Region::new(eval(e, &Scope::of(item)).as_str()?).ok()),
            CollectScope::Region => place.region.clone().or_else(|| Region::new(arn.as_ref()?.region()).ok()),
        };
        out.push(resource);
    }
    out
}

/// The CLI shows IAM's policies as objects already; other tools save them as text.
fn decode_policies(mut answer: Value) -> Value {
    crate::wire::decode_documents(&mut answer);
    answer
}

#[cfg(test)]
mod tests;
