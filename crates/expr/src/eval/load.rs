//! Values out of a resource: members, elements, tags, and what declared types make of AWS's loose scalars.

use model::{Link, Map, Reason, Resource, Text, Unknown, Value};

use super::list::Seq;
use super::val::{Item, Items, PartMap, Tri, Val, Why};
use super::{Eval, time};
use crate::limit::TEXT_BYTES_MAX;
use crate::node::{Node, Want};

/// The properties that hold tags, by the name each type gives them (the `tagging.tagProperty` of CloudFormation's schemas).
const TAG_PROPERTIES: &[&str] =
    &["Tags", "HostedZoneTags", "FileSystemTags", "AccessPointTags", "UserPoolTags", "BackupVaultTags", "BackupPlanTags"];

impl<'e> Eval<'e> {
    /// A value as it is.
    pub(super) fn val(&self, value: &'e Value) -> Val<'e> {
        match value {
            Value::Null => Val::Null,
            Value::Bool(b) => Val::Bool(*b),
            Value::Int(n) => Val::Int(*n),
            Value::Dec(d) => Val::Dec(*d),
            Value::Str(s) => Val::Str(s),
            Value::List(items) => Val::List(items),
            Value::Map(map) => Val::Map(map),
            Value::Link(link) => Val::Link(link),
            Value::Mixed(pieces) => Val::Mixed(pieces),
            Value::Unknown(unknown) => Val::Unknown(Why::One(unknown)),
        }
    }

    pub(super) fn load(&self, value: &'e Value, want: Want, node: &'e Node) -> Val<'e> {
        self.read(self.val(value), want, node)
    }

