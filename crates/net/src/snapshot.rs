//! A network from a [`model::Snapshot`]: templates and plans before deploy, live collections after.
//!
//! Each template and plan is a network of its own; all live scopes together, of however many accounts, are one. What AWS chooses at deploy time gets stand-ins: an address within its subnet's block, a
//! public address of which only the existence is known. A rule that would tell stand-ins apart answers unknown.

mod balancers;
mod firewalls;
mod gateways;
mod listed;
mod owners;
mod places;
mod read;

pub(crate) use owners::{only_before_deploy, owns_interfaces};
pub(crate) use read::physical_id;
pub use read::{concerns, concerns_gap};

use model::{Gap, Map, Resource, ScopeIndex, Snapshot, SourceKind, Text, Value};
use rustc_hash::FxHashMap;

use crate::addr::{Addr, Cidr, Family};
use crate::network::{Address, Link, Network};

/// The networks of a snapshot with the scopes that each is made of, in the order of their first scopes. Scopes that have nothing to
/// do with networks are left out.
pub fn from_snapshot(snapshot: &Snapshot) -> Vec<(Vec<ScopeIndex>, Network)> {
    let mut by_scope: Vec<Vec<&Resource>> = vec![Vec::new(); snapshot.scopes.len()];
    for resource in &snapshot.resources {
        let part = read::concerns(&resource.type_name) || owns_interfaces(resource.type_name.as_str());
        if let (true, Some(list)) = (part, by_scope.get_mut(resource.scope.0 as usize)) {
            list.push(resource);
        }
    }
    let mut sources: Vec<(Vec<ScopeIndex>, Vec<&Resource>, SourceKind)> = Vec::new();
    for (at, (resources, scope)) in by_scope.into_iter().zip(&snapshot.scopes).enumerate().filter(|(_, (r, _))| !r.is_empty()) {
        let index = ScopeIndex(at as u32);
        match sources.iter_mut().find(|(_, _, kind)| !kind.is_code() && !scope.kind.is_code()) {
            Some((scopes, all, _)) => {
                scopes.push(index);
                all.extend(resources);
            }
            None => sources.push((vec![index], resources, scope.kind)),
        }
    }
    let read = |(scopes, resources, kind): (Vec<ScopeIndex>, _, SourceKind)| {
        let first = scopes.first().and_then(|first| snapshot.scope(*first)).filter(|_| kind.is_code());
        let world = first.map(|scope| scope.world.clone()).unwrap_or_default();
        (scopes, Network { world, ..Reader::new(resources, kind, &snapshot.gaps).network() })
    };
    sources.into_iter().map(read).collect()
}

/// What AWS makes along with a VPC, by the names of the VPC's attributes.
const MADE_WITH_A_VPC: [&str; 3] = ["DefaultSecurityGroup", "DefaultNetworkAcl", "MainRouteTable"];

/// A public address as a template knows it.
enum Public {
    No,
    Yes,
    Unknown(Text),
}

/// Reads one template or plan, or all live scopes.
struct Reader<'a> {
    resources: Vec<&'a Resource>,
    kind: SourceKind,
    /// What could not be read of live scopes.
    gaps: &'a [Gap],
    /// Every name of a resource -> its position, whatever its scope.
    names: FxHashMap<Text, usize>,
    /// The same by scope, where there are several: a name means a resource of the same account first.
    scoped: FxHashMap<(ScopeIndex, Text), usize>,
    /// The scope of the resource that is being read.
    scope: ScopeIndex,
    /// The id that the network uses.
    ids: Vec<Text>,
    net: Network,
    /// Public addresses by the id of the instance or interface that has them.
    elastic: FxHashMap<Text, Option<Addr>>,
    /// Next free stand-in within a subnet.
    next: FxHashMap<Text, u128>,
    /// Interfaces that are resources of their own.
    listed: rustc_hash::FxHashSet<Text>,
    /// Addresses that interfaces have for certain: no stand-in may take one.
    used: rustc_hash::FxHashSet<Addr>,
    /// Stand-ins of unknown blocks so far.
    blocks: u128,
    /// Stand-ins of public addresses so far.
    publics: u128,
}

