//! Requests: who asks for what, and under which circumstances.

use std::collections::BTreeMap;

use model::{Text, Truth};
use smallvec::SmallVec;

use crate::arn::{Parts, Short};
use crate::document::{ActionPattern, PrincipalPattern};
use crate::glob::{Variable, Variables};
use crate::unknown_name::{is_account, same, same_account};

/// Longest action, resource, principal or context value that is evaluated, in bytes.
pub const REQUEST_TEXT_BYTES_MAX: usize = 64 * 1024;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Caller {
    /// Nobody: no signature.
    Anonymous,
    /// An AWS service, by name: `logs.amazonaws.com`.
    Service(Text),
    /// The root user of an account.
    Root(Identity),
    /// An IAM user.
    User(Identity),
    /// A role by itself, standing for any session of it.
    Role(Identity),
    /// A session of a role: `name` is the role's.
    Session {
        /// The session's ARN, the role's account and the role's name.
        identity: Identity,
        /// The session's name.
        session: Text,
    },
    /// A session from `GetFederationToken`; the name is the session's.
    FederatedUser(Identity),
    /// Somebody known to an identity provider only (OIDC or SAML), by the provider's ARN or name.
    Provider(Text),
    /// An AWS principal of a form that is not known.
    Other(Identity),
}

/// The names of an AWS principal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity {
    /// The whole ARN.
    pub arn: Text,
    /// The account, twelve digits.
    pub account: Text,
    /// The name without path.
    pub name: Text,
}

impl Caller {
    /// Reads a principal: an ARN, a service's or identity provider's name, an account number (its root), or `*` (anonymous).
    pub fn parse(text: &str) -> Caller {
        let parts = Parts::new(text);
        if parts.fields.is_none() {
            return match text {
                "*" | "" | "anonymous" | "Anonymous" => Caller::Anonymous,
                _ if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) => {
                    let arn = Text::from(format!("arn:aws:iam::{text}:root"));
                    Caller::Root(Identity { arn, account: text.into(), name: "root".into() })
                }
                _ if is_provider(text) => Caller::Provider(text.into()),
                _ => Caller::Service(text.into()),
            };
        }
        let resource = parts.field(5);
        let (kind, rest) = resource.split_once('/').unwrap_or((resource, ""));
        let name = rest.rsplit('/').next().unwrap_or_default();
        let identity = |name: &str| Identity { arn: text.into(), account: parts.field(4).into(), name: name.into() };
        match (parts.field(2), kind) {
            ("iam", "root") => Caller::Root(identity("root")),
            ("iam", "user") => Caller::User(identity(name)),
            ("iam", "role") => Caller::Role(identity(name)),
            ("iam", "oidc-provider" | "saml-provider") => Caller::Provider(text.into()),
            ("sts", "assumed-role") => {
                let (role, session) = rest.rsplit_once('/').unwrap_or((rest, ""));
                let role = role.rsplit('/').next().unwrap_or_default();
                Caller::Session { identity: identity(role), session: session.into() }
            }
            ("sts", "federated-user") => Caller::FederatedUser(identity(rest)),
            _ => Caller::Other(identity(name)),
        }
    }

    /// The account, for AWS principals.
    pub fn account(&self) -> Option<&Text> {
        self.identity().map(|i| &i.account)
    }

    /// The names, for AWS principals.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Caller::Root(i) | Caller::User(i) | Caller::Role(i) | Caller::FederatedUser(i) | Caller::Other(i) => Some(i),
            Caller::Session { identity, .. } => Some(identity),
            Caller::Anonymous | Caller::Service(_) | Caller::Provider(_) => None,
        }
    }

    /// The text that reads as this caller again.
    pub fn text(&self) -> &str {
        match self {
            Caller::Anonymous => "*",
            Caller::Service(name) | Caller::Provider(name) => name,
            other => other.identity().map_or("*", |i| &i.arn),
        }
    }

    /// True for a role that AWS made for one of its services; SCPs and RCPs do not touch it.
    pub fn is_service_linked(&self) -> bool {
        match self {
            Caller::Role(i) => i.arn.contains(":role/aws-service-role/"),
            Caller::Session { identity, .. } => {
                identity.name.starts_with("AWSServiceRoleFor") || identity.arn.contains(":assumed-role/aws-service-role/")
            }
            _ => false,
        }
    }
}

