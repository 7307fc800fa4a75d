//! Conversations: all records of one client, server, protocol and server port at one interface within a quarter of an hour.
//!
//! Everything that is kept of a conversation is a sum, a minimum, a maximum or a set, so that it does not matter in which order
//! and in which pieces the records came.

use logs::flow::{Action, Record};
use serde::{Deserialize, Serialize};

use super::table::mix;

/// Seconds of a bucket.
pub(crate) const BUCKET: i64 = 900;

/// An address in 64 bits: IPv4 as it is, IPv6 as a hash with the top bit set. [`super::Fold`] knows the way back.
pub(crate) type Code = u64;

/// Which conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) client: Code,
    pub(crate) server: Code,
    /// The number of the interface in its [`super::Fold`].
    pub(crate) interface: u32,
    /// The start divided by [`BUCKET`].
    pub(crate) bucket: u32,
    /// The server's port.
    pub(crate) port: u16,
    pub(crate) protocol: u8,
    /// Both sides look alike: either may have begun. The record's source counts as the client.
    pub(crate) twin: bool,
}

/// One way of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Way {
    /// Records.
    pub(crate) flows: u32,
    /// Records with `REJECT`.
    pub(crate) rejected: u32,
    pub(crate) packets: u32,
    /// The bytes of the largest record.
    pub(crate) most: u32,
    pub(crate) bytes: u64,
}

impl Way {
    fn add(&mut self, other: &Way) {
        self.flows = self.flows.saturating_add(other.flows);
        self.rejected = self.rejected.saturating_add(other.rejected);
        self.packets = self.packets.saturating_add(other.packets);
        self.most = self.most.max(other.most);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// A reply had payload.
pub(crate) const PAID: u16 = 1;
/// The client's side had the SYN flag alone.
pub(crate) const SYN: u16 = 2;
/// The format has TCP flags.
pub(crate) const FLAGS: u16 = 4;
/// A reply had the RST flag.
pub(crate) const RESET: u16 = 8;

/// Where a record stands: its input's number and its line's first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The number of the input.
    pub input: u32,
    /// The first byte of the line in the unpacked input.
    pub byte: u64,
}

/// What is kept of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Client to server.
    pub(crate) forth: Way,
    /// Server to client.
    pub(crate) back: Way,
    /// The client's records of at most [`SHORT_BYTES`], their bytes, and the sum of the squares of those.
    pub(crate) short: u32,
    pub(crate) short_bytes: u64,
    pub(crate) short_squares: u64,
    /// Which client ports were seen, by hash: see [`Tally::client_ports`].
    pub(crate) ports: u64,
    /// The first start.
    pub(crate) first: u32,
    /// The last start.
    pub(crate) last: u32,
    /// The start of the largest record.
    pub(crate) most_at: u32,
    /// The minutes of the bucket in which a record of the client's started.
    pub(crate) minutes: u16,
    pub(crate) marks: u16,
    /// The smallest client port; 0 if none is known.
    #[serde(default)]
    pub(crate) port: u16,
    input: u32,
    byte: u64,
}

/// A record of the client's up to this size is short: an attempt to sign in takes 1 to 6 kB.
pub(crate) const SHORT_BYTES: u64 = 20_000;

/// Bytes a packet up to which a TCP packet may carry nothing: the headers with options (RFC 791, RFC 8200, RFC 9293).
pub(crate) fn bare_bytes(v6: bool) -> u64 {
    if v6 { 80 } else { 60 }
}

