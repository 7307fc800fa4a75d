//! Gaps of calls: one for each call, kind of failure and type in a Region, however many items met it.

use std::collections::BTreeMap;

use model::{AccountId, Gap, GapReason, Reason, Region, TypeName, Value};

use crate::error::{CallError, ErrorKind};
use crate::permissions::action_of;

/// Where a call was made, and for which type.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) account: Option<&'a AccountId>,
    pub(crate) region: Option<&'a Region>,
    pub(crate) type_name: Option<&'a TypeName>,
}

type Key = (String, GapReason, Option<AccountId>, Option<Region>, Option<TypeName>);

/// The gaps met so far.
#[derive(Default)]
pub(crate) struct Gaps {
    found: BTreeMap<Key, Gap>,
}

impl Gaps {
    /// Notes a failed call. `NotOffered` is no gap: there is nothing to miss.
    pub(crate) fn add(&mut self, error: &CallError, place: Place<'_>) {
        let reason = match error.kind {
            ErrorKind::Denied | ErrorKind::Credentials => GapReason::Denied,
            ErrorKind::NotOffered => return,
            ErrorKind::Malformed => GapReason::Malformed,
            ErrorKind::Limit => GapReason::Limit,
            ErrorKind::Throttled | ErrorKind::Rejected | ErrorKind::Failed | ErrorKind::Cancelled => GapReason::Failed,
        };
        let detail = match (error.code.is_empty(), error.message.is_empty()) {
            (true, _) => error.message.clone(),
            (false, true) => error.code.clone(),
            (false, false) => format!("{}: {}", error.code, error.message),
        };
        let mut gap = Gap::new(error.call.clone(), reason, detail).help(help(error));
        gap.account = place.account.cloned();
        gap.region = place.region.cloned();
        gap.type_name = place.type_name.cloned();
        let key = (error.call.clone(), reason, gap.account.clone(), gap.region.clone(), gap.type_name.clone());
        self.found.entry(key).or_insert(gap);
    }

    /// Notes a gap of another kind.
    pub(crate) fn add_gap(&mut self, gap: Gap) {
        let key = (gap.what.clone(), gap.reason, gap.account.clone(), gap.region.clone(), gap.type_name.clone());
        self.found.entry(key).or_insert(gap);
    }

    /// Notes what another met.
    pub(crate) fn join(&mut self, other: Gaps) {
        for (key, gap) in other.found {
            self.found.entry(key).or_insert(gap);
        }
    }

    pub(crate) fn finish(self) -> Vec<Gap> {
        self.found.into_values().collect()
    }
}

/// What would close the gap.
fn help(error: &CallError) -> String {
    match error.kind {
        _ if error.code == "ReportNotPresent" || error.code == "ReportExpired" => {
            "run `aws iam generate-credential-report` first: making the report is not a read".to_owned()
        }
        ErrorKind::Denied => format!("allow `{}`", action_of(&error.call)),
        ErrorKind::Credentials => "sign in again: the credentials are wrong or expired".to_owned(),
        ErrorKind::Throttled => "run it again when less else runs in the account".to_owned(),
        ErrorKind::Limit => "collect fewer Regions or types at once".to_owned(),
        _ => "run it again; if it stays, the call's own error says more".to_owned(),
    }
}

/// The value of a property that a failed call would have told.
pub(crate) fn unknown(error: &CallError) -> Value {
    match error.kind {
        ErrorKind::Denied | ErrorKind::Credentials => Value::unknown(Reason::AccessDenied, action_of(&error.call)),
        ErrorKind::Malformed => Value::unknown(Reason::Malformed, &error.call),
        _ => Value::unknown(Reason::Failed, &error.call),
    }
}
