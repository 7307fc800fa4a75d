//! Why was a call denied? From a CloudTrail event to what stood in the way.

use serde_json::{Value as Json, json};

use crate::access::{Access, can};
use crate::account::Account;

/// What a denied call asked for, as the event tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who asked: an ARN.
    pub principal: String,
    /// `s3:GetObject`
    pub action: String,
    /// The resource's ARN, or `*` if the event does not say.
    pub resource: String,
    /// Context keys that the event carries.
    pub context: Vec<(String, String)>,
    /// AWS's own words on the denial.
    pub message: String,
}

/// Reads a CloudTrail event. `None` if it is none.
///
/// Source: CloudTrail user guide, "CloudTrail record contents"; IAM user guide, "Troubleshoot access denied error messages".
pub fn call_of(event: &Json) -> Option<Call> {
    let text = |path: &str| event.pointer(path).and_then(Json::as_str);
    let message = text("/errorMessage").unwrap_or_default();
    let service = text("/eventSource")?.split('.').next()?;
    let name = text("/eventName")?;
    let after = |mark: &str| message.split_once(mark).map(|(_, rest)| rest.split_whitespace().next().unwrap_or_default());
    let clean = |word: &str| word.trim_matches(|c: char| matches!(c, '"' | '\'' | ',' | '.')).to_owned();
    let action = after("not authorized to perform: ").map(clean).filter(|a| a.contains(':'));
    let named = after("on resource: ").map(clean).filter(|r| r.starts_with("arn:") || r == "*");
    let listed = event.pointer("/resources/0/ARN").and_then(Json::as_str).map(str::to_owned);
    let principal = text("/userIdentity/arn").or(text("/userIdentity/invokedBy"))?;
    let mut context = Vec::new();
    for (key, path) in [
        ("aws:SourceIp", "/sourceIPAddress"),
        ("aws:UserAgent", "/userAgent"),
        ("aws:RequestedRegion", "/awsRegion"),
        ("aws:SourceVpce", "/vpcEndpointId"),
        ("aws:MultiFactorAuthPresent", "/userIdentity/sessionContext/attributes/mfaAuthenticated"),
        ("aws:PrincipalAccount", "/userIdentity/accountId"),
    ] {
        context.extend(text(path).map(|v| (key.to_owned(), v.to_owned())));
    }
    Some(Call {
        principal: principal.to_owned(),
        action: action.unwrap_or_else(|| format!("{service}:{name}")),
        resource: named.or(listed).unwrap_or_else(|| "*".to_owned()),
        context,
        message: message.to_owned(),
    })
}

/// Which kind of policy AWS itself blames in its message, in our words.
pub fn blamed(message: &str) -> Option<&'static str> {
    const MARKS: &[(&str, &str)] = &[
        ("service control policy", "scp"),
        ("resource control policy", "rcp"),
        ("permissions boundary", "boundary"),
        ("session policy", "session"),
        ("resource-based policy", "resource"),
        ("VPC endpoint policy", "vpc_endpoint"),
        ("identity-based policy", "identity"),
        ("trust policy", "resource"),
    ];
    MARKS.iter().find(|(mark, _)| message.contains(mark)).map(|(_, part)| *part)
}

/// The call, replayed against what was read. `None` if its principal is not in the account.
pub fn replay<'a>(account: &'a Account, call: &Call) -> Option<Access<'a>> {
    let principal = account.find(&call.principal)?;
    Some(can(account, principal, &call.action, &call.resource, &call.context))
}

/// The least policy that would allow the call, if nothing denies it.
pub fn least_policy(call: &Call) -> Json {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": call.action, "Resource": call.resource }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_words_of_a_denial() {
        let event = json!({
            "eventSource": "sqs.amazonaws.com", "eventName": "SendMessage", "errorCode": "AccessDenied",
            "userIdentity": { "arn": "arn:aws:sts::111122223333:assumed-role/App/me", "accountId": "111122223333" },
            "sourceIPAddress": "203.0.113.7",
            "errorMessage": "User: arn:aws:sts::111122223333:assumed-role/App/me is not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:eu-west-1:111122223333:q because no identity-based policy allows the sqs:sendmessage action",
        });
        let call = call_of(&event).unwrap();
        assert_eq!((call.action.as_str(), call.resource.as_str()), ("sqs:sendmessage", "arn:aws:sqs:eu-west-1:111122223333:q"));
        assert_eq!(blamed(&call.message), Some("identity"));
        let details = json!({ "RoleDetailList": [{ "Arn": "arn:aws:iam::111122223333:role/App", "RoleName": "App" }] });
        let account = Account::from_authorization_details(&details).unwrap();
        let access = replay(&account, &call).unwrap();
        assert_eq!(access.decision, crate::Decision::ImplicitlyDenied);
        assert_eq!(access.blocked_by, ["identity"]);
        assert!(call_of(&json!({})).is_none());
    }
}
