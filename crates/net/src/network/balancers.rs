//! Load balancers, their listeners and target groups, as they are told.

use model::Text;

use super::{Link, State, Tags};
use crate::ports::Ports;

/// The kinds of load balancers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BalancerKind {
    /// Application: HTTP and HTTPS.
    #[default]
    Application,
    /// Network: TCP, UDP, TLS.
    Network,
    /// Gateway: behind gateway load balancer endpoints.
    Gateway,
    /// Classic.
    Classic,
}

/// One listener.
#[derive(Clone, Debug, Default)]
pub struct Listener {
    /// Its ARN or port.
    pub id: Text,
    /// What it takes.
    pub ports: Ports,
    /// The port as a number.
    pub port: u16,
    /// ARNs of the target groups it may forward to.
    pub groups: Vec<Text>,
    /// For a Classic Load Balancer: the port on the instances.
    pub instance_port: Option<u16>,
    /// Why it is not known what it takes, if so: `ports` is then the most it can be.
    pub unknown: Option<Text>,
}

/// A load balancer.
#[derive(Clone, Debug, Default)]
pub struct Balancer {
    /// ARN, or name for a Classic one, or the logical name.
    pub id: Text,
    /// Its name.
    pub name: Text,
    /// Its DNS name; empty if not known.
    pub dns: Text,
    /// The kind.
    pub kind: BalancerKind,
    /// It has public addresses.
    pub internet_facing: bool,
    /// Its VPC.
    pub vpc: Link,
    /// Its subnets.
    pub subnets: Vec<Link>,
    /// Its security groups.
    pub groups: Vec<Link>,
    /// Its nodes' interfaces.
    pub interfaces: Vec<Link>,
    /// Its listeners.
    pub listeners: Vec<Listener>,
    /// Why its listeners are not all known, if so.
    pub listeners_unknown: Option<Text>,
    /// Why it is not known which target groups its listeners' rules forward to, if so.
    pub forwards_unknown: Option<Text>,
    /// A node sends to targets in every zone.
    pub cross_zone: bool,
    /// Whether it works.
    pub state: State,
    /// For a Classic Load Balancer: its instances.
    pub instances: Vec<Text>,
    /// Tags.
    pub tags: Tags,
}

/// One target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalancerTarget {
    /// An instance id, an address, or an ARN of a function or balancer.
    pub id: Text,
    /// The port, if it is not the group's.
    pub port: Option<u16>,
}

/// A target group.
#[derive(Clone, Debug, Default)]
pub struct TargetGroup {
    /// ARN or the logical name.
    pub id: Text,
    /// `instance`, `ip`, `lambda` or `alb`.
    pub kind: Text,
    /// `TCP`, `HTTP`, `UDP`, ...
    pub protocol: Text,
    /// The port targets listen on, unless they say otherwise.
    pub port: Option<u16>,
    /// Its VPC.
    pub vpc: Link,
    /// Balancers that use it, by its own word.
    pub balancers: Vec<Text>,
    /// Its targets.
    pub targets: Vec<BalancerTarget>,
    /// Why its targets are not all known, if so.
    pub targets_unknown: Option<Text>,
    /// The client's address is kept (Network Load Balancer only).
    pub preserve_client: Option<bool>,
}
