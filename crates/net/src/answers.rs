//! A network from saved AWS CLI answers: JSON documents recognised by their top-level keys, whatever their file names, from any
//! number of accounts and Regions.
//!
//! Where an AWS answer does not name its parent (the routes of a transit gateway table, the targets of a target group) the
//! wrapped form of Batfish's snapshots is taken too: lists keyed by the parent's id.

mod balancers;
mod ec2;
mod firewalls;
mod read;
mod services;
mod transit;

use std::collections::BTreeSet;

use model::{Gap, GapReason, Text};
use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::network::{BalancerTarget, Home, Interface, Listener, Network, Owner, OwnerKind, Tags};
pub(crate) use balancers::listener_ports;
pub(crate) use ec2::{gateway_target, owner_by_words, rule_id};
pub(crate) use read::rule_ports;
use read::{list, text};

/// More elements than this in one list are cut off with a gap.
pub const LIST_ITEMS_MAX: usize = 2_000_000;

/// What cannot be put into the network at once because it belongs to something in another document.
#[derive(Default)]
struct Staging {
    net: Network,
    items_max: usize,
    home: Home,
    label: String,
    seen: BTreeSet<String>,
    /// The folders (as account and Region) in which there was an answer of a kind.
    seen_in: BTreeSet<(String, Home)>,
    /// The folder, as account and Region, that a VPC was listed in.
    vpc_folders: FxHashMap<Text, Home>,
    listeners: Vec<(Text, Listener)>,
    rules: Vec<(Text, Vec<Text>)>,
    health: FxHashMap<Text, Vec<BalancerTarget>>,
    /// Answers about one balancer or target group, which only the path names: path, key, answer.
    of_balancers: Vec<(String, String, Value)>,
    balancer_attributes: FxHashMap<Text, FxHashMap<String, String>>,
    group_attributes: FxHashMap<Text, FxHashMap<String, String>>,
    instances: FxHashMap<Text, Tags>,
    instance_interfaces: Vec<Interface>,
    elastic: Vec<(Text, Text, Text)>,
    services: Vec<services::Service>,
    subnet_groups: FxHashMap<Text, Vec<Text>>,
    /// Stand-ins of public addresses so far.
    stand_ins: u128,
    group_rules: FxHashMap<Text, Vec<(bool, crate::network::GroupRule)>>,
    vpc_attachments: Vec<(Text, Vec<Text>, bool, bool)>,
    peers: FxHashMap<(Text, Text), ()>,
    static_routes: BTreeSet<Text>,
    prefix_entries: FxHashMap<Text, Vec<crate::addr::Cidr>>,
    firewall_endpoints: Vec<crate::network::Endpoint>,
    /// Load balancers behind endpoint services, by the service's name.
    endpoint_services: FxHashMap<Text, Text>,
}

/// Builds a network from answers: pairs of a label (the path below the folder, `accounts/123456789012/eu-west-1/Vpcs.json`, from
/// which account and Region are read) and the document. What is not understood is a gap of the network.
pub fn from_aws_answers(documents: impl IntoIterator<Item = (String, Value)>) -> Network {
    read_within(documents, LIST_ITEMS_MAX)
}

fn read_within(documents: impl IntoIterator<Item = (String, Value)>, items_max: usize) -> Network {
    let mut staging = Staging { items_max, ..Staging::default() };
    for (label, document) in documents {
        staging.home = home(&label);
        staging.label = label;
        staging.document(&document);
    }
    staging.join();
    staging.net.finish()
}

