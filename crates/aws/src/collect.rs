//! Collects a snapshot: every account, Region and service of a plan at once, under one set of limits.
//!
//! One denied, failing or unsupported call is a gap and never the end; a stopped collection keeps what it has.

mod account;
mod alike;
mod asked;
mod gaps;
mod plan;
mod unit;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::{AccountId, Gap, GapReason, Region, Resource, Snapshot, SourceKind, TypeName};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

pub use plan::Plan;

pub(crate) use gaps::{Gaps, Place as GapPlace};
pub(crate) use plan::{GetPlan, Group, Input, TypePlan};
pub(crate) use unit::{Answer, inputs, map_item, note};

use crate::client::Client;
use crate::error::AwsError;
use crate::settings::Config;

pub(crate) use account::connect;

/// How many (account, Region, group of types) are collected at once. Requests have a limit of their own.
const UNITS_AT_ONCE: usize = 64;

/// One piece of a collection: what one first call leads to, in one Region of one account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unit {
    /// The account.
    pub account: AccountId,
    /// The Region; none for what belongs to the account as a whole.
    pub region: Option<Region>,
    /// The first call, `ec2:DescribeInstances`, or the type for what is not listed.
    pub group: String,
}

/// How far a collection is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Requests sent.
    pub calls: u64,
    /// Accounts of which everything was asked.
    pub accounts_done: usize,
    /// Accounts in all.
    pub accounts: usize,
    /// Units collected.
    pub done: usize,
    /// Units in all, as far as is known.
    pub units: usize,
    /// Resources found.
    pub resources: usize,
    /// Gaps met.
    pub gaps: usize,
    /// The unit that ended last, `123456789012 eu-west-1 ec2:DescribeInstances`.
    pub last: String,
}

/// What a collection gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Collected {
    /// The resources and gaps.
    pub snapshot: Snapshot,
    /// The units that were collected to their end, and without a failure that another time need not come; handed to another
    /// collection, it leaves them out.
    pub done: BTreeSet<Unit>,
    /// True if it was stopped before all were.
    pub stopped: bool,
    /// Requests sent.
    pub calls: u64,
}

/// Who is told of a collection while it runs. Both are called from the thread that called [`collect`].
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Told how far it is, after every unit.
    pub progress: &'a dyn Fn(&Progress),
    /// Given what there is so far, as a collection that was stopped now would give it. How often depends on how long it takes:
    /// at most every second, and at most a twentieth of the time.
    pub keep: Option<&'a dyn Fn(&Collected)>,
}

/// Collects a live account (or an organisation). `earlier` is what a stopped collection gave: its units are kept and not asked
/// again. Blocks.
pub fn collect(plan: &Plan, config: &Config, earlier: Option<Collected>, watch: Watch<'_>) -> Result<Collected, AwsError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| AwsError::config(format!("no threads to work with: {e}"), "close other programs"))?;
    runtime.block_on(run(plan, config, earlier.unwrap_or_default(), watch))
}

