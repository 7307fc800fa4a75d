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
mod places;
mod rsa;

use std::panic;
use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::usage(&error),
    };
    // What reads the files of others contains its panics and tells of them as gaps.
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !model::is_contained() {
            tell(panic);
        }
    }));
    panic::catch_unwind(|| exit::of(command::run(cli))).unwrap_or(ExitCode::from(exit::INTERNAL))
}
