//! What an answer that isn't a success says, in any of the forms in which services say it.

use roxmltree::{Document, ParsingOptions};

use super::Raw;

/// The code and message of an error answer. The code is empty if the answer has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ApiError {
    pub(crate) code: String,
    pub(crate) message: String,
    /// The Region that S3 says the bucket lies in.
    pub(crate) region: Option<String>,
}

/// Reads the code from the `x-amzn-errortype` header, a JSON body's `__type` or `code`, or an XML body's `Error` element.
pub(crate) fn api_error(raw: &Raw) -> ApiError {
    let text = String::from_utf8_lossy(&raw.body);
    let mut found = json(&text).or_else(|| xml(&text)).unwrap_or_default();
    if let Some(code) = raw.header("x-amzn-errortype") {
        found.code = plain(code);
    }
    if let Some(code) = raw.header("x-amzn-query-error").and_then(|h| h.split(';').next()).filter(|c| !c.is_empty()) {
        found.code = code.to_owned();
    }
    if let Some(region) = raw.header("x-amz-bucket-region") {
        found.region = Some(region.to_owned());
    }
    if found.code.is_empty() && found.message.is_empty() {
        found.message = match is_web_page(&text) {
            true => format!("HTTP {} with a web page in place of an answer", raw.status),
            false => text.chars().take(200).collect(),
        };
    }
    found
}

/// What proxies and load balancers send when they cannot reach the service.
fn is_web_page(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(14).collect::<String>().to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html")
}

/// `aws.protocoltests#FooError:http://...` is `FooError`.
fn plain(code: &str) -> String {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code).trim().to_owned()
}

fn json(text: &str) -> Option<ApiError> {
    let body: serde_json::Value = serde_json::from_str(text).ok()?;
    let text = |names: &[&str]| names.iter().find_map(|n| body.get(n)?.as_str().map(str::to_owned));
    Some(ApiError {
        code: text(&["__type", "code", "Code"]).map(|c| plain(&c)).unwrap_or_default(),
        message: text(&["message", "Message", "errorMessage"]).unwrap_or_default(),
        region: None,
    })
}

fn xml(text: &str) -> Option<ApiError> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: 10_000, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).ok()?;
    let error = document.descendants().find(|n| n.tag_name().name() == "Error")?;
    let of = |name: &str| error.children().find(|c| c.tag_name().name() == name)?.text().map(str::to_owned);
    Some(ApiError { code: of("Code").unwrap_or_default(), message: of("Message").unwrap_or_default(), region: of("Region") })
}
