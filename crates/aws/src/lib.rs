//! The live account: a read-only AWS client driven by data, and the collection of a [`model::Snapshot`] with it.
//!
//! What to call and how answers become properties stands in the catalogue's `collect.toml` files; how to call it stands in API
//! facts derived from botocore. The facts hold read operations only and nothing else can be called, so this crate cannot
//! change an account. It is the only crate that opens a connection outward.
//!
//! A call that is denied, fails or answers nonsense becomes a [`model::Gap`] and unknown properties, never an absent one.
//!
//! Absent on purpose: judging (that is `engine`), files other than credentials, and every operation that writes.

mod answers;
#[cfg(test)]
mod canned;
mod client;
mod collect;
mod credentials;
mod endpoint;
mod environment;
mod error;
#[cfg(test)]
mod every_call;
mod facts;
mod objects;
mod permissions;
mod public_keys;
mod settings;
mod sign;
mod value;
mod wire;

pub use answers::Answers;
pub use collect::{Collected, Plan, Progress, Unit, Watch, collect};
pub use environment::Environment;
pub use error::{AwsError, CallError, ErrorKind};
pub use facts::facts_source;
pub use objects::{Bucket, Object};
pub use permissions::permissions;
pub use public_keys::{PublicKey, PublicKeys};
pub use settings::{Cancel, Config, Limits, MfaPrompt};