async fn run(plan: &Plan, config: &Config, earlier: Collected, watch: Watch<'_>) -> Result<Collected, AwsError> {
    let mut gaps = Gaps::default();
    let found = account::find(config, &mut gaps).await?;
    let mut out = Output { done: earlier.done, ..Output::default() };
    let mut todo = Vec::new();
    for account in &found.accounts {
        for group in plan.groups() {
            for region in account.regions_for(group) {
                let unit = Unit { account: account.id.clone(), region: region.clone(), group: group.key.clone() };
                if !out.done.contains(&unit) {
                    todo.push((unit, Arc::clone(group), account));
                }
            }
        }
    }
    // What was not ended then is asked again now, and what it gave then counts no longer.
    let again: BTreeSet<(&AccountId, Option<&Region>, TypeName)> =
        todo.iter().flat_map(|(u, g, _)| g.root.type_names().into_iter().map(|t| (&u.account, u.region.as_ref(), t))).collect();
    let kept = |account: Option<&AccountId>, region: Option<&Region>, kind: Option<&TypeName>| match (account, kind) {
        (Some(account), Some(kind)) => {
            !again.contains(&(account, region, kind.clone())) && !again.contains(&(account, None, kind.clone()))
        }
        _ => false,
    };
    let Snapshot { resources, gaps: open, .. } = earlier.snapshot;
    out.resources.extend(resources.into_iter().filter(|r| kept(r.account.as_ref(), r.region.as_ref(), Some(&r.type_name))));
    out.gaps.extend(open.into_iter().filter(|g| kept(g.account.as_ref(), g.region.as_ref(), g.type_name.as_ref())));
    let mut left: BTreeMap<AccountId, usize> = BTreeMap::new();
    for (unit, _, _) in &todo {
        *left.entry(unit.account.clone()).or_default() += 1;
    }
    let mut state = Progress { units: todo.len(), accounts: found.accounts.len(), ..Progress::default() };
    let at_once = Arc::new(Semaphore::new(UNITS_AT_ONCE));
    let asked = Arc::new(asked::Asked::new(plan));
    let mut tasks = JoinSet::new();
    let mut open: BTreeMap<Unit, Arc<Group>> = BTreeMap::new();
    for (unit, group, account) in todo {
        open.insert(unit.clone(), Arc::clone(&group));
        let (account, at_once, limits) = (account.clone(), Arc::clone(&at_once), config.limits.clone());
        let asked = Arc::clone(&asked);
        tasks.spawn(async move {
            let _permit = at_once.acquire_owned().await;
            let given = unit::collect(&unit, &group, &account, &asked, &limits).await;
            (unit, group, given)
        });
    }
    let name = found.accounts.first().map_or("", |a| a.id.as_str());
    let mut keeping = Keeping::new(watch.keep);
    loop {
        let ended = match tokio::time::timeout(keeping.wait(), tasks.join_next()).await {
            Ok(Some(ended)) => ended,
            Ok(None) => break,
            Err(_) => {
                keeping.keep(&mut out, &open, name, found.shared.calls());
                continue;
            }
        };
        let Ok((unit, group, given)) = ended else { continue };
        open.remove(&unit);
        state.done += 1;
        if let Some(left) = left.get_mut(&unit.account) {
            *left = left.saturating_sub(1);
            state.accounts_done += usize::from(*left == 0);
        }
        state.calls = found.shared.calls();
        state.resources += given.resources.len();
        state.gaps += given.gaps.len();
        state.last = format!("{} {} {}", unit.account, unit.region.as_ref().map_or("global", Region::as_str), unit.group);
        (watch.progress)(&state);
        out.add(unit, &group, given);
        keeping.changed = true;
        if keeping.wait().is_zero() && !open.is_empty() {
            keeping.keep(&mut out, &open, name, found.shared.calls());
        }
    }
    out.gaps.extend(gaps.finish());
    Ok(out.finish(name, found.shared.calls()))
}

/// The gap of a unit that was stopped.
const STOPPED: &str = "the collection was stopped";

/// The least time between two keepings, and how many times as long as the last took.
const KEEP_EVERY_MIN: Duration = Duration::from_secs(1);
const KEEP_PAUSE_FACTOR: u32 = 19;

/// Hands over what there is so far, not too often.
struct Keeping<'a> {
    keep: Option<&'a dyn Fn(&Collected)>,
    /// When it may be next.
    due: Instant,
    /// True if there is something that was not handed over yet.
    changed: bool,
}

