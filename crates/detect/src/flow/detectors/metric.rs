//! Custom metric alarms as findings.

use crate::flow::detector::Rule;
use crate::flow::finding::{Finding, measured};
use crate::flow::judge::Setup;
use crate::flow::view::View;

/// One finding each time that an alarm fired.
pub(crate) fn fired(view: &View<'_>, rule: &Rule<'_>, _: &Setup<'_>) -> Vec<Finding> {
    let mut findings = vec![];
    for metric in &view.fold.metrics {
        for firing in metric.firings() {
            let what = format!("{} of `{}`", metric.alarm.field, metric.alarm.name);
            let mut finding = Finding::blank(rule, measured(what, firing.value, firing.threshold));
            finding.severity = metric.alarm.severity.unwrap_or(finding.severity);
            finding.actor = firing.key.parse::<std::net::IpAddr>().ok().map(Into::into);
            finding.first = firing.from;
            finding.last = firing.until.unwrap_or_else(|| view.fold.span.map_or(firing.from, |(_, last)| last.max(firing.from)));
            finding.lines = firing.origin.into_iter().collect();
            if !firing.key.is_empty() {
                finding.notes.push(format!("{} = {}", metric.alarm.by.join(" "), firing.key));
            }
            findings.push(finding);
        }
    }
    findings
}
