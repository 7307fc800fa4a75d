//! The choices of parameter values under which a template becomes different things.
//!
//! A parameter without value that decides a condition is tried with each of its allowed values, or with each text that it
//! is compared with and with "anything else". Choices under which every condition comes out the same are one world.

use std::collections::{BTreeMap, BTreeSet};

use model::{Gap, GapReason, Map, Text};
use syntax::{Kind, Node};

use super::condition::Answer;
use super::evaluate::Evaluator;
use super::function::{Arg, Function, application, long_form};
use super::rule;
use super::session::Session;
use super::template::Template;

/// Which value a parameter has in a world.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Choice {
    /// This one.
    One(Text),
    /// One of these.
    Some(Vec<Text>),
    /// None of these, which are all that it is compared with.
    Other(Vec<Text>),
}

/// One world.
#[derive(Clone, Debug, Default)]
pub(crate) struct World<'t> {
    /// `Env=prod`; empty if there is only one.
    pub(crate) label: String,
    pub(crate) choices: BTreeMap<&'t str, Choice>,
    /// How the conditions that decide something come out.
    pub(crate) conditions: BTreeMap<Text, Answer>,
}

/// A parameter and the choices there are for it.
struct Axis<'t> {
    name: &'t str,
    choices: Vec<Choice>,
}

/// The worlds of a template, at least one.
pub(crate) fn worlds<'t>(session: &Session<'_>, template: &'t Template<'t>) -> Vec<World<'t>> {
    if template.conditions.is_empty() {
        return vec![World::default()];
    }
    let used = used_conditions(template);
    let axes = axes(session, template, &used);
    if axes.is_empty() {
        return vec![World::default()];
    }
    let mut groups: Vec<(Vec<Answer>, Vec<Vec<&Choice>>)> = Vec::new();
    let mut index: BTreeMap<Vec<Answer>, usize> = BTreeMap::new();
    let mut refused = 0;
    let all = combinations(&axes);
    let count = all.len();
    for combination in all {
        let choices = axes.iter().zip(&combination).map(|(axis, choice)| (axis.name, (*choice).clone())).collect();
        let world = World { choices, ..World::default() };
        let evaluator = Evaluator::new(session, template, &world, None::<&Map>, "");
        if !rule::allowed(&evaluator, &template.rules) {
            refused += 1;
            continue;
        }
        let outcome: Vec<Answer> = used.iter().map(|name| evaluator.condition(name, model::Span::default())).collect();
        let at = *index.entry(outcome.clone()).or_insert_with(|| {
            groups.push((outcome, Vec::new()));
            groups.len() - 1
        });
        if let Some((_, members)) = groups.get_mut(at) {
            members.push(combination);
        }
    }
    if refused == count {
        let detail = "its `Rules` refuse every choice of parameter values, so that it could not be deployed";
        let gap = Gap::new("rules", GapReason::Malformed, detail).help("mend the rules, or give the parameters' values");
        session.gap(gap.in_file(template.file.clone(), None));
        return vec![World::default()];
    }
    let single = groups.len() == 1;
    groups
        .into_iter()
        .map(|(outcome, members)| World {
            label: if single { String::new() } else { label(&axes, &members) },
            choices: projected(&axes, &members),
            conditions: used.iter().cloned().zip(outcome).collect(),
        })
        .collect()
}

/// Every combination of one choice for each parameter.
fn combinations<'a>(axes: &'a [Axis<'_>]) -> Vec<Vec<&'a Choice>> {
    axes.iter().fold(vec![Vec::new()], |all, axis| {
        all.iter()
            .flat_map(|head| {
                axis.choices.iter().map(|choice| {
                    let mut longer: Vec<&Choice> = head.clone();
                    longer.push(choice);
                    longer
                })
            })
            .collect()
    })
}

/// The conditions that a resource hangs on or that a value is chosen by.
fn used_conditions(template: &Template<'_>) -> Vec<Text> {
    let mut used = BTreeSet::new();
    if let Some(globals) = template.globals {
        choosers(globals, &mut used);
    }
    for named in &template.resources {
        // What it is for is telling AWS which CDK is in use, in some Regions only.
        if named.node.get("Type").and_then(Node::as_str) == Some("AWS::CDK::Metadata") {
            continue;
        }
        if let Some(name) = named.node.get("Condition").and_then(Node::text) {
            used.insert(name.clone());
        }
        choosers(named.node, &mut used);
    }
    used.into_iter().filter(|name| template.conditions.contains_key(name)).collect()
}

fn choosers(node: &Node, used: &mut BTreeSet<Text>) {
    if let Some((Function::If, arg)) = application(node)
        && let Some([condition, ..]) = arg.list()
        && let Some(name) = condition.text()
    {
        used.insert(name.clone());
    }
    children(node, &mut |child| choosers(child, used));
}

fn children<'t>(node: &'t Node, visit: &mut dyn FnMut(&'t Node)) {
    match &node.kind {
        Kind::Seq(items) => items.iter().for_each(visit),
        Kind::Map(entries) => entries.iter().for_each(|e| visit(&e.node)),
        Kind::Scalar(_) => {}
    }
}

/// The parameters that decide the conditions, with their choices, as many as fit.
fn axes<'t>(session: &Session<'_>, template: &'t Template<'t>, used: &[Text]) -> Vec<Axis<'t>> {
    let mut compared: BTreeMap<&'t str, BTreeSet<Text>> = BTreeMap::new();
    let mut seen: BTreeSet<Text> = BTreeSet::new();
    let mut queue: Vec<Text> = used.to_vec();
    while let Some(name) = queue.pop() {
        if seen.insert(name.clone())
            && let Some(named) = template.conditions.get(&name)
        {
            survey(named.node, &mut compared, &mut queue);
        }
    }
    let mut axes: Vec<Axis<'t>> = Vec::new();
    for (name, texts) in compared {
        if session.parameters.get(name).is_some() {
            continue;
        }
        let choices = match template.parameters.get(name) {
            Some(declared) if declared.default.is_some() || declared.kind.contains("List<") => continue,
            Some(declared) if declared.kind == "CommaDelimitedList" || declared.kind.starts_with("AWS::SSM::") => continue,
            Some(declared) if !declared.allowed.is_empty() => declared.allowed.iter().cloned().map(Choice::One).collect(),
            Some(declared) => either(&texts, declared.may_be_empty),
            None if name.starts_with("AWS::") && session.parameters.pseudo(name).is_none() => either(&texts, false),
            None => continue,
        };
        axes.push(Axis { name, choices });
    }
    axes.retain(|axis| !axis.choices.is_empty());
    axes.sort_by_key(|axis| axis.choices.len());
    let mut product = 1_usize;
    let fitting = axes.iter().take_while(|axis| {
        product = product.saturating_mul(axis.choices.len());
        product <= session.limits.worlds_max
    });
    let fitting = fitting.count();
    if let Some(left_out) = axes.get(fitting) {
        let detail = format!(
            "more than {} combinations of parameter values decide its conditions; those on `{}` are not tried",
            session.limits.worlds_max, left_out.name
        );
        let gap = Gap::new("conditions", GapReason::Limit, detail).help("give the parameters' values");
        session.gap(gap.in_file(template.file.clone(), None).note());
    }
    axes.truncate(fitting);
    axes
}

