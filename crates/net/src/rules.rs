//! Segmentation as tests: a small file of rules, one to a line.
//!
//! ```text
//! # what must never be
//! deny internet -> tag:tier=db any
//! # what must work
//! allow tag:tier=app -> tag:tier=db tcp/5432
//! # this, and nothing else, gets to the databases
//! allow only tag:tier=app -> tag:tier=db tcp/5432
//! ```

use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Verdict};
use crate::ends::{Place, malformed};
use crate::network::Network;
use crate::ports::Ports;
use crate::reach::reach;

/// A rule file longer than this is refused.
pub const RULES_BYTES_MAX: usize = 1_000_000;

/// What a rule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Demand {
    /// Nothing of this gets through.
    Deny,
    /// Every one on the left reaches every one on the right.
    Allow,
    /// Nobody else, and by nothing else, reaches the right side.
    AllowOnly,
}

/// One rule of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The line, from 1.
    pub line: u32,
    /// The line's text.
    pub text: String,
    /// What it asks for.
    pub demand: Demand,
    /// Who calls, as written.
    pub from: String,
    /// Who is called, as written.
    pub to: String,
    /// By which protocols and ports.
    pub ports: Ports,
}

/// A line that is no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleError {
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub help: String,
}

/// How a rule fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// The line, from 1.
    pub line: u32,
    /// The rule.
    pub rule: String,
    /// `pass`, `fail` or `unknown`.
    pub outcome: Outcome,
    /// The answer that decided: a counterexample for a failure.
    pub answer: Option<Answer>,
}

/// How a rule fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// Something that decides it isn't known.
    Unknown,
}

/// Reads a rule file. Every bad line is an error of its own.
pub fn parse_rules(text: &str) -> Result<Vec<Rule>, Vec<RuleError>> {
    if text.len() > RULES_BYTES_MAX {
        let message = format!("the file is longer than {RULES_BYTES_MAX} bytes (`rules_bytes_max`)");
        return Err(vec![RuleError { line: 1, column: 1, message, help: "split it".to_owned() }]);
    }
    let (mut rules, mut errors) = (Vec::new(), Vec::new());
    for (at, raw) in text.lines().enumerate() {
        let line = u32::try_from(at + 1).unwrap_or(u32::MAX);
        let code = without_comment(raw);
        if code.trim().is_empty() {
            continue;
        }
        match rule(code, line) {
            Ok(rule) => rules.push(rule),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(rules) } else { Err(errors) }
}

/// A `#` at the start of the line or behind a blank begins a comment.
fn without_comment(line: &str) -> &str {
    let begins = |at: usize| line.get(..at).is_some_and(|before| before.is_empty() || before.ends_with(char::is_whitespace));
    let at = line.match_indices('#').map(|(at, _)| at).find(|at| begins(*at));
    at.and_then(|at| line.get(..at)).unwrap_or(line)
}

fn rule(code: &str, line: u32) -> Result<Rule, RuleError> {
    let form = "deny|allow|allow only A -> B PORTS, such as `deny internet -> tag:tier=db any`";
    let column = |part: &str| {
        let before = code.get(..(part.as_ptr() as usize).saturating_sub(code.as_ptr() as usize)).unwrap_or_default();
        u32::try_from(before.chars().count() + 1).unwrap_or(1)
    };
    let error = |part: &str, message: String| RuleError { line, column: column(part), message, help: form.to_owned() };
    let body = code.trim();
    let (word, rest) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
    let (demand, rest) = match (word, rest.trim_start().strip_prefix("only ")) {
        ("deny", _) => (Demand::Deny, rest),
        ("allow", Some(rest)) => (Demand::AllowOnly, rest),
        ("allow", None) => (Demand::Allow, rest),
        _ => return Err(error(body, format!("`{word}` is neither `deny` nor `allow`"))),
    };
    let Some((from, right)) = rest.split_once("->") else {
        return Err(error(rest, "there is no `->` between the two ends".to_owned()));
    };
    let Some((to, ports)) = right.trim().rsplit_once(char::is_whitespace) else {
        return Err(error(right, "the ports are missing".to_owned()));
    };
    if from.trim().is_empty() {
        return Err(error(rest, "the left end is empty".to_owned()));
    }
    for end in [from.trim(), to.trim()] {
        if let Some(message) = malformed(end) {
            return Err(error(end, message));
        }
    }
    let ports = Ports::parse(ports).map_err(|message| error(ports, message))?;
    Ok(Rule { line, text: body.to_owned(), demand, from: from.trim().to_owned(), to: to.trim().to_owned(), ports })
}

/// Checks the rules. An end that is malformed or matches nothing makes its rule unknown.
pub fn check_rules(net: &Network, rules: &[Rule]) -> Vec<Checked> {
    rules.iter().map(|rule| check(net, rule)).collect()
}

fn check(net: &Network, rule: &Rule) -> Checked {
    let done = |outcome: Outcome, answer: Option<Answer>| Checked { line: rule.line, rule: rule.text.clone(), outcome, answer };
    let unclear = |reason: String| {
        let mut answer = Answer::unknown(&rule.from, &rule.to, &rule.ports);
        answer.reasons.push(reason);
        done(Outcome::Unknown, Some(answer))
    };
    let (from, to) = match (Place::parse(net, &rule.from), Place::parse(net, &rule.to)) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(error), _) | (_, Err(error)) => return unclear(error.message),
    };
    let empty = |place: &Place| matches!(place, Place::Interfaces(list) if list.is_empty());
    if empty(&from) || empty(&to) {
        return unclear(format!("nothing matches `{}`", if empty(&from) { &rule.from } else { &rule.to }));
    }
    match rule.demand {
        Demand::Deny => {
            let answer = reach(net, &from, &to, &rule.ports);
            done(denied(&answer), Some(answer))
        }
        Demand::Allow => {
            let mut outcome = (Outcome::Pass, None);
            for a in singles(&from) {
                for b in singles(&to) {
                    let answer = reach(net, &a, &b, &rule.ports);
                    let one = match answer.answer {
                        Verdict::Reachable if !answer.assumptions.is_empty() => Outcome::Unknown,
                        Verdict::Reachable => Outcome::Pass,
                        Verdict::Blocked => Outcome::Fail,
                        Verdict::Unknown => Outcome::Unknown,
                    };
                    outcome = worse(outcome, (one, Some(answer)));
                }
            }
            done(outcome.0, outcome.1)
        }
        Demand::AllowOnly => {
            let outcome = only(net, &from, &to, &rule.ports);
            done(outcome.0, outcome.1)
        }
    }
}

