//! Where the resources of a plan or state were written, from the configuration beside it.

use std::collections::BTreeMap;

use model::{Accepted, Path, Resource, Span, SpanTable, Text};
use rustc_hash::FxHashMap;

use super::hcl::Block;
use super::mapping::MappedType;
use super::shape::{Target, mechanical};

/// One resource block of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file, as findings show it.
    pub file: Text,
    /// The block's first line.
    pub span: Span,
    /// Arguments and inner blocks by their path, in order.
    pub parts: Vec<(String, Span)>,
    /// Expressions that put a text together, as they are written, by the same paths.
    pub texts: Vec<(String, String)>,
    /// Suppressions in comments of the block or right above it.
    pub accepted: Vec<Accepted>,
}

/// A block by the path of its module (`net.subnets`; empty at the root), its type and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockName {
    /// Module path without keys.
    pub module: String,
    /// Terraform type.
    pub kind: String,
    /// Name.
    pub name: String,
}

/// The resource blocks of the configuration that a plan or state was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// By name. Of two with the same name the first counts: Terraform refuses such a configuration.
    pub blocks: BTreeMap<BlockName, Written>,
    /// The expressions of `locals`, by module path and name.
    pub locals: BTreeMap<(String, String), String>,
}

impl Sources {
    /// Adds what one file of the root module holds.
    pub fn add_text(&mut self, file: &str, text: &str) {
        self.add("", &Text::from(file), &super::hcl::blocks(text), &[]);
    }

    /// Adds the resource blocks of one file of a module.
    pub(crate) fn add(&mut self, module: &str, file: &Text, blocks: &[Block<'_>], accepted: &[(u32, Accepted)]) {
        let texts = |block: &Block<'_>| -> Vec<(String, String)> {
            block.texts.iter().map(|(name, text)| (name.clone(), (*text).to_owned())).collect()
        };
        for block in blocks {
            if block.kind == "locals" && block.labels.is_empty() {
                let locals = texts(block).into_iter().map(|(name, text)| ((module.to_owned(), name), text));
                for (name, text) in locals {
                    self.locals.entry(name).or_insert(text);
                }
            }
            let (true, [kind, name]) = (block.kind == "resource", block.labels.as_slice()) else { continue };
            let name = BlockName { module: module.to_owned(), kind: (*kind).to_owned(), name: (*name).to_owned() };
            let own = accepted.iter().filter(|(line, _)| (block.head.line..=block.end_line).contains(line));
            self.blocks.entry(name).or_insert_with(|| Written {
                file: file.clone(),
                span: block.head,
                parts: block.parts.clone(),
                texts: texts(block),
                accepted: own.map(|(_, accepted)| accepted.clone()).collect(),
            });
        }
    }
}

/// Says of a resource where it was written: file and line, and for its properties the arguments that they come from.
/// `parts` are separate resources that were put into it, with the property path each went to.
pub(crate) fn place(resource: &mut Resource, own: &Written, parts: &[(&str, &Written)], mapped: Option<&MappedType>) {
    resource.origin.file = Some(own.file.clone());
    resource.origin.span = Some(own.span);
    resource.origin.accepted.clone_from(&own.accepted);
    let mut spans = SpanTable::default();
    if let Some(mapped) = mapped {
        let mut count: FxHashMap<&str, usize> = FxHashMap::default();
        own.parts.iter().for_each(|(name, _)| *count.entry(name).or_default() += 1);
        // Of several blocks of one name it is not known which became which item.
        let once = |name: &str| prefixes(name).all(|prefix| count.get(prefix).copied().unwrap_or_default() <= 1);
        for (name, span) in own.parts.iter().filter(|(name, _)| once(name)) {
            if let Some(path) = property(mapped, name) {
                spans.insert(path_of(&path), *span);
            }
        }
    }
    for (path, part) in parts.iter().filter(|(_, part)| part.file == own.file) {
        spans.insert(path_of(path), part.span);
    }
    spans.finish();
    resource.spans = spans;
    for (_, part) in parts {
        resource.origin.accepted.extend(part.accepted.iter().cloned());
    }
}

