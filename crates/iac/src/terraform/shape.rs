//! From Terraform's names and shapes to CloudFormation's, by the letters and the exceptions of a type.

use catalogue::terraform::{Form as Change, Rule, RuleMap, Scalar, Unset};
use model::{Map, Reason, Text, Value};

use super::mapping::MappedType;
use super::path::set;
use super::policy;
use super::tree::{Form, Tree, pascal};

/// Attributes of every resource that are no properties.
const NOT_PROPERTIES: &[&str] = &["id", "arn", "tags_all", "timeouts"];

/// What the provider writes into descriptions that nobody gave.
const PLACEHOLDER: &str = "Managed by Terraform";

/// The object that attributes go to.
#[derive(Clone, Copy)]
pub(crate) struct Target<'m> {
    /// What is known of it; `None` if nothing is.
    pub(crate) tree: Option<&'m Tree>,
    /// At the top of a resource: its type.
    pub(crate) root: Option<&'m MappedType>,
}

/// The exceptions that hold there.
#[derive(Clone, Copy)]
pub(crate) struct Exceptions<'m> {
    pub(crate) map: &'m RuleMap,
    pub(crate) ignore: &'m [String],
}

/// Shapes the values of one instance.
pub(crate) struct Shaper<'m> {
    /// The address that a row with `self = true` refers to.
    pub(crate) address: &'m str,
}

static NO_RULES: RuleMap = RuleMap::new();

