//! What could not be read. A gap never turns into a pass.

use serde::{Deserialize, Serialize};

use crate::{AccountId, Region, Span, Text, TypeName};

/// Something that could not be read, and the way to close it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// What is missing, in a few words: a file, an API operation, a template construct.
    pub what: String,
    /// Why.
    pub reason: GapReason,
    /// More about the why: the parser's or the API's own words, at most 500 characters.
    pub detail: String,
    /// The permission, parameter, flag or edit that would close it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// The file, if one is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<Text>,
    /// The place in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The account, if one is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The Region, if one is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// The resource type of which instances or properties may be missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_name: Option<TypeName>,
    /// True if verdicts or resources may be missing because of it; `--strict` exits with 3 then. False for notes, such as
    /// a file in the folder that is of no known kind.
    pub matters: bool,
}

/// Why something could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// Refused by AWS or by the file system.
    Denied,
    /// Text that is not what it should be.
    Malformed,
    /// Well formed, but of a kind or version that is not understood.
    Unsupported,
    /// One of our limits was reached; `help` says how to raise it.
    Limit,
    /// Referred to, but not there.
    Missing,
    /// A call failed, timed out, or was cut off.
    Failed,
    /// This source cannot carry it.
    NotCollected,
}

impl Gap {
    /// A gap that matters, without place.
    pub fn new(what: impl Into<String>, reason: GapReason, detail: impl Into<String>) -> Gap {
        let mut detail: String = detail.into();
        if let Some((at, _)) = detail.char_indices().nth(500) {
            detail.truncate(at);
        }
        Gap {
            what: what.into(),
            reason,
            detail,
            help: None,
            file: None,
            span: None,
            account: None,
            region: None,
            type_name: None,
            matters: true,
        }
    }

    /// The same, in this file.
    pub fn in_file(mut self, file: impl Into<Text>, span: Option<Span>) -> Gap {
        self.file = Some(file.into());
        self.span = span;
        self
    }

    /// The same, with the way out.
    pub fn help(mut self, help: impl Into<String>) -> Gap {
        self.help = Some(help.into());
        self
    }

    /// The same, as a note that changes no verdict.
    pub fn note(mut self) -> Gap {
        self.matters = false;
        self
    }
}
