//! Services that live in a VPC by their own describe calls: which of the listed interfaces are theirs, or, where none is
//! listed, an interface that stands for one in each of their subnets.

use model::Text;
use rustc_hash::FxHashMap;
use serde_json::Value;

use super::Staging;
use super::read::{flag, list, or_empty, text};
use crate::addr::{Addr, Cidr, Family};
use crate::network::{Address, Interface, Link, Owner, OwnerKind, Tags};
use crate::planes::{Kind, Told};

/// A service as its own answer describes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Service {
    /// AWS's short name.
    service: &'static str,
    /// Its identifier.
    id: Text,
    /// The subnets it may be in.
    subnets: Vec<Text>,
    /// A subnet group of another answer that holds the subnets.
    subnet_group: Text,
    /// The zones it is in; empty if not known.
    zones: Vec<Text>,
    /// Its security groups.
    groups: Vec<Text>,
    /// It has a public address.
    public: bool,
    /// It has one interface for each of its subnets, not in one of several.
    everywhere: bool,
    tags: Tags,
}

fn words(item: &Value, key: &str) -> Vec<Text> {
    list(item, key).iter().filter_map(Value::as_str).map(Text::from).collect()
}

fn fields(item: &Value, key: &str, field: &str) -> Vec<Text> {
    list(item, key).iter().filter_map(|entry| text(entry, field)).collect()
}

impl Staging {
    pub(super) fn database(&mut self, item: &Value) {
        let Some(id) = text(item, "DBInstanceIdentifier") else {
            return self.malformed("DBInstances", "an element has no DBInstanceIdentifier");
        };
        let group = item.get("DBSubnetGroup").cloned().unwrap_or_default();
        self.flagged(item, &id, Kind::Database);
        self.services.push(Service {
            service: "rds",
            subnets: fields(&group, "Subnets", "SubnetIdentifier"),
            zones: ["AvailabilityZone", "SecondaryAvailabilityZone"].iter().filter_map(|key| text(item, key)).collect(),
            groups: fields(item, "VpcSecurityGroups", "VpcSecurityGroupId"),
            public: flag(item, "PubliclyAccessible").unwrap_or(false),
            tags: list(item, "TagList").iter().filter_map(|t| Some((text(t, "Key")?, or_empty(t, "Value")))).collect(),
            id,
            ..Service::default()
        });
    }

    /// An OpenSearch or Elasticsearch domain; one outside a VPC has no interfaces.
    pub(super) fn search_domain(&mut self, item: &Value) {
        let Some(id) = text(item, "DomainName") else { return };
        let Some(options) = item.get("VPCOptions").filter(|options| options.is_object()) else {
            return self.net.plane(&id, Kind::SearchDomain, Told::Public, Vec::new());
        };
        self.services.push(Service {
            service: "opensearch",
            subnets: words(options, "SubnetIds"),
            groups: words(options, "SecurityGroupIds"),
            everywhere: true,
            id,
            ..Service::default()
        });
    }

    /// A Redshift cluster; clusters of other services, which share the key, have no such identifier.
    pub(super) fn warehouse(&mut self, item: &Value) {
        let Some(id) = text(item, "ClusterIdentifier") else { return };
        self.flagged(item, &id, Kind::Warehouse);
        self.services.push(Service {
            service: "redshift",
            subnet_group: or_empty(item, "ClusterSubnetGroupName"),
            zones: text(item, "AvailabilityZone").into_iter().collect(),
            groups: fields(item, "VpcSecurityGroups", "VpcSecurityGroupId"),
            public: flag(item, "PubliclyAccessible").unwrap_or(false),
            id,
            ..Service::default()
        });
    }

    fn flagged(&mut self, item: &Value, id: &str, kind: Kind) {
        let told = if flag(item, "PubliclyAccessible") == Some(true) { Told::Public } else { Told::Private };
        self.net.plane(id, kind, told, Vec::new());
    }

    /// An EKS cluster, as `describe-cluster` shows it: one to a document.
    pub(super) fn kubernetes(&mut self, item: &Value) {
        let (Some(id), Some(config)) = (text(item, "name"), item.get("resourcesVpcConfig")) else { return };
        let told = if flag(config, "endpointPublicAccess") == Some(false) { Told::Private } else { Told::Public };
        let sources = words(config, "publicAccessCidrs").iter().map(ToString::to_string).collect();
        self.net.plane(&id, Kind::Cluster, told, sources);
        let mut groups = words(config, "securityGroupIds");
        groups.extend(text(config, "clusterSecurityGroupId"));
        let subnets = words(config, "subnetIds");
        self.services.push(Service { service: "eks", subnets, groups, everywhere: true, id, ..Service::default() });
    }

    pub(super) fn cache(&mut self, item: &Value) {
        let Some(id) = text(item, "CacheClusterId") else { return };
        self.services.push(Service {
            service: "elasticache",
            subnet_group: or_empty(item, "CacheSubnetGroupName"),
            zones: text(item, "PreferredAvailabilityZone").filter(|z| z.as_ref() != "Multiple").into_iter().collect(),
            groups: fields(item, "SecurityGroups", "SecurityGroupId"),
            id,
            ..Service::default()
        });
    }

