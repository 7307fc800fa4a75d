//! One module a command.

mod catalogue;
mod completions;
pub(crate) mod detect;
mod explain;
pub(crate) mod iam;
mod line;
mod net;
mod permissions;
mod reference;
mod scan;
mod snapshot;
pub(crate) mod trail;

use anyhow::Result;
use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::input::Knowledge;

/// Runs the command that was asked for.
pub(crate) fn run(cli: Cli) -> Result<Exit> {
    crate::output::set_colour(cli.color);
    if let Command::Completions { shell } = cli.command {
        return completions::run(shell, &mut Cli::command());
    }
    if let Command::Reference = cli.command {
        return reference::run(Cli::command());
    }
    if let Command::Iam(args) = &cli.command {
        return iam::run(args, &|| Knowledge::read(cli.config.as_deref(), &cli.catalogue));
    }
    let knowledge = Knowledge::read(cli.config.as_deref(), &cli.catalogue)?;
    match cli.command {
        Command::Scan(args) => scan::run(&args, &knowledge),
        Command::Line(args) => line::run(&args, &knowledge),
        Command::Snapshot(args) => snapshot::run(&args, &knowledge),
        Command::Permissions(args) => permissions::run(&args, &knowledge),
        Command::Net(args) => net::run(&args, &knowledge),
        Command::Explain(args) => explain::run(&args, &knowledge),
        Command::Trail(args) => trail::run(&args),
        Command::Detect(args) => detect::run(&args, &knowledge),
        Command::Catalogue(args) => catalogue::run(&args, &knowledge),
        Command::Iam(_) | Command::Completions { .. } | Command::Reference => Ok(Exit::Clean),
    }
}
