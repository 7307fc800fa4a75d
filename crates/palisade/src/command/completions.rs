//! `palisade completions`

use anyhow::Result;

use crate::exit::Exit;
use crate::output;

/// Prints the completions for a shell.
pub(crate) fn run(shell: clap_complete::Shell, command: &mut clap::Command) -> Result<Exit> {
    let mut text = Vec::new();
    clap_complete::generate(shell, command, "palisade", &mut text);
    output::print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Clean)
}
