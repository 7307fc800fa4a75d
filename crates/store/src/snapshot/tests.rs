use model::{
    Accepted, AccountId, Gap, GapReason, Map, Reason, Region, Resource, Snapshot, SourceKind, Span, Text, TypeName, Value,
};
use proptest::prelude::*;

use super::{FileLimits, Meta, SNAPSHOT_VERSION, decode, encode, hex, is_snapshot, read, write};
use crate::{SecretPaths, StoreError};
use sha2::{Digest, Sha256};

fn meta() -> Meta {
    Meta {
        created: "2026-11-22T03:00:00Z".into(),
        tool: "palisade 0.1.0".into(),
        stopped: true,
        done: vec![serde_json::json!({ "a": 1 })],
        asked: [(TypeName::new("AWS::S3::Bucket").unwrap(), ["BucketName".into()].into())].into(),
    }
}

fn snapshot(props: Map) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let scope = snapshot.add_scope("123456789012", SourceKind::Live);
    let world = snapshot.add_world(scope, "Env=prod");
    let mut one = Resource::new("arn:aws:s3:::b", TypeName::new("AWS::S3::Bucket").unwrap(), scope);
    one.account = AccountId::new("123456789012").ok();
    one.region = Region::new("eu-west-1").ok();
    one.name = Some("b".into());
    one.props = props;
    one.attrs.insert("Arn", Value::text("arn:aws:s3:::b"));
    one.origin.file = Some("a.yaml".into());
    one.origin.span = Some(Span { line: 1, column: 2, end_line: 3, end_column: 4 });
    one.origin.accepted.push(Accepted { check: "x".into(), reason: "y".into(), span: None });
    snapshot.resources.push(one);
    snapshot.resources.push(Resource::new("plain", TypeName::new("AWS::S3::Bucket").unwrap(), world));
    let mut gap = Gap::new("s3:ListBuckets", GapReason::Denied, "no").help("allow it");
    gap.account = AccountId::new("123456789012").ok();
    snapshot.gaps.push(gap);
    snapshot
}

fn every_kind() -> Map {
    let pairs = [
        ("Null", Value::Null),
        ("Bool", Value::Bool(true)),
        ("Int", Value::Int(i64::MIN)),
        ("Dec", Value::Dec(1.5)),
        ("Whole", Value::Dec(2.0)),
        ("Huge", Value::Dec(f64::INFINITY)),
        ("Text", Value::text("a\u{0}\n\u{1b}[31m\u{1f600}")),
        ("List", Value::List(vec![Value::Int(1), Value::Null])),
        ("Link", Value::link("Key", "Arn")),
        ("Mixed", Value::Mixed(vec![Value::text("a"), Value::link("b", "")])),
        ("Unknown", Value::unknown_present(Reason::Failed, "s3:GetBucketAcl")),
    ];
    let mut map: Map = pairs.into_iter().map(|(k, v)| (Text::from(k), v)).collect();
    for key in ["$link", "$map", "$other"] {
        let odd: Map = [(Text::from(key), Value::text("x"))].into_iter().collect();
        map.insert(format!("Odd{key}"), Value::Map(odd));
    }
    map
}

#[test]
fn reads_back_what_was_written() {
    let snapshot = snapshot(every_kind());
    let bytes = encode(&snapshot, &meta(), &SecretPaths::new()).unwrap();
    assert!(is_snapshot(&bytes));
    assert_eq!(decode(&bytes, FileLimits::default()), Ok((snapshot.clone(), meta())));
    assert_eq!(bytes, encode(&snapshot, &meta(), &SecretPaths::new()).unwrap(), "same input, same bytes");
    let empty = Snapshot::default();
    let bytes = encode(&empty, &Meta::default(), &SecretPaths::new()).unwrap();
    assert_eq!(decode(&bytes, FileLimits::default()), Ok((empty, Meta::default())));
}

#[test]
fn files_are_whole_or_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.snapshot");
    let snapshot = snapshot(every_kind());
    write(&path, &snapshot, &meta(), &SecretPaths::new()).unwrap();
    assert_eq!(read(&path, FileLimits::default()).unwrap().0, snapshot);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let nowhere = folder.path().join("x/y");
    assert!(matches!(write(&nowhere, &snapshot, &meta(), &SecretPaths::new()), Err(StoreError::Io { .. })));
    assert!(matches!(read(&nowhere, FileLimits::default()), Err(StoreError::Io { .. })));
}

#[test]
fn every_cut_and_every_changed_byte_is_noticed() {
    let bytes = encode(&snapshot(every_kind()), &meta(), &SecretPaths::new()).unwrap();
    for length in 0..bytes.len() {
        let error = decode(&bytes[..length], FileLimits::default()).unwrap_err();
        let fine = matches!(error, StoreError::Truncated { .. } | StoreError::NotASnapshot);
        assert!(fine, "{length}: {error}");
    }
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x01;
        assert!(decode(&changed, FileLimits::default()).is_err(), "{at}");
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    assert_eq!(decode(&longer, FileLimits::default()), Err(StoreError::Changed));
}

