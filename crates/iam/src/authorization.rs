//! Service-authorization facts: which actions there are, which resources they take, which condition keys they have.
//!
//! The built-in table is derived by `cargo xtask gen iam-facts`; a user can hand over a newer one. Its lines are read service by
//! service.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

/// Largest table, unpacked, in bytes.
pub const TABLE_BYTES_MAX: usize = 64 * 1024 * 1024;

static BUILT_IN: &str = include_str!(concat!(env!("OUT_DIR"), "/service-authorization.txt"));

/// The table.
#[derive(Clone, Debug, Default)]
pub struct Authorization {
    text: Cow<'static, str>,
    version: (usize, usize),
    services: BTreeMap<Box<str>, Service>,
    /// Lower-case global keys.
    global: Vec<(Box<str>, KeyType)>,
}

/// A service's part of the table.
#[derive(Clone, Debug, Default)]
struct Service {
    /// The byte range of its lines.
    lines: (usize, usize),
    /// Its actions in short, read when they are first asked for.
    short: OnceLock<Box<[ShortAction]>>,
    /// The byte range of each action's line, by its name in lower case; read when one is first asked for.
    actions: OnceLock<FxHashMap<Box<str>, (usize, usize)>>,
}

/// What is asked most often of an action.
#[derive(Clone, Debug)]
pub(crate) struct ShortAction {
    /// In lower case.
    pub(crate) name: Box<str>,
    pub(crate) level: Level,
    /// True if it takes resources; else only `*` counts.
    pub(crate) takes_resources: bool,
}

/// What values a condition key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// Text.
    Text,
    /// Several texts.
    Texts,
    /// An ARN.
    Arn,
    /// Several ARNs.
    Arns,
    /// True or false.
    Bool,
    /// A number.
    Number,
    /// A date.
    Date,
    /// An address.
    Address,
}

/// How an action counts in AWS's own grouping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Reads contents.
    Read,
    /// Lists names.
    List,
    /// Changes something.
    Write,
    /// Changes tags.
    Tagging,
    /// Changes permissions.
    Permissions,
    /// Not told.
    Other,
}

/// One action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action<'a> {
    /// Its name in the proper case.
    pub name: &'a str,
    /// Its group.
    pub level: Level,
    /// The resource types it takes; none means that only `*` counts.
    pub resources: Vec<&'a str>,
    /// The condition keys it has, besides the global ones.
    pub keys: Vec<&'a str>,
}

