use std::sync::Arc;
use std::time::Duration;

use model::{Region, Value, to_json};
use serde_json::{Map as JsonMap, Value as Json, json};

use super::{Call, Client, Http, HttpLimits, Shared, dns_name, url};
use crate::canned::{Reply, Server, serve};
use crate::credentials::{Credentials, Means, Provider, Source};
use crate::endpoint;
use crate::environment::Environment;
use crate::error::{CallError, ErrorKind};
use crate::facts::Facts;
use crate::settings::{Cancel, Limits};
use crate::wire;

fn quick() -> Limits {
    Limits {
        connect: Duration::from_secs(2),
        request: Duration::from_millis(1500),
        wait_min: Duration::from_millis(1),
        wait_max: Duration::from_millis(4),
        ..Limits::default()
    }
}

fn client(server: &Server, limits: Limits) -> (Client, Cancel) {
    let env = Environment::of(&[("AWS_ENDPOINT_URL", &server.url)]);
    let http = HttpLimits { connect: limits.connect, whole: limits.request, body_bytes_max: limits.body_bytes_max };
    let http = Http::new(&env, http).unwrap();
    let cancel = Cancel::default();
    let means = Means {
        http: http.clone(),
        local: http.clone(),
        env: env.clone(),
        mfa: None,
        region: "us-east-1".into(),
        limits: Limits::default(),
    };
    let provider = Provider::new(Source::Fixed(Credentials::new("AKIDEXAMPLE", "secret", None)), means);
    (Client::new(Arc::new(Shared::new(http, env, limits, cancel.clone())), provider), cancel)
}

#[tokio::main(flavor = "current_thread")]
async fn call_with(server: &Server, limits: Limits, service: &str, operation: &str, input: Json) -> Result<Value, CallError> {
    let (client, _) = client(server, limits);
    let region = Region::new("eu-west-1").unwrap();
    let input = input.as_object().unwrap().clone();
    client.call_all(Call { service, operation, region: &region, input: &input }).await
}

fn tables(server: &Server, limits: Limits) -> Result<Json, ErrorKind> {
    call_with(server, limits, "dynamodb", "ListTables", json!({})).map(|v| to_json(&v)).map_err(|e| e.kind)
}

#[test]
fn a_call_is_signed_and_answered() {
    let server = serve(|_, _| Reply::ok("{\"TableNames\":[\"a\"]}"));
    assert_eq!(tables(&server, quick()), Ok(json!({ "TableNames": ["a"] })));
    let asked = &server.asked()[0];
    assert_eq!(asked.operation(), "ListTables");
    assert!(asked.header("authorization").contains("/eu-west-1/dynamodb/aws4_request"));
    assert!(asked.header("user-agent").starts_with("palisade/"));
}

#[test]
fn failures_are_tried_again_and_refusals_are_not() {
    let bad = "{\"__type\":\"InternalServerError\"}";
    let cases: Vec<(Reply, Result<(), ErrorKind>, usize)> = vec![
        (Reply::of(500, bad), Err(ErrorKind::Failed), 4),
        (Reply::of(503, "<html>busy</html>"), Err(ErrorKind::Failed), 4),
        (Reply::of(400, "{\"__type\":\"ThrottlingException\"}"), Err(ErrorKind::Throttled), 12),
        (Reply::of(400, "{\"__type\":\"AccessDeniedException\"}"), Err(ErrorKind::Denied), 1),
        (Reply::of(403, "no"), Err(ErrorKind::Denied), 1),
        (Reply::of(400, "{\"__type\":\"ExpiredTokenException\"}"), Err(ErrorKind::Credentials), 1),
        (Reply::of(400, "{\"__type\":\"ResourceNotFoundException\"}"), Err(ErrorKind::Rejected), 1),
        (Reply::of(400, "{\"__type\":\"OptInRequired\"}"), Err(ErrorKind::NotOffered), 1),
        (Reply::ok("<html>Sign in</html>"), Err(ErrorKind::Malformed), 1),
        (Reply::ok("{\"TableNames\":{}}"), Err(ErrorKind::Malformed), 1),
        (Reply { cut: 10, ..Reply::ok("{") }, Err(ErrorKind::Failed), 4),
        (Reply { delay: Duration::from_secs(3), ..Reply::ok("{}") }, Err(ErrorKind::Failed), 2),
    ];
    for (reply, wanted, count) in cases {
        let shown = reply.clone();
        let server = serve(move |_, _| reply.clone());
        let tries_max = if count == 2 { 2 } else { 4 };
        let limits = Limits { tries_max, calls_per_second: 1e6, ..quick() };
        assert_eq!(tables(&server, limits).map(|_| ()), wanted, "{shown:?}");
        assert_eq!(server.asked().len(), count, "{shown:?}");
    }
}

