//! The search for a request that one set of policies allows and another does not.
//!
//! Some statement of the candidate has to allow the request, so each is looked at by itself: the candidate's other allowances
//! can be left out, its own conditions are chosen first, and a branch in which it does not hold is given up.

use model::{Text, Truth};
use rustc_hash::FxHashSet;

use super::callers::{self, DERIVED};
use super::values;
use super::witness::{Budget, Capped};
use crate::arn::{ArnPattern, Parts};
use crate::document::{Clause, Effect, Policy, Statement};
use crate::evaluate::{Asked, Kind, layer, principals_grant};
use crate::glob::Matcher;
use crate::operator::Operand;
use crate::request::{Caller, Context, Entry, Mode, Request};

/// The end of the ARN in a request on a resource that no statement names.
pub(crate) const MADE_UP: &str = ":::other";

/// Most partial requests that one search looks at.
pub const NODES_MAX: usize = 400_000;

/// Most statements that one search judges, for all partial requests together. It bounds the time: a policy of dozens of
/// statements takes as long for a tenth of the partial requests.
pub const JUDGED_MAX: usize = 300_000;

/// Most requests found that turn out to be undecided before the search stops.
pub const UNDECIDED_MAX: usize = 64;

/// What to look for: a request that every one of `candidate` together allows and `reference` does not.
pub(crate) struct Goal<'a> {
    pub(crate) candidate: &'a [&'a Policy],
    pub(crate) reference: &'a [&'a Policy],
    pub(crate) kind: Kind,
    /// Callers to consider.
    pub(crate) caller: &'a dyn Fn(&Caller) -> bool,
    /// Entries of a (lower-case) key to consider.
    pub(crate) entry: &'a dyn Fn(&str, &Entry) -> bool,
    /// Actions to consider, lower case: service and name.
    pub(crate) action: &'a dyn Fn(&str, &str) -> bool,
    /// Policy variables stand for anything: what is found is then only possible, what is not found is impossible.
    pub(crate) open: bool,
}

/// What a search ends with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// A request that was replayed.
    pub(crate) request: Option<Request>,
    /// Why the answer is not certain; empty if it is.
    pub(crate) reasons: Vec<String>,
}

#[derive(Clone, Copy)]
struct Entrant<'a> {
    statement: &'a Statement,
    helps: bool,
    candidate: bool,
}

struct Walk<'a> {
    goal: &'a Goal<'a>,
    nodes: usize,
    judged: usize,
    budget: Budget,
    reasons: Vec<String>,
    undecided: usize,
}

#[derive(Clone)]
struct Chosen {
    service: String,
    name: String,
    caller: Option<Caller>,
    resource: Option<String>,
    context: Context,
    keys: Vec<Box<str>>,
}

enum Stop {
    Found(Box<Request>),
    Capped,
}

impl From<Capped> for Stop {
    fn from(_: Capped) -> Stop {
        Stop::Capped
    }
}

pub(crate) fn search(goal: &Goal<'_>) -> Found {
    let mut walk = Walk { goal, nodes: 0, judged: 0, budget: Budget::default(), reasons: Vec::new(), undecided: 0 };
    let result = walk.actions();
    let mut found = Found { request: None, reasons: walk.reasons };
    match result {
        Ok(()) => {}
        Err(Stop::Found(request)) => {
            found.request = Some(*request);
            found.reasons.clear();
        }
        Err(Stop::Capped) => found.reasons.push("a limit of the symbolic search was reached".to_owned()),
    }
    found.reasons.sort_unstable();
    found.reasons.dedup();
    found
}