fn denied(answer: &Answer) -> Outcome {
    match answer.answer {
        Verdict::Reachable => Outcome::Fail,
        Verdict::Blocked => Outcome::Pass,
        Verdict::Unknown => Outcome::Unknown,
    }
}

type Found = (Outcome, Option<Answer>);

fn worse(a: Found, b: Found) -> Found {
    let rank = |o: Outcome| match o {
        Outcome::Fail => 0,
        Outcome::Unknown => 1,
        Outcome::Pass => 2,
    };
    if rank(b.0) < rank(a.0) || a.1.is_none() { b } else { a }
}

fn singles(place: &Place) -> Vec<Place> {
    match place {
        Place::Interfaces(list) => list.iter().map(|at| Place::Interfaces(vec![*at])).collect(),
        other => vec![other.clone()],
    }
}

/// Everything but `from` by `ports` must be kept away from `to`.
fn only(net: &Network, from: &Place, to: &Place, ports: &Ports) -> Found {
    let all = Ports::full();
    let mut found = (Outcome::Pass, None);
    let mut ask = |from: &Place, ports: &Ports| {
        if !ports.is_empty() {
            let answer = reach(net, from, to, ports);
            let next = (denied(&answer), Some(answer));
            found = worse(std::mem::replace(&mut found, (Outcome::Pass, None)), next);
        }
    };
    ask(from, &all.minus(ports));
    if *from != Place::Internet {
        ask(&Place::Internet, &all);
    }
    if !matches!(from, Place::OnPremises(_)) && !Place::entries(net, None).is_empty() {
        ask(&Place::OnPremises(None), &all);
    }
    let members = |place: &Place, at: &usize| matches!(place, Place::Interfaces(list) if list.contains(at));
    let targets = |at: &usize| members(from, at) || members(to, at);
    let others: Vec<usize> = (0..net.interfaces.len()).filter(|at| !targets(at)).collect();
    if !others.is_empty() {
        ask(&Place::Interfaces(others), &all);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_their_errors() {
        let rules = parse_rules("# c\n\ndeny internet -> tag:tier=db any\nallow only a -> b tcp/5432 # why\n").unwrap();
        assert_eq!(rules.len(), 2);
        assert_eq!((rules[0].line, rules[0].demand, rules[0].to.as_str()), (3, Demand::Deny, "tag:tier=db"));
        assert_eq!(
            (rules[1].demand, rules[1].from.as_str(), rules[1].ports.to_string()),
            (Demand::AllowOnly, "a", "tcp/5432".into())
        );
        let errors =
            parse_rules("permit a -> b any\ndeny a b any\n  deny a -> b tcp/99999\ndeny a -> any\ndeny -> b any").unwrap_err();
        let places: Vec<(u32, u32)> = errors.iter().map(|e| (e.line, e.column)).collect();
        assert_eq!(places, [(1, 1), (2, 6), (3, 15), (4, 10), (5, 6)]);
        let errors = parse_rules("deny é -> 10.0.0.0/33 any\ndeny 10.0.0.300 -> b any").unwrap_err();
        let places: Vec<(u32, u32)> = errors.iter().map(|e| (e.line, e.column)).collect();
        assert_eq!(places, [(1, 11), (2, 6)]);
        let rules = parse_rules("deny tag:Name=web#1 -> b any").unwrap();
        assert_eq!(rules[0].from, "tag:Name=web#1");
    }

    #[test]
    fn an_end_that_is_not_there_is_said() {
        let rules = parse_rules("deny internet -> tag:tier=db any\ndeny internet -> i-gone any").unwrap();
        let net = crate::synthetic::account(crate::synthetic::Size { interfaces: 3, groups: 1 }, 1);
        let told: Vec<(Outcome, String)> =
            check_rules(&net, &rules).into_iter().map(|c| (c.outcome, c.answer.unwrap().reasons.join("; "))).collect();
        assert_eq!(told[0], (Outcome::Unknown, "nothing matches `tag:tier=db`".to_owned()));
        assert_eq!(told[1], (Outcome::Unknown, "no interface of i-gone is in the snapshot".to_owned()));
    }

    #[test]
    fn the_limit_of_a_file() {
        let line = "deny a -> b any\n";
        let fits = line.repeat(RULES_BYTES_MAX / line.len());
        assert!(parse_rules(&fits).is_ok());
        assert!(parse_rules(&format!("{fits}{line}")).is_err());
    }
}
