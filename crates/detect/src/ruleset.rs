//! Many rules, compiled together and found by the events that can concern them.

use std::collections::BTreeMap;

use logs::cloudtrail::Event;
use logs::paths::{PathId, Paths};
use rustc_hash::FxHashMap;

use crate::correlate::Plan;
use crate::program::{Compiler, Memo, Node, folded};
use crate::sighting::Standard;
use crate::sigma::{self, Body, Expr, Placeholders, Problem, Rule};

/// A rule's place in its [`RuleSet`].
pub type RuleNo = u32;

/// Rules, ready to run; shared by all threads.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    programs: Vec<Option<Node>>,
    captures: Vec<Vec<PathId>>,
    terms: FxHashMap<RuleNo, Vec<PathId>>,
    by_name: FxHashMap<Box<[u8]>, Vec<RuleNo>>,
    by_source: FxHashMap<Box<[u8]>, Vec<RuleNo>>,
    always: Vec<RuleNo>,
    paths: Paths,
    standard: Standard,
    plan: Plan,
    memos: usize,
    not_for_cloudtrail: usize,
}

/// What a thread needs to match one event after another without allocating; for one rule set, see [`RuleSet::matches`].
#[derive(Clone, Debug, Default)]
pub struct Scratch {
    matched: Vec<RuleNo>,
    memo: Memo,
}

/// Compiles rule files, given as (name, text). A rule with a mistake is left out and reported; the others run.
pub fn compile<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> (RuleSet, Vec<Problem>) {
    compile_with(files, &Placeholders::new())
}

/// As [`compile`], with values for placeholders.
pub fn compile_with<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a str)>,
    placeholders: &Placeholders,
) -> (RuleSet, Vec<Problem>) {
    let (mut rules, mut problems) = (vec![], vec![]);
    for (file, text) in files {
        let (read, wrong) = sigma::parse_with(file, text, placeholders);
        rules.extend(read);
        problems.extend(wrong);
    }
    let (set, wrong) = RuleSet::new(rules);
    problems.extend(wrong);
    problems.sort();
    (set, problems)
}

fn problem(rule: &Rule, message: String) -> Problem {
    Problem { file: rule.file.clone(), line: rule.line, message }
}

impl RuleSet {
    /// Compiles rules: filters are worked into the rules they name, correlations find theirs.
    pub fn new(read: Vec<Rule>) -> (RuleSet, Vec<Problem>) {
        let mut problems = vec![];
        let (mut rules, mut filters, mut not_for_cloudtrail) = (vec![], vec![], 0);
        for rule in read {
            match rule.body {
                Body::Filter { .. } => filters.push(rule),
                Body::Events(_) if !rule.source.is_cloudtrail() => not_for_cloudtrail += 1,
                _ => rules.push(rule),
            }
        }
        for filter in &filters {
            if !apply(filter, &mut rules) {
                problems.push(problem(filter, "the filter applies to none of the rules".to_owned()));
            }
        }
        let mut compiler = Compiler::default();
        let standard = Standard::new(&mut compiler.paths);
        let mut programs = vec![];
        rules.retain(|rule| {
            let compiled = match &rule.body {
                Body::Events(expr) => compiler.compile(expr).map(Some),
                _ => Ok(None),
            };
            match compiled {
                Ok(node) => {
                    programs.push(node);
                    true
                }
                Err(message) => {
                    problems.push(problem(rule, message));
                    false
                }
            }
        });
        let memos = compiler.memos();
        let mut paths = compiler.paths;
        let (plan, wrong) = Plan::new(&rules);
        problems.extend(wrong);
        let captures = rules.iter().enumerate().map(|(no, rule)| captures(no as RuleNo, rule, &plan, &mut paths)).collect();
        let terms = term_paths(&rules, &mut paths);
        let mut set = RuleSet {
            rules,
            programs,
            captures,
            terms,
            by_name: FxHashMap::default(),
            by_source: FxHashMap::default(),
            always: vec![],
            paths,
            standard,
            plan,
            memos,
            not_for_cloudtrail,
        };
        set.fill_index();
        (set, problems)
    }