fn is_provider(name: &str) -> bool {
    matches!(name, "accounts.google.com" | "www.amazon.com" | "graph.facebook.com" | "cognito-identity.amazonaws.com")
}

/// How a principal element takes a caller in, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// Named itself, or everyone is.
    pub(crate) direct: Truth,
    /// Its role, or the user behind a federated session, is named.
    pub(crate) via_role: Truth,
    /// Its account is named: the account's own policies decide further.
    pub(crate) via_account: Truth,
}

impl Grant {
    pub(crate) const NONE: Grant = Grant { direct: Truth::False, via_role: Truth::False, via_account: Truth::False };
    pub(crate) const DIRECT: Grant = Grant { direct: Truth::True, via_role: Truth::False, via_account: Truth::False };

    pub(crate) fn or(self, other: Grant) -> Grant {
        Grant {
            direct: self.direct.or(other.direct),
            via_role: self.via_role.or(other.via_role),
            via_account: self.via_account.or(other.via_account),
        }
    }

    pub(crate) fn and(self, truth: Truth) -> Grant {
        Grant { direct: self.direct.and(truth), via_role: self.via_role.and(truth), via_account: self.via_account.and(truth) }
    }

    pub(crate) fn any(self) -> Truth {
        self.direct.or(self.via_role).or(self.via_account)
    }
}

impl PrincipalPattern {
    /// How this principal takes the caller in.
    pub(crate) fn matches(&self, caller: &Caller, mode: Mode) -> Grant {
        let truth = |yes: bool| Truth::from(yes);
        match self {
            PrincipalPattern::Everyone => Grant::DIRECT,
            PrincipalPattern::Hole(_) => Grant { direct: Truth::Unknown, ..Grant::NONE },
            PrincipalPattern::Named(_) => match caller {
                Caller::Anonymous => Grant::NONE,
                _ => Grant { direct: Truth::Unknown, ..Grant::NONE },
            },
            PrincipalPattern::Placeholder { pattern, reading, .. } => {
                let same = pattern.matches(&Parts::new(caller.text()), Short::Never, &Context::default());
                Grant { direct: same.and(*reading), ..Grant::NONE }
            }
            PrincipalPattern::Other(name) => Grant { direct: truth(caller.text() == &**name), ..Grant::NONE },
            PrincipalPattern::Service(name) => match caller {
                Caller::Service(own) => Grant { direct: truth(own == name || &**name == "*"), ..Grant::NONE },
                _ => Grant::NONE,
            },
            PrincipalPattern::Federated(name) => match caller {
                Caller::Provider(own) => Grant { direct: truth(own == name || &**name == "*"), ..Grant::NONE },
                _ => Grant::NONE,
            },
            PrincipalPattern::Account(account) => match caller {
                Caller::Root(own) => Grant { direct: same_account(&own.account, account), ..Grant::NONE },
                other => {
                    let via_account = other.identity().map_or(Truth::False, |i| same_account(&i.account, account));
                    Grant { via_account, ..Grant::NONE }
                }
            },
            PrincipalPattern::Arn(arn) => by_arn(arn, caller, mode),
        }
    }
}

