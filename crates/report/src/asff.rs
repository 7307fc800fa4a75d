//! The AWS Security Finding Format as `BatchImportFindings` takes it: one document with all findings. The call takes at most
//! 100 of them and 6 MB at once; cutting the list is the importer's work.
//!
//! Security Hub refuses a finding that breaks a length (API reference, `AwsSecurityFinding`), so every text is cut to its
//! limit, counted in bytes, and cleaned of control characters. Where the account or the Region is not known, as in a template,
//! [`ACCOUNT`] and [`REGION`] stand in for them; whoever imports the findings puts the true ones there.
//!
//! Absent on purpose: the details of each resource type, which Security Hub reads from the account itself.

use catalogue::Check;
use model::{Finding, Gap, Pillar, Severity, Verdict};
use serde_json::{Map, Value, json};

use crate::ocsf::gap_uid;
use crate::standard::{partition, reasons, requirements};
use crate::{Report, printable};

mod resource_type;

/// Stands for an account that is not known.
const ACCOUNT: &str = "000000000000";
/// Stands for a Region that is not known.
const REGION: &str = "REGION";

const ID_BYTES_MAX: usize = 512;
const TITLE_BYTES_MAX: usize = 256;
const DESCRIPTION_BYTES_MAX: usize = 1024;
const RECOMMENDATION_BYTES_MAX: usize = 512;
const URL_BYTES_MAX: usize = 2048;
const NOTE_BYTES_MAX: usize = 512;
const REQUIREMENT_BYTES_MAX: usize = 64;
const REQUIREMENTS_MAX: usize = 32;
const FIELD_NAME_BYTES_MAX: usize = 128;
const FIELD_VALUE_BYTES_MAX: usize = 1024;
const FIELDS_MAX: usize = 50;

/// The report as `{"Findings": [...]}`.
pub fn asff(report: &Report<'_>) -> String {
    let mut findings: Vec<Value> = report.shown().map(|f| finding(report, f)).collect();
    findings.extend(report.outcome.gaps.iter().filter(|g| g.matters).map(|g| unread(report, g)));
    serde_json::to_string_pretty(&json!({ "Findings": findings })).unwrap_or_default() + "\n"
}

/// Where a finding is, as Security Hub wants it.
struct Place<'a> {
    account: &'a str,
    region: Option<&'a str>,
    partition: &'static str,
}

impl Place<'_> {
    /// The product that custom findings of an account go to.
    fn product_arn(&self) -> String {
        let Place { account, region, partition } = self;
        format!("arn:{partition}:securityhub:{}:{account}:product/{account}/default", region.unwrap_or(REGION))
    }
}

fn finding(report: &Report<'_>, finding: &Finding) -> Value {
    let check = report.catalogue.check(finding.check.as_str());
    let place = Place {
        account: finding.resource.account.as_ref().map_or(ACCOUNT, |a| a.as_str()),
        region: finding.resource.region.as_ref().map(|r| r.as_str()),
        partition: partition(finding).unwrap_or("aws"),
    };
    let time = report.meta.time.as_str();
    let (compliance, workflow) = match (finding.verdict, &finding.suppression) {
        (Verdict::Pass, _) => ("PASSED", "RESOLVED"),
        (Verdict::Fail, None) => ("FAILED", "NEW"),
        (Verdict::Fail, Some(_)) => ("FAILED", "SUPPRESSED"),
        (Verdict::Unknown, None) => ("WARNING", "NEW"),
        (Verdict::Unknown, Some(_)) => ("WARNING", "SUPPRESSED"),
    };
    let mut requirements = requirements(&finding.same_as);
    requirements.truncate(REQUIREMENTS_MAX);
    let requirements: Vec<String> = requirements.iter().map(|r| limited(r, REQUIREMENT_BYTES_MAX)).collect();
    let title = check.map_or(finding.check.as_str(), |c| c.file.title.as_str());
    let mut written = json!({
        "SchemaVersion": "2018-10-08",
        "Id": format!("palisade/{}", finding.fingerprint),
        "ProductArn": place.product_arn(),
        "GeneratorId": limited(&format!("palisade/{}", finding.check), ID_BYTES_MAX),
        "AwsAccountId": place.account,
        "Types": [kind(finding.pillar)],
        "CreatedAt": time,
        "UpdatedAt": time,
        "Severity": severity(finding.severity),
        "Title": limited(title, TITLE_BYTES_MAX),
        "Description": limited(&finding.message, DESCRIPTION_BYTES_MAX),
        "ProductFields": fields(finding),
        "Resources": [resource(finding, &place)],
        "Compliance": { "Status": compliance },
        "Workflow": { "Status": workflow },
        "RecordState": "ACTIVE",
    });
    if let Value::Object(written) = &mut written {
        if let (false, Some(Value::Object(compliance))) = (requirements.is_empty(), written.get_mut("Compliance")) {
            compliance.insert("RelatedRequirements".to_owned(), requirements.into());
        }
        if let Some(check) = check {
            written.insert("Remediation".to_owned(), remediation(check));
        }
        if let Some(suppression) = &finding.suppression {
            let by = suppression.owner.as_deref().unwrap_or(&suppression.by);
            let text = limited(&suppression.reason, NOTE_BYTES_MAX);
            let note = json!({ "Text": text, "UpdatedBy": limited(by, NOTE_BYTES_MAX), "UpdatedAt": time });
            written.insert("Note".to_owned(), note);
        }
    }
    written
}

