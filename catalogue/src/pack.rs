//! The catalogue as it lies in the binary: parsed and checked at build time, compressed JSON inside.

use std::collections::BTreeMap;

use model::CheckId;
use serde::de::DeserializeOwned;
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
        pack(&self.0)
    }

    /// Reads what [`Samples::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Samples, PackError> {
        unpack(bytes).map(Samples)
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
        pack(self)
    }

    /// Reads what [`Pack::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Pack, PackError> {
        unpack(bytes)
    }
}

/// JSON, compressed, behind its length in four bytes: it is unpacked in one piece of memory.
fn pack(what: &impl Serialize) -> Result<Vec<u8>, PackError> {
    let told = |e: &dyn std::fmt::Display| PackError(e.to_string());
    let json = serde_json::to_vec(what).map_err(|e| told(&e))?;
    let length = u32::try_from(json.len()).map_err(|e| told(&e))?;
    let mut packed = length.to_le_bytes().to_vec();
    packed.extend(zstd::bulk::compress(&json, 19).map_err(|e| told(&e))?);
    Ok(packed)
}

fn unpack<T: DeserializeOwned>(packed: &[u8]) -> Result<T, PackError> {
    let told = |e: &dyn std::fmt::Display| PackError(e.to_string());
    let (length, frame) = packed.split_first_chunk::<4>().ok_or_else(|| PackError("it is cut short".to_owned()))?;
    let json = zstd::bulk::decompress(frame, u32::from_le_bytes(*length) as usize).map_err(|e| told(&e))?;
    serde_json::from_slice(&json).map_err(|e| told(&e))
}
