//! `palisade detect` over flow logs, end to end, with the real binary and a clean environment.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn run_with(dir: &Path, args: &[&str], stdin: &[u8], threads: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("RAYON_NUM_THREADS", threads)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn run(dir: &Path, args: &[&str], stdin: &[u8]) -> (i32, String, String) {
    run_with(dir, args, stdin, "2")
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

const START: u64 = 1_767_225_600;

/// A scan of `ports` ports of 10.0.0.5, refused.
fn scan(ports: u64) -> String {
    let line = |n: u64| {
        let at = START + n;
        format!("2 111122223333 eni-a 198.51.100.7 10.0.0.5 40000 {} 6 1 44 {at} {at} REJECT OK\n", 20 + n)
    };
    (0..ports).map(line).collect()
}

const CLOUDTRAIL: &str = r#"{"eventVersion":"1.10","eventID":"e1","eventTime":"2026-01-01T12:01:00Z","eventName":"StopLogging","eventSource":"cloudtrail.amazonaws.com","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.9","recipientAccountId":"1","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::1:user/ann","accessKeyId":"AKIA1"}}"#;

#[test]
fn flow_logs_are_found_beside_cloudtrail() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("1_vpcflowlogs_eu-west-1_fl-1_20260101T0005Z_x.log.gz"), gzip(&scan(20))).unwrap();
    fs::write(dir.path().join("trail.json"), CLOUDTRAIL).unwrap();
    let (code, out, err) = run(dir.path(), &["detect", ".", "-f", "jsonl", "--fail-on", "medium"], b"");
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, lines.len()), (1, 2), "{out}{err}");
    let found = lines.iter().find(|line| line["rule"] == "ports-of-host-scanned").unwrap();
    assert!(lines.iter().any(|line| line["rule"] == "cloudtrail-logging-stopped"));
    assert_eq!(found["schema"], "palisade/detection/1");
    assert_eq!((found["observed"].as_u64(), found["threshold"].as_u64()), (Some(20), Some(15)));
    assert_eq!(found["lines"][1]["offset"].as_u64().unwrap() as usize, scan(1).len());
    assert_eq!((&found["actor"]["id"], &found["actor"]["side"]), (&"198.51.100.7".into(), &"outside".into()));
    assert!(err.contains("20 flow records in 1 files read, 0 lines not read"), "{err}");
    let (_, out, _) = run(dir.path(), &["detect", "-", "-f", "jsonl"], scan(20).as_bytes());
    assert!(out.contains("ports-of-host-scanned"), "{out}");
    for (form, want) in [("csv", "ports-of-host-scanned,Ports of one host"), ("ocsf", "\"class_uid\":2004")] {
        let (_, out, _) = run(dir.path(), &["detect", ".", "-f", form], b"");
        assert!(out.contains(want) && out.matches("first_seen,last_seen").count() == usize::from(form == "csv"), "{out}");
    }
    let (_, page, _) = run(dir.path(), &["detect", ".", "-f", "html"], b"");
    for want in [
        "CloudTrail logging stopped",
        "<svg role=\"img\" aria-label=\"failed ports of a host in 15 min, at most 20; threshold 15\"",
        ".gz@91<",
    ] {
        assert_eq!(page.matches(want).count(), 1, "{want}: {page}");
    }
    assert!(page.ends_with("</section>\n</body></html>\n") && page.matches("<section").count() == 2, "{page}");
    let layer = |path: &str| -> serde_json::Value {
        serde_json::from_str(&run(dir.path(), &["detect", path, "-f", "navigator"], b"").1).unwrap()
    };
    let score = |layer: &serde_json::Value, id: &str| {
        let list = layer["techniques"].as_array().unwrap();
        list.iter().find(|technique| technique["techniqueID"] == id).map(|technique| technique["score"].as_u64().unwrap())
    };
    let both = layer(".");
    let scores = ["T1046", "T1562.008", "T1498.001"].map(|id| score(&both, id));
    assert_eq!(scores, [Some(1), Some(1), Some(0)], "a scan, a stopped trail, and no flood");
    let trail = layer("trail.json");
    assert_eq!((score(&trail, "T1498.001"), &trail["name"]), (None, &"Palisade: CloudTrail".into()), "nobody looked for a flood");
    let (_, out, _) = run(dir.path(), &["detect", "."], b"");
    assert!(out.contains("198.51.100.7 tried tcp/20, tcp/21") && out.contains("CloudTrail logging stopped"), "{out}");
}

