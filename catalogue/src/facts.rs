//! The facts that analyses give to checks: names, arguments and results. `engine` answers each of them.

use expr::{Signature, Type};

/// One fact.
#[derive(Debug)]
pub struct Fact {
    /// As expressions write it, `iam.public`.
    pub name: &'static str,
    /// Argument types.
    pub args: &'static [Arg],
    /// What it answers with.
    pub gives: Gives,
    /// What it means, for the reference.
    pub meaning: &'static str,
}

/// An argument's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arg {
    /// A policy document, or null.
    Policy,
    /// A port number.
    Port,
    /// Text: an action, a resource, a service.
    Text,
}

/// What a fact answers with; any may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gives {
    /// True or false.
    Truth,
    /// Text that proves a true answer; null for a false one.
    Proof,
}

const fn truth(name: &'static str, args: &'static [Arg], meaning: &'static str) -> Fact {
    Fact { name, args, gives: Gives::Truth, meaning }
}

const fn proof(name: &'static str, args: &'static [Arg], meaning: &'static str) -> Fact {
    Fact { name, args, gives: Gives::Proof, meaning }
}

/// Every fact.
pub const FACTS: &[Fact] = &[
    truth("iam.public", &[Arg::Policy], "the policy lets anyone in, and no condition that a caller cannot forge restricts it"),
    truth("iam.public_if", &[Arg::Policy], "the policy lets anyone in who comes from some network or knows some value"),
    truth("iam.cross_account", &[Arg::Policy], "the policy lets another account in, or anyone"),
    truth("iam.confused_deputy", &[Arg::Policy], "the policy lets a service in whatever account the service acts for"),
    truth(
        "iam.deputy",
        &[Arg::Policy, Arg::Text],
        "the policy lets the service of this name in whatever account the service acts for",
    ),
    truth("iam.trusts_account", &[Arg::Policy], "the policy lets in all users and roles of an account that it names"),
    truth(
        "iam.allows",
        &[Arg::Policy, Arg::Text, Arg::Text],
        "the policy by itself allows the action on every one of the resources (`*`, or an ARN with stars), under no condition",
    ),
    truth("iam.admin", &[Arg::Policy], "the policy by itself allows every action on every resource"),
    truth("iam.administrator", &[], "this user or role may do everything, boundary and denials counted"),
    truth("iam.escalates", &[], "this user or role is no administrator and can make itself one"),
    truth("iam.privileged", &[], "this user or role is an administrator, or can make itself one"),
    proof("iam.escalation", &[], "the steps by which this user or role becomes an administrator"),
    proof("iam.public_proof", &[Arg::Policy], "the statements and a request that show `iam.public`"),
    truth(
        "iam.gives_credentials",
        &[Arg::Policy],
        "the policy allows everywhere an action whose answer holds credentials, or that makes some",
    ),
    truth("iam.reads_data", &[Arg::Policy], "the policy allows everywhere to read objects, secrets or parameters"),
    truth(
        "iam.writes_anywhere",
        &[Arg::Policy],
        "the policy allows everywhere a writing action that could be held to named resources",
    ),
    truth(
        "iam.anything_anywhere",
        &[Arg::Policy],
        "the policy allows everywhere an action of whatever kind that could be held to named resources",
    ),
    truth(
        "iam.changes_permissions",
        &[Arg::Policy],
        "the policy allows everywhere to change the permissions of what could be named",
    ),
    truth(
        "iam.ways_anywhere",
        &[Arg::Policy],
        "the policy by itself allows everywhere all that one of the known ways to all power takes",
    ),
    proof("iam.gives_credentials_proof", &[Arg::Policy], "the action that shows `iam.gives_credentials`"),
    proof("iam.reads_data_proof", &[Arg::Policy], "the action that shows `iam.reads_data`"),
    proof("iam.writes_anywhere_proof", &[Arg::Policy], "the action that shows `iam.writes_anywhere`"),
    proof("iam.anything_anywhere_proof", &[Arg::Policy], "the action that shows `iam.anything_anywhere`"),
    proof("iam.changes_permissions_proof", &[Arg::Policy], "the action that shows `iam.changes_permissions`"),
    proof("iam.ways_anywhere_proof", &[Arg::Policy], "the actions that show `iam.ways_anywhere`"),
    truth("kms.managed_by_aws", &[Arg::Text], "the key of this alias, id or ARN is one that AWS manages for a service"),
    truth("net.exposed", &[Arg::Port], "some address on the internet reaches this resource on the TCP or UDP port"),
    truth("net.open_to_world", &[Arg::Port], "every address on the internet reaches this resource on the TCP or UDP port"),
    truth(
        "net.public_subnet",
        &[],
        "what is sent to the internet from this subnet, or from one that this resource has an interface in, leaves by an internet gateway",
    ),
    proof("net.way", &[Arg::Port], "the way by which the internet reaches this resource on the TCP or UDP port"),
    truth("net.reached", &[], "some address on the internet reaches this resource on some port"),
    proof("net.exposure", &[], "a way by which the internet reaches this resource, whatever the port"),
];

/// The signature of a fact.
pub(crate) fn signature(name: &str) -> Option<Signature> {
    let fact = FACTS.iter().find(|f| f.name == name)?;
    let args = fact.args.iter().map(|a| match a {
        Arg::Policy => Type::Any,
        Arg::Port => Type::Int,
        Arg::Text => Type::Str,
    });
    let result = match fact.gives {
        Gives::Truth => Type::Bool,
        Gives::Proof => Type::Str,
    };
    Some(Signature::new(args.collect(), result))
}
