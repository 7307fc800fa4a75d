//! Limits and input that nobody should write.

use expr::limit::{DEPTH_MAX, SOURCE_BYTES_MAX, VARIABLES_MAX};
use expr::{compile, compile_predicate, compile_template};
use model::{Map, Reason, Text, Truth, Value};
use proptest::prelude::*;

use crate::world::World;

#[test]
fn sources_at_the_limit() {
    let world = World::default();
    let longest = format!("1{}", " ".repeat(SOURCE_BYTES_MAX - 1));
    assert!(compile(&longest, &world.names).is_ok());
    let problems = compile(&format!("{longest} "), &world.names).unwrap_err();
    assert!(problems[0].message.contains("at most 8192"), "{problems:?}");
    assert!(compile_template(&"x".repeat(SOURCE_BYTES_MAX), &world.names).is_ok());
    assert!(compile_template(&"x".repeat(SOURCE_BYTES_MAX + 1), &world.names).is_err());
}

#[test]
fn nesting_at_the_limit() {
    let world = World::default();
    let depth = DEPTH_MAX as usize;
    let nested = |open: &str, close: &str, times: usize| format!("{}true{}", open.repeat(times), close.repeat(times));
    for (open, close) in [("(", ")"), ("[", "]"), ("!", ""), ("has(A[", "])"), ("{1: ", "}")] {
        assert!(compile(&nested(open, close, 20_000 / 8), &world.names).is_err(), "{open}");
    }
    assert!(compile(&nested("(", ")", depth - 1), &world.names).is_ok());
    assert!(compile(&nested("(", ")", depth), &world.names).is_err());
    assert!(compile(&nested("!", "", depth - 2), &world.names).is_ok());
    assert!(compile(&nested("!", "", depth), &world.names).is_err());
    let sum = |terms: usize| vec!["1"; terms].join("+");
    assert!(compile(&sum(depth), &world.names).is_ok());
    assert!(compile(&sum(depth + 1), &world.names).is_err());
    assert!(compile(&vec!["true"; 1_000].join("||"), &world.names).is_ok());
}

#[test]
fn loops_at_the_limit() {
    let world = World::default();
    let nested = |loops: usize| {
        let open: String = (0..loops).map(|i| format!("[1].exists(x{i}, ")).collect();
        format!("{open}true{}", ")".repeat(loops))
    };
    assert!(compile(&nested(VARIABLES_MAX), &world.names).is_ok());
    let problems = compile(&nested(VARIABLES_MAX + 1), &world.names).unwrap_err();
    assert!(problems[0].message.contains("more than 8 loops"));
}

#[test]
fn work_at_the_limit() {
    let mut world = World::default();
    let list = |n: i64| Value::List((0..n).map(Value::Int).collect());
    world.set_props(
        [(Text::from("A"), list(300)), (Text::from("B"), list(340)), (Text::from("S"), "x".repeat(1 << 19).into())]
            .into_iter()
            .collect::<Map>(),
    );
    let (truth, _) = compile("A.exists(a, A.exists(b, a + b < 0))", &world.names).unwrap().truth(&world);
    assert_eq!(truth, Truth::False);
    let (truth, reasons) = compile("B.exists(a, A.exists(b, a + b < 0))", &world.names).unwrap().truth(&world);
    assert_eq!(truth, Truth::Unknown);
    assert_eq!((reasons[0].reason, reasons[0].what.contains("100000")), (Reason::Unsupported, true));
    let long: Map = [(Text::from("A"), list(90_000))].into_iter().collect();
    world.set_props(long);
    for source in ["A.exists(a, size(A) < 0)", "A.exists(a, A[80000] < 0)", "A.exists(a, fact.echo(A) == null)"] {
        assert_eq!(compile(source, &world.names).unwrap().truth(&world).0, Truth::Unknown, "{source}");
    }
    world.set_props([(Text::from("S"), "x".repeat(1 << 19).into()), (Text::from("A"), list(300))].into_iter().collect());
    let doubled = compile("size(S + S) > 0", &world.names).unwrap();
    assert_eq!(doubled.truth(&world).0, Truth::True);
    let tripled = compile("size(S + S + S) > 10000000", &world.names).unwrap();
    assert_eq!(tripled.truth(&world).0, Truth::Unknown);
    let bomb = compile("[S].map(a, a + a).map(a, a + a).map(a, a + a).exists(a, a == \"\")", &world.names).unwrap();
    assert_eq!(bomb.truth(&world).0, Truth::Unknown);
    let lists = compile("size([A].map(a, a + a).map(a, a + a).map(a, a + a)[0])", &world.names).unwrap();
    assert_eq!(lists.eval(&world).value, Value::Int(2_400));
}

