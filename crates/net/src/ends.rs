//! The ends of a question: what a user may write for A and B, and what it stands for.

use std::fmt;

use crate::addr::{Addr, Cidr, is_internet};
use crate::network::{Joined, Link, Network, State};
use crate::trace::Exit;

/// One end of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Every public address that is not one of the snapshot's.
    Internet,
    /// Whatever lies behind VPN connections and Direct Connect, by all ways or by this gateway, connection or attachment.
    OnPremises(Option<String>),
    /// Interfaces: of an instance, a service, a balancer, a subnet, a group, a tag.
    Interfaces(Vec<usize>),
    /// One address.
    Address(Addr),
    /// A block of addresses.
    Block(Cidr),
    /// An id or name of which the snapshot has no interface.
    Missing(String),
}

/// Text that is not the end of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceError {
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PlaceError {}

impl Place {
    /// Reads `internet`, `on-premises`, an id (interface, instance, balancer, subnet, VPC, security group, gateway, connection), an
    /// address, a CIDR block, `tag:Key=Value` or `tag:Key`, a balancer's name, a `Name` tag, or a resource's name in a template.
    pub fn parse(net: &Network, text: &str) -> Result<Place, PlaceError> {
        let text = text.trim();
        let wrong = |message: String| Err(PlaceError { message });
        match text.to_ascii_lowercase().as_str() {
            "" => return wrong("an end of the question is empty".to_owned()),
            "internet" => return Ok(Place::Internet),
            "on-premises" | "on-premise" | "onprem" | "vpn" => return Ok(Place::OnPremises(None)),
            _ => {}
        }
        if let Some(addr) = Addr::parse(text) {
            return Ok(Place::Address(addr));
        }
        if let Some(selector) = text.strip_prefix("tag:") {
            let (key, value) = selector.split_once('=').map_or((selector, None), |(key, value)| (key, Some(value)));
            let has = |at: usize| net.interface(at).tags.get(key).is_some_and(|v| value.is_none_or(|value| v.as_ref() == value));
            let tagged = |at: &usize| has(*at);
            return Ok(Place::Interfaces((0..net.interfaces.len()).filter(tagged).collect()));
        }
        if let Some(block) = Cidr::parse(text) {
            return Ok(Place::Block(block));
        }
        match malformed(text) {
            Some(message) => wrong(message),
            None => Ok(by_name(net, text)),
        }
    }

    /// The ways in from on-premises that this place means.
    pub(crate) fn entries(net: &Network, only: Option<&str>) -> Vec<Exit> {
        let mut entries = Vec::new();
        for (vpc, v) in net.vpcs.iter().enumerate() {
            let Some(gateway) = v.vgw.and_then(|at| net.vpn_gateways.get(at)) else { continue };
            let connected = net.vpns.iter().any(|c| c.gateway == gateway.id && only == Some(&c.id));
            if only.is_none_or(|id| gateway.id.as_ref() == id) || connected {
                entries.push(Exit::VpnGateway { vpc });
            }
        }
        for (at, attachment) in net.attachments.iter().enumerate() {
            let id = match &attachment.joined {
                Joined::Vpn(link) => link.id.clone(),
                Joined::DirectConnect(id) => id.clone(),
                _ => continue,
            };
            let up = !matches!(attachment.state, State::Down(_));
            if up && only.is_none_or(|only| *only == *attachment.id || *only == *id) {
                entries.push(Exit::Attachment { at });
            }
        }
        entries
    }
}

/// What is wrong with text that can only be meant for an address or a block and is neither.
pub(crate) fn malformed(text: &str) -> Option<String> {
    let numbers = text.chars().all(|c| c.is_ascii_hexdigit() || ".:/".contains(c));
    let dotted = text.split('/').next().is_some_and(|head| head.split('.').filter(|part| !part.is_empty()).count() == 4);
    let meant = numbers && ((dotted && !text.contains(|c: char| c.is_ascii_alphabetic())) || text.matches(':').count() > 1);
    if !meant || Addr::parse(text).is_some() || Cidr::parse(text).is_some() {
        return None;
    }
    Some(if text.contains('/') { format!("`{text}` is not a CIDR block") } else { format!("`{text}` is not an IP address") })
}

fn by_name(net: &Network, text: &str) -> Place {
    let own = net.interfaces_of(text);
    if !own.is_empty() {
        return Place::Interfaces(own.to_vec());
    }
    let tail = |b: &crate::network::Balancer| b.id.rsplit_once(":loadbalancer/").is_some_and(|(_, tail)| tail == text);
    let dns = |b: &crate::network::Balancer| b.dns.eq_ignore_ascii_case(text);
    if let Some(balancer) = net.balancers.iter().find(|b| b.id.as_ref() == text || b.name.as_ref() == text || tail(b) || dns(b)) {
        return present(&balancer.interfaces, &balancer.id);
    }
    let all = |test: &dyn Fn(&crate::network::Interface) -> bool| -> Option<Place> {
        let found: Vec<usize> = (0..net.interfaces.len()).filter(|at| test(net.interface(*at))).collect();
        (!found.is_empty()).then_some(Place::Interfaces(found))
    };
    let is = |id: &str| id == text;
    if net.subnets.iter().any(|s| is(&s.id)) {
        return all(&|i| is(&i.subnet.id)).unwrap_or(Place::Interfaces(Vec::new()));
    }
    if net.vpcs.iter().any(|v| is(&v.id)) {
        return all(&|i| is(&i.vpc.id)).unwrap_or(Place::Interfaces(Vec::new()));
    }
    if net.groups.iter().any(|g| is(&g.id)) {
        return all(&|i| i.groups.iter().any(|g| is(&g.id))).unwrap_or(Place::Interfaces(Vec::new()));
    }
    if let Some(endpoint) = net.endpoints.iter().find(|e| is(&e.id)) {
        return match endpoint.kind.eq_ignore_ascii_case("Gateway") {
            true => Place::Interfaces(Vec::new()),
            false => present(&endpoint.interfaces, &endpoint.id),
        };
    }
    if net.gateways.iter().any(|g| is(&g.id)) {
        return Place::Internet;
    }
    if !Place::entries(net, Some(text)).is_empty() {
        return Place::OnPremises(Some(text.to_owned()));
    }
    let named = all(&|i| i.tags.get("Name").is_some_and(|name| is(name)));
    named.unwrap_or_else(|| Place::Missing(text.to_owned()))
}

/// The interfaces of something that has some: none in the snapshot doesn't mean that there are none.
fn present(interfaces: &[Link], of: &str) -> Place {
    let found: Vec<usize> = interfaces.iter().filter_map(|i| i.at).collect();
    if found.is_empty() { Place::Missing(of.to_owned()) } else { Place::Interfaces(found) }
}

/// Every interface that has an address of the block, with that address, in interface order; at most `most`.
pub(crate) fn inside(net: &Network, block: Cidr, most: usize) -> Vec<(usize, Addr)> {
    let mut found = Vec::new();
    for (at, interface) in net.interfaces.iter().enumerate() {
        for address in &interface.addresses {
            if block.contains(address.private) || address.public.is_some_and(|p| block.contains(p)) {
                found.push((
                    at,
                    if block.contains(address.private) { address.private } else { address.public.unwrap_or(address.private) },
                ));
            }
            if found.len() >= most {
                return found;
            }
        }
    }
    found
}

/// True if a block holds addresses of the internet.
pub(crate) fn public(block: Cidr) -> bool {
    is_internet(block.nth(0)) || is_internet(Addr { family: block.family, bits: block.high() }) || block.len < 8
}
