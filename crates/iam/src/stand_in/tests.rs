use model::{SourceKind, Text, TypeName, Unknown};

use super::*;
use crate::facts::DocumentFacts;
use crate::{Policy, exposure};

const SCOPE: ScopeIndex = ScopeIndex(0);

/// Id, type, properties.
type Written<'a> = (&'a str, &'a str, &'a [(&'a str, Value)]);

fn snapshot(resources: &[Written<'_>]) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let scope = snapshot.add_scope("t.yaml", SourceKind::CloudFormation);
    for (id, kind, props) in resources {
        let mut resource = Resource::new(*id, TypeName::new(kind).unwrap(), scope);
        resource.props = props.iter().map(|(key, value)| (Text::from(*key), value.clone())).collect();
        snapshot.resources.push(resource);
    }
    snapshot
}

fn unknown(reason: Reason, what: &str) -> Value {
    Value::Unknown(Box::new(Unknown { reason, what: what.into(), present: true }))
}

fn parameter(what: &str) -> Value {
    unknown(Reason::NoDefaultParameter, what)
}

fn pseudo(what: &str) -> Value {
    unknown(Reason::DynamicReference, what)
}

fn mixed(parts: &[Value]) -> Value {
    Value::Mixed(parts.to_vec())
}

fn map(members: &[(&str, Value)]) -> Value {
    Value::Map(members.iter().map(|(key, value)| (Text::from(*key), value.clone())).collect())
}

fn statement(effect: &str, action: &str, resource: Value) -> Value {
    let text = Value::text;
    map(&[("Effect", text(effect)), ("Principal", text("*")), ("Action", text(action)), ("Resource", resource)])
}

fn document(statements: Vec<Value>) -> Value {
    map(&[("Version", Value::text("2012-10-17")), ("Statement", Value::List(statements))])
}

fn public(snapshot: &Snapshot, statements: Vec<Value>) -> model::Truth {
    DocumentFacts::new(&StandIns::new(snapshot).document(&document(statements), SCOPE, None), None).public().truth
}

fn pattern(snapshot: &Snapshot, value: Value) -> Value {
    let all = StandIns::new(snapshot);
    Inside { all: &all, scope: SCOPE, account: OWN_ACCOUNT }.pattern(&value, true)
}

#[test]
fn the_same_thing_has_the_same_name_however_it_is_written() {
    let shop = snapshot(&[
        ("B", "AWS::S3::Bucket", &[]),
        ("N", "AWS::S3::Bucket", &[("BucketName", mixed(&[Value::text("shop-"), pseudo("AWS::AccountId")]))]),
        ("T", "AWS::SNS::Topic", &[]),
        ("R", "AWS::IAM::Role", &[("Path", Value::text("/app/"))]),
        ("K", "AWS::KMS::Key", &[]),
    ]);
    let text = Value::text;
    let s3 = [text("arn:"), pseudo("AWS::Partition"), text(":s3:::")];
    let joined = |more: &[Value]| Value::Mixed(s3.iter().chain(more).cloned().collect());
    let place = [text("arn:aws:sns:"), pseudo("AWS::Region"), text(":"), pseudo("AWS::AccountId"), text(":")];
    for (written, want) in [
        (Value::link("B", "Arn"), "arn:aws:s3:::⟨-B-⟩"),
        (mixed(&[Value::link("B", "Arn"), text("/*")]), "arn:aws:s3:::⟨-B-⟩/*"),
        (joined(&[Value::link("B", ""), text("/*")]), "arn:aws:s3:::⟨-B-⟩/*"),
        (joined(&[Value::link("N", "")]), "arn:aws:s3:::shop-⟨own-account⟩"),
        (joined(&[text("shop-"), pseudo("AWS::AccountId")]), "arn:aws:s3:::shop-⟨own-account⟩"),
        (Value::link("N", "Arn"), "arn:aws:s3:::shop-⟨own-account⟩"),
        (Value::link("T", ""), "arn:aws:sns:⟨own-region⟩:⟨own-account⟩:⟨-T-⟩"),
        (Value::link("T", "TopicArn"), "arn:aws:sns:⟨own-region⟩:⟨own-account⟩:⟨-T-⟩"),
        (
            Value::Mixed(place.iter().cloned().chain([Value::link("T", "TopicName")]).collect()),
            "arn:aws:sns:⟨own-region⟩:⟨own-account⟩:⟨-T-⟩",
        ),
        (Value::link("R", "Arn"), "arn:aws:iam::⟨own-account⟩:role/app/⟨-R-⟩"),
        (Value::link("K", "Arn"), "arn:aws:kms:⟨own-region⟩:⟨own-account⟩:key/⟨K⟩"),
    ] {
        assert_eq!(pattern(&shop, written.clone()), Value::text(want), "{written:?}");
    }
}

#[test]
fn what_nobody_knows_stays_unknown() {
    let shop = snapshot(&[("B", "AWS::S3::Bucket", &[])]);
    for value in [
        Value::link("Gone", "Arn"),
        parameter("BucketArn"),
        mixed(&[Value::text("arn:aws:s3:::"), parameter("Name"), Value::text("/*")]),
        mixed(&[Value::text("arn:aws:s3:::"), unknown(Reason::AfterApply, "aws_s3_bucket.b.id")]),
    ] {
        assert_eq!(pattern(&shop, value.clone()), value);
    }
}

#[test]
fn an_id_brings_no_wildcard_in() {
    let shop = snapshot(&[("aws_s3_bucket.b[\"*:?$\"]", "AWS::S3::Bucket", &[])]);
    let got = pattern(&shop, Value::link("aws_s3_bucket.b[\"*:?$\"]", "Arn"));
    assert_eq!(got, Value::text("arn:aws:s3:::⟨-aws_s3_bucket.b[\"----\"]-⟩"));
}

#[test]
fn who_is_public() {
    use model::Truth::{False, True, Unknown};
    let shop = snapshot(&[
        ("B", "AWS::S3::Bucket", &[]),
        ("Other", "AWS::S3::Bucket", &[]),
        ("Given", "AWS::S3::Bucket", &[("BucketName", parameter("Name"))]),
        ("T", "AWS::SNS::Topic", &[]),
    ]);
    let objects = |id: &str| mixed(&[Value::link(id, "Arn"), Value::text("/*")]);
    let by_name = |part: Value| mixed(&[Value::text("arn:aws:s3:::"), part, Value::text("/*")]);
    let allow = |action: &str, resource: Value| statement("Allow", action, resource);
    let deny = |resource: Value| statement("Deny", "s3:*", resource);
    let get = "s3:GetObject";
    for (statements, want) in [
        (vec![allow(get, objects("B"))], True),
        (vec![allow("sns:Publish", Value::link("T", ""))], True),
        (vec![allow(get, objects("B")), deny(by_name(Value::link("B", "")))], False),
        (vec![allow(get, objects("B")), deny(objects("Other"))], True),
        (vec![deny(objects("B"))], False),
        (vec![allow(get, by_name(parameter("Name")))], True),
        (vec![allow(get, objects("Given")), deny(by_name(parameter("Name")))], False),
        (vec![allow(get, by_name(parameter("Elsewhere")))], Unknown),
        (vec![allow(get, objects("B")), deny(by_name(parameter("Elsewhere")))], Unknown),
    ] {
        assert_eq!(public(&shop, statements.clone()), want, "{statements:?}");
    }
}

#[test]
fn a_named_resource_is_not_every_resource() {
    let shop = snapshot(&[("B", "AWS::S3::Bucket", &[])]);
    let document = document(vec![map(&[
        ("Effect", Value::text("Allow")),
        ("Action", Value::text("*")),
        ("Resource", Value::link("B", "Arn")),
    ])]);
    assert_eq!(DocumentFacts::new(&document, None).admin().truth, model::Truth::Unknown);
    let settled = StandIns::new(&shop).document(&document, SCOPE, None);
    assert_eq!(DocumentFacts::new(&settled, None).admin().truth, model::Truth::False);
}

#[test]
fn names_that_go_round_in_a_circle_end() {
    let named = |other: &str| [("BucketName", mixed(&[Value::link(other, ""), Value::text("-x")]))];
    let shop = snapshot(&[("A", "AWS::S3::Bucket", &named("B")), ("B", "AWS::S3::Bucket", &named("A"))]);
    assert_eq!(pattern(&shop, Value::link("A", "Arn")), Value::text("arn:aws:s3:::⟨A⟩"));
}

#[test]
fn conditions_on_the_source_hold_strangers_off() {
    let shop = snapshot(&[("Q", "AWS::SQS::Queue", &[]), ("T", "AWS::SNS::Topic", &[]), ("E", "AWS::EC2::VPCEndpoint", &[])]);
    let topics =
        [Value::text("arn:aws:sns:"), pseudo("AWS::Region"), Value::text(":"), pseudo("AWS::AccountId"), Value::text(":*")];
    for (operator, key, value, want) in [
        ("ArnEquals", "aws:SourceArn", Value::link("T", ""), "no"),
        ("ArnLike", "aws:SourceArn", mixed(&topics), "no"),
        ("StringEquals", "AWS:SourceAccount", pseudo("AWS::AccountId"), "no"),
        ("StringEquals", "aws:SourceVpce", Value::List(vec![Value::link("E", "")]), "public_if"),
        ("StringNotEquals", "aws:SourceAccount", pseudo("AWS::AccountId"), "public"),
        ("StringEquals", "aws:SourceAccount", Value::text("111122223333"), "cross_account"),
        ("StringEquals", "aws:SourceAccount", parameter("Partner"), "unknown"),
        ("ArnEquals", "aws:SourceArn", Value::link("Gone", "Arn"), "unknown"),
    ] {
        let Value::Map(mut one) = statement("Allow", "sqs:SendMessage", Value::link("Q", "Arn")) else { panic!() };
        one.insert("Condition", map(&[(operator, map(&[(key, value.clone())]))]));
        let document = document(vec![Value::Map(one)]);
        let settled = StandIns::new(&shop).document(&document, SCOPE, None);
        let found = exposure(&Policy::from_value(&settled), None);
        assert_eq!(found.openness.name(), want, "{operator} {key} {value:?}: {found:?}");
    }
}
