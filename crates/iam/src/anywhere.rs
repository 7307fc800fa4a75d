//! What a policy allows on every resource, or on every one of a kind, and under no condition: the question of a review of one
//! document, whoever has it. Left out: who has the policy and what other policies take back (see [`crate::who_can`] for that),
//! and statements with a condition or a named resource, which hold the action to something.

use model::Truth;

use crate::arn::{Parts, Short};
use crate::authorization::{Authorization, Level};
use crate::document::{Actions, Effect, Policy, Statement};
use crate::escalation::ways;
use crate::facts::Fact;
use crate::request::Context;

/// A kind of power that should be held to named resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// An answer of the service holds credentials, or makes new ones.
    Credentials,
    /// Data can be read in bulk.
    Data,
    /// Something that could be named is changed.
    Writes,
    /// Permissions of something that could be named are changed.
    Permissions,
    /// One of the known ways to all power.
    Escalation,
}

/// How many kinds there are.
pub(crate) const POWERS: usize = 5;

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
    if !policy.statements.iter().any(may_allow) {
        return Fact::plain(Truth::False);
    }
    let found = match power {
        Power::Credentials => first(CREDENTIALS.iter().map(|a| ((*a).to_owned(), allowed(policy, a, EVERY)))),
        Power::Data => first(DATA.iter().map(|a| ((*a).to_owned(), allowed(policy, a, EVERY)))),
        Power::Writes => of_level(policy, Level::Write),
        Power::Permissions => of_level(policy, Level::Permissions),
        Power::Escalation => first(ways().iter().filter(|w| w.id != NOT_A_WAY).map(|way| {
            let all = way.permissions.iter().map(|a| allowed(policy, &a.to_ascii_lowercase(), EVERY));
            (way.permissions.join(" with "), all.fold(Truth::True, Truth::and))
        })),
    };
    match found {
        (action, Truth::True) => {
            let action = if action.contains(' ') { action } else { Authorization::built_in().proper(&action) };
            Fact { truth: Truth::True, reasons: Vec::new(), proof: format!("{action} on every resource") }
        }
        (_, Truth::False) => Fact::plain(Truth::False),
        (_, Truth::Unknown) => open(policy),
    }
}

/// Whether the policy allows an action on every one of a set of resources, written as `*` or as an ARN with stars in it, and
/// under no condition; the proof names the statement.
pub(crate) fn allows(policy: &Policy, action: &str, resources: &str) -> Fact {
    if let Some(why) = &policy.unreadable {
        return Fact::unknown(why.to_string());
    }
    let lower = action.to_ascii_lowercase();
    match allowed(policy, &lower, resources) {
        Truth::True => {
            let allowing = |s: &&Statement| s.effect == Effect::Allow && covers(s, &lower, resources) == Truth::True;
            let by = policy.statements.iter().find(allowing).map(Statement::label).unwrap_or_default();
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

/// The first that is true, or else unknown if one is.
fn first(answers: impl Iterator<Item = (String, Truth)>) -> (String, Truth) {
    let mut open = (String::new(), Truth::False);
    for (action, truth) in answers {
        match truth {
            Truth::True => return (action, truth),
            Truth::Unknown => open = (action, truth),
            Truth::False => {}
        }
    }
    open
}

/// An action of the level that takes resources and is allowed on all of them. Services are asked in the order of their names.
fn of_level(policy: &Policy, level: Level) -> (String, Truth) {
    let table = Authorization::built_in();
    let touched = |service: &&str| policy.statements.iter().any(|s| may_allow(s) && names_service(&s.actions, service));
    first(
        table
            .services()
            .filter(touched)
            .flat_map(|service| {
                let actions = table.actions(service).filter(|a| a.level == level && !a.resources.is_empty());
                actions.map(move |a| format!("{service}:{}", a.name.to_ascii_lowercase()))
            })
            .map(|action| {
                let truth = allowed(policy, &action, EVERY);
                (action, truth)
            }),
    )
}

fn may_allow(statement: &Statement) -> bool {
    (statement.effect == Effect::Allow || statement.effect_unreadable) && unbound(statement, EVERY) != Truth::False
}

/// Every resource.
const EVERY: &str = "*";

/// Whether the statement is about every one of the resources under no condition.
fn unbound(statement: &Statement, set: &str) -> Truth {
    match &statement.resources {
        _ if !statement.conditions.is_empty() => Truth::False,
        None => Truth::False,
        Some(resources) if resources.negated => Truth::True,
        Some(resources) => {
            let covers = |p: &crate::arn::ArnPattern| p.covers(&Parts::new(set), Short::Counts, &Context::default());
            resources.patterns.iter().map(|(p, _)| covers(p)).fold(Truth::False, Truth::or)
        }
    }
}

fn names_service(actions: &Actions, service: &str) -> bool {
    let none = Context::default();
    actions.negated || actions.patterns.iter().any(|p| p.service.matches(service, &none) != Truth::False)
}

/// Whether the action, in lower case, is allowed on every one of the resources and not denied on every one.
fn allowed(policy: &Policy, action: &str, set: &str) -> Truth {
    let wide = |effect: Effect| {
        let of_effect = policy.statements.iter().filter(move |s| s.effect == effect || s.effect_unreadable);
        of_effect.map(|s| covers(s, action, set)).fold(Truth::False, Truth::or)
    };
    wide(Effect::Allow).and(!wide(Effect::Deny))
}

/// Whether the statement is about the action on every one of the resources under no condition.
fn covers(statement: &Statement, action: &str, set: &str) -> Truth {
    let Some((service, name)) = action.split_once(':') else { return Truth::False };
    let named = statement.actions.take_in(service, name);
    if named == Truth::False {
        return Truth::False;
    }
    let named = named.and(unbound(statement, set));
    if statement.unreadable.is_some() { named.and(Truth::Unknown) } else { named }
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
