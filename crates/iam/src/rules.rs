//! What AWS itself decides, whatever the policies say.

use crate::request::{Caller, Request};

/// True for a call that needs no permission and that no policy can take away.
///
/// Source: STS API reference, "GetCallerIdentity".
pub(crate) fn always_allowed(request: &Request) -> bool {
    &*request.service == "sts" && &*request.name == "getcalleridentity" && request.caller != Caller::Anonymous
}

/// What nobody can do to the policies of AWS.
const POLICY_CHANGES: &[&str] = &[
    "createpolicy",
    "createpolicyversion",
    "deletepolicy",
    "deletepolicyversion",
    "setdefaultpolicyversion",
    "tagpolicy",
    "untagpolicy",
];

/// What nobody can do to the roles that IAM Identity Center keeps in an account.
const ROLE_CHANGES: &[&str] = &[
    "attachrolepolicy",
    "createrole",
    "createservicelinkedrole",
    "deleterole",
    "deleterolepermissionsboundary",
    "deleterolepolicy",
    "deleteservicelinkedrole",
    "detachrolepolicy",
    "passrole",
    "putrolepermissionsboundary",
    "putrolepolicy",
    "tagrole",
    "untagrole",
    "updateassumerolepolicy",
    "updaterole",
    "updateroledescription",
];

const ALIAS_CHANGES: &[&str] = &["createalias", "deletealias", "updatealias"];

/// True if the request would change what only AWS can change: its managed policies, the roles below `aws-reserved`, the
/// aliases of its keys.
///
/// Source: IAM user guide, "AWS managed policies"; IAM Identity Center user guide, "Referencing permission sets in resource
/// policies"; KMS developer guide, "Aliases".
pub(crate) fn cannot_change(request: &Request) -> bool {
    if !matches!(&*request.service, "iam" | "kms") {
        return false;
    }
    let (arn, name) = (request.parts(), &*request.name);
    let below = |prefix: &str| arn.field(5).get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    match &*request.service {
        "iam" => {
            POLICY_CHANGES.contains(&name) && arn.field(4) == "aws" && below("policy/")
                || ROLE_CHANGES.contains(&name) && below("role/aws-reserved/")
        }
        _ => ALIAS_CHANGES.contains(&name) && below("alias/aws/"),
    }
}