impl Authorization {
    /// The table that is built in.
    pub fn built_in() -> &'static Authorization {
        static TABLE: OnceLock<Authorization> = OnceLock::new();
        TABLE.get_or_init(|| Authorization::parse(Cow::Borrowed(BUILT_IN)).unwrap_or_default())
    }

    /// Reads a table, packed with zstd or plain.
    pub fn read(bytes: &[u8]) -> Result<Authorization, String> {
        let packed = bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
        let text = if packed { unpack(bytes)? } else { String::from_utf8_lossy(bytes).into_owned() };
        Authorization::parse(Cow::Owned(text))
    }

    fn parse(text: Cow<'static, str>) -> Result<Authorization, String> {
        let mut table = Authorization::default();
        let mut at = 0;
        let mut open: Option<(Box<str>, usize)> = None;
        for line in text.split_inclusive('\n') {
            let mut parts = line.trim_end().split('\t');
            match (parts.next(), parts.next(), parts.next()) {
                (Some("v"), Some(_), _) => table.version = (at + 2, at + line.trim_end().len()),
                (Some("g"), Some(key), Some(kind)) => {
                    table.global.push((key.to_ascii_lowercase().into(), KeyType::of(kind)));
                }
                (Some("s"), Some(prefix), _) => {
                    if let Some((name, from)) = open.take() {
                        table.services.insert(name, Service::at(from, at));
                    }
                    open = Some((prefix.to_ascii_lowercase().into(), at));
                }
                (Some("k" | "r" | "a"), Some(_), _) if open.is_some() => {}
                _ => return Err(format!("line `{}` is none of a service-authorization table", line.trim_end())),
            }
            at += line.len();
        }
        if let Some((name, from)) = open.take() {
            table.services.insert(name, Service::at(from, at));
        }
        if table.services.is_empty() {
            return Err("the service-authorization table is empty".to_owned());
        }
        table.text = text;
        Ok(table)
    }

    /// Where the table is from: package, version and date.
    pub fn version(&self) -> &str {
        self.text.get(self.version.0..self.version.1).unwrap_or_default()
    }

    /// True if there is a service with this prefix, in any case.
    pub fn has_service(&self, prefix: &str) -> bool {
        self.services.contains_key(prefix.to_ascii_lowercase().as_str())
    }

    /// How many services there are.
    pub fn len(&self) -> usize {
        self.services.len()
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// The prefixes of all services, in order.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(|k| &**k)
    }

    fn lines(&self, prefix: &str) -> impl Iterator<Item = &str> {
        self.lines_of(self.services.get(prefix.to_ascii_lowercase().as_str()))
    }

    fn lines_of(&self, service: Option<&Service>) -> std::str::Lines<'_> {
        let (from, to) = service.map(|s| s.lines).unwrap_or_default();
        self.text.get(from..to).unwrap_or_default().lines()
    }

    /// The actions of a service in short, in the table's order; the prefix in lower case.
    pub(crate) fn short_actions(&self, prefix: &str) -> &[ShortAction] {
        let read = |service| {
            let actions = self.lines_of(Some(service)).filter(|l| l.starts_with("a\t")).filter_map(|l| Action::parse(l, &[]));
            let short = |a: Action<'_>| ShortAction {
                name: a.name.to_ascii_lowercase().into(),
                level: a.level,
                takes_resources: !a.resources.is_empty(),
            };
            actions.map(short).collect()
        };
        self.services.get(prefix).map(|service| &**service.short.get_or_init(|| read(service))).unwrap_or_default()
    }

    /// The actions of a service, in the table's order.
    pub fn actions<'a>(&'a self, prefix: &str) -> impl Iterator<Item = Action<'a>> + 'a {
        let keys: Vec<&str> = self.keys(prefix).map(|(key, _)| key).collect();
        let lines: Vec<&str> = self.lines(prefix).filter(|l| l.starts_with("a\t")).collect();
        lines.into_iter().filter_map(move |line| Action::parse(line, &keys))
    }

    /// One action, in any case.
    pub fn action(&self, prefix: &str, name: &str) -> Option<Action<'_>> {
        let keys: Vec<&str> = self.keys(prefix).map(|(key, _)| key).collect();
        Action::parse(self.action_line(prefix, name)?, &keys)
    }

    fn action_line(&self, prefix: &str, name: &str) -> Option<&str> {
        let service = self.services.get(prefix.to_ascii_lowercase().as_str())?;
        let index = service.actions.get_or_init(|| {
            let (mut at, end) = service.lines;
            let mut index = FxHashMap::default();
            for line in self.text.get(at..end).unwrap_or_default().split_inclusive('\n') {
                let place = (at, at + line.trim_end().len());
                at += line.len();
                if let Some(name) = line.strip_prefix("a\t").and_then(|l| l.split(['\t', '\n']).next()) {
                    index.insert(name.to_ascii_lowercase().into(), place);
                }
            }
            index
        });
        let (from, to) = *index.get(name.to_ascii_lowercase().as_str())?;
        self.text.get(from..to)
    }

    /// The condition keys of a service with their types.
    pub fn keys<'a>(&'a self, prefix: &str) -> impl Iterator<Item = (&'a str, KeyType)> + 'a {
        let lines: Vec<&str> = self.lines(prefix).filter(|l| l.starts_with("k\t")).collect();
        lines.into_iter().filter_map(|line| {
            let mut parts = line.split('\t').skip(1);
            Some((parts.next()?, KeyType::of(parts.next()?)))
        })
    }

    /// The ARN pattern of a resource type: `arn:${Partition}:s3:::${BucketName}`.
    pub fn resource(&self, prefix: &str, name: &str) -> Option<&str> {
        self.lines(prefix).find_map(|line| {
            let mut parts = line.split('\t');
            (parts.next() == Some("r") && parts.next() == Some(name)).then(|| parts.next()).flatten()
        })
    }

    /// The type of a global key, in any case.
    pub fn global_key(&self, key: &str) -> Option<KeyType> {
        let lower = key.to_ascii_lowercase();
        let same = |known: &str| same_key(known, &lower);
        self.global.iter().find(|(known, _)| same(known)).map(|(_, kind)| *kind)
    }

    /// `s3:GetObject` for `s3:getobject`: the proper case, where the action is known.
    pub fn proper(&self, action: &str) -> String {
        let found = action.split_once(':').and_then(|(service, name)| {
            let known = Action::parse(self.action_line(service, name)?, &[])?;
            Some(format!("{service}:{}", known.name))
        });
        found.unwrap_or_else(|| action.to_owned())
    }
}

