//! Addresses, CIDR blocks and sets of addresses, IPv4 and IPv6 alike.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The two address families. Nothing ever crosses from one to the other here: AWS translates only at load balancers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// IPv4, 32 bits.
    V4,
    /// IPv6, 128 bits.
    V6,
}

impl Family {
    /// Both families, in the order of outputs.
    pub const ALL: [Family; 2] = [Family::V4, Family::V6];

    /// Number of bits of an address.
    pub fn bits(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }

    /// The highest address as a number.
    pub fn top(self) -> u128 {
        match self {
            Family::V4 => u128::from(u32::MAX),
            Family::V6 => u128::MAX,
        }
    }
}

/// An address as a number of its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Addr {
    /// The family.
    pub family: Family,
    /// The address; below 2^32 for IPv4.
    pub bits: u128,
}

impl Addr {
    /// Reads `10.0.0.1` or `2001:db8::1`. `None` if it is neither.
    pub fn parse(text: &str) -> Option<Addr> {
        text.trim().parse::<IpAddr>().ok().map(Addr::from)
    }

    /// The block that holds only this address.
    pub fn block(self) -> Cidr {
        Cidr { family: self.family, low: self.bits, len: self.family.bits() }
    }
}

impl From<IpAddr> for Addr {
    fn from(ip: IpAddr) -> Addr {
        match ip {
            IpAddr::V4(v4) => Addr { family: Family::V4, bits: u128::from(u32::from(v4)) },
            IpAddr::V6(v6) => Addr { family: Family::V6, bits: u128::from(v6) },
        }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.family {
            Family::V4 => Ipv4Addr::from(u32::try_from(self.bits).unwrap_or(u32::MAX)).fmt(f),
            Family::V6 => Ipv6Addr::from(self.bits).fmt(f),
        }
    }
}

/// A CIDR block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cidr {
    /// The family.
    pub family: Family,
    /// The first address.
    pub low: u128,
    /// The prefix length.
    pub len: u8,
}

impl Cidr {
    /// Every IPv4 address.
    pub const V4_ALL: Cidr = Cidr { family: Family::V4, low: 0, len: 0 };
    /// Every IPv6 address.
    pub const V6_ALL: Cidr = Cidr { family: Family::V6, low: 0, len: 0 };

    /// Every address of a family.
    pub fn all(family: Family) -> Cidr {
        Cidr { family, low: 0, len: 0 }
    }

    /// Reads `10.0.0.0/8` or `::/0`; a bare address is a block of one. Bits past the prefix are cleared, as EC2 does.
    /// `None` if it is neither.
    pub fn parse(text: &str) -> Option<Cidr> {
        let text = text.trim();
        let (address, len) = match text.split_once('/') {
            Some((address, len)) if !len.is_empty() && len.bytes().all(|b| b.is_ascii_digit()) => {
                (Addr::parse(address)?, Some(len.parse::<u8>().ok()?))
            }
            Some(_) => return None,
            None => (Addr::parse(text)?, None),
        };
        let len = len.unwrap_or(address.family.bits());
        if len > address.family.bits() {
            return None;
        }
        Some(Cidr { family: address.family, low: address.bits & mask(address.family, len), len })
    }

    /// The last address.
    pub fn high(self) -> u128 {
        self.low | (self.family.top() & !mask(self.family, self.len))
    }

    /// True if the address is inside.
    pub fn contains(self, addr: Addr) -> bool {
        self.family == addr.family && (addr.bits & mask(self.family, self.len)) == self.low
    }

    /// True if all of `other` is inside.
    pub fn covers(self, other: Cidr) -> bool {
        self.family == other.family && self.len <= other.len && (other.low & mask(self.family, self.len)) == self.low
    }

    /// True if they share an address: one is then inside the other.
    pub fn meets(self, other: Cidr) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// The n-th address, or the last one if the block is smaller.
    pub fn nth(self, n: u128) -> Addr {
        Addr { family: self.family, bits: self.low.saturating_add(n).min(self.high()) }
    }
}

fn mask(family: Family, len: u8) -> u128 {
    let zeros = u32::from(family.bits().saturating_sub(len));
    family.top() & u128::MAX.checked_shl(zeros).unwrap_or(0)
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", Addr { family: self.family, bits: self.low }, self.len)
    }
}

