//! `palisade detect` on input that nobody should send, with the real binary: each fault is one clear line, the rest is read, and
//! records in = records read + records not read.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops where its own set-up is wrong")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Output of a run, and the most memory it held, in MiB, where that could be seen.
struct Ran {
    code: i32,
    out: String,
    err: String,
    memory_mb: u64,
}

fn start(dir: &Path, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.args(args).current_dir(dir).env_clear().env("RAYON_NUM_THREADS", "2");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Runs with what `feed` writes as standard input.
fn run_fed(dir: &Path, args: &[&str], feed: impl FnOnce(&mut dyn Write)) -> Ran {
    let mut child = start(dir, args);
    let mut stdin = child.stdin.take().unwrap();
    feed(&mut stdin);
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB").trim();
    let memory_mb = peak.trim_end_matches(" kB").parse::<u64>().unwrap() / 1024;
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr), memory_mb }
}

fn run(dir: &Path, args: &[&str]) -> Ran {
    run_fed(dir, args, |_| ())
}

const ARGS: [&str; 4] = ["-f", "jsonl", "--strict", "--per-event"];

fn with<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [&["detect"], args, &ARGS].concat()
}

fn stop(id: usize) -> String {
    format!(
        r#"{{"eventVersion":"1.10","eventID":"e{id}","eventTime":"2026-03-02T12:00:{:02}Z","eventName":"StopLogging","eventSource":"cloudtrail.amazonaws.com","awsRegion":"eu-west-1","recipientAccountId":"1","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::1:user/ann"}}}}"#,
        id % 60
    )
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// How many records the last line says were read, and were not.
fn counts(ran: &Ran) -> (u64, u64) {
    let line = ran.err.lines().rfind(|line| line.contains(" records in ")).unwrap_or_else(|| panic!("{}", ran.err));
    let number = |part: &str| part.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    let (read, rest) = line.split_once(" records in ").unwrap();
    (number(read), number(rest.split_once(" not read").unwrap().0))
}

#[test]
fn a_bomb_costs_no_more_than_its_bound() {
    let dir = tempfile::tempdir().unwrap();
    let mut bomb = gzip(format!("{}\n", stop(1)).as_bytes());
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
    encoder.write_all(&vec![b' '; 4 << 20]).unwrap();
    let zeros = encoder.finish().unwrap();
    (0..66).for_each(|_| bomb.extend_from_slice(&zeros));
    bomb.extend(gzip(stop(2).as_bytes()));
    fs::write(dir.path().join("bomb.json.gz"), &bomb).unwrap();
    fs::write(dir.path().join("good.json"), stop(3)).unwrap();
    let ran = run(dir.path(), &with(&["."]));
    assert!(ran.err.contains("bomb.json.gz`: unpacks to more than 250 times its size; read up to byte 2"), "{}", ran.err);
    assert_eq!((ran.code, counts(&ran), ran.out.lines().count()), (3, (2, 0), 2), "{}", ran.err);
}

#[test]
fn a_line_without_end_is_passed_over_in_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let piece = vec![b'x'; 1 << 20];
    let ran = run_fed(dir.path(), &with(&["-"]), |stdin| {
        writeln!(stdin, "{}", stop(1)).unwrap();
        stdin.write_all(b"{\"eventName\":\"").unwrap();
        (0..200).for_each(|_| stdin.write_all(&piece).unwrap());
        write!(stdin, "\n{}\n", stop(2)).unwrap();
        // What is still in the pipe is little beside it.
        stdin.flush().unwrap();
    });
    assert_eq!((ran.code, counts(&ran), ran.out.lines().count()), (3, (2, 1), 2), "{}", ran.err);
    assert!(ran.err.contains("1 record not read: longer than 8 MiB (first: record 2, byte "), "{}", ran.err);
    assert!(ran.err.contains("bytes passed over"), "{}", ran.err);
    assert!(ran.memory_mb < 100, "{} MiB", ran.memory_mb);
}