/// Top-level keys that make a document a network answer.
const KEYS: &[&str] = &[
    "Vpcs",
    "Subnets",
    "SecurityGroups",
    "SecurityGroupRules",
    "NetworkAcls",
    "RouteTables",
    "NetworkInterfaces",
    "Reservations",
    "Addresses",
    "InternetGateways",
    "EgressOnlyInternetGateways",
    "NatGateways",
    "VpcPeeringConnections",
    "PrefixLists",
    "PrefixListEntries",
    "VpcEndpoints",
    "VpnGateways",
    "VpnConnections",
    "FlowLogs",
    "VpcBlockPublicAccessExclusions",
    "VpcBlockPublicAccessOptions",
    "TransitGateways",
    "TransitGatewayAttachments",
    "TransitGatewayVpcAttachments",
    "TransitGatewayPeeringAttachments",
    "TransitGatewayRouteTables",
    "TransitGatewayStaticRoutes",
    "TransitGatewayPropagations",
    "TransitGatewayAssociations",
    "TransitGatewayRouteTablePropagations",
    "LoadBalancers",
    "LoadBalancerDescriptions",
    "Listeners",
    "LoadBalancerListeners",
    "ListenerRules",
    "LoadBalancerListenerRules",
    "TargetGroups",
    "LoadBalancerTargetHealth",
    "TargetHealthDescriptions",
    "LoadBalancerAttributes",
    "TargetGroupAttributes",
    "AvailabilityZones",
    "CustomerGateways",
    "Regions",
    "DBInstances",
    "DBSubnetGroups",
    "DomainStatusList",
    "Clusters",
    "ClusterSubnetGroups",
    "CacheClusters",
    "CacheSubnetGroups",
    "Functions",
    "cluster",
    "Firewall",
    "FirewallPolicy",
    "FirewallPolicyResponse",
    "RuleGroup",
    "RuleGroupResponse",
    "Firewalls",
    "FirewallPolicies",
    "ServiceConfigurations",
];

/// Keys of answers that don't say to what they belong, with a key of their elements: other answers have such lists, too.
const ORPHANS: &[(&str, &str)] = &[
    ("Routes", "DestinationCidrBlock"),
    ("Associations", "TransitGatewayAttachmentId"),
    ("Entries", "Cidr"),
    ("Attributes", "Key"),
    ("Rules", "RuleArn"),
];

/// True if the document is a saved answer about networks.
pub fn is_answer(document: &Value) -> bool {
    let Some(object) = document.as_object() else { return false };
    let orphan = |key: &str, value: &Value| {
        let first = value.as_array().and_then(|all| all.first());
        ORPHANS.iter().any(|(name, field)| *name == key && first.is_some_and(|element| element.get(field).is_some()))
    };
    let mut entries = object.iter();
    let alone = entries.all(|(key, value)| orphan(key, value) || SILENT.contains(&key.as_str()))
        && object.iter().any(|(key, value)| orphan(key, value));
    alone || object.keys().any(|key| KEYS.contains(&key.as_str()))
}

/// Reads a document. Commas before a closing bracket, which some recorders leave behind, do no harm. The error says where the
/// text is no JSON.
pub fn read_answer(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        Err(error) => serde_json::from_str(&without_trailing_commas(text)).map_err(|_| error.to_string()),
    }
}

fn without_trailing_commas(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quoted, mut escaped) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else if c == '"' {
            quoted = true;
        } else if c == ',' {
            let mut space = String::new();
            while let Some(next) = chars.next_if(|next| next.is_whitespace()) {
                space.push(next);
            }
            if !matches!(chars.peek(), Some('}' | ']')) {
                out.push(',');
            }
            out.push_str(&space);
            continue;
        }
        out.push(c);
    }
    out
}

/// The id of a transit gateway route table or prefix list that a document's path holds: `get-managed-prefix-list-entries-pl-0a1b.json`.
fn parent_in(label: &str) -> Option<String> {
    ["tgw-rtb-", "pl-"].iter().find_map(|kind| {
        let starts = label.match_indices(kind).map(|(at, _)| at);
        let mut starts = starts.filter(|at| !label.as_bytes().get(at.wrapping_sub(1)).is_some_and(u8::is_ascii_alphanumeric));
        let rest = label.get(starts.next()?..)?;
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(rest.len());
        rest.get(..end).map(str::to_owned)
    })
}

