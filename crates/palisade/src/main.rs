//! The `palisade` command: reads arguments, wires the crates together, prints, and sets the exit code.
//!
//! Nothing else in the product prints, reads the clock or the environment, or ends the process.

mod buckets;
mod cli;
mod command;
mod config;
mod exit;
mod hex;
mod input;
mod live;
mod logfiles;
mod output;
mod rsa;

use clap::Parser;

fn main() -> std::process::ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    exit::of(command::run(cli))
}
