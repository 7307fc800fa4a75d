//! Snapshot files and folders of saved AWS CLI answers as input, end to end with the real binary.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops where its own set-up is wrong")]

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    let output = command.args(args).current_dir(dir).env_clear().output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or_else(|| panic!("{args:?} ended by a signal"));
    (code, text(output.stdout), text(output.stderr))
}

fn scan(dir: &Path, args: &[&str]) -> Value {
    let (_, out, err) = run(dir, &[&["scan", "-f", "json", "--all"], args].concat());
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{args:?}: {e}\n{out}{err}"))
}

fn write(dir: &Path, path: &str, text: impl AsRef<[u8]>) {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn answer(dir: &Path, path: &str, answer: &Value) {
    write(dir, path, serde_json::to_string_pretty(answer).unwrap());
}

/// The verdict of a check on the resource whose id ends so.
fn verdict(report: &Value, check: &str, resource: &str) -> String {
    let of = |f: &&Value| f["check"] == check && f["resource"]["id"].as_str().unwrap().ends_with(resource);
    let found = report["findings"].as_array().unwrap().iter().find(of);
    found.map_or("none", |f| f["verdict"].as_str().unwrap()).to_owned()
}

fn gaps(report: &Value, file: &str) -> Vec<String> {
    let gaps = report["gaps"].as_array().unwrap().iter();
    let mut told: Vec<String> = gaps
        .filter(|g| g["file"].as_str().is_some_and(|f| f.ends_with(file)))
        .map(|g| format!("{} {}:{} {}", g["reason"].as_str().unwrap(), g["span"]["line"], g["span"]["column"], g["detail"]))
        .collect();
    told.dedup();
    told
}

fn open_group() -> Value {
    json!({ "SecurityGroups": [{
        "GroupId": "sg-1", "GroupName": "web", "Description": "web", "VpcId": "vpc-1", "OwnerId": "123456789012",
        "IpPermissions": [{ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }],
        "IpPermissionsEgress": []
    }] })
}

/// A web server with a public address in a subnet that leads to the internet.
fn network(dir: &Path, folder: &str) {
    let place = |name: &str| format!("{folder}/{name}");
    answer(dir, &place("groups.json"), &open_group());
    answer(
        dir,
        &place("net.json"),
        &json!({
            "Vpcs": [{ "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16" }],
            "Subnets": [{ "SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.0.0/24", "AvailabilityZone": "eu-west-1a" }],
            "InternetGateways": [{ "InternetGatewayId": "igw-1", "Attachments": [{ "VpcId": "vpc-1", "State": "available" }] }]
        }),
    );
    let routes = json!([{ "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active" },
                        { "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active" }]);
    let table = json!({ "RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": routes, "Associations": [{ "Main": true, "RouteTableId": "rtb-1" }] });
    answer(dir, &place("tables.json"), &json!({ "RouteTables": [table] }));
    let entry = |egress: bool| json!({ "RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "Egress": egress, "CidrBlock": "0.0.0.0/0" });
    let acl = json!({ "NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": true, "Entries": [entry(true), entry(false)],
                      "Associations": [{ "SubnetId": "subnet-1" }] });
    answer(dir, &place("acls.json"), &json!({ "NetworkAcls": [acl] }));
    let interface = json!({ "NetworkInterfaceId": "eni-1", "VpcId": "vpc-1", "SubnetId": "subnet-1", "PrivateIpAddress": "10.0.0.4",
        "Groups": [{ "GroupId": "sg-1" }], "Attachment": { "InstanceId": "i-1" }, "Status": "in-use",
        "PrivateIpAddresses": [{ "PrivateIpAddress": "10.0.0.4", "Primary": true, "Association": { "PublicIp": "203.0.113.9" } }] });
    answer(dir, &place("interfaces.json"), &json!({ "NetworkInterfaces": [interface] }));
}

/// The answer about a database names every key by its ARN; whose key it is, only its alias tells.
#[test]
fn a_key_that_aws_manages_is_none_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let key = |id: &str| format!("arn:aws:kms:eu-west-1:123456789012:key/{id}");
    let database = |name: &str, id: &str| {
        json!({ "DBInstanceIdentifier": name, "DBInstanceArn": format!("arn:aws:rds:eu-west-1:123456789012:db:{name}"),
                "Engine": "mysql", "StorageEncrypted": true, "KmsKeyId": key(id) })
    };
    let databases = json!({ "DBInstances": [database("ours", "k-1"), database("theirs", "k-2")] });
    answer(dir.path(), "123456789012/eu-west-1/describe-db-instances.json", &databases);
    let verdicts = |dir: &Path| {
        let report = scan(dir, &[".", "--check", "rds-instance-no-key"]);
        ["ours", "theirs"].map(|name| verdict(&report, "rds-instance-no-key", name))
    };
    assert_eq!(verdicts(dir.path()), ["unknown", "unknown"], "nobody saved the aliases");
    let alias = |name: &str, id: &str| {
        json!({ "AliasName": name, "TargetKeyId": id,
        "AliasArn": format!("arn:aws:kms:eu-west-1:123456789012:{name}") })
    };
    let aliases = json!({ "Aliases": [alias("alias/shop", "k-1"), alias("alias/aws/rds", "k-2")] });
    answer(dir.path(), "123456789012/eu-west-1/list-aliases.json", &aliases);
    assert_eq!(verdicts(dir.path()), ["pass", "fail"]);
}

#[test]
fn a_folder_of_answers_is_judged_like_an_account() {
    let dir = tempfile::tempdir().unwrap();
    let folder = "accounts/123456789012/eu-west-1";
    answer(dir.path(), &format!("{folder}/sg.json"), &open_group());
    answer(dir.path(), "s3/list-buckets.json", &json!({ "Buckets": [{ "Name": "good-files" }, { "Name": "bad-files" }] }));
    answer(dir.path(), "s3/get-bucket-versioning_good-files.json", &json!({ "Status": "Enabled" }));
    answer(dir.path(), "s3/get-bucket-versioning_bad-files.json", &json!({}));
    write(dir.path(), "template.yaml", "Resources:\n  Other:\n    Type: AWS::S3::Bucket\n");
    write(dir.path(), "package.json", "{ \"name\": \"x\", ");
    let report = scan(dir.path(), &["."]);
    assert_eq!(verdict(&report, "ec2-security-group-ssh-open", "security-group/sg-1"), "fail");
    assert_eq!(verdict(&report, "s3-bucket-unversioned", "good-files"), "pass");
    assert_eq!(verdict(&report, "s3-bucket-unversioned", "bad-files"), "fail");
    assert_eq!(verdict(&report, "s3-bucket-unversioned", "Other"), "fail", "templates are read from the same folder");
    // No file tells of the buckets' public access block, nor lists network interfaces.
    assert_eq!(verdict(&report, "s3-bucket-public-access-not-blocked", "good-files"), "unknown");
    assert_eq!(verdict(&report, "ec2-security-group-unused", "sg-1"), "unknown");
    let of_group = report["findings"].as_array().unwrap().iter().find(|f| f["check"] == "ec2-security-group-ssh-open").unwrap();
    assert_eq!(of_group["resource"]["id"], "arn:aws:ec2:eu-west-1:123456789012:security-group/sg-1");
    assert!(of_group["resource"]["file"].as_str().unwrap().ends_with("sg.json"));
    assert!(gaps(&report, "package.json").is_empty(), "other people's files are none of ours");
}

#[test]
fn broken_answers_are_gaps_with_file_and_place() {
    let dir = tempfile::tempdir().unwrap();
    answer(dir.path(), "sg.json", &open_group());
    write(dir.path(), "cut.json", "{\"NetworkInterfaces\": [\n  {\"NetworkInterfaceId\": \"eni-");
    write(dir.path(), "describe-route-tables.json", "");
    write(dir.path(), "other.json", "{\"x\": 1}");
    write(dir.path(), "broken.json", "{\"x\": 1,\n \"y\" 2}");
    // As PowerShell writes what a program prints.
    let wide: Vec<u8> = "\u{feff}{\"Vpcs\": [{\"VpcId\": \"vpc-1\"}]}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    write(dir.path(), "wide.json", wide);
    let report = scan(dir.path(), &["."]);
    let of = |file: &str| gaps(&report, file).join("\n");
    assert_eq!(of("cut.json"), "malformed 2:30 \"not JSON: EOF while parsing a string\"");
    assert!(of("describe-route-tables.json").starts_with("malformed null:null \"it is empty"));
    assert!(of("other.json").starts_with("unsupported"));
    assert_eq!(of("broken.json"), "malformed 2:6 \"not JSON: expected `:`\"");
    assert_eq!(of("wide.json"), "");
    assert!(report["gaps"].as_array().unwrap().iter().any(|g| g["type_name"] == "AWS::EC2::NetworkInterface"));
    let (code, _, _) = run(dir.path(), &["scan", ".", "--fail-on", "never", "--strict"]);
    assert_eq!(code, 3);
}

#[test]
fn the_network_reads_answers_templates_and_wrapped_lists_from_one_folder() {
    let dir = tempfile::tempdir().unwrap();
    network(dir.path(), "in/accounts/123456789012/eu-west-1");
    write(
        dir.path(),
        "in/template.yaml",
        "Resources:\n  Vpc:\n    Type: AWS::EC2::VPC\n    Properties: { CidrBlock: 10.9.0.0/16 }\n",
    );
    let wrapped = json!({ "TransitGatewayStaticRoutes": [{ "TransitGatewayRouteTableId": "tgw-rtb-1", "Routes": [] }] });
    answer(dir.path(), "in/accounts/123456789012/eu-west-1/TransitGatewayStaticRoutes.json", &wrapped);
    let (code, out, err) = run(dir.path(), &["net", "exposure", "in", "-f", "json"]);
    assert_eq!(code, 0, "{err}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let networks = report["networks"].as_array().unwrap();
    assert_eq!(networks.len(), 2, "{out}");
    assert_eq!(networks.first().unwrap()["exposure"].pointer("/0/public").unwrap(), "203.0.113.9");
    let (code, _, err) = run(dir.path(), &["net", "reach", "internet", "eni-1", "tcp/22", "--input", "in"]);
    assert_eq!(code, 0, "{err}");
}

#[test]
fn access_is_read_from_a_folder_too() {
    let dir = tempfile::tempdir().unwrap();
    let allow = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }] });
    let user = json!({ "UserName": "ann", "UserId": "AIDA1", "Arn": "arn:aws:iam::123456789012:user/ann", "Path": "/",
        "UserPolicyList": [{ "PolicyName": "p", "PolicyDocument": allow }], "GroupList": [], "AttachedManagedPolicies": [] });
    let details = json!({ "UserDetailList": [user], "RoleDetailList": [], "GroupDetailList": [], "Policies": [] });
    answer(dir.path(), "in/123456789012/iam.json", &details);
    for input in ["in", "in/123456789012/iam.json"] {
        let (code, out, err) = run(dir.path(), &["iam", "can", "ann", "s3:ListBucket", "*", "--input", input]);
        assert_eq!(code, 0, "{input}: {out}{err}");
        let (code, out, err) = run(dir.path(), &["iam", "can", "ann", "ec2:RunInstances", "*", "--input", input]);
        assert_eq!(code, 1, "{input}: {out}{err}");
    }
}

