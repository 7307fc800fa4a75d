//! Kleene monotonicity: an input replaced by an unknown may turn the answer into unknown, never into the other answer.

use std::sync::LazyLock;

use expr::{Program, compile};
use model::{Map, Reason, Text, Truth, Unknown, Value};
use proptest::prelude::*;

use crate::world::World;

/// One expression per operator and function, over the inputs `A`, `B` and `C`.
const OPERATORS: &[&str] = &[
    "A && B",
    "A || B",
    "!A",
    "A ? B : C",
    "A == B",
    "A != B",
    "A < B",
    "A <= B",
    "A > B",
    "A >= B",
    "A in B",
    "A + B == C",
    "A - B == C",
    "A * B == C",
    "A / B == C",
    "A % B == C",
    "-A == B",
    "has(A)",
    "has(A.X)",
    "A.X == B",
    "A[B] == C",
    "A[0] == B",
    "A.exists(x, x == B)",
    "A.all(x, x == B)",
    "A.exists_one(x, x == B)",
    "size(A.filter(x, x == B)) > 0",
    "size(A.filter(x, x == B)) == 0",
    "A.map(x, x == B) == C",
    "A.map(x, x != B, x) == C",
    "size(A) == B",
    "size(A) < 2",
    "size(A) > 0",
    "[A, B] == [C, 1]",
    "{\"k\": A} == {\"k\": B}",
    "A in [B, C]",
    "A.startsWith(\"a\")",
    "A.endsWith(B)",
    "A.contains(B)",
    "A.matches(\"a\")",
    "A.glob(\"a*\")",
    "A.lowerAscii() == B",
    "A.trim() == B",
    "A.split(\",\") == B",
    "A.replace(\"a\", \"b\") == B",
    "A.join(\",\") == B",
    "int(A) == B",
    "double(A) == B",
    "string(A) == B",
    "bool(A) == B",
    "timestamp(A) < now",
    "age_days(A) > 10",
    "cidr_in(A, B)",
    "cidr_any(A)",
    "cidr_prefix(A) < 9",
    "ip_private(A)",
    "port_in(A, B, 22)",
    "port_in(A, B, C)",
    "port_in(1, 2, A)",
    "is_secret(A)",
    "secret_name(A)",
    "is_literal(A)",
    "json(A) == B",
    "base64(A) == B",
    "default(A, B) == C",
    "default(A, B) == null",
    "version_lt(A, B)",
    "flatten(A) == B",
    "flatten(A).exists(x, x == B)",
    "size(flatten(A)) > 1",
    "distinct(A) == B",
    "size(distinct(A)) == 2",
    "size(distinct(A)) > 1",
    "distinct(A).exists(x, x == B)",
    "keys(A) == B",
    "pairs(A) == B",
    "pairs(A)[\"X\"] == B",
    "\"X\" in pairs(A)",
    "B in keys(A)",
    "values(A) == B",
    "B in values(A)",
    "list(A) == B",
    "size(list(A)) == 1",
    "min(A) == B",
    "max(A) == B",
    "sum(A) == B",
    "self.tags == A",
    "size(self.tags) == 1",
    "A in self.tags",
    "self.tags[\"k\"] == A",
    "A + B == C && has(A)",
];

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-2i64..3).prop_map(Value::Int),
        prop::sample::select(vec![0.5, 1.0, 22.0]).prop_map(Value::Dec),
        prop::sample::select(vec![
            "",
            "a",
            "b",
            "ab",
            "true",
            "1",
            "22",
            "k",
            "X",
            "10.0.0.0/8",
            "0.0.0.0/0",
            "2026-01-01",
            "{\"X\": 1}",
            "aGk=",
            "DB_PASSWORD",
        ])
        .prop_map(Value::text),
        Just(Value::link("Key", "Arn")),
        Just(Value::link("Deployed", "")),
        Just(Value::Mixed(vec![Value::text("a"), Value::link("Key", "")])),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            proptest::collection::vec((prop::sample::select(vec!["X", "k", "Key", "Value"]), inner), 0..3)
                .prop_map(|entries| { Value::Map(entries.into_iter().map(|(k, v)| (Text::from(k), v)).collect::<Map>()) }),
        ]
    })
}