#[test]
fn a_passing_failure_is_got_over() {
    let server = serve(|_, n| match n {
        0 => Reply::of(500, ""),
        1 => Reply::of(400, "{\"__type\":\"ThrottlingException\"}"),
        2 => Reply { cut: 5, ..Reply::ok("{") },
        _ => Reply::ok("{\"TableNames\":[]}"),
    });
    assert_eq!(tables(&server, quick()), Ok(json!({ "TableNames": [] })));
}

#[test]
fn nobody_there_is_a_failure() {
    let mut gone = serve(|_, _| Reply::ok(""));
    gone.url = "http://127.0.0.1:9".to_owned();
    assert_eq!(tables(&gone, quick()), Err(ErrorKind::Failed));
}

#[test]
fn the_body_is_limited() {
    let body = "{\"TableNames\":[]}";
    let server = serve(move |_, _| Reply::ok(body));
    let with = |n| tables(&server, Limits { body_bytes_max: n, ..quick() }).map(|_| ());
    assert_eq!(with(body.len()), Ok(()));
    assert_eq!(with(body.len() - 1), Err(ErrorKind::Limit));
}

#[test]
fn pages_are_followed_to_the_end() {
    let server = serve(|asked, _| {
        if asked.body.contains("\"ExclusiveStartTableName\":\"b\"") {
            Reply::ok("{\"TableNames\":[\"c\"]}")
        } else {
            Reply::ok("{\"TableNames\":[\"a\",\"b\"],\"LastEvaluatedTableName\":\"b\"}")
        }
    });
    let all = tables(&server, quick()).unwrap();
    assert_eq!(all["TableNames"], json!(["a", "b", "c"]));
    assert_eq!(server.asked().len(), 2);
}

/// botocore describes no paging for these, but they page.
#[test]
fn pages_that_nobody_describes_are_followed_too() {
    for (service, call, token, list) in
        [("wafv2", "ListWebACLs", "NextMarker", "WebACLs"), ("events", "ListEventBuses", "NextToken", "EventBuses")]
    {
        let server = serve(move |asked, _| match asked.body.contains("page-2") {
            true => Reply::ok(format!("{{\"{list}\":[{{\"Name\":\"b\"}}]}}")),
            false => Reply::ok(format!("{{\"{list}\":[{{\"Name\":\"a\"}}],\"{token}\":\"page-2\"}}")),
        });
        let input = if service == "wafv2" { json!({ "Scope": "REGIONAL" }) } else { json!({}) };
        let all = call_with(&server, quick(), service, call, input).unwrap();
        assert_eq!(all.get(list).and_then(Value::as_list).map(<[Value]>::len), Some(2), "{call}");
    }
}

#[test]
fn pages_that_repeat_or_never_end_are_a_limit() {
    let page = "{\"TableNames\":[\"a\"],\"LastEvaluatedTableName\":\"a\"}";
    let server = serve(move |_, _| Reply::ok(page));
    assert_eq!(tables(&server, quick()), Err(ErrorKind::Limit));
    assert_eq!(server.asked().len(), 2);

    let endless = || serve(|_, n| Reply::ok(format!("{{\"TableNames\":[\"a\"],\"LastEvaluatedTableName\":\"{n}\"}}")));
    let limits = |pages_max| Limits { pages_max, calls_per_second: 1e6, ..quick() };
    assert_eq!(tables(&endless(), limits(3)), Err(ErrorKind::Limit));
    let three = serve(|_, n| {
        let more = if n < 2 { format!(",\"LastEvaluatedTableName\":\"{n}\"") } else { String::new() };
        Reply::ok(format!("{{\"TableNames\":[\"a\"]{more}}}"))
    });
    assert!(tables(&three, limits(3)).is_ok());
}

#[test]
fn markers_count_only_while_there_is_more() {
    let page = |more: bool, n: usize| {
        format!(
            "<ListUsersResponse><ListUsersResult><IsTruncated>{more}</IsTruncated><Marker>m{n}</Marker>\
             <Users><member><UserName>u{n}</UserName></member></Users></ListUsersResult></ListUsersResponse>"
        )
    };
    let server = serve(move |_, n| Reply::ok(page(n < 1, n)));
    let all = call_with(&server, quick(), "iam", "ListUsers", json!({})).unwrap();
    assert_eq!(all.get("Users").and_then(Value::as_list).unwrap().len(), 2);
    assert!(server.asked()[1].body.contains("Marker=m0"));
}

#[test]
fn a_wrong_clock_is_set_once() {
    let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let date = jiff::fmt::rfc2822::to_string(&ahead.to_zoned(jiff::tz::TimeZone::UTC)).unwrap();
    let hour = ahead.strftime("%Y%m%dT%H").to_string();
    let skewed = date.clone();
    let server = serve(move |asked, _| {
        if asked.header("x-amz-date").starts_with(&hour) {
            Reply::ok("{\"TableNames\":[]}")
        } else {
            Reply::of(403, "{\"__type\":\"InvalidSignatureException\"}").header("date", skewed.clone())
        }
    });
    assert!(tables(&server, quick()).is_ok());
    assert_eq!(server.asked().len(), 2);

    let never = serve(move |_, _| Reply::of(403, "{\"__type\":\"InvalidSignatureException\"}").header("date", date.clone()));
    assert_eq!(tables(&never, quick()), Err(ErrorKind::Credentials));
    assert_eq!(never.asked().len(), 2);
}

