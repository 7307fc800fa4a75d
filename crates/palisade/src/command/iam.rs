//! `palisade iam`

mod accounts;
mod documents;
mod escalate;
mod lint;
mod reading;
mod unused;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, Subcommand, ValueEnum};

use crate::cli::InputArgs;
use crate::exit::Exit;
use crate::input::Knowledge;

#[derive(Debug, Args)]
pub(crate) struct IamArgs {
    #[command(subcommand)]
    pub(crate) question: Question,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Question {
    /// Evaluate cases: a request and all policies that concern it, in JSON; one line of JSON comes out for each.
    Eval {
        /// The file of cases, or `-` for standard input: JSON documents one after the other, or a list of them.
        #[arg(long, value_name = "FILE")]
        case: PathBuf,
        /// Refuse a case with a malformed policy.
        #[arg(long)]
        validate: bool,
    },
    /// Is a candidate policy no broader than a reference? Exits with 0 for yes, 1 for no, 3 for unknown.
    NoBroader {
        /// The policy that sets the bounds; `-` for standard input.
        #[arg(long, value_name = "FILE")]
        reference: PathBuf,
        /// The policy that must stay within them; `-` for standard input.
        #[arg(long, value_name = "FILE")]
        candidate: PathBuf,
        #[command(flatten)]
        form: PolicyForm,
    },
    /// What access does a new policy, template or plan add, and what does it take away? Exits with 1 if it adds any.
    Diff {
        /// The old policy, template or plan.
        old: PathBuf,
        /// The new one.
        new: PathBuf,
        #[command(flatten)]
        form: PolicyForm,
    },
    /// Is a resource policy open to the world or to other accounts? Exits with 1 if it is.
    Public {
        /// The policy, or an answer of the AWS CLI that holds one; `-` for standard input. Of anything else (a template, plan,
        /// snapshot, saved answers, or what `--input` and the live account give) every resource and trust policy is judged.
        policy: Option<PathBuf>,
        /// The account that owns the resource.
        #[arg(long, value_name = "ACCOUNT")]
        account: Option<String>,
        #[command(flatten)]
        places: Where,
    },
    /// May a principal do something? Exits with 0 if it may, 1 if not, 3 if it depends.
    Can {
        /// The principal: an ARN, a name, or a logical id.
        principal: String,
        /// The action.
        action: String,
        /// The resource's ARN, or `*`.
        resource: String,
        /// The value of a condition key.
        #[arg(long, value_name = "KEY=VALUE")]
        context: Vec<String>,
        #[command(flatten)]
        places: Where,
    },
    /// Who may do something?
    WhoCan {
        /// The action.
        action: String,
        /// The resource's ARN, or `*`.
        resource: String,
        #[command(flatten)]
        places: Where,
    },
    /// What may a principal do?
    PrincipalCan {
        /// The principal: an ARN, a name, or a logical id.
        principal: String,
        #[command(flatten)]
        places: Where,
    },
    /// Who can become admin, by which steps? Exits with 1 if anybody can who is not.
    Escalate {
        #[command(flatten)]
        input: InputArgs,
        #[command(flatten)]
        above: Above,
        /// `text`, `json`, or the graph drawn: `dot` (for Graphviz) or `svg`.
        #[arg(long, short, default_value = "text")]
        format: GraphForm,
    },
    /// Which access is never used? Gives a smaller policy that denies no call that was made. Exits with 1 if some is unused.
    Unused {
        /// CloudTrail files, folders or patterns.
        #[arg(long, value_name = "PATH", required = true)]
        trail: Vec<PathBuf>,
        /// Only this principal: an ARN, a name, or a logical id.
        #[arg(long, value_name = "PRINCIPAL")]
        principal: Option<String>,
        #[command(flatten)]
        places: Where,
    },
    /// Why was a call denied?
    Why {
        /// The CloudTrail event; `-` for standard input.
        event: PathBuf,
        #[command(flatten)]
        places: Where,
    },
    /// Is a policy well-formed, and does it mean something? Exits with 1 if not.
    Lint {
        /// Policies, or answers of the AWS CLI that hold one; `-` for standard input. Of anything else (a template, plan, snapshot,
        /// saved answers, or what `--input` and the live account give) every policy is looked at.
        policies: Vec<PathBuf>,
        #[command(flatten)]
        input: InputArgs,
        /// What the policies are attached to; told by their shape if not given.
        #[arg(long, value_name = "TYPE")]
        policy_type: Option<TypeName>,
        /// A newer service-authorization table than the built-in one, as `cargo xtask gen iam-facts` writes it.
        #[arg(long, value_name = "FILE")]
        facts: Option<PathBuf>,
        /// `text` or `json`.
        #[arg(long, short, default_value = "text")]
        format: Form,
    },
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct PolicyForm {
    /// What the policies are attached to.
    #[arg(long, value_name = "TYPE", default_value = "identity")]
    pub(crate) policy_type: TypeName,
    /// `text` or `json`.
    #[arg(long, short, default_value = "text")]
    pub(crate) format: Form,
}

/// The organisation above the accounts, besides what the input says of it.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct Above {
    /// Service control policies over the account: `{"Policies": [{"Content", "Targets"}], "Parents": {CHILD: PARENT}}`, or
    /// levels as cases have them.
    #[arg(long, value_name = "FILE")]
    pub(crate) scp: Option<PathBuf>,
    /// Resource control policies over the account, in the same form.
    #[arg(long, value_name = "FILE")]
    pub(crate) rcp: Option<PathBuf>,
}

/// Where principals and policies are read from, and the form of the answer.
#[derive(Clone, Debug, Args)]
pub(crate) struct Where {
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) above: Above,
    /// `text` or `json`.
    #[arg(long, short, default_value = "text")]
    pub(crate) format: Form,
}

