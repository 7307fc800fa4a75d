//! What a policy allows on every resource, or on every one of a kind, and under no condition: the question of a review of one
//! document, whoever has it. Left out: who has the policy and what other policies take back (see [`crate::who_can`] for that),
//! and statements with a condition or a named resource, which hold the action to something.

use std::collections::BTreeSet;

use model::Truth;

use crate::arn::{ArnPattern, Parts, Short};
use crate::authorization::{Authorization, Level};
use crate::document::{Effect, Policy, Statement};
use crate::escalation::{Way, ways};
use crate::facts::Fact;
use crate::request::Context;
use crate::unknown_name;

/// A kind of power that should be held to named resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// An answer of the service holds credentials, or makes new ones.
    Credentials,
    /// Data can be read in bulk.
    Data,
    /// Something that could be named is changed.
    Writes,
    /// Something is done to what could be named, reading and listing included.
    Anything,
    /// Permissions of something that could be named are changed.
    Permissions,
    /// One of the known ways to all power.
    Escalation,
}

/// How many kinds there are.
pub(crate) const POWERS: usize = 6;

/// Actions that hand out or make credentials, from the API references of the services.
const CREDENTIALS: &[&str] = &[
    "airflow:createclitoken",
    "airflow:createweblogintoken",
    "appsync:createapikey",
    "cloud9:createenvironmenttoken",
    "codeartifact:getauthorizationtoken",
    "codepipeline:pollforjobs",
    "cognito-identity:getcredentialsforidentity",
    "cognito-identity:getopenidtoken",
    "cognito-identity:getopenidtokenfordeveloperidentity",
    "connect:getfederationtoken",
    "ec2:getpassworddata",
    "emr-containers:getmanagedendpointsessioncredentials",
    "gamelift:getcomputeaccess",
    "gamelift:getcomputeauthtoken",
    "gamelift:getinstanceaccess",
    "gamelift:requestuploadcredentials",
    "grafana:createworkspaceapikey",
    "iam:createaccesskey",
    "iam:createloginprofile",
    "iam:createservicespecificcredential",
    "iam:resetservicespecificcredential",
    "iam:updateaccesskey",
    "lightsail:createbucketaccesskey",
    "lightsail:downloaddefaultkeypair",
    "lightsail:getinstanceaccessdetails",
    "lightsail:getrelationaldatabasemasteruserpassword",
    "mediapackage:rotatechannelcredentials",
    "mediapackage:rotateingestendpointcredentials",
    "rds-db:connect",
    "redshift-serverless:getcredentials",
    "redshift:getclustercredentials",
    "redshift:getclustercredentialswithiam",
    "sso:getrolecredentials",
    "sts:assumerole",
    "sts:assumerolewithsaml",
    "sts:assumerolewithwebidentity",
    "sts:getfederationtoken",
    "sts:getsessiontoken",
];

/// Actions that read stored data in bulk.
const DATA: &[&str] =
    &["s3:getobject", "secretsmanager:getsecretvalue", "ssm:getparameter", "ssm:getparameters", "ssm:getparametersbypath"];

/// Assuming any role is credentials, not a way of its own.
const NOT_A_WAY: &str = "sts-001";

/// Whether the policy allows an action of this kind on every resource and under no condition; the proof names the action.
pub(crate) fn anywhere(policy: &Policy, power: Power) -> Fact {
    if let Some(why) = &policy.unreadable {
        return Fact::unknown(why.to_string());
    }
    let wide = Wide::new(policy, EVERY);
    if wide.allow.is_empty() {
        return Fact::plain(Truth::False);
    }
    let found = match power {
        Power::Credentials => first(CREDENTIALS.iter().map(|a| (*a, wide.allowed(a)))),
        Power::Data => first(DATA.iter().map(|a| (*a, wide.allowed(a)))),
        Power::Writes => return wide.fact(wide.of_level(Some(Level::Write))),
        Power::Anything => return wide.fact(wide.of_level(None)),
        Power::Permissions => return wide.fact(wide.of_level(Some(Level::Permissions))),
        Power::Escalation => {
            let (way, truth) = first(ways().iter().filter(|w| w.id != NOT_A_WAY).map(|way| (Some(way), wide.goes(way))));
            return wide.fact((way.map(|w| w.permissions.join(" with ")).unwrap_or_default(), truth));
        }
    };
    wide.fact((found.0.to_owned(), found.1))
}

/// Whether the policy allows an action on every one of a set of resources, written as `*` or as an ARN with stars in it, and
/// under no condition; the proof names the statement.
pub(crate) fn allows(policy: &Policy, action: &str, resources: &str) -> Fact {
    if let Some(why) = &policy.unreadable {
        return Fact::unknown(why.to_string());
    }
    let lower = action.to_ascii_lowercase();
    let wide = Wide::new(policy, resources);
    match wide.allowed(&lower) {
        Truth::True => {
            let by = wide.allow.iter().find(|s| s.covers(&lower) == Truth::True);
            let by = by.map(|s| s.statement.label()).unwrap_or_default();
            Fact { truth: Truth::True, reasons: Vec::new(), proof: format!("{by} allows {action} on {resources}") }
        }
        Truth::False => Fact::plain(Truth::False),
        Truth::Unknown => open(policy),
    }
}

