//! The public keys by which CloudTrail signs its digest files.
//!
//! Each Region has its own, and they change: what signed an old digest is found by the time it was valid in. Source:
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html>.
//!
//! Absent on purpose: judging signatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Region;
use serde_json::{Map as JsonMap, Value as Json, json};

use crate::client::{Call, Client};
use crate::collect::connect;
use crate::error::{AwsError, CallError, ErrorKind};
use crate::facts::Facts;
use crate::settings::{Config, Limits};
use crate::wire::Parts;

/// The operation as the protocol names it.
const TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.ListPublicKeys";

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicKey {
    /// What digests call it by.
    pub fingerprint: String,
    /// The key itself: DER of PKCS #1.
    pub der: Vec<u8>,
}

/// Asks CloudTrail for public keys.
pub struct PublicKeys {
    runtime: tokio::runtime::Runtime,
    client: Client,
    limits: Limits,
}

impl PublicKeys {
    /// Finds credentials; nothing is asked of CloudTrail yet.
    ///
    /// # Errors
    /// If there are no credentials, or a setting cannot be used.
    pub fn open(config: &Config) -> Result<PublicKeys, AwsError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| AwsError::config(format!("no threads to work with: {e}"), "close other programs"))?;
        let (shared, provider, _) = runtime.block_on(connect(config))?;
        Ok(PublicKeys { runtime, client: Client::new(shared, provider), limits: config.limits.clone() })
    }

    /// The keys of a Region that were valid at any time from `from` to `to`, in seconds since 1970.
    ///
    /// # Errors
    /// If the call fails, or its answer is no list of keys.
    pub fn list(&self, region: &Region, from: i64, to: i64) -> Result<Vec<PublicKey>, CallError> {
        let fail = |kind, message: &str| CallError::new(kind, "cloudtrail:ListPublicKeys", "", message);
        let service =
            Facts::get().service("cloudtrail").ok_or_else(|| fail(ErrorKind::Rejected, "CloudTrail is not in the API facts"))?;
        let (mut keys, mut token) = (vec![], None);
        for _ in 0..self.limits.pages_max {
            let mut input = JsonMap::from_iter([("StartTime".to_owned(), json!(from)), ("EndTime".to_owned(), json!(to))]);
            input.extend(token.map(|token: String| ("NextToken".to_owned(), Json::String(token))));
            let call = Call { service: "cloudtrail", operation: "ListPublicKeys", region, input: &input };
            let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let parts = Parts {
                method: "POST".to_owned(),
                path: "/".to_owned(),
                headers: vec![header("content-type", "application/x-amz-json-1.1"), header("x-amz-target", TARGET)],
                body: Json::Object(input.clone()).to_string().into_bytes(),
                ..Parts::default()
            };
            let raw = self.runtime.block_on(self.client.answer(call, service, &parts))?;
            let (more, next) = page(&raw.body).ok_or_else(|| fail(ErrorKind::Malformed, "the answer is not a list of keys"))?;
            keys.extend(more);
            match next {
                Some(next) => token = Some(next),
                None => return Ok(keys),
            }
        }
        Err(fail(ErrorKind::Limit, "more pages of keys than the limits allow"))
    }
}

fn page(body: &[u8]) -> Option<(Vec<PublicKey>, Option<String>)> {
    let value: Json = serde_json::from_slice(body).ok()?;
    let key = |key: &Json| {
        let text = |name: &str| key.get(name).and_then(Json::as_str);
        Some(PublicKey { fingerprint: text("Fingerprint")?.to_owned(), der: STANDARD.decode(text("Value")?).ok()? })
    };
    let keys = value.get("PublicKeyList")?.as_array()?.iter().map(key).collect::<Option<Vec<PublicKey>>>()?;
    Some((keys, value.get("NextToken").and_then(Json::as_str).filter(|token| !token.is_empty()).map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned::{Reply, serve};
    use crate::environment::Environment;

    fn open(url: &str) -> PublicKeys {
        let variables = [("AWS_ENDPOINT_URL", url), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
        PublicKeys::open(&Config { environment: Environment::of(&variables), ..Config::default() }).expect("a client")
    }

    #[test]
    fn every_page_of_keys_is_asked_for() {
        let server = serve(|asked, _| {
            let body: Json = serde_json::from_str(&asked.body).expect("JSON");
            let times = body["StartTime"] == 1_700_000_000 && body["EndTime"] == 1_700_003_600;
            match (times, body["NextToken"].as_str()) {
                (true, None) => Reply::ok(r#"{"PublicKeyList":[{"Value":"AQI=","Fingerprint":"f1"}],"NextToken":"t"}"#),
                (true, Some("t")) => Reply::ok(r#"{"PublicKeyList":[{"Value":"Aw==","Fingerprint":"f2"}]}"#),
                _ => Reply::of(400, "{}"),
            }
        });
        let region = Region::new("eu-west-1").expect("a Region");
        let keys = open(&server.url).list(&region, 1_700_000_000, 1_700_003_600).expect("keys");
        let key = |fingerprint: &str, der: &[u8]| PublicKey { fingerprint: fingerprint.to_owned(), der: der.to_vec() };
        assert_eq!(keys, [key("f1", &[1, 2]), key("f2", &[3])]);
        let asked = server.asked();
        assert!(
            asked
                .iter()
                .all(|one| one.operation() == "ListPublicKeys" && one.header("authorization").contains("/eu-west-1/cloudtrail/"))
        );
    }

    #[test]
    fn what_is_no_list_of_keys_is_told() {
        for (status, body, want) in [
            (200, "{}", "not a list of keys"),
            (200, r#"{"PublicKeyList":[{"Value":"%","Fingerprint":"f"}]}"#, "not a list of keys"),
            (200, "hello", "not a list of keys"),
            (400, r#"{"__type":"AccessDeniedException","message":"no"}"#, "no"),
        ] {
            let server = serve(move |_, _| Reply::of(status, body));
            let error = open(&server.url).list(&Region::new("us-east-1").expect("a Region"), 0, 1).expect_err("an error");
            assert!(error.to_string().contains(want), "{body}: {error}");
        }
    }
}
