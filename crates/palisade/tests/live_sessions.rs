//! The live account over time and over accounts: an organisation, an MFA code typed at a terminal, credentials that expire
//! half-way, throttling that passes, a collection that is killed and gone on with. The real binary; where it matters that a
//! server answers as AWS does, on moto.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops where its own set-up is wrong")]

#[path = "../../aws/tests/moto/server.rs"]
#[expect(dead_code, reason = "shared with the tests of collection, which use more of it")]
mod server;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use server::canned::{Asked, Reply, Server, serve};
use server::moto;

const CHECK: &str = "s3-bucket-unversioned";

fn command(dir: &Path, url: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(args).current_dir(dir).env_clear().env("AWS_MAX_ATTEMPTS", "1").env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret").env("AWS_ENDPOINT_URL", url);
    command
}

fn report(mut command: Command) -> (i32, Value) {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let report = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}\n{out}{err}"));
    (output.status.code().unwrap(), report)
}

/// Account and verdict of each finding of the check.
fn verdicts(report: &Value) -> Vec<(String, String)> {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().unwrap().iter().filter(|f| f["check"] == CHECK);
    findings.map(|f| (text(&f["resource"]["account"]), text(&f["verdict"]))).collect()
}

fn gaps(report: &Value) -> Vec<&Value> {
    report["gaps"].as_array().unwrap().iter().filter(|g| g["matters"] == true).collect()
}

/// Who the caller is, by the key that it signs with.
fn identity(account: &str) -> Reply {
    Reply::ok(format!(
        "<R><GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/ann</Arn><Account>{account}</Account></GetCallerIdentityResult></R>"
    ))
}

fn session(key: &str) -> Reply {
    Reply::ok(format!(
        "<R><Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
         <Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></R>"
    ))
}

/// One bucket with versions, in the account that the key says.
fn account(asked: &Asked) -> Reply {
    let regions = "<R><regionInfo><item><regionName>eu-west-1</regionName></item></regionInfo></R>";
    let bucket = "<R><Buckets><Bucket><Name>files</Name><BucketRegion>eu-west-1</BucketRegion></Bucket></Buckets></R>";
    match asked.operation().as_str() {
        "GetCallerIdentity" => identity("123456789012"),
        "DescribeRegions" => Reply::ok(regions),
        operation if operation.contains("versioning") => Reply::ok("<V><Status>Enabled</Status></V>"),
        operation if operation.starts_with("GET /") => Reply::ok(bucket),
        operation => Reply::ok(format!("<{operation}Response><{operation}Result/></{operation}Response>")),
    }
}

#[test]
fn an_organisation_with_one_account_that_stays_shut() {
    let Some(moto) = moto() else { return };
    let ids = moto.script("organisation.py");
    let [good, bad, shut] = &ids[..] else { panic!("{ids:?}") };
    let locked = shut.clone();
    let server = moto.between(move |asked| {
        let entered = asked.operation() == "AssumeRole" && asked.body.contains(&locked);
        let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>";
        entered.then(|| Reply::of(403, body))
    });
    let dir = tempfile::tempdir().unwrap();
    let args = ["scan", "--org=reader", "--region", "eu-west-1", "--check", CHECK, "-f", "json", "--all"];
    let (code, got) = report(command(dir.path(), &server.url, &args));
    assert_eq!(code, 1);
    let of = |id: &str| verdicts(&got).into_iter().filter(|(a, _)| a == id).map(|(_, v)| v).collect::<Vec<_>>();
    assert_eq!((of(good), of(bad), of(shut)), (vec!["pass".to_owned()], vec!["fail".to_owned()], vec![]));
    // The account that we start from is there as well.
    assert!(of("123456789012").contains(&"fail".to_owned()), "{:?}", verdicts(&got));
    let told = gaps(&got);
    assert!(told.iter().all(|g| g["account"] == shut.as_str()), "{told:?}");
    let named = told.iter().any(|g| {
        let text = |key: &str| g[key].as_str().unwrap_or_default();
        text("what") == format!("account {shut}") && text("detail").contains("not you") && text("help").contains("`reader`")
    });
    assert!(named, "{told:?}");
    let (code, _) = report(command(dir.path(), &server.url, &[&args[..], &["--strict", "--fail-on", "never"]].concat()));
    assert_eq!(code, 3, "an account that stays shut is a gap");
}

