//! End to end against a real HTTP server that answers as AWS does (PyPI's `moto`), seeded with good and bad twins; then the
//! same with each call in turn failing. Needs `PALISADE_TEST_PYTHON` (a Python with `moto[server]`), which `cargo xtask test`
//! sets; without it there is nothing to talk to and nothing is tested.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test stops where its own set-up is wrong")]

#[path = "../src/canned.rs"]
#[expect(dead_code, reason = "shared with the unit tests, which use more of it")]
mod canned;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use aws::{Collected, Config, Environment, Limits, Plan, collect};
use canned::{Asked, Reply, Server, serve};
use catalogue::SourceFile;
use model::{Region, Resource, TypeName, Value, to_json};

struct Moto {
    child: Child,
    port: u16,
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Starts and seeds a server; `None` where there is no Python for it.
fn moto() -> Option<Moto> {
    let python = PathBuf::from(std::env::var_os("PALISADE_TEST_PYTHON")?);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new(&python);
    server.args(["-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", &port.to_string()]);
    server.env("MOTO_AMIS_PATH", folder.join("amis.json")).stdout(Stdio::null()).stderr(Stdio::null());
    let moto = Moto { child: server.spawn().unwrap(), port };
    for _ in 0..600 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            let seeded = Command::new(&python).arg(folder.join("seed.py")).arg(format!("http://127.0.0.1:{port}")).status();
            assert!(seeded.unwrap().success(), "the seed failed");
            return Some(moto);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("moto does not answer");
}

fn gather(root: &Path, path: &Path, files: &mut Vec<SourceFile>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            gather(root, &entry.path(), files);
        }
    } else if path.extension().is_some_and(|e| e == "toml") {
        let text = std::fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        files.push(SourceFile { path, text });
    }
}

fn plan() -> Plan {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    let mut files = Vec::new();
    gather(&root, &root.join("aws"), &mut files);
    Plan::new(&catalogue::load(&files).pack.types).unwrap()
}

/// `tries_max` above 1 gets over what moto does while it loads a service.
fn scan(plan: &Plan, url: &str, tries_max: u32) -> Collected {
    let vars = [("AWS_ENDPOINT_URL", url), ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let config = Config {
        environment: Environment::of(&vars),
        regions: vec![Region::new("eu-west-1").unwrap()],
        limits: Limits {
            tries_max,
            wait_min: Duration::from_millis(100),
            wait_max: Duration::from_millis(500),
            throttled_tries_max: 1,
            calls_per_second: 1e6,
            requests_at_once: 8,
            ..Limits::default()
        },
        ..Config::default()
    };
    collect(plan, &config, None, &|_| {}).unwrap()
}

fn find<'a>(got: &'a Collected, kind: &str, name: &str) -> &'a Resource {
    let fits = |r: &&Resource| r.type_name.as_str() == kind && (r.name.as_deref() == Some(name) || r.id.ends_with(name));
    got.snapshot.resources.iter().find(fits).unwrap_or_else(|| panic!("no {kind} {name}"))
}

fn json(resource: &Resource, path: &str) -> serde_json::Value {
    to_json(resource.prop(path))
}

/// The server with a hand in between: `fault` may answer in its place.
fn between(port: u16, fault: impl Fn(&Asked) -> Option<Reply> + Send + Sync + 'static) -> Server {
    serve(move |asked, _| fault(asked).unwrap_or_else(|| forward(port, asked)))
}

