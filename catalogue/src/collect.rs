//! `collect.toml`: how the resources of one type are read from a live account, and how the answers become properties.
//!
//! A file names API calls and maps their answers; it holds no code. Only what `format` says can be written, and the API
//! facts that a call's name is looked up in hold read operations alone, so no file can express a change to an account.
//!
//! Absent on purpose: making the calls (that is `aws`).

mod expr;
mod mapping;

pub use expr::{EXPR_CHARS_MAX, Expr, ExprError, Root, Segment, Transform};
pub use mapping::{Mapping, Member};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

/// The most steps a file may chain, and the most calls per item.
pub const CALLS_MAX: usize = 40;

/// The verbs that an operation's name may begin with, each followed by an upper-case letter.
pub const READ_VERBS: &[&str] = &["List", "Describe", "Get", "BatchGet", "BatchDescribe", "Search", "Query", "Simulate"];

/// `aws/<service>/<type>/collect.toml`
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CollectFile {
    /// The API, by botocore's name (`s3`, `elbv2`, `logs`).
    pub service: String,
    /// Whether it is asked once per Region or once per account.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scope: CollectScope,
    /// How to list the items: each step runs for every item of the step before. None for a type of which an account (or
    /// Region) has exactly one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<Step>,
    /// The calls made for each item.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub get: Vec<Get>,
    /// Properties that the item carries under the same name (or the same name with a small first letter).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copy: Vec<String>,
    /// Property to expression over the item.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub props: serde_json::Map<String, Json>,
    /// Read-only attribute (`Arn`) to expression over the item.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attrs: BTreeMap<String, String>,
    /// The tags, in any of the forms in which APIs give them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
    /// The Region that the item lies in, where an account-wide list gives items of many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The item is a resource of this type only if these expressions have these values (after all its calls). What a failed
    /// call leaves unknown counts as fulfilled.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub keep: serde_json::Map<String, Json>,
    /// Properties that can be set but that no call tells: always unknown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untold: Vec<String>,
    /// The physical name, where no property holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Whether a type is asked for once per Region or once per account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CollectScope {
    /// In every enabled Region.
    #[default]
    Region,
    /// Once, at the partition's home Region.
    Account,
}

/// A call that lists items.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The operation, `DescribeInstances`. Without it, `items` looks into the item of the step before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The API, if not the file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its input; text values are expressions over the item of the step before.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub with: serde_json::Map<String, Json>,
    /// The items in the answer: `Reservations[].Instances[]`.
    pub items: String,
    /// What later steps and calls name the item, as `$name`.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// How many items of the step before go into one call, as a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<u32>,
    /// Error codes that mean "there are none": `Code`, or `Code: words of the message`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
    /// Only items whose expressions have these values count.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub keep: serde_json::Map<String, Json>,
}

/// A call that is made for each item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// The operation, `GetBucketPolicy`.
    pub call: String,
    /// The API, if not the file's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Its input; text values are expressions over the item.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub with: serde_json::Map<String, Json>,
    /// What later calls and the file's own expressions name the answer, as `$name`.
    #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// Error codes that mean "it is not set": `Code`, or `Code: words of the message`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
    /// The call is made only if these expressions over the item have these values.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub when: serde_json::Map<String, Json>,
    /// True if the resource is what this call gives: if it is absent there is no resource.
    #[serde(default, skip_serializing_if = "is_default")]
    pub required: bool,
    /// Properties that the answer carries under the same name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copy: Vec<String>,
    /// Property to expression over the answer.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub props: serde_json::Map<String, Json>,
    /// What holds where the answer is one of `absent`; nothing is set if this says nothing. Needed where a property that is
    /// not set means something else in a template (a bucket without a public access block blocks nothing).
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub otherwise: serde_json::Map<String, Json>,
    /// The tags, if this call gives them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,
}

/// True if an operation's name is that of a read.
pub fn is_read(operation: &str) -> bool {
    READ_VERBS
        .iter()
        .any(|verb| operation.strip_prefix(verb).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase())))
}

