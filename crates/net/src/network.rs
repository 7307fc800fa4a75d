//! The typed network: what a set of accounts says about its VPCs and all that joins them.
//!
//! Builders ([`crate::from_aws_answers`], [`crate::from_snapshot`]) fill the lists; [`Network::finish`] resolves every reference and
//! builds the look-up tables. A reference to something that isn't there stays, with its id: questions that depend on it answer
//! unknown and name it.

mod balancers;

pub use balancers::{Balancer, BalancerKind, BalancerTarget, Listener, TargetGroup};

use std::collections::BTreeMap;

use model::{Gap, GapReason, Text};
use rustc_hash::FxHashMap;

use crate::addr::{Addr, Cidr};
use crate::fault::Fault;
use crate::lpm::Lpm;
use crate::ports::Ports;

/// Tags by key, in key order.
pub type Tags = BTreeMap<Text, Text>;

/// A reference by id, resolved to a position when the target is in the snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Link {
    /// The target's id; empty if there is no reference.
    pub id: Text,
    /// The target's position in its list; `None` for a dangling reference.
    pub at: Option<usize>,
}

impl Link {
    /// A reference that is not resolved yet.
    pub fn to(id: impl Into<Text>) -> Link {
        Link { id: id.into(), at: None }
    }

    /// True if there is no reference at all.
    pub fn is_none(&self) -> bool {
        self.id.is_empty()
    }
}

/// Account and Region, where known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home {
    /// Twelve digits; empty if not known.
    pub account: Text,
    /// A Region code; empty if not known.
    pub region: Text,
}

/// Whether a component works.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// It does (or says nothing to the contrary).
    #[default]
    Up,
    /// It does not: the word AWS uses.
    Down(Text),
    /// Not known, with the reason.
    Unknown(Text),
}

/// A virtual private cloud.
#[derive(Clone, Debug, Default)]
pub struct Vpc {
    /// `vpc-...` or the logical name.
    pub id: Text,
    /// Where it is.
    pub home: Home,
    /// Its address ranges, both families.
    pub cidrs: Vec<Cidr>,
    /// Why the ranges are not all known, if so.
    pub cidrs_unknown: Option<Text>,
    /// Tags.
    pub tags: Tags,
    /// Its main route table; filled in by [`Network::finish`].
    pub main_table: Option<usize>,
    /// More than one table says it is the main one.
    pub mains: usize,
    /// The attached internet gateway.
    pub igw: Option<usize>,
    /// The attached virtual private gateway.
    pub vgw: Option<usize>,
    /// Why it may hold interfaces that are not listed, if so.
    pub interfaces_unknown: Option<Text>,
    /// Why it may have an internet gateway that is not listed, if so.
    pub gateways_unknown: Option<Text>,
    /// Why it may have load balancers that are not listed, if so.
    pub balancers_unknown: Option<Text>,
    /// Why it is not known what VPC Block Public Access blocks here, if so: it is taken to be off, which can only show too much.
    pub access_block_unknown: Option<Text>,
}

/// A subnet.
#[derive(Clone, Debug, Default)]
pub struct Subnet {
    /// `subnet-...` or the logical name.
    pub id: Text,
    /// Its VPC.
    pub vpc: Link,
    /// Availability Zone by name or id; empty if not known.
    pub zone: Text,
    /// Its address ranges: one IPv4 or none, IPv6 ones.
    pub cidrs: Vec<Cidr>,
    /// New interfaces get a public IPv4 address.
    pub public_on_launch: Option<bool>,
    /// Tags.
    pub tags: Tags,
    /// The route table that applies: explicit association, else the VPC's main one.
    pub table: Link,
    /// The network ACL that applies.
    pub acl: Link,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Inside the VPC.
    Local,
    /// An internet gateway.
    Internet(Link),
    /// An egress-only internet gateway (IPv6).
    EgressOnly(Link),
    /// A NAT gateway.
    Nat(Link),
    /// A peering connection.
    Peering(Link),
    /// A transit gateway.
    Transit(Link),
    /// A virtual private gateway.
    VpnGateway(Link),
    /// A gateway endpoint or a gateway load balancer endpoint.
    Endpoint(Link),
    /// A network interface: an appliance.
    Interface(Link),
    /// Anything else: carrier gateway, local gateway, core network. The id.
    Other(Text),
}

