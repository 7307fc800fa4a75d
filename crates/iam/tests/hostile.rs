//! Policies that are wrong, odd or huge: lint names the place, evaluation stays total, bounded and never silently open.

use iam::case::{Validate, eval_case};
use iam::{PATTERN_BYTES_MAX, POLICY_BYTES_MAX, Policy, STATEMENTS_MAX, exposure};

fn decision(policy: &str) -> String {
    let case = format!(
        r#"{{"request":{{"principal":"arn:aws:iam::111122223333:user/u","action":"s3:GetObject","resource":"arn:aws:s3:::b/k","resource_account":"111122223333"}},"policies":{{"identity":[{policy}]}}}}"#
    );
    let answer = eval_case(&case, Validate::No);
    let told = answer.get("decision").or(answer.get("error")).and_then(|d| d.as_str());
    told.unwrap_or_default().to_owned()
}

fn statement(members: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{members}]}}"#)
}

/// Each wrong shape with the place that lint names and the decision that evaluation still comes to.
#[test]
fn wrong_shapes() {
    let cases = [
        (r#"{"Effect":"Allow","Action":7,"Resource":"*"}"#, "Statement[0].Action", "ImplicitlyDenied"),
        (r#"{"Effect":"Allow","Action":{"a":1},"Resource":"*"}"#, "Statement[0].Action", "Unknown"),
        (r#"{"Effect":"Allow","Action":["s3:*",[]],"Resource":"*"}"#, "Statement[0].Action[1]", "Unknown"),
        (r#"{"Effect":"Allow","Action":[],"Resource":"*"}"#, "Statement[0].Action", "ImplicitlyDenied"),
        (r#"{"Effect":"Allow","Resource":"*"}"#, "Statement[0]", "Unknown"),
        (r#"{"Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*"}"#, "Statement[0].NotAction", "Unknown"),
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":{"a":1}}"#, "Statement[0].Resource", "Unknown"),
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":"b/k"}"#, "Statement[0].Resource", "ImplicitlyDenied"),
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3"}"#, "Statement[0].Resource", "Allowed"),
        (r#"{"Effect":"Permit","Action":"s3:*","Resource":"*"}"#, "Statement[0].Effect", "Unknown"),
        (r#"{"Effect":true,"Action":"s3:*","Resource":"*"}"#, "Statement[0].Effect", "Unknown"),
        (r#"{"Action":"s3:*","Resource":"*"}"#, "Statement[0].Effect", "Unknown"),
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":"x"}"#, "Statement[0].Condition", "Unknown"),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringIs":{"a:b":"c"}}}"#,
            "Statement[0].Condition.StringIs",
            "Unknown",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringLike":"c"}}"#,
            "Statement[0].Condition.StringLike",
            "Unknown",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NumericEquals":{"a:b":"ten"}}}"#,
            "Statement[0].Condition.NumericEquals.a:b",
            "ImplicitlyDenied",
        ),
        (
            r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"a:b":{"c":1}}}}"#,
            "",
            "ImplicitlyDenied",
        ),
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Conditions":{}}"#, "Statement[0].Conditions", "Unknown"),
        (r#""Allow""#, "Statement[0]", "Unknown"),
        (r#"null"#, "Statement[0]", "Unknown"),
        (r#"{"Effect":"Allow","Action":"s3:*","Resource":"*","Sid":7.5}"#, "Statement[0].Sid", "Allowed"),
        (
            r#"{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"}"#,
            "Statement[1].Sid",
            "Allowed",
        ),
        (r#"{"Effect":"Allow","Action":"ѕ3:GetObject","Resource":"*"}"#, "", "ImplicitlyDenied"),
        (r#"{"Effect":"Allow","Action":"s3:GetObject\u0000","Resource":"*"}"#, "", "ImplicitlyDenied"),
    ];
    for (members, path, want) in cases {
        let text = statement(members);
        let policy = Policy::from_json(&text);
        if !path.is_empty() {
            assert!(policy.problems.iter().any(|p| p.path == path), "{text}: {:?}", policy.problems);
        }
        assert_eq!(decision(&text), want, "{text}");
    }
}

#[test]
fn wrong_documents() {
    for (text, want) in [
        ("{}", "ImplicitlyDenied"),
        (r#"{"Version":"2012-10-17","Statement":[]}"#, "ImplicitlyDenied"),
        (r#"{"Version":2012,"Statement":[]}"#, "ImplicitlyDenied"),
        (r#"{"Statement":"s3:*"}"#, "Unknown"),
        (r#""not a policy""#, "Unknown"),
    ] {
        assert_eq!(decision(text), want, "{text}");
        assert!(text == "{}" || !Policy::from_json(text).problems.is_empty(), "{text}");
    }
    assert!(Policy::from_json("{").unreadable.is_some());
    assert!(Policy::from_json(&"[".repeat(100_000)).unreadable.is_some());
}

#[test]
fn limits_are_exact() {
    let padded = |bytes: usize| {
        let text = statement(r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#);
        format!("{}{}", " ".repeat(bytes - text.len()), text)
    };
    assert!(Policy::from_json(&padded(POLICY_BYTES_MAX)).unreadable.is_none());
    assert!(Policy::from_json(&padded(POLICY_BYTES_MAX + 1)).unreadable.is_some());
    let many = |n: usize| statement(&vec![r#"{"Effect":"Allow","Action":"ec2:*","Resource":"*"}"#; n].join(","));
    assert!(Policy::from_json(&many(STATEMENTS_MAX)).unreadable.is_none());
    assert!(Policy::from_json(&many(STATEMENTS_MAX + 1)).unreadable.is_some());
    assert_eq!(decision(&many(STATEMENTS_MAX + 1)), "Unknown");
    let long =
        |n: usize| statement(&format!(r#"{{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::{}"}}"#, "a".repeat(n)));
    assert_eq!(decision(&long(PATTERN_BYTES_MAX)), "ImplicitlyDenied");
    assert_eq!(decision(&long(PATTERN_BYTES_MAX + 1)), "Unknown");
}

#[test]
fn a_huge_policy_is_evaluated_and_its_exposure_told() {
    let one = |i: usize| {
        format!(
            r#"{{"Sid":"s{i}","Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111122223333:role/r{i}"}},"Action":"s3:Get*","Resource":"arn:aws:s3:::b{i}/*","Condition":{{"StringEquals":{{"aws:PrincipalTag/t":"v{i}"}}}}}}"#
        )
    };
    let statements: Vec<String> = (0..10_000).map(one).collect();
    let text = statement(&statements.join(","));
    let started = std::time::Instant::now();
    assert_eq!(decision(&text), "ImplicitlyDenied");
    let answer = exposure(&Policy::from_json(&text), Some("111122223333"));
    assert!(matches!(answer.openness.name(), "no" | "unknown"), "{}", answer.openness.name());
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}
