//! Log files in a bucket: listed below a prefix, and fetched whole.
//!
//! The API facts leave out what hands out data, so that no collection can read it; this is the one place that does, for the
//! bucket that the user names. Pages: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.
//!
//! Absent on purpose: writing, versions, and parts of objects.

use model::Region;
use percent_encoding::utf8_percent_encode;
use serde_json::{Map as JsonMap, Value as Json};

use crate::client::{Call, Client};
use crate::collect::connect;
use crate::error::{AwsError, CallError, ErrorKind};
use crate::facts::Facts;
use crate::settings::{Config, Limits};
use crate::wire::{ENCODED, Parts, Raw};

/// An object in a bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// A bucket that the user may read.
pub struct Bucket {
    runtime: tokio::runtime::Runtime,
    client: Client,
    region: Region,
    limits: Limits,
    name: String,
}

/// A page of a listing.
#[derive(Debug, Default)]
struct Page {
    objects: Vec<Object>,
    folders: Vec<String>,
    next: Option<String>,
}

impl Bucket {
    /// Finds credentials for a bucket; nothing is asked of it yet.
    ///
    /// # Errors
    /// If there are no credentials, or a setting cannot be used.
    pub fn open(config: &Config, name: &str) -> Result<Bucket, AwsError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|e| AwsError::config(format!("no threads to work with: {e}"), "close other programs"))?;
        let (shared, provider, region) = runtime.block_on(connect(config))?;
        let client = Client::new(shared, provider);
        Ok(Bucket { runtime, client, region, limits: config.limits.clone(), name: name.to_owned() })
    }

    /// Every object whose key begins with `prefix`, in the order of their keys.
    ///
    /// # Errors
    /// If the bucket cannot be listed, or holds more than the limits allow.
    pub fn list(&self, prefix: &str) -> Result<Vec<Object>, CallError> {
        self.pages(&format!("list-type=2&prefix={}", utf8_percent_encode(prefix, ENCODED))).map(|(objects, _)| objects)
    }

    /// The objects right below `prefix`, and the prefixes up to the next slash.
    ///
    /// # Errors
    /// As [`Bucket::list`].
    pub fn level(&self, prefix: &str) -> Result<(Vec<Object>, Vec<String>), CallError> {
        self.pages(&format!("delimiter=%2F&list-type=2&prefix={}", utf8_percent_encode(prefix, ENCODED)))
    }

    /// The bytes of an object.
    ///
    /// # Errors
    /// If it cannot be read, or is longer than the limits allow.
    pub fn get(&self, key: &str) -> Result<Vec<u8>, CallError> {
        self.object(key).map(|raw| raw.body)
    }

    /// The bytes of an object, and what its own metadata has under a name, if anything.
    ///
    /// # Errors
    /// As [`Bucket::get`].
    pub fn get_with(&self, key: &str, name: &str) -> Result<(Vec<u8>, Option<String>), CallError> {
        let raw = self.object(key)?;
        let told = raw.header(&format!("x-amz-meta-{name}")).map(str::to_owned);
        Ok((raw.body, told))
    }

    fn object(&self, key: &str) -> Result<Raw, CallError> {
        let path: Vec<String> = key.split('/').map(|part| utf8_percent_encode(part, ENCODED).to_string()).collect();
        self.send("GetObject", format!("/{}/{}", self.name, path.join("/")), String::new())
    }

    fn pages(&self, query: &str) -> Result<(Vec<Object>, Vec<String>), CallError> {
        let fail = |kind, message: &str| CallError::new(kind, "s3:ListObjectsV2", "", message);
        let (mut objects, mut folders, mut token) = (vec![], vec![], String::new());
        for _ in 0..self.limits.pages_max {
            // The parameters of a signature are in the order of their names: `continuation-token` comes first.
            let query = if token.is_empty() { query.to_owned() } else { format!("continuation-token={token}&{query}") };
            let raw = self.send("ListObjectsV2", format!("/{}", self.name), query)?;
            let page = page(&raw.body).ok_or_else(|| fail(ErrorKind::Malformed, "the answer is not a list of objects"))?;
            objects.extend(page.objects);
            folders.extend(page.folders);
            if objects.len() + folders.len() > self.limits.items_max {
                break;
            }
            match page.next {
                Some(next) => token = utf8_percent_encode(&next, ENCODED).to_string(),
                None => return Ok((objects, folders)),
            }
        }
        Err(fail(ErrorKind::Limit, &format!("more than {} objects: name a longer prefix, or days", self.limits.items_max)))
    }

    fn send(&self, operation: &str, path: String, query: String) -> Result<Raw, CallError> {
        let fail = |message: &str| CallError::new(ErrorKind::Rejected, &format!("s3:{operation}"), "", message);
        let service = Facts::get().service("s3").ok_or_else(|| fail("S3 is not in the API facts"))?;
        let nothing: JsonMap<String, Json> = JsonMap::new();
        let call = Call { service: "s3", operation, region: &self.region, input: &nothing };
        let parts = Parts { method: "GET".to_owned(), path, query, bucket: Some(self.name.clone()), ..Parts::default() };
        self.runtime.block_on(self.client.answer(call, service, &parts))
    }
}

fn page(body: &[u8]) -> Option<Page> {
    let text = std::str::from_utf8(body).ok()?;
    let document = roxmltree::Document::parse(text).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != "ListBucketResult" {
        return None;
    }
    let mut page = Page::default();
    let text = |node: roxmltree::Node<'_, '_>, name: &str| {
        let child = node.children().find(|child| child.tag_name().name() == name);
        child.map(|child| child.text().unwrap_or_default().to_owned())
    };
    for node in root.children() {
        match node.tag_name().name() {
            "Contents" => page.objects.push(Object { key: text(node, "Key")?, bytes: text(node, "Size")?.parse().ok()? }),
            "CommonPrefixes" => page.folders.extend(text(node, "Prefix")),
            "NextContinuationToken" => page.next = node.text().map(str::to_owned),
            _ => {}
        }
    }
    Some(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_read() {
        let body = br#"<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>
            <Contents><Key>a&amp;b/1.gz</Key><Size>12</Size></Contents><CommonPrefixes><Prefix>x/</Prefix></CommonPrefixes>
            <NextContinuationToken>t/1==</NextContinuationToken></ListBucketResult>"#;
        let page = page(body).expect("a page");
        assert_eq!(page.objects, [Object { key: "a&b/1.gz".to_owned(), bytes: 12 }]);
        assert_eq!((page.folders, page.next.as_deref()), (vec!["x/".to_owned()], Some("t/1==")));
        for other in [&b"<Error/>"[..], b"not xml", b"\xff", b"<ListBucketResult><Contents/></ListBucketResult>"] {
            assert!(super::page(other).is_none());
        }
    }
}
