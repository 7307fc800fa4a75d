//! Who did what, when and from where: the part of an event that outlives its bytes.

use std::sync::Arc;

use logs::cloudtrail::Event;
use logs::paths::{PathId, Paths};
use logs::{Kind, time};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

/// The longest text kept of any field.
pub const TEXT_BYTES_MAX: usize = 2048;

/// The most resources kept of one event.
pub const RESOURCES_MAX: usize = 20;

/// The paths that every consumer needs.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is the CloudTrail field of its name")]
pub struct Standard {
    pub event_name: PathId,
    pub event_source: PathId,
    pub event_time: PathId,
    pub event_id: PathId,
    pub event_type: PathId,
    pub region: PathId,
    pub recipient: PathId,
    pub address: PathId,
    pub agent: PathId,
    pub error: PathId,
    pub read_only: PathId,
    pub resources: PathId,
    pub user: PathId,
    pub user_type: PathId,
    pub user_arn: PathId,
    pub user_id: PathId,
    pub user_name: PathId,
    pub user_account: PathId,
    pub user_key: PathId,
    pub invoked_by: PathId,
    pub issuer_arn: PathId,
    pub mfa: PathId,
    pub issued_key: PathId,
    pub issued_arn: PathId,
    pub federated_arn: PathId,
}

impl Standard {
    /// Wants them all.
    pub fn new(paths: &mut Paths) -> Standard {
        Standard {
            event_name: paths.add("eventName"),
            event_source: paths.add("eventSource"),
            event_time: paths.add("eventTime"),
            event_id: paths.add("eventID"),
            event_type: paths.add("eventType"),
            region: paths.add("awsRegion"),
            recipient: paths.add("recipientAccountId"),
            address: paths.add("sourceIPAddress"),
            agent: paths.add("userAgent"),
            error: paths.add("errorCode"),
            read_only: paths.add("readOnly"),
            resources: paths.add("resources.ARN"),
            user: paths.add("userIdentity"),
            user_type: paths.add("userIdentity.type"),
            user_arn: paths.add("userIdentity.arn"),
            user_id: paths.add("userIdentity.principalId"),
            user_name: paths.add("userIdentity.userName"),
            user_account: paths.add("userIdentity.accountId"),
            user_key: paths.add("userIdentity.accessKeyId"),
            invoked_by: paths.add("userIdentity.invokedBy"),
            issuer_arn: paths.add("userIdentity.sessionContext.sessionIssuer.arn"),
            mfa: paths.add("userIdentity.sessionContext.attributes.mfaAuthenticated"),
            issued_key: paths.add("responseElements.credentials.accessKeyId"),
            issued_arn: paths.add("responseElements.assumedRoleUser.arn"),
            federated_arn: paths.add("responseElements.federatedUser.arn"),
        }
    }
}

/// What kind of principal acts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The root user.
    Root,
    /// A person: an IAM user, Identity Center, the console.
    Person,
    /// A deployment pipeline or infrastructure as code.
    Pipeline,
    /// A compute workload: an EC2 instance, a function, a container.
    Workload,
    /// A role session that says no more.
    Role,
    /// A service-linked role.
    ServiceLinked,
    /// An AWS service.
    Service,
    /// A principal of another account.
    OtherAccount,
    /// A federated user.
    Federated,
    /// Nobody signed.
    Anonymous,
    /// The record doesn't say.
    #[default]
    Unknown,
}

impl Class {
    /// The name as outputs write it.
    pub fn name(self) -> &'static str {
        match self {
            Class::Root => "root",
            Class::Person => "person",
            Class::Pipeline => "pipeline",
            Class::Workload => "workload",
            Class::Role => "role",
            Class::ServiceLinked => "service-linked",
            Class::Service => "service",
            Class::OtherAccount => "other-account",
            Class::Federated => "federated",
            Class::Anonymous => "anonymous",
            Class::Unknown => "unknown",
        }
    }
}

