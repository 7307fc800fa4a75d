//! Secrets, reduced to what checks need: that there is one, and of which kind.
//!
//! Every text loses the secrets of known shape in it; a property that is secret as a whole (user data, the values of
//! environment variables) loses all of its text. In their place stands a specimen of the same kind that is no secret, so
//! that a check which looks for secrets answers the same on the file as on the account.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use model::{Gap, Map, Resource, Text, TypeName, Value, secret};

/// How deep values may nest; what lies deeper is replaced as a whole.
const DEPTH_MAX: usize = 128;

/// By resource type: the property paths (`UserData`, `ContainerDefinitions[].Environment[].Value`) whose text is secret
/// altogether. A path that leads to an object or list means every text inside it.
pub type SecretPaths = BTreeMap<TypeName, Vec<String>>;

/// The resource with every secret reduced.
pub(crate) fn reduced(resource: &Resource, paths: &SecretPaths) -> Resource {
    let mut resource = resource.clone();
    for path in paths.get(&resource.type_name).into_iter().flatten() {
        let keys: Vec<&str> = path.split('.').collect();
        at_path(&mut resource.props, &keys);
    }
    // What a resource is called is no secret of its own: an access key goes by its key id.
    let own = is_key_id(&resource.id).then(|| resource.id.clone());
    let is_own = |value: &Value| own.is_some() && value.as_str() == own.as_deref();
    for (_, value) in resource.props.iter_mut().chain(resource.attrs.iter_mut()).filter(|(_, v)| !is_own(v)) {
        everywhere(value, 0);
    }
    if own.is_some() {
        return resource;
    }
    if let Cow::Owned(text) = reduce_text(&resource.id) {
        resource.id = text.into();
    }
    let name = resource.name.as_deref().map(reduce_text);
    if let Some(Cow::Owned(text)) = name {
        resource.name = Some(text.into());
    }
    resource
}

/// The gap with every secret reduced.
pub(crate) fn reduced_gap(gap: &Gap) -> Gap {
    Gap { detail: reduce_text(&gap.detail).into_owned(), ..gap.clone() }
}

/// True for the id of an access key, which names it and lets nobody in.
fn is_key_id(text: &str) -> bool {
    matches!(secret::find(text).as_slice(), [one] if one.kind == "aws-access-key-id" && one.range == (0..text.len()))
}

/// The text with a specimen in the place of each secret of known shape.
pub fn reduce_text(text: &str) -> Cow<'_, str> {
    let found = secret::find(text);
    if found.is_empty() {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for one in &found {
        out.push_str(text.get(at..one.range.start).unwrap_or_default());
        out.push_str(specimen(one.kind));
        at = one.range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    // What is left could only form a secret together with what was taken out; then nothing of it stays.
    let kinds = |text: &str| secret::find(text).into_iter().map(|f| f.kind).collect::<Vec<_>>();
    if kinds(&out) == found.iter().map(|f| f.kind).collect::<Vec<_>>() { out.into() } else { whole(text).into() }
}

/// What stands for a text that is secret as a whole: the kinds of secrets found in it, or in what it encodes.
fn whole(text: &str) -> String {
    let decoded =
        base64::engine::general_purpose::STANDARD.decode(text.trim()).ok().map(|b| String::from_utf8_lossy(&b).into_owned());
    let mut kinds: Vec<&str> = secret::find(text).into_iter().map(|f| f.kind).collect();
    kinds.extend(decoded.iter().flat_map(|t| secret::find(t)).map(|f| f.kind));
    kinds.sort_unstable();
    kinds.dedup();
    let specimens: Vec<String> = kinds.into_iter().map(by_itself).collect();
    if specimens.is_empty() { REDUCED.to_owned() } else { format!("{REDUCED}\n{}", specimens.join("\n")) }
}

/// What stands for secret text without a secret of known shape.
const REDUCED: &str = "(not kept)";

/// A specimen with what has to stand around it to be known for one.
fn by_itself(kind: &str) -> String {
    match kind {
        "aws-secret-access-key" => format!("aws_secret_access_key={}", specimen(kind)),
        "url-password" => format!("x://x:{}@x", specimen(kind)),
        _ => specimen(kind).to_owned(),
    }
}

/// A text of the shape of a kind of secret that is no secret.
fn specimen(kind: &str) -> &'static str {
    match kind {
        "aws-access-key-id" => concat!("AKIA", "NOTKEPTNOTKEPT00"),
        "github-token" => concat!("ghp_", "notkeptnotkeptnotkeptnotkeptnotkept00"),
        "gitlab-token" => concat!("glpat-", "notkeptnotkeptnotkept"),
        "slack-token" => concat!("xoxb-", "notkeptnotkeptnotkept"),
        "stripe-key" => concat!("sk_live_", "notkeptnotkeptnotkept"),
        "google-api-key" => concat!("AIza", "notkeptnotkeptnotkeptnotkeptnotkept"),
        "npm-token" => concat!("npm_", "notkeptnotkeptnotkeptnotkeptnotkept0"),
        "private-key" => concat!("-----BEGIN ", "PRIVATE KEY-----\nnot kept\n-----END PRIVATE KEY-----"),
        "json-web-token" => concat!("eyJ", "ub3Q.eyJ", "rZXB0.notkeptnotkeptnotkept"),
        "aws-secret-access-key" => "notkeptnotkeptnotkeptnotkeptnotkeptnotke",
        "url-password" => "notkept",
        _ => REDUCED,
    }
}