#[test]
fn every_kind_of_damage_in_one_folder() {
    let dir = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
    let deep = format!("{{\"eventName\":\"x\",\"y\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let many: String = (0..4000).map(|n| stop(n) + "\n").collect();
    let packed = gzip(many.as_bytes());
    put("cut.json.gz", &packed[..packed.len() * 9 / 10]);
    put("cut.json", &stop(1).as_bytes()[..60]);
    put("deep.json", format!("{{\"Records\":[{},{deep},{}]}}", stop(1), stop(2)).as_bytes());
    put("objects.json", format!("{{\"Records\":[1,\"x\",null,[],{}]}}", stop(3)).as_bytes());
    put("utf8.json", &[b"{\"eventName\":\"\xff\xfe\"}\n", stop(4).as_bytes()].concat());
    put("lookup.json", format!("{{\"Events\":[{{\"CloudTrailEvent\":{}}}]}}", serde_json::Value::from(stop(5))).as_bytes());
    put("lines.log", format!("{}\nhello\n{}\n", stop(6), stop(7)).as_bytes());
    put("zstd.json.zst", &zstd::stream::encode_all(stop(8).as_bytes(), 1).unwrap());
    put("named.gz", stop(9).as_bytes());
    put("empty.json", b"");
    put("empty.json.gz", b"\x1f\x8b");
    put("picture.png", b"not a log");
    std::os::unix::fs::symlink(".", dir.path().join("circle")).unwrap();
    let ran = run(dir.path(), &with(&["."]));
    let cut = ran.out.lines().filter(|line| line.contains("cut.json.gz")).count() as u64;
    assert!((1..4000).contains(&cut), "{cut}");
    assert_eq!((ran.code, counts(&ran)), (3, (cut + 9, 9)), "{}", ran.err);
    assert_eq!(ran.out.lines().count() as u64, cut + 9);
    for want in [
        "cut.json.gz`: the packed file ends early; what came before is read",
        "cut.json.gz`: 1 record not read: the file ends inside a record",
        "cut.json`: 1 record not read: the file ends inside a record (first: record 1, byte 0)",
        "deep.json`: 1 record not read: nested deeper than 100 levels (first: record 2, byte ",
        "objects.json`: 3 records not read: not an object (first: record 1, byte ",
        "objects.json`: 1 record not read: not a CloudTrail record",
        "utf8.json`: 1 record not read: not valid UTF-8",
        "lines.log`: 1 record not read: not valid JSON (first: record 2",
        "empty.json.gz`: the packed file ends early",
        "circle`: a link that leads back to",
        "1 files were passed over",
    ] {
        assert_eq!(ran.err.matches(want).count(), 1, "{want}: {}", ran.err);
    }
}

#[test]
fn streams_are_read_once_and_unpacked() {
    let dir = tempfile::tempdir().unwrap();
    let packed = gzip(stop(1).as_bytes());
    let ran = run_fed(dir.path(), &with(&["-"]), |stdin| stdin.write_all(&packed).unwrap());
    assert_eq!((ran.code, counts(&ran)), (0, (1, 0)), "{}", ran.err);
    assert!(Command::new("mkfifo").arg(dir.path().join("pipe")).status().unwrap().success());
    let pipe = dir.path().join("pipe");
    let writer = std::thread::spawn(move || fs::write(pipe, (0..30_000).map(|n| stop(n) + "\n").collect::<String>()).unwrap());
    let ran = run(dir.path(), &with(&["pipe"]));
    writer.join().unwrap();
    assert_eq!((ran.code, counts(&ran)), (0, (30_000, 0)), "{}", ran.err);
}

#[test]
fn order_and_repetition_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let rule = "title: b\nid: b\nname: b\ndetection: {s: {eventName: StopLogging}, condition: s}\n---\ntitle: c\nid: c\ncorrelation:\n  type: event_count\n  rules: [b]\n  group-by: [userIdentity.arn]\n  timespan: 5s\n  condition: {gte: 5}\n";
    fs::write(dir.path().join("r.yml"), rule).unwrap();
    let mut order: Vec<usize> = (0..50).collect();
    fs::write(dir.path().join("a.json"), order.iter().map(|n| stop(*n) + "\n").collect::<String>()).unwrap();
    order.sort_by_key(|n| n * 37 % 50);
    for (number, part) in order.chunks(7).enumerate() {
        let twice = part.iter().chain(part).map(|n| stop(*n) + "\n").collect::<String>();
        fs::create_dir_all(dir.path().join("parts")).unwrap();
        fs::write(dir.path().join(format!("parts/{number}.json")), twice).unwrap();
    }
    // One that claims to be of the year 2099, and one of 1999.
    let skewed = |year: &str| stop(77).replace("2026", year).replace("e77", year);
    fs::write(dir.path().join("parts/x.json"), [skewed("2099"), skewed("1999")].join("\n")).unwrap();
    let args = ["--rules", "r.yml", "--no-builtin", "-f", "jsonl"];
    let lines = |path: &str| {
        let ran = run(dir.path(), &[&["detect", path], &args[..]].concat());
        let values = ran.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let mut values: Vec<_> = values
            .filter(|value| value["first_seen"].as_str().unwrap().starts_with("2026"))
            .map(|mut value| {
                value["source"].take();
                value["incident"].take();
                value
            })
            .collect();
        values.sort_by_key(|value| value.to_string());
        (values, ran.err)
    };
    let (plain, _) = lines("a.json");
    let (mixed, err) = lines("parts");
    assert!(plain.len() == 1 && plain[0]["rule"] == "c" && plain == mixed, "{plain:?} {mixed:?}");
    assert!(err.contains("50 delivered again"), "{err}");
}