/// `a`, `a.b` and `a.b.c` for `a.b.c`.
fn prefixes(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices('.').filter_map(|(at, _)| name.get(..at)).chain([name])
}

fn path_of(path: &str) -> Path {
    let plain = path.replace("[]", "");
    Path::parse(&plain)
}

/// The property path that an argument's value goes to, as far as that can be told without the value.
fn property(mapped: &MappedType, argument: &str) -> Option<String> {
    let section = &mapped.section;
    let target = Target { tree: mapped.tree(), root: Some(mapped) };
    if let Some(rule) = section.map.get(argument) {
        let last = argument.rsplit('.').next().unwrap_or(argument);
        return rule.to.clone().filter(|to| to != ".").or_else(|| Some(mechanical(last, target)?.0));
    }
    let (first, rest) = argument.split_once('.').map_or((argument, None), |(first, rest)| (first, Some(rest)));
    if section.ignore.iter().any(|name| name == first) {
        return None;
    }
    let rule = section.map.get(first);
    let base = match rule.and_then(|r| r.to.clone()) {
        Some(to) => to,
        None => mechanical(first, target)?.0,
    };
    let Some(rest) = rest.filter(|rest| !rest.contains('.')) else { return Some(base) };
    let tree = mapped.tree().and_then(|t| t.at(&base));
    let inner = match rule.and_then(|r| r.map.get(rest)).and_then(|r| r.to.clone()) {
        Some(to) => to,
        None => mechanical(rest, Target { tree, root: None })?.0,
    };
    let whole = if base == "." { inner } else { format!("{base}.{inner}") };
    Some(whole)
}

#[cfg(test)]
mod tests {
    use catalogue::terraform::TerraformSection;
    use model::{ScopeIndex, TypeName};

    use super::super::mapping::{Mapping, TypeSource};
    use super::*;

    const BUCKET: &str = r#"
        resources = ["aws_s3_bucket"]
        [map]
        bucket = "BucketName"
        "versioning.enabled" = "VersioningConfiguration.Status"
        logging = { to = "LoggingConfiguration", map = { target_bucket = "DestinationBucketName" } }
    "#;

    #[test]
    fn properties_are_where_their_arguments_are() {
        let section: TerraformSection = toml::from_str(BUCKET).unwrap();
        let name = TypeName::new("AWS::S3::Bucket").unwrap();
        let mapping = Mapping::new([TypeSource { name: &name, properties: vec![("Tags", "tags")], section: &section }]);
        let text = "resource \"aws_s3_bucket\" \"b\" {\n bucket = \"x\"\n tags = {}\n versioning {\n  enabled = true\n }\n \
                    logging {\n  target_bucket = \"l\"\n }\n rule {\n }\n rule {\n }\n}\nresource \"aws_p\" \"p\" {}\n";
        let blocks = crate::terraform::hcl::blocks(text);
        let written: Vec<Written> = blocks
            .iter()
            .map(|b| Written {
                file: "main.tf".into(),
                span: b.head,
                parts: b.parts.clone(),
                texts: Vec::new(),
                accepted: Vec::new(),
            })
            .collect();
        let mut resource = Resource::new("aws_s3_bucket.b", name.clone(), ScopeIndex(0));
        let mapped = mapping.of_resource("aws_s3_bucket").map(|(_, mapped)| mapped);
        place(&mut resource, &written[0], &[("PublicAccessBlockConfiguration", &written[1])], mapped);
        for (path, line) in [
            ("BucketName", 2),
            ("Tags[0].Key", 3),
            ("VersioningConfiguration.Status", 5),
            ("LoggingConfiguration.DestinationBucketName", 8),
            ("LoggingConfiguration.LogFilePrefix", 7),
            ("PublicAccessBlockConfiguration.BlockPublicAcls", 15),
            ("Rules", 1),
            ("BucketEncryption", 1),
        ] {
            assert_eq!(resource.place(path).map(|s| s.line), Some(line), "{path}");
        }
    }
}