#[test]
fn a_given_format_is_read_and_what_it_cannot_show_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let lines: String = (0..20).map(|n| format!("10.0.0.5 198.51.100.7 {} 6 {START}\n", 20 + n)).collect();
    fs::write(dir.path().join("a.log"), lines).unwrap();
    let format = "${dstaddr} ${srcaddr} ${dstport} ${protocol} ${start}";
    let (_, out, err) = run(dir.path(), &["detect", "a.log", "--flow-format", format, "-f", "jsonl"], b"");
    assert!(out.is_empty() && err.contains("these flow logs lack `action`, `bytes`"), "{out}{err}");
    let (code, out, _) = run(dir.path(), &["detect", "a.log", "--flow-format", format, "--capabilities"], b"");
    assert!(code == 0 && out.contains("cannot  ports-of-host-scanned"), "{out}");
    assert!(out.contains("needs the field `packets`, the field `bytes`"), "{out}");
    assert_eq!(run(dir.path(), &["detect", "a.log", "--flow-format", "${nonsense!}"], b"").0, 2);
}

#[test]
fn any_number_of_threads_and_any_split_into_files_find_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let whole = scan(60);
    fs::create_dir(dir.path().join("parts")).unwrap();
    fs::write(dir.path().join("whole.log"), &whole).unwrap();
    for (number, lines) in whole.lines().collect::<Vec<_>>().chunks(7).enumerate() {
        fs::write(dir.path().join(format!("parts/{number}.log")), lines.join("\n")).unwrap();
    }
    let without_places = |out: &str| -> Vec<serde_json::Value> {
        let strip = |line: &str| {
            let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
            for key in ["lines", "events", "source"] {
                value.as_object_mut().unwrap().remove(key);
            }
            value
        };
        out.lines().map(strip).collect()
    };
    let whole = run(dir.path(), &["detect", "whole.log", "-f", "jsonl"], b"").1;
    let one = run_with(dir.path(), &["detect", "parts", "-f", "jsonl"], b"", "1").1;
    let four = run_with(dir.path(), &["detect", "parts", "-f", "jsonl"], b"", "4").1;
    assert!(!whole.is_empty());
    assert_eq!(one, four);
    assert_eq!(without_places(&whole), without_places(&one));
}

#[test]
fn thresholds_and_approved_scans_are_settings() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.log"), scan(20)).unwrap();
    let detect = |settings: &str| {
        fs::write(dir.path().join("palisade.toml"), settings).unwrap();
        run(dir.path(), &["detect", "a.log", "-f", "jsonl", "--fail-on", "low"], b"")
    };
    let values = "{ failed_ports = 21, net_failures = 21 }";
    let (code, out, _) = detect(&format!("[flow.detector]\nports-of-host-scanned = {values}\n"));
    assert_eq!((code, out.as_str()), (0, ""));
    let narrow = |target: &str| {
        format!("[[flow.target]]\ntarget = \"{target}\"\ndetector = \"ports-of-host-scanned\"\nparameters = {values}\n")
    };
    assert_eq!(detect(&narrow("10.0.0.0/24")).1, "");
    assert_ne!(detect(&narrow("10.0.1.0/24")).1, "");
    let (code, _, err) = detect("[flow.detector.ports-of-host-scanned]\nfailed_prots = 3\n");
    assert!(code == 2 && err.contains("has no parameter `failed_prots`"), "{err}");
    let approved = |targets: &str, until: &str| {
        format!(
            "[[flow.approved_scan]]\nname = \"pentest\"\nsources = [\"198.51.100.7\"]\ntargets = [\"{targets}\"]\nfrom = 2025-12-31T00:00:00Z\nuntil = {until}\napprover = \"ann\"\n"
        )
    };
    let (code, out, _) = detect(&approved("10.0.0.0/16", "2026-01-02T00:00:00Z"));
    assert!(code == 0 && out.contains("\"authorised\":\"`pentest`, approved by ann\""), "{out}");
    let (code, out, _) = detect(&approved("10.0.0.0/16", "2025-12-31T12:00:00Z"));
    assert!(code == 1 && out.contains("outside the time of `pentest`"), "{out}");
    let (code, out, _) = detect(&approved("10.9.0.0/16", "2026-01-02T00:00:00Z"));
    assert!(code == 1 && out.contains("10.0.0.5 is not a target of `pentest`"), "{out}");
}