/// The value with some of its parts, by the bits of `which`, replaced by unknowns.
fn blur(value: &Value, which: &mut u64, set: bool) -> Value {
    let hit = *which & 3 == 3;
    let unset = *which & 4 == 4;
    *which = which.rotate_right(3);
    if hit {
        let reason = Reason::NotCollected;
        return if set && unset && !value.is_null() { Value::unknown_present(reason, "p") } else { Value::unknown(reason, "u") };
    }
    match value {
        Value::List(items) => Value::List(items.iter().map(|v| blur(v, which, set)).collect()),
        Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (k.clone(), blur(v, which, set))).collect()),
        Value::Mixed(pieces) => Value::Mixed(pieces.iter().map(|v| blur(v, which, set)).collect()),
        plain => plain.clone(),
    }
}

/// A world around one of the values; the rest of it never changes.
fn world(values: &[Value; 4]) -> World {
    let mut world = World::default();
    let deployed = world.add("Deployed", Map::new());
    world.resources[deployed].attrs = [(Text::from("Ref"), Value::text("a"))].into_iter().collect();
    let names = ["A", "B", "C", "Tags"];
    world.set_props(names.iter().zip(values).map(|(n, v)| (Text::from(*n), v.clone())).collect());
    world
}

/// A world and the same with some of its values unknown.
fn worlds(known: &[Value; 4], seed: u64) -> (World, World) {
    let mut which = seed;
    (world(known), world(&known.each_ref().map(|v| blur(v, &mut which, true))))
}

fn check(program: &Program, (known, blurred): &(World, World)) -> Result<(), TestCaseError> {
    let (sharp, _) = program.truth(known);
    let (dull, reasons) = program.truth(blurred);
    prop_assert!(
        dull == Truth::Unknown || dull == sharp,
        "{} was {sharp:?}, became {dull:?}\n{:?}\n{:?}",
        program.source(),
        known.resources[0].props,
        blurred.resources[0].props
    );
    prop_assert_eq!(dull == Truth::Unknown, !reasons.is_empty());
    let mut once: Vec<_> = reasons.clone();
    once.dedup();
    prop_assert_eq!(once.len(), reasons.len());
    Ok(())
}

fn tags() -> impl Strategy<Value = Value> {
    let tag = (prop::sample::select(vec!["k", "a", "X"]), leaf());
    proptest::collection::btree_map(tag.0, tag.1, 0..3).prop_map(|tags| {
        let tag = |(key, value): (&str, Value)| {
            Value::Map([(Text::from("Key"), Value::text(key)), (Text::from("Value"), value)].into_iter().collect())
        };
        Value::List(tags.into_iter().map(tag).collect())
    })
}

/// Kinds that the inputs are declared as, so that loose scalars are read as their type.
const KINDS: &[&str] =
    &["bool", "int", "dec", "str", "time", "duration", "list<str>", "list<int>", "map<any>", "{X:int,k:bool}", "policy"];

/// Every operator with nothing declared.
static PLAIN: LazyLock<Vec<Program>> = LazyLock::new(|| {
    let names = World::default().names;
    OPERATORS.iter().map(|source| compile(source, &names).unwrap()).collect()
});

/// Every operator that fits, with one, two or three inputs declared as each kind.
static TYPED: LazyLock<Vec<Program>> = LazyLock::new(|| {
    let mut programs = Vec::new();
    for kind in KINDS {
        for declared in [&["A"][..], &["A", "B"], &["A", "B", "C"]] {
            let mut world = World::default();
            declared.iter().for_each(|name| world.header("type", &format!("{name} {kind}")));
            programs.extend(OPERATORS.iter().filter_map(|source| compile(source, &world.names).ok()));
        }
    }
    programs
});

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn operator_by_operator(a in value(), b in value(), c in value(), tags in tags(), seed in any::<u64>()) {
        let worlds = worlds(&[a, b, c, tags], seed);
        for program in PLAIN.iter() {
            check(program, &worlds)?;
        }
    }

    #[test]
    fn with_declared_types(a in value(), b in value(), c in value(), tags in tags(), seed in any::<u64>()) {
        let worlds = worlds(&[a, b, c, tags], seed);
        for program in TYPED.iter() {
            check(program, &worlds)?;
        }
    }
}

