//! What the parser says, as a gap.

use model::{Gap, GapReason};
use syntax::{Cause, Diagnostic};

/// The gap that a text which cannot be read leaves.
pub(crate) fn gap_of(diagnostic: &Diagnostic, what: &str, file: &str) -> Gap {
    let reason = match diagnostic.cause {
        Cause::Malformed => GapReason::Malformed,
        Cause::Limit => GapReason::Limit,
    };
    let mut gap = Gap::new(what, reason, &*diagnostic.message).in_file(file, Some(diagnostic.span));
    gap.help.clone_from(&diagnostic.help);
    gap
}
