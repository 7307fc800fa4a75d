//! Derives the API facts of the `aws` crate from PyPI's `botocore` (Apache-2.0).
//!
//! `cargo xtask gen aws-facts [VENV]`: VENV is a Python environment with `botocore` installed (default `.test-tools/botocore`, made
//! with `python3 -m venv` and `pip install botocore` if it is missing). Writes into `crates/aws/facts/`:
//! - `apis.bin`: a little-endian u32 length, an index in JSON, then one zstd frame of JSON for each service;
//! - `endpoints.txt.zst`: every (service, Region) with its endpoint by botocore's own rules, which a test holds the table to;
//! - `NOTICE`: source, version, licence.
//!
//! Left out on purpose: documentation, every operation that is not a plain read, and every shape that no read operation uses.

#![expect(clippy::indexing_slicing, reason = "indexing a JSON value gives null where there is nothing")]

mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Map, Value, json};

/// Anything that stops the derivation, in words.
pub(crate) type Error = Box<dyn std::error::Error>;

/// The services whose read operations are kept, by botocore's folder name.
const SERVICES: &str = "accessanalyzer account acm acm-pca apigateway apigatewayv2 appflow application-autoscaling appsync \
    athena autoscaling backup batch bedrock bedrock-agent cloudformation cloudfront cloudtrail cloudwatch codeartifact \
    codebuild codepipeline cognito-identity cognito-idp config connect datasync dax dlm dms docdb ds dynamodb ec2 ecr \
    ecr-public ecs efs eks elasticache elasticbeanstalk elb elbv2 emr events firehose fms fsx glacier glue guardduty iam \
    identitystore imagebuilder inspector2 iot kafka kafkaconnect kendra keyspaces kinesis kinesisvideo kms lambda lightsail \
    logs macie2 memorydb mq mwaa neptune network-firewall opensearch opensearchserverless organizations rds redshift \
    redshift-serverless route53 route53domains route53resolver s3 s3control sagemaker scheduler secretsmanager securityhub \
    service-quotas ses sesv2 shield sns sqs ssm sso-admin stepfunctions storagegateway sts support timestream-influxdb \
    transfer trustedadvisor waf waf-regional wafv2 workspaces xray";

/// The version that is installed when the environment has to be made.
const BOTOCORE: &str = "botocore==1.44.5";

/// Derives the facts. `args` is what follows `aws-facts` on the command line.
pub(crate) fn run(args: &[&str]) -> Result<(), Error> {
    let root = crate::root();
    let venv = args.first().map_or_else(|| root.join(".test-tools/botocore"), PathBuf::from);
    if !venv.join("bin/python").exists() {
        make_venv(&venv)?;
    }
    let data = botocore_data(&venv)?;
    let version = fs::read_to_string(data.join("../__init__.py"))?
        .lines()
        .find_map(|l| l.strip_prefix("__version__ = '").and_then(|v| v.strip_suffix('\'')).map(str::to_owned))
        .ok_or("botocore's version is not where it used to be")?;
    let services: Vec<&str> = SERVICES.split_whitespace().collect();
    let endpoints = Endpoints::ask(&venv, &services)?;
    let absent = absent_regions(&data)?;

    let mut index = Map::new();
    let mut frames = Vec::new();
    for name in &services {
        let mut service = model::service(&data, name)?;
        let prefix = service["endpoint_prefix"].as_str().unwrap_or_default().to_owned();
        service["endpoints"] = endpoints.table(name)?;
        service["absent"] = json!(absent.get(&prefix).cloned().unwrap_or_default());
        let frame = zstd::bulk::compress(service.to_string().as_bytes(), 19)?;
        index.insert((*name).to_owned(), json!([frames.len(), frame.len()]));
        frames.extend(frame);
    }
    let head =
        json!({ "source": "botocore", "version": version, "partitions": partitions(&data)?, "services": index }).to_string();
    let mut file = u32::try_from(head.len())?.to_le_bytes().to_vec();
    file.extend(head.as_bytes());
    file.extend(frames);

    let out = root.join("crates/aws/facts");
    fs::create_dir_all(&out)?;
    fs::write(out.join("apis.bin"), file)?;
    fs::write(out.join("endpoints.txt.zst"), zstd::bulk::compress(endpoints.lines().as_bytes(), 19)?)?;
    fs::write(out.join("NOTICE"), notice(&version))?;
    Ok(())
}

fn make_venv(venv: &Path) -> Result<(), Error> {
    let made = Command::new("python3").args(["-m", "venv"]).arg(venv).status()?.success()
        && Command::new(venv.join("bin/pip")).args(["install", "--quiet", BOTOCORE]).status()?.success();
    if made { Ok(()) } else { Err(format!("could not install {BOTOCORE} into {}", venv.display()).into()) }
}

fn botocore_data(venv: &Path) -> Result<PathBuf, Error> {
    for python in fs::read_dir(venv.join("lib"))? {
        let data = python?.path().join("site-packages/botocore/data");
        if data.is_dir() {
            return Ok(data);
        }
    }
    Err(format!("no botocore in {}", venv.display()).into())
}

