//! Every type's samples: the template, the plan and the API's answers (`sample/api`) give one and the same resource, the one
//! that `sample/resource.json` shows; an API need not tell every property. What the API alone tells, or tells in more detail
//! than a template says it, stands in `sample/live.json`. One trial a file or folder, named by its path.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use catalogue::Catalogue;
use libtest_mimic::{Arguments, Failed, Trial};
use model::{Snapshot, Value, to_json};

fn main() {
    let args = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalogue");
    let mut trials = Vec::new();
    for service in folders(&root.join("aws")) {
        for kind in folders(&service) {
            let golden = kind.join("sample/resource.json");
            let api = kind.join("sample/api");
            if api.is_dir() && (golden.exists() || golden.with_file_name("live.json").exists()) {
                let name = api.strip_prefix(&root).unwrap_or(&api).display().to_string();
                let (golden, kind) = (golden.clone(), kind.clone());
                trials.push(Trial::test(name, move || answers_agree(&kind, &api, &golden)));
            }
            for source in ["stack.cfn.yaml", "plan.tf.json"] {
                let path = kind.join("sample").join(source);
                if path.exists() && golden.exists() {
                    let name = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
                    let (golden, kind) = (golden.clone(), kind.clone());
                    trials.push(Trial::test(name, move || agrees(&kind, &path, &golden)));
                }
            }
        }
    }
    libtest_mimic::run(&args, trials).exit();
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = entries.map(|e| e.path()).filter(|p| p.is_dir()).collect();
    folders.sort();
    folders
}

fn agrees(kind: &Path, path: &Path, golden: &Path) -> Result<(), Failed> {
    let catalogue = catalogue::built_in();
    let folder = kind.to_string_lossy().replace('\\', "/");
    let kind = catalogue.kinds().find(|k| folder.ends_with(&k.folder)).ok_or("there is no readable type.toml")?;
    let expected: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(golden)?)?;
    let snapshot = read(path, &catalogue);
    let wanted = |r: &&model::Resource| r.type_name == kind.type_name && r.id.to_lowercase().contains("sample");
    let sample = snapshot.resources.iter().find(wanted);
    let sample = sample.ok_or_else(|| format!("no {} called `Sample`; gaps: {:?}", kind.type_name, snapshot.gaps))?;
    let found = to_json(&Value::Map(sample.props.clone()));
    if found != expected {
        let show = |v: &serde_json::Value| serde_json::to_string_pretty(v).unwrap_or_default();
        return Err(format!("expected\n{}\nfound\n{}", show(&expected), show(&found)).into());
    }
    Ok(())
}

/// What the answers tell of the sample is what the golden says.
fn answers_agree(folder: &Path, api: &Path, golden: &Path) -> Result<(), Failed> {
    let catalogue = catalogue::built_in();
    let folder = folder.to_string_lossy().replace('\\', "/");
    let kind = catalogue.kinds().find(|k| folder.ends_with(&k.folder)).ok_or("there is no readable type.toml")?;
    let plan = aws::Plan::new(catalogue.folders())?.only(&[kind.type_name.clone()].into());
    let mut expected: serde_json::Value = match golden.exists() {
        true => serde_json::from_str(&std::fs::read_to_string(golden)?)?,
        false => serde_json::json!({}),
    };
    let live = golden.with_file_name("live.json");
    let live: serde_json::Map<String, serde_json::Value> = match live.exists() {
        true => serde_json::from_str(&std::fs::read_to_string(live)?)?,
        false => serde_json::Map::new(),
    };
    let region = expected.get("Region").and_then(|r| r.as_str()).unwrap_or("eu-west-1").to_owned();
    expected.as_object_mut().ok_or("the golden is no object")?.extend(live.clone());
    // The answers about single items lie in a folder that names the item.
    let names: Vec<&str> = expected.as_object().into_iter().flat_map(|o| o.values()).filter_map(|v| v.as_str()).collect();
    let mut answers = aws::Answers::new(&plan);
    for entry in std::fs::read_dir(api)? {
        let path = entry?.path();
        let document = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        answers.add(&format!("123456789012/{region}/{}/{name}", names.join(" ")), &document);
    }
    let snapshot = answers.finish("sample");
    // An authentic answer has more in it than the sample: a default route, the root user's row.
    let all = snapshot.resources.iter().filter(|r| r.type_name == kind.type_name);
    let differences = all.map(|sample| differences(sample, &expected, &live)).min_by_key(Vec::len);
    match differences {
        None => Err(format!("no {}; gaps: {:?}", kind.type_name, snapshot.gaps).into()),
        Some(wrong) if wrong.is_empty() => Ok(()),
        Some(wrong) => Err(wrong.join("\n").into()),
    }
}

/// Where what the answers tell of a resource is not what it should be.
fn differences(
    sample: &model::Resource,
    expected: &serde_json::Value,
    live: &serde_json::Map<String, serde_json::Value>,
) -> Vec<String> {
    let told = || sample.props.iter().filter(|(_, v)| !v.is_null() && !v.has_unknown());
    let mut wrong: Vec<String> = told()
        .map(|(key, value)| (key, to_json(value), expected.get(&**key).unwrap_or(&serde_json::Value::Null)))
        .filter(|(_, found, wanted)| found != *wanted)
        .map(|(key, found, wanted)| format!("{key}: expected {wanted}, found {found}"))
        .collect();
    let stale = live.keys().filter(|key| !told().any(|(k, _)| **k == ***key));
    wrong.extend(stale.map(|key| format!("{key}: stands in live.json, and no answer tells it")));
    if told().next().is_none() {
        wrong.push("the answers tell nothing".to_owned());
    }
    wrong
}

fn read(path: &Path, catalogue: &Catalogue) -> Snapshot {
    let mapping = iac::terraform::Mapping::of(catalogue);
    let make: iac::MakeMapping = Box::new(move || mapping);
    iac::read_paths(&[path.to_owned()], &iac::Options { mapping: Arc::new(LazyLock::new(make)), ..iac::Options::default() })
}
