//! Every `collect.toml` of the built-in catalogue can be carried out: its calls and inputs are in the API facts, all are
//! reads, and each resource has something that tells it from its neighbours.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where its own set-up is wrong")]

use std::path::Path;

use aws::{Plan, permissions};
use catalogue::SourceFile;

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

fn folders() -> Vec<catalogue::format::TypeFolder> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    let mut files = Vec::new();
    gather(&root, &root.join("aws"), &mut files);
    let loaded = catalogue::load(&files);
    let problems: Vec<String> =
        loaded.problems.iter().filter(|p| p.path.ends_with("collect.toml")).map(ToString::to_string).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    loaded.pack.types
}

fn plan() -> Plan {
    Plan::checked(&folders()).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn listed_resources_have_an_identity() {
    for folder in folders() {
        let Some(file) = &folder.collect else { continue };
        let known = file.attrs.contains_key("Arn") || file.name.is_some() || folder.file.arn.is_some();
        let identified = known || !folder.file.identifier.is_empty();
        assert!(identified || file.list.is_empty(), "{}: neither ARN nor identifier nor name", folder.folder);
    }
}

#[test]
fn every_file_can_be_carried_out() {
    assert!(plan().type_names().count() >= 100);
}

/// The least policy holds reads only, no wildcard, and nothing that reads data or secrets.
#[test]
fn the_least_policy_is_read_only() {
    let actions = permissions(&plan());
    assert!(actions.len() >= 100);
    for action in &actions {
        let (_, name) = action.split_once(':').unwrap();
        let read = catalogue::collect::is_read(name) || action == "apigateway:GET";
        assert!(read && !action.contains('*'), "{action}");
        let data = ["GetSecretValue", "GetObject", "GetParameter", "GetItem", "GetFunction", "ReceiveMessage", "Decrypt"];
        assert!(!data.contains(&name), "{action}");
    }
}

/// Types that no call lists by themselves, each with what stands in a live account's model instead, or why nothing does.
const NOT_COLLECTED: &[(&str, &str)] = &[
    ("AWS::DocDB::DBSubnetGroup", "AWS::RDS::DBSubnetGroup: one API lists the groups of all three"),
    ("AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table: each replica is a table of its Region"),
    ("AWS::EC2::EIPAssociation", "AWS::EC2::EIP tells what it is associated with"),
    ("AWS::EC2::SecurityGroupIngress", "AWS::EC2::SecurityGroup has all its rules"),
    ("AWS::EC2::VPCCidrBlock", "AWS::EC2::VPC has all its blocks"),
    ("AWS::EC2::VPNGatewayRoutePropagation", "AWS::EC2::RouteTable names the gateways"),
    ("AWS::EC2::VolumeAttachment", "AWS::EC2::Instance and AWS::EC2::Volume name each other"),
    ("AWS::Elasticsearch::Domain", "AWS::OpenSearchService::Domain: one API lists the domains of both engines"),
    ("AWS::Events::EventBusPolicy", "AWS::Events::EventBus has its policy"),
    ("AWS::IAM::Policy", "AWS::IAM::User, AWS::IAM::Role and AWS::IAM::Group have their inline policies"),
    ("AWS::IAM::UserToGroupAddition", "AWS::IAM::User names its groups"),
    ("AWS::Neptune::DBSubnetGroup", "AWS::RDS::DBSubnetGroup: one API lists the groups of all three"),
    ("AWS::QLDB::Ledger", "the service has ended, and its API with it"),
    ("AWS::S3Express::DirectoryBucket", "asked at an endpoint and with sessions of its own"),
    ("AWS::Timestream::Database", "asked at an endpoint that another call has to tell"),
    ("AWS::WAFv2::LoggingConfiguration", "AWS::WAFv2::WebACL names where it logs to"),
];

/// A check over a type that is never collected would say nothing about a live account, and nobody would notice.
#[test]
fn every_type_is_collected_or_it_is_said_why_not() {
    let (collected, others): (Vec<_>, Vec<_>) = folders().into_iter().partition(|f| f.collect.is_some());
    let said = |kind: &str| NOT_COLLECTED.iter().any(|(name, _)| *name == kind);
    let unsaid: Vec<_> = others.iter().map(|f| &f.file.type_name).filter(|kind| !said(kind)).collect();
    assert!(unsaid.is_empty(), "neither a collect.toml nor a reason: {unsaid:?}");
    let stale: Vec<_> = collected.iter().map(|f| &f.file.type_name).filter(|kind| said(kind)).collect();
    assert!(stale.is_empty(), "collected after all: {stale:?}");
}

/// A check that asks for neighbours of a type which is never collected would take a live account as having none.
#[test]
fn neighbours_of_what_is_collected_are_collected() {
    let folders = folders();
    let told_elsewhere = |kind: &str| NOT_COLLECTED.iter().any(|(name, why)| *name == kind && why.starts_with("AWS::"));
    let known = |kind: &str| folders.iter().any(|f| f.file.type_name == kind && f.collect.is_some()) || told_elsewhere(kind);
    let mut missing = Vec::new();
    for folder in folders.iter().filter(|f| f.collect.is_some()) {
        let unknown = folder.file.relations.iter().filter(|(_, relation)| !known(&relation.type_name));
        missing.extend(unknown.map(|(name, to)| format!("{}: `{name}` is to {}", folder.folder, to.type_name)));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
