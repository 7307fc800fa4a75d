//! The command line. `docs/reference/cli.md` is made of it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Finds, proves and defends your side of the AWS shared responsibility line.
#[derive(Debug, Parser)]
#[command(name = "palisade", version, max_term_width = 100, propagate_version = true)]
pub(crate) struct Cli {
    /// The settings file; `palisade.toml` in the working directory if there is one.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// A folder of catalogue files to lay over the built-in ones.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) catalogue: Vec<PathBuf>,
    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge the live account, or templates, plans, states, snapshots and saved answers.
    Scan(ScanArgs),
    /// Collect the live account into a file that every command takes as input.
    Snapshot(SnapshotArgs),
    /// Print the least IAM policy with which the checks can be answered.
    Permissions(PermissionsArgs),
    /// Draw the responsibility line: who owns which layer, and how much of your side is proven.
    Line(LineArgs),
    /// Answer what reaches what: from the internet, between instances, out of the account.
    Net(NetArgs),
    /// Explain a check: what is wrong, why it matters, how to mend it.
    Explain(ExplainArgs),
    /// Run detections over CloudTrail logs.
    Detect(crate::command::detect::DetectArgs),
    /// Look into CloudTrail logs: timelines, questions, summaries, coverage, proof.
    Trail(crate::command::trail::TrailArgs),
    /// List what the catalogue knows, or check a catalogue of your own.
    Catalogue(CatalogueArgs),
    /// Answer questions about access: who may do what, with proof.
    Iam(crate::command::iam::IamArgs),
    /// Print completions for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the reference of the command line as Markdown.
    #[command(hide = true)]
    Reference,
}

/// What to read.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct InputArgs {
    /// A file or folder to read; may be given several times.
    #[arg(long = "input", value_name = "PATH")]
    pub(crate) input: Vec<PathBuf>,
    /// A template parameter's value.
    #[arg(long = "parameter", value_name = "NAME=VALUE")]
    pub(crate) parameter: Vec<String>,
    /// A file of template parameters: JSON as `aws cloudformation` takes it, or a plain object.
    #[arg(long = "parameters", value_name = "FILE")]
    pub(crate) parameters: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) live: LiveArgs,
}

/// Which live account to read.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Live account")]
pub(crate) struct LiveArgs {
    /// Read the account of the current credentials; so does each of the following flags.
    #[arg(long)]
    pub(crate) live: bool,
    /// The profile of the AWS configuration files to sign in with.
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// A Region to read; every enabled one if not given. May be given several times.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Vec<String>,
    /// A role to assume first.
    #[arg(long, value_name = "ARN")]
    pub(crate) role_arn: Option<String>,
    /// The external id that the role asks for.
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
    /// The MFA device that the role asks for; its code is asked for at the terminal.
    #[arg(long, value_name = "ARN")]
    pub(crate) mfa_serial: Option<String>,
    /// Read every account of the organisation, each through its role of this name.
    #[arg(long, value_name = "ROLE", num_args = 0..=1, require_equals = true, default_missing_value = "OrganizationAccountAccessRole")]
    pub(crate) org: Option<String>,
    /// Keep what is collected in this snapshot file, and go on from what it already holds.
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,
}

impl LiveArgs {
    /// True if any of them asks for a live account.
    pub(crate) fn asked(&self) -> bool {
        let named = [&self.profile, &self.role_arn, &self.external_id, &self.mfa_serial, &self.org];
        self.live || named.iter().any(|n| n.is_some()) || !self.region.is_empty() || self.resume.is_some()
    }
}

#[derive(Debug, Args)]
pub(crate) struct SnapshotArgs {
    /// The file to write.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Files and folders to read; the live account if there are none.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) input: InputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PermissionsArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// The form of the policy.
    #[arg(long, short, default_value = "json")]
    pub(crate) format: PermissionsFormat,
    /// Also what `--org` needs in the account that it starts from.
    #[arg(long)]
    pub(crate) org: bool,
}

