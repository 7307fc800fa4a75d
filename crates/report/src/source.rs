//! The lines of a source file that a finding shows, without the secrets in them.
//!
//! A line that assigns to something called a password is shown without its value; where the evidence of the finding is hidden,
//! so are the values on all of its lines.

use model::{Finding, secret};

use crate::Report;

/// Parts of names whose values are not shown.
const SECRET_NAMES: &[&str] = &["password", "passwd", "secret", "token", "privatekey", "apikey", "credential", "presharedkey"];

/// Lines `first` to `last` (from 1) of the file that the finding names.
pub(crate) fn lines(report: &Report<'_>, finding: &Finding, first: u32, last: u32) -> Option<String> {
    let text = report.sources.lines(finding.resource.file.as_deref()?, first, last)?;
    let text = secret::mask(&text);
    let all = finding.evidence.iter().any(|e| is_hidden(&e.value));
    Some(text.lines().map(|line| without_secret(line, all) + "\n").collect())
}

fn is_hidden(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text == secret::HIDDEN,
        serde_json::Value::Array(items) => items.iter().any(is_hidden),
        serde_json::Value::Object(members) => members.values().any(is_hidden),
        _ => false,
    }
}

/// The line with what it assigns replaced, if its name is a secret's or `all` are.
fn without_secret(line: &str, all: bool) -> String {
    let Some(at) = line.find([':', '=']) else {
        return if all && !is_structure(line) { secret::HIDDEN.to_owned() } else { line.to_owned() };
    };
    let (name, rest) = line.split_at(at);
    let (separator, value) = rest.split_at(1);
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    let secret = all || SECRET_NAMES.iter().any(|word| letters.contains(word));
    if !secret || is_structure(value) || is_reference(value, separator) {
        return line.to_owned();
    }
    let space = if value.starts_with(' ') { " " } else { "" };
    format!("{name}{separator}{space}{}", secret::HIDDEN)
}

/// Brackets and the like, which hold no value themselves.
fn is_structure(value: &str) -> bool {
    value.chars().all(|c| c.is_whitespace() || "{}[](),|>-".contains(c)) || value.trim_start().starts_with("<<")
}

/// True for what another place gives: `!Ref X`, `{\"Ref\": ..}`, `var.x`.
fn is_reference(value: &str, separator: &str) -> bool {
    let value = value.trim_start();
    value.starts_with(['!', '{']) && !value.contains("Base64") || separator == "=" && !value.starts_with('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_are_hidden() {
        for (line, shown) in [
            ("  MasterUserPassword: hunter2", "  MasterUserPassword: [hidden]"),
            ("  \"db_password\" : \"hunter2\",", "  \"db_password\" : [hidden]"),
            ("  password = \"hunter2\"", "  password = [hidden]"),
            ("  auth_token=\"x\"", "  auth_token=[hidden]"),
            ("  password = var.password", "  password = var.password"),
            ("  MasterUserPassword: !Ref Password", "  MasterUserPassword: !Ref Password"),
            ("  SecretString:", "  SecretString:"),
            ("  name = \"shop\"", "  name = \"shop\""),
            ("resource \"aws_s3_bucket\" \"b\" {", "resource \"aws_s3_bucket\" \"b\" {"),
        ] {
            assert_eq!(without_secret(line, false), shown);
        }
        for (line, shown) in [
            ("  DB: hunter2", "  DB: [hidden]"),
            ("export X", "[hidden]"),
            ("  }", "  }"),
            ("  user_data = <<-SH", "  user_data = <<-SH"),
        ] {
            assert_eq!(without_secret(line, true), shown);
        }
    }
}
