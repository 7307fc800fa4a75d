//! The responsibility line: 15 layers, who owns each, and what kind of service it is.

use serde::{Deserialize, Serialize};

macro_rules! names {
    ($(#[$doc:meta])* $type:ident, $case:literal { $($(#[$vdoc:meta])* $variant:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = $case)]
        pub enum $type { $($(#[$vdoc])* $variant,)* }

        impl $type {
            /// Every one of them, in order.
            pub const ALL: &'static [$type] = &[$($type::$variant,)*];

            /// The name as files and outputs write it.
            pub fn name(self) -> &'static str {
                match self { $($type::$variant => $name,)* }
            }

            /// The one with this name.
            pub fn from_name(name: &str) -> Option<$type> {
                match name { $($name => Some($type::$variant),)* _ => None }
            }
        }
    };
}

names! {
    /// A layer of the shared responsibility model. The first two are always AWS's; the last is always yours.
    Layer, "snake_case" {
        /// Buildings, power, media.
        FacilitiesMedia = "facilities_media",
        /// Hosts and the hypervisor.
        HostVirtualization = "host_virtualization",
        /// Patches of the guest operating system.
        GuestOsPatch = "guest_os_patch",
        /// Patches and versions of the platform or engine.
        PlatformEnginePatch = "platform_engine_patch",
        /// Operating system, network and firewall configuration.
        OsNetFwConfig = "os_net_fw_config",
        /// Application code and what it depends on.
        AppCodeDeps = "app_code_deps",
        /// Who may do what.
        IdentityAccess = "identity_access",
        /// Which endpoints are reachable, and by whom.
        EndpointExposure = "endpoint_exposure",
        /// Protection of data in transit.
        NetTrafficProtection = "net_traffic_protection",
        /// Encryption at rest by the service.
        ServerSideEncryption = "server_side_encryption",
        /// Encryption and integrity checks before data reaches the service.
        ClientSideEncryptionIntegrity = "client_side_encryption_integrity",
        /// Backups and retention.
        BackupRetention = "backup_retention",
        /// Surviving the loss of an Availability Zone.
        AzResilience = "az_resilience",
        /// What is logged, where, for how long.
        LoggingConfig = "logging_config",
        /// The data itself: its class, placement and life.
        CustomerData = "customer_data",
    }
}

names! {
    /// Who performs a layer's duty.
    Owner, "lowercase" {
        /// AWS, proved by its audit reports.
        Aws = "aws",
        /// AWS performs it, you switch it on or choose its version, key or window.
        Shared = "shared",
        /// You.
        Customer = "customer",
        /// The layer does not exist for this service.
        Na = "na",
    }
}

names! {
    /// How much of the stack AWS runs for a service.
    ServiceClass, "lowercase" {
        /// You run the operating system (EC2, EBS, VPC).
        Infrastructure = "infrastructure",
        /// AWS runs the operating system and platform (RDS, EMR).
        Container = "container",
        /// You see an endpoint only (S3, DynamoDB).
        Abstracted = "abstracted",
    }
}

names! {
    /// What a check is about.
    Pillar, "lowercase" {
        /// Confidentiality, integrity, access.
        Security = "security",
        /// Surviving faults and deletions.
        Reliability = "reliability",
        /// Money.
        Cost = "cost",
        /// Speed.
        Performance = "performance",
        /// Running it well.
        Operations = "operations",
        /// Service quotas.
        Limits = "limits",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        assert_eq!(Layer::ALL.len(), 15);
        for layer in Layer::ALL {
            assert_eq!(Layer::from_name(layer.name()), Some(*layer));
            assert_eq!(serde_json::to_value(layer).unwrap(), layer.name());
        }
        for owner in Owner::ALL {
            assert_eq!(serde_json::to_value(owner).unwrap(), owner.name());
        }
    }
}
