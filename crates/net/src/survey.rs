//! Surveys of a network: subnets by proof, ways out, crossing points, ways round a bastion.

use serde::{Deserialize, Serialize};

use crate::addr::{Addr, Family};
use crate::answer::{Answer, Verdict};
use crate::carry::{Packet, Walk};
use crate::ends::Place;
use crate::exposure::Exposure;
use crate::network::{Joined, Network, State};
use crate::ports::Ports;
use crate::reach::reach;
use crate::trace::{Trace, code};

/// What a subnet is by where its packets for the internet go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubnetKind {
    /// They leave by an internet gateway: what has a public address there talks to the internet both ways.
    Public,
    /// They leave by a NAT gateway, an egress-only gateway, a transit gateway or on-premises.
    Private,
    /// They do not leave.
    Isolated,
    /// It isn't known.
    Unknown,
}

/// One subnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubnetRow {
    /// The subnet.
    pub subnet: String,
    /// Its VPC.
    pub vpc: String,
    /// Its blocks.
    pub cidrs: Vec<String>,
    /// What it is.
    pub kind: SubnetKind,
    /// The proof: the components on the way out, or what is missing.
    pub proof: Vec<String>,
}

fn probe(net: &Network, subnet: usize, family: Family) -> Option<Trace> {
    let s = net.subnet(subnet);
    let cidr = s.cidrs.iter().find(|c| c.family == family)?;
    let dst = Addr::parse(if family == Family::V4 { "8.8.8.8" } else { "2001:4860:4860::8888" })?;
    let mut walk = Walk::new(net, Packet { src: cidr.nth(4), dst, src_within: None, dst_within: None });
    walk.route_from(subnet);
    Some(walk.trace)
}

fn kind_of(trace: &Trace) -> SubnetKind {
    let has = |component: &str| trace.steps.iter().any(|s| s.component == component);
    let unknown = trace.steps.iter().filter_map(|s| s.filter.as_ref()).any(|f| f.sure.is_empty() && !f.may.is_empty());
    let broken = [code::BAD_STATE, code::BAD_STATE_ATTACHMENT, code::BAD_STATE_ROUTE, code::TGW_RTB_BAD_STATE_ROUTE];
    let detached = trace.steps.iter().any(|s| broken.contains(&s.code));
    let lost = |s: &crate::trace::Step| s.code == code::NO_ROUTE_TO_DESTINATION || s.code == code::BAD_STATE_ROUTE;
    // A way to on-premises is one, whatever lies there.
    let missing = trace.steps.iter().any(|s| lost(s) && s.component != "vpn-gateway");
    if has("internet-gateway") && !has("nat-gateway") && !detached {
        if unknown && !trace.steps.iter().any(|s| s.component == "internet-gateway" && s.code.is_empty() && s.filter.is_none()) {
            return if trace.steps.iter().any(|s| s.code == code::IGW_PUBLIC_IP_ASSOCIATION_FOR_EGRESS) {
                SubnetKind::Public
            } else {
                SubnetKind::Unknown
            };
        }
        SubnetKind::Public
    } else if missing || detached {
        SubnetKind::Isolated
    } else if unknown {
        SubnetKind::Unknown
    } else if has("nat-gateway") || has("egress-only-internet-gateway") || has("transit-gateway-attachment") || has("vpn-gateway")
    {
        SubnetKind::Private
    } else {
        SubnetKind::Isolated
    }
}

/// Every subnet with what it is.
pub fn subnets(net: &Network) -> Vec<SubnetRow> {
    let mut rows = Vec::new();
    for at in 0..net.subnets.len() {
        let traces: Vec<Trace> = Family::ALL.iter().filter_map(|f| probe(net, at, *f)).collect();
        let rank = |kind: SubnetKind| match kind {
            SubnetKind::Public => 0,
            SubnetKind::Unknown => 1,
            SubnetKind::Private => 2,
            SubnetKind::Isolated => 3,
        };
        let best = traces.iter().map(|t| (kind_of(t), t)).min_by_key(|(kind, _)| rank(*kind));
        let proof = |trace: &Trace| {
            let steps = trace.steps.iter().filter(|s| s.component != "network-acl");
            let code = |s: &crate::trace::Step| {
                if s.code.starts_with("IGW_") || s.code == code::PROTOCOL_RESTRICTION { "" } else { s.code }
            };
            steps.map(|s| format!("{} {} {} {}", s.component, s.id, s.rule, code(s)).trim().replace("  ", " ")).collect()
        };
        let subnet = net.subnet(at);
        rows.push(SubnetRow {
            subnet: subnet.id.to_string(),
            vpc: subnet.vpc.id.to_string(),
            cidrs: subnet.cidrs.iter().map(ToString::to_string).collect(),
            kind: best.as_ref().map_or(SubnetKind::Unknown, |(kind, _)| *kind),
            proof: best.map(|(_, trace)| proof(trace)).unwrap_or_default(),
        });
    }
    rows
}

/// One way out of a subnet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EgressRow {
    /// The subnet.
    pub subnet: String,
    /// For which destinations.
    pub destination: String,
    /// The gateway.
    pub by: String,
    /// The interfaces that may use it.
    pub interfaces: usize,
    /// The flow log that sees it; `None` means unwatched.
    pub log: Option<String>,
}

