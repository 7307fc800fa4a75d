//! A detector's file: words and parameters. The rule itself is native code that the file names.

use std::collections::BTreeMap;

use logs::flow::{Address, Field};
use model::{Confidence, Severity};
use serde::Deserialize;

use super::judge::{Native, native};

/// A parameter's value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A number.
    Number(u64),
    /// A list of numbers, such as ports.
    Numbers(Vec<u64>),
    /// A list of texts, such as address blocks.
    Texts(Vec<String>),
}

/// A parameter with what it means.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The value unless somebody sets another one.
    pub value: Value,
    /// What it means, with its unit.
    pub means: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DetectorFile {
    title: String,
    detector: String,
    severity: Severity,
    confidence: Confidence,
    message: String,
    why: String,
    #[serde(default)]
    technique: Vec<String>,
    #[serde(default)]
    tactic: Vec<String>,
    #[serde(default)]
    guardduty: Vec<String>,
    needs: Vec<String>,
    #[serde(default)]
    needs_input: Vec<String>,
    #[serde(default)]
    improves: BTreeMap<String, String>,
    next: Vec<String>,
    runbook: String,
    #[serde(default)]
    parameters: BTreeMap<String, Parameter>,
}

/// What a detector may need beside the log's fields.
pub const INPUTS: &[&str] = &["inventory", "network", "state", "threat-list", "alarms"];

/// A detector: words, what it needs, parameters, and the native code that it names.
#[derive(Clone)]
pub struct Detector {
    /// Its id: the file's name.
    pub id: String,
    /// One line.
    pub title: String,
    /// How bad.
    pub severity: Severity,
    /// How sure.
    pub confidence: Confidence,
    /// What was seen, with `{actor}`, `{targets}`, `{ports}`, `{observed}`, `{threshold}`, `{measure}`.
    pub message: String,
    /// Why it matters.
    pub why: String,
    /// ATT&CK techniques.
    pub technique: Vec<String>,
    /// ATT&CK tactics.
    pub tactic: Vec<String>,
    /// GuardDuty finding types that correspond.
    pub guardduty: Vec<String>,
    /// Fields without which it can't judge.
    pub needs: Vec<Field>,
    /// Inputs without which it can't judge, of [`INPUTS`].
    pub needs_input: Vec<String>,
    /// Fields and inputs that make it better, and how.
    pub improves: BTreeMap<String, String>,
    /// What to look at next.
    pub next: Vec<String>,
    /// What to do.
    pub runbook: String,
    /// Parameters.
    pub parameters: BTreeMap<String, Parameter>,
    pub(crate) native: Native,
}

/// Reads a detector's file. The error is one line that names the file.
pub fn parse_detector(path: &str, text: &str) -> Result<Detector, String> {
    let file: DetectorFile = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| text.get(..span.start).unwrap_or(text).matches('\n').count() + 1);
        format!("{path}:{line}: {}", error.message().replace('\n', ", "))
    })?;
    let id = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".toml").to_owned();
    let native = native(&file.detector).ok_or_else(|| format!("{path}: `{}` is not a detector", file.detector))?;
    let mut needs = vec![];
    for name in &file.needs {
        needs.push(Field::from_name(name).ok_or_else(|| format!("{path}: `{name}` is not a field of flow logs"))?);
    }
    if let Some(input) = file.needs_input.iter().find(|input| !INPUTS.contains(&input.as_str())) {
        return Err(format!("{path}: `{input}` is not an input; those are {}", INPUTS.join(", ")));
    }
    Ok(Detector {
        id,
        title: file.title,
        severity: file.severity,
        confidence: file.confidence,
        message: file.message,
        why: file.why,
        technique: file.technique,
        tactic: file.tactic,
        guardduty: file.guardduty,
        needs,
        needs_input: file.needs_input,
        improves: file.improves,
        next: file.next,
        runbook: file.runbook,
        parameters: file.parameters,
        native,
    })
}

