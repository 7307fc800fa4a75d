//! References to what a serverless resource becomes: `!Ref Function.Version`, `${Api.Stage}`, and layers, whose ids change.
//!
//! Source: the SAM specification's page on resources that SAM makes.

use std::collections::BTreeMap;

use model::{Link, Map, Text, Value};

use super::Source;
use super::made::Made;

/// The names that can be put behind a resource's, by its kind, and the types that they stand for.
const NAMES: &[(&str, &[(&str, &str)])] = &[
    (
        "Function",
        &[
            ("Alias", "AWS::Lambda::Alias"),
            ("Version", "AWS::Lambda::Version"),
            ("Role", "AWS::IAM::Role"),
            ("DestinationTopic", "AWS::SNS::Topic"),
            ("DestinationQueue", "AWS::SQS::Queue"),
        ],
    ),
    (
        "Api",
        &[
            ("Stage", "AWS::ApiGateway::Stage"),
            ("Deployment", "AWS::ApiGateway::Deployment"),
            ("DomainName", "AWS::ApiGateway::DomainName"),
            ("DomainNameV2", "AWS::ApiGateway::DomainNameV2"),
            ("UsagePlan", "AWS::ApiGateway::UsagePlan"),
            ("UsagePlanKey", "AWS::ApiGateway::UsagePlanKey"),
            ("ApiKey", "AWS::ApiGateway::ApiKey"),
        ],
    ),
    ("HttpApi", &[("Stage", "AWS::ApiGatewayV2::Stage"), ("DomainName", "AWS::ApiGatewayV2::DomainName")]),
    ("WebSocketApi", &[("Stage", "AWS::ApiGatewayV2::Stage"), ("DomainName", "AWS::ApiGatewayV2::DomainName")]),
];

/// What references of serverless resources lead to.
#[derive(Default)]
pub(crate) struct References {
    /// `Function.Version` to the id of what is meant.
    names: BTreeMap<Text, Text>,
    /// Resources whose id is another one now.
    renamed: BTreeMap<Text, Text>,
}

impl References {
    /// Notes what can be referred to among the resources that `source` has become.
    pub(crate) fn note(&mut self, source: &Source, made: &[Made], prefix: &str) {
        let Some((_, names)) = NAMES.iter().find(|(kind, _)| *kind == source.kind) else { return };
        for (name, type_name) in *names {
            // Of several resources of one type the last one is meant.
            if let Some(last) = made.iter().rev().find(|m| m.resource.type_name.as_str() == *type_name) {
                self.names.insert(format!("{prefix}{}.{name}", source.id).into(), last.resource.id.clone());
            }
        }
    }

    /// Notes that a resource has another id now.
    pub(crate) fn rename(&mut self, from: Text, to: Text) {
        self.renamed.insert(from, to);
    }

    pub(crate) fn is_renamed(&self, id: &str) -> bool {
        self.renamed.contains_key(id)
    }

    /// True if the link is one of these references.
    pub(crate) fn knows(&self, link: &Link) -> bool {
        self.target(link).is_some()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.renamed.is_empty()
    }

    /// Follows every reference in the values.
    pub(crate) fn apply(&self, map: &mut Map) {
        map.iter_mut().for_each(|(_, value)| self.follow(value));
    }

    fn follow(&self, value: &mut Value) {
        match value {
            Value::Link(link) => {
                if let Some(target) = self.target(link) {
                    **link = target;
                }
            }
            Value::List(items) | Value::Mixed(items) => items.iter_mut().for_each(|v| self.follow(v)),
            Value::Map(map) => self.apply(map),
            _ => {}
        }
    }

    fn target(&self, link: &Link) -> Option<Link> {
        if let Some(to) = self.renamed.get(&link.target) {
            return Some(Link { target: to.clone(), attr: link.attr.clone() });
        }
        // `Ref` gives the dotted name as it is, `Fn::GetAtt` and `Fn::Sub` have cut it at its first dot.
        let whole = if link.attr.is_empty() { link.target.to_string() } else { format!("{}.{}", link.target, link.attr) };
        let (id, rest) = whole.split_once('.')?;
        let (name, attr) = rest.split_once('.').unwrap_or((rest, ""));
        let to = self.names.get(&*format!("{id}.{name}"))?;
        Some(Link { target: to.clone(), attr: Text::from(attr) })
    }
}
