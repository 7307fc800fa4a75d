//! What an evaluation asks of its surroundings.

use jiff::Timestamp;
use model::{Link, Resource, Unknown, Value};

/// What an evaluation asks of its surroundings. Equal questions must get equal answers during one evaluation.
pub trait Env {
    /// The resource that the check is about.
    fn this(&self) -> &Resource;

    /// A property of a resource, at the first level; null if it isn't set.
    fn property<'r>(&'r self, of: &'r Resource, name: &str) -> &'r Value {
        static NULL: Value = Value::Null;
        of.props.get(name).unwrap_or(&NULL)
    }

    /// The resources in a relation to `of`.
    fn related<'r>(&'r self, of: &'r Resource, name: &str) -> Related<'r>;

    /// The resource that a link leads to; `None` if it isn't known. For `resolve("text")` the text is the link's target.
    fn resolve<'r>(&'r self, link: &Link) -> Option<&'r Resource>;

    /// A fact from an analysis. No argument is `Unknown`; a resource is given as a link to it with no attribute.
    fn fact(&self, name: &str, args: &[Value]) -> Value;

    /// A configuration parameter.
    fn param(&self, name: &str) -> Value;

    /// The time of the scan.
    fn now(&self) -> Timestamp;
}

/// The resources in a relation.
#[derive(Clone, Debug, Default)]
pub struct Related<'r> {
    /// Those that are known, in a stable order.
    pub items: Vec<&'r Resource>,
    /// Set if there may be more than these: nobody could look, or a link among them leads nowhere.
    pub incomplete: Option<Unknown>,
}