#[test]
fn a_snapshot_file_is_an_input_and_a_bad_one_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let mut snapshot = model::Snapshot::default();
    let scope = snapshot.add_scope("123456789012", model::SourceKind::Live);
    let kind = model::TypeName::new("AWS::S3::Bucket").unwrap();
    let mut bucket = model::Resource::new("arn:aws:s3:::files", kind, scope);
    bucket.props.insert("BucketName", model::Value::text("files"));
    snapshot.resources.push(bucket);
    let bytes = store::encode(&snapshot, &store::Meta::default(), &store::SecretPaths::new()).unwrap();
    write(dir.path(), "in/account.snapshot", &bytes);
    write(dir.path(), "cut.snapshot", bytes.get(..bytes.len() - 3).unwrap());
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    write(dir.path(), "changed.snapshot", changed);
    write(dir.path(), "new.snapshot", "palisade-snapshot 9 sha256=00 bytes=1\nx");
    for input in ["in", "in/account.snapshot"] {
        assert_eq!(verdict(&scan(dir.path(), &[input]), "s3-bucket-unversioned", "files"), "fail");
    }
    for (file, words) in [("cut", "cut short"), ("changed", "damaged or changed"), ("new", "format 9")] {
        let report = scan(dir.path(), &[&format!("{file}.snapshot")]);
        let told = gaps(&report, ".snapshot").join("\n");
        assert!(told.contains(words), "{file}: {told}");
    }
}

