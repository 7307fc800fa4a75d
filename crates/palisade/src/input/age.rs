//! What the maker of a snapshot never asked for: the version that wrote it knew fewer types and properties than this one. That
//! nothing stands there says nothing.

use std::collections::{BTreeMap, BTreeSet};

use aws::Plan;
use model::{Gap, GapReason, Reason, Snapshot, Text, TypeName, Value};

/// The way out of every such gap.
const HELP: &str = "make the snapshot again with this version";

/// Marks as unknown what the plan asks of an account and `told`, the plan that the snapshot was made by, did not.
pub(crate) fn mark(snapshot: &mut Snapshot, told: &BTreeMap<TypeName, BTreeSet<Text>>, plan: &Plan) {
    if snapshot.scopes.iter().all(|s| s.kind.is_code()) {
        return;
    }
    let mut unasked: BTreeMap<TypeName, Vec<Text>> = BTreeMap::new();
    for (kind, wanted) in plan.tells() {
        let Some(asked) = told.get(&kind) else {
            snapshot.gaps.push(gap(&kind, format!("the snapshot is older than the collection of {kind}")));
            continue;
        };
        let missing: Vec<Text> = wanted.difference(asked).cloned().collect();
        if !missing.is_empty() {
            unasked.insert(kind, missing);
        }
    }
    let live: Vec<bool> = snapshot.scopes.iter().map(|s| !s.kind.is_code()).collect();
    for resource in snapshot.resources.iter_mut().filter(|r| live.get(r.scope.0 as usize) == Some(&true)) {
        for name in unasked.get(&resource.type_name).into_iter().flatten() {
            if !resource.props.contains_key(name) {
                let why = Value::unknown(Reason::NotCollected, "the snapshot is older than this property");
                resource.props.insert(name.clone(), why);
            }
        }
    }
    let names = |missing: &[Text]| missing.iter().map(|name| &**name).collect::<Vec<_>>().join(", ");
    let gaps = unasked.iter().map(|(kind, missing)| {
        let detail = format!("the snapshot is older than the collection of {}", names(missing));
        // The resources are all there, and each says what of it is not known.
        gap(kind, detail).note()
    });
    snapshot.gaps.extend(gaps);
}

fn gap(kind: &TypeName, detail: String) -> Gap {
    let mut gap = Gap::new("snapshot", GapReason::NotCollected, detail).help(HELP);
    gap.type_name = Some(kind.clone());
    gap
}

#[cfg(test)]
mod tests {
    use model::{Resource, SourceKind};

    use super::*;

    fn snapshot(kind: SourceKind) -> Snapshot {
        let mut snapshot = Snapshot::default();
        let scope = snapshot.add_scope("it", kind);
        let mut key = Resource::new("k", TypeName::new("AWS::KMS::Key").unwrap(), scope);
        key.props.insert("KeyId", Value::text("k"));
        snapshot.resources.push(key);
        snapshot
    }

    #[test]
    fn what_was_not_asked_for_is_not_known() {
        let plan = Plan::new(catalogue::built_in().folders()).unwrap();
        let mut asked = plan.tells();
        let mut same = snapshot(SourceKind::Live);
        mark(&mut same, &asked, &plan);
        assert_eq!(same, snapshot(SourceKind::Live), "it was made by this version");
        let (key, queue) = (TypeName::new("AWS::KMS::Key").unwrap(), TypeName::new("AWS::SQS::Queue").unwrap());
        asked.remove(&queue);
        asked.get_mut(&key).unwrap().retain(|name| ["KeyId", "Enabled"].contains(&&**name));
        let mut older = snapshot(SourceKind::Live);
        mark(&mut older, &asked, &plan);
        let key = &older.resources[0];
        assert!(matches!(key.prop("KeyPolicy"), Value::Unknown(why) if why.reason == Reason::NotCollected));
        assert_eq!((key.prop("KeyId"), key.prop("Enabled")), (&Value::text("k"), &Value::Null), "asked for, and not set");
        let gaps: Vec<bool> = older.gaps.iter().filter(|g| g.type_name.as_ref() == Some(&queue)).map(|g| g.matters).collect();
        assert_eq!((older.gaps.len(), gaps), (2, vec![true]));
        let mut code = snapshot(SourceKind::CloudFormation);
        mark(&mut code, &BTreeMap::new(), &plan);
        assert_eq!(code, snapshot(SourceKind::CloudFormation), "no account was asked");
    }
}