impl Shaper<'_> {
    /// The properties of a resource.
    pub(crate) fn resource(&self, mapped: &MappedType, type_name: &str, raw: &Map) -> Map {
        let mut out = Map::new();
        let origin = mapped.section.set_unless.iter().find(|attribute| !is_empty(lookup(raw, attribute)));
        for (path, scalar) in mapped.section.set.iter().chain(mapped.section.set_for.get(type_name).into_iter().flatten()) {
            set(
                &mut out,
                path,
                match origin {
                    Some(attribute) => Value::unknown(Reason::AfterApply, attribute.as_str()),
                    None => value(scalar),
                },
            );
        }
        let target = Target { tree: mapped.tree(), root: Some(mapped) };
        self.object(raw, Exceptions { map: &mapped.section.map, ignore: &mapped.section.ignore }, target, &mut out);
        out
    }

    /// The properties of a resource of which nothing is known: names guessed by the letters.
    pub(crate) fn unmapped(&self, raw: &Map) -> Map {
        let mut out = Map::new();
        self.object(raw, Exceptions { map: &NO_RULES, ignore: &[] }, Target { tree: None, root: None }, &mut out);
        for name in NOT_PROPERTIES {
            out.remove(&pascal(name));
        }
        out
    }

    /// Puts what the attributes of `raw` become into `out`.
    pub(crate) fn object(&self, raw: &Map, exceptions: Exceptions<'_>, target: Target<'_>, out: &mut Map) {
        for (key, value) in raw.iter() {
            let special = exceptions.map.contains_key(&**key) || exceptions.ignore.iter().any(|i| **i == **key);
            if special || target.root.is_some() && NOT_PROPERTIES.contains(&&**key) {
                continue;
            }
            let value = if &**key == "tags" { all_tags(raw, value) } else { value };
            let rest = without(value, key, exceptions.map);
            let value = rest.as_ref().unwrap_or(value);
            let Some((path, tree)) = mechanical(key, target).filter(|_| !is_empty(value)) else { continue };
            let fitted = self.fit(value, tree, key);
            if !fitted.is_null() {
                set(out, &path, fitted);
            }
        }
        for (path, rule) in exceptions.map {
            self.exception(raw, path, rule, target, out);
        }
        let unlimited = |rule: &Rule| {
            rule.form == Some(Change::Protocol)
                && rule.to.as_deref().and_then(|to| out.get(to)).and_then(Value::as_str) == Some("-1")
        };
        if exceptions.map.values().any(unlimited) {
            ["FromPort", "ToPort", "PortRange"].iter().for_each(|port| drop(out.remove(port)));
        }
    }

    fn exception(&self, raw: &Map, path: &str, rule: &Rule, target: Target<'_>, out: &mut Map) {
        let found = lookup(raw, path);
        let last = path.rsplit('.').next().unwrap_or(path);
        let Some(to) = rule.to.clone().or_else(|| mechanical(last, target).map(|(path, _)| path)) else { return };
        if is_empty(found) || rule.absent.iter().any(|a| same(a, found)) {
            if rule.unset == Some(Unset::Empty) && !out.contains_key(&to) {
                set(out, &to, Value::List(Vec::new()));
            }
            return;
        }
        let tree = target.tree.and_then(|t| t.at(&to));
        let changed = change(rule, found);
        rule.also.iter().for_each(|(path, scalar)| set(out, path, value(scalar)));
        if to == "." && rule.form.is_none() {
            return self.hoist(&changed, rule, target, out);
        }
        if rule.form == Some(Change::Keyed) {
            return set(out, &to, self.keyed(found, rule, tree));
        }
        if let Some(key) = &rule.key {
            return append(out, &to, pair(rule, key, text(changed)));
        }
        let shaped = if let Some(member) = &rule.item {
            each_in(member, changed)
        } else if !rule.rows.is_empty() {
            self.rows(&changed, rule, tree)
        } else if !rule.map.is_empty() {
            self.nested(&changed, &rule.map, tree, to.ends_with("[]"))
        } else if matches!(
            rule.form,
            Some(Change::Verbatim | Change::Tags | Change::Pairs | Change::Object | Change::Block | Change::MethodPath)
        ) {
            changed
        } else {
            self.fit(&changed, tree, last)
        };
        match shaped {
            Value::Null => {}
            // Only a form makes members by itself.
            Value::Map(members) if to == "." => members.into_iter().for_each(|(k, v)| set(out, &k, v)),
            shaped => set(out, &to, shaped),
        }
    }

    /// A block with exceptions of its own.
    fn nested(&self, value: &Value, rules: &RuleMap, tree: Option<&Tree>, list: bool) -> Value {
        let exceptions = Exceptions { map: rules, ignore: &[] };
        let one = |item: &Value| match item {
            Value::Map(map) => {
                let mut out = Map::new();
                self.object(map, exceptions, Target { tree, root: None }, &mut out);
                if out.is_empty() { Value::Null } else { Value::Map(out) }
            }
            Value::Str(s) => match policy::from_text(s) {
                Value::Map(map) => self.nested(&Value::Map(map), rules, tree, false),
                other => other,
            },
            other => other.clone(),
        };
        let list = list || tree.is_some_and(|t| t.list);
        match value {
            Value::List(items) if list => Value::List(items.iter().map(one).filter(|v| !v.is_null()).collect()),
            Value::List(items) => items.first().map(one).unwrap_or_default(),
            Value::Unknown(_) => value.clone(),
            single if list => Value::List(vec![one(single)]),
            single => one(single),
        }
    }

    /// Puts the members of a block straight into the object at hand.
    fn hoist(&self, value: &Value, rule: &Rule, target: Target<'_>, out: &mut Map) {
        let one = match value {
            Value::List(items) => items.first().unwrap_or(value),
            one => one,
        };
        if let Value::Map(block) = one {
            self.object(block, Exceptions { map: &rule.map, ignore: &[] }, target, out);
        }
    }

    /// Blocks as an object by one of their attributes. A block without a known key makes the whole unknown.
    fn keyed(&self, value: &Value, rule: &Rule, tree: Option<&Tree>) -> Value {
        let (Some(key), Value::List(items)) = (&rule.key, value) else { return value.clone() };
        let mut out = Map::new();
        for item in items {
            let Value::Map(item) = item else { return Value::unknown(Reason::AfterApply, key) };
            let Some(name) = item.get(key).and_then(Value::as_str) else { return Value::unknown(Reason::AfterApply, key) };
            let mut rest = item.clone();
            rest.remove(key);
            let mut inner = Map::new();
            let known = tree.and_then(|t| t.child(name));
            self.object(&rest, Exceptions { map: &rule.map, ignore: &[] }, Target { tree: known, root: None }, &mut inner);
            out.insert(name, Value::Map(inner));
        }
        Value::Map(out)
    }

    /// One row per element of the attributes that rows are made of.
    fn rows(&self, value: &Value, rule: &Rule, tree: Option<&Tree>) -> Value {
        let items = match value {
            Value::List(items) => items.as_slice(),
            Value::Unknown(_) => return value.clone(),
            one => std::slice::from_ref(one),
        };
        let mut rows = Vec::new();
        for item in items {
            match item {
                Value::Map(map) => self.rows_of(map, Exceptions { map: &rule.map, ignore: &[] }, &rule.rows, tree, &mut rows),
                other => rows.push(other.clone()),
            }
        }
        Value::List(rows)
    }

    /// The rows of one item.
    pub(crate) fn rows_of(
        &self,
        item: &Map,
        exceptions: Exceptions<'_>,
        columns: &std::collections::BTreeMap<String, String>,
        tree: Option<&Tree>,
        rows: &mut Vec<Value>,
    ) {
        let mut rest = item.clone();
        columns.keys().for_each(|attribute| drop(rest.remove(attribute)));
        let mut base = Map::new();
        self.object(&rest, exceptions, Target { tree, root: None }, &mut base);
        let before = rows.len();
        for (attribute, property) in columns {
            let mut row = |value: Value| {
                let mut row = base.clone();
                row.insert(property.as_str(), value);
                rows.push(Value::Map(row));
            };
            match item.get(attribute) {
                Some(Value::List(all)) => all.iter().filter(|v| !is_empty(v)).cloned().for_each(row),
                Some(Value::Bool(true)) => row(Value::link(self.address, "")),
                Some(Value::Bool(false)) | None => {}
                Some(one) if is_empty(one) => {}
                Some(one) => row(one.clone()),
            }
        }
        if rows.len() == before {
            rows.push(Value::Map(base));
        }
    }

    /// A value in the form that the property has.
    pub(crate) fn fit(&self, value: &Value, tree: Option<&Tree>, name: &str) -> Value {
        let Some(tree) = tree else { return self.guess(value, name) };
        if !tree.list {
            return self.fit_one(value, tree, name);
        }
        match value {
            Value::Null | Value::Unknown(_) => value.clone(),
            Value::Map(_) if tree.child("Key").is_some() && tree.child("Value").is_some() && name.starts_with("tag") => {
                tags(value)
            }
            Value::List(items) => {
                Value::List(items.iter().map(|v| self.fit_one(v, tree, name)).filter(|v| !v.is_null()).collect())
            }
            one => Value::List(Some(self.fit_one(one, tree, name)).into_iter().filter(|v| !v.is_null()).collect()),
        }
    }

    fn fit_one(&self, value: &Value, tree: &Tree, name: &str) -> Value {
        let object = !tree.is_leaf() || matches!(tree.form, Form::Json | Form::Map);
        match (value, tree.form) {
            (Value::Null | Value::Unknown(_) | Value::Mixed(_), _) => value.clone(),
            (_, Form::Tags) => tags(value),
            (Value::Link(link), _) if object => Value::unknown(Reason::AfterApply, &link.target),
            (Value::List(items), _) if object => items.first().map(|v| self.fit_one(v, tree, name)).unwrap_or_default(),
            (Value::Str(s), Form::Json | Form::Map) => policy::from_text(s),
            (Value::Map(map), _) if !tree.is_leaf() => {
                let mut out = Map::new();
                self.object(map, Exceptions { map: &NO_RULES, ignore: &[] }, Target { tree: Some(tree), root: None }, &mut out);
                if out.is_empty() { Value::Null } else { Value::Map(out) }
            }
            (Value::Str(s), _) if !tree.is_leaf() => match policy::from_text(s) {
                Value::Str(s) => Value::Str(s),
                parsed => self.fit_one(&parsed, tree, name),
            },
            (Value::List(items), _) => match items.as_slice() {
                [one] => self.fit_one(one, tree, name),
                [Value::Link(_), ..] => Value::unknown(Reason::AfterApply, name),
                _ => value.clone(),
            },
            (Value::Str(s), Form::Bool) => s.parse().map_or_else(|_| value.clone(), Value::Bool),
            (Value::Str(s), Form::Number) => s.parse().map_or_else(|_| value.clone(), Value::Int),
            (Value::Int(_) | Value::Bool(_), Form::Text) => text(value.clone()),
            (Value::Str(s), Form::Plain) if name.ends_with("policy") || name.ends_with("document") => policy::from_text(s),
            _ => value.clone(),
        }
    }

    /// Blocks are lists of objects in Terraform; a plain map's keys are data.
    fn guess(&self, value: &Value, name: &str) -> Value {
        match value {
            Value::Map(_) if name == "tags" => tags(value),
            Value::List(items) => Value::List(
                items
                    .iter()
                    .map(|item| match item {
                        Value::Map(map) => {
                            let mut out = Map::new();
                            let target = Target { tree: None, root: None };
                            self.object(map, Exceptions { map: &NO_RULES, ignore: &[] }, target, &mut out);
                            Value::Map(out)
                        }
                        other => other.clone(),
                    })
                    .collect(),
            ),
            Value::Str(s) if name.ends_with("policy") || name.ends_with("document") => policy::from_text(s),
            other => other.clone(),
        }
    }
}

