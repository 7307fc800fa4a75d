use std::sync::Arc;

use catalogue::format::{TypeFile, TypeFolder};
use model::{Reason, Value};
use serde_json::json;

use super::Answers;
use crate::collect::Plan;

fn plan() -> Plan {
    let types = [
        (
            "type = \"AWS::EC2::VPC\"\ntitle = \"VPC\"\nidentifier = [\"VpcId\"]\narn = \"arn:{partition}:ec2:{region}:{account}:vpc/{VpcId}\"",
            "service = \"ec2\"\ncopy = [\"VpcId\"]\ntags = \"Tags\"\n[[list]]\ncall = \"DescribeVpcs\"\nitems = \"Vpcs[]\"\n\
             [[get]]\ncall = \"DescribeVpcAttribute\"\nwith = { VpcId = \"VpcId\", Attribute = \"'enableDnsSupport'\" }\nprops.EnableDnsSupport = \"EnableDnsSupport.Value\"",
        ),
        (
            "type = \"AWS::IAM::User\"\ntitle = \"user\"\nidentifier = [\"UserName\"]",
            "service = \"iam\"\nscope = \"account\"\ncopy = [\"UserName\"]\nattrs.Arn = \"Arn\"\n\
             props.Policies = { each = \"UserPolicyList\", copy = [\"PolicyName\", \"PolicyDocument\"] }\n\
             [[list]]\ncall = \"GetAccountAuthorizationDetails\"\nitems = \"UserDetailList[]\"",
        ),
        (
            "type = \"AWS::ECR::Repository\"\ntitle = \"r\"\nidentifier = [\"RepositoryName\"]",
            "service = \"ecr\"\ncopy = [\"RepositoryName\"]\n[[list]]\ncall = \"DescribeRepositories\"\nitems = \"repositories[]\"",
        ),
        (
            "type = \"AWS::ECR::PublicRepository\"\ntitle = \"r\"\nidentifier = [\"RepositoryName\"]",
            "service = \"ecr-public\"\ncopy = [\"RepositoryName\"]\n[[list]]\ncall = \"DescribeRepositories\"\nitems = \"repositories[]\"",
        ),
    ];
    let folder = |(kind, file): &(&str, &str)| TypeFolder {
        folder: "aws/x/y".into(),
        file: Arc::new(toml::from_str::<TypeFile>(kind).unwrap()),
        collect: Some(toml::from_str(file).unwrap()),
    };
    Plan::new(&types.iter().map(folder).collect::<Vec<_>>()).unwrap()
}

#[test]
fn a_folder_becomes_the_resources_of_a_live_account() {
    let plan = plan();
    let mut answers = Answers::new(&plan);
    let vpcs = json!({ "Vpcs": [{ "VpcId": "vpc-1", "Tags": [{ "Key": "a", "Value": "b" }] }] });
    assert!(answers.knows("x.json", &vpcs));
    assert!(answers.add("123456789012/eu-west-1/anything.json", &vpcs));
    let details = json!({ "UserDetailList": [{
        "UserName": "ann", "Arn": "arn:aws:iam::123456789012:user/ann",
        "UserPolicyList": [{ "PolicyName": "p", "PolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%7D" }]
    }], "RoleDetailList": [] });
    assert!(answers.add("iam.json", &details));
    let snapshot = answers.finish("saved");
    let [vpc, user] = &snapshot.resources[..] else { panic!("{:?}", snapshot.resources) };
    assert_eq!(&*vpc.id, "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1");
    assert_eq!(vpc.region.as_ref().unwrap().as_str(), "eu-west-1");
    // Only a call per item tells it: unknown, with a gap, and never "not set".
    assert!(matches!(vpc.prop("EnableDnsSupport"), Value::Unknown(_)));
    let calls: Vec<&str> = snapshot.gaps.iter().map(|g| g.what.as_str()).collect();
    // No file lists repositories, so nothing can be said of them.
    let wanted = ["ec2:DescribeVpcAttribute", "ecr-public:DescribeRepositories", "ecr:DescribeRepositories"];
    assert_eq!(calls, wanted);
    assert_eq!(vpc.origin.file.as_deref(), Some("123456789012/eu-west-1/anything.json"));
    assert_eq!(user.account.as_ref().unwrap().as_str(), "123456789012");
    let document = user.prop("Policies").as_list().unwrap()[0].get("PolicyDocument").unwrap();
    assert_eq!(document.get("Version").and_then(Value::as_str), Some("2012-10-17"));
}