/// Who acts.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Actor {
    /// The principal's ARN, a service's name, or what else the record gives; `unknown` if nothing.
    pub id: String,
    /// What kind it is.
    pub class: Class,
    /// Its account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The access key id that signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// For a role session: the role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// For a role session whose start is in the logs: the first principal of the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
}

/// Text that many events share.
pub type Text = Arc<str>;

/// An event, as far as an alert needs it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is the CloudTrail field of its name")]
pub struct Sighting {
    /// Seconds since 1970; 0 if the record has no readable time.
    pub time: i64,
    pub id: Box<str>,
    pub name: Text,
    pub source: Text,
    pub region: Text,
    pub account: Text,
    pub address: Text,
    pub agent: Text,
    pub error: Option<Text>,
    pub read_only: bool,
    pub actor: Arc<Actor>,
    pub resources: Box<[Text]>,
    /// Which input it came from.
    pub input: u32,
    /// Which record of that input, from 1.
    pub record: u64,
}

/// The start of `text` within [`TEXT_BYTES_MAX`], cut between characters.
pub(crate) fn clip(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The most texts and actors that [`Known`] holds; past it, it starts anew.
const KNOWN_MAX: usize = 4096;

/// Texts and actors of earlier events: they come again and again, and are then shared.
#[derive(Clone, Debug, Default)]
pub struct Known {
    texts: FxHashSet<Text>,
    /// By the bytes of `userIdentity` and the user agent, from which all of it follows.
    actors: FxHashMap<Box<[u8]>, Arc<Actor>>,
    key: Vec<u8>,
}

impl Known {
    /// The text, clipped, as earlier events had it.
    pub(crate) fn text(&mut self, text: &str) -> Text {
        let text = clip(text);
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        if self.texts.len() >= KNOWN_MAX {
            self.texts.clear();
        }
        let new = Text::from(text);
        self.texts.insert(Arc::clone(&new));
        new
    }

    fn actor(&mut self, event: &Event<'_>, standard: &Standard) -> Arc<Actor> {
        let Some(identity) = event.first(standard.user).filter(|leaf| leaf.kind == Kind::Object) else {
            return Arc::new(actor(event, standard));
        };
        self.key.clear();
        self.key.extend_from_slice(identity.bytes);
        self.key.extend_from_slice(event.text(standard.agent).unwrap_or_default().as_bytes());
        if let Some(known) = self.actors.get(self.key.as_slice()) {
            return Arc::clone(known);
        }
        if self.actors.len() >= KNOWN_MAX {
            self.actors.clear();
        }
        let new = Arc::new(actor(event, standard));
        self.actors.insert(self.key.as_slice().into(), Arc::clone(&new));
        new
    }

    /// Copies out of an event what outlives it.
    pub fn sighting(&mut self, event: &Event<'_>, standard: &Standard, input: u32) -> Sighting {
        let recipient = event.text(standard.recipient).or_else(|| event.text(standard.user_account));
        let account = self.text(recipient.unwrap_or_default());
        let resources = event.values(standard.resources).take(RESOURCES_MAX).map(|leaf| self.text(leaf.text())).collect();
        let error = event.text(standard.error).map(|code| self.text(code));
        let mut text = |path: PathId| self.text(event.text(path).unwrap_or_default());
        Sighting {
            time: seconds(event, standard),
            id: event.text(standard.event_id).map(clip).unwrap_or_default().into(),
            name: text(standard.event_name),
            source: text(standard.event_source),
            region: text(standard.region),
            account,
            address: text(standard.address),
            agent: text(standard.agent),
            error,
            read_only: event.text(standard.read_only) == Some("true"),
            actor: self.actor(event, standard),
            resources,
            input,
            record: event.ordinal(),
        }
    }
}

/// When an event happened, in seconds since 1970; 0 if it doesn't say.
pub fn seconds(event: &Event<'_>, standard: &Standard) -> i64 {
    event.first(standard.event_time).and_then(|leaf| time::seconds(leaf.bytes)).unwrap_or(0)
}

/// Who acts in an event.
pub fn actor(event: &Event<'_>, standard: &Standard) -> Actor {
    let text = |path: PathId| event.text(path).map(clip).filter(|text| !text.is_empty());
    let owned = |path: PathId| text(path).map(str::to_owned);
    let kind = text(standard.user_type).unwrap_or_default();
    let id = text(standard.user_arn)
        .or_else(|| text(standard.invoked_by))
        .or_else(|| text(standard.user_id))
        .or_else(|| text(standard.user_name))
        .unwrap_or("unknown");
    let role = owned(standard.issuer_arn).filter(|_| matches!(kind, "AssumedRole" | "FederatedUser" | "Role"));
    Actor {
        id: id.to_owned(),
        class: class(event, standard, kind, role.as_deref()),
        account: owned(standard.user_account),
        access_key: owned(standard.user_key),
        role,
        origin: None,
    }
}

fn class(event: &Event<'_>, standard: &Standard, kind: &str, role: Option<&str>) -> Class {
    let agent = event.text(standard.agent).unwrap_or_default();
    let invoked_by = event.text(standard.invoked_by).unwrap_or_default();
    let arn = event.text(standard.user_arn).unwrap_or_default();
    let session = arn.rsplit('/').next().unwrap_or_default();
    if arn.contains("/aws-service-role/")
        || role.is_some_and(|r| r.contains("/aws-service-role/") || r.contains("/AWSServiceRoleFor"))
    {
        return Class::ServiceLinked;
    }
    let automated = ["terraform", "pulumi", "HashiCorp", "cloudformation.amazonaws.com", "cdk", "GitHubActions", "gitlab"];
    let pipeline = automated.iter().any(|word| agent.contains(word) || invoked_by == *word) || session.contains("GitHubActions");
    match kind {
        "Root" => Class::Root,
        "AWSService" => Class::Service,
        "AWSAccount" => Class::OtherAccount,
        "AnonymousUser" | "Anonymous" => Class::Anonymous,
        _ if pipeline => Class::Pipeline,
        _ if invoked_by.ends_with(".amazonaws.com") && kind.is_empty() => Class::Service,
        "IAMUser" | "IdentityCenterUser" | "Directory" => Class::Person,
        "FederatedUser" | "SAMLUser" | "WebIdentityUser" => Class::Federated,
        "AssumedRole" | "Role" if role.is_some_and(|r| r.contains("AWSReservedSSO_")) => Class::Person,
        "AssumedRole" | "Role" if session.starts_with("i-") || agent.contains("exec-env/AWS_") => Class::Workload,
        "AssumedRole" | "Role" => Class::Role,
        _ => Class::Unknown,
    }
}

/// A session that one principal handed to another: the link of a role chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// When.
    pub time: i64,
    /// The event.
    pub id: String,
    /// The access key id of the new session.
    pub key: Option<String>,
    /// The ARN of the new session.
    pub session: Option<String>,
    /// Who asked for it.
    pub caller: String,
    /// With which key.
    pub caller_key: Option<String>,
}

/// The link, if the event made a session.
pub fn link(event: &Event<'_>, standard: &Standard) -> Option<Link> {
    let key = event.text(standard.issued_key);
    let session = event.text(standard.issued_arn).or_else(|| event.text(standard.federated_arn));
    if key.is_none() && session.is_none() {
        return None;
    }
    let caller = actor(event, standard);
    Some(Link {
        time: seconds(event, standard),
        id: event.text(standard.event_id).map(clip).unwrap_or_default().to_owned(),
        key: key.map(|key| clip(key).to_owned()),
        session: session.map(|arn| clip(arn).to_owned()),
        caller: caller.id,
        caller_key: caller.access_key,
    })
}