fn notice(version: &str) -> String {
    format!(
        "The files apis.bin and endpoints.txt.zst are derived from botocore {version}\n\
         (https://pypi.org/project/botocore/{version}/), Copyright Amazon.com, Inc. or its affiliates, licensed under the\n\
         Apache License, Version 2.0 (see LICENSE at the root of this repository). Changed: reduced to read operations and the\n\
         shapes they use, without documentation; endpoint rules evaluated for every Region.\n\
         Made by `cargo xtask gen aws-facts`.\n"
    )
}

/// The partitions with their suffix and Regions.
fn partitions(data: &Path) -> Result<Value, Error> {
    let all: Value = serde_json::from_slice(&fs::read(data.join("partitions.json"))?)?;
    let mut out = Map::new();
    for partition in all["partitions"].as_array().ok_or("no partitions")? {
        let regions: Vec<&String> =
            partition["regions"].as_object().ok_or("no regions")?.keys().filter(|r| !r.ends_with("-global")).collect();
        out.insert(
            partition["id"].as_str().unwrap_or_default().to_owned(),
            json!({ "suffix": partition["outputs"]["dnsSuffix"], "home": partition["outputs"]["implicitGlobalRegion"], "regions": regions }),
        );
    }
    Ok(out.into())
}

/// For each endpoint prefix that botocore's older table lists by Region: the Regions in which the service is not offered.
fn absent_regions(data: &Path) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let all: Value = serde_json::from_slice(&fs::read(data.join("endpoints.json"))?)?;
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for partition in all["partitions"].as_array().ok_or("no partitions")? {
        let regions: BTreeSet<&String> = partition["regions"].as_object().ok_or("no regions")?.keys().collect();
        for (prefix, service) in partition["services"].as_object().ok_or("no services")? {
            let Some(offered) = service["endpoints"].as_object() else { continue };
            if service["isRegionalized"] == json!(false) || !offered.keys().any(|r| regions.contains(r)) {
                continue;
            }
            let missing = regions.iter().filter(|r| !offered.contains_key(**r)).map(|r| (*r).clone());
            out.entry(prefix.clone()).or_default().extend(missing);
        }
    }
    Ok(out)
}

/// What botocore's rules say, by service.
struct Endpoints(BTreeMap<String, Vec<Row>>);

struct Row {
    region: String,
    partition: String,
    url: String,
    signing_region: Option<String>,
    signing_name: Option<String>,
}

impl Endpoints {
    fn ask(venv: &Path, services: &[&str]) -> Result<Endpoints, Error> {
        let script = include_str!("aws_facts/endpoints.py");
        let out = Command::new(venv.join("bin/python")).arg("-c").arg(script).args(services).output()?;
        if !out.status.success() {
            return Err(String::from_utf8_lossy(&out.stderr).into_owned().into());
        }
        let mut rows: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for line in String::from_utf8(out.stdout)?.lines() {
            let row: Value = serde_json::from_str(line)?;
            let text = |key: &str| row[key].as_str().map(str::to_owned);
            rows.entry(text("service").unwrap_or_default()).or_default().push(Row {
                region: text("region").unwrap_or_default(),
                partition: text("partition").unwrap_or_default(),
                url: text("url").unwrap_or_default(),
                signing_region: text("signing_region"),
                signing_name: text("signing_name"),
            });
        }
        Ok(Endpoints(rows))
    }

    /// One line each: service, Region, host, signing Region, signing name (`-` where the rules say nothing).
    fn lines(&self) -> String {
        let mut out = String::new();
        for (service, rows) in &self.0 {
            for r in rows {
                let dash = |o: &Option<String>| o.clone().unwrap_or_else(|| "-".to_owned());
                out += &format!("{service} {} {} {} {}\n", r.region, r.url, dash(&r.signing_region), dash(&r.signing_name));
            }
        }
        out
    }

    /// By partition: the form that most Regions share, then the Regions that differ.
    fn table(&self, service: &str) -> Result<Value, Error> {
        let rows = self.0.get(service).ok_or_else(|| format!("no endpoint for {service}"))?;
        let mut by_partition: BTreeMap<&str, Vec<(&str, Value)>> = BTreeMap::new();
        for row in rows {
            let host = row.url.strip_prefix("https://").ok_or_else(|| format!("unexpected URL {}", row.url))?;
            let signing = row.signing_region.as_deref().filter(|r| *r != row.region);
            let form = json!({
                "h": host.replace(&row.region, "{region}").replace("000000000000", "{account}"),
                "r": signing,
                "n": row.signing_name,
            });
            by_partition.entry(&row.partition).or_default().push((&row.region, form));
        }
        let mut out = Map::new();
        for (partition, forms) in by_partition {
            let count = |form: &Value| forms.iter().filter(|(_, f)| f == form).count();
            let Some((_, usual)) = forms.iter().max_by_key(|(_, f)| (count(f), f.to_string())) else { continue };
            let others: Map<String, Value> =
                forms.iter().filter(|(_, f)| f != usual).map(|(r, f)| ((*r).to_owned(), f.clone())).collect();
            out.insert(partition.to_owned(), json!({ "usual": usual, "but": others }));
        }
        Ok(out.into())
    }
}
