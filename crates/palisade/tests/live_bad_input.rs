//! The live account with everything that can be wrong: credentials, networks, answers, clocks, hostile names. The real binary
//! against a canned server.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where its own set-up is wrong")]

#[path = "../../aws/src/canned.rs"]
mod canned;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use canned::{Asked, Reply, Server, serve};
use serde_json::Value;

const IDENTITY: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ann</Arn>\
    <UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
const REGIONS: &str =
    "<DescribeRegionsResponse><regionInfo><item><regionName>eu-west-1</regionName></item></regionInfo></DescribeRegionsResponse>";

fn command(dir: &Path, url: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(args).current_dir(dir).env_clear().env("AWS_MAX_ATTEMPTS", "1").env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret").env("AWS_ENDPOINT_URL", url);
    command
}

fn run(mut command: Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// An account that answers who it is and which Regions it has; the rest as `more` says, or a list of nothing.
fn account(more: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Server {
    serve(move |asked, _| {
        more(asked).unwrap_or_else(|| match asked.operation().as_str() {
            "GetCallerIdentity" => Reply::ok(IDENTITY),
            "DescribeRegions" => Reply::ok(REGIONS),
            operation if operation.starts_with("GET /") => {
                Reply::ok("<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>")
            }
            operation => Reply::ok(format!("<{operation}Response><{operation}Result/></{operation}Response>")),
        })
    })
}

fn buckets(asked: &Asked, names: &str) -> Option<Reply> {
    let list = asked.method == "GET" && (asked.path == "/" || asked.path.starts_with("/?"));
    let bucket = |name: &str| format!("<Bucket><Name>{name}</Name><BucketRegion>eu-west-1</BucketRegion></Bucket>");
    let all: String = names.split(',').map(bucket).collect();
    list.then(|| Reply::ok(format!("<ListAllMyBucketsResult><Buckets>{all}</Buckets></ListAllMyBucketsResult>")))
}

#[test]
fn credentials_that_do_not_work_end_with_2_and_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let config = "[profile a]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = b\n[profile b]\nrole_arn = arn:aws:iam::1:role/y\nsource_profile = a\n\
        [profile half]\naws_access_key_id = AKIDEXAMPLE\n[profile slow]\ncredential_process = false\n";
    std::fs::write(dir.path().join("config"), config).unwrap();
    std::fs::write(dir.path().join("broken"), "[default\nx\n").unwrap();
    let refuse = |code: &'static str| {
        let body = format!("<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>");
        serve(move |_, _| Reply::of(403, body.clone()))
    };
    let expired = refuse("ExpiredToken");
    let html = serve(|_, _| Reply::ok("<html><body>Sign in</body></html>"));
    let failing = serve(|_, _| Reply::of(500, "oops"));
    let plain = failing.url.replace("http://", "https://");
    let none: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", "")];
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str], &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        (&expired.url, none, &[], &["no credentials found", "help: "]),
        (&expired.url, &[], &[], &["ExpiredToken", "sign in again"]),
        (&expired.url, &[("AWS_SECRET_ACCESS_KEY", "")], &[], &["`AWS_SECRET_ACCESS_KEY` isn't", "set both"]),
        (&expired.url, &[("AWS_ACCESS_KEY_ID", "AK\u{e9}\nX")], &[], &["malformed", "copy them again"]),
        (&expired.url, &[("AWS_CONFIG_FILE", "config")], &["--profile", "a"], &["loops", "source_profile"]),
        (&expired.url, &[("AWS_CONFIG_FILE", "config")], &["--profile", "half"], &["half a pair", "both keys"]),
        (&expired.url, &[("AWS_CONFIG_FILE", "config")], &["--profile", "slow"], &["false"]),
        (&expired.url, &[("AWS_CONFIG_FILE", "config")], &["--profile", "zzz"], &["no profile `zzz`", "half"]),
        (&expired.url, &[("AWS_CONFIG_FILE", "broken")], &[], &["line 1", "mend the file"]),
        (&html.url, &[], &[], &["GetCallerIdentity", "help: "]),
        (&failing.url, &[], &[], &["GetCallerIdentity", "help: "]),
        (&plain, &[], &[], &["GetCallerIdentity", "help: "]),
        ("http://palisade-test.invalid", &[], &[], &["GetCallerIdentity", "help: "]),
        (&expired.url, &[("HTTPS_PROXY", "::")], &[], &["HTTPS_PROXY", "help: "]),
        (&expired.url, &[("AWS_CA_BUNDLE", "config")], &[], &["AWS_CA_BUNDLE", "help: "]),
        (&expired.url, &[("AWS_MAX_ATTEMPTS", "none")], &[], &["AWS_MAX_ATTEMPTS", "help: "]),
        (&expired.url, &[], &["--region", "nowhere"], &["not a Region code", "help: "]),
        (&expired.url, &[], &["--resume", "config"], &["not a snapshot file", "help: "]),
    ];
    for (url, vars, args, wanted) in cases {
        let mut command = command(dir.path(), url, &[&["scan"], *args].concat());
        command.envs(vars.iter().copied());
        let (code, out, err) = run(command);
        assert_eq!((code, out.as_str()), (2, ""), "{vars:?} {args:?}: {err}");
        assert!(wanted.iter().all(|w| err.contains(w)), "{vars:?} {args:?}: {err}");
    }
}