fn by_arn(arn: &Text, caller: &Caller, mode: Mode) -> Grant {
    let Some(own) = caller.identity() else {
        return match caller {
            Caller::Provider(own) | Caller::Service(own) => Grant { direct: Truth::from(own == arn), ..Grant::NONE },
            _ => Grant::NONE,
        };
    };
    if own.arn == *arn {
        return match caller {
            Caller::Role(_) => Grant { via_role: Truth::True, ..Grant::NONE },
            _ => Grant::DIRECT,
        };
    }
    if same(arn, &own.arn) == Truth::Unknown {
        return match caller {
            Caller::Role(_) => Grant { via_role: Truth::Unknown, ..Grant::NONE },
            _ => Grant { direct: Truth::Unknown, ..Grant::NONE },
        };
    }
    let (named, mine) = (Parts::new(arn), Parts::new(&own.arn));
    let account = same_account(named.field(4), &own.account);
    if account == Truth::False || named.field(1) != mine.field(1) {
        return Grant::NONE;
    }
    let (kind, rest) = named.field(5).split_once('/').unwrap_or_default();
    let last = rest.rsplit('/').next().unwrap_or_default();
    // A path is not part of a session's ARN.
    match (caller, named.field(2), kind) {
        (Caller::Session { .. }, "iam", "role") => Grant { via_role: same_role(last, &own.name).and(account), ..Grant::NONE },
        (Caller::FederatedUser(_), "iam", "user") => Grant { via_role: same(last, &own.name).and(account), ..Grant::NONE },
        (Caller::Role(_) | Caller::Session { .. }, "sts", "assumed-role") if mode == Mode::Discovery => {
            let role = rest.split('/').next().unwrap_or_default();
            Grant { direct: same_role(role, &own.name).and(Truth::Unknown), ..Grant::NONE }
        }
        _ => Grant::NONE,
    }
}

/// Names of roles are one however they are cased.
fn same_role(a: &str, b: &str) -> Truth {
    if a.eq_ignore_ascii_case(b) { Truth::True } else { same(a, b) }
}

/// The values of one context key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Present with these values; a single-valued key has one.
    Values(SmallVec<[Text; 1]>),
    /// A multi-valued key, present with these values: none, one, or more. It needs a set operator even if it has one.
    Many(SmallVec<[Text; 1]>),
    /// Certainly not in the request.
    Absent,
    /// Nobody knows.
    Unknown,
}

/// What happens to a key that the context does not mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// It is absent.
    #[default]
    Strict,
    /// It is unknown.
    Discovery,
}

/// The context keys of a request. Keys are kept in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Context {
    entries: Vec<(Box<str>, Entry)>,
    mode: Mode,
    /// Names that nobody knows yet are different from every other text.
    apart: bool,
}

impl Context {
    /// An empty context.
    pub fn new(mode: Mode) -> Context {
        Context { entries: Vec::new(), mode, apart: false }
    }

    /// The same for a search, which takes names that nobody knows yet for different from every other text and looks at the
    /// coincidences by themselves ([`crate::unknown_name::worlds`]).
    pub(crate) fn apart(mut self) -> Context {
        self.apart = true;
        self
    }

    /// Sets a key, in whatever case.
    pub fn set(&mut self, key: &str, entry: Entry) {
        let key = key.to_ascii_lowercase().into_boxed_str();
        match self.entries.binary_search_by(|(k, _)| k.cmp(&key)) {
            Ok(at) => {
                if let Some(slot) = self.entries.get_mut(at) {
                    slot.1 = entry;
                }
            }
            Err(at) => self.entries.insert(at, (key, entry)),
        }
    }

    /// Sets a key to one value.
    pub fn set_text(&mut self, key: &str, value: impl Into<Text>) {
        self.set(key, Entry::Values(SmallVec::from_iter([value.into()])));
    }

    /// Sets a key unless it is there already.
    pub fn set_default(&mut self, key: &str, entry: impl FnOnce() -> Entry) {
        if !self.contains(key) {
            self.set(key, entry());
        }
    }

    /// True if the key was mentioned.
    pub fn contains(&self, key: &str) -> bool {
        self.find(&key.to_ascii_lowercase()).is_some()
    }

    /// Drops the keys for which `keep` is false.
    pub(crate) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.entries.retain(|(k, _)| keep(k));
    }

    fn find(&self, key: &str) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|(k, _)| (**k).cmp(key)).ok()?;
        self.entries.get(at).map(|(_, e)| e)
    }

    /// The entry of a lower-case key.
    pub(crate) fn get(&self, key: &str) -> &Entry {
        static ABSENT: Entry = Entry::Absent;
        static UNKNOWN: Entry = Entry::Unknown;
        self.find(key).unwrap_or(match self.mode {
            Mode::Strict => &ABSENT,
            Mode::Discovery => &UNKNOWN,
        })
    }

    /// What happens to keys that are not mentioned.
    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// Every key with its values, in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(k, e)| (&**k, e))
    }
}

