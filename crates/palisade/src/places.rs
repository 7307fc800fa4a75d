//! Where an address is and whose network it belongs to, from MaxMind files (`.mmdb`) that the user has: City, Country, ASN.
//!
//! Absent on purpose: fetching such files, and judging by them. What they say is told beside the address, no more.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use maxminddb::Reader;
use serde::Deserialize;

/// The files, held in memory.
#[derive(Default)]
pub(crate) struct Places {
    files: Vec<Reader<Vec<u8>>>,
}

/// What the files may say; what a file doesn't have is absent.
#[derive(Debug, Default, Deserialize)]
struct Entry {
    city: Option<Named>,
    country: Option<Named>,
    registered_country: Option<Named>,
    autonomous_system_number: Option<u32>,
    autonomous_system_organization: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    iso_code: Option<String>,
    #[serde(default)]
    names: BTreeMap<String, String>,
}

impl Places {
    /// Reads the files.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Places> {
        let open = |path: &PathBuf| {
            let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
            Reader::from_source(bytes).with_context(|| format!("`{}` is no MaxMind file", path.display()))
        };
        Ok(Places { files: paths.iter().map(open).collect::<Result<_>>()? })
    }

    /// `Berlin, DE, AS3320 Deutsche Telekom AG`, as far as the files know it; nothing for a service's name.
    pub(crate) fn of(&self, address: &str) -> Option<String> {
        let address: IpAddr = address.parse().ok().filter(|_| !self.files.is_empty())?;
        let (mut city, mut country, mut network) = (None, None, None);
        for file in &self.files {
            let found = file.lookup(address).ok().and_then(|found| found.decode::<Entry>().ok().flatten());
            let Some(entry) = found else { continue };
            city = city.or_else(|| entry.city.and_then(|city| city.names.get("en").cloned()));
            country = country.or_else(|| entry.country.or(entry.registered_country).and_then(|country| country.iso_code));
            let organisation = entry.autonomous_system_organization.unwrap_or_default();
            network = network.or_else(|| entry.autonomous_system_number.map(|number| format!("AS{number} {organisation}")));
        }
        let parts: Vec<String> = [city, country, network].into_iter().flatten().map(|part| part.trim().to_owned()).collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}
