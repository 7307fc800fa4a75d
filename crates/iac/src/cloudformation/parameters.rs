//! Parameter values that somebody gives for a template.

use std::collections::BTreeMap;

use model::{Partition, Region, Text, Value};
use syntax::{Kind, Node};

/// Parameter values by name, pseudo parameters (`AWS::Region`, `AWS::AccountId`, `AWS::StackName`) among them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameters {
    values: BTreeMap<String, String>,
}

impl Parameters {
    /// Gives a value; of two for one name the later one counts.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.insert(name.into(), value.into());
    }

    /// The value given for `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Reads a parameter file, JSON or YAML, in any of the forms in use: the AWS CLI's list of `ParameterKey` and
    /// `ParameterValue`, CodePipeline's `{"Parameters": {..}}`, or a plain mapping; and the `Key=Value` list of
    /// `aws cloudformation deploy`; and the deployment file of a stack that is kept in step with Git. Lists of values are joined with commas, as CloudFormation takes them.
    ///
    /// # Errors
    /// What is wrong with the text, with line and column.
    pub fn parse(text: &str, limits: &syntax::Limits) -> Result<Parameters, syntax::Diagnostic> {
        let document = super::parse_text(text, limits)?;
        let root = &document.root;
        let mut parameters = Parameters::default();
        let listed = root.get("Parameters").or(root.get("parameters").filter(|n| n.text().is_none())).unwrap_or(root);
        let wrong = |node: &Node, message: &str| syntax::Diagnostic {
            message: message.to_owned(),
            span: node.span,
            cause: syntax::Cause::Malformed,
            help: Some("write `{\"Name\": \"value\"}` or `[{\"ParameterKey\": .., \"ParameterValue\": ..}]`".to_owned()),
        };
        match &listed.kind {
            Kind::Map(entries) => {
                for entry in entries {
                    let value = plain(&entry.node)
                        .ok_or_else(|| wrong(&entry.node, "a parameter's value must be text or a list of texts"))?;
                    parameters.set(&*entry.key, value);
                }
            }
            Kind::Seq(items) => {
                for item in items {
                    // A value that stays as it is in the deployed stack is not known here.
                    if item.get("UsePreviousValue").and_then(Node::as_bool) == Some(true) {
                        continue;
                    }
                    let pair = match item.as_str() {
                        Some(line) => pair_of(line),
                        None => item
                            .get("ParameterKey")
                            .and_then(Node::as_str)
                            .zip(item.get("ParameterValue").and_then(plain))
                            .map(|(k, v)| (k.to_owned(), v)),
                    };
                    let (name, value) = pair.ok_or_else(|| wrong(item, "expected `ParameterKey` and `ParameterValue`"))?;
                    parameters.set(name, value);
                }
            }
            Kind::Scalar(_) => return Err(wrong(root, "expected parameters, found a single value")),
        }
        Ok(parameters)
    }

    /// A pseudo parameter's value, as far as it is given or follows from what is given.
    pub(crate) fn pseudo(&self, name: &str) -> Option<Value> {
        if let Some(value) = self.get(name) {
            return Some(Value::text(value));
        }
        let region = || self.get("AWS::Region").and_then(|r| Region::new(r).ok());
        let partition = || region().map_or(Partition::Aws, |r| r.partition());
        match name {
            "AWS::Partition" => Some(Value::text(partition().name())),
            "AWS::URLSuffix" => Some(Value::text(partition().url_suffix())),
            _ => None,
        }
    }
}

/// `Name=value`, or the AWS CLI's `ParameterKey=Name,ParameterValue=value`.
fn pair_of(line: &str) -> Option<(String, String)> {
    let long = line.strip_prefix("ParameterKey=").and_then(|rest| rest.split_once(",ParameterValue="));
    long.or_else(|| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned()))
}

fn plain(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Scalar(scalar) => Some(scalar.text.to_string()),
        Kind::Seq(items) => items.iter().map(|n| n.text().map(Text::to_string)).collect::<Option<Vec<_>>>().map(|v| v.join(",")),
        Kind::Map(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_parameter_file() {
        let mut want = Parameters::default();
        want.set("Env", "prod");
        want.set("Subnets", "a,b");
        for text in [
            r#"{"Env": "prod", "Subnets": ["a", "b"]}"#,
            r#"{"Parameters": {"Env": "prod", "Subnets": "a,b"}}"#,
            r#"[{"ParameterKey": "Env", "ParameterValue": "prod"}, {"ParameterKey": "Subnets", "ParameterValue": "a,b"}]"#,
            r#"["Env=prod", "Subnets=a,b"]"#,
            r#"["ParameterKey=Env,ParameterValue=prod", "ParameterKey=Subnets,ParameterValue=a,b"]"#,
            r#"[{"ParameterKey": "Env", "ParameterValue": "prod"}, {"ParameterKey": "Subnets", "ParameterValue": ["a", "b"]}, {"ParameterKey": "Kept", "UsePreviousValue": true}]"#,
            "template-file-path: t.yaml\nparameters:\n  Env: prod\n  Subnets: a,b\ntags: {a: b}\n",
            "Env: prod\nSubnets: [a, b]\n",
        ] {
            assert_eq!(Parameters::parse(text, &syntax::Limits::default()), Ok(want.clone()), "{text}");
        }
        for text in ["1", "[1]", "{\"A\": {}}", "["] {
            assert!(Parameters::parse(text, &syntax::Limits::default()).is_err(), "{text}");
        }
    }

    #[test]
    fn the_partition_follows_from_the_region() {
        let mut given = Parameters::default();
        assert_eq!(given.pseudo("AWS::Partition"), Some(Value::text("aws")));
        given.set("AWS::Region", "cn-north-1");
        assert_eq!(given.pseudo("AWS::Partition"), Some(Value::text("aws-cn")));
        assert_eq!(given.pseudo("AWS::URLSuffix"), Some(Value::text("amazonaws.com.cn")));
        assert_eq!(given.pseudo("AWS::AccountId"), None);
    }
}