#[test]
fn bad_lines_and_files_cost_themselves_only() {
    let dir = tempfile::tempdir().unwrap();
    let packed = gzip(&scan(4000));
    fs::write(dir.path().join("cut.log.gz"), &packed[..packed.len() / 2]).unwrap();
    let good = scan(1);
    let bad = [
        good.replace(" OK", ""),
        good.replace("198.51.100.7", "-"),
        good.replace(" 44 ", " 9223372036854775809 "),
        good.replace("1767225600", "99999999999"),
        "2 1 eni-b - - - - - - - 1767225600 1767225660 - NODATA\n".to_owned(),
        "2 1 eni-b - - - - - - - 1767225600 1767225660 - SKIPDATA\n".to_owned(),
    ];
    fs::write(dir.path().join("lines.log"), format!("{good}{}", bad.concat())).unwrap();
    fs::write(dir.path().join("empty.log"), "").unwrap();
    // A header in the middle, out of the order of times, another version after it, and a line that is nothing.
    let later = START + 7000;
    let five = "srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags\n";
    let mixed =
        format!("{good}{five}198.51.100.9 10.0.0.6 40000 22 6 1 44 {later} {later} REJECT OK 2\n{good}srcaddr made up\n{good}");
    fs::write(dir.path().join("mixed.log"), mixed).unwrap();
    fs::write(dir.path().join("hostile.parquet"), [&b"PAR1"[..], &[0xff; 64], &b"\xff\xff\xff\x7fPAR1"[..]].concat()).unwrap();
    let (code, _, err) = run(dir.path(), &["detect", ".", "-f", "jsonl", "--strict"], b"");
    assert_eq!(code, 3, "{err}");
    for want in [
        "cut.log.gz`: the packed file ends early",
        "lines.log`: 1 line not read: the number of fields",
        "1 line not read: no source or destination address",
        "1 line not read: a number too large for its field",
        "1 line not read: a time in the future",
        "AWS dropped flow records of 1 windows (SKIPDATA)",
        "1 windows without data",
        "mixed.log`: 1 line not read: the number of fields is not that of the format (first: line 5",
        "hostile.parquet`: the Parquet file is damaged",
    ] {
        assert_eq!(err.matches(want).count(), 1, "{want}: {err}");
    }
}

#[test]
fn states_lists_alarms_and_snapshots_are_used() {
    let dir = tempfile::tempdir().unwrap();
    let whole = scan(16);
    let (morning, evening) = whole.split_at(whole.len() / 2);
    fs::write(dir.path().join("morning.log"), morning).unwrap();
    fs::write(dir.path().join("evening.log"), evening).unwrap();
    let with = |file: &str| run(dir.path(), &["detect", file, "-f", "jsonl", "--flow-state", "state"], b"").1;
    assert_eq!(with("morning.log"), "");
    let found = with("evening.log");
    assert!(found.contains("\"observed\":16") && found.contains("\"file\":\"morning.log\""), "{found}");
    fs::write(dir.path().join("more.log"), "").unwrap();
    assert_eq!(with("more.log"), "", "what was told is not told again");
    fs::write(dir.path().join("bad"), "{}").unwrap();
    assert_eq!(run(dir.path(), &["detect", "more.log", "--flow-state", "bad"], b"").0, 2);

    fs::write(dir.path().join("list.txt"), "198.51.100.0/24 # them\n").unwrap();
    let (_, out, _) = run(dir.path(), &["detect", "morning.log", "-f", "jsonl", "--threat-list", "list.txt"], b"");
    assert!(out.contains("listed-address-seen") && out.contains("listed in list.txt"), "{out}");

    let alarm = "[[flow.alarm]]\nname = \"refused\"\nmeasure = \"sum\"\nfield = \"flows\"\nfilter = { action = [\"REJECT\"] }\nwindow_seconds = 60\nthreshold = 8\n";
    fs::write(dir.path().join("palisade.toml"), alarm).unwrap();
    let (_, out, _) = run(dir.path(), &["detect", "morning.log", "--backtest"], b"");
    assert!(out.contains("refused: 1 times") && out.contains("up to 8, from 8 on"), "{out}");
    let (_, out, _) = run(dir.path(), &["detect", "morning.log", "-f", "jsonl"], b"");
    assert!(out.contains("custom-alarm-fired"), "{out}");
    // A window that two runs share, and what the first told is not told again.
    fs::write(dir.path().join("palisade.toml"), alarm.replace("threshold = 8", "threshold = 16")).unwrap();
    let kept = |file: &str| run(dir.path(), &["detect", file, "-f", "jsonl", "--flow-state", "alarms"], b"").1;
    assert!(!kept("morning.log").contains("custom-alarm-fired"));
    let second = kept("evening.log");
    assert!(second.contains("custom-alarm-fired") && second.contains("\"observed\":16"), "{second}");
    assert!(!kept("more.log").contains("custom-alarm-fired"));
    fs::write(dir.path().join("palisade.toml"), alarm.replace("\"sum\"", "\"distinct\"")).unwrap();
    assert_eq!(run(dir.path(), &["detect", "morning.log"], b"").0, 2);
    fs::remove_file(dir.path().join("palisade.toml")).unwrap();

    let interfaces = r#"{"NetworkInterfaces":[{"NetworkInterfaceId":"eni-a","SubnetId":"subnet-1","VpcId":"vpc-1","PrivateIpAddresses":[{"Primary":true,"PrivateIpAddress":"10.0.0.5"}],"Groups":[{"GroupId":"sg-1"}],"Attachment":{"InstanceId":"i-1"}}]}"#;
    fs::create_dir(dir.path().join("saved")).unwrap();
    fs::write(dir.path().join("saved/interfaces.json"), interfaces).unwrap();
    let (_, out, err) = run(dir.path(), &["detect", "morning.log", "--snapshot", "saved", "--capabilities"], b"");
    assert!(out.contains("serves  traffic-against-settings"), "{out}{err}");
}

