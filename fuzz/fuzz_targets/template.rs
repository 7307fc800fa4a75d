//! Any text as a template that also nests itself: no panic, no hang, the same twice.
#![no_main]

use iac::cloudformation::{Loaded, Parameters, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let limits = iac::Limits { nested_max: 3, work_max: 100_000, ..iac::Limits::default() };
    let load = |_: &str, _: &str| Some(Loaded { file: "nested.yaml".to_owned(), text: text.to_owned() });
    let once = read(text, "t.yaml", &Parameters::default(), &limits, &load);
    assert_eq!(once, read(text, "t.yaml", &Parameters::default(), &limits, &load));
});
