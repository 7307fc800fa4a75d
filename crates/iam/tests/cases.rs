//! The case tables: one line, one case, one rule of AWS's evaluation logic.

use iam::case::{Validate, eval_case};
use serde_json::Value as Json;

const TABLES: &[(&str, &str)] = &[
    ("layers", include_str!("cases/layers.jsonl")),
    ("same-account", include_str!("cases/same-account.jsonl")),
    ("cross-account", include_str!("cases/cross-account.jsonl")),
    ("trust", include_str!("cases/trust.jsonl")),
    ("patterns", include_str!("cases/patterns.jsonl")),
    ("conditions", include_str!("cases/conditions.jsonl")),
    ("sets", include_str!("cases/sets.jsonl")),
    ("s3", include_str!("cases/s3.jsonl")),
];

#[test]
fn every_case_of_every_table() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (table, text) in TABLES {
        for line in text.lines() {
            let case: Json = serde_json::from_str(line).unwrap();
            let answer = eval_case(line, Validate::No);
            seen += 1;
            let same = answer["decision"] == case["expect"];
            let blocked = case.get("blocked_by").is_none_or(|b| answer["blocked_by"] == *b);
            if !same || !blocked {
                wrong.push(format!("{table}: {}: expected {} {}, got {answer}", case["why"], case["expect"], case["blocked_by"]));
            }
        }
    }
    assert!(seen > 200, "{seen}");
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