#[test]
fn bad_rules_cost_themselves_only() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("log.json"), stop(1)).unwrap();
    let rule = |id: &str, selection: &str| format!("title: t\nid: {id}\ndetection:\n  s:\n    {selection}\n  condition: s\n");
    let rules = [
        ("good.yml", rule("good", "eventName: StopLogging"), ""),
        ("slow.yml", rule("slow", "eventName|re: '^(S+t*o+)+p*.*(L|l|L*)+g$'"), ""),
        ("huge.yml", rule("huge", "eventName|re: '((a{1,100}){1,100}){1,100}'"), "huge.yml:5: "),
        ("around.yml", rule("around", "eventName|re: '(?=Stop).*'"), "around.yml:5: "),
        ("open.yml", rule("open", "eventName|re: '(Stop'"), "open.yml:5: "),
        ("modifier.yml", rule("modifier", "eventName|conatins: Stop"), "modifier.yml:5: unknown modifier `conatins`"),
        ("condition.yml", rule("x", "eventName: a").replace("condition: s", "condition: t"), "condition.yml:6: "),
        ("yaml.yml", "title: [\n".to_owned(), "yaml.yml:"),
        ("bytes.yml", "\u{1}\u{2}".to_owned(), "bytes.yml:1: "),
        (
            "many.yml",
            format!("a: &a [x,x]\nb: &b [{0}]\nc: &c [{1}]\nd: [{2}]\n", "*a,".repeat(99), "*b,".repeat(99), "*c,".repeat(99)),
            "many.yml:",
        ),
        ("long.yml", "#".repeat((1 << 20) + 1), "long.yml:1: "),
    ];
    fs::create_dir(dir.path().join("rules")).unwrap();
    for (name, text, _) in &rules {
        fs::write(dir.path().join("rules").join(name), text).unwrap();
    }
    let ran = run(dir.path(), &with(&["log.json", "--rules", "rules", "--no-builtin"]));
    assert_eq!((ran.code, ran.out.lines().count()), (0, 2), "{}{}", ran.out, ran.err);
    for (name, _, want) in rules.iter().filter(|(.., want)| !want.is_empty()) {
        assert!(ran.err.contains(want), "{name}: {}", ran.err);
    }
}
