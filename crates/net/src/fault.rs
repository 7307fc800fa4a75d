//! Mistakes that tests plant in the engine to see that they are caught. Outside of tests no fault is ever set.

/// One planted mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Network ACLs let everything through.
    AclIgnored,
    /// Network ACLs also apply inside a subnet.
    AclInsideSubnet,
    /// The lowest number no longer decides: any allow will do.
    AclOrderIgnored,
    /// Replies may go to any port.
    ReplyPortsIgnored,
    /// Replies are not looked at.
    ReplyIgnored,
    /// A group reference matches nobody.
    GroupReferenceIgnored,
    /// A group reference matches everybody.
    GroupReferenceMatchesAll,
    /// A group reference also matches traffic from a public address.
    GroupReferencePublic,
    /// Outbound rules are not looked at.
    EgressIgnored,
    /// Only the first group of an interface counts.
    FirstGroupOnly,
    /// Blackhole routes carry traffic.
    BlackholeIgnored,
    /// The main table instead of the explicit one.
    MainTableAlways,
    /// The shortest prefix instead of the longest.
    ShortestPrefix,
    /// A propagated route beats a static one.
    PropagatedWins,
    /// Peering is transitive.
    PeeringTransitive,
    /// A NAT gateway takes calls from outside.
    NatInbound,
    /// An egress-only gateway takes calls from outside.
    EgressOnlyInbound,
    /// The internet reaches interfaces without a public address.
    NoPublicAddressNeeded,
    /// An internet gateway need not be attached.
    DetachedGateway,
    /// All attachments use the first table of the transit gateway.
    OneTransitTable,
    /// The transit gateway serves every Availability Zone.
    AnyZone,
    /// Transit gateway blackholes carry traffic.
    TransitBlackholeIgnored,
    /// VPC Block Public Access blocks nothing.
    BlockIgnored,
    /// A firewall lets everything through.
    FirewallIgnored,
    /// A firewall lets every answer through.
    FirewallReplyIgnored,
    /// Stateful rules count in source order although the policy goes by actions.
    FirewallActionOrderIgnored,
    /// What no stateful rule matches passes although the policy drops it.
    FirewallDefaultIgnored,
    /// A gateway's own route table is not asked.
    EdgeTableIgnored,
    /// A gateway endpoint carries every protocol.
    EndpointProtocolIgnored,
    /// Everything lies behind a VPN connection.
    VpnPrefixIgnored,
    /// A VPN connection that is down carries traffic.
    VpnStateIgnored,
    /// Exclusions from VPC Block Public Access do not count.
    ExclusionIgnored,
    /// Blocking of what the internet begins lets every call out.
    BlockIngressLetsOut,
    /// A load balancer takes every port.
    ListenerIgnored,
    /// Targets of a network load balancer never see the client's address.
    ClientAddressLost,
    /// A load balancer's node sends to targets in every zone.
    CrossZoneIgnored,
    /// Dangling references are empty instead of unknown.
    DanglingBlocks,
}

#[cfg(test)]
impl Fault {
    /// Every fault.
    pub(crate) const ALL: &[Fault] = &[
        Fault::AclIgnored,
        Fault::AclInsideSubnet,
        Fault::AclOrderIgnored,
        Fault::ReplyPortsIgnored,
        Fault::ReplyIgnored,
        Fault::GroupReferenceIgnored,
        Fault::GroupReferenceMatchesAll,
        Fault::GroupReferencePublic,
        Fault::EgressIgnored,
        Fault::FirstGroupOnly,
        Fault::BlackholeIgnored,
        Fault::MainTableAlways,
        Fault::ShortestPrefix,
        Fault::PropagatedWins,
        Fault::PeeringTransitive,
        Fault::NatInbound,
        Fault::EgressOnlyInbound,
        Fault::NoPublicAddressNeeded,
        Fault::DetachedGateway,
        Fault::OneTransitTable,
        Fault::AnyZone,
        Fault::TransitBlackholeIgnored,
        Fault::BlockIgnored,
        Fault::FirewallIgnored,
        Fault::FirewallReplyIgnored,
        Fault::FirewallActionOrderIgnored,
        Fault::FirewallDefaultIgnored,
        Fault::EdgeTableIgnored,
        Fault::EndpointProtocolIgnored,
        Fault::VpnPrefixIgnored,
        Fault::VpnStateIgnored,
        Fault::ExclusionIgnored,
        Fault::BlockIngressLetsOut,
        Fault::ListenerIgnored,
        Fault::ClientAddressLost,
        Fault::CrossZoneIgnored,
        Fault::DanglingBlocks,
    ];
}
