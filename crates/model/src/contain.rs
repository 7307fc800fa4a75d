//! Faults in the libraries that read what others wrote: a panic there costs one text, not the run.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Runs what may panic; `None` if it does. What it borrowed mutably may be left half done.
pub fn contain<T>(read: impl FnOnce() -> T) -> Option<T> {
    DEPTH.set(DEPTH.get().saturating_add(1));
    let read = catch_unwind(AssertUnwindSafe(read));
    DEPTH.set(DEPTH.get().saturating_sub(1));
    read.ok()
}

/// True while this thread runs something that is contained: a panic now is told by whoever contains it.
pub fn is_contained() -> bool {
    DEPTH.get() > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_where_it_is_contained() {
        assert_eq!(contain(|| contain(|| panic!("a fault")).map(|()| 1)), Some(None));
        assert_eq!(contain(is_contained), Some(true));
        assert!(!is_contained());
    }
}
