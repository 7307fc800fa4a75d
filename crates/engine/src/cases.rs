//! Runs the cases that stand beside each check: small changes to the type's good sample, with the verdict they must give.
//!
//! Beside the written cases, every failing case is run again with each property that the check reads made unreadable: the
//! answer may stay `fail` or become `unknown`; it may never become `pass`.

use catalogue::format::Case;
use catalogue::{Catalogue, Check, Loaded, Logic};
use jiff::Timestamp;
use model::{
    Finding, Gap, GapReason, Map, Reason, Resource, ScopeIndex, Snapshot, SourceKind, Text, TypeName, Value, Verdict, from_json,
};

use crate::config::Config;
use crate::scan::scan;

/// The id that the resource under test has in its cases.
const SELF: &str = "self";
/// The time of a case that names none.
const NOW: &str = "2026-06-01T00:00:00Z";

/// A case that did not give what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFailure {
    /// The cases' file.
    pub path: String,
    /// The case's name.
    pub case: String,
    /// What was expected, what came, and on what resource.
    pub message: String,
}

impl std::fmt::Display for CaseFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: `{}`: {}", self.path, self.case, self.message)
    }
}

/// Runs every case of `loaded` against `catalogue`, which was made from it. Returns the failures and how many cases ran.
pub fn run_cases(loaded: &Loaded, catalogue: &Catalogue) -> (Vec<CaseFailure>, usize) {
    let mut failures = Vec::new();
    let mut ran = 0;
    for (id, (path, file)) in &loaded.cases {
        let Some(check) = catalogue.check(id.as_str()) else { continue };
        for case in &file.cases {
            ran += 1;
            let outcome = sample(loaded, check).and_then(|sample| Trial { catalogue, check, case }.run(&sample));
            if let Err(message) = outcome {
                failures.push(CaseFailure { path: path.clone(), case: case.name.clone(), message });
            }
        }
    }
    (failures, ran)
}

/// The good sample of the check's type.
fn sample(loaded: &Loaded, check: &Check) -> Result<Map, String> {
    let path = format!("{}/sample/resource.json", check.folder);
    let text = loaded.samples.get(&path).ok_or_else(|| format!("`{path}` is missing"))?;
    let json = serde_json::from_str(text).map_err(|e| format!("`{path}`: {e}"))?;
    match marked(&json) {
        Value::Map(map) => Ok(map),
        _ => Err(format!("`{path}` is not an object")),
    }
}

struct Trial<'a> {
    catalogue: &'a Catalogue,
    check: &'a Check,
    case: &'a Case,
}

impl Trial<'_> {
    fn run(&self, sample: &Map) -> Result<(), String> {
        let mut props = sample.clone();
        for path in &self.case.unset {
            edit(&mut props, path, None)?;
        }
        for (path, value) in &self.case.set {
            edit(&mut props, path, Some(marked(value)))?;
        }
        for path in &self.case.unknown {
            edit(&mut props, path, Some(Value::unknown(Reason::AccessDenied, path)))?;
        }
        let found = self.judge(&props)?;
        let said = found.as_ref().map_or("none", |f| f.verdict.name());
        if said != self.case.verdict {
            let message = found.map_or_else(String::new, |f| format!(": {}", f.message));
            return Err(format!("expected {}, got {said}{message}\n{}", self.case.verdict, shown(&props)));
        }
        if let (Some(wanted), Some(finding)) = (&self.case.message, &found)
            && !finding.message.contains(wanted.as_str())
        {
            return Err(format!("expected a message with `{wanted}`, got `{}`", finding.message));
        }
        if let (Some(wanted), Some(finding)) = (self.case.severity, &found)
            && finding.severity != wanted
        {
            return Err(format!("expected severity {}, got {}", wanted.name(), finding.severity.name()));
        }
        if said == "fail" { self.unreadable(&props) } else { Ok(()) }
    }

    /// Every property that decides, made unreadable: never a pass.
    fn unreadable(&self, props: &Map) -> Result<(), String> {
        let Ok(compiled) = self.catalogue.compiled(self.check) else { return Ok(()) };
        let Logic::Expression(program) = &compiled.logic else { return Ok(()) };
        for path in program.reads() {
            let root = path.split(['.', '[']).next().unwrap_or(path);
            let mut changed = props.clone();
            changed.insert(root, Value::unknown(Reason::AccessDenied, root));
            if let Some(finding) = self.judge(&changed)?
                && finding.verdict == Verdict::Pass
            {
                return Err(format!("it passes when `{root}` could not be read"));
            }
        }
        Ok(())
    }

    fn judge(&self, props: &Map) -> Result<Option<Finding>, String> {
        let mut snapshot = Snapshot::default();
        // A live account, because it has every fact, unless the check is about code.
        let kind = if self.check.file.code_only { SourceKind::CloudFormation } else { SourceKind::Live };
        let scope = snapshot.add_scope("case", kind);
        let mut resource = Resource::new(SELF, self.check.type_name.clone(), scope);
        resource.props = props.clone();
        resource.account = model::AccountId::new("123456789012").ok();
        resource.region = model::Region::new("eu-central-1").ok();
        snapshot.resources.push(resource);
        for beside in &self.case.beside {
            let type_name = TypeName::new(&beside.type_name).map_err(|e| e.to_string())?;
            snapshot.resources.push(neighbour(&beside.id, type_name, scope, &beside.props));
        }
        for type_name in &self.case.unread {
            let mut gap = Gap::new(format!("every {type_name}"), GapReason::Denied, "made by the case");
            gap.type_name = Some(TypeName::new(type_name).map_err(|e| e.to_string())?);
            snapshot.gaps.push(gap);
        }
        let mut config = Config { inline_suppressions: true, passes: true, ..Config::default() };
        config.filter.checks = vec![self.check.id.to_string()];
        if !self.case.params.is_empty() {
            config.params.insert(self.check.id.to_string(), self.case.params.clone());
        }
        let now: Timestamp = match &self.case.now {
            Some(day) => format!("{day}T00:00:00Z").parse(),
            None => NOW.parse(),
        }
        .map_err(|e: jiff::Error| e.to_string())?;
        let outcome = scan(&snapshot, self.catalogue, &config, now);
        if let Some(gap) = outcome.gaps.iter().find(|g| g.what.starts_with("check `")) {
            return Err(gap.detail.clone());
        }
        Ok(outcome.findings.into_iter().find(|f| &*f.resource.id == SELF && f.resource.type_name == self.check.type_name))
    }
}

