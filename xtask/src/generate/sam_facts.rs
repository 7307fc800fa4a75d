//! Derives the facts of the SAM expansion from PyPI's `aws-sam-translator` (Apache-2.0).
//!
//! `cargo xtask gen sam-facts DIR`: DIR is the installed package, the folder `samtranslator`. Writes
//! `crates/iac/facts/serverless.json` (the policy templates without their words, the connector profiles) and
//! `crates/iac/facts/managed-policies.txt` (the paths of AWS's managed policies, by name).

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

/// Anything that stops the derivation, in words.
pub(crate) type Error = Box<dyn std::error::Error>;

/// Derives the facts. `args` is what follows `sam-facts` on the command line.
pub(crate) fn run(args: &[&str]) -> Result<(), Error> {
    let [dir] = args else { return Err("usage: cargo xtask gen sam-facts DIR".into()) };
    let dir = Path::new(dir);
    let policies = read(&dir.join("policy_templates_data/policy_templates.json"))?;
    let connectors = read(&dir.join("model/connector_profiles/profiles.json"))?;
    let facts = json!({
        "policies": member(&policies, "Templates")?.iter().map(policy).collect::<Map<_, _>>(),
        "profiles": member(&connectors, "Permissions")?,
        "resources": member(&connectors, "CfnResourceProperties")?,
    });
    let folder = crate::root().join("crates/iac/facts");
    fs::write(folder.join("serverless.json"), facts.to_string())?;
    let managed = read(&dir.join("internal/data/aws_managed_policies.json"))?;
    let mut lines = String::new();
    for arn in member(&managed, "aws")?.values().filter_map(Value::as_str) {
        let (_, path) = arn.split_once(":policy/").ok_or("an ARN without `:policy/`")?;
        writeln!(lines, "{path}")?;
    }
    fs::write(folder.join("managed-policies.txt"), lines)?;
    Ok(())
}

/// A policy template: the names of its parameters and its document.
fn policy((name, template): (&String, &Value)) -> (String, Value) {
    let parameters: Vec<&String> =
        template.get("Parameters").and_then(Value::as_object).into_iter().flatten().map(|(k, _)| k).collect();
    (name.clone(), json!({ "parameters": parameters, "document": template.get("Definition") }))
}

fn read(path: &Path) -> Result<Value, Error> {
    let text = fs::read_to_string(path).map_err(|e| format!("cannot read `{}`: {e}", path.display()))?;
    Ok(serde_json::from_str(&text)?)
}

fn member<'v>(value: &'v Value, key: &str) -> Result<&'v Map<String, Value>, Error> {
    Ok(value.get(key).and_then(Value::as_object).ok_or_else(|| format!("no mapping `{key}`"))?)
}
