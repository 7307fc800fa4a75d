//! Collection end to end against a real HTTP server that answers as AWS does (PyPI's `moto`), seeded with good and bad twins.
//! Failing calls are tested with the verdicts, in `palisade`'s `tests/live.rs`. Needs `PALISADE_TEST_PYTHON` (a Python with `moto[server]`), which `cargo xtask test`
//! sets; without it there is nothing to talk to and nothing is tested.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops where its own set-up is wrong")]

#[path = "moto/server.rs"]
#[expect(dead_code, reason = "shared with the tests of the binary, which use more of it")]
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use aws::{Collected, Config, Environment, Limits, Plan, Watch, collect};
use catalogue::SourceFile;
use model::{Region, Resource, TypeName, Value, to_json};
use server::moto;

fn gather(root: &Path, path: &Path, files: &mut Vec<SourceFile>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            gather(root, &entry.path(), files);
        }
    } else if path.extension().is_some_and(|e| e == "toml") {
        let text = std::fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        files.push(SourceFile { path, text });
    }
}

fn plan() -> Plan {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    let mut files = Vec::new();
    gather(&root, &root.join("aws"), &mut files);
    Plan::new(&catalogue::load(&files).pack.types).unwrap()
}

/// `tries_max` above 1 gets over what moto does while it loads a service.
fn scan(plan: &Plan, url: &str, tries_max: u32) -> Collected {
    let vars = [("AWS_ENDPOINT_URL", url), ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let config = Config {
        environment: Environment::of(&vars),
        regions: vec![Region::new("eu-west-1").unwrap()],
        limits: Limits {
            tries_max,
            wait_min: Duration::from_millis(100),
            wait_max: Duration::from_millis(500),
            throttled_tries_max: 1,
            calls_per_second: 1e6,
            requests_at_once: 8,
            ..Limits::default()
        },
        ..Config::default()
    };
    collect(plan, &config, None, Watch { progress: &|_| {}, keep: None }).unwrap()
}

fn find<'a>(got: &'a Collected, kind: &str, name: &str) -> &'a Resource {
    let fits = |r: &&Resource| r.type_name.as_str() == kind && (r.name.as_deref() == Some(name) || r.id.ends_with(name));
    got.snapshot.resources.iter().find(fits).unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn json(resource: &Resource, path: &str) -> serde_json::Value {
    to_json(resource.prop(path))
}

#[test]
fn moto_end_to_end() {
    let Some(moto) = moto() else { return };
    let plan = plan();
    let url = format!("http://127.0.0.1:{}", moto.port);
    let whole = scan(&plan, &url, 3);
    twins(&whole);
    let again = scan(&plan, &url, 3);
    compare(&whole, &again, "a second time");
    assert_eq!(whole.snapshot.resources.len(), again.snapshot.resources.len());
}

