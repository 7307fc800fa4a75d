//! `cargo xtask new`: scaffolds that fail their tests until they are filled in.

use std::path::Path;

use crate::root;

/// `new check s3/bucket/unversioned`: the check's file and its cases.
pub(crate) fn check(place: &str) -> Result<(), String> {
    let [service, kind, name] = place.split('/').collect::<Vec<_>>()[..] else {
        return Err(format!("`{place}` is not SERVICE/TYPE/NAME, such as s3/bucket/unversioned"));
    };
    let folder = root().join("catalogue/aws").join(service).join(kind);
    if !folder.join("type.toml").exists() {
        return Err(format!(
            "there is no `{}`\n  help: cargo xtask new type {service}/{kind} AWS::...",
            folder.join("type.toml").display()
        ));
    }
    let id = if name.starts_with(service) { name.to_owned() } else { format!("{service}-{kind}-{name}") };
    write(&folder.join(format!("checks/{id}.toml")), CHECK)?;
    write(&folder.join(format!("checks/{id}.cases.toml")), CASES)
}

/// `new type s3/bucket AWS::S3::Bucket`: the type's file and its samples.
pub(crate) fn resource_type(place: &str, type_name: &str) -> Result<(), String> {
    let [service, kind] = place.split('/').collect::<Vec<_>>()[..] else {
        return Err(format!("`{place}` is not SERVICE/TYPE, such as s3/bucket"));
    };
    let service = root().join("catalogue/aws").join(service);
    if !service.join("service.toml").exists() {
        write(&service.join("service.toml"), SERVICE)?;
    }
    let folder = service.join(kind);
    write(&folder.join("type.toml"), &TYPE.replace("{type}", type_name))?;
    write(&folder.join("sample/stack.cfn.yaml"), &STACK.replace("{type}", type_name))?;
    write(&folder.join("sample/main.tf"), "")?;
    write(&folder.join("sample/plan.tf.json"), "")?;
    write(&folder.join("sample/resource.json"), "")
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    if path.exists() {
        return Err(format!("`{}` is there already", path.display()));
    }
    let told = |e: std::io::Error| format!("cannot write `{}`: {e}", path.display());
    std::fs::create_dir_all(path.parent().unwrap_or(path)).map_err(told)?;
    std::fs::write(path, text).map_err(told)?;
    eprintln!("wrote {}", path.display());
    Ok(())
}

const SERVICE: &str = "name = \"\"\nresponsibility = \"\"\n";

const TYPE: &str = r#"type = "{type}"
title = ""
identifier = []

[properties]
"#;

const STACK: &str = "Resources:\n  Sample:\n    Type: {type}\n    Properties: {}\n";

const CHECK: &str = r#"title     = ""
severity  = ""
pillar    = "security"
layer     = ""
objective = []
fail_when = ''
evidence  = []
message   = ""
why = ""
fix.text = ""
refs = []
"#;

const CASES: &str = r#"[[case]]
name = "as it is in the sample"
verdict = "pass"

[[case]]
name = ""
verdict = "fail"
set = {}

[[case]]
name = ""
verdict = "unknown"
unknown = []
"#;