/// Account and Region by the names of the folders that a document lies in.
fn home(label: &str) -> Home {
    let mut home = Home::default();
    let mut before = "";
    for part in label.split(['/', '\\']) {
        if before == "accounts" && !part.contains('.') {
            home.account = part.into();
        }
        before = part;
        if part.len() == 12 && part.bytes().all(|b| b.is_ascii_digit()) {
            home.account = part.into();
        }
        let pieces: Vec<&str> = part.split('-').collect();
        let number = pieces.last().is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
        if (3..=4).contains(&pieces.len()) && number && model::Region::new(part).is_ok() {
            home.region = part.into();
        }
    }
    home
}

/// Keys of answers that say nothing about reachability, or only what other answers say too.
const SILENT: &[&str] = &[
    "NextToken",
    "ResponseMetadata",
    "AvailabilityZones",
    "OwnerId",
    "RequesterId",
    "ReservationId",
    "Marker",
    "NextMarker",
    "AdditionalRoutesAvailable",
    "Regions",
    "Tags",
    "KeyPairs",
    "Volumes",
    "Images",
    "CustomerGateways",
    "DhcpOptions",
    "NetworkAclIds",
    "DirectConnectGateways",
    "DirectConnectGatewayAssociations",
    "VirtualInterfaces",
    "VpcEndpointConnections",
    "ClassicLinkInstances",
    "connections",
    "LoadBalancerArn",
    "TransitGatewayRouteTableId",
    "UpdateToken",
    "FirewallStatus",
    "FirewallPolicyResponse",
    "RuleGroupResponse",
];

impl Staging {
    fn document(&mut self, document: &Value) {
        let Some(object) = document.as_object() else {
            let gap =
                Gap::new("saved answer", GapReason::Malformed, "the document is not a JSON object with an AWS CLI answer's keys");
            self.net.gaps.push(gap.in_file(self.label.as_str(), None));
            return;
        };
        let mut known = false;
        for (key, value) in object {
            known |= self.entry(key, value, document);
        }
        if !known {
            let keys: Vec<&str> = object.keys().take(5).map(String::as_str).collect();
            let gap = Gap::new(
                "saved answer",
                GapReason::Unsupported,
                format!("no top-level key is one of a network answer: {}", keys.join(", ")),
            );
            self.net.gaps.push(gap.in_file(self.label.as_str(), None).note());
        }
    }