/// A group with a rule for SSH, one for the web and one for ping, at 10.0.0.5.
const GROUP: &str = r#"{"SecurityGroups":[{"GroupId":"sg-1","GroupName":"web","VpcId":"vpc-1","IpPermissionsEgress":[],"IpPermissions":[
    {"IpProtocol":"tcp","FromPort":22,"ToPort":22,"IpRanges":[{"CidrIp":"198.51.100.0/24"}]},
    {"IpProtocol":"tcp","FromPort":443,"ToPort":443,"IpRanges":[{"CidrIp":"198.51.100.0/24"}]},
    {"IpProtocol":"icmp","FromPort":8,"ToPort":-1,"IpRanges":[{"CidrIp":"198.51.100.0/24"}]}]}],
    "NetworkInterfaces":[{"NetworkInterfaceId":"eni-a","SubnetId":"subnet-1","VpcId":"vpc-1",
    "PrivateIpAddresses":[{"Primary":true,"PrivateIpAddress":"10.0.0.5"}],"Groups":[{"GroupId":"sg-1"}]}]}"#;

#[test]
fn rules_that_no_flow_needed_are_told_if_the_logs_can_show_it() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("saved")).unwrap();
    fs::write(dir.path().join("saved/answers.json"), GROUP).unwrap();
    let came = format!(
        "2 1 eni-a 198.51.100.7 10.0.0.5 40000 22 6 9 900 {START} {START} ACCEPT OK\n\
         2 1 eni-a 198.51.100.7 10.0.0.5 40000 443 6 1 44 {START} {START} REJECT OK\n\
         2 1 eni-a 198.51.100.7 10.0.0.5 0 0 1 1 84 {START} {START} ACCEPT OK\n"
    );
    fs::write(dir.path().join("came.log"), came).unwrap();
    let header = "srcaddr dstaddr protocol action start\n";
    fs::write(dir.path().join("short.log"), format!("{header}198.51.100.7 10.0.0.5 6 ACCEPT {START}\n")).unwrap();
    let unused = |log: &str| run(dir.path(), &["net", "unused", "saved", "--flows", log], b"");
    let (_, out, err) = unused("came.log");
    assert_eq!(out.matches("unseen").count(), 1, "only the web's rule: SSH and ping came\n{out}{err}");
    let old = format!("2 1 eni-a 198.51.100.7 10.0.0.5 40000 443 6 9 900 {0} {0} ACCEPT OK\n", START - 10 * 86_400);
    fs::write(dir.path().join("old.log"), old).unwrap();
    let both = ["net", "unused", "saved", "--flows", "came.log", "--flows", "old.log"];
    let unseen = |days: &[&str]| {
        let (_, out, err) = run(dir.path(), &[&both[..], days].concat(), b"");
        (out.matches("unseen").count(), err.contains("reach back"))
    };
    assert_eq!([unseen(&[]), unseen(&["--days", "11"]), unseen(&["--days", "9"])], [(0, false), (0, true), (1, false)]);
    let (_, out, err) = unused("short.log");
    assert!(!out.contains("unseen") && err.contains("they lack `srcport`, `dstport`"), "{out}{err}");
}

#[test]
fn a_followed_folder_is_judged_as_it_goes() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    fs::create_dir(&logs).unwrap();
    fs::write(logs.join("a.log"), scan(20)).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_palisade"))
        .args(["detect", "logs", "-f", "jsonl", "--follow", "--until-idle", "6"])
        .current_dir(dir.path())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert!(line.contains("ports-of-host-scanned") && line.contains("\"observed\":20"), "{line}");
    assert!(child.try_wait().unwrap().is_none(), "it goes on");
    fs::write(logs.join("b.log"), scan(60)).unwrap();
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut out, &mut rest).unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(rest.matches("ports-of-host-scanned").count(), 1, "{rest}");
    assert!(rest.contains("\"observed\":60"), "told again when there is much more: {rest}");
}
