use super::*;
use crate::{Cause, Kind};
use proptest::prelude::*;

fn parse(text: &str) -> Result<Document, Diagnostic> {
    parse_json(text, &Limits::default())
}

/// Every node as `line:column-line:column text`, outermost first.
fn places(node: &Node, out: &mut Vec<String>) {
    let Span { line, column, end_line, end_column } = node.span;
    let what = node.text().map_or_else(|| node.words().to_owned(), |t| t.to_string());
    out.push(format!("{line}:{column}-{end_line}:{end_column} {what}"));
    match &node.kind {
        Kind::Seq(items) => items.iter().for_each(|n| places(n, out)),
        Kind::Map(entries) => entries.iter().for_each(|e| places(&e.node, out)),
        Kind::Scalar(_) => {}
    }
}

#[test]
fn every_node_knows_its_place() {
    let document = parse("{\r\n  \"ä\": [1, \"äö\", {}],\n  \"b\": null }\n").unwrap();
    let mut all = Vec::new();
    places(&document.root, &mut all);
    assert_eq!(
        all,
        ["1:1-3:14 a mapping", "2:8-2:21 a list", "2:9-2:10 1", "2:12-2:16 äö", "2:18-2:20 a mapping", "3:8-3:12 null"]
    );
    let b = document.root.entry("b").unwrap();
    assert_eq!((b.key_span.line, b.key_span.column, b.span().end_column), (3, 3, 12));
}

#[test]
fn scalars_mean_what_they_say() {
    let text =
        r#"["a\u00e9\ud83d\ude00\n\/", -0.5e+2, 9007199254740993, 99999999999999999999, 1e999, true, false, null, "true"]"#;
    let document = parse(text).unwrap();
    let items = document.root.as_seq().unwrap();
    assert_eq!(items[0].as_str(), Some("aé😀\n/"));
    assert_eq!(items[1].as_f64(), Some(-50.0));
    assert_eq!(items[2].as_i64(), Some(9007199254740993));
    assert_eq!((items[3].as_i64(), &**items[3].text().unwrap()), (None, "99999999999999999999"));
    assert_eq!(items[4].as_f64(), None);
    assert_eq!((items[5].as_bool(), items[6].as_bool(), items[7].is_null()), (Some(true), Some(false), true));
    assert_eq!((items[8].as_str(), items[8].as_bool()), (Some("true"), None));
}

#[test]
fn the_later_of_two_members_counts() {
    let few = r#"{"a": 1, "b": 2, "a": 3}"#.to_owned();
    let many = format!("{{{}, \"a\": 3}}", ('a'..='z').map(|c| format!("\"{c}\": 1")).collect::<Vec<_>>().join(", "));
    for text in [few, many] {
        let document = parse(&text).unwrap();
        assert_eq!(document.root.get("a").unwrap().as_i64(), Some(3));
        assert_eq!(document.warnings.len(), 1, "{text}");
        assert!(document.warnings[0].message.contains("`a` is written twice"));
    }
}

#[test]
fn what_is_refused_and_where() {
    for (text, place, words) in [
        ("", "1:1", "expected a value, found the end of the text"),
        ("  \n", "2:1", "expected a value, found the end of the text"),
        ("{} x", "1:4", "expected the end of the text, found `x`"),
        ("{\"a\": 1,}", "1:9", "expected a member name in double quotes, found `}`"),
        ("[1,]", "1:4", "expected a value, found `]`"),
        ("[1 2]", "1:4", "expected `,` or `]`, found `2`"),
        ("[1}", "1:3", "expected `,` or `]`, found `}`"),
        ("{\"a\" 1}", "1:6", "expected `:`, found `1`"),
        ("{\"a\":1", "1:7", "expected `,` or `}`, found the end of the text"),
        ("[\n \"abc", "2:2", "this string has no closing quote"),
        ("[\"é\\x\"]", "1:4", "unknown escape in a string"),
        ("[\"\\ud800\"]", "1:3", "`\\u` escape that is not a character"),
        ("[\"\\ud800\\u0041\"]", "1:3", "`\\u` escape that is not a character"),
        ("[\"a\tb\"]", "1:4", "control character in a string; write it as an escape such as `\\n`"),
        ("[01]", "1:2", "malformed number"),
        ("[1.]", "1:2", "malformed number"),
        ("[-]", "1:2", "malformed number"),
        ("[1e]", "1:2", "malformed number"),
        ("[NaN]", "1:2", "expected a value, found `NaN`"),
        ("'a'", "1:1", "expected a value, found `\\'`"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(format!("{}:{}", error.span.line, error.span.column), place, "{text}");
        assert_eq!((error.message.as_str(), error.cause), (words, Cause::Malformed), "{text}");
    }
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let limits = Limits { bytes_max: 40, depth_max: 3, nodes_max: 5, ..Limits::default() };
    let refused = |text: &str| parse_json(text, &limits).err().and_then(|e| e.help);
    assert_eq!(refused("[[[1]]]"), None);
    assert_eq!(refused("[[[[]]]]").as_deref(), Some("the limit is `depth_max`"));
    assert_eq!(refused("[1, 2, 3, 4]"), None);
    assert_eq!(refused("[1, 2, 3, 4, 5]").as_deref(), Some("the limit is `nodes_max`"));
    assert_eq!(refused(&format!("[1{}]", " ".repeat(37))), None);
    assert_eq!(refused(&format!("[1{}]", " ".repeat(38))).as_deref(), Some("the limit is `bytes_max`"));
    let deep = "[".repeat(1_000_000);
    let boundless = Limits { depth_max: usize::MAX, ..Limits::default() };
    let error = parse_json(&deep, &boundless).unwrap_err();
    assert_eq!((error.message.as_str(), error.span.column), ("nested deeper than 256 levels", 257));
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert_eq!(parse("\u{feff}[1]").unwrap().root.as_seq().unwrap().len(), 1);
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![Just("null".to_owned()), Just("true".to_owned()), any::<i64>().prop_map(|n| n.to_string()), {
        any::<String>().prop_map(|s| serde_json::to_string(&s).unwrap())
    }];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|v| format!("[{}]", v.join(" ,\n"))),
            prop::collection::vec(("[a-zé]{0,3}", inner), 0..6).prop_map(|v| {
                let members: Vec<String> = v.into_iter().map(|(k, v)| format!("\"{k}\" :{v}")).collect();
                format!("{{ {}}}", members.join(","))
            }),
        ]
    })
}

fn plain(node: &Node) -> serde_json::Value {
    match &node.kind {
        Kind::Seq(items) => items.iter().map(plain).collect(),
        Kind::Map(entries) => entries.iter().map(|e| (e.key.to_string(), plain(&e.node))).collect(),
        Kind::Scalar(s) => match s.typed {
            Typed::Null => serde_json::Value::Null,
            Typed::Bool(b) => b.into(),
            Typed::Number => serde_json::from_str(&s.text).unwrap(),
            Typed::Str => s.text.to_string().into(),
        },
    }
}

proptest! {
    #[test]
    fn reads_what_serde_json_reads(text in json()) {
        let ours = parse(&text).unwrap();
        let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(plain(&ours.root), theirs);
    }

    #[test]
    fn refuses_what_serde_json_refuses(text in "[\\[\\]{},:\"\\\\0-9a-cenrtuls.+ -]{0,12}") {
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        // We keep the text of a number that is too large for 64 bits.
        prop_assume!(!matches!(&theirs, Err(e) if e.to_string().starts_with("number out of range")));
        prop_assert_eq!(parse(&text).is_ok(), theirs.is_ok(), "{}", text);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = parse(&text);
    }
}