impl<'a> Reader<'a> {
    fn new(resources: Vec<&'a Resource>, kind: SourceKind, gaps: &'a [Gap]) -> Reader<'a> {
        let mut names = FxHashMap::default();
        let mut ids = Vec::new();
        for (at, resource) in resources.iter().enumerate() {
            let id = if kind.is_code() { resource.id.clone() } else { read::physical_id(resource) };
            names.entry(id.clone()).or_insert(at);
            ids.push(id);
        }
        let mut scoped = FxHashMap::default();
        let scope = resources.first().map(|r| r.scope).unwrap_or(ScopeIndex(0));
        let several = resources.iter().any(|r| r.scope != scope);
        for (at, resource) in resources.iter().enumerate() {
            for name in read::names(resource) {
                if several {
                    scoped.entry((resource.scope, name.clone())).or_insert(at);
                }
                names.entry(name).or_insert(at);
            }
        }
        if kind.is_code() {
            for (at, resource) in resources.iter().enumerate() {
                if let Some((vpc, name)) = places::made_with_a_vpc(resource) {
                    let vpc = names.get(vpc).and_then(|at| ids.get(*at)).unwrap_or(vpc);
                    names.insert(format!("{vpc}.{name}").into(), at);
                }
            }
        }
        let (elastic, next) = (FxHashMap::default(), FxHashMap::default());
        let (listed, used) = (rustc_hash::FxHashSet::default(), rustc_hash::FxHashSet::default());
        let net = Network::default();
        let gaps = if kind.is_code() { &[] } else { gaps };
        Reader { resources, kind, gaps, names, scoped, scope, ids, net, elastic, next, listed, used, blocks: 0, publics: 0 }
    }

    fn network(mut self) -> Network {
        if self.kind.is_code() {
            self.net.interfaces_unknown = Some("what else the account holds isn't part of this source".into());
        }
        self.each("AWS::EC2::VPC", Reader::vpc);
        self.each("AWS::EC2::VPCCidrBlock", Reader::vpc_block);
        self.each("AWS::EC2::Subnet", Reader::subnet);
        self.each("AWS::EC2::PrefixList", Reader::prefix_list);
        self.groups();
        self.acls();
        self.gateways();
        self.firewalls();
        self.tables();
        self.elastic_addresses();
        self.owners();
        self.balancers();
        self.merge_listed();
        self.net.gaps.extend(self.gaps.iter().filter(|gap| gap.file.is_none() && concerns_gap(gap)).cloned());
        self.net.finish()
    }

    /// Calls `read` for every resource of a type, with its id.
    fn each(&mut self, type_name: &str, read: impl Fn(&mut Reader<'a>, &'a Resource, Text)) {
        for at in 0..self.resources.len() {
            if let (Some(resource), Some(id)) = (self.resources.get(at).copied(), self.ids.get(at).cloned())
                && resource.type_name.as_str() == type_name
            {
                self.scope = resource.scope;
                read(self, resource, id);
            }
        }
    }

    /// Why not all resources of a type were read in the account and Region of another, if so.
    fn unread(&self, near: &Resource, type_name: &str) -> Option<Text> {
        let here = |gap: &&Gap| {
            let account = gap.account.is_none() || near.account.is_none() || gap.account == near.account;
            let region = gap.region.is_none() || near.region.is_none() || gap.region == near.region;
            gap.matters && account && region && gap.type_name.as_ref().is_some_and(|t| t.as_str() == type_name)
        };
        self.gaps.iter().find(here).map(|gap| format!("{} could not be read: {}", gap.what, gap.detail).into())
    }

    /// The id that a value refers to; empty for none, words in place of an id for what isn't known.
    fn refer(&self, value: &Value) -> Link {
        match value {
            Value::Null => Link::default(),
            Value::Str(text) => Link::to(self.canonical(text)),
            Value::Link(link) => {
                let id = self.canonical(&link.target);
                let own = MADE_WITH_A_VPC.contains(&&*link.attr);
                if own { Link::to(self.canonical(&format!("{id}.{}", link.attr).into())) } else { Link::to(id) }
            }
            Value::Unknown(unknown) => Link::to(format!("`{}` ({})", unknown.what, unknown.reason.words())),
            _ => Link::to("`a composed value`"),
        }
    }

    fn canonical(&self, name: &Text) -> Text {
        self.position(name).and_then(|at| self.ids.get(at)).unwrap_or(name).clone()
    }

    /// The resource of this name in the scope that is being read, else in any.
    fn position(&self, name: &Text) -> Option<usize> {
        self.scoped.get(&(self.scope, name.clone())).or_else(|| self.names.get(name)).copied()
    }

    /// The resource that a value refers to.
    fn resource(&self, value: &Value) -> Option<&'a Resource> {
        let name = match value {
            Value::Str(text) => text,
            Value::Link(link) => &link.target,
            _ => return None,
        };
        self.position(name).and_then(|at| self.resources.get(at)).copied()
    }

    /// References of a list; a single value counts as a list of one, an unknown list as one unknown element.
    fn refer_all(&self, value: &Value) -> Vec<Link> {
        match value {
            Value::Null => Vec::new(),
            Value::List(items) => items.iter().filter(|v| !v.is_null()).map(|v| self.refer(v)).collect(),
            Value::Str(text) if text.contains(',') => text.split(',').map(|t| self.refer(&Value::text(t.trim()))).collect(),
            other => vec![self.refer(other)],
        }
    }

    /// A block: known, absent, or unknown with the reason.
    fn block(&self, value: &Value) -> Result<Option<Cidr>, Text> {
        match value {
            Value::Null => Ok(None),
            Value::Str(text) => Cidr::parse(text).map(Some).ok_or_else(|| format!("`{text}` is not a CIDR block").into()),
            Value::Link(link) if matches!(&*link.attr, "CidrBlock" | "cidr_block") => {
                let target = self.canonical(&link.target);
                let vpc = self.net.vpcs.iter().find(|v| v.id == target && v.cidrs_unknown.is_none());
                let subnet = self.net.subnets.iter().find(|s| s.id == target);
                let found = vpc.and_then(|v| v.cidrs.first()).or_else(|| subnet.and_then(|s| s.cidrs.first()));
                found.map(|c| Some(*c)).ok_or_else(|| format!("the block of {target} isn't known").into())
            }
            other => Err(read::why(other)),
        }
    }

    /// A stand-in for a block that isn't known: one of its own out of the reserved part of the address space.
    fn stand_in_block(&mut self) -> Cidr {
        self.blocks += 1;
        Cidr { family: Family::V4, low: 0xf000_0000 + (self.blocks << 8 & 0x0fff_ff00), len: 24 }
    }

    /// A stand-in for an IPv6 block, out of AWS's own space.
    fn stand_in_block6(&mut self) -> Cidr {
        self.blocks += 1;
        Cidr { family: Family::V6, low: (0x2600_1f00u128 << 96) | (self.blocks << 64), len: 64 }
    }

    /// The addresses of something in a subnet: the private ones that are given, else stand-ins; a public one if it has one.
    fn place(&mut self, subnet: &Link, given: Option<Addr>, public: &Public, id: &Text) -> (Vec<Address>, Option<Text>) {
        let found = self.net.subnets.iter().find(|s| s.id == subnet.id);
        let cidrs = found.map(|s| s.cidrs.clone()).unwrap_or_default();
        let known = self.elastic.get(id).copied();
        let unknown = match public {
            Public::Unknown(reason) if known.is_none() => Some(reason.clone()),
            _ => None,
        };
        let mut addresses = Vec::new();
        for cidr in cidrs {
            let counter = self.next.entry(format!("{cidr}").into()).or_insert(4);
            *counter += 1;
            while self.used.contains(&cidr.nth(*counter)) && cidr.nth(*counter).bits < cidr.high() {
                *counter += 1;
            }
            let stand_in = cidr.nth(*counter);
            let private = given.filter(|a| a.family == cidr.family).unwrap_or(stand_in);
            let loose = given.is_none_or(|a| a.family != cidr.family);
            let reserved = cidr.family == Family::V4 && cidr.low >= 0xf000_0000;
            let within = loose.then_some(if reserved { Cidr::V4_ALL } else { cidr });
            let (public, public_loose) = match cidr.family {
                Family::V6 => (Some(private), true),
                Family::V4 => match (known, public) {
                    (Some(Some(addr)), _) => (Some(addr), false),
                    (Some(None), _) | (None, Public::Yes) => (Some(self.stand_in_public()), true),
                    _ => (None, false),
                },
            };
            addresses.push(Address { private, public, within, public_loose });
        }
        if addresses.is_empty() {
            let block = self.stand_in_block();
            let yes = known.is_some() || matches!(public, Public::Yes);
            let public = yes.then(|| self.stand_in_public());
            let private = given.unwrap_or(block.nth(5));
            addresses.push(Address { private, public, within: given.is_none().then_some(Cidr::V4_ALL), public_loose: true });
        }
        addresses.sort_by_key(|a| a.private.family);
        (addresses, unknown)
    }

    /// A stand-in for a public IPv4 address, out of Amazon's 3.0.0.0/8.
    fn stand_in_public(&mut self) -> Addr {
        self.publics += 1;
        Addr { family: Family::V4, bits: 0x0300_0000 + (self.publics & 0x00ff_ffff) }
    }

    /// The default group of a VPC, which applies where none is named; made on first use where the VPC is part of the source.
    fn default_group(&self, vpc: &Text) -> Link {
        Link::to(self.canonical(&format!("{vpc}.DefaultSecurityGroup").into()))
    }
}

/// A map's member, or null.
fn member<'v>(map: &'v Value, key: &str) -> &'v Value {
    static NULL: Value = Value::Null;
    map.get(key).unwrap_or(&NULL)
}

/// A map's member, or null.
fn of<'v>(map: &'v Map, key: &str) -> &'v Value {
    static NULL: Value = Value::Null;
    map.get(key).unwrap_or(&NULL)
}
