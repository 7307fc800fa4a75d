//! The shared files `~/.aws/config` and `~/.aws/credentials` (AWS SDKs reference guide, "Shared config and credentials files").

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{Credentials, Role, Source, metadata, sso, well_formed};
use crate::environment::Environment;
use crate::error::AwsError;

/// The longest file that is read.
const FILE_BYTES_MAX: u64 = 4 << 20;

type Section = BTreeMap<String, String>;

/// Every profile, SSO session and `services` section of the shared files. A nested setting (`endpoint_url` below `s3 =`) goes by
/// both names, `s3.endpoint_url`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Profiles {
    profiles: BTreeMap<String, Section>,
    sessions: BTreeMap<String, Section>,
    services: BTreeMap<String, Section>,
}

impl Profiles {
    /// Reads both files; a file that is not there is empty.
    pub(crate) fn load(env: &Environment) -> Result<Profiles, AwsError> {
        let path = |variable: &str, name: &str| {
            env.var(variable).map(PathBuf::from).or_else(|| env.home().map(|h| h.join(".aws").join(name)))
        };
        let mut profiles = Profiles::default();
        for (variable, name) in [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")] {
            let Some(path) = path(variable, name) else { continue };
            let fail = |what: String| AwsError::config(format!("`{}`: {what}", path.display()), "mend the file");
            match std::fs::metadata(&path) {
                Err(_) => continue,
                Ok(facts) if facts.len() > FILE_BYTES_MAX => return Err(fail(format!("longer than {FILE_BYTES_MAX} bytes"))),
                Ok(_) => {}
            }
            let text = std::fs::read_to_string(&path).map_err(|e| fail(e.to_string()))?;
            profiles.add(&text, name == "config").map_err(fail)?;
        }
        Ok(profiles)
    }

    /// Adds a file's sections; of a key that is there twice the later value stays.
    pub(crate) fn add(&mut self, text: &str, is_config: bool) -> Result<(), String> {
        let mut section: Option<&mut Section> = None;
        let mut above = String::new();
        for (number, line) in text.lines().enumerate() {
            let indented = line.starts_with([' ', '\t']);
            let line = line.trim();
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(rest) = line.strip_prefix('[') {
                let Some((name, _)) = rest.split_once(']') else { return Err(format!("line {}: `[` without `]`", number + 1)) };
                let (kind, name) = name.trim().split_once([' ', '\t']).map_or(("", name.trim()), |(k, n)| (k, n.trim()));
                section = match (kind, is_config) {
                    ("", false) => Some(self.profiles.entry(name.to_owned()).or_default()),
                    ("", true) if name == "default" => Some(self.profiles.entry(name.to_owned()).or_default()),
                    ("profile", _) => Some(self.profiles.entry(name.to_owned()).or_default()),
                    ("sso-session", true) => Some(self.sessions.entry(name.to_owned()).or_default()),
                    ("services", true) => Some(self.services.entry(name.to_owned()).or_default()),
                    _ => None,
                };
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                // What a nested setting may hold is the service's own affair.
                if indented {
                    continue;
                }
                return Err(format!("line {}: neither a section nor `key = value`", number + 1));
            };
            let value = value.split(" #").next().and_then(|v| v.split(" ;").next()).unwrap_or_default();
            let key = key.trim().to_ascii_lowercase();
            let key = if indented { format!("{above}.{key}") } else { key };
            if !indented {
                above.clone_from(&key);
            }
            if let Some(section) = section.as_deref_mut() {
                section.insert(key, value.trim().to_owned());
            }
        }
        Ok(())
    }

