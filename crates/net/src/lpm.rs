//! Longest-prefix match.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::addr::{Addr, Cidr};

/// Values by block; a look-up gives those of the longest block that holds the address. Building is linear; a look-up probes
/// once per prefix length in use.
#[derive(Clone, Debug, Default)]
pub struct Lpm {
    lens: Vec<u8>,
    blocks: FxHashMap<Cidr, SmallVec<[u32; 2]>>,
}

impl Lpm {
    /// Adds a value. Several values of one block stay in the order in which they came.
    pub fn add(&mut self, block: Cidr, value: u32) {
        if let Err(at) = self.lens.binary_search_by(|len| block.len.cmp(len)) {
            self.lens.insert(at, block.len);
        }
        self.blocks.entry(block).or_default().push(value);
    }

    /// The longest block that holds the address, with its values.
    pub fn find(&self, addr: Addr) -> Option<(Cidr, &[u32])> {
        self.each(addr).next()
    }

    /// Every block that holds the address, longest first.
    pub fn each(&self, addr: Addr) -> impl Iterator<Item = (Cidr, &[u32])> {
        let host = addr.block();
        self.lens.iter().filter(move |len| **len <= host.len).filter_map(move |len| {
            let shift = u32::from(host.len - len);
            let low = (addr.bits.checked_shr(shift).unwrap_or(0)).checked_shl(shift).unwrap_or(0);
            let block = Cidr { family: addr.family, low, len: *len };
            self.blocks.get(&block).map(|values| (block, values.as_slice()))
        })
    }

    /// The blocks, in no order.
    pub fn blocks(&self) -> impl Iterator<Item = Cidr> {
        self.blocks.keys().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_block_wins() {
        let mut lpm = Lpm::default();
        for (at, text) in ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "::/0", "10.1.0.0/16"].iter().enumerate() {
            lpm.add(Cidr::parse(text).unwrap(), at as u32);
        }
        let find = |text: &str| lpm.find(Addr::parse(text).unwrap()).map(|(_, v)| v.to_vec());
        assert_eq!(find("10.1.2.3"), Some(vec![3]));
        assert_eq!(find("10.1.2.4"), Some(vec![2, 5]));
        assert_eq!(find("10.2.0.0"), Some(vec![1]));
        assert_eq!(find("11.0.0.0"), Some(vec![0]));
        assert_eq!(find("2001:db8::"), Some(vec![4]));
        assert_eq!(Lpm::default().find(Addr::parse("::").unwrap()), None);
    }
}