/// Other values for the parameters of a detector, for everything or for some targets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tuning {
    /// The detector's id.
    pub detector: String,
    /// The block of targets it holds for; `None` for all.
    pub target: Option<(Address, u8)>,
    /// Parameter to value.
    pub values: BTreeMap<String, Value>,
}

/// Why a [`Tuning`] can't be used.
pub fn check_tuning(tuning: &Tuning, detectors: &[Detector]) -> Result<(), String> {
    let Some(detector) = detectors.iter().find(|detector| detector.id == tuning.detector) else {
        return Err(format!("`{}` is not a flow log detector", tuning.detector));
    };
    for (name, value) in &tuning.values {
        let Some(parameter) = detector.parameters.get(name) else {
            let known: Vec<&str> = detector.parameters.keys().map(String::as_str).collect();
            return Err(format!("`{}` has no parameter `{name}`; it has {}", detector.id, known.join(", ")));
        };
        if std::mem::discriminant(value) != std::mem::discriminant(&parameter.value) {
            return Err(format!("`{name}` of `{}` wants a value like the default's, {:?}", detector.id, parameter.value));
        }
    }
    Ok(())
}

/// A detector with its parameters as they are set.
pub(crate) struct Rule<'a> {
    pub(crate) detector: &'a Detector,
    pub(crate) number: usize,
    tunings: Vec<&'a Tuning>,
}

impl<'a> Rule<'a> {
    pub(crate) fn new(number: usize, detector: &'a Detector, tunings: &'a [Tuning]) -> Rule<'a> {
        Rule { detector, number, tunings: tunings.iter().filter(|t| t.detector == detector.id).collect() }
    }

    fn default_of(&self, name: &str) -> Option<&Value> {
        let general = self.tunings.iter().rev().filter(|t| t.target.is_none()).find_map(|t| t.values.get(name));
        general.or_else(|| self.detector.parameters.get(name).map(|parameter| &parameter.value))
    }

    /// A number for all targets; the largest there is if the file does not set it, so that nothing reaches it.
    pub(crate) fn number(&self, name: &str) -> u64 {
        match self.default_of(name) {
            Some(Value::Number(number)) => *number,
            _ => u64::MAX,
        }
    }

    /// A number for one target.
    pub(crate) fn number_for(&self, name: &str, target: Address) -> u64 {
        let narrow = self.tunings.iter().rev().filter(|t| t.target.is_some_and(|(block, bits)| target.within(block, bits)));
        match narrow.filter_map(|t| t.values.get(name)).next() {
            Some(Value::Number(number)) => *number,
            _ => self.number(name),
        }
    }

    /// The smallest number that holds for any target.
    pub(crate) fn least(&self, name: &str) -> u64 {
        let narrow = self.tunings.iter().filter(|t| t.target.is_some()).filter_map(|t| match t.values.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        });
        narrow.fold(self.number(name), u64::min)
    }

    /// A list of ports.
    pub(crate) fn ports(&self, name: &str) -> Vec<u16> {
        match self.default_of(name) {
            Some(Value::Numbers(ports)) => ports.iter().filter_map(|port| u16::try_from(*port).ok()).collect(),
            _ => vec![],
        }
    }
}

impl Rule<'_> {
    /// A list of address blocks; what is none is left out.
    pub(crate) fn blocks(&self, name: &str) -> Vec<(Address, u8)> {
        match self.default_of(name) {
            Some(Value::Texts(texts)) => texts.iter().filter_map(|text| parse_block(text)).collect(),
            _ => vec![],
        }
    }
}

/// An address with or without the number of bits that count.
pub fn parse_block(text: &str) -> Option<(Address, u8)> {
    let net: ipnet::IpNet = match text.parse() {
        Ok(net) => net,
        Err(_) => ipnet::IpNet::from(text.parse::<std::net::IpAddr>().ok()?),
    };
    Some((Address::from(net.network()), net.prefix_len()))
}
