//! Credentials of the place we run in: a container (ECS, EKS Pod Identity) or an EC2 instance (IMDSv2 only).

use super::{Credentials, Means, Source};
use crate::client::HttpError;
use crate::environment::Environment;
use crate::error::AwsError;
use crate::wire::Raw;

/// The container's source, if the environment names one. Only this machine's addresses and AWS's own link-local ones may be
/// asked without TLS (AWS SDKs reference guide, "Container credential provider").
pub(super) fn container_source(env: &Environment) -> Result<Option<Source>, AwsError> {
    let url = match (env.var("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), env.var("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
        (Some(path), _) => format!("http://169.254.170.2{path}"),
        (None, Some(url)) => url.to_owned(),
        (None, None) => return Ok(None),
    };
    let host = url.split("://").nth(1).unwrap_or_default().split(['/', '?']).next().unwrap_or_default();
    let host = if host.starts_with('[') {
        host.split_inclusive(']').next().unwrap_or(host)
    } else {
        host.split(':').next().unwrap_or(host)
    };
    let near = matches!(host, "localhost" | "169.254.170.2" | "169.254.170.23" | "[fd00:ec2::23]" | "[::1]")
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|a| a.is_loopback());
    let safe = url.starts_with("https://") || (url.starts_with("http://") && near);
    if !safe {
        let help = "it must begin with `https://`, or name this machine";
        return Err(AwsError::credentials(format!("`AWS_CONTAINER_CREDENTIALS_FULL_URI` is `{url}`"), help));
    }
    let token = env.var("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(str::to_owned);
    let token_file = env.var("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(str::to_owned);
    Ok(Some(Source::Container { url, token, token_file }))
}

/// Asks the container's endpoint.
pub(super) async fn container(
    url: &str,
    token: Option<&str>,
    token_file: Option<&str>,
    means: &Means,
) -> Result<Credentials, AwsError> {
    let fail =
        |what: String| AwsError::credentials(format!("the container's credentials: {what}"), "check the task's or pod's role");
    let token = match token_file {
        Some(path) => Some(std::fs::read_to_string(path).map_err(|e| fail(format!("`{path}`: {e}")))?.trim().to_owned()),
        None => token.map(str::to_owned),
    };
    let headers: Vec<(String, String)> = token.into_iter().map(|t| ("authorization".to_owned(), t)).collect();
    let raw = means.local.send("GET", url, &headers, b"").await;
    read(raw).map_err(fail)
}

/// Asks the instance's metadata service with a session token.
pub(super) async fn instance(endpoint: &str, means: &Means) -> Result<Credentials, AwsError> {
    let fail = |what: String| {
        let help = "run `aws configure sso`, set `AWS_PROFILE`, or set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`";
        AwsError::credentials(format!("no credentials found (the last place asked is the instance's metadata: {what})"), help)
    };
    let ask = async |method: &str, path: &str, header: (&str, &str)| {
        let headers = [(header.0.to_owned(), header.1.to_owned())];
        means.local.send(method, &format!("{endpoint}/latest/{path}"), &headers, b"").await
    };
    let text = |raw: Result<Raw, HttpError>| match raw {
        Ok(raw) if raw.status == 200 => String::from_utf8(raw.body).map_err(|e| e.to_string()),
        Ok(raw) => Err(format!("status {}", raw.status)),
        Err(HttpError::Unreachable(_) | HttpError::Broken(_)) => Err("it does not answer".to_owned()),
        Err(HttpError::TooLong(_)) => Err("its answer is too long".to_owned()),
    };
    let token = text(ask("PUT", "api/token", ("x-aws-ec2-metadata-token-ttl-seconds", "21600")).await).map_err(fail)?;
    let header = ("x-aws-ec2-metadata-token", token.as_str());
    let roles = text(ask("GET", "meta-data/iam/security-credentials/", header).await).map_err(fail)?;
    let role = roles.lines().next().filter(|r| !r.is_empty()).ok_or_else(|| fail("the instance has no role".to_owned()))?;
    read(ask("GET", &format!("meta-data/iam/security-credentials/{role}"), header).await).map_err(fail)
}

fn read(raw: Result<Raw, HttpError>) -> Result<Credentials, String> {
    let raw = raw.map_err(|_| "no answer".to_owned())?;
    if raw.status != 200 {
        return Err(format!("status {}", raw.status));
    }
    let body: serde_json::Value = serde_json::from_slice(&raw.body).map_err(|_| "the answer is not JSON".to_owned())?;
    let of = |key: &str| body.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let (Some(key_id), Some(secret)) = (of("AccessKeyId"), of("SecretAccessKey")) else {
        return Err(of("Message").unwrap_or_else(|| "the answer holds no keys".to_owned()));
    };
    Ok(Credentials { key_id, secret, token: of("Token"), expires: of("Expiration").and_then(|e| e.parse().ok()) })
}
