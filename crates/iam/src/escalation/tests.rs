use serde_json::{Value as Json, json};

use super::*;

const ACCOUNT: &str = "111122223333";

fn user(name: &str, statements: Json) -> Json {
    json!({
        "Arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "UserName": name,
        "UserPolicyList": [{ "PolicyName": "own", "PolicyDocument": { "Version": "2012-10-17", "Statement": statements } }],
    })
}

fn role(name: &str, trusted: Json, statements: Json) -> Json {
    json!({
        "Arn": format!("arn:aws:iam::{ACCOUNT}:role/{name}"), "RoleName": name,
        "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole" }] },
        "RolePolicyList": [{ "PolicyName": "own", "PolicyDocument": { "Version": "2012-10-17", "Statement": statements } }],
    })
}

fn allow(actions: &[&str], resource: &str) -> Json {
    json!([{ "Effect": "Allow", "Action": actions, "Resource": resource }])
}

fn account(users: &[Json], roles: &[Json]) -> Account {
    Account::from_authorization_details(&json!({ "UserDetailList": users, "RoleDetailList": roles })).unwrap()
}

/// The ways of the shortest chain of the first principal.
fn chain(account: &Account) -> Option<(Vec<String>, bool)> {
    let graph = graph(account);
    let path = graph.path(0)?;
    Some((path.steps.iter().map(|s| s.way.clone()).collect(), path.certain))
}

fn admin_role(trusted: Json) -> Json {
    role("Admin", trusted, allow(&["*"], "*"))
}

#[test]
fn every_way_that_raises_oneself() {
    let own = format!("arn:aws:iam::{ACCOUNT}:user/eve");
    for (action, way) in [("iam:PutUserPolicy", "iam-007"), ("iam:AttachUserPolicy", "iam-008")] {
        let able = account(&[user("eve", allow(&[action], &own))], &[]);
        assert_eq!(chain(&able), Some((vec![way.to_owned()], true)), "{action}");
        let unable = account(&[user("eve", allow(&[action], "arn:aws:iam::111122223333:user/bob"))], &[]);
        assert_eq!(chain(&unable), None, "{action} on somebody else");
    }
}

#[test]
fn an_action_is_tried_on_what_it_takes() {
    let requests = |resource: &str| {
        let statements = json!([
            { "Effect": "Allow", "Action": "ec2-instance-connect:SendSSHPublicKey", "Resource": resource },
            { "Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*" },
        ]);
        let admin = admin_role(json!({ "Service": "ec2.amazonaws.com" }));
        let account = account(&[user("eve", statements)], &[admin]);
        graph(&account).path(0).map(|path| path.steps[0].requests.clone())
    };
    let instance = format!("arn:aws:ec2:us-east-1:{ACCOUNT}:instance/other");
    let tried = |resource: &str| requests(resource).map(|all| (all[0].1.clone(), all[1].1.clone()));
    assert_eq!(tried("*"), Some((instance.clone(), "*".to_owned())));
    assert_eq!(tried("arn:aws:ec2:*:*:instance/*"), Some((instance, "*".to_owned())));
    let one = format!("arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-1");
    assert_eq!(tried(&one), Some((one.clone(), "*".to_owned())));
    assert_eq!(tried("arn:aws:s3:::bucket"), None, "no resource of the action");
}

#[test]
fn a_role_chain_to_an_admin() {
    let eve = user("eve", allow(&["sts:AssumeRole"], "*"));
    let own = json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:root") });
    let middle = role("Middle", own.clone(), allow(&["sts:AssumeRole"], "arn:aws:iam::111122223333:role/Admin"));
    let admin = admin_role(json!({ "AWS": format!("arn:aws:iam::{ACCOUNT}:role/Middle") }));
    let able = account(std::slice::from_ref(&eve), &[middle, admin]);
    assert_eq!(chain(&able), Some((vec!["sts-001".to_owned(), "sts-001".to_owned()], true)));
    let untrusted = account(&[eve], &[admin_role(json!({ "AWS": "arn:aws:iam::111122223333:user/bob" }))]);
    assert_eq!(chain(&untrusted), None);
}

#[test]
fn passing_a_role_needs_one_that_trusts_the_service() {
    let eve = user("eve", allow(&["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"], "*"));
    let able = account(std::slice::from_ref(&eve), &[admin_role(json!({ "Service": "lambda.amazonaws.com" }))]);
    assert_eq!(chain(&able), Some((vec!["lambda-001".to_owned()], true)));
    let unable = account(&[eve], &[admin_role(json!({ "Service": "ec2.amazonaws.com" }))]);
    assert_eq!(chain(&unable), None);
    let held = json!([
        { "Effect": "Allow", "Action": ["lambda:*", "iam:PassRole"], "Resource": "*" },
        { "Effect": "Deny", "Action": "iam:PassRole", "Resource": "*",
          "Condition": { "StringEquals": { "iam:PassedToService": "lambda.amazonaws.com" } } },
    ]);
    let denied = account(&[user("eve", held)], &[admin_role(json!({ "Service": "lambda.amazonaws.com" }))]);
    assert_eq!(chain(&denied).map(|c| c.1), Some(false), "only what already runs with the role is left");
}

