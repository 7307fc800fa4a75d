//! The scan: every check over every resource of its type, scope by scope.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use catalogue::{Catalogue, Check, Compiled};
use jiff::Timestamp;
use model::{
    CheckId, Finding, Gap, GapReason, Layer, Outcome, Resource, ResourceIndex, ScopeIndex, Snapshot, Text, TypeName, Verdict,
};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::accept::suppression;
use crate::config::Config;
use crate::environment::Surroundings;
use crate::facts::Facts;
use crate::judge::{Judgement, judge, passed};
use crate::tally::{self, Counting, Tally};
use crate::{coverage, line, worlds};

/// Judges every resource. `now` is the time that ages are counted to and exceptions expire at.
pub fn scan(snapshot: &Snapshot, catalogue: &Catalogue, config: &Config, now: Timestamp) -> Outcome {
    let scan = Scan::new(catalogue, config, now);
    let judged = scan.judge(snapshot);
    scan.outcome(vec![judged])
}

/// A scan of several snapshots, each of which can be forgotten once it is judged.
pub struct Scan<'a> {
    catalogue: &'a Catalogue,
    config: &'a Config,
    now: Timestamp,
    selected: BTreeSet<CheckId>,
    programs: Programs<'a>,
    /// What is wrong with the catalogue.
    gaps: Vec<Gap>,
}

/// What one snapshot came to.
pub struct Judged {
    findings: Vec<Finding>,
    gaps: Vec<Gap>,
    tally: Tally,
}

impl<'a> Scan<'a> {
    /// Compiles the checks that `config` selects. `now` is the time that ages are counted to and exceptions expire at.
    pub fn new(catalogue: &'a Catalogue, config: &'a Config, now: Timestamp) -> Scan<'a> {
        let selected = config.filter.select(catalogue);
        let mut gaps = Vec::new();
        let programs = compile(catalogue, &selected, &mut gaps);
        Scan { catalogue, config, now, selected, programs, gaps }
    }

    /// True for code that nothing else that is read can bear on, so that it may be judged by itself: neither its account is
    /// known, to which an organisation's policies would apply, nor does it hold such policies.
    pub fn stands_alone(&self, snapshot: &Snapshot) -> bool {
        let placed = |r: &Resource| r.account.is_some() || r.type_name.as_str().starts_with("AWS::Organizations::");
        snapshot.scopes.iter().all(|s| s.kind.is_code()) && !snapshot.resources.iter().any(placed)
    }

    /// Judges every resource of a snapshot.
    pub fn judge(&self, snapshot: &Snapshot) -> Judged {
        let facts = Facts::new(snapshot);
        let job = Job { facts: &facts, snapshot, scan: self };
        let mut findings = Vec::new();
        let mut counting = Counting::new(snapshot);
        let groups: Vec<Group> = groups(snapshot).into_values().collect();
        for some in groups.chunks(GROUPS_OF_A_THREAD * rayon::current_num_threads()) {
            let judged: Vec<Verdicts> = some.par_iter().map(|group| job.group(group)).collect();
            for of_group in judged {
                counting.add(&of_group.findings);
                counting.add_passes(&of_group.passes);
                findings.extend(of_group.findings.into_iter().filter(|f| self.config.passes || f.verdict != Verdict::Pass));
            }
        }
        Judged { findings, gaps: snapshot.gaps.clone(), tally: counting.done() }
    }

    /// What all snapshots came to.
    pub fn outcome(self, parts: Vec<Judged>) -> Outcome {
        let mut findings = Vec::with_capacity(parts.iter().map(|p| p.findings.len()).sum());
        let mut gaps = self.gaps;
        let mut tallies = Vec::with_capacity(parts.len());
        for part in parts {
            findings.extend(part.findings);
            gaps.extend(part.gaps);
            tallies.push(part.tally);
        }
        sort(&mut findings);
        gaps.sort();
        gaps.dedup();
        let tally = tally::join(tallies);
        let coverage = coverage::rows(&tally, self.catalogue, &self.selected);
        let line = line::draw(tally, self.catalogue, &self.selected);
        Outcome { findings, gaps, coverage, line }
    }
}

/// The checks of each type.
type Programs<'a> = FxHashMap<&'a TypeName, Vec<(&'a Check, &'a Compiled)>>;

/// The selected checks with their expressions. A check of a user's catalogue that does not compile is a gap.
fn compile<'a>(catalogue: &'a Catalogue, selected: &BTreeSet<CheckId>, gaps: &mut Vec<Gap>) -> Programs<'a> {
    let mut programs = Programs::default();
    for check in catalogue.checks().filter(|c| selected.contains(&c.id)) {
        match catalogue.compiled(check) {
            Ok(compiled) => {
                programs.entry(&check.type_name).or_default().push((check, compiled));
            }
            Err(problems) => {
                let detail = problems.iter().map(|p| format!("{}: {}", p.key, p.message)).collect::<Vec<_>>().join("; ");
                let gap = Gap::new(format!("check `{}`", check.id), GapReason::Malformed, detail);
                gaps.push(gap.help("palisade catalogue check DIR shows where"));
            }
        }
    }
    programs
}