impl Target {
    /// The reference, for a target that has one.
    pub(crate) fn link(&self) -> Option<&Link> {
        match self {
            Target::Local | Target::Other(_) => None,
            Target::Internet(l) | Target::EgressOnly(l) | Target::Nat(l) | Target::Peering(l) => Some(l),
            Target::Transit(l) | Target::VpnGateway(l) | Target::Endpoint(l) | Target::Interface(l) => Some(l),
        }
    }

    /// The id that the route names.
    pub fn id(&self) -> &str {
        match self {
            Target::Local => "local",
            Target::Other(id) => id,
            other => other.link().map_or("", |link| link.id.as_ref()),
        }
    }
}

/// What a route is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A block.
    Block(Cidr),
    /// A prefix list.
    List(Link),
}

/// One route.
#[derive(Clone, Debug)]
pub struct Route {
    /// What it is for.
    pub to: Destination,
    /// Where it leads.
    pub target: Target,
    /// `Down` for a blackhole.
    pub state: State,
    /// Learned from a virtual private gateway: a static route for the same block wins.
    pub propagated: bool,
}

/// A route table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// `rtb-...` or the logical name.
    pub id: Text,
    /// Its VPC.
    pub vpc: Link,
    /// Routes, in source order.
    pub routes: Vec<Route>,
    /// True if it says it is its VPC's main table.
    pub main: bool,
    /// Explicitly associated subnets.
    pub subnets: Vec<Text>,
    /// Gateways it is an edge table of.
    pub gateways: Vec<Text>,
    /// Virtual private gateways whose learned prefixes come into it.
    pub propagating: Vec<Text>,
    /// Why its routes are not all known, if so.
    pub unknown: Option<Text>,
    /// Longest-prefix match over the routes.
    pub lpm: Lpm,
}

/// One line of a network ACL.
#[derive(Clone, Debug)]
pub struct AclEntry {
    /// Its number: the lowest that matches decides.
    pub number: i64,
    /// Allow or deny.
    pub allow: bool,
    /// The peer's block. `None` if it isn't known.
    pub cidr: Option<Cidr>,
    /// Protocol and destination ports.
    pub ports: Ports,
    /// What is not known about it, if anything: it may then match anything.
    pub unknown: Option<Text>,
}

/// A network ACL.
#[derive(Clone, Debug, Default)]
pub struct Acl {
    /// `acl-...` or the logical name.
    pub id: Text,
    /// Its VPC.
    pub vpc: Link,
    /// The VPC's default one.
    pub default: bool,
    /// Inbound lines, by number.
    pub inbound: Vec<AclEntry>,
    /// Outbound lines, by number.
    pub outbound: Vec<AclEntry>,
    /// Associated subnets.
    pub subnets: Vec<Text>,
    /// Why its lines are not all known, if so.
    pub unknown: Option<Text>,
    /// It was never seen: it stands for the one that AWS makes with a VPC, for this reason.
    pub assumed: Option<Text>,
}

impl Acl {
    /// The ACL that AWS makes with a VPC: it lets everything through, and belongs to every subnet without another.
    /// Source: VPC user guide, "Default network ACL for a VPC".
    pub fn default_of(vpc: &Text, id: Text) -> Acl {
        let line = |number, cidr| AclEntry { number, allow: true, cidr: Some(cidr), ports: Ports::full(), unknown: None };
        let lines = vec![line(100, Cidr::V4_ALL), line(101, Cidr::V6_ALL)];
        Acl { id, vpc: Link::to(vpc.clone()), default: true, inbound: lines.clone(), outbound: lines, ..Acl::default() }
    }
}