/// What the AWS CLI writes with `--output yaml` is the same answer; findings say on which line a resource stands.
#[test]
fn yaml_and_lines() {
    let dir = tempfile::tempdir().unwrap();
    answer(dir.path(), "json/123456789012/eu-west-1/groups.json", &open_group());
    let yaml = "SecurityGroups:\n- Description: web\n  GroupId: sg-1\n  GroupName: web\n  IpPermissions:\n  - FromPort: 22\n    IpProtocol: tcp\n    \
        IpRanges:\n    - CidrIp: 0.0.0.0/0\n    ToPort: 22\n  IpPermissionsEgress: []\n  OwnerId: '123456789012'\n  VpcId: vpc-1\n";
    write(dir.path(), "yaml/123456789012/eu-west-1/groups.yaml", yaml);
    let line = |folder: &str| {
        let report = scan(dir.path(), &[folder]);
        let of = |f: &&Value| f["check"] == "ec2-security-group-ssh-open" && f["verdict"] == "fail";
        let finding = report["findings"].as_array().unwrap().iter().find(of).unwrap_or_else(|| panic!("{report}")).clone();
        assert!(finding["resource"]["file"].as_str().is_none_or(|f| f.contains("groups.")), "{finding}");
        finding.to_string()
    };
    let (of_json, of_yaml) = (line("json"), line("yaml"));
    let wanted = serde_json::to_string_pretty(&open_group()).unwrap().lines().position(|l| l.contains("\"sg-1\"")).unwrap() + 1;
    assert!(of_json.contains(&format!("\"line\":{wanted}")), "{wanted}: {of_json}");
    assert!(of_yaml.contains("\"line\":3"), "{of_yaml}");
}