/// How many groups each thread judges before their passes are counted and forgotten.
const GROUPS_OF_A_THREAD: usize = 4;

/// The members of each scope of one template, which the scopes are worlds of.
type Group = BTreeMap<ScopeIndex, Vec<ResourceIndex>>;

fn groups(snapshot: &Snapshot) -> BTreeMap<ScopeIndex, Group> {
    let mut groups: BTreeMap<ScopeIndex, Group> = BTreeMap::new();
    // A world may hold no resources at all, and is still one in which nothing fails.
    for (at, scope) in snapshot.scopes.iter().enumerate() {
        groups.entry(scope.group).or_default().entry(ScopeIndex(at as u32)).or_default();
    }
    for (index, resource) in snapshot.iter() {
        let group = snapshot.scope(resource.scope).map_or(resource.scope, |s| s.group);
        groups.entry(group).or_default().entry(resource.scope).or_default().push(index);
    }
    groups
}

struct Job<'a> {
    facts: &'a Facts<'a>,
    snapshot: &'a Snapshot,
    scan: &'a Scan<'a>,
}

/// What the checks say of the members of a group.
#[derive(Default)]
struct Verdicts {
    findings: Vec<Finding>,
    /// Passes that nobody asked to see.
    passes: Vec<(ResourceIndex, Layer)>,
}

impl Job<'_> {
    fn group(&self, group: &Group) -> Verdicts {
        if let (1, Some((scope, members))) = (group.len(), group.first_key_value()) {
            return self.scope(*scope, members, true);
        }
        let judged = group.iter().map(|(scope, members)| (*scope, self.scope(*scope, members, false).findings)).collect();
        Verdicts { findings: worlds::merge(self.snapshot, judged), passes: Vec::new() }
    }

    /// The verdicts on one scope. Where it is not the only world of its template, passes are findings too, to be compared.
    fn scope(&self, scope: ScopeIndex, members: &[ResourceIndex], only: bool) -> Verdicts {
        let Scan { catalogue, config, now, programs, .. } = self.scan;
        let surroundings = Surroundings::new(self.facts, catalogue, scope, members);
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let mut verdicts = Verdicts::default();
        for index in members {
            let Some(resource) = self.snapshot.resource(*index) else { continue };
            let Some(programs) = programs.get(&resource.type_name) else { continue };
            let Some(kind) = catalogue.kind(&resource.type_name) else { continue };
            for (check, compiled) in programs {
                let place = surroundings.place(*index, resource, kind, check, config, *now);
                // A filter by severity takes in what a check gives in its milder case, and must not count the rest.
                let counts = |severity| check.file.lower.is_none() || config.filter.grave_enough(severity);
                let mut finding = match judge(check, compiled, &place, config) {
                    None => continue,
                    Some(Judgement::Passed) if only => {
                        verdicts.passes.extend(counts(check.file.severity).then_some((*index, check.file.layer)));
                        continue;
                    }
                    Some(Judgement::Passed) => passed(check, &place),
                    Some(Judgement::Told(finding)) => finding,
                };
                if !counts(finding.severity) {
                    continue;
                }
                if finding.verdict != Verdict::Pass || config.passes {
                    finding.suppression = suppression(&finding, resource, config, today).map(Box::new);
                }
                verdicts.findings.push(finding);
            }
        }
        verdicts
    }
}

/// Worst first; then by check, file, place, resource.
fn sort(findings: &mut [Finding]) {
    // Findings are wide: their positions are sorted, and each finding moves once.
    let mut positions: Vec<usize> = (0..findings.len()).collect();
    positions.sort_by(|a, b| match (findings.get(*a), findings.get(*b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    for start in 0..positions.len() {
        let mut at = start;
        // Along a cycle of positions, each place takes the finding that belongs there.
        while let Some(from) = positions.get_mut(at).map(|p| std::mem::replace(p, at)).filter(|from| *from != start) {
            findings.swap(at, from);
            at = from;
        }
    }
}

fn compare(a: &Finding, b: &Finding) -> Ordering {
    let place = |f: &Finding| f.resource.span.map_or((0, 0), |s| (s.line, s.column));
    a.verdict
        .cmp(&b.verdict)
        .then_with(|| b.severity.cmp(&a.severity))
        .then_with(|| order(a.check.text(), b.check.text()))
        .then_with(|| match (&a.resource.file, &b.resource.file) {
            (Some(a), Some(b)) => order(a, b),
            (a, b) => a.cmp(b),
        })
        .then_with(|| place(a).cmp(&place(b)))
        .then_with(|| a.resource.cmp(&b.resource))
}

/// Most texts that are compared are one and the same.
fn order(a: &Text, b: &Text) -> Ordering {
    if Arc::ptr_eq(a, b) { Ordering::Equal } else { a.cmp(b) }
}