/// Whom a security group rule lets in or out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A block.
    Block(Cidr),
    /// A prefix list.
    List(Link),
    /// The members of a group.
    Group(Link),
    /// Not known: the reason.
    Unknown(Text),
}

/// One rule of a security group.
#[derive(Clone, Debug)]
pub struct GroupRule {
    /// `sgr-...` where AWS says it, else made from the group, the direction and the rule's words.
    pub id: Text,
    /// Protocol and ports.
    pub ports: Ports,
    /// What is not known about protocol and ports, if anything: `ports` is then the most it can be.
    pub ports_unknown: Option<Text>,
    /// The other side.
    pub peer: Peer,
}

/// A security group.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// `sg-...` or the logical name.
    pub id: Text,
    /// `GroupName`.
    pub name: Text,
    /// Its VPC.
    pub vpc: Link,
    /// Inbound rules.
    pub inbound: Vec<GroupRule>,
    /// Outbound rules.
    pub outbound: Vec<GroupRule>,
    /// Tags.
    pub tags: Tags,
    /// Why its rules are not all known, if so.
    pub unknown: Option<Text>,
}

/// What an interface belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum OwnerKind {
    /// An EC2 instance.
    Instance,
    /// A load balancer node.
    Balancer,
    /// A NAT gateway.
    Nat,
    /// An interface or gateway load balancer endpoint.
    Endpoint,
    /// A transit gateway attachment.
    Transit,
    /// A database, function, cluster, file system or other service; the name says which.
    Service,
    /// Nothing known.
    #[default]
    Interface,
}

/// What an interface belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// The kind.
    pub kind: OwnerKind,
    /// The service, in AWS's short name: `ec2`, `rds`, `lambda`, `eks`, ...
    pub service: Text,
    /// The owner's id: `i-...`, a balancer's ARN, a database identifier; empty if only the service is known.
    pub id: Text,
}

/// One address of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address inside the VPC.
    pub private: Addr,
    /// The address that the internet sees: an Elastic or public IPv4, or the IPv6 address itself.
    pub public: Option<Addr>,
    /// The address is a stand-in for one that AWS will choose within this block.
    pub within: Option<Cidr>,
    /// The public address is a stand-in for one that AWS will choose.
    pub public_loose: bool,
}

/// A network interface.
#[derive(Clone, Debug, Default)]
pub struct Interface {
    /// `eni-...`, or made up for what has none yet.
    pub id: Text,
    /// What it belongs to.
    pub owner: Owner,
    /// Its subnet.
    pub subnet: Link,
    /// Its VPC, by its own word; [`Network::finish`] fills it in from the subnet.
    pub vpc: Link,
    /// Its addresses, the primary one first.
    pub addresses: Vec<Address>,
    /// Its security groups.
    pub groups: Vec<Link>,
    /// Why its groups are not all known, if so.
    pub groups_unknown: Option<Text>,
    /// Why it is not known whether it has a public address, if so.
    pub public_unknown: Option<Text>,
    /// It drops what isn't addressed to it.
    pub source_dest_check: Option<bool>,
    /// One of several places where its owner may come to be.
    pub perhaps: bool,
    /// Owners of which one has it, where it isn't known which.
    pub candidates: Vec<Text>,
    /// The interface belongs to a service that has no security groups by design (NAT gateways, some balancers).
    pub ungrouped: bool,
    /// Tags of the interface and its owner.
    pub tags: Tags,
}

/// An internet gateway or egress-only internet gateway.
#[derive(Clone, Debug, Default)]
pub struct Gateway {
    /// `igw-...`, `eigw-...` or the logical name.
    pub id: Text,
    /// Attached VPCs and the state of the attachment.
    pub vpcs: Vec<(Text, State)>,
    /// True for an egress-only gateway.
    pub egress_only: bool,
}

