//! What a walk through the network records: every component it meets, what that lets through, and why.

use model::Text;

use crate::addr::Addr;
use crate::carry::Packet;
use crate::filter::{Filter, Side, Way};
use crate::ports::Ports;

/// AWS Reachability Analyzer's names for why a component does not let traffic through.
/// Source: VPC Reachability Analyzer, "Explanation codes".
#[expect(missing_docs, reason = "AWS documents each code; the constant's value is its name")]
pub mod code {
    pub const BAD_STATE: &str = "BAD_STATE";
    pub const BAD_STATE_ATTACHMENT: &str = "BAD_STATE_ATTACHMENT";
    pub const BAD_STATE_ROUTE: &str = "BAD_STATE_ROUTE";
    pub const BAD_STATE_VPN: &str = "BAD_STATE_VPN";
    pub const CANNOT_ROUTE: &str = "CANNOT_ROUTE";
    pub const ELB_LISTENERS_MISMATCH: &str = "ELB_LISTENERS_MISMATCH";
    pub const ELBV2_LISTENER_HAS_NO_TG: &str = "ELBV2_LISTENER_HAS_NO_TG";
    pub const ELBV2_LISTENER_REQUIRES_TG_ACCEPT: &str = "ELBV2_LISTENER_REQUIRES_TG_ACCEPT";
    pub const ELBV2_LISTENERS_MISMATCH: &str = "ELBV2_LISTENERS_MISMATCH";
    pub const ELBV2_NO_TARGETS_IN_AZ: &str = "ELBV2_NO_TARGETS_IN_AZ";
    pub const ELB_NOT_CROSSZONE: &str = "ELB_NOT_CROSSZONE";
    pub const ENI_SG_RULES_MISMATCH: &str = "ENI_SG_RULES_MISMATCH";
    pub const ENI_SOURCE_DEST_CHECK_RESTRICTION: &str = "ENI_SOURCE_DEST_CHECK_RESTRICTION";
    pub const FIREWALL_RULES_RESTRICTION: &str = "FIREWALL_RULES_RESTRICTION";
    pub const IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS: &str = "IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS";
    pub const IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS: &str = "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS";
    pub const IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS: &str = "IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS";
    pub const IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS: &str = "IGW_SOURCE_ADDRESS_NOT_IN_RFC1918_INGRESS";
    pub const NGW_REQUIRES_SOURCE_IN_VPC: &str = "NGW_REQUIRES_SOURCE_IN_VPC";
    pub const NO_POSSIBLE_DESTINATION: &str = "NO_POSSIBLE_DESTINATION";
    pub const NO_ROUTE_TO_DESTINATION: &str = "NO_ROUTE_TO_DESTINATION";
    pub const NO_SOURCE_OR_DESTINATION: &str = "NO_SOURCE_OR_DESTINATION";
    pub const PCX_REQUIRES_ADDRESS_IN_VPC_CIDR: &str = "PCX_REQUIRES_ADDRESS_IN_VPC_CIDR";
    pub const PROTOCOL_RESTRICTION: &str = "PROTOCOL_RESTRICTION";
    pub const SG_HAS_NO_RULES: &str = "SG_HAS_NO_RULES";
    pub const SG_REFERENCES_NOT_PRESERVED: &str = "SG_REFERENCES_NOT_PRESERVED";
    pub const SG_REFERENCING_SUPPORT: &str = "SG_REFERENCING_SUPPORT";
    pub const SUBNET_ACL_RESTRICTION: &str = "SUBNET_ACL_RESTRICTION";
    pub const TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION: &str = "TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION";
    pub const TGW_BAD_STATE_VPN: &str = "TGW_BAD_STATE_VPN";
    pub const TGW_ROUTE_AZ_RESTRICTION: &str = "TGW_ROUTE_AZ_RESTRICTION";
    pub const TGW_RTB_BAD_STATE_ROUTE: &str = "TGW_RTB_BAD_STATE_ROUTE";
    pub const TGW_RTB_CANNOT_ROUTE: &str = "TGW_RTB_CANNOT_ROUTE";
    pub const TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT: &str = "TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT";
    pub const VPC_BLOCK_PUBLIC_ACCESS_ENABLED: &str = "VPC_BLOCK_PUBLIC_ACCESS_ENABLED";
    pub const VPCE_GATEWAY_PROTOCOL_RESTRICTION: &str = "VPCE_GATEWAY_PROTOCOL_RESTRICTION";
}

/// Stands in a step's fix for the ports of the question, or of its reply.
pub(crate) const PORTS: &str = "{ports}";

/// What a step is about, for naming the deciding rule once the port is chosen.
#[derive(Clone, Debug)]
pub(crate) enum Check {
    /// A component that decides by itself; the rule is known at once.
    Plain,
    /// The groups of an interface.
    Groups { interface: usize, way: Way, side: Side },
    /// The ACL of a subnet. `reply` tells that the ports of the filter are the reply's.
    Acl { subnet: usize, way: Way, addr: Addr },
    /// The firewall behind an endpoint.
    Firewall { endpoint: usize, packet: Packet },
}