/// The form of `palisade permissions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PermissionsFormat {
    /// An IAM policy document.
    Json,
    /// A template with a role and its policies.
    Cloudformation,
    /// Policies in Terraform's language.
    Terraform,
}

#[derive(Debug, Args)]
pub(crate) struct ScanArgs {
    /// Files and folders to read; the account of the current credentials if there are none.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// The form of the report, and the file to write it to if not to standard output; may be given several times.
    #[arg(long, short, value_name = "FORMAT[=FILE]", default_value = "terminal")]
    pub(crate) format: Vec<String>,
    /// Show passes too.
    #[arg(long)]
    pub(crate) all: bool,
    /// Show every finding with its source.
    #[arg(long)]
    pub(crate) full: bool,
    /// The mildest severity that makes the exit code 1: info, low, medium, high, critical, or never.
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) fail_on: Option<String>,
    /// Exit with 3 if something that matters could not be read.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Count only what this earlier report (or `--write-baseline` file) does not have.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// Write the findings of this run as a baseline.
    #[arg(long, value_name = "FILE")]
    pub(crate) write_baseline: Option<PathBuf>,
    /// Take no notice of suppressions written in templates.
    #[arg(long)]
    pub(crate) no_inline_suppressions: bool,
}

/// Which checks run.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct FilterArgs {
    /// Only these checks; `*` stands for any characters.
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub(crate) check: Vec<String>,
    /// Only checks of these services (`s3`, `iam`, ...).
    #[arg(long, value_name = "SERVICE", value_delimiter = ',')]
    pub(crate) service: Vec<String>,
    /// Only checks of these severities.
    #[arg(long, value_name = "SEVERITY", value_delimiter = ',')]
    pub(crate) severity: Vec<String>,
    /// Only checks that this framework asks for.
    #[arg(long, value_name = "FRAMEWORK", value_delimiter = ',')]
    pub(crate) framework: Vec<String>,
    /// Only checks of these responsibility layers.
    #[arg(long, value_name = "LAYER", value_delimiter = ',')]
    pub(crate) layer: Vec<String>,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct LineArgs {
    #[command(subcommand)]
    pub(crate) action: Option<LineAction>,
    /// Files and folders to read; the account of the current credentials if there are none.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) input: InputArgs,
    /// Only the resource with this id, name or ARN.
    #[arg(long, value_name = "ARN")]
    pub(crate) arn: Option<String>,
    /// Each resource, not only each type.
    #[arg(long)]
    pub(crate) resources: bool,
    /// `terminal` or `json`.
    #[arg(long, short, default_value = "terminal")]
    pub(crate) format: LineFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LineAction {
    /// Say which duties a template or plan adds or removes, before it is deployed.
    Plan {
        /// The new template or plan. A Terraform plan also says what was there before.
        new: PathBuf,
        /// What it replaces.
        #[arg(long, value_name = "PATH")]
        old: Option<PathBuf>,
        /// `terminal` or `json`.
        #[arg(long, short, default_value = "terminal")]
        format: LineFormat,
    },
}

/// The form of `palisade line`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LineFormat {
    /// For a person.
    Terminal,
    /// For a program.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The check's id (or a former one), or the id of a check elsewhere: `S3.8`, `CKV_AWS_21`.
    pub(crate) check: String,
    /// The form of the page.
    #[arg(long, short, default_value = "terminal")]
    pub(crate) format: PageFormat,
}