/// A single block without the attributes that exceptions such as `block.attribute` take from it; `None` if there are none.
fn without(value: &Value, key: &str, rules: &RuleMap) -> Option<Value> {
    let taken = rules.keys().filter_map(|path| path.strip_prefix(key)?.strip_prefix('.'));
    let mut rest: Option<Value> = None;
    for path in taken {
        let mut at = rest.get_or_insert_with(|| value.clone());
        let mut steps = path.split('.').peekable();
        while let Some(step) = steps.next() {
            let block = match at {
                Value::List(items) => items.first_mut(),
                other => Some(other),
            };
            let Some(Value::Map(block)) = block else { break };
            if steps.peek().is_none() {
                block.remove(step);
                break;
            }
            let Some(inner) = block.get_mut(step) else { break };
            at = inner;
        }
    }
    rest
}

/// The property that an attribute goes to without an exception.
pub(crate) fn mechanical<'m>(attribute: &str, target: Target<'m>) -> Option<(String, Option<&'m Tree>)> {
    let Some(tree) = target.tree else { return Some((pascal(attribute), None)) };
    if let Some((name, child)) = tree.find(attribute) {
        return Some((name.to_owned(), Some(child)));
    }
    let root = target.root?;
    if let Some(wrap) = &root.section.wrap
        && let Some((name, child)) = tree.at(wrap).and_then(|t| t.find(attribute))
    {
        return Some((format!("{wrap}.{name}"), Some(child)));
    }
    let word = root.name.as_str().rsplit("::").next().unwrap_or_default();
    tree.find_affixed(attribute, word).map(|(name, child)| (name.to_owned(), Some(child)))
}