impl<'a> Walk<'a> {
    /// Chooses the action: one for each set of statements that an action can select.
    fn actions(&mut self) -> Result<(), Stop> {
        let goal = self.goal;
        let mut entrants: Vec<Entrant<'a>> = Vec::new();
        for (policies, candidate) in [(goal.candidate, true), (goal.reference, false)] {
            for policy in policies {
                if let Some(why) = &policy.unreadable {
                    self.reasons.push(why.to_string());
                }
                let nobodys = |s: &&Statement| goal.kind == Kind::Resource && s.principal.is_none();
                entrants.extend(policy.statements.iter().filter(|s| !nobodys(s)).map(|statement| {
                    let helps = (statement.effect == Effect::Allow) == candidate;
                    Entrant { statement, helps, candidate }
                }));
            }
        }
        let mut owners: Vec<usize> = Vec::new();
        let mut patterns: Vec<[Matcher; 2]> = Vec::new();
        for (i, entrant) in entrants.iter().enumerate() {
            for pattern in &entrant.statement.actions.patterns {
                owners.push(i);
                patterns.push([pattern.service.clone(), pattern.name.clone()]);
            }
        }
        let refs: Vec<&[Matcher]> = patterns.iter().map(|p| p.as_slice()).collect();
        let nothing = Context::new(Mode::Discovery).apart();
        let mut seen: FxHashSet<(usize, Vec<bool>)> = FxHashSet::default();
        for (text, alive) in super::fields(&refs, &["other", "other"], &nothing, &self.budget)? {
            let [service, name] = text.as_slice() else { continue };
            if !(goal.action)(service, name) {
                continue;
            }
            let mut selected = vec![false; entrants.len()];
            let mut holes = vec![false; entrants.len()];
            for at in alive {
                let owner = owners.get(at as usize).copied().unwrap_or(usize::MAX);
                let hole = patterns.get(at as usize).is_some_and(|p| p.iter().any(Matcher::has_hole));
                if let Some(slot) = if hole { holes.get_mut(owner) } else { selected.get_mut(owner) } {
                    *slot = true;
                }
            }
            for ((slot, hole), entrant) in selected.iter_mut().zip(holes).zip(&entrants) {
                let statement = entrant.statement;
                *slot ^= statement.actions.negated;
                if hole || *slot && (statement.unreadable.is_some() || statement.effect_unreadable) {
                    *slot = entrant.helps || statement.effect_unreadable && entrant.candidate;
                }
            }
            let allowing =
                |e: &Entrant<'_>| e.candidate && (e.statement.effect == Effect::Allow || e.statement.effect_unreadable);
            for (focus, _) in entrants.iter().zip(&selected).enumerate().filter(|(_, (e, s))| **s && allowing(e)) {
                let mut selected = selected.clone();
                for (i, (slot, entrant)) in selected.iter_mut().zip(&entrants).enumerate() {
                    let other = i != focus && allowing(entrant) && !entrant.statement.effect_unreadable;
                    *slot &= !other;
                }
                if !seen.insert((focus, selected.clone())) {
                    continue;
                }
                let order = |(i, e): (usize, &Entrant<'a>)| (i != focus, e.candidate, e.statement.effect == Effect::Deny, i);
                let mut alive: Vec<(usize, Entrant<'a>)> =
                    entrants.iter().copied().enumerate().zip(&selected).filter(|(_, s)| **s).map(|(e, _)| e).collect();
                alive.sort_by_key(|(i, e)| order((*i, e)));
                let chosen = Chosen {
                    service: service.clone(),
                    name: name.clone(),
                    caller: None,
                    resource: None,
                    context: Context::new(Mode::Discovery).apart(),
                    keys: Vec::new(),
                };
                self.next(chosen, alive.into_iter().map(|(_, e)| e).collect())?;
            }
        }
        Ok(())
    }

    /// Whether a statement has nothing left that a later choice could change.
    fn settled(&self, entrant: &Entrant<'_>, chosen: &Chosen) -> bool {
        let statement = entrant.statement;
        let principal = self.goal.kind.attached() || statement.principal.is_none() || chosen.caller.is_some();
        let resource = statement.resources.is_none() || chosen.resource.is_some();
        principal && resource && statement.conditions.iter().all(|c| is_chosen(chosen, &c.key))
    }

    fn next(&mut self, chosen: Chosen, alive: Vec<Entrant<'a>>) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes > NODES_MAX || self.judged > JUDGED_MAX || self.undecided > UNDECIDED_MAX {
            return Err(Stop::Capped);
        }
        let of = |candidate: bool, effect: Effect| {
            alive
                .iter()
                .filter(move |e| e.candidate == candidate && (e.statement.effect == effect || e.statement.effect_unreadable))
        };
        let settled = |e: &&Entrant<'a>| self.settled(e, &chosen);
        if of(true, Effect::Allow).next().is_none()
            || of(true, Effect::Deny).any(|e| settled(&e) && !e.statement.effect_unreadable)
            || of(false, Effect::Allow).any(|e| settled(&e)) && of(false, Effect::Deny).next().is_none()
        {
            return Ok(());
        }
        if alive.iter().all(|e| self.settled(e, &chosen)) {
            return self.replay(chosen);
        }
        let statements: Vec<&Statement> = alive.iter().map(|e| e.statement).collect();
        if chosen.caller.is_none() && self.wants_caller(&statements) {
            return self.choose_caller(chosen, alive);
        }
        if !self.goal.open
            && let Some(key) = variable_key(&statements, &chosen)
        {
            return self.choose_key(key, chosen, alive);
        }
        if chosen.resource.is_none() && statements.iter().any(|s| s.resources.is_some()) {
            return self.choose_resource(chosen, alive);
        }
        let key = statements.iter().flat_map(|s| &s.conditions).map(|c| &c.key).find(|k| !is_chosen(&chosen, k));
        match key {
            Some(key) => self.choose_key(key.clone(), chosen, alive),
            None => self.replay(chosen),
        }
    }

    fn wants_caller(&self, statements: &[&Statement]) -> bool {
        !self.goal.kind.attached() && statements.iter().any(|s| s.principal.is_some())
            || statements.iter().any(|s| {
                s.conditions.iter().any(|c| DERIVED.contains(&&*c.key))
                    || variables(s).iter().any(|v| DERIVED.contains(&v.as_str()))
            })
    }

    fn choose_caller(&mut self, chosen: Chosen, alive: Vec<Entrant<'a>>) -> Result<(), Stop> {
        let statements: Vec<&Statement> = alive.iter().map(|e| e.statement).collect();
        let mut seen: FxHashSet<(bool, Vec<(bool, Truth)>)> = FxHashSet::default();
        for caller in callers::callers(&statements, &chosen.context, &self.budget)? {
            let attached = self.goal.kind.attached();
            if !(self.goal.caller)(&caller) || attached && caller.identity().is_none() {
                continue;
            }
            let mut next = chosen.clone();
            let derived = Request::new(caller.clone(), "a:b", "", None, Context::new(Mode::Strict));
            for key in DERIVED {
                next.context.set(key, derived.context.get(key).clone());
                next.keys.push((*key).into());
            }
            let nobody = caller.identity().is_none();
            if nobody {
                next.context.set("aws:principalorgid", Entry::Absent);
                next.keys.push("aws:principalorgid".into());
            }
            next.caller = Some(caller);
            let judged = self.judge(&alive, &next)?;
            let rest = keep(&alive, &judged);
            if has_templates(&statements) || seen.insert((nobody, judged)) {
                self.next(next, rest)?;
            }
        }
        Ok(())
    }

    fn choose_resource(&mut self, chosen: Chosen, alive: Vec<Entrant<'a>>) -> Result<(), Stop> {
        let patterns: Vec<&ArnPattern> =
            alive.iter().filter_map(|e| e.statement.resources.as_ref()).flat_map(|r| r.patterns.iter().map(|(p, _)| p)).collect();
        let service = chosen.service.clone();
        let prefer = ["arn", "aws", service.as_str(), "", "", "other"];
        let mut seen: FxHashSet<Vec<(bool, Truth)>> = FxHashSet::default();
        for resource in super::arns(&patterns, self.goal.kind.short(), &prefer, &chosen.context, &self.budget)? {
            let mut next = chosen.clone();
            let account = Parts::new(&resource).field(4);
            if crate::unknown_name::is_account(account) {
                next.context.set_text("aws:resourceaccount", account);
                next.keys.push("aws:resourceaccount".into());
            }
            next.resource = Some(resource);
            let judged = self.judge(&alive, &next)?;
            let rest = keep(&alive, &judged);
            if seen.insert(judged) {
                self.next(next, rest)?;
            }
        }
        Ok(())
    }

    fn choose_key(&mut self, key: Box<str>, chosen: Chosen, alive: Vec<Entrant<'a>>) -> Result<(), Stop> {
        let clauses: Vec<&Clause> = alive.iter().flat_map(|e| &e.statement.conditions).filter(|c| c.key == key).collect();
        let mut entries = values::entries(&clauses, &chosen.context, &self.budget)?;
        if !entries.exact {
            self.reasons.push(format!("`{key}` is compared in ways that are not combined exactly"));
        }
        let statements: Vec<&Statement> = alive.iter().map(|e| e.statement).collect();
        let templated = statements.iter().any(|s| variables(s).iter().any(|v| v.as_str() == &*key));
        if templated {
            for value in tempting_values(&statements, &key) {
                let entry = Entry::Values([value].into_iter().collect());
                if !entries.entries.contains(&entry) {
                    entries.entries.push(entry);
                }
            }
        }
        let mut seen: FxHashSet<Vec<(bool, Truth)>> = FxHashSet::default();
        for entry in entries.entries {
            if !(self.goal.entry)(&key, &entry) {
                continue;
            }
            let mut next = chosen.clone();
            next.context.set(&key, entry);
            next.keys.push(key.clone());
            let judged = self.judge(&alive, &next)?;
            let rest = keep(&alive, &judged);
            if templated || seen.insert(judged) {
                self.next(next, rest)?;
            }
        }
        Ok(())
    }

    /// Judges each statement by what is chosen so far.
    fn judge(&mut self, alive: &[Entrant<'a>], chosen: &Chosen) -> Result<Vec<(bool, Truth)>, Stop> {
        self.judged += alive.len();
        if self.judged > JUDGED_MAX {
            return Err(Stop::Capped);
        }
        Ok(alive.iter().map(|e| (e.helps, self.so_far(e.statement, chosen))).collect())
    }

    /// Whether a statement still applies, as far as it is decided; what is open counts as true, what nobody can know as
    /// unknown.
    fn so_far(&self, statement: &Statement, chosen: &Chosen) -> Truth {
        let mut truth = Truth::True;
        if let (Some(principals), Some(caller)) = (&statement.principal, &chosen.caller)
            && !self.goal.kind.attached()
        {
            truth = truth.and(principals_grant(principals, caller, Mode::Strict).any());
        }
        if let (Some(resources), Some(resource)) = (&statement.resources, &chosen.resource) {
            let (arn, short) = (Parts::new(resource), self.goal.kind.short());
            let any = resources.patterns.iter().fold(Truth::False, |any, (p, _)| any.or(p.matches(&arn, short, &chosen.context)));
            truth = truth.and(if resources.negated { !any } else { any });
        }
        for clause in &statement.conditions {
            if is_chosen(chosen, &clause.key) {
                truth = truth.and(clause.holds(&chosen.context));
            }
        }
        truth
    }

    /// Builds the whole request and asks the ordinary evaluation.
    fn replay(&mut self, chosen: Chosen) -> Result<(), Stop> {
        let default = format!("arn:aws:iam::{}:user/other", callers::STRANGE_ACCOUNT);
        let caller = chosen.caller.unwrap_or_else(|| Caller::parse(&default));
        let mut context = Context::new(if self.goal.open { Mode::Discovery } else { Mode::Strict }).apart();
        for key in &chosen.keys {
            context.set(key, chosen.context.get(key).clone());
        }
        let resource = chosen.resource.unwrap_or_else(|| format!("arn:aws:{}{MADE_UP}", chosen.service));
        let action = format!("{}:{}", chosen.service, chosen.name);
        let account = match context.get("aws:resourceaccount") {
            Entry::Values(values) | Entry::Many(values) => values.first().cloned(),
            _ => None,
        };
        let request = Request::new(caller, &action, &resource, account.as_deref(), context);
        let asked = Asked::new(&request);
        let allowed = |policies: &[&Policy]| -> Truth {
            let (mut allow, mut deny) = (Truth::False, Truth::False);
            for policy in policies {
                let layer = layer(&asked, policy, self.goal.kind);
                allow = allow.or(layer.allow.any());
                deny = deny.or(layer.deny);
            }
            allow.and(!deny)
        };
        match allowed(self.goal.candidate).and(!allowed(self.goal.reference)) {
            Truth::True => return Err(Stop::Found(Box::new(request))),
            Truth::Unknown => {
                self.undecided += 1;
                self.reasons.push(undecided_because(self.goal));
            }
            Truth::False => {}
        }
        Ok(())
    }
}

fn undecided_because(goal: &Goal<'_>) -> String {
    let statements = goal.candidate.iter().chain(goal.reference).flat_map(|p| &p.statements);
    match statements.filter_map(|s| s.unreadable.as_ref()).next() {
        Some(why) => why.to_string(),
        None => "a part of a policy is not known".to_owned(),
    }
}

/// The statements that still count. What nobody can know counts if it helps towards the goal.
fn keep<'a>(alive: &[Entrant<'a>], judged: &[(bool, Truth)]) -> Vec<Entrant<'a>> {
    alive
        .iter()
        .zip(judged)
        .filter(|(_, (helps, truth))| *truth == Truth::True || *truth == Truth::Unknown && *helps)
        .map(|(e, _)| *e)
        .collect()
}

