//! `palisade trail verify`, end to end: a chain signed with a real key, the key given and asked for.

#![expect(clippy::unwrap_used, reason = "a test stops where its own set-up is wrong")]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use sha2::{Digest, Sha256};

/// Made with `openssl genrsa`, `openssl rsa -RSAPublicKey_out -outform DER` and `openssl dgst -sha256 -sign`.
const PUBLIC_KEY: &str = "MIIBCgKCAQEA27/s+K/Gl0rwSLjxQdMgDaOdxQdVHfBnpY0K5Tz2IR15dNcb3NMajI9QnrZQ45zDoJBpNRC5d8TTK+m1kbLZgA36RLUJXzr5zZzdmYq2nq9qpa7Kr+i/qF0BNgRFYoyGrZdnMi3ra/XAt5gsE9cJHTg18sZPMqbuSZFGKX/FdcN4EeT0MGyWrw2T5Mbo0afmBjfxqfARxCpCBKng6cVdVgrQAKVVXd03hfYcDAjEVrL2x57ItnBWfpjobr1nmFHYjtJXZGzH7t9RYzAKVC1w6Li/VIrJ0t/KPgfGJg8MI3kfu+eOSdcumE88gcaX59Gb2CLzsvDM3g/SR6bRW3S8CQIDAQAB";

/// The signature of [`FIRST`].
const SIGNATURE: &str = "bf118d91586490833d0427281e7d9fe27b85150f1b1336c8b27c57be3175cc5b42f7a1e95e1b4908736df9379e5c1a211121020bb2b6e04d93d69f98b085e1636e1529ec75235eb64f55691640855be74e967b52252310ff747759527d4ebe887a89448cc0d27a64ed737415401ace21e2340da53d0d3d4b6b409a19089c2600ce9eef7f7fd0e009f52326ccfd6b5e01aa5d4469b9a565feb0e16bc22ccc1711043a96062833282b5e3cb7cfb8f4f5332d842053d8e0c77e6541d491cc18ea52a2f276aa5b492f20109bcf8b618b566ad10cc882404c25826406623feba22d340c69a8a37a00b38d45226b5aec9995af5788a06913a87b92fe63e67f3d3660ff";

const FIRST_KEY: &str =
    "AWSLogs/1/CloudTrail-Digest/eu-west-1/2026/03/02/1_CloudTrail-Digest_eu-west-1_t_eu-west-1_20260302T130000Z.json.gz";

const FIRST: &str = r#"{"awsAccountId":"1","digestStartTime":"2026-03-02T12:00:00Z","digestEndTime":"2026-03-02T13:00:00Z","digestS3Bucket":"b","digestS3Object":"AWSLogs/1/CloudTrail-Digest/eu-west-1/2026/03/02/1_CloudTrail-Digest_eu-west-1_t_eu-west-1_20260302T130000Z.json.gz","digestPublicKeyFingerprint":"f1","previousDigestS3Object":null,"previousDigestSignature":null,"logFiles":[]}"#;

/// The second digest of the chain, which holds the signature of the first.
fn second() -> String {
    let hash: String = Sha256::digest(FIRST.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let key = FIRST_KEY.replace("T130000Z", "T140000Z");
    format!(
        r#"{{"awsAccountId":"1","digestStartTime":"2026-03-02T13:00:00Z","digestEndTime":"2026-03-02T14:00:00Z","digestS3Bucket":"b","digestS3Object":"{key}","digestPublicKeyFingerprint":"f2","previousDigestS3Object":"{FIRST_KEY}","previousDigestHashValue":"{hash}","previousDigestSignature":"{SIGNATURE}","logFiles":[]}}"#
    )
}

fn answer() -> String {
    format!(
        r#"{{"PublicKeyList":[{{"Value":"{PUBLIC_KEY}","Fingerprint":"f1","ValidityStartTime":1.0,"ValidityEndTime":2.0}}]}}"#
    )
}

fn chain(dir: &Path, first: &str) {
    for (key, text) in [(FIRST_KEY.to_owned(), first.to_owned()), (FIRST_KEY.replace("T130000Z", "T140000Z"), second())] {
        let path = dir.join("bucket").join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        fs::write(path, encoder.finish().unwrap()).unwrap();
    }
}

fn verify(dir: &Path, more: &[&str], endpoint: &str) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
    command.current_dir(dir).env_clear().env("AWS_ENDPOINT_URL", endpoint).env("AWS_ACCESS_KEY_ID", "a");
    command.env("AWS_SECRET_ACCESS_KEY", "b").args(["trail", "verify", "bucket", "-f", "jsonl"]).args(more);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Answers one request and hands it back.
fn serve(status: u16, body: String) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = vec![];
        let mut part = [0; 4096];
        while !request.ends_with(b"}") {
            let count = stream.read(&mut part).unwrap();
            request.extend_from_slice(part.get(..count).unwrap_or_default());
        }
        write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        sender.send(String::from_utf8_lossy(&request).into_owned()).unwrap();
    });
    (url, receiver)
}