/// A NAT gateway.
#[derive(Clone, Debug, Default)]
pub struct Nat {
    /// `nat-...` or the logical name.
    pub id: Text,
    /// Its subnet.
    pub subnet: Link,
    /// Its interface.
    pub interface: Link,
    /// A private one never reaches the internet.
    pub private: bool,
    /// Whether it works.
    pub state: State,
}

/// A VPC peering connection.
#[derive(Clone, Debug, Default)]
pub struct Peering {
    /// `pcx-...` or the logical name.
    pub id: Text,
    /// The two VPCs, requester first.
    pub sides: [Link; 2],
    /// Blocks of either side, for VPCs that are not in the snapshot.
    pub cidrs: [Vec<Cidr>; 2],
    /// Both sides are in one Region, as far as is known: only then groups can be referenced across.
    pub same_region: bool,
    /// Whether it works.
    pub state: State,
}

/// A transit gateway.
#[derive(Clone, Debug, Default)]
pub struct Transit {
    /// `tgw-...` or the logical name.
    pub id: Text,
    /// Security groups can be referenced across it.
    pub group_references: bool,
    /// Whether it works.
    pub state: State,
    /// Attachments associate with this table unless they say otherwise (known before deploy only).
    pub default_table: Text,
    /// Why its attachments are not all known, if so.
    pub attachments_unknown: Option<Text>,
}

/// What a transit gateway attachment joins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Joined {
    /// A VPC.
    Vpc(Link),
    /// A VPN connection.
    Vpn(Link),
    /// A Direct Connect gateway.
    DirectConnect(Text),
    /// Another transit gateway.
    Peering(Text),
    /// Anything else, by its type and id.
    #[default]
    Other,
}

/// An attachment to a transit gateway.
#[derive(Clone, Debug, Default)]
pub struct Attachment {
    /// `tgw-attach-...` or the logical name.
    pub id: Text,
    /// The transit gateway.
    pub transit: Link,
    /// What it joins.
    pub joined: Joined,
    /// The associated route table.
    pub table: Link,
    /// Why it is not known which table that is, if so.
    pub table_unknown: Option<Text>,
    /// The subnets in which it has an interface; empty if not known.
    pub subnets: Vec<Link>,
    /// The subnets are known.
    pub subnets_known: bool,
    /// Appliance mode: one Availability Zone for both directions.
    pub appliance: bool,
    /// Security groups can be referenced across it.
    pub group_references: bool,
    /// Whether it works.
    pub state: State,
}

/// One route of a transit gateway.
#[derive(Clone, Debug)]
pub struct TransitRoute {
    /// The block.
    pub to: Cidr,
    /// The attachments; empty for a blackhole.
    pub attachments: Vec<Text>,
    /// `Down` for a blackhole.
    pub state: State,
    /// A static one wins over a propagated one for the same block.
    pub propagated: bool,
}

/// A route table of a transit gateway.
#[derive(Clone, Debug, Default)]
pub struct TransitTable {
    /// `tgw-rtb-...` or the logical name.
    pub id: Text,
    /// The transit gateway.
    pub transit: Link,
    /// Attachments whose association with this table is known from the table's own side.
    pub associated: Vec<Text>,
    /// Routes, static and (where listed as such) propagated.
    pub routes: Vec<TransitRoute>,
    /// Attachments that propagate to it.
    pub propagations: Vec<Text>,
    /// Why its routes are not all known, if so.
    pub unknown: Option<Text>,
    /// Attachments propagate to it whose prefixes are not known (dynamic routing): their ids.
    pub dynamic: Vec<Text>,
    /// Longest-prefix match over the routes.
    pub lpm: Lpm,
}

/// A virtual private gateway.
#[derive(Clone, Debug, Default)]
pub struct VpnGateway {
    /// `vgw-...` or the logical name.
    pub id: Text,
    /// Attached VPCs and the state of the attachment.
    pub vpcs: Vec<(Text, State)>,
}

