//! Where credentials come from, in the order of the AWS SDKs: the environment, a profile of the shared files (static keys, a
//! role with a source profile, SSO, web identity, a process), a web identity token, the container, the instance.
//!
//! Written on this crate's own client (see `docs/decisions/003-credentials.md`). Absent on purpose: refreshing an SSO sign-in,
//! and writing caches.

mod metadata;
mod process;
mod profile;
mod sso;
mod sts;

use std::fmt;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::client::Http;
use crate::environment::Environment;
use crate::error::AwsError;
use crate::settings::{Limits, MfaPrompt};

pub(crate) use profile::Profiles;

/// New credentials are fetched this long before the old ones expire.
const RENEW_BEFORE: jiff::SignedDuration = jiff::SignedDuration::from_secs(300);

/// What a request is signed with.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) key_id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    pub(crate) expires: Option<jiff::Timestamp>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.key_id)
    }
}

impl Credentials {
    pub(crate) fn new(key_id: impl Into<String>, secret: impl Into<String>, token: Option<String>) -> Credentials {
        Credentials { key_id: key_id.into(), secret: secret.into(), token, expires: None }
    }

    fn is_stale(&self) -> bool {
        self.expires.is_some_and(|at| at.duration_since(jiff::Timestamp::now()) < RENEW_BEFORE)
    }
}

/// A place that gives credentials.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// These.
    Fixed(Credentials),
    /// A role, with the credentials of another source.
    Role { source: Box<Source>, role: Role },
    /// A role, with the credentials that another provider holds: they are fetched (and an MFA code asked for) once for all.
    Through { provider: Box<Provider>, role: Role },
    /// A role, with a token that an identity provider wrote into a file.
    WebIdentity { role: Role, token_file: String },
    /// The role of an SSO sign-in.
    Sso(sso::Login),
    /// What a program prints.
    Process(String),
    /// The container's endpoint.
    Container { url: String, token: Option<String>, token_file: Option<String> },
    /// The instance's metadata.
    Instance { endpoint: String },
}

/// A role to assume.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Role {
    pub(crate) arn: String,
    pub(crate) session: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) mfa_serial: Option<String>,
    pub(crate) duration_seconds: Option<u32>,
}

/// What sources need to do their work.
#[derive(Clone)]
pub(crate) struct Means {
    pub(crate) http: Http,
    pub(crate) local: Http,
    pub(crate) env: Environment,
    pub(crate) mfa: Option<MfaPrompt>,
    /// The Region whose STS is asked.
    pub(crate) region: String,
    /// How often and how fast a failing call is tried again.
    pub(crate) limits: Limits,
}

/// Gives credentials, and new ones when they are about to expire.
#[derive(Clone)]
pub(crate) struct Provider {
    source: Source,
    means: Means,
    held: Arc<Mutex<Option<Credentials>>>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Provider({:?})", self.source)
    }
}

impl Provider {
    pub(crate) fn new(source: Source, means: Means) -> Provider {
        Provider { source, means, held: Arc::new(Mutex::new(None)) }
    }

    /// The same credentials, used to assume a role.
    pub(crate) fn with_role(&self, role: Role) -> Provider {
        Provider::new(Source::Through { provider: Box::new(self.clone()), role }, self.means.clone())
    }

    /// Credentials that are good for some minutes.
    pub(crate) async fn get(&self) -> Result<Credentials, AwsError> {
        let mut held = self.held.lock().await;
        if let Some(credentials) = held.as_ref().filter(|c| !c.is_stale()) {
            return Ok(credentials.clone());
        }
        match fetch(&self.source, &self.means).await {
            Ok(new) => {
                *held = Some(new.clone());
                Ok(new)
            }
            // Those that are about to expire still work; those that have expired say so when they are used.
            Err(error) => held.clone().ok_or(error),
        }
    }

    /// Throws away what is held, if it still is what was refused (known by its key id): of many calls that were refused at once
    /// the first has it fetched anew. False if the source cannot give anything new.
    pub(crate) async fn renew(&self, refused: &str) -> bool {
        if matches!(self.source, Source::Fixed(_)) {
            return false;
        }
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|c| c.key_id == refused) {
            *held = None;
        }
        true
    }
}