/// What policies are attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TypeName {
    /// A user, group or role.
    Identity,
    /// A resource.
    Resource,
    /// A role, as its trust policy.
    Trust,
    /// An organisational unit, as a service control policy.
    Scp,
    /// An organisational unit, as a resource control policy.
    Rcp,
    /// A user or role, as its boundary.
    Boundary,
    /// A session.
    Session,
    /// A VPC endpoint.
    VpcEndpoint,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For a person.
    Text,
    /// For a program.
    Json,
}

/// The form of an answer that is a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphForm {
    /// For a person.
    Text,
    /// For a program.
    Json,
    /// For Graphviz.
    Dot,
    /// For a page.
    Svg,
}

/// Answers one question.
pub(crate) fn run(args: &IamArgs, learn: &dyn Fn() -> Result<Knowledge>) -> Result<Exit> {
    match &args.question {
        Question::Eval { case, validate } => {
            let validate = if *validate { ::iam::case::Validate::Yes } else { ::iam::case::Validate::No };
            documents::eval(case, validate)
        }
        Question::NoBroader { reference, candidate, form } => documents::no_broader(reference, candidate, *form),
        Question::Diff { old, new, form } => match documents::diff(old, new, *form)? {
            Some(exit) => Ok(exit),
            None => accounts::diff(old, new, form.format, learn),
        },
        Question::Public { policy, account, places } => {
            if let Some(path) = policy
                && let Some(exit) = documents::public(path, account.as_deref(), &places.above, places.format)?
            {
                return Ok(exit);
            }
            let mut places = places.clone();
            places.input.input.extend(policy.clone());
            accounts::public(&places, account.as_deref(), learn)
        }
        Question::Lint { policies, input, policy_type, facts, format } => {
            if policies.is_empty() && input.input.is_empty() && !input.live.asked() {
                bail!("nothing to look at\n  help: palisade iam lint FILE, or --live");
            }
            lint::run(policies, input, *policy_type, facts.as_deref(), *format, learn)
        }
        Question::Can { principal, action, resource, context, places } => {
            accounts::can(principal, (action, resource), context, places, learn)
        }
        Question::WhoCan { action, resource, places } => accounts::who_can(action, resource, places, learn),
        Question::PrincipalCan { principal, places } => accounts::principal_can(principal, places, learn),
        Question::Escalate { input, above, format } => escalate::run(*format, input, above, learn),
        Question::Unused { trail, principal, places } => unused::run(trail, principal.as_deref(), places, learn),
        Question::Why { event, places } => accounts::why(event, places, learn),
    }
}
