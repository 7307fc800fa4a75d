//! Every type's samples: the template, the plan and the API's answers (`sample/api`) give one and the same resource, the one
//! that `sample/resource.json` shows; an API need not tell every property. One trial a file or folder, named by its path.

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
            if api.is_dir() && golden.exists() {
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
    let expected: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(golden)?)?;
    // The answers about single items lie in a folder that names the item.
    let names: Vec<&str> = expected.as_object().into_iter().flat_map(|o| o.values()).filter_map(|v| v.as_str()).collect();
    let mut answers = aws::Answers::new(&plan);
    for entry in std::fs::read_dir(api)? {
        let path = entry?.path();
        let document = serde_json::from_str(&std::fs::read_to_string(&path)?)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        answers.add(&format!("123456789012/eu-west-1/{}/{name}", names.join(" ")), &document);
    }
    let snapshot = answers.finish("sample");
    let sample = snapshot.resources.iter().find(|r| r.type_name == kind.type_name);
    let sample = sample.ok_or_else(|| format!("no {}; gaps: {:?}", kind.type_name, snapshot.gaps))?;
    let told = sample.props.iter().filter(|(_, v)| !v.is_null() && !v.has_unknown());
    let mut count = 0;
    for (key, value) in told {
        let (found, wanted) = (to_json(value), expected.get(&**key).unwrap_or(&serde_json::Value::Null));
        if found != *wanted {
            return Err(format!("{key}: expected {wanted}, found {found}").into());
        }
        count += 1;
    }
    if count == 0 { Err("the answers tell nothing".into()) } else { Ok(()) }
}

fn read(path: &Path, catalogue: &Catalogue) -> Snapshot {
    let mapping = iac::terraform::Mapping::of(catalogue);
    let make: iac::MakeMapping = Box::new(move || mapping);
    iac::read_paths(&[path.to_owned()], &iac::Options { mapping: Arc::new(LazyLock::new(make)), ..iac::Options::default() })
}
