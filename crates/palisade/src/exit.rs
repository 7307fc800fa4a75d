//! Exit codes: 0 clean, 1 findings at or above `--fail-on`, 2 usage or configuration, 3 incomplete, 4 internal.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Nothing to complain about.
    Clean,
    /// There are findings at or above the threshold; or the answer to a question is no.
    Findings,
    /// Something that matters could not be read, and `--strict` was given; or the answer to a question is unknown.
    Incomplete,
}

/// The code for a fault of our own.
pub(crate) const INTERNAL: u8 = 4;

/// The code for an outcome. An error at this height is one of usage or configuration: whatever the input held became a gap.
#[expect(clippy::print_stderr, reason = "the last word of a failed run")]
pub(crate) fn of(outcome: anyhow::Result<Exit>) -> ExitCode {
    match outcome {
        Ok(Exit::Clean) => ExitCode::SUCCESS,
        Ok(Exit::Findings) => ExitCode::from(1),
        Ok(Exit::Incomplete) => ExitCode::from(3),
        // The reader of our output went away: not an error of ours, and nobody is there to be told.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("palisade: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// The code for arguments that clap refused, or for `--help` and `--version`.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    if error.use_stderr() || printed.is_err() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|e| e.downcast_ref::<std::io::Error>()).any(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}
