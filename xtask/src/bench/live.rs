//! Collecting from a canned server, beside boto3 making the same calls and Prowler answering the same question: what a client
//! costs, without the network's time.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Bench, Row, measure, once, pair, times, write_file};

/// The version of boto3.
const BOTO3: &[&str] = &["boto3==1.44.8"];

/// The version of Prowler.
const PROWLER: &str = "prowler==5.46.0";

/// Buckets, each asked for one thing by a call of its own.
const BUCKETS: usize = 1_000;

/// Volumes in all, and to a page.
const VOLUMES: usize = 100_000;
const PAGE: usize = 500;

/// What the server was asked in all.
static CALLS: AtomicUsize = AtomicUsize::new(0);

pub(super) fn rows(bench: &Bench) -> Result<Vec<Row>, String> {
    let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| format!("cannot listen: {e}"))?;
    let url = format!("http://{}", listener.local_addr().map_err(|e| e.to_string())?);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || connection(stream));
        }
    });
    let folder = bench.folder("live")?;
    let scan =
        |check: &str| with_account(bench.palisade(&["scan", "--region", "eu-west-1", "--check", check, "-f", "csv"]), &url);
    let script = |text: &str, name: &str| -> Result<Command, String> {
        let path = folder.join(name);
        write_file(&path, text)?;
        let mut python = bench.python_tool("boto3", BOTO3, "python")?;
        python.arg(path);
        Ok(with_account(python, &url))
    };
    let small = "import boto3\ns3 = boto3.client('s3')\nfor b in s3.list_buckets()['Buckets']: s3.get_bucket_versioning(Bucket=b['Name'])\n";
    let (ours, theirs) = pair(&scan("s3-bucket-unversion*"), &script(small, "small.py")?, 3)?;
    let mut rows = vec![Row {
        what: format!("{BUCKETS} buckets: {BUCKETS} small calls, ours with the verdicts"),
        ours: format!("{:.2} CPU s, {:.0} MB", ours.cpu_seconds, ours.memory_mb),
        beside: format!("boto3, the calls alone: {:.2} CPU s, {:.0} MB", theirs.cpu_seconds, theirs.memory_mb),
        ratio: format!("{} less CPU", times(ours.cpu_seconds, theirs.cpu_seconds)),
    }];
    rows.push(prowler(bench, &folder, &url, ours)?);
    let pages = format!(
        "import boto3\nec2 = boto3.client('ec2')\nfound = []\nfor page in ec2.get_paginator('describe_volumes').paginate(PaginationConfig={{'PageSize': {PAGE}}}): found += page['Volumes']\nassert len(found) == {VOLUMES}\n"
    );
    let (ours, theirs) = (measure(&scan("ebs-volume-unencrypt*"))?, measure(&script(&pages, "pages.py")?)?);
    rows.push(Row {
        what: format!("{VOLUMES} volumes in pages of {PAGE}, ours with the verdicts"),
        ours: format!("{:.2} CPU s, {:.0} MB", ours.cpu_seconds, ours.memory_mb),
        beside: format!("boto3, the pages alone: {:.2} CPU s, {:.0} MB", theirs.cpu_seconds, theirs.memory_mb),
        ratio: format!("{} less CPU", times(ours.cpu_seconds, theirs.cpu_seconds)),
    });
    let mut snapshot = bench.palisade(&["snapshot", "--region", "eu-west-1", "-o"]);
    snapshot.arg(folder.join("out.snapshot"));
    // It takes minutes: the client is polite.
    let usage = once(&with_account(snapshot, &url))?;
    rows.push(Row {
        what: format!("all types into a snapshot: {VOLUMES} volumes and {BUCKETS} buckets with every property"),
        ours: format!("{:.2} CPU s, {:.0} MB", usage.cpu_seconds, usage.memory_mb),
        beside: String::new(),
        ratio: String::new(),
    });
    Ok(rows)
}

