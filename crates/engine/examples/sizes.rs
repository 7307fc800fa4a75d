//! Measures a scan of many resources on one thread: `cargo run --release -p palisade-engine --example sizes [RESOURCES]`.
//!
//! The resources are the catalogue's good samples over and over, one account each thousand, so that every type and every check
//! has its share. Prints resources, checks, findings, CPU-bound milliseconds and the peak memory in MB (Linux).

use std::path::{Path, PathBuf};
use std::time::Instant;

use model::{Resource, Snapshot, SourceKind, TypeName, Value, from_json};

/// How many resources share an account.
const ACCOUNT_RESOURCES: usize = 1_000;

#[expect(clippy::print_stdout, reason = "a measuring tool talks on standard output")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let wanted = std::env::args().nth(1).map_or(Ok(100_000), |n| n.parse())?;
    let samples = samples(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue/aws"))?;
    let mut snapshot = Snapshot::default();
    let mut scope = None;
    for n in 0..wanted {
        if n % ACCOUNT_RESOURCES == 0 {
            scope = Some(snapshot.add_scope(format!("account {n}"), SourceKind::Live));
        }
        let Some((scope, (type_name, props))) = scope.zip(samples.get(n % samples.len())) else { continue };
        let mut resource = Resource::new(format!("resource-{n}"), type_name.clone(), scope);
        resource.props = props.clone();
        resource.account = model::AccountId::new("123456789012").ok();
        resource.region = model::Region::new("eu-central-1").ok();
        snapshot.resources.push(resource);
    }
    let catalogue = catalogue::built_in();
    let now = "2026-06-01T00:00:00Z".parse()?;
    let start = Instant::now();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let outcome = one.install(|| engine::scan(&snapshot, &catalogue, &engine::Config::default(), now));
    let took = start.elapsed().as_millis();
    let (checks, findings) = (catalogue.checks().count(), outcome.findings.len());
    println!("{wanted} resources, {checks} checks, {findings} findings, {took} ms, {} MB", peak_mb());
    Ok(())
}

/// Every type's good sample, in the order of the folders.
fn samples(root: &Path) -> Result<Vec<(TypeName, model::Map)>, Box<dyn std::error::Error>> {
    let mut found = Vec::new();
    for service in sorted(root)? {
        for folder in sorted(&service)? {
            let (Ok(sample), Ok(about)) =
                (std::fs::read_to_string(folder.join("sample/resource.json")), std::fs::read_to_string(folder.join("type.toml")))
            else {
                continue;
            };
            let about: toml::Table = about.parse()?;
            let name = about.get("type").and_then(|t| t.as_str()).ok_or("a type file without `type`")?;
            if let Value::Map(props) = from_json(&serde_json::from_str(&sample)?) {
                found.push((TypeName::new(name)?, props));
            }
        }
    }
    Ok(found)
}

fn sorted(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.retain(|p| p.is_dir());
    paths.sort();
    Ok(paths)
}

fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) / 1024
}