/// One page of several is not the whole: a gap names the call and the file.
#[test]
fn a_page_of_several_is_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let mut page = open_group();
    let whole = "whole/123456789012/eu-west-1/groups.json";
    answer(dir.path(), whole, &page);
    page["NextToken"] = "abc".into();
    answer(dir.path(), "page/123456789012/eu-west-1/groups.json", &page);
    let told = |folder: &str| {
        let report = scan(dir.path(), &[folder]);
        let gaps = report["gaps"].as_array().unwrap().iter();
        gaps.filter(|g| {
            g["what"] == "ec2:DescribeSecurityGroups" && g["detail"].as_str().unwrap().contains("one page of several")
        })
        .filter(|g| g["file"].as_str().unwrap().ends_with("groups.json") && g["matters"] == true)
        .count()
    };
    assert_eq!((told("whole"), told("page")), (0, 1));
}

/// Lists of names say nothing of what they may do: the gap says which call does.
#[test]
fn lists_of_names_are_told() {
    let dir = tempfile::tempdir().unwrap();
    answer(dir.path(), "dump/123456789012/eu-west-1/groups.json", &open_group());
    answer(dir.path(), "dump/123456789012/eu-west-1/list-users.json", &json!({ "Users": [{ "UserName": "ann", "Path": "/" }] }));
    let report = scan(dir.path(), &["dump"]);
    let told =
        report["gaps"].as_array().unwrap().iter().find(|g| g["file"].as_str().is_some_and(|f| f.ends_with("list-users.json")));
    let help = told.unwrap_or_else(|| panic!("{report}"))["help"].as_str().unwrap();
    assert!(help.contains("get-account-authorization-details"), "{help}");
}