/// Asks a source. The chain of roles is walked without recursion, outermost last.
async fn fetch(source: &Source, means: &Means) -> Result<Credentials, AwsError> {
    let mut roles = Vec::new();
    let mut at = source;
    while let Source::Role { source, role } = at {
        roles.push(role);
        at = source;
    }
    let mut credentials = match at {
        Source::Fixed(credentials) => credentials.clone(),
        Source::WebIdentity { role, token_file } => sts::assume_with_web_identity(role, token_file, means).await?,
        Source::Sso(login) => sso::credentials(login, means).await?,
        Source::Process(command) => process::credentials(command).await?,
        Source::Container { url, token, token_file } => {
            metadata::container(url, token.as_deref(), token_file.as_deref(), means).await?
        }
        Source::Instance { endpoint } => metadata::instance(endpoint, means).await?,
        Source::Through { provider, role } => {
            roles.push(role);
            Box::pin(provider.get()).await?
        }
        Source::Role { .. } => return Err(AwsError::credentials("a role without a source", "name a `source_profile`")),
    };
    for role in roles.into_iter().rev() {
        credentials = sts::assume(role, &credentials, means).await?;
    }
    Ok(credentials)
}

/// Finds the first source that the environment or the shared files name.
pub(crate) fn find(env: &Environment, profiles: &Profiles, profile: Option<&str>) -> Result<Source, AwsError> {
    if profile.is_none()
        && let Some(found) = of_environment(env)?
    {
        return Ok(found);
    }
    let named = profile.or_else(|| env.var("AWS_PROFILE"));
    let name = named.unwrap_or("default");
    if profiles.has(name) {
        if let Some(found) = profiles.source(name, env)? {
            return Ok(found);
        }
    } else if named.is_some() {
        let known = profiles.names().collect::<Vec<_>>().join(", ");
        let help = if known.is_empty() { "there are no profiles".to_owned() } else { format!("there are: {known}") };
        return Err(AwsError::credentials(format!("there is no profile `{name}`"), help));
    }
    if let (Some(file), Some(arn)) = (env.var("AWS_WEB_IDENTITY_TOKEN_FILE"), env.var("AWS_ROLE_ARN")) {
        let session = env.var("AWS_ROLE_SESSION_NAME").map(str::to_owned);
        let role = Role { arn: arn.to_owned(), session, ..Role::default() };
        return Ok(Source::WebIdentity { role, token_file: file.to_owned() });
    }
    if let Some(source) = metadata::container_source(env)? {
        return Ok(source);
    }
    if env.var("AWS_EC2_METADATA_DISABLED").is_some_and(|v| v.eq_ignore_ascii_case("true")) {
        let help = "run `aws configure sso`, set `AWS_PROFILE`, or set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`";
        return Err(AwsError::credentials("no credentials found", help));
    }
    let endpoint = env.var("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or("http://169.254.169.254");
    Ok(Source::Instance { endpoint: endpoint.trim_end_matches('/').to_owned() })
}

fn of_environment(env: &Environment) -> Result<Option<Source>, AwsError> {
    let (id, secret) = (env.var("AWS_ACCESS_KEY_ID"), env.var("AWS_SECRET_ACCESS_KEY"));
    match (id, secret) {
        (Some(id), Some(secret)) => {
            let credentials = Credentials::new(id, secret, env.var("AWS_SESSION_TOKEN").map(str::to_owned));
            well_formed(credentials, "the environment").map(|c| Some(Source::Fixed(c)))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(AwsError::credentials("`AWS_ACCESS_KEY_ID` is set, `AWS_SECRET_ACCESS_KEY` isn't", "set both")),
        (None, Some(_)) => Err(AwsError::credentials("`AWS_SECRET_ACCESS_KEY` is set, `AWS_ACCESS_KEY_ID` isn't", "set both")),
    }
}

/// Keys that can stand in a header.
fn well_formed(credentials: Credentials, place: &str) -> Result<Credentials, AwsError> {
    let fine = |text: &str| !text.is_empty() && text.len() <= 16_384 && text.bytes().all(|b| b.is_ascii_graphic());
    if fine(&credentials.key_id) && fine(&credentials.secret) && credentials.token.as_deref().is_none_or(fine) {
        return Ok(credentials);
    }
    let help = "copy them again, without spaces or line breaks";
    Err(AwsError::credentials(format!("the credentials in {place} are malformed"), help))
}

#[cfg(test)]
mod tests;