/// `tags_all` has the provider's default tags too.
fn all_tags<'r>(raw: &'r Map, tags: &'r Value) -> &'r Value {
    match raw.get("tags_all") {
        Some(all @ Value::Map(_)) => all,
        _ => tags,
    }
}

/// What is at a path into single blocks; the unknown if a step is unknown.
fn lookup<'r>(raw: &'r Map, path: &str) -> &'r Value {
    static NULL: Value = Value::Null;
    let mut map = raw;
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        let Some(value) = map.get(step) else { return &NULL };
        if steps.peek().is_none() {
            return value;
        }
        let inner = match value {
            Value::List(items) => items.first().unwrap_or(&NULL),
            other => other,
        };
        match inner {
            Value::Map(next) => map = next,
            Value::Unknown(_) => return inner,
            _ => return &NULL,
        }
    }
    &NULL
}

/// True for what Terraform writes where nothing is set.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Str(s) => s.is_empty() || &**s == PLACEHOLDER,
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        _ => false,
    }
}

pub(crate) fn same(scalar: &Scalar, value: &Value) -> bool {
    match (scalar, value) {
        (Scalar::Bool(a), Value::Bool(b)) => a == b,
        (Scalar::Int(a), Value::Int(b)) => a == b,
        (scalar, Value::Str(s)) => scalar.text() == **s,
        _ => false,
    }
}

pub(crate) fn value(scalar: &Scalar) -> Value {
    match scalar {
        Scalar::Bool(b) => Value::Bool(*b),
        Scalar::Int(n) => Value::Int(*n),
        Scalar::Text(s) => Value::text(s),
    }
}

