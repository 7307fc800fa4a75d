//! HTTP with limits: connection and answer time, and the length of the body.

use std::time::Duration;

use crate::environment::Environment;
use crate::error::AwsError;
use crate::wire::Raw;

/// Sends requests.
#[derive(Clone)]
pub(crate) struct Http {
    client: reqwest::Client,
    body_bytes_max: usize,
}

/// No usable answer.
#[derive(Debug)]
pub(crate) enum HttpError {
    /// Name, address, TLS or connection.
    Unreachable(String),
    /// Cut off, or too slow.
    Broken(String),
    /// Longer than this many bytes.
    TooLong(usize),
}

impl HttpError {
    /// What happened.
    pub(crate) fn words(&self) -> String {
        match self {
            HttpError::Unreachable(words) | HttpError::Broken(words) => words.clone(),
            HttpError::TooLong(limit) => format!("the answer is longer than {limit} bytes"),
        }
    }
}

/// How long to wait, and how much to take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HttpLimits {
    pub(crate) connect: Duration,
    pub(crate) whole: Duration,
    pub(crate) body_bytes_max: usize,
}

impl Http {
    /// A client that follows `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` and `AWS_CA_BUNDLE`.
    pub(crate) fn new(env: &Environment, limits: HttpLimits) -> Result<Http, AwsError> {
        let either = |name: &str| env.var(name).or_else(|| env.var(&name.to_lowercase()));
        let mut builder = builder(limits);
        let exempt = either("NO_PROXY").and_then(reqwest::NoProxy::from_string);
        let named = [("HTTPS_PROXY", "https"), ("HTTP_PROXY", "http"), ("ALL_PROXY", "all")];
        for (variable, scheme) in named {
            let Some(url) = either(variable) else { continue };
            let proxy = match scheme {
                "https" => reqwest::Proxy::https(url),
                "http" => reqwest::Proxy::http(url),
                _ => reqwest::Proxy::all(url),
            };
            let help = || format!("set `{variable}` to a URL such as `http://proxy:3128`");
            let proxy = proxy.map_err(|_| AwsError::config(format!("`{variable}` is not a proxy's URL"), help()))?;
            builder = builder.proxy(proxy.no_proxy(exempt.clone()));
        }
        if let Some(path) = env.var("AWS_CA_BUNDLE") {
            let help = "set `AWS_CA_BUNDLE` to a file of PEM certificates";
            let fail = |what: &str| AwsError::config(format!("`AWS_CA_BUNDLE` names `{path}`, {what}"), help);
            let pem = std::fs::read(path).map_err(|e| fail(&format!("which cannot be read: {e}")))?;
            let certificates = reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| fail("which holds no certificates"))?;
            if certificates.is_empty() {
                return Err(fail("which holds no certificates"));
            }
            for certificate in certificates {
                builder = builder.add_root_certificate(certificate);
            }
        }
        Http::finish(builder, limits)
    }

    /// A client for this machine's own addresses: metadata and container credentials. Never through a proxy.
    pub(crate) fn local(limits: HttpLimits) -> Result<Http, AwsError> {
        Http::finish(builder(limits), limits)
    }

    fn finish(builder: reqwest::ClientBuilder, limits: HttpLimits) -> Result<Http, AwsError> {
        let client =
            builder.build().map_err(|e| AwsError::config(format!("the HTTP client cannot start: {e}"), "check the CA bundle"))?;
        Ok(Http { client, body_bytes_max: limits.body_bytes_max })
    }

    /// Sends a request and takes the whole answer.
    pub(crate) async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<Raw, HttpError> {
        let method = reqwest::Method::from_bytes(method.as_bytes()).map_err(|e| HttpError::Broken(e.to_string()))?;
        let mut request = self.client.request(method, url).body(body.to_vec());
        for (name, value) in headers.iter().filter(|(name, _)| name != "host") {
            request = request.header(name, value);
        }
        let mut response = request.send().await.map_err(|e| {
            if e.is_connect() || e.is_builder() { HttpError::Unreachable(words(&e)) } else { HttpError::Broken(words(&e)) }
        })?;
        let status = response.status().as_u16();
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let headers = response.headers().iter().filter_map(header).collect();
        let mut taken = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|e| HttpError::Broken(words(&e)))? {
            if taken.len() + chunk.len() > self.body_bytes_max {
                return Err(HttpError::TooLong(self.body_bytes_max));
            }
            taken.extend_from_slice(&chunk);
        }
        Ok(Raw { status, headers, body: taken })
    }
}

fn builder(limits: HttpLimits) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits.connect)
        .timeout(limits.whole)
        .pool_idle_timeout(Duration::from_secs(20))
        .user_agent(concat!("palisade/", env!("CARGO_PKG_VERSION")))
}

/// The error with its causes, innermost last, without the URL (which may hold names).
fn words(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut last = "the connection failed".to_owned();
    let mut at: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(cause) = at {
        last = cause.to_string();
        at = cause.source();
    }
    last
}
