use serde_json::json;

use super::*;
use crate::facts;
use crate::{Decision, can};

fn all() -> Json {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] })
}

fn deny(action: &str) -> Json {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*" }] })
}

fn target(id: &str) -> Json {
    json!({ "TargetId": id })
}

fn account() -> Account {
    let details = json!({ "UserDetailList": [{ "Arn": "arn:aws:iam::111122223333:user/ann", "UserName": "ann",
        "UserPolicyList": [{ "PolicyName": "p", "PolicyDocument": all() }] }] });
    Account::from_authorization_details(&details).unwrap()
}

fn under(document: &Json) -> Account {
    let mut account = account();
    account.under(&Organisation::from_json(document, Control::Principals).unwrap());
    account
}

fn decide(account: &Account, action: &str) -> (Decision, Vec<String>) {
    let access = can(account, account.find("ann").unwrap(), action, "arn:aws:s3:::b", &[]);
    (access.decision, access.blocked_by)
}

/// A root, a unit in a unit, the account, and a unit beside them.
fn tree(denying: &str, at: &str) -> Json {
    json!({
        "Policies": [
            { "Name": "FullAWSAccess", "Content": all().to_string(), "Targets": [target("r-1"), target("ou-1"), target("ou-2"), target("ou-3"), target("111122223333")] },
            { "Name": "No", "Content": deny(denying), "Targets": [target(at)] },
        ],
        "Parents": { "111122223333": "ou-2", "ou-2": "ou-1", "ou-1": "r-1", "ou-3": "r-1" },
    })
}

#[test]
fn every_level_of_the_path_counts() {
    for (at, denied) in [("r-1", true), ("ou-1", true), ("ou-2", true), ("111122223333", true), ("ou-3", false)] {
        let account = under(&tree("s3:*", at));
        let nodes: Vec<&str> = account.scp.iter().map(|l| l.node.as_str()).collect();
        assert_eq!(nodes, ["r-1", "ou-1", "ou-2", "111122223333"]);
        let want = if denied { (Decision::ExplicitlyDenied, vec![format!("scp:{at}")]) } else { (Decision::Allowed, Vec::new()) };
        assert_eq!(decide(&account, "s3:ListBucket"), want, "at {at}");
    }
}

#[test]
fn a_level_that_allows_less() {
    let mut document = tree("ec2:*", "ou-3");
    document["Policies"][0]["Targets"] = json!([target("r-1"), target("ou-1"), target("111122223333")]);
    let only = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "ec2:*", "Resource": "*" }] });
    document["Policies"].as_array_mut().unwrap().push(json!({ "Content": only, "Targets": [target("ou-2")] }));
    let account = under(&document);
    assert_eq!(decide(&account, "s3:ListBucket"), (Decision::ImplicitlyDenied, vec!["scp:ou-2".to_owned()]));
    assert_eq!(decide(&account, "ec2:RunInstances").0, Decision::Allowed);
}

#[test]
fn the_management_account_is_left_alone() {
    let mut document = tree("s3:*", "r-1");
    document["ManagementAccountId"] = json!("111122223333");
    assert_eq!(decide(&under(&document), "s3:ListBucket").0, Decision::Allowed);
}

#[test]
fn what_cannot_be_placed_is_told() {
    for (parents, words) in [
        (json!({ "ou-2": "r-1" }), "the place of the account"),
        (json!({ "111122223333": "ou-2" }), "the parent of `ou-2`"),
        (json!({ "111122223333": "ou-2", "ou-2": "ou-1", "ou-1": "ou-2" }), "circle"),
    ] {
        let mut document = tree("s3:*", "r-1");
        document["Parents"] = parents;
        let account = under(&document);
        assert!(account.scp.is_empty() && account.reasons.iter().any(|r| r.contains(words)), "{:?}", account.reasons);
    }
    for wrong in [
        json!({ "Policies": [{}] }),
        json!(7),
        json!({ "Policies": [], "Parents": [] }),
        json!({ "Policies": [{ "Content": all(), "Targets": [{}] }] }),
    ] {
        assert!(Organisation::from_json(&wrong, Control::Principals).is_err(), "{wrong}");
    }
}

