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
    let Some(at) = separator(line) else {
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

/// Where the line's name ends: its first `:` or `=`. The two colons of `Fn::Base64` and `AWS::Region` belong to the name.
fn separator(line: &str) -> Option<usize> {
    let bytes = line.as_bytes();
    let colon = |at: usize| bytes.get(at) == Some(&b':');
    (0..bytes.len()).find(|&at| match bytes.get(at) {
        Some(b'=') => true,
        Some(b':') => !(colon(at + 1) || at > 0 && colon(at - 1)),
        _ => false,
    })
}

/// Brackets and the like, which hold no value themselves; also after a function of the template whose text begins below.
fn is_structure(value: &str) -> bool {
    let value = value.trim_start();
    let below = ["!Sub", "!Base64", "!Join"].iter().find_map(|tag| value.strip_prefix(tag)).unwrap_or(value);
    below.chars().all(|c| c.is_whitespace() || "{}[](),|>-".contains(c)) || below.starts_with("<<")
}

/// True for what only names what another place gives: `!Ref X`, `{"Ref": "X"}`, `{{resolve:..}}`, `var.x`. A text put together
/// from references and words of its own is none.
fn is_reference(value: &str, separator: &str) -> bool {
    let value = value.trim().trim_end_matches(',');
    let bare = value.trim_matches(['"', '\'']);
    let resolved = bare.starts_with("{{resolve:") && bare.find("}}").is_some_and(|end| end + 2 == bare.len());
    let named = ["!Ref ", "!GetAtt ", "!ImportValue "].iter().any(|tag| value.starts_with(tag));
    let inside: String = value.chars().filter(|c| !c.is_whitespace() && !"\"'".contains(*c)).collect();
    let object = ["{Ref:", "{Fn::GetAtt:", "{Fn::ImportValue:"].iter().any(|function| inside.starts_with(function));
    resolved || named || object || separator == "=" && !value.contains('"')
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
            ("  MasterUserPassword: !Sub \"hunter2-${Stage}\"", "  MasterUserPassword: [hidden]"),
            ("  \"Password\": {\"Fn::Sub\": \"hunter2-${Stage}\"}", "  \"Password\": [hidden]"),
            ("  \"Password\": {\"Ref\": \"Password\"},", "  \"Password\": {\"Ref\": \"Password\"},"),
            ("  Password: '{{resolve:ssm-secure:db}}'", "  Password: '{{resolve:ssm-secure:db}}'"),
            ("  Password: '{{resolve:ssm:db}}hunter2'", "  Password: [hidden]"),
            ("  password = format(\"hunter2%s\", var.x)", "  password = [hidden]"),
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
            ("  Fn::Base64: |", "  Fn::Base64: |"),
            ("  UserData: !Base64 |", "  UserData: !Base64 |"),
            ("  Fn::Base64: !Sub |", "  Fn::Base64: !Sub |"),
            ("  Fn::Base64: export DB=hunter2", "  Fn::Base64: [hidden]"),
            ("  UserData: !Base64 hunter2", "  UserData: [hidden]"),
        ] {
            assert_eq!(without_secret(line, true), shown);
        }
    }
}
