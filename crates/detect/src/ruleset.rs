//! Many rules, compiled together and found by the events that can concern them.

use std::collections::BTreeMap;

use logs::Kind;
use logs::cloudtrail::Event;
use logs::paths::{PathId, Paths};
use rustc_hash::FxHashMap;

use crate::correlate::Plan;
use crate::program::{Compiler, Memo, NodeNo, Program, folded};
use crate::sighting::Standard;
use crate::sigma::{self, Body, Expr, Placeholders, Problem, Rule};

/// A rule's place in its [`RuleSet`].
pub type RuleNo = u32;

/// Rules, ready to run; shared by all threads.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    program: Program,
    captures: Vec<Vec<PathId>>,
    terms: FxHashMap<RuleNo, Vec<PathId>>,
    index: Index,
    paths: Paths,
    standard: Standard,
    plan: Plan,
    not_for_cloudtrail: usize,
}

/// A rule, and what is left to ask of it.
type Candidate = (RuleNo, NodeNo);

/// Who waits for a value, in lower case.
type Lists = FxHashMap<Box<[u8]>, Vec<Candidate>>;

/// Which events each rule waits for.
#[derive(Debug, Default)]
struct Index {
    /// By the value that an event has at a path; the event's name is first, its source second.
    by_value: Vec<(PathId, Lists)>,
    /// On every event.
    always: Vec<Candidate>,
}

/// How many paths rules wait at. Past it, a rule without an event name or source waits for every event.
const INDEX_PATHS_MAX: usize = 8;

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
        let mut nodes = vec![];
        rules.retain(|rule| {
            let compiled = match &rule.body {
                Body::Events(expr) => compiler.compile(expr).map(Some),
                _ => Ok(None),
            };
            match compiled {
                Ok(node) => {
                    nodes.push(node);
                    true
                }
                Err(message) => {
                    problems.push(problem(rule, message));
                    false
                }
            }
        });
        let index = Index::new(&nodes, &mut compiler, &standard);
        let (mut paths, program) = compiler.done();
        let (plan, wrong) = Plan::new(&rules);
        problems.extend(wrong);
        let captures = rules.iter().enumerate().map(|(no, rule)| captures(no as RuleNo, rule, &plan, &mut paths)).collect();
        let terms = term_paths(&rules, &mut paths);
        (RuleSet { rules, program, captures, terms, index, paths, standard, plan, not_for_cloudtrail }, problems)
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

    /// How rules wait: by event name, by event source, by another value, and on every event.
    pub fn index_sizes(&self) -> BTreeMap<&'static str, usize> {
        let mut sizes = BTreeMap::from([("name", 0), ("source", 0), ("other", 0), ("always", self.index.always.len())]);
        for (path, values) in &self.index.by_value {
            let name = match path {
                path if *path == self.standard.event_name => "name",
                path if *path == self.standard.event_source => "source",
                _ => "other",
            };
            *sizes.entry(name).or_default() += values.values().map(Vec::len).sum::<usize>();
        }
        sizes
    }

    /// The rules that match an event, in the order of their numbers.
    pub fn matches<'s>(&self, event: &Event<'_>, scratch: &'s mut Scratch) -> &'s [RuleNo] {
        let Scratch { matched, memo } = scratch;
        matched.clear();
        memo.clear(&self.program, &self.paths);
        let mut run = |list: &[Candidate]| {
            for (rule, node) in list {
                if self.program.holds(*node, event, memo) {
                    matched.push(*rule);
                }
            }
        };
        for (path, values) in &self.index.by_value {
            for leaf in event.values(*path).filter(|leaf| !matches!(leaf.kind, Kind::Null | Kind::Object | Kind::EmptyArray)) {
                if let Some(list) = folded(leaf.bytes, |text| values.get(text)) {
                    run(list);
                }
            }
        }
        run(&self.index.always);
        if matched.len() > 1 {
            matched.sort_unstable();
            matched.dedup();
        }
        matched
    }
}

impl Index {
    fn new(nodes: &[Option<NodeNo>], compiler: &mut Compiler, standard: &Standard) -> Index {
        let mut index = Index::default();
        for path in [standard.event_name, standard.event_source] {
            index.by_value.push((path, FxHashMap::default()));
        }
        for (rule, node) in (0..).zip(nodes) {
            let Some(node) = *node else { continue };
            match index.place(node, compiler) {
                Some((path, values)) => index.put(rule, compiler.given(node, path), path, values),
                None => index.always.push((rule, node)),
            }
        }
        index
    }

    /// The path at which a rule waits, and for which values: event name, event source, else where the list is shortest.
    fn place(&self, node: NodeNo, compiler: &Compiler) -> Option<(PathId, Vec<Box<[u8]>>)> {
        let program = compiler.program();
        for (path, _) in self.by_value.iter().take(2) {
            if let Some(values) = program.needs(node, *path) {
                return Some((*path, values));
            }
        }
        let mut paths = vec![];
        program.paths_of(node, &mut paths);
        let open = |path: &PathId| self.by_value.len() < INDEX_PATHS_MAX || self.by_value.iter().any(|(held, _)| held == path);
        let lists = paths.into_iter().filter(open).filter_map(|path| Some((path, program.needs(node, path)?)));
        lists.min_by_key(|(path, values)| (values.len(), *path))
    }

    fn put(&mut self, rule: RuleNo, node: NodeNo, path: PathId, values: Vec<Box<[u8]>>) {
        if self.by_value.iter().all(|(held, _)| *held != path) {
            self.by_value.push((path, FxHashMap::default()));
        }
        for (_, lists) in self.by_value.iter_mut().filter(|(held, _)| *held == path) {
            values.iter().for_each(|value| lists.entry(value.clone()).or_default().push((rule, node)));
        }
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