fn at_path(map: &mut Map, keys: &[&str]) {
    let Some((first, rest)) = keys.split_first() else { return };
    let (name, list) = first.strip_suffix("[]").map_or((*first, false), |n| (n, true));
    let Some(value) = map.get_mut(name) else { return };
    match (rest.is_empty(), list, value) {
        (true, _, value) => all_text(value, 0),
        (false, true, Value::List(items)) => {
            for item in items {
                if let Value::Map(inner) = item {
                    at_path(inner, rest);
                }
            }
        }
        (false, false, Value::Map(inner)) => at_path(inner, rest),
        _ => {}
    }
}

fn all_text(value: &mut Value, depth: usize) {
    match value {
        // A switch is no secret, and checks ask for it.
        Value::Str(text) if matches!(&**text, "true" | "false") => {}
        Value::Str(text) => *value = Value::from(whole(text)),
        Value::List(_) | Value::Map(_) if depth > DEPTH_MAX => *value = Value::text(REDUCED),
        Value::List(items) | Value::Mixed(items) => items.iter_mut().for_each(|i| all_text(i, depth + 1)),
        Value::Map(map) => map.iter_mut().for_each(|(_, v)| all_text(v, depth + 1)),
        _ => {}
    }
}

fn everywhere(value: &mut Value, depth: usize) {
    match value {
        Value::Str(text) => {
            if let Cow::Owned(reduced) = reduce_text(text) {
                *value = Value::Str(Text::from(reduced));
            }
        }
        Value::List(_) | Value::Map(_) if depth > DEPTH_MAX => *value = Value::text(REDUCED),
        Value::List(items) | Value::Mixed(items) => items.iter_mut().for_each(|i| everywhere(i, depth + 1)),
        Value::Map(map) => {
            // A secret may stand as a name: `{"AKIA...": true}`.
            let odd = map.keys().any(|k| !secret::find(k).is_empty());
            if odd {
                let taken = std::mem::take(map);
                *map = taken.into_iter().map(|(k, v)| (Text::from(reduce_text(&k)), v)).collect();
            }
            map.iter_mut().for_each(|(_, v)| everywhere(v, depth + 1));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<&'static str> {
        secret::find(text).into_iter().map(|f| f.kind).collect()
    }

    fn samples() -> Vec<String> {
        let join = |a: &str, b: &str| format!("{a}{b}");
        vec![
            join("AKIA", "IOSFODNN7EXAMPLE"),
            join("ghp_", &"aB3".repeat(12)),
            join("glpat-", &"x9".repeat(12)),
            join("xoxb-", &"12-".repeat(12)),
            join("sk_live_", &"a1".repeat(12)),
            join("AIza", &"Ab1d5".repeat(7)),
            join("npm_", &"abc123".repeat(6)),
            join("-----BEGIN RSA ", "PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"),
            join("eyJ", &format!("hbGci.eyJ{}.{}", "zdWIi", "s".repeat(30))),
            join("AWS_SECRET_ACCESS_KEY=", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            "postgres://app:hunter22@db:5432/x".to_owned(),
        ]
    }

    #[test]
    fn a_specimen_is_of_the_kind_it_stands_for() {
        for sample in samples() {
            let text = format!("before {sample} after");
            let found = kinds(&text);
            assert_eq!(found.len(), 1, "{text}");
            let reduced = reduce_text(&text);
            assert_eq!(kinds(&reduced), found, "{reduced}");
            let secret = text.get(secret::find(&text)[0].range.clone()).unwrap();
            assert!(!reduced.contains(secret), "{reduced}");
            assert_eq!(reduce_text(&reduced), reduced);
            assert_eq!(kinds(&whole(&sample)), found, "{}", whole(&sample));
        }
        assert_eq!(reduce_text("nothing here"), "nothing here");
    }

    #[test]
    fn secret_properties_keep_kinds_only() {
        let kind = TypeName::new("AWS::EC2::Instance").unwrap();
        let script = format!("#!/bin/sh\nexport KEY={}\npassword=hunter2", samples()[0]);
        let data = base64::engine::general_purpose::STANDARD.encode(&script);
        let json = serde_json::json!({
            "UserData": data, "Note": script,
            "Env": { "A": "plain-password", "N": 3, "On": "true" }, "List": [{ "Value": "x", "Name": "y" }, { "Name": "z" }]
        });
        let mut resource = Resource::new("i", kind.clone(), model::ScopeIndex(0));
        if let Value::Map(map) = model::from_json(&json) {
            resource.props = map;
        }
        let paths: SecretPaths = [(kind, vec!["UserData".into(), "Env".into(), "List[].Value".into(), "None.X".into()])].into();
        let shown = model::to_json(&Value::Map(reduced(&resource, &paths).props));
        let text = shown.to_string();
        for gone in [data.as_str(), samples()[0].as_str(), "plain-password", "\"x\""] {
            assert!(!text.contains(gone), "{gone} in {text}");
        }
        assert_eq!(kinds(shown["UserData"].as_str().unwrap()), ["aws-access-key-id"]);
        assert_eq!(kinds(shown["Note"].as_str().unwrap()), ["aws-access-key-id"]);
        assert_eq!((&shown["Env"]["N"], &shown["List"][0]["Name"]), (&3.into(), &"y".into()));
        assert_eq!(shown["Env"]["On"], "true");
    }

    proptest::proptest! {
        #[test]
        fn no_secret_stays(left in "\\PC{0,20}", right in "\\PC{0,20}", which in 0usize..11) {
            let sample = samples().remove(which);
            let text = format!("{left}{sample}{right}");
            for found in secret::find(&text) {
                let secret = text.get(found.range.clone()).unwrap();
                if secret.len() >= 12 {
                    proptest::prop_assert!(!reduce_text(&text).contains(secret));
                }
            }
        }
    }
}