    /// One top-level entry. False if its key is not known.
    fn entry(&mut self, key: &str, value: &Value, document: &Value) -> bool {
        if SILENT.contains(&key) {
            return true;
        }
        let handler: fn(&mut Staging, &Value) = match key {
            "Vpcs" => Staging::vpc,
            "Subnets" => Staging::subnet,
            "SecurityGroups" => Staging::security_group,
            "SecurityGroupRules" => Staging::security_group_rule,
            "NetworkAcls" => Staging::acl,
            "RouteTables" => Staging::route_table,
            "NetworkInterfaces" => Staging::interface,
            "Reservations" => Staging::reservation,
            "Instances" => Staging::instance,
            "Addresses" => Staging::elastic_address,
            "InternetGateways" => Staging::internet_gateway,
            "EgressOnlyInternetGateways" => Staging::egress_only_gateway,
            "NatGateways" => Staging::nat_gateway,
            "VpcPeeringConnections" => Staging::peering,
            "PrefixLists" => Staging::prefix_list,
            "PrefixListEntries" => Staging::prefix_list_entries,
            "VpcEndpoints" => Staging::endpoint,
            "VpnGateways" => Staging::vpn_gateway,
            "VpnConnections" => Staging::vpn_connection,
            "DBInstances" => Staging::database,
            "DomainStatusList" => Staging::search_domain,
            "Clusters" => Staging::warehouse,
            "CacheClusters" => Staging::cache,
            "Functions" => Staging::function,
            "DBSubnetGroups" | "ClusterSubnetGroups" | "CacheSubnetGroups" => Staging::subnet_group,
            "FlowLogs" => Staging::flow_log,
            "VpcBlockPublicAccessExclusions" => Staging::exclusion,
            "TransitGateways" => Staging::transit_gateway,
            "TransitGatewayAttachments" => Staging::transit_attachment,
            "TransitGatewayVpcAttachments" => Staging::transit_vpc_attachment,
            "TransitGatewayPeeringAttachments" => Staging::transit_peering,
            "TransitGatewayRouteTables" => Staging::transit_table,
            "TransitGatewayStaticRoutes" => Staging::transit_routes,
            "TransitGatewayPropagations" => Staging::transit_propagations,
            "TransitGatewayAssociations" => Staging::transit_associations,
            "LoadBalancers" | "LoadBalancerDescriptions" => Staging::balancer,
            "Listeners" | "LoadBalancerListeners" => Staging::listener,
            "ListenerRules" | "LoadBalancerListenerRules" => Staging::listener_rules,
            "TargetGroups" => Staging::target_group,
            "LoadBalancerTargetHealth" => Staging::target_health,
            "LoadBalancerAttributes" => Staging::balancer_attributes,
            "TargetGroupAttributes" => Staging::target_group_attributes,
            "Firewalls" => Staging::firewall,
            "FirewallPolicies" => Staging::firewall_policy,
            "RuleGroups" if value.as_array().is_some_and(|all| all.iter().any(|g| g.get("RuleGroup").is_some())) => {
                Staging::firewall_group
            }
            "ServiceConfigurations" => Staging::endpoint_service,
            "Firewall" | "FirewallPolicy" | "RuleGroup" => {
                match key {
                    "Firewall" => self.firewall(document),
                    "FirewallPolicy" => self.firewall_policy(document),
                    _ => self.firewall_group(document),
                }
                return true;
            }
            "cluster" => {
                self.kubernetes(value);
                return true;
            }
            "VpcBlockPublicAccessOptions" => {
                self.block_public_access(value);
                return true;
            }
            _ => return self.orphan(key, value, document),
        };
        self.seen.insert(key.to_owned());
        self.seen_in.insert((key.to_owned(), self.home.clone()));
        let Some(items) = value.as_array() else {
            self.malformed(key, "it is not a list");
            return true;
        };
        let most = self.items_max;
        if items.len() > most {
            let detail = format!("more than {most} elements (`list_items_max`); the rest is not looked at");
            self.net.gaps.push(Gap::new(key, GapReason::Limit, detail).in_file(self.label.as_str(), None));
        }
        for item in items.iter().take(most) {
            match item.is_object() {
                true => handler(self, item),
                false => self.malformed(key, "an element is not an object"),
            }
        }
        true
    }

    /// Answers that do not name their parent: the file's name may.
    fn orphan(&mut self, key: &str, value: &Value, document: &Value) -> bool {
        let parent = parent_in(&self.label);
        match (key, parent) {
            ("Routes", parent) => {
                let named = text(document, "TransitGatewayRouteTableId").or_else(|| parent.map(Text::from));
                match named {
                    Some(id) => self.routes_of(&id, value),
                    None => self.parentless(&self.label.clone(), key, "TransitGatewayStaticRoutes"),
                }
                true
            }
            ("TransitGatewayRouteTablePropagations", Some(id)) => {
                self.propagations_of(&id.into(), value);
                true
            }
            ("TransitGatewayRouteTablePropagations", None) => {
                self.parentless(&self.label.clone(), key, "TransitGatewayPropagations");
                true
            }
            ("Associations", Some(id)) => {
                self.associations_of(&id.into(), value);
                true
            }
            ("Associations", None) => {
                self.parentless(&self.label.clone(), key, "TransitGatewayAssociations");
                true
            }
            ("Entries", None) => {
                self.parentless(&self.label.clone(), key, "PrefixListEntries");
                true
            }
            ("Entries", Some(id)) => {
                self.entries_of(&id.into(), value);
                true
            }
            ("Rules", _) => {
                self.seen.insert("ListenerRules".to_owned());
                value.as_array().into_iter().flatten().for_each(|rule| self.listener_rule(rule));
                true
            }
            ("TargetHealthDescriptions" | "Attributes", _) => {
                self.of_balancers.push((self.label.clone(), key.to_owned(), document.clone()));
                true
            }
            _ => false,
        }
    }

