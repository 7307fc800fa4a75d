//! From an answer to properties: what `props` tables mean.

use model::Text;
use serde_json::Value as Json;

use super::expr::{Expr, ExprError};

/// How deep tables may lie in one another.
const DEPTH_MAX: usize = 12;

/// One property and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The property's name.
    pub name: Text,
    /// Its value.
    pub value: Mapping,
}

/// Where a property's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Mapping {
    /// An expression.
    Expr(Expr),
    /// A value as it stands.
    Fixed(Json),
    /// The member of this name, or of this name with a small first letter.
    Same(String),
    /// An object; `from` moves into a member first. Null if every member is null.
    Object {
        /// Where the members' expressions start, if not here.
        from: Option<Expr>,
        /// The members.
        members: Vec<Member>,
    },
    /// A list with one object for each element of a list, and of a list inside each element if `of` is given.
    Each {
        /// The list.
        each: Expr,
        /// A list in each of its elements; the element is then `^`.
        of: Option<Expr>,
        /// The members of the object; the element itself if there are none.
        members: Vec<Member>,
    },
    /// Several lists, one behind the other.
    Chain(Vec<Mapping>),
}

impl Member {
    /// Reads a `props` table and a `copy` list.
    pub fn parse_all(props: &serde_json::Map<String, Json>, copy: &[String]) -> Result<Vec<Member>, ExprError> {
        members(props.iter(), copy, 0)
    }
}

fn members<'a>(
    props: impl Iterator<Item = (&'a String, &'a Json)>,
    copy: &[String],
    depth: usize,
) -> Result<Vec<Member>, ExprError> {
    let mut out: Vec<Member> =
        copy.iter().map(|name| Member { name: Text::from(name.as_str()), value: Mapping::Same(name.clone()) }).collect();
    for (name, value) in props {
        out.push(Member { name: Text::from(name.as_str()), value: mapping(value, depth + 1)? });
    }
    Ok(out)
}

fn mapping(value: &Json, depth: usize) -> Result<Mapping, ExprError> {
    let fail = |message: &str| ExprError { text: value.to_string().chars().take(100).collect(), message: message.to_owned() };
    if depth > DEPTH_MAX {
        return Err(fail("tables lie too deep in one another"));
    }
    Ok(match value {
        Json::String(text) => Mapping::Expr(Expr::parse(text)?),
        Json::Array(items) if items.is_empty() => Mapping::Fixed(value.clone()),
        Json::Array(items) => Mapping::Chain(items.iter().map(|i| mapping(i, depth + 1)).collect::<Result<_, _>>()?),
        Json::Object(table) => {
            let expr = |key: &str| match table.get(key) {
                None => Ok(None),
                Some(Json::String(text)) => Expr::parse(text).map(Some),
                Some(_) => Err(fail(&format!("`{key}` must be an expression"))),
            };
            let copy: Vec<String> = match table.get("copy") {
                None => Vec::new(),
                Some(list) => serde_json::from_value(list.clone()).map_err(|_| fail("`copy` must be a list of names"))?,
            };
            let rest = table.iter().filter(|(k, _)| !matches!(k.as_str(), "each" | "of" | "from" | "copy"));
            let members = members(rest, &copy, depth)?;
            match (expr("each")?, expr("of")?, expr("from")?) {
                (Some(each), of, None) => Mapping::Each { each, of, members },
                (None, None, from) => Mapping::Object { from, members },
                _ => return Err(fail("`of` needs `each`, and `from` goes without both")),
            }
        }
        fixed => Mapping::Fixed(fixed.clone()),
    })
}
