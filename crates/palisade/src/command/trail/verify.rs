//! `palisade trail verify`: the digest chain of a folder or bucket, with public keys given or fetched.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use detect::trail::{Digest, DigestFinding, Verdict, read_digest, verify};
use logs::inflate::Inflater;
use logs::time;
use model::Region;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Form, clean};
use crate::command::detect::{SignIn, note};
use crate::exit::Exit;
use crate::{buckets, hex, output, rsa};

/// The largest file that is hashed.
const FILE_BYTES_MAX: usize = 1 << 30;

/// Public keys by fingerprint.
type Keys = BTreeMap<String, Vec<u8>>;

/// The keys in what ListPublicKeys answered.
fn saved(path: &Path) -> Result<Keys> {
    use base64::Engine as _;
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let value: serde_json::Value = serde_json::from_str(&text).with_context(|| format!("`{}` is not JSON", path.display()))?;
    let mut keys = Keys::new();
    for key in value.get("PublicKeyList").and_then(|list| list.as_array()).into_iter().flatten() {
        let text = |name: &str| key.get(name).and_then(|v| v.as_str()).unwrap_or_default();
        let der = base64::engine::general_purpose::STANDARD.decode(text("Value"));
        keys.insert(
            text("Fingerprint").to_owned(),
            der.with_context(|| format!("`{}` holds a key that is not base64", path.display()))?,
        );
    }
    if keys.is_empty() {
        bail!("`{}` holds no public key\n  help: save the answer of `aws cloudtrail list-public-keys`", path.display());
    }
    Ok(keys)
}

/// The keys that CloudTrail knows for the Regions and times of the digests. A Region that doesn't answer is told and costs its
/// own digests the proof.
fn fetched(digests: &[Digest], sign_in: &SignIn) -> Result<Keys> {
    let mut spans: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
    for digest in digests {
        let Some(region) = digest.region() else {
            note(&format!("`{}` doesn't say in which Region it was signed: its key can't be asked for", clean(&digest.object)));
            continue;
        };
        let seconds = |text: &str| time::seconds(text.as_bytes());
        let times = seconds(&digest.digest_start_time).zip(seconds(&digest.digest_end_time));
        let Some((start, end)) = times else { continue };
        let span = spans.entry(region).or_insert((start, end));
        *span = (span.0.min(start), span.1.max(end));
    }
    let told = |error: &aws::AwsError| match error.help() {
        Some(help) => anyhow::anyhow!("{error}\n  help: {help}"),
        None => anyhow::anyhow!("{error}"),
    };
    let cloudtrail = aws::PublicKeys::open(&sign_in.config()?).map_err(|error| told(&error))?;
    let mut keys = Keys::new();
    for (name, (start, end)) in spans {
        match Region::new(name)
            .map_err(|error| error.to_string())
            .and_then(|region| cloudtrail.list(&region, start, end).map_err(|error| error.to_string()))
        {
            Ok(found) => keys.extend(found.into_iter().map(|key| (key.fingerprint, key.der))),
            Err(error) => note(&format!("no public keys of {}: {error}", clean(name))),
        }
    }
    Ok(keys)
}

/// The digests, and the hashes of everything else by the end of its key.
#[derive(Default)]
struct Chain {
    digests: Vec<Digest>,
    hashes: BTreeMap<String, String>,
    /// What is there and could not be read, with the reason.
    unread: Vec<(String, String)>,
    inflater: Inflater,
    plain: Vec<u8>,
}

impl Chain {
    /// Takes a file: where it lies, its bytes, and the signature in its metadata.
    fn take(&mut self, place: &str, packed: &[u8], signature: Option<String>) {
        let name = place.rsplit(['/', '\\']).next().unwrap_or(place);
        if self.inflater.unpack(packed, &mut self.plain, FILE_BYTES_MAX).is_err() {
            note(&format!("`{}` can't be unpacked", clean(place)));
        }
        let hash = hex::write(&Sha256::digest(&self.plain));
        if !name.contains("CloudTrail-Digest") {
            self.hashes.insert(name.to_owned(), hash);
            return;
        }
        match read_digest(&self.plain, &hash) {
            Ok(digest) => self.digests.push(Digest { signature, ..digest }),
            Err(wrong) => self.unread.push((place.to_owned(), wrong)),
        }
    }

