//! What SAM knows: its policy templates, its connectors, and where AWS keeps its managed policies.
//!
//! Source: `crates/iac/facts`, which `cargo xtask gen sam-facts` derives.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value as Json;

static SERVERLESS: &str = include_str!("../../../facts/serverless.json");
static MANAGED: &str = include_str!("../../../facts/managed-policies.txt");

fn all() -> &'static Json {
    static ALL: OnceLock<Json> = OnceLock::new();
    ALL.get_or_init(|| serde_json::from_str(SERVERLESS).unwrap_or_default())
}

/// A policy template: the names of its parameters, and its document.
pub(crate) fn policy_template(name: &str) -> Option<(Vec<&'static str>, &'static Json)> {
    let template = all().get("policies")?.get(name)?;
    let parameters = template.get("parameters")?.as_array()?.iter().filter_map(Json::as_str).collect();
    Some((parameters, template.get("document")?))
}

/// How a connector from a resource of one type to one of another works.
pub(crate) fn connector(from: &str, to: &str) -> Option<&'static Json> {
    all().get("profiles")?.get(from)?.get(to)
}

/// What of a resource of a type a connector uses.
pub(crate) fn connected(type_name: &str) -> &'static Json {
    all().get("resources").and_then(|all| all.get(type_name)).unwrap_or(&Json::Null)
}

/// The path of a managed policy of AWS, below `policy/`.
pub(crate) fn managed_policy(name: &str) -> Option<&'static str> {
    static PATHS: OnceLock<BTreeMap<&str, &str>> = OnceLock::new();
    let named = |line: &'static str| (line.rsplit('/').next().unwrap_or(line), line);
    PATHS.get_or_init(|| MANAGED.lines().map(named).collect()).get(name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_facts_are_there() {
        assert_eq!(managed_policy("AWSLambdaBasicExecutionRole"), Some("service-role/AWSLambdaBasicExecutionRole"));
        assert_eq!(managed_policy("AmazonS3FullAccess"), Some("AmazonS3FullAccess"));
        assert_eq!(managed_policy("Mine"), None);
        assert_eq!(policy_template("DynamoDBCrudPolicy").map(|(p, _)| p), Some(vec!["TableName"]));
        assert!(connector("AWS::Lambda::Function", "AWS::DynamoDB::Table").is_some());
        assert!(connected("AWS::SQS::Queue").get("Outputs").is_some());
    }
}