#[test]
fn a_file_of_another_version_says_so() {
    let bytes = encode(&Snapshot::default(), &meta(), &SecretPaths::new()).unwrap();
    let rest = bytes.strip_prefix(format!("palisade-snapshot {SNAPSHOT_VERSION} ").as_bytes()).unwrap();
    let of = |version: u32| decode(&[format!("palisade-snapshot {version} ").as_bytes(), rest].concat(), FileLimits::default());
    assert_eq!(of(SNAPSHOT_VERSION + 1), Err(StoreError::TooNew { version: SNAPSHOT_VERSION + 1 }));
    assert_eq!(of(1), Err(StoreError::TooOld { version: 1 }));
    assert_eq!(decode(b"PK\x03\x04", FileLimits::default()), Err(StoreError::NotASnapshot));
}

#[test]
fn content_is_limited() {
    let bytes = encode(&snapshot(every_kind()), &meta(), &SecretPaths::new()).unwrap();
    let packed = bytes.splitn(2, |b| *b == b'\n').nth(1).unwrap();
    let length = zstd::decode_all(packed).unwrap().len() as u64;
    assert!(decode(&bytes, FileLimits { content_bytes_max: length }).is_ok());
    let limit = length - 1;
    assert_eq!(decode(&bytes, FileLimits { content_bytes_max: limit }), Err(StoreError::TooLong { limit }));
}

fn packed(lines: &str) -> Vec<u8> {
    let packed = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    let head = format!("palisade-snapshot {SNAPSHOT_VERSION} sha256={} bytes={}\n", hex(&Sha256::digest(&packed)), packed.len());
    [head.into_bytes(), packed].concat()
}

/// A file whose checksum fits can still come from anybody.
#[test]
fn hostile_content_is_an_error() {
    let head =
        "{\"head\":{\"meta\":{\"created\":\"\",\"tool\":\"\"},\"scopes\":[{\"name\":\"a\",\"kind\":\"live\",\"group\":0}]}}\n";
    let end = "{\"end\":{\"resources\":1,\"gaps\":0}}\n";
    let one = |text: &str| format!("{head}{{\"resource\":{text}}}\n{end}");
    let fine = one("{\"id\":\"a\",\"type\":\"A::B\",\"scope\":0,\"props\":{\"X\":1}}");
    assert!(decode(&packed(&fine), FileLimits::default()).is_ok());
    let deep = format!("{}1{}", "[".repeat(200), "]".repeat(200));
    for text in [
        "".to_owned(),
        end.to_owned(),
        head.to_owned(),
        format!("{head}{head}{end}"),
        format!("{fine}{end}"),
        one("{\"id\":\"a\",\"type\":\"nonsense\",\"scope\":0}"),
        one("{\"id\":\"a\",\"type\":\"A::B\",\"scope\":9}"),
        one("{\"id\":\"a\",\"type\":\"A::B\",\"scope\":0,\"account\":\"me\"}"),
        one("{\"id\":\"a\",\"type\":\"A::B\",\"scope\":0,\"region\":\"../..\"}"),
        one("{\"id\":\"a\",\"type\":\"A::B\",\"scope\":0,\"props\":[]}"),
        one("{\"id\":\"a\",\"type\":\"A::B\",\"scope\":0,\"props\":{\"X\":{\"$nosuch\":1}}}"),
        one("{\"id\":\"a\",\"type\":\"A::B\",\"scope\":0,\"props\":{\"X\":{\"$unknown\":{}}}}"),
        one(&format!("{{\"id\":\"a\",\"type\":\"A::B\",\"scope\":0,\"props\":{{\"X\":{deep}}}}}")),
        head.replace("\"group\":0", "\"group\":7"),
        format!("{head}{{\"end\":{{\"resources\":1,\"gaps\":0}}}}\n"),
    ] {
        assert!(matches!(decode(&packed(&text), FileLimits::default()), Err(StoreError::Malformed { .. })), "{text}");
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_filter("NaN is not equal to itself", |d| !d.is_nan()).prop_map(Value::Dec),
        "\\PC{0,12}".prop_map(Value::from),
        "[$a-z]{1,4}".prop_map(|s| Value::link(&s, "Arn")),
        "\\PC{0,8}".prop_map(|s| Value::unknown(Reason::AccessDenied, s)),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Mixed),
            prop::collection::vec(("[$a-zA-Z]{1,6}", inner), 0..4)
                .prop_map(|m| Value::Map(m.into_iter().map(|(k, v)| (Text::from(k), v)).collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_value_comes_back_the_same(value in values()) {
        let snapshot = snapshot([(Text::from("V"), value)].into_iter().collect());
        let bytes = encode(&snapshot, &meta(), &SecretPaths::new()).unwrap();
        prop_assert_eq!(decode(&bytes, FileLimits::default()).unwrap().0, snapshot);
    }

    #[test]
    fn any_bytes_are_an_error_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let headed = [format!("palisade-snapshot {SNAPSHOT_VERSION} sha256=").as_bytes(), &bytes].concat();
        prop_assert!(decode(&bytes, FileLimits::default()).is_err());
        prop_assert!(decode(&headed, FileLimits::default()).is_err());
    }
}
