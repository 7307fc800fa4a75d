//! CloudTrail's digest files: a chain of hashes over the log files of each hour.
//!
//! Each digest names the SHA-256 hashes of its log files (of their unpacked bytes), the hash of the digest before it and
//! that digest's signature. A digest is signed (RSA, PKCS #1 v1.5, SHA-256) over its end time, its place in S3, its hash
//! and the signature before it, a line each. Source:
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html>.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The longest digest file.
pub(crate) const DIGEST_BYTES_MAX: usize = 64 << 20;

/// Why a file is no digest: one line, lower case.
pub type DigestError = String;

/// A log file that a digest vouches for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogFile {
    /// The bucket.
    pub s3_bucket: String,
    /// The key in it.
    pub s3_object: String,
    /// The hash of the unpacked file, hexadecimal.
    pub hash_value: String,
}

/// A digest file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Digest {
    /// The account.
    pub aws_account_id: String,
    /// The start of its hour.
    pub digest_start_time: String,
    /// The end of its hour.
    pub digest_end_time: String,
    /// The bucket it lies in.
    #[serde(rename = "digestS3Bucket")]
    pub bucket: String,
    /// Its key there.
    #[serde(rename = "digestS3Object")]
    pub object: String,
    /// Which public key signs it.
    pub digest_public_key_fingerprint: String,
    /// The key of the digest before it; none for the first.
    #[serde(rename = "previousDigestS3Object")]
    pub previous_object: Option<String>,
    /// The hash of the digest before it.
    pub previous_digest_hash_value: Option<String>,
    /// The signature of the digest before it, hexadecimal.
    pub previous_digest_signature: Option<String>,
    /// The log files of its hour.
    #[serde(default)]
    pub log_files: Vec<LogFile>,
    /// The hash of the digest itself, hexadecimal; given by the caller.
    #[serde(skip)]
    pub hash: String,
    /// Its own signature, hexadecimal, where known: from its metadata, or from the digest after it.
    #[serde(skip)]
    pub signature: Option<String>,
}

impl Digest {
    /// The Region whose key signs it, by the place it lies in: `.../CloudTrail-Digest/eu-west-1/2026/...`.
    pub fn region(&self) -> Option<&str> {
        self.object.split_once("/CloudTrail-Digest/").and_then(|(_, rest)| rest.split('/').next()).filter(|name| !name.is_empty())
    }
}

/// Reads a digest. `hash` is the SHA-256 of the unpacked bytes, hexadecimal.
///
/// # Errors
/// If it isn't one.
pub fn read_digest(bytes: &[u8], hash: &str) -> Result<Digest, DigestError> {
    if bytes.len() > DIGEST_BYTES_MAX {
        return Err(format!("longer than {DIGEST_BYTES_MAX} bytes"));
    }
    let mut digest: Digest = serde_json::from_slice(bytes).map_err(|error| format!("not a digest file: {error}"))?;
    digest.hash = hash.to_owned();
    Ok(digest)
}

/// How a file fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Unchanged, as far as can be proven.
    Valid,
    /// Changed.
    Invalid,
    /// Not there.
    Missing,
    /// Can't be said: what would prove it is missing.
    Unknown,
}

/// What was found of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file's key.
    pub object: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

/// Checks a chain. `hashes` holds the SHA-256 of the log files at hand by the end of their key; `signed` says whether a
/// signature (hexadecimal) over a text holds for the key with a fingerprint, or nothing if that key isn't at hand.
pub fn verify(
    digests: &mut [Digest],
    hashes: &dyn Fn(&str) -> Option<String>,
    signed: &dyn Fn(&str, &str, &str) -> Option<bool>,
) -> Vec<Finding> {
    digests.sort_by(|a, b| (&a.digest_end_time, &a.object).cmp(&(&b.digest_end_time, &b.object)));
    let known: BTreeMap<String, String> = digests.iter().map(|d| (d.object.clone(), d.hash.clone())).collect();
    let signatures: BTreeMap<String, String> =
        digests.iter().filter_map(|d| Some((d.previous_object.clone()?, d.previous_digest_signature.clone()?))).collect();
    let mut findings = vec![];
    for digest in digests.iter_mut() {
        if digest.signature.is_none() {
            digest.signature = signatures.get(&digest.object).cloned();
        }
        findings.push(own(digest, signed));
        findings.extend(previous(digest, &known));
        findings.extend(digest.log_files.iter().map(|log| log_file(log, hashes)));
    }
    findings
}