fn clamp(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

impl Tally {
    /// What one record says. `from_client` tells the way.
    pub(crate) fn of(record: &Record<'_>, from_client: bool, origin: Origin) -> Tally {
        let rejected = record.action == Action::Reject;
        let way = Way {
            flows: 1,
            rejected: u32::from(rejected),
            packets: clamp(record.packets),
            most: clamp(record.bytes),
            bytes: record.bytes,
        };
        let start = clamp(record.start.max(0) as u64);
        let mut tally = Tally {
            forth: Way::default(),
            back: Way::default(),
            short: 0,
            short_bytes: 0,
            short_squares: 0,
            ports: 0,
            first: start,
            last: start,
            most_at: start,
            minutes: 0,
            marks: if record.tcp_flags.is_some() { FLAGS } else { 0 },
            port: 0,
            input: origin.input,
            byte: origin.byte,
        };
        let port = if from_client { record.source_port } else { record.destination_port };
        (tally.ports, tally.port) = (bit(port), port);
        let flags = record.tcp_flags.unwrap_or(0);
        if from_client {
            tally.forth = way;
            if record.bytes <= SHORT_BYTES {
                (tally.short, tally.short_bytes, tally.short_squares) = (1, record.bytes, record.bytes.pow(2));
            }
            tally.minutes = 1 << (record.start.rem_euclid(BUCKET) / 60);
            tally.marks |= if flags & 18 == 2 { SYN } else { 0 };
        } else {
            tally.back = way;
            let paid = !rejected && record.bytes > record.packets.saturating_mul(bare_bytes(!record.source.is_v4()));
            tally.marks |= if paid { PAID } else { 0 } | if flags & 4 == 4 { RESET } else { 0 };
        }
        tally
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        let largest = |t: &Tally| t.forth.most.max(t.back.most);
        if (largest(other), std::cmp::Reverse(other.most_at)) > (largest(self), std::cmp::Reverse(self.most_at)) {
            self.most_at = other.most_at;
        }
        if (other.first, other.origin()) < (self.first, self.origin()) {
            (self.input, self.byte) = (other.input, other.byte);
        }
        self.forth.add(&other.forth);
        self.back.add(&other.back);
        self.short = self.short.saturating_add(other.short);
        self.short_bytes = self.short_bytes.saturating_add(other.short_bytes);
        self.short_squares = self.short_squares.saturating_add(other.short_squares);
        self.ports |= other.ports;
        self.port = match (self.port, other.port) {
            (0, port) | (port, 0) => port,
            (ours, theirs) => ours.min(theirs),
        };
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.minutes |= other.minutes;
        self.marks |= other.marks;
    }

    /// The record that began it.
    pub(crate) fn origin(&self) -> Origin {
        Origin { input: self.input, byte: self.byte }
    }

    /// Changes the numbers of inputs, for folds that are put together.
    pub(crate) fn shift_input(&mut self, by: u32) {
        self.input = self.input.saturating_add(by);
    }

    pub(crate) fn has(&self, mark: u16) -> bool {
        self.marks & mark != 0
    }

    /// A reply with payload came: more than bare headers.
    pub(crate) fn paid(&self) -> bool {
        self.has(PAID)
    }

    /// The client tried and got nothing: refused, reset, or no payload came back on a few small packets. A stream of data that is
    /// only acknowledged is neither this nor [`Tally::paid`].
    pub(crate) fn failed(&self) -> bool {
        let flows = u64::from(self.forth.flows);
        let probe = u64::from(self.forth.packets) <= flows * 10 && self.forth.bytes <= flows * 1500;
        flows > 0 && !self.paid() && (probe || self.forth.rejected == self.forth.flows)
    }

    /// A whole exchange in small pieces, such as a prompt and what is typed: more than a probe and its reset.
    pub(crate) fn connected(&self) -> bool {
        let several = |way: &Way, least: u64| way.flows > 0 && u64::from(way.packets) >= u64::from(way.flows) * least;
        several(&self.forth, 4) && several(&self.back, 3)
    }

    /// The client only answers probes with resets, which are bare headers without options where a SYN has some (RFC 9293): nothing
    /// but the ports had told who began.
    pub(crate) fn resets_probes(&self, v6: bool) -> bool {
        let bare = if v6 { 60 } else { 40 };
        let packets = |way: &Way| u64::from(way.packets);
        let resets = self.forth.bytes == packets(&self.forth) * bare && packets(&self.back) * bare <= self.back.bytes;
        self.forth.packets > 0
            && self.back.packets > 0
            && resets
            && !self.has(SYN)
            && packets(&self.back) <= 3 * u64::from(self.back.flows)
    }

    /// The one client port, if all records had the same.
    pub(crate) fn one_port(&self) -> Option<u16> {
        (self.ports.count_ones() == 1 && self.port > 0).then_some(self.port)
    }

    /// The same conversation if the server began it, from `port`.
    pub(crate) fn turned(&self, port: u16, v6: bool) -> Tally {
        let (forth, back) = (self.back, self.forth);
        let short = u64::from(forth.most) <= SHORT_BYTES && forth.flows > 0;
        let paid = back.rejected < back.flows && back.bytes > u64::from(back.packets).saturating_mul(bare_bytes(v6));
        Tally {
            forth,
            back,
            short: if short { forth.flows } else { 0 },
            short_bytes: if short { forth.bytes } else { 0 },
            short_squares: if short { forth.bytes.saturating_pow(2) / u64::from(forth.flows) } else { 0 },
            ports: bit(port),
            port,
            minutes: self.minutes | 1 << (i64::from(self.first).rem_euclid(BUCKET) / 60),
            marks: self.marks & FLAGS | if paid { PAID } else { 0 },
            ..*self
        }
    }

    /// How many different client ports there were, see [`different`].
    pub(crate) fn client_ports(&self) -> u64 {
        different(self.ports)
    }
}

/// The bit of a client port.
fn bit(port: u16) -> u64 {
    1 << (mix(u64::from(port), 0x706f_7274) >> 58)
}

/// How many different things set these bits, each the bit of its hash: exact for a few, within 15 % up to 100 (linear counting
/// over 64 bits), never more than 267.
pub(crate) fn different(bits: u64) -> u64 {
    match u64::from(bits.count_ones()) {
        set @ 0..=4 => set,
        64 => 267,
        set => (-64.0 * (1.0 - set as f64 / 64.0).ln()).round() as u64,
    }
}

/// Which side of a record is the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Source,
    Destination,
    /// Nothing tells.
    Twin,
}