/// Runs a command on a pseudo-terminal, types a line whenever it asks for a code, and gives its exit code and all that it says.
fn typed(python: &std::ffi::OsStr, command: &Command, code: &str) -> (i32, String) {
    let script = "import os, pty, sys, select\n\
        pid, fd = pty.fork()\n\
        if pid == 0: os.execv(sys.argv[2], sys.argv[2:])\n\
        said = b''\n\
        answered = 0\n\
        while True:\n\
        \x20   if not select.select([fd], [], [], 60)[0]: os.kill(pid, 9)\n\
        \x20   try: more = os.read(fd, 65536)\n\
        \x20   except OSError: more = b''\n\
        \x20   if not more: break\n\
        \x20   said += more\n\
        \x20   if said.count(b'MFA code for') > answered:\n\
        \x20       answered += 1\n\
        \x20       os.write(fd, sys.argv[1].encode() + b'\\n')\n\
        sys.stdout.buffer.write(said)\n\
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n";
    let mut python = Command::new(python);
    python.args(["-c", script, code]).arg(command.get_program()).args(command.get_args()).env_clear();
    python.envs(command.get_envs().filter_map(|(k, v)| Some((k, v?)))).current_dir(command.get_current_dir().unwrap());
    let output = python.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), said)
}

/// The code is asked for once, however many accounts are entered with the session that it gave.
#[test]
fn an_mfa_code_is_typed_once() {
    let Some(python) = std::env::var_os("PALISADE_TEST_PYTHON") else { return };
    let dir = tempfile::tempdir().unwrap();
    let server = serve(|asked, _| {
        let key = asked.header("authorization").split(['=', '/']).nth(1).unwrap_or_default().to_owned();
        let right = asked.body.contains("SerialNumber=arn%3Aaws%3Aiam%3A%3A123456789012%3Amfa%2Fann&TokenCode=123456");
        match (asked.operation().as_str(), key.as_str()) {
            ("AssumeRole", "AKIDEXAMPLE") if right => session("ASIAMFA"),
            ("AssumeRole", "ASIAMFA") => session(if asked.body.contains("222222222222") { "ASIATWO" } else { "ASIATHREE" }),
            ("AssumeRole", _) => {
                let said = "MultiFactorAuthentication failed with invalid MFA one time pass code.";
                Reply::of(403, format!("<E><Error><Code>AccessDenied</Code><Message>{said}</Message></Error></E>"))
            }
            ("GetCallerIdentity", "ASIATWO") => identity("222222222222"),
            ("GetCallerIdentity", "ASIATHREE") => identity("333333333333"),
            ("ListAccounts", "ASIAMFA") => Reply::ok(
                "{\"Accounts\":[{\"Id\":\"222222222222\",\"Status\":\"ACTIVE\"},{\"Id\":\"333333333333\",\"Status\":\"ACTIVE\"}]}",
            ),
            _ => account(asked),
        }
    });
    let role = ["--role-arn", "arn:aws:iam::123456789012:role/reader", "--mfa-serial", "arn:aws:iam::123456789012:mfa/ann"];
    let args = [&["scan", "--org=reader", "--check", CHECK, "-f", "json=out.json", "--all"][..], &role].concat();
    let scan = command(dir.path(), &server.url, &args);
    let (code, said) = typed(&python, &scan, "123456");
    assert_eq!((code, said.matches("MFA code for").count()), (0, 1), "{said}");
    let got: Value = serde_json::from_str(&std::fs::read_to_string(dir.path().join("out.json")).unwrap()).unwrap();
    let accounts: Vec<String> = verdicts(&got).into_iter().filter(|(_, v)| v == "pass").map(|(a, _)| a).collect();
    assert_eq!(accounts, ["123456789012", "222222222222", "333333333333"]);
    let (code, said) = typed(&python, &scan, "654321");
    assert!(code == 2 && said.contains("invalid MFA one time pass code"), "{code}: {said}");
    // Nobody sits at the other end: no hang, but words.
    let output = command(dir.path(), &server.url, &args).stdin(Stdio::null()).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && err.contains("needs an MFA code") && err.contains("help: "), "{err}");
}

/// An account whose keys expire after some calls.
fn expiring(after: usize) -> Server {
    let (calls, fetched) = (AtomicUsize::new(0), AtomicUsize::new(0));
    serve(move |asked, _| {
        if asked.path == "/creds" {
            let number = fetched.fetch_add(1, Ordering::SeqCst);
            return Reply::ok(format!(
                "{{\"AccessKeyId\":\"ASIA{number}\",\"SecretAccessKey\":\"s\",\"Token\":\"t\",\"Expiration\":\"2999-01-01T00:00:00Z\"}}"
            ));
        }
        let first = ["Credential=ASIA0/", "Credential=AKIDEXAMPLE/"].iter().any(|k| asked.header("authorization").contains(k));
        if first && calls.fetch_add(1, Ordering::SeqCst) >= after {
            let code = "<Code>ExpiredToken</Code><Message>The provided token has expired.</Message>";
            return Reply::of(400, format!("<Error>{code}</Error>"));
        }
        account(asked)
    })
}

