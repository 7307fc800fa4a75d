//! Inclusion: AWS's own cases, the laws, and brute force over a tiny alphabet.

use iam::{Inclusion, Policy, PolicyType, no_broader};
use serde_json::Value as Json;

/// Its text says that the candidate passes, its policy allows more.
const MISLABELLED: &str = "check-026";

#[test]
fn the_cases_that_aws_wrote() {
    let mut wrong = Vec::new();
    for line in include_str!("data/policy_checks.jsonl").lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let policy = |name: &str| Policy::from_value(&model::from_json(&case[name]));
        let kind = PolicyType::from_name(case["policy_type"].as_str().unwrap()).unwrap();
        let answer = no_broader(&policy("reference"), &policy("candidate"), kind);
        let right = match &answer {
            Inclusion::Yes => case["expected"] == "PASS",
            Inclusion::No { .. } => case["expected"] == "FAIL",
            Inclusion::Unknown(_) => false,
        };
        if right == (case["id"] == MISLABELLED) {
            wrong.push(format!("{}: expected {}, got {}", case["id"], case["expected"], answer.to_json()));
        }
        for name in ["reference", "candidate"] {
            assert_eq!(no_broader(&policy(name), &policy(name), kind), Inclusion::Yes, "{} {name}", case["id"]);
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// A small generator: enough randomness for tests, the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.roll(from.len() as u64) as usize;
        from.get(at).unwrap_or_else(|| unreachable!("a die has no more sides than there are things"))
    }
}

