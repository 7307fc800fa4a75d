//! The `[terraform]` section of a `type.toml`: what a resource type is called in Terraform's AWS provider, and where its
//! names and shapes differ from CloudFormation's.
//!
//! A section lists exceptions only. Without any, an attribute goes to the property with the same letters (`kms_key_id` to
//! `KmsKeyId` or `KMSKeyId`), a repeated block to the plural (`origin` to `Origins`), a block to an object or a list of
//! objects as the property is one, `tags` to a tag list, JSON text to an object where the property is one. The rules are
//! applied by the `iac` crate; here they are only read and checked.
//!
//! ```toml
//! [terraform]
//! resources = ["aws_s3_bucket"]
//! name = "bucket"
//!
//! [terraform.map]
//! bucket = "BucketName"
//! "versioning.enabled" = { to = "VersioningConfiguration.Status", values = { true = "Enabled", false = "Suspended" } }
//!
//! [[terraform.merge]]                      # a resource of its own there, a property here
//! resource = "aws_s3_bucket_versioning"
//! on = "bucket"
//! at = "VersioningConfiguration"
//! from = "versioning_configuration"
//! ```

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// Property names of CloudFormation types, so that letters can be matched for properties that no check reads yet. A line
/// `## TYPE` starts a type, `PATH: MEMBER ..` lists an object (`.` is the resource itself); its head says what the marks mean.
pub const PROPERTIES: &str = include_str!("../properties.txt");

/// Terraform attribute (a name, or a path into single blocks such as `versioning.enabled`) to what becomes of it.
pub type RuleMap = BTreeMap<String, Rule>;

/// The `[terraform]` section of one resource type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TerraformSection {
    /// The Terraform types that are this type. May be empty: a type may come only out of others (`emit`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// The attribute that holds the physical name; `name` if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The attribute that holds what CloudFormation's `Ref` gives; `id` if not given.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The object that holds most properties, where CloudFormation wraps them: `DistributionConfig`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wrap: Option<String>,
    /// The same where it depends on the Terraform type: the type, then the object. Nothing is merged into such a type.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub wrap_for: BTreeMap<String, String>,
    /// Attributes without counterpart that the letters would match by accident.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// CloudFormation's names of attributes that others refer to, where the letters do not give them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attrs: BTreeMap<String, String>,
    /// Properties that always have this value: path to value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Scalar>,
    /// Properties that one of several Terraform types always has: the type, then path to value.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set_for: BTreeMap<String, BTreeMap<String, Scalar>>,
    /// Attributes beside which the values of `set` and `set_for` are not known: what it is made from tells them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_unless: Vec<String>,
    /// Exceptions by attribute.
    #[serde(skip_serializing_if = "RuleMap::is_empty")]
    pub map: RuleMap,
    /// Separate Terraform resources that are part of this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub merge: Vec<Merge>,
    /// Resources of another type that come out of this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emit: Vec<Emit>,
}

/// What becomes of one attribute or block. A plain string in TOML means `{ to = "..." }`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rule {
    /// The property path, from the object at hand: `A.B`, `A[].B` (`[]`: the first and only item), `A[1].B` (the second item);
    /// `.` puts the members of a block straight into the object at hand. By the letters if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How the value changes its form.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub form: Option<Form>,
    /// Values that are called something else, by the Terraform value as text.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Scalar>,
    /// Values that mean that it is not set, such as -1.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Scalar>,
    /// A factor between units: 60 where Terraform says minutes and CloudFormation seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<f64>,
    /// The key under which the value is appended, as text, to the key/value list `to`; with the form `keyed` the attribute that
    /// holds each block's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Names of the two members of a key/value item; `Key` and `Value` if not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pair: Option<(String, String)>,
    /// Each item of the list becomes an object with this member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// Properties that are set too if this one is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<String, Scalar>,
    /// Exceptions inside a block.
    #[serde(skip_serializing_if = "RuleMap::is_empty")]
    pub map: RuleMap,
    /// One row per element of these attributes (each goes to the named property); `true` stands for the resource itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rows: BTreeMap<String, String>,
    /// What it means if nothing is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unset: Option<Unset>,
}

