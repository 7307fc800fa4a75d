//! The lines of a snapshot file: one head, then resources, then gaps.

use model::{
    Accepted, AccountId, Gap, Map, Origin, Region, Resource, Scope, ScopeIndex, Snapshot, SourceKind, Span, Text, TypeName,
};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::Meta;
use super::value;
use crate::reduce::{SecretPaths, reduced, reduced_gap};

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    Head(Head),
    Resource(Box<ResourceLine>),
    Gap(Box<Gap>),
    End(End),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Head {
    meta: Meta,
    scopes: Vec<ScopeLine>,
}

/// The last line: how much there should have been before it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    resources: usize,
    gaps: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeLine {
    name: Text,
    kind: SourceKind,
    #[serde(default)]
    world: Text,
    group: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceLine {
    id: Text,
    #[serde(rename = "type")]
    type_name: TypeName,
    scope: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Text>,
    #[serde(default, skip_serializing_if = "Json::is_null")]
    props: Json,
    #[serde(default, skip_serializing_if = "Json::is_null")]
    attrs: Json,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<OriginLine>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OriginLine {
    file: Option<Text>,
    span: Option<Span>,
    module: Text,
    condition: Option<Text>,
    accepted: Vec<(Text, Text, Option<Span>)>,
}

/// The lines of a snapshot, in its own order, with its secrets reduced.
pub(super) fn lines<'a>(snapshot: &'a Snapshot, meta: &Meta, secret: &'a SecretPaths) -> impl Iterator<Item = Line> + 'a {
    let scope = |s: &Scope| ScopeLine { name: s.name.clone(), kind: s.kind, world: s.world.clone(), group: s.group.0 };
    let head = Head { meta: meta.clone(), scopes: snapshot.scopes.iter().map(scope).collect() };
    let end = End { resources: snapshot.resources.len(), gaps: snapshot.gaps.len() };
    std::iter::once(Line::Head(head))
        .chain(snapshot.resources.iter().map(|r| Line::Resource(Box::new(resource(&reduced(r, secret))))))
        .chain(snapshot.gaps.iter().map(|g| Line::Gap(Box::new(reduced_gap(g)))))
        .chain(std::iter::once(Line::End(end)))
}

fn resource(r: &Resource) -> ResourceLine {
    let map = |map: &Map| if map.is_empty() { Json::Null } else { value::map_to_json(map) };
    ResourceLine {
        id: r.id.clone(),
        type_name: r.type_name.clone(),
        scope: r.scope.0,
        account: r.account.clone(),
        region: r.region.clone(),
        name: r.name.clone(),
        props: map(&r.props),
        attrs: map(&r.attrs),
        origin: (r.origin != Origin::default()).then(|| origin(&r.origin)),
    }
}

fn origin(o: &Origin) -> OriginLine {
    OriginLine {
        file: o.file.clone(),
        span: o.span,
        module: o.module.clone(),
        condition: o.condition.clone(),
        accepted: o.accepted.iter().map(|a| (a.check.clone(), a.reason.clone(), a.span)).collect(),
    }
}

/// A snapshot in the making.
#[derive(Default)]
pub(super) struct Reading {
    snapshot: Snapshot,
    meta: Option<Meta>,
    ended: bool,
}

impl Reading {
    pub(super) fn add(&mut self, line: Line) -> Result<(), String> {
        if self.ended {
            return Err("there is more behind the end".to_owned());
        }
        match (line, self.meta.is_some()) {
            (Line::Head(head), false) => {
                let count = head.scopes.len();
                if head.scopes.iter().any(|s| s.group as usize >= count) {
                    return Err("a scope belongs to a group that is not there".to_owned());
                }
                let scope = |s: ScopeLine| Scope { name: s.name, kind: s.kind, world: s.world, group: ScopeIndex(s.group) };
                self.snapshot.scopes = head.scopes.into_iter().map(scope).collect();
                self.meta = Some(head.meta);
            }
            (Line::Resource(line), true) => {
                let read = read_resource(*line, self.snapshot.scopes.len())?;
                self.snapshot.resources.push(read);
            }
            (Line::Gap(gap), true) => self.snapshot.gaps.push(*gap),
            (Line::End(end), true) => {
                self.ended = true;
                let found = (self.snapshot.resources.len(), self.snapshot.gaps.len());
                if found != (end.resources, end.gaps) {
                    return Err("there are more or fewer lines than were written".to_owned());
                }
            }
            (Line::Head(_), true) => return Err("a second head".to_owned()),
            (_, false) => return Err("no head before it".to_owned()),
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(Snapshot, Meta), String> {
        match (self.meta, self.ended) {
            (Some(meta), true) => Ok((self.snapshot, meta)),
            _ => Err("there is no end".to_owned()),
        }
    }
}

fn read_resource(line: ResourceLine, scopes: usize) -> Result<Resource, String> {
    if line.scope as usize >= scopes {
        return Err("it belongs to a scope that is not there".to_owned());
    }
    let map = |json: Json| match value::of_json(&json, 0)? {
        model::Value::Null => Ok(Map::new()),
        model::Value::Map(map) => Ok(map),
        _ => Err("properties must be an object".to_owned()),
    };
    // The types' own forms are checked: a file may come from anybody.
    let type_name = TypeName::new(line.type_name.as_str()).map_err(|e| e.to_string())?;
    let account = line.account.map(|a| AccountId::new(a.as_str())).transpose().map_err(|e| e.to_string())?;
    let region = line.region.map(|r| Region::new(r.as_str())).transpose().map_err(|e| e.to_string())?;
    let mut resource = Resource::new(line.id, type_name, ScopeIndex(line.scope));
    (resource.account, resource.region, resource.name) = (account, region, line.name);
    (resource.props, resource.attrs) = (map(line.props)?, map(line.attrs)?);
    if let Some(o) = line.origin {
        let accepted = o.accepted.into_iter().map(|(check, reason, span)| Accepted { check, reason, span }).collect();
        resource.origin = Origin { file: o.file, span: o.span, module: o.module, condition: o.condition, accepted };
    }
    Ok(resource)
}
