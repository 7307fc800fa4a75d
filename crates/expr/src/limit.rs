//! What bounds a check's text and one evaluation of it. Overrun is a problem at compile time and an unknown at evaluation.

/// Longest source of an expression or template, in bytes.
pub const SOURCE_BYTES_MAX: usize = 8_192;

/// Deepest nesting of a syntax tree. Chains of `&&` and `||` count once, however long.
pub const DEPTH_MAX: u16 = 48;

/// Most loop variables in scope at one place.
pub const VARIABLES_MAX: usize = 8;

/// Most list elements visited or made in one evaluation. 64 bytes of text that is searched or made count as one; so do 16 parts
/// of a loop's body.
pub const ELEMENTS_MAX: u32 = 100_000;

/// Longest text that an evaluation makes or reads as JSON, in bytes.
pub const TEXT_BYTES_MAX: usize = 1 << 20;

/// Size of one compiled regular expression, in bytes.
pub const REGEX_BYTES_MAX: usize = 1 << 18;

/// Deepest nesting of a value that is compared, searched or converted.
pub const VALUE_DEPTH_MAX: u32 = 128;

/// Most reasons given for one unknown answer; further ones are left out.
pub const REASONS_MAX: usize = 32;

/// Most characters of one hole in a message.
pub const HOLE_CHARS_MAX: usize = 200;
