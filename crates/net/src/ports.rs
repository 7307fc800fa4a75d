//! Sets of protocols and ports: what a rule, or a whole path, lets through between two given addresses.

use std::fmt;

use smallvec::SmallVec;

/// IP protocol numbers that carry ports or types.
pub mod protocol {
    /// ICMP for IPv4.
    pub const ICMP: u8 = 1;
    /// TCP.
    pub const TCP: u8 = 6;
    /// UDP.
    pub const UDP: u8 = 17;
    /// ICMP for IPv6.
    pub const ICMP6: u8 = 58;
}

/// The ports from which clients call and to which replies go. Linux takes 32768-60999, Windows 49152-65535, NAT gateways and
/// load balancers 1024-65535; AWS's page on network ACLs advises the widest, and an attacker is free to choose.
pub const CLIENT_PORTS: (u16, u16) = (1024, 65535);

/// Sorted, disjoint, not touching intervals of 16-bit numbers, both ends included.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spans(SmallVec<[(u16, u16); 2]>);

impl Spans {
    /// Every number.
    pub fn full() -> Spans {
        Spans::one(0, u16::MAX)
    }

    /// `low` to `high`; nothing if they are reversed.
    pub fn one(low: u16, high: u16) -> Spans {
        let mut spans = SmallVec::new();
        if low <= high {
            spans.push((low, high));
        }
        Spans(spans)
    }

    /// True if there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if everything is in it.
    pub fn is_full(&self) -> bool {
        self.0.as_slice() == [(0, u16::MAX)]
    }

    /// The intervals, lowest first.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u16)> + '_ {
        self.0.iter().copied()
    }

    /// True if the number is in it.
    pub fn contains(&self, n: u16) -> bool {
        self.0.iter().any(|&(low, high)| low <= n && n <= high)
    }

    pub(crate) fn and(&self, other: &Spans) -> Spans {
        if self.is_full() {
            return other.clone();
        }
        let mut out = SmallVec::new();
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(&&(al, ah)), Some(&&(bl, bh))) = (a.peek(), b.peek()) {
            if al.max(bl) <= ah.min(bh) {
                out.push((al.max(bl), ah.min(bh)));
            }
            if ah < bh {
                a.next();
            } else {
                b.next();
            }
        }
        Spans(out)
    }

    pub(crate) fn not(&self) -> Spans {
        let mut out = SmallVec::new();
        let mut next = 0u32;
        for &(low, high) in &self.0 {
            if u32::from(low) > next {
                out.push((next as u16, low - 1));
            }
            next = u32::from(high) + 1;
        }
        if next <= u32::from(u16::MAX) {
            out.push((next as u16, u16::MAX));
        }
        Spans(out)
    }

    pub(crate) fn or(&self, other: &Spans) -> Spans {
        if other.is_empty() || self.is_full() {
            return self.clone();
        }
        if self.is_empty() || other.is_full() {
            return other.clone();
        }
        let mut all: SmallVec<[(u16, u16); 4]> = self.0.iter().chain(&other.0).copied().collect();
        all.sort_unstable();
        let mut out: SmallVec<[(u16, u16); 2]> = SmallVec::new();
        for (low, high) in all {
            match out.last_mut() {
                Some(last) if u32::from(low) <= u32::from(last.1) + 1 => last.1 = last.1.max(high),
                _ => out.push((low, high)),
            }
        }
        Spans(out)
    }
}

/// A set of (protocol, port or type and code).
///
/// TCP and UDP go by destination port; ICMP by `type * 256 + code`; any other protocol is in or out as a whole, as security
/// groups and network ACLs treat it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ports {
    /// TCP destination ports.
    pub tcp: Spans,
    /// UDP destination ports.
    pub udp: Spans,
    /// ICMP types and codes.
    pub icmp: Spans,
    /// ICMPv6 types and codes.
    pub icmp6: Spans,
    /// Other protocols by number, 64 to a word. The four above never appear here.
    pub other: [u64; 4],
}

impl Ports {
    /// Everything.
    pub fn full() -> Ports {
        let mut other = [u64::MAX; 4];
        for p in [protocol::ICMP, protocol::TCP, protocol::UDP, protocol::ICMP6] {
            if let Some(word) = other.get_mut(usize::from(p >> 6)) {
                *word &= !(1 << (p & 63));
            }
        }
        Ports { tcp: Spans::full(), udp: Spans::full(), icmp: Spans::full(), icmp6: Spans::full(), other }
    }