fn either(texts: &BTreeSet<Text>, may_be_empty: bool) -> Vec<Choice> {
    let texts: Vec<Text> = texts.iter().filter(|t| may_be_empty || !t.is_empty()).cloned().collect();
    if texts.is_empty() {
        return Vec::new();
    }
    let mut choices: Vec<Choice> = texts.iter().cloned().map(Choice::One).collect();
    choices.push(Choice::Other(texts));
    choices
}

/// Notes the parameters of a condition with what they are compared with, and the conditions it refers to.
fn survey<'t>(node: &'t Node, compared: &mut BTreeMap<&'t str, BTreeSet<Text>>, queue: &mut Vec<Text>) {
    if let Some([entry]) = node.as_map()
        && &*entry.key == "Condition"
        && let Some(name) = entry.node.text()
    {
        queue.push(name.clone());
    }
    match application(node).or_else(|| long_form(node)) {
        Some((Function::Condition, arg)) => queue.extend(arg.text().cloned()),
        Some((Function::Ref, arg)) => {
            if let Some(name) = arg.text() {
                compared.entry(name).or_default();
            }
        }
        Some((Function::Equals, arg)) => {
            if let Some([a, b]) = arg.list() {
                note(a, b, compared);
                note(b, a, compared);
            }
        }
        _ => {}
    }
    children(node, &mut |child| survey(child, compared, queue));
}

fn note<'t>(a: &'t Node, b: &'t Node, compared: &mut BTreeMap<&'t str, BTreeSet<Text>>) {
    let Some((Function::Ref, Arg { node, .. })) = application(a) else { return };
    if let (Some(name), Some(literal), None) = (node.text(), b.text(), &b.tag) {
        compared.entry(name).or_default().insert(literal.clone());
    }
}

/// What is left of each parameter's choices in a world that several combinations lead to.
fn projected<'t>(axes: &[Axis<'t>], members: &[Vec<&Choice>]) -> BTreeMap<&'t str, Choice> {
    let mut all = BTreeMap::new();
    for (at, axis) in axes.iter().enumerate() {
        let set: BTreeSet<&Choice> = members.iter().filter_map(|m| m.get(at).copied()).collect();
        let single: Option<&Choice> = if set.len() == 1 { set.first().copied() } else { None };
        if let Some(choice) = single {
            all.insert(axis.name, choice.clone());
            continue;
        }
        let texts: Option<Vec<Text>> = set
            .into_iter()
            .map(|choice| match choice {
                Choice::One(text) => Some(text.clone()),
                _ => None,
            })
            .collect();
        if let Some(texts) = texts {
            all.insert(axis.name, Choice::Some(texts));
        }
    }
    all
}

/// `Env=prod, Size=small|large`.
fn label(axes: &[Axis<'_>], members: &[Vec<&Choice>]) -> String {
    const SHOWN: usize = 3;
    let sets: Vec<BTreeSet<&Choice>> =
        (0..axes.len()).map(|at| members.iter().filter_map(|m| m.get(at).copied()).collect()).collect();
    let product = sets.iter().map(BTreeSet::len).fold(1_usize, usize::saturating_mul);
    if product == members.len() {
        let parts: Vec<String> = axes
            .iter()
            .zip(&sets)
            .filter(|(axis, set)| set.len() < axis.choices.len())
            .map(|(axis, set)| {
                let texts: Vec<&str> = set.iter().map(|c| words(c)).collect();
                format!("{}={}", axis.name, texts.join("|"))
            })
            .collect();
        return parts.join(", ");
    }
    let mut parts: Vec<String> = members
        .iter()
        .take(SHOWN)
        .map(|m| {
            let pairs: Vec<String> = axes.iter().zip(m).map(|(axis, c)| format!("{}={}", axis.name, words(c))).collect();
            pairs.join(", ")
        })
        .collect();
    if members.len() > SHOWN {
        parts.push(format!("{} more", members.len() - SHOWN));
    }
    parts.join(" or ")
}

fn words(choice: &Choice) -> &str {
    match choice {
        Choice::One(text) if text.is_empty() => "''",
        Choice::One(text) => text,
        Choice::Some(_) | Choice::Other(_) => "(anything else)",
    }
}