fn neighbour(id: &str, type_name: TypeName, scope: ScopeIndex, props: &serde_json::Value) -> Resource {
    let mut resource = Resource::new(id, type_name, scope);
    if let Value::Map(map) = marked(props) {
        resource.props = map;
    }
    resource
}

/// JSON in which `{"$link": "Id.Attr"}` and `{"$unknown": "what"}` stand for what JSON cannot say.
fn marked(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Object(members) => {
            let only = members.iter().next().filter(|_| members.len() == 1);
            match only {
                Some((key, serde_json::Value::String(text))) if key == "$link" => {
                    let (target, attr) = text.split_once('.').unwrap_or((text, ""));
                    Value::link(target, attr)
                }
                Some((key, serde_json::Value::String(text))) if key == "$unknown" => {
                    Value::unknown_present(Reason::NoDefaultParameter, text)
                }
                _ => Value::Map(members.iter().map(|(k, v)| (Text::from(k.as_str()), marked(v))).collect()),
            }
        }
        serde_json::Value::Array(items) => Value::List(items.iter().map(marked).collect()),
        other => from_json(other),
    }
}

/// Sets, or with `None` takes out, the value at `A.B[0].C`; missing maps on the way are made.
fn edit(props: &mut Map, path: &str, value: Option<Value>) -> Result<(), String> {
    let mut steps: Vec<String> = Vec::new();
    for part in path.split('.') {
        let mut pieces = part.split('[');
        steps.extend(pieces.next().filter(|p| !p.is_empty()).map(str::to_owned));
        steps.extend(pieces.map(|p| format!("[{}", p.trim_end_matches(']'))));
    }
    let mut root = Value::Map(std::mem::take(props));
    let edited = place(&mut root, &steps, value);
    if let Value::Map(map) = root {
        *props = map;
    }
    edited.map_err(|step| format!("`{path}`: there is no `{step}` to change"))
}

fn place(at: &mut Value, steps: &[String], value: Option<Value>) -> Result<(), String> {
    let Some((step, rest)) = steps.split_first() else {
        *at = value.unwrap_or_default();
        return Ok(());
    };
    if let Some(index) = step.strip_prefix('[') {
        let Value::List(items) = at else { return Err(step.clone()) };
        let index: usize = index.parse().map_err(|_| step.clone())?;
        if index == items.len() && value.is_some() {
            items.push(Value::Null);
        }
        if rest.is_empty() && value.is_none() && index < items.len() {
            items.remove(index);
            return Ok(());
        }
        return place(items.get_mut(index).ok_or_else(|| step.clone())?, rest, value);
    }
    if at.is_null() && value.is_some() {
        *at = Value::Map(Map::new());
    }
    let Value::Map(map) = at else { return Err(step.clone()) };
    if value.is_none() {
        return match map.get_mut(step) {
            None => Err(step.clone()),
            Some(_) if rest.is_empty() => {
                map.remove(step);
                Ok(())
            }
            Some(inner) => place(inner, rest, value),
        };
    }
    place(map.entry(step), rest, value)
}

fn shown(props: &Map) -> String {
    serde_json::to_string_pretty(&model::to_json(&Value::Map(props.clone()))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_reach_into_lists_and_make_what_is_missing() {
        let Value::Map(mut props) = marked(&serde_json::json!({ "A": [{ "B": 1 }] })) else { panic!() };
        edit(&mut props, "A[0].B", Some(Value::Int(2))).unwrap();
        edit(&mut props, "A[1].B", Some(Value::Int(3))).unwrap();
        edit(&mut props, "C.D", Some(Value::Bool(true))).unwrap();
        assert_eq!(
            model::to_json(&Value::Map(props.clone())),
            serde_json::json!({ "A": [{ "B": 2 }, { "B": 3 }], "C": { "D": true } })
        );
        edit(&mut props, "A[0]", None).unwrap();
        assert_eq!(props.get("A").and_then(Value::as_list).map(<[_]>::len), Some(1));
        assert!(edit(&mut props, "X.Y", None).is_err());
    }
}
