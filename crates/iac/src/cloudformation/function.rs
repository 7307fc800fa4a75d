//! Which mappings and tags are intrinsic functions. Source: the CloudFormation template reference, intrinsic functions.

use model::Text;
use syntax::{Kind, Node};

/// An intrinsic function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    Ref,
    GetAtt,
    Sub,
    Join,
    Select,
    Split,
    FindInMap,
    If,
    Equals,
    And,
    Or,
    Not,
    Condition,
    ImportValue,
    GetStackOutput,
    Cidr,
    Base64,
    GetAzs,
    Transform,
    ToJsonString,
    Length,
    /// One that AWS may have and we do not know.
    Other,
}

impl Function {
    fn from_name(name: &str) -> Option<Function> {
        Some(match name {
            "GetAtt" => Function::GetAtt,
            "Sub" => Function::Sub,
            "Join" => Function::Join,
            "Select" => Function::Select,
            "Split" => Function::Split,
            "FindInMap" => Function::FindInMap,
            "If" => Function::If,
            "Equals" => Function::Equals,
            "And" => Function::And,
            "Or" => Function::Or,
            "Not" => Function::Not,
            "ImportValue" => Function::ImportValue,
            "GetStackOutput" => Function::GetStackOutput,
            "Cidr" => Function::Cidr,
            "Base64" => Function::Base64,
            "GetAZs" => Function::GetAzs,
            "Transform" => Function::Transform,
            "ToJsonString" => Function::ToJsonString,
            "Length" => Function::Length,
            _ => return None,
        })
    }

    fn from_tag(tag: &str) -> Function {
        match tag.strip_prefix('!') {
            Some("Ref") => Function::Ref,
            Some("Condition") => Function::Condition,
            Some(name) => Function::from_name(name).unwrap_or(Function::Other),
            None => Function::Other,
        }
    }

    fn from_key(key: &str) -> Option<Function> {
        match key.strip_prefix("Fn::") {
            Some(name) => Some(Function::from_name(name).unwrap_or(Function::Other)),
            None if key == "Ref" => Some(Function::Ref),
            None => None,
        }
    }
}

/// What a function is applied to.
#[derive(Clone, Copy)]
pub(crate) struct Arg<'t> {
    pub(crate) node: &'t Node,
    /// True if the node's tag is the function itself, so that it says nothing of the argument.
    pub(crate) tagged: bool,
}

impl<'t> Arg<'t> {
    /// The argument's items, if it is a list that is written out.
    pub(crate) fn list(self) -> Option<&'t [Node]> {
        if self.tagged || self.node.tag.is_none() { self.node.as_seq() } else { None }
    }

    /// The argument's text, if it is a scalar that is written out.
    pub(crate) fn text(self) -> Option<&'t Text> {
        if self.tagged || self.node.tag.is_none() { self.node.text() } else { None }
    }
}

/// A function and its argument, if the node is an application of one.
pub(crate) fn application(node: &Node) -> Option<(Function, Arg<'_>)> {
    match &node.tag {
        Some(tag) => Some((Function::from_tag(tag), Arg { node, tagged: true })),
        None => long_form(node),
    }
}

/// The same, whatever the node's own tag.
pub(crate) fn long_form(node: &Node) -> Option<(Function, Arg<'_>)> {
    match &node.kind {
        Kind::Map(entries) => match &**entries {
            [entry] if !entry.key.starts_with("Fn::ForEach::") => {
                Some((Function::from_key(&entry.key)?, Arg { node: &entry.node, tagged: false }))
            }
            _ => None,
        },
        _ => None,
    }
}
