//! Virtual environments: Python packages that tests and benchmarks run beside the product.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::test::spawn;

/// The `bin` folder of a virtual environment in `folder` that holds just these packages; made and filled where it does not.
///
/// # Errors
/// Says which command failed, and which Debian package brings what it lacks.
pub(crate) fn environment(folder: &Path, packages: &[&str]) -> Result<PathBuf, String> {
    let programs = folder.join("bin");
    let stamp = folder.join("installed");
    let wanted = packages.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(programs);
    }
    let python = programs.join("python");
    if !python.exists() {
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(folder);
        spawn(make).map_err(|e| format!("{e}\n  help: on Debian, apt-get install python3-venv"))?;
    }
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
    spawn(install)?;
    std::fs::write(&stamp, wanted).map_err(|e| format!("cannot write `{}`: {e}", stamp.display()))?;
    Ok(programs)
}