    /// One element of `PrefixListEntries`.
    fn prefix_list_entries(&mut self, item: &Value) {
        match text(item, "PrefixListId") {
            Some(id) => self.entries_of(&id, item.get("Entries").unwrap_or(&Value::Null)),
            None => self.malformed("PrefixListEntries", "an element has no PrefixListId"),
        }
    }

    /// The blocks of a prefix list. One that is no block leaves the list unknown.
    fn entries_of(&mut self, id: &Text, entries: &Value) {
        let block = |entry: &Value| crate::addr::Cidr::parse(&text(entry, "Cidr")?);
        match entries.as_array().map(|all| all.iter().map(block).collect::<Option<Vec<_>>>()) {
            Some(Some(cidrs)) => {
                self.prefix_entries.insert(id.clone(), cidrs);
            }
            _ => self.malformed(&format!("entries of {id}"), "one of them is not a CIDR block"),
        }
    }

    fn parentless(&mut self, label: &str, key: &str, wrapped: &str) {
        let detail = format!("the answer does not say to what it belongs; wrap it as `{wrapped}`, keyed by its parent's id");
        self.net.gaps.push(Gap::new(key, GapReason::Unsupported, detail).in_file(label, None));
    }

    fn malformed(&mut self, what: &str, detail: &str) {
        if self.net.gaps.len() < 1_000 {
            self.net.gaps.push(Gap::new(what, GapReason::Malformed, detail).in_file(self.label.as_str(), None));
        }
    }

    /// Puts what came from different documents together.
    fn join(&mut self) {
        self.join_group_rules();
        self.join_firewalls();
        self.join_interfaces();
        self.join_prefix_lists();
        self.join_transit();
        self.join_services();
        self.join_named_by_path();
        self.join_balancers();
        self.join_gaps();
    }

    /// Whether there was an answer of this kind for what lies in a folder: in that folder, or in one that is no other account's
    /// or Region's.
    fn listed(&self, key: &str, folder: &Home) -> bool {
        let fits = |a: &Text, b: &Text| a.is_empty() || b.is_empty() || a == b;
        self.seen_in
            .iter()
            .any(|(seen, home)| seen == key && fits(&home.account, &folder.account) && fits(&home.region, &folder.region))
    }

    /// What was never recorded for a VPC's account and Region: interfaces and gateways leave answers open. Without any network
    /// ACL the one that AWS makes with a VPC is assumed, which can only show too much, and every answer that rests on it says so.
    fn join_gaps(&mut self) {
        let mut assumed = BTreeSet::new();
        for at in 0..self.net.vpcs.len() {
            let Some(id) = self.net.vpcs.get(at).map(|vpc| vpc.id.clone()) else { continue };
            let folder = self.vpc_folders.get(&id).cloned().unwrap_or_default();
            let (interfaces, gateways) = (self.listed("NetworkInterfaces", &folder), self.listed("InternetGateways", &folder));
            if let Some(vpc) = self.net.vpcs.get_mut(at) {
                let missing = |what: &str| Some(format!("{what} of {id} aren't in the snapshot").into());
                vpc.interfaces_unknown = if interfaces { None } else { missing("network interfaces") };
                vpc.gateways_unknown = if gateways { None } else { missing("internet gateways") };
            }
            if !self.listed("NetworkAcls", &folder) {
                let why = format!("no network ACL of {id} is in the snapshot: the one that AWS makes with a VPC is assumed");
                let acl = crate::network::Acl::default_of(&id, format!("{id} (default network ACL)").into());
                self.net.acls.push(crate::network::Acl { assumed: Some(why.into()), ..acl });
                assumed.insert(id);
            }
        }
        if !assumed.is_empty() {
            let which = assumed.iter().map(|id| id.as_ref()).collect::<Vec<_>>().join(", ");
            let detail = format!("none of {which}; the one that AWS makes with a VPC, which lets everything through, is assumed");
            let gap = Gap::new("NetworkAcls", GapReason::NotCollected, detail);
            self.net.gaps.push(gap.help("add the answer of `aws ec2 describe-network-acls`"));
        }
    }

