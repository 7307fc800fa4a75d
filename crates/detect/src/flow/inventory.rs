//! What is known of the network beside its logs.

use std::collections::{BTreeMap, BTreeSet};

use logs::flow::Address;

/// Which addresses are whose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inventory {
    /// Addresses of one's own interfaces, private and public, with what they belong to.
    pub owners: BTreeMap<Address, String>,
    /// The blocks of one's own subnets: an address in one that has no owner was never allocated. Empty if not every interface
    /// is known.
    pub subnets: Vec<(Address, u8)>,
    /// Public addresses among the owners.
    pub public: BTreeSet<Address>,
    /// Interfaces that forward traffic of others: NAT gateways, load balancers, endpoints, transit attachments, and those without
    /// the source and destination check.
    pub forwarders: BTreeSet<String>,
}

/// Reserved in each AWS subnet: the network's first four addresses and its last.
const RESERVED_FIRST: u128 = 4;

impl Inventory {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// What the address belongs to.
    pub fn owner(&self, address: Address) -> Option<&str> {
        self.owners.get(&address).map(String::as_str)
    }

    /// Whether the address lies in a subnet of one's own and belongs to nothing.
    pub fn dark(&self, address: Address) -> bool {
        let width = if address.is_v4() { 32 } else { 128 };
        let holds = |(block, bits): &(Address, u8)| {
            let size = 1u128.checked_shl(u32::from(width - bits.min(&width))).unwrap_or(u128::MAX);
            let place = address.0.wrapping_sub(block.0);
            address.within(*block, *bits) && place >= RESERVED_FIRST && place != size - 1
        };
        !self.owners.contains_key(&address) && self.subnets.iter().any(holds)
    }
}
