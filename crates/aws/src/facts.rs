//! The API facts: for each service its protocol, endpoints, and read operations with the shapes of their inputs and outputs.
//!
//! Derived from botocore by `cargo xtask gen aws-facts` (see `facts/NOTICE`). One compressed frame a service, decoded when the
//! service is first asked for.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use model::Text;
use serde::Deserialize;

static APIS: &[u8] = include_bytes!("../facts/apis.bin");

/// All facts.
pub(crate) struct Facts {
    /// Where the facts come from: `botocore 1.44.5`.
    pub(crate) source: String,
    /// Partition name to partition.
    pub(crate) partitions: BTreeMap<String, PartitionFacts>,
    services: BTreeMap<String, (&'static [u8], OnceLock<Option<Service>>)>,
}

/// One partition.
#[derive(Debug, Deserialize)]
pub(crate) struct PartitionFacts {
    /// The Region of its global services.
    pub(crate) home: String,
}

/// One service.
#[derive(Debug, Deserialize)]
pub(crate) struct Service {
    pub(crate) protocol: Protocol,
    #[serde(default)]
    pub(crate) json_version: Option<String>,
    #[serde(default)]
    pub(crate) target_prefix: Option<String>,
    pub(crate) api_version: String,
    pub(crate) signing_name: String,
    pub(crate) operations: BTreeMap<String, Operation>,
    shapes: Vec<Shape>,
    /// By partition.
    pub(crate) endpoints: BTreeMap<String, EndpointTable>,
    /// Regions in which the service is not offered, as far as is known.
    pub(crate) absent: Vec<String>,
}

/// How requests and answers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Protocol {
    Query,
    Ec2,
    Json,
    RestJson,
    RestXml,
}

/// The endpoints of a service in one partition.
#[derive(Debug, Deserialize)]
pub(crate) struct EndpointTable {
    pub(crate) usual: EndpointForm,
    pub(crate) but: BTreeMap<String, EndpointForm>,
}

/// A host with `{region}` and `{account}` holes, and what differs in signing.
#[derive(Debug, Deserialize)]
pub(crate) struct EndpointForm {
    #[serde(rename = "h")]
    pub(crate) host: String,
    #[serde(rename = "r")]
    pub(crate) signing_region: Option<String>,
    #[serde(rename = "n")]
    pub(crate) signing_name: Option<String>,
}

/// One read operation.
#[derive(Debug, Deserialize)]
pub(crate) struct Operation {
    pub(crate) method: String,
    pub(crate) uri: String,
    #[serde(default)]
    pub(crate) input: Option<ShapeIndex>,
    #[serde(default)]
    pub(crate) output: Option<ShapeIndex>,
    #[serde(default)]
    pub(crate) wrapper: Option<String>,
    #[serde(default)]
    pub(crate) host_prefix: Option<String>,
    #[serde(default)]
    pub(crate) pages: Option<Pages>,
}

/// How an operation pages: which outputs become which inputs of the next call.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Pages {
    #[serde(rename = "in")]
    pub(crate) inputs: Vec<String>,
    #[serde(rename = "out")]
    pub(crate) outputs: Vec<String>,
    pub(crate) more: Option<String>,
}

/// The position of a shape in its service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct ShapeIndex(u32);

/// What a value is and how it is written.
#[derive(Debug, Deserialize)]
pub(crate) enum Shape {
    #[serde(rename = "s")]
    Text,
    #[serde(rename = "i")]
    Int,
    #[serde(rename = "f")]
    Float,
    #[serde(rename = "b")]
    Bool,
    #[serde(rename = "x")]
    Blob,
    #[serde(rename = "t")]
    Time,
    #[serde(rename = "d")]
    Document,
    #[serde(rename = "l")]
    List(ListShape),
    #[serde(rename = "m")]
    Map(MapShape),
    #[serde(rename = "o")]
    Object(ObjectShape),
}

