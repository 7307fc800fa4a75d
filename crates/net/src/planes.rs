//! Endpoints that AWS itself puts on the internet for a resource, beside what the VPC's packets reach: a public flag, or an
//! endpoint outside of any VPC. Whom the service then lets in is a matter of its policy.

use serde::{Deserialize, Serialize};

use crate::network::Network;

/// One resource with an endpoint on the internet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plane {
    /// The resource.
    pub id: String,
    /// AWS's short name of the service.
    pub service: String,
    /// What is public, and by which property.
    pub what: String,
    /// The blocks that may call it, where the service itself restricts that; empty for every address.
    pub sources: Vec<String>,
    /// Why it isn't certain; empty if it is.
    pub unknown: String,
}

/// What a source says of a property that may make something public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It is public.
    Public,
    /// It is not.
    Private,
    /// It isn't known: the reason.
    Unknown(String),
}

/// The kinds of endpoints, with the words for what is public.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Database,
    Warehouse,
    Cluster,
    SearchDomain,
}

impl Kind {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Kind::Database => ("rds", "its name leads to a public address (PubliclyAccessible)"),
            Kind::Warehouse => ("redshift", "its name leads to a public address (PubliclyAccessible)"),
            Kind::Cluster => ("eks", "its API server has a public endpoint (EndpointPublicAccess)"),
            Kind::SearchDomain => ("opensearch", "its endpoint lies outside of any VPC (VPCOptions)"),
        }
    }
}

impl Network {
    /// Notes what a source says of an endpoint; what is private is no row.
    pub(crate) fn plane(&mut self, id: &str, kind: Kind, told: Told, sources: Vec<String>) {
        let (service, what) = kind.words();
        let unknown = match told {
            Told::Private => return,
            Told::Public => String::new(),
            Told::Unknown(reason) => reason,
        };
        let everywhere = sources.iter().any(|s| s == "0.0.0.0/0");
        let sources = if everywhere { Vec::new() } else { sources };
        self.planes.push(Plane { id: id.to_owned(), service: service.to_owned(), what: what.to_owned(), sources, unknown });
    }
}