#[test]
fn what_is_not_an_answer_is_told() {
    let plan = plan();
    let mut answers = Answers::new(&plan);
    for document in [json!({ "Other": [] }), json!([]), json!("x")] {
        assert!(!answers.knows("a.json", &document));
        assert!(!answers.add("a.json", &document));
    }
    assert!(answers.add("a.json", &json!({ "Vpcs": {} })));
    assert!(answers.finish("saved").resources.is_empty());
}

#[test]
fn a_type_that_is_listed_in_one_region_only_is_a_gap_in_the_other() {
    let plan = plan();
    let mut answers = Answers::new(&plan);
    let one = json!({ "repositories": [] });
    for (path, document) in [
        ("123456789012/eu-west-1/vpcs.json", json!({ "Vpcs": [] })),
        ("123456789012/us-east-1/ecr-public_describe-repositories.json", one.clone()),
        ("123456789012/us-east-1/ecr_describe-repositories.json", one),
    ] {
        assert!(answers.add(path, &document));
    }
    let gaps = answers.finish("saved").gaps;
    let told: Vec<_> = gaps.iter().map(|g| (g.what.as_str(), g.region.as_ref().map_or("", |r| r.as_str()))).collect();
    let wanted = [
        ("ec2:DescribeVpcs", "us-east-1"),
        ("ecr-public:DescribeRepositories", "eu-west-1"),
        ("ecr:DescribeRepositories", "eu-west-1"),
        ("iam:GetAccountAuthorizationDetails", ""),
    ];
    assert_eq!(told, wanted);
}

#[test]
fn what_is_told_of_one_item_is_joined_to_it() {
    let plan = plan();
    let mut answers = Answers::new(&plan);
    let vpc = |id: &str| json!({ "VpcId": id });
    assert!(answers.add("vpcs.json", &json!({ "Vpcs": [vpc("vpc-1"), vpc("vpc-12"), vpc("vpc-3"), vpc("vpc-4")] })));
    let support = |value: bool| json!({ "EnableDnsSupport": { "Value": value } });
    assert!(answers.add("describe-vpc-attribute_vpc-1.json", &support(true)));
    assert!(answers.add("DescribeVpcAttribute/vpc-12.json", &support(false)));
    let denied = "\nAn error occurred (UnauthorizedOperation) when calling the DescribeVpcAttribute operation: no\n";
    assert!(answers.add_failure("describe-vpc-attribute_vpc-3.json", denied));
    assert!(!answers.add_failure("x.json", "Could not connect"));
    let snapshot = answers.finish("saved");
    let found: Vec<&Value> = snapshot.resources.iter().map(|r| r.prop("EnableDnsSupport")).collect();
    let [one, twelve, three, four] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((*one, *twelve), (&Value::Bool(true), &Value::Bool(false)));
    let reason = |v: &Value| if let Value::Unknown(why) = v { Some(why.reason) } else { None };
    assert_eq!((reason(three), reason(four)), (Some(Reason::AccessDenied), Some(Reason::NotCollected)));
}

