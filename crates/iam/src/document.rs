//! Policy documents, compiled once and evaluated often.
//!
//! Reading is total: what is malformed becomes a [`Problem`], and a statement that cannot be understood is kept as one of
//! which nobody knows whether it applies, so it can never allow or deny silently.

mod read;

use model::{Text, Truth, Value};

use crate::arn::ArnPattern;
use crate::glob::Matcher;
use crate::operator::{Operand, Operator};

/// Most statements that are read from one document.
pub const STATEMENTS_MAX: usize = 20_000;

/// Largest policy text that is read, in bytes.
pub const POLICY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A compiled policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policy {
    /// `2012-10-17` has policy variables; `2008-10-17`, which is also the default, has none.
    pub variables: bool,
    /// The policy's `Id`.
    pub id: Option<Text>,
    /// The statements in their order.
    pub statements: Vec<Statement>,
    /// What is wrong with it, in document order.
    pub problems: Vec<Problem>,
    /// Why the document as a whole could not be read: nobody knows what it allows or denies.
    pub unreadable: Option<Text>,
}

/// Something wrong in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, from the document's root: `Statement[0].Action[1]`.
    pub path: String,
    /// What, in a few words; text of the policy stands in backticks.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
}

/// What a statement does where it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// `Allow`
    Allow,
    /// `Deny`
    Deny,
}

/// One statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Its position in the document, from 0.
    pub index: usize,
    /// `Sid`
    pub sid: Option<Text>,
    /// `Effect`
    pub effect: Effect,
    /// Why it cannot be told whether it applies; then it counts as unknown for its effect, or for both if that is what is
    /// missing.
    pub unreadable: Option<Text>,
    /// True if even the effect could not be read.
    pub effect_unreadable: bool,
    pub(crate) principal: Option<Principals>,
    pub(crate) actions: Actions,
    pub(crate) resources: Option<Resources>,
    pub(crate) conditions: Vec<Clause>,
}

/// `Action` or `NotAction`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Actions {
    pub(crate) negated: bool,
    pub(crate) patterns: Vec<ActionPattern>,
}

impl Actions {
    /// Whether it takes in an action, service and name in lower case.
    pub(crate) fn take_in(&self, service: &str, name: &str) -> Truth {
        let one = |p: &ActionPattern| match p.service.matches_plain(service) {
            Truth::False => Truth::False,
            served => served.and(p.name.matches_plain(name)),
        };
        let any = self.patterns.iter().map(one).fold(Truth::False, Truth::or);
        if self.negated { !any } else { any }
    }
}

/// One action pattern, lower case.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ActionPattern {
    pub(crate) service: Matcher,
    pub(crate) name: Matcher,
    pub(crate) text: Text,
}

/// `Resource` or `NotResource`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Resources {
    pub(crate) negated: bool,
    pub(crate) patterns: Vec<(ArnPattern, Text)>,
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Principals {
    pub(crate) negated: bool,
    pub(crate) patterns: Vec<PrincipalPattern>,
}

/// One principal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalPattern {
    /// `*`
    Everyone,
    /// An account, by number or by its root's ARN.
    Account(Text),
    /// A user, role or session by ARN.
    Arn(Text),
    /// A service, by its name; `*` is every service.
    Service(Text),
    /// An identity provider, by its name or ARN; `*` is every provider.
    Federated(Text),
    /// A canonical user id of S3, or anything else that cannot be an ordinary principal.
    Other(Text),
    /// One definite principal of which only some is known: a role of the same template, an ARN with a parameter in it.
    Named(Text),
    /// An ARN with a placeholder such as `<ACCOUNT ID>` in it, as templates in documentation have.
    Placeholder {
        /// The ARN, with `*` for the placeholder.
        pattern: ArnPattern,
        /// As written.
        text: Text,
        /// Whether the placeholder stands for any value, or for one that nobody knows.
        reading: Truth,
    },
    /// Not known yet; might even be `*`.
    Hole(Text),
}

/// One operator applied to one key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clause {
    pub(crate) operator: Operator,
    /// Lower case.
    pub(crate) key: Box<str>,
    /// As written.
    pub(crate) key_text: Text,
    /// As written.
    pub(crate) operator_text: Text,
    pub(crate) operands: Vec<Operand>,
    /// The operands as written.
    pub(crate) texts: Vec<Text>,
}

impl Policy {
    /// Compiles a document. `Value::Str` is taken as JSON text.
    pub fn from_value(document: &Value) -> Policy {
        read::policy(document)
    }

    /// Compiles JSON text.
    pub fn from_json(text: &str) -> Policy {
        if text.len() > POLICY_BYTES_MAX {
            return Policy::unreadable(format!("the policy is larger than {POLICY_BYTES_MAX} bytes"));
        }
        match serde_json::from_str::<serde_json::Value>(text) {
            Ok(json) => read::policy(&model::from_json(&json)),
            Err(error) => Policy::unreadable(format!("not JSON: {error}")),
        }
    }

    /// A policy of which nothing is known.
    pub fn unreadable(why: impl Into<String>) -> Policy {
        let why: String = why.into();
        Policy {
            problems: vec![Problem { path: String::new(), message: why.clone(), help: None }],
            unreadable: Some(why.into()),
            ..Policy::default()
        }
    }
}

impl Statement {
    /// `Statement[2]`, with the Sid if there is one.
    pub fn label(&self) -> String {
        match &self.sid {
            Some(sid) => format!("Statement[{}] ({sid})", self.index),
            None => format!("Statement[{}]", self.index),
        }
    }

    /// True if it has a `Principal` or `NotPrincipal`.
    pub fn has_principal(&self) -> bool {
        self.principal.is_some()
    }

    /// Its conditions in words, `StringEquals aws:SourceAccount 111122223333`.
    pub fn condition_words(&self) -> Vec<String> {
        self.conditions.iter().map(Clause::words).collect()
    }
}

impl Clause {
    /// `StringEquals aws:SourceAccount 111122223333 | 444455556666`
    pub(crate) fn words(&self) -> String {
        let values: Vec<&str> = self.texts.iter().map(|t| &**t).collect();
        format!("{} {} {}", self.operator_text, self.key_text, values.join(" | "))
    }
}

impl Policy {
    /// The same, with placeholders in principals standing for any value: how an allowlist written as a template is meant.
    pub(crate) fn with_open_placeholders(&self) -> Policy {
        let mut policy = self.clone();
        for statement in &mut policy.statements {
            for pattern in statement.principal.iter_mut().flat_map(|p| &mut p.patterns) {
                if let PrincipalPattern::Placeholder { reading, .. } = pattern {
                    *reading = Truth::True;
                }
            }
        }
        policy
    }
}