impl CollectFile {
    /// Every problem of the file, in its order.
    pub fn problems(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.list.len() > CALLS_MAX || self.get.len() > CALLS_MAX {
            out.push(format!("more than {CALLS_MAX} calls"));
        }
        if self.list.first().is_some_and(|s| s.call.is_none()) {
            out.push("the first `list` step needs a `call`".to_owned());
        }
        if self.list.is_empty() && self.get.is_empty() {
            out.push("neither `list` nor `get`: there is nothing to collect".to_owned());
        }
        for call in self.list.iter().filter_map(|s| s.call.as_ref()).chain(self.get.iter().map(|g| &g.call)) {
            if !is_read(call) {
                out.push(format!("`{call}` is not a read operation: its name must begin with one of {}", READ_VERBS.join(", ")));
            }
        }
        let mut check = |text: &str| {
            if let Err(error) = Expr::parse(text) {
                out.push(error.to_string());
            }
        };
        let own = [&self.tags, &self.region, &self.name];
        own.into_iter().flatten().chain(self.attrs.values()).for_each(|e| check(e));
        self.keep.keys().for_each(|k| check(k));
        for step in &self.list {
            check(&step.items);
            step.keep.keys().for_each(|k| check(k));
            texts(&step.with, &mut check);
        }
        for get in &self.get {
            get.tags.iter().chain(get.when.keys()).for_each(|e| check(e));
            texts(&get.with, &mut check);
        }
        for (props, copy) in std::iter::once((&self.props, &self.copy)).chain(self.get.iter().map(|g| (&g.props, &g.copy))) {
            if let Err(error) = Member::parse_all(props, copy) {
                out.push(error.to_string());
            }
        }
        for get in &self.get {
            if let Err(error) = Member::parse_all(&get.otherwise, &[]) {
                out.push(error.to_string());
            }
        }
        out
    }
}

/// Calls `visit` with every text in an input.
fn texts(with: &serde_json::Map<String, Json>, visit: &mut impl FnMut(&str)) {
    let mut todo: Vec<&Json> = with.values().collect();
    while let Some(value) = todo.pop() {
        match value {
            Json::String(text) => visit(text),
            Json::Array(items) => todo.extend(items),
            Json::Object(map) => todo.extend(map.values()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        toml::from_str::<CollectFile>(text).unwrap().problems()
    }

    #[test]
    fn reads_like_the_documentation_says() {
        let text = r#"
            service = "s3"
            scope = "account"
            region = "BucketRegion"
            props.BucketName = "Name"

            [[list]]
            call = "ListBuckets"
            items = "Buckets[]"

            [[get]]
            call = "GetBucketVersioning"
            with.Bucket = "Name"
            props.VersioningConfiguration.Status = "Status"
        "#;
        assert_eq!(problems(text), [""; 0]);
    }

    #[test]
    fn a_change_cannot_be_expressed() {
        for call in ["DeleteBucket", "PutBucketPolicy", "Getaway", "Listen", "AssumeRole", "GenerateCredentialReport", "get", ""]
        {
            let text = format!("service = \"s3\"\n[[list]]\ncall = \"{call}\"\nitems = \"A\"");
            assert_eq!(problems(&text).len(), 1, "{call}");
            let text = format!("service = \"s3\"\n[[get]]\ncall = \"{call}\"");
            assert_eq!(problems(&text).len(), 1, "{call}");
        }
    }

    #[test]
    fn unknown_keys_and_bad_expressions_are_refused() {
        assert!(toml::from_str::<CollectFile>("service = \"s3\"\nlsit = []").is_err());
        let text = "service = \"s3\"\nprops.A = \"a | nosuch\"\nprops.B = { each = \"x\", of = 3 }\n[[get]]\ncall = \"GetX\"";
        assert_eq!(problems(text).len(), 1);
        assert_eq!(problems("service = \"s3\"").len(), 1);
    }
}
