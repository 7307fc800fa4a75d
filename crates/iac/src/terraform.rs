//! Terraform plans and states to a [`Snapshot`]: `terraform show -json` of either, and the state file itself (version 4).
//!
//! A resource's id is its Terraform address; its type and properties are CloudFormation's, by the [`Mapping`]. What a plan does
//! not know yet is told apart: no expression in the configuration means that the provider decides (absent), a reference to a
//! resource is a link, only the rest is unknown. Separate resources that CloudFormation has as properties are put into the
//! resource they belong to. A type without mapping is kept as `Terraform::AWS::<type>`, never dropped.
//!
//! Absent on purpose: `.tf` text without a plan (only the places of blocks are taken from it), other providers (counted in a note), running Terraform, and what the values in
//! `before` were. Sensitive values never leave this module readable.

mod address;
mod assemble;
mod build;
mod expression;
pub(crate) mod hcl;
mod input;
mod json;
mod mapping;
mod path;
mod places;
mod policy;
mod resolve;
mod shape;
mod tree;
mod written;

use std::collections::BTreeSet;

use model::{Gap, GapReason, Snapshot, SourceKind, Text};

pub use mapping::{Mapping, TypeSource};
pub use places::{BlockName, Sources, Written};

/// What is read of one file at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Length of the text in bytes.
    pub text_bytes_max: usize,
    /// Number of resource instances.
    pub resources_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { text_bytes_max: 256 * 1024 * 1024, resources_max: 200_000 }
    }
}

/// True if a JSON text looks like a plan or a state, by its first 4,096 bytes.
pub fn looks_like(text: &str) -> bool {
    let head = text.as_bytes().get(..4096).unwrap_or(text.as_bytes());
    let has = |key: &str| head.windows(key.len()).any(|w| w == key.as_bytes());
    text.trim_start().starts_with('{')
        && (has("\"format_version\"") || has("\"version\"") && has("\"lineage\""))
        && (has("\"terraform_version\"") || has("\"resource_changes\"") || has("\"values\"") || has("\"planned_values\""))
}

/// Finds the configuration that a plan or state was made from, by the resource blocks that it mentions.
pub type Locate<'l> = dyn Fn(&BTreeSet<BlockName>) -> Sources + 'l;

/// Reads a plan or state. What cannot be read is a gap; the rest is there, in the order of the file. Resources are placed in the
/// configuration that `locate` finds, or else in the plan as a whole.
pub fn read(text: &str, file: &str, mapping: &Mapping, limits: &Limits, locate: &Locate<'_>) -> Snapshot {
    let mut snapshot = Snapshot::default();
    if text.len() > limits.text_bytes_max {
        let detail = format!("{} bytes, the limit `text_bytes_max` is {}", text.len(), limits.text_bytes_max);
        return failed(snapshot, file, GapReason::Limit, detail);
    }
    let root = match json::parse(text, skip) {
        Ok(root) => root,
        Err(error) => return failed(snapshot, file, GapReason::Malformed, error.to_string()),
    };
    let again;
    let root = if root.get("resource_changes").is_none() && root.get("values").is_none() && root.get("version").is_none() {
        // A plan without changes: what is planned says it all.
        match json::parse(text, |_, _| false) {
            Ok(whole) => again = whole,
            Err(error) => return failed(snapshot, file, GapReason::Malformed, error.to_string()),
        }
        &again
    } else {
        &root
    };
    let mut input = input::read(root, limits);
    let gaps = std::mem::take(&mut input.gaps);
    let scope = snapshot.add_scope(file, input.kind);
    let resolver = resolve::Resolver::new(&input);
    let builder = build::Builder { resolver: &resolver, mapping };
    let sources = locate(&input.managed.iter().map(input::Instance::block_name).collect());
    let assembly = assemble::Assembly::new(&input, mapping, &builder, sources);
    snapshot.resources = assembly.resources(scope, &Text::from(file));
    snapshot.gaps = gaps.into_iter().map(|gap| gap.in_file(file, None)).collect();
    if resolver.exhausted() {
        let detail = "more references than can be followed; some values are unknown because of it";
        snapshot.gaps.push(Gap::new("Terraform references", GapReason::Limit, detail).in_file(file, None));
    }
    if input.foreign > 0 {
        let detail = format!("{} resources of providers other than `aws` were not read", input.foreign);
        snapshot.gaps.push(Gap::new("other providers", GapReason::NotCollected, detail).in_file(file, None).note());
    }
    snapshot
}

/// What no answer needs: it is a third to two thirds of a plan.
fn skip(depth: usize, key: &str) -> bool {
    match depth {
        0 => matches!(key, "planned_values" | "resource_drift" | "relevant_attributes" | "checks" | "output_changes" | "outputs"),
        2 => matches!(key, "before" | "before_sensitive" | "before_identity" | "after_identity"),
        _ => false,
    }
}

fn failed(mut snapshot: Snapshot, file: &str, reason: GapReason, detail: String) -> Snapshot {
    snapshot.add_scope(file, SourceKind::TerraformPlan);
    snapshot.gaps.push(Gap::new("Terraform plan or state", reason, detail).in_file(file, None));
    snapshot
}
