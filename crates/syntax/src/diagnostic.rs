//! What is wrong with a text, and how much of a text is read.

use std::fmt;

use model::Span;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Lower case, no full stop, text of the user's in backticks.
    pub message: String,
    /// The place.
    pub span: Span,
    /// Why it is refused.
    pub cause: Cause,
    /// The way out, where there is one.
    pub help: Option<String>,
}

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is not what it should be.
    Malformed,
    /// It is over one of the [`Limits`].
    Limit,
}

impl Diagnostic {
    pub(crate) fn malformed(message: impl Into<String>, span: Span) -> Diagnostic {
        Diagnostic { message: message.into(), span, cause: Cause::Malformed, help: None }
    }

    pub(crate) fn limit(message: String, limit: &str, span: Span) -> Diagnostic {
        let help = Some(format!("the limit is `{limit}`"));
        Diagnostic { message, span, cause: Cause::Limit, help }
    }
}

/// `3:14: expected a value`
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.span.line, self.span.column, self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// How much of a text is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub bytes_max: usize,
    /// Levels of lists and mappings; at most [`Limits::DEPTH_CAP`] whatever is set here.
    pub depth_max: usize,
    /// Values in the tree, those that aliases stand for included.
    pub nodes_max: usize,
    /// Values that YAML anchors and aliases may copy.
    pub alias_nodes_max: usize,
}

impl Limits {
    /// No tree is deeper than this, so that walking one by recursion is safe on a thread's stack.
    pub const DEPTH_CAP: usize = 256;
}

/// 64 MiB of text, 128 levels, 8 million values, 200,000 of them copied by aliases.
impl Default for Limits {
    fn default() -> Limits {
        Limits { bytes_max: 64 << 20, depth_max: 128, nodes_max: 8_000_000, alias_nodes_max: 200_000 }
    }
}