/// How a value changes its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A map to a list of `{Key, Value}`.
    Tags,
    /// JSON text to the object that it says.
    Json,
    /// True and false to `Enabled` and `Disabled`.
    Enabled,
    /// True and false swapped.
    Not,
    /// A protocol: `all` and -1 to `-1` (which has no ports), numbers to names.
    Protocol,
    /// Anything plain to text.
    Text,
    /// Text to its base64 form.
    Base64,
    /// Text to upper case.
    Upper,
    /// Text to lower case.
    Lower,
    /// `public-read` or `public_read` to `PublicRead`.
    Pascal,
    /// A map to a list of key/value items (names by `pair`).
    Pairs,
    /// A list of key/value items (names by `pair`) to a map.
    Object,
    /// Member names are data, not attribute names: they stay as they are.
    Verbatim,
    /// A block that is there to `true`.
    Present,
    /// A block that is there to an empty object.
    Block,
    /// Blocks to an object by the attribute that `key` names.
    Keyed,
    /// API Gateway's `path/METHOD` to `ResourcePath` and `HttpMethod`.
    MethodPath,
}

/// What it means that an attribute is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unset {
    /// The property is an empty list. (Terraform takes away the egress rule that AWS gives a new security group.)
    Empty,
}

/// A separate Terraform resource that is part of this one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Merge {
    /// Its Terraform type.
    pub resource: String,
    /// Its attribute that names the resource it belongs to; it may be a list of several.
    pub on: String,
    /// Attributes that both have and that must not differ, where the name is unique only among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub same: Vec<String>,
    /// The object that its attributes go into; `.` for the properties themselves. Either this or `append`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The list that it is added to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub append: Option<String>,
    /// The block that holds what counts: its first item for `at`, each item for `append`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// For `append`: the attribute whose value is the item; without it the item is an object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Only if these attributes have these values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub when: BTreeMap<String, Scalar>,
    /// Attributes without counterpart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Exceptions by attribute.
    #[serde(skip_serializing_if = "RuleMap::is_empty")]
    pub map: RuleMap,
    /// As in [`Rule::rows`]: one item per element.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rows: BTreeMap<String, String>,
}

/// A resource of another type that comes out of this one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Emit {
    /// The CloudFormation type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The attribute that has to be set for it: a block gives one resource per item.
    pub from: String,
    /// A Terraform type: nothing is emitted if a resource of it refers to this one. (The provider reads a policy that a separate
    /// resource sets back into the attribute.)
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unless: Option<String>,
    /// The property that names this resource: `Bucket`, or `Topics[]` for a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// For text (a policy): the property it goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Constants.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, Scalar>,
    /// Exceptions inside the block.
    #[serde(skip_serializing_if = "RuleMap::is_empty")]
    pub map: RuleMap,
}

/// A truth value, whole number or text in a mapping.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
}

impl TerraformSection {
    /// The attribute that holds the physical name.
    pub fn name_attribute(&self) -> &str {
        self.name.as_deref().unwrap_or("name")
    }

