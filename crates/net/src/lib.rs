//! Reachability: what the internet, an instance, an address or an on-premises network reaches in a set of AWS accounts, and why.
//!
//! A [`Network`] is built from saved AWS CLI answers or from a [`model::Snapshot`]. Questions are answered exactly (security
//! groups, network ACLs, routes, gateways, peering, transit gateways, load balancers, forward and return traffic, IPv4 and IPv6)
//! or `unknown` with the reason.
//!
//! Left out on purpose: I/O, DNS, what appliances and content rules decide (such paths are "inspected by" and unknown), host
//! firewalls, IAM, and whether anything listens.

pub mod addr;
pub mod answer;
pub mod answers;
mod balance;
mod carry;
pub mod diff;
mod direct;
pub mod draw;
mod ends;
pub mod exposure;
pub mod facts;
mod fault;
mod filter;
pub mod firewall;
mod index;
pub mod lpm;
pub mod network;
#[cfg(test)]
mod oracle;
pub mod pairs;
pub mod planes;
pub mod ports;
pub mod reach;
pub mod rules;
mod snapshot;
pub mod survey;
pub mod synthetic;
mod trace;
mod transit;
#[cfg(test)]
mod trials;
mod unseen;
mod unused;

pub use addr::{Addr, AddrSet, Cidr, Family};
pub use answer::{Answer, Blocker, Hop, Verdict};
pub use answers::{from_aws_answers, is_answer, read_answer};
pub use diff::{Change, diff};
pub use ends::{Place, PlaceError};
pub use exposure::{Exposed, Exposure};
pub use facts::NetFacts;
pub use network::Network;
pub use ports::Ports;
pub use reach::reach;
pub use rules::{Checked, Demand, Outcome, Rule, RuleError, check_rules, parse_rules};
pub use snapshot::{concerns, concerns_gap, from_snapshot};
pub use trace::code;
pub use unseen::{Seen, unseen};
pub use unused::{Unused, unused};