/// Ports of services that clients do not use for themselves, beyond those below 1024.
const SERVICES: &[u16] = &[
    20, 21, 22, 23, 25, 53, 80, 88, 110, 111, 123, 135, 139, 143, 161, 389, 443, 445, 465, 500, 514, 587, 636, 853, 873, 993,
    995, 1080, 1194, 1433, 1521, 1723, 1883, 1900, 2049, 2181, 2375, 2376, 2379, 2483, 3128, 3268, 3306, 3389, 3478, 4500, 5044,
    5060, 5061, 5222, 5353, 5432, 5439, 5601, 5671, 5672, 5900, 5984, 5985, 5986, 6379, 6443, 6667, 7000, 8000, 8008, 8009, 8080,
    8081, 8086, 8123, 8443, 8500, 8883, 8888, 9000, 9042, 9090, 9092, 9093, 9100, 9200, 9300, 9418, 10250, 11211, 15672, 25565,
    27017, 27018, 50000, 51820, 61616,
];

/// [`SERVICES`] as one bit a port: each record asks twice.
static SERVICE_BITS: [u64; 1024] = service_bits();

#[expect(clippy::indexing_slicing, reason = "worked out when this is compiled; ports and positions are in range")]
const fn service_bits() -> [u64; 1024] {
    let mut bits = [0; 1024];
    let mut at = 0;
    while at < SERVICES.len() {
        bits[(SERVICES[at] / 64) as usize] |= 1 << (SERVICES[at] % 64);
        at += 1;
    }
    bits
}

/// 0 for a known service's port, 1 for another one below 1024, 2 for the rest.
fn class(port: u16) -> u8 {
    if SERVICE_BITS.get(usize::from(port / 64)).is_some_and(|bits| bits >> (port % 64) & 1 == 1) {
        0
    } else if port < 1024 {
        1
    } else {
        2
    }
}

/// Whether a port is no known service's, so that a client may have it as well.
pub(crate) fn is_loose(port: u16) -> bool {
    class(port) == 2
}

/// Whether the protocol has ports: TCP, UDP, SCTP, UDP-Lite, DCCP.
pub(crate) fn has_ports(protocol: u8) -> bool {
    matches!(protocol, 6 | 17 | 33 | 132 | 136)
}