fn own(digest: &Digest, signed: &dyn Fn(&str, &str, &str) -> Option<bool>) -> Finding {
    let found = |verdict, reason: &str| Finding { object: digest.object.clone(), verdict, reason: reason.to_owned() };
    let Some(signature) = &digest.signature else {
        return found(Verdict::Unknown, "its signature is in its S3 metadata or in the next digest, and neither is at hand");
    };
    let before = digest.previous_digest_signature.as_deref().unwrap_or("null");
    let text = format!("{}\n{}/{}\n{}\n{before}", digest.digest_end_time, digest.bucket, digest.object, digest.hash);
    match signed(&digest.digest_public_key_fingerprint, &text, signature) {
        Some(true) => found(Verdict::Valid, "the signature holds"),
        Some(false) => found(Verdict::Invalid, "the signature doesn't hold: the digest was changed or moved"),
        None => found(
            Verdict::Unknown,
            "the public key that signed it is not at hand: give it with `--public-keys`, or `--fetch-keys`",
        ),
    }
}

fn previous(digest: &Digest, known: &BTreeMap<String, String>) -> Option<Finding> {
    let object = digest.previous_object.clone()?;
    let hash = digest.previous_digest_hash_value.as_deref()?;
    let (verdict, reason) = match known.get(&object) {
        Some(found) if found.eq_ignore_ascii_case(hash) => return None,
        Some(_) => (Verdict::Invalid, format!("its hash isn't the one that {} holds", digest.object)),
        None => (Verdict::Missing, format!("{} names it as the digest before it", digest.object)),
    };
    Some(Finding { object, verdict, reason })
}

fn log_file(log: &LogFile, hashes: &dyn Fn(&str) -> Option<String>) -> Finding {
    let (verdict, reason) = match hashes(&log.s3_object) {
        Some(hash) if hash.eq_ignore_ascii_case(&log.hash_value) => (Verdict::Valid, "the hash holds"),
        Some(_) => (Verdict::Invalid, "the hash doesn't hold: the file was changed"),
        None => (Verdict::Missing, "the digest names it and it isn't there"),
    };
    Finding { object: log.s3_object.clone(), verdict, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(hour: u8, previous: Option<(&str, &str)>) -> Digest {
        let (object, hash) = previous.unzip();
        let text = serde_json::json!({
            "awsAccountId": "1", "digestStartTime": "s", "digestEndTime": format!("2026-01-01T{hour:02}:00:00Z"),
            "digestS3Bucket": "b", "digestS3Object": format!("d{hour}"), "digestPublicKeyFingerprint": "k",
            "previousDigestS3Object": object, "previousDigestHashValue": hash,
            "previousDigestSignature": object.map(|o| format!("sig-{o}")),
            "logFiles": [{"s3Bucket": "b", "s3Object": format!("l{hour}"), "hashValue": format!("H{hour}")}],
        });
        read_digest(text.to_string().as_bytes(), &format!("h{hour}")).unwrap()
    }

    fn verdicts(mut digests: Vec<Digest>) -> Vec<(String, Verdict)> {
        let hashes = |object: &str| (object != "l2").then(|| object.replace('l', "h"));
        let signed = |key: &str, text: &str, signature: &str| {
            let own = text.lines().nth(1).map(|place| place.replace("b/", "sig-"));
            (key == "k").then(|| own.as_deref() == Some(signature))
        };
        verify(&mut digests, &hashes, &signed).into_iter().map(|f| (f.object, f.verdict)).collect()
    }

    #[test]
    fn a_sound_chain_is_valid_up_to_its_last_signature() {
        use Verdict::{Missing, Unknown, Valid};
        let found = verdicts(vec![digest(2, Some(("d1", "h1"))), digest(1, None)]);
        let want = [("d1", Valid), ("l1", Valid), ("d2", Unknown), ("l2", Missing)];
        assert_eq!(found, want.map(|(object, verdict)| (object.to_owned(), verdict)));
    }

    #[test]
    fn breaks_are_found() {
        let changed = verdicts(vec![digest(1, None), digest(3, Some(("d1", "other")))]);
        assert!(changed.contains(&("d1".to_owned(), Verdict::Invalid)));
        let removed = verdicts(vec![digest(1, None), digest(3, Some(("d2", "h2")))]);
        assert!(removed.contains(&("d2".to_owned(), Verdict::Missing)));
        let mut log = digest(1, None);
        log.log_files[0].hash_value = "other".into();
        assert!(verdicts(vec![log]).contains(&("l1".to_owned(), Verdict::Invalid)));
        assert!(read_digest(b"{}", "").is_err());
    }
}
