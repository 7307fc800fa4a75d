use model::Value;
use proptest::prelude::*;

use super::*;
use crate::facts::DocumentFacts;
use crate::glob::{Matcher, Syntax};
use crate::request::{Context, Mode};

fn ask(pattern: &str, text: &str) -> Truth {
    Matcher::parse(pattern, Syntax { wildcards: true, variables: false }).matches(text, &Context::new(Mode::Strict))
}

#[test]
fn what_names_may_be() {
    use Truth::{False, True, Unknown};
    for (pattern, text, want) in [
        ("⟨A⟩", "⟨A⟩", True),
        ("⟨A⟩/*", "⟨A⟩/x", True),
        ("⟨A⟩/*", "prod/x", Unknown),
        ("prod/*", "⟨A⟩/x", Unknown),
        ("*", "⟨A⟩/x", True),
        ("*/x", "⟨A⟩/x", True),
        ("⟨A⟩", "⟨B⟩", False),
        ("⟨A⟩/x", "⟨B⟩/x", False),
        ("⟨A⟩-x", "⟨B⟩-x", Unknown),
        ("⟨=E⟩-a", "⟨=E⟩-b", False),
        ("⟨=E⟩", "⟨A⟩", Unknown),
        ("role/⟨A⟩", "user/⟨A⟩", False),
        ("⟨A⟩", "", False),
        ("?", "⟨A⟩", Unknown),
        ("*A*", "⟨A⟩", Unknown),
        ("⟨own-account⟩", "111122223333", Unknown),
        ("⟨own-account⟩", "999999999999", False),
        ("⟨own-account⟩", "nobody", False),
        ("11112222333?", "⟨own-account⟩", Unknown),
        ("1111*x", "⟨own-account⟩", Unknown),
        ("1111", "⟨own-account⟩", False),
        ("⟨-Logs-⟩", "prod", False),
        ("⟨-Logs-⟩", "shop-logs-1x2y3z", Unknown),
        ("*-prod", "⟨-Logs-⟩", Unknown),
    ] {
        assert_eq!(ask(pattern, text), want, "{pattern} and {text}");
    }
}

#[test]
fn a_limit_on_the_steps() {
    let side = "a".repeat(1024);
    assert_eq!(ask(&format!("{side}⟨A⟩"), &format!("b{}", "a".repeat(1000))), Truth::False);
    assert_eq!(ask(&format!("{side}⟨A⟩"), &format!("b{side}")), Truth::Unknown);
}

/// Names and what they are. Two resources have two names.
fn choices() -> Vec<[(&'static str, &'static str); 3]> {
    let texts = ["a", "b", "ab", "a-x", "zz"];
    let mut all = Vec::new();
    for a in texts {
        for b in texts.into_iter().filter(|b| *b != a) {
            all.extend(texts.map(|e| [("⟨A⟩", a), ("⟨B⟩", b), ("⟨=E⟩", e)]));
        }
    }
    all
}

fn settled(text: &str, choice: &[(&str, &str)]) -> String {
    choice.iter().fold(text.to_owned(), |text, (name, is)| text.replace(name, is))
}

fn pieces(all: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(all), 0..4).prop_map(|parts| parts.concat())
}

fn resource() -> impl Strategy<Value = String> {
    let bucket = prop::sample::select(&["⟨A⟩", "⟨B⟩", "⟨=E⟩-x", "⟨=E⟩", "a", "b", "a-x", "*", "a*", "*x", "?"][..]);
    let key = prop::sample::select(&["", "/*", "/a", "/b*", "*"][..]);
    (bucket, key).prop_map(|(bucket, key)| format!("arn:aws:s3:::{bucket}{key}"))
}

fn statement() -> impl Strategy<Value = serde_json::Value> {
    let source = prop::option::weighted(0.3, prop::sample::select(&["⟨A⟩", "⟨B⟩", "a", "zz"][..]));
    (any::<bool>(), any::<bool>(), prop::collection::vec(resource(), 1..3), source, any::<bool>()).prop_map(
        |(allow, resource, patterns, source, equals)| {
            let mut out = serde_json::json!({
                "Effect": if allow { "Allow" } else { "Deny" }, "Principal": "*", "Action": "s3:GetObject",
            });
            out[if resource { "Resource" } else { "NotResource" }] = patterns.into();
            if let Some(source) = source {
                let operator = if equals { "StringEquals" } else { "StringNotEquals" };
                out["Condition"] = serde_json::json!({ operator: { "s3:ResourceAccount": source } });
            }
            out
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn settling_names_never_contradicts_a_match(
        pattern in pieces(&["⟨A⟩", "⟨B⟩", "⟨=E⟩", "a", "-x", "/", "*", "?"]),
        text in pieces(&["⟨A⟩", "⟨B⟩", "⟨=E⟩", "a", "b", "-x", "/"]),
    ) {
        let before = ask(&pattern, &text);
        for choice in choices() {
            let after = ask(&settled(&pattern, &choice), &settled(&text, &choice));
            prop_assert!(before == Truth::Unknown || before == after, "{} and {} with {:?}: {:?}", pattern, text, choice, before);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn settling_names_never_contradicts_a_verdict(statements in prop::collection::vec(statement(), 1..4)) {
        let document = serde_json::json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let before = DocumentFacts::new(&Value::text(document.as_str()), None).public();
        if before.truth != Truth::Unknown {
            for choice in choices() {
                let after = DocumentFacts::new(&Value::text(settled(&document, &choice)), None).public();
                prop_assert_eq!(before.truth, after.truth, "{} with {:?}", document, choice);
            }
        }
    }
}

#[test]
fn verdicts_that_hang_on_a_name() {
    let public = |statements: serde_json::Value| {
        let document = serde_json::json!({ "Version": "2012-10-17", "Statement": statements });
        DocumentFacts::new(&Value::text(document.to_string()), None).public()
    };
    let one = |effect: &str, element: &str, resource: &str| serde_json::json!({ "Effect": effect, "Principal": "*", "Action": "s3:GetObject", element: resource });
    let allow = one("Allow", "Resource", "arn:aws:s3:::⟨A⟩/*");
    for (other, want) in [
        (one("Deny", "Resource", "arn:aws:s3:::prod/*"), Truth::Unknown),
        (one("Deny", "Resource", "arn:aws:s3:::prod/secret/*"), Truth::True),
        (one("Deny", "NotResource", "arn:aws:s3:::prod/*"), Truth::Unknown),
        (one("Deny", "NotResource", "arn:aws:s3:::⟨A⟩/*"), Truth::True),
        (one("Deny", "Resource", "arn:aws:s3:::⟨A⟩/*"), Truth::False),
        (one("Deny", "Resource", "arn:aws:s3:::⟨B⟩/*"), Truth::True),
        (one("Deny", "Resource", "arn:aws:sqs:eu-west-1:111122223333:prod"), Truth::True),
    ] {
        let found = public(serde_json::json!([allow, other]));
        assert_eq!(found.truth, want, "{other}: {found:?}");
        assert_eq!(found.reasons.is_empty(), want != Truth::Unknown);
    }
    let part = one("Allow", "Resource", "arn:aws:s3:::⟨=E⟩-x/*");
    for (bucket, want) in [("a-x", Truth::Unknown), ("a-y", Truth::False)] {
        let other = one("Deny", "NotResource", &format!("arn:aws:s3:::{bucket}/*"));
        assert_eq!(public(serde_json::json!([part, other])).truth, want, "{bucket}");
    }
}