fn twins(got: &Collected) {
    let account = "123456789012";
    let (good, bad) = (find(got, "AWS::S3::Bucket", "good-bucket"), find(got, "AWS::S3::Bucket", "bad-bucket"));
    assert_eq!(
        (json(good, "VersioningConfiguration.Status"), json(bad, "VersioningConfiguration.Status")),
        ("Enabled".into(), ().into())
    );
    assert_eq!(json(good, "PublicAccessBlockConfiguration.BlockPublicAcls"), true);
    assert_eq!(json(bad, "PublicAccessBlockConfiguration.BlockPublicAcls"), false);
    assert_eq!(good.region.as_ref().unwrap().as_str(), "eu-west-1");
    let rule = good.prop("BucketEncryption.ServerSideEncryptionConfiguration").as_list().unwrap()[0].clone();
    assert_eq!(to_json(&rule)["ServerSideEncryptionByDefault"]["SSEAlgorithm"], "aws:kms");
    assert_eq!(json(good, "Tags"), serde_json::json!([{ "Key": "team", "Value": "blue" }]));
    assert_eq!(json(bad, "AccessControl"), "Private");
    let policy = find(got, "AWS::S3::BucketPolicy", "bad-bucket");
    assert_eq!(json(policy, "PolicyDocument")["Statement"][0]["Principal"], "*");
    assert!(!got.snapshot.resources.iter().any(|r| r.type_name.as_str() == "AWS::S3::BucketPolicy" && r.id.contains("good")));

    let group = find(got, "AWS::EC2::SecurityGroup", "bad-group");
    let rules = json(group, "SecurityGroupIngress");
    assert_eq!(
        rules[0],
        serde_json::json!({ "CidrIp": "0.0.0.0/0", "Description": "all", "FromPort": 22, "IpProtocol": "tcp", "ToPort": 22 })
    );
    assert_eq!(rules[1]["CidrIpv6"], "::/0");
    let vpc = find(got, "AWS::EC2::VPC", "main");
    assert_eq!((json(vpc, "CidrBlock"), json(vpc, "EnableDnsSupport")), ("10.1.0.0/16".into(), true.into()));
    let of = |kind: &str| got.snapshot.resources.iter().filter(|r| r.type_name.as_str() == kind).collect::<Vec<_>>();
    let route = of("AWS::EC2::Route").into_iter().find(|r| json(r, "DestinationCidrBlock") == "0.0.0.0/0").unwrap();
    assert!(json(route, "GatewayId").as_str().unwrap().starts_with("igw-"));
    let encrypted: BTreeMap<i64, serde_json::Value> =
        of("AWS::EC2::Volume").iter().map(|v| (v.prop("Size").as_int().unwrap(), json(v, "Encrypted"))).collect();
    assert_eq!((&encrypted[&21], &encrypted[&22]), (&true.into(), &false.into()));
    assert_eq!(of("Palisade::EC2::Snapshot").iter().filter(|s| json(s, "Public") == true).count(), 1);
    assert_eq!(of("AWS::EC2::Instance").len(), 1);

    let ann = find(got, "AWS::IAM::User", "ann");
    assert_eq!(&*ann.id, format!("arn:aws:iam::{account}:user/ann"));
    assert_eq!(json(ann, "Policies")[0]["PolicyDocument"]["Statement"][0]["Action"], "*");
    assert_eq!(json(ann, "LoginProfile.PasswordResetRequired"), false);
    assert!(find(got, "AWS::IAM::User", "bob").prop("LoginProfile").is_null());
    let worker = find(got, "AWS::IAM::Role", "worker");
    assert_eq!((json(worker, "MaxSessionDuration"), json(worker, "Description")), (7200.into(), "works".into()));
    assert_eq!(json(worker, "AssumeRolePolicyDocument")["Statement"][0]["Action"], "sts:AssumeRole");
    let everything = find(got, "AWS::IAM::ManagedPolicy", "everything");
    assert_eq!(json(everything, "PolicyDocument")["Statement"][0]["Resource"], "*");
    let password = find(got, "Palisade::IAM::PasswordPolicy", account);
    assert_eq!((json(password, "IsSet"), json(password, "MinimumPasswordLength")), (true.into(), 8.into()));
    assert_eq!(json(find(got, "Palisade::IAM::CredentialReport", "ann"), "PasswordEnabled"), true);

    let keys = of("AWS::KMS::Key");
    let rotates: BTreeMap<String, serde_json::Value> =
        keys.iter().map(|k| (json(k, "Description").to_string(), json(k, "EnableKeyRotation"))).collect();
    assert_eq!((&rotates["\"good\""], &rotates["\"bad\""]), (&true.into(), &false.into()));
    assert!(find(got, "AWS::SNS::Topic", "bad-topic").prop("KmsMasterKeyId").is_null());
    assert!(!find(got, "AWS::SNS::Topic", "good-topic").prop("KmsMasterKeyId").is_null());
    assert!(!find(got, "AWS::SQS::Queue", "good-queue").prop("KmsMasterKeyId").is_null());
    assert_eq!(of("AWS::SQS::QueuePolicy").len(), 1);
    let recovery = "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled";
    assert_eq!(json(find(got, "AWS::DynamoDB::Table", "good-table"), recovery), true);
    assert_eq!(json(find(got, "AWS::DynamoDB::Table", "bad-table"), recovery), false);
    let function = find(got, "AWS::Lambda::Function", "worker");
    assert_eq!(json(function, "Environment.Variables.TOKEN"), "hunter2");
    assert_eq!(json(of("AWS::Lambda::Permission")[0], "Principal"), "s3.amazonaws.com");
    assert_eq!(json(find(got, "AWS::RDS::DBInstance", "good-db"), "StorageEncrypted"), true);
    assert_eq!(json(find(got, "AWS::RDS::DBInstance", "bad-db"), "PubliclyAccessible"), true);
    assert_eq!(json(find(got, "AWS::Logs::LogGroup", "good-logs"), "RetentionInDays"), 365);
    assert!(find(got, "AWS::Logs::LogGroup", "bad-logs").prop("RetentionInDays").is_null());
    assert_eq!(json(find(got, "AWS::CloudTrail::Trail", "trail"), "IsLogging"), true);
    assert_eq!(json(find(got, "AWS::ECR::Repository", "images"), "ImageTagMutability"), "IMMUTABLE");
    assert_eq!(json(of("AWS::Route53::HostedZone")[0], "Name"), "example.com.");
}

/// What moto makes up anew with each answer.
const VOLATILE: &[&str] = &["LatestDeliveryTime"];

fn compare(whole: &Collected, got: &Collected, what: &str) {
    let types: BTreeSet<&TypeName> = got.snapshot.resources.iter().map(|r| &r.type_name).collect();
    let mut differs = 0;
    for before in whole.snapshot.resources.iter().filter(|r| types.contains(&r.type_name)) {
        let same = |r: &&Resource| r.type_name == before.type_name && r.id == before.id;
        let Some(after) = got.snapshot.resources.iter().find(same) else {
            let told = got.snapshot.gaps.iter().any(|g| g.matters && g.type_name.as_ref() == Some(&before.type_name));
            assert!(told, "{what}: {} is gone and no gap says so", before.id);
            differs += 1;
            continue;
        };
        for (key, value) in before.props.iter().filter(|(k, _)| !VOLATILE.contains(&&***k)) {
            let now = after.props.get(key).unwrap_or(&Value::Null);
            if now != value {
                assert!(now.has_unknown(), "{what}: {} of {} was {value:?} and is now {now:?}", key, before.id);
                differs += 1;
            }
        }
        for (key, value) in after.props.iter().filter(|(k, _)| !before.props.contains_key(k)) {
            assert!(value.has_unknown(), "{what}: {key} of {} is {value:?} out of nothing", before.id);
        }
    }
    for extra in &got.snapshot.resources {
        let known = whole.snapshot.resources.iter().any(|r| r.type_name == extra.type_name && r.id == extra.id);
        assert!(known || extra.props.iter().any(|(_, v)| v.has_unknown()), "{what}: {} came out of nothing", extra.id);
    }
    assert!(differs == 0 || !got.snapshot.gaps.is_empty(), "{what}: no gap");
}
