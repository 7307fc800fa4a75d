//! Any text: no panic, no hang.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = syntax::parse_yaml(text, &syntax::Limits::default());
});