    /// Takes a file as it was read, or why it was not: that proves nothing of it, and the rest is looked at.
    fn take_read(&mut self, place: &str, read: Result<(Vec<u8>, Option<String>)>) {
        match read {
            Ok((packed, signature)) => self.take(place, &packed, signature),
            Err(error) => self.unread.push((place.to_owned(), format!("{error:#}"))),
        }
    }

    /// Every file below a folder.
    fn of_folder(&mut self, folder: &Path) {
        for entry in ignore::WalkBuilder::new(folder).standard_filters(false).sort_by_file_path(Path::cmp).build().flatten() {
            let path = entry.path();
            if path.is_file() {
                let read = std::fs::read(path).map(|packed| (packed, None)).map_err(anyhow::Error::from);
                self.take_read(&path.display().to_string(), read);
            }
        }
    }

    /// Every object below a path into a bucket.
    fn of_bucket(&mut self, path: &str) -> Result<()> {
        let Some((bucket, _)) = buckets::parse(path) else { return Ok(()) };
        for key in buckets::keys(path)? {
            self.take_read(&key, buckets::read_with(bucket, &key, "signature"));
        }
        Ok(())
    }
}

/// Reads every file of a folder or bucket, and tells how each fared.
pub(super) fn run(place: &Path, given: &[PathBuf], sign_in: &SignIn, fetch: bool, format: Form) -> Result<Exit> {
    let bucket = place.to_str().filter(|path| buckets::parse(path).is_some());
    if bucket.is_none() && !place.is_dir() {
        bail!("`{}` is not a folder", place.display());
    }
    let mut keys = Keys::new();
    for path in given {
        keys.extend(saved(path)?);
    }
    let mut chain = Chain::default();
    match bucket {
        Some(path) => {
            buckets::sign_in(sign_in.config()?);
            chain.of_bucket(path)?;
        }
        None => chain.of_folder(place),
    }
    let Chain { mut digests, hashes, unread, .. } = chain;
    if digests.is_empty() {
        unread.iter().for_each(|(place, why)| note(&format!("`{}` could not be read: {}", clean(place), clean(why))));
        bail!("`{}` holds no digest file\n  help: the digests lie under AWSLogs/<account>/CloudTrail-Digest/", place.display());
    }
    if fetch {
        keys.extend(fetched(&digests, sign_in)?);
    }
    let hash_of = |object: &str| hashes.get(object.rsplit('/').next().unwrap_or(object)).cloned();
    let signed = |fingerprint: &str, text: &str, signature: &str| {
        let key = keys.get(fingerprint)?;
        Some(hex::read(signature).is_some_and(|signature| rsa::holds(key, text.as_bytes(), &signature)))
    };
    let mut findings = verify(&mut digests, &hash_of, &signed);
    for (place, why) in unread {
        let name = |object: &str| object.rsplit(['/', '\\']).next().unwrap_or(object).to_owned();
        let reason = format!("it is there and could not be read: {why}");
        let (missing, proven): (Vec<DigestFinding>, _) =
            findings.into_iter().partition(|f| f.verdict == Verdict::Missing && name(&f.object) == name(&place));
        findings = proven;
        let object = missing.into_iter().next().map_or(place, |finding| finding.object);
        findings.push(DigestFinding { object, verdict: Verdict::Unknown, reason });
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut out = String::new();
    for finding in &findings {
        let verdict = match finding.verdict {
            Verdict::Valid => "valid",
            Verdict::Invalid => "changed",
            Verdict::Missing => "missing",
            Verdict::Unknown => "unknown",
        };
        *counts.entry(verdict).or_default() += 1;
        if format != Form::Terminal {
            let line =
                json!({"schema": "palisade/trail-proof/1", "file": finding.object, "verdict": verdict, "reason": finding.reason});
            let _ = writeln!(out, "{line}");
        } else if finding.verdict != Verdict::Valid {
            let _ = writeln!(out, "{verdict:<8} {}\n         {}", clean(&finding.object), clean(&finding.reason));
        }
    }
    output::print(&out)?;
    let told: Vec<String> = counts.iter().map(|(verdict, count)| format!("{count} {verdict}")).collect();
    note(&format!("{} digests; {}", digests.len(), told.join(", ")));
    let any = |verdict| findings.iter().any(|finding| finding.verdict == verdict);
    Ok(match () {
        () if any(Verdict::Invalid) || any(Verdict::Missing) => Exit::Findings,
        () if any(Verdict::Unknown) => Exit::Incomplete,
        () => Exit::Clean,
    })
}
