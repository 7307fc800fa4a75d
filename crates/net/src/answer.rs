//! Answers as JSON, schema `palisade/net.reach/1`.

use serde::{Deserialize, Serialize};

use crate::ports::Ports;

/// The three answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Proven: at least one of the protocols and ports asked for gets through, and its reply comes back.
    Reachable,
    /// Proven: none does.
    Blocked,
    /// Something that decides it isn't known.
    Unknown,
}

impl Verdict {
    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Reachable => "reachable",
            Verdict::Blocked => "blocked",
            Verdict::Unknown => "unknown",
        }
    }

    /// The exit code of `palisade net reach`: 0 reachable, 1 blocked, 3 unknown.
    pub fn exit_code(self) -> u8 {
        match self {
            Verdict::Reachable => 0,
            Verdict::Blocked => 1,
            Verdict::Unknown => 3,
        }
    }
}

/// One component of a way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// Its kind: `network-interface`, `security-group`, `network-acl`, `route-table`, `internet-gateway`, ...
    pub component: String,
    /// Its id.
    pub id: String,
    /// The rule, route or ACL line that let the traffic through; empty where there is none to name.
    pub rule: String,
}

/// A component that stops the traffic.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// Its kind, as for [`Hop`].
    pub component: String,
    /// Its id.
    pub id: String,
    /// The rule, route or ACL line that decided; empty for the absence of one.
    pub rule: String,
    /// AWS Reachability Analyzer's name for it.
    pub code: String,
    /// `forward` or `reply`.
    pub direction: String,
    /// The change at this component that would let the traffic through.
    pub opens: String,
}

/// The answer to `reach A B PROTO/PORT`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// `palisade/net.reach/1`.
    pub schema: String,
    /// Who calls, as asked.
    pub from: String,
    /// Who is called, as asked.
    pub to: String,
    /// Protocols and ports, as asked.
    pub ports: String,
    /// The answer.
    pub answer: Verdict,
    /// What of the ports gets through; empty unless reachable.
    pub open: String,
    /// The way there, for a reachable or unknown answer; for a blocked one as far as it is known.
    pub path: Vec<Hop>,
    /// The reply's way back.
    pub reply: Vec<Hop>,
    /// Every component that is in the way; empty unless blocked.
    pub blockers: Vec<Blocker>,
    /// Where the traffic leaves what is known: `internet`, `vpn`, `aws-service`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves: Option<String>,
    /// What the answer rests on that the snapshot does not show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumptions: Vec<String>,
    /// What is missing; empty unless unknown.
    pub reasons: Vec<String>,
}

impl Answer {
    /// An answer that nothing is known for yet.
    pub(crate) fn unknown(from: &str, to: &str, ports: &Ports) -> Answer {
        Answer {
            schema: REACH_SCHEMA.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            ports: ports.to_string(),
            answer: Verdict::Unknown,
            open: String::new(),
            path: Vec::new(),
            reply: Vec::new(),
            blockers: Vec::new(),
            leaves: None,
            assumptions: Vec::new(),
            reasons: Vec::new(),
        }
    }
}

/// The schema's name.
pub const REACH_SCHEMA: &str = "palisade/net.reach/1";