/// One component on the way.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Its kind: `network-interface`, `security-group`, `network-acl`, `route-table`, ...
    pub(crate) component: &'static str,
    /// Its id.
    pub(crate) id: Text,
    /// The rule or route, where it is known without a port.
    pub(crate) rule: Text,
    /// Why it blocks, if it does.
    pub(crate) code: &'static str,
    /// What it lets through; `None` for everything.
    pub(crate) filter: Option<Filter>,
    /// On the reply's way.
    pub(crate) reply: bool,
    /// How to name the rule.
    pub(crate) check: Check,
    /// What would open it, in words that follow "open it:".
    pub(crate) fix: Text,
}

impl Step {
    pub(crate) fn pass(component: &'static str, id: impl Into<Text>, rule: impl Into<Text>) -> Step {
        Step {
            component,
            id: id.into(),
            rule: rule.into(),
            code: "",
            filter: None,
            reply: false,
            check: Check::Plain,
            fix: "".into(),
        }
    }

    pub(crate) fn filter(mut self, filter: Filter, code: &'static str) -> Step {
        self.filter = Some(filter);
        self.code = code;
        self
    }

    pub(crate) fn stop(self, code: &'static str) -> Step {
        self.filter(Filter::closed(), code)
    }

    pub(crate) fn unknown(self, reason: impl Into<Text>) -> Step {
        self.filter(Filter::unknown(reason), "")
    }

    /// What of the ports that are asked for a part of the filter lets through: of a reply's filter those whose answers get back.
    /// A firewall's filter is in the terms of who is called both ways.
    fn asked(&self, ports: &Ports) -> Ports {
        if self.counts_clients() { ports.answered() } else { ports.clone() }
    }

    /// True if the filter's ports are those that clients call from.
    fn counts_clients(&self) -> bool {
        self.reply && !matches!(self.check, Check::Firewall { .. })
    }

    /// What may get through of the ports that are asked for; `None` for everything.
    pub(crate) fn passes(&self) -> Option<Ports> {
        self.filter.as_ref().map(|filter| self.asked(&filter.may))
    }

    pub(crate) fn check(mut self, check: Check) -> Step {
        self.check = check;
        self
    }

    pub(crate) fn fix(mut self, fix: impl Into<Text>) -> Step {
        self.fix = fix.into();
        self
    }
}

/// Where traffic leaves the accounts that are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// To the internet, by an internet gateway of this VPC.
    Internet { vpc: usize },
    /// To the internet, by an egress-only internet gateway of this VPC.
    EgressOnly { vpc: usize },
    /// On-premises, by a virtual private gateway of this VPC.
    VpnGateway { vpc: usize },
    /// On-premises, by an attachment of a transit gateway.
    Attachment { at: usize },
    /// To an AWS service, by a gateway endpoint in this VPC.
    Service { vpc: usize },
}

impl Exit {
    /// The word for outputs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Exit::Internet { .. } | Exit::EgressOnly { .. } => "internet",
            Exit::VpnGateway { .. } | Exit::Attachment { .. } => "vpn",
            Exit::Service { .. } => "aws-service",
        }
    }
}

/// Where a stretch of the way ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// At an interface that has the destination address.
    Interface(usize),
    /// At a NAT gateway that sends it on under its own address.
    Nat(usize),
    /// Outside.
    Exit(Exit),
    /// Nowhere: a step says why.
    Lost,
}

/// All that a question met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    pub(crate) steps: Vec<Step>,
    /// Where it left, if it did.
    pub(crate) leaves: Option<&'static str>,
}

impl Trace {
    /// What gets through for sure: every step lets it through, and the reply comes back.
    pub(crate) fn sure(&self) -> Ports {
        self.fold(|filter| &filter.sure)
    }

    /// What may get through.
    pub(crate) fn may(&self) -> Ports {
        self.fold(|filter| &filter.may)
    }

    fn fold(&self, side: impl Fn(&Filter) -> &Ports) -> Ports {
        let mut all = Ports::full();
        for step in &self.steps {
            let Some(filter) = &step.filter else { continue };
            all = all.and(&step.asked(side(filter)));
            if all.is_empty() {
                break;
            }
        }
        all.and(&self.together(side))
    }

    /// Several reply ACLs must let the same client port through, not each its own.
    fn together(&self, side: impl Fn(&Filter) -> &Ports) -> Ports {
        let replies = self.steps.iter().filter(|s| s.counts_clients()).filter_map(|s| s.filter.as_ref());
        let mut all: Option<Ports> = None;
        for filter in replies {
            all = Some(all.map_or_else(|| side(filter).clone(), |ports| ports.and(side(filter))));
        }
        all.map_or_else(Ports::full, |ports| ports.answered())
    }
}