/// A set of addresses of one family: sorted, disjoint, not touching intervals, both ends included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddrSet {
    spans: Vec<(u128, u128)>,
}

impl AddrSet {
    /// The set of these intervals, in any order, overlapping or not.
    pub fn new(spans: impl IntoIterator<Item = (u128, u128)>) -> AddrSet {
        let mut spans: Vec<(u128, u128)> = spans.into_iter().filter(|(low, high)| low <= high).collect();
        spans.sort_unstable();
        let mut merged: Vec<(u128, u128)> = Vec::with_capacity(spans.len());
        for (low, high) in spans {
            match merged.last_mut() {
                Some(last) if last.1 == u128::MAX || low <= last.1 + 1 => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        AddrSet { spans: merged }
    }

    /// The addresses of a block.
    pub fn of(cidr: Cidr) -> AddrSet {
        AddrSet { spans: vec![(cidr.low, cidr.high())] }
    }

    /// True if there is no address in it.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// The intervals, lowest first.
    pub fn spans(&self) -> &[(u128, u128)] {
        &self.spans
    }

    /// True if the address is in it.
    pub fn contains(&self, bits: u128) -> bool {
        let after = self.spans.partition_point(|(low, _)| *low <= bits);
        after.checked_sub(1).and_then(|at| self.spans.get(at)).is_some_and(|(_, high)| bits <= *high)
    }

    /// What is in both.
    pub fn and(&self, other: &AddrSet) -> AddrSet {
        let mut spans = Vec::new();
        let (mut a, mut b) = (self.spans.iter().peekable(), other.spans.iter().peekable());
        while let (Some(&&(al, ah)), Some(&&(bl, bh))) = (a.peek(), b.peek()) {
            let (low, high) = (al.max(bl), ah.min(bh));
            if low <= high {
                spans.push((low, high));
            }
            if ah < bh {
                a.next();
            } else {
                b.next();
            }
        }
        AddrSet { spans }
    }

    /// What is in either.
    pub fn or(&self, other: &AddrSet) -> AddrSet {
        AddrSet::new(self.spans.iter().chain(&other.spans).copied())
    }

    /// What is in this one only.
    pub fn minus(&self, other: &AddrSet) -> AddrSet {
        let mut spans = Vec::new();
        let mut cuts = other.spans.iter().peekable();
        for &(mut low, high) in &self.spans {
            while cuts.peek().is_some_and(|cut| cut.1 < low) {
                cuts.next();
            }
            let mut ahead = cuts.clone();
            let mut open = true;
            while let Some(&&(cut_low, cut_high)) = ahead.peek() {
                if cut_low > high {
                    break;
                }
                if low < cut_low {
                    spans.push((low, cut_low - 1));
                }
                if cut_high >= high {
                    open = false;
                    break;
                }
                low = cut_high + 1;
                ahead.next();
            }
            if open && low <= high {
                spans.push((low, high));
            }
        }
        AddrSet { spans }
    }

    /// The set as the fewest CIDR blocks, lowest first, at most `most` of them.
    pub fn cidrs(&self, family: Family, most: usize) -> Vec<Cidr> {
        let mut out = Vec::new();
        for &(low, high) in &self.spans {
            let mut at = low;
            loop {
                if out.len() >= most {
                    return out;
                }
                let block = widest(family, at, high);
                out.push(block);
                let last = block.high();
                if last >= high {
                    break;
                }
                at = last + 1;
            }
        }
        out
    }
}

fn widest(family: Family, at: u128, high: u128) -> Cidr {
    let mut best = Cidr { family, low: at, len: family.bits() };
    for len in (0..family.bits()).rev() {
        let wider = Cidr { family, low: at, len };
        if at & mask(family, len) != at || wider.high() > high {
            break;
        }
        best = wider;
    }
    best
}

/// Blocks that no packet from the internet carries as its source: private, shared, loopback, link-local, reserved.
/// RFC 1918, RFC 6598, RFC 6890; internet gateways refuse the first two by AWS's own word.
const NOT_INTERNET: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
];

/// The addresses that stand for "the internet": public IPv4, or global unicast IPv6 (2000::/3).
pub fn internet(family: Family) -> AddrSet {
    match family {
        Family::V4 => {
            let not: Vec<_> = NOT_INTERNET.iter().filter_map(|c| Cidr::parse(c)).map(|c| (c.low, c.high())).collect();
            AddrSet::of(Cidr::V4_ALL).minus(&AddrSet::new(not))
        }
        Family::V6 => AddrSet::new(Cidr::parse("2000::/3").map(|c| (c.low, c.high()))),
    }
}

/// True if the address is one of the internet's. Cheap enough to ask for each packet.
pub fn is_internet(addr: Addr) -> bool {
    let bits = addr.bits;
    match addr.family {
        Family::V6 => bits >> 125 == 1,
        Family::V4 => {
            let first = bits >> 24;
            let second = (bits >> 16) & 0xff;
            let private = first == 10
                || (first == 172 && (16..32).contains(&second))
                || (first == 192 && second == 168)
                || (first == 100 && (64..128).contains(&second));
            let special = first == 0 || first == 127 || first >= 224 || (first == 169 && second == 254);
            !private && !special
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cidr(text: &str) -> Cidr {
        Cidr::parse(text).unwrap()
    }

    #[test]
    fn what_is_no_cidr() {
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "10.0.0.0/", "10.0.0.0/+8", "a/8", "10.0.0.0/8/8", "300.0.0.0/8"] {
            assert_eq!(Cidr::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn blocks_and_addresses() {
        assert_eq!(cidr("10.1.2.3/8"), cidr("10.0.0.0/8"));
        assert_eq!(cidr("10.1.2.3").to_string(), "10.1.2.3/32");
        assert_eq!(cidr("0.0.0.0/0").high(), u128::from(u32::MAX));
        assert_eq!(cidr("::/0").high(), u128::MAX);
        assert!(cidr("10.0.0.0/8").covers(cidr("10.9.0.0/16")) && !cidr("10.9.0.0/16").covers(cidr("10.0.0.0/8")));
        assert!(!cidr("0.0.0.0/0").contains(Addr::parse("::1").unwrap()));
        assert_eq!(cidr("10.0.0.0/30").nth(9).to_string(), "10.0.0.3");
        assert_eq!(cidr("2001:db8::/32").to_string(), "2001:db8::/32");
    }

    #[test]
    fn sets_agree_with_membership() {
        let sets = [vec![], vec![(0, 3)], vec![(1, 1), (4, 6)], vec![(2, 9)], vec![(0, 0), (3, 5), (9, 9)], vec![(0, 20)]];
        for a in &sets {
            for b in &sets {
                let (a, b) = (AddrSet::new(a.clone()), AddrSet::new(b.clone()));
                for x in 0..12 {
                    assert_eq!(a.and(&b).contains(x), a.contains(x) && b.contains(x));
                    assert_eq!(a.or(&b).contains(x), a.contains(x) || b.contains(x));
                    assert_eq!(a.minus(&b).contains(x), a.contains(x) && !b.contains(x));
                }
            }
        }
        let whole = AddrSet::new([(0, u128::MAX)]);
        assert!(whole.minus(&whole).is_empty());
        assert_eq!(AddrSet::new([(u128::MAX, u128::MAX), (0, u128::MAX)]), whole);
    }

    #[test]
    fn the_fewest_blocks() {
        let set = AddrSet::new([(1, 6)]);
        let text: Vec<String> = set.cidrs(Family::V4, 9).iter().map(ToString::to_string).collect();
        assert_eq!(text, ["0.0.0.1/32", "0.0.0.2/31", "0.0.0.4/31", "0.0.0.6/32"]);
        assert_eq!(AddrSet::of(Cidr::V6_ALL).cidrs(Family::V6, 9), [Cidr::V6_ALL]);
        assert_eq!(AddrSet::of(Cidr::V4_ALL).cidrs(Family::V4, 9), [Cidr::V4_ALL]);
        assert_eq!(set.cidrs(Family::V4, 2).len(), 2);
    }

    #[test]
    fn the_quick_test_agrees_with_the_set() {
        for family in Family::ALL {
            let set = internet(family);
            for &(low, high) in set.spans() {
                for bits in [low, high, low.wrapping_sub(1), high.wrapping_add(1)] {
                    if bits <= family.top() {
                        assert_eq!(set.contains(bits), is_internet(Addr { family, bits }), "{}", Addr { family, bits });
                    }
                }
            }
        }
    }
}
