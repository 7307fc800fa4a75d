//! `palisade snapshot`

use anyhow::Result;

use crate::cli::SnapshotArgs;
use crate::exit::Exit;
use crate::input::{self, Knowledge};
use crate::live::{self, Wanted};
use crate::output;

/// Collects the live account, or reads what is named, and writes it as a snapshot file.
pub(crate) fn run(args: &SnapshotArgs, knowledge: &Knowledge) -> Result<Exit> {
    let secret = live::secret_paths(&knowledge.catalogue);
    let paths: Vec<_> = args.paths.iter().chain(&args.input.input).cloned().collect();
    let plan = knowledge.plan()?;
    let (snapshot, collected) = if paths.is_empty() {
        let mut collected = live::collect(&args.input.live, &plan, &secret)?;
        (std::mem::take(&mut collected.snapshot), Some(collected))
    } else {
        (input::read(&paths, &args.input, knowledge, Wanted::Everything)?, None)
    };
    live::write(&args.output, &snapshot, &plan, collected.as_ref(), &secret)?;
    let open = snapshot.gaps.iter().filter(|g| g.matters).count();
    output::tell(&format!("{} resources and {open} gaps in `{}`", snapshot.resources.len(), args.output.display()));
    Ok(if collected.is_some_and(|c| c.stopped) { Exit::Incomplete } else { Exit::Clean })
}
