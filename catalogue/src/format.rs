//! The catalogue's files as they are written, one struct a file kind. Unknown keys are refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Confidence, Layer, Owner, Pillar, SameAs, ServiceClass, Severity};
use serde::{Deserialize, Serialize};

/// `aws/<service>/service.toml`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceFile {
    /// The service's name as AWS writes it, `Amazon S3`.
    pub name: String,
    /// True if its resources belong to no Region.
    #[serde(default)]
    pub global: bool,
    /// The row of `responsibility.csv` for its types, unless a type names another.
    pub responsibility: String,
}

/// `aws/<service>/<type>/type.toml`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeFile {
    /// The CloudFormation type, or one of ours.
    #[serde(rename = "type")]
    pub type_name: String,
    /// What people call one of it, `S3 bucket`.
    pub title: String,
    /// The properties that `Ref` gives; their values identify a resource to its neighbours.
    #[serde(default)]
    pub identifier: Vec<String>,
    /// The property that holds the physical name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The ARN with `{partition}`, `{region}`, `{account}` and `{Property}` holes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The row of `responsibility.csv`, where it differs from the service's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub responsibility: Option<String>,
    /// Property path (`A.B[].C`) to type (`string`, `int`, `number`, `bool`, `json`, `policy`, `timestamp`, `tags`, `list<..>`,
    /// `map<..>`), for every property that checks read.
    #[serde(default)]
    pub properties: BTreeMap<String, String>,
    /// Paths that must never be readable in an output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secret: Vec<String>,
    /// Paths that only a live account can tell; checks that read them do not apply to templates and plans.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub live_only: Vec<String>,
    /// True if resources of this type exist only in a live account.
    #[serde(default, skip_serializing_if = "is_false")]
    pub live: bool,
    /// What AWS does when a property is not set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defaults: Vec<DefaultValue>,
    /// How to find the neighbours.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub relations: BTreeMap<String, Relation>,
    /// How Terraform's resources become this type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terraform: Option<crate::terraform::TerraformSection>,
}

fn is_false(b: &bool) -> bool {
    !b
}

/// What AWS does when a property is not set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultValue {
    /// The property. A nested one (`A.B`) holds only where `A` is set.
    pub path: String,
    /// The value that then holds.
    pub value: serde_json::Value,
    /// Since when AWS does so, `2023-04-28`.
    pub since: String,
    /// The AWS page that says so.
    pub source: String,
    /// False if the value is what the API has always meant by leaving it out: then a finding is as sure as if it were written.
    #[serde(default = "yes")]
    pub dated: bool,
}

fn nothing_is_the_same(same_as: &SameAs) -> bool {
    same_as.is_empty()
}

fn yes() -> bool {
    true
}

/// How to find the neighbours of a resource. At least one of `ours` and `theirs` is given, or else `same_place`; with both, neighbours
/// are those with an equal value there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// The neighbour's type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Our property path (`A.B[].C`) that refers to the neighbour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ours: Option<String>,
    /// The neighbour's property path that refers to us.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub theirs: Option<String>,
    /// All resources of the type in our account and Region are neighbours, whatever they say; what has no Region lies in every one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_place: bool,
}

/// `checks/<id>.toml`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckFile {
    /// The defect in one line.
    pub title: String,
    /// How bad it is.
    pub severity: Severity,
    /// How sure a failure is.
    #[serde(default = "high")]
    pub confidence: Confidence,
    /// What it is about.
    pub pillar: Pillar,
    /// The layer of the responsibility line.
    pub layer: Layer,
    /// One to three objectives.
    pub objective: Vec<String>,
    /// The resources that it is about; all of the type if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applies_when: Option<String>,
    /// True if it is about what a template or plan says only: in a live account another check is about it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub code_only: bool,
    /// When it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_when: Option<String>,
    /// The Rust function that answers instead of `fail_when`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub native: Option<String>,
    /// The expressions whose values are shown.
    pub evidence: Vec<String>,
    /// What is so, with `{expression | text if null}` holes.
    pub message: String,
    /// When a failure is less grave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<Lower>,
    /// Why it matters.
    pub why: String,
    /// How to mend it.
    pub fix: Fix,
    /// The pages that the rule comes from.
    pub refs: Vec<String>,
    /// The same thing elsewhere, ids only.
    #[serde(default, skip_serializing_if = "nothing_is_the_same")]
    pub same_as: SameAs,
    /// Former ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// Settings with their defaults; `param.NAME` in expressions, `[params.CHECK]` in `palisade.toml`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, serde_json::Value>,
}