fn is_chosen(chosen: &Chosen, key: &str) -> bool {
    chosen.keys.iter().any(|k| **k == *key)
}

/// The policy variables in a statement, lower case.
pub(crate) fn variables(statement: &Statement) -> Vec<String> {
    let in_arn = |p: &ArnPattern| -> Vec<String> { p.matchers().iter().flat_map(|m| m.variables()).map(str::to_owned).collect() };
    let mut all: Vec<String> = statement.resources.iter().flat_map(|r| &r.patterns).flat_map(|(p, _)| in_arn(p)).collect();
    for operand in statement.conditions.iter().flat_map(|c| &c.operands) {
        match operand {
            Operand::Text(matcher) | Operand::BoolText(matcher) => all.extend(matcher.variables().map(str::to_owned)),
            Operand::Arn(pattern) => all.extend(in_arn(pattern)),
            _ => {}
        }
    }
    all
}

fn has_templates(statements: &[&Statement]) -> bool {
    statements.iter().any(|s| !variables(s).is_empty())
}

fn variable_key(statements: &[&Statement], chosen: &Chosen) -> Option<Box<str>> {
    statements.iter().flat_map(|s| variables(s)).find(|v| !is_chosen(chosen, v)).map(String::into_boxed_str)
}

/// Values of a variable that could turn its pattern into one of the others: what stands in other patterns at its place.
fn tempting_values(statements: &[&Statement], key: &str) -> Vec<Text> {
    let texts: Vec<&Text> = statements
        .iter()
        .flat_map(|s| {
            let resources = s.resources.iter().flat_map(|r| r.patterns.iter().map(|(_, t)| t));
            resources.chain(s.conditions.iter().flat_map(|c| &c.texts))
        })
        .collect();
    let mut all: Vec<Text> = vec![format!("the-{}", key.rsplit(['/', ':']).next().unwrap_or("value")).into()];
    for template in &texts {
        let lower = template.to_ascii_lowercase();
        let Some((before, after)) = lower.split_once(&format!("${{{key}")) else { continue };
        let close = after.chars().skip_while(|c| *c != '}').nth(1);
        for other in &texts {
            let Some(rest) =
                other.get(..before.len()).filter(|h| h.to_ascii_lowercase() == before).and_then(|_| other.get(before.len()..))
            else {
                continue;
            };
            let value: String = rest.chars().take_while(|c| Some(*c) != close && !matches!(c, '*' | '?' | '$')).collect();
            if !value.is_empty() && !all.iter().any(|v| **v == *value) {
                all.push(value.into());
            }
        }
    }
    all
}