/// The form of a check's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageFormat {
    /// For a person.
    Terminal,
    /// For a site or a wiki.
    Markdown,
    /// For a program: the check as `palisade catalogue list --format json` gives it.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct CatalogueArgs {
    #[command(subcommand)]
    pub(crate) action: CatalogueAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogueAction {
    /// List every check.
    List {
        #[command(flatten)]
        filter: FilterArgs,
        /// `terminal` or `json`.
        #[arg(long, short, default_value = "terminal")]
        format: LineFormat,
    },
    /// Write a Markdown page for every check, and an index of them.
    Pages {
        /// The folder to write to; made if it is not there.
        dir: PathBuf,
    },
    /// Read a catalogue folder, and run the cases of its checks.
    Check {
        /// The folder.
        dir: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct NetArgs {
    #[command(subcommand)]
    pub(crate) action: NetAction,
}

/// The form of `palisade net`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum NetFormat {
    /// For a person.
    Terminal,
    /// For a program.
    Json,
    /// The ways as a picture (`reach`, `exposure`).
    Svg,
    /// A page with the picture (`reach`, `exposure`).
    Html,
    /// The ways as a graph for Graphviz (`reach`, `exposure`).
    Dot,
    /// Test results (`assert`).
    Junit,
    /// Code scanning results (`assert`).
    Sarif,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NetAction {
    /// Everything that the internet reaches: by which address, ports, way and rule.
    Exposure {
        /// Files and folders to read.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        input: InputArgs,
        /// The form of the answer.
        #[arg(long, short, default_value = "terminal")]
        format: NetFormat,
    },
    /// Whether A reaches B; with the way, or with everything that is in it. Exit code 0 yes, 1 no, 3 unknown.
    Reach {
        /// `internet`, `on-premises`, an id, an address, a CIDR block, `tag:Key=Value`, or a name in a template.
        from: String,
        /// The same.
        to: String,
        /// `tcp/443`, `udp/53`, `tcp/8000-8010`, `icmp`, `any`.
        #[arg(default_value = "any")]
        ports: String,
        #[command(flatten)]
        input: InputArgs,
        /// The form of the answer.
        #[arg(long, short, default_value = "terminal")]
        format: NetFormat,
    },
    /// Check a file of segmentation rules. Exit code 1 if one fails, 3 if one is unknown.
    Assert {
        /// The rules: `deny internet -> tag:tier=db any`, one to a line.
        file: PathBuf,
        #[command(flatten)]
        input: InputArgs,
        /// The form of the answer.
        #[arg(long, short, default_value = "terminal")]
        format: NetFormat,
    },
    /// What one state reaches and the other does not. Exit code 1 if something was opened.
    Diff {
        /// The old template, plan or folder.
        old: PathBuf,
        /// The new one.
        new: PathBuf,
        #[command(flatten)]
        input: InputArgs,
        /// The form of the answer.
        #[arg(long, short, default_value = "terminal")]
        format: NetFormat,
    },
    /// Points at which traffic can cross between VPCs, the internet and on-premises.
    Zones {
        /// Files and folders to read.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        input: InputArgs,
        /// The form of the answer.
        #[arg(long, short, default_value = "terminal")]
        format: NetFormat,
    },
    /// Administrators' ways from outside that avoid the bastion. Exit code 1 if there are any.
    Bastion {
        /// The bastion: an id or a selector, as for `reach`.
        bastion: String,
        #[command(flatten)]
        input: InputArgs,
        /// The form of the answer.
        #[arg(long, short, default_value = "terminal")]
        format: NetFormat,
    },
    /// All routes out of VPCs, and whether a flow log sees them.
    Egress {
        /// Files and folders to read.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        input: InputArgs,
        /// The form of the answer.
        #[arg(long, short, default_value = "terminal")]
        format: NetFormat,
    },
    /// Subnets: public, private or isolated, by their routes.
    Subnets {
        /// Files and folders to read.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
        #[command(flatten)]
        input: InputArgs,
        /// The form of the answer.
        #[arg(long, short, default_value = "terminal")]
        format: NetFormat,
    },
    /// Rules that change nothing: redundant, shadowed, attached to nothing, or never needed by flow logs.
    Unused {
        /// Files and folders to read.
        #[arg(value_name = "PATH")]
        paths: Vec<PathBuf>,
        /// Flow logs: inbound rules that no flow in them needed are told as `unseen`.
        #[arg(long, value_name = "PATH")]
        flows: Vec<PathBuf>,
        /// With `--flows`: only flows of so many days before the last one count.
        #[arg(long, value_name = "DAYS", requires = "flows", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
        #[command(flatten)]
        input: InputArgs,
        /// The form of the answer.
        #[arg(long, short, default_value = "terminal")]
        format: NetFormat,
    },
}