/// One check on the same buckets by Prowler, once for its byte code and once measured: it takes long.
fn prowler(bench: &Bench, folder: &std::path::Path, url: &str, ours: super::Usage) -> Result<Row, String> {
    let mut command = bench.resolved_tool(PROWLER, "prowler")?;
    command.args(["aws", "--region", "eu-west-1", "--checks", "s3_bucket_object_versioning"]);
    command
        .args(["--no-banner", "--ignore-exit-code-3", "--output-formats", "csv", "--output-directory"])
        .arg(folder.join("prowler"));
    command.env("HOME", folder);
    let command = with_account(command, url);
    let (asked, theirs) = (CALLS.load(Ordering::Relaxed), pair(&command, &command, 1)?.1);
    // Four runs were made: two turns of the pair.
    let calls = (CALLS.load(Ordering::Relaxed) - asked) / 4;
    Ok(Row {
        what: format!("{BUCKETS} buckets, the same check"),
        ours: format!("{:.2} CPU s, {:.0} MB", ours.cpu_seconds, ours.memory_mb),
        beside: format!("Prowler: {:.1} CPU s, {:.0} MB, {calls} calls", theirs.cpu_seconds, theirs.memory_mb),
        ratio: format!(
            "{} less CPU, {} less memory",
            times(ours.cpu_seconds, theirs.cpu_seconds),
            times(ours.memory_mb, theirs.memory_mb)
        ),
    })
}

fn with_account(mut command: Command, url: &str) -> Command {
    command.env("AWS_ENDPOINT_URL", url).env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE").env("AWS_SECRET_ACCESS_KEY", "secret");
    command.env("AWS_DEFAULT_REGION", "eu-west-1").env("AWS_MAX_ATTEMPTS", "1").env_remove("PYTHONDONTWRITEBYTECODE");
    command
}

fn connection(mut stream: TcpStream) {
    let Ok(clone) = stream.try_clone() else { return };
    let mut reader = BufReader::new(clone);
    while let Some((path, body)) = request(&mut reader) {
        CALLS.fetch_add(1, Ordering::Relaxed);
        let (status, body) = answer(&path, &body);
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
        if stream.write_all((head + &body).as_bytes()).is_err() {
            return;
        }
    }
}

/// The path and the body of the next request.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, String::from_utf8_lossy(&body).into_owned()))
}

/// An account with buckets and volumes; what else it is asked for, it denies.
fn answer(path: &str, body: &str) -> (u16, String) {
    let parameter = |name: &str| body.split('&').find_map(|p| p.strip_prefix(name)?.strip_prefix('='));
    let text = match parameter("Action") {
        Some("GetCallerIdentity") => "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/bench</Arn>\
            <UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>".to_owned(),
        Some("DescribeRegions") => "<DescribeRegionsResponse><regionInfo><item><regionName>eu-west-1</regionName></item></regionInfo></DescribeRegionsResponse>".to_owned(),
        Some("DescribeVolumes") => volumes(parameter("NextToken").and_then(|t| t.parse().ok()).unwrap_or(0)),
        None if path == "/" || path.starts_with("/?") => buckets(),
        None if path.contains("?location") => "<LocationConstraint>eu-west-1</LocationConstraint>".to_owned(),
        None if path.contains("versioning") => "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>".to_owned(),
        _ => return (403, "<Error><Code>AccessDenied</Code><Message>not in the bench</Message></Error>".to_owned()),
    };
    (200, text)
}

fn buckets() -> String {
    let mut all = String::from("<ListAllMyBucketsResult><Buckets>");
    for n in 0..BUCKETS {
        let _ = write!(
            all,
            "<Bucket><Name>bucket-{n}</Name><CreationDate>2026-01-01T00:00:00Z</CreationDate><BucketRegion>eu-west-1</BucketRegion></Bucket>"
        );
    }
    all + "</Buckets></ListAllMyBucketsResult>"
}

fn volumes(first: usize) -> String {
    let mut all = String::from("<DescribeVolumesResponse><volumeSet>");
    for n in first..(first + PAGE).min(VOLUMES) {
        let _ = write!(
            all,
            "<item><volumeId>vol-{n:017x}</volumeId><size>100</size><snapshotId/><availabilityZone>eu-west-1a</availabilityZone><status>in-use</status>\
             <createTime>2026-01-01T00:00:00.000Z</createTime><attachmentSet><item><volumeId>vol-{n:017x}</volumeId><instanceId>i-{n:017x}</instanceId>\
             <device>/dev/xvda</device><status>attached</status><deleteOnTermination>true</deleteOnTermination></item></attachmentSet>\
             <volumeType>gp3</volumeType><iops>3000</iops><encrypted>{}</encrypted><throughput>125</throughput>\
             <tagSet><item><key>Name</key><value>volume-{n}</value></item><item><key>team</key><value>t{}</value></item></tagSet></item>",
            n % 2 == 0,
            n % 40
        );
    }
    all.push_str("</volumeSet>");
    if first + PAGE < VOLUMES {
        let _ = write!(all, "<nextToken>{}</nextToken>", first + PAGE);
    }
    all + "</DescribeVolumesResponse>"
}
