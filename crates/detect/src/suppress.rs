//! What somebody accepted: with an owner, a reason and an end.

use serde::{Deserialize, Serialize};

use crate::matcher::Hit;
use crate::sigma::Rule;

/// Takes alerts away. Whatever it states must fit; at least one of rule, actor, address and resource must be stated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suppression {
    /// The rule's id or name; `*` stands for anything.
    pub rule: Option<String>,
    /// The actor's ARN, or the first principal's; `*` stands for anything.
    pub actor: Option<String>,
    /// An address range.
    pub address: Option<ipnet::IpNet>,
    /// An account id.
    pub account: Option<String>,
    /// A resource; `*` stands for anything.
    pub resource: Option<String>,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// The last day it holds: `2027-01-31`.
    pub expires: String,
}

const DAY: i64 = 86_400;

impl Suppression {
    /// The second after the last that it holds.
    fn end(&self) -> Option<i64> {
        logs::time::seconds(format!("{}T00:00:00Z", self.expires).as_bytes()).map(|start| start + DAY)
    }

    /// Whether it is over.
    pub fn is_expired(&self, now: i64) -> bool {
        self.end().is_none_or(|end| now >= end)
    }

    /// What is wrong with it.
    ///
    /// # Errors
    /// One line, lower case.
    pub fn check(&self) -> Result<(), String> {
        let stated = [self.rule.is_some(), self.actor.is_some(), self.address.is_some(), self.resource.is_some()];
        if !stated.contains(&true) {
            return Err("a suppression states a rule, an actor, an address or a resource".to_owned());
        }
        if self.owner.trim().is_empty() || self.reason.trim().is_empty() {
            return Err("a suppression has an owner and a reason".to_owned());
        }
        match self.end() {
            Some(_) => Ok(()),
            None => Err(format!("`{}` isn't a day such as 2027-01-31", self.expires)),
        }
    }

    pub(crate) fn covers(&self, rule: &Rule, hit: &Hit, now: i64) -> bool {
        let fits = |wanted: &Option<String>, texts: &[&str]| {
            wanted.as_ref().is_none_or(|wanted| texts.iter().any(|text| glob(wanted, text)))
        };
        let actor = &hit.event.actor;
        let address = || hit.event.address.parse::<std::net::IpAddr>();
        let resources: Vec<&str> =
            hit.event.resources.iter().map(|text| &**text).chain(hit.values.iter().map(|(_, value)| &**value)).collect();
        !self.is_expired(now)
            && fits(&self.rule, &[&rule.id, rule.name.as_deref().unwrap_or_default()])
            && fits(
                &self.actor,
                &[&actor.id, actor.origin.as_deref().unwrap_or_default(), actor.role.as_deref().unwrap_or_default()],
            )
            && self.address.is_none_or(|network| address().is_ok_and(|address| network.contains(&address)))
            && fits(&self.account, &[&hit.event.account])
            && (self.resource.is_none() || fits(&self.resource, &resources))
    }
}

/// Whether `text` fits `pattern`, where `*` stands for anything; linear in both.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*').peekable();
    let Some(mut rest) = parts.next().and_then(|head| text.strip_prefix(head)) else { return false };
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_fit() {
        for (pattern, text, want) in [
            ("*", "", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcd", false),
            ("arn:aws:iam::*:role/ci-*", "arn:aws:iam::1:role/ci-x", true),
        ] {
            assert_eq!(glob(pattern, text), want, "{pattern} {text}");
        }
    }

    #[test]
    fn a_suppression_holds_through_its_last_day() {
        let day = logs::time::seconds(b"2027-01-31T00:00:00Z").unwrap();
        let mut suppression =
            Suppression { rule: Some("x".into()), owner: "o".into(), reason: "r".into(), ..Suppression::default() };
        assert!(suppression.check().is_err() && suppression.is_expired(day));
        suppression.expires = "2027-01-31".into();
        assert_eq!(suppression.check(), Ok(()));
        assert!(!suppression.is_expired(day + DAY - 1));
        assert!(suppression.is_expired(day + DAY));
        suppression.rule = None;
        assert!(suppression.check().is_err());
    }
}