#[test]
fn keys_are_given_or_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    chain(dir.path(), FIRST);
    fs::write(dir.path().join("keys.json"), answer()).unwrap();
    let (code, out, err) = verify(dir.path(), &["--public-keys", "keys.json"], "");
    assert!(
        out.contains("\"the signature holds\"") && err.contains("2 digests; 1 unknown, 1 valid") && code == 3,
        "{code} {out}{err}"
    );
    let (url, asked) = serve(200, answer());
    let (_, fetched, err) = verify(dir.path(), &["--fetch-keys"], &url);
    assert_eq!(fetched, out, "{err}");
    let request = asked.recv().unwrap();
    let want =
        ["CloudTrail_20131101.ListPublicKeys", "/eu-west-1/cloudtrail/", "\"StartTime\":1772452800", "\"EndTime\":1772460000"];
    assert!(want.iter().all(|part| request.contains(part)), "{request}");
}

#[test]
fn a_changed_digest_and_a_refused_call_are_told() {
    let dir = tempfile::tempdir().unwrap();
    chain(dir.path(), &FIRST.replace("T12:00:00Z", "T11:00:00Z"));
    fs::write(dir.path().join("keys.json"), answer()).unwrap();
    let (code, out, _) = verify(dir.path(), &["--public-keys", "keys.json"], "");
    assert!(code == 1 && out.contains("the digest was changed or moved") && out.contains("its hash isn't the one"), "{out}");
    chain(dir.path(), FIRST);
    let (url, _asked) = serve(400, r#"{"__type":"AccessDeniedException","message":"not for you"}"#.to_owned());
    let (code, out, err) = verify(dir.path(), &["--fetch-keys"], &url);
    assert!(
        code == 3 && out.contains("is not at hand") && err.contains("no public keys of eu-west-1") && err.contains("not for you"),
        "{err}"
    );
}

#[test]
fn what_is_there_and_cannot_be_read_is_neither_valid_nor_missing() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("keys.json"), answer()).unwrap();
    chain(dir.path(), FIRST);
    let bucket = dir.path().join("bucket");
    let broken = FIRST_KEY.replace("T130000Z", "T150000Z");
    fs::write(bucket.join(&broken), "{").unwrap();
    // The first digest is named by the second: without its bytes it is there all the same.
    fs::write(bucket.join(FIRST_KEY), "not a digest").unwrap();
    let (code, out, err) = verify(dir.path(), &["--public-keys", "keys.json"], "");
    assert!(code == 3 && !out.contains("missing") && !out.contains("\"valid\""), "{code} {out}{err}");
    for key in [FIRST_KEY, &broken] {
        let name = key.rsplit('/').next().unwrap();
        let told = out.lines().any(|line| line.contains(name) && line.contains("it is there and could not be read"));
        assert!(told, "{name}: {out}");
    }
}

/// Puts the chain's first digest into a bucket of a real server that answers as S3 does (PyPI's `moto`), with its signature as
/// CloudTrail puts it: in the object's own metadata.
const SEED: &str = r#"
import boto3, gzip, sys
url, key, text, signature = sys.argv[1:]
s3 = boto3.client("s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
s3.create_bucket(Bucket="trail-copy")
s3.put_object(Bucket="trail-copy", Key=key, Body=gzip.compress(text.encode()), Metadata={"signature": signature, "signature-algorithm": "SHA256withRSA"})
"#;

#[test]
fn in_a_bucket_the_newest_digest_is_proven_by_its_metadata() {
    let Some(python) = std::env::var_os("PALISADE_TEST_PYTHON") else { return };
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("keys.json"), answer()).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = Command::new(&python);
    server.args(["-c", "from moto.server import main; main()", "-H", "127.0.0.1", "-p", &port.to_string()]);
    let mut server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert!(server.try_wait().unwrap().is_none(), "moto ended");
    }
    let url = format!("http://127.0.0.1:{port}");
    let verify = |signature: &str| {
        let seeded = Command::new(&python).args(["-c", SEED, &url, FIRST_KEY, FIRST, signature]).status().unwrap();
        assert!(seeded.success());
        let mut command = Command::new(env!("CARGO_BIN_EXE_palisade"));
        command.current_dir(dir.path()).env_clear().env("AWS_ENDPOINT_URL", &url).env("AWS_ACCESS_KEY_ID", "a");
        command.env("AWS_SECRET_ACCESS_KEY", "b").env("AWS_REGION", "us-east-1");
        let output = command.args(["trail", "verify", "s3://trail-copy/AWSLogs", "--public-keys", "keys.json"]).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    };
    let (code, told) = verify(SIGNATURE);
    assert!(code == Some(0) && told.contains("1 digests; 1 valid"), "{code:?} {told}");
    let (code, told) = verify(&SIGNATURE.replace('b', "c"));
    assert!(code == Some(1) && told.contains("the signature doesn't hold"), "{code:?} {told}");
    server.kill().unwrap();
    server.wait().unwrap();
}