    /// True if there is such a profile.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.profiles.contains_key(name)
    }

    /// The profiles' names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.profiles.keys().map(String::as_str)
    }

    /// A setting of a profile.
    pub(crate) fn setting(&self, profile: &str, key: &str) -> Option<&str> {
        self.profiles.get(profile)?.get(key).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// Where a profile says that services are: the service as its `services` section writes it, none for all, and the URL.
    pub(crate) fn endpoints(&self, profile: &str) -> Vec<(Option<&str>, &str)> {
        let section = self.setting(profile, "services").and_then(|name| self.services.get(name));
        let own =
            section.into_iter().flatten().filter_map(|(key, url)| Some((Some(key.strip_suffix(".endpoint_url")?), url.as_str())));
        own.chain(self.setting(profile, "endpoint_url").map(|url| (None, url))).filter(|(_, url)| !url.is_empty()).collect()
    }

    /// Where a profile's credentials come from; `None` if it says nothing of credentials.
    pub(crate) fn source(&self, name: &str, env: &Environment) -> Result<Option<Source>, AwsError> {
        let mut roles = Vec::new();
        let mut seen = BTreeSet::new();
        let mut at = name.to_owned();
        let base = loop {
            if !seen.insert(at.clone()) {
                // A profile may name itself as its source: then its own keys are meant.
                if roles.len() == 1
                    && let Some(keys) = self.keys(&at)?
                {
                    break keys;
                }
                return Err(AwsError::credentials(
                    format!("the profile `{name}` loops: `{at}` is its own source"),
                    "let the last `source_profile` name a profile with credentials",
                ));
            }
            if !self.has(&at) {
                return Err(AwsError::credentials(
                    format!("there is no profile `{at}`, which `{name}` names as a source"),
                    "add it",
                ));
            }
            let of = |key: &str| self.setting(&at, key).map(str::to_owned);
            let Some(arn) = of("role_arn") else {
                match self.direct(&at)? {
                    Some(found) => break found,
                    None if roles.is_empty() => return Ok(None),
                    None => {
                        let message = format!("the profile `{at}`, a source of `{name}`, has no credentials");
                        return Err(AwsError::credentials(message, "give it keys, an SSO session or a process"));
                    }
                }
            };
            let role = Role {
                arn,
                session: of("role_session_name"),
                external_id: of("external_id"),
                mfa_serial: of("mfa_serial"),
                duration_seconds: of("duration_seconds").and_then(|d| d.parse().ok()),
            };
            if let Some(token_file) = of("web_identity_token_file") {
                break Source::WebIdentity { role, token_file };
            }
            roles.push(role);
            match (of("source_profile"), of("credential_source")) {
                (Some(next), _) => at = next,
                (None, Some(kind)) => break credential_source(&kind, env)?,
                (None, None) => {
                    let message = format!("the profile `{at}` has a `role_arn` but no source of credentials");
                    return Err(AwsError::credentials(message, "add `source_profile` or `credential_source`"));
                }
            }
        };
        Ok(Some(roles.into_iter().rev().fold(base, |source, role| Source::Role { source: Box::new(source), role })))
    }

    fn keys(&self, name: &str) -> Result<Option<Source>, AwsError> {
        let of = |key: &str| self.setting(name, key).map(str::to_owned);
        match (of("aws_access_key_id"), of("aws_secret_access_key")) {
            (Some(id), Some(secret)) => {
                let credentials = Credentials::new(id, secret, of("aws_session_token"));
                well_formed(credentials, &format!("the profile `{name}`")).map(|c| Some(Source::Fixed(c)))
            }
            (None, None) => Ok(None),
            _ => Err(AwsError::credentials(format!("the profile `{name}` has half a pair of keys"), "give both keys")),
        }
    }

    fn direct(&self, name: &str) -> Result<Option<Source>, AwsError> {
        let of = |key: &str| self.setting(name, key).map(str::to_owned);
        if let Some(account) = of("sso_account_id") {
            let session = of("sso_session");
            let shared = session.as_ref().and_then(|s| self.sessions.get(s));
            let either = |key: &str| of(key).or_else(|| shared?.get(key).cloned());
            let (Some(start_url), Some(region), Some(role)) =
                (either("sso_start_url"), either("sso_region"), of("sso_role_name"))
            else {
                let message = format!("the profile `{name}` lacks a part of its SSO settings");
                return Err(AwsError::credentials(message, "run `aws configure sso`"));
            };
            return Ok(Some(Source::Sso(sso::Login { session, start_url, region, account, role, profile: name.to_owned() })));
        }
        if let Some(keys) = self.keys(name)? {
            return Ok(Some(keys));
        }
        Ok(of("credential_process").map(Source::Process))
    }
}

fn credential_source(kind: &str, env: &Environment) -> Result<Source, AwsError> {
    match kind {
        "Environment" => match super::of_environment(env)? {
            Some(source) => Ok(source),
            None => {
                Err(AwsError::credentials("`credential_source = Environment`, but no keys are set", "set `AWS_ACCESS_KEY_ID`"))
            }
        },
        "EcsContainer" => match metadata::container_source(env)? {
            Some(source) => Ok(source),
            None => Err(AwsError::credentials("`credential_source = EcsContainer`, but this is no container", "run it in one")),
        },
        "Ec2InstanceMetadata" => {
            let endpoint = env.var("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or("http://169.254.169.254");
            Ok(Source::Instance { endpoint: endpoint.trim_end_matches('/').to_owned() })
        }
        other => Err(AwsError::credentials(
            format!("there is no `credential_source` `{other}`"),
            "use `Environment`, `EcsContainer` or `Ec2InstanceMetadata`",
        )),
    }
}
