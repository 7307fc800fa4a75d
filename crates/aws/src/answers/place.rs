//! Whose and where a saved answer is: by the folders above it, or else by what it says itself.

use model::{AccountId, Arn, Partition, Region, Value};
use serde_json::Value as Json;

use crate::value::Named;

/// How much of a document is looked at for an owner or an ARN.
const LOOKS_MAX: usize = 20_000;

/// An account and a Region, as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) account: Option<AccountId>,
    pub(super) region: Option<Region>,
}

impl Place {
    /// By the folders of a path, the nearest first, and the file's own name; then by the document, where all that it says of
    /// owners and Regions agrees.
    pub(super) fn of(path: &str, document: &Json) -> Place {
        let parts = || path.rsplit(['/', '\\', '_']).map(|p| p.trim_end_matches(".json"));
        let mut place = Place {
            account: parts().find_map(|p| AccountId::new(p).ok()),
            region: parts().filter(|p| is_region(p)).find_map(|p| Region::new(p).ok()),
        };
        if place.account.is_none() || place.region.is_none() {
            let mut said = Said::default();
            said.look(document);
            place.account = place.account.or_else(|| said.account.one().and_then(|a| AccountId::new(&a).ok()));
            place.region = place.region.or_else(|| said.region.one().and_then(|r| Region::new(&r).ok()));
        }
        place
    }

    /// What templates can name.
    pub(super) fn named(&self) -> Named {
        let partition = self.region.as_ref().map_or(Partition::Aws, Region::partition);
        let known = [
            Some(("partition", partition.name())),
            self.region.as_ref().map(|r| ("region", r.as_str())),
            self.account.as_ref().map(|a| ("account", a.as_str())),
        ];
        known.into_iter().flatten().map(|(k, v)| (k.to_owned(), Value::text(v))).collect()
    }
}

/// `eu-west-1`, `us-gov-east-1`; not `ec2-vpcs-1`.
fn is_region(text: &str) -> bool {
    const AREAS: &[&str] = &["us", "eu", "ap", "sa", "ca", "af", "me", "il", "mx", "cn", "eusc"];
    let pieces: Vec<&str> = text.split('-').collect();
    let [area, middle @ .., number] = pieces.as_slice() else { return false };
    let points = ["north", "south", "east", "west", "central"];
    AREAS.contains(area)
        && number.len() == 1
        && number.bytes().all(|b| b.is_ascii_digit())
        && middle.last().is_some_and(|m| area == &"eusc" || points.iter().any(|p| m.starts_with(p)))
        && middle.len() <= 2
}

/// One value, or several that differ.
#[derive(Default)]
enum Agreed {
    #[default]
    None,
    One(String),
    Several,
}

impl Agreed {
    fn add(&mut self, text: &str) {
        *self = match std::mem::take(self) {
            Agreed::None => Agreed::One(text.to_owned()),
            Agreed::One(before) if before == text => Agreed::One(before),
            Agreed::One(_) | Agreed::Several => Agreed::Several,
        };
    }

    fn one(self) -> Option<String> {
        if let Agreed::One(text) = self { Some(text) } else { None }
    }
}

/// What a document says of owners and Regions.
#[derive(Default)]
struct Said {
    account: Agreed,
    region: Agreed,
}

impl Said {
    fn look(&mut self, document: &Json) {
        let mut todo = vec![document];
        let mut looks = 0;
        while let Some(value) = todo.pop() {
            looks += 1;
            if looks > LOOKS_MAX {
                return;
            }
            match value {
                Json::Array(items) => todo.extend(items),
                Json::Object(members) => {
                    for (key, value) in members {
                        match value.as_str() {
                            Some(text) => self.text(key, text),
                            None => todo.push(value),
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn text(&mut self, key: &str, text: &str) {
        match key {
            "OwnerId" if AccountId::new(text).is_ok() => self.account.add(text),
            "AvailabilityZone" if text.ends_with(|c: char| c.is_ascii_lowercase()) => {
                let region = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
                if is_region(region) {
                    self.region.add(region);
                }
            }
            // Other people's things are referred to by ARN as well, so only a thing's own one counts.
            _ if key.ends_with("Arn") || key.ends_with("ARN") || key == "arn" => {
                let Ok(arn) = Arn::new(text) else { return };
                if AccountId::new(arn.account()).is_ok() {
                    self.account.add(arn.account());
                }
                if is_region(arn.region()) {
                    self.region.add(arn.region());
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(path: &str, document: &Json) -> (Option<String>, Option<String>) {
        let place = Place::of(path, document);
        (place.account.map(|a| a.to_string()), place.region.map(|r| r.to_string()))
    }

    #[test]
    fn by_the_folders_then_by_what_it_says() {
        let some = |a: &str, r: &str| (Some(a.to_owned()), Some(r.to_owned()));
        let nothing = json!({});
        let cases = [
            ("accounts/123456789012/eu-west-1/x.json", some("123456789012", "eu-west-1")),
            ("210987654321/accounts/123456789012/us-gov-east-1/x.json", some("123456789012", "us-gov-east-1")),
            ("123456789012_ap-southeast-2_vpcs.json", some("123456789012", "ap-southeast-2")),
            ("ec2-vpcs-1/my-app-2/x.json", (None, None)),
        ];
        for (path, wanted) in cases {
            assert_eq!(told(path, &nothing), wanted, "{path}");
        }
        let document = json!({ "Subnets": [{ "OwnerId": "123456789012", "AvailabilityZone": "eu-west-1a" }] });
        assert_eq!(told("x.json", &document), some("123456789012", "eu-west-1"));
        assert_eq!(told("us-east-1/x.json", &document), some("123456789012", "us-east-1"));
        let two = json!({ "Subnets": [{ "OwnerId": "123456789012" }, { "OwnerId": "210987654321" }] });
        assert_eq!(told("x.json", &two), (None, None));
        let arn = json!({ "Topics": [{ "TopicArn": "arn:aws:sns:eu-west-1:123456789012:t" }] });
        assert_eq!(told("x.json", &arn), some("123456789012", "eu-west-1"));
    }
}
