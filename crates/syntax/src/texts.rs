//! Sharing of texts that occur again and again.

use std::hash::{BuildHasher, Hasher};

use model::Text;

/// Slots of the cache; a power of two.
const SLOTS: usize = 1024;

/// Longer texts seldom repeat.
const SHARED_BYTES_MAX: usize = 40;

/// A cache with one place per hash: it shares most repeated texts, and nobody can make it slow by choosing texts.
pub(crate) struct Texts {
    slots: Vec<Option<Text>>,
}

impl Texts {
    pub(crate) fn new() -> Texts {
        Texts { slots: vec![None; SLOTS] }
    }

    /// The text, shared with an earlier equal one where the cache still has it.
    pub(crate) fn share(&mut self, text: &str) -> Text {
        if text.len() > SHARED_BYTES_MAX {
            return Text::from(text);
        }
        let mut hasher = rustc_hash::FxBuildHasher.build_hasher();
        hasher.write(text.as_bytes());
        let at = (hasher.finish() >> 32) as usize % SLOTS;
        let Some(slot) = self.slots.get_mut(at) else { return Text::from(text) };
        match slot {
            Some(shared) if **shared == *text => shared.clone(),
            _ => {
                let new = Text::from(text);
                *slot = Some(new.clone());
                new
            }
        }
    }
}
