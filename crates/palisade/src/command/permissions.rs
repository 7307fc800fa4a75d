//! `palisade permissions`

use anyhow::Result;
use serde_json::{Value as Json, json};

use super::scan::filter;
use crate::cli::{PermissionsArgs, PermissionsFormat};
use crate::exit::Exit;
use crate::input::Knowledge;
use crate::live::{self, Wanted};
use crate::output;

/// The most characters of a managed policy, white space aside (IAM User Guide, "IAM and AWS STS quotas").
const POLICY_CHARS_MAX: usize = 6_144;

/// Prints the least policy with which the chosen checks can be answered.
pub(crate) fn run(args: &PermissionsArgs, knowledge: &Knowledge) -> Result<Exit> {
    let filter = filter(&args.filter, knowledge)?;
    let plan = live::wanted(&knowledge.plan()?, &knowledge.catalogue, Wanted::Checks(&filter));
    let mut actions: Vec<String> = aws::permissions(&plan).into_iter().collect();
    if args.org {
        actions.extend(["organizations:ListAccounts".to_owned(), "sts:AssumeRole".to_owned()]);
        actions.sort();
        actions.dedup();
    }
    let parts = parts(&actions);
    let text = match args.format {
        PermissionsFormat::Json => {
            if parts.len() > 1 {
                output::tell(&format!(
                    "longer than one managed policy may be: make {} of it, or use --format cloudformation or terraform",
                    parts.len()
                ));
            }
            serde_json::to_string_pretty(&policy(&actions))? + "\n"
        }
        PermissionsFormat::Cloudformation => serde_json::to_string_pretty(&cloudformation(&parts))? + "\n",
        PermissionsFormat::Terraform => terraform(&parts)?,
    };
    output::print(&text)?;
    Ok(Exit::Clean)
}

fn policy(actions: &[String]) -> Json {
    json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "PalisadeReads", "Effect": "Allow", "Action": actions, "Resource": "*" }] })
}

/// The actions, cut so that each part fits a managed policy.
fn parts(actions: &[String]) -> Vec<Vec<String>> {
    let mut parts: Vec<Vec<String>> = vec![Vec::new()];
    for action in actions {
        let mut longer = parts.last().cloned().unwrap_or_default();
        longer.push(action.clone());
        let full = policy(&longer).to_string().len() > POLICY_CHARS_MAX;
        match parts.last_mut() {
            Some(last) if !full => last.push(action.clone()),
            _ => parts.push(vec![action.clone()]),
        }
    }
    parts
}

/// A role that a principal of your choice can assume, with the policies.
fn cloudformation(parts: &[Vec<String>]) -> Json {
    let mut resources = serde_json::Map::new();
    let mut attached = Vec::new();
    for (n, part) in parts.iter().enumerate() {
        let name = format!("Reads{}", n + 1);
        let description = "What palisade reads, and nothing else";
        let properties = json!({ "Description": description, "PolicyDocument": policy(part) });
        attached.push(json!({ "Ref": name }));
        resources.insert(name, json!({ "Type": "AWS::IAM::ManagedPolicy", "Properties": properties }));
    }
    let asked = json!({ "Fn::If": ["AsksExternalId",
        { "StringEquals": { "sts:ExternalId": { "Ref": "ExternalId" } } }, { "Ref": "AWS::NoValue" }] });
    let trust = json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "AWS": { "Ref": "TrustedPrincipal" } }, "Action": "sts:AssumeRole", "Condition": asked }] });
    let role = json!({ "RoleName": { "Ref": "RoleName" }, "AssumeRolePolicyDocument": trust, "ManagedPolicyArns": attached });
    resources.insert("Reader".to_owned(), json!({ "Type": "AWS::IAM::Role", "Properties": role }));
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "A role with which palisade reads this account",
        "Parameters": {
            "TrustedPrincipal": { "Type": "String", "Description": "The ARN of the user or role that may assume it" },
            "RoleName": { "Type": "String", "Default": "palisade-reader" },
            "ExternalId": { "Type": "String", "Default": "", "NoEcho": true }
        },
        "Conditions": { "AsksExternalId": { "Fn::Not": [{ "Fn::Equals": [{ "Ref": "ExternalId" }, ""] }] } },
        "Resources": resources,
        "Outputs": { "RoleArn": { "Value": { "Fn::GetAtt": ["Reader", "Arn"] } } }
    })
}

/// The policies in Terraform's language.
fn terraform(parts: &[Vec<String>]) -> Result<String> {
    let mut out = String::new();
    for (n, part) in parts.iter().enumerate() {
        let name = format!("palisade_reads_{}", n + 1);
        let document = serde_json::to_string_pretty(&policy(part))?;
        out += &format!(
            "resource \"aws_iam_policy\" \"{name}\" {{\n  name        = \"{}\"\n  description = \"What palisade reads, and nothing else\"\n  policy      = <<-EOT\n{}\n  EOT\n}}\n\n",
            name.replace('_', "-"),
            document.lines().map(|l| format!("    {l}")).collect::<Vec<_>>().join("\n"),
        );
    }
    Ok(out.trim_end().to_owned() + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_fits_a_managed_policy() {
        let actions: Vec<String> = (0..900).map(|n| format!("service{n}:DescribeSomethingLong{n}")).collect();
        let parts = parts(&actions);
        assert!(parts.len() > 1);
        assert_eq!(parts.concat(), actions);
        assert!(parts.iter().all(|p| policy(p).to_string().len() <= POLICY_CHARS_MAX));
    }
}
