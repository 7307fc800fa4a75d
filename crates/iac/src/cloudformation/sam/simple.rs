//! Serverless resources that become one other: tables, layers and applications.

use model::{GapReason, Path, Value};
use serde_json::{Value as Json, json};

use super::made::{list, map, tag_of, tags, text};
use super::{Expansion, Source, function, written};

/// `AWS::Serverless::SimpleTable`.
pub(crate) fn table(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    let known =
        ["PointInTimeRecoverySpecification", "PrimaryKey", "ProvisionedThroughput", "TableName", "Tags", "SSESpecification"];
    cx.unknown_properties(source, &[&known]);
    let key = source.get("PrimaryKey");
    let (name, kind) = match key.says() {
        true => {
            let kind = match key.get("Type").text() {
                Some("String") => text("S"),
                Some("Number") => text("N"),
                Some("Binary") => text("B"),
                _ => {
                    cx.gap(source, Some(key), GapReason::Malformed, "the type of a key is `String`, `Number` or `Binary`");
                    key.get("Type").value.clone()
                }
            };
            (key.get("Name").value.clone(), kind)
        }
        false => (text("id"), text("S")),
    };
    let mut made = cx.make(source, &source.id, "AWS::DynamoDB::Table");
    let attribute = map([("AttributeName", name.clone()), ("AttributeType", kind)]);
    made.derive("AttributeDefinitions", list([attribute]), key);
    made.derive("KeySchema", list([map([("AttributeName", name), ("KeyType", text("HASH"))])]), key);
    for same in ["PointInTimeRecoverySpecification", "ProvisionedThroughput", "SSESpecification", "TableName"] {
        made.copy_said(same, source.get(same));
    }
    if !source.get("ProvisionedThroughput").says() {
        made.set("BillingMode", text("PAY_PER_REQUEST"));
    }
    if source.get("Tags").says() {
        made.derive("Tags", Value::List(tags(source.get("Tags"))), source.get("Tags"));
    }
    cx.add(made);
}

/// `AWS::Serverless::LayerVersion`. Its logical id changes with what it holds.
pub(crate) fn layer(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    let same = ["Description", "CompatibleArchitectures", "CompatibleRuntimes", "LicenseInfo"];
    cx.unknown_properties(source, &[&same, &["LayerName", "PublishLambdaVersion", "ContentUri", "RetentionPolicy"]]);
    let id = written::hashed(&source.id, &fingerprint(cx, source));
    cx.references.rename(cx.full(&source.id), cx.full(&id));
    let mut made = cx.make(source, &id, "AWS::Lambda::LayerVersion");
    match source.get("LayerName") {
        name if name.says() => made.copy("LayerName", name),
        _ => made.set("LayerName", text(&source.id)),
    }
    made.copy_all(source.props(), &same);
    let content = source.get("ContentUri");
    if content.is_set() {
        made.derive("Content", function::location(content, ["S3Bucket", "S3Key", "S3ObjectVersion"]), content);
    } else {
        cx.gap(source, None, GapReason::Malformed, "has no `ContentUri`");
    }
    cx.add(made);
}

/// The layer as it is written, but for what says only what becomes of it.
fn fingerprint(cx: &Expansion<'_, '_, '_>, source: &Source) -> Json {
    let mut properties = source.written.clone();
    if let Json::Object(properties) = &mut properties {
        for key in ["LayerName", "LicenseInfo", "Description", "RetentionPolicy"] {
            if let Some(value) = properties.get_mut(key) {
                *value = cx.resolved(value);
            }
        }
    }
    let mut whole = serde_json::Map::new();
    whole.insert("Type".to_owned(), "AWS::Serverless::LayerVersion".into());
    for key in ["DependsOn", "Condition", "UpdatePolicy"] {
        if let Some(node) = cx.node(&source.id).and_then(|n| n.get(key)) {
            whole.insert(key.to_owned(), written::json_of(node));
        }
    }
    whole.insert("Properties".to_owned(), properties);
    json!({ source.id.clone(): whole })
}

/// `AWS::Serverless::Application`: a nested stack.
pub(crate) fn application(cx: &mut Expansion<'_, '_, '_>, source: &Source) {
    let same = ["Parameters", "NotificationARNs", "TimeoutInMinutes"];
    cx.unknown_properties(source, &[&same, &["Location", "Tags"]]);
    let mut made = cx.make(source, &source.id, "AWS::CloudFormation::Stack");
    made.copy_all(source.props(), &same);
    let location = source.get("Location");
    let mut all = vec![tag_of("lambda:createdBy", text("SAM"))];
    if location.value.as_map().is_some() {
        for (key, tag) in
            [("ApplicationId", "serverlessrepo:applicationId"), ("SemanticVersion", "serverlessrepo:semanticVersion")]
        {
            if location.get(key).is_set() {
                all.push(tag_of(tag, location.get(key).value.clone()));
            }
        }
        let what = "a template of the Serverless Application Repository";
        made.derive("TemplateURL", Value::unknown_present(model::Reason::NotCollected, what), location);
    } else {
        made.copy("TemplateURL", location);
    }
    all.extend(tags(source.get("Tags")));
    made.set("Tags", Value::List(all));
    made.wrote(Path::ROOT.key("Tags"), source.get("Tags").span());
    cx.add(made);
}
