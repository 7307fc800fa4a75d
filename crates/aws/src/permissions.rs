//! The IAM actions that a plan needs, derived from what it calls.

use std::collections::BTreeSet;

use crate::collect::Plan;
use crate::facts::Facts;

/// Calls that a collection makes before it knows its plan.
const ALWAYS: &[(&str, &str)] = &[("ec2", "DescribeRegions"), ("sts", "GetCallerIdentity")];

/// The actions that a plan needs, in order: what a read-only policy for it has to allow, on `Resource: "*"`.
pub fn permissions(plan: &Plan) -> BTreeSet<String> {
    plan.calls().into_iter().chain(ALWAYS.iter().copied()).map(|(service, call)| action(service, call)).collect()
}

/// The action of `s3:GetBucketEncryption`, written as our calls are: `s3:GetEncryptionConfiguration`.
pub(crate) fn action_of(call: &str) -> String {
    match call.split_once(':') {
        Some((service, operation)) => action(service, operation),
        None => call.to_owned(),
    }
}

/// The action of an operation. Where the two differ: the Service Authorization Reference, and for S3 the API reference's
/// "Permissions" sections.
fn action(service: &str, operation: &str) -> String {
    let special = match (service, operation) {
        ("apigateway" | "apigatewayv2", _) => Some("apigateway:GET"),
        ("s3", "ListBuckets") => Some("s3:ListAllMyBuckets"),
        ("s3", "GetBucketEncryption") => Some("s3:GetEncryptionConfiguration"),
        ("s3", "GetBucketLifecycleConfiguration") => Some("s3:GetLifecycleConfiguration"),
        ("s3", "GetBucketReplication") => Some("s3:GetReplicationConfiguration"),
        ("s3", "GetBucketAccelerateConfiguration") => Some("s3:GetAccelerateConfiguration"),
        ("s3", "GetBucketNotificationConfiguration") => Some("s3:GetBucketNotification"),
        ("s3", "GetPublicAccessBlock") => Some("s3:GetBucketPublicAccessBlock"),
        ("s3", "GetObjectLockConfiguration") => Some("s3:GetBucketObjectLockConfiguration"),
        ("s3", "GetBucketCors") => Some("s3:GetBucketCORS"),
        ("s3control", "GetPublicAccessBlock") => Some("s3:GetAccountPublicAccessBlock"),
        ("lambda", "GetFunctionUrlConfig") => Some("lambda:GetFunctionUrlConfig"),
        ("ecr", "GetRegistryScanningConfiguration") => Some("ecr:GetRegistryScanningConfiguration"),
        _ => None,
    };
    if let Some(action) = special {
        return action.to_owned();
    }
    let prefix = match service {
        "efs" => "elasticfilesystem",
        "emr" => "elasticmapreduce",
        "elb" | "elbv2" => "elasticloadbalancing",
        "opensearch" | "es" => "es",
        "docdb" | "neptune" => "rds",
        "s3control" => "s3",
        "stepfunctions" => "states",
        "cloudwatch" => "cloudwatch",
        "accessanalyzer" => "access-analyzer",
        "opensearchserverless" => "aoss",
        "sso-admin" => "sso",
        "mq" => "mq",
        "waf-regional" => "waf-regional",
        "service-quotas" => "servicequotas",
        "sesv2" => "ses",
        "application-autoscaling" => "application-autoscaling",
        "mwaa" => "airflow",
        "acm-pca" => "acm-pca",
        "network-firewall" => "network-firewall",
        other => Facts::get().service(other).map_or(other, |facts| facts.signing_name.as_str()),
    };
    format!("{prefix}:{operation}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_by_their_iam_names() {
        let cases = [
            ("ec2:DescribeInstances", "ec2:DescribeInstances"),
            ("s3:ListBuckets", "s3:ListAllMyBuckets"),
            ("elbv2:DescribeLoadBalancers", "elasticloadbalancing:DescribeLoadBalancers"),
            ("logs:DescribeLogGroups", "logs:DescribeLogGroups"),
            ("efs:DescribeFileSystems", "elasticfilesystem:DescribeFileSystems"),
            ("apigateway:GetRestApis", "apigateway:GET"),
            ("cloudwatch:DescribeAlarms", "cloudwatch:DescribeAlarms"),
            ("config:DescribeConfigurationRecorders", "config:DescribeConfigurationRecorders"),
            ("opensearch:DescribeDomain", "es:DescribeDomain"),
            ("account:GetAlternateContact", "account:GetAlternateContact"),
            ("dynamodb:DescribeTable", "dynamodb:DescribeTable"),
        ];
        for (call, wanted) in cases {
            assert_eq!(action_of(call), wanted);
        }
    }
}