    /// What is wrong with the section, in words; empty if nothing is.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for resource in self.resources.iter().chain(self.merge.iter().map(|m| &m.resource)) {
            if !is_attribute(resource) || !resource.contains('_') {
                problems.push(format!("`{resource}` is not a Terraform resource type"));
            }
        }
        check_map(&self.map, "map", &mut problems);
        self.set.keys().for_each(|path| check_path(path, "set", &mut problems));
        for resource in self.wrap_for.keys().filter(|resource| !self.resources.contains(*resource)) {
            problems.push(format!("wrap_for: `{resource}` is not one of `resources`"));
        }
        for (resource, set) in &self.set_for {
            if !self.resources.contains(resource) {
                problems.push(format!("set_for: `{resource}` is not one of `resources`"));
            }
            set.keys().for_each(|path| check_path(path, "set_for", &mut problems));
        }
        for merge in &self.merge {
            let place = format!("merge of `{}`", merge.resource);
            if merge.on.is_empty() {
                problems.push(format!("{place}: `on` is missing"));
            }
            match (&merge.at, &merge.append) {
                (Some(path), None) | (None, Some(path)) => check_path(path, &place, &mut problems),
                _ => problems.push(format!("{place}: exactly one of `at` and `append` is needed")),
            }
            if merge.value.is_some() && merge.append.is_none() {
                problems.push(format!("{place}: `value` needs `append`"));
            }
            check_map(&merge.map, &place, &mut problems);
        }
        for emit in &self.emit {
            let place = format!("emit of `{}`", emit.type_name);
            if model::TypeName::new(&emit.type_name).is_err() {
                problems.push(format!("{place}: `type` is not a resource type"));
            }
            if !emit.from.split('.').all(is_attribute) {
                problems.push(format!("{place}: `from` is not an attribute"));
            }
            emit.link.iter().chain(&emit.to).for_each(|path| check_path(path, &place, &mut problems));
            check_map(&emit.map, &place, &mut problems);
        }
        problems
    }
}

impl Merge {
    /// The property path that it goes to; `.` for the properties themselves.
    pub fn path(&self) -> &str {
        self.at.as_deref().or(self.append.as_deref()).unwrap_or(".")
    }

    /// True if what the owner itself has there gives way: it is what the provider read back, or an older form.
    pub fn replaces(&self) -> bool {
        self.path() != "." && (self.at.is_some() || self.from.is_some())
    }
}

fn check_map(map: &RuleMap, place: &str, problems: &mut Vec<String>) {
    for (attribute, rule) in map {
        let place = format!("{place}, `{attribute}`");
        if !attribute.split('.').all(is_attribute) {
            problems.push(format!("{place}: not an attribute or a path of attributes"));
        }
        match rule.to.as_deref() {
            Some(path) => check_path(path, &place, problems),
            None if rule.key.is_some() => problems.push(format!("{place}: `key` needs `to`")),
            None => {}
        }
        rule.rows.values().chain(rule.also.keys()).for_each(|path| check_path(path, &place, problems));
        check_map(&rule.map, &place, problems);
    }
}

fn check_path(path: &str, place: &str, problems: &mut Vec<String>) {
    let part = |p: &str| {
        let (name, index) = p.split_once('[').unwrap_or((p, "]"));
        let fine = index.strip_suffix(']').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()) && n.len() <= 2);
        fine && !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric())
    };
    if path != "." && !path.split('.').all(part) {
        problems.push(format!("{place}: `{path}` is not a property path"));
    }
}

fn is_attribute(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The table form of [`Rule`].
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RuleTable {
    to: Option<String>,
    #[serde(rename = "as")]
    form: Option<Form>,
    values: BTreeMap<String, Scalar>,
    absent: Vec<Scalar>,
    scale: Option<f64>,
    key: Option<String>,
    pair: Option<(String, String)>,
    item: Option<String>,
    also: BTreeMap<String, Scalar>,
    map: RuleMap,
    rows: BTreeMap<String, String>,
    unset: Option<Unset>,
}

impl From<RuleTable> for Rule {
    fn from(t: RuleTable) -> Rule {
        Rule {
            to: t.to,
            form: t.form,
            values: t.values,
            absent: t.absent,
            scale: t.scale,
            key: t.key,
            pair: t.pair,
            item: t.item,
            also: t.also,
            map: t.map,
            rows: t.rows,
            unset: t.unset,
        }
    }
}

/// A plain string is the short form.
impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rule, D::Error> {
        deserializer.deserialize_any(RuleVisitor)
    }
}

struct RuleVisitor;

