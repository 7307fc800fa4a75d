//! Any text: no panic, and what is read agrees with `serde_json` on whether it is JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let ours = syntax::parse_json(text, &syntax::Limits::default());
    let theirs = serde_json::from_str::<serde_json::Value>(text);
    if theirs.is_ok() {
        assert!(ours.is_ok() || ours.is_err_and(|e| e.cause == syntax::Cause::Limit));
    }
});