/// The client's side: by the SYN flag if there is one, else the side whose port is less a service's. A rejected packet between
/// two high ports is an attempt: stateful groups let replies through.
pub(crate) fn role(record: &Record<'_>) -> Role {
    if !has_ports(record.protocol) {
        return Role::Twin;
    }
    match record.tcp_flags.unwrap_or(0) & 18 {
        18 => return Role::Destination,
        2 => return Role::Source,
        _ => {}
    }
    let (source, destination) = (record.source_port, record.destination_port);
    if record.tcp_flags.is_some_and(|flags| flags & 7 == 4) && is_loose(source) && is_loose(destination) && record.packets <= 3 {
        return Role::Destination; // Resets alone answer what the other side tried.
    }
    if source == destination {
        return Role::Twin;
    }
    let classes = (class(source), class(destination));
    if record.action == Action::Reject && classes == (2, 2) {
        return Role::Source;
    }
    if (classes.0, source) < (classes.1, destination) { Role::Destination } else { Role::Source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_in_order() {
        assert!(SERVICES.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn the_client_is_the_side_without_the_service() {
        let of = |source_port, destination_port, tcp_flags, action| {
            role(&Record { source_port, destination_port, tcp_flags, action, protocol: 6, ..Record::default() })
        };
        for (source, destination, flags, action, want) in [
            (50_000, 443, None, Action::Accept, Role::Source),
            (443, 50_000, None, Action::Accept, Role::Destination),
            (1025, 6667, None, Action::Accept, Role::Source),
            (40_000, 50_001, None, Action::Accept, Role::Destination),
            (40_000, 50_001, None, Action::Reject, Role::Source),
            (40_000, 50_001, Some(2), Action::Accept, Role::Source),
            (40_000, 50_001, Some(3), Action::Accept, Role::Source),
            (40_000, 50_001, Some(18), Action::Accept, Role::Destination),
            (50_001, 40_000, Some(20), Action::Accept, Role::Destination),
            (443, 50_000, Some(4), Action::Accept, Role::Destination),
            (123, 123, None, Action::Accept, Role::Twin),
        ] {
            assert_eq!(of(source, destination, flags, action), want, "{source} {destination} {flags:?}");
        }
        assert_eq!(role(&Record { protocol: 1, ..Record::default() }), Role::Twin);
    }

    #[test]
    fn success_is_a_reply_with_payload() {
        let origin = Origin { input: 0, byte: 0 };
        let try_of = |packets, bytes| Record { packets, bytes, source: logs::flow::Address::v4(1), ..Record::default() };
        let both = |reply: Option<Record<'_>>| {
            let mut tally = Tally::of(&try_of(2, 100), true, origin);
            if let Some(reply) = reply {
                tally.add(&Tally::of(&reply, false, origin));
            }
            (tally.paid(), tally.failed())
        };
        assert_eq!(both(None), (false, true));
        assert_eq!(both(Some(try_of(1, 40))), (false, true));
        assert_eq!(both(Some(try_of(2, 120))), (false, true));
        assert_eq!(both(Some(try_of(2, 121))), (true, false));
        let stream = Tally::of(&try_of(4000, 5_000_000), true, origin);
        assert!(!stream.failed());
    }

    #[test]
    fn client_ports_are_counted_within_the_stated_error() {
        for many in [1u64, 4, 12, 30, 60, 100] {
            let mut mean = 0;
            for trial in 0..200u64 {
                let mut bits = Tally::of(&Record::default(), true, Origin { input: 0, byte: 0 });
                bits.ports = 0;
                for n in 0..many {
                    let port = (trial * 7919 + n * (2 * trial + 1) * 37 + 32_768) % 65_536;
                    bits.ports |= bit(port as u16);
                }
                mean += bits.client_ports();
            }
            let (mean, many) = (mean as f64 / 200.0, many as f64);
            assert!((mean - many).abs() <= many * 0.15 + 0.5, "{many}: {mean}");
        }
    }
}
