//! Secrets, and whether a value is written out or comes from elsewhere.

use model::{Reason, Value};

use super::Eval;
use super::val::{Tri, Val};
use crate::limit::VALUE_DEPTH_MAX;

/// Words that names of secrets hold, lower-case, without separators.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "apikey",
    "privatekey",
    "accesskey",
    "authtoken",
    "accesstoken",
    "refreshtoken",
    "credential",
    "connectionstring",
    "clientsecret",
];

/// Endings of names that hold one of the words but name a place, not the secret itself.
const PLACE_ENDINGS: &[&str] = &["arn", "name", "id", "path", "file", "url", "uri", "length", "policy", "rotation", "enabled"];

impl<'e> Eval<'e> {
    /// Whether a value, or anything inside it, holds a secret of a known shape. A reference gives an identifier, which has none
    /// of these shapes, except that of an access key's secret.
    pub(super) fn is_secret(&self, val: Val<'e>) -> Tri<'e> {
        match val {
            Val::Unknown(why) => Tri::Open(why),
            Val::Str(text) => self.secret_text(text),
            Val::Link(link) => match self.settle(val) {
                Val::Link(_) => (&*link.attr == "SecretAccessKey").into(),
                settled => self.is_secret(settled),
            },
            Val::Mixed(pieces) => self.secret_pieces(pieces),
            Val::Map(map) => self.secret_values(&mut map.iter().map(|(_, value)| value), 0),
            Val::List(list) => self.secret_values(&mut list.iter(), 0),
            Val::PartMap(part) => {
                let known = self.secret_values(&mut part.map.iter().map(|(_, value)| value), 0);
                known.or(Tri::Open(part.rest), self.arena)
            }
            Val::Items(items) => {
                let mut answer = items.rest.map_or(Tri::No, Tri::Open);
                for item in &items.list {
                    let there = item.maybe.map_or(Tri::Yes, Tri::Open);
                    answer = answer.or(self.is_secret(item.val).and(there, self.arena), self.arena);
                }
                answer
            }
            Val::Null | Val::Bool(_) | Val::Int(_) | Val::Dec(_) | Val::Time(_) | Val::Dur(_) | Val::Resource(_) => Tri::No,
        }
    }

    fn secret_values(&self, values: &mut dyn Iterator<Item = &'e Value>, depth: u32) -> Tri<'e> {
        if depth > VALUE_DEPTH_MAX {
            return Tri::Open(self.limit(format!("limit of {VALUE_DEPTH_MAX} levels in one value")));
        }
        let mut answer = Tri::No;
        for value in values {
            if let Err(why) = self.charge(1) {
                return answer.or(Tri::Open(why), self.arena);
            }
            let found = match value {
                Value::Map(map) => self.secret_values(&mut map.iter().map(|(_, value)| value), depth + 1),
                Value::List(list) => self.secret_values(&mut list.iter(), depth + 1),
                Value::Str(text) => self.secret_text(text),
                Value::Unknown(_) | Value::Link(_) | Value::Mixed(_) => self.secret_leaf(value),
                Value::Null | Value::Bool(_) | Value::Int(_) | Value::Dec(_) => Tri::No,
            };
            answer = answer.or(found, self.arena);
            if let Tri::Yes = answer {
                break;
            }
        }
        answer
    }

    fn secret_leaf(&self, value: &'e Value) -> Tri<'e> {
        match self.settle(self.val(value)) {
            Val::Unknown(why) => Tri::Open(why),
            Val::Link(link) => (&*link.attr == "SecretAccessKey").into(),
            Val::Mixed(pieces) => self.secret_pieces(pieces),
            Val::Str(text) => self.secret_text(text),
            _ => Tri::No,
        }
    }

    fn secret_text(&self, text: &str) -> Tri<'e> {
        match self.charge_text(text.len()) {
            Ok(()) => (!model::secret::find(text).is_empty()).into(),
            Err(why) => Tri::Open(why),
        }
    }

    /// Mixed text: what is known of it, with a reference in each hole.
    fn secret_pieces(&self, pieces: &'e [Value]) -> Tri<'e> {
        let known: String = pieces.iter().map(|piece| piece.as_str().unwrap_or("${x}")).collect();
        let mut answer = self.secret_text(&known);
        for piece in pieces {
            answer = match piece {
                Value::Unknown(unknown) => answer.or(Tri::Open(super::val::Why::One(unknown)), self.arena),
                Value::Link(link) => answer.or((&*link.attr == "SecretAccessKey").into(), self.arena),
                _ => answer,
            };
        }
        answer
    }

    /// Whether the value stands in the source as it is, instead of coming from a parameter, a reference or a secret store.
    /// Those reasons are knowledge of where a value comes from, so they answer although the value is unknown.
    pub(super) fn is_literal(&self, val: Val<'e>) -> Tri<'e> {
        match val {
            Val::Null | Val::Link(_) | Val::Mixed(_) | Val::Resource(_) => Tri::No,
            Val::Unknown(why) => {
                let elsewhere = |reason| {
                    matches!(
                        reason,
                        Reason::DynamicReference | Reason::NoDefaultParameter | Reason::ImportValue | Reason::AfterApply
                    )
                };
                if why.list().iter().all(|u| elsewhere(u.reason)) { Tri::No } else { Tri::Open(why) }
            }
            _ => Tri::Yes,
        }
    }
}

/// Whether a name is one that people give to secrets: `DB_PASSWORD`, `apiKey`, but not `SECRET_ARN`.
pub(super) fn secret_name(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    SECRET_WORDS.iter().any(|word| plain.contains(word)) && !PLACE_ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::secret_name;

    #[test]
    fn names_of_secrets() {
        for name in ["DB_PASSWORD", "apiKey", "client-secret", "AWS_SECRET_ACCESS_KEY", "AuthToken"] {
            assert!(secret_name(name), "{name}");
        }
        for name in ["SECRET_ARN", "PasswordLength", "TABLE", "SECRET_NAME", "TOKEN_URL", "passwordPolicy"] {
            assert!(!secret_name(name), "{name}");
        }
    }
}
