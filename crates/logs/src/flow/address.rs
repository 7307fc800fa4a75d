//! IPv4 and IPv6 addresses as one number.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What marks an IPv4 address among IPv6 ones (RFC 4291, section 2.5.5.2).
const MAPPED: u128 = 0xffff << 32;

/// An IPv4 or IPv6 address. IPv4 comes first in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub u128);

impl Address {
    /// The IPv4 address of these 32 bits.
    pub const fn v4(bits: u32) -> Address {
        Address(MAPPED | bits as u128)
    }

    /// Whether it is an IPv4 address.
    pub const fn is_v4(self) -> bool {
        self.0 >> 32 == MAPPED >> 32
    }

    /// Reads an address as flow logs write it.
    pub fn parse(text: &[u8]) -> Option<Address> {
        match v4_bits(text) {
            Some((bits, used)) if used == text.len() => Some(Address::v4(bits)),
            _ => std::str::from_utf8(text).ok()?.parse::<IpAddr>().ok().map(Address::from),
        }
    }

    /// The standard library's form.
    pub fn ip(self) -> IpAddr {
        if self.is_v4() { IpAddr::V4(Ipv4Addr::from_bits(self.0 as u32)) } else { IpAddr::V6(Ipv6Addr::from_bits(self.0)) }
    }

    /// Whether the first `bits` bits of this family's address are those of `other`.
    pub fn within(self, other: Address, bits: u8) -> bool {
        let width = if other.is_v4() { 32 } else { 128 };
        let shift = u32::from(width - bits.min(width));
        self.is_v4() == other.is_v4() && (self.0 ^ other.0).checked_shr(shift).unwrap_or(0) == 0
    }
}

/// Four numbers up to 255 apart by points at the start of a text: the address's bits, and how many bytes it takes.
pub(crate) fn v4_bits(text: &[u8]) -> Option<(u32, usize)> {
    let mut bits = 0u32;
    let mut at = 0;
    for part in 0..4 {
        let (mut value, mut digits) = (0u32, 0);
        while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10) {
            value = value * 10 + u32::from(digit);
            digits += 1;
            at += 1;
            if digits > 3 {
                return None;
            }
        }
        if digits == 0 || value > 255 {
            return None;
        }
        bits = bits << 8 | value;
        if part < 3 {
            text.get(at).filter(|byte| **byte == b'.')?;
            at += 1;
        }
    }
    Some((bits, at))
}

impl From<IpAddr> for Address {
    fn from(ip: IpAddr) -> Address {
        match ip {
            IpAddr::V4(ip) => Address::v4(ip.to_bits()),
            IpAddr::V6(ip) => Address(ip.to_bits()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.ip().fmt(f)
    }
}