#[test]
fn wrapped_answers_name_their_parent() {
    let kind = "type = \"AWS::ElasticLoadBalancingV2::LoadBalancer\"\ntitle = \"l\"\nidentifier = [\"LoadBalancerArn\"]";
    let file = "service = \"elbv2\"\nprops.LoadBalancerArn = \"LoadBalancerArn\"\n[[list]]\ncall = \"DescribeLoadBalancers\"\nitems = \"LoadBalancers[]\"\n\
        [[get]]\ncall = \"DescribeLoadBalancerAttributes\"\nwith.LoadBalancerArn = \"LoadBalancerArn\"\nprops.First = \"Attributes[0].Value\"\n";
    let folder = TypeFolder {
        folder: "aws/x/y".into(),
        file: Arc::new(toml::from_str::<TypeFile>(kind).unwrap()),
        collect: Some(toml::from_str(file).unwrap()),
    };
    let plan = Plan::new(&[folder]).unwrap();
    let mut answers = Answers::new(&plan);
    let one = |arn: &str, value: &str| json!({ "LoadBalancerArn": arn, "Attributes": [{ "Key": "k", "Value": value }] });
    assert!(answers.add("a.json", &json!({ "LoadBalancers": [{ "LoadBalancerArn": "a" }, { "LoadBalancerArn": "b" }] })));
    assert!(answers.add("b.json", &json!({ "LoadBalancerAttributes": [one("b", "of b"), one("a", "of a")] })));
    let found: Vec<_> = answers.finish("saved").resources.iter().map(|r| r.prop("First").clone()).collect();
    assert_eq!(found, [Value::text("of a"), Value::text("of b")]);
}

#[test]
fn what_there_is_one_of_is_put_together() {
    let kind = "type = \"Palisade::Account::Settings\"\ntitle = \"a\"\nidentifier = [\"AccountId\"]";
    let file = "service = \"iam\"\nscope = \"account\"\nprops.AccountId = \"{account}\"\n\
        [[get]]\ncall = \"GetAccountSummary\"\nprops.Mfa = \"SummaryMap.AccountMFAEnabled | bool\"\n\
        [[get]]\ncall = \"ListAccountAliases\"\nprops.Alias = \"AccountAliases[0]\"\n\
        [[get]]\nservice = \"organizations\"\ncall = \"DescribeOrganization\"\nprops.Organization = \"Organization.Id\"\n";
    let folder = TypeFolder {
        folder: "aws/account/settings".into(),
        file: Arc::new(toml::from_str::<TypeFile>(kind).unwrap()),
        collect: Some(toml::from_str(file).unwrap()),
    };
    let plan = Plan::new(&[folder]).unwrap();
    let mut answers = Answers::new(&plan);
    assert!(answers.add("123456789012/a.json", &json!({ "SummaryMap": { "AccountMFAEnabled": 1 } })));
    assert!(answers.add("123456789012/b.json", &json!({ "AccountAliases": [] })));
    let snapshot = answers.finish("saved");
    let [one] = &snapshot.resources[..] else { panic!("{:?}", snapshot.resources) };
    assert_eq!(one.prop("Mfa"), &Value::Bool(true));
    assert!(one.prop("Alias").is_null(), "the answer says that there is none");
    assert!(matches!(one.prop("Organization"), Value::Unknown(_)));
    let calls: Vec<&str> = snapshot.gaps.iter().map(|g| g.what.as_str()).collect();
    assert_eq!(calls, ["organizations:DescribeOrganization"]);
}

#[test]
fn the_name_or_the_shape_decides_between_two_calls() {
    let plan = plan();
    let found = |path: &str, item: serde_json::Value| {
        let mut answers = Answers::new(&plan);
        answers.add(path, &json!({ "repositories": [item] })).then_some(())?;
        Some(answers.finish("saved").resources[0].type_name.to_string())
    };
    let both = json!({ "repositoryName": "r" });
    assert_eq!(found("x.json", both.clone()), None);
    assert_eq!(found("ecr-public_describe-repositories.json", both).as_deref(), Some("AWS::ECR::PublicRepository"));
    let private = json!({ "repositoryName": "r", "imageTagMutability": "MUTABLE" });
    assert_eq!(found("x.json", private).as_deref(), Some("AWS::ECR::Repository"));
}
