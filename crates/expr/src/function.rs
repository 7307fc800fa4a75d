//! The table of functions: one row is all that the checker, the suggestions and the tests know of one.

/// A built-in function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fun {
    StartsWith,
    EndsWith,
    Contains,
    Glob,
    LowerAscii,
    UpperAscii,
    Trim,
    Split,
    Replace,
    Join,
    Size,
    ToInt,
    ToDouble,
    ToString,
    ToBool,
    ToTime,
    ToDuration,
    AgeDays,
    DaysUntil,
    CidrIn,
    CidrAny,
    CidrPrefix,
    IpPrivate,
    PortIn,
    IsSecret,
    SecretName,
    IsLiteral,
    IsLink,
    Json,
    Base64,
    Resolve,
    Default,
    VersionLt,
    Catches,
    Flatten,
    Distinct,
    Keys,
    Values,
    Pairs,
    ToList,
    Min,
    Max,
    Sum,
}

/// What an argument must be, or what a function gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Any,
    Bool,
    Int,
    Number,
    Str,
    Time,
    Dur,
    List,
    StrList,
    Map,
    Resource,
    /// The type of the first argument.
    First,
    /// The type that all arguments fit.
    Joined,
    /// The type of the first argument's elements.
    Element,
    /// A list of what the first argument's elements' elements are.
    Flat,
    /// A list of the first argument, or the first argument if it is one.
    Listed,
    /// A list of the values of the first argument.
    MapValues,
}

/// One function.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    pub(crate) fun: Fun,
    pub(crate) args: &'static [Kind],
    pub(crate) required: usize,
    pub(crate) result: Kind,
}

const fn row(name: &'static str, fun: Fun, args: &'static [Kind], result: Kind) -> Function {
    Function { name, fun, args, required: args.len(), result }
}

use Kind::{Any, Bool, Dur, Int, List, Map, Number, Str, StrList, Time};

/// Every function. `x.f(y)` and `f(x, y)` are the same call.
pub(crate) const FUNCTIONS: &[Function] = &[
    row("startsWith", Fun::StartsWith, &[Str, Str], Bool),
    row("endsWith", Fun::EndsWith, &[Str, Str], Bool),
    row("contains", Fun::Contains, &[Str, Str], Bool),
    row("glob", Fun::Glob, &[Str, Str], Bool),
    row("lowerAscii", Fun::LowerAscii, &[Str], Str),
    row("upperAscii", Fun::UpperAscii, &[Str], Str),
    row("trim", Fun::Trim, &[Str], Str),
    row("split", Fun::Split, &[Str, Str], StrList),
    row("replace", Fun::Replace, &[Str, Str, Str], Str),
    Function { name: "join", fun: Fun::Join, args: &[List, Str], required: 1, result: Str },
    row("size", Fun::Size, &[Any], Int),
    row("int", Fun::ToInt, &[Any], Int),
    row("double", Fun::ToDouble, &[Any], Number),
    row("string", Fun::ToString, &[Any], Str),
    row("bool", Fun::ToBool, &[Any], Bool),
    row("timestamp", Fun::ToTime, &[Any], Time),
    row("duration", Fun::ToDuration, &[Any], Dur),
    row("age_days", Fun::AgeDays, &[Any], Int),
    row("days_until", Fun::DaysUntil, &[Any], Int),
    row("cidr_in", Fun::CidrIn, &[Str, Str], Bool),
    row("cidr_any", Fun::CidrAny, &[Str], Bool),
    row("cidr_prefix", Fun::CidrPrefix, &[Str], Int),
    row("ip_private", Fun::IpPrivate, &[Str], Bool),
    row("port_in", Fun::PortIn, &[Int, Int, Any], Bool),
    row("is_secret", Fun::IsSecret, &[Any], Bool),
    row("secret_name", Fun::SecretName, &[Str], Bool),
    row("is_literal", Fun::IsLiteral, &[Any], Bool),
    row("is_link", Fun::IsLink, &[Any], Bool),
    row("json", Fun::Json, &[Any], Any),
    row("base64", Fun::Base64, &[Str], Str),
    row("resolve", Fun::Resolve, &[Any], Kind::Resource),
    row("default", Fun::Default, &[Any, Any], Kind::Joined),
    row("version_lt", Fun::VersionLt, &[Str, Str], Bool),
    row("catches", Fun::Catches, &[Str, Str], Bool),
    row("flatten", Fun::Flatten, &[List], Kind::Flat),
    row("distinct", Fun::Distinct, &[List], Kind::First),
    row("keys", Fun::Keys, &[Map], StrList),
    row("values", Fun::Values, &[Map], Kind::MapValues),
    row("pairs", Fun::Pairs, &[List], Map),
    row("list", Fun::ToList, &[Any], Kind::Listed),
    row("min", Fun::Min, &[List], Kind::Element),
    row("max", Fun::Max, &[List], Kind::Element),
    row("sum", Fun::Sum, &[List], Kind::Element),
];

/// Names that are called like functions but have rules of their own.
pub(crate) const SPECIAL: &[&str] = &["has", "related", "matches", "exists", "all", "exists_one", "filter", "map"];

/// The function of this name.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|f| f.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_in_the_reference_once() {
        let reference = include_str!("../../../docs/reference/check-language.md");
        for (i, function) in FUNCTIONS.iter().enumerate() {
            let methods = format!(".{}(", function.name);
            let plain = format!("`{}(", function.name);
            assert!(reference.contains(&methods) || reference.contains(&plain), "{} is not documented", function.name);
            assert!(FUNCTIONS.iter().skip(i + 1).all(|f| f.name != function.name), "{} is there twice", function.name);
            assert!(!SPECIAL.contains(&function.name), "{} is special", function.name);
        }
    }
}
