//! The two calls of the Security Token Service that give credentials. They stand here and not in the API facts: they are no
//! reads, change nothing in the account, and no catalogue file can name them.

use std::time::SystemTime;

use model::Region;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use roxmltree::Document;

use super::{Credentials, Means, Role};
use crate::client::{clock_lag, shifted};
use crate::endpoint;
use crate::error::{AwsError, CallError, ErrorKind, classify};
use crate::facts::Facts;
use crate::sign;
use crate::wire::{Raw, api_error};

/// Assumes a role, asking for an MFA code where the role wants one.
pub(super) async fn assume(role: &Role, credentials: &Credentials, means: &Means) -> Result<Credentials, AwsError> {
    let mut form = form("AssumeRole", role);
    if let Some(id) = &role.external_id {
        form.push(("ExternalId", id.clone()));
    }
    if let Some(serial) = &role.mfa_serial {
        let Some(prompt) = means.mfa.clone() else {
            let help = "run it in a terminal, or use a session that has passed MFA already";
            return Err(AwsError::credentials(format!("`{}` needs an MFA code, and there is nobody to ask", role.arn), help));
        };
        let asked = serial.clone();
        let code = tokio::task::spawn_blocking(move || prompt(&asked)).await.map_err(|e| e.to_string()).and_then(|c| c);
        let code = code.map_err(|e| AwsError::credentials(format!("no MFA code: {e}"), "try again"))?;
        form.push(("SerialNumber", serial.clone()));
        form.push(("TokenCode", code.trim().to_owned()));
    }
    send(role, &form, Some(credentials), means).await
}

/// Assumes a role with an identity provider's token. The call is not signed.
pub(super) async fn assume_with_web_identity(role: &Role, token_file: &str, means: &Means) -> Result<Credentials, AwsError> {
    let token = std::fs::read_to_string(token_file)
        .map_err(|e| AwsError::credentials(format!("the token file `{token_file}` cannot be read: {e}"), "check the path"))?;
    let mut form = form("AssumeRoleWithWebIdentity", role);
    form.push(("WebIdentityToken", token.trim().to_owned()));
    send(role, &form, None, means).await
}

fn form(action: &'static str, role: &Role) -> Vec<(&'static str, String)> {
    let mut form = vec![
        ("Action", action.to_owned()),
        ("Version", "2011-06-15".to_owned()),
        ("RoleArn", role.arn.clone()),
        ("RoleSessionName", role.session.clone().unwrap_or_else(|| "palisade".to_owned())),
    ];
    if let Some(seconds) = role.duration_seconds {
        form.push(("DurationSeconds", seconds.to_string()));
    }
    form
}

async fn send(
    role: &Role,
    form: &[(&str, String)],
    credentials: Option<&Credentials>,
    means: &Means,
) -> Result<Credentials, AwsError> {
    let call = form.first().map_or("sts:AssumeRole".to_owned(), |(_, action)| format!("sts:{action}"));
    let refuse = |kind, code: &str, message: &str| AwsError::Role {
        arn: role.arn.clone(),
        error: CallError::new(kind, &call, code, message),
    };
    let fail = |message: String| refuse(ErrorKind::Failed, "", &message);
    let region = Region::new(&means.region).map_err(|e| fail(e.to_string()))?;
    let facts = Facts::get().service("sts").ok_or_else(|| fail("there are no facts on sts".to_owned()))?;
    let endpoint = endpoint::resolve("sts", facts, &region, "", &means.env).ok_or_else(|| fail("no endpoint".to_owned()))?;
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let body = form.iter().map(|(k, v)| format!("{k}={}", encode(v))).collect::<Vec<_>>().join("&").into_bytes();
    let url = format!("{}/", endpoint.base);
    let plain = [("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
    let (mut tries, mut lag) = (0, None);
    loop {
        let mut headers = plain.to_vec();
        if let Some(credentials) = credentials {
            let signable = sign::Signable { method: "POST", url: &url, headers: &headers, body: &body };
            let now = shifted(SystemTime::now(), lag.unwrap_or(0));
            let more = sign::headers(&signable, credentials, &endpoint.signing_region, &endpoint.signing_name, now);
            headers.extend(more.map_err(&fail)?);
        }
        let error = match means.http.send("POST", &url, &headers, &body).await {
            Ok(raw) if raw.status == 200 => {
                return read(&raw).ok_or_else(|| refuse(ErrorKind::Malformed, "", "the answer holds no credentials"));
            }
            Ok(raw) => {
                let found = api_error(&raw);
                let kind = classify(&found.code, raw.status);
                if kind == ErrorKind::Credentials && lag.is_none() && credentials.is_some() {
                    lag = clock_lag(&raw, SystemTime::now());
                    if lag.is_some() {
                        continue;
                    }
                }
                refuse(kind, &found.code, &found.message)
            }
            Err(error) => fail(error.words()),
        };
        tries += 1;
        match error.kind() {
            Some(ErrorKind::Failed | ErrorKind::Throttled) if tries < means.limits.tries_max => {
                tokio::time::sleep(means.limits.wait(tries)).await;
            }
            _ => return Err(error),
        }
    }
}

fn read(raw: &Raw) -> Option<Credentials> {
    let text = std::str::from_utf8(&raw.body).ok()?;
    let document = Document::parse(text).ok()?;
    let node = document.descendants().find(|n| n.tag_name().name() == "Credentials")?;
    let of = |name: &str| node.children().find(|c| c.tag_name().name() == name)?.text().map(str::to_owned);
    Some(Credentials {
        key_id: of("AccessKeyId")?,
        secret: of("SecretAccessKey")?,
        token: of("SessionToken"),
        expires: of("Expiration").and_then(|e| e.parse().ok()),
    })
}
