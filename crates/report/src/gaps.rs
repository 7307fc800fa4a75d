//! What could not be read, in words.

use std::fmt::Write;

use model::Gap;

use crate::safe::printable;

/// Most names of one reason that are told.
const WHATS_SHOWN_MAX: usize = 8;

/// Each reason once, with what is missing for it: `FILE:LINE:COLUMN: WHAT, WHAT and 3 more: WHY`, and the way out on a line of its
/// own. What doesn't matter is left out.
pub fn unread<'g>(gaps: impl IntoIterator<Item = &'g Gap>) -> Vec<String> {
    let mut together: Vec<(&Gap, Vec<&str>)> = Vec::new();
    for gap in gaps.into_iter().filter(|gap| gap.matters) {
        let same = |(first, _): &&mut (&Gap, Vec<&str>)| {
            (&first.file, first.span, &first.detail, &first.help) == (&gap.file, gap.span, &gap.detail, &gap.help)
        };
        match together.iter_mut().find(same) {
            Some((_, whats)) if whats.contains(&gap.what.as_str()) => {}
            Some((_, whats)) => whats.push(&gap.what),
            None => together.push((gap, vec![&gap.what])),
        }
    }
    together.iter().map(|(gap, whats)| told(gap, whats)).collect()
}

fn told(gap: &Gap, whats: &[&str]) -> String {
    let mut out = match (&gap.file, gap.span) {
        (Some(file), Some(span)) => format!("{}:{}:{}: ", printable(file), span.line, span.column),
        (Some(file), None) => format!("{}: ", printable(file)),
        _ => String::new(),
    };
    out.push_str(&whats.iter().take(WHATS_SHOWN_MAX).map(|what| printable(what)).collect::<Vec<_>>().join(", "));
    if whats.len() > WHATS_SHOWN_MAX {
        let _ = write!(out, " and {} more", whats.len() - WHATS_SHOWN_MAX);
    }
    let _ = write!(out, ": {}", printable(&gap.detail));
    if let Some(help) = &gap.help {
        let _ = write!(out, "\n  help: {}", printable(help));
    }
    out
}