    fn join_group_rules(&mut self) {
        let mut given = std::mem::take(&mut self.group_rules);
        for group in &mut self.net.groups {
            if let Some(rules) = given.remove(&group.id) {
                let (egress, ingress): (Vec<_>, Vec<_>) = rules.into_iter().partition(|(egress, _)| *egress);
                group.inbound = ingress.into_iter().map(|(_, rule)| rule).collect();
                group.outbound = egress.into_iter().map(|(_, rule)| rule).collect();
            }
        }
    }

    fn join_interfaces(&mut self) {
        let have: BTreeSet<Text> = self.net.interfaces.iter().map(|i| i.id.clone()).collect();
        let extra = std::mem::take(&mut self.instance_interfaces);
        self.net.interfaces.extend(extra.into_iter().filter(|i| !have.contains(&i.id)));
        for interface in &mut self.net.interfaces {
            if let Some(tags) = self.instances.get(&interface.owner.id) {
                for (key, value) in tags {
                    interface.tags.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        let places: FxHashMap<Text, usize> = self.net.interfaces.iter().enumerate().map(|(at, i)| (i.id.clone(), at)).collect();
        for (interface, private, public) in &self.elastic {
            let Some(public) = crate::addr::Addr::parse(public) else { continue };
            let Some(found) = places.get(interface).and_then(|at| self.net.interfaces.get_mut(*at)) else { continue };
            let private = crate::addr::Addr::parse(private);
            if let Some(address) = found.addresses.iter_mut().find(|a| private.is_none_or(|p| a.private == p)) {
                address.public.get_or_insert(public);
            }
        }
        let service = |kind: &str, id: &Text| Owner { kind: OwnerKind::Endpoint, service: kind.into(), id: id.clone() };
        for endpoint in &self.net.endpoints {
            for link in &endpoint.interfaces {
                if let Some(interface) = places.get(&link.id).and_then(|at| self.net.interfaces.get_mut(*at)) {
                    interface.owner = service("vpce", &endpoint.id);
                }
            }
        }
    }

    fn join_prefix_lists(&mut self) {
        for list in &mut self.net.prefix_lists {
            if let Some(cidrs) = self.prefix_entries.remove(&list.id) {
                list.cidrs = cidrs;
                list.known = true;
            }
        }
        for (id, cidrs) in std::mem::take(&mut self.prefix_entries) {
            self.net.prefix_lists.push(crate::network::PrefixList { id, cidrs, known: true, ..Default::default() });
        }
    }
}

/// Tags as EC2 and ELB write them.
fn tags(item: &Value) -> Tags {
    let all = list(item, "Tags").iter().chain(list(item, "TagSet"));
    all.filter_map(|tag| Some((text(tag, "Key")?, text(tag, "Value").unwrap_or_default()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn vpcs(n: usize) -> Vec<(String, Value)> {
        let all: Vec<Value> = (0..n).map(|v| json!({ "VpcId": format!("vpc-{v}"), "CidrBlock": "10.0.0.0/16" })).collect();
        vec![("a.json".to_owned(), json!({ "Vpcs": all, "NetworkAcls": [] }))]
    }

    #[test]
    fn the_limit_of_a_list() {
        let fits = read_within(vpcs(3), 3);
        assert_eq!((fits.vpcs.len(), fits.gaps.len()), (3, 0));
        let over = read_within(vpcs(4), 3);
        assert_eq!((over.vpcs.len(), over.gaps.len()), (3, 1));
        assert!(over.gaps[0].detail.contains("list_items_max"));
    }

    #[test]
    fn odd_documents_are_gaps_and_end() {
        let odd = [
            json!([]),
            json!("x"),
            json!({}),
            json!({ "Vpcs": 1 }),
            json!({ "Vpcs": [1, null, {}, { "VpcId": 5 }] }),
            json!({ "Routes": [] }),
            json!({ "RouteTables": [{ "RouteTableId": "r", "Routes": [{}], "Associations": 3 }] }),
            json!({ "NetworkInterfaces": [{ "NetworkInterfaceId": "e", "PrivateIpAddress": "nonsense" }] }),
            json!({ "SecurityGroups": [{ "GroupId": "g", "IpPermissions": [{ "IpProtocol": "tpc", "IpRanges": [{ "CidrIp": "1/2" }] }] }] }),
        ];
        for document in odd {
            let network = from_aws_answers([("o.json".to_owned(), document.clone())]);
            assert!(!network.gaps.is_empty() || !network.tables.is_empty(), "{document}");
        }
    }

    #[test]
    fn a_primary_address_is_public_by_its_interface_s_word() {
        let interface = json!({ "NetworkInterfaceId": "eni-1", "PrivateIpAddress": "10.0.0.4",
            "Association": { "PublicIp": "192.0.2.1" }, "PrivateIpAddresses": [{ "Primary": true, "PrivateIpAddress": "10.0.0.4" }] });
        let network = from_aws_answers([("a.json".to_owned(), json!({ "NetworkInterfaces": [interface] }))]);
        assert_eq!(network.interfaces[0].addresses[0].public, crate::addr::Addr::parse("192.0.2.1"));
        assert_eq!(network.interfaces[0].addresses.len(), 1);
    }

    #[test]
    fn a_balancer_without_listed_interfaces_has_one_in_each_subnet() {
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/1";
        let documents = |subnets: Value| {
            let zones = json!([{ "SubnetId": "subnet-1" }, { "SubnetId": "subnet-2" }]);
            let balancer = json!({ "LoadBalancerArn": arn, "LoadBalancerName": "shop", "Type": "application",
                "Scheme": "internet-facing", "AvailabilityZones": zones, "SecurityGroups": ["sg-1"] });
            from_aws_answers([("a.json".to_owned(), json!({ "LoadBalancers": [balancer], "Subnets": subnets }))])
        };
        let subnet =
            |n: u8| json!({ "SubnetId": format!("subnet-{n}"), "VpcId": "vpc-1", "CidrBlock": format!("10.0.{n}.0/24") });
        let network = documents(json!([subnet(1), subnet(2)]));
        let nodes: Vec<_> = network.interfaces.iter().map(|i| (i.subnet.id.as_ref(), i.addresses[0].public_loose)).collect();
        assert_eq!(nodes, [("subnet-1", true), ("subnet-2", true)]);
        let place = |net: &Network| crate::Place::parse(net, "shop").unwrap();
        assert_eq!(place(&network), crate::Place::Interfaces(vec![0, 1]));
        assert_eq!(place(&documents(json!([]))), crate::Place::Missing(arn.to_owned()), "unknown, not blocked");
    }

    #[test]
    fn the_path_of_a_document_may_hold_its_parent() {
        for (label, parent) in [
            ("eu/get-managed-prefix-list-entries-pl-0a1b.json", Some("pl-0a1b")),
            ("tgw-rtb-07/routes.json", Some("tgw-rtb-07")),
            ("routes_tgw-rtb-07.json", Some("tgw-rtb-07")),
            ("simpl-e.json", None),
        ] {
            assert_eq!(parent_in(label).as_deref(), parent, "{label}");
        }
    }

    #[test]
    fn answers_without_a_parent_are_told_with_the_way_out() {
        let read = |label: &str, document: Value| from_aws_answers([(label.to_owned(), document)]);
        for (key, field, wrapped) in [
            ("Routes", "DestinationCidrBlock", "TransitGatewayStaticRoutes"),
            ("Associations", "TransitGatewayAttachmentId", "TransitGatewayAssociations"),
            ("Entries", "Cidr", "PrefixListEntries"),
            ("Attributes", "Key", "LoadBalancerAttributes"),
        ] {
            let document = json!({ key: [{ field: "x" }], "NextToken": "x" });
            assert!(is_answer(&document), "{key}");
            let network = read("a.json", document);
            assert!(network.gaps.iter().any(|g| g.matters && g.detail.contains(wrapped)), "{key}: {:?}", network.gaps);
        }
        for other in
            [json!({ "Routes": [{ "DestinationCidrBlock": "x" }], "openapi": "3.0" }), json!({ "Attributes": { "Key": "x" } })]
        {
            assert!(!is_answer(&other), "another kind of document: {other}");
        }
        let lists = [
            ("pl-1.json", json!({ "Entries": [{ "Cidr": "192.0.2.0/24" }] })),
            ("a.json", json!({ "PrefixListEntries": [{ "PrefixListId": "pl-1", "Entries": [{ "Cidr": "192.0.2.0/24" }] }] })),
        ];
        for (label, document) in lists {
            let network = read(label, document);
            assert_eq!((network.prefix_lists[0].known, network.prefix_lists[0].cidrs.len()), (true, 1), "{label}");
        }
        let odd = read("a.json", json!({ "PrefixListEntries": [{ "PrefixListId": "pl-1", "Entries": [{ "Cidr": "x" }] }] }));
        assert_eq!((odd.prefix_lists.len(), odd.gaps.len()), (0, 1), "a list with one bad block is not known");
    }

    /// A group with so many rules, each for one address, on an interface that the internet can call.
    fn crowded(rules: u32) -> Network {
        let ranges: Vec<Value> =
            (0..rules).map(|n| json!({ "CidrIp": format!("{}/32", std::net::Ipv4Addr::from(0x0b00_0000 + (n << 2))) })).collect();
        let group = json!({ "GroupId": "sg-1", "IpPermissions": [{ "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": ranges }] });
        let interface = json!({ "NetworkInterfaceId": "eni-1", "SubnetId": "s", "VpcId": "v", "PrivateIpAddress": "10.0.0.9",
            "Association": { "PublicIp": "54.0.0.9" }, "Groups": [{ "GroupId": "sg-1" }] });
        let routes = json!([{ "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active" }]);
        from_aws_answers([(
            "g.json".to_owned(),
            json!({
                "Vpcs": [{ "VpcId": "v", "CidrBlock": "10.0.0.0/16" }],
                "Subnets": [{ "SubnetId": "s", "VpcId": "v", "CidrBlock": "10.0.0.0/24" }],
                "RouteTables": [{ "RouteTableId": "r", "VpcId": "v", "Routes": routes, "Associations": [{ "Main": true }] }],
                "InternetGateways": [{ "InternetGatewayId": "igw-1", "Attachments": [{ "VpcId": "v", "State": "available" }] }],
                "SecurityGroups": [group], "NetworkInterfaces": [interface],
            }),
        )])
    }

    #[test]
    fn the_limit_of_a_groups_rules() {
        use crate::index::DIRECTION_RULES_MAX;
        let limit = |network: &Network| network.gaps.iter().filter(|g| g.reason == GapReason::Limit).count();
        let ask = |network: &Network| {
            let place = |text: &str| crate::Place::parse(network, text).unwrap();
            crate::reach(network, &place("internet"), &place("eni-1"), &crate::Ports::tcp(23, 23)).answer
        };
        let fits = crowded(DIRECTION_RULES_MAX as u32);
        assert_eq!((limit(&fits), fits.groups[0].inbound.len()), (0, DIRECTION_RULES_MAX));
        let over = crowded(DIRECTION_RULES_MAX as u32 + 1);
        assert_eq!((limit(&over), over.groups[0].inbound.len()), (1, DIRECTION_RULES_MAX));
        assert_eq!(ask(&over), crate::Verdict::Unknown, "what was cut off may let it in");
        assert_eq!(limit(&crowded(300_000)), 1, "far more end, too");
    }

    #[test]
    fn folders_name_accounts_and_regions() {
        let found = home("x/accounts/123456789012/us-gov-west-1/Vpcs.json");
        assert_eq!((found.account.as_ref(), found.region.as_ref()), ("123456789012", "us-gov-west-1"));
        assert_eq!(home("my-network-1x/Vpcs.json"), Home::default());
    }

    #[test]
    fn commas_that_recorders_leave_behind() {
        assert_eq!(read_answer("{\"a\": [1, 2,], \"b\": \"x,}\" , }"), Ok(json!({ "a": [1, 2], "b": "x,}" })));
        assert!(read_answer("{\"a\": ").is_err());
    }
}
