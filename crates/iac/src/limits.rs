//! How much of somebody's files is read.

/// How much of somebody's files is read. Each limit that is passed is a gap that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One text.
    pub text: syntax::Limits,
    /// Choices of parameter values under which one template is looked at.
    pub worlds_max: usize,
    /// Nested stacks read below one template, and separately the levels of them (at most 8).
    pub nested_max: usize,
    /// Values, and pieces of 64 bytes of composed text, that one template may come to.
    pub work_max: u64,
    /// Items that the loops (`Fn::ForEach`) of one template may come to.
    pub loop_items_max: usize,
    /// Files that one walk reads.
    pub files_max: usize,
}

/// 64 worlds, 200 nested stacks, 5 million values, 5,000 loop items, 200,000 files.
impl Default for Limits {
    fn default() -> Limits {
        Limits {
            text: syntax::Limits::default(),
            worlds_max: 64,
            nested_max: 200,
            work_max: 5_000_000,
            loop_items_max: 5_000,
            files_max: 200_000,
        }
    }
}
