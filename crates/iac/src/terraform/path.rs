//! Setting a value at a property path.

use model::{Map, Text, Value};

/// Puts a value at a path such as `A.B`, `A[].B` (`[]`: the first and only item), `A[1].B` (the second item) or `A[]` (one more
/// item). Objects are merged and lists are joined with what is there, each item once; anything else is replaced. What is
/// unknown stays so.
pub(crate) fn set(out: &mut Map, path: &str, value: Value) {
    let (first, rest) = match path.split_once('.') {
        Some((first, rest)) => (first, Some(rest)),
        None => (path, None),
    };
    let (name, index) = name_and_index(first);
    let slot = out.entry(name);
    let Some(rest) = rest else {
        let value = match value {
            list @ Value::List(_) => list,
            one if index.is_some() && !matches!(one, Value::Unknown(_)) => Value::List(vec![one]),
            one => one,
        };
        return merge(slot, value);
    };
    if let Some(index) = index {
        if slot.is_null() {
            *slot = Value::List(Vec::new());
        }
        if let Value::List(items) = slot {
            while items.len() <= index {
                items.push(Value::Map(Map::new()));
            }
            if let Some(Value::Map(inner)) = items.get_mut(index) {
                set(inner, rest, value);
            }
        }
    } else {
        if slot.is_null() {
            *slot = Value::Map(Map::new());
        }
        if let Value::Map(inner) = slot {
            set(inner, rest, value);
        }
    }
}

/// The name in one step of a path, and the item if it is a list's. The catalogue holds the index below 100.
pub(crate) fn name_and_index(step: &str) -> (&str, Option<usize>) {
    match step.split_once('[') {
        Some((name, index)) => (name, Some(index.trim_end_matches(']').parse().unwrap_or(0))),
        None => (step, None),
    }
}

fn merge(slot: &mut Value, value: Value) {
    match (slot, value) {
        (Value::Map(old), Value::Map(new)) => {
            new.into_iter().for_each(|(key, value): (Text, Value)| merge(old.entry(&key), value))
        }
        (Value::List(old), Value::List(new)) => {
            for item in new {
                if !old.contains(&item) {
                    old.push(item);
                }
            }
        }
        (Value::List(old), unknown @ Value::Unknown(_)) if !old.is_empty() => old.push(unknown),
        (slot @ Value::Unknown(_), Value::List(mut new)) => {
            new.push(std::mem::take(slot));
            *slot = Value::List(new);
        }
        (slot, value) => *slot = value,
    }
}

/// Takes out what is at a path.
pub(crate) fn clear(out: &mut Map, path: &str) {
    match path.split_once('.') {
        None => drop(out.remove(name_and_index(path).0)),
        Some((first, rest)) => {
            if let Some(Value::Map(inner)) = out.get_mut(first) {
                clear(inner, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::{from_json, to_json};
    use serde_json::json;

    #[test]
    fn paths() {
        let mut out = Map::new();
        set(&mut out, "A.B", Value::Int(1));
        set(&mut out, "A.C", Value::Int(2));
        set(&mut out, "L[].D.E", Value::Int(3));
        set(&mut out, "L[].D.F", Value::Int(4));
        set(&mut out, "M[]", Value::text("x"));
        set(&mut out, "M[]", Value::text("y"));
        set(&mut out, "M", from_json(&json!(["z"])));
        set(&mut out, "A", from_json(&json!({ "B": { "new": true } })));
        let expected = json!({ "A": { "B": { "new": true }, "C": 2 }, "L": [{ "D": { "E": 3, "F": 4 } }], "M": ["x", "y", "z"] });
        assert_eq!(to_json(&Value::Map(out)), expected);
    }
}