impl<'de> Visitor<'de> for RuleVisitor {
    type Value = Rule;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a property path or a table")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Rule, E> {
        let to = String::deserialize(StrDeserializer::new(text))?;
        Ok(Rule { to: Some(to), ..Rule::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rule, A::Error> {
        RuleTable::deserialize(MapAccessDeserializer::new(map)).map(Rule::from)
    }
}

impl Scalar {
    /// The value as text: `true`, `-1`, `tcp`.
    pub fn text(&self) -> String {
        match self {
            Scalar::Bool(b) => b.to_string(),
            Scalar::Int(n) => n.to_string(),
            Scalar::Text(s) => s.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUCKET: &str = r#"
        resources = ["aws_s3_bucket"]
        name = "bucket"
        [map]
        bucket = "BucketName"
        "versioning.enabled" = { to = "VersioningConfiguration.Status", values = { true = "Enabled", false = "Suspended" } }
        ttl = { to = "TimeToLive", absent = [-1, "", false], scale = 60.0 }
        [[merge]]
        resource = "aws_s3_bucket_versioning"
        on = "bucket"
        at = "VersioningConfiguration"
        from = "versioning_configuration"
        [[emit]]
        type = "AWS::S3::BucketPolicy"
        from = "policy"
        to = "PolicyDocument"
        link = "Bucket"
    "#;

    #[test]
    fn reads_short_and_long_rules() {
        let section: TerraformSection = toml::from_str(BUCKET).unwrap();
        assert_eq!(section.problems(), Vec::<String>::new());
        assert_eq!(section.map["bucket"], Rule { to: Some("BucketName".into()), ..Rule::default() });
        assert_eq!(section.map["versioning.enabled"].values["true"], Scalar::Text("Enabled".into()));
        assert_eq!(section.map["ttl"].absent, [Scalar::Int(-1), Scalar::Text(String::new()), Scalar::Bool(false)]);
    }

    #[test]
    fn the_packed_form_comes_back_the_same() {
        let section: TerraformSection = toml::from_str(BUCKET).unwrap();
        let packed = serde_json::to_vec(&section).unwrap();
        assert_eq!(serde_json::from_slice::<TerraformSection>(&packed).unwrap(), section);
        let text = toml::to_string(&section).unwrap();
        assert_eq!(toml::from_str::<TerraformSection>(&text).unwrap(), section);
    }

    #[test]
    fn unknown_keys_are_refused() {
        for text in [
            "resource = []",
            "[map]\nx = { too = \"Y\" }",
            "[[merge]]\nresourse = \"aws_x\"",
            "[[emit]]\ntyp = \"A::B::C\"",
            "[map]\nx = { as = \"xml\" }",
            "[map]\nx = 3",
        ] {
            assert!(toml::from_str::<TerraformSection>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn problems_are_named() {
        let cases = [
            ("resources = [\"AWS::S3::Bucket\"]", "`AWS::S3::Bucket` is not a Terraform resource type"),
            ("[map]\nx = \"A..B\"", "map, `x`: `A..B` is not a property path"),
            ("[map]\n\"a..b\" = \"A\"", "map, `a..b`: not an attribute or a path of attributes"),
            ("[map]\nx = \"A[one].B\"", "map, `x`: `A[one].B` is not a property path"),
            ("[set_for.aws_x]\nA = 1", "set_for: `aws_x` is not one of `resources`"),
            ("[map]\nx = { key = \"k\" }", "map, `x`: `key` needs `to`"),
            ("[[merge]]\nresource = \"aws_x\"\non = \"y\"", "merge of `aws_x`: exactly one of `at` and `append` is needed"),
            ("[[merge]]\nresource = \"aws_x\"\nat = \"Y\"", "merge of `aws_x`: `on` is missing"),
            ("[[emit]]\ntype = \"X\"\nfrom = \"a\"", "emit of `X`: `type` is not a resource type"),
        ];
        for (text, problem) in cases {
            let section: TerraformSection = toml::from_str(text).unwrap();
            assert_eq!(section.problems(), [problem], "{text}");
        }
    }
}