    pub(super) fn function(&mut self, item: &Value) {
        let (Some(id), Some(config)) = (text(item, "FunctionName"), item.get("VpcConfig")) else { return };
        self.services.push(Service {
            service: "lambda",
            subnets: words(config, "SubnetIds"),
            groups: words(config, "SecurityGroupIds"),
            everywhere: true,
            id,
            ..Service::default()
        });
    }

    pub(super) fn subnet_group(&mut self, item: &Value) {
        let names = ["DBSubnetGroupName", "ClusterSubnetGroupName", "CacheSubnetGroupName"];
        let Some(name) = names.iter().find_map(|key| text(item, key)) else { return };
        self.subnet_groups.insert(name, fields(item, "Subnets", "SubnetIdentifier"));
    }

    /// Finds the interfaces of services, or makes one that stands for them.
    pub(super) fn join_services(&mut self) {
        let zones: FxHashMap<Text, Text> = self.net.subnets.iter().map(|s| (s.id.clone(), s.zone.clone())).collect();
        let mut claims: FxHashMap<usize, Vec<Service>> = FxHashMap::default();
        let mut homeless = Vec::new();
        for mut service in std::mem::take(&mut self.services) {
            if let Some(subnets) = self.subnet_groups.get(&service.subnet_group) {
                service.subnets = subnets.clone();
            }
            let here = |subnet: &&Text| zones.get(*subnet).is_none_or(|zone| zone.is_empty() || service.zones.contains(zone));
            if !service.zones.is_empty() && service.subnets.iter().any(|s| here(&s)) {
                service.subnets = service.subnets.iter().filter(here).cloned().collect();
            }
            let own = |i: &Interface| i.owner.service.as_ref() == service.service && i.owner.id == service.id;
            let mine: Vec<usize> = (0..self.net.interfaces.len()).filter(|at| self.may_be(*at, &service)).collect();
            match (self.net.interfaces.iter().any(own), mine.is_empty()) {
                (true, _) => {}
                (false, true) => homeless.push(service),
                (false, false) => mine.into_iter().for_each(|at| claims.entry(at).or_default().push(service.clone())),
            }
        }
        for (at, owners) in claims {
            let Some(interface) = self.net.interfaces.get_mut(at) else { continue };
            match <[Service; 1]>::try_from(owners) {
                Ok([one]) => {
                    interface.owner.id = one.id;
                    interface.tags.extend(one.tags);
                }
                Err(several) => interface.candidates = several.into_iter().map(|service| service.id).collect(),
            }
        }
        homeless.into_iter().for_each(|service| self.stand_ins(&service));
    }

    /// Whether an interface that names only the kind of its service can be this one's: in its subnets, with its groups.
    fn may_be(&self, at: usize, service: &Service) -> bool {
        let Some(interface) = self.net.interfaces.get(at) else { return false };
        let mut groups: Vec<&Text> = interface.groups.iter().map(|g| &g.id).collect();
        let mut wanted: Vec<&Text> = service.groups.iter().collect();
        groups.sort_unstable();
        wanted.sort_unstable();
        let nameless = interface.owner.service.as_ref() == service.service && interface.owner.id.is_empty();
        nameless && service.subnets.contains(&interface.subnet.id) && groups == wanted
    }

    fn stand_ins(&mut self, service: &Service) {
        let like = Interface {
            owner: Owner { kind: OwnerKind::Service, service: service.service.into(), id: service.id.clone() },
            groups: service.groups.iter().cloned().map(Link::to).collect(),
            perhaps: service.subnets.len() > 1 && !service.everywhere,
            tags: service.tags.clone(),
            ..Interface::default()
        };
        service.subnets.iter().for_each(|subnet| drop(self.stand_in(subnet, &like, service.public)));
    }

    /// Adds an interface that no answer lists, in a subnet that is known, and gives its id.
    pub(super) fn stand_in(&mut self, subnet: &Text, like: &Interface, public: bool) -> Option<Text> {
        let home = self.net.subnets.iter().find(|s| s.id == *subnet)?;
        let block = *home.cidrs.iter().find(|c| c.family == Family::V4)?;
        let private = self.free(block)?;
        let public = public.then(|| {
            self.stand_ins += 1;
            // Out of Amazon's own 3.0.0.0/8: only that it is public counts.
            Addr { family: Family::V4, bits: 0x03ff_0000 + (self.stand_ins & 0xffff) }
        });
        let id = Text::from(format!("{}.{subnet}", like.owner.id));
        self.net.interfaces.push(Interface {
            id: id.clone(),
            subnet: Link::to(subnet.clone()),
            addresses: vec![Address { private, public, within: Some(block), public_loose: public.is_some() }],
            source_dest_check: Some(true),
            ..like.clone()
        });
        Some(id)
    }

    /// An address of a block that nothing has, from its upper end: AWS gives the lower ones first.
    fn free(&self, block: Cidr) -> Option<Addr> {
        let last = block.high() - block.low;
        let taken = |addr: &Addr| self.net.interfaces.iter().any(|i| i.addresses.iter().any(|a| a.private == *addr));
        (1..last.min(256)).map(|n| block.nth(last - n)).find(|addr| !taken(addr))
    }
}
