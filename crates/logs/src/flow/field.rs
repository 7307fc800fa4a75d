//! Field names and the order they come in.

use std::fmt;

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// A field of a flow log that means something to a reader; all others are [`Field::Other`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Field {
            $($(#[$doc])* $variant,)*
            /// A field whose values nobody here asks for.
            Other,
        }

        const NAMED: &[(&str, Field)] = &[$(($name, Field::$variant)),*];
    };
}

fields! {
    /// The version of the newest field in the format.
    Version = "version",
    /// `TransitGateway` or `TransitGatewayAttachment`.
    ResourceType = "resource-type",
    /// The account of the interface.
    AccountId = "account-id",
    /// The interface.
    InterfaceId = "interface-id",
    /// The transit gateway's attachment, which stands for the interface.
    AttachmentId = "tgw-attachment-id",
    /// The source; for outgoing traffic the interface's own primary address.
    SrcAddr = "srcaddr",
    /// The destination; for incoming traffic the interface's own primary address.
    DstAddr = "dstaddr",
    /// The source port.
    SrcPort = "srcport",
    /// The destination port.
    DstPort = "dstport",
    /// The protocol's IANA number.
    Protocol = "protocol",
    /// Packets.
    Packets = "packets",
    /// Bytes.
    Bytes = "bytes",
    /// The first packet, Unix seconds.
    Start = "start",
    /// The last packet, Unix seconds.
    End = "end",
    /// `ACCEPT` or `REJECT`.
    Action = "action",
    /// `OK`, `NODATA` or `SKIPDATA`.
    LogStatus = "log-status",
    /// The VPC.
    VpcId = "vpc-id",
    /// The subnet.
    SubnetId = "subnet-id",
    /// The instance.
    InstanceId = "instance-id",
    /// TCP flags, or-ed over the window.
    TcpFlags = "tcp-flags",
    /// The source as the packet says.
    PktSrcAddr = "pkt-srcaddr",
    /// The destination as the packet says.
    PktDstAddr = "pkt-dstaddr",
    /// The AWS service that the source belongs to.
    PktSrcAwsService = "pkt-src-aws-service",
    /// The AWS service that the destination belongs to.
    PktDstAwsService = "pkt-dst-aws-service",
    /// `ingress` or `egress`, seen from the interface.
    FlowDirection = "flow-direction",
    /// The way out of the VPC.
    TrafficPath = "traffic-path",
    /// Why a flow was rejected.
    RejectReason = "reject-reason",
}

/// Fields that are known to exist and that nobody asks for.
const OTHERS: &[&str] = &[
    "type",
    "region",
    "az-id",
    "sublocation-type",
    "sublocation-id",
    "ecs-cluster-arn",
    "ecs-cluster-name",
    "ecs-container-instance-arn",
    "ecs-container-instance-id",
    "ecs-container-id",
    "ecs-second-container-id",
    "ecs-service-name",
    "ecs-task-definition-arn",
    "ecs-task-arn",
    "ecs-task-id",
    "resource-id",
    "encryption-status",
    "tgw-id",
    "tgw-src-vpc-account-id",
    "tgw-dst-vpc-account-id",
    "tgw-src-vpc-id",
    "tgw-dst-vpc-id",
    "tgw-src-subnet-id",
    "tgw-dst-subnet-id",
    "tgw-src-eni",
    "tgw-dst-eni",
    "tgw-src-az-id",
    "tgw-dst-az-id",
    "tgw-pair-attachment-id",
    "packets-lost-no-route",
    "packets-lost-blackhole",
    "packets-lost-mtu-exceeded",
    "packets-lost-ttl-expired",
];

/// The default format of VPC flow logs (version 2).
const VPC_DEFAULT: &str =
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status";

/// The default format of transit gateway flow logs (version 6): all fields.
const TRANSIT_DEFAULT: &str = "version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id \
    tgw-dst-vpc-account-id tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni \
    tgw-src-az-id tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end \
    log-status type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags \
    region flow-direction pkt-src-aws-service pkt-dst-aws-service";

impl Field {
    /// The field of this name, `None` if AWS has no such field. `_` counts as `-`, as in Parquet and Athena columns.
    pub fn from_name(name: &str) -> Option<Field> {
        let name = name.replace('_', "-").to_ascii_lowercase();
        let named = NAMED.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
        named.or_else(|| OTHERS.contains(&name.as_str()).then_some(Field::Other))
    }

    /// Its name in a format string.
    pub fn name(self) -> &'static str {
        NAMED.iter().find(|(_, field)| *field == self).map_or("other", |(name, _)| name)
    }
}

/// Why a format string or header can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutError {
    /// What is wrong, one line.
    pub message: String,
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LayoutError {}

/// The order of the fields in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The fields in their order.
    pub fields: Vec<Field>,
    /// Names that are no field of AWS's, as they were written.
    pub unknown: Vec<String>,
}

/// The most fields of a format; AWS has fewer than 80.
pub(crate) const FIELDS_MAX: usize = 128;

impl Layout {
    /// Reads `${version} ${srcaddr} ...` or a header line `version srcaddr ...`. Fields may stand apart by spaces, commas or tabs.
    pub fn parse(text: &str) -> Result<Layout, LayoutError> {
        let parts = text.split([' ', ',', '\t', '\r', '\n']).map(|part| part.trim_start_matches("${").trim_end_matches('}'));
        let names: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        let layout = Layout {
            fields: names.iter().map(|name| Field::from_name(name).unwrap_or(Field::Other)).collect(),
            unknown: names.iter().filter(|name| Field::from_name(name).is_none()).map(|name| (*name).to_owned()).collect(),
        };
        let wrong = |message: String| Err(LayoutError { message });
        if layout.fields.len() > FIELDS_MAX {
            return wrong(format!("a format has at most {FIELDS_MAX} fields"));
        }
        if let Some(name) = layout.unknown.iter().find(|name| !plain(name)) {
            return wrong(format!("`{name}` is not the name of a field"));
        }
        for needed in [Field::SrcAddr, Field::DstAddr] {
            if !layout.has(needed) {
                return wrong(format!("the format has no `{}`", needed.name()));
            }
        }
        let twice = layout
            .fields
            .iter()
            .enumerate()
            .find(|(at, f)| **f != Field::Other && layout.fields.iter().take(*at).any(|e| e == *f));
        match twice {
            Some((_, field)) => wrong(format!("`{}` is there twice", field.name())),
            None => Ok(layout),
        }
    }

    /// The default format of VPC flow logs.
    pub fn vpc_default() -> Layout {
        default(VPC_DEFAULT)
    }

    /// The default format of transit gateway flow logs.
    pub fn transit_default() -> Layout {
        default(TRANSIT_DEFAULT)
    }

    /// Whether the field is there.
    pub fn has(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }
}

fn plain(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

fn default(text: &str) -> Layout {
    let fields = text.split_ascii_whitespace().map(|name| Field::from_name(name).unwrap_or(Field::Other)).collect();
    Layout { fields, unknown: vec![] }
}
