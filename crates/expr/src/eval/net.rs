//! Addresses and ports.

use std::net::IpAddr;

use ipnet::IpNet;

use super::Eval;
use super::val::{Tri, Val};
use crate::node::{Node, Order};

/// Address ranges that are not routed on the internet: RFC 1918, 6598, 3927, 5735 (loopback), 4193, 4291 (link-local, loopback).
const PRIVATE: &[&str] = &[
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

/// A CIDR block or a single address.
pub(super) fn network(text: &str) -> Option<IpNet> {
    match text.parse::<IpNet>() {
        Ok(net) => Some(net.trunc()),
        Err(_) => text.parse::<IpAddr>().ok().map(IpNet::from),
    }
}

/// Whether all of `inner` lies in `outer`.
fn within(inner: &IpNet, outer: &IpNet) -> bool {
    match (inner, outer) {
        (IpNet::V4(inner), IpNet::V4(outer)) => outer.contains(inner),
        (IpNet::V6(inner), IpNet::V6(outer)) => outer.contains(inner),
        _ => false,
    }
}

fn private(net: &IpNet) -> bool {
    PRIVATE.iter().filter_map(|p| p.parse().ok()).any(|p: IpNet| within(net, &p))
}

impl<'e> Eval<'e> {
    pub(super) fn cidr_in(&self, inner: Val<'e>, outer: Val<'e>, node: &'e Node) -> Tri<'e> {
        if let (Val::Null, _) | (_, Val::Null) = (inner, outer) {
            return Tri::No;
        }
        match (self.net(inner, node), self.net(outer, node)) {
            (Ok(inner), Ok(outer)) => within(&inner, &outer).into(),
            (Err(why), Ok(_)) | (Ok(_), Err(why)) => Tri::Open(why),
            (Err(a), Err(b)) => Tri::Open(a.with(b, self.arena)),
        }
    }

    /// Whether it is the whole IPv4 or IPv6 internet.
    pub(super) fn cidr_any(&self, val: Val<'e>, node: &'e Node) -> Tri<'e> {
        self.of_net(val, node, |net| net.prefix_len() == 0)
    }

    pub(super) fn ip_private(&self, val: Val<'e>, node: &'e Node) -> Tri<'e> {
        self.of_net(val, node, private)
    }

    pub(super) fn cidr_prefix(&self, val: Val<'e>, node: &'e Node) -> Val<'e> {
        match val {
            Val::Null => Val::Null,
            val => match self.net(val, node) {
                Ok(net) => Val::Int(i64::from(net.prefix_len())),
                Err(why) => Val::Unknown(why),
            },
        }
    }

    fn of_net(&self, val: Val<'e>, node: &'e Node, answer: impl Fn(&IpNet) -> bool) -> Tri<'e> {
        match val {
            Val::Null => Tri::No,
            val => match self.net(val, node) {
                Ok(net) => answer(&net).into(),
                Err(why) => Tri::Open(why),
            },
        }
    }

    fn net(&self, val: Val<'e>, node: &'e Node) -> Result<IpNet, super::val::Why<'e>> {
        let text = self.text(val, node)?;
        network(text).ok_or_else(|| self.malformed(node, "an address or CIDR block"))
    }

    /// `port_in(from, to, port)`: whether the range holds the port, or one of a list of ports. A start that is unset or -1 means
    /// every port; an unset end means the start alone.
    pub(super) fn port_in(&self, from: Val<'e>, to: Val<'e>, port: Val<'e>, node: &'e Node) -> Tri<'e> {
        let seq = match self.seq(port, node) {
            Ok(seq) => seq,
            Err(why) => return Tri::Open(why),
        };
        let all = self.is_null(from).or(self.equal(from, Val::Int(-1), 0), self.arena);
        let mut answer = seq.rest().map_or(Tri::No, Tri::Open);
        for i in 0..seq.len() {
            if let Err(why) = self.charge(1) {
                return Tri::Open(why);
            }
            let Some(item) = seq.get(self, i) else { break };
            let there = item.maybe.map_or(Tri::Yes, Tri::Open);
            let held = match all {
                Tri::Yes => Tri::Yes,
                _ => all.or(self.between(from, to, item.val, node), self.arena),
            };
            answer = answer.or(held.and(there, self.arena), self.arena);
        }
        answer
    }

    /// `from <= port <= to`, an unset end meaning the start.
    fn between(&self, from: Val<'e>, to: Val<'e>, port: Val<'e>, node: &'e Node) -> Tri<'e> {
        let above = self.order(Order::LessEqual, from, port, node);
        let below = match self.is_null(to) {
            Tri::Yes => self.order(Order::GreaterEqual, from, port, node),
            Tri::No => self.order(Order::LessEqual, port, to, node),
            open => open,
        };
        above.and(below, self.arena)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_ranges() {
        for (text, answer) in [
            ("10.1.0.0/16", true),
            ("10.0.0.0/7", false),
            ("172.31.255.255", true),
            ("172.32.0.0", false),
            ("0.0.0.0/0", false),
            ("fd00::/8", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(private(&network(text).unwrap()), answer, "{text}");
        }
        assert_eq!(network("10.0.0.0/33"), None);
        assert_eq!(network("sg-1"), None);
    }
}
