//! The check language: CEL's grammar, checked against declared types, evaluated in three values.
//!
//! [`compile`] turns a text into a [`Program`] or a list of every [`Problem`] in it; the program then answers for any number of
//! resources, seen through an [`Env`]. `null` means that AWS says (or a template means) that something isn't set; an unknown
//! means that nobody could know. Every operator is monotone in Kleene's order: an input replaced by an unknown may turn the
//! answer into unknown, never into the other answer.
//!
//! Absent on purpose: I/O, the clock (the time comes from the `Env`), user-defined functions, recursion, and any knowledge of a
//! particular resource type. Of CEL: bytes, unsigned numbers, message literals, packages.

mod check;
mod env;
mod eval;
mod function;
pub mod limit;
mod node;
mod parse;
mod problem;
mod program;
mod syntax;
mod template;
mod token;
mod types;

pub use env::{Env, Related};
pub use problem::{Problem, nearest};
pub use program::{Answer, Program, compile, compile_predicate};
pub use template::{Template, compile_template};
pub use types::{Fields, NameKind, Names, Signature, Type, Vocabulary};
