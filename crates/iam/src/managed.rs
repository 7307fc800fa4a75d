//! AWS's own managed policies, by ARN.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use model::Text;
use rustc_hash::FxHashMap;

use crate::document::Policy;

/// One line a policy: path and name, a tab, the document. `NOTICE.md` beside it says where it is from.
static PACKED: &[u8] = include_bytes!("../data/managed-policies.zst");

/// Largest text that is unpacked, in bytes.
const UNPACKED_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Every policy's text by path and name.
fn texts() -> &'static FxHashMap<&'static str, &'static str> {
    static TEXTS: OnceLock<FxHashMap<&'static str, &'static str>> = OnceLock::new();
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let text = TEXT.get_or_init(|| crate::unpack(PACKED, UNPACKED_BYTES_MAX));
        text.lines().filter_map(|line| line.split_once('\t')).collect()
    })
}

/// The default version, as of the date in the notice, of the managed policy `arn:aws:iam::aws:policy/...`.
pub fn policy(arn: &str) -> Option<Arc<Policy>> {
    static READ: OnceLock<Mutex<FxHashMap<Text, Arc<Policy>>>> = OnceLock::new();
    let name = arn.split_once(":iam::aws:policy/")?.1;
    let text = texts().get(name)?;
    let mut read = READ.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
    Some(read.entry(name.into()).or_insert_with(|| Arc::new(Policy::from_json(text))).clone())
}

/// The path and name of every policy that is known, in order.
pub fn names() -> Vec<&'static str> {
    let mut all: Vec<&str> = texts().keys().copied().collect();
    all.sort_unstable();
    all
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
        assert!(names().len() > 1_000);
    }
}
