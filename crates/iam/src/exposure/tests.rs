use super::*;

const OWNER: &str = "111122223333";

fn answer(statements: &str) -> Exposure {
    let policy = Policy::from_json(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#));
    exposure(&policy, Some(OWNER))
}

fn allow(principal: &str, condition: &str) -> String {
    format!(r#"{{"Effect":"Allow","Principal":{principal},"Action":"sqs:*","Resource":"*","Condition":{condition}}}"#)
}

fn name(principal: &str, condition: &str) -> String {
    match answer(&allow(principal, condition)).openness {
        Openness::CrossAccount(accounts) => format!("cross_account {}", accounts.join(" ")),
        other => other.name().to_owned(),
    }
}

#[test]
fn who_is_let_in() {
    let cases = [
        (r#""*""#, "{}", "public"),
        (r#"{"AWS":"*"}"#, "{}", "public"),
        (r#"{"AWS":"111122223333"}"#, "{}", "no"),
        (r#"{"AWS":"arn:aws:iam::111122223333:role/r"}"#, "{}", "no"),
        (r#"{"AWS":"444455556666"}"#, "{}", "cross_account 444455556666"),
        (r#"{"AWS":"arn:aws:iam::444455556666:root"}"#, "{}", "cross_account 444455556666"),
        (r#"{"Service":"sns.amazonaws.com"}"#, "{}", "no"),
        (r#""*""#, r#"{"StringEquals":{"aws:PrincipalOrgID":"o-abc"}}"#, "cross_account o-abc"),
        (r#""*""#, r#"{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#, "no"),
        (r#""*""#, r#"{"StringEquals":{"aws:PrincipalAccount":"111122223333"}}"#, "no"),
        (r#""*""#, r#"{"StringEquals":{"aws:PrincipalAccount":["111122223333","444455556666"]}}"#, "cross_account 444455556666"),
        (r#""*""#, r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/*"}}"#, "no"),
        (r#""*""#, r#"{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/App"}}"#, "public"),
        (r#""*""#, r#"{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:t"}}"#, "no"),
        (r#""*""#, r#"{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:*:t"}}"#, "public"),
        (r#""*""#, r#"{"ArnEquals":{"aws:SourceArn":"arn:aws:sns:eu-west-1:444455556666:t"}}"#, "cross_account 444455556666"),
        (r#""*""#, r#"{"StringEquals":{"aws:Referer":"secret"}}"#, "public"),
        (r#""*""#, r#"{"StringLike":{"aws:UserAgent":"curl*"}}"#, "public"),
        (r#""*""#, r#"{"Bool":{"aws:SecureTransport":"true"}}"#, "public"),
        (r#""*""#, r#"{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, "public_if"),
        (r#""*""#, r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, "public"),
        (r#""*""#, r#"{"IpAddress":{"aws:SourceIp":["0.0.0.0/1","128.0.0.0/1"]}}"#, "public"),
        (r#""*""#, r#"{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#, "public"),
        (r#""*""#, r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, "public_if"),
        (r#""*""#, r#"{"StringLike":{"aws:SourceVpce":"vpce-*"}}"#, "public"),
        (r#""*""#, r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#, "public"),
        (r#""*""#, r#"{"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-abc"}}"#, "public"),
        (r#""*""#, r#"{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o-abc"}}"#, "public"),
        (r#""*""#, r#"{"StringIs":{"aws:PrincipalOrgID":"o-abc"}}"#, "unknown"),
    ];
    for (principal, condition, want) in cases {
        assert_eq!(name(principal, condition), want, "{principal} {condition}");
    }
}

#[test]
fn denials_count() {
    let open = allow(r#""*""#, "{}");
    let deny = |condition: &str| {
        format!(r#"{open},{{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{condition}}}"#)
    };
    let name = |statements: String| answer(&statements).openness.name();
    assert_eq!(name(deny("{}")), "no");
    assert_eq!(name(deny(r#"{"StringNotEquals":{"aws:PrincipalOrgID":"o-abc"}}"#)), "cross_account");
    assert_eq!(name(deny(r#"{"Bool":{"aws:SecureTransport":"false"}}"#)), "public");
    assert_eq!(name(deny(r#"{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}"#)), "no");
    assert_eq!(name(deny(r#"{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}"#)), "public_if");
}

#[test]
fn a_service_without_source_is_a_deputy() {
    let service = r#"{"Service":"sns.amazonaws.com"}"#;
    assert_eq!(answer(&allow(service, "{}")).deputies, ["sns.amazonaws.com"]);
    let held = answer(&allow(service, r#"{"StringEquals":{"aws:SourceAccount":"111122223333"}}"#));
    assert!(held.deputies.is_empty());
    let arn = answer(&allow(service, r#"{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:111122223333:*"}}"#));
    assert!(arn.deputies.is_empty());
    let any = answer(&allow(service, r#"{"ArnLike":{"aws:SourceArn":"arn:aws:sns:*:*:*"}}"#));
    assert_eq!(any.deputies, ["sns.amazonaws.com"]);
}

#[test]
fn what_is_not_known_is_never_closed() {
    use model::{Map, Reason, Value};
    let statement = |principal: Value| -> Map {
        [
            ("Effect", Value::text("Allow")),
            ("Principal", principal),
            ("Action", Value::text("sqs:*")),
            ("Resource", Value::text("*")),
        ]
        .into_iter()
        .map(|(k, v)| (Text::from(k), v))
        .collect()
    };
    let open = |principal: Value| {
        let mut document = Map::new();
        document.insert("Statement", Value::Map(statement(principal)));
        exposure(&Policy::from_value(&Value::Map(document)), Some(OWNER)).openness.name()
    };
    let aws = |value: Value| {
        let mut map = Map::new();
        map.insert("AWS", value);
        Value::Map(map)
    };
    assert_eq!(open(aws(Value::unknown(Reason::NoDefaultParameter, "Who"))), "unknown");
    assert_eq!(open(aws(Value::link("Role", "Arn"))), "no");
    assert_eq!(open(Value::unknown(Reason::NoDefaultParameter, "Who")), "unknown");
    assert_eq!(exposure(&Policy::from_json("{"), None).openness.name(), "unknown");
}

#[test]
fn a_statement_that_could_not_be_read_may_let_anybody_in() {
    use model::{Map, Reason, Value};
    let open = |others: &str| {
        let mut statements = vec![Value::unknown(Reason::NoDefaultParameter, "Statement")];
        if let Value::List(known) = model::from_json(&serde_json::from_str(&format!("[{others}]")).unwrap()) {
            statements.extend(known);
        }
        let mut document = Map::new();
        document.insert("Statement", Value::List(statements));
        exposure(&Policy::from_value(&Value::Map(document)), Some(OWNER)).openness.name()
    };
    assert_eq!(open(""), "unknown");
    assert_eq!(open(&allow(r#"{"AWS":"111122223333"}"#, "{}")), "unknown");
    assert_eq!(open(&allow(r#"{"AWS":"444455556666"}"#, "{}")), "unknown");
}