/// The value after the rule's changes of form.
fn change(rule: &Rule, found: &Value) -> Value {
    if let (Value::List(items), None | Some(Change::Upper | Change::Lower | Change::Pascal)) = (found, rule.form)
        && (rule.form.is_some() || !rule.values.is_empty())
    {
        return Value::List(items.iter().map(|item| change(rule, item)).collect());
    }
    let plain = match found {
        Value::Str(s) => Some(s.to_string()),
        Value::Int(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    };
    let named = plain.as_ref().and_then(|p| rule.values.get(p)).map(value);
    let mut found = named.unwrap_or_else(|| found.clone());
    if let Some(scale) = rule.scale {
        found = scaled(found, scale);
    }
    match (rule.form, found) {
        (Some(Change::Tags), found) => tags(&found),
        (Some(Change::Json), Value::Str(s)) => policy::from_text(&s),
        (Some(Change::Enabled), Value::Bool(b)) => Value::text(if b { "Enabled" } else { "Disabled" }),
        (Some(Change::Not), Value::Bool(b)) => Value::Bool(!b),
        (Some(Change::Protocol), found) => protocol(found),
        (Some(Change::Text), found) => text(found),
        (Some(Change::Base64), Value::Str(s)) => Value::text(base64(&s)),
        (Some(Change::Upper), Value::Str(s)) => Value::text(s.to_ascii_uppercase()),
        (Some(Change::Lower), Value::Str(s)) => Value::text(s.to_ascii_lowercase()),
        (Some(Change::Pascal), Value::Str(s)) => Value::text(pascal(&s)),
        (Some(Change::Pairs), Value::Map(map)) => Value::List(map.into_iter().map(|(k, v)| pair(rule, &k, v)).collect()),
        (Some(Change::Object), Value::List(items)) => object_of(rule, &items),
        (Some(Change::Present), Value::List(_) | Value::Map(_)) => Value::Bool(true),
        (Some(Change::Block), Value::List(_) | Value::Map(_)) => Value::Map(Map::new()),
        (Some(Change::MethodPath), Value::Str(s)) => method_path(&s),
        (_, found) => found,
    }
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

fn scaled(value: Value, scale: f64) -> Value {
    let scaled = match value {
        Value::Int(n) => n as f64 * scale,
        Value::Dec(d) => d * scale,
        other => return other,
    };
    if scaled.fract() == 0.0 && scaled.abs() < 9.0e15 { Value::Int(scaled as i64) } else { Value::Dec(scaled) }
}

/// Protocol names as EC2 answers them; IANA protocol numbers 1, 6, 17 and 58.
fn protocol(value: Value) -> Value {
    let Value::Str(name) = text(value.clone()) else { return value };
    Value::text(match &*name {
        "-1" | "all" => "-1",
        "1" => "icmp",
        "6" => "tcp",
        "17" => "udp",
        "58" => "icmpv6",
        other => other,
    })
}

/// `orders/GET` as CloudFormation's two members. Source: the documentation of `aws_api_gateway_method_settings`.
fn method_path(text: &str) -> Value {
    let (path, method) = text.rsplit_once('/').unwrap_or(("", text));
    let members = [("ResourcePath", format!("/{}", path.trim_start_matches('/'))), ("HttpMethod", method.to_owned())];
    Value::Map(members.into_iter().map(|(key, value)| (Text::from(key), Value::text(value))).collect())
}

/// Plain values as text.
fn text(value: Value) -> Value {
    match value {
        Value::Int(n) => Value::text(n.to_string()),
        Value::Dec(d) => Value::text(d.to_string()),
        Value::Bool(b) => Value::text(b.to_string()),
        other => other,
    }
}

/// A map as a list of `{Key, Value}`. A list of tag blocks is one already, but for the case of its keys.
fn tags(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::List(
            map.iter()
                .map(|(key, value)| {
                    Value::Map(
                        [(Text::from("Key"), Value::Str(key.clone())), (Text::from("Value"), value.clone())]
                            .into_iter()
                            .collect(),
                    )
                })
                .collect(),
        ),
        Value::List(items) => Value::List(
            items
                .iter()
                .map(|item| match item {
                    Value::Map(map) => Value::Map(map.iter().map(|(k, v)| (Text::from(pascal(k)), v.clone())).collect()),
                    other => other.clone(),
                })
                .collect(),
        ),
        Value::Link(link) => Value::unknown(Reason::AfterApply, &link.target),
        other => other.clone(),
    }
}

/// Each item as an object with one member.
fn each_in(member: &str, value: Value) -> Value {
    let one = |item: Value| Value::Map([(Text::from(member), item)].into_iter().collect());
    match value {
        Value::List(items) => Value::List(items.into_iter().map(one).collect()),
        Value::Null | Value::Unknown(_) => value,
        single => Value::List(vec![one(single)]),
    }
}

fn names(rule: &Rule) -> (&str, &str) {
    rule.pair.as_ref().map_or(("Key", "Value"), |(key, value)| (key, value))
}

fn pair(rule: &Rule, key: &str, value: Value) -> Value {
    let (key_name, value_name) = names(rule);
    Value::Map([(Text::from(key_name), Value::text(key)), (Text::from(value_name), value)].into_iter().collect())
}

fn object_of(rule: &Rule, items: &[Value]) -> Value {
    let (key_name, value_name) = names(rule);
    let mut out = Map::new();
    for item in items {
        match (item.get(key_name).and_then(Value::as_str), item.get(value_name)) {
            (Some(key), value) => drop(out.insert(key, value.cloned().unwrap_or_default())),
            _ => return Value::unknown(Reason::AfterApply, "key"),
        }
    }
    Value::Map(out)
}

/// Adds an item to the list at a path.
pub(crate) fn append(out: &mut Map, path: &str, item: Value) {
    set(out, path, Value::List(vec![item]));
}
