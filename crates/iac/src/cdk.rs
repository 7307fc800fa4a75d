//! `cdk.out` folders: which templates the manifest lists. Source: the cloud assembly schema of the AWS CDK.

use std::io::Read;
use std::path::{Path, PathBuf};

use model::{Gap, GapReason};
use syntax::Node;

use crate::recognise::{Kind, recognise};
use crate::walk::{failed, shown};

/// Levels of assemblies within assemblies (CDK stages).
const DEPTH_MAX: usize = 8;

/// One template of an assembly.
pub(crate) struct Stack {
    pub(crate) template: PathBuf,
    /// The account and Region it is for, where the manifest says so.
    pub(crate) given: Vec<(String, String)>,
}

/// True if the file is there and is the manifest of an assembly.
pub(crate) fn is_manifest(path: &Path) -> bool {
    const LOOK_BYTES: u64 = 64 << 10;
    let Ok(file) = std::fs::File::open(path) else { return false };
    let mut head = Vec::new();
    if file.take(LOOK_BYTES).read_to_end(&mut head).is_err() {
        return false;
    }
    recognise(path, &head) == Kind::CdkOut
}

/// The templates of the assembly in `folder`, in the manifest's order, those of assemblies inside of it too.
pub(crate) fn stacks(folder: &Path, limits: &syntax::Limits) -> (Vec<Stack>, Vec<Gap>) {
    let (mut stacks, mut gaps) = (Vec::new(), Vec::new());
    gather(folder, limits, 0, &mut (&mut stacks, &mut gaps));
    (stacks, gaps)
}

fn gather(folder: &Path, limits: &syntax::Limits, depth: usize, out: &mut (&mut Vec<Stack>, &mut Vec<Gap>)) {
    let path = folder.join("manifest.json");
    if depth > DEPTH_MAX {
        let gap = Gap::new("cloud assembly", GapReason::Limit, format!("nested deeper than {DEPTH_MAX} levels"));
        return out.1.push(gap.in_file(shown(&path), None));
    }
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => return out.1.push(failed(&path, &error)),
    };
    let document = match syntax::parse_json(&text, limits) {
        Ok(document) => document,
        Err(diagnostic) => return out.1.push(crate::gap_of(&diagnostic, "cloud assembly", &shown(&path))),
    };
    for entry in document.root.get("artifacts").and_then(Node::as_map).unwrap_or_default() {
        let property = |name: &str| entry.node.get("properties").and_then(|p| p.get(name)).and_then(Node::as_str);
        match entry.node.get("type").and_then(Node::as_str) {
            Some("aws:cloudformation:stack") => {
                if let Some(file) = property("templateFile") {
                    let environment = entry.node.get("environment").and_then(Node::as_str).unwrap_or_default();
                    out.0.push(Stack { template: folder.join(file), given: given(environment) });
                }
            }
            Some("cdk:cloud-assembly") => {
                if let Some(inner) = property("directoryName") {
                    gather(&folder.join(inner), limits, depth + 1, out);
                }
            }
            _ => {}
        }
    }
}

/// What `aws://123456789012/eu-west-1` says.
fn given(environment: &str) -> Vec<(String, String)> {
    let Some((account, region)) = environment.strip_prefix("aws://").and_then(|e| e.split_once('/')) else {
        return Vec::new();
    };
    let mut given = Vec::new();
    if account != "unknown-account" {
        given.push(("AWS::AccountId".to_owned(), account.to_owned()));
    }
    if region != "unknown-region" {
        given.push(("AWS::Region".to_owned(), region.to_owned()));
    }
    given
}