impl<'a> Keeping<'a> {
    fn new(keep: Option<&'a dyn Fn(&Collected)>) -> Keeping<'a> {
        Keeping { keep, due: Instant::now() + KEEP_EVERY_MIN, changed: false }
    }

    /// How long until it is due; long if there is nothing to hand over, or nobody to take it.
    fn wait(&self) -> Duration {
        match self.keep.is_some() && self.changed {
            true => self.due.saturating_duration_since(Instant::now()),
            false => Duration::from_secs(3600),
        }
    }

    fn keep(&mut self, out: &mut Output, open: &BTreeMap<Unit, Arc<Group>>, name: &str, calls: u64) {
        let Some(keep) = self.keep.filter(|_| self.changed) else { return };
        let start = Instant::now();
        out.lend(open, name, calls, keep);
        self.changed = false;
        self.due = Instant::now() + (start.elapsed() * KEEP_PAUSE_FACTOR).max(KEEP_EVERY_MIN);
    }
}

#[derive(Default)]
struct Output {
    resources: Vec<Resource>,
    gaps: Vec<Gap>,
    done: BTreeSet<Unit>,
    stopped: bool,
}

impl Output {
    fn add(&mut self, unit: Unit, group: &Group, given: unit::Given) {
        if given.stopped {
            self.stopped = true;
            self.gaps.extend(stopped(&unit, group));
            return;
        }
        self.resources.extend(given.resources);
        self.gaps.extend(given.gaps);
        if !given.again {
            self.done.insert(unit);
        }
    }

    /// Shows what there is as a collection that is stopped now, without copying the resources.
    fn lend(&mut self, open: &BTreeMap<Unit, Arc<Group>>, name: &str, calls: u64, to: &dyn Fn(&Collected)) {
        let mut snapshot = Snapshot::default();
        snapshot.add_scope(name, SourceKind::Live);
        let ended = self.gaps.len();
        self.gaps.extend(open.iter().flat_map(|(unit, group)| stopped(unit, group)));
        snapshot.resources = std::mem::take(&mut self.resources);
        snapshot.gaps = std::mem::take(&mut self.gaps);
        let collected = Collected { snapshot, done: std::mem::take(&mut self.done), stopped: true, calls };
        to(&collected);
        let Collected { snapshot, done, .. } = collected;
        (self.resources, self.gaps, self.done) = (snapshot.resources, snapshot.gaps, done);
        self.gaps.truncate(ended);
    }

    /// In an order that does not depend on which call ended first.
    fn finish(mut self, name: &str, calls: u64) -> Collected {
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope(name, SourceKind::Live);
        self.resources.sort_by(|a, b| key(a).cmp(&key(b)));
        self.resources.dedup();
        tell_apart(&mut self.resources);
        for resource in &mut self.resources {
            resource.scope = scope;
        }
        self.gaps.sort();
        self.gaps.dedup();
        snapshot.resources = self.resources;
        snapshot.gaps = self.gaps;
        Collected { snapshot, done: self.done, stopped: self.stopped, calls }
    }
}

/// The gaps of a unit that was stopped.
fn stopped(unit: &Unit, group: &Group) -> Vec<Gap> {
    let one = |kind: TypeName| {
        let mut gap = Gap::new(STOPPED, GapReason::NotCollected, format!("before `{}` ended", unit.group));
        gap = gap.help("run it again with `--resume`");
        gap.account = Some(unit.account.clone());
        gap.region = unit.region.clone();
        gap.type_name = Some(kind);
        gap
    };
    group.root.type_names().into_iter().map(one).collect()
}

/// Gives each of several resources of one id a number: an id names one resource.
fn tell_apart(resources: &mut [Resource]) {
    let mut count = 1;
    for at in 1..resources.len() {
        let (before, rest) = resources.split_at_mut(at);
        let (Some(first), Some(this)) = (before.get(at - count), rest.first_mut()) else { continue };
        if key(first) == key(this) {
            count += 1;
            this.id = format!("{}#{count}", this.id).into();
        } else {
            count = 1;
        }
    }
}

fn key(r: &Resource) -> (&Option<AccountId>, &model::TypeName, &Option<Region>, &str) {
    (&r.account, &r.type_name, &r.region, &r.id)
}

/// An account to collect.
pub(crate) type AccountClient = Arc<Client>;

#[cfg(test)]
mod tests;
