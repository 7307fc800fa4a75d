//! Credentials of an SSO sign-in: the token that `aws sso login` left in `~/.aws/sso/cache` is exchanged for a role's keys.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::{Digest, Sha1};

use super::{Credentials, Means};
use crate::error::AwsError;
use crate::wire::api_error;

/// An SSO role of a profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) session: Option<String>,
    pub(crate) start_url: String,
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) role: String,
    pub(crate) profile: String,
}

/// The role's keys.
pub(super) async fn credentials(login: &Login, means: &Means) -> Result<Credentials, AwsError> {
    let fail = |message: String| {
        let help = format!("run `aws sso login --profile {}`", login.profile);
        AwsError::credentials(format!("the SSO sign-in of profile `{}` {message}", login.profile), help)
    };
    let home = means.env.home().ok_or_else(|| fail("cannot be looked up: there is no home folder".to_owned()))?;
    let path = home.join(".aws/sso/cache").join(cache_name(login));
    let text = std::fs::read(&path).map_err(|_| fail("is not in the cache".to_owned()))?;
    let cache: serde_json::Value = serde_json::from_slice(&text).map_err(|_| fail("is unreadable".to_owned()))?;
    let of = |key: &str| cache.get(key).and_then(|v| v.as_str());
    let token = of("accessToken").ok_or_else(|| fail("has no token".to_owned()))?;
    let expires = of("expiresAt").map(|e| e.replace("UTC", "Z")).and_then(|e| e.parse::<jiff::Timestamp>().ok());
    if expires.is_none_or(|at| at <= jiff::Timestamp::now()) {
        return Err(fail("has expired".to_owned()));
    }
    let base = crate::endpoint::overridden("sso", &means.env)
        .map_or_else(|| format!("https://portal.sso.{}.amazonaws.com", login.region), |u| u.trim_end_matches('/').to_owned());
    let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let url = format!("{base}/federation/credentials?role_name={}&account_id={}", encode(&login.role), encode(&login.account));
    let headers = [("x-amz-sso_bearer_token".to_owned(), token.to_owned())];
    let raw = means.http.send("GET", &url, &headers, b"").await.map_err(|e| fail(format!("cannot be used: {}", e.words())))?;
    if raw.status != 200 {
        let error = api_error(&raw);
        return Err(fail(format!("was refused: {} {}", error.code, error.message)));
    }
    read(&raw.body).ok_or_else(|| fail("gave no credentials".to_owned()))
}

/// The cache's file: the hash of the session's name, or of the start URL for profiles of the older form.
fn cache_name(login: &Login) -> String {
    let hash = Sha1::digest(login.session.as_ref().unwrap_or(&login.start_url).as_bytes());
    hash.iter().map(|b| format!("{b:02x}")).collect::<String>() + ".json"
}

fn read(body: &[u8]) -> Option<Credentials> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let role = body.get("roleCredentials")?;
    let of = |key: &str| role.get(key)?.as_str().map(str::to_owned);
    let expires =
        role.get("expiration").and_then(serde_json::Value::as_i64).and_then(|m| jiff::Timestamp::from_millisecond(m).ok());
    Some(Credentials { key_id: of("accessKeyId")?, secret: of("secretAccessKey")?, token: of("sessionToken"), expires })
}