#[derive(Debug, Deserialize)]
pub(crate) struct ListShape {
    #[serde(rename = "m")]
    pub(crate) member: ShapeIndex,
    #[serde(rename = "n", default)]
    pub(crate) name: Option<String>,
    #[serde(rename = "f", default)]
    pub(crate) flattened: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MapShape {
    #[serde(rename = "v")]
    pub(crate) value: ShapeIndex,
    #[serde(rename = "kn", default)]
    pub(crate) key_name: Option<String>,
    #[serde(rename = "vn", default)]
    pub(crate) value_name: Option<String>,
    #[serde(rename = "f", default)]
    pub(crate) flattened: bool,
}

#[derive(Debug, Deserialize)]
pub(crate) struct ObjectShape {
    #[serde(rename = "m")]
    pub(crate) members: BTreeMap<Text, MemberShape>,
    #[serde(rename = "p", default)]
    pub(crate) payload: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct MemberShape {
    #[serde(rename = "s")]
    pub(crate) shape: ShapeIndex,
    #[serde(rename = "l", default)]
    pub(crate) location: Option<Location>,
    #[serde(rename = "n", default)]
    pub(crate) name: Option<String>,
    #[serde(rename = "q", default)]
    pub(crate) query_name: Option<String>,
    #[serde(rename = "a", default)]
    pub(crate) attribute: bool,
    #[serde(rename = "f", default)]
    pub(crate) flattened: bool,
    #[serde(rename = "jv", default)]
    pub(crate) json_text: bool,
    #[serde(rename = "r", default)]
    pub(crate) required: bool,
}

/// Where in the HTTP message a member stands, if not in the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Location {
    Header,
    Headers,
    Querystring,
    Uri,
    StatusCode,
}

#[derive(Deserialize)]
struct Index {
    source: String,
    version: String,
    partitions: BTreeMap<String, PartitionFacts>,
    services: BTreeMap<String, (usize, usize)>,
}

impl Facts {
    /// The built-in facts.
    pub(crate) fn get() -> &'static Facts {
        static FACTS: OnceLock<Facts> = OnceLock::new();
        FACTS.get_or_init(|| Facts::read(APIS).unwrap_or_else(Facts::none))
    }

    fn none() -> Facts {
        Facts { source: String::new(), partitions: BTreeMap::new(), services: BTreeMap::new() }
    }

    fn read(bytes: &'static [u8]) -> Option<Facts> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (head, frames) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        let index: Index = serde_json::from_slice(head).ok()?;
        let mut services = BTreeMap::new();
        for (name, (start, length)) in index.services {
            services.insert(name, (frames.get(start..start + length)?, OnceLock::new()));
        }
        Some(Facts { source: format!("{} {}", index.source, index.version), partitions: index.partitions, services })
    }

    /// The facts of a service by botocore's name.
    pub(crate) fn service(&self, name: &str) -> Option<&Service> {
        let (frame, cell) = self.services.get(name)?;
        cell.get_or_init(|| {
            let json = zstd::stream::decode_all(*frame).ok()?;
            serde_json::from_slice(&json).ok()
        })
        .as_ref()
    }

    /// The names of all services.
    #[cfg(test)]
    pub(crate) fn service_names(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }
}

impl Service {
    /// The shape at `index`. The facts refer to no shape that they do not hold (a test decodes them all).
    pub(crate) fn shape(&self, index: ShapeIndex) -> &Shape {
        static NONE: Shape = Shape::Document;
        self.shapes.get(index.0 as usize).unwrap_or(&NONE)
    }

    /// The object shape at `index`.
    pub(crate) fn object(&self, index: Option<ShapeIndex>) -> Option<&ObjectShape> {
        match self.shape(index?) {
            Shape::Object(object) => Some(object),
            _ => None,
        }
    }
}

/// Where the facts come from, for `--version` and reports.
pub fn facts_source() -> &'static str {
    &Facts::get().source
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<(&'static str, &'static Service)> {
        let facts = Facts::get();
        let all: Vec<_> = facts.service_names().map(|name| (name, facts.service(name).expect(name))).collect();
        assert!(all.len() >= 90);
        all
    }

    #[test]
    fn every_shape_is_there() {
        for (name, service) in all() {
            let count = service.shapes.len() as u32;
            let there = |index: &ShapeIndex| assert!(index.0 < count, "{name}");
            for shape in &service.shapes {
                match shape {
                    Shape::List(list) => there(&list.member),
                    Shape::Map(map) => there(&map.value),
                    Shape::Object(object) => object.members.values().for_each(|m| there(&m.shape)),
                    _ => {}
                }
            }
            for operation in service.operations.values() {
                operation.input.iter().chain(&operation.output).for_each(there);
            }
        }
    }

    /// The binary cannot change an account: no other operation is in the facts, and only what is in the facts can be called.
    #[test]
    fn every_operation_is_a_read() {
        let mut count = 0;
        for (name, service) in all() {
            for (operation, facts) in &service.operations {
                assert!(catalogue::collect::is_read(operation), "{name}:{operation}");
                assert!(matches!(facts.method.as_str(), "GET" | "HEAD" | "POST"), "{name}:{operation} is a {}", facts.method);
                count += 1;
            }
        }
        assert!(count > 2_000, "{count}");
    }

    #[test]
    fn nothing_hands_out_secrets_or_data() {
        let facts = Facts::get();
        for refused in [
            ("secretsmanager", "GetSecretValue"),
            ("ssm", "GetParameter"),
            ("sts", "GetSessionToken"),
            ("s3", "GetObject"),
            ("dynamodb", "Query"),
            ("ec2", "GetPasswordData"),
            ("ecr", "GetAuthorizationToken"),
            ("lambda", "GetFunction"),
        ] {
            assert!(!facts.service(refused.0).expect(refused.0).operations.contains_key(refused.1), "{refused:?}");
        }
    }
}
