//! One service's model: the read operations, their bindings, pagination, and the shapes they use.

#![expect(clippy::indexing_slicing, reason = "indexing a JSON value gives null where there is nothing")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::Error;

/// The verbs that a read operation's name may begin with.
const VERBS: &[&str] = &["List", "Describe", "Get", "BatchGet", "BatchDescribe", "Search", "Query", "Simulate"];

/// Reads by name that hand out credentials, read the customer's data, or start work: a posture scan needs none of them.
const REFUSED: &[&str] = &[
    "athena:GetQueryResults",
    "athena:GetQueryResultsStream",
    "cognito-identity:GetCredentialsForIdentity",
    "cognito-identity:GetId",
    "cognito-identity:GetOpenIdToken",
    "cognito-identity:GetOpenIdTokenForDeveloperIdentity",
    "dynamodb:BatchGetItem",
    "dynamodb:GetItem",
    "dynamodb:Query",
    "ec2:GetPasswordData",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "ecr-public:GetAuthorizationToken",
    "glacier:GetJobOutput",
    "glue:GetConnection",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "lambda:GetFunction",
    "lightsail:GetInstanceAccessDetails",
    "lightsail:GetRelationalDatabaseMasterUserPassword",
    "logs:GetLogEvents",
    "logs:GetQueryResults",
    "logs:GetLogRecord",
    "logs:GetLogObject",
    "redshift:GetClusterCredentials",
    "redshift:GetClusterCredentialsWithIAM",
    "redshift-serverless:GetCredentials",
    "s3:GetObject",
    "s3:GetObjectTorrent",
    "s3control:GetDataAccess",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetRandomPassword",
    "secretsmanager:GetSecretValue",
    "ssm:GetParameter",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "sts:GetFederationToken",
    "sts:GetSessionToken",
    "sts:GetWebIdentityToken",
    "sts:GetDelegatedAccessToken",
    "lightsail:GetContainerAPIMetadata",
    "mwaa:GetConnection",
    "lightsail:GetBucketAccessKeys",
    "lightsail:GetKeyPair",
];

/// Protocols that the client speaks, best first.
const PROTOCOLS: &[&str] = &["json", "rest-json", "rest-xml", "query", "ec2"];

/// The facts of one service.
pub(crate) fn service(data: &Path, name: &str) -> Result<Value, Error> {
    let folder = latest(&data.join(name))?;
    let model = read(&folder.join("service-2.json.gz"))?;
    let mut pages = Map::new();
    for file in ["paginators-1.json", "paginators-1.sdk-extras.json"] {
        let Ok(extra) = read(&folder.join(file)) else { continue };
        let found = if extra["pagination"].is_object() { &extra["pagination"] } else { &extra["merge"]["pagination"] };
        for (operation, page) in found.as_object().into_iter().flatten() {
            let known = pages.entry(operation.clone()).or_insert_with(|| json!({}));
            for (key, value) in page.as_object().into_iter().flatten() {
                known[key.as_str()] = value.clone();
            }
        }
    }
    let meta = &model["metadata"];
    let spoken = meta["protocols"].as_array().cloned().unwrap_or_else(|| vec![meta["protocol"].clone()]);
    let protocol = PROTOCOLS
        .iter()
        .find(|p| spoken.iter().any(|s| s == *p))
        .ok_or_else(|| format!("{name} speaks none of the known protocols"))?;

    let mut shapes = Shapes { model: &model["shapes"], index: BTreeMap::new(), out: Vec::new() };
    let mut operations = Map::new();
    for (operation, facts) in model["operations"].as_object().ok_or("no operations")? {
        if !is_read(name, operation, facts) {
            continue;
        }
        let mut entry = json!({ "method": facts["http"]["method"], "uri": facts["http"]["requestUri"] });
        let mut set = |key: &str, value: Value| {
            if !value.is_null() {
                entry[key] = value;
            }
        };
        set("input", facts["input"]["shape"].as_str().map_or(Value::Null, |s| json!(shapes.number(s))));
        set("output", facts["output"]["shape"].as_str().map_or(Value::Null, |s| json!(shapes.number(s))));
        set("wrapper", facts["output"]["resultWrapper"].clone());
        set("host_prefix", facts["endpoint"]["hostPrefix"].clone());
        set("static", facts["staticContextParams"]["UseS3ExpressControlEndpoint"]["value"].clone());
        set("pages", pages.get(operation).map_or(Value::Null, page));
        operations.insert(operation.clone(), entry);
    }
    let shapes = shapes.finish()?;
    Ok(json!({
        "protocol": protocol,
        "json_version": meta["jsonVersion"],
        "target_prefix": meta["targetPrefix"],
        "api_version": meta["apiVersion"],
        "endpoint_prefix": meta["endpointPrefix"],
        "signing_name": meta["signingName"].as_str().or(meta["endpointPrefix"].as_str()),
        "operations": operations,
        "shapes": shapes,
    }))
}

