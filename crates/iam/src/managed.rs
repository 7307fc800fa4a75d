//! AWS's own managed policies, by ARN.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use model::Text;
use rustc_hash::FxHashMap;

use crate::document::Policy;

/// One line a policy, in the order of the first part: path and name, a tab, the document. `NOTICE.md` beside it says where it
/// is from.
static LINES: &str = include_str!(concat!(env!("OUT_DIR"), "/managed-policies.txt"));

/// The document of a policy by path and name: looked up by halves, so that only a few pages of the table are touched.
fn text(name: &str) -> Option<&'static str> {
    let mut rest = LINES;
    while !rest.is_empty() {
        let (before, after) = rest.as_bytes().split_at(rest.len() / 2);
        let from = memchr::memrchr(b'\n', before).map_or(0, |at| at + 1);
        let to = memchr::memchr(b'\n', after).map_or(rest.len(), |at| before.len() + at + 1);
        let (known, document) = rest.get(from..to)?.trim_end().split_once('\t')?;
        rest = match name.cmp(known) {
            std::cmp::Ordering::Equal => return Some(document),
            std::cmp::Ordering::Less => rest.get(..from)?,
            std::cmp::Ordering::Greater => rest.get(to..)?,
        };
    }
    None
}

/// The default version, as of the date in the notice, of the managed policy `arn:aws:iam::aws:policy/...`.
pub fn policy(arn: &str) -> Option<Arc<Policy>> {
    static READ: OnceLock<Mutex<FxHashMap<Text, Option<Arc<Policy>>>>> = OnceLock::new();
    let name = arn.split_once(":iam::aws:policy/")?.1;
    let mut read = READ.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = read.get(name) {
        return known.clone();
    }
    let policy = text(name).map(|document| Arc::new(Policy::from_json(document)));
    read.insert(name.into(), policy.clone());
    policy
}

/// The path and name of every policy that is known, in order.
pub fn names() -> Vec<&'static str> {
    LINES.lines().filter_map(|line| Some(line.split_once('\t')?.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_known_policies_are_there() {
        for name in ["AdministratorAccess", "ReadOnlyAccess", "PowerUserAccess", "service-role/AWSLambdaBasicExecutionRole"] {
            let policy = policy(&format!("arn:aws:iam::aws:policy/{name}")).unwrap();
            assert!(policy.unreadable.is_none() && !policy.statements.is_empty(), "{name}");
        }
        assert!(policy("arn:aws:iam::aws:policy/NoSuchThing").is_none());
    }

    #[test]
    fn every_policy_is_found_by_its_name() {
        let names = names();
        assert!(names.len() > 1_000 && names.is_sorted());
        assert!(names.iter().all(|name| text(name).is_some_and(|document| document.starts_with('{'))));
        assert!(["", "A", "ReadOnlyAccesses", "zzz"].iter().all(|name| text(name).is_none()));
    }
}