    /// Nothing.
    pub fn none() -> Ports {
        Ports::default()
    }

    /// TCP ports `low` to `high`.
    pub fn tcp(low: u16, high: u16) -> Ports {
        Ports { tcp: Spans::one(low, high), ..Ports::default() }
    }

    /// UDP ports `low` to `high`.
    pub fn udp(low: u16, high: u16) -> Ports {
        Ports { udp: Spans::one(low, high), ..Ports::default() }
    }

    /// One protocol by number; `low` and `high` count only for TCP and UDP, and as type and code for ICMP, where a type or
    /// code of `None` is any.
    pub fn of(number: u8, low: Option<u16>, high: Option<u16>) -> Ports {
        let (from, to) = (low.unwrap_or(0), high.unwrap_or(u16::MAX));
        let types = || match (low, high) {
            (None, _) => Spans::full(),
            (Some(kind), None) => Spans::one((kind & 255) << 8, ((kind & 255) << 8) | 255),
            (Some(kind), Some(code)) => Spans::one(((kind & 255) << 8) | (code & 255), ((kind & 255) << 8) | (code & 255)),
        };
        match number {
            protocol::TCP => Ports::tcp(from, to),
            protocol::UDP => Ports::udp(from, to),
            protocol::ICMP => Ports { icmp: types(), ..Ports::default() },
            protocol::ICMP6 => Ports { icmp6: types(), ..Ports::default() },
            n => {
                let mut ports = Ports::default();
                if let Some(word) = ports.other.get_mut(usize::from(n >> 6)) {
                    *word |= 1 << (n & 63);
                }
                ports
            }
        }
    }

