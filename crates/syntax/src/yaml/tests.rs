use super::*;
use crate::{Cause, parse_json};
use proptest::prelude::*;

fn parse(text: &str) -> Result<Document, Diagnostic> {
    parse_yaml(text, &Limits::default())
}

fn root(text: &str) -> Node {
    parse(text).unwrap_or_else(|e| panic!("{text}\n{e}")).root
}

fn show(node: &Node) -> String {
    let tag = node.tag.as_ref().map(|t| format!("{t} ")).unwrap_or_default();
    match &node.kind {
        Kind::Seq(items) => format!("{tag}[{}]", items.iter().map(show).collect::<Vec<_>>().join(" ")),
        Kind::Map(entries) => {
            format!("{tag}{{{}}}", entries.iter().map(|e| format!("{}={}", e.key, show(&e.node))).collect::<Vec<_>>().join(" "))
        }
        Kind::Scalar(s) => match s.typed {
            Typed::Null => format!("{tag}null"),
            Typed::Bool(b) => format!("{tag}{b}"),
            Typed::Number => format!("{tag}#{}", s.text),
            Typed::Str => format!("{tag}{:?}", s.text),
        },
    }
}

fn place(node: &Node) -> String {
    let Span { line, column, end_line, end_column } = node.span;
    format!("{line}:{column}-{end_line}:{end_column}")
}