    fn fill_index(&mut self) {
        for (no, program) in self.programs.iter().enumerate() {
            let Some(node) = program else { continue };
            let no = no as RuleNo;
            if let Some(names) = node.needs(self.standard.event_name) {
                names.into_iter().for_each(|name| self.by_name.entry(name).or_default().push(no));
            } else if let Some(sources) = node.needs(self.standard.event_source) {
                sources.into_iter().for_each(|source| self.by_source.entry(source).or_default().push(no));
            } else {
                self.always.push(no);
            }
        }
    }

    /// The rules, in the order of their numbers; filters are not among them.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// One rule.
    pub fn rule(&self, no: RuleNo) -> Option<&Rule> {
        self.rules.get(no as usize)
    }

    /// The values that a reader must hand out for these rules.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The paths that say who, what, when and where.
    pub fn standard(&self) -> &Standard {
        &self.standard
    }

    /// How the correlations hang together.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// How many rules were left out because they are for other logs.
    pub fn not_for_cloudtrail(&self) -> usize {
        self.not_for_cloudtrail
    }

    /// The fields of the event that a match of this rule carries along.
    pub(crate) fn captures(&self, no: RuleNo) -> &[PathId] {
        self.captures.get(no as usize).map_or(&[], Vec::as_slice)
    }

    /// For a first-seen rule, the fields whose combination counts.
    pub(crate) fn term_paths(&self, no: RuleNo) -> Option<&[PathId]> {
        self.terms.get(&no).map(Vec::as_slice)
    }

    /// How rules wait: by event name, by event source, and on every event.
    pub fn index_sizes(&self) -> BTreeMap<&'static str, usize> {
        let lists = |map: &FxHashMap<Box<[u8]>, Vec<RuleNo>>| map.values().map(Vec::len).sum();
        BTreeMap::from([("name", lists(&self.by_name)), ("source", lists(&self.by_source)), ("always", self.always.len())])
    }

    /// The rules that match an event, in the order of their numbers.
    pub fn matches<'s>(&self, event: &Event<'_>, scratch: &'s mut Scratch) -> &'s [RuleNo] {
        let Scratch { matched, memo } = scratch;
        matched.clear();
        memo.clear(self.memos);
        let mut run = |list: &[RuleNo]| {
            for no in list {
                if self.programs.get(*no as usize).and_then(Option::as_ref).is_some_and(|node| node.holds(event, memo)) {
                    matched.push(*no);
                }
            }
        };
        for (path, index) in [(self.standard.event_name, &self.by_name), (self.standard.event_source, &self.by_source)] {
            for leaf in event.values(path) {
                if let Some(list) = folded(leaf.bytes, |text| index.get(text)) {
                    run(list);
                }
            }
        }
        run(&self.always);
        if matched.len() > 1 {
            matched.sort_unstable();
            matched.dedup();
        }
        matched
    }
}

/// Works a filter into the rules it names; says whether there was one.
fn apply(filter: &Rule, rules: &mut [Rule]) -> bool {
    let Body::Filter { rules: named, expr } = &filter.body else { return true };
    let mut applied = false;
    for rule in rules.iter_mut().filter(|rule| filter.source.covers(&rule.source)) {
        if !named.is_empty() && !named.iter().any(|name| rule.is_called(name)) {
            continue;
        }
        if let Body::Events(own) = &mut rule.body {
            let inner = std::mem::replace(own, Expr::And(vec![]));
            *own = Expr::And(vec![inner, expr.clone()]);
            applied = true;
        }
    }
    applied
}

fn captures(no: RuleNo, rule: &Rule, plan: &Plan, paths: &mut Paths) -> Vec<PathId> {
    let mut fields = plan.fields_of(no);
    fields.extend(rule.extra.resources.iter().cloned());
    fields.extend(rule.extra.new_terms.iter().flat_map(|terms| terms.fields.iter().cloned()));
    let mut ids: Vec<PathId> = fields.iter().map(|field| paths.add(field)).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn term_paths(rules: &[Rule], paths: &mut Paths) -> FxHashMap<RuleNo, Vec<PathId>> {
    let mut found = FxHashMap::default();
    for (no, rule) in (0..).zip(rules) {
        if let Some(terms) = &rule.extra.new_terms {
            found.insert(no, terms.fields.iter().map(|field| paths.add(field)).collect());
        }
    }
    found
}
