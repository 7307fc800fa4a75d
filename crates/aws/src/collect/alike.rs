//! Short texts that many resources have (`gp3`, `eu-west-1a`, `in-use`), kept once.

use model::{Resource, Text, Value};
use rustc_hash::FxHashSet;

/// Longer texts are seldom alike.
const BYTES_MAX: usize = 64;

/// What is seen after so many different texts is shared only with those.
const TEXTS_MAX: usize = 4096;

/// The texts seen so far.
#[derive(Default)]
pub(super) struct Alike {
    texts: FxHashSet<Text>,
}

impl Alike {
    /// Lets a resource's short texts be the ones that earlier resources have.
    pub(super) fn share(&mut self, resource: &mut Resource) {
        for map in [&mut resource.props, &mut resource.attrs] {
            map.iter_mut().for_each(|(_, value)| self.value(value));
        }
    }

    fn value(&mut self, value: &mut Value) {
        match value {
            Value::Str(text) if text.len() <= BYTES_MAX => match self.texts.get(text) {
                Some(same) => *text = same.clone(),
                None if self.texts.len() < TEXTS_MAX => {
                    self.texts.insert(text.clone());
                }
                None => {}
            },
            Value::List(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Map(map) => map.iter_mut().for_each(|(_, value)| self.value(value)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::TypeName;

    use super::*;

    #[test]
    fn equal_texts_become_one_and_nothing_else_changes() {
        let resource = |id: &str| {
            let mut resource = Resource::new(id, TypeName::new("AWS::EC2::Volume").unwrap(), model::ScopeIndex(0));
            resource.props.insert("VolumeType", Value::text("gp3"));
            resource.props.insert("Tags", Value::List(vec![Value::text("gp3"), Value::Int(1)]));
            resource.props.insert("Long", Value::text("x".repeat(BYTES_MAX + 1)));
            resource
        };
        let (mut alike, mut one, mut two) = (Alike::default(), resource("a"), resource("b"));
        let (before, text) = (two.clone(), |r: &Resource, name: &str| match r.props.get(name) {
            Some(Value::Str(text)) => text.clone(),
            _ => unreachable!("a text"),
        });
        alike.share(&mut one);
        alike.share(&mut two);
        assert_eq!(two, before);
        assert!(Arc::ptr_eq(&text(&one, "VolumeType"), &text(&two, "VolumeType")));
        assert!(!Arc::ptr_eq(&text(&one, "Long"), &text(&two, "Long")));
        assert_eq!(alike.texts.len(), 1);
    }
}