/// What is not known of a policy.
fn open(policy: &Policy) -> Fact {
    let mut reasons: Vec<String> =
        policy.statements.iter().filter_map(|s| s.unreadable.as_ref()).map(ToString::to_string).collect();
    if reasons.is_empty() {
        reasons.push("a part of the action or resource is not known".to_owned());
    }
    Fact { truth: Truth::Unknown, reasons, proof: String::new() }
}

/// The first that is true, or else the last unknown if there is one.
fn first<T: Default>(answers: impl Iterator<Item = (T, Truth)>) -> (T, Truth) {
    let mut open = (T::default(), Truth::False);
    for (what, truth) in answers {
        match truth {
            Truth::True => return (what, truth),
            Truth::Unknown => open = (what, truth),
            Truth::False => {}
        }
    }
    open
}

/// Every resource.
const EVERY: &str = "*";

/// The statements of a policy that may be about every one of a set of resources under no condition.
struct Wide<'a> {
    policy: &'a Policy,
    allow: Vec<WideStatement<'a>>,
    deny: Vec<WideStatement<'a>>,
}

/// One of them.
#[derive(Clone, Copy)]
struct WideStatement<'a> {
    statement: &'a Statement,
    /// Whether it is about every one of the resources under no condition: true or unknown.
    wide: Truth,
}

impl<'a> Wide<'a> {
    fn new(policy: &'a Policy, resources: &str) -> Wide<'a> {
        let mut wide = Wide { policy, allow: Vec::new(), deny: Vec::new() };
        for statement in &policy.statements {
            let found = WideStatement { statement, wide: unbound(statement, resources) };
            if found.wide == Truth::False {
                continue;
            }
            if statement.effect == Effect::Allow || statement.effect_unreadable {
                wide.allow.push(found);
            }
            if statement.effect == Effect::Deny || statement.effect_unreadable {
                wide.deny.push(found);
            }
        }
        wide
    }

    /// Whether the action, in lower case, is allowed on every one of the resources and not denied on every one.
    fn allowed(&self, action: &str) -> Truth {
        action.split_once(':').map_or(Truth::False, |(service, name)| self.allowed_of(service, name))
    }

    fn allowed_of(&self, service: &str, name: &str) -> Truth {
        let any =
            |statements: &[WideStatement]| statements.iter().map(|s| s.covers_of(service, name)).fold(Truth::False, Truth::or);
        match any(&self.allow) {
            Truth::False => Truth::False,
            allowed => allowed.and(!any(&self.deny)),
        }
    }

    /// Whether all that a way to power needs is allowed.
    fn goes(&self, way: &Way) -> Truth {
        let mut all = Truth::True;
        for permission in &way.permissions {
            all = all.and(self.allowed(&permission.to_ascii_lowercase()));
            if all == Truth::False {
                break;
            }
        }
        all
    }

    /// An action of the level, or of any, that takes resources and is allowed on all of them. Services are asked in the order of
    /// their names.
    fn of_level(&self, level: Option<Level>) -> (String, Truth) {
        let table = Authorization::built_in();
        let (found, truth) = first(self.services(table).into_iter().flat_map(|service| {
            let actions =
                table.short_actions(service).iter().filter(|a| a.takes_resources && level.is_none_or(|level| a.level == level));
            actions.map(move |a| (Some((service, &a.name)), self.allowed_of(service, &a.name)))
        }));
        (found.map(|(service, name)| format!("{service}:{name}")).unwrap_or_default(), truth)
    }

    /// The services that an allowing statement may be about, in order.
    fn services<'t>(&'t self, table: &'t Authorization) -> Vec<&'t str> {
        let mut named = BTreeSet::new();
        for WideStatement { statement: Statement { actions, .. }, .. } in &self.allow {
            for pattern in &actions.patterns {
                match pattern.service.exact() {
                    Some(service) if !actions.negated && !unknown_name::within(service.as_bytes()) => named.insert(service),
                    _ => return table.services().collect(),
                };
            }
            if actions.negated {
                return table.services().collect();
            }
        }
        named.into_iter().collect()
    }

    fn fact(&self, (action, truth): (String, Truth)) -> Fact {
        match truth {
            Truth::True => {
                let action = if action.contains(' ') { action } else { Authorization::built_in().proper(&action) };
                Fact { truth: Truth::True, reasons: Vec::new(), proof: format!("{action} on every resource") }
            }
            Truth::False => Fact::plain(Truth::False),
            Truth::Unknown => open(self.policy),
        }
    }
}

impl WideStatement<'_> {
    /// Whether it is about the action, in lower case, on every one of the resources under no condition.
    fn covers(&self, action: &str) -> Truth {
        action.split_once(':').map_or(Truth::False, |(service, name)| self.covers_of(service, name))
    }

    fn covers_of(&self, service: &str, name: &str) -> Truth {
        let named = self.statement.actions.take_in(service, name);
        if named != Truth::False && self.statement.unreadable.is_some() {
            return Truth::Unknown;
        }
        named.and(self.wide)
    }
}

