//! S3's own rules: Block Public Access, with S3's own notion of "public", and tags of buckets in policies.
//!
//! Source: S3 user guide, "Blocking public access to your Amazon S3 storage" and "Enabling ABAC in general purpose buckets".

use ipnet::IpNet;
use model::{Text, Truth};

use crate::document::{Clause, Effect, Policy, PrincipalPattern, Statement};
use crate::evaluate::Policies;
use crate::glob::Matcher;
use crate::operator::{Compare, Operand, Quantifier};
use crate::request::{Caller, Request};

/// What is switched on for a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// Block Public Access of the account.
    pub account: BlockPublicAccess,
    /// Block Public Access of the bucket.
    pub bucket: BlockPublicAccess,
    /// Whether bucket tags count in policies: a general purpose bucket starts with this off, and `None` means that.
    pub bucket_abac: Option<bool>,
}

/// The four switches of Block Public Access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockPublicAccess {
    /// New public ACLs are refused.
    pub block_public_acls: Truth,
    /// Public ACLs are ignored.
    pub ignore_public_acls: Truth,
    /// New public policies are refused.
    pub block_public_policy: Truth,
    /// With a public policy, only the own account and AWS services get in.
    pub restrict_public_buckets: Truth,
}

impl Default for BlockPublicAccess {
    /// All off.
    fn default() -> BlockPublicAccess {
        BlockPublicAccess::all(Truth::False)
    }
}

impl BlockPublicAccess {
    /// All four alike.
    pub fn all(on: Truth) -> BlockPublicAccess {
        BlockPublicAccess { block_public_acls: on, ignore_public_acls: on, block_public_policy: on, restrict_public_buckets: on }
    }

    /// What either blocks.
    pub fn or(self, other: BlockPublicAccess) -> BlockPublicAccess {
        BlockPublicAccess {
            block_public_acls: self.block_public_acls.or(other.block_public_acls),
            ignore_public_acls: self.ignore_public_acls.or(other.ignore_public_acls),
            block_public_policy: self.block_public_policy.or(other.block_public_policy),
            restrict_public_buckets: self.restrict_public_buckets.or(other.restrict_public_buckets),
        }
    }
}

/// Whether `RestrictPublicBuckets` keeps the caller out whatever the bucket policy says: the policy is public, and the
/// caller is neither of the bucket's account nor a service.
pub(crate) fn barred(request: &Request, policies: &Policies, same_account: bool) -> Truth {
    let restricted = policies.s3.account.restrict_public_buckets.or(policies.s3.bucket.restrict_public_buckets);
    let of_bucket = || request.parts().field(2) == "s3" || &**request.resource() == "*";
    if restricted == Truth::False || &*request.service != "s3" || !of_bucket() {
        return Truth::False;
    }
    let outside = match request.caller {
        Caller::Service(_) => false,
        Caller::Anonymous => true,
        _ => !same_account,
    };
    match &policies.resource {
        Some(policy) if outside => restricted.and(is_public(policy)),
        _ => Truth::False,
    }
}

/// Whether S3 calls a bucket policy public: some statement lets everyone in, and no condition on one of the listed keys
/// holds it to fixed values.
pub fn is_public(policy: &Policy) -> Truth {
    let unreadable = Truth::from(policy.unreadable.is_none());
    let start = if unreadable == Truth::True { Truth::False } else { Truth::Unknown };
    policy.statements.iter().fold(start, |any, statement| any.or(statement_is_public(statement)))
}

fn statement_is_public(statement: &Statement) -> Truth {
    if statement.effect == Effect::Deny && !statement.effect_unreadable {
        return Truth::False;
    }
    let everyone = match &statement.principal {
        None => Truth::False,
        Some(principals) if principals.negated => Truth::True,
        Some(principals) => principals.patterns.iter().fold(Truth::False, |any, p| {
            any.or(match p {
                PrincipalPattern::Everyone => Truth::True,
                PrincipalPattern::Service(name) | PrincipalPattern::Federated(name) => Truth::from(&**name == "*"),
                PrincipalPattern::Hole(_) => Truth::Unknown,
                _ => Truth::False,
            })
        }),
    };
    let held = statement.conditions.iter().fold(Truth::False, |any, c| any.or(holds_to_fixed_values(c)));
    let readable = if statement.unreadable.is_some() { Truth::Unknown } else { Truth::True };
    everyone.and(!held).and(readable)
}

/// Keys that AWS fills in; held to fixed values they make a statement not public.
const FIXING_KEYS: &[&str] = &[
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceowner",
    "aws:sourcevpc",
    "aws:sourcevpcarn",
    "aws:sourcevpce",
    "aws:userid",
    "aws:username",
    "aws:vpceaccount",
    "aws:vpceorgid",
    "aws:vpceorgpaths",
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "s3:x-amz-server-side-encryption-aws-kms-key-id",
];

