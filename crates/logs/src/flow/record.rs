//! One line of a flow log.

use super::Address;

/// What was done with the traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// `ACCEPT`, or the format doesn't say: transit gateways log what passes.
    #[default]
    Accept,
    /// `REJECT`.
    Reject,
}

/// Which way the traffic went, seen from the interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// The format doesn't say.
    #[default]
    Unsaid,
    /// Into the interface.
    Ingress,
    /// Out of the interface.
    Egress,
}

/// One line of a flow log with log status `OK`. Text fields that are `-` or absent are empty; numbers are 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Record<'a> {
    /// The account of the interface.
    pub account: &'a [u8],
    /// The interface, or the transit gateway attachment.
    pub interface: &'a [u8],
    /// The source.
    pub source: Address,
    /// The destination.
    pub destination: Address,
    /// The source port; 0 for protocols without ports.
    pub source_port: u16,
    /// The destination port.
    pub destination_port: u16,
    /// The protocol's IANA number.
    pub protocol: u8,
    /// Packets, at most 2^63.
    pub packets: u64,
    /// Bytes, at most 2^63.
    pub bytes: u64,
    /// The first packet, Unix seconds.
    pub start: i64,
    /// The last packet, Unix seconds, at least `start`.
    pub end: i64,
    /// What was done.
    pub action: Action,
    /// TCP flags, or-ed over the window; `None` if the format doesn't have them.
    pub tcp_flags: Option<u8>,
    /// Which way.
    pub direction: Direction,
    /// The source as the packet says.
    pub packet_source: Option<Address>,
    /// The destination as the packet says.
    pub packet_destination: Option<Address>,
    /// The VPC.
    pub vpc: &'a [u8],
    /// The subnet.
    pub subnet: &'a [u8],
    /// The instance.
    pub instance: &'a [u8],
    /// The AWS service of the source.
    pub source_service: &'a [u8],
    /// The AWS service of the destination.
    pub destination_service: &'a [u8],
    /// The way out of the VPC, 1 to 8; 0 if not said.
    pub traffic_path: u8,
    /// Why it was rejected.
    pub reject_reason: &'a [u8],
}