fn unpack(packed: &[u8]) -> Result<String, String> {
    let mut text = String::new();
    let reader = zstd::Decoder::new(packed).map(|decoder| decoder.take(TABLE_BYTES_MAX as u64 + 1));
    match reader.and_then(|mut reader| reader.read_to_string(&mut text)) {
        Ok(bytes) if bytes > TABLE_BYTES_MAX => Err(format!("the table is larger than {TABLE_BYTES_MAX} bytes")),
        Ok(_) => Ok(text),
        Err(error) => Err(format!("the table cannot be unpacked: {error}")),
    }
}

impl Service {
    fn at(from: usize, to: usize) -> Service {
        Service { lines: (from, to), ..Service::default() }
    }
}

/// Whether a key is the known one. The tables write the changing part of a key as `${TagKey}`, `<key>` or `tag-key`. Both in
/// lower case.
pub(crate) fn same_key(known: &str, key: &str) -> bool {
    match known.find("${").or(known.find('<')).or(known.find("/tag-key").map(|at| at + 1)) {
        Some(at) => known.get(..at).is_some_and(|before| key.starts_with(before)),
        None => known == key,
    }
}

impl KeyType {
    fn of(letter: &str) -> KeyType {
        match letter {
            "A" => KeyType::Texts,
            "R" => KeyType::Arn,
            "L" => KeyType::Arns,
            "B" | "M" => KeyType::Bool,
            "N" => KeyType::Number,
            "D" => KeyType::Date,
            "I" => KeyType::Address,
            _ => KeyType::Text,
        }
    }
}

impl<'a> Action<'a> {
    fn parse(line: &'a str, keys: &[&'a str]) -> Option<Action<'a>> {
        let mut parts = line.split('\t').skip(1);
        let name = parts.next()?;
        let level = match parts.next()? {
            "R" => Level::Read,
            "L" => Level::List,
            "W" => Level::Write,
            "T" => Level::Tagging,
            "P" => Level::Permissions,
            _ => Level::Other,
        };
        let list = |text: Option<&'a str>| text.unwrap_or_default().split(',').filter(|t| !t.is_empty());
        let resources = list(parts.next()).map(|t| t.trim_end_matches('*')).collect();
        let keys =
            list(parts.next()).map(|key| key.parse::<usize>().ok().and_then(|at| keys.get(at).copied()).unwrap_or(key)).collect();
        Some(Action { name, level, resources, keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table() {
        let table = Authorization::built_in();
        assert!(table.version().contains("iam-data"), "{}", table.version());
        assert!(table.len() > 400);
        let get = table.action("S3", "getobject").unwrap();
        assert_eq!((get.name, get.level), ("GetObject", Level::Read));
        assert!(get.resources.contains(&"object"));
        assert!(get.keys.contains(&"s3:ExistingObjectTag/<key>"), "{:?}", get.keys);
        assert!(table.action("ec2", "DescribeInstances").unwrap().resources.is_empty());
        assert_eq!(table.global_key("AWS:SourceIp"), Some(KeyType::Address));
        assert_eq!(table.global_key("aws:PrincipalTag/team"), Some(KeyType::Text));
        assert!(table.actions("iam").count() > 150);
        assert_eq!(table.proper("iam:passrole"), "iam:PassRole");
        assert!(table.resource("s3", "bucket").unwrap().starts_with("arn:"));
    }

    #[test]
    fn a_table_of_the_user() {
        let table = Authorization::read(b"v\tmine 1\ns\tx\tX\na\tDo\tW\t\t\n").unwrap();
        assert_eq!(table.action("x", "do").unwrap().name, "Do");
        assert!(Authorization::read(b"nonsense").is_err());
        assert!(Authorization::read(b"").is_err());
    }
}