#[test]
fn trees() {
    for (text, want) in [
        ("", "null"),
        ("a: !Ref B\nc: !Sub\n  - x\n  - {y: 1}\n", r#"{a=!Ref "B" c=!Sub ["x" {y=#1}]}"#),
        (
            "a: !GetAtt B.Arn\nb: !If [C, !Ref D, !Ref 'AWS::NoValue']",
            r#"{a=!GetAtt "B.Arn" b=!If ["C" !Ref "D" !Ref "AWS::NoValue"]}"#,
        ),
        ("a: |\n  x\n   y\nb: >-\n  p\n  q", r#"{a="x\n y\n" b="p q"}"#),
        ("a: |", r#"{a=""}"#),
        ("a: >\n  x", r#"{a="x\n"}"#),
        ("a: |-\n  x", r#"{a="x"}"#),
        ("\u{feff}a: 1\r\nb:\r\n  - 2\r\n", "{a=#1 b=[#2]}"),
        ("a: 'it''s'\nb: \"x\\ty\"", r#"{a="it's" b="x\ty"}"#),
        ("a: \"one\n two\"\nb: {c: 'd\ne'}", r#"{a="one two" b={c="d e"}}"#),
        ("8080: x\ntrue: y\n", r#"{8080="x" true="y"}"#),
        ("a: !!str 1\nb: !!int 2\nc: ! 3\n", r##"{a="1" b=#2 c="3"}"##),
        ("d: &d {x: 1, y: 2}\na:\n  <<: *d\n  y: 3\n", "{d={x=#1 y=#2} a={x=#1 y=#2 y=#3}}"),
        ("p: &p {x: 1}\nq: &q {x: 2, z: 3}\na: {<<: [*p, *q]}\n", "{p={x=#1} q={x=#2 z=#3} a={x=#2 z=#3 x=#1}}"),
        ("a: &k key\nb: {*k : 1}\nc: *k\n", r#"{a="key" b={key=#1} c="key"}"#),
        ("a:\n- 1\n- - 2\n", "{a=[#1 [#2]]}"),
        ("{\"a\": [1, \"b\"]}", r#"{a=[#1 "b"]}"#),
    ] {
        assert_eq!(show(&root(text)), want, "{text}");
    }
}

#[test]
fn scalars_without_quotes() {
    for (text, want) in [
        ("2012-10-17", "\"2012-10-17\""),
        ("012345678901", "\"012345678901\""),
        ("123456789012", "#123456789012"),
        ("0777", "\"0777\""),
        ("0x1F", "\"0x1F\""),
        ("1_000", "\"1_000\""),
        ("22:22", "\"22:22\""),
        ("1.10", "\"1.10\""),
        ("1.1", "#1.1"),
        ("2.0", "#2.0"),
        ("1e3", "\"1e3\""),
        ("-1", "#-1"),
        ("0", "#0"),
        ("-0", "#-0"),
        ("99999999999999999999", "\"99999999999999999999\""),
        (".5", "\".5\""),
        (".inf", "\".inf\""),
        ("yes", "true"),
        ("No", "false"),
        ("on", "true"),
        ("y", "\"y\""),
        ("truE", "\"truE\""),
        ("~", "null"),
        ("Null", "null"),
        ("None", "\"None\""),
        ("'true'", "\"true\""),
    ] {
        let document = root(&format!("a: {text}\n"));
        assert_eq!(show(document.get("a").unwrap()), want, "{text}");
    }
}

#[test]
fn every_node_knows_its_place() {
    let text = "A:\n  B: xy\n  C:\n    - 1\n    - {d: é}\n  D: |\n    text\n    more\n\n  E: 'a\n    b'\nF:\n";
    let tree = root(text);
    let a = tree.get("A").unwrap();
    let c = a.get("C").unwrap();
    assert_eq!(place(&tree), "1:1-12:3");
    assert_eq!(place(a), "2:3-11:7");
    assert_eq!(place(a.get("B").unwrap()), "2:6-2:8");
    assert_eq!(place(c), "4:5-5:13");
    assert_eq!(place(&c.as_seq().unwrap()[1]), "5:7-5:13");
    assert_eq!(place(a.get("D").unwrap()), "6:6-8:9");
    assert_eq!(place(a.get("E").unwrap()), "10:6-11:7");
    assert_eq!(place(tree.get("F").unwrap()), "12:3-12:3");
    assert_eq!(a.entry("C").unwrap().key_span.column, 3);
}

#[test]
fn only_the_first_document_is_read() {
    let document = parse("---\na: 1\n---\nb: [\n").unwrap();
    assert_eq!(show(&document.root), "{a=#1}");
    assert_eq!(document.more.map(|s| s.line), Some(3));
    assert_eq!(parse("a: 1\n...\n").unwrap().more, None);
}

#[test]
fn what_is_refused_and_where() {
    for (text, place, words) in [
        ("a: [1", "2:1", "did not find expected ',' or ']' while parsing a flow sequence that starts on line 1"),
        ("a: 1\n b: 2\n", "2:3", "mapping values are not allowed in this context"),
        (
            "a:\n\t- 1\n",
            "2:1",
            "found character that cannot start any token while scanning for the next token that starts on line 2",
        ),
        ("a: 1\nb\u{0}: 2\n", "2:2", "control characters are not allowed"),
        ("a: *b\n", "1:4", "alias `b` has no anchor before it"),
        ("a: &b [*b]\n", "1:8", "alias `b` stands inside of what it stands for"),
        ("? [a]\n: 1\n", "1:3", "a mapping's key must be text"),
        ("a: &b [1]\n*b : 1\n", "2:1", "a mapping's key must be text"),
        ("a: 1\n}", "2:1", "did not find expected key while parsing a block mapping that starts on line 1"),
        ("[1]\nb\n", "2:1", "did not find expected <document start>"),
    ] {
        let error = parse(text).expect_err(text);
        assert_eq!(format!("{}:{}", error.span.line, error.span.column), place, "{text}");
        assert_eq!((error.message.as_str(), error.cause), (words, Cause::Malformed), "{text}");
    }
}

#[test]
fn a_key_that_is_written_twice_is_told() {
    let document = parse("a: 1\nb: 2\na: 3\n").unwrap();
    assert_eq!(document.root.get("a").unwrap().as_i64(), Some(3));
    assert_eq!(document.warnings[0].span.line, 3);
}

#[test]
fn limits_hold_at_the_limit_and_one_past_it() {
    let limits = Limits { bytes_max: 60, depth_max: 3, nodes_max: 9, alias_nodes_max: 6 };
    let refused = |text: &str| parse_yaml(text, &limits).err().and_then(|e| e.help);
    assert_eq!(refused("[[[1]]]"), None);
    assert_eq!(refused("- - - - 1").as_deref(), Some("the limit is `depth_max`"));
    assert_eq!(refused("a: &a [[1]]\nb: *a"), None);
    assert_eq!(refused("a: &a [[1]]\nb: [*a]").as_deref(), Some("the limit is `depth_max`"));
    assert_eq!(refused("[1, 2, 3, 4, 5, 6, 7, 8]"), None);
    assert_eq!(refused("[1, 2, 3, 4, 5, 6, 7, 8, 9]").as_deref(), Some("the limit is `nodes_max`"));
    assert_eq!(refused("[&a [1, 2], *a]"), None);
    assert_eq!(refused("[&a [1, 2, 3], *a]").as_deref(), Some("the limit is `alias_nodes_max`"));
    assert_eq!(refused(&format!("{}1", " ".repeat(59))), None);
    assert_eq!(refused(&format!("{}1", " ".repeat(60))).as_deref(), Some("the limit is `bytes_max`"));
}

#[test]
fn bombs_end_in_a_diagnostic() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let refs = vec![format!("*a{}", n - 1); 10].join(", ");
        bomb.push_str(&format!("a{n}: &a{n} [{refs}]\n"));
    }
    assert!(parse(&bomb).unwrap_err().message.starts_with("anchors and aliases copy more than"));
    for deep in ["[".repeat(10_000), "{a: ".repeat(10_000), "- ".repeat(10_000)] {
        assert_eq!(parse(&deep).unwrap_err().message, "nested deeper than 128 levels");
    }
    let indented: String = (0..10_000).map(|n| format!("{}a:\n", " ".repeat(n % 200 + n / 200))).collect();
    assert!(parse(&indented).is_err());
}

/// Lines that are more often nearly YAML than any text is.
fn nearly_yaml() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("a: "),
        Just("- "),
        Just("b:\n"),
        Just("\n  "),
        Just("\n"),
        Just("|"),
        Just(">-\n"),
        Just("!Sub "),
        Just("&x "),
        Just("*x"),
        Just("["),
        Just("]"),
        Just("{"),
        Just("}"),
        Just(", "),
        Just("'"),
        Just("\""),
        Just("# c\n"),
        Just("? "),
        Just("<<: "),
        Just("---\n"),
        Just("...\n"),
        Just("%TAG ! x\n"),
        Just("\t"),
        Just("é"),
        Just("\\"),
        Just("true"),
        Just("12"),
        Just("\r\n")
    ];
    prop::collection::vec(piece, 0..40).prop_map(|v| v.concat())
}

proptest! {
    #[test]
    fn nearly_yaml_does_not_panic(text in nearly_yaml()) {
        let _ = parse(&text);
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn json_is_read_alike_by_both(items in prop::collection::vec(("[a-z]{1,3}", any::<i32>(), "[ -~é]{0,9}"), 0..5)) {
        let members: Vec<String> =
            items.iter().map(|(k, n, s)| format!("\"{k}\": [{n}, {}]", serde_json::to_string(s).unwrap())).collect();
        let text = format!("{{{}}}", members.join(",\n "));
        let (yaml, json) = (root(&text), parse_json(&text, &Limits::default()).unwrap().root);
        prop_assert_eq!(yaml, json);
    }
}

#[test]
fn where_the_library_gives_up_there_is_a_place() {
    let wrong = parse_yaml("a: 1\nb: {n, !, b}\n", &Limits::default()).unwrap_err();
    assert_eq!(wrong.span.line, 2, "{wrong:?}");
}
