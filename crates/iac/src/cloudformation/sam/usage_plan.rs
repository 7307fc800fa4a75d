//! Usage plans of REST APIs, one for each or one for all, with their key.

use model::{GapReason, Value};

use super::made::{Made, list, map, text};
use super::part::Part;
use super::{Expansion, Source};

/// Values that a stage adds to the plan and its key.
const VALUES_A_STAGE: usize = 6;

/// What the APIs that share a plan have put into it.
#[derive(Default)]
pub(crate) struct Shared {
    stages: Vec<Value>,
    keys: Vec<Value>,
    /// The conditions of the APIs.
    conditions: Vec<Option<model::Text>>,
}

/// Makes the usage plan of an API, if it asks for one. `stage` is the logical id of its stage.
pub(crate) fn expand(cx: &mut Expansion<'_, '_, '_>, source: &Source, stage: &str) {
    let plan = source.get("Auth").get("UsagePlan");
    if !plan.is_set() {
        return;
    }
    let of_plan = map([("ApiId", cx.refer(&source.id)), ("Stage", cx.refer(stage))]);
    let of_key = map([("RestApiId", cx.refer(&source.id)), ("StageName", cx.refer(stage))]);
    let (prefix, stages, keys) = match plan.get("CreateUsagePlan").text() {
        Some("NONE") => return,
        Some("PER_API") => (source.id.clone(), list([of_plan]), list([of_key])),
        Some("SHARED") => {
            cx.plan.stages.push(of_plan);
            cx.plan.keys.push(of_key);
            cx.plan.conditions.push(source.resource.origin.condition.clone());
            if !cx.afford(&Value::Null, cx.plan.stages.len().saturating_mul(VALUES_A_STAGE)) {
                return;
            }
            ("Serverless".to_owned(), Value::List(cx.plan.stages.clone()), Value::List(cx.plan.keys.clone()))
        }
        _ => {
            return cx.gap(source, Some(plan), GapReason::Malformed, "`CreateUsagePlan` must be `PER_API`, `SHARED` or `NONE`");
        }
    };
    let shared = prefix == "Serverless";
    let make = |cx: &Expansion<'_, '_, '_>, suffix: &str, kind: &str| {
        conditional(cx, source, plan, (&format!("{prefix}{suffix}"), kind, shared))
    };
    let mut made = make(cx, "UsagePlan", "AWS::ApiGateway::UsagePlan");
    made.set("ApiStages", stages);
    for key in ["UsagePlanName", "Description", "Quota", "Tags", "Throttle"] {
        made.copy_said(key, plan.get(key));
    }
    cx.add(made);
    let mut made = make(cx, "ApiKey", "AWS::ApiGateway::ApiKey");
    made.set("Enabled", true);
    made.set("StageKeys", keys);
    cx.add(made);
    let mut made = make(cx, "UsagePlanKey", "AWS::ApiGateway::UsagePlanKey");
    made.set("KeyId", cx.refer(&format!("{prefix}ApiKey")));
    made.set("KeyType", text("API_KEY"));
    made.set("UsagePlanId", cx.refer(&format!("{prefix}UsagePlan")));
    cx.add(made);
}

/// A resource of the plan; one that is shared hangs on a condition only if all APIs hang on the same one.
fn conditional(cx: &Expansion<'_, '_, '_>, source: &Source, plan: Part<'_>, (id, kind, shared): (&str, &str, bool)) -> Made {
    let mut made = cx.make_at(source, id, kind, plan);
    let first = cx.plan.conditions.first().cloned().flatten();
    if shared && cx.plan.conditions.iter().any(|condition| *condition != first) {
        made.resource.origin.condition = None;
    }
    made
}