/// A site-to-site VPN connection.
#[derive(Clone, Debug, Default)]
pub struct Vpn {
    /// `vpn-...` or the logical name.
    pub id: Text,
    /// The virtual private gateway, if it ends there.
    pub gateway: Text,
    /// The transit gateway, if it ends there.
    pub transit: Text,
    /// Prefixes behind it by static routes.
    pub prefixes: Vec<Cidr>,
    /// It learns prefixes by BGP: more may lie behind it.
    pub dynamic: bool,
    /// AWS's public addresses of its tunnels.
    pub outside: Vec<Addr>,
    /// Whether it works.
    pub state: State,
}

/// A VPC endpoint.
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    /// `vpce-...` or the logical name.
    pub id: Text,
    /// Its VPC.
    pub vpc: Link,
    /// The service it leads to.
    pub service: Text,
    /// `Gateway`, `Interface`, `GatewayLoadBalancer`, ...
    pub kind: Text,
    /// The subnets in which it has an interface.
    pub subnets: Vec<Link>,
    /// Its interfaces.
    pub interfaces: Vec<Link>,
    /// Whether it works.
    pub state: State,
    /// The Network Firewall behind it, by name, if known.
    pub firewall: Option<Text>,
}

/// A prefix list.
#[derive(Clone, Debug, Default)]
pub struct PrefixList {
    /// `pl-...` or the logical name.
    pub id: Text,
    /// Its name: `com.amazonaws.eu-central-1.s3`.
    pub name: Text,
    /// Its blocks.
    pub cidrs: Vec<Cidr>,
    /// The blocks are known.
    pub known: bool,
}

/// What VPC Block Public Access blocks in an account and Region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockMode {
    /// Nothing.
    #[default]
    Off,
    /// What the internet begins; only NAT and egress-only gateways still carry traffic out.
    Ingress,
    /// All traffic of internet gateways and egress-only gateways.
    Bidirectional,
}

/// VPC Block Public Access of one account and Region.
#[derive(Clone, Debug, Default)]
pub struct PublicAccessBlock {
    /// Where it holds.
    pub home: Home,
    /// What it blocks.
    pub mode: BlockMode,
}

/// An exclusion from VPC Block Public Access.
#[derive(Clone, Debug, Default)]
pub struct Exclusion {
    /// `vpcbpa-exclude-...`.
    pub id: Text,
    /// The id of the VPC or subnet.
    pub resource: Text,
    /// Only traffic outward is excluded.
    pub egress_only: bool,
}

/// All that is known. See the module.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each list is named after its element, which is documented")]
pub struct Network {
    pub vpcs: Vec<Vpc>,
    pub subnets: Vec<Subnet>,
    pub tables: Vec<Table>,
    pub acls: Vec<Acl>,
    pub groups: Vec<Group>,
    pub interfaces: Vec<Interface>,
    pub gateways: Vec<Gateway>,
    pub nats: Vec<Nat>,
    pub peerings: Vec<Peering>,
    pub transits: Vec<Transit>,
    pub attachments: Vec<Attachment>,
    pub transit_tables: Vec<TransitTable>,
    pub vpn_gateways: Vec<VpnGateway>,
    pub vpns: Vec<Vpn>,
    pub endpoints: Vec<Endpoint>,
    pub prefix_lists: Vec<PrefixList>,
    pub balancers: Vec<Balancer>,
    pub target_groups: Vec<TargetGroup>,
    pub access_blocks: Vec<PublicAccessBlock>,
    pub exclusions: Vec<Exclusion>,
    pub firewalls: Vec<crate::firewall::Firewall>,
    pub firewall_policies: Vec<crate::firewall::FirewallPolicy>,
    pub firewall_groups: Vec<crate::firewall::FirewallGroup>,
    pub planes: Vec<crate::planes::Plane>,
    /// Flow logs: the id of the VPC, subnet or interface, and the log's own.
    pub flow_logs: Vec<(Text, Text)>,
    /// The choice of parameter values under which a template becomes this; empty if it becomes the same under every choice.
    pub world: Text,
    /// Why there may be interfaces that are not listed, whatever the VPC, if so.
    pub interfaces_unknown: Option<Text>,
    /// What could not be read or makes no sense.
    pub gaps: Vec<Gap>,
    /// Look-up tables.
    pub(crate) index: Index,
    /// A fault planted by a test.
    pub(crate) fault: Option<Fault>,
}

