//! The catalogue as it lies in the binary: parsed and checked at build time, compressed JSON inside.

use std::collections::BTreeMap;

use model::CheckId;
use serde::{Deserialize, Serialize};

use crate::format::{CheckFile, FrameworkFile, Objective, Responsibility, ServiceFile, TypeFolder};

/// Everything the product needs at run time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pack {
    /// Folder name (`s3`) to service.
    pub services: BTreeMap<String, ServiceFile>,
    /// The types, in folder order.
    pub types: Vec<TypeFolder>,
    /// The checks, in folder order, then by id.
    pub checks: Vec<CheckEntry>,
    /// Objective id to objective.
    pub objectives: BTreeMap<String, Objective>,
    /// Framework id (file name) to framework.
    pub frameworks: BTreeMap<String, FrameworkFile>,
    /// Who owns which layer.
    pub responsibilities: Vec<Responsibility>,
    /// Path to text of the detections, which `detect` compiles.
    pub detections: BTreeMap<String, String>,
}

/// A check with its identity, which is its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckEntry {
    /// Its id: the file's name.
    pub id: CheckId,
    /// The folder of its type, `aws/s3/bucket`.
    pub folder: String,
    /// What the file says.
    pub file: CheckFile,
}

/// A pack that cannot be read back.
#[derive(Debug)]
pub struct PackError(String);

impl std::fmt::Display for PackError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the packed catalogue cannot be read: {}", self.0)
    }
}

impl std::error::Error for PackError {}

/// The good samples of the types, path to text. They lie apart from the pack, because only cases need them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples(pub BTreeMap<String, String>);

impl Samples {
    /// Compresses them.
    pub fn encode(&self) -> Result<Vec<u8>, PackError> {
        let json = serde_json::to_vec(&self.0).map_err(|e| PackError(e.to_string()))?;
        zstd::encode_all(json.as_slice(), 19).map_err(|e| PackError(e.to_string()))
    }

    /// Reads what [`Samples::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Samples, PackError> {
        let json = zstd::decode_all(bytes).map_err(|e| PackError(e.to_string()))?;
        serde_json::from_slice(&json).map(Samples).map_err(|e| PackError(e.to_string()))
    }
}

impl Pack {
    /// Adds what `other` has; where both have a thing, `other`'s counts.
    pub fn overlay(&mut self, other: Pack) {
        self.services.extend(other.services);
        for theirs in other.types {
            match self.types.iter_mut().find(|t| t.file.type_name == theirs.file.type_name) {
                Some(ours) => {
                    for check in self.checks.iter_mut().filter(|c| c.folder == ours.folder) {
                        check.folder.clone_from(&theirs.folder);
                    }
                    *ours = theirs;
                }
                None => self.types.push(theirs),
            }
        }
        self.checks.retain(|c| !other.checks.iter().any(|o| o.id == c.id));
        self.checks.extend(other.checks);
        self.objectives.extend(other.objectives);
        self.frameworks.extend(other.frameworks);
        if !other.responsibilities.is_empty() {
            self.responsibilities = other.responsibilities;
        }
        self.detections.extend(other.detections);
    }

    /// Compresses the pack.
    pub fn encode(&self) -> Result<Vec<u8>, PackError> {
        let json = serde_json::to_vec(self).map_err(|e| PackError(e.to_string()))?;
        zstd::encode_all(json.as_slice(), 19).map_err(|e| PackError(e.to_string()))
    }

    /// Reads what [`Pack::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Pack, PackError> {
        let json = zstd::decode_all(bytes).map_err(|e| PackError(e.to_string()))?;
        serde_json::from_slice(&json).map_err(|e| PackError(e.to_string()))
    }
}
