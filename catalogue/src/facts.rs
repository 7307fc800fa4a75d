//! The facts that analyses give to checks: names, arguments and results. `engine` answers each of them.

use expr::{Signature, Type};

/// One fact.
#[derive(Debug)]
pub struct Fact {
    /// As expressions write it, `iam.public`.
    pub name: &'static str,
    /// Argument types.
    pub args: &'static [Arg],
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
}

/// Every fact. Each answers true, false or unknown.
pub const FACTS: &[Fact] = &[
    Fact {
        name: "iam.public",
        args: &[Arg::Policy],
        meaning: "the policy lets anyone in, and no condition that a caller cannot forge restricts it",
    },
    Fact { name: "iam.cross_account", args: &[Arg::Policy], meaning: "the policy lets another account in" },
    Fact { name: "iam.admin", args: &[Arg::Policy], meaning: "the identity policy allows every action on every resource" },
    Fact { name: "iam.allows_http", args: &[Arg::Policy], meaning: "the policy does not deny requests that come without TLS" },
    Fact { name: "net.exposed", args: &[Arg::Port], meaning: "the internet reaches this resource on the TCP port" },
    Fact { name: "net.public_subnet", args: &[], meaning: "this subnet has a route to an internet gateway" },
];

/// The signature of a fact.
pub(crate) fn signature(name: &str) -> Option<Signature> {
    let fact = FACTS.iter().find(|f| f.name == name)?;
    let args = fact.args.iter().map(|a| match a {
        Arg::Policy => Type::Any,
        Arg::Port => Type::Int,
    });
    Some(Signature::new(args.collect(), Type::Bool))
}