/// Look-up tables of a finished network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Interface by VPC and private address.
    pub(crate) private: FxHashMap<(usize, Addr), usize>,
    /// Interface by public address.
    pub(crate) public: FxHashMap<Addr, usize>,
    /// Interfaces by owner's id, and by their own.
    pub(crate) owners: FxHashMap<Text, Vec<usize>>,
    /// Attachments of a VPC, as `(transit, attachment)`.
    pub(crate) vpc_attachments: FxHashMap<usize, Vec<(Text, usize)>>,
    /// Attachment by id; a peering attachment is there once for either side.
    pub(crate) attachments: FxHashMap<Text, Vec<usize>>,
    /// Balancer targets: owner or address of the target -> (balancer, listener, target group or none).
    pub(crate) behind: FxHashMap<usize, Vec<crate::balance::Behind>>,
    /// Balancers of which not all targets are known.
    pub(crate) unread_balancers: Vec<usize>,
}

macro_rules! access {
    ($($name:ident: $list:ident -> $type:ty),* $(,)?) => {
        /// Elements by position.
        #[expect(clippy::indexing_slicing, reason = "positions come from this network's own links")]
        impl Network {
            $(
                #[doc = concat!("The element of `", stringify!($list), "` at a position that a link of this network gave.")]
                pub fn $name(&self, at: usize) -> &$type {
                    &self.$list[at]
                }
            )*
        }
    };
}

access! {
    vpc: vpcs -> Vpc,
    subnet: subnets -> Subnet,
    table: tables -> Table,
    acl: acls -> Acl,
    group: groups -> Group,
    interface: interfaces -> Interface,
    gateway: gateways -> Gateway,
    nat: nats -> Nat,
    peering: peerings -> Peering,
    transit: transits -> Transit,
    attachment: attachments -> Attachment,
    transit_table: transit_tables -> TransitTable,
    endpoint: endpoints -> Endpoint,
    prefix_list: prefix_lists -> PrefixList,
    balancer: balancers -> Balancer,
    target_group: target_groups -> TargetGroup,
}

impl Network {
    /// Adds a gap about something malformed.
    pub(crate) fn odd(&mut self, what: impl Into<String>, detail: impl Into<String>) {
        self.gaps.push(Gap::new(what, GapReason::Malformed, detail));
    }

    /// True if a test has planted this fault.
    pub(crate) fn faulty(&self, fault: Fault) -> bool {
        cfg!(test) && self.fault == Some(fault)
    }

    /// The VPC of an interface, if both are in the snapshot.
    pub fn vpc_of(&self, interface: usize) -> Option<usize> {
        self.interface(interface).vpc.at
    }

    /// The interface with this private address in a VPC.
    pub fn at_private(&self, vpc: usize, addr: Addr) -> Option<usize> {
        self.index.private.get(&(vpc, addr)).copied()
    }

    /// The interface with this public address.
    pub fn at_public(&self, addr: Addr) -> Option<usize> {
        self.index.public.get(&addr).copied()
    }

    /// Interfaces of an owner, or the interface of that id.
    pub fn interfaces_of(&self, id: &str) -> &[usize] {
        self.index.owners.get(id).map(Vec::as_slice).unwrap_or_default()
    }
}
