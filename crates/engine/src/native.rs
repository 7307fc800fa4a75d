//! Checks that the language cannot say. Each is a name that a check's `native` key gives, and a function. When this list grows,
//! the language lacks a fact: add the fact.

use model::{Reason, Text, Truth, Unknown};

use crate::environment::Place;

type Native = fn(&Place<'_>) -> (Truth, Vec<Unknown>);

const NATIVES: &[(&str, Native)] = &[];

/// Whether the check `name` fails at `place`, and if that is unknown, why.
pub(crate) fn truth(name: &str, place: &Place<'_>) -> (Truth, Vec<Unknown>) {
    match NATIVES.iter().find(|(known, _)| *known == name) {
        Some((_, function)) => function(place),
        None => {
            let what = Text::from(format!("there is no native check `{name}`"));
            (Truth::Unknown, vec![Unknown { reason: Reason::Unsupported, what, present: false }])
        }
    }
}
