//! The catalogue as the rest of the product sees it.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{CheckId, Layer, Owner, TypeName};

use crate::check::{Check, CheckProblem, Compiled};
use crate::format::{FrameworkFile, Objective, Responsibility, ServiceFile, TypeFolder};
use crate::kind::Kind;
use crate::load::Problem;
use crate::pack::Pack;

/// All that is known, indexed.
#[derive(Debug)]
pub struct Catalogue {
    kinds: BTreeMap<TypeName, Arc<Kind>>,
    checks: BTreeMap<CheckId, Check>,
    by_type: BTreeMap<TypeName, Vec<CheckId>>,
    aliases: BTreeMap<String, CheckId>,
    services: BTreeMap<String, ServiceFile>,
    objectives: BTreeMap<String, Objective>,
    frameworks: BTreeMap<String, FrameworkFile>,
    responsibilities: Vec<Responsibility>,
    detections: BTreeMap<String, String>,
    folders: Vec<TypeFolder>,
}

impl Catalogue {
    /// Indexes a pack. Expressions are compiled later, each when it is first needed.
    pub fn new(pack: Pack) -> Result<Catalogue, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut wrong = |path: String, message: String, help: Option<String>| {
            problems.push(Problem { path, line: 0, column: 0, message, help });
        };
        let mut kinds = BTreeMap::new();
        let mut folders = BTreeMap::new();
        for folder in &pack.types {
            match Kind::new(&folder.folder, &folder.file) {
                Ok(kind) => {
                    folders.insert(folder.folder.clone(), kind.type_name.clone());
                    if let Some(twin) = kinds.insert(kind.type_name.clone(), Arc::new(kind)) {
                        wrong(format!("{}/type.toml", folder.folder), format!("`{}` has the same type", twin.folder), None);
                    }
                }
                Err(message) => wrong(format!("{}/type.toml", folder.folder), message, None),
            }
        }
        let mut checks = BTreeMap::new();
        let mut by_type: BTreeMap<TypeName, Vec<CheckId>> = BTreeMap::new();
        let mut aliases = BTreeMap::new();
        for entry in pack.checks {
            let path = format!("{}/checks/{}.toml", entry.folder, entry.id);
            let Some(type_name) = folders.get(&entry.folder) else {
                let near = expr::nearest(&entry.folder, folders.keys().map(String::as_str));
                let help = near.map(|near| format!("did you mean `{near}`?"));
                wrong(path, "there is no readable type.toml above it".to_owned(), help);
                continue;
            };
            by_type.entry(type_name.clone()).or_default().push(entry.id.clone());
            for alias in &entry.file.aliases {
                aliases.insert(alias.clone(), entry.id.clone());
            }
            let check = Check::new(entry.id.clone(), entry.folder, type_name.clone(), entry.file);
            if checks.insert(entry.id, check).is_some() {
                wrong(path, "another check has the same id".to_owned(), None);
            }
        }
        by_type.values_mut().for_each(|ids| ids.sort());
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Catalogue {
            kinds,
            checks,
            by_type,
            aliases,
            services: pack.services,
            objectives: pack.objectives,
            frameworks: pack.frameworks,
            responsibilities: pack.responsibilities,
            detections: pack.detections,
            folders: pack.types,
        })
    }

    /// The type with this name.
    pub fn kind(&self, type_name: &TypeName) -> Option<&Kind> {
        self.kinds.get(type_name).map(|k| &**k)
    }

    /// Every type as its folder has it, with how it is collected.
    pub fn folders(&self) -> &[TypeFolder] {
        &self.folders
    }

    /// Every type, in name order.
    pub fn kinds(&self) -> impl Iterator<Item = &Kind> {
        self.kinds.values().map(|k| &**k)
    }

    /// The check with this id or former id.
    pub fn check(&self, id: &str) -> Option<&Check> {
        let id = CheckId::new(id).ok()?;
        self.checks.get(&id).or_else(|| self.checks.get(self.aliases.get(id.as_str())?))
    }

    /// Every check, in id order.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        self.checks.values()
    }

    /// The checks of a type, in id order.
    pub fn checks_of(&self, type_name: &TypeName) -> impl Iterator<Item = &Check> {
        self.by_type.get(type_name).into_iter().flatten().filter_map(|id| self.checks.get(id))
    }

    /// A check's compiled expressions.
    pub fn compiled<'a>(&'a self, check: &'a Check) -> Result<&'a Compiled, &'a [CheckProblem]> {
        check.compiled(&self.kinds)
    }

    /// The service of a type's folder.
    pub fn service(&self, kind: &Kind) -> Option<&ServiceFile> {
        self.services.get(&kind.service)
    }

    /// Objective id to objective.
    pub fn objectives(&self) -> &BTreeMap<String, Objective> {
        &self.objectives
    }

    /// Framework id to framework.
    pub fn frameworks(&self) -> &BTreeMap<String, FrameworkFile> {
        &self.frameworks
    }

    /// The table of who owns which layer.
    pub fn responsibilities(&self) -> &[Responsibility] {
        &self.responsibilities
    }

    /// Path to text of the detections.
    pub fn detections(&self) -> &BTreeMap<String, String> {
        &self.detections
    }

    /// The row of the responsibility table for a type: the one its file or service names, else the first with its prefix.
    pub fn responsibility(&self, type_name: &TypeName) -> Option<&Responsibility> {
        let row = |name: &str| self.responsibilities.iter().find(|r| r.service == name);
        let named = self.kind(type_name).and_then(|kind| {
            let service = self.service(kind).map(|s| s.responsibility.as_str());
            row(kind.file.responsibility.as_deref().or(service)?)
        });
        named.or_else(|| self.responsibilities.iter().find(|r| r.prefix.as_deref() == Some(type_name.service())))
    }

    /// Who owns a layer of a type; `None` if the type's service is not in the table.
    pub fn owner(&self, type_name: &TypeName, layer: Layer) -> Option<Owner> {
        self.responsibility(type_name).map(|r| r.owner(layer))
    }
}
