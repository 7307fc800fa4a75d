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

/// Types that no call lists by themselves, because a call about another resource tells the same.
const TOLD_BY_THE_RESOURCE: &[&str] = &[
    "AWS::EC2::EIPAssociation",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::VolumeAttachment",
    "AWS::Events::EventBusPolicy",
    "AWS::IAM::UserToGroupAddition",
    "AWS::WAFv2::LoggingConfiguration",
];

/// A check that asks for neighbours of a type which is never collected would take a live account as having none.
#[test]
fn neighbours_of_what_is_collected_are_collected() {
    let folders = folders();
    let collected: Vec<&str> = folders.iter().filter(|f| f.collect.is_some()).map(|f| f.file.type_name.as_str()).collect();
    let mut missing = Vec::new();
    for folder in folders.iter().filter(|f| f.collect.is_some()) {
        for (name, relation) in &folder.file.relations {
            let kind = relation.type_name.as_str();
            if !collected.contains(&kind) && !TOLD_BY_THE_RESOURCE.contains(&kind) {
                missing.push(format!("{}: relation `{name}` is to {kind}, which has no collect.toml", folder.folder));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
