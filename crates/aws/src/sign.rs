//! Signature Version 4, as `aws-sigv4` does it, with what differs by service: S3 signs its path as it is sent and its
//! payload's hash in a header; all others encode the path a second time.

use std::time::SystemTime;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;

use crate::credentials::Credentials;

/// What is signed.
pub(crate) struct Signable<'a> {
    pub(crate) method: &'a str,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: &'a [u8],
}

/// The headers that sign a request.
pub(crate) fn headers(
    request: &Signable<'_>,
    credentials: &Credentials,
    region: &str,
    name: &str,
    time: SystemTime,
) -> Result<Vec<(String, String)>, String> {
    let mut settings = SigningSettings::default();
    if matches!(name, "s3" | "s3express" | "s3-outposts") {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let identity = aws_credential_types::Credentials::new(
        credentials.key_id.clone(),
        credentials.secret.clone(),
        credentials.token.clone(),
        None,
        "palisade",
    )
    .into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(name)
        .time(time)
        .settings(settings)
        .build()
        .map_err(|e| e.to_string())?
        .into();
    let signable = SignableRequest::new(
        request.method,
        request.url,
        request.headers.iter().map(|(k, v)| (k.as_str(), v.as_str())),
        SignableBody::Bytes(request.body),
    )
    .map_err(|e| e.to_string())?;
    let (instructions, _) = sign(signable, &params).map_err(|e| e.to_string())?.into_parts();
    Ok(instructions.headers().map(|(k, v)| (k.to_owned(), v.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: (&str, &str) = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds)
    }

    fn authorization(url: &str, name: &str, token: Option<&str>) -> Vec<(String, String)> {
        let credentials = Credentials::new(KEYS.0, KEYS.1, token.map(str::to_owned));
        let request = Signable { method: "GET", url, headers: &[("host".into(), "example.amazonaws.com".into())], body: b"" };
        headers(&request, &credentials, "us-east-1", name, at(1_440_938_160)).unwrap()
    }

    fn signature(headers: &[(String, String)]) -> &str {
        headers.iter().find(|(k, _)| k == "authorization").unwrap().1.rsplit_once("Signature=").unwrap().1
    }

    /// AWS's published suite of test vectors for Signature Version 4, `service` in us-east-1 on 2015-08-30 at 12:36:00.
    #[test]
    fn published_vectors() {
        let vectors = [
            ("https://example.amazonaws.com/", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
            (
                "https://example.amazonaws.com/?Param2=value2&Param1=value1",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        ];
        for (url, expected) in vectors {
            assert_eq!(signature(&authorization(url, "service", None)), expected, "{url}");
        }
    }

    #[test]
    fn s3_sends_the_payload_hash_and_all_send_the_token() {
        let headers = authorization("https://example.amazonaws.com/", "s3", Some("token"));
        let of = |name: &str| headers.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
        assert_eq!(of("x-amz-content-sha256"), Some("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        assert_eq!(of("x-amz-security-token"), Some("token"));
        let plain = authorization("https://example.amazonaws.com/a%20b", "s3", None);
        let twice = authorization("https://example.amazonaws.com/a%20b", "service", None);
        assert_ne!(signature(&plain), signature(&twice));
    }
}
