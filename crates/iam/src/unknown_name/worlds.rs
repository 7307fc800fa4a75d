//! What unknown names may turn out to be, as far as a set of policies can tell.
//!
//! A search ([`crate::symbolic`]) takes every name for different from all other texts. That is one world. The others are those in
//! which a name is what another pattern at its place is about: `arn:aws:s3:::⟨Logs⟩/*` and `arn:aws:s3:::prod/*` have one in
//! which the bucket is called `prod`. A verdict is certain if it is the same in all of them.

use model::Truth;

use super::{Item, OWN_ACCOUNT, is_own_name, items, possible, within};
use crate::arn::{ArnPattern, Short};
use crate::document::{Policy, Statement};
use crate::glob::{Matcher, Tokens};
use crate::operator::Operand;
use crate::request::Context;
use crate::symbolic::witness::{self, Capped};

/// Most worlds that one question is asked in.
pub const WORLDS_MAX: usize = 64;

/// What some names are; the others are different from every other text. Names are with their marks.
pub(crate) type World = Vec<(String, String)>;

/// Every world but the one in which all names are different from everything.
pub(crate) fn worlds(policies: &[&Policy]) -> Result<Vec<World>, Capped> {
    let places = places(policies);
    if !places.iter().any(|place| matches!(place.matcher, Matcher::Named(_) | Matcher::Template(_))) {
        return Ok(Vec::new());
    }
    let mut choices: Vec<(String, Vec<String>)> = Vec::new();
    for place in &places {
        for (i, item) in place.items.iter().enumerate() {
            let Item::Name(name) = item else { continue };
            let around = (place.items.get(..i).unwrap_or_default(), place.items.get(i + 1..).unwrap_or_default());
            let texts = candidates(name, around, place, &places)?;
            match choices.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => known.extend(texts),
                None => choices.push((name.clone(), texts)),
            }
        }
    }
    let mut all: Vec<World> = vec![Vec::new()];
    for (name, mut texts) in choices {
        texts.sort_unstable();
        texts.dedup();
        let mut more = Vec::new();
        for world in &all {
            for text in &texts {
                let taken = |(other, same): &(String, String)| {
                    same == text && is_own_name(&name) && is_own_name(other.trim_matches([super::OPEN, super::CLOSE]))
                };
                if !world.iter().any(taken) {
                    let mut world = world.clone();
                    world.push((format!("{}{name}{}", super::OPEN, super::CLOSE), text.clone()));
                    more.push(world);
                }
            }
            if all.len() + more.len() > WORLDS_MAX {
                return Err(Capped);
            }
        }
        all.extend(more);
    }
    all.remove(0);
    Ok(all)
}

/// One pattern at a place where patterns are compared with each other.
struct Place<'a> {
    /// What is compared: resources, or the values of a key.
    home: &'a str,
    /// The position in an ARN, and the others' patterns; 0 for text.
    field: usize,
    matcher: &'a Matcher,
    rest: &'a [Matcher],
    items: Vec<Item>,
}

fn places<'a>(policies: &[&'a Policy]) -> Vec<Place<'a>> {
    let mut all = Vec::new();
    for statement in policies.iter().flat_map(|p| &p.statements) {
        of_statement(statement, &mut all);
    }
    all
}

fn of_statement<'a>(statement: &'a Statement, all: &mut Vec<Place<'a>>) {
    for (pattern, _) in statement.resources.iter().flat_map(|r| &r.patterns) {
        of_arn("", pattern, all);
    }
    for clause in &statement.conditions {
        for operand in &clause.operands {
            match operand {
                Operand::Arn(pattern) => of_arn(&clause.key, pattern, all),
                Operand::Text(matcher) => of_matcher(&clause.key, 0, matcher, &[], all),
                _ => {}
            }
        }
    }
}

fn of_arn<'a>(home: &'a str, pattern: &'a ArnPattern, all: &mut Vec<Place<'a>>) {
    match pattern.fields(Short::Counts) {
        Some(fields) => fields.iter().enumerate().for_each(|(i, matcher)| of_matcher(home, i, matcher, fields, all)),
        None => pattern.matchers().iter().for_each(|matcher| of_matcher(home, 5, matcher, &[], all)),
    }
}

fn of_matcher<'a>(home: &'a str, field: usize, matcher: &'a Matcher, rest: &'a [Matcher], all: &mut Vec<Place<'a>>) {
    let tokens = matcher.resolved(&Context::default()).unwrap_or_default();
    all.push(Place { home, field, matcher, rest, items: items(&tokens) });
}