/// All routes that lead out of VPCs, with the log that would see what leaves.
pub fn egress(net: &Network) -> Vec<EgressRow> {
    let mut rows = Vec::new();
    for (at, subnet) in net.subnets.iter().enumerate() {
        let Some(table) = subnet.table.at.map(|t| net.table(t)) else { continue };
        let interfaces = net.interfaces.iter().filter(|i| i.subnet.at == Some(at)).count();
        let log = net.flow_logs.iter().find(|(resource, _)| *resource == subnet.id || *resource == subnet.vpc.id);
        for route in
            table.routes.iter().filter(|r| !matches!(r.target, crate::network::Target::Local) && matches!(r.state, State::Up))
        {
            rows.push(EgressRow {
                subnet: subnet.id.to_string(),
                destination: crate::carry::destination(route),
                by: route.target.id().to_owned(),
                interfaces,
                log: log.map(|(_, id)| id.to_string()),
            });
        }
    }
    rows
}

/// A point at which traffic can cross from one zone into another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    /// A VPC.
    pub from: String,
    /// Another VPC, `internet`, `on-premises`, `aws-service`, or what lies behind a transit gateway.
    pub to: String,
    /// The component.
    pub by: String,
    /// Its kind.
    pub component: String,
}

/// All crossing points, in the network's order.
pub fn zones(net: &Network) -> Vec<Crossing> {
    let mut rows = Vec::new();
    let mut add = |from: &str, to: &str, by: &str, component: &str| {
        rows.push(Crossing { from: from.to_owned(), to: to.to_owned(), by: by.to_owned(), component: component.to_owned() });
    };
    for gateway in &net.gateways {
        let component = if gateway.egress_only { "egress-only-internet-gateway" } else { "internet-gateway" };
        gateway.vpcs.iter().for_each(|(vpc, _)| add(vpc, "internet", &gateway.id, component));
    }
    for gateway in &net.vpn_gateways {
        gateway.vpcs.iter().for_each(|(vpc, _)| add(vpc, "on-premises", &gateway.id, "vpn-gateway"));
    }
    for peering in net.peerings.iter().filter(|p| matches!(p.state, State::Up)) {
        let [a, b] = &peering.sides;
        add(&a.id, &b.id, &peering.id, "vpc-peering-connection");
    }
    for attachment in &net.attachments {
        match &attachment.joined {
            Joined::Vpc(vpc) => add(&vpc.id, &attachment.transit.id, &attachment.id, "transit-gateway-attachment"),
            Joined::Vpn(vpn) => add(&attachment.transit.id, "on-premises", &vpn.id, "vpn-connection"),
            Joined::DirectConnect(_) => add(&attachment.transit.id, "on-premises", &attachment.id, "transit-gateway-attachment"),
            Joined::Peering(other) => add(&attachment.transit.id, other, &attachment.id, "transit-gateway-attachment"),
            Joined::Other => {}
        }
    }
    for endpoint in net.endpoints.iter().filter(|e| e.kind.as_ref() == "Gateway") {
        add(&endpoint.vpc.id, "aws-service", &endpoint.id, "vpc-endpoint");
    }
    rows
}

/// An administrator's way to an interface that does not lead over the bastion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bypass {
    /// The interface's owner, or the interface.
    pub target: String,
    /// `internet` or `on-premises`.
    pub from: String,
    /// The ports.
    pub ports: String,
    /// The way and its rule.
    pub path: String,
    /// Why it isn't certain; empty if it is.
    pub unknown: Vec<String>,
}

/// Ports by which machines are administered: SSH, Telnet, RDP, WinRM, VNC.
pub fn admin_ports() -> Ports {
    let spans = [(22, 22), (23, 23), (3389, 3389), (5900, 5901), (5985, 5986)];
    spans.iter().fold(Ports::none(), |all, (low, high)| all.or(&Ports::tcp(*low, *high)))
}

/// Administrators' ways from outside to anything but the bastion.
pub fn bastion(net: &Network, bastion: &Place) -> Vec<Bypass> {
    let admin = admin_ports();
    let is_bastion = |at: usize| matches!(bastion, Place::Interfaces(list) if list.contains(&at));
    let name = |at: usize| {
        let interface = net.interface(at);
        if interface.owner.id.is_empty() { interface.id.to_string() } else { interface.owner.id.to_string() }
    };
    let mut rows = Vec::new();
    for row in Exposure::all(net).into_iter().filter(|r| !is_bastion(r.interface) && r.ports.meets(&admin)) {
        rows.push(Bypass {
            target: name(row.interface),
            from: "internet".to_owned(),
            ports: row.ports.and(&admin).to_string(),
            path: crate::facts::path_text(net, &row),
            unknown: row.unknown.iter().map(ToString::to_string).collect(),
        });
    }
    if Place::entries(net, None).is_empty() {
        return rows;
    }
    for at in (0..net.interfaces.len()).filter(|at| !is_bastion(*at)) {
        let answer: Answer = reach(net, &Place::OnPremises(None), &Place::Interfaces(vec![at]), &admin);
        if answer.answer != Verdict::Blocked {
            rows.push(Bypass {
                target: name(at),
                from: "on-premises".to_owned(),
                ports: answer.open.clone(),
                path: crate::draw::line(&answer),
                unknown: answer.reasons,
            });
        }
    }
    rows
}