impl Variables for Context {
    fn variable(&self, key: &str) -> Variable<'_> {
        match self.get(key) {
            Entry::Values(values) => match values.as_slice() {
                [one] => Variable::Is(one),
                _ => Variable::Absent,
            },
            Entry::Absent | Entry::Many(_) => Variable::Absent,
            Entry::Unknown => Variable::Unknown,
        }
    }

    fn apart(&self) -> bool {
        self.apart
    }
}

/// How much a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Breadth {
    /// One resource, or none (`*` for actions that take none).
    #[default]
    One,
    /// Whatever resources a pattern covers; `*` covers all. Allowed means that some of them may be allowed, denied that all
    /// of them are.
    Set,
}

/// One request, ready to be evaluated.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Who asks.
    pub caller: Caller,
    /// `s3:GetObject`, as asked for.
    pub action: Text,
    /// The resource's ARN, or `*` for actions that take none.
    resource: Text,
    /// Where the first five colons of the resource are.
    colons: Option<[u32; 5]>,
    /// Whether `*` in the resource stands for many.
    pub breadth: Breadth,
    /// The account that owns the resource, where known.
    pub resource_account: Option<Text>,
    /// The context, with what follows from the rest of the request.
    pub context: Context,
    /// `service` and `name` of the action, lower case.
    pub(crate) service: Box<str>,
    pub(crate) name: Box<str>,
}

impl Request {
    /// Builds a request and derives the context keys that follow from the caller and the resource.
    ///
    /// Source: IAM user guide, "AWS global condition context keys".
    pub fn new(caller: Caller, action: &str, resource: &str, resource_account: Option<&str>, context: Context) -> Request {
        let mut request = Request::bare(caller, action, resource, resource_account, context);
        request.derive();
        request
    }

    /// Builds a request with just this context.
    pub fn bare(caller: Caller, action: &str, resource: &str, resource_account: Option<&str>, context: Context) -> Request {
        let lower = action.to_ascii_lowercase();
        let (service, name) = lower.split_once(':').unwrap_or((lower.as_str(), ""));
        let own = Parts::new(resource).field(4);
        let account: Option<Text> = match resource_account {
            Some(account) => Some(account.into()),
            None if is_account(own) => Some(own.into()),
            None if resource == "*" => caller.account().cloned(),
            None => None,
        };
        Request {
            caller,
            action: action.into(),
            resource: resource.into(),
            colons: colons(resource),
            breadth: Breadth::One,
            resource_account: account,
            context,
            service: service.into(),
            name: name.into(),
        }
    }

    fn derive(&mut self) {
        let one = |value: &str| Entry::Values(SmallVec::from_iter([Text::from(value)]));
        let context = &mut self.context;
        if let Some(account) = &self.resource_account {
            context.set_default("aws:resourceaccount", || one(account));
        }
        let service = matches!(self.caller, Caller::Service(_));
        context.set_default("aws:principalisawsservice", || one(if service { "true" } else { "false" }));
        let anonymous = matches!(self.caller, Caller::Anonymous);
        let kind = match &self.caller {
            Caller::Anonymous => Some("Anonymous"),
            Caller::Root(_) => Some("Account"),
            Caller::User(_) => Some("User"),
            Caller::Role(_) | Caller::Session { .. } => Some("AssumedRole"),
            Caller::FederatedUser(_) => Some("FederatedUser"),
            _ => None,
        };
        match kind {
            Some(kind) => context.set_default("aws:principaltype", || one(kind)),
            None => context.set_default("aws:principaltype", || Entry::Absent),
        }
        if let Caller::Service(name) = &self.caller {
            context.set_default("aws:principalservicename", || one(name));
        }
        if let Some(own) = self.caller.identity() {
            context.set_default("aws:principalaccount", || one(&own.account));
            let arn = match &self.caller {
                Caller::Session { identity, .. } => role_arn(identity),
                _ => own.arn.clone(),
            };
            context.set_default("aws:principalarn", || one(&arn));
            match &self.caller {
                Caller::User(user) => context.set_default("aws:username", || one(&user.name)),
                Caller::Root(root) => context.set_default("aws:userid", || one(&root.account)),
                Caller::FederatedUser(user) => {
                    let id = format!("{}:{}", user.account, user.name);
                    context.set_default("aws:userid", || one(&id));
                }
                _ => {}
            }
        } else if anonymous || service {
            for key in ["aws:principalaccount", "aws:principalarn", "aws:username", "aws:principalorgid"] {
                context.set_default(key, || Entry::Absent);
            }
        }
        if anonymous {
            context.set_default("aws:userid", || one("anonymous"));
        }
        if !matches!(self.caller, Caller::User(_)) {
            context.set_default("aws:username", || Entry::Absent);
        }
    }