#[test]
fn credentials_that_expire_half_way() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["scan", "--check", CHECK, "-f", "json", "--all"];
    // Who, Regions, buckets; and then the keys are no longer good. What gives keys is asked again, and once.
    let server = expiring(3);
    let mut scan = command(dir.path(), &server.url, &args);
    scan.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    scan.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/creds", server.url));
    let (_, got) = report(scan);
    assert_eq!(verdicts(&got), [("123456789012".to_owned(), "pass".to_owned())], "{got}");
    assert!(gaps(&got).is_empty(), "{got}");
    assert_eq!(server.asked().iter().filter(|a| a.path == "/creds").count(), 2);
    // Nobody can give new ones: unknown, with the call and the reason.
    let (_, got) = report(command(dir.path(), &expiring(3).url, &args));
    assert_eq!(verdicts(&got), [("123456789012".to_owned(), "unknown".to_owned())], "{got}");
    let told = gaps(&got);
    let named = told.iter().any(|g| g["what"] == "s3:GetBucketVersioning" && g["detail"].as_str().unwrap().contains("expired"));
    assert!(named, "{told:?}");
    // So soon that nothing was listed.
    let (_, got) = report(command(dir.path(), &expiring(2).url, &args));
    assert!(verdicts(&got).is_empty() && gaps(&got).iter().any(|g| g["what"] == "s3:ListBuckets"), "{got}");
}

/// The waits are those of a minute of throttling, cut to their first three.
#[test]
fn throttling_that_passes_is_waited_out() {
    let dir = tempfile::tempdir().unwrap();
    let refused: Mutex<BTreeMap<String, usize>> = Mutex::default();
    let server = serve(move |asked, _| {
        let operation = asked.operation();
        let mut refused = refused.lock().unwrap();
        let count = refused.entry(operation.clone()).or_default();
        *count += 1;
        match *count <= 3 && operation.contains("versioning") {
            true => Reply::of(503, "<Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>"),
            false => account(asked),
        }
    });
    let mut scan = command(dir.path(), &server.url, &["scan", "--check", CHECK, "-f", "json", "--all"]);
    scan.env_remove("AWS_MAX_ATTEMPTS");
    let start = Instant::now();
    let (_, got) = report(scan);
    assert_eq!(verdicts(&got), [("123456789012".to_owned(), "pass".to_owned())], "{got}");
    assert!(start.elapsed() > Duration::from_millis(700), "{:?}: it did not wait longer each time", start.elapsed());
}

#[test]
fn regions_that_are_not_enabled_are_a_note() {
    let dir = tempfile::tempdir().unwrap();
    let server = serve(|asked, _| match asked.header("authorization").contains("/ap-east-1/") {
        true => Reply::of(400, "<Error><Code>InvalidClientTokenId</Code></Error>"),
        false => account(asked),
    });
    let regions = ["--region", "eu-west-1", "--region", "ap-east-1"];
    let args = [&["scan", "--check", CHECK, "-f", "json", "--all", "--strict"][..], &regions].concat();
    let (code, got) = report(command(dir.path(), &server.url, &args));
    assert_eq!((code, verdicts(&got).len(), gaps(&got).len()), (0, 1, 0), "{got}");
    let note = got["gaps"].as_array().unwrap().iter().any(|g| g["what"] == "region ap-east-1");
    assert!(note, "{got}");
}

/// A collection that is killed outright loses at most what the last second brought.
#[cfg(unix)]
#[test]
fn killed_and_resumed() {
    let dir = tempfile::tempdir().unwrap();
    let slow = serve(|asked, _| match asked.operation().as_str() {
        "ListQueues" => Reply { delay: Duration::from_secs(60), ..Reply::ok("{}") },
        _ => account(asked),
    });
    let args = ["snapshot", "-o", "out.snapshot", "--resume", "kept.snapshot"];
    let mut child = command(dir.path(), &slow.url, &args).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    let kept = dir.path().join("kept.snapshot");
    let (mut last, mut since) = (0, Instant::now());
    // Until it was kept and nothing more is asked.
    while !kept.exists() || since.elapsed() < Duration::from_secs(3) {
        assert!(start.elapsed() < Duration::from_secs(50), "nothing is kept");
        std::thread::sleep(Duration::from_millis(100));
        let count = slow.asked().len();
        if count != last {
            (last, since) = (count, Instant::now());
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!dir.path().join("out.snapshot").exists());
    // It is a snapshot as any other, and says what is missing.
    let (_, half) = report(command(dir.path(), "", &["scan", "kept.snapshot", "-f", "json", "--all"]));
    assert_eq!(verdicts(&half), [("123456789012".to_owned(), "pass".to_owned())], "{half}");
    let stopped = |r: &Value| gaps(r).iter().filter(|g| g["what"] == "the collection was stopped").count();
    assert!(stopped(&half) > 0, "{half}");
    let fast = serve(|asked, _| account(asked));
    let output = command(dir.path(), &fast.url, &args).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let again: Vec<String> = fast.asked().iter().map(Asked::operation).collect();
    assert!(again.iter().any(|o| o == "ListQueues") && !again.iter().any(|o| o.contains("versioning")), "{again:?}");
    let (_, whole) = report(command(dir.path(), "", &["scan", "out.snapshot", "-f", "json", "--all"]));
    assert_eq!((verdicts(&whole), stopped(&whole)), (verdicts(&half), 0));
}
