use catalogue::format::{TypeFile, TypeFolder};
use model::Value;
use serde_json::json;

use super::{Answers, AnswersError, kebab};
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
        file: toml::from_str::<TypeFile>(kind).unwrap(),
        collect: Some(toml::from_str(file).unwrap()),
    };
    Plan::new(&types.iter().map(folder).collect::<Vec<_>>()).unwrap()
}

#[test]
fn a_folder_becomes_the_resources_of_a_live_account() {
    let plan = plan();
    let mut answers = Answers::new(&plan);
    let vpcs = json!({ "Vpcs": [{ "VpcId": "vpc-1", "Tags": [{ "Key": "a", "Value": "b" }] }] }).to_string();
    assert_eq!(answers.add("123456789012/eu-west-1/anything.json", vpcs.as_bytes()), Ok(1));
    let details = json!({ "UserDetailList": [{
        "UserName": "ann", "Arn": "arn:aws:iam::123456789012:user/ann",
        "UserPolicyList": [{ "PolicyName": "p", "PolicyDocument": "%7B%22Version%22%3A%222012-10-17%22%7D" }]
    }], "RoleDetailList": [] });
    assert_eq!(answers.add("iam.json", details.to_string().as_bytes()), Ok(1));
    let snapshot = answers.finish("saved");
    let [vpc, user] = &snapshot.resources[..] else { panic!("{:?}", snapshot.resources) };
    assert_eq!(&*vpc.id, "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-1");
    assert_eq!(vpc.region.as_ref().unwrap().as_str(), "eu-west-1");
    // Only a call per item tells it: unknown, with a gap, and never "not set".
    assert!(matches!(vpc.prop("EnableDnsSupport"), Value::Unknown(_)));
    assert_eq!(snapshot.gaps[0].what, "ec2:DescribeVpcAttribute");
    assert_eq!(user.account.as_ref().unwrap().as_str(), "123456789012");
    let document = user.prop("Policies").as_list().unwrap()[0].get("PolicyDocument").unwrap();
    assert_eq!(document.get("Version").and_then(Value::as_str), Some("2012-10-17"));
}

#[test]
fn what_is_not_an_answer_is_told() {
    let plan = plan();
    let mut answers = Answers::new(&plan);
    assert!(matches!(answers.add("a.json", b"{"), Err(AnswersError::NotJson(_))));
    assert_eq!(answers.add("a.json", b"{\"Other\":[]}"), Err(AnswersError::NotRecognised));
    assert_eq!(answers.add("a.json", b"[]"), Err(AnswersError::NotRecognised));
    assert_eq!(answers.add("a.json", b"{\"Vpcs\":{}}"), Ok(0));
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
        file: toml::from_str::<TypeFile>(kind).unwrap(),
        collect: Some(toml::from_str(file).unwrap()),
    };
    let plan = Plan::new(&[folder]).unwrap();
    let mut answers = Answers::new(&plan);
    assert_eq!(answers.add("123456789012/a.json", b"{\"SummaryMap\":{\"AccountMFAEnabled\":1}}"), Ok(1));
    assert_eq!(answers.add("123456789012/b.json", b"{\"AccountAliases\":[]}"), Ok(1));
    let snapshot = answers.finish("saved");
    let [one] = &snapshot.resources[..] else { panic!("{:?}", snapshot.resources) };
    assert_eq!(one.prop("Mfa"), &Value::Bool(true));
    assert!(one.prop("Alias").is_null(), "the answer says that there is none");
    assert!(matches!(one.prop("Organization"), Value::Unknown(_)));
    let calls: Vec<&str> = snapshot.gaps.iter().map(|g| g.what.as_str()).collect();
    assert_eq!(calls, ["organizations:DescribeOrganization"]);
}

#[test]
fn the_name_decides_between_two_calls() {
    let plan = plan();
    let text = json!({ "repositories": [{ "repositoryName": "r" }] }).to_string();
    let add = |path: &str| Answers::new(&plan).add(path, text.as_bytes());
    assert_eq!(add("x.json"), Err(AnswersError::NotRecognised));
    assert_eq!(add("ecr-public_describe-repositories.json"), Ok(1));
}

#[test]
fn calls_by_their_cli_names() {
    for (call, name) in [
        ("DescribeInstances", "describe-instances"),
        ("DescribeDBInstances", "describe-db-instances"),
        ("ListMFADevices", "list-mfa-devices"),
        ("GetAccountAuthorizationDetails", "get-account-authorization-details"),
    ] {
        assert_eq!(kebab(call), name);
    }
}
