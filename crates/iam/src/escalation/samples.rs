//! The resources that an action of a way is tried on: of each type that it takes one that nobody names, and those that a
//! statement on it is about.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use model::Truth;

use super::ways;
use crate::account::Principal;
use crate::authorization::Authorization;
use crate::document::Effect;
use crate::evaluate::Asked;
use crate::glob::{Matcher, Syntax};
use crate::request::{Caller, Context, Mode, Request};

/// Most resources that one action of a way is tried on.
pub const SAMPLES_MAX: usize = 16;

/// What an action can be done to.
enum Takes {
    /// Nothing in particular: only `*` counts.
    Anything,
    /// Resources of these types, each as its ARN with variables, and as a pattern.
    Types(Vec<(String, Matcher)>),
    /// Not known.
    Unknown,
}

/// What the actions of all ways take, by the action as the ways write it.
fn takes(action: &str) -> &'static Takes {
    static TAKES: OnceLock<BTreeMap<&str, Takes>> = OnceLock::new();
    let all = TAKES.get_or_init(|| {
        let actions = ways().iter().flat_map(|way| &way.permissions);
        actions.map(|action| (action.as_str(), of_table(action))).collect()
    });
    all.get(action).unwrap_or(&Takes::Unknown)
}

fn of_table(action: &str) -> Takes {
    let table = Authorization::built_in();
    let Some((service, found)) = action.split_once(':').and_then(|(s, name)| Some((s, table.action(s, name)?))) else {
        return Takes::Unknown;
    };
    if found.resources.is_empty() {
        return Takes::Anything;
    }
    let arns = found.resources.iter().filter_map(|name| table.resource(service, name));
    let types: Vec<(String, Matcher)> = arns
        .map(|arn| (arn.to_owned(), Matcher::parse(&filled(arn, |_| "*"), Syntax { wildcards: true, variables: false })))
        .collect();
    if types.is_empty() { Takes::Unknown } else { Takes::Types(types) }
}

/// An ARN pattern of the table with something for each `${Variable}`.
fn filled<'a>(arn: &str, by: impl Fn(&str) -> &'a str) -> String {
    let mut out = String::with_capacity(arn.len());
    let mut rest = arn;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(by(name));
        rest = behind;
    }
    out + rest
}

/// Resources to try an action of a way on, for a principal of an account.
pub(super) fn samples(principal: &Principal, account: &str, action: &str) -> Vec<String> {
    let service = action.split(':').next().unwrap_or_default();
    let takes = takes(action);
    let mut all = match takes {
        Takes::Anything => return vec!["*".to_owned()],
        Takes::Unknown => vec![format!("arn:aws:{service}:us-east-1:{account}:other")],
        Takes::Types(types) => {
            let by = |name: &str| match name {
                "Partition" => "aws",
                "Region" => "us-east-1",
                "Account" => account,
                _ => "other",
            };
            types.iter().map(|(arn, _)| filled(arn, by)).take(SAMPLES_MAX).collect()
        }
    };
    let fits = |sample: &str| match takes {
        Takes::Types(types) => types.iter().any(|(_, pattern)| pattern.matches_plain(sample) == Truth::True),
        Takes::Anything | Takes::Unknown => true,
    };
    let request = Request::new(Caller::Anonymous, action, "*", None, Context::new(Mode::Discovery));
    let asked = Asked::new(&request);
    let allowing = principal.policies.iter().flat_map(|a| &a.policy.statements).filter(|s| {
        s.effect == Effect::Allow && s.resources.as_ref().is_some_and(|r| !r.negated) && asked.actions(&s.actions) != Truth::False
    });
    for (_, text) in allowing.flat_map(|s| &s.resources).flat_map(|r| &r.patterns) {
        let fields: Vec<&str> = text.splitn(6, ':').collect();
        let [_, _, named, region, owner, resource] = fields.as_slice() else { continue };
        let settled = |field: &str, whole: &str| if field == "*" { whole.to_owned() } else { field.replace(['*', '?'], "x") };
        let named = if named.contains(['*', '?']) { service } else { named };
        let (region, owner) = (settled(region, "us-east-1"), settled(owner, account));
        let sample = format!("arn:aws:{named}:{region}:{owner}:{}", settled(resource, "other"));
        if !resource.contains("${") && fits(&sample) && !all.contains(&sample) && all.len() < SAMPLES_MAX {
            all.push(sample);
        }
    }
    all
}