/// Questions about a relation, which may be incomplete.
const RELATIONS: &[&str] = &[
    "R.exists(r, r.X == A)",
    "R.all(r, r.X == A)",
    "R.exists_one(r, r.X == A)",
    "size(R) == 0",
    "size(R) > 1",
    "size(R) < 3",
    "size(R) == A",
    "size(R.filter(r, r.X == A)) == 1",
    "size(R.filter(r, r.X == A)) > 0",
    "R.map(r, r.X) == [A]",
    "A in R.map(r, r.X)",
    "R.map(r, r.X == A, r.k).exists(k, k == B)",
    "R[0].X == A",
    "R == []",
    "R.map(r, r.X) + [A] == [A]",
    "flatten(R.map(r, r.X)).exists(x, x == A)",
    "size(flatten(R.map(r, list(r.X)))) > 1",
    "size(distinct(R.map(r, r.X))) == 1",
    "A in distinct(R.map(r, r.X))",
    "R.map(r, r.id).join(\",\") == \"x0\"",
    "max(R.map(r, r.X)) == A",
    "sum(R.map(r, r.X)) == A",
    "is_secret(R.map(r, r.X))",
    "port_in(1, 2, R.map(r, r.X))",
    "fact.echo(R.map(r, r.X)) == [A]",
    "fact.echo(A) == fact.echo(param.p)",
    "param.p == A",
    "pairs(R.map(r, {\"Key\": r.id, \"Value\": r.X})).x0 == A",
    "R.exists(r, r == R[0])",
    "R.exists(r, r.X == null) || R.all(r, r.X == A)",
    "[R, [1]].exists(l, size(l) == 1)",
    "(R == [] ? 1 : 2) == A",
];

static RELATED: LazyLock<Vec<Program>> = LazyLock::new(|| {
    let mut world = World::default();
    world.header("related", "x []");
    world.header("param", "p \"\"");
    RELATIONS.iter().map(|source| compile(&source.replace('R', "related(\"x\")"), &world.names).unwrap()).collect()
});

fn with_relation(values: &[Value; 4], related: &[Value], param: &Value, incomplete: bool) -> World {
    let mut world = world(values);
    let indices = related
        .iter()
        .enumerate()
        .map(|(i, value)| world.add(&format!("x{i}"), [(Text::from("X"), value.clone())].into_iter().collect()))
        .collect();
    let gap = incomplete.then(|| Unknown { reason: Reason::AccessDenied, what: Text::from("x"), present: false });
    world.relations.insert("x".to_owned(), (indices, gap));
    world.params.insert("p".to_owned(), param.clone());
    world
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn with_incomplete_relations(
        (a, b, param) in (value(), leaf(), leaf()),
        related in proptest::collection::vec(value(), 0..4),
        seen in any::<usize>(),
        seed in any::<u64>(),
    ) {
        let known = [a, b, Value::Null, Value::Null];
        let mut which = seed;
        let blurred = known.each_ref().map(|v| blur(v, &mut which, true));
        // Fewer are seen, from the end, so that those that are keep their ids.
        let seen = seen % (related.len() + 1);
        let some: Vec<Value> = related.iter().take(seen).map(|v| blur(v, &mut which, true)).collect();
        let sharp = with_relation(&known, &related, &param, false);
        let dull = with_relation(&blurred, &some, &blur(&param, &mut which, true), seen < related.len() || seed & 1 == 1);
        let worlds = (sharp, dull);
        for program in RELATED.iter() {
            check(program, &worlds)?;
        }
    }
}

/// A random condition over the inputs.
fn condition() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(OPERATORS.iter().copied().filter(|s| !s.starts_with("is_literal")).collect::<Vec<_>>());
    let simple = operator.prop_map(|s| format!("({s})"));
    simple.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} == {b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|a| format!("(!{a})")),
            inner.clone().prop_map(|a| format!("list(A).exists(A, {a})")),
            inner.clone().prop_map(|a| format!("list(B).all(B, {a})")),
            inner.clone().prop_map(|a| format!("(size(list(A).filter(A, {a})) > 0)")),
            inner.prop_map(|a| format!("({a} in [true, A])")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_500) })]

    #[test]
    fn on_random_expressions(source in condition(), a in value(), b in value(), c in value(), tags in tags(), seed in any::<u64>()) {
        let names = World::default().names;
        if let Ok(program) = compile(&source, &names) {
            check(&program, &worlds(&[a, b, c, tags], seed))?;
        }
    }
}