fn holds_to_fixed_values(clause: &Clause) -> Truth {
    let operator = clause.operator;
    if operator.negated || operator.if_exists || operator.quantifier == Quantifier::All || clause.operands.is_empty() {
        return Truth::False;
    }
    let every =
        |fixed: &dyn Fn(&Operand) -> Truth| clause.operands.iter().fold(Truth::True, |all, operand| all.and(fixed(operand)));
    match (operator.compare, &*clause.key) {
        (Compare::IpAddress, "aws:sourceip" | "aws:vpcsourceip") => every(&|operand| match operand {
            Operand::Net(Some(net)) => Truth::from(is_narrow(net)),
            Operand::Hole => Truth::Unknown,
            _ => Truth::True,
        }),
        (_, "aws:principalisawsservice") => every(&|operand| match operand {
            Operand::Hole | Operand::BoolText(_) => Truth::Unknown,
            Operand::Bool(wanted) => Truth::from(*wanted == Some(true)),
            Operand::Text(matcher) => Truth::from(matcher.exact().is_some_and(|t| t.eq_ignore_ascii_case("true"))),
            _ => Truth::False,
        }),
        (_, key) if FIXING_KEYS.contains(&key) => {
            clause.operands.iter().zip(&clause.texts).fold(Truth::True, |all, (o, text)| all.and(fixed_value(clause, o, text)))
        }
        _ => Truth::False,
    }
}

/// Keys whose values have a form in which S3 looks for wildcards even where the operator takes them literally.
const FORMED_KEYS: &[&str] = &[
    "aws:principalarn",
    "aws:principalorgpaths",
    "aws:principalservicename",
    "aws:principalservicenameslist",
    "aws:sourcearn",
    "aws:sourcevpcarn",
    "aws:userid",
    "aws:vpceorgpaths",
];

fn fixed_value(clause: &Clause, operand: &Operand, text: &Text) -> Truth {
    let key = &*clause.key;
    match operand {
        Operand::Text(matcher) if matcher.has_hole() => Truth::Unknown,
        Operand::Text(matcher) if matcher.is_exact() => Truth::from(!FORMED_KEYS.contains(&key) || !text.contains(['*', '?'])),
        Operand::Text(Matcher::Prefix(head)) => Truth::from(match key {
            // `AROAEXAMPLEID:*`, every session of one role.
            "aws:userid" => {
                head.strip_suffix(':').is_some_and(|id| !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric()))
            }
            "aws:principalorgpaths" | "aws:vpceorgpaths" => head.starts_with("o-") && head.contains('/'),
            _ => false,
        }),
        // `*.amazonaws.com`, whatever service.
        Operand::Text(_) => {
            let service = key.starts_with("aws:principalservicename");
            Truth::from(service && matches!(&**text, "*.amazonaws.com" | "*.amazonaws.com.cn"))
        }
        Operand::Arn(pattern) if pattern.matchers().iter().any(Matcher::has_hole) => Truth::Unknown,
        Operand::Arn(pattern) if pattern.is_exact() => Truth::True,
        Operand::Arn(pattern) => {
            let account = pattern.field(4).and_then(Matcher::exact).is_some_and(|a| !a.is_empty());
            let head = (1..5).all(|n| pattern.field(n).is_some_and(Matcher::is_exact));
            Truth::from(match key {
                "s3:dataaccesspointarn" => account,
                "aws:principalarn" => account && (head || says_equals(clause)),
                "aws:sourcearn" | "aws:sourcevpcarn" => account && says_equals(clause),
                _ => false,
            })
        }
        Operand::Hole => Truth::Unknown,
        _ => Truth::False,
    }
}

/// `ArnEquals`, which evaluates like `ArnLike` and is taken for more definite here.
fn says_equals(clause: &Clause) -> bool {
    clause.operator_text.to_ascii_lowercase().contains("arnequals")
}

/// S3 takes a range wider than /8 (v4) or /32 (v6) for the whole Internet, private ranges aside.
fn is_narrow(net: &IpNet) -> bool {
    match net {
        IpNet::V4(v4) => v4.prefix_len() >= 8 || v4.addr().is_private(),
        IpNet::V6(v6) => v6.prefix_len() >= 32,
    }
}

/// Without bucket ABAC the tags of a bucket are not in the request (S3 User Guide, "Enabling ABAC in general purpose buckets").
pub(crate) fn drop_bucket_tags(request: &mut Request, switches: &Switches) {
    let parts = request.parts();
    let general_purpose = parts.field(2) == "s3" && parts.field(3).is_empty() && parts.field(4).is_empty();
    if switches.bucket_abac != Some(true) && general_purpose {
        request.context.retain(|key| !key.starts_with("aws:resourcetag/") && !key.starts_with("s3:buckettag/"));
    }
}
