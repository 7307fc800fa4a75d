//! Any text as the Terraform configuration beside a plan whose policy only it tells: no panic, no hang, the same twice.
#![no_main]

use iac::terraform::{Limits, Mapping, Sources, read};
use libfuzzer_sys::fuzz_target;

const PLAN: &str = r#"{"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": [{"address": "aws_iam_policy.p", "mode": "managed",
    "type": "aws_iam_policy", "name": "p", "provider_name": "registry.terraform.io/hashicorp/aws",
    "change": {"actions": ["create"], "after": {}, "after_unknown": {"policy": true}}}],
    "configuration": {"root_module": {"resources": [{"address": "aws_iam_policy.p", "expressions": {"policy": {"references": ["local.x"]}}}]}}}"#;

fuzz_target!(|text: &str| {
    let whole = format!("resource \"aws_iam_policy\" \"p\" {{\n  policy = {text}\n}}\nlocals {{\n  x = {text}\n}}\n");
    let locate = |_: &_| {
        let mut sources = Sources::default();
        sources.add_text("main.tf", &whole);
        sources
    };
    let once = read(PLAN, "plan.json", &Mapping::default(), &Limits::default(), &locate);
    assert_eq!(once, read(PLAN, "plan.json", &Mapping::default(), &Limits::default(), &locate));
});