    /// A value as its declared type asks for it.
    pub(super) fn read(&self, val: Val<'e>, want: Want, node: &'e Node) -> Val<'e> {
        let made = match (want, val) {
            (Want::Any, _) | (_, Val::Null | Val::Unknown(_)) => return val,
            (Want::List, _) => return self.read_list(val),
            (_, Val::Link(_) | Val::Mixed(_)) => return val,
            (Want::Bool, Val::Bool(_)) | (Want::Int, Val::Int(_)) | (Want::Dec, Val::Int(_) | Val::Dec(_)) => return val,
            (Want::Str, Val::Str(_)) | (Want::Time, Val::Time(_)) | (Want::Dur, Val::Dur(_)) => return val,
            (Want::Bool, Val::Str(s)) if s.eq_ignore_ascii_case("true") => Some(Val::Bool(true)),
            (Want::Bool, Val::Str(s)) if s.eq_ignore_ascii_case("false") => Some(Val::Bool(false)),
            (Want::Int, Val::Dec(d)) => whole(d).map(Val::Int),
            (Want::Int, Val::Str(s)) => s.parse().ok().map(Val::Int),
            (Want::Dec, Val::Str(s)) => s.parse().ok().filter(|d: &f64| d.is_finite()).map(Val::Dec),
            (Want::Str, Val::Bool(b)) => Some(Val::Str(if b { "true" } else { "false" })),
            (Want::Str, Val::Int(n)) => Some(self.made_text(n.to_string())),
            (Want::Str, Val::Dec(d)) => Some(self.made_text(d.to_string())),
            (Want::Time, Val::Str(s)) => time::timestamp(s).map(Val::Time),
            (Want::Time, Val::Int(n)) => time::seconds(n).map(Val::Time),
            (Want::Dur, Val::Str(s)) => time::duration(s).map(Val::Dur),
            _ => None,
        };
        made.unwrap_or_else(|| Val::Unknown(self.malformed(node, want.words())))
    }

    /// A single value where a list is declared is a list of one.
    fn read_list(&self, val: Val<'e>) -> Val<'e> {
        match val {
            Val::List(_) | Val::Items(_) | Val::Null | Val::Unknown(_) => val,
            Val::Link(link) if may_be_list(link) => match self.settle(val) {
                Val::Link(_) => Val::Unknown(self.open(val).set(true, self.arena)),
                settled => self.read_list(settled),
            },
            single => Val::Items(self.arena.items.put(Items { list: vec![Item::sure(single)], rest: None })),
        }
    }

    /// `target.name`.
    pub(super) fn member(&self, target: Val<'e>, name: &str, node: &'e Node) -> Val<'e> {
        match target {
            Val::Map(map) => map.get(name).map_or(Val::Null, |value| self.val(value)),
            Val::Resource(resource) => self.val(self.env.property(resource, name)),
            Val::Null => Val::Null,
            Val::PartMap(part) => match part.map.get(name) {
                Some(value) => self.val(value),
                None => Val::Unknown(part.rest.set(false, self.arena)),
            },
            Val::Str(text) if text.trim_start().starts_with('{') => match self.parse_json(text, node) {
                map @ Val::Map(_) => self.member(map, name, node),
                _ => self.misfit(target, node, "a map"),
            },
            other => self.misfit(other, node, "a map"),
        }
    }

    /// `target[index]`.
    pub(super) fn index(&self, target: Val<'e>, index: Val<'e>, node: &'e Node) -> Val<'e> {
        match target {
            Val::Null => return Val::Null,
            Val::Map(_) | Val::PartMap(_) | Val::Resource(_) => {
                return match self.text(index, node) {
                    Ok(key) => self.member(target, key, node),
                    Err(why) => Val::Unknown(why.set(false, self.arena)),
                };
            }
            Val::List(_) | Val::Items(_) => {}
            other => return self.misfit(other, node, "a list or map"),
        }
        let at = match self.settle(index) {
            Val::Int(n) => usize::try_from(n).unwrap_or(usize::MAX),
            Val::Dec(d) => whole(d).and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX),
            other => return self.misfit(other, node, "a whole number"),
        };
        let seq = match self.seq(target, node).and_then(|seq| self.looked_over(seq)) {
            Ok(seq) => seq,
            Err(why) => return Val::Unknown(why.set(false, self.arena)),
        };
        if let Some(rest) = seq.rest() {
            return Val::Unknown(rest.set(false, self.arena));
        }
        if at >= seq.len() {
            return Val::Null;
        }
        for before in 0..=at {
            if let Some(maybe) = seq.get(self, before).and_then(|item| item.maybe) {
                return Val::Unknown(maybe.set(false, self.arena));
            }
        }
        seq.get(self, at).map_or(Val::Null, |item| item.val)
    }

    /// A link as the value it leads to, where that is known; anything else as it is.
    pub(super) fn settle(&self, val: Val<'e>) -> Val<'e> {
        let Val::Link(link) = val else { return val };
        let Some(resource) = self.env.resolve(link) else { return val };
        let attr = if link.attr.is_empty() { "Ref" } else { &*link.attr };
        match resource.attrs.get(attr) {
            Some(known @ (Value::Str(_) | Value::Int(_) | Value::Bool(_) | Value::Dec(_))) => self.val(known),
            Some(list @ Value::List(_)) if !list.has_unknown() => self.val(list),
            _ => val,
        }
    }

    /// Why a link or mixed text has no value yet.
    pub(super) fn open(&self, val: Val<'e>) -> Why<'e> {
        match val {
            Val::Unknown(why) => why,
            Val::Link(link) => self.link_why(link),
            Val::Mixed(pieces) => {
                let causes = pieces.iter().filter_map(|piece| match piece {
                    Value::Unknown(unknown) => Some(Why::One(unknown)),
                    Value::Link(link) => Some(self.link_why(link)),
                    _ => None,
                });
                let why = causes.reduce(|a, b| a.with(b, self.arena));
                let why = why.unwrap_or_else(|| self.why(Reason::Malformed, "text without known pieces", true));
                why.set(true, self.arena)
            }
            _ => self.why(Reason::Malformed, "value of another shape", true),
        }
    }

    fn link_why(&self, link: &Link) -> Why<'e> {
        self.why(Reason::DynamicReference, &link_text(link), true)
    }

    /// Text kept for the rest of the evaluation.
    pub(super) fn made_text(&self, text: String) -> Val<'e> {
        self.val(self.arena.values.put(Value::from(text)))
    }

    /// The text of a value, or why there is none. Numbers and truth values are taken for their text.
    pub(super) fn text(&self, val: Val<'e>, node: &'e Node) -> Result<&'e str, Why<'e>> {
        match self.read(self.settle(val), Want::Str, node) {
            Val::Str(text) => Ok(text),
            Val::Unknown(why) => Err(why),
            Val::Null => Err(self.unset(node)),
            open @ (Val::Link(_) | Val::Mixed(_)) => Err(self.open(open)),
            _ => Err(self.malformed(node, "text")),
        }
    }

    /// JSON text as a value.
    pub(super) fn parse_json(&self, text: &'e str, node: &'e Node) -> Val<'e> {
        if text.len() > TEXT_BYTES_MAX {
            return Val::Unknown(self.limit(format!("limit of {TEXT_BYTES_MAX} bytes of JSON text")));
        }
        if let Err(why) = self.charge(text.len() / 64) {
            return Val::Unknown(why);
        }
        match serde_json::from_str::<serde_json::Value>(text) {
            Ok(json) => self.val(self.arena.values.put(model::from_json(&json))),
            Err(_) => Val::Unknown(self.malformed(node, "JSON text")),
        }
    }

    /// A resource's tags as a map, from a list of `Key` and `Value` or from a map.
    pub(super) fn tags(&self, resource: &'e Resource, node: &'e Node) -> Val<'e> {
        let properties = TAG_PROPERTIES.iter().map(|name| self.env.property(resource, name));
        match properties.into_iter().find(|value| !value.is_null()) {
            None => Val::Map(empty_map()),
            Some(tags) => self.pairs(self.val(tags), node),
        }
    }

    /// A list of `Key` (or `Name`) and `Value` as a map. Of two with the same key the later counts.
    pub(super) fn pairs(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        let seq = match val {
            Val::Map(_) | Val::PartMap(_) => return val,
            Val::Null => return Val::Map(empty_map()),
            Val::Unknown(why) => return Val::Unknown(why.set(true, self.arena)),
            Val::List(_) | Val::Items(_) => Seq::of_list(val),
            other => return self.misfit(other, node, "a list of pairs"),
        };
        if let Err(why) = self.charge(seq.len()) {
            return Val::Unknown(why);
        }
        let mut map = Map::new();
        let mut rest = seq.rest();
        for pair in (0..seq.len()).filter_map(|i| seq.get(self, i)) {
            let key = ["Key", "key", "Name", "name"].into_iter().find_map(|k| match pair.val {
                Val::Map(pair) => pair.get(k).filter(|key| !key.is_null()),
                _ => None,
            });
            match (pair.maybe, pair.val, key) {
                (None, Val::Map(pair), Some(Value::Str(key))) => {
                    let value = pair.get("Value").or_else(|| pair.get("value"));
                    map.insert(key.clone(), value.filter(|v| !v.is_null()).cloned().unwrap_or_else(|| Value::text("")));
                }
                (None, Val::Null, _) => {}
                (maybe, val, key) => {
                    let why = match (maybe, val, key.map(|key| self.val(key))) {
                        (Some(why), _, _) | (_, Val::Unknown(why), _) | (_, _, Some(Val::Unknown(why))) => why,
                        (_, _, Some(open @ (Val::Link(_) | Val::Mixed(_)))) => self.open(open),
                        _ => self.malformed(node, "a pair of key and value"),
                    };
                    rest = Some(rest.map_or(why, |r| r.with(why, self.arena)));
                }
            }
        }
        match rest {
            None => self.val(self.arena.values.put(Value::Map(map))),
            Some(rest) => Val::PartMap(self.arena.maps.put(PartMap { map, rest })),
        }
    }

    /// The value for outside; what is uncertain in it becomes `Unknown`.
    pub(crate) fn to_value(&self, val: Val<'e>) -> Value {
        match val {
            Val::Null => Value::Null,
            Val::Bool(b) => Value::Bool(b),
            Val::Int(n) => Value::Int(n),
            Val::Dec(d) => Value::Dec(d),
            Val::Str(s) => Value::text(s),
            Val::Time(time) => Value::from(time.to_string()),
            Val::Dur(duration) => Value::from(format!("{}s", duration.as_secs())),
            Val::List(items) => Value::List(items.to_vec()),
            Val::Map(map) => Value::Map(map.clone()),
            Val::Link(link) => Value::Link(Box::new(link.clone())),
            Val::Mixed(pieces) => Value::Mixed(pieces.to_vec()),
            Val::Resource(resource) => Value::link(&resource.id, ""),
            Val::PartMap(part) => unknown_value(part.rest, true),
            Val::Unknown(why) => unknown_value(why, why.present()),
            Val::Items(items) => match items.uncertain() {
                Some(why) => unknown_value(why, true),
                None => Value::List(items.list.iter().map(|item| self.to_value(item.val)).collect()),
            },
        }
    }

    /// Whether `key` is a member that is set.
    pub(super) fn has_key(&self, map: Val<'e>, key: &str, node: &'e Node) -> Tri<'e> {
        self.is_null(self.member(map, key, node)).not()
    }
}

/// What messages call a link: `Bucket.Arn`.
pub(crate) fn link_text(link: &Link) -> String {
    if link.attr.is_empty() { link.target.to_string() } else { format!("{}.{}", link.target, link.attr) }
}

/// An attribute named in the plural (`NameServers`) may give a list.
fn may_be_list(link: &Link) -> bool {
    link.attr.ends_with('s')
}

fn unknown_value(why: Why<'_>, present: bool) -> Value {
    let first = why.list().first();
    let unknown = first.map(|u| Unknown { present, ..(*u).clone() });
    Value::Unknown(Box::new(unknown.unwrap_or(Unknown { reason: Reason::Unsupported, what: Text::from(""), present })))
}

pub(super) fn empty_map() -> &'static Map {
    static EMPTY: std::sync::OnceLock<Map> = std::sync::OnceLock::new();
    EMPTY.get_or_init(Map::new)
}

/// A number without fraction as a whole number.
pub(super) fn whole(d: f64) -> Option<i64> {
    (d.fract() == 0.0 && d.abs() < 9.0e15).then_some(d as i64)
}