    /// True if there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.tcp.is_empty() && self.udp.is_empty() && self.icmp.is_empty() && self.icmp6.is_empty() && self.other == [0; 4]
    }

    /// True if everything is in it.
    pub fn is_full(&self) -> bool {
        self.tcp.is_full()
            && self.udp.is_full()
            && self.icmp.is_full()
            && self.icmp6.is_full()
            && self.other == Ports::full().other
    }

    /// True if this protocol and port (for ICMP `type * 256 + code`, else ignored) are in it.
    pub fn contains(&self, number: u8, port: u16) -> bool {
        match number {
            protocol::TCP => self.tcp.contains(port),
            protocol::UDP => self.udp.contains(port),
            protocol::ICMP => self.icmp.contains(port),
            protocol::ICMP6 => self.icmp6.contains(port),
            n => self.other.get(usize::from(n >> 6)).is_some_and(|word| word >> (n & 63) & 1 == 1),
        }
    }

    fn each(&self, other: &Ports, spans: impl Fn(&Spans, &Spans) -> Spans, words: impl Fn(u64, u64) -> u64) -> Ports {
        let mut bits = self.other;
        for (word, theirs) in bits.iter_mut().zip(other.other) {
            *word = words(*word, theirs);
        }
        Ports {
            tcp: spans(&self.tcp, &other.tcp),
            udp: spans(&self.udp, &other.udp),
            icmp: spans(&self.icmp, &other.icmp),
            icmp6: spans(&self.icmp6, &other.icmp6),
            other: bits,
        }
    }

    /// What is in both.
    pub fn and(&self, other: &Ports) -> Ports {
        self.each(other, Spans::and, |a, b| a & b)
    }

    /// What is in either.
    pub fn or(&self, other: &Ports) -> Ports {
        self.each(other, Spans::or, |a, b| a | b)
    }

    /// What is in this one only.
    pub fn minus(&self, other: &Ports) -> Ports {
        self.each(other, |a, b| a.and(&b.not()), |a, b| a & !b)
    }

    /// True if all of `other` is in it.
    pub fn covers(&self, other: &Ports) -> bool {
        other.minus(self).is_empty()
    }

    /// True if they share something.
    pub fn meets(&self, other: &Ports) -> bool {
        !self.and(other).is_empty()
    }

    /// What gets its answer when replies are let through as `self`: the client's port must be one of [`CLIENT_PORTS`], an echo
    /// request needs the echo reply, other ICMP needs none, any other protocol needs itself.
    pub fn answered(&self) -> Ports {
        let clients = Spans::one(CLIENT_PORTS.0, CLIENT_PORTS.1);
        let whole = |open: bool| if open { Spans::full() } else { Spans::default() };
        let echo = |replies: &Spans, request: u16, reply: u16| {
            let request = Spans::one(request << 8, (request << 8) | 255);
            if replies.and(&Spans::one(reply << 8, (reply << 8) | 255)).is_empty() { request.not() } else { Spans::full() }
        };
        Ports {
            tcp: whole(!self.tcp.and(&clients).is_empty()),
            udp: whole(!self.udp.and(&clients).is_empty()),
            icmp: echo(&self.icmp, 8, 0),
            icmp6: echo(&self.icmp6, 128, 129),
            other: self.other,
        }
    }

    /// What replies to `self` are sent to: clients' ports, echo replies, the same protocol.
    pub fn answers(&self) -> Ports {
        let clients =
            |asked: &Spans| if asked.is_empty() { Spans::default() } else { Spans::one(CLIENT_PORTS.0, CLIENT_PORTS.1) };
        let echo = |asked: &Spans, request: u16, reply: u16| {
            let requests = Spans::one(request << 8, (request << 8) | 255);
            if asked.and(&requests).is_empty() { Spans::default() } else { Spans::one(reply << 8, (reply << 8) | 255) }
        };
        Ports {
            tcp: clients(&self.tcp),
            udp: clients(&self.udp),
            icmp: echo(&self.icmp, 8, 0),
            icmp6: echo(&self.icmp6, 128, 129),
            other: self.other,
        }
    }

    /// Some member, TCP first: a witness. `(protocol, port)` as [`Ports::contains`] takes it.
    pub fn first(&self) -> Option<(u8, u16)> {
        let spans = [
            (protocol::TCP, &self.tcp),
            (protocol::UDP, &self.udp),
            (protocol::ICMP, &self.icmp),
            (protocol::ICMP6, &self.icmp6),
        ];
        let with_ports = spans.into_iter().find_map(|(number, spans)| spans.iter().next().map(|(low, _)| (number, low)));
        with_ports.or_else(|| (0..=255u8).find(|n| self.contains(*n, 0)).map(|n| (n, 0)))
    }

    /// Reads `tcp/443`, `tcp/80-90`, `udp`, `icmp`, `icmp/8`, `50`, `any`. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Ports, String> {
        let lower = text.trim().to_ascii_lowercase();
        let (name, range) = match lower.split_once('/') {
            Some((name, range)) => (name.trim(), Some(range.trim())),
            None => (lower.as_str(), None),
        };
        let number = match name {
            "any" | "all" | "-1" => {
                return match range {
                    None | Some("any" | "all") => Ok(Ports::full()),
                    Some(_) => Err(format!("`{text}`: name a protocol before the port, such as `tcp/443`")),
                };
            }
            "tcp" => protocol::TCP,
            "udp" => protocol::UDP,
            "icmp" => protocol::ICMP,
            "icmpv6" | "icmp6" => protocol::ICMP6,
            other => match other.parse::<u8>() {
                Ok(number) => number,
                Err(_) => {
                    return Err(format!("`{text}` is not a protocol and port such as `tcp/443`, `udp/53`, `icmp` or `any`"));
                }
            },
        };
        let (low, high) = match range {
            None | Some("any" | "all" | "*") => (None, None),
            Some(range) => port_range(text, number, range)?,
        };
        if low.is_some() && !matches!(number, protocol::TCP | protocol::UDP | protocol::ICMP | protocol::ICMP6) {
            return Err(format!("`{text}`: protocol {number} has no ports"));
        }
        Ok(Ports::of(number, low, high))
    }
}

fn port_range(text: &str, number: u8, range: &str) -> Result<(Option<u16>, Option<u16>), String> {
    let port = |s: &str| s.trim().parse::<u16>().map_err(|_| format!("`{text}`: `{s}` is not a port from 0 to 65535"));
    let icmp = matches!(number, protocol::ICMP | protocol::ICMP6);
    let (low, high) = match range.split_once(if icmp { '/' } else { '-' }) {
        Some((low, high)) => (port(low)?, Some(port(high)?)),
        None => (port(range)?, None),
    };
    if icmp {
        return match low.max(high.unwrap_or(0)) {
            0..=255 => Ok((Some(low), high)),
            _ => Err(format!("`{text}`: an ICMP type or code is at most 255")),
        };
    }
    match high.unwrap_or(low) {
        high if low <= high => Ok((Some(low), Some(high))),
        _ => Err(format!("`{text}`: the range is reversed")),
    }
}