/// What a name that stands between others may be, so that another pattern is about the same thing.
fn candidates(
    name: &str,
    (before, behind_it): (&[Item], &[Item]),
    place: &Place<'_>,
    places: &[Place<'_>],
) -> Result<Vec<String>, Capped> {
    let suffix = part(behind_it);
    let mut segments: Vec<Vec<Item>> = Vec::new();
    let wild = |item: &Item| matches!(item, Item::Many | Item::One);
    for other in places.iter().filter(|o| o.home == place.home && o.field == place.field && o.matcher != place.matcher) {
        let alike = |(i, (a, b)): (usize, (&Matcher, &Matcher))| {
            let tokens = |m: &Matcher| items(&m.resolved(&Context::default()).unwrap_or_default());
            i == place.field || possible(&tokens(a), &tokens(b))
        };
        if !place.rest.iter().zip(other.rest).enumerate().all(alike) {
            continue;
        }
        if before.iter().any(wild) {
            return Err(Capped);
        }
        let Some(after) = behind(before, &other.items) else { continue };
        let end = part(after).len();
        // The name takes a beginning of the pattern, and what is left has to fit what stands behind the name.
        let fits = |cut: &usize| {
            let inside_star = after.get(cut - 1) == Some(&Item::Many);
            let left = after.get(if inside_star { cut - 1 } else { *cut }..end).unwrap_or_default();
            inside_star || possible(suffix, left)
        };
        for cut in (1..=end).filter(fits) {
            let segment = after.get(..cut).unwrap_or_default().to_vec();
            let names: Vec<&String> =
                segment.iter().filter_map(|i| if let Item::Name(name) = i { Some(name) } else { None }).collect();
            match names.as_slice() {
                [] => segments.push(segment),
                [other] if *other == name && matches!(segment.first(), Some(Item::Name(_))) => {}
                [other] if segment.len() == 1 && is_own_name(other) && is_own_name(name) => {}
                _ => return Err(Capped),
            }
        }
    }
    segments.retain(|segment| segment.iter().any(|i| *i != Item::Many));
    if segments.is_empty() {
        return Ok(Vec::new());
    }
    let mut patterns: Vec<Tokens> = segments.iter().map(|s| tokens(s)).collect();
    let own = [Item::Name(name.to_owned())];
    let shape = super::widened(&own);
    let lower: Vec<Item> =
        shape.iter().map(|i| if let Item::Char(c) = i { Item::Char(c.to_ascii_lowercase()) } else { i.clone() }).collect();
    patterns.extend([tokens(&shape), tokens(&lower)]);
    let fits = |text: &String| {
        let items = items(text.as_bytes());
        !text.is_empty()
            && !text.contains([':', '/'])
            && !within(text.as_bytes())
            && super::truth(&tokens_of_name(name), text) != Truth::False
            && segments.iter().any(|s| possible(s, &items))
    };
    Ok(witness::texts(&patterns, &[], &witness::Budget::default())?.into_iter().filter(fits).collect())
}

/// Up to the next slash.
fn part(items: &[Item]) -> &[Item] {
    let end = items.iter().position(|i| *i == Item::Char('/')).unwrap_or(items.len());
    items.get(..end).unwrap_or_default()
}

/// What stands in a pattern behind a literal beginning; from the star on, if one takes the beginning in.
fn behind<'a>(before: &[Item], items: &'a [Item]) -> Option<&'a [Item]> {
    for (i, item) in before.iter().enumerate() {
        match items.get(i) {
            Some(Item::Many) => return items.get(i..),
            Some(Item::One) if matches!(item, Item::Char(_)) => {}
            other if other == Some(item) => {}
            _ => return None,
        }
    }
    items.get(before.len()..)
}

fn tokens_of_name(name: &str) -> Tokens {
    tokens(&[Item::Name(name.to_owned())])
}

fn tokens(items: &[Item]) -> Tokens {
    let mut out = Tokens::new();
    for item in items {
        match item {
            Item::Many => out.push(crate::glob::MANY),
            Item::One => out.push(crate::glob::ONE),
            Item::Char(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Item::Name(name) => {
                let name = format!("{}{name}{}", super::OPEN, super::CLOSE);
                out.extend_from_slice(name.as_bytes());
            }
        }
    }
    out
}

/// The own account in a world.
pub(crate) fn own_account(world: &World) -> Option<&str> {
    world.iter().find(|(name, _)| name == OWN_ACCOUNT).map(|(_, text)| text.as_str())
}

impl Policy {
    /// The policy in a world.
    pub(crate) fn in_world(&self, world: &World) -> Policy {
        let mut policy = self.clone();
        for statement in &mut policy.statements {
            for (pattern, text) in statement.resources.iter_mut().flat_map(|r| &mut r.patterns) {
                pattern.each_matcher(&mut |matcher| matcher.replace(world));
                *text = replaced(text, world).into();
            }
            for clause in &mut statement.conditions {
                for operand in &mut clause.operands {
                    match operand {
                        Operand::Arn(pattern) => pattern.each_matcher(&mut |matcher| matcher.replace(world)),
                        Operand::Text(matcher) => matcher.replace(world),
                        _ => {}
                    }
                }
                for text in &mut clause.texts {
                    *text = replaced(text, world).into();
                }
            }
            for pattern in statement.principal.iter_mut().flat_map(|p| &mut p.patterns) {
                use crate::document::PrincipalPattern::{Account, Arn};
                if let Account(text) | Arn(text) = pattern {
                    *text = replaced(text, world).into();
                }
            }
        }
        policy
    }
}

/// Text with names replaced by what they are.
pub(crate) fn replaced(text: &str, world: &World) -> String {
    world.iter().fold(text.to_owned(), |text, (name, is)| text.replace(name.as_str(), is))
}
