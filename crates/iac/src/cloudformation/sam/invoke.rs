//! `EventInvokeConfig`: what becomes of asynchronous calls, and the queues and topics that are made for it.

use model::{GapReason, Value};

use super::function::Target;
use super::made::{map, text};
use super::role::{self, Role};
use super::{Expansion, Source};

/// Makes the configuration of asynchronous calls; what the function may send to goes to `role`.
pub(crate) fn expand(cx: &mut Expansion<'_, '_, '_>, source: &Source, target: &Target, role: &mut Role) {
    let config = source.get("EventInvokeConfig");
    let mut destinations = Vec::new();
    let id = format!("{}EventInvokeConfig", source.id);
    if config.says() {
        for outcome in ["OnSuccess", "OnFailure"] {
            let part = config.get("DestinationConfig").get(outcome);
            if !part.is_set() {
                continue;
            }
            let kind = part.get("Type").text().unwrap_or_default();
            let (suffix, type_name) = match kind {
                "SQS" => ("Queue", "AWS::SQS::Queue"),
                "SNS" => ("Topic", "AWS::SNS::Topic"),
                _ => ("", ""),
            };
            let given = part.get("Destination");
            let to = match given.is_set() {
                true => given.value.clone(),
                false if suffix.is_empty() => {
                    let detail = "a destination of this type must be named";
                    cx.gap(source, Some(part), GapReason::Malformed, detail);
                    continue;
                }
                false => {
                    let made_id = format!("{id}{outcome}{suffix}");
                    let made = cx.make_at(source, &made_id, type_name, part);
                    cx.add(made);
                    if kind == "SQS" { cx.attribute(&made_id, "Arn") } else { cx.refer(&made_id) }
                }
            };
            match role::send_policy(cx, kind, &format!("{id}{outcome}"), &to) {
                Some(policy) => role.push(policy, part),
                None => cx.gap(source, Some(part), GapReason::Malformed, "this is no type of destination"),
            }
            destinations.push((outcome.into(), map([("Destination", to)])));
        }
    }
    if !config.says() {
        return;
    }
    let mut made = cx.make_at(source, &id, "AWS::Lambda::EventInvokeConfig", config);
    made.set("FunctionName", cx.refer(&source.id));
    let alias = source.get("AutoPublishAlias");
    let published = target.id != source.id;
    made.set("Qualifier", if published { alias.value.clone() } else { text("$LATEST") });
    made.derive("DestinationConfig", Value::Map(destinations.into_iter().collect()), config.get("DestinationConfig"));
    made.copy_all(config, &["MaximumEventAgeInSeconds", "MaximumRetryAttempts"]);
    cx.add(made);
}
