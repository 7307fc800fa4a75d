//! Any text as a SAM template: no panic, no hang, the same twice.
#![no_main]

use iac::cloudformation::{Parameters, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let limits = iac::Limits { nested_max: 3, work_max: 100_000, ..iac::Limits::default() };
    let whole = format!("Transform: AWS::Serverless-2016-10-31\n{text}");
    let once = read(&whole, "t.yaml", &Parameters::default(), &limits, &|_, _| None);
    assert_eq!(once, read(&whole, "t.yaml", &Parameters::default(), &limits, &|_, _| None));
});