#[test]
fn without_parents_the_targets_are_the_path() {
    let document = json!({ "Policies": [
        { "Name": "FullAWSAccess", "Content": all().to_string(), "Targets": [target("r-1"), target("ou-1")] },
        { "Name": "NoS3", "Content": deny("s3:*"), "Targets": [target("ou-1")] },
        { "Name": "Other", "Content": deny("s3:*"), "Targets": [target("999999999999")] },
    ] });
    let account = under(&document);
    assert_eq!(account.scp.iter().map(|l| l.node.as_str()).collect::<Vec<_>>(), ["r-1", "ou-1"]);
    assert_eq!(decide(&account, "s3:ListBucket"), (Decision::ExplicitlyDenied, vec!["scp:ou-1".to_owned()]));
    assert_eq!(decide(&account, "ec2:RunInstances").0, Decision::Allowed);
    let levels = under(&json!([{ "node": "r-1", "policies": [] }]));
    assert_eq!(decide(&levels, "ec2:RunInstances"), (Decision::ImplicitlyDenied, vec!["scp:r-1".to_owned()]));
}

#[test]
fn resource_control_policies_hold_for_the_own_resources() {
    let document = json!({ "Policies": [
        { "Type": "RESOURCE_CONTROL_POLICY", "Content": deny("s3:*"), "Targets": [target("r-1")] },
        { "Type": "TAG_POLICY", "Content": "{}", "Targets": [target("r-1")] },
    ] });
    let account = under(&document);
    assert_eq!(decide(&account, "s3:ListBucket"), (Decision::ExplicitlyDenied, vec!["rcp:r-1".to_owned()]));
    let elsewhere = can(&account, account.find("ann").unwrap(), "sqs:SendMessage", "arn:aws:sqs:eu-west-1:999999999999:q", &[]);
    assert_ne!(elsewhere.blocked_by, ["rcp:r-1"]);
}

#[test]
fn what_an_organisation_keeps_to_itself_is_not_public() {
    let open = Value::text(json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" }] }).to_string());
    let perimeter = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
        "Condition": { "StringNotEqualsIfExists": { "aws:PrincipalOrgID": "o-1" } } }] });
    let document =
        json!({ "Policies": [{ "Type": "RESOURCE_CONTROL_POLICY", "Content": perimeter, "Targets": [target("r-1")] }] });
    let organisation = Organisation::from_json(&document, Control::Resources).unwrap();
    let rcp = organisation.levels(Control::Resources, Some("111122223333")).unwrap();
    let owner = crate::Owner { account: Some("111122223333"), rcp: &rcp, resource: None };
    assert_eq!(facts::DocumentFacts::new(&open, Some("111122223333")).public().truth, model::Truth::True);
    assert_eq!(facts::DocumentFacts::new(&open, owner).public().truth, model::Truth::False);
}

#[test]
fn from_a_template() {
    use model::{SourceKind, TypeName};
    let mut snapshot = Snapshot::default();
    let scope = snapshot.add_scope("t.yaml", SourceKind::CloudFormation);
    let mut add = |id: &str, kind: &str, props: Vec<(&str, Value)>| {
        let mut resource = Resource::new(id, TypeName::new(kind).unwrap(), scope);
        resource.props = props.into_iter().map(|(k, v)| (Text::from(k), v)).collect();
        snapshot.resources.push(resource);
    };
    let list = |value: Value| Value::List(vec![value]);
    add("Unit", "AWS::Organizations::OrganizationalUnit", vec![("ParentId", Value::text("r-1"))]);
    add(
        "Shop",
        "AWS::Organizations::Account",
        vec![("AccountId", Value::text("111122223333")), ("ParentIds", list(Value::link("Unit", "")))],
    );
    add(
        "No",
        "AWS::Organizations::Policy",
        vec![
            ("Type", Value::text("SERVICE_CONTROL_POLICY")),
            ("Content", model::from_json(&deny("s3:*"))),
            ("TargetIds", list(Value::link("Unit", "Id"))),
        ],
    );
    let mut account = account();
    account.under(&Organisation::from_snapshot(&snapshot));
    assert_eq!(decide(&account, "s3:ListBucket"), (Decision::ExplicitlyDenied, vec!["scp:Unit".to_owned()]));
}