#[test]
fn buckets_elsewhere_are_followed_and_remembered() {
    let server = serve(|asked, _| {
        if asked.header("authorization").contains("/ap-south-1/s3/") {
            Reply::ok("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
        } else {
            Reply::of(301, "<Error><Code>PermanentRedirect</Code></Error>").header("x-amz-bucket-region", "ap-south-1")
        }
    });
    let (client, _) = client(&server, quick());
    let region = Region::new("eu-west-1").unwrap();
    let input = json!({ "Bucket": "logs" }).as_object().unwrap().clone();
    let call = Call { service: "s3", operation: "GetBucketVersioning", region: &region, input: &input };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for _ in 0..2 {
        let found = runtime.block_on(client.call(call)).unwrap();
        assert_eq!(found.get("Status").and_then(Value::as_str), Some("Enabled"));
    }
    assert_eq!(server.asked().len(), 3);
    assert!(server.asked().iter().all(|a| a.path.starts_with("/logs?versioning")), "path style at a given endpoint");
}

#[test]
fn a_redirect_loop_ends() {
    let server = serve(|asked, _| {
        let to = if asked.header("authorization").contains("/ap-south-1/") { "eu-west-1" } else { "ap-south-1" };
        Reply::of(301, "<Error><Code>PermanentRedirect</Code></Error>").header("x-amz-bucket-region", to)
    });
    let error = call_with(&server, quick(), "s3", "GetBucketVersioning", json!({ "Bucket": "logs" })).unwrap_err();
    assert_eq!((error.kind, server.asked().len()), (ErrorKind::Rejected, 2));
}

#[test]
fn where_buckets_and_accounts_stand() {
    let at = |service: &str, operation: &str, input: Json, env: &Environment| {
        let facts = Facts::get().service(service).unwrap();
        let (name, op) = facts.operations.get_key_value(operation).unwrap();
        let parts = wire::build(service, facts, (name, op), input.as_object().unwrap()).unwrap();
        let endpoint = endpoint::resolve(service, facts, &Region::new("eu-west-1").unwrap(), "123456789012", env).unwrap();
        url(&endpoint, &parts)
    };
    let aws = Environment::empty();
    let local = Environment::of(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:5000")]);
    let bucket = |name: &str| json!({ "Bucket": name });
    let policy = |name: &str, env: &Environment| at("s3", "GetBucketPolicy", bucket(name), env);
    assert_eq!(policy("logs", &aws), "https://logs.s3.eu-west-1.amazonaws.com/?policy=");
    assert_eq!(policy("my.logs", &aws), "https://s3.eu-west-1.amazonaws.com/my.logs?policy=");
    assert_eq!(policy("logs", &local), "http://127.0.0.1:5000/logs?policy=");
    let account = json!({ "AccountId": "123456789012" });
    let block = |env: &Environment| at("s3control", "GetPublicAccessBlock", account.clone(), env);
    assert_eq!(block(&aws), "https://123456789012.s3-control.eu-west-1.amazonaws.com/v20180820/configuration/publicAccessBlock");
    assert_eq!(block(&local), "http://127.0.0.1:5000/v20180820/configuration/publicAccessBlock");
    for (name, fine) in [("abc", true), ("a.b", false), ("Abc", false), ("ab", false), ("-ab", false)] {
        assert_eq!(dns_name(name), fine, "{name}");
    }
}

#[test]
fn a_stop_ends_a_wait() {
    let server = serve(|_, _| Reply::of(400, "{\"__type\":\"ThrottlingException\"}"));
    let (client, cancel) =
        client(&server, Limits { wait_min: Duration::from_secs(60), wait_max: Duration::from_secs(60), ..quick() });
    let region = Region::new("eu-west-1").unwrap();
    let input = JsonMap::new();
    let call = Call { service: "dynamodb", operation: "ListTables", region: &region, input: &input };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        cancel.cancel();
    });
    let error = runtime.block_on(client.call(call)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Cancelled);
}

#[test]
fn what_is_not_in_the_facts_cannot_be_called() {
    let server = serve(|_, _| Reply::ok("{}"));
    for (service, operation) in [("dynamodb", "DeleteTable"), ("s3", "PutBucketPolicy"), ("nosuch", "ListThings")] {
        let error = call_with(&server, quick(), service, operation, json!({})).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected);
    }
    assert_eq!(server.asked().len(), 0);
}
