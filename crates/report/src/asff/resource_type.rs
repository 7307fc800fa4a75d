//! The names that ASFF gives to resource types (Security Hub user guide, "Resources", `Type`).

use model::TypeName;

/// Types whose name is not made of the CloudFormation name by the rule.
const IRREGULAR: &[(&str, &str)] = &[
    ("AWS::AmazonMQ::Broker", "AwsAmazonMqBroker"),
    ("AWS::AppSync::GraphQLApi", "AwsAppSyncGraphQlApi"),
    ("AWS::EC2::VPCEndpointService", "AwsEc2VpcEndpointService"),
    ("AWS::ElasticLoadBalancing::LoadBalancer", "AwsElbLoadBalancer"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "AwsElbv2LoadBalancer"),
    ("AWS::Events::EventBus", "AwsEventsEventbus"),
    ("AWS::IAM::ManagedPolicy", "AwsIamPolicy"),
    ("AWS::WAFv2::RuleGroup", "AwsWafv2RuleGroup"),
    ("AWS::WAFv2::WebACL", "AwsWafv2WebAcl"),
];

/// The types that ASFF names and the rule gives.
const REGULAR: &[&str] = &[
    "AwsApiGatewayRestApi",
    "AwsApiGatewayStage",
    "AwsApiGatewayV2Api",
    "AwsApiGatewayV2Stage",
    "AwsAthenaWorkGroup",
    "AwsAutoScalingAutoScalingGroup",
    "AwsAutoScalingLaunchConfiguration",
    "AwsBackupBackupPlan",
    "AwsBackupBackupVault",
    "AwsCertificateManagerCertificate",
    "AwsCloudFormationStack",
    "AwsCloudFrontDistribution",
    "AwsCloudTrailTrail",
    "AwsCloudWatchAlarm",
    "AwsCodeBuildProject",
    "AwsDmsEndpoint",
    "AwsDmsReplicationInstance",
    "AwsDmsReplicationTask",
    "AwsDynamoDbTable",
    "AwsEc2Eip",
    "AwsEc2Instance",
    "AwsEc2LaunchTemplate",
    "AwsEc2NetworkAcl",
    "AwsEc2NetworkInterface",
    "AwsEc2RouteTable",
    "AwsEc2SecurityGroup",
    "AwsEc2Subnet",
    "AwsEc2TransitGateway",
    "AwsEc2Volume",
    "AwsEc2Vpc",
    "AwsEc2VpcPeeringConnection",
    "AwsEc2VpnConnection",
    "AwsEcrRepository",
    "AwsEcsCluster",
    "AwsEcsService",
    "AwsEcsTaskDefinition",
    "AwsEfsAccessPoint",
    "AwsEksCluster",
    "AwsElasticBeanstalkEnvironment",
    "AwsElasticsearchDomain",
    "AwsGuardDutyDetector",
    "AwsIamAccessKey",
    "AwsIamGroup",
    "AwsIamPolicy",
    "AwsIamRole",
    "AwsIamUser",
    "AwsKinesisStream",
    "AwsKmsKey",
    "AwsLambdaFunction",
    "AwsLambdaLayerVersion",
    "AwsMskCluster",
    "AwsNetworkFirewallFirewall",
    "AwsNetworkFirewallFirewallPolicy",
    "AwsNetworkFirewallRuleGroup",
    "AwsOpenSearchServiceDomain",
    "AwsRdsDbCluster",
    "AwsRdsDbInstance",
    "AwsRdsDbSecurityGroup",
    "AwsRdsEventSubscription",
    "AwsRedshiftCluster",
    "AwsRoute53HostedZone",
    "AwsS3AccessPoint",
    "AwsS3Bucket",
    "AwsSageMakerNotebookInstance",
    "AwsSecretsManagerSecret",
    "AwsSnsTopic",
    "AwsSqsQueue",
    "AwsStepFunctionsStateMachine",
];

/// ASFF's name of a type; `Other` for one that it does not name.
pub(super) fn of(type_name: &TypeName) -> &'static str {
    let irregular = IRREGULAR.iter().find(|(ours, _)| *ours == type_name.as_str());
    if let Some((_, theirs)) = irregular {
        return theirs;
    }
    let made: String = type_name.as_str().split("::").map(capitalised).collect();
    REGULAR.iter().find(|known| **known == made).copied().unwrap_or("Other")
}

/// `DBInstance` as `DbInstance`, `EC2` as `Ec2`, `DynamoDB` as `DynamoDb`: a run of capitals keeps its first, and its last if
/// a small letter follows.
fn capitalised(part: &str) -> String {
    let letters: Vec<char> = part.chars().collect();
    let large = |n: Option<usize>| n.and_then(|n| letters.get(n)).is_some_and(char::is_ascii_uppercase);
    let small = |n: usize| letters.get(n).is_some_and(char::is_ascii_lowercase);
    let keep = |n: usize| !large(n.checked_sub(1)) || small(n + 1);
    letters.iter().enumerate().map(|(n, c)| if keep(n) { *c } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_security_hub() {
        for (ours, theirs) in [
            ("AWS::S3::Bucket", "AwsS3Bucket"),
            ("AWS::RDS::DBInstance", "AwsRdsDbInstance"),
            ("AWS::EC2::VPC", "AwsEc2Vpc"),
            ("AWS::DynamoDB::Table", "AwsDynamoDbTable"),
            ("AWS::ApiGatewayV2::Api", "AwsApiGatewayV2Api"),
            ("AWS::Route53::HostedZone", "AwsRoute53HostedZone"),
            ("AWS::ElasticLoadBalancingV2::LoadBalancer", "AwsElbv2LoadBalancer"),
            ("AWS::Made::Up", "Other"),
        ] {
            assert_eq!(of(&TypeName::new(ours).unwrap()), theirs);
        }
    }
}