#[test]
fn deep_values_end_in_an_answer() {
    let mut world = World::default();
    let deep = |levels: usize| (0..levels).fold(Value::Int(1), |inner, _| Value::List(vec![inner]));
    for (levels, wanted) in [(120, Truth::True), (200, Truth::Unknown)] {
        world.set_props([(Text::from("A"), deep(levels)), (Text::from("B"), deep(levels))].into_iter().collect::<Map>());
        assert_eq!(compile("A == B", &world.names).unwrap().truth(&world).0, wanted);
        assert_eq!(
            compile("is_secret(A)", &world.names).unwrap().truth(&world).0,
            if levels < 128 { Truth::False } else { wanted }
        );
    }
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    world.set_props([(Text::from("J"), nested.into())].into_iter().collect::<Map>());
    assert_eq!(compile("size(json(J)) > 10", &world.names).unwrap().truth(&world).0, Truth::Unknown);
}

#[test]
fn every_problem_is_told_at_once() {
    let mut world = World::default();
    world.header("closed", "");
    let problems = compile("A == 1 &&\n  B.startsWith(1) && !\"x\"", &world.names).unwrap_err();
    let places: Vec<(u32, u32)> = problems.iter().map(|p| (p.span.line, p.span.column)).collect();
    assert_eq!(places, [(1, 1), (2, 3), (2, 16), (2, 23)]);
    assert!(compile_predicate("1 + 1", &world.names).unwrap_err()[0].message.contains("a whole number"));
    assert!(compile_predicate("1 == 1", &world.names).is_ok());
}

#[test]
fn programs_tell_what_they_read() {
    let mut world = World::default();
    world.header("related", "policy []");
    world.header("param", "max_age_days 90");
    let source = r#"A.B.C == 1 && Rules.exists(r, r.Port == 22 && r.Tags["x"] == "y") && Zones[0].Id != null
        && related("policy").exists(p, p.Doc.Statement.exists(s, s.Effect == param.max_age_days))
        && net.open(22) && self.Name == "x" && self.id == "y" && has(Q.R)"#;
    let program = compile(source, &world.names).unwrap();
    let reads: Vec<&str> = program.reads().collect();
    assert_eq!(reads, ["A.B.C", "Name", "Q.R", "Rules", "Rules[].Port", "Rules[].Tags.x", "Zones[0].Id"]);
    let related: Vec<(&str, &str)> = program.reads_related().collect();
    assert_eq!(related, [("policy", "Doc.Statement"), ("policy", "Doc.Statement[].Effect")]);
    assert_eq!(program.relations().collect::<Vec<_>>(), ["policy"]);
    assert_eq!(program.facts().collect::<Vec<_>>(), ["net.open"]);
    assert_eq!(program.params().collect::<Vec<_>>(), ["max_age_days"]);
}

#[test]
fn templates_are_checked_and_capped() {
    let mut world = World::default();
    world.header("closed", "");
    for (template, message) in [
        ("{", "expected a value"),
        ("a } b", "closes nothing"),
        ("{1 | x", "no closing"),
        ("{1 2}", "expected `|` or `}`"),
        ("{Nope}", "no property `Nope`"),
    ] {
        let problems = compile_template(template, &world.names).unwrap_err();
        assert!(problems[0].message.contains(message), "{template}: {problems:?}");
    }
    let problems = compile_template("ab {Nope | x} {Nix}", &world.names).unwrap_err();
    assert_eq!(problems.iter().map(|p| p.offset).collect::<Vec<_>>(), [4, 15]);
    let long = compile_template("{\"x\".replace(\"x\", \"0123456789\").replace(\"0\", \"0123456789012345678901234567890123456789\").replace(\"1\", \"0123456789012345678901234567890123456789\")}", &world.names).unwrap();
    let line = long.render(&world);
    assert_eq!((line.chars().count(), line.ends_with("...")), (200, true));
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&long);
    shared(&compile("1", &world.names).unwrap());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn any_text_compiles_or_is_refused_with_a_place(text in "\\PC{0,60}") {
        let world = World::default();
        if let Err(problems) = compile(&text, &world.names) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(problem.span.line >= 1 && problem.span.column >= 1);
                prop_assert!(problem.offset + problem.len <= text.len());
            }
        }
        let _ = compile_template(&text, &world.names);
    }

    #[test]
    fn any_tokens_compile_and_evaluate_or_are_refused(
        tokens in proptest::collection::vec(prop::sample::select(vec![
            "A", "B", ".", "(", ")", "[", "]", "{", "}", ",", ":", "?", "!", "-", "+", "*", "/", "%", "<", "<=", "==", "!=",
            "in", "&&", "||", "1", "2.5", "\"s\"", "null", "true", "exists(x,", "x", "has(", "size(", "self", "now", "|",
            "list(", "is_secret(", "port_in(", "map(x,", "default(", "json(", "resolve(", "\"", "'''", "\\", "// c\n",
        ]), 0..14)
    ) {
        let mut world = World::default();
        world.header("given", r#"{"A": {"$unknown": "a"}, "B": [1, {"$link": "X.Y"}]}"#);
        let text = tokens.join(" ");
        if let Ok(program) = compile(&text, &world.names) {
            let answer = program.eval(&world);
            let (truth, reasons) = program.truth(&world);
            prop_assert_eq!(truth == Truth::Unknown, !reasons.is_empty(), "{} {:?}", text, answer);
        }
        let _ = compile_template(&text, &world.names);
    }
}