fn resource(finding: &Finding, place: &Place<'_>) -> Value {
    let of = &finding.resource;
    let mut other = Map::new();
    other.insert("Type".to_owned(), limited(of.type_name.as_str(), FIELD_VALUE_BYTES_MAX).into());
    if let Some(name) = &of.name {
        other.insert("Name".to_owned(), limited(name, FIELD_VALUE_BYTES_MAX).into());
    }
    if let Some(file) = &of.file {
        other.insert("File".to_owned(), limited(file, FIELD_VALUE_BYTES_MAX).into());
    }
    if let Some(span) = of.span {
        other.insert("Line".to_owned(), span.line.to_string().into());
    }
    let mut written = json!({
        "Type": resource_type::of(&of.type_name),
        "Id": limited(&of.id, ID_BYTES_MAX),
        "Partition": place.partition,
        "Details": { "Other": other },
    });
    if let (Some(region), Value::Object(written)) = (place.region, &mut written) {
        written.insert("Region".to_owned(), region.into());
    }
    written
}

fn remediation(check: &Check) -> Value {
    let mut recommendation = Map::new();
    recommendation.insert("Text".to_owned(), limited(&check.file.fix.text, RECOMMENDATION_BYTES_MAX).into());
    if let Some(url) = check.file.refs.first().filter(|url| url.len() <= URL_BYTES_MAX) {
        recommendation.insert("Url".to_owned(), url.as_str().into());
    }
    json!({ "Recommendation": recommendation })
}

/// What the format has no place for, at most [`FIELDS_MAX`] pairs.
fn fields(finding: &Finding) -> Map<String, Value> {
    let mut pairs = vec![
        ("palisade/layer".to_owned(), finding.layer.name().to_owned()),
        ("palisade/pillar".to_owned(), finding.pillar.name().to_owned()),
        ("palisade/confidence".to_owned(), finding.confidence.name().to_owned()),
    ];
    pairs.extend(reasons(finding).map(|r| ("palisade/reason".to_owned(), r)));
    if let Some(expires) = finding.suppression.as_ref().and_then(|s| s.expires.as_ref()) {
        pairs.push(("palisade/accepted-until".to_owned(), expires.clone()));
    }
    pairs.extend(finding.same_as.iter().map(|(list, ids)| (format!("palisade/same-as/{list}"), ids.join(" "))));
    pairs.extend(finding.evidence.iter().map(|e| (format!("palisade/evidence/{}", e.path), e.value.to_string())));
    let mut fields = Map::new();
    for (name, value) in pairs {
        if fields.len() < FIELDS_MAX {
            fields.insert(limited(&name, FIELD_NAME_BYTES_MAX), limited(&value, FIELD_VALUE_BYTES_MAX).into());
        }
    }
    fields
}

/// What matters and could not be read is a finding too: nobody can say what is in there.
fn unread(report: &Report<'_>, gap: &Gap) -> Value {
    let region = gap.region.as_ref();
    let place = Place {
        account: gap.account.as_ref().map_or(ACCOUNT, |a| a.as_str()),
        region: region.map(|r| r.as_str()),
        partition: region.map_or("aws", |r| r.partition().name()),
    };
    let mut text = format!("{}: {}", gap.what, gap.detail);
    if let Some(help) = &gap.help {
        text.push_str("; ");
        text.push_str(help);
    }
    let subject = gap.file.as_deref().unwrap_or(&gap.what);
    json!({
        "SchemaVersion": "2018-10-08",
        "Id": gap_uid(gap),
        "ProductArn": place.product_arn(),
        "GeneratorId": "palisade/palisade-gap",
        "AwsAccountId": place.account,
        "Types": ["Software and Configuration Checks"],
        "CreatedAt": report.meta.time,
        "UpdatedAt": report.meta.time,
        "Severity": severity(Severity::Info),
        "Title": "Palisade could not read something that matters",
        "Description": limited(&text, DESCRIPTION_BYTES_MAX),
        "Resources": [{ "Type": "Other", "Id": limited(subject, ID_BYTES_MAX), "Partition": place.partition }],
        "Compliance": { "Status": "WARNING" },
        "Workflow": { "Status": "NEW" },
        "RecordState": "ACTIVE",
    })
}

/// ASFF's types taxonomy.
fn kind(pillar: Pillar) -> &'static str {
    match pillar {
        Pillar::Security => "Software and Configuration Checks/AWS Security Best Practices",
        _ => "Software and Configuration Checks",
    }
}

fn severity(severity: Severity) -> Value {
    let label = match severity {
        Severity::Info => "INFORMATIONAL",
        Severity::Low => "LOW",
        Severity::Medium => "MEDIUM",
        Severity::High => "HIGH",
        Severity::Critical => "CRITICAL",
    };
    json!({ "Label": label, "Original": severity.name() })
}

/// One line of at most `bytes_max` bytes, cut between characters with an ellipsis, never empty.
fn limited(text: &str, bytes_max: usize) -> String {
    const ELLIPSIS: char = '…';
    let clean = printable(text.trim());
    if clean.is_empty() {
        return "-".to_owned();
    }
    if clean.len() <= bytes_max {
        return clean.into_owned();
    }
    let room = bytes_max.saturating_sub(ELLIPSIS.len_utf8());
    let fits = clean.char_indices().take_while(|(at, c)| at + c.len_utf8() <= room);
    fits.map(|(_, c)| c).chain([ELLIPSIS]).collect()
}

#[cfg(test)]
mod tests {
    use super::limited;

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(limited("abcdef", 6), "abcdef");
        assert_eq!(limited("abcdefg", 6), "abc…");
        assert_eq!(limited("äöüß", 7), "äö…");
        assert_eq!(limited(" \n", 7), "-");
        assert_eq!(limited("a\u{1b}[1m", 99), "a\u{FFFD}[1m");
    }
}