const ACTIONS: &[&str] = &["*", "s:*", "s:A", "s:B", "s:A*", "t:A", "s:?", "*:A"];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s:::a*",
    "arn:aws:s:::a",
    "arn:aws:s:::*b",
    "arn:aws:s:::a?b*",
    "arn:*",
    "arn:aws:s::*:a",
    "arn:aws:s::111122223333:*",
];
const PRINCIPALS: &[&str] = &[
    r#""*""#,
    r#"{"AWS":"111122223333"}"#,
    r#"{"AWS":"arn:aws:iam::111122223333:user/u"}"#,
    r#"{"Service":"s.amazonaws.com"}"#,
    r#"{"AWS":"arn:aws:iam::444455556666:role/r"}"#,
];
const CONDITIONS: &[&str] = &[
    "{}",
    "{}",
    r#"{"StringEquals":{"k:x":"1"}}"#,
    r#"{"StringNotEquals":{"k:x":["1","2"]}}"#,
    r#"{"StringLike":{"k:x":"1*"}}"#,
    r#"{"Null":{"k:x":"true"}}"#,
    r#"{"StringEqualsIfExists":{"k:x":"2"},"Bool":{"k:y":"true"}}"#,
    r#"{"ForAllValues:StringEquals":{"k:z":["1","2"]}}"#,
    r#"{"ForAnyValue:StringEquals":{"k:z":["2","3"]}}"#,
    r#"{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}"#,
    r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/*"}}"#,
    r#"{"StringNotEquals":{"aws:ResourceAccount":"111122223333"}}"#,
];

fn random_policy(dice: &mut Dice, resource: bool) -> String {
    let statements: Vec<String> = (0..1 + dice.roll(3))
        .map(|_| {
            let effect = if dice.roll(3) == 0 { "Deny" } else { "Allow" };
            let not = |dice: &mut Dice| if dice.roll(5) == 0 { "Not" } else { "" };
            let principal =
                if resource { format!(r#""{}Principal":{},"#, not(dice), dice.pick(PRINCIPALS)) } else { String::new() };
            format!(
                r#"{{"Effect":"{effect}",{principal}"{}Action":"{}","{}Resource":["{}","{}"],"Condition":{}}}"#,
                not(dice),
                dice.pick(ACTIONS),
                not(dice),
                dice.pick(RESOURCES),
                dice.pick(RESOURCES),
                dice.pick(CONDITIONS)
            )
        })
        .collect();
    format!(r#"{{"Version":"2012-10-17","Statement":[{}]}}"#, statements.join(","))
}

/// Every request over a tiny alphabet.
fn every_request(resource: bool) -> Vec<String> {
    let callers: &[&str] = if resource {
        &[
            r#"{"type":"Anonymous"}"#,
            r#""arn:aws:iam::111122223333:user/u""#,
            r#""arn:aws:iam::111122223333:user/v""#,
            r#""arn:aws:iam::111122223333:role/v""#,
            r#""arn:aws:iam::444455556666:role/r""#,
            r#""arn:aws:iam::777788889999:role/r""#,
            r#""s.amazonaws.com""#,
            r#""t.amazonaws.com""#,
        ]
    } else {
        &[
            r#""arn:aws:iam::111122223333:user/u""#,
            r#""arn:aws:iam::111122223333:role/r""#,
            r#""arn:aws:iam::777788889999:user/u""#,
        ]
    };
    let mut all = Vec::new();
    for caller in callers {
        for action in ["s:A", "s:B", "s:Ax", "t:A", "t:B"] {
            for target in [
                "arn:aws:s:::a",
                "arn:aws:s:::ab",
                "arn:aws:s:::axb",
                "arn:aws:s::111122223333:a",
                "arn:aws:t:::b",
                "arn:aws:s:::c",
            ] {
                for x in ["", r#""k:x":"1""#, r#""k:x":"2""#, r#""k:x":"12""#] {
                    for y in ["", r#""k:y":"true""#] {
                        for z in ["", r#""k:z":["1","2"]"#, r#""k:z":["3"]"#] {
                            let context: Vec<&str> = [x, y, z].into_iter().filter(|t| !t.is_empty()).collect();
                            let context = context.join(",");
                            all.push(format!(
                                r#"{{"principal":{caller},"action":"{action}","resource":"{target}","context":{{{context}}}}}"#
                            ));
                        }
                    }
                }
            }
        }
    }
    all
}

fn allows(policy: &Policy, request: &iam::Request, kind: PolicyType) -> bool {
    iam::policy_allows(policy, request, kind) == model::Truth::True
}

#[test]
fn brute_force_finds_no_request_that_the_search_missed() {
    let mut dice = Dice(7);
    for kind in [PolicyType::Identity, PolicyType::Resource] {
        let resource = kind == PolicyType::Resource;
        let requests: Vec<iam::Request> = every_request(resource)
            .iter()
            .map(|r| {
                iam::case::read(&serde_json::from_str(&format!(r#"{{"request":{r}}}"#)).unwrap(), Default::default())
                    .unwrap()
                    .request
            })
            .collect();
        for _ in 0..150 {
            let (a, b) = (random_policy(&mut dice, resource), random_policy(&mut dice, resource));
            let (reference, candidate) = (Policy::from_json(&a), Policy::from_json(&b));
            assert_eq!(no_broader(&reference, &reference, kind), Inclusion::Yes, "{a}");
            let broken = requests.iter().find(|r| allows(&candidate, r, kind) && !allows(&reference, r, kind));
            match no_broader(&reference, &candidate, kind) {
                Inclusion::Yes => assert!(broken.is_none(), "{a}\n{b}\n{:?}", broken),
                Inclusion::No { request, .. } => {
                    assert!(allows(&candidate, &request, kind) && !allows(&reference, &request, kind), "{a}\n{b}\n{request:?}");
                }
                Inclusion::Unknown(reasons) => panic!("{a}\n{b}\n{reasons:?}"),
            }
        }
    }
}

#[test]
fn laws() {
    let mut dice = Dice(11);
    for _ in 0..150 {
        let (a, b) = (random_policy(&mut dice, true), random_policy(&mut dice, true));
        let join = |x: &str, y: &str| {
            let mut x: Json = serde_json::from_str(x).unwrap();
            let y: Json = serde_json::from_str(y).unwrap();
            x["Statement"].as_array_mut().unwrap().extend(y["Statement"].as_array().unwrap().iter().cloned());
            x
        };
        let only = |text: &str, effect: &str| {
            let mut json: Json = serde_json::from_str(text).unwrap();
            json["Statement"].as_array_mut().unwrap().retain(|s| s["Effect"] == effect);
            json.to_string()
        };
        let policy = |json: &Json| Policy::from_value(&model::from_json(json));
        let (small, more) = (Policy::from_json(&a), policy(&join(&a, &only(&b, "Allow"))));
        assert_eq!(no_broader(&more, &small, PolicyType::Resource), Inclusion::Yes, "a statement that allows takes nothing away");
        let less = policy(&join(&a, &only(&b, "Deny")));
        assert_eq!(no_broader(&small, &less, PolicyType::Resource), Inclusion::Yes, "a statement that denies adds nothing");
        let mut reversed: Json = serde_json::from_str(&a).unwrap();
        reversed["Statement"].as_array_mut().unwrap().reverse();
        assert_eq!(no_broader(&small, &policy(&reversed), PolicyType::Resource), Inclusion::Yes, "order changes nothing");
        assert_eq!(no_broader(&policy(&reversed), &small, PolicyType::Resource), Inclusion::Yes, "order changes nothing");
    }
}

#[test]
fn hostile_globs_end_in_an_answer() {
    let stars = |n: usize| format!("arn:aws:s3:::{}", "*a".repeat(n));
    let policy = |resource: &str| {
        Policy::from_json(&format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":"{resource}"}}]}}"#
        ))
    };
    let started = std::time::Instant::now();
    let answer = no_broader(&policy(&stars(30)), &policy(&stars(31)), PolicyType::Identity);
    assert_eq!(answer, Inclusion::Yes);
    let many: Vec<String> = (0..12).map(|i| format!("arn:aws:s3:::*{}*{}*", "ab".repeat(i + 1), "ba".repeat(i + 2))).collect();
    let list = many.join("\",\"");
    let wide = Policy::from_json(&format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:*","Resource":["{list}"]}}]}}"#
    ));
    let _ = no_broader(&wide, &policy("arn:aws:s3:::*a?b?a*"), PolicyType::Identity);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn variables_stand_for_anything_but_themselves() {
    let policy = |resource: &str| {
        Policy::from_json(&format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"s3:GetObject","Resource":"{resource}"}}]}}"#
        ))
    };
    let own = policy("arn:aws:s3:::home/${aws:username}/*");
    let all = policy("arn:aws:s3:::home/*");
    assert_eq!(no_broader(&own, &own, PolicyType::Identity), Inclusion::Yes);
    assert!(matches!(no_broader(&own, &all, PolicyType::Identity), Inclusion::No { .. }));
    assert_eq!(no_broader(&all, &own, PolicyType::Identity), Inclusion::Yes);
    let other = policy("arn:aws:s3:::home/${aws:userid}/*");
    assert!(!matches!(no_broader(&other, &own, PolicyType::Identity), Inclusion::Yes));
}
