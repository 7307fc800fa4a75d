//! `--geoip`: where an address is and whose, from a MaxMind file written here (<https://maxmind.github.io/MaxMind-DB/>).

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use std::fs;
use std::path::Path;
use std::process::Command;

fn text(text: &str) -> Vec<u8> {
    let size = text.len() as u8;
    let head = if size < 29 { vec![2 << 5 | size] } else { vec![2 << 5 | 29, size - 29] };
    [&head, text.as_bytes()].concat()
}

fn number(kind: u8, number: u32) -> Vec<u8> {
    [vec![kind << 5 | 4], number.to_be_bytes().to_vec()].concat()
}

fn short(number: u16) -> Vec<u8> {
    [vec![5 << 5 | 2], number.to_be_bytes().to_vec()].concat()
}

fn map(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let fields_bytes = fields.iter().flat_map(|(name, value)| [text(name), value.clone()].concat());
    [vec![7 << 5 | fields.len() as u8], fields_bytes.collect()].concat()
}

/// A file that knows one network of 256 addresses.
fn file(network: [u8; 3], entry: &[u8]) -> Vec<u8> {
    let mut bytes = vec![];
    for bit in 0..24usize {
        let next = if bit == 23 { 24 + 16 } else { bit as u32 + 1 };
        let set = u32::from_be_bytes([0, network[0], network[1], network[2]]) >> (23 - bit) & 1 == 1;
        let sides = if set { [24, next] } else { [next, 24] };
        sides.iter().for_each(|side| bytes.extend_from_slice(&side.to_be_bytes()[1..]));
    }
    bytes.extend([0; 16]);
    bytes.extend_from_slice(entry);
    bytes.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    bytes.extend(map(&[
        ("node_count", number(6, 24)),
        ("record_size", short(24)),
        ("ip_version", short(4)),
        ("database_type", text("Test")),
        ("languages", vec![0, 4]),
        ("binary_format_major_version", short(2)),
        ("binary_format_minor_version", short(0)),
        ("build_epoch", vec![1, 2, 1]),
        ("description", map(&[])),
    ]));
    bytes
}

fn run(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    let output = command.current_dir(dir).env_clear().args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn an_address_is_told_with_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let city = map(&[
        ("city", map(&[("names", map(&[("en", text("Berlin")), ("de", text("Berlin"))]))])),
        ("country", map(&[("iso_code", text("DE"))])),
    ]);
    let asn = map(&[("autonomous_system_number", number(6, 64500)), ("autonomous_system_organization", text("Example Net"))]);
    fs::write(dir.path().join("city.mmdb"), file([203, 0, 113], &city)).unwrap();
    fs::write(dir.path().join("asn.mmdb"), file([203, 0, 113], &asn)).unwrap();
    fs::write(dir.path().join("no.mmdb"), "hello").unwrap();
    let record = |id: &str, address: &str| {
        format!(
            r#"{{"eventID":"{id}","eventTime":"2026-03-02T12:00:00Z","eventName":"StopLogging","eventSource":"cloudtrail.amazonaws.com","awsRegion":"eu-west-1","sourceIPAddress":"{address}","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::1:user/ann"}}}}"#
        )
    };
    let log = [record("1", "203.0.113.9"), record("2", "198.51.100.1"), record("3", "config.amazonaws.com")].join("\n");
    fs::write(dir.path().join("log.json"), log).unwrap();
    let both = ["--geoip", "city.mmdb", "--geoip", "asn.mmdb"];
    let place = "Berlin, DE, AS64500 Example Net";
    for (arguments, want) in [
        (vec!["trail", "timeline", "log.json"], format!("203.0.113.9 ({place})")),
        (vec!["trail", "timeline", "log.json", "-f", "jsonl"], format!(r#""place":"{place}""#)),
        (vec!["trail", "summary", "log.json"], format!("203.0.113.9 ({place}) x1")),
        (vec!["trail", "summary", "log.json", "-f", "jsonl"], format!(r#""places":{{"203.0.113.9":"{place}"}}"#)),
        (vec!["detect", "log.json"], format!("from 203.0.113.9: {place}")),
        (vec!["detect", "log.json", "-f", "jsonl"], format!(r#""places":{{"203.0.113.9":"{place}"}}"#)),
    ] {
        let (_, out, err) = run(dir.path(), &[&arguments[..], &both].concat());
        assert_eq!(out.matches(&want).count(), 1, "{arguments:?}: {out}{err}");
        assert!(!run(dir.path(), &arguments).1.contains("Berlin"));
    }
    for wrong in ["no.mmdb", "absent.mmdb"] {
        let (code, _, err) = run(dir.path(), &["detect", "log.json", "--geoip", wrong]);
        assert!(code == 2 && err.contains(wrong), "{err}");
    }
}