/// Runs the bucket checks against an account with one bucket.
fn bucket_report(server: &Server) -> Value {
    let dir = tempfile::tempdir().unwrap();
    let args = ["scan", "--check", "s3-bucket-unversioned", "-f", "json", "--all"];
    let (code, out, err) = run(command(dir.path(), &server.url, &args));
    assert!(code == 0 || code == 1, "{code}: {err}");
    serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"))
}

#[test]
fn answers_that_are_none_leave_it_unknown() {
    let versioning = |asked: &Asked, reply: Reply| match asked.path.contains("versioning") {
        true => Some(reply),
        false => buckets(asked, "files"),
    };
    let fine = Reply::ok("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>");
    let expired = "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
    let cases = [
        (fine.clone(), "pass"),
        (Reply::ok("<VersioningConfiguration/>"), "fail"),
        (Reply::ok("<html><body>Sign in</body></html>"), "unknown"),
        (Reply::ok("<!DOCTYPE html><p>Sign in"), "unknown"),
        (Reply::ok("{}"), "unknown"),
        (Reply::ok(""), "unknown"),
        (Reply { cut: 40, ..fine.clone() }, "unknown"),
        (Reply::of(500, "oops"), "unknown"),
        (Reply::of(503, "<Error><Code>SlowDown</Code></Error>"), "unknown"),
        (Reply::of(400, expired), "unknown"),
        (Reply::of(403, "<Error><Code>AccessDenied</Code></Error>"), "unknown"),
    ];
    for (reply, wanted) in cases {
        let shown = format!("{} {}", reply.status, reply.body);
        let report = bucket_report(&account(move |asked| versioning(asked, reply.clone())));
        let found: Vec<&Value> = report["findings"].as_array().unwrap().iter().map(|f| &f["verdict"]).collect();
        assert_eq!(found, [wanted], "{shown}: {}", report["gaps"]);
        let told =
            report["gaps"].as_array().unwrap().iter().any(|g| g["what"] == "s3:GetBucketVersioning" && g["matters"] == true);
        assert_eq!(told, wanted == "unknown", "{shown}: {}", report["gaps"]);
    }
}

#[test]
fn a_listing_that_never_ends_is_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let page =
        "<ListTopicsResponse><ListTopicsResult><Topics/><NextToken>again</NextToken></ListTopicsResult></ListTopicsResponse>";
    let server = account(move |asked| (asked.operation() == "ListTopics").then(|| Reply::ok(page)));
    let start = Instant::now();
    let (_, out, err) = run(command(dir.path(), &server.url, &["scan", "--service", "sns", "-f", "json"]));
    let report: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {err}"));
    assert!(report["gaps"].as_array().unwrap().iter().any(|g| g["what"] == "sns:ListTopics"), "{}", report["gaps"]);
    assert!(start.elapsed() < Duration::from_secs(60) && server.asked().len() < 20);
}

