//! Representative values of a condition key: one for every way in which a value can satisfy some clauses and not others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use model::{Text, Truth};
use rustc_hash::FxHashSet;
use smallvec::SmallVec;

use super::witness::{self, Budget, Capped};
use crate::arn::{ArnPattern, Short};
use crate::document::Clause;
use crate::glob::{Tokens, Variables};
use crate::operator::{Compare, Operand, Quantifier};
use crate::request::Entry;

/// Most representative entries of one key.
pub const ENTRIES_MAX: usize = 2_000;

/// Representative entries, and whether they are all there are.
pub(crate) struct Entries {
    pub(crate) entries: Vec<Entry>,
    pub(crate) exact: bool,
}

/// The entries for the clauses on one key, "absent" first.
pub(crate) fn entries(clauses: &[&Clause], variables: &dyn Variables, budget: &Budget) -> Result<Entries, Capped> {
    let (values, exact) = singles(clauses, variables, budget)?;
    let mut seen: FxHashSet<Vec<Truth>> = FxHashSet::default();
    let mut out = Vec::new();
    let mut keep = |entry: Entry, out: &mut Vec<Entry>| {
        let vector: Vec<Truth> = clauses.iter().map(|c| c.holds_for(&entry, variables)).collect();
        if seen.insert(vector) {
            out.push(entry);
            true
        } else {
            false
        }
    };
    keep(Entry::Absent, &mut out);
    for value in &values {
        keep(Entry::Values(SmallVec::from_iter([value.clone()])), &mut out);
    }
    if clauses.iter().any(|c| c.operator.quantifier != Quantifier::One) {
        let mut sets: Vec<SmallVec<[Text; 1]>> = values.iter().map(|v| SmallVec::from_iter([v.clone()])).collect();
        for set in &sets {
            keep(Entry::Many(set.clone()), &mut out);
        }
        let mut at = 0;
        while let Some(set) = sets.get(at).cloned() {
            for value in values.iter().filter(|v| !set.contains(v)) {
                let mut more = set.clone();
                more.push(value.clone());
                more.sort_unstable();
                if keep(Entry::Many(more.clone()), &mut out) {
                    sets.push(more);
                }
                if out.len() > ENTRIES_MAX {
                    return Err(Capped);
                }
            }
            at += 1;
        }
    }
    Ok(Entries { entries: out, exact })
}

fn singles(clauses: &[&Clause], variables: &dyn Variables, budget: &Budget) -> Result<(Vec<Text>, bool), Capped> {
    let mut strings: Vec<Tokens> = Vec::new();
    let mut arns: Vec<&ArnPattern> = Vec::new();
    let mut scaled: Vec<(bool, i128)> = Vec::new();
    let mut out: Vec<String> = Vec::new();
    let (mut folded, mut plain) = (false, false);
    for clause in clauses {
        let compare = clause.operator.compare;
        for operand in &clause.operands {
            match operand {
                Operand::Text(matcher) => {
                    folded |= compare == Compare::StringEqualsIgnoreCase;
                    plain |= compare != Compare::StringEqualsIgnoreCase;
                    strings.extend(matcher.resolved(variables));
                }
                Operand::Arn(pattern) => arns.push(pattern),
                Operand::Scaled(Some(value)) => scaled.push((compare.is_date(), *value)),
                Operand::Bool(_) | Operand::BoolText(_) if compare == Compare::Bool => {
                    out.extend(["true".to_owned(), "false".to_owned()])
                }
                Operand::Net(Some(net)) => out.extend(edges(net)),
                _ => {}
            }
        }
    }
    let kinds = [!strings.is_empty(), !arns.is_empty(), !scaled.is_empty(), !out.is_empty()];
    let exact = kinds.iter().filter(|k| **k).count() <= 1 && !(folded && plain);
    if !scaled.is_empty() {
        out.extend(numbers(&mut scaled));
    }
    if !strings.is_empty() {
        let texts = witness::texts(&strings, &["other"], budget)?;
        if folded && plain {
            out.extend(texts.iter().flat_map(|t| [t.to_uppercase(), t.to_lowercase()]));
        }
        out.extend(texts);
    }
    if !arns.is_empty() {
        let prefer = ["arn", "aws", "iam", "", "999999999999", "other"];
        out.extend(super::arns(&arns, Short::Never, &prefer, variables, budget)?);
    }
    out.push("other".to_owned());
    let mut known: FxHashSet<&str> = FxHashSet::default();
    let texts = out.iter().filter(|t| known.insert(t)).map(|t| Text::from(t.as_str())).collect();
    Ok((texts, exact))
}

/// Where a network begins, where it has ended, and where all networks have not begun.
fn edges(net: &IpNet) -> Vec<String> {
    let after = match net.broadcast() {
        IpAddr::V4(last) => u32::from(last).checked_add(1).map(|n| IpAddr::V4(Ipv4Addr::from(n))),
        IpAddr::V6(last) => u128::from(last).checked_add(1).map(|n| IpAddr::V6(Ipv6Addr::from(n))),
    };
    let mut all = vec![net.network().to_string(), "0.0.0.0".to_owned(), "::".to_owned()];
    all.extend(after.map(|a| a.to_string()));
    all
}

/// Every limit, the values between two limits, and those past the ends.
fn numbers(limits: &mut Vec<(bool, i128)>) -> Vec<String> {
    limits.sort_unstable();
    limits.dedup();
    const ONE: i128 = 1_000_000_000;
    let mut all: Vec<(bool, i128)> = Vec::new();
    for (date, limit) in limits.iter() {
        all.extend([(*date, limit - ONE), (*date, *limit), (*date, limit + ONE)]);
    }
    for pair in limits.windows(2) {
        if let [(a, low), (b, high)] = pair
            && a == b
        {
            all.push((*a, low + (high - low) / 2));
        }
    }
    all.into_iter().map(|(date, value)| if date { date_text(value) } else { decimal(value) }).collect()
}

fn date_text(nanoseconds: i128) -> String {
    match jiff::Timestamp::from_nanosecond(nanoseconds) {
        Ok(at) => at.to_string(),
        Err(_) => decimal(nanoseconds),
    }
}

fn decimal(billionths: i128) -> String {
    let sign = if billionths < 0 { "-" } else { "" };
    let (whole, part) = (billionths.abs() / 1_000_000_000, billionths.abs() % 1_000_000_000);
    if part == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part:09}").trim_end_matches('0').to_owned() }
}