    /// The resource's ARN, or `*` for actions that take none.
    pub fn resource(&self) -> &Text {
        &self.resource
    }

    /// The same request for another resource of the same account.
    pub(crate) fn set_resource(&mut self, resource: &Text) {
        self.colons = colons(resource);
        self.resource = resource.clone();
    }

    /// The resource's fields.
    #[inline]
    pub(crate) fn parts(&self) -> Parts<'_> {
        let text: &str = &self.resource;
        let fields = self.colons.map(|[a, b, c, d, e]| {
            let cut = |from: u32, to: u32| text.get(from as usize..to as usize).unwrap_or_default();
            let end = text.len() as u32;
            [cut(0, a), cut(a + 1, b), cut(b + 1, c), cut(c + 1, d), cut(d + 1, e), cut(e + 1, end)]
        });
        Parts { text, fields }
    }

    /// Whether an action pattern takes this request in.
    #[inline]
    pub(crate) fn action_matches(&self, pattern: &ActionPattern) -> Truth {
        let service = pattern.service.matches(&self.service, &self.context);
        if service == Truth::False {
            return Truth::False;
        }
        service.and(pattern.name.matches(&self.name, &self.context))
    }

    /// The context as plain values, for a counterexample that somebody else can replay.
    pub fn context_json(&self) -> BTreeMap<String, serde_json::Value> {
        let mut all = BTreeMap::new();
        for (key, entry) in self.context.iter() {
            let json = match entry {
                Entry::Values(values) | Entry::Many(values) => match (entry, values.as_slice()) {
                    (Entry::Values(_), [one]) => serde_json::Value::from(&**one),
                    (_, many) => many.iter().map(|v| serde_json::Value::from(&**v)).collect(),
                },
                Entry::Absent | Entry::Unknown => continue,
            };
            all.insert(key.to_owned(), json);
        }
        all
    }
}

fn colons(text: &str) -> Option<[u32; 5]> {
    let mut at = text.bytes().enumerate().filter(|(_, b)| *b == b':').map(|(i, _)| i as u32);
    Some([at.next()?, at.next()?, at.next()?, at.next()?, at.next()?])
}

/// The role's ARN behind a session; the path is not in the session's ARN, so roles below a path cannot be told.
fn role_arn(session: &Identity) -> Text {
    let partition = Parts::new(&session.arn).field(1).to_owned();
    format!("arn:{partition}:iam::{}:role/{}", session.account, session.name).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers() {
        let session = Caller::parse("arn:aws:sts::111122223333:assumed-role/App/me");
        assert!(matches!(&session, Caller::Session { identity, session } if &*identity.name == "App" && &**session == "me"));
        assert_eq!(Caller::parse("logs.amazonaws.com"), Caller::Service("logs.amazonaws.com".into()));
        assert!(matches!(Caller::parse("111122223333"), Caller::Root(_)));
        assert!(matches!(Caller::parse("arn:aws:iam::111122223333:oidc-provider/x.y"), Caller::Provider(_)));
        assert!(Caller::parse("arn:aws:iam::1:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX").is_service_linked());
    }

    #[test]
    fn a_role_is_named_by_any_path() {
        let session = Caller::parse("arn:aws:sts::111122223333:assumed-role/App/me");
        let named = |arn: &str| PrincipalPattern::Arn(arn.into()).matches(&session, Mode::Strict);
        assert_eq!(named("arn:aws:iam::111122223333:role/team/app").via_role, Truth::True);
        assert_eq!(named("arn:aws:sts::111122223333:assumed-role/App/me").direct, Truth::True);
        assert_eq!(named("arn:aws:iam::111122224444:role/App").any(), Truth::False);
    }
}