/// `lower`: a failure that something else makes less grave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lower {
    /// When it is; what is unknown lowers nothing.
    pub when: String,
    /// How bad it is then.
    pub severity: Severity,
    /// What is so then, in place of the check's message.
    pub message: String,
}

fn high() -> Confidence {
    Confidence::High
}

/// How to mend it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// In words.
    pub text: String,
    /// As an AWS CLI call; `{id}` is the resource's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cli: Option<String>,
    /// As CloudFormation properties.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloudformation: Option<String>,
    /// As Terraform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terraform: Option<String>,
}

/// `checks/<id>.cases.toml`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CasesFile {
    /// The cases, each a small change to the type's `sample/resource.json`.
    #[serde(rename = "case")]
    pub cases: Vec<Case>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows.
    pub name: String,
    /// `fail`, `pass`, `unknown`, or `none` if the check does not apply.
    pub verdict: String,
    /// Property path (`A.B[0].C`) to the value it gets.
    #[serde(default)]
    pub set: BTreeMap<String, serde_json::Value>,
    /// Property paths that are taken out.
    #[serde(default)]
    pub unset: Vec<String>,
    /// Property paths that could not be read.
    #[serde(default)]
    pub unknown: Vec<String>,
    /// Resources that stand beside it. `{ "$link" = "self.Arn" }` refers to the resource under test, whose id is `self`.
    #[serde(default)]
    pub beside: Vec<Beside>,
    /// Resource types of which none could be read.
    #[serde(default)]
    pub unread: Vec<String>,
    /// Settings that differ from the check's defaults.
    #[serde(default)]
    pub params: BTreeMap<String, serde_json::Value>,
    /// The severity that a failure must have, if not just the check's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// What the message must contain.
    #[serde(default)]
    pub message: Option<String>,
    /// The day it is, for checks that read `now`; 2026-06-01 otherwise.
    #[serde(default)]
    pub now: Option<String>,
}

/// A resource beside the one under test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beside {
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its id.
    pub id: String,
    /// Its properties.
    #[serde(default)]
    pub props: serde_json::Value,
}

/// `objectives.toml`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectivesFile {
    /// Objective id to objective.
    pub objectives: BTreeMap<String, Objective>,
}

/// What one wants to be true, whatever the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// In one line.
    pub title: String,
    /// What it is about.
    pub pillar: Pillar,
}

/// `frameworks/<name>.toml`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrameworkFile {
    /// The framework's name.
    pub title: String,
    /// Its version.
    pub version: String,
    /// What of its text may be shown.
    pub text_rights: TextRights,
    /// Where it is published.
    pub source: String,
    /// Its requirements, in its own order.
    #[serde(rename = "requirement")]
    pub requirements: Vec<Requirement>,
}

/// What of a framework's text may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TextRights {
    /// Everything.
    PublicDomain,
    /// Everything, with credit.
    CcBy,
    /// Ids only; titles are ours.
    IdsOnly,
}

/// One requirement of a framework.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// Its id there.
    pub id: String,
    /// Its title; ours where the framework's text is not free.
    pub title: String,
    /// The objectives that meet it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<String>,
    /// The checks that decide it, where it names one setting.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
    /// True if a person has to attest it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub manual: bool,
    /// True if AWS performs it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub inherited: bool,
}

/// A row of `responsibility.csv`: who owns each of the 15 layers of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responsibility {
    /// The service, or a part of it.
    pub service: String,
    /// The prefix of its CloudFormation types, `AWS::EC2`.
    pub prefix: Option<String>,
    /// How much of the stack AWS runs.
    pub class: ServiceClass,
    /// The owners in the order of [`Layer::ALL`].
    pub owners: Vec<Owner>,
    /// What to know about it.
    pub note: String,
}

impl Responsibility {
    /// Who owns a layer.
    pub fn owner(&self, layer: Layer) -> Owner {
        Layer::ALL.iter().position(|l| *l == layer).and_then(|at| self.owners.get(at)).copied().unwrap_or(Owner::Na)
    }
}

/// What a type's folder holds beside its checks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TypeFolder {
    /// `aws/s3/bucket`
    pub folder: String,
    /// `type.toml`
    pub file: Arc<TypeFile>,
    /// `collect.toml`
    pub collect: Option<crate::collect::CollectFile>,
}
