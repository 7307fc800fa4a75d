//! The events of a function: what each kind becomes.

mod api;
mod push;
mod rule;
mod scheduler;
mod stream;

use model::{GapReason, Value};

use super::function::Target;
use super::made::{Made, text};
use super::part::Part;
use super::role::Role;
use super::{Expansion, Source, written};

pub(crate) use api::{rest_api_of, start_execution};
pub(crate) use rule::{Goal, rule};
pub(crate) use scheduler::{Kind as ScheduledKind, schedule};

/// One event of a function or state machine.
pub(crate) struct Event<'r> {
    /// Its name.
    pub(crate) id: &'r str,
    /// The name of its resource: that of the function and its own.
    pub(crate) full: String,
    pub(crate) kind: &'r str,
    pub(crate) props: Part<'r>,
    /// All of it.
    pub(crate) part: Part<'r>,
}

/// The events of `source`, in SAM's order: by path, or else by name.
pub(crate) fn events<'r>(cx: &Expansion<'_, '_, '_>, source: &'r Source) -> Vec<Event<'r>> {
    let mut all: Vec<Event<'r>> = Vec::new();
    for (id, part) in source.get("Events").entries() {
        match part.get("Type").text() {
            Some(kind) => all.push(Event { id, full: format!("{}{id}", source.id), kind, props: part.get("Properties"), part }),
            None => cx.gap(source, Some(part), GapReason::Malformed, &format!("the event `{id}` has no `Type`")),
        }
    }
    all.sort_by(|a, b| place(a).cmp(place(b)));
    all
}

fn place<'r>(event: &Event<'r>) -> &'r str {
    let (path, method) = (event.props.get("Path").text(), event.props.get("Method").text());
    match (event.kind, path, method) {
        ("HttpApi", None, None) => api::DEFAULT,
        (_, path, _) => path.unwrap_or(event.id),
    }
}

/// Makes what the events of a function become.
pub(crate) fn expand_all(cx: &mut Expansion<'_, '_, '_>, source: &Source, target: &Target, role: &mut Role) {
    for event in events(cx, source) {
        let at = Call { source, target, event: &event };
        match event.kind {
            "Api" => api::rest(cx, &at),
            "HttpApi" => api::http(cx, &at),
            "Schedule" | "CloudWatchEvent" | "EventBridgeRule" => {
                rule(cx, source, &event, rule::Goal { arn: target.arn.clone(), role: Value::Null, suffix: "LambdaTarget" });
                let arn = cx.attribute(&event.full, "Arn");
                let mut permission = at.permission(cx, "events.amazonaws.com", "");
                permission.set("SourceArn", arn);
                cx.add(permission);
            }
            "ScheduleV2" => schedule(cx, source, &event, (ScheduledKind::Function, target.arn.clone())),
            "S3" => push::s3(cx, &at),
            "SNS" => push::sns(cx, &at, role),
            "IoTRule" => push::iot(cx, &at),
            "AlexaSkill" => push::alexa(cx, &at),
            "Cognito" => push::cognito(cx, &at),
            "CloudWatchLogs" => push::logs(cx, &at),
            kind if stream::knows(kind) => stream::expand(cx, &at, role),
            kind => {
                let detail = format!("what the event type `{kind}` becomes is not known");
                cx.gap(source, Some(event.part), GapReason::Unsupported, &detail);
            }
        }
    }
}

/// An event that calls something.
pub(crate) struct Call<'c> {
    pub(crate) source: &'c Source,
    pub(crate) target: &'c Target,
    pub(crate) event: &'c Event<'c>,
}

impl Call<'_> {
    /// A resource that the event becomes.
    pub(crate) fn make(&self, cx: &Expansion<'_, '_, '_>, id: &str, type_name: &str) -> Made {
        cx.make_at(self.source, id, type_name, self.event.part)
    }

    /// The permission for a service to call the target. `suffix` ends its logical id.
    pub(crate) fn permission(&self, cx: &Expansion<'_, '_, '_>, principal: &str, suffix: &str) -> Made {
        self.permission_named(cx, principal, &format!("{}Permission", self.event.full), suffix)
    }

    pub(crate) fn permission_named(&self, cx: &Expansion<'_, '_, '_>, principal: &str, prefix: &str, suffix: &str) -> Made {
        let id = match written::is_alphanumeric(suffix) {
            true => format!("{prefix}{suffix}"),
            false => written::hashed(prefix, &suffix.into()),
        };
        let mut made = self.make(cx, &id, "AWS::Lambda::Permission");
        made.set("Action", text("lambda:InvokeFunction"));
        made.set("FunctionName", self.target.name.clone());
        made.set("Principal", text(principal));
        made
    }

    pub(crate) fn gap(&self, cx: &Expansion<'_, '_, '_>, reason: GapReason, detail: &str) {
        cx.gap(self.source, Some(self.event.part), reason, detail);
    }
}