/// A read by name, by verb, and by not being on the list of refused ones.
fn is_read(service: &str, operation: &str, facts: &Value) -> bool {
    let named =
        VERBS.iter().any(|v| operation.strip_prefix(v).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase())));
    let method = facts["http"]["method"].as_str().unwrap_or_default();
    named
        && matches!(method, "GET" | "HEAD" | "POST")
        && !REFUSED.contains(&format!("{service}:{operation}").as_str())
        && !facts["deprecated"].as_bool().unwrap_or(false)
}

fn page(facts: &Value) -> Value {
    let list = |key: &str| match &facts[key] {
        Value::String(s) => json!([s]),
        Value::Array(items) => json!(items),
        _ => json!([]),
    };
    json!({ "in": list("input_token"), "out": list("output_token"), "more": facts["more_results"], "limit": facts["limit_key"] })
}

/// The newest API version's folder.
fn latest(folder: &Path) -> Result<PathBuf, Error> {
    let mut versions: Vec<PathBuf> = fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    versions.sort();
    versions.pop().ok_or_else(|| format!("nothing in {}", folder.display()).into())
}

fn read(path: &Path) -> Result<Value, Error> {
    let mut text = Vec::new();
    if path.extension().is_some_and(|e| e == "gz") {
        flate2::read::GzDecoder::new(File::open(path)?).read_to_end(&mut text)?;
    } else {
        File::open(path)?.read_to_end(&mut text)?;
    }
    Ok(serde_json::from_slice(&text)?)
}

/// The shapes in use, numbered in the order in which they are met.
struct Shapes<'a> {
    model: &'a Value,
    index: BTreeMap<String, usize>,
    out: Vec<String>,
}

impl Shapes<'_> {
    fn number(&mut self, name: &str) -> usize {
        let scalar = self.scalar(name);
        let key = scalar.map_or_else(|| name.to_owned(), |s| format!("={s}"));
        *self.index.entry(key.clone()).or_insert_with(|| {
            self.out.push(key);
            self.out.len() - 1
        })
    }

    /// Scalars of one kind are one shape.
    fn scalar(&self, name: &str) -> Option<&'static str> {
        let shape = &self.model[name];
        match shape["type"].as_str()? {
            "string" | "character" => Some("s"),
            "integer" | "long" | "short" | "byte" => Some("i"),
            "float" | "double" => Some("f"),
            "boolean" => Some("b"),
            "blob" => Some("x"),
            "timestamp" => Some("t"),
            "structure" if shape["document"] == json!(true) => Some("d"),
            _ => None,
        }
    }

    fn finish(mut self) -> Result<Vec<Value>, Error> {
        let mut all = Vec::new();
        let mut at = 0;
        while let Some(name) = self.out.get(at).cloned() {
            all.push(match name.strip_prefix('=') {
                Some(scalar) => json!(scalar),
                None => self.one(&name)?,
            });
            at += 1;
        }
        Ok(all)
    }

    fn one(&mut self, name: &str) -> Result<Value, Error> {
        let shape = self.model[name].clone();
        let target = |v: &Value| v["shape"].as_str().map(str::to_owned).ok_or_else(|| format!("{name} refers to nothing"));
        let value = match shape["type"].as_str() {
            Some("list") => {
                let member = self.number(&target(&shape["member"])?);
                json!({ "l": { "m": member, "n": shape["member"]["locationName"], "f": shape["flattened"] } })
            }
            Some("map") => {
                let (key, value) = (target(&shape["key"])?, target(&shape["value"])?);
                let numbers = (self.number(&key), self.number(&value));
                json!({ "m": { "k": numbers.0, "v": numbers.1, "kn": shape["key"]["locationName"], "vn": shape["value"]["locationName"], "f": shape["flattened"] } })
            }
            Some("structure") => {
                let required: BTreeSet<&str> =
                    shape["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
                let mut members = Map::new();
                for (member, facts) in shape["members"].as_object().into_iter().flatten() {
                    let number = self.number(&target(facts)?);
                    let entry = json!({
                        "s": number, "l": facts["location"], "n": facts["locationName"], "q": facts["queryName"],
                        "a": facts["xmlAttribute"], "f": facts["flattened"], "jv": facts["jsonvalue"],
                        "r": required.contains(member.as_str()).then_some(true),
                        "tok": facts["idempotencyToken"],
                    });
                    members.insert(member.clone(), entry);
                }
                json!({ "o": { "m": members, "p": shape["payload"] } })
            }
            other => return Err(format!("{name} is of type {other:?}").into()),
        };
        Ok(prune(value))
    }
}

/// Without the members that are null.
fn prune(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            map.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k, prune(v))).collect::<Map<_, _>>().into()
        }
        other => other,
    }
}
