//! Why was a call denied? From a CloudTrail event to what stood in the way.

use serde_json::{Value as Json, json};

use crate::access::{Access, can};
use crate::account::Account;

/// What a call asked for, as the event tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Who asked: an ARN.
    pub principal: String,
    /// The actions that it takes, the first of which gave it its name: `s3:GetObject`.
    pub actions: Vec<String>,
    /// True if it was refused.
    pub denied: bool,
    /// The service, where it is a data event: CloudTrail logs those only where it is told to.
    pub data_event: Option<String>,
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
    let issuer = text("/userIdentity/sessionContext/sessionIssuer/arn");
    let principal = text("/userIdentity/arn").or(issuer).or(text("/userIdentity/invokedBy"))?;
    let data = text("/eventCategory") == Some("Data") || event.get("managementEvent") == Some(&Json::Bool(false));
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
        denied: text("/errorCode").is_some(),
        data_event: data.then(|| iam_prefix(service).to_owned()),
        actions: action.map_or_else(|| actions_of(service, name), |action| vec![action]),
        resource: named.or(listed).unwrap_or_else(|| "*".to_owned()),
        context,
        message: message.to_owned(),
    })
}

/// Services whose events carry another name than their actions.
const PREFIXES: &[(&str, &str)] = &[
    ("monitoring", "cloudwatch"),
    ("email", "ses"),
    ("tagging", "tag"),
    ("airflow-env", "airflow"),
    ("streams-dynamodb", "dynamodb"),
];

fn iam_prefix(source: &str) -> &str {
    PREFIXES.iter().find(|(event, _)| *event == source).map_or(source, |(_, prefix)| prefix)
}

/// Events that carry another name than the action they need, and the actions.
///
/// Source: S3 user guide, "Amazon S3 CloudTrail events" and "Required permissions for Amazon S3 API operations"; Lambda
/// developer guide.
const NAMES: &[(&str, &str, &[&str])] = &[
    ("s3", "ListObjects", &["s3:ListBucket"]),
    ("s3", "ListObjectsV2", &["s3:ListBucket"]),
    ("s3", "ListObjectVersions", &["s3:ListBucketVersions"]),
    ("s3", "HeadBucket", &["s3:ListBucket"]),
    ("s3", "HeadObject", &["s3:GetObject"]),
    ("s3", "ListBuckets", &["s3:ListAllMyBuckets"]),
    ("s3", "CopyObject", &["s3:PutObject", "s3:GetObject"]),
    ("s3", "DeleteObjects", &["s3:DeleteObject"]),
    ("s3", "CreateMultipartUpload", &["s3:PutObject"]),
    ("s3", "UploadPart", &["s3:PutObject"]),
    ("s3", "UploadPartCopy", &["s3:PutObject", "s3:GetObject"]),
    ("s3", "CompleteMultipartUpload", &["s3:PutObject"]),
    ("s3", "ListMultipartUploads", &["s3:ListBucketMultipartUploads"]),
    ("s3", "ListParts", &["s3:ListMultipartUploadParts"]),
    ("s3", "GetBucketEncryption", &["s3:GetEncryptionConfiguration"]),
    ("s3", "PutBucketEncryption", &["s3:PutEncryptionConfiguration"]),
    ("s3", "DeleteBucketEncryption", &["s3:PutEncryptionConfiguration"]),
    ("s3", "GetBucketLifecycle", &["s3:GetLifecycleConfiguration"]),
    ("s3", "PutBucketLifecycle", &["s3:PutLifecycleConfiguration"]),
    ("s3", "GetBucketReplication", &["s3:GetReplicationConfiguration"]),
    ("s3", "PutBucketReplication", &["s3:PutReplicationConfiguration"]),
    ("s3", "GetBucketCors", &["s3:GetBucketCORS"]),
    ("s3", "PutBucketCors", &["s3:PutBucketCORS"]),
    ("lambda", "Invoke", &["lambda:InvokeFunction"]),
    ("lambda", "InvokeExecution", &["lambda:InvokeFunction"]),
];

/// The actions that an event's call needs. Lambda and CloudFront put the version of their API behind the name.
fn actions_of(service: &str, name: &str) -> Vec<String> {
    let bare = name.trim_end_matches(|c: char| c == '_' || c.is_ascii_digit());
    let unversioned = bare.strip_suffix('v').filter(|b| b.ends_with(|c: char| c.is_ascii_digit())).unwrap_or(bare);
    let unversioned = unversioned.trim_end_matches(|c: char| c == '_' || c.is_ascii_digit());
    let name = if name.len() >= unversioned.len() + 8 { unversioned } else { name };
    match NAMES.iter().find(|(s, n, _)| *s == service && *n == name) {
        Some((_, _, actions)) => actions.iter().map(|a| (*a).to_owned()).collect(),
        None => vec![format!("{}:{name}", iam_prefix(service))],
    }
}

impl Call {
    /// The action that gave the call its name.
    pub fn action(&self) -> &str {
        self.actions.first().map_or("", String::as_str)
    }
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
    Some(can(account, principal, call.action(), &call.resource, &call.context))
}

/// The least policy that would allow the call, if nothing denies it.
pub fn least_policy(call: &Call) -> Json {
    json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": call.actions, "Resource": call.resource }],
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
        assert_eq!((call.action(), call.resource.as_str()), ("sqs:sendmessage", "arn:aws:sqs:eu-west-1:111122223333:q"));
        assert_eq!(blamed(&call.message), Some("identity"));
        let details = json!({ "RoleDetailList": [{ "Arn": "arn:aws:iam::111122223333:role/App", "RoleName": "App" }] });
        let account = Account::from_authorization_details(&details).unwrap();
        let access = replay(&account, &call).unwrap();
        assert_eq!(access.decision, crate::Decision::ImplicitlyDenied);
        assert_eq!(access.blocked_by, ["identity"]);
        assert!(call_of(&json!({})).is_none());
    }

    #[test]
    fn events_and_their_actions() {
        for (service, event, action) in [
            ("lambda", "UpdateFunctionCode20150331v2", "lambda:UpdateFunctionCode"),
            ("lambda", "ListFunctions20150331", "lambda:ListFunctions"),
            ("cloudfront", "GetDistribution2020_05_31", "cloudfront:GetDistribution"),
            ("s3", "HeadObject", "s3:GetObject"),
            ("monitoring", "PutMetricAlarm", "cloudwatch:PutMetricAlarm"),
            ("s3", "ListObjectsV2", "s3:ListBucket"),
            ("ec2", "RunInstances", "ec2:RunInstances"),
        ] {
            assert_eq!(actions_of(service, event).first().map(String::as_str), Some(action));
        }
    }
}