#[test]
fn a_clock_that_is_an_hour_off_is_set_by_the_servers() {
    let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&ahead).unwrap();
    let stamp = ahead.strftime("%Y%m%dT%H%M").to_string();
    let server = account(move |asked| {
        let right = asked.header("x-amz-date").get(..11) == stamp.get(..11);
        let body = "<ErrorResponse><Error><Code>RequestTimeTooSkewed</Code><Message>no</Message></Error></ErrorResponse>";
        if right { buckets(asked, "files") } else { Some(Reply::of(403, body).header("date", date.clone())) }
    });
    let report = bucket_report(&server);
    assert_eq!(report["findings"].as_array().unwrap().len(), 1);
}

/// Names, tags and messages of an account are anybody's: no form of output may carry out what they say.
#[test]
fn hostile_names_stay_text() {
    let dir = tempfile::tempdir().unwrap();
    let json = serde_json::json!({ "QueueUrls": ["http://q/123456789012/=cmd|<script>alert(1)\u{1b}[31m"] });
    let server = account(move |asked| match asked.operation().as_str() {
        "ListQueues" => Some(Reply::ok(json.to_string())),
        "GetQueueAttributes" => Some(Reply::ok("{\"Attributes\": {\"QueueArn\": \"=cmd|<script>alert(1)\\u001b[31m\"}}")),
        "ListQueueTags" => Some(Reply::ok("{\"Tags\": {\"=a\": \"<img src=x onerror=alert(1)>\"}}")),
        _ => None,
    });
    for form in ["terminal", "html", "csv", "markdown", "junit"] {
        let (_, out, err) = run(command(dir.path(), &server.url, &["scan", "--service", "sqs", "--all", "-f", form]));
        assert!(out.contains("alert(1)"), "{form}: {out}{err}");
        assert!(!out.contains('\u{1b}'), "{form}: a terminal escape gets through");
        let markup = ["html", "junit"].contains(&form) && (out.contains("<script>alert") || out.contains("<img src=x"));
        // Inside a code span, markup is text.
        let outside: String = out.split('`').step_by(2).collect();
        assert!(!(markup || form == "markdown" && outside.contains("<script>")), "{form}: markup gets through");
        let formula = form == "csv" && out.lines().any(|l| l.split(',').any(|c| c.trim_matches('"').starts_with("=cmd")));
        assert!(!formula, "{form}: a formula gets through");
    }
}

/// Ctrl-C keeps what there is, and `--resume` goes on.
#[cfg(unix)]
#[test]
fn interrupted_and_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let slow = account(|asked| match asked.operation().as_str() {
        "ListQueues" => Some(Reply { delay: Duration::from_secs(30), ..Reply::ok("{}") }),
        _ => buckets(asked, "files"),
    });
    let args = ["snapshot", "-o", "out.snapshot", "--resume", "kept.snapshot"];
    let child = command(dir.path(), &slow.url, &args).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let start = Instant::now();
    while !slow.asked().iter().any(|a| a.operation() == "ListQueues") {
        assert!(start.elapsed() < Duration::from_secs(60), "it never asked");
        std::thread::sleep(Duration::from_millis(50));
    }
    // Time for the rest to be answered.
    std::thread::sleep(Duration::from_secs(3));
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{err}");
    assert!(start.elapsed() < Duration::from_secs(29) && err.contains("stopped"), "{err}");
    let (_, out, _) = run(command(dir.path(), "", &["scan", "kept.snapshot", "-f", "json", "--all"]));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert!(
        report["findings"].as_array().unwrap().iter().any(|f| f["check"] == "s3-bucket-unversioned"),
        "what was there is kept"
    );
    assert!(report["gaps"].as_array().unwrap().iter().any(|g| g["help"].as_str().is_some_and(|h| h.contains("--resume"))));
    let fast = account(|asked| buckets(asked, "files"));
    let (code, _, err) = run(command(dir.path(), &fast.url, &args));
    assert_eq!(code, 0, "{err}");
    let again: Vec<String> = fast.asked().iter().map(Asked::operation).collect();
    assert!(
        again.iter().any(|o| o == "ListQueues") && !again.iter().any(|o| o == "GET /" || o.starts_with("GET /?")),
        "{again:?}"
    );
}