#[test]
fn denials_and_boundaries_hold() {
    let denied = json!([
        { "Effect": "Allow", "Action": "iam:*", "Resource": "*" },
        { "Effect": "Deny", "Action": ["iam:*User*", "iam:*Login*", "iam:*Key*", "iam:*Group*", "iam:*Role*", "iam:*Polic*"], "Resource": "*" },
    ]);
    assert_eq!(chain(&account(&[user("eve", denied)], &[])), None);
    let mut bound = user("eve", allow(&["*"], "*"));
    bound["PermissionsBoundary"] = json!({ "PermissionsBoundaryArn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" });
    let bound = account(&[bound], &[]);
    assert_eq!(graph(&bound).admin, [Truth::False]);
    assert_eq!(chain(&bound), None);
}

#[test]
fn conditions_are_neither_ignored_nor_a_free_pass() {
    let mfa = json!([{ "Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*",
        "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } } }]);
    assert_eq!(chain(&account(&[user("eve", mfa)], &[])), Some((vec!["iam-007".to_owned()], false)));
}

#[test]
fn a_managed_policy_that_was_not_read_is_unknown() {
    let mut eve = user("eve", allow(&["s3:*"], "*"));
    eve["AttachedManagedPolicies"] = json!([{ "PolicyArn": "arn:aws:iam::111122223333:policy/Mystery" }]);
    assert_eq!(graph(&account(&[eve], &[])).admin, [Truth::Unknown]);
    let mut admin = user("eve", allow(&["s3:*"], "*"));
    admin["AttachedManagedPolicies"] = json!([{ "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess" }]);
    assert_eq!(graph(&account(&[admin], &[])).admin, [Truth::True]);
}

#[test]
fn the_list_is_read() {
    assert!(ways().len() >= 65);
    for way in ways() {
        assert!(!way.permissions.is_empty() && way.permissions.iter().all(|p| p.contains(':')), "{}", way.id);
    }
}

#[test]
fn a_way_over_named_resources() {
    let eve = |functions: &str| {
        user(
            "eve",
            json!([
                { "Effect": "Allow", "Action": ["lambda:CreateFunction", "lambda:InvokeFunction"], "Resource": functions },
                { "Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/Adm*" },
            ]),
        )
    };
    let admin = admin_role(json!({ "Service": "lambda.amazonaws.com" }));
    let able = account(&[eve("arn:aws:lambda:eu-west-1:111122223333:function:app-*")], std::slice::from_ref(&admin));
    assert_eq!(chain(&able), Some((vec!["lambda-001".to_owned()], true)));
    let graph = graph(&able);
    let requests = &graph.next[0].as_ref().unwrap().requests;
    let function = "arn:aws:lambda:eu-west-1:111122223333:function:app-x";
    assert!(requests.iter().any(|(a, r)| a == "lambda:CreateFunction" && r == function), "{requests:?}");
    let elsewhere = account(&[eve("arn:aws:lambda:eu-west-1:444455556666:function:app-*")], &[admin]);
    assert_eq!(chain(&elsewhere), None);
}

#[test]
fn principals_of_several_accounts() {
    let mut account = account(&[user("eve", allow(&["*"], "*"))], &[]);
    let other = json!({ "UserDetailList": [{ "Arn": "arn:aws:iam::444455556666:user/bob", "UserName": "bob",
        "UserPolicyList": [{ "PolicyName": "p", "PolicyDocument": { "Version": "2012-10-17", "Statement": allow(&["*"], "*") } }] }] });
    account.principals.extend(Account::from_authorization_details(&other).unwrap().principals);
    let deny = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Action": "iam:*", "Resource": "*" }] });
    let all = json!({ "Version": "2012-10-17", "Statement": allow(&["*"], "*") });
    let organisation = crate::Organisation::from_json(
        &json!({
            "Policies": [{ "Content": all, "Targets": [{ "TargetId": "r-1" }, { "TargetId": "444455556666" }] }, { "Content": deny, "Targets": [{ "TargetId": "444455556666" }] }],
            "Parents": { "111122223333": "r-1", "444455556666": "r-1" },
        }),
        crate::Control::Principals,
    );
    assert_eq!(graph(&account).admin, [Truth::True, Truth::True]);
    account.under(&organisation.unwrap());
    assert_eq!(graph(&account).admin, [Truth::True, Truth::False]);
    let bob = account.find("bob").unwrap();
    assert_eq!(crate::can(&account, bob, "s3:GetObject", "arn:aws:s3:::b/k", &[]).decision, crate::Decision::Allowed);
}