impl fmt::Display for Ports {
    /// `tcp/22, tcp/80-90, udp, icmp/8, protocol 50`; `any` for everything, `nothing` for nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_full() {
            return f.write_str("any");
        }
        let mut parts = Vec::new();
        for (name, spans) in [("tcp", &self.tcp), ("udp", &self.udp)] {
            if spans.is_full() {
                parts.push(name.to_owned());
            } else {
                parts.extend(spans.iter().map(|(low, high)| match low == high {
                    true => format!("{name}/{low}"),
                    false => format!("{name}/{low}-{high}"),
                }));
            }
        }
        for (name, spans) in [("icmp", &self.icmp), ("icmpv6", &self.icmp6)] {
            if spans.is_full() {
                parts.push(name.to_owned());
            } else {
                parts.extend(spans.iter().map(|(low, high)| match (low & 255, high & 255, low >> 8 == high >> 8) {
                    (0, 255, true) => format!("{name}/{}", low >> 8),
                    _ if low == high => format!("{name}/{}/{}", low >> 8, low & 255),
                    _ => format!("{name}/{}/{}-{}/{}", low >> 8, low & 255, high >> 8, high & 255),
                }));
            }
        }
        let others = self.other.iter().map(|w| w.count_ones()).sum::<u32>();
        if others == 252 {
            parts.push("other protocols".to_owned());
        } else {
            parts.extend(
                (0..=255u8).filter(|n| others > 0 && !port_bearing(*n) && self.contains(*n, 0)).map(|n| format!("protocol {n}")),
            );
        }
        f.write_str(if parts.is_empty() { "nothing" } else { "" })?;
        f.write_str(&parts.join(", "))
    }
}

fn port_bearing(number: u8) -> bool {
    matches!(number, protocol::ICMP | protocol::TCP | protocol::UDP | protocol::ICMP6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_and_writing() {
        for text in ["tcp/22", "tcp/80-90", "udp", "icmp/8", "icmp/3/4", "protocol 50", "any", "nothing", "icmpv6", "tcp"] {
            let source = text.strip_prefix("protocol ").unwrap_or(text);
            if text != "nothing" {
                assert_eq!(Ports::parse(source).unwrap().to_string(), text);
            }
        }
        assert_eq!(Ports::none().to_string(), "nothing");
        for bad in ["", "tcp/", "tcp/65536", "tcp/9-8", "tcp/-1", "any/22", "50/1", "icmp/256", "tpc/1", "256"] {
            assert!(Ports::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sets_agree_with_membership() {
        let sets = [
            Ports::none(),
            Ports::full(),
            Ports::tcp(0, 0),
            Ports::tcp(65535, 65535).or(&Ports::udp(5, 9)),
            Ports::tcp(5, 9).or(&Ports::tcp(11, 12)),
            Ports::of(50, None, None),
            Ports::of(1, Some(8), Some(0)).or(&Ports::of(6, Some(6), Some(7))),
        ];
        for a in &sets {
            for b in &sets {
                for n in [1, 6, 17, 50, 58, 255] {
                    for port in [0, 4, 5, 6, 7, 9, 10, 11, 12, 13, 2048, 2049, 65534, 65535] {
                        let (x, y) = (a.contains(n, port), b.contains(n, port));
                        assert_eq!(a.and(b).contains(n, port), x && y);
                        assert_eq!(a.or(b).contains(n, port), x || y);
                        assert_eq!(a.minus(b).contains(n, port), x && !y);
                    }
                }
            }
            assert!(Ports::full().covers(a) && (a.is_empty() || a.meets(&Ports::full())));
            assert_eq!(a.first().is_none(), a.is_empty());
            assert!(a.first().is_none_or(|(n, port)| a.contains(n, port)));
        }
        assert!(Ports::full().minus(&Ports::none()).is_full());
    }

    #[test]
    fn replies_need_the_clients_ports() {
        assert_eq!(Ports::full().answered(), Ports::full());
        assert!(Ports::tcp(0, 1023).answered().tcp.is_empty());
        assert!(Ports::tcp(1024, 1024).answered().tcp.is_full());
        assert!(Ports::tcp(65535, 65535).answered().tcp.is_full());
        let no_echo = Ports::none().answered();
        assert!(!no_echo.contains(1, 8 << 8) && no_echo.contains(1, 3 << 8));
        assert!(Ports::of(1, Some(0), None).answered().contains(1, 8 << 8));
    }
}