fn forward(port: u16, asked: &Asked) -> Reply {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut head = format!("{} {} HTTP/1.1\r\n", asked.method, asked.path);
    // Queue URLs hold the host that was asked.
    head += &format!("host: 127.0.0.1:{port}\r\n");
    for (name, value) in asked.headers.iter().filter(|(n, _)| n != "connection" && n != "host") {
        head += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{head}connection: close\r\n\r\n{}", asked.body).as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().and_then(|l| l.split(' ').nth(1)).unwrap().parse().unwrap();
    let keep = |name: &str| !matches!(name, "content-length" | "connection" | "transfer-encoding");
    let headers = lines.filter_map(|l| l.split_once(": ")).map(|(k, v)| (k.to_lowercase(), v.to_owned()));
    Reply { status, headers: headers.filter(|(k, _)| keep(k)).collect(), body: body.to_owned(), ..Reply::default() }
}

/// What each request is to the fault: the same operation, whatever it is asked about. REST paths lose their ids.
fn kind_of(asked: &Asked) -> String {
    let service = asked.header("authorization").split('/').nth(3).unwrap_or_default().to_owned();
    let operation = asked.operation();
    let Some((method, path)) = operation.split_once(' ') else { return format!("{service} {operation}") };
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let key = query.split(['=', '&']).next().unwrap_or_default();
    let depth = path.matches('/').count();
    let word =
        path.split('/').rfind(|w| w.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !w.contains("-b")).unwrap_or_default();
    format!("{service} {method} {depth} {word} {key}")
}

#[test]
fn moto_end_to_end() {
    let Some(moto) = moto() else { return };
    let plan = plan();
    let url = format!("http://127.0.0.1:{}", moto.port);
    let whole = scan(&plan, &url, 3);
    twins(&whole);
    let again = scan(&plan, &url, 3);
    compare(&whole, &again, "a second time");
    assert_eq!(whole.snapshot.resources.len(), again.snapshot.resources.len());
    faults(&plan, moto.port, &whole);
}

fn twins(got: &Collected) {
    let account = "123456789012";
    let (good, bad) = (find(got, "AWS::S3::Bucket", "good-bucket"), find(got, "AWS::S3::Bucket", "bad-bucket"));
    assert_eq!(
        (json(good, "VersioningConfiguration.Status"), json(bad, "VersioningConfiguration.Status")),
        ("Enabled".into(), ().into())
    );
    assert_eq!(json(good, "PublicAccessBlockConfiguration.BlockPublicAcls"), true);
    assert_eq!(json(bad, "PublicAccessBlockConfiguration.BlockPublicAcls"), false);
    assert_eq!(good.region.as_ref().unwrap().as_str(), "eu-west-1");
    let rule = good.prop("BucketEncryption.ServerSideEncryptionConfiguration").as_list().unwrap()[0].clone();
    assert_eq!(to_json(&rule)["ServerSideEncryptionByDefault"]["SSEAlgorithm"], "aws:kms");
    assert_eq!(json(good, "Tags"), serde_json::json!([{ "Key": "team", "Value": "blue" }]));
    assert_eq!(json(bad, "AccessControl"), "Private");
    let policy = find(got, "AWS::S3::BucketPolicy", "bad-bucket");
    assert_eq!(json(policy, "PolicyDocument")["Statement"][0]["Principal"], "*");
    assert!(!got.snapshot.resources.iter().any(|r| r.type_name.as_str() == "AWS::S3::BucketPolicy" && r.id.contains("good")));

    let group = find(got, "AWS::EC2::SecurityGroup", "bad-group");
    let rules = json(group, "SecurityGroupIngress");
    assert_eq!(
        rules[0],
        serde_json::json!({ "CidrIp": "0.0.0.0/0", "Description": "all", "FromPort": 22, "IpProtocol": "tcp", "ToPort": 22 })
    );
    assert_eq!(rules[1]["CidrIpv6"], "::/0");
    let vpc = find(got, "AWS::EC2::VPC", "main");
    assert_eq!((json(vpc, "CidrBlock"), json(vpc, "EnableDnsSupport")), ("10.1.0.0/16".into(), true.into()));
    let of = |kind: &str| got.snapshot.resources.iter().filter(|r| r.type_name.as_str() == kind).collect::<Vec<_>>();
    let route = of("AWS::EC2::Route").into_iter().find(|r| json(r, "DestinationCidrBlock") == "0.0.0.0/0").unwrap();
    assert!(json(route, "GatewayId").as_str().unwrap().starts_with("igw-"));
    let encrypted: BTreeMap<i64, serde_json::Value> =
        of("AWS::EC2::Volume").iter().map(|v| (v.prop("Size").as_int().unwrap(), json(v, "Encrypted"))).collect();
    assert_eq!((&encrypted[&21], &encrypted[&22]), (&true.into(), &false.into()));
    assert_eq!(of("Palisade::EC2::Snapshot").iter().filter(|s| json(s, "Public") == true).count(), 1);
    assert_eq!(of("AWS::EC2::Instance").len(), 1);

    let ann = find(got, "AWS::IAM::User", "ann");
    assert_eq!(&*ann.id, format!("arn:aws:iam::{account}:user/ann"));
    assert_eq!(json(ann, "Policies")[0]["PolicyDocument"]["Statement"][0]["Action"], "*");
    assert_eq!(json(ann, "LoginProfile.PasswordResetRequired"), false);
    assert!(find(got, "AWS::IAM::User", "bob").prop("LoginProfile").is_null());
    let worker = find(got, "AWS::IAM::Role", "worker");
    assert_eq!((json(worker, "MaxSessionDuration"), json(worker, "Description")), (7200.into(), "works".into()));
    assert_eq!(json(worker, "AssumeRolePolicyDocument")["Statement"][0]["Action"], "sts:AssumeRole");
    let everything = find(got, "AWS::IAM::ManagedPolicy", "everything");
    assert_eq!(json(everything, "PolicyDocument")["Statement"][0]["Resource"], "*");
    let password = find(got, "Palisade::IAM::PasswordPolicy", account);
    assert_eq!((json(password, "IsSet"), json(password, "MinimumPasswordLength")), (true.into(), 8.into()));
    assert_eq!(json(find(got, "Palisade::IAM::CredentialReport", "ann"), "PasswordEnabled"), true);

    let keys = of("AWS::KMS::Key");
    let rotates: BTreeMap<String, serde_json::Value> =
        keys.iter().map(|k| (json(k, "Description").to_string(), json(k, "EnableKeyRotation"))).collect();
    assert_eq!((&rotates["\"good\""], &rotates["\"bad\""]), (&true.into(), &false.into()));
    assert!(find(got, "AWS::SNS::Topic", "bad-topic").prop("KmsMasterKeyId").is_null());
    assert!(!find(got, "AWS::SNS::Topic", "good-topic").prop("KmsMasterKeyId").is_null());
    assert!(!find(got, "AWS::SQS::Queue", "good-queue").prop("KmsMasterKeyId").is_null());
    assert_eq!(of("AWS::SQS::QueuePolicy").len(), 1);
    let recovery = "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled";
    assert_eq!(json(find(got, "AWS::DynamoDB::Table", "good-table"), recovery), true);
    assert_eq!(json(find(got, "AWS::DynamoDB::Table", "bad-table"), recovery), false);
    let function = find(got, "AWS::Lambda::Function", "worker");
    assert_eq!(json(function, "Environment.Variables.TOKEN"), "hunter2");
    assert_eq!(json(of("AWS::Lambda::Permission")[0], "Principal"), "s3.amazonaws.com");
    assert_eq!(json(find(got, "AWS::RDS::DBInstance", "good-db"), "StorageEncrypted"), true);
    assert_eq!(json(find(got, "AWS::RDS::DBInstance", "bad-db"), "PubliclyAccessible"), true);
    assert_eq!(json(find(got, "AWS::Logs::LogGroup", "good-logs"), "RetentionInDays"), 365);
    assert!(find(got, "AWS::Logs::LogGroup", "bad-logs").prop("RetentionInDays").is_null());
    assert_eq!(json(find(got, "AWS::CloudTrail::Trail", "trail"), "IsLogging"), true);
    assert_eq!(json(find(got, "AWS::ECR::Repository", "images"), "ImageTagMutability"), "IMMUTABLE");
    assert_eq!(json(of("AWS::Route53::HostedZone")[0], "Name"), "example.com.");
}

/// Each call in turn is denied, and fails in one other way. What was known is then the same or unknown, never absent and
/// never another value; what is missing has a gap that matters; and a gap names a call that was made.
fn faults(plan: &Plan, port: u16, whole: &Collected) {
    let watching = between(port, |_| None);
    scan(plan, &watching.url, 1);
    let kinds: BTreeSet<String> = watching.asked().iter().map(kind_of).filter(|k| !k.starts_with("sts ")).collect();
    assert!(kinds.len() > 80, "{}", kinds.len());
    let others = [
        Reply::of(500, "oops"),
        Reply::of(400, "{\"__type\":\"ThrottlingException\"}"),
        Reply { cut: 9, ..Reply::ok("{") },
        Reply::ok("<html><body>Sign in</body></html>"),
        Reply::ok("\"?\""),
    ];
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    for (n, kind) in kinds.iter().enumerate() {
        for fault in [Reply::of(403, denied), others[n % others.len()].clone()] {
            let (wanted, reply) = (kind.clone(), fault.clone());
            let server = between(port, move |asked| (kind_of(asked) == wanted).then(|| reply.clone()));
            let got = scan(&plan.only(&types_of(plan, kind)), &server.url, 1);
            compare(whole, &got, &format!("{kind}: {} {}", fault.status, fault.body));
        }
    }
}

/// The types of the service that a kind of request belongs to: only these can differ.
fn types_of(plan: &Plan, kind: &str) -> BTreeSet<TypeName> {
    let mut words = kind.split(' ');
    let service = words.next().unwrap_or_default();
    let called = plan.types_that_call(words.next().unwrap_or_default());
    if !called.is_empty() {
        return called;
    }
    let folder = match service {
        "elasticloadbalancing" => "ElasticLoadBalancing",
        "monitoring" => "CloudWatch",
        "elasticfilesystem" => "EFS",
        "elasticmapreduce" => "EMR",
        "es" => "OpenSearch",
        "acm" => "CertificateManager",
        "cognito-idp" => "Cognito",
        "states" => "StepFunctions",
        other => other,
    }
    .replace('-', "");
    let fits = |t: &&TypeName| {
        let name = t.as_str().to_lowercase().replace("::", "");
        name.contains(&folder.to_lowercase()) || name.starts_with("palisadeaccount")
    };
    let found: BTreeSet<TypeName> = plan.type_names().filter(fits).cloned().collect();
    if found.len() > 2 || service == "account" { found } else { plan.type_names().cloned().collect() }
}

/// What moto makes up anew with each answer.
const VOLATILE: &[&str] = &["LatestDeliveryTime"];

fn compare(whole: &Collected, got: &Collected, what: &str) {
    let types: BTreeSet<&TypeName> = got.snapshot.resources.iter().map(|r| &r.type_name).collect();
    let mut differs = 0;
    for before in whole.snapshot.resources.iter().filter(|r| types.contains(&r.type_name)) {
        let same = |r: &&Resource| r.type_name == before.type_name && r.id == before.id;
        let Some(after) = got.snapshot.resources.iter().find(same) else {
            let told = got.snapshot.gaps.iter().any(|g| g.matters && g.type_name.as_ref() == Some(&before.type_name));
            assert!(told, "{what}: {} is gone and no gap says so", before.id);
            differs += 1;
            continue;
        };
        for (key, value) in before.props.iter().filter(|(k, _)| !VOLATILE.contains(&&***k)) {
            let now = after.props.get(key).unwrap_or(&Value::Null);
            if now != value {
                assert!(now.has_unknown(), "{what}: {} of {} was {value:?} and is now {now:?}", key, before.id);
                differs += 1;
            }
        }
        for (key, value) in after.props.iter().filter(|(k, _)| !before.props.contains_key(k)) {
            assert!(value.has_unknown(), "{what}: {key} of {} is {value:?} out of nothing", before.id);
        }
    }
    for extra in &got.snapshot.resources {
        let known = whole.snapshot.resources.iter().any(|r| r.type_name == extra.type_name && r.id == extra.id);
        assert!(known || extra.props.iter().any(|(_, v)| v.has_unknown()), "{what}: {} came out of nothing", extra.id);
    }
    assert!(differs == 0 || !got.snapshot.gaps.is_empty(), "{what}: no gap");
}