/// Whether the statement is about every one of the resources under no condition.
fn unbound(statement: &Statement, set: &str) -> Truth {
    match &statement.resources {
        _ if !statement.conditions.is_empty() => Truth::False,
        None => Truth::False,
        Some(resources) if resources.negated => Truth::True,
        Some(resources) => {
            let set = Parts::new(set);
            let covers = |p: &ArnPattern| p.covers(&set, Short::Counts, &Context::default());
            resources.patterns.iter().map(|(p, _)| covers(p)).fold(Truth::False, Truth::or)
        }
    }
}

#[cfg(test)]
mod tests {
    use model::Value;

    use super::*;

    fn ask(statements: &str, power: Power) -> Fact {
        let document = Value::text(format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#));
        anywhere(&Policy::from_value(&document), power)
    }

    fn allow(action: &str, resource: &str) -> String {
        format!(r#"{{"Effect":"Allow","Action":{action},"Resource":{resource}}}"#)
    }

    #[test]
    fn what_is_allowed_everywhere() {
        use Power::{Credentials, Data, Escalation, Permissions, Writes};
        let star = r#""*""#;
        let one = r#""arn:aws:s3:::shop/*""#;
        let cases = [
            (allow(r#""s3:GetObject""#, star), Data, true),
            (allow(r#""s3:get*""#, star), Data, true),
            (allow(r#""s3:GetObject""#, one), Data, false),
            (allow(r#""s3:ListBucket""#, star), Data, false),
            (allow(r#""sts:AssumeRole""#, star), Credentials, true),
            (allow(r#""sts:AssumeRole""#, star), Escalation, false),
            (allow(r#""iam:*""#, star), Credentials, true),
            (allow(r#"["iam:PassRole","ec2:RunInstances"]"#, star), Escalation, true),
            (allow(r#""iam:PassRole""#, star), Escalation, false),
            (allow(r#""s3:PutObject""#, star), Writes, true),
            (allow(r#""s3:PutObject""#, one), Writes, false),
            (allow(r#""s3:PutObject""#, star), Permissions, false),
            (allow(r#""s3:PutBucketPolicy""#, star), Permissions, true),
            (allow(r#""ec2:DescribeInstances""#, star), Writes, false),
            (allow(r#""*""#, star), Writes, true),
            (r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#.to_owned(), Writes, true),
            (
                r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Condition":{"Bool":{"a:b":"true"}}}"#.to_owned(),
                Data,
                false,
            ),
            (
                format!("{},{}", allow(r#""s3:GetObject""#, star), r#"{"Effect":"Deny","Action":"s3:*","Resource":"*"}"#),
                Data,
                false,
            ),
        ];
        for (statements, power, expected) in cases {
            assert_eq!(ask(&statements, power).truth, Truth::from(expected), "{power:?} of {statements}");
        }
    }

    #[test]
    fn one_action_on_a_kind_of_resource() {
        let roles = "arn:aws:iam::*:role/*";
        for (statements, action, want) in [
            (allow(r#""iam:Pass*""#, r#""*""#), "iam:PassRole", true),
            (allow(r#""*""#, r#""*""#), "iam:PassRole", true),
            (allow(r#""IAM:passrole""#, r#"["arn:aws:iam::*:role/*"]"#), "iam:PassRole", true),
            (allow(r#""iam:PassRole""#, r#""arn:aws:iam::*:*""#), "iam:PassRole", true),
            (allow(r#""iam:PassRole""#, r#""arn:aws:iam::*:role/app-*""#), "iam:PassRole", false),
            (allow(r#""iam:PassRole""#, r#""arn:aws:iam::111122223333:role/*""#), "iam:PassRole", false),
            (r#"{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}"#.to_owned(), "iam:PassRole", true),
            (
                format!(
                    "{},{}",
                    allow(r#""*""#, r#""*""#),
                    r#"{"Effect":"Deny","Action":"iam:*","Resource":"arn:aws:iam::*:role/*"}"#
                ),
                "iam:PassRole",
                false,
            ),
        ] {
            let document = Value::text(format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#));
            let found = allows(&Policy::from_value(&document), action, roles);
            assert_eq!((found.truth, found.proof.is_empty()), (Truth::from(want), !want), "{statements}");
        }
        assert_eq!(allows(&Policy::from_value(&Value::text("{")), "iam:PassRole", "*").truth, Truth::Unknown);
    }

    #[test]
    fn proof_and_what_is_not_known() {
        assert_eq!(ask(&allow(r#""s3:GetObject""#, r#""*""#), Power::Data).proof, "s3:GetObject on every resource");
        let mut document = model::Map::new();
        document.insert("Statement", Value::List(vec![Value::unknown(model::Reason::NoDefaultParameter, "Statement")]));
        let fact = anywhere(&Policy::from_value(&Value::Map(document)), Power::Writes);
        assert_eq!(fact.truth, Truth::Unknown);
        assert!(!fact.reasons.is_empty());
    }
}
